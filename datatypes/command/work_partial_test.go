package command

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPossibleWorkIsNeverHeavy hides words of random commands on large values and requires that those which pass for
// limited are never heavy.
func TestPossibleWorkIsNeverHeavy(t *testing.T) {
	s := newTestCtx(t, 1)
	n := heavyElements + 500
	s.zsetFill("z", n)
	for i := 1; i <= n; i++ {
		s.do("XADD", "x", fmt.Sprintf("%d-0", i), "f", "v")
		s.do("RPUSH", "l", strconv.Itoa(i))
		s.do("SADD", "s", "m"+strconv.Itoa(i))
	}
	keys := map[string]string{
		"lpop": "l", "rpop": "l", "lrange": "l", "spop": "s", "srandmember": "s", "xadd": "x", "zpopmin": "z", "zpopmax": "z",
		"zrandmember": "z", "zrange": "z", "zrevrange": "z", "zrangebyscore": "z", "zrevrangebyscore": "z", "zrangebylex": "z",
		"zrevrangebylex": "z",
	}
	options := []string{"BYSCORE", "BYLEX", "REV", "LIMIT", "WITHSCORES", "MAXLEN", "MINID", "NOMKSTREAM", "~", "=", "*", "-", "+",
		"-inf", "+inf", "0", "1", "5", "99", "250", "300", "5000", "-1", "-5", "-99", "-5000", "9223372036854775807",
		"-9223372036854775808", "x"}
	rng := rand.New(rand.NewPCG(7, 11))
	limited, heavy := map[string]int{}, map[string]int{}
	for name, key := range keys {
		spec := s.Table().Lookup([]byte(name))
		for range 20000 {
			words := []string{name, key}
			for range max(spec.Arity, -spec.Arity) - 2 + rng.IntN(2) + rng.IntN(2)*rng.IntN(5) {
				words = append(words, options[rng.IntN(len(options))])
			}
			if !spec.ArityOK(len(words)) {
				continue
			}
			var p Partial
			for i, text := range words {
				w := Word{Kind: WordLiteral, Text: []byte(text)}
				if _, err := strconv.Atoi(text); i > 0 && rng.IntN(5) == 0 {
					w = Word{}
					if err == nil && rng.IntN(2) == 0 {
						w.Kind = WordNumber
					}
				}
				p.Words = append(p.Words, w)
			}
			is := s.heavy(strings.Join(words, " "))
			if is {
				heavy[name]++
			}
			if _, ok := spec.PossibleWork(p); ok {
				limited[name]++
				require.False(t, is, "%q of which only %v are known", words, p.Words)
			}
		}
		require.NotZero(t, limited[name], name)
		if name != "lrange" && name != "zrandmember" { // those are walks or need larger numbers
			require.NotZero(t, heavy[name], name)
		}
	}
}

func TestPossibleWork(t *testing.T) {
	table := NewTable(Builtin())
	for line, want := range map[string]int{ // -1: no limit
		"GET k":  1,
		"LPOP k": 1, "LPOP k 10": 10, "LPOP k 1000": -1, "LPOP k ?": -1, "LPOP k x": 0, "LPOP k ...": -1,
		"ZPOPMIN k": 1, "SPOP k 3": 3, "SRANDMEMBER k -3": -1,
		"LRANGE k 0 9": 10, "LRANGE k -3 -1": 3, "LRANGE k 0 -1": -1, "LRANGE k 5 1": 0, "LRANGE k 0 #": -1,
		"LRANGE k -9223372036854775808 -1": -1, "LRANGE k 0 9223372036854775807": -1,
		"ZRANGE k 0 0": 1, "ZRANGE k 0 0 WITHSCORES": 1, "ZRANGE k 0 0 BYSCORE": -1, "ZRANGE k 0 0 ?": -1,
		"ZRANGE k ? ? BYSCORE LIMIT 0 5": 5, "ZRANGE k ? ? BYSCORE LIMIT # 5 REV": 5, "ZRANGE k ? ? BYSCORE LIMIT 0 -1": -1,
		"ZRANGE k ? ? BYSCORE LIMIT 0 5 LIMIT 0 ?": -1, "ZRANGE k ? ? LIMIT 0 5": -1,
		"ZRANGEBYSCORE k ? ? LIMIT 0 100": 100, "ZRANGEBYSCORE k ? ?": -1, "ZRANGEBYSCORE k ? ? LIMIT 0": -1,
		"ZREVRANGE k 0 9": 10, "ZRANGESTORE d k 0 1": -1,
		"XADD k * f v": 1, "XADD k ? f v": -1, "XADD k NOMKSTREAM * f v": 1, "XADD k MAXLEN 5 * f v": -1,
		"GETRANGE k 0 ?": 1, "HGETALL k": -1, "LREM k 0 x": -1,
		"SADD k ?": 1, "SADD k ...": -1,
	} {
		var p Partial
		for _, w := range strings.Fields(line) {
			switch w {
			case "?":
				p.Words = append(p.Words, Word{})
			case "#":
				p.Words = append(p.Words, Word{Kind: WordNumber})
			case "...":
				p.Open = true
			default:
				p.Words = append(p.Words, Word{Kind: WordLiteral, Text: []byte(w)})
			}
		}
		spec := table.Lookup(p.Words[0].Text)
		elements, limited := spec.PossibleWork(p)
		if !limited {
			elements = -1
		}
		require.Equal(t, want, elements, line)
	}
}
