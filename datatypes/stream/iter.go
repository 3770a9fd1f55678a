package stream

import (
	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/listpack"
)

// Iter goes over the entries of a range. It does not allocate, and is made to be a local variable:
//
//	for it := s.Range(first, last); it.Next(); {
//		reply(it.ID())
//		for range it.Pairs() {
//			field, value := it.Pair()
//			…
//		}
//	}
//
// The stream may change between two calls of Next: the iterator then goes on behind the entry it has come to. The pairs of that
// entry must not be read any more.
type Iter struct {
	s       *Stream
	lo, hi  ID // the rest of the range
	reverse bool
	done    bool
	version uint32

	c     place // of the block; none before the first one
	lp    []byte
	first ID
	h     header
	off   int // of the entry that comes next in the block, -1 when there is none, or afterCurrent

	cur   entry
	left  int // pairs that Pair has not returned
	name  int // offsets for Pair
	value int

	nameText, valueText [20]byte
}

// afterCurrent says that the next entry is the one behind the current one: finding it means to walk over the pairs, which Pair
// mostly has done by then.
const afterCurrent = -2

// Range goes from lo to hi, both included, in ascending order.
func (s *Stream) Range(lo, hi ID) Iter { return Iter{s: s, lo: lo, hi: hi, done: hi.Less(lo)} }

// RangeReverse goes from hi to lo, both included, in descending order.
func (s *Stream) RangeReverse(lo, hi ID) Iter {
	return Iter{s: s, lo: lo, hi: hi, reverse: true, done: hi.Less(lo)}
}

// Next goes to the next entry; false when there is none.
func (it *Iter) Next() bool {
	if it.done {
		return false
	}
	if it.version != it.s.version || !it.c.ok() {
		it.seek()
	} else if it.off == afterCurrent {
		end := it.value
		if it.left > 0 {
			end = it.cur.end(it.lp)
		}
		it.off = nextEntry(it.lp, end)
	}
	for !it.done {
		if it.off < 0 {
			it.nextBlock()
			continue
		}
		e := readEntry(it.lp, it.off, it.first, it.h.fields)
		if it.reverse && e.id.Less(it.lo) || !it.reverse && it.hi.Less(e.id) {
			it.done = true
			break
		}
		if it.reverse {
			it.off = prevEntry(it.lp, it.off)
		} else if e.flags&flagDeleted != 0 {
			it.off = nextEntry(it.lp, e.end(it.lp))
		}
		if e.flags&flagDeleted != 0 {
			continue
		}
		var more bool
		if it.reverse {
			it.hi, more = e.id.Prev()
		} else {
			it.lo, more = e.id.Next()
			it.off = afterCurrent
		}
		it.done = !more
		it.cur, it.left = e, e.fields
		it.name, it.value = it.h.names, e.body
		return true
	}
	return false
}

// seek goes to where the rest of the range begins.
func (it *Iter) seek() {
	it.version = it.s.version
	t := &it.s.blocks
	if it.reverse {
		it.c = t.seekLE(it.hi)
	} else if it.c = t.seekLE(it.lo); !it.c.ok() {
		it.c = t.firstPlace()
	}
	if !it.c.ok() {
		it.done = true
		return
	}
	it.enter()
	if it.reverse {
		it.off = lastEntryAtMost(it.lp, &it.h, it.first, it.hi)
	} else {
		it.off = seekEntry(it.lp, &it.h, it.first, it.lo)
	}
}

// enter reads the header of the block at c.
func (it *Iter) enter() {
	it.lp = blockBytes(arena.Ref(it.s.blocks.values(it.c)[0]))
	it.first = it.c.key()
	it.h = readHeader(it.lp)
}

func (it *Iter) nextBlock() {
	if it.reverse {
		it.c = it.s.blocks.before(it.c)
	} else {
		it.c = it.s.blocks.after(it.c)
	}
	if !it.c.ok() || !it.reverse && it.hi.Less(it.c.key()) {
		it.done = true
		return
	}
	it.enter()
	if it.reverse {
		it.off = prevEntry(it.lp, len(it.lp)-1)
	} else {
		it.off = it.h.start
	}
}

// ID returns the ID of the current entry.
func (it *Iter) ID() ID { return it.cur.id }

// Pairs returns how many pairs of field and value the current entry has.
func (it *Iter) Pairs() int { return it.cur.fields }

// Pair returns the next pair of the current entry, to be called at most Pairs times. The slices alias the block, or the iterator if the
// text is an integer's, and are good until the next call of a method of the iterator or the next change of the stream.
func (it *Iter) Pair() (field, value []byte) {
	if it.cur.flags&flagSameFields != 0 {
		field = listpack.Text(it.lp, it.name, it.nameText[:])
		it.name = listpack.Next(it.lp, it.name)
	} else {
		field = listpack.Text(it.lp, it.value, it.nameText[:])
		it.value = listpack.Next(it.lp, it.value)
	}
	value = listpack.Text(it.lp, it.value, it.valueText[:])
	it.value = listpack.Next(it.lp, it.value)
	it.left--
	return field, value
}

// EachBlock calls fn for the blocks in ascending order of their first IDs, those from from on, until it returns false. lp aliases the block; fn must not change the stream. To do this in slices, go on from the first ID of the last block, plus one.
func (s *Stream) EachBlock(from ID, fn func(first ID, lp []byte) bool) {
	c := s.blocks.seekGE(from)
	for c.ok() && fn(c.key(), s.block(c)) {
		c = s.blocks.after(c)
	}
}
