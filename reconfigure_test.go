package troupe_test

import (
	"context"
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe"
)

// answers tells whether a Redis-compatible server answers at addr.
func answers(t *testing.T, addr string) bool {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	defer c.Close()
	_, err = c.Write([]byte("PING\r\n"))
	require.NoError(t, err)
	reply := make([]byte, len("+PONG\r\n"))
	_, err = c.Read(reply)
	require.NoError(t, err)
	return string(reply) == "+PONG\r\n"
}

// occupied returns a port of the loopback that is taken until free is called.
func occupied(t *testing.T) (port string, free func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	free = func() { _ = l.Close() }
	t.Cleanup(free)
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), free
}

func TestConfigSetChangesWhereTheServerListens(t *testing.T) {
	first, free := occupied(t)
	free()
	s, err := troupe.Start(troupe.Options{Args: []string{"--port", first, "--bind", "127.0.0.1"}})
	require.NoError(t, err)
	defer s.Close()
	require.True(t, answers(t, "127.0.0.1:"+first))

	set := func(args ...any) error {
		_, err := s.Do(context.Background(), append([]any{"CONFIG", "SET"}, args...)...)
		return err
	}
	taken, free := occupied(t)
	err = set("maxmemory", "100mb", "port", taken)
	require.EqualError(t, err, "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.")
	require.True(t, answers(t, "127.0.0.1:"+first), "a failed change leaves all as it was")
	v, err := s.Do(context.Background(), "CONFIG", "GET", "maxmemory")
	require.NoError(t, err)
	require.Equal(t, map[any]any{"maxmemory": "0"}, v)

	err = set("bind", "192.0.2.1")
	require.EqualError(t, err, "ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified addresses.")
	require.True(t, answers(t, "127.0.0.1:"+first))

	free()
	require.NoError(t, set("port", taken, "bind", "127.0.0.1"))
	require.True(t, answers(t, "127.0.0.1:"+taken))
	require.False(t, answers(t, "127.0.0.1:"+first))
	require.NoError(t, set("port", "0"))
	require.False(t, answers(t, "127.0.0.1:"+taken))
}

func TestConfigSetLeavesTheAddressOfAnEmbeddingProgram(t *testing.T) {
	s, err := troupe.Start(troupe.Options{Addr: "127.0.0.1:0"})
	require.NoError(t, err)
	defer s.Close()
	_, err = s.Do(context.Background(), "CONFIG", "SET", "port", "1")
	require.ErrorContains(t, err, "the program that embeds this server has chosen where it listens")
	require.True(t, answers(t, s.Addr()))
}

func TestConfigSetOfMoreClientsThanTheSystemServes(t *testing.T) {
	s, err := troupe.Start(troupe.Options{Args: []string{"--port", "0", "--bind", "127.0.0.1"}})
	require.NoError(t, err)
	defer s.Close()
	_, err = s.Do(context.Background(), "CONFIG", "SET", "maxclients", "2000000000")
	require.ErrorContains(t, err, "ERR CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is not "+
		"able to handle the specified number of clients, try with ")
	v, err := s.Do(context.Background(), "CONFIG", "GET", "maxclients")
	require.NoError(t, err)
	require.Equal(t, map[any]any{"maxclients": "10000"}, v)
	_, err = s.Do(context.Background(), "CONFIG", "SET", "maxclients", "100")
	require.NoError(t, err)
}
