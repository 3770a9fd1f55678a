package command

import (
	"strconv"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// Client is the connection on whose behalf a command runs. The packages above this one know what it really is.
type Client interface {
	// ID returns the number that CLIENT ID reports; 0 for none.
	ID() int64
	// SelectDB changes the database of the commands that follow.
	SelectDB(index int)
}

// Subscriber is a Client that may have subscriptions.
type Subscriber interface {
	// OnlyMessages tells whether all that the client gets has the form of messages.
	OnlyMessages() bool
}

// Journal takes the effects of commands, in the order in which they took place.
type Journal interface {
	// BeginEntry and EndEntry enclose the effects of an EXEC or a script, which are one entry. They come in pairs, one in
	// another where EXEC runs a script; a pair without effects means nothing.
	BeginEntry()
	EndEntry()
	// Append takes one command that repeats an effect; args are valid during the call.
	Append(db int, args [][]byte)
}

// Settings are the values of the server's configuration that handlers look at. They do not change under a command.
type Settings struct {
	MaxStringBytes int64  // proto-max-bulk-len: no string value grows beyond it
	LFU            bool   // maxmemory-policy counts frequencies: OBJECT FREQ works, IDLETIME does not
	LazyUserDel    bool   // DEL frees as UNLINK does
	LazyExpire     bool   // lazyfree-lazy-expire: keys with a deadline in the past are journalled as UNLINK
	UnsharedInts   bool   // maxmemory-policy looks at access times: small integers are not shared (OBJECT REFCOUNT)
	LazyUserFlush  bool   // FLUSHDB and FLUSHALL are ASYNC unless SYNC is given
	Version        string // the version of Redis that clients see

	// Up to where collections are packed, see keyspace/packed.go.
	HashMaxListpackEntries, HashMaxListpackValue int
	SetMaxIntsetEntries                          int
	SetMaxListpackEntries, SetMaxListpackValue   int
	ZSetMaxListpackEntries, ZSetMaxListpackValue int
	ListMaxListpackSize                          int // > 0 elements, < 0 a class of bytes
	ListCompressDepth                            int // chunks at each end that stay uncompressed, 0 for all
	ListPlainFrom                                int // bytes from which an element has a chunk of its own, 0: when it does not fit
	StreamNodeMaxBytes, StreamNodeMaxEntries     int
	HLLSparseMaxBytes                            int
}

// Ctx is one run of one command. A handler parses Args, looks its keys up, changes them and appends exactly one reply;
// it does so at one instant, NowMs, and never waits.
//
// Args and everything reachable through a DB alias memory that others own: a handler copies what it keeps.
type Ctx struct {
	Args  [][]byte // the command's words, its name first
	Spec  *Spec    // the subcommand's own spec for container commands
	Reply *resp.Writer
	NowMs int64 // the instant of this command, unix milliseconds
	NowUs int64 // the same in microseconds, for TIME
	// DBIndex is the number of the selected database.
	DBIndex  int
	Client   Client
	Settings *Settings
	// Rand returns 64 random bits.
	Rand func() uint64
	// Journal is nil when nobody keeps effects: a handler need not build any then.
	Journal Journal
	// Walker takes what long reads begin; where there is none they are done in one go.
	Walker Walker
	// Blocker takes commands that wait; where there is none they do not.
	Blocker Blocker
	// Within, when not 0, is the set of the shards that are at hand: a blocking command runs again on those alone.
	Within uint64
	// InScript, InMulti tell that the command is part of a script or EXEC: blocking commands do not block.
	InScript, InMulti bool

	table   *Table
	shards  []*keyspace.Shard
	hash    uint64 // hash of the first key, when hashed
	hashed  int    // index in Args of the key whose hash is known, 0 for none
	dirty   int
	effects bool     // the handler stated its effects itself
	effect  [][]byte // scratch of Propagate
	digits  [20]byte // scratch of Decimal
	text    [20]byte // scratch of Text
}

// Bind makes c ready for commands over these shards: all shards of the server in order, of which those that a command
// needs are owned by the caller while it runs.
func (c *Ctx) Bind(t *Table, shards []*keyspace.Shard) { c.table, c.shards = t, shards }

// Begin prepares c for one command. When keyIndex > 0, hash is the hash of Args[keyIndex].
func (c *Ctx) Begin(spec *Spec, args [][]byte, keyIndex int, hash uint64) {
	c.Spec, c.Args = spec, args
	c.hashed, c.hash = keyIndex, hash
	c.dirty, c.effects = 0, false
}

// Table returns the command table.
func (c *Ctx) Table() *Table { return c.table }

// Key returns Args[i] as a key.
func (c *Ctx) Key(i int) keyspace.Key {
	if i == c.hashed && i != 0 {
		return keyspace.Key{B: c.Args[i], H: c.hash}
	}
	return keyspace.MakeKey(c.Args[i])
}

// ShardOf returns which of n shards a key belongs to. The table of a shard uses the high bits of the hash, so the
// choice of the shard uses the low ones.
func ShardOf(hash uint64, n int) int { return int((hash & 0xffff) * uint64(n) >> 16) }

// DB returns the part of the selected database where k lives.
func (c *Ctx) DB(k keyspace.Key) *keyspace.DB { return c.DBAt(c.DBIndex, k) }

// DBAt returns the part of database index where k lives.
func (c *Ctx) DBAt(index int, k keyspace.Key) *keyspace.DB {
	if len(c.shards) == 1 {
		return c.shards[0].DB(index)
	}
	return c.shards[ShardOf(k.H, len(c.shards))].DB(index)
}

// Shards returns every shard, for commands whose scope is ScopeAllShards.
func (c *Ctx) Shards() []*keyspace.Shard { return c.shards }

// Databases returns how many databases there are.
func (c *Ctx) Databases() int { return c.shards[0].Databases() }

// LookupRead finds Args[i] for reading. When it holds another type than t, the WRONGTYPE error is the reply and ok is
// false with failed true. keyspace.None accepts every type.
func (c *Ctx) LookupRead(i int, t keyspace.Type) (e keyspace.Entry, ok, failed bool) {
	k := c.Key(i)
	e, ok = c.DB(k).LookupRead(k)
	return c.typed(e, ok, t)
}

// LookupWrite is LookupRead for a command that changes the value.
func (c *Ctx) LookupWrite(i int, t keyspace.Type) (e keyspace.Entry, ok, failed bool) {
	k := c.Key(i)
	e, ok = c.DB(k).LookupWrite(k)
	return c.typed(e, ok, t)
}

func (c *Ctx) typed(e keyspace.Entry, ok bool, t keyspace.Type) (keyspace.Entry, bool, bool) {
	if ok && t != keyspace.None && e.Type() != t {
		c.Reply.Error(MsgWrongType)
		return keyspace.Entry{}, false, true
	}
	return e, ok, false
}

// Changed says that the value at k changed: it counts the change, tells watchers and trackers, and sends the keyspace
// event. Call it once per changed key, in the order of Redis's events.
func (c *Ctx) Changed(k keyspace.Key, class keyspace.EventClass, event string) {
	c.dirty++
	db := c.DB(k)
	db.Touched(k.B)
	db.Notify(class, event, k.B)
}

// dropEmpty removes the key of a collection whose last element is gone, and sends the event that Redis sends then.
func (c *Ctx) dropEmpty(k keyspace.Key) {
	db := c.DB(k)
	db.Delete(k)
	db.Notify(keyspace.EventGeneric, "del", k.B)
}

// heavyElements is how many elements of a collection an event loop may go through in one command: about a millisecond.
const heavyElements = 4096

// elements returns the number of elements of the large value at Args[i], for Heavy; 0 when the value is small or not
// there.
func (c *Ctx) elements(i int) int {
	k := c.Key(i)
	db := c.DB(k)
	e, ok := db.Peek(k)
	if !ok || !e.IsObject() {
		return 0
	}
	return db.Object(e).Len()
}

// weight returns what going through n elements of the large value at Args[i] weighs, or through all if it has fewer: their
// number, or more if they are long. It is 0 when the value is small or not there.
func (c *Ctx) weight(i int, n int64) int64 {
	k := c.Key(i)
	db := c.DB(k)
	e, ok := db.Peek(k)
	if !ok || !e.IsObject() {
		return 0
	}
	o := db.Object(e)
	n = min(n, int64(o.Len()))
	return max(n, n*(o.Bytes()/max(int64(o.Len()), 1))/(heavyBytes/heavyElements))
}

// Dirty counts n changes without an event. A command whose count stays 0 is not journalled.
func (c *Ctx) Dirty(n int) { c.dirty += n }

// DirtyCount returns how many changes the command has made.
func (c *Ctx) DirtyCount() int { return c.dirty }

// Propagate states an effect in the place of the command itself, which is what is journalled otherwise. It may be
// called several times; with no argument it says that there is nothing to journal.
func (c *Ctx) Propagate(args ...[]byte) {
	c.effects = true
	if c.Journal != nil && len(args) > 0 {
		// By way of a slice of c's, args can stay on the caller's stack: stating an effect allocates nothing.
		c.effect = append(c.effect[:0], args...)
		c.Journal.Append(c.DBIndex, c.effect)
	}
}

// Decimal returns n as text, for Propagate; it is valid until the next call.
func (c *Ctx) Decimal(n int64) []byte { return strconv.AppendInt(c.digits[:0], n, 10) }

// Finish journals the command itself when it changed something and did not state its effects.
func (c *Ctx) Finish() {
	if c.Journal != nil && c.dirty > 0 && !c.effects {
		c.Journal.Append(c.DBIndex, c.Args)
	}
}

// Text returns the string value of e. It aliases the record or, when the value is an integer, memory of c's: it is
// valid until the next change of the DB and the next call.
func (c *Ctx) Text(e keyspace.Entry) []byte { return e.Bytes(c.text[:]) }

// Texts of errors that many commands share.
const (
	MsgWrongType  = "WRONGTYPE Operation against a key holding the wrong kind of value"
	MsgSyntax     = "ERR syntax error"
	MsgNotInt     = "ERR value is not an integer or out of range"
	MsgNotFloat   = "ERR value is not a valid float"
	MsgNoKey      = "ERR no such key"
	MsgOverflow   = "ERR increment or decrement would overflow"
	MsgOutOfRange = "ERR index out of range"
	MsgDBIndex    = "ERR DB index is out of range"
	MsgTooLong    = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
)
