package keyspace

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// newWaitShards returns shards of two databases that share one list of ready keys, with clocks that stand.
func newWaitShards(tb testing.TB, n int) ([]*Shard, *ReadyKeys) {
	ready := new(ReadyKeys)
	shards := make([]*Shard, n)
	for i := range shards {
		shards[i] = NewShard(Options{
			ID: i, Databases: 2, NowMs: 1_700_000_000_000, Rand: rand.New(rand.NewPCG(1, 2)).Uint64, Later: func(f func()) { f() },
		})
		shards[i].Ready = ready
		tb.Cleanup(shards[i].Release)
	}
	return shards, ready
}

// places returns the waits of the queue of a key, oldest first, after having checked its links and length.
func places(t *testing.T, db *DB, key string) (all []*Wait) {
	q := db.queues[key]
	if q == nil {
		return nil
	}
	require.NotZero(t, q.Len(), "an empty queue is given up")
	var prev *Wait
	for w := q.First(); w != nil; w = w.Next() {
		require.Same(t, q, w.queue)
		require.True(t, w.prev == prev)
		all, prev = append(all, w), w
	}
	require.True(t, q.last == prev)
	require.Len(t, all, q.Len())
	return all
}

func TestWaitQueueInOrder(t *testing.T) {
	shards, ready := newWaitShards(t, 1)
	db := shards[0].DB(0)
	w := make([]*Wait, 5)
	for i := range w {
		w[i] = &Wait{Type: List}
		db.Enqueue([]byte("k"), w[i], 0)
	}
	require.Equal(t, w, places(t, db, "k"))
	w[2].Leave() // in the middle, and once more
	w[2].Leave()
	require.Equal(t, []*Wait{w[0], w[1], w[3], w[4]}, places(t, db, "k"))
	w[0].Leave()
	w[4].Leave()
	require.Equal(t, []*Wait{w[1], w[3]}, places(t, db, "k"))
	db.Enqueue([]byte("k"), w[0], 0)
	require.Equal(t, []*Wait{w[1], w[3], w[0]}, places(t, db, "k"))

	// Those that leave while a queue is ready are not seen any more.
	db.Signal([]byte("k"))
	for _, w := range w {
		w.Leave()
	}
	require.Empty(t, db.queues)
	require.Nil(t, ready.Take().First())
	require.Nil(t, ready.Take())
	db.Enqueue([]byte("k"), w[0], 0)
	db.Signal([]byte("k"))
	require.Equal(t, w[0], ready.Take().First())
}

func TestReadyKeysOnce(t *testing.T) {
	shards, ready := newWaitShards(t, 2)
	x, y := shards[0].DB(0), shards[1].DB(1)
	x.Enqueue([]byte("a"), new(Wait), 0)
	x.Enqueue([]byte("b"), new(Wait), 0)
	y.Enqueue([]byte("a"), new(Wait), 0)
	x.Signal([]byte("nobody"))
	require.True(t, ready.Empty())
	for range 2 {
		y.Signal([]byte("a"))
		x.Signal([]byte("b"))
		y.Signal([]byte("a"))
		x.Signal([]byte("a"))
	}
	first := ready.Take()
	require.Same(t, y, first.DB())
	require.Equal(t, "a", string(first.Key().B))
	y.Signal([]byte("a")) // it has been taken: from now on it is news again, behind the others
	for _, want := range []string{"b", "a", "a"} {
		require.False(t, ready.Empty())
		require.Equal(t, want, string(ready.Take().Key().B))
	}
	require.True(t, ready.Empty())
	require.Nil(t, ready.Take())
}

func TestWaitQueueServes(t *testing.T) {
	shards, _ := newWaitShards(t, 1)
	s, db := shards[0], shards[0].DB(0)
	k := MakeKey([]byte("k"))
	str, list, group := &Wait{Type: String}, &Wait{Type: List}, &Wait{Type: Stream, Gone: true}
	for _, w := range []*Wait{str, list, group} {
		db.Enqueue(k.B, w, 0)
	}
	q := db.queues["k"]
	require.False(t, q.Serves(str))
	require.True(t, q.Serves(group))
	db.SetString(k, []byte("v"), s.NowMs+5)
	require.True(t, q.Serves(str))
	require.False(t, q.Serves(list))
	require.True(t, q.Serves(group))
	s.NowMs += 5
	require.False(t, q.Serves(str), "past its deadline")
	require.Equal(t, 1, db.Len(), "but not removed by that")
}

func TestCrossWaits(t *testing.T) {
	shards, _ := newWaitShards(t, 3)
	s := shards[1]
	require.False(t, s.HasCrossWaits())
	own := new(Wait)
	s.DB(0).Enqueue([]byte("a"), own, 1<<1)
	require.EqualValues(t, 0b010, s.CrossWaits([]byte("a")), "what is moved within the shard may be waited for there by somebody who needs others")
	a, b, c := new(Wait), new(Wait), new(Wait)
	s.DB(0).Enqueue([]byte("a"), a, 1<<1|1<<2)
	s.DB(1).Enqueue([]byte("a"), b, 1<<0)
	s.DB(1).Enqueue([]byte("c"), c, 1<<0)
	require.True(t, s.HasCrossWaits())
	require.EqualValues(t, 0b111, s.CrossWaits([]byte("a")), "of all databases")
	require.EqualValues(t, 0b001, s.CrossWaits([]byte("c")))
	require.Zero(t, s.CrossWaits([]byte("x")))
	require.EqualValues(t, 0b111, s.AllCrossWaits())
	a.Leave()
	a.Leave()
	require.NotZero(t, s.CrossWaits([]byte("a"))&1, "that of b")
	own.Leave()
	b.Leave()
	require.Zero(t, s.CrossWaits([]byte("a")))
	require.EqualValues(t, 0b001, s.AllCrossWaits())
	c.Leave()
	require.False(t, s.HasCrossWaits())
	require.Zero(t, s.AllCrossWaits())
	require.False(t, shards[0].HasCrossWaits())
}

// waitModel is what queues and the list of ready keys should be.
type waitModel struct {
	queues map[string][]*Wait // by place
	ready  []string
	cross  map[*Wait]uint64
}

func (m *waitModel) signal(place string) {
	if len(m.queues[place]) > 0 && !slices.Contains(m.ready, place) {
		m.ready = append(m.ready, place)
	}
}

// TestWaitQueuesAsModel does random things to the keys and queues of several shards.
func TestWaitQueuesAsModel(t *testing.T) {
	const nshards, nkeys, steps = 3, 4, 8_000
	rnd := rand.New(rand.NewPCG(7, 7))
	shards, ready := newWaitShards(t, nshards)
	m := waitModel{queues: map[string][]*Wait{}, cross: map[*Wait]uint64{}}
	name := func(db *DB, key string) string { return fmt.Sprintf("%d/%d/%s", db.shard.id, db.num, key) }
	// there tells what is at a place, and until when.
	type value struct {
		t  Type
		at int64
	}
	there := map[string]value{}
	var keys []string
	for i := range nkeys {
		keys = append(keys, fmt.Sprint("k", i))
	}
	var waits []*Wait
	put := func(db *DB, k Key, typ Type, atMs int64) {
		if typ == String {
			db.SetString(k, []byte("v"), atMs)
		} else {
			db.PutPacked(k, typ, ListPack, []byte{7, 0, 0, 0, 0, 0, 0xff}, atMs)
		}
	}
	types := []Type{String, List, ZSet}
	for step := range steps {
		s := shards[rnd.IntN(nshards)]
		db := s.DB(rnd.IntN(2))
		key := keys[rnd.IntN(nkeys)]
		k, place := MakeKey([]byte(key)), name(db, key)
		was, have := there[place]
		switch op := rnd.IntN(14); op {
		case 0, 1:
			w := &Wait{Type: types[rnd.IntN(3)], Gone: rnd.IntN(4) == 0}
			needs := uint64(0)
			if rnd.IntN(2) == 0 {
				needs = rnd.Uint64N(1 << nshards)
			}
			db.Enqueue(k.B, w, needs)
			waits = append(waits, w)
			m.queues[place] = append(m.queues[place], w)
			m.cross[w] = needs
		case 2:
			if len(waits) == 0 {
				continue
			}
			i := rnd.IntN(len(waits))
			w := waits[i]
			place := name(w.queue.db, w.queue.key)
			w.Leave()
			waits = slices.Delete(waits, i, i+1)
			q := m.queues[place]
			m.queues[place] = slices.Delete(q, slices.Index(q, w), slices.Index(q, w)+1)
			delete(m.cross, w)
			if len(m.queues[place]) == 0 {
				delete(m.queues, place)
				m.ready = slices.DeleteFunc(m.ready, func(p string) bool { return p == place })
			}
		case 3, 4, 5:
			typ, atMs := types[rnd.IntN(3)], NoTTL
			if rnd.IntN(3) == 0 {
				atMs = s.NowMs + int64(rnd.IntN(20))
			}
			if have && was.at >= 0 && was.at <= s.NowMs {
				have = false // goes first
				m.signal(place)
			}
			put(db, k, typ, atMs)
			if !have || was.t != typ || typ != String {
				m.signal(place)
			}
			there[place] = value{typ, atMs}
		case 6, 7:
			db.Delete(k)
			if have {
				m.signal(place)
			}
			delete(there, place)
		case 8:
			for _, s := range shards {
				s.NowMs += 3
			}
		case 9:
			if db.Exists(k); have && was.at >= 0 && was.at <= s.NowMs {
				m.signal(place)
				delete(there, place)
			}
		case 10:
			db.Signal(k.B)
			m.signal(place)
		case 11: // the order of the signals of a whole database is not set: look at the list before and after
			m.check(t, ready, name)
			changed := []*DB{s.DB(0), s.DB(1)}
			if rnd.IntN(2) == 0 {
				changed = []*DB{db}
				db.Flush()
				for _, key := range keys {
					delete(there, name(db, key))
				}
			} else {
				s.SwapDB(0, 1)
				for _, key := range keys {
					x, y := name(s.DB(0), key), name(s.DB(1), key)
					a, okA := there[x]
					b, okB := there[y]
					delete(there, x)
					delete(there, y)
					if okB {
						there[x] = b
					}
					if okA {
						there[y] = a
					}
				}
			}
			var got []string
			for q := ready.Take(); q != nil; q = ready.Take() {
				got = append(got, name(q.db, q.key))
			}
			var want []string
			for _, db := range changed {
				for key := range db.queues {
					want = append(want, name(db, key))
				}
			}
			require.ElementsMatch(t, want, got)
		case 12:
			other := shards[rnd.IntN(nshards)].DB(rnd.IntN(2))
			to := keys[rnd.IntN(nkeys)]
			target := name(other, to)
			e, ok := db.Peek(k)
			if _, there := there[target]; !ok || there || place == target {
				continue
			}
			tk := MakeKey([]byte(to))
			if rnd.IntN(2) == 0 {
				other.Copy(tk, db, e, e.ExpireAtMs())
				m.signal(target)
			} else {
				other.Move(tk, db, k, e)
				m.signal(target)
				db.Delete(k)
				m.signal(place)
				delete(there, place)
			}
			there[target] = was
		default:
			m.check(t, ready, name)
		}
		if step%16 == 0 {
			m.checkQueues(t, shards, keys, name)
		}
	}
	m.check(t, ready, name)
	require.NotEmpty(t, waits)
	for _, w := range waits {
		w.Leave()
	}
	for _, s := range shards {
		require.False(t, s.HasCrossWaits())
		require.Empty(t, s.DB(0).queues)
		require.Empty(t, s.DB(1).queues)
	}
}

// check takes all ready keys and compares. Queues that everybody has left may be among them; they mean nothing.
func (m *waitModel) check(t *testing.T, ready *ReadyKeys, name func(*DB, string) string) {
	var got []string
	for q := ready.Take(); q != nil; q = ready.Take() {
		if q.First() != nil {
			got = append(got, name(q.db, q.key))
		}
	}
	require.Equal(t, m.ready, got)
	m.ready = nil
}

func (m *waitModel) checkQueues(t *testing.T, shards []*Shard, keys []string, name func(*DB, string) string) {
	for _, s := range shards {
		all := uint64(0)
		for _, key := range keys {
			needs := uint64(0)
			for i := range 2 {
				require.Equal(t, m.queues[name(s.DB(i), key)], places(t, s.DB(i), key))
				for _, w := range m.queues[name(s.DB(i), key)] {
					needs |= m.cross[w]
				}
			}
			// What those have needed who left is forgotten only with the last of them.
			got := s.CrossWaits([]byte(key))
			require.Equal(t, needs, got&needs)
			require.Equal(t, needs != 0, got != 0)
			all |= got
		}
		require.Equal(t, all, s.AllCrossWaits())
		require.Equal(t, all != 0, s.HasCrossWaits())
	}
}
