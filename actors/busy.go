package actors

import (
	"math/bits"

	"github.com/troupe-db/troupe/scripting"
)

// Scripts that take long. When a script has run for busy-reply-threshold, commands that need a shard which it holds are
// answered BUSY, those that wait already and those that come; all others go on as ever. SCRIPT KILL and FUNCTION KILL end it.
// sys.overdue is the set of the shards that such scripts hold.

// busyScript watches one script.
type busyScript struct {
	sys   *System
	run   *scripting.Run
	held  uint64
	timer Timer
	late  bool // it has put its shards into the set; under sys.busyMu, as all that follows
	ended bool
}

// watchScript begins to watch a script that has just begun; nil when no threshold is set.
func (sys *System) watchScript(r *scripting.Run, held uint64) *busyScript {
	ms := sys.cfg.Load().BusyReplyThresholdMs
	if ms <= 0 {
		return nil
	}
	w := &busyScript{sys: sys, run: r, held: held}
	w.timer = sys.clock.afterMs(ms, w.overdue)
	return w
}

// overdue is called when the script has run for too long.
func (w *busyScript) overdue() {
	sys := w.sys
	sys.busyMu.Lock()
	if w.ended {
		sys.busyMu.Unlock()
		return
	}
	w.late = true
	if w.run.Function {
		sys.busyFunction.Store(true)
	}
	sys.overdue.Or(w.held)
	sys.busyMu.Unlock()
	sys.log.Warn("slow script detected: still in execution", "script", w.run.Name,
		"ms", sys.cfg.Load().BusyReplyThresholdMs)
	// A batch that is queued later than this looks at the set after that: see mailbox.post.
	for m := w.held; m != 0; m &= m - 1 {
		sys.refuseQueued(sys.shards[bits.TrailingZeros64(m)])
	}
}

// end is called by the script's goroutine, which still holds the shards, when it has ended.
func (w *busyScript) end() {
	w.timer.Stop()
	sys := w.sys
	sys.busyMu.Lock()
	defer sys.busyMu.Unlock()
	w.ended = true
	if w.late {
		sys.overdue.And(^w.held) // nobody else holds these
		if w.run.Function {
			sys.busyFunction.Store(false)
		}
	}
}

// What clients are answered.
const (
	msgBusyScript   = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
	msgBusyFunction = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
)

func (sys *System) busyText() string {
	if sys.busyFunction.Load() {
		return msgBusyFunction
	}
	return msgBusyScript
}

// refuseBusy answers BUSY to the request that is next. REQUIRES: the caller owns b and holds nothing.
func (b *Batch) refuseBusy() {
	q := &b.reqs[b.pos]
	mark, errs := len(b.w.Buf), b.w.Errs
	b.w.Error(b.sess.refused(q, b.sys.busyText()))
	b.conclude(q, b.sys.serverStats, mark, errs, true)
}

// refuseQueued answers the batches that are queued on a shard which an overdue script holds.
func (sys *System) refuseQueued(s *shard) {
	for _, b := range s.mailbox.takeBatches() {
		go func() {
			own := runner{own: true}
			if b.lane == laneHold {
				b.held &^= 1 << s.id // it was promised this one only
				b.lane, b.want = laneRun, 0
				b.giveBack(&own)
			}
			b.refuseBusy()
			own.push(b)
			own.loop()
		}()
	}
}
