package keyspace

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWatchChanged begins a watch in some state of the keyspace, lets something happen, and asks.
func TestWatchChanged(t *testing.T) {
	k := MakeKey([]byte("k"))
	set := func(db *DB, inMs int64) {
		db.SetString(k, []byte("v"), db.shard.NowMs+inMs)
		db.Touched(k.B)
	}
	there := func(s *Shard) { set(s.DB(0), 1000) }
	nothing := func(*Shard) {}
	past := func(s *Shard) { set(s.DB(0), 5); s.NowMs += 10 } // past its deadline, not removed
	flush := func(s *Shard) { s.DB(0).Flush() }
	swap := func(s *Shard) { s.SwapDB(0, 1) }
	swapBack := func(s *Shard) { s.SwapDB(1, 0) }
	all := func(steps ...func(*Shard)) func(*Shard) {
		return func(s *Shard) {
			for _, step := range steps {
				step(s)
			}
		}
	}
	late := func(s *Shard) { s.NowMs += 2000 }
	hold := func(s *Shard) { s.HoldExpiry = true }
	other := func(s *Shard) { set(s.DB(1), 1000) }
	otherPast := func(s *Shard) { set(s.DB(1), 5); s.NowMs += 10 }
	lookup := func(s *Shard) { s.DB(0).LookupRead(k) }
	remove := func(s *Shard) { s.DB(0).Delete(k) }
	touchedGone := func(s *Shard) { s.DB(0).Delete(k); s.DB(0).Touched(k.B) }
	for _, test := range []struct {
		name           string
		before, after  func(*Shard)
		changed, again bool // again: after another there
	}{
		{"nothing", nothing, nothing, false, true},
		{"set", nothing, there, true, true},
		{"set over", there, there, true, true},
		{"deleted", there, remove, true, true},
		{"deleted what is not there", nothing, remove, false, true},
		{"read", there, lookup, false, true},
		{"another key", there, func(s *Shard) { s.DB(0).Touched([]byte("kk")) }, false, true},
		{"another database", there, func(s *Shard) { s.DB(1).Touched(k.B) }, false, true},
		{"set and deleted", nothing, all(there, remove), true, true},

		{"passed its deadline", there, late, true, true},
		{"passed its deadline and removed", there, all(late, lookup), true, true},
		{"removed by active expiry", there, all(late, func(s *Shard) { s.DB(0).ExpireDue(100) }), true, true},
		{"passed its deadline while expiry is held", there, all(hold, late, lookup), true, true},
		{"expiry held, before its deadline", there, hold, false, true},

		{"past its deadline from the start", past, nothing, false, true},
		{"past, then removed", past, lookup, false, true},
		{"past, then removed by active expiry", past, func(s *Shard) { s.DB(0).ExpireDue(100) }, false, true},
		{"past, then deleted", past, remove, false, true},
		{"past, then set", past, there, true, true},
		{"past, removed, then set", past, all(lookup, there), true, true},
		{"past, removed, then set and deleted", past, all(lookup, there, touchedGone), true, true},
		{"past, set, and past again", past, all(there, late), true, true},
		{"past, with expiry held", all(hold, past), nothing, false, true},
		{"past, with expiry held, then read", all(hold, past), lookup, false, true},
		{"past, with expiry held, then set", all(hold, past), there, true, true},
		{"past, with expiry held, then let go", all(hold, past), func(s *Shard) { s.HoldExpiry = false; lookup(s) }, false, true},

		{"flushed", there, flush, true, true},
		{"flushed without it", nothing, flush, false, true},
		{"flushed when past", past, flush, false, true},
		{"flushed when past, with expiry held", all(hold, past), flush, false, true},
		{"flushed twice when past, then set", past, all(flush, flush, there), true, true},
		{"other database flushed", there, func(s *Shard) { s.DB(1).Flush() }, false, true},

		{"swapped away", there, swap, true, true},
		{"swapped in", other, swap, true, true},
		{"swapped in, the other way round", other, swapBack, true, true},
		{"swapped for another", all(there, other), swap, true, true},
		{"swapped without it", nothing, swap, false, true},
		{"swapped when past", past, swap, false, true},
		{"swapped when past, the other way round", past, swapBack, false, true},
		{"nothing swapped for what is past", otherPast, swap, false, true},
		{"nothing swapped for what is past, then removed", otherPast, all(swap, lookup), false, true},
		{"what is past swapped for the same", all(past, otherPast), swap, false, true},
		{"what is past swapped for what is not", all(past, other), swap, true, true},
		{"what is not swapped for what is past", all(there, otherPast), swap, true, true},
		{"swapped and back", there, all(swap, swap), true, true},
		{"past, swapped and back", past, all(swap, swap), false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			shards, _ := newWaitShards(t, 1)
			s := shards[0]
			test.before(s)
			w, second := s.DB(0).Watch(k, func() {}), s.DB(0).Watch(k, func() {})
			require.False(t, w.Changed())
			require.Same(t, s, w.Shard())
			test.after(s)
			require.Equal(t, test.changed, w.Changed())
			require.Equal(t, test.changed, second.Changed())
			second.End()
			there(s)
			require.Equal(t, test.again, w.Changed())
			w.End()
			require.Empty(t, s.DB(0).watched)
		})
	}
}

func TestWatchIs(t *testing.T) {
	shards, _ := newWaitShards(t, 1)
	db := shards[0].DB(0)
	w := db.Watch(MakeKey([]byte("k")), func() {})
	require.True(t, w.Is(db, []byte("k")))
	require.False(t, w.Is(db, []byte("kk")))
	require.False(t, w.Is(shards[0].DB(1), []byte("k")))
	key := []byte("x")
	w = db.Watch(MakeKey(key), func() {})
	key[0] = 'y'
	require.True(t, w.Is(db, []byte("x")), "the key is a copy")
}

// TestWatchEnds begins and ends watches in any order.
func TestWatchEnds(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 1))
	shards, _ := newWaitShards(t, 1)
	s := shards[0]
	keys := []Key{MakeKey([]byte("a")), MakeKey([]byte("b")), MakeKey([]byte("c"))}
	type watch struct {
		*Watch
		changed bool
	}
	var all []*watch
	for range 5000 {
		db, k := s.DB(rnd.IntN(2)), keys[rnd.IntN(len(keys))]
		switch rnd.IntN(4) {
		case 0, 1:
			all = append(all, &watch{Watch: db.Watch(k, func() {})})
		case 2:
			db.Touched(k.B)
			for _, w := range all {
				w.changed = w.changed || w.Is(db, k.B)
			}
		default:
			for range min(len(all), 3) {
				i := rnd.IntN(len(all))
				require.Equal(t, all[i].changed, all[i].Changed())
				all[i].End()
				all[i].End()
				all = slices.Delete(all, i, i+1)
			}
		}
		n := 0
		for i := range 2 {
			for _, list := range s.DB(i).watched {
				require.NotEmpty(t, list)
				n += len(list)
			}
		}
		require.Equal(t, len(all), n)
	}
}
