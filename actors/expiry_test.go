package actors

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// keys returns how many keys there are in memory, those past their deadline included.
func (ts *testServer) keys() (n int64) {
	ts.settle()
	for _, s := range ts.shards {
		n += s.published.keys[0].Load()
	}
	return n
}

// TestActiveExpiry: keys vanish at their deadline although nobody asks for them.
func TestActiveExpiry(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		for i := range 100 {
			c.run(fmt.Sprint("SET k", i, " v PX ", 1000+100*i))
		}
		c.run("SET stays v")
		require.EqualValues(t, 101, ts.keys())
		ts.clock.Advance(999 * time.Millisecond)
		require.EqualValues(t, 101, ts.keys())
		// The actor waits a few milliseconds between two rounds.
		ts.clock.Advance(time.Millisecond)
		ts.advanceUntil(func() bool { return ts.keys() == 100 })
		ts.clock.Advance(5 * time.Second)
		ts.advanceUntil(func() bool { return ts.keys() <= 50 })
		require.GreaterOrEqual(t, ts.keys(), int64(45))
		ts.clock.Advance(time.Minute)
		ts.advanceUntil(func() bool { return ts.keys() == 1 })
		require.Equal(t, "100", c.info("stats", "expired_keys"))
		c.check("GET stays", "v")
	})
}

// TestDeadlinesInAnyOrder: whatever order deadlines are set in, moved and taken away, each key goes at its own.
func TestDeadlinesInAnyOrder(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		rnd := rand.New(rand.NewPCG(3, 3))
		c := ts.connect()
		at := make(map[string]int64)
		now := int64(0)
		for range 300 {
			k := fmt.Sprint("k", rnd.IntN(40))
			switch rnd.IntN(4) {
			case 0:
				d := 1 + rnd.Int64N(500)
				c.run(fmt.Sprint("SET ", k, " v PX ", d))
				at[k] = now + d
			case 1:
				if at[k] > now {
					d := 1 + rnd.Int64N(500)
					c.run(fmt.Sprint("PEXPIRE ", k, " ", d))
					at[k] = now + d
				}
			case 2:
				c.run("DEL " + k)
				delete(at, k)
			default:
				d := rnd.Int64N(40)
				now += d
				ts.clock.Advance(time.Duration(d) * time.Millisecond)
			}
			due := int64(0)
			for _, a := range at {
				if a > now {
					due++
				}
			}
			// Those past their deadline are gone after the next round of the actor, which is due at once.
			until(func() bool {
				if ts.keys() <= due {
					return true
				}
				ts.clock.Advance(time.Millisecond)
				now++
				for k, a := range at {
					if a == now {
						delete(at, k)
						due--
					}
				}
				return false
			})
			require.Equal(t, due, c.run("DBSIZE"))
		}
	})
}

// TestExpiryOfMany: keys that expire together are removed by one series of slices per shard, with room for commands
// between them, however many rounds the actor makes meanwhile.
func TestExpiryOfMany(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		const many = 20 * expireSlice
		c := ts.connect()
		for i := range many {
			c.send(fmt.Sprint("SET k", i, " v PX 1000"))
			c.reply()
		}
		ts.clock.Advance(time.Second)
		for range 50 {
			ts.expiry.wake()
		}
		ts.advanceUntil(func() bool { return ts.keys() == 0 })
		for _, s := range ts.shards {
			until(func() bool { return s.mailbox.UserMessageCount() == 0 })
		}
		require.Equal(t, fmt.Sprint(many), c.info("stats", "expired_keys"))
		c.run("SET again v PX 10") // the shard still tells of its deadlines
		ts.clock.Advance(time.Second)
		ts.advanceUntil(func() bool { return ts.keys() == 0 })
	})
}

func TestSetActiveExpire(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		c.check("DEBUG SET-ACTIVE-EXPIRE 0", ok, "SET a 1 PX 10", ok, "SET b 1 PX 10", ok)
		ts.clock.Advance(time.Minute)
		c.check("DBSIZE", int64(2), "GET a", nil, "DBSIZE", int64(1))
		c.check("DEBUG SET-ACTIVE-EXPIRE 1", ok)
		ts.advanceUntil(func() bool { return ts.keys() == 0 })
		c.run("SET c 1 PX 10")
		ts.clock.Advance(time.Minute)
		ts.advanceUntil(func() bool { return ts.keys() == 0 })
	})
}

// TestPauseHoldsExpiry: during CLIENT PAUSE, keys past their deadline cannot be seen but stay.
func TestPauseHoldsExpiry(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		c.check("SET a 1 PX 10", ok, "SET b 1 PX 10", ok, "CLIENT PAUSE 60000 WRITE", ok)
		ts.clock.Advance(time.Second)
		c.check("GET a", nil, "DBSIZE", int64(2))
		require.Equal(t, "0", c.info("stats", "expired_keys"))
		c.check("CLIENT UNPAUSE", ok)
		ts.advanceUntil(func() bool { return ts.keys() == 0 })
		require.Equal(t, "2", c.info("stats", "expired_keys"))
	})
}

// TestUpkeepEnds: a shard that nobody uses is left alone after a while.
func TestUpkeepEnds(t *testing.T) {
	ts := newTestServer(t, 2)
	ts.connect().run("MSET a 1 b 2 c 3 d 4")
	until(func() bool {
		ts.clock.Advance(cronEvery)
		ts.settle()
		return !ts.shards[0].active.Load() && !ts.shards[1].active.Load()
	})
}
