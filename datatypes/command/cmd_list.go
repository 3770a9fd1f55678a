package command

import (
	"strconv"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/list"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/netio/resp"
)

// Lists: how they are kept, and pushing. Reading is in cmd_list_range.go, popping and moving in cmd_list_pop.go, changes in the middle in
// cmd_list_edit.go.
//
// A list is a listpack in the record of its key up to list-max-listpack-size, beyond that an object (a quicklist). It becomes one when
// something is about to be added that would exceed the limit, by a rough estimate that leaves out what elements need besides their text;
// and a listpack again when elements are removed and it is down to half of the limit, in one chunk.

// listObject is a large list as the keyspace holds it.
type listObject struct{ *list.List }

// Clone implements keyspace.Object.
func (o listObject) Clone(to *arena.Arena) keyspace.Object { return listObject{o.List.Clone(to)} }

// listEnd is an end of a list.
type listEnd bool

const (
	listHead listEnd = false
	listTail listEnd = true
)

// pushEvent returns the name of the event of a push, which is that of the command too.
func (end listEnd) pushEvent() string {
	if end == listTail {
		return "rpush"
	}
	return "lpush"
}

// popEvent is pushEvent for a pop.
func (end listEnd) popEvent() string {
	if end == listTail {
		return "rpop"
	}
	return "lpop"
}

var (
	wordLPop = []byte("LPOP")
	wordRPop = []byte("RPOP")
)

// popWord returns the command that repeats a pop.
func (end listEnd) popWord() []byte {
	if end == listTail {
		return wordRPop
	}
	return wordLPop
}

// listEndOf reads LEFT or RIGHT.
func listEndOf(word []byte) (end listEnd, ok bool) {
	switch {
	case equalFold(word, "LEFT"):
		return listHead, true
	case equalFold(word, "RIGHT"):
		return listTail, true
	}
	return listHead, false
}

// listLen returns the number of elements of a list.
func listLen(db *keyspace.DB, e keyspace.Entry) int {
	if e.IsObject() {
		return db.Object(e).Len()
	}
	return listpack.Len(e.Packed())
}

// listHeavy tells whether going through n elements of the list at Args[i] is a lot of work: because of their number or their bytes.
func (c *Ctx) listHeavy(i int, n int64) bool {
	k := c.Key(i)
	db := c.DB(k)
	e, ok := db.Peek(k)
	if !ok || e.Type() != keyspace.List || !e.IsObject() {
		return false
	}
	o := db.Object(e)
	if o.Len() == 0 {
		return false
	}
	n = min(n, int64(o.Len()))
	return n > heavyElements || n*(o.Bytes()/int64(o.Len())) > heavyBytes
}

// listOptions returns how a new large list is kept.
func (c *Ctx) listOptions() list.Options {
	return list.Options{
		MaxSize: c.Settings.ListMaxListpackSize, Depth: c.Settings.ListCompressDepth, PlainFrom: c.Settings.ListPlainFrom,
	}
}

// listEdit changes the list at a key. Whoever removes elements ends with removed.
type listEdit struct {
	c  *Ctx
	db *keyspace.DB
	k  keyspace.Key
	e  keyspace.Entry
}

// object returns the list, for changing, when it is an object; otherwise nil.
func (w *listEdit) object() *list.List {
	if !w.e.IsObject() {
		return nil
	}
	return w.db.EditObject(w.k, w.e).(listObject).List
}

// len returns the number of elements.
func (w *listEdit) len() int { return listLen(w.db, w.e) }

// unpack turns the list into an object, with bytes more to come. The object is settled by the caller when they are there.
func (w *listEdit) unpack(bytes int) *list.List {
	pack := w.e.Packed()
	l := list.New(w.db.ArenaFor(int64(len(pack)+bytes)), w.c.listOptions())
	l.AppendListpack(pack)
	w.e = w.db.PutObject(w.k, keyspace.List, keyspace.QuickList, listObject{l}, keyspace.KeepTTL)
	return l
}

// reserve turns a listpack into an object when n elements with so many bytes of text are too many for it. It returns the object, for
// changing; nil when the list is a listpack still.
func (w *listEdit) reserve(n, bytes int) *list.List {
	if w.e.IsObject() {
		return w.object()
	}
	pack := w.e.Packed()
	if !list.LimitOf(w.c.Settings.ListMaxListpackSize).Exceeded(len(pack)+bytes, listpack.Len(pack)+n) {
		return nil
	}
	return w.unpack(bytes)
}

// push adds elements at an end, one after another.
func (w *listEdit) push(elems [][]byte, end listEnd, bytes int) {
	if l := w.reserve(len(elems), bytes); l != nil {
		listPushAll(l, elems, end)
		w.db.Settle(w.e)
		return
	}
	room := 0
	for _, elem := range elems {
		room += listpack.MaxEntry(elem)
	}
	e, pack := w.db.EditPacked(w.k, w.e, room)
	w.e = w.db.SetPacked(w.k, e, keyspace.ListPack, packPushAll(pack, elems, end))
}

// listPushAll adds elements at an end of a large list.
func listPushAll(l *list.List, elems [][]byte, end listEnd) {
	for _, elem := range elems {
		if end == listTail {
			l.PushTail(elem)
		} else {
			l.PushHead(elem)
		}
	}
}

// packPushAll adds elements at an end of a listpack.
func packPushAll(pack []byte, elems [][]byte, end listEnd) []byte {
	for _, elem := range elems {
		if end == listTail {
			pack = listpack.Append(pack, elem)
		} else {
			pack = listpack.Prepend(pack, elem)
		}
	}
	return pack
}

// createList makes a list of elements that are pushed at an end. The key must not be there.
func (c *Ctx) createList(k keyspace.Key, elems [][]byte, end listEnd, bytes int) {
	db := c.DB(k)
	if list.LimitOf(c.Settings.ListMaxListpackSize).Exceeded(listpack.MinBytes+bytes, len(elems)) {
		l := list.New(db.ArenaFor(int64(bytes)), c.listOptions())
		listPushAll(l, elems, end)
		db.Settle(db.PutObject(k, keyspace.List, keyspace.QuickList, listObject{l}, keyspace.NoTTL))
		return
	}
	var room [256]byte
	pack := packPushAll(listpack.AppendEmpty(room[:0]), elems, end)
	db.PutPacked(k, keyspace.List, keyspace.ListPack, pack, keyspace.NoTTL)
}

// removed ends a change that removed n elements and perhaps all: the event, the end of a key whose list is empty, the change of
// encoding. left is how many elements there are; of a list that loses all of them, the last may be left for the key to take along.
func (w *listEdit) removed(event string, n, left int) {
	w.c.Changed(w.k, keyspace.EventList, event)
	w.c.Dirty(n - 1)
	if left == 0 {
		w.c.dropEmpty(w.k)
		return
	}
	w.shrink()
}

// shrink makes an object that has become small a listpack.
func (w *listEdit) shrink() {
	if !w.e.IsObject() {
		return
	}
	l := w.db.Object(w.e).(listObject).List
	pack, ok := l.Listpack()
	if !ok || !list.LimitOf(w.c.Settings.ListMaxListpackSize).Shrunk(len(pack), l.Len()) {
		return
	}
	// The object goes before its bytes are in the record.
	var room [512]byte
	pack = append(room[:0], pack...)
	w.e = w.db.PutPacked(w.k, keyspace.List, keyspace.ListPack, pack, keyspace.KeepTTL)
}

// replyRun appends the first n elements of a run to the reply, in the direction of the walk.
func replyRun(w *resp.Writer, r *list.Run, n int, back bool) {
	if r.Pack == nil {
		w.Bulk(r.Plain)
		return
	}
	var digits [20]byte
	pack, off := r.Pack, r.Off
	for ; n > 0; n-- {
		if s, v, isInt := listpack.Get(pack, off); isInt {
			w.Bulk(strconv.AppendInt(digits[:0], v, 10))
		} else {
			w.Bulk(s)
		}
		if back {
			off = listpack.Prev(pack, off)
		} else {
			off = listpack.Next(pack, off)
		}
	}
}

// replyElements appends n elements of a list, from element start on in either direction, to the reply.
func (c *Ctx) replyElements(db *keyspace.DB, e keyspace.Entry, start, n int, back bool) {
	if !e.IsObject() {
		pack := e.Packed()
		r := list.Run{Pack: pack, Off: listpack.Seek(pack, start)}
		replyRun(c.Reply, &r, n, back)
		return
	}
	w := db.Object(e).(listObject).Walk(start, back)
	defer w.Close()
	for n > 0 && w.Next() {
		take := min(n, w.N)
		replyRun(c.Reply, &w.Run, take, back)
		n -= take
	}
}

// LPUSH puts elements in front of a list, each in front of the one before, and creates the list if there is none.
var lpushSpec = Spec{
	Name: "lpush", Group: GroupList, Since: "1.0.0", Complexity: "O(N) for N elements", Arity: -3,
	Summary:    "Puts elements at the head of the list at a key, creating the list if there is none.",
	Flags:      Write | DenyOOM | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Insert)},
	History:    [][2]string{{"2.4.0", "Takes several elements."}},
	Syntax:     "key element...",
	HeavyWords: heavyElements,
	Run:        func(c *Ctx) { pushCommand(c, listHead, true) },
}

// RPUSH is LPUSH at the other end.
var rpushSpec = Spec{
	Name: "rpush", Group: GroupList, Since: "1.0.0", Complexity: "O(N) for N elements", Arity: -3,
	Summary:    "Puts elements at the tail of the list at a key, creating the list if there is none.",
	Flags:      Write | DenyOOM | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Insert)},
	History:    [][2]string{{"2.4.0", "Takes several elements."}},
	Syntax:     "key element...",
	HeavyWords: heavyElements,
	Run:        func(c *Ctx) { pushCommand(c, listTail, true) },
}

// LPUSHX is LPUSH for a list that is there.
var lpushxSpec = Spec{
	Name: "lpushx", Group: GroupList, Since: "2.2.0", Complexity: "O(N) for N elements", Arity: -3,
	Summary:    "Puts elements at the head of the list at a key, if there is one.",
	Flags:      Write | DenyOOM | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Insert)},
	History:    [][2]string{{"4.0.0", "Takes several elements."}},
	Syntax:     "key element...",
	HeavyWords: heavyElements,
	Run:        func(c *Ctx) { pushCommand(c, listHead, false) },
}

// RPUSHX is RPUSH for a list that is there.
var rpushxSpec = Spec{
	Name: "rpushx", Group: GroupList, Since: "2.2.0", Complexity: "O(N) for N elements", Arity: -3,
	Summary:    "Puts elements at the tail of the list at a key, if there is one.",
	Flags:      Write | DenyOOM | Fast,
	Keys:       KeySpecs{At(1).Flags(RW | Insert)},
	History:    [][2]string{{"4.0.0", "Takes several elements."}},
	Syntax:     "key element...",
	HeavyWords: heavyElements,
	Run:        func(c *Ctx) { pushCommand(c, listTail, false) },
}

func pushCommand(c *Ctx, end listEnd, create bool) {
	e, found, failed := c.LookupWrite(1, keyspace.List)
	if failed {
		return
	}
	if !found && !create {
		c.Reply.Int(0)
		return
	}
	k, elems := c.Key(1), c.Args[2:]
	bytes := 0
	for _, elem := range elems {
		bytes += len(elem)
	}
	n := len(elems)
	if found {
		w := listEdit{c: c, db: c.DB(k), k: k, e: e}
		w.push(elems, end, bytes)
		n = w.len()
	} else {
		c.createList(k, elems, end, bytes)
	}
	c.Changed(k, keyspace.EventList, end.pushEvent())
	c.Dirty(len(elems) - 1)
	c.Reply.Int(int64(n))
}
