package resp

import (
	"fmt"
	"math"
	"math/rand"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// outcome is what a stream means: its commands that are not empty, then an error or nothing.
type outcome struct {
	Commands [][]string
	Err      string
	// Rest is how many bytes of an incomplete command follow; it is not set after an error.
	Rest int
}

// feed gives the stream to p in pieces that end at the given offsets and at the end, each time at another address, as a connection
// that moves its buffer does. It checks what must hold of every call.
func feed(t testing.TB, p *Parser, stream []byte, cuts ...int) (got outcome) {
	var pending []byte
	argv := make([][]byte, 0, 4)
	last := 0
	for _, cut := range append(cuts, len(stream)) {
		pending = append(append(make([]byte, 0, len(pending)+cut-last), pending...), stream[last:cut]...)
		last = cut
		for len(pending) > 0 {
			out, n, err := p.Next(pending, argv[:0])
			if err != nil {
				require.Zero(t, n)
				require.Empty(t, out)
				_, _, again := p.Next(pending, argv[:0])
				require.Equal(t, err, again)
				got.Err = err.Error()
				return got
			}
			if n == 0 {
				require.Empty(t, out)
				require.GreaterOrEqual(t, p.Want(), 0)
				break
			}
			require.LessOrEqual(t, n, len(pending))
			require.Zero(t, p.Want())
			if len(out) > 0 {
				command := make([]string, len(out))
				for i, arg := range out {
					require.Equal(t, len(arg), cap(arg))
					command[i] = string(arg)
				}
				got.Commands = append(got.Commands, command)
			}
			argv = out
			pending = pending[n:]
		}
	}
	got.Rest = len(pending)
	return got
}

// requireOutcome checks the outcome whole, at every cut, and byte by byte.
func requireOutcome(t *testing.T, start Parser, stream string, want outcome) {
	t.Helper()
	p := start
	require.Equal(t, want, feed(t, &p, []byte(stream)), "whole")
	step := 1 + len(stream)/64*min(1, len(stream)/2000)
	for cut := 1; cut < len(stream); cut += step {
		p := start
		require.Equal(t, want, feed(t, &p, []byte(stream), cut), "cut at %d", cut)
	}
	if len(stream) < 2000 {
		p := start
		cuts := make([]int, len(stream))
		for i := range cuts {
			cuts[i] = i
		}
		require.Equal(t, want, feed(t, &p, []byte(stream), cuts...), "byte by byte")
	}
}

func TestParser(t *testing.T) {
	ping := []string{"PING"}
	long := strings.Repeat("A", maxHeader)
	ones := strings.Repeat("1", maxHeader)
	// The outcomes were observed on Redis 7.0.15.
	for _, test := range []struct {
		name, stream string
		want         outcome
	}{
		{"multibulk", "*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n", outcome{Commands: [][]string{{"ECHO", "hi"}}}},
		{"pipeline", "*1\r\n$4\r\nPING\r\nPING\r\n*1\r\n$4\r\nPING\r\n", outcome{Commands: [][]string{ping, ping, ping}}},
		{"empty argument", "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", outcome{Commands: [][]string{{"ECHO", ""}}}},
		{"empty name", "*1\r\n$0\r\n\r\n", outcome{Commands: [][]string{{""}}}},
		{"binary argument", "*2\r\n$4\r\nECHO\r\n$6\r\n\x00\r\n*1\xff\r\n", outcome{Commands: [][]string{{"ECHO", "\x00\r\n*1\xff"}}}},
		{"ten arguments", "*10\r\n" + strings.Repeat("$1\r\nx\r\n", 10),
			outcome{Commands: [][]string{strings.Split(strings.Repeat("x", 10), "")}}},
		{"two-digit lengths", "*2\r\n$12\r\nabcdefghijkl\r\n$100\r\n" + long[:100] + "\r\n",
			outcome{Commands: [][]string{{"abcdefghijkl", long[:100]}}}},
		{"incomplete", "*2\r\n$4\r\nECHO\r\n$2\r\nhi\r", outcome{Rest: 21}},
		{"half a header", "*2\r", outcome{Rest: 3}},
		{"half a bulk header", "*1\r\n$4\r", outcome{Rest: 7}},

		{"array of none", "*0\r\nPING\r\n", outcome{Commands: [][]string{ping}}},
		{"null array", "*-1\r\nPING\r\n", outcome{Commands: [][]string{ping}}},
		{"negative array", "*-10\r\nPING\r\n", outcome{Commands: [][]string{ping}}},
		{"array without length", "*\r\nPING\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
		{"array with plus", "*+1\r\n$4\r\nPING\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
		{"array with leading zero", "*01\r\n$4\r\nPING\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
		{"array with space", "* 1\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
		{"array of letters", "*abc\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
		{"largest array", "*2147483647\r\n", outcome{Rest: 13}},
		{"array too large", "*2147483648\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
		{"array far too large", "*99999999999999999999\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},

		{"line feeds only", "*1\n$4\nPING\n", outcome{Rest: 11}},
		{"anything after carriage return", "*1\rx$4\rxPINGxx*1\r\n$4\r\nPINGabPING\r\n", outcome{Commands: [][]string{ping, ping, ping}}},

		{"no dollar", "*1\r\nX4\r\n", outcome{Err: "Protocol error: expected '$', got 'X'"}},
		{"no dollar yet", "*1\r\nX", outcome{Rest: 5}},
		{"no dollar second", "*2\r\n$4\r\nECHO\r\n:1\r\n", outcome{Err: "Protocol error: expected '$', got ':'"}},
		{"control byte for dollar", "*1\r\n\x01abc\r\n", outcome{Err: "Protocol error: expected '$', got '\x01'"}},
		{"high byte for dollar", "*1\r\n\xff\r\n", outcome{Err: "Protocol error: expected '$', got '\xff'"}},
		{"blank line for dollar", "*1\r\n\r\n", outcome{Err: "Protocol error: expected '$', got '\r'"}},
		{"negative bulk", "*1\r\n$-1\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
		{"minus zero bulk", "*1\r\n$-0\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
		{"bulk with leading zero", "*1\r\n$00\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
		{"bulk with leading zero and room", "*1\r\n$04\r\nPING\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
		{"bulk without length", "*1\r\n$\r\nPING\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
		{"bulk of letters", "*1\r\n$4a\r\nPING\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
		{"largest bulk", "*1\r\n$536870912\r\n", outcome{Rest: 16}},
		{"bulk too large", "*1\r\n$536870913\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
		{"error after a command", "PING\r\n*1\r\n$x\r\n", outcome{Commands: [][]string{ping}, Err: "Protocol error: invalid bulk length"}},

		{"array header at the limit", "*" + ones[1:], outcome{Rest: maxHeader}},
		{"array header over the limit", "*" + ones, outcome{Err: "Protocol error: too big mbulk count string"}},
		{"bulk header at the limit", "*1\r\n$" + ones[1:], outcome{Rest: maxHeader + 4}},
		{"bulk header over the limit", "*1\r\n$" + ones, outcome{Err: "Protocol error: too big bulk count string"}},
		{"NUL in array header", "*\x001\r\n", outcome{Rest: 5}},
		{"NUL in bulk header", "*1\r\n\x00\r\n", outcome{Rest: 7}},
		{"NUL in array header over the limit", "*\x001\r\n" + long, outcome{Err: "Protocol error: too big mbulk count string"}},
		{"NUL in bulk header over the limit", "*1\r\n$\x00\r\n" + long, outcome{Err: "Protocol error: too big bulk count string"}},

		{"line", "ECHO hi\r\n", outcome{Commands: [][]string{{"ECHO", "hi"}}}},
		{"line feed only", "PING\n", outcome{Commands: [][]string{ping}}},
		{"blank lines", "\r\n\n  \r\n \tPING \t\r\n", outcome{Commands: [][]string{ping}}},
		{"carriage return in a line", "ECHO a\rb\r\r\n", outcome{Commands: [][]string{{"ECHO", "a", "b"}}}},
		{"vertical tab and form feed", "ECHO\ta\x0bb\x0c \x0bc\xa0\n", outcome{Commands: [][]string{{"ECHO", "a\x0bb\x0c", "c\xa0"}}}},
		{"NUL in a line", "ECHO a\x00b\r\nPING\r\n", outcome{Rest: 16}},
		{"NUL first", "\x00\r\nPING\r\n", outcome{Rest: 9}},
		{"NUL over the limit", "\x00\n" + long, outcome{Err: "Protocol error: too big inline request"}},
		{"line at the limit", long + "\n", outcome{Commands: [][]string{{long}}}},
		{"endless line at the limit", long, outcome{Rest: maxHeader}},
		{"line over the limit", long + "A\n", outcome{Err: "Protocol error: too big inline request"}},

		{"double quotes", `ECHO "a b\x41\x6a\xfE\n\r\t\a\b\"\\\q\x4\xZZ"` + "\r\n",
			outcome{Commands: [][]string{{"ECHO", "a bAj\xfe\n\r\t\a\b\"\\qx4xZZ"}}}},
		{"single quotes", `ECHO 'a\'b\n\\"'` + "\r\n", outcome{Commands: [][]string{{"ECHO", `a'b\n\\"`}}}},
		{"quotes inside", `ECHO ab"c d" a'b c'` + "\r\n", outcome{Commands: [][]string{{"ECHO", "abc d", "ab c"}}}},
		{"empty quotes", `"" '' x` + "\r\n", outcome{Commands: [][]string{{"", "", "x"}}}},
		{"backslash without quotes", `ECHO a\nb` + "\r\n", outcome{Commands: [][]string{{"ECHO", `a\nb`}}}},
		{"white space after quote", "ECHO \"a\"\tb 'c'\x0bd\r\n", outcome{Commands: [][]string{{"ECHO", "a", "b", "c", "d"}}}},
		{"text after double quote", `ECHO "a"b` + "\r\n", outcome{Err: "Protocol error: unbalanced quotes in request"}},
		{"text after single quote", `ECHO 'a'b` + "\r\n", outcome{Err: "Protocol error: unbalanced quotes in request"}},
		{"open double quote", `ECHO "a` + "\r\n", outcome{Err: "Protocol error: unbalanced quotes in request"}},
		{"open single quote", `ECHO 'a` + "\r\n", outcome{Err: "Protocol error: unbalanced quotes in request"}},
		{"open quote inside", `ECHO a"b` + "\r\n", outcome{Err: "Protocol error: unbalanced quotes in request"}},
		{"backslash at the end", `ECHO "a\` + "\r\n", outcome{Err: "Protocol error: unbalanced quotes in request"}},
		{"quote before line feed", "PING\r\n\"\nPING\r\n", outcome{Commands: [][]string{ping}, Err: "Protocol error: unbalanced quotes in request"}},
	} {
		t.Run(test.name, func(t *testing.T) { requireOutcome(t, Parser{}, test.stream, test.want) })
	}
}

func TestParserUnauthenticated(t *testing.T) {
	ten := "*10\r\n" + strings.Repeat("$1\r\nx\r\n", 10)
	for _, test := range []struct {
		name, stream string
		want         outcome
	}{
		{"ten arguments", ten, outcome{Commands: [][]string{strings.Split(strings.Repeat("x", 10), "")}}},
		{"eleven arguments", "*11\r\n", outcome{Err: "Protocol error: unauthenticated multibulk length"}},
		{"16 KiB", "*2\r\n$4\r\nAUTH\r\n$16384\r\n", outcome{Rest: 22}},
		{"more than 16 KiB", "*2\r\n$4\r\nAUTH\r\n$16385\r\n", outcome{Err: "Protocol error: unauthenticated bulk length"}},
		{"array too large", "*2147483648\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
		{"bulk too large", "*1\r\n$536870913\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
		{"line", "PING a b c d e f g h i j k\r\n", outcome{Commands: [][]string{strings.Split("PING a b c d e f g h i j k", " ")}}},
	} {
		t.Run(test.name, func(t *testing.T) { requireOutcome(t, Parser{Unauthenticated: true}, test.stream, test.want) })
	}
}

func TestParserMaxBulk(t *testing.T) {
	const stream = "*1\r\n$5\r\nhello\r\n"
	requireOutcome(t, Parser{MaxBulk: 5}, stream, outcome{Commands: [][]string{{"hello"}}})
	requireOutcome(t, Parser{MaxBulk: 4}, stream, outcome{Err: "Protocol error: invalid bulk length"})
	requireOutcome(t, Parser{MaxBulk: math.MaxInt}, "*1\r\n$536870913\r\n", outcome{Rest: 16})
	requireOutcome(t, Parser{MaxBulk: math.MaxInt}, fmt.Sprintf("*1\r\n$%d\r\n", math.MaxInt-minArg), outcome{Rest: 26})
}

func TestParserAppends(t *testing.T) {
	var p Parser
	first := []byte("kept")
	argv, n, err := p.Next([]byte("*1\r\n$4\r\nPI"), [][]byte{first})
	require.NoError(t, err)
	require.Zero(t, n)
	require.Len(t, argv, 1)
	argv, n, err = p.Next([]byte("*1\r\n$4\r\nPING\r\n"), argv)
	require.NoError(t, err)
	require.Equal(t, 14, n)
	require.Equal(t, [][]byte{first, []byte("PING")}, argv)
}

func TestParserReset(t *testing.T) {
	p := Parser{MaxBulk: 10, Unauthenticated: true}
	_, n, err := p.Next([]byte("*2\r\n$4\r\nAUTH\r\n$9\r\n1"), nil)
	require.NoError(t, err)
	require.Zero(t, n)
	require.Equal(t, 10, p.Want())
	p.Reset()
	require.Equal(t, Parser{MaxBulk: 10, Unauthenticated: true}, p)
}

func TestParserWant(t *testing.T) {
	var p Parser
	for _, step := range []struct {
		buf  string
		want int
	}{
		{"*2\r\n", 0},
		{"*2\r\n$3", 0},
		{"*2\r\n$3\r", 0},
		{"*2\r\n$3\r\n", 5},
		{"*2\r\n$3\r\nGET", 2},
		{"*2\r\n$3\r\nGET\r\n$100\r\n", 102},
		{"*2\r\n$3\r\nGET\r\n$100\r\n" + strings.Repeat("x", 90), 12},
		{"*2\r\n$3\r\nGET\r\n$100\r\n" + strings.Repeat("x", 100) + "\r\n", 0},
	} {
		_, _, err := p.Next([]byte(step.buf), nil)
		require.NoError(t, err)
		require.Equal(t, step.want, p.Want(), "%q", step.buf)
	}
}

func TestParserHuge(t *testing.T) {
	const args = 200_000
	member := []byte("member:123")
	buf := AppendArray(nil, args)
	for range args {
		buf = AppendBulk(buf, member)
	}
	var p Parser
	var argv [][]byte
	for size, n := 1<<10, 0; n == 0; size += 1 << 10 {
		var err error
		argv, n, err = p.Next(buf[:min(size, len(buf))], argv[:0])
		require.NoError(t, err)
		// Progress is never given up: all but the last argument or header is behind.
		if n == 0 {
			require.Less(t, size-p.pos, 32)
		}
	}
	require.Len(t, argv, args)
	for _, arg := range argv {
		require.Equal(t, member, arg)
	}

	big := AppendCommand(nil, []byte("SET"), make([]byte, 8<<20))
	p.Reset()
	for size := 64; size < len(big); size += 16 << 10 {
		_, n, err := p.Next(big[:size], nil)
		require.NoError(t, err)
		require.Zero(t, n)
		require.Equal(t, len(big)-size, p.Want())
	}
	argv, n, err := p.Next(big, nil)
	require.NoError(t, err)
	require.Equal(t, len(big), n)
	require.Len(t, argv[1], 8<<20)
}

func TestParserSize(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(Parser{}), uintptr(64), "there is one per connection")
}

func TestParserAllocs(t *testing.T) {
	for _, bench := range benchStreams {
		t.Run(bench.name, func(t *testing.T) {
			var p Parser
			buf := []byte(bench.stream)
			argv := make([][]byte, 0, 32)
			require.Zero(t, testing.AllocsPerRun(100, func() { argv, _, _ = p.Next(buf, argv[:0]) }), "whole")
			require.NotEmpty(t, argv)
			require.Zero(t, testing.AllocsPerRun(10, func() {
				for cut := range len(buf) {
					argv, _, _ = p.Next(buf[:cut], argv[:0])
				}
				argv, _, _ = p.Next(buf, argv[:0])
			}), "byte by byte")
			require.NotEmpty(t, argv)
		})
	}
}

// TestParserModel compares random streams at random cuts with the naive parser.
func TestParserModel(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	pieces := []string{"*", "1", "2", "3", "0", "-", "$", "\r\n", "\r\n", "\n", "\r", "\x00", "\"", "'", "\\", "\\x4", " ", "PING", "\v",
		"*1\r\n$4\r\nPING\r\n", "*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n", "*2\r\n$12\r\nABCDEFGHIJKL\r\n$3\r\n", "SET \"a b\" c\r\n", "*0\r\n", "*11\r\n", "$20\r\n"}
	for range 20_000 {
		var stream []byte
		for range 1 + rnd.Intn(8) {
			stream = append(stream, pieces[rnd.Intn(len(pieces))]...)
		}
		var cuts []int
		for at := rnd.Intn(8); at < len(stream); at += 1 + rnd.Intn(12) {
			cuts = append(cuts, at)
		}
		p := Parser{MaxBulk: rnd.Intn(3) * 8, Unauthenticated: rnd.Intn(4) == 0}
		want := modelParse(string(stream), p.MaxBulk, p.Unauthenticated)
		require.Equal(t, want, feed(t, &p, stream, cuts...), "%q at %v", stream, cuts)
	}
}

func FuzzParser(f *testing.F) {
	for _, bench := range benchStreams {
		f.Add([]byte(bench.stream), []byte{3, 1, 7}, 0, false)
	}
	f.Fuzz(func(t *testing.T, stream, steps []byte, maxBulk int, unauthenticated bool) {
		var cuts []int
		at := 0
		for _, step := range steps {
			if at += int(step); at >= len(stream) {
				break
			}
			cuts = append(cuts, at)
		}
		p := Parser{MaxBulk: max(maxBulk, 0), Unauthenticated: unauthenticated}
		want := modelParse(string(stream), p.MaxBulk, unauthenticated)
		before := string(stream)
		require.Equal(t, want, feed(t, &p, stream, cuts...))
		require.Equal(t, before, string(stream), "the buffer is not written to")
	})
}

func TestSplitArgs(t *testing.T) {
	args, ok := SplitArgs([]byte("save \"a b\"\tc\x00d\x00"), nil)
	require.True(t, ok)
	require.Equal(t, [][]byte{[]byte("save"), []byte("a b"), []byte("c\x00d\x00")}, args)
	args, ok = SplitArgs(nil, nil)
	require.True(t, ok)
	require.Empty(t, args)
	_, ok = SplitArgs([]byte("a 'b"), nil)
	require.False(t, ok)
}
