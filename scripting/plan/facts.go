package plan

import "github.com/yuin/gopher-lua/ast"

// fact is what is known of all the values that a variable or a function's result may have. All facts are taken for true
// until a value is found that contradicts; that is sound because a value comes from somewhere in the end, and right for
// functions that call themselves.
type fact struct {
	notKey    bool // it may be other than an element of KEYS, nil or false
	notTable  bool // it may be other than the table KEYS
	notNumber bool // it may be other than a number or nil
	derived   bool // it may be a string put together from others or read from the keyspace; see cost.go
}

// facts is a resolution with what follows from it.
type facts struct {
	*resolution
	commandVars map[*variable]bool // hold redis.call or redis.pcall and are only called
}

// settle finds the facts about all variables. It returns nil when that takes too long.
func (r *resolution) settle() *facts {
	f := &facts{resolution: r, commandVars: map[*variable]bool{}}
	for _, v := range r.commands {
		f.commandVars[v] = f.holdsCommand(v)
	}
	for _, v := range r.all {
		if v.uses&^(useCall|useAssigned) != 0 || v.param != nil {
			continue
		}
		if src, ok := v.onlySource(); ok && src.nth == 0 {
			if e, ok := src.expr.(*ast.FunctionExpr); ok {
				r.functions[e].name = v
			}
		}
	}
	for range maxRounds {
		changed := false
		for _, v := range r.all {
			changed = f.update(&v.fact, f.sourcesOf(v)) || changed
		}
		for _, fn := range r.order {
			changed = f.update(&fn.fact, resultsOf(fn)) || changed
		}
		if !changed {
			return f
		}
	}
	return nil
}

// onlySource returns the one source of a variable besides nil, which is never called and never a key.
func (v *variable) onlySource() (source, bool) {
	var only source
	found := false
	for _, s := range v.sources {
		if s.expr == nil && !s.any {
			continue
		}
		if found || s.any {
			return source{}, false
		}
		only, found = s, true
	}
	return only, found
}

func (f *facts) holdsCommand(v *variable) bool {
	if v.uses&^(useCall|useAssigned) != 0 || v.param != nil {
		return false
	}
	for _, s := range v.sources {
		if s.any || s.expr != nil && !f.namesCommand(s.expr) {
			return false
		}
	}
	return true
}

// namesCommand reports whether e is redis.call or redis.pcall.
func (f *facts) namesCommand(e ast.Expr) bool {
	a, ok := e.(*ast.AttrGetExpr)
	if !ok || !f.isGlobal(a.Object, "redis") {
		return false
	}
	key, ok := a.Key.(*ast.StringExpr)
	return ok && (key.Value == "call" || key.Value == "pcall")
}

// isCommandCall reports whether c calls a command.
func (f *facts) isCommandCall(c *callSite) bool { return f.callsCommand(c.callee) }

func (f *facts) callsCommand(callee ast.Expr) bool {
	if id, ok := callee.(*ast.IdentExpr); ok {
		return f.commandVars[f.vars[id]]
	}
	return f.namesCommand(callee)
}

// commandsEscape reports whether commands may be called elsewhere than at the calls that are known.
func (f *facts) commandsEscape() bool {
	for _, v := range f.commands {
		if !f.commandVars[v] {
			return true
		}
	}
	return false
}

// keysEscape reports whether the table KEYS may be changed.
func (f *facts) keysEscape() bool {
	if f.keyUses&^useTable != 0 {
		return true
	}
	seen := map[*variable]bool{}
	for todo := f.keyTargets; len(todo) > 0; {
		v := todo[len(todo)-1]
		todo = todo[: len(todo)-1 : len(todo)-1]
		if seen[v] {
			continue
		}
		seen[v] = true
		if v.notTable || v.uses&^(useTable|useAssigned) != 0 {
			return true
		}
		todo = append(todo, v.targets...)
	}
	return false
}

// sourcesOf returns all that the value of v may come from.
func (f *facts) sourcesOf(v *variable) []source {
	if v.param == nil {
		return v.sources
	}
	if v.param.name == nil {
		return []source{{any: true}}
	}
	sources := v.sources
	for _, c := range v.param.name.calls {
		sources = append(sources[:len(sources):len(sources)], valueAt(c.args, v.index))
	}
	return sources
}

// resultsOf returns all that the first result of fn may come from.
func resultsOf(fn *functionDef) []source {
	var results []source
	for _, s := range fn.returns {
		results = append(results, valueAt(s.Exprs, 0))
	}
	return results
}

// update takes back what the sources contradict.
func (f *facts) update(to *fact, sources []source) bool {
	was := *to
	for _, s := range sources {
		if s.any {
			*to = fact{true, true, true, true}
			break
		}
		if s.expr == nil {
			continue
		}
		if s.nth > 0 {
			to.notKey = to.notKey || !f.unpacksKeys(s.expr)
			to.notTable, to.notNumber, to.derived = true, true, true
			continue
		}
		to.notKey = to.notKey || !f.isKey(s.expr)
		to.notTable = to.notTable || !f.isKeysTable(s.expr)
		to.notNumber = to.notNumber || !f.isNumber(s.expr)
		to.derived = to.derived || f.isDerived(s.expr)
	}
	return *to != was
}

// isKeysTable reports whether e is the table KEYS.
func (f *facts) isKeysTable(e ast.Expr) bool {
	id, ok := e.(*ast.IdentExpr)
	if !ok {
		return false
	}
	if v := f.vars[id]; v != nil {
		return !v.notTable
	}
	return id.Value == "KEYS"
}

// unpacksKeys reports whether all values of e are elements of KEYS.
func (f *facts) unpacksKeys(e ast.Expr) bool {
	call, ok := e.(*ast.FuncCallExpr)
	return ok && call.Func != nil && f.isGlobal(call.Func, "unpack") && len(call.Args) > 0 && f.isKeysTable(call.Args[0])
}

// isKey reports whether e is an element of KEYS, nil or false.
func (f *facts) isKey(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.NilExpr, *ast.FalseExpr:
		return true
	case *ast.IdentExpr:
		v := f.vars[e]
		return v != nil && !v.notKey
	case *ast.AttrGetExpr:
		return f.isKeysTable(e.Object)
	case *ast.LogicalOpExpr:
		// "a and b" is b, or a when that is nil or false.
		return f.isKey(e.Rhs) && (e.Operator == "and" || f.isKey(e.Lhs))
	case *ast.FuncCallExpr:
		if f.unpacksKeys(e) {
			return true
		}
		fn := f.calledFunction(e.Func)
		return fn != nil && !fn.notKey
	}
	return false
}

// calledFunction returns the function of the script that e names, nil when it may be another.
func (f *facts) calledFunction(e ast.Expr) *functionDef {
	id, ok := e.(*ast.IdentExpr)
	if !ok {
		return nil
	}
	v := f.vars[id]
	if v == nil {
		return nil
	}
	src, ok := v.onlySource()
	if !ok {
		return nil
	}
	def, ok := src.expr.(*ast.FunctionExpr)
	if !ok || f.functions[def].name != v {
		return nil
	}
	return f.functions[def]
}

// isNumber reports whether e is a number or nil.
func (f *facts) isNumber(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.NumberExpr, *ast.NilExpr:
		return true
	case *ast.ArithmeticOpExpr, *ast.UnaryMinusOpExpr, *ast.UnaryLenOpExpr:
		return !f.metatables
	case *ast.IdentExpr:
		v := f.vars[e]
		return v != nil && !v.notNumber
	case *ast.LogicalOpExpr:
		return f.isNumber(e.Lhs) && f.isNumber(e.Rhs)
	case *ast.FuncCallExpr:
		return e.Func != nil && f.libFunc(e.Func).number
	}
	return false
}
