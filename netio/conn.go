package netio

import (
	"net"
	"os"
	"sync/atomic"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// flushBudget bounds what one connection writes in one turn of its loop: a client that takes a big reply as fast as
// the loop can write it must not keep the others waiting.
const flushBudget = 1 << 18

// giveBytes is from what size on output that the kernel did not take is kept as it is instead of copied: copying the
// reply of KEYS over a million keys kept the loop busy for 10 ms.
const giveBytes = 64 << 10

// What loopConn.signal carries.
const (
	sigResume uint32 = 1 << iota
	sigWritable
	sigKill
)

// loopConn is a connection served by an event loop. Unless said otherwise its fields belong to that loop's goroutine.
//
// gnet reads; the writing is done here, straight to the socket. A reply that the socket takes whole, nearly all of
// them, costs one write(2) and no copy. What it does not take waits in out while the socket is watched.
type loopConn struct {
	srv  *Server
	loop *loop
	gc   gnet.Conn
	sess Session   // nil before the connection is admitted and after it is gone
	info *ConnInfo // on the way from accept to Admit
	fd   int
	at   int // index in loop.conns

	out     outQueue
	watched bool // out is not empty and the socket is in srv.writable
	closing bool // take no more input; close when out is empty

	signals atomic.Uint32              // any goroutine
	pending atomic.Int64               // any goroutine reads
	heir    atomic.Pointer[streamConn] // who took over when the peer half-closed
}

func (c *loopConn) Wake() { c.signal(sigResume) }
func (c *loopConn) Kill() { c.signal(sigKill) }
func (c *loopConn) Pending() int {
	if heir := c.heir.Load(); heir != nil {
		return heir.Pending()
	}
	return int(c.pending.Load())
}

// signal makes the loop look at c soon. Any goroutine.
func (c *loopConn) signal(sig uint32) {
	if heir := c.heir.Load(); heir != nil {
		heir.signal(sig)
		return
	}
	if c.signals.Or(sig) == 0 {
		c.loop.post(c)
	}
}

// service acts on the signals since the last time.
func (c *loopConn) service() {
	sig := c.signals.Swap(0)
	if c.sess == nil {
		if heir := c.heir.Load(); heir != nil {
			heir.signal(sig)
		}
		return
	}
	if sig&sigKill != 0 {
		c.close()
		return
	}
	if sig&sigWritable != 0 {
		c.flush()
	}
	if sig&sigResume != 0 && c.sess != nil {
		c.deliver(c.sess.Resume())
	}
}

// open asks for admission. False: the connection is to be closed.
func (c *loopConn) open(gc gnet.Conn, l *loop) bool {
	c.gc, c.loop, c.fd = gc, l, gc.Fd()
	if c.srv.stopping.Load() {
		return false
	}
	info := *c.info
	info.FD = c.fd
	c.info = nil
	sess, refusal := c.srv.admit(c, info)
	if sess == nil {
		_, _ = writeSome(c.fd, refusal)
		return false
	}
	c.sess = sess
	c.srv.open.Add(1)
	l.add(c)
	return true
}

func (c *loopConn) traffic(data []byte) {
	if c.closing {
		return
	}
	if c.srv.stopping.Load() {
		c.settle()
		return
	}
	c.deliver(c.sess.Feed(data))
}

// deliver sends what a call of the session returned.
func (c *loopConn) deliver(out []byte, closeAfter bool) {
	if len(out) > 0 && !c.closing {
		if c.out.empty() {
			n, err := writeSome(c.fd, out[:min(len(out), flushBudget)])
			if err != nil {
				c.close()
				return
			}
			out = out[n:]
		}
		if len(out) > 0 {
			if len(out) >= giveBytes {
				c.sess.Disown()
				c.out.give(out)
			} else {
				c.out.push(out)
			}
			if !c.wrote() {
				return
			}
		}
		c.sess.Taken()
	}
	if closeAfter {
		c.closing = true
	}
	c.settle()
}

// flush sends what waits in out, as far as the socket and the budget go.
func (c *loopConn) flush() {
	for budget := flushBudget; !c.out.empty(); {
		part := c.out.front()
		n, err := writeSome(c.fd, part[:min(len(part), budget)])
		if err != nil {
			c.close()
			return
		}
		c.out.pop(n)
		if budget -= n; budget == 0 {
			c.signal(sigWritable)
			break
		}
		if n < len(part) {
			break
		}
	}
	if c.wrote() {
		c.settle()
	}
}

// wrote tells everyone concerned how much output waits. False: the connection is closed.
func (c *loopConn) wrote() bool {
	waits := !c.out.empty()
	switch {
	case waits && !c.watched:
		if err := c.srv.writable.add(c); err != nil {
			c.srv.warn("cannot watch a slow client", err)
			c.close()
			return false
		}
	case !waits && c.watched:
		c.srv.writable.remove(c)
	}
	c.watched = waits
	c.pending.Store(int64(c.out.size))
	if c.sess.Wrote(c.out.size) {
		c.close()
		return false
	}
	return true
}

// settle closes a connection that has nothing left to do.
func (c *loopConn) settle() {
	if c.out.empty() && (c.closing || c.srv.stopping.Load() && !c.sess.Busy()) {
		c.close()
	}
}

// close ends the connection from this side; gnet calls closed.
func (c *loopConn) close() {
	if c.sess != nil {
		_ = c.loop.el.Close(c.gc)
	}
}

// closed is called by gnet just before it closes the socket. If the peer said that it sends no more but is still owed
// replies (`printf 'SET …' | nc`, while the log is being synced), the rest of the session's life is handed to a goroutine
// that works on a duplicate of the socket.
func (c *loopConn) closed(eof bool) {
	if c.watched {
		c.srv.writable.remove(c)
	}
	c.loop.remove(c)
	sess := c.sess
	c.sess = nil
	owes := eof && (!c.out.empty() || sess.Busy())
	if !owes || !c.bequeath(sess) {
		sess.Gone()
	}
	c.out, c.gc = outQueue{}, nil
	c.srv.open.Done()
}

// bequeath makes a streamConn continue sess.
func (c *loopConn) bequeath(sess Session) bool {
	fd, err := unix.FcntlInt(uintptr(c.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return false
	}
	file := os.NewFile(uintptr(fd), "")
	nc, err := net.FileConn(file)
	_ = file.Close()
	if err != nil {
		return false
	}
	heir, err := newStreamConn(c.srv, nc, nil)
	if err != nil {
		_ = nc.Close()
		return false
	}
	heir.mu.Lock() // Stop and the tick see it as soon as it is remembered
	if !c.srv.remember(heir) {
		heir.mu.Unlock()
		_ = nc.Close()
		return false
	}
	heir.sess = sess
	out := make([]byte, 0, c.out.size)
	for !c.out.empty() {
		part := c.out.front()
		out = append(out, part...)
		c.out.pop(len(part))
	}
	// What waits is sent before anybody can make the session say more.
	finished := heir.deliverLocked(out, false)
	heir.mu.Unlock()
	if finished {
		heir.hangUp(true)
	}
	c.pending.Store(0) // Pending asks the heir from now on
	c.heir.Store(heir)
	go heir.linger()
	heir.signal(c.signals.Swap(0))
	return true
}

// writeSome writes as much of p as the socket takes; n < len(p) with a nil error means that it is full.
func writeSome(fd int, p []byte) (n int, err error) {
	for n < len(p) {
		m, err := writeRaw(fd, p[n:])
		switch err {
		case nil:
			n += m
		case unix.EINTR:
		case unix.EAGAIN:
			return n, nil
		default:
			return n, err
		}
	}
	return n, nil
}
