package actors

import (
	"bytes"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/actors/config"
	"github.com/troupe-db/troupe/netio/resp"
)

// testServer is a System whose clock stands still, with DEBUG allowed.
type testServer struct {
	*System
	t     testing.TB
	clock *ManualClock
	log   *lockedBuffer
	stops chan bool // what Stop was called with
	ended bool
}

func (ts *testServer) close() {
	if !ts.ended {
		ts.ended = true
		ts.Close()
	}
}

var testStart = time.UnixMilli(1_700_000_000_000)

// newTestServer starts a server with parameters as on the command line. It is closed with the test.
func newTestServer(t testing.TB, shards int, args ...string) *testServer {
	ts := &testServer{t: t, clock: NewManualClock(testStart), log: new(lockedBuffer), stops: make(chan bool, 1)}
	args = append([]string{"--shards", fmt.Sprint(shards), "--enable-debug-command", "yes"}, args...)
	if len(args) > 4 && !strings.HasPrefix(args[4], "--") { // a configuration file goes first
		args = append([]string{args[4]}, append(args[:4:4], args[5:]...)...)
	}
	cfg, err := config.Parse(args, nil)
	require.NoError(t, err)
	ts.System, err = New(Options{
		Config: cfg, Clock: ts.clock,
		Log:  slog.New(slog.NewTextHandler(ts.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Stop: func(save bool) { ts.stops <- save },
	})
	require.NoError(t, err)
	t.Cleanup(ts.close)
	return ts
}

// onShards runs test on servers with one and with several shards.
func onShards(t *testing.T, test func(t *testing.T, ts *testServer), args ...string) {
	for _, n := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("shards=%d", n), func(t *testing.T) { test(t, newTestServer(t, n, args...)) })
	}
}

// lockedBuffer is a log to look into.
type lockedBuffer struct {
	text atomic.Pointer[string]
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	for {
		old := b.text.Load()
		text := string(p)
		if old != nil {
			text = *old + text
		}
		if b.text.CompareAndSwap(old, &text) {
			return len(p), nil
		}
	}
}

func (b *lockedBuffer) String() string {
	if t := b.text.Load(); t != nil {
		return *t
	}
	return ""
}

// testConn is a connection made of a session and no socket. It belongs to one goroutine at a time.
type testConn struct {
	t       testing.TB
	s       *Session
	wake    chan struct{}
	pending atomic.Int64
	killed  chan struct{}
	once    atomic.Bool
	got     []byte // output that is not decoded yet
	closed  bool   // the session has asked to close
}

func (c *testConn) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *testConn) Kill() {
	if !c.once.Swap(true) {
		close(c.killed)
	}
}

func (c *testConn) Pending() int { return int(c.pending.Load()) }

// connect opens a connection; change may change how it looks.
func (ts *testServer) connect(change ...func(*ConnInfo)) *testConn {
	c := &testConn{t: ts.t, wake: make(chan struct{}, 1), killed: make(chan struct{})}
	info := ConnInfo{Remote: "127.0.0.1:50000", Local: "127.0.0.1:6379", Loopback: true, FD: 9}
	for _, f := range change {
		f(&info)
	}
	s, refusal := ts.Admit(c, info)
	require.NotNil(ts.t, s, "%s", refusal)
	c.s = s
	return c
}

// feed gives the session bytes, and scribbles over them as soon as it has returned, as the next read of a socket would.
func (c *testConn) feed(data []byte) {
	data = bytes.Clone(data)
	out, closed := c.s.Feed(data)
	for i := range data {
		data[i] = '#'
	}
	c.take(out, closed)
}

func (c *testConn) take(out []byte, closed bool) {
	c.got = append(c.got, out...)
	for i := range out {
		out[i] = '#' // the session may not rely on what it has handed out
	}
	c.closed = c.closed || closed
}

// send sends commands in one piece, each written as words separated by spaces.
func (c *testConn) send(commands ...string) {
	c.feed(encode(commands...))
}

func encode(commands ...string) (data []byte) {
	for _, cmd := range commands {
		data = resp.AppendCommandStrings(data, strings.Split(cmd, " ")...)
	}
	return data
}

// reply waits for the next reply.
func (c *testConn) reply() any {
	for {
		v, n, err := resp.ReadReply(c.got)
		require.NoError(c.t, err)
		if n > 0 {
			c.got = c.got[n:]
			return v
		}
		require.False(c.t, c.closed, "connection closed instead of a reply")
		<-c.wake
		c.take(c.s.Resume())
	}
}

// ready returns the next reply if it is there without waiting for anything.
func (c *testConn) ready() (v any, ok bool) {
	v, n, err := resp.ReadReply(c.got)
	require.NoError(c.t, err)
	c.got = c.got[n:]
	return v, n > 0
}

// do sends one command and waits for its reply.
func (c *testConn) do(words ...string) any {
	c.feed(resp.AppendCommandStrings(nil, words...))
	return c.reply()
}

// run sends one command, written as words separated by spaces, and waits for its reply.
func (c *testConn) run(cmd string) any { return c.do(strings.Split(cmd, " ")...) }

// check runs commands and compares replies: pairs of a command and what it replies.
func (c *testConn) check(pairs ...any) {
	for i := 0; i < len(pairs); i += 2 {
		require.Equal(c.t, pairs[i+1], c.run(pairs[i].(string)), "%s", pairs[i])
	}
}

// info returns the value of a field of INFO.
func (c *testConn) info(section, field string) string {
	text, _ := c.do("INFO", section).(string)
	for line := range strings.SplitSeq(text, "\r\n") {
		if v, ok := strings.CutPrefix(line, field+":"); ok {
			return v
		}
	}
	return ""
}

const ok = resp.Status("OK")

// until lets other goroutines go on until cond holds. Where it never does, the test runs into its time limit.
func until(cond func() bool) {
	for !cond() {
		runtime.Gosched()
	}
}

// advanceUntil is until for what happens after some milliseconds more, which pass slowly.
func (ts *testServer) advanceUntil(cond func() bool) {
	for {
		for range 2000 {
			if cond() {
				return
			}
			runtime.Gosched()
		}
		ts.clock.Advance(time.Millisecond)
	}
}

// settle waits until every shard has done what was posted to it so far, and shows what it has.
func (ts *testServer) settle() {
	for _, s := range ts.shards {
		done := make(chan struct{})
		ts.post(s, func() {
			s.publish()
			close(done)
		})
		<-done
	}
}
