package main

import (
	"fmt"
	"os"
	"strings"
)

// scenario is a family of figures that share their preparation.
type scenario struct {
	name, about string
	run         func(*bench) error
}

// scenarios lists all of them, in the order in which they run.
func scenarios() []scenario {
	return []scenario{
		{"throughput", "closed loops of redis-benchmark: rate, latency, processor time", throughput},
		{"multi", "transactions of ten commands, on one shard and on all", transactions},
		{"scripts", "EVALSHA of short scripts", scripts},
		{"wakeups", "from a push to the client that BLPOP kept waiting", wakeups},
		{"memory", "bytes per key, and what comes back after deleting 90 %", memory},
		{"stalls", "GET while another client runs something long", stalls},
		{"expiry", "how late volatile keys go, and what that costs", expiry},
	}
}

// bench is one run of the program.
type bench struct {
	sides  []side // the subject, then the peer if there is one
	quick  bool
	runs   int      // pairs per figure; 0: as many as the scenario finds right
	only   []string // names of scenarios or cells; empty: all
	dir    string
	report *report
}

// wants tells whether a scenario, or a cell "scenario/cell" of it, was asked for.
func (b *bench) wants(name string) bool {
	if len(b.only) == 0 {
		return true
	}
	for _, o := range b.only {
		if o == name || strings.HasPrefix(o, name+"/") || strings.HasPrefix(name, o+"/") {
			return true
		}
	}
	return false
}

// pick returns the full value, or the one for -quick.
func pick[T any](b *bench, full, quick T) T {
	if b.quick {
		return quick
	}
	return full
}

// pairs returns how often to measure each side.
func (b *bench) pairs(full, quick int) int {
	if b.runs > 0 {
		return b.runs
	}
	return pick(b, full, quick)
}

// start starts a server of each side. REQUIRES: the caller stops them.
func (b *bench) start() (servers, error) {
	var all servers
	for _, s := range b.sides {
		srv, err := startServer(s, b.dir)
		if err != nil {
			all.stop()
			return nil, err
		}
		all = append(all, srv)
	}
	return all, nil
}

// alternate measures each server n times in turn and reports the figures: measure returns one value per figure. The
// order within a pair changes from pair to pair, so that what drifts favours nobody.
func (b *bench) alternate(what string, on servers, n int, figures []figure, measure func(*server) ([]float64, error)) {
	b.progress(what)
	runs := make([][][]float64, len(on))
	for i := range n {
		for k := range on {
			if i%2 == 1 {
				k = len(on) - 1 - k
			}
			values, err := measure(on[k])
			if err != nil {
				b.report.fail(what, fmt.Errorf("%s: %w", on[k].side.name, err))
				return
			}
			runs[k] = append(runs[k], values)
		}
	}
	b.add(what, figures, runs)
}

// add reports figures from runs[side][run][figure].
func (b *bench) add(what string, figures []figure, runs [][][]float64) {
	for i, f := range figures {
		column := make([][]float64, 2)
		for k := range runs {
			for _, values := range runs[k] {
				column[k] = append(column[k], values[i])
			}
		}
		f.name = what + ": " + f.name
		b.report.add(compare(f, column[0], column[1]))
	}
}

// progress says on the terminal what is being measured; the table goes to standard output.
func (b *bench) progress(what string) { fmt.Fprintf(os.Stderr, "bench: %s\n", what) }
