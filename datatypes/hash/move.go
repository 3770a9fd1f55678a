package hash

import (
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/dict"
)

const objectBytes = int64(unsafe.Sizeof(Hash{}) + unsafe.Sizeof(dict.Dict{}))

// heapBytes is what h takes of the Go heap.
func (h *Hash) heapBytes() int64 {
	return objectBytes + h.dict.DirBytes() + int64(cap(h.due.chunks))*int64(unsafe.Sizeof(arena.Ref(0)))
}

// charge tells the arena what h takes of the Go heap. It is called after every change that may matter.
func (h *Hash) charge() {
	if n := h.heapBytes(); n != h.charged {
		h.arena.Charge(n - h.charged)
		h.charged = n
	}
}

// Bytes returns all memory of the hash: arena and Go heap. O(1).
func (h *Hash) Bytes() int64 {
	return h.records + h.dict.Bytes() - h.dict.DirBytes() + h.due.bytes() + h.charged
}

// Clone returns a copy in another arena, or in the same. O(Len).
func (h *Hash) Clone(to *arena.Arena) *Hash {
	n := New(to)
	h.due.copyTo(&n.due)
	n.dict = h.dict.Copy(to, func(old arena.Ref) arena.Ref {
		l := layoutOf(old)
		total := l.value + l.size
		r := to.Alloc(total)
		n.records += int64(to.SizeOf(r))
		copy(r.Bytes(total), old.Bytes(total))
		if l.dated {
			place := placeOf(old, l)
			*n.due.entry(place) = due{h.due.at(place), r}
		}
		return r
	})
	n.charge()
	return n
}

// Free gives all memory back to the arena; the hash must not be used afterwards. O(Len).
func (h *Hash) Free() {
	h.dict.Scan(0, h.Len(), func(s dict.Slot) { h.arena.Free(s.Ref()) })
	h.dict.Clear()
	for _, c := range h.due.chunks {
		h.arena.Free(c)
	}
	h.arena.Charge(-h.charged)
	*h = Hash{}
}

// compactHeap marks the positions of Compact that stand for chunks of the heap; those of the dict have zeros below their upper 44
// bits.
const compactHeap = 1

// Compact moves what lies in slabs that the arena wants to empty, looking at about budget pieces from position pos on. It
// returns where to go on and whether there is more. 0 is the beginning.
func (h *Hash) Compact(pos uint64, budget int) (next uint64, more bool) {
	if pos&compactHeap == 0 {
		next, more = h.dict.Scan(pos, budget, func(s dict.Slot) {
			r := s.Ref()
			if !h.arena.ShouldMove(r) {
				return
			}
			l := layoutOf(r)
			n := h.move(r, l.value+l.size)
			h.records += int64(h.arena.SizeOf(n)) - int64(h.arena.SizeOf(r))
			s.Set(n)
			if l.dated {
				h.due.entry(placeOf(r, l)).ref = n
			}
			h.arena.Free(r)
		})
		if more {
			return next, true
		}
		h.dict.Compact()
		return compactHeap, len(h.due.chunks) > 0
	}
	from := int(pos >> 1)
	to := min(from+max(budget, 1), len(h.due.chunks))
	for i := from; i < to; i++ {
		if c := h.due.chunks[i]; h.arena.ShouldMove(c) {
			room := chunkRoom
			if i == 0 {
				room = h.due.room
			}
			h.due.chunks[i] = h.move(c, room*dueBytes)
			h.arena.Free(c)
		}
	}
	return uint64(to)<<1 | compactHeap, to < len(h.due.chunks)
}

func (h *Hash) move(r arena.Ref, size int) arena.Ref {
	n := h.arena.Alloc(size)
	copy(n.Bytes(size), r.Bytes(size))
	return n
}
