package command

import (
	"math/bits"

	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// Keys whatever they hold: being there, going away. Deadlines are in cmd_keys_expire.go, new names and copies in
// cmd_keys_move.go, walks over all keys in cmd_keys_scan.go and OBJECT in cmd_keys_object.go.

// DEL removes keys. Freeing a value takes no time that grows with it, so there is nothing that UNLINK would do later.
var delSpec = Spec{
	Name: "del", Group: GroupGeneric, Since: "1.0.0", Complexity: "O(N) for N keys", Arity: -2,
	Summary:    "Removes keys.",
	Flags:      Write,
	Keys:       KeySpecs{Range(1, -1, 1).Flags(RM | Delete)},
	Syntax:     "key...",
	Tips:       []string{"request_policy:multi_shard", "response_policy:agg_sum"},
	HeavyWords: heavyKeys,
	Run:        delCommand,
}

func delCommand(c *Ctx) {
	removed := 0
	for i := 1; i < len(c.Args); i++ {
		k := c.Key(i)
		if c.remove(c.DB(k), k) {
			removed++
		}
	}
	c.Reply.Int(int64(removed))
}

// remove deletes k from db with all that belongs to it: the count of changes and the event. It tells whether the key was
// there.
func (c *Ctx) remove(db *keyspace.DB, k keyspace.Key) bool {
	if !db.Delete(k) {
		return false
	}
	c.Dirty(1)
	db.Notify(keyspace.EventGeneric, "del", k.B)
	return true
}

// UNLINK is DEL, in name and effect.
var unlinkSpec = Spec{
	Name: "unlink", Group: GroupGeneric, Since: "4.0.0", Complexity: "O(N) for N keys", Arity: -2,
	Summary:    "Removes keys and frees their memory in the background.",
	Flags:      Write | Fast,
	Keys:       KeySpecs{Range(1, -1, 1).Flags(RM | Delete)},
	Syntax:     "key...",
	Tips:       []string{"request_policy:multi_shard", "response_policy:agg_sum"},
	HeavyWords: heavyKeys,
	Run:        delCommand,
}

// EXISTS counts how many of its arguments are keys; one that is named twice counts twice. It leaves access times alone.
var existsSpec = Spec{
	Name: "exists", Group: GroupGeneric, Since: "1.0.0", Complexity: "O(N) for N keys", Arity: -2,
	Summary:    "Counts the keys that are there.",
	Flags:      ReadOnly | Fast,
	Keys:       KeySpecs{Range(1, -1, 1).Flags(RO)},
	History:    [][2]string{{"3.0.3", "Takes several keys."}},
	Syntax:     "key...",
	Tips:       []string{"request_policy:multi_shard", "response_policy:agg_sum"},
	HeavyWords: heavyKeys,
	Run:        existsCommand,
}

func existsCommand(c *Ctx) {
	n := 0
	for i := 1; i < len(c.Args); i++ {
		k := c.Key(i)
		if _, ok := c.DB(k).Lookup(k, keyspace.NoTouch); ok {
			n++
		}
	}
	c.Reply.Int(int64(n))
}

// TOUCH counts keys as EXISTS does, and marks them as used just now.
var touchSpec = Spec{
	Name: "touch", Group: GroupGeneric, Since: "3.2.1", Complexity: "O(N) for N keys", Arity: -2,
	Summary:    "Counts the keys that are there and renews their access time.",
	Flags:      ReadOnly | Fast,
	Keys:       KeySpecs{Range(1, -1, 1).Flags(RO)},
	Syntax:     "key...",
	Tips:       []string{"request_policy:multi_shard", "response_policy:agg_sum"},
	HeavyWords: heavyKeys,
	Run:        touchCommand,
}

// touchCommand touches even for a client with CLIENT NO-TOUCH on: that is what the command is for.
func touchCommand(c *Ctx) {
	n := 0
	for i := 1; i < len(c.Args); i++ {
		k := c.Key(i)
		db := c.DB(k)
		s := db.Shard()
		was := s.NoTouch
		s.NoTouch = false
		if _, ok := db.LookupRead(k); ok {
			n++
		}
		s.NoTouch = was
	}
	c.Reply.Int(int64(n))
}

// TYPE tells the type of a value.
var typeSpec = Spec{
	Name: "type", Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)", Arity: 2,
	Summary: "Returns the type of the value at a key.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO)},
	Syntax:  "key",
	Run:     typeCommand,
}

func typeCommand(c *Ctx) {
	k := c.Key(1)
	t := keyspace.None
	if e, ok := c.DB(k).Lookup(k, keyspace.NoTouch); ok {
		t = e.Type()
	}
	c.Reply.Simple(t.String())
}

// RANDOMKEY returns a key, each of the database with the same chance. Keys past their deadline do not count: those that
// it comes upon are removed.
var randomkeySpec = Spec{
	Name: "randomkey", Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)", Arity: 1,
	Summary: "Returns a random key of the selected database.",
	Flags:   ReadOnly | TouchesArbitraryKeys,
	Tips:    []string{"request_policy:all_shards", "response_policy:special", "nondeterministic_output"},
	Scope:   ScopeAllShards,
	Run:     randomkeyCommand,
}

// maxRandomTries is how many dead keys RANDOMKEY draws before it looks for a live one in order. Active expiry removes keys
// within milliseconds of their deadline, so that takes many keys that died just now, or expiry held back by CLIENT PAUSE.
const maxRandomTries = 100

func randomkeyCommand(c *Ctx) {
	var room [128]byte
	for range maxRandomTries {
		shard, ok := c.randomShard()
		if !ok {
			c.Reply.Null()
			return
		}
		db := c.shards[shard].DB(c.DBIndex)
		e, ok := db.Random(c.Rand)
		if !ok {
			continue
		}
		if !db.Due(e) {
			c.Reply.Bulk(e.Key())
			return
		}
		db.Exists(keyspace.MakeKey(append(room[:0], e.Key()...))) // removes it
	}
	c.replyNextLive()
}

// randomShard chooses a shard with a chance in proportion to its keys; ok is false when there are none.
func (c *Ctx) randomShard() (shard int, ok bool) {
	total := c.dbSize()
	if total == 0 {
		return 0, false
	}
	// The high word of the product is uniform below total, but for a bias of total in 2^64.
	n, _ := bits.Mul64(c.Rand(), uint64(total))
	for i, s := range c.shards {
		size := uint64(s.DB(c.DBIndex).Len())
		if n < size {
			return i, true
		}
		n -= size
	}
	return 0, false
}

// replyNextLive replies the first live key from a random place on, in the order of shards and hashes.
func (c *Ctx) replyNextLive() {
	first, _ := c.randomShard()
	for i := range c.shards {
		db := c.shards[(first+i)%len(c.shards)].DB(c.DBIndex)
		found := false
		visit := func(e keyspace.Entry) {
			if !found && !db.Due(e) {
				found = true
				c.Reply.Bulk(e.Key())
			}
		}
		start := uint64(0)
		if i == 0 {
			start = c.Rand()
		}
		for pos, more := start, true; more && !found; {
			pos, more = db.Scan(pos, 64, visit)
		}
		for pos, more := uint64(0), start > 0; more && !found && pos <= start; {
			pos, more = db.Scan(pos, 64, visit)
		}
		if found {
			return
		}
	}
	c.Reply.Null()
}
