package dict

import (
	"math/bits"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// Scan calls fn for records in hash order, from position pos on: at least atLeast of them if there are as many, and more only
// where several share their stored hash bits. It returns the position to resume at, and more = false at the end. fn must not
// insert or delete; it may Set slots.
//
// A position is a hash of which only the top 44 bits count (the others are 0): all records with a smaller hash were returned. Since
// position and order depend on hashes alone, a record that is present during the whole iteration is returned at least once, whatever
// splits, merges and resizes happen between the calls. It may come twice: after a merge the segment stores one hash bit less,
// and then the walk resumes at the group of records that the position lies in, not within it.
func (d *Dict) Scan(pos uint64, atLeast int, fn func(Slot)) (next uint64, more bool) {
	if d.n == 0 {
		return 0, false
	}
	atLeast = max(atLeast, 1)
	for got := 0; ; {
		e := d.dir.entry(pos)
		depth := e.depth()
		prefix := prefixOf(pos, depth)
		fp := pos << depth >> 48
		g := e.geometry()
		last := ^uint64(0)
		end := e.slotAt(uint64(g.cap))
		for p := e.slotAt(g.home(fp)); p != end; p = nextSlot(p) {
			s := *p
			if s == 0 || s>>48 < fp {
				continue
			}
			if got >= atLeast && s>>48 != last {
				return prefix | s>>48<<(48-depth), true
			}
			last = s >> 48
			got++
			fn(Slot{p})
		}
		if pos = prefix + span(depth); pos == 0 {
			return 0, false
		}
		if got >= atLeast {
			return pos, true
		}
	}
}

// Draws that Random makes before it looks closer.
const (
	randomTries   = 64
	randomRetries = 256
)

// Random returns a record, each with the same probability, or 0 if there is none. rnd must return uniform 64-bit numbers.
//
// It draws a segment and a slot number and starts over when that hits no record. A random hash hits a segment of depth d with
// probability 2^-d; accepting it only when its next bits, up to the depth of the directory, are zero makes that the same for
// all. The slot number is drawn below the capacity of the largest segment. Two to three draws are the rule, and the rejected ones
// mostly look at the directory only.
func (d *Dict) Random(rnd func() uint64) arena.Ref {
	if d.n == 0 {
		return 0
	}
	for try := range randomTries + randomRetries {
		if try == randomTries { // unlikely, unless the largest segment is gone
			d.remeasure()
		}
		h := rnd()
		e := d.dir.entry(h)
		if deeper := uint(d.dir.maxDepth) - e.depth(); h<<e.depth()>>(64-deeper) != 0 {
			continue
		}
		i, _ := bits.Mul64(rnd(), uint64(geometries[d.maxCode].cap))
		if i >= uint64(e.geometry().cap) {
			continue
		}
		if s := *e.slotAt(i); s != 0 {
			return arena.Ref(s & refMask)
		}
	}
	return d.randomByRank(rnd)
}

// randomByRank is for dicts in which one segment of colliding keys is so large that drawing slots would take for ever.
func (d *Dict) randomByRank(rnd func() uint64) (found arena.Ref) {
	rank, _ := bits.Mul64(rnd(), uint64(d.n))
	d.eachSegment(func(_ uint64, e entry) {
		n := uint64(e.count())
		if found == 0 && rank < n {
			for _, s := range e.slots() {
				if s != 0 {
					if rank == 0 {
						found = arena.Ref(s & refMask)
						return
					}
					rank--
				}
			}
		}
		rank -= n
	})
	return found
}

func (d *Dict) remeasure() {
	d.maxCode = 0
	d.eachSegment(func(_ uint64, e entry) { d.maxCode = max(d.maxCode, uint8(e.code())) })
}
