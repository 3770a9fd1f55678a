package command

import (
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// Popping and moving that waits for a list to be there. What is served is journalled as the command that does not wait.

var (
	wordLMove     = []byte("LMOVE")
	wordRPopLPush = []byte("RPOPLPUSH")
	wordLeft      = []byte("left")
	wordRight     = []byte("right")
)

// word returns the end as LMOVE has it.
func (end listEnd) word() []byte {
	if end == listTail {
		return wordRight
	}
	return wordLeft
}

// BLPOP takes the first element of the first of several lists that is there, and replies it after its key. It waits until there
// is one.
var blpopSpec = Spec{
	Name: "blpop", Group: GroupList, Since: "2.0.0", Complexity: "O(N) for N keys", Arity: -3,
	Summary:    "Removes and returns the first element of the first of several lists that is not empty. Waits for one.",
	Flags:      Write | Blocking,
	Keys:       KeySpecs{Range(1, -2, 1).Flags(RW | Access | Delete)},
	History:    [][2]string{{"6.0.0", "The timeout may have a fraction."}},
	Syntax:     "key... timeout:double",
	HeavyWords: heavyKeys,
	Run:        func(c *Ctx) { blpopCommand(c, listHead) },
}

// BRPOP is BLPOP at the other end.
var brpopSpec = Spec{
	Name: "brpop", Group: GroupList, Since: "2.0.0", Complexity: "O(N) for N keys", Arity: -3,
	Summary:    "Removes and returns the last element of the first of several lists that is not empty. Waits for one.",
	Flags:      Write | Blocking,
	Keys:       KeySpecs{Range(1, -2, 1).Flags(RW | Access | Delete)},
	History:    [][2]string{{"6.0.0", "The timeout may have a fraction."}},
	Syntax:     "key... timeout:double",
	HeavyWords: heavyKeys,
	Run:        func(c *Ctx) { blpopCommand(c, listTail) },
}

func blpopCommand(c *Ctx, end listEnd) {
	last := len(c.Args) - 2
	timeoutMs, ok := c.timeoutSeconds(c.Args[last+1])
	if !ok || c.blpop(1, last, end) {
		return
	}
	c.blockOr(Wait{First: 1, Last: last, Type: keyspace.List, TimeoutMs: timeoutMs}, (*resp.Writer).NullArray)
}

// blpop pops one element off the first of the lists Args[first] to Args[last] that is there, and replies its key and the element.
// When none is, it does nothing and returns false.
func (c *Ctx) blpop(first, last int, end listEnd) bool {
	for i := first; i <= last; i++ {
		if !c.Reachable(i) {
			continue
		}
		e, found, failed := c.LookupWrite(i, keyspace.List)
		if failed {
			return true
		}
		if !found {
			continue
		}
		k := c.Key(i)
		w := listEdit{c: c, db: c.DB(k), k: k, e: e}
		c.Reply.Array(2)
		c.Reply.Bulk(k.B)
		w.take(end)
		c.Propagate(end.popWord(), k.B)
		return true
	}
	return false
}

// BLMPOP is LMPOP that waits.
var blmpopSpec = Spec{
	Name: "blmpop", Group: GroupList, Since: "7.0.0", Arity: -5,
	Complexity: "O(N+M) for N keys and M elements",
	Summary:    "Removes and returns elements of the first of several lists that is not empty. Waits for one.",
	Flags:      Write | Blocking,
	Keys:       KeySpecs{KeyNum(2, 1, 1).Flags(RW | Access | Delete)},
	Syntax:     "timeout:double numkeys:integer key... where:<LEFT|RIGHT> [COUNT count:integer]",
	Heavy:      func(c *Ctx) bool { return lmpopHeavy(c, 2) },
	Run:        blmpopCommand,
}

func blmpopCommand(c *Ctx) {
	a, ok := c.lmpopArgs(2)
	if !ok {
		return
	}
	timeoutMs, ok := c.timeoutSeconds(c.Args[1])
	if !ok || c.lmpop(a) {
		return
	}
	c.blockOr(Wait{First: a.first, Last: a.last, Type: keyspace.List, TimeoutMs: timeoutMs}, (*resp.Writer).NullArray)
}

// BLMOVE is LMOVE that waits for the list which it takes from.
var blmoveSpec = Spec{
	Name: "blmove", Group: GroupList, Since: "6.2.0", Complexity: "O(1)", Arity: 6,
	Summary: "Moves an element from one end of a list to an end of another and returns it. Waits for one.",
	Flags:   Write | DenyOOM | Blocking,
	Keys: KeySpecs{
		At(1).Flags(RW | Access | Delete),
		At(2).Flags(RW | Insert),
	},
	Syntax: "source:key destination:key wherefrom:<LEFT|RIGHT> whereto:<LEFT|RIGHT> timeout:double",
	Run:    blmoveCommand,
}

func blmoveCommand(c *Ctx) {
	from, ok := listEndOf(c.Args[3])
	to, ok2 := listEndOf(c.Args[4])
	if !ok || !ok2 {
		c.Reply.Error(MsgSyntax)
		return
	}
	if c.blmove(from, to, c.Args[5]) {
		c.Propagate(wordLMove, c.Args[1], c.Args[2], from.word(), to.word())
	}
}

// BRPOPLPUSH is BLMOVE from the tail to the head.
var brpoplpushSpec = Spec{
	Name: "brpoplpush", Group: GroupList, Since: "2.2.0", Complexity: "O(1)", Arity: 4,
	Summary:         "Moves the last element of a list to the head of another and returns it. Waits for one.",
	DeprecatedSince: "6.2.0", ReplacedBy: "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
	History: [][2]string{{"6.0.0", "The timeout may have a fraction."}},
	Flags:   Write | DenyOOM | Blocking,
	Keys: KeySpecs{
		At(1).Flags(RW | Access | Delete),
		At(2).Flags(RW | Insert),
	},
	Syntax: "source:key destination:key timeout:double",
	Run: func(c *Ctx) {
		if c.blmove(listTail, listHead, c.Args[3]) {
			c.Propagate(wordRPopLPush, c.Args[1], c.Args[2])
		}
	},
}

// blmove moves an element from the list at Args[1] to the one at Args[2], or waits for one. It tells whether it has moved one.
func (c *Ctx) blmove(from, to listEnd, timeout []byte) (moved bool) {
	timeoutMs, ok := c.timeoutSeconds(timeout)
	if !ok {
		return false
	}
	if c.Reachable(1) && c.Reachable(2) && c.moveElement(from, to) {
		return c.DirtyCount() > 0 // otherwise a key is of another type
	}
	c.blockOr(Wait{First: 1, Last: 1, Needs: 2, Type: keyspace.List, TimeoutMs: timeoutMs}, (*resp.Writer).Null)
	return false
}
