package command

import (
	"bytes"
	"math"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// SORT and SORT_RO read the elements of a collection into memory of their own, give each a sort key of 64 bits (see
// cmd_sort_order.go), sort the keys, and only then look at what GET asks for: that is done for the elements that LIMIT
// leaves. The keys that BY and GET patterns lead to may be anywhere, so all shards are held when there is such a pattern.

var sortSpec = Spec{
	Name: "sort", Group: GroupGeneric, Since: "1.0.0", Arity: -2,
	Complexity: "O(N+M*log(M)) for N elements of which M are returned, O(N) without sorting",
	Summary:    "Sorts the elements of a list, a set or a sorted set, and returns or stores them.",
	Flags:      Write | DenyOOM,
	Categories: CatSet | CatSortedSet | CatList | CatDangerous,
	Keys: KeySpecs{
		At(1).Flags(RO | Access),
		Unknown().Flags(RO | Access).Note("The keys that BY and GET patterns lead to depend on the elements."),
		Unknown().Flags(OW | Update).Note("STORE may be anywhere among the options."),
	},
	KeysFunc: sortKeys,
	Syntax: "key [BY by-pattern:pattern#1(pattern)] [LIMIT limit:{offset:integer count:integer}] " +
		"[GET get-pattern:pattern#1(pattern)]... [order:<ASC|DESC>] [sorting:ALPHA] [STORE destination:key#2]",
	ScopeFunc: sortScope,
	Heavy:     sortHeavy,
	Run:       sortCommand,
}

var sortRoSpec = Spec{
	Name: "sort_ro", Group: GroupGeneric, Since: "7.0.0", Arity: -2,
	Complexity: "O(N+M*log(M)) for N elements of which M are returned, O(N) without sorting",
	Summary:    "Sorts the elements of a list, a set or a sorted set, and returns them.",
	Flags:      ReadOnly,
	Categories: CatSet | CatSortedSet | CatList | CatDangerous,
	Keys: KeySpecs{
		At(1).Flags(RO | Access),
		Unknown().Flags(RO | Access).Note("The keys that BY and GET patterns lead to depend on the elements."),
	},
	KeysFunc: sortRoKeys,
	Syntax: "key [BY by-pattern:pattern#1(pattern)] [LIMIT limit:{offset:integer count:integer}] " +
		"[GET get-pattern:pattern#1(pattern)]... [order:<ASC|DESC>] [sorting:ALPHA]",
	ScopeFunc: sortScope,
	Heavy:     sortHeavy,
	Run:       sortCommand,
}

// sortOptions are the words behind the key.
type sortOptions struct {
	by     []byte   // nil: by the elements themselves
	gets   [][]byte // patterns
	nosort bool     // there was a BY without a star: its constant would not sort anything
	desc   bool
	alpha  bool
	offset int64
	count  int64 // negative: all
	store  int   // index in Args of the destination, 0 for none
}

// sortOptionsOf reads the options from position 2 of args on. The text of the first mistake is err.
func sortOptionsOf(args [][]byte, canStore bool) (o sortOptions, err string) {
	o.count = -1
	w := words{rest: args[2:]}
	for w.more() {
		switch {
		case w.is("ASC"):
			o.desc = false
		case w.is("DESC"):
			o.desc = true
		case w.is("ALPHA"):
			o.alpha = true
		case w.has("LIMIT", 2):
			o.offset, o.count = w.int(), w.int()
		case canStore && w.has("STORE", 1):
			o.store = len(args) - len(w.rest)
			w.next()
		case w.has("BY", 1):
			o.by = w.next()
			o.nosort = o.nosort || bytes.IndexByte(o.by, '*') < 0
		case w.has("GET", 1):
			o.gets = append(o.gets, w.next())
		default:
			w.syntax()
		}
	}
	return o, w.err
}

// window returns the elements that LIMIT leaves of n sorted ones.
func (o *sortOptions) window(n int) (from, to int) {
	from = int(min(max(o.offset, 0), int64(n)))
	if o.count < 0 {
		return from, n
	}
	return from, from + int(min(o.count, int64(n-from)))
}

// foreign tells whether other keys are read than those that the command names.
func (o *sortOptions) foreign() bool {
	if o.by != nil && !o.nosort {
		return true
	}
	for _, g := range o.gets {
		if bytes.IndexByte(g, '*') >= 0 {
			return true
		}
	}
	return false
}

// sortScope: all shards when patterns lead to keys that are not named. Also in the odd case that sortKeys, which takes
// the same words for keys as Redis does, sees another destination than the command.
func sortScope(args [][]byte) Scope {
	o, err := sortOptionsOf(args, true)
	if err != "" {
		return ScopeKeys // the reply is the mistake
	}
	if o.foreign() {
		return ScopeAllShards
	}
	if o.store != 0 {
		var room [2]KeyRef
		if keys := sortKeys(room[:0], args); keys[len(keys)-1].Index != o.store {
			return ScopeAllShards
		}
	}
	return ScopeKeys
}

// sortHeavy: what counts is how many elements are read, which is all of them unless a range is cut out of an order that
// is there already.
func sortHeavy(c *Ctx) bool {
	n := c.elements(1)
	if n <= heavyElements && len(c.Args) < sortManyWords {
		return false
	}
	o, err := sortOptionsOf(c.Args, c.Spec.Flags&Write != 0)
	if err != "" {
		return false
	}
	k := c.Key(1)
	db := c.DB(k)
	e, ok := db.Peek(k)
	if !ok || e.Type() != keyspace.List && e.Type() != keyspace.Set && e.Type() != keyspace.ZSet {
		return false
	}
	if n <= heavyElements {
		// Few elements, but each with many GETs.
		from, to := o.window(sortedLen(db, e))
		return (to-from)*len(o.gets) > heavyElements
	}
	return sortLong(&o, e.Type(), n) && !(c.canWalk() && sortWalks(&o, e.Type()))
}

// sortManyWords is the number of words below which SORT of few elements has few GETs as well.
const sortManyWords = 32

// sortLong tells whether sorting a large value of n elements takes long.
func sortLong(o *sortOptions, t keyspace.Type, n int) bool {
	if o.nosort && t != keyspace.Set {
		from, to := o.window(n)
		return (to-from)*max(len(o.gets), 1) > heavyElements
	}
	return n > heavyElements
}

func sortCommand(c *Ctx) {
	o, err := sortOptionsOf(c.Args, c.Spec.Flags&Write != 0)
	if err != "" {
		c.Reply.Error(err)
		return
	}
	e, ok, failed := c.LookupRead(1, keyspace.None)
	if failed {
		return
	}
	v := sortVector{stable: !o.foreign()}
	var typ keyspace.Type
	if ok {
		typ = e.Type()
		if typ != keyspace.List && typ != keyspace.Set && typ != keyspace.ZSet {
			c.Reply.Error(MsgWrongType)
			return
		}
	}
	if o.nosort && typ == keyspace.Set && (o.store != 0 || c.InScript) {
		// The order of a set is arbitrary: what is stored or goes to a script must be the same everywhere.
		o.nosort, o.alpha, o.by = false, true, nil
	}
	from, to := 0, 0
	if ok {
		k := c.Key(1)
		db := c.DB(k)
		n := sortedLen(db, e)
		if c.canWalk() && e.IsObject() && sortWalks(&o, typ) && sortLong(&o, typ, n) {
			c.walkSort(db, e, &o)
			return
		}
		from, to = o.window(n)
		switch {
		case o.nosort && typ != keyspace.Set:
			loadSorted(&v, db, e, from, to, o.desc)
			from, to = 0, to-from
		case o.nosort:
			loadSorted(&v, db, e, 0, n, false)
		default:
			loadSorted(&v, db, e, 0, n, false)
			// Where elements lie in an order of their own, equals stay in it.
			v.ordered = typ == keyspace.List || e.IsPacked()
			if !c.weigh(&v, &o) {
				c.Reply.Error(msgSortScore)
				return
			}
			v.sort(from, to)
		}
	}
	if o.store != 0 {
		c.sortStore(&v, &o, from, to)
		return
	}
	v.reply(c.Reply, &o, from, to, func(pattern []byte, elem string) ([]byte, bool) {
		return c.lookupByPattern(&v, pattern, elem)
	})
}

const msgSortScore = "ERR One or more scores can't be converted into double"

// reply replies the elements from index from to index to, or what GET asks for in their place. lookup returns what a pattern
// leads to.
func (v *sortVector) reply(w *resp.Writer, o *sortOptions, from, to int, lookup func(pattern []byte, elem string) ([]byte, bool)) {
	w.Array((to - from) * max(len(o.gets), 1))
	for i := from; i < to; i++ {
		v.warm(i)
		v.worked(1)
		elem := v.at(i)
		if len(o.gets) == 0 {
			w.BulkString(elem)
		}
		for _, pattern := range o.gets {
			if len(pattern) == 1 && pattern[0] == '#' {
				w.BulkString(elem)
			} else if val, ok := lookup(pattern, elem); ok {
				w.Bulk(val)
			} else {
				w.Null()
			}
		}
	}
}

// sortStore makes a list of the elements from index from to index to the value of the destination, whatever it held.
func (c *Ctx) sortStore(v *sortVector, o *sortOptions, from, to int) {
	k := c.Key(o.store)
	db := c.DB(k)
	n := (to - from) * max(len(o.gets), 1)
	if n == 0 {
		if db.Delete(k) {
			c.Dirty(1)
			db.Notify(keyspace.EventGeneric, "del", k.B)
		}
		c.Reply.Int(0)
		return
	}
	out := newSortResult(db, c.listOptions(), n)
	for i := from; i < to; i++ {
		v.warm(i)
		elem := v.at(i)
		if len(o.gets) == 0 {
			out.add(stringBytes(elem))
		}
		for _, pattern := range o.gets {
			if len(pattern) == 1 && pattern[0] == '#' {
				out.add(stringBytes(elem))
				continue
			}
			val, _ := c.lookupByPattern(v, pattern, elem) // what is not there is stored as an empty element
			out.add(val)
		}
	}
	out.put(k)
	c.Changed(k, keyspace.EventList, "sortstore")
	c.Dirty(n - 1)
	c.Reply.Int(int64(n))
}

// weigh gives every element the key that it is sorted by. It is false when one is to be a number and is none.
func (c *Ctx) weigh(v *sortVector, o *sortOptions) bool {
	if o.by == nil {
		return v.weigh(o)
	}
	v.begin(o.desc)
	if o.alpha {
		v.texts, v.missing = make([]string, len(v.elems)), make([]bool, len(v.elems))
		for i, elem := range v.elems {
			val, found := c.lookupByPattern(v, o.by, elem)
			v.texts[i], v.missing[i] = v.keep(val), !found
		}
		v.addTexts()
		return true
	}
	for _, elem := range v.elems {
		val, found := c.lookupByPattern(v, o.by, elem)
		score := 0.0 // of what is not there
		if found {
			var ok bool
			if score, ok = sortScore(val); !ok {
				return false
			}
		}
		v.addScore(score)
	}
	return true
}

// weigh is Ctx.weigh for elements that are sorted by themselves.
func (v *sortVector) weigh(o *sortOptions) bool {
	v.begin(o.desc)
	if o.alpha {
		v.addTexts()
		return true
	}
	for _, elem := range v.elems {
		score, ok := sortScore(stringBytes(elem))
		if !ok {
			return false
		}
		v.addScore(score)
		v.worked(1)
	}
	return true
}

// sortScore reads a number as C's strtod does for Redis: white space in front is skipped, the text ends at a zero byte,
// and nothing at all is 0.
func sortScore(b []byte) (float64, bool) {
	if n, ok := resp.ParseInt(b); ok {
		return float64(n), true
	}
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	if len(b) == 0 {
		return 0, true
	}
	for len(b) > 0 && (b[0] == ' ' || b[0]-'\t' < 5) {
		b = b[1:]
	}
	f, ok := resp.ParseFloat(b)
	if ok && math.Abs(f) < 0x1p-1022 && f != 0 {
		// strtod reports a result below the normal numbers unless it is exact, which only the hexadecimal ones are.
		ok = bytes.IndexByte(b, 'x') >= 0 || bytes.IndexByte(b, 'X') >= 0
	}
	return f, ok
}

// lookupByPattern returns the value that pattern leads to when elem takes the place of its first star: a string, or the
// field of a hash that follows "->". It is valid until the next call or change of a DB.
func (c *Ctx) lookupByPattern(v *sortVector, pattern []byte, elem string) ([]byte, bool) {
	star := bytes.IndexByte(pattern, '*')
	if star < 0 {
		return nil, false
	}
	suffix := pattern[star+1:]
	var field []byte
	if at := bytes.Index(suffix, []byte("->")); at >= 0 && at+2 < len(suffix) {
		suffix, field = suffix[:at], suffix[at+2:]
	}
	v.key = append(v.key[:0], pattern[:star]...)
	v.key = append(v.key, elem...)
	v.key = append(v.key, suffix...)
	k := keyspace.MakeKey(v.key)
	db := c.DB(k)
	e, ok := db.LookupRead(k)
	switch {
	case !ok:
		return nil, false
	case field != nil:
		if e.Type() != keyspace.Hash {
			return nil, false
		}
		return c.sortField(db, e, field)
	case e.Type() != keyspace.String:
		return nil, false
	}
	return c.Text(e), true
}
