package actors

import (
	"sort"
	"sync"
	"sync/atomic"
)

// clientTable holds the sessions by ID. It is locked when a connection comes or goes and for CLIENT LIST and the like,
// never for a command on keys.
type clientTable struct {
	mu    sync.Mutex
	byID  map[int64]*Session
	next  int64
	count atomic.Int64
}

func (t *clientTable) init() { t.byID = make(map[int64]*Session) }

// counters of INFO that no shard keeps.
type counters struct {
	connections, rejectedConns atomic.Int64
	peakBytes                  atomic.Int64
	reads, writes              atomic.Int64 // of sockets
	authDenied                 atomic.Int64
}

// Texts that are sent to connections that are not accepted.
const (
	msgMaxClients = "-ERR max number of clients reached\r\n"
	msgProtected  = "-DENIED Redis is running in protected mode because protected mode is enabled and no password is " +
		"set for the default user. In this mode connections are only accepted from the loopback interface. To accept " +
		"others, set a password (requirepass), or, if the network is trusted, turn protected mode off from this host " +
		"with CONFIG SET protected-mode no and make it last with CONFIG REWRITE, or start the server with " +
		"--protected-mode no.\r\n"
)

// Admit makes a session for a new connection. When it may not have one, s is nil and refusal is what to send before
// closing.
func (sys *System) Admit(t Transport, info ConnInfo) (s *Session, refusal []byte) {
	v := sys.cfg.Load()
	if v.ProtectedMode && v.RequirePass == "" && !info.Loopback && !info.Unix {
		sys.stats.rejectedConns.Add(1)
		return nil, []byte(msgProtected)
	}
	if sys.clients.count.Add(1) > int64(v.MaxClients) { // counted first: several goroutines admit clients
		sys.clients.count.Add(-1)
		sys.stats.rejectedConns.Add(1)
		return nil, []byte(msgMaxClients)
	}
	sys.stats.connections.Add(1)
	return sys.newSession(t, info), nil
}

// newSession makes a session, which the caller has counted.
func (sys *System) newSession(t Transport, info ConnInfo) *Session {
	v := sys.cfg.Load()
	now := sys.clock.now() / 1e6
	s := &Session{sys: sys, transport: t, info: info, createdMs: now, proto: 2, user: "default"}
	s.authorized = v.RequirePass == ""
	s.parser.MaxBulk = int(v.ProtoMaxBulkLen)
	s.parser.Unauthenticated = !s.authorized
	s.shown.proto.Store(2)
	s.shown.multi.Store(-1)
	s.shown.activeMs.Store(now)
	c := &sys.clients
	c.mu.Lock()
	c.next++
	s.id = c.next
	c.byID[s.id] = s
	c.mu.Unlock()
	return s
}

func (sys *System) remove(s *Session) {
	c := &sys.clients
	c.mu.Lock()
	_, there := c.byID[s.id]
	delete(c.byID, s.id)
	c.mu.Unlock()
	if there {
		c.count.Add(-1)
	}
}

// session returns the session of this ID, nil when there is none.
func (sys *System) session(id int64) *Session {
	sys.clients.mu.Lock()
	defer sys.clients.mu.Unlock()
	return sys.clients.byID[id]
}

// sessions returns all sessions in the order of their IDs.
func (sys *System) sessions() []*Session {
	sys.clients.mu.Lock()
	all := make([]*Session, 0, len(sys.clients.byID))
	for _, s := range sys.clients.byID {
		all = append(all, s)
	}
	sys.clients.mu.Unlock()
	sort.Slice(all, func(i, j int) bool { return all[i].id < all[j].id })
	return all
}

// authorize makes the session the default user's.
func (s *Session) authorize() {
	s.authorized = true
	s.parser.Unauthenticated = false
}

// protocolError logs bytes that are no command. The client is told and closed by the session.
func (sys *System) protocolError(s *Session, err error) {
	sys.log.Debug("protocol error", "client", s.id, "addr", s.info.Remote, "error", err)
}
