package keyspace

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// cutWatch compares what a cut hands over with the keys that there were when it began.
type cutWatch struct {
	cut  *Cut
	want map[string]string
	got  map[string]string
}

func watchCut(t *testing.T, db *DB, want map[string]string) *cutWatch {
	w := &cutWatch{want: want, got: make(map[string]string)}
	w.cut = db.BeginCut(func(e Entry) {
		name := string(e.Key())
		_, twice := w.got[name]
		require.False(t, twice, "%s was handed over twice", name)
		w.got[name] = cutState(e)
	})
	return w
}

func cutState(e Entry) string {
	return fmt.Sprintf("%s until %d", e.Bytes(make([]byte, 0, 20)), e.ExpireAtMs())
}

// cutModel is a shard with two databases beside what they should contain.
type cutModel struct {
	t     *testing.T
	s     *Shard
	rnd   *rand.Rand
	names int
	keys  [2]map[string]cutValue
}

type cutValue struct {
	text string
	at   int64
}

// live returns the state of the keys of a database that are not past their deadline.
func (m *cutModel) live(db int) map[string]string {
	live := make(map[string]string)
	for name, v := range m.keys[db] {
		if v.at < 0 || v.at > m.s.NowMs {
			live[name] = fmt.Sprintf("%s until %d", v.text, v.at)
		}
	}
	return live
}

// prune forgets the keys of the model that are past their deadline.
func (m *cutModel) prune() {
	for i := range m.keys {
		maps.DeleteFunc(m.keys[i], func(_ string, v cutValue) bool { return v.at >= 0 && v.at <= m.s.NowMs })
	}
}

// change does one random change; grow makes keys more often than it deletes them.
func (m *cutModel) change(grow bool) {
	i := m.rnd.IntN(2)
	db, keys := m.s.DB(i), m.keys[i]
	name := fmt.Sprintf("key:%d", m.rnd.IntN(m.names))
	k := MakeKey([]byte(name))
	was, there := keys[name]
	at := NoTTL
	if m.rnd.IntN(3) == 0 {
		at = m.s.NowMs + 1 + m.rnd.Int64N(2000)
	}
	op := m.rnd.IntN(100)
	if !grow && op < 40 {
		op = 40
	}
	switch {
	case op < 40:
		text := string(make([]byte, m.rnd.IntN(300)))
		if m.rnd.IntN(3) == 0 {
			text = fmt.Sprint(m.rnd.Uint32())
		}
		db.SetString(k, []byte(text), at)
		keys[name] = cutValue{text, at}
	case op < 80:
		require.Equal(m.t, there, db.Delete(k))
		delete(keys, name)
	case op < 85 && there:
		db.SetExpire(k, at)
		keys[name] = cutValue{was.text, at}
	case op < 92 && there:
		v := db.Grow(k, len(was.text)+2)
		copy(v[len(was.text):], "++")
		keys[name] = cutValue{was.text + "++", was.at}
	case op < 97:
		m.s.NowMs += m.rnd.Int64N(30)
		m.prune()
		if m.rnd.IntN(2) == 0 {
			m.s.DB(0).ExpireDue(50)
			m.s.DB(1).ExpireDue(50)
		}
	default:
		_, ok := db.LookupRead(k)
		require.Equal(m.t, there, ok)
	}
}

// TestCutModel runs several cuts at once over databases that grow, shrink, expire, are flushed and swapped: each must give
// exactly what was there when it began.
func TestCutModel(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			s, _ := newExpiryShard(seed)
			defer s.Release()
			m := &cutModel{t: t, s: s, rnd: rand.New(rand.NewPCG(seed, 7)), names: 300 << (seed % 5)}
			m.keys[0], m.keys[1] = map[string]cutValue{}, map[string]cutValue{}
			var cuts []*cutWatch
			finished := 0
			for round := range 3000 {
				grow := round/(m.names/2)%2 == 0
				for range 5 {
					m.change(grow)
				}
				switch r := m.rnd.IntN(1000); {
				case r < 10:
					i := m.rnd.IntN(2)
					s.DB(i).Flush()
					clear(m.keys[i])
				case r < 30:
					s.SwapDB(0, 1)
					m.keys[0], m.keys[1] = m.keys[1], m.keys[0]
				case r < 60:
					s.DB(m.rnd.IntN(2)).Maintain(100)
				case r < 150 && len(cuts) < 4:
					i := m.rnd.IntN(2)
					cuts = append(cuts, watchCut(t, s.DB(i), m.live(i)))
				case r < 500 && len(cuts) > 0:
					i := m.rnd.IntN(len(cuts))
					if !cuts[i].cut.Step(1 + m.rnd.IntN(40)) {
						require.Equal(t, cuts[i].want, cuts[i].got)
						cuts = append(cuts[:i], cuts[i+1:]...)
						finished++
					}
				case r < 502 && len(cuts) > 0:
					cuts[0].cut.End()
					cuts = cuts[1:]
				}
			}
			for _, w := range cuts {
				for w.cut.Step(10) {
				}
				require.Equal(t, w.want, w.got)
			}
			require.NotZero(t, finished)
			for i := range m.keys {
				require.Empty(t, s.DB(i).cuts)
				got := make(map[string]string)
				for pos, more := uint64(0), true; more; {
					pos, more = s.DB(i).Scan(pos, 100, func(e Entry) {
						if !s.DB(i).Due(e) {
							got[string(e.Key())] = cutState(e)
						}
					})
				}
				require.Equal(t, m.live(i), got)
			}
		})
	}
}

// TestCutOverMerges shrinks the table in the middle of a group of keys that agree in the hash bits a small table keeps. The
// walk then resumes at the start of the group, and must not see again what it has left behind.
func TestCutOverMerges(t *testing.T) {
	s, _ := newExpiryShard(21)
	defer s.Release()
	db := s.DB(0)
	set := func(name string, value int) { db.SetString(MakeKey([]byte(name)), fmt.Append(nil, value), NoTTL) }
	const groupBits = 16
	group := make(map[string]bool)
	for i := 0; len(group) < 12; i++ {
		if name := fmt.Sprint("group:", i); MakeKey([]byte(name)).H>>(64-groupBits) == 0x8123 {
			group[name] = true
		}
	}
	for round := range 5 {
		want := make(map[string]string)
		for i := range 20_000 {
			name := fmt.Sprint("other:", i)
			set(name, i)
			want[name] = fmt.Sprintf("%d until -1", i)
		}
		for name := range group {
			set(name, round)
			want[name] = fmt.Sprintf("%d until -1", round)
		}
		w := watchCut(t, db, want)
		seen := func() (n int) {
			for name := range group {
				if _, ok := w.got[name]; ok {
					n++
				}
			}
			return n
		}
		for seen() < 2+round {
			require.True(t, w.cut.Step(1))
		}
		require.Less(t, seen(), len(group))
		for name := range want {
			if !group[name] {
				require.True(t, db.Delete(MakeKey([]byte(name))))
			}
		}
		for name := range group {
			if _, ok := w.got[name]; ok {
				set(name, 1000)
			}
		}
		for w.cut.Step(1) {
		}
		require.Equal(t, want, w.got)
	}
}

func TestCutOfFlushedReleasesOnce(t *testing.T) {
	released := 0
	s := NewShard(Options{Databases: 1, NowMs: 1000, Rand: rand.Uint64, Later: func(f func()) { released++; f() }})
	defer s.Release()
	db := s.DB(0)
	db.SetString(MakeKey([]byte("a")), []byte("1"), NoTTL)
	first := watchCut(t, db, map[string]string{"a": "1 until -1"})
	second := watchCut(t, db, first.want)
	require.Equal(t, 1, db.Flush())
	db.SetString(MakeKey([]byte("b")), []byte("2"), NoTTL)
	require.Zero(t, released, "the cuts still need the old contents")
	require.False(t, first.cut.Step(100))
	require.Zero(t, released)
	require.False(t, second.cut.Step(100))
	require.Equal(t, 1, released)
	second.cut.End()
	require.Equal(t, 1, released)
	require.Equal(t, first.want, first.got)
	require.Equal(t, second.want, second.got)
	require.False(t, first.cut.Step(1), "a cut that is over stays over")
}

func TestCutLeavesOutExpired(t *testing.T) {
	s, _ := newExpiryShard(22)
	defer s.Release()
	db := s.DB(0)
	db.SetString(MakeKey([]byte("dead")), []byte("1"), s.NowMs+5)
	db.SetString(MakeKey([]byte("alive")), []byte("2"), s.NowMs+6)
	s.NowMs += 5
	w := watchCut(t, db, map[string]string{"alive": fmt.Sprintf("2 until %d", s.NowMs+1)})
	s.NowMs += 100 // its instant is that of its beginning
	for w.cut.Step(1) {
	}
	require.Equal(t, w.want, w.got)
}
