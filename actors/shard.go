package actors

import (
	"math"
	"math/bits"
	"runtime/debug"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// shard is the actor that owns one slice of the keyspace. The keyspace is a field of a value that outlives the actor's
// context, so that nothing protoactor does on a failure can replace it by an empty one.
type shard struct {
	id      int
	sys     *System
	mailbox *mailbox
	pid     *actor.PID
	ks      *keyspace.Shard
	stats   *cmdStats
	stage   stage // owned by the shard

	// What others may read at any time, as of the end of the last batch: see publish.
	published struct {
		keys, volatile []atomic.Int64 // per database
		ttlSumMs       []atomic.Int64 // sum of the deadlines of a database, see keyspace.DB.DeadlineSumMs
		used           atomic.Int64   // bytes of keys, tables and deadline indexes
		tables         atomic.Int64   // bytes of tables and deadline indexes
		mapped         atomic.Int64   // bytes held from the system
		dbTables       []atomic.Int64 // bytes of the tables of a database
		dbIndex        []atomic.Int64 // bytes of the deadline index of a database
		watched        atomic.Int64   // see keyspace.WaitCounts
		waited         atomic.Int64
		waitsOnGone    atomic.Int64
		hits, misses   atomic.Uint64
		expired        atomic.Uint64
	}
	active   atomic.Bool  // wants upkeep
	idle     int          // rounds of upkeep that changed nothing; owned by the shard, as all that follows
	used     []dbSizes    // per database, as published
	closed   bool         // the keyspace was released
	armed    int64        // the deadline that the expiry actor knows of
	expiring bool         // a series of slices of expireOn is under way
	config   *shardConfig // what ks.Config and ks.Observer were taken from
}

// Receive implements actor.Actor.
func (s *shard) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *Batch:
		if m.lane == laneHold {
			s.mailbox.lend()
			return
		}
		s.run(m)
	case *task:
		s.work(m)
		if !s.closed {
			s.publish()
		}
	}
}

// work runs a task. A panic in it is logged; the shard goes on.
func (s *shard) work(m *task) {
	defer func() {
		if p := recover(); p != nil {
			s.sys.log.Error("task panicked", "shard", s.id, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	s.ks.Ready = &s.stage.ready
	m.run(s)
	if !s.stage.ready.Empty() {
		s.stage.serveReady(1 << s.id)
	}
}

// task is work on one shard that is not a command: expiry, upkeep, slices of walks.
type task struct{ run func(*shard) }

// run executes the batch as far as its commands stay on this shard.
func (s *shard) run(b *Batch) {
	b.begin()
	s.enter(b, &s.stage)
	warmed := b.pos
	for {
		if b.pos >= warmed {
			warmed = b.warm(1 << s.id)
		}
		q := &b.reqs[b.pos]
		if s.ks.HasCrossWaits() && b.widen(q, 1<<s.id) {
			break
		}
		if !b.own && b.heavy(q) {
			b.detach()
			b.own = true
			s.mailbox.keep()
			break
		}
		if !b.exec(s.stats, &s.stage, 1<<s.id) {
			s.mailbox.left = true
			break
		}
		if b.pos == len(b.reqs) || b.parked != nil {
			break
		}
		if q = &b.reqs[b.pos]; q.to != toShard || int(q.shard) != s.id {
			break
		}
		s.ks.NowMs = b.ctx.NowMs
	}
	s.publish()
}

// enter shows the shard the instant and the configuration of the commands that follow, and where to note keys that become
// ready.
func (s *shard) enter(b *Batch, st *stage) {
	s.refresh(b.ctx.NowMs)
	s.ks.Ready = &st.ready
	s.ks.NoTouch = b.sess.noTouch
}

// refresh shows the shard the instant and the configuration of what follows.
func (s *shard) refresh(nowMs int64) {
	s.ks.NowMs = nowMs
	s.ks.HoldExpiry = s.sys.paused.Load() != 0
	if c := s.sys.shardConfig.Load(); c != s.config {
		s.config, s.ks.Config = c, c.keyspace
		s.ks.Observer = newNotifier(s.sys, c.notify)
	}
}

// publish lets others see the counters of the shard, and tells the expiry actor of an earlier deadline.
func (s *shard) publish() {
	p := &s.published
	if t := s.ks.TakeTouched(); t != 0 {
		s.publishSizes(t)
		s.idle = 0
		if !s.active.Load() {
			s.active.Store(true)
		}
	}
	if w, changed := s.ks.TakeWaits(); changed {
		p.watched.Store(int64(w.Watched))
		p.waited.Store(int64(w.Waited))
		p.waitsOnGone.Store(int64(w.WaitsOnGone))
	}
	st := &s.ks.Stats
	if st.Hits != p.hits.Load() {
		p.hits.Store(st.Hits)
	}
	if st.Misses != p.misses.Load() {
		p.misses.Store(st.Misses)
	}
	if st.Expired != p.expired.Load() {
		p.expired.Store(st.Expired)
	}
	if at := s.ks.Soonest; at < s.armed {
		s.armed = at
		s.sys.expiry.arm(at)
	}
}

// publishSizes publishes keys, volatile keys and bytes of the databases in the set.
func (s *shard) publishSizes(set uint64) {
	p := &s.published
	var d dbSizes
	for set != 0 {
		i := bits.TrailingZeros64(set)
		set &= set - 1
		for end := i + 1; i < end; i++ {
			if i == 63 {
				end = s.ks.Databases()
			}
			db := s.ks.DB(i)
			p.keys[i].Store(int64(db.Len()))
			p.volatile[i].Store(int64(db.Volatile()))
			p.ttlSumMs[i].Store(db.DeadlineSumMs())
			now := dbSizes{
				used: db.UsedBytes(), tables: db.TableBytes(), index: db.IndexBytes(), mapped: db.MappedBytes(),
			}
			if now.tables != s.used[i].tables || now.index != s.used[i].index {
				p.dbTables[i].Store(now.tables - now.index)
				p.dbIndex[i].Store(now.index)
			}
			d.used += now.used - s.used[i].used
			d.tables += now.tables - s.used[i].tables
			d.mapped += now.mapped - s.used[i].mapped
			s.used[i] = now
		}
	}
	p.used.Add(d.used)
	p.tables.Add(d.tables)
	p.mapped.Add(d.mapped)
}

// dbSizes are the bytes of one database on one shard.
type dbSizes struct{ used, tables, index, mapped int64 }

// expire removes keys whose deadline has passed. It is what the expiry actor posts at each of its rounds, which come
// every few milliseconds while there is work; a shard that is still at it since an earlier round goes on as it does,
// for a second series of slices would take the place of commands between them.
func (s *shard) expire() {
	if !s.expiring {
		s.expireOn()
	}
}

// expireOn removes one slice of keys and goes on with the next after what is queued.
func (s *shard) expireOn() {
	s.expiring = false
	s.armed = math.MinInt64 // no round is needed before this shard asks for one
	if s.sys.expiry.holds() {
		return // until expiry.wake, which follows the end of the hold
	}
	s.refresh(s.sys.clock.now() / 1e6)
	more := false
	for i := range s.ks.Databases() {
		if s.ks.DB(i).ExpireDue(expireSlice) {
			more = true
		}
	}
	if more {
		s.expiring = true
		s.sys.postOwn(s, s.expireOn)
		return
	}
	s.armed = math.MaxInt64
	s.ks.Soonest = s.ks.NextDeadlineMs()
}

// expireSlice is how many deadlines one message works off: about a quarter of a millisecond.
const expireSlice = 256

// upkeep moves memory together and gives it back, a slice at a time.
func (s *shard) upkeep() {
	s.refresh(s.sys.clock.now() / 1e6)
	more := false
	mapped := s.published.mapped.Load()
	for i := range s.ks.Databases() {
		if s.ks.DB(i).Maintain(upkeepSlice) {
			more = true
		}
	}
	s.publishSizes(1<<min(s.ks.Databases(), 64) - 1)
	if s.idle++; s.published.mapped.Load() != mapped {
		s.idle = 0
	}
	if more {
		s.sys.postOwn(s, s.upkeep)
	} else if s.idle < idleRounds {
		s.active.Store(true)
	}
}

const (
	upkeepSlice = 1024
	// idleRounds is how often upkeep looks at a shard where nothing changes any more: memory is given back bit by bit.
	idleRounds = 50
)
