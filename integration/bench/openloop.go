package main

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// sample is the fate of one request of an open loop.
type sample struct {
	due     time.Time // when it should have been sent
	latency time.Duration
}

// openLoop sends requests at rate per second over some connections until ctx ends, and returns what became of them once
// all replies are there. Neither a slow server nor a slow sender is spared: latency runs from the time a request was due.
func openLoop(ctx context.Context, addr string, rate, connections int, request func(i int, b []byte) []byte) ([]sample, error) {
	lanes := make([]*openLane, connections)
	var reading sync.WaitGroup
	for i := range lanes {
		c, err := dial(addr)
		if err != nil {
			return nil, err
		}
		defer c.close()
		lanes[i] = &openLane{client: c, due: make(chan time.Time, laneDepth)}
	}
	for _, l := range lanes {
		reading.Go(l.read)
	}
	sendErr := sendPaced(ctx, lanes, rate, request)
	var all []sample
	for _, l := range lanes {
		close(l.due)
	}
	reading.Wait()
	for _, l := range lanes {
		all = append(all, l.samples...)
		sendErr = errors.Join(sendErr, l.err)
	}
	return all, sendErr
}

// laneDepth bounds the requests without a reply on one connection: many seconds' worth at the rates that scenarios use.
const laneDepth = 1 << 16

// openLane is one connection of an open loop.
type openLane struct {
	client  *client
	due     chan time.Time // of the requests under way
	samples []sample
	err     error
}

func (l *openLane) read() {
	for due := range l.due {
		if l.err != nil {
			continue // the sender must not block on a lane that has failed
		}
		if l.err = l.client.skip(); l.err == nil {
			l.samples = append(l.samples, sample{due, time.Since(due)})
		}
	}
}

// sendPaced sends until ctx ends. It has a thread to itself, because sleeps of the Go scheduler are rounded up to a
// millisecond.
func sendPaced(ctx context.Context, lanes []*openLane, rate int, request func(i int, b []byte) []byte) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := time.Now()
	var b []byte
	for i := 0; ctx.Err() == nil; i++ {
		due := start.Add(time.Duration(i) * time.Second / time.Duration(rate))
		if wait := time.Until(due); wait > 0 {
			sleepExactly(wait)
		}
		l := lanes[i%len(lanes)]
		b = request(i, b[:0])
		l.due <- due
		if err := l.client.send(b); err != nil {
			return err
		}
	}
	return nil
}
