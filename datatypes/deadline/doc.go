// Package deadline is the index of volatile keys of one keyspace shard: it says which keys may have to expire now,
// without looking at those that need not.
//
// # Terminology
//
//   - entry: eight bytes, 48 bits of the hash of a key and 16 of the time at which the entry comes up. The deadline itself stays in the key's record.
//   - bucket: all entries whose deadline lies in one span of time. A bucket is a chain of chunks in the arena.
//   - level: 256 buckets of equal span: 1 ms at level 0, 256 ms at level 1, 65.5 s at level 2, 4.7 h, 50 days, …
//   - frontier: the instant up to which the wheel has been walked.
//   - stale: an entry whose key is gone, is no longer volatile, or has a deadline that another entry covers.
//
// # Laziness
//
// An entry's time is a lower bound of the deadline: when it has come, the index asks the owner, through a callback, what is to be done. That is
// what makes the commonest operation free: extending a deadline (SET … EX on an existing key, EXPIRE of a session) does not touch the
// index at all. The old entry comes up at the old deadline, the owner answers with the new one, and the entry moves there.
// Deleting a key or PERSIST does not touch the index either. The duty of the owner is only this:
//
//	call Add when a key becomes volatile, and when its deadline becomes EARLIER than it was
//
// which keeps the one invariant that everything rests on: a volatile key has an entry in a bucket that begins no later than
// its deadline. Expiry is therefore exact: the index reports a key within the millisecond of its deadline, and never before.
//
// An entry stands for every key whose hash has its 48 bits. When several volatile keys of a shard share them (one pair among 24 million keys, by
// chance; an adversary can arrange more), the owner deletes all of them that are due and answers with the earliest deadline of the rest.
//
// # Ownership
//
// An Index belongs to the shard that owns the arena it lives in. It takes no lock, starts no goroutine and reads no clock. The
// callbacks run inside Advance and Sweep; they may call Add, but not Advance, Sweep, Compact or Clear.
//
// # Caveats
//
// Chunks and bucket tables live in the arena, so Arena.Release takes the index with it, and a compaction of the arena
// has to run Compact between BeginCompact and EndCompact.
//
// # Files
//
// index.go: the wheel, Add, Next, Advance. chunk.go: chains of chunks. sweep.go: purge of stale entries. compact.go: arena compaction and Clear.
package deadline
