package list

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/arena"
)

func filled(tb testing.TB, n int, o Options, elem []byte) *List {
	a := arena.New()
	tb.Cleanup(a.Release)
	l := New(a, o)
	for range n {
		l.PushTail(elem)
	}
	return l
}

func TestNoAllocations(t *testing.T) {
	elem, number := []byte("element:123456"), []byte("123456")
	l := filled(t, 100_000, Options{MaxSize: -2}, elem)
	for name, op := range map[string]func(){
		"ends": func() {
			l.PushTail(elem)
			l.PushHead(number)
			l.DropTail()
			l.DropHead()
		},
		"grow":   func() { l.PushTail(elem) },
		"index":  func() { w := l.Walk(50_000, false); w.Next(); w.Close() },
		"set":    func() { l.Set(50_000, elem) },
		"insert": func() { l.Insert(50_000, number, true); l.DeleteRange(50_001, 1) },
	} {
		require.Zero(t, testing.AllocsPerRun(2000, op), name)
	}
}

// TestMemory holds the list to what its elements take packed, with little besides.
func TestMemory(t *testing.T) {
	l := filled(t, 100_000, Options{MaxSize: -2}, []byte("element:123456"))
	require.Less(t, float64(l.Bytes())/100_000, 16*1.04)
	l = filled(t, 2000, Options{MaxSize: -2}, []byte(strings.Repeat("x", 10_000)))
	require.Less(t, float64(l.Bytes())/2000, 10_000*1.05)
	l = filled(t, 100_000, Options{MaxSize: 1}, []byte("element"))
	require.Less(t, float64(l.Bytes())/100_000, 16.0+32*1.07)
}

func BenchmarkEnds(b *testing.B) {
	elem := []byte("element:123456")
	for _, c := range []struct {
		name string
		opts Options
		op   func(l *List)
	}{
		{"push tail", Options{MaxSize: -2}, func(l *List) { l.PushTail(elem) }},
		{"push head", Options{MaxSize: -2}, func(l *List) { l.PushHead(elem) }},
		{"queue", Options{MaxSize: -2}, func(l *List) { l.PushTail(elem); l.DropHead() }},
		{"stack", Options{MaxSize: -2}, func(l *List) { l.PushHead(elem); l.DropHead() }},
		{"push tail compressed", Options{MaxSize: -2, Depth: 1}, func(l *List) { l.PushTail(elem) }},
		{"push tail one a chunk", Options{MaxSize: 1}, func(l *List) { l.PushTail(elem) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			l := filled(b, 1000, c.opts, elem)
			b.ReportAllocs()
			for b.Loop() {
				c.op(l)
			}
		})
	}
}

func BenchmarkMiddle(b *testing.B) {
	for _, c := range []struct {
		name string
		n    int
		opts Options
		size int
	}{
		{"1M small", 1_000_000, Options{MaxSize: -2}, 10},
		{"1M one a chunk", 1_000_000, Options{MaxSize: 1}, 10},
		{"20k large", 20_000, Options{MaxSize: -2}, 10_000},
	} {
		elem := []byte(strings.Repeat("x", c.size))
		l := filled(b, c.n, c.opts, elem)
		i := 0
		next := func() int { i = (i + 7919*31) % c.n; return i }
		b.Run(fmt.Sprintf("%s/index", c.name), func(b *testing.B) {
			for b.Loop() {
				w := l.Walk(next(), false)
				w.Next()
			}
		})
		b.Run(fmt.Sprintf("%s/insert and delete", c.name), func(b *testing.B) {
			for b.Loop() {
				at := next()
				l.Insert(at, elem, false)
				l.DeleteRange(at, 1)
			}
		})
		b.Run(fmt.Sprintf("%s/walk all", c.name), func(b *testing.B) {
			for b.Loop() {
				w := l.Walk(0, false)
				n := 0
				for w.Next() {
					n += w.N
				}
				if n != c.n {
					b.Fatal(n)
				}
			}
		})
	}
}
