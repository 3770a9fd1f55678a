package keyspace

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// pinned is a key with a large object of which a view is in use.
func pinned(t *testing.T, db *DB, name string, bytes int) (*pile, *Pin) {
	t.Helper()
	p := newPile(db.ArenaFor(int64(bytes)), 4, bytes/4)
	k := MakeKey([]byte(name))
	e := db.PutObject(k, Hash, HashTable, p, NoTTL)
	p.frozen = true
	return p, db.Pin(e)
}

// TestPinKeepsWhatIsDropped drops values of both kinds in every way while views of them are in use: they stay as they are,
// and are freed when the pin ends.
func TestPinKeepsWhatIsDropped(t *testing.T) {
	k := MakeKey([]byte("k"))
	for name, drop := range map[string]func(s *Shard, db *DB){
		"DEL":     func(_ *Shard, db *DB) { require.True(t, db.Delete(k)) },
		"SET":     func(_ *Shard, db *DB) { db.SetString(k, []byte("x"), NoTTL) },
		"replace": func(_ *Shard, db *DB) { db.PutPacked(k, List, ListPack, lp(7), NoTTL) },
		"FLUSHDB": func(_ *Shard, db *DB) { require.Equal(t, 1, db.Flush()) },
		"DEL and FLUSHDB": func(_ *Shard, db *DB) {
			require.True(t, db.Delete(k))
			db.Flush()
		},
		"SWAPDB and FLUSHDB": func(s *Shard, db *DB) {
			s.SwapDB(0, 1)
			s.DB(1).Flush()
		},
		"SWAPDB and DEL": func(s *Shard, db *DB) {
			s.SwapDB(0, 1)
			require.True(t, s.DB(1).Delete(k))
		},
		"MOVE and FLUSHDB": func(s *Shard, db *DB) {
			e, _ := db.Peek(k)
			s.DB(1).Move(k, db, k, e)
			db.Delete(k)
			s.DB(1).Flush()
		},
		"expiry": func(s *Shard, db *DB) {
			db.SetExpire(k, s.NowMs+1)
			s.NowMs += 2
			require.False(t, db.Exists(k))
		},
	} {
		for _, bytes := range []int{40_000, 4 * privateBytes} {
			t.Run(name, func(t *testing.T) {
				var later []func()
				s := NewShard(Options{Databases: 2, NowMs: 1000, Rand: rand.Uint64, Later: func(f func()) { later = append(later, f) }})
				defer s.Release()
				db := s.DB(0)
				base := s.UsedBytes()
				p, pin := pinned(t, db, "k", bytes)
				drop(s, db)
				require.Empty(t, later, "the view still needs the memory")
				s.DB(0).Maintain(1000)
				s.DB(1).Maintain(1000)
				require.Empty(t, later)
				p.check(t)

				p.frozen = false
				pin.End()
				pin.End()
				for i := range s.Databases() {
					s.DB(i).Flush()
					require.Empty(t, s.DB(i).objects.zombies)
				}
				require.Empty(t, s.pins)
				require.Empty(t, s.orphans)
				for _, f := range later {
					f()
				}
				// The table of objects keeps its first block until a flush, and every space was flushed.
				require.Equal(t, base, s.UsedBytes())
			})
		}
	}
}

// TestPinAndMove: a value of which a view is in use goes to another shard as a copy, and to another database as it is.
func TestPinAndMove(t *testing.T) {
	for _, bytes := range []int{40_000, 4 * privateBytes} {
		a, b := quietShard(2), quietShard(2)
		defer a.Release()
		defer b.Release()
		k := MakeKey([]byte("k"))
		p, pin := pinned(t, a.DB(0), "k", bytes)
		private := p.Arena() != a.DB(0).arena

		e, _ := a.DB(0).Peek(k)
		a.DB(1).Move(k, a.DB(0), k, e)
		a.DB(0).Delete(k)
		e, _ = a.DB(1).Peek(k)
		moved := a.DB(1).Object(e).(*pile)
		require.Equal(t, private, moved == p)

		moved.frozen = true // by a view of the copy, if it is one
		b.DB(0).Move(k, a.DB(1), k, e)
		a.DB(1).Delete(k)
		e, _ = b.DB(0).Peek(k)
		there := b.DB(0).Object(e).(*pile)
		require.NotSame(t, moved, there)
		require.False(t, there.frozen)
		there.check(t)
		p.check(t)
		require.Equal(t, private, there.Arena() != b.DB(0).arena)

		b.DB(0).Delete(k)
		p.check(t)
		p.frozen, moved.frozen = false, false
		pin.End()
		for i := range 2 {
			require.Empty(t, a.DB(i).objects.zombies)
			require.Zero(t, a.DB(i).arena.Used()-a.DB(i).dict.Bytes())
		}
	}
}

// TestPinsEndInAnyOrder: what is flushed waits for the pins that there were, and for no later ones; and for cuts too.
func TestPinsEndInAnyOrder(t *testing.T) {
	released := 0
	s := NewShard(Options{Databases: 1, NowMs: 1000, Rand: rand.Uint64, Later: func(f func()) { released++; f() }})
	db := s.DB(0)
	p, first := pinned(t, db, "a", 40_000)
	q, second := pinned(t, db, "b", 40_000)
	cut := db.BeginCut(func(Entry) {})
	db.Flush()
	r, third := pinned(t, db, "c", 40_000)
	q.frozen = false
	second.End()
	require.Zero(t, released)
	p.check(t)
	p.frozen = false
	first.End()
	require.Zero(t, released, "the cut needs it")
	cut.End()
	require.Equal(t, 1, released)
	require.Empty(t, s.orphans)

	db.Flush()
	require.Equal(t, 1, released)
	r.check(t)
	s.Release() // with what is left of the flushed
	require.Empty(t, s.orphans)
	require.NotNil(t, third)
}
