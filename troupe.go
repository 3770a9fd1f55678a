package troupe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/troupe-db/troupe/actors"
	"github.com/troupe-db/troupe/actors/config"
	"github.com/troupe-db/troupe/netio"
)

// Server is a running server. Its methods may be called from any goroutine.
type Server struct {
	sys   *actors.System
	net   *netio.Server // nil without a listener
	log   *slog.Logger
	stop  chan struct{} // closed when a client asks for SHUTDOWN
	close sync.Once
	err   error

	mu    sync.Mutex
	idle  []*actors.Local
	ended bool
}

// Start brings up a server. It returns once clients can connect.
func Start(o Options) (*Server, error) {
	cfg, err := configure(o)
	if err != nil {
		return nil, err
	}
	s := &Server{log: o.Log, stop: make(chan struct{})}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	opts := actors.Options{Config: cfg, Clock: o.Clock, Log: s.log, Stop: func(bool) { close(s.stop) }}
	if o.Seed != 0 {
		opts.Rand = seeded(o.Seed)
	}
	if s.sys, err = actors.New(opts); err != nil {
		return nil, err
	}
	if o.Addr == NoListener {
		s.followConfig(o, cfg)
		return s, nil
	}
	if err := s.listen(o, cfg); err != nil {
		s.sys.Close()
		return nil, err
	}
	return s, nil
}

// configure builds the configuration from the options.
func configure(o Options) (*config.Config, error) {
	cfg, err := config.Parse(o.Args, o.Stdin)
	if err != nil {
		return nil, err
	}
	if o.Shards != 0 {
		if err := cfg.Assign("shards", strconv.Itoa(o.Shards)); err != nil {
			return nil, fmt.Errorf("troupe: %w", err)
		}
	}
	return cfg, nil
}

// seeded returns a source of random numbers for several goroutines.
func seeded(seed uint64) func() uint64 {
	var mu sync.Mutex
	src := rand.NewPCG(seed, seed)
	return func() uint64 {
		mu.Lock()
		defer mu.Unlock()
		return src.Uint64()
	}
}

// listen opens the sockets.
func (s *Server) listen(o Options, cfg *config.Config) error {
	fits, err := netio.FitMaxClients(cfg.Load().MaxClients, s.log)
	if err != nil {
		return err
	}
	if fits < cfg.Load().MaxClients {
		if err := cfg.Assign("maxclients", strconv.Itoa(fits)); err != nil {
			return fmt.Errorf("troupe: %w", err)
		}
	}
	v := cfg.Load()
	at, err := listenAddrs(o, v)
	if err != nil {
		return err
	}
	opts := netio.Options{
		Admit:     s.admit,
		Listen:    at,
		KeepAlive: time.Duration(v.TCPKeepaliveSec) * time.Second,
		Loops:     eventLoops(v.EventLoops),
		Log:       s.log,
	}
	if at.TLSPort != 0 {
		opts.TLS = tlsOptions(v)
	}
	if s.net, err = netio.Open(opts); err != nil {
		return err
	}
	s.sys.SetListeners(opts.Loops, s.listeners(at))
	s.followConfig(o, cfg)
	if err := s.net.Start(); err != nil {
		_ = s.net.Stop(context.Background()) // closes the listening sockets
		return err
	}
	return nil
}

// tlsOptions picks what the configuration says about TLS.
func tlsOptions(v *config.Values) *netio.TLSOptions {
	return &netio.TLSOptions{
		CertFile: v.TLSCertFile, KeyFile: v.TLSKeyFile, KeyPassword: v.TLSKeyFilePass,
		CACertFile: v.TLSCACertFile, CACertDir: v.TLSCACertDir,
		AuthClients: map[string]netio.ClientAuth{
			"yes": netio.ClientAuthYes, "optional": netio.ClientAuthOptional, "no": netio.ClientAuthNo,
		}[v.TLSAuthClients],
		Protocols: v.TLSProtocols, Ciphers: v.TLSCiphers, NoSessionCaching: !v.TLSSessionCaching,
	}
}

// listenAddrs says where to listen: where Addr says, or the configuration, or on a free port of the loopback.
func listenAddrs(o Options, v *config.Values) (netio.Listen, error) {
	at := netio.Listen{
		Bind: v.Bind, Port: v.Port, TLSPort: v.TLSPort,
		UnixSocket: v.UnixSocket, UnixPerm: os.FileMode(v.UnixSocketPerm), Backlog: v.TCPBacklog,
	}
	addr := o.Addr
	if addr == "" {
		if len(o.Args) > 0 {
			return at, nil
		}
		addr = "127.0.0.1:0"
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return at, fmt.Errorf("troupe: address %q: %w", addr, err)
	}
	if at.Port, err = strconv.Atoi(port); err != nil {
		return at, fmt.Errorf("troupe: address %q: %w", addr, err)
	}
	if at.Port == 0 {
		at.Port = netio.AnyPort
	}
	at.Bind = []string{host}
	if host == "" {
		at.Bind = []string{"*", "-::*"}
	}
	return at, nil
}

// eventLoops returns how many event loops serve best when the configuration leaves it open: one on a small machine,
// where a second takes processor time from the first and from clients on the same machine.
func eventLoops(configured int) int {
	if configured > 0 {
		return configured
	}
	return defaultLoops()
}

// listeners describes the sockets for INFO.
func (s *Server) listeners(at netio.Listen) (l []actors.Listener) {
	if a := s.net.TCPAddr(); a != nil {
		l = append(l, actors.Listener{Name: "tcp", Addrs: at.Bind, Port: a.Port})
	}
	if at.UnixSocket != "" {
		l = append(l, actors.Listener{Name: "unix", Addrs: []string{at.UnixSocket}})
	}
	if a := s.net.TLSAddr(); a != nil {
		l = append(l, actors.Listener{Name: "tls", Addrs: at.Bind, Port: a.Port})
	}
	return l
}

// admit makes a session for a connection.
func (s *Server) admit(t netio.Transport, info netio.ConnInfo) (netio.Session, []byte) {
	sess, refusal := s.sys.Admit(t, actors.ConnInfo(info))
	if sess == nil {
		return nil, refusal // a nil *Session would not be a nil netio.Session
	}
	return sess, nil
}

// Addr returns the TCP address that clients can connect to, "host:port", or "" when there is none.
func (s *Server) Addr() string {
	if s.net == nil {
		return ""
	}
	if a := s.net.TCPAddr(); a != nil {
		return a.String()
	}
	return ""
}

// Done is closed when a client has sent SHUTDOWN: whoever started the server should then call Close.
func (s *Server) Done() <-chan struct{} { return s.stop }

// closeTimeout bounds how long Close waits for replies to be taken by clients.
const closeTimeout = 10 * time.Second

// Close stops the server: it accepts no more connections and commands, lets those that run end, writes their replies,
// and gives everything back. It may be called more than once.
func (s *Server) Close() error {
	s.close.Do(func() {
		if s.net != nil {
			ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
			defer cancel()
			if err := s.net.Stop(ctx); err != nil {
				s.err = fmt.Errorf("troupe: close: %w", err)
			}
		}
		s.mu.Lock()
		s.ended = true
		idle := s.idle
		s.idle = nil
		s.mu.Unlock()
		for _, l := range idle {
			l.Close()
		}
		s.sys.Close()
	})
	return s.err
}

// ErrClosed is returned by Do once the server is closed.
var ErrClosed = actors.ErrClosed

// Do runs one command inside the process, as the default user on database 0, and returns its reply.
//
// Arguments may be strings, byte slices, integers, floats or booleans. The reply is nil, a string, an int64, a float64,
// a bool, []any, map[any]any, or for other kinds of RESP3 what they are closest to; an error reply is returned as an
// error of type Error. When ctx ends first, its error is returned; the command may still take effect.
func (s *Server) Do(ctx context.Context, args ...any) (any, error) {
	words := make([][]byte, len(args))
	for i, a := range args {
		w, err := word(a)
		if err != nil {
			return nil, err
		}
		words[i] = w
	}
	if len(words) == 0 {
		return nil, errors.New("troupe: Do without a command")
	}
	l, err := s.local()
	if err != nil {
		return nil, err
	}
	v, err := l.Do(ctx, words...)
	if err != nil {
		l.Close()
		return nil, err
	}
	s.putLocal(l)
	return value(v)
}

// local takes an idle session or makes one.
func (s *Server) local() (*actors.Local, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, ErrClosed
	}
	if n := len(s.idle); n > 0 {
		l := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return l, nil
	}
	return s.sys.NewLocal(), nil
}

// maxIdleLocals bounds the sessions that are kept for later calls of Do.
const maxIdleLocals = 16

func (s *Server) putLocal(l *actors.Local) {
	s.mu.Lock()
	if !s.ended && len(s.idle) < maxIdleLocals && l.Reset() {
		s.idle = append(s.idle, l)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	l.Close()
}
