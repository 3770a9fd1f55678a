package stream

import (
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// pool is where the pieces of a stream live, and counts them.
type pool struct {
	a     *arena.Arena
	bytes int64 // Σ SizeOf of the pieces, and what was charged for the Go heap
}

func (p *pool) alloc(n int) arena.Ref {
	r := p.a.Alloc(n)
	p.bytes += int64(p.a.SizeOf(r))
	return r
}

func (p *pool) free(r arena.Ref) {
	p.bytes -= int64(p.a.SizeOf(r))
	p.a.Free(r)
}

// charge counts n bytes of the Go heap, less if negative.
func (p *pool) charge(n int64) {
	p.bytes += n
	p.a.Charge(n)
}

// A block is a piece of the arena: the number of leaves that refer to it, then the listpack; what is behind that is room.
const blockHeader = 4

func blockRefs(b arena.Ref) *uint32 { return (*uint32)(b.Ptr()) }

// blockBytes returns the listpack of block b.
func blockBytes(b arena.Ref) []byte {
	lp := (*[blockHeader]byte)(unsafe.Add(b.Ptr(), blockHeader))
	n := int(uint32(lp[0]) | uint32(lp[1])<<8 | uint32(lp[2])<<16 | uint32(lp[3])<<24)
	return unsafe.Slice(&lp[0], n)
}

// blockRoom returns the listpack of block b with all its room as capacity.
func (p *pool) blockRoom(b arena.Ref) []byte {
	lp := blockBytes(b)
	return unsafe.Slice(&lp[0], p.a.SizeOf(b)-blockHeader)[:len(lp)]
}

// blockSpace returns the room of block b, of length 0.
func blockSpace(p *pool, b arena.Ref) []byte {
	lp := (*byte)(unsafe.Add(b.Ptr(), blockHeader))
	return unsafe.Slice(lp, p.a.SizeOf(b)-blockHeader)[:0]
}

// newBlock returns a block with room for a listpack of n bytes. It has no header yet.
func (p *pool) newBlock(n int) arena.Ref {
	b := p.alloc(blockHeader + n)
	*blockRefs(b) = 1
	return b
}

// copyBlock returns a block of its own that holds what b holds, with room for a listpack of n bytes.
func (p *pool) copyBlock(b arena.Ref, n int) arena.Ref {
	lp := blockBytes(b)
	c := p.newBlock(max(n, len(lp)))
	copy(unsafe.Slice((*byte)(unsafe.Add(c.Ptr(), blockHeader)), len(lp)), lp)
	return c
}

func dropBlock(p *pool, b arena.Ref) {
	refs := blockRefs(b)
	if *refs--; *refs == 0 {
		p.free(b)
	}
}
