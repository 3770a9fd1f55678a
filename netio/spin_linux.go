package netio

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// While a loop is busy it serves its sockets itself, without going back to gnet for each.
//
// Every system call that the Go scheduler knows of gives it the chance to take the processor (its P) away from the
// loop, and its monitor thread stays awake to do so. With one request per read, as unpipelined clients send them, that
// made the loop move between threads all the time: 0.5 context switches and 3 system calls an operation where
// redis-server has 0.16 and 2.2. So after gnet has reported a socket, the loop waits in an epoll set of its own, by system
// calls that the scheduler does not see, for as long as more comes within a millisecond. Then it goes back to gnet,
// which waits in the ordinary way, so that an idle server holds no processor.
//
// What keeps this harmless: a wait is bounded (spinWaitMs); the garbage collector interrupts it by a signal, as it
// interrupts any running goroutine; new connections and tasks for gnet end it (wanted); and it is off where the
// process has one processor only.
type spinner struct {
	ep, efd int // epoll set of the loop's sockets, and the eventfd that wakes it
	events  [512]unix.EpollEvent
	buf     []byte
	byFD    []*loopConn
	skip    int // turns to leave out, since the last ones found nothing
	penalty int
}

const (
	spinWaitMs = 1
	spinFor    = 100 * time.Millisecond // then gnet has its turn
	maxPenalty = 64
)

// newSpinner returns nil where spinning is not possible or not wise.
func newSpinner(bufBytes int) *spinner {
	if runtime.GOMAXPROCS(0) < 2 {
		return nil
	}
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	efd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		_ = unix.Close(ep)
		return nil
	}
	sp := &spinner{ep: ep, efd: efd, buf: make([]byte, bufBytes)}
	if unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, efd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(efd)}) != nil {
		sp.release()
		return nil
	}
	return sp
}

func (sp *spinner) release() {
	_ = unix.Close(sp.ep)
	_ = unix.Close(sp.efd)
}

// add makes the spinner serve c.
func (sp *spinner) add(c *loopConn) {
	if unix.EpollCtl(sp.ep, unix.EPOLL_CTL_ADD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.fd)}) != nil {
		return // gnet serves it
	}
	for len(sp.byFD) <= c.fd {
		sp.byFD = append(sp.byFD, nil)
	}
	sp.byFD[c.fd] = c
}

// remove ends that. It comes before the socket is closed or duplicated.
func (sp *spinner) remove(c *loopConn) {
	if c.fd < len(sp.byFD) && sp.byFD[c.fd] == c {
		sp.byFD[c.fd] = nil
		_ = unix.EpollCtl(sp.ep, unix.EPOLL_CTL_DEL, c.fd, nil)
	}
}

// wake ends a wait. Any goroutine.
func (sp *spinner) wake() {
	one := [8]byte{0: 1}
	_, _ = unix.Write(sp.efd, one[:])
}

// spin serves the loop's sockets until nothing comes for a while. It runs on the loop's goroutine.
func (l *loop) spin(wanted *atomic.Int32) {
	sp := l.spinner
	if sp == nil {
		return
	}
	if sp.skip > 0 {
		sp.skip--
		return
	}
	served := 0
	start := time.Now()
	for turn := 1; wanted.Load() == 0; turn++ {
		if turn%16 == 0 && time.Since(start) > spinFor {
			break
		}
		if !l.beginWait() {
			break
		}
		n := sp.wait()
		l.endWait()
		if n <= 0 {
			l.leave(false)
			break
		}
		served += n
		ended := false
		for i := range sp.events[:n] {
			if !l.serve(int(sp.events[i].Fd)) {
				ended = true
			}
		}
		l.leave(false)
		if ended {
			break // gnet sees the same and closes the connection
		}
	}
	// Requests that come one at a time gain nothing from the wait that follows them: try less often.
	if served > 2 {
		sp.penalty = 0
	} else {
		sp.penalty = min(2*sp.penalty+1, maxPenalty)
		sp.skip = sp.penalty
	}
}

// wait returns how many events there are, at once or within spinWaitMs.
func (sp *spinner) wait() int {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(sp.ep), uintptr(unsafe.Pointer(&sp.events[0])),
		uintptr(len(sp.events)), spinWaitMs, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// serve reads from a socket and runs what came. False: the peer has closed, or the socket failed.
func (l *loop) serve(fd int) bool {
	sp := l.spinner
	if fd == sp.efd {
		var count [8]byte
		_, _ = unix.Read(sp.efd, count[:])
		return true
	}
	if fd >= len(sp.byFD) {
		return true
	}
	c := sp.byFD[fd]
	if c == nil || c.sess == nil {
		return true
	}
	n, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&sp.buf[0])), uintptr(len(sp.buf)))
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return true
	case errno != 0 || n == 0:
		return false
	}
	c.traffic(sp.buf[:n])
	return true
}

// beginWait says that a wake must go through the eventfd from now on. False: there is something to do first.
func (l *loop) beginWait() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.ready) > 0 {
		return false
	}
	l.spinning = true
	l.armed = false // a wake that went to gnet's queue will be looked at there too, but the next one must end the wait
	return true
}

// endWait says that the loop is at work.
func (l *loop) endWait() {
	l.mu.Lock()
	l.spinning = false
	l.armed = false // a wake that came was seen; its event at the eventfd is one wait that returns at once
	l.running = true
	l.mu.Unlock()
}

// writeRaw is write(2) to a socket that does not block, without the scheduler's notice.
func writeRaw(fd int, p []byte) (n int, err error) {
	r, _, errno := syscall.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(r), nil
}
