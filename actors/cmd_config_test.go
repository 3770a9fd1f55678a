package actors

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
)

func TestConfigGet(t *testing.T) {
	ts := newTestServer(t, 2, "--maxclients", "123")
	c := ts.connect()
	c.check(
		"CONFIG GET maxclients", []any{"maxclients", "123"},
		"CONFIG GET MaxClients maxcl*", []any{"MaxClients", "123"},
		"CONFIG GET set-max-* hz", []any{
			"hz", "10", "set-max-intset-entries", "512", "set-max-listpack-entries", "128", "set-max-listpack-value", "64",
		},
		"CONFIG GET nosuch", []any{},
		"CONFIG GET", resp.Error("ERR wrong number of arguments for 'config|get' command"),
		"CONFIG NOSUCH", resp.Error("ERR unknown subcommand 'NOSUCH'. Try CONFIG HELP."),
	)
	c.run("HELLO 3")
	c.check(
		"CONFIG GET maxclients", resp.Map{"maxclients", "123"},
		"CONFIG GET nosuch", resp.Map{},
	)
	require.Greater(t, len(c.run("CONFIG GET *").(resp.Map)), 300)
	c.do(append([]string{"CONFIG", "GET"}, strings.Split(strings.Repeat("* ", 40)+"*", " ")...)...)
}

func TestConfigSet(t *testing.T) {
	ts := newTestServer(t, 2)
	c := ts.connect()
	failed := func(param, why string) resp.Error {
		return resp.Error("ERR CONFIG SET failed (possibly related to argument '" + param + "') - " + why)
	}
	c.check(
		"CONFIG SET timeout 5 hz 20", ok,
		"CONFIG GET timeout hz", []any{"hz", "20", "timeout", "5"},
		"CONFIG SET timeout", resp.Error("ERR wrong number of arguments for 'config|set' command"),
		"CONFIG SET timeout 1 hz", resp.Error("ERR syntax error"),
		"CONFIG SET nosuch 1", resp.Error("ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"),
		"CONFIG SET timeout x", failed("timeout", "argument couldn't be parsed into an integer"),
		"CONFIG SET timeout 1 timeout 2", failed("timeout", "duplicate parameter"),
		"CONFIG SET timeout 7 databases 3", failed("databases", "can't set immutable config"),
		"CONFIG SET dir /tmp", failed("dir", "can't set protected config"),
		"CONFIG GET timeout", []any{"timeout", "5"},
	)
}

// TestProtectedConfig: whether protected parameters can be changed depends on who asks.
func TestProtectedConfig(t *testing.T) {
	ts := newTestServer(t, 1, "--enable-protected-configs", "local", "--protected-mode", "no")
	far := ts.connect(func(i *ConnInfo) { i.Loopback = false })
	near := ts.connect(func(i *ConnInfo) { i.Loopback, i.Unix = false, true })
	require.IsType(t, resp.Error(""), far.run("CONFIG SET dbfilename x.rdb"))
	require.Equal(t, ok, near.run("CONFIG SET dbfilename x.rdb"))
}

// TestConfigTakesEffect: what actors keep of the configuration follows CONFIG SET, in the same pipeline too.
func TestConfigTakesEffect(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		c.send("SET a x", "CONFIG SET maxmemory-policy allkeys-lfu", "SET b x", "OBJECT FREQ b", "OBJECT IDLETIME b")
		require.Equal(t, ok, c.reply())
		require.Equal(t, ok, c.reply())
		require.Equal(t, ok, c.reply())
		require.Equal(t, int64(5), c.reply(), "the shard counts from now on")
		require.IsType(t, resp.Error(""), c.reply())
		c.check("CONFIG SET maxmemory-policy noeviction", ok, "SET b x", ok, "OBJECT IDLETIME b", int64(0))

		c.check("CONFIG SET proto-max-bulk-len 1mb", ok)
		require.Equal(t, resp.Error("ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
			c.run("SETRANGE a 2000000 x"))
		require.Equal(t, resp.Error("ERR Protocol error: invalid bulk length"), c.do("SET", "a", strings.Repeat("x", 1<<20+1)))
		require.True(t, c.closed)

		c = ts.connect()
		c.check("CONFIG SET maxclients 2", ok)
		s, refusal := ts.Admit(&testConn{}, ConnInfo{Loopback: true})
		require.Nil(t, s)
		require.Equal(t, msgMaxClients, string(refusal))
		c.check("CONFIG SET maxclients 3", ok)
		ts.connect()
	})
}

func TestLogLevel(t *testing.T) {
	was := LogLevel.Level()
	defer LogLevel.Set(was)
	ts := newTestServer(t, 1)
	c := ts.connect()
	for name, level := range map[string]string{"debug": "DEBUG", "verbose": "DEBUG", "notice": "INFO", "warning": "WARN"} {
		c.check("CONFIG SET loglevel "+name, ok)
		require.Equal(t, level, LogLevel.Level().String())
	}
}

// TestRequirePass: a password that is set asks it of new connections, not of those that are there; one that is taken
// away lets all in.
func TestRequirePass(t *testing.T) {
	noauth := resp.Error("NOAUTH Authentication required.")
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		require.Equal(t, resp.Error(msgNoPass), c.run("AUTH x"))
		c.check("CONFIG SET requirepass secret", ok, "GET a", nil)

		fresh := ts.connect()
		fresh.check(
			"GET a", noauth,
			"NOSUCH", resp.Error("ERR unknown command 'NOSUCH', with args beginning with: "),
			"AUTH wrong", resp.Error(msgWrongPass),
			"AUTH nobody secret", resp.Error(msgWrongPass),
			"HELLO 3 AUTH default wrong", resp.Error(msgWrongPass),
			"AUTH secret", ok,
			"GET a", nil,
			"AUTH default secret", ok,
			"RESET", resp.Status("RESET"),
			"GET a", noauth,
			"AUTH secret", ok,
			"CONFIG SET requirepass other", ok,
			"GET a", nil,
		)
		require.Equal(t, "3", fresh.info("stats", "acl_access_denied_auth"))

		// What a stranger may send is limited, also behind an AUTH in the same read: that has to run first.
		long := "MSET" + strings.Repeat(" k v", 10)
		fresh = ts.connect()
		fresh.send("AUTH other", long, "GET k")
		require.Equal(t, ok, fresh.reply())
		require.Equal(t, ok, fresh.reply())
		require.Equal(t, "v", fresh.reply())
		fresh = ts.connect()
		fresh.send("AUTH wrong", long)
		require.Equal(t, resp.Error(msgWrongPass), fresh.reply())
		require.Equal(t, resp.Error("ERR Protocol error: unauthenticated multibulk length"), fresh.reply())

		fresh, hello := ts.connect(), ts.connect()
		fresh.check("GET a", noauth)
		require.Equal(t, ok, c.do("CONFIG", "SET", "requirepass", ""))
		fresh.check(long, ok, "GET a", nil)
		require.NotEmpty(t, hello.run("HELLO 2"))
	})
}

// TestResetStat: everything that counts starts anew.
func TestResetStat(t *testing.T) {
	ts := newTestServer(t, 2)
	c := ts.connect()
	c.check("SET a 1 PX 10", ok, "GET a", "1", "GET b", nil, "INCR", resp.Error("ERR wrong number of arguments for 'incr' command"))
	ts.clock.Advance(1e9)
	until(func() bool { return c.info("stats", "expired_keys") == "1" })
	require.NotEmpty(t, c.info("commandstats", "cmdstat_get"))
	require.NotEmpty(t, c.info("errorstats", "errorstat_ERR"))
	peak := c.info("memory", "used_memory_peak")

	c.run("CONFIG RESETSTAT")
	for _, field := range []string{"keyspace_hits", "keyspace_misses", "expired_keys", "total_connections_received",
		"total_error_replies", "instantaneous_ops_per_sec"} {
		require.Equal(t, "0", c.info("stats", field), field)
	}
	require.Empty(t, c.info("commandstats", "cmdstat_get"))
	require.Empty(t, c.info("errorstats", "errorstat_ERR"))
	require.Empty(t, c.info("latencystats", "latency_percentiles_usec_get"))
	require.Contains(t, c.info("commandstats", "cmdstat_config|resetstat"), "calls=1,")
	require.Less(t, len(c.info("stats", "total_net_input_bytes")), 4)
	require.Equal(t, peak, c.info("memory", "used_memory_peak"))
	c.check("GET b", nil)
	require.Equal(t, "1", c.info("stats", "keyspace_misses"))
	ts.clock.Advance(1e9)
}

func TestConfigRewrite(t *testing.T) {
	ts := newTestServer(t, 1)
	ts.connect().check(
		"CONFIG REWRITE", resp.Error("ERR The server is running without a config file"),
		"DEBUG CONFIG-REWRITE-FORCE-ALL", resp.Error("ERR The server is running without a config file"),
	)

	file := filepath.Join(t.TempDir(), "troupe.conf")
	require.NoError(t, os.WriteFile(file, []byte("# mine\nmaxclients 50\nenable-debug-command yes\nshards 1\n"), 0o600))
	ts = newTestServer(t, 1, file)
	c := ts.connect()
	c.send("CONFIG SET maxclients 60 timeout 9", "CONFIG REWRITE", "PING")
	require.Equal(t, ok, c.reply())
	require.Equal(t, ok, c.reply())
	require.Equal(t, resp.Status("PONG"), c.reply())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), "# mine\nmaxclients 60\n")
	require.Contains(t, string(text), "\ntimeout 9\n")
	c.check("DEBUG CONFIG-REWRITE-FORCE-ALL", ok)
	text, err = os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), "\nhz 10\n")
}
