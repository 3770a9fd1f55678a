package zset

import (
	"github.com/troupe-db/troupe/datatypes/arena"
)

// path is the way from the root to a place in a leaf. Levels count from the leaves up, so that a new root does not
// renumber them.
type path struct {
	at [maxHeight + 1]step
}

type step struct {
	n node
	i int // child taken, or place in the leaf
}

func (z *ZSet) allocNode(level, size int) node {
	r := z.arena.Alloc(size)
	z.pieces += int64(z.arena.SizeOf(r))
	n := node(r)
	*(*[2]uint64)(n.at(0)) = [2]uint64{}
	entry := leafEntry
	if level > 0 {
		entry = innerEntry
	}
	*(*uint16)(n.at(10)) = uint16((size - nodeHead) / entry)
	*(*uint8)(n.at(12)) = uint8(level)
	return n
}

func (z *ZSet) freeNode(n node) {
	r := arena.Ref(n)
	z.pieces -= int64(z.arena.SizeOf(r))
	z.arena.Free(r)
}

// descend fills the levels of p above the leaf, and p.at[0].n, for (key, member). REQUIRES: the tree is not empty.
func (z *ZSet) descend(p *path, key uint64, member []byte) {
	n := z.root
	for l := z.height; l > 0; l-- {
		i := n.child(key, member)
		p.at[l] = step{n, i}
		n = n.kid(i)
	}
	p.at[0].n = n
}

// descendRank fills p for the record of a rank.
func (z *ZSet) descendRank(p *path, rank int) {
	n := z.root
	for l := z.height; l > 0; l-- {
		i, before := n.childAt(rank)
		p.at[l] = step{n, i}
		rank -= before
		n = n.kid(i)
	}
	p.at[0] = step{n, rank}
}

// rankOf returns the rank of the place of p.
func (z *ZSet) rankOf(p *path) int {
	rank := p.at[0].i
	for l := z.height; l > 0; l-- {
		rank += p.at[l].n.before(p.at[l].i)
	}
	return rank
}

// seek returns the leaf and the place in it of a rank.
func (z *ZSet) seek(rank int) (leaf node, i int) {
	n := z.root
	for range z.height {
		j, before := n.childAt(rank)
		rank -= before
		n = n.kid(j)
	}
	return n, rank
}

// below returns how many records are below (key, member).
func (z *ZSet) below(key uint64, member []byte) int {
	if z.root == 0 {
		return 0
	}
	n, rank := z.root, 0
	for range z.height {
		i := n.child(key, member)
		kid := n.kid(i)
		kid.warm() // while counts are added up
		rank += n.before(i)
		n = kid
	}
	return rank + n.lower(key, member)
}

// insertAt puts record r, of key, into the leaf at the end of p, at place p.at[0].i.
func (z *ZSet) insertAt(p *path, r record, key uint64) {
	if leaf := p.at[0].n; leaf.count() == leaf.room() {
		z.makeRoom(p, key)
	}
	leaf, i := p.at[0].n, p.at[0].i
	leaf.insert(i, r, key)
	for l := 1; l <= z.height; l++ {
		p.at[l].n.words(3)[p.at[l].i]++
	}
	if i == 0 {
		z.fixLow(p, 0, r, key)
	}
}

// fixLow tells the nodes above level l of p that r is the lowest record of that node.
func (z *ZSet) fixLow(p *path, l int, r record, key uint64) {
	for l++; l <= z.height; l++ {
		s := p.at[l]
		s.n.setLow(s.i, r, key)
		if s.i > 0 {
			return
		}
	}
}

// replace puts fresh in the place of the node at level l of p, which is freed.
func (z *ZSet) replace(p *path, l int, fresh node) {
	old := p.at[l].n
	if l == z.height {
		z.root = fresh
	} else {
		p.at[l+1].n.words(2)[p.at[l+1].i] = uint64(fresh)
	}
	p.at[l].n = fresh
	z.freeNode(old)
}

// resizeLeaf moves the leaf at the end of p into one of another size.
func (z *ZSet) resizeLeaf(p *path, size int) {
	leaf := p.at[0].n
	fresh := z.allocNode(0, size)
	if leaf.tagsPoor() {
		var kb, rb [leafMax]uint64
		fresh.fill(leaf.load(kb[:0], rb[:0]))
	} else {
		c := leaf.count()
		fresh.setBase(leaf.base())
		fresh.setShift(leaf.shift())
		fresh.setRetagFrom(leaf.retagFrom())
		fresh.setCount(c)
		copy(fresh.tags(), leaf.tags()[:c])
		copy(fresh.recBytes(0, c), leaf.recBytes(0, c))
	}
	z.replace(p, 0, fresh)
}

// makeRoom makes room for one more entry in the leaf at the end of p, at the place where p points: it grows, or splits. key is that of the
// entry to come.
func (z *ZSet) makeRoom(p *path, key uint64) {
	leaf, i := p.at[0].n, p.at[0].i
	c := leaf.count()
	if c < leafLimits.most {
		z.resizeLeaf(p, leafSize(c+1))
		return
	}
	z.kidRoom(p, 1)
	up := &p.at[1]
	switch {
	case i == c && z.atEdge(p, 0, true), i == 0 && z.atEdge(p, 0, false):
		// In ascending or descending order a new leaf begins with the new record, and those before are left full. What range its tags
		// should cover is yet to be seen: as much as in the neighbour.
		fresh := z.allocNode(0, leafSize(1))
		fresh.setBase(key)
		fresh.setShift(leaf.shift())
		if i == 0 {
			fresh.setBase(key - min(key, uint64(maxTag)<<leaf.shift()))
		} else {
			up.i++
		}
		up.n.insertKid(up.i, fresh, 0, key, 0) // insertAt sets the lowest record: it goes to place 0
		p.at[0] = step{fresh, 0}
	default:
		var kb, rb [leafMax]uint64
		keys, recs := leaf.load(kb[:0], rb[:0])
		half := c / 2
		left := z.allocNode(0, leafSize(half+half/16+1))
		right := z.allocNode(0, leafSize(c-half+half/16+1))
		left.fill(keys[:half], recs[:half])
		right.fill(keys[half:], recs[half:])
		z.replace(p, 0, left)
		up.n.words(3)[up.i] = uint64(half)
		up.n.insertKid(up.i+1, right, recs[half], keys[half], c-half)
		if i > half {
			up.i++
			p.at[0] = step{right, i - half}
		}
	}
}

// atEdge tells whether all nodes of p above level l take their last, or their first, child.
func (z *ZSet) atEdge(p *path, l int, last bool) bool {
	for l++; l <= z.height; l++ {
		s := p.at[l]
		if last && s.i != s.n.count()-1 || !last && s.i != 0 {
			return false
		}
	}
	return true
}

// kidRoom makes room for one more child in the node at level l of p, which need not exist yet.
func (z *ZSet) kidRoom(p *path, l int) {
	if l > z.height {
		n := z.allocNode(l, innerSize(2))
		low := z.root.low()
		n.insertKid(0, z.root, low, keyOf(low), z.root.total())
		z.root = n
		z.height = l
		p.at[l] = step{n, 0}
		return
	}
	n, i := p.at[l].n, p.at[l].i
	c := n.count()
	if c < n.room() {
		return
	}
	if c < innerLimits.most {
		fresh := z.allocNode(l, innerSize(c+1))
		fresh.appendKids(n, 0, c)
		z.replace(p, l, fresh)
		return
	}
	z.kidRoom(p, l+1)
	half := c / 2
	if i == c-1 && z.atEdge(p, l, true) {
		half = c - 1
	} else if i == 0 && z.atEdge(p, l, false) {
		half = 1
	}
	left, right := z.allocNode(l, innerSize(half+1)), z.allocNode(l, innerSize(c-half+1))
	left.appendKids(n, 0, half)
	right.appendKids(n, half, c)
	z.replace(p, l, left)
	up := &p.at[l+1]
	moved := right.total()
	up.n.words(3)[up.i] -= uint64(moved)
	up.n.insertKid(up.i+1, right, right.low(), right.keys()[0], moved)
	if i >= half {
		up.i++
		p.at[l] = step{right, i - half}
	}
}

// removeAt takes count entries from the place of p on out of its leaf, which has as many. The tree is mended afterwards; p is used up.
func (z *ZSet) removeAt(p *path, count int) {
	leaf, i := p.at[0].n, p.at[0].i
	leaf.remove(i, i+count)
	for l := 1; l <= z.height; l++ {
		p.at[l].n.words(3)[p.at[l].i] -= uint64(count)
	}
	c := leaf.count()
	if c == 0 {
		rank := z.rankOf(p)
		z.drop(p)
		z.mend(rank)
		return
	}
	if i == 0 {
		low := leaf.rec(0)
		z.fixLow(p, 0, low, keyOf(low))
	}
	if c < leafLimits.least && z.height > 0 {
		z.mend(z.rankOf(p))
	} else if room := leaf.room(); c < room-room/4-1 {
		z.resizeLeaf(p, leafSize(c+c/16+1))
	}
}

// drop takes the empty leaf at the end of p out of the tree, and the nodes above that have nothing else.
func (z *ZSet) drop(p *path) {
	for l := 0; ; l++ {
		z.freeNode(p.at[l].n)
		if l == z.height {
			z.root, z.height = 0, 0
			return
		}
		up := p.at[l+1]
		up.n.removeKid(up.i)
		if up.n.count() == 0 {
			continue
		}
		if up.i == 0 {
			z.fixLow(p, l+1, up.n.low(), up.n.keys()[0])
		}
		return
	}
}

// mend joins or evens out the thin nodes on the ways to a rank and to the one before it, from the root down, so that a thin node always has
// a neighbour when its turn comes.
func (z *ZSet) mend(rank int) {
	if z.root == 0 {
		return
	}
	total := z.root.total()
	z.mendWay(min(rank, total-1))
	if rank > 0 && rank < total {
		z.mendWay(rank - 1)
	}
	for z.height > 0 && z.root.count() == 1 {
		old := z.root
		z.root = old.kid(0)
		z.height--
		z.freeNode(old)
	}
}

func (z *ZSet) mendWay(rank int) {
	n := z.root
	for l := z.height; l > 0; l-- {
		least := innerLimits.least
		if l == 1 {
			least = leafLimits.least
		}
		i, before := n.childAt(rank)
		if n.kid(i).count() < least && n.count() > 1 {
			z.join(n, min(i, n.count()-2))
			i, before = n.childAt(rank)
		}
		rank -= before
		n = n.kid(i)
	}
}

// join makes one node of children i and i+1 of n, or moves entries between them.
func (z *ZSet) join(n node, i int) {
	l, r := n.kid(i), n.kid(i+1)
	lc, c := l.count(), l.count()+r.count()
	var left, right node
	var key uint64
	if level := l.level(); level == 0 {
		var kb, rb [2 * leafMax]uint64
		keys, recs := l.load(kb[:0], rb[:0])
		keys, recs = r.load(keys, recs)
		half := c
		if c > leafLimits.join {
			half = c / 2
			right = z.allocNode(0, leafSize(c-half+2))
			right.fill(keys[half:], recs[half:])
			key = keys[half]
		}
		left = z.allocNode(0, leafSize(half+2))
		left.fill(keys[:half], recs[:half])
	} else {
		half := c
		if c > innerLimits.join {
			half = c / 2
			right = z.allocNode(level, innerSize(c-half+1))
			if half < lc {
				right.appendKids(l, half, lc)
			}
			right.appendKids(r, max(0, half-lc), c-lc)
			key = right.keys()[0]
		}
		left = z.allocNode(level, innerSize(half+1))
		left.appendKids(l, 0, min(half, lc))
		if half > lc {
			left.appendKids(r, 0, half-lc)
		}
	}
	z.freeNode(l)
	z.freeNode(r)
	counts, kids := n.counts(), n.kids()
	kids[i] = uint64(left)
	sum := counts[i] + counts[i+1]
	if right == 0 {
		counts[i] = sum
		n.removeKid(i + 1)
		return
	}
	counts[i] = uint64(left.total())
	counts[i+1] = sum - counts[i]
	kids[i+1] = uint64(right)
	n.setLow(i+1, right.low(), key)
}
