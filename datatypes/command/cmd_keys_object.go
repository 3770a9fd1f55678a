package command

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// OBJECT looks at how a value is kept. None of its subcommands counts as an access.
var objectSpec = Spec{
	Name: "object", Group: GroupGeneric, Since: "2.2.3", Arity: -2,
	Summary:    "Tells how values are kept.",
	Categories: NoCategory,
	Help: []string{
		"ENCODING <key>",
		"    Return the name of the representation of the value at <key>.",
		"FREQ <key>",
		"    Return the access counter of the value at <key>. It grows with the logarithm of",
		"    the number of recent accesses and is kept under the LFU policies only.",
		"IDLETIME <key>",
		"    Return for how many seconds the value at <key> has not been accessed.",
		"REFCOUNT <key>",
		"    Return how many references there are to the value at <key>.",
	},
	Subcommands: []*Spec{
		{
			Name: "encoding", Since: "2.2.3", Complexity: "O(1)", Arity: 3,
			Summary: "Returns the encoding of a value.",
			Flags:   ReadOnly,
			Keys:    KeySpecs{At(2).Flags(RO)},
			Syntax:  "key",
			Tips:    []string{"nondeterministic_output"},
			Run:     objectEncodingCommand,
		},
		{
			Name: "freq", Since: "4.0.0", Complexity: "O(1)", Arity: 3,
			Summary: "Returns the access counter of a value.",
			Flags:   ReadOnly,
			Keys:    KeySpecs{At(2).Flags(RO)},
			Syntax:  "key",
			Tips:    []string{"nondeterministic_output"},
			Run:     objectFreqCommand,
		},
		{
			Name: "help", Since: "6.2.0", Complexity: "O(1)", Arity: 2,
			Summary: "Explains the subcommands.",
			Flags:   Loading | Stale,
			Scope:   ScopeLocal,
			Run:     HelpCommand,
		},
		{
			Name: "idletime", Since: "2.2.3", Complexity: "O(1)", Arity: 3,
			Summary: "Returns the time since a value was last accessed.",
			Flags:   ReadOnly,
			Keys:    KeySpecs{At(2).Flags(RO)},
			Syntax:  "key",
			Tips:    []string{"nondeterministic_output"},
			Run:     objectIdletimeCommand,
		},
		{
			Name: "refcount", Since: "2.2.3", Complexity: "O(1)", Arity: 3,
			Summary: "Returns the number of references to a value.",
			Flags:   ReadOnly,
			Keys:    KeySpecs{At(2).Flags(RO)},
			Syntax:  "key",
			Tips:    []string{"nondeterministic_output"},
			Run:     objectRefcountCommand,
		},
	},
}

// objectLookup finds the key of an OBJECT subcommand. When it is not there, null is the reply.
func objectLookup(c *Ctx) (db *keyspace.DB, e keyspace.Entry, ok bool) {
	k := c.Key(2)
	db = c.DB(k)
	e, ok = db.Lookup(k, keyspace.NoTouch|keyspace.NoNotify)
	if !ok {
		c.Reply.Null()
	}
	return db, e, ok
}

func objectEncodingCommand(c *Ctx) {
	if _, e, ok := objectLookup(c); ok {
		c.Reply.BulkString(e.Encoding().String())
	}
}

// policyNote ends the errors about access data that the maxmemory-policy does not keep.
const policyNote = " Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."

func objectFreqCommand(c *Ctx) {
	db, e, ok := objectLookup(c)
	switch {
	case !ok:
	case !c.Settings.LFU:
		c.Reply.Error("ERR An LFU maxmemory policy is not selected, access frequency not tracked." + policyNote)
	default:
		c.Reply.Int(db.Shard().Frequency(e))
	}
}

func objectIdletimeCommand(c *Ctx) {
	db, e, ok := objectLookup(c)
	switch {
	case !ok:
	case c.Settings.LFU:
		c.Reply.Error("ERR An LFU maxmemory policy is selected, idle time not tracked." + policyNote)
	default:
		c.Reply.Int(db.Shard().IdleSeconds(e))
	}
}

// Redis keeps one object for each of the integers below sharedInts, whatever the number of keys that hold it, and reports
// sharedRefs references to it. It does without when eviction needs the access time of each key by itself.
const (
	sharedInts = 10000
	sharedRefs = math.MaxInt32
)

func objectRefcountCommand(c *Ctx) {
	_, e, ok := objectLookup(c)
	if !ok {
		return
	}
	if !c.Settings.UnsharedInts && e.Type() == keyspace.String {
		if v, isInt := e.Int(); isInt && v >= 0 && v < sharedInts {
			c.Reply.Int(sharedRefs)
			return
		}
	}
	c.Reply.Int(1)
}
