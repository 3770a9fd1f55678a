package actors

import (
	"sync/atomic"
	"time"
)

// Clock is the source of time of a server. Tests give one that they advance by hand.
type Clock interface {
	// Now returns the current time.
	Now() time.Time
	// AfterFunc calls f on a goroutine of its own once d has passed, unless stopped before.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a pending call of AfterFunc.
type Timer interface {
	// Stop prevents the call; it tells whether it came in time.
	Stop() bool
}

// systemClock is the clock of the operating system. It reads the monotonic clock, which costs half of what reading the
// wall clock too does, and adds the offset between the two, which the cron refreshes.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }

// ticker reads a Clock as nanoseconds since 1970.
type ticker struct {
	clock Clock
	base  atomic.Pointer[clockBase] // nil for clocks other than the system's
}

type clockBase struct {
	at   time.Time // with its monotonic reading
	unix int64
}

func newTicker(c Clock) *ticker {
	t := &ticker{clock: c}
	t.sync()
	return t
}

// sync follows steps and slews of the wall clock. Called about once a second.
func (t *ticker) sync() {
	if _, ok := t.clock.(systemClock); ok {
		now := time.Now()
		t.base.Store(&clockBase{at: now, unix: now.UnixNano()})
	}
}

// maxTimerMs is some hundred years: longer than any timer is waited for, and short enough that a time.Duration holds
// it, and that the sum of it and any time of today still counts in nanoseconds.
const maxTimerMs = 100 * 366 * 24 * 3600 * 1000

// afterMs calls f on a goroutine of its own when ms milliseconds have passed, at once if that is not positive.
func (t *ticker) afterMs(ms int64, f func()) Timer {
	return t.clock.AfterFunc(time.Duration(min(max(ms, 0), maxTimerMs))*time.Millisecond, f)
}

// now returns the time in nanoseconds since 1970.
func (t *ticker) now() int64 {
	if b := t.base.Load(); b != nil {
		return b.unix + int64(time.Since(b.at))
	}
	return t.clock.Now().UnixNano()
}
