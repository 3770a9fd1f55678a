package list

import (
	"fmt"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// The tree of inner chunks: a B+tree in which nothing is compared, since position is all there is. Every inner node knows how many chunks and
// elements lie below each child. Nodes are pieces of arena memory of up to 1 KiB; the only leaf of a small tree starts smaller.
//
// Changes are made on the way down and back up by recursion. A node that a view can see is copied first, with all nodes above it.
//
// Splitting takes place where the new chunk goes: behind the last chunk of the tree the full node stays full and a new one begins, so a list
// that grows at an end, as most do, has full nodes. A node that has run less than a third full is merged with a neighbour if that leaves
// some room.
type node struct {
	birth uint32
	n     uint16 // slots in use
	cap   uint16
	_     uint64
}

// child is a slot of an inner node.
type child struct {
	ref    arena.Ref
	elems  uint64
	chunks uint64
}

const (
	nodeHead = 16
	nodeSize = 1 << 10
	leafMax  = (nodeSize - nodeHead) / 32
	innerMax = (nodeSize - nodeHead) / 24
	firstCap = 3 // of the first leaf
)

func nodeAt(r arena.Ref) *node { return (*node)(r.Ptr()) }

// leafSlots returns the chunks of a leaf.
func leafSlots(r arena.Ref) []chunk {
	n := nodeAt(r)
	return unsafe.Slice((*chunk)(unsafe.Add(r.Ptr(), nodeHead)), n.cap)[:n.n]
}

// innerSlots returns the children of an inner node.
func innerSlots(r arena.Ref) []child {
	n := nodeAt(r)
	return unsafe.Slice((*child)(unsafe.Add(r.Ptr(), nodeHead)), n.cap)[:n.n]
}

// leafAt returns the slots of the leaf that holds the chunk of that rank of the tree, and where.
func (s *seq) leafAt(rank int) (slots []chunk, i int) {
	r := s.root
	for range s.level {
		for _, c := range innerSlots(r) {
			if rank < int(c.chunks) {
				r = c.ref
				break
			}
			rank -= int(c.chunks)
		}
	}
	return leafSlots(r), rank
}

// treeSeek returns the rank in the tree of the chunk with element index of the tree, and the element's position there.
func (s *seq) treeSeek(index int) (rank, within int) {
	r := s.root
	for range s.level {
		for _, c := range innerSlots(r) {
			if index < int(c.elems) {
				r = c.ref
				break
			}
			index -= int(c.elems)
			rank += int(c.chunks)
		}
	}
	for _, c := range leafSlots(r) {
		if index < int(c.count) {
			break
		}
		index -= int(c.count)
		rank++
	}
	return rank, index
}

// newNode returns an empty node with so many slots.
func (l *List) newNode(level, slots int) arena.Ref {
	size := nodeHead + slots*int(unsafe.Sizeof(chunk{}))
	if level > 0 {
		size = nodeHead + slots*int(unsafe.Sizeof(child{}))
	}
	r := l.alloc(size)
	*nodeAt(r) = node{birth: l.epoch, cap: uint16(slots)}
	return r
}

// ownNode returns r, or a copy if a view can see it.
func (l *List) ownNode(r arena.Ref) arena.Ref {
	if nodeAt(r).birth > l.frozen {
		return r
	}
	return l.copyNode(r)
}

// copyNode returns a copy of r and lets go of r.
func (l *List) copyNode(r arena.Ref) arena.Ref {
	size := l.arena.SizeOf(r)
	to := l.alloc(size)
	copy(to.Bytes(size), r.Bytes(size))
	nodeAt(to).birth = l.epoch
	l.drop(r, nodeAt(r).birth)
	return to
}

// insertSlot puts v before slot i of a node that has room. slots are those in use.
func insertSlot[T chunk | child](n *node, slots []T, i int, v T) {
	slots = slots[:len(slots)+1]
	copy(slots[i+1:], slots[i:])
	slots[i] = v
	n.n++
}

func removeSlot[T chunk | child](n *node, slots []T, i int) {
	copy(slots[i:], slots[i+1:])
	n.n--
}

// sum returns the child that stands for node r.
func sum(r arena.Ref, level int) child {
	c := child{ref: r}
	if level == 0 {
		slots := leafSlots(r)
		for i := range slots {
			c.elems += uint64(slots[i].count)
		}
		c.chunks = uint64(len(slots))
		return c
	}
	for _, s := range innerSlots(r) {
		c.elems += s.elems
		c.chunks += s.chunks
	}
	return c
}

// treeSet puts c in the place of the chunk of that rank of the tree, which had delta elements less.
func (l *List) treeSet(rank int, c chunk, delta int) {
	at := &l.root
	for range l.level {
		*at = l.ownNode(*at)
		slots := innerSlots(*at)
		for i := range slots {
			if s := &slots[i]; rank < int(s.chunks) {
				s.elems += uint64(delta)
				at = &s.ref
				break
			} else {
				rank -= int(s.chunks)
			}
		}
	}
	*at = l.ownNode(*at)
	leafSlots(*at)[rank] = c
}

// treeInsert puts c before the chunk of that rank of the tree, or behind all.
func (l *List) treeInsert(rank int, c chunk) {
	if l.root == 0 {
		l.root, l.level = l.newNode(0, firstCap), 0
	}
	left, right := l.insertInto(l.root, l.level, rank, c)
	l.root = left
	if right == 0 {
		return
	}
	r := l.newNode(l.level+1, innerMax)
	nodeAt(r).n = 2
	slots := innerSlots(r)
	slots[0], slots[1] = sum(left, l.level), sum(right, l.level)
	l.root = r
	l.level++
}

// insertInto inserts c below node r. It returns what takes the place of r: one node, or two when r had to be split.
func (l *List) insertInto(r arena.Ref, level, rank int, c chunk) (left, right arena.Ref) {
	r = l.ownNode(r)
	if level == 0 {
		return l.insertLeaf(r, rank, c)
	}
	slots := innerSlots(r)
	i := 0
	for i < len(slots)-1 && rank > int(slots[i].chunks) { // between two children, it goes into the first
		rank -= int(slots[i].chunks)
		i++
	}
	slots[i].chunks++
	slots[i].elems += uint64(c.count)
	a, b := l.insertInto(slots[i].ref, level-1, rank, c)
	slots[i].ref = a
	if b == 0 {
		return r, 0
	}
	slots[i] = sum(a, level-1)
	add := sum(b, level-1)
	i++
	if nodeAt(r).n < innerMax {
		insertSlot(nodeAt(r), slots, i, add)
		return r, 0
	}
	right = l.newNode(level, innerMax)
	cut := innerMax / 2
	if i == innerMax {
		cut = innerMax
	}
	split(r, right, innerSlots, cut)
	if i > cut || cut == innerMax {
		insertSlot(nodeAt(right), innerSlots(right), i-cut, add)
	} else {
		insertSlot(nodeAt(r), innerSlots(r), i, add)
	}
	return r, right
}

// split moves the slots from cut on to an empty node.
func split[T chunk | child](from, to arena.Ref, slots func(arena.Ref) []T, cut int) {
	all := slots(from)
	nodeAt(to).n = uint16(len(all) - cut)
	copy(slots(to), all[cut:])
	nodeAt(from).n = uint16(cut)
}

func (l *List) insertLeaf(r arena.Ref, i int, c chunk) (left, right arena.Ref) {
	n := nodeAt(r)
	if n.n < n.cap {
		insertSlot(n, leafSlots(r), i, c)
		return r, 0
	}
	if n.cap < leafMax {
		slots := leafMax
		if n.cap == firstCap {
			slots = 3*firstCap + 1
		}
		to := l.newNode(0, slots)
		split(r, to, leafSlots, 0)
		l.drop(r, n.birth)
		insertSlot(nodeAt(to), leafSlots(to), i, c)
		return to, 0
	}
	right = l.newNode(0, leafMax)
	cut := leafMax / 2
	switch i {
	case leafMax:
		cut = leafMax
	case 0:
		cut = 0
	}
	split(r, right, leafSlots, cut)
	if i > cut || cut == leafMax {
		insertSlot(nodeAt(right), leafSlots(right), i-cut, c)
	} else {
		insertSlot(nodeAt(r), leafSlots(r), i, c)
	}
	return r, right
}

// treeRemove removes the chunk of that rank of the tree and returns it.
func (l *List) treeRemove(rank int) chunk {
	r, c := l.removeFrom(l.root, l.level, rank)
	l.root = r
	for l.level > 0 && nodeAt(l.root).n == 1 {
		r := l.root
		l.root = innerSlots(r)[0].ref
		l.level--
		l.drop(r, nodeAt(r).birth)
	}
	if nodeAt(l.root).n == 0 {
		l.drop(l.root, nodeAt(l.root).birth)
		l.root, l.level = 0, 0
	}
	return c
}

// removeFrom removes a chunk below node r and returns what takes the place of r, which may be empty then.
func (l *List) removeFrom(r arena.Ref, level, rank int) (arena.Ref, chunk) {
	r = l.ownNode(r)
	if level == 0 {
		slots := leafSlots(r)
		c := slots[rank]
		removeSlot(nodeAt(r), slots, rank)
		return r, c
	}
	slots := innerSlots(r)
	i := 0
	for rank >= int(slots[i].chunks) {
		rank -= int(slots[i].chunks)
		i++
	}
	below, c := l.removeFrom(slots[i].ref, level-1, rank)
	slots[i].ref = below
	slots[i].chunks--
	slots[i].elems -= uint64(c.count)
	most := leafMax
	if level > 1 {
		most = innerMax
	}
	n := int(nodeAt(below).n)
	switch {
	case n == 0:
		l.drop(below, nodeAt(below).birth)
		removeSlot(nodeAt(r), slots, i)
	case n >= most/3:
	case i > 0 && n+int(nodeAt(slots[i-1].ref).n) <= most*3/4:
		l.join(r, i-1, level)
	case i+1 < len(slots) && n+int(nodeAt(slots[i+1].ref).n) <= most*3/4:
		l.join(r, i, level)
	}
	return r, c
}

// join moves all slots of child i+1 of r to the end of child i.
func (l *List) join(r arena.Ref, i, level int) {
	slots := innerSlots(r)
	a, b := l.ownNode(slots[i].ref), slots[i+1].ref
	na, nb := nodeAt(a), nodeAt(b)
	if level == 1 {
		a = l.widen(a, int(na.n+nb.n))
		na = nodeAt(a)
		copy(leafSlots(a)[:na.n+nb.n][na.n:], leafSlots(b))
	} else {
		copy(innerSlots(a)[:na.n+nb.n][na.n:], innerSlots(b))
	}
	na.n += nb.n
	slots[i] = child{ref: a, elems: slots[i].elems + slots[i+1].elems, chunks: slots[i].chunks + slots[i+1].chunks}
	l.drop(b, nb.birth)
	removeSlot(nodeAt(r), slots, i+1)
}

// widen returns a leaf with at least so many slots in the place of r: the first leaf of a tree may have fewer than others.
func (l *List) widen(r arena.Ref, need int) arena.Ref {
	n := nodeAt(r)
	if int(n.cap) >= need {
		return r
	}
	to := l.newNode(0, leafMax)
	split(r, to, leafSlots, 0)
	l.drop(r, n.birth)
	return to
}

// eachNode calls fn for the nodes from r down.
func eachNode(r arena.Ref, level int, fn func(r arena.Ref, level int)) {
	if level > 0 {
		for _, c := range innerSlots(r) {
			eachNode(c.ref, level-1, fn)
		}
	}
	fn(r, level)
}

// checkTree panics when the tree contradicts itself, and returns the child that would stand for it.
func (l *List) checkTree(r arena.Ref, level int) child {
	n := nodeAt(r)
	want := leafMax
	if level > 0 {
		want = innerMax
	}
	if n.n == 0 || n.n > n.cap || int(n.cap) > want || n.birth > l.epoch {
		panic(fmt.Sprintf("list: node with %d of %d slots, epoch %d of %d", n.n, n.cap, n.birth, l.epoch))
	}
	if level > 0 {
		for _, c := range innerSlots(r) {
			if got := l.checkTree(c.ref, level-1); got != c {
				panic(fmt.Sprintf("list: node has %+v where %+v is", c, got))
			}
		}
	}
	return sum(r, level)
}
