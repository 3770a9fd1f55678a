package actors

import (
	"github.com/troupe-db/troupe/datatypes/command"
)

// CLIENT PAUSE holds back commands of all clients until a time. A batch that meets the pause lets go of its shard and
// waits in a list; nothing of it is lost or overtaken, since its session reads on only when it is done.

type pauseKind int32

const (
	pauseNone pauseKind = iota
	pauseWrites
	pauseAll
)

type pauseList struct {
	untilMs int64
	timer   Timer
	waiting []*Batch
}

// pauses tells whether the pause that is on holds the request back.
func (b *Batch) pauses(q *request) bool {
	if q.spec == nil || q.err != "" {
		return false
	}
	if pauseKind(b.sys.paused.Load()) == pauseAll {
		return q.spec.FullName != "client|unpause" && q.spec.FullName != "client|pause"
	}
	if q.spec.Name == "exec" && b.sess.inMulti() {
		t := b.sess.txn
		for i := range t.queue {
			if b.writes(&t.queue[i], t.argv[t.queue[i].lo:t.queue[i].hi]) {
				return true
			}
		}
		return false
	}
	return b.writes(q, b.argv[q.lo:q.hi])
}

// writes tells whether the request may change keys or have other effects to propagate.
func (b *Batch) writes(q *request, args [][]byte) bool {
	if q.isScript() {
		call := q.call
		if call == nil {
			call = b.sys.scripts.Prepare(q.spec, args)
		}
		if call.Err == "" && call.ReadOnly {
			return false
		}
	}
	return q.spec.Flags&(command.Write|command.MayReplicate) != 0
}

// park returns what makes b wait for the end of the pause.
func (sys *System) park(b *Batch) func() {
	return func() {
		sys.pauseMu.Lock()
		waits := sys.paused.Load() != 0 // the pause may just have ended
		if waits {
			sys.pause.waiting = append(sys.pause.waiting, b)
			b.sess.shown.flags.Or(flagBlocked)
		}
		transport := b.sess.transport
		sys.pauseMu.Unlock() // from here on the batch may belong to whoever ends the pause
		if waits {
			transport.Wake() // it may wait for the session, which was busy until now
		} else {
			go b.carryOn()
		}
	}
}

// blockedClients counts those that wait.
func (sys *System) blockedClients() int {
	sys.pauseMu.Lock()
	defer sys.pauseMu.Unlock()
	return len(sys.pause.waiting) + int(sys.blocked.Load())
}

// carryOn drives a batch that was parked.
func (b *Batch) carryOn() {
	r := runner{own: true}
	r.push(b)
	r.loop()
}

// startPause begins or extends a pause. As in Redis, a pause is never shortened or weakened by a second one.
func (sys *System) startPause(kind pauseKind, untilMs int64) {
	sys.pauseMu.Lock()
	defer sys.pauseMu.Unlock()
	if pauseKind(sys.paused.Load()) < kind {
		sys.paused.Store(int32(kind))
	}
	if untilMs <= sys.pause.untilMs {
		return
	}
	sys.pause.untilMs = untilMs
	if sys.pause.timer != nil {
		sys.pause.timer.Stop()
	}
	sys.pause.timer = sys.clock.afterMs(untilMs-sys.clock.now()/1e6, func() { sys.endPause(untilMs) })
}

// endPause lets the waiting batches go on. untilMs is the pause that has run out, 0 to end any.
func (sys *System) endPause(untilMs int64) {
	sys.pauseMu.Lock()
	if untilMs != 0 && untilMs != sys.pause.untilMs {
		sys.pauseMu.Unlock()
		return
	}
	if sys.pause.timer != nil {
		sys.pause.timer.Stop()
	}
	waiting := sys.pause.waiting
	sys.pause = pauseList{}
	sys.paused.Store(int32(pauseNone))
	sys.pauseMu.Unlock()
	sys.expiry.wake() // keys have not expired meanwhile
	for _, b := range waiting {
		b.sess.shown.flags.And(^flagBlocked)
		if b.sess.gone.Load() {
			b.pos = len(b.reqs) // as in Redis, what waits for the end of a pause goes with its client
		}
		go b.carryOn()
	}
}
