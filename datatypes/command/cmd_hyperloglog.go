package command

import (
	"github.com/troupe-db/troupe/datatypes/hll"
	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// HyperLogLogs are strings in a format of their own, see package hll: GET and SET work on them, and DUMP carries them to other
// servers.

const (
	msgNoHLL      = "WRONGTYPE Key is not a valid HyperLogLog string value."
	msgCorruptHLL = "INVALIDOBJ Corrupted HLL object detected"
)

// Above these a command goes to the shard's own goroutine: elements to add to a sparse value, which are searched for from its
// beginning each, and values to unite.
const (
	hllHeavyElements = 512
	hllHeavyKeys     = 64
)

// hllStackBytes is the length up to which sparse values are changed without an allocation.
const hllStackBytes = 4096

// hllOf returns the bytes of a HyperLogLog. When e is none, that is the reply and ok is false.
func (c *Ctx) hllOf(e keyspace.Entry) (b []byte, ok bool) {
	if e.Type() != keyspace.String {
		c.Reply.Error(MsgWrongType)
		return nil, false
	}
	if e.Encoding() != keyspace.Int {
		if b = c.Text(e); hll.Valid(b) {
			return b, true
		}
	}
	c.Reply.Error(msgNoHLL)
	return nil, false
}

// PFADD adds elements to a HyperLogLog, which it creates where there is none. It replies whether that changed anything.
var pfaddSpec = Spec{
	Name: "pfadd", Group: GroupHyperLogLog, Since: "2.8.9", Complexity: "O(1) per element", Arity: -2,
	Summary: "Adds elements to the HyperLogLog at a key.",
	Flags:   Write | DenyOOM | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Insert)},
	Syntax:  "key [element...]",
	Heavy:   func(c *Ctx) bool { return len(c.Args) > hllHeavyElements },
	Run:     pfaddCommand,
}

func pfaddCommand(c *Ctx) {
	e, found, _ := c.LookupWrite(1, keyspace.None)
	k := c.Key(1)
	elems := c.Args[2:]
	changes := 0
	if !found {
		var scratch [hllStackBytes]byte
		b, n, _ := c.hllAdd(hll.AppendEmpty(scratch[:0]), elems) // what is empty is not corrupt
		hll.Outdate(b)
		c.DB(k).SetRaw(k, b, keyspace.NoTTL)
		changes = n + 1
	} else if b, ok := c.hllOf(e); !ok {
		return
	} else if hll.IsDense(b) {
		changes = c.hllAddDense(k, b, elems)
	} else {
		// A change may make it longer, and nothing must have changed when a later element finds it corrupt.
		var scratch [hllStackBytes]byte
		b, n, err := c.hllAdd(append(scratch[:0], b...), elems)
		if err != nil {
			c.Reply.Error(msgCorruptHLL)
			return
		}
		if n > 0 {
			c.DB(k).SetRaw(k, b, keyspace.KeepTTL)
		}
		changes = n
	}
	if changes > 0 {
		c.Changed(k, keyspace.EventString, "pfadd")
		c.Dirty(changes - 1)
	}
	c.replyMember(changes > 0)
}

// hllAdd adds elems to b and returns how many of them changed it.
func (c *Ctx) hllAdd(b []byte, elems [][]byte) (out []byte, changes int, err error) {
	for _, elem := range elems {
		var changed bool
		if b, changed, err = hll.Add(b, elem, c.Settings.HLLSparseMaxBytes); err != nil {
			return b, 0, err
		}
		if changed {
			changes++
		}
	}
	return b, changes, nil
}

// hllAddDense adds elems to b, the dense value at k, in place.
func (c *Ctx) hllAddDense(k keyspace.Key, b []byte, elems [][]byte) (changes int) {
	for _, elem := range elems {
		register, rank := hll.Locate(elem)
		if hll.Register(b, register) >= rank {
			continue
		}
		if changes++; changes == 1 {
			b = c.DB(k).Grow(k, 0)
		}
		b, _, _ = hll.Raise(b, register, rank, 0) // a dense value cannot be corrupt
	}
	return changes
}

// PFCOUNT estimates how many different elements were added to one HyperLogLog, or to any of several. The estimate of one is kept in
// its header, and is therefore a change of the value, and propagated, when it was out of date.
var pfcountSpec = Spec{
	Name: "pfcount", Group: GroupHyperLogLog, Since: "2.8.9",
	Complexity: "O(1) with a small constant for one key, O(N) with a large one for N keys", Arity: -2,
	Summary: "Estimates the number of different elements of HyperLogLogs.",
	Flags:   ReadOnly | MayReplicate,
	Keys:    KeySpecs{Range(1, -1, 1).Flags(RW | Access)},
	Syntax:  "key...",
	Heavy:   func(c *Ctx) bool { return len(c.Args) > hllHeavyKeys },
	Run:     pfcountCommand,
}

func pfcountCommand(c *Ctx) {
	if len(c.Args) > 2 {
		var u hll.Union
		if _, ok := c.hllUnite(&u); ok {
			c.Reply.Int(int64(u.Count()))
		}
		return
	}
	e, found, _ := c.LookupRead(1, keyspace.None)
	if !found {
		c.Reply.Int(0)
		return
	}
	b, ok := c.hllOf(e)
	if !ok {
		return
	}
	n, current := hll.Cached(b)
	if !current {
		var err error
		if n, err = hll.Count(b); err != nil {
			c.Reply.Error(msgCorruptHLL)
			return
		}
		k := c.Key(1)
		db := c.DB(k)
		hll.SetCached(db.Grow(k, 0), n)
		c.Dirty(1)
		db.Touched(k.B)
	}
	c.Reply.Int(int64(n))
}

// hllUnite adds the values at Args[1:] to u. first tells whether Args[1] is there. When a key holds something else, that is the reply
// and ok is false.
func (c *Ctx) hllUnite(u *hll.Union) (first, ok bool) {
	for i := 1; i < len(c.Args); i++ {
		e, found, _ := c.LookupRead(i, keyspace.None)
		if !found {
			continue
		}
		b, ok := c.hllOf(e)
		if !ok {
			return false, false
		}
		if u.Add(b) != nil {
			c.Reply.Error(msgCorruptHLL)
			return false, false
		}
		first = first || i == 1
	}
	return first, true
}

// PFMERGE makes the destination the union of itself and of all sources. It is dense if one of them is.
var pfmergeSpec = Spec{
	Name: "pfmerge", Group: GroupHyperLogLog, Since: "2.8.9",
	Complexity: "O(N) with a large constant for N keys", Arity: -2,
	Summary: "Merges HyperLogLogs into one.",
	Flags:   Write | DenyOOM,
	Keys: KeySpecs{
		At(1).Flags(RW | Access | Insert),
		Range(2, -1, 1).Flags(RO | Access),
	},
	Syntax: "destkey:key [sourcekey:key...]",
	Heavy:  func(c *Ctx) bool { return len(c.Args) > hllHeavyKeys },
	Run:    pfmergeCommand,
}

func pfmergeCommand(c *Ctx) {
	var u hll.Union
	found, ok := c.hllUnite(&u)
	if !ok {
		return
	}
	k := c.Key(1)
	db := c.DB(k)
	var scratch [hllStackBytes]byte
	b, atMs := hll.AppendEmpty(scratch[:0]), keyspace.NoTTL
	if found {
		e, _ := db.Lookup(k, quietly)
		b, atMs = append(scratch[:0], c.Text(e)...), keyspace.KeepTTL
	}
	b, err := u.Store(b, c.Settings.HLLSparseMaxBytes)
	if err != nil {
		c.Reply.Error(msgCorruptHLL)
		return
	}
	db.SetRaw(k, b, atMs)
	c.Changed(k, keyspace.EventString, "pfadd")
	c.Reply.OK()
}

// PFDEBUG looks into a HyperLogLog, for tests.
var pfdebugSpec = Spec{
	Name: "pfdebug", Group: GroupHyperLogLog, Since: "2.8.9", Complexity: "O(1) with a large constant", Arity: 3,
	Summary: "Looks into the HyperLogLog at a key.",
	SysCmd:  true,
	Flags:   Write | DenyOOM | Admin,
	Keys:    KeySpecs{At(2).Flags(RW | Access)},
	Syntax:  "subcommand key",
	Run:     pfdebugCommand,
}

func pfdebugCommand(c *Ctx) {
	e, found, _ := c.LookupWrite(2, keyspace.None)
	if !found {
		c.Reply.Error("ERR The specified key does not exist")
		return
	}
	b, ok := c.hllOf(e)
	if !ok {
		return
	}
	switch what := c.Args[1]; {
	case equalFold(what, "getreg"):
		if b, ok = c.hllToDense(b); ok {
			c.Reply.Array(hll.Registers)
			for i := range hll.Registers {
				c.Reply.Int(int64(hll.Register(b, i)))
			}
		}
	case equalFold(what, "decode"):
		if hll.IsDense(b) {
			c.Reply.Error("ERR HLL encoding is not sparse")
			return
		}
		c.Reply.Bulk(hll.AppendOpcodes(nil, b))
	case equalFold(what, "encoding"):
		if hll.IsDense(b) {
			c.Reply.Simple("dense")
		} else {
			c.Reply.Simple("sparse")
		}
	case equalFold(what, "todense"):
		was := hll.IsDense(b)
		if _, ok = c.hllToDense(b); ok {
			c.replyMember(!was)
		}
	default:
		c.Reply.Error("ERR Unknown PFDEBUG subcommand '" + string(what) + "'")
	}
}

// hllToDense makes b, the value at Args[2], dense. When it is corrupt, that is the reply and ok is false.
func (c *Ctx) hllToDense(b []byte) (out []byte, ok bool) {
	if hll.IsDense(b) {
		return b, true
	}
	out, err := hll.ToDense(nil, b)
	if err != nil {
		c.Reply.Error(msgCorruptHLL)
		return nil, false
	}
	k := c.Key(2)
	c.DB(k).SetRaw(k, out, keyspace.KeepTTL)
	c.Dirty(1)
	return out, true
}

// PFSELFTEST checks the implementation.
var pfselftestSpec = Spec{
	Name: "pfselftest", Group: GroupHyperLogLog, Since: "2.8.9", Complexity: "O(1) with a large constant", Arity: 1,
	Summary: "Checks the implementation of HyperLogLogs.",
	SysCmd:  true,
	Flags:   Admin,
	Scope:   ScopeServer,
	Run:     pfselftestCommand,
}

func pfselftestCommand(c *Ctx) {
	if err := hll.SelfTest(c.Rand); err != nil {
		c.Reply.Error("TESTFAILED " + err.Error())
		return
	}
	c.Reply.OK()
}
