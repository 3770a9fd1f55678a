package actors

import (
	"math/bits"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
)

// cmdStats counts commands. Every shard has one, and one is for what runs on no shard or several; INFO adds them up.
// The counters are atomics since INFO reads them while commands run; each is written by one goroutine at a time, the
// owner of the shard, except those of the shardless one.
type cmdStats struct {
	byID  []cmdCounters
	dirty atomic.Int64 // changes to keys
}

type cmdCounters struct {
	calls, ns, failed, rejected atomic.Uint64
	hist                        atomic.Pointer[histogram]
}

func newCmdStats(n int) *cmdStats { return &cmdStats{byID: make([]cmdCounters, n)} }

// count enters one command.
func (s *cmdStats) count(id int, ns int64, failed, rejected bool) {
	c := &s.byID[id]
	if rejected {
		c.rejected.Add(1)
		return
	}
	c.calls.Add(1)
	c.ns.Add(uint64(max(ns, 0)))
	if failed {
		c.failed.Add(1)
	}
	h := c.hist.Load()
	for h == nil { // again when a reset comes in between
		c.hist.CompareAndSwap(nil, new(histogram))
		h = c.hist.Load()
	}
	h.count(ns)
}

// reset sets everything to zero, as CONFIG RESETSTAT does.
func (s *cmdStats) reset() {
	for i := range s.byID {
		c := &s.byID[i]
		c.calls.Store(0)
		c.ns.Store(0)
		c.failed.Store(0)
		c.rejected.Store(0)
		c.hist.Store(nil)
	}
}

// histogram holds durations in buckets that grow by an eighth, from 1 µs on: what LATENCY and INFO latencystats need,
// at a precision of about 6 %.
type histogram struct {
	buckets [histBuckets]atomic.Uint32
}

const histBuckets = 8 * 22

// bucketOf returns the bucket of a duration.
func bucketOf(ns int64) int {
	us8 := uint64(max(ns, 0)) / 125 // eighths of a microsecond
	if us8 < 16 {
		return int(us8)
	}
	e := bits.Len64(us8) - 4
	return min(8*e+int(us8>>e), histBuckets-1)
}

// bucketTop returns the longest duration in a bucket, in nanoseconds.
func bucketTop(i int) int64 {
	if i < 16 {
		return int64(i+1)*125 - 1
	}
	e := i/8 - 1
	return (int64(i%8+8)+1)<<e*125 - 1
}

func (h *histogram) count(ns int64) { h.buckets[bucketOf(ns)].Add(1) }

// addTo adds the buckets to sum.
func (h *histogram) addTo(sum *[histBuckets]uint64) {
	for i := range h.buckets {
		sum[i] += uint64(h.buckets[i].Load())
	}
}

// percentile returns the duration in nanoseconds that pct percent of the counted ones do not exceed.
func percentile(sum *[histBuckets]uint64, pct float64) int64 {
	var total uint64
	for _, n := range sum {
		total += n
	}
	want := uint64(float64(total)*pct/100 + 0.5)
	want = max(want, 1)
	var seen uint64
	for i, n := range sum {
		seen += n
		if seen >= want {
			return bucketTop(i)
		}
	}
	return 0
}

// errorStats counts error replies by their first word.
type errorStats struct {
	mu     sync.Mutex
	counts map[string]uint64
	total  atomic.Uint64
}

// maxErrorKinds bounds the table: scripts can make up error codes.
const maxErrorKinds = 128

func (s *errorStats) count(text string) {
	s.total.Add(1)
	code, _, _ := strings.Cut(text, " ")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = make(map[string]uint64)
	}
	if _, ok := s.counts[code]; ok || len(s.counts) < maxErrorKinds {
		s.counts[code]++
	}
}

func (s *errorStats) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts = nil
	s.total.Store(0)
}

// each calls fn for every kind of error, in alphabetical order.
func (s *errorStats) each(fn func(code string, n uint64)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	codes := make([]string, 0, len(s.counts))
	for c := range s.counts {
		codes = append(codes, c)
	}
	sort.Strings(codes)
	for _, c := range codes {
		fn(c, s.counts[c])
	}
}
