package actors

import (
	"sync"
	"sync/atomic"

	"github.com/troupe-db/troupe/actors/config"
)

// subscriptions are the names that a session has subscribed to. They belong to the owner of its batch; the counters may be
// read from anywhere.
type subscriptions struct {
	names [topicKinds]map[string]struct{}
	total int // of all kinds
	count [topicKinds]atomic.Int32
}

// pushes are the messages on their way to a session.
//
// They reach the connection between the replies: after the command that runs, or, while none does, when the transport has
// been woken. A session that waits in a blocking command gets them at once.
type pushes struct {
	mu      sync.Mutex
	queue   [][]byte // encoded for RESP3, shared with other receivers
	bytes   int64
	pending atomic.Bool // queue is not empty: set and cleared under mu
}

// has tells whether the session has subscribed to anything. Any goroutine.
func (u *subscriptions) has() bool {
	return u.count[topicChannel].Load()+u.count[topicPattern].Load()+u.count[topicShard].Load() != 0
}

// subscribe makes the session a subscriber of a name, if it is not one yet.
func (s *Session) subscribe(kind topicKind, name []byte) {
	set := s.subs.names[kind]
	if _, there := set[string(name)]; there {
		return
	}
	if set == nil {
		set = make(map[string]struct{})
		s.subs.names[kind] = set
	}
	text := string(name)
	set[text] = struct{}{}
	s.sys.hub.join(kind, text, s)
	s.countSubs(kind, 1)
}

// unsubscribe ends a subscription, if there is one.
func (s *Session) unsubscribe(kind topicKind, name string) {
	if _, there := s.subs.names[kind][name]; !there {
		return
	}
	delete(s.subs.names[kind], name)
	s.sys.hub.leave(kind, name, s)
	s.countSubs(kind, -1)
}

// unsubscribeAll ends all subscriptions.
func (s *Session) unsubscribeAll() {
	for k, names := range s.subs.names {
		if len(names) == 0 {
			continue
		}
		kind := topicKind(k)
		s.subs.names[kind] = nil
		s.countSubs(kind, -len(names))
		s.sys.hub.leaveAll(kind, names, s)
	}
}

func (s *Session) countSubs(kind topicKind, n int) {
	before := s.subs.total
	s.subs.total += n
	s.subs.count[kind].Add(int32(n))
	switch {
	case before == 0:
		s.sys.subscribers.Add(1)
	case s.subs.total == 0:
		s.sys.subscribers.Add(-1)
	}
}

// restricted tells whether the session may run no commands but those about subscriptions: in RESP2 a message looks like a
// reply.
func (s *Session) restricted() bool { return s.subs.total != 0 && s.proto == 2 }

// OnlyMessages implements command.Subscriber.
func (s *Session) OnlyMessages() bool { return s.restricted() }

// push queues a message to the client, which is closed when too many bytes wait for it. Any goroutine.
func (s *Session) push(msg []byte) {
	p := &s.pushes
	p.mu.Lock()
	p.queue = append(p.queue, msg)
	p.bytes += int64(len(msg))
	bytes := p.bytes
	first := !p.pending.Load()
	if first {
		p.pending.Store(true)
	}
	p.mu.Unlock()
	limit := s.outputLimit().HardBytes
	if limit > 0 && bytes+int64(s.transport.Pending()) >= limit {
		if !s.killed.Load() {
			s.overOutput("hard", bytes)
			s.Kill()
		}
		p.drop()
		return
	}
	if first {
		s.transport.Wake()
	}
}

// drop forgets the messages: the session is closed.
func (p *pushes) drop() {
	p.mu.Lock()
	p.queue, p.bytes = nil, 0
	p.pending.Store(false)
	p.mu.Unlock()
}

// outputLimit returns the limits of client-output-buffer-limit that the session has.
func (s *Session) outputLimit() config.OutputLimit {
	class := config.OutputNormal
	if s.subs.has() {
		class = config.OutputPubsub
	}
	return s.sys.cfg.Load().OutputLimits[class]
}

// pushTurn bounds how many bytes of messages are put into the output at a time, or one message.
const pushTurn = flushBytes

// appendPushes appends messages that wait to out, and tells whether there are more. REQUIRES: p.mu is held.
func (s *Session) appendPushes(out []byte) (_ []byte, more bool) {
	p := &s.pushes
	resp3 := s.shown.proto.Load() == 3
	n, size := 0, 0
	for n < len(p.queue) && (n == 0 || size+len(p.queue[n]) <= pushTurn) {
		msg := p.queue[n]
		at := len(out)
		out = append(out, msg...)
		if !resp3 {
			out[at] = '*' // what is a push in RESP3 is an array in RESP2
		}
		size += len(msg)
		p.queue[n] = nil
		n++
	}
	p.bytes -= int64(size)
	if n < len(p.queue) {
		p.queue = p.queue[n:]
		return out, true
	}
	p.queue = p.queue[:0]
	if cap(p.queue) > keptPushes {
		p.queue = nil
	}
	p.pending.Store(false)
	return out, false
}

// keptPushes bounds the queue that a session keeps.
const keptPushes = 64

// takePushes puts messages that wait behind the replies so far. REQUIRES: the caller owns the batch.
func (b *Batch) takePushes() {
	s := b.sess
	s.pushes.mu.Lock()
	buf, more := s.appendPushes(b.w.Buf)
	s.pushes.mu.Unlock()
	b.w.Buf = buf
	if more {
		s.transport.Wake()
	}
}

// pushesWhileBlocked returns messages that wait for a session in a blocking command, nil when there are none or it is not
// in one. The transport's goroutine calls it.
//
// What its batch has put out before it began to wait must go first. The batch hands that out before it sets flagBlocked,
// and takes messages itself, under the same lock, only after flagBlocked was cleared. So while the flag is set, with the
// lock held, all of it is in s.early, and when that is empty, with the transport.
func (s *Session) pushesWhileBlocked() []byte {
	p := &s.pushes
	if !p.pending.Load() {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.shown.flags.Load()&flagBlocked == 0 {
		return nil // whoever ends the wait takes them, or wakes the transport when the batch is done
	}
	s.early.Lock()
	waits := len(s.early.out) > 0
	s.early.Unlock()
	if waits {
		s.transport.Wake()
		return nil
	}
	out, more := s.appendPushes(nil)
	if more {
		s.transport.Wake()
	}
	return out
}

// pushedBytes returns how many bytes of messages wait. Any goroutine.
func (s *Session) pushedBytes() int64 {
	if !s.pushes.pending.Load() {
		return 0
	}
	s.pushes.mu.Lock()
	defer s.pushes.mu.Unlock()
	return s.pushes.bytes
}
