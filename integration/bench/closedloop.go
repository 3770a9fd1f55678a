package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const redisBenchmark = "redis-benchmark"

// loop is a closed loop: clients that each keep pipeline requests under way.
type loop struct {
	clients, pipeline int
	command           []string
}

// loopResult is what one run of a loop came to. Latencies are in milliseconds as redis-benchmark sees them.
type loopResult struct {
	rate, p50, p99 float64
	cpuMicros      float64 // the server's processor time per request
}

// loopFigures are the figures of a closed loop, in the order of loopResult.figures.
func loopFigures(rate, cpu target) []figure {
	return []figure{
		{"throughput", "op/s", rate},
		{"p50", "ms", target{}},
		{"p99", "ms", target{}},
		{"server CPU per op", "µs", cpu},
	}
}

func (r loopResult) figures() []float64 { return []float64{r.rate, r.p50, r.p99, r.cpuMicros} }

const loopTimeout = 60 * time.Second

// run sends n requests with redis-benchmark, over benchKeys keys.
func (l loop) run(s *server, n int) (loopResult, error) {
	args := []string{"-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "--csv", "-n", strconv.Itoa(n),
		"-c", strconv.Itoa(l.clients), "-P", strconv.Itoa(l.pipeline), "-r", strconv.Itoa(benchKeys)}
	ctx, cancel := context.WithTimeout(context.Background(), loopTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, redisBenchmark, append(args, l.command...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	before, err := s.cpu()
	if err != nil {
		return loopResult{}, err
	}
	out, err := cmd.Output()
	if err != nil {
		return loopResult{}, fmt.Errorf("%s: %w %s", redisBenchmark, err, &said)
	}
	after, err := s.cpu()
	if err != nil {
		return loopResult{}, err
	}
	r, err := parseLoop(string(out))
	r.cpuMicros = float64(after-before) / float64(time.Microsecond) / float64(n)
	return r, err
}

// parseLoop reads the last line of redis-benchmark --csv: test, rate, then average, lowest, p50, p95, p99 and highest
// latency.
func parseLoop(out string) (loopResult, error) {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	fields, err := csv.NewReader(strings.NewReader(lines[len(lines)-1])).Read()
	if err != nil || len(fields) != 8 {
		return loopResult{}, fmt.Errorf("%s printed %q", redisBenchmark, out)
	}
	var numbers [8]float64
	for _, i := range []int{1, 4, 6} {
		if numbers[i], err = strconv.ParseFloat(fields[i], 64); err != nil {
			return loopResult{}, fmt.Errorf("%s printed %q", redisBenchmark, out)
		}
	}
	if numbers[1] <= 0 {
		return loopResult{}, errors.New("no request was answered")
	}
	return loopResult{rate: numbers[1], p50: numbers[4], p99: numbers[6]}, nil
}

// calibrate warms every server up and returns how many requests take the last of them about as long as duration.
func (l loop) calibrate(on servers, duration time.Duration) (int, error) {
	step := l.clients * l.pipeline
	n := max(4000, 4*step)
	var rate float64
	for _, s := range on {
		r, err := l.run(s, n)
		if err != nil {
			return 0, err
		}
		rate = r.rate
	}
	return max(2, int(math.Ceil(rate*duration.Seconds()/float64(step)))) * step, nil
}
