package actors

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

// TestCommandsAreAsRedis compares what COMMAND says about the commands of this package with what Redis 7.4.1 says; see
// the test of the same purpose in package command.
func TestCommandsAreAsRedis(t *testing.T) {
	facts := make(map[string]json.RawMessage)
	f, err := os.Open("../datatypes/command/testdata/command_facts.jsonl")
	require.NoError(t, err)
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line struct{ Name string }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		facts[line.Name] = slices.Clone(lines.Bytes())
	}
	require.NotEmpty(t, facts)

	ts := newTestServer(t, 2)
	c := ts.connect()
	c.run("HELLO 3")
	for _, s := range ts.table.All() {
		fact, there := facts[s.FullName]
		if !there {
			continue // a command of our own
		}
		info := c.run("COMMAND INFO " + s.FullName).([]any)[0].([]any)
		docs := plainJSON(c.run("COMMAND DOCS " + s.FullName)).(map[string]any)[s.FullName].(map[string]any)
		keys := []any{}
		for _, k := range info[8].(resp.Set) {
			spec := plainJSON(k).(map[string]any)
			delete(spec, "notes")
			keys = append(keys, spec)
		}
		all := map[string]any{
			"name": info[0], "arity": info[1], "flags": plainJSON(info[2]), "range": info[3:6],
			"categories": plainJSON(info[6]), "tips": append([]any{}, info[7].(resp.Set)...), "keys": keys,
		}
		for _, field := range []string{"since", "group", "doc_flags", "deprecated_since", "replaced_by", "arguments"} {
			if v, has := docs[field]; has {
				all[field] = v
			}
		}
		got, err := json.Marshal(all)
		require.NoError(t, err)
		require.JSONEq(t, string(fact), string(got), s.FullName)
	}
}

// plainJSON turns a reply into what encoding/json makes of the facts: maps, and sets in order.
func plainJSON(v any) any {
	switch v := v.(type) {
	case resp.Map:
		m := make(map[string]any)
		for i := 0; i < len(v); i += 2 {
			m[v[i].(string)] = plainJSON(v[i+1])
		}
		return m
	case resp.Set:
		s := make([]any, len(v))
		for i := range v {
			s[i] = plainJSON(v[i])
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
			a[i] = plainJSON(v[i])
		}
		return a
	case resp.Status:
		return string(v)
	default:
		return v
	}
}
