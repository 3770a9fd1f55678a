package command

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/list"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/netio/resp"
)

// Popping and moving. What clients that wait for elements are served with is here too: take, takeMany and moveElement reply and
// change the lists, whoever calls them.

const (
	msgPositive = "ERR value is out of range, must be positive"
	msgNumKeys  = "ERR numkeys should be greater than 0"
	msgCount    = "ERR count should be greater than 0"
)

// listAt returns an edit of the list at k, which was looked up before and is there.
func (c *Ctx) listAt(k keyspace.Key) listEdit {
	db := c.DB(k)
	e, _ := db.Lookup(k, quietly)
	return listEdit{c: c, db: db, k: k, e: e}
}

// peek returns the element at an end. It is valid until the next change of the DB.
func (w *listEdit) peek(end listEnd) list.Run {
	if w.e.IsObject() {
		l := w.db.Object(w.e).(listObject)
		if end == listTail {
			return l.Last()
		}
		return l.First()
	}
	pack := w.e.Packed()
	if end == listTail {
		return list.Run{Pack: pack, Off: listpack.Last(pack), N: 1}
	}
	return list.Run{Pack: pack, Off: listpack.First(pack), N: 1}
}

// drop removes the element at an end; the list may be empty then.
func (w *listEdit) drop(end listEnd) {
	if l := w.object(); l != nil {
		if end == listTail {
			l.DropTail()
		} else {
			l.DropHead()
		}
		return
	}
	e, pack := w.db.EditPacked(w.k, w.e, 0)
	if end == listTail {
		pack = listpack.Truncate(pack, listpack.Last(pack), listpack.Len(pack)-1)
	} else {
		pack = listpack.Delete(pack, listpack.First(pack))
	}
	w.e = w.db.SetPacked(w.k, e, keyspace.ListPack, pack)
}

// take replies the element at an end and removes it, with all that belongs to a pop.
func (w *listEdit) take(end listEnd) {
	r := w.peek(end)
	w.c.Reply.Bulk(r.Text(w.c.text[:]))
	left := w.len() - 1
	if left > 0 { // otherwise it goes with the key
		w.drop(end)
	}
	w.removed(end.popEvent(), 1, left)
}

// takeMany replies the first n elements from an end on, or as many as there are, as an array, and removes them. It returns how many
// they were.
func (w *listEdit) takeMany(end listEnd, n int64) int {
	size := w.len()
	count := int(min(n, int64(size)))
	w.c.Reply.Array(count)
	start, from := 0, 0
	if end == listTail {
		start, from = size-1, size-count
	}
	w.c.replyElements(w.db, w.e, start, count, bool(end))
	if count < size {
		w.deleteRange(from, count)
	}
	w.removed(end.popEvent(), count, size-count)
	return count
}

// deleteRange removes elements, but not all.
func (w *listEdit) deleteRange(from, count int) {
	if count == 0 {
		return
	}
	if l := w.object(); l != nil {
		l.DeleteRange(from, count)
		return
	}
	e, pack := w.db.EditPacked(w.k, w.e, 0)
	w.e = w.db.SetPacked(w.k, e, keyspace.ListPack, listpack.DeleteRange(pack, listpack.Seek(pack, from), count))
}

// LPOP takes elements from the head of a list. With a count its reply is an array, null when there is no list.
var lpopSpec = Spec{
	Name: "lpop", Group: GroupList, Since: "1.0.0", Complexity: "O(N) for N elements", Arity: -2,
	Summary: "Removes and returns the first elements of the list at a key.",
	Flags:   Write | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Access | Delete)},
	History: [][2]string{{"6.2.0", "Takes a count."}},
	Syntax:  "key [count:integer@6.2.0]",
	Heavy:   func(c *Ctx) bool { return len(c.Args) == 3 && c.listPopHeavy(1, c.Args[2]) },
	Work:    withoutCount,
	Run:     func(c *Ctx) { popCommand(c, listHead) },
}

// RPOP is LPOP at the other end.
var rpopSpec = Spec{
	Name: "rpop", Group: GroupList, Since: "1.0.0", Complexity: "O(N) for N elements", Arity: -2,
	Summary: "Removes and returns the last elements of the list at a key.",
	Flags:   Write | Fast,
	Keys:    KeySpecs{At(1).Flags(RW | Access | Delete)},
	History: [][2]string{{"6.2.0", "Takes a count."}},
	Syntax:  "key [count:integer@6.2.0]",
	Heavy:   func(c *Ctx) bool { return len(c.Args) == 3 && c.listPopHeavy(1, c.Args[2]) },
	Work:    withoutCount,
	Run:     func(c *Ctx) { popCommand(c, listTail) },
}

// listPopHeavy tells whether popping so many elements off the list at Args[i] is a lot of work.
func (c *Ctx) listPopHeavy(i int, count []byte) bool {
	n, ok := resp.ParseInt(count)
	return ok && n > 0 && c.listHeavy(i, n)
}

func popCommand(c *Ctx, end listEnd) {
	if len(c.Args) > 3 {
		c.wrongArity()
		return
	}
	counted := len(c.Args) == 3
	count := int64(1)
	if counted {
		w := c.words(2)
		count = w.intIn(0, math.MaxInt64, msgPositive)
		if w.failed(c) {
			return
		}
	}
	e, found, failed := c.LookupWrite(1, keyspace.List)
	k := c.Key(1)
	w := listEdit{c: c, db: c.DB(k), k: k, e: e}
	switch {
	case failed:
	case !found && counted:
		c.Reply.NullArray()
	case !found:
		c.Reply.Null()
	case count == 0:
		c.Reply.Array(0)
	case counted:
		w.takeMany(end, count)
	default:
		w.take(end)
	}
}

// LMPOP takes elements from the first of several lists that is there. It is propagated as LPOP or RPOP of that one.
var lmpopSpec = Spec{
	Name: "lmpop", Group: GroupList, Since: "7.0.0", Arity: -4,
	Complexity: "O(N+M) for N keys and M elements",
	Summary:    "Removes and returns elements of the first of several lists that is not empty.",
	Flags:      Write,
	Keys:       KeySpecs{KeyNum(1, 1, 1).Flags(RW | Access | Delete)},
	Syntax:     "numkeys:integer key... where:<LEFT|RIGHT> [COUNT count:integer]",
	Heavy:      func(c *Ctx) bool { return lmpopHeavy(c, 1) },
	Run: func(c *Ctx) {
		if a, ok := c.lmpopArgs(1); ok && !c.lmpop(a) {
			c.Reply.NullArray()
		}
	},
}

// lmpopHeavy is about LMPOP and BLMPOP, whose number of keys is Args[at].
func lmpopHeavy(c *Ctx, at int) bool {
	n, ok := resp.ParseInt(c.Args[at])
	if !ok || n < 1 || n > int64(len(c.Args)-at-2) {
		return false
	}
	if n > heavyKeys {
		return true
	}
	if int(n)+at+3 >= len(c.Args) {
		return false // one element
	}
	for i := range int(n) {
		if c.listPopHeavy(at+1+i, c.Args[len(c.Args)-1]) {
			return true
		}
	}
	return false
}

// lmpopArgs are the arguments of LMPOP: the keys are Args[first] to Args[last].
type lmpopArgs struct {
	first, last int
	end         listEnd
	count       int64
}

// lmpopArgs reads them; Args[at] is the number of keys. When they are wrong, that is the reply.
func (c *Ctx) lmpopArgs(at int) (a lmpopArgs, ok bool) {
	w := c.words(at)
	keys := w.intIn(1, math.MaxInt64, msgNumKeys)
	if w.err == "" && keys >= int64(len(w.rest)) {
		w.syntax()
	}
	if w.failed(c) {
		return a, false
	}
	a = lmpopArgs{first: at + 1, last: at + int(keys), count: 1}
	w.rest = w.rest[keys:]
	if a.end, ok = listEndOf(w.next()); !ok {
		w.syntax()
	}
	counted := false
	for w.more() {
		if counted || !w.has("COUNT", 1) {
			w.syntax()
			break
		}
		counted = true
		a.count = w.intIn(1, math.MaxInt64, msgCount)
	}
	return a, !w.failed(c)
}

// lmpop pops off the first of the lists that is there and replies its key and the elements. When none is, it does nothing and returns
// false.
func (c *Ctx) lmpop(a lmpopArgs) bool {
	for i := a.first; i <= a.last; i++ {
		if !c.Reachable(i) {
			continue
		}
		e, found, failed := c.LookupWrite(i, keyspace.List)
		if failed {
			return true
		}
		if !found {
			continue
		}
		k := c.Key(i)
		w := listEdit{c: c, db: c.DB(k), k: k, e: e}
		c.Reply.Array(2)
		c.Reply.Bulk(k.B)
		n := w.takeMany(a.end, a.count)
		c.Propagate(a.end.popWord(), k.B, c.Decimal(int64(n)))
		return true
	}
	return false
}

// LMOVE takes an element from an end of a list and puts it at an end of another, or of the same.
var lmoveSpec = Spec{
	Name: "lmove", Group: GroupList, Since: "6.2.0", Complexity: "O(1)", Arity: 5,
	Summary: "Moves an element from one end of a list to an end of another and returns it.",
	Flags:   Write | DenyOOM,
	Keys: KeySpecs{
		At(1).Flags(RW | Access | Delete),
		At(2).Flags(RW | Insert),
	},
	Syntax: "source:key destination:key wherefrom:<LEFT|RIGHT> whereto:<LEFT|RIGHT>",
	Run:    lmoveCommand,
}

func lmoveCommand(c *Ctx) {
	from, ok := listEndOf(c.Args[3])
	to, ok2 := listEndOf(c.Args[4])
	if !ok || !ok2 {
		c.Reply.Error(MsgSyntax)
		return
	}
	if !c.moveElement(from, to) {
		c.Reply.Null()
	}
}

// RPOPLPUSH is LMOVE from the tail to the head.
var rpoplpushSpec = Spec{
	Name: "rpoplpush", Group: GroupList, Since: "1.2.0", Complexity: "O(1)", Arity: 3,
	Summary:         "Moves the last element of a list to the head of another and returns it.",
	DeprecatedSince: "6.2.0", ReplacedBy: "`LMOVE` with the `RIGHT` and `LEFT` arguments",
	Flags: Write | DenyOOM,
	Keys: KeySpecs{
		At(1).Flags(RW | Access | Delete),
		At(2).Flags(RW | Insert),
	},
	Syntax: "source:key destination:key",
	Run: func(c *Ctx) {
		if !c.moveElement(listTail, listHead) {
			c.Reply.Null()
		}
	},
}

// moveElement moves an element from an end of the list at Args[1] to an end of the one at Args[2], which it creates if need be, and replies
// it. When there is no list at Args[1], it does nothing and returns false.
func (c *Ctx) moveElement(fromEnd, toEnd listEnd) bool {
	_, found, failed := c.LookupWrite(1, keyspace.List)
	if failed || !found {
		return failed
	}
	_, exists, failed := c.LookupWrite(2, keyspace.List)
	if failed {
		return true
	}
	from, to := c.Key(1), c.Key(2)
	w := c.listAt(from)
	r := w.peek(fromEnd)
	elem := r.Text(c.text[:])
	c.Reply.Bulk(elem)
	bytes := len(elem)
	if r.IsInt() {
		bytes = 0 // integers do not count when it is decided whether a list may stay a listpack
	}
	// The element is needed after its list has changed.
	var room [512]byte
	moved := [1][]byte{append(room[:0], elem...)}
	same := string(from.B) == string(to.B) // and in the same database
	left := w.len() - 1
	if left > 0 || same {
		w.drop(fromEnd)
	}
	switch {
	case same:
		w.push(moved[:], toEnd, bytes)
		left++
	case exists:
		d := c.listAt(to)
		d.push(moved[:], toEnd, bytes)
	default:
		c.createList(to, moved[:], toEnd, bytes)
	}
	c.Changed(to, keyspace.EventList, toEnd.pushEvent())
	if !same {
		w = c.listAt(from)
	}
	w.removed(fromEnd.popEvent(), 0, left)
	return true
}
