package command

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/zset"
	"github.com/troupe-db/troupe/netio/resp"
)

// Ranges of sorted sets: by rank, by score or by member. Whatever the kind, a range becomes a span of ranks, which the
// tree finds in O(log N); that goes for the offset of LIMIT too.

type zrangeKind uint8

const (
	zrangeAuto zrangeKind = iota // by rank unless an option says otherwise
	zrangeRank
	zrangeScore
	zrangeLex
)

// zrangeForm says how a command takes a range.
type zrangeForm struct {
	kind    zrangeKind
	reverse bool // from the end
	auto    bool // option REV is allowed
	store   bool // Args[1] is the destination, the source and its range follow
}

// zrangeArgs is a range.
type zrangeArgs struct {
	kind          zrangeKind
	reverse       bool
	withScores    bool
	offset, limit int64 // limit < 0 is none

	first, last int64 // by rank
	score       zset.ScoreRange
	lex         zset.LexRange
}

// parse reads the arguments of a command into a. When they are wrong, err is the reply.
func (f zrangeForm) parse(c *Ctx, a *zrangeArgs) (err string) {
	at := 2
	if f.store {
		at = 3
	}
	*a = zrangeArgs{kind: f.kind, reverse: f.reverse, limit: -1}
	w := c.words(at + 2)
	for w.more() {
		switch {
		case !f.store && w.is("WITHSCORES"):
			a.withScores = true
		case w.has("LIMIT", 2):
			a.offset, a.limit = w.int(), w.int()
		case f.auto && w.is("REV"):
			a.reverse = true
			f.auto = false // twice is once too often
		case a.kind == zrangeAuto && w.is("BYLEX"):
			a.kind = zrangeLex
		case a.kind == zrangeAuto && w.is("BYSCORE"):
			a.kind = zrangeScore
		default:
			w.syntax()
		}
	}
	if w.err != "" {
		return w.err
	}
	if a.kind == zrangeAuto {
		a.kind = zrangeRank
	}
	if a.limit != -1 && a.kind == zrangeRank {
		return "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
	}
	if a.withScores && a.kind == zrangeLex {
		return "ERR syntax error, WITHSCORES not supported in combination with BYLEX"
	}
	lo, hi := c.Args[at], c.Args[at+1]
	if a.reverse && a.kind != zrangeRank {
		lo, hi = hi, lo
	}
	ok := true
	switch a.kind {
	case zrangeRank:
		var okLast bool
		a.first, ok = resp.ParseInt(lo)
		a.last, okLast = resp.ParseInt(hi)
		ok, err = ok && okLast, MsgNotInt
	case zrangeScore:
		a.score, ok = scoreRange(lo, hi)
		err = msgScoreRange
	default:
		a.lex, ok = lexRange(lo, hi)
		err = msgLexRange
	}
	if ok {
		return ""
	}
	return err
}

// span returns the range as ranks lo ≤ rank < hi of r, counted from the lowest score; lo == hi when it is empty.
func (a *zrangeArgs) span(r zset.Reader) (lo, hi int) {
	switch a.kind {
	case zrangeRank:
		n := r.Len()
		lo, hi = rankSpan(a.first, a.last, n)
		if a.reverse && lo < hi {
			lo, hi = n-hi, n-lo
		}
		return lo, hi
	case zrangeScore:
		lo, hi = r.ScoreSpan(a.score)
	default:
		lo, hi = r.LexSpan(a.lex, a.reverse)
	}
	count := int64(hi - lo)
	if a.offset < 0 || a.offset >= count {
		return 0, 0
	}
	count -= a.offset
	if a.limit >= 0 {
		count = min(count, a.limit)
	}
	if a.reverse {
		hi -= int(a.offset)
		return hi - int(count), hi
	}
	lo += int(a.offset)
	return lo, lo + int(count)
}

// zrangeShort is the length up to which a range is taken for short without a look at the set.
const zrangeShort = 256

// heavy tells whether the range is long. Most are known to be short without a look at the set.
func (f zrangeForm) heavy(c *Ctx) bool {
	key := 1
	if f.store {
		key = 2
	} else if len(c.Args) == 4 && (f.auto || f.kind == zrangeRank) && smallIndex(c.Args[2]) && smallIndex(c.Args[3]) {
		return false
	}
	var a zrangeArgs
	if f.parse(c, &a) != "" {
		return false
	}
	if a.kind == zrangeRank {
		if n := a.last - a.first; a.first < 0 == (a.last < 0) && n < zrangeShort {
			return false
		}
	} else if a.limit >= 0 && a.limit <= zrangeShort {
		return false
	}
	if c.weight(key, math.MaxInt64) <= heavyElements {
		return false
	}
	r, ok := c.zsetPeek(key)
	if !ok {
		return false
	}
	lo, hi := a.span(r)
	return c.weight(key, int64(hi-lo)) > heavyElements
}

// smallIndex tells whether word is an index from 0 to 99: most ranges have such ends, and are short.
func smallIndex(word []byte) bool {
	return len(word) <= 2 && len(word) > 0 && isDigit(word[0]) && isDigit(word[len(word)-1])
}

// zsetPeek returns a reader of the sorted set at Args[i], if there is one, for an estimate.
func (c *Ctx) zsetPeek(i int) (r zset.Reader, ok bool) {
	k := c.Key(i)
	db := c.DB(k)
	e, ok := db.Peek(k)
	if !ok || e.Type() != keyspace.ZSet {
		return r, false
	}
	return zsetOf(db, e), true
}

// reply answers a command that asks for a range.
func (f zrangeForm) reply(c *Ctx) {
	var a zrangeArgs
	if err := f.parse(c, &a); err != "" {
		c.Reply.Error(err)
		return
	}
	r, _, failed := c.zsetRead(1)
	if failed {
		return
	}
	lo, hi := a.span(r)
	c.replyMembers(r, lo, hi, a.reverse, a.withScores)
}

// replyMembers replies the members of ranks lo ≤ rank < hi, on request each followed by its score; in RESP3 they form
// pairs.
func (c *Ctx) replyMembers(r zset.Reader, lo, hi int, reverse, withScores bool) {
	w := c.Reply
	if !withScores {
		w.Array(hi - lo)
		for it := r.Range(lo, hi, reverse); it.Next(); {
			w.Bulk(it.Member())
		}
		return
	}
	pairs := c.zsetPairs(hi - lo)
	for it := r.Range(lo, hi, reverse); it.Next(); {
		c.zsetPair(pairs, it.Member(), it.Score())
	}
}

// zsetPairs begins a reply of n members with scores. nested tells whether each is an array of its own.
func (c *Ctx) zsetPairs(n int) (nested bool) {
	if c.Reply.Proto == 3 {
		c.Reply.Array(n)
		return true
	}
	c.Reply.Array(2 * n)
	return false
}

// zsetPair appends one member with its score.
func (c *Ctx) zsetPair(nested bool, member []byte, score float64) {
	if nested {
		c.Reply.Array(2)
	}
	c.Reply.Bulk(member)
	c.Reply.Double(score)
}

// The forms of the commands.
var (
	zrangeForms           = zrangeForm{auto: true}
	zrevrangeForm         = zrangeForm{kind: zrangeRank, reverse: true}
	zrangebyscoreForm     = zrangeForm{kind: zrangeScore}
	zrevrangebyscoreForm  = zrangeForm{kind: zrangeScore, reverse: true}
	zrangebylexForm       = zrangeForm{kind: zrangeLex}
	zrevrangebylexForm    = zrangeForm{kind: zrangeLex, reverse: true}
	zrangestoreForm       = zrangeForm{auto: true, store: true}
	zrangeComplexity      = "O(log(N)+M) for M members of a set of N"
	zrangestoreComplexity = "O(log(N)+M*log(M)) for M members of a set of N"
)

// ZRANGE returns members by rank, score or name, from either end.
var zrangeSpec = Spec{
	Name: "zrange", Group: GroupSortedSet, Since: "1.2.0", Complexity: zrangeComplexity, Arity: -4,
	Summary: "Returns a range of members of a sorted set.",
	History: [][2]string{{"6.2.0", "Options `REV`, `BYSCORE`, `BYLEX` and `LIMIT`."}},
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax: "key start stop [sortby:<BYSCORE|BYLEX>@6.2.0] [REV@6.2.0] [LIMIT limit:{offset:integer " +
		"count:integer}@6.2.0] [WITHSCORES]",
	Heavy: func(c *Ctx) bool { return zrangeForms.heavy(c) },
	Work:  func(p Partial) (int, bool) { return zrangeForms.work(p) },
	Run:   func(c *Ctx) { zrangeForms.reply(c) },
}

// ZREVRANGE is ZRANGE REV.
var zrevrangeSpec = Spec{
	Name: "zrevrange", Group: GroupSortedSet, Since: "1.2.0", Complexity: zrangeComplexity, Arity: -4,
	DeprecatedSince: "6.2.0", ReplacedBy: "`ZRANGE` with the `REV` argument",
	Summary: "Returns a range of members of a sorted set by rank, highest score first.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key start:integer stop:integer [WITHSCORES]",
	Heavy:   func(c *Ctx) bool { return zrevrangeForm.heavy(c) },
	Work:    func(p Partial) (int, bool) { return zrevrangeForm.work(p) },
	Run:     func(c *Ctx) { zrevrangeForm.reply(c) },
}

// ZRANGEBYSCORE is ZRANGE BYSCORE.
var zrangebyscoreSpec = Spec{
	Name: "zrangebyscore", Group: GroupSortedSet, Since: "1.0.5", Complexity: zrangeComplexity, Arity: -4,
	DeprecatedSince: "6.2.0", ReplacedBy: "`ZRANGE` with the `BYSCORE` argument",
	Summary: "Returns the members of a sorted set with scores in a range.",
	History: [][2]string{{"2.0.0", "Option `WITHSCORES`."}},
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key min:double max:double [WITHSCORES@2.0.0] [LIMIT limit:{offset:integer count:integer}]",
	Heavy:   func(c *Ctx) bool { return zrangebyscoreForm.heavy(c) },
	Work:    func(p Partial) (int, bool) { return zrangebyscoreForm.work(p) },
	Run:     func(c *Ctx) { zrangebyscoreForm.reply(c) },
}

// ZREVRANGEBYSCORE is ZRANGE BYSCORE REV.
var zrevrangebyscoreSpec = Spec{
	Name: "zrevrangebyscore", Group: GroupSortedSet, Since: "2.2.0", Complexity: zrangeComplexity, Arity: -4,
	DeprecatedSince: "6.2.0", ReplacedBy: "`ZRANGE` with the `REV` and `BYSCORE` arguments",
	Summary: "Returns the members of a sorted set with scores in a range, highest score first.",
	History: [][2]string{{"2.1.6", "Bounds can be exclusive."}},
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key max:double min:double [WITHSCORES] [LIMIT limit:{offset:integer count:integer}]",
	Heavy:   func(c *Ctx) bool { return zrevrangebyscoreForm.heavy(c) },
	Work:    func(p Partial) (int, bool) { return zrevrangebyscoreForm.work(p) },
	Run:     func(c *Ctx) { zrevrangebyscoreForm.reply(c) },
}

// ZRANGEBYLEX is ZRANGE BYLEX.
var zrangebylexSpec = Spec{
	Name: "zrangebylex", Group: GroupSortedSet, Since: "2.8.9", Complexity: zrangeComplexity, Arity: -4,
	DeprecatedSince: "6.2.0", ReplacedBy: "`ZRANGE` with the `BYLEX` argument",
	Summary: "Returns the members of a sorted set, all of one score, with names in a range.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key min max [LIMIT limit:{offset:integer count:integer}]",
	Heavy:   func(c *Ctx) bool { return zrangebylexForm.heavy(c) },
	Work:    func(p Partial) (int, bool) { return zrangebylexForm.work(p) },
	Run:     func(c *Ctx) { zrangebylexForm.reply(c) },
}

// ZREVRANGEBYLEX is ZRANGE BYLEX REV.
var zrevrangebylexSpec = Spec{
	Name: "zrevrangebylex", Group: GroupSortedSet, Since: "2.8.9", Complexity: zrangeComplexity, Arity: -4,
	DeprecatedSince: "6.2.0", ReplacedBy: "`ZRANGE` with the `REV` and `BYLEX` arguments",
	Summary: "Returns the members of a sorted set, all of one score, with names in a range, last name first.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key max min [LIMIT limit:{offset:integer count:integer}]",
	Heavy:   func(c *Ctx) bool { return zrevrangebylexForm.heavy(c) },
	Work:    func(p Partial) (int, bool) { return zrevrangebylexForm.work(p) },
	Run:     func(c *Ctx) { zrevrangebylexForm.reply(c) },
}

// ZRANGESTORE stores a range as a sorted set; an empty range removes the destination.
var zrangestoreSpec = Spec{
	Name: "zrangestore", Group: GroupSortedSet, Since: "6.2.0", Complexity: zrangestoreComplexity, Arity: -5,
	Summary: "Stores a range of members of a sorted set at a key.",
	Flags:   Write | DenyOOM,
	Keys: KeySpecs{
		At(1).Flags(OW | Update),
		At(2).Flags(RO | Access),
	},
	Syntax: "dst:key src:key min max [sortby:<BYSCORE|BYLEX>] [REV] [LIMIT limit:{offset:integer count:integer}]",
	Heavy:  func(c *Ctx) bool { return zrangestoreForm.heavy(c) },
	Run:    zrangestoreCommand,
}

func zrangestoreCommand(c *Ctx) {
	var a zrangeArgs
	if err := zrangestoreForm.parse(c, &a); err != "" {
		c.Reply.Error(err)
		return
	}
	r, _, failed := c.zsetRead(2)
	if failed {
		return
	}
	lo, hi := a.span(r)
	b := c.zsetBuild(c.Key(1), hi-lo)
	for it := r.Range(lo, hi, false); it.Next(); {
		b.Add(it.Member(), it.Score())
	}
	c.Reply.Int(int64(b.store("zrangestore")))
}

// ZCOUNT counts the members with scores in a range.
var zcountSpec = Spec{
	Name: "zcount", Group: GroupSortedSet, Since: "2.0.0", Complexity: "O(log(N)) for a set of N members", Arity: 4,
	Summary: "Counts the members of a sorted set with scores in a range.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key min:double max:double",
	Run:     func(c *Ctx) { zrangebyscoreForm.count(c) },
}

// ZLEXCOUNT counts the members with names in a range.
var zlexcountSpec = Spec{
	Name: "zlexcount", Group: GroupSortedSet, Since: "2.8.9", Complexity: "O(log(N)) for a set of N members", Arity: 4,
	Summary: "Counts the members of a sorted set, all of one score, with names in a range.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key min max",
	Run:     func(c *Ctx) { zrangebylexForm.count(c) },
}

// count replies how long a range is.
func (f zrangeForm) count(c *Ctx) {
	var a zrangeArgs
	if err := f.parse(c, &a); err != "" {
		c.Reply.Error(err)
		return
	}
	if r, _, failed := c.zsetRead(1); !failed {
		lo, hi := a.span(r)
		c.Reply.Int(int64(hi - lo))
	}
}

// The forms of the commands that remove a range.
var (
	zremrangebyrankForm  = zrangeForm{kind: zrangeRank}
	zremrangebyscoreForm = zrangeForm{kind: zrangeScore}
	zremrangebylexForm   = zrangeForm{kind: zrangeLex}
)

// ZREMRANGEBYRANK removes a range of ranks.
var zremrangebyrankSpec = Spec{
	Name: "zremrangebyrank", Group: GroupSortedSet, Since: "2.0.0", Complexity: zrangeComplexity, Arity: 4,
	Summary: "Removes the members of a sorted set in a range of ranks.",
	Flags:   Write,
	Keys:    KeySpecs{At(1).Flags(RW | Delete)},
	Syntax:  "key start:integer stop:integer",
	Heavy:   func(c *Ctx) bool { return zremrangebyrankForm.heavy(c) },
	Run:     func(c *Ctx) { zremrangebyrankForm.remove(c) },
}

// ZREMRANGEBYSCORE removes a range of scores.
var zremrangebyscoreSpec = Spec{
	Name: "zremrangebyscore", Group: GroupSortedSet, Since: "1.2.0", Complexity: zrangeComplexity, Arity: 4,
	Summary: "Removes the members of a sorted set with scores in a range.",
	Flags:   Write,
	Keys:    KeySpecs{At(1).Flags(RW | Delete)},
	Syntax:  "key min:double max:double",
	Heavy:   func(c *Ctx) bool { return zremrangebyscoreForm.heavy(c) },
	Run:     func(c *Ctx) { zremrangebyscoreForm.remove(c) },
}

// ZREMRANGEBYLEX removes a range of names.
var zremrangebylexSpec = Spec{
	Name: "zremrangebylex", Group: GroupSortedSet, Since: "2.8.9", Complexity: zrangeComplexity, Arity: 4,
	Summary: "Removes the members of a sorted set, all of one score, with names in a range.",
	Flags:   Write,
	Keys:    KeySpecs{At(1).Flags(RW | Delete)},
	Syntax:  "key min max",
	Heavy:   func(c *Ctx) bool { return zremrangebylexForm.heavy(c) },
	Run:     func(c *Ctx) { zremrangebylexForm.remove(c) },
}

// remove removes a range. The event has the name of the command.
func (f zrangeForm) remove(c *Ctx) {
	var a zrangeArgs
	if err := f.parse(c, &a); err != "" {
		c.Reply.Error(err)
		return
	}
	w, found, failed := c.zsetWrite(1)
	if failed {
		return
	}
	lo, hi := 0, 0
	if found {
		lo, hi = a.span(w.reader())
	}
	if lo < hi {
		w.removeRange(lo, hi, c.Spec.Name)
	}
	c.Reply.Int(int64(hi - lo))
}

// countArg reads a count that must not be negative. When it is wrong, that is the reply.
func (c *Ctx) zsetCount(word []byte, atLeast int64, msg string) (n int, ok bool) {
	v, ok := resp.ParseInt(word)
	if !ok || v < atLeast {
		c.Reply.Error(msg)
		return 0, false
	}
	return int(min(v, math.MaxInt32)), true
}
