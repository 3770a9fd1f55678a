package hash

import (
	"math"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// deadlines is a heap of the deadlines of one hash: a tree in which no entry is later than its children, eight each, kept
// as a sequence.
//
//	place   0 … 6   7     8 … 15           16 … 23           …
//	       ┌──────┬──────┬────────────────┬─────────────────┬
//	       │ none │ root │ children of 7  │ children of 8   │ …
//	       └──────┴──────┴────────────────┴─────────────────┴
//
// The root at 7 puts siblings into 128 neighbouring bytes. An entry is a deadline and the record of its item, and the record knows the place
// of its entry; both are kept in step by put.
//
// The sequence lies in chunks of 4 KiB; the first one begins at 128 bytes and doubles, so that one deadline costs 128 bytes and
// many 16 each, and growing never copies more than a chunk.
//
// Rejected: package deadline, a timer wheel of lazy entries. It does not know the earliest deadline but a bound of it, drags
// stale entries along, cannot say how many items are due, and begins at 3 KiB a hash. It is two to three times as fast for
// a million items, which does not matter beside removing the items.
type deadlines struct {
	arena  *arena.Arena
	chunks []arena.Ref
	n      int // entries
	room   int // places of the first chunk
}

type due struct {
	at  int64
	ref arena.Ref
}

const (
	fanOut     = 8
	root       = fanOut - 1
	dueBytes   = int(unsafe.Sizeof(due{}))
	chunkShift = 8
	chunkRoom  = 1 << chunkShift // places of a chunk: 4 KiB
	firstRoom  = fanOut

	maxVolatile = math.MaxUint32 - root // what a place of four bytes can say
)

func (d *deadlines) entry(place uint32) *due {
	c := d.chunks[place>>chunkShift]
	return (*due)(unsafe.Add(c.Ptr(), uintptr(place%chunkRoom)*unsafe.Sizeof(due{})))
}

func (d *deadlines) at(place uint32) int64      { return d.entry(place).at }
func (d *deadlines) ref(place uint32) arena.Ref { return d.entry(place).ref }

// end is the place behind the last entry.
func (d *deadlines) end() uint32 { return root + uint32(d.n) }

func parent(place uint32) uint32     { return place/fanOut + root - 1 }
func firstChild(place uint32) uint64 { return uint64(place-root+1) * fanOut }

// put stores an entry and tells its item.
func (d *deadlines) put(place uint32, e due) {
	*d.entry(place) = e
	setPlace(e.ref, place)
}

// moved says that the item at a place has another record now, in which its place is not written yet.
func (d *deadlines) moved(place uint32, r arena.Ref) {
	d.entry(place).ref = r
	setPlace(r, place)
}

// push adds the deadline of an item.
func (d *deadlines) push(at int64, r arena.Ref) {
	if int64(d.n) == maxVolatile {
		panic("hash: more fields with a deadline than places")
	}
	d.grow()
	d.n++
	d.up(d.end()-1, due{at, r})
}

// change moves a deadline.
func (d *deadlines) change(place uint32, at int64) {
	e := *d.entry(place)
	was := e.at
	e.at = at
	if at < was {
		d.up(place, e)
	} else {
		d.down(place, e)
	}
}

// remove takes an entry out.
func (d *deadlines) remove(place uint32) {
	gone := *d.entry(place)
	d.n--
	if last := d.end(); place != last {
		e := *d.entry(last)
		if e.at < gone.at {
			d.up(place, e)
		} else {
			d.down(place, e)
		}
	}
	d.shrink()
}

// up stores e at a place or, while the parent is later, above.
func (d *deadlines) up(place uint32, e due) {
	for place > root {
		p := parent(place)
		above := *d.entry(p)
		if above.at <= e.at {
			break
		}
		d.put(place, above)
		place = p
	}
	d.put(place, e)
}

// down stores e at a place or, while a child is earlier, below.
func (d *deadlines) down(place uint32, e due) {
	end := uint64(d.end())
	for {
		c := firstChild(place)
		if c >= end {
			break
		}
		siblings := unsafe.Slice(d.entry(uint32(c)), min(end-c, fanOut))
		first := 0
		for i := range siblings {
			if siblings[i].at < siblings[first].at {
				first = i
			}
		}
		if siblings[first].at >= e.at {
			break
		}
		d.put(place, siblings[first])
		place = uint32(c) + uint32(first)
	}
	d.put(place, e)
}

// count returns how many entries from a place down are at or before nowMs, or most.
func (d *deadlines) count(place uint32, nowMs int64, most int) (n int) {
	if most <= 0 || d.at(place) > nowMs {
		return 0
	}
	n = 1
	for c, end := firstChild(place), min(firstChild(place)+fanOut, uint64(d.end())); c < end && n < most; c++ {
		n += d.count(uint32(c), nowMs, most-n)
	}
	return n
}

// grow makes room for one more entry.
func (d *deadlines) grow() {
	switch place := int(d.end()); {
	case len(d.chunks) == 0:
		d.room = firstRoom
		d.chunks = append(make([]arena.Ref, 0, 1), d.arena.Alloc(firstRoom*dueBytes))
	case len(d.chunks) == 1 && d.room < chunkRoom:
		if place >= d.room {
			d.resizeFirst(2 * d.room)
		}
	case place >= len(d.chunks)*chunkRoom:
		d.chunks = append(d.chunks, d.arena.Alloc(chunkRoom*dueBytes))
	}
}

// shrink gives back room that is far from needed.
func (d *deadlines) shrink() {
	last := len(d.chunks) - 1
	switch end := int(d.end()); {
	case d.n == 0:
		for _, c := range d.chunks {
			d.arena.Free(c)
		}
		d.chunks, d.room = nil, 0
	case last > 0:
		if end <= last*chunkRoom-chunkRoom/2 {
			d.arena.Free(d.chunks[last])
			d.chunks = d.chunks[:last]
			if c := cap(d.chunks); c > 8 && last < c/4 {
				d.chunks = append(make([]arena.Ref, 0, c/2), d.chunks...)
			}
		}
	case d.room > firstRoom && end <= d.room/4:
		d.resizeFirst(d.room / 2)
	}
}

func (d *deadlines) resizeFirst(room int) {
	r := d.arena.Alloc(room * dueBytes)
	n := min(room, d.room) * dueBytes
	copy(r.Bytes(n), d.chunks[0].Bytes(n))
	d.arena.Free(d.chunks[0])
	d.chunks[0], d.room = r, room
}

// bytes returns the arena memory of the heap.
func (d *deadlines) bytes() int64 {
	if len(d.chunks) == 0 {
		return 0
	}
	return int64(d.room+(len(d.chunks)-1)*chunkRoom) * int64(dueBytes)
}

// copyTo gives n room for the entries of d, whose places stay. The entries themselves are up to the caller.
func (d *deadlines) copyTo(n *deadlines) {
	if d.n == 0 {
		return
	}
	n.n, n.room = d.n, d.room
	n.chunks = make([]arena.Ref, len(d.chunks))
	for i := range n.chunks {
		room := chunkRoom
		if i == 0 {
			room = d.room
		}
		n.chunks[i] = n.arena.Alloc(room * dueBytes)
	}
}
