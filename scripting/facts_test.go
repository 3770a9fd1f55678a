package scripting

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
)

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
		s := plain([]any(v)).([]any)
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

// TestSpecsAreAsRedis compares what COMMAND says about the commands of this package with what Redis 7.4.1 says.
func TestSpecsAreAsRedis(t *testing.T) {
	s := newTestServer(t, nil)
	s.proto = 3
	k := s.connect()
	ask := func(words ...string) any {
		v, _, err := resp.ReadReply([]byte(k.do(words...)))
		require.NoError(t, err)
		return v
	}
	f, err := os.Open("../datatypes/command/testdata/command_facts.jsonl")
	require.NoError(t, err)
	defer f.Close()
	compared := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line struct{ Name string }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		top, _, _ := strings.Cut(line.Name, "|")
		if top != "script" && top != "function" && !strings.HasPrefix(top, "eval") && !strings.HasPrefix(top, "fcall") {
			continue
		}
		compared++
		t.Run(line.Name, func(t *testing.T) {
			info := ask("COMMAND", "INFO", line.Name).([]any)[0].([]any)
			docs := plain(ask("COMMAND", "DOCS", line.Name)).(map[string]any)[line.Name].(map[string]any)
			keys := []any{}
			for _, key := range info[8].(resp.Set) {
				spec := plain(key).(map[string]any)
				delete(spec, "notes")
				keys = append(keys, spec)
			}
			tips := []any{}
			for _, tip := range info[7].(resp.Set) {
				tips = append(tips, tip)
			}
			all := map[string]any{
				"name": info[0], "arity": info[1], "flags": plain(info[2]), "range": info[3:6], "categories": plain(info[6]), "tips": tips, "keys": keys,
			}
			for _, field := range []string{"since", "group", "doc_flags", "deprecated_since", "replaced_by", "arguments"} {
				if v, ok := docs[field]; ok {
					all[field] = v
				}
			}
			got, err := json.Marshal(all)
			require.NoError(t, err)
			require.JSONEq(t, lines.Text(), string(got))
		})
	}
	require.Equal(t, 23, compared)
}
