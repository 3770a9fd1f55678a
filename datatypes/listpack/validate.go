package listpack

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrCorrupt is the error of bytes that are no listpack.
var ErrCorrupt = errors.New("listpack: corrupt")

// Validate checks that b is a listpack and nothing more. Without deep it looks at the frame only, in O(1), which is enough for
// bytes that we wrote and that a checksum covers. With deep it looks at each element; after that every other function of this
// package is safe. Elements need not be stored as shortly as they could be, and the number of elements may be declared unknown, as
// Redis allows too. The error wraps ErrCorrupt.
func Validate(b []byte, deep bool) error {
	if len(b) < MinBytes {
		return fmt.Errorf("%w: %d bytes", ErrCorrupt, len(b))
	}
	if total := binary.LittleEndian.Uint32(b); uint64(total) != uint64(len(b)) {
		return fmt.Errorf("%w: %d bytes, header tells %d", ErrCorrupt, len(b), total)
	}
	if b[len(b)-1] != end {
		return fmt.Errorf("%w: no end mark", ErrCorrupt)
	}
	if !deep {
		return nil
	}
	count := 0
	var back [5]byte
	for off := headerSize; off < len(b)-1; count++ {
		room := len(b) - 1 - off // for this element; the end mark lies beyond
		first := b[off]
		var size int // without the trailing length
		switch {
		case first&0xF0 == 0xE0:
			if room < 2 {
				return fmt.Errorf("%w: element cut short at %d", ErrCorrupt, off)
			}
			size = 2 + (int(first&0x0F)<<8 | int(b[off+1]))
		case first == str32:
			if room < 5 {
				return fmt.Errorf("%w: element cut short at %d", ErrCorrupt, off)
			}
			n := uint64(binary.LittleEndian.Uint32(b[off+1:]))
			if n > uint64(room) {
				return fmt.Errorf("%w: element cut short at %d", ErrCorrupt, off)
			}
			size = 5 + int(n)
		case sizes[first] != 0:
			size = int(sizes[first]) - 1
		default:
			return fmt.Errorf("%w: encoding %#x at %d", ErrCorrupt, first, off)
		}
		if size+backLen(size) > room {
			return fmt.Errorf("%w: element cut short at %d", ErrCorrupt, off)
		}
		n := putBackLen(back[:], size)
		if string(b[off+size:off+size+n]) != string(back[:n]) {
			return fmt.Errorf("%w: trailing length at %d", ErrCorrupt, off+size)
		}
		off += size + n
	}
	if n := int(binary.LittleEndian.Uint16(b[4:])); n != countUnknown && n != count {
		return fmt.Errorf("%w: %d elements, header tells %d", ErrCorrupt, count, n)
	}
	return nil
}
