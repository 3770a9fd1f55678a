package command

import (
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

const (
	msgBitOffset = "ERR bit offset is not an integer or out of range"
	msgBitValue  = "ERR bit is not an integer or out of range"
)

// bitOffset reads the position of a bit. With a width, "#3" is the position of the fourth field of that many bits.
func (c *Ctx) bitOffset(arg []byte, width int64) (offset int64, ok bool) {
	counted := width > 0 && len(arg) > 0 && arg[0] == '#'
	if counted {
		arg = arg[1:]
	}
	offset, ok = resp.ParseInt(arg)
	limit := min(c.Settings.MaxStringBytes, maxStringBytes-fieldBytes)
	// The first comparison keeps the product from overflowing.
	if ok = ok && offset >= 0 && offset>>3 < limit; ok && counted {
		offset *= width
		ok = offset>>3 < limit
	}
	return offset, ok
}

// SETBIT changes one bit of a string, which grows where needed. A bit that has its value already is no change.
var setbitSpec = Spec{
	Name: "setbit", Group: GroupBitmap, Since: "2.2.0", Arity: 4,
	Complexity: "O(1), and O(N) for the N bytes that the string grows by",
	Summary:    "Sets or clears one bit of the string at a key and returns what it was.",
	Flags:      Write | DenyOOM,
	Keys:       KeySpecs{At(1).Flags(RW | Access | Update)},
	Syntax:     "key offset:integer value:integer",
	Heavy:      setbitHeavy,
	Run:        setbitCommand,
}

func setbitHeavy(c *Ctx) bool {
	offset, ok := c.bitOffset(c.Args[2], 0)
	return ok && c.growsFar(offset>>3+1)
}

func setbitCommand(c *Ctx) {
	offset, ok := c.bitOffset(c.Args[2], 0)
	if !ok {
		c.Reply.Error(msgBitOffset)
		return
	}
	bit, ok := c.intOr(3, msgBitValue)
	if !ok {
		return
	}
	if bit&^1 != 0 {
		c.Reply.Error(msgBitValue)
		return
	}
	b, grown, ok := c.growForBits(offset)
	if !ok {
		return
	}
	at, shift := &b[offset>>3], 7-uint(offset&7)
	was := int64(*at >> shift & 1)
	if grown || was != bit {
		*at = *at&^(1<<shift) | byte(bit)<<shift
		c.Changed(c.Key(1), keyspace.EventString, "setbit")
	}
	c.Reply.Int(was)
}

// growForBits makes the string at Args[1] long enough for the bit at offset and returns it for changing. grown tells
// whether it was shorter or not there. Another type is replied as an error.
func (c *Ctx) growForBits(offset int64) (b []byte, grown, ok bool) {
	e, found, failed := c.LookupWrite(1, keyspace.String)
	if failed {
		return nil, false, false
	}
	k, n := c.Key(1), int(offset>>3)+1
	grown = !found || e.StringLen() < n
	return c.DB(k).Grow(k, n), grown, true
}

// GETBIT replies one bit of a string; behind its end all are 0.
var getbitSpec = Spec{
	Name: "getbit", Group: GroupBitmap, Since: "2.2.0", Complexity: "O(1)", Arity: 3,
	Summary: "Returns one bit of the string at a key.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key offset:integer",
	Run:     getbitCommand,
}

func getbitCommand(c *Ctx) {
	offset, ok := c.bitOffset(c.Args[2], 0)
	if !ok {
		c.Reply.Error(msgBitOffset)
		return
	}
	e, found, failed := c.LookupRead(1, keyspace.String)
	if failed {
		return
	}
	bit := int64(0)
	if found {
		if b := c.Text(e); offset>>3 < int64(len(b)) {
			bit = int64(b[offset>>3] >> (7 - uint(offset&7)) & 1)
		}
	}
	c.Reply.Int(bit)
}

// bitRange is a range as BITCOUNT and BITPOS take it.
type bitRange struct {
	first, last int64
	inBits      bool
	toEnd       bool // there is no last
}

// within returns the range as bits from lo to hi of a string of size bytes; it is empty when lo >= hi.
func (r bitRange) within(size int) (lo, hi int64) {
	total := int64(size)
	if r.inBits {
		total *= 8
	}
	last := r.last
	if r.toEnd {
		last = total - 1
	}
	lo, last = clampRange(r.first, last, total)
	if lo > last {
		return 0, 0
	}
	hi = last + 1
	if !r.inBits {
		lo, hi = lo*8, hi*8
	}
	return lo, hi
}

// unit reads the word that says whether a range counts bytes or bits.
func (r *bitRange) unit(w *words) {
	switch {
	case w.is("BIT"):
		r.inBits = true
	case w.is("BYTE"):
	default:
		w.syntax()
	}
}

// BITCOUNT counts the bits that are set. Its arguments are checked before the key is looked at.
var bitcountSpec = Spec{
	Name: "bitcount", Group: GroupBitmap, Since: "2.6.0", Complexity: "O(N) for a range of N bytes", Arity: -2,
	Summary: "Counts the set bits of the string at a key, or of a part of it.",
	History: [][2]string{{"7.0.0", "Option `BYTE|BIT`."}},
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key [range:{start:integer end:integer [unit:<BYTE|BIT>@7.0.0]}]",
	Heavy:   func(c *Ctx) bool { return c.stringLen(1) > heavyBytes },
	Run:     bitcountCommand,
}

func bitcountCommand(c *Ctx) {
	r := bitRange{toEnd: true}
	w := c.words(2)
	if w.more() {
		if len(w.rest) == 1 || len(w.rest) > 3 {
			w.syntax()
		}
		r.first, r.last, r.toEnd = w.int(), w.int(), false
		if w.more() {
			r.unit(&w)
		}
	}
	if w.failed(c) {
		return
	}
	e, found, failed := c.LookupRead(1, keyspace.String)
	if failed {
		return
	}
	n := 0
	if found {
		b := c.Text(e)
		if lo, hi := r.within(len(b)); lo < hi && (r.toEnd || !crossed(r.first, r.last)) {
			n = countBitRange(b, lo, hi)
		}
	}
	c.Reply.Int(int64(n))
}

// BITPOS finds the first bit of a value. A string without an end given counts as followed by zeros for ever, so that a
// clear bit is always found; a missing key is all zeros.
var bitposSpec = Spec{
	Name: "bitpos", Group: GroupBitmap, Since: "2.8.7", Complexity: "O(N) for a range of N bytes", Arity: -3,
	Summary: "Finds the first set or clear bit of the string at a key, or of a part of it.",
	History: [][2]string{{"7.0.0", "Option `BYTE|BIT`."}},
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key bit:integer [range:{start:integer [end-unit-block:{end:integer [unit:<BYTE|BIT>@7.0.0]}]}]",
	Heavy:   func(c *Ctx) bool { return c.stringLen(1) > heavyBytes },
	Run:     bitposCommand,
}

func bitposCommand(c *Ctx) {
	bit, ok := c.intArg(2)
	if !ok {
		return
	}
	if bit != 0 && bit != 1 {
		c.Reply.Error("ERR The bit argument must be 1 or 0.")
		return
	}
	r := bitRange{toEnd: true}
	w := c.words(3)
	if w.more() {
		if len(w.rest) > 3 {
			w.syntax()
		}
		r.first = w.int()
		if len(w.rest) == 2 {
			// The unit is checked before the end.
			end := w.rest[:1]
			w.rest = w.rest[1:]
			r.unit(&w)
			w.rest = end
		}
		if w.more() {
			r.last, r.toEnd = w.int(), false
		}
	}
	if w.failed(c) {
		return
	}
	e, found, failed := c.LookupRead(1, keyspace.String)
	if failed {
		return
	}
	if !found {
		c.Reply.Int(-bit)
		return
	}
	b := c.Text(e)
	pos := int64(-1)
	if lo, hi := r.within(len(b)); lo < hi {
		if pos = findBit(b, byte(bit), lo, hi); pos < 0 && bit == 0 && r.toEnd {
			pos = hi
		}
	}
	c.Reply.Int(pos)
}

// BITOP stores the result of an operation on the bits of several strings, the shorter ones padded with zeros. An empty
// result removes the key.
var bitopSpec = Spec{
	Name: "bitop", Group: GroupBitmap, Since: "2.6.0", Complexity: "O(N) for N bytes of all strings together", Arity: -4,
	Summary: "Stores the result of a bitwise operation on strings at a key.",
	Flags:   Write | DenyOOM,
	Keys: KeySpecs{
		At(2).Flags(OW | Update),
		Range(3, -1, 1).Flags(RO | Access),
	},
	Syntax: "operation:<AND|OR|XOR|NOT> destkey:key key...",
	Heavy:  bitopHeavy,
	Run:    bitopCommand,
}

func bitopHeavy(c *Ctx) bool {
	if len(c.Args) > heavyKeys {
		return true
	}
	n := 0
	for i := 3; i < len(c.Args); i++ {
		n += c.stringLen(i)
	}
	return n > heavyBytes
}

func bitopCommand(c *Ctx) {
	var op bitOp
	switch name := c.Args[1]; {
	case equalFold(name, "and"):
		op = bitAnd
	case equalFold(name, "or"):
		op = bitOr
	case equalFold(name, "xor"):
		op = bitXor
	case equalFold(name, "not"):
		op = bitNot
	default:
		c.Reply.Error(MsgSyntax)
		return
	}
	if op == bitNot && len(c.Args) != 4 {
		c.Reply.Error("ERR BITOP NOT must be called with a single source key.")
		return
	}
	// The sources may live on several shards and include the destination, so the result is made beside them, one
	// source at a time.
	var result []byte
	for i := 3; i < len(c.Args); i++ {
		e, found, failed := c.LookupRead(i, keyspace.String)
		if failed {
			return
		}
		var b []byte
		if found {
			b = c.Text(e)
		}
		if i == 3 {
			result = append(result, b...)
			if op == bitNot {
				op.combine(result, nil)
			}
			continue
		}
		if more := len(b) - len(result); more > 0 {
			result = append(result, make([]byte, more)...)
		}
		op.combine(result, b)
	}
	k := c.Key(2)
	db := c.DB(k)
	if len(result) > 0 {
		db.SetRaw(k, result, keyspace.NoTTL)
		c.Changed(k, keyspace.EventString, "set")
	} else {
		c.remove(db, k)
	}
	c.Reply.Int(int64(len(result)))
}
