// Package dict is a hash table of records in an arena: 8 bytes a slot, no Go pointers, no rehash.
//
// # Terminology
//
//	record       object in an arena with, at a fixed offset, its key: uvarint length, bytes
//	hash         xxhash of the key, 64 bits; read from the top: the first bits choose the segment, the next 16 are the fingerprint
//	slot         fingerprint (16 bits) and Ref of a record (48 bits); 0 is a gap
//	segment      the slots of all records whose hashes share a prefix, sorted by fingerprint, in one block of 128 to 4096 bytes
//	depth        number of bits of a segment's prefix
//	stored bits  what slot and segment together know of a hash: depth + 16 bits
//	code         number of a segment size; eight per doubling, as the size classes of the arena
//	buddies      the two segments that differ in the last bit of their prefix
//
// # Design
//
//	hash ┌──────────┬────────────────┬──────────────┐
//	     │ prefix   │ fingerprint 16 │ not stored   │
//	     └────┬─────┴──────┬─────────┴──────────────┘
//	          ▼            ▼ home = fp*homes>>16
//	directory ──► segment ┌───────┬─────────────────────────────┬──────┐
//	  leaf: entries       │ header│ · 07 · 1a 1b · · 3c 40 40 · …│ tail │
//	  (ref, code, depth)  └───────┴───┼─────────────────────────┴──────┘
//	                                  └──► record { …, key, … } in the arena
//
// Find reads a directory entry (the directory of a million records is 32 KiB), one or two cache lines of slots and, when the fingerprint
// agrees, the record. A miss looks at a wrong record once in about 150 times.
//
// Growth is local. A full segment is copied into one an eighth to a sixteenth larger; that needs no hash, for slots keep their
// order. At 4096 bytes it splits in two, which takes one more hash bit of every record in it, 450 keys read. The load is between
// 80 and 90 % while a dict grows: 9.9 bytes per record on average over the sizes from 500,000 to a million, everything counted. A dict
// that loses records shrinks its segments below 60 % load and merges buddies that fit in half a full segment; merging reads no
// keys. An empty dict holds nothing.
//
// Order is by hash, and a cursor is a hash: see Scan for what that guarantees.
//
// Alternatives that were rejected: one open-addressing table of 10^8 slots stops for seconds when it doubles, or drags two tables
// along while it moves; chained buckets pay an entry of 24 bytes and one cache miss more per record; swiss tables, one per
// directory entry as in Go's maps, are between 44 and 88 % full and have no order that survives growth.
//
// # Ownership
//
// A Dict belongs to the owner of its arena. It does not own the records: Insert, Delete and Clear neither allocate nor free them.
//
// # Caveats
//
//   - A Slot is valid until the next Insert, Delete, Compact or Clear. Callbacks of Scan and EachHash may call Slot.Set and may
//     allocate in the arena, but must not insert or delete.
//   - The keys that agree in their whole hash stay in one segment, which then grows without bound and is searched one by one.
//     The hash is not keyed: who may choose keys freely can choose colliding ones.
//   - Insert trusts the caller that the key is absent and the hash right (checked with -tags invariants).
//
// # Files
//
//	dict.go       Dict, Slot, Find, Insert, Delete      directory.go  from hash to segment
//	segment.go    the slots of a segment                pool.go       where segments live
//	grow.go       resize, split, merge                  scan.go       Scan, Random
//	copy.go       Copy                                  check.go      self-checks
package dict
