package actors

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
)

// waits tells whether the client waits in a blocking command.
func waits(c *testConn) bool { return c.s.shown.flags.Load()&flagBlocked != 0 }

// TestReadyKeyExpired: a key that was pushed to and whose deadline has passed by the end of EXEC serves nobody.
func TestReadyKeyExpired(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c, waiter := ts.connect(), ts.connect()
		c.run("DEBUG SET-ACTIVE-EXPIRE 0")
		waiter.send("BRPOP k 0")
		until(func() bool { return waits(waiter) })

		for _, cmd := range []string{"MULTI", "RPUSH k hello", "PEXPIRE k 100", "DEBUG SLEEP 0.2"} {
			c.run(cmd)
		}
		c.send("EXEC")
		ts.advanceUntil(func() bool { c.take(c.s.Resume()); return len(c.got) > 0 })
		require.Equal(t, []any{int64(1), int64(1), ok}, c.reply())
		require.True(t, waits(waiter))
		require.Equal(t, resp.Error("ERR no such key"), c.run("DEBUG OBJECT k"), "who looked for it has removed it")

		c.check("RPUSH k there", int64(1))
		require.Equal(t, []any{"k", "there"}, waiter.reply())
	})
}

// TestSwappedKeyExpired: nor does one that comes with SWAPDB.
func TestSwappedKeyExpired(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c, waiter := ts.connect(), ts.connect()
		c.run("DEBUG SET-ACTIVE-EXPIRE 0")
		c.run("SELECT 1")
		c.check("RPUSH k hello", int64(1), "PEXPIRE k 100", int64(1))
		waiter.run("SELECT 9")
		waiter.send("BRPOP k 0")
		until(func() bool { return waits(waiter) })
		ts.clock.Advance(101 * time.Millisecond)
		c.check("SWAPDB 1 9", ok)
		require.True(t, waits(waiter))

		c.check("RPUSH k there", int64(1), "SWAPDB 1 9", ok)
		require.Equal(t, []any{"k", "there"}, waiter.reply())
	})
}

// TestDebugObjectExpired: DEBUG OBJECT shows whether a key is in memory still.
func TestDebugObjectExpired(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		c.run("DEBUG SET-ACTIVE-EXPIRE 0")
		c.check("SET k v PX 1", ok)
		ts.clock.Advance(2 * time.Millisecond)
		require.IsType(t, resp.Status(""), c.run("DEBUG OBJECT k"))
		c.check("EXISTS k", int64(0), "DEBUG OBJECT k", resp.Error("ERR no such key"))
	})
}
