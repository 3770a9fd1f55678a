package luaarg

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// MaxStack is how many values a function of Lua's C API may have on its stack. Go has no such limit, but scripts see it: in the number of
// results that a call can have and in how deep tables can be nested.
const MaxStack = 8000

// Errorf raises an error with the place of the call in front, when it was Lua code that called.
func Errorf(L *lua.LState, format string, args ...any) {
	where := L.Where(1)
	if where == "" || strings.HasPrefix(where, "[G]") {
		where = ""
	} else {
		where += " "
	}
	ErrorBare(L, where+fmt.Sprintf(format, args...))
}

// ErrorBare raises an error whose message is just msg, as Lua's core does when C code breaks one of its rules.
func ErrorBare(L *lua.LState, msg string) {
	L.Error(lua.LString(msg), 0)
}

// ArgError raises the error that says what is wrong with argument n, which counts from 1.
func ArgError(L *lua.LState, n int, msg string) {
	Errorf(L, "bad argument #%d to '%s' (%s)", n, caller(L), msg)
}

// caller returns the name by which the running function was called; "?" where the code that called gives none.
func caller(L *lua.LState) string {
	dbg, ok := L.GetStack(0)
	if !ok {
		return "?"
	}
	if _, err := L.GetInfo("n", dbg, lua.LNil); err != nil {
		return "?"
	}
	switch name := dbg.Name; name {
	case "", "(anonymous)", "main chunk", "corountine": // the last is the VM's spelling, for the function that a coroutine starts with
		return "?"
	default:
		return name
	}
}

// TypeError raises the error that argument n is not of the type named.
func TypeError(L *lua.LState, n int, want string) {
	got := "no value"
	if n <= L.GetTop() {
		got = L.Get(n).Type().String()
	}
	ArgError(L, n, want+" expected, got "+got)
}

// ToNumber returns what v is as a number; ok is false when it is neither a number nor a string that spells one.
func ToNumber(v lua.LValue) (f float64, ok bool) {
	switch v := v.(type) {
	case lua.LNumber:
		return float64(v), true
	case lua.LString:
		return ParseNumber(string(v))
	}
	return 0, false
}

// ToString returns what v is as a string; ok is false when it is neither a string nor a number.
func ToString(v lua.LValue) (s string, ok bool) {
	switch v := v.(type) {
	case lua.LString:
		return string(v), true
	case lua.LNumber:
		return FormatNumber(float64(v)), true
	}
	return "", false
}

// Number returns argument n, which must be a number or a string that spells one.
func Number(L *lua.LState, n int) float64 {
	f, ok := ToNumber(L.Get(n))
	if !ok {
		TypeError(L, n, "number")
	}
	return f
}

// Integer returns argument n without its fraction.
func Integer(L *lua.LState, n int) int64 { return Int64(Number(L, n)) }

// OptInteger is Integer for an argument that may be missing or nil, which means def.
func OptInteger(L *lua.LState, n int, def int64) int64 {
	if L.Get(n) == lua.LNil {
		return def
	}
	return Integer(L, n)
}

// String returns argument n, which must be a string or a number.
func String(L *lua.LState, n int) string {
	s, ok := ToString(L.Get(n))
	if !ok {
		TypeError(L, n, "string")
	}
	return s
}

// Option returns which of options argument n is.
func Option(L *lua.LState, n int, options []string) int {
	s := CString(String(L, n))
	for i, o := range options {
		if s == o {
			return i
		}
	}
	ArgError(L, n, "invalid option '"+s+"'")
	return -1
}

// CString returns s up to its first NUL byte: what is left of a string where C code looks for its end by itself.
func CString(s string) string {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return s[:i]
	}
	return s
}

// StackOverflow raises the error that more values are needed than MaxStack; what says by whom.
func StackOverflow(L *lua.LState, what string) {
	Errorf(L, "stack overflow (%s)", what)
}

// OutOfMemory raises the error that Lua raises when it is given no more memory.
func OutOfMemory(L *lua.LState) { ErrorBare(L, "not enough memory") }

// interruptEvery is how many steps an Interrupter counts between two looks at the context.
const interruptEvery = 1 << 12

// An Interrupter ends long work in Go when the context of the script is done: the VM itself looks only between its own instructions.
type Interrupter struct {
	L     *lua.LState
	steps int
}

// Step is to be called for every value worked on. It raises the context's error once that is done.
func (i *Interrupter) Step() {
	if i.steps++; i.steps%interruptEvery != 0 {
		return
	}
	if ctx := i.L.Context(); ctx != nil {
		if err := ctx.Err(); err != nil {
			Errorf(i.L, "%s", err.Error())
		}
	}
}
