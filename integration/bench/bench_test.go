package main

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCompareTakesTheMedianOfThePairs(t *testing.T) {
	r := compare(figure{name: "f", target: ratioAtLeast(1)}, []float64{10, 30, 20}, []float64{10, 10, 10})
	require.Equal(t, []float64{20, 10, 2, 1, 3}, []float64{r.subject, r.peer, r.ratio, r.lowest, r.top})
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		name          string
		target        target
		subject, peer []float64
		want          string
	}{
		{"no target", target{}, []float64{1}, []float64{1}, ""},
		{"ratio reached", ratioAtLeast(1.5), []float64{3}, []float64{2}, met},
		{"ratio not reached", ratioAtLeast(1.5), []float64{2.9}, []float64{2}, missed},
		{"cost within", ratioAtMost(0.7), []float64{7}, []float64{10}, met},
		{"cost beyond", ratioAtMost(0.7), []float64{8}, []float64{10}, missed},
		{"ratio without a peer", ratioAtMost(0.7), []float64{8}, nil, noPeer},
		{"value without a peer", valueAtMost(5), []float64{4}, nil, met},
		{"value too small", valueAtLeast(70), []float64{69}, []float64{1}, missed},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, compare(figure{target: c.target}, c.subject, c.peer).verdict())
		})
	}
}

func TestMedianAndPercentile(t *testing.T) {
	require.True(t, math.IsNaN(median(nil)))
	require.Equal(t, 2.5, median([]float64{4, 1, 3, 2}))
	require.True(t, math.IsNaN(percentile(nil, 99)))
	var waits []time.Duration
	for i := range 1000 {
		waits = append(waits, time.Duration(i+1)*time.Millisecond)
	}
	require.Equal(t, []float64{500, 999, 1000}, []float64{percentile(waits, 50), percentile(waits, 99.9), percentile(waits, 100)})
}

func TestAppendLags(t *testing.T) {
	deadlines := []int64{1000, 1010, 1020}
	lags, err := appendLags(nil, deadlines, 3, time.UnixMilli(999))
	require.NoError(t, err)
	require.Empty(t, lags)
	lags, err = appendLags(lags, deadlines, 1, time.UnixMilli(1015))
	require.NoError(t, err)
	require.Equal(t, []time.Duration{15 * time.Millisecond, 5 * time.Millisecond}, lags)
	_, err = appendLags(lags, deadlines, 0, time.UnixMilli(1018))
	require.ErrorContains(t, err, "before its deadline")
}

func TestParseLoop(t *testing.T) {
	out := "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\",\"p95_latency_ms\",\"p99_latency_ms\",\"max_latency_ms\"\n" +
		"\"GET key:__rand_int__\",\"25000.50\",\"1.9\",\"0.3\",\"1.8\",\"3.0\",\"4.5\",\"9.9\"\n"
	r, err := parseLoop(out)
	require.NoError(t, err)
	require.Equal(t, loopResult{rate: 25000.5, p50: 1.8, p99: 4.5}, r)
	_, err = parseLoop("Error from server: ERR unknown command\n")
	require.Error(t, err)
}

func TestErrorLine(t *testing.T) {
	for text, want := range map[string]int{"+OK\r\n:-1\r\n$-1\r\n": -1, "": -1, "-ERR no\r\n": 0, "+OK\r\n-ERR no\r\n": 5} {
		require.Equal(t, want, errorLine([]byte(text)), text)
	}
}

func TestTransactionKeys(t *testing.T) {
	const shards = 8
	for v := range txnVariants {
		of := map[uint64]bool{}
		for _, k := range txnKeys(v, shards, true) {
			of[shardOf(k, shards)] = true
		}
		require.Len(t, of, 1)
	}
	require.Equal(t, strings.Repeat("*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*2\r\n$4\r\nINCR\r\n$1\r\nb\r\n", txnCommands/2),
		strings.TrimSuffix(strings.TrimPrefix(string(appendTxn(nil, []string{"INCR", ""}, []string{"a", "b"})), "*1\r\n$5\r\nMULTI\r\n"), "*1\r\n$4\r\nEXEC\r\n"))
}

func TestWants(t *testing.T) {
	all := &bench{}
	require.True(t, all.wants("memory"))
	some := &bench{only: []string{"memory/ttl", "stalls"}}
	for name, want := range map[string]bool{
		"memory": true, "memory/ttl": true, "memory/value32": false, "stalls": true, "stalls/keys": true, "throughput": false,
	} {
		require.Equal(t, want, some.wants(name), name)
	}
}

func TestReport(t *testing.T) {
	var out bytes.Buffer
	r := &report{w: &out}
	r.add(compare(figure{"GET: throughput", "op/s", ratioAtLeast(1)}, []float64{12345}, []float64{10000}))
	r.add(compare(figure{"GET: p99.9", "ms", valueAtMost(5)}, []float64{7.25}, nil))
	r.end()
	var cells []string
	for line := range strings.Lines(out.String()) {
		cells = append(cells, strings.Join(strings.Fields(line), " "))
	}
	require.Equal(t, []string{
		"| figure | unit | troupe | redis | ratio | pairs | target | |",
		"|:--|:--|--:|--:|--:|--:|--:|:--|",
		"| GET: throughput | op/s | 12345 | 10000 | 1.23 | 1.23 – 1.23 | ≥ 1× | met |",
		"| GET: p99.9 | ms | 7.25 | | | | ≤ 5 | MISSED |",
		"",
		"1 of 2 targets met.",
		"- missed: GET: p99.9",
	}, cells)
}
