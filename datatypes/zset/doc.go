// Package zset holds sorted sets: small ones as listpacks, large ones as a hash table beside a counted B+tree.
//
// # Terminology
//
//	member, score  what a sorted set maps and orders by; order is by score, then by member as bytes.Compare has it
//	rank           number of members in front of one
//	span           the ranks lo ≤ rank < hi that a range of scores or members stands for
//	packed set     listpack of member, score pairs in order, byte-compatible with Redis 7.4
//	record         score and member, in the arena; dict and tree refer to the same one
//	leaf           node of the tree that refers to up to 126 records, in order
//	inner node     node with up to 31 children; of each the lowest record, its key and the number of records below
//	key            score as an integer of the same order
//	tag            16 bits about the key of an entry of a leaf
//	view           a set as it was at an instant
//
// # Design
//
//	        member ──► dict ──► record { score | member }
//	                               ▲  ▲         ▲
//	leaves      [ tags | refs · · ·┘··┘ ]   [ tags | refs ]  …
//	                      ▲                      ▲
//	inner nodes   [ key, lowest record, child, count | … ]
//
// Everything that a command wants of the order comes down to ranks. A range of scores or members is made a span by two
// descents; counting is a subtraction; LIMIT is an addition; reading and removing take a span. So there is one iterator and one bulk removal,
// for both forms of a set.
//
// What a search in a set of a million costs is memory that is not in a cache. Inner nodes have copies of keys, and all together take
// half a byte a member: they stay in the cache. A leaf is searched by its tags, which are 4 lines that are fetched at once, and
// then reads the records whose tag is the wanted one, seldom more than one. A skiplist reads some twenty nodes one after another.
//
// Leaves have the size that their entries need, from 48 bytes to 1 KiB in steps of an eighth: filled at random a tree of fixed leaves is 69 %
// full, this one 95 %. A set of a million members of 14 bytes takes 43 bytes for each: 24 for the record, 9.9 for the slot of the dict, 9
// for leaf and inner nodes; one of 200 takes the same and 240 bytes for what is on the Go heap.
//
// Members that come in ascending or descending order fill leaves to the last place. A Builder sorts, by digits of the key, and makes the
// tree from its leaves up.
//
// A set of which all scores are equal is searched by members alone, so it reads about seven records in a leaf and five lowest
// records in the inner nodes above.
//
// Alternatives that were rejected: a skiplist, for its pointers (40 bytes a member with spans) and its cache misses; leaves with copies of
// scores, for 8 bytes a member; links between leaves for iteration, since a descent per leaf costs a nanosecond per member.
//
// # Ownership
//
// A ZSet belongs to the owner of its arena; nothing is locked. It charges the arena with its Go heap bytes (arena.Charge).
//
// # Caveats
//
//   - Slices that are returned alias records or the listpack: they are valid until the next change of the set.
//   - Scores must not be NaN.
//   - An Iter or Reader dies with the next change of its set.
//
// # Files
//
//	zset.go     ZSet: by member, by rank        span.go    ranges of scores and members
//	node.go     records, leaves, inner nodes    iter.go    Iter
//	tree.go     insert, split, remove, join     reader.go  either form, for reading
//	packed.go   listpacks                       build.go   Builder; sort.go its order
//	compact.go  Clone, Free, Compact            view.go    Freeze
//	check.go    self-checks
package zset
