package zset

import (
	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/dict"
)

// Clone returns an independent copy in another arena. Its records lie in order, its nodes are full. O(n).
func (z *ZSet) Clone(to *arena.Arena) *ZSet {
	c := New(to)
	g := grower{z: c}
	var hashes [batch]uint64
	var recs [batch]record
	pending := 0
	flush := func() {
		for i := range pending {
			c.dict.Insert(hashes[i], arena.Ref(recs[i]))
		}
		pending = 0
	}
	for it := z.Range(0, z.Len(), false); it.Next(); {
		member := it.Member()
		n := recordSize(len(member))
		ref := to.Alloc(n)
		copy(ref.Bytes(n), arena.Ref(it.rec).Bytes(n))
		c.pieces += int64(to.SizeOf(ref))
		if pending == batch {
			flush()
		}
		h := dict.Hash(member)
		c.dict.WarmSlot(h)
		hashes[pending], recs[pending] = h, record(ref)
		pending++
		g.add(keyOf(it.rec), record(ref))
	}
	flush()
	g.finish()
	c.charge()
	return c
}

// Free gives every piece back to the arena. O(n). The set must not be used afterwards.
func (z *ZSet) Free() {
	for len(z.views) > 0 {
		z.views[0].End()
	}
	if n := z.dict.Len(); n > 0 {
		z.dict.Scan(0, n, func(s dict.Slot) { z.freeRecord(record(s.Ref())) })
	}
	z.dict.Clear()
	if z.root != 0 {
		z.freeTree(z.root)
		z.root, z.height = 0, 0
	}
	z.arena.Charge(-z.charged)
	z.charged = 0
}

func (z *ZSet) freeTree(n node) {
	if n.level() > 0 {
		for _, kid := range n.kids() {
			z.freeTree(node(kid))
		}
	}
	z.freeNode(n)
}

// Compact moves pieces for which Arena().ShouldMove, looking at about budget of them from position pos on, and returns where to go on. It begins
// at 0. The set may change between the calls.
//
// First come the records in hash order: positions are those of dict.Scan shifted right, which leaves their lowest bits to the second part, the
// nodes by rank (lowest bit set). Nodes that changes in between move to the other side of that position are left where they are.
func (z *ZSet) Compact(pos uint64, budget int) (next uint64, more bool) {
	if z.root == 0 {
		return 0, false
	}
	if pos&1 == 0 {
		next, more = z.dict.Scan(pos, budget, z.moveRecord)
		if more {
			return next, true
		}
		return 1, true
	}
	rank := int(pos >> 1)
	for ; budget > 0 && rank < z.Len(); budget -= leafLimits.least {
		rank = z.moveNodes(rank)
	}
	if rank < z.Len() {
		return uint64(rank)<<1 | 1, true
	}
	z.dict.Compact()
	return 0, false
}

// moveRecord moves the record of a slot if the arena wishes so: slot, leaf, and the nodes that have it as their lowest.
func (z *ZSet) moveRecord(s dict.Slot) {
	old := s.Ref()
	if !z.arena.ShouldMove(old) {
		return
	}
	member := memberOf(record(old))
	key := keyOf(record(old))
	var p path
	z.find(&p, key, member, record(old))
	n := recordSize(len(member))
	fresh := z.arena.Alloc(n)
	copy(fresh.Bytes(n), old.Bytes(n))
	s.Set(fresh)
	leaf, i := p.at[0].n, p.at[0].i
	leaf.setRec(i, record(fresh))
	if i == 0 {
		z.fixLow(&p, 0, record(fresh), key)
	}
	z.arena.Free(old)
}

// moveNodes moves the leaf of a rank and the nodes above it if the arena wishes so, and returns the rank after the leaf.
func (z *ZSet) moveNodes(rank int) int {
	var p path
	z.descendRank(&p, rank)
	for l := z.height; l >= 0; l-- {
		old := arena.Ref(p.at[l].n)
		if !z.arena.ShouldMove(old) {
			continue
		}
		size := z.arena.SizeOf(old)
		fresh := z.arena.Alloc(size)
		z.pieces += int64(z.arena.SizeOf(fresh))
		copy(fresh.Bytes(size), old.Bytes(size))
		z.replace(&p, l, node(fresh))
	}
	return rank - p.at[0].i + p.at[0].n.count()
}
