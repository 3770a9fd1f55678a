package command

import "github.com/troupe-db/troupe/datatypes/keyspace"

// MEMORY tells where memory goes. The subcommands about the server as a whole come from the packages that know it, by
// way of Extend.
var memorySpec = Spec{
	Name: "memory", Group: GroupServer, Since: "4.0.0", Arity: -2,
	Summary: "Tells about the use of memory.",
	Help: []string{
		"DOCTOR",
		"    Return a report on problems with memory.",
		"MALLOC-STATS",
		"    Return the allocator's own statistics.",
		"PURGE",
		"    Give idle memory back to the system.",
		"STATS",
		"    Return what the memory of the server is used for.",
		"USAGE <key> [SAMPLES <count>]",
		"    Return the bytes that <key> and its value take. Of large values <count> elements",
		"    are looked at (default: 5, 0 means all).",
	},
	Subcommands: []*Spec{
		{
			Name: "help", Since: "4.0.0", Complexity: "O(1)", Arity: 2,
			Summary: "Explains the subcommands.",
			Flags:   Loading | Stale,
			Scope:   ScopeLocal,
			Run:     HelpCommand,
		},
		{
			Name: "usage", Since: "4.0.0", Complexity: "O(N) for N samples", Arity: -3,
			Summary: "Estimates the memory of a key.",
			Flags:   ReadOnly,
			Keys:    KeySpecs{At(2).Flags(RO)},
			Syntax:  "key [SAMPLES count:integer]",
			Run:     memoryUsageCommand,
		},
	},
}

// What a key costs besides its record: its slot in the table, at the load at which segments are on average, and its entry
// in the deadline index.
const (
	slotCost     = 10
	deadlineCost = 8
)

// memoryUsageCommand replies what a key takes. The number is exact but for the shares of tables, hence SAMPLES is checked
// and not needed.
func memoryUsageCommand(c *Ctx) {
	w := c.words(3)
	for w.more() {
		if !w.has("SAMPLES", 1) || w.int() < 0 {
			w.syntax()
		}
	}
	if w.failed(c) {
		return
	}
	k := c.Key(2)
	db := c.DB(k)
	e, ok := db.Lookup(k, keyspace.NoTouch|keyspace.NoStats|keyspace.NoNotify)
	if !ok {
		c.Reply.Null()
		return
	}
	n := int64(db.RecordBytes(e)) + db.ValueBytes(e) + slotCost
	if e.Volatile() {
		n += deadlineCost
	}
	c.Reply.Int(n)
}
