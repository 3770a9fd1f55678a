package command

import (
	"cmp"
	"math"
	"slices"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/zset"
	"github.com/troupe-db/troupe/netio/resp"
)

// Unions, intersections and differences of sorted sets. Sets take part as sorted sets whose scores are all 1.
//
// The result is put together in a builder, which finds members by hash and sorts once at the end. All inputs are read
// before the destination, which may be one of them, is replaced.

type zsetOp uint8

const (
	zsetUnion zsetOp = iota
	zsetInter
	zsetDiff
)

// storeEvents are the events of the commands that store.
var zsetStoreEvents = [...]string{"zunionstore", "zinterstore", "zdiffstore"}

// zsetInput is one input.
type zsetInput struct {
	r      zset.Reader
	set    setView
	isSet  bool
	weight float64
}

func (in *zsetInput) len() int {
	if in.isSet {
		return in.set.len()
	}
	return in.r.Len()
}

// score returns the weighted score of a member.
func (in *zsetInput) score(member []byte) (score float64, ok bool) {
	if in.isSet {
		return in.weight, in.set.holds(member)
	}
	score, ok = in.r.Get(member)
	return score * in.weight, ok
}

// large returns the input as an object, nil when it is packed or a set.
func (in *zsetInput) large() *zset.ZSet { return in.r.Object() }

// each calls fn with every member and its weighted score, until it returns false.
func (in *zsetInput) each(fn func(member []byte, score float64) bool) {
	if in.isSet {
		in.set.each(nil, func(p *setProbe) bool { return fn(p.bytes(), in.weight) })
		return
	}
	it := in.r.Range(0, in.r.Len(), false) // not in the loop's header: there, fn would make it a new one every time round
	for it.Next() {
		if !fn(it.Member(), it.Score()*in.weight) {
			return
		}
	}
}

// zsetAhead is how many members are looked up together, so that they wait for memory once and not one after the other.
const zsetAhead = 16

// eachAhead is each for a caller that looks the members up in others.
func (in *zsetInput) eachAhead(others []zsetInput, fn func(member []byte, score float64) bool) {
	large := false
	for i := range others {
		large = large || others[i].large() != nil
	}
	if in.large() == nil || !large {
		in.each(fn)
		return
	}
	var members [zsetAhead][]byte
	var scores [zsetAhead]float64
	it := in.r.Range(0, in.r.Len(), false)
	for more := true; more; {
		n := 0
		for n < zsetAhead && more {
			if more = it.Next(); more {
				members[n], scores[n] = it.Member(), it.Score()*in.weight
				n++
			}
		}
		for i := range others {
			if z := others[i].large(); z != nil {
				z.Warm(members[:n]...)
			}
		}
		for i := range n {
			if !fn(members[i], scores[i]) {
				return
			}
		}
	}
}

// orZero makes 0 of what an infinite score times a weight of 0 is, and the other way round.
func orZero(score float64) float64 {
	if math.IsNaN(score) {
		return 0
	}
	return score
}

// zsetCombination is a parsed command.
type zsetCombination struct {
	op         zsetOp
	inputs     []zsetInput
	aggregate  zset.Aggregate
	withScores bool
	limit      int64 // of ZINTERCARD, 0 for none
	room       [4]zsetInput
}

// zsetForm says what a command of this kind takes.
type zsetForm struct {
	op        zsetOp
	store     bool // Args[1] is the destination
	countOnly bool // ZINTERCARD
}

// numkeysAt returns the index of the number of keys.
func (f zsetForm) numkeysAt() int {
	if f.store {
		return 2
	}
	return 1
}

// zsetHeavyInputs is how many inputs an event loop may combine: each member of one is looked for in all others, and in a
// packed one that is a walk of up to a microsecond.
const zsetHeavyInputs = 32

// heavy tells whether the inputs are large or many.
func (f zsetForm) heavy(c *Ctx) bool {
	at := f.numkeysAt()
	n, ok := resp.ParseInt(c.Args[at])
	if !ok || n < 1 || n >= int64(len(c.Args)-at) {
		return false
	}
	if n > zsetHeavyInputs {
		return true
	}
	sum := int64(0)
	for i := at + 1; i <= at+int(n); i++ {
		sum += c.weight(i, math.MaxInt64)
	}
	return sum > heavyElements
}

// parse reads the arguments and looks the inputs up. When something is wrong, that is the reply.
func (f zsetForm) parse(c *Ctx, z *zsetCombination) (ok bool) {
	z.op, z.inputs = f.op, z.room[:0]
	at := f.numkeysAt()
	n, ok := c.intArg(at)
	if !ok {
		return false
	}
	if n < 1 {
		c.Reply.Error("ERR at least 1 input key is needed for '" + c.Spec.FullName + "' command")
		return false
	}
	if n > int64(len(c.Args)-at-1) {
		c.Reply.Error(MsgSyntax)
		return false
	}
	behind := at + 1 + int(n)
	for i := at + 1; i < behind; i++ {
		in := zsetInput{weight: 1}
		e, found, _ := c.LookupRead(i, keyspace.None)
		switch {
		case !found:
		case e.Type() == keyspace.ZSet:
			in.r = zsetOf(c.DB(c.Key(i)), e)
		case e.Type() == keyspace.Set:
			in.set, in.isSet = viewSet(c.DB(c.Key(i)), e), true
		default:
			c.Reply.Error(MsgWrongType)
			return false
		}
		z.inputs = append(z.inputs, in)
	}
	w := c.words(behind)
	weighted := f.op != zsetDiff && !f.countOnly
	for w.more() {
		switch {
		case weighted && w.has("WEIGHTS", int(n)):
			for i := range z.inputs {
				var isFloat bool
				if z.inputs[i].weight, isFloat = resp.ParseFloat(w.next()); !isFloat {
					w.fail("ERR weight value is not a float")
				}
			}
		case weighted && w.has("AGGREGATE", 1):
			switch {
			case w.is("SUM"):
				z.aggregate = zset.Sum
			case w.is("MIN"):
				z.aggregate = zset.Min
			case w.is("MAX"):
				z.aggregate = zset.Max
			default:
				w.syntax()
			}
		case !f.store && !f.countOnly && w.is("WITHSCORES"):
			z.withScores = true
		case f.countOnly && w.has("LIMIT", 1):
			z.limit = w.intIn(0, math.MaxInt64, "ERR LIMIT can't be negative")
		default:
			w.syntax()
		}
	}
	if w.failed(c) {
		return false
	}
	if f.op != zsetDiff {
		// From the smallest to the largest, which is the quickest for an intersection; and the order in which scores
		// are added up shows in their last digits.
		slices.SortStableFunc(z.inputs, func(a, b zsetInput) int { return cmp.Compare(a.len(), b.len()) })
	}
	return true
}

// expected returns how many members the result can have, and whether it is likely to have about as many.
func (z *zsetCombination) expected() (most int, likely bool) {
	switch z.op {
	case zsetUnion:
		for i := range z.inputs {
			most += z.inputs[i].len()
		}
		return most, len(z.inputs) == 1
	case zsetDiff:
		return z.inputs[0].len(), true
	}
	return z.inputs[0].len(), false
}

// run puts the result into b.
func (z *zsetCombination) run(b *zsetBuild) {
	switch z.op {
	case zsetUnion:
		z.union(b)
	case zsetInter:
		z.intersect(func(member []byte, score float64) bool {
			b.Add(member, score)
			return true
		})
	default:
		z.subtract(b)
	}
}

func (z *zsetCombination) union(b *zsetBuild) {
	for i := range z.inputs {
		first := b.Len() == 0
		z.inputs[i].each(func(member []byte, score float64) bool {
			if first {
				b.Add(member, orZero(score))
			} else {
				b.Merge(member, orZero(score), z.aggregate)
			}
			return true
		})
	}
}

// intersect calls fn with the members that are in all inputs, until it returns false.
func (z *zsetCombination) intersect(fn func(member []byte, score float64) bool) {
	z.inputs[0].eachAhead(z.inputs[1:], func(member []byte, score float64) bool {
		score = orZero(score)
		for i := 1; i < len(z.inputs); i++ {
			other, ok := z.inputs[i].score(member)
			if !ok {
				return true
			}
			score = zsetAggregate(z.aggregate, score, other)
		}
		return fn(member, score)
	})
}

// zsetAggregate combines the score so far with one more. Of equal ones the former stays, which matters for -0; a weighted
// score that is no number loses against any, or makes the sum 0.
func zsetAggregate(how zset.Aggregate, score, more float64) float64 {
	if math.IsNaN(more) {
		if how == zset.Sum {
			return 0
		}
		return score
	}
	if combined := how.Combine(score, more); combined != score || how == zset.Sum {
		return combined
	}
	return score
}

func (z *zsetCombination) subtract(b *zsetBuild) {
	first, others := &z.inputs[0], z.inputs[1:]
	index := map[string]struct{}{}
	if first.len() > zsetManyLookups {
		// A packed set is searched from its start each time; a table of all of them is made once.
		rest := make([]zsetInput, 0, len(others))
		for _, in := range others {
			if in.large() != nil || in.isSet && in.set.obj != nil {
				rest = append(rest, in)
				continue
			}
			in.each(func(member []byte, _ float64) bool {
				index[string(member)] = struct{}{}
				return true
			})
		}
		others = rest
	}
	first.eachAhead(others, func(member []byte, score float64) bool {
		if len(index) > 0 {
			if _, ok := index[string(member)]; ok {
				return true
			}
		}
		for i := range others {
			if _, ok := others[i].score(member); ok {
				return true
			}
		}
		b.Add(member, score)
		return true
	})
}

// zsetManyLookups is how many members make it worth to index the packed sets that they are looked up in.
const zsetManyLookups = 512

// reply runs a command that replies the result.
func (f zsetForm) reply(c *Ctx) {
	var z zsetCombination
	if !f.parse(c, &z) {
		return
	}
	most, likely := z.expected()
	b := c.zsetBuild(c.Key(f.numkeysAt()+1), most)
	if likely {
		b.reserve(most)
	}
	z.run(&b)
	r := b.result()
	c.replyMembers(r, 0, r.Len(), false, z.withScores)
	b.drop()
}

// storeResult runs a command that stores the result.
func (f zsetForm) storeResult(c *Ctx) {
	var z zsetCombination
	if !f.parse(c, &z) {
		return
	}
	most, likely := z.expected()
	b := c.zsetBuild(c.Key(1), most)
	if likely {
		b.reserve(most)
	}
	z.run(&b)
	c.Reply.Int(int64(b.store(zsetStoreEvents[f.op])))
}

// zsetBuild is a sorted set in the making, as the result of a command.
type zsetBuild struct {
	*zset.Builder
	c       *Ctx
	k       keyspace.Key
	db      *keyspace.DB
	a       *arena.Arena
	private bool       // a is for this set alone
	made    *zset.ZSet // what result made
}

// zsetMemberBytes is about what a member of a few bytes takes.
const zsetMemberBytes = 48

// zsetBuild begins a set of up to most members that is to live, if it does, at k.
func (c *Ctx) zsetBuild(k keyspace.Key, most int) zsetBuild {
	db := c.DB(k)
	b := zsetBuild{c: c, k: k, db: db, a: db.ArenaFor(int64(most) * zsetMemberBytes)}
	b.private = b.a != db.ArenaFor(0)
	b.Builder = zset.NewBuilder(b.a, 0)
	return b
}

// reserve makes room for n members. REQUIRES: there are none yet.
func (b *zsetBuild) reserve(n int) {
	b.Builder.Discard()
	b.Builder = zset.NewBuilder(b.a, n)
}

// result returns the set for reading, until drop.
func (b *zsetBuild) result() zset.Reader {
	if b.Len() <= heavyElements && !b.MinusZero() { // a packed set has no -0, but the reply has
		return zset.Packed(b.AppendPacked(nil))
	}
	b.made = b.Finish()
	return b.made.Reader()
}

// drop gives the memory back.
func (b *zsetBuild) drop() {
	switch {
	case b.private:
		b.a.Release()
	case b.made != nil:
		b.made.Free()
	default:
		b.Discard()
	}
}

// store makes the set the value of the key, in the encoding that becomes it, and sends the event. An empty set removes
// the key instead. It returns the number of members.
func (b *zsetBuild) store(event string) int {
	n, s := b.Len(), b.c.Settings
	switch {
	case n == 0:
		b.drop()
		b.c.remove(b.db, b.k)
		return 0
	case n <= s.ZSetMaxListpackEntries && b.MaxMember() <= s.ZSetMaxListpackValue:
		lp := b.AppendPacked(nil)
		b.drop()
		b.db.PutPacked(b.k, keyspace.ZSet, keyspace.ListPack, lp, keyspace.NoTTL)
	default:
		z := b.Finish()
		if shared := b.db.ArenaFor(0); b.private && b.db.ArenaFor(z.Bytes()) == shared {
			// Much smaller than it might have become.
			small := z.Clone(shared)
			b.a.Release()
			z = small
		}
		e := b.db.PutObject(b.k, keyspace.ZSet, keyspace.SkipList, zsetObject{z}, keyspace.NoTTL)
		b.db.Settle(e)
	}
	b.c.Changed(b.k, keyspace.EventZSet, event)
	return n
}

// The forms of the commands.
var (
	zunionForm      = zsetForm{op: zsetUnion}
	zinterForm      = zsetForm{op: zsetInter}
	zdiffForm       = zsetForm{op: zsetDiff}
	zunionstoreForm = zsetForm{op: zsetUnion, store: true}
	zinterstoreForm = zsetForm{op: zsetInter, store: true}
	zdiffstoreForm  = zsetForm{op: zsetDiff, store: true}
	zintercardForm  = zsetForm{op: zsetInter, countOnly: true}
)

const (
	zunionComplexity = "O(N)+O(M*log(M)) for N members of all inputs together and M of the result"
	zinterComplexity = "O(N*K)+O(M*log(M)) for N members of the smallest of K inputs and M of the result"
	zdiffComplexity  = "O(N*K)+O(M*log(M)) for N members of the first of K inputs and M of the result"
)

// ZUNION returns the members of any of several sorted sets.
var zunionSpec = Spec{
	Name: "zunion", Group: GroupSortedSet, Since: "6.2.0", Complexity: zunionComplexity, Arity: -3,
	Summary: "Returns the union of sorted sets.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{KeyNum(1, 1, 1).Flags(RO | Access)},
	Syntax:  "numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE aggregate:<SUM|MIN|MAX>] [WITHSCORES]",
	Heavy:   func(c *Ctx) bool { return zunionForm.heavy(c) },
	Run:     func(c *Ctx) { zunionForm.reply(c) },
}

// ZINTER returns the members that are in all of several sorted sets.
var zinterSpec = Spec{
	Name: "zinter", Group: GroupSortedSet, Since: "6.2.0", Complexity: zinterComplexity, Arity: -3,
	Summary: "Returns the intersection of sorted sets.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{KeyNum(1, 1, 1).Flags(RO | Access)},
	Syntax:  "numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE aggregate:<SUM|MIN|MAX>] [WITHSCORES]",
	Heavy:   func(c *Ctx) bool { return zinterForm.heavy(c) },
	Run:     func(c *Ctx) { zinterForm.reply(c) },
}

// ZDIFF returns the members of a sorted set that are in none of several others.
var zdiffSpec = Spec{
	Name: "zdiff", Group: GroupSortedSet, Since: "6.2.0", Complexity: zdiffComplexity, Arity: -3,
	Summary: "Returns the difference between a sorted set and others.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{KeyNum(1, 1, 1).Flags(RO | Access)},
	Syntax:  "numkeys:integer key... [WITHSCORES]",
	Heavy:   func(c *Ctx) bool { return zdiffForm.heavy(c) },
	Run:     func(c *Ctx) { zdiffForm.reply(c) },
}

// ZUNIONSTORE stores what ZUNION returns.
var zunionstoreSpec = Spec{
	Name: "zunionstore", Group: GroupSortedSet, Since: "2.0.0", Complexity: zunionComplexity, Arity: -4,
	Summary: "Stores the union of sorted sets at a key.",
	Flags:   Write | DenyOOM,
	Keys: KeySpecs{
		At(1).Flags(OW | Update),
		KeyNum(2, 1, 1).Flags(RO | Access),
	},
	Syntax: "destination:key numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE aggregate:<SUM|MIN|MAX>]",
	Heavy:  func(c *Ctx) bool { return zunionstoreForm.heavy(c) },
	Run:    func(c *Ctx) { zunionstoreForm.storeResult(c) },
}

// ZINTERSTORE stores what ZINTER returns.
var zinterstoreSpec = Spec{
	Name: "zinterstore", Group: GroupSortedSet, Since: "2.0.0", Complexity: zinterComplexity, Arity: -4,
	Summary: "Stores the intersection of sorted sets at a key.",
	Flags:   Write | DenyOOM,
	Keys: KeySpecs{
		At(1).Flags(OW | Update),
		KeyNum(2, 1, 1).Flags(RO | Access),
	},
	Syntax: "destination:key numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE aggregate:<SUM|MIN|MAX>]",
	Heavy:  func(c *Ctx) bool { return zinterstoreForm.heavy(c) },
	Run:    func(c *Ctx) { zinterstoreForm.storeResult(c) },
}

// ZDIFFSTORE stores what ZDIFF returns.
var zdiffstoreSpec = Spec{
	Name: "zdiffstore", Group: GroupSortedSet, Since: "6.2.0", Complexity: zdiffComplexity, Arity: -4,
	Summary: "Stores the difference between a sorted set and others at a key.",
	Flags:   Write | DenyOOM,
	Keys: KeySpecs{
		At(1).Flags(OW | Update),
		KeyNum(2, 1, 1).Flags(RO | Access),
	},
	Syntax: "destination:key numkeys:integer key...",
	Heavy:  func(c *Ctx) bool { return zdiffstoreForm.heavy(c) },
	Run:    func(c *Ctx) { zdiffstoreForm.storeResult(c) },
}

// ZINTERCARD counts the members that are in all of several sorted sets.
var zintercardSpec = Spec{
	Name: "zintercard", Group: GroupSortedSet, Since: "7.0.0", Arity: -3,
	Complexity: "O(N*K) for N members of the smallest of K inputs",
	Summary:    "Counts the members of the intersection of sorted sets.",
	Flags:      ReadOnly,
	Keys:       KeySpecs{KeyNum(1, 1, 1).Flags(RO | Access)},
	Syntax:     "numkeys:integer key... [LIMIT limit:integer]",
	Heavy:      func(c *Ctx) bool { return zintercardForm.heavy(c) },
	Run:        zintercardCommand,
}

func zintercardCommand(c *Ctx) {
	var z zsetCombination
	if !zintercardForm.parse(c, &z) {
		return
	}
	n := int64(0)
	z.intersect(func([]byte, float64) bool {
		n++
		return n != z.limit
	})
	c.Reply.Int(n)
}
