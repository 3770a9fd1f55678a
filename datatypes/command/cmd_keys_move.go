package command

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// Copies and new names. The source and the destination may live on different shards, which are both held. All three commands are journalled as they are: they depend on nothing but the
// keys they name.

// msgSameObject says that there is nothing to do because source and destination are one.
const msgSameObject = "ERR source and destination objects are the same"

// dbArg reads a database number. Anything else gives an error text.
func (c *Ctx) dbArg(word []byte) (index int, msg string) {
	n, msg := int32Of(word)
	if msg == "" && (n < 0 || n >= int64(c.Databases())) {
		msg = MsgDBIndex
	}
	return int(n), msg
}

// int32Of reads a number that Redis keeps in 32 bits.
func int32Of(word []byte) (n int64, msg string) {
	w := words{rest: [][]byte{word}}
	n = w.int()
	if w.err == "" && (n < math.MinInt32 || n > math.MaxInt32) {
		w.fail("ERR value is out of range, value must between -2147483648 and 2147483647")
	}
	return n, w.err
}

// put counts the arrival of a value at key k of db. The event is the caller's.
func (c *Ctx) put(db *keyspace.DB, k keyspace.Key) {
	c.Dirty(1)
	db.Touched(k.B)
}

// copyHeavy tells whether copying the value at Args[1] takes long.
func copyHeavy(c *Ctx) bool {
	return c.stringLen(1) > heavyBytes || c.weight(1, math.MaxInt64) > heavyElements
}

// COPY copies a value and its deadline to another key, possibly of another database.
var copySpec = Spec{
	Name: "copy", Group: GroupGeneric, Since: "6.2.0", Complexity: "O(N) for a value of N bytes or elements", Arity: -3,
	Summary: "Copies the value of a key to another key.",
	Flags:   Write | DenyOOM,
	Keys: KeySpecs{
		At(1).Flags(RO | Access),
		At(2).Flags(OW | Update),
	},
	Syntax: "source:key destination:key [DB destination-db:integer] [REPLACE]",
	Heavy:  copyHeavy,
	Run:    copyCommand,
}

func copyCommand(c *Ctx) {
	replace, toIndex := false, c.DBIndex
	w := c.words(3)
	for w.more() {
		switch {
		case w.is("REPLACE"):
			replace = true
		case w.has("DB", 1):
			index, msg := c.dbArg(w.next())
			if msg != "" {
				w.fail(msg)
			}
			toIndex = index
		default:
			w.syntax()
		}
	}
	if w.failed(c) {
		return
	}
	from, to := c.Key(1), c.Key(2)
	if toIndex == c.DBIndex && string(from.B) == string(to.B) {
		c.Reply.Error(msgSameObject)
		return
	}
	if _, ok := c.DB(from).LookupRead(from); !ok {
		c.Reply.Int(0)
		return
	}
	dst := c.DBAt(toIndex, to)
	if _, ok := dst.LookupWrite(to); ok {
		if !replace {
			c.Reply.Int(0)
			return
		}
		dst.Delete(to)
	}
	// The lookup of the destination may have removed an expired key: the source's entry has to be found again.
	e, _ := c.DB(from).Lookup(from, quietly)
	dst.Copy(to, c.DB(from), e, e.ExpireAtMs())
	c.put(dst, to)
	dst.Notify(keyspace.EventGeneric, "copy_to", to.B)
	c.Reply.Int(1)
}

// quietly looks a key up that the command has looked up before.
const quietly = keyspace.NoTouch | keyspace.NoStats | keyspace.NoNotify

// MOVE moves a key to another database, unless it has that key already.
var moveSpec = Spec{
	Name: "move", Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)", Arity: 3,
	Summary: "Moves a key to another database.",
	Flags:   Write | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Access | Update)},
	Syntax:  "key db:integer",
	Heavy:   func(c *Ctx) bool { return c.stringLen(1) > heavyBytes },
	Run:     moveCommand,
}

func moveCommand(c *Ctx) {
	index, msg := c.dbArg(c.Args[2])
	switch {
	case msg != "":
		c.Reply.Error(msg)
		return
	case index == c.DBIndex:
		c.Reply.Error(msgSameObject)
		return
	}
	k := c.Key(1)
	src, dst := c.DB(k), c.DBAt(index, k)
	e, ok := src.LookupWrite(k)
	if !ok {
		c.Reply.Int(0)
		return
	}
	if _, taken := dst.LookupWrite(k); taken {
		c.Reply.Int(0)
		return
	}
	dst.Move(k, src, k, e)
	c.put(dst, k)
	src.Delete(k)
	src.Notify(keyspace.EventGeneric, "move_from", k.B)
	dst.Notify(keyspace.EventGeneric, "move_to", k.B)
	c.Reply.Int(1)
}

// RENAME gives a key another name. What had that name before is gone.
var renameSpec = Spec{
	Name: "rename", Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)", Arity: 3,
	Summary: "Renames a key, replacing the destination.",
	Flags:   Write,
	Keys: KeySpecs{
		At(1).Flags(RW | Access | Delete),
		At(2).Flags(OW | Update),
	},
	Syntax: "key newkey:key",
	Heavy:  renameHeavy,
	Run:    renameCommand,
}

// renameHeavy: a large value changes hands, but one that a walk goes through on its shard is copied to another.
func renameHeavy(c *Ctx) bool {
	if c.stringLen(1) > heavyBytes {
		return true
	}
	k := c.Key(1)
	db := c.DB(k)
	e, ok := db.Peek(k)
	return ok && e.IsObject() && db.Object(e).Frozen() && c.DB(c.Key(2)) != db
}

func renameCommand(c *Ctx) {
	if done, failed := rename(c, true); done && !failed {
		c.Reply.OK()
	}
}

// RENAMENX is RENAME for a name that is not taken.
var renamenxSpec = Spec{
	Name: "renamenx", Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)", Arity: 3,
	Summary: "Renames a key unless the new name is taken.",
	Flags:   Write | Fast,
	Keys: KeySpecs{
		At(1).Flags(RW | Access | Delete),
		At(2).Flags(OW | Insert),
	},
	History: [][2]string{{"3.2.0", "Replies 0 instead of an error when both names are the same."}},
	Syntax:  "key newkey:key",
	Heavy:   renameHeavy,
	Run:     renamenxCommand,
}

func renamenxCommand(c *Ctx) {
	done, failed := rename(c, false)
	switch {
	case failed:
	case done:
		c.Reply.Int(1)
	default:
		c.Reply.Int(0)
	}
}

// rename renames Args[1] to Args[2]. Without replace it does nothing when the new name is taken, and a key has taken its
// own name. When the key is not there, that is the reply and failed is true.
func rename(c *Ctx, replace bool) (done, failed bool) {
	from, to := c.Key(1), c.Key(2)
	src, dst := c.DB(from), c.DB(to)
	if _, ok := src.LookupWrite(from); !ok {
		c.Reply.Error(MsgNoKey)
		return false, true
	}
	if string(from.B) == string(to.B) {
		return replace, false
	}
	if _, taken := dst.LookupWrite(to); taken {
		if !replace {
			return false, false
		}
		dst.Delete(to)
	}
	e, _ := src.Lookup(from, quietly)
	dst.Move(to, src, from, e)
	c.put(dst, to)
	src.Delete(from)
	src.Notify(keyspace.EventGeneric, "rename_from", from.B)
	dst.Notify(keyspace.EventGeneric, "rename_to", to.B)
	return true, false
}
