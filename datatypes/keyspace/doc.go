// Package keyspace holds the keys of one shard: sixteen (or as many as configured) databases of records, their
// deadlines and their statistics. It is passive: it has no goroutine, no clock, no randomness and no locks.
//
// # Terminology
//
//   - shard: one slice of the keys of every database; the unit of ownership.
//   - DB: the part of one numbered database that lives on one shard.
//   - record: one key with its value in arena memory, see record.go for the layout.
//   - Key: the bytes of a key and their hash, computed once per command.
//   - Entry: a handle on a record, valid until the next change of its DB.
//   - cut: a walk over the keys as they were at one instant while writes go on, see cut.go.
//
// # Ownership
//
// All methods of a Shard and its DBs may be called only by the goroutine that owns the shard at that moment: the one
// that drains its mailbox, or the coordinator that was lent it. The owner sets Shard.NowMs before each command; the
// whole command sees that one instant.
//
// # Caveats
//
// Byte slices obtained from an Entry alias arena memory. They are valid until the next change of the same DB and must
// never be kept. Byte slices given to a DB are copied.
//
// # Files
//
//	key.go       Key, Type, Encoding, events
//	record.go    layout of a record in arena memory
//	shard.go     Shard: databases, clocks, statistics
//	db.go        DB: lookup, insert, delete, flush
//	string.go    string values
//	packed.go    small collections, whose bytes lie in the record
//	object.go    large collections, and deadlines of fields
//	expire.go    deadlines, lazy and active expiry
//	cut.go       walks at one instant
//	watch.go     watched keys
//	blocked.go   clients that wait for keys
//	compact.go   moving records out of sparse slabs
package keyspace
