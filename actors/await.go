package actors

import "github.com/troupe-db/troupe/datatypes/command"

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

// sharedWalk is a walk under way: the keys of all shards or the elements of one large value as they were at one instant.
// Its parts go on one after the other, a slice at a time, between the commands of their shards.
type sharedWalk struct {
	b     *Batch
	walk  command.Walk
	parts []command.WalkPart // each belongs to the owner of its shard until it has ended

	// Of whoever is at work on the walk: one goroutine at a time.
	failed bool
	given  bool // a part of the reply was handed out
}

// AwaitWalk implements command.Walker: the batch waits for the end of the walk.
func (b *Batch) AwaitWalk(walk command.Walk) {
	w := &sharedWalk{b: b, walk: walk, parts: walk.Parts()}
	b.await(func() { w.from(0) })
}

// from goes on with part i, after what is queued on its shard.
//
// One part is walked after the other: all at once would keep every processor busy, and event loops waiting for one
// (with 4 shards on 2 processors, GETs beside KEYS over a million keys took up to 60 ms instead of 18).
func (w *sharedWalk) from(i int) {
	s := w.b.sys.shards[w.parts[i].Shard()]
	w.b.sys.postOwn(s, func() { w.step(s, i) })
}

// step is one slice of part i. It runs on s.
func (w *sharedWalk) step(s *shard, i int) {
	part := w.parts[i]
	over := true
	defer func() {
		if over {
			s.active.Store(true) // compaction has waited for the end of the walk, and the shard may be idle otherwise
		}
		switch {
		case !over:
			w.from(i)
		case i+1 < len(w.parts):
			w.from(i + 1)
		default:
			w.b.ended(w.finish)
		}
	}()
	defer func() {
		if p := recover(); p != nil {
			w.failed = true
			part.End()
			panic(p) // for the log
		}
	}()
	if w.b.abandoned() || w.failed {
		part.End()
		return
	}
	over = !part.Step()
	w.handOut()
}

// handOut gives the session what there is of the reply.
func (w *sharedWalk) handOut() {
	pieces := w.walk.Take()
	if s := w.b.sess; len(pieces) == 0 || s.replyOff || s.skipThis {
		return
	}
	w.given = true
	w.b.handOutAll(pieces...)
}

func (w *sharedWalk) finish() {
	switch {
	case w.b.abandoned(): // nobody is to see it
	case !w.failed:
		w.b.w.Pieces(replyPiece)
		w.walk.Finish(&w.b.w, stepAside)
	case w.given:
		w.b.sess.Kill() // in the middle of a reply there is no place for an error
	default:
		w.b.w.Error(msgPanic)
	}
}
