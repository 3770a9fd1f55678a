package netio

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// Options configure a Server.
type Options struct {
	Admit  Admit // required
	Listen Listen
	TLS    *TLSOptions // required if Listen.TLSPort is not 0

	// KeepAlive is the idle time after which the kernel probes a silent peer (tcp-keepalive); 0 is never.
	KeepAlive time.Duration

	// Loops is the number of event loops, 0 is 1. Each is a thread at most, and connections stay on their loop.
	Loops int

	// LockThreads ties each loop to a thread of its own.
	LockThreads bool

	// ReadBuffer is the most that one read takes from a socket, in bytes; 0 is 64 KiB. There is one such buffer for
	// each loop, not for each connection.
	ReadBuffer int

	Log *slog.Logger // nil: slog.Default()
}

const (
	defaultReadBuffer = 64 << 10

	// maxEnrolling bounds the connections on their way from accept to an event loop. Beyond it they wait in the
	// kernel's backlog, as they do when a single-threaded server is busy.
	maxEnrolling = 256

	// maxHandshakes bounds the TLS handshakes under way, which cost memory and a millisecond of CPU each.
	maxHandshakes    = 512
	handshakeTimeout = 10 * time.Second

	warnEvery = time.Second
)

// Server owns the listening sockets and all connections. Its methods may be called from any goroutine.
type Server struct {
	admit Admit
	log   *slog.Logger

	engine   *gnet.Client
	writable *writableWatch
	tls      atomic.Pointer[tls.Config]
	keep     atomic.Int64 // time.Duration

	warned     atomic.Int64 // when warn last logged, in nanoseconds
	readBuffer int
	wanted     atomic.Int32 // tasks and new connections that wait for gnet: loops must not spin
	stopping   atomic.Bool
	stopped    chan struct{} // closed when stopping is set
	open       sync.WaitGroup
	accepts    sync.WaitGroup // accept goroutines, and connections between accept and admission
	enroll     chan struct{}  // a slot for each of the latter
	shakes     chan struct{}

	mu        sync.Mutex
	started   bool
	ended     bool // no more streams
	spec      Listen
	listeners []*listener
	loops     map[gnet.EventLoop]*loop
	streams   map[*streamConn]struct{}
}

// Open binds all listening sockets. Clients can connect from then on, but wait until Start.
func Open(o Options) (*Server, error) {
	s := &Server{
		admit:   o.Admit,
		log:     o.Log,
		stopped: make(chan struct{}),
		enroll:  make(chan struct{}, maxEnrolling),
		shakes:  make(chan struct{}, maxHandshakes),
		spec:    o.Listen,
		loops:   make(map[gnet.EventLoop]*loop),
		streams: make(map[*streamConn]struct{}),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.keep.Store(int64(o.KeepAlive))
	if o.TLS != nil {
		if err := s.ReloadTLS(*o.TLS); err != nil {
			return nil, err
		}
	}
	if o.ReadBuffer == 0 {
		o.ReadBuffer = defaultReadBuffer
	}
	s.readBuffer = o.ReadBuffer
	engine, err := gnet.NewClient(&handler{srv: s},
		gnet.WithLogger(gnetLog{s.log}),
		gnet.WithNumEventLoop(max(o.Loops, 1)),
		gnet.WithLockOSThread(o.LockThreads),
		gnet.WithReadBufferCap(o.ReadBuffer),
		gnet.WithTCPNoDelay(gnet.TCPDelay), // net has switched Nagle's algorithm off already
	)
	if err != nil {
		return nil, fmt.Errorf("netio: event loops: %w", err)
	}
	s.engine = engine
	if s.listeners, err = s.openListeners(&o.Listen, o.Listen.endpoints()); err != nil {
		return nil, err
	}
	if err := s.keepAliveLocked(s.listeners); err != nil {
		for _, ln := range s.listeners {
			ln.close()
		}
		return nil, fmt.Errorf("netio: keep-alive: %w", err)
	}
	return s, nil
}

// Start begins to serve.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started || s.stopping.Load() {
		return errors.New("netio: server already started or stopped")
	}
	var err error
	if s.writable, err = startWritableWatch(); err != nil {
		return fmt.Errorf("netio: poller: %w", err)
	}
	if err := s.engine.Start(); err != nil {
		s.writable.stop()
		return fmt.Errorf("netio: event loops: %w", err)
	}
	s.started = true
	for _, ln := range s.listeners {
		s.accepts.Add(1)
		go s.accept(ln)
	}
	go s.tick()
	return nil
}

// openListeners opens endpoints; s.tls must be set if there are TLS ones among them.
func (s *Server) openListeners(l *Listen, at []endpoint) ([]*listener, error) {
	for _, e := range at {
		if e.kind == listenTLS && s.tls.Load() == nil {
			return nil, errors.New("netio: a TLS port needs a certificate")
		}
	}
	return openAll(l, at)
}

// Rebind changes the listening sockets to what l says. Those that stay the same stay open, and so do all connections.
// On error everything is as before, as far as the system allows to go back.
func (s *Server) Rebind(l Listen) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		return errors.New("netio: server is stopping")
	}
	want := make(map[endpoint]bool)
	for _, e := range l.endpoints() {
		e.optional = false
		want[e] = true
	}
	var keep, drop []*listener
	for _, ln := range s.listeners {
		at := ln.at
		at.optional = false
		if want[at] {
			delete(want, at)
			keep = append(keep, ln)
		} else {
			drop = append(drop, ln)
		}
	}
	var missing []endpoint
	for _, e := range l.endpoints() {
		bare := e
		bare.optional = false
		if want[bare] {
			missing = append(missing, e)
		}
	}
	// The old ones go first: a wildcard address would be in the way of a specific one with the same port.
	for _, ln := range drop {
		ln.close()
	}
	opened, err := s.openListeners(&l, missing)
	if err != nil {
		for _, ln := range drop {
			old := ln.at
			port := old.port
			if tcp, ok := ln.Addr().(*net.TCPAddr); ok {
				port = tcp.Port
			}
			again, failed := s.spec.open(old, port)
			if failed != nil {
				s.log.Error("cannot listen again after a failed change", "addr", old.describe(port), "err", failed)
				continue
			}
			opened = append(opened, again)
		}
	} else {
		s.spec = l
	}
	s.listeners = append(keep, opened...)
	err = errors.Join(err, s.keepAliveLocked(opened))
	if s.started {
		for _, ln := range opened {
			s.accepts.Add(1)
			go s.accept(ln)
		}
	}
	return err
}

// SetKeepAlive sets Options.KeepAlive for connections accepted from now on.
func (s *Server) SetKeepAlive(idle time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep.Store(int64(idle))
	return s.keepAliveLocked(s.listeners)
}

// keepAliveLocked gives listeners the keep-alive settings.
func (s *Server) keepAliveLocked(listeners []*listener) error {
	var errs []error
	for _, ln := range listeners {
		if tcp, ok := ln.Listener.(*net.TCPListener); ok {
			errs = append(errs, setListenKeepAlive(tcp, keepAliveConfig(time.Duration(s.keep.Load()))))
		}
	}
	return errors.Join(errs...)
}

// ReloadTLS reads the certificates again and uses them for connections accepted from now on. On error the old ones
// stay in use.
func (s *Server) ReloadTLS(o TLSOptions) error {
	config, err := o.Load(s.log)
	if err != nil {
		return err
	}
	s.tls.Store(config)
	return nil
}

// TCPAddr is the address of the first plain TCP listener, nil if there is none.
func (s *Server) TCPAddr() *net.TCPAddr { return s.tcpAddr(listenTCP) }

// TLSAddr is the address of the first TLS listener, nil if there is none.
func (s *Server) TLSAddr() *net.TCPAddr { return s.tcpAddr(listenTLS) }

func (s *Server) tcpAddr(kind listenKind) *net.TCPAddr {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ln := range s.listeners {
		if ln.at.kind == kind {
			return ln.Addr().(*net.TCPAddr)
		}
	}
	return nil
}

// Addrs lists what the server listens at.
func (s *Server) Addrs() []net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	addrs := make([]net.Addr, len(s.listeners))
	for i, ln := range s.listeners {
		addrs[i] = ln.Addr()
	}
	return addrs
}

// Stop ends the server: it closes the listening sockets, takes no more input, and closes each connection when its
// session is not Busy and its output is sent. What is left when ctx is done is closed as it is. All sessions are
// Gone when Stop returns; its error is ctx's if it came to that. Only the first call does anything.
func (s *Server) Stop(ctx context.Context) error {
	if s.stopping.Swap(true) {
		return nil
	}
	close(s.stopped)
	s.mu.Lock()
	started := s.started
	for _, ln := range s.listeners {
		ln.close()
	}
	s.mu.Unlock()
	if !started {
		return nil
	}
	s.accepts.Wait() // brief: what is between accept and admission sees stopping and ends

	s.eachLoop(func(l *loop) {
		for i := len(l.conns) - 1; i >= 0; i-- {
			l.conns[i].settle() // may remove this one, with the last, already visited, in its place
		}
	})
	s.eachStream((*streamConn).settle)
	drained := make(chan struct{})
	go func() {
		s.open.Wait()
		close(drained)
	}()
	var err error
	select {
	case <-drained:
	case <-ctx.Done():
		err = ctx.Err()
	}

	s.mu.Lock()
	s.ended = true
	for _, l := range s.loops {
		l.close()
	}
	s.mu.Unlock()
	_ = s.engine.Stop() // closes what is left on the loops
	s.eachStream(func(c *streamConn) { c.hangUp(false) })
	<-drained
	s.writable.stop()
	for _, l := range s.loops { // nothing runs on them any more
		if l.spinner != nil {
			l.spinner.release()
		}
	}
	return err
}

// warn logs trouble of the system that concerns one client, which can be a thousand times a second, now and then.
func (s *Server) warn(what string, err error) {
	now := time.Now().UnixNano()
	last := s.warned.Load()
	if now-last >= int64(warnEvery) && s.warned.CompareAndSwap(last, now) {
		s.log.Warn(what, "err", err)
	}
}

// eachLoop runs fn on every loop, later.
func (s *Server) eachLoop(fn func(*loop)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.loops {
		if l.live.Load() > 0 {
			l.execute(func() { fn(l) })
		}
	}
}

// eachStream runs fn for every streamConn, now.
func (s *Server) eachStream(fn func(*streamConn)) {
	s.mu.Lock()
	all := make([]*streamConn, 0, len(s.streams))
	for c := range s.streams {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		fn(c)
	}
}

func (s *Server) tick() {
	ticker := time.NewTicker(tickPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-s.stopped:
			return
		case <-ticker.C:
		}
		s.eachLoop(func(l *loop) { l.tick(len(l.conns)) })
		nowMs := time.Now().UnixMilli()
		s.eachStream(func(c *streamConn) { c.tick(nowMs) })
	}
}

// loopOf finds our side of el.
func (s *Server) loopOf(el gnet.EventLoop) *loop {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.loops[el]
	if l == nil {
		l = &loop{el: el, wanted: &s.wanted, spinner: newSpinner(s.readBuffer)}
		s.loops[el] = l
	}
	return l
}

// remember registers c, which must call forget when it ends. False: it is too late.
func (s *Server) remember(c *streamConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.streams[c] = struct{}{}
	s.open.Add(1)
	return true
}

func (s *Server) forget(c *streamConn) {
	s.mu.Lock()
	delete(s.streams, c)
	s.mu.Unlock()
	s.open.Done()
}
