package keyspace

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// stringModel is the plain counterpart of one DB with string values.
type stringModel struct {
	t    *testing.T
	rnd  *rand.Rand
	db   *DB
	keys map[string]stringValue
	born []string // keys whose event new is yet to come
}

type stringValue struct {
	text     string
	encoding Encoding
	atMs     int64
}

// textEncoding is the encoding of a string that is not an integer.
func textEncoding(text string) Encoding {
	if len(text) <= 44 {
		return EmbStr
	}
	return Raw
}

// freeEncoding is the encoding that SetString chooses.
func freeEncoding(text string) Encoding {
	if v, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(v, 10) == text {
		return Int
	}
	return textEncoding(text)
}

// Modified implements Observer.
func (m *stringModel) Modified(*DB, []byte) {}

// Event implements Observer.
func (m *stringModel) Event(db *DB, class EventClass, name string, key []byte) {
	if class == EventNew {
		require.Equal(m.t, "new", name)
		m.born = append(m.born, string(key))
		_, found := db.Peek(MakeKey(key))
		require.True(m.t, found || db.has(key), "the key is there when its event comes")
	}
}

// Expired implements Observer.
func (m *stringModel) Expired(_ *DB, key []byte) {
	v, found := m.keys[string(key)]
	require.True(m.t, found)
	require.True(m.t, v.atMs >= 0 && v.atMs <= m.db.Shard().NowMs)
	delete(m.keys, string(key))
}

// FieldsExpired implements Observer.
func (m *stringModel) FieldsExpired(*DB, []byte, [][]byte) { require.Fail(m.t, "there are no hashes") }

// Flushed implements Observer.
func (m *stringModel) Flushed(*DB, bool) { clear(m.keys) }

// has tells whether there is a record of the key, in time or not.
func (db *DB) has(key []byte) bool {
	_, slot := db.find(MakeKey(key))
	return slot.OK()
}

func newStringModel(t *testing.T, seed uint64) *stringModel {
	rnd := rand.New(rand.NewPCG(seed, 3))
	sh := NewShard(Options{Databases: 2, NowMs: 1_000_000, Rand: rnd.Uint64, Later: func(work func()) { work() }})
	t.Cleanup(sh.Release)
	m := &stringModel{t: t, rnd: rnd, db: sh.DB(0), keys: map[string]stringValue{}}
	sh.Observer = m
	return m
}

func (m *stringModel) key() string {
	n := m.rnd.IntN(300)
	if n%10 == 0 {
		return fmt.Sprintf("%0200d", n) // its length takes two bytes
	}
	return "k" + strconv.Itoa(n)
}

func (m *stringModel) text() string {
	switch m.rnd.IntN(6) {
	case 0:
		return strconv.FormatInt(int64(m.rnd.Uint64())>>m.rnd.IntN(64), 10)
	case 1:
		return strconv.Itoa(m.rnd.IntN(300) - 150)
	case 2:
		return strings.Repeat("ab", m.rnd.IntN(3000))
	case 3:
		return strings.Repeat("x", 120+m.rnd.IntN(15)) // around the length that takes four bytes
	default:
		return strings.Repeat("v", m.rnd.IntN(60))
	}
}

func (m *stringModel) atMs() int64 {
	switch m.rnd.IntN(4) {
	case 0:
		return m.db.Shard().NowMs + int64(m.rnd.IntN(5000)) - 100
	default:
		return NoTTL
	}
}

// live returns what the model has at key, past deadlines left out.
func (m *stringModel) live(key string) (stringValue, bool) {
	v, found := m.keys[key]
	if found && v.atMs >= 0 && v.atMs <= m.db.Shard().NowMs {
		return stringValue{}, false
	}
	return v, found
}

// store is what every write that sets a value does to the model.
func (m *stringModel) store(key, text string, enc Encoding, atMs int64) {
	old, found := m.live(key)
	if atMs == KeepTTL {
		atMs = NoTTL
		if found {
			atMs = old.atMs
		}
	}
	if !found {
		require.Equal(m.t, []string{key}, m.born, "one event for a new key")
	} else {
		require.Empty(m.t, m.born, "no event for a key that was there")
	}
	m.born = nil
	m.keys[key] = stringValue{text, enc, atMs}
}

func (m *stringModel) step() {
	db, name := m.db, m.key()
	k := MakeKey([]byte(name))
	old, found := m.live(name)
	switch op := m.rnd.IntN(16); op {
	case 0, 1, 2:
		text, atMs := m.text(), m.atMs()
		if m.rnd.IntN(4) == 0 {
			atMs = KeepTTL
		}
		switch m.rnd.IntN(4) {
		case 0:
			db.SetRaw(k, []byte(text), atMs)
			m.store(name, text, Raw, atMs)
		case 1:
			db.SetText(k, []byte(text), atMs)
			m.store(name, text, textEncoding(text), atMs)
		default:
			db.SetString(k, []byte(text), atMs)
			m.store(name, text, freeEncoding(text), atMs)
		}
	case 3:
		v := int64(m.rnd.Uint64()) >> m.rnd.IntN(64)
		db.SetInt(k, v, KeepTTL)
		m.store(name, strconv.FormatInt(v, 10), Int, KeepTTL)
	case 4, 5, 6:
		n := m.rnd.IntN(1 + len(old.text)*2 + 20)
		b := db.Grow(k, n)
		want := old.text + strings.Repeat("\x00", max(0, n-len(old.text)))
		require.Equal(m.t, want, string(b))
		for i := range b {
			if m.rnd.IntN(8) == 0 {
				b[i] = 'g'
			}
		}
		m.store(name, string(b), Raw, KeepTTL)
	case 7:
		require.Equal(m.t, found, db.Delete(k))
		delete(m.keys, name)
	case 8:
		if found {
			atMs := m.atMs()
			db.SetExpire(k, atMs)
			old.atMs = atMs
			m.keys[name] = old
		}
	case 9:
		to := m.key()
		if e, ok := db.Peek(k); ok {
			if _, taken := m.live(to); !taken {
				atMs := m.atMs()
				db.Copy(MakeKey([]byte(to)), db, e, atMs)
				m.store(to, old.text, old.encoding, atMs)
			}
		}
	case 10:
		if e, ok := db.LookupWrite(k); ok {
			if v, isInt := e.Int(); isInt {
				by := int64(m.rnd.IntN(200) - 100)
				if sum := v + by; (sum > v) == (by > 0) || by == 0 {
					if !db.UpdateInt(e, sum) {
						db.SetInt(k, sum, KeepTTL)
					}
					m.store(name, strconv.FormatInt(sum, 10), Int, KeepTTL)
				}
			}
		}
	case 11:
		m.db.Shard().NowMs += int64(m.rnd.IntN(30))
	case 12:
		if m.rnd.IntN(4) == 0 {
			for db.ExpireDue(1 + m.rnd.IntN(8)) {
			}
			for key := range m.keys {
				_, stays := m.live(key)
				require.True(m.t, stays, "%s is due and was not expired", key)
			}
		}
	case 13:
		db.Maintain(1 + m.rnd.IntN(100))
	default:
		m.look(name, db.Lookup)
	}
}

// look compares one key.
func (m *stringModel) look(name string, lookup func(Key, LookupFlags) (Entry, bool)) {
	want, found := m.live(name)
	e, ok := lookup(MakeKey([]byte(name)), 0)
	require.Equal(m.t, found, ok, name)
	if found {
		m.same(want, e)
	}
}

func (m *stringModel) same(want stringValue, e Entry) {
	var scratch [20]byte
	got := stringValue{string(e.Bytes(scratch[:])), e.Encoding(), e.ExpireAtMs()}
	require.Equal(m.t, want, got)
	require.Equal(m.t, len(want.text), e.StringLen())
	require.Equal(m.t, String, e.Type())
	require.Equal(m.t, want.atMs >= 0, e.Volatile())
}

// check compares everything.
func (m *stringModel) check() {
	volatile := 0
	for name, v := range m.keys {
		if v.atMs >= 0 {
			volatile++
		}
		e, slot := m.db.find(MakeKey([]byte(name)))
		require.True(m.t, slot.OK(), name)
		m.same(v, e)
	}
	require.Equal(m.t, len(m.keys), m.db.Len())
	require.Equal(m.t, volatile, m.db.Volatile())
	seen := map[string]int{}
	for pos, more := uint64(0), true; more; {
		pos, more = m.db.Scan(pos, 1+m.rnd.IntN(20), func(e Entry) { seen[string(e.Key())]++ })
	}
	require.Len(m.t, seen, len(m.keys))
	for name, n := range seen {
		require.Equal(m.t, 1, n, name)
	}
}

func TestStringModel(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			m := newStringModel(t, seed)
			var cut *Cut
			var want map[string]stringValue
			for i := range 12_000 {
				m.step()
				if i%500 == 0 {
					m.check()
				}
				// Every other stretch runs under a cut, which no write in place may reach.
				switch {
				case i%1000 == 500:
					want = map[string]stringValue{}
					for name := range m.keys {
						if v, found := m.live(name); found {
							want[name] = v
						}
					}
					cut = m.db.BeginCut(func(e Entry) {
						v, found := want[string(e.Key())]
						require.True(t, found, "%s was not there or came twice", e.Key())
						m.same(v, e)
						delete(want, string(e.Key()))
					})
				case cut != nil && i%5 == 0:
					if !cut.Step(3) {
						require.Empty(t, want)
						cut = nil
					}
				}
			}
			if cut != nil {
				cut.End()
			}
			m.check()
			for name := range m.keys {
				m.db.Delete(MakeKey([]byte(name)))
			}
			clear(m.keys)
			m.check()
			require.Zero(t, m.db.arena.Used(), "records are freed")
		})
	}
}

func TestStringIntegers(t *testing.T) {
	m := newStringModel(t, 1)
	k := MakeKey([]byte("n"))
	for _, v := range []int64{
		0, -1, math.MaxInt8, math.MinInt8, math.MaxInt8 + 1, math.MinInt8 - 1, math.MaxInt16, math.MinInt16, math.MaxInt16 + 1,
		math.MaxInt32, math.MinInt32, math.MaxInt32 + 1, math.MinInt32 - 1, math.MaxInt64, math.MinInt64,
	} {
		m.db.SetInt(k, v, NoTTL)
		e, found := m.db.LookupRead(k)
		require.True(t, found)
		got, ok := e.Int()
		require.True(t, ok)
		require.Equal(t, v, got)
		require.Equal(t, strconv.FormatInt(v, 10), string(e.Bytes(nil)))
		require.Equal(t, len(strconv.FormatInt(v, 10)), e.StringLen())
		// In place: the same width, and only then.
		require.True(t, m.db.UpdateInt(e, v^1))
		require.False(t, v == int64(int8(v)) && m.db.UpdateInt(e, 1<<40))
	}
	m.db.SetText(k, []byte("12"), NoTTL)
	e, _ := m.db.LookupRead(k)
	require.False(t, m.db.UpdateInt(e, 12), "a text stays one")
}

func TestPeekLeavesNoTrace(t *testing.T) {
	m := newStringModel(t, 1)
	k := MakeKey([]byte("k"))
	m.db.SetString(k, []byte("v"), m.db.Shard().NowMs+5)
	m.born = nil
	m.keys["k"] = stringValue{"v", EmbStr, m.db.Shard().NowMs + 5}
	e, _ := m.db.Peek(k)
	before := e.access()
	m.db.Shard().NowMs += 3000
	_, found := m.db.Peek(k)
	require.False(t, found)
	require.Equal(t, 1, m.db.Len())
	require.Equal(t, before, e.access())
	require.Zero(t, m.db.Shard().Stats)
}

// TestWriteOverExpired: a write finds nothing at a key past its deadline, also while expiry is held.
func TestWriteOverExpired(t *testing.T) {
	for _, held := range []bool{false, true} {
		for name, write := range map[string]func(db *DB, k Key){
			"SetString": func(db *DB, k Key) { db.SetString(k, []byte("new"), KeepTTL) },
			"SetInt":    func(db *DB, k Key) { db.SetInt(k, 7, KeepTTL) },
			"Grow":      func(db *DB, k Key) { copy(db.Grow(k, 3), "new") },
			"Copy": func(db *DB, k Key) {
				from := MakeKey([]byte("from"))
				db.SetString(from, []byte("new"), NoTTL)
				e, _ := db.Peek(from)
				db.Copy(k, db, e, NoTTL)
			},
		} {
			t.Run(fmt.Sprint(name, held), func(t *testing.T) {
				m := newStringModel(t, 1)
				sh, k := m.db.Shard(), MakeKey([]byte("k"))
				m.db.SetString(k, []byte("old"), sh.NowMs+5)
				m.keys["k"] = stringValue{"old", EmbStr, sh.NowMs + 5}
				m.born = nil
				sh.NowMs += 5
				sh.HoldExpiry = held
				write(m.db, k)
				require.Contains(t, m.born, "k")
				e, found := m.db.LookupRead(k)
				require.True(t, found)
				require.NotEqual(t, "old", string(e.Bytes(nil)))
				require.EqualValues(t, -1, e.ExpireAtMs())
				require.Zero(t, m.db.Volatile())
				require.Equal(t, held, sh.Stats.Expired == 0)
			})
		}
	}
}

func TestGrowReserves(t *testing.T) {
	m := newStringModel(t, 1)
	k := MakeKey([]byte("k"))
	moves, last := 0, Entry{}
	for n := 1; n <= 100_000; n++ {
		m.db.Grow(k, n)
		e, _ := m.db.Peek(k)
		if e != last {
			moves++
			last = e
		}
	}
	require.Less(t, moves, 40, "appending a byte at a time copies the string rarely")
}
