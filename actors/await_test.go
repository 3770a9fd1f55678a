package actors

import (
	"fmt"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
)

const manyKeys = 10_000 // more than KEYS looks at in one go

// fill makes manyKeys keys and returns their names, sorted.
func fill(c *testConn) (names []string) {
	require.Equal(c.t, ok, c.run(fmt.Sprint("DEBUG POPULATE ", manyKeys, " key")))
	for i := range manyKeys {
		names = append(names, fmt.Sprint("key:", i))
	}
	sort.Strings(names)
	return names
}

func sorted(v any) (names []string) {
	for _, name := range v.([]any) {
		names = append(names, name.(string))
	}
	sort.Strings(names)
	return names
}

// TestKeysSeesOneInstant: a KEYS that is under way is not disturbed by what is written meanwhile, and does not keep it
// from being written.
func TestKeysSeesOneInstant(t *testing.T) {
	for _, meanwhile := range [][]any{
		{"FLUSHALL", ok, "DBSIZE", int64(0)},
		{"SWAPDB 0 1", ok, "DBSIZE", int64(0), "SET new x", ok},
		{"SWAPDB 0 1", ok, "FLUSHALL", ok},
		{"DEL key:1 key:2", int64(2), "SET key:3 y", ok, "DEBUG POPULATE 5000 other", ok},
		{"RENAME key:1 renamed", ok, "MSET key:5 1 new 2", ok},
	} {
		t.Run(fmt.Sprint(meanwhile...), func(t *testing.T) {
			onShards(t, func(t *testing.T, ts *testServer) {
				c, other := ts.connect(), ts.connect()
				names := fill(c)
				c.send("SET before 1", "KEYS key:*", "DBSIZE")
				other.check(meanwhile...)
				require.Equal(t, ok, c.reply())
				require.Equal(t, names, sorted(c.reply()))
				c.reply()
			})
		})
	}
}

func TestKeysWalk(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		names := fill(c)
		c.run("SELECT 1")
		require.Equal(t, []any{}, c.run("KEYS *"))
		c.run("SELECT 0")
		c.send("KEYS *", "SET one-more 1", "KEYS *", "KEYS key:1??", "KEYS nothing*", "GET one-more")
		require.Equal(t, names, sorted(c.reply()))
		require.Equal(t, ok, c.reply())
		require.Len(t, c.reply(), manyKeys+1)
		require.Len(t, c.reply(), 100)
		require.Equal(t, []any{}, c.reply())
		require.Equal(t, "1", c.reply())
		require.Contains(t, c.info("commandstats", "cmdstat_keys"), "calls=5,")

		c.send("CLIENT REPLY SKIP", "KEYS *", "PING")
		require.Equal(t, resp.Status("PONG"), c.reply())

		// Keys that have expired do not belong to it, whether or not they are removed yet.
		c.run("DEBUG SET-ACTIVE-EXPIRE 0")
		c.run("PEXPIRE one-more 100")
		ts.clock.Advance(1e9)
		require.Equal(t, names, sorted(c.run("KEYS *")))
		c.run("DEBUG SET-ACTIVE-EXPIRE 1")
	})
}

// TestWalkIsGivenUp: nothing is left of a KEYS whose client has gone.
func TestWalkIsGivenUp(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c, other := ts.connect(), ts.connect()
		fill(c)
		c.send("KEYS *", "SET after 1")
		b := c.s.batch
		c.s.Gone()
		until(func() bool { return b == nil || b.state.Load() == done })
		other.check("FLUSHALL", ok, "DBSIZE", int64(0))
		require.EqualValues(t, 1, ts.clients.count.Load())
	})
}

// TestWalkPanic: a panic in a slice is an error for the client.
func TestWalkPanic(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		fill(c)
		b := ts.newBatch(c.s)
		c.s.batch = b
		b.argv = append(b.argv, []byte("keys"), []byte("*"))
		b.add(0)
		walk := &sharedWalk{b: b}
		for i := range ts.shards {
			walk.parts = append(walk.parts, panicking{i})
		}
		b.fresh = true
		b.state.Store(left)
		c.s.busy = true
		walk.from(0)
		require.Equal(t, resp.Error(msgPanic), c.reply())
		c.check("DBSIZE", int64(manyKeys))
		require.Contains(t, ts.log.String(), "task panicked")
	})
}

type panicking struct{ shard int }

func (p panicking) Shard() int { return p.shard }
func (panicking) Step() bool   { panic("in a slice") }
func (panicking) End()         {}

func TestPopulate(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		c.check(
			"SET key:1 mine", ok,
			"DEBUG POPULATE 1000", ok,
			"DBSIZE", int64(1000),
			"GET key:0", "value:0", "GET key:1", "mine", "GET key:999", "value:999",
			"DEBUG POPULATE 2 pad 12", ok,
			"GET pad:1", "value:1\x00\x00\x00\x00\x00",
			"DEBUG POPULATE 20 cut 3", ok,
			"GET cut:19", "val",
			"DEBUG POPULATE 2 zero 0", ok,
			"GET zero:1", "value:1",
			"DEBUG POPULATE 3 huge 1000000", ok,
			"STRLEN huge:2", int64(1_000_000),
			"DEBUG POPULATE 0", ok,
		)
		for _, bad := range []string{"-1", "x", "1 p x", "1 p -1"} {
			require.Equal(t, resp.Error("ERR value is out of range, must be positive"), c.run("DEBUG POPULATE "+bad))
		}
		c.send("DEBUG POPULATE 5000 a", "DEBUG POPULATE 5000 b", "DBSIZE")
		require.Equal(t, ok, c.reply())
		require.Equal(t, ok, c.reply())
		require.Equal(t, int64(1000+2+20+2+3+10_000), c.reply())
	})
}

// TestDigest: the digest depends on the data alone, not on the number of shards or on history.
func TestDigest(t *testing.T) {
	var all []any
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		zero := resp.Status("0000000000000000000000000000000000000000")
		require.Equal(t, zero, c.run("DEBUG DIGEST"))
		fill(c)
		c.run("SET n 123")
		c.run("SELECT 3")
		c.run("SET n 12")
		c.run("APPEND n 3") // the same value in another encoding
		first := c.run("DEBUG DIGEST")
		all = append(all, first)
		values := c.run("DEBUG DIGEST-VALUE n nothing").([]any)
		require.Equal(t, zero, values[1])
		c.run("SELECT 0")
		require.Equal(t, []any{values[0]}, c.run("DEBUG DIGEST-VALUE n"))
		require.Equal(t, []any{}, c.run("DEBUG DIGEST-VALUE"))

		c.run("EXPIRE n 100")
		withDeadline := c.run("DEBUG DIGEST")
		require.NotEqual(t, first, withDeadline)
		c.run("EXPIRE n 200")
		require.Equal(t, withDeadline, c.run("DEBUG DIGEST"))
		c.run("PERSIST n")
		require.Equal(t, first, c.run("DEBUG DIGEST"))
		c.run("MOVE n 4")
		require.NotEqual(t, first, c.run("DEBUG DIGEST"))
	})
	require.Equal(t, all[0], all[1])
	require.Equal(t, all[0], all[2])
}
