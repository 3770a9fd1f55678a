// Package listpack edits listpacks: sequences of strings and integers packed into one slice of bytes, without a pointer. Small
// hashes, sets, sorted sets and the chunks of lists and streams are listpacks.
//
// # Format
//
// The bytes are those of Redis 7, so that dump payloads and RDB files can be loaded and written as they are:
//
//	u32 total bytes | u16 elements | element ... element | 0xFF          numbers are little-endian
//
// The number of elements is 65535 when there are at least so many, or when it is not known; they must be counted then. An element
// is
//
//	encoding and length | bytes of the string or number | length of what came before, to be read backwards
//
//	0xxxxxxx                    integer 0 to 127
//	10xxxxxx                    string of up to 63 bytes
//	110xxxxx xxxxxxxx           integer of 13 bits, two's complement
//	1110xxxx xxxxxxxx           string of up to 4095 bytes
//	0xF0 u32                    string
//	0xF1, 0xF2, 0xF3, 0xF4      integer of 16, 24, 32, 64 bits
//
// The trailing length has seven bits per byte, the most significant byte first; all bytes but the first have their high bit
// set, so that a reader coming from behind knows where it starts.
//
// A string that is the usual text of an integer, as resp.ParseInt reads it, is stored as that integer. The functions that
// take an element as bytes do so by themselves; readers must be prepared to get either.
//
// # Use
//
// All functions are pure and work on the slice given to them, whose length is the listpack's length. Those that change it work as
// append does: they return the new slice, which shares the old one's memory if its capacity sufficed ([MaxEntry] tells
// how much that takes). Elements given to them must not alias the listpack. Elements are named by their byte offset; -1
// says that there is none. An offset is good until the next change at or in front of it.
//
// Bytes from outside must pass [Validate] with deep set before any other function sees them. After that nothing here panics or
// reads beyond the slice, whatever the elements are.
package listpack
