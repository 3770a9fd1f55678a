package zset

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/invariants"
)

// steps returns how many random steps a model test takes: n, fewer with -short, TROUPE_STEPS if that is set.
func steps(n int) int {
	if invariants.Enabled {
		n /= 10
	}
	if s, err := strconv.Atoi(os.Getenv("TROUPE_STEPS")); err == nil {
		return s
	}
	if testing.Short() {
		return n / 10
	}
	return n
}

// newArena returns an arena that goes with the test.
func newArena(t testing.TB) *arena.Arena {
	a := arena.New()
	t.Cleanup(a.Release)
	return a
}

// modelSet is what a sorted set is: pairs in order.
type modelSet struct {
	pairs  []modelPair
	scores map[string]float64
}

type modelPair struct {
	member string
	score  float64
}

func newModel() *modelSet { return &modelSet{scores: map[string]float64{}} }

func (m *modelSet) place(member string, score float64) int {
	return sort.Search(len(m.pairs), func(i int) bool {
		p := m.pairs[i]
		return p.score > score || p.score == score && p.member >= member
	})
}

func (m *modelSet) set(member string, score float64) (added, changed bool) {
	old, ok := m.scores[member]
	if ok {
		if old == score {
			return false, false
		}
		m.remove(member)
	}
	m.scores[member] = score
	m.pairs = slices.Insert(m.pairs, m.place(member, score), modelPair{member, score})
	return !ok, ok
}

func (m *modelSet) remove(member string) bool {
	score, ok := m.scores[member]
	if !ok {
		return false
	}
	delete(m.scores, member)
	i := m.place(member, score)
	m.pairs = slices.Delete(m.pairs, i, i+1)
	return true
}

func (m *modelSet) removeRange(lo, hi int) {
	for _, p := range m.pairs[lo:hi] {
		delete(m.scores, p.member)
	}
	m.pairs = slices.Delete(m.pairs, lo, hi)
}

func (m *modelSet) scoreSpan(r ScoreRange) (lo, hi int) {
	lo = sort.Search(len(m.pairs), func(i int) bool {
		s := m.pairs[i].score
		return s > r.Min || s == r.Min && !r.MinOpen
	})
	hi = sort.Search(len(m.pairs), func(i int) bool {
		s := m.pairs[i].score
		return s > r.Max || s == r.Max && r.MaxOpen
	})
	if hi <= lo {
		return 0, 0
	}
	return lo, hi
}

func (m *modelSet) order() {
	slices.SortFunc(m.pairs, func(a, b modelPair) int {
		switch {
		case a.score < b.score:
			return -1
		case a.score > b.score:
			return 1
		}
		return bytes.Compare([]byte(a.member), []byte(b.member))
	})
}

// requireSpan compares spans; which empty one is returned does not matter.
func requireSpan(t testing.TB, wantLo, wantHi, lo, hi int) {
	t.Helper()
	if wantLo >= wantHi {
		require.Equal(t, lo, hi)
		return
	}
	require.Equal(t, [2]int{wantLo, wantHi}, [2]int{lo, hi})
}

// requireEqual compares everything that can be read with the model.
func requireEqual(t testing.TB, m *modelSet, r Reader) {
	t.Helper()
	require.Equal(t, len(m.pairs), r.Len())
	i := 0
	for it := r.Range(0, r.Len(), false); it.Next(); i++ {
		if m.pairs[i].member != string(it.Member()) || m.pairs[i].score != it.Score() {
			require.Equal(t, m.pairs[i], modelPair{string(it.Member()), it.Score()})
		}
	}
	require.Equal(t, len(m.pairs), i)
	for it := r.Range(0, r.Len(), true); it.Next(); {
		i--
		if m.pairs[i].member != string(it.Member()) || m.pairs[i].score != it.Score() {
			require.Equal(t, m.pairs[i], modelPair{string(it.Member()), it.Score()})
		}
	}
	require.Zero(t, i)
}

// workload draws members and scores.
type workload struct {
	name    string
	members int
	score   func(r *rand.Rand) float64
}

var workloads = []workload{
	{"few", 40, func(r *rand.Rand) float64 { return float64(r.IntN(10)) }},
	{"uniform", 6000, func(r *rand.Rand) float64 { return r.Float64() }},
	{"equal", 3000, func(r *rand.Rand) float64 { return 1 }},
	{"ints", 5000, func(r *rand.Rand) float64 { return float64(r.IntN(500) - 250) }},
	{"wild", 3000, func(r *rand.Rand) float64 {
		switch r.IntN(6) {
		case 0:
			return math.Inf(1)
		case 1:
			return math.Inf(-1)
		case 2:
			return math.Copysign(0, -1)
		case 3:
			return 0
		}
		for {
			if f := math.Float64frombits(r.Uint64()); f == f {
				return f
			}
		}
	}},
}

func memberName(i int) string {
	if i%50 == 49 {
		return fmt.Sprintf("member:%0200d", i)
	}
	if i == 7 {
		return ""
	}
	return "member:" + strconv.Itoa(i)
}

func TestModel(t *testing.T) {
	for _, w := range workloads {
		t.Run(w.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(w.members)))
			a := newArena(t)
			runModel(t, r, a, w, steps(40_000))
			require.Zero(t, a.Used())
			require.Zero(t, a.Charged())
		})
	}
}

// TestModelHigh is TestModel with nodes of few entries: more splits, joins and levels.
func TestModelHigh(t *testing.T) {
	leafLimits, innerLimits = limitsOf(9), limitsOf(12)
	defer func() { leafLimits, innerLimits = limitsOf(leafMax), limitsOf(innerMax) }()
	for _, w := range workloads {
		t.Run(w.name, func(t *testing.T) {
			a := newArena(t)
			runModel(t, rand.New(rand.NewPCG(21, uint64(w.members))), a, w, steps(40_000))
			require.Zero(t, a.Used())
		})
	}
	t.Run("ranges", TestRemoveRange)
	t.Run("ends", func(t *testing.T) {
		z := New(newArena(t))
		for i := range 20_000 {
			z.Set([]byte(strconv.Itoa(i)), float64(i))
		}
		for i := range 10_000 {
			z.Set([]byte(strconv.Itoa(-i)), float64(-i))
		}
		require.Greater(t, z.height, 3)
		for i := 0; z.Len() > 0; i++ {
			if i%3 > 0 {
				z.RemoveRange(z.Len()-1, z.Len())
			} else {
				z.RemoveRange(0, 3)
			}
		}
		require.Zero(t, z.pieces)
	})
}

func runModel(t testing.TB, r *rand.Rand, a *arena.Arena, w workload, n int) {
	z, m := New(a), newModel()
	removes := 30 // of 100
	for step := range n {
		if step%5000 == 0 {
			removes = []int{10, 30, 60}[r.IntN(3)]
		}
		member := memberName(r.IntN(w.members))
		score := w.score(r)
		switch op := r.IntN(1000); {
		case op < 600-removes*6:
			added, changed := z.Set([]byte(member), score)
			wantAdded, wantChanged := m.set(member, score)
			require.Equal(t, [2]bool{wantAdded, wantChanged}, [2]bool{added, changed})
		case op < 600:
			want := m.scores[member]
			got, ok := z.Remove([]byte(member))
			require.Equal(t, m.remove(member), ok)
			require.Equal(t, want, got)
		case op < 650: // counted up a little: stays near
			old, ok := m.scores[member]
			if ok && !math.IsInf(old, 0) {
				z.Set([]byte(member), old+1e-4)
				m.set(member, old+1e-4)
			}
		case op < 750:
			want, ok := m.scores[member]
			got, gotOK := z.Get([]byte(member))
			require.Equal(t, ok, gotOK)
			require.Equal(t, want, got)
			reverse := r.IntN(2) == 0
			rank, got, gotOK := z.Rank([]byte(member), reverse)
			require.Equal(t, ok, gotOK)
			require.Equal(t, want, got)
			if ok {
				wantRank := m.place(member, want)
				if reverse {
					wantRank = len(m.pairs) - 1 - wantRank
				}
				require.Equal(t, wantRank, rank)
			}
		case op < 850:
			sr := ScoreRange{Min: score, Max: w.score(r), MinOpen: r.IntN(2) == 0, MaxOpen: r.IntN(2) == 0}
			wantLo, wantHi := m.scoreSpan(sr)
			lo, hi := z.ScoreSpan(sr)
			requireSpan(t, wantLo, wantHi, lo, hi)
			require.True(t, hi == lo || !sr.Empty())
			if hi > lo {
				require.True(t, sr.Contains(m.pairs[lo].score))
			}
		case op < 990:
			if n := len(m.pairs); n > 0 {
				lo := r.IntN(n)
				hi := min(n, lo+r.IntN(300))
				reverse := r.IntN(2) == 0
				i := 0
				for it := z.Range(lo, hi, reverse); it.Next(); i++ {
					require.Equal(t, hi-lo-i-1, it.Left())
					want := m.pairs[lo+i]
					if reverse {
						want = m.pairs[hi-1-i]
					}
					if want.member != string(it.Member()) || want.score != it.Score() {
						require.Equal(t, want, modelPair{string(it.Member()), it.Score()})
					}
				}
				require.Equal(t, hi-lo, i)
				member, score := z.At(lo)
				require.Equal(t, m.pairs[lo], modelPair{string(member), score})
			}
		case op < 995:
			if n := len(m.pairs); n > 0 {
				lo := r.IntN(n)
				hi := min(n, lo+r.IntN(1+max(20, n/4)))
				require.Equal(t, hi-lo, z.RemoveRange(lo, hi))
				m.removeRange(lo, hi)
			}
		case op == 995:
			z.check()
			requireEqual(t, m, z.Reader())
		case op == 996:
			b := newArena(t)
			c := z.Clone(b)
			c.check()
			requireEqual(t, m, c.Reader())
			require.Equal(t, b.Used()+b.Charged(), c.Bytes())
			c.Free()
			require.Zero(t, b.Used())
		}
		require.Equal(t, len(m.pairs), z.Len())
	}
	z.check()
	requireEqual(t, m, z.Reader())
	require.Equal(t, a.Used()+a.Charged(), z.Bytes())
	z.Free()
}

func TestLexSpan(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 5, 100, 5000} {
		z, m := New(newArena(t)), newModel()
		lp := FromPacked(newArena(t), []byte{7, 0, 0, 0, 0, 0, 0xff}).AppendPacked(nil)
		for range n {
			member := strconv.FormatUint(r.Uint64N(uint64(4*n)), 36)
			z.Set([]byte(member), 5)
			m.set(member, 5)
			if n <= 100 {
				lp, _, _ = PackedSet(lp, []byte(member), 5)
			}
		}
		bound := func() LexBound {
			switch r.IntN(8) {
			case 0:
				return LexBound{Inf: -1}
			case 1:
				return LexBound{Inf: 1}
			}
			return LexBound{Value: []byte(strconv.FormatUint(r.Uint64N(uint64(4*n)), 36)), Open: r.IntN(2) == 0}
		}
		for range 500 {
			lr := LexRange{bound(), bound()}
			want := []string(nil)
			for _, p := range m.pairs {
				if lr.Contains([]byte(p.member)) {
					want = append(want, p.member)
				}
			}
			readers := []Reader{z.Reader()}
			if n <= 100 {
				readers = append(readers, Packed(lp))
			}
			for _, rd := range readers {
				for _, reverse := range []bool{false, true} {
					lo, hi := rd.LexSpan(lr, reverse)
					got := []string(nil)
					for it := rd.Range(lo, hi, false); it.Next(); {
						got = append(got, string(it.Member()))
					}
					require.Equal(t, want, got)
				}
			}
			if lr.Empty() {
				require.Empty(t, want)
			}
		}
	}
}

func TestOrderedKey(t *testing.T) {
	scores := []float64{math.Inf(-1), -math.MaxFloat64, -1e10, -1, -math.SmallestNonzeroFloat64, 0, math.SmallestNonzeroFloat64, 1, 1e10,
		math.MaxFloat64, math.Inf(1)}
	for i := 1; i < len(scores); i++ {
		require.Less(t, orderedKey(scores[i-1]), orderedKey(scores[i]))
	}
	require.Equal(t, orderedKey(0), orderedKey(math.Copysign(0, -1)))
	require.Equal(t, orderedKey(math.SmallestNonzeroFloat64), orderedKey(0)+1)
}

// TestNegativeZero: -0 is kept as it was given, but equals 0.
func TestNegativeZero(t *testing.T) {
	z := New(newArena(t))
	zero := math.Copysign(0, -1)
	z.Set([]byte("b"), zero)
	z.Set([]byte("a"), 0)
	_, score := z.At(1)
	require.True(t, math.Signbit(score))
	added, changed := z.Set([]byte("b"), 0)
	require.False(t, added || changed)
	lo, hi := z.ScoreSpan(ScoreRange{Min: 0, Max: zero})
	require.Equal(t, 2, hi-lo)
	require.Panics(t, func() { z.Set([]byte("c"), math.NaN()) })
}

// TestOrderOfArrival checks trees that come about in one direction: leaves are full.
func TestOrderOfArrival(t *testing.T) {
	const n = 20_000
	for name, at := range map[string]func(i int) int{
		"rising":  func(i int) int { return i },
		"falling": func(i int) int { return n - 1 - i },
	} {
		t.Run(name, func(t *testing.T) {
			z := New(newArena(t))
			for i := range n {
				j := at(i)
				z.Set([]byte(strconv.Itoa(j)), float64(j))
			}
			z.check()
			full, leaves := 0, 0
			for rank := 0; rank < n; {
				leaf, _ := z.seek(rank)
				leaves++
				if leaf.count() == leafMax {
					full++
				}
				rank += leaf.count()
			}
			require.GreaterOrEqual(t, full, leaves-1)
			for i := range n {
				rank, _, ok := z.Rank([]byte(strconv.Itoa(i)), false)
				require.True(t, ok)
				require.Equal(t, i, rank)
			}
			// Taken away from both ends and the middle it stays sound, down to nothing.
			for i := 0; z.Len() > 0; i++ {
				switch i % 3 {
				case 0:
					m, _ := z.At(0)
					z.Remove(m)
				case 1:
					z.RemoveRange(z.Len()-2, z.Len())
				case 2:
					z.RemoveRange(z.Len()/2, z.Len()/2+7)
				}
				if i%500 == 0 {
					z.check()
				}
			}
			z.check()
			require.Zero(t, z.pieces)
		})
	}
}

func TestRemoveRange(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	n := 50_000
	if invariants.Enabled || testing.Short() {
		n = 5000
	}
	for range 10 {
		a := newArena(t)
		b := NewBuilder(a, n)
		for i := range n {
			b.Add([]byte(strconv.Itoa(i)), float64(i))
		}
		z := b.Finish()
		left := make([]int, n)
		for i := range left {
			left[i] = i
		}
		for len(left) > 0 {
			lo := r.IntN(len(left))
			hi := lo + 1 + r.IntN(len(left)-lo)
			if r.IntN(3) > 0 {
				hi = min(hi, lo+500)
			}
			require.Equal(t, hi-lo, z.RemoveRange(lo-0, hi))
			left = slices.Delete(left, lo, hi)
			if len(left) > n/10 && r.IntN(10) > 0 {
				continue
			}
			z.check()
			i := 0
			for it := z.Range(0, n, false); it.Next(); i++ {
				if it.Score() != float64(left[i]) {
					require.Equal(t, float64(left[i]), it.Score())
				}
			}
			require.Equal(t, len(left), i)
		}
		require.Zero(t, a.Used())
		require.Zero(t, z.RemoveRange(-5, 5))
	}
}

func TestScanAndRandom(t *testing.T) {
	z := New(newArena(t))
	r := rand.New(rand.NewPCG(7, 8))
	for i := range 3000 {
		z.Set([]byte(strconv.Itoa(i)), float64(i%7))
	}
	seen := map[string]float64{}
	for pos, more := uint64(0), true; more; {
		pos, more = z.Scan(pos, 10, func(member []byte, score float64) { seen[string(member)] = score })
	}
	require.Len(t, seen, 3000)
	counts := map[string]int{}
	for range 60_000 {
		m, s := z.Random(r.Uint64)
		require.Equal(t, seen[string(m)], s)
		counts[string(m)]++
	}
	require.Greater(t, len(counts), 2990)
}

func TestFreeze(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for round := range 40 {
		a := newArena(t)
		z, m := New(a), newModel()
		n := []int{10, 200, 3000}[round%3]
		change := func() {
			member := memberName(r.IntN(n))
			switch r.IntN(20) {
			case 0, 1, 2, 3, 4, 5, 6, 7:
				s := float64(r.IntN(100))
				z.Set([]byte(member), s)
				m.set(member, s)
			case 8, 9, 10, 11, 12, 13, 14:
				z.Remove([]byte(member))
				m.remove(member)
			case 15:
				if len(m.pairs) > 0 {
					lo := r.IntN(len(m.pairs))
					hi := min(len(m.pairs), lo+r.IntN(50))
					z.RemoveRange(lo, hi)
					m.removeRange(lo, hi)
				}
			}
		}
		for range n * 3 {
			change()
		}
		type open struct {
			v    *View
			want map[string]float64
			got  map[string]float64
		}
		var views []*open
		for range 3 {
			o := &open{want: map[string]float64{}, got: map[string]float64{}}
			for k, s := range m.scores {
				o.want[k] = s
			}
			o.v = z.Freeze(func(member []byte, score float64) {
				_, twice := o.got[string(member)]
				require.False(t, twice)
				o.got[string(member)] = score
			})
			views = append(views, o)
			for range n / 4 {
				change()
			}
		}
		require.True(t, z.Frozen())
		for len(views) > 0 {
			i := r.IntN(len(views))
			if !views[i].v.Step(1 + r.IntN(1+n/10)) {
				require.Equal(t, views[i].want, views[i].got)
				require.False(t, views[i].v.Step(1))
				views[i].v.End()
				views = slices.Delete(views, i, i+1)
			}
			for range n / 10 {
				change()
			}
		}
		require.False(t, z.Frozen())
		requireEqual(t, m, z.Reader())
		z.Freeze(func([]byte, float64) {})
		z.Free()
		require.Zero(t, a.Used())
	}
}

func TestCompact(t *testing.T) {
	for _, n := range []int{300, 40_000} {
		r := rand.New(rand.NewPCG(11, 12))
		a := newArena(t)
		var sets []*ZSet
		var models []*modelSet
		count := max(1, 40_000/n)
		for range count {
			z, m := New(a), newModel()
			for range n {
				member, score := memberName(r.IntN(10*n)), r.Float64()
				z.Set([]byte(member), score)
				m.scores[member] = score
			}
			sets, models = append(sets, z), append(models, m)
		}
		for i, z := range sets {
			m := models[i]
			for member := range m.scores {
				if r.IntN(10) > 0 {
					z.Remove([]byte(member))
					delete(m.scores, member)
				}
			}
			for member, score := range m.scores {
				m.pairs = append(m.pairs, modelPair{member, score})
			}
			m.order()
		}
		before := a.Mapped()
		require.True(t, a.BeginCompact())
		for i, z := range sets {
			for pos, more := uint64(0), true; more; {
				pos, more = z.Compact(pos, 100)
				if r.IntN(10) == 0 {
					member, score := memberName(r.IntN(10*n)), r.Float64()
					z.Set([]byte(member), score)
					models[i].set(member, score)
				}
			}
			z.check()
		}
		a.EndCompact()
		for range 1000 {
			a.Trim()
		}
		require.Less(t, a.Mapped(), before/2)
		used := a.Charged()
		for i, z := range sets {
			z.check()
			requireEqual(t, models[i], z.Reader())
			used -= z.Bytes()
		}
		require.Zero(t, a.Used()+used)
		for _, z := range sets {
			z.Free()
		}
		require.Zero(t, a.Used())
	}
	z := New(newArena(t))
	_, more := z.Compact(0, 10)
	require.False(t, more)
}

func TestNoAllocs(t *testing.T) {
	z := New(newArena(t))
	for i := range 10_000 {
		z.Set([]byte(memberName(i)), float64(i))
	}
	key, other := []byte("member:500"), []byte("none")
	i := 0.0
	require.Zero(t, testing.AllocsPerRun(200, func() {
		i++
		z.Set(key, i)
		z.Set(key, i*31)
		z.Get(key)
		z.Warm(key, other)
		z.Get(other)
		z.Rank(key, true)
		lo, hi := z.ScoreSpan(ScoreRange{Min: 5, Max: 500})
		for it := z.Range(lo, hi, i > 100); it.Next(); {
			if len(it.Member()) == 0 && it.Score() < 0 {
				panic("")
			}
		}
		z.LexSpan(LexRange{LexBound{Value: key}, LexBound{Value: other, Open: true}})
		z.Remove(key)
		z.Set(key, i)
	}))
}

// TestCompactNodes frees most of many sets: the nodes of those that are left are moved together too.
func TestCompactNodes(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	a := newArena(t)
	var sets []*ZSet
	for range 1500 {
		b := NewBuilder(a, 200)
		for i := range 200 {
			b.Add([]byte(memberName(i)), r.Float64())
		}
		sets = append(sets, b.Finish())
	}
	var left []*ZSet
	var roots []node
	for _, z := range sets {
		if r.IntN(10) > 0 {
			z.Free()
			continue
		}
		left = append(left, z)
		roots = append(roots, z.root)
	}
	require.True(t, a.BeginCompact())
	moved := 0
	for i, z := range left {
		for pos, more := uint64(0), true; more; {
			pos, more = z.Compact(pos, 64)
		}
		z.check()
		if z.root != roots[i] {
			moved++
		}
	}
	a.EndCompact()
	require.NotZero(t, moved)
	used := a.Charged()
	for _, z := range left {
		used -= z.Bytes()
	}
	require.Zero(t, a.Used()+used)
}
