package command

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/list"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/netio/resp"
)

// Reading lists.

// listRange turns a range of indexes as users write it, with negative ones counted from the end, into one from 0 to n-1. The range is
// empty when first > last.
func listRange(first, last int64, n int) (int, int) {
	size := int64(n)
	if first < 0 {
		first = max(first+size, 0)
	}
	if last < 0 {
		last += size
	}
	if first > last || first >= size {
		return 0, -1
	}
	return int(first), int(min(last, size-1))
}

// LLEN replies the length of a list.
var llenSpec = Spec{
	Name: "llen", Group: GroupList, Since: "1.0.0", Complexity: "O(1)", Arity: 2,
	Summary: "Returns the number of elements of the list at a key.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO)},
	Syntax:  "key",
	Run:     llenCommand,
}

func llenCommand(c *Ctx) {
	e, found, failed := c.LookupRead(1, keyspace.List)
	switch {
	case failed:
	case !found:
		c.Reply.Int(0)
	default:
		c.Reply.Int(int64(listLen(c.DB(c.Key(1)), e)))
	}
}

// LINDEX replies one element. A missing key is noticed before an index that is no number.
var lindexSpec = Spec{
	Name: "lindex", Group: GroupList, Since: "1.0.0", Arity: 3,
	Complexity: "O(log N) for a list of N chunks",
	Summary:    "Returns an element of a list by its index.",
	Flags:      ReadOnly,
	Keys:       KeySpecs{At(1).Flags(RO | Access)},
	Syntax:     "key index:integer",
	Run:        lindexCommand,
}

func lindexCommand(c *Ctx) {
	e, found, failed := c.LookupRead(1, keyspace.List)
	if failed {
		return
	}
	if !found {
		c.Reply.Null()
		return
	}
	index, ok := c.intArg(2)
	if !ok {
		return
	}
	db := c.DB(c.Key(1))
	n := int64(listLen(db, e))
	if index < 0 {
		index += n
	}
	if index < 0 || index >= n {
		c.Reply.Null()
		return
	}
	c.replyElements(db, e, int(index), 1, false)
}

// LRANGE replies a range of elements. Both ends belong to it.
var lrangeSpec = Spec{
	Name: "lrange", Group: GroupList, Since: "1.0.0", Arity: 4,
	Complexity: "O(M+log N) for M elements of a list of N chunks",
	Summary:    "Returns a range of the elements of a list.",
	Flags:      ReadOnly,
	Keys:       KeySpecs{At(1).Flags(RO | Access)},
	Syntax:     "key start:integer stop:integer",
	Heavy:      lrangeHeavy,
	Work:       func(p Partial) (int, bool) { return p.span(2) },
	Run:        lrangeCommand,
}

// lrangeHeavy looks at the range, not at the list.
func lrangeHeavy(c *Ctx) bool {
	if c.canWalk() {
		return false // lrangeCommand begins a walk where it is long
	}
	n := c.elements(1)
	if n == 0 {
		return false
	}
	count, ok := c.listRangeArgs(n)
	return ok && c.listHeavy(1, int64(count))
}

// listRangeArgs returns how many of n elements the range in Args[2] and Args[3] covers; ok is false when they are no numbers.
func (c *Ctx) listRangeArgs(n int) (count int, ok bool) {
	first, ok := resp.ParseInt(c.Args[2])
	last, ok2 := resp.ParseInt(c.Args[3])
	if !ok || !ok2 {
		return 0, false
	}
	from, to := listRange(first, last, n)
	return to - from + 1, true
}

func lrangeCommand(c *Ctx) {
	first, ok := c.intArg(2)
	if !ok {
		return
	}
	last, ok := c.intArg(3)
	if !ok {
		return
	}
	e, found, failed := c.LookupRead(1, keyspace.List)
	if failed {
		return
	}
	if !found {
		c.Reply.Array(0)
		return
	}
	db := c.DB(c.Key(1))
	from, to := listRange(first, last, listLen(db, e))
	if c.canWalk() && c.listHeavy(1, int64(to-from+1)) {
		c.walkList(db, e, from, to-from+1)
		return
	}
	c.Reply.Array(to - from + 1)
	if from <= to {
		c.replyElements(db, e, from, to-from+1, false)
	}
}

// LPOS replies where elements equal to a given one are.
var lposSpec = Spec{
	Name: "lpos", Group: GroupList, Since: "6.0.6", Arity: -3,
	Complexity: "O(N) for N elements to compare with",
	Summary:    "Returns the indexes of elements of a list that are equal to a given one.",
	Flags:      ReadOnly,
	Keys:       KeySpecs{At(1).Flags(RO | Access)},
	Syntax:     "key element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]",
	Heavy:      lposHeavy,
	Run:        lposCommand,
}

// lposHeavy looks at how far the command may go.
func lposHeavy(c *Ctx) bool {
	o, w := c.lposOptions()
	if w.err != "" {
		return false
	}
	if o.maxLen == 0 {
		o.maxLen = math.MaxInt64
	}
	return c.listHeavy(1, o.maxLen)
}

const (
	msgLposRank = "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to " +
		"start from the end of the list"
	msgLposRankRange = "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
)

// lposOptions are the options of LPOS.
type lposOptions struct {
	skip   int64 // matches to pass over
	back   bool  // look from the tail
	count  int64 // matches to reply at most, 0 for all
	many   bool  // COUNT was given: the reply is an array
	maxLen int64 // elements to compare with at most, 0 for all
}

// lposOptions reads them; w.failed tells whether they are wrong.
func (c *Ctx) lposOptions() (o lposOptions, w words) {
	o.count = 1
	w = c.words(3)
	for w.more() {
		switch {
		case w.has("RANK", 1):
			rank := w.int()
			switch {
			case w.err != "":
			case rank == 0:
				w.fail(msgLposRank)
			case rank == math.MinInt64:
				w.fail(msgLposRankRange)
			}
			o.back = rank < 0
			o.skip = max(rank, -rank) - 1
		case w.has("COUNT", 1):
			o.count, o.many = w.intIn(0, math.MaxInt64, "ERR COUNT can't be negative"), true
		case w.has("MAXLEN", 1):
			o.maxLen = w.intIn(0, math.MaxInt64, "ERR MAXLEN can't be negative")
		default:
			w.syntax()
		}
	}
	return o, w
}

func lposCommand(c *Ctx) {
	o, w := c.lposOptions()
	if w.failed(c) {
		return
	}
	e, found, failed := c.LookupRead(1, keyspace.List)
	switch {
	case failed:
		return
	case !found && o.many:
		c.Reply.Array(0)
		return
	case !found:
		c.Reply.Null()
		return
	}
	mark := 0
	if o.many {
		mark = c.Reply.StartDeferred()
	}
	db := c.DB(c.Key(1))
	matches := c.lposMatches(db, e, &o)
	switch {
	case o.many:
		c.Reply.EndDeferredArray(mark, matches)
	case matches == 0:
		c.Reply.Null()
	}
}

// lposMatches replies the indexes of matches and returns how many they are.
func (c *Ctx) lposMatches(db *keyspace.DB, e keyspace.Entry, o *lposOptions) (found int) {
	n := listLen(db, e)
	m := lposMatcher{c: c, o: o, elem: c.Args[2], step: 1, left: int64(n)}
	m.number, m.isNumber = resp.ParseInt(m.elem)
	if o.maxLen > 0 {
		m.left = min(m.left, o.maxLen)
	}
	if o.back {
		m.step, m.index = -1, n-1
	}
	if !e.IsObject() {
		pack := e.Packed()
		m.run(&list.Run{Pack: pack, Off: listpack.Seek(pack, m.index), N: n})
		return m.found
	}
	w := db.Object(e).(listObject).Walk(m.index, o.back)
	defer w.Close()
	for w.Next() && m.run(&w.Run) {
	}
	return m.found
}

// lposMatcher compares the elements of a list, run by run, with one.
type lposMatcher struct {
	c        *Ctx
	o        *lposOptions
	elem     []byte
	number   int64 // what elem is if it is an integer
	isNumber bool
	index    int // of the next element
	step     int
	left     int64 // elements that may be looked at
	found    int
}

// run looks at the elements of r and tells whether to go on.
func (m *lposMatcher) run(r *list.Run) bool {
	if r.Pack == nil {
		return m.took(string(r.Plain) == string(m.elem))
	}
	off := r.Off
	for range r.N {
		s, v, isInt := listpack.Get(r.Pack, off)
		equal := isInt && m.isNumber && v == m.number || !isInt && string(s) == string(m.elem)
		if !m.took(equal) {
			return false
		}
		if m.o.back {
			off = listpack.Prev(r.Pack, off)
		} else {
			off = listpack.Next(r.Pack, off)
		}
	}
	return true
}

// took counts one element and tells whether to go on.
func (m *lposMatcher) took(equal bool) bool {
	if m.left <= 0 {
		return false
	}
	m.left--
	index := m.index
	m.index += m.step
	if !equal {
		return true
	}
	if m.o.skip > 0 {
		m.o.skip--
		return true
	}
	m.c.Reply.Int(int64(index))
	m.found++
	return m.o.count == 0 || int64(m.found) < m.o.count
}
