package command

import "math"

// Databases as a whole.

// DBSIZE counts the keys of the selected database, those past their deadline but not yet removed included.
var dbsizeSpec = Spec{
	Name: "dbsize", Group: GroupServer, Since: "1.0.0", Complexity: "O(1)", Arity: 1,
	Summary:    "Returns the number of keys in the selected database.",
	Flags:      ReadOnly | Fast,
	Categories: CatKeyspace,
	Tips:       []string{"request_policy:all_shards", "response_policy:agg_sum"},
	Scope:      ScopeAllShards,
	Run:        func(c *Ctx) { c.Reply.Int(int64(c.dbSize())) },
}

func (c *Ctx) dbSize() int {
	n := 0
	for _, s := range c.shards {
		n += s.DB(c.DBIndex).Len()
	}
	return n
}

// FLUSHALL removes all keys of all databases. ASYNC and SYNC make no difference: either way the keys are gone when the
// reply leaves, at a cost that does not grow with their number, and the memory goes back to the system elsewhere.
var flushallSpec = Spec{
	Name: "flushall", Group: GroupServer, Since: "1.0.0", Complexity: "O(1)", Arity: -1,
	Summary:    "Removes all keys of all databases.",
	Flags:      Write,
	Categories: CatKeyspace | CatDangerous,
	History: [][2]string{
		{"4.0.0", "Takes `ASYNC`."},
		{"6.2.0", "Takes `SYNC`."},
	},
	Syntax: "[flush-type:<ASYNC@4.0.0|SYNC@6.2.0>]",
	Tips:   []string{"request_policy:all_shards", "response_policy:all_succeeded"},
	Scope:  ScopeAllShards,
	Run:    flushallCommand,
}

func flushallCommand(c *Ctx) {
	if !flushTypeOK(c) {
		return
	}
	n := 0
	for _, s := range c.shards {
		for i := range s.Databases() {
			n += s.DB(i).Flush()
		}
	}
	flushed(c, n)
}

// FLUSHDB removes all keys of the selected database.
var flushdbSpec = Spec{
	Name: "flushdb", Group: GroupServer, Since: "1.0.0", Complexity: "O(1)", Arity: -1,
	Summary:    "Removes all keys of the selected database.",
	Flags:      Write,
	Categories: CatKeyspace | CatDangerous,
	History: [][2]string{
		{"4.0.0", "Takes `ASYNC`."},
		{"6.2.0", "Takes `SYNC`."},
	},
	Syntax: "[flush-type:<ASYNC@4.0.0|SYNC@6.2.0>]",
	Tips:   []string{"request_policy:all_shards", "response_policy:all_succeeded"},
	Scope:  ScopeAllShards,
	Run:    flushdbCommand,
}

func flushdbCommand(c *Ctx) {
	if !flushTypeOK(c) {
		return
	}
	n := 0
	for _, s := range c.shards {
		n += s.DB(c.DBIndex).Flush()
	}
	flushed(c, n)
}

// flushTypeOK checks the arguments of a flush. When they are wrong, that is the reply.
func flushTypeOK(c *Ctx) bool {
	if len(c.Args) == 1 || len(c.Args) == 2 && (equalFold(c.Args[1], "sync") || equalFold(c.Args[1], "async")) {
		return true
	}
	c.Reply.Error(MsgSyntax)
	return false
}

// flushed ends a flush of n keys. It is journalled even when there were none: a replica may have keys that its primary
// has not.
func flushed(c *Ctx, n int) {
	c.Dirty(n)
	c.Propagate(c.Args...)
	c.Reply.OK()
}

// SWAPDB exchanges two databases, at once for every client.
var swapdbSpec = Spec{
	Name: "swapdb", Group: GroupServer, Since: "4.0.0", Complexity: "O(1)", Arity: 3,
	Summary:    "Exchanges two databases.",
	Flags:      Write | Fast,
	Categories: CatKeyspace | CatDangerous,
	Syntax:     "index1:integer index2:integer",
	Scope:      ScopeAllShards,
	Run:        swapdbCommand,
}

func swapdbCommand(c *Ctx) {
	w := c.words(1)
	a := w.intIn(math.MinInt32, math.MaxInt32, "ERR invalid first DB index")
	b := w.intIn(math.MinInt32, math.MaxInt32, "ERR invalid second DB index")
	if n := int64(c.Databases()); a < 0 || a >= n || b < 0 || b >= n {
		w.fail(MsgDBIndex)
	}
	if w.failed(c) {
		return
	}
	if a != b {
		for _, s := range c.shards {
			s.SwapDB(int(a), int(b))
		}
	}
	c.Dirty(1)
	c.Reply.OK()
}

// SELECT chooses the database of the commands that follow, within a script for those of the script.
var selectSpec = Spec{
	Name: "select", Group: GroupConnection, Since: "1.0.0", Complexity: "O(1)", Arity: 2,
	Summary: "Chooses the database of a connection.",
	Flags:   Loading | Stale | Fast,
	Syntax:  "index:integer",
	Scope:   ScopeLocal,
	Run:     selectCommand,
}

func selectCommand(c *Ctx) {
	index, msg := c.dbArg(c.Args[1])
	if msg != "" {
		c.Reply.Error(msg)
		return
	}
	c.DBIndex = index
	if c.Client != nil && !c.InScript {
		c.Client.SelectDB(index)
	}
	c.Reply.OK()
}
