package command

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/intset"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/listpack"
)

// setTexts returns prefix0, prefix1 and so on.
func setTexts(prefix string, n int) []string {
	words := make([]string, n)
	for i := range words {
		words[i] = prefix + strconv.Itoa(i)
	}
	return words
}

// sadd adds members to a set in one command.
func (s *testCtx) sadd(key string, members ...string) string {
	return s.do(append([]string{"SADD", key}, members...)...)
}

// sortedReply returns the members of a reply that is an array of bulk strings, sorted.
func sortedReply(reply string) []string {
	words := strings.Split(reply, " ")
	members := []string{}
	for i := 2; i < len(words); i += 2 {
		members = append(members, words[i])
	}
	slices.Sort(members)
	return members
}

// eachSetEncoding runs a test on sets s of the members 1 to 4 in every encoding.
func eachSetEncoding(t *testing.T, test func(t *testing.T, s *testCtx)) {
	for enc, other := range map[string]string{"intset": "9", "listpack": "x", "hashtable": strings.Repeat("x", 65)} {
		t.Run(enc, func(t *testing.T) {
			s := newTestCtx(t, 1)
			s.sadd("s", "1", "2", "3", "4", other)
			s.do("SREM", "s", other)
			require.Equal(t, enc, s.encoding("s"))
			s.took()
			test(t, s)
		})
	}
}

func TestSetsEffects(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		require.Equal(t, []string{"new s", "modified s", "sadd s", "> SADD s a b a"}, s.tookFrom("SADD s a b a"))
		require.Equal(t, 2, s.DirtyCount())
		require.Empty(t, s.tookFrom("SADD s a"))
		require.Empty(t, s.tookFrom("SREM s x"))
		require.Equal(t, []string{"modified s", "srem s", "> SREM s a x"}, s.tookFrom("SREM s a x"))
		require.Equal(t, []string{"modified s", "srem s", "modified s", "del s", "> SREM s b c"}, s.tookFrom("SREM s b c"))
		require.Equal(t, ":0", s.run("EXISTS s"))

		s.run("SADD a 1 2")
		s.run("SADD b 3")
		require.Equal(t, []string{"modified a", "srem a", "modified b", "sadd b", "> SMOVE a b 1"}, s.tookFrom("SMOVE a b 1"))
		require.Empty(t, s.tookFrom("SMOVE a b 9"))
		require.Empty(t, s.tookFrom("SMOVE a a 2"))
		s.run("SADD b 2")
		require.Equal(t, []string{"modified a", "srem a", "modified a", "del a", "> SMOVE a b 2"}, s.tookFrom("SMOVE a b 2"))
		require.Equal(t, 1, s.DirtyCount())
		require.Equal(t,
			[]string{"modified b", "srem b", "new n", "modified n", "sadd n", "> SMOVE b n 1"}, s.tookFrom("SMOVE b n 1"))
		require.Equal(t, 2, s.DirtyCount())

		s.run("SADD x 1 2 3")
		s.run("SADD y 2 3 4")
		s.run("SET d v")
		require.Equal(t, []string{"modified d", "sinterstore d", "> SINTERSTORE d x y"}, s.tookFrom("SINTERSTORE d x y"))
		require.Equal(t, []string{"modified d", "sunionstore d", "> SUNIONSTORE d x y"}, s.tookFrom("SUNIONSTORE d x y"))
		require.Equal(t, []string{"modified d", "sdiffstore d", "> SDIFFSTORE d x y"}, s.tookFrom("SDIFFSTORE d x y"))
		require.Equal(t, []string{"modified d", "del d", "> SDIFFSTORE d x x"}, s.tookFrom("SDIFFSTORE d x x"))
		require.Empty(t, s.tookFrom("SDIFFSTORE d x x"))
		require.Equal(t, []string{"new d", "modified d", "sunionstore d", "> SUNIONSTORE d x"}, s.tookFrom("SUNIONSTORE d x"))
		require.Equal(t, []string{"modified d", "del d", "> SINTERSTORE d x none"}, quiet(s.tookFrom("SINTERSTORE d x none")))
		require.Equal(t, []string{}, quiet(s.tookFrom("SUNIONSTORE d none")))
		for _, line := range []string{
			"SMEMBERS x", "SISMEMBER x 1", "SMISMEMBER x 1 9", "SCARD x", "SRANDMEMBER x", "SRANDMEMBER x 2", "SINTER x y", "SUNION x y",
			"SDIFF x y", "SINTERCARD 2 x y", "SSCAN x 0",
		} {
			require.Empty(t, s.tookFrom(line), line)
		}
	})
}

// quiet leaves out the misses of keys.
func quiet(log []string) []string {
	kept := []string{}
	for _, line := range log {
		if !strings.HasPrefix(line, "keymiss") {
			kept = append(kept, line)
		}
	}
	return kept
}

func TestSetsStoreDropsDeadline(t *testing.T) {
	s := newTestCtx(t, 1)
	s.run("SADD a 1 2")
	s.run("SADD d 5")
	s.run("EXPIRE d 100")
	s.run("SUNIONSTORE d a")
	require.Equal(t, int64(-1), s.expireAt("d"))
	s.run("EXPIRE d 100")
	at := s.expireAt("d")
	s.run("SADD d 7 x " + strings.Repeat("y", 100))
	require.Equal(t, "hashtable", s.encoding("d"))
	require.Equal(t, at, s.expireAt("d"))
	s.run("SPOP d 4")
	require.Equal(t, at, s.expireAt("d"), "a set that SPOP makes anew keeps it")
	require.Equal(t, ":1", s.run("SCARD d"))
}

func TestSetsEncodings(t *testing.T) {
	long, ints := strings.Repeat("x", 65), setTexts("", 700)
	s := newTestCtx(t, 1)
	for _, c := range []struct {
		name string
		add  [][]string
		want string
	}{
		{"integers", [][]string{{"1", "2"}}, "intset"},
		{"a text first", [][]string{{"a", "1"}}, "listpack"},
		{"a text later", [][]string{{"1", "a"}}, "listpack"},
		{"no canonical integer", [][]string{{"01"}}, "listpack"},
		{"the longest text", [][]string{{strings.Repeat("x", 64)}}, "listpack"},
		{"a longer text", [][]string{{long}}, "hashtable"},
		{"a longer text later", [][]string{{"a"}, {long}}, "hashtable"},
		{"a longer text to integers", [][]string{{"1"}, {long}}, "hashtable"},
		{"512 integers", [][]string{ints[:512]}, "intset"},
		{"513 integers at once", [][]string{ints[:513]}, "hashtable"},
		{"513 integers", [][]string{ints[:512], ints[512:513]}, "hashtable"},
		{"the same integer 513 times", [][]string{slices.Repeat([]string{"1"}, 513)}, "hashtable"},
		{"513 times to an intset", [][]string{{"1"}, slices.Repeat([]string{"1"}, 513)}, "hashtable"},
		{"128 texts", [][]string{setTexts("t", 128)}, "listpack"},
		{"129 texts at once", [][]string{setTexts("t", 129)}, "hashtable"},
		{"129 texts", [][]string{setTexts("t", 128), {"more"}}, "hashtable"},
		{"one that is there to 128", [][]string{setTexts("t", 128), {"t7"}}, "listpack"},
		{"the same text 129 times", [][]string{slices.Repeat([]string{"t"}, 129)}, "hashtable"},
		{"a text to 127 integers", [][]string{ints[:127], {"t"}}, "listpack"},
		{"a text to 128 integers", [][]string{ints[:128], {"t"}}, "hashtable"},
		{"a text among 200 new integers", [][]string{append(slices.Clone(ints[:100]), append([]string{"t"}, ints[100:199]...)...)}, "hashtable"},
		{"a text before 120 integers", [][]string{append([]string{"t"}, ints[:120]...)}, "listpack"},
	} {
		s.run("DEL s")
		for _, members := range c.add {
			s.sadd("s", members...)
		}
		require.Equal(t, c.want, s.encoding("s"), c.name)
	}
}

func TestSetsEncodingsBySettings(t *testing.T) {
	s := newTestCtx(t, 1)
	s.Settings.SetMaxIntsetEntries, s.Settings.SetMaxListpackEntries, s.Settings.SetMaxListpackValue = 3, 5, 4
	s.sadd("a", "1", "2", "3")
	require.Equal(t, "intset", s.encoding("a"))
	s.sadd("a", "4")
	require.Equal(t, "hashtable", s.encoding("a"), "an intset never becomes a listpack by an integer")
	s.sadd("b", "1", "x", "2", "3", "4")
	require.Equal(t, "listpack", s.encoding("b"))
	s.sadd("b", "5")
	require.Equal(t, "hashtable", s.encoding("b"))
	s.sadd("c", "12345")
	s.sadd("c", "x")
	require.Equal(t, "hashtable", s.encoding("c"), "the integer is longer than what a listpack may hold")
	s.sadd("d", "-1234")
	s.sadd("d", "x")
	require.Equal(t, "hashtable", s.encoding("d"), "with its sign")
	s.sadd("e", "1234")
	s.sadd("e", "x")
	require.Equal(t, "listpack", s.encoding("e"))
	s.Settings.SetMaxListpackEntries = 0
	s.sadd("f", "x")
	require.Equal(t, "hashtable", s.encoding("f"))
	s.Settings.SetMaxIntsetEntries = 0
	s.sadd("g", "1")
	require.Equal(t, "hashtable", s.encoding("g"))
}

func TestSetsStoreEncodings(t *testing.T) {
	s := newTestCtx(t, 1)
	texts, ints := setTexts("t", 200), setTexts("", 600)
	s.sadd("ints", ints[:100]...)
	s.sadd("many", ints...)          // hashtable of integers
	s.sadd("mixed", "1", "2", "t1")  // listpack
	s.sadd("texts", texts[:100]...)  // listpack
	s.sadd("large", texts...)        // hashtable
	s.sadd("tens", "10", "20", "30") // intset
	s.sadd("listed", "x", "10")      // listpack of an integer
	s.run("SREM listed x")
	for i := range 20 {
		s.sadd("one"+strconv.Itoa(i), texts[i])
	}
	ones := strings.Join(setTexts("one", 20), " ")
	for _, c := range []struct{ line, want string }{
		{"SUNIONSTORE d ints", "intset"},
		{"SUNIONSTORE d listed", "intset"},
		{"SUNIONSTORE d ints mixed", "listpack"},
		{"SUNIONSTORE d mixed ints", "listpack"},
		{"SUNIONSTORE d ints texts", "hashtable"},
		{"SUNIONSTORE d many", "hashtable"},
		{"SUNIONSTORE d large", "hashtable"},
		{"SINTERSTORE d ints many", "intset"},
		{"SINTERSTORE d many ints", "intset"},
		{"SINTERSTORE d many many", "hashtable"},
		{"SINTERSTORE d mixed ints", "intset"},
		{"SINTERSTORE d mixed", "listpack"},
		{"SINTERSTORE d mixed mixed", "listpack"},
		{"SINTERSTORE d texts large", "listpack"},
		{"SINTERSTORE d large", "hashtable"},
		{"SDIFFSTORE d ints tens", "intset"},
		{"SDIFFSTORE d mixed texts", "intset"},
		{"SDIFFSTORE d mixed ints", "listpack"},
		{"SDIFFSTORE d large texts", "listpack"}, // each member looked up
		{"SDIFFSTORE d large " + ones, "hashtable"},
		{"SDIFFSTORE d texts " + ones, "listpack"},
	} {
		s.run("DEL d")
		s.run(c.line)
		require.Equal(t, c.want, s.encoding("d"), c.line)
	}
}

func TestSetsPopEffects(t *testing.T) {
	eachSetEncoding(t, func(t *testing.T, s *testCtx) {
		log := s.tookFrom("SPOP s")
		require.Equal(t, []string{"modified s", "spop s"}, log[1:])
		require.Regexp(t, `^> SREM s [1-4]$`, log[0])
		log = s.tookFrom("SPOP s 2")
		require.Regexp(t, `^> SREM s [1-4] [1-4]$`, log[0])
		require.Equal(t, []string{"modified s", "spop s"}, log[1:])
		require.Equal(t, 2, s.DirtyCount())
		log = s.tookFrom("SPOP s")
		require.Regexp(t, `^> SREM s [1-4]$`, log[0])
		require.Equal(t, []string{"modified s", "spop s", "modified s", "del s"}, log[1:])
	})
	eachSetEncoding(t, func(t *testing.T, s *testCtx) {
		require.Empty(t, s.tookFrom("SPOP s 0"))
		require.Equal(t, []string{"> DEL s", "modified s", "spop s", "modified s", "del s"}, s.tookFrom("SPOP s 4"))
		require.Equal(t, 4, s.DirtyCount())
	})
	// A large one is propagated in pieces.
	for _, count := range []int{1000, 2500, 2900} {
		s := newTestCtx(t, 1)
		s.sadd("s", setTexts("m", 3000)...)
		log := s.tookFrom("SPOP s " + strconv.Itoa(count))
		popped := 0
		for len(log) > 2 {
			words := strings.Fields(log[0])
			require.Equal(t, []string{">", "SREM", "s"}, words[:3])
			require.LessOrEqual(t, len(words)-3, 1024)
			popped += len(words) - 3
			log = log[1:]
		}
		require.Equal(t, []string{"modified s", "spop s"}, log)
		require.Equal(t, count, popped)
		require.Equal(t, ":"+strconv.Itoa(3000-count), s.run("SCARD s"))
	}
}

// What is left of a large set is packed when it is put together anew, and only then.
func TestSetsPopEncodings(t *testing.T) {
	s := newTestCtx(t, 1)
	for _, c := range []struct {
		count int
		want  string
	}{{100, "hashtable"}, {800, "hashtable"}, {834, "hashtable"}, {880, "listpack"}, {999, "listpack"}} {
		s.run("DEL s")
		s.sadd("s", setTexts("m", 1000)...)
		s.do("SPOP", "s", strconv.Itoa(c.count))
		require.Equal(t, c.want, s.encoding("s"), c.count)
		require.Equal(t, ":"+strconv.Itoa(1000-c.count), s.run("SCARD s"))
	}
}

func TestSetsRandom(t *testing.T) {
	eachSetEncoding(t, func(t *testing.T, s *testCtx) {
		all := []string{"1", "2", "3", "4"}
		for _, n := range []string{"4", "5", "9223372036854775807"} {
			require.Equal(t, all, sortedReply(s.do("SRANDMEMBER", "s", n)))
		}
		for range 50 {
			require.Contains(t, all, strings.TrimPrefix(s.run("SRANDMEMBER s"), "$1 "))
			some := sortedReply(s.run("SRANDMEMBER s 3"))
			require.Len(t, slices.Compact(some), 3)
			require.Len(t, sortedReply(s.run("SRANDMEMBER s -10")), 10)
			require.Len(t, sortedReply(s.run("SRANDMEMBER s -1")), 1)
		}
		s.check(
			"SRANDMEMBER s 0", "*0",
			"SRANDMEMBER s -9223372036854775808",
			"-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
			"SRANDMEMBER s -9223372036854775807", "-ERR value is out of range",
			"SRANDMEMBER s x", notInt,
			"SRANDMEMBER s 1 2", syntaxErr,
			"SPOP s -1", "-ERR value is out of range, must be positive",
			"SPOP s x", "-ERR value is out of range, must be positive",
			"SPOP s 1 2", syntaxErr,
		)
		require.Equal(t, all, sortedReply(s.run("SPOP s 9223372036854775807")))
		s.check("SPOP s", null, "SPOP s 3", "*0", "SRANDMEMBER s", null, "SRANDMEMBER s 3", "*0", "SRANDMEMBER s -3", "*0")
	})
}

// Every member, and every pair of members, has the same chance.
func TestSetsRandomIsUniform(t *testing.T) {
	eachSetEncoding(t, func(t *testing.T, s *testCtx) {
		draw := func(line string) (drawn string) {
			reply := s.run(line)
			if reply[0] == '$' {
				return strings.TrimPrefix(reply, "$1 ")
			}
			return strings.Join(sortedReply(reply), ",")
		}
		popped := func(line string) string {
			drawn := draw(line)
			s.sadd("s", strings.Split(drawn, ",")...)
			return drawn
		}
		const draws = 3000
		for _, c := range []struct {
			line  string
			kinds int
			draw  func(string) string
		}{
			{"SRANDMEMBER s", 4, draw},
			{"SRANDMEMBER s 1", 4, draw},
			{"SRANDMEMBER s 2", 6, draw},
			{"SRANDMEMBER s 3", 4, draw},
			{"SRANDMEMBER s -1", 4, draw},
			{"SPOP s", 4, popped},
			{"SPOP s 1", 4, popped},
			{"SPOP s 2", 6, popped},
			{"SPOP s 3", 4, popped},
		} {
			counts := map[string]int{}
			for range draws {
				counts[c.draw(c.line)]++
			}
			require.Len(t, counts, c.kinds, c.line)
			chi, expected := 0.0, float64(draws)/float64(c.kinds)
			for _, n := range counts {
				chi += (float64(n) - expected) * (float64(n) - expected) / expected
			}
			require.Less(t, chi, 25.0, "%s: %v", c.line, counts) // with five degrees of freedom once in 7000
		}
	})
}

func TestSetsScan(t *testing.T) {
	eachSetEncoding(t, func(t *testing.T, s *testCtx) {
		s.check(
			"SSCAN none 0 NONSENSE", "*2 $1 0 *0",
			"SSCAN none x", "-ERR invalid cursor",
			"SSCAN s 0 COUNT 0", syntaxErr,
			"SSCAN s 0 COUNT x", notInt,
			"SSCAN s 0 COUNT", syntaxErr,
			"SSCAN s 0 TYPE set", syntaxErr,
			"SSCAN s 0 NOVALUES", "-ERR NOVALUES option can only be used in HSCAN",
			"SSCAN s 0 MATCH 3", "*2 $1 0 *1 $1 3",
			"SSCAN s 0 MATCH [5-9] COUNT 100", "*2 $1 0 *0",
		)
	})
	s := newTestCtx(t, 1)
	s.sadd("s", setTexts("m", 5000)...)
	seen, cursor, calls := map[string]bool{}, "0", 0
	for {
		words := strings.Split(s.do("SSCAN", "s", cursor, "COUNT", "100"), " ")
		for i := 5; i < len(words); i += 2 {
			seen[words[i]] = true
		}
		calls++
		if cursor = words[2]; cursor == "0" {
			break
		}
		n, err := strconv.ParseUint(cursor, 10, 64)
		require.NoError(t, err)
		require.Less(t, n, uint64(1)<<scanPosBits)
		s.do("SREM", "s", "m"+strconv.Itoa(calls*7), "m"+strconv.Itoa(calls*11))
		s.do("SADD", "s", "new"+strconv.Itoa(calls))
	}
	require.InDelta(t, 50, calls, 10)
	for i := range 5000 {
		m := "m" + strconv.Itoa(i)
		if s.do("SISMEMBER", "s", m) == ":1" {
			require.True(t, seen[m], m)
		}
	}
}

func TestSetsWrongType(t *testing.T) {
	s := newTestCtx(t, 1)
	s.run("SET str v")
	s.run("SADD s 1")
	for _, line := range []string{
		"SADD str 1", "SREM str 1", "SISMEMBER str 1", "SMISMEMBER str 1", "SCARD str", "SMEMBERS str", "SPOP str", "SPOP str 0", "SPOP str 1",
		"SRANDMEMBER str", "SRANDMEMBER str 0", "SRANDMEMBER str -5", "SINTER s str", "SINTER none str", "SINTERCARD 2 none str",
		"SUNION s str", "SDIFF s str", "SDIFF none str", "SINTERSTORE d none str", "SUNIONSTORE d str", "SDIFFSTORE d s str", "SSCAN str 0",
		"SMOVE str s 1", "SMOVE s str 1", "SMOVE s str 9", "GET s", "INCR s", "APPEND s x",
	} {
		require.Equal(t, wrongType, s.run(line), line)
	}
	s.check("SMOVE none str 1", ":0", "SUNIONSTORE str s", ":1", "TYPE str", "+set")
}

func TestSetsHeavy(t *testing.T) {
	s := newTestCtx(t, 1)
	s.sadd("small", setTexts("m", 100)...)
	s.sadd("large", setTexts("m", 10_000)...)
	for line, want := range map[string]bool{
		"SMEMBERS small": false, "SMEMBERS large": true, "SMEMBERS none": false,
		"SINTER small large": false, "SINTER large large": true, "SINTERCARD 2 large large": true, "SINTERCARD 1 small": false,
		"SINTERCARD x large": false, "SUNION small large": true, "SUNION small small": false, "SDIFFSTORE d small large": true,
		"SINTERSTORE large small small": false, "SINTERSTORE d large large": true,
		"SPOP large": false, "SPOP large 5": false, "SPOP large 9000": true, "SPOP small 9000": false, "SPOP large x": false,
		"SRANDMEMBER large": false, "SRANDMEMBER large 9000": true, "SRANDMEMBER small -9000": true, "SRANDMEMBER large 5": false,
		"SSCAN large 0": false, "SSCAN large 0 COUNT 9000": true, "SSCAN small 0 COUNT 9000": false,
		"SADD large x": false, "SREM large x": false,
	} {
		require.Equal(t, want, s.heavy(line), line)
	}
	many := append([]string{"SADD", "large"}, setTexts("x", 5000)...)
	require.True(t, s.heavy(strings.Join(many, " ")))
	many = append([]string{"SUNION"}, setTexts("x", 5000)...)
	require.True(t, s.heavy(strings.Join(many, " ")))
}

// A large set moves to an arena of its own, and all that was there is there.
func TestSetsSettles(t *testing.T) {
	s := newTestCtx(t, 1)
	for i := 0; i < 60_000; i += 500 {
		members := make([]string, 500)
		for j := range members {
			members[j] = fmt.Sprintf("member:%d", i+j)
		}
		require.Equal(t, ":500", s.sadd("s", members...))
	}
	require.Equal(t, ":60000", s.run("SCARD s"))
	for _, i := range []int{0, 1, 30_000, 59_999} {
		require.Equal(t, ":1", s.do("SISMEMBER", "s", fmt.Sprintf("member:%d", i)))
	}
	require.Equal(t, ":60000", s.run("SUNIONSTORE d s"))
	require.Equal(t, ":60000", s.run("SINTERCARD 2 s d"))
	require.Equal(t, ":0", s.run("SDIFFSTORE e d s"))
	used := s.shards[0].UsedBytes()
	s.run("DEL s d")
	require.Less(t, s.shards[0].UsedBytes(), used/10)
}

// checkSet panics the test when a set breaks the rules of its encoding.
func (s *testCtx) checkSet(key string) {
	k := keyspace.MakeKey([]byte(key))
	e, found := s.DB(k).Peek(k)
	if !found {
		return
	}
	switch e.Encoding() {
	case keyspace.IntSet:
		require.NoError(s.tb, intset.Validate(e.Packed(), true))
		require.LessOrEqual(s.tb, intset.Len(e.Packed()), s.Settings.SetMaxIntsetEntries)
		require.NotZero(s.tb, intset.Len(e.Packed()))
	case keyspace.ListPack:
		require.NoError(s.tb, listpack.Validate(e.Packed(), true))
		require.LessOrEqual(s.tb, listpack.Len(e.Packed()), s.Settings.SetMaxListpackEntries)
		require.NotZero(s.tb, listpack.Len(e.Packed()))
	default:
		require.NotZero(s.tb, s.DB(k).Object(e).Len())
	}
}
