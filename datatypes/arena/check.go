package arena

import (
	"fmt"

	"github.com/troupe-db/troupe/datatypes/invariants"
)

// Self-checks. With invariants.Enabled the arena knows for every slab which objects are live, so a double free, a free of an address
// inside an object and a use after free (by what Free scribbles) are found where they happen.

const scribble = 0xdb

// liveObject is one slab's set of live objects, by object number.
type liveObject []uint64

func (a *Arena) noteChunk(c *chunk) {
	if invariants.Enabled {
		c.inUse = new([64]liveObject)
	}
}

// place returns the set that r's liveness is kept in and its bit.
func (a *Arena) place(r Ref, s *slab) (*uint64, uint64) {
	if int(s.chunk) >= len(a.chunks) || a.chunks[s.chunk] == nil || a.chunks[s.chunk].base != r&^chunkMask {
		panic(fmt.Sprintf("arena: %#x belongs to another arena", uint64(r)))
	}
	off := uint32(r) % slabSize
	if off%s.size != 0 || off/s.size >= s.cap {
		panic(fmt.Sprintf("arena: %#x is not the start of an object of %d bytes", uint64(r), s.size))
	}
	live := &a.chunks[s.chunk].inUse[s.number(headerRef(r))]
	if *live == nil {
		*live = make(liveObject, slabSize/minSize/64)
	}
	i := off / s.size
	return &(*live)[i/64], 1 << (i % 64)
}

func (a *Arena) noteAlloc(r Ref, s *slab) {
	w, bit := a.place(r, s)
	if *w&bit != 0 {
		panic(fmt.Sprintf("arena: %#x allocated twice", uint64(r)))
	}
	*w |= bit
}

func (a *Arena) noteFree(r Ref, s *slab) {
	if s.class >= nSmall {
		if s.live != 1 || r&(slabSize-1) != 0 {
			panic(fmt.Sprintf("arena: double free of large object %#x", uint64(r)))
		}
		b := r.Bytes(int(s.size) * pageSize)
		for i := range b {
			b[i] = scribble
		}
		return
	}
	w, bit := a.place(r, s)
	if *w&bit == 0 {
		panic(fmt.Sprintf("arena: double free of %#x, %d bytes", uint64(r), s.size))
	}
	*w &^= bit
	b := r.Bytes(int(s.size))
	for i := range b {
		b[i] = scribble
	}
}

// check verifies the whole arena and panics on the first contradiction. O(memory).
func (a *Arena) check() {
	var used, resident, idle, headers int64
	fail := func(format string, args ...any) { panic("arena: " + fmt.Sprintf(format, args...)) }
	binned, marked, empties := 0, 0, 0
	for ci, c := range a.chunks {
		if c == nil {
			continue
		}
		headers += pageSize
		if c.free == allFree {
			empties++
		}
		for i := uint(1); i < 64; i++ {
			h := c.header(i)
			s := h.slab()
			free, dirty := c.free>>i&1 == 1, c.dirty>>i&1 == 1
			if int(s.chunk) != ci || free != (s.class == classFree) || dirty != (free && s.touched > 0) {
				fail("slab %d.%d: class %d free %t dirty %t touched %d", ci, i, s.class, free, dirty, s.touched)
			}
			resident += int64(s.touched) * pageSize
			if free {
				idle += int64(s.touched) * pageSize
				continue
			}
			if s.class == classRun {
				used += int64(s.size) * pageSize
			}
			if s.class >= nSmall {
				continue
			}
			used += int64(s.live) * int64(s.size)
			n := uint32(0)
			for off := s.free; off != 0; off = *(*uint32)((c.base + Ref(off)).Ptr()) {
				if off>>slabShift != uint32(i) || off >= s.bump || (off%slabSize)%s.size != 0 {
					fail("slab %d.%d: bad free list", ci, i)
				}
				n++
			}
			start := uint32(i) << slabShift
			if never := (s.end - s.bump) / s.size; s.live+n+never != s.cap || s.bump > s.lim || s.lim > s.end ||
				s.bump > start+uint32(s.touched)*pageSize {
				fail("slab %d.%d: %d live + %d free + %d unused of %d", ci, i, s.live, n, never, s.cap)
			}
			switch {
			case s.state == stateBinned:
				binned++
			case s.state == stateMarked:
				marked++
			case a.cls.cur[s.class] != h && s.live != s.cap:
				fail("slab %d.%d of class %d with %d of %d is lost", ci, i, s.class, s.live, s.cap)
			}
		}
		if a.withFree.from(ci) == ci != (c.free != 0) || a.withDirty.from(ci) == ci != (c.dirty != 0) {
			fail("chunk %d: bitsets", ci)
		}
	}
	for c := range a.cls.bins {
		for b, h := range a.cls.bins[c] {
			for ; h != 0; h = h.slab().next {
				s := h.slab()
				if int(s.class) != c || int(s.bin) != b || s.state != stateBinned || s.live < s.low || s.live == s.cap {
					fail("bin %d.%d holds a slab of %d.%d with %d live", c, b, s.class, s.bin, s.live)
				}
				binned--
			}
		}
	}
	for h := a.marked; h != 0; h = h.slab().next {
		marked--
	}
	for h := a.huge; h != 0; h = h.slab().next {
		used += int64(h.slab().size) * pageSize
		resident += int64(h.slab().size) * pageSize
		headers += pageSize
	}
	freed := int64(0)
	for _, m := range a.freed {
		freed += m.size
		idle += m.size - slabSize + pageSize
		resident += m.size - slabSize + pageSize
	}
	resident += headers
	if binned != 0 || marked != 0 || empties != a.empties || freed != a.freedBytes {
		fail("lists: binned %+d marked %+d empties %d/%d freed %d/%d", binned, marked, empties, a.empties, freed, a.freedBytes)
	}
	if used != a.used || resident != a.mapped || idle != a.idle || headers != a.headers {
		fail("counters: used %d/%d mapped %d/%d idle %d/%d headers %d/%d",
			used, a.used, resident, a.mapped, idle, a.idle, headers, a.headers)
	}
}
