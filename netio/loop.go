package netio

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// loop is our side of one gnet event loop: the connections it serves and those that other goroutines want it to
// look at.
//
// A session that runs on the loop often wakes other sessions of the same loop (PUBLISH, a push that serves a blocked
// client). Those need no system call to be noticed: while running is set, the loop promises to look at ready
// before it polls again. Only a wake that finds the loop elsewhere goes through gnet's queue and its eventfd, and
// then once for all wakes until the loop has come round (armed).
type loop struct {
	el gnet.EventLoop

	conns  []*loopConn // loop goroutine only
	cursor int         // where the next tick goes on
	live   atomic.Int32

	mu      sync.Mutex
	ready   []*loopConn // guarded by mu, as the flags below
	running bool
	armed   bool
	closed  bool // the engine is stopping: gnet's descriptors may be closed, and their numbers reused

	spare []*loopConn // loop goroutine only: the array that ready had before
}

// post queues c for service. The caller has made sure by c.signals that it is not queued yet.
func (l *loop) post(c *loopConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.ready = append(l.ready, c)
	l.armLocked()
}

func (l *loop) armLocked() {
	if !l.running && !l.armed {
		l.armed = true
		_ = l.el.Execute(context.Background(), gnet.RunnableFunc(l.run))
	}
}

// execute runs fn on the loop, unless that has stopped.
func (l *loop) execute(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	_ = l.el.Execute(context.Background(), gnet.RunnableFunc(func(context.Context) error {
		l.enter()
		fn()
		l.leave()
		return nil
	}))
}

// run is what armLocked asked for.
func (l *loop) run(context.Context) error {
	l.mu.Lock()
	l.armed = false
	l.running = true
	l.mu.Unlock()
	l.leave()
	return nil
}

func (l *loop) enter() {
	l.mu.Lock()
	l.running = true
	l.mu.Unlock()
}

// leave serves the connections posted so far. What they in turn post waits for the next turn, so that sessions that
// wake each other, or themselves to go on later, leave room for the sockets.
func (l *loop) leave() {
	l.mu.Lock()
	if len(l.ready) > 0 {
		batch := l.ready
		l.ready = l.spare[:0]
		l.mu.Unlock()
		for i, c := range batch {
			batch[i] = nil
			c.service()
		}
		l.spare = batch[:0]
		l.mu.Lock()
	}
	l.running = false
	if len(l.ready) > 0 {
		l.armLocked()
	}
	l.mu.Unlock()
}

func (l *loop) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
}

func (l *loop) add(c *loopConn) {
	c.at = len(l.conns)
	l.conns = append(l.conns, c)
	l.live.Add(1)
}

func (l *loop) remove(c *loopConn) {
	last := len(l.conns) - 1
	l.conns[c.at] = l.conns[last]
	l.conns[c.at].at = c.at
	l.conns[last] = nil
	l.conns = l.conns[:last]
	l.live.Add(-1)
}

// tick visits 1/ticksPerRound of the connections, so that many thousand of them do not stall the loop.
func (l *loop) tick() {
	nowMs := time.Now().UnixMilli()
	for n := (len(l.conns) + ticksPerRound - 1) / ticksPerRound; n > 0 && len(l.conns) > 0; n-- {
		if l.cursor >= len(l.conns) {
			l.cursor = 0
		}
		c := l.conns[l.cursor]
		l.cursor++
		if c.sess.Tick(nowMs) {
			c.close()
		}
	}
}

const (
	tickPeriod    = 100 * time.Millisecond
	ticksPerRound = 10 // so a connection is visited about once a second
)

// handler receives gnet's events, each on the loop of the connection it is about.
type handler struct {
	gnet.BuiltinEventEngine
	srv *Server
}

func (h *handler) OnOpen(gc gnet.Conn) ([]byte, gnet.Action) {
	c := gc.Context().(*loopConn)
	if !c.open(gc, h.srv.loopOf(gc.EventLoop())) {
		return nil, gnet.Close
	}
	return nil, gnet.None
}

func (h *handler) OnTraffic(gc gnet.Conn) gnet.Action {
	c := gc.Context().(*loopConn)
	data, _ := gc.Next(-1) // all of it, so gnet never has to keep or copy any
	c.loop.enter()
	c.traffic(data)
	c.loop.leave()
	return gnet.None
}

func (h *handler) OnClose(gc gnet.Conn, err error) gnet.Action {
	if c, ok := gc.Context().(*loopConn); ok && c.sess != nil {
		c.closed(errors.Is(err, io.EOF))
	}
	return gnet.None
}
