package list

import (
	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/listpack"
)

// reader reads the chunks of a seq one after another. It remembers the leaf that it is in, so that the next chunk costs no way down the tree.
type reader struct {
	s       *seq
	arena   *arena.Arena
	leaf    []chunk
	from    int       // rank of leaf[0]
	scratch arena.Ref // an expanded chunk; 0 for none
}

// chunk returns the chunk of that rank, valid until the next change.
func (r *reader) chunk(rank int) *chunk {
	if rank == 0 || rank == r.s.n-1 {
		if rank == 0 {
			return &r.s.ends[0]
		}
		return &r.s.ends[1]
	}
	if i := rank - r.from; i >= 0 && i < len(r.leaf) {
		return &r.leaf[i]
	}
	slots, i := r.s.leafAt(rank - 1)
	r.leaf, r.from = slots, rank-i
	return &slots[i]
}

// data returns the bytes of c, valid until the next call.
func (r *reader) data(c *chunk) []byte {
	if !c.is(isZip) {
		return c.raw()
	}
	size := int(c.size)
	if r.scratch != 0 && r.arena.SizeOf(r.scratch) < size {
		r.close()
	}
	if r.scratch == 0 {
		r.scratch = r.arena.Alloc(size)
	}
	b := r.scratch.Bytes(size)
	c.expand(b)
	return b[:size:size]
}

// changed says that the chunks are not where they were.
func (r *reader) changed() { r.leaf = nil }

// close gives the scratch memory back.
func (r *reader) close() {
	if r.scratch != 0 {
		r.arena.Free(r.scratch)
		r.scratch = 0
	}
}

// Run is a number of neighbouring elements of one chunk: N of a listpack, beginning with the one at offset Off and going on in the
// direction of the walk; or, when Pack is nil, one plain element.
type Run struct {
	Pack   []byte
	Off, N int
	Plain  []byte
}

// Walk goes through a list from one element on, run by run:
//
//	w := l.Walk(index, false)
//	defer w.Close()
//	for w.Next() {
//		… w.Run …
//	}
//
// The list must not change meanwhile.
type Walk struct {
	Run
	reader
	rank   int // of the next run
	within int // where it begins; -1 for the chunk's beginning or, going back, its end
	back   bool
}

// Walk returns a walk from element index on, to the last element or, with back, to the first one. REQUIRES: 0 ≤ index < Len.
func (l *List) Walk(index int, back bool) Walk {
	w := Walk{reader: reader{s: &l.seq, arena: l.arena}, back: back}
	w.rank, w.within = l.seek(index)
	return w
}

// Next goes to the next run. It returns false when there is none.
func (w *Walk) Next() bool {
	if w.rank < 0 || w.rank >= w.s.n {
		return false
	}
	c := w.chunk(w.rank)
	data := w.data(c)
	if c.is(isPlain) {
		w.Run = Run{Plain: data, N: 1}
	} else {
		w.run(data, int(c.count))
	}
	w.within = -1
	if w.back {
		w.rank--
	} else {
		w.rank++
	}
	return true
}

// run sets Run to the elements of a listpack from w.within on.
func (w *Walk) run(pack []byte, count int) {
	switch {
	case w.within >= 0 && w.back:
		w.Run = Run{Pack: pack, Off: listpack.Seek(pack, w.within), N: w.within + 1}
	case w.within > 0:
		w.Run = Run{Pack: pack, Off: listpack.Seek(pack, w.within), N: count - w.within}
	case w.back:
		w.Run = Run{Pack: pack, Off: listpack.Last(pack), N: count}
	default:
		w.Run = Run{Pack: pack, Off: packFirst, N: count}
	}
}

// Close gives back what the walk has borrowed. It is needed for lists with Options.Depth only, and never hurts.
func (w *Walk) Close() { w.close() }

// Text returns the first element of the run as text. An integer is written to scratch, see listpack.Text.
func (r *Run) Text(scratch []byte) []byte {
	if r.Pack == nil {
		return r.Plain
	}
	return listpack.Text(r.Pack, r.Off, scratch)
}

// IsInt tells whether the first element of the run is kept as an integer.
func (r *Run) IsInt() bool {
	if r.Pack == nil {
		return false
	}
	_, ok := listpack.Int(r.Pack, r.Off)
	return ok
}
