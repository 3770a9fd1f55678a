package netio

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEchoOfEverySplit(t *testing.T) {
	everyWay(t, nil, func(t *testing.T, h *house, d dialer) {
		nc, _ := h.pair(d)
		const text = "*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n"
		for i := range len(text) + 1 {
			send(t, nc, text[:i])
			expect(t, nc, text[:i])
			send(t, nc, text[i:])
			expect(t, nc, text[i:])
		}
	})
}

func TestInfo(t *testing.T) {
	everyWay(t, nil, func(t *testing.T, h *house, d dialer) {
		nc, s := h.pair(d)
		send(t, nc, "x")
		expect(t, nc, "x")
		require.Positive(t, s.info.FD)
		require.True(t, s.info.Loopback)
		require.Equal(t, d.name == "tls", s.info.TLS)
		require.Equal(t, d.name == "unix", s.info.Unix)
		if s.info.Unix {
			require.Equal(t, nc.RemoteAddr().String()+":0", s.info.Remote)
			require.Equal(t, s.info.Remote, s.info.Local)
		} else {
			require.Equal(t, nc.LocalAddr().String(), s.info.Remote)
			require.Equal(t, nc.RemoteAddr().String(), s.info.Local)
		}
	})
}

// A reply larger than all socket buffers reaches a slow reader whole, while commands sent meanwhile are still taken.
func TestBigReplySlowReader(t *testing.T) {
	big := pattern(10 << 20)
	fed := make(chan string, 16)
	var peak, last atomic.Int64
	prepare := func(s *fakeSession) {
		s.feed = lines(func(_ *fakeSession, line string) ([]byte, bool) {
			fed <- line
			if line == "big" {
				return big, false
			}
			return []byte(line), false
		})
		s.wrote = func(pending int) bool {
			peak.Store(max(peak.Load(), int64(pending)))
			last.Store(int64(pending))
			return false
		}
	}
	everyWay(t, prepare, func(t *testing.T, h *house, d dialer) {
		peak.Store(0)
		nc, s := h.pair(d)
		send(t, nc, "big\n")
		require.Equal(t, "big", await(t, fed))
		send(t, nc, "more\n")
		require.Equal(t, "more", await(t, fed))
		require.Positive(t, s.tr.Pending())
		got := make([]byte, len(big))
		for n := 0; n < len(got); {
			m, err := nc.Read(got[n:min(n+100_000, len(got))])
			require.NoError(t, err)
			n += m
		}
		require.True(t, bytes.Equal(big, got))
		expect(t, nc, "more")
		send(t, nc, "end\n")
		require.Equal(t, "end", await(t, fed))
		expect(t, nc, "end")
		require.Positive(t, peak.Load())
		h.stop(context.Background())
		h.wait(s.gone)
		require.Zero(t, last.Load())
		require.Zero(t, s.tr.Pending())
	})
}

func TestCloseAfterReply(t *testing.T) {
	big := pattern(8 << 20)
	prepare := func(s *fakeSession) {
		s.feed = lines(func(_ *fakeSession, line string) ([]byte, bool) {
			if line == "quit" {
				return []byte("+OK\r\n"), true
			}
			return big, false
		})
	}
	everyWay(t, prepare, func(t *testing.T, h *house, d dialer) {
		nc, s := h.pair(d)
		send(t, nc, "get\nquit\nget\n")
		got, err := io.ReadAll(nc)
		require.NoError(t, err)
		require.True(t, bytes.Equal(append(bytes.Clone(big), "+OK\r\n"...), got))
		h.wait(s.gone)
	})
}

func TestOutputLimit(t *testing.T) {
	prepare := func(s *fakeSession) {
		s.feed = func(*fakeSession, []byte) ([]byte, bool) { return pattern(1 << 20), false }
		s.wrote = func(pending int) bool { return pending > 4<<20 }
	}
	everyWay(t, prepare, func(t *testing.T, h *house, d dialer) {
		nc, s := h.pair(d)
		for { // without ever reading
			if _, err := nc.Write([]byte("get\n")); err != nil {
				break
			}
		}
		h.wait(s.gone)
	})
}

func TestTickCloses(t *testing.T) {
	ticks := make(chan int64, 1)
	prepare := func(s *fakeSession) {
		s.tick = func(nowMs int64) bool {
			ticks <- nowMs
			return true
		}
	}
	everyWay(t, prepare, func(t *testing.T, h *house, d dialer) {
		before := time.Now().UnixMilli()
		nc, s := h.pair(d)
		h.wait(s.gone)
		require.GreaterOrEqual(t, await(t, ticks), before)
		expectEnd(t, nc, "")
	})
}

func TestWakeFromManyGoroutines(t *testing.T) {
	const wakers, each = 8, 200
	prepare := func(s *fakeSession) {
		var mu sync.Mutex
		var queue []byte
		s.feed = func(s *fakeSession, _ []byte) ([]byte, bool) {
			for range wakers {
				go func() {
					for range each {
						mu.Lock()
						queue = append(queue, 'm')
						mu.Unlock()
						s.tr.Wake()
					}
				}()
			}
			return nil, false
		}
		s.resume = func(s *fakeSession) ([]byte, bool) {
			mu.Lock()
			defer mu.Unlock()
			s.out, queue = append(s.out[:0], queue...), queue[:0]
			return s.out, false
		}
	}
	everyWay(t, prepare, func(t *testing.T, h *house, d dialer) {
		nc, _ := h.pair(d)
		send(t, nc, "go")
		expect(t, nc, strings.Repeat("m", wakers*each))
	})
}

// Sessions that wake each other, on the same loop or across loops, and themselves, do not keep sockets waiting.
func TestWakeBetweenSessions(t *testing.T) {
	for _, loops := range []int{1, 3} {
		t.Run(fmt.Sprint(loops), func(t *testing.T) {
			var mu sync.Mutex
			var others []*fakeSession
			h := startHouse(t, Options{Loops: loops, Listen: Listen{Bind: []string{"127.0.0.1"}, Port: AnyPort}}, func(s *fakeSession) {
				mu.Lock()
				others = append(others, s)
				mu.Unlock()
				woken := false
				s.feed = func(s *fakeSession, data []byte) ([]byte, bool) {
					mu.Lock()
					defer mu.Unlock()
					for _, o := range others {
						o.tr.Wake()
					}
					return append(s.out[:0], data...), false
				}
				s.resume = func(s *fakeSession) ([]byte, bool) {
					s.tr.Wake() // for ever
					if woken {
						return nil, false
					}
					woken = true
					return []byte("woken"), false
				}
			})
			conns := make([]net.Conn, 20)
			for i := range conns {
				conns[i], _ = h.pair(overTCP)
			}
			send(t, conns[7], "x")
			for i, nc := range conns {
				if i == 7 {
					got := make([]byte, 6)
					_, err := io.ReadFull(nc, got)
					require.NoError(t, err)
					require.Equal(t, "xwoken", string(got))
				} else {
					expect(t, nc, "woken")
				}
			}
			send(t, conns[3], "y")
			expect(t, conns[3], "y")
		})
	}
}

func TestKill(t *testing.T) {
	everyWay(t, nil, func(t *testing.T, h *house, d dialer) {
		nc, s := h.pair(d)
		send(t, nc, "x")
		expect(t, nc, "x")
		go s.tr.Kill()
		h.wait(s.gone)
		_, err := nc.Read(make([]byte, 1))
		require.Error(t, err)
	})
}

// Kill also ends a connection whose client does not read.
func TestKillWithOutputWaiting(t *testing.T) {
	waits := make(chan struct{}, 1)
	prepare := func(s *fakeSession) {
		s.feed = func(*fakeSession, []byte) ([]byte, bool) { return pattern(16 << 20), false }
		s.wrote = func(int) bool {
			select {
			case waits <- struct{}{}:
			default:
			}
			return false
		}
	}
	everyWay(t, prepare, func(t *testing.T, h *house, d dialer) {
		nc, s := h.pair(d)
		send(t, nc, "x")
		h.wait(waits)
		s.tr.Kill()
		h.wait(s.gone)
	})
}

func TestKillInsideFeed(t *testing.T) {
	prepare := func(s *fakeSession) {
		s.feed = func(s *fakeSession, _ []byte) ([]byte, bool) {
			s.tr.Kill()
			s.tr.Wake()
			return nil, false
		}
	}
	everyWay(t, prepare, func(t *testing.T, h *house, d dialer) {
		nc, s := h.pair(d)
		send(t, nc, "x")
		h.wait(s.gone)
	})
}

func TestRefusal(t *testing.T) {
	for _, d := range dialers {
		t.Run(d.name, func(t *testing.T) {
			o := Options{Listen: Listen{Bind: []string{"127.0.0.1"}}}
			d.options(t, &o)
			h := &house{t: t}
			o.Admit = func(tr Transport, _ ConnInfo) (Session, []byte) {
				tr.Wake()
				return nil, []byte("-ERR max number of clients reached\r\n")
			}
			h.start(o)
			nc := d.dial(t, h)
			expectEnd(t, nc, "-ERR max number of clients reached\r\n")
		})
	}
}

func TestReset(t *testing.T) {
	prepare := func(s *fakeSession) {
		s.feed = func(*fakeSession, []byte) ([]byte, bool) { return pattern(8 << 20), false }
	}
	for _, d := range []dialer{overTCP, overTLS} {
		t.Run(d.name, func(t *testing.T) {
			o := Options{Listen: Listen{Bind: []string{"127.0.0.1"}}}
			d.options(t, &o)
			h := startHouse(t, o, prepare)
			nc, s := h.pair(d)
			send(t, nc, "x")
			_, err := nc.Read(make([]byte, 1000))
			require.NoError(t, err)
			raw := nc
			if un, ok := nc.(interface{ NetConn() net.Conn }); ok {
				raw = un.NetConn()
			}
			require.NoError(t, raw.(*net.TCPConn).SetLinger(0))
			require.NoError(t, raw.Close())
			h.wait(s.gone)
		})
	}
}

// A client that closes its sending half gets the replies to what it sent, though they come later.
func TestHalfClose(t *testing.T) {
	big := pattern(8 << 20)
	prepare := func(s *fakeSession) {
		s.feed = func(s *fakeSession, _ []byte) ([]byte, bool) {
			s.busy.Store(true)
			return []byte("first "), false
		}
		s.resume = func(s *fakeSession) ([]byte, bool) {
			if !s.busy.Swap(false) {
				return nil, false
			}
			return big, false
		}
	}
	everyWay(t, prepare, func(t *testing.T, h *house, d dialer) {
		nc, s := h.pair(d)
		send(t, nc, "x")
		expect(t, nc, "first ")
		require.NoError(t, nc.(interface{ CloseWrite() error }).CloseWrite())
		if c, ok := s.tr.(*loopConn); ok {
			eventually(t, func() bool { return c.heir.Load() != nil })
		}
		s.tr.Wake()
		got, err := io.ReadAll(nc)
		require.NoError(t, err)
		require.True(t, bytes.Equal(big, got))
		h.wait(s.gone)
		require.Zero(t, s.tr.Pending())
	})
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, patience, time.Millisecond)
}

func TestHalfCloseWhenIdle(t *testing.T) {
	everyWay(t, nil, func(t *testing.T, h *house, d dialer) {
		nc, s := h.pair(d)
		send(t, nc, "x")
		expect(t, nc, "x")
		require.NoError(t, nc.(interface{ CloseWrite() error }).CloseWrite())
		expectEnd(t, nc, "")
		h.wait(s.gone)
	})
}

func TestKillWhileLingering(t *testing.T) {
	prepare := func(s *fakeSession) { s.busy.Store(true) }
	everyWay(t, prepare, func(t *testing.T, h *house, d dialer) {
		nc, s := h.pair(d)
		require.NoError(t, nc.(interface{ CloseWrite() error }).CloseWrite())
		if c, ok := s.tr.(*loopConn); ok {
			eventually(t, func() bool { return c.heir.Load() != nil })
		}
		s.tr.Kill()
		h.wait(s.gone)
	})
}

func TestManyConnections(t *testing.T) {
	everyWay(t, nil, func(t *testing.T, h *house, d dialer) {
		const clients, rounds = 20, 10
		var wg sync.WaitGroup
		for range clients {
			wg.Go(func() {
				for i := range rounds {
					nc, err := d.connect(h)
					if err != nil {
						t.Error(err)
						return
					}
					text := fmt.Sprint("round ", i)
					got := make([]byte, len(text))
					if _, err := nc.Write([]byte(text)); err != nil {
						t.Error(err)
					}
					if _, err := io.ReadFull(nc, got); err != nil || string(got) != text {
						t.Error(err, string(got))
					}
					_ = nc.Close()
				}
			})
		}
		wg.Wait()
		for range clients * rounds {
			h.wait(h.next().gone)
		}
		s := h.Server
		eventually(t, func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, l := range s.loops {
				if l.live.Load() != 0 {
					return false
				}
			}
			return len(s.streams) == 0
		})
	})
}
