package zset

import (
	"errors"
	"math"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/netio/resp"
)

// A packed set is a listpack of member, score pairs in order. Scores are stored as Redis 7.4 stores them: one that is an integer
// between -2^62 and 2^62 as an integer, which makes 0 of -0, any other as text.

const (
	maxScoreText  = 32
	maxScoreEntry = maxScoreText + 2
)

// scoreInt returns score as an integer if that is how it is stored.
func scoreInt(score float64) (n int64, ok bool) {
	if score >= -(1<<62) && score <= 1<<62 {
		n = int64(score)
		return n, float64(n) == score
	}
	return 0, false
}

// packedScore returns the score at off.
func packedScore(lp []byte, off int) float64 {
	s, n, isInt := listpack.Get(lp, off)
	if isInt {
		return float64(n)
	}
	f, _ := resp.ParseFloat(s)
	return f
}

// PackedLen returns the number of members.
func PackedLen(lp []byte) int { return listpack.Len(lp) / 2 }

// PackedRoom returns an upper bound of the bytes by which one PackedSet of member lengthens a listpack.
func PackedRoom(member []byte) int { return listpack.MaxEntry(member) + maxScoreEntry }

// PackedGet returns the score of member. O(n), as all functions of packed sets.
func PackedGet(lp, member []byte) (score float64, ok bool) {
	off := listpack.Find(lp, listpack.First(lp), member, 1)
	if off < 0 {
		return 0, false
	}
	return packedScore(lp, listpack.Next(lp, off)), true
}

// PackedRank returns how many members are before member in the order, or in the reverse order, and its score.
func PackedRank(lp, member []byte, reverse bool) (rank int, score float64, ok bool) {
	at := listpack.Find(lp, listpack.First(lp), member, 1)
	if at < 0 {
		return 0, 0, false
	}
	for off := listpack.First(lp); off != at; off = listpack.Next(lp, listpack.Next(lp, off)) {
		rank++
	}
	if reverse {
		rank = PackedLen(lp) - 1 - rank
	}
	return rank, packedScore(lp, listpack.Next(lp, at)), true
}

// PackedSet gives member a score, append style: out is lp edited, in place when its capacity allows. added tells that the member
// is new, changed that it had another score before. REQUIRES: score is not NaN.
func PackedSet(lp, member []byte, score float64) (out []byte, added, changed bool) {
	if score != score {
		panic("zset: score is NaN")
	}
	off := listpack.Find(lp, listpack.First(lp), member, 1)
	if off < 0 {
		return packedInsert(lp, member, score), true, false
	}
	if packedScore(lp, listpack.Next(lp, off)) == score {
		return lp, false, false
	}
	return packedInsert(listpack.DeleteRange(lp, off, 2), member, score), false, true
}

// packedInsert adds a member that is not there.
func packedInsert(lp, member []byte, score float64) []byte {
	off := listpack.First(lp)
	for off >= 0 {
		at := listpack.Next(lp, off)
		s := packedScore(lp, at)
		if s > score || s == score && listpack.Compare(lp, off, member) > 0 {
			break
		}
		off = listpack.Next(lp, at)
	}
	if off < 0 {
		return packedAppend(lp, member, score)
	}
	lp = listpack.InsertBefore(lp, off, member)
	if n, ok := scoreInt(score); ok {
		return listpack.InsertIntAfter(lp, off, n)
	}
	var text [maxScoreText]byte
	return listpack.InsertAfter(lp, off, resp.AppendFloat(text[:0], score))
}

// packedAppend adds a member that is the last in order.
func packedAppend(lp, member []byte, score float64) []byte {
	lp = listpack.Append(lp, member)
	if n, ok := scoreInt(score); ok {
		return listpack.AppendInt(lp, n)
	}
	var text [maxScoreText]byte
	return listpack.Append(lp, resp.AppendFloat(text[:0], score))
}

// PackedRemove takes member out and returns its score.
func PackedRemove(lp, member []byte) (out []byte, score float64, ok bool) {
	off := listpack.Find(lp, listpack.First(lp), member, 1)
	if off < 0 {
		return lp, 0, false
	}
	score = packedScore(lp, listpack.Next(lp, off))
	return listpack.DeleteRange(lp, off, 2), score, true
}

// PackedRemoveRange takes out the members of ranks lo ≤ rank < hi.
func PackedRemoveRange(lp []byte, lo, hi int) []byte {
	lo, hi = max(lo, 0), min(hi, PackedLen(lp))
	if lo >= hi {
		return lp
	}
	return listpack.DeleteRange(lp, listpack.Seek(lp, 2*lo), 2*(hi-lo))
}

// PackedScoreSpan returns the ranks lo ≤ rank < hi of the members whose score is in r.
func PackedScoreSpan(lp []byte, r ScoreRange) (lo, hi int) {
	from, to := r.keys()
	if from >= to {
		return 0, 0
	}
	for off := listpack.First(lp); off >= 0; {
		at := listpack.Next(lp, off)
		switch key := orderedKey(packedScore(lp, at)); {
		case key >= to:
			return lo, hi
		case key < from:
			lo++
		}
		hi++
		off = listpack.Next(lp, at)
	}
	return lo, hi
}

// PackedLexSpan returns the ranks lo ≤ rank < hi of the members in r. reverse matters only when scores differ: the range is
// then what Redis finds from the first member in r on or, reverse, from the last one down.
func PackedLexSpan(lp []byte, r LexRange, reverse bool) (lo, hi int) {
	n := PackedLen(lp)
	if n == 0 || r.Empty() {
		return 0, 0
	}
	var first, last [20]byte
	if r.passed(listpack.Text(lp, listpack.First(lp), first[:0])) || !r.reached(listpack.Text(lp, listpack.Seek(lp, -2), last[:0])) {
		return 0, 0
	}
	if reverse {
		hi = n
		it := PackedRange(lp, 0, n, true)
		for it.Next() && r.passed(it.Member()) {
			hi--
		}
		lo = hi
		for ; lo > 0 && r.reached(it.Member()); lo-- {
			it.Next()
		}
		return lo, hi
	}
	it := PackedRange(lp, 0, n, false)
	for it.Next() && !r.reached(it.Member()) {
		lo++
	}
	hi = lo
	for ; hi < n && !r.passed(it.Member()); hi++ {
		it.Next()
	}
	return lo, hi
}

// PackedMaxMember returns the length of the longest member.
func PackedMaxMember(lp []byte) int {
	longest := 0
	for off := listpack.First(lp); off >= 0; off = listpack.Next(lp, listpack.Next(lp, off)) {
		longest = max(longest, listpack.TextLen(lp, off))
	}
	return longest
}

// FromPacked returns a set in a with the members of lp.
func FromPacked(a *arena.Arena, lp []byte) *ZSet {
	b := NewBuilder(a, PackedLen(lp))
	for it := PackedRange(lp, 0, PackedLen(lp), false); it.Next(); {
		b.Add(it.Member(), it.Score())
	}
	return b.Finish()
}

// AppendPacked appends the set as a listpack to dst.
func (z *ZSet) AppendPacked(dst []byte) []byte {
	at := len(dst)
	lp := listpack.AppendEmpty(dst)[at:]
	for it := z.Range(0, z.Len(), false); it.Next(); {
		lp = packedAppend(lp, it.Member(), it.Score())
	}
	return append(dst, lp...)
}

var (
	errPairs  = errors.New("zset: a member without a score")
	errScore  = errors.New("zset: a score is not a number")
	errOrder  = errors.New("zset: members are not in order")
	errDouble = errors.New("zset: a member comes twice")
)

// ValidatePacked tells whether b is a listpack that a sorted set may have: pairs of member and score, in order, no member twice. It
// works in O(n log n) and is meant for bytes of unknown origin.
func ValidatePacked(b []byte) error {
	if err := listpack.Validate(b, true); err != nil {
		return err
	}
	if listpack.Len(b)%2 != 0 {
		return errPairs
	}
	seen := make(map[string]struct{}, PackedLen(b))
	var before []byte
	low := math.Inf(-1)
	for off := listpack.First(b); off >= 0; {
		at := listpack.Next(b, off)
		s, n, isInt := listpack.Get(b, at)
		score, ok := float64(n), true
		if !isInt {
			score, ok = resp.ParseFloat(s)
		}
		if !ok || score != score {
			return errScore
		}
		member := listpack.Text(b, off, nil)
		if _, ok := seen[string(member)]; ok {
			return errDouble
		}
		seen[string(member)] = struct{}{}
		if score < low || score == low && string(member) < string(before) {
			return errOrder
		}
		before, low = member, score
		off = listpack.Next(b, at)
	}
	return nil
}
