package command

import (
	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// heavyBytes is how many bytes a command may scan or copy on an event loop: about a millisecond's worth, with room for
// a slow memory.
const heavyBytes = 2 << 20

// heavyKeys is how many keys a command may look up on an event loop.
const heavyKeys = 2048

// replyString replies the string at an entry that a lookup has found or not. It tells whether that was not an error.
func (c *Ctx) replyString(e keyspace.Entry, found bool) (ok bool) {
	switch {
	case !found:
		c.Reply.Null()
	case e.Type() != keyspace.String:
		c.Reply.Error(MsgWrongType)
		return false
	default:
		c.Reply.Bulk(c.Text(e))
	}
	return true
}

// GET replies the string at key.
var getSpec = Spec{
	Name: "get", Group: GroupString, Since: "1.0.0", Complexity: "O(1)", Arity: 2,
	Summary: "Returns the string at a key.",
	Flags:   ReadOnly | Fast,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key",
	Run:     getCommand,
}

func getCommand(c *Ctx) {
	k := c.Key(1)
	e, found := c.DB(k).LookupRead(k)
	c.replyString(e, found)
}

// GETDEL is GET that removes the key. It is propagated as DEL.
var getdelSpec = Spec{
	Name: "getdel", Group: GroupString, Since: "6.2.0", Complexity: "O(1)", Arity: 2,
	Summary: "Returns the string at a key and deletes the key.",
	Flags:   Write | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Access | Delete)},
	Syntax:  "key",
	Run:     getdelCommand,
}

func getdelCommand(c *Ctx) {
	k := c.Key(1)
	e, found := c.DB(k).LookupRead(k)
	if c.replyString(e, found) && found {
		c.remove(c.DB(k), k)
		c.Propagate(wordDel, k.B)
	}
}

// GETEX is GET that changes the deadline of the key. Deadlines are propagated as absolute ones; one that has passed
// removes the key.
var getexSpec = Spec{
	Name: "getex", Group: GroupString, Since: "6.2.0", Complexity: "O(1)", Arity: -2,
	Summary: "Returns the string at a key and sets or removes the key's expiry.",
	Flags:   Write | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Access | Update)},
	Syntax: "key [expiration:<EX seconds:integer|PX milliseconds:integer|EXAT unix-time-seconds:unix-time|PXAT " +
		"unix-time-milliseconds:unix-time|PERSIST>]",
	Run: getexCommand,
}

func getexCommand(c *Ctx) {
	var o storeOptions
	if !o.parse(c.Args[2:], false) {
		c.Reply.Error(MsgSyntax)
		return
	}
	k := c.Key(1)
	db := c.DB(k)
	e, found := db.LookupRead(k)
	if !found || e.Type() != keyspace.String {
		c.replyString(e, found)
		return
	}
	atMs := keyspace.NoTTL
	if o.unit != noTime {
		var ok bool
		if atMs, ok = c.deadlineArg(o.when, o.unit); !ok {
			return
		}
	}
	c.replyString(e, true)
	switch {
	case o.unit.absolute() && atMs <= c.NowMs:
		c.remove(db, k)
		c.Propagate(wordDel, k.B)
	case o.unit != noTime:
		db.SetExpire(k, atMs)
		c.Changed(k, keyspace.EventGeneric, "expire")
		c.Propagate(wordPExpireAt, k.B, c.Decimal(atMs))
	case o.persist && e.Volatile():
		db.SetExpire(k, keyspace.NoTTL)
		c.Changed(k, keyspace.EventGeneric, "persist")
		c.Propagate(wordPersist, k.B)
	}
}

// storeOptions are the options of SET and GETEX.
type storeOptions struct {
	nx, xx, get, keepTTL, persist bool

	unit timeUnit // how when is to be read; noTime if there is none
	when []byte
}

// parse reads options, those of SET or those of GETEX. It returns false for a syntax error. The number in when is not
// looked at: Redis complains about all of the syntax before any number, and GETEX about a missing key before that.
func (o *storeOptions) parse(args [][]byte, set bool) bool {
	for i := 0; i < len(args); i++ {
		word := args[i]
		unit := noTime
		switch {
		case set && equalFold(word, "nx") && !o.xx:
			o.nx = true
		case set && equalFold(word, "xx") && !o.nx:
			o.xx = true
		case set && equalFold(word, "get"):
			o.get = true
		case set && equalFold(word, "keepttl") && o.unit == noTime:
			o.keepTTL = true
		case !set && equalFold(word, "persist") && o.unit == noTime:
			o.persist = true
		case equalFold(word, "ex"):
			unit = seconds
		case equalFold(word, "px"):
			unit = millis
		case equalFold(word, "exat"):
			unit = unixSecs
		case equalFold(word, "pxat"):
			unit = unixMs
		default:
			return false
		}
		if unit == noTime {
			continue
		}
		// The same way of telling a deadline may come again, then the last one counts; two ways may not.
		if o.keepTTL || o.persist || o.unit != noTime && o.unit != unit || i+1 == len(args) {
			return false
		}
		i++
		o.unit, o.when = unit, args[i]
	}
	return true
}

// store does the work of SET and of the older commands that its options replace. It replies errors, and the old value
// when that is asked for; otherwise the reply is left to the caller. stored tells whether the condition was met.
func (c *Ctx) store(k keyspace.Key, val []byte, o *storeOptions) (stored, replied bool) {
	db := c.DB(k)
	atMs := keyspace.NoTTL
	if o.keepTTL {
		atMs = keyspace.KeepTTL
	}
	if o.unit != noTime {
		var ok bool
		if atMs, ok = c.deadlineArg(o.when, o.unit); !ok {
			return false, true
		}
	}
	if o.get {
		if e, found := db.LookupRead(k); !c.replyString(e, found) {
			return false, true
		}
	}
	if o.nx || o.xx {
		if _, found := db.LookupWrite(k); found == o.nx {
			return false, o.get
		}
	}
	db.SetString(k, val, atMs)
	c.Changed(k, keyspace.EventString, "set")
	switch {
	case o.unit != noTime:
		c.DB(k).Notify(keyspace.EventGeneric, "expire", k.B)
		c.Propagate(wordSet, k.B, val, wordPXAT, c.Decimal(atMs))
	case o.get && o.keepTTL:
		c.Propagate(wordSet, k.B, val, wordKeepTTL)
	case o.get:
		c.Propagate(wordSet, k.B, val)
	}
	return true, o.get
}

// SET replaces the value at key, whatever its type, and its deadline unless KEEPTTL is given. It is propagated with an
// absolute deadline, so that replaying it does not depend on when that is done. A deadline that has passed is stored like
// any other: the key expires at the next look at it.
var setSpec = Spec{
	Name: "set", Group: GroupString, Since: "1.0.0", Complexity: "O(1)", Arity: -3,
	Summary: "Stores a string at a key, whatever was there before, optionally under a condition or with an expiry.",
	History: [][2]string{
		{"2.6.12", "Options `EX`, `PX`, `NX` and `XX`."},
		{"6.0.0", "Option `KEEPTTL`."},
		{"6.2.0", "Options `GET`, `EXAT` and `PXAT`."},
		{"7.0.0", "`NX` and `GET` may be given together."},
	},
	Flags:    Write | DenyOOM,
	Keys:     KeySpecs{At(1).Flags(RW | Access | Update | VariableFlags)},
	KeysFunc: setKeys,
	Syntax: "key value [condition:<NX|XX>@2.6.12] [GET@6.2.0] [expiration:<EX seconds:integer@2.6.12|PX " +
		"milliseconds:integer@2.6.12|EXAT unix-time-seconds:unix-time@6.2.0|PXAT " +
		"unix-time-milliseconds:unix-time@6.2.0|KEEPTTL@6.0.0>]",
	Run: setCommand,
}

func setCommand(c *Ctx) {
	k := c.Key(1)
	if len(c.Args) == 3 {
		// By far the most frequent form.
		c.DB(k).SetString(k, c.Args[2], keyspace.NoTTL)
		c.Changed(k, keyspace.EventString, "set")
		c.Reply.OK()
		return
	}
	var o storeOptions
	if !o.parse(c.Args[3:], true) {
		c.Reply.Error(MsgSyntax)
		return
	}
	stored, replied := c.store(k, c.Args[2], &o)
	switch {
	case replied:
	case stored:
		c.Reply.OK()
	default:
		c.Reply.Null()
	}
}

// SETNX is SET with NX and replies with a number.
var setnxSpec = Spec{
	Name: "setnx", Group: GroupString, Since: "1.0.0", Complexity: "O(1)", Arity: 3,
	Summary:         "Stores a string at a key that does not exist yet.",
	DeprecatedSince: "2.6.12", ReplacedBy: "`SET` with the `NX` argument",
	Flags:  Write | DenyOOM | Fast,
	Keys:   KeySpecs{At(1).Flags(OW | Insert)},
	Syntax: "key value",
	Run:    setnxCommand,
}

func setnxCommand(c *Ctx) {
	stored, _ := c.store(c.Key(1), c.Args[2], &storeOptions{nx: true})
	n := int64(0)
	if stored {
		n = 1
	}
	c.Reply.Int(n)
}

// SETEX is SET with EX.
var setexSpec = Spec{
	Name: "setex", Group: GroupString, Since: "2.0.0", Complexity: "O(1)", Arity: 4,
	Summary:         "Stores a string at a key, with an expiry in seconds.",
	DeprecatedSince: "2.6.12", ReplacedBy: "`SET` with the `EX` argument",
	Flags:  Write | DenyOOM,
	Keys:   KeySpecs{At(1).Flags(OW | Update)},
	Syntax: "key seconds:integer value",
	Run:    func(c *Ctx) { storeFor(c, seconds) },
}

// PSETEX is SET with PX.
var psetexSpec = Spec{
	Name: "psetex", Group: GroupString, Since: "2.6.0", Complexity: "O(1)", Arity: 4,
	Summary:         "Stores a string at a key, with an expiry in milliseconds.",
	DeprecatedSince: "2.6.12", ReplacedBy: "`SET` with the `PX` argument",
	Flags:  Write | DenyOOM,
	Keys:   KeySpecs{At(1).Flags(OW | Update)},
	Syntax: "key milliseconds:integer value",
	Run:    func(c *Ctx) { storeFor(c, millis) },
}

func storeFor(c *Ctx, unit timeUnit) {
	if stored, _ := c.store(c.Key(1), c.Args[3], &storeOptions{unit: unit, when: c.Args[2]}); stored {
		c.Reply.OK()
	}
}

// GETSET is SET with GET. It is propagated as SET.
var getsetSpec = Spec{
	Name: "getset", Group: GroupString, Since: "1.0.0", Complexity: "O(1)", Arity: 3,
	Summary:         "Stores a string at a key and returns the one that was there.",
	DeprecatedSince: "6.2.0", ReplacedBy: "`SET` with the `!GET` argument",
	Flags:  Write | DenyOOM | Fast,
	Keys:   KeySpecs{At(1).Flags(RW | Access | Update)},
	Syntax: "key value",
	Run:    func(c *Ctx) { c.store(c.Key(1), c.Args[2], &storeOptions{get: true}) },
}

// MGET replies the strings at many keys; a key that holds none, for whatever reason, has null in its place.
var mgetSpec = Spec{
	Name: "mget", Group: GroupString, Since: "1.0.0", Complexity: "O(N) for N keys", Arity: -2,
	Summary:    "Returns the strings at one or more keys, all at one instant.",
	Flags:      ReadOnly | Fast,
	Keys:       KeySpecs{Range(1, -1, 1).Flags(RO | Access)},
	Syntax:     "key...",
	Tips:       []string{"request_policy:multi_shard"},
	HeavyWords: heavyKeys,
	Run:        mgetCommand,
}

func mgetCommand(c *Ctx) {
	c.Reply.Array(len(c.Args) - 1)
	for i := 1; i < len(c.Args); i++ {
		k := c.Key(i)
		e, found := c.DB(k).LookupRead(k)
		c.replyString(e, found && e.Type() == keyspace.String)
	}
}

// MSET stores many strings. Nobody sees some of them without the others.
var msetSpec = Spec{
	Name: "mset", Group: GroupString, Since: "1.0.1", Complexity: "O(N) for N keys", Arity: -3,
	Summary:    "Stores strings at one or more keys, all at one instant.",
	Flags:      Write | DenyOOM,
	Keys:       KeySpecs{Range(1, -1, 2).Flags(OW | Update)},
	Syntax:     "data:{key value}...",
	Tips:       []string{"request_policy:multi_shard", "response_policy:all_succeeded"},
	HeavyWords: 2 * heavyKeys,
	Run:        msetCommand,
}

func msetCommand(c *Ctx) {
	if len(c.Args)%2 == 0 {
		c.wrongArity()
		return
	}
	c.storePairs()
	c.Reply.OK()
}

// MSETNX is MSET under the condition that none of the keys exists.
var msetnxSpec = Spec{
	Name: "msetnx", Group: GroupString, Since: "1.0.1", Complexity: "O(N) for N keys", Arity: -3,
	Summary:    "Stores strings at one or more keys, all at one instant, if none of the keys exists yet.",
	Flags:      Write | DenyOOM,
	Keys:       KeySpecs{Range(1, -1, 2).Flags(OW | Insert)},
	Syntax:     "data:{key value}...",
	HeavyWords: 2 * heavyKeys,
	Run:        msetnxCommand,
}

func msetnxCommand(c *Ctx) {
	if len(c.Args)%2 == 0 {
		c.wrongArity()
		return
	}
	for i := 1; i < len(c.Args); i += 2 {
		k := c.Key(i)
		if _, found := c.DB(k).LookupWrite(k); found {
			c.Reply.Int(0)
			return
		}
	}
	c.storePairs()
	c.Reply.Int(1)
}

// storePairs stores what MSET has to store.
func (c *Ctx) storePairs() {
	for i := 1; i < len(c.Args); i += 2 {
		k := c.Key(i)
		c.DB(k).SetString(k, c.Args[i+1], keyspace.NoTTL)
		c.Changed(k, keyspace.EventString, "set")
	}
}
