//go:build !linux

package actors

import "runtime"

// stepAside lets other goroutines go first.
func stepAside() { runtime.Gosched() }
