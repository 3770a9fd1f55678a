package deadline

import (
	"math"
	"math/bits"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// The wheel.
//
// Read a time as eight bytes. An entry for time t lies at the level of the highest byte in which t differs from the frontier, in the bucket
// that this byte of t names. With a frontier of 0x…12_34_56:
//
//	t = 0x…12_34_58  differs in byte 0  → level 0, bucket 0x58: exactly that millisecond
//	t = 0x…12_39_00  differs in byte 1  → level 1, bucket 0x39: 256 ms
//	t = 0x…15_00_00  differs in byte 2  → level 2, bucket 0x15: 65.5 s
//
// What follows from it, and is all that the code below needs:
//
//   - Every bucket of level n agrees with the frontier above byte n and is greater in byte n. So the buckets in use are ordered in time by
//     (level, bucket), and the earliest one is the first set bit of the lowest level in use.
//   - The frontier may jump to any instant up to the start of the earliest bucket without moving an entry.
//   - When it reaches the start of a bucket, that bucket's entries differ from it in a lower byte only: they are taken out and placed again. An
//     entry is placed at most eight times, in practice log256(TTL in ms).
//
// An entry is a word: 48 bits of the hash and, up to level 2, the two lowest bytes of its time. The other bytes are those of the start of its
// bucket, so that it can be placed again without a question to the owner. To ask is what costs: two or three cache misses in the
// keyspace, against a few nanoseconds for moving a word from one chunk to another. A bucket of level 3 or more tells too little; its
// entries have zeros there, and the owner is asked when the frontier reaches them.
//
//	63                                      16 15            0
//	+-----------------------------------------+---------------+
//	|            bits 63…16 of the hash       | time mod 2^16 |    level 0 to 2, deadlines in the 4.7 h of the frontier: asked about once, when due
//	+-----------------------------------------+---------------+
//	|            bits 63…16 of the hash       |       0       |    level 3 and more: asked about at the start of the bucket as well
//	+-----------------------------------------+---------------+
//
// Rejected: entries of 64 hash bits, always asked about before they move. A key with a TTL of some seconds was then looked up twice, and
// to expire it took 285 ns instead of 215 (BenchmarkExpireDue of keyspace). A heap or tree of (deadline, reference) costs 16 bytes and
// more per key, a cache miss per level and an update on every extension of a TTL; random sampling as in Redis leaves up to a
// quarter of the memory to dead keys.

const (
	levels    = 8 // bytes of an int64
	slots     = 256
	slotWords = slots / 64
)

// TimeBits is how many low bits of a hash the index does not know: the time is in their place.
const TimeBits = 16

const (
	timeMask   = 1<<TimeBits - 1
	exactLevel = TimeBits / 8 // the highest level whose buckets span no more than 2^TimeBits ms
)

// rewindMs is how far the clock may step back before the wheel follows it. Following means taking every entry out, and asking the owner
// about some; not following means that keys set after the step are reported late by at most the step.
const rewindMs = 1000

// Index is the deadline index of one keyspace. Use New.
type Index struct {
	arena *arena.Arena

	frontier uint64 // walked up to here; see above
	last     uint64 // the time of the latest Advance, at least frontier unless the clock stepped back
	late     uint64 // greatest time at which an entry was placed for an earlier deadline, since the last rewind
	len      int
	bytes    int64

	inUse uint8                     // bit n: level n has a bucket in use
	used  [levels][slotWords]uint64 // bit s of level n: bucket s is in use
	table [levels]arena.Ref         // bucket heads of a level: 256 words, allocated with the level's first entry

	// pending holds the chains taken out of buckets that the frontier has reached (or of all, after the clock stepped back) and that Advance
	// has not yet gone through.
	pending []taken

	room []uint64 // of Advance: the entries it asks about together

	sweep sweep
}

// taken is a chain taken out of a bucket.
type taken struct {
	head arena.Ref
	base uint64 // the times of its entries but for the low TimeBits
	// vague is the time up to which the entries' times say nothing about deadlines, so that the owner has to be asked: all times above
	// exactLevel; after the clock stepped back, those that may have been given to entries which were too late for theirs.
	vague uint64
}

// takenFrom describes a chain from a bucket.
func takenFrom(head arena.Ref, level int, start uint64) taken {
	c := taken{head: head, base: start &^ timeMask}
	if level > exactLevel {
		c.vague = math.MaxUint64
	}
	return c
}

// New returns an empty index whose memory comes from a. It allocates nothing there until the first Add.
func New(a *arena.Arena, nowMs int64) *Index {
	now := toTime(nowMs)
	return &Index{arena: a, frontier: now, last: now}
}

// toTime maps the times before 1970 to 0: a deadline there is as past as any.
func toTime(ms int64) uint64 { return uint64(max(ms, 0)) }

// Len returns the number of entries, stale ones included.
func (x *Index) Len() int { return x.len }

// Bytes returns the arena memory the index holds.
func (x *Index) Bytes() int64 { return x.bytes }

// Add makes the index report hash at atMs. A deadline in the past is reported by the next Advance. O(1).
func (x *Index) Add(hash uint64, atMs int64) {
	x.add(hash, toTime(atMs), 0)
}

// add places an entry at its deadline, but not before earliest nor before the frontier. The low TimeBits of hash do not matter.
func (x *Index) add(hash, at, earliest uint64) {
	if earliest = max(earliest, x.frontier); at < earliest {
		at = earliest
		x.late = max(x.late, at)
	}
	level, slot := x.place(at)
	if x.table[level] == 0 {
		x.newTable(level)
	}
	entry := hash &^ timeMask
	if level <= exactLevel {
		entry |= at & timeMask
	}
	bucket := word(x.table[level], slot)
	head, added := x.push(arena.Ref(*bucket), entry)
	*bucket = uint64(head)
	if added {
		x.len++
	}
	x.used[level][slot/64] |= 1 << (slot % 64)
	x.inUse |= 1 << level
}

// place returns the bucket for time at. REQUIRES: at >= frontier.
func (x *Index) place(at uint64) (level, slot int) {
	level = (bits.Len64((at^x.frontier)|1) - 1) / 8
	return level, int(at >> (8 * level) & (slots - 1))
}

func (x *Index) newTable(level int) {
	x.table[level] = x.arena.Alloc(slots * 8)
	x.bytes += slots * 8
	for s := range slots {
		*word(x.table[level], s) = 0
	}
}

// start returns the first millisecond of a bucket in use.
func (x *Index) start(level, slot int) uint64 {
	above := x.frontier >> (8 * level) >> 8 << 8 // in two steps: a shift by 64 must give 0 at the top level, and does
	return (above | uint64(slot)) << (8 * level)
}

// detach empties a bucket and returns its chain. The entries still count in len.
func (x *Index) detach(level, slot int) arena.Ref {
	bucket := word(x.table[level], slot)
	head := arena.Ref(*bucket)
	*bucket = 0
	x.used[level][slot/64] &^= 1 << (slot % 64)
	if x.used[level] == [slotWords]uint64{} {
		x.inUse &^= 1 << level
	}
	return head
}

// earliest finds the first bucket in use; ok is false when there is none.
func (x *Index) earliest() (level, slot int, ok bool) {
	if x.inUse == 0 {
		return 0, 0, false
	}
	level = bits.TrailingZeros8(x.inUse)
	for i, w := range x.used[level] {
		if w != 0 {
			return level, i*64 + bits.TrailingZeros64(w), true
		}
	}
	panic("deadline: level marked in use has no bucket in use")
}

// Next returns a time that no entry's deadline precedes, except those already reported past: the start of the earliest bucket in use, or
// math.MaxInt64 when the index is empty. Nothing is to be gained by calling Advance before it. O(levels).
func (x *Index) Next() int64 {
	if len(x.pending) > 0 {
		return int64(x.frontier)
	}
	next := uint64(math.MaxInt64)
	if level, slot, ok := x.earliest(); ok {
		next = x.start(level, slot)
	}
	if x.sweep.holding {
		next = min(next, x.sweep.bucketStart)
	}
	return int64(min(next, math.MaxInt64)) // a key kept at the end of time lies one past it
}

// Advance walks the index up to nowMs and calls due for every entry whose time has come or cannot be told, at most budget times. due gets bits
// 63…16 of the hash, the others are 0. It looks for keys in the keyspace that agree in those and
//
//   - returns ok=false when no volatile one is left, after deleting those whose deadline is at or before nowMs;
//   - returns the (earliest) deadline and ok=true when there is one, and the entry moves there.
//
// A deadline that is not after nowMs with ok=true says that the key must stay for now (a replica waits for its primary): it
// is reported again from the next millisecond on. more tells that entries up to nowMs are left: call again. The cost is that
// of the calls of due, of the entries that move to a lower level without one, movesPerCall of which count as a call, and of the buckets in
// use that are passed, whatever the distance in time.
//
// ahead, when not nil, is told of the hashes that due will be called for next, some at a time: the owner can bring what it
// will look at close to the processor.
func (x *Index) Advance(nowMs int64, budget int, ahead func(hashes []uint64), due func(hash uint64) (atMs int64, ok bool)) (more bool) {
	now := toTime(nowMs)
	if now+rewindMs < x.frontier {
		x.rewind(now)
	}
	x.last = now
	if x.room == nil {
		x.room = make([]uint64, 0, askAhead)
	}
	for moves := min(budget, math.MaxInt/movesPerCall) * movesPerCall; moves > 0; {
		moves = x.gather(now, moves)
		if len(x.room) == 0 {
			break // nothing is left, or too few moves
		}
		if ahead != nil {
			ahead(x.room)
		}
		for _, h := range x.room {
			if at, ok := due(h); ok {
				x.add(h, toTime(at), now+1)
			}
		}
	}
	return x.reach(now)
}

const (
	askAhead     = 32 // how many entries are taken out before the owner is asked about the first
	movesPerCall = 4
)

// gather takes entries up to now out of the index until room is full of those to ask about, or moves are used up, and puts those that are for
// later where they belong. It returns what is left of moves.
func (x *Index) gather(now uint64, moves int) (left int) {
	x.room = x.room[:0]
	for moves > 0 && len(x.room) < askAhead && x.reach(now) {
		n := len(x.pending) - 1
		c := &x.pending[n]
		head, entry := x.pop(c.head)
		at, vague := c.base|entry&timeMask, c.vague
		if c.head = head; head == 0 {
			x.pending = x.pending[:n]
		}
		x.len--
		if at > now && at > vague {
			x.add(entry, at, 0)
			moves--
			continue
		}
		x.room = append(x.room, entry&^timeMask)
		moves -= movesPerCall
	}
	return moves
}

// reach makes the earliest bucket that starts at or before now pending and moves the frontier to its start, or to now when there is
// none. It reports whether anything is pending.
func (x *Index) reach(now uint64) bool {
	if len(x.pending) > 0 {
		return true
	}
	if x.sweep.holding && x.sweep.bucketStart <= now {
		x.returnSwept()
	}
	level, slot, ok := x.earliest()
	if !ok || x.start(level, slot) > now {
		x.frontier = max(x.frontier, now)
		return len(x.pending) > 0
	}
	x.frontier = x.start(level, slot)
	x.pending = append(x.pending, takenFrom(x.detach(level, slot), level, x.frontier))
	return true
}

// rewind follows a clock that stepped back. The buckets are relative to the frontier, so all entries have to be placed again. An entry up to late
// may stand for a deadline that had passed and now has not: what its time was, only the owner knows.
func (x *Index) rewind(now uint64) {
	x.endSweep()
	for {
		level, slot, ok := x.earliest()
		if !ok {
			break
		}
		start := x.start(level, slot)
		x.pending = append(x.pending, takenFrom(x.detach(level, slot), level, start))
	}
	for i := range x.pending {
		x.pending[i].vague = max(x.pending[i].vague, x.late)
	}
	x.frontier, x.late = now, 0
}
