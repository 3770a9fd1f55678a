// Package rdb has the building blocks of Redis's RDB format, in which snapshots, replication streams and the payloads of DUMP and FUNCTION DUMP are
// written: lengths, strings, the checksum and the footer of payloads.
//
// The format's source is Redis itself: rdb.h and rdb.c say how lengths and strings are encoded, cluster.c what ends the payload of DUMP, crc64.c which
// checksum it has. A description is at https://rdb.fnordig.de/file_format.html.
//
// # Lengths
//
//	00nnnnnn                      0 to 63
//	01nnnnnn nnnnnnnn             14 bits, big endian
//	10000000 and 4 bytes          32 bits, big endian
//	10000001 and 8 bytes          64 bits, big endian
//	11tttttt                      no length: a string of the special encoding t follows
//
// # Strings
//
// A string is its length and its bytes, or one of the special encodings: an integer of 1, 2 or 4 bytes, little endian and signed, for its decimal digits
// (t is 0, 1, 2), or compressed by LZF (t is 3, followed by the compressed length, the original length and the compressed bytes).
//
// # Dump payloads
//
// The payload of DUMP ends with the RDB version, 2 bytes, and the checksum of everything before it, 8 bytes, both little endian.
//
// # Caveats
//
// Functions named Append append to dst and return it; they keep nothing. Those named Read return parts of src where they can, not copies. What a length in
// src claims is checked against src before anything is allocated for it. Errors name the offset in src at which something is wrong, and wrap ErrCorrupt
// or ErrVersion. All functions may be called from any goroutine.
//
// Files: length.go, string.go, crc64.go, dump.go.
package rdb
