package arena

import (
	"fmt"
	"math/bits"
)

// Objects above 16 KiB.
//
// Up to 1 MiB they take a run of neighbouring slabs of a chunk and touch only the pages they need. A mapping for each was rejected:
// Linux allows 65530 mappings per process, which 65530 values of 20 KiB would use up.
//
// Above 1 MiB an object has a mapping of its own, aligned like a chunk and laid out like one (headers in the first 64 KiB, the
// object after it), so that headerRef finds its header in the same way. munmap of a gigabyte took 185 ms,
// which the owner must not wait for; so a freed mapping is kept for reuse, then handed to the reaper or unmapped piecemeal by Trim.
const (
	maxRun        = 1 << 20
	maxFreed      = 4       // freed mappings kept for reuse when there is a reaper for the others
	maxFreedBytes = 8 << 20 // and their bytes
	runTries      = 256     // chunks looked at for a run before a new chunk is mapped; bounds Alloc
	tailPages     = 4       // resident pages beyond a large object's end that are worth a system call
)

// mapping is a region of address space held from the system.
type mapping struct {
	base Ref
	size int64
}

func (a *Arena) allocLarge(size int) Ref {
	if size < 0 || int64(size) > 1<<40 {
		panic(fmt.Sprintf("arena: bad size %d", size))
	}
	pages := uint64(size+pageSize-1) / pageSize
	if size > maxRun {
		return a.allocHuge(pages)
	}
	n := uint(pages+slabPages-1) / slabPages
	ci, i := a.findRun(n)
	a.takeSlabs(ci, i, n)
	c := a.chunks[ci]
	for j := range n {
		s := c.header(i + j).slab()
		need := min(pages-uint64(j)*slabPages, slabPages)
		had := uint64(s.touched)
		if had >= need+tailPages {
			off := Ref(i+j)<<slabShift + Ref(need*pageSize)
			discard(c.base+off, int64(had-need)*pageSize)
			a.mapped -= int64(had-need) * pageSize
			had = need
		} else if had < need {
			a.mapped += int64(need-had) * pageSize
			had = need
		}
		*s = slab{chunk: uint32(ci), class: classRunTail, touched: uint8(had)}
	}
	s := c.header(i).slab()
	s.class, s.live, s.size, s.cap = classRun, 1, uint32(pages), uint32(n)
	a.used += int64(pages) * pageSize
	return c.base + Ref(i)<<slabShift
}

// findRun returns the place of n neighbouring free slabs.
func (a *Arena) findRun(n uint) (ci int, i uint) {
	start, wrapped := a.runHint, a.runHint == 0
	ci = a.withFree.from(start)
	for range runTries {
		if ci < 0 {
			if wrapped {
				break
			}
			wrapped = true
			if ci = a.withFree.first(); ci < 0 {
				break
			}
		}
		if wrapped && ci >= start && start > 0 {
			break
		}
		if m := runs(a.chunks[ci].free, n); m != 0 {
			a.runHint = ci
			return ci, uint(bits.TrailingZeros64(m))
		}
		ci = a.withFree.from(ci + 1)
	}
	ci = a.addChunk()
	a.runHint = ci
	return ci, uint(bits.TrailingZeros64(runs(a.chunks[ci].free, n)))
}

// runs returns the bits at which a run of n set bits begins.
func runs(m uint64, n uint) uint64 {
	for have := uint(1); have < n; {
		step := min(have, n-have)
		m &= m >> step
		have += step
	}
	return m
}

// allocHuge maps an object, or takes a freed mapping that is at most an eighth too large.
func (a *Arena) allocHuge(pages uint64) Ref {
	need := int64(pages)*pageSize + slabSize
	base := Ref(0)
	for i := len(a.freed) - 1; i >= 0 && i >= len(a.freed)-maxFreed; i-- {
		if m := a.freed[i]; m.size >= need && m.size-need <= need/8 {
			base, pages = m.base, uint64(m.size-slabSize)/pageSize
			a.freed = append(a.freed[:i], a.freed[i+1:]...)
			a.freedBytes -= m.size
			a.idle -= int64(pages+1) * pageSize
			break
		}
	}
	if base == 0 {
		base = mapAligned(uintptr(need), true)
		a.mapped += int64(pages+1) * pageSize
	}
	a.headers += pageSize
	r := base + slabSize
	h := headerRef(r)
	s := h.slab()
	*s = slab{class: classHuge, live: 1, size: uint32(pages)}
	a.link(&a.huge, h)
	a.used += int64(pages) * pageSize
	return r
}

func (a *Arena) freeLarge(r Ref, s *slab) {
	a.used -= int64(s.size) * pageSize
	switch s.class {
	case classRun:
		h := headerRef(r)
		for range s.cap {
			a.releaseSlab(h)
			h += 64 // headers of a chunk are neighbours too
		}
	case classHuge:
		size := int64(s.size)*pageSize + slabSize
		a.unlink(&a.huge, headerRef(r))
		s.class, s.live = classFree, 0
		a.headers -= pageSize
		a.idle += size - slabSize + pageSize
		a.freed = append(a.freed, mapping{r - slabSize, size})
		a.freedBytes += size
		for a.reaper != nil && len(a.freed) > 0 && (len(a.freed) > maxFreed || a.freedBytes > maxFreedBytes) {
			m := a.freed[0]
			a.freed = append(a.freed[:0], a.freed[1:]...)
			a.forget(m, m.size)
			a.reap(m)
		}
	default:
		panic(fmt.Sprintf("arena: free of %#x, which is not an object", uint64(r)))
	}
}

// forget takes n bytes at the end of a freed mapping out of the accounts.
func (a *Arena) forget(m mapping, n int64) {
	a.freedBytes -= n
	if n == m.size {
		n -= slabSize - pageSize // of the first 64 KiB only one page was ever touched
	}
	a.idle -= n
	a.mapped -= n
}
