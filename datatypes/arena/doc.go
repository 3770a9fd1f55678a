// Package arena allocates memory outside the Go heap, for one owner, without locks.
//
// The records of a keyspace are tens of bytes and millions in number. On the Go heap each would cost a size class of the runtime, the
// collector's bitmap and its marking, and freed memory would return when the collector sees fit. Here an object is a Ref, an
// integer that the collector ignores; allocating or freeing one takes 3 to 4 ns; and what the arena holds from the system is known to
// the page.
//
// # Terminology
//
//	Ref      address of an object, 48 bits; 0 is none
//	class    one of 79 object sizes up to 16 KiB: steps of 4 bytes to 64, of 8 to 128, then eight per doubling
//	slab     64 KiB of objects of one class, or part of a run
//	run      neighbouring slabs that hold one object of 16 KiB to 1 MiB
//	chunk    4 MiB of address space: 63 slabs and a page with their headers
//	mapping  address space of its own for an object above 1 MiB
//	resident a page that was touched and not given back: this is what Mapped counts; address space costs nothing
//	bin      list of slabs of a class with similar occupancy
//
// # Design
//
//	           Arena ── cur[class] ──► slab header ─┬─ free list through the free objects
//	             │                                  └─ bump: the part never used, touched page by page
//	             └──── bins[class][0…7] ──► slabs with room, the fullest are used first
//
//	chunk ┌ headers ┬ slab ┬ slab ┬ …        headerRef(r): the header's address is r with its bits rearranged
//
// An object has no header of its own. Free finds the slab by masking the address, pushes the object on the slab's free list and is done,
// unless the slab was full, leaves its bin or is empty now: one comparison tells.
//
// Memory goes back in two steps. A slab that runs empty may serve any class; its pages stay resident until Trim gives them back (madvise),
// and chunks that hold nothing are unmapped. Trim does a bounded amount per call; the owner calls it now and then.
// Slabs that are sparse but not empty are what BeginCompact, ShouldMove and EndCompact are for: see compact.go.
//
// The counters obey Mapped = Used + Wasted + Idle + one page per chunk and per mapping.
//
// # Ownership
//
// An Arena belongs to one goroutine at a time; nothing in it is atomic. Release may run on another goroutine when nobody else uses
// the arena any more. SetReaper moves the slow part of unmapping elsewhere.
//
// # Caveats
//
//   - A Ref, and every pointer and slice made of it, dies with Free. Do not keep such pointers on the Go heap: after an
//     unmap the Go heap may move in at that address, and the collector would take the pointer for one of its own.
//   - Never store a Go pointer in an object: the collector does not look there.
//   - Contents are undefined after Alloc.
//   - Objects of a class that is not a multiple of 8 (12, 20, … 60 bytes) are 4-byte aligned.
//   - On systems without mmap memory comes from the Go heap in 4 MiB blocks and returns with whole blocks only.
//
// With the race detector or -tags invariants Free scribbles over the object, and a double free, a free inside an object and a
// free in the wrong arena panic.
//
// # Files
//
//	arena.go    Ref, Arena, Alloc, Free, counters       large.go    objects above 16 KiB
//	class.go    size classes                            compact.go  choosing sparse slabs
//	slab.go     chunks, slab headers, bins              trim.go     giving memory back
//	mem_*.go    the system's calls                      check.go    self-checks
package arena
