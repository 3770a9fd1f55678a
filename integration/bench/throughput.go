package main

import (
	"strings"
	"time"
)

// benchKeys is how many keys the closed loops draw from, manyClients the connections of the scenario with many.
const (
	benchKeys   = 100_000
	manyClients = 1000
	fewClients  = 50
)

// slice is the length of one run. Many short runs beat few long ones: what disturbs a shared machine lasts seconds, and
// the two runs of a pair share it.
const slice = 200 * time.Millisecond

func throughput(b *bench) error {
	on, err := b.start()
	if err != nil {
		return err
	}
	defer on.stop()
	for _, s := range on {
		if err := s.fillStrings(benchKeys); err != nil {
			return err
		}
	}
	get, set := []string{"GET", "key:__rand_int__"}, []string{"SET", "key:__rand_int__", "xxx"}
	mset := []string{"MSET"}
	for range 10 {
		mset = append(mset, set[1:]...)
	}
	none := target{}
	for _, cell := range []struct {
		name      string
		loop      loop
		rate, cpu target
	}{
		{"GET p1", loop{fewClients, 1, get}, ratioAtLeast(1), ratioAtMost(1.1)},
		{"SET p1", loop{fewClients, 1, set}, ratioAtLeast(1), ratioAtMost(1.1)},
		{"GET p16", loop{fewClients, 16, get}, ratioAtLeast(1.5), ratioAtMost(0.7)},
		{"SET p16", loop{fewClients, 16, set}, ratioAtLeast(1.5), ratioAtMost(0.7)},
		{"GET p64", loop{fewClients, 64, get}, ratioAtLeast(1.5), ratioAtMost(0.7)},
		{"SET p64", loop{fewClients, 64, set}, ratioAtLeast(1.5), ratioAtMost(0.7)},
		{"MSET of 10 keys p1", loop{fewClients, 1, mset}, ratioAtLeast(1), none},
		{"GET p1 1000 clients", loop{manyClients, 1, get}, ratioAtLeast(1), none},
		{"SET p1 1000 clients", loop{manyClients, 1, set}, ratioAtLeast(1), none},
	} {
		if !b.wants("throughput/" + strings.ToLower(strings.ReplaceAll(cell.name, " ", "-"))) {
			continue
		}
		n, err := cell.loop.calibrate(on, slice)
		if err != nil {
			b.report.fail(cell.name, err)
			continue
		}
		figures := []figure{
			{"throughput", "op/s", cell.rate},
			{"p50", "ms", none},
			{"p99", "ms", none},
			{"server CPU per op", "µs", cell.cpu},
		}
		b.alternate(cell.name, on, b.pairs(11, 3), figures, func(s *server) ([]float64, error) {
			r, err := cell.loop.run(s, n)
			return []float64{r.rate, r.p50, r.p99, r.cpuMicros}, err
		})
	}
	return nil
}
