package hash

import (
	"fmt"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// checkItem panics when record r and the heap disagree.
func (h *Hash) checkItem(r arena.Ref) {
	l := layoutOf(r)
	if got, room := l.value+l.size, h.arena.SizeOf(r); got > room {
		panic(fmt.Sprintf("hash: an item of %d bytes in a record of %d", got, room))
	}
	if !l.dated {
		return
	}
	place := placeOf(r, l)
	if place < root || place >= h.due.end() || h.due.ref(place) != r {
		panic(fmt.Sprintf("hash: field %q is not at its place %d of %d", Item{r}.Field(), place, h.due.end()))
	}
	if at := h.due.at(place); at < 0 || (place > root && h.due.at(parent(place)) > at) {
		panic(fmt.Sprintf("hash: the deadline %d of field %q is out of order", at, Item{r}.Field()))
	}
}

// check panics when anything in the hash contradicts anything else. O(Len).
func (h *Hash) check() {
	var records int64
	n, dated := 0, 0
	h.Scan(0, h.Len(), func(it Item) {
		n++
		h.checkItem(it.ref)
		if layoutOf(it.ref).dated {
			dated++
		}
		records += int64(h.arena.SizeOf(it.ref))
	})
	if n != h.Len() || records != h.records || dated != h.due.n {
		panic(fmt.Sprintf("hash: items %d/%d, bytes %d/%d, deadlines %d/%d", n, h.Len(), records, h.records, dated, h.due.n))
	}
	var chunks int64
	for _, c := range h.due.chunks {
		chunks += int64(h.arena.SizeOf(c))
	}
	if chunks != h.due.bytes() || h.charged != h.heapBytes() {
		panic(fmt.Sprintf("hash: heap of deadlines %d/%d, Go heap %d/%d", chunks, h.due.bytes(), h.charged, h.heapBytes()))
	}
}
