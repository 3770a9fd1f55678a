package command

import (
	"encoding/binary"
	"math/bits"
)

// Bits of a string are numbered as Redis does: bit 0 is the most significant bit of the first byte. Ranges of bits are
// half open here: from lo up to but not including hi.

// countBits returns how many bits of b are set.
func countBits(b []byte) int {
	var n0, n1, n2, n3 int
	// Four independent sums keep several population counts in flight.
	for ; len(b) >= 32; b = b[32:] {
		n0 += bits.OnesCount64(binary.LittleEndian.Uint64(b))
		n1 += bits.OnesCount64(binary.LittleEndian.Uint64(b[8:]))
		n2 += bits.OnesCount64(binary.LittleEndian.Uint64(b[16:]))
		n3 += bits.OnesCount64(binary.LittleEndian.Uint64(b[24:]))
	}
	for ; len(b) >= 8; b = b[8:] {
		n0 += bits.OnesCount64(binary.LittleEndian.Uint64(b))
	}
	for _, x := range b {
		n1 += bits.OnesCount8(x)
	}
	return n0 + n1 + n2 + n3
}

// countBitRange returns how many bits of b from lo to hi are set.
// REQUIRES: lo < hi <= 8*len(b).
func countBitRange(b []byte, lo, hi int64) int {
	n := countBits(b[lo>>3 : (hi+7)>>3])
	n -= bits.OnesCount8(b[lo>>3] & ^(0xff >> (lo & 7)))
	if hi&7 != 0 {
		n -= bits.OnesCount8(b[hi>>3] & (0xff >> (hi & 7)))
	}
	return n
}

// findBit returns the position of the first bit of b from lo to hi that equals bit, or -1.
// REQUIRES: lo < hi <= 8*len(b).
func findBit(b []byte, bit byte, lo, hi int64) int64 {
	// XOR with flip turns the bits that are looked for into ones.
	flip := ^uint64(0) * uint64(bit^1)
	at := lo >> 3
	end := (hi + 7) >> 3
	if first := (b[at] ^ byte(flip)) & (0xff >> (lo & 7)); first != 0 {
		return within(at<<3+int64(bits.LeadingZeros8(first)), hi)
	}
	at++
	for ; at+8 <= end; at += 8 {
		if w := binary.BigEndian.Uint64(b[at:]) ^ flip; w != 0 {
			return within(at<<3+int64(bits.LeadingZeros64(w)), hi)
		}
	}
	for ; at < end; at++ {
		if x := b[at] ^ byte(flip); x != 0 {
			return within(at<<3+int64(bits.LeadingZeros8(x)), hi)
		}
	}
	return -1
}

func within(pos, hi int64) int64 {
	if pos < hi {
		return pos
	}
	return -1
}

// bitOp is an operation of BITOP.
type bitOp uint8

const (
	bitAnd bitOp = iota
	bitOr
	bitXor
	bitNot
)

// combine makes dst the result of op on dst and src, which has no more bytes than dst; the bytes it lacks count as
// zero. For bitNot, src is not looked at.
func (op bitOp) combine(dst, src []byte) {
	rest := dst[min(len(src), len(dst)):]
	d, s := dst[:len(dst)-len(rest)], src
	switch op {
	case bitAnd:
		for ; len(d) >= 32 && len(s) >= 32; d, s = d[32:], s[32:] {
			put(d, word(d)&word(s))
			put(d[8:], word(d[8:])&word(s[8:]))
			put(d[16:], word(d[16:])&word(s[16:]))
			put(d[24:], word(d[24:])&word(s[24:]))
		}
		for i := range d {
			d[i] &= s[i]
		}
		clear(rest)
	case bitOr:
		for ; len(d) >= 32 && len(s) >= 32; d, s = d[32:], s[32:] {
			put(d, word(d)|word(s))
			put(d[8:], word(d[8:])|word(s[8:]))
			put(d[16:], word(d[16:])|word(s[16:]))
			put(d[24:], word(d[24:])|word(s[24:]))
		}
		for i := range d {
			d[i] |= s[i]
		}
	case bitXor:
		for ; len(d) >= 32 && len(s) >= 32; d, s = d[32:], s[32:] {
			put(d, word(d)^word(s))
			put(d[8:], word(d[8:])^word(s[8:]))
			put(d[16:], word(d[16:])^word(s[16:]))
			put(d[24:], word(d[24:])^word(s[24:]))
		}
		for i := range d {
			d[i] ^= s[i]
		}
	case bitNot:
		for d = dst; len(d) >= 32; d = d[32:] {
			put(d, ^word(d))
			put(d[8:], ^word(d[8:]))
			put(d[16:], ^word(d[16:]))
			put(d[24:], ^word(d[24:]))
		}
		for i := range d {
			d[i] = ^d[i]
		}
	}
}

func word(b []byte) uint64   { return binary.LittleEndian.Uint64(b) }
func put(b []byte, w uint64) { binary.LittleEndian.PutUint64(b, w) }

// A field is up to 64 bits of a string, starting at any bit: at most nine bytes.
const fieldBytes = 9

// readField returns n bits of b from bit at on, as the low bits of the result. Bytes past the end of b count as zero.
func readField(b []byte, at int64, n uint) uint64 {
	var buf [fieldBytes]byte
	if i := at >> 3; i < int64(len(b)) {
		copy(buf[:], b[i:])
	}
	shift := uint(at & 7)
	v := binary.BigEndian.Uint64(buf[:])<<shift | uint64(buf[8])>>(8-shift)
	return v >> (64 - n)
}

// writeField stores the low n bits of v in b from bit at on.
// REQUIRES: at+n <= 8*len(b).
func writeField(b []byte, at int64, n uint, v uint64) {
	var buf [fieldBytes]byte
	b = b[at>>3:]
	b = b[:min(len(b), fieldBytes)]
	copy(buf[:], b)
	shift := uint(at & 7)
	mask := ^uint64(0) << (64 - n)
	v <<= 64 - n
	binary.BigEndian.PutUint64(buf[:], binary.BigEndian.Uint64(buf[:])&^(mask>>shift)|v>>shift)
	buf[8] = buf[8]&^byte(mask<<(8-shift)) | byte(v<<(8-shift))
	copy(b, buf[:])
}
