package keyspace

import (
	"encoding/binary"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/invariants"
)

// Object is a large value: a Go object whose bulk lies in an arena. A record holds a handle to it.
//
// It lives in the arena of its DB until it passes privateBytes; then it gets an arena of its own, so that it can be
// dropped, renamed across shards and compacted without touching its elements.
type Object interface {
	// Len returns the number of elements.
	Len() int
	// Bytes returns all memory of the value: pieces of arena memory and the Go heap. O(1).
	Bytes() int64
	// Arena returns where the value lives.
	Arena() *arena.Arena
	// Clone returns an independent copy in another arena.
	Clone(to *arena.Arena) Object
	// Free gives every piece back to the arena. The object must not be used afterwards.
	Free()
	// Compact moves pieces for which Arena().ShouldMove, looking at about budget of them from position pos on, and
	// returns where to go on.
	Compact(pos uint64, budget int) (next uint64, more bool)
	// Frozen tells whether a view of the value is in use: the object must neither be freed nor compacted.
	Frozen() bool
}

// FieldDeadliner is an Object whose elements may have deadlines.
type FieldDeadliner interface {
	// NextFieldDeadline returns the earliest deadline of an element in unix milliseconds, -1 when there is none.
	NextFieldDeadline() int64
}

const (
	// privateBytes is the size from which a value has an arena of its own. Below it, dropping or moving a value piece
	// by piece takes about a millisecond at most.
	privateBytes = 512 << 10

	handleBytes = 4
	noHandle    = 1<<32 - 1 // the object was taken away from the record

	objectBlock = 1024
)

// objectSlot is what a handle stands for.
type objectSlot struct {
	obj     Object
	private bool
	listed  bool  // the handle stands in objectTable.private
	edited  bool  // used and mapped are to be counted anew
	used    int64 // of a private arena, as counted in objectTable.used
	mapped  int64
}

// objectTable maps handles to objects. It grows by blocks, so that it is never copied.
type objectTable struct {
	blocks  []*[objectBlock]objectSlot
	free    []uint32 // handles that are not in use
	next    uint32
	private []uint32 // handles of values with an arena of their own; may hold stale ones
	edited  []uint32
	zombies []objectSlot // dropped while a view of them was in use

	used, mapped int64 // of private arenas

	// The compaction of private arenas, one after another.
	turn    int // index in private
	moving  Object
	movePos uint64
}

func (t *objectTable) at(h uint32) *objectSlot { return &t.blocks[h/objectBlock][h%objectBlock] }

func (t *objectTable) add(s objectSlot) uint32 {
	var h uint32
	if n := len(t.free); n > 0 {
		h, t.free = t.free[n-1], t.free[:n-1]
	} else {
		h = t.next
		t.next++
		if int(h/objectBlock) == len(t.blocks) {
			t.blocks = append(t.blocks, new([objectBlock]objectSlot))
		}
	}
	s.listed = t.at(h).listed
	*t.at(h) = s
	if s.private {
		t.list(h)
	}
	return h
}

// holds tells whether h stands for o.
func (t *objectTable) holds(h uint32, o Object) bool { return h < t.next && t.at(h).obj == o }

// take removes the object of h from the table.
func (t *objectTable) take(h uint32) objectSlot {
	s := *t.at(h)
	if s.private {
		t.used -= s.used
		t.mapped -= s.mapped
	}
	*t.at(h) = objectSlot{listed: s.listed}
	t.free = append(t.free, h)
	return s
}

// list enters h among the private ones.
func (t *objectTable) list(h uint32) {
	if s := t.at(h); !s.listed {
		s.listed = true
		t.private = append(t.private, h)
	}
	t.touch(h)
}

// touch notes that the private arena of h may have grown or shrunk.
func (t *objectTable) touch(h uint32) {
	if s := t.at(h); s.private && !s.edited {
		s.edited = true
		t.edited = append(t.edited, h)
	}
}

// settle counts the private arenas that were changed.
func (t *objectTable) settle() {
	for _, h := range t.edited {
		s := t.at(h)
		if !s.edited {
			continue // was dropped since
		}
		s.edited = false
		a := s.obj.Arena()
		used, mapped := a.Used()+a.Charged(), a.Mapped()
		t.used += used - s.used
		t.mapped += mapped - s.mapped
		s.used, s.mapped = used, mapped
	}
	t.edited = t.edited[:0]
}

// bytes returns the memory of the table and of values with an arena of their own.
func (t *objectTable) bytes() int64 {
	if len(t.edited) > 0 {
		t.settle()
	}
	return t.used + int64(len(t.blocks))*int64(unsafe.Sizeof([objectBlock]objectSlot{}))
}

// release gives the private arenas back, of zombies too.
func (t *objectTable) release() {
	for _, h := range t.private {
		if s := t.at(h); s.private {
			s.obj.Arena().Release()
			s.private = false
		}
	}
	for _, z := range t.zombies {
		if z.private {
			z.obj.Arena().Release()
		}
	}
	*t = objectTable{}
}

// IsObject tells whether the value is an Object.
func (e Entry) IsObject() bool { return e.Encoding() >= QuickList && e.Encoding() <= StreamEnc }

func (e Entry) handle() uint32 { return binary.LittleEndian.Uint32(e.bytes(e.valueOff(), handleBytes)) }

func (e Entry) setHandle(h uint32) {
	binary.LittleEndian.PutUint32(e.bytes(e.valueOff(), handleBytes), h)
}

// Object returns the value of e for reading.
func (db *DB) Object(e Entry) Object { return db.objects.at(e.handle()).obj }

// EditObject returns the value at k, which is e, for changing.
func (db *DB) EditObject(k Key, e Entry) Object {
	for _, c := range db.cuts {
		c.changing(k, e)
	}
	db.shard.mark(db.num)
	h := e.handle()
	db.objects.touch(h)
	return db.objects.at(h).obj
}

// Settle is to be called when an object has grown: one that is large by now moves to an arena of its own, once. The
// returned object takes the place of what Object and EditObject returned before.
func (db *DB) Settle(e Entry) Object {
	s := db.objects.at(e.handle())
	if s.private || s.obj.Bytes() < privateBytes || s.obj.Frozen() {
		return s.obj
	}
	a := arena.New()
	old := s.obj
	s.obj, s.private = old.Clone(a), true
	old.Free()
	db.objects.list(e.handle())
	return s.obj
}

// ArenaFor returns where to build a value of about this many bytes for PutObject.
func (db *DB) ArenaFor(bytes int64) *arena.Arena {
	if bytes >= privateBytes {
		return arena.New()
	}
	return db.arena
}

// PutObject makes o the value of the key in the place of whatever value it has. o must live in an arena of ArenaFor. atMs
// is a deadline in unix milliseconds, NoTTL or KeepTTL.
func (db *DB) PutObject(k Key, t Type, enc Encoding, o Object, atMs int64) Entry {
	e, _, created := db.place(k, t, enc, 0, atMs, handleBytes)
	e.setHandle(db.objects.add(objectSlot{obj: o, private: o.Arena() != db.arena}))
	if f, ok := o.(FieldDeadliner); ok && f.NextFieldDeadline() >= 0 {
		db.NoteFieldDeadline(k, f.NextFieldDeadline())
	}
	if created {
		db.created(k)
	}
	return e
}

// detach takes the object of record e away; the record keeps no handle. REQUIRES: cuts were told.
func (db *DB) detach(e Entry) objectSlot {
	s := db.objects.take(e.handle())
	e.setHandle(noHandle)
	return s
}

// dropValue lets go of what the record e refers to. The record itself is the caller's.
func (db *DB) dropValue(e Entry) {
	if e.flags()&flagFields != 0 {
		db.withFields--
	}
	if !e.IsObject() || e.handle() == noHandle {
		return
	}
	db.discard(db.objects.take(e.handle()))
}

// discard frees an object that no record refers to: at once, or when the last view of it ends.
func (db *DB) discard(s objectSlot) {
	switch {
	case s.obj.Frozen():
		db.objects.zombies = append(db.objects.zombies, s)
	case s.private:
		db.shard.later(s.obj.Arena().Release)
	default:
		s.obj.Free()
	}
}

// bury frees the dropped objects whose views have ended.
func (db *DB) bury() {
	t := &db.objects
	kept := t.zombies[:0]
	for _, z := range t.zombies {
		if z.obj.Frozen() {
			kept = append(kept, z)
		} else {
			db.discard(z)
		}
	}
	clear(t.zombies[len(kept):])
	t.zombies = kept
}

// adopt gives key k of db the object of s, which another DB has let go of, and returns the slot it has here. A view belongs
// to the shard that it was made on, so a value that has one does not go to another shard: a copy does.
func (db *DB) adopt(s objectSlot, from *DB) objectSlot {
	stays := s.obj.Frozen() && from.shard != db.shard
	if from.arena == db.arena || s.private && !stays {
		return objectSlot{obj: s.obj, private: s.private}
	}
	n := s.obj.Clone(db.ArenaFor(s.obj.Bytes()))
	from.discard(s)
	return objectSlot{obj: n, private: n.Arena() != db.arena}
}

// compactPrivate does a step of the upkeep of private arenas. It tells whether there is more to do at once.
func (db *DB) compactPrivate(budget int) (more bool) {
	t := &db.objects
	if len(t.private) == 0 {
		return false
	}
	if t.turn >= len(t.private) {
		t.turn = 0
	}
	h := t.private[t.turn]
	s := t.at(h)
	if s.obj == nil || !s.private {
		s.listed = false
		last := len(t.private) - 1
		t.private[t.turn] = t.private[last]
		t.private = t.private[:last]
		t.moving = nil
		return len(t.private) > 0
	}
	a := s.obj.Arena()
	if t.moving != s.obj {
		t.moving = nil
		wasted := a.Wasted()
		if s.obj.Frozen() || wasted < compactMinBytes || float64(wasted) < compactAt*float64(a.Mapped()) || !a.BeginCompact() {
			a.Trim()
			t.touch(h)
			t.turn++
			return t.turn < len(t.private)
		}
		t.moving, t.movePos = s.obj, 0
	}
	if s.obj.Frozen() {
		// The copies that writes under a view make are of its own time; the round ends as far as it came.
		a.EndCompact()
		t.moving = nil
		t.turn++
		return false
	}
	next, left := s.obj.Compact(t.movePos, budget)
	t.movePos = next
	t.touch(h)
	if !left {
		a.EndCompact()
		a.Trim()
		t.moving = nil
		t.turn++
	}
	return left || t.turn < len(t.private)
}

// NoteFieldDeadline says that the earliest deadline of a field of the hash at k may be atMs now.
func (db *DB) NoteFieldDeadline(k Key, atMs int64) {
	e, slot := db.find(k)
	if invariants.Enabled && !slot.OK() {
		panic("keyspace: field deadline of a key that is not there")
	}
	if e.flags()&flagFields == 0 {
		*e.at(1) |= flagFields
		db.withFields++
	}
	db.addDeadline(&db.space.fields, k.H, atMs)
}

// nextField returns the earliest deadline of a field of e, -1 when there is none.
func (db *DB) nextField(e Entry) int64 {
	switch {
	case e.flags()&flagFields == 0:
		return NoTTL
	case e.Encoding() == ListPackEx:
		if at := int64(binary.LittleEndian.Uint64(e.Packed())); at > 0 {
			return at
		}
		return NoTTL
	case e.IsObject():
		if f, ok := db.Object(e).(FieldDeadliner); ok {
			return f.NextFieldDeadline()
		}
	}
	return NoTTL
}

// fieldSlice is how many fields active expiry removes before it lets others go on.
const fieldSlice = 512

// expireFields removes fields whose deadline has passed, see ExpireDue. A hash with more of them than fit a slice waits in
// reaping meanwhile.
func (db *DB) expireFields(budget int) (more bool) {
	sp := db.space
	if sp.fields == nil || db.shard.ReapFields == nil {
		return false
	}
	left := fieldSlice
	for len(sp.reaping) > 0 {
		hash := sp.reaping[len(sp.reaping)-1]
		at, done := db.reapDue(hash, &left)
		if !done {
			return true
		}
		sp.reaping = sp.reaping[:len(sp.reaping)-1]
		if at >= 0 {
			db.addDeadline(&sp.fields, hash, at)
		}
	}
	more = sp.fields.Advance(db.shard.NowMs, budget, db.warm, func(hash uint64) (int64, bool) {
		at, done := db.reapDue(hash, &left)
		if !done {
			sp.reaping = append(sp.reaping, hash)
		}
		return at, done && at >= 0
	})
	return more || len(sp.reaping) > 0
}

// reapDue removes fields whose deadline has passed from the hashes with these bits of their keys, up to left of them.
// When it is done, at is the earliest deadline that remains, or -1.
func (db *DB) reapDue(known uint64, left *int) (at int64, done bool) {
	for {
		e, hash, at := db.earliestField(known)
		if at < 0 || at > db.shard.NowMs {
			return at, true
		}
		if *left <= 0 {
			return 0, false
		}
		db.keyBuf = append(db.keyBuf[:0], e.Key()...)
		*left -= 1 + db.shard.ReapFields(db, Key{db.keyBuf, hash}, e, *left)
	}
}
