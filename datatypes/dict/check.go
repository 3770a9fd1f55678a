package dict

import (
	"fmt"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// checkNew panics when the preconditions of Insert do not hold.
func (d *Dict) checkNew(hash uint64, r arena.Ref) {
	key := d.key(r)
	if d.hash(key) != hash {
		panic(fmt.Sprintf("dict: insert of %q with hash %#x, not %#x", key, hash, d.hash(key)))
	}
	if d.Find(hash, key).OK() {
		panic(fmt.Sprintf("dict: insert of %q, which is present", key))
	}
}

// checkSegment panics when the segment of hash contradicts itself.
func (d *Dict) checkSegment(hash uint64) {
	d.checkEntry(d.dir.entry(hash), prefixOf(hash, d.dir.entry(hash).depth()))
}

func (d *Dict) checkEntry(e entry, prefix uint64) {
	fail := func(format string, args ...any) {
		panic(fmt.Sprintf("dict: segment %#x depth %d code %d: %s", prefix, e.depth(), e.code(), fmt.Sprintf(format, args...)))
	}
	if e.prefix() != prefix {
		fail("has prefix %#x", e.prefix())
	}
	g := e.geometry()
	slots := e.slots()
	n, last, gap := 0, uint64(0), true
	for i, s := range slots {
		if s == 0 {
			gap = true
			continue
		}
		home := int(g.home(s >> 48))
		if s>>48 < last || home > i || (gap && home != i) {
			fail("slot %d of home %d is out of place", i, home)
		}
		n, last, gap = n+1, s>>48, false
	}
	if n != e.count() || slots[g.cap] != 0 {
		fail("has %d records, not %d", n, e.count())
	}
}

// check panics when anything in the dict contradicts anything else. O(Len), reads all keys.
func (d *Dict) check() {
	n, segs, depth := 0, 0, uint(0)
	slots := int64(0)
	d.eachSegment(func(prefix uint64, e entry) {
		segs++
		n += e.count()
		depth = max(depth, e.depth())
		if d.pools == nil || e.code() > maxCode {
			slots += int64(d.arena.SizeOf(e.ref()))
		}
		if d.maxCode < uint8(e.code()) {
			panic("dict: a segment is larger than the largest")
		}
		d.checkEntry(e, prefix)
		l := d.dir.leaf(prefix)
		for i := range uint64(1) << (l.depth() - e.depth()) {
			if l.entries[l.index(prefix)+i] != e {
				panic("dict: entries of a segment differ")
			}
		}
		for _, s := range e.slots() {
			if s == 0 {
				continue
			}
			h := d.hash(d.key(arena.Ref(s & refMask)))
			if prefixOf(h, e.depth()) != prefix || h<<e.depth()>>48 != s>>48 {
				panic("dict: a record is in the wrong segment")
			}
		}
	})
	bytes := int64(len(d.dir.top)) * wordBytes
	seen := map[*leaf]bool{}
	maxDepth := uint(0)
	for _, l := range d.dir.top {
		if seen[l] {
			continue
		}
		seen[l] = true
		maxDepth = max(maxDepth, l.depth())
		bytes += leafBytes + int64(len(l.entries))*wordBytes
		deep := l.deep
		if l.recount(); deep != l.deep || (deep == 0 && l.bits() > 0) {
			panic(fmt.Sprintf("dict: leaf has %d deep segments, not %d", l.deep, deep))
		}
	}
	if d.poolDir != d.pools.bytes() {
		panic("dict: bytes of the pools are miscounted")
	}
	if d.pools != nil {
		for code := range d.pools {
			slots += int64(len(d.pools[code].blocks)) * blockBytes
		}
	}
	if n != d.n || segs != d.segs || slots != d.slots || bytes != d.dir.bytes || depth > maxDepth || uint(d.dir.maxDepth) != maxDepth {
		panic(fmt.Sprintf("dict: records %d/%d segments %d/%d slots %d/%d directory %d/%d depth %d/%d/%d",
			n, d.n, segs, d.segs, slots, d.slots, bytes, d.dir.bytes, depth, maxDepth, d.dir.maxDepth))
	}
}
