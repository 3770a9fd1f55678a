package scripting

import (
	"errors"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"

	"github.com/troupe-db/troupe/scripting/luaarg"
	"github.com/troupe-db/troupe/scripting/plan"
	"github.com/troupe-db/troupe/scripting/syntax"
)

// What messages call the chunks of scripts and of libraries.
const (
	scriptChunk   = "user_script"
	functionChunk = "user_function"
)

// unit is a compiled chunk. It is immutable and shared by all states.
type unit struct {
	proto      *lua.FunctionProto // a function that takes binds and returns the chunk
	binds      []string
	keys, argv bool         // it uses the global
	pool       []lua.LValue // literals that come from a table
	plan       plan.Plan
	plans      map[string]plan.Plan // of the functions of a library, as far as they can be told
	keeps      bool                 // the functions of a library may share something that changes
}

// compile compiles a chunk. The text of the error is what Lua says.
func (e *Engine) compile(src, chunk string, kind chunkKind) (*unit, error) {
	stmts, err := syntax.Parse(src, chunk)
	if err != nil {
		return nil, err
	}
	var p plan.Plan
	var plans map[string]plan.Plan
	keeps := false
	switch kind {
	case scriptKind:
		p = plan.Analyze(stmts, e.options.Table())
	case libraryKind:
		facts := readLibrary(stmts)
		keeps, plans = facts.keeps, facts.plans(e.options.Table())
	}
	r := newRewriter(e.names, kind)
	r.exactLen = strings.Contains(src, "__len")
	u, err := r.compile(stmts, chunk, strings.Count(src, "\n")+1)
	if err != nil {
		return nil, err
	}
	u.plan, u.plans, u.keeps = p, plans, keeps
	return u, nil
}

func (r *rewriter) compile(stmts []ast.Stmt, chunk string, lastLine int) (u *unit, err error) {
	defer func() {
		// The compiler of the VM has limits that it finds by running into them.
		p := recover()
		if msg, ok := p.(tooMuch); ok {
			u, err = nil, errors.New(chunk+":"+itoa(r.fn.line)+": "+string(msg))
		} else if p != nil {
			u, err = nil, errors.New(chunk+":"+itoa(lastLine)+": function or expression too complex near '<eof>'")
		}
	}()
	proto, err := lua.Compile(r.chunk(stmts, lastLine), chunk)
	if err != nil {
		line := lastLine
		var tooBig *lua.CompileError
		if errors.As(err, &tooBig) && tooBig.Line > 0 {
			line = tooBig.Line
		}
		return nil, errors.New(chunk + ":" + itoa(line) + ": function or expression too complex near '<eof>'")
	}
	cleanNames(proto)
	fixLocals(proto.FunctionPrototypes[0], r.fn)
	return &unit{proto: proto, binds: r.binds, keys: r.keys, argv: r.argv, pool: literals(r.pool)}, nil
}

// literals returns the values of literal expressions.
func literals(exprs []ast.Expr) []lua.LValue {
	var values []lua.LValue
	for _, e := range exprs {
		switch e := e.(type) {
		case *ast.StringExpr:
			values = append(values, lua.LString(e.Value))
		case *ast.NumberExpr:
			f, _ := luaarg.ParseNumber(e.Value)
			values = append(values, lua.LNumber(f))
		}
	}
	return values
}

// poolTable makes the table of literals, which no script gets hold of.
func (u *unit) poolTable(L *lua.LState) *lua.LTable {
	t := L.CreateTable(len(u.pool)/poolRow+1, 0)
	for i, v := range u.pool {
		if i%poolRow == 0 {
			t.Append(L.CreateTable(poolRow, 0))
		}
		t.RawGetInt(i/poolRow + 1).(*lua.LTable).Append(v)
	}
	return t
}

// fixLocals puts right where local variables end: the VM's compiler mixes up which is which when blocks have ended. Where a function does
// not look as expected its variables are nameless.
func fixLocals(p *lua.FunctionProto, fn *scope) {
	matches := len(p.DbgLocals) == len(fn.variables) && len(p.FunctionPrototypes) == len(fn.inner)
	for i := 0; matches && i < len(p.DbgLocals); i++ {
		matches = p.DbgLocals[i].Name == fn.variables[i].name
	}
	if !matches {
		p.DbgLocals = nil
		for _, inner := range p.FunctionPrototypes {
			fixLocals(inner, &scope{})
		}
		return
	}
	// The last instruction of each line, as far as lines tell.
	for i, v := range fn.variables {
		l := p.DbgLocals[i]
		l.EndPc = l.StartPc - 1
		for pc := l.StartPc; pc < len(p.Code) && p.DbgSourcePositions[pc] <= v.lastLine; pc++ {
			l.EndPc = pc
		}
		for j := i + 1; j < len(fn.variables); j++ {
			if fn.variables[j].register <= v.register { // another took its place
				l.EndPc = min(l.EndPc, p.DbgLocals[j].StartPc-1)
				break
			}
		}
	}
	for i, inner := range p.FunctionPrototypes {
		fixLocals(inner, fn.inner[i])
	}
}

// cleanNames takes the parentheses off the names by which calls are known.
func cleanNames(p *lua.FunctionProto) {
	for i := range p.DbgCalls {
		if _, plain, hidden := unbound(p.DbgCalls[i].Name); hidden {
			p.DbgCalls[i].Name = plain
		}
	}
	for _, f := range p.FunctionPrototypes {
		cleanNames(f)
	}
}

// instantiate makes the function of a unit in this state, with env for its globals.
func (st *state) instantiate(L *lua.LState, u *unit, env *lua.LTable) *lua.LFunction {
	outer := L.NewFunctionFromProto(u.proto)
	outer.Env = env
	L.Push(outer)
	for _, name := range u.binds {
		if name == poolName {
			L.Push(u.poolTable(L))
			continue
		}
		L.Push(st.value(name, env))
	}
	L.Call(len(u.binds), 1)
	f := L.Get(-1).(*lua.LFunction)
	L.Pop(1)
	return f
}
