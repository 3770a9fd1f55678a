package hash

import (
	"slices"

	"github.com/troupe-db/troupe/datatypes/listpack"
)

// Small is a small hash: a listpack of field, value pairs or, when Dated, of field, value, deadline triples in the order of time. A
// deadline of 0 is none; those items are at the end. Fields are named by the offset of their name; -1 is none.
//
// Methods that change the hash work as append does: they return the new one, which has moved when the capacity of LP did
// not suffice. Growth and DeadlineGrowth tell how much that takes.
type Small struct {
	LP    []byte
	Dated bool
}

// step is how many elements an item has.
func (s Small) step() int {
	if s.Dated {
		return 3
	}
	return 2
}

// Len returns the number of items, due ones included.
func (s Small) Len() int { return listpack.Len(s.LP) / s.step() }

// First returns the first field.
func (s Small) First() int { return listpack.First(s.LP) }

// Next returns the field after the one at off.
func (s Small) Next(off int) int { return s.skip(off, s.step()) }

func (s Small) skip(off, elements int) int {
	for ; off >= 0 && elements > 0; elements-- {
		off = listpack.Next(s.LP, off)
	}
	return off
}

// end returns where the item at off ends.
func (s Small) end(off int) int {
	if next := s.Next(off); next >= 0 {
		return next
	}
	return len(s.LP) - 1
}

// Seek returns the field of the item with this number.
func (s Small) Seek(i int) int { return listpack.Seek(s.LP, i*s.step()) }

// Find returns the place of a field, also of a due one.
func (s Small) Find(field []byte) int {
	return listpack.Find(s.LP, listpack.First(s.LP), field, s.step()-1)
}

// Value returns where the value of the item at off is.
func (s Small) Value(off int) int { return listpack.Next(s.LP, off) }

// Deadline returns the deadline of the item at off in unix milliseconds, or None.
func (s Small) Deadline(off int) int64 {
	if s.Dated {
		if at, _ := listpack.Int(s.LP, s.skip(off, 2)); at > 0 {
			return at
		}
	}
	return None
}

// Due tells whether the deadline of the item at off has come.
func (s Small) Due(off int, nowMs int64) bool {
	at := s.Deadline(off)
	return at >= 0 && at <= nowMs
}

// Earliest returns the earliest deadline of an item, or None.
func (s Small) Earliest() int64 {
	if off := s.First(); off >= 0 {
		return s.Deadline(off)
	}
	return None
}

// CountDue returns how many items are due at nowMs.
func (s Small) CountDue(nowMs int64) (n int) {
	if !s.Dated {
		return 0
	}
	for off := s.First(); off >= 0 && s.Due(off, nowMs); off = s.Next(off) {
		n++
	}
	return n
}

// noDeadlineBytes is what the deadline of an item without one takes.
const noDeadlineBytes = 2

// Growth returns how many bytes more Put needs for a field found at off (-1: not there) and value.
func (s Small) Growth(off int, field, value []byte) int {
	n := listpack.EncodedSize(value)
	if off >= 0 {
		at := s.Value(off)
		next := listpack.Next(s.LP, at)
		if next < 0 {
			next = len(s.LP) - 1
		}
		return max(0, n-(next-at))
	}
	n += listpack.EncodedSize(field)
	if s.Dated {
		n += noDeadlineBytes
	}
	return n
}

// Put gives the field at off, or with off -1 a new one, a value. A field that is there loses its deadline unless keep is set.
func (s Small) Put(off int, field, value []byte, keep bool) Small {
	if off < 0 {
		s.LP = listpack.Append(s.LP, field)
		s.LP = listpack.Append(s.LP, value)
		if s.Dated {
			s.LP = listpack.AppendInt(s.LP, 0)
		}
		return s
	}
	s.LP = listpack.Replace(s.LP, s.Value(off), value)
	if !keep && s.Dated && s.Deadline(off) >= 0 {
		s = s.SetDeadline(off, None)
	}
	return s
}

// Delete removes the item at off; what followed it is then at off.
func (s Small) Delete(off int) Small {
	s.LP = listpack.DeleteRange(s.LP, off, s.step())
	return s
}

// AppendDated appends the listpack of s to dst, with a deadline for each item; where it has none yet, 0.
func (s Small) AppendDated(dst []byte) []byte {
	if s.Dated {
		return append(dst, s.LP...)
	}
	start := len(dst)
	dst = listpack.AppendEmpty(slices.Grow(dst, len(s.LP)+s.Len()*noDeadlineBytes))
	lp := dst[start:]
	for off := s.First(); off >= 0; off = s.Next(off) {
		lp = listpack.Extend(lp, s.LP, off, s.end(off), 2)
		lp = listpack.AppendInt(lp, 0)
	}
	return dst[:start+len(lp)]
}

// DeadlineGrowth returns how many bytes more SetDeadline for this many items needs.
func DeadlineGrowth(items int) int { return items * (listpack.MaxIntEntry - noDeadlineBytes) }

// SetDeadline gives the item at off a deadline, or takes it away (None), and moves the item where it belongs. REQUIRES: Dated.
func (s Small) SetDeadline(off int, atMs int64) Small {
	s.LP = listpack.ReplaceInt(s.LP, s.skip(off, 2), max(atMs, 0))
	end := s.end(off)
	to := len(s.LP) - 1
	if atMs >= 0 {
		for to = s.First(); to >= 0; to = s.Next(to) {
			if at := s.Deadline(to); to != off && (at < 0 || at >= atMs) {
				break
			}
		}
		if to < 0 {
			to = len(s.LP) - 1
		}
	}
	if to < off {
		rotate(s.LP[to:end], end-off)
	} else {
		rotate(s.LP[off:to], to-end)
	}
	return s
}

// rotate moves the last n bytes of b to the front.
func rotate(b []byte, n int) {
	if n == 0 || n == len(b) {
		return
	}
	var room [256]byte
	// The shorter part goes aside. An element does not depend on its place, so the bytes of elements can be moved as they are.
	if rest := len(b) - n; n <= rest {
		tail := append(room[:0], b[rest:]...)
		copy(b[n:], b[:rest])
		copy(b, tail)
	} else {
		head := append(room[:0], b[:rest]...)
		copy(b, b[rest:])
		copy(b[n:], head)
	}
}

// Reap removes the items that are due at nowMs. gone gets the offset of each of them before any goes.
func (s Small) Reap(nowMs int64, gone func(off int)) Small {
	if !s.Dated {
		return s
	}
	n := 0
	for off := s.First(); off >= 0 && s.Due(off, nowMs); off = s.Next(off) {
		gone(off)
		n++
	}
	if n > 0 {
		s.LP = listpack.DeleteRange(s.LP, s.First(), n*s.step())
	}
	return s
}
