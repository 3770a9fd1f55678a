// Package hash holds the values of type hash: the large ones as tables of records in an arena, the small ones as listpacks.
//
// # Terminology
//
//	Hash      large hash: a Go object of fixed size; everything that grows with the fields lies in an arena
//	Small     small hash: a listpack of field, value, or of field, value, deadline
//	item      one field with its value
//	dated     an item that has a deadline
//	place     where the deadline of a dated item stands in the heap
//	View      a walk over a Hash as it was at one instant, see Freeze
//
// # A large hash
//
// An item is a record in the arena, found by a dict through its field:
//
//	uvarint length of field | field | uvarint length of value × 2 + dated | u32 place, if dated | value
//
// A field of 10 bytes with a value of 10 takes a record of 24 bytes and some ten of the dict. A value is overwritten in place as
// long as the record has room and does not become wasteful.
//
// The deadlines are a heap, ordered by time, of which the item knows its place. So the earliest deadline is known without a look, an
// item that loses its deadline or goes takes its entry along, and due items are taken off the top, see deadlines.go.
//
// # A small hash
//
// The bytes are those of Redis 7.4. With deadlines, the triples stand in order of time, those without (deadline 0) at the end, so that
// due ones are in front and are removed by one move of memory. An item goes in front of those with the same deadline.
//
// # Ownership
//
// A Hash belongs to the owner of its arena. It has no lock, no goroutine and no clock: whoever asks says what time it is. Due items
// stay until Reap or a change removes them; hiding them is up to the caller, who has Item.Due, Small.Due and the counts.
//
// # Caveats
//
// The bytes that an Item gives alias the arena: they are valid until the next change of the Hash, and the Item too. Fields
// and values given to a Hash are copied and must not alias it.
//
// # Files
//
//	hash.go       Hash: find, put, delete, walk         record.go     layout of an item
//	deadlines.go  the heap                              view.go       Freeze
//	move.go       Clone, Free, Compact, accounting      small.go      Small
//	check.go      self-checks
package hash
