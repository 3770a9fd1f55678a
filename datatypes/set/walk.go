package set

import (
	"math/bits"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/dict"
	"github.com/troupe-db/troupe/datatypes/prefetch"
)

// Scan calls fn for members in hash order, from position pos on: at least atLeast of them unless the end comes first. It returns
// the position to resume at, and more = false at the end. A member that is there throughout such a series of calls is seen
// at least once, whatever is added and removed in between; it may be seen twice. See dict.Scan.
func (s *Set) Scan(pos uint64, atLeast int, fn func(Member)) (next uint64, more bool) {
	return s.dict.Scan(pos, atLeast, func(slot dict.Slot) { fn(Member{slot.Ref()}) })
}

// walkChunk is how many members a walk takes at a time: their records are on the way to the processor while it is busy with
// those before them.
const walkChunk = 32

// Walk calls fn for every member in hash order until fn returns false. fn must not change the set.
func (s *Set) Walk(fn func(m Member) bool) {
	var bufs [2][walkChunk + 8]arena.Ref
	cur, ahead := bufs[0][:0], bufs[1][:0]
	for pos, more := uint64(0), s.Len() > 0; more || len(cur) > 0; {
		ahead = ahead[:0]
		if more {
			pos, more = s.dict.Scan(pos, walkChunk, func(slot dict.Slot) {
				r := slot.Ref()
				prefetch.Read(r.Ptr())
				ahead = append(ahead, r)
			})
		}
		for _, r := range cur {
			if !fn(Member{r}) {
				return
			}
		}
		cur, ahead = ahead, cur
	}
}

// WalkWarm is Walk for a caller that looks every member up in other sets: fn gets its hash, and what the lookups need is close to the
// processor by then.
func (s *Set) WalkWarm(others []*Set, fn func(hash uint64, m Member) bool) {
	var bufs [2][walkChunk + 8]arena.Ref
	var hashes [walkChunk]uint64
	cur, ahead := bufs[0][:0], bufs[1][:0]
	for pos, more := uint64(0), s.Len() > 0; more || len(cur) > 0; {
		ahead = ahead[:0]
		if more {
			pos, more = s.dict.Scan(pos, walkChunk, func(slot dict.Slot) {
				r := slot.Ref()
				prefetch.Read(r.Ptr())
				ahead = append(ahead, r)
			})
		}
		for len(cur) > 0 {
			part := cur[:min(len(cur), walkChunk)] // there are more where members share the hash bits that the dict stores
			for i, r := range part {
				h := dict.Hash(Member{r}.Bytes())
				hashes[i] = h
				for _, o := range others {
					o.dict.WarmSlot(h)
				}
			}
			for _, o := range others {
				for _, h := range hashes[:len(part)] {
					o.dict.WarmRecord(h)
				}
			}
			for i, r := range part {
				if !fn(hashes[i], Member{r}) {
					return
				}
			}
			cur = cur[len(part):]
		}
		cur, ahead = ahead, cur[:0]
	}
}

// Random returns a member, each with the same probability; none of an empty set. rnd returns uniform 64-bit numbers.
func (s *Set) Random(rnd func() uint64) Member { return Member{s.dict.Random(rnd)} }

// A sample is drawn from the dict, with a memory of what was drawn, while it is below 1/walkShare of the set; a larger one is
// chosen in one walk over the slots.
const (
	walkShare  = 16
	fewSamples = 32
)

// Sample calls fn for n different members, every choice of n being equally probable, in no particular order. With n ≥ Len that
// is all of them. It takes time in proportion to n, or to Len where n is more than a sixteenth of it; a walk does not look at the
// records that it passes over.
func (s *Set) Sample(rnd func() uint64, n int, fn func(m Member)) {
	size := s.Len()
	if n > size/walkShare || n > size {
		// Each member in turn is chosen with the probability (still wanted) / (still to come).
		left, want := uint64(size), uint64(min(n, size))
		s.dict.Scan(0, size, func(slot dict.Slot) {
			if r, _ := bits.Mul64(rnd(), left); r < want {
				want--
				fn(Member{slot.Ref()})
			}
			left--
		})
		return
	}
	if n <= fewSamples {
		var seen [fewSamples]arena.Ref
	draw:
		for i := 0; i < n; {
			r := s.dict.Random(rnd)
			for _, other := range seen[:i] {
				if r == other {
					continue draw
				}
			}
			seen[i] = r
			i++
			fn(Member{r})
		}
		return
	}
	seen := make(map[arena.Ref]struct{}, n)
	for len(seen) < n {
		r := s.dict.Random(rnd)
		if _, ok := seen[r]; !ok {
			seen[r] = struct{}{}
			fn(Member{r})
		}
	}
}
