package actors

import (
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// stepAside lets other goroutines, and other threads that wait for this processor, go first. Without the latter an event
// loop that the kernel had put on the processor of a long piece of work waited there for the next timer tick, 4 ms.
func stepAside() {
	runtime.Gosched()
	_, _, _ = syscall.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
}
