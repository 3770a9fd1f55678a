package keyspace

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkExpireDue is what a key costs that nobody touches between its SET with a TTL and its end: 200,000 keys with TTLs
// spread over 20 seconds, in rounds of 6 ms, as the expiry actor makes them.
func BenchmarkExpireDue(b *testing.B) {
	const keys, spreadMs, stepMs, slice = 200_000, 20_000, 6, 256
	names := make([]Key, keys)
	for i := range names {
		names[i] = MakeKey(fmt.Appendf(nil, "session:%08d", i))
	}
	for b.Loop() {
		b.StopTimer()
		s, _ := newExpiryShard(1)
		s.Observer = nil
		db := s.DB(0)
		rnd := rand.New(rand.NewPCG(1, 1))
		for _, k := range names {
			db.SetString(k, []byte("a value of some forty bytes, as sessions."), s.NowMs+1+rnd.Int64N(spreadMs))
		}
		b.StartTimer()
		for db.Len() > 0 {
			s.NowMs += stepMs
			for db.ExpireDue(slice) {
			}
		}
		b.StopTimer()
		s.Release()
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/keys, "ns/key")
}
