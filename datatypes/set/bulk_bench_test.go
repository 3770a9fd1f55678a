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
