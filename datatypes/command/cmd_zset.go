package command

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/datatypes/zset"
	"github.com/troupe-db/troupe/netio/resp"
)

// Sorted sets: adding, removing and looking up single members. Ranges are in cmd_zset_range.go and
// cmd_zset_remove.go, pops in cmd_zset_pop.go, operations on several sets in cmd_zset_combine.go, random members and
// walks in cmd_zset_scan.go.

const msgNaNScore = "ERR resulting score is not a number (NaN)"

// zsetObject is a large sorted set as a value of the keyspace.
type zsetObject struct{ *zset.ZSet }

// Clone implements keyspace.Object.
func (o zsetObject) Clone(to *arena.Arena) keyspace.Object { return zsetObject{o.ZSet.Clone(to)} }

// zsetOf returns a reader of the value of e.
func zsetOf(db *keyspace.DB, e keyspace.Entry) zset.Reader {
	if e.IsObject() {
		return db.Object(e).(zsetObject).Reader()
	}
	return zset.Packed(e.Packed())
}

// zsetRead returns a reader of the sorted set at Args[i], an empty one when there is no such key. When another type is
// there, that is the reply and failed is true.
func (c *Ctx) zsetRead(i int) (r zset.Reader, found, failed bool) {
	e, ok, failed := c.LookupRead(i, keyspace.ZSet)
	if !ok {
		return r, false, failed
	}
	return zsetOf(c.DB(c.Key(i)), e), true, false
}

// zsetWriter changes the sorted set at one key. Whoever has changed it calls finish.
type zsetWriter struct {
	c    *Ctx
	db   *keyspace.DB
	k    keyspace.Key
	e    keyspace.Entry
	edit *zset.ZSet // the object once it may be changed; nil for a packed set
	grew bool       // edit did
}

// zsetWrite is zsetRead for a command that may change the set.
func (c *Ctx) zsetWrite(i int) (w zsetWriter, found, failed bool) {
	e, ok, failed := c.LookupWrite(i, keyspace.ZSet)
	if failed {
		return w, false, true
	}
	k := c.Key(i)
	return zsetWriter{c: c, db: c.DB(k), k: k, e: e}, ok, false
}

// create makes an empty set for so many members, of which first is one. The key must not be there.
func (w *zsetWriter) create(members int, first []byte) {
	s := w.c.Settings
	if members <= s.ZSetMaxListpackEntries && len(first) <= s.ZSetMaxListpackValue {
		var room [listpack.MinBytes]byte
		w.e = w.db.PutPacked(w.k, keyspace.ZSet, keyspace.ListPack, listpack.AppendEmpty(room[:0]), keyspace.NoTTL)
		return
	}
	w.edit = zset.New(w.db.ArenaFor(0))
	w.e = w.db.PutObject(w.k, keyspace.ZSet, keyspace.SkipList, zsetObject{w.edit}, keyspace.NoTTL)
}

// reader returns a reader of the set as it is now.
func (w *zsetWriter) reader() zset.Reader {
	if w.edit != nil {
		return w.edit.Reader()
	}
	return zsetOf(w.db, w.e)
}

// object returns the object for changing. REQUIRES: the set is not packed.
func (w *zsetWriter) object() *zset.ZSet {
	if w.edit == nil {
		w.edit = w.db.EditObject(w.k, w.e).(zsetObject).ZSet
	}
	return w.edit
}

// convert makes an object of a packed set.
func (w *zsetWriter) convert() {
	lp := w.e.Packed()
	w.edit = zset.FromPacked(w.db.ArenaFor(int64(2*len(lp))), lp)
	w.e = w.db.PutObject(w.k, keyspace.ZSet, keyspace.SkipList, zsetObject{w.edit}, keyspace.KeepTTL)
}

// expect converts the set ahead of the arrival of members, if they are too many for a packed one whatever they are.
func (w *zsetWriter) expect(members int) {
	if members > w.c.Settings.ZSetMaxListpackEntries && w.e.IsPacked() {
		w.convert()
	}
}

// set gives member a score.
func (w *zsetWriter) set(member []byte, score float64) (added, changed bool) {
	if w.e.IsPacked() {
		lp, room := w.e.Packed(), zset.PackedRoom(member)
		s := w.c.Settings
		full := zset.PackedLen(lp) >= s.ZSetMaxListpackEntries || len(member) > s.ZSetMaxListpackValue ||
			!listpack.CanGrow(lp, room)
		if full {
			// The limits hold for new members only.
			_, known := zset.PackedGet(lp, member)
			full = !known
		}
		if !full {
			w.e, lp = w.db.EditPacked(w.k, w.e, room)
			lp, added, changed = zset.PackedSet(lp, member, score)
			w.e = w.db.SetPacked(w.k, w.e, keyspace.ListPack, lp)
			return added, changed
		}
		w.convert()
	}
	added, changed = w.object().Set(member, score)
	w.grew = w.grew || added
	return added, changed
}

// remove takes member out.
func (w *zsetWriter) remove(member []byte) bool {
	if w.e.IsPacked() {
		if _, ok := zset.PackedGet(w.e.Packed(), member); !ok {
			return false
		}
		var lp []byte
		w.e, lp = w.db.EditPacked(w.k, w.e, 0)
		lp, _, _ = zset.PackedRemove(lp, member)
		w.e = w.db.SetPacked(w.k, w.e, keyspace.ListPack, lp)
		return true
	}
	_, ok := w.object().Remove(member)
	return ok
}

// removeRange takes out the members of ranks lo ≤ rank < hi, a part of the set or all of it, sends the event, and drops
// the key when it is empty.
func (w *zsetWriter) removeRange(lo, hi int, event string) {
	n := hi - lo
	all := n == w.reader().Len()
	if !all { // what is dropped as a whole need not be taken apart
		if w.e.IsPacked() {
			var lp []byte
			w.e, lp = w.db.EditPacked(w.k, w.e, 0)
			w.e = w.db.SetPacked(w.k, w.e, keyspace.ListPack, zset.PackedRemoveRange(lp, lo, hi))
		} else {
			w.object().RemoveRange(lo, hi)
		}
	}
	w.c.Dirty(n - 1)
	w.c.Changed(w.k, keyspace.EventZSet, event)
	if all {
		w.c.dropEmpty(w.k)
	}
}

// finish ends the changes.
func (w *zsetWriter) finish() {
	if w.grew {
		w.db.Settle(w.e)
	}
}

// zaddOptions are the options of ZADD.
type zaddOptions struct {
	nx, xx, gt, lt, ch, incr bool
}

// zaddArgs reads the options that begin at Args[from]. next is the index of the first word behind them.
func (c *Ctx) zaddArgs(from int, o *zaddOptions) (next int) {
	for next = from; next < len(c.Args); next++ {
		switch word := c.Args[next]; {
		case len(word) > 4:
			return next
		case equalFold(word, "nx"):
			o.nx = true
		case equalFold(word, "xx"):
			o.xx = true
		case equalFold(word, "ch"):
			o.ch = true
		case equalFold(word, "incr"):
			o.incr = true
		case equalFold(word, "gt"):
			o.gt = true
		case equalFold(word, "lt"):
			o.lt = true
		default:
			return next
		}
	}
	return next
}

// ZADD adds members with scores, or changes the scores of members.
var zaddSpec = Spec{
	Name: "zadd", Group: GroupSortedSet, Since: "1.2.0", Arity: -4,
	Complexity: "O(log(N)) for each member, N being the size of the set",
	Summary:    "Adds members to a sorted set or changes their scores.",
	History: [][2]string{
		{"2.4.0", "Takes several members."},
		{"6.2.0", "Options `GT` and `LT`."},
	},
	Flags: Write | DenyOOM | Fast,
	Keys:  KeySpecs{At(1).Flags(RW | Update)},
	Syntax: "key [condition:<NX|XX>@3.0.2] [comparison:<GT|LT>@6.2.0] [change:CH@3.0.2] [increment:INCR@3.0.2] " +
		"data:{score:double member}...",
	HeavyWords: 2 * heavyKeys,
	Run:        func(c *Ctx) { zadd(c, zaddOptions{}) },
}

// ZINCRBY adds to the score of a member, which begins at 0. It takes the options of ZADD, although that never leads to
// anything but a syntax error.
var zincrbySpec = Spec{
	Name: "zincrby", Group: GroupSortedSet, Since: "1.2.0", Arity: 4,
	Complexity: "O(log(N)) for a set of N members",
	Summary:    "Adds to the score of a member of a sorted set.",
	Flags:      Write | DenyOOM | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Access | Update)},
	Syntax:     "key increment:integer member",
	Run:        func(c *Ctx) { zadd(c, zaddOptions{incr: true}) },
}

func zadd(c *Ctx, o zaddOptions) {
	first := c.zaddArgs(2, &o)
	words := len(c.Args) - first
	err := ""
	switch {
	case words == 0 || words%2 != 0:
		err = MsgSyntax
	case o.nx && o.xx:
		err = "ERR XX and NX options at the same time are not compatible"
	case o.gt && o.nx || o.lt && o.nx || o.gt && o.lt:
		err = "ERR GT, LT, and/or NX options at the same time are not compatible"
	case o.incr && words > 2:
		err = "ERR INCR option supports a single increment-element pair"
	}
	if err != "" {
		c.Reply.Error(err)
		return
	}
	// All scores are read before the first member is added.
	var room [16]float64
	scores := room[:0]
	for i := first; i < len(c.Args); i += 2 {
		score, ok := resp.ParseFloat(c.Args[i])
		if !ok {
			c.Reply.Error(MsgNotFloat)
			return
		}
		scores = append(scores, score)
	}
	c.zaddAll(o, scores, first+1, 2)
}

// zaddAll adds to the set at Args[1] the members Args[first], Args[first+step] and so on with these scores, and replies
// as ZADD does.
func (c *Ctx) zaddAll(o zaddOptions, scores []float64, first, step int) {
	w, found, failed := c.zsetWrite(1)
	if failed {
		return
	}
	added, updated, done := 0, 0, false
	score := 0.0
	if found || !o.xx {
		if found {
			w.expect(len(scores))
		} else {
			w.create(len(scores), c.Args[first])
		}
		for i := range scores {
			member := c.Args[first+i*step]
			score = scores[i]
			if o.nx || o.xx || o.gt || o.lt || o.incr {
				was, known := w.reader().Get(member)
				if known && o.nx || !known && o.xx {
					continue
				}
				if known && o.incr {
					if score += was; math.IsNaN(score) {
						c.Reply.Error(msgNaNScore)
						return
					}
				}
				if known && (o.lt && score >= was || o.gt && score <= was) {
					continue
				}
			}
			done = true
			isNew, changed := w.set(member, score)
			if isNew {
				added++
			} else if changed {
				updated++
			}
		}
		w.finish()
	}
	if n := added + updated; n > 0 {
		event := "zadd"
		if o.incr {
			event = "zincr"
		}
		c.Dirty(n - 1)
		c.Changed(w.k, keyspace.EventZSet, event)
	}
	switch {
	case o.incr && done:
		c.Reply.Double(score)
	case o.incr:
		c.Reply.Null()
	case o.ch:
		c.Reply.Int(int64(added + updated))
	default:
		c.Reply.Int(int64(added))
	}
}

// ZREM removes members.
var zremSpec = Spec{
	Name: "zrem", Group: GroupSortedSet, Since: "1.2.0", Arity: -3,
	Complexity: "O(M*log(N)) for M members of a set of N",
	Summary:    "Removes members from a sorted set.",
	History:    [][2]string{{"2.4.0", "Takes several members."}},
	Flags:      Write | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Delete)},
	Syntax:     "key member...",
	HeavyWords: heavyKeys,
	Run:        zremCommand,
}

func zremCommand(c *Ctx) {
	w, found, failed := c.zsetWrite(1)
	if failed {
		return
	}
	removed, empty := 0, false
	for i := 2; i < len(c.Args) && found && !empty; i++ {
		if w.remove(c.Args[i]) {
			removed++
			empty = w.reader().Len() == 0
		}
	}
	if removed > 0 {
		c.Dirty(removed - 1)
		c.Changed(w.k, keyspace.EventZSet, "zrem")
		if empty {
			c.dropEmpty(w.k)
		}
	}
	c.Reply.Int(int64(removed))
}

// ZCARD counts the members.
var zcardSpec = Spec{
	Name: "zcard", Group: GroupSortedSet, Since: "1.2.0", Complexity: "O(1)", Arity: 2,
	Summary: "Returns the number of members of a sorted set.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO)},
	Syntax:  "key",
	Run:     zcardCommand,
}

func zcardCommand(c *Ctx) {
	if r, _, failed := c.zsetRead(1); !failed {
		c.Reply.Int(int64(r.Len()))
	}
}

// ZSCORE returns the score of a member.
var zscoreSpec = Spec{
	Name: "zscore", Group: GroupSortedSet, Since: "1.2.0", Complexity: "O(1)", Arity: 3,
	Summary: "Returns the score of a member of a sorted set.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key member",
	Run:     zscoreCommand,
}

func zscoreCommand(c *Ctx) {
	if r, _, failed := c.zsetRead(1); !failed {
		c.replyScoreOf(r, c.Args[2])
	}
}

// replyScoreOf replies the score of a member, or null.
func (c *Ctx) replyScoreOf(r zset.Reader, member []byte) {
	if score, ok := r.Get(member); ok {
		c.Reply.Double(score)
	} else {
		c.Reply.Null()
	}
}

// ZMSCORE returns the scores of several members.
var zmscoreSpec = Spec{
	Name: "zmscore", Group: GroupSortedSet, Since: "6.2.0", Complexity: "O(N) for N members", Arity: -3,
	Summary:    "Returns the scores of members of a sorted set.",
	Flags:      ReadOnly | Fast,
	Keys:       KeySpecs{At(1).Flags(RO | Access)},
	Syntax:     "key member...",
	HeavyWords: heavyKeys,
	Run:        zmscoreCommand,
}

func zmscoreCommand(c *Ctx) {
	r, _, failed := c.zsetRead(1)
	if failed {
		return
	}
	c.Reply.Array(len(c.Args) - 2)
	for _, member := range c.Args[2:] {
		c.replyScoreOf(r, member)
	}
}

// ZRANK returns how many members come before a member, which is how many have a lower score, or the same one and a
// name that sorts before.
var zrankSpec = Spec{
	Name: "zrank", Group: GroupSortedSet, Since: "2.0.0", Complexity: "O(log(N)) for a set of N members", Arity: -3,
	Summary: "Returns the rank of a member of a sorted set, lowest score first.",
	History: [][2]string{{"7.2.0", "Option `WITHSCORE`."}},
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key member [WITHSCORE]",
	Run:     func(c *Ctx) { zrank(c, false) },
}

// ZREVRANK is ZRANK from the other end.
var zrevrankSpec = Spec{
	Name: "zrevrank", Group: GroupSortedSet, Since: "2.0.0", Complexity: "O(log(N)) for a set of N members", Arity: -3,
	Summary: "Returns the rank of a member of a sorted set, highest score first.",
	History: [][2]string{{"7.2.0", "Option `WITHSCORE`."}},
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key member [WITHSCORE]",
	Run:     func(c *Ctx) { zrank(c, true) },
}

func zrank(c *Ctx, reverse bool) {
	withScore := len(c.Args) == 4
	switch {
	case len(c.Args) > 4:
		c.wrongArity()
		return
	case withScore && !equalFold(c.Args[3], "withscore"):
		c.Reply.Error(MsgSyntax)
		return
	}
	r, _, failed := c.zsetRead(1)
	if failed {
		return
	}
	rank, score, ok := r.Rank(c.Args[2], reverse)
	switch {
	case !ok && withScore:
		c.Reply.NullArray()
	case !ok:
		c.Reply.Null()
	case withScore:
		c.Reply.Array(2)
		c.Reply.Int(int64(rank))
		c.Reply.Double(score)
	default:
		c.Reply.Int(int64(rank))
	}
}
