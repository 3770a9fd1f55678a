package netio

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for an event that must come; nothing is expected to take this long.
const patience = 30 * time.Second

// fakeSession answers input by its functions and checks how the transport calls it. The zero functions echo.
type fakeSession struct {
	t    *testing.T
	tr   Transport
	info ConnInfo

	feed   func(s *fakeSession, data []byte) ([]byte, bool)
	resume func(s *fakeSession) ([]byte, bool)
	wrote  func(pending int) bool
	tick   func(nowMs int64) bool
	busy   atomic.Bool
	gone   chan struct{}

	inside atomic.Bool
	ended  bool // plain on purpose: the race detector sees a call that is not ordered after the last one
	out    []byte
}

func (s *fakeSession) enter() func() {
	if !s.inside.CompareAndSwap(false, true) {
		s.t.Error("two calls of a session at once")
	}
	if s.ended {
		s.t.Error("call of a session after Gone")
	}
	return func() { s.inside.Store(false) }
}

func (s *fakeSession) Feed(data []byte) ([]byte, bool) {
	defer s.enter()()
	if s.feed != nil {
		return s.feed(s, data)
	}
	s.out = append(s.out[:0], data...)
	return s.out, false
}

func (s *fakeSession) Resume() ([]byte, bool) {
	defer s.enter()()
	if s.resume != nil {
		return s.resume(s)
	}
	return nil, false
}

func (s *fakeSession) Disown() { s.out = nil }

// Taken spoils the output: what is sent later was copied.
func (s *fakeSession) Taken() { clear(s.out) }

func (s *fakeSession) Busy() bool {
	defer s.enter()()
	return s.busy.Load()
}

func (s *fakeSession) Wrote(pending int) bool {
	defer s.enter()()
	if s.wrote != nil {
		return s.wrote(pending)
	}
	return false
}

func (s *fakeSession) Tick(nowMs int64) bool {
	defer s.enter()()
	if s.tick != nil {
		return s.tick(nowMs)
	}
	return false
}

func (s *fakeSession) Gone() {
	leave := s.enter()
	s.ended = true
	leave()
	close(s.gone)
}

// house is a running server whose sessions can be got at.
type house struct {
	*Server
	t        *testing.T
	sessions chan *fakeSession // in order of admission

	mu  sync.Mutex
	all []*fakeSession
}

// startHouse starts a server; prepare sets up each session before it is used.
func startHouse(t *testing.T, o Options, prepare func(*fakeSession)) *house {
	t.Helper()
	h := &house{t: t, sessions: make(chan *fakeSession, 4096)}
	o.Admit = func(tr Transport, info ConnInfo) (Session, []byte) {
		s := &fakeSession{t: t, tr: tr, info: info, gone: make(chan struct{})}
		if prepare != nil {
			prepare(s)
		}
		h.mu.Lock()
		h.all = append(h.all, s)
		h.mu.Unlock()
		h.sessions <- s
		return s, nil
	}
	h.start(o)
	return h
}

func (h *house) start(o Options) {
	h.t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s, err := Open(o)
	require.NoError(h.t, err)
	h.Server = s
	require.NoError(h.t, s.Start())
	h.t.Cleanup(func() {
		h.stop(context.Background())
		for _, s := range h.all {
			h.wait(s.gone)
			s.tr.Wake() // both must do nothing by now
			s.tr.Kill()
		}
	})
}

// stop stops the server at once, unless it has been stopped.
func (h *house) stop(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return h.Stop(ctx)
}

func (h *house) wait(event <-chan struct{}) {
	h.t.Helper()
	await(h.t, event)
}

func await[T any](t *testing.T, event <-chan T) T {
	t.Helper()
	select {
	case v := <-event:
		return v
	case <-time.After(patience):
		t.Fatal("nothing happened")
		panic("unreachable")
	}
}

func (h *house) next() *fakeSession {
	h.t.Helper()
	return await(h.t, h.sessions)
}

// pair dials and returns both ends.
func (h *house) pair(d dialer) (net.Conn, *fakeSession) {
	h.t.Helper()
	nc := d.dial(h.t, h)
	return nc, h.next()
}

// dialer is one way to reach a house.
type dialer struct {
	name    string
	options func(t *testing.T, o *Options)
	connect func(h *house) (net.Conn, error)
}

func (d dialer) dial(t *testing.T, h *house) net.Conn {
	t.Helper()
	nc, err := d.connect(h)
	require.NoError(t, err)
	require.NoError(t, nc.SetDeadline(time.Now().Add(patience)))
	t.Cleanup(func() { _ = nc.Close() })
	return nc
}

var overTCP = dialer{
	name:    "tcp",
	options: func(_ *testing.T, o *Options) { o.Listen.Port = AnyPort },
	connect: func(h *house) (net.Conn, error) { return net.Dial("tcp", h.TCPAddr().String()) },
}

var overUnix = dialer{
	name: "unix",
	options: func(t *testing.T, o *Options) {
		o.Listen.UnixSocket = filepath.Join(t.TempDir(), "s")
	},
	connect: func(h *house) (net.Conn, error) {
		return net.Dial("unix", h.Addrs()[0].String())
	},
}

var dialers = []dialer{overTCP, overUnix, overTLS}

// everyWay runs a test over TCP, a unix socket and TLS, with sessions set up by prepare.
func everyWay(t *testing.T, prepare func(*fakeSession), test func(t *testing.T, h *house, d dialer)) {
	for _, d := range dialers {
		t.Run(d.name, func(t *testing.T) {
			o := Options{Listen: Listen{Bind: []string{"127.0.0.1"}}}
			d.options(t, &o)
			test(t, startHouse(t, o, prepare), d)
		})
	}
}

func send(t *testing.T, nc net.Conn, data string) {
	t.Helper()
	_, err := nc.Write([]byte(data))
	require.NoError(t, err)
}

func expect(t *testing.T, nc net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	_, err := io.ReadFull(nc, got)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

// expectEnd reads until the connection ends and wants to see rest before.
func expectEnd(t *testing.T, nc net.Conn, rest string) {
	t.Helper()
	got, err := io.ReadAll(nc)
	require.NoError(t, err)
	require.Equal(t, rest, string(got))
}

// pattern is n bytes in which a lost or doubled piece shows.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i>>16 ^ i>>8*31 ^ i*7)
	}
	return p
}

// lines makes a feed function that answers whole lines.
func lines(answer func(s *fakeSession, line string) ([]byte, bool)) func(*fakeSession, []byte) ([]byte, bool) {
	var rest []byte
	return func(s *fakeSession, data []byte) ([]byte, bool) {
		rest = append(rest, data...)
		s.out = s.out[:0]
		for {
			line, after, found := bytes.Cut(rest, []byte("\n"))
			if !found {
				return s.out, false
			}
			reply, end := answer(s, string(line))
			s.out = append(s.out, reply...)
			rest = after
			if end {
				return s.out, true
			}
		}
	}
}
