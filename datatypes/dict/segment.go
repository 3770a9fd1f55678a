package dict

import (
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// A segment is one block of memory:
//
//	word 0     prefix: the hash bits that all its records share, at the top, zeros below
//	word 1     number of records
//	word 2…    slots: fingerprint<<48 | ref, sorted by fingerprint, with gaps (0)
//	last word  0, never a slot: every walk to the right ends there
//
// A slot is never left of its home, home(fp) = fp*homes>>16, and there is no gap between the home and the slot. So a walk from the home
// finds the fingerprint, or a larger one, or a gap. Slots do not wrap around: cap exceeds homes by a spill tail.
//
// Plain linear probing without order was rejected: order is what lets a segment be resized, halved and merged by one pass
// over its slots, without a look at any record, and what makes cursors hash positions. Robin Hood tables with stored distances have
// the same probe lengths and no order across a resize.
const (
	refMask     = 1<<48 - 1
	headerWords = 2

	maxCode     = 40 // 4096 bytes; larger ones only where keys collide
	codes       = 60
	splitBuffer = 512
)

// geometry is what the size code of a segment stands for.
type geometry struct {
	bytes int
	cap   int    // slots
	homes uint64 // home positions
	max   int    // records above which it grows
	min   int    // records below which it shrinks
	fill  int    // records it is chosen for
}

// geometries follow the size classes of the arena, so that a segment fills its object: eight steps per doubling from 128 bytes.
var geometries = func() (t [64]geometry) {
	for c := range codes {
		bytes := (8 + c%8) << (4 + c/8)
		if c > maxCode {
			bytes = 4096 << (c - maxCode)
		}
		n := bytes/8 - headerWords - 1
		tail := max(n/maxTailShare, min(n/4, minTail))
		g := geometry{bytes: bytes, cap: n, homes: uint64(n - tail), max: n * maxLoad / 100, min: n * minLoad / 100, fill: n * fillLoad / 100}
		switch {
		case c == 0:
			g.min = 1
		case c > maxCode: // all fingerprints may be equal: half the slots are tail
			g.homes, g.max, g.min, g.fill = uint64(n/2), n/2, n/5, n/3
		}
		t[c] = g
	}
	return t
}()

const (
	maxTailShare = 24
	minTail      = 12
	maxLoad      = 90
	minLoad      = 60
	fillLoad     = 84
	mergeMax     = (4096/8 - headerWords - 1) * maxLoad / 100 / 2
)

func (g *geometry) home(fp uint64) uint64 { return fp * g.homes >> 16 }

// entry is a directory entry: ref (48 bits), size code (6), depth (5). A segment of depth d has 2^(D-d) equal entries in a directory
// of depth D. That ref, code and depth are all here spares Find a look at the segment's header.
type entry uint64

func makeEntry(r arena.Ref, code int, depth uint) entry {
	return entry(uint64(r) | uint64(code)<<48 | uint64(depth)<<54)
}

func (e entry) ref() arena.Ref                { return arena.Ref(e & refMask) }
func (e entry) code() int                     { return int(e >> 48 & 63) }
func (e entry) depth() uint                   { return uint(e >> 54 & 63) }
func (e entry) geometry() *geometry           { return &geometries[e>>48&63] }
func (e entry) withRef(r arena.Ref) entry     { return e&^refMask | entry(r) }
func (e entry) word(i uint64) *uint64         { return (*uint64)(unsafe.Add(e.ref().Ptr(), i*8)) }
func (e entry) prefix() uint64                { return *e.word(0) }
func (e entry) count() int                    { return int(*e.word(1)) }
func (e entry) slotAt(i uint64) *uint64       { return e.word(headerWords + i) }
func nextSlot(p *uint64) *uint64              { return (*uint64)(unsafe.Add(unsafe.Pointer(p), 8)) }
func (e entry) slots() []uint64               { return unsafe.Slice(e.slotAt(0), e.geometry().cap+1) }
func span(depth uint) uint64                  { return 1 << (64 - depth) } // hash values of a segment; 0 stands for 2^64
func prefixOf(hash uint64, depth uint) uint64 { return hash &^ (span(depth) - 1) }

// put stores a record in segment e. It returns false, and has done nothing, when the segment is full.
func (d *Dict) put(e entry, hash uint64, r arena.Ref) bool {
	g := e.geometry()
	if e.count() >= g.max {
		return false
	}
	fp := hash << e.depth() >> 48
	slots := e.slots()
	i := int(g.home(fp))
	for slots[i] != 0 && slots[i]>>48 <= fp {
		i++
	}
	j := i
	for slots[j] != 0 {
		j++
	}
	if j == g.cap {
		return false
	}
	copy(slots[i+1:j+1], slots[i:j])
	slots[i] = fp<<48 | uint64(r)
	*e.word(1)++
	return true
}

// take removes the slot at p from segment e: slots to its right that are not at home move left by one.
func (d *Dict) take(e entry, p *uint64) {
	g := e.geometry()
	slots := e.slots()
	i := int(uintptr(unsafe.Pointer(p))-uintptr(unsafe.Pointer(&slots[0]))) / 8
	j := i + 1
	for slots[j] != 0 && int(g.home(slots[j]>>48)) < j {
		j++
	}
	copy(slots[i:j-1], slots[i+1:j])
	slots[j-1] = 0
	*e.word(1)--
}

// build fills a new segment with slots sorted by fingerprint; gaps among them are skipped. It returns 0 when the spill tail is too
// short for them.
func (d *Dict) build(prefix uint64, depth uint, code int, sorted []uint64) entry {
	e := makeEntry(d.allocSegment(code), code, depth)
	g := e.geometry()
	slots := e.slots()
	clear(slots)
	n, next := uint64(0), uint64(0)
	for _, s := range sorted {
		if s == 0 {
			continue
		}
		i := max(g.home(s>>48), next)
		if i >= uint64(g.cap) {
			d.freeSegment(e)
			return 0
		}
		slots[i] = s
		next = i + 1
		n++
	}
	*e.word(0), *e.word(1) = prefix, n
	return e
}

// buildFitting is build with the smallest code that has room for the slots at a comfortable load.
func (d *Dict) buildFitting(prefix uint64, depth uint, sorted []uint64) entry {
	code := 0
	for len(sorted) > geometries[code].fill && !(code == maxCode && len(sorted) <= geometries[code].max) {
		code++
	}
	return d.buildFrom(prefix, depth, code, sorted)
}

func (d *Dict) buildFrom(prefix uint64, depth uint, code int, sorted []uint64) entry {
	for ; ; code++ {
		if e := d.build(prefix, depth, code, sorted); e != 0 {
			d.maxCode = max(d.maxCode, uint8(code))
			return e
		}
	}
}

// packed appends the slots of e, without gaps, to dst.
func packed(dst []uint64, e entry) []uint64 {
	for _, s := range e.slots() {
		if s != 0 {
			dst = append(dst, s)
		}
	}
	return dst
}
