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
	el      gnet.EventLoop
	spinner *spinner      // nil where the loop does not spin
	wanted  *atomic.Int32 // not 0: gnet has something to do

	conns []*loopConn // loop goroutine only
	live  atomic.Int32

	mu       sync.Mutex
	ready    []*loopConn // guarded by mu, as the flags below
	running  bool
	armed    bool
	spinning bool // waiting in spin: a wake goes through the spinner's eventfd
	closed   bool // the engine is stopping: gnet's descriptors may be closed, and their numbers reused

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

// armLocked sees to it that the loop comes to look at ready.
func (l *loop) armLocked() {
	if !l.running && !l.armed && !l.closed {
		l.armed = true
		if l.spinning {
			l.spinner.wake()
			return
		}
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
	l.wanted.Add(1)
	err := l.el.Execute(context.Background(), gnet.RunnableFunc(func(context.Context) error {
		l.wanted.Add(-1)
		l.enter()
		fn()
		l.leave(true)
		return nil
	}))
	if err != nil {
		l.wanted.Add(-1)
	}
}

// run is what armLocked asked for.
func (l *loop) run(context.Context) error {
	l.mu.Lock()
	l.armed = false
	l.running = true
	l.mu.Unlock()
	l.leave(true)
	return nil
}

func (l *loop) enter() {
	l.mu.Lock()
	l.running = true
	l.mu.Unlock()
}

// leave serves the connections posted so far. What they in turn post waits for the next turn, so that sessions that
// wake each other, or themselves to go on later, leave room for the sockets.
//
// gnet runs tasks until there are none before it polls again, and a task that queues the next one would keep it from
// polling for ever. So in a task the next one is queued by another goroutine, which comes to it when the loop has
// turned to the sockets.
func (l *loop) leave(inTask bool) {
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
		if inTask {
			go func() {
				l.mu.Lock()
				l.armLocked()
				l.mu.Unlock()
			}()
		} else {
			l.armLocked()
		}
	}
	l.mu.Unlock()
}

func (l *loop) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
}

func (l *loop) add(c *loopConn) {
	if l.spinner != nil {
		l.spinner.add(c)
	}
	c.at = len(l.conns)
	l.conns = append(l.conns, c)
	l.live.Add(1)
}

func (l *loop) remove(c *loopConn) {
	if l.spinner != nil {
		l.spinner.remove(c)
	}
	last := len(l.conns) - 1
	l.conns[c.at] = l.conns[last]
	l.conns[c.at].at = c.at
	l.conns[last] = nil
	l.conns = l.conns[:last]
	l.live.Add(-1)
}

// tick visits the connections below the given index, the last first since a visit may remove its connection. Many
// thousand of them are visited in slices, between which the loop serves the sockets.
func (l *loop) tick(below int) {
	nowMs := time.Now().UnixMilli()
	i := min(below, len(l.conns))
	for end := max(i-tickSlice, 0); i > end; {
		i--
		if c := l.conns[i]; c.sess.Tick(nowMs) {
			c.close()
		}
	}
	if i > 0 {
		go l.execute(func() { l.tick(i) }) // see leave for the goroutine
	}
}

const (
	// Waking an idle process costs a millisecond of CPU each time (the runtime's monitor thread runs for 10 ms),
	// whatever is then done: ten ticks a second were 1.2 % of a core.
	tickPeriod = time.Second
	tickSlice  = 4096
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
	l := c.loop
	c.traffic(data)
	l.leave(false)
	l.spin(l.wanted)
	return gnet.None
}

func (h *handler) OnClose(gc gnet.Conn, err error) gnet.Action {
	if c, ok := gc.Context().(*loopConn); ok && c.sess != nil {
		c.closed(errors.Is(err, io.EOF))
	}
	return gnet.None
}
