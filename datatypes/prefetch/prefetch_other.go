//go:build !amd64 && !arm64

package prefetch

import "unsafe"

// Read announces that the memory at p will be read; on this processor it does nothing.
func Read(unsafe.Pointer) {}
