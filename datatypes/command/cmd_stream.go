package command

import (
	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/stream"
)

// Texts of errors that several stream commands share.
const (
	msgStreamID    = "ERR Invalid stream ID specified as stream command argument"
	msgStreamStart = "ERR invalid start ID for the interval"
	msgStreamEnd   = "ERR invalid end ID for the interval"
)

// streamObject makes a stream a value of the keyspace.
type streamObject struct{ *stream.Stream }

// Clone implements keyspace.Object.
func (o streamObject) Clone(to *arena.Arena) keyspace.Object {
	return streamObject{o.Stream.Clone(to)}
}

// streamSite is where a stream lives, for commands that change it.
type streamSite struct {
	k  keyspace.Key
	db *keyspace.DB
	e  keyspace.Entry
	s  *stream.Stream // nil when there is no such key
}

// streamRead returns the stream at Args[i], nil when there is no such key. When another type is there, that is the reply
// and failed is true.
func (c *Ctx) streamRead(i int) (s *stream.Stream, failed bool) {
	at, failed := c.streamReadSite(i)
	return at.s, failed
}

// streamReadSite finds the stream at Args[i] by a lookup that counts as one for reading, as Redis has it for commands that
// change nothing but groups. When another type is there, that is the reply and failed is true.
func (c *Ctx) streamReadSite(i int) (at streamSite, failed bool) {
	at.k = c.Key(i)
	at.db = c.DB(at.k)
	var ok bool
	at.e, ok = at.db.LookupRead(at.k)
	return at, c.streamHere(&at, ok)
}

// streamWrite is streamReadSite for a command that changes the stream.
func (c *Ctx) streamWrite(i int) (at streamSite, failed bool) {
	at.k = c.Key(i)
	at.db = c.DB(at.k)
	var ok bool
	at.e, ok = at.db.LookupWrite(at.k)
	return at, c.streamHere(&at, ok)
}

// streamHere completes what a lookup has found.
func (c *Ctx) streamHere(at *streamSite, found bool) (failed bool) {
	switch {
	case !found:
	case at.e.Type() != keyspace.Stream:
		c.Reply.Error(MsgWrongType)
		return true
	default:
		at.s = at.db.Object(at.e).(streamObject).Stream
	}
	return false
}

// edit is to be called before the first change of the stream.
func (at *streamSite) edit() { at.db.EditObject(at.k, at.e) }

// grown is to be called after the last change of the stream when it may have become larger. Groups and consumers that
// were got from it must not be used any more.
func (at *streamSite) grown() { at.s = at.db.Settle(at.e).(streamObject).Stream }

// create makes s the value of the key, which has none.
func (at *streamSite) create(s *stream.Stream) {
	at.e = at.db.PutObject(at.k, keyspace.Stream, keyspace.StreamEnc, streamObject{s}, keyspace.NoTTL)
	at.s = s
}

// streamEvent counts a change and sends its event, without telling watchers: what happens to the groups and counters of a
// stream leaves its entries as they are.
func (c *Ctx) streamEvent(k keyspace.Key, event string) {
	c.Dirty(1)
	c.DB(k).Notify(keyspace.EventStream, event, k.B)
}

// streamID replies an ID.
func (c *Ctx) streamID(id stream.ID) {
	var text [streamIDText]byte
	c.Reply.Bulk(id.Append(text[:0]))
}

// streamIDText is the length of the longest text of an ID.
const streamIDText = 41

// streamIDArg returns Args[i] as an ID, one without a sequence number as the first of its millisecond. When it is none,
// that is the reply and ok is false.
func (c *Ctx) streamIDArg(i int) (id stream.ID, ok bool) {
	if id, ok = stream.ParseStrictID(c.Args[i], 0); !ok {
		c.Reply.Error(msgStreamID)
	}
	return id, ok
}

// streamIDArgs returns Args[from:] as IDs, in room when they fit. When one is none, that is the reply and ok is false.
func (c *Ctx) streamIDArgs(from int, room []stream.ID) (ids []stream.ID, ok bool) {
	ids = room[:0]
	if n := len(c.Args) - from; n > cap(ids) {
		ids = make([]stream.ID, 0, n)
	}
	for i := from; i < len(c.Args); i++ {
		id, ok := c.streamIDArg(i)
		if !ok {
			return nil, false
		}
		ids = append(ids, id)
	}
	return ids, true
}

// streamFewIDs is how many IDs of a command are kept without allocating.
const streamFewIDs = 8

// streamPeek returns the stream at Args[i] for Heavy; nil when there is none.
func (c *Ctx) streamPeek(i int) *stream.Stream {
	k := c.Key(i)
	db := c.DB(k)
	if e, ok := db.Peek(k); ok && e.Type() == keyspace.Stream {
		return db.Object(e).(streamObject).Stream
	}
	return nil
}
