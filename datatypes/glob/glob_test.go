package glob

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", false}, // as Redis: only the empty pattern matches the empty string
		{"**", "", false},
		{"*", "abc", true},
		{"a*", "a", true},
		{"a**", "a", true},
		{"a*c", "abbbc", true},
		{"a*c", "abbb", false},
		{"*a*", "bab", true},
		{"a*b*c", "a1b2b3c", true},
		{"?", "", false},
		{"?", "a", true},
		{"?", "ab", false},
		{"h?llo", "hello", true},
		{"h[ae]llo", "hallo", true},
		{"h[ae]llo", "hillo", false},
		{"h[^e]llo", "hallo", true},
		{"h[^e]llo", "hello", false},
		{"[a-c]", "b", true},
		{"[c-a]", "b", true},
		{"[a-c]", "d", false},
		{"[]", "]", false},
		{"[]]", "]", false},
		{"[^]", "x", true},
		{"[^]x", "yx", true},
		{"[^", "x", true},
		{"[", "x", false},
		{"[", "[", false},
		{"[abc", "b", true},
		{"[abc", "d", false},
		{"[a-", "-", true},
		{"[a-]", "]", true}, // range a..], left open
		{"[a-]", "b", false},
		{`[\]]`, "]", true},
		{`[\a-z]`, "m", false}, // an escaped byte does not open a range
		{`[\a-z]`, "-", true},
		{`\*`, "*", true},
		{`\*`, "a", false},
		{`\[a]`, "[a]", true},
		{`\`, `\`, true},
		{`a\`, `a\`, true},
		{`\\`, `\`, true},
		{`[\`, `\`, true},
		{"user:*:name", "user:1:name", true},
		{"user:*:name", "user:1:2:name", true},
		{"user:*:name", "user::names", false},
		{"*[0-9]", "abc7", true},
		{"*[0-9]x", "7a7x", true},
		{"A", "a", false},
		{"\x00*\xff", "\x00ab\xff", true},
	} {
		t.Run(fmt.Sprintf("%q~%q", c.pattern, c.s), func(t *testing.T) {
			require.Equal(t, c.want, MatchString(c.pattern, c.s, false))
			require.Equal(t, c.want, Match([]byte(c.pattern), []byte(c.s), false))
			require.Equal(t, c.want, naive(c.pattern, c.s, false))
		})
	}
}

func TestMatchNoCase(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"MAX*", "maxmemory", true},
		{"max*", "MaxMemory", true},
		{"[M]ax", "max", true},
		{"[A-Z]", "q", true},
		{"[a-z]", "Q", true},
		{"[Z-a]", "t", false},
		{"[t-T]", "t", true},
		{`\M`, "m", true},
		{"[^M]", "m", false},
		{"{", "[", false},
	} {
		require.Equal(t, c.want, MatchString(c.pattern, c.s, true), "%q ~ %q", c.pattern, c.s)
		require.Equal(t, c.want, naive(c.pattern, c.s, true), "%q ~ %q", c.pattern, c.s)
	}
}

func TestMatchNilSlices(t *testing.T) {
	require.True(t, Match(nil, nil, false))
	require.False(t, Match(nil, []byte("a"), false))
	require.False(t, Match([]byte("*"), nil, false))
}

func TestHasMeta(t *testing.T) {
	for s, want := range map[string]bool{"": false, "port": false, "p*": true, "p?": true, "p[o]": true, `p\o`: false, "]": false} {
		require.Equal(t, want, HasMeta(s), s)
	}
}

// TestManyStars would not return within the life of the test process if a star multiplied the work of the stars before it.
func TestManyStars(t *testing.T) {
	s := strings.Repeat("a", 50_000)
	require.False(t, MatchString(strings.Repeat("a*", 200)+"b", s, false))
	require.True(t, MatchString(strings.Repeat("a*", 200), s, false))
	require.False(t, MatchString(strings.Repeat("*[^b]", 200)+"b", s, false))
}

func TestMatchDoesNotAllocate(t *testing.T) {
	pattern, s := []byte("user:*:[a-z]?me"), []byte("user:12345:name")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if !Match(pattern, s, false) {
			t.Fatal("no match")
		}
	}))
}

// naive is the definition of the language by recursion, used as the reference.
func naive(pattern, s string, nocase bool) bool {
	if s == "" {
		return pattern == ""
	}
	return naiveTail(pattern, s, nocase)
}

func naiveTail(pattern, s string, nocase bool) bool {
	if pattern == "" {
		return s == ""
	}
	if pattern[0] == '*' {
		return naiveTail(pattern[1:], s, nocase) || s != "" && naiveTail(pattern, s[1:], nocase)
	}
	if s == "" {
		return false
	}
	width, set := naiveElement(pattern, nocase)
	return set[naiveFold(s[0], nocase)] && naiveTail(pattern[width:], s[1:], nocase)
}

func naiveFold(c byte, nocase bool) byte {
	if nocase {
		return []byte(strings.ToLower(string(rune(c))))[0]
	}
	return c
}

// naiveElement spells out which bytes the first element of pattern stands for.
func naiveElement(pattern string, nocase bool) (width int, set [256]bool) {
	add := func(c byte) { set[naiveFold(c, nocase)] = true }
	switch {
	case pattern[0] == '?':
		for c := range set {
			set[c] = true
		}
		return 1, set
	case pattern[0] == '\\' && len(pattern) > 1:
		add(pattern[1])
		return 2, set
	case pattern[0] != '[':
		add(pattern[0])
		return 1, set
	}
	rest := pattern[1:]
	negated := strings.HasPrefix(rest, "^")
	rest = strings.TrimPrefix(rest, "^")
	for rest != "" && rest[0] != ']' {
		switch {
		case len(rest) >= 2 && rest[0] == '\\':
			add(rest[1])
			rest = rest[2:]
		case len(rest) >= 3 && rest[1] == '-':
			lo, hi := min(rest[0], rest[2]), max(rest[0], rest[2])
			for c := int(naiveFold(lo, nocase)); c <= int(naiveFold(hi, nocase)); c++ {
				set[c] = true
			}
			rest = rest[3:]
		default:
			add(rest[0])
			rest = rest[1:]
		}
	}
	rest = strings.TrimPrefix(rest, "]")
	if negated {
		for c := range set {
			set[c] = !set[c]
		}
	}
	return len(pattern) - len(rest), set
}

func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"a*b*c", "a1b2b3c"}, {"[^a-c]*", "dab"}, {`\[*\]`, "[x]"}, {"[a-", "-"}, {"[]a]", "a]"}, {"[z-A]", "Q"},
		{"*a*a*a", "aaab"}, {"?*?", "ab"}, {"**", ""}, {"[\\", "\\"}, {"[^\\]-z]x", "yx"},
	} {
		f.Add(seed[0], seed[1], false)
		f.Add(seed[0], seed[1], true)
	}
	f.Fuzz(func(t *testing.T, pattern, s string, nocase bool) {
		if strings.Count(pattern, "*") > 5 || len(pattern) > 64 || len(s) > 64 {
			t.Skip("the reference takes exponential time")
		}
		for _, c := range []byte(pattern + s) {
			if c >= 0x80 {
				t.Skip("the reference folds case by rune")
			}
		}
		require.Equal(t, naive(pattern, s, nocase), MatchString(pattern, s, nocase), "%q ~ %q nocase=%v", pattern, s, nocase)
	})
}

func BenchmarkMatch(b *testing.B) {
	for _, c := range []struct{ name, pattern, s string }{
		{"prefix", "user:*", "user:123456:profile"},
		{"middle", "*:profile", "user:123456:profile"},
		{"miss", "order:*", "user:123456:profile"},
		{"set", "user:[0-9]*", "user:123456:profile"},
	} {
		b.Run(c.name, func(b *testing.B) {
			p, s := []byte(c.pattern), []byte(c.s)
			for b.Loop() {
				Match(p, s, false)
			}
		})
	}
}
