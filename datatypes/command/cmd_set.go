package command

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/intset"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/datatypes/set"
	"github.com/troupe-db/troupe/netio/resp"
)

// Sets. How they are kept is in cmd_set_value.go; random members are in cmd_set_random.go, operations on several sets in
// cmd_set_ops.go, SSCAN in cmd_set_scan.go.

// SADD adds members to a set, which it creates where there is none.
var saddSpec = Spec{
	Name: "sadd", Group: GroupSet, Since: "1.0.0", Complexity: "O(N) for N members", Arity: -3,
	Summary:    "Adds members to the set at a key.",
	Flags:      Write | DenyOOM | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Insert)},
	History:    [][2]string{{"2.4.0", "Takes several members."}},
	Syntax:     "key member...",
	HeavyWords: heavyElements,
	Run:        saddCommand,
}

func saddCommand(c *Ctx) {
	e, found, failed := c.LookupWrite(1, keyspace.Set)
	if failed {
		return
	}
	k := c.Key(1)
	members := c.Args[2:]
	added := 0
	if found {
		s := setEdit{c: c, db: c.DB(k), k: k, e: e}
		s.reserve(len(members))
		added = s.addAll(members)
	} else {
		added = c.createSet(k, members)
	}
	if added > 0 {
		c.Changed(k, keyspace.EventSet, "sadd")
		c.Dirty(added - 1)
	}
	c.Reply.Int(int64(added))
}

// createSet makes a new set of members, some of which may be the same, and returns how many it has.
func (c *Ctx) createSet(k keyspace.Key, members [][]byte) (added int) {
	db := c.DB(k)
	enc := c.newSetEncoding(members[0], len(members))
	if enc != keyspace.HashTable {
		if len(members) <= 4 {
			var scratch [128]byte
			return c.createPacked(db, k, enc, members, scratch[:])
		}
		var scratch [2048]byte
		return c.createPacked(db, k, enc, members, scratch[:])
	}
	size := 0
	for _, m := range members {
		size += len(m)
	}
	o := set.New(db.ArenaFor(setObjectBytes(len(members), size)))
	for len(members) > 0 {
		n := min(len(members), setWarmAhead)
		added += setAddSome(o, members[:n])
		members = members[n:]
	}
	db.Settle(db.PutObject(k, keyspace.Set, keyspace.HashTable, setObject{o}, keyspace.NoTTL))
	return added
}

// createPacked is createSet for a set that begins in a packed encoding. It is put together in scratch, by no more than functions of
// bytes: scratch would escape by way of a setBuilder, and every new set would cost an allocation.
func (c *Ctx) createPacked(db *keyspace.DB, k keyspace.Key, enc keyspace.Encoding, members [][]byte, scratch []byte) (added int) {
	var packed []byte
	if enc == keyspace.IntSet {
		packed = intset.AppendEmpty(scratch[:0])
		for ; len(members) > 0 && intset.Len(packed) < c.maxIntsetEntries(); members = members[1:] {
			n, ok := resp.ParseInt(members[0])
			if !ok {
				break
			}
			packed, _ = intset.Add(packed, n)
		}
		added = intset.Len(packed)
	} else {
		packed = listpack.AppendEmpty(scratch[:0])
		for ; len(members) > 0; members = members[1:] {
			m := members[0]
			if listpack.Find(packed, listpack.First(packed), m, 0) >= 0 {
				continue
			}
			if !c.setTakesText(listpack.Len(packed), len(m)) {
				break
			}
			packed = listpack.Append(packed, m)
		}
		added = listpack.Len(packed)
	}
	s := setEdit{c: c, db: db, k: k, e: db.PutPacked(k, keyspace.Set, enc, packed, keyspace.NoTTL)}
	return added + s.addAll(members)
}

// newSetEncoding chooses how to begin a set that is about to get n members, the first of which is given.
func (c *Ctx) newSetEncoding(first []byte, n int) keyspace.Encoding {
	if n <= c.Settings.SetMaxIntsetEntries {
		if _, ok := resp.ParseInt(first); ok {
			return keyspace.IntSet
		}
	}
	if n <= c.Settings.SetMaxListpackEntries {
		return keyspace.ListPack
	}
	return keyspace.HashTable
}

// SREM removes members. With the last one the key goes.
var sremSpec = Spec{
	Name: "srem", Group: GroupSet, Since: "1.0.0", Complexity: "O(N) for N members", Arity: -3,
	Summary:    "Removes members from the set at a key.",
	Flags:      Write | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Delete)},
	History:    [][2]string{{"2.4.0", "Takes several members."}},
	Syntax:     "key member...",
	HeavyWords: heavyElements,
	Run:        sremCommand,
}

func sremCommand(c *Ctx) {
	e, found, failed := c.LookupWrite(1, keyspace.Set)
	if failed {
		return
	}
	if !found {
		c.Reply.Int(0)
		return
	}
	k := c.Key(1)
	s := setEdit{c: c, db: c.DB(k), k: k, e: e}
	removed, empty := s.removeAll(c.Args[2:])
	if removed > 0 {
		c.Changed(k, keyspace.EventSet, "srem")
		c.Dirty(removed - 1)
		if empty {
			c.dropEmpty(k)
		}
	}
	c.Reply.Int(int64(removed))
}

// removeAll removes members and returns how many were there, and whether none is left.
func (s *setEdit) removeAll(members [][]byte) (removed int, empty bool) {
	v := viewSet(s.db, s.e)
	left := v.len()
	if !s.e.IsObject() {
		for _, m := range members {
			if s.remove(m) {
				if removed++; removed == left {
					return removed, true
				}
			}
		}
		return removed, false
	}
	o := s.edit()
	var hashes [setWarmAhead]uint64
	for len(members) > 0 {
		some := members[:min(len(members), setWarmAhead)]
		setWarm(o, some, &hashes)
		for i, m := range some {
			if o.RemoveHash(hashes[i], m) {
				removed++
			}
		}
		if removed == left {
			return removed, true
		}
		members = members[len(some):]
	}
	return removed, false
}

// SISMEMBER tells whether a set has a member.
var sismemberSpec = Spec{
	Name: "sismember", Group: GroupSet, Since: "1.0.0", Complexity: "O(1)", Arity: 3,
	Summary: "Tells whether a member is in the set at a key.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO)},
	Syntax:  "key member",
	Run:     sismemberCommand,
}

func sismemberCommand(c *Ctx) {
	v, found, failed := c.setAt(1)
	if failed {
		return
	}
	c.replyMember(found && v.holds(c.Args[2]))
}

func (c *Ctx) replyMember(is bool) {
	if is {
		c.Reply.Int(1)
	} else {
		c.Reply.Int(0)
	}
}

// SMISMEMBER is SISMEMBER for several members.
var smismemberSpec = Spec{
	Name: "smismember", Group: GroupSet, Since: "6.2.0", Complexity: "O(N) for N members", Arity: -3,
	Summary:    "Tells of each of several members whether it is in the set at a key.",
	Flags:      ReadOnly | Fast,
	Keys:       KeySpecs{At(1).Flags(RO | Access)},
	Syntax:     "key member...",
	HeavyWords: heavyElements,
	Run:        smismemberCommand,
}

func smismemberCommand(c *Ctx) {
	v, found, failed := c.setAt(1)
	if failed {
		return
	}
	members := c.Args[2:]
	c.Reply.Array(len(members))
	if !found || v.obj == nil {
		for _, m := range members {
			c.replyMember(found && v.holds(m))
		}
		return
	}
	var hashes [setWarmAhead]uint64
	for len(members) > 0 {
		some := members[:min(len(members), setWarmAhead)]
		setWarm(v.obj, some, &hashes)
		for i, m := range some {
			c.replyMember(v.obj.HasHash(hashes[i], m))
		}
		members = members[len(some):]
	}
}

// SCARD counts the members of a set.
var scardSpec = Spec{
	Name: "scard", Group: GroupSet, Since: "1.0.0", Complexity: "O(1)", Arity: 2,
	Summary: "Returns the number of members of the set at a key.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO)},
	Syntax:  "key",
	Run:     scardCommand,
}

func scardCommand(c *Ctx) {
	v, found, failed := c.setAt(1)
	if failed {
		return
	}
	n := 0
	if found {
		n = v.len()
	}
	c.Reply.Int(int64(n))
}

// SMEMBERS returns all members of a set.
var smembersSpec = Spec{
	Name: "smembers", Group: GroupSet, Since: "1.0.0", Complexity: "O(N) for N members", Arity: 2,
	Summary: "Returns all members of the set at a key.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key",
	Tips:    []string{"nondeterministic_output_order"},
	Heavy:   func(c *Ctx) bool { return !c.canWalk() && c.weight(1, math.MaxInt64) > heavyElements },
	Run:     smembersCommand,
}

func smembersCommand(c *Ctx) {
	e, found, failed := c.LookupRead(1, keyspace.Set)
	if failed {
		return
	}
	if !found {
		c.Reply.Set(0)
		return
	}
	db := c.DB(c.Key(1))
	v := viewSet(db, e)
	if v.obj != nil && c.canWalk() && c.weight(1, math.MaxInt64) > heavyElements {
		c.walkSet(db, e, v.obj)
		return
	}
	c.replySet(&v)
}

// replySet replies all members of a set.
func (c *Ctx) replySet(v *setView) {
	c.Reply.Set(v.len())
	v.each(nil, func(p *setProbe) bool {
		c.Reply.Bulk(p.bytes())
		return true
	})
}

// SMOVE moves a member from one set to another, which is created where there is none.
var smoveSpec = Spec{
	Name: "smove", Group: GroupSet, Since: "1.0.0", Complexity: "O(1)", Arity: 4,
	Summary: "Moves a member from one set to another.",
	Flags:   Write | Fast,
	Keys: KeySpecs{
		At(1).Flags(RW | Access | Delete),
		At(2).Flags(RW | Insert),
	},
	Syntax: "source:key destination:key member",
	Run:    smoveCommand,
}

func smoveCommand(c *Ctx) {
	// The type of the destination matters only where there is a source.
	e, found, _ := c.LookupWrite(1, keyspace.None)
	from, to := c.Key(1), c.Key(2)
	dst := c.DB(to)
	te, taken := dst.LookupWrite(to)
	switch {
	case !found:
		c.Reply.Int(0)
		return
	case e.Type() != keyspace.Set || taken && te.Type() != keyspace.Set:
		c.Reply.Error(MsgWrongType)
		return
	}
	member := c.Args[3]
	src := setEdit{c: c, db: c.DB(from), k: from, e: e}
	v := viewSet(src.db, e)
	if src.db == dst && string(from.B) == string(to.B) {
		c.replyMember(v.holds(member))
		return
	}
	left := v.len() - 1
	if !src.remove(member) {
		c.Reply.Int(0)
		return
	}
	c.Changed(from, keyspace.EventSet, "srem")
	if left == 0 {
		c.dropEmpty(from)
	}
	if te, taken = dst.Lookup(to, quietly); !taken {
		c.createSet(to, c.Args[3:])
		c.Changed(to, keyspace.EventSet, "sadd")
	} else if s := (setEdit{c: c, db: dst, k: to, e: te}); s.addAll(c.Args[3:]) > 0 {
		c.Changed(to, keyspace.EventSet, "sadd")
	}
	c.Reply.Int(1)
}
