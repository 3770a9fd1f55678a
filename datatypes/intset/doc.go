// Package intset edits sets of integers that are packed, sorted, into one slice of bytes: small sets whose members are all
// integers.
//
// The bytes are those of Redis, so that dump payloads and RDB files can be loaded and written as they are:
//
//	u32 width | u32 members | member ... member          numbers are little-endian
//
// The width, 2, 4 or 8 bytes, is that of every member; members ascend. A member that does not fit widens all of them; they
// never become narrower again.
//
// All functions are pure. Those that change a set work as append does: they return the new slice, which shares the old one's
// memory if its capacity sufficed ([MaxGrow] tells how much that takes). Bytes from outside must pass [Validate] with deep set
// before any other function sees them.
package intset
