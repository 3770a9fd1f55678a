package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// pollEvery is how often the number of keys is read, and with it the resolution of the lags.
const pollEvery = 2 * time.Millisecond

// giveUpAfter is how long after the last deadline the last key may go.
const giveUpAfter = 25 * time.Second

// expiry loads keys with deadlines spread over half a minute and measures how late they go, without any client touching
// them. All that is observed is DBSIZE: with the deadlines sorted, the ith key to go is compared with the ith deadline. For
// a server that expires in the order of deadlines that is each key's lag; for one that does not, the average is right and
// the tail is flattered.
func expiry(b *bench) error {
	keys, span := pick(b, 1_000_000, 100_000), pick(b, 29*time.Second, 4*time.Second)
	name := fmt.Sprintf("%d keys expire over %v", keys, span)
	b.progress(name)
	runs := make([][][]float64, len(b.sides))
	// One server after the other: each run is timed by the clock and would disturb the other.
	for range max(b.runs, 1) {
		for k, s := range b.sides {
			values, err := expiryRun(s, b.dir, keys, span)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			runs[k] = append(runs[k], values)
		}
	}
	b.add(name, []figure{
		{"lag p50", "ms", target{}},
		{"lag p99", "ms", valueAtMost(10)},
		{"lag highest", "ms", target{}},
		{"server CPU per key", "µs", ratioAtMost(1)},
	}, runs)
	return nil
}

func expiryRun(side side, dir string, keys int, span time.Duration) ([]float64, error) {
	s, err := startServer(side, dir)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	// The first deadline is a second after the slowest load that is plausible; a slower one is an error, not a figure.
	first := time.Now().Add(time.Second + time.Duration(keys)*8*time.Microsecond)
	deadlines := make([]int64, keys)
	for i := range deadlines {
		deadlines[i] = first.UnixMilli() + int64(scatter(i))%span.Milliseconds()
	}
	err = s.fill(keys, func(i int, b []byte) []byte {
		return appendCommand(b, "SET", keyName(i), "v", "PXAT", strconv.FormatInt(deadlines[i], 10))
	})
	if err != nil {
		return nil, err
	}
	if late := time.Since(first); late > 0 {
		return nil, fmt.Errorf("the load took %v too long for its deadlines", late)
	}
	slices.Sort(deadlines)
	time.Sleep(time.Until(first))

	c, err := dial(s.addr)
	if err != nil {
		return nil, err
	}
	defer c.close()
	before, err := s.cpu()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	lags, err := watchExpiry(c, deadlines, first.Add(span+giveUpAfter))
	if err != nil {
		return nil, err
	}
	after, err := s.cpu()
	if err != nil {
		return nil, err
	}
	idle, err := pollingCost(s, c)
	if err != nil {
		return nil, err
	}
	cost := max(float64(after-before)-idle*float64(time.Since(started)), 0)
	slices.Sort(lags)
	return []float64{
		percentile(lags, 50), percentile(lags, 99), percentile(lags, 100),
		cost / float64(time.Microsecond) / float64(keys),
	}, nil
}

// watchExpiry polls until all keys are gone and returns a lag per key.
func watchExpiry(c *client, deadlines []int64, until time.Time) ([]time.Duration, error) {
	var lags []time.Duration
	for time.Now().Before(until) {
		left, err := c.integer("DBSIZE")
		if err != nil {
			return nil, err
		}
		if lags, err = appendLags(lags, deadlines, left, time.Now()); err != nil {
			return nil, err
		}
		if left == 0 {
			return lags, nil
		}
		time.Sleep(pollEvery)
	}
	return nil, fmt.Errorf("%d of %d keys were still there %v after the last deadline", len(deadlines)-len(lags), len(deadlines), giveUpAfter)
}

// appendLags adds the lags of the keys that went since the last look; left are still there at now. The deadlines are
// sorted, in milliseconds.
func appendLags(lags []time.Duration, deadlines []int64, left int, now time.Time) ([]time.Duration, error) {
	for len(lags) < len(deadlines)-left {
		lag := now.Sub(time.UnixMilli(deadlines[len(lags)]))
		if lag < 0 {
			return nil, fmt.Errorf("a key went %v before its deadline", -lag)
		}
		lags = append(lags, lag)
	}
	return lags, nil
}

// pollingCost returns the processor time per time that the server takes for being polled when it has nothing else to do.
func pollingCost(s *server, c *client) (float64, error) {
	before, err := s.cpu()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	for time.Since(start) < time.Second {
		if _, err := c.integer("DBSIZE"); err != nil {
			return 0, err
		}
		time.Sleep(pollEvery)
	}
	after, err := s.cpu()
	return float64(after-before) / float64(time.Since(start)), err
}
