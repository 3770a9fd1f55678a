package list

import (
	"fmt"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/listpack"
)

// check verifies the whole list and panics on the first contradiction. O(n).
func (l *List) check() {
	fail := func(format string, args ...any) { panic("list: " + fmt.Sprintf(format, args...)) }
	elems, bytes := 0, int64(unsafe.Sizeof(*l))+int64(len(l.views))*viewBytes+int64(cap(l.retired))*retiredBytes
	if (l.n > 2) != (l.root != 0) || l.n < 2 && l.ends[1] != (chunk{}) {
		fail("%d chunks, tree %t, second end %+v", l.n, l.root != 0, l.ends[1])
	}
	if l.root != 0 {
		all := l.checkTree(l.root, l.level)
		if int(all.chunks) != l.n-2 {
			fail("%d chunks in the tree, %d in all", all.chunks, l.n)
		}
		eachNode(l.root, l.level, func(r arena.Ref, _ int) { bytes += int64(l.arena.SizeOf(r)) })
	}
	r := reader{s: &l.seq, arena: l.arena}
	for rank := range l.n {
		c := r.chunk(rank)
		size := l.arena.SizeOf(c.ref())
		bytes += int64(size)
		elems += int(c.count)
		inner := l.opts.Depth > 0 && rank >= l.opts.Depth && l.n-1-rank >= l.opts.Depth
		switch {
		case c.birth > l.epoch:
			fail("chunk %d of epoch %d of %d", rank, c.birth, l.epoch)
		case c.is(isZip) && (!inner || int(c.zip) > size || c.size < uint64(c.zip)+minGain || c.start != 0):
			fail("chunk %d of %d is compressed from %d to %d", rank, l.n, c.size, c.zip)
		case !c.is(isZip) && (c.zip != 0 || int(c.start)+int(c.size) > size):
			fail("chunk %d: %d+%d of %d bytes", rank, c.start, c.size, size)
		case inner && !c.is(isZip|isTough) && c.size >= minZip:
			fail("chunk %d of %d should be compressed", rank, l.n)
		}
		data := r.data(c)
		if c.is(isPlain) {
			if c.count != 1 {
				fail("plain chunk of %d", c.count)
			}
			continue
		}
		if err := listpack.Validate(data, true); err != nil {
			fail("chunk %d: %v", rank, err)
		}
		if n := listpack.Len(data); n != int(c.count) || n == 0 {
			fail("chunk %d has %d elements, not %d", rank, n, c.count)
		}
	}
	r.close()
	for _, x := range l.retired {
		bytes += int64(l.arena.SizeOf(x.ref))
		if !l.seen(x) {
			fail("retired piece that no view can see")
		}
	}
	if elems != l.elems || bytes != l.bytes {
		fail("%d elements, %d bytes; counted %d and %d", elems, bytes, l.elems, l.bytes)
	}
}
