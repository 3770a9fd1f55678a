package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// rawClient is one connection of a raw loop.
type rawClient struct {
	fd    int
	sent  time.Time
	next  int // the request that follows
	lines int // still to come of the reply
}

// run sends n requests and waits for their replies. One thread serves all connections, as in redis-benchmark: a goroutine
// for each would take more of the processor than the server.
func (l rawLoop) run(s *server, n int) (loopResult, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return loopResult{}, fmt.Errorf("epoll: %w", err)
	}
	defer unix.Close(poll)
	var clients []rawClient
	defer func() {
		for _, c := range clients {
			unix.Close(c.fd)
		}
	}()
	for i := range l.clients {
		fd, err := rawDial(s.port)
		if err != nil {
			return loopResult{}, err
		}
		clients = append(clients, rawClient{fd: fd, next: i * len(l.requests) / l.clients})
		if err := unix.EpollCtl(poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}); err != nil {
			return loopResult{}, fmt.Errorf("epoll: %w", err)
		}
	}
	before, err := s.cpu()
	if err != nil {
		return loopResult{}, err
	}
	start := time.Now()
	waits, err := l.drive(poll, clients, n)
	if err != nil {
		return loopResult{}, err
	}
	took := time.Since(start)
	after, err := s.cpu()
	slices.Sort(waits)
	return loopResult{
		rate: float64(n) / took.Seconds(), p50: percentile(waits, 50), p99: percentile(waits, 99),
		cpuMicros: float64(after-before) / float64(time.Microsecond) / float64(n),
	}, err
}

// drive keeps one request of every client under way until n are answered, and returns how long each took.
func (l rawLoop) drive(poll int, clients []rawClient, n int) ([]time.Duration, error) {
	send := func(c *rawClient) error {
		c.sent, c.lines = time.Now(), l.lines
		request := l.requests[c.next%len(l.requests)]
		c.next++
		if sent, err := unix.Write(c.fd, request); err != nil || sent != len(request) {
			return fmt.Errorf("%d bytes of a request of %d were sent: %w", sent, len(request), err)
		}
		return nil
	}
	unsent := n
	for i := range clients[:min(n, len(clients))] {
		unsent--
		if err := send(&clients[i]); err != nil {
			return nil, err
		}
	}
	waits := make([]time.Duration, 0, n)
	events := make([]unix.EpollEvent, len(clients))
	buf := make([]byte, 64<<10)
	for len(waits) < n {
		ready, err := unix.EpollWait(poll, events, int(loopTimeout.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || ready == 0 {
			return nil, fmt.Errorf("%w: no reply for %v (%w)", context.DeadlineExceeded, loopTimeout, err)
		}
		for _, e := range events[:ready] {
			c := &clients[e.Fd]
			got, err := unix.Read(c.fd, buf)
			if err != nil || got <= 0 {
				return nil, fmt.Errorf("the server closed a connection: %w", err)
			}
			if at := errorLine(buf[:got]); at >= 0 {
				return nil, replyError(buf[at+1 : got])
			}
			if c.lines -= bytes.Count(buf[:got], []byte{'\n'}); c.lines > 0 {
				continue
			}
			waits = append(waits, time.Since(c.sent))
			if unsent > 0 {
				unsent--
				if err := send(c); err != nil {
					return nil, err
				}
			}
		}
	}
	return waits, nil
}

// rawDial connects without the Go runtime's own poller.
func rawDial(port int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("socket: %w", err)
	}
	to := &unix.SockaddrInet4{Port: port, Addr: [4]byte(net.IPv4(127, 0, 0, 1).To4())}
	err = errors.Join(unix.Connect(fd, to), unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
	if err != nil {
		unix.Close(fd)
		return 0, fmt.Errorf("connect: %w", err)
	}
	return fd, nil
}
