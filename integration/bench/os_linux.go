package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ownSession starts a process in a session of its own that ends with this program.
func ownSession() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// processorTime returns the user and system time of all threads of a process: the sum that /proc/PID/stat shows in
// steps of 10 ms, read through the process's own clock, which has nanoseconds.
func processorTime(pid int) (time.Duration, error) {
	const perProcess = 2 // CPUCLOCK_SCHED of all threads; the kernel codes the process in the bits above
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|perProcess), &ts); err != nil {
		return 0, fmt.Errorf("processor clock of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// residentBytes reads Rss of /proc/PID/smaps_rollup, which is exact; VmRSS of /proc/PID/status lags behind.
func residentBytes(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "Rss:" {
			kb, err := strconv.ParseFloat(fields[1], 64)
			return kb * 1024, err
		}
	}
	return 0, errors.New("smaps_rollup without Rss")
}

// sleepExactly sleeps in the kernel, which is right to some 50 µs. REQUIRES: the caller has a thread to itself.
func sleepExactly(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&ts, nil) // ended early by a signal: the caller sends early by less than the runtime's own jitter
}

// raiseFileLimit makes room for the connections of redis-benchmark, which inherits the limit.
func raiseFileLimit() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Max < neededFiles {
		return fmt.Errorf("at most %d open files are allowed here, %d are needed (ulimit -n)", limit.Max, neededFiles)
	}
	limit.Cur = max(limit.Cur, neededFiles)
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

const neededFiles = 2 * manyClients
