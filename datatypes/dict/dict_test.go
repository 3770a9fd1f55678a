package dict

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/invariants"
)

const keyOff = 4

// table is a dict with its arena, and records of four bytes and a key.
type table struct {
	*Dict
	a *arena.Arena
}

func newTable(t testing.TB) table {
	a := arena.New()
	t.Cleanup(a.Release)
	return table{New(a, keyOff), a}
}

func (t table) record(key string) arena.Ref {
	r := t.a.Alloc(keyOff + binary.MaxVarintLen64 + len(key))
	b := r.Bytes(keyOff + binary.MaxVarintLen64 + len(key))
	n := binary.PutUvarint(b[keyOff:], uint64(len(key)))
	copy(b[keyOff+n:], key)
	return r
}

func (t table) add(key string) arena.Ref {
	r := t.record(key)
	t.Insert(t.hash([]byte(key)), r)
	return r
}

func (t table) find(key string) Slot { return t.Find(t.hash([]byte(key)), []byte(key)) }

func (t table) remove(key string) bool {
	r := t.Delete(t.hash([]byte(key)), []byte(key))
	if r != 0 {
		t.a.Free(r)
	}
	return r != 0
}

// small makes leaves and pools appear with few records, and steps cheap enough for self-checks.
func small(t *testing.T) {
	bits, above, at := maxLeafBits, poolAbove, unpoolAt
	maxLeafBits, poolAbove, unpoolAt = 2, 12, 5
	t.Cleanup(func() { maxLeafBits, poolAbove, unpoolAt = bits, above, at })
}

// steps scales a test: self-checks and the race detector make a step many times as expensive.
func steps(n int) int {
	if invariants.Enabled || testing.Short() {
		return n / 25
	}
	return n
}

var hashes = map[string]func([]byte) uint64{
	"uniform":          Hash,
	"all equal":        func([]byte) uint64 { return 0x123456789abcdef0 },
	"all ones":         func([]byte) uint64 { return ^uint64(0) },
	"sixteen values":   func(k []byte) uint64 { return Hash(k) &^ (1<<60 - 1) },
	"zeros in front":   func(k []byte) uint64 { return Hash(k) >> 24 },
	"zeros at the end": func(k []byte) uint64 { return Hash(k) &^ (1<<48 - 1) },
	"two clusters":     func(k []byte) uint64 { return 0x7fffffff<<32 + Hash(k)>>30 },
	"mostly colliding": func(k []byte) uint64 {
		if h := Hash(k); h&3 == 0 {
			return h
		}
		return 0xabcdef << 40
	},
}

func TestRandomOperations(t *testing.T) {
	for name, hash := range hashes {
		t.Run(name, func(t *testing.T) {
			small(t)
			rnd := rand.New(rand.NewPCG(1, 2))
			d := newTable(t)
			d.hash = hash
			n := steps(1_000_000)
			keys := max(n/20, 3000)
			if name != "uniform" {
				n, keys = n/20, max(n/400, 1000)
			}
			model := map[int]arena.Ref{}
			key := func(i int) string {
				if i%100 == 0 {
					return fmt.Sprintf("%0150d", i) // a length of two bytes
				}
				return fmt.Sprintf("key:%d", i)
			}
			grow := 60
			for step := range n {
				if step%(n/12+1) == 0 {
					grow = []int{70, 30, 90, 5}[step/(n/12+1)%4]
				}
				i := rnd.IntN(keys)
				k := key(i)
				s := d.find(k)
				want, present := model[i]
				if s.OK() != present || present && s.Ref() != want {
					t.Fatalf("step %d: found %t, want %t", step, s.OK(), present)
				}
				switch add := rnd.IntN(100) < grow; {
				case add && !present:
					model[i] = d.add(k)
				case add:
					r := d.record(k)
					s.Set(r)
					d.a.Free(want)
					model[i] = r
				case present:
					require.True(t, d.remove(k))
					delete(model, i)
				default:
					require.False(t, d.remove(k))
				}
				if d.Len() != len(model) {
					t.Fatalf("step %d: length %d, want %d", step, d.Len(), len(model))
				}
				if step%(n/40+1) == 0 {
					d.check()
				}
			}
			d.check()
			for i, r := range model {
				require.Equal(t, r, d.find(key(i)).Ref())
				require.True(t, d.remove(key(i)))
			}
			d.check()
			require.Zero(t, d.Bytes())
			require.Zero(t, d.a.Used())
		})
	}
}

func TestCollidingKeysGrowOneSegment(t *testing.T) {
	for name, hash := range hashes {
		t.Run(name, func(t *testing.T) {
			d := newTable(t)
			d.hash = hash
			n := steps(100_000) / 20
			for i := range n {
				d.add(fmt.Sprint(i))
			}
			d.check()
			require.Less(t, d.DirBytes(), int64(64<<10))
			for i := range n {
				require.True(t, d.find(fmt.Sprint(i)).OK())
				require.True(t, d.remove(fmt.Sprint(i)))
			}
			require.Zero(t, d.a.Used())
		})
	}
}

func TestEachHash(t *testing.T) {
	d := newTable(t)
	d.hash = hashes["sixteen values"]
	for i := range 1000 {
		d.add(fmt.Sprint(i))
	}
	for i := range 1000 {
		found, all := 0, 0
		d.EachHash(d.hash([]byte(fmt.Sprint(i))), func(s Slot) bool {
			all++
			if string(d.key(s.Ref())) == fmt.Sprint(i) {
				found++
			}
			return true
		})
		require.Equal(t, 1, found)
		require.Greater(t, all, 1)
	}
	calls := 0
	d.EachHash(d.hash([]byte("1")), func(Slot) bool { calls++; return false })
	require.Equal(t, 1, calls)
	newTable(t).EachHash(1, func(Slot) bool { panic("empty") })
}

// TestScanReturnsWhatStays interleaves scans with inserts and deletes that split, merge and resize. Some records stay throughout each
// iteration; all of them must be returned.
func TestScanReturnsWhatStays(t *testing.T) {
	for name, hash := range hashes {
		t.Run(name, func(t *testing.T) {
			small(t)
			rnd := rand.New(rand.NewPCG(5, 6))
			d := newTable(t)
			d.hash = hash
			rounds, most := 60, steps(40_000)
			if name != "uniform" {
				rounds, most = 20, steps(10_000)/5
			}
			most = max(most, 500)
			nextKey := 0
			var passing []string // records that come and go
			add := func() string {
				k := fmt.Sprint("k", nextKey)
				nextKey++
				d.add(k)
				return k
			}
			resize := func(to int) {
				for len(passing) < to {
					passing = append(passing, add())
				}
				for len(passing) > to {
					i := rnd.IntN(len(passing))
					d.remove(passing[i])
					passing[i] = passing[len(passing)-1]
					passing = passing[:len(passing)-1]
				}
			}
			for range rounds {
				resize(rnd.IntN(most))
				staying := map[string]bool{}
				for range rnd.IntN(300) {
					staying[add()] = false
				}
				pos, more, calls := uint64(0), true, 0
				last := uint64(0)
				for more {
					atLeast := 1 + rnd.IntN(50)
					got := 0
					pos, more = d.Scan(pos, atLeast, func(s Slot) {
						got++
						if k := string(d.key(s.Ref())); !staying[k] {
							if _, stays := staying[k]; stays {
								staying[k] = true
							}
						}
					})
					if more {
						require.Zero(t, pos&(1<<20-1), "only 44 bits")
						require.Greater(t, pos, last)
						require.GreaterOrEqual(t, got, atLeast)
					}
					last = pos
					if calls++; calls%max(1, most/400) == 0 {
						switch rnd.IntN(6) {
						case 0:
							resize(rnd.IntN(most))
						case 1:
							resize(rnd.IntN(20))
						default:
							resize(max(0, len(passing)+rnd.IntN(41)-20))
						}
					}
				}
				d.check()
				for k, seen := range staying {
					require.True(t, seen, "%s was not returned", k)
					d.remove(k)
				}
			}
		})
	}
}

func TestScanReturnsAllOnceWhenNothingChanges(t *testing.T) {
	d := newTable(t)
	const n = 10_000
	for i := range n {
		d.add(fmt.Sprint(i))
	}
	for _, atLeast := range []int{0, 1, 10, 1000, n, 2 * n} {
		seen := map[string]int{}
		last := uint64(0)
		for pos, more := uint64(0), true; more; {
			pos, more = d.Scan(pos, atLeast, func(s Slot) {
				k := d.key(s.Ref())
				seen[string(k)]++
				require.GreaterOrEqual(t, Hash(k)>>48, last>>48, "hash order")
				last = Hash(k)
			})
		}
		require.Len(t, seen, n)
		for k, times := range seen {
			require.Equal(t, 1, times, k)
		}
	}
	_, more := newTable(t).Scan(0, 1, func(Slot) { panic("empty") })
	require.False(t, more)
}

// TestRandomIsUniform draws 300 times as often as there are records: each record's share has a standard deviation of 17.
func TestRandomIsUniform(t *testing.T) {
	for _, name := range []string{"uniform", "two clusters", "mostly colliding"} {
		t.Run(name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(7, 8))
			d := newTable(t)
			d.hash = hashes[name]
			n := max(steps(5_000), 500)
			if name != "uniform" {
				n = 500 // every draw walks the colliding keys
			}
			for i := range 2 * n { // deleting half leaves segments of several depths
				d.add(fmt.Sprint(i))
			}
			for i := range n {
				d.remove(fmt.Sprint(i))
			}
			seen := map[arena.Ref]int{}
			for range 300 * n {
				seen[d.Random(rnd.Uint64)]++
			}
			require.Len(t, seen, n)
			for r, times := range seen {
				require.Equal(t, r, d.find(string(d.key(r))).Ref())
				require.InDelta(t, 300, times, 7*17.4)
			}
		})
	}
	require.Zero(t, newTable(t).Random(func() uint64 { return 1 }))
}

func TestRandomByRankIsUniform(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	d := newTable(t)
	for i := range 1000 {
		d.add(fmt.Sprint(i))
	}
	seen := map[arena.Ref]int{}
	for range 100_000 {
		seen[d.randomByRank(rnd.Uint64)]++
	}
	require.Len(t, seen, 1000)
	for _, times := range seen {
		require.InDelta(t, 100, times, 70)
	}
}

// trim calls Trim until it has nothing left to do.
func trim(a *arena.Arena) {
	for before := int64(-1); before != a.Mapped(); {
		before = a.Mapped()
		a.Trim()
	}
}

// TestBytesPerKey bounds what the dict adds to a record: slots, directory and what its blocks leave unused, but not the records.
func TestBytesPerKey(t *testing.T) {
	if invariants.Enabled || testing.Short() {
		t.Skip("a measurement of the normal build")
	}
	a := arena.New()
	records := arena.New()
	defer a.Release()
	defer records.Release()
	d := table{New(a, keyOff), records}
	var sum, worst float64
	var sizes int
	for i := 1; i <= 1_000_000; i++ {
		d.add(fmt.Sprintf("key:%d", i))
		if i >= 500_000 && i%25_000 == 0 {
			a.Trim()
			// Mapped less Idle is what is resident once Trim has got round to all; DirBytes is on the Go heap.
			resident := float64(a.Mapped()-a.Idle()+d.DirBytes()) / float64(i)
			sum, sizes, worst = sum+resident, sizes+1, max(worst, resident)
			t.Logf("%7d keys: %5.2f bytes per key resident, %5.2f by Bytes, %d segments",
				i, resident, float64(d.Bytes())/float64(i), d.segs)
		}
	}
	t.Logf("mean %.2f, worst %.2f", sum/float64(sizes), worst)
	require.Less(t, sum/float64(sizes), 10.5)
	require.Less(t, worst, 12.0)
	d.check()
	for i := 1; i <= 1_000_000; i++ {
		require.True(t, d.remove(fmt.Sprintf("key:%d", i)))
		if n := d.Len(); n > 1000 && n&(n-1) == 0 {
			trim(a)
			t.Logf("%7d left: %5.2f bytes per key", n, float64(a.Mapped()-a.Idle()+d.DirBytes())/float64(n))
			require.Less(t, float64(d.Bytes()), 24*float64(n)+1<<20)
		}
	}
	require.Zero(t, d.Bytes())
	require.Zero(t, a.Used())
}

func TestClear(t *testing.T) {
	for _, n := range []int{0, 1, 1000, steps(200_000)} {
		d := newTable(t)
		var refs []arena.Ref
		for i := range n {
			refs = append(refs, d.add(fmt.Sprint(i)))
		}
		d.Clear()
		require.Zero(t, d.Len())
		require.Zero(t, d.Bytes())
		for _, r := range refs {
			d.a.Free(r)
		}
		require.Zero(t, d.a.Used())
		d.add("again")
		d.check()
	}
}

func TestCompactMovesSegments(t *testing.T) {
	a := arena.New()
	defer a.Release()
	var dicts []table
	for i := range 600 {
		d := table{New(a, keyOff), a}
		for j := range 100 {
			d.add(fmt.Sprint(i, j))
		}
		dicts = append(dicts, d)
	}
	var kept []table
	for i, d := range dicts {
		if i%8 == 0 {
			kept = append(kept, d)
			continue
		}
		for j := range 100 {
			d.remove(fmt.Sprint(i, j))
		}
	}
	require.True(t, a.BeginCompact())
	for _, d := range kept {
		d.Compact()
		for pos, more := uint64(0), true; more; {
			pos, more = d.Scan(pos, 10, func(s Slot) {
				if old := s.Ref(); a.ShouldMove(old) {
					r := a.Alloc(a.SizeOf(old))
					copy(r.Bytes(a.SizeOf(r)), old.Bytes(a.SizeOf(old)))
					s.Set(r)
					a.Free(old)
				}
			})
		}
		d.check()
	}
	a.EndCompact()
	for range 10 {
		a.Trim()
	}
	require.Less(t, a.Mapped(), a.Used()*2)
}

func TestLongKeys(t *testing.T) {
	d := newTable(t)
	for _, n := range []int{0, 1, 127, 128, 129, 16383, 16384, 1 << 20} {
		k := strings.Repeat("x", n)
		require.False(t, d.find(k).OK())
		r := d.add(k)
		require.Equal(t, r, d.find(k).Ref())
	}
	d.check()
}

func TestNoGoAllocations(t *testing.T) {
	d := newTable(t)
	var keys [][]byte
	for i := range 10_000 {
		d.add(fmt.Sprint(i))
		keys = append(keys, []byte(fmt.Sprint(i)))
	}
	i := 0
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		i++
		if !d.Find(Hash(keys[i]), keys[i]).OK() {
			t.Fatal("lost")
		}
	}))
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		i++
		h := Hash(keys[i])
		d.Insert(h, d.Delete(h, keys[i]))
	}))
	n := uint64(1)
	next := func() uint64 { n *= 0x9e3779b97f4a7c15; return n ^ n>>29 }
	require.Zero(t, testing.AllocsPerRun(1000, func() { d.Random(next) }))
}

// TestDictsShareNothing: dicts of different owners grow at the same time; the race detector sees what they share.
func TestDictsShareNothing(t *testing.T) {
	var wg sync.WaitGroup
	for range 2 {
		d := newTable(t)
		wg.Go(func() {
			for i := range 20_000 {
				key := fmt.Sprint("key", i)
				d.Insert(Hash([]byte(key)), d.record(key))
			}
		})
	}
	wg.Wait()
}
