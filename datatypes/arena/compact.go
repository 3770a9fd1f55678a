package arena

// Compaction. Deleting nine of ten random objects empties hardly any slab: each keeps a tenth of its objects. Only moving them
// gives memory back, and only the owner knows who refers to an object. So the arena chooses slabs and the owner walks its
// references:
//
//	if a.BeginCompact() {
//	    for each reference ref {                  // in slices, other work in between
//	        if a.ShouldMove(ref) { n := a.Alloc(size); copy; swap; a.Free(ref) }
//	    }
//	    a.EndCompact()
//	}
//
// Per class the sparsest slabs are chosen, as many as have live objects that fit into the holes of the others: after the walk
// the others are nearly full and the chosen ones empty, and at no time does the class need another slab.
const (
	occupancies  = 16
	sparse       = 11 // of 16: fuller slabs cost more copying than they give back
	minGainSlabs = 4
	minGainShare = 16 // a gain below a sixteenth of Mapped is not worth a walk over all references
)

// tally counts the slabs of a class by occupancy.
type tally struct {
	slabs, live [occupancies]int
}

// occupancy returns s.live/s.cap in sixteenths; full slabs count with the fullest others.
func occupancy(s *slab) int { return min(int(s.live)*occupancies/int(s.cap), occupancies-1) }

// BeginCompact chooses slabs to empty and takes them out of allocation. It returns false, and has done nothing, when there is
// not enough to gain. It looks at the header of every slab: 0.2 to 0.4 ms per GiB.
func (a *Arena) BeginCompact() bool {
	if a.compacting {
		a.EndCompact()
	}
	tallies := new([nSmall]tally)
	a.eachSlab(func(_ Ref, s *slab) {
		o := occupancy(s)
		tallies[s.class].slabs[o]++
		tallies[s.class].live[o] += int(s.live)
	})
	var quotas [nSmall][sparse]int
	gain := 0
	for c := range tallies {
		gain += tallies[c].quota(slabSize/int(classSize(c)), &quotas[c])
	}
	if gain < minGainSlabs || int64(gain)*slabSize*minGainShare < a.mapped {
		return false
	}
	a.compacting = true
	a.eachSlab(func(h Ref, s *slab) { // from the highest chunk down, so that whole chunks run empty
		o := occupancy(s)
		if o >= sparse || quotas[s.class][o] == 0 {
			return
		}
		quotas[s.class][o]--
		a.mark(h)
	})
	return true
}

// quota decides how many slabs of each occupancy to empty, and returns their sum.
func (t *tally) quota(perSlab int, quota *[sparse]int) (sum int) {
	holes, moved := 0, 0
	for o := range occupancies {
		holes += t.slabs[o]*perSlab - t.live[o]
	}
	for o := range sparse {
		n, live := t.slabs[o], t.live[o]
		if n == 0 {
			continue
		}
		if moved+live > holes-(n*perSlab-live) {
			// Not all of them: m with moved + m·avg ≤ holes − m·(perSlab−avg). An empty slab needs no holes.
			n = max(0, (holes-moved)/perSlab)
			quota[o] = n
			return sum + n
		}
		quota[o] = n
		sum += n
		moved += live
		holes -= n*perSlab - live
	}
	return sum
}

func (a *Arena) mark(h Ref) {
	s := h.slab()
	if s.state == stateBinned {
		a.unlink(&a.cls.bins[s.class][s.bin], h)
	} else if a.cls.cur[s.class] == h {
		a.cls.cur[s.class] = 0
	}
	if s.live == 0 {
		a.releaseSlab(h)
		return
	}
	s.state, s.low = stateMarked, 1
	a.link(&a.marked, h)
}

// ShouldMove reports whether r lies in a slab that BeginCompact chose.
func (a *Arena) ShouldMove(r Ref) bool {
	return a.compacting && headerOf(r).state == stateMarked
}

// EndCompact returns the chosen slabs that did not run empty to normal service.
func (a *Arena) EndCompact() {
	a.compacting = false
	for a.marked != 0 {
		h := a.marked
		a.unlink(&a.marked, h)
		a.file(h)
	}
}

// eachSlab calls fn for the slabs of small objects, from the highest chunk down. It reads the header pages in order, which is
// several times faster than following the lists of the bins.
func (a *Arena) eachSlab(fn func(h Ref, s *slab)) {
	for ci := len(a.chunks) - 1; ci >= 0; ci-- {
		c := a.chunks[ci]
		if c == nil || c.free == allFree {
			continue
		}
		for i := uint(1); i < 64; i++ {
			if h := c.header(i); h.slab().class < nSmall {
				fn(h, h.slab())
			}
		}
	}
}
