package actors

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
)

// TestPause: writes wait for the end of the pause, in their order, and reads go on; nothing is lost.
func TestPause(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c, w := ts.connect(), ts.connect()
		c.check("SET a 1", ok, "CLIENT PAUSE 1000 WRITE", ok, "GET a", "1")
		w.send("GET a", "SET a 2", "MSET b 3 c 4", "GET a")
		require.True(t, w.s.busy)
		c.check("MGET a b c", []any{"1", nil, nil}, "PING", resp.Status("PONG"))
		c.check("CLIENT PAUSE 1 WRITE", ok) // does not shorten it
		ts.clock.Advance(999 * time.Millisecond)
		c.check("GET a", "1")
		ts.clock.Advance(time.Millisecond)
		for _, want := range []any{"1", ok, ok, "2"} {
			require.Equal(t, want, w.reply())
		}
		c.check("MGET a b c", []any{"2", "3", "4"})

		c.check("CLIENT PAUSE 1000", ok)
		w.send("GET a")
		require.True(t, w.s.busy)
		ts.clock.Advance(500 * time.Millisecond)
		c.check("CLIENT UNPAUSE", ok)
		require.Equal(t, "2", w.reply())

		c.check("CLIENT PAUSE 1000 WRITE", ok)
		w.send("SET a lost")
		until(func() bool { // the shard may have been at work, so that it is met there only now
			ts.pauseMu.Lock()
			defer ts.pauseMu.Unlock()
			return len(ts.pause.waiting) == 1
		})
		w.s.Gone()
		c.check("CLIENT UNPAUSE", ok)
		until(func() bool { return w.s.batch.state.Load() == done })
		c.check("GET a", "2")
	})
}

func TestClientReply(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		c.send("CLIENT REPLY OFF", "SET a 1", "NOSUCH", "CLIENT REPLY ON", "GET a", "CLIENT REPLY SKIP", "GET a", "SET a 3", "GET a",
			"CLIENT REPLY NOSUCH")
		for _, want := range []any{ok, "1", ok, "3", resp.Error("ERR syntax error")} {
			require.Equal(t, want, c.reply())
		}
		_, there := c.ready()
		require.False(t, there)
	})
}

func TestClientKill(t *testing.T) {
	ts := newTestServer(t, 2)
	at := func(addr string) *testConn { return ts.connect(func(i *ConnInfo) { i.Remote = addr }) }
	a, b, c := at("10.0.0.1:1"), at("10.0.0.2:2"), at("10.0.0.3:3")
	c.check(
		"CLIENT KILL 10.9.9.9:9", resp.Error("ERR No such client"),
		"CLIENT KILL ID 0", resp.Error("ERR client-id should be greater than 0"),
		"CLIENT KILL ADDR 10.0.0.1:1 ID 3", int64(0),
		"CLIENT KILL ADDR 10.0.0.1:1", int64(1),
	)
	<-a.killed
	_, closed := a.s.Feed(encode("SET a 1"))
	require.True(t, closed)
	a.s.Gone()
	c.check("GET a", nil)
	c.send("CLIENT KILL TYPE normal SKIPME no", "SET a 2")
	require.Equal(t, int64(2), c.reply())
	<-b.killed
	require.True(t, c.closed, "itself after the reply")
	_, there := c.ready()
	require.False(t, there)
	b.s.Gone()
	c.s.Gone()
	ts.connect().check("GET a", nil)
	require.EqualValues(t, 1, ts.clients.count.Load())
}

func TestClientListShowsState(t *testing.T) {
	ts := newTestServer(t, 2)
	c := ts.connect()
	c.check("CLIENT SETNAME worker", ok, "CLIENT GETNAME", "worker", "SELECT 3", ok, "CLIENT NO-EVICT ON", ok,
		"CLIENT SETINFO LIB-NAME lib", ok, "CLIENT NO-TOUCH ON", ok)
	ts.clock.Advance(5 * time.Second)
	line := c.run("CLIENT LIST").(string)
	for _, field := range []string{"id=1 ", " addr=127.0.0.1:50000 ", " laddr=127.0.0.1:6379 ", " fd=9 ", " name=worker ", " age=5 ",
		" flags=eT ", " db=3 ", " cmd=client|list ", " user=default ", " resp=2 ", " lib-name=lib "} {
		require.Contains(t, line, field)
	}
	require.True(t, strings.HasSuffix(line, "\n"))
	c.check("RESET", resp.Status("RESET"), "CLIENT GETNAME", nil)
}

// TestNoTouch: it counts for the commands behind it in the same pipeline.
func TestNoTouch(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		c.run("MSET a 1 b 1 c 1 d 1")
		ts.clock.Advance(10 * time.Second)
		c.send("CLIENT NO-TOUCH ON", "GET a", "GET b", "GET c", "GET d", "CLIENT NO-TOUCH OFF", "GET d", "PING", "GET d")
		for range 9 {
			c.reply()
		}
		c.check("OBJECT IDLETIME a", int64(10), "OBJECT IDLETIME b", int64(10), "OBJECT IDLETIME d", int64(0))
	})
}

func TestHello(t *testing.T) {
	ts := newTestServer(t, 2)
	c := ts.connect()
	c.check(
		"HELLO 4", resp.Error("NOPROTO unsupported protocol version"),
		"HELLO x", resp.Error("ERR Protocol version is not an integer or out of range"),
		"HELLO 3 NOSUCH", resp.Error("ERR Syntax error in HELLO option 'NOSUCH'"),
		"HELLO 3 SETNAME me AUTH default any", resp.Map{"server", "redis", "version", RedisVersion, "proto", int64(3), "id", c.s.ID(),
			"mode", "standalone", "role", "master", "modules", []any{}},
		"CLIENT GETNAME", "me",
		"GET nokey", nil,
	)
	c.send("GET nokey")
	require.Equal(t, "_\r\n", string(c.got))
	c.reply()
	c.send("HELLO 2", "GET nokey")
	c.reply()
	require.Equal(t, "$-1\r\n", string(c.got))
}

func TestQuit(t *testing.T) {
	ts := newTestServer(t, 2)
	c := ts.connect()
	c.send("SET a 1", "QUIT", "SET a 2")
	require.Equal(t, ok, c.reply())
	require.Equal(t, ok, c.reply())
	require.True(t, c.closed)
	require.Empty(t, c.got)
	ts.connect().check("GET a", "1")
}

func TestProtectedMode(t *testing.T) {
	ts := newTestServer(t, 1)
	s, refusal := ts.Admit(&testConn{}, ConnInfo{})
	require.Nil(t, s)
	require.True(t, strings.HasPrefix(string(refusal), "-DENIED "))
	require.True(t, strings.HasSuffix(string(refusal), "\r\n"))
	require.Equal(t, "1", ts.connect().info("stats", "rejected_connections"))
}

// TestManyClients: what looks at every connection leaves the event loop when there are many.
func TestManyClients(t *testing.T) {
	ts := newTestServer(t, 1)
	for range 600 {
		ts.connect()
	}
	c := ts.connect()
	c.send("CLIENT LIST", "PING")
	require.Equal(t, 601, strings.Count(c.reply().(string), "\n"))
	require.Equal(t, resp.Status("PONG"), c.reply())
	require.Equal(t, "601", c.info("clients", "connected_clients"))
	require.Equal(t, fmt.Sprint(ts.cfg.Load().MaxClients), c.info("clients", "maxclients"))
}
