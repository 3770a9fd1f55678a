package actors

import (
	"math/bits"
	"strings"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// Transactions. Between MULTI and EXEC the requests of a session are not run but copied into its txn, wherever its batch
// is. EXEC is routed when it is reached: to the shards that the queued requests need and those of the watched keys, all held
// at once, so that the watches are looked at in the same hold in which the queue runs. A transaction whose keys lie on one
// shard is like any command of that shard.

// txn is what a session has queued, and the keys that it watches. It exists from the first MULTI or WATCH on.
type txn struct {
	open    bool      // after MULTI
	aborted bool      // a request could not be queued: EXEC runs nothing
	queue   []request // their words are in argv
	argv    [][]byte
	store   []byte // what is left of the memory that the words are copied to
	bytes   int64  // of the words
	watches []*keyspace.Watch
}

// txnChunk is how much memory for words is taken at a time.
const txnChunk = 4 << 10

// add copies a request into the queue.
func (t *txn) add(q *request, args [][]byte) {
	n := *q
	n.lo = int32(len(t.argv))
	for _, a := range args {
		t.argv = append(t.argv, t.keep(a))
		t.bytes += int64(len(a))
	}
	n.hi = int32(len(t.argv))
	t.queue = append(t.queue, n)
}

func (t *txn) keep(a []byte) []byte {
	if cap(t.store)-len(t.store) < len(a) {
		t.store = make([]byte, 0, max(txnChunk, len(a)))
	}
	at := len(t.store)
	t.store = append(t.store, a...)
	return t.store[at:len(t.store):len(t.store)]
}

// close forgets what was queued.
func (t *txn) close() {
	clear(t.argv)
	t.queue, t.argv = t.queue[:0], t.argv[:0]
	if cap(t.queue) > maxBatch {
		t.queue, t.argv = nil, nil
	}
	t.store = t.store[:0]
	if cap(t.store) > txnChunk {
		t.store = nil
	}
	t.open, t.aborted, t.bytes = false, false, 0
}

// changed tells whether a watched key has changed. REQUIRES: the shards of the watches are owned.
func (t *txn) changed() bool {
	for _, w := range t.watches {
		if w.Changed() {
			return true
		}
	}
	return false
}

// inMulti tells whether the session is between MULTI and EXEC.
func (s *Session) inMulti() bool { return s.txn != nil && s.txn.open }

// queues tells whether the request is to be queued instead of run.
func (b *Batch) queues(q *request) bool {
	return b.sess.inMulti() && (q.spec == nil || q.spec.Flags&command.NotQueued == 0)
}

// place tells where the request goes: what is queued, to no shard.
func (b *Batch) place(q *request) route {
	if b.queues(q) {
		return toSession
	}
	return q.to
}

// enqueue puts the request into the queue of the transaction.
func (b *Batch) enqueue(q *request, mark int) {
	text := ""
	if q.spec.Has(command.NoMulti) {
		text = "ERR Command not allowed inside a transaction"
	} else if b.sys.overdue.Load()&q.needs() != 0 {
		text = b.sys.busyText()
	}
	if text != "" {
		b.sess.txn.aborted = true
		b.w.Error(text)
		b.sys.errors.count(text)
		b.sys.serverStats.count(q.spec.ID, 0, true, true)
	} else {
		if t := b.sess.txn; !t.aborted && b.sess.shown.flags.Load()&flagDirtyCAS == 0 { // otherwise it will not be run
			t.add(q, b.argv[q.lo:q.hi])
			b.sess.showTxn()
		}
		b.w.Simple("QUEUED")
	}
	if b.sess.mute(b, q) {
		b.w.Rewind(mark)
	}
	b.pos++
}

// refused deals with a transaction of which a request was refused with an error, and returns the error to reply.
func (s *Session) refused(q *request, text string) string {
	exec := q.spec != nil && q.spec.Name == "exec"
	if s.inMulti() {
		s.txn.aborted = true
		if exec {
			s.discard()
		}
	}
	if exec {
		return "EXECABORT Transaction discarded because of: " + strings.TrimPrefix(text, "ERR ")
	}
	return text
}

// discard ends the transaction without running it. REQUIRES: nothing is held.
func (s *Session) discard() {
	s.txn.close()
	s.unwatch()
	s.showTxn()
}

// unwatch ends all watches. REQUIRES: nothing is held.
func (s *Session) unwatch() {
	if s.txn == nil || len(s.txn.watches) == 0 {
		return
	}
	all := s.txn.watches
	s.txn.watches = nil
	s.shown.flags.And(^flagDirtyCAS)
	for mask := watchShards(all); mask != 0; mask &= mask - 1 {
		i := bits.TrailingZeros64(mask)
		s.sys.post(s.sys.shards[i], func() {
			for _, w := range all {
				if w.Shard().ID() == i {
					w.End()
				}
			}
		})
	}
	s.showTxn()
}

// watchChanged makes CLIENT LIST show that a watched key has changed. Any shard may call it.
func (s *Session) watchChanged() { s.shown.flags.Or(flagDirtyCAS) }

// watchShards returns the shards of the watches.
func watchShards(all []*keyspace.Watch) (mask uint64) {
	for _, w := range all {
		mask |= 1 << w.Shard().ID()
	}
	return mask
}

// showTxn publishes what CLIENT LIST shows of the transaction.
func (s *Session) showTxn() {
	n := int32(-1)
	if s.txn.open {
		n = int32(len(s.txn.queue))
	}
	s.shown.multi.Store(n)
	s.shown.watch.Store(int32(len(s.txn.watches)))
	s.shown.multiBytes.Store(s.txn.bytes)
}

// beginTxn opens a transaction.
func (s *Session) beginTxn() {
	if s.txn == nil {
		s.txn = new(txn)
	}
	s.txn.open = true
	s.showTxn()
}

// composite tells whether the request runs other commands, so that its own flags do not tell what it changes.
func (q *request) composite() bool { return q.spec.Flags&command.Composite != 0 }

// eachKey calls fn for every key of the request, and of those that it consists of, with its shard.
func (b *Batch) eachKey(q *request, fn func(key []byte, shard int)) {
	n := len(b.sys.shards)
	one := func(spec *command.Spec, args [][]byte) {
		b.keys = spec.AppendKeys(b.keys[:0], args)
		for _, k := range b.keys {
			fn(args[k.Index], command.ShardOf(keyspace.MakeKey(args[k.Index]).H, n))
		}
	}
	if q.spec.Name == "exec" && b.sess.txn != nil {
		t := b.sess.txn
		for i := range t.queue {
			one(t.queue[i].spec, t.argv[t.queue[i].lo:t.queue[i].hi])
		}
		return
	}
	one(q.spec, b.argv[q.lo:q.hi])
}

// resolve decides where a request runs of which that is known only now that all before it have run.
func (b *Batch) resolve(q *request) {
	q.to = toSession
	var mask uint64
	switch t := b.sess.txn; {
	case q.isScript():
		mask = b.resolveScript(q, b.argv[q.lo:q.hi])
	case b.sess.inMulti() && !t.aborted: // EXEC
		mask = watchShards(t.watches) | b.resolveQueue(t)
	}
	if mask != 0 {
		b.hold(q, mask)
	}
}

// resolveQueue returns the shards that the queue of a transaction needs.
func (b *Batch) resolveQueue(t *txn) (mask uint64) {
	loads := false
	for i := range t.queue {
		q := &t.queue[i]
		mask |= q.needs()
		switch {
		case q.isScript():
			mask |= b.resolveScript(q, t.argv[q.lo:q.hi])
			if q.call.Err != "" && loads {
				// The script may exist by the time it is run, and nobody knows what it needs.
				q.call = nil
				mask = b.sys.allShards
			}
		case q.spec.Group == command.GroupScripting:
			loads = true
		}
	}
	return mask
}

// busyNeeds returns the shards for which the request is refused while an overdue script holds one of them. EXEC of a
// transaction that is aborted already needs none to say so, and yet says, as Redis does, that the server is busy.
func (b *Batch) busyNeeds(q *request) uint64 {
	if q.spec != nil && q.spec.Name == "exec" && b.sess.inMulti() && b.sess.txn.aborted {
		return b.resolveQueue(b.sess.txn)
	}
	return q.needs()
}

// needs returns the shards that the request was routed to.
func (q *request) needs() uint64 {
	switch q.to {
	case toShard:
		return 1 << q.shard
	case toHold:
		return q.shards
	}
	return 0
}

// MULTI begins a transaction.
var multiSpec = command.Spec{
	Name: "multi", Group: command.GroupTransactions, Since: "1.2.0", Arity: 1,
	Summary:    "Begins a transaction: what follows is queued until EXEC.",
	Complexity: "O(1)",
	Flags: command.NoScript | command.Loading | command.Stale | command.Fast | command.AllowBusy |
		command.NotQueued,
	Scope: command.ScopeServer,
	Run: func(c *command.Ctx) {
		s := session(c)
		if s.inMulti() {
			c.Reply.Error("ERR MULTI calls can not be nested")
			return
		}
		s.beginTxn()
		c.Reply.OK()
	},
}

// EXEC runs what was queued, all at one instant, unless a watched key has changed.
var execSpec = command.Spec{
	Name: "exec", Group: command.GroupTransactions, Since: "1.2.0", Arity: 1,
	Summary:    "Runs the commands of a transaction.",
	Complexity: "Depends on the commands",
	Flags: command.NoScript | command.Loading | command.Stale | command.SkipSlowlog | command.NotQueued |
		command.Composite,
	Scope: command.ScopeLater,
	Heavy: execHeavy,
	Run:   execCommand,
}

// heavyTxn is the number of queued commands that is too many for an event loop.
const heavyTxn = 1024

func execHeavy(c *command.Ctx) (heavy bool) {
	s := session(c)
	if !s.inMulti() {
		return false
	}
	t, spec, args := s.txn, c.Spec, c.Args
	if len(t.queue) > heavyTxn {
		return true
	}
	for i := range t.queue {
		q := &t.queue[i]
		if q.spec.HeavyWords != 0 && int(q.hi-q.lo) >= q.spec.HeavyWords {
			return true
		}
		if q.spec.Heavy != nil {
			s.batch.script = q.call
			c.Begin(q.spec, t.argv[q.lo:q.hi:q.hi], int(q.key), q.hash)
			if heavy = q.spec.Heavy(c); heavy {
				break
			}
		}
	}
	c.Begin(spec, args, 0, 0)
	return heavy
}

func execCommand(c *command.Ctx) {
	s := session(c)
	if !s.inMulti() {
		c.Reply.Error("ERR EXEC without MULTI")
		return
	}
	t, b := s.txn, s.batch
	if t.aborted {
		// Nothing is held: resolve has seen it.
		s.discard()
		c.Reply.Error("EXECABORT Transaction discarded because of previous errors.")
		return
	}
	changed := t.changed()
	for _, w := range t.watches {
		w.End()
	}
	t.watches = t.watches[:0]
	s.shown.flags.And(^flagDirtyCAS)
	if changed {
		c.Reply.NullArray()
	} else {
		b.runTxn(t)
	}
	t.close()
	s.showTxn()
	c.Propagate() // the commands have said what there is to say
}

// runTxn runs the queue of a transaction. REQUIRES: all its shards are owned.
func (b *Batch) runTxn(t *txn) {
	c := &b.ctx
	spec, args := c.Spec, c.Args
	changes, before := 0, b.w.Errs
	c.InMulti = true
	if c.Journal != nil {
		c.Journal.BeginEntry()
	}
	b.w.Array(len(t.queue))
	startNs := b.nowNs
	b.sess.shown.last.Store(spec) // CLIENT LIST may be in the queue, and it shows EXEC
	for i := range t.queue {
		q := &t.queue[i]
		mark, errs := len(b.w.Buf), b.w.Errs
		c.DBIndex, b.script = b.sess.db, q.call
		c.Begin(q.spec, t.argv[q.lo:q.hi:q.hi], int(q.key), q.hash)
		b.call(q, mark)
		changes += c.DirtyCount()
		end := b.sys.clock.now()
		b.sys.serverStats.count(q.spec.ID, end-startNs, b.w.Errs != errs, false)
		startNs = end
		if b.w.Errs != errs && !b.quiet {
			b.sys.errors.count(b.w.LastErr)
		}
		b.quiet = false
	}
	if c.Journal != nil {
		c.Journal.EndEntry()
	}
	c.InMulti = false
	b.sess.shown.last.Store(b.reqs[len(b.reqs)-1].spec) // what was read last, which may be behind EXEC
	b.w.Errs = before                                   // they were counted for the commands that failed; EXEC has not
	c.Begin(spec, args, 0, 0)
	c.Dirty(changes)
}

// DISCARD ends a transaction without running it.
var discardSpec = command.Spec{
	Name: "discard", Group: command.GroupTransactions, Since: "2.0.0", Arity: 1,
	Summary:    "Drops the commands of a transaction.",
	Complexity: "O(N) for N queued commands",
	Flags: command.NoScript | command.Loading | command.Stale | command.Fast | command.AllowBusy |
		command.NotQueued,
	Scope: command.ScopeServer,
	Run: func(c *command.Ctx) {
		s := session(c)
		if !s.inMulti() {
			c.Reply.Error("ERR DISCARD without MULTI")
			return
		}
		s.discard()
		c.Reply.OK()
	},
}

// WATCH makes the next EXEC run only if the keys have not changed by then.
var watchSpec = command.Spec{
	Name: "watch", Group: command.GroupTransactions, Since: "2.2.0", Arity: -2,
	Summary:    "Watches keys: the transaction is run only if none of them has changed.",
	Complexity: "O(1) for every key",
	Flags: command.NoScript | command.Loading | command.Stale | command.Fast | command.AllowBusy |
		command.NotQueued,
	Keys:   command.KeySpecs{command.Range(1, -1, 1).Flags(command.RO)},
	Syntax: "key...",
	Run:    watchCommand,
}

func watchCommand(c *command.Ctx) {
	s := session(c)
	if s.inMulti() {
		c.Reply.Error("ERR WATCH inside MULTI is not allowed")
		return
	}
	if s.txn == nil {
		s.txn = new(txn)
	}
	t := s.txn
next:
	for i := 1; i < len(c.Args); i++ {
		k := c.Key(i)
		db := c.DB(k)
		for _, w := range t.watches {
			if w.Is(db, k.B) {
				continue next
			}
		}
		t.watches = append(t.watches, db.Watch(k, s.watchChanged))
	}
	s.showTxn()
	c.Reply.OK()
}

// UNWATCH forgets the watched keys.
var unwatchSpec = command.Spec{
	Name: "unwatch", Group: command.GroupTransactions, Since: "2.2.0", Arity: 1,
	Summary:    "Forgets the watched keys.",
	Complexity: "O(1)",
	Flags:      command.NoScript | command.Loading | command.Stale | command.Fast | command.AllowBusy,
	Scope:      command.ScopeServer,
	Run: func(c *command.Ctx) {
		session(c).unwatch() // within EXEC there is nothing left to forget, and so nothing held that it could meet
		c.Reply.OK()
	},
}
