package command

import (
	"cmp"
	"math"
	"slices"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/set"
	"github.com/troupe-db/troupe/netio/resp"
)

// Intersections, unions and differences. All of them walk some of the sets and look the members up in others; none copies members
// before it is known which of them belong to the result. What is found is collected by reference, then replied or stored: so the
// length of a reply is known before its first member, and a stored set can be built in its final encoding and at its final size.
//
// Large sets hash alike and are walked in hash order, so the lookups of one walk go through the tables of the other sets from one
// end to the other.

// setSources finds the sets at Args[from:to]. Keys that are not there are left out, missing counts them. When one holds another
// type, that is the reply and failed is true.
func (c *Ctx) setSources(from, to int) (views []setView, missing int, failed bool) {
	views = make([]setView, 0, to-from)
	for i := from; i < to; i++ {
		// Looking a key up may remove others that have expired, but moves none.
		v, ok, failed := c.setAt(i)
		if failed {
			return nil, 0, true
		}
		if ok {
			views = append(views, v)
		} else {
			missing++
		}
	}
	return views, missing, false
}

// largeOf returns the large sets among views.
func largeOf(views []setView) (large []*set.Set) {
	for i := range views {
		if views[i].obj != nil {
			large = append(large, views[i].obj)
		}
	}
	return large
}

// setsWithout returns views without those that are v.
func setsWithout(views []setView, v *setView) []setView {
	others := make([]setView, 0, len(views))
	for i := range views {
		if !views[i].same(v) {
			others = append(others, views[i])
		}
	}
	return others
}

// intersectSets calls fn for the members that all of views have, until it returns false. It sorts views, the smallest first.
func intersectSets(views []setView, fn func(p *setProbe) bool) {
	slices.SortStableFunc(views, func(a, b setView) int { return cmp.Compare(a.len(), b.len()) })
	others := setsWithout(views[1:], &views[0])
	views[0].each(largeOf(others), func(p *setProbe) bool {
		for i := range others {
			if !others[i].has(p) {
				return true
			}
		}
		return fn(p)
	})
}

// unionLookups is how many lookups per member a union may make in the sets that came before; with more it remembers what it has
// seen.
const unionLookups = 4

// unionDistinct is how many sets a union compares with each other lest it walk one twice.
const unionDistinct = 64

// distinctSets returns views, each set once.
func distinctSets(views []setView) []setView {
	once := make([]setView, 0, len(views))
next:
	for i := range views {
		for j := range once {
			if once[j].same(&views[i]) {
				continue next
			}
		}
		once = append(once, views[i])
	}
	return once
}

// uniteSets returns the members of views, each once. With ordered they come in the order of views.
func uniteSets(views []setView, ordered bool) []set.Elem {
	if len(views) <= unionDistinct {
		views = distinctSets(views)
	}
	total := 0
	for i := range views {
		total += views[i].len()
	}
	if !ordered {
		// The members of the first are not looked up, those of the second once: so the largest go first.
		slices.SortStableFunc(views, func(a, b setView) int { return cmp.Compare(b.len(), a.len()) })
	}
	lookups := 0
	for i := range views {
		lookups += i * views[i].len()
	}
	elems := make([]set.Elem, 0, total)
	if lookups <= unionLookups*total {
		for i := range views {
			before := views[:i]
			views[i].each(largeOf(before), func(p *setProbe) bool {
				for j := range before {
					if before[j].has(p) {
						return true
					}
				}
				elems = append(elems, p.elem)
				return true
			})
		}
		return elems
	}
	a := arena.New()
	defer a.Release()
	seen := set.New(a)
	warm := []*set.Set{seen}
	for i := range views {
		views[i].each(warm, func(p *setProbe) bool {
			if seen.AddHash(p.hashOf(), p.bytes()) {
				elems = append(elems, p.elem)
			}
			return true
		})
	}
	return elems
}

// subtractSets returns the members of v that none of others has. inTurn tells to look every member up in all of others; otherwise those
// of others are looked up in v, which is better when others are many and small.
func subtractSets(v *setView, others []setView, inTurn bool) []set.Elem {
	var elems []set.Elem
	if inTurn {
		// The largest is the most likely one to have a member.
		slices.SortStableFunc(others, func(a, b setView) int { return cmp.Compare(b.len(), a.len()) })
		v.each(largeOf(others), func(p *setProbe) bool {
			for i := range others {
				if others[i].has(p) {
					return true
				}
			}
			elems = append(elems, p.elem)
			return true
		})
		return elems
	}
	a := arena.New()
	defer a.Release()
	gone := set.New(a)
	for i := range others {
		if gone.Len() == v.len() {
			return nil
		}
		others[i].each(largeOf([]setView{*v}), func(p *setProbe) bool {
			if v.has(p) {
				gone.AddHash(p.hashOf(), p.bytes())
			}
			return true
		})
	}
	elems = make([]set.Elem, 0, v.len()-gone.Len())
	v.each([]*set.Set{gone}, func(p *setProbe) bool {
		if !gone.HasHash(p.hashOf(), p.bytes()) {
			elems = append(elems, p.elem)
		}
		return true
	})
	return elems
}

// subtractSetsInTurn tells which way of subtractSets does less work, and is Redis's rule too: it decides the encoding of what SDIFFSTORE
// stores.
func subtractSetsInTurn(v *setView, others []setView) bool {
	one, two := int64(v.len()), int64(v.len())
	for i := range others {
		one += int64(v.len())
		two += int64(others[i].len())
	}
	return one/2 <= two
}

// storeSet makes elems, which differ from each other, the set at Args[i], or removes the key if there are none. enc is the encoding to
// begin with. It replies the number of members.
func (c *Ctx) storeSet(i int, elems []set.Elem, enc keyspace.Encoding, event string) {
	k := c.Key(i)
	db := c.DB(k)
	if len(elems) == 0 {
		c.remove(db, k)
		c.Reply.Int(0)
		return
	}
	if enc != keyspace.HashTable && len(elems) > max(c.maxIntsetEntries(), c.Settings.SetMaxListpackEntries) {
		enc = keyspace.HashTable
	}
	if enc == keyspace.HashTable {
		size := 0
		for _, e := range elems {
			size += e.Len()
		}
		o := set.Build(db.ArenaFor(setObjectBytes(len(elems), size)), elems)
		db.Settle(db.PutObject(k, keyspace.Set, enc, setObject{o}, keyspace.NoTTL))
	} else {
		b := newSetBuilder(c, db, enc, make([]byte, 0, 64))
		for _, e := range elems {
			b.addNew(e)
		}
		b.put(k, keyspace.NoTTL)
	}
	c.Changed(k, keyspace.EventSet, event)
	c.Reply.Int(int64(len(elems)))
}

// allInts tells whether every member is an integer.
func allInts(elems []set.Elem) bool {
	for _, e := range elems {
		if _, ok := e.Int(); !ok {
			if _, ok = resp.ParseInt(e.Text(nil)); !ok {
				return false
			}
		}
	}
	return true
}

// heavySources tells whether the sets at Args[from:] are too many or have too many members together.
func (c *Ctx) heavySources(from int) bool {
	if len(c.Args)-from > heavyKeys/16 {
		return true // packed sets of hundreds of members each
	}
	n := int64(0)
	for i := from; i < len(c.Args); i++ {
		n += c.weight(i, math.MaxInt64)
	}
	return n > heavyElements
}

// heavyInter is heavySources for an intersection of Args[from:to], which never looks at more than the members of the smallest
// set.
func (c *Ctx) heavyInter(from, to int) bool {
	if to-from > heavyKeys/16 {
		return true
	}
	least := int64(heavyElements + 1)
	for i := from; i < to; i++ {
		least = min(least, c.weight(i, math.MaxInt64))
	}
	return least*int64(to-from) > heavyElements
}

// SINTER returns the members that all sets have.
var sinterSpec = Spec{
	Name: "sinter", Group: GroupSet, Since: "1.0.0",
	Complexity: "O(N*M) for N members of the smallest set and M sets", Arity: -2,
	Summary: "Returns the members that all of the sets have.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{Range(1, -1, 1).Flags(RO | Access)},
	Syntax:  "key...",
	Tips:    []string{"nondeterministic_output_order"},
	Heavy:   func(c *Ctx) bool { return c.heavyInter(1, len(c.Args)) },
	Run:     sinterCommand,
}

func sinterCommand(c *Ctx) {
	views, missing, failed := c.setSources(1, len(c.Args))
	switch {
	case failed:
	case missing > 0:
		c.Reply.Set(0)
	case len(views) == 1:
		c.replySet(&views[0])
	default:
		c.replyElems(collectInter(views))
	}
}

func collectInter(views []setView) (elems []set.Elem) {
	intersectSets(views, func(p *setProbe) bool {
		elems = append(elems, p.elem)
		return true
	})
	return elems
}

// SINTERSTORE stores the members that all sets have.
var sinterstoreSpec = Spec{
	Name: "sinterstore", Group: GroupSet, Since: "1.0.0",
	Complexity: "O(N*M) for N members of the smallest set and M sets", Arity: -3,
	Summary: "Stores the members that all of the sets have at a key.",
	Flags:   Write | DenyOOM,
	Keys: KeySpecs{
		At(1).Flags(OW | Update),
		Range(2, -1, 1).Flags(RO | Access),
	},
	Syntax: "destination:key key...",
	Heavy:  func(c *Ctx) bool { return c.heavyInter(2, len(c.Args)) },
	Run:    sinterstoreCommand,
}

func sinterstoreCommand(c *Ctx) {
	views, missing, failed := c.setSources(2, len(c.Args))
	if failed {
		return
	}
	if missing > 0 {
		c.storeSet(1, nil, keyspace.IntSet, "")
		return
	}
	elems := collectInter(views)
	// The result begins as a listpack, or as an intset if the smallest set is one, and becomes an intset in the end if it
	// can, whatever it was in between.
	enc := keyspace.ListPack
	switch {
	case views[0].enc == keyspace.IntSet:
		enc = keyspace.IntSet
	case len(elems) <= c.maxIntsetEntries() && allInts(elems):
		enc = keyspace.IntSet
	case len(elems) > c.Settings.SetMaxListpackEntries:
		enc = keyspace.HashTable
	}
	c.storeSet(1, elems, enc, "sinterstore")
}

// SINTERCARD counts the members that all sets have, up to a limit.
var sintercardSpec = Spec{
	Name: "sintercard", Group: GroupSet, Since: "7.0.0",
	Complexity: "O(N*M) for N members of the smallest set and M sets", Arity: -3,
	Summary: "Counts the members that all of the sets have.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{KeyNum(1, 1, 1).Flags(RO | Access)},
	Syntax:  "numkeys:integer key... [LIMIT limit:integer]",
	Heavy:   sintercardHeavy,
	Run:     sintercardCommand,
}

func sintercardHeavy(c *Ctx) bool {
	n, ok := resp.ParseInt(c.Args[1])
	return ok && n > 0 && n <= int64(len(c.Args)-2) && c.heavyInter(2, 2+int(n))
}

func sintercardCommand(c *Ctx) {
	n, ok := resp.ParseInt(c.Args[1])
	if !ok || n < 1 {
		c.Reply.Error("ERR numkeys should be greater than 0")
		return
	}
	if n > int64(len(c.Args)-2) {
		c.Reply.Error("ERR Number of keys can't be greater than number of args")
		return
	}
	limit := int64(0)
	w := c.words(2 + int(n))
	for w.more() {
		if w.has("LIMIT", 1) {
			word := w.next()
			if limit, ok = resp.ParseInt(word); !ok || limit < 0 {
				w.fail("ERR LIMIT can't be negative")
			}
		} else {
			w.syntax()
		}
	}
	if w.failed(c) {
		return
	}
	views, missing, failed := c.setSources(2, 2+int(n))
	if failed {
		return
	}
	count := int64(0)
	if missing == 0 {
		intersectSets(views, func(*setProbe) bool {
			count++
			return count != limit
		})
	}
	c.Reply.Int(count)
}

// SUNION returns the members that any of the sets has.
var sunionSpec = Spec{
	Name: "sunion", Group: GroupSet, Since: "1.0.0", Complexity: "O(N) for N members of all sets together", Arity: -2,
	Summary: "Returns the members that any of the sets has.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{Range(1, -1, 1).Flags(RO | Access)},
	Syntax:  "key...",
	Tips:    []string{"nondeterministic_output_order"},
	Heavy:   func(c *Ctx) bool { return c.heavySources(1) },
	Run:     sunionCommand,
}

func sunionCommand(c *Ctx) {
	views, _, failed := c.setSources(1, len(c.Args))
	switch {
	case failed:
	case len(views) == 1:
		c.replySet(&views[0])
	default:
		c.replyElems(uniteSets(views, false))
	}
}

// SUNIONSTORE stores the members that any of the sets has.
var sunionstoreSpec = Spec{
	Name: "sunionstore", Group: GroupSet, Since: "1.0.0", Complexity: "O(N) for N members of all sets together", Arity: -3,
	Summary: "Stores the members that any of the sets has at a key.",
	Flags:   Write | DenyOOM,
	Keys: KeySpecs{
		At(1).Flags(OW | Update),
		Range(2, -1, 1).Flags(RO | Access),
	},
	Syntax: "destination:key key...",
	Heavy:  func(c *Ctx) bool { return c.heavySources(2) },
	Run:    sunionstoreCommand,
}

func sunionstoreCommand(c *Ctx) {
	views, _, failed := c.setSources(2, len(c.Args))
	if failed {
		return
	}
	// The order decides whether a small result is a listpack. It does not matter for a large one.
	ordered := true
	for i := range views {
		if views[i].len() > max(c.maxIntsetEntries(), c.Settings.SetMaxListpackEntries) {
			ordered = false
		}
	}
	c.storeSet(1, uniteSets(views, ordered), keyspace.IntSet, "sunionstore")
}

// SDIFF returns the members of the first set that none of the others has.
var sdiffSpec = Spec{
	Name: "sdiff", Group: GroupSet, Since: "1.0.0", Complexity: "O(N) for N members of all sets together", Arity: -2,
	Summary: "Returns the members of a set that none of the others has.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{Range(1, -1, 1).Flags(RO | Access)},
	Syntax:  "key...",
	Tips:    []string{"nondeterministic_output_order"},
	Heavy:   func(c *Ctx) bool { return c.heavySources(1) },
	Run:     sdiffCommand,
}

func sdiffCommand(c *Ctx) {
	if elems, _, failed := c.diffOf(1); !failed {
		c.replyElems(elems)
	}
}

// diffOf returns what of the set at Args[from] is in none of those behind it, and the encoding in which to store it.
func (c *Ctx) diffOf(from int) (elems []set.Elem, enc keyspace.Encoding, failed bool) {
	v, found, failed := c.setAt(from)
	if failed {
		return nil, 0, true
	}
	others, _, failed := c.setSources(from+1, len(c.Args))
	if failed || !found || len(setsWithout(others, &v)) < len(others) {
		return nil, keyspace.IntSet, failed
	}
	inTurn := subtractSetsInTurn(&v, others)
	enc = keyspace.IntSet
	if !inTurn {
		enc = c.encodingOfCopy(&v)
	}
	return subtractSets(&v, others, inTurn), enc, false
}

// encodingOfCopy returns the encoding that a new set has after all members of v were added to it in their order.
func (c *Ctx) encodingOfCopy(v *setView) keyspace.Encoding {
	if v.len() > max(c.maxIntsetEntries(), c.Settings.SetMaxListpackEntries) {
		return keyspace.HashTable
	}
	enc, n, widest := keyspace.IntSet, 0, 0
	v.each(nil, func(p *setProbe) bool {
		size := len(p.bytes())
		_, isInt := p.int()
		switch {
		case enc == keyspace.IntSet && isInt:
			widest = max(widest, size)
			if n >= c.maxIntsetEntries() {
				enc = keyspace.HashTable
			}
		case enc == keyspace.IntSet && c.setTakesText(n, max(size, widest)):
			enc = keyspace.ListPack
		case enc == keyspace.IntSet || !c.setTakesText(n, size):
			enc = keyspace.HashTable
		}
		n++
		return enc != keyspace.HashTable
	})
	return enc
}

// SDIFFSTORE stores the members of the first set that none of the others has.
var sdiffstoreSpec = Spec{
	Name: "sdiffstore", Group: GroupSet, Since: "1.0.0", Complexity: "O(N) for N members of all sets together", Arity: -3,
	Summary: "Stores the members of a set that none of the others has at a key.",
	Flags:   Write | DenyOOM,
	Keys: KeySpecs{
		At(1).Flags(OW | Update),
		Range(2, -1, 1).Flags(RO | Access),
	},
	Syntax: "destination:key key...",
	Heavy:  func(c *Ctx) bool { return c.heavySources(2) },
	Run:    sdiffstoreCommand,
}

func sdiffstoreCommand(c *Ctx) {
	if elems, enc, failed := c.diffOf(2); !failed {
		c.storeSet(1, elems, enc, "sdiffstore")
	}
}
