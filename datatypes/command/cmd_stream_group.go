package command

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/troupe-db/troupe/datatypes/stream"
)

// XGROUP manages consumer groups.
var xgroupSpec = Spec{
	Name: "xgroup", Group: GroupStream, Since: "5.0.0", Arity: -2,
	Summary:    "Manages the consumer groups of streams.",
	Categories: NoCategory,
	Help: []string{
		"CREATE <key> <groupname> <id|$> [option]",
		"    Create a group that starts after <id>, $ being the last ID. Options are:",
		"    * MKSTREAM",
		"      Create the stream too when there is none.",
		"    * ENTRIESREAD entries_read",
		"      Set how many entries count as read (internal use).",
		"CREATECONSUMER <key> <groupname> <consumer>",
		"    Create a consumer in a group.",
		"DELCONSUMER <key> <groupname> <consumer>",
		"    Remove a consumer with what is pending for it.",
		"DESTROY <key> <groupname>",
		"    Remove a group with its consumers.",
		"SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
		"    Set the last ID that counts as delivered, and how many entries do.",
	},
	Subcommands: []*Spec{
		{
			Name: "create", Since: "5.0.0", Complexity: "O(1)", Arity: -5,
			Summary: "Creates a consumer group.",
			History: [][2]string{{"7.0.0", "Option `ENTRIESREAD`."}},
			Flags:   Write | DenyOOM,
			Keys:    KeySpecs{At(2).Flags(RW | Insert)},
			Syntax:  `key group id-selector:<id|new-id:"$"> [MKSTREAM] [ENTRIESREAD entriesread:integer(entries-read)]`,
			Run:     xgroupCreateCommand,
		},
		{
			Name: "createconsumer", Since: "6.2.0", Complexity: "O(1)", Arity: 5,
			Summary: "Creates a consumer in a consumer group.",
			Flags:   Write | DenyOOM,
			Keys:    KeySpecs{At(2).Flags(RW | Insert)},
			Syntax:  "key group consumer",
			Run:     xgroupCreateconsumerCommand,
		},
		{
			Name: "delconsumer", Since: "5.0.0", Complexity: "O(N) for N entries pending for the consumer", Arity: 5,
			Summary: "Removes a consumer from a consumer group, with what is pending for it.",
			Flags:   Write,
			Keys:    KeySpecs{At(2).Flags(RW | Delete)},
			Syntax:  "key group consumer",
			Heavy:   xgroupHeavy,
			Run:     xgroupDelconsumerCommand,
		},
		{
			Name: "destroy", Since: "5.0.0", Complexity: "O(N) for N entries pending in the group", Arity: 4,
			Summary: "Removes a consumer group.",
			Flags:   Write,
			Keys:    KeySpecs{At(2).Flags(RW | Delete)},
			Syntax:  "key group",
			Heavy:   xgroupHeavy,
			Run:     xgroupDestroyCommand,
		},
		{
			Name: "help", Since: "5.0.0", Complexity: "O(1)", Arity: 2,
			Summary: "Explains the subcommands.",
			Flags:   Loading | Stale,
			Scope:   ScopeLocal,
			Run:     HelpCommand,
		},
		{
			Name: "setid", Since: "5.0.0", Complexity: "O(1)", Arity: -5,
			Summary: "Sets the last ID that a consumer group counts as delivered.",
			History: [][2]string{{"7.0.0", "Option `ENTRIESREAD`."}},
			Flags:   Write,
			Keys:    KeySpecs{At(2).Flags(RW | Update)},
			Syntax:  `key group id-selector:<id|new-id:"$"> [ENTRIESREAD entriesread:integer(entries-read)]`,
			Run:     xgroupSetidCommand,
		},
	},
}

// streamBadSubcommand replies that the words after a subcommand are not what it takes.
func (c *Ctx) streamBadSubcommand() {
	name := c.Args[1][:min(len(c.Args[1]), 128)]
	c.Reply.Error("ERR unknown subcommand or wrong number of arguments for '" + string(name) + "'. Try " +
		strings.ToUpper(c.Spec.Container.Name) + " HELP.")
}

// streamName returns a name as errors show it: up to a NUL.
func streamName(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

// streamNoGroup replies that there is no such key or group, in the words of those commands that do not tell which.
func (c *Ctx) streamNoGroup(key, group []byte, where string) {
	c.Reply.Error("NOGROUP No such key '" + streamName(key) + "' or consumer group '" + streamName(group) + "'" + where)
}

// streamNoGroupIn replies that the stream has no such group.
func (c *Ctx) streamNoGroupIn(key, group []byte) {
	c.Reply.Error("NOGROUP No such consumer group '" + streamName(group) + "' for key name '" + streamName(key) + "'")
}

// xgroupSite finds the stream of an XGROUP subcommand, and its group g, nil when there is none. Errors are replied and ok
// is false: no stream, unless optional, or no group, if that is needed.
func (c *Ctx) xgroupSite(optional, needGroup bool) (at streamSite, g *stream.Group, ok bool) {
	at, failed := c.streamWrite(2)
	if failed {
		return at, nil, false
	}
	if at.s == nil {
		if !optional {
			c.Reply.Error("ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to " +
				"use the MKSTREAM option to create an empty stream automatically.")
		}
		return at, nil, optional
	}
	if g = at.s.Group(c.Args[3]); g == nil && needGroup {
		c.streamNoGroupIn(c.Args[2], c.Args[3])
		return at, nil, false
	}
	return at, g, true
}

// xgroupHeavy tells whether the group has so many pending entries that dropping them takes long.
func xgroupHeavy(c *Ctx) bool {
	s := c.streamPeek(2)
	if s == nil {
		return false
	}
	g := s.Group(c.Args[3])
	return g != nil && g.Pending()+g.Consumers() > heavyElements
}

// xgroupOptions reads what follows the ID in XGROUP CREATE and SETID. Mistakes are replied and ok is false.
func (c *Ctx) xgroupOptions(create bool) (mkStream bool, reads int64, ok bool) {
	reads = stream.UnknownReads
	w := c.words(5)
	for w.more() {
		switch {
		case create && w.is("MKSTREAM"):
			mkStream = true
		case w.has("ENTRIESREAD", 1):
			if reads = w.int(); reads < 0 && reads != stream.UnknownReads {
				w.fail("ERR value for ENTRIESREAD must be positive or -1")
			}
		default:
			c.streamBadSubcommand()
			return false, 0, false
		}
	}
	return mkStream, reads, !w.failed(c)
}

func xgroupCreateCommand(c *Ctx) {
	mkStream, reads, ok := c.xgroupOptions(true)
	if !ok {
		return
	}
	at, _, ok := c.xgroupSite(mkStream, false)
	if !ok {
		return
	}
	if len(c.Args) > 8 {
		c.streamBadSubcommand()
		return
	}
	var id stream.ID
	if string(c.Args[4]) != "$" {
		if id, ok = c.streamIDArg(4); !ok {
			return
		}
	} else if at.s != nil {
		id = at.s.LastID()
	}
	if at.s == nil {
		at.create(stream.New(at.db.ArenaFor(0)))
		at.db.Touched(at.k.B)
	}
	at.edit()
	if at.s.CreateGroup(c.Args[3], id, reads) == nil {
		c.Reply.Error("BUSYGROUP Consumer Group name already exists")
		return
	}
	at.grown()
	c.Reply.OK()
	c.streamEvent(at.k, "xgroup-create")
}

func xgroupSetidCommand(c *Ctx) {
	_, reads, ok := c.xgroupOptions(false)
	if !ok {
		return
	}
	at, g, ok := c.xgroupSite(false, true)
	if !ok {
		return
	}
	if len(c.Args) > 7 {
		c.streamBadSubcommand()
		return
	}
	id := at.s.LastID()
	if string(c.Args[4]) != "$" {
		if id, ok = stream.ParseID(c.Args[4], 0); !ok {
			c.Reply.Error(msgStreamID)
			return
		}
	}
	at.edit()
	g.SetLastID(id)
	g.SetEntriesRead(reads)
	c.Reply.OK()
	c.streamEvent(at.k, "xgroup-setid")
}

func xgroupDestroyCommand(c *Ctx) {
	at, g, ok := c.xgroupSite(false, false)
	switch {
	case !ok:
	case g == nil:
		c.Reply.Int(0)
	default:
		at.edit()
		at.s.DestroyGroup(c.Args[3])
		c.Reply.Int(1)
		c.streamEvent(at.k, "xgroup-destroy")
		at.db.Signal(at.k.B) // who waits for entries of the group is to learn of it
	}
}

func xgroupCreateconsumerCommand(c *Ctx) {
	at, g, ok := c.xgroupSite(false, true)
	switch {
	case !ok:
	case g.Consumer(c.Args[4]) != nil:
		c.Reply.Int(0)
	default:
		at.edit()
		g.CreateConsumer(c.Args[4], c.NowMs)
		at.grown()
		c.Reply.Int(1)
		c.streamEvent(at.k, "xgroup-createconsumer")
	}
}

func xgroupDelconsumerCommand(c *Ctx) {
	at, g, ok := c.xgroupSite(false, true)
	if !ok {
		return
	}
	consumer := g.Consumer(c.Args[4])
	if consumer == nil {
		c.Reply.Int(0)
		return
	}
	at.edit()
	n := g.DeleteConsumer(consumer)
	c.Reply.Int(int64(n))
	c.streamEvent(at.k, "xgroup-delconsumer")
}

// XACK takes entries off a group's list of pending ones. It has no event.
var xackSpec = Spec{
	Name: "xack", Group: GroupStream, Since: "5.0.0", Arity: -4,
	Complexity: "O(log(N)) for each ID in a group of N pending entries",
	Summary:    "Acknowledges entries that a consumer group has delivered.",
	Flags:      Write | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Update)},
	Syntax:     "key group id...",
	HeavyWords: heavyKeys,
	Run:        xackCommand,
}

func xackCommand(c *Ctx) {
	at, failed := c.streamReadSite(1)
	if failed {
		return
	}
	var g *stream.Group
	if at.s != nil {
		g = at.s.Group(c.Args[2])
	}
	if g == nil {
		c.Reply.Int(0)
		return
	}
	var room [streamFewIDs]stream.ID
	ids, ok := c.streamIDArgs(3, room[:])
	if !ok {
		return
	}
	at.edit()
	n := 0
	for _, id := range ids {
		if g.Remove(id) {
			n++
		}
	}
	c.Dirty(n)
	c.Reply.Int(int64(n))
}

// XPENDING replies what is pending in a group: a summary or, with an interval, the entries.
var xpendingSpec = Spec{
	Name: "xpending", Group: GroupStream, Since: "5.0.0", Arity: -3,
	Complexity: "O(N) for N consumers or, with an interval, N entries looked at",
	Summary:    "Returns what is pending in a consumer group.",
	History:    [][2]string{{"6.2.0", "Option `IDLE` and exclusive ends."}},
	Flags:      ReadOnly,
	Keys:       KeySpecs{At(1).Flags(RO | Access)},
	Syntax:     "key group [filters:{[IDLE min-idle-time:integer@6.2.0] start end count:integer [consumer]}]",
	Tips:       []string{"nondeterministic_output"},
	Heavy:      xpendingHeavy,
	Run:        xpendingCommand,
}

// xpendingQuery is which entries XPENDING replies.
type xpendingQuery struct {
	minIdleMs   int64
	first, last stream.ID
	count       int64
	oneConsumer bool
	consumer    []byte
}

// parse reads what follows the group. msg is the mistake in it, if there is one.
func (q *xpendingQuery) parse(args [][]byte) (msg string) {
	if len(args) < 6 || len(args) > 9 {
		return MsgSyntax
	}
	w := words{rest: args[3:]}
	if w.is("IDLE") {
		q.minIdleMs = w.int()
		if w.err == "" && len(args) < 8 {
			w.syntax()
		}
	}
	if w.err != "" {
		return w.err
	}
	start, end := w.next(), w.next()
	q.count = max(w.int(), 0)
	if w.err != "" {
		return w.err
	}
	q.first, q.last, msg = streamInterval(start, end)
	if w.more() {
		q.oneConsumer, q.consumer = true, w.next()
	}
	return msg
}

func xpendingHeavy(c *Ctx) bool {
	s := c.streamPeek(1)
	if s == nil {
		return false
	}
	g := s.Group(c.Args[2])
	if g != nil && len(c.Args) == 3 {
		return g.Consumers() > heavyElements
	}
	var q xpendingQuery
	return g != nil && g.Pending() > heavyElements && q.parse(c.Args) == "" &&
		(q.minIdleMs != 0 || q.count > heavyElements)
}

func xpendingCommand(c *Ctx) {
	var q xpendingQuery
	if len(c.Args) != 3 {
		if msg := q.parse(c.Args); msg != "" {
			c.Reply.Error(msg)
			return
		}
	}
	s, failed := c.streamRead(1)
	if failed {
		return
	}
	var g *stream.Group
	if s != nil {
		g = s.Group(c.Args[2])
	}
	switch {
	case g == nil:
		c.streamNoGroup(c.Args[1], c.Args[2], "")
	case len(c.Args) == 3:
		xpendingSummary(c, g)
	default:
		xpendingEntries(c, g, &q)
	}
}

// xpendingSummary replies how many entries are pending, the first and the last one, and the consumers that have some.
func xpendingSummary(c *Ctx, g *stream.Group) {
	c.Reply.Array(4)
	c.Reply.Int(int64(g.Pending()))
	first, ok := g.FirstPending()
	if !ok {
		c.Reply.Null()
		c.Reply.Null()
		c.Reply.NullArray()
		return
	}
	last, _ := g.LastPending()
	c.streamID(first)
	c.streamID(last)
	busy := 0
	for i := range g.Consumers() {
		if g.ConsumerAt(i).Pending() > 0 {
			busy++
		}
	}
	c.Reply.Array(busy)
	for i := range g.Consumers() {
		if consumer := g.ConsumerAt(i); consumer.Pending() > 0 {
			c.Reply.Array(2)
			c.Reply.BulkString(consumer.Name())
			var text [20]byte
			c.Reply.Bulk(strconv.AppendInt(text[:0], int64(consumer.Pending()), 10))
		}
	}
}

// xpendingEntries replies the entries that q asks for.
func xpendingEntries(c *Ctx, g *stream.Group, q *xpendingQuery) {
	it := g.RangePending(q.first, q.last)
	if q.oneConsumer {
		consumer := g.Consumer(q.consumer)
		if consumer == nil {
			c.Reply.Array(0)
			return
		}
		it = consumer.RangePending(q.first, q.last)
	}
	counted, n := it, int64(0)
	for n < q.count && q.next(&counted, c.NowMs) {
		n++
	}
	c.Reply.Array(int(n))
	for ; n > 0 && q.next(&it, c.NowMs); n-- {
		p := it.Pending()
		c.Reply.Array(4)
		c.streamID(p.ID)
		c.Reply.BulkString(p.Consumer.Name())
		c.Reply.Int(max(c.NowMs-p.DeliveredMs, 0))
		c.Reply.Int(p.Deliveries)
	}
}

// next goes to the next entry that has been idle for long enough.
func (q *xpendingQuery) next(it *stream.PendingIter, nowMs int64) bool {
	for it.Next() {
		if q.minIdleMs == 0 || nowMs-it.Pending().DeliveredMs >= q.minIdleMs {
			return true
		}
	}
	return false
}
