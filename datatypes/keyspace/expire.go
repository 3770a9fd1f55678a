package keyspace

import (
	"encoding/binary"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/deadline"
	"github.com/troupe-db/troupe/datatypes/dict"
)

// The deadline index is lazy: it holds an entry at or before the deadline of every volatile key. Moving a deadline
// later leaves the entry where it is (the index asks again when it comes up); moving it earlier adds one. Entries of
// keys that are gone are dropped when they come up, or by sweeping when they outnumber the volatile keys.

func (db *DB) due(e Entry) bool { return e.ExpireAtMs() <= db.shard.NowMs }

// enterDeadline enters a deadline into the index, for a key that had none.
func (db *DB) enterDeadline(k Key, atMs int64) {
	db.volatile++
	db.deadlineSumMs += db.shard.fromEpoch(atMs)
	db.addDeadline(&db.space.deadlines, k.H, atMs)
}

// fromEpoch returns a deadline relative to the shard's beginning, bounded so that sums do not overflow.
func (s *Shard) fromEpoch(atMs int64) int64 {
	const bound = 1 << 40
	return min(max(atMs-s.epochMs, -bound), bound)
}

// addDeadline adds to one of the two indexes.
func (db *DB) addDeadline(x **deadline.Index, hash uint64, atMs int64) {
	if *x == nil {
		if db.space.index == nil {
			db.space.index = arena.New()
		}
		*x = deadline.New(db.space.index, db.shard.NowMs)
	}
	(*x).Add(hash, atMs)
	db.shard.Soonest = min(db.shard.Soonest, atMs)
	db.shard.mark(db.num)
}

// redate keeps the count of volatile keys and the index right when the deadline of a key changes; -1 is none.
func (db *DB) redate(k Key, was, atMs int64) {
	switch {
	case was < 0 && atMs >= 0:
		db.enterDeadline(k, atMs)
		return
	case was < 0:
		return
	case atMs < 0:
		db.volatile--
		db.deadlineSumMs -= db.shard.fromEpoch(was)
		db.shard.mark(db.num)
		return
	case atMs < was:
		db.addDeadline(&db.space.deadlines, k.H, atMs)
	}
	db.deadlineSumMs += db.shard.fromEpoch(atMs) - db.shard.fromEpoch(was)
	db.shard.mark(db.num)
}

// SetExpire gives the key a deadline in unix milliseconds, or takes it away (NoTTL). The key must be there.
func (db *DB) SetExpire(k Key, atMs int64) {
	old, slot := db.find(k)
	was := old.ExpireAtMs()
	if was < 0 && atMs < 0 {
		return
	}
	off, n := old.keySpan()
	off += n
	if was >= 0 && atMs >= 0 {
		for _, c := range db.cuts {
			c.changing(k, old)
		}
		binary.LittleEndian.PutUint64(old.bytes(off, 8), uint64(atMs))
		db.redate(k, was, atMs)
		return
	}
	from := old.valueOff()
	size := old.size() - from
	v := old.bytes(from, size)
	if room := db.arena.SizeOf(old.ref); len(db.cuts) == 0 && atMs < 0 && off+size >= room-room/4-8 {
		// The value moves down over the deadline.
		copy(old.bytes(off, size), v)
		*old.at(1) &^= flagExpire
	} else {
		e, to := db.newRecord(k, old.Type(), old.Encoding(), old.flags()&^flagExpire, old.access(), atMs, size)
		copy(e.bytes(to, size), v)
		db.replace(k, slot, old, e)
	}
	db.redate(k, was, atMs)
}

// expireNow removes a key whose deadline has passed, unless expiry is held.
func (db *DB) expireNow(k Key, e Entry) {
	s := db.shard
	if s.HoldExpiry {
		return
	}
	s.Stats.ExpireLagMsHi = max(s.Stats.ExpireLagMsHi, s.NowMs-e.ExpireAtMs())
	db.remove(k, e)
	s.Stats.Expired++
	if len(db.watched) > 0 {
		db.touchWatches(k.B)
	}
	if o := s.Observer; o != nil {
		o.Expired(db, k.B)
		o.Event(db, EventExpired, "expired", k.B)
		o.Modified(db, k.B)
	}
}

// ExpireDue removes keys whose deadline has passed, and fields of hashes, looking for the keys of no more than budget index
// entries, and tells whether it stopped for the budget.
func (db *DB) ExpireDue(budget int) (more bool) {
	if db.shard.HoldExpiry {
		return false
	}
	more = db.expireKeys(budget)
	return db.expireFields(budget) || more
}

func (db *DB) expireKeys(budget int) (more bool) {
	if db.deadlines == nil {
		return false
	}
	now := db.shard.NowMs
	return db.deadlines.Advance(now, budget, db.warm, func(hash uint64) (int64, bool) {
		for {
			victim, full, at := db.earliest(hash)
			if at < 0 || at > now {
				return at, at >= 0
			}
			db.keyBuf = append(db.keyBuf[:0], victim.Key()...)
			db.expireNow(Key{db.keyBuf, full}, victim)
		}
	})
}

// warm brings the keys of these hashes close to the processor.
func (db *DB) warm(hashes []uint64) {
	for _, h := range hashes {
		db.dict.WarmSlot(h)
	}
	for _, h := range hashes {
		db.dict.WarmRecord(h)
	}
}

// earliest finds, of the volatile keys whose hash has these bits as the deadline index knows them, that with the earliest deadline, and
// its hash. at is NoTTL when there is none.
func (db *DB) earliest(known uint64) (first Entry, hash uint64, at int64) {
	at = NoTTL
	db.dict.EachHash(known, func(s dict.Slot) bool {
		e := Entry{s.Ref()}
		if t := e.ExpireAtMs(); t >= 0 && (at < 0 || t < at) {
			if h := dict.Hash(e.Key()); h>>deadline.TimeBits == known>>deadline.TimeBits {
				first, hash, at = e, h, t
			}
		}
		return true
	})
	return first, hash, at
}

// earliestField is earliest for the deadlines of fields.
func (db *DB) earliestField(known uint64) (first Entry, hash uint64, at int64) {
	at = NoTTL
	db.dict.EachHash(known, func(s dict.Slot) bool {
		e := Entry{s.Ref()}
		if t := db.nextField(e); t >= 0 && (at < 0 || t < at) {
			if h := dict.Hash(e.Key()); h>>deadline.TimeBits == known>>deadline.TimeBits {
				first, hash, at = e, h, t
			}
		}
		return true
	})
	return first, hash, at
}

// SweepDeadlines drops stale entries of the deadline indexes, a few at a time, when they outnumber the volatile keys.
func (db *DB) SweepDeadlines(budget int) (more bool) {
	more = sweep(db.deadlines, db.volatile, budget, db.earliest)
	return sweep(db.space.fields, db.withFields, budget, db.earliestField) || more
}

func sweep(x *deadline.Index, live, budget int, earliest func(uint64) (Entry, uint64, int64)) (more bool) {
	if x == nil || !x.NeedsSweep(live) {
		return false
	}
	return x.Sweep(budget, func(hash uint64) (int64, bool) {
		_, _, at := earliest(hash)
		return at, at >= 0
	})
}
