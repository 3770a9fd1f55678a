package list

import (
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/invariants"
)

// Clone returns an independent copy of the list in another arena. O(n).
func (l *List) Clone(to *arena.Arena) *List {
	n := New(to, l.opts)
	r := reader{s: &l.seq, arena: l.arena}
	for rank := range l.n {
		c := *r.chunk(rank)
		from := c.ref().Bytes(int(c.zip))
		if !c.is(isZip) {
			from = c.raw()
		}
		ref := n.alloc(len(from))
		copy(ref.Bytes(len(from)), from)
		c.where = c.where&^refMask | uint64(ref)
		c.start, c.birth = 0, n.epoch
		n.insertChunk(rank, c)
	}
	n.checkSome()
	return n
}

// Free gives every piece back to the arena; the list must not be used afterwards. REQUIRES: no view is in use. O(chunks).
func (l *List) Free() {
	if invariants.Enabled && l.Frozen() {
		panic("list: freed under a view")
	}
	r := reader{s: &l.seq, arena: l.arena}
	for rank := range l.n {
		l.free(r.chunk(rank).ref())
	}
	if l.root != 0 {
		eachNode(l.root, l.level, func(r arena.Ref, _ int) { l.free(r) })
	}
	l.seq = seq{}
	l.heap(-int64(unsafe.Sizeof(*l)))
	if invariants.Enabled && l.bytes != 0 {
		panic("list: bytes left after Free")
	}
}

// Compact moves pieces out of the slabs that the arena wants to empty. It looks at budget chunks from rank pos on, and returns where to go on and
// whether there is more. Nothing moves while a view is in use.
func (l *List) Compact(pos uint64, budget int) (next uint64, more bool) {
	if l.Frozen() || pos >= uint64(l.n) {
		return 0, false
	}
	rank := int(pos)
	until := min(rank+max(budget, 1), l.n)
	for ; rank < until; rank++ {
		switch rank {
		case 0:
			l.compactChunk(&l.ends[0])
		case l.n - 1:
			l.compactChunk(&l.ends[1])
		default:
			l.compactInner(rank - 1)
		}
	}
	l.checkSome()
	return uint64(rank), rank < l.n
}

// compactInner moves the chunk of that rank of the tree and the nodes above it.
func (l *List) compactInner(rank int) {
	at := &l.root
	for range l.level {
		l.compactNode(at)
		for i, s := range innerSlots(*at) {
			if rank < int(s.chunks) {
				at = &innerSlots(*at)[i].ref
				break
			}
			rank -= int(s.chunks)
		}
	}
	l.compactNode(at)
	l.compactChunk(&leafSlots(*at)[rank])
}

func (l *List) compactNode(at *arena.Ref) {
	if l.arena.ShouldMove(*at) {
		*at = l.copyNode(*at)
	}
}

// compactChunk moves the piece of c with the room that it has.
func (l *List) compactChunk(c *chunk) {
	old := c.ref()
	if !l.arena.ShouldMove(old) {
		return
	}
	size := l.arena.SizeOf(old)
	to := l.alloc(size)
	copy(to.Bytes(size), old.Bytes(size))
	c.where = c.where&^refMask | uint64(to)
	l.free(old)
}
