package stream

import (
	"fmt"
	"math/bits"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/invariants"
)

// checkNow panics if the stream contradicts itself, in builds with invariants. It looks at everything, but the seldomer the more there is.
func (s *Stream) checkNow() {
	if !invariants.Enabled {
		return
	}
	n := int(s.length)
	for _, g := range s.groups {
		n += g.pending.count
	}
	if s.version&(1<<bits.Len(uint(n/4))-1) != 0 {
		return
	}
	if err := s.check(); err != nil {
		panic(err)
	}
}

// check looks at everything: order and occupancy of the trees, the blocks, the counters, and that group and consumers agree on
// what is pending. O(n log n).
func (s *Stream) check() error {
	pieces := int64(unsafe.Sizeof(*s)) + pointerBytes*int64(cap(s.groups))
	var length int64
	last, firstLive := ID{}, ID{}
	err := s.blocks.check(s.a, &pieces, func(c place) error {
		b := arena.Ref(s.blocks.values(c)[0])
		pieces += int64(s.a.SizeOf(b))
		if *blockRefs(b) == 0 {
			return fmt.Errorf("stream: block %v is free", c.key())
		}
		if length == 0 {
			for it := s.Range(c.key(), MaxID); it.Next(); {
				firstLive = it.ID()
				break
			}
		}
		if length > 0 && !last.Less(c.key()) {
			return fmt.Errorf("stream: block %v begins before %v", c.key(), last)
		}
		var n int64
		var err error
		last, n, err = ValidateBlock(c.key(), blockBytes(b))
		length += n
		return err
	})
	switch {
	case err != nil:
		return err
	case length != s.length:
		return fmt.Errorf("stream: length %d, found %d", s.length, length)
	case s.last.Less(last):
		return fmt.Errorf("stream: last ID %v, found %v", s.last, last)
	case s.first != firstLive:
		return fmt.Errorf("stream: first ID %v, found %v", s.first, firstLive)
	case s.tailLeaf != 0 && s.blocks.lastPlace().leaf != s.tailLeaf:
		return fmt.Errorf("stream: a leaf is taken for the last one")
	}
	if s.headAt != 0 {
		c := s.blocks.firstPlace()
		lp := s.block(c)
		if e := readEntry(lp, int(s.headAt), c.key(), readHeader(lp).fields); e.id != s.first || e.flags&flagDeleted != 0 {
			return fmt.Errorf("stream: entry %v is taken for the first one", e.id)
		}
	}
	for i, g := range s.groups {
		if i > 0 && s.groups[i-1].name >= g.name {
			return fmt.Errorf("stream: groups %q and %q in this order", s.groups[i-1].name, g.name)
		}
		if err := g.check(&pieces); err != nil {
			return err
		}
	}
	if s.views == 0 && pieces != s.bytes {
		return fmt.Errorf("stream: %d bytes, found %d", s.bytes, pieces)
	}
	return nil
}

func (g *Group) check(pieces *int64) error {
	a := g.s.a
	*pieces += g.heapAll()
	sum := 0
	for i, c := range g.consumers {
		if g.slots[c.slot] != c || i > 0 && g.consumers[i-1].name >= c.name {
			return fmt.Errorf("stream: consumer %q is not where it should be", c.name)
		}
		sum += c.pending.count
		err := c.pending.check(a, pieces, func(at place) error {
			if p, ok := g.Find(at.key()); !ok || p.Consumer != c {
				return fmt.Errorf("stream: consumer %q has %v, its group has not", c.name, at.key())
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if sum != g.pending.count {
		return fmt.Errorf("stream: group %q has %d pending, its consumers %d", g.name, g.pending.count, sum)
	}
	return g.pending.check(a, pieces, func(place) error { return nil })
}

// check looks at all nodes of a tree, adds their memory to pieces and calls leaf for each entry.
func (t *tree) check(a *arena.Arena, pieces *int64, leaf func(place) error) error {
	if t.root == 0 {
		if t.count != 0 || t.height != 0 {
			return fmt.Errorf("stream: a tree of %d without a root", t.count)
		}
		return nil
	}
	count := 0
	var prev ID
	var walk func(r arena.Ref, level int, lo ID, hi *ID) error
	walk = func(r arena.Ref, level int, lo ID, hi *ID) error {
		nd := nodeAt(r)
		*pieces += int64(a.SizeOf(r))
		if nd.n == 0 || nd.n > nd.cap || nd.cap > nodeMax || int(nd.level) != level || nd.refs == 0 || level >= maxHeight {
			return fmt.Errorf("stream: node of level %d: %+v", level, *nd)
		}
		for i, k := range nd.keys()[:nd.n] {
			if level == 0 {
				if count > 0 && !prev.Less(k) || k.Less(lo) || hi != nil && !k.Less(*hi) {
					return fmt.Errorf("stream: key %v behind %v, in a node from %v to %v", k, prev, lo, hi)
				}
				prev = k
				count++
				if err := leaf(place{r, i}); err != nil {
					return err
				}
				continue
			}
			from, to := k, hi
			if i == 0 {
				from = lo
			}
			if i+1 < int(nd.n) {
				to = &nd.keys()[i+1]
			}
			if err := walk(arena.Ref(nd.children()[i]), level-1, from, to); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(t.root, int(t.height)-1, ID{}, nil); err != nil {
		return err
	}
	if count != t.count {
		return fmt.Errorf("stream: tree of %d, found %d", t.count, count)
	}
	return nil
}
