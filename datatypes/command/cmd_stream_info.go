package command

import (
	"github.com/troupe-db/troupe/datatypes/stream"
	"github.com/troupe-db/troupe/netio/resp"
)

// XINFO tells about streams, groups and consumers.
var xinfoSpec = Spec{
	Name: "xinfo", Group: GroupStream, Since: "5.0.0", Arity: -2,
	Summary:    "Tells about streams, their consumer groups and consumers.",
	Categories: NoCategory,
	Help: []string{
		"CONSUMERS <key> <groupname>",
		"    Tell about the consumers of a group.",
		"GROUPS <key>",
		"    Tell about the groups of a stream.",
		"STREAM <key> [FULL [COUNT <count>]]",
		"    Tell about a stream, with FULL about all that is in it.",
	},
	Subcommands: []*Spec{
		{
			Name: "consumers", Since: "5.0.0", Complexity: "O(N) for N consumers", Arity: 4,
			Summary: "Tells about the consumers of a consumer group.",
			History: [][2]string{{"7.2.0", "The field `inactive`; `idle` counts from the last try."}},
			Flags:   ReadOnly,
			Keys:    KeySpecs{At(2).Flags(RO | Access)},
			Syntax:  "key group",
			Tips:    []string{"nondeterministic_output"},
			Heavy:   xinfoConsumersHeavy,
			Run:     xinfoConsumersCommand,
		},
		{
			Name: "groups", Since: "5.0.0", Complexity: "O(N) for N groups", Arity: 3,
			Summary: "Tells about the consumer groups of a stream.",
			History: [][2]string{{"7.0.0", "The fields `entries-read` and `lag`."}},
			Flags:   ReadOnly,
			Keys:    KeySpecs{At(2).Flags(RO | Access)},
			Syntax:  "key",
			Heavy:   xinfoGroupsHeavy,
			Run:     xinfoGroupsCommand,
		},
		{
			Name: "help", Since: "5.0.0", Complexity: "O(1)", Arity: 2,
			Summary: "Explains the subcommands.",
			Flags:   Loading | Stale,
			Scope:   ScopeLocal,
			Run:     HelpCommand,
		},
		{
			Name: "stream", Since: "5.0.0", Complexity: "O(N) for N blocks of the stream and parts of the reply", Arity: -3,
			Summary: "Tells about a stream.",
			History: [][2]string{
				{"6.0.0", "Option `FULL`."},
				{"7.0.0", "The fields `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag`."},
				{"7.2.0", "The field `active-time`; `seen-time` is that of the last try."},
			},
			Flags:  ReadOnly,
			Keys:   KeySpecs{At(2).Flags(RO | Access)},
			Syntax: "key [full-block:{FULL [COUNT count:integer]}]",
			Heavy:  xinfoStreamHeavy,
			Run:    xinfoStreamCommand,
		},
	},
}

// xinfoRead finds the stream of an XINFO subcommand. When there is none, that is the reply and s is nil.
func (c *Ctx) xinfoRead() (s *stream.Stream) {
	s, failed := c.streamRead(2)
	if s == nil && !failed {
		c.Reply.Error(MsgNoKey)
	}
	return s
}

func (c *Ctx) xinfoInt(field string, n int64) {
	c.Reply.BulkString(field)
	c.Reply.Int(n)
}

func (c *Ctx) xinfoID(field string, id stream.ID) {
	c.Reply.BulkString(field)
	c.streamID(id)
}

func (c *Ctx) xinfoName(name string) {
	c.Reply.BulkString("name")
	c.Reply.BulkString(name)
}

// xinfoReads replies how many entries a group has read, and how many are left.
func (c *Ctx) xinfoReads(g *stream.Group) {
	c.Reply.BulkString("entries-read")
	if n := g.EntriesRead(); n != stream.UnknownReads {
		c.Reply.Int(n)
	} else {
		c.Reply.Null()
	}
	c.Reply.BulkString("lag")
	if n, ok := g.Lag(); ok {
		c.Reply.Int(n)
	} else {
		c.Reply.Null()
	}
}

func xinfoConsumersCommand(c *Ctx) {
	s := c.xinfoRead()
	if s == nil {
		return
	}
	g := s.Group(c.Args[3])
	if g == nil {
		c.streamNoGroupIn(c.Args[2], c.Args[3])
		return
	}
	c.Reply.Array(g.Consumers())
	for i := range g.Consumers() {
		consumer := g.ConsumerAt(i)
		inactive := int64(-1)
		if at := consumer.ActiveMs(); at != -1 {
			inactive = c.NowMs - at
		}
		c.Reply.Map(4)
		c.xinfoName(consumer.Name())
		c.xinfoInt("pending", int64(consumer.Pending()))
		c.xinfoInt("idle", max(c.NowMs-consumer.SeenMs(), 0))
		c.xinfoInt("inactive", inactive)
	}
}

func xinfoGroupsCommand(c *Ctx) {
	s := c.xinfoRead()
	if s == nil {
		return
	}
	c.Reply.Array(s.Groups())
	for i := range s.Groups() {
		g := s.GroupAt(i)
		c.Reply.Map(6)
		c.xinfoName(g.Name())
		c.xinfoInt("consumers", int64(g.Consumers()))
		c.xinfoInt("pending", int64(g.Pending()))
		c.xinfoID("last-delivered-id", g.LastID())
		c.xinfoReads(g)
	}
}

// xinfoFull reads the options of XINFO STREAM: whether all is wanted, and how many of each kind, 0 for no limit. msg is
// the mistake in them, if there is one; bad tells that the words are not those of the subcommand.
func xinfoFull(args [][]byte) (full bool, count int64, msg string, bad bool) {
	n := len(args)
	if n == 3 {
		return false, 0, "", false
	}
	if n != 4 && n != 6 || !equalFold(args[3], "FULL") || n == 6 && !equalFold(args[4], "COUNT") {
		return false, 0, "", true
	}
	const usual = 10
	if n == 4 {
		return true, usual, "", false
	}
	count, ok := resp.ParseInt(args[5])
	if !ok {
		return false, 0, MsgNotInt, false
	}
	if count < 0 {
		count = usual
	}
	return true, count, "", false
}

func xinfoStreamHeavy(c *Ctx) bool {
	s := c.streamPeek(2)
	if s == nil {
		return false
	}
	if s.Blocks() > heavyElements {
		return true // the number of nodes takes a look at every block
	}
	full, count, _, _ := xinfoFull(c.Args)
	if !full {
		return false
	}
	listed := func(n, lists int) int { // of n things in so many lists
		if count > 0 && count <= heavyElements {
			n = min(n, int(count)*lists)
		}
		return n
	}
	n := 4 * listed(s.Len(), 1)
	for i := 0; i < s.Groups() && n <= heavyElements; i++ {
		g := s.GroupAt(i)
		n += 1 + g.Consumers() + listed(g.Pending(), 1) + listed(g.Pending(), g.Consumers())
	}
	return n > heavyElements
}

// xinfoGroupsHeavy, xinfoConsumersHeavy tell whether the list is long.
func xinfoGroupsHeavy(c *Ctx) bool {
	s := c.streamPeek(2)
	return s != nil && s.Groups() > heavyElements/4
}

func xinfoConsumersHeavy(c *Ctx) bool {
	s := c.streamPeek(2)
	if s == nil {
		return false
	}
	g := s.Group(c.Args[3])
	return g != nil && g.Consumers() > heavyElements/4
}

func xinfoStreamCommand(c *Ctx) {
	s := c.xinfoRead()
	if s == nil {
		return
	}
	full, count, msg, bad := xinfoFull(c.Args)
	switch {
	case bad:
		c.streamBadSubcommand()
		return
	case msg != "":
		c.Reply.Error(msg)
		return
	case full:
		c.Reply.Map(9)
	default:
		c.Reply.Map(10)
	}
	c.xinfoInt("length", int64(s.Len()))
	c.xinfoInt("radix-tree-keys", int64(s.Blocks()))
	c.xinfoInt("radix-tree-nodes", int64(s.RadixNodes()))
	c.xinfoID("last-generated-id", s.LastID())
	c.xinfoID("max-deleted-entry-id", s.MaxDeletedID())
	c.xinfoInt("entries-added", s.EntriesAdded())
	c.xinfoID("recorded-first-entry-id", s.FirstID())
	if full {
		c.Reply.BulkString("entries")
		c.streamEntries(s, stream.ID{}, stream.MaxID, count, false)
		c.Reply.BulkString("groups")
		c.Reply.Array(s.Groups())
		for i := range s.Groups() {
			c.xinfoFullGroup(s.GroupAt(i), count)
		}
		return
	}
	c.xinfoInt("groups", int64(s.Groups()))
	c.Reply.BulkString("first-entry")
	c.xinfoEntry(s.Range(stream.ID{}, stream.MaxID))
	c.Reply.BulkString("last-entry")
	c.xinfoEntry(s.RangeReverse(stream.ID{}, stream.MaxID))
}

// xinfoEntry replies the next entry, null when there is none.
func (c *Ctx) xinfoEntry(it stream.Iter) {
	if it.Next() {
		c.streamEntry(&it)
	} else {
		c.Reply.Null()
	}
}

// xinfoFullGroup replies all about a group, but at most count of its pending entries and of each consumer's.
func (c *Ctx) xinfoFullGroup(g *stream.Group, count int64) {
	c.Reply.Map(7)
	c.xinfoName(g.Name())
	c.xinfoID("last-delivered-id", g.LastID())
	c.xinfoReads(g)
	c.xinfoInt("pel-count", int64(g.Pending()))
	it := g.RangePending(stream.ID{}, stream.MaxID)
	for n := c.xinfoPending(g.Pending(), count); n > 0 && it.Next(); n-- {
		p := it.Pending()
		c.Reply.Array(4)
		c.streamID(p.ID)
		c.Reply.BulkString(p.Consumer.Name())
		c.Reply.Int(p.DeliveredMs)
		c.Reply.Int(p.Deliveries)
	}
	c.Reply.BulkString("consumers")
	c.Reply.Array(g.Consumers())
	for i := range g.Consumers() {
		consumer := g.ConsumerAt(i)
		c.Reply.Map(5)
		c.xinfoName(consumer.Name())
		c.xinfoInt("seen-time", consumer.SeenMs())
		c.xinfoInt("active-time", consumer.ActiveMs())
		c.xinfoInt("pel-count", int64(consumer.Pending()))
		it := consumer.RangePending(stream.ID{}, stream.MaxID)
		for n := c.xinfoPending(consumer.Pending(), count); n > 0 && it.Next(); n-- {
			p := it.Pending()
			c.Reply.Array(3)
			c.streamID(p.ID)
			c.Reply.Int(p.DeliveredMs)
			c.Reply.Int(p.Deliveries)
		}
	}
}

// xinfoPending begins a list of pending entries and returns how many are to follow: at most count, 0 for all.
func (c *Ctx) xinfoPending(pending int, count int64) (n int) {
	n = pending
	if count > 0 {
		n = int(min(int64(n), count))
	}
	c.Reply.BulkString("pending")
	c.Reply.Array(n)
	return n
}
