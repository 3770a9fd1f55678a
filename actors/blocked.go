package actors

import (
	"math/bits"
	"sync/atomic"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/datatypes/invariants"
	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// Blocking commands.
//
// A command that has to wait gives its batch away: the batch belongs to a waiter, which stands in the queues of its keys
// (keyspace/blocked.go), and costs no goroutine. All that is done while the shards of the keys are still owned, so that
// nothing can come in between: who makes one of the keys ready afterwards finds the waiter there.
//
// Whoever runs a shard serves the waiters of the keys that became ready after each whole command, EXEC or script, before
// anything else runs on the shard, and drives their batches on once it holds nothing any more. Serving is running the
// command again. A waiter that stands in queues of several shards may be found by several goroutines at once, and by its
// timeout or CLIENT UNBLOCK: its state is the claim that one of them wins.
//
// Serving BLMOVE takes the shard of its destination too. To take it once the source is ready would mean to wait for a
// shard with another one held, against the order that keeps holds from deadlocks. Therefore it is taken before: a shard
// knows of which of its keys there are waiters that need other shards (keyspace.Shard.CrossWaits), and a command with such a
// key takes those shards as well before it runs, see widen.

// stage is what a goroutine collects while it owns shards: the keys that have become ready, and the batches whose wait has
// ended, which are driven once the shards were let go.
type stage struct {
	ready keyspace.ReadyKeys
	woken []*Batch
}

// States of a waiter. Flags are added while it is claimed, by those who came too late, for the one who has it to see.
const (
	waiting    uint32 = iota
	claimed           // somebody runs its command, or it is only about to wait
	over              // it waits no more
	stateBits  = uint32(3)
	again      = uint32(1 << 2) // a key of it became ready meanwhile
	reasonBits = uint32(3 << 3) // see endReason
)

// endReason is why a wait ends unserved.
type endReason uint32

const (
	endTimeout   endReason = iota + 1
	endUnblocked           // CLIENT UNBLOCK ERROR
	endGone                // the connection is closed
)

const msgUnblocked = "UNBLOCKED client unblocked via CLIENT UNBLOCK"

// waiter is a client that waits in a blocking command.
type waiter struct {
	b      *Batch // belongs to who has claimed the waiter
	wait   command.Wait
	places []place
	timer  Timer
	state  atomic.Uint32
}

// place is where a waiter stands. It belongs to the shard.
type place struct {
	keyspace.Wait
	shard *shard
	key   keyspace.Key
}

// Over implements keyspace.Waiter.
func (w *waiter) Over() bool { return w.state.Load()&stateBits == over }

// Block implements command.Blocker: the batch gives itself away when the handler has returned, see sleep.
func (b *Batch) Block(w command.Wait) { b.wait, b.blocks = w, true }

// sleep makes the batch wait for what its request blocks on. The batch belongs to nobody in particular afterwards.
// REQUIRES: the shards of the keys are owned, and stay so until the call has returned.
func (b *Batch) sleep() {
	b.blocks = false
	b.detach()
	b.handOut()
	b.mark = len(b.w.Buf)
	q := &b.reqs[b.pos]
	w := &waiter{b: b, wait: b.wait}
	w.state.Store(claimed)
	w.enqueue(b.argv[q.lo:q.hi])
	s := b.sess
	s.waiter.Store(w)
	s.shown.flags.Or(flagBlocked)
	b.sys.blocked.Add(1)
	if ms := b.wait.TimeoutMs; ms > 0 {
		b.sys.timeouts.Add(1)
		w.timer = b.sys.clock.afterMs(ms, func() { w.end(endTimeout) })
	}
	if s.gone.Load() || s.killed.Load() { // whoever has closed it may not have seen the waiter
		w.flag(uint32(endGone) << 3)
	}
	s.transport.Wake() // it may wait for the session, which was busy until now
	w.rest()
}

// enqueue gives the waiter its places, one for each key.
func (w *waiter) enqueue(args [][]byte) {
	sys, db := w.b.sys, w.b.sess.db
	needs := uint64(0)
	if i := w.wait.Needs; i != 0 {
		needs = 1 << command.ShardOf(keyspace.MakeKey(args[i]).H, len(sys.shards))
	}
	if w.wait.First == 0 {
		return
	}
	step := max(w.wait.Step, 1)
	w.places = make([]place, 0, (w.wait.Last-w.wait.First)/step+1) // never grown: places are linked into queues
	for i := w.wait.First; i <= w.wait.Last; i += step {
		k := keyspace.MakeKey(args[i])
		if w.stands(k) {
			continue
		}
		s := sys.shards[command.ShardOf(k.H, len(sys.shards))]
		w.places = append(w.places, place{
			Wait:  keyspace.Wait{Client: w, Type: w.wait.Type, Gone: w.wait.Gone},
			shard: s, key: k,
		})
		s.ks.DB(db).Enqueue(k.B, &w.places[len(w.places)-1].Wait, needs)
	}
}

// stands tells whether the waiter has a place at the key. A long list of keys is looked through for each of them: their
// number is bounded by what one command holds, and blocking commands name few.
func (w *waiter) stands(k keyspace.Key) bool {
	for i := range w.places {
		if w.places[i].key.H == k.H && string(w.places[i].key.B) == string(k.B) {
			return true
		}
	}
	return false
}

// claim takes the waiter for the caller. Where somebody else has it, flags tell that one what was missed.
func (w *waiter) claim(flags uint32) bool {
	for {
		s := w.state.Load()
		switch s & stateBits {
		case over:
			return false
		case claimed:
			if w.state.CompareAndSwap(s, s|flags) {
				return false
			}
		default:
			// What the last claimant did to the batch happened before its store of waiting, which this reads.
			if w.state.CompareAndSwap(s, claimed) {
				return true
			}
		}
	}
}

// flag adds flags to a waiter that the caller has claimed.
func (w *waiter) flag(flags uint32) { w.state.Or(flags) }

// rest gives up the claim: the waiter waits on, unless it was found while it was claimed.
func (w *waiter) rest() {
	for {
		s := w.state.Load()
		if reason := s & reasonBits; reason != 0 {
			go w.finish(endReason(reason >> 3))
			return
		}
		if !w.state.CompareAndSwap(s, waiting) {
			continue
		}
		if s&again != 0 {
			w.resignal()
		}
		return
	}
}

// resignal makes the shards look at the waiter again.
func (w *waiter) resignal() {
	for i := range w.places {
		p := &w.places[i]
		go p.shard.sys.post(p.shard, p.Signal)
	}
}

// end ends the wait for a reason, if it has not ended. It may be called from anywhere and returns at once.
func (w *waiter) end(reason endReason) bool {
	if !w.claim(uint32(reason) << 3) {
		return w.state.Load()&stateBits != over
	}
	go w.finish(reason)
	return true
}

// finish ends a claimed wait unserved and drives the batch on. REQUIRES: nothing is held.
func (w *waiter) finish(reason endReason) {
	b := w.b
	b.waited(w)
	for i := range w.places {
		p := &w.places[i]
		b.sys.post(p.shard, p.Leave)
	}
	q := &b.reqs[b.pos]
	errs := b.w.Errs
	switch reason {
	case endGone:
		b.pos = len(b.reqs)
	case endUnblocked:
		b.w.Error(msgUnblocked)
	default:
		if w.wait.TimedOut != nil {
			w.wait.TimedOut(&b.w)
		} else {
			b.w.NullArray()
		}
	}
	b.setTime(b.sys.clock.now())
	if reason != endGone {
		b.conclude(q, b.sys.serverStats, b.mark, errs, false)
	}
	b.carryOn()
}

// waited ends the wait of a batch that the caller has claimed.
func (b *Batch) waited(w *waiter) {
	w.state.Store(over)
	if w.timer != nil {
		w.timer.Stop()
		b.sys.timeouts.Add(-1)
	}
	b.ctx.Within = 0
	b.sess.waiter.Store(nil)
	b.sess.shown.flags.And(^flagBlocked)
	b.sys.blocked.Add(-1)
}

// serveReady serves the clients that wait for keys which have become ready, held being the shards that are owned. What it
// serves may make more keys ready.
func (st *stage) serveReady(held uint64) {
	for q := st.ready.Take(); q != nil; q = st.ready.Take() {
		// No more than stand there now: who is served nothing stays.
		n := q.Len()
		for p := q.First(); p != nil && n > 0; n-- {
			next := p.Next()
			if w := p.Client.(*waiter); w.Over() {
				p.Leave()
			} else if q.Serves(p) && w.claim(again) {
				w.serve(st, q, held)
			}
			p = next
		}
	}
}

// serve runs the command of a claimed waiter again.
func (w *waiter) serve(st *stage, rq *keyspace.WaitQueue, held uint64) {
	b := w.b
	if i := w.wait.Needs; i != 0 {
		args := b.argv[b.reqs[b.pos].lo:]
		if to := command.ShardOf(keyspace.MakeKey(args[i]).H, len(b.sys.shards)); held>>to&1 == 0 {
			// The command that made the key ready must have taken the shard, see widen.
			b.sys.log.Error("a waiting client needs a shard that is not held", "client", b.sess.id, "shard", to)
			if invariants.Enabled {
				panic("actors: a waiting client needs a shard that is not held")
			}
			w.rest()
			return
		}
	}
	q := &b.reqs[b.pos]
	errs := b.w.Errs
	b.ctx.Settings = b.sys.settings.Load()
	b.ctx.Within = held
	// As in Redis it is an instant of its own: what made the key ready may have run for so long that the key has expired.
	b.setTime(b.sys.clock.now())
	for m := held; m != 0; m &= m - 1 {
		b.sys.shards[bits.TrailingZeros64(m)].ks.NowMs = b.ctx.NowMs
	}
	b.prepare(q)
	b.w.Pieces(0)
	b.call(q, b.mark)
	stats := rq.DB().Shard().ID()
	if n := b.ctx.DirtyCount(); n != 0 {
		b.sys.shards[stats].stats.dirty.Add(int64(n))
	}
	if b.blocks {
		b.blocks = false
		w.rest()
		return
	}
	b.waited(w)
	for i := range w.places {
		if p := &w.places[i]; held>>p.shard.id&1 != 0 {
			p.Leave()
		} else {
			go p.shard.sys.post(p.shard, p.Leave)
		}
	}
	b.conclude(q, b.sys.shards[stats].stats, b.mark, errs, false)
	b.own = false
	st.woken = append(st.woken, b)
}

// drain hands the batches whose wait has ended to the runner. REQUIRES: the caller is about to hold nothing.
func (st *stage) drain(r *runner) {
	for i, b := range st.woken {
		st.woken[i] = nil
		r.push(b)
	}
	st.woken = st.woken[:0]
}

// widen makes the request take more shards than are held, where clients wait for its keys who need them. It tells whether it
// has: then the request must not run yet.
func (b *Batch) widen(q *request, held uint64) bool {
	if q.spec == nil || held == b.sys.allShards || q.spec.Flags&(command.Write|command.MayReplicate) == 0 && !q.composite() {
		return false
	}
	need := uint64(0)
	b.eachKey(q, func(key []byte, shard int) {
		if held>>shard&1 != 0 {
			need |= b.sys.shards[shard].ks.CrossWaits(key)
		}
	})
	for more := need & held; more != 0; {
		// What is moved to another key may be what somebody waits for there.
		i := bits.TrailingZeros64(more)
		more &^= 1 << i
		also := b.sys.shards[i].ks.AllCrossWaits() &^ need
		need |= also
		more |= also & held
	}
	if need&^held == 0 {
		return false
	}
	if q.to == toShard {
		q.shards = 1 << q.shard
	}
	q.to = toHold
	q.shards |= need
	return true
}
