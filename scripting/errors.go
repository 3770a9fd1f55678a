package scripting

import (
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
)

// typeName is how messages call the type of a value.
func typeName(v lua.LValue) string { return v.Type().String() }

// where returns the place of a frame as messages begin with it; empty when the frame is not Lua's.
func where(f frame) string {
	if !f.ok() || !f.isLua() {
		return ""
	}
	return f.fn().Proto.SourceName + ":" + strconv.Itoa(f.line()) + ": "
}

// raise raises a message with the place where the running Go function was called, as luaL_error does in C.
func (st *state) raise(L *lua.LState, msg string) {
	luaarg.ErrorBare(L, where(st.e.layout.current(L).parent())+msg)
}

// describe names a value that an operation did not like, as in "local 'x' (a nil value)".
func describe(kind, name string, named bool, v lua.LValue) string {
	if !named {
		return "a " + typeName(v) + " value"
	}
	return kind + " '" + name + "' (a " + typeName(v) + " value)"
}

// operand returns the value of an operand of the instruction that f is at, and its description.
func (st *state) operand(L *lua.LState, f frame, dbg *lua.Debug, rk int) (v lua.LValue, text string) {
	_, pc := f.inst()
	if rk&constantBit != 0 {
		v = f.fn().Proto.Constants[rk&^constantBit]
		return v, describe("", "", false, v)
	}
	_, v = L.GetLocal(dbg, rk+1)
	if v == nil {
		v = lua.LNil
	}
	kind, name, named := registerName(f.fn(), pc, rk)
	return v, describe(kind, name, named, v)
}

// isArith tells whether v can be an operand of arithmetic.
func isArith(v lua.LValue) bool {
	_, ok := luaarg.ToNumber(v)
	return ok
}

// translate turns an error that the VM raised in the frame at the given level into what Lua says. Errors of functions have their text already.
func (st *state) translate(L *lua.LState, level int, obj lua.LValue) lua.LValue {
	text, ok := obj.(lua.LString)
	if !ok {
		return obj
	}
	dbg, ok := L.GetStack(level)
	if !ok {
		return obj
	}
	f := st.e.layout.frameOf(dbg)
	if !f.ok() {
		return obj
	}
	msg := string(text)
	if i := strings.Index(msg, "registry overflow"); i >= 0 && !f.isLua() {
		return lua.LString("stack overflow")
	}
	if !f.isLua() {
		return lua.LString(st.goError(f, msg))
	}
	if f.pc() == 0 {
		return obj
	}
	place := where(f)
	plain := strings.TrimPrefix(msg, place)
	if fixed := st.vmError(L, f, dbg, plain); fixed != "" {
		return lua.LString(place + fixed)
	}
	return obj
}

// vmError returns Lua's words for an error of the VM's in a Lua frame; empty when it is none that needs others.
func (st *state) vmError(L *lua.LState, f frame, dbg *lua.Debug, msg string) string {
	inst, _ := f.inst()
	switch {
	case strings.HasPrefix(msg, "attempt to index a non-table object("):
		reg := instB(inst)
		if op := instOp(inst); op == lua.OP_SETTABLE || op == lua.OP_SETTABLEKS {
			reg = instA(inst)
		}
		v, text := st.operand(L, f, dbg, reg)
		kind, _, _ := strings.Cut(strings.TrimPrefix(msg, "attempt to index a non-table object("), ")")
		if typeName(v) != kind { // what a metatable led to
			text = "a " + kind + " value"
		}
		return "attempt to index " + text
	case msg == "attempt to call a non-function object":
		if instOp(inst) != lua.OP_CALL && instOp(inst) != lua.OP_TAILCALL {
			v, _ := st.operand(L, f, dbg, instA(inst))
			if instOp(inst) == lua.OP_TFORLOOP {
				return "attempt to call a " + typeName(v) + " value"
			}
			return "attempt to call a nil value"
		}
		_, text := st.operand(L, f, dbg, instA(inst))
		return "attempt to call " + text
	case strings.HasPrefix(msg, "cannot perform ") && strings.Contains(msg, " operation between "):
		return "attempt to perform arithmetic on " + st.arithCulprit(L, f, dbg)
	case msg == "__unm undefined":
		_, text := st.operand(L, f, dbg, instB(inst))
		return "attempt to perform arithmetic on " + text
	case msg == "__len undefined":
		_, text := st.operand(L, f, dbg, instB(inst))
		return "attempt to get length of " + text
	case strings.HasPrefix(msg, "attempt to compare "):
		return compareError(msg)
	case strings.HasPrefix(msg, "for statement "):
		return st.loopError(L, f, dbg)
	case msg == "registry overflow", msg == "lua callstack overflow":
		return "stack overflow"
	case msg == "too many recursions in gettable":
		return "loop in gettable"
	case msg == "too many recursions in settable":
		return "loop in settable"
	}
	return ""
}

// arithCulprit describes the operand that is to blame for an arithmetic instruction that failed: the first that is no number.
func (st *state) arithCulprit(L *lua.LState, f frame, dbg *lua.Debug) string {
	inst, _ := f.inst()
	v, text := st.operand(L, f, dbg, instB(inst))
	if isArith(v) && instOp(inst) != lua.OP_UNM {
		_, text = st.operand(L, f, dbg, instC(inst))
	}
	return text
}

// compareError gives the two types of a comparison in Lua's words.
func compareError(msg string) string {
	a, b, _ := strings.Cut(strings.TrimPrefix(msg, "attempt to compare "), " with ")
	if a == b {
		return "attempt to compare two " + a + " values"
	}
	return msg
}

// loopError tells which bound of a numeric loop is no number.
func (st *state) loopError(L *lua.LState, f frame, dbg *lua.Debug) string {
	inst, _ := f.inst()
	for i, what := range []string{"initial value", "limit", "step"} {
		if _, v := L.GetLocal(dbg, instA(inst)+i+1); v == nil || !isArith(v) {
			return "'for' " + what + " must be a number"
		}
	}
	return ""
}

// goError corrects the text of an error that a Go function raised: the name by which it was called and the place, where the libraries do not
// know better.
func (st *state) goError(f frame, msg string) string {
	fn := f.fn()
	if fn == st.errorFunc || fn == st.assertFunc {
		return msg
	}
	caller := f.parent()
	place := where(caller)
	if place == "" && st.stringFuncs[fn] {
		// The VM's own way to tell the place passes over Go functions that call each other.
		outer := ""
		for g := caller; g.ok() && outer == ""; g = g.parent() {
			outer = where(g)
		}
		msg = strings.TrimPrefix(msg, outer)
	}
	rest := strings.TrimPrefix(msg, place)
	if !strings.HasPrefix(rest, "bad argument #") {
		return msg
	}
	number, tail, ok := strings.Cut(strings.TrimPrefix(rest, "bad argument #"), " to '")
	n, err := strconv.Atoi(number)
	quote := strings.Index(tail, "' (")
	if !ok || err != nil || quote < 0 {
		return msg
	}
	kind, name := callName(caller)
	if kind == "method" {
		if n--; n == 0 {
			return place + "calling '" + name + "' on bad self" + tail[quote+1:]
		}
	}
	return place + "bad argument #" + strconv.Itoa(n) + " to '" + name + tail[quote:]
}

// callName returns what the call that f is at calls its function, "?" when it has no name.
func callName(f frame) (kind, name string) {
	if f.ok() && f.isLua() && f.pc() > 0 {
		inst, pc := f.inst()
		if op := instOp(inst); op == lua.OP_CALL || op == lua.OP_TAILCALL {
			if kind, name, ok := registerName(f.fn(), pc, instA(inst)); ok {
				return kind, name
			}
		}
	}
	return "", "?"
}
