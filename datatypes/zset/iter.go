package zset

import (
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/datatypes/prefetch"
)

// Iter walks a range, of a ZSet or of a listpack. It is valid until the next change of what it walks. It is a plain value and
// allocates nothing:
//
//	for it := r.Range(lo, hi, false); it.Next(); {
//		w.Bulk(it.Member())
//		w.Double(it.Score())
//	}
type Iter struct {
	left    int // members to come
	reverse bool

	z      *ZSet
	rank   int // of the member to come
	leaf   node
	i, end int // place in leaf of the member to come, and where the leaf ends
	rec    record

	lp         []byte
	off, score int // offsets of the member to come, and of the present score
	member     int // offset of the present member
	text       [20]byte
}

// ahead is how many records are on their way from memory while one is looked at.
const ahead = 8

// Range returns an iterator over the members of ranks lo ≤ rank < hi, from lo up or, reverse, from hi-1 down.
// Bounds beyond the ends are cut. O(1); the first Next is O(log n), the others are O(1) on average.
func (z *ZSet) Range(lo, hi int, reverse bool) Iter {
	lo, hi = max(lo, 0), min(hi, z.Len())
	it := Iter{z: z, left: max(hi-lo, 0), reverse: reverse, rank: lo}
	if reverse {
		it.rank = hi - 1
	}
	return it
}

// PackedRange is ZSet.Range for a packed set. O(n); the iteration costs O(1) a member.
func PackedRange(lp []byte, lo, hi int, reverse bool) Iter {
	lo, hi = max(lo, 0), min(hi, PackedLen(lp))
	it := Iter{lp: lp, left: max(hi-lo, 0), reverse: reverse}
	if it.left > 0 {
		if reverse {
			lo = hi - 1
		}
		it.off = listpack.Seek(lp, 2*lo)
	}
	return it
}

// Left returns how many members Next has yet to come to.
func (it *Iter) Left() int { return it.left }

// Next moves to the first or next member and tells whether there is one.
func (it *Iter) Next() bool {
	if it.left == 0 {
		return false
	}
	it.left--
	if it.lp != nil {
		it.nextPacked()
		return true
	}
	if it.i == it.end {
		it.enter()
	}
	it.rec = it.leaf.rec(it.i)
	// Records of neighbours are anywhere in memory: a range read without this waits for each in turn.
	if it.reverse {
		if j := it.i - ahead; j > it.end && it.left >= ahead {
			prefetch.Read(recordPtr(it.leaf.rec(j)))
		}
		it.i--
		it.rank--
	} else {
		if j := it.i + ahead; j < it.end && it.left >= ahead {
			prefetch.Read(recordPtr(it.leaf.rec(j)))
		}
		it.i++
		it.rank++
	}
	return true
}

// enter goes to the leaf of the member to come. From the root that is a few comparisons of counts in memory that is at hand, once per
// leaf: not worth links between leaves, which splits, merges and moves would have to keep right.
func (it *Iter) enter() {
	it.leaf, it.i = it.z.seek(it.rank)
	n := min(ahead, it.left+1)
	if it.reverse {
		it.end = -1
		for j := it.i; j > max(-1, it.i-n); j-- {
			prefetch.Read(recordPtr(it.leaf.rec(j)))
		}
		return
	}
	it.end = it.leaf.count()
	for j := it.i; j < min(it.end, it.i+n); j++ {
		prefetch.Read(recordPtr(it.leaf.rec(j)))
	}
}

func (it *Iter) nextPacked() {
	it.member = it.off
	it.score = listpack.Next(it.lp, it.member)
	if it.left == 0 {
		return
	}
	if it.reverse {
		it.off = listpack.Prev(it.lp, listpack.Prev(it.lp, it.member))
	} else {
		it.off = listpack.Next(it.lp, it.score)
	}
}

// Member returns the member. It is valid until Next, and as long as the record or listpack that it aliases.
func (it *Iter) Member() []byte {
	if it.lp != nil {
		return listpack.Text(it.lp, it.member, it.text[:0])
	}
	return memberOf(it.rec)
}

// Score returns the score.
func (it *Iter) Score() float64 {
	if it.lp != nil {
		return packedScore(it.lp, it.score)
	}
	return scoreOf(it.rec)
}
