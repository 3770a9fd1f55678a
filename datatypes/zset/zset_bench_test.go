package zset

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// benchSizes are a set just above the packed ones and a large one.
var benchSizes = []int{200, 1_000_000}

// benchMember writes a member of 14 bytes.
func benchMember(dst []byte, i int) []byte { return fmt.Appendf(dst[:0], "member:%07d", i) }

func benchMembers(n int) [][]byte {
	members := make([][]byte, n)
	for i := range members {
		members[i] = benchMember(nil, i)
	}
	return members
}

func benchSet(n int, members [][]byte) *ZSet {
	r := rand.New(rand.NewPCG(1, 2))
	b := NewBuilder(arena.New(), n)
	for _, m := range members {
		b.Add(m, r.Float64())
	}
	return b.Finish()
}

// BenchmarkFill adds members with random scores to an empty set, in random order; one operation is one member.
func BenchmarkFill(b *testing.B) {
	for _, n := range benchSizes {
		members := benchMembers(n)
		for _, order := range []string{"random", "rising", "equal"} {
			b.Run(fmt.Sprintf("%s/%d", order, n), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 2))
				r.Shuffle(n, func(i, j int) { members[i], members[j] = members[j], members[i] })
				var bytes, height float64
				a := arena.New()
				for done := 0; done < b.N; {
					z := New(a)
					for i := 0; i < n && done < b.N; i++ {
						score := 1.0
						switch order {
						case "random":
							score = r.Float64()
						case "rising":
							score = float64(i)
						}
						z.Set(members[i], score)
						done++
					}
					bytes = float64(z.Bytes()) / float64(z.Len())
					height = float64(z.height)
					b.StopTimer()
					z.Free()
					b.StartTimer()
				}
				b.ReportMetric(bytes, "B/member")
				b.ReportMetric(height, "height")
			})
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, n := range benchSizes {
		members := benchMembers(n)
		for _, order := range []string{"random", "rising"} {
			b.Run(fmt.Sprintf("%s/%d", order, n), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 2))
				var bytes float64
				a := arena.New()
				for done := 0; done < b.N; done += n {
					bd := NewBuilder(a, n)
					for i, m := range members {
						score := float64(i)
						if order == "random" {
							score = r.Float64()
						}
						bd.Add(m, score)
					}
					z := bd.Finish()
					bytes = float64(z.Bytes()) / float64(n)
					b.StopTimer()
					z.Free()
					b.StartTimer()
				}
				b.ReportMetric(bytes, "B/member")
			})
		}
	}
}

func BenchmarkOps(b *testing.B) {
	for _, n := range benchSizes {
		members := benchMembers(n)
		z := benchSet(n, members)
		run := func(name string, fn func(r *rand.Rand)) {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				r := rand.New(rand.NewPCG(3, 4))
				for b.Loop() {
					fn(r)
				}
			})
		}
		run("Get", func(r *rand.Rand) { z.Get(members[r.IntN(n)]) })
		run("Rank", func(r *rand.Rand) { z.Rank(members[r.IntN(n)], false) })
		run("ScoreSpan", func(r *rand.Rand) {
			s := r.Float64()
			z.ScoreSpan(ScoreRange{Min: s, Max: s + 0.01})
		})
		run("Range100", func(r *rand.Rand) {
			lo := r.IntN(n)
			sum := 0.0
			for it := z.Range(lo, lo+100, false); it.Next(); {
				sum += it.Score() + float64(it.Member()[0])
			}
			runtime.KeepAlive(sum)
		})
		run("Update", func(r *rand.Rand) { z.Set(members[r.IntN(n)], r.Float64()) })
		run("Increment", func(r *rand.Rand) {
			m := members[r.IntN(n)]
			s, _ := z.Get(m)
			z.Set(m, s+1e-6)
		})
		run("RemoveAdd", func(r *rand.Rand) {
			m := members[r.IntN(n)]
			z.Remove(m)
			z.Set(m, r.Float64())
		})
		run("Random", func(r *rand.Rand) { z.Random(r.Uint64) })
	}
}

func BenchmarkRemoveRange(b *testing.B) {
	const n = 1_000_000
	members := benchMembers(n)
	z := benchSet(n, members)
	r := rand.New(rand.NewPCG(5, 6))
	for done := 0; done < b.N; done += 1000 {
		if z.Len() < n/2 {
			b.StopTimer()
			z.arena.Release()
			z = benchSet(n, members)
			b.StartTimer()
		}
		lo := r.IntN(z.Len() - 1000)
		z.RemoveRange(lo, lo+1000)
	}
}

func BenchmarkPacked(b *testing.B) {
	const n = 100
	members := benchMembers(n)
	r := rand.New(rand.NewPCG(7, 8))
	var lp []byte
	lp = New(arena.New()).AppendPacked(lp)
	for i, m := range members {
		lp, _, _ = PackedSet(lp, m, float64(i))
	}
	b.Run("Get", func(b *testing.B) {
		for b.Loop() {
			PackedGet(lp, members[r.IntN(n)])
		}
	})
	b.Run("Set", func(b *testing.B) {
		for b.Loop() {
			lp, _, _ = PackedSet(lp, members[r.IntN(n)], float64(r.IntN(n)))
		}
	})
}
