package keyspace

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/deadline"
)

// Stats counts what happened on one shard since the last reset. The owner of the shard changes it.
type Stats struct {
	Hits, Misses  uint64 // read lookups
	Expired       uint64 // keys removed because their deadline had passed
	ExpireLagMsHi int64  // the latest such removal, in milliseconds after the deadline
}

// Config is what a shard needs to know of the server's configuration. The owner may change it between commands.
type Config struct {
	LFU          bool // maxmemory-policy is one of the LFU policies: the access bits hold a counter
	LFULogFactor int
	LFUDecayMin  int // lfu-decay-time, minutes
}

// Shard is one slice of the keys of every database.
type Shard struct {
	// NowMs is the one instant, in unix milliseconds, that the running command sees.
	NowMs int64
	// NoTouch keeps lookups from changing access times and counters (CLIENT NO-TOUCH).
	NoTouch bool
	// HoldExpiry makes keys past their deadline invisible without removing them (CLIENT PAUSE WRITE).
	HoldExpiry bool

	Config   Config
	Stats    Stats
	Observer Observer // may be nil
	// Ready takes the keys that clients who wait may be served from. The owner may put its own list here, one for several
	// shards, so that the order of signals is known over all of them.
	Ready *ReadyKeys

	// ReapFields removes fields of the hash at k, which is e, whose deadline has passed, up to budget of them, and the
	// key with its last field; it returns how many. Whoever knows hashes sets it.
	ReapFields func(db *DB, k Key, e Entry, budget int) int

	// Soonest is a lower bound of the deadlines set since its owner last stored something here. The owner keeps it.
	Soonest int64

	epochMs int64    // when the shard was made
	touched uint64   // databases whose size may have changed, see TakeTouched
	pins    []*Pin   // views of objects that are in use
	orphans []*space // flushed while something looked at them, see space.leave

	cross      map[string]crossWaits // by key, of any database
	waits      WaitCounts
	waitsDirty bool

	id    int
	dbs   []*DB
	rand  func() uint64
	later func(func())
}

// Options make a Shard.
type Options struct {
	ID        int
	Databases int
	NowMs     int64
	Rand      func() uint64 // source of randomness
	Later     func(func())  // runs work that may take long away from the shard; called with work that touches no shard
}

// NewShard returns an empty shard.
func NewShard(o Options) *Shard {
	s := &Shard{Soonest: math.MaxInt64, epochMs: o.NowMs, id: o.ID, NowMs: o.NowMs, rand: o.Rand, later: o.Later,
		Ready: new(ReadyKeys)}
	s.dbs = make([]*DB, o.Databases)
	for i := range s.dbs {
		s.dbs[i] = &DB{shard: s, num: i}
		s.dbs[i].space = newSpace()
	}
	return s
}

// ID returns the shard's number.
func (s *Shard) ID() int { return s.id }

// DB returns the part of database index that lives here.
func (s *Shard) DB(index int) *DB { return s.dbs[index] }

// Databases returns how many databases there are.
func (s *Shard) Databases() int { return len(s.dbs) }

// SwapDB exchanges the contents of two databases.
func (s *Shard) SwapDB(a, b int) {
	x, y := s.dbs[a], s.dbs[b]
	x.replaceWatched(y)
	y.replaceWatched(x)
	x.space, y.space = y.space, x.space
	x.signalAll()
	y.signalAll()
	s.mark(a)
	s.mark(b)
}

// mark notes that the number of keys or bytes of a database may have changed.
func (s *Shard) mark(db int) { s.touched |= 1 << min(db, 63) }

// TakeTouched returns a set of the databases whose number of keys or bytes may have changed since the last call: bit i
// for database i, bit 63 for all from 63 on.
func (s *Shard) TakeTouched() uint64 {
	t := s.touched
	s.touched = 0
	return t
}

// UsedBytes returns the memory that the keys of the shard take: records, tables and deadline indexes.
func (s *Shard) UsedBytes() int64 {
	var n int64
	for _, db := range s.dbs {
		n += db.UsedBytes()
	}
	return n
}

// MappedBytes returns the memory that the shard holds from the system for its keys.
func (s *Shard) MappedBytes() int64 {
	var n int64
	for _, db := range s.dbs {
		n += db.MappedBytes()
	}
	return n
}

// NextDeadlineMs returns a lower bound of the earliest deadline on the shard, math.MaxInt64 when there is none.
func (s *Shard) NextDeadlineMs() int64 {
	next := int64(math.MaxInt64)
	for _, db := range s.dbs {
		for _, x := range [...]*deadline.Index{db.space.deadlines, db.space.fields} {
			if x != nil {
				next = min(next, x.Next())
			}
		}
	}
	return next
}

// Release gives the memory of the shard back. The shard must not be used afterwards.
func (s *Shard) Release() {
	for _, db := range s.dbs {
		db.space.release()
		db.space = nil
	}
	for _, sp := range s.orphans {
		sp.release()
	}
	s.orphans = nil
}

// lruClock is the 24-bit clock of access times, in seconds.
func (s *Shard) lruClock() uint32 { return uint32(s.NowMs/1000) & 0xffffff }

// lfuMinutes is the 16-bit clock of the LFU counter's decay.
func (s *Shard) lfuMinutes() uint32 { return uint32(s.NowMs/60000) & 0xffff }

// lfuInit is the counter of a new key: high enough to survive until it has had time to be used.
const lfuInit = 5

// freshAccess returns the access bits of a new value.
func (s *Shard) freshAccess() uint32 {
	if s.Config.LFU {
		return s.lfuMinutes()<<8 | lfuInit
	}
	return s.lruClock()
}

// decayed returns the LFU counter of e as it is after the time since its last decay.
func (s *Shard) decayed(e Entry) uint32 {
	v := e.access()
	counter := v & 255
	if s.Config.LFUDecayMin == 0 {
		return counter
	}
	elapsed := (s.lfuMinutes() - v>>8) & 0xffff
	return counter - min(counter, elapsed/uint32(s.Config.LFUDecayMin))
}

// touch records an access to e.
func (s *Shard) touch(e Entry) {
	if !s.Config.LFU {
		if c := s.lruClock(); e.access() != c {
			e.setAccess(c)
		}
		return
	}
	counter := s.decayed(e)
	if counter < 255 {
		// The counter is logarithmic: the higher it is, the less likely a hit raises it.
		base := float64(0)
		if counter > lfuInit {
			base = float64(counter - lfuInit)
		}
		p := 1 / (base*float64(s.Config.LFULogFactor) + 1)
		if float64(s.rand()>>11)/(1<<53) < p {
			counter++
		}
	}
	e.setAccess(s.lfuMinutes()<<8 | counter)
}

// IdleSeconds returns how long ago the value was used.
func (s *Shard) IdleSeconds(e Entry) int64 {
	return int64((s.lruClock() - e.access()) & 0xffffff)
}

// Frequency returns the LFU counter of the value.
func (s *Shard) Frequency(e Entry) int64 { return int64(s.decayed(e)) }
