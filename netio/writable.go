package netio

import (
	"sync"

	gneterrors "github.com/panjf2000/gnet/v2/pkg/errors"
	"github.com/panjf2000/gnet/v2/pkg/netpoll"
	"github.com/panjf2000/gnet/v2/pkg/queue"
)

// writableWatch tells connections with unsent output when their socket takes more. It is a second poller beside
// those of the event loops, because gnet keeps writable events to itself; only connections whose client reads too
// slowly are ever in it, and all it does is to signal them to their loop.
type writableWatch struct {
	poller *netpoll.Poller
	done   chan struct{}

	mu    sync.Mutex
	conns map[int]*loopConn // by file descriptor
}

func startWritableWatch() (*writableWatch, error) {
	poller, err := netpoll.OpenPoller()
	if err != nil {
		return nil, err
	}
	w := &writableWatch{poller: poller, done: make(chan struct{}), conns: make(map[int]*loopConn)}
	go func() {
		defer close(w.done)
		_ = poller.Polling(w.ready) // ends with stop's error only
	}()
	return w, nil
}

func (w *writableWatch) ready(fd int, _ netpoll.IOEvent, _ netpoll.IOFlags) error {
	w.mu.Lock()
	c := w.conns[fd]
	w.mu.Unlock()
	if c != nil {
		c.signal(sigWritable)
	}
	return nil
}

// add watches c until remove. Events are edge-triggered: one when it is added and the socket is writable, then one
// each time that it becomes so after a write met a full socket.
func (w *writableWatch) add(c *loopConn) error {
	w.mu.Lock()
	w.conns[c.fd] = c
	w.mu.Unlock()
	err := w.poller.AddWrite(&netpoll.PollAttachment{FD: c.fd, Callback: w.ready}, true)
	if err != nil {
		w.mu.Lock()
		delete(w.conns, c.fd)
		w.mu.Unlock()
	}
	return err
}

// remove REQUIRES that the descriptor is still open. An event under way may reach a later connection with the same
// number, to which it does no harm.
func (w *writableWatch) remove(c *loopConn) {
	_ = w.poller.Delete(c.fd)
	w.mu.Lock()
	delete(w.conns, c.fd)
	w.mu.Unlock()
}

// stop REQUIRES that no connection uses w any more.
func (w *writableWatch) stop() {
	_ = w.poller.Trigger(queue.HighPriority, func(any) error { return gneterrors.ErrEngineShutdown }, nil)
	<-w.done
	_ = w.poller.Close()
}
