package keyspace

import (
	"encoding/binary"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/dict"
)

// Packed values are the small collections: their bytes lie in the record of the key, in the formats that Redis keeps
// and saves them in, which say themselves how long they are.
//
//	ListPack    u32 bytes, u16 elements, elements, 0xff
//	ListPackEx  i64 earliest deadline of a field, then a listpack
//	IntSet      u32 bytes an element, u32 elements, elements
//
// All numbers are little endian.

// packedLen returns how many bytes the packed value at offset off takes.
func (e Entry) packedLen(off int) int {
	switch e.Encoding() {
	case IntSet:
		return 8 + int(binary.LittleEndian.Uint32(e.bytes(off, 4)))*int(binary.LittleEndian.Uint32(e.bytes(off+4, 4)))
	case ListPackEx:
		return 8 + int(binary.LittleEndian.Uint32(e.bytes(off+8, 4)))
	default:
		return int(binary.LittleEndian.Uint32(e.bytes(off, 4)))
	}
}

// IsPacked tells whether the value is a packed collection.
func (e Entry) IsPacked() bool {
	enc := e.Encoding()
	return enc == ListPack || enc == IntSet || enc == ListPackEx
}

// Packed returns the bytes of a packed value. They alias the record: they are valid until the next change of the DB.
func (e Entry) Packed() []byte {
	off := e.valueOff()
	n := e.packedLen(off)
	return e.bytes(off, n)
}

// PutPacked makes val, in the packed encoding enc, the value of the key in the place of whatever value it has. val is
// copied; it must not alias a record of this DB. atMs is a deadline in unix milliseconds, NoTTL or KeepTTL.
func (db *DB) PutPacked(k Key, t Type, enc Encoding, val []byte, atMs int64) Entry {
	e, off, created := db.place(k, t, enc, 0, atMs, len(val))
	copy(e.bytes(off, len(val)), val)
	if enc == ListPackEx {
		if at := int64(binary.LittleEndian.Uint64(val)); at > 0 {
			db.NoteFieldDeadline(k, at)
		}
	}
	if created {
		db.created(k)
	}
	return e
}

// EditPacked returns the bytes of the packed value at k, which is e, with a capacity for at least extra more, for the
// caller to change in place and to hand to SetPacked. The entry may have moved: the returned one takes its place.
func (db *DB) EditPacked(k Key, e Entry, extra int) (Entry, []byte) {
	for _, c := range db.cuts {
		c.changing(k, e)
	}
	off := e.valueOff()
	n := e.packedLen(off)
	room := db.arena.SizeOf(e.ref) - off
	if room < n+extra {
		_, slot := db.find(k)
		e = db.resize(slot, e, off+n, off+n+extra)
		room = db.arena.SizeOf(e.ref) - off
	}
	db.shard.mark(db.num)
	return e, unsafe.Slice(e.at(off), room)[:n]
}

// SetPacked ends an edit: val becomes the value of e, in the encoding enc. It is what EditPacked returned, changed and
// perhaps longer; a slice of another origin is copied.
func (db *DB) SetPacked(k Key, e Entry, enc Encoding, val []byte) Entry {
	off := e.valueOff()
	room := db.arena.SizeOf(e.ref)
	if len(val) > 0 && unsafe.SliceData(val) != e.at(off) {
		if off+len(val) > room {
			_, slot := db.find(k)
			e = db.resize(slot, e, off, off+len(val))
			room = db.arena.SizeOf(e.ref)
		}
		copy(e.bytes(off, len(val)), val)
	}
	*e.at(0) = *e.at(0)&0xf0 | byte(enc)
	// A value that has shrunk to less than half gives memory back; less often would waste it, more often cost copies.
	if need := off + len(val); need < room/2 && room > 64 {
		_, slot := db.find(k)
		e = db.resize(slot, e, need, need)
	}
	return e
}

// resize moves record e, of which the first keep bytes matter, into one of size bytes. Cuts need not be told: the
// content stays.
func (db *DB) resize(slot dict.Slot, e Entry, keep, size int) Entry {
	n := Entry{db.arena.Alloc(size)}
	copy(n.bytes(0, keep), e.bytes(0, keep))
	slot.Set(n.ref)
	db.arena.Free(e.ref)
	return n
}
