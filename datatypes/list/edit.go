package list

import (
	"github.com/troupe-db/troupe/datatypes/listpack"
)

// Changes in the middle. Where a new element goes when its chunk is full, and which neighbours are merged then, is as in a quicklist.

// entrySize returns the bytes of the element at off.
func entrySize(pack []byte, off int) int {
	if next := listpack.Next(pack, off); next >= 0 {
		return next - off
	}
	return len(pack) - 1 - off
}

// Set puts elem in the place of element index. REQUIRES: 0 ≤ index < Len. O(log n) and a chunk.
func (l *List) Set(index int, elem []byte) {
	rank, within := l.seek(index)
	c := l.at(rank)
	switch {
	case c.is(isPlain) && l.plain(len(elem)):
		l.drop(c.ref(), c.birth)
		l.setChunk(rank, l.chunkOf(elem, true), 0)
	case c.is(isPlain):
		// The next chunk takes it if it can; the previous one is not asked.
		if !l.insertAtStart(rank+1, elem) {
			l.insertChunk(rank+1, l.chunkOf(elem, false))
		}
		l.removeChunk(rank)
	case l.plain(len(elem)) || int(c.size)+len(elem) > max(maxMerge, 2*l.limit.Bytes):
		l.setApart(rank, within, elem)
	default:
		l.edit(&c, 0)
		off := listpack.Seek(c.raw(), within)
		l.edit(&c, max(0, listpack.EncodedSize(elem)-entrySize(c.raw(), off)))
		c.size = uint64(len(listpack.Replace(c.pack(l.arena), off, elem)))
		l.fit(&c)
		l.setChunk(rank, c, 0)
	}
	l.fixAround(rank)
	l.checkSome()
}

// setApart is Set for an element that cannot stay in its listpack: it gets a chunk between those of its neighbours.
func (l *List) setApart(rank, within int, elem []byte) {
	if c := l.at(rank); within+1 < int(c.count) {
		l.split(rank, within+1)
	}
	l.insertChunk(rank+1, l.chunkOf(elem, l.plain(len(elem))))
	if within == 0 {
		l.removeChunk(rank)
		return
	}
	l.deleteWithin(rank, within, 1)
	l.mergeAround(rank + 1)
}

// Insert puts elem before or after element index. REQUIRES: 0 ≤ index < Len. O(log n) and a chunk.
func (l *List) Insert(index int, elem []byte, after bool) {
	rank, within := l.seek(index)
	c := l.at(rank)
	behind := 0
	if after {
		behind = 1
	}
	cut := within + behind
	edge := cut == 0 || cut == int(c.count) // the place is not between two elements of the chunk
	switch plain := l.plain(len(elem)); {
	case plain && !edge:
		l.split(rank, cut)
		l.insertChunk(rank+1, l.chunkOf(elem, true))
	case plain:
		l.insertChunk(rank+behind, l.chunkOf(elem, true))
	case l.takes(&c, len(elem)):
		l.insertWithin(rank, cut, elem)
	case edge && after && l.insertAtStart(rank+1, elem):
	case edge && !after && l.insertAtEnd(rank-1, elem):
	case edge:
		l.insertChunk(rank+behind, l.chunkOf(elem, false))
	case after:
		l.split(rank, cut)
		l.insertWithin(rank+1, 0, elem)
		l.mergeAround(rank)
	default:
		l.split(rank, cut)
		l.insertWithin(rank, cut, elem)
		l.mergeAround(rank + 1)
	}
	l.fixAround(rank)
	l.checkSome()
}

// insertWithin puts elem into the listpack of that rank, as element cut.
func (l *List) insertWithin(rank, cut int, elem []byte) {
	c := l.at(rank)
	l.edit(&c, room(elem))
	pack := c.pack(l.arena)
	off := len(pack) - 1
	if cut < int(c.count) {
		off = listpack.Seek(pack, cut)
	}
	c.size = uint64(len(listpack.InsertBefore(pack, off, elem)))
	c.count++
	l.setChunk(rank, c, 1)
}

// insertAtStart puts elem in front of the chunk of that rank, if there is one and it has room.
func (l *List) insertAtStart(rank int, elem []byte) bool {
	if rank >= l.n {
		return false
	}
	c := l.at(rank)
	if !l.takes(&c, len(elem)) {
		return false
	}
	l.insertWithin(rank, 0, elem)
	return true
}

// insertAtEnd puts elem behind the chunk of that rank, if there is one and it has room.
func (l *List) insertAtEnd(rank int, elem []byte) bool {
	if rank < 0 {
		return false
	}
	c := l.at(rank)
	if !l.takes(&c, len(elem)) {
		return false
	}
	l.insertWithin(rank, int(c.count), elem)
	return true
}

// split moves the elements of a listpack from cut on to a chunk of their own behind it. REQUIRES: 0 < cut < count.
func (l *List) split(rank, cut int) {
	c := l.at(rank)
	l.edit(&c, 0)
	pack := c.raw()
	off := listpack.Seek(pack, cut)
	right := l.chunkFrom(pack, off, int(c.count)-cut)
	c.size = uint64(len(listpack.Truncate(pack, off, cut)))
	c.count = uint32(cut)
	l.fit(&c)
	l.setChunk(rank, c, -int(right.count))
	l.insertChunk(rank+1, right)
}

// mergeAround merges the chunks near one that was split, where both fit into one: first the two pairs beside it, then it with its neighbours.
func (l *List) mergeAround(rank int) {
	if l.merge(rank - 2) {
		rank--
	}
	l.merge(rank + 1)
	if l.merge(rank - 1) {
		rank--
	}
	l.merge(rank)
}

// merge moves the elements of the chunk behind that of rank into it if they have room there, and tells whether they had.
func (l *List) merge(rank int) bool {
	if rank < 0 || rank+1 >= l.n {
		return false
	}
	a, b := l.at(rank), l.at(rank+1)
	if !l.mergeable(&a, &b) {
		return false
	}
	l.takeChunk(rank + 1)
	l.unzip(&b)
	l.edit(&a, int(b.size))
	c := b.raw()
	a.size = uint64(len(listpack.Extend(a.pack(l.arena), c, packFirst, len(c)-1, int(b.count))))
	a.count += b.count
	l.drop(b.ref(), b.birth)
	l.fit(&a)
	l.setChunk(rank, a, int(b.count))
	return true
}

// DeleteRange removes count elements from element start on. REQUIRES: 0 ≤ start, start+count ≤ Len. O(log n) a chunk.
func (l *List) DeleteRange(start, count int) {
	if count == 0 {
		return
	}
	rank, within := l.seek(start)
	for count > 0 {
		c := l.at(rank)
		n := min(count, int(c.count)-within)
		if n == int(c.count) {
			l.removeChunk(rank)
		} else {
			l.deleteWithin(rank, within, n)
			l.fix(rank)
			rank++
		}
		count -= n
		within = 0
	}
	if l.opts.Depth > 0 {
		l.fixAll(rank)
	}
	l.checkSome()
}

// deleteWithin removes n elements of a listpack, but not all, from within on.
func (l *List) deleteWithin(rank, within, n int) {
	c := l.at(rank)
	l.edit(&c, 0)
	pack := c.raw()
	off := listpack.Seek(pack, within)
	c.count -= uint32(n)
	if within == int(c.count) {
		c.size = uint64(len(listpack.Truncate(pack, off, within)))
	} else {
		c.size = uint64(len(listpack.DeleteRange(pack, off, n)))
	}
	l.fit(&c)
	l.setChunk(rank, c, -n)
}

// Remove removes the elements that are equal to elem, or the first limit of them when limit > 0; with back the last ones. It
// returns how many they were. O(n).
func (l *List) Remove(elem []byte, limit int, back bool) (removed int) {
	r := reader{s: &l.seq, arena: l.arena}
	defer r.close()
	rank, step := 0, 1
	if back {
		rank, step = l.n-1, -1
	}
	for rank >= 0 && rank < l.n && (limit <= 0 || removed < limit) {
		c := r.chunk(rank)
		data, count := r.data(c), int(c.count)
		n := 0
		switch {
		case c.is(isPlain):
			if string(data) != string(elem) {
				break
			}
			n = 1
			l.removeChunk(rank)
			rank -= max(step, 0)
		case listpack.Find(data, packFirst, elem, 0) >= 0:
			n = l.removeWithin(rank, elem, limit-removed, back)
			if n == count {
				l.removeChunk(rank)
				rank -= max(step, 0)
			} else {
				l.fix(rank)
			}
		}
		if n > 0 {
			r.changed()
		}
		removed += n
		rank += step
	}
	if removed > 0 && l.opts.Depth > 0 {
		l.fixAll(rank)
	}
	l.checkSome()
	return removed
}

// removeWithin is Remove for a listpack of the list. When all elements are equal to elem, it leaves them there.
func (l *List) removeWithin(rank int, elem []byte, limit int, back bool) (removed int) {
	c := l.at(rank)
	l.edit(&c, 0)
	pack, removed := Remove(c.raw(), elem, limit, back)
	if removed == int(c.count) {
		l.setChunk(rank, c, 0) // its piece may be another one
		return removed
	}
	c.size, c.count = uint64(len(pack)), c.count-uint32(removed)
	l.fit(&c)
	l.setChunk(rank, c, -removed)
	return removed
}
