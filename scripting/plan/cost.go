package plan

import (
	"math"
	"strconv"

	"github.com/yuin/gopher-lua/ast"

	"github.com/troupe-db/troupe/datatypes/command"
)

// A bounded script may take so many steps at most, where a step is a node of the syntax tree that is run. gopher-lua needs
// some 20 to 50 ns for one.
const maxSteps = 3000

// What calls cost above their node.
const (
	commandSteps = 30
	elementSteps = 2 // for each element of a value that a command goes through
	librarySteps = 4
)

// maxGrowth bounds how often a string may be put together from strings that were put together before, or go to the
// keyspace after coming from there: each time it may double.
const maxGrowth = 6

// maxCallDepth bounds the chain of a script's functions, as maxDepth does for its blocks.
const maxCallDepth = 50

// cost is an upper limit of what running something takes.
type cost struct{ steps, growth int }

func (c cost) plus(d cost) cost { return c.times(1, d) }

// times returns c + n·d, at most just above what is allowed.
func (c cost) times(n int, d cost) cost {
	return cost{
		steps:  min(c.steps+n*min(d.steps, maxSteps+1), maxSteps+1),
		growth: min(c.growth+n*min(d.growth, maxGrowth+1), maxGrowth+1),
	}
}

// meter adds up costs. Once ok is false there is no limit.
type meter struct {
	*analysis
	ok        bool
	calls     int
	functions map[*functionDef]*cost // nil while it is being measured
}

func (a *analysis) bounded(chunk []ast.Stmt) bool {
	if a.metatables {
		return false
	}
	m := &meter{analysis: a, ok: true, functions: map[*functionDef]*cost{}}
	c := m.stmts(chunk)
	return m.ok && c.steps <= maxSteps && c.growth <= maxGrowth
}

func (m *meter) no() cost {
	m.ok = false
	return cost{}
}

func (m *meter) stmts(stmts []ast.Stmt) cost {
	var c cost
	for _, s := range stmts {
		if !m.ok {
			break
		}
		c = c.plus(m.stmt(s))
	}
	return c
}

func (m *meter) exprs(exprs []ast.Expr) cost {
	var c cost
	for _, e := range exprs {
		if !m.ok {
			break
		}
		c = c.plus(m.expr(e))
	}
	return c
}

func (m *meter) stmt(s ast.Stmt) cost {
	c := cost{steps: 1}
	switch s := s.(type) {
	case *ast.LocalAssignStmt:
		return c.plus(m.exprs(s.Exprs))
	case *ast.AssignStmt:
		return c.plus(m.exprs(s.Lhs)).plus(m.exprs(s.Rhs))
	case *ast.FuncCallStmt:
		return c.plus(m.expr(s.Expr))
	case *ast.DoBlockStmt:
		return c.plus(m.stmts(s.Stmts))
	case *ast.IfStmt:
		return c.plus(m.expr(s.Condition)).plus(m.stmts(s.Then)).plus(m.stmts(s.Else))
	case *ast.NumberForStmt:
		n, ok := trips(s)
		if !ok {
			return m.no()
		}
		return c.plus(cost{steps: 3}).times(n, cost{steps: 1}.plus(m.stmts(s.Stmts)))
	case *ast.FuncDefStmt:
		return c
	case *ast.ReturnStmt:
		return c.plus(m.exprs(s.Exprs))
	case *ast.BreakStmt:
		return c
	}
	return m.no() // while, repeat, for in
}

// trips returns how often a loop between literal numbers runs at most.
func trips(s *ast.NumberForStmt) (int, bool) {
	first, ok1 := literalNumber(s.Init)
	last, ok2 := literalNumber(s.Limit)
	step, ok3 := 1.0, true
	if s.Step != nil {
		step, ok3 = literalNumber(s.Step)
	}
	if !ok1 || !ok2 || !ok3 || step == 0 || math.Abs(first) > maxExact || math.Abs(last) > maxExact {
		return 0, false
	}
	n := (last - first) / step
	if n < 0 {
		return 0, true
	}
	// One more for rounding: 0, 1, 0.1.
	if n += 2; n > maxSteps {
		return 0, false
	}
	return int(n), true
}

func literalNumber(e ast.Expr) (float64, bool) {
	switch e := e.(type) {
	case *ast.NumberExpr:
		n, err := strconv.ParseFloat(e.Value, 64)
		return n, err == nil
	case *ast.UnaryMinusOpExpr:
		n, ok := literalNumber(e.Expr)
		return -n, ok
	}
	return 0, false
}

func (m *meter) expr(e ast.Expr) cost {
	c := cost{steps: 1}
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		return c.plus(m.expr(e.Object)).plus(m.expr(e.Key))
	case *ast.TableExpr:
		for _, f := range e.Fields {
			if f.Key != nil {
				c = c.plus(m.expr(f.Key))
			}
			if f.Key == nil && !m.isShort(f.Value) {
				return m.no() // as many elements as there are arguments
			}
			c = c.plus(m.expr(f.Value))
		}
		return c
	case *ast.FuncCallExpr:
		return c.plus(m.call(e))
	case *ast.LogicalOpExpr:
		return c.plus(m.expr(e.Lhs)).plus(m.expr(e.Rhs))
	case *ast.RelationalOpExpr:
		return c.plus(m.expr(e.Lhs)).plus(m.expr(e.Rhs))
	case *ast.ArithmeticOpExpr:
		return c.plus(m.expr(e.Lhs)).plus(m.expr(e.Rhs))
	case *ast.StringConcatOpExpr:
		operands := concatenated(e)
		return c.plus(m.exprs(operands)).plus(m.joins(operands))
	case *ast.UnaryMinusOpExpr:
		return c.plus(m.expr(e.Expr))
	case *ast.UnaryNotOpExpr:
		return c.plus(m.expr(e.Expr))
	case *ast.UnaryLenOpExpr:
		return c.plus(m.expr(e.Expr))
	}
	return c
}

// isShort reports whether an expression has no more values than the script spells out.
func (m *meter) isShort(e ast.Expr) bool {
	if !isMulti(e) || m.isSingle(e) {
		return true
	}
	call, ok := e.(*ast.FuncCallExpr)
	if !ok {
		return false
	}
	fn := m.calledFunction(call.Func)
	if fn == nil {
		return false
	}
	for _, r := range fn.returns {
		if n := len(r.Exprs); n > 0 && isMulti(r.Exprs[n-1]) && !m.isSingle(r.Exprs[n-1]) {
			return false
		}
	}
	return true
}

// concatenated returns the operands of a chain of "..", which is run as one.
func concatenated(e *ast.StringConcatOpExpr) []ast.Expr {
	var operands []ast.Expr
	for {
		operands = append(operands, e.Lhs)
		next, ok := e.Rhs.(*ast.StringConcatOpExpr)
		if !ok {
			return append(operands, e.Rhs)
		}
		e = next
	}
}

// joins is what putting these together adds to the growth.
func (m *meter) joins(parts []ast.Expr) cost {
	for _, e := range parts {
		if m.isDerived(e) {
			return cost{growth: len(parts) - 1}
		}
	}
	return cost{}
}

func (m *meter) call(e *ast.FuncCallExpr) cost {
	if e.Func == nil {
		return m.no() // a method, of whatever
	}
	callee, args := e.Func, e.Args
	if m.isGlobal(callee, "pcall") && len(args) > 0 && m.callsCommand(args[0]) {
		callee, args = args[0], args[1:]
	}
	if m.callsCommand(callee) {
		return m.exprs(args).plus(m.command(args))
	}
	if fn := m.calledFunction(callee); fn != nil {
		return m.exprs(args).plus(m.function(fn))
	}
	c := m.exprs(args).plus(cost{steps: librarySteps})
	if m.unpacks(e) {
		return c
	}
	if lib, name := m.libName(callee); lib == "string" {
		switch {
		case name == "byte" && len(args) > 2: // as many results as bytes
			return m.no()
		case name == "format":
			if len(args) == 0 {
				return c
			}
			if _, ok := args[0].(*ast.StringExpr); !ok || isMulti(args[len(args)-1]) && !m.isSingle(args[len(args)-1]) {
				return m.no()
			}
			return c.plus(m.joins(args))
		}
	} else if lib == "table" && name == "concat" || lib == "table" && name == "maxn" {
		return m.no()
	}
	if !m.libFunc(callee).cheap {
		return m.no()
	}
	return c
}

// libName splits the name of a library's function.
func (f *facts) libName(e ast.Expr) (lib, name string) {
	a, ok := e.(*ast.AttrGetExpr)
	if !ok {
		return "", ""
	}
	id, ok := a.Object.(*ast.IdentExpr)
	if !ok || f.vars[id] != nil {
		return "", ""
	}
	key, ok := a.Key.(*ast.StringExpr)
	if !ok {
		return "", ""
	}
	return id.Value, key.Value
}

// function is the cost of one call.
func (m *meter) function(fn *functionDef) cost {
	if c, known := m.functions[fn]; known {
		if c == nil { // it calls itself
			return m.no()
		}
		return *c
	}
	if m.calls++; m.calls > maxCallDepth {
		return m.no()
	}
	m.functions[fn] = nil
	c := cost{steps: 1}.plus(m.stmts(fn.expr.Stmts))
	m.functions[fn] = &c
	m.calls--
	return c
}

// command is the cost of redis.call(args) without its arguments.
func (m *meter) command(args []ast.Expr) cost {
	w := m.wordsOf(args)
	c := cost{steps: commandSteps}
	spec, exists, ok := m.specOf(w)
	switch {
	case !ok:
		return m.no()
	case !exists:
		return c
	}
	elements, limited := spec.PossibleWork(w.Partial)
	if !limited {
		return m.no()
	}
	c.steps += elementSteps * elements
	if s := spec.PossibleScope(w.Partial); s == command.ScopeAllShards || s == command.ScopeServer {
		return m.no()
	}
	if !spec.Has(command.Write) {
		return c
	}
	for _, e := range args {
		if m.isDerived(e) && !m.unpacks(e) {
			c.growth = 1
		}
	}
	return c
}

// unpacks reports whether e is unpack(KEYS) or unpack(ARGV).
func (m *meter) unpacks(e ast.Expr) bool {
	call, ok := e.(*ast.FuncCallExpr)
	return ok && call.Func != nil && m.isGlobal(call.Func, "unpack") && len(call.Args) > 0 &&
		(m.isKeysTable(call.Args[0]) || m.isGlobal(call.Args[0], "ARGV"))
}

// isDerived reports whether e may be a string that was put together or comes from the keyspace.
func (f *facts) isDerived(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		return !f.isKeysTable(e.Object) && !f.isGlobal(e.Object, "ARGV")
	case *ast.IdentExpr:
		v := f.vars[e]
		return v != nil && v.derived
	case *ast.LogicalOpExpr:
		return f.isDerived(e.Lhs) || f.isDerived(e.Rhs)
	case *ast.FuncCallExpr:
		if fn := f.calledFunction(e.Func); fn != nil {
			return fn.derived
		}
		if e.Func == nil {
			return true
		}
		lib := f.libFunc(e.Func)
		if lib.number || f.isGlobal(e.Func, "type") {
			return false
		}
		if _, name := f.libName(e.Func); !lib.single || !lib.cheap || name == "" && !f.isGlobal(e.Func, "tostring") {
			return true
		}
		for _, a := range e.Args {
			if f.isDerived(a) {
				return true
			}
		}
		return false
	case *ast.StringConcatOpExpr, *ast.TableExpr, *ast.FunctionExpr, *ast.Comma3Expr:
		return true
	}
	return false
}
