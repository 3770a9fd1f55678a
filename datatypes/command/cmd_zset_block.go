package command

import (
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// Taking members from the ends of sorted sets, and waiting for a set. What is served is journalled as the command that does not
// wait.

// BZPOPMIN takes the member with the lowest score of the first of several sets that is there, and replies the key, the member and
// the score. It waits until there is one.
var bzpopminSpec = Spec{
	Name: "bzpopmin", Group: GroupSortedSet, Since: "5.0.0", Arity: -3,
	Complexity: "O(log(N)) for a set of N members",
	Summary:    "Removes and returns the member with the lowest score of the first of several sorted sets. Waits for one.",
	Flags:      Write | Fast | Blocking,
	Keys:       KeySpecs{Range(1, -2, 1).Flags(RW | Access | Delete)},
	History:    [][2]string{{"6.0.0", "The timeout may have a fraction."}},
	Syntax:     "key... timeout:double",
	HeavyWords: heavyKeys,
	Run:        func(c *Ctx) { bzpopCommand(c, zpopMin) },
}

// BZPOPMAX takes the member with the highest score.
var bzpopmaxSpec = Spec{
	Name: "bzpopmax", Group: GroupSortedSet, Since: "5.0.0", Arity: -3,
	Complexity: "O(log(N)) for a set of N members",
	Summary:    "Removes and returns the member with the highest score of the first of several sorted sets. Waits for one.",
	Flags:      Write | Fast | Blocking,
	Keys:       KeySpecs{Range(1, -2, 1).Flags(RW | Access | Delete)},
	History:    [][2]string{{"6.0.0", "The timeout may have a fraction."}},
	Syntax:     "key... timeout:double",
	HeavyWords: heavyKeys,
	Run:        func(c *Ctx) { bzpopCommand(c, zpopMax) },
}

func bzpopCommand(c *Ctx, end zpopEnd) {
	last := len(c.Args) - 2
	timeoutMs, ok := c.timeoutSeconds(c.Args[last+1])
	if !ok || c.bzpop(1, last, end) {
		return
	}
	c.blockOr(Wait{First: 1, Last: last, Type: keyspace.ZSet, TimeoutMs: timeoutMs}, (*resp.Writer).NullArray)
}

// bzpop takes one member of the first of the sets Args[first] to Args[last] that is there, and replies its key, the member and the
// score. When none is, it does nothing and returns false.
func (c *Ctx) bzpop(first, last int, end zpopEnd) bool {
	for i := first; i <= last; i++ {
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
		c.Reply.Array(3)
		c.Reply.Bulk(w.k.B)
		w.zpop(end, 1, false)
		c.Propagate(end.word(), w.k.B)
		return true
	}
	return false
}

// BZMPOP is ZMPOP that waits.
var bzmpopSpec = Spec{
	Name: "bzmpop", Group: GroupSortedSet, Since: "7.0.0", Arity: -5,
	Complexity: "O(K)+O(log(N)+M) for K keys and M members of a set of N",
	Summary:    "Removes and returns members of the first of several sorted sets that is not empty. Waits for one.",
	Flags:      Write | Blocking,
	Keys:       KeySpecs{KeyNum(2, 1, 1).Flags(RW | Access | Delete)},
	Syntax:     "timeout:double numkeys:integer key... where:<MIN|MAX> [COUNT count:integer]",
	Heavy:      func(c *Ctx) bool { return zmpopHeavy(c, 2) },
	Run:        bzmpopCommand,
}

func bzmpopCommand(c *Ctx) {
	a, ok := c.zmpopArgs(2)
	if !ok {
		return
	}
	timeoutMs, ok := c.timeoutSeconds(c.Args[1])
	if !ok || c.zmpop(&a) {
		return
	}
	c.blockOr(Wait{First: a.first, Last: a.last, Type: keyspace.ZSet, TimeoutMs: timeoutMs}, (*resp.Writer).NullArray)
}
