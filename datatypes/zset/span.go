package zset

import "bytes"

// ScoreRange is an interval of scores. Open ends do not belong to it. A bound that is NaN is not allowed.
type ScoreRange struct {
	Min, Max         float64
	MinOpen, MaxOpen bool
}

// keys returns the keys from (inclusive) and to (exclusive) that the range covers.
func (r ScoreRange) keys() (from, to uint64) {
	from, to = orderedKey(r.Min), orderedKey(r.Max)
	if r.MinOpen {
		from++
	}
	if !r.MaxOpen {
		to++
	}
	return from, to
}

// Empty reports that no score can be in the range.
func (r ScoreRange) Empty() bool {
	from, to := r.keys()
	return from >= to
}

// Contains tells whether score is in the range.
func (r ScoreRange) Contains(score float64) bool {
	from, to := r.keys()
	k := orderedKey(score)
	return from <= k && k < to
}

// LexBound is one end of a LexRange.
type LexBound struct {
	Value []byte
	Open  bool // Value itself does not belong to the range
	Inf   int8 // -1: in front of all members; 1: behind all members; Value and Open do not count then
}

// LexRange is an interval of members, in the order of bytes.Compare. It is meant for sets whose members all have the same score; for
// others it selects what is between two places of the order.
type LexRange struct {
	Min, Max LexBound
}

// Empty reports that no member can be in the range.
func (r LexRange) Empty() bool {
	if r.Min.Inf == 1 || r.Max.Inf == -1 {
		return true
	}
	if r.Min.Inf != 0 || r.Max.Inf != 0 {
		return false
	}
	c := bytes.Compare(r.Min.Value, r.Max.Value)
	return c > 0 || c == 0 && (r.Min.Open || r.Max.Open)
}

// reached tells whether member is not in front of the range.
func (r *LexRange) reached(member []byte) bool {
	if r.Min.Inf != 0 {
		return r.Min.Inf < 0
	}
	c := bytes.Compare(member, r.Min.Value)
	return c > 0 || c == 0 && !r.Min.Open
}

// passed tells whether member is behind the range.
func (r *LexRange) passed(member []byte) bool {
	if r.Max.Inf != 0 {
		return r.Max.Inf < 0
	}
	c := bytes.Compare(member, r.Max.Value)
	return c > 0 || c == 0 && r.Max.Open
}

// Contains tells whether member is in the range.
func (r LexRange) Contains(member []byte) bool { return r.reached(member) && !r.passed(member) }

// ScoreSpan returns the ranks lo ≤ rank < hi of the members whose score is in r. hi-lo is the count; lo == hi when there is none.
func (z *ZSet) ScoreSpan(r ScoreRange) (lo, hi int) {
	from, to := r.keys()
	if from >= to {
		return 0, 0
	}
	// No member is below the empty one: the first place of a key.
	lo = z.below(from, nil)
	return lo, z.below(to, nil)
}

// LexSpan returns the ranks lo ≤ rank < hi of the members in r.
func (z *ZSet) LexSpan(r LexRange) (lo, hi int) {
	if z.root == 0 || r.Empty() {
		return 0, 0
	}
	hi = z.Len()
	if r.Min.Inf == 0 {
		lo = z.firstWhere(r.reached)
	}
	if r.Max.Inf == 0 {
		hi = z.firstWhere(r.passed)
	}
	return lo, max(lo, hi)
}

// firstWhere returns the lowest rank whose member is as wanted, if all that follow it are so too.
func (z *ZSet) firstWhere(wanted func(member []byte) bool) int {
	n, rank := z.root, 0
	for range z.height {
		lows := n.lows()
		lo, hi := 1, len(lows)
		for lo < hi {
			m := int(uint(lo+hi) >> 1)
			if wanted(memberOf(lows[m])) {
				hi = m
			} else {
				lo = m + 1
			}
		}
		rank += n.before(lo - 1)
		n = n.kid(lo - 1)
	}
	lo, hi := 0, n.count()
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if wanted(memberOf(n.rec(m))) {
			hi = m
		} else {
			lo = m + 1
		}
	}
	return rank + lo
}
