package luastring

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"
)

func TestHugeResultsAreErrorsAtOnce(t *testing.T) {
	L := newState()
	defer L.Close()
	for _, script := range []string{
		"return string.rep('x', 2^31 - 1)",
		"return string.rep(string.rep('x', 1024), 2^20)",
	} {
		err := L.DoString(script)
		require.ErrorContains(t, err, "resulting string too large", script)
	}
}

func TestPatternBombsCanBeStopped(t *testing.T) {
	stop := errors.New("script killed")
	for _, script := range []string{
		"string.find(string.rep('a', 40), string.rep('a?', 40) .. string.rep('a', 40) .. 'b')",
		"string.match(string.rep('a', 3000), '.-.-.-.-b')",
		"string.gsub(string.rep('a', 3000), '(a*)*(a*)(a*)(a*)b', '')",
		"for w in string.gmatch(string.rep('(', 200000), '%b()') do end",
	} {
		L := lua.NewState()
		calls := 0
		L.SetGlobal("string", Open(L, func() error {
			if calls++; calls > 3 {
				return stop
			}
			return nil
		}))
		err := L.DoString(script)
		require.ErrorContains(t, err, stop.Error(), script)
		require.Equal(t, 4, calls)
		L.Close()
	}
}

func TestDeepPatternsAreTooComplex(t *testing.T) {
	m := &matcher{src: strings.Repeat("a", 50000), pat: strings.Repeat("a?", 50000)}
	require.Equal(t, noMatch, m.at(0, 0))
	require.EqualError(t, m.err, "pattern too complex")
}

func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"hello", "l+"}, {"f(a(b))", "%b()"}, {"THE fox", "%f[%a]%a+"}, {"k=v", "(%w+)=(%w+)"}, {"x", "[^]"}, {"aa", "(a)%1"},
		{"x", "%"}, {"x", "[a-%"}, {"x", "()"}, {"x", "%f["}, {"", "[%]"}, {"ab", "[a-]"},
	} {
		f.Add(seed[0], seed[1])
	}
	over := errors.New("enough")
	f.Fuzz(func(t *testing.T, src, pat string) {
		budget := 50
		m := library{func() error {
			if budget--; budget < 0 {
				return over
			}
			return nil
		}}.matcher(src, pat)
		for s := 0; s <= len(src) && m.err == nil; s++ {
			e := m.at(s, 0)
			if e == noMatch {
				continue
			}
			require.GreaterOrEqual(t, e, s)
			require.LessOrEqual(t, e, len(src))
			require.LessOrEqual(t, m.level, maxCaptures)
			for i := range m.level {
				m.capture(i, s, e)
			}
		}
		require.Less(t, m.steps, 52*interruptEvery)
	})
}

func FuzzFormat(f *testing.F) {
	f.Add("%5.2f|%d", 3.5, "x")
	f.Add("%-+ #0 0d%q", -1.0, "a\x00\"")
	f.Add("%99.99s%c%%", 65.0, "y")
	f.Fuzz(func(t *testing.T, format string, n float64, s string) {
		if len(format) > 1000 {
			return
		}
		L := newState()
		defer L.Close()
		err := L.CallByParam(lua.P{Fn: L.GetField(L.GetGlobal("string"), "format"), NRet: 1, Protect: true},
			lua.LString(format), lua.LNumber(n), lua.LString(s), lua.LNumber(n))
		if err == nil {
			require.Equal(t, lua.LTString, L.Get(-1).Type())
		}
		back, ok := ParseNumber(FormatNumber(lua.LNumber(n)))
		require.True(t, ok)
		require.Equal(t, FormatNumber(lua.LNumber(n)), FormatNumber(back))
		ParseNumber(s)
	})
}
