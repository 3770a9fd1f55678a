package set

import (
	"fmt"
	"testing"

	"github.com/troupe-db/troupe/datatypes/arena"
)

func BenchmarkClone(b *testing.B) {
	for _, n := range []int{20_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := filled(n)
			defer s.arena.Release()
			for b.Loop() {
				to := arena.New()
				s.Clone(to)
				to.Release()
			}
			perMember(b, n)
		})
	}
}

// filled returns a set of n short members, in an arena of its own.
func filled(n int) *Set {
	s := New(arena.New())
	for i := range n {
		s.Add(fmt.Appendf(nil, "member:%d", i))
	}
	return s
}

func perMember(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/member")
}

func BenchmarkWalk(b *testing.B) {
	const n = 1_000_000
	s, other := filled(n), New(arena.New())
	defer s.arena.Release()
	defer other.arena.Release()
	for i := n; i > 0; i-- {
		other.Add(fmt.Appendf(nil, "member:%d", 2*i))
	}
	total := 0
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			s.Walk(func(m Member) bool {
				total += len(m.Bytes())
				return true
			})
		}
		perMember(b, n)
	})
	b.Run("intersection", func(b *testing.B) {
		for b.Loop() {
			s.WalkWarm([]*Set{other}, func(hash uint64, m Member) bool {
				if other.HasHash(hash, m.Bytes()) {
					total++
				}
				return true
			})
		}
		perMember(b, n)
	})
	b.Run("intersection, cold", func(b *testing.B) {
		for b.Loop() {
			s.Scan(0, n, func(m Member) {
				if other.Has(m.Bytes()) {
					total++
				}
			})
		}
		perMember(b, n)
	})
}
