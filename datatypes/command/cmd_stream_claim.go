package command

import (
	"math"
	"strconv"

	"github.com/troupe-db/troupe/datatypes/stream"
)

// XCLAIM makes pending entries those of another consumer.
var xclaimSpec = Spec{
	Name: "xclaim", Group: GroupStream, Since: "5.0.0", Arity: -6,
	Complexity: "O(log(N)) for each ID in a group of N pending entries",
	Summary:    "Makes pending entries of a consumer group those of another consumer.",
	Flags:      Write | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Update)},
	Syntax: "key group consumer min-idle-time id... [IDLE ms:integer] [TIME unix-time-milliseconds:unix-time] " +
		"[RETRYCOUNT count:integer] [FORCE] [JUSTID] [LASTID lastid]",
	Tips:       []string{"nondeterministic_output"},
	HeavyWords: heavyKeys,
	Run:        xclaimCommand,
}

// XAUTOCLAIM is XCLAIM for those entries that have been idle for a time, found in slices.
var xautoclaimSpec = Spec{
	Name: "xautoclaim", Group: GroupStream, Since: "6.2.0", Arity: -6,
	Complexity: "O(N*log(M)) for a COUNT of N in a group of M pending entries",
	Summary:    "Makes entries that have been pending for a time those of another consumer.",
	History:    [][2]string{{"7.0.0", "Entries that are no longer in the stream are taken off the list and returned."}},
	Flags:      Write | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Delete)},
	Syntax:     "key group consumer min-idle-time start [COUNT count:integer] [JUSTID]",
	Tips:       []string{"nondeterministic_output"},
	Heavy:      xautoclaimHeavy,
	Run:        xautoclaimCommand,
}

// Words of the effects of what happens in groups.
var (
	streamWordXGroup         = []byte("XGROUP")
	streamWordXClaim         = []byte("XCLAIM")
	streamWordSetID          = []byte("SETID")
	streamWordCreateConsumer = []byte("CREATECONSUMER")
	streamWordEntriesRead    = []byte("ENTRIESREAD")
	streamWordTime           = []byte("TIME")
	streamWordRetryCount     = []byte("RETRYCOUNT")
	streamWordForce          = []byte("FORCE")
	streamWordJustID         = []byte("JUSTID")
	streamWordLastID         = []byte("LASTID")
	streamWordZero           = []byte("0")
)

// streamEffects states what a command did in one group of one stream.
type streamEffects struct {
	c          *Ctx
	key, group []byte
	text       []byte // the texts of one effect
}

// room returns where to append the next text of an effect.
func (x *streamEffects) room() []byte {
	const texts = 2*streamIDText + 2*20 + 64 // the last for the name of a consumer
	if cap(x.text)-len(x.text) < streamIDText {
		x.text = make([]byte, 0, texts) // those that are in use keep the memory before this
	}
	return x.text[len(x.text):]
}

// keep returns a text that was appended to room.
func (x *streamEffects) keep(text []byte) []byte {
	if n := len(x.text) + len(text); n <= cap(x.text) {
		x.text = x.text[:n]
	}
	return text
}

func (x *streamEffects) id(id stream.ID) []byte { return x.keep(id.Append(x.room())) }

func (x *streamEffects) number(n int64) []byte { return x.keep(strconv.AppendInt(x.room(), n, 10)) }

// claim states that an entry is pending as p says, and where the group has come to. When the entry is no longer in the
// stream, repeating the effect takes it off the list.
func (x *streamEffects) claim(g *stream.Group, p stream.Pending) {
	if x.c.Journal == nil {
		return
	}
	x.text = x.text[:0]
	name := x.keep(append(x.room(), p.Consumer.Name()...))
	x.c.Propagate(streamWordXClaim, x.key, x.group, name, streamWordZero, x.id(p.ID),
		streamWordTime, x.number(p.DeliveredMs), streamWordRetryCount, x.number(p.Deliveries),
		streamWordForce, streamWordJustID, streamWordLastID, x.id(g.LastID()))
}

// setID states where the group has come to.
func (x *streamEffects) setID(g *stream.Group) {
	if x.c.Journal == nil {
		return
	}
	x.text = x.text[:0]
	x.c.Propagate(streamWordXGroup, streamWordSetID, x.key, x.group, x.id(g.LastID()),
		streamWordEntriesRead, x.number(g.EntriesRead()))
}

// createConsumer states that a consumer was created.
func (x *streamEffects) createConsumer(name []byte) {
	x.c.Propagate(streamWordXGroup, streamWordCreateConsumer, x.key, x.group, name)
}

// xclaimOptions are the words of XCLAIM after the consumer.
type xclaimOptions struct {
	minIdleMs   int64
	deliveredMs int64 // when the entries shall count as delivered
	retryCount  int64 // -1: one more than now
	force       bool
	justID      bool
	lastID      stream.ID
}

// parse reads the words. It returns the IDs, in room when they fit; msg is the mistake, if there is one.
func (o *xclaimOptions) parse(c *Ctx, room []stream.ID) (ids []stream.ID, msg string) {
	w := c.words(4)
	o.minIdleMs = w.intIn(math.MinInt64, math.MaxInt64, "ERR Invalid min-idle-time argument for XCLAIM")
	ids, o.deliveredMs, o.retryCount = room[:0], c.NowMs, -1
	for w.more() {
		id, ok := stream.ParseStrictID(w.rest[0], 0)
		if !ok {
			break // the options
		}
		ids = append(ids, id)
		w.next()
	}
	anyInt := func(what string) int64 {
		return w.intIn(math.MinInt64, math.MaxInt64, "ERR Invalid "+what+" option argument for XCLAIM")
	}
	for w.more() {
		switch {
		case w.is("FORCE"):
			o.force = true
		case w.is("JUSTID"):
			o.justID = true
		case w.has("IDLE", 1):
			o.deliveredMs = c.NowMs - anyInt("IDLE")
		case w.has("TIME", 1):
			o.deliveredMs = anyInt("TIME")
		case w.has("RETRYCOUNT", 1):
			o.retryCount = anyInt("RETRYCOUNT")
		case w.has("LASTID", 1):
			var ok bool
			if o.lastID, ok = stream.ParseStrictID(w.next(), 0); !ok {
				w.fail(msgStreamID)
			}
		default:
			w.fail("ERR Unrecognized XCLAIM option '" + streamName(w.rest[0]) + "'")
		}
	}
	// Clients compute these from clocks of their own, so what lies in the future is no mistake.
	if o.deliveredMs < 0 || o.deliveredMs > c.NowMs {
		o.deliveredMs = c.NowMs
	}
	return ids, w.err
}

func xclaimCommand(c *Ctx) {
	c.Propagate() // the effects are stated below, if there are any
	at, failed := c.streamReadSite(1)
	if failed {
		return
	}
	var g *stream.Group
	if at.s != nil {
		g = at.s.Group(c.Args[2])
	}
	if g == nil {
		c.streamNoGroup(c.Args[1], c.Args[2], "")
		return
	}
	var o xclaimOptions
	var room [streamFewIDs]stream.ID
	ids, msg := o.parse(c, room[:])
	if msg != "" {
		c.Reply.Error(msg)
		return
	}
	at.edit()
	x := streamEffects{c: c, key: at.k.B, group: c.Args[2]}
	lastMoved := g.LastID().Less(o.lastID)
	if lastMoved {
		g.SetLastID(o.lastID)
	}
	consumer, created := c.streamConsumer(&at, g, c.Args[3])
	claimed := ids[:0]
	for _, id := range ids {
		p, pending := g.Find(id)
		switch {
		case !at.s.Has(id):
			if pending {
				c.streamForget(g, p, &x)
				lastMoved = false // the effect tells that too
			}
			continue
		case pending && o.minIdleMs > 0 && c.NowMs-p.DeliveredMs < o.minIdleMs:
			continue
		case !pending && !o.force:
			continue
		case !pending:
			p = stream.Pending{ID: id, Deliveries: 1}
		}
		p.Consumer, p.DeliveredMs = consumer, o.deliveredMs
		switch {
		case o.retryCount >= 0:
			p.Deliveries = o.retryCount
		case !o.justID:
			p.Deliveries++
		}
		c.streamClaim(g, p, &x)
		lastMoved = false
		claimed = append(claimed, id)
	}
	if lastMoved {
		x.setID(g)
		c.Dirty(1)
	}
	if created && len(claimed) == 0 {
		x.createConsumer(c.Args[3])
	}
	c.streamClaimed(at.s, claimed, o.justID)
	at.grown()
}

// streamClaim makes an entry pending as p says.
func (c *Ctx) streamClaim(g *stream.Group, p stream.Pending, x *streamEffects) {
	g.Put(p)
	p.Consumer.SetActiveMs(c.NowMs)
	x.claim(g, p)
	c.Dirty(1)
}

// streamForget takes a pending entry that is no longer in the stream off the list.
func (c *Ctx) streamForget(g *stream.Group, p stream.Pending, x *streamEffects) {
	x.claim(g, p)
	g.Remove(p.ID)
	c.Dirty(1)
}

// streamClaimed replies what was claimed: the entries or just their IDs.
func (c *Ctx) streamClaimed(s *stream.Stream, ids []stream.ID, justID bool) {
	c.Reply.Array(len(ids))
	entries := streamFinder{s: s}
	for _, id := range ids {
		if justID {
			c.streamID(id)
		} else if entry, found := entries.find(id); found {
			c.streamEntry(entry)
		}
	}
}

// xautoclaimOptions are the words of XAUTOCLAIM after the consumer.
type xautoclaimOptions struct {
	minIdleMs int64
	start     stream.ID
	count     int64
	justID    bool
}

const (
	// xautoclaimTries is how many entries XAUTOCLAIM looks at for each one that it may claim.
	xautoclaimTries = 10
	// xautoclaimMax is the largest COUNT, as in Redis, which multiplies it by the size of an ID.
	xautoclaimMax = math.MaxInt64 / 16
)

// parse reads the words. msg is the mistake in them, if there is one.
func (o *xautoclaimOptions) parse(c *Ctx) (msg string) {
	w := c.words(4)
	o.minIdleMs = w.intIn(math.MinInt64, math.MaxInt64, "ERR Invalid min-idle-time argument for XAUTOCLAIM")
	if w.err != "" {
		return w.err
	}
	start, exclusive, ok := stream.ParseBound(w.next(), 0)
	if !ok {
		return msgStreamID
	}
	if exclusive {
		if start, ok = start.Next(); !ok {
			return msgStreamStart
		}
	}
	o.start, o.count = start, 100
	for w.more() {
		switch {
		case w.has("COUNT", 1):
			o.count = w.intIn(1, xautoclaimMax, "ERR COUNT must be > 0")
		case w.is("JUSTID"):
			o.justID = true
		default:
			w.syntax()
		}
	}
	return w.err
}

func xautoclaimHeavy(c *Ctx) bool {
	s := c.streamPeek(1)
	if s == nil || len(c.Args) < 8 {
		return false
	}
	g := s.Group(c.Args[2])
	var o xautoclaimOptions
	return g != nil && g.Pending() > heavyElements && o.parse(c) == "" && o.count > heavyElements/xautoclaimTries
}

func xautoclaimCommand(c *Ctx) {
	c.Propagate() // the effects are stated below, if there are any
	var o xautoclaimOptions
	if msg := o.parse(c); msg != "" {
		c.Reply.Error(msg)
		return
	}
	at, failed := c.streamReadSite(1)
	if failed {
		return
	}
	var g *stream.Group
	if at.s != nil {
		g = at.s.Group(c.Args[2])
	}
	if g == nil {
		c.streamNoGroup(c.Args[1], c.Args[2], "")
		return
	}
	at.edit()
	x := streamEffects{c: c, key: at.k.B, group: c.Args[2]}
	consumer, created := c.streamConsumer(&at, g, c.Args[3])
	var claimed, deleted []stream.ID
	entries := streamFinder{s: at.s}
	it := g.RangePending(o.start, stream.MaxID)
	for tries := o.count * xautoclaimTries; tries > 0 && o.count > 0 && it.Next(); tries-- {
		p := it.Pending()
		_, found := entries.find(p.ID)
		switch {
		case !found:
			c.streamForget(g, p, &x)
			deleted = append(deleted, p.ID)
		case o.minIdleMs > 0 && c.NowMs-p.DeliveredMs < o.minIdleMs:
			continue
		default:
			p.Consumer, p.DeliveredMs = consumer, c.NowMs
			if !o.justID {
				p.Deliveries++
			}
			c.streamClaim(g, p, &x)
			claimed = append(claimed, p.ID)
		}
		o.count--
	}
	if created && len(claimed) == 0 {
		x.createConsumer(c.Args[3])
	}
	var next stream.ID
	if it.Next() {
		next = it.ID()
	}
	c.Reply.Array(3)
	c.streamID(next)
	c.streamClaimed(at.s, claimed, o.justID)
	c.Reply.Array(len(deleted))
	for _, id := range deleted {
		c.streamID(id)
	}
	at.grown()
}
