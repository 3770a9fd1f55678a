package arena

import "math/bits"

// What Trim does at most in one call, and what it leaves for reuse.
const (
	trimBytes = 8 << 20 // about half a millisecond of work for the kernel
	trimCalls = 64      // system calls
	keepBytes = 1 << 20 // idle bytes left alone, at most a sixteenth of the live bytes
)

// SetReaper lets run take over unmapping: it is called with a function that may take long, and that it should call on some
// other goroutine. Without a reaper Trim unmaps, a bounded piece per call.
func (a *Arena) SetReaper(run func(func())) { a.reaper = run }

// Trim gives idle memory back to the system, a bounded amount per call; it is meant to be called several times a second, and costs
// next to nothing when there is nothing to do. A little idle memory, in proportion to the live bytes, is kept for reuse.
func (a *Arena) Trim() {
	for c, h := range a.cls.cur {
		if h != 0 && h.slab().live == 0 {
			a.cls.cur[c] = 0
			a.releaseSlab(h)
		}
	}
	keep := min(keepBytes, a.used/16)
	budget, calls := int64(trimBytes), trimCalls

	// Mappings of their own, from their ends, so that one of a gigabyte does not take one long call.
	for len(a.freed) > 0 && budget > 0 && calls > 0 && a.idle > keep {
		m := &a.freed[0]
		n := m.size
		if a.reaper == nil && m.size > budget+slabSize { // the rest keeps its header page
			n = budget
		}
		a.forget(*m, n)
		m.size -= n
		part := mapping{m.base + Ref(m.size), n}
		if m.size == 0 {
			a.freed = append(a.freed[:0], a.freed[1:]...)
		}
		budget, calls = budget-a.reap(part), calls-1
	}

	// Empty chunks, all but one unless nothing lives at all. Pages of the one that stays go with the dirty slabs below.
	spare := 1
	if a.used == 0 {
		spare = 0
	}
	for ci := a.withFree.last(len(a.chunks)); ci >= 0 && a.empties > spare && budget > 0 && calls > 0; ci = a.withFree.last(ci - 1) {
		if a.chunks[ci].free == allFree {
			resident := a.mapped
			m := a.dropChunk(ci)
			resident -= a.mapped
			if a.reap(m) > 0 {
				budget -= resident
			}
			calls--
		}
		if ci == 0 {
			break
		}
	}
	for len(a.chunks) > 0 && a.chunks[len(a.chunks)-1] == nil {
		a.chunks = a.chunks[:len(a.chunks)-1]
	}

	// Empty slabs, from the highest chunk down: the low ones are reused first.
	for ci := a.withDirty.last(len(a.chunks)); ci >= 0 && a.idle > keep && budget > 0 && calls > 0; {
		c := a.chunks[ci]
		i := uint(bits.Len64(c.dirty) - 1)
		n := uint(bits.LeadingZeros64(^(c.dirty << (63 - i)))) // dirty slabs that end with i
		first := i + 1 - n
		bytes := int64(0)
		for j := first; j <= i; j++ {
			s := c.header(j).slab()
			bytes += int64(s.touched) * pageSize
			s.touched = 0
		}
		discard(c.base+Ref(first)<<slabShift, int64(n)*slabSize)
		a.idle -= bytes
		a.mapped -= bytes
		budget, calls = budget-bytes, calls-1
		c.dirty &^= (uint64(1)<<n - 1) << first
		a.fileChunk(ci)
		if c.dirty == 0 {
			if ci == 0 {
				break
			}
			ci = a.withDirty.last(ci - 1)
		}
	}
}

// reap unmaps m, here or by the reaper, and returns the bytes this goroutine had to unmap.
func (a *Arena) reap(m mapping) int64 {
	if a.reaper != nil {
		a.reaper(func() { unmap(m.base, m.size) })
		return 0
	}
	unmap(m.base, m.size)
	return m.size
}

// Release gives everything back; the arena is empty afterwards and may be used again. Every Ref of it is invalid. It takes time in
// proportion to the memory held, so whoever drops a large arena calls it on another goroutine, having let go of the arena.
func (a *Arena) Release() {
	for h := a.huge; h != 0; {
		s := h.slab()
		m := mapping{h &^ chunkMask, int64(s.size)*pageSize + slabSize}
		h = s.next
		unmap(m.base, m.size)
	}
	for _, m := range a.freed {
		unmap(m.base, m.size)
	}
	for _, c := range a.chunks {
		if c != nil {
			unmap(c.base, chunkSize)
		}
	}
	*a = Arena{cls: &noClasses, reaper: a.reaper}
}
