package netio

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"syscall"
	"time"
)

// acceptRetry is how long accept waits after an error such as "too many open files" before it tries again.
const acceptRetry = 20 * time.Millisecond

// accept serves one listener until that is closed. An error of accept(2) is the system's trouble, mostly for a while:
// unlike gnet's own acceptor, which ends the engine, it goes on.
func (s *Server) accept(ln *listener) {
	defer s.accepts.Done()
	for {
		nc, err := ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			s.warn("cannot accept a client", err)
			select {
			case <-s.stopped:
				return
			case <-time.After(acceptRetry):
			}
			continue
		}
		slots, serve := s.enroll, s.serveLoop
		if ln.at.kind == listenTLS {
			slots, serve = s.shakes, s.serveTLS
		}
		select {
		case slots <- struct{}{}:
		case <-s.stopped:
			_ = nc.Close()
			return
		}
		s.accepts.Add(1)
		go func() {
			info := s.introduce(nc, ln)
			serve(nc, info)
		}()
	}
}

// introduce sets the socket's options and describes the connection.
func (s *Server) introduce(nc net.Conn, ln *listener) ConnInfo {
	if ln.at.kind == listenUnix {
		name := ln.at.host + ":0"
		return ConnInfo{Remote: name, Local: name, Unix: true, Loopback: true}
	}
	if idle := time.Duration(s.keep.Load()); idle > 0 && !keepAliveInherited {
		_ = nc.(*net.TCPConn).SetKeepAliveConfig(keepAliveConfig(idle))
	}
	remote, local := nc.RemoteAddr().(*net.TCPAddr), nc.LocalAddr().(*net.TCPAddr)
	// Clients are shown without the zone, as in Redis. It must also not reach gnet: that puts the zone's string, which
	// is shared by the whole process, into a pool of buffers to write to when the connection is closed.
	remote.Zone, local.Zone = "", ""
	return ConnInfo{Remote: remote.String(), Local: local.String(), TLS: ln.at.kind == listenTLS, Loopback: remote.IP.IsLoopback()}
}

// serveLoop moves a connection to an event loop.
func (s *Server) serveLoop(nc net.Conn, info ConnInfo) {
	defer func() {
		<-s.enroll
		s.accepts.Done()
	}()
	// EnrollContext closes nc (the loop gets a duplicate) and returns when the loop has called OnOpen.
	s.wanted.Add(1)
	defer s.wanted.Add(-1)
	if _, err := s.engine.EnrollContext(nc, &loopConn{srv: s, info: &info}); err != nil {
		s.warn("cannot serve a client", err)
	}
}

// serveTLS serves a connection on this goroutine until it ends.
func (s *Server) serveTLS(raw net.Conn, info ConnInfo) {
	var nc *tls.Conn
	c, err := newStreamConn(s, raw, func(socket net.Conn) net.Conn {
		nc = tls.Server(socket, s.tls.Load())
		return nc
	})
	known := err == nil && s.remember(c)
	s.accepts.Done() // Stop ends it through the stream
	if !known {
		<-s.shakes
		_ = raw.Close()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout)
	err = nc.HandshakeContext(ctx)
	cancel()
	<-s.shakes
	if err != nil {
		if !s.stopping.Load() {
			s.log.Info("TLS handshake failed", "addr", info.Remote, "err", err)
		}
		c.end()
		return
	}
	_ = controlFD(raw.(syscall.Conn), func(fd int) error {
		info.FD = fd
		return nil
	})
	c.serve(info)
}
