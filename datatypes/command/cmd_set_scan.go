package command

import (
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/set"
)

// SSCAN returns some of the members of a set and a cursor with which the next call goes on. A member that is there from the
// first call to the last is returned, whatever else comes and goes; one may be returned twice. A packed set is returned in one
// go.
var sscanSpec = Spec{
	Name: "sscan", Group: GroupSet, Since: "2.8.0",
	Complexity: "O(1) per call and element, O(N) for a whole walk over N members", Arity: -3,
	Summary: "Walks over the members of the set at a key, some at a time.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key cursor:integer [MATCH pattern:pattern] [COUNT count:integer]",
	Tips:    []string{"nondeterministic_output"},
	Heavy:   sscanHeavy,
	Run:     sscanCommand,
}

func sscanHeavy(c *Ctx) bool { return scanHeavy(c) && c.elements(1) > heavyElements }

func sscanCommand(c *Ctx) {
	cursor, ok := scanCursor(c.Args[2])
	if !ok {
		c.Reply.Error("ERR invalid cursor")
		return
	}
	v, found, failed := c.setAt(1)
	if failed {
		return
	}
	if !found { // before the options are looked at
		c.Reply.Array(2)
		c.Reply.BulkString("0")
		c.Reply.Array(0)
		return
	}
	count, m := scanDefault, newKeyMatcher([]byte("*"))
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
			m = newKeyMatcher(w.next())
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
	take := func(member []byte) {
		if m.match(member) {
			c.Reply.Bulk(member)
			n++
		}
	}
	next := uint64(0)
	if v.enc != keyspace.HashTable {
		v.each(nil, func(p *setProbe) bool {
			take(p.bytes())
			return true
		})
	} else if pos, more := v.obj.Scan(cursor<<(64-scanPosBits), count, func(m set.Member) { take(m.Bytes()) }); more {
		next = packCursor(0, pos)
	}
	c.Reply.EndDeferredArray(mark, n)
	insertCursor(c.Reply, start, next)
}
