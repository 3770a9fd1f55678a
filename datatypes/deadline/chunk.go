package deadline

import (
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// A chunk is a power-of-two block of 8-byte words in the arena. Word 0 is its header, the others hold entries:
//
//	63      56 55      48 47                        0
//	+---------+----------+---------------------------+   +---------+   +---------+
//	|  class  |  count   |  next chunk of the chain  |   | entry 0 | … | entry n |
//	+---------+----------+---------------------------+   +---------+   +---------+
//
// A chain is named by its head, the only chunk that may be partly filled: entries are pushed to and popped from the head. A
// new head has twice the room of the one before, so a bucket of one key costs 32 bytes and a bucket of many 8.03 per key.
const (
	classMax   = 6 // 2 KiB: 255 entries; larger ones would only lengthen the copy that a compaction makes
	refBits    = 48
	refMask    = 1<<refBits - 1
	countOne   = 1 << refBits
	countShift = refBits
	classShift = 56
)

func chunkBytes(class uint64) int { return 32 << class }
func chunkCap(class uint64) int   { return 4<<class - 1 }

// word returns the address of word i of the block at r.
func word(r arena.Ref, i int) *uint64 {
	return (*uint64)(unsafe.Add(r.Ptr(), uintptr(i)*8))
}

func headerNext(h uint64) arena.Ref { return arena.Ref(h & refMask) }
func headerCount(h uint64) int      { return int(h >> countShift & 0xff) }
func headerClass(h uint64) uint64   { return h >> classShift }

// push adds an entry to the chain and returns its head. When the one pushed last has the same hash bits, the earlier of the two takes its place
// (added=false): one compare on a line that is loaded anyway, and it stops EXPIRE in a loop on one key from growing the
// chain. All of a chain's entries have the same time but for the low TimeBits, so the lesser word is the earlier entry.
func (x *Index) push(head arena.Ref, entry uint64) (newHead arena.Ref, added bool) {
	class := uint64(0)
	if head != 0 {
		header := word(head, 0)
		n := headerCount(*header)
		if before := word(head, n); *before>>TimeBits == entry>>TimeBits {
			*before = min(*before, entry)
			return head, false
		}
		class = headerClass(*header)
		if n < chunkCap(class) {
			*header += countOne
			*word(head, n+1) = entry
			return head, true
		}
		class = min(class+1, classMax)
	}
	r := x.arena.Alloc(chunkBytes(class))
	x.bytes += int64(chunkBytes(class))
	*word(r, 0) = uint64(head) | countOne | class<<classShift
	*word(r, 1) = entry
	return r, true
}

// pop takes the last entry of a non-empty chain and returns the head that remains, 0 when that was the last entry.
func (x *Index) pop(head arena.Ref) (newHead arena.Ref, entry uint64) {
	header := word(head, 0)
	n := headerCount(*header)
	entry = *word(head, n)
	if n > 1 {
		*header -= countOne
		return head, entry
	}
	newHead = headerNext(*header)
	x.freeChunk(head)
	return newHead, entry
}

func (x *Index) freeChunk(r arena.Ref) {
	x.bytes -= int64(chunkBytes(headerClass(*word(r, 0))))
	x.arena.Free(r)
}

func (x *Index) freeChain(head arena.Ref) {
	for head != 0 {
		next := headerNext(*word(head, 0))
		x.freeChunk(head)
		head = next
	}
}
