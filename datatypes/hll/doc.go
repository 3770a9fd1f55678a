// Package hll is HyperLogLog in the representation of Redis: a string of bytes that estimates how many different elements were
// added to it, with a standard error of 0.81 %.
//
// # Terminology
//
//	register  one of 16384 numbers from 0 to 51, the largest rank seen among the hashes that chose it
//	hash      MurmurHash64A of an element with seed 0xadc83b19; its low 14 bits choose the register
//	rank      1 + the number of zero bits that follow upward, at most 51
//	dense     all registers, 6 bits each, in 12288 bytes
//	sparse    a sequence of opcodes, one for each run of equal registers
//
// # The bytes
//
//	offset 0   "HYLL"
//	       4   encoding: 0 dense, 1 sparse
//	       5   three bytes that nothing looks at
//	       8   the cardinality as it was when last counted, 64 bits, little endian; the top bit set says that it is out of date
//	      16   registers
//
// Dense register i is the six bits from bit 6·i on, the lowest bit of a byte being its first. The opcodes of the sparse form:
//
//	00llllll           ZERO   l+1 registers are 0
//	01llllll llllllll  XZERO  l+1 registers are 0
//	1vvvvvll           VAL    l+1 registers are v+1
//
// The format, and when a sparse form becomes dense, were found in Redis's documentation and by watching redis-server: a value made here
// equals, byte for byte, one that the same commands make there, so that both can be exchanged. The estimate follows Otmar Ertl,
// "New cardinality estimation algorithms for HyperLogLog sketches", arXiv:1702.01284 (the improved raw estimator).
//
// # Ownership
//
// All functions are pure functions of bytes. Those that change a value take it and return it, as append does.
//
// # Caveats
//
// Bytes may come from anyone, by SET or SETRANGE. Valid looks at the header only; every other function stays within its bounds
// whatever the registers are, and answers ErrCorrupt for a sparse form that does not have exactly 16384 registers.
//
// # Files
//
//	hll.go     header, elements, cached cardinality   count.go     histogram and estimate
//	dense.go   six-bit registers                      registers.go unions
//	sparse.go  opcodes                                selftest.go  what PFSELFTEST runs
package hll
