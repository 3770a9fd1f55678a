package hll

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

const (
	// Registers is their number.
	Registers = 1 << indexBits
	// HeaderBytes is the length of what comes before the registers.
	HeaderBytes = 16
	// DenseBytes is the length of a dense value.
	DenseBytes = HeaderBytes + Registers*registerBits/8

	indexBits    = 14
	hashBits     = 64 - indexBits // those that make the rank
	maxRank      = hashBits + 1
	registerBits = 6
	registerMax  = 1<<registerBits - 1

	seed = 0xadc83b19

	encodingAt  = 4
	cachedAt    = 8
	outdatedAt  = cachedAt + 7
	outdatedBit = 0x80
)

// Encodings, as they stand in the header.
const (
	dense  = 0
	sparse = 1
)

// ErrCorrupt says that a sparse value does not have exactly as many registers as it should.
var ErrCorrupt = errors.New("hll: corrupt")

// AppendEmpty appends a value without elements, in the sparse form, to dst.
func AppendEmpty(dst []byte) []byte {
	dst = append(dst, 'H', 'Y', 'L', 'L', sparse, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	return appendZeros(dst, Registers)
}

// Valid reports that b has the header of a value, and the right length if it is dense. The functions of this package, other than
// AppendEmpty, are for such bytes.
func Valid(b []byte) bool {
	if len(b) < HeaderBytes || string(b[:4]) != "HYLL" {
		return false
	}
	return b[encodingAt] == sparse || b[encodingAt] == dense && len(b) == DenseBytes
}

// IsDense reports that b is in the dense form.
func IsDense(b []byte) bool { return b[encodingAt] == dense }

// Cached returns the cardinality of the header. ok is false if it is out of date.
func Cached(b []byte) (n uint64, ok bool) {
	return binary.LittleEndian.Uint64(b[cachedAt:]), b[outdatedAt]&outdatedBit == 0
}

// SetCached writes the cardinality to the header.
func SetCached(b []byte, n uint64) { binary.LittleEndian.PutUint64(b[cachedAt:], n) }

// Outdate says in the header that the cardinality is out of date.
func Outdate(b []byte) { b[outdatedAt] |= outdatedBit }

// Locate returns the register that elem belongs to and its rank.
func Locate(elem []byte) (register int, rank uint8) {
	h := murmur64A(elem, seed)
	// A bit beyond the end bounds the rank.
	return int(h & (Registers - 1)), uint8(1 + bits.TrailingZeros64(h>>indexBits|1<<hashBits))
}

// Add adds elem. changed is false if no register grows by it, and b is as it was then. A sparse value becomes dense rather than
// longer than sparseMax bytes. Changing a value makes its cached cardinality out of date.
func Add(b, elem []byte, sparseMax int) (out []byte, changed bool, err error) {
	register, rank := Locate(elem)
	return Raise(b, register, rank, sparseMax)
}

// Raise is Add for a register and a rank, from 1 to 63.
func Raise(b []byte, register int, rank uint8, sparseMax int) (out []byte, changed bool, err error) {
	if !IsDense(b) {
		var from cursor
		return raiseSparse(b, register, rank, sparseMax, &from)
	}
	return b, raiseDense(b, register, rank), nil
}

// raiseDense is Raise for a dense value.
func raiseDense(b []byte, register int, rank uint8) (changed bool) {
	if getDense(b, register) >= rank {
		return false
	}
	setDense(b, register, rank)
	Outdate(b)
	return true
}

// murmur64A is MurmurHash64A, by Austin Appleby, who placed it in the public domain. It reads little endian numbers on any machine.
func murmur64A(key []byte, seed uint64) uint64 {
	const m, r = 0xc6a4a7935bd1e995, 47
	h := seed ^ uint64(len(key))*m
	for ; len(key) >= 8; key = key[8:] {
		k := binary.LittleEndian.Uint64(key) * m
		k = (k ^ k>>r) * m
		h = (h ^ k) * m
	}
	if len(key) > 0 {
		var tail uint64
		for i, b := range key {
			tail |= uint64(b) << (8 * i)
		}
		h = (h ^ tail) * m
	}
	h = (h ^ h>>r) * m
	return h ^ h>>r
}
