package actors

import (
	"context"
	"errors"

	"github.com/troupe-db/troupe/netio/resp"
)

// ErrClosed says that the server has been closed.
var ErrClosed = errors.New("troupe: server closed")

// Local is a session without a socket: commands are given as words and replies come back decoded. It is not safe for
// concurrent use.
type Local struct {
	sys  *System
	s    *Session
	wake chan struct{}
	buf  []byte
}

// localTransport wakes a Local.
type localTransport struct{ wake chan struct{} }

func (t localTransport) Wake() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t localTransport) Kill()        { t.Wake() }
func (t localTransport) Pending() int { return 0 }

// NewLocal opens a session inside the process, speaking RESP3, as the default user.
func (sys *System) NewLocal() *Local {
	wake := make(chan struct{}, 1)
	l := &Local{sys: sys, wake: wake}
	sys.clients.count.Add(1)
	l.s = sys.newSession(localTransport{wake}, ConnInfo{Remote: "local:0", Local: "local:0", Loopback: true})
	l.s.authorize()
	l.s.proto = 3
	l.s.shown.proto.Store(3)
	return l
}

// Do runs one command and returns its reply as resp.ReadReply decodes it; an error reply is a value there, not an
// error. The reply is nil for a command that is not answered. When ctx ends first the session is closed, since the reply
// may still come.
func (l *Local) Do(ctx context.Context, args ...[]byte) (any, error) {
	l.buf = resp.AppendCommand(l.buf[:0], args...)
	out, closed := l.s.Feed(l.buf)
	if cap(l.buf) > keptBytes {
		l.buf = nil
	}
	var reply []byte
	for {
		reply = append(reply, out...)
		if v, n, err := resp.ReadReply(reply); err != nil {
			return nil, err
		} else if n > 0 {
			l.s.Idle()
			return v, nil
		}
		if closed {
			return nil, ErrClosed
		}
		if !l.s.busy && !l.s.more {
			return nil, nil // SHUTDOWN, or after CLIENT REPLY OFF: nothing will come
		}
		select {
		case <-ctx.Done():
			l.s.Kill()
			return nil, ctx.Err()
		case <-l.wake:
			out, closed = l.s.Resume()
		}
	}
}

// Close ends the session.
func (l *Local) Close() { l.s.Gone() }

// Reset puts the session back into its first state, for another user of it. It tells whether that was possible.
func (l *Local) Reset() bool {
	s := l.s
	if s.busy || s.stop() || s.deaf || s.batch != nil || len(s.qb) > 0 {
		return false
	}
	s.SelectDB(0)
	s.proto = 3
	s.authorize()
	s.noTouch, s.noEvict, s.replyOff, s.skipNext, s.skipThis = false, false, false, false, false
	s.showFlags()
	s.setName(nil)
	s.shown.libName.Store(nil)
	s.shown.libVer.Store(nil)
	return true
}
