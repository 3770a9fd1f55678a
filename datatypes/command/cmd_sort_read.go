package command

import (
	"github.com/troupe-db/troupe/datatypes/intset"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/list"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/datatypes/set"
)

// How SORT reads collections of all types and encodings, and makes lists.

// sortedLen returns the number of elements of e.
func sortedLen(db *keyspace.DB, e keyspace.Entry) int {
	switch {
	case e.IsObject():
		return db.Object(e).Len()
	case e.Encoding() == keyspace.IntSet:
		return intset.Len(e.Packed())
	case e.Type() == keyspace.ZSet:
		return listpack.Len(e.Packed()) / 2
	}
	return listpack.Len(e.Packed())
}

// loadSorted appends the elements from index from to index to of e to v, in the order that a list or sorted set has,
// or, reverse, the other way round, counting from the end then.
func loadSorted(v *sortVector, db *keyspace.DB, e keyspace.Entry, from, to int, reverse bool) {
	if from >= to {
		return
	}
	v.elems = make([]string, 0, to-from)
	if !e.IsObject() {
		loadPacked(v, e, from, to, reverse)
		return
	}
	switch o := db.Object(e).(type) {
	case setObject:
		o.Walk(func(m set.Member) bool {
			v.add(m.Bytes(), true)
			return true
		})
	case zsetObject:
		n := o.Len()
		if reverse {
			from, to = n-to, n-from
		}
		it := o.Range(from, to, reverse) // in the loop's head it would be allocated for each element
		for it.Next() {
			v.add(it.Member(), true)
		}
	case listObject:
		loadList(v, o.List, from, to, reverse)
	}
}

func loadPacked(v *sortVector, e keyspace.Entry, from, to int, reverse bool) {
	b := e.Packed()
	if e.Encoding() == keyspace.IntSet {
		for i := from; i < to; i++ {
			v.addInt(intset.Get(b, i))
		}
		return
	}
	per := 1 // entries of the listpack for an element
	if e.Type() == keyspace.ZSet {
		per = 2
	}
	step, at := listpack.Next, from*per
	if reverse {
		step, at = listpack.Prev, -(from+1)*per
	}
	off := listpack.Seek(b, at)
	for i := from; i < to; i++ {
		v.addPacked(b, off, true)
		for j := 0; j < per && off >= 0; j++ {
			off = step(b, off)
		}
	}
}

func loadList(v *sortVector, l *list.List, from, to int, reverse bool) {
	// What lies compressed is expanded into memory that the next chunk takes again.
	lasting := l.Options().Depth == 0
	step, index := listpack.Next, from
	if reverse {
		step, index = listpack.Prev, l.Len()-1-from
	}
	w := l.Walk(index, reverse)
	defer w.Close()
	for left := to - from; left > 0 && w.Next(); {
		if w.Pack == nil {
			v.add(w.Plain, lasting)
			left--
			continue
		}
		for off, n := w.Off, min(w.N, left); n > 0; n, left = n-1, left-1 {
			v.addPacked(w.Pack, off, lasting)
			off = step(w.Pack, off)
		}
	}
}

// addPacked appends the element of a listpack at off.
func (v *sortVector) addPacked(lp []byte, off int, lasting bool) {
	if s, n, isInt := listpack.Get(lp, off); isInt {
		v.addInt(n)
	} else {
		v.add(s, lasting)
	}
}

// sortField returns the value of a field of the hash e, unless its deadline has passed.
func (c *Ctx) sortField(db *keyspace.DB, e keyspace.Entry, field []byte) ([]byte, bool) {
	large, small := hashContent(db, e)
	if large != nil {
		it, ok := large.Find(field)
		if !ok || large.Due(it, c.NowMs) {
			return nil, false
		}
		return it.Value(), true
	}
	off := small.Find(field)
	if off < 0 || small.Due(off, c.NowMs) {
		return nil, false
	}
	return listpack.Text(small.LP, small.Value(off), c.text[:]), true
}

// sortResult is a list under construction: one listpack as long as a list of its size is kept in one.
type sortResult struct {
	db    *keyspace.DB
	opts  list.Options
	limit list.Limit
	total int // elements that will come
	pack  []byte
	n     int // elements in pack
	list  *list.List
}

func newSortResult(db *keyspace.DB, o list.Options, total int) sortResult {
	return sortResult{db: db, opts: o, limit: list.LimitOf(o.MaxSize), total: total, pack: listpack.New()}
}

// sortPushRoom is what a list reserves for an element besides its text when it decides whether a chunk is full.
const sortPushRoom = 8

// add appends an element.
func (r *sortResult) add(elem []byte) {
	if r.list == nil {
		size := len(r.pack) + len(elem) + sortPushRoom
		if r.n == 0 {
			size = len(r.pack) + listpack.EncodedSize(elem)
		}
		if !r.limit.Exceeded(size, r.n+1) {
			r.pack = listpack.Append(r.pack, elem)
			r.n++
			return
		}
		// Those that are here by now tell about how large it will be.
		r.list = list.New(r.db.ArenaFor(int64(size)*int64(r.total)/int64(r.n+1)), r.opts)
		var digits [20]byte
		for off := listpack.First(r.pack); off >= 0; off = listpack.Next(r.pack, off) {
			r.list.PushTail(listpack.Text(r.pack, off, digits[:]))
		}
	}
	r.list.PushTail(elem)
}

// put makes the list the value of k.
func (r *sortResult) put(k keyspace.Key) {
	if r.list == nil {
		r.db.PutPacked(k, keyspace.List, keyspace.ListPack, r.pack, keyspace.NoTTL)
		return
	}
	e := r.db.PutObject(k, keyspace.List, keyspace.QuickList, listObject{r.list}, keyspace.NoTTL)
	r.db.Settle(e)
}
