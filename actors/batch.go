package actors

import (
	"math/bits"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
	"github.com/troupe-db/troupe/scripting"
)

// A Batch is what one read of a connection held: commands in order, and their replies.
//
// It is a message that travels: it runs on the shard of its first command as far as consecutive commands stay there,
// then hops to the shard of the next, and so on, so that the commands of a connection take effect in their order
// whatever shards they touch. Where a command needs several shards the batch is their coordinator: it borrows them in
// ascending order, runs the command, and gives them back. At any time exactly one goroutine owns a batch; ownership
// goes with the message. A session has one batch under way at most.
//
// While it runs on the goroutine that read the bytes, its arguments alias the read buffer. detach copies them before
// the batch is queued or moves to another goroutine.
type Batch struct {
	sess *Session
	sys  *System
	reqs []request
	argv [][]byte
	pos  int              // the request that is next
	keys []command.KeyRef // scratch
	w    resp.Writer
	ctx  command.Ctx

	lane   lane
	own    bool   // runs on a goroutine that may be kept for long
	want   uint64 // shards still to borrow
	held   uint64 // shards borrowed
	nowNs  int64  // the clock when the last command ended
	narrow bool   // not to be run over several shards at once, see wide.go
	copied bool   // args alias store
	fresh  bool   // w holds replies that were not handed out yet
	big    bool   // args alias a large query buffer
	handed bool   // some replies were handed out early
	store  []byte
	owned  uint64 // shards that the request which runs may touch, for its script
	script *scripting.Call
	host   *scriptHost  // kept for the next script
	quiet  bool         // the error that the request replies was counted already
	wait   command.Wait // what the request that just ran blocks on,
	blocks bool         // if it does
	told   bool         // the request replies by push messages, which CLIENT REPLY does not silence
	parked func()       // set when the batch must wait: called once it has let go of everything, with the batch
	work   func()       // set by a handler that has begun work which ends later, see await.go
	mark   int          // of the request that waits for its work: where its reply starts,
	errs   int          // and how many errors there were before it

	state atomic.Int32
}

// request is one command of a batch.
type request struct {
	spec   *command.Spec   // nil when the name is unknown
	err    string          // reply when the command cannot be run at all
	lo, hi int32           // its words in argv
	call   *scripting.Call // what a script request runs, once it was resolved
	key    int32           // index of the first key among the words, 0 when its hash is not known
	to     route
	local  bool // touches only the session: may run while shards are held
	shard  int32
	shards uint64
	hash   uint64
}

// route says where a request runs.
type route uint8

const (
	toSession route = iota // on no shard
	toShard                // on one shard
	toHold                 // on several shards, all held at once
	toLater                // on shards that are known when it is reached: see resolve
)

type lane uint8

const (
	laneRun lane = iota
	laneHold
)

// States of a batch, as the goroutine that reads the connection sees it.
const (
	inline   int32 = iota // under way; the reader is still inside Feed
	left                  // under way elsewhere; the reader has returned and must be woken
	done                  // finished; belongs to the reader
	orphaned              // under way elsewhere, and there is no reader any more: who finishes it cleans up
)

var batchPool = sync.Pool{New: func() any { return new(Batch) }}

// keptBytes bounds what a pooled batch keeps: larger buffers are left to the garbage collector.
const keptBytes = 64 << 10

func (sys *System) newBatch(s *Session) *Batch {
	b := batchPool.Get().(*Batch)
	b.sess, b.sys = s, sys
	b.ctx.Bind(sys.table, sys.keyspaces)
	b.ctx.Client, b.ctx.Reply = s, &b.w
	b.ctx.Rand = sys.rand
	b.ctx.Journal = sys.journal
	b.ctx.Walker, b.ctx.Blocker = b, b
	b.w.Proto = s.proto
	return b
}

// recycle gives an idle batch back. Nothing may refer to it or its output afterwards.
func (b *Batch) recycle() {
	b.clear()
	clear(b.argv[:cap(b.argv)]) // read buffers that requests pointed to must not be kept
	b.sess, b.ctx.Client = nil, nil
	if cap(b.w.Buf) > keptBytes {
		b.w.Buf = nil
	}
	if cap(b.argv) > keptBytes/24 {
		b.argv = nil
	}
	b.w.Buf = b.w.Buf[:0]
	batchPool.Put(b)
}

// clear forgets the requests, not the replies.
func (b *Batch) clear() {
	if b.big {
		b.big = false
		clear(b.argv[:cap(b.argv)])
	}
	if cap(b.store) > keptBytes {
		b.store = nil
	}
	if cap(b.keys) > keptBytes/16 {
		b.keys = nil
	}
	b.reqs, b.argv = b.reqs[:0], b.argv[:0]
	b.pos, b.copied, b.own, b.narrow = 0, false, false, false
}

// detach makes the arguments of the requests that are still to run independent of the read buffer.
func (b *Batch) detach() {
	if b.copied || b.pos == len(b.reqs) {
		return
	}
	b.copied = true
	args := b.argv[b.reqs[b.pos].lo:]
	n := 0
	for _, a := range args {
		n += len(a)
	}
	if cap(b.store) < n {
		b.store = make([]byte, 0, n)
	}
	b.store = b.store[:0]
	for i, a := range args {
		at := len(b.store)
		b.store = append(b.store, a...)
		args[i] = b.store[at:len(b.store):len(b.store)]
	}
}

// add appends the command whose words are argv[lo:] and decides where it runs.
func (b *Batch) add(lo int) {
	args := b.argv[lo:]
	q := request{lo: int32(lo), hi: int32(len(b.argv))}
	q.spec, q.err = b.sys.table.Resolve(args)
	if q.err == "" && q.spec.Flags&command.Protected != 0 {
		q.err = b.sess.refuseProtected(q.spec)
	}
	if q.err == "" {
		b.route(&q, args)
	}
	b.reqs = append(b.reqs, q)
}

func (b *Batch) route(q *request, args [][]byte) {
	n := len(b.sys.shards)
	scope := q.spec.Scope
	if q.spec.ScopeFunc != nil {
		scope = q.spec.ScopeFunc(args)
	}
	switch scope {
	case command.ScopeAllShards:
		b.hold(q, b.sys.allShards)
		return
	case command.ScopeLocal:
		q.local = true
		return
	case command.ScopeServer:
		return
	case command.ScopeLater:
		q.to = toLater
		return
	}
	if i := q.spec.OneKey; i > 0 && i < len(args) {
		q.key, q.hash = int32(i), keyspace.MakeKey(args[i]).H
		q.to, q.shard = toShard, int32(command.ShardOf(q.hash, n))
		return
	}
	var mask uint64
	b.keys = q.spec.AppendKeys(b.keys[:0], args)
	for _, k := range b.keys {
		mask |= 1 << command.ShardOf(keyspace.MakeKey(args[k.Index]).H, n)
	}
	if mask != 0 {
		b.hold(q, mask)
		return
	}
	// A keyed command whose words do not hold a key answers an error: any shard will do.
	q.to, q.shard = toShard, 0
}

// hold routes q to the shards of mask.
func (b *Batch) hold(q *request, mask uint64) {
	if mask&(mask-1) == 0 {
		q.to, q.shard = toShard, int32(bits.TrailingZeros64(mask))
		return
	}
	q.to, q.shards = toHold, mask
}

// runner is the top of a goroutine's stack while it drives batches: what it still has to do with nothing held.
type runner struct {
	own   bool // not an event loop: long work is welcome
	ready []*Batch
	stage stage // of the shards that the batch which is driven has borrowed
}

func (r *runner) push(b *Batch) { r.ready = append(r.ready, b) }

// loop drives batches until all of them are done or elsewhere.
func (r *runner) loop() {
	for len(r.ready) > 0 {
		b := r.ready[len(r.ready)-1]
		r.ready[len(r.ready)-1] = nil
		r.ready = r.ready[:len(r.ready)-1]
		b.drive(r)
	}
}

// drive takes the batch as far as it goes on this goroutine. When it returns, the batch is done, or belongs to
// somebody else. REQUIRES: the caller owns b and holds nothing.
func (b *Batch) drive(r *runner) {
	for {
		if park := b.parked; park != nil {
			b.parked = nil
			b.detach()
			b.handOut()
			park() // the batch now belongs to whatever it waits for
			return
		}
		if b.pos == len(b.reqs) {
			// From the swap on the batch may be taken by the reader, who may be awake for another reason.
			s := b.sess
			switch b.state.Swap(done) {
			case left:
				s.transport.Wake()
			case orphaned:
				s.release()
			}
			return
		}
		b.own = b.own || r.own
		q := &b.reqs[b.pos]
		if q.to == toLater && !b.queues(q) {
			b.resolve(q)
		}
		if late := b.sys.overdue.Load(); late != 0 && late&b.busyNeeds(q) != 0 {
			b.refuseBusy()
			continue
		}
		switch b.place(q) {
		case toShard:
			if b.wide(q) && b.borrowAll(r) {
				if !b.runWide(r) {
					return
				}
				continue
			}
			if !b.sys.shards[q.shard].mailbox.post(r, b) {
				return
			}
		case toHold:
			if b.held == 0 {
				b.want = q.shards
			}
			if !b.borrow(r) {
				return
			}
			if !b.own && b.heavy(q) {
				b.leave(func(own *runner) bool { return b.runHeld(own) })
				return
			}
			if !b.runHeld(r) {
				return
			}
		default:
			if !b.own && !b.queues(q) && b.heavy(q) {
				b.leave(func(*runner) bool { return true })
				return
			}
			if !b.runSession(&r.stage) {
				return
			}
		}
	}
}

// replyPiece is the size of the pieces of a long reply.
const replyPiece = 128 << 10

// handOut gives the replies so far to the session: what comes next waits, perhaps for long, and they need not.
func (b *Batch) handOut() {
	if len(b.w.Buf) == 0 {
		return
	}
	out := b.w.Buf
	b.w.Buf = nil
	b.handOutAll(out)
}

// handOutAll gives pieces of the output, which are the session's from now on, to it in their order. A reply of many
// megabytes goes this way: to put it together in one slice would take the runtime tens of milliseconds, in which event
// loops stand still too. REQUIRES: w is empty.
func (b *Batch) handOutAll(pieces ...[]byte) {
	s := b.sess
	s.early.Lock()
	for _, p := range pieces {
		s.early.out = append(s.early.out, p)
		s.early.bytes += len(p)
	}
	s.early.Unlock()
	b.mark, b.handed = 0, true
	s.transport.Wake()
}

// leave carries on with the batch on a goroutine of its own: first is run there, then the rest is driven, if the batch
// still belongs to it.
func (b *Batch) leave(first func(own *runner) bool) {
	b.detach()
	b.own = true
	go func() {
		own := runner{own: true}
		if first(&own) {
			own.push(b)
		}
		own.loop()
	}()
}

// borrow takes the wanted shards in ascending order. It tells whether all are held; if not, the batch waits in the
// queue of the next one and comes back through a runner when that was lent.
func (b *Batch) borrow(r *runner) bool {
	for b.want != 0 {
		i := bits.TrailingZeros64(b.want)
		m := b.sys.shards[i].mailbox
		b.want &^= 1 << i
		b.held |= 1 << i
		if m.tryLend() {
			continue
		}
		b.lane = laneHold
		if !m.post(r, b) {
			return false
		}
	}
	b.lane = laneRun
	return true
}

// giveBack ends the loan of every held shard, and only then runs what was queued on them.
func (b *Batch) giveBack(r *runner) {
	held := b.held
	b.held = 0
	b.sys.giveBack(r, held)
}

// giveBack ends the loan of the shards, for a borrower that may have gone on elsewhere.
func (sys *System) giveBack(r *runner, held uint64) {
	for m := held; m != 0; m &= m - 1 {
		sh := sys.shards[bits.TrailingZeros64(m)]
		sh.publish()
		sh.mailbox.unlend()
	}
	r.stage.drain(r)
	for m := held; m != 0; m &= m - 1 {
		sys.shards[bits.TrailingZeros64(m)].mailbox.settle(r)
	}
}

// enterHeld shows the held shards the instant of the commands that follow.
func (b *Batch) enterHeld(st *stage) {
	for m := b.held; m != 0; m &= m - 1 {
		b.sys.shards[bits.TrailingZeros64(m)].enter(b, st)
	}
}

// runHeld runs the next request over the shards that are held, and gives them back. It tells whether the batch still
// belongs to the caller.
func (b *Batch) runHeld(r *runner) bool {
	sys, held := b.sys, b.held
	b.begin()
	b.enterHeld(&r.stage)
	if sys.crossWaits(held) && b.widen(&b.reqs[b.pos], held) {
		b.giveBack(r)
		return true
	}
	b.held = 0
	stays := b.exec(sys.serverStats, &r.stage, held)
	sys.giveBack(r, held)
	return stays
}

// crossWaits tells whether there are clients that wait on one of these shards and need others. REQUIRES: they are held.
func (sys *System) crossWaits(held uint64) bool {
	for m := held; m != 0; m &= m - 1 {
		if sys.shards[bits.TrailingZeros64(m)].ks.HasCrossWaits() {
			return true
		}
	}
	return false
}

// runSession runs the next requests as long as they need no shard. It tells whether the batch still belongs to the caller.
func (b *Batch) runSession(st *stage) bool {
	b.begin()
	b.sess.shown.activeMs.Store(b.ctx.NowMs) // CLIENT LIST and INFO are about to show it
	for {
		if !b.exec(b.sys.serverStats, st, 0) {
			return false
		}
		if b.pos == len(b.reqs) || b.parked != nil {
			return true
		}
		q := &b.reqs[b.pos]
		if b.place(q) != toSession {
			return true
		}
		// What is next may be on a shard, at whose keys nobody may look from here.
		if !b.own && !b.queues(q) && b.heavy(q) {
			return true
		}
	}
}

// begin reads the clock and the configuration for the requests that follow.
func (b *Batch) begin() {
	b.ctx.Settings = b.sys.settings.Load()
	b.setTime(b.sys.clock.now())
}

// heavy tells whether the request would keep an event loop too long. REQUIRES: its shards are owned.
func (b *Batch) heavy(q *request) bool {
	s := q.spec
	if s == nil || s.Heavy == nil && s.HeavyWords == 0 {
		return false
	}
	if s.HeavyWords != 0 && int(q.hi-q.lo) >= s.HeavyWords && q.err == "" {
		return true
	}
	return s.Heavy != nil && q.err == "" && b.askHeavy(q)
}

func (b *Batch) askHeavy(q *request) (yes bool) {
	defer func() {
		if p := recover(); p != nil {
			b.logPanic(q, p)
			yes = false
		}
	}()
	b.prepare(q)
	return q.spec.Heavy(&b.ctx)
}

func (b *Batch) prepare(q *request) {
	b.ctx.DBIndex, b.script = b.sess.db, q.call
	b.ctx.Begin(q.spec, b.argv[q.lo:q.hi:q.hi], int(q.key), q.hash)
}

// exec runs the next request and then serves the clients that wait for what it has made ready; cs counts it, st is where
// keys that become ready are noted, and held are the shards that are owned. It tells whether the batch still belongs to
// the caller, who otherwise may not touch it any more. REQUIRES: the shards of the request are owned.
func (b *Batch) exec(cs *cmdStats, st *stage, held uint64) (stays bool) {
	q := &b.reqs[b.pos]
	mark, errs := len(b.w.Buf), b.w.Errs
	rejected := false
	if b.sess.killed.Load() {
		b.pos = len(b.reqs)
		return true
	}
	if q.err != "" || b.sess.gated() {
		if text := b.sess.refuse(b, q); text != "" {
			b.w.Error(b.sess.refused(q, text))
			rejected = true
		}
	}
	if !rejected {
		if b.sys.paused.Load() != 0 && b.pauses(q) {
			b.parked = b.sys.park(b)
			return true
		}
		if b.queues(q) {
			b.enqueue(q, mark)
			return true
		}
		b.prepare(q)
		b.owned = held
		if b.own {
			b.w.Pieces(replyPiece)
		} else {
			b.w.Pieces(0) // what an event loop does itself is small
		}
		b.call(q, mark)
		if n := b.ctx.DirtyCount(); n != 0 {
			cs.dirty.Add(int64(n))
		}
		if b.work != nil {
			b.parked, b.work = b.work, nil
			b.mark, b.errs = mark, errs
			return true
		}
		if !st.ready.Empty() {
			st.serveReady(held)
		}
		if b.blocks {
			b.sleep()
			return false
		}
	}
	b.conclude(q, cs, mark, errs, rejected)
	return true
}

// conclude enters a request that has run, or was refused, into the statistics and goes on to the next. mark is where
// its reply starts and errs how many errors there were before it.
func (b *Batch) conclude(q *request, st *cmdStats, mark, errs int, rejected bool) {
	b.pos++
	if b.sess.mute(b, q) {
		b.w.Rewind(mark)
	}
	if len(b.w.Full) > 0 {
		pieces := append(b.w.Full, b.w.Buf)
		b.w.Full, b.w.Buf = nil, nil
		b.handOutAll(pieces...)
	}
	end := b.sys.clock.now()
	if q.spec != nil {
		st.count(q.spec.ID, end-b.nowNs, b.w.Errs != errs, rejected)
	}
	if b.w.Errs != errs && !b.quiet {
		b.sys.errors.count(b.w.LastErr)
	}
	b.quiet, b.told = false, false
	if b.sess.pushes.pending.Load() {
		b.takePushes() // also what the command itself has published
	}
	b.setTime(end)
}

func (b *Batch) setTime(ns int64) {
	b.nowNs = ns
	b.ctx.NowUs = ns / 1e3
	b.ctx.NowMs = ns / 1e6
}

// call runs the handler. A panic in it answers the client an error; the shard goes on.
func (b *Batch) call(q *request, mark int) {
	defer b.caught(q, mark)
	q.spec.Run(&b.ctx)
	b.ctx.Finish()
}

// caught, deferred, turns a panic of the request into an error reply.
func (b *Batch) caught(q *request, mark int) {
	if p := recover(); p != nil {
		b.logPanic(q, p)
		b.work, b.blocks = nil, false
		b.w.Rewind(mark)
		b.w.Error(msgPanic)
	}
}

const msgPanic = "ERR internal error: the command failed and was logged by the server"

func (b *Batch) logPanic(q *request, p any) {
	b.sys.log.Error("command panicked", "command", q.spec.FullName, "panic", p, "stack", string(debug.Stack()))
}

// cutShort drops the requests behind the one that runs.
func (b *Batch) cutShort() {
	b.reqs = b.reqs[:b.pos+1]
}
