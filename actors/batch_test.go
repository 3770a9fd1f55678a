package actors

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
)

// TestProgramOrder lets many connections send pipelines over all shards, cut anywhere, and checks every reply against a
// map: each connection has keys of its own, so it must see exactly what it has written so far.
func TestProgramOrder(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		var wg sync.WaitGroup
		for id := range 8 {
			c := ts.connect()
			wg.Go(func() { playAlone(c, id) })
		}
		wg.Wait()
	})
}

func playAlone(c *testConn, id int) {
	rnd := rand.New(rand.NewPCG(1, uint64(id)))
	model := make(map[string]string)
	key := func() string { return fmt.Sprintf("k%d:%d", id, rnd.IntN(20)) }
	for range 60 {
		var data []byte
		var want []any
		for range 1 + rnd.IntN(60) {
			switch a, b := key(), key(); rnd.IntN(6) {
			case 0, 1:
				v := strings.Repeat("v", rnd.IntN(100)) + fmt.Sprint(rnd.IntN(1000))
				data = append(data, encode("SET "+a+" "+v)...)
				want = append(want, ok)
				model[a] = v
			case 2:
				data = append(data, encode("MSET "+a+" x "+b+" y")...)
				want = append(want, ok)
				model[a], model[b] = "x", "y" // as with MSET, the later one counts when they are the same
			case 3:
				data = append(data, encode("MGET "+a+" "+b)...)
				want = append(want, []any{value(model, a), value(model, b)})
			case 4:
				data = append(data, encode("DEL "+a)...)
				n := int64(0)
				if _, there := model[a]; there {
					n = 1
				}
				delete(model, a)
				want = append(want, n)
			default:
				data = append(data, encode("GET "+a, "PING")...)
				want = append(want, value(model, a), resp.Status("PONG"))
			}
		}
		for len(data) > 0 {
			n := min(1+rnd.IntN(400), len(data))
			c.feed(data[:n])
			data = data[n:]
		}
		for i, w := range want {
			if got := c.reply(); !assertEqual(w, got) {
				panic(fmt.Sprintf("connection %d, reply %d: %v, want %v", id, i, got, w))
			}
		}
	}
}

func value(model map[string]string, key string) any {
	if v, there := model[key]; there {
		return v
	}
	return nil
}

func assertEqual(a, b any) bool { return fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b) }

// TestNobodySeesHalf: what MSET writes to several shards, MGET sees as a whole, and so does everything that copies or
// moves keys between shards.
func TestNobodySeesHalf(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		const rounds = 400
		ts.connect().run("MSET a 0 b 0 c 0 d 0 here x")
		var wg sync.WaitGroup
		for w := range 2 {
			c := ts.connect()
			wg.Go(func() {
				for n := range rounds {
					v := fmt.Sprint(2*n + w)
					c.send("MSET a "+v+" b "+v+" c "+v+" d "+v, "RENAME here there", "RENAME there here")
					for range 3 {
						if e, bad := c.reply().(resp.Error); bad && e != "ERR no such key" {
							panic(e)
						}
					}
				}
			})
		}
		for range 2 {
			c := ts.connect()
			wg.Go(func() {
				for range rounds {
					c.send("MGET d c b a", "EXISTS here there", "GET a")
					all := c.reply().([]any)
					if all[0] != all[1] || all[1] != all[2] || all[2] != all[3] {
						panic(fmt.Sprint("torn: ", all))
					}
					if n := c.reply(); n != int64(1) {
						panic(fmt.Sprint("a key that is renamed all the time is there ", n, " times"))
					}
					c.reply()
				}
			})
		}
		wg.Wait()
	})
}

// TestEffectsInOrder: of two commands in one pipeline nobody sees the second without the first.
func TestEffectsInOrder(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		const rounds = 500
		var wg sync.WaitGroup
		for range 2 {
			w := ts.connect()
			wg.Go(func() {
				for range rounds {
					w.send("INCR first", "INCR second", "INCR first", "INCR second")
					for range 4 {
						w.reply()
					}
				}
			})
		}
		for range 2 {
			r := ts.connect()
			wg.Go(func() {
				for range rounds {
					pair := r.run("MGET first second").([]any)
					first, second := number(pair[0]), number(pair[1])
					if first < second || first > second+2 {
						panic(fmt.Sprint("first ", first, " second ", second))
					}
				}
			})
		}
		wg.Wait()
		ts.connect().check("MGET first second", []any{fmt.Sprint(4 * rounds), fmt.Sprint(4 * rounds)})
	})
}

func number(v any) (n int) {
	if v != nil {
		fmt.Sscan(v.(string), &n)
	}
	return n
}

// TestWaitsAreLeft: a batch that meets a shard at work is left to whoever works there, with its own copy of the
// arguments; nothing that came behind it runs before it.
func TestWaitsAreLeft(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		sleeper, c := ts.connect(), ts.connect()
		sleeper.send("DEBUG SLEEP 5", "SET slept yes")
		require.True(t, sleeper.s.Busy())
		ts.settleSleep()

		c.send("PING", "SET a 1", "MSET b 2 c 3", "GET slept", "MGET a b c")
		_, there := c.ready()
		require.False(t, there, "the replies so far wait for those behind them")
		require.True(t, c.s.Busy())
		c.send("GET a") // waits in the query buffer
		quick := ts.connect()
		quick.check("PING", resp.Status("PONG"))
		require.NotEmpty(t, quick.info("server", "redis_version"))

		ts.clock.Advance(5e9)
		require.Equal(t, ok, sleeper.reply())
		require.Equal(t, ok, sleeper.reply())
		require.Equal(t, resp.Status("PONG"), c.reply())
		require.Equal(t, ok, c.reply())
		require.Equal(t, ok, c.reply())
		c.reply() // before or after the sleeper's SET
		require.Equal(t, []any{"1", "2", "3"}, c.reply())
		require.Equal(t, "1", c.reply())
		require.False(t, c.s.Busy())
	})
}

// settleSleep waits until DEBUG SLEEP has set its timer.
func (ts *testServer) settleSleep() {
	timers := func() int {
		ts.clock.mu.Lock()
		defer ts.clock.mu.Unlock()
		return len(ts.clock.timers)
	}
	until(func() bool { return timers() >= 2 }) // the other is the cron's
}

// TestPanicIsAnError: a panic in a handler answers an error, is logged, and takes nothing along.
func TestPanicIsAnError(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		c.send("MSET a 1 b 2 c 3", "DEBUG PANIC", "INCR a", "DEBUG PANIC", "MGET a b c")
		require.Equal(t, ok, c.reply())
		require.Equal(t, resp.Error(msgPanic), c.reply())
		require.Equal(t, int64(2), c.reply())
		require.Equal(t, resp.Error(msgPanic), c.reply())
		require.Equal(t, []any{"2", "2", "3"}, c.reply())
		require.Contains(t, ts.log.String(), "command panicked")
		require.Equal(t, "2", c.info("stats", "total_error_replies"))
		ts.connect().check("DBSIZE", int64(3))
	})
}

// TestTaskPanic: neither does one in a task.
func TestTaskPanic(t *testing.T) {
	ts := newTestServer(t, 2)
	c := ts.connect()
	c.run("MSET a 1 b 2 c 3")
	for _, s := range ts.shards {
		ts.post(s, func() { panic("in a task") })
	}
	c.check("MGET a b c", []any{"1", "2", "3"})
	require.Contains(t, ts.log.String(), "in a task")
}

// TestKilledWhileWaiting: once CLIENT KILL has replied, nothing of the client runs any more; a client that has gone by
// itself has its commands run, as far as they were read.
func TestKilledWhileWaiting(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		sleeper, victim, leaver, c := ts.connect(), ts.connect(), ts.connect(), ts.connect()
		sleeper.send("DEBUG SLEEP 1")
		ts.settleSleep()
		victim.send("SET a 1", "SET b 1", "MSET a 2 b 2")
		leaver.send("SET c 1", "MSET d 1 e 1")
		require.True(t, victim.s.Busy() && leaver.s.Busy())
		leaver.s.Gone()
		require.Equal(t, int64(1), c.run(fmt.Sprintf("CLIENT KILL ID %d", victim.s.ID())))
		<-victim.killed
		ts.clock.Advance(1e9)
		require.Equal(t, ok, sleeper.reply())
		until(func() bool { return victim.s.batch.state.Load() == done && leaver.s.batch.state.Load() == done })
		c.check("MGET a b c d e", []any{nil, nil, "1", "1", "1"})
		_, closed := victim.s.Resume()
		require.True(t, closed)
		victim.s.Gone()
	})
}

// TestHoldsUnderContention lets everything that holds shards meet: whatever order they come in, all end.
func TestHoldsUnderContention(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		var wg sync.WaitGroup
		for id := range 6 {
			c := ts.connect()
			wg.Go(func() {
				rnd := rand.New(rand.NewPCG(2, uint64(id)))
				for range 150 {
					var cmds []string
					for range 1 + rnd.IntN(8) {
						k := func() string { return fmt.Sprint("k", rnd.IntN(12)) }
						cmds = append(cmds, []string{
							"SET " + k() + " v", "MSET " + k() + " 1 " + k() + " 2 " + k() + " 3", "DEL " + k() + " " + k(),
							"DBSIZE", "FLUSHALL", "SWAPDB 0 1", "KEYS *", "RENAME " + k() + " " + k(), "DEBUG DIGEST", "PING",
							"DEBUG POPULATE 3 p", "CONFIG SET lfu-log-factor 11",
						}[rnd.IntN(12)])
					}
					c.send(cmds...)
					for _, cmd := range cmds {
						if e, bad := c.reply().(resp.Error); bad && e != "ERR no such key" {
							panic(cmd + ": " + string(e))
						}
					}
				}
			})
		}
		wg.Wait()
		for _, s := range ts.shards {
			// Whoever has done the last piece of work may still be on his way out.
			until(func() bool { return s.mailbox.state.Load() == idle && s.mailbox.UserMessageCount() == 0 })
		}
	})
}

// TestLongPipeline: more commands and more output in one read than one batch takes.
func TestLongPipeline(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		big := strings.Repeat("x", 20_000)
		c.run("SET big " + big)
		var data []byte
		for i := range 3 * maxBatch {
			data = append(data, encode(fmt.Sprint("SET k", i, " ", i), fmt.Sprint("GET k", i), "GET big")...)
		}
		c.feed(data)
		for i := range 3 * maxBatch {
			require.Equal(t, ok, c.reply())
			require.Equal(t, fmt.Sprint(i), c.reply())
			require.Equal(t, big, c.reply())
		}
	})
}

// TestByteByByte: commands may come in any pieces.
func TestByteByByte(t *testing.T) {
	ts := newTestServer(t, 2)
	c := ts.connect()
	for _, b := range append(encode("SET key some-value", "GET key"), "PING\r\n  \r\n*0\r\nGET 'key'\r\n"...) {
		c.feed([]byte{b})
	}
	for _, want := range []any{ok, "some-value", resp.Status("PONG"), "some-value"} {
		require.Equal(t, want, c.reply())
	}
	require.Zero(t, len(c.s.qb))
}

// TestProtocolError closes the connection, after the replies to what came before.
func TestProtocolError(t *testing.T) {
	ts := newTestServer(t, 2)
	c := ts.connect()
	c.feed(append(encode("SET a 1", "GET a"), "*1\r\n$abc\r\n"...))
	require.Equal(t, ok, c.reply())
	require.Equal(t, "1", c.reply())
	require.Equal(t, resp.Error("ERR Protocol error: invalid bulk length"), c.reply())
	require.True(t, c.closed)
	out, closed := c.s.Feed(encode("PING"))
	require.Empty(t, out)
	require.True(t, closed)

	sleeper, c := ts.connect(), ts.connect()
	sleeper.send("DEBUG SLEEP 1")
	ts.settleSleep()
	c.feed(append(encode("GET a"), "*1\r\n$abc\r\n"...))
	require.True(t, c.s.Busy())
	ts.clock.Advance(1e9)
	require.Equal(t, "1", c.reply())
	require.Equal(t, resp.Error("ERR Protocol error: invalid bulk length"), c.reply())
	require.True(t, c.closed)
}

// TestQueryBufferLimit: a client that sends faster than it is served is closed.
func TestQueryBufferLimit(t *testing.T) {
	ts := newTestServer(t, 1, "--client-query-buffer-limit", "1mb")
	sleeper, c := ts.connect(), ts.connect()
	sleeper.send("DEBUG SLEEP 1")
	ts.settleSleep()
	c.send("GET a")
	require.True(t, c.s.Busy())
	_, closed := c.s.Feed(bytes.Repeat(encode("GET a"), 40_000))
	require.False(t, closed)
	_, closed = c.s.Feed(bytes.Repeat(encode("GET a"), 40_000))
	require.True(t, closed)
	ts.clock.Advance(1e9)
	sleeper.reply()
	require.Equal(t, "1", sleeper.info("stats", "client_query_buffer_limit_disconnections"))
}

// TestIdleSessionKeepsNothing: a connection that is silent has no batch and no buffer.
func TestIdleSessionKeepsNothing(t *testing.T) {
	ts := newTestServer(t, 2)
	c := ts.connect()
	c.run("SET a " + strings.Repeat("x", 200_000))
	ts.clock.Advance(2e9)
	require.False(t, c.s.Tick(0))
	require.Nil(t, c.s.batch)
	require.LessOrEqual(t, cap(c.s.qb), keptQuery)
	require.Equal(t, ok, c.run("SET a 1"))
}

func TestTimeout(t *testing.T) {
	ts := newTestServer(t, 2)
	c := ts.connect()
	c.check("CONFIG SET timeout 10", ok)
	ts.clock.Advance(10e9)
	require.False(t, c.s.Tick(0))
	ts.clock.Advance(1e9)
	require.True(t, c.s.Tick(0))
}

// TestOutputLimits: a client that does not take its replies is closed.
func TestOutputLimits(t *testing.T) {
	ts := newTestServer(t, 1)
	c := ts.connect()
	require.Equal(t, ok, c.do("CONFIG", "SET", "client-output-buffer-limit", "normal 100000 50000 2"))
	require.False(t, c.s.Wrote(49_999))
	require.False(t, c.s.Wrote(60_000))
	ts.clock.Advance(1e9)
	require.False(t, c.s.Wrote(60_000))
	require.False(t, c.s.Wrote(0))
	require.False(t, c.s.Wrote(60_000))
	ts.clock.Advance(2e9)
	c.pending.Store(60_000)
	require.True(t, c.s.Tick(0))
	require.True(t, c.s.Wrote(100_000))
	c.pending.Store(0)
	require.Equal(t, "2", c.info("stats", "client_output_buffer_limit_disconnections"))
}

// TestClose: closing with commands under way ends them or leaves them, and everybody is told.
func TestClose(t *testing.T) {
	ts := newTestServer(t, 2)
	c, paused := ts.connect(), ts.connect()
	c.run("SET a 1")
	c.run("CLIENT PAUSE 100000 WRITE")
	paused.send("SET a 2")
	require.True(t, paused.s.busy)
	ts.close()
	<-c.killed
	<-paused.killed
}
