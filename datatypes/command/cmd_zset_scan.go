package command

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/troupe-db/troupe/datatypes/zset"
	"github.com/troupe-db/troupe/netio/resp"
)

// Random members of sorted sets, and walks over them.

// ZRANDMEMBER returns random members: one, so many different ones, or with a negative count so many of which some may be
// the same.
var zrandmemberSpec = Spec{
	Name: "zrandmember", Group: GroupSortedSet, Since: "6.2.0", Complexity: "O(N) for N members returned", Arity: -2,
	Summary: "Returns random members of a sorted set.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key [options:{count:integer [WITHSCORES]}]",
	Tips:    []string{"nondeterministic_output"},
	Heavy:   zrandmemberHeavy,
	Work:    withoutCount,
	Run:     zrandmemberCommand,
}

func zrandmemberHeavy(c *Ctx) bool {
	if len(c.Args) < 3 {
		return false
	}
	n, ok := resp.ParseInt(c.Args[2])
	return ok && (n < -heavyElements || n > heavyElements && c.elements(1) > heavyElements)
}

func zrandmemberCommand(c *Ctx) {
	if len(c.Args) == 2 {
		r, found, failed := c.zsetRead(1)
		switch {
		case failed:
		case !found:
			c.Reply.Null()
		default:
			it := c.zsetRandom(r)
			c.Reply.Bulk(it.Member())
		}
		return
	}
	count, ok := c.intArg(2)
	if !ok {
		return
	}
	withScores := len(c.Args) == 4
	switch {
	case count == math.MinInt64:
		c.Reply.Error("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807")
		return
	case len(c.Args) > 4 || withScores && !equalFold(c.Args[3], "withscores"):
		c.Reply.Error(MsgSyntax)
		return
	case withScores && (count < -math.MaxInt64/2 || count > math.MaxInt64/2):
		c.Reply.Error("ERR value is out of range")
		return
	}
	r, found, failed := c.zsetRead(1)
	switch {
	case failed:
	case !found || count == 0:
		c.Reply.Array(0)
	case count < -setMaxDraws:
		c.Reply.Error("ERR value is out of range")
	case count < 0:
		c.zsetRandoms(r, int(-count), withScores)
	case count >= int64(r.Len()):
		// All of them, from the end as Redis has it.
		c.replyMembers(r, 0, r.Len(), true, withScores)
	default:
		c.zsetSample(r, int(count), withScores)
	}
}

// zsetRandom returns an iterator at a random member.
func (c *Ctx) zsetRandom(r zset.Reader) zset.Iter {
	rank := c.zsetBelow(r.Len())
	it := r.Range(rank, rank+1, false)
	it.Next()
	return it
}

// zsetBelow returns a random number below n.
func (c *Ctx) zsetBelow(n int) int {
	high, _ := bits.Mul64(c.Rand(), uint64(n))
	return int(high)
}

// zsetRandoms replies n random members, independent of each other.
func (c *Ctx) zsetRandoms(r zset.Reader, n int, withScores bool) {
	nested := false
	if withScores {
		nested = c.zsetPairs(n)
	} else {
		c.Reply.Array(n)
	}
	z := r.Object()
	for range n {
		var member []byte
		var score float64
		if z != nil {
			member, score = z.Random(c.Rand)
		} else {
			it := c.zsetRandom(r)
			member, score = it.Member(), it.Score()
		}
		if withScores {
			c.zsetPair(nested, member, score)
		} else {
			c.Reply.Bulk(member)
		}
	}
}

// zsetSample replies n different members, every choice of n having the same chance, in the order of the set. REQUIRES: n
// is less than their number.
func (c *Ctx) zsetSample(r zset.Reader, n int, withScores bool) {
	nested := false
	if withScores {
		nested = c.zsetPairs(n)
	} else {
		c.Reply.Array(n)
	}
	// Draw the ranks of those to take or, when they are the majority, of those to leave.
	size := r.Len()
	draw, leave := n, 2*n > size
	if leave {
		draw = size - n
	}
	var room [4]uint64
	drawn := room[:]
	if size > 64*len(drawn) {
		drawn = make([]uint64, (size+63)/64)
	}
	for draw > 0 {
		rank := c.zsetBelow(size)
		if bit := uint64(1) << (rank % 64); drawn[rank/64]&bit == 0 {
			drawn[rank/64] |= bit
			draw--
		}
	}
	if leave {
		for i := range drawn {
			drawn[i] = ^drawn[i]
		}
		if size%64 != 0 {
			drawn[size/64] &= 1<<(size%64) - 1
		}
	}
	// Ranks next to each other are read as one range.
	for from := nextBit(drawn, 0, true, size); from < size; {
		to := nextBit(drawn, from, false, size)
		for it := r.Range(from, to, false); it.Next(); {
			if withScores {
				c.zsetPair(nested, it.Member(), it.Score())
			} else {
				c.Reply.Bulk(it.Member())
			}
		}
		from = nextBit(drawn, to, true, size)
	}
}

// nextBit returns the first position from on, below size, of a bit that is set or not; size if there is none.
func nextBit(words []uint64, from int, set bool, size int) int {
	for ; from < size; from = (from | 63) + 1 {
		w := words[from/64]
		if !set {
			w = ^w
		}
		if w >>= from % 64; w != 0 {
			return min(from+bits.TrailingZeros64(w), size)
		}
	}
	return size
}

// ZSCAN returns some of the members with their scores and a cursor with which the next call goes on; see SCAN. A small
// set comes whole.
var zscanSpec = Spec{
	Name: "zscan", Group: GroupSortedSet, Since: "2.8.0",
	Complexity: "O(1) per call and member, O(N) for a whole walk over N members", Arity: -3,
	Summary: "Walks over the members of a sorted set, some at a time.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key cursor:integer [MATCH pattern:pattern] [COUNT count:integer]",
	Tips:    []string{"nondeterministic_output"},
	Heavy:   zscanHeavy,
	Run:     zscanCommand,
}

func zscanHeavy(c *Ctx) bool {
	for i := 3; i+1 < len(c.Args); i++ {
		if equalFold(c.Args[i], "count") {
			n, ok := resp.ParseInt(c.Args[i+1])
			return ok && n > heavyElements && c.elements(1) > heavyElements
		}
	}
	return false
}

func zscanCommand(c *Ctx) {
	cursor, ok := scanCursor(c.Args[2])
	if !ok {
		c.Reply.Error("ERR invalid cursor")
		return
	}
	r, found, failed := c.zsetRead(1)
	if failed {
		return
	}
	if !found { // even the options do not matter then
		c.Reply.Array(2)
		c.Reply.BulkString("0")
		c.Reply.Array(0)
		return
	}
	count := scanDefault
	var matcher keyMatcher
	w := c.words(3)
	for w.more() {
		switch {
		case w.has("COUNT", 1):
			n := w.int()
			if n < 1 {
				w.syntax()
			}
			count = int(min(n, scanMost))
		case w.has("MATCH", 1):
			matcher = newKeyMatcher(w.next())
		case w.is("NOVALUES"):
			w.fail("ERR NOVALUES option can only be used in HSCAN")
		default:
			w.syntax()
		}
	}
	if w.failed(c) {
		return
	}
	c.Reply.Array(2)
	start := len(c.Reply.Buf)
	mark, n := c.Reply.StartDeferred(), 0
	next := uint64(0)
	z := r.Object()
	if z == nil {
		for it := r.Range(0, r.Len(), false); it.Next(); {
			if matcher.match(it.Member()) {
				c.Reply.Bulk(it.Member())
				c.Reply.DoubleBulk(it.Score())
				n += 2
			}
		}
	} else {
		var text [32]byte
		pos, more := z.Scan(cursor<<(64-scanPosBits), count, func(member []byte, score float64) {
			if matcher.match(member) {
				c.Reply.Bulk(member)
				c.Reply.Bulk(appendLongDouble(text[:0], score))
				n += 2
			}
		})
		if more {
			next = packCursor(0, pos)
		}
	}
	c.Reply.EndDeferredArray(mark, n)
	insertCursor(c.Reply, start, next)
}

// appendLongDouble appends a score as ZSCAN writes that of a large set: with 17 digits, unlike all other commands.
func appendLongDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	}
	return strconv.AppendFloat(dst, f, 'g', 17, 64)
}
