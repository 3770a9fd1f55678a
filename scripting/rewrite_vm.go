package scripting

import (
	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
)

// Ways around mistakes of the VM's compiler. Each was found by comparing programs with Lua itself, see random_test.go.

// assignment rewrites an assignment. The VM's compiler lets a value that goes to the last parameter of a function overwrite the variables behind it when
// it comes from a call, loses a false operand of "and" and "or" on its way to a local variable, and assigns to several targets in another order than Lua. So
// all but simple assignments go by way of temporary variables:
//
//	do local (temp 1), (temp 2) = object, key  local (temp 3), (temp 4) = value, value  target = (temp 4)  object[key] = (temp 3) end
func (r *rewriter) assignment(s *ast.AssignStmt) ast.Stmt {
	defer func() { r.line = max(r.line, s.LastLine()) }()
	if len(s.Lhs) > 1 || len(s.Rhs) > 1 {
		return r.severalTargets(s)
	}
	s.Lhs[0] = r.target(s.Lhs[0])
	value := r.expr(s.Rhs[0])
	if call, ok := value.(*ast.FuncCallExpr); ok {
		call.AdjustRet = false // an assignment takes one value anyway, and this way does no harm
	}
	s.Rhs[0] = value
	if _, logical := value.(*ast.LogicalOpExpr); logical && r.isVariable(s.Lhs[0]) {
		mark := len(r.scope)
		t := r.temp(s.Line())
		local := &ast.LocalAssignStmt{Names: []string{t.Value}, Exprs: []ast.Expr{value}}
		local.SetLine(s.Line())
		r.declare(t.Value)
		r.leave(mark)
		return r.do(s, local, r.assign(s.Lhs[0], t, s.Line()))
	}
	return s
}

// target rewrites what is assigned to.
func (r *rewriter) target(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		e.Object, e.Key = r.expr(e.Object), r.expr(e.Key)
		switch e.Object.(type) {
		case *ast.StringExpr, *ast.NumberExpr, *ast.NilExpr, *ast.TrueExpr, *ast.FalseExpr:
			// The VM would take the number of the constant for that of a register.
			e.Object = r.call(sameName, e.Line(), e.Object)
		}
	case *ast.IdentExpr:
		r.refer(e.Value)
	}
	return e
}

// tempPrefix begins the names of temporary variables.
const tempPrefix = "(temp "

// temp returns a new temporary variable, which the caller declares.
func (r *rewriter) temp(line int) *ast.IdentExpr {
	r.temps++
	return ident(tempPrefix+itoa(r.temps)+")", line)
}

func (r *rewriter) do(s *ast.AssignStmt, stmts ...ast.Stmt) ast.Stmt {
	block := &ast.DoBlockStmt{Stmts: stmts}
	block.SetLine(s.Line())
	block.SetLastLine(s.LastLine())
	return block
}

func (r *rewriter) assign(target, value ast.Expr, line int) ast.Stmt {
	s := &ast.AssignStmt{Lhs: []ast.Expr{target}, Rhs: []ast.Expr{value}}
	s.SetLine(line)
	s.SetLastLine(line)
	return s
}

// isVariable tells whether a target is a local variable of the function at hand.
func (r *rewriter) isVariable(e ast.Expr) bool {
	id, ok := e.(*ast.IdentExpr)
	if !ok {
		return false
	}
	depths := r.locals[id.Value]
	return len(depths) > 0 && depths[len(depths)-1] == r.depth
}

func (r *rewriter) severalTargets(s *ast.AssignStmt) ast.Stmt {
	mark := len(r.scope)
	line := s.Line()
	var stmts []ast.Stmt
	for i, target := range s.Lhs {
		get, ok := r.target(target).(*ast.AttrGetExpr)
		if !ok {
			continue
		}
		object := r.temp(get.Object.Line())
		places := &ast.LocalAssignStmt{Names: []string{object.Value}, Exprs: []ast.Expr{get.Object}}
		places.SetLine(line)
		if call, isCall := get.Object.(*ast.FuncCallExpr); isCall {
			call.AdjustRet = true
		}
		get.Object = object
		switch get.Key.(type) {
		case *ast.StringExpr, *ast.NumberExpr:
		default:
			key := r.temp(get.Key.Line())
			oneValue(get.Key)
			places.Names, places.Exprs = append(places.Names, key.Value), append(places.Exprs, get.Key)
			get.Key = key
		}
		stmts = append(stmts, places)
		r.declare(places.Names...)
		s.Lhs[i] = get
	}
	r.exprs(s.Rhs)
	values := &ast.LocalAssignStmt{Exprs: s.Rhs}
	values.SetLine(line)
	for range s.Lhs {
		values.Names = append(values.Names, r.temp(line).Value)
	}
	r.declare(values.Names...)
	stmts = append(stmts, values)
	for i := len(s.Lhs) - 1; i >= 0; i-- {
		stmts = append(stmts, r.assign(s.Lhs[i], ident(values.Names[i], line), line))
	}
	r.leave(mark)
	return r.do(s, stmts...)
}

// maxItems is how many items one table constructor may have: those beyond 511 flushes of 50 the VM puts at a wrong place.
const maxItems = 25000

// constructor works around mistakes of the VM's compiler in constructors with many items.
func (r *rewriter) constructor(e *ast.TableExpr) ast.Expr {
	if len(e.Fields) < lua.FieldsPerFlush {
		return e
	}
	keyedAfterFlush(e.Fields)
	items := 0
	for i, f := range e.Fields {
		if f.Key != nil {
			continue
		}
		if items++; items == maxItems && i+1 < len(e.Fields) {
			rest := &ast.TableExpr{Fields: e.Fields[i+1:]}
			rest.SetLine(e.Line())
			oneValue(f.Value)
			e.Fields = e.Fields[:i+1]
			return r.call(joinName, e.Line(), e, r.constructor(rest))
		}
	}
	last := e.Fields[len(e.Fields)-1]
	if items--; last.Key != nil || !spreads(last.Value) || items == 0 || items%lua.FieldsPerFlush != 0 {
		return e
	}
	// The values of a call that follows a multiple of 50 items would go over the last 50.
	e.Fields = e.Fields[:len(e.Fields)-1]
	n := &ast.NumberExpr{Value: itoa(items)}
	n.SetLine(e.Line())
	call := r.call(appendName, e.Line(), e, n).(*ast.FuncCallExpr)
	call.Args = append(call.Args, last.Value)
	return call
}

// spreads tells whether an expression at the end of a list stands for any number of values.
func spreads(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		return !e.AdjustRet
	case *ast.Comma3Expr:
		return !e.AdjustRet
	}
	return false
}

// keyedAfterFlush moves fields with keys that follow a multiple of 50 items before the last of these: the VM would store the items twice, the second
// time from registers that may hold something else.
func keyedAfterFlush(fields []*ast.Field) {
	items, last := 0, 0
	for i, f := range fields {
		switch {
		case f.Key == nil:
			items, last = items+1, i
		case items > 0 && items%lua.FieldsPerFlush == 0:
			item := fields[last]
			oneValue(item.Value)
			fields[last], fields[i] = f, item
			// Fields with keys in between keep their order.
			for j := i - 1; j > last; j-- {
				fields[j], fields[last] = fields[last], fields[j]
			}
			last = i
		}
	}
}
