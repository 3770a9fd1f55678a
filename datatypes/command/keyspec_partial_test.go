package command

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPossibleKeysCoverTheKeys hides words of random commands and requires that no key and no need for all shards is
// overlooked, of whatever command.
func TestPossibleKeysCoverTheKeys(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	options := []string{"a", "STREAMS", "STORE", "storedist", "KEYS", "BY", "GET", "#", "p*", "nosort", "LIMIT", "COUNT",
		"GROUP", "BLOCK", "NOACK", "0", "1", "2", "3", "9", "-1", "MIN", "x"}
	for _, s := range NewTable(Builtin()).All() {
		for range 3000 {
			n := max(s.Arity, -s.Arity)
			if s.Arity < 0 {
				n += rng.IntN(7)
			}
			args := make([][]byte, n)
			for i := range args {
				args[i] = []byte(options[rng.IntN(len(options))])
			}
			var p Partial
			for i, a := range args {
				w := Word{Kind: WordLiteral, Text: a}
				if i > 1 || i == 1 && s.Container == nil {
					if _, err := strconv.Atoi(string(a)); err == nil && rng.IntN(3) == 0 {
						w = Word{Kind: WordNumber}
					} else if rng.IntN(3) == 0 {
						w = Word{}
					}
				}
				p.Words = append(p.Words, w)
			}
			if n > 2 && rng.IntN(3) == 0 {
				p.Words, p.Open = p.Words[:2+rng.IntN(n-2)], true
			}
			positions, open, known := s.PossibleKeys(nil, p)
			if s.ScopeFunc != nil && s.ScopeFunc(args) == ScopeAllShards {
				require.Equal(t, ScopeAllShards, s.PossibleScope(p), "%s %q %v", s.FullName, args, p)
			}
			if !known {
				continue
			}
			for _, k := range s.AppendKeys(nil, args) {
				if k.Index >= len(p.Words) {
					require.True(t, open, "%s %q %v", s.FullName, args, p)
				} else {
					require.True(t, slices.Contains(positions, k.Index), "%s %q %v: %v", s.FullName, args, p, positions)
				}
			}
		}
	}
}

func TestPossibleKeys(t *testing.T) {
	table := NewTable(Builtin())
	unknown := []int(nil)
	for line, want := range map[string]struct {
		positions []int
		open      bool
	}{
		"get ?":                                 {[]int{1}, false},
		"set ? ? ?":                             {[]int{1}, false},
		"del ? ? ...":                           {[]int{1, 2}, true},
		"zunionstore ? 2 ? ? weights ?":         {[]int{1, 3, 4}, false},
		"zunionstore ? N ? ?":                   {[]int{1, 3, 4}, false},
		"zunionstore ? N ...":                   {[]int{1}, true},
		"lmpop 1 ? left":                        {[]int{2}, false},
		"mset ? ? ? ?":                          {[]int{1, 3}, false},
		"xread count ? streams ? ? ? ?":         {[]int{4, 5}, false},
		"xreadgroup group ? ? streams ? ?":      {[]int{5}, false},
		"xread ? ? streams a 0":                 {unknown, false},
		"georadius ? N N N m":                   {[]int{1}, false},
		"georadius ? N N N m store ?":           {[]int{1, 7}, false},
		"georadius ? N N N m ? b":               {[]int{1, 7, 7}, false},
		"sort ? limit N N store ?":              {unknown, false},
		"sort ? limit N N store b":              {[]int{1, 6}, false},
		"pfcount ...":                           {nil, true},
		"zadd ? ...":                            {[]int{1}, false},
		"bitfield ? ? ? ?":                      {[]int{1}, false},
		"zrangestore ? ? N N":                   {[]int{1, 2}, false},
		"zinterstore ? 1 ? aggregate max store": {[]int{1, 3}, false},
	} {
		var p Partial
		for _, w := range argv(line) {
			switch string(w) {
			case "?":
				p.Words = append(p.Words, Word{})
			case "N":
				p.Words = append(p.Words, Word{Kind: WordNumber})
			case "...":
				p.Open = true
			default:
				p.Words = append(p.Words, Word{Kind: WordLiteral, Text: w})
			}
		}
		positions, open, known := table.Lookup(p.Words[0].Text).PossibleKeys(nil, p)
		if !known {
			positions = unknown
		}
		require.Equal(t, want.positions, positions, line)
		require.Equal(t, want.open, open, line)
	}
}
