package arena

import (
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/invariants"
)

// Ref is the address of an object in an Arena: 48 bits, 0 for none. It is an integer and not a pointer so that the garbage
// collector neither scans nor follows it, and so that 16 bits are left to whoever stores it.
type Ref uint64

// Ptr returns r as a pointer, valid until the object is freed. It must not be stored where the garbage collector sees it for
// longer than that: once the address is unmapped the Go heap may move in there. Reinterpreting the integer is the form that go vet
// and checkptr accept for memory outside the Go heap and inside it; it compiles to nothing.
func (r Ref) Ptr() unsafe.Pointer {
	addr := uintptr(r)
	return *(*unsafe.Pointer)(unsafe.Pointer(&addr))
}

// Bytes returns the first n bytes of the object, valid until it is freed. REQUIRES: n ≤ SizeOf(r).
func (r Ref) Bytes(n int) []byte { return unsafe.Slice((*byte)(r.Ptr()), n) }

// Arena is memory of one owner. All methods but Release must be called by the owner; nothing is locked.
// Alloc, Free, SizeOf, ShouldMove and the counters are O(1).
type Arena struct {
	cls *classes // shared and empty (noClasses) until the first small object

	used    int64 // Σ SizeOf of live objects
	mapped  int64 // resident bytes: touched pages of slabs, large objects, headers
	idle    int64 // the part of mapped in empty slabs and in freed mappings: Trim may give it back
	headers int64 // the part of mapped in headers
	charged int64 // see Charge

	chunks     []*chunk // nil where a chunk was given back; lowest first, so that high ones run empty
	withFree   bitset   // chunks with a free slab
	withDirty  bitset   // chunks with a free slab that has resident pages
	empties    int      // chunks that hold nothing
	runHint    int      // chunk where the last large object was placed
	huge       Ref      // list of live mappings of their own
	freed      []mapping
	freedBytes int64
	reaper     func(func())

	compacting bool
	marked     Ref // list of slabs chosen by BeginCompact
}

// classes is the state per size class.
type classes struct {
	cur  [nSmall]Ref        // header of the slab that serves allocations
	bins [nSmall][nBins]Ref // lists of other slabs with room, by occupancy
}

// noClasses is what the many arenas that hold nothing share. It is never written.
var noClasses classes

// New returns an empty arena. It holds no memory before the first Alloc.
func New() *Arena { return &Arena{cls: &noClasses} }

// Alloc returns an object of at least size bytes with undefined contents. Objects whose rounded size is a multiple of 8 are
// 8-byte aligned, others 4-byte. It panics when the system refuses memory.
func (a *Arena) Alloc(size int) Ref {
	var c uint
	switch {
	case uint(size) <= mediumMax:
		c = uint(fineClass[(size+3)>>2])
	case uint(size) <= maxSmall:
		c = coarseClass(size)
	default:
		return a.allocLarge(size)
	}
	h := a.cls.cur[c]
	if h == 0 {
		return a.allocSlow(c)
	}
	s := h.slab()
	if off := s.free; off != 0 {
		r := h&^chunkMask | Ref(off)
		s.free = *(*uint32)(r.Ptr())
		s.live++
		a.used += int64(s.size)
		if invariants.Enabled {
			a.noteAlloc(r, s)
		}
		return r
	}
	off := s.bump
	if off+s.size > s.lim {
		return a.allocSlow(c)
	}
	s.bump = off + s.size
	s.live++
	a.used += int64(s.size)
	r := h&^chunkMask | Ref(off)
	if invariants.Enabled {
		a.noteAlloc(r, s)
	}
	return r
}

// allocSlow makes room in the current slab of class c or replaces it.
func (a *Arena) allocSlow(c uint) Ref {
	if a.cls == &noClasses {
		a.cls = new(classes)
	}
	h := a.cls.cur[c]
	if h == 0 || h.slab().bump+h.slab().size > h.slab().end {
		if h != 0 {
			s := h.slab()
			s.low = s.cap // full: the first Free files it in a bin
		}
		h = a.nextSlab(c)
		a.cls.cur[c] = h
	}
	s := h.slab()
	if s.free == 0 {
		a.touch(s)
	}
	return a.Alloc(int(s.size))
}

// Free gives an object back. REQUIRES: r is live and belongs to this arena.
func (a *Arena) Free(r Ref) {
	s := headerOf(r)
	if invariants.Enabled {
		a.noteFree(r, s)
	}
	if s.class >= nSmall {
		a.freeLarge(r, s)
		return
	}
	*(*uint32)(r.Ptr()) = s.free
	s.free = uint32(r & chunkMask)
	s.live--
	a.used -= int64(s.size)
	if s.live < s.low {
		a.refile(headerRef(r))
	}
}

// SizeOf returns the usable bytes of a live object: what was asked for, rounded up to its size class.
func (a *Arena) SizeOf(r Ref) int {
	s := headerOf(r)
	if s.class >= nSmall {
		return int(s.size) * pageSize
	}
	return int(s.size)
}

// Used returns the sum of SizeOf over the live objects.
func (a *Arena) Used() int64 { return a.used }

// Charge adds delta to what the owners of objects say they keep on the Go heap for them.
func (a *Arena) Charge(delta int64) { a.charged += delta }

// Charged returns the sum of what was charged.
func (a *Arena) Charged() int64 { return a.charged }

// Mapped returns the bytes held from the system: pages that were touched and not given back. Address space that was reserved
// but never touched costs nothing and does not count.
func (a *Arena) Mapped() int64 { return a.mapped }

// Wasted returns the bytes of free slots in slabs that also hold live objects: what moving objects could give back at best.
func (a *Arena) Wasted() int64 { return a.mapped - a.used - a.idle - a.headers }

// Idle returns the bytes in empty slabs and freed mappings, which Trim can give back without moving anything.
func (a *Arena) Idle() int64 { return a.idle }
