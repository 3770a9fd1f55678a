package stream

import (
	"errors"
	"fmt"

	"github.com/troupe-db/troupe/datatypes/listpack"
)

// ErrCorrupt is the error of bytes that are no block.
var ErrCorrupt = errors.New("stream: corrupt block")

// ValidateBlock checks a block from outside, whose first ID is first: that lp is a listpack, that header and entries are complete and
// agree with each other, and that IDs ascend from first on. It returns the last ID, deleted entries included, and the number of entries
// that are not deleted, which may be 0. The error wraps ErrCorrupt or listpack.ErrCorrupt. O(bytes).
func ValidateBlock(first ID, lp []byte) (last ID, entries int64, err error) {
	if err := listpack.Validate(lp, true); err != nil {
		return ID{}, 0, err
	}
	r := blockReader{lp: lp, off: listpack.First(lp)}
	h := header{entries: r.int(), deleted: r.int()}
	n := r.int()
	r.skip(n)
	if zero := r.int(); r.err == nil && zero != 0 {
		r.fail("no end of the field names")
	}
	if h.entries < 0 || h.deleted < 0 || h.entries+h.deleted <= 0 {
		r.fail("counts")
	}
	var found, deleted int64
	for r.err == nil && r.off >= 0 {
		at := r.off
		flags := r.int()
		ms, seq := r.int(), r.int()
		fields, elements := n, n+3
		// Deleting an entry sets a bit in the byte where flags stand: no other encoding of them will do.
		if flags != int64(lp[at]) || flags&^(flagDeleted|flagSameFields) != 0 {
			r.fail("flags")
		}
		if flags&flagSameFields == 0 {
			fields = r.int()
			elements = 2*fields + 4
			r.skip(fields)
		}
		r.skip(fields)
		if count := r.int(); count != elements {
			r.fail("length of an entry")
		}
		id := ID{first.Ms + uint64(ms), first.Seq + uint64(seq)}
		if found+deleted > 0 && !last.Less(id) || id.Less(first) {
			r.fail("IDs that do not ascend")
		}
		last = id
		if flags&flagDeleted != 0 {
			deleted++
		} else {
			found++
		}
	}
	if found != h.entries || deleted != h.deleted {
		r.fail("number of entries")
	}
	if r.err != nil {
		return ID{}, 0, r.err
	}
	return last, found, nil
}

// blockReader reads elements of a valid listpack until something is missing.
type blockReader struct {
	lp  []byte
	off int
	err error
}

func (r *blockReader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrCorrupt, what)
	}
}

// int reads an integer.
func (r *blockReader) int() (n int64) {
	if r.err != nil {
		return 0
	}
	if r.off < 0 {
		r.fail("cut short")
		return 0
	}
	n, ok := listpack.Int(r.lp, r.off)
	if !ok {
		r.fail("text in the place of a number")
		return 0
	}
	r.off = listpack.Next(r.lp, r.off)
	return n
}

// skip goes over n elements.
func (r *blockReader) skip(n int64) {
	if n < 0 || n > int64(len(r.lp)) {
		r.fail("number of fields")
		return
	}
	for ; n > 0 && r.err == nil; n-- {
		if r.off < 0 {
			r.fail("cut short")
			return
		}
		r.off = listpack.Next(r.lp, r.off)
	}
}

// LoadBlock adds a block from outside behind those that are there, after validating it. lp is copied. Length, FirstID and LastID
// follow; EntriesAdded and MaxDeletedID are to be set when all blocks are loaded (SetEntriesAdded, SetMaxDeletedID, and
// SetLastID when the last ID is not that of the last entry). The error wraps ErrCorrupt or listpack.ErrCorrupt; nothing has changed then.
func (s *Stream) LoadBlock(first ID, lp []byte) error {
	last, entries, err := ValidateBlock(first, lp)
	if err != nil {
		return err
	}
	if s.blocks.count > 0 && !s.last.Less(first) || first.IsZero() {
		return fmt.Errorf("%w: blocks that do not ascend", ErrCorrupt)
	}
	s.changing()
	b := s.newBlock(len(lp))
	copy(blockSpace(&s.pool, b)[:len(lp)], lp)
	s.blocks.put(&s.pool, first, value{uint64(b)})
	s.tailLeaf = 0
	s.last = last
	if s.length == 0 && entries > 0 {
		s.first = first
		s.length = entries
		s.findFirst()
		return nil
	}
	s.length += entries
	return nil
}
