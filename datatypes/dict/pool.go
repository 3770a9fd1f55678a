package dict

import (
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// Hashes are uniform, so the segments of a dict grow in step: when the dict grows by a tenth, nearly all of them move from one size
// class to the next. In an arena that leaves the slabs of the old class half empty for most of the time; measured between
// 500,000 and a million keys, slots took 12.9 bytes per key on average and 14.5 at worst, where they take 9.9 and 10.5 now.
//
// So a dict with many segments keeps them, per size code, in a dense sequence of blocks of its own. When a segment is freed, the last
// one of the sequence moves into its place (a copy of at most 4 KiB) and its directory entry is corrected, which its header
// makes possible: it has the prefix. At most one block per code is partly filled: some 300 KiB while a dict grows, 500 while it shrinks.
//
// Small dicts take segments from the arena: there are many of them, in all phases of growth, and blocks would be mostly empty.
const blockBytes = 64 << 10

// Numbers of segments at which pools come and go; variables for tests.
var (
	poolAbove = 256 // about 80,000 records
	unpoolAt  = 160
)

// pools has a sequence of segments for each normal size code.
type pools [maxCode + 1]struct {
	blocks []arena.Ref
	n      int
}

func perBlock(code int) int { return blockBytes / geometries[code].bytes }

// bytes returns what pools take on the Go heap.
func (p *pools) bytes() int64 {
	if p == nil {
		return 0
	}
	n := int64(unsafe.Sizeof(*p))
	for i := range p {
		n += int64(cap(p[i].blocks)) * wordBytes
	}
	return n
}

// at returns the place of segment i of a code.
func (p *pools) at(code, i int) arena.Ref {
	per := perBlock(code)
	return p[code].blocks[i/per] + arena.Ref(i%per*geometries[code].bytes)
}

// clear frees all blocks.
func (p *pools) clear(a *arena.Arena) {
	if p == nil {
		return
	}
	for code := range p {
		for _, b := range p[code].blocks {
			a.Free(b)
		}
	}
}

// allocSegment returns memory for a segment, with undefined contents.
func (d *Dict) allocSegment(code int) arena.Ref {
	if d.pools == nil || code > maxCode {
		r := d.arena.Alloc(geometries[code].bytes)
		d.slots += int64(d.arena.SizeOf(r))
		return r
	}
	p := &d.pools[code]
	if p.n == len(p.blocks)*perBlock(code) {
		p.blocks = append(p.blocks, d.arena.Alloc(blockBytes))
		d.slots += blockBytes
		d.poolDir = d.pools.bytes()
	}
	p.n++
	return d.pools.at(code, p.n-1)
}

// freeSegment gives the memory of a segment back, to which the directory no longer refers. Another segment of the same code may
// move, which must be in the directory.
func (d *Dict) freeSegment(e entry) {
	code := e.code()
	if d.pools == nil || code > maxCode {
		d.slots -= int64(d.arena.SizeOf(e.ref()))
		d.arena.Free(e.ref())
		return
	}
	p := &d.pools[code]
	if last := d.pools.at(code, p.n-1); last != e.ref() {
		n := geometries[code].bytes
		copy(e.ref().Bytes(n), last.Bytes(n))
		prefix := e.prefix() // of the segment that moved here
		d.dir.set(prefix, d.dir.entry(prefix).withRef(e.ref()))
	}
	p.n--
	if p.n%perBlock(code) == 0 {
		end := len(p.blocks) - 1
		d.arena.Free(p.blocks[end])
		p.blocks = p.blocks[:end]
		d.slots -= blockBytes
		if cap(p.blocks) > 8 && len(p.blocks) < cap(p.blocks)/4 {
			p.blocks = append(make([]arena.Ref, 0, 2*len(p.blocks)), p.blocks...)
			d.poolDir = d.pools.bytes()
		}
	}
}

// freeBoth frees two segments. A segment that is free already must not be the one that moves, so the last of its pool goes first.
func (d *Dict) freeBoth(x, y entry) {
	if c := y.code(); d.pools != nil && c <= maxCode && d.pools.at(c, d.pools[c].n-1) == y.ref() {
		x, y = y, x
	}
	d.freeSegment(x)
	d.freeSegment(y)
}

// choosePools moves the segments into pools, or out of them, when their number has changed that much. It copies about 1 MiB, and not
// again before the dict has shrunk to a third or so.
func (d *Dict) choosePools() {
	switch {
	case d.pools == nil && d.segs >= poolAbove:
		d.pools = new(pools)
		d.eachSegment(func(prefix uint64, e entry) {
			if e.code() > maxCode {
				return
			}
			r := d.allocSegment(e.code())
			d.moveSegment(prefix, e, r)
			d.slots -= int64(d.arena.SizeOf(e.ref()))
			d.arena.Free(e.ref())
		})
	case d.pools != nil && d.segs <= unpoolAt:
		old := d.pools
		d.pools = nil
		d.eachSegment(func(prefix uint64, e entry) {
			if e.code() <= maxCode {
				d.moveSegment(prefix, e, d.allocSegment(e.code()))
			}
		})
		for code := range old {
			d.slots -= int64(len(old[code].blocks)) * blockBytes
		}
		old.clear(d.arena)
		d.poolDir = 0
	}
}

func (d *Dict) moveSegment(prefix uint64, e entry, to arena.Ref) {
	n := e.geometry().bytes
	copy(to.Bytes(n), e.ref().Bytes(n))
	d.dir.set(prefix, e.withRef(to))
}

// eachSegment calls fn for all segments in hash order. fn may replace the segment's own entry.
func (d *Dict) eachSegment(fn func(prefix uint64, e entry)) {
	if len(d.dir.top) == 0 {
		return
	}
	for prefix := uint64(0); ; {
		e := d.dir.entry(prefix)
		fn(prefix, e)
		if prefix += span(e.depth()); prefix == 0 {
			return
		}
	}
}
