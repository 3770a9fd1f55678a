package command

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// INCR adds one to a counter. A key that is not there counts as 0.
var incrSpec = Spec{
	Name: "incr", Group: GroupString, Since: "1.0.0", Complexity: "O(1)", Arity: 2,
	Summary: "Adds one to the integer at a key, which counts as 0 if there is none.",
	Flags:   Write | DenyOOM | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Access | Update)},
	Syntax:  "key",
	Run:     func(c *Ctx) { c.add(1) },
}

// DECR subtracts one from a counter.
var decrSpec = Spec{
	Name: "decr", Group: GroupString, Since: "1.0.0", Complexity: "O(1)", Arity: 2,
	Summary: "Subtracts one from the integer at a key, which counts as 0 if there is none.",
	Flags:   Write | DenyOOM | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Access | Update)},
	Syntax:  "key",
	Run:     func(c *Ctx) { c.add(-1) },
}

// INCRBY adds a number to a counter.
var incrbySpec = Spec{
	Name: "incrby", Group: GroupString, Since: "1.0.0", Complexity: "O(1)", Arity: 3,
	Summary: "Adds a number to the integer at a key, which counts as 0 if there is none.",
	Flags:   Write | DenyOOM | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Access | Update)},
	Syntax:  "key increment:integer",
	Run:     incrbyCommand,
}

func incrbyCommand(c *Ctx) {
	if n, ok := c.intArg(2); ok {
		c.add(n)
	}
}

// DECRBY subtracts a number from a counter.
var decrbySpec = Spec{
	Name: "decrby", Group: GroupString, Since: "1.0.0", Complexity: "O(1)", Arity: 3,
	Summary: "Subtracts a number from the integer at a key, which counts as 0 if there is none.",
	Flags:   Write | DenyOOM | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Access | Update)},
	Syntax:  "key decrement:integer",
	Run:     decrbyCommand,
}

func decrbyCommand(c *Ctx) {
	n, ok := c.intArg(2)
	switch {
	case !ok:
	case n == math.MinInt64: // has no negative
		c.Reply.Error("ERR decrement would overflow")
	default:
		c.add(-n)
	}
}

// add adds n to the counter at Args[1].
func (c *Ctx) add(n int64) {
	k := c.Key(1)
	db := c.DB(k)
	e, found := db.LookupWrite(k)
	var v int64
	if found {
		if e.Type() != keyspace.String {
			c.Reply.Error(MsgWrongType)
			return
		}
		var ok bool
		if v, ok = e.Int(); !ok {
			if v, ok = resp.ParseInt(c.Text(e)); !ok {
				c.Reply.Error(MsgNotInt)
				return
			}
		}
	}
	sum := v + n
	if (sum > v) != (n > 0) && n != 0 {
		c.Reply.Error(MsgOverflow)
		return
	}
	if !found || !db.UpdateInt(e, sum) {
		db.SetInt(k, sum, keyspace.KeepTTL)
	}
	c.Changed(k, keyspace.EventString, "incrby")
	c.Reply.Int(sum)
}

// INCRBYFLOAT adds a fraction to a number. The sum is stored as text and propagated as such, so that a replica that
// calculates otherwise cannot differ.
var incrbyfloatSpec = Spec{
	Name: "incrbyfloat", Group: GroupString, Since: "2.6.0", Complexity: "O(1)", Arity: 3,
	Summary: "Adds a floating point number to the number at a key, which counts as 0 if there is none.",
	Flags:   Write | DenyOOM | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Access | Update)},
	Syntax:  "key increment:double",
	Run:     incrbyfloatCommand,
}

var zeroText = []byte{'0'}

func incrbyfloatCommand(c *Ctx) {
	e, found, failed := c.LookupWrite(1, keyspace.String)
	if failed {
		return
	}
	value := zeroText
	if found {
		value = c.Text(e)
	}
	sum, notFinite, ok := resp.AddHuman(value, c.Args[2])
	switch {
	case !ok:
		c.Reply.Error(MsgNotFloat)
		return
	case notFinite:
		c.Reply.Error("ERR increment would produce NaN or Infinity")
		return
	}
	k := c.Key(1)
	// Redis does not look for an integer in the sum: 1 is an embstr here.
	c.DB(k).SetText(k, sum, keyspace.KeepTTL)
	c.Changed(k, keyspace.EventString, "incrbyfloat")
	c.Reply.Bulk(sum)
	c.Propagate(wordSet, k.B, sum, wordKeepTTL)
}
