package deadline

import "github.com/troupe-db/troupe/datatypes/arena"

// compactEnd is the step of Compact after the last bucket.
const compactEnd = levels * slots

// Compact moves the index's memory out of the slabs that the arena wants to empty; call it between BeginCompact and EndCompact, starting from
// position 0 and going on from next until done. It works for about budget chunks per call, but finishes a bucket it has begun. Other calls may come between.
//
// The chains outside the wheel are moved in the last step, at once. A chain that leaves or enters a bucket between two calls is
// not missed: what leaves one goes to those chains, and what enters one is in memory allocated since.
func (x *Index) Compact(from, budget int) (next int, done bool) {
	for pos := from; pos < compactEnd; pos++ {
		level, slot := pos/slots, pos%slots
		if x.used[level][slot/64]&(1<<(slot%64)) == 0 {
			continue
		}
		if budget <= 0 {
			return pos, false
		}
		bucket := word(x.table[level], slot)
		head, n := x.moveChain(arena.Ref(*bucket))
		*bucket = uint64(head)
		budget -= n
	}
	for level, r := range x.table {
		if r != 0 && x.arena.ShouldMove(r) {
			x.table[level] = x.moveBlock(r, slots*8)
		}
	}
	for i := range x.pending {
		x.pending[i].head, _ = x.moveChain(x.pending[i].head)
	}
	s := &x.sweep
	for i := range s.todo {
		s.todo[i].head, _ = x.moveChain(s.todo[i].head)
	}
	s.splitting.head, _ = x.moveChain(s.splitting.head)
	for i := range s.split {
		s.split[i].head, _ = x.moveChain(s.split[i].head)
	}
	return compactEnd, true
}

// moveChain moves the chunks that should move and returns the new head and the length of the chain.
func (x *Index) moveChain(head arena.Ref) (newHead arena.Ref, chunks int) {
	var before arena.Ref
	for r := head; r != 0; chunks++ {
		if x.arena.ShouldMove(r) {
			r = x.moveBlock(r, chunkBytes(headerClass(*word(r, 0))))
			if before == 0 {
				head = r
			} else {
				link := word(before, 0)
				*link = *link&^refMask | uint64(r)
			}
		}
		before = r
		r = headerNext(*word(r, 0))
	}
	return head, chunks
}

func (x *Index) moveBlock(r arena.Ref, size int) arena.Ref {
	to := x.arena.Alloc(size)
	copy(to.Bytes(size), r.Bytes(size))
	x.arena.Free(r)
	return to
}

// Clear drops all entries and gives their memory back to the arena. Its cost is that of one Free per chunk, 255 entries; when the whole arena
// goes, use Arena.Release alone.
func (x *Index) Clear() {
	x.endSweep()
	for {
		level, slot, ok := x.earliest()
		if !ok {
			break
		}
		x.freeChain(x.detach(level, slot))
	}
	for _, c := range x.pending {
		x.freeChain(c.head)
	}
	for level, r := range x.table {
		if r != 0 {
			x.arena.Free(r)
			x.table[level] = 0
		}
	}
	x.pending = nil
	x.sweep = sweep{}
	x.len, x.bytes, x.late = 0, 0, 0
}
