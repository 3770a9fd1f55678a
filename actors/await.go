package actors

import (
	"sync/atomic"

	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// A command whose work would hold shards or a goroutine for long is not done by its handler in one go. The handler
// begins it, appends no reply and calls await. The batch then lets go of its shards and waits, and belongs to the work,
// which has ended call the function that appends the reply. Nothing of the connection overtakes the command, since its
// session reads on only when the batch is done; others go on meanwhile.

// await makes the batch wait for work, which start begins; start is called, on the goroutine that drives the batch,
// once nothing is held any more. The work must call ended exactly once. The arguments of the command do not stay where
// they are until start is called. REQUIRES: called by the handler of the request that runs, which does not reply.
func (b *Batch) await(start func()) { b.work = start }

// ended goes on with a batch whose work is done: reply appends the reply of the command. It may be called from
// anywhere and returns at once.
func (b *Batch) ended(reply func()) { go b.goOn(reply) }

func (b *Batch) goOn(reply func()) {
	q := &b.reqs[b.pos]
	b.replyTo(q, reply)
	b.conclude(q, b.sys.serverStats, b.mark, b.errs, false)
	b.carryOn()
}

func (b *Batch) replyTo(q *request, reply func()) {
	defer b.caught(q, b.mark)
	reply()
}

// abandoned tells whether nobody wants the result of the batch's work any more. Any goroutine.
func (b *Batch) abandoned() bool { return b.sess.gone.Load() || b.sess.killed.Load() }

// A walk looks at the keys of one shard as they were at one instant, some at a time; see keyspace.Cut.
type walk interface {
	// Step looks at about n more keys and tells whether there are more.
	Step(n int) (more bool)
	// End gives the walk up.
	End()
}

// walkSlice is how many keys one message of a walk looks at: some 30 µs, after which the shard serves others.
const walkSlice = 128

// sharedWalk is a walk over all shards. Its parts begin while all shards are held, so that together they see one
// instant, and then go on one after the other, between the commands of their shards.
type sharedWalk struct {
	b      *Batch
	parts  []walk // by shard; each belongs to the owner of its shard until it has ended
	failed atomic.Bool
	reply  func()
}

// awaitWalk makes the batch wait for a walk over every shard. begin makes the part of one shard, and reply appends the
// reply when all have ended. REQUIRES: called by the handler of a command that owns all shards.
func (b *Batch) awaitWalk(begin func(*keyspace.Shard) walk, reply func()) {
	w := &sharedWalk{b: b, reply: reply}
	begun := false
	defer func() {
		for _, part := range w.parts {
			if !begun {
				part.End()
			}
		}
	}()
	for _, ks := range b.sys.keyspaces {
		w.parts = append(w.parts, begin(ks))
	}
	begun = true
	b.await(func() { w.from(b.sys.shards[0]) })
}

// from goes on with the part of s, after what is queued there.
//
// One part is walked after the other: all at once would keep every processor busy, and event loops waiting for one
// (with 4 shards on 2 processors, GETs beside KEYS over a million keys took up to 60 ms instead of 18).
func (w *sharedWalk) from(s *shard) { w.b.sys.postOwn(s, func() { w.step(s) }) }

// step is one slice of the part of s. It runs on s.
func (w *sharedWalk) step(s *shard) {
	part := w.parts[s.id]
	over := true
	defer func() {
		switch next := s.id + 1; {
		case !over:
			w.from(s)
		case next < len(w.parts):
			w.from(s.sys.shards[next])
		default:
			w.b.ended(w.finish)
		}
	}()
	defer func() {
		if p := recover(); p != nil {
			w.failed.Store(true)
			part.End()
			panic(p) // for the log
		}
	}()
	switch {
	case w.b.abandoned() || w.failed.Load():
		part.End()
	case part.Step(walkSlice):
		over = false
	default:
		// Compaction waits for the end of a walk, and the shard may be idle otherwise.
		s.active.Store(true)
	}
}

func (w *sharedWalk) finish() {
	if w.failed.Load() {
		w.b.w.Error(msgPanic)
		return
	}
	w.reply()
}
