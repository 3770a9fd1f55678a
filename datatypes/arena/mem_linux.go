package arena

import "golang.org/x/sys/unix"

const (
	// Transparent huge pages would make a chunk resident 2 MiB at a time and, once khugepaged collapses a range, bring back pages that
	// Trim gave away. Mapped must be what the process really holds, so chunks do without.
	adviseChunk   = unix.MADV_NOHUGEPAGE
	adviseDiscard = unix.MADV_DONTNEED
)
