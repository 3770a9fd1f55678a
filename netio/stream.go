package netio

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// A TLS connection reads into a buffer of its own, which is small until the client sends more at a time.
	streamReadSmall = 4 << 10
	streamRead      = 16 << 10 // the most in a TLS record

	sendPiece = 64 << 10 // between two looks at how much is left

	// lingerTimeout is how long a peer that said it sends no more may take nothing of its replies.
	lingerTimeout = 10 * time.Second
)

// streamConn is a connection served by a goroutine, because reading it blocks: TLS, and the last replies to a half-closed
// connection. The goroutine reads; the session is called by it, by those that resume after a wake, and by
// the one that sends what waits, each under mu. No call under mu waits for the peer.
type streamConn struct {
	srv    *Server
	socket *noWaitSocket
	nc     net.Conn // what is read and written: a *tls.Conn over socket, or socket

	over     chan struct{} // closed by hangUp
	overOnce sync.Once
	signals  atomic.Uint32

	mu      sync.Mutex // held during every call of sess; guards the rest
	sess    Session    // nil before admission and after the end
	closing bool       // take no more input; close when all is sent
	eof     bool       // the peer sends no more
}

// newStreamConn makes a connection over socket; wrap adds TLS if it is not nil.
func newStreamConn(srv *Server, raw net.Conn, wrap func(net.Conn) net.Conn) (*streamConn, error) {
	socket, err := newNoWaitSocket(raw)
	if err != nil {
		return nil, err
	}
	c := &streamConn{srv: srv, socket: socket, nc: socket, over: make(chan struct{})}
	socket.moved = c.moved
	if wrap != nil {
		c.nc = wrap(socket)
	}
	return c, nil
}

func (c *streamConn) Wake()        { c.signal(sigResume) }
func (c *streamConn) Kill()        { c.signal(sigKill) }
func (c *streamConn) Pending() int { return int(c.socket.pending.Load()) }

func (c *streamConn) signal(sig uint32) {
	if sig&sigKill != 0 {
		c.hangUp(false)
		return
	}
	if sig&sigResume != 0 && c.signals.Or(sigResume) == 0 {
		go c.resume()
	}
}

func (c *streamConn) resume() {
	c.call(func(s Session) ([]byte, bool) {
		c.signals.Store(0)
		return s.Resume()
	})
}

// call runs a call of the session under mu and sends what it returns. A session that is over is not called.
func (c *streamConn) call(fn func(Session) (out []byte, closeAfter bool)) {
	c.mu.Lock()
	finished := false
	if c.sess != nil {
		finished = c.deliverLocked(fn(c.sess))
	}
	c.mu.Unlock()
	if finished {
		c.hangUp(true)
	}
}

// deliverLocked sends what a call of the session returned. True: the connection has nothing left to do.
func (c *streamConn) deliverLocked(out []byte, closeAfter bool) (finished bool) {
	if len(out) > 0 && !c.closing {
		_, err := c.nc.Write(out)
		left := c.Pending()
		if err != nil || left > 0 && c.sess.Wrote(left) {
			c.hangUp(false)
			return false
		}
	}
	if closeAfter {
		c.closing = true
	}
	return c.finishedLocked()
}

func (c *streamConn) finishedLocked() bool {
	if c.sess == nil {
		return true
	}
	return c.Pending() == 0 && (c.closing || (c.eof || c.srv.stopping.Load()) && !c.sess.Busy())
}

// moved is called when some of the output that waited is gone.
func (c *streamConn) moved(left int, err error) {
	if err != nil {
		c.hangUp(false)
		return
	}
	c.mu.Lock()
	var drop, finished bool
	if c.sess != nil { // it may not be admitted yet: handshakes can wait too
		drop, finished = c.sess.Wrote(left), c.finishedLocked()
	}
	c.mu.Unlock()
	if drop || finished {
		c.hangUp(!drop)
	}
}

// serve runs the connection until it ends. c has been remembered by the server.
func (c *streamConn) serve(info ConnInfo) {
	if c.admit(info) {
		c.read()
	}
	c.end()
}

func (c *streamConn) admit(info ConnInfo) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	sess, refusal := c.srv.admit(c, info)
	if sess == nil {
		_, _ = c.nc.Write(refusal)
		return false
	}
	c.sess = sess
	return true
}

func (c *streamConn) read() {
	buf := make([]byte, streamReadSmall)
	for {
		n, err := c.nc.Read(buf)
		if n > 0 {
			c.call(func(s Session) ([]byte, bool) {
				if c.closing || c.srv.stopping.Load() {
					return nil, false
				}
				return s.Feed(buf[:n])
			})
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				c.awaitEnd()
			}
			return
		}
		if n == len(buf) && n < streamRead {
			buf = make([]byte, streamRead)
		}
	}
}

// linger serves a connection whose peer half-closed it when it was still on a loop.
func (c *streamConn) linger() {
	c.awaitEnd()
	c.end()
}

// awaitEnd waits until a session without further input has nothing more to say.
func (c *streamConn) awaitEnd() {
	c.socket.hurry.Store(true)
	_ = c.socket.SetWriteDeadline(time.Now().Add(lingerTimeout)) // for a write that waits already
	c.call(func(Session) ([]byte, bool) {
		c.eof = true
		return nil, false
	})
	<-c.over
}

func (c *streamConn) end() {
	c.mu.Lock()
	if c.sess != nil {
		c.sess.Gone()
		c.sess = nil
	}
	c.mu.Unlock()
	c.hangUp(true)
	c.srv.forget(c)
}

// hangUp closes the connection; whoever serves it notices and ends. Politely means with TLS's close_notify.
func (c *streamConn) hangUp(politely bool) {
	c.overOnce.Do(func() {
		if politely {
			_ = c.nc.Close()
		}
		_ = c.socket.Close()
		close(c.over)
	})
}

// settle closes the connection if the server stops and it has nothing left to do.
func (c *streamConn) settle() {
	c.mu.Lock()
	finished := c.finishedLocked()
	c.mu.Unlock()
	if finished {
		c.hangUp(true)
	}
}

// tick skips a connection whose session is at work: it is not idle.
func (c *streamConn) tick(nowMs int64) {
	if !c.mu.TryLock() {
		return
	}
	drop := c.sess != nil && c.sess.Tick(nowMs)
	c.mu.Unlock()
	if drop {
		c.hangUp(false)
	}
}
