package dict

import (
	"encoding/binary"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/invariants"
)

// Dict is a hash table of records in an arena. It has one owner; nothing is locked. Find, Insert, Delete and Random are O(1);
// the longest pause of an Insert is a split, which reads 450 keys, and once in the growth of a dict a copy of 1 MiB (choosePools).
type Dict struct {
	dir     directory
	arena   *arena.Arena
	keyOff  uintptr
	n       int // records
	segs    int // segments
	slots   int64
	pools   *pools // where segments live once there are many
	poolDir int64  // pools.bytes
	maxCode uint8  // at least the code of the largest segment
	hash    func(key []byte) uint64
}

// Hash is the hash function of all keys.
func Hash(key []byte) uint64 { return xxhash.Sum64(key) }

// New returns an empty dict of records in a, which have their key (uvarint length, bytes) at offset keyOff. It holds no arena
// memory before the first Insert.
func New(a *arena.Arena, keyOff int) *Dict {
	return &Dict{arena: a, keyOff: uintptr(keyOff), hash: Hash}
}

// Slot is the place of one record in the dict. It is valid until the next Insert, Delete, Compact or Clear.
type Slot struct{ p *uint64 }

// OK reports whether there is a record.
func (s Slot) OK() bool { return s.p != nil }

// Ref returns the record. REQUIRES: OK.
func (s Slot) Ref() arena.Ref { return arena.Ref(*s.p & refMask) }

// Set makes the slot refer to r, which must have the same key as the record it replaces. REQUIRES: OK.
func (s Slot) Set(r arena.Ref) { *s.p = *s.p&^refMask | uint64(r) }

// Len returns the number of records.
func (d *Dict) Len() int { return d.n }

// Bytes returns the memory of slots and directory. The slots are part of the arena's Used, the directory (DirBytes) is not.
func (d *Dict) Bytes() int64 { return d.slots + d.DirBytes() }

// DirBytes returns the part of Bytes that lies on the Go heap.
func (d *Dict) DirBytes() int64 { return d.dir.bytes + d.poolDir }

// Find returns the slot of key. REQUIRES: hash == Hash(key).
func (d *Dict) Find(hash uint64, key []byte) Slot {
	if d.n == 0 {
		return Slot{}
	}
	e := d.dir.entry(hash)
	fp := hash << e.depth() >> 48
	for p := e.slotAt(e.geometry().home(fp)); *p != 0; p = nextSlot(p) {
		if s := *p; s>>48 >= fp {
			if s>>48 != fp {
				break
			}
			if d.hasKey(arena.Ref(s&refMask), key) {
				return Slot{p}
			}
		}
	}
	return Slot{}
}

// EachHash calls fn for the records whose stored hash bits agree with hash, until fn returns false. Others may share those
// bits: the caller compares keys. fn must not change the dict other than by Slot.Set.
func (d *Dict) EachHash(hash uint64, fn func(Slot) bool) {
	if d.n == 0 {
		return
	}
	e := d.dir.entry(hash)
	fp := hash << e.depth() >> 48
	for p := e.slotAt(e.geometry().home(fp)); *p != 0 && *p>>48 <= fp; p = nextSlot(p) {
		if *p>>48 == fp && !fn(Slot{p}) {
			return
		}
	}
}

// Insert adds a record. REQUIRES: its key is absent and hash is the Hash of it.
func (d *Dict) Insert(hash uint64, r arena.Ref) {
	if invariants.Enabled {
		d.checkNew(hash, r)
	}
	if d.n == 0 {
		d.begin()
	}
	for !d.put(d.dir.entry(hash), hash, r) {
		d.grow(hash)
	}
	d.n++
	if invariants.Enabled {
		d.checkSegment(hash)
	}
}

// Delete removes the record of key and returns it, or 0. The record itself is not freed. REQUIRES: hash == Hash(key).
func (d *Dict) Delete(hash uint64, key []byte) arena.Ref {
	s := d.Find(hash, key)
	if !s.OK() {
		return 0
	}
	r := s.Ref()
	d.take(d.dir.entry(hash), s.p)
	if d.n--; d.n == 0 {
		d.Clear()
		return r
	}
	if e := d.dir.entry(hash); e.count() < e.geometry().min {
		d.shrink(hash)
	}
	if invariants.Enabled {
		d.checkSegment(hash)
	}
	return r
}

// Clear forgets all records, without freeing them, and gives the slots and the directory back. O(Len/300).
func (d *Dict) Clear() {
	d.eachSegment(func(_ uint64, e entry) {
		if d.pools == nil || e.code() > maxCode {
			d.arena.Free(e.ref())
		}
	})
	d.pools.clear(d.arena)
	*d = Dict{arena: d.arena, keyOff: d.keyOff, hash: d.hash}
}

// Compact moves the segments that lie in slabs the arena wants to empty (between its BeginCompact and EndCompact). Whoever
// moves the records calls it once besides. A large dict keeps its segments dense by itself and does nothing.
func (d *Dict) Compact() {
	if d.pools != nil {
		return
	}
	d.eachSegment(func(prefix uint64, e entry) {
		if d.arena.ShouldMove(e.ref()) {
			r := d.arena.Alloc(e.geometry().bytes)
			copy(r.Bytes(e.geometry().bytes), e.ref().Bytes(e.geometry().bytes))
			d.dir.set(prefix, e.withRef(r))
			d.arena.Free(e.ref())
		}
	})
}

// hasKey compares the key of record r. Lengths below 128, that is practically all, are one byte.
func (d *Dict) hasKey(r arena.Ref, key []byte) bool {
	p := unsafe.Add(r.Ptr(), d.keyOff)
	n := uint64(*(*uint8)(p))
	p = unsafe.Add(p, 1)
	if n >= 0x80 {
		return string(d.longKey(r)) == string(key)
	}
	return n == uint64(len(key)) && string(unsafe.Slice((*byte)(p), n)) == string(key)
}

// key returns the key of record r.
func (d *Dict) key(r arena.Ref) []byte {
	p := unsafe.Add(r.Ptr(), d.keyOff)
	if n := *(*uint8)(p); n < 0x80 {
		return unsafe.Slice((*byte)(unsafe.Add(p, 1)), int(n))
	}
	return d.longKey(r)
}

func (d *Dict) longKey(r arena.Ref) []byte {
	p := unsafe.Add(r.Ptr(), d.keyOff)
	n, shift, size := uint64(0), 0, 0
	for ; ; size++ {
		b := *(*uint8)(unsafe.Add(p, size))
		n |= uint64(b&0x7f) << shift
		if b < 0x80 || size == binary.MaxVarintLen64 {
			break
		}
		shift += 7
	}
	return unsafe.Slice((*byte)(unsafe.Add(p, size+1)), int(n))
}
