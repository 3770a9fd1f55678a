//go:build !linux

package netio

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// spinner is for Linux only, see spin_linux.go.
type spinner struct{}

func newSpinner(int) *spinner { return nil }

func (*spinner) release() {}

func (*spinner) add(*loopConn) {}

func (*spinner) remove(*loopConn) {}

func (*spinner) wake() {}

func (*loop) spin(*atomic.Int32) {}

func writeRaw(fd int, p []byte) (n int, err error) { return unix.Write(fd, p) }
