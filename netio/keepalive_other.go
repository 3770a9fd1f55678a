//go:build !linux

package netio

import "net"

// keepAliveInherited: not everywhere but on Linux does an accepted socket have the settings of its listener.
const keepAliveInherited = false

func setListenKeepAlive(*net.TCPListener, net.KeepAliveConfig) error { return nil }
