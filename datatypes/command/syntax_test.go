package command

import (
	"bufio"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
)

// TestSyntaxOfRedis parses the syntax of every command of Redis, so that the notation is known to cover those that we
// do not have yet.
func TestSyntaxOfRedis(t *testing.T) {
	facts := recordedFacts(t)
	f, err := os.Open("testdata/command_syntax.txt")
	require.NoError(t, err)
	defer f.Close()
	count := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		require.Len(t, fields, 3, line)
		name, syntax := fields[0], fields[2]
		keySpecs, err := strconv.Atoi(fields[1])
		require.NoError(t, err)
		count++
		t.Run(name, func(t *testing.T) {
			args, err := parseSyntax(syntax, keySpecs)
			require.NoError(t, err)
			w := &resp.Writer{Proto: 3}
			writeArguments(w, args)
			v, _, err := resp.ReadReply(w.Buf)
			require.NoError(t, err)
			got, err := json.Marshal(plain(v))
			require.NoError(t, err)
			var want struct{ Arguments json.RawMessage }
			require.NoError(t, json.Unmarshal(facts[name], &want))
			require.JSONEq(t, string(want.Arguments), string(got))
		})
	}
	require.Greater(t, count, 250)
}

func TestSyntaxCountsWords(t *testing.T) {
	for syntax, want := range map[string]struct {
		least int
		more  bool
	}{
		"":                               {0, false},
		"key value":                      {2, false},
		"key [count:integer]":            {1, true},
		"key...":                         {1, true},
		"FIELDS fields:{n:integer f...}": {3, true},
		"LIMIT limit:{a b}":              {3, false},
		"x:<A|B>":                        {1, false},
		"x:<A|B b>":                      {1, true},
		"x:<A a|B b>":                    {2, false},
		"x:<[A a]|[B b]>":                {2, false},
		`k:<key|none:"">`:                {1, false},
		"flag:ON rest":                   {2, false},
		"ON rest":                        {2, false},
		"no-one:{NO ONE}":                {2, false},
	} {
		args, err := parseSyntax(syntax, 1)
		require.NoError(t, err, syntax)
		least, more := countWords(args)
		require.Equal(t, want.least, least, syntax)
		require.Equal(t, want.more, more, syntax)
	}
}

func TestSyntaxDetails(t *testing.T) {
	args, err := parseSyntax("[GET pattern:pattern#1(shown)@1.2.3@-4.5.6]... last:integer@7.0.0...", 2)
	require.NoError(t, err)
	require.Equal(t, []Argument{
		{
			Name: "pattern", Type: ArgPattern, Display: "shown", KeySpec: 1, Token: "GET", Since: "1.2.3",
			DeprecatedSince: "4.5.6", Optional: true, Multiple: true, MultipleToken: true,
		},
		{Name: "last", Type: ArgInteger, Display: "last", KeySpec: -1, Since: "7.0.0", Multiple: true},
	}, args)
}

func TestSyntaxMistakes(t *testing.T) {
	for syntax, want := range map[string]string{
		"a:number":      `unknown type "number"`,
		"a:<x>":         "no choice",
		"a:{}":          "empty",
		"a:{x":          `"}" expected`,
		"a:<x|y":        `">" expected`,
		"[a":            `"]" expected`,
		"a]":            `unexpected "]"`,
		"a:<x y|z>":     `">" expected`,
		"[a b]":         `"]" expected`,
		"[a]...":        "no token to repeat",
		"a@7":           "not a version",
		"a@1.2.x":       "not a version",
		`a:"x`:          "is missing",
		"a(b":           "is missing",
		"EX a:TOKEN":    "two tokens",
		"a:key#2":       "no key spec",
		"*":             "name expected",
		"key otherkey!": `name expected before "!"`,
	} {
		_, err := parseSyntax(syntax, 1)
		require.ErrorContains(t, err, want, syntax)
	}
	_, err := parseSyntax("key", 0)
	require.ErrorContains(t, err, "no key spec")
}
