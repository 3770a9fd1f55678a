package transcript

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const fakeTranscript = "testdata/fake.txt"

func load(t *testing.T, path string) *File {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	f, err := Parse(path, string(text))
	require.NoError(t, err)
	return f
}

// Every kind of step, directive and reply, against a server whose answers are scripted.
func TestRunGolden(t *testing.T) {
	for _, o := range []Options{{Resp: 2}, {Resp: 3}, {Resp: 2, Pipelined: true}, {Resp: 3, Pipelined: true}} {
		t.Run(o.String(), func(t *testing.T) {
			Run(t, everything().start(t), []*File{load(t, fakeTranscript)}, o)
		})
	}
}

// What is wrong must be found, whatever way it is compared.
func TestCheckFindsFaults(t *testing.T) {
	f, err := Parse("x.txt", `# case: wrong
> SET k v
FINE
# approx 2
> TTL k
(integer) 97
# regex
> GET k
"[a-u]"
# unordered 1
> SCAN 0
1) "0"
2) 1) "c"
   2) "a"
   3) "b"
> NULLARRAY
(nil)
> GET none
(nil array)
# resp3:
(nil array)
> GET k
# from 7.4:
"v"
> QUIT
OK
# case: right
> GET k
"v"
`)
	require.NoError(t, err)
	for _, o := range []Options{{Resp: 2}, {Resp: 3}, {Resp: 2, Pipelined: true}} {
		srv, err := connect(everything().start(t), "")
		require.NoError(t, err)
		defer srv.control.close()
		faults, err := f.Cases[0].check("x.txt", srv, o)
		require.NoError(t, err)
		var lines []string
		for _, fault := range faults {
			lines = append(lines, strings.SplitN(fault, "\n", 2)[0])
		}
		want := []string{"x.txt:2: > SET k v", "x.txt:5: > TTL k", "x.txt:8: > GET k", "x.txt:11: > SCAN 0", "x.txt:16: > NULLARRAY",
			"x.txt:18: > GET none", "x.txt:22: > GET k", "x.txt:25: > QUIT"}
		if o.Resp == 3 {
			want = append(want[:4:4], want[5:]...) // a null array is the null of RESP3
		}
		require.Equal(t, want, lines, o.String())
		require.Contains(t, faults[0], "want\nFINE\ngot\nOK")
		require.Contains(t, strings.Join(faults, "\n"), "(no expectation is recorded)")
		faults, err = f.Cases[1].check("x.txt", srv, o)
		require.NoError(t, err)
		require.Empty(t, faults)
	}
}

// Rewriting a transcript that is right must not change a byte; rewriting one without expectations must give the same.
func TestRewrite(t *testing.T) {
	text, err := os.ReadFile(fakeTranscript)
	require.NoError(t, err)
	golden := string(text)
	f := load(t, fakeTranscript)

	stripped := strings.Split(golden, "\n")
	for i := len(f.Cases) - 1; i >= 0; i-- {
		for j := len(f.Cases[i].steps) - 1; j >= 0; j-- {
			s := f.Cases[i].steps[j]
			if f.Cases[i].Since == "" && f.Cases[i].Needs == nil && !s.byHand() && s.approx == 0 && !strings.Contains(strings.Join(stripped[s.line:s.end], "\n"), "# from") {
				stripped = append(stripped[:s.line:s.line], stripped[s.end:]...)
			}
		}
	}
	for name, text := range map[string]string{"complete": golden, "stripped": strings.Join(stripped, "\n"), "no header": strings.Join(stripped[2:], "\n")} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "fake.txt")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			_, err := Rewrite(everything().start(t), load(t, path))
			require.NoError(t, err)
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, golden, string(got))
		})
	}
}

func TestRewriteRefusesOtherServers(t *testing.T) {
	for name, info := range map[string]string{
		"troupe":     "redis_version:7.4.1\r\ntroupe_version:1.0\r\n",
		"valkey":     "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0\r\n",
		"other name": "redis_version:7.2.4\r\nserver_name:imitation\r\n",
		"no version": "hello:1\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			srv := everything()
			srv.info = info
			_, err := Rewrite(srv.start(t), load(t, fakeTranscript))
			require.Error(t, err)
		})
	}
}

func TestRewriteChecksWhatIsWrittenByHand(t *testing.T) {
	for name, body := range map[string]string{
		"regex":      "# regex\n> GET k\n\"[a-c]\"\n",
		"eventually": "# eventually\n> QUIT\nOK\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.txt")
			text := "# case: a\n" + body
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			_, err := Rewrite(everything().start(t), load(t, path))
			require.Error(t, err)
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, text, string(got), "the file stays as it was")
		})
	}
}

func TestConfigIsRestored(t *testing.T) {
	srv := everything()
	srv.replies["CONFIG GET hz"] = []string{"*2\r\n$2\r\nhz\r\n$2\r\n10\r\n", "*2\r\n$2\r\nhz\r\n$2\r\n50\r\n"}
	f, err := Parse("x.txt", "# case: a\n> CONFIG SET hz 50\nOK\n")
	require.NoError(t, err)
	Run(t, srv.start(t), []*File{f}, Options{Resp: 2})
	require.Equal(t, []string{"INFO server", "FLUSHALL", "SCRIPT", "FUNCTION", "CONFIG GET hz", "CONFIG SET hz 50", "CONFIG GET hz", "CONFIG SET hz 10"}, srv.log)
}

// A parameter that is as it was is left alone: setting it may be an error.
func TestConfigThatDidNotChangeStays(t *testing.T) {
	srv := everything()
	f, err := Parse("x.txt", "# case: a\n> CONFIG SET hz x\n(error) ERR unknown command 'CONFIG SET hz x'\n")
	require.NoError(t, err)
	Run(t, srv.start(t), []*File{f}, Options{Resp: 2})
	require.Equal(t, []string{"INFO server", "FLUSHALL", "SCRIPT", "FUNCTION", "CONFIG GET hz", "CONFIG SET hz x", "CONFIG GET hz"}, srv.log)
}

func TestArgumentsOfTheMoment(t *testing.T) {
	srv := everything()
	f, err := Parse("x.txt", "# case: a\n# regex\n> A {id 2} {id}\n.*\n# regex\n2> B {addr 2} {laddr} '{id' {id}\n.*\n")
	require.NoError(t, err)
	addr := srv.start(t)
	Run(t, addr, []*File{f}, Options{Resp: 2})
	require.Contains(t, srv.log, "A 7 7")
	last := strings.Fields(srv.log[len(srv.log)-1])
	require.Equal(t, []string{"B", addr, "{id", "7"}, append(last[:1:1], last[2:]...))
	require.Regexp(t, `^127\.0\.0\.1:\d+$`, last[1])
	require.NotEqual(t, addr, last[1])
}

func TestServerWithAPassword(t *testing.T) {
	srv := everything()
	srv.replies["AUTH secret"] = []string{"+OK\r\n"}
	f, err := Parse("x.txt", "# server: --hz 50 --requirepass secret\n# case: a\n> GET k\n\"v\"\n")
	require.NoError(t, err)
	require.Equal(t, []string{"--hz", "50", "--requirepass", "secret"}, f.Args)
	Run(t, srv.start(t), []*File{f}, Options{Resp: 2})
	require.Equal(t, []string{"AUTH secret", "INFO server", "FLUSHALL", "SCRIPT", "FUNCTION", "GET k"}, srv.log)
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"> GET k\n", "x.txt:1: step before the first case"},
		{"# case: a\nOK\n", "x.txt:2: expectation without a step"},
		{"# case: a\n> GET k\n\nOK\n", "x.txt:4: expectation without a step"},
		{"# case: a\n> GET k\n## why\nOK\n", "x.txt:4: expectation without a step"},
		{"# case: a\n# case: a\n", `x.txt:2: there is another case "a"`},
		{"# case: a\n# unorderd\n", "x.txt:2: unknown or misplaced directive"},
		{"# case: a\n# colour: red\n", "x.txt:2: unknown directive"},
		{"# case: a\n> GET k\n# since: 7.4\n", "x.txt:3: unknown or misplaced directive"},
		{"# case: a\n# server: --hz 10\n", "x.txt:2: unknown directive"},
		{"# server: \"--hz\n", "x.txt:1: unbalanced quotes"},
		{"# case: a\n> GET {id x}\n", "x.txt:2: invalid generator"},
		{"# case: a\n# since: new\n", "x.txt:2: unknown directive"},
		{"# case: a\n# skip-modes: resp4\n", "x.txt:2: unknown mode"},
		{"# case: a\n# approx x\n", "x.txt:2: invalid directive"},
		{"# case: a\n> GET k\n\n# resp3:\n", "x.txt:4: alternative without a step"},
		{"# case: a\n> GET k\nOK\n# resp3:\nOK\n# resp3:\nOK\n", "x.txt:6: the same alternative twice"},
		{"# case: a\n> GET \"k\n", "x.txt:2: unbalanced quotes"},
		{"# case: a\n> GET 'k\n", "x.txt:2: unbalanced quotes"},
		{"# case: a\n> GET \"\\xzz\"\n", "x.txt:2: invalid escape"},
		{"# case: a\n> GET {repeat a\n", "x.txt:2: generator {repeat is not closed"},
		{"# case: a\n> GET {repeat a b}\n", "x.txt:2: invalid count"},
		{"# case: a\n> GET {each a b}\n", "x.txt:2: invalid generator"},
		{"# case: a\n> GET {each a 1 99999999}\n", "x.txt:2: invalid range"},
		{"# case: a\n> GET {repeat a 2}b\n", "x.txt:2: no space after an argument"},
		{"# case: a\n>\n", "x.txt:2: wrong number of arguments"},
		{"# case: a\n1< x\n", "x.txt:2: wrong number of arguments"},
		{"# case: a\n!> a b\n", "x.txt:2: wrong number of arguments"},
		{"# case: a\n99999> a b\n", "x.txt:2: invalid client number"},
		{"# case: a\n# unordered\n", "x.txt: ends in a directive"},
	} {
		_, err := Parse("x.txt", tc.text)
		require.ErrorContains(t, err, tc.want, "%q", tc.text)
	}
}

func TestSplitArgs(t *testing.T) {
	for line, want := range map[string][]string{
		`SET k v`:                  {"SET", "k", "v"},
		`  SET   k  `:              {"SET", "k"},
		`"" ''`:                    {"", ""},
		`"a b" 'c "d'`:             {"a b", `c "d`},
		`"\x00\xfF\n\r\t\b\a\\\""`: {"\x00\xff\n\r\t\b\a\\\""},
		`a"b"c`:                    {"abc"},
		`{tag}key {repeat}`:        {"{tag}key", "{repeat}"},
		`{repeat ab 3} x`:          {"ababab", "x"},
		`{repeat "\x00 " 2}`:       {"\x00 \x00 "},
		`{repeat a 0}`:             {""},
		`{id 2} {addr} {laddr 1}`:  {"{id 2}", "{addr}", "{laddr 1}"},
		`{each k:%d 9 11}`:         {"k:9", "k:10", "k:11"},
		`{pairs k:%d v%d 1 2} z`:   {"k:1", "v1", "k:2", "v2", "z"},
	} {
		got, err := splitArgs(line)
		require.NoError(t, err, line)
		require.Equal(t, want, got, line)
	}
}

func TestExpectPicksTheBlock(t *testing.T) {
	f, err := Parse("x.txt", "# case: a\n> X\nbase\n# resp3:\nbase3\n# from 7.4:\nnew\n# from 7.10 resp3:\nnewer3\n# from 7.2:\nmiddle\n")
	require.NoError(t, err)
	s := f.Cases[0].steps[0]
	for _, tc := range []struct {
		version string
		resp    int
		want    string
	}{
		{"7.0.15", 2, "base"}, {"7.0.15", 3, "base3"}, {"7.2.0", 2, "middle"}, {"7.2.5", 3, "middle"},
		{"7.4.1", 3, "new"}, {"7.10.0", 2, "new"}, {"7.10.0", 3, "newer3"}, {"8.0", 3, "newer3"},
	} {
		got, ok := s.expect(tc.version, tc.resp)
		require.True(t, ok)
		require.Equal(t, []string{tc.want}, got, "%s RESP%d", tc.version, tc.resp)
	}
}

func TestMatches(t *testing.T) {
	lines := func(s string) []string { return strings.Split(s, "\n") }
	approx := &step{modifiers: modifiers{approx: 2}}
	require.True(t, approx.matches(lines("(integer) 10\n\"a 1.5\""), lines("(integer) 12\n\"a -0.5\"")))
	require.False(t, approx.matches(lines("(integer) 10"), lines("(integer) 13")))
	require.False(t, approx.matches(lines("(integer) 10"), lines("\"10\"")))
	require.False(t, approx.matches(lines("1) a"), lines("1) a\n2) b")))
	regex := &step{modifiers: modifiers{regex: true}}
	require.True(t, regex.matches(lines("1\\) .*\n2\\) b"), lines("1) x\n2) b")))
	require.True(t, regex.matches(lines(".*"), lines("1) x\n2) b")))
	require.False(t, regex.matches(lines("b"), lines("abc")))
	require.False(t, regex.matches(lines("("), lines("(")))
}

// What render writes must be told apart by kind, and must not be read as anything but an expectation.
func TestRenderIsUnambiguous(t *testing.T) {
	seen := map[string]string{}
	for _, wire := range []string{
		"+OK\r\n", "+\r\n", "+1\r\n", "+> x\r\n", "+# x\r\n", "+(nil)\r\n", "+(integer) 1\r\n", "+\"a\"\r\n", "+a \r\n", "+1) a\r\n", "+héé\r\n",
		"-ERR x\r\n", "-\"a\"\r\n", ":1\r\n", "$1\r\n1\r\n", "$2\r\nOK\r\n", "$-1\r\n", "$0\r\n\r\n", "$5\r\n(nil)\r\n", "$2\r\n\\n\r\n", "$1\r\n\n\r\n",
		"*-1\r\n", "*0\r\n", "~0\r\n", "%0\r\n", ">0\r\n", "*1\r\n:1\r\n", "~1\r\n:1\r\n", "%1\r\n:1\r\n:2\r\n", ">1\r\n:1\r\n", "*2\r\n:1\r\n:2\r\n",
		"*1\r\n*1\r\n:1\r\n", "*1\r\n%1\r\n:1\r\n*2\r\n:1\r\n:2\r\n", "*2\r\n*1\r\n:1\r\n:2\r\n", "*1\r\n*2\r\n:1\r\n:2\r\n",
		",1\r\n", "#t\r\n", "#f\r\n", "(1\r\n", "=5\r\ntxt:a\r\n", "!1\r\na\r\n",
		"$300\r\n" + strings.Repeat("a", 300) + "\r\n", "$300\r\n" + strings.Repeat("ab", 150) + "\r\n", "$300\r\n" + strings.Repeat("ba", 150) + "\r\n",
	} {
		v, err := readReply(bufio.NewReader(strings.NewReader(wire)))
		require.NoError(t, err, "%q", wire)
		lines := render(v, form{resp: 2})
		text := strings.Join(lines, "\n")
		require.NotContains(t, seen, text, "%q and %q", wire, seen[text])
		seen[text] = wire
		f, err := Parse("x", "# case: a\n> X\n"+text+"\n")
		require.NoError(t, err)
		require.Equal(t, lines, f.Cases[0].steps[0].wants[0].lines, "%q", wire)
	}
}

func TestReadReplyErrors(t *testing.T) {
	for _, wire := range []string{"", "+OK", "+OK\n", "\r\n", "?1\r\n", "$x\r\n", "$-2\r\n", "$3\r\nab\r\n", "$1\r\nabc", "*x\r\n", "*2\r\n:1\r\n", "*99999999999\r\n", "$99999999999\r\n"} {
		_, err := readReply(bufio.NewReader(strings.NewReader(wire)))
		require.Error(t, err, "%q", wire)
	}
}
