// Package set is the large set: members in an arena, found by a hash table, with no memory of the Go heap per member.
//
// # Terminology
//
//	record   a member in the arena: uvarint length, bytes
//	order    that of the members' hashes; Scan, Walk and View go in it
//	position a hash up to which a walk has come, see dict.Scan
//	view     a walk over the members as they were when it began, while the set goes on changing
//
// # Design
//
//	Set ──► dict (segments of 8-byte slots) ──► record { len, member } …
//
// A member of n < 128 bytes takes n+1 bytes, rounded up to a size class of the arena (steps of 4 to 64 bytes), and about ten bytes
// of slot and directory: a million numbers of seven digits are 18 MB.
//
// All sets hash alike, so a walk over one set looks the members up in another one's order too: segment after segment, with nothing
// but the records in random places. WalkWarm announces those to the processor a chunk ahead: looking a million members up in a set of
// a million takes 108 ns each with it and 193 without (BenchmarkWalk).
//
// # Ownership
//
// A Set belongs to the owner of its arena, a goroutine at a time. Nothing is locked.
//
// # Caveats
//
//   - A Member, and the bytes that it stands for, are valid until the next change of the set.
//   - Callbacks of Scan and Walk must not change the set.
//   - The hash is not keyed, see package dict.
//
// # Files
//
//	set.go   Set: members, copies, memory     walk.go  walks and random members
//	elem.go  members of any set               view.go  views
//	bulk.go  building a set of many members
package set
