package netio

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// noWaitSocket is a socket whose Write does not wait for the peer. What the kernel does not take is queued, and a
// goroutine that exists while there is any sends it. So TLS can encrypt and send a reply on the goroutine that
// made it, which must not be held up by a client that does not read: a goroutine of its own for each write made a PING
// over TLS cost 19.6 µs of CPU, this 15.6 (redis-server: 15.2).
type noWaitSocket struct {
	net.Conn
	raw   syscall.RawConn
	moved func(left int, err error) // after each write of the goroutine, with no lock held

	hurry   atomic.Bool // give up when the peer takes nothing for lingerTimeout
	pending atomic.Int64

	mu      sync.Mutex
	out     outQueue
	sending bool
	err     error
}

func newNoWaitSocket(nc net.Conn) (*noWaitSocket, error) {
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil, err
	}
	return &noWaitSocket{Conn: nc, raw: raw}, nil
}

// Write takes all of p, or fails.
func (s *noWaitSocket) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	sent := 0
	if !s.sending {
		if s.hurry.Load() {
			_ = s.SetWriteDeadline(time.Time{}) // one that send left behind, perhaps passed since
		}
		err := s.raw.Write(func(fd uintptr) bool {
			sent, s.err = writeSome(int(fd), p)
			return true
		})
		if s.err == nil {
			s.err = err
		}
		if s.err != nil {
			return sent, s.err
		}
	}
	if sent < len(p) {
		s.out.push(p[sent:])
		s.pending.Store(int64(s.out.size))
		if !s.sending {
			s.sending = true
			go s.send()
		}
	}
	return len(p), nil
}

func (s *noWaitSocket) send() {
	for more := true; more; {
		s.mu.Lock()
		part := s.out.front() // Write adds behind it and leaves it alone
		s.mu.Unlock()
		if s.hurry.Load() {
			_ = s.SetWriteDeadline(time.Now().Add(lingerTimeout))
		}
		n, err := s.Conn.Write(part[:min(len(part), sendPiece)])
		s.mu.Lock()
		s.out.pop(n)
		if err != nil {
			s.err = err
			s.out = outQueue{}
		}
		left := s.out.size
		s.pending.Store(int64(left))
		more = left > 0
		s.sending = more
		s.mu.Unlock()
		s.moved(left, err)
	}
}
