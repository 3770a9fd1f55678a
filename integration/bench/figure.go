package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// figure is one row of the table.
type figure struct {
	name   string // with the scenario's cell in front: "GET p1: throughput"
	unit   string
	target target
}

// target is what a figure should reach; the zero value is no target.
type target struct {
	text   string
	ofPair bool // a bound for the ratio, not for the subject's own figure
	met    func(x float64) bool
}

// ratioAtLeast and ratioAtMost are targets for subject ÷ peer.
func ratioAtLeast(bound float64) target {
	return target{fmt.Sprintf("≥ %.4g×", bound), true, func(x float64) bool { return x >= bound }}
}

func ratioAtMost(bound float64) target {
	return target{fmt.Sprintf("≤ %.4g×", bound), true, func(x float64) bool { return x <= bound }}
}

// valueAtLeast and valueAtMost are targets for the subject's own figure.
func valueAtLeast(bound float64) target {
	return target{fmt.Sprintf("≥ %.4g", bound), false, func(x float64) bool { return x >= bound }}
}

func valueAtMost(bound float64) target {
	return target{fmt.Sprintf("≤ %.4g", bound), false, func(x float64) bool { return x <= bound }}
}

// result is a measured figure. Ratios are NaN without a peer.
type result struct {
	figure
	subject, peer      float64 // medians of the runs
	ratio, lowest, top float64 // of the pairs
}

// compare sums the runs of a figure up. peer is empty without a peer; otherwise run i of both sides is a pair.
func compare(f figure, subject, peer []float64) result {
	r := result{figure: f, subject: median(subject), peer: median(peer), ratio: math.NaN()}
	if len(peer) == 0 {
		return r
	}
	ratios := make([]float64, len(subject))
	for i := range subject {
		ratios[i] = subject[i] / peer[i]
	}
	r.ratio, r.lowest, r.top = median(ratios), slices.Min(ratios), slices.Max(ratios)
	return r
}

// Verdicts on a figure with a target.
const (
	met    = "met"
	missed = "MISSED"
	noPeer = "no peer" // the target is a ratio, and there is none
)

// verdict is empty where there is no target.
func (r result) verdict() string {
	x := r.subject
	if r.target.ofPair {
		x = r.ratio
	}
	switch {
	case r.target.met == nil:
		return ""
	case math.IsNaN(x):
		return noPeer
	case r.target.met(x):
		return met
	}
	return missed
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

// percentile returns the smallest of the sorted durations that at least p per cent do not exceed, in milliseconds.
func percentile(sorted []time.Duration, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	const rounding = 1e-9 // 99.9 % of 1000 is a little more than 999 in binary
	rank := int(math.Ceil(p/100*float64(len(sorted)) - rounding))
	return millis(sorted[min(max(rank, 1), len(sorted))-1])
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
