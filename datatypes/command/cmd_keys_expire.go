package command

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// Deadlines of keys. Whatever way a deadline is told, what is journalled is PEXPIREAT with the instant in milliseconds,
// without the condition, which has been met: replaying it does not depend on when it is replayed.

var wordUnlink = []byte("UNLINK")

// EXPIRE gives a key a deadline in so many seconds. One that is not in the future removes the key at once.
var expireSpec = Spec{
	Name: "expire", Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)", Arity: -3,
	Summary: "Sets the time to live of a key, in seconds.",
	Flags:   Write | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Update)},
	History: [][2]string{{"7.0.0", "Takes the conditions `NX`, `XX`, `GT` and `LT`."}},
	Syntax:  "key seconds:integer [condition:<NX|XX|GT|LT>@7.0.0]",
	Run:     func(c *Ctx) { expireCommand(c, seconds) },
}

// PEXPIRE is EXPIRE in milliseconds.
var pexpireSpec = Spec{
	Name: "pexpire", Group: GroupGeneric, Since: "2.6.0", Complexity: "O(1)", Arity: -3,
	Summary: "Sets the time to live of a key, in milliseconds.",
	Flags:   Write | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Update)},
	History: [][2]string{{"7.0.0", "Takes the conditions `NX`, `XX`, `GT` and `LT`."}},
	Syntax:  "key milliseconds:integer [condition:<NX|XX|GT|LT>@7.0.0]",
	Run:     func(c *Ctx) { expireCommand(c, millis) },
}

// EXPIREAT gives a key a deadline, in unix seconds.
var expireatSpec = Spec{
	Name: "expireat", Group: GroupGeneric, Since: "1.2.0", Complexity: "O(1)", Arity: -3,
	Summary: "Sets the deadline of a key, in unix seconds.",
	Flags:   Write | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Update)},
	History: [][2]string{{"7.0.0", "Takes the conditions `NX`, `XX`, `GT` and `LT`."}},
	Syntax:  "key unix-time-seconds:unix-time [condition:<NX|XX|GT|LT>@7.0.0]",
	Run:     func(c *Ctx) { expireCommand(c, unixSecs) },
}

// PEXPIREAT is EXPIREAT in milliseconds.
var pexpireatSpec = Spec{
	Name: "pexpireat", Group: GroupGeneric, Since: "2.6.0", Complexity: "O(1)", Arity: -3,
	Summary: "Sets the deadline of a key, in unix milliseconds.",
	Flags:   Write | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Update)},
	History: [][2]string{{"7.0.0", "Takes the conditions `NX`, `XX`, `GT` and `LT`."}},
	Syntax:  "key unix-time-milliseconds:unix-time [condition:<NX|XX|GT|LT>@7.0.0]",
	Run:     func(c *Ctx) { expireCommand(c, unixMs) },
}

// expireCondition is when the EXPIRE family acts. More than one may be given as long as they can be met together.
type expireCondition struct {
	nx, xx, gt, lt bool
}

// expireConditionArg reads the conditions. When they are wrong, that is the reply and ok is false.
func expireConditionArg(c *Ctx) (o expireCondition, ok bool) {
	w := c.words(3)
	for w.more() {
		switch {
		case w.is("NX"):
			o.nx = true
		case w.is("XX"):
			o.xx = true
		case w.is("GT"):
			o.gt = true
		case w.is("LT"):
			o.lt = true
		default:
			option := w.next()
			w.fail("ERR Unsupported option " + string(echo(option, len(option))))
		}
	}
	switch {
	case o.nx && (o.xx || o.gt || o.lt):
		w.fail("ERR NX and XX, GT or LT options at the same time are not compatible")
	case o.gt && o.lt:
		w.fail("ERR GT and LT options at the same time are not compatible")
	}
	return o, !w.failed(c)
}

// met compares the deadline a key has, -1 for none, with the one it is to get. No deadline counts as later than any.
func (o expireCondition) met(wasMs, atMs int64) bool {
	none := wasMs < 0
	switch {
	case o.nx && !none, o.xx && none:
		return false
	case o.gt && (none || atMs <= wasMs):
		return false
	case o.lt && !none && atMs >= wasMs:
		return false
	}
	return true
}

// expireAtArg returns Args[2] as a deadline in unix milliseconds, which may be past, even negative, but must not overflow.
func expireAtArg(c *Ctx, unit timeUnit) (atMs int64, ok bool) {
	n, ok := c.intArg(2)
	if !ok {
		return 0, false
	}
	if unit == seconds || unit == unixSecs {
		ok = n <= math.MaxInt64/1000 && n >= math.MinInt64/1000
		n *= 1000
	}
	if ok && !unit.absolute() {
		ok = n <= math.MaxInt64-c.NowMs
		n += c.NowMs
	}
	if !ok {
		c.Reply.Error("ERR invalid expire time in '" + c.Spec.FullName + "' command")
	}
	return n, ok
}

func expireCommand(c *Ctx, unit timeUnit) {
	condition, ok := expireConditionArg(c)
	if !ok {
		return
	}
	atMs, ok := expireAtArg(c, unit)
	if !ok {
		return
	}
	k := c.Key(1)
	db := c.DB(k)
	e, ok := db.LookupWrite(k)
	if !ok || !condition.met(e.ExpireAtMs(), atMs) {
		c.Reply.Int(0)
		return
	}
	if atMs <= c.NowMs {
		c.remove(db, k)
		word := wordDel
		if c.Settings.LazyExpire {
			word = wordUnlink
		}
		c.Propagate(word, k.B)
		c.Reply.Int(1)
		return
	}
	db.SetExpire(k, atMs)
	c.Changed(k, keyspace.EventGeneric, "expire")
	c.Propagate(wordPExpireAt, k.B, c.Decimal(atMs))
	c.Reply.Int(1)
}

// TTL tells how long a key has to live, in seconds, rounded to the nearest; -1 says forever and -2 that there is no key.
var ttlSpec = Spec{
	Name: "ttl", Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)", Arity: 2,
	Summary: "Returns the time to live of a key, in seconds.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	History: [][2]string{{"2.8.0", "Replies -2 when the key is missing."}},
	Syntax:  "key",
	Tips:    []string{"nondeterministic_output"},
	Run:     func(c *Ctx) { ttlCommand(c, seconds) },
}

// PTTL is TTL in milliseconds.
var pttlSpec = Spec{
	Name: "pttl", Group: GroupGeneric, Since: "2.6.0", Complexity: "O(1)", Arity: 2,
	Summary: "Returns the time to live of a key, in milliseconds.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	History: [][2]string{{"2.8.0", "Replies -2 when the key is missing."}},
	Syntax:  "key",
	Tips:    []string{"nondeterministic_output"},
	Run:     func(c *Ctx) { ttlCommand(c, millis) },
}

// EXPIRETIME tells the deadline of a key, in unix seconds, with the special replies of TTL.
var expiretimeSpec = Spec{
	Name: "expiretime", Group: GroupGeneric, Since: "7.0.0", Complexity: "O(1)", Arity: 2,
	Summary: "Returns the deadline of a key, in unix seconds.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key",
	Run:     func(c *Ctx) { ttlCommand(c, unixSecs) },
}

// PEXPIRETIME is EXPIRETIME in milliseconds.
var pexpiretimeSpec = Spec{
	Name: "pexpiretime", Group: GroupGeneric, Since: "7.0.0", Complexity: "O(1)", Arity: 2,
	Summary: "Returns the deadline of a key, in unix milliseconds.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key",
	Run:     func(c *Ctx) { ttlCommand(c, unixMs) },
}

func ttlCommand(c *Ctx, unit timeUnit) {
	k := c.Key(1)
	e, ok := c.DB(k).Lookup(k, keyspace.NoTouch)
	if !ok {
		c.Reply.Int(-2)
		return
	}
	ms := e.ExpireAtMs()
	if ms < 0 {
		c.Reply.Int(-1)
		return
	}
	if !unit.absolute() {
		ms = max(ms-c.NowMs, 0)
	}
	if unit == seconds || unit == unixSecs {
		ms = int64((uint64(ms) + 500) / 1000) // unsigned: the latest deadline there is leaves no room for the 500
	}
	c.Reply.Int(ms)
}

// PERSIST takes the deadline of a key away.
var persistSpec = Spec{
	Name: "persist", Group: GroupGeneric, Since: "2.2.0", Complexity: "O(1)", Arity: 2,
	Summary: "Removes the deadline of a key.",
	Flags:   Write | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Update)},
	Syntax:  "key",
	Run:     persistCommand,
}

func persistCommand(c *Ctx) {
	k := c.Key(1)
	db := c.DB(k)
	if e, ok := db.LookupWrite(k); !ok || !e.Volatile() {
		c.Reply.Int(0)
		return
	}
	db.SetExpire(k, keyspace.NoTTL)
	c.Changed(k, keyspace.EventGeneric, "persist")
	c.Reply.Int(1)
}
