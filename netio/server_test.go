package netio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Stop lets commands under way finish and sends what waits, also to a client that starts to read only now.
func TestStopFlushes(t *testing.T) {
	big := pattern(8 << 20)
	prepare := func(s *fakeSession) {
		s.feed = lines(func(s *fakeSession, line string) ([]byte, bool) {
			if line == "slow" {
				s.busy.Store(true)
				return []byte("wait "), false
			}
			return append([]byte("big "), big...), false
		})
		s.resume = func(s *fakeSession) ([]byte, bool) {
			s.busy.Store(false)
			return []byte("done"), false
		}
	}
	everyWay(t, prepare, func(t *testing.T, h *house, d dialer) {
		idle, idleSession := h.pair(d)
		slow, slowSession := h.pair(d)
		send(t, slow, "slow\n")
		expect(t, slow, "wait ")
		reader, readerSession := h.pair(d)
		send(t, reader, "big\n")
		expect(t, reader, "big ")

		stopped := make(chan error, 1)
		go func() { stopped <- h.Stop(context.Background()) }()
		expectEnd(t, idle, "")
		h.wait(idleSession.gone)
		got, err := io.ReadAll(reader)
		require.NoError(t, err)
		require.True(t, bytes.Equal(big, got))
		h.wait(readerSession.gone)
		require.Empty(t, stopped)
		slowSession.tr.Wake()
		expectEnd(t, slow, "done")
		require.NoError(t, await(t, stopped))
		h.wait(slowSession.gone)
		_, err = d.connect(h)
		require.Error(t, err)
	})
}

func TestStopDoesNotWaitForEver(t *testing.T) {
	everyWay(t, func(s *fakeSession) { s.busy.Store(true) }, func(t *testing.T, h *house, d dialer) {
		_, busy := h.pair(d)
		half, lingering := h.pair(d)
		require.NoError(t, half.(interface{ CloseWrite() error }).CloseWrite())
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, h.Stop(ctx), context.DeadlineExceeded)
		h.wait(busy.gone)
		h.wait(lingering.gone)
		require.NoError(t, h.Stop(ctx), "a second call")
	})
}

func TestStopGivesDescriptorsBack(t *testing.T) {
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc here")
		}
		return len(entries)
	}
	var before int
	for i := range 4 {
		for _, d := range dialers {
			o := Options{Listen: Listen{Bind: []string{"127.0.0.1"}}}
			d.options(t, &o)
			h := startHouse(t, o, nil)
			nc, s := h.pair(d)
			send(t, nc, "x")
			expect(t, nc, "x")
			require.NoError(t, nc.Close())
			h.wait(s.gone)
			require.NoError(t, h.Stop(context.Background()))
		}
		if i == 0 {
			before = count() // what the process opens once, such as its own poller
		}
	}
	require.LessOrEqual(t, count(), before)
}

func TestStopBeforeStart(t *testing.T) {
	s, err := Open(Options{Listen: Listen{Bind: []string{"127.0.0.1"}, Port: AnyPort}})
	require.NoError(t, err)
	addr := s.TCPAddr().String()
	require.NoError(t, s.Stop(context.Background()))
	_, err = net.Dial("tcp", addr)
	require.Error(t, err)
	require.Error(t, s.Start())
}

func TestPorts(t *testing.T) {
	open := func(l Listen) (*Server, error) {
		s, err := Open(Options{Listen: l, Log: slog.New(slog.DiscardHandler)})
		if err == nil {
			t.Cleanup(func() { _ = s.Stop(context.Background()) })
		}
		return s, err
	}
	t.Run("none", func(t *testing.T) {
		s, err := open(Listen{Bind: []string{"*"}})
		require.NoError(t, err)
		require.Nil(t, s.TCPAddr())
		require.Empty(t, s.Addrs())
	})
	t.Run("any, the same at every address", func(t *testing.T) {
		s, err := open(Listen{Bind: []string{"127.0.0.1", "127.0.0.2", "-::1"}, Port: AnyPort})
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(s.Addrs()), 2)
		for _, addr := range s.Addrs() {
			require.Equal(t, s.TCPAddr().Port, addr.(*net.TCPAddr).Port)
		}
	})
	t.Run("the default addresses", func(t *testing.T) {
		s, err := open(Listen{Bind: []string{"*", "-::*"}, Port: AnyPort})
		require.NoError(t, err)
		require.True(t, s.TCPAddr().IP.IsUnspecified())
	})
	t.Run("in use", func(t *testing.T) {
		s, err := open(Listen{Bind: []string{"127.0.0.1"}, Port: AnyPort})
		require.NoError(t, err)
		_, err = open(Listen{Bind: []string{"127.0.0.3", "127.0.0.1"}, Port: s.TCPAddr().Port})
		require.ErrorIs(t, err, unix.EADDRINUSE)
		ln, err := net.Listen("tcp", (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 3), Port: s.TCPAddr().Port}).String())
		require.NoError(t, err, "what was opened before the error is closed")
		require.NoError(t, ln.Close())
	})
	const elsewhere = "192.0.2.1" // documentation address, on no machine
	t.Run("missing address", func(t *testing.T) {
		_, err := open(Listen{Bind: []string{"127.0.0.1", elsewhere}, Port: AnyPort})
		require.ErrorIs(t, err, unix.EADDRNOTAVAIL)
		s, err := open(Listen{Bind: []string{"127.0.0.1", "-" + elsewhere}, Port: AnyPort})
		require.NoError(t, err)
		require.Len(t, s.Addrs(), 1)
		_, err = open(Listen{Bind: []string{"-" + elsewhere}, Port: AnyPort})
		require.ErrorIs(t, err, unix.EADDRNOTAVAIL)
	})
	t.Run("TLS without a certificate", func(t *testing.T) {
		_, err := open(Listen{Bind: []string{"127.0.0.1"}, TLSPort: AnyPort})
		require.Error(t, err)
	})
}

func TestSocketOptions(t *testing.T) {
	h := startHouse(t, Options{
		Listen:    Listen{Bind: []string{"127.0.0.1"}, Port: AnyPort, Backlog: 17},
		KeepAlive: 300 * time.Second,
	}, nil)
	_, s := h.pair(overTCP)
	option := func(level, name int) int {
		v, err := unix.GetsockoptInt(s.info.FD, level, name)
		require.NoError(t, err)
		return v
	}
	require.NotZero(t, option(unix.IPPROTO_TCP, unix.TCP_NODELAY))
	require.NotZero(t, option(unix.SOL_SOCKET, unix.SO_KEEPALIVE))
	require.Equal(t, 100, option(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL))
	require.Equal(t, 3, option(unix.IPPROTO_TCP, unix.TCP_KEEPCNT))
	require.NoError(t, h.SetKeepAlive(0))
	_, s = h.pair(overTCP)
	require.Zero(t, option(unix.SOL_SOCKET, unix.SO_KEEPALIVE))
}

func TestUnixSocketFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "troupe.sock")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	stale.SetUnlinkOnClose(false)
	require.NoError(t, stale.Close())

	h := startHouse(t, Options{Listen: Listen{UnixSocket: path, UnixPerm: 0o710}}, nil)
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.Equal(t, fs.ModeSocket|0o710, info.Mode())
	nc, err := net.Dial("unix", path)
	require.NoError(t, err)
	require.NoError(t, nc.Close())
	h.wait(h.next().gone)
	require.NoError(t, h.Stop(context.Background()))
	_, err = os.Lstat(path)
	require.ErrorIs(t, err, fs.ErrNotExist)

	t.Run("another process's file stays", func(t *testing.T) {
		first, err := Open(Options{Listen: Listen{UnixSocket: path}})
		require.NoError(t, err)
		second, err := Open(Options{Listen: Listen{UnixSocket: path}})
		require.NoError(t, err)
		require.NoError(t, first.Stop(context.Background()))
		nc, err := net.Dial("unix", path)
		require.NoError(t, err)
		require.NoError(t, nc.Close())
		require.NoError(t, second.Stop(context.Background()))
	})
	t.Run("other files are not removed", func(t *testing.T) {
		require.NoError(t, os.WriteFile(path, []byte("data"), 0o600))
		_, err := Open(Options{Listen: Listen{UnixSocket: path}})
		require.ErrorIs(t, err, unix.EADDRINUSE)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, "data", string(data))
	})
}

func TestRebind(t *testing.T) {
	h := startHouse(t, Options{Listen: Listen{Bind: []string{"127.0.0.1"}, Port: AnyPort}}, nil)
	port := h.TCPAddr().Port
	nc, _ := h.pair(overTCP)
	at := func(host string) string {
		return (&net.TCPAddr{IP: net.ParseIP(host), Port: port}).String()
	}
	reach := func(addr string) error {
		other, err := net.Dial("tcp", addr)
		if err == nil {
			h.next()
			_ = other.Close()
		}
		return err
	}

	require.NoError(t, h.Rebind(Listen{Bind: []string{"*"}, Port: port}), "the wildcard has the specific address in its way")
	require.NoError(t, reach(at("127.0.0.2")))
	require.NoError(t, h.Rebind(Listen{Bind: []string{"127.0.0.1", "127.0.0.2"}, Port: port}))
	require.NoError(t, reach(at("127.0.0.2")))
	require.NoError(t, h.Rebind(Listen{Bind: []string{"127.0.0.1"}, Port: port}))
	require.Error(t, reach(at("127.0.0.2")))

	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	require.ErrorIs(t, h.Rebind(Listen{Bind: []string{"127.0.0.1"}, Port: busy.Addr().(*net.TCPAddr).Port}), unix.EADDRINUSE)
	require.NoError(t, reach(at("127.0.0.1")), "the old address is back")

	require.NoError(t, h.Rebind(Listen{}))
	require.Error(t, reach(at("127.0.0.1")))
	send(t, nc, "still here")
	expect(t, nc, "still here")
}

// failingListener fails to accept at first.
type failingListener struct {
	net.Listener
	failures atomic.Int32
}

func (l *failingListener) Accept() (net.Conn, error) {
	if l.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

func TestAcceptErrorsPass(t *testing.T) {
	var log bytes.Buffer
	h := startHouse(t, Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, nil)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ln := &failingListener{Listener: inner}
	ln.failures.Store(3)
	h.mu.Lock()
	h.Server.mu.Lock()
	h.listeners = append(h.listeners, &listener{Listener: ln})
	h.accepts.Add(1)
	go h.accept(h.listeners[0])
	h.Server.mu.Unlock()
	h.mu.Unlock()
	nc, _ := h.pair(overTCP)
	send(t, nc, "x")
	expect(t, nc, "x")
	require.NoError(t, h.Stop(context.Background()))
	require.Contains(t, log.String(), "too many open files")
}

func TestFitMaxClients(t *testing.T) {
	const unlimited = 1 << 40
	for _, c := range []struct {
		name             string
		soft, hard, root uint64 // root: what a raised hard limit may be at most
		asked, want      int
		wantErr          bool
	}{
		{"enough", 20000, 20000, 20000, 10000, 10000, false},
		{"soft limit raised", 1024, 20000, 20000, 10000, 10000, false},
		{"hard limit raised", 1024, 4096, unlimited, 10000, 10000, false},
		{"clamped to the hard limit", 1024, 4096, 4096, 10000, 4064, false},
		{"clamped at once", 4096, 4096, 4096, 10000, 4064, false},
		{"hopeless", 32, 32, 32, 10000, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			soft, hard := c.soft, c.hard
			got, err := fitMaxClients(c.asked, fileLimit{
				get: func() (uint64, uint64, error) { return soft, hard, nil },
				set: func(s, h uint64) error {
					if h > max(hard, c.root) || s > h {
						return errors.New("not permitted")
					}
					soft, hard = s, h
					return nil
				},
			}, slog.New(slog.DiscardHandler))
			require.Equal(t, c.wantErr, err != nil)
			require.Equal(t, c.want, got)
			if err == nil {
				require.GreaterOrEqual(t, soft, uint64(got)+reservedFiles)
			}
		})
	}
	got, err := FitMaxClients(10, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Equal(t, 10, got)
}
