package scripting

import (
	"runtime/metrics"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
	"github.com/troupe-db/troupe/scripting/syntax"
)

func (st *state) baseLib() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"assert": st.baseAssert, "collectgarbage": baseCollectGarbage, "error": st.baseError, "gcinfo": baseGCInfo,
		"getmetatable": st.baseGetMetatable, "ipairs": st.baseIPairs, "load": st.baseLoad, "loadstring": st.baseLoadString, "next": st.baseNext,
		"pairs": st.basePairs, "pcall": st.basePCall, "rawequal": baseRawEqual, "rawget": st.baseRawGet, "rawset": st.baseRawSet,
		"select": baseSelect, "setmetatable": st.baseSetMetatable, "tonumber": baseToNumber, "tostring": st.baseToString, "type": baseType,
		"unpack": st.baseUnpack, "xpcall": st.baseXPCall,
	}
}

func (st *state) baseAssert(L *lua.LState) int {
	if lua.LVAsBool(checkAny(L, 1)) {
		return L.GetTop()
	}
	msg := "assertion failed!"
	if L.Get(2) != lua.LNil {
		msg = luaarg.String(L, 2)
	}
	st.raise(L, luaarg.CString(msg))
	return 0
}

// gcOptions are the words that collectgarbage takes. The memory of scripts is Go's, which looks after itself: nothing is to be collected.
var gcOptions = []string{"stop", "restart", "collect", "count", "step", "setpause", "setstepmul"}

func baseCollectGarbage(L *lua.LState) int {
	option := 2
	if L.Get(1) != lua.LNil {
		option = luaarg.Option(L, 1, gcOptions)
	}
	luaarg.OptInteger(L, 2, 0)
	var result lua.LValue = lua.LNumber(0)
	switch gcOptions[option] {
	case "count":
		result = lua.LNumber(float64(heapBytes()) / 1024)
	case "step":
		result = lua.LTrue
	case "setpause", "setstepmul":
		result = lua.LNumber(200)
	}
	L.Push(result)
	return 1
}

func baseGCInfo(L *lua.LState) int {
	L.Push(lua.LNumber(heapBytes() / 1024))
	return 1
}

// heapBytes returns how much the objects of the process take.
func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func (st *state) baseError(L *lua.LState) int {
	level := luaarg.OptInteger(L, 2, 1)
	obj := L.Get(1)
	if s, ok := luaarg.ToString(obj); ok && level > 0 {
		obj = lua.LString(where(st.callLevel(L, level)) + s)
	}
	L.Error(obj, 0)
	return 0
}

// callLevel returns the frame that is level calls out of the running function. Calls that were replaced by tail calls count, but have no frame.
func (st *state) callLevel(L *lua.LState, level int64) frame {
	f := st.e.layout.current(L)
	for ; level > 0 && f.ok(); f = f.parent() {
		level--
		if f.isLua() {
			level -= int64(f.tailCalls())
		}
	}
	if level < 0 {
		return frame{}
	}
	return f
}

func (st *state) baseGetMetatable(L *lua.LState) int {
	v := checkAny(L, 1)
	switch t := v.(type) {
	case lua.LString:
		shown, _ := st.behind(st.stringMeta)
		if shown.RawGetString("__index") == lua.LNil {
			shown.RawSetString("__index", st.evalGlobals.RawGetString("string"))
		}
		L.Push(st.stringMeta)
		return 1
	case *lua.LTable:
		if t.Metatable != lua.LNil {
			if m, protected := st.meta[t]; protected {
				L.Push(m)
				return 1
			}
		}
	}
	if m := metaField(L, v, "__metatable"); m != lua.LNil {
		L.Push(m)
	} else {
		L.Push(L.GetMetatable(v))
	}
	return 1
}

func (st *state) baseSetMetatable(L *lua.LState) int {
	t := checkTable(L, 1)
	m := L.Get(2)
	if L.GetTop() < 2 || m != lua.LNil && m.Type() != lua.LTTable {
		argError(L, 2, "nil or table expected")
	}
	if _, protected := st.real[t]; !protected && metaField(L, t, "__metatable") != lua.LNil {
		st.raise(L, "cannot change a protected metatable")
	}
	st.writable(L, t).Metatable = m
	L.SetTop(1)
	return 1
}

func (st *state) basePairs(L *lua.LState) int {
	t := checkTable(L, 1)
	L.Push(st.pairsNext)
	L.Push(t)
	L.Push(lua.LNil)
	return 3
}

func (st *state) baseNext(L *lua.LState) int {
	t, _ := st.behind(checkTable(L, 1))
	key := L.Get(2)
	if _, isNumber := key.(lua.LNumber); !isNumber && key != lua.LNil && t.RawGet(key) == lua.LNil && !st.e.layout.knows(t, key) {
		luaarg.ErrorBare(L, "invalid key to 'next'")
	}
	k, v := t.Next(key)
	if k == lua.LNil {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(k)
	L.Push(v)
	return 2
}

func (st *state) baseIPairs(L *lua.LState) int {
	t := checkTable(L, 1)
	L.Push(st.arrNext)
	L.Push(t)
	L.Push(lua.LNumber(0))
	return 3
}

func (st *state) ipairsNext(L *lua.LState) int {
	t, _ := st.behind(checkTable(L, 1))
	i := luaarg.Integer(L, 2) + 1
	v := t.RawGet(lua.LNumber(i))
	if v == lua.LNil {
		return 0
	}
	L.Push(lua.LNumber(i))
	L.Push(v)
	return 2
}

func baseRawEqual(L *lua.LState) int {
	L.Push(lua.LBool(L.RawEqual(checkAny(L, 1), checkAny(L, 2))))
	return 1
}

func (st *state) baseRawGet(L *lua.LState) int {
	t, _ := st.behind(checkTable(L, 1))
	L.Push(t.RawGet(checkAny(L, 2)))
	return 1
}

func (st *state) baseRawSet(L *lua.LState) int {
	t := checkTable(L, 1)
	key, v := checkAny(L, 2), checkAny(L, 3)
	st.setTable(L, st.writable(L, t), key, v)
	L.SetTop(1)
	return 1
}

// setTable sets a field without metamethods.
func (st *state) setTable(L *lua.LState, t *lua.LTable, key, v lua.LValue) {
	switch k := key.(type) {
	case *lua.LNilType:
		luaarg.ErrorBare(L, "table index is nil")
	case lua.LNumber:
		if k != k {
			luaarg.ErrorBare(L, "table index is NaN")
		}
	}
	t.RawSet(key, v)
}

func baseSelect(L *lua.LState) int {
	n := L.GetTop()
	if s, ok := L.Get(1).(lua.LString); ok && strings.HasPrefix(string(s), "#") {
		L.Push(lua.LNumber(n - 1))
		return 1
	}
	i := luaarg.Integer(L, 1)
	if i < 0 {
		i += int64(n)
	} else {
		i = min(i, int64(n))
	}
	if i < 1 {
		argError(L, 1, "index out of range")
	}
	return n - int(i)
}

func baseToNumber(L *lua.LState) int {
	base := luaarg.OptInteger(L, 2, 10)
	if base == 10 {
		v := checkAny(L, 1)
		if f, ok := luaarg.ToNumber(v); ok {
			L.Push(lua.LNumber(f))
		} else {
			L.Push(lua.LNil)
		}
		return 1
	}
	s := luaarg.CString(luaarg.String(L, 1))
	if base < 2 || base > 36 {
		argError(L, 2, "base out of range")
	}
	if n, ok := parseUnsigned(s, int(base)); ok {
		L.Push(lua.LNumber(n))
	} else {
		L.Push(lua.LNil)
	}
	return 1
}

// parseUnsigned reads a number in a base as C's strtoul does: white space around it, a sign, 0x before hexadecimal digits; too large a number is the largest.
func parseUnsigned(s string, base int) (float64, bool) {
	const space = " \t\n\v\f\r"
	s = strings.TrimLeft(s, space)
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	if base == 16 && len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' && digitValue(s[2]) < 16 {
		s = s[2:]
	}
	var n uint64
	over := false
	i := 0
	for ; i < len(s) && digitValue(s[i]) < base; i++ {
		next := n*uint64(base) + uint64(digitValue(s[i]))
		if n > (1<<64-1-uint64(digitValue(s[i])))/uint64(base) {
			over = true
		}
		n = next
	}
	if i == 0 || strings.TrimLeft(s[i:], space) != "" {
		return 0, false
	}
	if over {
		n = 1<<64 - 1
	} else if negative {
		n = -n
	}
	return float64(n), true
}

func digitValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'z':
		return int(c|0x20-'a') + 10
	}
	return 99
}

func (st *state) baseToString(L *lua.LState) int {
	v := checkAny(L, 1)
	if f := metaField(L, v, "__tostring"); f != lua.LNil {
		L.Push(f)
		L.Push(v)
		L.Call(1, 1)
		return 1
	}
	L.Push(lua.LString(toText(v)))
	return 1
}

// toText returns what tostring makes of a value without a metamethod.
func toText(v lua.LValue) string {
	switch v := v.(type) {
	case lua.LString:
		return string(v)
	case lua.LNumber:
		return luaarg.FormatNumber(float64(v))
	}
	return v.String()
}

func baseType(L *lua.LState) int {
	L.Push(lua.LString(typeName(checkAny(L, 1))))
	return 1
}

func (st *state) baseUnpack(L *lua.LState) int {
	t, _ := st.behind(checkTable(L, 1))
	i := luaarg.OptInteger(L, 2, 1)
	e := int64(t.Len())
	if L.Get(3) != lua.LNil {
		e = luaarg.Integer(L, 3)
	}
	if i > e {
		return 0
	}
	n := e - i + 1
	if n <= 0 || n > luaarg.MaxStack-int64(L.GetTop()) {
		st.raise(L, "too many results to unpack")
	}
	for ; i <= e; i++ {
		L.Push(t.RawGet(lua.LNumber(i)))
	}
	return int(n)
}

// toNumberOrSame returns its argument as a number if it spells one, for the bounds of numeric loops.
func toNumberOrSame(L *lua.LState) int {
	v := L.Get(1)
	if s, ok := v.(lua.LString); ok {
		if f, isNumber := luaarg.ParseNumber(string(s)); isNumber {
			v = lua.LNumber(f)
		}
	}
	L.Push(v)
	return 1
}

func (st *state) baseLoadString(L *lua.LState) int {
	src := luaarg.String(L, 1)
	name := src
	if L.Get(2) != lua.LNil {
		name = luaarg.String(L, 2)
	}
	return st.load(L, src, name)
}

func (st *state) baseLoad(L *lua.LState) int {
	f, ok := L.Get(1).(*lua.LFunction)
	if !ok {
		luaarg.TypeError(L, 1, "function")
	}
	name := "=(load)"
	if L.Get(2) != lua.LNil {
		name = luaarg.String(L, 2)
	}
	var b strings.Builder
	for {
		L.Push(f)
		L.Call(0, 1)
		v := L.Get(-1)
		L.Pop(1)
		if v == lua.LNil {
			break
		}
		s, isText := luaarg.ToString(v)
		if !isText {
			luaarg.ErrorBare(L, "reader function must return a string")
		}
		if s == "" {
			break
		}
		st.checkLength(L, b.Len()+len(s))
		b.WriteString(s)
	}
	return st.load(L, b.String(), name)
}

// load compiles a chunk for a script: the function, or nil and what is wrong.
func (st *state) load(L *lua.LState, src, name string) int {
	chunk := syntax.ChunkName(luaarg.CString(name))
	u, err := st.e.compile(src, chunk, loadedKind)
	if err != nil {
		L.Push(lua.LNil)
		L.Push(lua.LString(err.Error()))
		return 2
	}
	if len(st.sources) >= keptFunctions {
		clear(st.sources)
	}
	st.sources[chunk] = luaarg.CString(name)
	env := st.evalEnv
	if st.run.Function {
		env = st.fnEnv
	}
	L.Push(st.instantiate(L, u, env))
	return 1
}
