package actors

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
)

// TestBusyExec: while a script overruns, EXEC of a transaction that needs what the script holds says so, whether or not
// something was refused before, and the transaction is over.
func TestBusyExec(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		runner, sound, aborted, away := ts.connect(), ts.connect(), ts.connect(), ts.connect()
		for _, c := range []*testConn{sound, aborted} {
			c.check("MULTI", ok, "INCR x", resp.Status("QUEUED"))
		}
		runner.feed(resp.AppendCommandStrings(nil, "EVAL", "redis.call('get', 'x'..'y') while true do end", "0"))
		ts.advanceUntil(func() bool { return ts.overdue.Load() == ts.allShards })

		busy := resp.Error("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.")
		aborted.check("INCR x", busy)
		for _, c := range []*testConn{sound, aborted} {
			c.check("EXEC", resp.Error("EXECABORT Transaction discarded because of: "+string(busy)), "EXEC", resp.Error("ERR EXEC without MULTI"))
		}
		away.check("MULTI", ok, "NOSUCH", away.unknown("NOSUCH"),
			"EXEC", resp.Error("EXECABORT Transaction discarded because of previous errors."))
		away.check("PING", resp.Status("PONG"), "GET x", busy, "SCRIPT KILL", ok)
		require.Contains(t, runner.reply(), "killed by user")
		away.check("GET x", nil)
	}, "--busy-reply-threshold", "10")
}

// unknown is the reply to an unknown command without arguments.
func (c *testConn) unknown(name string) resp.Error {
	return resp.Error("ERR unknown command '" + name + "', with args beginning with: ")
}

// TestErrorsWithin: errors of commands within EXEC and scripts are counted once, as theirs.
func TestErrorsWithin(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		c.run("SET s v")
		const one = `^calls=1,.*,rejected_calls=0,failed_calls=1$`
		const fine = `^calls=1,.*,rejected_calls=0,failed_calls=0$`

		c.run("CONFIG RESETSTAT")
		c.check("MULTI", ok, "LPUSH s x", resp.Status("QUEUED"), "SET t v", resp.Status("QUEUED"))
		wrong := resp.Error("WRONGTYPE Operation against a key holding the wrong kind of value")
		c.check("EXEC", []any{wrong, ok})
		require.Equal(t, "count=1", c.info("errorstats", "errorstat_WRONGTYPE"))
		require.Equal(t, "1", c.info("stats", "total_error_replies"))
		require.Regexp(t, one, c.info("commandstats", "cmdstat_lpush"))
		require.Regexp(t, fine, c.info("commandstats", "cmdstat_exec"))

		c.run("CONFIG RESETSTAT")
		require.Nil(t, c.do("EVAL", "redis.pcall('lpush', KEYS[1], 'x')", "1", "s"))
		require.Equal(t, "count=1", c.info("errorstats", "errorstat_WRONGTYPE"))
		require.Regexp(t, one, c.info("commandstats", "cmdstat_lpush"))
		require.Regexp(t, fine, c.info("commandstats", "cmdstat_eval"))

		c.run("CONFIG RESETSTAT")
		c.run("MULTI")
		require.Equal(t, resp.Status("QUEUED"), c.do("EVAL", "return redis.call('lpush', KEYS[1], 'x')", "1", "s"))
		require.Contains(t, c.run("EXEC").([]any)[0], "WRONGTYPE")
		require.Equal(t, "1", c.info("stats", "total_error_replies"))
		require.Regexp(t, one, c.info("commandstats", "cmdstat_lpush"))
		require.Regexp(t, one, c.info("commandstats", "cmdstat_eval"))
		require.Regexp(t, fine, c.info("commandstats", "cmdstat_exec"))
	})
}

// TestDenyScriptsOff: DEBUG SET-DISABLE-DENY-SCRIPTS lets scripts call what is about clients and the server, and still not
// what would run a batch within the batch.
func TestDenyScriptsOff(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		call := func(words string) any { return c.do("EVAL", "return redis.call("+words+")", "0") }
		require.Contains(t, call("'debug', 'protocol', 'integer'"), "This Redis command is not allowed from script")
		c.check("DEBUG SET-DISABLE-DENY-SCRIPTS 1", ok)
		require.Equal(t, int64(12345), call("'debug', 'protocol', 'integer'"))
		require.Contains(t, call("'client', 'list'"), "id=")
		for _, words := range []string{"'eval', 'return 1', 0", "'multi'", "'exec'", "'discard'", "'watch', 'k'", "'reset'", "'quit'",
			"'shutdown', 'nosave'"} {
			require.Contains(t, call(words), "This Redis command is not allowed from script", words)
		}
		c.check("DEBUG SET-DISABLE-DENY-SCRIPTS 0", ok)
		require.Contains(t, call("'client', 'list'"), "This Redis command is not allowed from script")
	})
}

// TestInfoScripts: INFO and MEMORY STATS tell how many scripts and functions there are.
func TestInfoScripts(t *testing.T) {
	ts := newTestServer(t, 2)
	c := ts.connect()
	c.do("SCRIPT", "LOAD", "return 1")
	c.do("EVAL", "return 2", "0")
	c.do("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() end) redis.register_function('g', function() end)")
	require.Equal(t, "2", c.info("memory", "number_of_cached_scripts"))
	require.Equal(t, "1", c.info("memory", "number_of_libraries"))
	require.Equal(t, "2", c.info("memory", "number_of_functions"))
	require.Equal(t, "96", c.info("memory", "used_memory_scripts_eval"), "two texts of 8 bytes and two SHA1s")
	require.Contains(t, c.run("MEMORY STATS"), int64(96))

	for i := range 500 {
		c.do("EVAL", "return -"+strconv.Itoa(i), "0")
	}
	require.Equal(t, "1", c.info("stats", "evicted_scripts"))
	c.run("CONFIG RESETSTAT")
	require.Equal(t, "0", c.info("stats", "evicted_scripts"))
	c.run("SCRIPT FLUSH")
	c.run("FUNCTION FLUSH")
	require.Equal(t, "0", c.info("memory", "number_of_cached_scripts"))
	require.Equal(t, "0", c.info("memory", "used_memory_scripts_eval"))
	require.Equal(t, "0", c.info("memory", "used_memory_functions"))
}
