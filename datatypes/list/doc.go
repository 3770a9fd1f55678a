// Package list holds large lists: sequences of strings with cheap ends, cheap seeking by index and cheap change anywhere.
//
// # Terminology
//
//	chunk    a stretch of the list in one piece of arena memory: a listpack, or one plain element
//	plain    a chunk that is one large element, its bytes as they are
//	end      the first or the last chunk; never compressed, open for pushes and pops
//	rank     position of a chunk among the chunks, from 0
//	within   position of an element in its chunk, from 0
//	view     the list as it was at one instant, see Freeze
//
// # Design
//
//	        ┌ end ┐   ┌──────────── tree of the inner chunks ───────────┐   ┌ end ┐
//	List ── │chunk│ … │ inner node ─┬─ leaf ─┬─ chunk (perhaps compressed)│ … │chunk│
//	        └─────┘   │             │        └─ chunk …                  │   └─────┘
//	                  └─────────────┴──────────────────────────────────┘
//
// What makes a chunk, when it is full, and when neighbours are merged is as in the nodes of a Redis quicklist, so that
// list-max-listpack-size and list-compress-depth mean the same and a saved list has the same nodes. Chunks are listpacks byte for byte.
//
// The two ends stand outside the tree. A push or pop works on one of them and does not touch the tree at all until the chunk is full or
// empty. An end has room reserved on the side where it grows, in front as well: putting an element in front of a listpack moves its
// header, not its elements.
//
// The inner chunks hang in a B+tree that counts chunks and elements, in arena memory too. A linked list, as Redis has it, was rejected:
// with one large element a chunk, LINDEX in the middle of a million of them walks half a million nodes, here three.
//
// # Views
//
// Every chunk and tree node tells the epoch in which it was made. Freeze notes the current epoch, copies the two ends and the root of
// the tree (not what they refer to) and begins a new epoch; that is O(1). A change to anything older than the latest view makes a copy
// first and retires the old one, which is freed when the last view that can see it ends.
//
// # Ownership
//
// A List belongs to the owner of its arena: one goroutine at a time, nothing is locked. It keeps no Go memory per element and none
// per chunk; all memory is counted in Bytes, and the part on the Go heap charged to the arena.
//
// # Caveats
//
//   - Slices that methods return alias arena memory and are valid until the next change of the list, of a Walk until its next step.
//   - Elements given to methods are copied and must not alias the list.
//
// # Files
//
//	list.go     List: ends, pushes and pops       compress.go  inner chunks in LZF
//	limits.go   options and what is full          view.go      Freeze and View
//	chunk.go    chunks and their pieces           move.go      Clone, Free, Compact
//	seq.go      chunks by rank, elements by index packed.go    LREM on a listpack alone
//	tree.go     the counted B+tree                check.go     self-checks
//	edit.go     changes in the middle
//	walk.go     reading runs of elements
package list
