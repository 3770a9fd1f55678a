package command

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/hash"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/listpack"
)

// Hashes as commands see them: whatever the encoding, and without the fields whose deadline has come.
//
// A field is gone at the millisecond of its deadline. What active expiry has not removed by then, the next command on the hash
// removes, hashReapSlice of them at most. Should there be more, they are hidden from it and left to active expiry; that is also how it
// is while expiry is held. So no command does more on account of due fields than a bounded part of what it does anyway, but for
// counting them, which is why those that count say that they are heavy when there are many.

// hashReapSlice is how many due fields one command removes: some 0.1 ms.
const hashReapSlice = 256

// deadlineHead is what a listpackex has in front of its listpack, see package keyspace.
const deadlineHead = 8

// hashObject makes a hash.Hash a keyspace.Object.
type hashObject struct{ *hash.Hash }

// Clone implements keyspace.Object.
func (o hashObject) Clone(to *arena.Arena) keyspace.Object { return hashObject{o.Hash.Clone(to)} }

// hashValue is the hash at Args[1] as a command found it.
type hashValue struct {
	c  *Ctx
	k  keyspace.Key
	db *keyspace.DB
	e  keyspace.Entry

	found bool       // the key is there
	due   bool       // there are due fields, which must not be seen
	large *hash.Hash // nil for a small one
	small hash.Small // when large is nil
	val   []byte     // of a small one while it is edited
}

// openHash finds the hash at Args[1] and removes due fields. Another type is replied as an error, and ok is false.
func (c *Ctx) openHash(h *hashValue, write bool) (ok bool) {
	h.c, h.k = c, c.Key(1)
	h.db = c.DB(h.k)
	if write {
		h.e, h.found = h.db.LookupWrite(h.k)
	} else {
		h.e, h.found = h.db.LookupRead(h.k)
	}
	if !h.found {
		return true
	}
	if h.e.Type() != keyspace.Hash {
		c.Reply.Error(MsgWrongType)
		return false
	}
	h.load()
	if at := h.earliest(); at >= 0 && at <= c.NowMs {
		h.reap()
	}
	return true
}

// load reads the entry.
func (h *hashValue) load() {
	h.large, h.small = hashContent(h.db, h.e)
}

// hashContent returns the content of a hash: large is nil for a small one.
func hashContent(db *keyspace.DB, e keyspace.Entry) (large *hash.Hash, small hash.Small) {
	switch e.Encoding() {
	case keyspace.ListPack:
		small.LP = e.Packed()
	case keyspace.ListPackEx:
		small.LP, small.Dated = e.Packed()[deadlineHead:], true
	default:
		large = db.Object(e).(hashObject).Hash
	}
	return large, small
}

// earliest returns the earliest deadline of a field, -1 when there is none.
func (h *hashValue) earliest() int64 {
	switch {
	case h.large != nil:
		return h.large.NextFieldDeadline()
	case h.found:
		return h.small.Earliest()
	}
	return hash.None
}

func (h *hashValue) reap() {
	if !h.db.Shard().HoldExpiry {
		ReapFields(h.db, h.k, h.e, hashReapSlice)
		if h.e, h.found = h.db.Peek(h.k); !h.found {
			h.large, h.small = nil, hash.Small{}
			return
		}
		h.load()
	}
	at := h.earliest()
	h.due = at >= 0 && at <= h.c.NowMs
}

// ReapFields removes fields of the hash at k, which is e, whose deadline has come, at most budget of them if the hash is large, and
// the key with its last field. It returns how many. It is what Shard.ReapFields wants.
func ReapFields(db *keyspace.DB, k keyspace.Key, e keyspace.Entry, budget int) int {
	var fields [][]byte
	var text []byte // the names, which the observer must find whole after they are gone
	note := func(name []byte) {
		start := len(text)
		text = append(text, name...)
		fields = append(fields, text[start:len(text):len(text)])
	}
	nowMs := db.Shard().NowMs
	empty := false
	if e.IsPacked() {
		h := hashValue{k: k, db: db, e: e, found: true}
		h.load()
		if at := h.earliest(); at < 0 || at > nowMs {
			return 0
		}
		h.edit(0)
		var digits [20]byte
		h.small = h.small.Reap(nowMs, func(off int) { note(listpack.Text(h.small.LP, off, digits[:])) })
		h.store()
		empty = h.small.Len() == 0
	} else {
		large := db.EditObject(k, e).(hashObject).Hash
		large.Reap(nowMs, budget, note)
		empty = large.Len() == 0
	}
	if len(fields) == 0 {
		return 0
	}
	hashFieldsExpired(db, k, fields)
	if empty {
		db.Delete(k)
		db.Notify(keyspace.EventGeneric, "del", k.B)
	} else {
		db.Touched(k.B)
	}
	return len(fields)
}

// hashFieldsExpired tells the observer that due fields are gone.
func hashFieldsExpired(db *keyspace.DB, k keyspace.Key, fields [][]byte) {
	if o := db.Shard().Observer; o != nil {
		o.FieldsExpired(db, k.B, fields)
		o.Event(db, keyspace.EventHash, "hexpired", k.B)
	}
}

// size returns how many fields there are to be seen.
func (h *hashValue) size() int {
	switch {
	case h.large != nil:
		n := h.large.Len()
		if h.due {
			n -= h.large.CountDue(h.c.NowMs, n)
		}
		return n
	case h.found:
		n := h.small.Len()
		if h.due {
			n -= h.small.CountDue(h.c.NowMs)
		}
		return n
	}
	return 0
}

// hashItem is a field of a hashValue with its value: an item of a large one or an offset in a small one. It is valid
// until the next change.
type hashItem struct {
	item hash.Item
	off  int
}

// find returns a field that is there to be seen.
func (h *hashValue) find(field []byte) (it hashItem, ok bool) {
	switch {
	case h.large != nil:
		it.item, ok = h.large.Find(field)
		return it, ok && !(h.due && h.large.Due(it.item, h.c.NowMs))
	case h.found:
		it.off = h.small.Find(field)
		return it, it.off >= 0 && !(h.due && h.small.Due(it.off, h.c.NowMs))
	}
	return it, false
}

// value returns the value of an item. It aliases the hash or, for an integer, memory of the Ctx until its next use.
func (h *hashValue) value(it hashItem) []byte {
	if h.large != nil {
		return it.item.Value()
	}
	return listpack.Text(h.small.LP, h.small.Value(it.off), h.c.text[:])
}

// deadline returns the deadline of an item, -1 for none.
func (h *hashValue) deadline(it hashItem) int64 {
	if h.large != nil {
		return h.large.Deadline(it.item)
	}
	return h.small.Deadline(it.off)
}

// replyElement replies the element of a small hash at an offset.
func (h *hashValue) replyElement(off int) {
	h.c.Reply.Bulk(listpack.Text(h.small.LP, off, h.c.text[:]))
}

// reply replies field and value of an item, or one of them.
func (h *hashValue) reply(it hashItem, field, value bool) {
	if h.large == nil {
		if field {
			h.replyElement(it.off)
		}
		if value {
			h.replyElement(h.small.Value(it.off))
		}
		return
	}
	f, v := it.item.Pair()
	if field {
		h.c.Reply.Bulk(f)
	}
	if value {
		h.c.Reply.Bulk(v)
	}
}

// each calls fn for every field that is there to be seen. fn must not change the hash.
func (h *hashValue) each(fn func(hashItem)) {
	switch {
	case h.large != nil:
		h.large.Scan(0, h.large.Len(), func(it hash.Item) {
			if !h.due || !h.large.Due(it, h.c.NowMs) {
				fn(hashItem{item: it})
			}
		})
	case h.found:
		for off := h.small.First(); off >= 0; off = h.small.Next(off) {
			if !h.due || !h.small.Due(off, h.c.NowMs) {
				fn(hashItem{off: off})
			}
		}
	}
}

// edit begins a change of a small hash that makes it at most extra bytes longer.
func (h *hashValue) edit(extra int) {
	h.e, h.val = h.db.EditPacked(h.k, h.e, extra)
	h.small.LP = h.val
	if h.small.Dated {
		h.small.LP = h.val[deadlineHead:]
	}
}

// store ends a change of a small hash.
func (h *hashValue) store() {
	enc, val := keyspace.ListPack, h.small.LP
	if h.small.Dated {
		enc = keyspace.ListPackEx
		n := deadlineHead + len(h.small.LP)
		if n <= cap(h.val) && unsafe.SliceData(h.val[deadlineHead:]) == unsafe.SliceData(h.small.LP) {
			val = h.val[:n]
		} else {
			val = append(make([]byte, deadlineHead, n), h.small.LP...)
		}
		binary.LittleEndian.PutUint64(val, uint64(max(h.small.Earliest(), 0)))
	}
	h.e = h.db.SetPacked(h.k, h.e, enc, val)
	h.small.LP = h.e.Packed()
	if h.small.Dated {
		h.small.LP = h.small.LP[deadlineHead:]
	}
}

// date makes a small hash one that can have deadlines of fields.
func (h *hashValue) date() {
	if h.large != nil || h.small.Dated {
		return
	}
	var head [deadlineHead]byte
	var room [1024]byte
	h.val = nil
	val := h.small.AppendDated(append(room[:0], head[:]...))
	h.e, _ = h.db.EditPacked(h.k, h.e, len(val)-len(h.small.LP))
	h.e = h.db.SetPacked(h.k, h.e, keyspace.ListPackEx, val)
	h.load()
}

// hashFieldBytes is about what a field of a large hash takes besides name and value.
const hashFieldBytes = 14

// enlarge makes the hash a large one, or begins one if there is no key. more is how many bytes it will be longer.
func (h *hashValue) enlarge(more int) {
	if h.large != nil {
		return
	}
	fields := 0
	if h.found {
		fields = h.small.Len()
	}
	large := hash.New(h.db.ArenaFor(int64(len(h.small.LP) + fields*hashFieldBytes + more)))
	if h.found {
		var f, v [20]byte
		for off := h.small.First(); off >= 0; off = h.small.Next(off) {
			field := listpack.Text(h.small.LP, off, f[:])
			large.Put(field, listpack.Text(h.small.LP, h.small.Value(off), v[:]), false)
			if at := h.small.Deadline(off); at >= 0 {
				large.SetDeadline(field, at)
			}
		}
	}
	h.e = h.db.PutObject(h.k, keyspace.Hash, keyspace.HashTable, hashObject{large}, keyspace.KeepTTL)
	h.found, h.large, h.small = true, large, hash.Small{}
}

// fitsSmall tells whether so many bytes more, the longest element of which is longest, may be in a small hash.
func (h *hashValue) fitsSmall(longest, bytes int) bool {
	return longest <= h.c.Settings.HashMaxListpackValue && listpack.CanGrow(h.small.LP, bytes)
}

// put gives a field a value and tells whether it is new; a field that is there loses its deadline unless keep is set. more is
// how many bytes further puts may add. A command that is through calls settle.
func (h *hashValue) put(field, value []byte, keep bool, more int) (created bool) {
	if h.large == nil && !h.fitsSmall(max(len(field), len(value)), len(field)+len(value)) {
		h.enlarge(len(field) + len(value) + more)
	}
	if h.large != nil {
		if h.due {
			h.expire(field)
		}
		return h.db.EditObject(h.k, h.e).(hashObject).Put(field, value, keep)
	}
	if !h.found {
		var room [128]byte
		small := hash.Small{LP: listpack.AppendEmpty(room[:0])}.Put(-1, field, value, false)
		h.e = h.db.PutPacked(h.k, keyspace.Hash, keyspace.ListPack, small.LP, keyspace.NoTTL)
		h.found = true
		h.load()
		h.keepSmall(more)
		return true
	}
	if h.due {
		h.expire(field)
	}
	off := h.small.Find(field)
	extra := h.small.Growth(off, field, value)
	if extra > 0 {
		extra += more
	}
	h.edit(extra)
	h.small = h.small.Put(off, field, value, keep)
	h.store()
	h.keepSmall(more)
	return off < 0
}

// keepSmall makes a hash of too many fields a large one: also one that has not grown, but has as many since the limit was higher.
func (h *hashValue) keepSmall(more int) {
	if h.small.Len() > h.c.Settings.HashMaxListpackEntries {
		h.enlarge(more)
	}
}

// expire removes a field if its deadline has come, as expired; while expiry is held it goes without a trace, since its
// name is taken over or its removal was ordered.
func (h *hashValue) expire(field []byte) {
	if h.large != nil {
		if it, ok := h.large.Find(field); !ok || !h.large.Due(it, h.c.NowMs) {
			return
		}
		h.db.EditObject(h.k, h.e).(hashObject).Delete(field)
	} else {
		off := h.small.Find(field)
		if off < 0 || !h.small.Due(off, h.c.NowMs) {
			return
		}
		h.edit(0)
		h.small = h.small.Delete(off)
		h.store()
	}
	if !h.db.Shard().HoldExpiry {
		hashFieldsExpired(h.db, h.k, [][]byte{field})
	}
}

// settle ends puts into a hash that may have grown large.
func (h *hashValue) settle() {
	if h.large != nil {
		h.large = h.db.Settle(h.e).(hashObject).Hash
	}
}

// delete removes a field and tells whether it was there to be seen.
func (h *hashValue) delete(field []byte) bool {
	if h.due {
		h.expire(field)
	}
	if h.large != nil {
		return h.db.EditObject(h.k, h.e).(hashObject).Delete(field)
	}
	off := h.small.Find(field)
	if off < 0 {
		return false
	}
	h.edit(0)
	h.small = h.small.Delete(off)
	h.store()
	return true
}

// empty tells whether the last field is gone.
func (h *hashValue) empty() bool {
	if h.large != nil {
		return h.large.Len() == 0
	}
	return h.small.Len() == 0
}

// setDeadline gives a field that is there a deadline, or takes it away (-1). The caller notes the deadline. REQUIRES: date was called.
func (h *hashValue) setDeadline(field []byte, it hashItem, atMs int64) {
	if h.large != nil {
		h.db.EditObject(h.k, h.e).(hashObject).SetDeadline(field, atMs)
		return
	}
	h.edit(hash.DeadlineGrowth(1))
	h.small = h.small.SetDeadline(it.off, atMs)
	h.store()
}

// Weights, for Spec.Heavy.

// hashAt returns the content of the hash at Args[1], if there is one.
func (c *Ctx) hashAt() (large *hash.Hash, small hash.Small, ok bool) {
	k := c.Key(1)
	db := c.DB(k)
	e, ok := db.Peek(k)
	if !ok || e.Type() != keyspace.Hash {
		return nil, small, false
	}
	large, small = hashContent(db, e)
	return large, small, true
}

// hashHeavy tells whether going through all of the hash at Args[1] takes long.
func hashHeavy(c *Ctx) bool {
	large, small, ok := c.hashAt()
	if !ok {
		return false
	}
	if large == nil {
		return len(small.LP) > heavyBytes
	}
	return hashLong(large)
}

// hashLong tells whether going through all of a large hash takes long.
func hashLong(h *hash.Hash) bool { return h.Len() > heavyElements || h.Bytes() > heavyBytes }

// hashDueHeavy tells whether counting the due fields of the hash at Args[1] takes long.
func hashDueHeavy(c *Ctx) bool {
	large, _, _ := c.hashAt()
	return large != nil && large.Volatile() > heavyElements && large.CountDue(c.NowMs, heavyElements) == heavyElements
}

// hashBelow returns a random number below n > 0, each with the same chance but for a bias of n in 2^64.
func (c *Ctx) hashBelow(n int) int {
	i, _ := bits.Mul64(c.Rand(), uint64(n))
	return int(i)
}

// hashDecimal2 is Decimal with memory of its own, for an effect with two numbers.
func (c *Ctx) hashDecimal2(n int64) []byte { return strconv.AppendInt(c.text[:0], n, 10) }
