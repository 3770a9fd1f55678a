package rdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrCorrupt is what the errors for bytes that are not RDB wrap.
var ErrCorrupt = errors.New("rdb: corrupt data")

// corrupt returns an error for what is wrong at an offset.
func corrupt(offset int, format string, args ...any) error {
	return fmt.Errorf("%w at offset %d: %s", ErrCorrupt, offset, fmt.Sprintf(format, args...))
}

// short returns the error for data that ends too early: at offset, need bytes are missing or fewer are there.
func short(offset int, need uint64, have int) error {
	return corrupt(offset, "%d bytes needed, %d there", need, have)
}

// The first bytes of lengths, whose two highest bits tell the kinds apart.
const (
	length14      = 0x40
	length32      = 0x80
	length64      = 0x81
	lengthSpecial = 0xc0
)

// AppendLen appends the length n, in 1, 2, 5 or 9 bytes.
func AppendLen(dst []byte, n uint64) []byte {
	switch {
	case n < 1<<6:
		return append(dst, byte(n))
	case n < 1<<14:
		return append(dst, length14|byte(n>>8), byte(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, length32), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, length64), n)
	}
}

// ReadLen reads the length at the start of src and returns it, and how many bytes it takes. If special is true it is no length: n is the number of the
// special encoding that a string has which follows. A length may be written with more bytes than it needs.
func ReadLen(src []byte) (n uint64, special bool, used int, err error) {
	if len(src) == 0 {
		return 0, false, 0, short(0, 1, 0)
	}
	first := src[0]
	switch first & lengthSpecial {
	case 0:
		return uint64(first), false, 1, nil
	case lengthSpecial:
		return uint64(first &^ lengthSpecial), true, 1, nil
	case length14:
		if len(src) < 2 {
			return 0, false, 0, short(1, 1, 0)
		}
		return uint64(first&^length14)<<8 | uint64(src[1]), false, 2, nil
	}
	switch first {
	case length32:
		if len(src) < 5 {
			return 0, false, 0, short(1, 4, len(src)-1)
		}
		return uint64(binary.BigEndian.Uint32(src[1:])), false, 5, nil
	case length64:
		if len(src) < 9 {
			return 0, false, 0, short(1, 8, len(src)-1)
		}
		return binary.BigEndian.Uint64(src[1:]), false, 9, nil
	}
	return 0, false, 0, corrupt(0, "no length starts with the byte %#02x", first)
}
