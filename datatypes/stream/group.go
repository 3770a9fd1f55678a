package stream

import (
	"slices"
	"strings"
	"unsafe"
)

// Group is a consumer group: how far it has read, its consumers, and which entries it has delivered and not seen
// acknowledged. It is gone with DestroyGroup, Free, or Clone of the stream to another place.
type Group struct {
	s         *Stream
	name      string
	last      ID // delivered
	reads     int64
	pending   tree        // ID → time, deliveries, slot of the consumer
	consumers []*Consumer // by name
	slots     []*Consumer // what pending refers to; nil in places that are free
	freeSlots []uint32
	version   uint32 // changes with every change of pending, for iterators
}

// Consumer is a member of a group.
type Consumer struct {
	g        *Group
	name     string
	seenMs   int64
	activeMs int64
	pending  tree // IDs without values
	slot     uint32
}

// Pending is an entry that was delivered to a consumer and not acknowledged.
type Pending struct {
	ID          ID
	Consumer    *Consumer
	DeliveredMs int64 // unix milliseconds of the last delivery
	Deliveries  int64
}

const pointerBytes = 8

func compareGroup(g *Group, name string) int       { return strings.Compare(g.name, name) }
func compareConsumer(c *Consumer, name string) int { return strings.Compare(c.name, name) }

// asString is b as a string that is used before b changes and not kept.
func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// insertCharged is slices.Insert for a list whose memory is charged to p.
func insertCharged[T any](p *pool, list []T, i int, v T) []T {
	before := cap(list)
	if len(list) == before {
		grown := make([]T, before, max(1, before+before/2))
		copy(grown, list)
		list = grown
	}
	list = slices.Insert(list, i, v)
	var zero T
	p.charge(int64(cap(list)-before) * int64(unsafe.Sizeof(zero)))
	return list
}

// Groups returns the number of groups.
func (s *Stream) Groups() int { return len(s.groups) }

// GroupAt returns the group with index i in the order of names.
func (s *Stream) GroupAt(i int) *Group { return s.groups[i] }

// Group returns the group of that name, nil when there is none. O(log groups).
func (s *Stream) Group(name []byte) *Group {
	if i, ok := slices.BinarySearchFunc(s.groups, asString(name), compareGroup); ok {
		return s.groups[i]
	}
	return nil
}

// CreateGroup adds a group that has read up to last; nil when there is one of that name. reads, its EntriesRead, may be UnknownReads.
func (s *Stream) CreateGroup(name []byte, last ID, reads int64) *Group {
	i, ok := slices.BinarySearchFunc(s.groups, asString(name), compareGroup)
	if ok {
		return nil
	}
	g := &Group{s: s, name: string(name), last: last, reads: reads, pending: tree{words: 3}}
	s.charge(g.heap())
	s.groups = insertCharged(&s.pool, s.groups, i, g)
	return g
}

// heap returns what was charged for the group itself.
func (g *Group) heap() int64    { return int64(unsafe.Sizeof(*g)) + int64(len(g.name)) }
func (c *Consumer) heap() int64 { return int64(unsafe.Sizeof(*c)) + int64(len(c.name)) }

// heapAll returns what was charged for the group, its lists and its consumers.
func (g *Group) heapAll() int64 {
	n := g.heap() + pointerBytes*int64(cap(g.consumers)+cap(g.slots)) + 4*int64(cap(g.freeSlots))
	for _, c := range g.consumers {
		n += c.heap()
	}
	return n
}

// DestroyGroup removes a group with its consumers and pending entries; false when there is none of that name.
func (s *Stream) DestroyGroup(name []byte) bool {
	i, ok := slices.BinarySearchFunc(s.groups, asString(name), compareGroup)
	if !ok {
		return false
	}
	s.groups[i].free()
	s.groups = slices.Delete(s.groups, i, i+1)
	return true
}

// free gives back all memory of the group and its consumers.
func (g *Group) free() {
	p := &g.s.pool
	for _, c := range g.consumers {
		c.pending.release(p)
	}
	g.pending.release(p)
	p.charge(-g.heapAll())
	g.version++
}

// Name returns the name of the group.
func (g *Group) Name() string { return g.name }

// LastID returns the ID of the last entry that was delivered, or what SetLastID said.
func (g *Group) LastID() ID { return g.last }

// SetLastID changes where the group reads on, as XGROUP SETID does.
func (g *Group) SetLastID(id ID) { g.last = id }

// EntriesRead returns how many entries the group has read, UnknownReads when that is not known.
func (g *Group) EntriesRead() int64 { return g.reads }

// SetEntriesRead changes EntriesRead; n may be UnknownReads.
func (g *Group) SetEntriesRead(n int64) { g.reads = n }

// Consumers returns the number of consumers.
func (g *Group) Consumers() int { return len(g.consumers) }

// ConsumerAt returns the consumer with index i in the order of names.
func (g *Group) ConsumerAt(i int) *Consumer { return g.consumers[i] }

// Consumer returns the consumer of that name, nil when there is none. O(log consumers).
func (g *Group) Consumer(name []byte) *Consumer {
	if i, ok := slices.BinarySearchFunc(g.consumers, asString(name), compareConsumer); ok {
		return g.consumers[i]
	}
	return nil
}

// CreateConsumer adds a consumer that was seen at nowMs and never was active; nil when there is one of that name.
func (g *Group) CreateConsumer(name []byte, nowMs int64) *Consumer {
	i, ok := slices.BinarySearchFunc(g.consumers, asString(name), compareConsumer)
	if ok {
		return nil
	}
	p := &g.s.pool
	c := &Consumer{g: g, name: string(name), seenMs: nowMs, activeMs: -1}
	p.charge(c.heap())
	if n := len(g.freeSlots); n > 0 {
		c.slot, g.freeSlots = g.freeSlots[n-1], g.freeSlots[:n-1]
		g.slots[c.slot] = c
	} else {
		c.slot = uint32(len(g.slots))
		g.slots = insertCharged(p, g.slots, len(g.slots), c)
	}
	g.consumers = insertCharged(p, g.consumers, i, c)
	return c
}

// DeleteConsumer removes c, a consumer of g, with the entries that are pending for it, and returns how many those were.
func (g *Group) DeleteConsumer(c *Consumer) (pending int) {
	p := &g.s.pool
	pending = c.pending.count
	if pending == g.pending.count {
		g.pending.release(p)
	} else {
		for at := c.pending.firstPlace(); at.ok(); at = c.pending.after(at) {
			g.pending.remove(p, at.key())
		}
	}
	c.pending.release(p)
	g.version++
	g.slots[c.slot] = nil
	g.freeSlots = insertCharged(p, g.freeSlots, len(g.freeSlots), c.slot)
	i, _ := slices.BinarySearchFunc(g.consumers, c.name, compareConsumer)
	g.consumers = slices.Delete(g.consumers, i, i+1)
	p.charge(-c.heap())
	return pending
}

// Name returns the name of the consumer.
func (c *Consumer) Name() string { return c.name }

// SeenMs returns when the consumer was last heard of, in unix milliseconds.
func (c *Consumer) SeenMs() int64 { return c.seenMs }

// SetSeenMs changes SeenMs.
func (c *Consumer) SetSeenMs(ms int64) { c.seenMs = ms }

// ActiveMs returns when the consumer last got an entry, in unix milliseconds; -1 for never.
func (c *Consumer) ActiveMs() int64 { return c.activeMs }

// SetActiveMs changes ActiveMs.
func (c *Consumer) SetActiveMs(ms int64) { c.activeMs = ms }

// Pending returns the number of pending entries of the group.
func (g *Group) Pending() int { return g.pending.count }

// Pending returns the number of pending entries of the consumer.
func (c *Consumer) Pending() int { return c.pending.count }

// read returns the pending entry at c.
func (g *Group) read(c place) Pending {
	v := g.pending.values(c)
	return Pending{ID: c.key(), DeliveredMs: int64(v[0]), Deliveries: int64(v[1]), Consumer: g.slots[v[2]]}
}

// Find returns the pending entry with this ID. O(log pending), as all that deals with one pending entry.
func (g *Group) Find(id ID) (p Pending, ok bool) {
	c := g.pending.find(id)
	if !c.ok() {
		return Pending{}, false
	}
	return g.read(c), true
}

// Put adds a pending entry, or makes the one with p.ID as p says, moving it to p.Consumer. REQUIRES: p.Consumer is one of g.
func (g *Group) Put(p Pending) {
	mem := &g.s.pool
	if at := g.pending.find(p.ID); at.ok() {
		if owner := g.slots[g.pending.values(at)[2]]; owner != p.Consumer {
			owner.pending.remove(mem, p.ID)
			p.Consumer.pending.put(mem, p.ID, value{})
		}
	} else {
		p.Consumer.pending.put(mem, p.ID, value{})
	}
	g.pending.put(mem, p.ID, value{uint64(p.DeliveredMs), uint64(p.Deliveries), uint64(p.Consumer.slot)})
	g.version++
}

// Remove takes the pending entry with this ID away, as XACK does; false when there is none.
func (g *Group) Remove(id ID) bool {
	at := g.pending.find(id)
	if !at.ok() {
		return false
	}
	mem := &g.s.pool
	g.slots[g.pending.values(at)[2]].pending.remove(mem, id)
	g.pending.remove(mem, id)
	g.version++
	return true
}

// FirstPending returns the ID of the group's first pending entry; false when there is none.
func (g *Group) FirstPending() (id ID, ok bool) {
	c := g.pending.firstPlace()
	if !c.ok() {
		return ID{}, false
	}
	return c.key(), true
}

// LastPending returns the ID of the group's last pending entry; false when there is none.
func (g *Group) LastPending() (id ID, ok bool) {
	c := g.pending.lastPlace()
	if !c.ok() {
		return ID{}, false
	}
	return c.key(), true
}

// PendingIter goes over pending entries in ascending order of ID, without allocating:
//
//	for it := g.RangePending(first, last); it.Next(); {
//		p := it.Pending()
//	}
//
// Pending entries may be put and removed meanwhile, the current one too; the iterator goes on behind the ID it has come to.
type PendingIter struct {
	g       *Group
	t       *tree
	lo, hi  ID // the rest of the range
	done    bool
	version uint32
	c       place // of the current entry, or none
	id      ID
}

// RangePending goes over the group's pending entries from lo to hi, both included.
func (g *Group) RangePending(lo, hi ID) PendingIter {
	return PendingIter{g: g, t: &g.pending, lo: lo, hi: hi}
}

// RangePending goes over the consumer's pending entries from lo to hi, both included.
func (c *Consumer) RangePending(lo, hi ID) PendingIter {
	return PendingIter{g: c.g, t: &c.pending, lo: lo, hi: hi}
}

// Next goes to the next entry; false when there is none.
func (it *PendingIter) Next() bool {
	if it.done {
		return false
	}
	if it.c.ok() && it.version == it.g.version {
		it.c = it.t.after(it.c)
	} else {
		it.version = it.g.version
		it.c = it.t.seekGE(it.lo)
	}
	if !it.c.ok() || it.hi.Less(it.c.key()) {
		it.done = true
		return false
	}
	var more bool
	it.id = it.c.key()
	it.lo, more = it.id.Next()
	it.done = !more
	return true
}

// ID returns the ID of the current entry.
func (it *PendingIter) ID() ID { return it.id }

// Pending returns the current entry. REQUIRES: it was not changed since Next.
func (it *PendingIter) Pending() Pending {
	if it.t == &it.g.pending {
		return it.g.read(it.c)
	}
	p, _ := it.g.Find(it.id)
	return p
}
