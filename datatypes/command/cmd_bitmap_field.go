package command

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// BITFIELD treats a string as an array of integers of any width up to 64 bits. With nothing but GET it changes nothing,
// not even the encoding.
var bitfieldSpec = Spec{
	Name: "bitfield", Group: GroupBitmap, Since: "3.2.0", Complexity: "O(1) for each operation", Arity: -2,
	Summary:  "Reads, stores and increments integers of any width at any bit of the string at a key.",
	Flags:    Write | DenyOOM,
	Keys:     KeySpecs{At(1).Flags(RW | Access | Update | VariableFlags)},
	KeysFunc: bitfieldKeys,
	Syntax: "key [operation:<GET get-block:{encoding offset:integer}|write:{[OVERFLOW overflow-block:<WRAP|SAT|FAIL>] " +
		"write-operation:<SET set-block:{encoding offset:integer value:integer}|INCRBY incrby-block:{encoding " +
		"offset:integer increment:integer}>}>...]",
	Heavy: bitfieldHeavy,
	Run:   func(c *Ctx) { c.bitfield(false) },
}

// BITFIELD_RO is BITFIELD that allows only GET, for replicas.
var bitfieldRoSpec = Spec{
	Name: "bitfield_ro", Group: GroupBitmap, Since: "6.0.0", Complexity: "O(1) for each operation", Arity: -2,
	Summary: "Reads integers of any width at any bit of the string at a key.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key [GET get-block:{encoding offset:integer}]...",
	Run:     func(c *Ctx) { c.bitfield(true) },
}

// overflow is what a field does with a number that it cannot hold.
type overflow uint8

const (
	wrap overflow = iota
	saturate
	refuse
)

type fieldVerb uint8

const (
	fieldGet fieldVerb = iota
	fieldSet
	fieldIncr
)

// fieldOp is one operation of BITFIELD.
type fieldOp struct {
	verb     fieldVerb
	signed   bool
	overflow overflow
	width    uint
	offset   int64 // of the first bit
	arg      int64 // the value or the increment
}

// fieldReader reads the operations one after the other.
type fieldReader struct {
	words
	c        *Ctx
	overflow overflow
}

// next reads the next operation; false when there is none or w.err tells of a mistake.
func (w *fieldReader) next() (op fieldOp, ok bool) {
	for w.has("OVERFLOW", 1) {
		switch {
		case w.is("WRAP"):
			w.overflow = wrap
		case w.is("SAT"):
			w.overflow = saturate
		case w.is("FAIL"):
			w.overflow = refuse
		default:
			w.fail("ERR Invalid OVERFLOW type specified")
		}
	}
	if !w.more() {
		return op, false
	}
	switch {
	case w.has("GET", 2):
		op.verb = fieldGet
	case w.has("SET", 3):
		op.verb = fieldSet
	case w.has("INCRBY", 3):
		op.verb = fieldIncr
	default:
		w.syntax()
		return op, false
	}
	op.overflow = w.overflow
	if !op.parseType(w.words.next()) {
		w.fail("ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.")
		return op, false
	}
	if op.offset, ok = w.c.bitOffset(w.words.next(), int64(op.width)); !ok {
		w.fail(msgBitOffset)
		return op, false
	}
	if op.verb != fieldGet {
		op.arg = w.int()
	}
	return op, w.err == ""
}

// parseType reads a type such as i8 or u63.
func (op *fieldOp) parseType(word []byte) bool {
	if len(word) < 2 || word[0] != 'i' && word[0] != 'u' {
		return false
	}
	op.signed = word[0] == 'i'
	width, ok := resp.ParseInt(word[1:])
	op.width = uint(width)
	return ok && width >= 1 && (width <= 63 || width == 64 && op.signed)
}

func (c *Ctx) fields() fieldReader { return fieldReader{words: c.words(2), c: c} }

func bitfieldHeavy(c *Ctx) bool {
	end := int64(0)
	w := c.fields()
	for op, ok := w.next(); ok; op, ok = w.next() {
		if op.verb != fieldGet {
			end = max(end, op.offset+int64(op.width))
		}
	}
	return len(c.Args) > 2*heavyKeys || c.growsFar((end+7)>>3)
}

func (c *Ctx) bitfield(readOnly bool) {
	var few [8]fieldOp
	ops := few[:0]
	lastBit := int64(-1) // the highest bit that is written
	w := c.fields()
	for op, ok := w.next(); ok; op, ok = w.next() {
		ops = append(ops, op)
		if op.verb != fieldGet {
			lastBit = max(lastBit, op.offset+int64(op.width)-1)
		}
	}
	if w.failed(c) {
		return
	}
	var b []byte
	grown := false
	switch {
	case lastBit < 0:
		e, found, failed := c.LookupRead(1, keyspace.String)
		if failed {
			return
		}
		if found {
			b = c.Text(e)
		}
	case readOnly:
		c.Reply.Error("ERR BITFIELD_RO only supports the GET subcommand")
		return
	default:
		var ok bool
		if b, grown, ok = c.growForBits(lastBit); !ok {
			return
		}
	}
	changes := 0
	c.Reply.Array(len(ops))
	for i := range ops {
		if c.runField(b, &ops[i], grown) {
			changes++
		}
	}
	k := c.Key(1)
	switch {
	case changes > 0:
		c.Changed(k, keyspace.EventString, "setbit")
		c.Dirty(changes - 1)
	case grown:
		// Every write overflowed and was refused, but the string is longer now, without an event as in Redis. Unlike
		// there it is journalled, so that a replica has the same string.
		c.Dirty(1)
		c.DB(k).Touched(k.B)
	}
}

// runField replies one operation on b and tells whether it changed something; in a string that has grown, any write
// counts as a change.
func (c *Ctx) runField(b []byte, op *fieldOp, grown bool) (changed bool) {
	raw := readField(b, op.offset, op.width)
	old := int64(raw)
	if op.signed {
		old = int64(raw<<(64-op.width)) >> (64 - op.width)
	}
	if op.verb == fieldGet {
		c.Reply.Int(old)
		return false
	}
	base := old
	if op.verb == fieldSet {
		base = 0
	}
	value, fits := op.sum(base)
	if !fits && op.overflow == refuse {
		c.Reply.Null()
		return false
	}
	if op.verb == fieldSet {
		c.Reply.Int(old)
	} else {
		c.Reply.Int(value)
	}
	writeField(b, op.offset, op.width, uint64(value))
	return grown || value != old
}

// sum returns v plus the argument of op if the field can hold that. Otherwise fits is false, and value is what the
// field is to hold instead. REQUIRES: the field can hold v.
func (op *fieldOp) sum(v int64) (value int64, fits bool) {
	lo, hi := int64(0), int64(math.MaxInt64)
	if op.signed {
		hi >>= 64 - op.width
		lo = -hi - 1
	} else {
		hi >>= 63 - op.width
	}
	// The room above and below v is wrapped, and has the wrong sign, only where no int64 is too far.
	above, below := hi-v, lo-v
	over := op.arg > 0 && above >= 0 && op.arg > above
	under := op.arg < 0 && below <= 0 && op.arg < below
	if under && op.verb == fieldSet && (!op.signed || hi-op.arg < 0) {
		// Redis takes a negative number for an unsigned field for the huge one of the same bits, and one so low that
		// its distance from hi is no int64 for one that is too high. SAT shows it.
		over, under = true, false
	}
	switch {
	case !over && !under:
		return v + op.arg, true
	case op.overflow != saturate:
		value = v + op.arg // modulo 2^64, then modulo 2^width
		if op.signed {
			return value << (64 - op.width) >> (64 - op.width), false
		}
		return value & hi, false
	case over:
		return hi, false
	default:
		return lo, false
	}
}
