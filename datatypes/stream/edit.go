package stream

import (
	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/invariants"
	"github.com/troupe-db/troupe/datatypes/listpack"
)

// countRoom is what a block may grow by when its counts change.
const countRoom = 2 * listpack.MaxIntEntry

// Append adds an entry. fields are names and values in turn; they are copied, and must not alias the stream. The error is
// ErrIDTooSmall when id is not above LastID, ErrTooLarge when fields have more text than a block may hold; nothing has
// changed then.
func (s *Stream) Append(id ID, fields [][]byte, lim Limits) error {
	if !s.last.Less(id) {
		return ErrIDTooSmall
	}
	text := textBytes(fields)
	if text > maxBlockBytes {
		return ErrTooLarge
	}
	s.changing()
	if !s.appendToTail(id, fields, text, lim) {
		s.appendBlock(id, fields)
	}
	s.length++
	s.added++
	s.last = id
	if s.length == 1 {
		s.first = id
	}
	s.checkNow()
	return nil
}

// appendToTail adds an entry to the last block; false if that is full.
func (s *Stream) appendToTail(id ID, fields [][]byte, text int, lim Limits) bool {
	if s.blocks.count == 0 {
		return false
	}
	c := s.ownTail()
	first := c.key()
	lp := s.block(c)
	if lim.full(lp, text) {
		s.shrinkBlock(c)
		return false
	}
	h := readHeader(lp)
	same := sameNames(lp, &h, fields)
	lp = s.blockFor(c, entrySize(id, first, fields, same)+countRoom, lim.bytesLimit())
	if s.blocks.count == 1 {
		s.headAt = 0 // the new count may move what follows
	}
	lp = listpack.ReplaceInt(lp, firstElem, h.entries+1)
	lp = appendEntry(lp, id, first, fields, same)
	s.checkInPlace(c, lp)
	return true
}

// appendBlock adds a block with one entry.
func (s *Stream) appendBlock(id ID, fields [][]byte) {
	b := s.newBlock(headerSize(fields) + entrySize(id, id, fields, true))
	lp := appendHeader(blockSpace(&s.pool, b), fields)
	lp = appendEntry(lp, id, id, fields, true)
	s.blocks.put(&s.pool, id, value{uint64(b)})
	s.tailLeaf = 0
	if invariants.Enabled && len(blockBytes(b)) != len(lp) {
		panic("stream: a block has outgrown its piece")
	}
}

// changing is to be called before blocks change.
func (s *Stream) changing() {
	if s.views == isView {
		panic("stream: a view was written to")
	}
	s.version++
}

// block returns the listpack of the block at c.
func (s *Stream) block(c place) []byte { return blockBytes(arena.Ref(s.blocks.values(c)[0])) }

// ownTail returns the place of the last block, which may be written to.
func (s *Stream) ownTail() place {
	if s.tailLeaf != 0 {
		return place{s.tailLeaf, int(nodeAt(s.tailLeaf).n) - 1}
	}
	c := s.blocks.editLast(&s.pool)
	s.ownBlock(c, 0)
	s.tailLeaf = c.leaf
	return c
}

// ownBlock makes the block at c, a place that may be written to, one that may be written to itself, with extra bytes of room.
func (s *Stream) ownBlock(c place, extra int) []byte {
	v := &s.blocks.values(c)[0]
	b := arena.Ref(*v)
	need := len(blockBytes(b)) + extra
	switch {
	case *blockRefs(b) > 1:
		*blockRefs(b)--
		*v = uint64(s.copyBlock(b, need))
	case s.a.SizeOf(b)-blockHeader < need:
		*v = uint64(s.copyBlock(b, need))
		s.free(b)
	}
	return s.blockRoom(arena.Ref(*v))
}

// blockFor returns the block at c, which may be written to, with extra bytes of room, or more if it is likely that more will be
// added: the block will end up below limit.
func (s *Stream) blockFor(c place, extra, limit int) []byte {
	lp := s.blockRoom(arena.Ref(s.blocks.values(c)[0]))
	if cap(lp) >= len(lp)+extra {
		return lp
	}
	grow := cap(lp) / 2
	if cap(lp) > 64<<10 {
		grow = cap(lp) / 4
	}
	return s.ownBlock(c, max(extra, min(cap(lp)+grow, limit)-len(lp)))
}

// shrinkBlock gives back the room of the block at c, which may be written to.
func (s *Stream) shrinkBlock(c place) {
	v := &s.blocks.values(c)[0]
	b := arena.Ref(*v)
	if room := s.a.SizeOf(b) - blockHeader - len(blockBytes(b)); room < 4 || room*32 < s.a.SizeOf(b) {
		return // size classes are that far apart
	}
	*v = uint64(s.copyBlock(b, 0))
	s.free(b)
}

// removeBlock removes the block at c.
func (s *Stream) removeBlock(c place) {
	b := arena.Ref(s.blocks.values(c)[0])
	first := c.key()
	s.tailLeaf, s.headAt = 0, 0
	s.blocks.remove(&s.pool, first)
	dropBlock(&s.pool, b)
}

// checkInPlace panics if lp, an edited block, is not what stands at c.
func (s *Stream) checkInPlace(c place, lp []byte) {
	if invariants.Enabled {
		if is := s.block(c); &is[0] != &lp[0] || len(is) != len(lp) {
			panic("stream: a block has outgrown its piece")
		}
	}
}

// locate returns where the entry with this ID is.
func (s *Stream) locate(id ID) (c place, h header, e entry, ok bool) {
	c = s.blocks.seekLE(id)
	if !c.ok() {
		return c, h, e, false
	}
	lp := s.block(c)
	h = readHeader(lp)
	off := seekEntry(lp, &h, c.key(), id)
	if off < 0 {
		return c, h, e, false
	}
	e = readEntry(lp, off, c.key(), h.fields)
	return c, h, e, e.id == id && e.flags&flagDeleted == 0
}

// Has reports whether there is an entry with this ID.
func (s *Stream) Has(id ID) bool {
	if id.Less(s.first) || s.last.Less(id) || s.length == 0 {
		return false
	}
	_, _, _, ok := s.locate(id)
	return ok
}

// Delete removes the entry with this ID; false when there is none. FirstID and MaxDeletedID follow.
func (s *Stream) Delete(id ID) bool {
	if id.Less(s.first) || s.last.Less(id) || s.length == 0 {
		return false
	}
	c, h, e, ok := s.locate(id)
	if !ok {
		return false
	}
	s.changing()
	s.headAt = 0
	if h.entries == 1 {
		s.removeBlock(c)
	} else {
		c = s.blocks.edit(&s.pool, c.key())
		lp := s.ownBlock(c, countRoom)
		lp[e.at] |= flagDeleted
		lp = setCounts(lp, h.entries-1, h.deleted+1)
		s.checkInPlace(c, lp)
	}
	s.length--
	if s.maxDeleted.Less(id) {
		s.maxDeleted = id
	}
	if id == s.first {
		s.findFirst()
	}
	s.checkNow()
	return true
}

// findFirst sets FirstID anew, after entries up to and including it were removed.
func (s *Stream) findFirst() {
	it := s.Range(s.first, MaxID)
	s.first = ID{}
	if s.length > 0 && it.Next() {
		s.first = it.ID()
	}
}

// TrimOptions say what Trim removes.
type TrimOptions struct {
	ByMinID bool // entries below MinID; else the first ones, so that MaxLen are left
	MinID   ID
	MaxLen  int64 // ≥ 0
	Approx  bool  // "~": whole blocks only
	Limit   int64 // stop in front of a block with which more than this would be removed; 0 is no limit
}

// Trim removes entries from the start and returns how many. MaxDeletedID stays: what is trimmed leaves no gap.
func (s *Stream) Trim(o TrimOptions) (removed int64) {
	known := false // what FirstID is
	for s.blocks.count > 0 && (o.ByMinID || s.length > o.MaxLen) {
		c := s.blocks.firstPlace()
		lp := s.block(c)
		h := readHeader(lp)
		if o.Limit > 0 && removed+h.entries > o.Limit {
			break
		}
		var whole bool
		if o.ByMinID {
			last := readEntry(lp, prevEntry(lp, len(lp)-1), c.key(), h.fields)
			whole = last.id.Less(o.MinID)
		} else {
			whole = s.length-h.entries >= o.MaxLen
		}
		if !whole {
			if !o.Approx {
				removed += s.trimBlock(&o, h)
				known = s.headAt != 0
			}
			break
		}
		s.changing()
		s.removeBlock(c)
		s.length -= h.entries
		removed += h.entries
	}
	if removed > 0 && !known {
		s.findFirst()
	}
	s.checkNow()
	return removed
}

// trimBlock removes entries from the start of the first block, whose header is h, and returns how many. There will be some left, or
// deleted ones that keep the block where it is.
func (s *Stream) trimBlock(o *TrimOptions, h header) (removed int64) {
	if o.ByMinID && (s.length == 0 || !s.first.Less(o.MinID)) {
		return 0
	}
	s.changing()
	c := s.blocks.edit(&s.pool, s.blocks.firstPlace().key())
	first := c.key()
	lp := s.ownBlock(c, countRoom)
	off := int(s.headAt)
	if off == 0 {
		off = seekEntry(lp, &h, first, s.first)
	}
	newFirst := ID{}
	for off >= 0 {
		e := readEntry(lp, off, first, h.fields)
		if e.flags&flagDeleted == 0 {
			if o.ByMinID && !e.id.Less(o.MinID) || !o.ByMinID && s.length <= o.MaxLen {
				newFirst = e.id
				break
			}
			lp[e.at] |= flagDeleted
			removed++
			s.length--
		}
		off = nextEntry(lp, e.end(lp))
	}
	n := len(lp)
	lp = setCounts(lp, h.entries-removed, h.deleted+removed)
	s.headAt = 0
	if off > 0 {
		s.first, s.headAt = newFirst, uint32(off+len(lp)-n)
	}
	s.checkInPlace(c, lp)
	return removed
}
