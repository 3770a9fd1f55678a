package deadline

import (
	"math"
	"math/rand/v2"
	"testing"
)

func BenchmarkAdd(b *testing.B) {
	o := newOwner(b, 0)
	rnd := rand.New(rand.NewPCG(1, 1))
	b.ReportAllocs()
	for b.Loop() {
		h := rnd.Uint64()
		o.x.Add(h, int64(h>>40))
		if o.x.Len() == 1<<22 {
			o.x.Clear()
		}
	}
}

// BenchmarkLifetime is what a key with a TTL of up to an hour costs in all: Add, the moves between levels, the report.
func BenchmarkLifetime(b *testing.B) {
	o := newOwner(b, 0)
	rnd := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		at := o.now + rnd.Int64N(3_600_000) + 1
		o.x.Add(rnd.Uint64()<<(22+TimeBits)|uint64(at)&(1<<22-1)<<TimeBits, at)
		o.now++
		o.x.Advance(o.now, math.MaxInt, nil, func(hash uint64) (int64, bool) {
			at := o.now&^(1<<22-1) | int64(hash>>TimeBits&(1<<22-1))
			return at, at > o.now
		})
	}
}

// BenchmarkIdleAdvance is the tick of a shard on which nothing is due.
func BenchmarkIdleAdvance(b *testing.B) {
	o := newOwner(b, 0)
	o.expire(1, math.MaxInt64)
	for b.Loop() {
		o.now++
		o.advance(100)
	}
}

func BenchmarkSweep(b *testing.B) {
	o := newOwner(b, 0)
	rnd := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		b.StopTimer()
		for range 100_000 {
			h := rnd.Uint64()
			o.x.Add(h, 1<<40)
			o.x.Add(h^1<<63, 1<<40)
		}
		b.StartTimer()
		for o.x.Sweep(1000, func(uint64) (int64, bool) { return 0, false }) {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/200_000, "ns/entry")
}
