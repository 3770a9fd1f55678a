package netio

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// AnyPort as a port lets the system choose a free one; Server.TCPAddr and TLSAddr tell which.
const AnyPort = -1

// Listen says where to listen. Its fields mean what the configuration parameters of these names mean.
type Listen struct {
	// Bind are the addresses of the TCP and TLS listeners. "*" is every IPv4 address, "::*" every IPv6 address. An
	// address with '-' before it may be missing on this machine.
	Bind []string

	Port    int // 0: no plain TCP
	TLSPort int // 0: no TLS

	UnixSocket string      // path; "": none
	UnixPerm   os.FileMode // 0: as the umask has it

	Backlog int // tcp-backlog; 0: what the system allows at most
}

type listenKind uint8

const (
	listenTCP listenKind = iota
	listenTLS
	listenUnix
)

// endpoint is one place to listen at.
type endpoint struct {
	kind     listenKind
	host     string // as in Listen.Bind without '-'; for unix sockets the path
	port     int    // may be AnyPort
	optional bool
}

type listener struct {
	net.Listener
	at   endpoint
	file fs.FileInfo // of the unix socket
}

// endpoints lists what l asks for.
func (l *Listen) endpoints() (all []endpoint) {
	add := func(kind listenKind, port int) {
		for _, host := range l.Bind {
			bare, optional := strings.CutPrefix(host, "-")
			all = append(all, endpoint{kind, bare, port, optional})
		}
	}
	if l.Port != 0 {
		add(listenTCP, l.Port)
	}
	if l.TLSPort != 0 {
		add(listenTLS, l.TLSPort)
	}
	if l.UnixSocket != "" {
		all = append(all, endpoint{kind: listenUnix, host: l.UnixSocket})
	}
	return all
}

// anyPortTries bounds how often another free port is looked for because the one chosen for the first address was
// taken at another address.
const anyPortTries = 16

// openAll opens every endpoint, or none.
func openAll(l *Listen, at []endpoint) (opened []*listener, err error) {
	for range anyPortTries {
		if opened, err = tryOpenAll(l, at); err == nil || l.Port != AnyPort && l.TLSPort != AnyPort ||
			!errors.Is(err, unix.EADDRINUSE) {
			return opened, err
		}
	}
	return nil, err
}

func tryOpenAll(l *Listen, at []endpoint) (opened []*listener, err error) {
	var tried, got [listenUnix + 1]int
	var chosen [listenUnix + 1]int
	defer func() {
		if err != nil {
			for _, ln := range opened {
				ln.close()
			}
			opened = nil
		}
	}()
	var missing error
	for _, e := range at {
		tried[e.kind]++
		port := e.port
		if port == AnyPort {
			port = chosen[e.kind] // 0, a new one, for the first address
		}
		ln, err := l.open(e, port)
		if err != nil {
			if e.mayMiss(err) {
				missing = err
				continue
			}
			return opened, fmt.Errorf("netio: listen at %s: %w", e.describe(port), err)
		}
		if tcp, ok := ln.Addr().(*net.TCPAddr); ok {
			chosen[e.kind] = tcp.Port
		}
		got[e.kind]++
		opened = append(opened, ln)
	}
	for kind, n := range tried {
		if n > 0 && got[kind] == 0 {
			return opened, fmt.Errorf("netio: none of the addresses to listen at exists: %w", missing)
		}
	}
	return opened, nil
}

func (e endpoint) describe(port int) string {
	if e.kind == listenUnix {
		return e.host
	}
	return net.JoinHostPort(e.host, strconv.Itoa(port))
}

// mayMiss: an address family that the kernel lacks is no reason not to start (the default asks for IPv4 and IPv6).
func (e endpoint) mayMiss(err error) bool {
	if e.optional && errors.Is(err, unix.EADDRNOTAVAIL) {
		return true
	}
	for _, lacks := range []error{unix.EAFNOSUPPORT, unix.EPROTONOSUPPORT, unix.ENOPROTOOPT, unix.EPFNOSUPPORT, unix.ESOCKTNOSUPPORT} {
		if errors.Is(err, lacks) {
			return true
		}
	}
	return false
}

func (l *Listen) open(e endpoint, port int) (*listener, error) {
	if e.kind == listenUnix {
		return l.openUnix(e)
	}
	network, host := "tcp4", e.host
	switch {
	case host == "*":
		host = "0.0.0.0"
	case host == "::*":
		network, host = "tcp6", "::"
	case strings.Contains(host, ":"):
		network = "tcp6"
	}
	// net sets SO_REUSEADDR on listeners and TCP_NODELAY on what they accept. Keep-alive is the server's
	// business, since it may change at any time.
	lc := net.ListenConfig{KeepAlive: -1}
	ln, err := lc.Listen(context.Background(), network, net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	if err := controlFD(ln.(syscall.Conn), func(fd int) error { return setBacklog(fd, l.Backlog) }); err != nil {
		_ = ln.Close()
		return nil, err
	}
	return &listener{Listener: ln, at: e}, nil
}

func (l *Listen) openUnix(e endpoint) (*listener, error) {
	// A socket file left by a process that is gone would make bind fail. Anything else at this path is not ours.
	if info, err := os.Lstat(e.host); err == nil && info.Mode()&os.ModeSocket != 0 {
		if err := os.Remove(e.host); err != nil {
			return nil, err
		}
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: e.host, Net: "unix"})
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false) // close looks first whose file it is
	un := &listener{Listener: ln, at: e}
	if un.file, err = os.Lstat(e.host); err == nil && l.UnixPerm != 0 {
		err = os.Chmod(e.host, l.UnixPerm)
	}
	if err == nil {
		err = controlFD(ln, func(fd int) error { return setBacklog(fd, l.Backlog) })
	}
	if err != nil {
		un.close()
		return nil, err
	}
	return un, nil
}

// close also removes the socket file, unless another process has put its own there.
func (ln *listener) close() {
	_ = ln.Listener.Close()
	if ln.file == nil {
		return
	}
	if now, err := os.Lstat(ln.at.host); err == nil && os.SameFile(now, ln.file) {
		_ = os.Remove(ln.at.host)
	}
}

// setBacklog replaces the backlog that net chose, which is the system's limit.
func setBacklog(fd, backlog int) error {
	if backlog <= 0 {
		return nil
	}
	return os.NewSyscallError("listen", unix.Listen(fd, backlog))
}

// keepAliveConfig probes after idle, then every third of it, and gives up after three probes.
func keepAliveConfig(idle time.Duration) net.KeepAliveConfig {
	if idle <= 0 {
		return net.KeepAliveConfig{}
	}
	return net.KeepAliveConfig{
		Enable:   true,
		Idle:     max(idle, time.Second),
		Interval: max(idle/3, time.Second),
		Count:    3,
	}
}

func controlFD(c syscall.Conn, fn func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = fn(int(fd)) }); err != nil {
		return err
	}
	return inner
}
