package command

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/dict"
	"github.com/troupe-db/troupe/datatypes/keyspace"
)

const (
	wrongType = "-WRONGTYPE Operation against a key holding the wrong kind of value"
	syntaxErr = "-ERR syntax error"
	notInt    = "-ERR value is not an integer or out of range"
	notFloat  = "-ERR value is not a valid float"
	null      = "$-1"
)

// encoding returns what OBJECT ENCODING says of a key, "" when it is not there.
func (s *testCtx) encoding(key string) string {
	k := keyspace.MakeKey([]byte(key))
	e, found := s.DB(k).Peek(k)
	if !found {
		return ""
	}
	return e.Encoding().String()
}

// expireAt returns the deadline of a key, -1 for none.
func (s *testCtx) expireAt(key string) int64 {
	k := keyspace.MakeKey([]byte(key))
	e, found := s.DB(k).Peek(k)
	require.True(s.tb, found, key)
	return e.ExpireAtMs()
}

func TestSetGet(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"GET k", null,
			"SET k v", "+OK",
			"GET k", "$1 v",
			"set k 12", "+OK",
			"get k", "$2 12",
			`SET k ""`, "+OK",
			"GET k", "$0 ",
			"GETSET k a", "$0 ",
			"GETSET n b", null,
			"GETDEL k", "$1 a",
			"GETDEL k", null,
			"SETNX k 1", ":1",
			"SETNX k 2", ":0",
			"GET k", "$1 1",
			"STRLEN k", ":1",
			"STRLEN none", ":0",
			"GET", "-ERR wrong number of arguments for 'get' command",
		)
		long := strings.Repeat("x", 100_000)
		require.Equal(t, "+OK", s.do("SET", "long", long))
		require.Equal(t, "$100000 "+long, s.run("GET long"))
		key := strings.Repeat("k", 300)
		require.Equal(t, "+OK", s.do("SET", key, "v"))
		require.Equal(t, "$1 v", s.do("GET", key))
	})
}

func TestSetEncodings(t *testing.T) {
	s := newTestCtx(t, 1)
	for _, c := range []struct{ value, want string }{
		{"0", "int"}, {"-1", "int"}, {"127", "int"}, {"128", "int"}, {"-32769", "int"},
		{"9223372036854775807", "int"}, {"-9223372036854775808", "int"},
		{"9223372036854775808", "embstr"}, {"007", "embstr"}, {"-0", "embstr"}, {"+1", "embstr"}, {" 1", "embstr"}, {"", "embstr"},
		{strings.Repeat("x", 44), "embstr"}, {strings.Repeat("x", 45), "raw"},
	} {
		s.do("SET", "k", c.value)
		require.Equal(t, c.want, s.encoding("k"), "%q", c.value)
		require.Equal(t, fmt.Sprintf("$%d %s", len(c.value), c.value), s.run("GET k"))
	}
	s.run("SET k 1")
	s.run(`APPEND k ""`)
	require.Equal(t, "raw", s.encoding("k"))
	s.run("APPEND new 12")
	require.Equal(t, "int", s.encoding("new"))
	s.run("INCRBYFLOAT f 1")
	require.Equal(t, "embstr", s.encoding("f"), "INCRBYFLOAT makes no integers")
	s.run("INCR f")
	require.Equal(t, "int", s.encoding("f"))
}

func TestSetOptions(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		const at = "1700000050000"
		for _, c := range []struct {
			name         string
			before, line string
			reply        string
			value        string // GET afterwards
			expireAt     int64  // -1 for none
		}{
			{"NX on nothing", "", "SET k v NX", "+OK", "$1 v", -1},
			{"NX on something", "SET k a", "SET k v NX", null, "$1 a", -1},
			{"XX on nothing", "", "SET k v XX", null, null, -1},
			{"XX on something", "SET k a", "SET k v xx", "+OK", "$1 v", -1},
			{"NX GET on nothing", "", "SET k v NX GET", null, "$1 v", -1},
			{"NX GET on something", "SET k a", "SET k v NX GET", "$1 a", "$1 a", -1},
			{"XX GET on nothing", "", "SET k v GET XX", null, null, -1},
			{"XX GET on something", "SET k a", "SET k v GET XX", "$1 a", "$1 v", -1},
			{"XX that fails keeps the deadline", "SET k a EX 9", "SET k v NX EX 5", null, "$1 a", testStartMs + 9000},
			{"a plain SET drops the deadline", "SET k a EX 9", "SET k v", "+OK", "$1 v", -1},
			{"KEEPTTL", "SET k a EX 9", "SET k v KEEPTTL", "+OK", "$1 v", testStartMs + 9000},
			{"KEEPTTL on nothing", "", "SET k v KEEPTTL", "+OK", "$1 v", -1},
			{"KEEPTTL without a deadline", "SET k a", "SET k vv KEEPTTL", "+OK", "$2 vv", -1},
			{"EX", "", "SET k v EX 10", "+OK", "$1 v", testStartMs + 10_000},
			{"PX", "", "SET k v px 10", "+OK", "$1 v", testStartMs + 10},
			{"EXAT", "", "SET k v EXAT 1700000050", "+OK", "$1 v", 1_700_000_050_000},
			{"PXAT", "", "SET k v PXAT " + at, "+OK", "$1 v", 1_700_000_050_000},
			{"EXAT in the past", "SET k a", "SET k v EXAT 1", "+OK", null, -1},
			{"PXAT now", "", "SET k v PXAT 1700000000000", "+OK", null, -1},
			{"the last EX counts", "", "SET k v EX 10 EX 20", "+OK", "$1 v", testStartMs + 20_000},
			{"all at once", "SET k a", "SET k v GET XX XX GET PX 10", "$1 a", "$1 v", testStartMs + 10},
			{"the farthest", "", "SET k v PXAT 9223372036854775807", "+OK", "$1 v", 9223372036854775807},
			{"SETEX", "", "SETEX k 10 v", "+OK", "$1 v", testStartMs + 10_000},
			{"PSETEX", "SET k a", "PSETEX k 10 v", "+OK", "$1 v", testStartMs + 10},
			{"GETSET drops the deadline", "SET k a EX 9", "GETSET k v", "$1 a", "$1 v", -1},
			{"NX and XX", "", "SET k v NX XX", syntaxErr, null, -1},
			{"XX and NX", "", "SET k v XX NX", syntaxErr, null, -1},
			{"EX and PX", "", "SET k v EX 1 PX 1", syntaxErr, null, -1},
			{"EX and KEEPTTL", "", "SET k v EX 1 KEEPTTL", syntaxErr, null, -1},
			{"KEEPTTL and EX", "", "SET k v KEEPTTL EX 1", syntaxErr, null, -1},
			{"PERSIST is not for SET", "", "SET k v PERSIST", syntaxErr, null, -1},
			{"EX without a number", "", "SET k v EX", syntaxErr, null, -1},
			{"syntax before numbers", "", "SET k v EX abc FOO", syntaxErr, null, -1},
			{"EX of no number", "", "SET k v EX abc", notInt, null, -1},
			{"EX 0", "", "SET k v EX 0", "-ERR invalid expire time in 'set' command", null, -1},
			{"EXAT 0", "", "SET k v EXAT 0", "-ERR invalid expire time in 'set' command", null, -1},
			{"PX below 0", "", "SET k v PX -1", "-ERR invalid expire time in 'set' command", null, -1},
			{"EX too large", "", "SET k v EX 9223372036854776", "-ERR invalid expire time in 'set' command", null, -1},
			{"EX that overflows with the time", "", "SET k v EX 9223372036854775", "-ERR invalid expire time in 'set' command", null, -1},
			{"PX that overflows with the time", "", "SET k v PX 9223372036854775807", "-ERR invalid expire time in 'set' command", null, -1},
			{"EX before NX", "SET k a", "SET k v NX GET EX 0", "-ERR invalid expire time in 'set' command", "$1 a", -1},
			{"SETEX 0", "", "SETEX k 0 v", "-ERR invalid expire time in 'setex' command", null, -1},
			{"PSETEX below 0", "", "PSETEX k -5 v", "-ERR invalid expire time in 'psetex' command", null, -1},
			{"SETEX of no number", "", "SETEX k x v", notInt, null, -1},
		} {
			s.run("DEL k")
			if c.before != "" {
				s.run(c.before)
			}
			require.Equal(t, c.reply, s.run(c.line), c.name)
			if c.value != null {
				require.Equal(t, c.expireAt, s.expireAt("k"), c.name)
			}
			require.Equal(t, c.value, s.run("GET k"), c.name)
		}
	})
}

func TestGetex(t *testing.T) {
	for _, c := range []struct {
		name         string
		before, line string
		reply, value string
		expireAt     int64
	}{
		{"plain", "SET k v EX 9", "GETEX k", "$1 v", "$1 v", testStartMs + 9000},
		{"missing", "", "GETEX k EX 10", null, null, -1},
		{"EX", "SET k v", "GETEX k EX 10", "$1 v", "$1 v", testStartMs + 10_000},
		{"PX", "SET k v EX 9", "GETEX k PX 10", "$1 v", "$1 v", testStartMs + 10},
		{"EXAT", "SET k 7", "GETEX k EXAT 1700000050", "$1 7", "$1 7", 1_700_000_050_000},
		{"PXAT", "SET k v", "GETEX k PXAT 1700000050001", "$1 v", "$1 v", 1_700_000_050_001},
		{"in the past", "SET k v", "GETEX k PXAT 1", "$1 v", null, -1},
		{"PERSIST", "SET k v EX 9", "GETEX k PERSIST", "$1 v", "$1 v", -1},
		{"PERSIST without a deadline", "SET k v", "GETEX k PERSIST PERSIST", "$1 v", "$1 v", -1},
		{"PERSIST and EX", "SET k v", "GETEX k PERSIST EX 10", syntaxErr, "$1 v", -1},
		{"EX and PERSIST", "SET k v", "GETEX k EX 10 PERSIST", syntaxErr, "$1 v", -1},
		{"KEEPTTL is not for GETEX", "SET k v", "GETEX k KEEPTTL", syntaxErr, "$1 v", -1},
		{"NX is not for GETEX", "SET k v", "GETEX k NX", syntaxErr, "$1 v", -1},
		{"EX 0", "SET k v", "GETEX k EX 0", "-ERR invalid expire time in 'getex' command", "$1 v", -1},
		{"a missing key before the number", "", "GETEX k EX 0", null, null, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newTestCtx(t, 1)
			if c.before != "" {
				s.run(c.before)
			}
			require.Equal(t, c.reply, s.run(c.line))
			if c.value != null {
				require.Equal(t, c.expireAt, s.expireAt("k"))
			}
			require.Equal(t, c.value, s.run("GET k"))
		})
	}
}

func TestExpiredStringsAreGone(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		renew := func() {
			s.run("SET k 5 PX 10")
			s.advance(10)
		}
		for _, c := range []struct{ line, reply, value string }{
			{"GET k", null, null},
			{"GETDEL k", null, null},
			{"STRLEN k", ":0", null},
			{"APPEND k x", ":1", "$1 x"},
			{"INCR k", ":1", "$1 1"},
			{"INCRBYFLOAT k 1.5", "$3 1.5", "$3 1.5"},
			{"SETRANGE k 1 x", ":2", "$2 \x00x"},
			{"SETBIT k 7 1", ":0", "$1 \x01"},
			{"BITFIELD k SET u8 0 1", "*1 :0", "$1 \x01"},
			{"SET k v NX", "+OK", "$1 v"},
			{"SET k v XX", null, null},
			{"SET k v GET", null, "$1 v"},
			{"SET k v KEEPTTL", "+OK", "$1 v"},
			{"SET k v", "+OK", "$1 v"},
			{"MSETNX k v", ":1", "$1 v"},
			{"BITOP NOT k other", ":0", null},
		} {
			renew()
			require.Equal(t, c.reply, s.run(c.line), c.line)
			require.Equal(t, c.value, s.run("GET k"), c.line)
			if c.value != null {
				require.EqualValues(t, -1, s.expireAt("k"), c.line)
			}
		}
	})
}

func TestMany(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"MSET a 1 b 2 c 3", "+OK",
			"MGET a b none c a", "*5 $1 1 $1 2 $-1 $1 3 $1 1",
			"MSETNX d 1 a 9", ":0",
			"MGET a d", "*2 $1 1 $-1",
			"MSETNX d 1 d 2 e 3", ":1",
			"MGET d e", "*2 $1 2 $1 3",
			"MSET a 1 a 2", "+OK",
			"GET a", "$1 2",
			"MSET a", "-ERR wrong number of arguments for 'mset' command",
			"MSET a 1 b", "-ERR wrong number of arguments for 'mset' command",
			"MSETNX a 1 b", "-ERR wrong number of arguments for 'msetnx' command",
			"SET a x EX 10", "+OK",
			"MSET a y", "+OK",
		)
		require.EqualValues(t, -1, s.expireAt("a"))
	})
}

func TestAppendAndRanges(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"APPEND k Hello", ":5",
			`APPEND k " World"`, ":11",
			"GET k", "$11 Hello World",
			"GETRANGE k 0 4", "$5 Hello",
			"SUBSTR k -5 -1", "$5 World",
			"GETRANGE k 0 -1", "$11 Hello World",
			"GETRANGE k 6 100", "$5 World",
			"GETRANGE k 11 20", "$0 ",
			"GETRANGE k 5 3", "$0 ",
			"GETRANGE k -3 -100", "$0 ",
			"GETRANGE k -100 2", "$3 Hel",
			"GETRANGE k 0 -9223372036854775808", "$1 H",
			"GETRANGE k -9223372036854775808 9223372036854775807", "$11 Hello World",
			"GETRANGE none 0 x", notInt,
			"GETRANGE none 0 1", "$0 ",
			"SETRANGE k 6 Redis", ":11",
			"GET k", "$11 Hello Redis",
			"SETRANGE k 13 !", ":14",
			"GET k", "$14 Hello Redis\x00\x00!",
			`SETRANGE k 100 ""`, ":14",
			`SETRANGE none 100 ""`, ":0",
			"GET none", null,
			"SETRANGE k x a", notInt,
			"SETRANGE k -1 a", "-ERR offset is out of range",
			"SETRANGE k 536870911 ab", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)",
			"SETRANGE k 9223372036854775807 ab", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)",
			"SET n 1234", "+OK",
			"GETRANGE n 1 2", "$2 23",
			"STRLEN n", ":4",
			"SETRANGE n 1 x", ":4",
			"GET n", "$4 1x34",
			"SET n 99 EX 5", "+OK",
			"APPEND n 9", ":3",
		)
		require.EqualValues(t, testStartMs+5000, s.expireAt("n"), "APPEND keeps the deadline")
		s.Settings.MaxStringBytes = 20
		s.check(
			"APPEND k 123456", ":20",
			"APPEND k 1", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)",
			`APPEND k ""`, ":20",
			"SETRANGE k 19 x", ":20",
			"SETRANGE k 20 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)",
		)
	})
}

func TestAppendGrows(t *testing.T) {
	s := newTestCtx(t, 1)
	want := ""
	for i := range 3000 {
		want += fmt.Sprint(i)
		require.Equal(t, fmt.Sprintf(":%d", len(want)), s.do("APPEND", "k", fmt.Sprint(i)))
	}
	require.Equal(t, fmt.Sprintf("$%d %s", len(want), want), s.run("GET k"))
}

func TestCounters(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"INCR n", ":1",
			"INCR n", ":2",
			"DECR n", ":1",
			"INCRBY n 125", ":126",
			"INCR n", ":127",
			"INCR n", ":128",
			"INCRBY n 32640", ":32768",
			"DECRBY n 32769", ":-1",
			"DECRBY n 127", ":-128",
			"DECR n", ":-129",
			"INCRBY n 0", ":-129",
			"GET n", "$4 -129",
			"INCRBY m 9223372036854775807", ":9223372036854775807",
			"INCR m", "-ERR increment or decrement would overflow",
			"INCRBY m -9223372036854775808", ":-1",
			"INCRBY m -9223372036854775808", "-ERR increment or decrement would overflow",
			"DECRBY m -9223372036854775808", "-ERR decrement would overflow",
			"DECRBY m 9223372036854775807", ":-9223372036854775808",
			"DECR m", "-ERR increment or decrement would overflow",
			"INCRBY n abc", notInt,
			"INCRBY n 9223372036854775808", notInt,
			"SET t abc", "+OK",
			"INCR t", notInt,
			"INCRBY t x", notInt,
			`SET t " 1"`, "+OK",
			"INCR t", notInt,
			`SET t ""`, "+OK",
			"INCR t", notInt,
			"SETRANGE r 0 12", ":2",
			"INCR r", ":13",
			"SET x 10 EX 5", "+OK",
			"INCR x", ":11",
			"INCRBY x 100000", ":100011",
		)
		require.EqualValues(t, testStartMs+5000, s.expireAt("x"))
		require.Equal(t, "int", s.encoding("r"))
	})
}

func TestIncrbyfloat(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"SET k 10.50", "+OK",
			"INCRBYFLOAT k 0.1", "$4 10.6",
			"INCRBYFLOAT k -5", "$3 5.6",
			"SET k 5.0e3", "+OK",
			"INCRBYFLOAT k 2.0e2", "$4 5200",
			"INCRBYFLOAT k 0x10", "$4 5216",
			"INCRBYFLOAT new -0.5", "$4 -0.5",
			"INCRBYFLOAT k inf", "-ERR increment would produce NaN or Infinity",
			"INCRBYFLOAT k nan", notFloat,
			`INCRBYFLOAT k " 5"`, notFloat,
			"INCRBYFLOAT k 1e5000", notFloat,
			"SET t abc", "+OK",
			"INCRBYFLOAT t 1", notFloat,
			"SET k 1 EX 5", "+OK",
			"INCRBYFLOAT k 1.25", "$4 2.25",
		)
		require.EqualValues(t, testStartMs+5000, s.expireAt("k"))
	})
}

// TestStringReports pins what every writing command reports, in its order: changes, events and effects.
func TestStringReports(t *testing.T) {
	const at = "1700000010000"
	for _, c := range []struct {
		before, line string
		want         []string
	}{
		{"", "SET k v", []string{"new k", "modified k", "set k", "> SET k v"}},
		{"SET k a", "SET k v", []string{"modified k", "set k", "> SET k v"}},
		{"", "SET k v NX", []string{"new k", "modified k", "set k", "> SET k v NX"}},
		{"SET k a", "SET k v NX", nil},
		{"SET k a", "SET k v XX KEEPTTL", []string{"modified k", "set k", "> SET k v XX KEEPTTL"}},
		{"", "SET k v EX 10", []string{"new k", "modified k", "set k", "expire k", "> SET k v PXAT " + at}},
		{"SET k a", "SET k v PX 10000 GET XX", []string{"modified k", "set k", "expire k", "> SET k v PXAT " + at}},
		{"SET k a", "SET k v EXAT 1700000010", []string{"modified k", "set k", "expire k", "> SET k v PXAT " + at}},
		{"SET k a", "SET k v PXAT " + at, []string{"modified k", "set k", "expire k", "> SET k v PXAT " + at}},
		{"SET k a", "SET k v GET", []string{"modified k", "set k", "> SET k v"}},
		{"SET k a", "SET k v GET KEEPTTL", []string{"modified k", "set k", "> SET k v KEEPTTL"}},
		{"", "SET k v GET", []string{"keymiss k", "new k", "modified k", "set k", "> SET k v"}},
		{"SET k a PXAT 1", "SET k v", []string{
			"gone k", "expired k", "modified k", "new k", "modified k", "set k", "> SET k v",
		}},
		{"", "SETNX k v", []string{"new k", "modified k", "set k", "> SETNX k v"}},
		{"SET k a", "SETNX k v", nil},
		{"", "SETEX k 10 v", []string{"new k", "modified k", "set k", "expire k", "> SET k v PXAT " + at}},
		{"", "PSETEX k 10000 v", []string{"new k", "modified k", "set k", "expire k", "> SET k v PXAT " + at}},
		{"SET k a", "GETSET k v", []string{"modified k", "set k", "> SET k v"}},
		{"SET k a", "GETDEL k", []string{"modified k", "del k", "> DEL k"}},
		{"", "GETDEL k", []string{"keymiss k"}},
		{"SET k a", "GETEX k", nil},
		{"SET k a", "GETEX k EX 10", []string{"modified k", "expire k", "> PEXPIREAT k " + at}},
		{"SET k a", "GETEX k PXAT 1", []string{"modified k", "del k", "> DEL k"}},
		{"SET k a EX 5", "GETEX k PERSIST", []string{"modified k", "persist k", "> PERSIST k"}},
		{"SET k a", "GETEX k PERSIST", nil},
		{"", "MSET k 1 j 2", []string{"new k", "modified k", "set k", "new j", "modified j", "set j", "> MSET k 1 j 2"}},
		{"", "MSETNX k 1 k 2", []string{"new k", "modified k", "set k", "modified k", "set k", "> MSETNX k 1 k 2"}},
		{"SET j a", "MSETNX k 1 j 2", nil},
		{"", "APPEND k v", []string{"new k", "modified k", "append k", "> APPEND k v"}},
		{"SET k a", `APPEND k ""`, []string{"modified k", "append k", "> APPEND k "}},
		{"", "SETRANGE k 1 v", []string{"new k", "modified k", "setrange k", "> SETRANGE k 1 v"}},
		{"SET k a", `SETRANGE k 1 ""`, nil},
		{"", "INCR k", []string{"new k", "modified k", "incrby k", "> INCR k"}},
		{"SET k 1", "DECR k", []string{"modified k", "incrby k", "> DECR k"}},
		{"SET k 1", "INCRBY k 5", []string{"modified k", "incrby k", "> INCRBY k 5"}},
		{"SET k 1", "DECRBY k 5", []string{"modified k", "incrby k", "> DECRBY k 5"}},
		{"SET k a", "INCR k", nil},
		{"SET k 1.5", "INCRBYFLOAT k 1", []string{"modified k", "incrbyfloat k", "> SET k 2.5 KEEPTTL"}},
		{"", "INCRBYFLOAT k 1", []string{"new k", "modified k", "incrbyfloat k", "> SET k 1 KEEPTTL"}},
		{"", "SETBIT k 0 0", []string{"new k", "modified k", "setbit k", "> SETBIT k 0 0"}},
		{"SET k a", "SETBIT k 0 0", nil},
		{"SET k a", "SETBIT k 0 1", []string{"modified k", "setbit k", "> SETBIT k 0 1"}},
		{"", "BITFIELD k SET u8 0 1 SET u8 0 2", []string{"new k", "modified k", "setbit k", "> BITFIELD k SET u8 0 1 SET u8 0 2"}},
		{"SET k a", "BITFIELD k SET u8 0 97", nil},
		{"SET k a", "BITFIELD k GET u8 0", nil},
		{"", "BITFIELD k OVERFLOW FAIL SET u8 0 256", []string{"new k", "modified k", "> BITFIELD k OVERFLOW FAIL SET u8 0 256"}},
		{"SET j a", "BITOP AND k j", []string{"new k", "modified k", "set k", "> BITOP AND k j"}},
		{"SET k a", "BITOP AND k k", []string{"modified k", "set k", "> BITOP AND k k"}},
		{"SET k a", "BITOP AND k j", []string{"keymiss j", "modified k", "del k", "> BITOP AND k j"}},
		{"", "BITOP AND k j", []string{"keymiss j"}},
		{"", "GET k", []string{"keymiss k"}},
		{"SET k a", "GET k", nil},
	} {
		t.Run(c.before+";"+c.line, func(t *testing.T) {
			s := newTestCtx(t, 3)
			if c.before != "" {
				s.run(c.before)
			}
			require.Equal(t, c.want, s.tookFrom(c.line))
		})
	}
}

func TestStringDirtyCounts(t *testing.T) {
	s := newTestCtx(t, 3)
	for _, c := range []struct {
		line string
		want int
	}{
		{"SET k v", 1}, {"MSET a 1 b 2 c 3", 3}, {"SETNX k v", 0}, {"GET k", 0},
		{"BITFIELD f SET u8 0 1 SET u8 8 0 GET u8 0", 2}, {"BITFIELD f SET u8 0 1 SET u8 8 1", 1}, {"GETDEL k", 1},
	} {
		s.run(c.line)
		require.Equal(t, c.want, s.DirtyCount(), c.line)
	}
}

func TestLCS(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"MSET a ohmytext b mynewtext n 12345 m 2355", "+OK",
			"LCS a b", "$6 mytext",
			"LCS a b LEN", ":6",
			"LCS a b IDX", "*4 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6",
			"LCS a b IDX MINMATCHLEN 4", "*4 $7 matches *1 *2 *2 :4 :7 *2 :5 :8 $3 len :6",
			"LCS a b idx withmatchlen minmatchlen 4", "*4 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6",
			"LCS a b IDX MINMATCHLEN 9", "*4 $7 matches *0 $3 len :6",
			"LCS a b IDX MINMATCHLEN -1 MINMATCHLEN 4", "*4 $7 matches *1 *2 *2 :4 :7 *2 :5 :8 $3 len :6",
			"LCS n m", "$3 235",
			"LCS a none", "$0 ",
			"LCS none none LEN", ":0",
			"LCS none none IDX", "*4 $7 matches *0 $3 len :0",
			"LCS a b LEN IDX", "-ERR If you want both the length and indexes, please just use IDX.",
			"LCS a b MINMATCHLEN", syntaxErr,
			"LCS a b MINMATCHLEN x", notInt,
			"LCS a b FOO", syntaxErr,
			"SETRANGE big 20000 a", ":20001",
			"LCS big big LEN", "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
		)
		s.out.Proto = 3
		s.check("LCS a b IDX", "%2 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6")
	})
}

// TestLCSAgainstTable compares with the textbook table, and the way back through it that Redis takes.
func TestLCSAgainstTable(t *testing.T) {
	s := newTestCtx(t, 1)
	for n := range 400 {
		alphabet := 1 + int(s.Rand()%4)
		text := func() []byte {
			b := make([]byte, s.Rand()%150)
			for i := range b {
				b[i] = 'a' + byte(s.Rand()%uint64(alphabet))
			}
			return b
		}
		a, b := text(), text()
		table := make([][]int, len(a)+1)
		for i := range table {
			table[i] = make([]int, len(b)+1)
			for j := 1; i > 0 && j <= len(b); j++ {
				if a[i-1] == b[j-1] {
					table[i][j] = table[i-1][j-1] + 1
				} else {
					table[i][j] = max(table[i-1][j], table[i][j-1])
				}
			}
		}
		var want []lcsRun
		i, j := len(a), len(b)
		inRun := false
		for i > 0 && j > 0 {
			if a[i-1] == b[j-1] {
				i, j = i-1, j-1
				if !inRun {
					want = append(want, lcsRun{})
				}
				last := &want[len(want)-1]
				*last = lcsRun{i, j, last.length + 1}
				inRun = true
				continue
			}
			inRun = false
			if table[i-1][j] > table[i][j-1] {
				i--
			} else {
				j--
			}
		}
		bits, length := newLCS(a, b, true)
		require.Equal(t, table[len(a)][len(b)], length, "case %d: %s %s", n, a, b)
		var got []lcsRun
		bits.runs(a, b, func(r lcsRun) { got = append(got, r) })
		require.Equal(t, want, got, "case %d: %s %s", n, a, b)
		_, length = newLCS(a, b, false)
		require.Equal(t, table[len(a)][len(b)], length)
	}
}

func TestStringHeavy(t *testing.T) {
	s := newTestCtx(t, 3)
	s.run("SET small x")
	s.run("SETRANGE big 3000000 x")
	many := strings.Repeat(" k", 3000)
	for _, c := range []struct {
		line string
		want bool
	}{
		{"GET big", false}, {"MGET a b", false}, {"MGET" + many, true}, {"MSET" + many + many, true}, {"MSETNX" + many, false},
		{"GETRANGE small 0 -1", false}, {"GETRANGE big 0 -1", true}, {"SUBSTR big 0 -1", true},
		{"SETRANGE small 100 x", false}, {"SETRANGE small 100000000 x", true}, {"SETRANGE big 2900000 x", false},
		{"SETRANGE big 3000000 xx", true}, {`SETRANGE small 100000000 ""`, false}, {"SETRANGE small x x", false},
		{"SETBIT small 7 1", false}, {"SETBIT small 4000000000 1", true}, {"SETBIT big 24000000 1", false}, {"SETBIT small x 1", false},
		{"BITCOUNT small", false}, {"BITCOUNT big", true}, {"BITPOS small 1", false}, {"BITPOS big 1", true},
		{"BITOP AND d small small", false}, {"BITOP AND d small big", true}, {"BITOP AND d" + many, true},
		{"BITFIELD small SET u8 0 1", false}, {"BITFIELD small SET u8 4000000000 1", true},
		{"BITFIELD small GET u8 4000000000", false}, {"BITFIELD small SET u8 x 1", false},
		{"LCS small small", false}, {"LCS small big", true},
	} {
		s.took()
		before := s.shards[0].Stats
		require.Equal(t, c.want, s.heavy(c.line), "%.40s", c.line)
		require.Empty(t, s.took(), "%.40s", c.line)
		require.Equal(t, before, s.shards[0].Stats)
	}
}

// prepared returns a function that runs a command over and over without the test harness in between.
func (s *testCtx) prepared(words ...string) func() {
	args := make([][]byte, len(words))
	for i, w := range words {
		args[i] = []byte(w)
	}
	spec, msg := s.Table().Resolve(args)
	require.Empty(s.tb, msg)
	for _, sh := range s.shards {
		sh.Observer = nil
	}
	s.out.Buf = make([]byte, 0, 1<<12)
	hash := dict.Hash(args[1])
	return func() {
		s.out.Buf = s.out.Buf[:0]
		s.Begin(spec, args, 1, hash)
		spec.Run(s.Ctx)
		s.Finish()
	}
}

// sink is a journal that forgets.
type sink struct{}

// BeginEntry implements Journal.
func (sink) BeginEntry() {}

// EndEntry implements Journal.
func (sink) EndEntry() {}

func (sink) Append(int, [][]byte) {}

func TestStringAllocs(t *testing.T) {
	for _, journal := range []Journal{nil, sink{}} {
		s := newTestCtx(t, 2)
		s.Journal = journal
		s.run("SET k v")
		s.run("SET n 100000")
		s.run("SET i 123456789")
		for _, c := range []struct {
			line string
			most float64
		}{
			{"GET k", 0}, {"GET i", 0}, {"GET none", 0}, {"SET k w", 0}, {"SET k 12345", 0}, {"SET k v EX 10", 0},
			{"SET k v PX 10 GET XX", 0}, {"SETNX k v", 0}, {"GETSET k v", 0}, {"GETEX k EX 10", 0}, {"INCR n", 0},
			{"INCRBY n -1", 0}, {"MGET k n i none", 0}, {"MSET k 1 i 2", 0}, {"STRLEN i", 0}, {"GETRANGE i 1 3", 0},
			{"SETRANGE b 10 x", 0}, {"GETBIT k 3", 0}, {"SETBIT b 3 1", 0}, {"BITCOUNT b 0 -1", 0}, {"BITPOS b 1", 0},
			{"BITFIELD b INCRBY u8 0 1 GET u4 0", 0}, {"INCRBYFLOAT b 1", 2},
		} {
			run := s.prepared(strings.Fields(c.line)...)
			run()
			require.LessOrEqual(t, testing.AllocsPerRun(100, run), c.most, c.line)
		}
	}
}

func benchmarkCommand(b *testing.B, words ...string) {
	s := newTestCtx(b, 1)
	s.Journal = nil
	for i := range 100_000 {
		s.do("SET", fmt.Sprintf("key:%d", i), strings.Repeat("x", 32))
	}
	s.do("SET", "key", strings.Repeat("x", 32))
	s.do("SET", "n", "100000")
	run := s.prepared(words...)
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
}

func BenchmarkGet(b *testing.B)   { benchmarkCommand(b, "GET", "key") }
func BenchmarkSet(b *testing.B)   { benchmarkCommand(b, "SET", "key", strings.Repeat("y", 32)) }
func BenchmarkSetEx(b *testing.B) { benchmarkCommand(b, "SET", "key", "y", "EX", "100") }
func BenchmarkIncr(b *testing.B)  { benchmarkCommand(b, "INCR", "n") }
func BenchmarkMget10(b *testing.B) {
	benchmarkCommand(b, strings.Fields("MGET"+strings.Repeat(" key:7", 10))...)
}
