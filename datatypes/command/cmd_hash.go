package command

import (
	"github.com/troupe-db/troupe/datatypes/hash"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/netio/resp"
)

// HSET gives fields values. What deadlines the fields had is gone.
var hsetSpec = Spec{
	Name: "hset", Group: GroupHash, Since: "2.0.0", Complexity: "O(N) for N fields", Arity: -4,
	Summary:    "Sets fields of the hash at a key, which is created if there is none.",
	History:    [][2]string{{"4.0.0", "Takes several pairs of `field` and `value`."}},
	Flags:      Write | DenyOOM | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Update)},
	Syntax:     "key data:{field value}...",
	HeavyWords: heavyKeys,
	Run:        hsetCommand,
}

// HMSET is HSET with another reply.
var hmsetSpec = Spec{
	Name: "hmset", Group: GroupHash, Since: "2.0.0", Complexity: "O(N) for N fields", Arity: -4,
	Summary:         "Sets fields of the hash at a key.",
	DeprecatedSince: "4.0.0", ReplacedBy: "`HSET` with multiple field-value pairs",
	Flags:      Write | DenyOOM | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Update)},
	Syntax:     "key data:{field value}...",
	HeavyWords: heavyKeys,
	Run:        hmsetCommand,
}

func hsetCommand(c *Ctx) {
	if created, ok := c.hashSet(); ok {
		c.Reply.Int(int64(created))
	}
}

func hmsetCommand(c *Ctx) {
	if _, ok := c.hashSet(); ok {
		c.Reply.OK()
	}
}

// hashSet is HSET but for the reply. It returns how many fields are new.
func (c *Ctx) hashSet() (created int, ok bool) {
	pairs := c.Args[2:]
	if len(pairs)%2 != 0 {
		c.wrongArity()
		return 0, false
	}
	var h hashValue
	if !c.openHash(&h, true) {
		return 0, false
	}
	if h.large != nil {
		for i := 0; i < len(pairs); i += 2 {
			if h.put(pairs[i], pairs[i+1], false, 0) {
				created++
			}
		}
	} else {
		created = h.putMany(pairs)
	}
	h.settle()
	c.Changed(h.k, keyspace.EventHash, "hset")
	c.Dirty(len(pairs)/2 - 1)
	return created, true
}

// putMany puts pairs of fields and values into a hash that is small, or not there.
func (h *hashValue) putMany(pairs [][]byte) (created int) {
	longest, bytes := 0, 0
	for _, p := range pairs {
		longest = max(longest, len(p))
		bytes += len(p)
	}
	// As Redis does, count on all of the fields to be new.
	if n := len(pairs) / 2; n > h.c.Settings.HashMaxListpackEntries || !h.fitsSmall(longest, bytes) {
		h.enlarge(bytes + n*hashFieldBytes)
	}
	if !h.found && len(pairs) > 2 {
		return h.create(pairs)
	}
	for i := 0; i < len(pairs); i += 2 {
		bytes -= len(pairs[i]) + len(pairs[i+1])
		if h.put(pairs[i], pairs[i+1], false, bytes) {
			created++
		}
	}
	return created
}

// create makes a small hash of pairs of fields and values at a key that is not there.
func (h *hashValue) create(pairs [][]byte) (created int) {
	var room [1024]byte
	small := hash.Small{LP: listpack.AppendEmpty(room[:0])}
	for i := 0; i < len(pairs); i += 2 {
		off := small.Find(pairs[i])
		if off < 0 {
			created++
		}
		small = small.Put(off, pairs[i], pairs[i+1], false)
	}
	h.e = h.db.PutPacked(h.k, keyspace.Hash, keyspace.ListPack, small.LP, keyspace.NoTTL)
	h.found = true
	h.load()
	return created
}

// HSETNX gives a field a value unless it has one.
var hsetnxSpec = Spec{
	Name: "hsetnx", Group: GroupHash, Since: "2.0.0", Complexity: "O(1)", Arity: 4,
	Summary: "Sets a field of the hash at a key if the field is not there.",
	Flags:   Write | DenyOOM | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Insert)},
	Syntax:  "key field value",
	Run:     hsetnxCommand,
}

func hsetnxCommand(c *Ctx) {
	var h hashValue
	if !c.openHash(&h, true) {
		return
	}
	if _, ok := h.find(c.Args[2]); ok {
		c.Reply.Int(0)
		return
	}
	h.put(c.Args[2], c.Args[3], false, 0)
	h.settle()
	c.Changed(h.k, keyspace.EventHash, "hset")
	c.Reply.Int(1)
}

// HGET replies the value of a field.
var hgetSpec = Spec{
	Name: "hget", Group: GroupHash, Since: "2.0.0", Complexity: "O(1)", Arity: 3,
	Summary: "Returns the value of a field of a hash.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key field",
	Run:     hgetCommand,
}

func hgetCommand(c *Ctx) {
	var h hashValue
	if c.openHash(&h, false) {
		h.replyValue(c.Args[2])
	}
}

// replyValue replies the value of a field, or null.
func (h *hashValue) replyValue(field []byte) {
	if it, ok := h.find(field); ok {
		h.c.Reply.Bulk(h.value(it))
	} else {
		h.c.Reply.Null()
	}
}

// HMGET replies the values of fields.
var hmgetSpec = Spec{
	Name: "hmget", Group: GroupHash, Since: "2.0.0", Complexity: "O(N) for N fields", Arity: -3,
	Summary:    "Returns the values of fields of a hash.",
	Flags:      ReadOnly | Fast,
	Keys:       KeySpecs{At(1).Flags(RO | Access)},
	Syntax:     "key field...",
	HeavyWords: heavyKeys,
	Run:        hmgetCommand,
}

func hmgetCommand(c *Ctx) {
	var h hashValue
	if !c.openHash(&h, false) {
		return
	}
	c.Reply.Array(len(c.Args) - 2)
	for _, field := range c.Args[2:] {
		h.replyValue(field)
	}
}

// HDEL removes fields, and the key with the last one.
var hdelSpec = Spec{
	Name: "hdel", Group: GroupHash, Since: "2.0.0", Complexity: "O(N) for N fields", Arity: -3,
	Summary:    "Removes fields of a hash, and the hash with its last field.",
	History:    [][2]string{{"2.4.0", "Takes several `field` arguments."}},
	Flags:      Write | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Delete)},
	Syntax:     "key field...",
	HeavyWords: heavyKeys,
	Run:        hdelCommand,
}

func hdelCommand(c *Ctx) {
	var h hashValue
	if !c.openHash(&h, true) {
		return
	}
	deleted := 0
	if h.found {
		for _, field := range c.Args[2:] {
			if h.delete(field) {
				deleted++
			}
		}
		if deleted > 0 {
			c.Changed(h.k, keyspace.EventHash, "hdel")
			c.Dirty(deleted - 1)
		}
		if h.empty() { // also if the last ones were due
			c.dropEmpty(h.k)
		}
	}
	c.Reply.Int(int64(deleted))
}

// HLEN counts the fields.
var hlenSpec = Spec{
	Name: "hlen", Group: GroupHash, Since: "2.0.0", Complexity: "O(1), and O(N) for N fields that are just expiring", Arity: 2,
	Summary: "Returns the number of fields of a hash.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO)},
	Syntax:  "key",
	Heavy:   hashDueHeavy,
	Run:     hlenCommand,
}

func hlenCommand(c *Ctx) {
	var h hashValue
	if c.openHash(&h, false) {
		c.Reply.Int(int64(h.size()))
	}
}

// HSTRLEN tells how long the value of a field is.
var hstrlenSpec = Spec{
	Name: "hstrlen", Group: GroupHash, Since: "3.2.0", Complexity: "O(1)", Arity: 3,
	Summary: "Returns the length of the value of a field of a hash.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO)},
	Syntax:  "key field",
	Run:     hstrlenCommand,
}

func hstrlenCommand(c *Ctx) {
	var h hashValue
	if !c.openHash(&h, false) {
		return
	}
	n := 0
	if it, ok := h.find(c.Args[2]); ok {
		n = len(h.value(it))
	}
	c.Reply.Int(int64(n))
}

// HEXISTS tells whether a field is there.
var hexistsSpec = Spec{
	Name: "hexists", Group: GroupHash, Since: "2.0.0", Complexity: "O(1)", Arity: 3,
	Summary: "Tells whether a hash has a field.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO)},
	Syntax:  "key field",
	Run:     hexistsCommand,
}

func hexistsCommand(c *Ctx) {
	var h hashValue
	if !c.openHash(&h, false) {
		return
	}
	n := int64(0)
	if _, ok := h.find(c.Args[2]); ok {
		n = 1
	}
	c.Reply.Int(n)
}

// HKEYS replies the names of all fields.
var hkeysSpec = Spec{
	Name: "hkeys", Group: GroupHash, Since: "2.0.0", Complexity: "O(N) for N fields", Arity: 2,
	Summary: "Returns the names of the fields of a hash.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key",
	Tips:    []string{"nondeterministic_output_order"},
	Heavy:   hashAllHeavy,
	Run:     func(c *Ctx) { c.hashAll(true, false) },
}

// HVALS replies the values of all fields.
var hvalsSpec = Spec{
	Name: "hvals", Group: GroupHash, Since: "2.0.0", Complexity: "O(N) for N fields", Arity: 2,
	Summary: "Returns the values of the fields of a hash.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key",
	Tips:    []string{"nondeterministic_output_order"},
	Heavy:   hashAllHeavy,
	Run:     func(c *Ctx) { c.hashAll(false, true) },
}

// HGETALL replies all fields with their values.
var hgetallSpec = Spec{
	Name: "hgetall", Group: GroupHash, Since: "2.0.0", Complexity: "O(N) for N fields", Arity: 2,
	Summary: "Returns the fields of a hash with their values.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key",
	Tips:    []string{"nondeterministic_output_order"},
	Heavy:   hashAllHeavy,
	Run:     func(c *Ctx) { c.hashAll(true, true) },
}

// hashAll replies the names of all fields, or the values, or both as a map.
func (c *Ctx) hashAll(fields, values bool) {
	var h hashValue
	if !c.openHash(&h, false) {
		return
	}
	if h.large != nil && c.canWalk() && hashLong(h.large) {
		h.walk(fields, values)
		return
	}
	hashHead(c.Reply, h.size(), fields && values)
	if h.large == nil {
		h.allOfSmall(fields, values)
		return
	}
	h.each(func(it hashItem) { h.reply(it, fields, values) })
}

// allOfSmall goes element by element, which takes less steps than each.
func (h *hashValue) allOfSmall(fields, values bool) {
	if !h.found {
		return
	}
	for off := h.small.First(); off >= 0; {
		value := h.small.Value(off)
		next := h.small.Next(off)
		if !h.due || !h.small.Due(off, h.c.NowMs) {
			if fields {
				h.replyElement(off)
			}
			if values {
				h.replyElement(value)
			}
		}
		off = next
	}
}

// HINCRBY adds a number to a field. Its deadline stays.
var hincrbySpec = Spec{
	Name: "hincrby", Group: GroupHash, Since: "2.0.0", Complexity: "O(1)", Arity: 4,
	Summary: "Adds a number to the integer in a field of a hash, which counts as 0 if there is none.",
	Flags:   Write | DenyOOM | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Access | Update)},
	Syntax:  "key field increment:integer",
	Run:     hincrbyCommand,
}

func hincrbyCommand(c *Ctx) {
	n, ok := c.intArg(3)
	if !ok {
		return
	}
	var h hashValue
	if !c.openHash(&h, true) {
		return
	}
	field, v := c.Args[2], int64(0)
	if it, ok := h.find(field); ok {
		if v, ok = resp.ParseInt(h.value(it)); !ok {
			c.Reply.Error("ERR hash value is not an integer")
			return
		}
	}
	sum := v + n
	if (sum > v) != (n > 0) && n != 0 {
		c.Reply.Error(MsgOverflow)
		return
	}
	h.put(field, c.Decimal(sum), true, 0)
	h.settle()
	c.Changed(h.k, keyspace.EventHash, "hincrby")
	c.Reply.Int(sum)
}

// HINCRBYFLOAT adds a fraction to a field. Its deadline stays. The sum is propagated as text, so that a replica that calculates
// otherwise cannot differ; since HSET takes the deadline away, that follows.
var hincrbyfloatSpec = Spec{
	Name: "hincrbyfloat", Group: GroupHash, Since: "2.6.0", Complexity: "O(1)", Arity: 4,
	Summary: "Adds a floating point number to the number in a field of a hash, which counts as 0 if there is none.",
	Flags:   Write | DenyOOM | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Access | Update)},
	Syntax:  "key field increment:double",
	Run:     hincrbyfloatCommand,
}

func hincrbyfloatCommand(c *Ctx) {
	inf, ok := resp.CheckHuman(c.Args[3])
	switch {
	case !ok:
		c.Reply.Error(MsgNotFloat)
		return
	case inf:
		c.Reply.Error("ERR value is NaN or Infinity")
		return
	}
	var h hashValue
	if !c.openHash(&h, true) {
		return
	}
	field, value, atMs := c.Args[2], zeroText, int64(-1)
	if it, ok := h.find(field); ok {
		value, atMs = h.value(it), h.deadline(it)
	}
	sum, notFinite, ok := resp.AddHuman(value, c.Args[3])
	switch {
	case !ok:
		c.Reply.Error("ERR hash value is not a float")
		return
	case notFinite:
		c.Reply.Error("ERR increment would produce NaN or Infinity")
		return
	}
	h.put(field, sum, true, 0)
	h.settle()
	c.Changed(h.k, keyspace.EventHash, "hincrbyfloat")
	c.Reply.Bulk(sum)
	c.Propagate(wordHSet, h.k.B, field, sum)
	if atMs >= 0 {
		c.Propagate(wordHPExpireAt, h.k.B, c.Decimal(atMs), wordFields, wordOne, field)
	}
}

// The words of effects on hashes.
var (
	wordHSet       = []byte("HSET")
	wordHDel       = []byte("HDEL")
	wordHPExpireAt = []byte("HPEXPIREAT")
	wordFields     = []byte("FIELDS")
	wordOne        = []byte("1")
)
