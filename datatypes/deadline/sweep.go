package deadline

import (
	"math/bits"
	"slices"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// Purge of stale entries.
//
// DEL k; SET k v EX 3600 in a loop adds an entry each time and leaves it for an hour. The sweep walks the buckets in order of time and keeps exactly
// one entry for each volatile key, at its deadline. Of the entries with the same hash bits in a bucket, whatever their times, it asks about one:
//
//   - no volatile key has this hash: drop them;
//   - the deadline lies in this bucket: keep one, at the deadline;
//   - it lies in a later bucket: move one there, where the sweep has yet to come and will meet the duplicates;
//   - it lies in an earlier bucket: drop them, since the invariant says that another entry exists which is not later than the deadline.
//
// The entries of one key with a constant TTL gather in one bucket, possibly millions in a bucket of 4.7 hours, so removing duplicates
// has to work for buckets of any size, within a budget and without a hash set as large as the bucket. So a bucket is taken out of the wheel
// and partitioned by the bits of the hash, 16 ways at a time, until a part is small enough to sort. Hashes are spread evenly except for duplicates, and
// those fall out while partitioning, because they become neighbours.
const (
	partBits    = 4
	parts       = 1 << partBits
	sortEntries = 512 // sorting so many takes some 15 µs, which no budget interrupts
)

// part is a chain that holds the entries of the bucket whose top depth*partBits hash bits agree.
type part struct {
	head  arena.Ref
	len   int // exact up to sortEntries, beyond that anything greater
	depth int
}

// sweep is the state of a purge between two calls of Sweep.
type sweep struct {
	running bool
	from    uint64 // buckets that start before are done

	// The bucket being worked on, while holding is set. Its entries are out of the wheel, in todo, split and sorted; if the clock
	// reaches bucketStart first, Advance takes them over.
	holding     bool
	bucketStart uint64
	level       int

	todo      []part
	splitting part // the part being distributed over split, head 0 when there is none
	split     [parts]part
	sorted    []uint64 // entries not yet asked about, of distinct hash bits
}

// NeedsSweep reports whether stale entries outnumber the rest enough to be worth a purge, or a purge has begun and is not finished. volatile is the
// number of keys with a deadline. The bound it keeps: 16 bytes per volatile key plus a constant.
func (x *Index) NeedsSweep(volatile int) bool {
	return x.sweep.running || x.len > 2*volatile+1024
}

// Sweep continues the purge of stale entries, beginning a new one when none is running, for about budget entries. live returns the
// (earliest) deadline of the volatile keys whose hash has these bits 63…16, ok=false when there is none. It must not delete keys;
// those past their deadline are left to Advance. more is false when the purge is finished: if nothing was added meanwhile, Len is then the number of distinct volatile hashes.
func (x *Index) Sweep(budget int, live func(hash uint64) (atMs int64, ok bool)) (more bool) {
	s := &x.sweep
	if !s.running {
		s.running = true
		s.from = 0
	}
	for budget > 0 {
		switch {
		case len(s.sorted) > 0:
			n := len(s.sorted) - 1
			hash := s.sorted[n] &^ timeMask
			s.sorted = s.sorted[:n]
			x.len--
			if at, ok := live(hash); ok {
				x.keep(hash, toTime(at))
			}
			budget--
		case s.splitting.head != 0:
			budget -= x.splitChunk()
		case len(s.todo) > 0:
			p := s.todo[len(s.todo)-1]
			s.todo = s.todo[:len(s.todo)-1]
			if p.len > sortEntries && p.depth*partBits < 64-TimeBits {
				s.splitting = p
				break
			}
			x.sortPart(p)
		default:
			s.holding = false
			if !x.holdNext() {
				s.running = false
				return false
			}
		}
	}
	return true
}

// keep places an entry of the held bucket where its deadline is, unless another entry is known to be there.
func (x *Index) keep(hash, at uint64) {
	overdue := at <= max(x.frontier, x.last, x.late) // its entry may lie in a later bucket than the deadline, see Advance and add
	if at < x.sweep.bucketStart && !overdue {
		return
	}
	x.add(hash, at, 0)
}

// holdNext takes the next bucket that is to be swept out of the wheel.
func (x *Index) holdNext() bool {
	s := &x.sweep
	level, slot, ok := x.firstFrom(s.from)
	if !ok {
		return false
	}
	s.holding = true
	s.bucketStart, s.level = x.start(level, slot), level
	s.from = s.bucketStart + 1<<(8*level)
	head := x.detach(level, slot)
	n := 0
	for r := head; r != 0 && n <= sortEntries; {
		header := *word(r, 0)
		n += headerCount(header)
		r = headerNext(header)
	}
	s.todo = append(s.todo, part{head: head, len: n})
	return true
}

// firstFrom finds the first bucket in use that starts at or after from.
func (x *Index) firstFrom(from uint64) (level, slot int, ok bool) {
	for level := range levels {
		if x.inUse&(1<<level) == 0 {
			continue
		}
		for i, w := range x.used[level] {
			for ; w != 0; w &= w - 1 {
				slot := i*64 + bits.TrailingZeros64(w)
				if x.start(level, slot) >= from {
					return level, slot, true
				}
			}
		}
	}
	return 0, 0, false
}

// splitChunk distributes the head chunk of the part being split and returns how many entries that were.
func (x *Index) splitChunk() int {
	s := &x.sweep
	p := &s.splitting
	header := *word(p.head, 0)
	n := headerCount(header)
	shift := 64 - partBits*(p.depth+1)
	for i := 1; i <= n; i++ {
		entry := *word(p.head, i)
		out := &s.split[entry>>shift&(parts-1)]
		head, added := x.push(out.head, entry)
		out.head = head
		if added {
			out.len++
		} else {
			x.len--
		}
	}
	x.freeChunk(p.head)
	p.head = headerNext(header)
	if p.head == 0 {
		for i := range s.split {
			if s.split[i].head != 0 {
				s.split[i].depth = p.depth + 1
				s.todo = append(s.todo, s.split[i])
			}
			s.split[i] = part{}
		}
	}
	return n
}

// sortPart turns a part into the entries of sorted: of those with the same hash bits the earliest.
func (x *Index) sortPart(p part) {
	s := &x.sweep
	s.sorted = s.sorted[:0]
	for r := p.head; r != 0; {
		header := *word(r, 0)
		for i := 1; i <= headerCount(header); i++ {
			s.sorted = append(s.sorted, *word(r, i))
		}
		r = headerNext(header)
	}
	x.freeChain(p.head)
	slices.Sort(s.sorted)
	n := len(s.sorted)
	s.sorted = slices.CompactFunc(s.sorted, func(a, b uint64) bool { return a>>TimeBits == b>>TimeBits })
	x.len -= n - len(s.sorted)
}

// returnSwept gives what is left of the held bucket to Advance; the sweep goes on with the next one.
func (x *Index) returnSwept() {
	s := &x.sweep
	giveBack := func(head arena.Ref) {
		if head != 0 {
			x.pending = append(x.pending, takenFrom(head, s.level, s.bucketStart))
		}
	}
	for _, p := range s.todo {
		giveBack(p.head)
	}
	s.todo = s.todo[:0]
	giveBack(s.splitting.head)
	s.splitting = part{}
	for i := range s.split {
		giveBack(s.split[i].head)
		s.split[i] = part{}
	}
	var head arena.Ref
	for _, entry := range s.sorted {
		head, _ = x.push(head, entry)
	}
	giveBack(head)
	s.sorted = s.sorted[:0]
	s.holding = false
}

// endSweep abandons a running purge without losing an entry.
func (x *Index) endSweep() {
	if x.sweep.holding {
		x.returnSwept()
	}
	x.sweep.running = false
}
