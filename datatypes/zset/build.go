package zset

import (
	"math"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/dict"
	"github.com/troupe-db/troupe/datatypes/listpack"
)

// Aggregate is how Builder.Merge combines scores.
type Aggregate uint8

// Ways to combine two scores.
const (
	Sum Aggregate = iota // inf plus -inf makes 0
	Min
	Max
)

// Combine returns the combined score of a and b. Of equal ones Min and Max return a, which matters for -0.
func (g Aggregate) Combine(a, b float64) float64 {
	switch g {
	case Min:
		if b < a {
			return b
		}
		return a
	case Max:
		if b > a {
			return b
		}
		return a
	}
	if sum := a + b; sum == sum {
		return sum
	}
	return 0
}

// Builder makes a set of many members: their order is found once, at the end, by sorting. Either Finish or Discard must be called.
//
//	b := zset.NewBuilder(a, expected)
//	b.Merge(member, score, zset.Sum)
//	z := b.Finish()
//
// Until then members are in the dict only, and in a list in the order in which they came, which takes 16 bytes a member (twice
// that while sorting) of the arena and goes with Finish.
type Builder struct {
	z       *ZSet
	list    arena.Ref // []item
	n, room int       // items, and how many the list has room for
	rising  bool      // items came in order
	falling bool      // items came in reverse order
	stale   bool      // scores have changed since: keys of items are not to be trusted
	holes   bool      // members have gone since: items are not to be trusted
	longest int

	minusZero bool // a score was -0

	pending  int // records that are not in the dict yet: their slots are on the way from memory
	hashes   [batch]uint64
	pendings [batch]record
}

// batch is how many insertions into the dict wait for memory together.
const batch = 16

// item is a record with its key, or with what else it is to be sorted by.
type item struct {
	key uint64
	rec record
}

const itemBytes = int(unsafe.Sizeof(item{}))

func items(r arena.Ref, n int) []item {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*item)(r.Ptr()), n)
}

// NewBuilder returns a builder of a set in a. hint is the expected number of members, or 0.
func NewBuilder(a *arena.Arena, hint int) *Builder {
	b := &Builder{z: New(a), rising: true, falling: true}
	if hint > 0 {
		b.grow(hint)
	}
	return b
}

func (b *Builder) grow(room int) {
	a := b.z.arena
	fresh := a.Alloc(room * itemBytes)
	room = a.SizeOf(fresh) / itemBytes
	copy(items(fresh, room), items(b.list, b.n))
	if b.room > 0 {
		a.Free(b.list)
	}
	b.list, b.room = fresh, room
}

// Len returns the number of members.
func (b *Builder) Len() int { return b.z.dict.Len() + b.pending }

// MaxMember returns the length of the longest member that was added.
func (b *Builder) MaxMember() int { return b.longest }

// MinusZero reports that a score is, or was for a time, -0: AppendPacked makes 0 of it.
func (b *Builder) MinusZero() bool { return b.minusZero }

func isMinusZero(score float64) bool { return score == 0 && math.Signbit(score) }

// Bytes returns about how much memory the set will have. O(1).
func (b *Builder) Bytes() int64 { return b.z.Bytes() + int64(b.Len())*(leafEntry+1) }

// Add adds a member that is known to be new. It is the quickest way; members in ascending or descending order need no sorting.
func (b *Builder) Add(member []byte, score float64) {
	b.add(dict.Hash(member), member, score)
}

func (b *Builder) add(hash uint64, member []byte, score float64) {
	if score != score {
		panic("zset: score is NaN")
	}
	z := b.z
	z.dict.WarmSlot(hash)
	ref := z.arena.Alloc(recordSize(len(member)))
	z.pieces += int64(z.arena.SizeOf(ref))
	putRecord(ref, member, score)
	if b.pending == batch {
		b.flush()
	}
	b.hashes[b.pending], b.pendings[b.pending] = hash, record(ref)
	b.pending++
	b.longest = max(b.longest, len(member))
	b.minusZero = b.minusZero || isMinusZero(score)

	if b.n == b.room {
		b.grow(max(16, 2*b.n))
	}
	key := orderedKey(score)
	if b.n > 0 && (b.rising || b.falling) {
		c := compareTo(key, member, items(b.list, b.n)[b.n-1].rec)
		b.rising = b.rising && c > 0
		b.falling = b.falling && c < 0
	}
	items(b.list, b.n+1)[b.n] = item{key, record(ref)}
	b.n++
}

func (b *Builder) flush() {
	for i := range b.pending {
		b.z.dict.Insert(b.hashes[i], arena.Ref(b.pendings[i]))
	}
	b.pending = 0
}

// find returns the record of member, or 0.
func (b *Builder) find(hash uint64, member []byte) record {
	if b.pending > 0 {
		b.flush()
	}
	if s := b.z.dict.Find(hash, member); s.OK() {
		return record(s.Ref())
	}
	return 0
}

// Get returns the score of a member added before.
func (b *Builder) Get(member []byte) (score float64, ok bool) {
	if r := b.find(dict.Hash(member), member); r != 0 {
		return scoreOf(r), true
	}
	return 0, false
}

// Put adds a member or, when it is there already, replaces its score.
func (b *Builder) Put(member []byte, score float64) (added bool) {
	h := dict.Hash(member)
	r := b.find(h, member)
	if r == 0 {
		b.add(h, member, score)
		return true
	}
	b.rescore(r, score)
	return false
}

// Merge adds a member or, when it is there already, combines its score with what it has.
func (b *Builder) Merge(member []byte, score float64, how Aggregate) (added bool) {
	h := dict.Hash(member)
	r := b.find(h, member)
	if r == 0 {
		b.add(h, member, score)
		return true
	}
	b.rescore(r, how.Combine(scoreOf(r), score))
	return false
}

func (b *Builder) rescore(r record, score float64) {
	if score != score {
		panic("zset: score is NaN")
	}
	was := scoreOf(r)
	setScore(r, score) // also when it is 0 in the place of -0: that is no other key, but another text
	b.minusZero = b.minusZero || isMinusZero(score)
	if was != score {
		b.stale, b.rising, b.falling = true, false, false
	}
}

// Remove takes a member out.
func (b *Builder) Remove(member []byte) bool {
	h := dict.Hash(member)
	r := b.find(h, member)
	if r == 0 {
		return false
	}
	b.z.dict.Delete(h, member)
	b.z.freeRecord(r)
	b.holes, b.rising, b.falling = true, false, false
	return true
}

// sorted returns all items in order.
func (b *Builder) sorted() []item {
	b.flush()
	list := items(b.list, b.n)
	if b.holes {
		list = list[:0]
		b.z.dict.Scan(0, b.z.dict.Len(), func(s dict.Slot) {
			list = append(list, item{rec: record(s.Ref())})
		})
		b.n, b.holes, b.stale = len(list), false, true
	}
	if b.stale {
		for i := range list {
			list[i].key = keyOf(list[i].rec)
		}
		b.stale = false
	}
	switch {
	case b.rising:
	case b.falling:
		for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
			list[i], list[j] = list[j], list[i]
		}
	case len(list) < radixMin:
		sortItems(list, nil)
	default:
		a := b.z.arena
		spare := a.Alloc(len(list) * itemBytes)
		sortItems(list, items(spare, len(list)))
		a.Free(spare)
	}
	b.rising, b.falling = true, len(list) < 2
	return list
}

// AppendPacked appends the members in order, as a listpack, to dst. Discard the builder afterwards.
func (b *Builder) AppendPacked(dst []byte) []byte {
	at := len(dst)
	lp := listpack.AppendEmpty(dst)[at:]
	for _, it := range b.sorted() {
		lp = packedAppend(lp, memberOf(it.rec), scoreOf(it.rec))
	}
	return append(dst, lp...)
}

// Finish returns the set. O(n).
func (b *Builder) Finish() *ZSet {
	g := grower{z: b.z}
	for _, it := range b.sorted() {
		g.add(it.key, it.rec)
	}
	g.finish()
	b.freeList()
	z := b.z
	b.z = nil
	z.charge()
	return z
}

// Discard gives everything back. O(n).
func (b *Builder) Discard() {
	b.flush()
	b.freeList()
	b.z.Free()
	b.z = nil
}

func (b *Builder) freeList() {
	if b.room > 0 {
		b.z.arena.Free(b.list)
	}
	b.list, b.n, b.room = 0, 0, 0
}

// grower makes the tree of a set from records in order. Nodes are filled to the last place: leaves have the size they need, and
// whether the next insertions come at the end or all over the set is not known.
type grower struct {
	z      *ZSet
	keys   [leafMax + leafMax/4]uint64
	recs   [leafMax + leafMax/4]record
	n      int
	levels []*level
}

// level collects children until they fill a node, and some more, so that the last node of a level is not thin.
type level struct {
	keys, lows, kids, counts [innerMax + innerMax/4]uint64
	n, made                  int
}

func (g *grower) add(key uint64, r record) {
	if g.n == leafLimits.most+leafLimits.least {
		g.leaf(leafLimits.most)
	}
	g.keys[g.n], g.recs[g.n] = key, r
	g.n++
}

// leaf makes a leaf of the first n records.
func (g *grower) leaf(n int) {
	leaf := g.z.allocNode(0, leafSize(n))
	leaf.fill(g.keys[:n], g.recs[:n])
	g.kid(0, leaf, g.recs[0], g.keys[0], n)
	copy(g.keys[:], g.keys[n:g.n])
	g.n = copy(g.recs[:], g.recs[n:g.n])
}

// kid adds a child to the nodes of level l+1.
func (g *grower) kid(l int, kid node, low record, key uint64, count int) {
	if l == len(g.levels) {
		g.levels = append(g.levels, new(level))
	}
	v := g.levels[l]
	if v.n == innerLimits.most+innerLimits.least {
		g.inner(l, innerLimits.most)
	}
	i := v.n
	v.keys[i], v.lows[i], v.kids[i], v.counts[i] = key, low, uint64(kid), uint64(count)
	v.n++
}

// inner makes a node of the first n children of level l+1.
func (g *grower) inner(l, n int) {
	v := g.levels[l]
	in := g.z.allocNode(l+1, innerSize(n))
	in.setCount(n)
	for a, from := range [4]*[innerMax + innerMax/4]uint64{&v.keys, &v.lows, &v.kids, &v.counts} {
		copy(in.words(a), from[:n])
		copy(from[:], from[n:v.n])
	}
	v.n -= n
	v.made++
	g.kid(l+1, in, in.low(), in.keys()[0], in.total())
}

// finish makes the last nodes of all levels and the root.
func (g *grower) finish() {
	if g.n == 0 {
		return
	}
	for _, n := range lastNodes(g.n, leafLimits.most) {
		if n > 0 {
			g.leaf(n)
		}
	}
	for l := 0; ; l++ {
		v := g.levels[l]
		if v.n == 1 && v.made == 0 {
			g.z.root, g.z.height = node(v.kids[0]), l
			return
		}
		for _, n := range lastNodes(v.n, innerLimits.most) {
			if n > 0 {
				g.inner(l, n)
			}
		}
	}
}

// lastNodes divides what is left of a level.
func lastNodes(n, most int) [2]int {
	if n <= most {
		return [2]int{n}
	}
	return [2]int{n - n/2, n / 2}
}
