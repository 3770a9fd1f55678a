package set

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/invariants"
)

// steps returns how many steps a model test takes: TROUPE_STEPS, or n, less with -short and where each is expensive.
func steps(n int) int {
	if v, err := strconv.Atoi(os.Getenv("TROUPE_STEPS")); err == nil {
		return v
	}
	if testing.Short() || invariants.Enabled {
		return n / 10
	}
	return n
}

// newSet returns a set in an arena of its own, which is released with the test.
func newSet(t testing.TB) *Set {
	a := arena.New()
	t.Cleanup(a.Release)
	return New(a)
}

// member returns one of n members of all lengths.
func member(rnd *rand.Rand, n int) string {
	i := rnd.IntN(n)
	switch {
	case i == 0:
		return ""
	case i%97 == 0:
		return strings.Repeat("long ", 30+i%50) + strconv.Itoa(i)
	case i%3 == 0:
		return strconv.Itoa(i)
	}
	return "member:" + strconv.Itoa(i)
}

// requireEqual compares a set with what it should hold, by every way of looking at it.
func requireEqual(t testing.TB, want map[string]bool, s *Set) {
	t.Helper()
	require.Equal(t, len(want), s.Len())
	sorted := slices.Sorted(maps.Keys(want))
	walked := map[string]bool{}
	s.Walk(func(m Member) bool {
		walked[string(m.Bytes())] = true
		return true
	})
	require.Equal(t, sorted, slices.Sorted(maps.Keys(walked)))
	got := make([]string, 0, len(want))
	s.WalkWarm([]*Set{s}, func(hash uint64, m Member) bool {
		require.Equal(t, Hash(m.Bytes()), hash)
		got = append(got, string(m.Bytes()))
		return true
	})
	slices.Sort(got)
	require.True(t, slices.Equal(sorted, got))
	require.Equal(t, s.arena.Used(), s.used, "exact where the arena has nothing else")
	if s.Len() < largeLen {
		require.Equal(t, s.arena.Used()+s.arena.Charged(), s.Bytes())
	}
}

// watched is a view with what it should see and what it has seen.
type watched struct {
	*View
	want map[string]bool
	got  map[string]bool
}

func watch(t testing.TB, s *Set, now map[string]bool) *watched {
	w := &watched{want: maps.Clone(now), got: map[string]bool{}}
	w.View = s.Freeze(func(member []byte) {
		require.False(t, w.got[string(member)], "seen twice: %q", member)
		w.got[string(member)] = true
	})
	return w
}

func TestModel(t *testing.T) {
	for _, members := range []int{20, 3000} {
		t.Run(fmt.Sprint(members), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, uint64(members)))
			s := newSet(t)
			model := map[string]bool{}
			var views []*watched
			n := steps(200_000)
			grow := 70 // percent of the changes that add
			for i := range n {
				m := member(rnd, members)
				switch p := rnd.IntN(1000); {
				case p < 900:
					if rnd.IntN(100) < grow {
						require.Equal(t, !model[m], s.Add([]byte(m)))
						model[m] = true
					} else {
						require.Equal(t, model[m], s.Remove([]byte(m)))
						delete(model, m)
					}
				case p < 970:
					require.Equal(t, model[m], s.Has([]byte(m)))
				case p < 985:
					if r := s.Random(rnd.Uint64); r.OK() {
						require.True(t, model[string(r.Bytes())])
					} else {
						require.Empty(t, model)
					}
				case p < 990:
					if len(views) < 3 {
						views = append(views, watch(t, s, model))
					}
				case p < 998:
					views = slices.DeleteFunc(views, func(w *watched) bool {
						if w.Step(1 + rnd.IntN(members/4)) {
							return false
						}
						require.Equal(t, w.want, w.got)
						return true
					})
				case p < 999:
					if len(views) > 0 && rnd.IntN(3) == 0 {
						views[0].End()
						views = views[1:]
					}
				default:
					grow = 20 + rnd.IntN(70)
				}
				require.Equal(t, len(views) > 0, s.Frozen())
				if i%max(n/20, 1) == 0 {
					requireEqual(t, model, s)
					to := arena.New()
					requireEqual(t, model, s.Clone(to))
					to.Release()
				}
			}
		})
	}
}

func TestFree(t *testing.T) {
	a := arena.New()
	defer a.Release()
	keep := a.Alloc(100)
	s := New(a)
	require.Equal(t, setBytes, a.Charged())
	for i := range 100_000 {
		s.Add([]byte(strconv.Itoa(i)))
	}
	require.Greater(t, s.Bytes(), int64(100_000*16))
	require.Less(t, s.Bytes(), int64(100_000*20))
	s.Free()
	require.Zero(t, a.Charged())
	require.Equal(t, int64(a.SizeOf(keep)), a.Used())
}

func TestCompact(t *testing.T) {
	s := newSet(t)
	model := map[string]bool{}
	for i := range 200_000 {
		s.Add([]byte(strconv.Itoa(i)))
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range 200_000 {
		if m := strconv.Itoa(i); rnd.IntN(10) > 0 {
			s.Remove([]byte(m))
		} else {
			model[m] = true
		}
	}
	before := s.arena.Mapped()
	require.True(t, s.arena.BeginCompact())
	for pos, more := uint64(0), true; more; {
		pos, more = s.Compact(pos, 1000)
	}
	s.arena.EndCompact()
	for range 100 {
		s.arena.Trim()
	}
	require.Less(t, s.arena.Mapped(), before/2)
	requireEqual(t, model, s)
}

func TestBuild(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 1000, 50_000} {
		src := newSet(t)
		model := map[string]bool{}
		var elems []Elem
		for i := range n {
			src.Add([]byte("member:" + strconv.Itoa(i)))
			model["member:"+strconv.Itoa(i)] = true
			elems = append(elems, IntElem(int64(i-7)))
			model[strconv.Itoa(i-7)] = true
		}
		src.Walk(func(m Member) bool {
			elems = append(elems, m.Elem())
			return true
		})
		a := arena.New()
		s := Build(a, elems)
		requireEqual(t, model, s)
		a.Release()
	}
}

// A member that is there during a whole series of Scan calls is seen whatever comes and goes.
func TestScanUnderChange(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	for round := range 20 {
		s := newSet(t)
		for i := range 2000 {
			s.Add([]byte("stays:" + strconv.Itoa(i)))
		}
		seen := map[string]bool{}
		for pos, more := uint64(0), true; more; {
			pos, more = s.Scan(pos, 10, func(m Member) { seen[string(m.Bytes())] = true })
			for range 100 {
				m := []byte("goes:" + strconv.Itoa(rnd.IntN(5000)))
				if (round%2 == 0) == (rnd.IntN(3) == 0) {
					s.Remove(m)
				} else {
					s.Add(m)
				}
			}
		}
		for i := range 2000 {
			require.True(t, seen["stays:"+strconv.Itoa(i)])
		}
	}
}

func TestWalkStops(t *testing.T) {
	s := newSet(t)
	for i := range 500 {
		s.Add([]byte(strconv.Itoa(i)))
	}
	for _, stop := range []int{1, 31, 32, 33, 499, 500} {
		n := 0
		s.Walk(func(Member) bool {
			n++
			return n < stop
		})
		require.Equal(t, stop, n)
		n = 0
		s.WalkWarm(nil, func(uint64, Member) bool {
			n++
			return n < stop
		})
		require.Equal(t, stop, n)
	}
}

// chiSquare returns the sum over (count - expected)²/expected. With k equal expectations it is k-1 on average, with a standard
// deviation of √(2(k-1)).
func chiSquare(counts map[string]int, kinds, draws int) float64 {
	expected := float64(draws) / float64(kinds)
	sum := float64(kinds-len(counts)) * expected
	for _, n := range counts {
		d := float64(n) - expected
		sum += d * d / expected
	}
	return sum
}

// requireUniform checks that counts are what uniform draws could have given, within five standard deviations.
func requireUniform(t *testing.T, counts map[string]int, kinds, draws int) {
	t.Helper()
	df := float64(kinds - 1)
	require.InDelta(t, df, chiSquare(counts, kinds, draws), 5*math.Sqrt(2*df))
}

func TestUniform(t *testing.T) {
	for _, size := range []int{3, 100, 2000} {
		s := newSet(t)
		for i := range size {
			s.Add([]byte("m" + strconv.Itoa(i)))
		}
		rnd := rand.New(rand.NewPCG(uint64(size), 9))
		draws := 100 * size
		counts := map[string]int{}
		for range draws {
			counts[string(s.Random(rnd.Uint64).Bytes())]++
		}
		requireUniform(t, counts, size, draws)
		for _, n := range []int{1, 2, size / 20, size / 2, size - 1} {
			counts := map[string]int{}
			rounds := max(draws/max(n, 1), 50)
			for range rounds {
				once := map[string]bool{}
				s.Sample(rnd.Uint64, n, func(m Member) {
					once[string(m.Bytes())] = true
					counts[string(m.Bytes())]++
				})
				require.Len(t, once, n)
			}
			// The draws of a sample exclude each other, which only makes the counts more even: the upper bound holds.
			df := float64(size - 1)
			if n > 0 {
				require.Less(t, chiSquare(counts, size, rounds*n), df+5*math.Sqrt(2*df), "samples of %d of %d", n, size)
			}
		}
	}
}

func TestSampleOfAll(t *testing.T) {
	s := newSet(t)
	s.Sample(rand.Uint64, 10, func(Member) { t.Fatal("of nothing") })
	for i := range 50 {
		s.Add([]byte(strconv.Itoa(i)))
	}
	n := 0
	s.Sample(rand.Uint64, 1000, func(Member) { n++ })
	require.Equal(t, 50, n)
}

func TestViewOfWhatIsDropped(t *testing.T) {
	s := newSet(t)
	model := map[string]bool{}
	for i := range 1000 {
		s.Add([]byte(strconv.Itoa(i)))
		model[strconv.Itoa(i)] = true
	}
	w := watch(t, s, model)
	w.Step(10)
	for m := range model {
		s.Remove([]byte(m))
	}
	require.Zero(t, s.Len())
	s.Add([]byte("later"))
	for w.Step(10) {
	}
	require.Equal(t, w.want, w.got)
	require.False(t, s.Frozen())
	w.End()
}

// FuzzSet runs operations that bytes stand for on a set and on a map.
func FuzzSet(f *testing.F) {
	f.Add([]byte("aXbXcXaY"))
	f.Add(bytes.Repeat([]byte("\x01\x80\xff"), 100))
	f.Fuzz(func(t *testing.T, ops []byte) {
		a := arena.New()
		defer a.Release()
		s := New(a)
		model := map[string]bool{}
		var w *watched
		for i, op := range ops {
			m := strconv.Itoa(int(op) * (i%5 + 1))
			if op%7 == 0 {
				m = strings.Repeat(m, int(op)+1)
			}
			switch {
			case i%3 < 2:
				require.Equal(t, !model[m], s.Add([]byte(m)))
				model[m] = true
			default:
				require.Equal(t, model[m], s.Remove([]byte(m)))
				delete(model, m)
			}
			if op == 200 && w == nil {
				w = watch(t, s, model)
			}
			if w != nil && op%16 == 0 && !w.Step(int(op)) {
				require.Equal(t, w.want, w.got)
				w = nil
			}
		}
		if w != nil {
			for w.Step(1) {
			}
			require.Equal(t, w.want, w.got)
		}
		requireEqual(t, model, s)
	})
}
