package command

import "github.com/troupe-db/troupe/netio/resp"

// Taking members from the ends of sorted sets.

// zpopEnd is an end of a sorted set.
type zpopEnd bool

const (
	zpopMin zpopEnd = false
	zpopMax zpopEnd = true
)

// event returns the name of the keyspace event, which is also that of the command that repeats the effect.
func (end zpopEnd) event() string {
	if end == zpopMax {
		return "zpopmax"
	}
	return "zpopmin"
}

// zpop takes n members, as many as there are or fewer, from an end of a set and appends each with its score to the
// reply: as an array of its own if nested. The set may be gone afterwards.
func (w *zsetWriter) zpop(end zpopEnd, n int, nested bool) {
	r := w.reader()
	lo, hi := 0, n
	if end == zpopMax {
		lo, hi = r.Len()-n, r.Len()
	}
	for it := r.Range(lo, hi, bool(end)); it.Next(); {
		w.c.zsetPair(nested, it.Member(), it.Score())
	}
	w.removeRange(lo, hi, end.event())
}

// ZPOPMIN takes the members with the lowest scores. Without a count its reply is flat in both protocols.
var zpopminSpec = Spec{
	Name: "zpopmin", Group: GroupSortedSet, Since: "5.0.0", Arity: -2,
	Complexity: "O(log(N)+M) for M members of a set of N",
	Summary:    "Removes and returns the members of a sorted set with the lowest scores.",
	Flags:      Write | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Access | Delete)},
	Syntax:     "key [count:integer]",
	Heavy:      func(c *Ctx) bool { return len(c.Args) == 3 && c.zpopHeavy(c.Args[2], 1) },
	Work:       withoutCount,
	Run:        func(c *Ctx) { zpopCommand(c, zpopMin) },
}

// ZPOPMAX takes the members with the highest scores.
var zpopmaxSpec = Spec{
	Name: "zpopmax", Group: GroupSortedSet, Since: "5.0.0", Arity: -2,
	Complexity: "O(log(N)+M) for M members of a set of N",
	Summary:    "Removes and returns the members of a sorted set with the highest scores.",
	Flags:      Write | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Access | Delete)},
	Syntax:     "key [count:integer]",
	Heavy:      func(c *Ctx) bool { return len(c.Args) == 3 && c.zpopHeavy(c.Args[2], 1) },
	Work:       withoutCount,
	Run:        func(c *Ctx) { zpopCommand(c, zpopMax) },
}

// zpopHeavy tells whether so many members of the set at Args[key] are many.
func (c *Ctx) zpopHeavy(count []byte, key int) bool {
	n, ok := resp.ParseInt(count)
	if n < 0 {
		n = max(-n, 0) // the least integer stays negative: it is no count
	}
	return ok && c.weight(key, n) > heavyElements
}

func zpopCommand(c *Ctx, end zpopEnd) {
	if len(c.Args) > 3 {
		c.Reply.Error(MsgSyntax)
		return
	}
	count, counted := 1, len(c.Args) == 3
	if counted {
		var ok bool
		if count, ok = c.zsetCount(c.Args[2], 0, "ERR value is out of range, must be positive"); !ok {
			return
		}
	}
	w, found, failed := c.zsetWrite(1)
	switch {
	case failed:
	case !found || count == 0:
		c.Reply.Array(0)
	default:
		n := min(count, w.reader().Len())
		nested := counted && c.zsetPairs(n)
		if !counted {
			c.Reply.Array(2)
		}
		w.zpop(end, n, nested)
	}
}

// ZMPOP takes members from the first of several sets that is there. It is propagated as ZPOPMIN or ZPOPMAX of that one.
var zmpopSpec = Spec{
	Name: "zmpop", Group: GroupSortedSet, Since: "7.0.0", Arity: -4,
	Complexity: "O(K)+O(log(N)+M) for K keys and M members of a set of N",
	Summary:    "Removes and returns members of the first of several sorted sets that is not empty.",
	Flags:      Write,
	Keys:       KeySpecs{KeyNum(1, 1, 1).Flags(RW | Access | Delete)},
	Syntax:     "numkeys:integer key... where:<MIN|MAX> [COUNT count:integer]",
	Heavy:      func(c *Ctx) bool { return zmpopHeavy(c, 1) },
	Run: func(c *Ctx) {
		if a, ok := c.zmpopArgs(1); ok && !c.zmpop(&a) {
			c.Reply.NullArray()
		}
	},
}

// zmpopHeavy is about ZMPOP and BZMPOP, whose number of keys is Args[at].
func zmpopHeavy(c *Ctx, at int) bool {
	n, ok := resp.ParseInt(c.Args[at])
	if !ok || n < 1 || n > int64(len(c.Args)-at-2) {
		return false
	}
	if n > heavyKeys {
		return true
	}
	if int(n)+at+3 >= len(c.Args) {
		return false // one member
	}
	for i := at + 1; i <= int(n)+at; i++ {
		if c.zpopHeavy(c.Args[len(c.Args)-1], i) {
			return true
		}
	}
	return false
}

// zmpopArgs are the arguments of ZMPOP.
type zmpopArgs struct {
	first, last int // the keys are Args[first] to Args[last]
	end         zpopEnd
	count       int
}

// zmpopArgs reads them; Args[at] is the number of keys. When they are wrong, that is the reply.
func (c *Ctx) zmpopArgs(at int) (a zmpopArgs, ok bool) {
	keys, ok := c.zsetCount(c.Args[at], 1, "ERR numkeys should be greater than 0")
	if !ok {
		return a, false
	}
	a = zmpopArgs{first: at + 1, last: at + keys, count: 1}
	if a.last+1 >= len(c.Args) {
		c.Reply.Error(MsgSyntax)
		return a, false
	}
	switch where := c.Args[a.last+1]; {
	case equalFold(where, "min"):
	case equalFold(where, "max"):
		a.end = zpopMax
	default:
		c.Reply.Error(MsgSyntax)
		return a, false
	}
	switch rest := c.Args[a.last+2:]; {
	case len(rest) == 0:
		return a, true
	case len(rest) == 1 || !equalFold(rest[0], "count"):
		c.Reply.Error(MsgSyntax)
		return a, false
	default:
		if a.count, ok = c.zsetCount(rest[1], 1, "ERR count should be greater than 0"); ok && len(rest) > 2 {
			c.Reply.Error(MsgSyntax)
			ok = false
		}
		return a, ok
	}
}

// zmpop serves a from the first key that is there. It tells whether there was one, or else a key of another type, which
// it has replied.
func (c *Ctx) zmpop(a *zmpopArgs) (replied bool) {
	for i := a.first; i <= a.last; i++ {
		if !c.Reachable(i) {
			continue
		}
		w, found, failed := c.zsetWrite(i)
		if failed {
			return true
		}
		if !found {
			continue
		}
		n := min(a.count, w.reader().Len())
		c.Reply.Array(2)
		c.Reply.Bulk(w.k.B)
		c.Reply.Array(n)
		w.zpop(a.end, n, true)
		c.Propagate(a.end.word(), w.k.B, c.Decimal(int64(n)))
		return true
	}
	return false
}

var (
	zpopWordMin = []byte("ZPOPMIN")
	zpopWordMax = []byte("ZPOPMAX")
)

// word returns the name of the command that takes from this end.
func (end zpopEnd) word() []byte {
	if end == zpopMax {
		return zpopWordMax
	}
	return zpopWordMin
}
