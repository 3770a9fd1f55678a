package scripting

import (
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
)

// arithOps are the operators that strings take part in when they spell numbers.
var arithOps = map[string]func(a, b float64) float64{
	"__add": func(a, b float64) float64 { return a + b },
	"__sub": func(a, b float64) float64 { return a - b },
	"__mul": func(a, b float64) float64 { return a * b },
	"__div": func(a, b float64) float64 { return a / b },
	"__mod": func(a, b float64) float64 { return a - math.Floor(a/b)*b },
	"__pow": math.Pow,
}

// stringArith makes the metamethod of strings for an operator. The VM reads numbers in strings as Go does, with 010 as eight.
func (st *state) stringArith(event string, op func(a, b float64) float64) lua.LGFunction {
	return func(L *lua.LState) int {
		x, y := L.Get(1), L.Get(2)
		a, okA := luaarg.ToNumber(x)
		b, okB := luaarg.ToNumber(y)
		if okA && okB {
			L.Push(lua.LNumber(op(a, b)))
			return 1
		}
		f := metaField(L, x, event)
		if f == lua.LNil {
			f = metaField(L, y, event)
		}
		if f != lua.LNil {
			L.SetTop(2)
			L.Push(f)
			L.Push(x)
			L.Push(y)
			L.Call(2, 1)
			return 1
		}
		st.arithError(L, x, y)
		return 0
	}
}

func (st *state) stringUnm(L *lua.LState) int {
	x := L.Get(1)
	a, ok := luaarg.ToNumber(x)
	if !ok {
		st.arithError(L, x, x)
	}
	L.Push(lua.LNumber(-a))
	return 1
}

// arithError raises what Lua says when arithmetic fails in the instruction that called the running metamethod.
func (st *state) arithError(L *lua.LState, x, y lua.LValue) {
	f := st.e.layout.current(L).parent()
	text := ""
	if dbg, ok := L.GetStack(1); ok && f.ok() && f.isLua() {
		if inst, _ := f.inst(); instOp(inst) >= lua.OP_ADD && instOp(inst) <= lua.OP_UNM {
			text = st.arithCulprit(L, f, dbg)
		}
	}
	if text == "" {
		culprit := x
		if isArith(x) {
			culprit = y
		}
		text = "a " + typeName(culprit) + " value"
	}
	luaarg.ErrorBare(L, where(f)+"attempt to perform arithmetic on "+text)
}

// length is the operator # where a metatable may have a __len.
func (st *state) length(L *lua.LState) int {
	switch v := L.Get(1).(type) {
	case lua.LString:
		L.Push(lua.LNumber(len(v)))
	case *lua.LTable:
		real, _ := st.behind(v)
		L.Push(lua.LNumber(real.Len()))
	default:
		st.operandError(L, "get length of", 1, v)
	}
	return 1
}

// modulo is the operator "%". The VM's differs where the quotient is no number.
func (st *state) modulo(L *lua.LState) int {
	x, y := L.Get(1), L.Get(2)
	if a, ok := x.(lua.LNumber); ok {
		if b, ok := y.(lua.LNumber); ok {
			L.Push(a - lua.LNumber(math.Floor(float64(a/b)))*b)
			return 1
		}
	}
	f := metaField(L, x, "__mod")
	if f == lua.LNil {
		f = metaField(L, y, "__mod")
	}
	if f != lua.LNil {
		L.Push(f)
		L.Push(x)
		L.Push(y)
		L.Call(2, 1)
		return 1
	}
	a, okA := luaarg.ToNumber(x)
	b, okB := luaarg.ToNumber(y)
	switch {
	case !okA:
		st.operandError(L, "perform arithmetic on", 1, x)
	case !okB:
		st.operandError(L, "perform arithmetic on", 2, y)
	}
	L.Push(lua.LNumber(a - math.Floor(a/b)*b))
	return 1
}

// joinTables puts the items of its second argument behind the first maxItems of the first, with the fields of both, see rewriter.constructor.
func joinTables(L *lua.LState) int {
	t, rest := L.Get(1).(*lua.LTable), L.Get(2).(*lua.LTable)
	for k, v := rest.Next(lua.LNil); k != lua.LNil; k, v = rest.Next(k) {
		to := k
		if n, ok := k.(lua.LNumber); ok && n >= 1 && n == lua.LNumber(int(n)) && int(n) < lua.MaxArrayIndex {
			to = n + maxItems
		}
		t.RawSet(to, v)
	}
	L.Push(t)
	return 1
}

// appendValues puts its arguments from the third on behind the items of a table, whose number is the second.
func appendValues(L *lua.LState) int {
	t, n := L.Get(1).(*lua.LTable), int(L.Get(2).(lua.LNumber))
	for i := 3; i <= L.GetTop(); i++ {
		t.RawSetInt(n+i-2, L.Get(i))
	}
	L.SetTop(1)
	return 1
}

// concat joins its arguments: the operator "..".
func (st *state) concat(L *lua.LState) int {
	n := L.GetTop()
	total := 0
	plain := true
	for i := 1; i <= n; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			total += len(v)
		case lua.LNumber:
			total += 24
		default:
			plain = false
		}
	}
	if !plain {
		return st.concatMeta(L, n)
	}
	st.checkLength(L, total)
	var b strings.Builder
	b.Grow(total)
	for i := 1; i <= n; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			b.WriteString(string(v))
		case lua.LNumber:
			var digits [40]byte
			b.Write(luaarg.AppendNumber(digits[:0], float64(v), 14))
		}
	}
	L.Push(lua.LString(b.String()))
	return 1
}

// concatMeta joins n arguments of which not all are strings and numbers, from right to left.
func (st *state) concatMeta(L *lua.LState, n int) int {
	result := L.Get(n)
	for i := n - 1; i >= 1; i-- {
		x := L.Get(i)
		a, okA := luaarg.ToString(x)
		b, okB := luaarg.ToString(result)
		if okA && okB {
			st.checkLength(L, len(a)+len(b))
			result = lua.LString(a + b)
			continue
		}
		f := metaField(L, x, "__concat")
		if f == lua.LNil {
			f = metaField(L, result, "__concat")
		}
		if f == lua.LNil {
			at, culprit := i, x
			if okA {
				at, culprit = i+1, result
			}
			st.operandError(L, "concatenate", at, culprit)
		}
		L.Push(f)
		L.Push(x)
		L.Push(result)
		L.Call(2, 1)
		result = L.Get(-1)
		L.Pop(1)
	}
	L.Push(result)
	return 1
}

// operandError raises that argument n of the running function, which stands for an operator, is nothing to do that with.
func (st *state) operandError(L *lua.LState, what string, n int, v lua.LValue) {
	f := st.e.layout.current(L).parent()
	text := "a " + typeName(v) + " value"
	if f.ok() && f.isLua() {
		inst, pc := f.inst()
		if op := instOp(inst); op == lua.OP_CALL || op == lua.OP_TAILCALL {
			kind, name, named := registerName(f.fn(), pc, instA(inst)+n)
			text = describe(kind, name, named, v)
		}
	}
	luaarg.ErrorBare(L, where(f)+"attempt to "+what+" "+text)
}

// maxString is the longest string that a script can make.
const maxString = 512 << 20

// checkLength raises an error when a string would be too long.
func (st *state) checkLength(L *lua.LState, n int) {
	if n > maxString || n > 1<<20 && int64(n) > st.e.memoryLeft(st) {
		luaarg.ErrorBare(L, "not enough memory")
	}
}
