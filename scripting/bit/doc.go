// Package bit is the library of bitwise operations that scripts in Redis know as bit: tobit, tohex, bnot, band, bor, bxor, lshift, rshift,
// arshift, rol, ror and bswap.
//
// It behaves as Lua BitOp does, the library inside Redis (https://bitop.luajit.org/semantics.html). Operations are on 32 bits, and results
// are signed. An argument is rounded to the nearest integer, halves to even, and reduced modulo 2^32, which is defined for ±2^51; beyond that
// bits are lost, in the same way as there. Shifts use the lowest five bits of their count.
package bit
