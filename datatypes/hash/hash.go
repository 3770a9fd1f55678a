package hash

import (
	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/dict"
	"github.com/troupe-db/troupe/datatypes/invariants"
	"github.com/troupe-db/troupe/datatypes/prefetch"
)

// Hash is a large hash. It has one owner; nothing is locked. Find, Put, Delete and Random are O(1), what changes deadlines
// is O(log Volatile).
type Hash struct {
	arena   *arena.Arena
	dict    *dict.Dict
	due     deadlines
	records int64   // bytes of the items' records
	charged int64   // what the arena was told of the Go heap
	views   []*View // under way
}

// None is the deadline of an item that has none.
const None int64 = -1

// New returns an empty hash whose items live in a.
func New(a *arena.Arena) *Hash {
	h := &Hash{arena: a, dict: dict.New(a, 0)}
	h.due.arena = a
	h.charge()
	return h
}

// Len returns the number of items, due ones included.
func (h *Hash) Len() int { return h.dict.Len() }

// Arena returns where the items live.
func (h *Hash) Arena() *arena.Arena { return h.arena }

// Find returns the item of a field, also a due one.
func (h *Hash) Find(field []byte) (Item, bool) {
	s := h.dict.Find(dict.Hash(field), field)
	if !s.OK() {
		return Item{}, false
	}
	return Item{s.Ref()}, true
}

// Put gives a field a value and tells whether the field is new. A field that is there keeps its deadline if keep is set, and
// loses it otherwise.
func (h *Hash) Put(field, value []byte, keep bool) (created bool) {
	hash := dict.Hash(field)
	s := h.dict.Find(hash, field)
	if !s.OK() {
		h.arriving(hash, field)
		h.dict.Insert(hash, h.newRecord(field, value, false))
		h.charge()
		return true
	}
	r := s.Ref()
	h.changing(hash, r)
	old := layoutOf(r)
	place, dated := uint32(0), false
	if old.dated {
		place = placeOf(r, old)
		if dated = keep; !keep {
			h.due.remove(place)
			h.charge()
		}
	}
	l, total := plan(old.head, len(value), dated)
	if !fits(total, h.arena.SizeOf(r)) {
		n := h.arena.Alloc(total)
		h.records += int64(h.arena.SizeOf(n))
		copy(n.Bytes(l.head), r.Bytes(l.head))
		s.Set(n)
		h.freeRecord(r)
		r = n
	}
	l.write(r, value)
	if dated {
		h.due.moved(place, r)
	}
	if invariants.Enabled {
		h.checkItem(r)
	}
	return false
}

// Delete removes a field and tells whether it was there.
func (h *Hash) Delete(field []byte) bool {
	hash := dict.Hash(field)
	s := h.dict.Find(hash, field)
	if !s.OK() {
		return false
	}
	h.drop(hash, s.Ref())
	return true
}

// drop removes the item of record r.
func (h *Hash) drop(hash uint64, r arena.Ref) {
	h.changing(hash, r)
	l := layoutOf(r)
	h.dict.Delete(hash, bytesAt(r, l.lead, l.head-l.lead))
	if l.dated {
		h.due.remove(placeOf(r, l))
	}
	h.freeRecord(r)
	h.charge()
}

// Deadline returns the deadline of an item in unix milliseconds, or None.
func (h *Hash) Deadline(it Item) int64 {
	l := layoutOf(it.ref)
	if !l.dated {
		return None
	}
	return h.due.at(placeOf(it.ref, l))
}

// Due tells whether the deadline of an item has come.
func (h *Hash) Due(it Item, nowMs int64) bool {
	if h.due.n == 0 {
		return false
	}
	at := h.Deadline(it)
	return at >= 0 && at <= nowMs
}

// SetDeadline gives a field a deadline, or takes it away (None), and tells whether the field is there. atMs must not be
// negative otherwise.
func (h *Hash) SetDeadline(field []byte, atMs int64) bool {
	hash := dict.Hash(field)
	s := h.dict.Find(hash, field)
	if !s.OK() {
		return false
	}
	r := s.Ref()
	old := layoutOf(r)
	dated := atMs >= 0
	switch {
	case !dated && !old.dated:
		return true
	case dated && old.dated:
		h.changing(hash, r)
		h.due.change(placeOf(r, old), atMs)
		return true
	}
	h.changing(hash, r)
	place := uint32(0)
	if old.dated {
		place = placeOf(r, old)
	}
	l, total := plan(old.head, old.size, dated)
	if n := r; fits(total, h.arena.SizeOf(r)) {
		// The value moves by the size of the place, the rest is written anew. A header says the same length with or without.
		copy(bytesAt(n, l.value, l.size), bytesAt(r, old.value, old.size))
		l.write(n, bytesAt(n, l.value, l.size))
	} else {
		n = h.arena.Alloc(total)
		h.records += int64(h.arena.SizeOf(n))
		copy(n.Bytes(l.head), r.Bytes(l.head))
		l.write(n, bytesAt(r, old.value, old.size))
		s.Set(n)
		h.freeRecord(r)
		r = n
	}
	if dated {
		h.due.push(atMs, r)
	} else {
		h.due.remove(place)
	}
	h.charge()
	if invariants.Enabled {
		h.checkItem(r)
	}
	return true
}

// NextFieldDeadline returns the earliest deadline of an item in unix milliseconds, or None.
func (h *Hash) NextFieldDeadline() int64 {
	if h.due.n == 0 {
		return None
	}
	return h.due.at(root)
}

// Volatile returns the number of items that have a deadline.
func (h *Hash) Volatile() int { return h.due.n }

// CountDue returns how many items are due at nowMs, or most if there are more. It looks at about eight times as many entries of
// the heap.
func (h *Hash) CountDue(nowMs int64, most int) int {
	if h.due.n == 0 {
		return 0
	}
	return h.due.count(root, nowMs, most)
}

// Reap removes items that are due at nowMs, the earliest first, at most budget of them, and returns how many. gone gets the field of each
// before it goes; it must not touch the hash.
func (h *Hash) Reap(nowMs int64, budget int, gone func(field []byte)) (n int) {
	for ; n < budget && h.due.n > 0 && h.due.at(root) <= nowMs; n++ {
		r := h.due.ref(root)
		field := Item{r}.Field()
		gone(field)
		h.drop(dict.Hash(field), r)
	}
	return n
}

// Random returns an item, each with the same chance. rnd must return uniform 64-bit numbers.
func (h *Hash) Random(rnd func() uint64) (Item, bool) {
	r := h.dict.Random(rnd)
	return Item{r}, r != 0
}

// Scan calls fn for items in the order of hashes from position pos on, at least atLeast of them if there are as many. It
// returns the position to go on from and whether there is more; see dict.Scan for what a series of calls guarantees. Only the upper 44
// bits of a position are used. fn must not change the hash.
func (h *Hash) Scan(pos uint64, atLeast int, fn func(Item)) (next uint64, more bool) {
	w := walk{fn: fn}
	next, more = h.dict.Scan(pos, atLeast, func(s dict.Slot) { w.add(s.Ref()) })
	w.flush()
	return next, more
}

// walk hands items over somewhat after it learned of them, so that the memory of several is waited for at the same
// time: records lie in no order.
type walk struct {
	fn      func(Item)
	waiting [walkAhead]arena.Ref
	n       uint
}

const walkAhead = 16

func (w *walk) add(r arena.Ref) {
	prefetch.Read(r.Ptr())
	i := w.n % walkAhead
	w.n++
	r, w.waiting[i] = w.waiting[i], r
	if r != 0 {
		w.fn(Item{r})
	}
}

func (w *walk) flush() {
	for range walkAhead {
		i := w.n % walkAhead
		w.n++
		if r := w.waiting[i]; r != 0 {
			w.fn(Item{r})
		}
	}
}
