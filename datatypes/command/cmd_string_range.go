package command

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// maxStringBytes is the longest string that a record can hold, whatever the configuration allows.
const maxStringBytes = math.MaxUint32

// fits tells whether a string of size+more bytes is allowed. When it is not, that is the reply.
func (c *Ctx) fits(size, more int64) bool {
	if limit := min(c.Settings.MaxStringBytes, maxStringBytes); size <= limit && more <= limit-size {
		return true
	}
	c.Reply.Error(MsgTooLong)
	return false
}

// stringLen returns the length of the string at Args[i], or 0, without any side effect.
func (c *Ctx) stringLen(i int) int {
	k := c.Key(i)
	if e, found := c.DB(k).Peek(k); found && e.Type() == keyspace.String {
		return e.StringLen()
	}
	return 0
}

// growsFar tells whether making the string at Args[1] size bytes long is a lot of work: much to copy or to clear.
func (c *Ctx) growsFar(size int64) bool {
	return size > heavyBytes && int64(c.stringLen(1)) < size
}

// clampRange turns a range of positions as users write it, with negative ones counted from the end, into positions
// from 0 to total-1. The range is empty when first > last; one that is written the wrong way round, both ends counted
// from the end, is not when both come to lie before the beginning: see crossed.
func clampRange(first, last, total int64) (int64, int64) {
	if first < 0 {
		first = max(first+total, 0)
	}
	if last < 0 {
		last = max(last+total, 0)
	}
	return first, min(last, total-1)
}

// crossed tells whether a range counted from the end is written the wrong way round: most commands take it for empty
// whatever the size.
func crossed(first, last int64) bool { return first < 0 && last < 0 && first > last }

// APPEND adds bytes at the end of a string.
var appendSpec = Spec{
	Name: "append", Group: GroupString, Since: "2.0.0", Arity: 3,
	Complexity: "O(1) amortized for a short value, since a string that grows has room reserved behind it",
	Summary:    "Adds a string to the end of the one at a key, creating the key if there is none.",
	Flags:      Write | DenyOOM | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Insert)},
	Syntax:     "key value",
	Run:        appendCommand,
}

func appendCommand(c *Ctx) {
	e, found, failed := c.LookupWrite(1, keyspace.String)
	if failed {
		return
	}
	k, val := c.Key(1), c.Args[2]
	n := len(val)
	if !found {
		c.DB(k).SetString(k, val, keyspace.NoTTL)
	} else {
		had := e.StringLen()
		if !c.fits(int64(had), int64(len(val))) {
			return
		}
		n += had
		copy(c.DB(k).Grow(k, n)[had:], val)
	}
	c.Changed(k, keyspace.EventString, "append")
	c.Reply.Int(int64(n))
}

// STRLEN replies the length of a string.
var strlenSpec = Spec{
	Name: "strlen", Group: GroupString, Since: "2.2.0", Complexity: "O(1)", Arity: 2,
	Summary: "Returns the length of the string at a key.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO)},
	Syntax:  "key",
	Run:     strlenCommand,
}

func strlenCommand(c *Ctx) {
	e, found, failed := c.LookupRead(1, keyspace.String)
	if failed {
		return
	}
	n := 0
	if found {
		n = e.StringLen()
	}
	c.Reply.Int(int64(n))
}

// GETRANGE replies part of a string. Both ends belong to the range.
var getrangeSpec = Spec{
	Name: "getrange", Group: GroupString, Since: "2.4.0", Complexity: "O(N) for N bytes to return", Arity: 4,
	Summary: "Returns part of the string at a key.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key start:integer end:integer",
	Heavy:   func(c *Ctx) bool { return c.stringLen(1) > heavyBytes },
	Work:    oneElement,
	Run:     getrangeCommand,
}

// SUBSTR is GETRANGE by its first name.
var substrSpec = Spec{
	Name: "substr", Group: GroupString, Since: "1.0.0", Complexity: "O(N) for N bytes to return", Arity: 4,
	Summary:         "Returns part of the string at a key.",
	DeprecatedSince: "2.0.0", ReplacedBy: "`GETRANGE`",
	Flags:  ReadOnly,
	Keys:   KeySpecs{At(1).Flags(RO | Access)},
	Syntax: "key start:integer end:integer",
	Heavy:  func(c *Ctx) bool { return c.stringLen(1) > heavyBytes },
	Work:   oneElement,
	Run:    getrangeCommand,
}

func getrangeCommand(c *Ctx) {
	first, ok := c.intArg(2)
	if !ok {
		return
	}
	last, ok := c.intArg(3)
	if !ok {
		return
	}
	e, found, failed := c.LookupRead(1, keyspace.String)
	if failed {
		return
	}
	if !found {
		c.Reply.BulkString("")
		return
	}
	val := c.Text(e)
	empty := crossed(first, last)
	first, last = clampRange(first, last, int64(len(val)))
	if empty || first > last {
		c.Reply.BulkString("")
		return
	}
	c.Reply.Bulk(val[first : last+1])
}

// SETRANGE writes over part of a string, which grows where needed; a gap is filled with zero bytes.
var setrangeSpec = Spec{
	Name: "setrange", Group: GroupString, Since: "2.2.0", Arity: 4,
	Complexity: "O(N) for a value of N bytes, and for the bytes that the string grows by",
	Summary:    "Overwrites part of the string at a key, creating or extending it as needed.",
	Flags:      Write | DenyOOM,
	Keys:       KeySpecs{At(1).Flags(RW | Update)},
	Syntax:     "key offset:integer value",
	Heavy:      setrangeHeavy,
	Run:        setrangeCommand,
}

func setrangeHeavy(c *Ctx) bool {
	w := c.words(2)
	offset := w.intIn(0, maxStringBytes, MsgOutOfRange)
	return w.err == "" && len(c.Args[3]) > 0 && c.growsFar(offset+int64(len(c.Args[3])))
}

func setrangeCommand(c *Ctx) {
	offset, ok := c.intArg(2)
	if !ok {
		return
	}
	if offset < 0 {
		c.Reply.Error("ERR offset is out of range")
		return
	}
	e, found, failed := c.LookupWrite(1, keyspace.String)
	if failed {
		return
	}
	k, val := c.Key(1), c.Args[3]
	if len(val) == 0 {
		// Nothing to write: neither is the key created nor the string extended.
		n := 0
		if found {
			n = e.StringLen()
		}
		c.Reply.Int(int64(n))
		return
	}
	if !c.fits(offset, int64(len(val))) {
		return
	}
	all := c.DB(k).Grow(k, int(offset)+len(val))
	copy(all[offset:], val)
	c.Changed(k, keyspace.EventString, "setrange")
	c.Reply.Int(int64(len(all)))
}
