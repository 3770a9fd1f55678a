//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package arena

import "golang.org/x/sys/unix"

const (
	adviseChunk   = -1
	adviseDiscard = unix.MADV_FREE // MADV_DONTNEED keeps the pages on these systems
)
