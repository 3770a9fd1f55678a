//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package arena

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// mapAligned maps size bytes at an address that is a multiple of chunkSize. Neighbouring mappings tend to be handed out top down, so
// that after an aligned chunk the next is aligned by itself: the plain attempt comes first.
func mapAligned(size uintptr, object bool) Ref {
	base := mmap(size)
	if base&chunkMask != 0 {
		unmap(base, int64(size))
		wide := mmap(size + chunkSize)
		base = (wide + chunkMask) &^ chunkMask
		if front := base - wide; front > 0 {
			unmap(wide, int64(front))
		}
		if back := wide + chunkSize - base; back > 0 {
			unmap(base+Ref(size), int64(back))
		}
	}
	if !object {
		advise(base, int64(size), adviseChunk)
	}
	return base
}

func mmap(size uintptr) Ref {
	p, err := unix.MmapPtr(-1, 0, nil, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		panic(fmt.Sprintf("arena: out of memory: cannot map %d bytes: %v", size, err))
	}
	return Ref(uintptr(p))
}

// unmap gives address space back. A failure would mean that the arena's books are wrong.
func unmap(base Ref, size int64) {
	if err := unix.MunmapPtr(base.Ptr(), uintptr(size)); err != nil {
		panic(fmt.Sprintf("arena: cannot unmap %d bytes at %#x: %v", size, uint64(base), err))
	}
}

// discard gives the pages of a region back and keeps the address space.
func discard(base Ref, size int64) { advise(base, size, adviseDiscard) }

// advise ignores failure: advice is about residency only, and kernels built without an advice answer EINVAL.
func advise(base Ref, size int64, advice int) {
	if advice >= 0 {
		_ = unix.Madvise(base.Bytes(int(size)), advice)
	}
}
