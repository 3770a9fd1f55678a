package rdb

import "encoding/binary"

// polynomial is that of the checksum, with the coefficient of x^63 in the lowest bit: Jones's polynomial 0xad93d23594c935a9, reflected.
const polynomial = 0x95ac9329ac4bc9b5

// tables[k][b] is the checksum of the byte b with k zero bytes behind it. With eight of them eight bytes are summed up in one step.
var tables = makeTables()

func makeTables() *[8][256]uint64 {
	t := new([8][256]uint64)
	for b := range 256 {
		crc := uint64(b)
		for range 8 {
			crc = crc>>1 ^ crc&1*polynomial
		}
		t[0][b] = crc
	}
	for k := 1; k < 8; k++ {
		for b := range 256 {
			before := t[k-1][b]
			t[k][b] = before>>8 ^ t[0][byte(before)]
		}
	}
	return t
}

// CRC64 returns the checksum of p after what has the checksum crc; of p alone when crc is 0. It is the CRC with Jones's polynomial, input and output reflected,
// no initial value and no final one: that of "123456789" is 0xe9c6d914c4b8d9ca.
func CRC64(crc uint64, p []byte) uint64 {
	t := tables
	for len(p) >= 8 {
		crc ^= binary.LittleEndian.Uint64(p)
		crc = t[7][byte(crc)] ^ t[6][byte(crc>>8)] ^ t[5][byte(crc>>16)] ^ t[4][byte(crc>>24)] ^
			t[3][byte(crc>>32)] ^ t[2][byte(crc>>40)] ^ t[1][byte(crc>>48)] ^ t[0][crc>>56]
		p = p[8:]
	}
	for _, b := range p {
		crc = crc>>8 ^ t[0][byte(crc)^b]
	}
	return crc
}
