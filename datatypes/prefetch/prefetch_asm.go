//go:build amd64 || arm64

package prefetch

import "unsafe"

// Read announces that the two cache lines from p on will be read. Any address will do: a prefetch never faults.
//
//go:noescape
func Read(p unsafe.Pointer)
