package command

import (
	"math"
	"math/bits"

	"github.com/troupe-db/troupe/datatypes/intset"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/datatypes/set"
	"github.com/troupe-db/troupe/netio/resp"
)

// Random members. Every member, and every choice of several members, has the same probability.

// setHeavyDraws is how many random members an event loop may draw: each waits for memory several times.
const setHeavyDraws = 1024

// setMaxDraws bounds the members that one SRANDMEMBER with a negative count replies. A reply of that many is several gigabytes;
// beyond it the server would work on something that it can never send.
const setMaxDraws = 1 << 28

// randBelow returns a random number below n.
func (c *Ctx) randBelow(n int) int {
	r, _ := bits.Mul64(c.Rand(), uint64(n))
	return int(r)
}

// sampleElems calls fn for n different members of a set in no particular order, for all of them if there are fewer.
func (c *Ctx) sampleElems(v *setView, n int, fn func(e set.Elem)) {
	if v.obj != nil {
		v.obj.Sample(c.Rand, n, func(m set.Member) { fn(m.Elem()) })
		return
	}
	c.chooseElems(v, n, func(e set.Elem, chosen bool) {
		if chosen {
			fn(e)
		}
	})
}

// chooseElems calls fn for every member and tells which n of them are chosen: each in turn is with the probability
// (still wanted) / (still to come).
func (c *Ctx) chooseElems(v *setView, n int, fn func(e set.Elem, chosen bool)) {
	left := v.len()
	n = min(n, left)
	v.each(nil, func(p *setProbe) bool {
		chosen := n > 0 && c.randBelow(left) < n
		if chosen {
			n--
		}
		left--
		fn(p.elem, chosen)
		return true
	})
}

// randomElem returns one member.
func (c *Ctx) randomElem(v *setView) set.Elem {
	if v.obj != nil {
		return v.obj.Random(c.Rand).Elem()
	}
	return v.at(c.randBelow(v.len()))
}

// SRANDMEMBER returns random members: one, some that differ, or, for a negative count, that many draws.
var srandmemberSpec = Spec{
	Name: "srandmember", Group: GroupSet, Since: "1.0.0", Complexity: "O(1), and O(N) for a count of N", Arity: -2,
	Summary: "Returns random members of the set at a key.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	History: [][2]string{{"2.6.0", "Takes a `count`."}},
	Syntax:  "key [count:integer@2.6.0]",
	Tips:    []string{"nondeterministic_output"},
	Heavy:   srandmemberHeavy,
	Work:    withoutCount,
	Run:     srandmemberCommand,
}

func srandmemberHeavy(c *Ctx) bool {
	if len(c.Args) < 3 {
		return false
	}
	n, ok := resp.ParseInt(c.Args[2])
	if !ok || n == math.MinInt64 {
		return false
	}
	if n < 0 {
		return -n > setHeavyDraws || c.weight(1, -n) > heavyElements
	}
	return c.weight(1, n) > setHeavyDraws
}

func srandmemberCommand(c *Ctx) {
	if len(c.Args) > 2 {
		srandmemberCount(c)
		return
	}
	v, found, failed := c.setAt(1)
	if failed {
		return
	}
	if !found {
		c.Reply.Null()
		return
	}
	c.replyElem(c.randomElem(&v))
}

func srandmemberCount(c *Ctx) {
	if len(c.Args) > 3 {
		c.Reply.Error(MsgSyntax)
		return
	}
	count, ok := c.intArg(2)
	if !ok {
		return
	}
	if count == math.MinInt64 {
		c.Reply.Error("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807")
		return
	}
	v, found, failed := c.setAt(1)
	switch {
	case failed:
	case !found || count == 0:
		c.Reply.Array(0)
	case count < -setMaxDraws:
		c.Reply.Error("ERR value is out of range")
	case count < 0:
		c.replyDraws(&v, int(-count))
	default:
		n := int(min(count, int64(v.len())))
		c.Reply.Array(n)
		c.sampleElems(&v, n, c.replyElem)
	}
}

// replyDraws replies n members, each drawn out of the whole set.
func (c *Ctx) replyDraws(v *setView, n int) {
	c.Reply.Array(n)
	if v.enc != keyspace.ListPack || n < 4 {
		for range n {
			c.replyElem(c.randomElem(v))
		}
		return
	}
	// A listpack has to be walked to find the i-th element: once for all of them.
	elems := make([]set.Elem, 0, v.len())
	v.each(nil, func(p *setProbe) bool {
		elems = append(elems, p.elem)
		return true
	})
	for range n {
		c.replyElem(elems[c.randBelow(len(elems))])
	}
}

// SPOP removes random members and returns them. It is propagated as what it came to: SREM of the members, or DEL of the key
// when a count took all of them.
var spopSpec = Spec{
	Name: "spop", Group: GroupSet, Since: "1.0.0", Complexity: "O(1), and O(N) for a count of N", Arity: -2,
	Summary: "Removes random members from the set at a key and returns them.",
	Flags:   Write | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Access | Delete)},
	History: [][2]string{{"3.2.0", "Takes a `count`."}},
	Syntax:  "key [count:integer@3.2.0]",
	Tips:    []string{"nondeterministic_output"},
	Heavy:   spopHeavy,
	Work:    withoutCount,
	Run:     spopCommand,
}

func spopHeavy(c *Ctx) bool {
	if len(c.Args) < 3 {
		return false
	}
	n, ok := resp.ParseInt(c.Args[2])
	return ok && c.weight(1, n) > setHeavyDraws
}

var wordSRem = []byte("SREM")

func spopCommand(c *Ctx) {
	if len(c.Args) > 2 {
		spopCount(c)
		return
	}
	e, found, failed := c.LookupWrite(1, keyspace.Set)
	if failed {
		return
	}
	if !found {
		c.Reply.Null()
		return
	}
	k := c.Key(1)
	s := setEdit{c: c, db: c.DB(k), k: k, e: e}
	v := viewSet(s.db, e)
	left := v.len() - 1
	if v.obj != nil {
		m := v.obj.Random(c.Rand).Bytes()
		c.Reply.Bulk(m)
		c.Propagate(wordSRem, k.B, m)
		s.edit().Remove(m)
	} else {
		at := c.randBelow(left + 1)
		if v.enc == keyspace.ListPack {
			at = listpack.Seek(v.packed, at)
		}
		m := v.packedAt(at).Text(c.text[:])
		c.Reply.Bulk(m)
		c.Propagate(wordSRem, k.B, m)
		s.removeAt(at)
	}
	c.Changed(k, keyspace.EventSet, "spop")
	if left == 0 {
		c.dropEmpty(k)
	}
}

// packedAt returns the member of an intset with that index, or that of a listpack at that offset.
func (v *setView) packedAt(at int) set.Elem {
	if v.enc == keyspace.IntSet {
		return set.IntElem(intset.Get(v.packed, at))
	}
	return listpackElem(v.packed, at)
}

// spopBatch is how many members one SREM has in which a SPOP is propagated.
const spopBatch = 1024

// spopRebuild: a set of which fewer than a fifth as many members are left as were taken is made anew.
const spopRebuild = 5

func spopCount(c *Ctx) {
	if len(c.Args) > 3 {
		c.Reply.Error(MsgSyntax)
		return
	}
	n, ok := resp.ParseInt(c.Args[2])
	if !ok || n < 0 {
		c.Reply.Error("ERR value is out of range, must be positive")
		return
	}
	e, found, failed := c.LookupWrite(1, keyspace.Set)
	if failed {
		return
	}
	if !found || n == 0 {
		c.Reply.Set(0)
		return
	}
	k := c.Key(1)
	s := setEdit{c: c, db: c.DB(k), k: k, e: e}
	v := viewSet(s.db, e)
	size := v.len()
	if n >= int64(size) {
		c.replySet(&v)
		c.Propagate(wordDel, k.B)
		c.Changed(k, keyspace.EventSet, "spop")
		c.Dirty(size - 1)
		c.dropEmpty(k)
		return
	}
	count := int(n)
	c.Reply.Set(count)
	c.Propagate()
	if v.obj != nil && (size-count)*spopRebuild > count {
		s.popSome(v.obj, count)
	} else {
		s.popMost(&v, count)
	}
	c.Changed(k, keyspace.EventSet, "spop")
	c.Dirty(count - 1)
}

// popSome replies and removes count members of a large set.
func (s *setEdit) popSome(o *set.Set, count int) {
	s.edit()
	members := make([]set.Member, 0, min(count, spopBatch))
	var effect setEffect
	for count > 0 {
		members = members[:0]
		o.Sample(s.c.Rand, min(count, spopBatch), func(m set.Member) { members = append(members, m) })
		for _, m := range members {
			s.c.Reply.Bulk(m.Bytes())
			effect.add(s, m.Elem())
		}
		effect.flush(s)
		o.RemoveMembers(members)
		count -= len(members)
	}
}

// popMost replies and removes count members of a set, of which those that stay are put together anew: it is for packed sets, and for
// large ones of which few stay, which may be packed then.
func (s *setEdit) popMost(v *setView, count int) {
	var effect setEffect
	enc := v.enc
	if enc == keyspace.HashTable {
		enc = keyspace.ListPack
	}
	b := newSetBuilder(s.c, s.db, enc, make([]byte, 0, len(v.packed)))
	s.c.chooseElems(v, v.len()-count, func(e set.Elem, stays bool) {
		if stays {
			b.addNew(e)
			return
		}
		s.c.replyElem(e)
		effect.add(s, e)
	})
	effect.flush(s)
	b.put(s.k, keyspace.KeepTTL)
}

// setEffect collects removed members for propagation.
type setEffect struct {
	words [][]byte
}

// add adds a member, whose text must stay until the next flush.
func (x *setEffect) add(s *setEdit, e set.Elem) {
	if s.c.Journal == nil {
		return
	}
	if x.words == nil {
		x.words = append(make([][]byte, 0, 16), wordSRem, s.k.B)
	}
	x.words = append(x.words, e.Text(nil))
	if len(x.words) == spopBatch+2 {
		x.flush(s)
	}
}

// flush states the effect of what was added.
func (x *setEffect) flush(s *setEdit) {
	if len(x.words) > 2 {
		s.c.Propagate(x.words...)
		x.words = x.words[:2]
	}
}
