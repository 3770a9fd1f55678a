package zset

// Reader reads a sorted set of either form; the zero value is an empty one. It is valid until the next change of the set.
type Reader struct {
	lp []byte
	z  *ZSet
}

// Packed returns a Reader of a listpack of member, score pairs. It aliases lp.
func Packed(lp []byte) Reader { return Reader{lp: lp} }

// Object returns the ZSet, or nil when the set is packed.
func (r Reader) Object() *ZSet { return r.z }

// Len returns the number of members.
func (r Reader) Len() int {
	switch {
	case r.z != nil:
		return r.z.Len()
	case r.lp != nil:
		return PackedLen(r.lp)
	}
	return 0
}

// Get returns the score of member.
func (r Reader) Get(member []byte) (score float64, ok bool) {
	switch {
	case r.z != nil:
		return r.z.Get(member)
	case r.lp != nil:
		return PackedGet(r.lp, member)
	}
	return 0, false
}

// Rank returns how many members are before member in the order, or in the reverse order, and its score.
func (r Reader) Rank(member []byte, reverse bool) (rank int, score float64, ok bool) {
	switch {
	case r.z != nil:
		return r.z.Rank(member, reverse)
	case r.lp != nil:
		return PackedRank(r.lp, member, reverse)
	}
	return 0, 0, false
}

// ScoreSpan returns the ranks lo ≤ rank < hi of the members whose score is in sr.
func (r Reader) ScoreSpan(sr ScoreRange) (lo, hi int) {
	switch {
	case r.z != nil:
		return r.z.ScoreSpan(sr)
	case r.lp != nil:
		return PackedScoreSpan(r.lp, sr)
	}
	return 0, 0
}

// LexSpan returns the ranks lo ≤ rank < hi of the members in lr; about reverse see PackedLexSpan.
func (r Reader) LexSpan(lr LexRange, reverse bool) (lo, hi int) {
	switch {
	case r.z != nil:
		return r.z.LexSpan(lr)
	case r.lp != nil:
		return PackedLexSpan(r.lp, lr, reverse)
	}
	return 0, 0
}

// Range returns an iterator over the members of ranks lo ≤ rank < hi, from lo up or, reverse, from hi-1 down. Bounds beyond the
// ends are cut.
func (r Reader) Range(lo, hi int, reverse bool) Iter {
	switch {
	case r.z != nil:
		return r.z.Range(lo, hi, reverse)
	case r.lp != nil:
		return PackedRange(r.lp, lo, hi, reverse)
	}
	return Iter{}
}
