package stream

import (
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// Clone returns an independent copy in another arena (or the same one), with groups. O(n).
func (s *Stream) Clone(to *arena.Arena) *Stream {
	n := New(to)
	n.length, n.first, n.last, n.maxDeleted, n.added = s.length, s.first, s.last, s.maxDeleted, s.added
	n.blocks = s.blocks.clone(&n.pool)
	for i, g := range s.groups {
		n.groups = insertCharged(&n.pool, n.groups, i, g.clone(n))
	}
	return n
}

// clone returns a copy of the group in another stream.
func (g *Group) clone(s *Stream) *Group {
	p := &s.pool
	n := &Group{s: s, name: g.name, last: g.last, reads: g.reads, pending: g.pending.clone(p)}
	n.slots = make([]*Consumer, len(g.slots))
	n.consumers = make([]*Consumer, len(g.consumers))
	n.freeSlots = append([]uint32(nil), g.freeSlots...)
	for i, c := range g.consumers {
		m := &Consumer{}
		*m = *c
		m.g, m.pending = n, c.pending.clone(p)
		n.consumers[i], n.slots[m.slot] = m, m
	}
	p.charge(n.heapAll())
	return n
}

// Free gives every piece back to the arena. The stream must not be used afterwards; views stay as they are until their End.
func (s *Stream) Free() {
	s.changing()
	for _, g := range s.groups {
		g.free()
	}
	s.blocks.release(&s.pool)
	s.charge(-int64(unsafe.Sizeof(*s)) - pointerBytes*int64(cap(s.groups)))
	s.groups, s.tailLeaf, s.length = nil, 0, 0
}

// isView is Stream.views of the stream of a view.
const isView = -1

// View is a stream as of one instant, while the stream itself is changed further.
type View struct {
	of    *Stream
	still Stream
	heap  int64
}

// Freeze returns a view of the stream as it is now. It costs O(groups + consumers). Until View.End changes of the
// stream copy what the view needs: a block, and a node of the tree per level, at their first change each. The stream must not be moved to
// another arena meanwhile.
func (s *Stream) Freeze() *View {
	v := &View{of: s, still: *s}
	t := &v.still
	t.pool = pool{a: s.a}
	t.views, t.tailLeaf, t.mover = isView, 0, nil
	t.blocks = s.blocks.share()
	t.groups = make([]*Group, len(s.groups))
	v.heap = int64(unsafe.Sizeof(*v)) + pointerBytes*int64(len(s.groups))
	for i, g := range s.groups {
		t.groups[i] = g.still(t)
		v.heap += t.groups[i].heapAll()
	}
	s.charge(v.heap)
	s.tailLeaf = 0 // the way to it is shared now
	s.views++
	return v
}

// Stream returns the stream as it was. It must not be changed, and is gone with End.
func (v *View) Stream() *Stream { return &v.still }

// still returns the group as part of the stream of a view.
func (g *Group) still(s *Stream) *Group {
	n := &Group{}
	*n = *g
	n.s = s
	n.pending = g.pending.share()
	n.freeSlots = nil
	n.slots = make([]*Consumer, len(g.slots))
	n.consumers = make([]*Consumer, len(g.consumers))
	for i, c := range g.consumers {
		m := &Consumer{}
		*m = *c
		m.g, m.pending = n, c.pending.share()
		n.consumers[i], n.slots[m.slot] = m, m
	}
	return n
}

// Step calls fn for the next n blocks, which the view then lets go of: those that the stream does not have any more are freed, others can be
// written to in place again. It returns false when no block is left. What fn gets is good for the call. Stream does not
// have these blocks any more, but Len and all else that it tells about itself, and its groups, are as they were.
func (v *View) Step(n int, fn func(first ID, lp []byte)) (more bool) {
	t, p := &v.still.blocks, &v.of.pool
	for c := t.firstPlace(); c.ok(); c = t.firstPlace() {
		if n == 0 {
			return true
		}
		n--
		first, b := c.key(), arena.Ref(t.values(c)[0])
		fn(first, blockBytes(b))
		t.remove(p, first)
		dropBlock(p, b)
	}
	return false
}

// End lets go of the view: what only it needed is freed.
func (v *View) End() {
	s, t := v.of, &v.still
	for _, g := range t.groups {
		for _, c := range g.consumers {
			c.pending.release(&s.pool)
		}
		g.pending.release(&s.pool)
	}
	t.blocks.release(&s.pool)
	t.groups = nil
	s.charge(-v.heap)
	s.views--
	v.of = nil
}

// Frozen reports whether there are views of the stream.
func (s *Stream) Frozen() bool { return s.views > 0 }

// mover is how far a compaction has come: the trees of the stream one after another, each in order of its keys.
type mover struct {
	part uint64 // 0 for the blocks; then for every group its pending entries and those of its consumers
	from ID     // the next key to look at in that tree
}

// Compact moves blocks and nodes for which Arena().ShouldMove. It looks at about budget of them, from where the call before has
// ended, or from the start if pos is 0, and returns what to give the next call. While there are views nothing is
// moved.
func (s *Stream) Compact(pos uint64, budget int) (next uint64, more bool) {
	if s.Frozen() {
		return 0, false
	}
	if pos == 0 || s.mover == nil {
		s.mover = &mover{}
	}
	m := s.mover
	for budget > 0 {
		t := s.treeAt(m.part)
		if t == nil {
			s.mover = nil
			return 0, false
		}
		budget -= s.compactLeaf(t, &m.from, budget)
		if m.from.IsZero() {
			m.part++
		}
	}
	return pos + 1, true
}

// treeAt returns the tree with number i of those that the stream has, nil behind the last one.
func (s *Stream) treeAt(i uint64) *tree {
	if i == 0 {
		return &s.blocks
	}
	i--
	for _, g := range s.groups {
		if i == 0 {
			return &g.pending
		}
		i--
		if i < uint64(len(g.consumers)) {
			return &g.consumers[i].pending
		}
		i -= uint64(len(g.consumers))
	}
	return nil
}

// compactLeaf moves the nodes on the way to key *from that should be moved, and up to budget blocks of the leaf from there
// on. It leaves in *from where to go on, the zero ID when that was all, and returns how many pieces it has looked at.
func (s *Stream) compactLeaf(t *tree, from *ID, budget int) (looked int) {
	at := t.seekGE(*from)
	if !at.ok() {
		*from = ID{}
		return 1
	}
	key := at.key()
	s.tailLeaf = 0
	s.version++ // iterators have places in leaves
	for _, g := range s.groups {
		g.version++
	}
	link := (*uint64)(unsafe.Pointer(&t.root))
	var nd *node
	for {
		looked++
		r := arena.Ref(*link)
		if s.a.ShouldMove(r) {
			r = t.resize(&s.pool, r, nodeAt(r).cap)
			*link = uint64(r)
		}
		if nd = nodeAt(r); nd.level == 0 {
			break
		}
		link = &nd.children()[nd.child(key)]
	}
	i := nd.upper(key) - 1
	if !t.counted {
		i = int(nd.n)
	}
	for first := true; i < int(nd.n) && (first || looked < budget); i++ {
		first = false
		looked++
		v := &nd.children()[i]
		if b := arena.Ref(*v); s.a.ShouldMove(b) {
			*v = uint64(s.copyBlock(b, 0))
			s.free(b)
		}
	}
	next, ok := nd.keys()[min(i, int(nd.n)-1)], true
	if i == int(nd.n) {
		next, ok = next.Next()
	}
	if !ok {
		next = ID{}
	}
	*from = next
	return looked
}
