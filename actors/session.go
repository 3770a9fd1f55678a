package actors

import (
	"sync"
	"sync/atomic"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/netio/resp"
)

// Transport carries the bytes of one session. All methods may be called from any goroutine.
type Transport interface {
	// Wake makes the transport call Session.Resume soon, on the goroutine where it calls Feed. Calls may coalesce.
	Wake()
	// Kill closes the connection at once.
	Kill()
	// Pending returns how many bytes of output wait for the kernel to take them.
	Pending() int
}

// ConnInfo describes a new connection.
type ConnInfo struct {
	Remote, Local string // as CLIENT LIST shows them
	Unix, TLS     bool
	FD            int
	Loopback      bool // comes from this machine
}

// Session is the state of one connection: who it is, which database and protocol it uses, and the bytes of a command
// that is not complete yet.
//
// Feed, Resume, Tick, Wrote and Gone are called by the transport, on one goroutine. While a batch is under way its
// owner may use the fields of the first group; otherwise they belong to the transport's goroutine. The second group
// may be read from anywhere.
type Session struct {
	sys       *System
	transport Transport
	info      ConnInfo
	id        int64
	createdMs int64

	db         int
	proto      int
	parser     resp.Parser
	qb         []byte // what was received and not yet parsed
	burst      int    // bytes of the read that the commands under way came with
	batch      *Batch // kept from Feed until the next, as the owner of the output
	busy       bool   // a batch is under way elsewhere
	more       bool   // the last turn ended with commands left to run: the transport will call again
	closing    bool   // close when the output is written
	deaf       bool   // has sent SHUTDOWN: the server closes the connection when it stops
	authorized bool
	user       string
	noTouch    bool
	noEvict    bool
	replyOff   bool
	skipNext   bool // CLIENT REPLY SKIP: the next command is not answered
	skipThis   bool
	soft       softLimit
	txn        *txn // nil until the first MULTI or WATCH
	subs       subscriptions
	pushes     pushes

	waiter atomic.Pointer[waiter] // in a blocking command; for who ends it from elsewhere
	shown  struct {
		name       atomic.Pointer[string]
		libName    atomic.Pointer[string]
		libVer     atomic.Pointer[string]
		user       atomic.Pointer[string]
		last       atomic.Pointer[command.Spec]
		db         atomic.Int32
		proto      atomic.Int32
		activeMs   atomic.Int64
		qbuf       atomic.Int64
		qbufFree   atomic.Int64
		argvBytes  atomic.Int64
		flags      atomic.Uint32
		multi      atomic.Int32 // queued commands, -1 when not between MULTI and EXEC
		watch      atomic.Int32 // watched keys
		multiBytes atomic.Int64
	}
	early struct { // replies of a batch that waits, see handOut
		sync.Mutex
		out   [][]byte // in order
		bytes int
	}
	killed atomic.Bool // closed by somebody: nothing of it may run any more
	gone   atomic.Bool // its client has closed the connection: what was sent before still runs
}

// Flags of a session that CLIENT LIST shows.
const (
	flagNoEvict uint32 = 1 << iota
	flagNoTouch
	flagCloseASAP
	flagCloseAfterReply
	flagBlocked
	flagDirtyCAS
)

// softLimit remembers since when the output has been over the soft limit.
type softLimit struct{ sinceMs int64 }

// maxBatch is how many commands one batch takes: it bounds the memory of a batch and how long replies wait for those
// behind them.
const maxBatch = 512

// flushBytes is how much output a session makes, or input it takes, in one turn: then the output is handed to the
// transport, and other connections have theirs before more is run.
const flushBytes = 1 << 20

// keptOut bounds the buffer for replies that a session in use keeps from one turn to the next.
const keptOut = 2 * flushBytes

// ID implements command.Client.
func (s *Session) ID() int64 { return s.id }

// SelectDB implements command.Client.
func (s *Session) SelectDB(index int) {
	s.db = index
	s.shown.db.Store(int32(index))
}

// Feed takes bytes that the connection has received and runs the commands in them. It returns the replies that are
// ready and whether the connection is to be closed once they are written. data is not used after the call; out is
// valid until the next call on the session.
func (s *Session) Feed(data []byte) (out []byte, closeAfter bool) {
	s.sys.netIn.Add(int64(len(data)))
	if s.busy {
		s.qb = append(s.qb, data...)
		return nil, s.overQueryLimit()
	}
	return s.process(data)
}

// Resume goes on after Wake: it returns the replies of the batch that was under way elsewhere and runs what was
// received meanwhile.
func (s *Session) Resume() (out []byte, closeAfter bool) {
	if s.busy {
		over := s.batch.state.Load() == done
		if out, rest := s.takeEarly(); out != nil {
			if rest || over {
				s.transport.Wake()
			}
			return s.giveEarly(out)
		}
		if !over {
			if out := s.pushesWhileBlocked(); out != nil {
				return s.giveEarly(out)
			}
			return nil, s.killed.Load()
		}
		s.busy = false
		s.shown.activeMs.Store(s.batch.nowNs / 1e6)
		s.batch.handed = false
		s.batch.clear()
		if s.stop() {
			return s.output()
		}
		if len(s.batch.w.Buf) >= flushBytes {
			return s.yield()
		}
	}
	return s.process(nil)
}

// process runs the commands of what was left over and data, as far as they are complete.
func (s *Session) process(data []byte) (out []byte, closeAfter bool) {
	s.more = false
	if s.stop() {
		return nil, true
	}
	if s.deaf {
		return nil, false
	}
	// What CONFIG SET has changed counts from the next read on.
	v := s.sys.cfg.Load()
	s.parser.MaxBulk = int(v.ProtoMaxBulkLen)
	s.parser.Unauthenticated = !s.authorized && v.RequirePass != ""
	b := s.batch
	if b == nil {
		if len(data) == 0 && len(s.qb) == 0 && !s.pushes.pending.Load() {
			return nil, false
		}
		b = s.sys.newBatch(s)
		s.batch = b
	} else if !b.fresh {
		// The last output has been written.
		if cap(b.w.Buf) > keptOut {
			b.w.Buf = nil
		}
		b.w.Buf = b.w.Buf[:0]
	}
	b.fresh = true
	if s.pushes.pending.Load() {
		b.takePushes()
	}
	kept := len(s.qb) > 0
	buf := data
	if kept {
		s.qb = append(s.qb, data...)
		buf = s.qb
		b.big = b.big || len(buf) > keptQuery
	}
	for start := len(buf); len(buf) > 0; {
		s.burst = len(buf)
		n, bad := s.fill(b, buf)
		buf = buf[n:]
		if len(b.reqs) > 0 {
			if bad != nil {
				// The same bytes fail again after the commands before them, unless one of those was AUTH. The parser
				// is reset here since those commands may end on another goroutine.
				s.parser.Reset()
				bad = nil
			}
			s.shown.last.Store(b.reqs[len(b.reqs)-1].spec)
			if !s.dispatch(b) {
				s.stash(buf, kept)
				return s.outputEarly()
			}
			if s.stop() {
				return s.output()
			}
		}
		if bad != nil {
			if !s.replyOff && !s.skipThis {
				b.w.Error("ERR " + bad.Error())
			}
			s.closing = true
			s.sys.protocolError(s, bad)
			return s.output()
		}
		if n == 0 {
			break
		}
		if len(buf) > 0 && (len(b.w.Buf) >= flushBytes || start-len(buf) >= flushBytes) {
			s.stash(buf, kept)
			return s.yield()
		}
	}
	s.stash(buf, kept)
	if s.overQueryLimit() {
		return nil, true
	}
	return s.output()
}

// yield ends a turn before all is run.
func (s *Session) yield() (out []byte, closeAfter bool) {
	s.more = true
	s.transport.Wake()
	return s.output()
}

// fill parses commands into the batch and returns how many bytes they took.
func (s *Session) fill(b *Batch, buf []byte) (n int, bad error) {
	for len(b.reqs) < maxBatch && n < len(buf) {
		lo := len(b.argv)
		argv, used, err := s.parser.Next(buf[n:], b.argv)
		if err != nil {
			return n, err
		}
		if used == 0 {
			return n, nil
		}
		n += used
		b.argv = argv
		if len(argv) > lo {
			b.add(lo)
		}
	}
	return n, nil
}

// dispatch runs a filled batch. It tells whether the batch is done; otherwise it is under way elsewhere and the
// transport will be woken.
func (s *Session) dispatch(b *Batch) bool {
	b.state.Store(inline)
	var r runner
	b.drive(&r)
	r.loop()
	// The batch is done, or its owner will find out that the reader has left.
	if b.state.CompareAndSwap(inline, left) {
		s.busy = true
		return false
	}
	s.joinEarly()
	s.shown.activeMs.Store(b.nowNs / 1e6)
	b.clear()
	return true
}

// stash keeps the bytes that are not parsed yet. kept tells that they are the tail of the query buffer itself.
func (s *Session) stash(rest []byte, kept bool) {
	switch {
	case len(rest) == 0:
		if cap(s.qb) > keptQuery {
			s.qb = nil
		}
		s.qb = s.qb[:0]
	case kept && 2*len(rest) <= len(s.qb):
		n := copy(s.qb, rest)
		s.qb = s.qb[:n]
	case kept:
		// A long backlog stays where it is, or turns that each run a little of it would move all of it each time.
		s.qb = rest
	default:
		s.qb = append(s.qb[:0], rest...)
	}
	// A long argument that is on its way gets room in few steps, and never much more than what has come of it: the
	// client may announce any length.
	if want := s.parser.Want(); want > keptQuery && cap(s.qb)-len(s.qb) < min(want, leastRoom) {
		grown := make([]byte, len(s.qb), len(s.qb)+min(want, 3*len(s.qb)+minRoom))
		copy(grown, s.qb)
		s.qb = grown
	}
	if len(rest) > 0 && !s.busy {
		s.shown.activeMs.Store(s.sys.clock.now() / 1e6) // a command that is coming in piece by piece counts as activity
	}
	s.shown.qbuf.Store(int64(len(s.qb)))
	s.shown.qbufFree.Store(int64(cap(s.qb) - len(s.qb)))
}

const (
	keptQuery = 32 << 10  // bounds what an empty query buffer keeps
	minRoom   = 1 << 20   // is the least that a query buffer grows by for a long argument that needs as much
	leastRoom = 256 << 10 // a buffer with less than this left, which a read or two can fill, grows
)

func (s *Session) overQueryLimit() bool {
	if int64(len(s.qb))+s.shown.multiBytes.Load() <= s.sys.cfg.Load().ClientQueryBufferLimitBytes {
		return false
	}
	s.sys.log.Warn("closing client that reached max query buffer length", "client", s.id, "bytes", len(s.qb))
	s.sys.queryLimitHits.Add(1)
	return true
}

// stop tells whether no further command of the connection may run.
func (s *Session) stop() bool { return s.closing || s.killed.Load() }

// output returns the replies that are ready.
func (s *Session) output() (out []byte, closeAfter bool) {
	if b := s.batch; b != nil {
		out = b.w.Buf
		b.fresh = false
		if len(out) > 0 && s.overHard(len(out)) {
			s.Kill()
			return nil, true
		}
		if len(out) == 0 && !s.busy {
			s.batch = nil
			b.recycle()
		}
		s.sys.netOut.Add(int64(len(out)))
	}
	return out, s.stop()
}

// takeEarly takes the first of the replies that a batch under way has made before it began to wait, and tells whether
// there are more; nil when there is none.
func (s *Session) takeEarly() (out []byte, more bool) {
	s.early.Lock()
	defer s.early.Unlock()
	if len(s.early.out) == 0 {
		return nil, false
	}
	out = s.early.out[0]
	s.early.out[0] = nil
	s.early.out = s.early.out[1:]
	s.early.bytes -= len(out)
	if len(s.early.out) == 0 {
		s.early.out = nil
		return out, false
	}
	return out, true
}

// giveEarly returns such a reply to the transport.
func (s *Session) giveEarly(out []byte) ([]byte, bool) {
	s.early.Lock()
	waiting := s.early.bytes
	s.early.Unlock()
	if s.overHard(len(out) + waiting) {
		s.Kill()
		return nil, true
	}
	s.sys.netOut.Add(int64(len(out)))
	return out, s.killed.Load()
}

// outputEarly is what Feed returns while a batch is under way elsewhere.
func (s *Session) outputEarly() (out []byte, closeAfter bool) {
	out, more := s.takeEarly()
	if out == nil {
		return nil, s.killed.Load()
	}
	if more {
		s.transport.Wake()
	}
	return s.giveEarly(out)
}

// joinEarly puts such replies in front of those of the batch, which ended before any was taken.
func (s *Session) joinEarly() {
	if !s.batch.handed {
		return
	}
	s.batch.handed = false
	var all []byte
	for out, _ := s.takeEarly(); out != nil; out, _ = s.takeEarly() {
		all = append(all, out...)
	}
	if len(all) > 0 {
		s.batch.w.Buf = append(all, s.batch.w.Buf...)
	}
}

// overHard tells whether the replies that are ready are, with those that still wait, over the hard limit. What waits is
// not all that counts: as in Redis, replies to one read that are over the limit are not sent, however fast the reader.
func (s *Session) overHard(ready int) bool {
	limit := s.outputLimit().HardBytes
	if limit <= 0 {
		return false
	}
	n := int64(ready + s.transport.Pending())
	if _, inProcess := s.transport.(localTransport); n < limit || inProcess {
		return false
	}
	s.overOutput("hard", n)
	return true
}

// Taken tells that the output of the last call is not needed any more. The batch goes back at once: the next session
// of the loop finds it in the processor's cache, which with a thousand clients that take turns its own would not be.
func (s *Session) Taken() {
	if b := s.batch; b != nil && !b.fresh {
		s.Idle()
	}
}

// Idle gives the memory of an idle session back. The output of the last call must have been taken.
func (s *Session) Idle() {
	if b := s.batch; b != nil && !s.busy {
		s.batch = nil
		b.recycle()
	}
}

// Gone tells that the connection is closed. No call follows.
func (s *Session) Gone() {
	s.gone.Store(true)
	s.sys.remove(s)
	s.endWait()
	// A batch that is under way elsewhere still uses the session: who finishes it cleans up, unless it just has.
	if s.busy && s.batch.state.CompareAndSwap(left, orphaned) {
		return
	}
	s.release()
	if !s.busy {
		s.Idle()
	}
}

// release gives back what a closed session has elsewhere. REQUIRES: the caller owns the session and holds nothing.
func (s *Session) release() {
	s.unwatch()
	if s.subs.total > leaveSlice {
		go s.unsubscribeAll() // nobody else has the session any more
	} else {
		s.unsubscribeAll()
	}
	s.pushes.drop()
}

// endWait ends the blocking command that a closed session is in.
func (s *Session) endWait() {
	if w := s.waiter.Load(); w != nil {
		w.end(endGone)
	}
}

// Kill closes the session from any goroutine: no command of it runs from now on.
func (s *Session) Kill() {
	s.killed.Store(true)
	s.endWait()
	s.transport.Kill()
}

// Tick is called about once a second: it tells whether the session has been idle or over its soft output limit for
// too long.
func (s *Session) Tick(int64) (closeNow bool) {
	nowMs := s.sys.clock.now() / 1e6 // the transport knows the system's clock only
	if nowMs-s.shown.activeMs.Load() > idleMs {
		s.Idle()
	}
	v := s.sys.cfg.Load()
	if v.TimeoutSec > 0 && !s.busy && !s.subs.has() && nowMs-s.shown.activeMs.Load() > int64(v.TimeoutSec)*1000 {
		s.sys.log.Info("closing idle client", "client", s.id)
		return true
	}
	return s.overPending(int64(s.transport.Pending()) + s.pushedBytes())
}

// idleMs is after what time without a command a session gives its batch back.
const idleMs = 1000

// Wrote is called after a write that left pending bytes in the transport: it tells whether that is over a limit of
// client-output-buffer-limit.
func (s *Session) Wrote(pending int) (closeNow bool) {
	if !s.busy {
		s.shown.activeMs.Store(s.sys.clock.now() / 1e6) // who takes a long reply slowly is not idle
	}
	return s.overPending(int64(pending))
}

// overPending tells whether n bytes of pending output are too many, or have been for too long.
func (s *Session) overPending(n int64) bool {
	lim := s.outputLimit()
	if lim.HardBytes > 0 && n >= lim.HardBytes {
		s.overOutput("hard", n)
		return true
	}
	if lim.SoftBytes == 0 || n < lim.SoftBytes {
		s.soft.sinceMs = 0
		return false
	}
	now := s.sys.clock.now() / 1e6
	if s.soft.sinceMs == 0 {
		s.soft.sinceMs = now
	}
	if now-s.soft.sinceMs >= int64(lim.SoftSec)*1000 {
		s.overOutput("soft", n)
		return true
	}
	return false
}

func (s *Session) overOutput(kind string, n int64) {
	s.sys.outputLimitHits.Add(1)
	s.sys.log.Warn("closing client over its output buffer limit", "client", s.id, "limit", kind, "bytes", n)
}

// gated tells whether something may keep a command of the session from running.
func (s *Session) gated() bool { return !s.authorized || s.restricted() }

// refuse returns the error that answers the request instead of running it, or "".
func (s *Session) refuse(b *Batch, q *request) string {
	if q.err != "" {
		return q.err
	}
	if !s.authorized && !q.spec.Has(command.NoAuth) {
		if s.sys.cfg.Load().RequirePass != "" {
			return "NOAUTH Authentication required."
		}
		s.authorize() // the password was taken away since the connection came
	}
	if s.restricted() && !q.spec.Has(command.Subscribing) {
		return "ERR Can't execute '" + q.spec.FullName + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are " +
			"allowed in this context"
	}
	return ""
}

// mute tells whether the reply to the request that has just run is to be dropped.
func (s *Session) mute(b *Batch, _ *request) bool {
	if !s.replyOff && !s.skipThis && !s.skipNext {
		return false
	}
	drop := (s.replyOff || s.skipThis) && !b.told
	s.skipThis, s.skipNext = s.skipNext, false
	return drop
}

// Disown makes the buffer of the last output the caller's. That of a batch under way is already, see outputEarly.
func (s *Session) Disown() {
	if s.batch != nil && !s.busy {
		s.batch.w.Buf = nil
	}
}

// Busy tells whether commands that were fed are still running, so that replies will come by themselves. A client that
// waits for the end of a pause is not busy.
func (s *Session) Busy() bool {
	if !s.busy || s.shown.flags.Load()&flagBlocked == 0 {
		return s.busy || s.more
	}
	s.early.Lock()
	defer s.early.Unlock()
	return len(s.early.out) > 0
}
