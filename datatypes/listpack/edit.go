package listpack

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/troupe-db/troupe/netio/resp"
)

// MaxEntry returns an upper bound of the bytes that elem takes as an element, quicker than EncodedSize.
func MaxEntry(elem []byte) int { return len(elem) + 5 + 5 }

// MaxIntEntry is the most bytes that an integer takes as an element.
const MaxIntEntry = 10

// EncodedSize returns the bytes that elem takes as an element.
func EncodedSize(elem []byte) int {
	if n, ok := resp.ParseInt(elem); ok {
		return IntSize(n)
	}
	return stringSize(len(elem))
}

// IntSize returns the bytes that n takes as an element.
func IntSize(n int64) int {
	switch {
	case uint64(n) <= 127:
		return 2
	case n >= -1<<12 && n < 1<<12:
		return 3
	case n == int64(int16(n)):
		return 4
	case n >= -1<<23 && n < 1<<23:
		return 5
	case n == int64(int32(n)):
		return 6
	}
	return 10
}

func stringSize(n int) int {
	switch {
	case n < 1<<6:
		return n + 2
	case n < 1<<12:
		n += 2
	default:
		n += 5
	}
	return n + backLen(n)
}

// putInt writes the element n, of IntSize(n) bytes, to the start of dst.
func putInt(dst []byte, n int64) {
	size := 1
	switch IntSize(n) {
	case 2:
		dst[0] = byte(n)
	case 3:
		dst[0], dst[1] = 0xC0|byte(n>>8)&0x1F, byte(n)
		size = 2
	case 4:
		dst[0], dst[1], dst[2] = int16Enc, byte(n), byte(n>>8)
		size = 3
	case 5:
		dst[0], dst[1], dst[2], dst[3] = int24Enc, byte(n), byte(n>>8), byte(n>>16)
		size = 4
	case 6:
		dst[0] = int32Enc
		binary.LittleEndian.PutUint32(dst[1:], uint32(n))
		size = 5
	default:
		dst[0] = int64Enc
		binary.LittleEndian.PutUint64(dst[1:], uint64(n))
		size = 9
	}
	dst[size] = byte(size)
}

// putString writes the element s, of stringSize(len(s)) bytes, to the start of dst.
func putString(dst, s []byte) {
	n, head := len(s), 1
	switch {
	case n < 1<<6:
		dst[0] = 0x80 | byte(n)
	case n < 1<<12:
		dst[0], dst[1] = 0xE0|byte(n>>8), byte(n)
		head = 2
	default:
		dst[0] = str32
		binary.LittleEndian.PutUint32(dst[1:], uint32(n))
		head = 5
	}
	copy(dst[head:], s)
	putBackLen(dst[head+n:], head+n)
}

// resize makes the size bytes at off newSize bytes, moves what follows, and sets the total. What the bytes then hold is undefined.
func resize(lp []byte, off, size, newSize int) []byte {
	total := len(lp)
	newTotal := total + newSize - size
	if newTotal > math.MaxUint32 {
		panic("listpack: longer than its header can tell")
	}
	if newTotal > cap(lp) {
		lp = slices.Grow(lp, newTotal-total)
	}
	if newTotal != total {
		copy(lp[:newTotal][off+newSize:], lp[off+size:total])
		lp = lp[:newTotal]
		binary.LittleEndian.PutUint32(lp, uint32(newTotal))
	}
	return lp
}

// addCount changes the number of elements in the header. A number that is not known stays so.
func addCount(lp []byte, delta int) {
	n := int(binary.LittleEndian.Uint16(lp[4:]))
	if n != countUnknown {
		binary.LittleEndian.PutUint16(lp[4:], uint16(min(n+delta, countUnknown)))
	}
}

// put replaces the size bytes at off by elem; with size 0 elem is inserted there.
func put(lp []byte, off, size int, elem []byte) []byte {
	if n, ok := resp.ParseInt(elem); ok {
		return putNumber(lp, off, size, n)
	}
	lp = resize(lp, off, size, stringSize(len(elem)))
	putString(lp[off:], elem)
	if size == 0 {
		addCount(lp, 1)
	}
	check(lp)
	return lp
}

func putNumber(lp []byte, off, size int, n int64) []byte {
	lp = resize(lp, off, size, IntSize(n))
	putInt(lp[off:], n)
	if size == 0 {
		addCount(lp, 1)
	}
	check(lp)
	return lp
}

// Append adds elem as the last element.
func Append(lp, elem []byte) []byte { return put(lp, len(lp)-1, 0, elem) }

// AppendInt adds n as the last element.
func AppendInt(lp []byte, n int64) []byte { return putNumber(lp, len(lp)-1, 0, n) }

// Prepend adds elem as the first element.
func Prepend(lp, elem []byte) []byte { return put(lp, headerSize, 0, elem) }

// PrependInt adds n as the first element.
func PrependInt(lp []byte, n int64) []byte { return putNumber(lp, headerSize, 0, n) }

// InsertBefore adds elem in front of the element at off, so that elem is the one at off. With off = len(lp)-1 it is appended.
func InsertBefore(lp []byte, off int, elem []byte) []byte { return put(lp, off, 0, elem) }

// InsertIntBefore adds n in front of the element at off.
func InsertIntBefore(lp []byte, off int, n int64) []byte { return putNumber(lp, off, 0, n) }

// InsertAfter adds elem behind the element at off, which stays where it is.
func InsertAfter(lp []byte, off int, elem []byte) []byte {
	return put(lp, off+entrySize(lp, off), 0, elem)
}

// InsertIntAfter adds n behind the element at off.
func InsertIntAfter(lp []byte, off int, n int64) []byte {
	return putNumber(lp, off+entrySize(lp, off), 0, n)
}

// Replace puts elem in the place of the element at off.
func Replace(lp []byte, off int, elem []byte) []byte { return put(lp, off, entrySize(lp, off), elem) }

// ReplaceInt puts n in the place of the element at off.
func ReplaceInt(lp []byte, off int, n int64) []byte {
	return putNumber(lp, off, entrySize(lp, off), n)
}

// Delete removes the element at off. The one that followed it, or the end (len(lp)-1), is then at off.
func Delete(lp []byte, off int) []byte { return DeleteRange(lp, off, 1) }

// DeleteRange removes count elements beginning with the one at off, or as many as there are. What followed is then at off.
func DeleteRange(lp []byte, off, count int) []byte {
	to, n := off, 0
	for ; n < count && lp[to] != end; n++ {
		to += entrySize(lp, to)
	}
	lp = resize(lp, off, to-off, 0)
	addCount(lp, -n)
	check(lp)
	return lp
}

// Extend appends to dst, a listpack, the elements of lp at the offsets from (inclusive) to to (exclusive; len(lp)-1 for all that
// follow), of which there are count; -1 says that the caller does not know how many.
func Extend(dst, lp []byte, from, to, count int) []byte {
	if count < 0 {
		count = 0
		for off := from; off < to; off += entrySize(lp, off) {
			count++
		}
	}
	at := len(dst) - 1
	dst = resize(dst, at, 0, to-from)
	copy(dst[at:], lp[from:to])
	addCount(dst, count)
	check(dst)
	return dst
}

// Truncate removes the element at off and all that follow. count is how many elements are in front of it; -1 says that the caller
// does not know.
func Truncate(lp []byte, off, count int) []byte {
	if count < 0 {
		count = 0
		for at := headerSize; at < off; at += entrySize(lp, at) {
			count++
		}
	}
	lp = lp[:off+1]
	lp[off] = end
	binary.LittleEndian.PutUint32(lp, uint32(len(lp)))
	binary.LittleEndian.PutUint16(lp[4:], uint16(min(count, countUnknown)))
	check(lp)
	return lp
}
