package command

import (
	"bytes"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/stream"
	"github.com/troupe-db/troupe/netio/resp"
)

// XREAD replies what has come to streams after given IDs.
var xreadSpec = Spec{
	Name: "xread", Group: GroupStream, Since: "5.0.0", Arity: -4,
	Complexity: "O(log(N)+M) for each stream, of N entries, with M in the reply",
	Summary:    "Returns the entries of one or more streams after given IDs. Can wait for some.",
	Flags:      ReadOnly | Blocking,
	Keys:       KeySpecs{Keyword("STREAMS", 1).UpTo(-1).Limit(2).Flags(RO | Access)},
	KeysFunc:   xreadKeys,
	Syntax:     "[COUNT count:integer] [BLOCK milliseconds:integer] STREAMS streams:{key... id...}",
	Heavy:      func(c *Ctx) bool { return xreadHeavy(c, false) },
	Run:        func(c *Ctx) { xreadEither(c, false) },
}

// XREADGROUP is XREAD for a consumer of a group: new entries are pending for it from then on, older ones it gets from
// what is pending for it. It is propagated as what that changes in the group.
var xreadgroupSpec = Spec{
	Name: "xreadgroup", Group: GroupStream, Since: "5.0.0", Arity: -7,
	Complexity: "O(log(N)+M*log(P)) for each stream, of N entries, with M in the reply and P pending",
	Summary:    "Delivers new entries of one or more streams to a consumer, or repeats what is pending for it. Can wait.",
	Flags:      Write | Blocking,
	Keys:       KeySpecs{Keyword("STREAMS", 4).UpTo(-1).Limit(2).Flags(RO | Access)},
	KeysFunc:   xreadKeys,
	Syntax: "GROUP group-block:{group consumer} [COUNT count:integer] [BLOCK milliseconds:integer] [NOACK] STREAMS " +
		"streams:{key... id...}",
	Heavy: func(c *Ctx) bool { return xreadHeavy(c, true) },
	Run:   func(c *Ctx) { xreadEither(c, true) },
}

// xreadKeys finds the keys of XREAD and XREADGROUP. The word STREAMS may also be the name of a group or consumer, so the
// options before it are read.
func xreadKeys(dst []KeyRef, args [][]byte) []KeyRef {
	i := 1
	for ; i < len(args) && !equalFold(args[i], "STREAMS"); i++ {
		switch {
		case equalFold(args[i], "BLOCK"), equalFold(args[i], "COUNT"):
			i++
		case equalFold(args[i], "GROUP"):
			i += 2
		case equalFold(args[i], "NOACK"):
		default:
			return dst
		}
	}
	n := len(args) - i - 1
	if n < 2 || n%2 != 0 {
		return dst
	}
	for j := range n / 2 {
		dst = append(dst, KeyRef{Index: i + 1 + j, Flags: RO | Access})
	}
	return dst
}

// streamReader is a run of XREAD or XREADGROUP in three steps: parse; resolve, which looks at the keys; serve, which replies if
// there is anything.
type streamReader struct {
	group     bool // XREADGROUP
	groupName []byte
	consumer  []byte
	noAck     bool
	count     int64 // entries of each stream at most, 0 for all
	block     bool
	timeoutMs int64 // with block: how long to wait, 0 for ever
	first     int   // index of the first key in Args; as many IDs follow the keys
	streams   int
	few       [streamFewIDs]streamAfter // see at
	many      []streamAfter
}

// at returns what is wanted of the i-th stream. A slice of few would make readers escape to the heap.
func (r *streamReader) at(i int) *streamAfter {
	if r.many != nil {
		return &r.many[i]
	}
	return &r.few[i]
}

// streamAfter tells which entries of a stream are wanted.
type streamAfter struct {
	kind streamAfterKind
	id   stream.ID
}

type streamAfterKind uint8

const (
	streamUnresolved streamAfterKind = iota // none: the word has not been looked at
	streamAfterID                           // those after id; for XREADGROUP those that are pending for the consumer
	streamTail                              // "+": the last one
	streamNew                               // ">": those that the group has not delivered yet
)

func xreadEither(c *Ctx, group bool) {
	r := streamReader{group: group}
	if msg := r.parse(c); msg != "" {
		c.Reply.Error(msg)
		return
	}
	if group {
		c.Propagate() // the effects are those of serve, if there are any
	}
	switch {
	case !r.resolve(c) || r.serve(c):
	case !r.block:
		c.Reply.NullArray()
	default:
		r.wait(c)
	}
}

// wait makes the client wait for one of the streams.
func (r *streamReader) wait(c *Ctx) {
	if c.CanBlock() {
		// What "$" is now it remains when the command runs again.
		for i := range r.streams {
			if word := &c.Args[r.first+r.streams+i]; string(*word) == "$" {
				*word = r.at(i).id.Append(nil)
			}
		}
	}
	c.blockOr(Wait{
		First: r.first, Last: r.first + r.streams - 1, Type: keyspace.Stream, Gone: r.group, TimeoutMs: r.timeoutMs,
	}, (*resp.Writer).NullArray)
}

// parse reads the words of the command. msg is the mistake in them, if there is one.
func (r *streamReader) parse(c *Ctx) (msg string) {
	w := c.words(1)
	for r.first == 0 && w.more() {
		switch {
		case w.has("BLOCK", 1):
			r.block = true
			if r.timeoutMs, msg = parseTimeoutMs(w.next(), c.NowMs); msg != "" {
				return msg
			}
		case w.has("COUNT", 1):
			r.count = max(w.int(), 0)
		case w.has("STREAMS", 1):
			r.first = len(c.Args) - len(w.rest)
		case w.has("GROUP", 2):
			if !r.group {
				return "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."
			}
			r.groupName, r.consumer = w.next(), w.next()
		case w.is("NOACK"):
			if !r.group {
				return "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."
			}
			r.noAck = true
		default:
			w.syntax()
		}
	}
	n := len(w.rest)
	switch {
	case w.err != "":
		return w.err
	case r.first == 0:
		return MsgSyntax
	case n%2 != 0 && r.group:
		return "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."
	case n%2 != 0:
		return "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified."
	case r.group && r.groupName == nil:
		return "ERR Missing GROUP option for XREADGROUP"
	}
	if r.streams = n / 2; r.streams > len(r.few) {
		r.many = make([]streamAfter, r.streams)
	}
	return ""
}

// resolve looks at the keys and reads the IDs, "$" as what it is now. Mistakes are replied and ok is false.
func (r *streamReader) resolve(c *Ctx) (ok bool) {
	for i := range r.streams {
		if !c.Reachable(r.first + i) {
			continue
		}
		s, failed := c.streamRead(r.first + i)
		if failed {
			return false
		}
		if r.group && (s == nil || s.Group(r.groupName) == nil) {
			c.streamNoGroup(c.Args[r.first+i], r.groupName, " in XREADGROUP with GROUP option")
			return false
		}
		if msg := r.resolveID(r.at(i), c.Args[r.first+r.streams+i], s); msg != "" {
			c.Reply.Error(msg)
			return false
		}
	}
	return true
}

// resolveID reads the word that tells which entries of s are wanted. s is nil when there is no such key.
func (r *streamReader) resolveID(a *streamAfter, word []byte, s *stream.Stream) (msg string) {
	const (
		meaningless = " ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by " +
			"specifying a proper ID, or use the > ID to get new messages. The "
		empty = " ID would just return an empty result set."
	)
	symbol := byte(0)
	if len(word) == 1 {
		symbol = word[0]
	}
	switch {
	case (symbol == '$' || symbol == '+') && r.group:
		return "ERR The " + string(word) + meaningless + string(word) + empty
	case symbol == '$':
		a.kind = streamAfterID
		if s != nil {
			a.id = s.LastID()
		}
	case symbol == '+':
		a.kind = streamTail
	case symbol == '>' && !r.group:
		return "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
	case symbol == '>':
		a.kind = streamNew
	default:
		var ok bool
		if a.id, ok = stream.ParseStrictID(word, 0); !ok {
			return msgStreamID
		}
		a.kind = streamAfterID
		if r.group && a.id == stream.MaxID {
			a.kind = streamNew // Redis's own sign for ">"
		}
	}
	return ""
}

// serve replies what there is. Without anything there is no reply and ok is false.
func (r *streamReader) serve(c *Ctx) (ok bool) {
	out := streamReply{c: c, total: -1}
	switch {
	case r.streams == 1:
		out.total = 1 // if there is a reply at all
	case r.countable(c):
		out.total = 0
		for i := range r.streams {
			if r.at(i).kind != streamUnresolved && r.has(c.streamPeek(r.first+i), r.at(i)) {
				out.total++
			}
		}
	}
	for i := range r.streams {
		switch {
		case r.at(i).kind == streamUnresolved:
		case r.group:
			r.serveGroup(c, i, &out)
		default:
			r.serveStream(c, i, &out)
		}
	}
	out.end()
	return out.written > 0
}

// countable tells whether the number of streams with entries can be told before they are read. It cannot when a group
// reads the same stream twice.
func (r *streamReader) countable(c *Ctx) bool {
	if !r.group {
		return true
	}
	if r.streams > streamFewIDs {
		return false
	}
	keys := c.Args[r.first : r.first+r.streams]
	for i := range keys {
		for j := range i {
			if bytes.Equal(keys[i], keys[j]) {
				return false
			}
		}
	}
	return true
}

// start returns the ID from which on entries of s are wanted; not ok when there cannot be any.
func (r *streamReader) start(s *stream.Stream, a *streamAfter) (id stream.ID, ok bool) {
	switch {
	case s.Len() == 0:
		return id, false
	case a.kind == streamTail:
		return streamTop(s), true
	case a.kind == streamNew:
		id = s.Group(r.groupName).LastID()
	default:
		id = a.id
	}
	if !id.Less(s.LastID()) {
		return id, false // by far the most frequent case of none
	}
	return id.Next()
}

// has tells whether something is replied for the stream: entries or, of what is pending, in any case a list.
func (r *streamReader) has(s *stream.Stream, a *streamAfter) bool {
	if r.group && a.kind == streamAfterID {
		return true
	}
	if s == nil {
		return false
	}
	id, ok := r.start(s, a)
	if !ok {
		return false
	}
	it := s.Range(id, stream.MaxID)
	return it.Next()
}

// streamReply is a reply of streams with their entries.
type streamReply struct {
	c       *Ctx
	total   int // how many streams there will be, -1 when that is not known
	written int
	mark    int // where the reply begins when total is not known
}

// begin starts the part of the next stream: its list of entries is to follow.
func (o *streamReply) begin(key []byte) {
	w := o.c.Reply
	if o.written == 0 {
		switch {
		case o.total < 0:
			o.mark = w.StartDeferred()
		case w.Proto == 3:
			w.Map(o.total)
		default:
			w.Array(o.total)
		}
	}
	o.written++
	if w.Proto != 3 {
		w.Array(2)
	}
	w.Bulk(key)
}

func (o *streamReply) end() {
	switch w := o.c.Reply; {
	case o.total >= 0 || o.written == 0:
	case w.Proto == 3:
		w.EndDeferredMap(o.mark, o.written)
	default:
		w.EndDeferredArray(o.mark, o.written)
	}
}

func (r *streamReader) serveStream(c *Ctx, i int, out *streamReply) {
	s, failed := c.streamRead(r.first + i)
	if failed || s == nil || !r.has(s, r.at(i)) {
		return
	}
	id, _ := r.start(s, r.at(i))
	out.begin(c.Args[r.first+i])
	c.streamEntries(s, id, stream.MaxID, r.count, false)
}

func (r *streamReader) serveGroup(c *Ctx, i int, out *streamReply) {
	at, failed := c.streamReadSite(r.first + i)
	if failed || at.s == nil {
		return
	}
	at.edit()
	g := at.s.Group(r.groupName)
	x := streamEffects{c: c, key: at.k.B, group: r.groupName}
	consumer, created := c.streamConsumer(&at, g, r.consumer)
	if created && r.noAck {
		x.createConsumer(r.consumer)
	}
	a, n := r.at(i), int64(0)
	switch {
	case a.kind == streamAfterID:
		out.begin(at.k.B)
		n = r.repeat(c, at.s, g, consumer, a.id, &x)
	case r.has(at.s, a):
		id, _ := r.start(at.s, a)
		out.begin(at.k.B)
		n = r.deliver(c, at.s, g, consumer, id, &x)
	}
	if n > 0 {
		c.Dirty(1)
	} else if created && !r.noAck {
		// Redis leaves this out and so forgets the consumer when it starts again.
		x.createConsumer(r.consumer)
	}
	at.grown()
}

// streamConsumer returns a consumer of g, a new one if need be, and notes that it was heard of.
func (c *Ctx) streamConsumer(at *streamSite, g *stream.Group, name []byte) (consumer *stream.Consumer, created bool) {
	consumer = g.Consumer(name)
	if consumer == nil {
		consumer, created = g.CreateConsumer(name, c.NowMs), true
		c.streamEvent(at.k, "xgroup-createconsumer")
	}
	consumer.SetSeenMs(c.NowMs)
	return consumer, created
}

// deliver replies the entries from first on, as many as are wanted, makes them pending for the consumer, and returns how
// many they are.
func (r *streamReader) deliver(c *Ctx, s *stream.Stream, g *stream.Group, consumer *stream.Consumer, first stream.ID,
	x *streamEffects,
) (n int64) {
	list := c.streamList(s, first, stream.MaxID, r.count)
	before := g.LastID()
	for it := s.Range(first, stream.MaxID); list.more() && it.Next(); {
		g.Advance(it.ID())
		c.streamEntry(&it)
		list.n++
		if r.noAck {
			continue
		}
		p := stream.Pending{ID: it.ID(), Consumer: consumer, DeliveredMs: c.NowMs, Deliveries: 1}
		g.Put(p)
		consumer.SetActiveMs(c.NowMs)
		x.claim(g, p)
	}
	list.end()
	if g.LastID() != before {
		x.setID(g)
	}
	return list.n
}

// repeat replies what is pending for the consumer after an ID. An entry that is no longer in the stream has null in the
// place of its fields; the others, whose number it returns, count as delivered once more.
//
// Redis does not propagate that. Here it is, so that XPENDING tells the same after a restart.
func (r *streamReader) repeat(c *Ctx, s *stream.Stream, g *stream.Group, consumer *stream.Consumer, after stream.ID,
	x *streamEffects,
) (n int64) {
	first, _ := after.Next() // after is not MaxID: see resolveID
	it := consumer.RangePending(first, stream.MaxID)
	counted, total := it, int64(0)
	for (r.count == 0 || total < r.count) && counted.Next() {
		total++
	}
	c.Reply.Array(int(total))
	entries := streamFinder{s: s}
	for ; total > 0 && it.Next(); total-- {
		p := it.Pending()
		entry, found := entries.find(p.ID)
		if !found {
			c.Reply.Array(2)
			c.streamID(p.ID)
			c.Reply.NullArray()
			continue
		}
		c.streamEntry(entry)
		p.DeliveredMs = c.NowMs
		p.Deliveries++
		g.Put(p)
		x.claim(g, p)
		n++
	}
	return n
}

// xreadHeavy tells whether there is much to read.
func xreadHeavy(c *Ctx, group bool) bool {
	r := streamReader{group: group}
	if r.parse(c) != "" || r.count > 0 && r.count <= heavyElements/4/int64(r.streams) {
		return false
	}
	for i := range r.streams {
		s := c.streamPeek(r.first + i)
		if s == nil {
			continue
		}
		a := r.at(i)
		if r.resolveID(a, c.Args[r.first+r.streams+i], s) != "" {
			return false
		}
		if r.group {
			g := s.Group(r.groupName)
			if g == nil {
				return false
			}
			if a.kind == streamAfterID {
				if consumer := g.Consumer(r.consumer); consumer != nil && consumer.Pending() > heavyElements {
					return true
				}
				continue
			}
		}
		if id, ok := r.start(s, a); ok && a.kind != streamTail && streamExceeds(s, id, stream.MaxID) {
			return true
		}
	}
	return false
}
