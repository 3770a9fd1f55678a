package scripting

import (
	"github.com/yuin/gopher-lua/ast"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/scripting/plan"
)

// In Redis all functions run in one interpreter, so a library can keep values between calls in its local variables. Here functions run in several interpreters
// at the same time, each with the library of its own. A library that may keep something is therefore tied to one interpreter, and its functions hold all
// shards so that only one of them runs at a time. Most libraries keep nothing: what their functions share are constants, functions and tables that they only
// read.

// registered is a function that a library registers in plain sight.
type registered struct {
	name string
	fn   *ast.FunctionExpr
}

// libraryFacts is what a library's syntax tree tells.
type libraryFacts struct {
	keeps     bool // its functions may share something that changes
	functions []registered
	prelude   []ast.Stmt // its statements but for the registrations
}

// readLibrary looks at a library before it is rewritten.
func readLibrary(stmts []ast.Stmt) *libraryFacts {
	f := &libraryFacts{}
	for _, s := range stmts {
		if r, ok := registration(s); ok {
			f.functions = append(f.functions, r)
		} else {
			f.prelude = append(f.prelude, s)
		}
	}
	// What a variable may hold is known when all of the library was seen, so it is gone through until nothing new turns up.
	k := &keeper{}
	for grown := true; grown; {
		k.next, k.grown, k.keeps, k.scope = 0, false, false, nil
		k.block(stmts)
		grown = k.grown
	}
	f.keeps = k.keeps
	return f
}

// plans analyzes each function of f as if it were a script.
func (f *libraryFacts) plans(table *command.Table) map[string]plan.Plan {
	plans := map[string]plan.Plan{}
	if f.keeps {
		return plans
	}
	for _, r := range f.functions {
		names := r.fn.ParList.Names
		if r.fn.ParList.HasVargs {
			continue
		}
		chunk := append([]ast.Stmt{}, f.prelude...)
		if len(names) > 0 {
			chunk = append(chunk, &ast.LocalAssignStmt{
				Names: names, Exprs: []ast.Expr{&ast.IdentExpr{Value: "KEYS"}, &ast.IdentExpr{Value: "ARGV"}}[:min(len(names), 2)],
			})
		}
		plans[r.name] = plan.Analyze(append(chunk, r.fn.Stmts...), table)
	}
	return plans
}

// registration reads a statement that registers a function literal under a literal name.
func registration(s ast.Stmt) (r registered, ok bool) {
	stmt, isCall := s.(*ast.FuncCallStmt)
	if !isCall {
		return r, false
	}
	call, isCall := stmt.Expr.(*ast.FuncCallExpr)
	if !isCall || !isRegister(call) {
		return r, false
	}
	var name ast.Expr
	switch len(call.Args) {
	case 2:
		name = call.Args[0]
		r.fn, _ = call.Args[1].(*ast.FunctionExpr)
	case 1:
		t, isTable := call.Args[0].(*ast.TableExpr)
		if !isTable {
			return r, false
		}
		for _, f := range t.Fields {
			switch key, _ := f.Key.(*ast.StringExpr); {
			case key == nil:
				return r, false
			case key.Value == "function_name":
				name = f.Value
			case key.Value == "callback":
				r.fn, _ = f.Value.(*ast.FunctionExpr)
			}
		}
	}
	text, isText := name.(*ast.StringExpr)
	if !isText || r.fn == nil {
		return r, false
	}
	r.name = text.Value
	return r, true
}

func isRegister(call *ast.FuncCallExpr) bool {
	get, ok := call.Func.(*ast.AttrGetExpr)
	if !ok {
		return false
	}
	lib, isName := get.Object.(*ast.IdentExpr)
	key, isText := get.Key.(*ast.StringExpr)
	return isName && isText && lib.Value == "redis" && key.Value == "register_function"
}

// shared is a local variable of a library's own statements, which its functions can share.
type shared struct {
	name   string
	number int // among all variables, in the order of their declaration
	depth  int // functions around its declaration
	// levels is how many levels of tables its value may have: 0 for what never changes, unknownLevels when it cannot be told.
	levels int
}

const unknownLevels = 1 << 20

// keeper decides whether a library keeps something.
type keeper struct {
	scope []*shared // innermost last
	depth int
	keeps bool

	known []int // levels of each variable as far as known
	next  int   // number of the next variable
	grown bool  // known has changed
}

// raise says that a variable may have so many levels.
func (k *keeper) raise(v *shared, levels int) {
	if levels > v.levels {
		v.levels = levels
	}
	if v.levels > k.known[v.number] {
		k.known[v.number], k.grown = v.levels, true
	}
}

func (k *keeper) declare(levels int, names ...string) {
	for _, n := range names {
		v := &shared{name: n, number: k.next, depth: k.depth}
		if k.next++; k.next > len(k.known) {
			k.known = append(k.known, 0)
		}
		k.raise(v, max(levels, k.known[v.number]))
		k.scope = append(k.scope, v)
	}
}

func (k *keeper) find(name string) *shared {
	for i := len(k.scope) - 1; i >= 0; i-- {
		if k.scope[i].name == name {
			return k.scope[i]
		}
	}
	return nil
}

// outer returns the variable of the library's own that a function refers to by name; nil for its own and for globals.
func (k *keeper) outer(name string) *shared {
	if v := k.find(name); v != nil && v.depth == 0 && k.depth > 0 {
		return v
	}
	return nil
}

func (k *keeper) block(stmts []ast.Stmt) {
	mark := len(k.scope)
	for _, s := range stmts {
		k.stmt(s)
	}
	k.scope = k.scope[:mark]
}

func (k *keeper) stmt(s ast.Stmt) {
	mark := len(k.scope)
	switch s := s.(type) {
	case *ast.AssignStmt:
		for i, target := range s.Lhs {
			k.assign(target, exprAt(s.Rhs, i, len(s.Lhs)))
		}
		k.exprs(s.Rhs)
	case *ast.LocalAssignStmt:
		if fn, ok := firstExpr(s.Exprs).(*ast.FunctionExpr); ok && len(s.Names) == 1 && len(s.Exprs) == 1 {
			k.declare(0, s.Names[0])
			k.function(fn)
			return
		}
		k.exprs(s.Exprs)
		for i, n := range s.Names {
			k.declare(k.levels(exprAt(s.Exprs, i, len(s.Names))), n)
		}
	case *ast.FuncCallStmt:
		k.expr(s.Expr)
	case *ast.DoBlockStmt:
		k.block(s.Stmts)
	case *ast.WhileStmt:
		k.expr(s.Condition)
		k.block(s.Stmts)
	case *ast.RepeatStmt:
		for _, inner := range s.Stmts {
			k.stmt(inner)
		}
		k.expr(s.Condition)
	case *ast.IfStmt:
		k.expr(s.Condition)
		k.block(s.Then)
		k.block(s.Else)
	case *ast.NumberForStmt:
		k.exprs([]ast.Expr{s.Init, s.Limit})
		if s.Step != nil {
			k.expr(s.Step)
		}
		k.declare(0, s.Name)
		k.block(s.Stmts)
	case *ast.GenericForStmt:
		k.exprs(s.Exprs)
		k.declare(unknownLevels, s.Names...)
		k.block(s.Stmts)
	case *ast.FuncDefStmt:
		k.definition(s)
	case *ast.ReturnStmt:
		k.exprs(s.Exprs)
	}
	if _, declares := s.(*ast.LocalAssignStmt); !declares {
		k.scope = k.scope[:mark]
	}
}

// exprAt returns the expression that the i-th of n names gets; nil when it is a call's further result, or none.
func exprAt(list []ast.Expr, i, n int) ast.Expr {
	if i < len(list) {
		return list[i]
	}
	if len(list) > 0 {
		switch list[len(list)-1].(type) {
		case *ast.FuncCallExpr, *ast.Comma3Expr:
			return list[len(list)-1]
		}
	}
	return &ast.NilExpr{}
}

func (k *keeper) definition(s *ast.FuncDefStmt) {
	switch {
	case s.Name.Receiver != nil:
		k.assign(&ast.AttrGetExpr{Object: s.Name.Receiver, Key: &ast.StringExpr{Value: s.Name.Method}}, s.Func)
		k.depth++
		mark := len(k.scope)
		k.declare(unknownLevels, "self")
		k.depth--
		k.function(s.Func)
		k.scope = k.scope[:mark]
	default:
		k.assign(s.Name.Func, s.Func)
		k.function(s.Func)
	}
}

// assign looks at an assignment to target.
func (k *keeper) assign(target, value ast.Expr) {
	switch t := target.(type) {
	case *ast.IdentExpr:
		if k.outer(t.Value) != nil {
			k.keeps = true
		} else if v := k.find(t.Value); v != nil && v.depth == 0 {
			k.raise(v, k.levels(value))
		}
	case *ast.AttrGetExpr:
		root, n := chain(t)
		if id, ok := root.(*ast.IdentExpr); ok {
			if k.outer(id.Value) != nil {
				k.keeps = true
			} else if v := k.find(id.Value); v != nil && v.depth == 0 {
				k.raise(v, min(n+k.levels(value), unknownLevels))
			}
		} else {
			k.expr(root)
		}
		k.keys(t)
	}
}

// chain returns what a chain of fields and indexes begins with and how long it is.
func chain(e *ast.AttrGetExpr) (root ast.Expr, n int) {
	for root = e; ; n++ {
		get, ok := root.(*ast.AttrGetExpr)
		if !ok {
			return root, n
		}
		root = get.Object
	}
}

// keys looks at the indexes of a chain.
func (k *keeper) keys(e *ast.AttrGetExpr) {
	for {
		k.expr(e.Key)
		next, ok := e.Object.(*ast.AttrGetExpr)
		if !ok {
			return
		}
		e = next
	}
}

// levels returns how many levels of tables the value of an expression of the library's own statements may have.
func (k *keeper) levels(e ast.Expr) int {
	switch e := e.(type) {
	case *ast.NumberExpr, *ast.StringExpr, *ast.TrueExpr, *ast.FalseExpr, *ast.NilExpr, *ast.FunctionExpr, *ast.ArithmeticOpExpr,
		*ast.StringConcatOpExpr, *ast.RelationalOpExpr, *ast.UnaryMinusOpExpr, *ast.UnaryNotOpExpr, *ast.UnaryLenOpExpr:
		return 0
	case *ast.LogicalOpExpr:
		return max(k.levels(e.Lhs), k.levels(e.Rhs))
	case *ast.IdentExpr:
		if v := k.find(e.Value); v != nil {
			if v.levels == 0 {
				return 0
			}
			k.raise(v, unknownLevels) // two names for one table
			return unknownLevels
		}
		return 0 // globals do not change
	case *ast.AttrGetExpr:
		root, n := chain(e)
		id, ok := root.(*ast.IdentExpr)
		if !ok {
			return unknownLevels
		}
		if v := k.find(id.Value); v != nil && n < v.levels {
			k.raise(v, unknownLevels)
			return unknownLevels
		}
		return 0
	case *ast.TableExpr:
		deepest := 0
		for _, f := range e.Fields {
			deepest = max(deepest, k.levels(f.Value))
		}
		return min(deepest+1, unknownLevels)
	}
	return unknownLevels
}

func (k *keeper) exprs(list []ast.Expr) {
	for _, e := range list {
		k.expr(e)
	}
}

// use looks at a variable that is used n levels deep.
func (k *keeper) use(id *ast.IdentExpr, n int) {
	if v := k.outer(id.Value); v != nil && n < v.levels {
		k.keeps = true // a table gets out of sight
	}
	if id.Value == "redis" && n == 0 && k.find("redis") == nil {
		k.keeps = true // as does what registers functions
	}
}

// give looks at an argument of a call that the library's own statements make: whoever gets a table may change it.
func (k *keeper) give(e ast.Expr) {
	switch e.(type) {
	case *ast.IdentExpr, *ast.AttrGetExpr, *ast.TableExpr, *ast.LogicalOpExpr:
		k.levels(e)
	case *ast.FunctionExpr:
		k.keeps = true // it may be kept anywhere
	}
}

func (k *keeper) expr(e ast.Expr) {
	switch e := e.(type) {
	case *ast.IdentExpr:
		k.use(e, 0)
	case *ast.AttrGetExpr:
		root, n := chain(e)
		if id, ok := root.(*ast.IdentExpr); ok {
			k.use(id, n)
			key, isText := e.Key.(*ast.StringExpr)
			if id.Value == "redis" && k.find("redis") == nil && n == 1 && (!isText || key.Value == "register_function") {
				k.keeps = true // who knows with what
			}
		} else {
			k.expr(root)
		}
		k.keys(e)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			if f.Key != nil {
				k.expr(f.Key)
			}
			k.expr(f.Value)
		}
	case *ast.FuncCallExpr:
		k.call(e)
	case *ast.LogicalOpExpr:
		k.exprs([]ast.Expr{e.Lhs, e.Rhs})
	case *ast.RelationalOpExpr:
		k.exprs([]ast.Expr{e.Lhs, e.Rhs})
	case *ast.ArithmeticOpExpr:
		k.exprs([]ast.Expr{e.Lhs, e.Rhs})
	case *ast.StringConcatOpExpr:
		k.exprs([]ast.Expr{e.Lhs, e.Rhs})
	case *ast.UnaryMinusOpExpr:
		k.expr(e.Expr)
	case *ast.UnaryNotOpExpr:
		k.expr(e.Expr)
	case *ast.UnaryLenOpExpr:
		if _, plain := e.Expr.(*ast.IdentExpr); !plain {
			k.expr(e.Expr)
		}
	case *ast.FunctionExpr:
		k.function(e)
	}
}

// readers are the globals that look into a table and neither change it nor hand it on.
var readers = map[string]bool{"ipairs": true, "pairs": true, "type": true, "unpack": true}

func (k *keeper) call(e *ast.FuncCallExpr) {
	if k.depth == 0 && isRegister(e) && k.find("redis") == nil {
		k.register(e)
		return
	}
	if e.Func == nil {
		k.expr(e.Receiver) // gets hold of what it is called on
		k.exprs(e.Args)
		if k.depth == 0 {
			k.give(e.Receiver)
			for _, a := range e.Args {
				k.give(a)
			}
		}
		return
	}
	args := e.Args
	if f, ok := e.Func.(*ast.IdentExpr); ok && readers[f.Value] && k.find(f.Value) == nil && len(args) > 0 {
		if id, plain := args[0].(*ast.IdentExpr); plain {
			if v := k.find(id.Value); v != nil && v.depth == 0 && v.levels <= 1 {
				args = args[1:] // what it gives out are no tables
			}
		}
	}
	k.expr(e.Func)
	k.exprs(args)
	if k.depth == 0 {
		for _, a := range args {
			k.give(a)
		}
	}
}

// register looks at the arguments of redis.register_function: a function that is not there in plain sight may have variables of its own.
func (k *keeper) register(e *ast.FuncCallExpr) {
	values := e.Args
	if t, ok := firstExpr(e.Args).(*ast.TableExpr); ok && len(e.Args) == 1 {
		values = nil
		for _, f := range t.Fields {
			values = append(values, f.Value)
		}
	}
	for _, v := range values {
		switch v := v.(type) {
		case *ast.FunctionExpr:
			k.function(v)
		case *ast.StringExpr, *ast.TableExpr:
		case *ast.IdentExpr:
			if s := k.find(v.Value); s == nil || s.levels != 0 {
				k.keeps = true
			}
		default:
			k.keeps = k.keeps || k.levels(v) != 0
		}
	}
}

func (k *keeper) function(f *ast.FunctionExpr) {
	mark := len(k.scope)
	k.depth++
	k.declare(unknownLevels, f.ParList.Names...)
	if f.ParList.HasVargs {
		k.declare(unknownLevels, "arg")
	}
	k.block(f.Stmts)
	k.depth--
	k.scope = k.scope[:mark]
}
