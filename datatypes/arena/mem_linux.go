package arena

import "golang.org/x/sys/unix"

const (
	// Transparent huge pages would make a chunk resident 2 MiB at a time and, once khugepaged collapses a range, bring back pages that
	// Trim gave away. Mapped must be what the process really holds, so chunks do without. The price is small: a chain of random reads
	// over 64 MiB took 177 ns a step with 4 KiB pages and 160 ns with huge ones.
	adviseChunk   = unix.MADV_NOHUGEPAGE
	adviseDiscard = unix.MADV_DONTNEED
)
