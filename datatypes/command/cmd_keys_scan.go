package command

import (
	"bytes"
	"strconv"

	"github.com/troupe-db/troupe/datatypes/glob"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// Walks over the keys of a database.

// keyMatcher is a glob pattern taken apart as far as that saves work: most patterns are "*", a plain name or a name
// followed by a star.
type keyMatcher struct {
	pattern []byte
	prefix  []byte // what every match starts with
	kind    matchKind
}

type matchKind uint8

const (
	matchAll    matchKind = iota // every key
	matchName                    // the key prefix
	matchPrefix                  // every key that starts with prefix
	matchGlob                    // what glob says, if it starts with prefix
)

// newKeyMatcher prepares a pattern; the matcher aliases it.
func newKeyMatcher(pattern []byte) keyMatcher {
	m := keyMatcher{pattern: pattern}
	n := bytes.IndexAny(pattern, `*?[\`)
	switch {
	case n < 0:
		m.kind, m.prefix = matchName, pattern
	case len(pattern) == 1 && pattern[0] == '*':
		m.kind = matchAll
	case n > 0 && n == len(pattern)-1 && pattern[n] == '*':
		m.kind, m.prefix = matchPrefix, pattern[:n]
	default:
		m.kind, m.prefix = matchGlob, pattern[:n]
	}
	return m
}

func (m *keyMatcher) match(key []byte) bool {
	switch m.kind {
	case matchAll:
		return true
	case matchName:
		return bytes.Equal(key, m.prefix)
	case matchPrefix:
		return bytes.HasPrefix(key, m.prefix)
	}
	return bytes.HasPrefix(key, m.prefix) && glob.Match(m.pattern, key, false)
}

// KEYS returns every key that matches a pattern, as of one instant. A large database is walked through cuts, see
// keysWalk; a small one, and any within a script or EXEC, is walked in one go.
var keysSpec = Spec{
	Name: "keys", Group: GroupGeneric, Since: "1.0.0", Complexity: "O(N) for N keys in the database", Arity: 2,
	Summary:    "Returns the keys that match a pattern.",
	Flags:      ReadOnly,
	Categories: CatKeyspace | CatDangerous,
	Syntax:     "pattern:pattern",
	Tips:       []string{"request_policy:all_shards", "nondeterministic_output_order"},
	Scope:      ScopeAllShards,
	Heavy:      func(c *Ctx) bool { return !c.canWalk() && keysMany(c) }, // beginning a walk takes no time
	Run:        keysCommand,
}

// keysMany tells whether there are many keys to be looked at.
func keysMany(c *Ctx) bool {
	m := newKeyMatcher(c.Args[1])
	return m.kind != matchName && c.dbSize() > heavyKeys
}

func keysCommand(c *Ctx) {
	m := newKeyMatcher(c.Args[1])
	if m.kind == matchName {
		k := c.Key(1)
		if c.DB(k).Exists(k) {
			c.Reply.Array(1)
			c.Reply.Bulk(k.B)
		} else {
			c.Reply.Array(0)
		}
		return
	}
	if c.canWalk() && keysMany(c) {
		c.Walker.AwaitWalk(newKeysWalk(c, c.Args[1]))
		return
	}
	mark, n := c.Reply.StartDeferred(), 0
	for _, s := range c.shards {
		db := s.DB(c.DBIndex)
		db.Scan(0, db.Len(), func(e keyspace.Entry) {
			if key := e.Key(); m.match(key) && !db.Due(e) {
				c.Reply.Bulk(key)
				n++
			}
		})
	}
	c.Reply.EndDeferredArray(mark, n)
}

// SCAN returns some of the keys and a cursor with which the next call goes on. A key that is there from the first call to
// the last is returned, whatever else comes and goes; one may be returned twice.
var scanSpec = Spec{
	Name: "scan", Group: GroupGeneric, Since: "2.8.0",
	Complexity: "O(1) per call and element, O(N) for a whole walk over N keys", Arity: -2,
	Summary: "Walks over the keys, some at a time.",
	Flags:   ReadOnly | TouchesArbitraryKeys,
	History: [][2]string{{"6.0.0", "Takes `TYPE`."}},
	Syntax:  "cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [TYPE type@6.0.0]",
	Tips:    []string{"nondeterministic_output", "request_policy:special", "response_policy:special"},
	Scope:   ScopeAllShards,
	Heavy:   scanHeavy,
	Run:     scanCommand,
}

// scanDefault is COUNT when it is not given. scanMost is how many keys one call looks at whatever COUNT says, lest it
// stall everybody for longer than some milliseconds: COUNT is a hint.
const (
	scanDefault = 10
	scanMost    = 100_000
)

// scanArgs are the arguments of SCAN.
type scanArgs struct {
	cursor  uint64
	matcher keyMatcher
	count   int // at most scanMost
	// typed tells that keys of kind alone are wanted. A name that is no type leaves kind None, which no key has.
	typed bool
	kind  keyspace.Type
}

// parseScanArgs reads the arguments. When they are wrong, err is the reply.
func parseScanArgs(c *Ctx) (a scanArgs, err string) {
	a.count = scanDefault
	cursor, ok := scanCursor(c.Args[1])
	if !ok {
		return a, "ERR invalid cursor"
	}
	a.cursor = cursor
	w := c.words(2)
	for w.more() {
		switch {
		case w.has("COUNT", 1):
			n := w.int()
			if n < 1 {
				w.syntax()
			}
			a.count = int(min(n, scanMost))
		case w.has("MATCH", 1):
			a.matcher = newKeyMatcher(w.next())
		case w.has("TYPE", 1):
			a.typed, a.kind = true, keyspace.None
			name := w.next()
			for t := keyspace.String; t <= keyspace.Stream; t++ {
				if equalFold(name, t.String()) {
					a.kind = t
				}
			}
		case w.is("NOVALUES"):
			w.fail("ERR NOVALUES option can only be used in HSCAN")
		default:
			w.syntax()
		}
	}
	return a, w.err
}

// scanCursor reads a cursor, any unsigned number of 64 bits. As in C, white space and a plus may stand before it.
func scanCursor(word []byte) (uint64, bool) {
	word = bytes.TrimPrefix(bytes.TrimLeft(word, " \t\n\v\f\r"), []byte{'+'})
	n, err := strconv.ParseUint(string(word), 10, 64)
	return n, err == nil
}

// The cursor of SCAN is the number of the shard that the walk has come to and the position there. A position is a
// hash, of which the table of a shard uses the upper scanPosBits bits at most to tell keys apart; so a cursor stays below
// 2^53, which is as far as clients that keep numbers in doubles can count, for up to 512 shards.
const scanPosBits = 44

func packCursor(shard int, pos uint64) uint64 {
	return uint64(shard)<<scanPosBits | pos>>(64-scanPosBits)
}

func unpackCursor(cursor uint64) (shard int, pos uint64) {
	return int(cursor >> scanPosBits), cursor << (64 - scanPosBits)
}

// scanHeavy keeps large steps off the event loop. A pattern may be "count" too, and the last COUNT is the one that counts: any
// of them will do.
func scanHeavy(c *Ctx) bool {
	for i := 2; i+1 < len(c.Args); i++ {
		if equalFold(c.Args[i], "count") {
			if n, ok := resp.ParseInt(c.Args[i+1]); ok && n > heavyKeys {
				return true
			}
		}
	}
	return false
}

func scanCommand(c *Ctx) {
	a, err := parseScanArgs(c)
	if err != "" {
		c.Reply.Error(err)
		return
	}
	c.Reply.Array(2)
	start := len(c.Reply.Buf)
	mark, n, looked := c.Reply.StartDeferred(), 0, 0
	var expired [][]byte
	shard, pos := unpackCursor(a.cursor)
	for shard < len(c.shards) {
		db := c.shards[shard].DB(c.DBIndex)
		if db.Len() == 0 {
			shard, pos = shard+1, 0
			continue
		}
		if looked >= a.count {
			break
		}
		next, more := db.Scan(pos, a.count-looked, func(e keyspace.Entry) {
			looked++
			key := e.Key()
			switch {
			case db.Due(e):
				expired = append(expired, bytes.Clone(key))
			case a.typed && e.Type() != a.kind:
			case a.matcher.match(key):
				c.Reply.Bulk(key)
				n++
			}
		})
		for _, key := range expired {
			db.Exists(keyspace.MakeKey(key)) // removes it
		}
		expired = expired[:0]
		if pos = next; !more {
			shard, pos = shard+1, 0
		}
	}
	c.Reply.EndDeferredArray(mark, n)
	cursor := uint64(0)
	if shard < len(c.shards) {
		cursor = packCursor(shard, pos)
	}
	insertCursor(c.Reply, start, cursor)
}

// insertCursor puts the bulk string of a cursor, which is known last, before what was written since start.
func insertCursor(w *resp.Writer, start int, cursor uint64) {
	var digits, text [32]byte
	head := resp.AppendBulk(text[:0], strconv.AppendUint(digits[:0], cursor, 10))
	w.Buf = append(w.Buf, head...)
	copy(w.Buf[start+len(head):], w.Buf[start:len(w.Buf)-len(head)])
	copy(w.Buf[start:], head)
}
