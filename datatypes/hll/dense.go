package hll

import "encoding/binary"

// getDense returns a register of a dense value.
func getDense(b []byte, register int) uint8 {
	at, shift := registerAt(register)
	return uint8(binary.LittleEndian.Uint16(b[at:]) >> shift & registerMax)
}

// setDense sets a register of a dense value. rank must not be larger than 63.
func setDense(b []byte, register int, rank uint8) {
	at, shift := registerAt(register)
	w := binary.LittleEndian.Uint16(b[at:])
	binary.LittleEndian.PutUint16(b[at:], w&^(registerMax<<shift)|uint16(rank)<<shift)
}

// registerAt returns where the two bytes are that a register lies in, and how far up. The last register does not reach into a byte
// behind the value, so the two bytes before the end are taken for it.
func registerAt(register int) (at int, shift uint) {
	bit := uint(register) * registerBits
	at, shift = HeaderBytes+int(bit/8), bit%8
	if at == DenseBytes-1 {
		return at - 1, shift + 8
	}
	return at, shift
}

// Eight registers are 48 bits. They are worked on together, a byte each of a word.
const (
	packedBytes = 6
	unpackedAll = 0x3f3f3f3f3f3f3f3f
	topBits     = 0x8080808080808080
)

// unpack spreads eight registers, in the low 48 bits of w, over the eight bytes of a word.
func unpack(w uint64) uint64 {
	w = w&0xffffff | w&0xffffff000000<<8        // four registers in each half
	w = w&0xfff00000fff | w&0xfff00000fff000<<4 // two in each quarter
	return (w&0x003f003f003f003f | w&0x0fc00fc00fc00fc0<<2) & unpackedAll
}

// pack is the inverse of unpack.
func pack(w uint64) uint64 {
	w = w&0x003f003f003f003f | w&0x3f003f003f003f00>>2
	w = w&0xfff00000fff | w&0x0fff00000fff0000>>4
	return w&0xffffff | w&0xffffff00000000>>8
}

// maxBytes returns the larger of each pair of bytes; none may have its top bit set.
func maxBytes(a, b uint64) uint64 {
	ge := (a | topBits) - b&^topBits   // the top bit of a byte stays where a ≥ b
	mask := (ge & topBits >> 7) * 0xff // all bits of those bytes
	return a&mask | b&^mask
}

// load48 returns six bytes as a number. b must have eight, or end with the six.
func load48(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b) & (1<<48 - 1)
	}
	return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint16(b[4:]))<<32
}

// ToDense appends the dense form of b, a sparse value, to dst.
func ToDense(dst, b []byte) (out []byte, err error) {
	start := len(dst)
	out = append(dst, b[:HeaderBytes]...)
	out = append(out, make([]byte, DenseBytes-HeaderBytes)...)
	d := out[start:]
	d[encodingAt] = dense
	err = eachRun(b, func(first, n int, rank uint8) {
		if rank > 0 {
			for i := first; i < first+n; i++ {
				setDense(d, i, rank)
			}
		}
	})
	if err != nil {
		return dst, err
	}
	return out, nil
}
