// Package lzf compresses and expands byte strings in the LZF format, in which Redis keeps the inner nodes of lists and long strings of
// its dump files.
//
// # Format
//
// Compressed data is a sequence of runs, each with a control byte in front:
//
//	000lllll                     l+1 literal bytes follow: 1 to 32
//	lllooooo oooooooo            copy l+2 bytes (3 to 8, l from 1 to 6) from o+1 bytes back, o being 13 bits with the high ones first
//	111ooooo llllllll oooooooo   the same for l+9 bytes: 9 to 264
//
// The copied bytes may overlap those that they make: a run of one byte is a copy from one byte back. There is neither a header nor a
// length: whoever stores the data keeps the size of the original beside it. The format is that of Marc Lehmann's LibLZF; the code is not.
//
// Neither function allocates or keeps its arguments. dst and src must not overlap.
package lzf
