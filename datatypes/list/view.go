package list

import (
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// View is a list as it was when Freeze was called. It belongs to the owner of the list, who goes on changing the list between steps. It
// must be ended.
type View struct {
	reader
	frozen seq
	list   *List
	epoch  uint32
	next   int
}

// retired is a piece that is no part of the list any more but of views.
type retired struct {
	ref   arena.Ref
	birth uint32
	gone  uint32 // epoch in which it was replaced
}

const (
	viewBytes    = int64(unsafe.Sizeof(View{}) + unsafe.Sizeof((*View)(nil)))
	retiredBytes = int64(unsafe.Sizeof(retired{}))
)

// Freeze returns the list as it is now. O(1).
func (l *List) Freeze() *View {
	v := &View{frozen: l.seq, list: l, epoch: l.epoch}
	v.reader = reader{s: &v.frozen, arena: l.arena}
	l.views = append(l.views, v)
	l.heap(viewBytes)
	l.frozen = l.epoch
	l.epoch++
	return v
}

// Frozen tells whether a view is in use.
func (l *List) Frozen() bool { return l.frozen != 0 }

// Len returns the number of elements.
func (v *View) Len() int { return v.frozen.elems }

// Chunks returns the number of chunks.
func (v *View) Chunks() int { return v.frozen.n }

// Chunk is a chunk as a View shows it, in the form in which Redis saves the nodes of a list.
type Chunk struct {
	Plain bool // one element, not a listpack
	Count int  // elements
	Size  int  // bytes
	// Zip is the compressed form of the chunk, nil when it is not compressed.
	Zip []byte

	r *reader
	c *chunk
}

// Bytes returns the listpack or plain element, expanded if need be. It is valid until the next step and the next call.
func (c Chunk) Bytes() []byte { return c.r.data(c.c) }

// Step visits the next n chunks, fewer at the end, and tells whether there are more. visit must not change the list.
func (v *View) Step(n int, visit func(Chunk)) (more bool) {
	for ; n > 0 && v.next < v.frozen.n; n-- {
		c := v.chunk(v.next)
		out := Chunk{Plain: c.is(isPlain), Count: int(c.count), Size: int(c.size), r: &v.reader, c: c}
		if c.is(isZip) {
			out.Zip = c.ref().Bytes(int(c.zip))
		}
		visit(out)
		v.next++
	}
	return v.next < v.frozen.n
}

// Seek makes the next step begin with the chunk that element index is in, and returns the position of the element there. REQUIRES:
// 0 ≤ index < Len. O(log n).
func (v *View) Seek(index int) (within int) {
	v.next, within = v.frozen.seek(index)
	return within
}

// End lets go of the view: what only it could see is freed. Ending twice does no harm.
func (v *View) End() {
	l := v.list
	if l == nil {
		return
	}
	v.close()
	v.list = nil
	l.frozen = 0
	kept := l.views[:0]
	for _, w := range l.views {
		if w != v {
			kept = append(kept, w)
			l.frozen = max(l.frozen, w.epoch)
		}
	}
	clear(l.views[len(kept):])
	l.views = kept
	l.heap(-viewBytes)
	l.reap()
	v.changed()
	v.next = v.frozen.n
}

// retire keeps a piece for the views that can see it.
func (l *List) retire(r arena.Ref, birth uint32) {
	had := cap(l.retired)
	l.retired = append(l.retired, retired{ref: r, birth: birth, gone: l.epoch})
	l.heap(int64(cap(l.retired)-had) * retiredBytes)
}

// reap frees the retired pieces that no view can see.
func (l *List) reap() {
	kept := l.retired[:0]
	for _, r := range l.retired {
		if l.seen(r) {
			kept = append(kept, r)
		} else {
			l.free(r.ref)
		}
	}
	l.retired = kept
	if len(kept) == 0 {
		l.heap(-int64(cap(l.retired)) * retiredBytes)
		l.retired = nil
	}
}

// seen tells whether a view can see r: one that began when r was there already and had not been replaced yet.
func (l *List) seen(r retired) bool {
	for _, v := range l.views {
		if r.birth <= v.epoch && v.epoch < r.gone {
			return true
		}
	}
	return false
}
