// Package stream holds the stream type: an append-mostly log of entries, each a list of fields and values under an ID that ascends,
// and consumer groups that keep track of who was given which entries.
//
// # Terminology
//
//	ID         unix milliseconds and a sequence number
//	block      a listpack of about a hundred entries, in Redis's format, so that saving and loading is a copy
//	first ID   of a block: what its entries' IDs are relative to, and its key in the tree of blocks
//	tombstone  a deleted entry; it keeps its place in the block until the block goes
//	pending    an entry that was delivered to a consumer of a group and not acknowledged
//	view       the stream as of one instant, while the stream itself goes on
//
// # Design
//
//	Stream ─┬─ tree ── leaf ── block │ block │ block …
//	        └─ Group ─┬─ tree: ID → delivery time, deliveries, consumer
//	                  └─ Consumer ── tree: ID
//
// Blocks and nodes are pieces of an arena: a stream of a million entries is about ten thousand blocks and 160 leaves, and a
// Go object for the stream, each group and each consumer. The trees (tree.go) are B+trees with reference counts, which makes
// them copy-on-write by block.
//
// The last block has room to grow, in steps of a half; when it is full it is cut to its size. The first write after a view was taken goes
// down the tree and copies what the view needs; other writes know the last leaf and go there at once.
//
// A radix tree, as Redis has for all of these, was rejected: keys are all of 16 bytes and nearly all come in order, which fills the nodes of a
// B+tree, so that a pending entry takes 58 bytes in both of its trees.
//
// # Ownership
//
// A stream belongs to the owner of its arena. It takes no lock, starts no goroutine and reads no clock. A view belongs to the
// same owner. Memory on the Go heap (per stream, group and consumer) is charged to the arena; Bytes counts it too.
//
// # Caveats
//
//   - Names and values that an iterator returns alias a block and die with the next change of the stream.
//   - What is given to Append must not alias the stream.
//   - Blocks from outside must pass ValidateBlock, as LoadBlock sees to.
//
// # Files
//
//	stream.go    Stream: counters, IDs            group.go     groups, consumers, pending entries
//	id.go        ID and its text                  counters.go  entries-read, lag, radix-tree-nodes
//	block.go     the format of blocks             object.go    Clone, Free, views, compaction
//	edit.go      Append, Delete, Trim             validate.go  blocks from outside
//	iter.go      iterators                        check.go     self-checks
//	tree.go      B+tree, copy-on-write            pool.go      pieces
package stream
