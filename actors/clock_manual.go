package actors

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ManualClock is a Clock that stands still until Advance is called, so that tests decide when keys expire. Its methods
// may be called from any goroutine.
type ManualClock struct {
	nowNs atomic.Int64

	mu     sync.Mutex
	timers []*manualTimer // by time, those of the same time in the order in which they were made
}

type manualTimer struct {
	clock *ManualClock
	atNs  int64
	f     func()
}

// NewManualClock returns a clock that shows start.
func NewManualClock(start time.Time) *ManualClock {
	c := new(ManualClock)
	c.nowNs.Store(start.UnixNano())
	return c
}

// Now implements Clock.
func (c *ManualClock) Now() time.Time { return time.Unix(0, c.nowNs.Load()) }

// AfterFunc implements Clock. Functions that are due at once run on a goroutine of their own, others inside Advance.
func (c *ManualClock) AfterFunc(d time.Duration, f func()) Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &manualTimer{clock: c, atNs: c.nowNs.Load() + int64(d), f: f}
	if d <= 0 {
		go f()
		return t
	}
	i := len(c.timers)
	for i > 0 && c.timers[i-1].atNs > t.atNs {
		i--
	}
	c.timers = slices.Insert(c.timers, i, t)
	return t
}

// Stop implements Timer.
func (t *manualTimer) Stop() bool {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.timers, t)
	if i < 0 {
		return false
	}
	c.timers = slices.Delete(c.timers, i, i+1)
	return true
}

// Advance lets d pass. The timers that come due meanwhile, those set by timers included, fire in their order, each at
// its time; Advance returns when their functions have. What these have started elsewhere, such as the removal of
// expired keys, may still be under way then; but every command sent after Advance sees the new time.
func (c *ManualClock) Advance(d time.Duration) {
	until := c.nowNs.Load() + int64(d)
	for {
		c.mu.Lock()
		if len(c.timers) == 0 || c.timers[0].atNs > until {
			c.nowNs.Store(until)
			c.mu.Unlock()
			return
		}
		t := c.timers[0]
		c.timers = slices.Delete(c.timers, 0, 1)
		c.nowNs.Store(max(t.atNs, c.nowNs.Load()))
		c.mu.Unlock()
		t.f()
	}
}
