package deadline

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// owner stands for a keyspace: it knows the deadlines and keeps the duty that doc.go gives to the owner. Its keys are numbers of 48 bits;
// the rest of their hashes must not matter.
type owner struct {
	x         *Index
	a         *arena.Arena
	deadlines map[uint64]int64
	now       int64
	keep      bool // a replica: never deletes
	asked     int
	announced []uint64 // by ahead, and not asked about yet
}

func newOwner(t testing.TB, nowMs int64) *owner {
	a := arena.New()
	t.Cleanup(a.Release)
	return &owner{x: New(a, nowMs), a: a, deadlines: map[uint64]int64{}, now: nowMs}
}

const keyMask = 1<<(64-TimeBits) - 1

func hashOf(key uint64) uint64 { return key<<TimeBits | key*0x9e3779b97f4a7c15>>48 }

// keyOf undoes what the index makes of hashOf.
func keyOf(hash uint64) uint64 {
	if hash&timeMask != 0 {
		panic("a callback got more than the hash bits that the index knows")
	}
	return hash >> TimeBits
}

func (o *owner) expire(key uint64, atMs int64) {
	was, volatile := o.deadlines[key]
	o.deadlines[key] = atMs
	if !volatile || atMs < was {
		o.x.Add(hashOf(key), atMs)
	}
}

func (o *owner) ahead(hashes []uint64) {
	if o.announced != nil || len(hashes) == 0 {
		panic("announced none, or more before the last were asked about")
	}
	o.announced = append(o.announced, hashes...)
}

func (o *owner) due(hash uint64) (int64, bool) {
	o.asked++
	if o.announced == nil {
		return o.judge(hash)
	}
	if o.announced[0] != hash {
		panic("asked about a hash that was not announced")
	}
	if o.announced = o.announced[1:]; len(o.announced) == 0 {
		o.announced = nil
	}
	return o.judge(hash)
}

func (o *owner) judge(hash uint64) (int64, bool) {
	key := keyOf(hash)
	at, ok := o.deadlines[key]
	if ok && at <= o.now && !o.keep {
		delete(o.deadlines, key)
		return 0, false
	}
	return at, ok
}

func (o *owner) live(hash uint64) (int64, bool) {
	at, ok := o.deadlines[keyOf(hash)]
	return at, ok
}

func (o *owner) advance(budget int) bool { return o.x.Advance(o.now, budget, o.ahead, o.due) }

func (o *owner) sweepAll(t require.TestingT) {
	for calls := 0; o.x.Sweep(100, o.live); calls++ {
		require.Less(t, calls, 1<<20, "the sweep does not end")
	}
}

// check verifies the invariants of the index, and that it covers every deadline.
func (o *owner) check(t require.TestingT) {
	x := o.x
	covered := map[uint64]uint64{} // earliest time at which the index asks about a key
	cover := func(entry uint64, c taken, start uint64) {
		at := c.base | entry&timeMask
		if at <= c.vague {
			at = start
		}
		if first, ok := covered[entry>>TimeBits]; !ok || at < first {
			covered[entry>>TimeBits] = at
		}
	}
	entries, bytes := 0, int64(0)
	walk := func(c taken, start uint64) {
		head := c.head
		for r, first := head, true; r != 0; first = false {
			h := *word(r, 0)
			n, size := headerCount(h), chunkCap(headerClass(h))
			if n < 1 || n > size || !first && n != size || o.a.SizeOf(r) < 8*(size+1) {
				require.Fail(t, "bad chunk", "%d of %d entries, first %v", n, size, first)
			}
			for i := 1; i <= n; i++ {
				cover(*word(r, i), c, start)
			}
			entries += n
			bytes += int64(8 * (size + 1))
			r = headerNext(h)
		}
	}
	for level := range levels {
		any := false
		for slot := range slots {
			used := x.used[level][slot/64]&(1<<(slot%64)) != 0
			any = any || used
			head := arena.Ref(0)
			if x.table[level] != 0 {
				head = arena.Ref(*word(x.table[level], slot))
			}
			own := int(x.frontier >> (8 * level) & 255)
			ahead := slot > own || level == 0 && slot == own
			if used != (head != 0) || used && !ahead {
				require.Fail(t, "bad bucket", "level %d bucket %d: used %v, head %#x, frontier %#x", level, slot, used, head, x.frontier)
			}
			start := x.start(level, slot)
			checkTimes(t, head, level, start)
			walk(takenFrom(head, level, start), start)
		}
		require.Equal(t, any, x.inUse&(1<<level) != 0)
		if x.table[level] != 0 {
			bytes += slots * 8
		}
	}
	for _, c := range x.pending {
		require.NotZero(t, c.head)
		walk(c, 0) // unless the time is known they are asked about at once
	}
	s := &x.sweep
	held := func(head arena.Ref) taken {
		checkTimes(t, head, s.level, s.bucketStart)
		return takenFrom(head, s.level, s.bucketStart)
	}
	for _, p := range s.todo {
		walk(held(p.head), s.bucketStart)
	}
	walk(held(s.splitting.head), s.bucketStart)
	for _, p := range s.split {
		walk(held(p.head), s.bucketStart)
	}
	for _, entry := range s.sorted {
		cover(entry, held(0), s.bucketStart)
	}
	entries += len(s.sorted)
	require.Equal(t, x.Len(), entries)
	require.Equal(t, x.Bytes(), bytes)
	require.Equal(t, x.Bytes(), o.a.Used())
	seen := max(x.frontier, x.last+1, x.late)
	for key, at := range o.deadlines {
		if start, ok := covered[key]; !ok || start > max(toTime(at), seen) {
			require.Fail(t, "deadline not covered", "key %#x at %d: has an entry %v, which comes up at %d", key, at, ok, start)
		}
	}
	if len(o.deadlines) > 0 {
		first := uint64(math.MaxUint64)
		for _, at := range o.deadlines {
			first = min(first, toTime(at))
		}
		require.LessOrEqual(t, toTime(x.Next()), max(first, seen))
	}
}

// checkTimes verifies that the times of a bucket's entries lie in it.
func checkTimes(t require.TestingT, head arena.Ref, level int, start uint64) {
	for r := head; r != 0; r = headerNext(*word(r, 0)) {
		for i := 1; i <= headerCount(*word(r, 0)); i++ {
			low := *word(r, i) & timeMask
			if level > exactLevel && low != 0 || level <= exactLevel && (start&^timeMask|low)>>(8*level) != start>>(8*level) {
				require.Fail(t, "bad time", "level %d bucket at %#x: entry has time %#x", level, start, low)
			}
		}
	}
}

// run lets time pass as a shard does, from one Next to the next, and returns when each key was reported.
func (o *owner) run(until int64) map[uint64]int64 {
	reported := map[uint64]int64{}
	for o.now <= until {
		o.x.Advance(o.now, math.MaxInt, nil, func(hash uint64) (int64, bool) {
			at, ok := o.due(hash)
			if !ok {
				reported[keyOf(hash)] = o.now
			}
			return at, ok
		})
		next := o.x.Next()
		if next > until {
			break
		}
		o.now = max(o.now+1, next)
	}
	return reported
}

func TestEmpty(t *testing.T) {
	o := newOwner(t, 1_700_000_000_000)
	require.Equal(t, 0, o.x.Len())
	require.Equal(t, int64(math.MaxInt64), o.x.Next())
	require.Zero(t, o.a.Used(), "an index without entries takes no memory")
	o.now += 1 << 40
	require.False(t, o.advance(1))
	require.False(t, o.x.Sweep(1, o.live))
	require.False(t, o.x.NeedsSweep(0))
	o.x.Clear()
	o.check(t)
}

func TestExactMillisecond(t *testing.T) {
	const now = 0x18_1234_56f0
	o := newOwner(t, now)
	want := map[uint64]int64{}
	var until int64
	for i, ttl := range []int64{0, 1, 2, 15, 16, 17, 255, 256, 257, 511, 65_535, 65_536, 65_537, 1 << 20, 1<<24 - 1, 1 << 24, 86_400_000, 1 << 32, 1<<40 + 3} {
		key := uint64(i) * 0x9e3779b97f4a7c15 & keyMask
		o.expire(key, now+ttl)
		want[key] = now + ttl
		until = max(until, now+ttl)
	}
	o.check(t)
	require.Equal(t, want, o.run(until))
	require.Equal(t, 0, o.x.Len())
	require.Equal(t, int64(math.MaxInt64), o.x.Next())
	o.check(t)
}

func TestNextIsLowerBoundAndNotEarly(t *testing.T) {
	o := newOwner(t, 1000)
	o.expire(1, 1000+300)
	require.Equal(t, int64(1024+256), o.x.Next(), "level 1 bucket")
	o.expire(2, 1000+10)
	require.Equal(t, int64(1010), o.x.Next())
	o.now = 1009
	o.advance(100)
	require.Zero(t, o.asked, "nothing is asked before its bucket")
	o.now = 1279
	o.advance(100)
	require.Equal(t, 1, o.asked)
	require.Equal(t, int64(1280), o.x.Next())
	o.now = 1280
	o.advance(100)
	require.Equal(t, int64(1300), o.x.Next(), "the entry came down to its millisecond")
	o.now = 1299
	o.advance(100)
	require.Equal(t, 1, o.asked, "nothing is asked when an entry moves")
	o.now = 1300
	o.advance(100)
	require.Equal(t, 2, o.asked)
	require.Empty(t, o.deadlines)
}

// TestAskedOnce: entries of level 2 and below come down without a question, those above cost one more.
func TestAskedOnce(t *testing.T) {
	for _, test := range []struct {
		name         string
		from, to     int64
		asked, early int
	}{
		{"level 0", 1, 1 << 8, 1, 0},
		{"level 1", 1 << 8, 1 << 16, 1, 0},
		{"level 2", 1 << 16, 1 << 24, 1, 0},
		{"level 3", 1<<24 + 1<<16, 1 << 32, 2, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := newOwner(t, 1<<40)
			rnd := rand.New(rand.NewPCG(11, 12))
			for key := range uint64(1000) {
				// The odd milliseconds leave out the starts of buckets, where an entry of level 3 is due when it is asked about.
				o.expire(key, o.now+(test.from+rnd.Int64N(test.to-test.from))|1)
			}
			early := 0
			for o.now < 1<<40+test.to {
				o.now = max(o.now+1, o.x.Next())
				o.x.Advance(o.now, math.MaxInt, nil, func(hash uint64) (int64, bool) {
					at, ok := o.due(hash)
					if ok {
						require.Greater(t, at, o.now)
						early++
					}
					return at, ok
				})
			}
			require.Empty(t, o.deadlines)
			require.Equal(t, 1000*test.asked, o.asked)
			require.Equal(t, 1000*test.early, early)
		})
	}
}

// TestStaleEntryIsFoundOutWhenDue: deleted and extended keys cost one question each, at their old deadline.
func TestStaleEntryIsFoundOutWhenDue(t *testing.T) {
	o := newOwner(t, 0)
	for key := range uint64(100) {
		o.expire(key, 10_000)
	}
	for key := range uint64(50) {
		delete(o.deadlines, key)
	}
	for key := uint64(50); key < 100; key++ {
		o.expire(key, 20_000)
	}
	o.now = 9999
	require.False(t, o.advance(math.MaxInt))
	require.Zero(t, o.asked)
	require.Equal(t, 100, o.x.Len())
	o.now = 10_000
	require.False(t, o.advance(math.MaxInt))
	require.Equal(t, 100, o.asked)
	require.Equal(t, 50, o.x.Len())
	o.check(t)
	require.Len(t, o.run(20_000), 50)
}

// TestEarlierOfTwoEntries: two times of one key next to each other in a bucket make one entry, of the earlier time.
func TestEarlierOfTwoEntries(t *testing.T) {
	o := newOwner(t, 0)
	o.expire(1, 1100)
	o.expire(1, 1050)
	delete(o.deadlines, 1)
	o.expire(1, 1200)
	require.Equal(t, 1, o.x.Len())
	o.now = 1050
	o.advance(10)
	require.Equal(t, 1, o.asked)
	require.Equal(t, map[uint64]int64{1: 1200}, o.run(2000))
}

func TestClamps(t *testing.T) {
	for _, now := range []int64{0, -5, math.MinInt64, 1_700_000_000_000, math.MaxInt64 - 1} {
		t.Run(fmt.Sprint(now), func(t *testing.T) {
			o := newOwner(t, now)
			o.expire(1, math.MinInt64)
			o.expire(2, -1)
			o.expire(3, 0)
			o.expire(4, math.MaxInt64)
			o.check(t)
			require.False(t, o.advance(10))
			_, last := o.deadlines[4]
			require.True(t, last)
			o.now = math.MaxInt64
			require.False(t, o.advance(10))
			require.Empty(t, o.deadlines)
			require.Zero(t, o.x.Len())
		})
	}
}

func TestJumpOfYearsCostsEntriesOnly(t *testing.T) {
	o := newOwner(t, 0)
	for i := range uint64(1000) {
		o.expire(i*0x9e3779b97f4a7c15&keyMask, int64(i)*86_400_000*30)
	}
	o.now = 86_400_000 * 365 * 200
	require.False(t, o.advance(math.MaxInt))
	require.Empty(t, o.deadlines)
	require.Equal(t, 1000, o.asked)
}

func TestBudget(t *testing.T) {
	o := newOwner(t, 0)
	for i := range uint64(1000) {
		o.expire(i, 5)
	}
	require.False(t, o.advance(0), "nothing is due yet")
	o.now = 5
	require.True(t, o.advance(0))
	for left := 1000; left > 0; left -= 100 {
		require.Len(t, o.deadlines, left)
		require.Equal(t, left > 100, o.advance(100) && len(o.deadlines) > 0)
		o.check(t)
	}
	require.False(t, o.advance(0))
}

// TestBudgetOfMoves: entries that move without a question count a quarter.
func TestBudgetOfMoves(t *testing.T) {
	o := newOwner(t, 0)
	for i := range uint64(1000) {
		o.expire(i, 1<<16+5)
	}
	o.now = 1 << 16
	for left := 1000; left > 0; left -= 40 {
		require.Equal(t, left > 40, o.advance(10))
		o.check(t)
		n := 0
		for _, c := range o.x.pending {
			for r := c.head; r != 0; r = headerNext(*word(r, 0)) {
				n += headerCount(*word(r, 0))
			}
		}
		require.Equal(t, left-40, n)
	}
	require.Zero(t, o.asked)
	require.False(t, o.advance(10))
	require.Equal(t, int64(1<<16+5), o.x.Next())
}

func TestExtensionIsFree(t *testing.T) {
	o := newOwner(t, 0)
	o.expire(7, 1000)
	for o.now = 0; o.now < 100_000; o.now += 500 {
		o.advance(10)
		o.expire(7, o.now+1000)
		require.Equal(t, 1, o.x.Len())
	}
	require.LessOrEqual(t, o.asked, 400)
	require.Equal(t, map[uint64]int64{7: o.deadlines[7]}, o.run(o.now+10_000))
}

// A replica keeps keys past their deadline until its primary deletes them: the index must neither lose nor spin on them.
func TestOwnerKeepsOverdueKeys(t *testing.T) {
	o := newOwner(t, 0)
	o.keep = true
	for i := range uint64(50) {
		o.expire(i, int64(i)*7)
	}
	for o.now = 1; o.now < 1000; o.now += 13 {
		o.asked = 0
		require.False(t, o.advance(1000))
		require.LessOrEqual(t, o.asked, 150)
		if o.now%2 == 0 {
			o.sweepAll(t)
		}
		o.check(t)
		require.Equal(t, 50, o.x.Len())
	}
	o.keep = false
	require.False(t, o.advance(1000))
	require.Empty(t, o.deadlines)
}

func TestClockStepsBack(t *testing.T) {
	t.Run("by little", func(t *testing.T) {
		o := newOwner(t, 100_000)
		o.now = 100_500
		o.advance(10)
		o.now = 100_000
		o.expire(1, 100_200) // behind the frontier
		o.advance(10)
		require.Contains(t, o.deadlines, uint64(1), "never early")
		o.check(t)
		o.now = 100_500
		o.advance(10)
		require.Empty(t, o.deadlines)
	})
	t.Run("by years", func(t *testing.T) {
		const year = 365 * 86_400_000
		o := newOwner(t, 10*year)
		for i := range uint64(1000) {
			o.expire(i*0x9e3779b97f4a7c15&keyMask, 10*year+int64(i)*100_000)
		}
		o.now = 5 * year
		require.True(t, o.advance(10), "entries are placed again within the budget")
		o.check(t)
		for o.advance(10) {
			o.check(t)
		}
		require.Len(t, o.deadlines, 1000)
		o.expire(42, 5*year+3)
		require.Equal(t, int64(5*year+3), o.x.Next())
		o.now += 3
		o.advance(10)
		require.NotContains(t, o.deadlines, uint64(42))
		require.Len(t, o.run(11*year), 1000)
	})
	t.Run("times that are known", func(t *testing.T) {
		const start = 1<<40 + 1<<22
		o := newOwner(t, start)
		for key := range uint64(1000) {
			o.expire(key, start+int64(key)*1000+1)
		}
		o.now = start - 10_000
		for o.advance(100) {
			o.check(t)
		}
		require.Zero(t, o.asked, "placed again without a question")
		require.Len(t, o.run(start+1<<20), 1000)
		require.Equal(t, 1000, o.asked)
	})
	t.Run("entries later than their deadline", func(t *testing.T) {
		o := newOwner(t, 100_000)
		o.keep = true
		o.expire(1, 90_000) // as past as the frontier: placed there
		o.expire(2, 100_010)
		o.now = 110_000
		require.False(t, o.advance(10))
		o.keep = false
		o.now = 80_000
		require.False(t, o.advance(10))
		o.check(t)
		require.Equal(t, map[uint64]int64{1: 90_000, 2: 100_010}, o.run(200_000))
	})
	t.Run("by little, then a sweep", func(t *testing.T) {
		o := newOwner(t, 100)
		o.keep = true
		o.expire(1, 300)
		for key := uint64(2); key < 40; key++ {
			o.expire(key, 400)
		}
		o.now = 1100
		require.True(t, o.advance(1)) // places an entry after 1100 while the frontier is behind
		o.now = 200
		o.advance(0)
		o.sweepAll(t)
		o.keep = false
		o.now = 1200
		for o.advance(10) {
		}
		require.Empty(t, o.deadlines)
	})
}

func TestSweepRemovesStaleAndDuplicates(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	o := newOwner(t, 1_700_000_000_000)
	hashes := make([]uint64, 3000)
	for i := range hashes {
		hashes[i] = rnd.Uint64() & keyMask
	}
	hashes[7] = hashes[8] ^ 1 // partitioning alone cannot tell these apart before the last bits
	for round := range 20 {
		for _, h := range hashes {
			delete(o.deadlines, h) // DEL
			o.expire(h, o.now+10_000_000+int64(round))
		}
	}
	for _, h := range hashes[:1000] {
		delete(o.deadlines, h)
	}
	for _, h := range hashes[1000:1500] {
		o.expire(h, o.now+1<<35)
	}
	for _, h := range hashes[1500:1700] {
		o.expire(h, o.now+500)
	}
	require.True(t, o.x.NeedsSweep(len(o.deadlines)))
	require.Greater(t, o.x.Len(), 50_000)
	for o.x.Sweep(777, o.live) {
		o.check(t)
		require.True(t, o.x.NeedsSweep(math.MaxInt/4), "running")
	}
	o.check(t)
	require.Equal(t, len(o.deadlines), o.x.Len())
	require.False(t, o.x.NeedsSweep(len(o.deadlines)))
	require.Len(t, o.run(o.now+1<<36), 2000)
}

func TestSweepOfOneHash(t *testing.T) {
	o := newOwner(t, 0)
	for i := range 100_000 {
		delete(o.deadlines, 9)
		delete(o.deadlines, 10)
		o.expire(9+uint64(i&1), 10_000_000)
	}
	require.Equal(t, 100_000, o.x.Len())
	o.sweepAll(t)
	require.Equal(t, 1, o.x.Len())
	o.check(t)
}

func TestAdvanceTakesOverSweptBucket(t *testing.T) {
	for _, budget := range []int{1, 100, 600, 2000, 5000, 5500, 6000} {
		o := newOwner(t, 0)
		rnd := rand.New(rand.NewPCG(3, 4))
		for range 5000 {
			o.expire(rnd.Uint64()&keyMask, 1<<20)
		}
		require.True(t, o.x.Sweep(budget, o.live))
		require.LessOrEqual(t, o.x.Next(), int64(1<<20))
		o.check(t)
		o.now = 1<<20 - 1
		o.advance(math.MaxInt)
		require.Len(t, o.deadlines, 5000)
		o.now = 1 << 20
		require.False(t, o.advance(math.MaxInt))
		require.Empty(t, o.deadlines)
		o.check(t)
		o.sweepAll(t)
		require.Zero(t, o.x.Len())
	}
}

func TestClear(t *testing.T) {
	o := newOwner(t, 0)
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		o.expire(rnd.Uint64()&keyMask, rnd.Int64N(1<<30))
	}
	o.now = 1 << 29
	o.advance(100)
	o.x.Sweep(1000, o.live)
	o.x.Clear()
	require.Zero(t, o.a.Used())
	clear(o.deadlines)
	o.check(t)
	o.expire(1, o.now+1)
	o.now++
	o.advance(1)
	require.Empty(t, o.deadlines)
}

func TestCompact(t *testing.T) {
	o := newOwner(t, 0)
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 200_000 {
		o.expire(rnd.Uint64()&keyMask, rnd.Int64N(1<<22))
	}
	o.now = 1<<22 - 1<<18
	for o.advance(1000) {
	}
	for range 5000 {
		o.expire(rnd.Uint64()&keyMask, o.now+rnd.Int64N(1<<26))
	}
	o.x.Sweep(2000, o.live)
	require.True(t, o.a.BeginCompact())
	for pos, done := 0, false; !done; {
		pos, done = o.x.Compact(pos, 20)
		o.now += 10
		o.advance(30)
		o.x.Sweep(100, o.live)
		o.expire(rnd.Uint64()&keyMask, o.now+rnd.Int64N(1<<26))
		o.check(t)
	}
	for level, table := range o.x.table {
		require.False(t, table != 0 && o.a.ShouldMove(table))
		for slot := range slots {
			if table == 0 {
				break
			}
			for r := arena.Ref(*word(table, slot)); r != 0; r = headerNext(*word(r, 0)) {
				if o.a.ShouldMove(r) {
					require.Fail(t, "chunk left behind", "level %d bucket %d", level, slot)
				}
			}
		}
	}
	o.a.EndCompact()
	o.check(t)
	n := len(o.deadlines)
	require.Len(t, o.run(o.now+1<<27), n)
}

func TestMemoryPerEntry(t *testing.T) {
	o := newOwner(t, 0)
	rnd := rand.New(rand.NewPCG(9, 10))
	const n = 1_000_000
	for range n {
		o.x.Add(rnd.Uint64(), 3_600_000+rnd.Int64N(86_400_000))
	}
	require.Less(t, float64(o.x.Bytes())/n, 8.3)
	require.Zero(t, testing.AllocsPerRun(1000, func() { o.x.Add(rnd.Uint64(), 3_600_000) }))
}

// step runs one operation of the random tests, chosen by op and parametrised by v.
func (o *owner) step(t require.TestingT, op byte, v uint64) {
	key := v % 97
	if op&0x80 != 0 {
		key = key * 0x9e3779b97f4a7c15 & keyMask // else the hashes differ in their low bits only, which partitioning reaches last
	}
	span := int64(1) << (v >> 8 % 43)
	switch op & 0x7f % 16 {
	case 0, 1, 2, 3, 4:
		o.expire(key, o.now+int64(v>>16)%span)
	case 5:
		o.expire(key, o.now-int64(v>>16)%span)
	case 6, 7:
		delete(o.deadlines, key)
	case 8, 9, 10:
		o.now += int64(v>>16) % span
		o.keep = v>>60 < 4
		o.advance(int(v % 50))
		o.keep = false
	case 11:
		o.now += int64(v>>16) % 300
		for o.advance(20) {
		}
		if o.x.frontier > uint64(o.now) {
			require.LessOrEqual(t, o.x.frontier-uint64(o.now), uint64(rewindMs))
		}
		if max(o.x.frontier, o.x.late) > uint64(o.now) { // the clock stepped back by little; deadlines behind the frontier wait for it
			break
		}
		for key, at := range o.deadlines {
			if at <= o.now {
				require.Fail(t, "overdue", "key %#x", key)
			}
		}
	case 12, 13:
		o.x.Sweep(int(v%300), o.live)
	case 14:
		o.sweepAll(t)
		if o.x.last >= o.x.frontier && len(o.x.pending) == 0 {
			o.sweepAll(t)
			overdue := 0
			for _, at := range o.deadlines {
				if toTime(at) <= max(o.x.last, o.x.late) {
					overdue++
				}
			}
			if overdue == 0 {
				require.Equal(t, len(o.deadlines), o.x.Len())
			}
		}
	case 15:
		back := int64(v>>16) % span
		if v&1 == 0 {
			back %= 2000
		}
		o.now = max(o.now-back, 0)
		o.advance(int(v>>1) % 50)
	}
}

func TestRandomOps(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			o := newOwner(t, 1_700_000_000_000)
			for range 2000 {
				o.step(t, byte(rnd.Uint32()), rnd.Uint64())
				if rnd.Uint32()%8 == 0 {
					o.check(t)
				}
			}
			for o.advance(1000) {
			}
			o.now = math.MaxInt64
			require.False(t, o.advance(math.MaxInt))
			require.Empty(t, o.deadlines)
			require.Zero(t, o.x.Len())
		})
	}
}

func FuzzOps(f *testing.F) {
	f.Add([]byte("\x00abcdefgh\x08abcdefgh\x0cabcdefgh\x0fabcdefgh\x0bijklmnop"))
	f.Add([]byte{5, 1, 2, 3, 4, 5, 6, 7, 8, 12, 8, 7, 6, 5, 4, 3, 2, 1, 14, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		o := newOwner(t, 1_700_000_000_000)
		for ; len(ops) >= 9; ops = ops[9:] {
			var v uint64
			for _, b := range ops[1:9] {
				v = v<<8 | uint64(b)
			}
			o.step(t, ops[0], v)
			o.check(t)
		}
	})
}
