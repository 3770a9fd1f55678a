package list

import "github.com/troupe-db/troupe/datatypes/arena"

// seq is the chunks of a list at one instant. One chunk alone is ends[0]; with more, ends[0] is the first and ends[1] the last, and the
// others are in the tree.
type seq struct {
	ends  [2]chunk
	n     int // chunks
	elems int
	root  arena.Ref // of the tree; 0 when it is empty
	level int       // of the root: 0 for a leaf
}

func (s *seq) head() *chunk { return &s.ends[0] }

func (s *seq) tail() *chunk {
	if s.n > 1 {
		return &s.ends[1]
	}
	return &s.ends[0]
}

// at returns the chunk of that rank. O(log n).
func (s *seq) at(rank int) chunk {
	switch {
	case rank == 0:
		return s.ends[0]
	case rank == s.n-1:
		return s.ends[1]
	}
	slots, i := s.leafAt(rank - 1)
	return slots[i]
}

// seek returns the rank of the chunk that element index is in, and its position there. REQUIRES: 0 ≤ index < elems. O(log n).
func (s *seq) seek(index int) (rank, within int) {
	if first := int(s.ends[0].count); index < first {
		return 0, index
	}
	if last := int(s.ends[1].count); s.n > 1 && index >= s.elems-last {
		return s.n - 1, index - (s.elems - last)
	}
	rank, within = s.treeSeek(index - int(s.ends[0].count))
	return rank + 1, within
}

// setChunk puts c in the place of the chunk of that rank, which had delta elements less.
func (l *List) setChunk(rank int, c chunk, delta int) {
	l.elems += delta
	switch {
	case rank == 0:
		l.ends[0] = c
	case rank == l.n-1:
		l.ends[1] = c
	default:
		l.treeSet(rank-1, c, delta)
	}
}

// insertChunk puts c before the chunk of that rank, or behind all for rank n.
func (l *List) insertChunk(rank int, c chunk) {
	// An end that does not grow any more is likely to stay as it is.
	if l.n > 0 && rank == 0 {
		l.trim(l.head())
	} else if l.n > 0 && rank == l.n {
		l.trim(l.tail())
	}
	switch {
	case l.n == 0:
		l.ends[0] = c
	case l.n == 1 && rank == 0:
		l.ends[0], l.ends[1] = c, l.ends[0]
	case l.n == 1:
		l.ends[1] = c
	case rank == 0:
		l.treeInsert(0, l.ends[0])
		l.ends[0] = c
	case rank == l.n:
		l.treeInsert(l.n-2, l.ends[1])
		l.ends[1] = c
	default:
		l.treeInsert(rank-1, c)
	}
	l.n++
	l.elems += int(c.count)
}

// takeChunk removes the chunk of that rank and returns it with its piece.
func (l *List) takeChunk(rank int) (c chunk) {
	switch {
	case l.n <= 2:
		c = l.ends[rank]
		if rank == 0 {
			l.ends[0] = l.ends[1]
		}
		l.ends[1] = chunk{}
	case rank == 0:
		c, l.ends[0] = l.ends[0], l.treeRemove(0)
	case rank == l.n-1:
		c, l.ends[1] = l.ends[1], l.treeRemove(l.n-3)
	default:
		c = l.treeRemove(rank - 1)
	}
	l.n--
	l.elems -= int(c.count)
	return c
}

// removeChunk removes the chunk of that rank.
func (l *List) removeChunk(rank int) {
	c := l.takeChunk(rank)
	l.drop(c.ref(), c.birth)
}
