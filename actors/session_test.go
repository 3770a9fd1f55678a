package actors

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/netio/resp"
)

// waits tells whether the clock will call a timer's function later, and not at once.
func (ts *testServer) waits(timer Timer) bool {
	ts.clock.mu.Lock()
	defer ts.clock.mu.Unlock()
	t, manual := timer.(*manualTimer)
	return manual && slices.Contains(ts.clock.timers, t)
}

// TestFarPause: a pause that is longer than a time.Duration can be does not end at once.
func TestFarPause(t *testing.T) {
	ts := newTestServer(t, 2)
	c, held := ts.connect(), ts.connect()
	c.check("CLIENT PAUSE 10000000000000 WRITE", ok)
	require.True(t, ts.waits(ts.pause.timer))
	held.send("SET a 1")
	_, replied := held.ready()
	require.False(t, replied)
}

// TestFarDeadline: a key that expires after more time than a time.Duration can hold does not keep the expiry actor busy.
func TestFarDeadline(t *testing.T) {
	ts := newTestServer(t, 2)
	c := ts.connect()
	c.check("SET a 1 PX 10000000000000", ok)
	until(func() bool {
		ts.clock.mu.Lock()
		defer ts.clock.mu.Unlock()
		return slices.ContainsFunc(ts.clock.timers, func(m *manualTimer) bool {
			return m.atNs > testStart.Add(24*365*time.Hour).UnixNano()
		})
	})
}

// TestAnnouncedLength: memory is set aside for what a client sends, not for what it says that it will send.
func TestAnnouncedLength(t *testing.T) {
	ts := newTestServer(t, 1, "--proto-max-bulk-len", "9223372036854775807")
	c := ts.connect()
	c.feed([]byte("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$9000000000000000000\r\nx"))
	require.LessOrEqual(t, cap(c.s.qb), 2<<20)
	c = ts.connect()
	c.feed([]byte("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$536870912\r\nx"))
	require.LessOrEqual(t, cap(c.s.qb), 2<<20)

	// What does come is not moved again and again.
	c = ts.connect()
	value := strings.Repeat("v", 40<<20)
	data := resp.AppendCommandStrings(nil, "SET", "a", value)
	moved := 0
	for len(data) > 0 {
		n := min(64<<10, len(data))
		was := cap(c.s.qb)
		c.feed(data[:n])
		if cap(c.s.qb) != was {
			moved++
		}
		data = data[n:]
	}
	require.Equal(t, ok, c.reply())
	require.Less(t, moved, 12)
}

// bigBacklog is a connection that has more to run than it runs in one turn, and has had its first.
func bigBacklog(ts *testServer) *testConn {
	c := ts.connect()
	require.Equal(ts.t, ok, c.do("SET", "a", strings.Repeat("v", 3<<10)))
	c.feed(bytes.Repeat([]byte("GET a\r\n"), 4000))
	return c
}

// TestTurnsLeaveTheRestWhereItIs: a session that has more to run than one turn allows does not move all of it each time.
func TestTurnsLeaveTheRestWhereItIs(t *testing.T) {
	ts := newTestServer(t, 2)
	c := bigBacklog(ts)
	before := c.s.qb
	<-c.wake
	c.take(c.s.Resume())
	after := c.s.qb
	require.NotEmpty(t, after)
	require.Less(t, len(after), len(before))
	require.Same(t, &before[len(before)-len(after)], &after[0])
	for range 4000 {
		require.Len(t, c.reply(), 3<<10)
	}
	require.False(t, c.s.Busy())
}

// TestBusyBetweenTurns: a client that half-closes its connection while some of its commands are still to run gets the replies,
// so its session must be busy also when none of them is running just now.
func TestBusyBetweenTurns(t *testing.T) {
	ts := newTestServer(t, 2)
	c := bigBacklog(ts)
	require.True(t, c.s.Busy())
	for range 4000 {
		c.reply()
	}
	require.False(t, c.s.Busy())
}

// TestTurnsAreBoundedByInput: commands with short replies do not keep the event loop either.
func TestTurnsAreBoundedByInput(t *testing.T) {
	ts := newTestServer(t, 2)
	c, other := ts.connect(), ts.connect()
	other.check("CLIENT PAUSE 1000 WRITE", ok)
	c.send("SET a 1")
	const n = 30_000
	cmd := encode("SET a " + strings.Repeat("v", 100))
	c.feed(bytes.Repeat(cmd, n))
	other.check("CLIENT UNPAUSE", ok)
	<-c.wake
	c.take(c.s.Resume())
	require.Less(t, len(c.got), n/2*len("+OK\r\n"))
	for range n + 1 {
		require.Equal(t, ok, c.reply())
	}
}

// TestPausedIsNotBusy: the server stops, and a half-closed connection ends, without waiting for the end of a pause.
func TestPausedIsNotBusy(t *testing.T) {
	ts := newTestServer(t, 2)
	c, other := ts.connect(), ts.connect()
	other.check("CLIENT PAUSE 1000 WRITE", ok)
	c.send("SET a 1")
	require.False(t, c.s.Busy())
	<-c.wake // the transport looks again: it may have asked before the command was held back
	c.take(c.s.Resume())
	require.Empty(t, c.got)
	other.check("CLIENT UNPAUSE", ok)
	require.Equal(t, ok, c.reply())
	require.False(t, c.s.Busy())
}

// TestRepliesBeforeAWait: the replies to what comes before a command that is held back do not wait for it.
func TestRepliesBeforeAWait(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c, other := ts.connect(), ts.connect()
		names := fill(other)
		pong := resp.Status("PONG")
		other.check("CLIENT PAUSE 1000 WRITE", ok)
		c.send("PING", "GET a", "SET a 1", "GET a", "SET b 2", "PING")
		require.Equal(t, pong, c.reply())
		require.Nil(t, c.reply())
		_, more := c.ready()
		require.False(t, more)
		other.check("CLIENT UNPAUSE", ok)
		for _, want := range []any{ok, "1", ok, pong} {
			require.Equal(t, want, c.reply())
		}

		// The replies stay in their order however the waits and the turns fall.
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 200 {
				other.run("CLIENT PAUSE 1000 WRITE")
				other.run("CLIENT UNPAUSE")
			}
		}()
		for i := range 200 {
			c.send("ECHO "+fmt.Sprint(i), "SET a "+fmt.Sprint(i), "GET a", "MSET b 1 c "+fmt.Sprint(i), "MGET b c", "ECHO end")
			for _, want := range []any{fmt.Sprint(i), ok, fmt.Sprint(i), ok, []any{"1", fmt.Sprint(i)}, "end"} {
				require.Equal(t, want, c.reply())
			}
		}
		<-done
		c.send("PING", "DEL a b c", "KEYS *", "PING")
		require.Equal(t, pong, c.reply())
		require.Equal(t, int64(3), c.reply())
		require.Equal(t, names, sorted(c.reply()))
		require.Equal(t, pong, c.reply())
		require.Nil(t, c.s.early.out)
	})
}

// TestRefusedWhilePaused: what is not allowed is refused at once, as in Redis, and not after the pause.
func TestRefusedWhilePaused(t *testing.T) {
	ts := newTestServer(t, 2, "--requirepass", "secret")
	c, stranger := ts.connect(), ts.connect()
	c.check("AUTH secret", ok, "CLIENT PAUSE 1000 WRITE", ok)
	require.Equal(t, resp.Error("NOAUTH Authentication required."), stranger.run("SET a 1"))
}

// TestBigBurstsAreForgotten: a connection that stays in use does not keep what one big command or reply took.
func TestBigBurstsAreForgotten(t *testing.T) {
	ts := newTestServer(t, 2)
	c := ts.connect()
	c.check("PING", resp.Status("PONG"))
	data := resp.AppendCommandStrings(nil, "MSET", "a", strings.Repeat("v", 4<<20), "b", "x", "c", "y")
	c.feed(data[:100])
	c.feed(data[100:])
	require.Equal(t, ok, c.reply())
	require.Len(t, c.run("GET a"), 4<<20)
	c.check("PING", resp.Status("PONG"), "PING", resp.Status("PONG"))
	b := c.s.batch
	require.NotNil(t, b)
	for _, word := range b.argv[:cap(b.argv)] {
		require.Less(t, len(word), 1<<20)
	}
	require.LessOrEqual(t, cap(b.w.Buf), 3<<20)
	require.LessOrEqual(t, cap(b.store), keptBytes)

	many := []string{"DEL"}
	for range 100_000 {
		many = append(many, "k")
	}
	c.do(many...)
	c.s.Idle()
	c.run("PING")
	require.LessOrEqual(t, cap(c.s.batch.keys), 20_000)
}

// TestTimeoutWhileSending: a client that takes its time to send a long command, or to take a long reply, is not idle.
func TestTimeoutWhileSending(t *testing.T) {
	ts := newTestServer(t, 2, "--timeout", "10")
	c := ts.connect()
	data := encode("SET a " + strings.Repeat("v", 100))
	for _, b := range data[:50] {
		c.feed([]byte{b})
		ts.clock.Advance(9e9)
		require.False(t, c.s.Tick(0))
	}
	c.feed(data[50:])
	require.Equal(t, ok, c.reply())
	for pending := range 5 {
		ts.clock.Advance(9e9)
		require.False(t, c.s.Wrote(5-pending))
		require.False(t, c.s.Tick(0))
	}
	ts.clock.Advance(11e9)
	require.True(t, c.s.Tick(0))
}

// TestMutedProtocolError: a client that wants no replies is not told why it is closed either, as in Redis.
func TestMutedProtocolError(t *testing.T) {
	ts := newTestServer(t, 1)
	for _, mode := range []string{"OFF", "SKIP"} {
		c := ts.connect()
		c.send("CLIENT REPLY " + mode)
		c.feed([]byte("*1\r\n$x\r\n"))
		require.True(t, c.closed, mode)
		require.Empty(t, c.got, mode)
	}
}

// TestLocalWithoutReply: a command that is not answered ends all the same, and leaves nothing behind for the next user.
func TestLocalWithoutReply(t *testing.T) {
	ts := newTestServer(t, 2)
	l := ts.NewLocal()
	do := func(words ...string) any {
		args := make([][]byte, len(words))
		for i, w := range words {
			args[i] = []byte(w)
		}
		v, err := l.Do(context.Background(), args...)
		require.NoError(t, err)
		return v
	}
	require.Nil(t, do("CLIENT", "REPLY", "OFF"))
	require.Nil(t, do("SET", "a", "1"))
	require.True(t, l.Reset())
	require.Equal(t, "1", do("GET", "a"))
	require.Equal(t, ok, do("CLIENT", "SETNAME", "mine"))
	require.Equal(t, ok, do("CLIENT", "NO-TOUCH", "on"))
	require.True(t, l.Reset())
	require.Nil(t, do("CLIENT", "GETNAME"))
	require.Contains(t, do("CLIENT", "LIST").(resp.Verbatim).Text, "flags=N ")
	require.Nil(t, do("SHUTDOWN", "NOSAVE"))
	require.False(t, <-ts.stops)
}

// TestMaxClientsIsExact: however many goroutines admit clients, there are never more than maxclients.
func TestMaxClientsIsExact(t *testing.T) {
	ts := newTestServer(t, 1, "--maxclients", "10")
	var wg sync.WaitGroup
	var admitted atomic.Int64
	for range 40 {
		wg.Go(func() {
			c := &testConn{t: t, wake: make(chan struct{}, 1), killed: make(chan struct{})}
			if s, _ := ts.Admit(c, ConnInfo{Loopback: true}); s != nil {
				admitted.Add(1)
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, admitted.Load(), int64(10))
	require.Equal(t, admitted.Load(), ts.clients.count.Load())
	require.Len(t, ts.sessions(), int(admitted.Load()))
}

// TestLongWorkHoldsOneShard: also a batch that runs where long work is welcome does not hold all shards meanwhile.
func TestLongWorkHoldsOneShard(t *testing.T) {
	ts := newTestServer(t, 4)
	c := ts.connect()
	c.check("SETRANGE a 3000000 x", int64(3_000_001), "SETRANGE b 3000000 x", int64(3_000_001))
	spec := ts.table.Lookup([]byte("bitcount"))
	run, most := spec.Run, 0
	defer func() { spec.Run = run }()
	spec.Run = func(c *command.Ctx) {
		taken := 0
		for _, s := range ts.shards {
			if s.mailbox.state.Load() != idle {
				taken++
			}
		}
		most = max(most, taken)
		run(c)
	}
	// CONFIG SET goes to a goroutine of its own, and takes the rest along.
	c.send("CONFIG SET timeout 0", "GET x", "BITCOUNT a", "GET y", "BITCOUNT b", "GET z", "GET w")
	for range 7 {
		c.reply()
	}
	require.Equal(t, 1, most)
}

// TestRoutingOfNonsense: whatever words a client sends, finding out where its command runs does not fail: it happens on the
// event loop, outside of what turns a panic into an error.
func TestRoutingOfNonsense(t *testing.T) {
	ts := newTestServer(t, 4)
	rnd := rand.New(rand.NewPCG(7, 7))
	words := []string{"", "0", "1", "2", "-1", "3", "9223372036854775807", "-9223372036854775808", "4294967296", "99999999999999999999",
		"KEYS", "LIMIT", "STORE", "AND", "NOT", "DB", "REPLACE", "x", "*", "help", "\x00"}
	s := ts.connect().s
	for _, spec := range ts.table.All() {
		for range 300 {
			b := ts.newBatch(s)
			for _, part := range strings.Split(spec.FullName, "|") {
				b.argv = append(b.argv, []byte(part))
			}
			for range rnd.IntN(7) {
				b.argv = append(b.argv, []byte(words[rnd.IntN(len(words))]))
			}
			require.NotPanics(t, func() { b.add(0) }, "%q", b.argv)
			b.recycle()
		}
	}
}
