package arena

import "math/bits"

// A chunk is 4 MiB of address space, aligned to its size, cut in 64 slabs of 64 KiB. Slab 0 is never used for objects: one
// of its 16 pages holds the headers of the other 63, and the 15 others are never touched, so they cost nothing.
//
//	chunk  ┌ slab 0 ─────────────┬ slab 1 ────┬ slab 2 ────┬ … ┬ slab 63 ───┐
//	       │ …│64 headers│… (none)│ objects    │ objects    │   │            │
//	       └──┴──────────┴────────┴────────────┴────────────┴───┴────────────┘
//	           ▲ page number = chunk number mod 16
//
// The obvious place for a header is the start of its own slab. It was rejected for two reasons: headers that are all
// 64 KiB apart fall into the same few cache sets, so Free of random objects misses the cache on nearly every header once there
// are more than a few dozen slabs; and a slab of 16 KiB objects would hold three instead of four.
const (
	pageSize  = 4 << 10
	slabShift = 16
	slabSize  = 1 << slabShift
	slabPages = slabSize / pageSize
	chunkSize = 64 * slabSize
	chunkMask = chunkSize - 1

	allFree = ^uint64(1) // chunk.free of a chunk that holds nothing
	nBins   = 8
)

// slab is the header of a slab: 64 bytes, one cache line, off-heap. Offsets are relative to the chunk; 0 is none.
type slab struct {
	free uint32 // first free object; its first four bytes hold the next
	live uint32
	low  uint32 // Free refiles the slab when live falls below: one comparison covers "was full", "other bin" and "empty"
	size uint32 // bytes of an object; for large objects their pages
	bump uint32 // objects from here on were never used
	lim  uint32 // bump may go up to here without touching a new page
	end  uint32 // bump limit
	cap  uint32
	next Ref // headers of the neighbours in a bin, or in Arena.marked or Arena.huge
	prev Ref

	chunk   uint32
	class   uint8
	state   uint8
	bin     uint8
	touched uint8 // resident pages, counted from the slab's start
	_       [8]byte
}

// slab.state
const (
	stateNone   = iota // current, full, or no small objects
	stateBinned        // in bins[class][bin]
	stateMarked        // chosen by BeginCompact
)

// headerRef returns the address of the header of the slab that r lies in. The shift by 10 brings both the chunk number
// (bits 22 to 25) and the slab number (bits 16 to 21) into place: page of the chunk, line of the page.
func headerRef(r Ref) Ref { return r&^chunkMask | r>>10&0xffc0 }

func headerOf(r Ref) *slab { return headerRef(r).slab() }

func (r Ref) slab() *slab { return (*slab)(r.Ptr()) }

// number returns the slab's position in its chunk.
func (s *slab) number(h Ref) uint { return uint(h>>6) & 63 }

// chunk is the bookkeeping of a chunk on the Go heap.
type chunk struct {
	base  Ref
	free  uint64          // bit i: slab i holds nothing
	dirty uint64          // subset of free: has resident pages
	inUse *[64]liveObject // only with invariants.Enabled
}

func (c *chunk) header(i uint) Ref { return headerRef(c.base + Ref(i)<<slabShift) }

// nextSlab returns a slab for class c with room: the fullest one there is, so that sparse ones get a chance to run empty.
func (a *Arena) nextSlab(c uint) Ref {
	for b := nBins - 1; b >= 0; b-- {
		if h := a.cls.bins[c][b]; h != 0 {
			a.unlink(&a.cls.bins[c][b], h)
			s := h.slab()
			s.state, s.low = stateNone, 0
			return h
		}
	}
	ci, i := a.takeSlab()
	h := a.chunks[ci].header(i)
	s := h.slab()
	size := classSize(int(c))
	start := uint32(i) << slabShift
	*s = slab{
		size: size, cap: slabSize / size, bump: start, lim: start, end: start + slabSize/size*size,
		chunk: uint32(ci), class: uint8(c), touched: s.touched,
	}
	return h
}

// touch raises lim so that one more object can be bump-allocated, and accounts for the pages this makes resident. Having the kernel
// populate a whole slab with one call was tried: filling an arena stayed at 35 ns per object, and it would make small arenas larger.
func (a *Arena) touch(s *slab) {
	start := s.bump &^ (slabSize - 1)
	if s.bump == s.end { // cannot happen: the caller checked
		panic("arena: touch of a full slab")
	}
	pages := (s.bump + s.size - start + pageSize - 1) / pageSize
	if pages > uint32(s.touched) {
		a.mapped += int64(pages-uint32(s.touched)) * pageSize
		s.touched = uint8(pages)
	}
	s.lim = min(start+uint32(s.touched)*pageSize, s.end)
}

// refile moves a slab whose occupancy fell below its bin, or was full, to where it belongs now.
func (a *Arena) refile(h Ref) {
	s := h.slab()
	switch s.state {
	case stateBinned:
		a.unlink(&a.cls.bins[s.class][s.bin], h)
	case stateMarked:
		a.unlink(&a.marked, h)
	}
	if s.live == 0 {
		a.releaseSlab(h)
		return
	}
	a.file(h)
}

// file puts a slab that is neither full nor empty into its bin.
func (a *Arena) file(h Ref) {
	s := h.slab()
	b := s.live * nBins / s.cap
	s.state, s.bin = stateBinned, uint8(b)
	s.low = max((b*s.cap+nBins-1)/nBins, 1)
	a.link(&a.cls.bins[s.class][b], h)
}

func (a *Arena) link(head *Ref, h Ref) {
	s := h.slab()
	s.prev, s.next = 0, *head
	if s.next != 0 {
		s.next.slab().prev = h
	}
	*head = h
}

func (a *Arena) unlink(head *Ref, h Ref) {
	s := h.slab()
	if s.prev != 0 {
		s.prev.slab().next = s.next
	} else {
		*head = s.next
	}
	if s.next != 0 {
		s.next.slab().prev = s.prev
	}
	s.next, s.prev = 0, 0
}

// takeSlab removes a free slab from its chunk, one with resident pages if there is one.
func (a *Arena) takeSlab() (ci int, i uint) {
	if ci = a.withDirty.first(); ci >= 0 {
		i = uint(bits.TrailingZeros64(a.chunks[ci].dirty))
	} else {
		if ci = a.withFree.first(); ci < 0 {
			ci = a.addChunk()
		}
		i = uint(bits.TrailingZeros64(a.chunks[ci].free))
	}
	a.takeSlabs(ci, i, 1)
	return ci, i
}

// takeSlabs removes n free slabs, starting with i, from chunk ci. Their resident pages stay accounted in slab.touched.
func (a *Arena) takeSlabs(ci int, i, n uint) {
	c := a.chunks[ci]
	if c.free == allFree {
		a.empties--
	}
	for j := i; j < i+n; j++ {
		a.idle -= int64(c.header(j).slab().touched) * pageSize
	}
	m := (uint64(1)<<n - 1) << i
	c.free &^= m
	c.dirty &^= m
	a.fileChunk(ci)
}

// releaseSlab gives the slab with header h back to its chunk.
func (a *Arena) releaseSlab(h Ref) {
	s := h.slab()
	ci, c := int(s.chunk), a.chunks[s.chunk]
	s.class, s.state, s.live, s.low, s.free = classFree, stateNone, 0, 0, 0
	m := uint64(1) << s.number(h)
	c.free |= m
	if s.touched > 0 {
		c.dirty |= m
		a.idle += int64(s.touched) * pageSize
	}
	if c.free == allFree {
		a.empties++
	}
	a.fileChunk(ci)
}

// fileChunk brings the bitsets in line with the chunk.
func (a *Arena) fileChunk(ci int) {
	a.withFree.put(ci, a.chunks[ci].free != 0)
	a.withDirty.put(ci, a.chunks[ci].dirty != 0)
}

// addChunk maps a chunk and returns its number. Chunks are always 4 MiB: an arena with one object has touched the header page and
// one page of one slab, 8 KiB; smaller first chunks would save address space only.
func (a *Arena) addChunk() int {
	c := &chunk{base: mapAligned(chunkSize, false), free: allFree}
	ci := 0
	for ci < len(a.chunks) && a.chunks[ci] != nil {
		ci++
	}
	if ci == len(a.chunks) {
		a.chunks = append(a.chunks, nil)
	}
	a.chunks[ci] = c
	for i := range uint(64) { // fresh memory is zero, but say what matters
		*c.header(i).slab() = slab{chunk: uint32(ci), class: classFree}
	}
	if c.header(0) != headerRef(c.base) {
		panic("arena: chunk is not aligned")
	}
	a.noteChunk(c)
	a.mapped += pageSize
	a.headers += pageSize
	a.empties++
	a.fileChunk(ci)
	return ci
}

// dropChunk forgets a chunk that holds nothing and returns its mapping for the caller to unmap.
func (a *Arena) dropChunk(ci int) mapping {
	c := a.chunks[ci]
	for m := c.dirty; m != 0; m &= m - 1 {
		n := int64(c.header(uint(bits.TrailingZeros64(m))).slab().touched) * pageSize
		a.idle -= n
		a.mapped -= n
	}
	a.mapped -= pageSize
	a.headers -= pageSize
	a.empties--
	a.withFree.put(ci, false)
	a.withDirty.put(ci, false)
	a.chunks[ci] = nil
	return mapping{c.base, chunkSize}
}

// bitset is a set of chunk numbers. At 4 MiB a chunk one word stands for 256 MiB, so walking it is cheap.
type bitset []uint64

func (b *bitset) put(i int, in bool) {
	w := i / 64
	if w >= len(*b) {
		if !in {
			return
		}
		*b = append(*b, make([]uint64, w+1-len(*b))...)
	}
	if in {
		(*b)[w] |= 1 << (i % 64)
	} else {
		(*b)[w] &^= 1 << (i % 64)
	}
}

// first returns the lowest member, or -1.
func (b bitset) first() int { return b.from(0) }

// from returns the lowest member ≥ i, or -1.
func (b bitset) from(i int) int {
	for w := i / 64; w < len(b); w++ {
		m := b[w]
		if w == i/64 {
			m &= ^uint64(0) << (i % 64)
		}
		if m != 0 {
			return w*64 + bits.TrailingZeros64(m)
		}
	}
	return -1
}

// last returns the highest member ≤ i, or -1.
func (b bitset) last(i int) int {
	for w := min(i/64, len(b)-1); w >= 0; w-- {
		m := b[w]
		if w == i/64 {
			m &= ^uint64(0) >> (63 - i%64)
		}
		if m != 0 {
			return w*64 + bits.Len64(m) - 1
		}
	}
	return -1
}
