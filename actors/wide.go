package actors

import "math/bits"

// A pipeline usually goes to all shards in turn. While it could hop from one to the next for every command, it is
// cheaper, when all of them are idle, to borrow those it needs at once, run it, and give them back: one exchange per
// shard instead of one per command, and lookups whose waits for memory overlap. It is done only where no other event
// loop is kept waiting: with one loop. A shard that is busy makes the batch hop as ever.

// wideMin is how many requests make it worth while.
const wideMin = 4

// wide tells whether to try for the requests from the next one on, and notes the shards they need.
func (b *Batch) wide(q *request) bool {
	if len(b.reqs)-b.pos < wideMin || b.sys.loops.Load() > 1 || b.narrow {
		return false
	}
	mask := uint64(0)
	for i := b.pos; i < len(b.reqs); i++ {
		switch q := &b.reqs[i]; q.to {
		case toShard:
			mask |= 1 << q.shard
		case toHold:
			mask |= q.shards
		}
	}
	b.want = mask
	return mask&(mask-1) != 0
}

// borrowAll takes every wanted shard if all of them are idle.
func (b *Batch) borrowAll(r *runner) bool {
	for m := b.want; m != 0; m &= m - 1 {
		i := bits.TrailingZeros64(m)
		if !b.sys.shards[i].mailbox.tryLend() {
			b.narrow = true // for this batch: somebody else is at work
			b.giveBack(r)
			return false
		}
		b.held |= 1 << i
	}
	b.want = 0
	return true
}

// runWide runs requests while the held shards suffice, and gives the shards back. It tells whether the batch still belongs
// to the caller.
func (b *Batch) runWide(r *runner) bool {
	sys, st, held := b.sys, &r.stage, b.held
	b.begin()
	b.enterHeld(st)
	b.held = 0
	defer sys.giveBack(r, held)
	cross := sys.crossWaits(held)
	warmed := b.pos
	for b.pos < len(b.reqs) && b.parked == nil {
		if b.pos >= warmed {
			warmed = b.warm(held)
		}
		q := &b.reqs[b.pos]
		if cross && b.widen(q, held) {
			break
		}
		if b.heavy(q) {
			b.narrow = true // also on a goroutine of its own: long work must not hold more shards than it needs
			break
		}
		switch q.to {
		case toShard:
			s := sys.shards[q.shard]
			s.ks.NowMs = b.ctx.NowMs
			if !b.exec(s.stats, st, held) {
				return false
			}
			continue
		case toHold:
			for m := q.shards; m != 0; m &= m - 1 {
				sys.shards[bits.TrailingZeros64(m)].ks.NowMs = b.ctx.NowMs
			}
			if !b.exec(sys.serverStats, st, held) {
				return false
			}
			continue
		}
		if q.spec != nil && !q.local {
			break
		}
		if !b.exec(sys.serverStats, st, held) {
			return false
		}
		for m := held; m != 0; m &= m - 1 {
			sys.shards[bits.TrailingZeros64(m)].ks.NoTouch = b.sess.noTouch // it may have been CLIENT NO-TOUCH
		}
	}
	return true
}

// warmAhead is how many requests are announced to the processor at a time: enough for their waits to overlap, few
// enough for what was fetched to be there still when its turn comes.
const warmAhead = 32

// warm announces the keys of the next requests on the held shards, and returns the index of the first that it did not
// look at. REQUIRES: the shards are owned.
func (b *Batch) warm(held uint64) int {
	end := min(b.pos+warmAhead, len(b.reqs))
	if end-b.pos < 2 {
		return end
	}
	// A pipeline for one key, a queue say, needs it announced once.
	last := uint64(0)
	distinct := 0
	for i := b.pos; i < end; i++ {
		if q := &b.reqs[i]; q.to == toShard && q.key > 0 && held>>q.shard&1 != 0 && q.hash != last {
			b.sys.shards[q.shard].ks.DB(b.sess.db).WarmSlot(q.hash)
			last = q.hash
			distinct++
		}
	}
	if distinct < 2 {
		return end
	}
	for i := b.pos; i < end; i++ {
		if q := &b.reqs[i]; q.to == toShard && q.key > 0 && held>>q.shard&1 != 0 {
			b.sys.shards[q.shard].ks.DB(b.sess.db).WarmRecord(q.hash)
		}
	}
	return end
}
