package rdb

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/troupe-db/troupe/datatypes/lzf"
)

// The special encodings of strings.
const (
	int8String  = 0
	int16String = 1
	int32String = 2
	lzfString   = 3
)

const (
	maxIntDigits = 11 // of a 32-bit integer in decimal, with its sign

	// minCompress is the size from which on compressing is tried: below, Redis takes it that nothing is saved.
	minCompress = 21

	// maxExpansion is how many bytes LZF makes at most from one: the longest copy, 264 bytes, is written in three.
	maxExpansion = 264 / 3
)

// AppendString appends s: as an integer when it spells one of 32 bits the way Redis would write it; else, if compress is set and s has more than 20 bytes,
// compressed when that saves four bytes or more; else as it is.
func AppendString(dst, s []byte, compress bool) []byte {
	if len(s) <= maxIntDigits {
		if n, ok := integer(s); ok {
			return appendInteger(dst, n)
		}
	}
	if compress && len(s) >= minCompress {
		if out, ok := appendCompressed(dst, s); ok {
			return out
		}
	}
	return append(AppendLen(dst, uint64(len(s))), s...)
}

// integer returns the number whose decimal digits s is, without leading zeros, plus sign or negative zero.
func integer(s []byte) (n int32, ok bool) {
	digits := s
	if len(s) > 0 && s[0] == '-' {
		digits = s[1:]
	}
	if len(digits) == 0 || digits[0] == '0' && len(s) > 1 {
		return 0, false
	}
	v := int64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	if len(digits) < len(s) {
		v = -v
	}
	return int32(v), v >= math.MinInt32 && v <= math.MaxInt32
}

func appendInteger(dst []byte, n int32) []byte {
	switch {
	case n >= math.MinInt8 && n <= math.MaxInt8:
		return append(dst, lengthSpecial|int8String, byte(n))
	case n >= math.MinInt16 && n <= math.MaxInt16:
		return binary.LittleEndian.AppendUint16(append(dst, lengthSpecial|int16String), uint16(n))
	default:
		return binary.LittleEndian.AppendUint32(append(dst, lengthSpecial|int32String), uint32(n))
	}
}

// appendCompressed appends s compressed. It returns dst as it was, and false, when that would not save enough.
func appendCompressed(dst, s []byte) (out []byte, ok bool) {
	start := len(dst)
	out = append(dst, lengthSpecial|lzfString)
	// The compressed length comes first and is not known yet: the bytes are made behind the place for the longest one, and moved.
	const room = 9 + 9
	at := len(out) + room
	out = append(out, make([]byte, room+len(s)-4)...)
	n := lzf.Compress(out[at:], s)
	if n == 0 {
		return out[:start], false
	}
	packed := out[at : at+n]
	out = AppendLen(out[:start+1], uint64(n))
	out = AppendLen(out, uint64(len(s)))
	return append(out, packed...), true // append moves to the left, and copies overlapping bytes rightly
}

// ReadString reads the string at the start of src and returns it, and how many bytes it takes there. s is a part of src unless the string is written in a
// special encoding.
func ReadString(src []byte) (s []byte, used int, err error) {
	n, special, used, err := ReadLen(src)
	if err != nil {
		return nil, 0, err
	}
	if !special {
		if n > uint64(len(src)-used) {
			return nil, 0, short(used, n, len(src)-used)
		}
		end := used + int(n)
		return src[used:end:end], end, nil
	}
	if n == lzfString {
		return readCompressed(src, used)
	}
	var size int
	switch n {
	case int8String:
		size = 1
	case int16String:
		size = 2
	case int32String:
		size = 4
	default:
		return nil, 0, corrupt(0, "no string has the encoding %d", n)
	}
	if len(src)-used < size {
		return nil, 0, short(used, uint64(size), len(src)-used)
	}
	var v int64
	switch rest := src[used:]; size {
	case 1:
		v = int64(int8(rest[0]))
	case 2:
		v = int64(int16(binary.LittleEndian.Uint16(rest)))
	case 4:
		v = int64(int32(binary.LittleEndian.Uint32(rest)))
	}
	return strconv.AppendInt(nil, v, 10), used + size, nil
}

// readCompressed reads a compressed string, of which everything but the first at bytes is still to be read.
func readCompressed(src []byte, at int) (s []byte, used int, err error) {
	var lengths [2]uint64 // compressed, original
	for i := range lengths {
		n, special, size, err := ReadLen(src[at:])
		if err != nil || special {
			return nil, 0, corrupt(at, "no length of a compressed string")
		}
		lengths[i] = n
		at += size
	}
	packed, plain := lengths[0], lengths[1]
	if packed > uint64(len(src)-at) {
		return nil, 0, short(at, packed, len(src)-at)
	}
	if plain > packed*maxExpansion {
		return nil, 0, corrupt(at, "%d bytes cannot expand to %d", packed, plain)
	}
	end := at + int(packed)
	s = make([]byte, plain)
	if err := lzf.Decompress(s, src[at:end]); err != nil {
		return nil, 0, corrupt(at, "%v", err)
	}
	return s, end, nil
}
