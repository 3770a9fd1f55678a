package plan

import (
	"math"
	"strconv"

	"github.com/yuin/gopher-lua/ast"

	"github.com/troupe-db/troupe/datatypes/command"
)

// words is a command as a script puts it together.
type words struct {
	command.Partial
	exprs    []ast.Expr // of each word
	tailKeys bool       // the words that follow, if any, are elements of KEYS
}

// wordsOf returns the command that redis.call(args) runs.
func (f *facts) wordsOf(args []ast.Expr) words {
	w := words{exprs: args}
	if n := len(args); n > 0 && isMulti(args[n-1]) && !f.isSingle(args[n-1]) {
		w.Open, w.tailKeys, w.exprs = true, f.unpacksKeys(args[n-1]), args[:n-1]
	}
	for _, e := range w.exprs {
		w.Words = append(w.Words, f.word(e))
	}
	return w
}

// isSingle reports whether a call has exactly one value.
func (f *facts) isSingle(e ast.Expr) bool {
	call, ok := e.(*ast.FuncCallExpr)
	return ok && call.Func != nil && (f.libFunc(call.Func).single || f.callsCommand(call.Func))
}

// maxExact is where doubles are no longer all the integers.
const maxExact = 1 << 53

func (f *facts) word(e ast.Expr) command.Word {
	switch e := e.(type) {
	case *ast.StringExpr:
		return command.Word{Kind: command.WordLiteral, Text: []byte(e.Value)}
	case *ast.NumberExpr:
		if n, err := strconv.ParseFloat(e.Value, 64); err == nil && n == math.Trunc(n) && math.Abs(n) < maxExact {
			return command.Word{Kind: command.WordLiteral, Text: strconv.AppendInt(nil, int64(n), 10)}
		}
	case *ast.UnaryMinusOpExpr:
		// -0 is a number that Redis writes as it likes.
		if w := f.word(e.Expr); w.Kind == command.WordLiteral && len(w.Text) > 0 && '1' <= w.Text[0] && w.Text[0] <= '9' {
			if _, ok := e.Expr.(*ast.NumberExpr); ok {
				return command.Word{Kind: command.WordLiteral, Text: append([]byte{'-'}, w.Text...)}
			}
		}
	case *ast.IdentExpr:
		if v := f.vars[e]; v != nil && v.param == nil {
			if src, ok := v.onlySource(); ok && src.nth == 0 {
				if s, ok := src.expr.(*ast.StringExpr); ok {
					return f.word(s)
				}
			}
		}
	}
	if f.isNumber(e) {
		return command.Word{Kind: command.WordNumber}
	}
	return command.Word{}
}

// specOf returns the command that w runs; exists is false when there is none, so that w has no effect. ok is false when
// it cannot be told.
func (a *analysis) specOf(w words) (spec *command.Spec, exists, ok bool) {
	if len(w.Words) == 0 {
		return nil, false, !w.Open
	}
	if w.Words[0].Kind != command.WordLiteral {
		return nil, false, false
	}
	spec = a.table.Lookup(w.Words[0].Text)
	if spec == nil {
		return nil, false, true
	}
	if len(spec.Subcommands) == 0 {
		return spec, true, true
	}
	if len(w.Words) == 1 {
		return spec, true, !w.Open
	}
	if w.Words[1].Kind != command.WordLiteral {
		return nil, false, false
	}
	spec = spec.Subcommand(w.Words[1].Text)
	return spec, spec != nil, true
}

// callProven reports whether redis.call(args) touches elements of KEYS only.
func (a *analysis) callProven(args []ast.Expr) bool {
	w := a.wordsOf(args)
	spec, exists, ok := a.specOf(w)
	if !ok || !exists {
		return ok
	}
	if !w.Open && !spec.ArityOK(len(w.Words)) {
		return true // an error, whatever the words
	}
	if spec.Has(command.TouchesArbitraryKeys) || spec.PossibleScope(w.Partial) == command.ScopeAllShards {
		return false
	}
	positions, open, known := spec.PossibleKeys(nil, w.Partial)
	if !known || open && w.Open && !w.tailKeys {
		return false
	}
	for _, i := range positions {
		if !a.isKey(w.exprs[i]) {
			return false
		}
	}
	return true
}
