package command

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/list"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/netio/resp"
)

// sortList makes a list of any number of elements without a command.
func (s *testCtx) sortList(key string, o list.Options, elems ...string) {
	k := keyspace.MakeKey([]byte(key))
	db := s.DB(k)
	db.Delete(k)
	r := newSortResult(db, o, len(elems))
	for _, e := range elems {
		r.add([]byte(e))
	}
	r.put(k)
	s.took()
}

// sortedReply returns the elements of an array reply; "(nil)" for null.
func (s *testCtx) sortedReply(words ...string) []string {
	s.tb.Helper()
	args := make([][]byte, len(words))
	for i, w := range words {
		args[i] = []byte(w)
	}
	v, _, err := resp.ReadReply(s.call(args))
	require.NoError(s.tb, err)
	reply, ok := v.([]any)
	require.True(s.tb, ok, "%v", v)
	out := make([]string, len(reply))
	for i, e := range reply {
		out[i] = "(nil)"
		if e != nil {
			out[i] = e.(string)
		}
	}
	return out
}

func (s *testCtx) sortEncoding(key string) string { return s.run("OBJECT ENCODING " + key) }

func TestSortReports(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.sortList("l", list.Options{MaxSize: -2}, "3", "1", "2")
		s.check("SORT l", "*3 $1 1 $1 2 $1 3", "SORT_RO l DESC LIMIT 0 1", "*1 $1 3")
		require.Empty(t, s.took())
		require.Equal(t, []string{"new dst", "modified dst", "sortstore dst", "> SORT l STORE dst"}, s.tookFrom("SORT l STORE dst"))
		require.Equal(t, 3, s.DirtyCount())
		require.Equal(t, "$8 listpack", s.sortEncoding("dst"))
		require.Equal(t, []string{"modified dst", "sortstore dst", "> SORT l DESC STORE dst"}, s.tookFrom("SORT l DESC STORE dst"))
		require.Equal(t, []string{"keymiss none", "modified dst", "del dst", "> SORT none STORE dst"}, s.tookFrom("SORT none STORE dst"))
		require.Equal(t, 1, s.DirtyCount())
		require.Equal(t, []string{"keymiss none"}, s.tookFrom("SORT none STORE dst"))
		s.run("SET dst text EX 100")
		require.Equal(t, []string{"modified dst", "sortstore dst", "> SORT l STORE dst"}, s.tookFrom("SORT l STORE dst"))
		s.check("TTL dst", ":-1")
		s.run("SET l2 text")
		require.Empty(t, s.tookFrom("SORT l2 STORE dst"))
		s.sortList("bad", list.Options{MaxSize: -2}, "1", "x")
		require.Empty(t, s.tookFrom("SORT bad STORE dst"))
		s.check("SORT bad STORE dst", "-ERR One or more scores can't be converted into double")
		require.Equal(t, []string{"modified l", "sortstore l", "> SORT l DESC STORE l"}, s.tookFrom("SORT l DESC STORE l"))
		s.check("SORT l BY nosort", "*3 $1 3 $1 2 $1 1")
	})
}

// TestSortStoreEncoding: the stored list has the encoding that pushing its elements gives.
func TestSortStoreEncoding(t *testing.T) {
	s := newTestCtx(t, 1)
	s.sortList("l", list.Options{MaxSize: -2}, slices.Repeat([]string{"7"}, 10)...)
	for _, c := range []struct {
		maxSize int
		want    string
	}{{-2, "$8 listpack"}, {10, "$8 listpack"}, {9, "$9 quicklist"}, {0, "$9 quicklist"}} {
		s.Settings.ListMaxListpackSize = c.maxSize
		s.check("SORT l STORE dst", ":10", "OBJECT ENCODING dst", c.want, "SORT dst LIMIT 8 5", "*2 $1 7 $1 7")
	}
	s.Settings.ListMaxListpackSize = -2
	s.sortList("one", list.Options{MaxSize: -2}, strings.Repeat("x", 8178))
	s.check("SORT one ALPHA STORE dst", ":1", "OBJECT ENCODING dst", "$8 listpack")
	s.sortList("one", list.Options{MaxSize: -2}, strings.Repeat("x", 8179))
	s.check("SORT one ALPHA STORE dst", ":1", "OBJECT ENCODING dst", "$9 quicklist")
	// A large result moves to an arena of its own.
	var many []string
	for i := range 2000 {
		many = append(many, strconv.Itoa(i)+"."+strings.Repeat("0", 500))
	}
	s.sortList("l", list.Options{MaxSize: -2}, many...)
	s.check("SORT l DESC STORE dst", ":2000")
	require.Equal(t, many[:1], s.sortedReply("SORT", "dst", "BY", "nosort", "LIMIT", "1999", "5"))
	require.Equal(t, many[999:1000], s.sortedReply("SORT", "dst", "BY", "nosort", "LIMIT", "1000", "1"))
}

func TestSortScores(t *testing.T) {
	for text, want := range map[string]float64{
		"": 0, "\x00x": 0, "5\x00x": 5, " 7": 7, "\t\n\v\f\r 7": 7, "0x10": 16, "1e3": 1000, "-inf": math.Inf(-1), "+5": 5, ".5": 0.5,
		"0x1p-1074": 0x1p-1074, "2.2250738585072014e-308": 0x1p-1022, "9223372036854775808": 0x1p63, "0e-999": 0,
	} {
		got, ok := sortScore([]byte(text))
		require.True(t, ok, "%q", text)
		require.Equal(t, want, got, "%q", text)
	}
	for _, text := range []string{" ", "5 ", "x", "nan", "1e400", "1e-400", "1e-310", "1_0", "--1", "+", "0x", "5x"} {
		_, ok := sortScore([]byte(text))
		require.False(t, ok, "%q", text)
	}
}

func TestSortScope(t *testing.T) {
	for line, want := range map[string]Scope{
		"sort l":                             ScopeKeys,
		"sort l store d":                     ScopeKeys,
		"sort l by nosort get # store d":     ScopeKeys,
		"sort l get none":                    ScopeKeys,
		"sort l by w_*":                      ScopeAllShards,
		"sort l by nosort by w_*":            ScopeKeys, // never looked up
		"sort l by nosort get w_*->f":        ScopeAllShards,
		"sort l get # get w_*":               ScopeAllShards,
		"sort l by w_* up":                   ScopeKeys, // a mistake
		"sort l store limit store d":         ScopeAllShards,
		"sort l store by alpha":              ScopeKeys,
		"sort l limit 0 1 desc alpha":        ScopeKeys,
		"sort l limit 0 x get w_*":           ScopeKeys,
		"sort l store a store b get # alpha": ScopeKeys,
	} {
		require.Equal(t, want, sortScope(argv(line)), line)
	}
	// What sortScope calls named keys are all that the command touches.
	args := argv("sort l store a store b")
	require.Equal(t, []KeyRef{{1, RO | Access}, {5, OW | Update}}, sortKeys(nil, args))
}

func TestSortHeavy(t *testing.T) {
	s := newTestCtx(t, 1)
	many := make([]string, 3*heavyElements)
	for i := range many {
		many[i] = "element"
	}
	s.sortList("l", list.Options{MaxSize: -2}, many...)
	s.sortList("small", list.Options{MaxSize: -2}, "1")
	for line, want := range map[string]bool{
		"SORT small":                                     false,
		"SORT none":                                      false,
		"SORT l":                                         true,
		"SORT l LIMIT 0 1":                               true,
		"SORT l UP":                                      false,
		"SORT l BY nosort":                               true,
		"SORT_RO l BY nosort":                            true,
		"SORT l BY nosort LIMIT 100 100":                 false,
		"SORT l BY nosort LIMIT 10000 100000":            false,
		"SORT l BY nosort LIMIT 0 5000":                  true,
		"SORT l BY nosort LIMIT 0 2500 GET # GET #":      true,
		"SORT l BY nosort LIMIT 0 2500":                  false,
		"SORT l BY nosort DESC LIMIT 0 2500 STORE small": false,
	} {
		require.Equal(t, want, s.heavy(line), line)
	}
}

// TestSortDates: keys and fields past their deadline are not there.
func TestSortDates(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.sortList("l", list.Options{MaxSize: -2}, "1", "2")
		s.run("SET w_1 9 PX 10")
		s.run("SET w_2 5")
		s.check("SORT l BY w_*", "*2 $1 2 $1 1")
		lp := listpack.New()
		for _, e := range []string{"f", "v", strconv.Itoa(testStartMs + 10), "g", "7", "0"} {
			lp = listpack.Append(lp, []byte(e))
		}
		k := keyspace.MakeKey([]byte("h_1"))
		dated := make([]byte, 8, 8+len(lp))
		s.DB(k).PutPacked(k, keyspace.Hash, keyspace.ListPackEx, append(dated, lp...), keyspace.NoTTL)
		s.check("SORT l GET h_*->f GET h_*->g", "*4 $1 v $1 7 $-1 $-1")
		s.advance(20)
		s.check("SORT l BY w_*", "*2 $1 1 $1 2", "SORT l GET h_*->f GET h_*->g", "*4 $-1 $1 7 $-1 $-1")
		require.Contains(t, s.took(), "gone w_1")
	})
}

// TestSortSetsAreSortedForScripts: a script must not see the order of a hash table.
func TestSortSetsAreSortedForScripts(t *testing.T) {
	s := newTestCtx(t, 1)
	k := keyspace.MakeKey([]byte("s"))
	lp := listpack.New()
	for _, e := range []string{"c", "a", "b"} {
		lp = listpack.Append(lp, []byte(e))
	}
	s.DB(k).PutPacked(k, keyspace.Set, keyspace.ListPack, lp, keyspace.NoTTL)
	s.check("SORT s BY nosort", "*3 $1 c $1 a $1 b", "SORT s BY nosort LIMIT 1 1", "*1 $1 a")
	s.InScript = true
	s.check("SORT s BY nosort", "*3 $1 a $1 b $1 c", "SORT_RO s BY nosort DESC", "*3 $1 c $1 b $1 a")
	s.InScript = false
	s.check("SORT s BY nosort STORE d", ":3", "SORT d BY nosort", "*3 $1 a $1 b $1 c")
}

// sortModel does what SORT does in the plainest way. weights are by element; a missing one is not in it.
func sortModel(elems []string, weights map[string]string, alpha, desc, byWeight bool) []string {
	out := slices.Clone(elems)
	score := func(e string) float64 {
		if byWeight {
			e = weights[e]
		}
		f, _ := strconv.ParseFloat(cmp.Or(e, "0"), 64)
		return f
	}
	slices.SortStableFunc(out, func(a, b string) int {
		d := 0
		switch {
		case !alpha:
			d = cmp.Or(cmp.Compare(score(a), score(b)), cmp.Compare(a, b))
		case byWeight:
			wa, oka := weights[a]
			wb, okb := weights[b]
			switch {
			case oka == okb:
				d = cmp.Compare(wa, wb)
			case oka:
				d = 1
			default:
				d = -1
			}
		default:
			d = cmp.Compare(a, b)
		}
		if desc {
			d = -d
		}
		return d
	})
	return out
}

// TestSortModel compares random commands over lists of all layouts with sortModel.
func TestSortModel(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	rounds := 60
	if testing.Short() {
		rounds = 15
	}
	for round := range rounds {
		s := newTestCtx(t, 1+round%3)
		n := []int{0, 1, 2, 10, 17, 100, 1000, 3000}[r.IntN(8)]
		few := 1 + r.IntN(2*n+1)
		elems := make([]string, n)
		weights := map[string]string{}
		for i := range elems {
			elems[i] = []string{
				strconv.Itoa(r.IntN(few) - few/2), strconv.FormatFloat(r.NormFloat64(), 'g', -1, 64), strconv.FormatInt(int64(r.Uint64()), 10),
				fmt.Sprintf("123456789%d.%d", r.IntN(few), r.IntN(3)),
			}[r.IntN(2)+2*(round&1)]
			if _, had := weights[elems[i]]; !had && r.IntN(3) > 0 {
				weights[elems[i]] = strconv.Itoa(r.IntN(few))
			}
		}
		o := list.Options{MaxSize: []int{-2, 4, 128}[r.IntN(3)], Depth: r.IntN(2)}
		if n > 0 {
			s.sortList("l", o, elems...)
		}
		for e, w := range weights {
			s.do("SET", "w:"+e+":x", w)
		}
		for range 12 {
			alpha, desc, byWeight := r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0
			words := []string{"SORT", "l"}
			want := sortModel(elems, weights, alpha, desc, byWeight)
			switch nosort := r.IntN(5) == 0; {
			case nosort:
				words = append(words, "BY", "nosort")
				want = slices.Clone(elems)
				if desc {
					slices.Reverse(want)
				}
			case byWeight:
				words = append(words, "BY", "w:*:x")
			}
			if alpha {
				words = append(words, "ALPHA")
			}
			if desc {
				words = append(words, "DESC")
			}
			if r.IntN(3) > 0 {
				from, count := r.IntN(n+2), r.IntN(n+2)-1
				if r.IntN(2) == 0 {
					count = r.IntN(5)
				}
				words = append(words, "LIMIT", strconv.Itoa(from), strconv.Itoa(count))
				from = min(from, n)
				to := n
				if count >= 0 {
					to = min(from+count, n)
				}
				want = want[from:to]
			}
			require.Equal(t, append([]string{}, want...), s.sortedReply(words...), "%v", words)
			if r.IntN(3) == 0 {
				s.do(append(slices.Clone(words), "STORE", "dst")...)
				require.Equal(t, append([]string{}, want...), s.sortedReply("SORT", "dst", "BY", "nosort"), "%v", words)
			}
			if r.IntN(3) == 0 {
				var pairs []string
				for _, e := range want {
					pairs = append(pairs, e, cmp.Or(weights[e], "(nil)"))
				}
				require.Equal(t, append([]string{}, pairs...), s.sortedReply(append(slices.Clone(words), "GET", "#", "GET", "w:*:x")...), "%v", words)
			}
		}
	}
}

// TestSortSplit looks for input on which the partial sort does not come to an end or is wrong.
func TestSortSplit(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 1))
	for _, n := range []int{2, 16, 17, 18, 100, 1000, 20_000} {
		for name, key := range map[string]func(i int) uint64{
			"random":     func(int) uint64 { return r.Uint64() },
			"ascending":  func(i int) uint64 { return uint64(i) },
			"descending": func(i int) uint64 { return uint64(n - i) },
			"equal":      func(int) uint64 { return 1 },
			"two":        func(i int) uint64 { return uint64(i & 1) },
			"organ":      func(i int) uint64 { return uint64(min(i, n-i)) },
			"saw":        func(i int) uint64 { return uint64(i % 9) },
		} {
			v := sortVector{elems: make([]string, n)}
			want := make([]sortItem, n)
			for i := range want {
				want[i] = sortItem{key(i), uint32(i)}
			}
			for _, window := range [][2]int{{0, n}, {0, 1}, {n - 1, n}, {n / 3, n/3 + n/5}, {n / 2, n / 2}} {
				v.items = slices.Clone(want)
				sorted := slices.Clone(want)
				slices.SortFunc(sorted, v.compare)
				v.sort(window[0], window[1])
				for i := window[0]; i < window[1]; i++ { // keys are used up
					require.Equal(t, sorted[i].at, v.items[i].at, "%s %d %v %d", name, n, window, i)
				}
			}
		}
	}
}

// TestSortLongRuns sorts many elements of few scores and of long common beginnings.
func TestSortLongRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	s := newTestCtx(t, 1)
	elems := make([]string, 3*radixFrom)
	weights := map[string]string{}
	for i := range elems {
		e := strings.Repeat("common ", r.IntN(3)) + strings.Repeat("x", r.IntN(2)*r.IntN(20)) + strings.Repeat("\x00", r.IntN(3))
		if r.IntN(2) == 0 {
			e += strconv.Itoa(r.IntN(len(elems)))
		}
		elems[i] = e
	}
	for i, e := range elems {
		if i%3 > 0 {
			weights[e] = []string{"1", "2", "", "1.0"}[r.IntN(4)]
			s.do("SET", "w:"+e, weights[e])
		}
	}
	s.sortList("l", list.Options{MaxSize: -2}, elems...)
	for _, desc := range []bool{false, true} {
		order := []string{"ASC", "DESC"}[map[bool]int{true: 1}[desc]]
		want := sortModel(elems, weights, true, desc, false)
		require.Equal(t, want, s.sortedReply("SORT", "l", "ALPHA", order))
		require.Equal(t, want[100:5000], s.sortedReply("SORT", "l", "ALPHA", order, "LIMIT", "100", "4900"))
		require.Equal(t, sortModel(elems, weights, false, desc, true), s.sortedReply("SORT", "l", "BY", "w:*", order))
		require.Equal(t, sortModel(elems, weights, true, desc, true), s.sortedReply("SORT", "l", "BY", "w:*", "ALPHA", order))
		require.Equal(t, sortModel(elems, nil, false, desc, true), s.sortedReply("SORT", "l", "BY", "none:*", order))
		require.Equal(t, sortModel(elems, nil, true, desc, true), s.sortedReply("SORT", "l", "BY", "none:*", order, "ALPHA"))
	}
}

func benchmarkSort(b *testing.B, n int, words ...string) {
	s := newTestCtx(b, 1)
	s.shards[0].Observer = nil
	r := rand.New(rand.NewPCG(1, 1))
	elems := make([]string, n)
	for i := range elems {
		elems[i] = strconv.Itoa(r.IntN(10 * n))
	}
	s.sortList("l", list.Options{MaxSize: -2}, elems...)
	args := [][]byte{[]byte("SORT"), []byte("l")}
	for _, w := range words {
		args = append(args, []byte(w))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		s.call(args)
	}
}

func BenchmarkSort(b *testing.B) {
	for name, words := range map[string][]string{
		"numbers": nil, "alpha": {"ALPHA"}, "limit": {"LIMIT", "0", "10"}, "store": {"STORE", "dst"}, "by": {"BY", "none_*"},
		"nosort": {"BY", "nosort", "LIMIT", "500000", "10"},
	} {
		b.Run(name, func(b *testing.B) { benchmarkSort(b, 1_000_000, words...) })
	}
}

// TestSortHeavyGets: few elements with very many GETs are as much work as many elements.
func TestSortHeavyGets(t *testing.T) {
	s := newTestCtx(t, 1)
	s.run("RPUSH l 1 2 3 4 5 6 7 8 9 10")
	require.False(t, s.heavy("SORT l GET # GET #"))
	require.False(t, s.heavy("SORT l"+strings.Repeat(" GET #", 100)))
	require.True(t, s.heavy("SORT l"+strings.Repeat(" GET #", 1000)))
	require.True(t, s.heavy("SORT l BY nosort"+strings.Repeat(" GET #", 1000)))
	require.False(t, s.heavy("SORT l LIMIT 0 1"+strings.Repeat(" GET #", 1000)))
	require.False(t, s.heavy("SORT nokey"+strings.Repeat(" GET #", 1000)))
}

// TestHeavyByBytes: few elements that are long weigh as many that are short.
func TestHeavyByBytes(t *testing.T) {
	s := newTestCtx(t, 1)
	for i := range 200 {
		s.do("SADD", "long", strconv.Itoa(i)+strings.Repeat("x", 20000))
		s.do("SADD", "short", "x"+strconv.Itoa(i))
	}
	for _, line := range []string{"SMEMBERS %s", "SUNION %s %s", "COPY %s other", "SPOP %s 190", "SRANDMEMBER %s 190"} {
		require.True(t, s.heavy(strings.ReplaceAll(line, "%s", "long")), line)
		require.False(t, s.heavy(strings.ReplaceAll(line, "%s", "short")), line)
	}
	require.True(t, s.heavy("SCAN 0 MATCH count COUNT 100000"))
	require.True(t, s.heavy("SCAN 0 COUNT 1 COUNT 100000"))
	require.False(t, s.heavy("SCAN 0 MATCH count COUNT 10"))
}
