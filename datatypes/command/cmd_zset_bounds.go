package command

import (
	"bytes"
	"errors"
	"math"
	"strconv"

	"github.com/troupe-db/troupe/datatypes/zset"
	"github.com/troupe-db/troupe/netio/resp"
)

const (
	msgScoreRange = "ERR min or max is not a float"
	msgLexRange   = "ERR min or max not valid string range item"
)

// scoreRange reads an interval of scores: "1" is closed, "(1" open.
func scoreRange(lo, hi []byte) (r zset.ScoreRange, ok bool) {
	var okHi bool
	r.Min, r.MinOpen, ok = scoreBound(lo)
	r.Max, r.MaxOpen, okHi = scoreBound(hi)
	return r, ok && okHi
}

func scoreBound(word []byte) (score float64, open, ok bool) {
	if open = len(word) > 0 && word[0] == '('; open {
		word = word[1:]
	}
	if score, ok = resp.ParseFloat(word); !ok {
		score, ok = laxFloat(word)
	}
	return score, open, ok
}

// laxFloat reads a number as the bounds of intervals are read, which is less strict than elsewhere: with white space in
// front, up to a zero byte; nothing at all is 0, what is too large infinite and what is too small 0. NaN is none.
func laxFloat(word []byte) (float64, bool) {
	if i := bytes.IndexByte(word, 0); i >= 0 {
		word = word[:i]
	}
	if len(word) == 0 {
		return 0, true
	}
	word = bytes.TrimLeft(word, " \t\n\v\f\r")
	if f, ok := resp.ParseFloat(word); ok {
		return f, true
	}
	// What is left is no number, or beyond the range. Go knows more forms of the former than C does.
	if bytes.IndexByte(word, '_') >= 0 {
		return 0, false
	}
	text := string(word)
	if len(bytes.TrimLeft(word, "+-")) > 1 && bytes.ContainsAny(word[:min(3, len(word))], "xX") && !bytes.ContainsAny(word, "pP") {
		text += "p0" // Go wants the exponent that C makes optional
	}
	f, err := strconv.ParseFloat(text, 64)
	if errors.Is(err, strconv.ErrRange) {
		return f, true
	}
	return f, err == nil && !math.IsNaN(f)
}

// lexRange reads an interval of members: "[a" is closed, "(a" open, "-" and "+" are the ends.
func lexRange(lo, hi []byte) (r zset.LexRange, ok bool) {
	var okHi bool
	r.Min, ok = lexBound(lo)
	r.Max, okHi = lexBound(hi)
	return r, ok && okHi
}

func lexBound(word []byte) (b zset.LexBound, ok bool) {
	if len(word) == 0 {
		return b, false
	}
	alone := len(word) == 1 || word[1] == 0
	switch word[0] {
	case '-':
		return zset.LexBound{Inf: -1}, alone
	case '+':
		return zset.LexBound{Inf: 1}, alone
	case '(':
		return zset.LexBound{Value: word[1:], Open: true}, true
	case '[':
		return zset.LexBound{Value: word[1:]}, true
	}
	return b, false
}

// rankSpan turns a range of ranks as commands take it, negative ones counting from the end, into lo ≤ rank < hi of a set
// of n members; it is empty when lo ≥ hi.
func rankSpan(first, last int64, n int) (lo, hi int) {
	size := int64(n)
	if first < 0 {
		first = max(first+size, 0)
	}
	if last < 0 {
		last += size
	}
	last = min(last, size-1)
	if first > last {
		return 0, 0
	}
	return int(first), int(last) + 1
}
