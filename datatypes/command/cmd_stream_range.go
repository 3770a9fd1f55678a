package command

import (
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/datatypes/stream"
)

// XLEN replies the number of entries.
var xlenSpec = Spec{
	Name: "xlen", Group: GroupStream, Since: "5.0.0", Complexity: "O(1)", Arity: 2,
	Summary: "Returns the number of entries of a stream.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO)},
	Syntax:  "key",
	Run:     xlenCommand,
}

func xlenCommand(c *Ctx) {
	s, failed := c.streamRead(1)
	switch {
	case failed:
	case s == nil:
		c.Reply.Int(0)
	default:
		c.Reply.Int(int64(s.Len()))
	}
}

// XRANGE replies the entries between two IDs, in their order.
var xrangeSpec = Spec{
	Name: "xrange", Group: GroupStream, Since: "5.0.0", Arity: -4,
	Complexity: "O(log(N)+M) for N entries in the stream and M in the reply",
	Summary:    "Returns the entries of a stream between two IDs.",
	History:    [][2]string{{"6.2.0", "Exclusive ends."}},
	Flags:      ReadOnly,
	Keys:       KeySpecs{At(1).Flags(RO | Access)},
	Syntax:     "key start end [COUNT count:integer]",
	Heavy:      func(c *Ctx) bool { return xrangeHeavy(c, 2, 3) },
	Run:        func(c *Ctx) { xrangeEither(c, 2, 3) },
}

// XREVRANGE is XRANGE from the end to the start.
var xrevrangeSpec = Spec{
	Name: "xrevrange", Group: GroupStream, Since: "5.0.0", Arity: -4,
	Complexity: "O(log(N)+M) for N entries in the stream and M in the reply",
	Summary:    "Returns the entries of a stream between two IDs, last one first.",
	History:    [][2]string{{"6.2.0", "Exclusive ends."}},
	Flags:      ReadOnly,
	Keys:       KeySpecs{At(1).Flags(RO | Access)},
	Syntax:     "key end start [COUNT count:integer]",
	Heavy:      func(c *Ctx) bool { return xrangeHeavy(c, 3, 2) },
	Run:        func(c *Ctx) { xrangeEither(c, 3, 2) },
}

// streamInterval reads two words as the ends of an interval, both of which belong to it. msg is the mistake in them.
func streamInterval(start, end []byte) (first, last stream.ID, msg string) {
	first, exclusive, ok := stream.ParseBound(start, 0)
	if !ok {
		return first, last, msgStreamID
	}
	if exclusive {
		if first, ok = first.Next(); !ok {
			return first, last, msgStreamStart
		}
	}
	last, exclusive, ok = stream.ParseBound(end, stream.MaxID.Seq)
	if !ok {
		return first, last, msgStreamID
	}
	if exclusive {
		if last, ok = last.Prev(); !ok {
			return first, last, msgStreamEnd
		}
	}
	return first, last, ""
}

// xrangeEither runs XRANGE and XREVRANGE, whose interval starts at Args[start] and ends at Args[end].
func xrangeEither(c *Ctx, start, end int) {
	first, last, msg := streamInterval(c.Args[start], c.Args[end])
	if msg != "" {
		c.Reply.Error(msg)
		return
	}
	limit := int64(-1)
	w := c.words(4)
	for w.more() {
		if w.has("COUNT", 1) {
			limit = max(w.int(), 0)
		} else {
			w.syntax()
		}
	}
	if w.failed(c) {
		return
	}
	s, failed := c.streamRead(1)
	switch {
	case failed:
	case s == nil:
		c.Reply.Array(0)
	case limit == 0:
		c.Reply.NullArray()
	case start > end:
		c.streamEntries(s, first, last, max(limit, 0), true)
	default:
		c.streamEntries(s, first, last, max(limit, 0), false)
	}
}

func xrangeHeavy(c *Ctx, start, end int) bool {
	s := c.streamPeek(1)
	if s == nil {
		return false
	}
	if len(c.Args) == 6 {
		w := c.words(5)
		if n := w.int(); w.err == "" && n <= heavyElements/16 {
			return false
		}
	}
	first, last, msg := streamInterval(c.Args[start], c.Args[end])
	return msg == "" && streamExceeds(s, first, last)
}

// streamEntries replies the entries of s from first to last, at most limit of them (0 for all), from the end when reverse.
func (c *Ctx) streamEntries(s *stream.Stream, first, last stream.ID, limit int64, reverse bool) {
	it := s.Range(first, last)
	if reverse {
		it = s.RangeReverse(first, last)
	}
	list := c.streamList(s, first, last, limit)
	for ; list.more() && it.Next(); list.n++ {
		c.streamEntry(&it)
	}
	list.end()
}

// streamList is a list of entries that is being replied.
type streamList struct {
	c     *Ctx
	n     int64 // entries so far
	limit int64 // at most so many, 0 for all
	mark  int   // where a list begins whose length was not known, else -1
}

// streamList begins the list of the entries of s from first to last, at most limit of them.
func (c *Ctx) streamList(s *stream.Stream, first, last stream.ID, limit int64) streamList {
	// Counting goes by the block and lets a long reply leave in pieces; for a short one it is not worth it.
	const short = 64
	if limit > 0 && limit <= short {
		return streamList{c: c, limit: limit, mark: c.Reply.StartDeferred()}
	}
	total := streamCountRange(s, first, last)
	if limit > 0 {
		total = min(total, limit)
	}
	c.Reply.Array(int(total))
	return streamList{c: c, limit: limit, mark: -1}
}

// more tells whether one more entry is wanted.
func (l *streamList) more() bool { return l.limit == 0 || l.n < l.limit }

// end is to be called after the last entry.
func (l *streamList) end() {
	if l.mark >= 0 {
		l.c.Reply.EndDeferredArray(l.mark, int(l.n))
	}
}

// streamEntry replies the entry where it stands.
func (c *Ctx) streamEntry(it *stream.Iter) {
	c.Reply.Array(2)
	c.streamID(it.ID())
	n := it.Pairs()
	c.Reply.Array(2 * n)
	for ; n > 0; n-- {
		field, value := it.Pair()
		c.Reply.Bulk(field)
		c.Reply.Bulk(value)
	}
}

// streamFinder finds entries by ID, quickly when the IDs ascend in small steps, as those of a list of pending entries do:
// to look one up by itself means to go through half a block.
type streamFinder struct {
	s    *stream.Stream
	it   stream.Iter
	last stream.ID // looked for last
	ok   bool      // it stands on the first entry from last on
}

// find returns an iterator that stands on the entry with this ID, whose pairs have not been read; ok is false when there
// is none.
func (f *streamFinder) find(id stream.ID) (it *stream.Iter, ok bool) {
	const near = 16 // steps that cost less than to start anew
	for n := 0; f.ok && n < near && f.it.ID().Less(id); n++ {
		f.ok = f.it.Next()
	}
	if !f.ok || !f.last.Less(id) || f.it.ID().Less(id) {
		f.it = f.s.Range(id, stream.MaxID)
		f.ok = f.it.Next()
	}
	f.last = id
	return &f.it, f.ok && f.it.ID() == id
}

// streamCountRange returns the number of entries from first to last. Blocks that lie within are not looked into.
func streamCountRange(s *stream.Stream, first, last stream.ID) (n int64) {
	if s.LastID().Less(last) {
		last = s.LastID()
	}
	if first.Less(s.FirstID()) {
		first = s.FirstID()
	}
	if s.Len() == 0 || last.Less(first) {
		return 0
	}
	if first == s.FirstID() && last == s.LastID() {
		return int64(s.Len())
	}
	// Of each block is known whether it lies within when the next one is seen. Up to the first block that starts in the
	// range, and from the last one on, entries are counted one by one.
	from, size, seen := first, int64(0), false
	s.EachBlock(first, func(start stream.ID, lp []byte) bool {
		if last.Less(start) {
			return false
		}
		if seen {
			n += size
		} else if before, ok := start.Prev(); ok {
			n += streamCountEach(s, first, before)
		}
		from, size, seen = start, streamBlockLen(lp), true
		return true
	})
	if seen && last == s.LastID() {
		return n + size
	}
	return n + streamCountEach(s, from, last)
}

func streamCountEach(s *stream.Stream, first, last stream.ID) (n int64) {
	for it := s.Range(first, last); it.Next(); {
		n++
	}
	return n
}

// streamBlockLen returns the number of entries of a block: its first element, see package stream.
func streamBlockLen(lp []byte) int64 {
	_, n, _ := listpack.Get(lp, listpack.First(lp))
	return n
}

// streamExceeds tells whether so many entries lie from first to last, or such large ones, that going through them is not
// for an event loop. It counts whole blocks: those that start in the range.
func streamExceeds(s *stream.Stream, first, last stream.ID) bool {
	if s.Len() == 0 || last.Less(first) || s.LastID().Less(first) {
		return false
	}
	if s.Len()/s.Blocks() > heavyElements {
		return true // the limits of blocks are set so high that blocks say nothing
	}
	entries, size := int64(0), 0
	s.EachBlock(first, func(start stream.ID, lp []byte) bool {
		if last.Less(start) {
			return false
		}
		entries += streamBlockLen(lp)
		size += len(lp)
		return entries <= heavyElements && size <= heavyBytes
	})
	return entries > heavyElements || size > heavyBytes
}

// XDEL removes entries by ID. The stream stays when it was the last one.
var xdelSpec = Spec{
	Name: "xdel", Group: GroupStream, Since: "5.0.0", Arity: -3,
	Complexity: "O(log(N)) for each ID in a stream of N entries",
	Summary:    "Removes entries of a stream by ID.",
	Flags:      Write | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Delete)},
	Syntax:     "key id...",
	HeavyWords: heavyKeys,
	Run:        xdelCommand,
}

func xdelCommand(c *Ctx) {
	at, failed := c.streamWrite(1)
	if failed {
		return
	}
	if at.s == nil {
		c.Reply.Int(0)
		return
	}
	var room [streamFewIDs]stream.ID
	ids, ok := c.streamIDArgs(2, room[:])
	if !ok {
		return
	}
	at.edit()
	n := 0
	for _, id := range ids {
		if at.s.Delete(id) {
			n++
		}
	}
	if n > 0 {
		c.Changed(at.k, keyspace.EventStream, "xdel")
		c.Dirty(n - 1)
	}
	c.Reply.Int(int64(n))
}

// XSETID sets the counters of a stream, for those who restore one from elsewhere.
var xsetidSpec = Spec{
	Name: "xsetid", Group: GroupStream, Since: "5.0.0", Complexity: "O(1)", Arity: -3,
	Summary: "Sets the last ID of a stream and, if wanted, its other counters.",
	History: [][2]string{{"7.0.0", "Options `ENTRIESADDED` and `MAXDELETEDID`."}},
	Flags:   Write | DenyOOM | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Update)},
	Syntax:  "key last-id [ENTRIESADDED entries-added:integer@7.0.0] [MAXDELETEDID max-deleted-id@7.0.0]",
	Run:     xsetidCommand,
}

func xsetidCommand(c *Ctx) {
	id, ok := c.streamIDArg(2)
	if !ok {
		return
	}
	added := int64(-1)
	var maxDeleted stream.ID
	w := c.words(3)
	for w.more() {
		switch {
		case w.has("ENTRIESADDED", 1):
			var msg string
			if added, msg = streamCount(w.next(), "ERR entries_added must be positive"); msg != "" {
				w.fail(msg)
			}
		case w.has("MAXDELETEDID", 1):
			if maxDeleted, ok = stream.ParseStrictID(w.next(), 0); !ok {
				w.fail(msgStreamID)
			} else if id.Less(maxDeleted) {
				w.fail("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id")
			}
		default:
			w.syntax()
		}
	}
	if w.failed(c) {
		return
	}
	at, failed := c.streamWrite(1)
	switch {
	case failed:
		return
	case at.s == nil:
		c.Reply.Error(MsgNoKey)
		return
	case id.Less(at.s.MaxDeletedID()):
		c.Reply.Error("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id")
		return
	case at.s.Len() > 0 && id.Less(at.s.LastID()) && id.Less(streamTop(at.s)):
		c.Reply.Error("ERR The ID specified in XSETID is smaller than the target stream top item")
		return
	case added >= 0 && int64(at.s.Len()) > added:
		c.Reply.Error("ERR The entries_added specified in XSETID is smaller than the target stream length")
		return
	}
	at.edit()
	at.s.SetLastID(id)
	if added >= 0 {
		at.s.SetEntriesAdded(added)
	}
	if !maxDeleted.IsZero() {
		at.s.SetMaxDeletedID(maxDeleted)
	}
	c.Reply.OK()
	c.streamEvent(at.k, "xsetid")
}

// streamTop returns the ID of the last entry, 0-0 when there is none.
func streamTop(s *stream.Stream) stream.ID {
	it := s.RangeReverse(stream.ID{}, stream.MaxID)
	if !it.Next() {
		return stream.ID{}
	}
	return it.ID()
}
