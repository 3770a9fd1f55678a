package keyspace

import (
	"encoding/binary"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/deadline"
	"github.com/troupe-db/troupe/datatypes/dict"
)

// DB is the part of one numbered database that lives on one shard.
type DB struct {
	*space
	shard *Shard
	num   int

	watched    map[string][]*Watch   // see watch.go
	watchedWas int                   // how many keys of it are in the counts of the shard
	queues     map[string]*WaitQueue // of clients that wait for keys, see blocked.go
}

// space is the content of a DB, apart from its number: SWAPDB exchanges spaces, FLUSHDB replaces one.
type space struct {
	arena     *arena.Arena
	dict      *dict.Dict
	deadlines *deadline.Index // nil until the first volatile key
	index     *arena.Arena    // memory of deadlines: apart, since its chunks do not move when records are compacted
	volatile  int             // keys with a deadline
	// fields holds hashes by the earliest deadline of a field; nil until the first one.
	fields     *deadline.Index
	withFields int      // hashes with flagFields
	reaping    []uint64 // of hashes with more due fields than one slice removes, see expireFields
	objects    objectTable
	// deadlineSumMs is the sum of their deadlines, see DeadlineSumMs.
	deadlineSumMs int64
	cuts          []*Cut // walks under way that must see the space as it was

	compacting bool   // see compact.go
	compactPos uint64 // where the next step starts
	unmovable  int64  // holes that the last round left

	keyBuf []byte // scratch for the keys that active expiry removes

	orphan  bool // flushed, but not released yet: see leave
	keepers int  // pins that began before it was flushed and have not ended
}

func newSpace() *space {
	a := arena.New()
	return &space{arena: a, dict: dict.New(a, keyOff)}
}

func (sp *space) release() {
	sp.arena.Release()
	sp.objects.release()
	if sp.index != nil {
		sp.index.Release()
	}
}

// LookupFlags change what a lookup does besides finding the key.
type LookupFlags uint8

// Lookup flags.
const (
	NoTouch  LookupFlags = 1 << iota // leave access time and counter alone
	NoStats                          // do not count a hit or miss
	NoNotify                         // no keymiss event
	ForWrite                         // the command is about to change the value: no statistics, no event
)

// Index returns the number of the database.
func (db *DB) Index() int { return db.num }

// Shard returns the shard that the DB is part of.
func (db *DB) Shard() *Shard { return db.shard }

// Len returns the number of keys, those past their deadline but not yet removed included.
func (db *DB) Len() int { return db.dict.Len() }

// Volatile returns the number of keys with a deadline.
func (db *DB) Volatile() int { return db.volatile }

// UsedBytes returns the memory that keys, tables and the deadline index take.
func (db *DB) UsedBytes() int64 {
	// The slots of the table lie in the arena.
	n := db.arena.Used() + db.arena.Charged() + db.dict.DirBytes() + db.objects.bytes()
	if db.index != nil {
		n += db.index.Used()
	}
	return n
}

// TableBytes returns the part of UsedBytes that is not records.
func (db *DB) TableBytes() int64 {
	n := db.dict.Bytes()
	if db.index != nil {
		n += db.index.Used()
	}
	return n
}

// MappedBytes returns the memory that the DB holds from the system.
func (db *DB) MappedBytes() int64 {
	db.objects.settle()
	n := db.arena.Mapped() + db.objects.mapped
	if db.space.index != nil {
		n += db.space.index.Mapped()
	}
	return n
}

// DeadlineSumMs returns the sum of the deadlines, each as milliseconds after the time that the shard was made: what the
// average TTL is computed from. Deadlines more than 34 years away count as 34.
func (db *DB) DeadlineSumMs() int64 { return db.deadlineSumMs }

// RecordBytes returns the memory that the record of e takes, without its slot in the table.
func (db *DB) RecordBytes(e Entry) int { return db.arena.SizeOf(e.ref) }

// ValueBytes returns the memory that the value of e takes besides its record.
func (db *DB) ValueBytes(e Entry) int64 {
	if !e.IsObject() {
		return 0
	}
	return db.Object(e).Bytes()
}

// Lookup finds the key. A key whose deadline has passed is removed, and not found.
func (db *DB) Lookup(k Key, flags LookupFlags) (Entry, bool) {
	slot := db.dict.Find(k.H, k.B)
	if !slot.OK() {
		db.missed(k, flags)
		return Entry{}, false
	}
	e := Entry{slot.Ref()}
	if e.flags()&flagExpire != 0 && db.due(e) {
		db.expireNow(k, e)
		db.missed(k, flags)
		return Entry{}, false
	}
	if flags&NoTouch == 0 && !db.shard.NoTouch {
		db.shard.touch(e)
	}
	if flags&(NoStats|ForWrite) == 0 {
		db.shard.Stats.Hits++
	}
	return e, true
}

func (db *DB) missed(k Key, flags LookupFlags) {
	if flags&(NoStats|ForWrite) == 0 {
		db.shard.Stats.Misses++
	}
	if flags&(NoNotify|ForWrite) == 0 {
		db.Notify(EventKeyMiss, "keymiss", k.B)
	}
}

// LookupRead finds the key for a command that reads it.
func (db *DB) LookupRead(k Key) (Entry, bool) { return db.Lookup(k, 0) }

// LookupWrite finds the key for a command that changes it.
func (db *DB) LookupWrite(k Key) (Entry, bool) { return db.Lookup(k, ForWrite) }

// Exists tells whether the key is there, without any side effect on it.
func (db *DB) Exists(k Key) bool {
	_, ok := db.Lookup(k, NoTouch|NoStats|NoNotify)
	return ok
}

// Peek finds the key without any side effect on the DB: a key whose deadline has passed is not found but stays.
func (db *DB) Peek(k Key) (Entry, bool) {
	e, slot := db.find(k)
	if !slot.OK() || db.Due(e) {
		return Entry{}, false
	}
	return e, true
}

// PeekAny is Peek that finds a key also when its deadline has passed, as long as nobody has removed it.
func (db *DB) PeekAny(k Key) (Entry, bool) {
	e, slot := db.find(k)
	return e, slot.OK()
}

// find returns the entry of a key whatever its deadline.
func (db *DB) find(k Key) (Entry, dict.Slot) {
	slot := db.dict.Find(k.H, k.B)
	if !slot.OK() {
		return Entry{}, slot
	}
	return Entry{slot.Ref()}, slot
}

// findLive is find for a write that makes or replaces the value: a key whose deadline has passed is removed first, so
// that the write starts from nothing. While expiry is held it goes without a trace, since its name is taken over.
func (db *DB) findLive(k Key) (Entry, dict.Slot) {
	e, slot := db.find(k)
	if !slot.OK() || e.flags()&flagExpire == 0 || !db.due(e) {
		return e, slot
	}
	if db.shard.HoldExpiry {
		db.remove(k, e)
	} else {
		db.expireNow(k, e)
	}
	return Entry{}, dict.Slot{}
}

// Delete removes the key and tells whether it was there. A key whose deadline has passed counts as absent; it is
// removed as expired. Delete sends no event of its own: the reason is the caller's.
func (db *DB) Delete(k Key) bool {
	e, slot := db.find(k)
	if !slot.OK() {
		return false
	}
	if e.flags()&flagExpire != 0 && db.due(e) {
		db.expireNow(k, e)
		return false
	}
	db.remove(k, e)
	db.Touched(k.B)
	return true
}

// remove takes the record of e out of the table and frees it.
func (db *DB) remove(k Key, e Entry) {
	for _, c := range db.cuts {
		c.leaving(k, e)
	}
	db.dropValue(e)
	if e.flags()&flagExpire != 0 {
		db.volatile--
		db.deadlineSumMs -= db.shard.fromEpoch(e.ExpireAtMs())
	}
	db.dict.Delete(k.H, k.B)
	db.arena.Free(e.ref)
	db.shard.mark(db.num)
	db.Signal(k.B)
}

// insert adds a record for a key that is not there.
func (db *DB) insert(k Key, ref arena.Ref) {
	for _, c := range db.cuts {
		c.arriving(k)
	}
	db.dict.Insert(k.H, ref)
}

// created reports a key that was not there before, once its value is in place.
func (db *DB) created(k Key) {
	db.Signal(k.B)
	db.Notify(EventNew, "new", k.B)
}

// newRecord allocates a record with room for size bytes of value, writes all but the value, and returns the offset of
// the value. atMs < 0 means no deadline.
func (db *DB) newRecord(k Key, t Type, enc Encoding, flags byte, access uint32, atMs int64, size int) (Entry, int) {
	db.shard.mark(db.num)
	n := keyOff + uvarintLen(len(k.B)) + len(k.B) + size
	if atMs >= 0 {
		n += 8
		flags |= flagExpire
	}
	e := Entry{db.arena.Alloc(n)}
	*e.at(0) = byte(t)<<4 | byte(enc)
	*e.at(1) = flags
	e.setAccess(access)
	off := keyOff
	if len(k.B) < 0x80 {
		*e.at(off) = byte(len(k.B))
		off++
	} else {
		off += binary.PutUvarint(e.bytes(off, binary.MaxVarintLen64), uint64(len(k.B)))
	}
	off += copy(e.bytes(off, len(k.B)), k.B)
	if atMs >= 0 {
		binary.LittleEndian.PutUint64(e.bytes(off, 8), uint64(atMs))
		off += 8
	}
	return e, off
}

// Touched reports that the value at key changed: WATCH and client-side caching learn of it.
func (db *DB) Touched(key []byte) {
	if len(db.watched) > 0 {
		db.touchWatches(key)
	}
	if o := db.shard.Observer; o != nil {
		o.Modified(db, key)
	}
}

// Notify reports a keyspace event.
func (db *DB) Notify(class EventClass, name string, key []byte) {
	if o := db.shard.Observer; o != nil {
		o.Event(db, class, name, key)
	}
}

// Flush removes every key in O(1) and returns how many there were. The memory goes back away from the shard.
func (db *DB) Flush() int {
	n := db.dict.Len()
	db.shard.mark(db.num)
	db.replaceWatched(nil)
	old := db.space
	db.space = newSpace()
	db.signalAll()
	old.leave(db.shard)
	if o := db.shard.Observer; o != nil {
		o.Flushed(db, n > 0)
	}
	return n
}

// Scan calls fn for entries in hash order from position pos on, at least atLeast of them unless the end comes first.
// It returns the position to go on from and whether there is more. An element that is there throughout a series of
// such calls is seen at least once, whatever is inserted and deleted in between. fn must not change the DB.
func (db *DB) Scan(pos uint64, atLeast int, fn func(Entry)) (next uint64, more bool) {
	return db.space.scan(pos, atLeast, fn)
}

func (sp *space) scan(pos uint64, atLeast int, fn func(Entry)) (next uint64, more bool) {
	return sp.dict.Scan(pos, atLeast, func(s dict.Slot) { fn(Entry{s.Ref()}) })
}

// Random returns a random entry, every one with equal chance; it may be past its deadline.
func (db *DB) Random(rnd func() uint64) (Entry, bool) {
	ref := db.dict.Random(rnd)
	return Entry{ref}, ref != 0
}

// Due tells whether the deadline of e has passed.
func (db *DB) Due(e Entry) bool { return e.flags()&flagExpire != 0 && db.due(e) }

// Copy gives key k of db a copy of the value of e, which belongs to src, perhaps on another shard, with deadline atMs (-1:
// none). The key must not be there, or be past its deadline.
func (db *DB) Copy(k Key, src *DB, e Entry, atMs int64) {
	db.findLive(k)
	n := db.sameRecord(k, e, atMs)
	if e.IsObject() {
		o := src.Object(e)
		c := o.Clone(db.ArenaFor(o.Bytes()))
		n.setHandle(db.objects.add(objectSlot{obj: c, private: c.Arena() != db.arena}))
	}
	db.entered(k, src.nextField(e), atMs)
}

// Move gives key k of db the value of e, key from of src, with its deadline. The key must not be there, or be past its
// deadline. What the caller does next is to delete from. A large value changes hands without being copied, unless there is
// a view of it and it goes to another shard.
func (db *DB) Move(k Key, src *DB, from Key, e Entry) {
	db.findLive(k)
	fields, atMs := src.nextField(e), e.ExpireAtMs()
	n := db.sameRecord(k, e, atMs)
	if e.IsObject() {
		for _, c := range src.cuts {
			c.leaving(from, e)
		}
		n.setHandle(db.objects.add(db.adopt(src.detach(e), src)))
	}
	db.entered(k, fields, atMs)
}

// sameRecord inserts a record for k with what e has: of an object not yet the handle.
func (db *DB) sameRecord(k Key, e Entry, atMs int64) Entry {
	v := e.bytes(e.valueOff(), e.size()-e.valueOff())
	n, off := db.newRecord(k, e.Type(), e.Encoding(), e.flags()&^(flagExpire|flagFields), e.access(), atMs, len(v))
	copy(n.bytes(off, len(v)), v)
	db.insert(k, n.ref)
	return n
}

// entered ends the arrival of a complete value whose next deadline of a field is fieldMs.
func (db *DB) entered(k Key, fieldMs, atMs int64) {
	if atMs >= 0 {
		db.enterDeadline(k, atMs)
	}
	if fieldMs >= 0 {
		db.NoteFieldDeadline(k, fieldMs)
	}
	db.created(k)
}

// WarmSlot and WarmRecord bring a key's slot and record close to the processor, see dict.
func (db *DB) WarmSlot(hash uint64)   { db.dict.WarmSlot(hash) }
func (db *DB) WarmRecord(hash uint64) { db.dict.WarmRecord(hash) }
