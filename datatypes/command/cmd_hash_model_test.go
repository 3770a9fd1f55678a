package command

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// hashModelField is what the model knows of a field.
type hashModelField struct {
	value string
	at    int64 // deadline, -1 for none
}

// hashModel runs commands on hashes beside plain maps, and their effects on a second server, which never expires
// anything by itself: what is written to the journal must be enough.
type hashModel struct {
	t      *testing.T
	s      *testCtx
	copy   *testCtx
	want   map[string]map[string]hashModelField
	queued [][][]byte
}

// hashModelJournal collects effects, those of expiry too.
type hashModelJournal struct {
	*testCtx
	m *hashModel
}

func (j hashModelJournal) Append(_ int, args [][]byte) { j.m.queue(args...) }

func (j hashModelJournal) Expired(_ *keyspace.DB, key []byte) { j.m.queue([]byte("DEL"), key) }

func (j hashModelJournal) FieldsExpired(_ *keyspace.DB, key []byte, fields [][]byte) {
	j.m.queue(append([][]byte{wordHDel, key}, fields...)...)
}

func (m *hashModel) queue(args ...[]byte) {
	words := make([][]byte, len(args))
	for i, a := range args {
		words[i] = slices.Clone(a)
	}
	m.queued = append(m.queued, words)
}

func newHashModel(t *testing.T, shards int) *hashModel {
	m := &hashModel{t: t, s: newHashCtx(t, shards), copy: newHashCtx(t, 1), want: map[string]map[string]hashModelField{}}
	for _, s := range []*testCtx{m.s, m.copy} {
		s.Settings.HashMaxListpackEntries, s.Settings.HashMaxListpackValue = 8, 12
	}
	m.s.Journal = hashModelJournal{m.s, m}
	for _, sh := range m.s.shards {
		sh.Observer = hashModelJournal{m.s, m}
	}
	m.copy.advance(-m.copy.NowMs)
	return m
}

func (m *hashModel) nowMs() int64 { return m.s.NowMs }

// expire drops what is due, and empty hashes.
func (m *hashModel) expire() {
	for k, fields := range m.want {
		maps.DeleteFunc(fields, func(_ string, f hashModelField) bool { return f.at >= 0 && f.at <= m.nowMs() })
		if len(fields) == 0 {
			delete(m.want, k)
		}
	}
}

// run runs a command whose reply is known.
func (m *hashModel) run(want string, words ...string) {
	require.Equal(m.t, want, m.s.do(words...), "%q", words)
	for _, args := range m.queued {
		reply := string(m.copy.call(args))
		require.NotEqual(m.t, byte('-'), reply[0], "%q: %s", args, reply)
	}
	m.queued = m.queued[:0]
}

func (m *hashModel) set(k, f, value string, at int64) (created bool) {
	if m.want[k] == nil {
		m.want[k] = map[string]hashModelField{}
	}
	_, there := m.want[k][f]
	m.want[k][f] = hashModelField{value, at}
	return !there
}

// step does one random thing.
func (m *hashModel) step(rnd *rand.Rand) {
	key := func() string { return fmt.Sprint("k", rnd.IntN(3)) }
	field := func() string { return fmt.Sprint("f", rnd.IntN(14)) }
	k, f := key(), field()
	m.expire()
	fields := m.want[k]
	known, there := fields[f]
	if !there {
		known.at = -1
	}
	switch rnd.IntN(18) {
	case 0, 1, 2:
		words, created := []string{"HSET", k}, 0
		for range 1 + rnd.IntN(3) {
			f, v := field(), strconv.Itoa(rnd.IntN(1000))
			if rnd.IntN(40) == 0 {
				v = strings.Repeat("long", 4)
			}
			words = append(words, f, v)
			if m.set(k, f, v, -1) {
				created++
			}
		}
		m.run(":"+strconv.Itoa(created), words...)
	case 3:
		want := ":0"
		if !there {
			want = ":1"
			m.set(k, f, "nx", -1)
		}
		m.run(want, "HSETNX", k, f, "nx")
	case 4, 5:
		words, deleted := []string{"HDEL", k}, 0
		for range 1 + rnd.IntN(4) {
			f := field()
			words = append(words, f)
			if _, ok := fields[f]; ok {
				delete(fields, f)
				deleted++
			}
		}
		if len(fields) == 0 {
			delete(m.want, k)
		}
		m.run(":"+strconv.Itoa(deleted), words...)
	case 6:
		n, err := 0, error(nil)
		if there {
			n, err = strconv.Atoi(known.value)
		}
		if err != nil {
			m.run("-ERR hash value is not an integer", "HINCRBY", k, f, "7")
			break
		}
		m.set(k, f, strconv.Itoa(n+7), known.at)
		m.run(":"+strconv.Itoa(n+7), "HINCRBY", k, f, "7")
	case 7:
		if there && !isDigits(known.value) {
			m.run("-ERR hash value is not a float", "HINCRBYFLOAT", k, f, "0.5")
			break
		}
		n, _ := strconv.ParseFloat(known.value, 64)
		v := strconv.FormatFloat(n+0.5, 'f', -1, 64)
		m.set(k, f, v, known.at)
		m.run("$"+strconv.Itoa(len(v))+" "+v, "HINCRBYFLOAT", k, f, "0.5")
	case 8, 9, 10, 11:
		m.stepExpire(rnd, k, []string{f, field()})
	case 12:
		want := ":-2"
		if there {
			if want = ":-1"; known.at >= 0 {
				want = ":1"
				m.set(k, f, known.value, -1)
			}
		}
		m.run("*1 "+want, "HPERSIST", k, "FIELDS", "1", f)
	case 13:
		m.s.advance(rnd.Int64N(30))
		m.expire()
	case 14:
		m.s.expireActively()
	case 15:
		if to := key(); to != k && fields != nil {
			m.want[to] = maps.Clone(fields)
			m.run(":1", "COPY", k, to, "REPLACE")
		}
	case 16:
		if to := key(); to != k && fields != nil {
			m.want[to] = fields
			delete(m.want, k)
			m.run("+OK", "RENAME", k, to)
		}
	case 17:
		if rnd.IntN(10) == 0 && fields != nil {
			delete(m.want, k)
			m.run(":1", "DEL", k)
		}
	}
	m.look(rnd, key(), field())
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789.") == "" }

// stepExpire sets deadlines.
func (m *hashModel) stepExpire(rnd *rand.Rand, k string, names []string) {
	at := m.nowMs() + rnd.Int64N(100) - 5
	condition := []string{"", "NX", "XX", "GT", "LT"}[rnd.IntN(5)]
	words := []string{"HPEXPIREAT", k, strconv.FormatInt(at, 10)}
	if condition != "" {
		words = append(words, condition)
	}
	words = append(words, "FIELDS", strconv.Itoa(len(names)))
	want := "*" + strconv.Itoa(len(names))
	for _, f := range names {
		words = append(words, f)
		known, ok := m.want[k][f]
		switch {
		case !ok:
			want += " :-2"
		case condition == "NX" && known.at >= 0, condition == "XX" && known.at < 0, condition == "GT" && (known.at < 0 || known.at >= at),
			condition == "LT" && known.at >= 0 && known.at <= at:
			want += " :0"
		case at <= m.nowMs():
			want += " :2"
			delete(m.want[k], f)
		default:
			want += " :1"
			m.set(k, f, known.value, at)
		}
	}
	if len(m.want[k]) == 0 {
		delete(m.want, k)
	}
	m.run(want, words...)
}

// look asks what does not change anything.
func (m *hashModel) look(rnd *rand.Rand, k, f string) {
	known, there := m.want[k][f]
	want, ttl := "$-1", ":-2"
	if there {
		want, ttl = fmt.Sprintf("$%d %s", len(known.value), known.value), ":"+strconv.FormatInt(known.at, 10)
	}
	switch rnd.IntN(5) {
	case 0:
		m.run(want, "HGET", k, f)
	case 1:
		m.run("*1 "+ttl, "HPEXPIRETIME", k, "FIELDS", "1", f)
	case 2:
		m.run(":"+strconv.Itoa(len(m.want[k])), "HLEN", k)
	case 3:
		m.run(":"+strconv.Itoa(len(known.value)), "HSTRLEN", k, f)
	case 4:
		reply := strings.Fields(m.s.do("HGETALL", k))
		require.Len(m.t, reply, 1+4*len(m.want[k]))
		for i := 1; i < len(reply); i += 4 {
			require.Equal(m.t, m.want[k][reply[i+1]].value, reply[i+3])
		}
		m.run(":"+strconv.Itoa(len(m.want[k])), "HLEN", k)
	}
}

// compare looks at all of the content, here and on the copy.
func (m *hashModel) compare() {
	m.s.expireActively()
	m.run("+PONG", "PING")
	for i := range 3 {
		k := fmt.Sprint("k", i)
		for _, s := range []*testCtx{m.s, m.copy} {
			require.Equal(m.t, ":"+strconv.Itoa(len(m.want[k])), s.do("HLEN", k))
			require.Equal(m.t, ":"+strconv.Itoa(min(len(m.want[k]), 1)), s.do("EXISTS", k))
			for f, known := range m.want[k] {
				require.Equal(m.t, fmt.Sprintf("$%d %s", len(known.value), known.value), s.do("HGET", k, f))
				require.Equal(m.t, "*1 :"+strconv.FormatInt(known.at, 10), s.do("HPEXPIRETIME", k, "FIELDS", "1", f))
			}
		}
	}
	m.run("+PONG", "PING")
}

func TestHashModel(t *testing.T) {
	n := 30_000
	if s, err := strconv.Atoi(os.Getenv("TROUPE_STEPS")); err == nil {
		n = s
	} else if testing.Short() {
		n = 3000
	}
	for _, shards := range []int{1, 3} {
		t.Run(strconv.Itoa(shards), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(7, uint64(shards)))
			m := newHashModel(t, shards)
			for i := range n {
				m.step(rnd)
				if i%50 == 0 {
					m.expire()
					m.compare()
				}
			}
		})
	}
}
