package zset

import (
	"bytes"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/dict"
	"github.com/troupe-db/troupe/datatypes/invariants"
	"github.com/troupe-db/troupe/datatypes/prefetch"
)

// ZSet is a large sorted set: members with scores, found by member and by order.
//
// Order is by score, then by member as bytes.Compare has it; -0 and 0 are equal scores. A score is never NaN. Ranks count from 0 at
// the lowest score. A ZSet has one owner; nothing is locked. Unless said otherwise an operation is O(log n).
//
// Slices that methods return alias a record: they are valid until the next change of the set. Arguments are copied; those of Get, Rank
// and Remove may alias a record.
type ZSet struct {
	dict  dict.Dict
	arena *arena.Arena

	root   node  // 0: empty
	height int   // levels of inner nodes above the leaves
	pieces int64 // Σ SizeOf of records and nodes

	charged int64 // Go heap bytes that the arena was told of
	views   []*View
}

const headBytes = int64(unsafe.Sizeof(ZSet{}))

// New returns an empty set in a.
func New(a *arena.Arena) *ZSet {
	z := &ZSet{dict: *dict.New(a, recordKeyOff), arena: a}
	z.charge()
	return z
}

// Len returns the number of members.
func (z *ZSet) Len() int { return z.dict.Len() }

// Arena returns where the set lives.
func (z *ZSet) Arena() *arena.Arena { return z.arena }

// Bytes returns all memory of the set: its pieces of the arena and what is on the Go heap. O(1).
func (z *ZSet) Bytes() int64 { return z.pieces + z.dict.Bytes() + headBytes }

// Frozen reports that a view is under way.
func (z *ZSet) Frozen() bool { return len(z.views) > 0 }

// charge tells the arena of what changed on the Go heap.
func (z *ZSet) charge() {
	if now := headBytes + z.dict.DirBytes(); now != z.charged {
		z.arena.Charge(now - z.charged)
		z.charged = now
	}
}

// manyMembers is where asking the dict for the size of its directory, which takes some 20 ns for a large one, is no longer done at
// every change. What is then not charged yet is less than one directory page.
const manyMembers = 1 << 16

func (z *ZSet) chargeOften() {
	if n := z.dict.Len(); n < manyMembers || n&63 == 0 {
		z.charge()
	}
	if invariants.Enabled {
		z.checkSometimes()
	}
}

// Set gives member a score. added tells that the member is new, changed that it had another score before.
// REQUIRES: score is not NaN.
func (z *ZSet) Set(member []byte, score float64) (added, changed bool) {
	if score != score {
		panic("zset: score is NaN")
	}
	h := dict.Hash(member)
	key := orderedKey(score)
	var p path
	if z.height > 0 {
		// The way down needs no member as a rule. The slot and the tags of the leaf arrive at the same time.
		z.dict.WarmSlot(h)
		z.descend(&p, key, member)
		p.at[0].n.warm()
	} else if z.root != 0 {
		p.at[0].n = z.root
	}
	if s := z.dict.Find(h, member); s.OK() {
		r := record(s.Ref())
		old := scoreOf(r)
		if old == score {
			return false, false
		}
		z.leaving(h, member, r)
		z.rescore(r, member, old, score)
		z.chargeOften()
		return false, true
	}
	z.arriving(h, member)
	ref := z.arena.Alloc(recordSize(len(member)))
	z.pieces += int64(z.arena.SizeOf(ref))
	putRecord(ref, member, score)
	if z.root == 0 {
		z.root = z.allocNode(0, leafSize(1))
		z.root.setBase(key)
		p.at[0].n = z.root
	}
	p.at[0].i = p.at[0].n.lower(key, member)
	z.insertAt(&p, record(ref), key)
	z.dict.Insert(h, ref)
	z.chargeOften()
	return true, false
}

// rescore changes the score of record r and its place in the tree.
func (z *ZSet) rescore(r record, member []byte, old, score float64) {
	oldKey, key := orderedKey(old), orderedKey(score)
	var p path
	z.find(&p, oldKey, member, r)
	if leaf, i := p.at[0].n, p.at[0].i; i > 0 && compareTo(key, member, leaf.rec(0)) > 0 && z.belowNext(&p, key, member) {
		// It stays in its leaf, and is not the lowest of it: nothing above changes. Scores that are counted up do this mostly.
		j := leaf.lower(key, member)
		if j > i {
			j-- // it was below itself
		}
		setScore(r, score)
		leaf.move(i, j, key)
		return
	}
	z.removeAt(&p, 1)
	setScore(r, score)
	if z.root == 0 {
		z.root = z.allocNode(0, leafSize(1))
		z.root.setBase(key)
	}
	z.descend(&p, key, member)
	p.at[0].i = p.at[0].n.lower(key, member)
	z.insertAt(&p, r, key)
}

// find fills p with the way to record r.
func (z *ZSet) find(p *path, key uint64, member []byte, r record) {
	z.descend(p, key, member)
	leaf := p.at[0].n
	p.at[0].i = leaf.lower(key, member)
	if invariants.Enabled && (p.at[0].i >= leaf.count() || leaf.rec(p.at[0].i) != r) {
		panic("zset: a record is not at its place in the tree")
	}
}

// belowNext tells whether (key, member) is below the leaf that follows the one of p.
func (z *ZSet) belowNext(p *path, key uint64, member []byte) bool {
	for l := 1; l <= z.height; l++ {
		if n, i := p.at[l].n, p.at[l].i+1; i < n.count() {
			k := n.keys()[i]
			return key < k || key == k && bytes.Compare(member, memberOf(n.lows()[i])) < 0
		}
	}
	return true
}

// Get returns the score of member. O(1).
func (z *ZSet) Get(member []byte) (score float64, ok bool) {
	if s := z.dict.Find(dict.Hash(member), member); s.OK() {
		return scoreOf(record(s.Ref())), true
	}
	return 0, false
}

// Warm brings what Get and Rank of the members read first close to the processor. It pays before a series of them.
func (z *ZSet) Warm(members ...[]byte) {
	for _, m := range members {
		z.dict.WarmSlot(dict.Hash(m))
	}
	for _, m := range members {
		z.dict.WarmRecord(dict.Hash(m))
	}
}

// Remove takes member out and returns its score.
func (z *ZSet) Remove(member []byte) (score float64, ok bool) {
	h := dict.Hash(member)
	s := z.dict.Find(h, member)
	if !s.OK() {
		return 0, false
	}
	r := record(s.Ref())
	score = scoreOf(r)
	z.leaving(h, member, r)
	var p path
	z.find(&p, orderedKey(score), member, r)
	z.removeAt(&p, 1)
	z.dict.Delete(h, member)
	z.freeRecord(r)
	z.chargeOften()
	return score, true
}

func (z *ZSet) freeRecord(r record) {
	z.pieces -= int64(z.arena.SizeOf(arena.Ref(r)))
	z.arena.Free(arena.Ref(r))
}

// Rank returns how many members are before member in the order, or in the reverse order, and its score.
func (z *ZSet) Rank(member []byte, reverse bool) (rank int, score float64, ok bool) {
	s := z.dict.Find(dict.Hash(member), member)
	if !s.OK() {
		return 0, 0, false
	}
	score = scoreOf(record(s.Ref()))
	rank = z.below(orderedKey(score), member)
	if reverse {
		rank = z.Len() - 1 - rank
	}
	return rank, score, true
}

// At returns the member of a rank. REQUIRES: 0 ≤ rank < Len.
func (z *ZSet) At(rank int) (member []byte, score float64) {
	leaf, i := z.seek(rank)
	r := leaf.rec(i)
	return memberOf(r), scoreOf(r)
}

// Random returns a member, each with the same probability. O(1). REQUIRES: Len > 0; rnd returns uniform 64-bit numbers.
func (z *ZSet) Random(rnd func() uint64) (member []byte, score float64) {
	r := record(z.dict.Random(rnd))
	return memberOf(r), scoreOf(r)
}

// Scan calls fn for members in hash order from cursor pos on, at least atLeast of them if there are as many, and returns the cursor to go
// on at; more = false at the end. A member that is there during a whole iteration is returned at least once; see
// dict.Scan. fn must not change the set.
func (z *ZSet) Scan(pos uint64, atLeast int, fn func(member []byte, score float64)) (next uint64, more bool) {
	return z.dict.Scan(pos, atLeast, func(s dict.Slot) {
		r := record(s.Ref())
		fn(memberOf(r), scoreOf(r))
	})
}

// RemoveRange takes out the members of ranks lo ≤ rank < hi and returns their number. O(log n + hi-lo).
func (z *ZSet) RemoveRange(lo, hi int) int {
	lo, hi = max(lo, 0), min(hi, z.Len())
	if lo >= hi {
		return 0
	}
	for left := hi - lo; left > 0; {
		var p path
		z.descendRank(&p, lo)
		leaf, i := p.at[0].n, p.at[0].i
		n := min(leaf.count()-i, left)
		left -= n
		z.removeRun(&p, n)
	}
	z.charge()
	if invariants.Enabled {
		z.checkSometimes()
	}
	return hi - lo
}

// removeRun takes count members from the place of p on out. Its passes over them let the cache misses of many overlap: first for
// the records, then for the slots of the dict.
func (z *ZSet) removeRun(p *path, count int) {
	var recs [leafMax]record
	var hashes [leafMax]uint64
	leaf, i := p.at[0].n, p.at[0].i
	run := recs[:count]
	for j := range run {
		run[j] = leaf.rec(i + j)
		prefetch.Read(recordPtr(run[j]))
	}
	for j, r := range run {
		hashes[j] = dict.Hash(memberOf(r))
		z.dict.WarmSlot(hashes[j])
	}
	for j, r := range run {
		z.leaving(hashes[j], memberOf(r), r)
	}
	z.removeAt(p, count)
	for j, r := range run {
		z.dict.Delete(hashes[j], memberOf(r))
		z.freeRecord(r)
	}
}

// Reader returns z as something to read from.
func (z *ZSet) Reader() Reader { return Reader{z: z} }
