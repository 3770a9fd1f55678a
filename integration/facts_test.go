package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The recorded facts are sessions with Redis 7.4.1 that show what came after our oracle, Redis 7.0: one command a line with
// its reply in RESP2 and, where that differs, in RESP3. They lie beside the checkout.
//
//	{"cmd": "HGET h f1", "resp2": null, "resp3": {"null": true}}
//	{"sleep_ms": 120}
//
// A number or string stands for itself, an array for an array; what else there is has a name: simple, error, null, nullarray,
// map (pairs), double.
const factsDir = "../../shared/reference/redis-7.4.1"

// factsLater lists the commands that the server is to learn yet. A command that it knows must not stand here, nor may one be unknown
// that does not.
var factsLater = []string{"CLUSTER", "RESTORE"}

// factsTogether lists commands that the server learns group by group: it knows all of a group or none.
var factsTogether = [][]string{
	{"DISCARD", "EXEC", "MULTI", "WATCH"},
	{"EVAL", "EVALSHA", "SCRIPT"},
	{"FCALL", "FCALL_RO", "FUNCTION"},
}

// factsLoosely tells how to compare replies that depend on time or chance, or are our own.
var factsLoosely = map[string]func(want, got any) bool{
	"HGETALL h":                     samePairs,                                                     // the order depends on deadlines in the same millisecond or not
	"HPEXPIRETIME h FIELDS 2 f2 f1": func(want, got any) bool { return first(want) == first(got) }, // the other one is now + 100 s
	"CONFIG GET maxmemory*":         samePairs,
	"CONFIG GET set-max-*":          samePairs,
	"CONFIG GET *listpack*":         samePairs,
	"MEMORY USAGE hs":               positive,   // what a value takes is our own affair
	"OBJECT HELP":                   sameTopics, // the explanations are in our own words
}

type fact struct {
	Cmd     string `json:"cmd"`
	SleepMs int    `json:"sleep_ms"`
	Resp2   any    `json:"resp2"`
	Resp3   any    `json:"resp3"`
	differs bool   // there is a reply in RESP3
}

func readFacts(t *testing.T, name string) (facts []fact) {
	t.Helper()
	f, err := os.Open(filepath.Join(factsDir, name))
	require.NoError(t, err, "the recorded facts belong beside the checkout")
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var one fact
		decode := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decode.UseNumber()
		require.NoError(t, decode.Decode(&one), lines.Text())
		one.differs = bytes.Contains(lines.Bytes(), []byte(`, "resp3": `))
		facts = append(facts, one)
	}
	require.NotEmpty(t, facts)
	return facts
}

// TestFacts replays the recorded sessions, each in either protocol and on a server of its own.
func TestFacts(t *testing.T) {
	for _, name := range []string{"since72.jsonl", "since74.jsonl"} {
		facts := readFacts(t, name)
		for _, proto := range []string{"2", "3"} {
			t.Run(strings.TrimSuffix(name, ".jsonl")+" resp"+proto, func(t *testing.T) {
				replayFacts(t, startTroupe(t).Addr, facts, proto)
			})
		}
	}
}

func replayFacts(t *testing.T, addr string, facts []fact, proto string) {
	c := dialFacts(t, addr)
	c.do("HELLO", proto)
	known := map[string]bool{}
	for _, name := range array(c.do("COMMAND", "LIST")) {
		known[strings.ToUpper(name.(string))] = true
	}
	for _, name := range factsLater {
		require.False(t, known[name], "%s is known by now: take it from the list", name)
	}
	later := slices.Clone(factsLater)
	for _, group := range factsTogether {
		for _, name := range group {
			require.Equal(t, known[group[0]], known[name], "%s and %s come together", group[0], name)
		}
		if !known[group[0]] {
			later = append(later, group...)
		}
	}
	inMulti := false // in a transaction that the server cannot begin yet
	for _, f := range facts {
		if f.Cmd == "" {
			time.Sleep(time.Duration(f.SleepMs) * time.Millisecond)
			continue
		}
		args := splitFact(t, f.Cmd)
		name := strings.ToUpper(args[0])
		if slices.Contains(later, name) {
			inMulti = name == "MULTI" || inMulti && name != "EXEC" && name != "DISCARD"
			continue
		}
		if inMulti {
			continue
		}
		want := f.Resp2
		if proto == "3" && f.differs {
			want = f.Resp3
		}
		got := c.do(args...)
		require.NoError(t, c.err, f.Cmd)
		if same, ok := factsLoosely[f.Cmd]; ok {
			assert.True(t, same(want, got), "%s\nwant %v\ngot  %v", f.Cmd, want, got)
			continue
		}
		assert.Equal(t, want, got, f.Cmd)
	}
}

// splitFact splits a command as a shell does, as far as the facts need it: in quotes a backslash protects itself and quotes, and nothing else.
func splitFact(t *testing.T, line string) (args []string) {
	for _, m := range factWords.FindAllString(line, -1) {
		if strings.HasPrefix(m, `"`) {
			m = factEscape.ReplaceAllString(m[1:len(m)-1], "$1")
		}
		args = append(args, m)
	}
	require.NotEmpty(t, args, line)
	return args
}

var (
	factWords  = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\S+`)
	factEscape = regexp.MustCompile(`\\(["\\])`)
)

// factsConn is a connection whose replies have the form of the facts.
type factsConn struct {
	conn net.Conn
	in   *bufio.Reader
	err  error
}

func dialFacts(t *testing.T, addr string) *factsConn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, wirePatience)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(wirePatience)))
	return &factsConn{conn: conn, in: bufio.NewReader(conn)}
}

func (c *factsConn) do(args ...string) any {
	out := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, a := range args {
		out = fmt.Appendf(out, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, c.err = c.conn.Write(out); c.err != nil {
		return nil
	}
	return c.reply()
}

func (c *factsConn) reply() any {
	line, err := c.in.ReadString('\n')
	if err != nil || len(line) < 3 {
		c.err = errors.Join(c.err, err, io.ErrUnexpectedEOF)
		return nil
	}
	kind, rest := line[0], line[1:len(line)-2]
	n, _ := strconv.Atoi(rest) // where it is a length
	switch kind {
	case '+':
		return map[string]any{"simple": rest}
	case '-':
		return map[string]any{"error": rest}
	case ':':
		return json.Number(rest)
	case ',':
		return map[string]any{"double": rest}
	case '_':
		return map[string]any{"null": true}
	case '$':
		if n < 0 {
			return nil
		}
		text := make([]byte, n+2)
		_, c.err = io.ReadFull(c.in, text)
		return latin1(text[:n])
	case '*':
		if n < 0 {
			return map[string]any{"nullarray": true}
		}
		return c.replies(n)
	case '~':
		return map[string]any{"set": c.replies(n)}
	case '%':
		pairs := make([]any, n)
		for i := range pairs {
			pairs[i] = c.replies(2)
		}
		return map[string]any{"map": pairs}
	}
	c.err = fmt.Errorf("unexpected reply %q", line)
	return nil
}

func (c *factsConn) replies(n int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = c.reply()
	}
	return all
}

// latin1 is how the facts write bytes that are no ASCII.
func latin1(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		s.WriteRune(rune(c))
	}
	return s.String()
}

// array returns the elements of a reply; those of a map are its pairs.
func array(v any) []any {
	if m, ok := v.(map[string]any); ok {
		v = m["map"]
	}
	all, _ := v.([]any)
	return all
}

func first(v any) any {
	if all := array(v); len(all) > 0 {
		return all[0]
	}
	return nil
}

// samePairs compares two maps, or flat arrays of pairs, whatever their order.
func samePairs(want, got any) bool { return slices.Equal(sortedPairs(want), sortedPairs(got)) }

func sortedPairs(v any) (pairs []string) {
	all := array(v)
	if _, isMap := v.(map[string]any); !isMap {
		if len(all)%2 != 0 {
			return []string{fmt.Sprint(v)}
		}
		for i := 0; i < len(all); i += 2 {
			pairs = append(pairs, fmt.Sprint(all[i:i+2]))
		}
	} else {
		for _, p := range all {
			pairs = append(pairs, fmt.Sprint(p))
		}
	}
	slices.Sort(pairs)
	return pairs
}

func positive(_, got any) bool {
	n, ok := got.(json.Number)
	return ok && !strings.HasPrefix(string(n), "-") && n != "0"
}

// sameTopics compares replies of HELP but for the explanations.
func sameTopics(want, got any) bool {
	topics := func(v any) (lines []string) {
		for _, line := range array(v) {
			if text := fmt.Sprint(line); !strings.Contains(text, ":    ") {
				lines = append(lines, text)
			}
		}
		return lines
	}
	return slices.Equal(topics(want), topics(got))
}
