package command

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// newHashCtx is newTestCtx with expiry of fields.
func newHashCtx(tb testing.TB, shards int) *testCtx {
	s := newTestCtx(tb, shards)
	for _, sh := range s.shards {
		sh.ReapFields = ReapFields
	}
	return s
}

func onHashShards(t *testing.T, test func(t *testing.T, s *testCtx)) {
	onShards(t, func(t *testing.T, s *testCtx) {
		for _, sh := range s.shards {
			sh.ReapFields = ReapFields
		}
		test(t, s)
	})
}

// bothHashes runs a test on a small and on a large hash h of fields a to d with the values 1 to 4.
func bothHashes(t *testing.T, test func(t *testing.T, s *testCtx)) {
	for _, enc := range []string{"listpack", "hashtable"} {
		t.Run(enc, func(t *testing.T) {
			s := newHashCtx(t, 1)
			s.run("HSET h a 1 b 2 c 3 d 4")
			if enc == "hashtable" {
				s.do("HSET", "h", "long", strings.Repeat("x", 100))
				s.run("HDEL h long")
			}
			require.Equal(t, "$"+strconv.Itoa(len(enc))+" "+enc, s.run("OBJECT ENCODING h"))
			s.took()
			test(t, s)
		})
	}
}

func (s *testCtx) expireActively() {
	for _, sh := range s.shards {
		for sh.DB(0).ExpireDue(1000) {
		}
	}
}

func TestHashSetEffects(t *testing.T) {
	onHashShards(t, func(t *testing.T, s *testCtx) {
		require.Equal(t, []string{"new h", "modified h", "hset h", "> HSET h a 1"}, s.tookFrom("HSET h a 1"))
		require.Equal(t, []string{"modified h", "hset h", "> HSET h a 2 b 3"}, s.tookFrom("HSET h a 2 b 3"))
		require.Equal(t, 2, s.DirtyCount())
		require.Equal(t, []string{"modified h", "hset h", "> hset h a 2"}, s.tookFrom("hset h a 2"))
		require.Equal(t, []string{"modified h", "hset h", "> HMSET h c 4"}, s.tookFrom("HMSET h c 4"))
		require.Equal(t, []string{"modified h", "hset h", "> HSETNX h d 5"}, s.tookFrom("HSETNX h d 5"))
		require.Empty(t, s.tookFrom("HSETNX h d 6"))
		require.Equal(t, []string{"new i", "modified i", "hset i", "> HSETNX i d 5"}, s.tookFrom("HSETNX i d 5"))
		require.Empty(t, s.tookFrom("HSET h a"))
		require.Equal(t, []string{"new n", "modified n", "hincrby n", "> HINCRBY n f 3"}, s.tookFrom("HINCRBY n f 3"))
		require.Equal(t, []string{"modified n", "hincrby n", "> HINCRBY n f -3"}, s.tookFrom("HINCRBY n f -3"))
		require.Equal(t, []string{"modified n", "hincrbyfloat n", "> HSET n f 1.5"}, s.tookFrom("HINCRBYFLOAT n f 1.5"))
		require.Empty(t, s.tookFrom("HINCRBY n f 1"), "1.5 is no integer")
		require.Empty(t, s.tookFrom("HINCRBYFLOAT nokey f inf"))
		s.check("EXISTS nokey", ":0")
		s.run("SET s v")
		for _, line := range []string{"HSET s f v", "HSETNX s f v", "HMSET s f v", "HINCRBY s f 1", "HINCRBYFLOAT s f 1", "HDEL s f"} {
			require.Empty(t, s.tookFrom(line))
			require.Equal(t, "-"+MsgWrongType, s.run(line))
		}
	})
}

func TestHashDelEffects(t *testing.T) {
	bothHashes(t, func(t *testing.T, s *testCtx) {
		require.Equal(t, []string{"modified h", "hdel h", "> HDEL h a b x"}, s.tookFrom("HDEL h a b x"))
		require.Equal(t, 2, s.DirtyCount())
		require.Empty(t, s.tookFrom("HDEL h a x"))
		require.Empty(t, s.tookFrom("HDEL nokey a"))
		require.Equal(t, []string{"modified h", "hdel h", "modified h", "del h", "> HDEL h c d a"}, s.tookFrom("HDEL h c d a"))
		s.check("EXISTS h", ":0")
	})
}

func TestHashExpireEffects(t *testing.T) {
	bothHashes(t, func(t *testing.T, s *testCtx) {
		at := strconv.Itoa(testStartMs + 100_000)
		require.Equal(t, []string{"modified h", "hexpire h", "> HPEXPIREAT h " + at + " FIELDS 2 a b"},
			s.tookFrom("HEXPIRE h 100 FIELDS 3 a x b"))
		require.Equal(t, 2, s.DirtyCount())
		require.Equal(t, []string{"modified h", "hexpire h", "> HPEXPIREAT h " + at + " NX FIELDS 1 c"},
			s.tookFrom("HPEXPIRE h 100000 NX FIELDS 2 a c"))
		require.Empty(t, s.tookFrom("HEXPIRE h 100 NX FIELDS 2 a x"))
		require.Empty(t, s.tookFrom("HEXPIRE nokey 100 FIELDS 1 a"))
		require.Equal(t, []string{"modified h", "hexpire h", "> HPEXPIREAT h 1700000200000 gt fields 1 a"},
			lowerWords(s.tookFrom("hpexpireat h 1700000200000 gt fields 1 a")))
		require.Equal(t, []string{"modified h", "hexpire h", "> HPEXPIREAT h 1700000200000 FIELDS 1 a"},
			s.tookFrom("HEXPIREAT h 1700000200 FIELDS 1 a"))
		require.Equal(t, []string{"modified h", "hpersist h", "> HPERSIST h FIELDS 3 a x d"}, s.tookFrom("HPERSIST h FIELDS 3 a x d"))
		require.Empty(t, s.tookFrom("HPERSIST h FIELDS 1 d"))
		// A sum is journalled as HSET, which takes the deadline away.
		require.Equal(t, []string{"modified h", "hincrbyfloat h", "> HSET h b 3.5", "> HPEXPIREAT h " + at + " FIELDS 1 b"},
			s.tookFrom("HINCRBYFLOAT h b 1.5"))
		s.check("HPEXPIRETIME h FIELDS 4 a b c d", "*4 :-1 :"+at+" :"+at+" :-1")
		// What is due at once goes field by field.
		require.Equal(t, []string{"> HDEL h a", "> HDEL h b", "modified h", "hdel h"}, s.tookFrom("HEXPIRE h 0 FIELDS 3 a x b"))
		require.Equal(t, 2, s.DirtyCount())
		require.Equal(t, []string{"> HDEL h c", "> HDEL h d", "modified h", "hdel h", "modified h", "del h"},
			s.tookFrom("HPEXPIREAT h 1 FIELDS 2 c d"))
		s.check("EXISTS h", ":0")
	})
}

// lowerWords writes the word FIELDS as it was given: the journal has its own.
func lowerWords(log []string) []string {
	for i := range log {
		log[i] = strings.ReplaceAll(log[i], "FIELDS", "fields")
	}
	return log
}

// TestHashFieldsDue: at the very millisecond no command sees a due field any more, whether it was removed or not.
func TestHashFieldsDue(t *testing.T) {
	seen := []struct{ line, before, after string }{
		{"HGET h a", "$1 1", "$-1"},
		{"HMGET h a b", "*2 $1 1 $1 2", "*2 $-1 $1 2"},
		{"HEXISTS h a", ":1", ":0"},
		{"HSTRLEN h a", ":1", ":0"},
		{"HLEN h", ":4", ":2"},
		{"HTTL h FIELDS 2 a b", "*2 :1 :-1", "*2 :-2 :-1"},
		{"HPTTL h FIELDS 2 a b", "*2 :1 :-1", "*2 :-2 :-1"},
		{"HEXPIRETIME h FIELDS 1 a", "*1 :1700000001", "*1 :-2"},
		{"HPEXPIRETIME h FIELDS 1 a", "*1 :1700000000010", "*1 :-2"},
	}
	for _, hold := range []bool{false, true} {
		t.Run(fmt.Sprint("held ", hold), func(t *testing.T) {
			for _, c := range seen {
				bothHashes(t, func(t *testing.T, s *testCtx) {
					s.shards[0].HoldExpiry = hold
					s.run("HPEXPIRE h 10 FIELDS 2 a c")
					s.advance(9)
					s.check(c.line, c.before)
					s.took()
					s.advance(1)
					s.check(c.line, c.after)
					log := s.took()
					for _, all := range [][2]string{
						{"HKEYS h", "*2 $1 b $1 d"}, {"HVALS h", "*2 $1 2 $1 4"}, {"HGETALL h", "*4 $1 b $1 2 $1 d $1 4"},
						{"HSCAN h 0", "*2 $1 0 *4 $1 b $1 2 $1 d $1 4"}, {"HRANDFIELD h 10", "*2 $1 b $1 d"},
					} {
						require.ElementsMatch(t, strings.Fields(all[1]), strings.Fields(s.run(all[0])), all[0])
					}
					for range 20 {
						require.Contains(t, []string{"$1 b", "$1 d"}, s.run("HRANDFIELD h"))
						require.NotContains(t, s.run("HRANDFIELD h -3"), "a")
						require.Contains(t, []string{"*1 $1 b", "*1 $1 d"}, s.run("HRANDFIELD h 1"))
					}
					if hold {
						require.Empty(t, append(log, s.took()...))
						s.shards[0].HoldExpiry = false
						s.check("HLEN h", ":2")
						log = s.took()
					}
					require.ElementsMatch(t, []string{"gone", "from", "h", "a", "c"}, strings.Fields(log[0]))
					require.Equal(t, []string{"hexpired h", "modified h"}, log[1:])
				})
			}
		})
	}
}

// TestHashWritesToDueFields: a write finds nothing where a field is due, even while expiry is held.
func TestHashWritesToDueFields(t *testing.T) {
	for _, hold := range []bool{false, true} {
		t.Run(fmt.Sprint("held ", hold), func(t *testing.T) {
			for _, c := range [][3]string{
				{"HSET h a 9", ":1", "9"},
				{"HSETNX h a 9", ":1", "9"},
				{"HINCRBY h a 5", ":5", "5"},
				{"HINCRBYFLOAT h a 5.5", "$3 5.5", "5.5"},
				{"HDEL h a", ":0", ""},
				{"HPERSIST h FIELDS 1 a", "*1 :-2", ""},
				{"HEXPIRE h 100 FIELDS 1 a", "*1 :-2", ""},
				{"HEXPIRE h 0 FIELDS 1 a", "*1 :-2", ""},
			} {
				bothHashes(t, func(t *testing.T, s *testCtx) {
					s.run("HPEXPIRE h 10 FIELDS 1 a")
					s.advance(10)
					s.shards[0].HoldExpiry = hold
					s.check(c[0], c[1])
					if c[2] != "" {
						s.check("HGET h a", "$"+strconv.Itoa(len(c[2]))+" "+c[2], "HTTL h FIELDS 1 a", "*1 :-1", "HLEN h", ":4")
					} else {
						s.check("HGET h a", "$-1", "HLEN h", ":3")
					}
				})
			}
		})
	}
}

func TestHashActiveExpiry(t *testing.T) {
	bothHashes(t, func(t *testing.T, s *testCtx) {
		s.run("HPEXPIRE h 20 FIELDS 1 b")
		s.run("HPEXPIRE h 10 FIELDS 1 a")
		s.run("HPEXPIRE h 30 FIELDS 2 c d")
		s.took()
		s.advance(9)
		s.expireActively()
		require.Empty(t, s.took())
		s.advance(1)
		s.expireActively()
		require.Equal(t, []string{"gone from h a", "hexpired h", "modified h"}, s.took())
		s.advance(10)
		s.expireActively()
		require.Equal(t, []string{"gone from h b", "hexpired h", "modified h"}, s.took())
		s.run("HPEXPIRE h 500 XX FIELDS 1 c")
		s.run("HPERSIST h FIELDS 1 d")
		s.took()
		s.advance(100)
		s.expireActively()
		require.Empty(t, s.took())
		s.run("HPEXPIRE h 1 FIELDS 1 d")
		s.took()
		s.advance(1000)
		s.expireActively()
		require.Equal(t, []string{"gone from h d c", "hexpired h", "modified h", "del h"}, s.took())
		require.Zero(t, s.shards[0].DB(0).Len())
	})
}

// TestHashManyDue: no command removes more due fields than a slice of them, whatever it then has to hide.
func TestHashManyDue(t *testing.T) {
	s := newHashCtx(t, 1)
	args := [][]byte{[]byte("HPEXPIRE"), []byte("h"), []byte("10"), []byte("FIELDS"), []byte("10000")}
	set := [][]byte{[]byte("HSET"), []byte("h"), []byte("stays"), []byte("x")}
	for i := range 10_000 {
		args = append(args, []byte(strconv.Itoa(i)))
		set = append(set, []byte(strconv.Itoa(i)), []byte("v"))
	}
	s.call(set)
	s.call(args)
	require.False(t, s.heavy("HLEN h"))
	s.advance(10)
	require.True(t, s.heavy("HLEN h"))
	require.True(t, s.heavy("HGETALL h"))
	require.False(t, s.heavy("HGET h stays"))
	s.took()
	s.check("HGET h 7777", "$-1")
	log := s.took()
	require.Len(t, strings.Fields(log[0]), 3+hashReapSlice)
	s.check("HLEN h", ":1", "HKEYS h", "*1 $5 stays", "HRANDFIELD h", "$5 stays", "HRANDFIELD h -2", "*2 $5 stays $5 stays",
		"HRANDFIELD h 5", "*1 $5 stays", "HEXISTS h 9999", ":0", "HDEL h 9998", ":0", "HSET h 9997 new", ":1", "HLEN h", ":2")
	for range 100 { // a slice each time
		s.advance(1)
		s.expireActively()
	}
	s.check("HLEN h", ":2")
	e, ok := s.shards[0].DB(0).Peek(keyspace.MakeKey([]byte("h")))
	require.True(t, ok)
	require.Equal(t, 2, s.shards[0].DB(0).Object(e).Len())
}

func TestHashEncodings(t *testing.T) {
	s := newHashCtx(t, 1)
	s.Settings.HashMaxListpackEntries, s.Settings.HashMaxListpackValue = 3, 5
	s.check(
		"HSET h a 1 b 2 c 3", ":3", "OBJECT ENCODING h", "$8 listpack",
		"HEXPIRE h 100 FIELDS 1 x", "*1 :-2", "OBJECT ENCODING h", "$10 listpackex",
		"HPEXPIREAT h 1700000001000 FIELDS 1 b", "*1 :1", "HKEYS h", "*3 $1 b $1 a $1 c",
		"HPEXPIREAT h 1700000001000 FIELDS 1 c", "*1 :1", "HKEYS h", "*3 $1 c $1 b $1 a",
		"HPEXPIREAT h 1700000000999 FIELDS 1 a", "*1 :1", "HKEYS h", "*3 $1 a $1 c $1 b",
		"HSET h c 9", ":0", "HKEYS h", "*3 $1 a $1 b $1 c",
		"HSET h d 4", ":1", "OBJECT ENCODING h", "$9 hashtable",
		"HPEXPIRETIME h FIELDS 4 a b c d", "*4 :1700000000999 :1700000001000 :-1 :-1",
		"HSET i a 12345", ":1", "OBJECT ENCODING i", "$8 listpack",
		"HSET i a 123456", ":0", "OBJECT ENCODING i", "$9 hashtable",
		"HSET j a 1 b 2 a 3 b 4", ":2", "OBJECT ENCODING j", "$9 hashtable",
		"HINCRBY k a 99999", ":99999", "OBJECT ENCODING k", "$8 listpack",
		"HINCRBY k a 1", ":100000", "OBJECT ENCODING k", "$9 hashtable",
		"HINCRBY l abcdef 1", ":1", "OBJECT ENCODING l", "$9 hashtable",
	)
	// The deadlines came along.
	s.took()
	s.advance(1000)
	s.expireActively()
	require.Equal(t, []string{"gone from h a b", "hexpired h", "modified h"}, s.took())
}

// TestHashLoweredLimit: a change of the limit counts at the next change of a hash, though it does not grow.
func TestHashLoweredLimit(t *testing.T) {
	s := newHashCtx(t, 1)
	s.check("HSET h a 1 b 2 c 3", ":3", "HSET i a 1 b 2 c 3", ":3")
	s.Settings.HashMaxListpackEntries = 2
	s.check(
		"HDEL h c", ":1", "HSET h a 9", ":0", "OBJECT ENCODING h", "$8 listpack",
		"HSET i a 9", ":0", "OBJECT ENCODING i", "$9 hashtable", "HMGET i a b c", "*3 $1 9 $1 2 $1 3",
	)
	s.Settings.HashMaxListpackEntries = 0
	for _, line := range []string{"HSET new f 1", "HSETNX new f 1", "HINCRBY new f 1", "HINCRBYFLOAT new f 1"} {
		s.run(line)
		s.check("OBJECT ENCODING new", "$9 hashtable", "HGETALL new", "*2 $1 f $1 1", "DEL new", ":1")
	}
}

// TestHashRandomAmongDue: where more fields are due than one command removes, drawing looks at them once, and says so.
func TestHashRandomAmongDue(t *testing.T) {
	s := newHashCtx(t, 1)
	for i := range 3 * heavyElements {
		s.run(fmt.Sprintf("HSET h %d x", i))
	}
	require.False(t, s.heavy("HRANDFIELD h -10"))
	require.False(t, s.heavy("HRANDFIELD h 10"))
	for i := range heavyElements - 1 {
		s.run(fmt.Sprintf("HPEXPIRE h 10 FIELDS 1 %d", i))
	}
	require.False(t, s.heavy("HRANDFIELD h -10"))
	s.advance(10)
	require.True(t, s.heavy("HRANDFIELD h -10"))
	require.True(t, s.heavy("HRANDFIELD h 10"))
	live := heavyElements - 1
	draw := func(line string) {
		words := strings.Fields(s.run(line))
		for i := 2; i < len(words); i += 2 {
			n, err := strconv.Atoi(words[i])
			require.NoError(t, err)
			require.GreaterOrEqual(t, n, live)
		}
	}
	draw("HRANDFIELD h -2000")
	draw("HRANDFIELD h 100")
	for i := heavyElements - 1; i < 3*heavyElements-10; i++ {
		s.run(fmt.Sprintf("HPEXPIRE h 10 FIELDS 1 %d", i))
	}
	s.advance(10)
	live = 3*heavyElements - 10
	draw("HRANDFIELD h -2000")
	draw("HRANDFIELD h 5")
}

// TestHashPrivateArena: a hash that grows beyond 512 KiB moves to an arena of its own, and is whole.
func TestHashPrivateArena(t *testing.T) {
	s := newHashCtx(t, 1)
	for i := range 20_000 {
		s.do("HSET", "h", "field:"+strconv.Itoa(i), "value:"+strconv.Itoa(i))
		if i%1000 == 0 {
			s.do("HEXPIRE", "h", "100", "FIELDS", "1", "field:"+strconv.Itoa(i))
		}
	}
	db := s.shards[0].DB(0)
	e, _ := db.Peek(keyspace.MakeKey([]byte("h")))
	used := db.UsedBytes()
	require.Greater(t, used, db.Object(e).Bytes())
	s.check("HLEN h", ":20000", "HGET h field:19999", "$11 value:19999", "HTTL h FIELDS 2 field:19000 field:19001", "*2 :100 :-1")
	s.check("COPY h i", ":1", "HTTL i FIELDS 2 field:19000 field:19001", "*2 :100 :-1", "RENAME i j", "+OK", "HLEN j", ":20000")
	s.advance(100_000)
	s.expireActively()
	s.check("HLEN h", ":19980", "HLEN j", ":19980", "DEL h j", ":2")
	require.Less(t, db.UsedBytes(), used/10)
}

func TestHashHeavy(t *testing.T) {
	s := newHashCtx(t, 1)
	for i := range heavyElements + 1 {
		s.do("HSET", "large", strconv.Itoa(i), "v")
	}
	s.run("HSET small a 1")
	require.True(t, s.heavy("HGETALL large"))
	require.False(t, s.heavy("HGETALL small"))
	require.False(t, s.heavy("HGETALL nokey"))
	require.True(t, s.heavy("HRANDFIELD large 4097"))
	require.True(t, s.heavy("HRANDFIELD large 1000"), "it walks")
	require.False(t, s.heavy("HRANDFIELD large 100"))
	require.True(t, s.heavy("HRANDFIELD small -5000"))
	require.False(t, s.heavy("HRANDFIELD small 5000"))
	require.False(t, s.heavy("HRANDFIELD small abc"))
	require.True(t, s.heavy("HSCAN large 0 COUNT 100000"))
	require.False(t, s.heavy("HSCAN large 0 COUNT 100"))
	require.False(t, s.heavy("HLEN large"))
	require.False(t, s.heavy("HSET large a 1"))
	s.do("HSET", "bytes", "f", strings.Repeat("x", heavyBytes+1))
	require.True(t, s.heavy("HVALS bytes"))
}

func TestHashScanAll(t *testing.T) {
	s := newHashCtx(t, 1)
	for i := range 1000 {
		s.do("HSET", "h", strconv.Itoa(i), "v")
	}
	seen := map[string]bool{}
	for cursor := "0"; ; {
		words := strings.Fields(s.run("HSCAN h " + cursor + " COUNT 7 NOVALUES"))
		cursor = words[2]
		for i := 5; i < len(words); i += 2 {
			require.False(t, seen[words[i]])
			seen[words[i]] = true
		}
		if cursor == "0" {
			break
		}
	}
	require.Len(t, seen, 1000)
}

// TestHashRandomIsUniform draws in all the ways that HRANDFIELD has.
func TestHashRandomIsUniform(t *testing.T) {
	const fields, draws = 64, 64 * 400
	for _, c := range []struct {
		name, line string
		large, due bool
	}{
		{"one of small", "HRANDFIELD h", false, false},
		{"one of large", "HRANDFIELD h", true, false},
		{"repeated, small", "HRANDFIELD h -64", false, false},
		{"repeated, large", "HRANDFIELD h -64", true, false},
		{"few of large", "HRANDFIELD h 2", true, false},
		{"many of small", "HRANDFIELD h 40", false, false},
		{"many of large", "HRANDFIELD h 40", true, false},
		{"one of small with due ones", "HRANDFIELD h", false, true},
		{"one of large with due ones", "HRANDFIELD h", true, true},
		{"many of large with due ones", "HRANDFIELD h 40", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newHashCtx(t, 1)
			s.Settings.HashMaxListpackEntries = 200
			if c.large {
				s.Settings.HashMaxListpackEntries = 1
			}
			for i := range fields {
				s.do("HSET", "h", fmt.Sprint("f", i), "v")
			}
			if c.due {
				for i := range 100 {
					s.do("HSET", "h", fmt.Sprint("due", i), "v")
					s.do("HPEXPIRE", "h", "1", "FIELDS", "1", fmt.Sprint("due", i))
				}
				s.shards[0].HoldExpiry = true
				s.advance(1)
			}
			counts := map[string]int{}
			n := 0
			for n < draws {
				for _, word := range strings.Fields(s.run(c.line)) {
					if word[0] == 'f' {
						counts[word]++
						n++
					}
					require.NotEqual(t, byte('d'), word[0])
				}
			}
			require.Len(t, counts, fields)
			chi, want := 0.0, float64(n)/fields
			for _, got := range counts {
				chi += (float64(got) - want) * (float64(got) - want) / want
			}
			require.Less(t, chi, 104.0) // 63 degrees of freedom: exceeded once in a thousand
		})
	}
}

func TestHashResp3(t *testing.T) {
	bothHashes(t, func(t *testing.T, s *testCtx) {
		s.Reply.Proto = 3
		s.check("HGETALL nokey", "%0", "HGET nokey f", "_", "HRANDFIELD nokey", "_", "HRANDFIELD nokey 1 WITHVALUES", "*0")
		s.run("HDEL h c d b")
		s.check("HGETALL h", "%1 $1 a $1 1", "HRANDFIELD h 3 WITHVALUES", "*1 *2 $1 a $1 1", "HRANDFIELD h -1 WITHVALUES", "*1 *2 $1 a $1 1",
			"HRANDFIELD h 3", "*1 $1 a", "HSCAN h 0", "*2 $1 0 *2 $1 a $1 1", "HKEYS h", "*1 $1 a", "HMGET h a x", "*2 $1 1 _")
	})
}

func TestHashRandomBounds(t *testing.T) {
	s := newHashCtx(t, 1)
	s.run("HSET h a 1")
	s.check("HRANDFIELD h -9223372036854775807", "-ERR value is out of range")
	s.check("HRANDFIELD h 9223372036854775807", "*1 $1 a")
}

func TestHashAllocations(t *testing.T) {
	s := newHashCtx(t, 1)
	s.Journal = nil
	for _, sh := range s.shards {
		sh.Observer = nil
	}
	s.run("HSET small a 1 b 2 c three")
	for i := range 1000 {
		s.do("HSET", "large", strconv.Itoa(i), "value")
	}
	for _, line := range []string{
		"HSET small c other", "HGET small c", "HGET small a", "HSET large 500 other", "HGET large 500", "HINCRBY small a 1", "HMGET small a b c",
		"HEXISTS large 7", "HLEN large", "HGETALL small", "HSET small x 1 y 2",
	} {
		args := make([][]byte, 0, 8)
		for _, w := range strings.Fields(line) {
			args = append(args, []byte(w))
		}
		require.Zero(t, testing.AllocsPerRun(100, func() { s.call(args) }), line)
	}
	// A key that is not there yet.
	for _, line := range []string{"HSET k a 1", "HSET k a 1 b 2 c 3 d 4", "HINCRBY k a 1"} {
		args := make([][]byte, 0, 16)
		for _, w := range strings.Fields(line) {
			args = append(args, []byte(w))
		}
		del := [][]byte{[]byte("DEL"), []byte("k")}
		require.Zero(t, testing.AllocsPerRun(100, func() { s.call(args); s.call(del) }), line)
	}
}

func BenchmarkHash(b *testing.B) {
	s := newHashCtx(b, 1)
	s.Journal = nil
	for _, sh := range s.shards {
		sh.Observer = nil
	}
	for i := range 10 {
		s.do("HSET", "small", fmt.Sprint("field", i), fmt.Sprint("value", i))
	}
	for i := range 10_000 {
		s.do("HSET", "large", fmt.Sprint("field", i), fmt.Sprint("value", i))
	}
	for _, line := range []string{"HGET small field7", "HSET small field7 valueX", "HGET large field77", "HSET large field77 valueX", "HGETALL small",
		"HINCRBY small n 1"} {
		args := make([][]byte, 0, 8)
		for _, w := range strings.Fields(line) {
			args = append(args, []byte(w))
		}
		b.Run(line, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.call(args)
			}
		})
	}
}
