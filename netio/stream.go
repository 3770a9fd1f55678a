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
	streamRead  = 16 << 10 // a TLS record's most
	streamWrite = 64 << 10 // between two looks at how much is left

	// lingerTimeout is how long a peer that said it sends no more may leave a piece of its replies unread.
	lingerTimeout = 10 * time.Second
)

// streamConn is a connection served by goroutines, because its reads or writes block: TLS, and the last replies to a
// half-closed connection. One goroutine reads. Output is written by a goroutine that exists while there is any, so
// that a client that does not read does not stop us from reading what it sends, as on the loops.
type streamConn struct {
	srv *Server
	nc  net.Conn // *tls.Conn, or the socket itself
	raw net.Conn // the socket

	over     chan struct{} // closed by hangUp
	overOnce sync.Once

	signals atomic.Uint32
	pending atomic.Int64

	mu      sync.Mutex // held during every call of sess; guards the rest
	sess    Session    // nil before admission and after the end
	out     []byte     // accepted, and not in the hands of the writer
	writing bool
	closing bool // take no more input; close when all is written
	eof     bool // the peer sends no more
}

func newStreamConn(srv *Server, nc, raw net.Conn) *streamConn {
	return &streamConn{srv: srv, nc: nc, raw: raw, over: make(chan struct{})}
}

func (c *streamConn) Wake()        { c.signal(sigResume) }
func (c *streamConn) Kill()        { c.signal(sigKill) }
func (c *streamConn) Pending() int { return int(c.pending.Load()) }

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
	c.mu.Lock()
	c.signals.Store(0)
	finished := false
	if c.sess != nil {
		finished = c.deliverLocked(c.sess.Resume())
	}
	c.mu.Unlock()
	if finished {
		c.hangUp(true)
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
		_ = c.nc.SetWriteDeadline(time.Now().Add(lingerTimeout))
		_, _ = c.nc.Write(refusal)
		return false
	}
	c.sess = sess
	return true
}

func (c *streamConn) read() {
	buf := make([]byte, streamRead)
	for {
		n, err := c.nc.Read(buf)
		if n > 0 {
			c.mu.Lock()
			finished := false
			if !c.closing && !c.srv.stopping.Load() {
				finished = c.deliverLocked(c.sess.Feed(buf[:n]))
			}
			c.mu.Unlock()
			if finished {
				c.hangUp(true)
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				c.awaitEnd()
			}
			return
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
	c.mu.Lock()
	c.eof = true
	_ = c.nc.SetWriteDeadline(time.Now().Add(lingerTimeout))
	finished := c.deliverLocked(nil, false)
	c.mu.Unlock()
	if finished {
		c.hangUp(true)
	}
	<-c.over
}

func (c *streamConn) end() {
	c.mu.Lock()
	if c.sess != nil {
		c.sess.Gone()
		c.sess = nil
	}
	c.out = nil
	c.mu.Unlock()
	c.hangUp(true)
	c.srv.forget(c)
}

// deliverLocked takes over what a call of the session returned. True: the connection has nothing left to do.
func (c *streamConn) deliverLocked(out []byte, closeAfter bool) (finished bool) {
	if !c.closing && len(out) > 0 {
		c.out = append(c.out, out...)
		n := c.pending.Add(int64(len(out)))
		if c.writing && c.sess.Wrote(int(n)) {
			c.hangUp(false)
			return false
		}
	}
	if closeAfter {
		c.closing = true
	}
	if len(c.out) > 0 && !c.writing {
		c.writing = true
		go c.write()
	}
	return c.finishedLocked()
}

func (c *streamConn) finishedLocked() bool {
	if c.sess == nil {
		return true
	}
	return !c.writing && (c.closing || (c.eof || c.srv.stopping.Load()) && !c.sess.Busy())
}

// write sends out until there is none.
func (c *streamConn) write() {
	for {
		c.mu.Lock()
		buf := c.out
		c.out = nil
		if len(buf) == 0 || c.sess == nil {
			c.writing = false
			finished := c.finishedLocked()
			c.mu.Unlock()
			if finished {
				c.hangUp(true)
			}
			return
		}
		c.mu.Unlock()
		for len(buf) > 0 {
			n, err := c.nc.Write(buf[:min(len(buf), streamWrite)])
			left := c.pending.Add(-int64(n))
			buf = buf[n:]
			c.mu.Lock()
			drop := err != nil || c.sess != nil && c.sess.Wrote(int(left))
			if drop {
				c.writing = false
			} else if c.eof {
				_ = c.nc.SetWriteDeadline(time.Now().Add(lingerTimeout))
			}
			c.mu.Unlock()
			if drop {
				c.hangUp(false)
				return
			}
		}
	}
}

// hangUp closes the connection; whoever serves it notices and ends. Politely means with TLS's close_notify, which
// may wait for the peer and so must not be asked for under mu. Otherwise it does not wait, not even for a polite one.
func (c *streamConn) hangUp(politely bool) {
	if !politely {
		_ = c.raw.Close()
	}
	c.overOnce.Do(func() {
		if politely {
			_ = c.nc.Close()
		}
		_ = c.raw.Close()
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
