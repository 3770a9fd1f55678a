package actors

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
)

// TestDebugIsGated: what enable-debug-command says holds for DEBUG HELP too.
func TestDebugIsGated(t *testing.T) {
	denied := resp.Error("ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can " +
		"run it from a local connection, otherwise you need to set this option in the configuration file, and then " +
		"restart the server.")
	far := func(i *ConnInfo) { i.Loopback = false }
	for _, x := range []struct {
		mode      string
		near, far bool
	}{{"no", false, false}, {"local", true, false}, {"yes", true, true}} {
		ts := newTestServer(t, 2, "--enable-debug-command", x.mode, "--protected-mode", "no")
		for allowed, c := range map[*bool]*testConn{&x.near: ts.connect(), &x.far: ts.connect(far)} {
			for _, cmd := range []string{"DEBUG HELP", "DEBUG SLEEP 0", "DEBUG nosuch"} {
				if got := c.run(cmd); *allowed {
					require.NotEqual(t, denied, got)
				} else {
					require.Equal(t, denied, got)
				}
			}
			c.check("DEBUG", resp.Error("ERR wrong number of arguments for 'debug' command"))
		}
	}
	ts := newTestServer(t, 1, "--enable-debug-command", "no")
	c := ts.connect()
	c.run("DEBUG SLEEP 0")
	require.Contains(t, c.info("commandstats", "cmdstat_debug"), "calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,")
}

func TestDebugWords(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		unknown := func(name string) resp.Error {
			return resp.Error("ERR unknown subcommand or wrong number of arguments for '" + name + "'. Try DEBUG HELP.")
		}
		for _, cmd := range []string{
			"nosuch", "sleep", "sleep 1 2", "set-active-expire", "object", "object k slow", "htstats", "htstats 0 half",
			"error a b", "log", "replybuffer peak-reset-time", "replybuffer nosuch 1", "digest x", "help x", "populate",
			"populate 1 2 3 4", "reload", "loadaof", "segfault", "oom", "mallctl x",
		} {
			name, _, _ := strings.Cut(cmd, " ")
			require.Equal(t, unknown(name), c.run("DEBUG "+cmd), cmd)
		}
		c.check(
			"DEBUG SLEEP 0", ok,
			"DEBUG SLEEP abc", ok,
			"DEBUG SLEEP -1", ok,
			"DEBUG ERROR LOADING", resp.Error("LOADING"),
			"DEBUG QUICKLIST-PACKED-THRESHOLD 100b", ok,
			"DEBUG QUICKLIST-PACKED-THRESHOLD 0", ok,
			"DEBUG QUICKLIST-PACKED-THRESHOLD 4gb", resp.Error("ERR argument must be a memory value bigger than 1 and smaller than 4gb"),
			"DEBUG QUICKLIST-PACKED-THRESHOLD x", resp.Error("ERR argument must be a memory value bigger than 1 and smaller than 4gb"),
			"DEBUG DICT-RESIZING 0", ok,
			"DEBUG CLIENT-ENFORCE-REPLY-LIST 1", ok,
			"DEBUG REPLYBUFFER PEAK-RESET-TIME 100", ok,
			"DEBUG REPLYBUFFER PEAK-RESET-TIME NEVER", ok,
			"DEBUG REPLYBUFFER PEAK-RESET-TIME x", resp.Error("ERR value is not an integer or out of range"),
			"DEBUG REPLYBUFFER RESIZING 0", ok,
			"DEBUG STRINGMATCH-LEN a*c abbc", int64(1),
			"DEBUG STRINGMATCH-LEN a*c abbd", int64(0),
			"DEBUG LOG something-to-find", ok,
			"DEBUG PAUSE-CRON 1", ok,
			"DEBUG PAUSE-CRON 0", ok,
		)
		require.Equal(t, resp.Error("two lines"), c.do("DEBUG", "ERROR", "two\nlines"))
		require.Contains(t, ts.log.String(), "something-to-find")
		id := c.info("replication", "master_replid")
		require.Len(t, id, 40)
		c.check("DEBUG CHANGE-REPL-ID", ok)
		require.NotEqual(t, id, c.info("replication", "master_replid"))
		help := c.run("DEBUG HELP").([]any)
		require.Equal(t, resp.Status("DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"), help[0])
		require.Equal(t, resp.Status("HELP"), help[len(help)-2])
	})
}

// TestDebugProtocol has the bytes that Redis sends.
func TestDebugProtocol(t *testing.T) {
	ts := newTestServer(t, 2)
	numbers := ":0\r\n:1\r\n:2\r\n"
	attribute := "$39\r\nSome real reply following the attribute\r\n"
	for _, x := range [][3]string{
		{"string", "$11\r\nHello World\r\n", "$11\r\nHello World\r\n"},
		{"integer", ":12345\r\n", ":12345\r\n"},
		{"double", "$5\r\n3.141\r\n", ",3.141\r\n"},
		{"null", "$-1\r\n", "_\r\n"},
		{"array", "*3\r\n" + numbers, "*3\r\n" + numbers},
		{"set", "*3\r\n" + numbers, "~3\r\n" + numbers},
		{"map", "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n", "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n"},
		{"attrib", attribute, "|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n" + attribute},
		{"push", "-ERR RESP2 is not supported by this command\r\n",
			">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n$40\r\nSome real reply following the push reply\r\n"},
		{"verbatim", "$25\r\nThis is a verbatim\nstring\r\n", "=29\r\ntxt:This is a verbatim\nstring\r\n"},
		{"true", ":1\r\n", "#t\r\n"},
		{"FALSE", ":0\r\n", "#f\r\n"},
		{"bignum", "$37\r\n1234567999999999999999999999999999999\r\n", "(1234567999999999999999999999999999999\r\n"},
	} {
		two, three := ts.connect(), ts.connect()
		three.run("HELLO 3")
		two.send("DEBUG PROTOCOL " + x[0])
		require.Equal(t, x[1], string(two.got))
		three.send("DEBUG PROTOCOL " + x[0])
		require.Equal(t, x[2], string(three.got))
	}
	require.Contains(t, ts.connect().run("DEBUG PROTOCOL nosuch"), "ERR Wrong protocol type name.")
}

func TestDebugObject(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		c.run("SET n 12345")
		c.run("SET s v")
		c.run("SET raw " + strings.Repeat("x", 100))
		c.run("SET big 1234567890123")
		ts.clock.Advance(3e9)
		object := func(key string) string { return string(c.run("DEBUG OBJECT " + key).(resp.Status)) }
		require.Regexp(t, `^Value at:0x[0-9a-f]+ refcount:1 encoding:int serializedlength:3 lru:\d+ lru_seconds_idle:3$`, object("n"))
		require.Contains(t, object("s"), " encoding:embstr serializedlength:2 ")
		require.Contains(t, object("raw"), " encoding:raw serializedlength:102 ")
		require.Contains(t, object("big"), " encoding:int serializedlength:14 ")
		require.Regexp(t, `^Value at:0x[0-9a-f]+ refcount:1 encoding:int lru:\d+ lru_seconds_idle:3$`, object("n fast"))
		c.check("DEBUG OBJECT nokey", resp.Error("ERR no such key"))
	})
}

func TestDebugHTStats(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		c.run("DEBUG POPULATE 1000")
		c.run("EXPIRE key:1 100")
		text := c.run("DEBUG HTSTATS 0 FULL").(string)
		require.Contains(t, text, "number of elements: 1000\n")
		require.Contains(t, text, "[Expires HT]\nHash table 0 stats (main hash table):\n table size:")
		require.Equal(t, len(ts.shards), strings.Count(text, "Shard "))
		require.Equal(t, 2, strings.Count(c.run("DEBUG HTSTATS 1").(string), "No stats available for empty dictionaries\n"))
		c.check(
			"DEBUG HTSTATS -1", resp.Error("ERR Out of range database"),
			"DEBUG HTSTATS 16", resp.Error("ERR Out of range database"),
			"DEBUG HTSTATS x", resp.Error("ERR value is not an integer or out of range"),
			"DEBUG HTSTATS-KEY nokey", resp.Error("ERR no such key"),
			"DEBUG HTSTATS-KEY key:1", resp.Error("ERR The value stored at the specified key is not represented using an hash table"),
		)
	})
}

// TestShutdown: the server is asked to stop, once; the client gets no reply and can do no more.
func TestShutdown(t *testing.T) {
	ts := newTestServer(t, 2, "--save", "")
	c := ts.connect()
	for _, cmd := range []string{"foo", "SAVE NOSAVE", "ABORT NOW", "ABORT NOSAVE", "NOW nosave foo"} {
		require.Equal(t, resp.Error("ERR syntax error"), c.run("SHUTDOWN "+cmd), cmd)
	}
	require.Equal(t, resp.Error("ERR No shutdown in progress."), c.run("SHUTDOWN ABORT"))

	c.send("SET a 1", "SHUTDOWN NOSAVE NOW FORCE", "SET a 2")
	require.Equal(t, ok, c.reply())
	require.False(t, <-ts.stops)
	c.send("PING")
	_, there := c.ready()
	require.False(t, there)
	require.False(t, c.closed, "the end of the server closes it")
	require.False(t, c.s.Busy(), "the end of the server does not wait for it")
	other := ts.connect()
	other.check("GET a", "1")
	other.send("SHUTDOWN")

	ts = newTestServer(t, 1, "--save", "3600 1")
	ts.connect().send("SHUTDOWN")
	require.True(t, <-ts.stops, "save points are configured")
	ts = newTestServer(t, 1, "--save", "")
	ts.connect().send("SHUTDOWN SAVE")
	require.True(t, <-ts.stops)
	ts = newTestServer(t, 1, "--save", "")
	ts.shutdown.stop = nil
	require.Equal(t, resp.Error("ERR Errors trying to SHUTDOWN. Check logs."), ts.connect().run("SHUTDOWN"))
}
