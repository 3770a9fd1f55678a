package keyspace

import (
	"encoding/binary"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// Layout of a record:
//
//	0      type (high nibble), encoding (low nibble)
//	1      flags: flagExpire, flagLong, width of an integer (2 bits), flagFields
//	2..4   24 bits of access data: LRU clock in seconds, or LFU (16 bits minutes, 8 bits counter)
//	5..    uvarint key length, key
//	       8 bytes deadline in unix milliseconds, little endian (flagExpire)
//	       value
//
// A string value is one length byte (four, little endian, with flagLong) and its bytes; an integer is 1, 2, 4 or 8
// bytes, little endian and signed. Small collections are bytes that know their length (packed.go), large ones a handle
// (object.go). The key comes before everything of variable presence, so that a value or deadline
// can change in place while the dict's comparison keeps working.
const (
	keyOff = 5

	flagExpire   = 1 << 0
	flagLong     = 1 << 1
	intWidthPos  = 2
	intWidthMask = 3 << intWidthPos
	flagFields   = 1 << 4 // a hash with deadlines of fields

	maxShort = 127
)

// Entry is a handle on one record. It is valid until the next change of its DB.
type Entry struct {
	ref arena.Ref
}

// Valid tells whether the entry refers to a record.
func (e Entry) Valid() bool { return e.ref != 0 }

func (e Entry) at(i int) *byte { return (*byte)(unsafe.Add(e.ref.Ptr(), i)) }

func (e Entry) bytes(off, n int) []byte { return unsafe.Slice(e.at(off), n) }

// Type returns the type of the value.
func (e Entry) Type() Type { return Type(*e.at(0) >> 4) }

// Encoding returns the encoding of the value.
func (e Entry) Encoding() Encoding { return Encoding(*e.at(0) & 15) }

// Key returns the key; it aliases the record.
func (e Entry) Key() []byte {
	off, n := e.keySpan()
	return e.bytes(off, n)
}

// keySpan returns where the bytes of the key start and how many they are.
func (e Entry) keySpan() (off, n int) {
	b := *e.at(keyOff)
	if b < 0x80 {
		return keyOff + 1, int(b)
	}
	v, w := binary.Uvarint(e.bytes(keyOff, binary.MaxVarintLen64))
	return keyOff + w, int(v)
}

func (e Entry) flags() byte { return *e.at(1) }

// Volatile tells whether the key has a deadline.
func (e Entry) Volatile() bool { return e.flags()&flagExpire != 0 }

// ExpireAtMs returns the deadline in unix milliseconds, or -1 when the key has none.
func (e Entry) ExpireAtMs() int64 {
	if e.flags()&flagExpire == 0 {
		return -1
	}
	off, n := e.keySpan()
	return int64(binary.LittleEndian.Uint64(e.bytes(off+n, 8)))
}

// valueOff returns the offset of the value.
func (e Entry) valueOff() int {
	off, n := e.keySpan()
	off += n
	if e.flags()&flagExpire != 0 {
		off += 8
	}
	return off
}

// stringSpan returns where the bytes of a raw or embstr value start and how many they are.
func (e Entry) stringSpan() (off, n int) {
	off = e.valueOff()
	if e.flags()&flagLong != 0 {
		return off + 4, int(binary.LittleEndian.Uint32(e.bytes(off, 4)))
	}
	return off + 1, int(*e.at(off))
}

// size returns the number of bytes of the record that are in use.
func (e Entry) size() int {
	switch off := e.valueOff(); {
	case e.IsObject():
		return off + handleBytes
	case e.IsPacked():
		return off + e.packedLen(off)
	case e.Encoding() == Int:
		return off + e.intWidth()
	}
	off, n := e.stringSpan()
	return off + n
}

func (e Entry) intWidth() int { return 1 << (e.flags() & intWidthMask >> intWidthPos) }

func (e Entry) access() uint32 {
	return uint32(*e.at(2)) | uint32(*e.at(3))<<8 | uint32(*e.at(4))<<16
}

func (e Entry) setAccess(v uint32) {
	*e.at(2), *e.at(3), *e.at(4) = byte(v), byte(v>>8), byte(v>>16)
}

// uvarintLen returns how many bytes the uvarint of n takes.
func uvarintLen(n int) int {
	w := 1
	for ; n >= 0x80; n >>= 7 {
		w++
	}
	return w
}

// intWidthCode returns the code of the smallest width (1<<code bytes) that holds v.
func intWidthCode(v int64) byte {
	switch {
	case v == int64(int8(v)):
		return 0
	case v == int64(int16(v)):
		return 1
	case v == int64(int32(v)):
		return 2
	default:
		return 3
	}
}
