package command

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/keyspace"
)

func TestDelUnlink(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		for _, name := range []string{"DEL", "UNLINK"} {
			s.check(
				"MSET a 1 b 2 c 3 d 4", "+OK",
				name+" a nokey b b", ":2",
				"DBSIZE", ":2",
				name+" nokey", ":0",
			)
			require.Equal(t, []string{"modified c", "del c", "modified d", "del d", "> " + name + " c nokey d"}, s.tookFrom(name+" c nokey d"))
			require.Empty(t, s.tookFrom(name+" c nokey d"))
		}
		s.check("DEL", "-ERR wrong number of arguments for 'del' command")
		require.False(t, s.heavy("DEL a"))
		require.True(t, s.heavy("DEL"+strings.Repeat(" k", heavyKeys)))
	})
}

func TestDelExpired(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.run("SET k v PX 10")
		s.advance(10)
		require.Equal(t, []string{"gone k", "expired k", "modified k"}, s.tookFrom("DEL k"))
	})
}

func TestExistsTouchType(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"MSET a 1 b two", "+OK",
			"EXISTS a", ":1",
			"EXISTS a b a nokey", ":3",
			"TOUCH a b a nokey", ":3",
			"TOUCH nokey", ":0",
			"TYPE a", "+string",
			"TYPE nokey", "+none",
		)
		for _, line := range []string{"EXISTS nokey", "TOUCH nokey", "TYPE nokey", "TTL nokey"} {
			require.Equal(t, []string{"keymiss nokey"}, s.tookFrom(line))
		}
		for _, line := range []string{"OBJECT ENCODING nokey", "MEMORY USAGE nokey", "PERSIST nokey", "EXPIRE nokey 1", "DEL nokey", "RENAME nokey k", "MOVE nokey 1"} {
			require.Empty(t, s.tookFrom(line), line)
		}
	})
}

func TestAccessTime(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.run("SET k v")
		s.advance(60_000)
		for _, line := range []string{"EXISTS k", "TYPE k", "TTL k", "PTTL k", "EXPIRETIME k", "OBJECT ENCODING k", "OBJECT REFCOUNT k", "MEMORY USAGE k", "SCAN 0", "KEYS *", "RANDOMKEY"} {
			s.run(line)
			require.Equal(t, ":60", s.run("OBJECT IDLETIME k"), line)
		}
		for _, sh := range s.shards {
			sh.NoTouch = true // as CLIENT NO-TOUCH does
		}
		s.check("GET k", "$1 v", "OBJECT IDLETIME k", ":60")
		s.check("TOUCH k", ":1", "OBJECT IDLETIME k", ":0")
		for _, sh := range s.shards {
			require.True(t, sh.NoTouch)
			sh.NoTouch = false
		}
		s.advance(60_000)
		s.check("GET k", "$1 v", "OBJECT IDLETIME k", ":0")
	})
}

func TestObject(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"SET n 1234", "+OK",
			"SET e hello", "+OK",
			"SET r "+strings.Repeat("x", 45), "+OK",
			"OBJECT ENCODING n", "$3 int",
			"object encoding e", "$6 embstr",
			"OBJECT ENCODING r", "$3 raw",
			"OBJECT ENCODING nokey", "$-1",
			"OBJECT REFCOUNT e", ":1",
			"OBJECT REFCOUNT n", ":2147483647",
			"OBJECT REFCOUNT nokey", "$-1",
			"OBJECT FREQ e", "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that "+
				"when switching between policies at runtime LRU and LFU data will take some time to adjust.",
			"OBJECT FREQ nokey", "$-1",
			"OBJECT IDLETIME nokey", "$-1",
			"OBJECT NOSUCH e", "-ERR unknown subcommand 'NOSUCH'. Try OBJECT HELP.",
			"OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command",
			"OBJECT", "-ERR wrong number of arguments for 'object' command",
			"SET n 10000", "+OK",
			"OBJECT REFCOUNT n", ":1",
			"SET n -1", "+OK",
			"OBJECT REFCOUNT n", ":1",
			"SET n 0", "+OK",
			"OBJECT REFCOUNT n", ":2147483647",
		)
		s.Settings.UnsharedInts = true
		s.check("OBJECT REFCOUNT n", ":1")
		require.True(t, strings.HasPrefix(s.run("OBJECT HELP"), "*12 +OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are: +ENCODING <key> "))
		s.out.Proto = 3
		s.check("OBJECT ENCODING nokey", "_")
	})
}

func TestObjectLFU(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.Settings.LFU = true
		for _, sh := range s.shards {
			sh.Config = keyspace.Config{LFU: true, LFULogFactor: 10, LFUDecayMin: 1}
		}
		s.check(
			"SET k v", "+OK",
			"OBJECT FREQ k", ":5",
			"OBJECT IDLETIME nokey", "$-1",
			"OBJECT IDLETIME k", "-ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "+
				"switching between policies at runtime LRU and LFU data will take some time to adjust.",
			"GET k", "$1 v",
			"OBJECT FREQ k", ":6",
		)
		s.advance(3 * 60_000)
		s.check("OBJECT FREQ k", ":3")
	})
}

func TestRandomkey(t *testing.T) {
	for _, shards := range []int{1, 4} {
		t.Run(fmt.Sprint(shards, " shards"), func(t *testing.T) {
			s := newTestCtx(t, shards)
			s.check("RANDOMKEY", "$-1")
			const keys, draws = 50, 20_000
			for i := range keys {
				s.run(fmt.Sprintf("SET key:%d v", i))
			}
			s.run("SELECT 1")
			s.check("RANDOMKEY", "$-1")
			s.run("SELECT 0")
			counts := make(map[string]int)
			for range draws {
				counts[s.run("RANDOMKEY")]++
			}
			require.Len(t, counts, keys)
			// Chi squared with 49 degrees of freedom stays below 95 but for one seed in ten thousand.
			chi := 0.0
			for _, n := range counts {
				d := float64(n) - draws/keys
				chi += d * d / (draws / keys)
			}
			require.Less(t, chi, 95.0)
		})
	}
}

func TestRandomkeyExpired(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		for i := range 20 {
			s.run(fmt.Sprintf("SET dead:%d v PX 5", i))
		}
		s.run("SET alive v")
		s.advance(5)
		for range 20 {
			s.check("RANDOMKEY", "$5 alive")
		}
		s.run("DEL alive")
		s.check("RANDOMKEY", "$-1", "DBSIZE", ":0")

		// More dead keys than it cares to draw, with expiry held back so that drawing does not remove them.
		for i := range 3000 {
			s.run(fmt.Sprintf("SET dead:%d v PX 5", i))
		}
		s.run("SET alive v")
		s.advance(5)
		for _, sh := range s.shards {
			sh.HoldExpiry = true
		}
		for range 20 {
			s.check("RANDOMKEY", "$5 alive")
		}
		s.run("DEL alive")
		s.check("RANDOMKEY", "$-1", "DBSIZE", ":3000")
		for _, sh := range s.shards {
			sh.HoldExpiry = false
		}
		s.took()
		s.check("RANDOMKEY", "$-1")
		require.Len(t, s.took(), 3*maxRandomTries)
	})
}

func TestExpire(t *testing.T) {
	const unsupported = "-ERR Unsupported option "
	const nxWith = "-ERR NX and XX, GT or LT options at the same time are not compatible"
	const gtLt = "-ERR GT and LT options at the same time are not compatible"
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"SET k v", "+OK",
			"EXPIRE nokey 10", ":0",
			`EXPIRE k 10 "x\x00y"`, unsupported+"x",
			"TTL nokey", ":-2", "PTTL nokey", ":-2", "EXPIRETIME nokey", ":-2", "PEXPIRETIME nokey", ":-2",
			"TTL k", ":-1", "PTTL k", ":-1", "EXPIRETIME k", ":-1", "PEXPIRETIME k", ":-1",
			"EXPIRE k 10", ":1",
			"TTL k", ":10", "PTTL k", ":10000", "EXPIRETIME k", ":1700000010", "PEXPIRETIME k", ":1700000010000",
			"PEXPIRE k 1499", ":1", "TTL k", ":1", "EXPIRETIME k", ":1700000001",
			"PEXPIRE k 1500", ":1", "TTL k", ":2", "EXPIRETIME k", ":1700000002",
			"EXPIREAT k 1700000100", ":1", "TTL k", ":100",
			"PEXPIREAT k 1700000200001", ":1", "PTTL k", ":200001",
			"PERSIST k", ":1", "PERSIST k", ":0", "PERSIST nokey", ":0", "TTL k", ":-1",

			"EXPIRE k 10 foo", unsupported+"foo",
			"EXPIRE k 10 NX foo", unsupported+"foo",
			"EXPIRE k 10 NX XX", nxWith, "EXPIRE k 10 gt nx", nxWith, "EXPIRE k 10 NX LT", nxWith,
			"EXPIRE k 10 GT LT", gtLt,
			"EXPIRE k abc NX XX", nxWith,
			"EXPIRE nokey abc", "-"+MsgNotInt,
			"EXPIRE k +5", "-"+MsgNotInt,
			"EXPIRE k 9223372036854775807", "-ERR invalid expire time in 'expire' command",
			"EXPIRE k 9223372036854775", "-ERR invalid expire time in 'expire' command",
			"EXPIRE k -9223372036854775807", "-ERR invalid expire time in 'expire' command",
			"EXPIREAT k 9223372036854776", "-ERR invalid expire time in 'expireat' command",
			"PEXPIRE k 9223372036854775807", "-ERR invalid expire time in 'pexpire' command",
			"PEXPIREAT k 9223372036854775807", ":1",
			"EXPIRETIME k", ":9223372036854776",
			"TTL k", ":9223370336854776",
			"PEXPIRETIME k", ":9223372036854775807",
			"PERSIST k", ":1",

			"EXPIRE k 10 XX", ":0", "EXPIRE k 10 GT", ":0", "EXPIRE k 10 XX LT", ":0", "TTL k", ":-1",
			"EXPIRE k 10 LT", ":1", "EXPIRE k 10 LT", ":0", "EXPIRE k 9 lt", ":1",
			"EXPIRE k 9 GT", ":0", "EXPIRE k 11 GT XX", ":1", "EXPIRE k 12 NX", ":0", "EXPIRE k 20 xx", ":1",
			"TTL k", ":20", "PERSIST k", ":1",
			"EXPIRE k 5 NX NX", ":1", "TTL k", ":5",
			"EXPIRE k -5 GT", ":0", "EXISTS k", ":1",
			"EXPIRE k -5 LT", ":1", "EXISTS k", ":0",
		)
	})
}

func TestExpireReports(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.run("SET k v")
		for line, effect := range map[string]string{
			"EXPIRE k 10":                  "> PEXPIREAT k 1700000010000",
			"PEXPIRE k 10 NX":              "> PEXPIREAT k 1700000000010",
			"EXPIREAT k 1700000100":        "> PEXPIREAT k 1700000100000",
			"PEXPIREAT k 1700000100000":    "> PEXPIREAT k 1700000100000",
			"pexpireat k 1700000100000 nx": "> PEXPIREAT k 1700000100000",
		} {
			s.run("PERSIST k")
			require.Equal(t, []string{"modified k", "expire k", effect}, s.tookFrom(line))
		}
		require.Empty(t, s.tookFrom("EXPIRE k 10 NX"))
		require.Equal(t, []string{"modified k", "persist k", "> PERSIST k"}, s.tookFrom("PERSIST k"))
		require.Empty(t, s.tookFrom("PERSIST k"))

		for _, line := range []string{"EXPIRE k 0", "PEXPIRE k -1", "EXPIREAT k 1700000000", "PEXPIREAT k 1", "PEXPIREAT k 1700000000000", "EXPIREAT k -5"} {
			s.run("SET k v")
			require.Equal(t, []string{"modified k", "del k", "> DEL k"}, s.tookFrom(line))
			s.check("EXISTS k", ":0")
		}
		s.Settings.LazyExpire = true
		s.run("SET k v")
		require.Equal(t, []string{"modified k", "del k", "> UNLINK k"}, s.tookFrom("EXPIRE k -1"))

		s.run("SET k v PX 100")
		s.advance(99)
		s.check("EXISTS k", ":1", "PTTL k", ":1", "TTL k", ":0")
		s.advance(1)
		require.Equal(t, []string{"gone k", "expired k", "modified k", "keymiss k"}, s.tookFrom("TTL k"))
	})
}

// TestExpireWithoutClock: while effects are replayed the clock stands at the beginning of time, and no deadline is past.
func TestExpireWithoutClock(t *testing.T) {
	s := newTestCtx(t, 1)
	s.advance(-s.NowMs)
	s.check("SET k v", "+OK", "PEXPIREAT k 5", ":1", "PERSIST k", ":1", "PEXPIREAT k 5", ":1", "PEXPIRETIME k", ":5")
	s.advance(testStartMs)
	s.check("EXISTS k", ":0")
}

func TestExpireAllocs(t *testing.T) {
	s := newTestCtx(t, 2)
	s.run("SET k v")
	expire := [][]byte{[]byte("EXPIRE"), []byte("k"), []byte("100")}
	ttl := [][]byte{[]byte("TTL"), []byte("k")}
	s.call(expire)
	s.Journal = nil
	require.Zero(t, testing.AllocsPerRun(100, func() {
		s.call(expire)
		s.call(ttl)
		s.log = s.log[:0]
	})-allocsOfLog(s))
}

// allocsOfLog returns what the recorder of s itself allocates for the reports of one EXPIRE.
func allocsOfLog(s *testCtx) float64 {
	return testing.AllocsPerRun(100, func() {
		s.note("modified ", []byte("k"))
		s.note("expire ", []byte("k"))
		s.log = s.log[:0]
	})
}

func TestCopy(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		long := strings.Repeat("long", 100)
		s.check(
			"SET a "+long+" PX 5000", "+OK",
			"COPY a b", ":1",
			"GET b", "$400 "+long, "PTTL b", ":5000", "OBJECT ENCODING b", "$3 raw",
			"SET n 77", "+OK",
			"COPY n b", ":0",
			"COPY n b REPLACE", ":1",
			"GET b", "$2 77", "PTTL b", ":-1", "OBJECT ENCODING b", "$3 int", "GET n", "$2 77",
			"COPY nokey b", ":0", "COPY nokey b REPLACE", ":0", "GET b", "$2 77",
			"COPY a a", "-"+msgSameObject, "COPY nokey nokey DB 0", "-"+msgSameObject,
			"COPY a a DB 3", ":1", "COPY a a DB 3", ":0", "COPY n a DB 3 REPLACE", ":1", "COPY n x replace db 3", ":1",
			"SELECT 3", "+OK", "GET a", "$2 77", "GET x", "$2 77", "DBSIZE", ":2", "COPY a a DB 0", ":0", "SELECT 0", "+OK",
			"COPY a b DB", "-"+MsgSyntax, "COPY a b foo", "-"+MsgSyntax,
			"COPY a b DB abc REPLACE", "-"+MsgNotInt,
			"COPY a b DB 16 foo", "-"+MsgDBIndex, "COPY a b DB -1", "-"+MsgDBIndex,
			"COPY a b DB 4294967296", "-ERR value is out of range, value must between -2147483648 and 2147483647",
		)
		s.run("SET n 77")
		require.Equal(t, []string{"new z", "modified z", "copy_to z", "> COPY n z"}, s.tookFrom("COPY n z"))
		require.Equal(t, []string{"modified z", "new z", "modified z", "copy_to z", "> COPY n z REPLACE"}, s.tookFrom("COPY n z REPLACE"))
		require.Empty(t, s.tookFrom("COPY n z"))

		s.run("SET old v PX 5")
		s.advance(5)
		require.Equal(t, []string{"gone old", "expired old", "modified old", "new old", "modified old", "copy_to old", "> COPY n old"}, s.tookFrom("COPY n old"))
	})
}

func TestMove(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"SET k v PX 5000", "+OK",
			"MOVE k 0", "-"+msgSameObject,
			"MOVE k abc", "-"+MsgNotInt,
			"MOVE k 16", "-"+MsgDBIndex,
			"MOVE k 4294967296", "-ERR value is out of range, value must between -2147483648 and 2147483647",
			"MOVE nokey 1", ":0",
			"MOVE k 1", ":1", "EXISTS k", ":0",
			"SET k other", "+OK", "MOVE k 1", ":0", "GET k", "$5 other",
			"SELECT 1", "+OK", "GET k", "$1 v", "PTTL k", ":5000", "DBSIZE", ":1",
		)
		s.run("SELECT 0")
		require.Equal(t, []string{"new k", "modified k", "modified k", "move_from k", "move_to k", "> MOVE k 2"}, s.tookFrom("MOVE k 2"))
		require.Empty(t, s.tookFrom("MOVE k 2"))
	})
}

func TestRename(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		// With three shards the names come to lie on the same one and on different ones.
		for i := range 10 {
			a, b := fmt.Sprint("a", i), fmt.Sprint("b", i)
			s.check(
				"RENAME "+a+" "+b, "-"+MsgNoKey, "RENAMENX "+a+" "+b, "-"+MsgNoKey, "RENAME "+a+" "+a, "-"+MsgNoKey,
				"SET "+a+" one PX 5000", "+OK",
				"RENAME "+a+" "+a, "+OK", "RENAMENX "+a+" "+a, ":0",
				"SET "+b+" two", "+OK",
				"RENAMENX "+a+" "+b, ":0",
				"RENAME "+a+" "+b, "+OK", "EXISTS "+a, ":0", "GET "+b, "$3 one", "PTTL "+b, ":5000",
				"RENAMENX "+b+" "+a, ":1", "GET "+a, "$3 one", "PTTL "+a, ":5000", "EXISTS "+b, ":0",
			)
			require.Empty(t, s.tookFrom("RENAME "+a+" "+a))
			require.Equal(t, []string{"new " + b, "modified " + b, "modified " + a, "rename_from " + a, "rename_to " + b, "> RENAME " + a + " " + b},
				s.tookFrom("RENAME "+a+" "+b))
			s.run("SET " + a + " 1")
			require.Equal(t, []string{"modified " + b, "new " + b, "modified " + b, "modified " + a, "rename_from " + a, "rename_to " + b, "> RENAME " + a + " " + b},
				s.tookFrom("RENAME "+a+" "+b))
		}
		require.Equal(t, ":10", s.run("DBSIZE"))
	})
}

// TestRenameKeepsAccess: a key under a new name is as old as it was.
func TestRenameKeepsAccess(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.run("SET a v")
		s.advance(30_000)
		for _, sh := range s.Shards() {
			sh.NoTouch = true
		}
		s.run("RENAME a b")
		s.check("OBJECT IDLETIME b", ":30")
	})
}

func TestDatabases(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"DBSIZE", ":0",
			"MSET a 1 b 2 c 3", "+OK", "DBSIZE", ":3",
			"SELECT 1", "+OK", "DBSIZE", ":0", "SET a other", "+OK", "DBSIZE", ":1",
			"SELECT abc", "-"+MsgNotInt, "SELECT 16", "-"+MsgDBIndex, "SELECT -1", "-"+MsgDBIndex,
			"SELECT 4294967296", "-ERR value is out of range, value must between -2147483648 and 2147483647",
			"GET a", "$5 other",
			"SWAPDB 0 1", "+OK", "DBSIZE", ":3", "GET a", "$1 1", "SELECT 0", "+OK", "GET a", "$5 other", "DBSIZE", ":1",
			"SWAPDB 1 1", "+OK", "GET a", "$5 other",
			"SWAPDB abc def", "-ERR invalid first DB index", "SWAPDB 0 def", "-ERR invalid second DB index",
			"SWAPDB 4294967296 0", "-ERR invalid first DB index",
			"SWAPDB 0 16", "-"+MsgDBIndex, "SWAPDB -1 0", "-"+MsgDBIndex,
			"FLUSHDB foo", "-"+MsgSyntax, "FLUSHALL SYNC ASYNC", "-"+MsgSyntax,
			"FLUSHDB", "+OK", "DBSIZE", ":0", "SELECT 1", "+OK", "DBSIZE", ":3",
			"FLUSHALL async", "+OK", "DBSIZE", ":0",
		)
		require.Equal(t, []string{"> SWAPDB 0 1"}, s.tookFrom("SWAPDB 0 1"))
		for _, line := range []string{"FLUSHALL", "flushall sync", "FLUSHDB ASYNC"} {
			reports := s.tookFrom(line)
			require.Equal(t, "> "+line, reports[len(reports)-1], "journalled even when there is nothing to flush")
		}
		s.run("SELECT 0")
		s.run("SET k v")
		require.Contains(t, s.tookFrom("FLUSHALL"), "flushed 0")
		require.Equal(t, 1, s.DirtyCount())

		s.InScript = true
		s.Client = nil
		s.check("SELECT 5", "+OK")
		require.Equal(t, 5, s.DBIndex)
	})
}

func TestMemoryUsage(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		usage := func(key string) (n int) {
			_, err := fmt.Sscanf(s.run("MEMORY USAGE "+key), ":%d", &n)
			require.NoError(t, err)
			return n
		}
		s.run("SET small v")
		s.run("SET large " + strings.Repeat("x", 10_000))
		require.Less(t, usage("small"), 60)
		require.Greater(t, usage("small"), len("small")+1)
		require.InDelta(t, 10_000, usage("large"), 1500)
		without := usage("small")
		s.run("EXPIRE small 100")
		require.Greater(t, usage("small"), without)
		s.check(
			"MEMORY USAGE nokey", "$-1",
			"MEMORY USAGE nokey SAMPLES -1", "-"+MsgSyntax,
			"MEMORY USAGE small SAMPLES", "-"+MsgSyntax,
			"MEMORY USAGE small SAMPLES abc", "-"+MsgNotInt,
			"MEMORY USAGE small foo", "-"+MsgSyntax,
			"MEMORY USAGE small SAMPLES 0", fmt.Sprint(":", usage("small")),
			"MEMORY USAGE", "-ERR wrong number of arguments for 'memory|usage' command",
		)
	})
}

func TestExtend(t *testing.T) {
	list := Builtin()
	Extend(list, "memory", &Spec{
		Name: "doctor", Since: "4.0.0", Complexity: "O(1)", Arity: 2, Summary: "s", Scope: ScopeServer, Run: func(*Ctx) {},
	})
	table := NewTable(list)
	require.NotNil(t, table.LookupFull([]byte("memory|doctor")))
	require.NotNil(t, table.LookupFull([]byte("memory|usage")))
	require.Nil(t, NewTable(Builtin()).LookupFull([]byte("memory|doctor")))
	require.Panics(t, func() { Extend(list, "nosuch") })
}

func TestMisc(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.NowUs = 1_700_000_000_123_456
		s.check(
			"PING", "+PONG", "PING hello", "$5 hello", "PING a b", "-ERR wrong number of arguments for 'ping' command",
			`ECHO "a b"`, "$3 a b", "ECHO", "-ERR wrong number of arguments for 'echo' command",
			"TIME", "*2 $10 1700000000 $6 123456",
		)
	})
}

func TestLolwut(t *testing.T) {
	s := newTestCtx(t, 1)
	s.Settings.Version = "7.4.9"
	const last = "Redis ver. 7.4.9\n"
	text := func(line string) string {
		s.out.Proto = 2
		reply := s.run(line)
		require.Equal(t, byte('$'), reply[0], line)
		_, body, _ := strings.Cut(reply, " ")
		require.True(t, strings.HasSuffix(body, last), line)
		return strings.TrimSuffix(body, last)
	}
	for _, line := range []string{"LOLWUT", "LOLWUT foo", "LOLWUT VERSION", "LOLWUT VERSION 7", "LOLWUT VERSION -1", "LOLWUT 1 2 3"} {
		require.Empty(t, text(line), line)
	}
	lines := strings.Split(text("LOLWUT VERSION 5 20 10 4"), "\n")
	require.Len(t, lines, 4+3)
	for _, l := range lines[:4] {
		require.Len(t, []rune(l), 20)
	}
	lines = strings.Split(text("lolwut version 6 30 10"), "\n")
	require.Len(t, lines, 10+3)
	require.NotEqual(t, text("LOLWUT VERSION 5"), text("LOLWUT VERSION 5"))
	require.NotEqual(t, text("LOLWUT VERSION 6"), text("LOLWUT VERSION 6"))
	for _, sizes := range []string{"1 1 1", "-3 -3 -3", "99999 1 99999", "1 99999 99999", "500 200 200"} {
		for _, version := range []string{"5", "6"} {
			require.LessOrEqual(t, len(text("LOLWUT VERSION "+version+" "+sizes)), 500*500*16)
		}
	}
	s.check("LOLWUT VERSION abc", "-"+MsgNotInt, "LOLWUT VERSION 5 20 abc", "-"+MsgNotInt, "LOLWUT VERSION 6 x", "-"+MsgNotInt)
	s.out.Proto = 3
	require.True(t, strings.HasPrefix(s.run("LOLWUT"), fmt.Sprintf("=%d txt:", len("txt:"+last))))
}

func TestExpireConditionMet(t *testing.T) {
	none := int64(-1)
	for _, c := range []struct {
		o       expireCondition
		was, at int64
		want    bool
	}{
		{expireCondition{}, none, 5, true},
		{expireCondition{}, 5, 5, true},
		{expireCondition{nx: true}, none, 5, true},
		{expireCondition{nx: true}, 5, 6, false},
		{expireCondition{xx: true}, none, 5, false},
		{expireCondition{xx: true}, 5, 4, true},
		{expireCondition{gt: true}, none, math.MaxInt64, false},
		{expireCondition{gt: true}, 5, 5, false},
		{expireCondition{gt: true}, 5, 6, true},
		{expireCondition{lt: true}, none, math.MaxInt64, true},
		{expireCondition{lt: true}, 5, 5, false},
		{expireCondition{lt: true}, 5, 4, true},
		{expireCondition{xx: true, lt: true}, none, 4, false},
	} {
		require.Equal(t, c.want, c.o.met(c.was, c.at), "%+v %d %d", c.o, c.was, c.at)
	}
}
