package dict

import (
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/prefetch"
)

// A Find waits for the memory of the slot and then for that of the record. When many are to come, call WarmSlot for all
// of them, then WarmRecord for all, then Find: the waits overlap. Both are hints, and right for absent keys too.

// WarmSlot brings the slot where a key of this hash is or would be close to the processor.
func (d *Dict) WarmSlot(hash uint64) {
	if d.n == 0 {
		return
	}
	e := d.dir.entry(hash)
	prefetch.Read(unsafe.Pointer(e.slotAt(e.geometry().home(hash << e.depth() >> 48))))
}

// WarmRecord brings the record of a key of this hash close to the processor.
func (d *Dict) WarmRecord(hash uint64) {
	if d.n == 0 {
		return
	}
	e := d.dir.entry(hash)
	fp := hash << e.depth() >> 48
	for p := e.slotAt(e.geometry().home(fp)); *p != 0 && *p>>48 <= fp; p = nextSlot(p) {
		if *p>>48 == fp {
			prefetch.Read(arena.Ref(*p & refMask).Ptr())
			return
		}
	}
}
