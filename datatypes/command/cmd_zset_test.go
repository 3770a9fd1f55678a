package command

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/zset"
	"github.com/troupe-db/troupe/netio/resp"
)

// zsetFill adds n members, member i as m00001 with score i.
func (s *testCtx) zsetFill(key string, n int) {
	for from := 0; from < n; from += 100 {
		words := []string{"ZADD", key}
		for i := from; i < min(from+100, n); i++ {
			words = append(words, strconv.Itoa(i), fmt.Sprintf("m%05d", i))
		}
		s.do(words...)
	}
	s.took()
}

// What a command tells besides its reply: events, watched keys, effects.
func TestZSetReports(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		for _, c := range []struct {
			line string
			want []string
		}{
			{"ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g", []string{"new z", "modified z", "zadd z", "> ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g"}},
			{"ZADD z 1 a", nil},
			{"ZADD z NX 9 a", nil},
			{"ZADD z XX 9 nosuch", nil},
			{"ZADD none XX 9 nosuch", nil},
			{"ZADD z GT 0 a", nil},
			{"ZADD z GT 1.5 a", []string{"modified z", "zadd z", "> ZADD z GT 1.5 a"}},
			{"ZADD z INCR -0.5 a", []string{"modified z", "zincr z", "> ZADD z INCR -0.5 a"}},
			{"ZADD z INCR 0 a", nil},
			{"ZINCRBY z 1 b", []string{"modified z", "zincr z", "> ZINCRBY z 1 b"}},
			{"ZINCRBY new 1 b", []string{"new new", "modified new", "zincr new", "> ZINCRBY new 1 b"}},
			{"ZREM z nosuch", nil},
			{"ZREM z a nosuch", []string{"modified z", "zrem z", "> ZREM z a nosuch"}},
			{"ZREM new b x", []string{"modified new", "zrem new", "modified new", "del new", "> ZREM new b x"}},
			{"ZREMRANGEBYRANK z 100 200", nil},
			{"ZREMRANGEBYRANK z 0 0", []string{"modified z", "zremrangebyrank z", "> ZREMRANGEBYRANK z 0 0"}},
			{"ZREMRANGEBYSCORE z 3 3", []string{"modified z", "zremrangebyscore z", "> ZREMRANGEBYSCORE z 3 3"}},
			{"ZREMRANGEBYLEX z [nosuch [nosuch", nil},
			{"ZPOPMIN z", []string{"modified z", "zpopmin z", "> ZPOPMIN z"}},
			{"ZPOPMAX z 0", nil},
			{"ZPOPMAX z 1", []string{"modified z", "zpopmax z", "> ZPOPMAX z 1"}},
			{"ZPOPMIN none", nil},
			{"ZMPOP 2 none none MIN", nil},
			{"ZMPOP 2 none z MAX", []string{"modified z", "zpopmax z", "> ZPOPMAX z 1"}},
			{"ZMPOP 2 none z MIN COUNT 100", []string{"modified z", "zpopmin z", "modified z", "del z", "> ZPOPMIN z 1"}},
			{"ZADD z 1 a", []string{"new z", "modified z", "zadd z", "> ZADD z 1 a"}},
			{"ZRANGESTORE d z 0 -1", []string{"new d", "modified d", "zrangestore d", "> ZRANGESTORE d z 0 -1"}},
			{"ZRANGESTORE d z 0 -1", []string{"modified d", "zrangestore d", "> ZRANGESTORE d z 0 -1"}},
			{"ZUNIONSTORE d 1 z", []string{"modified d", "zunionstore d", "> ZUNIONSTORE d 1 z"}},
			{"ZINTERSTORE d 1 z", []string{"modified d", "zinterstore d", "> ZINTERSTORE d 1 z"}},
			{"ZDIFFSTORE d 1 z", []string{"modified d", "zdiffstore d", "> ZDIFFSTORE d 1 z"}},
			{"ZDIFFSTORE d 2 z z", []string{"modified d", "del d", "> ZDIFFSTORE d 2 z z"}},
			{"ZDIFFSTORE d 2 z z", nil},
			{"ZRANGESTORE d z 5 6", nil},
			{"ZUNIONSTORE z 1 none", []string{"keymiss none", "modified z", "del z", "> ZUNIONSTORE z 1 none"}},
			{"ZRANGESTORE d none 0 -1", []string{"keymiss none"}},
			{"ZADD z 1 a", []string{"new z", "modified z", "zadd z", "> ZADD z 1 a"}},
			{"ZREMRANGEBYLEX z - +", []string{"modified z", "zremrangebylex z", "modified z", "del z", "> ZREMRANGEBYLEX z - +"}},
			{"ZREMRANGEBYSCORE z 1 1", nil},
			{"ZRANGE z 0 -1", []string{"keymiss z"}},
		} {
			require.Equal(t, c.want, s.tookFrom(c.line), c.line)
		}
	})
}

// The count of changes is what INFO shows as rdb_changes_since_last_save.
func TestZSetDirty(t *testing.T) {
	s := newTestCtx(t, 1)
	for _, c := range []struct {
		line string
		want int
	}{
		{"ZADD z 1 a 2 b 3 c 4 d 5 e", 5},
		{"ZADD z 1 a 3 b 9 f", 2},
		{"ZINCRBY z 1 a", 1},
		{"ZINCRBY z 0 a", 0},
		{"ZREM z a f nosuch", 2},
		{"ZREMRANGEBYRANK z 0 1", 2},
		{"ZPOPMIN z 10", 2},
		{"ZPOPMIN z 10", 0},
		{"ZADD z 1 a 2 b", 2},
		{"ZUNIONSTORE d 1 z", 1},
		{"ZDIFFSTORE d 2 z z", 1},
		{"ZDIFFSTORE d 2 z z", 0},
	} {
		s.run(c.line)
		require.Equal(t, c.want, s.DirtyCount(), c.line)
	}
}

func TestZSetRESP3(t *testing.T) {
	s := newTestCtx(t, 1)
	s.out.Proto = 3
	s.run("ZADD z 1 a 2.5 b inf c")
	s.check(
		"ZSCORE z b", ",2.5",
		"ZSCORE z x", "_",
		"ZMSCORE z c x", "*2 ,inf _",
		"ZINCRBY z 1 a", ",2",
		"ZADD z NX INCR 1 a", "_",
		"ZADD z XX INCR 1 a", ",3",
		"ZRANK z x", "_",
		"ZRANK z x WITHSCORE", "_",
		"ZRANK z b WITHSCORE", "*2 :0 ,2.5",
		"ZRANGE z 0 0 WITHSCORES", "*1 *2 $1 b ,2.5",
		"ZREVRANGEBYSCORE z inf 3 WITHSCORES", "*2 *2 $1 c ,inf *2 $1 a ,3",
		"ZUNION 1 z WITHSCORES", "*3 *2 $1 b ,2.5 *2 $1 a ,3 *2 $1 c ,inf",
		"ZDIFF 1 z", "*3 $1 b $1 a $1 c",
		"ZRANDMEMBER none", "_",
		"ZRANDMEMBER none 1", "*0",
		"ZSCAN z 0 MATCH b", "*2 $1 0 *2 $1 b $3 2.5",
		"ZPOPMIN z", "*2 $1 b ,2.5",
		"ZPOPMAX z 1", "*1 *2 $1 c ,inf",
		"ZMPOP 1 z MIN", "*2 $1 z *1 *2 $1 a ,3",
		"ZMPOP 1 z MIN", "_",
		"ZPOPMIN z 1", "*0",
	)
	s.out.Proto = 2
	s.run("ZADD z 1 a 2 b")
	s.check(
		"ZRANK z x WITHSCORE", "*-1",
		"ZRANK z b WITHSCORE", "*2 :1 $1 2",
		"ZRANDMEMBER z 3 WITHSCORES", "*4 $1 b $1 2 $1 a $1 1",
		"ZMPOP 1 z MAX COUNT 5", "*2 $1 z *2 *2 $1 b $1 2 *2 $1 a $1 1",
		"ZMPOP 1 z MIN", "*-1",
	)
}

func TestZSetNaN(t *testing.T) {
	s := newTestCtx(t, 1)
	const nan = "-ERR resulting score is not a number (NaN)"
	s.run("ZADD z inf a -inf b")
	s.took()
	s.check(
		"ZINCRBY z -inf a", nan,
		"ZADD z INCR inf b", nan,
		"ZSCORE z a", "$3 inf",
		"ZUNIONSTORE d 2 z z WEIGHTS 1 -1", ":2",
		"ZRANGE d 0 -1 WITHSCORES", "*4 $1 a $1 0 $1 b $1 0",
		"ZINTER 2 z z WEIGHTS 0 0 WITHSCORES", "*4 $1 a $1 0 $1 b $1 0",
	)
	require.NotContains(t, strings.Join(s.took(), "\n"), "zincr")
}

// A packed set has no -0, but a reply that was computed has, as in Redis; and 0 takes the place of -0 in a sum.
func TestZSetMinusZero(t *testing.T) {
	s := newTestCtx(t, 1)
	s.run("ZADD a 0 m 1 n")
	s.run("ZADD b 0 m 2 n")
	s.check(
		"ZUNION 1 a WEIGHTS -1 WITHSCORES", "*4 $1 n $2 -1 $1 m $2 -0",
		"ZUNION 2 a b WEIGHTS -1 -1 WITHSCORES", "*4 $1 n $2 -3 $1 m $2 -0",
		"ZUNION 2 a b WEIGHTS -1 1 WITHSCORES", "*4 $1 m $1 0 $1 n $1 1",
		"ZUNION 2 a b WEIGHTS 1 -1 WITHSCORES", "*4 $1 n $2 -1 $1 m $1 0",
		"ZUNION 2 a b WEIGHTS -1 1 AGGREGATE MIN WITHSCORES", "*4 $1 n $2 -1 $1 m $2 -0",
		"ZUNION 2 a b WEIGHTS 1 -1 AGGREGATE MAX WITHSCORES", "*4 $1 m $1 0 $1 n $1 1",
		"ZINTER 2 a b WEIGHTS -1 -1 WITHSCORES", "*4 $1 n $2 -3 $1 m $2 -0",
		"ZINTER 2 a b WEIGHTS -1 1 WITHSCORES", "*4 $1 m $1 0 $1 n $1 1",
		"ZUNIONSTORE d 1 a WEIGHTS -1", ":2",
		"ZSCORE d m", "$1 0",
	)
	s.Settings.ZSetMaxListpackEntries = 0
	s.check(
		"ZUNIONSTORE d 1 a WEIGHTS -1", ":2",
		"ZSCORE d m", "$2 -0",
		"ZUNIONSTORE d 2 a b WEIGHTS -1 1", ":2",
		"ZSCORE d m", "$1 0",
	)
}

// Sets change their encoding at the limits, and a result of a command gets the one that its size asks for.
func TestZSetEncodings(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.zsetFill("z", 128)
		require.Equal(t, "listpack", s.encoding("z"))
		s.run("EXPIRE z 100")
		at := s.expireAt("z")
		s.run("ZADD z 500 m00001")
		require.Equal(t, "listpack", s.encoding("z"))
		s.run("ZADD z 501 another")
		require.Equal(t, "skiplist", s.encoding("z"))
		require.Equal(t, at, s.expireAt("z"))
		s.check("ZCARD z", ":129", "ZSCORE z m00001", "$3 500", "ZRANK z another", ":128")
		s.run("ZREMRANGEBYRANK z 2 -1")
		require.Equal(t, "skiplist", s.encoding("z"))
		s.run("ZRANGESTORE d z 0 -1")
		require.Equal(t, "listpack", s.encoding("d"))
		s.run("ZRANGESTORE z z 0 -1")
		require.Equal(t, "listpack", s.encoding("z"))
		require.EqualValues(t, -1, s.expireAt("z"))

		long := strings.Repeat("x", 65)
		s.run("ZADD l 1 " + long)
		require.Equal(t, "skiplist", s.encoding("l"))
		s.run("ZADD l 2 short")
		s.run("ZDIFFSTORE d 1 l")
		require.Equal(t, "skiplist", s.encoding("d"))
		s.run("ZREM l " + long)
		s.run("ZDIFFSTORE d 1 l")
		require.Equal(t, "listpack", s.encoding("d"))

		s.Settings.ZSetMaxListpackEntries = 3
		s.run("ZADD many 1 a 1 a 1 a 1 a")
		require.Equal(t, "skiplist", s.encoding("many"), "the number of arguments counts")
	})
}

// Every command gives the same replies over packed sets and over large ones: random commands against a plain model.
func TestZSetModel(t *testing.T) {
	for _, entries := range []int{0, 4, 1000} {
		t.Run(fmt.Sprint("entries", entries), func(t *testing.T) {
			s := newTestCtx(t, 2)
			s.Settings.ZSetMaxListpackEntries = entries
			rnd := rand.New(rand.NewPCG(3, uint64(entries)))
			model := map[string]map[string]float64{"x": {}, "y": {}, "z": {}}
			steps := 4000
			if testing.Short() {
				steps = 500
			}
			for range steps {
				zsetModelStep(t, s, rnd, model)
				s.took()
			}
		})
	}
}

// zsetModelMember is a member with its score.
type zsetModelMember struct {
	name  string
	score float64
}

// zsetModelOrder returns the members in order.
func zsetModelOrder(m map[string]float64) []zsetModelMember {
	list := make([]zsetModelMember, 0, len(m))
	for name, score := range m {
		list = append(list, zsetModelMember{name, score})
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].score != list[j].score {
			return list[i].score < list[j].score
		}
		return list[i].name < list[j].name
	})
	return list
}

// zsetModelReply is how the members of ranks lo ≤ rank < hi are replied with their scores.
func zsetModelReply(list []zsetModelMember) string {
	w := resp.Writer{}
	w.Array(2 * len(list))
	for _, m := range list {
		w.BulkString(m.name)
		w.Double(m.score)
	}
	return render(w.Buf)
}

func zsetModelStep(t *testing.T, s *testCtx, rnd *rand.Rand, model map[string]map[string]float64) {
	pick := func() string { return [...]string{"x", "y", "z"}[rnd.IntN(3)] }
	key, other := pick(), pick()
	set := model[key]
	member := fmt.Sprint("m", rnd.IntN(20))
	score := float64(rnd.IntN(10))
	order := zsetModelOrder(set)
	switch rnd.IntN(9) {
	case 0, 1, 2:
		_, known := set[member]
		set[member] = score
		want := ":1"
		if known {
			want = ":0"
		}
		require.Equal(t, want, s.do("ZADD", key, strconv.Itoa(int(score)), member))
	case 3:
		_, known := set[member]
		delete(set, member)
		want := ":0"
		if known {
			want = ":1"
		}
		require.Equal(t, want, s.do("ZREM", key, member))
	case 4:
		set[member] += score
		require.Equal(t, set[member], zsetNumber(t, s.do("ZINCRBY", key, strconv.Itoa(int(score)), member)))
	case 5:
		lo, hi := rnd.IntN(10), rnd.IntN(10)
		n := 0
		for _, m := range order {
			if m.score >= float64(lo) && m.score < float64(hi) {
				delete(set, m.name)
				n++
			}
		}
		if rnd.IntN(4) > 0 { // more often not
			for _, m := range order {
				set[m.name] = m.score
			}
			require.Equal(t, fmt.Sprint(":", n), s.do("ZCOUNT", key, strconv.Itoa(lo), fmt.Sprint("(", hi)))
		} else {
			require.Equal(t, fmt.Sprint(":", n), s.do("ZREMRANGEBYSCORE", key, strconv.Itoa(lo), fmt.Sprint("(", hi)))
		}
	case 6:
		if len(order) > 0 {
			i := rnd.IntN(len(order))
			require.Equal(t, fmt.Sprint(":", i), s.do("ZRANK", key, order[i].name))
			require.Equal(t, fmt.Sprint(":", len(order)-1-i), s.do("ZREVRANK", key, order[i].name))
		}
	case 7:
		dest := pick()
		result := map[string]float64{}
		switch rnd.IntN(3) {
		case 0:
			for name, score := range model[other] {
				result[name] = 2 * score
			}
			for name, score := range set {
				result[name] += score
			}
			s.do("ZUNIONSTORE", dest, "2", key, other, "WEIGHTS", "1", "2")
		case 1:
			for name, score := range set {
				if more, ok := model[other][name]; ok {
					result[name] = max(score, more)
				}
			}
			s.do("ZINTERSTORE", dest, "2", key, other, "AGGREGATE", "MAX")
		default:
			for name, score := range set {
				if _, ok := model[other][name]; !ok {
					result[name] = score
				}
			}
			s.do("ZDIFFSTORE", dest, "2", key, other)
		}
		model[dest] = result
		key, set = dest, result
	case 8:
		n := rnd.IntN(3)
		popped := order[:min(n, len(order))]
		for _, m := range popped {
			delete(set, m.name)
		}
		require.Equal(t, zsetModelReply(popped), s.do("ZPOPMIN", key, strconv.Itoa(n)))
	}
	order = zsetModelOrder(set)
	require.Equal(t, zsetModelReply(order), s.do("ZRANGE", key, "0", "-1", "WITHSCORES"))
	require.Equal(t, len(order) == 0, s.encoding(key) == "")
	slices.Reverse(order)
	lo := rnd.IntN(5)
	require.Equal(t, zsetModelReply(order[min(lo, len(order)):min(lo+3, len(order))]),
		s.do("ZREVRANGEBYSCORE", key, "inf", "-inf", "WITHSCORES", "LIMIT", strconv.Itoa(lo), "3"))
}

// zsetNumber reads a bulk string as a number.
func zsetNumber(t *testing.T, reply string) float64 {
	f, ok := resp.ParseFloat([]byte(reply[strings.IndexByte(reply, ' ')+1:]))
	require.True(t, ok, reply)
	return f
}

// Results of commands over sets of all encodings.
func TestZSetCombineWithSets(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.run("ZADD z 5 1 6 b")
		s.run("SADD ints 1 2 3")
		s.run("SADD texts b c")
		for i := range 600 {
			s.do("SADD", "large", fmt.Sprint("e", i))
		}
		s.run("SADD large b")
		s.check(
			"ZUNION 2 z ints WITHSCORES", "*8 $1 2 $1 1 $1 3 $1 1 $1 1 $1 6 $1 b $1 6",
			"ZINTER 2 z texts WITHSCORES", "*2 $1 b $1 7",
			"ZINTER 3 z texts large WEIGHTS 1 2 3 WITHSCORES", "*2 $1 b $2 11",
			"ZDIFF 2 z large", "*1 $1 1",
			"ZDIFF 2 texts large WITHSCORES", "*2 $1 c $1 1",
			"ZINTERCARD 2 large texts", ":1",
			"ZUNIONSTORE d 1 large WEIGHTS 2.5", ":601",
			"ZSCORE d e17", "$3 2.5",
			"ZRANGESTORE d large 0 -1", wrongType,
			"ZADD ints 1 a", wrongType,
		)
	})
}

func TestZSetBounds(t *testing.T) {
	for _, c := range []struct {
		word  string
		score float64
		open  bool
		ok    bool
	}{
		{"1", 1, false, true},
		{"(1.5", 1.5, true, true},
		{"-inf", math.Inf(-1), false, true},
		{"(+Inf", math.Inf(1), true, true},
		{"infinity", math.Inf(1), false, true},
		{"", 0, false, true},
		{"(", 0, true, true},
		{"((1", 0, true, false},
		{" 1", 1, false, true},
		{"\t\n 1", 1, false, true},
		{"( 1", 1, true, true},
		{"1 ", 0, false, false},
		{"  ", 0, false, false},
		{"1e400", math.Inf(1), false, true},
		{"-1e400", math.Inf(-1), false, true},
		{"1e-400", 0, false, true},
		{"0x10", 16, false, true},
		{"0x1_0", 0, false, false},
		{"0x", 0, false, false},
		{"1_000", 0, false, false},
		{"nan", 0, false, false},
		{"(NaN", 0, true, false},
		{"1\x00abc", 1, false, true},
		{"\x00abc", 0, false, true},
		{"abc", 0, false, false},
		{"[1", 0, false, false},
		{"0x" + strings.Repeat("f", 400), math.Inf(1), false, true},
	} {
		score, open, ok := scoreBound([]byte(c.word))
		require.Equal(t, c.ok, ok, "%q", c.word)
		if ok {
			require.Equal(t, c.score, score, "%q", c.word)
			require.Equal(t, c.open, open, "%q", c.word)
		}
	}
	for word, want := range map[string]zset.LexBound{
		"-": {Inf: -1}, "+": {Inf: 1}, "+\x00x": {Inf: 1}, "[a": {Value: []byte("a")}, "(a": {Value: []byte("a"), Open: true},
		"[": {Value: []byte{}}, "(": {Value: []byte{}, Open: true},
	} {
		got, ok := lexBound([]byte(word))
		require.True(t, ok, "%q", word)
		require.Equal(t, want, got, "%q", word)
	}
	for _, word := range []string{"", "a", "-a", "+a", "]a", " [a"} {
		_, ok := lexBound([]byte(word))
		require.False(t, ok, "%q", word)
	}
	for _, c := range [][5]int64{
		{0, -1, 5, 0, 5}, {0, 0, 5, 0, 1}, {-2, -1, 5, 3, 5}, {-100, 1, 5, 0, 2}, {3, 1, 5, 0, 0}, {5, 9, 5, 0, 0},
		{-100, -50, 5, 0, 0}, {math.MinInt64, math.MaxInt64, 5, 0, 5}, {math.MaxInt64, math.MinInt64, 5, 0, 0}, {0, -1, 0, 0, 0},
	} {
		lo, hi := rankSpan(c[0], c[1], int(c[2]))
		require.Equal(t, [2]int{int(c[3]), int(c[4])}, [2]int{lo, hi}, "%v", c)
	}
}

// Only what takes long is heavy, which depends on the range and not on the set.
func TestZSetHeavy(t *testing.T) {
	s := newTestCtx(t, 1)
	s.zsetFill("z", heavyElements+100)
	s.zsetFill("small", 200)
	for line, want := range map[string]bool{
		"ZRANGE z 0 99":                                 false,
		"ZRANGE z -100 -1":                              false,
		"ZRANGE z 0 -1":                                 true,
		"ZRANGE z 0 -200":                               false,
		"ZRANGE z 0 1000000":                            true,
		"ZRANGE small 0 -1":                             false,
		"ZRANGE none 0 -1":                              false,
		"ZRANGE z 0 x":                                  false,
		"ZRANGE z -inf inf BYSCORE":                     true,
		"ZRANGE z 1 10 BYSCORE":                         false,
		"ZRANGE z -inf inf BYSCORE LIMIT 4000 10":       false,
		"ZRANGE z -inf inf BYSCORE LIMIT 0 1000000":     true,
		"ZREVRANGE z 0 -1":                              true,
		"ZRANGESTORE d z 0 -1":                          true,
		"ZRANGESTORE z d 0 -1":                          false,
		"ZREMRANGEBYRANK z 0 -1":                        true,
		"ZREMRANGEBYSCORE z 0 10":                       false,
		"ZUNION 2 small z":                              true,
		"ZUNION 2 small small":                          false,
		"ZUNION 9 small z":                              false,
		"ZINTER 20" + strings.Repeat(" small", 20):      false,
		"ZINTER 33" + strings.Repeat(" small", 33):      true,
		"ZDIFFSTORE d 33" + strings.Repeat(" none", 33): true,
		"ZINTERCARD 1 z":                                true,
		"ZDIFFSTORE d 1 z":                              true,
		"ZPOPMIN z 5000":                                true,
		"ZPOPMIN z 10":                                  false,
		"ZPOPMIN small 5000":                            false,
		"ZMPOP 2 small z MIN COUNT 5000":                true,
		"ZMPOP 2 small z MIN":                           false,
		"ZRANDMEMBER z 5000":                            true,
		"ZRANDMEMBER small 5000":                        false,
		"ZRANDMEMBER small -5000":                       true,
		"ZRANDMEMBER z":                                 false,
		"ZSCAN z 0 COUNT 5000":                          true,
		"ZSCAN z 0":                                     false,
		"ZADD z 1 a":                                    false,
		"GEOSEARCH z FROMLONLAT 0 0 BYRADIUS 1 m":       false,
		"GEOSEARCH z FROMMEMBER m00001 BYRADIUS 9e6 km": true,
	} {
		require.Equal(t, want, s.heavy(line), line)
	}
}

// Random members are uniform, and a sample has no member twice.
func TestZRandMember(t *testing.T) {
	for _, entries := range []int{1000, 0} {
		s := newTestCtx(t, 1)
		s.Settings.ZSetMaxListpackEntries = entries
		const size = 100
		s.zsetFill("z", size)
		for _, n := range []int{1, 3, 50, 51, 97, 99} {
			counts := map[string]int{}
			const rounds = 2000
			for range rounds {
				seen := map[string]bool{}
				words := strings.Fields(s.do("ZRANDMEMBER", "z", strconv.Itoa(n), "WITHSCORES"))
				require.Equal(t, fmt.Sprint("*", 2*n), words[0])
				for i := 2; i < len(words); i += 4 {
					name := words[i]
					require.False(t, seen[name], "twice")
					seen[name] = true
					counts[name]++
					score, err := strconv.Atoi(words[i+2])
					require.NoError(t, err)
					require.Equal(t, fmt.Sprintf("m%05d", score), name)
				}
				require.Len(t, seen, n)
			}
			requireUniform(t, counts, size, float64(n)/size, rounds)
		}
		s.check("ZRANDMEMBER z -9223372036854775807", "-ERR value is out of range", "ZRANDMEMBER none -9223372036854775807", "*0")
		counts := map[string]int{}
		const draws = 20000
		for range draws / 100 {
			words := strings.Fields(s.do("ZRANDMEMBER", "z", "-100"))
			for i := 2; i < len(words); i += 2 {
				counts[words[i]]++
			}
		}
		requireUniform(t, counts, size, 1.0/size, draws)
	}
}

// requireUniform checks that each of size things, which come up with probability p in each round, did so often enough.
func requireUniform(t *testing.T, counts map[string]int, size int, p float64, rounds int) {
	t.Helper()
	require.Len(t, counts, size)
	mean, deviation := p*float64(rounds), math.Sqrt(float64(rounds)*p*(1-p))
	for name, n := range counts {
		require.InDelta(t, mean, n, 6*deviation+1, name)
	}
}

// A walk sees every member that is there all the time, whatever else comes and goes.
func TestZScanWalk(t *testing.T) {
	s := newTestCtx(t, 1)
	s.zsetFill("z", 1000)
	seen := map[string]bool{}
	cursor, rounds := "0", 0
	for {
		words := strings.Fields(s.do("ZSCAN", "z", cursor, "COUNT", "20"))
		for i := 5; i < len(words); i += 4 {
			seen[words[i]] = true
		}
		s.do("ZADD", "z", strconv.Itoa(rounds), fmt.Sprint("new", rounds))
		s.do("ZREM", "z", fmt.Sprintf("m%05d", rounds))
		rounds++
		if cursor = words[2]; cursor == "0" {
			break
		}
	}
	require.Greater(t, rounds, 20)
	for i := rounds; i < 1000; i++ {
		require.True(t, seen[fmt.Sprintf("m%05d", i)], i)
	}
}

func TestZSetHotPathsDoNotAllocate(t *testing.T) {
	s := newTestCtx(t, 1)
	s.Journal = nil
	s.shards[0].Observer = nil
	s.zsetFill("large", 2000)
	s.zsetFill("small", 100)
	for _, line := range []string{
		"ZADD small 1 m00001", "ZADD small 5 m00001 7 m00001", "ZADD large 1 m00001", "ZADD large 1 m00001 700 m00001",
		"ZINCRBY small 1 m00001", "ZINCRBY large 1 m00001",
		"ZRANGE small 0 99", "ZRANGE large 0 99", "ZRANGE large 0 99 WITHSCORES", "ZREVRANGE small 0 9 WITHSCORES",
		"ZRANGE large 100 200 BYSCORE LIMIT 5 20", "ZRANGEBYLEX small - +", "ZCOUNT large 5 (10",
		"ZSCORE small m00001", "ZSCORE large m00001", "ZRANK large m00001", "ZMSCORE large m00001 x", "ZCARD large",
		"ZREM large nosuch", "ZRANDMEMBER small", "ZRANDMEMBER large -5", "ZRANDMEMBER small 20", "GEODIST large m00001 m00002", "GEOPOS large m00001", "GEOHASH large m00001",
	} {
		args, _ := resp.SplitArgs([]byte(line), nil)
		s.call(args)
		require.Zero(t, testing.AllocsPerRun(100, func() { s.call(args) }), line)
	}
}

func BenchmarkZSet(b *testing.B) {
	s := newTestCtx(b, 1)
	s.Journal = nil
	s.shards[0].Observer = nil
	s.zsetFill("large", 100_000)
	s.zsetFill("other", 100_000)
	s.zsetFill("small", 100)
	for _, line := range []string{
		"ZADD small 5 m00001 7 m00001", "ZADD large 1 m00001 700 m00001", "ZSCORE large m00500", "ZSCORE small m00050",
		"ZRANGE large 5000 5099", "ZRANGE small 0 99", "ZRANK large m50000", "ZRANGEBYSCORE large 1000 1010",
		"ZUNIONSTORE d 2 large other", "ZINTERSTORE d 2 large other", "ZDIFFSTORE d 2 large small", "ZRANGESTORE d large 0 -1",
	} {
		args, _ := resp.SplitArgs([]byte(line), nil)
		b.Run(line, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.call(args)
			}
		})
	}
}

var _ keyspace.Object = zsetObject{}

// Whatever a command builds on the way is given back.
func TestZSetBuildsLeaveNothing(t *testing.T) {
	s := newTestCtx(t, 1)
	for _, size := range []int{50, 3000, 30_000} {
		s.zsetFill("x", size)
		s.zsetFill("y", size/2)
		s.run("ZADD empty 1 a")
		s.run("ZREM empty a")
		before := s.shards[0].UsedBytes()
		for range 3 {
			for _, line := range []string{
				"ZUNION 2 x y", "ZINTER 2 x y WITHSCORES", "ZDIFF 2 x y", "ZDIFF 2 y x", "ZINTERCARD 2 x y",
				"ZUNIONSTORE d 2 x y", "ZINTERSTORE d 2 x y", "ZINTERSTORE d 2 x none", "ZDIFFSTORE d 2 x y", "ZRANGESTORE d x 0 200",
				"ZRANGESTORE d x 0 -1 REV", "ZRANGESTORE d x 0 20", "ZDIFFSTORE d 2 y x", "ZRANDMEMBER x 20",
				"GEOSEARCHSTORE d x FROMLONLAT 0 0 BYRADIUS 30000 km", "GEOSEARCH x FROMLONLAT 0 0 BYRADIUS 30000 km", "DEL d",
			} {
				s.run(line)
				require.NotContains(t, s.run("EXISTS none"), "-", line)
			}
			require.Equal(t, before, s.shards[0].UsedBytes(), "size %d", size)
		}
	}
}

// Going through a sorted set costs no allocation per member.
func TestEachElementAllocs(t *testing.T) {
	s := newTestCtx(t, 1)
	for key, n := range map[string]int{"large": 2000, "small": 100} {
		s.zsetFill(key, n)
		k := keyspace.MakeKey([]byte(key))
		e, ok := s.shards[0].DB(0).Peek(k)
		require.True(t, ok)
		members := 0
		allocs := testing.AllocsPerRun(10, func() {
			EachElement(s.shards[0].DB(0), e, func(...[]byte) { members++ })
		})
		require.Less(t, allocs, 10.0, key)
		require.Equal(t, 11*n, members)
	}
}
