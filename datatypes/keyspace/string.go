package keyspace

import (
	"encoding/binary"
	"strconv"

	"github.com/troupe-db/troupe/datatypes/dict"
	"github.com/troupe-db/troupe/netio/resp"
)

// maxEmbStr is the longest string that Redis calls embstr.
const maxEmbStr = 44

// maxIntDigits is the longest decimal text that can be a 64-bit integer.
const maxIntDigits = 20

// KeepTTL, NoTTL: values of the deadline argument of SetString besides a time.
const (
	NoTTL   int64 = -1
	KeepTTL int64 = -2
)

// SetString makes val the value of the key, in the shortest of the encodings int, embstr and raw. atMs is the
// deadline in unix milliseconds, NoTTL or KeepTTL. val is copied; it must not alias a record of this DB.
func (db *DB) SetString(k Key, val []byte, atMs int64) {
	if len(val) <= maxIntDigits {
		if v, ok := resp.ParseInt(val); ok {
			db.SetInt(k, v, atMs)
			return
		}
	}
	db.SetText(k, val, atMs)
}

// SetText is SetString without the int encoding, even for a value that looks like an integer.
func (db *DB) SetText(k Key, val []byte, atMs int64) {
	enc := EmbStr
	if len(val) > maxEmbStr {
		enc = Raw
	}
	db.setBytes(k, val, enc, atMs)
}

// SetRaw is SetString with the raw encoding, whatever the value.
func (db *DB) SetRaw(k Key, val []byte, atMs int64) { db.setBytes(k, val, Raw, atMs) }

func (db *DB) setBytes(k Key, val []byte, enc Encoding, atMs int64) {
	flags, head := byte(0), 1
	if len(val) > maxShort {
		flags, head = flagLong, 4
	}
	e, off, created := db.place(k, String, enc, flags, atMs, head+len(val))
	if flags != 0 {
		binary.LittleEndian.PutUint32(e.bytes(off, 4), uint32(len(val)))
	} else {
		*e.at(off) = byte(len(val))
	}
	copy(e.bytes(off+head, len(val)), val)
	if created {
		db.created(k)
	}
}

// SetInt makes the decimal text of v the value of the key, in the int encoding.
func (db *DB) SetInt(k Key, v, atMs int64) {
	code := intWidthCode(v)
	e, off, created := db.place(k, String, Int, code<<intWidthPos, atMs, 1<<code)
	e.putInt(off, v, code)
	if created {
		db.created(k)
	}
}

// UpdateInt is SetInt with KeepTTL for an entry in the int encoding, where that needs no new record: it tells whether
// it has done so. A counter is found once and changed in place this way.
func (db *DB) UpdateInt(e Entry, v int64) bool {
	code := intWidthCode(v)
	if e.flags()&intWidthMask>>intWidthPos != code || e.Encoding() != Int || len(db.cuts) > 0 {
		return false
	}
	e.putInt(e.valueOff(), v, code)
	return true
}

func (e Entry) putInt(off int, v int64, code byte) {
	switch code {
	case 0:
		*e.at(off) = byte(v)
	case 1:
		binary.LittleEndian.PutUint16(e.bytes(off, 2), uint16(v))
	case 2:
		binary.LittleEndian.PutUint32(e.bytes(off, 4), uint32(v))
	default:
		binary.LittleEndian.PutUint64(e.bytes(off, 8), uint64(v))
	}
}

// place makes a record for a value of size bytes at the key: the one that is there where it fits without waste, a new
// one otherwise. What the key held is gone. The caller writes the value at the returned offset and then, when the key
// was not there, says so by created.
func (db *DB) place(k Key, t Type, enc Encoding, flags byte, atMs int64, size int) (e Entry, off int, created bool) {
	old, slot := db.findLive(k)
	if !slot.OK() {
		atMs = max(atMs, NoTTL)
		e, off := db.newRecord(k, t, enc, flags, db.shard.freshAccess(), atMs, size)
		db.insert(k, e.ref)
		if atMs >= 0 {
			db.enterDeadline(k, atMs)
		}
		return e, off, true
	}
	was := old.ExpireAtMs()
	if atMs == KeepTTL {
		atMs = was
	}
	if old.Type() != t || t != String { // not worth it for strings, which nobody waits for
		db.Signal(k.B)
	}
	access := db.shard.freshAccess()
	if db.shard.Config.LFU {
		access = old.access() // a hot key stays hot when it is overwritten
	}
	// The key keeps its place in the record, so a record of the right size class is written over.
	off, n := old.keySpan()
	off += n
	need := off + size
	if atMs >= 0 {
		need += 8
	}
	if room := db.arena.SizeOf(old.ref); need <= room && need >= room-room/4-8 && len(db.cuts) == 0 {
		db.dropValue(old)
		*old.at(0) = byte(t)<<4 | byte(enc)
		if atMs >= 0 {
			flags |= flagExpire
			binary.LittleEndian.PutUint64(old.bytes(off, 8), uint64(atMs))
			off += 8
		}
		*old.at(1) = flags
		old.setAccess(access)
		db.redate(k, was, atMs)
		return old, off, false
	}
	e, off = db.newRecord(k, t, enc, flags, access, atMs, size)
	for _, c := range db.cuts {
		c.changing(k, old)
	}
	db.dropValue(old)
	slot.Set(e.ref)
	db.arena.Free(old.ref)
	db.redate(k, was, atMs)
	return e, off, false
}

// replace puts record e, which has the same object if any, in the place of old, which is freed.
func (db *DB) replace(k Key, slot dict.Slot, old, e Entry) {
	for _, c := range db.cuts {
		c.changing(k, old)
	}
	slot.Set(e.ref)
	db.arena.Free(old.ref)
}

// Int returns the value when it is in the int encoding.
func (e Entry) Int() (int64, bool) {
	if e.Encoding() != Int {
		return 0, false
	}
	off := e.valueOff()
	switch e.intWidth() {
	case 1:
		return int64(int8(*e.at(off))), true
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(e.bytes(off, 2)))), true
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(e.bytes(off, 4)))), true
	default:
		return int64(binary.LittleEndian.Uint64(e.bytes(off, 8))), true
	}
}

// Bytes returns the string value. It aliases the record, or scratch when the value is an integer: give it a slice of
// capacity 20 or more to avoid an allocation.
func (e Entry) Bytes(scratch []byte) []byte {
	if v, ok := e.Int(); ok {
		return strconv.AppendInt(scratch[:0], v, 10)
	}
	off, n := e.stringSpan()
	return e.bytes(off, n)
}

// StringLen returns the length of the string value in bytes.
func (e Entry) StringLen() int {
	if e.Encoding() == Int {
		var scratch [maxIntDigits]byte
		return len(e.Bytes(scratch[:]))
	}
	_, n := e.stringSpan()
	return n
}

// Grow makes the string value of the key at least n bytes long, in the raw encoding, padding it with zero bytes, and
// returns the whole value for the caller to change in place; it is valid until the next change of the DB. A key that
// is not there is created. The deadline stays.
func (db *DB) Grow(k Key, n int) []byte {
	old, slot := db.findLive(k)
	if !slot.OK() {
		e := db.growInto(k, Entry{}, nil, n, n)
		db.insert(k, e.ref)
		db.created(k)
		off, have := e.stringSpan()
		return e.bytes(off, have)
	}
	var scratch [maxIntDigits]byte
	cur := old.Bytes(scratch[:])
	n = max(n, len(cur))
	if old.Encoding() != Int && len(db.cuts) == 0 && (old.flags()&flagLong != 0 || n <= maxShort) {
		// There may be room behind the value: allocation classes and the reserve below leave some.
		off, _ := old.stringSpan()
		if off+n <= db.arena.SizeOf(old.ref) {
			*old.at(0) = byte(String)<<4 | byte(Raw)
			v := old.bytes(off, n)
			clear(v[len(cur):])
			if old.flags()&flagLong != 0 {
				binary.LittleEndian.PutUint32(old.bytes(off-4, 4), uint32(n))
			} else {
				*old.at(off - 1) = byte(n)
			}
			return v
		}
	}
	// A string that grows will grow again: reserve as much again up to 1 MiB, so that appending is linear.
	reserve := n
	if n > len(cur) {
		reserve += min(n, 1<<20)
	}
	e := db.growInto(k, old, cur, n, reserve)
	db.replace(k, slot, old, e)
	off, _ := e.stringSpan()
	return e.bytes(off, n)
}

// growInto returns a new raw record of length n with room for reserve bytes, that starts with cur.
func (db *DB) growInto(k Key, old Entry, cur []byte, n, reserve int) Entry {
	flags, head := byte(0), 1
	if n > maxShort {
		flags, head = flagLong, 4
	}
	atMs, access := NoTTL, db.shard.freshAccess()
	if old.Valid() {
		atMs, access = old.ExpireAtMs(), old.access()
	}
	e, off := db.newRecord(k, String, Raw, flags, access, atMs, head+reserve)
	if flags != 0 {
		binary.LittleEndian.PutUint32(e.bytes(off, 4), uint32(n))
	} else {
		*e.at(off) = byte(n)
	}
	v := e.bytes(off+head, n)
	clear(v[copy(v, cur):])
	return e
}
