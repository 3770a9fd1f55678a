package scripting

import (
	"strings"

	"github.com/yuin/gopher-lua/ast"
)

// The VM differs from Lua 5.1 where no function can be replaced: in the operator .., in the bounds of numeric loops, in the dots of a chunk. Such
// places become calls of functions of ours, which a chunk gets as local variables of a function around it:
//
//	local (concat), (redis.call) = ...
//	return function((KEYS), (ARGV)) <the chunk> end
//
// No script can spell a name in parentheses. Globals that cannot change, because their table is read-only, come the same way: that saves
// two look-ups for redis.call and the tables of arguments where they are not used.
const (
	concatName = "(concat)"
	numberName = "(number)"
	noneName   = "(none)"
	lenName    = "(len)"
	modName    = "(mod)"
	poolName   = "(literals)"
	joinName   = "(join)"
	appendName = "(append)"
	sameName   = "(same)"
	// What "return redis.call(...)" at the end of a script calls: the reply goes to the client without becoming a Lua value.
	returnCallName  = "(return.call)"
	returnPCallName = "(return.pcall)"
	keysName        = "(KEYS)"
	argvName        = "(ARGV)"
)

// Limits of the VM, below which the rewriting stays.
const (
	maxBound  = 40 // upvalues that a function gets beside its own, of 255
	maxConcat = 50 // operands in one call, of 200 registers

	// The VM's compiler looks for each constant among all before it, so that twice as many take four times as long. From the first limit on literals come
	// from a table; the second is for names, which cannot.
	plainConstants = 1 << 10
	maxConstants   = 1 << 12
	maxUpvalues    = 60 // of a function's own, as in Lua
)

// chunkKind is where a chunk comes from.
type chunkKind uint8

const (
	scriptKind  chunkKind = iota // EVAL: KEYS and ARGV are its parameters
	libraryKind                  // FUNCTION LOAD: its own statements run when it is loaded, with other globals
	loadedKind                   // loadstring: a function like any other
)

// rewriter changes the tree of one chunk.
type rewriter struct {
	globals  map[string]bool // what may be bound: "tonumber", "redis.call"
	kind     chunkKind
	binds    []string // what the chunk needs, in parentheses
	bound    map[string]bool
	exactLen bool // the source mentions __len, which the VM heeds for tables and Lua 5.1 does not
	keys     bool // KEYS is used
	dots     bool // the chunk uses its own arguments
	argv     bool
	depth    int              // functions around the place at hand
	last     int              // depth at which a return ends the script or function; -1 for none
	locals   map[string][]int // depths of the visible declarations, the innermost last
	scope    []string
	line     int // the last one seen
	temps    int // temporary variables so far
	fn       *scope
	pool     []ast.Expr // literals that come from a table
	pooled   map[string]int
}

// scope is what counts in one function.
type scope struct {
	outer     *scope
	line      int
	constants map[string]bool
	upvalues  map[upvalue]bool
	variables []variable // in the order of their declaration
	active    []int      // those that can be seen, as indexes of variables; their number is the next one's register
	inner     []*scope   // functions within, in order
}

// variable is a local variable of a function.
type variable struct {
	name     string
	register int
	lastLine int // of the block that it belongs to
}

type upvalue struct {
	name  string
	depth int
}

// wrong ends the compilation with a message about the function at hand. compile recovers it.
func (r *rewriter) wrong(msg string) {
	where := "main function"
	if r.fn.line != 0 {
		where = "function at line " + itoa(r.fn.line)
	}
	panic(tooMuch(where + " has more than " + msg))
}

// tooMuch says what there is too much of.
type tooMuch string

// constant counts a constant of the function at hand.
func (r *rewriter) constant(key string) {
	if r.fn.constants[key] = true; len(r.fn.constants) > maxConstants {
		r.wrong(itoa(maxConstants) + " constants")
	}
}

// literal counts a literal. When there are many it becomes a look-up in two levels of tables, for which a few small numbers do.
func (r *rewriter) literal(e ast.Expr, key string) ast.Expr {
	if len(r.fn.constants) < plainConstants || r.fn.constants[key] {
		r.constant(key)
		return e
	}
	pool := r.bind(poolName, e.Line())
	if pool == nil {
		r.constant(key)
		return e
	}
	i, known := r.pooled[key]
	if !known {
		if i = len(r.pool); r.pooled == nil {
			r.pooled = map[string]int{}
		}
		r.pooled[key] = i
		r.pool = append(r.pool, e)
	}
	return r.index(r.index(pool, i/poolRow), i%poolRow)
}

// index builds an index with a number from 0 on, which counts as a constant of its own.
func (r *rewriter) index(object ast.Expr, i int) ast.Expr {
	key := &ast.NumberExpr{Value: itoa(i + 1)}
	key.SetLine(object.Line())
	get := &ast.AttrGetExpr{Object: object, Key: key}
	get.SetLine(object.Line())
	return get
}

// poolRow is how many literals are in one row of the table of literals.
const poolRow = 256

// refer counts a reference to a local variable, and tells whether the name is one.
func (r *rewriter) refer(name string) bool {
	depths := r.locals[name]
	if len(depths) == 0 {
		r.constant(name)
		return false
	}
	up := upvalue{name, depths[len(depths)-1]}
	for fn, d := r.fn, r.depth; d > up.depth; fn, d = fn.outer, d-1 {
		if fn.upvalues == nil {
			fn.upvalues = map[upvalue]bool{}
		}
		if fn.upvalues[up] = true; len(fn.upvalues) > maxUpvalues {
			r.fn = fn
			r.wrong(itoa(maxUpvalues) + " upvalues")
		}
	}
	return true
}

func newRewriter(globals map[string]bool, kind chunkKind) *rewriter {
	r := &rewriter{globals: globals, kind: kind, bound: map[string]bool{}, locals: map[string][]int{}, fn: &scope{constants: map[string]bool{}}}
	if kind != scriptKind {
		r.last = -1
	}
	return r
}

// chunk rewrites a chunk and wraps it.
func (r *rewriter) chunk(stmts []ast.Stmt, lastLine int) []ast.Stmt {
	params := []string{}
	if r.kind == scriptKind {
		params = []string{keysName, argvName}
	}
	r.declare(params...)
	r.statements(stmts)
	r.line = max(r.line, lastLine)
	r.leave(0)
	if r.dots { // the VM makes a variable arg for the dots
		for i := range r.fn.variables {
			r.fn.variables[i].register++
		}
		r.fn.variables = append([]variable{{name: "arg", lastLine: r.line}}, r.fn.variables...)
	}
	body := &ast.FunctionExpr{ParList: &ast.ParList{Names: params, HasVargs: r.dots}, Stmts: stmts}
	body.SetLine(1)
	body.SetLastLine(lastLine)
	ret := &ast.ReturnStmt{Exprs: []ast.Expr{body}}
	ret.SetLine(lastLine)
	if len(r.binds) == 0 {
		return []ast.Stmt{ret}
	}
	names := &ast.LocalAssignStmt{Names: r.binds, Exprs: []ast.Expr{&ast.Comma3Expr{}}}
	names.SetLine(1)
	return []ast.Stmt{names, ret}
}

func (r *rewriter) declare(names ...string) {
	for _, n := range names {
		r.locals[n] = append(r.locals[n], r.depth)
		r.fn.active = append(r.fn.active, len(r.fn.variables))
		r.fn.variables = append(r.fn.variables, variable{name: n, register: len(r.fn.active) - 1})
	}
	r.scope = append(r.scope, names...)
}

// leave forgets the locals declared since the scope was mark long.
func (r *rewriter) leave(mark int) {
	for _, n := range r.scope[mark:] {
		r.locals[n] = r.locals[n][:len(r.locals[n])-1]
		last := len(r.fn.active) - 1
		r.fn.variables[r.fn.active[last]].lastLine = r.line
		r.fn.active = r.fn.active[:last]
	}
	r.scope = r.scope[:mark]
}

// bind returns the local variable that holds name, nil when there is no room for another.
func (r *rewriter) bind(name string, line int) *ast.IdentExpr {
	if !r.bound[name] {
		if len(r.binds) >= maxBound {
			return nil
		}
		r.bound[name] = true
		r.binds = append(r.binds, name)
	}
	return ident(name, line)
}

func ident(name string, line int) *ast.IdentExpr {
	e := &ast.IdentExpr{Value: name}
	e.SetLine(line)
	return e
}

func (r *rewriter) block(stmts []ast.Stmt) {
	mark := len(r.scope)
	r.statements(stmts)
	r.leave(mark)
}

func (r *rewriter) statements(stmts []ast.Stmt) {
	for i, s := range stmts {
		if assign, ok := s.(*ast.AssignStmt); ok {
			stmts[i] = r.assignment(assign)
			continue
		}
		r.statement(s)
	}
}

func (r *rewriter) statement(s ast.Stmt) {
	mark := len(r.scope)
	defer func() { r.line = max(r.line, s.LastLine()) }()
	switch s := s.(type) {
	case *ast.LocalAssignStmt:
		if _, isFunc := firstExpr(s.Exprs).(*ast.FunctionExpr); isFunc && len(s.Names) == 1 && len(s.Exprs) == 1 {
			r.declare(s.Names...)
			r.exprs(s.Exprs)
			return
		}
		r.exprs(s.Exprs)
		r.declare(s.Names...)
	case *ast.FuncCallStmt:
		s.Expr = r.expr(s.Expr)
	case *ast.DoBlockStmt:
		r.block(s.Stmts)
	case *ast.WhileStmt:
		s.Condition = r.expr(s.Condition)
		r.block(s.Stmts)
	case *ast.RepeatStmt:
		r.statements(s.Stmts)
		s.Condition = r.expr(s.Condition)
		r.leave(mark)
	case *ast.IfStmt:
		s.Condition = r.expr(s.Condition)
		r.block(s.Then)
		r.block(s.Else)
	case *ast.NumberForStmt:
		s.Init, s.Limit = r.bound1(s.Init), r.bound1(s.Limit)
		if s.Step != nil {
			s.Step = r.bound1(s.Step)
		}
		r.declare("(for index)", "(for limit)", "(for step)", s.Name)
		r.block(s.Stmts)
		r.leave(mark)
	case *ast.GenericForStmt:
		r.exprs(s.Exprs)
		r.declare("(for generator)", "(for state)", "(for control)")
		r.declare(s.Names...)
		r.block(s.Stmts)
		r.leave(mark)
	case *ast.FuncDefStmt:
		switch target := s.Name.Func.(type) {
		case *ast.AttrGetExpr:
			target.Object, target.Key = r.expr(target.Object), r.expr(target.Key)
		case *ast.IdentExpr:
			r.refer(target.Value)
		}
		if s.Name.Receiver != nil {
			s.Name.Receiver = r.expr(s.Name.Receiver)
			r.function(s.Func, "self")
			return
		}
		r.function(s.Func)
	case *ast.ReturnStmt:
		if len(s.Exprs) == 1 && r.depth == r.last {
			r.lastCall(s.Exprs[0])
		}
		r.exprs(s.Exprs)
	}
}

// lastCall lets a command whose reply is that of the script answer the client directly.
func (r *rewriter) lastCall(e ast.Expr) {
	call, ok := e.(*ast.FuncCallExpr)
	if !ok || call.Func == nil {
		return
	}
	get, ok := call.Func.(*ast.AttrGetExpr)
	if !ok {
		return
	}
	switch b, _ := r.member(get).(*ast.IdentExpr); {
	case b == nil:
	case b.Value == "(redis.call)":
		call.Func = r.bindOr(returnCallName, b)
	case b.Value == "(redis.pcall)":
		call.Func = r.bindOr(returnPCallName, b)
	}
}

// bindOr is bind with another expression where there is no room.
func (r *rewriter) bindOr(name string, other *ast.IdentExpr) ast.Expr {
	if b := r.bind(name, other.Line()); b != nil {
		return b
	}
	return other
}

// callback rewrites a function that is handed to redis.register_function and to nothing else: only the server calls it.
func (r *rewriter) callback(f *ast.FunctionExpr) {
	last := r.last
	r.last = r.depth + 1
	r.function(f)
	r.last = last
}

// registration rewrites the arguments of a call at the top of a library, and tells whether it was one of redis.register_function.
func (r *rewriter) registration(e *ast.FuncCallExpr) bool {
	get, ok := e.Func.(*ast.AttrGetExpr)
	if !ok || r.kind != libraryKind || r.depth != 0 {
		return false
	}
	lib, isName := get.Object.(*ast.IdentExpr)
	key, isText := get.Key.(*ast.StringExpr)
	if !isName || !isText || lib.Value != "redis" || key.Value != "register_function" || len(r.locals["redis"]) > 0 {
		return false
	}
	for i, arg := range e.Args {
		switch arg := arg.(type) {
		case *ast.FunctionExpr:
			r.callback(arg)
			continue
		case *ast.TableExpr:
			for _, f := range arg.Fields {
				if fn, isFunc := f.Value.(*ast.FunctionExpr); isFunc {
					r.callback(fn)
					continue
				}
				f.Value = r.expr(f.Value)
				if f.Key != nil {
					f.Key = r.expr(f.Key)
					oneValue(f.Value)
				}
			}
			continue
		}
		e.Args[i] = r.expr(arg)
	}
	return true
}

func firstExpr(list []ast.Expr) ast.Expr {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

func (r *rewriter) function(f *ast.FunctionExpr, more ...string) {
	mark := len(r.scope)
	r.depth++
	outer := r.fn
	r.fn = &scope{outer: outer, line: f.Line(), constants: map[string]bool{}}
	outer.inner = append(outer.inner, r.fn)
	r.declare(more...)
	r.declare(f.ParList.Names...)
	if f.ParList.HasVargs {
		r.declare("arg")
	}
	r.block(f.Stmts)
	r.line = max(r.line, f.LastLine())
	r.leave(mark)
	r.depth--
	r.fn = r.fn.outer
}

// exprs rewrites a list whose last expression may stand for any number of values.
func (r *rewriter) exprs(list []ast.Expr) {
	for i, e := range list {
		if dots, ok := e.(*ast.Comma3Expr); ok && i == len(list)-1 && !dots.AdjustRet {
			list[i] = r.dotsExpr(dots)
			continue
		}
		list[i] = r.expr(e)
	}
}

// dotsExpr rewrites dots that stand for any number of values.
func (r *rewriter) dotsExpr(e *ast.Comma3Expr) ast.Expr {
	switch {
	case r.depth > 0:
		return e
	case r.kind == loadedKind:
		r.dots = true
		return e
	}
	none := r.call(noneName, e.Line()) // the dots of other chunks are always empty
	none.(*ast.FuncCallExpr).AdjustRet = e.AdjustRet
	return none
}

// bound1 rewrites a bound of a numeric loop, which may be a string that spells a number.
func (r *rewriter) bound1(e ast.Expr) ast.Expr {
	e = r.expr(e)
	switch e.(type) {
	case *ast.NumberExpr, *ast.ArithmeticOpExpr, *ast.UnaryMinusOpExpr, *ast.UnaryLenOpExpr:
		return e
	}
	return r.call(numberName, e.Line(), e)
}

// call builds a call of a function of ours.
func (r *rewriter) call(name string, line int, args ...ast.Expr) ast.Expr {
	f := r.bind(name, line)
	if f == nil {
		// There is always room for these few: maxBound is far below the VM's limit.
		r.bound[name] = true
		r.binds = append(r.binds, name)
		f = ident(name, line)
	}
	if len(args) > 0 {
		oneValue(args[len(args)-1])
	}
	e := &ast.FuncCallExpr{Func: f, Args: args}
	e.SetLine(line)
	return e
}

func (r *rewriter) expr(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.IdentExpr:
		return r.global(e)
	case *ast.NumberExpr:
		return r.literal(e, "\x00"+e.Value)
	case *ast.StringExpr:
		return r.literal(e, e.Value)
	case *ast.Comma3Expr:
		// One value of the dots: where it goes to a local variable directly, the VM would lose the variables behind that.
		dots := r.dotsExpr(&ast.Comma3Expr{})
		dots.SetLine(e.Line())
		same := r.call(sameName, e.Line())
		same.(*ast.FuncCallExpr).Args = []ast.Expr{dots}
		same.(*ast.FuncCallExpr).AdjustRet = true
		return same
	case *ast.AttrGetExpr:
		if b := r.member(e); b != nil {
			return b
		}
		e.Object, e.Key = r.expr(e.Object), r.expr(e.Key)
	case *ast.TableExpr:
		for i, f := range e.Fields {
			if f.Key != nil {
				f.Key = r.expr(f.Key)
			}
			if dots, ok := f.Value.(*ast.Comma3Expr); ok && f.Key == nil && i == len(e.Fields)-1 && !dots.AdjustRet {
				f.Value = r.dotsExpr(dots)
			} else if f.Value = r.expr(f.Value); f.Key != nil {
				oneValue(f.Value) // the VM would spread those of the last field over the items
			}
		}
		return r.constructor(e)
	case *ast.FuncCallExpr:
		if e.Func != nil && r.registration(e) {
			return e
		}
		if e.Func != nil {
			e.Func = r.expr(e.Func)
		} else {
			e.Receiver = r.expr(e.Receiver)
		}
		r.exprs(e.Args)
	case *ast.LogicalOpExpr:
		e.Lhs, e.Rhs = r.expr(e.Lhs), r.expr(e.Rhs)
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = r.expr(e.Lhs), r.expr(e.Rhs)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = r.expr(e.Lhs), r.expr(e.Rhs)
		if e.Operator == "%" {
			return r.call(modName, e.Line(), e.Lhs, e.Rhs)
		}
	case *ast.StringConcatOpExpr:
		return r.concat(e)
	case *ast.UnaryMinusOpExpr:
		e.Expr = r.expr(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = r.expr(e.Expr)
	case *ast.UnaryLenOpExpr:
		e.Expr = r.expr(e.Expr)
		if r.exactLen {
			return r.call(lenName, e.Line(), e.Expr)
		}
	case *ast.FunctionExpr:
		r.function(e)
	}
	return e
}

// oneValue makes a call have one result where it may come to stand at the end of a list.
func oneValue(e ast.Expr) {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
}

// global binds a global that cannot change.
func (r *rewriter) global(e *ast.IdentExpr) ast.Expr {
	name := e.Value
	if r.refer(name) || r.kind == libraryKind && r.depth == 0 {
		return e
	}
	switch {
	case name == "KEYS" && r.kind == scriptKind:
		r.keys = true
		return ident(keysName, e.Line())
	case name == "ARGV" && r.kind == scriptKind:
		r.argv = true
		return ident(argvName, e.Line())
	case !r.globals[name], name == "redis" && r.kind == libraryKind: // while the library is loaded, the table is another
		return e
	}
	if b := r.bind("("+name+")", e.Line()); b != nil {
		return b
	}
	return e
}

// member binds a field of a library: redis.call.
func (r *rewriter) member(e *ast.AttrGetExpr) ast.Expr {
	lib, ok := e.Object.(*ast.IdentExpr)
	if !ok || len(r.locals[lib.Value]) > 0 || r.kind == libraryKind && r.depth == 0 {
		return nil
	}
	key, ok := e.Key.(*ast.StringExpr)
	if !ok || !r.globals[lib.Value+"."+key.Value] {
		return nil
	}
	if b := r.bind("("+lib.Value+"."+key.Value+")", e.Line()); b != nil {
		return b
	}
	return nil
}

// concat makes one call of a chain of concatenations.
func (r *rewriter) concat(e *ast.StringConcatOpExpr) ast.Expr {
	var operands []ast.Expr
	var lines []int
	for cur := ast.Expr(e); ; {
		op, ok := cur.(*ast.StringConcatOpExpr)
		if !ok {
			operands = append(operands, r.expr(cur))
			break
		}
		operands = append(operands, r.expr(op.Lhs))
		lines = append(lines, op.Line())
		cur = op.Rhs
	}
	for len(operands) > maxConcat {
		// The operator is right-associative, so the right end comes first.
		cut := len(operands) - maxConcat
		operands = append(operands[:cut], r.call(concatName, lines[min(cut, len(lines)-1)], operands[cut:]...))
	}
	return r.call(concatName, e.Line(), operands...)
}

// unbound returns how Lua names what stands behind a name in parentheses.
func unbound(name string) (kind, plain string, ok bool) {
	if !strings.HasPrefix(name, "(") || !strings.HasSuffix(name, ")") || len(name) < 3 {
		return "", "", false
	}
	name = name[1 : len(name)-1]
	if _, field, isField := strings.Cut(name, "."); isField {
		return "field", field, true
	}
	return "global", name, true
}
