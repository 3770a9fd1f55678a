package list

import (
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/invariants"
	"github.com/troupe-db/troupe/datatypes/listpack"
)

// List is a large list. All but the kind of Clone is as keyspace.Object wants it.
type List struct {
	seq
	arena *arena.Arena
	bytes int64 // of pieces and of the Go heap
	limit Limit
	opts  Options

	epoch   uint32 // stamp of what is made now; from 1
	frozen  uint32 // epoch of the latest view in use, 0 for none: what is as old must not change
	views   []*View
	retired []retired

	unchecked int // changes since the last check, in builds with invariants
}

// New returns an empty list in a.
func New(a *arena.Arena, o Options) *List {
	o = o.settle()
	l := &List{arena: a, opts: o, limit: LimitOf(o.MaxSize), epoch: 1}
	l.heap(int64(unsafe.Sizeof(*l)))
	return l
}

// Len returns the number of elements.
func (l *List) Len() int { return l.elems }

// Chunks returns the number of chunks.
func (l *List) Chunks() int { return l.n }

// Bytes returns all memory of the list. O(1).
func (l *List) Bytes() int64 { return l.bytes }

// Arena returns where the list lives.
func (l *List) Arena() *arena.Arena { return l.arena }

// Options returns what the list was made with.
func (l *List) Options() Options { return l.opts }

// heap counts bytes of the Go heap.
func (l *List) heap(delta int64) {
	l.bytes += delta
	l.arena.Charge(delta)
}

// PushTail adds elem behind the last element. O(1) amortised.
func (l *List) PushTail(elem []byte) {
	if l.n == 0 || l.plain(len(elem)) || !l.takes(l.tail(), len(elem)) {
		l.newEnd(l.n, elem)
		return
	}
	c := l.tail()
	l.roomBehind(c, room(elem))
	c.size = uint64(len(listpack.Append(c.pack(l.arena), elem)))
	c.count++
	l.elems++
	l.checkSome()
}

// PushHead adds elem in front of the first element. O(1) amortised.
func (l *List) PushHead(elem []byte) {
	if l.n == 0 || l.plain(len(elem)) || !l.takes(l.head(), len(elem)) {
		l.newEnd(0, elem)
		return
	}
	c := l.head()
	l.roomInFront(c, room(elem))
	c.prepend(elem)
	l.elems++
	l.checkSome()
}

// newEnd adds a chunk with elem at rank 0 or l.n.
func (l *List) newEnd(rank int, elem []byte) {
	l.insertChunk(rank, l.chunkOf(elem, l.plain(len(elem))))
	if l.opts.Depth > 0 {
		l.fixEnds()
	}
	l.checkSome()
}

// First returns the first element of a list that is not empty.
func (l *List) First() Run {
	c := l.head()
	if c.is(isPlain) {
		return Run{Plain: c.raw(), N: 1}
	}
	return Run{Pack: c.raw(), Off: packFirst, N: 1}
}

// Last returns the last element of a list that is not empty.
func (l *List) Last() Run {
	c := l.tail()
	if c.is(isPlain) {
		return Run{Plain: c.raw(), N: 1}
	}
	pack := c.raw()
	return Run{Pack: pack, Off: listpack.Last(pack), N: 1}
}

// DropHead removes the first element of a list that is not empty. O(1).
func (l *List) DropHead() {
	c := l.head()
	if c.count == 1 {
		l.dropEnd(0)
		return
	}
	l.own(c)
	c.dropFirst()
	l.elems--
	l.slim(c)
	l.checkSome()
}

// DropTail removes the last element of a list that is not empty. O(1).
func (l *List) DropTail() {
	c := l.tail()
	if c.count == 1 {
		l.dropEnd(l.n - 1)
		return
	}
	l.own(c)
	pack := c.raw()
	c.count--
	c.size = uint64(len(listpack.Truncate(pack, listpack.Last(pack), int(c.count))))
	l.elems--
	l.slim(c)
	l.checkSome()
}

// dropEnd removes the first or last chunk.
func (l *List) dropEnd(rank int) {
	l.removeChunk(rank)
	if l.opts.Depth > 0 {
		l.fixEnds()
	}
	l.checkSome()
}

// AppendListpack adds the elements of a listpack, which is copied as one chunk whatever its size; it may have none.
func (l *List) AppendListpack(pack []byte) {
	if listpack.Empty(pack) {
		return
	}
	l.insertChunk(l.n, l.chunkFrom(pack, packFirst, listpack.Len(pack)))
	if l.opts.Depth > 0 {
		l.fixEnds()
	}
	l.checkSome()
}

// AppendPlain adds one element as a plain chunk, whatever its size, as it may stand in a saved list.
func (l *List) AppendPlain(elem []byte) {
	l.insertChunk(l.n, l.chunkOf(elem, true))
	if l.opts.Depth > 0 {
		l.fixEnds()
	}
	l.checkSome()
}

// Listpack returns the elements as a listpack if they are one: a list of one chunk that is not plain. It is valid until the next change.
func (l *List) Listpack() (pack []byte, ok bool) {
	if l.n != 1 || l.ends[0].is(isPlain) {
		return nil, false
	}
	return l.ends[0].raw(), true
}

// checkSome verifies the list in builds with invariants, the more seldom the longer it is: a check costs as much as it has elements.
func (l *List) checkSome() {
	if invariants.Enabled {
		if l.unchecked++; l.unchecked > l.elems/8 {
			l.unchecked = 0
			l.check()
		}
	}
}
