//go:build unix

package actors

import (
	"bytes"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// cpuTime is processor time in microseconds.
type cpuTime struct{ sysUs, userUs int64 }

// cpuTimes returns what the process and its ended children have used.
func cpuTimes() (self, children cpuTime) {
	read := func(who int) cpuTime {
		var u unix.Rusage
		if unix.Getrusage(who, &u) != nil {
			return cpuTime{}
		}
		return cpuTime{sysUs: u.Stime.Nano() / 1000, userUs: u.Utime.Nano() / 1000}
	}
	return read(unix.RUSAGE_SELF), read(unix.RUSAGE_CHILDREN)
}

// osName returns the system, its release and the machine, as uname does.
func osName() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return runtime.GOOS + " " + runtime.GOARCH
	}
	text := func(b []byte) string {
		if i := bytes.IndexByte(b, 0); i >= 0 {
			b = b[:i]
		}
		return string(b)
	}
	return text(u.Sysname[:]) + " " + text(u.Release[:]) + " " + text(u.Machine[:])
}

// residentBytes returns the resident memory of the process; 0 where the system does not tell.
func residentBytes() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	f := bytes.Fields(b)
	if len(f) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(f[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}

// totalMemory returns the memory of the machine; 0 where the system does not tell.
func totalMemory() int64 {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	f := bytes.Fields(b)
	if len(f) < 2 || string(f[0]) != "MemTotal:" {
		return 0
	}
	kb, _ := strconv.ParseInt(string(f[1]), 10, 64)
	return kb << 10
}
