package command

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// Deadlines of fields. Whatever way a deadline is told, what is journalled is HPEXPIREAT with the instant in milliseconds and the
// fields that got it. The condition stays as it was given: it has been met by those fields and will be again.

const (
	msgFieldsMissing = "ERR Mandatory argument FIELDS is missing or not at the right position"
	msgNumFields     = "ERR The `numfields` parameter must match the number of arguments"

	// maxFieldDeadlineMs is the latest deadline that a field may have, as in Redis: in the year 4199.
	maxFieldDeadlineMs = 1<<46 - 1
)

// Replies of the HEXPIRE and HTTL families for one field.
const (
	fieldIsAbsent   = -2
	fieldIsForever  = -1
	fieldIsAsBefore = 0 // the condition is not met
	fieldIsDated    = 1
	fieldIsDeleted  = 2 // the deadline has come already
)

// HEXPIRE gives fields a deadline in so many seconds. One that is not in the future removes the fields at once.
var hexpireSpec = Spec{
	Name: "hexpire", Group: GroupHash, Since: "7.4.0", Complexity: "O(N log(M)) for N fields named and M fields with a deadline", Arity: -6,
	Summary:    "Sets the time to live of fields of a hash, in seconds.",
	Flags:      Write | DenyOOM | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Update)},
	Syntax:     "key seconds:integer [condition:<NX|XX|GT|LT>] FIELDS fields:{numfields:integer field...}",
	HeavyWords: heavyKeys,
	Run:        func(c *Ctx) { hexpireCommand(c, seconds) },
}

// HPEXPIRE is HEXPIRE in milliseconds.
var hpexpireSpec = Spec{
	Name: "hpexpire", Group: GroupHash, Since: "7.4.0", Complexity: "O(N log(M)) for N fields named and M fields with a deadline", Arity: -6,
	Summary:    "Sets the time to live of fields of a hash, in milliseconds.",
	Flags:      Write | DenyOOM | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Update)},
	Syntax:     "key milliseconds:integer [condition:<NX|XX|GT|LT>] FIELDS fields:{numfields:integer field...}",
	HeavyWords: heavyKeys,
	Run:        func(c *Ctx) { hexpireCommand(c, millis) },
}

// HEXPIREAT gives fields a deadline, in unix seconds.
var hexpireatSpec = Spec{
	Name: "hexpireat", Group: GroupHash, Since: "7.4.0", Complexity: "O(N log(M)) for N fields named and M fields with a deadline", Arity: -6,
	Summary:    "Sets the deadline of fields of a hash, in unix seconds.",
	Flags:      Write | DenyOOM | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Update)},
	Syntax:     "key unix-time-seconds:unix-time [condition:<NX|XX|GT|LT>] FIELDS fields:{numfields:integer field...}",
	HeavyWords: heavyKeys,
	Run:        func(c *Ctx) { hexpireCommand(c, unixSecs) },
}

// HPEXPIREAT is HEXPIREAT in milliseconds.
var hpexpireatSpec = Spec{
	Name: "hpexpireat", Group: GroupHash, Since: "7.4.0", Complexity: "O(N log(M)) for N fields named and M fields with a deadline", Arity: -6,
	Summary:    "Sets the deadline of fields of a hash, in unix milliseconds.",
	Flags:      Write | DenyOOM | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Update)},
	Syntax:     "key unix-time-milliseconds:unix-time [condition:<NX|XX|GT|LT>] FIELDS fields:{numfields:integer field...}",
	HeavyWords: heavyKeys,
	Run:        func(c *Ctx) { hexpireCommand(c, unixMs) },
}

// fieldDeadlineArg returns Args[2] as a deadline in unix milliseconds. When it is none, that is the reply and ok is false.
func (c *Ctx) fieldDeadlineArg(unit timeUnit) (atMs int64, ok bool) {
	n, ok := c.intArg(2)
	if !ok {
		return 0, false
	}
	if n < 0 {
		c.Reply.Error("ERR invalid expire time, must be >= 0")
		return 0, false
	}
	most, base := int64(maxFieldDeadlineMs), int64(0)
	if !unit.absolute() {
		base = c.NowMs
	}
	scale := int64(1)
	if unit == seconds || unit == unixSecs {
		scale = 1000
	}
	if n > most/scale || n*scale > most-base {
		c.Reply.Error("ERR invalid expire time in '" + c.Spec.FullName + "' command")
		return 0, false
	}
	return n*scale + base, true
}

// fieldsArg returns the fields named from Args[i] on: FIELDS, their number and the fields themselves. When that is wrong,
// it replies so, a bad number with the words msg, and ok is false.
func (c *Ctx) fieldsArg(i int, msg string) (fields [][]byte, ok bool) {
	if !equalFold(c.Args[i], "fields") {
		c.Reply.Error(msgFieldsMissing)
		return nil, false
	}
	n, ok := resp.ParseInt(c.Args[i+1])
	switch {
	case !ok || n < 1:
		c.Reply.Error(msg)
		return nil, false
	case n != int64(len(c.Args)-i-2):
		c.Reply.Error(msgNumFields)
		return nil, false
	}
	return c.Args[i+2:], true
}

// replyNotThere replies the same for each of n fields of a hash that is not there.
func (c *Ctx) replyNotThere(n int) {
	c.Reply.Array(n)
	for range n {
		c.Reply.Int(fieldIsAbsent)
	}
}

// fieldCondition reads the condition of a HEXPIRE; at is where FIELDS has to be.
func (c *Ctx) fieldCondition() (o expireCondition, at int) {
	switch word := c.Args[3]; {
	case equalFold(word, "nx"):
		o.nx = true
	case equalFold(word, "xx"):
		o.xx = true
	case equalFold(word, "gt"):
		o.gt = true
	case equalFold(word, "lt"):
		o.lt = true
	default:
		return o, 3
	}
	return o, 4
}

func hexpireCommand(c *Ctx, unit timeUnit) {
	var h hashValue
	if !c.openHash(&h, true) { // before anything else, as Redis does
		return
	}
	atMs, ok := c.fieldDeadlineArg(unit)
	if !ok {
		return
	}
	condition, i := c.fieldCondition()
	fields, ok := c.fieldsArg(i, "ERR Parameter `numFields` should be greater than 0")
	if !ok {
		return
	}
	if !h.found {
		c.replyNotThere(len(fields))
		return
	}
	h.date()
	c.Reply.Array(len(fields))
	if atMs <= c.NowMs {
		h.expireNow(fields, condition, atMs)
		return
	}
	before := h.earliest()
	// The effect is put together in scratch memory of the Ctx.
	c.effect = append(c.effect[:0], wordHPExpireAt, h.k.B, nil)
	if i > 3 {
		c.effect = append(c.effect, c.Args[3])
	}
	c.effect = append(c.effect, wordFields, nil)
	head := len(c.effect)
	for _, field := range fields {
		it, ok := h.find(field)
		switch {
		case !ok:
			c.Reply.Int(fieldIsAbsent)
		case !condition.met(h.deadline(it), atMs):
			c.Reply.Int(fieldIsAsBefore)
		default:
			h.setDeadline(field, it, atMs)
			c.effect = append(c.effect, field)
			c.Reply.Int(fieldIsDated)
		}
	}
	set := len(c.effect) - head
	if set == 0 {
		return
	}
	h.settle()
	if before < 0 || atMs < before {
		h.db.NoteFieldDeadline(h.k, atMs)
	}
	c.Changed(h.k, keyspace.EventHash, "hexpire")
	c.Dirty(set - 1)
	c.effect[2], c.effect[head-1] = c.Decimal(atMs), c.hashDecimal2(int64(set))
	c.Propagate(c.effect...)
}

// expireNow is hexpireCommand for a deadline that has come already.
func (h *hashValue) expireNow(fields [][]byte, condition expireCondition, atMs int64) {
	c, deleted := h.c, 0
	for _, field := range fields {
		it, ok := h.find(field)
		switch {
		case !ok:
			c.Reply.Int(fieldIsAbsent)
		case !condition.met(h.deadline(it), atMs):
			c.Reply.Int(fieldIsAsBefore)
		default:
			h.delete(field)
			deleted++
			c.Reply.Int(fieldIsDeleted)
			c.Propagate(wordHDel, h.k.B, field)
		}
	}
	if deleted > 0 {
		c.Changed(h.k, keyspace.EventHash, "hdel")
		c.Dirty(deleted - 1)
		if h.empty() {
			c.dropEmpty(h.k)
		}
	}
}

// HPERSIST takes the deadlines of fields away.
var hpersistSpec = Spec{
	Name: "hpersist", Group: GroupHash, Since: "7.4.0", Complexity: "O(N log(M)) for N fields named and M fields with a deadline", Arity: -5,
	Summary:    "Removes the deadlines of fields of a hash.",
	Flags:      Write | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Update)},
	Syntax:     "key FIELDS fields:{numfields:integer field...}",
	HeavyWords: heavyKeys,
	Run:        hpersistCommand,
}

const msgFieldsPositive = "ERR Number of fields must be a positive integer"

func hpersistCommand(c *Ctx) {
	var h hashValue
	if !c.openHash(&h, true) {
		return
	}
	fields, ok := c.fieldsArg(2, msgFieldsPositive)
	if !ok {
		return
	}
	if !h.found {
		c.replyNotThere(len(fields))
		return
	}
	changed := 0
	c.Reply.Array(len(fields))
	for _, field := range fields {
		it, ok := h.find(field)
		switch {
		case !ok:
			c.Reply.Int(fieldIsAbsent)
		case h.deadline(it) < 0:
			c.Reply.Int(fieldIsForever)
		default:
			h.setDeadline(field, it, -1)
			changed++
			c.Reply.Int(fieldIsDated)
		}
	}
	if changed > 0 {
		c.Changed(h.k, keyspace.EventHash, "hpersist")
		c.Dirty(changed - 1)
	}
}

// HTTL tells how long fields have to live, in seconds, rounded up; -1 says forever and -2 that there is no such field.
var httlSpec = Spec{
	Name: "httl", Group: GroupHash, Since: "7.4.0", Complexity: "O(N) for N fields", Arity: -5,
	Summary:    "Returns the time to live of fields of a hash, in seconds.",
	Flags:      ReadOnly | Fast,
	Keys:       KeySpecs{At(1).Flags(RO | Access)},
	Syntax:     "key FIELDS fields:{numfields:integer field...}",
	HeavyWords: heavyKeys,
	Run:        func(c *Ctx) { httlCommand(c, seconds) },
}

// HPTTL is HTTL in milliseconds.
var hpttlSpec = Spec{
	Name: "hpttl", Group: GroupHash, Since: "7.4.0", Complexity: "O(N) for N fields", Arity: -5,
	Summary:    "Returns the time to live of fields of a hash, in milliseconds.",
	Flags:      ReadOnly | Fast,
	Keys:       KeySpecs{At(1).Flags(RO | Access)},
	Syntax:     "key FIELDS fields:{numfields:integer field...}",
	HeavyWords: heavyKeys,
	Run:        func(c *Ctx) { httlCommand(c, millis) },
}

// HEXPIRETIME tells the deadlines of fields, in unix seconds, with the special replies of HTTL.
var hexpiretimeSpec = Spec{
	Name: "hexpiretime", Group: GroupHash, Since: "7.4.0", Complexity: "O(N) for N fields", Arity: -5,
	Summary:    "Returns the deadlines of fields of a hash, in unix seconds.",
	Flags:      ReadOnly | Fast,
	Keys:       KeySpecs{At(1).Flags(RO | Access)},
	Syntax:     "key FIELDS fields:{numfields:integer field...}",
	HeavyWords: heavyKeys,
	Run:        func(c *Ctx) { httlCommand(c, unixSecs) },
}

// HPEXPIRETIME is HEXPIRETIME in milliseconds.
var hpexpiretimeSpec = Spec{
	Name: "hpexpiretime", Group: GroupHash, Since: "7.4.0", Complexity: "O(N) for N fields", Arity: -5,
	Summary:    "Returns the deadlines of fields of a hash, in unix milliseconds.",
	Flags:      ReadOnly | Fast,
	Keys:       KeySpecs{At(1).Flags(RO | Access)},
	Syntax:     "key FIELDS fields:{numfields:integer field...}",
	HeavyWords: heavyKeys,
	Run:        func(c *Ctx) { httlCommand(c, unixMs) },
}

func httlCommand(c *Ctx, unit timeUnit) {
	var h hashValue
	if !c.openHash(&h, false) {
		return
	}
	fields, ok := c.fieldsArg(2, msgFieldsPositive)
	if !ok {
		return
	}
	c.Reply.Array(len(fields))
	for _, field := range fields {
		n := int64(fieldIsAbsent)
		if it, ok := h.find(field); ok {
			n = fieldDeadlineIn(h.deadline(it), c.NowMs, unit)
		}
		c.Reply.Int(n)
	}
}

// fieldDeadlineIn returns a deadline, -1 for none, as a command reports it in this unit. Seconds are rounded up.
func fieldDeadlineIn(atMs, nowMs int64, unit timeUnit) int64 {
	if atMs < 0 {
		return fieldIsForever
	}
	if !unit.absolute() {
		atMs -= nowMs
	}
	if unit == seconds || unit == unixSecs {
		atMs = (min(atMs, math.MaxInt64-999) + 999) / 1000
	}
	return atMs
}
