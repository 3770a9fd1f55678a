package list

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/listpack"
)

// content returns all elements.
func content(l *List) []string {
	var out []string
	if l.Len() == 0 {
		return out
	}
	w := l.Walk(0, false)
	defer w.Close()
	for w.Next() {
		out = appendRun(out, &w.Run, false)
	}
	return out
}

func text(r Run) string { return string(r.Text(nil)) }

func appendRun(out []string, r *Run, back bool) []string {
	if r.Pack == nil {
		return append(out, string(r.Plain))
	}
	off := r.Off
	for range r.N {
		out = append(out, string(listpack.AppendText(nil, r.Pack, off)))
		if back {
			off = listpack.Prev(r.Pack, off)
		} else {
			off = listpack.Next(r.Pack, off)
		}
	}
	return out
}

// walked returns the elements from index on, in either direction.
func walked(l *List, index int, back bool) []string {
	var out []string
	w := l.Walk(index, back)
	defer w.Close()
	for w.Next() {
		out = appendRun(out, &w.Run, back)
	}
	return out
}

func elems(t testing.TB, l *List, want ...string) {
	t.Helper()
	l.check()
	require.Equal(t, len(want), l.Len())
	require.Equal(t, want, content(l))
}

func TestEnds(t *testing.T) {
	a := arena.New()
	defer a.Release()
	l := New(a, Options{MaxSize: 3})
	for i := range 10 {
		l.PushTail(fmt.Appendf(nil, "t%d", i))
		l.PushHead(strconv.AppendInt(nil, int64(i), 10))
	}
	elems(t, l, "9", "8", "7", "6", "5", "4", "3", "2", "1", "0", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9")
	require.Equal(t, 7, l.Chunks())
	for i := range 9 {
		require.Equal(t, strconv.Itoa(9-i), text(l.First()))
		require.Equal(t, fmt.Sprint("t", 9-i), text(l.Last()))
		l.DropHead()
		l.DropTail()
		l.check()
	}
	elems(t, l, "0", "t0")
	l.DropHead()
	pack, ok := l.Listpack()
	require.True(t, ok)
	require.Equal(t, "t0", string(listpack.Text(pack, listpack.First(pack), nil)))
	l.DropHead()
	elems(t, l)
	l.PushHead([]byte("again"))
	elems(t, l, "again")
	l.Free()
	require.Zero(t, a.Used()+a.Charged())
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		maxSize, bytes, count int
		exceeded              bool
	}{
		{-1, 4096, 1e6, false}, {-1, 4097, 1, true},
		{-2, 8192, 1, false}, {-2, 8193, 1, true},
		{-5, 65536, 1, false}, {-5, 65537, 1, true},
		{-100, 65536, 1, false}, {-100, 65537, 1, true},
		{0, 10, 1, false}, {0, 10, 2, true},
		{3, 8192, 3, false}, {3, 8193, 3, true}, {3, 10, 4, true},
		{1 << 20, 8000, 1 << 20, false},
	} {
		require.Equal(t, c.exceeded, LimitOf(c.maxSize).Exceeded(c.bytes, c.count), c)
	}
	require.True(t, LimitOf(-2).Shrunk(4096, 1000))
	require.False(t, LimitOf(-2).Shrunk(4097, 1))
	require.True(t, LimitOf(5).Shrunk(1<<20, 2))
	require.False(t, LimitOf(5).Shrunk(10, 3))
	require.False(t, LimitOf(1).Shrunk(10, 1), "half of one is none")
}

// TestChunksLikeQuicklist pins how elements are spread over chunks: as over the nodes that DEBUG OBJECT of Redis 7.0.15 tells after the
// same commands, but for LSET of large elements, after which later versions merge neighbours.
func TestChunksLikeQuicklist(t *testing.T) {
	a := arena.New()
	defer a.Release()
	big := []byte(strings.Repeat("x", 9000))
	numbers := func(maxSize, n int) *List {
		l := New(a, Options{MaxSize: maxSize})
		for i := range n {
			l.PushTail(strconv.AppendInt(nil, int64(i), 10))
		}
		return l
	}
	l := numbers(4, 12)
	require.Equal(t, 3, l.Chunks())
	l.Insert(5, []byte("new"), true) // splits 4 5 | 6 7 in two, with the new one in the second part
	elems(t, l, "0", "1", "2", "3", "4", "5", "new", "6", "7", "8", "9", "10", "11")
	require.Equal(t, 4, l.Chunks())
	l.Insert(5, []byte("new2"), true)
	require.Equal(t, 4, l.Chunks())
	l.DeleteRange(1, 11)
	elems(t, l, "0", "10", "11")
	require.Equal(t, 2, l.Chunks())

	l = numbers(-2, 10)
	l.Insert(4, big, false)
	require.Equal(t, 3, l.Chunks(), "plain between two parts")
	l.Set(4, []byte("small"))
	require.Equal(t, 2, l.Chunks(), "goes to the start of the next chunk")
	l.Set(9, big)
	require.Equal(t, 3, l.Chunks(), "the chunks in front are merged")
	l.Set(9, []byte("z"))
	elems(t, l, "0", "1", "2", "3", "small", "4", "5", "6", "7", "z", "9")
	l.PushHead(big)
	l.PushTail(big)
	l.Insert(0, []byte("a"), false)
	l.Insert(l.Len()-1, []byte("b"), true)
	l.Insert(1, []byte("c"), true)
	require.Equal(t, "c", walked(l, 2, false)[0])
	require.Equal(t, []string{"b", string(big), "9"}, walked(l, l.Len()-1, true)[:3])
	l.check()
}

func TestRemove(t *testing.T) {
	for _, c := range []struct {
		limit int
		back  bool
		want  string
		n     int
	}{
		{0, false, "b c b", 5}, {2, false, "b c a a b a", 2}, {2, true, "a b a c a b", 2}, {5, true, "b c b", 5}, {9, false, "b c b", 5}, {4, true, "a b c b", 4},
	} {
		pack := listpack.New()
		for _, e := range strings.Fields("a b a c a a b a") {
			pack = listpack.Append(pack, []byte(e))
		}
		pack, n := Remove(pack, []byte("a"), c.limit, c.back)
		require.NoError(t, listpack.Validate(pack, true))
		require.Equal(t, c.n, n)
		var got []string
		for off := listpack.First(pack); off >= 0; off = listpack.Next(pack, off) {
			got = append(got, string(listpack.Text(pack, off, nil)))
		}
		require.Equal(t, strings.Fields(c.want), got)
	}
	pack := listpack.Append(listpack.Append(listpack.New(), []byte("7")), []byte("7"))
	pack, n := Remove(pack, []byte("7"), 0, false)
	require.Equal(t, 2, n)
	require.True(t, listpack.Empty(pack))
}

// model is a list beside a slice that must hold the same, and views beside copies.
type model struct {
	t     testing.TB
	r     *rand.Rand
	a     *arena.Arena
	l     *List
	want  []string
	views []modelView
}

type modelView struct {
	v    *View
	want []string
	got  []string
}

func (m *model) elem() []byte {
	switch m.r.IntN(12) {
	case 0:
		return strconv.AppendInt(nil, int64(m.r.Uint64())>>m.r.IntN(64), 10)
	case 1:
		return []byte(strings.Repeat("long", 20+m.r.IntN(300)))
	case 2:
		if m.r.IntN(8) == 0 {
			b := make([]byte, 3000+m.r.IntN(12000))
			for i := range b {
				b[i] = byte(m.r.Uint32()) // nothing to compress
			}
			return b
		}
		return nil
	default:
		return fmt.Appendf(nil, "e%d", m.r.IntN(40))
	}
}

func (m *model) step() {
	n := len(m.want)
	switch op := m.r.IntN(100); {
	case op < 25:
		e := m.elem()
		m.l.PushTail(e)
		m.want = append(m.want, string(e))
	case op < 45:
		e := m.elem()
		m.l.PushHead(e)
		m.want = slices.Insert(m.want, 0, string(e))
	case op < 50:
		pack := listpack.New()
		for range m.r.IntN(20) {
			e := m.elem()
			pack = listpack.Append(pack, e)
			m.want = append(m.want, string(e))
		}
		m.l.AppendListpack(pack)
	case op < 51:
		m.l.AppendPlain([]byte("plain"))
		m.want = append(m.want, "plain")
	case op < 54:
		m.view()
	case n == 0:
	case op < 62:
		m.want = m.want[1:]
		m.l.DropHead()
	case op < 70:
		m.want = m.want[:n-1]
		m.l.DropTail()
	case op < 78:
		i, e := m.r.IntN(n), m.elem()
		m.l.Set(i, e)
		m.want = slices.Clone(m.want)
		m.want[i] = string(e)
	case op < 88:
		i, e, after := m.r.IntN(n), m.elem(), m.r.IntN(2)
		m.l.Insert(i, e, after == 1)
		m.want = slices.Insert(slices.Clone(m.want), i+after, string(e))
	case op < 93:
		e, limit, back := m.want[m.r.IntN(n)], m.r.IntN(4), m.r.IntN(2) == 0
		removed := m.l.Remove([]byte(e), limit, back)
		if limit == 0 {
			limit = n
		}
		var kept []string
		had := 0
		for i := range n {
			s := m.want[i]
			if back {
				s = m.want[n-1-i]
			}
			if s == e && had < limit {
				had++
			} else {
				kept = append(kept, s)
			}
		}
		if back {
			slices.Reverse(kept)
		}
		require.Equal(m.t, had, removed)
		m.want = kept
	case op < 96:
		i := m.r.IntN(n)
		k := min(m.r.IntN(n-i)+1, 1+m.r.IntN(40))
		m.l.DeleteRange(i, k)
		m.want = slices.Delete(slices.Clone(m.want), i, i+k)
	case op < 97:
		if !m.l.Frozen() && m.a.BeginCompact() {
			for pos, more := uint64(0), true; more; {
				pos, more = m.l.Compact(pos, 1+m.r.IntN(5))
			}
			m.a.EndCompact()
		}
	case op < 98 && !m.l.Frozen():
		old := m.l
		m.l = old.Clone(m.a)
		old.Free()
	default:
		i, back := m.r.IntN(n), m.r.IntN(2) == 0
		got := walked(m.l, i, back)
		want := slices.Clone(m.want[i:])
		if back {
			want = slices.Clone(m.want[:i+1])
			slices.Reverse(want)
		}
		require.Equal(m.t, want, got)
	}
	if n := len(m.want); n > 0 && n == m.l.Len() {
		require.Equal(m.t, m.want[0], text(m.l.First()))
		require.Equal(m.t, m.want[n-1], text(m.l.Last()))
	}
	require.Equal(m.t, len(m.want), m.l.Len())
}

// view begins a view, goes on with one or ends one.
func (m *model) view() {
	if len(m.views) < 3 && m.r.IntN(4) == 0 {
		m.views = append(m.views, modelView{v: m.l.Freeze(), want: slices.Clone(m.want)})
		return
	}
	if len(m.views) == 0 {
		return
	}
	i := m.r.IntN(len(m.views))
	v := &m.views[i]
	require.Equal(m.t, len(v.want), v.v.Len())
	more := v.v.Step(1+m.r.IntN(10), func(c Chunk) {
		b := c.Bytes()
		require.Len(m.t, b, c.Size)
		if c.Plain {
			v.got = append(v.got, string(b))
			return
		}
		require.Equal(m.t, c.Count, listpack.Len(b))
		v.got = appendRun(v.got, &Run{Pack: b, Off: packFirst, N: c.Count}, false)
	})
	if !more {
		require.Equal(m.t, len(v.want), len(v.got))
		require.True(m.t, slices.Equal(v.want, v.got))
	}
	if !more || m.r.IntN(30) == 0 {
		v.v.End()
		v.v.End()
		m.views = slices.Delete(m.views, i, i+1)
	}
}

func (m *model) run(steps int) {
	for i := range steps {
		m.step()
		if i%16 == 0 {
			m.l.check()
			require.True(m.t, slices.Equal(m.want, content(m.l)))
		}
		if len(m.want) > 600 {
			m.l.DeleteRange(100, len(m.want)-200)
			m.want = slices.Delete(slices.Clone(m.want), 100, len(m.want)-100)
		}
	}
	for _, v := range m.views {
		v.v.End()
	}
	m.l.check()
	require.True(m.t, slices.Equal(m.want, content(m.l)))
	m.l.Free()
	require.Zero(m.t, m.a.Used(), "every piece was given back")
	require.Zero(m.t, m.a.Charged())
	m.a.Release()
}

// TestDeepTree lets the tree grow to three levels and shrink to nothing, with one element a chunk, while a view looks on.
func TestDeepTree(t *testing.T) {
	for _, insert := range []string{"anywhere", "head", "tail"} {
		a := arena.New()
		l := New(a, Options{MaxSize: 1})
		r := rand.New(rand.NewPCG(1, 2))
		var want []string
		const n = 4000
		for i := range n {
			e := strconv.Itoa(i)
			at := map[string]int{"anywhere": r.IntN(len(want) + 1), "head": 0, "tail": len(want)}[insert]
			want = slices.Insert(want, at, e)
			switch {
			case at == 0:
				l.PushHead([]byte(e))
			case at == len(want)-1:
				l.PushTail([]byte(e))
			default:
				l.Insert(at, []byte(e), false)
			}
		}
		elems(t, l, want...)
		require.GreaterOrEqual(t, l.level, 2)
		full := slices.Clone(want)
		v := l.Freeze()
		for len(want) > 0 {
			if len(want) == n*3/4 || len(want) < 5 {
				elems(t, l, want...)
			}
			i := r.IntN(len(want))
			w := l.Walk(i, true)
			require.True(t, w.Next())
			require.Equal(t, want[i], text(w.Run))
			w.Close()
			l.DeleteRange(i, 1)
			want = slices.Delete(want, i, i+1)
		}
		var got []string
		for v.Step(100, func(c Chunk) {
			got = appendRun(got, &Run{Pack: c.Bytes(), Off: packFirst, N: c.Count}, false)
		}) {
		}
		require.Equal(t, full, got)
		v.End()
		l.Free()
		require.Zero(t, a.Used()+a.Charged())
		a.Release()
	}
}

func modelSteps(t testing.TB) int {
	if s, err := strconv.Atoi(os.Getenv("TROUPE_STEPS")); err == nil {
		return s
	}
	if testing.Short() {
		return 200
	}
	return 2000
}

func TestModel(t *testing.T) {
	seed := uint64(0)
	for _, size := range []int{-2, -1, -5, 0, 1, 2, 5, 128} {
		for _, depth := range []int{0, 1, 2, 5} {
			seed++
			t.Run(fmt.Sprintf("size%d/depth%d", size, depth), func(t *testing.T) {
				a := arena.New()
				o := Options{MaxSize: size, Depth: depth}
				if seed%3 == 0 {
					o.PlainFrom = 100
				}
				m := &model{t: t, r: rand.New(rand.NewPCG(seed, 1)), a: a, l: New(a, o)}
				m.run(modelSteps(t))
			})
		}
	}
}

func FuzzList(f *testing.F) {
	f.Add(uint64(1), int8(-2), uint8(0), uint16(100))
	f.Add(uint64(2), int8(3), uint8(1), uint16(500))
	f.Add(uint64(3), int8(1), uint8(3), uint16(500))
	f.Fuzz(func(t *testing.T, seed uint64, size int8, depth uint8, steps uint16) {
		a := arena.New()
		m := &model{t: t, r: rand.New(rand.NewPCG(seed, 7)), a: a, l: New(a, Options{MaxSize: int(size), Depth: int(depth % 8)})}
		m.run(int(steps % 2000))
	})
}
