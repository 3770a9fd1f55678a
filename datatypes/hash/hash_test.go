package hash

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// pair is what the model knows of a field.
type pair struct {
	value string
	at    int64
}

// model is a Hash beside a plain map.
type model struct {
	t     testing.TB
	a     *arena.Arena
	h     *Hash
	want  map[string]pair
	nowMs int64
	views []*modelView
}

// modelView is a view with what it has to give.
type modelView struct {
	v    *View
	want map[string]pair
	got  map[string]pair
}

func newModel(t testing.TB) *model {
	a := arena.New()
	t.Cleanup(a.Release)
	return &model{t: t, a: a, h: New(a), want: map[string]pair{}, nowMs: 1000}
}

func (m *model) put(field, value string, keep bool) {
	was, there := m.want[field]
	require.Equal(m.t, !there, m.h.Put([]byte(field), []byte(value), keep))
	if !there || !keep {
		was.at = None
	}
	m.want[field] = pair{value, was.at}
}

func (m *model) delete(field string) {
	_, there := m.want[field]
	require.Equal(m.t, there, m.h.Delete([]byte(field)))
	delete(m.want, field)
}

func (m *model) setDeadline(field string, at int64) {
	was, there := m.want[field]
	require.Equal(m.t, there, m.h.SetDeadline([]byte(field), at))
	if there {
		m.want[field] = pair{was.value, at}
	}
}

// reap moves the clock and removes what is due, the earliest first.
func (m *model) reap(ms int64, budget int) {
	m.nowMs += ms
	var due []string
	for f, p := range m.want {
		if p.at >= 0 && p.at <= m.nowMs {
			due = append(due, f)
		}
	}
	require.Equal(m.t, min(len(due), 3), m.h.CountDue(m.nowMs, 3))
	require.Equal(m.t, len(due), m.h.CountDue(m.nowMs, len(due)+1))
	last := int64(0)
	n := m.h.Reap(m.nowMs, budget, func(field []byte) {
		p, there := m.want[string(field)]
		require.True(m.t, there, "reaped %q", field)
		require.True(m.t, last <= p.at && p.at <= m.nowMs, "reaped %q", field)
		last = p.at
		delete(m.want, string(field))
	})
	require.Equal(m.t, min(budget, len(due)), n)
}

func (m *model) freeze() {
	w := &modelView{want: maps.Clone(m.want), got: map[string]pair{}}
	w.v = m.h.Freeze(func(field, value []byte, at int64) {
		_, twice := w.got[string(field)]
		require.False(m.t, twice, "%q comes twice", field)
		w.got[string(field)] = pair{string(value), at}
	})
	require.Equal(m.t, len(w.want), w.v.Len())
	m.views = append(m.views, w)
}

// stepViews moves all views on.
func (m *model) stepViews(n int) {
	m.views = slices.DeleteFunc(m.views, func(w *modelView) bool {
		if w.v.Step(n) {
			return false
		}
		require.Equal(m.t, w.want, w.got)
		require.False(m.t, w.v.Step(n))
		return true
	})
	require.Equal(m.t, len(m.views) > 0, m.h.Frozen())
}

func (m *model) compact(budget int) {
	if m.h.Frozen() || !m.a.BeginCompact() {
		return
	}
	for pos, more := uint64(0), true; more; {
		pos, more = m.h.Compact(pos, budget)
	}
	m.a.EndCompact()
	m.a.Trim()
}

// check compares all that can be asked.
func (m *model) check() {
	m.h.check()
	require.Equal(m.t, len(m.want), m.h.Len())
	require.Equal(m.t, m.a.Used()+m.a.Charged(), m.h.Bytes())
	got := map[string]pair{}
	m.h.Scan(0, m.h.Len(), func(it Item) {
		f, v := it.Pair()
		got[string(f)] = pair{string(v), m.h.Deadline(it)}
	})
	require.Equal(m.t, m.want, got)
	next, volatile := None, 0
	for f, p := range m.want {
		it, ok := m.h.Find([]byte(f))
		require.True(m.t, ok && it.OK())
		require.Equal(m.t, f, string(it.Field()))
		require.Equal(m.t, p.value, string(it.Value()))
		require.Equal(m.t, p.at >= 0 && p.at <= m.nowMs, m.h.Due(it, m.nowMs))
		if p.at >= 0 {
			if volatile++; next < 0 || p.at < next {
				next = p.at
			}
		}
	}
	require.Equal(m.t, next, m.h.NextFieldDeadline())
	require.Equal(m.t, volatile, m.h.Volatile())
}

// steps is how many random operations a test makes: TROUPE_STEPS, or n, less with -short.
func steps(n int) int {
	if s, err := strconv.Atoi(os.Getenv("TROUPE_STEPS")); err == nil {
		return s
	}
	if testing.Short() {
		return n / 10
	}
	return n
}

// fieldLengths are around the bounds of the lengths' representation.
var fieldLengths = []int{0, 1, 3, 8, 20, 63, 64, 65, 127, 128, 129, 300}

func TestModel(t *testing.T) {
	for _, fields := range []int{3, 40, 600} {
		t.Run(fmt.Sprint(fields), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, uint64(fields)))
			m := newModel(t)
			field := func() string {
				n := rnd.IntN(fields)
				return strings.Repeat("f", fieldLengths[n%len(fieldLengths)]) + strconv.Itoa(n)
			}
			value := func() string {
				return strings.Repeat("v", fieldLengths[rnd.IntN(len(fieldLengths))]) + strconv.Itoa(rnd.IntN(1000))
			}
			every := max(steps(30_000)/200, 1)
			for i := range steps(30_000) {
				switch n := rnd.IntN(100); {
				case n < 40:
					m.put(field(), value(), rnd.IntN(2) == 0)
				case n < 55:
					m.delete(field())
				case n < 80:
					m.setDeadline(field(), m.nowMs+rnd.Int64N(400)-50)
				case n < 85:
					m.setDeadline(field(), None)
				case n < 90:
					m.reap(rnd.Int64N(40), rnd.IntN(5))
				case n < 94:
					if len(m.views) < 3 {
						m.freeze()
					}
				case n < 98:
					m.stepViews(rnd.IntN(50))
				case n < 99:
					m.compact(1 + rnd.IntN(10))
				}
				if i%every == 0 {
					m.check()
				}
			}
			for len(m.views) > 0 {
				m.stepViews(10)
			}
			m.check()
			m.h.Free()
			require.Zero(t, m.a.Used())
			require.Zero(t, m.a.Charged())
		})
	}
}

// TestLarge goes through the growth of dict and heap, a copy, and the removal of everything.
func TestLarge(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 20_000
	}
	m := newModel(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		f := "field:" + strconv.Itoa(i)
		m.put(f, strconv.Itoa(i), false)
		if i%3 > 0 {
			m.setDeadline(f, 5000+rnd.Int64N(1000))
		}
	}
	m.check()

	b := arena.New()
	defer b.Release()
	c := &model{t: t, a: b, h: m.h.Clone(b), want: maps.Clone(m.want), nowMs: 5500}
	c.check()
	for c.h.Len() > 0 && c.h.Volatile() > 0 {
		c.reap(10, 5000)
	}
	c.check()
	require.Equal(t, (n+2)/3, c.h.Len())
	for f := range maps.Clone(c.want) {
		c.delete(f)
	}
	c.check()
	c.h.Free()
	require.Zero(t, b.Used())
	require.Zero(t, b.Charged())
	m.check() // and the original is as it was

	// Most of it goes: what is left can be moved together.
	for f := range maps.Clone(m.want) {
		if rnd.IntN(10) > 0 {
			m.delete(f)
		}
	}
	before := m.a.Mapped()
	m.compact(1000)
	m.check()
	require.Less(t, m.a.Mapped(), before/2)
}

func TestPutInPlace(t *testing.T) {
	a := arena.New()
	defer a.Release()
	h := New(a)
	h.Put([]byte("f"), []byte("12345678"), false)
	at := func() arena.Ref {
		it, _ := h.Find([]byte("f"))
		return it.ref
	}
	r := at()
	h.Put([]byte("f"), []byte("87654321"), false)
	require.Equal(t, r, at())
	h.Put([]byte("f"), []byte("1234567"), false)
	require.Equal(t, r, at())
	h.Put([]byte("f"), []byte("123456789"), false)
	require.Equal(t, r, at())
	h.Put([]byte("f"), []byte(strings.Repeat("x", 100)), false)
	require.NotEqual(t, r, at())
	r = at()
	h.Put([]byte("f"), []byte("x"), false)
	require.NotEqual(t, r, at(), "a short value must not keep the room of a long one")
	h.check()
}

func TestScan(t *testing.T) {
	a := arena.New()
	defer a.Release()
	h := New(a)
	for i := range 5000 {
		h.Put([]byte(strconv.Itoa(i)), nil, false)
	}
	seen := map[string]int{}
	for pos, more := uint64(0), true; more; {
		pos, more = h.Scan(pos, 10, func(it Item) { seen[string(it.Field())]++ })
		require.Zero(t, pos<<44)
	}
	require.Len(t, seen, 5000)
	for f, n := range seen {
		require.Equal(t, 1, n, f)
	}
}

func TestRandomIsUniform(t *testing.T) {
	a := arena.New()
	defer a.Release()
	h := New(a)
	_, ok := h.Random(nil)
	require.False(t, ok)
	const fields, draws = 100, 100_000
	for i := range fields {
		h.Put([]byte(strconv.Itoa(i)), nil, false)
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	counts := map[string]int{}
	for range draws {
		it, ok := h.Random(rnd.Uint64)
		require.True(t, ok)
		counts[string(it.Field())]++
	}
	chi := 0.0
	for i := range fields {
		d := float64(counts[strconv.Itoa(i)]) - draws/fields
		chi += d * d / (draws / fields)
	}
	require.Less(t, chi, 150.0) // 99 degrees of freedom: exceeded once in a thousand
}

func TestViewOutlivesFields(t *testing.T) {
	m := newModel(t)
	for i := range 1000 {
		m.put(strconv.Itoa(i), "v", false)
		m.setDeadline(strconv.Itoa(i), int64(i))
	}
	m.freeze()
	m.stepViews(100)
	m.reap(1<<40, 1000)
	for i := range 1000 {
		m.put("new"+strconv.Itoa(i), "w", false)
	}
	m.freeze()
	for len(m.views) > 0 {
		m.stepViews(7)
	}
	m.check()

	v := m.h.Freeze(func(_, _ []byte, _ int64) {})
	v.End()
	v.End()
	require.False(t, m.h.Frozen())
	require.False(t, v.Step(1))
}

func TestAllocations(t *testing.T) {
	a := arena.New()
	defer a.Release()
	h := New(a)
	for i := range 1000 {
		h.Put([]byte(strconv.Itoa(i)), []byte("value"), false)
	}
	field, value := []byte("500"), []byte("other")
	require.Zero(t, testing.AllocsPerRun(100, func() { h.Put(field, value, false) }))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if it, ok := h.Find(field); !ok || len(it.Value()) != 5 {
			panic("not found")
		}
	}))
	n := 0
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { h.Scan(0, 1000, func(Item) { n++ }) }), 2.0)
}

// TestMemory pins what a field costs: redis-server 7.0.15 takes 79 bytes of process memory for each of these.
func TestMemory(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 100_000
	}
	a := arena.New()
	defer a.Release()
	h := New(a)
	for i := range n {
		h.Put(fmt.Appendf(nil, "field:%07d", i), fmt.Appendf(nil, "value:%07d", i), false)
	}
	per := float64(a.Mapped()+a.Charged()) / float64(n)
	t.Logf("%.1f bytes a field, used %.1f", per, float64(h.Bytes())/float64(n))
	require.Less(t, per, 0.75*79)
}

func BenchmarkFind(b *testing.B) { benchmark(b, func(h *Hash, f []byte) { h.Find(f) }) }
func BenchmarkPutSame(b *testing.B) {
	benchmark(b, func(h *Hash, f []byte) { h.Put(f, f, false) })
}
func BenchmarkSetDeadline(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 2))
	benchmark(b, func(h *Hash, f []byte) { h.SetDeadline(f, rnd.Int64N(1<<40)) })
}

func benchmark(b *testing.B, fn func(h *Hash, field []byte)) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			h, fields := filled(b, n)
			rnd := rand.New(rand.NewPCG(1, 2))
			b.ReportAllocs()
			for b.Loop() {
				fn(h, fields[rnd.IntN(n)])
			}
		})
	}
}

func filled(b *testing.B, n int) (*Hash, [][]byte) {
	a := arena.New()
	b.Cleanup(a.Release)
	h := New(a)
	fields := make([][]byte, n)
	for i := range fields {
		fields[i] = fmt.Appendf(nil, "field:%07d", i)
		h.Put(fields[i], fields[i], false)
	}
	return h, fields
}

func BenchmarkInsert(b *testing.B) {
	a := arena.New()
	b.Cleanup(a.Release)
	h := New(a)
	var f []byte
	i := 0
	for b.Loop() {
		i++
		f = strconv.AppendInt(append(f[:0], "field:"...), int64(i), 10)
		h.Put(f, f, false)
	}
}

func BenchmarkReap(b *testing.B) {
	const n = 1_000_000
	rnd := rand.New(rand.NewPCG(1, 2))
	var h *Hash
	var fields [][]byte
	left := 0
	for b.Loop() {
		if left == 0 {
			b.StopTimer()
			h, fields = filled(b, n)
			for _, f := range fields {
				h.SetDeadline(f, rnd.Int64N(1<<30))
			}
			left = n
			b.StartTimer()
		}
		h.Reap(1<<40, 1, func([]byte) {})
		left--
	}
}

func BenchmarkScan(b *testing.B) {
	h, _ := filled(b, 1_000_000)
	n := 0
	pos := uint64(0)
	for b.Loop() {
		if n == 0 {
			pos, _ = h.Scan(pos, 10_000, func(it Item) {
				f, v := it.Pair()
				n += min(len(f)+len(v), 1)
			})
		}
		n--
	}
}
