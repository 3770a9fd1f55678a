package syntax

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/yuin/gopher-lua/ast"
)

func TestErrors(t *testing.T) {
	for src, want := range map[string]string{
		"x = = 1":                     "c:1: unexpected symbol near '='",
		"x y":                         "c:1: '=' expected near 'y'",
		"\n\nif x":                    "c:3: 'then' expected near '<eof>'",
		"if x then\n":                 "c:2: 'end' expected (to close 'if' at line 1) near '<eof>'",
		"return 'a\nb'":               "c:1: unfinished string near ''a'",
		"return '\\999'":              "c:1: escape sequence too large near '''",
		"--[[\n\n":                    "c:3: unfinished long comment near '<eof>'",
		"return 0x":                   "c:1: malformed number near '0x'",
		"f\n(g)()":                    "c:2: ambiguous syntax (function call x new statement) near '('",
		"return \x01":                 "c:1: unexpected symbol near 'char(1)'",
		"break":                       "c:1: no loop to break near '<eof>'",
		"(f()) ":                      "c:1: syntax error near '<eof>'",
		"(a), b = 1, 2":               "c:1: syntax error near ','",
		"function f() return ... end": "c:1: cannot use '...' outside a vararg function near '...'",
		strings.Repeat("(", 300):      "c:1: chunk has too many syntax levels",
		strings.Repeat("do ", 300):    "c:1: chunk has too many syntax levels",
	} {
		_, err := Parse(src, "c")
		require.EqualError(t, err, want, "%.50q", src)
	}
}

// TestTree: lines and forms that the rest of the program relies on.
func TestTree(t *testing.T) {
	chunk, err := Parse("local f = function() end\nlocal function g() end\nx.y = 010 + 0x10\nreturn (f()), ...", "c")
	require.NoError(t, err)
	require.Len(t, chunk, 4)
	require.Len(t, chunk[0].(*ast.LocalAssignStmt).Exprs, 2, "a plain variable does not see itself")
	require.Len(t, chunk[1].(*ast.LocalAssignStmt).Exprs, 1)
	require.Equal(t, 2, chunk[1].Line())
	sum := chunk[2].(*ast.AssignStmt).Rhs[0].(*ast.ArithmeticOpExpr)
	require.Equal(t, "10", sum.Lhs.(*ast.NumberExpr).Value)
	require.Equal(t, "16", sum.Rhs.(*ast.NumberExpr).Value)
	ret := chunk[3].(*ast.ReturnStmt)
	require.True(t, ret.Exprs[0].(*ast.FuncCallExpr).AdjustRet)
	require.False(t, ret.Exprs[1].(*ast.Comma3Expr).AdjustRet)
}

func TestChunkName(t *testing.T) {
	for name, want := range map[string]string{
		"":                             `[string ""]`,
		"=name":                        "name",
		"@file":                        "file",
		"x = 1":                        `[string "x = 1"]`,
		"a\nb":                         `[string "a..."]`,
		strings.Repeat("x", 63):        `[string "` + strings.Repeat("x", 63) + `"]`,
		"=" + strings.Repeat("x", 100): strings.Repeat("x", 79),
		"@" + strings.Repeat("x", 100): "..." + strings.Repeat("x", 72),
		strings.Repeat("x", 100):       `[string "` + strings.Repeat("x", 63) + `..."]`,
	} {
		require.Equal(t, want, ChunkName(name))
	}
}

func FuzzParse(f *testing.F) {
	for _, src := range []string{"return 1", "local t = {1, x = 2; [3] = 'a'} for i = 1, #t do f(t[i], i ~= 2 and -i or not i) end", "--[==[ x ]==] return [[y]] .. '\\065\\n'", "a.b:c{d}'e'(f).g[h] = i, j"} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		chunk, err := Parse(src, "c")
		if err != nil {
			require.Nil(t, chunk)
			require.Regexp(t, `^c:\d+: `, err.Error())
		}
	})
}
