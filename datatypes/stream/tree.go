package stream

import (
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// Trees. One kind of B+tree serves three ends: the blocks of a stream by their first ID, the pending entries of a group and
// those of a consumer by their ID. It is made for keys that come in ascending order: a full node is split behind its
// last key then, so that nodes stay full.
//
//	node   refs u32 | n u8 | cap u8 | level u8 | – | key × cap (ID) | value × cap (words × u64; the child in inner nodes)
//
// Key i of an inner node is a lower bound of the keys below child i; that of child 0 means nothing.
//
// Copy-on-write: a node knows how many parents, roots included, refer to it. A view takes a reference to the root. Whoever
// wants to write takes the path down from the root and copies what has several references (own); the children of
// a copy get one more. So freezing is O(1), the first write to a leaf copies one node a level, and any number of views can
// live as long as they want to. An epoch per node would need no count but could not tell when the last of several
// views has gone.

// Tests make these small, to get high trees of few keys.
var (
	nodeMax   uint8 = 63 // with 16, 24 and 40 bytes for a key and a value this fills the size classes 1024, 1536 and 2560
	nodeMerge       = 48 // two neighbours become one node when both fit into so much
	nodeThin  uint8 = 16 // a node of fewer keys looks for a neighbour to merge with
)

const (
	maxHeight  = 32
	nodeHeader = 8
	idBytes    = 16
)

// value is what a tree holds for a key, tree.words of it.
type value [3]uint64

// tree is the handle of a B+tree. The zero handle with words set is an empty tree. Methods that change it are given the pool
// that it lives in.
type tree struct {
	root    arena.Ref
	count   int
	words   uint8 // of a value
	height  uint8 // levels; 0 when there is no root
	counted bool  // values are blocks, which count their references too
}

// node is the head of a node.
type node struct {
	refs  uint32
	n     uint8
	cap   uint8
	level uint8 // 0 for a leaf
	_     uint8
}

func nodeAt(r arena.Ref) *node { return (*node)(r.Ptr()) }

// keys returns all key places of the node, used or not.
func (nd *node) keys() []ID {
	return unsafe.Slice((*ID)(unsafe.Add(unsafe.Pointer(nd), nodeHeader)), int(nd.cap))
}

// words returns all value places of the node.
func (nd *node) words(w int) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Add(unsafe.Pointer(nd), nodeHeader+idBytes*int(nd.cap))), int(nd.cap)*w)
}

func (nd *node) children() []uint64 { return nd.words(1) }

// upper returns how many keys of the node are ≤ k.
func (nd *node) upper(k ID) int {
	keys := nd.keys()[:nd.n]
	lo, hi := 0, len(keys)
	if hi > 0 && !k.Less(keys[hi-1]) {
		return hi
	}
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if k.Less(keys[mid]) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// child returns the index of the child that k belongs to.
func (nd *node) child(k ID) int { return max(nd.upper(k)-1, 0) }

// valueWords returns the words of a value in nodes of this level.
func (t *tree) valueWords(level uint8) int {
	if level > 0 {
		return 1
	}
	return int(t.words)
}

func (t *tree) newNode(p *pool, level, capacity uint8) arena.Ref {
	r := p.alloc(nodeHeader + int(capacity)*(idBytes+8*t.valueWords(level)))
	*nodeAt(r) = node{refs: 1, cap: capacity, level: level}
	return r
}

// remake returns a copy of the node r with another capacity, for the one reference of r that the caller holds. References of what r
// refers to are the caller's business.
func (t *tree) remake(p *pool, r arena.Ref, capacity uint8) arena.Ref {
	old := nodeAt(r)
	w := t.valueWords(old.level)
	c := t.newNode(p, old.level, capacity)
	nd := nodeAt(c)
	nd.n = old.n
	copy(nd.keys(), old.keys()[:old.n])
	copy(nd.words(w), old.words(w)[:int(old.n)*w])
	return c
}

// own returns r, or a copy of it in its place if others refer to r too. The caller stores the result where it has r from.
func (t *tree) own(p *pool, r arena.Ref) arena.Ref {
	nd := nodeAt(r)
	if nd.refs == 1 {
		return r
	}
	nd.refs--
	r = t.remake(p, r, nd.cap)
	if nd.level > 0 || t.counted {
		for _, c := range nodeAt(r).children()[:nd.n] {
			*(*uint32)(arena.Ref(c).Ptr())++ // nodes and blocks begin with their count
		}
	}
	return r
}

// resize is own for a node that nobody else refers to, with another capacity.
func (t *tree) resize(p *pool, r arena.Ref, capacity uint8) arena.Ref {
	c := t.remake(p, r, capacity)
	p.free(r)
	return c
}

// ready is own for a node that is to take another key: it has room if a node can have it.
func (t *tree) ready(p *pool, r arena.Ref) arena.Ref {
	r = t.own(p, r)
	if nd := nodeAt(r); nd.n == nd.cap && nd.cap < nodeMax {
		r = t.resize(p, r, min(nd.cap*2+1, nodeMax))
	}
	return r
}

// share returns another handle of the tree as it is now. Both may be changed independently; each must be released.
func (t *tree) share() tree {
	if t.root != 0 {
		nodeAt(t.root).refs++
	}
	return *t
}

// clone returns a copy of the tree in another pool, blocks included, without the room that blocks have.
func (t *tree) clone(p *pool) tree {
	n := *t
	if t.root != 0 {
		n.root = t.cloneNode(p, t.root)
	}
	return n
}

func (t *tree) cloneNode(p *pool, r arena.Ref) arena.Ref {
	r = t.remake(p, r, nodeAt(r).cap)
	nd := nodeAt(r)
	if nd.level > 0 {
		for i, c := range nd.children()[:nd.n] {
			nd.children()[i] = uint64(t.cloneNode(p, arena.Ref(c)))
		}
	} else if t.counted {
		for i, b := range nd.children()[:nd.n] {
			nd.children()[i] = uint64(p.copyBlock(arena.Ref(b), 0))
		}
	}
	return r
}

// release lets go of the tree: what nobody else refers to is freed.
func (t *tree) release(p *pool) {
	if t.root != 0 {
		t.drop(p, t.root)
	}
	t.root, t.count, t.height = 0, 0, 0
}

func (t *tree) drop(p *pool, r arena.Ref) {
	nd := nodeAt(r)
	if nd.refs--; nd.refs > 0 {
		return
	}
	if nd.level > 0 {
		for _, c := range nd.children()[:nd.n] {
			t.drop(p, arena.Ref(c))
		}
	} else if t.counted {
		for _, b := range nd.children()[:nd.n] {
			dropBlock(p, arena.Ref(b))
		}
	}
	p.free(r)
}

// place is where an entry of a tree is. It is good until the tree changes.
type place struct {
	leaf arena.Ref
	i    int
}

func (c place) ok() bool { return c.leaf != 0 }
func (c place) key() ID  { return nodeAt(c.leaf).keys()[c.i] }

func (t *tree) values(c place) []uint64 {
	return nodeAt(c.leaf).words(int(t.words))[c.i*int(t.words) : (c.i+1)*int(t.words)]
}

// find returns the place of k, or none.
func (t *tree) find(k ID) place {
	c := t.seekLE(k)
	if c.ok() && c.key() == k {
		return c
	}
	return place{}
}

// seekLE returns the place of the last key ≤ k, or none.
func (t *tree) seekLE(k ID) place {
	if t.root == 0 {
		return place{}
	}
	r, before := t.root, arena.Ref(0)
	for {
		nd := nodeAt(r)
		if nd.level == 0 {
			if i := nd.upper(k); i > 0 {
				return place{r, i - 1}
			}
			break
		}
		i := nd.child(k)
		if i > 0 {
			before = arena.Ref(nd.children()[i-1])
		}
		r = arena.Ref(nd.children()[i])
	}
	if before == 0 {
		return place{}
	}
	return lastOf(before)
}

// seekGE returns the place of the first key ≥ k, or none.
func (t *tree) seekGE(k ID) place {
	if t.root == 0 {
		return place{}
	}
	r, after := t.root, arena.Ref(0)
	for {
		nd := nodeAt(r)
		if nd.level == 0 {
			i := nd.upper(k)
			if i > 0 && nd.keys()[i-1] == k {
				return place{r, i - 1}
			}
			if i < int(nd.n) {
				return place{r, i}
			}
			break
		}
		i := nd.child(k)
		if i+1 < int(nd.n) {
			after = arena.Ref(nd.children()[i+1])
		}
		r = arena.Ref(nd.children()[i])
	}
	if after == 0 {
		return place{}
	}
	return firstOf(after)
}

func (t *tree) firstPlace() place {
	if t.root == 0 {
		return place{}
	}
	return firstOf(t.root)
}

func (t *tree) lastPlace() place {
	if t.root == 0 {
		return place{}
	}
	return lastOf(t.root)
}

func firstOf(r arena.Ref) place {
	for nodeAt(r).level > 0 {
		r = arena.Ref(nodeAt(r).children()[0])
	}
	return place{r, 0}
}

func lastOf(r arena.Ref) place {
	for {
		nd := nodeAt(r)
		if nd.level == 0 {
			return place{r, int(nd.n) - 1}
		}
		r = arena.Ref(nd.children()[nd.n-1])
	}
}

// after returns the place behind c, or none.
func (t *tree) after(c place) place {
	if c.i+1 < int(nodeAt(c.leaf).n) {
		return place{c.leaf, c.i + 1}
	}
	k, ok := c.key().Next()
	if !ok {
		return place{}
	}
	return t.seekGE(k)
}

// before returns the place in front of c, or none.
func (t *tree) before(c place) place {
	if c.i > 0 {
		return place{c.leaf, c.i - 1}
	}
	k, ok := c.key().Prev()
	if !ok {
		return place{}
	}
	return t.seekLE(k)
}

// edit returns the place of k with everything on the way to it owned, so that its value may be changed. REQUIRES: k is there.
func (t *tree) edit(p *pool, k ID) place {
	t.root = t.own(p, t.root)
	r := t.root
	for nodeAt(r).level > 0 {
		nd := nodeAt(r)
		c := &nd.children()[nd.child(k)]
		r = t.own(p, arena.Ref(*c))
		*c = uint64(r)
	}
	return place{r, nodeAt(r).upper(k) - 1}
}

// editLast is edit for the last key.
func (t *tree) editLast(p *pool) place {
	t.root = t.own(p, t.root)
	r := t.root
	for nodeAt(r).level > 0 {
		nd := nodeAt(r)
		c := &nd.children()[nd.n-1]
		r = t.own(p, arena.Ref(*c))
		*c = uint64(r)
	}
	return place{r, int(nodeAt(r).n) - 1}
}

// put sets the value of k and reports whether k is new.
func (t *tree) put(p *pool, k ID, v value) (added bool) {
	if t.root == 0 {
		t.root, t.height = t.newNode(p, 0, 1), 1
	}
	t.root = t.ready(p, t.root)
	right, sep, added := t.insert(p, t.root, k, v)
	if right != 0 {
		top := t.newNode(p, t.height, min(3, nodeMax))
		nd := nodeAt(top)
		nd.n = 2
		nd.keys()[1] = sep
		nd.keys()[0] = nodeAt(t.root).keys()[0]
		nd.children()[0], nd.children()[1] = uint64(t.root), uint64(right)
		t.root = top
		t.height++
	}
	if added {
		t.count++
	}
	return added
}

// insert is put below r, which is ready. When r had to be split it returns the new right part and its lower bound.
func (t *tree) insert(p *pool, r arena.Ref, k ID, v value) (right arena.Ref, sep ID, added bool) {
	nd := nodeAt(r)
	if nd.level == 0 {
		i := nd.upper(k)
		if i > 0 && nd.keys()[i-1] == k {
			copy(nd.words(int(t.words))[(i-1)*int(t.words):], v[:t.words])
			return 0, ID{}, false
		}
		right, sep = t.insertAt(p, r, i, k, v)
		return right, sep, true
	}
	i := nd.child(k)
	c := t.ready(p, arena.Ref(nd.children()[i]))
	nd.children()[i] = uint64(c)
	right, sep, added = t.insert(p, c, k, v)
	if right != 0 {
		right, sep = t.insertAt(p, r, i+1, sep, value{uint64(right)})
	}
	return right, sep, added
}

// insertAt inserts k with v as entry i of the node r, which it splits if that is full.
func (t *tree) insertAt(p *pool, r arena.Ref, i int, k ID, v value) (right arena.Ref, sep ID) {
	nd := nodeAt(r)
	w := t.valueWords(nd.level)
	if n := int(nd.n); n == int(nodeMax) {
		// At the end the left part stays full: keys mostly ascend.
		cut, capacity := n, min(7, nodeMax)
		if i < n {
			cut, capacity = n/2, nodeMax
		}
		right = t.newNode(p, nd.level, capacity)
		rd := nodeAt(right)
		rd.n = uint8(copy(rd.keys(), nd.keys()[cut:n]))
		copy(rd.words(w), nd.words(w)[cut*w:n*w])
		nd.n = uint8(cut)
		if i > cut || cut == n {
			i -= cut
			nd = rd
		}
	}
	n := int(nd.n)
	keys, words := nd.keys(), nd.words(w)
	copy(keys[i+1:n+1], keys[i:n])
	copy(words[(i+1)*w:(n+1)*w], words[i*w:n*w])
	keys[i] = k
	copy(words[i*w:(i+1)*w], v[:w])
	nd.n++
	if right != 0 {
		sep = nodeAt(right).keys()[0]
	}
	return right, sep
}

// remove takes k out. REQUIRES: k is there. Blocks are the caller's to drop.
func (t *tree) remove(p *pool, k ID) {
	t.count--
	t.root = t.own(p, t.root)
	t.delete(p, t.root, k)
	for {
		nd := nodeAt(t.root)
		switch {
		case nd.n == 0:
			p.free(t.root)
			t.root, t.height = 0, 0
			return
		case nd.level > 0 && nd.n == 1:
			old := t.root
			t.root = arena.Ref(nd.children()[0])
			t.height--
			p.free(old)
			// The child may be shared: the next write will see to that.
			continue
		}
		t.root = t.fit(p, t.root)
		return
	}
}

// fit gives a node that is mostly empty a smaller capacity.
func (t *tree) fit(p *pool, r arena.Ref) arena.Ref {
	nd := nodeAt(r)
	if nd.refs == 1 && nd.cap > 1 && int(nd.n)*4 <= int(nd.cap) {
		return t.resize(p, r, nd.cap/2)
	}
	return r
}

// delete removes k below r, which is owned and may be left empty.
func (t *tree) delete(p *pool, r arena.Ref, k ID) {
	nd := nodeAt(r)
	if nd.level == 0 {
		nd.cutOut(nd.upper(k)-1, int(t.words))
		return
	}
	i := nd.child(k)
	c := t.own(p, arena.Ref(nd.children()[i]))
	nd.children()[i] = uint64(c)
	t.delete(p, c, k)
	switch n := nodeAt(c).n; {
	case n == 0:
		p.free(c)
		nd.cutOut(i, 1)
	case n >= nodeThin:
	case i > 0 && t.merge(p, nd, i-1), i+1 < int(nd.n) && t.merge(p, nd, i):
	default:
		nd.children()[i] = uint64(t.fit(p, c))
	}
}

// cutOut removes entry i.
func (nd *node) cutOut(i, w int) {
	n := int(nd.n)
	keys, words := nd.keys(), nd.words(w)
	copy(keys[i:], keys[i+1:n])
	copy(words[i*w:], words[(i+1)*w:n*w])
	nd.n--
}

// merge makes children i and i+1 of parent one if they are small.
func (t *tree) merge(p *pool, parent *node, i int) bool {
	children := parent.children()
	ln, rn := int(nodeAt(arena.Ref(children[i])).n), int(nodeAt(arena.Ref(children[i+1])).n)
	if ln+rn > nodeMerge {
		return false
	}
	left, right := t.own(p, arena.Ref(children[i])), t.own(p, arena.Ref(children[i+1]))
	if int(nodeAt(left).cap) < ln+rn {
		left = t.resize(p, left, nodeMax)
	}
	l, r := nodeAt(left), nodeAt(right)
	w := t.valueWords(l.level)
	copy(l.keys()[ln:], r.keys()[:rn])
	copy(l.words(w)[ln*w:], r.words(w)[:rn*w])
	if l.level > 0 {
		l.keys()[ln] = parent.keys()[i+1] // its own first key means nothing
	}
	l.n = uint8(ln + rn)
	p.free(right)
	children[i] = uint64(left)
	parent.cutOut(i+1, 1)
	return true
}
