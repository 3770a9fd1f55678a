package plan

import "github.com/yuin/gopher-lua/ast"

// use is how a name is mentioned.
type use uint16

const (
	useBare     use = 1 << iota // its value goes anywhere
	useCall                     // it is called
	useIndex                    // an element of it is read
	useLen                      // #name
	useRead                     // it is the argument of a function that only reads it
	useSource                   // it is assigned to a local variable, by itself
	useAssigned                 // it is assigned to
	useReturned                 // the script returns it, and is thus at its end
)

// useTable are the uses of a table that leave it unchanged and in sight.
const useTable = useIndex | useLen | useRead | useSource | useReturned

// variable is a local variable: all variables that one declaration makes, one for each time it runs.
type variable struct {
	sources []source // all that its value may come from, except the calls of the function whose parameter it is
	uses    use
	targets []*variable  // the variables that it is a source of
	calls   []*callSite  // where it is called
	param   *functionDef // of which it is a parameter
	index   int          // which one

	fact // see facts.go
}

// source is where a value may come from: the nth value, from 0, of expr. Without expr it is nil or, when any is set, not
// known.
type source struct {
	expr ast.Expr
	nth  int
	any  bool
}

// callSite is a call, also by way of pcall.
type callSite struct {
	callee ast.Expr
	args   []ast.Expr
}

// functionDef is a function of the script.
type functionDef struct {
	expr    *ast.FunctionExpr
	name    *variable // set when it is called by this name and not otherwise
	returns []*ast.ReturnStmt
	params  []*variable

	fact // of its first result
}

// resolution is the result of resolve.
type resolution struct {
	vars      map[*ast.IdentExpr]*variable // what a name means; nil: a global
	all       []*variable                  // by declaration
	functions map[*ast.FunctionExpr]*functionDef
	order     []*functionDef
	calls     []*callSite

	foul       bool        // nothing can be told
	metatables bool        // operators may mean anything
	keyUses    use         // of the global KEYS
	keyTargets []*variable // variables that KEYS is assigned to
	commands   []*variable // variables that redis.call or redis.pcall is assigned to
}

// scope maps names to variables, inside out.
type scope struct {
	parent *scope
	names  map[string]*variable
}

func (s *scope) find(name string) *variable {
	for ; s != nil; s = s.parent {
		if v := s.names[name]; v != nil {
			return v
		}
	}
	return nil
}

// resolver walks the tree once.
type resolver struct {
	*resolution
	scope    *scope
	function *functionDef // being walked, nil for the script itself
	depth    int
}

func resolve(chunk []ast.Stmt) *resolution {
	r := &resolver{resolution: &resolution{
		vars:      map[*ast.IdentExpr]*variable{},
		functions: map[*ast.FunctionExpr]*functionDef{},
	}}
	r.block(chunk)
	return r.resolution
}

// enter guards against deep nesting. It returns false when the walk is over.
func (r *resolver) enter() bool {
	r.depth++
	if r.depth > maxDepth {
		r.foul = true
	}
	return !r.foul
}

func (r *resolver) leave() { r.depth-- }

func (r *resolver) open()  { r.scope = &scope{parent: r.scope, names: map[string]*variable{}} }
func (r *resolver) close() { r.scope = r.scope.parent }

// declare makes a variable. A name that is there already gives way to the new one.
func (r *resolver) declare(name string) *variable {
	v := &variable{}
	r.all = append(r.all, v)
	r.scope.names[name] = v
	return v
}

func (r *resolver) block(stmts []ast.Stmt) {
	r.open()
	r.stmts(stmts)
	r.close()
}

func (r *resolver) stmts(stmts []ast.Stmt) {
	for _, s := range stmts {
		r.stmt(s)
	}
}

func (r *resolver) stmt(s ast.Stmt) {
	if !r.enter() {
		return
	}
	defer r.leave()
	switch s := s.(type) {
	case *ast.LocalAssignStmt:
		r.local(s)
	case *ast.AssignStmt:
		r.assign(s)
	case *ast.FuncCallStmt:
		r.expr(s.Expr)
	case *ast.DoBlockStmt:
		r.block(s.Stmts)
	case *ast.WhileStmt:
		r.expr(s.Condition)
		r.block(s.Stmts)
	case *ast.RepeatStmt:
		r.open()
		r.stmts(s.Stmts)
		r.expr(s.Condition) // sees the variables of the block
		r.close()
	case *ast.IfStmt:
		r.expr(s.Condition)
		r.block(s.Then)
		r.block(s.Else)
	case *ast.NumberForStmt:
		r.expr(s.Init)
		r.expr(s.Limit)
		if s.Step != nil {
			r.expr(s.Step)
		}
		r.open()
		r.declare(s.Name).sources = []source{{expr: &ast.NumberExpr{Value: "1"}}} // some number
		r.stmts(s.Stmts)
		r.close()
	case *ast.GenericForStmt:
		r.genericFor(s)
	case *ast.FuncDefStmt:
		r.funcDef(s)
	case *ast.ReturnStmt:
		r.returns(s)
	case *ast.BreakStmt:
	default:
		// goto and labels are not in Redis's Lua, and a jump could pass by a declaration.
		r.foul = true
	}
}

// local declares variables after their values have been looked at, but for a function: gopher-lua's parser makes
// "local function f" and "local f = function" the same, and its compiler lets both know f in their body.
func (r *resolver) local(s *ast.LocalAssignStmt) {
	if len(s.Names) == 1 && len(s.Exprs) == 1 {
		if f, ok := s.Exprs[0].(*ast.FunctionExpr); ok {
			v := r.declare(s.Names[0])
			v.sources = append(v.sources, source{expr: f})
			r.functionExpr(f, false)
			return
		}
	}
	vars := make([]*variable, len(s.Names))
	for i := range vars {
		vars[i] = &variable{}
	}
	for i, e := range s.Exprs {
		if i < len(vars) {
			r.sourceOf(vars[i], e)
		} else {
			r.expr(e)
		}
	}
	for i, v := range vars {
		v.sources = append(v.sources, valueAt(s.Exprs, i))
		r.all = append(r.all, v)
		r.scope.names[s.Names[i]] = v
	}
}

// valueAt is where the i-th value of a list of expressions comes from.
func valueAt(exprs []ast.Expr, i int) source {
	if i < len(exprs) {
		return source{expr: exprs[i]}
	}
	if n := len(exprs); n > 0 && isMulti(exprs[n-1]) {
		return source{expr: exprs[n-1], nth: i - n + 1}
	}
	return source{}
}

// isMulti reports whether an expression at the end of a list may have any number of values.
func isMulti(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		return !e.AdjustRet
	case *ast.Comma3Expr:
		return !e.AdjustRet
	}
	return false
}

// sourceOf walks an expression whose value goes to v and nowhere else.
func (r *resolver) sourceOf(v *variable, e ast.Expr) {
	switch e := e.(type) {
	case *ast.IdentExpr:
		r.ident(e, useSource, v)
	case *ast.AttrGetExpr:
		r.attr(e, useSource, v)
	default:
		r.expr(e)
	}
}

func (r *resolver) assign(s *ast.AssignStmt) {
	for i, e := range s.Rhs {
		var v *variable
		if i < len(s.Lhs) {
			if id, ok := s.Lhs[i].(*ast.IdentExpr); ok {
				v = r.scope.find(id.Value)
			}
		}
		if v != nil {
			r.sourceOf(v, e)
		} else {
			r.expr(e)
		}
	}
	for i, l := range s.Lhs {
		switch l := l.(type) {
		case *ast.IdentExpr:
			r.ident(l, useAssigned, nil)
			if v := r.vars[l]; v != nil {
				v.sources = append(v.sources, valueAt(s.Rhs, i))
			}
		case *ast.AttrGetExpr:
			r.attr(l, useAssigned, nil)
		default:
			r.foul = true
		}
	}
}

// genericFor is a loop over any iterator. ipairs(t) and pairs(t) in its head are all they can be without giving t away.
func (r *resolver) genericFor(s *ast.GenericForStmt) {
	var elements source
	elements.any = true
	if t := r.iterated(s.Exprs); t != nil {
		r.ident(s.Exprs[0].(*ast.FuncCallExpr).Func.(*ast.IdentExpr), useCall, nil)
		r.ident(t, useRead, nil)
		elements = source{expr: &ast.AttrGetExpr{Object: t, Key: &ast.NumberExpr{Value: "1"}}} // as t[i] is
	} else {
		for _, e := range s.Exprs {
			r.expr(e)
		}
	}
	r.open()
	for i, name := range s.Names {
		v := r.declare(name)
		v.sources = []source{{any: true}}
		if i == 1 {
			v.sources = []source{elements}
		}
	}
	r.stmts(s.Stmts)
	r.close()
}

// iterated returns the variable t when the head of a loop is ipairs(t) or pairs(t).
func (r *resolver) iterated(head []ast.Expr) *ast.IdentExpr {
	if len(head) != 1 {
		return nil
	}
	call, ok := head[0].(*ast.FuncCallExpr)
	if !ok || call.Func == nil || len(call.Args) != 1 {
		return nil
	}
	f, ok := call.Func.(*ast.IdentExpr)
	if !ok || f.Value != "ipairs" && f.Value != "pairs" || r.scope.find(f.Value) != nil {
		return nil
	}
	t, _ := call.Args[0].(*ast.IdentExpr)
	return t
}

// isGlobal reports whether e, which has been walked, is the global of this name.
func (r *resolution) isGlobal(e ast.Expr, name string) bool {
	id, ok := e.(*ast.IdentExpr)
	return ok && id.Value == name && r.vars[id] == nil
}

func (r *resolver) funcDef(s *ast.FuncDefStmt) {
	if s.Name.Func == nil { // function receiver:method()
		r.expr(s.Name.Receiver)
		r.functionExpr(s.Func, true)
		return
	}
	r.assign(&ast.AssignStmt{Lhs: []ast.Expr{s.Name.Func}, Rhs: []ast.Expr{s.Func}})
}

func (r *resolver) returns(s *ast.ReturnStmt) {
	if r.function != nil {
		r.function.returns = append(r.function.returns, s)
	}
	for _, e := range s.Exprs {
		if id, ok := e.(*ast.IdentExpr); ok && r.function == nil {
			r.ident(id, useReturned, nil)
		} else {
			r.expr(e)
		}
	}
}

// expr walks an expression whose value goes anywhere.
func (r *resolver) expr(e ast.Expr) {
	if !r.enter() {
		return
	}
	defer r.leave()
	switch e := e.(type) {
	case *ast.TrueExpr, *ast.FalseExpr, *ast.NilExpr, *ast.NumberExpr, *ast.StringExpr, *ast.Comma3Expr:
	case *ast.IdentExpr:
		r.ident(e, useBare, nil)
	case *ast.AttrGetExpr:
		r.attr(e, useBare, nil)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			if f.Key != nil {
				r.expr(f.Key)
			}
			r.expr(f.Value)
		}
	case *ast.FuncCallExpr:
		r.call(e)
	case *ast.LogicalOpExpr:
		r.expr(e.Lhs)
		r.expr(e.Rhs)
	case *ast.RelationalOpExpr:
		r.expr(e.Lhs)
		r.expr(e.Rhs)
	case *ast.StringConcatOpExpr:
		r.expr(e.Lhs)
		r.expr(e.Rhs)
	case *ast.ArithmeticOpExpr:
		r.expr(e.Lhs)
		r.expr(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		r.expr(e.Expr)
	case *ast.UnaryNotOpExpr:
		r.expr(e.Expr)
	case *ast.UnaryLenOpExpr:
		r.in(e.Expr, useLen)
	case *ast.FunctionExpr:
		r.functionExpr(e, false)
	default:
		r.foul = true
	}
}

// in walks an expression that is used in a certain way when it is a name or an element of a table.
func (r *resolver) in(e ast.Expr, how use) {
	switch e := e.(type) {
	case *ast.IdentExpr:
		r.ident(e, how, nil)
	case *ast.AttrGetExpr:
		r.attr(e, how, nil)
	default:
		r.expr(e)
	}
}

// ident notes a mention of a name. target is the variable that its value goes to, with useSource.
func (r *resolver) ident(e *ast.IdentExpr, how use, target *variable) {
	if _, again := r.vars[e]; again {
		r.foul = true // no tree that a parser made
		return
	}
	v := r.scope.find(e.Value)
	r.vars[e] = v
	if v != nil {
		v.uses |= how
		if target != nil {
			v.targets = append(v.targets, target)
		}
		return
	}
	if how&useAssigned != 0 {
		r.foul = true
		return
	}
	switch e.Value {
	case "KEYS":
		r.keyUses |= how
		if target != nil {
			r.keyTargets = append(r.keyTargets, target)
		}
	case "ARGV", "_VERSION":
	default:
		if _, ok := functions[e.Value]; !ok {
			r.foul = true
		}
		if e.Value == "setmetatable" {
			r.metatables = true
		}
	}
}

// attr notes a mention of an element of a table.
func (r *resolver) attr(e *ast.AttrGetExpr, how use, target *variable) {
	if !r.enter() {
		return
	}
	defer r.leave()
	if lib := r.library(e.Object); lib != "" {
		r.vars[e.Object.(*ast.IdentExpr)] = nil
		key, ok := e.Key.(*ast.StringExpr)
		if !ok || how&useAssigned != 0 {
			r.foul = true
			return
		}
		if lib != "redis" {
			return
		}
		switch {
		case key.Value == "call" || key.Value == "pcall":
			switch {
			case how == useSource && target != nil:
				r.commands = append(r.commands, target)
			case how != useCall:
				r.foul = true
			}
		default:
			if _, ok := redisMembers[key.Value]; !ok {
				r.foul = true
			}
		}
		return
	}
	if how&useAssigned != 0 {
		r.expr(e.Object)
	} else {
		r.in(e.Object, useIndex)
	}
	r.expr(e.Key)
}

// library returns the name of the global table that e is, "" when it is none.
func (r *resolver) library(e ast.Expr) string {
	id, ok := e.(*ast.IdentExpr)
	if !ok || r.scope.find(id.Value) != nil {
		return ""
	}
	if _, ok := libraries[id.Value]; ok || id.Value == "redis" {
		return id.Value
	}
	return ""
}

func (r *resolver) call(e *ast.FuncCallExpr) {
	if e.Receiver != nil || e.Func == nil {
		if e.Receiver == nil {
			r.foul = true
			return
		}
		r.expr(e.Receiver)
		for _, a := range e.Args {
			r.expr(a)
		}
		return
	}
	site := &callSite{callee: e.Func, args: e.Args}
	r.in(e.Func, useCall)
	args := e.Args
	if r.isGlobal(e.Func, "pcall") && len(args) > 0 {
		// pcall(f, ...) calls f(...), which is in the script's sight when f is a name.
		switch args[0].(type) {
		case *ast.IdentExpr, *ast.AttrGetExpr:
			site = &callSite{callee: args[0], args: args[1:]}
			r.in(args[0], useCall)
			args = args[1:]
		}
	}
	r.calls = append(r.calls, site)
	if id, ok := site.callee.(*ast.IdentExpr); ok && r.vars[id] != nil {
		v := r.vars[id]
		v.calls = append(v.calls, site)
	}
	reader := r.libFunc(e.Func).reader
	for i, a := range args {
		if i == 0 && reader {
			r.in(a, useRead)
		} else {
			r.expr(a)
		}
	}
}

// libFunc returns what is known of the function that e, which has been walked, names; nothing when it is none of a
// library.
func (r *resolution) libFunc(e ast.Expr) libFunc {
	switch e := e.(type) {
	case *ast.IdentExpr:
		if r.vars[e] == nil {
			return functions[e.Value]
		}
	case *ast.AttrGetExpr:
		id, ok := e.Object.(*ast.IdentExpr)
		if !ok || r.vars[id] != nil {
			break
		}
		if key, ok := e.Key.(*ast.StringExpr); ok {
			if id.Value == "redis" {
				return redisMembers[key.Value]
			}
			return libraries[id.Value][key.Value]
		}
	}
	return libFunc{}
}

func (r *resolver) functionExpr(e *ast.FunctionExpr, method bool) {
	if !r.enter() {
		return
	}
	defer r.leave()
	f := &functionDef{expr: e}
	r.functions[e] = f
	r.order = append(r.order, f)
	outer := r.function
	r.function = f
	r.open()
	if method {
		r.declare("self").sources = []source{{any: true}}
	}
	for i, name := range e.ParList.Names {
		v := r.declare(name)
		v.param, v.index = f, i
		f.params = append(f.params, v)
	}
	if e.ParList.HasVargs {
		r.declare("arg").sources = []source{{any: true}}
	}
	r.stmts(e.Stmts)
	r.close()
	r.function = outer
}
