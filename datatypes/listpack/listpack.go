package listpack

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/troupe-db/troupe/datatypes/invariants"
	"github.com/troupe-db/troupe/netio/resp"
)

const (
	headerSize   = 6 // total bytes and count
	end          = 0xFF
	countUnknown = math.MaxUint16

	// MinBytes is the length of a listpack without elements.
	MinBytes = headerSize + 1
	// MaxBytes is the length that no listpack should exceed: Redis refuses to let one grow further, and would refuse to load it.
	MaxBytes = 1 << 30
)

// Encodings, by first byte. Those not named here hold their value in the first byte.
const (
	str32    = 0xF0
	int16Enc = 0xF1
	int24Enc = 0xF2
	int32Enc = 0xF3
	int64Enc = 0xF4
)

// sizes gives for a first byte the bytes of the whole element; 0 when more than the first byte is needed to tell. It is what
// makes walking cheap: nearly all elements of small collections have an entry here.
var sizes = func() (t [256]uint8) {
	for b := range t {
		switch {
		case b < 0x80:
			t[b] = 2
		case b < 0xC0:
			t[b] = uint8(2 + b&0x3F)
		case b < 0xE0:
			t[b] = 3
		case b >= int16Enc && b <= int32Enc:
			t[b] = uint8(4 + b - int16Enc)
		case b == int64Enc:
			t[b] = 10
		}
	}
	return t
}()

// New returns a listpack without elements, with room for a few.
func New() []byte { return AppendEmpty(make([]byte, 0, 64)) }

// AppendEmpty appends a listpack without elements, MinBytes long, to dst.
func AppendEmpty(dst []byte) []byte { return append(dst, MinBytes, 0, 0, 0, 0, 0, end) }

// Bytes returns the length that the header tells: len(lp), or the length of the listpack at the start of a longer slice.
func Bytes(lp []byte) int { return int(binary.LittleEndian.Uint32(lp)) }

// Len returns the number of elements. It is O(1) for up to 65534 elements and counts them beyond.
func Len(lp []byte) int {
	if n := int(binary.LittleEndian.Uint16(lp[4:])); n != countUnknown {
		return n
	}
	n := 0
	for off := headerSize; lp[off] != end; off += entrySize(lp, off) {
		n++
	}
	return n
}

// Empty reports that there is no element.
func Empty(lp []byte) bool { return len(lp) == MinBytes }

// CanGrow reports that lp may take extra more bytes without becoming longer than a listpack may be.
func CanGrow(lp []byte, extra int) bool { return len(lp)+extra <= MaxBytes }

// First returns the offset of the first element.
func First(lp []byte) int {
	if lp[headerSize] == end {
		return -1
	}
	return headerSize
}

// Last returns the offset of the last element.
func Last(lp []byte) int { return Prev(lp, len(lp)-1) }

// Next returns the offset of the element after the one at off.
func Next(lp []byte, off int) int {
	off += entrySize(lp, off)
	if lp[off] == end {
		return -1
	}
	return off
}

// Prev returns the offset of the element before the one at off. With off = len(lp)-1 that is the last one.
func Prev(lp []byte, off int) int {
	if off <= headerSize {
		return -1
	}
	b := lp[off-1]
	if b < 0x80 {
		return off - 1 - int(b)
	}
	return prevLong(lp, off)
}

func prevLong(lp []byte, off int) int {
	size, shift := 0, 0
	for {
		off--
		b := lp[off]
		size |= int(b&0x7F) << shift
		if b < 0x80 {
			return off - size
		}
		shift += 7
	}
}

// Seek returns the offset of the element with the given index; negative ones count from the end, -1 being the last element. It
// walks from the nearer end.
func Seek(lp []byte, index int) int {
	count := int(binary.LittleEndian.Uint16(lp[4:]))
	if count != countUnknown {
		if index >= count || index < -count {
			return -1
		}
		if index >= 0 && index > count/2 {
			index -= count
		} else if index < 0 && -index > count/2 {
			index += count
		}
	}
	if index >= 0 {
		off := headerSize
		for ; lp[off] != end; off += entrySize(lp, off) {
			if index == 0 {
				return off
			}
			index--
		}
		return -1
	}
	off := len(lp) - 1
	for ; index < 0 && off >= 0; index++ {
		off = Prev(lp, off)
	}
	return off
}

// entrySize returns the bytes of the whole element at off.
func entrySize(lp []byte, off int) int {
	if s := sizes[lp[off]]; s != 0 {
		return int(s)
	}
	return longSize(lp, off)
}

// longSize is entrySize for strings that have their length behind the first byte. The end mark has no bytes, so that a walk in
// steps of more than one element stays on it.
func longSize(lp []byte, off int) int {
	head, n := longLen(lp, off)
	if head == 0 {
		return 0
	}
	return head + n + backLen(head+n)
}

// longLen returns the lengths of encoding and text of a string of more than 63 bytes; zeros when there is none at off.
func longLen(lp []byte, off int) (head, n int) {
	b := lp[off]
	if b&0xF0 == 0xE0 {
		return 2, int(b&0x0F)<<8 | int(lp[off+1])
	}
	if b == str32 {
		return 5, int(binary.LittleEndian.Uint32(lp[off+1:]))
	}
	return 0, 0
}

// backLen returns how many bytes hold the trailing length n. The bounds are Redis's, one short of what the bits could hold.
func backLen(n int) int {
	switch {
	case n <= 127:
		return 1
	case n < 1<<14-1:
		return 2
	case n < 1<<21-1:
		return 3
	case n < 1<<28-1:
		return 4
	}
	return 5
}

// putBackLen writes the trailing length n to the start of dst and returns its bytes.
func putBackLen(dst []byte, n int) int {
	if n <= 127 {
		dst[0] = byte(n)
		return 1
	}
	size := backLen(n)
	for i := size - 1; i > 0; i-- {
		dst[i] = byte(n) | 0x80
		n >>= 7
	}
	dst[0] = byte(n)
	return size
}

// Get returns the element at off: an integer n, or else a string that aliases lp.
func Get(lp []byte, off int) (s []byte, n int64, isInt bool) {
	b := lp[off]
	if b < 0x80 {
		return nil, int64(b), true
	}
	if b < 0xC0 {
		from, to := off+1, off+1+int(b&0x3F)
		return lp[from:to:to], 0, false
	}
	if b&0xF0 == 0xE0 || b == str32 {
		head, size := longLen(lp, off)
		from, to := off+head, off+head+size
		return lp[from:to:to], 0, false
	}
	return nil, wideInt(lp, off), true
}

// wideInt returns the integer at off, which is one of 13 bits or more.
func wideInt(lp []byte, off int) int64 {
	b := lp[off]
	switch {
	case b < 0xE0:
		return int64(int16(uint16(b)<<11|uint16(lp[off+1])<<3) >> 3)
	case b == int16Enc:
		return int64(int16(binary.LittleEndian.Uint16(lp[off+1:])))
	case b == int24Enc:
		return int64(int32(uint32(lp[off+1])<<8|uint32(lp[off+2])<<16|uint32(lp[off+3])<<24) >> 8)
	case b == int32Enc:
		return int64(int32(binary.LittleEndian.Uint32(lp[off+1:])))
	}
	return int64(binary.LittleEndian.Uint64(lp[off+1:]))
}

// Read is Get and Next in one: next is the offset of the following element.
func Read(lp []byte, off int) (s []byte, n int64, isInt bool, next int) {
	s, n, isInt = Get(lp, off)
	return s, n, isInt, Next(lp, off)
}

// Text returns the element at off as text. A string aliases lp; an integer is written to scratch[:0], which needs a capacity
// of 20 bytes for this not to allocate.
func Text(lp []byte, off int, scratch []byte) []byte {
	s, n, isInt := Get(lp, off)
	if isInt {
		return strconv.AppendInt(scratch[:0], n, 10)
	}
	return s
}

// AppendText appends the text of the element at off to dst.
func AppendText(dst, lp []byte, off int) []byte {
	s, n, isInt := Get(lp, off)
	if isInt {
		return strconv.AppendInt(dst, n, 10)
	}
	return append(dst, s...)
}

// TextLen returns the length of the element's text.
func TextLen(lp []byte, off int) int {
	s, n, isInt := Get(lp, off)
	if !isInt {
		return len(s)
	}
	size := 1
	if n < 0 {
		size++
	}
	for n /= 10; n != 0; n /= 10 {
		size++
	}
	return size
}

// Int returns the element at off if it is an integer.
func Int(lp []byte, off int) (n int64, ok bool) {
	b := lp[off]
	if b < 0x80 {
		return int64(b), true
	}
	if b < 0xC0 || b&0xF0 == 0xE0 || b == str32 {
		return 0, false
	}
	return wideInt(lp, off), true
}

// Equal reports that the text of the element at off is elem.
func Equal(lp []byte, off int, elem []byte) bool {
	s, n, isInt := Get(lp, off)
	if isInt {
		m, ok := resp.ParseInt(elem)
		return ok && m == n
	}
	return string(s) == string(elem)
}

// Compare compares the text of the element at off with elem, byte by byte, as bytes.Compare does.
func Compare(lp []byte, off int, elem []byte) int {
	var scratch [20]byte
	return bytes.Compare(Text(lp, off, scratch[:]), elem)
}

// Find returns the offset of the first element that equals elem, looking at the element at from and then at every (skip+1)-th
// one: skip is 1 to look at the fields of a hash only. from may be -1.
func Find(lp []byte, from int, elem []byte, skip int) int {
	if from < 0 {
		return -1
	}
	if n, ok := resp.ParseInt(elem); ok {
		return findInt(lp, from, n, elem, skip)
	}
	want := byte(end) // the first byte that the element has, if it is a short string
	if len(elem) < 1<<6 {
		want = 0x80 | byte(len(elem))
	}
	for off := from; ; {
		b := lp[off]
		if b&0xC0 == 0x80 {
			// Not by way of the table: the address of the next element then waits for one load less.
			s := int(b&0x3F) + 1
			if b == want && string(lp[off+1:off+s]) == string(elem) {
				return off
			}
			off += s + 1
		} else if s := int(sizes[b]); s != 0 {
			off += s
		} else {
			head, n := longLen(lp, off)
			if head == 0 {
				return -1
			}
			if n == len(elem) && string(lp[off+head:off+head+n]) == string(elem) {
				return off
			}
			off += head + n + backLen(head+n)
		}
		for range skip {
			if b := lp[off]; b&0xC0 == 0x80 {
				off += int(b&0x3F) + 2
			} else {
				off += entrySize(lp, off)
			}
		}
	}
}

// findInt is Find for the text of an integer. Nothing here stores such a text as a string, but a payload from elsewhere might.
func findInt(lp []byte, from int, want int64, elem []byte, skip int) int {
	for off := from; ; {
		b := lp[off]
		switch {
		case b < 0x80:
			if int64(b) == want {
				return off
			}
		case b == end:
			return -1
		case b < 0xC0 || b&0xF0 == 0xE0 || b == str32:
			if s, _, _ := Get(lp, off); string(s) == string(elem) {
				return off
			}
		default:
			if wideInt(lp, off) == want {
				return off
			}
		}
		off += entrySize(lp, off)
		for range skip {
			off += entrySize(lp, off)
		}
	}
}

// check panics when the frame of lp is broken, in builds with invariants; small ones are looked at element by element.
func check(lp []byte) {
	if !invariants.Enabled {
		return
	}
	if err := Validate(lp, len(lp) <= 256); err != nil {
		panic(err)
	}
}
