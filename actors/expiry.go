package actors

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// expiry is the actor that wakes shards when a deadline of theirs has come, and, ten times a second, those that were
// active for their upkeep. It never looks into a shard: it posts tasks.
type expiry struct {
	sys    *System
	pid    *actor.PID
	armed  atomic.Int64 // when the timer is to fire, unix milliseconds; lets shards see that they need not bother it
	off    atomic.Bool  // DEBUG SET-ACTIVE-EXPIRE 0
	firing atomic.Bool  // the actor is waking shards and will set the timer afterwards

	// Owned by the actor.
	timer   Timer
	firedMs int64
}

type (
	armMsg        struct{}
	fireMsg       struct{}
	cronMsg       struct{}
	resetRatesMsg struct{}
	stopMsg       struct{}
)

const (
	// expireStepMs is the least time between two rounds: deadlines that fall together are worked off together. A key
	// is gone within about this time after its deadline.
	expireStepMs = 6
	cronEvery    = 100 * time.Millisecond
)

// arm makes sure that the shards are woken when atMs has come. Any goroutine.
func (x *expiry) arm(atMs int64) {
	for {
		was := x.armed.Load()
		if atMs >= was {
			return
		}
		if x.armed.CompareAndSwap(was, atMs) {
			// While the actor goes round the shards it looks at armed when it is through: it clears firing first, so
			// either it sees this deadline or we see that it is through.
			if !x.firing.Load() {
				x.sys.actors.Root.Send(x.pid, armMsg{})
			}
			return
		}
	}
}

// wake makes every shard look for keys past their deadline, and tell its next deadline. Any goroutine.
func (x *expiry) wake() { x.sys.actors.Root.Send(x.pid, fireMsg{}) }

// holds tells whether keys past their deadline are to stay where they are.
func (x *expiry) holds() bool { return x.off.Load() || x.sys.paused.Load() != 0 }

// Receive implements actor.Actor.
func (x *expiry) Receive(c actor.Context) {
	switch c.Message().(type) {
	case armMsg:
		x.rearm()
	case fireMsg:
		x.firedMs = x.sys.clock.now() / 1e6
		// From here on a shard that sees a deadline arms anew; those below report theirs again when they have run.
		x.armed.Store(math.MaxInt64)
		x.firing.Store(true)
		for _, s := range x.sys.shards {
			x.sys.post(s, s.expire)
		}
		x.firing.Store(false)
		x.rearm()
	case cronMsg:
		x.sys.cron()
	case resetRatesMsg:
		t := &x.sys.cronTick
		t.ops.reset()
		t.in.reset()
		t.out.reset()
	case stopMsg:
		if x.timer != nil {
			x.timer.Stop()
		}
		c.Stop(c.Self())
	}
}

// rearm sets the timer to the earliest deadline. Messages of several shards may come in another order than they were
// sent, so the deadline is not in them.
func (x *expiry) rearm() {
	if x.timer != nil {
		x.timer.Stop()
		x.timer = nil
	}
	if armed := x.armed.Load(); armed != math.MaxInt64 {
		x.setTimer(max(armed, x.firedMs+expireStepMs))
	}
}

// setTimer makes the shards be woken at atMs.
func (x *expiry) setTimer(atMs int64) {
	for {
		now := x.sys.clock.now() / 1e6
		x.timer = x.sys.clock.afterMs(atMs-now, x.wake)
		// Timers take a duration. One that was computed before a clock is moved by hand, and set after, is late by that.
		if x.sys.clock.now()/1e6 == now || !x.timer.Stop() {
			return
		}
	}
}
