//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package arena

import (
	"sync"
	"unsafe"
)

// Without mmap the memory comes from the Go heap as large pointer-free blocks, kept alive here. It has the same layout; Mapped
// then tells what the arena uses, and pages go back to the system with whole chunks only.

var held = struct {
	sync.Mutex
	blocks map[Ref][]byte
}{blocks: map[Ref][]byte{}}

func mapAligned(size uintptr, _ bool) Ref {
	b := make([]byte, size+chunkSize)
	base := (Ref(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) + chunkMask) &^ chunkMask
	held.Lock()
	defer held.Unlock()
	held.blocks[base] = b
	return base
}

// unmap drops a block once it is called for its base; giving back the end of one has no effect before that.
func unmap(base Ref, _ int64) {
	held.Lock()
	defer held.Unlock()
	delete(held.blocks, base)
}

func discard(Ref, int64) {}
