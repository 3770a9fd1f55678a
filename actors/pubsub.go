package actors

import (
	"slices"
	"sync"

	"github.com/troupe-db/troupe/datatypes/glob"
	"github.com/troupe-db/troupe/netio/resp"
)

// topicKind is one of the three spaces of names that clients subscribe to.
type topicKind int

const (
	topicChannel topicKind = iota // SUBSCRIBE
	topicPattern                  // PSUBSCRIBE
	topicShard                    // SSUBSCRIBE
	topicKinds
)

// hub knows who has subscribed to what, and hands messages out.
//
// It is not an actor: PUBLISH replies how many clients get the message, inside EXEC and scripts too, where shards are held
// and nothing may be waited for. A mutex is held for the look-up and for queueing the message, which is encoded once, at each
// receiver; the writing is done by the receivers' event loops. So all subscribers of a channel see its messages in one
// order, and a slow one costs the others nothing. With many receivers PUBLISH leaves the event loop, see manyReceivers.
//
// Locks are taken in this order: hub.mu, the pushes.mu of one session, what its transport locks.
type hub struct {
	mu       sync.Mutex
	names    [topicKinds]map[string]*topic
	patterns []*topic // those of names, in an order that leaves no holes
}

// topic is a channel or pattern that somebody has subscribed to.
type topic struct {
	name string
	subs []*Session
	at   map[*Session]int // index in subs
	slot int              // index in hub.patterns
}

func (h *hub) init() {
	for k := range h.names {
		h.names[k] = make(map[string]*topic)
	}
}

// join adds a subscriber, who is not one yet.
func (h *hub) join(kind topicKind, name string, s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.names[kind][name]
	if t == nil {
		t = &topic{name: name, at: make(map[*Session]int, 1)}
		h.names[kind][name] = t
		if kind == topicPattern {
			t.slot = len(h.patterns)
			h.patterns = append(h.patterns, t)
		}
	}
	t.at[s] = len(t.subs)
	t.subs = append(t.subs, s)
}

// leave takes a subscriber away.
func (h *hub) leave(kind topicKind, name string, s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leaveLocked(kind, name, s)
}

func (h *hub) leaveLocked(kind topicKind, name string, s *Session) {
	t := h.names[kind][name]
	i, last := t.at[s], len(t.subs)-1
	t.subs[i] = t.subs[last]
	t.at[t.subs[i]] = i
	t.subs[last] = nil
	t.subs = t.subs[:last]
	delete(t.at, s)
	if last > 0 {
		return
	}
	delete(h.names[kind], name)
	if kind == topicPattern {
		end := len(h.patterns) - 1
		h.patterns[t.slot] = h.patterns[end]
		h.patterns[t.slot].slot = t.slot
		h.patterns[end] = nil
		h.patterns = h.patterns[:end]
	}
}

// leaveAll takes a subscriber away from all names, some at a time: others publish in between.
func (h *hub) leaveAll(kind topicKind, names map[string]struct{}, s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for name := range names {
		h.leaveLocked(kind, name, s)
		if n++; n%leaveSlice == 0 {
			h.mu.Unlock()
			h.mu.Lock()
		}
	}
}

// leaveSlice is how many names a client leaves at a time: a fraction of a millisecond.
const leaveSlice = 512

// publish hands a message to the subscribers of a channel and of the patterns that match it, and returns how many got it; a
// client counts once for each of its subscriptions.
func (h *hub) publish(channel, msg []byte) (receivers int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := h.names[topicChannel][string(channel)]; t != nil {
		t.deliver(encodePush("message", channel, msg))
		receivers = len(t.subs)
	}
	for _, t := range h.patterns {
		if glob.Match([]byte(t.name), channel, false) {
			t.deliver(encodePush("pmessage", []byte(t.name), channel, msg))
			receivers += len(t.subs)
		}
	}
	return receivers
}

// publishShard is publish for SPUBLISH.
func (h *hub) publishShard(channel, msg []byte) (receivers int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.names[topicShard][string(channel)]
	if t == nil {
		return 0
	}
	t.deliver(encodePush("smessage", channel, msg))
	return len(t.subs)
}

// deliver queues a message at all subscribers of the topic. REQUIRES: the hub is locked.
func (t *topic) deliver(msg []byte) {
	for _, s := range t.subs {
		s.push(msg)
	}
}

// encodePush returns a push message of RESP3; in RESP2 it is an array: see appendPushes.
func encodePush(kind string, words ...[]byte) []byte {
	n := 24 + len(kind)
	for _, a := range words {
		n += 24 + len(a)
	}
	w := resp.Writer{Proto: 3, Buf: make([]byte, 0, n)}
	w.Push(1 + len(words))
	w.BulkString(kind)
	for _, a := range words {
		w.Bulk(a)
	}
	return w.Buf
}

// match returns the names of a kind that match a pattern, nil for all, in order.
func (h *hub) match(kind topicKind, pattern []byte) (names []string) {
	h.mu.Lock()
	for name := range h.names[kind] {
		if pattern == nil || glob.Match(pattern, []byte(name), false) {
			names = append(names, name)
		}
	}
	h.mu.Unlock()
	slices.Sort(names)
	return names
}

// subscribers returns how many clients have subscribed to a name.
func (h *hub) subscribers(kind topicKind, name []byte) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := h.names[kind][string(name)]; t != nil {
		return len(t.subs)
	}
	return 0
}

// topics returns how many names of a kind have subscribers.
func (h *hub) topics(kind topicKind) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.names[kind])
}
