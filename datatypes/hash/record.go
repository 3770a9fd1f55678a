package hash

import (
	"encoding/binary"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
)

const placeBytes = 4

// layout is where the parts of a record lie. The field begins at lead and ends at head.
type layout struct {
	lead  int // of the field: behind its length
	head  int // of the length of the value: behind the field
	value int // of the value
	size  int // of the value, in bytes
	dated bool
}

func byteAt(r arena.Ref, off int) byte { return *(*byte)(unsafe.Add(r.Ptr(), off)) }

func bytesAt(r arena.Ref, off, n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(r.Ptr(), off)), n)
}

// uvarintAt reads a number and tells where it ends.
func uvarintAt(r arena.Ref, off int) (v, end int) {
	b := byteAt(r, off)
	if b < 0x80 {
		return int(b), off + 1
	}
	return longUvarint(r, off)
}

func longUvarint(r arena.Ref, off int) (v, end int) {
	for shift := 0; ; shift += 7 {
		b := byteAt(r, off)
		off++
		v |= int(b&0x7f) << shift
		if b < 0x80 {
			return v, off
		}
	}
}

func uvarintLen(n int) int {
	w := 1
	for ; n >= 0x80; n >>= 7 {
		w++
	}
	return w
}

// layoutOf reads the layout of a record.
func layoutOf(r arena.Ref) (l layout) {
	n, off := uvarintAt(r, 0)
	l.lead, l.head = off, off+n
	v, off := uvarintAt(r, l.head)
	l.size, l.dated, l.value = v>>1, v&1 != 0, off
	if l.dated {
		l.value += placeBytes
	}
	return l
}

// plan lays out the value of a record whose field ends at head. total is the bytes of the record.
func plan(head, size int, dated bool) (l layout, total int) {
	l = layout{head: head, size: size, dated: dated, value: head + uvarintLen(size<<1|1)}
	if dated {
		l.value += placeBytes
	}
	return l, l.value + size
}

// write fills record r behind its field. The place is left to the caller.
func (l layout) write(r arena.Ref, value []byte) {
	n := l.size << 1
	if l.dated {
		n |= 1
	}
	if n < 0x80 {
		*(*byte)(unsafe.Add(r.Ptr(), l.head)) = byte(n)
	} else {
		binary.PutUvarint(bytesAt(r, l.head, uvarintLen(n)), uint64(n))
	}
	copy(bytesAt(r, l.value, l.size), value)
}

// newRecord returns a record of an item; the place of a dated one is not written.
func (h *Hash) newRecord(field, value []byte, dated bool) arena.Ref {
	lead := uvarintLen(len(field))
	l, total := plan(lead+len(field), len(value), dated)
	r := h.arena.Alloc(total)
	h.records += int64(h.arena.SizeOf(r))
	if len(field) < 0x80 {
		*(*byte)(r.Ptr()) = byte(len(field))
	} else {
		binary.PutUvarint(bytesAt(r, 0, lead), uint64(len(field)))
	}
	copy(bytesAt(r, lead, len(field)), field)
	l.write(r, value)
	return r
}

func (h *Hash) freeRecord(r arena.Ref) {
	h.records -= int64(h.arena.SizeOf(r))
	h.arena.Free(r)
}

// fits tells whether a record of room bytes may hold total without waste.
func fits(total, room int) bool { return total <= room && total >= room-room/4-8 }

func placeOf(r arena.Ref, l layout) uint32 {
	return binary.LittleEndian.Uint32(bytesAt(r, l.value-placeBytes, placeBytes))
}

func setPlace(r arena.Ref, place uint32) {
	n, off := uvarintAt(r, 0)
	_, off = uvarintAt(r, off+n)
	binary.LittleEndian.PutUint32(bytesAt(r, off, placeBytes), place)
}

// Item is a field of a Hash with its value, valid until the next change of the Hash.
type Item struct{ ref arena.Ref }

// OK reports whether there is an item.
func (it Item) OK() bool { return it.ref != 0 }

// Field returns the name of the field. It aliases the item.
func (it Item) Field() []byte {
	n, off := uvarintAt(it.ref, 0)
	return bytesAt(it.ref, off, n)
}

// Value returns the value. It aliases the item.
func (it Item) Value() []byte {
	l := layoutOf(it.ref)
	return bytesAt(it.ref, l.value, l.size)
}

// Pair returns field and value, quicker than one after the other.
func (it Item) Pair() (field, value []byte) {
	l := layoutOf(it.ref)
	return bytesAt(it.ref, l.lead, l.head-l.lead), bytesAt(it.ref, l.value, l.size)
}
