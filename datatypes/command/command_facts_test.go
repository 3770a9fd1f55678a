package command

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
)

// testdata/command_facts.jsonl holds what Redis 7.4.1 replied to COMMAND and COMMAND DOCS: one command or subcommand per
// line, without prose, sets sorted.

// recordedFacts returns the facts by full name.
func recordedFacts(t testing.TB) map[string]json.RawMessage {
	f, err := os.Open("testdata/command_facts.jsonl")
	require.NoError(t, err)
	defer f.Close()
	facts := map[string]json.RawMessage{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line struct{ Name string }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		facts[line.Name] = slices.Clone(lines.Bytes())
	}
	require.NotEmpty(t, facts)
	return facts
}

// tableReply runs one command against the table alone and decodes its reply.
func tableReply(t testing.TB, table *Table, proto int, args ...string) any {
	argv := make([][]byte, len(args))
	for i, a := range args {
		argv[i] = []byte(a)
	}
	w := &resp.Writer{Proto: proto}
	spec, errText := table.Resolve(argv)
	if errText != "" {
		return resp.Error(errText)
	}
	c := &Ctx{Reply: w}
	c.Bind(table, nil)
	c.Begin(spec, argv, 0, 0)
	spec.Run(c)
	v, n, err := resp.ReadReply(w.Buf)
	require.NoError(t, err)
	require.Equal(t, len(w.Buf), n, "exactly one reply")
	return v
}

// plain turns a RESP3 reply into what encoding/json makes of the facts.
func plain(v any) any {
	switch v := v.(type) {
	case resp.Map:
		m := map[string]any{}
		for i := 0; i < len(v); i += 2 {
			m[v[i].(string)] = plain(v[i+1])
		}
		return m
	case resp.Set:
		s := make([]any, len(v))
		for i := range v {
			s[i] = plain(v[i])
		}
		slices.SortFunc(s, func(a, b any) int {
			x, _ := json.Marshal(a)
			y, _ := json.Marshal(b)
			return bytes.Compare(x, y)
		})
		return s
	case []any:
		a := make([]any, len(v))
		for i := range v {
			a[i] = plain(v[i])
		}
		return a
	case resp.Status:
		return string(v)
	default:
		return v
	}
}

// infoAndDocs asks table about a command and arranges the answers as the facts are.
func infoAndDocs(t testing.TB, table *Table, name string) map[string]any {
	info := tableReply(t, table, 3, "COMMAND", "INFO", name).([]any)[0].([]any)
	docs := plain(tableReply(t, table, 3, "COMMAND", "DOCS", name)).(map[string]any)[name].(map[string]any)
	keys := []any{}
	for _, k := range info[8].(resp.Set) {
		spec := plain(k).(map[string]any)
		delete(spec, "notes")
		keys = append(keys, spec)
	}
	tips := []any{}
	for _, tip := range info[7].(resp.Set) {
		tips = append(tips, tip)
	}
	all := map[string]any{
		"name": info[0], "arity": info[1], "flags": plain(info[2]), "range": info[3:6],
		"categories": plain(info[6]), "tips": tips, "keys": keys,
	}
	for _, field := range []string{"since", "group", "doc_flags", "deprecated_since", "replaced_by", "arguments"} {
		if v, ok := docs[field]; ok {
			all[field] = v
		}
	}
	return all
}

// TestBuiltinIsAsRedis compares every command we have with what Redis says about it.
func TestBuiltinIsAsRedis(t *testing.T) {
	facts := recordedFacts(t)
	table := NewTable(Builtin())
	for _, s := range table.All() {
		fact, ok := facts[s.FullName]
		if !ok {
			continue // a command of our own
		}
		t.Run(s.FullName, func(t *testing.T) {
			got, err := json.Marshal(infoAndDocs(t, table, s.FullName))
			require.NoError(t, err)
			require.JSONEq(t, string(fact), string(got))
		})
	}
}
