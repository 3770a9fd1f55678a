package keyspace

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/deadline"
)

// expiryLog is an Observer that writes down which keys were reported expired, and when.
type expiryLog struct {
	shard *Shard
	at    map[string]int64
	steps []string
}

func (l *expiryLog) Modified(_ *DB, key []byte) { l.steps = append(l.steps, "modified "+string(key)) }

func (l *expiryLog) Event(_ *DB, _ EventClass, name string, key []byte) {
	l.steps = append(l.steps, name+" "+string(key))
}

func (l *expiryLog) Expired(_ *DB, key []byte) {
	l.at[string(key)] = l.shard.NowMs
	l.steps = append(l.steps, "gone "+string(key))
}

func (l *expiryLog) FieldsExpired(_ *DB, key []byte, fields [][]byte) {
	l.steps = append(l.steps, fmt.Sprintf("gone from %s %q", key, fields))
}

func (l *expiryLog) Flushed(*DB, bool) {}

func newExpiryShard(seed uint64) (*Shard, *expiryLog) {
	s := NewShard(Options{
		Databases: 2,
		NowMs:     1_700_000_000_000,
		Rand:      rand.New(rand.NewPCG(seed, 1)).Uint64,
		Later:     func(f func()) { f() },
	})
	l := &expiryLog{shard: s, at: make(map[string]int64)}
	s.Observer = l
	return s, l
}

func TestExpireDueTellsObserver(t *testing.T) {
	s, l := newExpiryShard(1)
	defer s.Release()
	db := s.DB(0)
	db.SetString(MakeKey([]byte("k")), []byte("v"), s.NowMs+10)
	require.Equal(t, 1, db.Volatile())

	s.NowMs += 9
	require.False(t, db.ExpireDue(100))
	require.Equal(t, 1, db.Len())
	require.Equal(t, []string{"new k"}, l.steps)
	l.steps = nil

	s.NowMs++
	require.False(t, db.ExpireDue(100))
	require.Zero(t, db.Len())
	require.Zero(t, db.Volatile())
	require.Equal(t, []string{"gone k", "expired k", "modified k"}, l.steps)
	require.EqualValues(t, 1, s.Stats.Expired)
	require.Zero(t, s.Stats.ExpireLagMsHi)
	require.EqualValues(t, math.MaxInt64, s.NextDeadlineMs())
}

func TestExpireDueHeld(t *testing.T) {
	s, l := newExpiryShard(2)
	defer s.Release()
	db := s.DB(0)
	k := MakeKey([]byte("k"))
	db.SetString(k, []byte("v"), s.NowMs+10)
	s.NowMs += 20
	s.HoldExpiry = true
	require.False(t, db.ExpireDue(100))
	require.False(t, db.Exists(k), "invisible though not removed")
	require.Equal(t, 1, db.Len())
	require.Empty(t, l.at)

	s.HoldExpiry = false
	require.False(t, db.ExpireDue(100))
	require.Zero(t, db.Len())
	require.EqualValues(t, 10, s.Stats.ExpireLagMsHi)
}

func TestExpireDueBudget(t *testing.T) {
	s, l := newExpiryShard(3)
	defer s.Release()
	db := s.DB(0)
	for i := range 100 {
		db.SetString(MakeKey(fmt.Appendf(nil, "k%d", i)), []byte("v"), s.NowMs+5)
	}
	s.NowMs += 5
	rounds := 0
	for db.ExpireDue(7) {
		rounds++
		require.LessOrEqual(t, len(l.at), 7*rounds)
	}
	require.Len(t, l.at, 100)
	require.GreaterOrEqual(t, rounds, 100/7)
}

// TestExpireKeysAlikeToTheIndex: these two keys have the same 48 hash bits, so the index cannot tell them apart.
func TestExpireKeysAlikeToTheIndex(t *testing.T) {
	one, two := MakeKey([]byte("k11776804")), MakeKey([]byte("k18145643"))
	require.Equal(t, one.H>>deadline.TimeBits, two.H>>deadline.TimeBits)
	require.NotEqual(t, one.H, two.H)
	for _, test := range []struct {
		name     string
		ttl      [2]int64
		persists bool // the second
	}{
		{"at once", [2]int64{700, 700}, false},
		{"same bucket", [2]int64{700, 710}, false},
		{"other order", [2]int64{710, 700}, false},
		{"far apart", [2]int64{10_000_000, 700}, false},
		{"one without a deadline", [2]int64{700, NoTTL}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, l := newExpiryShard(7)
			defer s.Release()
			db := s.DB(0)
			want := make(map[string]int64)
			for i, k := range []Key{one, two} {
				at := int64(NoTTL)
				if test.ttl[i] >= 0 {
					at = s.NowMs + test.ttl[i]
					want[string(k.B)] = at
				}
				db.SetString(k, []byte("v"), at)
			}
			for s.NextDeadlineMs() != math.MaxInt64 {
				s.NowMs = s.NextDeadlineMs()
				require.False(t, db.ExpireDue(100))
				db.SweepDeadlines(100)
			}
			require.Equal(t, want, l.at)
			require.Equal(t, test.persists, db.Exists(two))
			require.False(t, db.Exists(one))
		})
	}
}

// TestExpireDueClockSetBack: the index does not follow a clock that is set back by less than a second. Until the clock has
// caught up, keys may be removed late, by that step at most, but they are never seen after their deadline.
func TestExpireDueClockSetBack(t *testing.T) {
	s, l := newExpiryShard(6)
	defer s.Release()
	db := s.DB(0)
	start := s.NowMs
	s.NowMs += 10_000
	db.SetString(MakeKey([]byte("other")), []byte("v"), s.NowMs+1_000_000)
	require.False(t, db.ExpireDue(100))
	s.NowMs -= 900
	k := MakeKey([]byte("k"))
	db.SetString(k, []byte("v"), s.NowMs+100)
	s.NowMs += 100
	require.False(t, db.Exists(k))
	db.SetString(k, []byte("v"), s.NowMs+100)
	s.NowMs += 100
	db.ExpireDue(100)
	for s.NowMs < start+10_000 {
		s.NowMs += 50
		db.ExpireDue(100)
	}
	require.Equal(t, 1, db.Len())
	require.Len(t, l.at, 1)
}

func TestSetExpireKeepsValue(t *testing.T) {
	s, _ := newExpiryShard(4)
	defer s.Release()
	db := s.DB(0)
	values := []string{"", "7", "-129", "70000", "9223372036854775807", "short", string(make([]byte, 127)), string(make([]byte, 128)),
		string(make([]byte, 5000)), string(make([]byte, 100_000))}
	for i, v := range values {
		k := MakeKey(fmt.Appendf(nil, "key:%d", i))
		db.SetString(k, []byte(v), NoTTL)
		for step, at := range []int64{NoTTL, s.NowMs + 10, s.NowMs + 5, s.NowMs + 20, NoTTL, NoTTL, s.NowMs + 1, NoTTL} {
			db.SetExpire(k, at)
			e, ok := db.LookupRead(k)
			require.True(t, ok, "value %d, step %d", i, step)
			require.Equal(t, v, string(e.Bytes(make([]byte, 0, 20))))
			require.Equal(t, at, e.ExpireAtMs())
			require.Equal(t, at >= 0, e.Volatile())
			require.Equal(t, at >= 0, db.Volatile() == 1)
		}
	}
	require.Zero(t, db.Volatile())
}

// TestExpireModel changes deadlines at random in every way there is and lets the clock run: a key must be removed at the
// first call at or after its deadline, and never before.
func TestExpireModel(t *testing.T) {
	for seed := range uint64(5) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { expireModel(t, seed) })
	}
}

func expireModel(t *testing.T, seed uint64) {
	s, l := newExpiryShard(seed)
	defer s.Release()
	rnd := rand.New(rand.NewPCG(seed, 2))
	db := s.DB(0)
	deadlines := make(map[string]int64) // -1: none
	spans := []int64{3, 300, 70_000, 20_000_000, 6_000_000_000}
	future := func() int64 { return s.NowMs + 1 + rnd.Int64N(spans[rnd.IntN(len(spans))]) }

	for round := range 300 {
		for range 30 {
			name := fmt.Sprintf("key:%d", rnd.IntN(500))
			k := MakeKey([]byte(name))
			was, there := deadlines[name]
			switch op := rnd.IntN(10); {
			case op < 3:
				at := future()
				db.SetString(k, fmt.Appendf(nil, "value of %s", name), at)
				deadlines[name] = at
			case op == 3:
				db.SetString(k, []byte("12"), NoTTL)
				deadlines[name] = NoTTL
			case op == 4:
				db.SetString(k, []byte("kept"), KeepTTL)
				if !there {
					deadlines[name] = NoTTL
				}
			case op == 5:
				require.Equal(t, there, db.Delete(k))
				delete(deadlines, name)
			case there && op < 8:
				at := future()
				db.SetExpire(k, at)
				deadlines[name] = at
			case there && op == 8:
				db.SetExpire(k, NoTTL)
				deadlines[name] = NoTTL
			case there:
				e, ok := db.LookupRead(k)
				require.True(t, ok)
				require.Equal(t, was, e.ExpireAtMs())
			}
		}
		if rnd.IntN(4) == 0 {
			db.SweepDeadlines(1 + rnd.IntN(200))
		}

		switch rnd.IntN(12) {
		case 0:
			s.NowMs += rnd.Int64N(spans[rnd.IntN(len(spans))])
		case 1:
			s.NowMs -= 1001 + rnd.Int64N(3000) // see TestExpireDueClockSetBack for smaller steps
		default:
			s.NowMs += rnd.Int64N(400)
		}
		for db.ExpireDue(1 + rnd.IntN(64)) {
		}

		for name, now := range l.at {
			at, there := deadlines[name]
			require.True(t, there, "round %d: %s expired twice or without being there", round, name)
			require.True(t, at >= 0 && at <= now, "round %d: %s with deadline %d expired at %d", round, name, at, now)
			delete(deadlines, name)
		}
		clear(l.at)
		volatile, sum := 0, int64(0)
		for name, at := range deadlines {
			if at >= 0 {
				volatile++
				sum += at - 1_700_000_000_000
				require.Greater(t, at, s.NowMs, "round %d: %s is late", round, name)
				require.LessOrEqual(t, s.NextDeadlineMs(), at)
			}
		}
		require.Equal(t, volatile, db.Volatile())
		require.Equal(t, sum, db.DeadlineSumMs())
		require.Equal(t, len(deadlines), db.Len())
	}
}

// TestSweepDeadlinesBounds: keys that are made volatile and deleted over and over leave entries in the index, which must not
// pile up.
func TestSweepDeadlinesBounds(t *testing.T) {
	s, l := newExpiryShard(5)
	defer s.Release()
	db := s.DB(0)
	stays := MakeKey([]byte("stays"))
	db.SetString(stays, []byte("v"), s.NowMs+50_000)
	for i := range 100_000 {
		k := MakeKey(fmt.Appendf(nil, "job:%d", i))
		db.SetString(k, []byte("v"), s.NowMs+3_600_000+int64(i))
		db.Delete(k)
		if i%100 == 0 {
			db.SweepDeadlines(400)
		}
	}
	for db.SweepDeadlines(400) {
	}
	require.Equal(t, 1, db.Volatile())
	require.LessOrEqual(t, db.deadlines.Len(), 2*db.Volatile()+1024)
	require.True(t, db.Exists(stays))

	s.NowMs += 50_000
	for db.ExpireDue(1000) {
	}
	require.Zero(t, db.Len())
	require.Len(t, l.at, 1)
}
