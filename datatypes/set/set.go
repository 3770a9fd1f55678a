package set

import (
	"encoding/binary"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/dict"
	"github.com/troupe-db/troupe/datatypes/invariants"
)

// Set is a set of byte strings. Has, Add, Remove and Random are O(1).
type Set struct {
	dict  dict.Dict
	arena *arena.Arena
	used  int64   // bytes of records and slots, as the arena counts them
	heap  int64   // bytes of the Go heap charged to the arena
	views []*View // walks under way that must see the set as it was
}

// New returns an empty set in a.
func New(a *arena.Arena) *Set {
	s := &Set{dict: *dict.New(a, 0), arena: a}
	s.charge()
	return s
}

// Member is a member of a set. It is valid until the next change of the set.
type Member struct{ ref arena.Ref }

// OK reports whether there is a member.
func (m Member) OK() bool { return m.ref != 0 }

// Bytes returns the member; it aliases the set's memory.
func (m Member) Bytes() []byte {
	p := m.ref.Ptr()
	n := uint64(*(*byte)(p))
	if n < 0x80 {
		return unsafe.Slice((*byte)(unsafe.Add(p, 1)), int(n))
	}
	n, w := binary.Uvarint(m.ref.Bytes(binary.MaxVarintLen64))
	return unsafe.Slice((*byte)(unsafe.Add(p, w)), int(n))
}

// recordLen returns the bytes of a record of a member of n bytes.
func recordLen(n int) int {
	size := n + 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// newRecord copies member into the arena.
func newRecord(a *arena.Arena, member []byte) arena.Ref {
	r := a.Alloc(recordLen(len(member)))
	p := r.Ptr()
	if len(member) < 0x80 {
		*(*byte)(p) = byte(len(member))
		copy(unsafe.Slice((*byte)(unsafe.Add(p, 1)), len(member)), member)
		return r
	}
	w := binary.PutUvarint(r.Bytes(binary.MaxVarintLen64), uint64(len(member)))
	copy(unsafe.Slice((*byte)(unsafe.Add(p, w)), len(member)), member)
	return r
}

// Hash is the hash of a member, the same for all sets.
func Hash(member []byte) uint64 { return dict.Hash(member) }

// Len returns the number of members.
func (s *Set) Len() int { return s.dict.Len() }

// Arena returns the arena that the members live in.
func (s *Set) Arena() *arena.Arena { return s.arena }

// Bytes returns all memory of the set: records and slots in the arena, struct and directory on the Go heap. O(1).
func (s *Set) Bytes() int64 { return s.used + setBytes + s.dict.DirBytes() }

const setBytes = int64(unsafe.Sizeof(Set{}))

// charge brings what is charged to the arena in line with what the set has on the Go heap.
func (s *Set) charge() {
	if heap := setBytes + s.dict.DirBytes(); heap != s.heap {
		s.arena.Charge(heap - s.heap)
		s.heap = heap
	}
}

// Sizes at which changed looks at the directory: a large one tells its size at some cost, and one in 64 changes cannot
// alter it by more than some kilobytes.
const (
	largeLen   = 1 << 15
	largeEvery = 64
)

// changed accounts for a change of the dict; before is what the arena had in use.
func (s *Set) changed(before int64) {
	s.used += s.arena.Used() - before
	if n := s.dict.Len(); n < largeLen || n%largeEvery == 0 {
		s.charge()
	}
}

// Has reports that member is in the set.
func (s *Set) Has(member []byte) bool { return s.dict.Find(dict.Hash(member), member).OK() }

// HasHash is Has for a caller that knows the Hash of member.
func (s *Set) HasHash(hash uint64, member []byte) bool { return s.dict.Find(hash, member).OK() }

// WarmSlot and WarmRecord bring what a lookup of a member with this hash needs close to the processor, see dict.
func (s *Set) WarmSlot(hash uint64)   { s.dict.WarmSlot(hash) }
func (s *Set) WarmRecord(hash uint64) { s.dict.WarmRecord(hash) }

// Add adds a copy of member. It returns false if it was there.
func (s *Set) Add(member []byte) bool { return s.AddHash(dict.Hash(member), member) }

// AddHash is Add for a caller that knows the Hash of member.
func (s *Set) AddHash(hash uint64, member []byte) bool {
	if s.dict.Find(hash, member).OK() {
		return false
	}
	s.insert(hash, member)
	return true
}

// insert adds a copy of member, which is absent.
func (s *Set) insert(hash uint64, member []byte) {
	for _, v := range s.views {
		v.arriving(hash, member)
	}
	before := s.arena.Used()
	s.dict.Insert(hash, newRecord(s.arena, member))
	s.changed(before)
}

// Remove removes member. It returns false if it was not there. member may alias the member's own bytes.
func (s *Set) Remove(member []byte) bool { return s.RemoveHash(dict.Hash(member), member) }

// RemoveHash is Remove for a caller that knows the Hash of member.
func (s *Set) RemoveHash(hash uint64, member []byte) bool {
	if len(s.views) > 0 && s.dict.Find(hash, member).OK() {
		for _, v := range s.views {
			v.leaving(hash, member)
		}
	}
	before := s.arena.Used()
	r := s.dict.Delete(hash, member)
	if r == 0 {
		return false
	}
	s.arena.Free(r)
	s.changed(before)
	return true
}

// RemoveMembers removes members of the set, which must differ from each other.
func (s *Set) RemoveMembers(members []Member) {
	for _, m := range members { // none of the others moves when one goes
		s.Remove(m.Bytes())
	}
}

// Clone returns an independent copy in another arena. O(n).
func (s *Set) Clone(to *arena.Arena) *Set {
	c := &Set{arena: to}
	before := to.Used()
	c.dict = *s.dict.Copy(to, func(r arena.Ref) arena.Ref {
		n := recordLen(len(Member{r}.Bytes()))
		copied := to.Alloc(n)
		copy(copied.Bytes(n), r.Bytes(n))
		return copied
	})
	c.used = to.Used() - before
	c.charge()
	return c
}

// Free gives all memory back to the arena. O(n). The set must not be used afterwards.
func (s *Set) Free() {
	if invariants.Enabled && s.Frozen() {
		panic("set: freed under a view")
	}
	s.dict.Scan(0, s.Len(), func(slot dict.Slot) { s.arena.Free(slot.Ref()) })
	s.dict.Clear()
	s.arena.Charge(-s.heap)
	s.heap, s.used = 0, 0
}

// Compact moves the records, and in the end the slots, that lie where the arena wants to make room, between its BeginCompact
// and EndCompact. It looks at about budget records from position pos on and returns where to go on.
func (s *Set) Compact(pos uint64, budget int) (next uint64, more bool) {
	next, more = s.dict.Scan(pos, budget, func(slot dict.Slot) {
		r := slot.Ref()
		if !s.arena.ShouldMove(r) {
			return
		}
		n := recordLen(len(Member{r}.Bytes()))
		to := s.arena.Alloc(n)
		copy(to.Bytes(n), r.Bytes(n))
		slot.Set(to)
		s.arena.Free(r)
	})
	if !more {
		before := s.arena.Used()
		s.dict.Compact()
		s.used += s.arena.Used() - before
	}
	return next, more
}
