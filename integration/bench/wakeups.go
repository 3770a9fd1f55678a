package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Waiting clients, and how often one of them is woken: seldom enough that all of them wait again by then.
const (
	waiters  = 50
	wakeRate = 1000
)

// wakeups measures how long after a push was sent the client that waited for it has it.
func wakeups(b *bench) error {
	on, err := b.start()
	if err != nil {
		return err
	}
	defer on.stop()
	for _, cell := range []struct {
		name, flag string
		key        func(i int) string
	}{
		{"BLPOP, each on its key", "own", func(i int) string { return "wait:" + strconv.Itoa(i%waiters) }},
		{"BLPOP, all on one key", "same", func(int) string { return "wait:all" }},
	} {
		if !b.wants("wakeups/" + cell.flag) {
			continue
		}
		figures := []figure{
			{"p50", "ms", target{}},
			{"p99", "ms", ratioAtMost(1.2)},
			{"server CPU per push", "µs", target{}},
		}
		during := pick(b, 2*time.Second, 500*time.Millisecond)
		b.alternate(cell.name, on, b.pairs(7, 3), figures, func(s *server) ([]float64, error) {
			return measureWakeups(s, cell.key, during)
		})
	}
	return nil
}

// waiter is a client that pops one element after the other.
type waiter struct {
	c       *client
	request []byte
	waits   []time.Duration
	err     error
}

// measureWakeups pushes at the rate for a while; client i waits at key(i), and so does push i.
func measureWakeups(s *server, key func(i int) string, during time.Duration) ([]float64, error) {
	start := time.Now() // elements are times since then
	all := make([]*waiter, waiters)
	ended := make(chan *waiter, waiters)
	for i := range all {
		c, err := dial(s.addr)
		if err != nil {
			return nil, err
		}
		defer c.close()
		all[i] = &waiter{c: c, request: appendCommand(nil, "BLPOP", key(i), "0")}
	}
	for _, w := range all {
		go func() {
			w.err = w.pop(start)
			ended <- w
		}()
	}
	if err := s.awaitBlocked(waiters); err != nil {
		return nil, err
	}
	before, err := s.cpu()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(context.Background(), during)
	defer stop()
	pushes, err := openLoop(ctx, s.addr, wakeRate, 1, func(i int, b []byte) []byte {
		return appendCommand(b, "RPUSH", key(i), strconv.FormatInt(int64(time.Since(start)), 10))
	})
	if err != nil {
		return nil, err
	}
	after, err := s.cpu()
	if err != nil {
		return nil, err
	}
	if err := s.awaitBlocked(waiters); err != nil {
		return nil, err
	}
	// All wait again, so every element has been popped; the last goes to each of them.
	var waits []time.Duration
	if err := s.fill(waiters, func(i int, b []byte) []byte { return appendCommand(b, "RPUSH", key(i), lastElement) }); err != nil {
		return nil, err
	}
	for range all {
		w := <-ended
		if w.err != nil {
			return nil, w.err
		}
		waits = append(waits, w.waits...)
	}
	if len(waits) != len(pushes) {
		return nil, fmt.Errorf("%d elements were pushed and %d popped", len(pushes), len(waits))
	}
	slices.Sort(waits)
	return []float64{
		percentile(waits, 50), percentile(waits, 99),
		float64(after-before) / float64(time.Microsecond) / float64(len(pushes)),
	}, nil
}

// lastElement tells a waiter to end.
const lastElement = "-1"

// pop waits for elements until the last.
func (w *waiter) pop(start time.Time) error {
	for {
		if err := w.c.send(w.request); err != nil {
			return err
		}
		var line []byte
		for range 5 { // *2, and for the key and the element the length and the text
			var err error
			if line, err = w.c.line(); err != nil {
				return err
			}
			if line[0] == '-' && string(line) != lastElement {
				return replyError(line[1:])
			}
		}
		received := time.Since(start)
		if string(line) == lastElement {
			return nil
		}
		sent, err := strconv.ParseInt(string(line), 10, 64)
		if err != nil {
			return fmt.Errorf("popped %q: %w", line, err)
		}
		w.waits = append(w.waits, received-time.Duration(sent))
	}
}

// awaitBlocked waits until so many clients are blocked.
func (s *server) awaitBlocked(n int) error {
	for deadline := time.Now().Add(replyTimeout); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		got, err := s.info("clients", "blocked_clients")
		if err != nil {
			return err
		}
		if got == strconv.Itoa(n) {
			return nil
		}
	}
	return fmt.Errorf("%d clients should be blocked", n)
}
