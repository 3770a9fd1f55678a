package netio

import (
	"errors"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// keepAliveInherited: what a listener accepts has its keep-alive settings, which saves four system calls, 5 % of the
// CPU, for each connection.
const keepAliveInherited = true

// setListenKeepAlive changes the keep-alive settings of a listening socket.
func setListenKeepAlive(ln *net.TCPListener, config net.KeepAliveConfig) error {
	return controlFD(ln, func(fd int) error {
		if !config.Enable {
			return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0))
		}
		return os.NewSyscallError("setsockopt", errors.Join(
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1),
			unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int(config.Idle/time.Second)),
			unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, int(config.Interval/time.Second)),
			unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, config.Count)))
	})
}
