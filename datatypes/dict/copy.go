package dict

import (
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/prefetch"
)

// copyAhead is how many slots ahead Copy announces the records.
const copyAhead = 16

// Copy returns a dict with the same keys in another arena. move copies a record there and returns the copy, which must have the same
// key. Segments are copied as they are: that reads no keys but what move reads, and takes a quarter of the time that as many inserts do.
func (d *Dict) Copy(to *arena.Arena, move func(r arena.Ref) arena.Ref) *Dict {
	c := &Dict{arena: to, keyOff: d.keyOff, hash: d.hash}
	if d.n == 0 {
		return c
	}
	c.n, c.segs, c.maxCode = d.n, d.segs, d.maxCode
	if d.pools != nil {
		c.pools = new(pools)
	}
	c.dir = d.dir.clone()
	d.eachSegment(func(prefix uint64, e entry) {
		r := c.allocSegment(e.code())
		n := e.geometry().bytes
		copy(r.Bytes(n), e.ref().Bytes(n))
		fresh := e.withRef(r)
		slots := fresh.slots()
		for i, s := range slots {
			if i+copyAhead < len(slots) {
				prefetch.Read(unsafe.Pointer(arena.Ref(slots[i+copyAhead] & refMask).Ptr()))
			}
			if s != 0 {
				slots[i] = s&^refMask | uint64(move(arena.Ref(s&refMask)))
			}
		}
		c.dir.set(prefix, fresh)
	})
	return c
}

// clone returns a copy of the directory that shares nothing with it. Its entries are those of t.
func (t *directory) clone() directory {
	c := *t
	c.top = make([]*leaf, len(t.top))
	for i, l := range t.top {
		if i > 0 && t.top[i-1] == l { // a leaf's places are neighbours
			c.top[i] = c.top[i-1]
			continue
		}
		n := *l
		n.entries = append(make([]entry, 0, len(l.entries)), l.entries...)
		c.top[i] = &n
	}
	return c
}
