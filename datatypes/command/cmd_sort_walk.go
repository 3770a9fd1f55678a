package command

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/list"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/netio/resp"
)

// sortWalk is the Walk of SORT over one large value: it copies the elements slice by slice and sorts them when it has all
// of them, on no shard.
type sortWalk struct {
	viewPart
	o        sortOptions
	v        sortVector
	elems    [][]string // the copies, in the order of the walk
	from, to int        // what LIMIT leaves
}

// sortWalks tells whether SORT of a large value of type t may be done by a walk: it must need no other keys, and no order
// that the walk does not keep.
func sortWalks(o *sortOptions, t keyspace.Type) bool {
	return o.store == 0 && !o.foreign() && !(o.nosort && t == keyspace.ZSet)
}

// walkSort begins a walk over the value of e, which sortWalks is true of.
func (c *Ctx) walkSort(db *keyspace.DB, e keyspace.Entry, o *sortOptions) {
	w := &sortWalk{o: *o}
	w.o.by, w.o.gets = nil, slices.Clone(o.gets)
	for i, pattern := range o.gets {
		w.o.gets[i] = bytes.Clone(pattern)
	}
	w.pinned(db, e)
	obj := db.Object(e)
	n := obj.Len()
	w.from, w.to = o.window(n)
	switch obj := obj.(type) {
	case setObject:
		v := obj.Freeze(w.add)
		w.step, w.end = func() bool { return v.Step(walkStride) }, v.End
	case zsetObject:
		v := obj.Freeze(func(member []byte, _ float64) { w.add(member) })
		w.step, w.end = func() bool { return v.Step(walkStride) }, v.End
	case listObject:
		w.v.ordered = true
		v := obj.Freeze()
		r := listReader{v: v, left: n}
		if o.nosort {
			// The list as it is, or from its end, and no more of it than is wanted.
			start := w.from
			if o.desc {
				start = n - w.to
			}
			r.left = w.to - w.from
			r.within = v.Seek(start)
			w.from, w.to = 0, r.left
		}
		w.step, w.end = func() bool { return r.step(w.addRun) }, v.End
	}
	c.Walker.AwaitWalk(w)
}

// sortChunk is how many strings are put into one slice while it is not known how many there will be.
const sortChunk = 1024

// add keeps a copy of an element.
func (w *sortWalk) add(elem []byte) {
	w.n++
	w.bytes += len(elem)
	last := len(w.elems) - 1
	if last < 0 || len(w.elems[last]) == sortChunk {
		w.elems = append(w.elems, make([]string, 0, sortChunk))
		last++
	}
	w.elems[last] = append(w.elems[last], w.v.keep(elem))
}

// addRun keeps copies of the first n elements of a run.
func (w *sortWalk) addRun(r *list.Run, n int) {
	if r.Pack == nil {
		w.add(r.Plain)
		return
	}
	var digits [20]byte
	for off := r.Off; n > 0; n-- {
		s, v, isInt := listpack.Get(r.Pack, off)
		if isInt {
			s = strconv.AppendInt(digits[:0], v, 10)
		}
		w.add(s)
		off = listpack.Next(r.Pack, off)
	}
}

// Take implements Walk.
func (w *sortWalk) Take() [][]byte { return nil }

// Finish implements Walk.
func (w *sortWalk) Finish(out *resp.Writer, stepAside func()) {
	v := &w.v
	v.stepAside = stepAside
	v.elems = make([]string, 0, w.n)
	for _, some := range w.elems {
		v.elems = append(v.elems, some...)
		v.worked(len(some))
	}
	w.elems = nil
	switch {
	case !w.o.nosort:
		if !v.weigh(&w.o) {
			out.Error(msgSortScore)
			return
		}
		v.sort(w.from, w.to)
	case v.ordered && w.o.desc:
		slices.Reverse(v.elems)
	}
	v.reply(out, &w.o, w.from, w.to, func([]byte, string) ([]byte, bool) { return nil, false })
}
