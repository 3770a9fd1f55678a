package actors

import (
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/troupe-db/troupe/actors/config"
	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/scripting"
)

// maxShards is bounded by the 64-bit sets in which batches hold shard numbers.
const maxShards = 64

// Options make a System. Config is required.
type Options struct {
	Config *config.Config
	Clock  Clock         // the operating system's by default
	Log    *slog.Logger  // discards by default
	Rand   func() uint64 // source of randomness, safe for use by several goroutines
	Stop   func(save bool)
}

// System is one server: its shards, its sessions and everything they share. Systems share nothing with each other.
type System struct {
	cfg         *config.Config
	log         *slog.Logger
	clock       *ticker
	rand        func() uint64
	table       *command.Table
	settings    atomic.Pointer[command.Settings]
	shardConfig atomic.Pointer[shardConfig]
	journal     command.Journal
	actors      *actor.ActorSystem
	shards      []*shard
	keyspaces   []*keyspace.Shard
	allShards   uint64
	expiry      *expiry

	serverStats *cmdStats
	errors      errorStats
	stats       counters
	baseline    baseline
	runID       string
	replID      atomic.Pointer[string]
	startNs     int64
	epochMs     int64 // when the shards were made

	clients     clientTable
	hub         hub
	subscribers atomic.Int64 // clients with subscriptions
	blocked     atomic.Int64 // clients in blocking commands,
	timeouts    atomic.Int64 // and those of them that have a timeout

	scripts      *scripting.Engine
	overdue      atomic.Uint64 // shards that scripts hold for too long, see busy.go
	busyMu       sync.Mutex
	busyFunction atomic.Bool // one of them is a function
	allowDenied  atomic.Bool // DEBUG SET-DISABLE-DENY-SCRIPTS

	paused atomic.Int32 // pauseKind
	// plainFrom is DEBUG QUICKLIST-PACKED-THRESHOLD, 0 unless it was given.
	plainFrom atomic.Int64
	pauseMu   sync.Mutex
	pause     pauseList

	netIn, netOut                   atomic.Int64
	queryLimitHits, outputLimitHits atomic.Int64

	loops     atomic.Int32 // event loops, for INFO
	listeners atomic.Pointer[[]Listener]

	shutdown shutdownState
	cronTick cronState
}

// Listener is an address that the server is reachable at, for INFO.
type Listener struct {
	Name  string // tcp, tls or unix
	Addrs []string
	Port  int // 0 for unix
}

// SetListeners tells what INFO shows of the network.
func (sys *System) SetListeners(loops int, l []Listener) {
	sys.loops.Store(int32(loops))
	sys.listeners.Store(&l)
}

// port returns the TCP port that INFO shows.
func (sys *System) port() int {
	if l := sys.listeners.Load(); l != nil {
		for _, x := range *l {
			if x.Name == "tcp" {
				return x.Port
			}
		}
	}
	return sys.cfg.Load().Port
}

// listenerLines describes the listeners as INFO does.
func (sys *System) listenerLines() (lines []string) {
	l := sys.listeners.Load()
	if l == nil {
		return nil
	}
	for _, x := range *l {
		line := "name=" + x.Name
		for _, a := range x.Addrs {
			line += ",bind=" + a
		}
		if x.Port != 0 {
			line += fmt.Sprintf(",port=%d", x.Port)
		}
		lines = append(lines, line)
	}
	return lines
}

// baseline is what counters that never go back stood at when CONFIG RESETSTAT was run.
type baseline struct{ netIn, netOut, hits, misses, expired, evictedScripts atomic.Int64 }

// New starts the actors of a server.
func New(o Options) (*System, error) {
	v := o.Config.Load()
	sys := &System{cfg: o.Config, log: o.Log, rand: o.Rand}
	if sys.log == nil {
		sys.log = slog.New(slog.DiscardHandler)
	}
	if sys.rand == nil {
		sys.rand = rand.Uint64
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	sys.clock = newTicker(o.Clock)
	sys.startNs = sys.clock.now()
	sys.epochMs = sys.startNs / 1e6
	sys.runID = sys.randomID()
	sys.changeReplID()
	sys.scripts = scripting.New(scripting.Options{
		Table: func() *command.Table { return sys.table },
		Log:   sys.logScript,
		NowUs: func() int64 { return sys.clock.now() / 1e3 },
	})
	sys.table = command.NewTable(append(specs(), sys.scripts.Specs()...))
	for _, d := range o.Config.Renames() {
		if err := sys.table.Rename(d.Args[0], d.Args[1]); err != nil {
			return nil, d.Err(err.Error())
		}
	}
	sys.serverStats = newCmdStats(len(sys.table.All()))
	sys.clients.init()
	sys.hub.init()
	sys.shutdown.stop = o.Stop
	sys.configChanged(v, v)
	o.Config.OnChange(sys.configChanged)

	n := v.Shards
	if n == 0 {
		n = defaultShards(runtime.GOMAXPROCS(0))
	}
	if n > maxShards {
		return nil, fmt.Errorf("actors: %d shards, at most %d are possible", n, maxShards)
	}
	sys.actors = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return sys.log }))
	sys.expiry = &expiry{sys: sys}
	sys.expiry.armed.Store(math.MaxInt64)
	pid, err := sys.actors.Root.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return sys.expiry }), "expiry")
	if err != nil {
		return nil, fmt.Errorf("actors: start expiry: %w", err)
	}
	sys.expiry.pid = pid
	for i := range n {
		if err := sys.startShard(i, v); err != nil {
			return nil, err
		}
	}
	sys.allShards = 1<<n - 1
	if n == 64 {
		sys.allShards = math.MaxUint64
	}
	sys.startCron()
	return sys, nil
}

// randomID returns 40 random hexadecimal digits.
func (sys *System) randomID() string {
	return fmt.Sprintf("%016x%016x%08x", sys.rand(), sys.rand(), uint32(sys.rand()))
}

// changeReplID gives the data set another name.
func (sys *System) changeReplID() {
	id := sys.randomID()
	sys.replID.Store(&id)
}

// defaultShards returns how many shards serve best on a number of processors: see BenchmarkShards. One event loop
// drives them all on small machines, where more shards only add hops; but a heavy command occupies its shard alone, so
// there should be some even then.
func defaultShards(procs int) int {
	if procs <= 1 {
		return 2
	}
	return min(2*procs, maxShards)
}

func (sys *System) startShard(i int, v *config.Values) error {
	s := &shard{id: i, sys: sys, mailbox: newMailbox(), armed: math.MaxInt64, stats: newCmdStats(len(sys.table.All()))}
	s.ks = keyspace.NewShard(keyspace.Options{
		ID: i, Databases: v.Databases, NowMs: sys.epochMs, Rand: sys.rand,
		Later: func(f func()) { go f() },
	})
	s.ks.ReapFields = command.ReapFields
	s.published.keys = make([]atomic.Int64, v.Databases)
	s.published.volatile = make([]atomic.Int64, v.Databases)
	s.published.ttlSumMs = make([]atomic.Int64, v.Databases)
	s.published.dbTables = make([]atomic.Int64, v.Databases)
	s.published.dbIndex = make([]atomic.Int64, v.Databases)
	s.used = make([]dbSizes, v.Databases)
	s.mailbox.stage = &s.stage
	s.mailbox.queuedOn = func() {
		// refuseQueued empties the queue after the bit was set, and here the bit is read after the message was queued: the
		// atomics are sequentially consistent, so one of the two sees the other's step and nothing waits for an overdue script.
		if sys.overdue.Load()>>i&1 != 0 {
			sys.refuseQueued(s)
		}
	}
	sys.shards = append(sys.shards, s)
	sys.keyspaces = append(sys.keyspaces, s.ks)
	props := actor.PropsFromProducer(func() actor.Actor { return s },
		actor.WithMailbox(func() actor.Mailbox { return s.mailbox }))
	pid, err := sys.actors.Root.SpawnNamed(props, fmt.Sprintf("shard-%d", i))
	if err != nil {
		return fmt.Errorf("actors: start shard %d: %w", i, err)
	}
	s.pid = pid
	return nil
}

// post runs work on a shard: here, if the shard is idle, or where the shard is run when its turn comes.
func (sys *System) post(s *shard, run func()) {
	var r runner
	s.mailbox.post(&r, &task{func(*shard) { run() }})
	r.loop()
}

// postOwn is post for a shard that is at work: the next slice comes after what is queued, on a goroutine apart, which
// lets others go first: a chain of slices would otherwise hand the processor from one to the next, and an event loop
// that has work to do would wait for a time slice to end, at each turn. With 1 M keys on 2 processors a GET beside KEYS
// took up to 300 ms so, 20 with runtime.Gosched, and 2 with stepAside.
func (sys *System) postOwn(s *shard, run func()) {
	go func() {
		stepAside()
		sys.post(s, run)
	}()
}

// Config returns the configuration.
func (sys *System) Config() *config.Config { return sys.cfg }

// Close stops the actors and gives the memory of the shards back. Sessions that are still open are killed.
func (sys *System) Close() {
	sys.stopCron()
	for _, r := range sys.scripts.Running() {
		r.Kill()
	}
	for _, s := range sys.sessions() {
		s.Kill()
	}
	sys.endPause(0)
	sys.actors.Root.Send(sys.expiry.pid, stopMsg{})
	// Every shard is borrowed for good: what was posted before has run, nothing can run afterwards.
	for _, s := range sys.shards {
		released := make(chan struct{})
		sys.post(s, func() {
			s.ks.Release()
			s.closed = true
			s.mailbox.lend()
			close(released)
		})
		<-released
	}
	sys.actors.Shutdown()
}
