// Package luastruct is the library that scripts in Redis know as struct: pack, unpack and size turn values into the bytes of C structures and back.
//
// It behaves as the copy of Roberto Ierusalimschy's struct library 1.4 does that is inside Redis 7 (http://www.inf.puc-rio.br/~roberto/struct/),
// checks of bounds that Redis added included. A format is read letter by letter:
//
//	< >      little endian, which is the default, or big endian, from here on
//	!n       alignment from here on: numbers begin at a multiple of their size or of n, whichever is less; n is a power of two, 8 when missing
//	b B      signed, unsigned: 1 byte
//	h H      2 bytes
//	i I      4 bytes; in n bytes, at most 32
//	l L T    8 bytes
//	f d      float, double
//	s        string with a NUL byte at its end
//	cn       n bytes of a string, 1 when missing; c0 packs the whole string, and unpacks as many bytes as the number unpacked before says
//	x        one byte: 0 when packing, skipped when unpacking
//	space    nothing
//
// Sizes and default byte order are those of x86-64. Integers of more than eight bytes have the low eight bytes of their value, and zeros for the others.
//
// # Limits of our own
//
// A packed string has at most 512 MiB; above that the script gets Lua's "not enough memory".
package luastruct
