package stream

import (
	"testing"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// filled returns a stream of n entries as XADD k * f v makes them when a few arrive every millisecond.
func filled(b *testing.B, n int, f [][]byte) *Stream {
	a := arena.New()
	b.Cleanup(a.Release)
	s := New(a)
	for i := range n {
		if err := s.Append(ID{1_700_000_000_000 + uint64(i/8), uint64(i % 8)}, f, defaults); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func BenchmarkAppend(b *testing.B) {
	f := args("field", "value")
	a := arena.New()
	defer a.Release()
	s := New(a)
	b.ReportAllocs()
	i := uint64(0)
	for b.Loop() {
		i++
		if err := s.Append(ID{1_700_000_000_000 + i/8, i % 8}, f, defaults); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(s.Bytes())/float64(s.Len()), "B/entry")
}

// BenchmarkAppendMaxLen is XADD MAXLEN = 1000.
func BenchmarkAppendMaxLen(b *testing.B) {
	f := args("field", "value")
	s := filled(b, 1000, f)
	id := s.LastID()
	for b.Loop() {
		id.Ms++
		if err := s.Append(id, f, defaults); err != nil {
			b.Fatal(err)
		}
		s.Trim(TrimOptions{MaxLen: 1000})
	}
}

func BenchmarkRange100(b *testing.B) {
	s := filled(b, 1_000_000, args("field", "value"))
	sum, i := 0, uint64(0)
	for b.Loop() {
		i = (i + 7919) % 120_000
		n := 0
		for it := s.Range(ID{1_700_000_000_000 + i, 0}, MaxID); n < 100 && it.Next(); n++ {
			for range it.Pairs() {
				f, v := it.Pair()
				sum += len(f) + len(v)
			}
		}
	}
}

func BenchmarkReverse10(b *testing.B) {
	s := filled(b, 1_000_000, args("field", "value"))
	for b.Loop() {
		n := 0
		for it := s.RangeReverse(ID{}, MaxID); n < 10 && it.Next(); n++ {
			it.Pair()
		}
	}
}

func BenchmarkDelete(b *testing.B) {
	f := args("field", "value")
	s := filled(b, 1_000_000, f)
	i := uint64(0)
	for b.Loop() {
		i = (i + 7919) % 125_000
		id := ID{1_700_000_000_000 + i, i % 8}
		if !s.Delete(id) && s.Len() == 0 {
			b.Fatal("empty")
		}
	}
}

// BenchmarkMillion tells the memory of a million entries, with a value of one byte and of 16.
func BenchmarkMillion(b *testing.B) {
	for _, v := range []string{"v", "0123456789abcdef"} {
		b.Run(v, func(b *testing.B) {
			for b.Loop() {
				s := filled(b, 1_000_000, args("f", v))
				b.ReportMetric(float64(s.Bytes())/1e6, "B/entry")
				b.ReportMetric(float64(s.Arena().Mapped())/1e6, "mapped-B/entry")
				b.ReportMetric(float64(s.Blocks()), "blocks")
			}
		})
	}
}

// BenchmarkPending is what XREADGROUP and XACK do to a group: each entry is delivered and later acknowledged.
func BenchmarkPending(b *testing.B) {
	a := arena.New()
	defer a.Release()
	s := New(a)
	g := s.CreateGroup([]byte("g"), ID{}, 0)
	c := g.CreateConsumer([]byte("c"), 0)
	for i := range uint64(1_000_000) {
		g.Put(Pending{ID{1_700_000_000_000 + i, 0}, c, 1_700_000_000_000, 1})
	}
	perPending := float64(s.Bytes()) / 1e6
	i := uint64(0)
	for b.Loop() {
		g.Put(Pending{ID{1_700_001_000_000 + i, 0}, c, 1_700_000_000_000, 1})
		g.Remove(ID{1_700_000_000_000 + i, 0})
		i++
	}
	b.ReportMetric(perPending, "B/pending")
}

func BenchmarkFreeze(b *testing.B) {
	f := args("field", "value")
	s := filled(b, 1_000_000, f)
	for b.Loop() {
		v := s.Freeze()
		id, _ := s.LastID().Next()
		if err := s.Append(id, f, defaults); err != nil {
			b.Fatal(err)
		}
		v.End()
	}
}
