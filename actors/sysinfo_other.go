//go:build !unix

package actors

import "runtime"

// cpuTime is processor time in microseconds.
type cpuTime struct{ sysUs, userUs int64 }

func cpuTimes() (self, children cpuTime) { return }

func osName() string { return runtime.GOOS + " " + runtime.GOARCH }

func residentBytes() int64 { return 0 }

func totalMemory() int64 { return 0 }
