package actors

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
)

func TestRepliesOverTheHardLimitAreNotSent(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		admin := ts.connect()
		require.Equal(t, ok, admin.do("SET", "k", strings.Repeat("x", 400)))
		require.Equal(t, ok, admin.do("CONFIG", "SET", "client-output-buffer-limit", "normal 1000 0 0"))

		one := ts.connect()
		one.send("GET k", "GET k")
		require.NotEmpty(t, one.reply())
		require.NotEmpty(t, one.reply(), "below the limit")

		many := ts.connect()
		many.send("GET k", "GET k", "GET k")
		<-many.killed
		require.Empty(t, many.got)

		waits := ts.connect()
		waits.pending.Store(700)
		waits.send("GET k")
		<-waits.killed
		require.Empty(t, waits.got, "what waits counts too")

		l := ts.NewLocal()
		defer l.Close()
		v, err := l.Do(context.Background(), []byte("MGET"), []byte("k"), []byte("k"), []byte("k"))
		require.NoError(t, err, "there is no buffer inside the process")
		require.Len(t, v, 3)
	})
}

func TestClientReplyOnEndsSkip(t *testing.T) {
	ts := newTestServer(t, 1)
	c := ts.connect()
	c.send("CLIENT REPLY SKIP", "CLIENT REPLY ON", "PING")
	require.Equal(t, ok, c.reply())
	require.Equal(t, resp.Status("PONG"), c.reply())
	c.send("CLIENT REPLY SKIP", "ECHO skipped", "ECHO heard")
	require.Equal(t, "heard", c.reply())
}

func TestPausedClientsShow(t *testing.T) {
	ts := newTestServer(t, 2)
	c, held := ts.connect(), ts.connect()
	require.Equal(t, ok, c.do("CLIENT", "PAUSE", "100000", "WRITE"))
	held.send("SET a 1")
	require.Contains(t, c.do("INFO", "clients"), "blocked_clients:1\r\n")
	require.Contains(t, c.do("CLIENT", "LIST"), "flags=b ")
	require.Equal(t, ok, c.do("CLIENT", "UNPAUSE"))
	require.Equal(t, ok, held.reply())
	require.Contains(t, c.do("INFO", "clients"), "blocked_clients:0\r\n")
	require.NotContains(t, c.do("CLIENT", "LIST"), "flags=b ")
}

func TestRenamedCommands(t *testing.T) {
	ts := newTestServer(t, 1, "--rename-command", "FLUSHALL", "", "--rename-command", "KEYS", "a name that nobody guesses")
	c := ts.connect()
	require.ErrorContains(t, c.do("FLUSHALL").(error), "ERR unknown command 'FLUSHALL'")
	require.ErrorContains(t, c.do("KEYS", "*").(error), "ERR unknown command 'KEYS'")
	require.Empty(t, c.do("A NAME that nobody guesses", "*"))
}
