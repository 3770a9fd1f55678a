package list

import (
	"encoding/binary"
	"math"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/datatypes/lzf"
)

// chunk describes a chunk. It stands in the List for the ends and in a leaf of the tree for the others; 32 bytes without a pointer.
//
//	piece ┌ room in front ┬ listpack or plain element ┬ room behind ┐
//	      0             start                   start+size      SizeOf
//
// A compressed chunk has neither kind of room: its piece begins with zip bytes of LZF, which expand to size bytes.
type chunk struct {
	where uint64 // arena.Ref in the low 48 bits, flags above
	size  uint64
	count uint32 // elements; 1 when plain
	birth uint32 // epoch
	start uint32
	zip   uint32
}

// Flags of a chunk.
const (
	isPlain = 1 << (48 + iota) // one element, not a listpack
	isZip                      // compressed
	isTough                    // was tried to be compressed, in vain

	refMask = 1<<48 - 1
)

const (
	packFirst  = 6 // offset of the first element of a listpack
	emptyBytes = listpack.MinBytes
	minPiece   = 64 // no less room is reserved for a listpack at an end
)

func (c *chunk) is(flag uint64) bool { return c.where&flag != 0 }

func (c *chunk) ref() arena.Ref { return arena.Ref(c.where & refMask) }

// raw returns the bytes of a chunk that is not compressed.
func (c *chunk) raw() []byte {
	end := int(c.start) + int(c.size)
	return c.ref().Bytes(end)[c.start:end:end]
}

// pack is raw with all of the room behind as capacity.
func (c *chunk) pack(a *arena.Arena) []byte {
	return c.ref().Bytes(a.SizeOf(c.ref()))[c.start:][:c.size]
}

// setHeader writes the header of a listpack of c's size and count.
func (c *chunk) setHeader() {
	b := c.raw()
	binary.LittleEndian.PutUint32(b, uint32(c.size))
	binary.LittleEndian.PutUint16(b[4:], uint16(min(c.count, math.MaxUint16)))
}

// room returns how many bytes suffice for elem in a listpack. Below 1 MiB the overhead of the format is at most 8 bytes, which keeps
// chunks that are nearly full from asking for more than their limit.
func room(elem []byte) int {
	if len(elem) < 1<<20 {
		return len(elem) + overhead
	}
	return listpack.MaxEntry(elem)
}

// prepend puts elem in front of the first element. REQUIRES: room in front. It writes a listpack of elem alone so that its end mark falls on
// the first byte of what is there, and mends that byte and the header.
func (c *chunk) prepend(elem []byte) {
	size := listpack.EncodedSize(elem)
	end := int(c.start) + int(c.size)
	all := c.ref().Bytes(end)
	first := int(c.start) + packFirst
	was := all[first]
	at := int(c.start) - size
	listpack.Append(listpack.AppendEmpty(all[at:at]), elem)
	all[first] = was
	c.start = uint32(at)
	c.size += uint64(size)
	c.count++
	c.setHeader()
}

// dropFirst removes the first of several elements by moving the header up to the second.
func (c *chunk) dropFirst() {
	size := listpack.Next(c.raw(), packFirst) - packFirst
	c.start += uint32(size)
	c.size -= uint64(size)
	c.count--
	c.setHeader()
}

// alloc returns a piece of arena memory and counts it.
func (l *List) alloc(size int) arena.Ref {
	r := l.arena.Alloc(size)
	l.bytes += int64(l.arena.SizeOf(r))
	return r
}

// free gives a piece back that no view can see.
func (l *List) free(r arena.Ref) {
	l.bytes -= int64(l.arena.SizeOf(r))
	l.arena.Free(r)
}

// drop lets go of a piece made in epoch birth: views may still see it.
func (l *List) drop(r arena.Ref, birth uint32) {
	if birth <= l.frozen {
		l.retire(r, birth)
		return
	}
	l.free(r)
}

// chunkOf returns a new chunk with one element.
func (l *List) chunkOf(elem []byte, plain bool) chunk {
	if plain {
		c := chunk{where: uint64(l.alloc(len(elem))) | isPlain, size: uint64(len(elem)), count: 1, birth: l.epoch}
		copy(c.raw(), elem)
		return c
	}
	need := emptyBytes + room(elem)
	if l.limit.Count == 1 {
		need = emptyBytes + listpack.EncodedSize(elem)
	}
	c := chunk{where: uint64(l.alloc(l.reserve(need, 1))), count: 1, birth: l.epoch}
	piece := c.ref().Bytes(need)
	c.size = uint64(len(listpack.Append(listpack.AppendEmpty(piece[:0:need]), elem)))
	return c
}

// chunkFrom returns a new chunk with the last count elements of a listpack, which begin at off.
func (l *List) chunkFrom(pack []byte, off, count int) chunk {
	body := pack[off : len(pack)-1]
	c := chunk{where: uint64(l.alloc(len(body) + emptyBytes)), size: uint64(len(body) + emptyBytes), count: uint32(count), birth: l.epoch}
	b := c.raw()
	copy(b[packFirst:], body)
	b[len(b)-1] = 0xff
	c.setHeader()
	return c
}

// reserve returns how large a piece to take for a listpack at an end, of count elements, that needs so many bytes: twice as much, but not
// more than can ever be filled.
func (l *List) reserve(need, count int) int {
	if count >= l.limit.Count {
		return need
	}
	return max(need, min(2*max(need, minPiece/2), l.limit.Bytes))
}

// own makes c, an end, the list's alone, so that its bytes may change.
func (l *List) own(c *chunk) {
	c.where &^= isTough
	if c.birth <= l.frozen {
		l.move(c, l.arena.SizeOf(c.ref()), int(c.start))
	}
}

// move copies the bytes of c, which is not compressed, into a new piece of so many bytes, at start.
func (l *List) move(c *chunk, size, start int) {
	from := c.raw()
	old, birth := c.ref(), c.birth
	c.where = c.where&^refMask | uint64(l.alloc(size))
	c.start, c.birth = uint32(start), l.epoch
	copy(c.raw(), from)
	l.drop(old, birth)
}

// roomBehind makes c, an end, the list's alone with room for need bytes behind.
func (l *List) roomBehind(c *chunk, need int) {
	c.where &^= isTough
	have := l.arena.SizeOf(c.ref())
	if c.birth > l.frozen {
		if have-int(c.start)-int(c.size) >= need {
			return
		}
		if have-int(c.size) >= need {
			l.shift(c, have, need, false)
			return
		}
	}
	l.move(c, l.reserve(int(c.size)+need, int(c.count)+1), 0)
}

// roomInFront makes c, an end, the list's alone with room for need bytes in front.
func (l *List) roomInFront(c *chunk, need int) {
	c.where &^= isTough
	if c.birth > l.frozen {
		if int(c.start) >= need {
			return
		}
		if have := l.arena.SizeOf(c.ref()); have-int(c.size) >= need {
			l.shift(c, have, need, true)
			return
		}
	}
	size := l.reserve(int(c.size)+need, int(c.count)+1)
	l.move(c, size, size-int(c.size))
}

// shift moves a listpack inside its piece of have bytes: the room goes to both sides in equal parts, so that pushes from both
// sides in turn do not move it to and fro; but need bytes at least to the side that asks.
func (l *List) shift(c *chunk, have, need int, front bool) {
	spare := have - int(c.size)
	start := spare / 2
	if front {
		start = max(start, need)
	} else {
		start = min(start, spare-need)
	}
	from := c.raw()
	c.start = uint32(start)
	copy(c.raw(), from)
}

// trim gives back the room that an end has left when it ceases to be one. A little is not worth a copy: size classes are up to an eighth
// apart anyway.
func (l *List) trim(c *chunk) {
	if c.is(isPlain) || c.birth <= l.frozen {
		return
	}
	if size := int(c.size); l.arena.SizeOf(c.ref())-size > size/8+16 {
		l.move(c, size, 0)
	}
}

// slim gives memory back when three quarters of the piece are empty, but half of what it then is.
func (l *List) slim(c *chunk) {
	if size := int(c.size); 4*size < l.arena.SizeOf(c.ref()) && size >= minPiece/2 {
		l.move(c, 2*size, 0)
	}
}

// edit makes c ready for a change in the middle of its listpack, which may need extra bytes more: raw, the list's alone, and with some
// room besides, so that inserting at one place again and again does not copy the chunk every time.
func (l *List) edit(c *chunk, extra int) {
	l.unzip(c)
	c.where &^= isTough
	have := l.arena.SizeOf(c.ref()) - int(c.start)
	if c.birth > l.frozen && have >= int(c.size)+extra {
		return
	}
	size := int(c.size) + extra
	if extra > 0 {
		size += size / 8
	}
	l.move(c, size, 0)
}

// fit ends an edit: room beyond that is given back.
func (l *List) fit(c *chunk) {
	if size := int(c.size); l.arena.SizeOf(c.ref())-size > size/2+minPiece {
		l.move(c, size, 0)
	}
}

// zip compresses c. One that does not become smaller by more than a few bytes stays as it is.
func (l *List) zip(c *chunk) {
	if c.is(isZip|isTough) || c.size < minZip || c.size > math.MaxInt32 {
		return
	}
	tmp := l.alloc(int(c.size) - minGain)
	n := lzf.Compress(tmp.Bytes(int(c.size)-minGain), c.raw())
	if n == 0 {
		l.free(tmp)
		c.where |= isTough
		return
	}
	to := l.alloc(n)
	copy(to.Bytes(n), tmp.Bytes(n))
	l.free(tmp)
	l.drop(c.ref(), c.birth)
	c.where = c.where&^refMask | uint64(to) | isZip
	c.start, c.zip, c.birth = 0, uint32(n), l.epoch
}

// unzip expands c if it is compressed.
func (l *List) unzip(c *chunk) {
	if !c.is(isZip) {
		return
	}
	to := l.alloc(int(c.size))
	c.expand(to.Bytes(int(c.size)))
	l.drop(c.ref(), c.birth)
	c.where = c.where&^(refMask|isZip) | uint64(to)
	c.zip, c.birth = 0, l.epoch
}

// expand writes the bytes of a compressed chunk to dst.
func (c *chunk) expand(dst []byte) {
	if err := lzf.Decompress(dst, c.ref().Bytes(int(c.zip))); err != nil {
		panic(err) // nobody but zip writes there
	}
}
