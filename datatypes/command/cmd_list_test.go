package command

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/keyspace"
)

const nullArray = "*-1"

// listOf writes a reply of bulk strings as render does.
func listOf(words ...string) string {
	out := "*" + strconv.Itoa(len(words))
	for _, w := range words {
		out += fmt.Sprintf(" $%d %s", len(w), w)
	}
	return out
}

// smallLists makes lists large from five elements on.
func smallLists(s *testCtx) { s.Settings.ListMaxListpackSize = 4 }

func TestListEffects(t *testing.T) {
	for _, c := range []struct {
		name          string
		setup         string // elements of l, pushed at the tail
		line, reply   string
		took          []string
		left          string // LRANGE l 0 -1 afterwards
		before, after string // encodings of l with lists of up to four elements; before is the one after setup
	}{
		{"lpush creates", "", "LPUSH l a b", ":2", []string{"new l", "modified l", "lpush l", "> LPUSH l a b"}, "b a", "", "listpack"},
		{"rpush creates", "", "RPUSH l a b", ":2", []string{"new l", "modified l", "rpush l", "> RPUSH l a b"}, "a b", "", "listpack"},
		{"rpush creates a large one", "", "RPUSH l a b c d e", ":5", []string{"new l", "modified l", "rpush l", "> RPUSH l a b c d e"}, "a b c d e", "", "quicklist"},
		{"lpush", "a b", "LPUSH l x y", ":4", []string{"modified l", "lpush l", "> LPUSH l x y"}, "y x a b", "listpack", "listpack"},
		{"lpush grows", "a b c", "LPUSH l x y", ":5", []string{"modified l", "lpush l", "> LPUSH l x y"}, "y x a b c", "listpack", "quicklist"},
		{"lpush on a large one", "a b c d e", "LPUSH l x", ":6", []string{"modified l", "lpush l", "> LPUSH l x"}, "x a b c d e", "quicklist", "quicklist"},
		{"rpush on a large one", "a b c d e", "RPUSH l x", ":6", []string{"modified l", "rpush l", "> RPUSH l x"}, "a b c d e x", "quicklist", "quicklist"},
		{"lpushx", "a", "LPUSHX l b c", ":3", []string{"modified l", "lpush l", "> LPUSHX l b c"}, "c b a", "listpack", "listpack"},
		{"rpushx", "a", "RPUSHX l b c", ":3", []string{"modified l", "rpush l", "> RPUSHX l b c"}, "a b c", "listpack", "listpack"},
		{"lpushx on nothing", "", "LPUSHX l b", ":0", nil, "", "", ""},
		{"rpushx on nothing", "", "RPUSHX l b", ":0", nil, "", "", ""},
		{"lpop", "a b", "LPOP l", "$1 a", []string{"modified l", "lpop l", "> LPOP l"}, "b", "listpack", "listpack"},
		{"rpop", "a b", "RPOP l", "$1 b", []string{"modified l", "rpop l", "> RPOP l"}, "a", "listpack", "listpack"},
		{"lpop the last", "7", "LPOP l", "$1 7", []string{"modified l", "lpop l", "modified l", "del l", "> LPOP l"}, "", "listpack", ""},
		{"lpop on a large one", "a b c d e", "LPOP l", "$1 a", []string{"modified l", "lpop l", "> LPOP l"}, "b c d e", "quicklist", "quicklist"},
		{"lpop a count", "a b c d e f", "LPOP l 2", listOf("a", "b"), []string{"modified l", "lpop l", "> LPOP l 2"}, "c d e f", "quicklist", "quicklist"},
		{"rpop a count", "a b c d e f", "RPOP l 4", listOf("f", "e", "d", "c"), []string{"modified l", "rpop l", "> RPOP l 4"}, "a b", "quicklist", "listpack"},
		{"rpop a count of a small one", "a b c", "RPOP l 2", listOf("c", "b"), []string{"modified l", "rpop l", "> RPOP l 2"}, "a", "listpack", "listpack"},
		{"rpop all", "a b c d e", "RPOP l 9", listOf("e", "d", "c", "b", "a"), []string{"modified l", "rpop l", "modified l", "del l", "> RPOP l 9"}, "", "quicklist", ""},
		{"rpop none", "a b", "RPOP l 0", "*0", nil, "a b", "listpack", "listpack"},
		{"lpop nothing", "", "LPOP l", null, nil, "", "", ""},
		{"lpop a count of nothing", "", "LPOP l 1", nullArray, nil, "", "", ""},
		{"linsert", "a b", "LINSERT l BEFORE b x", ":3", []string{"modified l", "linsert l", "> LINSERT l BEFORE b x"}, "a x b", "listpack", "listpack"},
		{"linsert grows", "a b c 4", "LINSERT l AFTER 4 x", ":5", []string{"modified l", "linsert l", "> LINSERT l AFTER 4 x"}, "a b c 4 x", "listpack", "quicklist"},
		{"linsert without the pivot", "a b c d", "LINSERT l AFTER nosuch x", ":-1", nil, "a b c d", "listpack", "quicklist"},
		{"linsert on nothing", "", "LINSERT l AFTER a x", ":0", nil, "", "", ""},
		{"lset", "a b c", "LSET l -1 x", "+OK", []string{"modified l", "lset l", "> LSET l -1 x"}, "a b x", "listpack", "listpack"},
		{"lset of a large one", "a b c d e", "LSET l 2 x", "+OK", []string{"modified l", "lset l", "> LSET l 2 x"}, "a b x d e", "quicklist", "quicklist"},
		{"lset out of range", "a b c d", "LSET l 4 x", "-ERR index out of range", nil, "a b c d", "listpack", "quicklist"},
		{"lset on nothing", "", "LSET l 0 x", "-ERR no such key", nil, "", "", ""},
		{"lrem", "a b a", "LREM l 1 a", ":1", []string{"modified l", "lrem l", "> LREM l 1 a"}, "b a", "listpack", "listpack"},
		{"lrem shrinks", "a b a b a b", "LREM l 0 a", ":3", []string{"modified l", "lrem l", "> LREM l 0 a"}, "b b b", "quicklist", "quicklist"},
		{"lrem from the end", "a b a b a b", "LREM l -2 b", ":2", []string{"modified l", "lrem l", "> LREM l -2 b"}, "a b a a", "quicklist", "quicklist"},
		{"lrem all", "a a a a a a", "LREM l 0 a", ":6", []string{"modified l", "lrem l", "modified l", "del l", "> LREM l 0 a"}, "", "quicklist", ""},
		{"lrem none", "a b", "LREM l 0 x", ":0", nil, "a b", "listpack", "listpack"},
		{"ltrim", "a b c d e f", "LTRIM l 1 2", "+OK", []string{"modified l", "ltrim l", "> LTRIM l 1 2"}, "b c", "quicklist", "listpack"},
		{"ltrim of a small one", "a b c", "LTRIM l -2 -1", "+OK", []string{"modified l", "ltrim l", "> LTRIM l -2 -1"}, "b c", "listpack", "listpack"},
		{"ltrim nothing away", "a b", "LTRIM l 0 -1", "+OK", []string{"modified l", "ltrim l"}, "a b", "listpack", "listpack"},
		{"ltrim all away", "a b", "LTRIM l 5 6", "+OK", []string{"modified l", "ltrim l", "modified l", "del l", "> LTRIM l 5 6"}, "", "listpack", ""},
		{"ltrim on nothing", "", "LTRIM l 0 1", "+OK", nil, "", "", ""},
		{"lmove", "a b", "LMOVE l m LEFT RIGHT", "$1 a", []string{"new m", "modified m", "rpush m", "modified l", "lpop l", "> LMOVE l m LEFT RIGHT"}, "b", "listpack", "listpack"},
		{"lmove the last", "a", "LMOVE l m RIGHT LEFT", "$1 a", []string{"new m", "modified m", "lpush m", "modified l", "rpop l", "modified l", "del l", "> LMOVE l m RIGHT LEFT"}, "", "listpack", ""},
		{"lmove within", "a b c d e", "LMOVE l l LEFT RIGHT", "$1 a", []string{"modified l", "rpush l", "modified l", "lpop l", "> LMOVE l l LEFT RIGHT"}, "b c d e a", "quicklist", "quicklist"},
		{"lmove the only one within", "a", "LMOVE l l LEFT LEFT", "$1 a", []string{"modified l", "lpush l", "modified l", "lpop l", "> LMOVE l l LEFT LEFT"}, "a", "listpack", "listpack"},
		{"rpoplpush", "a b", "RPOPLPUSH l m", "$1 b", []string{"new m", "modified m", "lpush m", "modified l", "rpop l", "> RPOPLPUSH l m"}, "a", "listpack", "listpack"},
		{"rpoplpush of nothing", "", "RPOPLPUSH l m", null, nil, "", "", ""},
		{"lmpop", "a b c", "LMPOP 2 no l LEFT", "*2 $1 l *1 $1 a", []string{"modified l", "lpop l", "> LPOP l 1"}, "b c", "listpack", "listpack"},
		{"lmpop a count", "a b c", "LMPOP 1 l RIGHT COUNT 9", "*2 $1 l *3 $1 c $1 b $1 a", []string{"modified l", "rpop l", "modified l", "del l", "> RPOP l 3"}, "", "listpack", ""},
		{"lmpop of nothing", "", "LMPOP 1 l LEFT", nullArray, nil, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			onShards(t, func(t *testing.T, s *testCtx) {
				smallLists(s)
				if c.setup != "" {
					s.run("RPUSH l " + c.setup)
				}
				require.Equal(t, c.before, s.encoding("l"))
				s.took()
				require.Equal(t, c.reply, s.run(c.line))
				require.Equal(t, c.took, s.took())
				require.Equal(t, c.after, s.encoding("l"))
				require.Equal(t, listOf(strings.Fields(c.left)...), s.run("LRANGE l 0 -1"))
			})
		})
	}
}

func TestListsKeepTheirDeadline(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		smallLists(s)
		s.run("RPUSH l a b c")
		s.run("PEXPIREAT l 1700000050000")
		for _, line := range []string{"RPUSH l d e f", "LPOP l 4", "LSET l 0 x", "LINSERT l BEFORE x y", "LTRIM l 0 1", "LREM l 1 y"} {
			s.run(line)
			require.EqualValues(t, 1_700_000_050_000, s.expireAt("l"), line)
		}
		s.advance(50_000)
		require.Equal(t, []string{"gone l", "expired l", "modified l", "new l", "modified l", "rpush l", "> RPUSH l z"}, s.tookFrom("RPUSH l z"))
		require.EqualValues(t, -1, s.expireAt("l"))
	})
}

// TestLmoveExpiredDestination: finding that the destination is past its deadline removes it, which may move other entries.
func TestLmoveExpiredDestination(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.run("RPUSH l a b")
		s.run("RPUSH m old")
		s.run("PEXPIRE m 10")
		s.advance(10)
		s.check("LMOVE l m LEFT RIGHT", "$1 a", "LRANGE m 0 -1", listOf("a"), "LRANGE l 0 -1", listOf("b"), "TTL m", ":-1")
	})
}

func TestListHeavy(t *testing.T) {
	s := newTestCtx(t, 1)
	words := []string{"RPUSH", "big"}
	for i := range 10_000 {
		words = append(words, strconv.Itoa(i))
	}
	s.do(words...)
	s.run("RPUSH small a b c")
	s.do("RPUSH", "wide", strings.Repeat("x", 300_000), strings.Repeat("y", 300_000), strings.Repeat("z", 300_000), strings.Repeat("z", 300_000),
		strings.Repeat("z", 300_000), strings.Repeat("z", 300_000), strings.Repeat("z", 300_000), strings.Repeat("z", 300_000))
	s.run("SADD set a")
	for line, want := range map[string]bool{
		"LRANGE big 0 -1": true, "LRANGE big 0 99": false, "LRANGE big -100 -1": false, "LRANGE big 100 9000": true, "LRANGE big a b": false,
		"LRANGE small 0 -1": false, "LRANGE no 0 -1": false, "LRANGE set 0 -1": false, "LRANGE wide 0 -1": true, "LRANGE wide 0 1": false,
		"LRANGE big 5 4": false,
		"LREM big 0 x":   true, "LREM small 0 x": false, "LINSERT big BEFORE 1 2": true, "LPOS big x": true, "LPOS big x MAXLEN 100": false, "LPOS big x FOO": false,
		"LTRIM big 0 99": true, "LTRIM big 1 -2": false, "LTRIM big a b": false, "LPOP big 100": false, "LPOP big": false, "RPOP big 100000": true, "RPOP big x": false,
		"LMPOP 2 no big LEFT COUNT 9999": true, "LMPOP 2 no big LEFT": false, "LMPOP 2 no big LEFT COUNT 9": false, "LMPOP x big LEFT": false,
		"LINDEX big 5000": false, "LSET big 5000 x": false, "RPUSH big x": false,
	} {
		require.Equal(t, want, s.heavy(line), line)
	}
}

// TestListModel compares lists of all encodings with slices.
func TestListModel(t *testing.T) {
	steps := 1000
	if testing.Short() {
		steps = 200
	}
	for _, size := range []int{-2, 3, 8, -1} {
		for _, depth := range []int{0, 1} {
			t.Run(fmt.Sprintf("size%d/depth%d", size, depth), func(t *testing.T) {
				s := newTestCtx(t, 2)
				s.Settings.ListMaxListpackSize, s.Settings.ListCompressDepth = size, depth
				m := listModel{t: t, s: s, r: rand.New(rand.NewPCG(uint64(size+10), uint64(depth))), want: map[string][]string{}}
				for range steps {
					m.step()
				}
			})
		}
	}
}

type listModel struct {
	t    *testing.T
	s    *testCtx
	r    *rand.Rand
	want map[string][]string
}

func (m *listModel) elem() string {
	switch m.r.IntN(30) {
	case 0:
		return strings.Repeat("big", 1000+m.r.IntN(3000))
	case 1, 2, 3:
		return strings.Repeat("m", m.r.IntN(300))
	case 4, 5, 6, 7, 8:
		return strconv.Itoa(m.r.IntN(300) - 100)
	}
	return "e" + strconv.Itoa(m.r.IntN(20))
}

func (m *listModel) step() {
	k := string(rune('a' + m.r.IntN(3)))
	l := m.want[k]
	n := len(l)
	at := m.r.IntN(n + 1)
	e := m.elem()
	if n > 0 && m.r.IntN(3) > 0 {
		e = l[m.r.IntN(n)]
	}
	switch op := m.r.IntN(12); {
	case op < 2:
		words := []string{"RPUSH", k}
		for range 1 + m.r.IntN(6) {
			words = append(words, m.elem())
		}
		l = append(slices.Clone(l), words[2:]...)
		require.Equal(m.t, fmt.Sprint(":", len(l)), m.s.do(words...))
	case op < 3:
		l = slices.Insert(slices.Clone(l), 0, e)
		require.Equal(m.t, fmt.Sprint(":", len(l)), m.s.do("LPUSH", k, e))
	case op < 4:
		count := min(m.r.IntN(5), n)
		got := m.s.do("LPOP", k, strconv.Itoa(count))
		if n > 0 {
			require.Equal(m.t, listOf(l[:count]...), got)
		}
		l = l[count:]
	case op < 5 && n > 0:
		require.Equal(m.t, fmt.Sprintf("$%d %s", len(l[n-1]), l[n-1]), m.s.do("RPOP", k))
		l = l[:n-1]
	case op < 6 && n > 0:
		to := string(rune('a' + m.r.IntN(3)))
		m.s.do("LMOVE", k, to, "LEFT", "RIGHT")
		m.want[k] = l[1:]
		m.want[to] = append(slices.Clone(m.want[to]), l[0])
		l = m.want[k]
	case op < 7 && at < n:
		l = slices.Clone(l)
		l[at] = m.elem()
		require.Equal(m.t, "+OK", m.s.do("LSET", k, strconv.Itoa(at-n), l[at]))
	case op < 8 && n > 0:
		i, v := slices.Index(l, e), m.elem()
		got := m.s.do("LINSERT", k, "AFTER", e, v)
		if i < 0 {
			require.Equal(m.t, ":-1", got)
			break
		}
		l = slices.Insert(slices.Clone(l), i+1, v)
		require.Equal(m.t, fmt.Sprint(":", n+1), got)
	case op < 9:
		count := m.r.IntN(3)
		got := m.s.do("LREM", k, strconv.Itoa(count), e)
		removed := 0
		l = slices.DeleteFunc(slices.Clone(l), func(x string) bool {
			hit := x == e && (count == 0 || removed < count)
			if hit {
				removed++
			}
			return hit
		})
		require.Equal(m.t, fmt.Sprint(":", removed), got)
	case op < 10 && n > 60:
		m.s.do("LTRIM", k, "10", "-11")
		l = l[10 : n-10]
	case op < 11:
		to := m.r.IntN(n + 3)
		want := listOf()
		if at < n && at <= to {
			want = listOf(l[at:min(to+1, n)]...)
		}
		require.Equal(m.t, want, m.s.do("LRANGE", k, strconv.Itoa(at), strconv.Itoa(to)))
	default:
		want := null
		if i := slices.Index(l, e); i >= 0 {
			want = fmt.Sprint(":", i)
		}
		require.Equal(m.t, want, m.s.do("LPOS", k, e))
		if at < n {
			require.Equal(m.t, fmt.Sprintf("$%d %s", len(l[at]), l[at]), m.s.do("LINDEX", k, strconv.Itoa(at)))
		}
	}
	m.want[k] = l
	if len(l) == 0 {
		require.Equal(m.t, ":0", m.s.do("EXISTS", k))
	}
	require.Equal(m.t, listOf(m.want[k]...), m.s.do("LRANGE", k, "0", "-1"))
}

func TestListsDoNotAllocate(t *testing.T) {
	for _, size := range []int{-2, 100} {
		s := newTestCtx(t, 1)
		s.Journal = nil
		s.shards[0].Observer = nil
		s.Settings.ListMaxListpackSize = size
		for i := range 200 {
			s.do("RPUSH", "l", "element:"+strconv.Itoa(i))
		}
		s.run("LRANGE l 0 -1") // the reply buffer has its size now
		for _, line := range []string{"RPUSH l elem", "RPOP l", "LPUSH l elem", "LPOP l", "LRANGE l 0 99", "LINDEX l 100", "LMOVE l l LEFT RIGHT", "LLEN l"} {
			args := [][]byte{}
			for _, w := range strings.Fields(line) {
				args = append(args, []byte(w))
			}
			require.Zero(t, testing.AllocsPerRun(100, func() { s.call(args) }), "%s with %d", line, size)
		}
	}
}

// TestListMemory holds small lists to their packed size and a little: 200 elements take 3.3 kB in Redis.
func TestListMemory(t *testing.T) {
	s := newTestCtx(t, 1)
	s.Journal = nil
	s.shards[0].Observer = nil
	const lists = 500
	for i := range lists {
		for j := range 200 {
			s.do("RPUSH", "list:"+strconv.Itoa(i), "element:"+strconv.Itoa(j+100000))
		}
	}
	require.Equal(t, keyspace.ListPack.String(), s.encoding("list:7"))
	perList := float64(s.shards[0].UsedBytes()) / lists
	t.Logf("%.0f bytes a list of 200 elements of 14 bytes", perList)
	require.Less(t, perList, 200*16*1.07)
}

func BenchmarkLists(b *testing.B) {
	for _, kind := range []string{"small", "large"} {
		for _, line := range []string{"LPUSH l element:123456", "RPUSH l element:123456", "LPOP l", "RPOP l", "LRANGE l 0 99", "LINDEX l 100", "LMOVE l l LEFT RIGHT"} {
			b.Run(kind+"/"+line, func(b *testing.B) {
				s := newTestCtx(b, 1)
				s.Journal = nil
				s.shards[0].Observer = nil
				n := 200
				if kind == "large" {
					n = 100_000
				}
				for i := range n {
					s.do("RPUSH", "l", "element:"+strconv.Itoa(i))
				}
				push, pop := [][]byte{[]byte("RPUSH"), []byte("l"), []byte("element:123456")}, [][]byte{[]byte("LPOP"), []byte("l")}
				args := [][]byte{}
				for _, w := range strings.Fields(line) {
					args = append(args, []byte(w))
				}
				// A small list stays small, and no list runs empty.
				var back [][]byte
				if strings.Contains(line, "POP") {
					back = push
				} else if kind == "small" && strings.Contains(line, "PUSH") {
					back = pop
				}
				b.ReportAllocs()
				for b.Loop() {
					s.call(args)
					if back != nil {
						s.call(back)
					}
				}
			})
		}
	}
}
