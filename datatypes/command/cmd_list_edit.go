package command

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/list"
	"github.com/troupe-db/troupe/datatypes/listpack"
)

// Changes in the middle of lists.

// LINSERT puts an element before or after the first one that is equal to a given one.
var linsertSpec = Spec{
	Name: "linsert", Group: GroupList, Since: "2.2.0", Arity: 5,
	Complexity: "O(N) for N elements up to the pivot",
	Summary:    "Puts an element before or after another element of a list.",
	Flags:      Write | DenyOOM,
	Keys:       KeySpecs{At(1).Flags(RW | Insert)},
	Syntax:     "key where:<BEFORE|AFTER> pivot element",
	Heavy:      func(c *Ctx) bool { return c.listHeavy(1, math.MaxInt64) },
	Run:        linsertCommand,
}

func linsertCommand(c *Ctx) {
	after := equalFold(c.Args[2], "AFTER")
	if !after && !equalFold(c.Args[2], "BEFORE") {
		c.Reply.Error(MsgSyntax)
		return
	}
	e, found, failed := c.LookupWrite(1, keyspace.List)
	if failed {
		return
	}
	if !found {
		c.Reply.Int(0)
		return
	}
	k, pivot, elem := c.Key(1), c.Args[3], c.Args[4]
	w := listEdit{c: c, db: c.DB(k), k: k, e: e}
	if !w.insertAt(pivot, elem, after) {
		c.Reply.Int(-1)
		return
	}
	c.Changed(k, keyspace.EventList, "linsert")
	c.Reply.Int(int64(w.len()))
}

// insertAt puts elem before or after the first element equal to pivot, and tells whether there is one. Whether the list can stay a
// listpack is decided before that is known.
func (w *listEdit) insertAt(pivot, elem []byte, after bool) bool {
	if l := w.reserve(1, len(elem)); l != nil {
		index := listFind(l, pivot)
		if index < 0 {
			return false
		}
		l.Insert(index, elem, after)
		w.db.Settle(w.e)
		return true
	}
	pack := w.e.Packed()
	off := listpack.Find(pack, listpack.First(pack), pivot, 0)
	if off < 0 {
		return false
	}
	e, pack := w.db.EditPacked(w.k, w.e, listpack.MaxEntry(elem))
	if after {
		pack = listpack.InsertAfter(pack, off, elem)
	} else {
		pack = listpack.InsertBefore(pack, off, elem)
	}
	w.e = w.db.SetPacked(w.k, e, keyspace.ListPack, pack)
	return true
}

// listFind returns the index of the first element equal to elem, -1 when there is none.
func listFind(l *list.List, elem []byte) int {
	w := l.Walk(0, false)
	defer w.Close()
	for index := 0; w.Next(); index += w.N {
		if w.Pack == nil {
			if string(w.Plain) == string(elem) {
				return index
			}
			continue
		}
		if found := listpack.Find(w.Pack, w.Off, elem, 0); found >= 0 {
			for off := w.Off; off != found; off = listpack.Next(w.Pack, off) {
				index++
			}
			return index
		}
	}
	return -1
}

// LSET replaces one element. A missing key is noticed before an index that is no number.
var lsetSpec = Spec{
	Name: "lset", Group: GroupList, Since: "1.0.0", Arity: 4,
	Complexity: "O(log N) for a list of N chunks",
	Summary:    "Replaces an element of a list by its index.",
	Flags:      Write | DenyOOM,
	Keys:       KeySpecs{At(1).Flags(RW | Update)},
	Syntax:     "key index:integer element",
	Run:        lsetCommand,
}

func lsetCommand(c *Ctx) {
	e, found, failed := c.LookupWrite(1, keyspace.List)
	if failed {
		return
	}
	if !found {
		c.Reply.Error(MsgNoKey)
		return
	}
	index, ok := c.intArg(2)
	if !ok {
		return
	}
	k, elem := c.Key(1), c.Args[3]
	w := listEdit{c: c, db: c.DB(k), k: k, e: e}
	l := w.reserve(1, len(elem)) // even when the index turns out to be wrong
	n := int64(w.len())
	if index < 0 {
		index += n
	}
	if index < 0 || index >= n {
		c.Reply.Error(MsgOutOfRange)
		return
	}
	if l != nil {
		l.Set(int(index), elem)
		w.db.Settle(w.e)
	} else {
		e, pack := w.db.EditPacked(k, w.e, listpack.MaxEntry(elem))
		w.e = w.db.SetPacked(k, e, keyspace.ListPack, listpack.Replace(pack, listpack.Seek(pack, int(index)), elem))
	}
	c.Changed(k, keyspace.EventList, "lset")
	w.shrink()
	c.Reply.OK()
}

// LREM removes elements equal to a given one.
var lremSpec = Spec{
	Name: "lrem", Group: GroupList, Since: "1.0.0", Complexity: "O(N) for a list of N elements", Arity: 4,
	Summary: "Removes elements of a list that are equal to a given one.",
	Flags:   Write,
	Keys:    KeySpecs{At(1).Flags(RW | Delete)},
	Syntax:  "key count:integer element",
	Heavy:   func(c *Ctx) bool { return c.listHeavy(1, math.MaxInt64) },
	Run:     lremCommand,
}

func lremCommand(c *Ctx) {
	count, ok := c.intArg(2)
	if !ok {
		return
	}
	e, found, failed := c.LookupWrite(1, keyspace.List)
	if failed {
		return
	}
	if !found {
		c.Reply.Int(0)
		return
	}
	k, elem := c.Key(1), c.Args[3]
	w := listEdit{c: c, db: c.DB(k), k: k, e: e}
	back := count < 0
	if count = max(count, -count); count < 0 { // the smallest integer stands for all
		count = 0
	}
	removed, left := w.removeEqual(elem, int(count), back)
	if removed > 0 {
		w.removed("lrem", removed, left)
	}
	c.Reply.Int(int64(removed))
}

// removeEqual removes elements equal to elem, limit at most if limit > 0. It returns how many they were and how many there are now.
func (w *listEdit) removeEqual(elem []byte, limit int, back bool) (removed, left int) {
	if w.e.IsObject() {
		l := w.object()
		removed = l.Remove(elem, limit, back)
		return removed, l.Len()
	}
	pack := w.e.Packed()
	if listpack.Find(pack, listpack.First(pack), elem, 0) < 0 {
		return 0, listpack.Len(pack)
	}
	e, pack := w.db.EditPacked(w.k, w.e, 0)
	pack, removed = list.Remove(pack, elem, limit, back)
	left = listpack.Len(pack)
	w.e = w.db.SetPacked(w.k, e, keyspace.ListPack, pack)
	return removed, left
}

// LTRIM keeps a range of elements. It sends its event even when nothing was removed, but that is not journalled.
var ltrimSpec = Spec{
	Name: "ltrim", Group: GroupList, Since: "1.0.0", Complexity: "O(N) for N removed elements", Arity: 4,
	Summary: "Removes all elements of a list outside of a range.",
	Flags:   Write,
	Keys:    KeySpecs{At(1).Flags(RW | Delete)},
	Syntax:  "key start:integer stop:integer",
	Heavy:   ltrimHeavy,
	Run:     ltrimCommand,
}

// ltrimHeavy looks at what is removed, not at the list: capping one after each push is no work.
func ltrimHeavy(c *Ctx) bool {
	n := int64(c.elements(1))
	if n <= 2 {
		return false
	}
	kept, ok := c.listRangeArgs(int(n))
	return ok && c.listHeavy(1, n-int64(kept))
}

func ltrimCommand(c *Ctx) {
	first, ok := c.intArg(2)
	if !ok {
		return
	}
	last, ok := c.intArg(3)
	if !ok {
		return
	}
	e, found, failed := c.LookupWrite(1, keyspace.List)
	if failed {
		return
	}
	if !found {
		c.Reply.OK()
		return
	}
	k := c.Key(1)
	w := listEdit{c: c, db: c.DB(k), k: k, e: e}
	n := w.len()
	from, to := listRange(first, last, n)
	left := to - from + 1
	if left > 0 {
		w.deleteRange(to+1, n-to-1)
		w.deleteRange(0, from)
	}
	w.removed("ltrim", n-left, left)
	c.Reply.OK()
}
