package scripting

import (
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/bit"
	"github.com/troupe-db/troupe/scripting/cjson"
	"github.com/troupe-db/troupe/scripting/cmsgpack"
	"github.com/troupe-db/troupe/scripting/luaarg"
	"github.com/troupe-db/troupe/scripting/luastruct"
)

// Every table that all scripts share is read-only. The VM has no such thing, so scripts get an empty stand-in whose metatable leads reads to the real table and
// refuses writes. The functions that look into tables, such as next and rawget, know the stand-ins.

// tables are what scripts find in a state.
type tables struct {
	evalEnv, evalGlobals *lua.LTable // the globals of scripts, stand-in and real
	fnEnv, fnGlobals     *lua.LTable // those of functions
	fnMeta               *lua.LTable // metatable of fnEnv
	loadGlobals          *lua.LTable // what fnEnv shows while a library is loaded
	real                 map[*lua.LTable]*lua.LTable
	meta                 map[*lua.LTable]lua.LValue // what getmetatable shows of a stand-in
	stringMeta           *lua.LTable                // what it shows of a string
	sources              map[string]string          // full names of chunks that scripts loaded

	missing, readOnly     *lua.LFunction // handlers of __index and __newindex
	pairsNext, arrNext    *lua.LFunction
	badHandler            *lua.LFunction
	callFailed            *lua.LFunction
	coBegin               *lua.LFunction
	vmCreate, vmResume    *lua.LFunction
	hidden                map[string]lua.LValue // what rewritten chunks are given
	rawReply              lua.LValue            // stands for the reply in state.out
	stringFuncs           map[*lua.LFunction]bool
	errorFunc, assertFunc *lua.LFunction
}

// libraryNames are the tables of functions that scripts have, redis apart.
var libraryNames = [...]string{"string", "table", "math", "cjson", "cmsgpack", "struct", "bit", "coroutine", "os"}

func (st *state) openTables() {
	L := st.L
	st.real, st.meta, st.sources = map[*lua.LTable]*lua.LTable{}, map[*lua.LTable]lua.LValue{}, map[string]string{}
	st.missing, st.readOnly = L.NewFunction(st.onMissing), L.NewFunction(st.onReadOnly)
	st.pairsNext, st.arrNext = L.NewFunction(st.baseNext), L.NewFunction(st.ipairsNext)
	st.badHandler = L.NewFunction(func(L *lua.LState) int { luaarg.ErrorBare(L, ""); return 0 })
	st.callFailed = L.NewFunction(func(L *lua.LState) int {
		luaarg.ErrorBare(L, "attempt to call a "+typeName(L.Get(1))+" value")
		return 0
	})
	st.coBegin = L.NewFunction(st.begin)
	L.Push(L.NewFunction(lua.OpenCoroutine))
	L.Call(0, 1)
	vm := L.Get(-1).(*lua.LTable)
	L.Pop(1)
	st.vmCreate, st.vmResume = vm.RawGetString("create").(*lua.LFunction), vm.RawGetString("resume").(*lua.LFunction)

	libs := st.libraries5()
	st.stringFuncs = map[*lua.LFunction]bool{}
	libs["string"].ForEach(func(_, f lua.LValue) { st.stringFuncs[f.(*lua.LFunction)] = true })
	st.stringMetatable(libs["string"])
	shared := map[string]lua.LValue{"_VERSION": lua.LString("Lua 5.1")}
	for name, f := range st.baseLib() {
		shared[name] = L.NewFunction(f)
	}
	st.errorFunc, st.assertFunc = shared["error"].(*lua.LFunction), shared["assert"].(*lua.LFunction)
	for _, name := range libraryNames {
		if t := libs[name]; t != nil {
			shared[name] = st.protectTable(t, lua.LNil)
		}
	}
	st.evalGlobals, st.evalEnv, _ = st.globals(shared, st.redisLib(true))
	st.fnGlobals, st.fnEnv, st.fnMeta = st.globals(shared, st.redisLib(false))
	st.loadGlobals = L.CreateTable(0, 1)
	api := st.loadLib()
	apiMeta := L.CreateTable(0, 1)
	apiMeta.RawSetString("__index", st.missing)
	api.Metatable = apiMeta
	st.loadGlobals.RawSetString("redis", st.protectTable(api, lua.LNil))
	loadMeta := L.CreateTable(0, 1)
	loadMeta.RawSetString("__index", st.missing)
	st.loadGlobals.Metatable = loadMeta
	st.rawReply = L.NewUserData()
	st.hidden = map[string]lua.LValue{
		returnCallName:  L.NewFunction(func(L *lua.LState) int { return st.returnCall(L, true) }),
		returnPCallName: L.NewFunction(func(L *lua.LState) int { return st.returnCall(L, false) }),
		concatName:      L.NewFunction(st.concat),
		numberName:      L.NewFunction(toNumberOrSame),
		lenName:         L.NewFunction(st.length),
		joinName:        L.NewFunction(joinTables),
		appendName:      L.NewFunction(appendValues),
		sameName:        L.NewFunction(func(L *lua.LState) int { L.SetTop(1); return 1 }),
		modName:         L.NewFunction(st.modulo),
		noneName:        L.NewFunction(func(*lua.LState) int { return 0 }),
	}
}

// globals makes a table of globals: the real one, its stand-in and the metatable of that.
func (st *state) globals(shared map[string]lua.LValue, redis *lua.LTable) (real, env, meta *lua.LTable) {
	real = st.L.CreateTable(0, 40)
	for name, v := range shared {
		real.RawSetString(name, v)
	}
	real.RawSetString("redis", st.protectTable(redis, lua.LNil))
	missing := st.L.CreateTable(0, 1)
	missing.RawSetString("__index", st.missing)
	real.Metatable = missing
	env = st.protectTable(real, st.protectTable(missing, lua.LNil))
	real.RawSetString("_G", env)
	return real, env, env.Metatable.(*lua.LTable)
}

// protectTable returns a stand-in for t. meta is what getmetatable shows of it.
func (st *state) protectTable(t *lua.LTable, meta lua.LValue) *lua.LTable {
	p, m := st.L.CreateTable(0, 0), st.L.CreateTable(0, 2)
	m.RawSetString("__index", t)
	m.RawSetString("__newindex", st.readOnly)
	p.Metatable = m
	st.real[p] = t
	st.meta[p] = meta
	return p
}

// look up behind a stand-in.
func (st *state) behind(t *lua.LTable) (real *lua.LTable, protected bool) {
	if t.Metatable == lua.LNil {
		return t, false
	}
	if real, ok := st.real[t]; ok {
		if real == st.evalGlobals {
			st.showArguments()
		}
		return real, true
	}
	return t, false
}

// writable returns t for a change by a Go function.
func (st *state) writable(L *lua.LState, t *lua.LTable) *lua.LTable {
	if t.Metatable != lua.LNil {
		if _, protected := st.real[t]; protected {
			luaarg.ErrorBare(L, msgReadOnly)
		}
	}
	return t
}

const msgReadOnly = "Attempt to modify a readonly table"

// onReadOnly is __newindex of the stand-ins.
func (st *state) onReadOnly(L *lua.LState) int {
	st.raise(L, msgReadOnly)
	return 0
}

// onMissing is __index of the globals. It also brings KEYS and ARGV, which most scripts reach another way, see rewrite.go.
func (st *state) onMissing(L *lua.LState) int {
	name, ok := luaarg.ToString(L.Get(2))
	if !ok {
		st.raise(L, "Second argument to luaProtectedTableError must be a string or number")
	}
	if name == "KEYS" || name == "ARGV" {
		if st.showArguments() {
			L.Push(st.evalGlobals.RawGetString(name))
			return 1
		}
	}
	st.raise(L, "Script attempted to access nonexistent global variable '"+luaarg.CString(name)+"'")
	return 0
}

// showArguments sets the globals KEYS and ARGV when a script runs, and tells whether one does.
func (st *state) showArguments() bool {
	if st.run == nil || st.run.args == nil || st.run.Function || st.run.words == nil {
		return false // also when the script has ended and its value, _G, becomes the reply
	}
	if st.evalGlobals.RawGetString("KEYS") == lua.LNil {
		keys, argv := st.argumentTables(st.keys == nil, st.arguments == nil)
		if st.keys != nil {
			keys = st.keys
		}
		if st.arguments != nil {
			argv = st.arguments
		}
		st.evalGlobals.RawSetString("KEYS", keys)
		st.evalGlobals.RawSetString("ARGV", argv)
	}
	return true
}

// stringMetatable gives strings their methods, and the rules of Lua for arithmetic with them.
func (st *state) stringMetatable(lib *lua.LTable) {
	L := st.L
	meta := L.CreateTable(0, 10)
	meta.RawSetString("__index", lib)
	for event, op := range arithOps {
		meta.RawSetString(event, L.NewFunction(st.stringArith(event, op)))
	}
	meta.RawSetString("__unm", L.NewFunction(st.stringUnm))
	L.SetMetatable(lua.LString(""), meta)
	shown := L.CreateTable(0, 1)
	st.stringMeta = st.protectTable(shown, lua.LNil)
}

// globalNames lists what a chunk may bind, see rewrite.go.
func (st *state) globalNames() map[string]bool {
	names := map[string]bool{}
	for _, globals := range []*lua.LTable{st.evalGlobals} {
		globals.ForEach(func(k, v lua.LValue) {
			name, ok := k.(lua.LString)
			if !ok || name == "_G" || name == "KEYS" || name == "ARGV" {
				return
			}
			names[string(name)] = true
			if t, isTable := v.(*lua.LTable); isTable {
				real, _ := st.behind(t)
				real.ForEach(func(k, _ lua.LValue) {
					if field, ok := k.(lua.LString); ok {
						names[string(name)+"."+string(field)] = true
					}
				})
			}
		})
	}
	return names
}

// value returns what a name in parentheses stands for.
func (st *state) value(name string, env *lua.LTable) lua.LValue {
	if v, ok := st.hidden[name]; ok {
		return v
	}
	lib, field, isField := strings.Cut(name[1:len(name)-1], ".")
	globals, _ := st.behind(env)
	v := globals.RawGetString(lib)
	if !isField {
		return v
	}
	t, ok := v.(*lua.LTable)
	if !ok {
		return lua.LNil
	}
	real, _ := st.behind(t)
	return real.RawGetString(field)
}

// libraries5 opens the libraries.
func (st *state) libraries5() map[string]*lua.LTable {
	L := st.L
	libs := map[string]*lua.LTable{
		"table":     L.SetFuncs(L.CreateTable(0, 10), st.tableLib()),
		"math":      st.mathLib(),
		"coroutine": L.SetFuncs(L.CreateTable(0, 6), st.coroutineLib()),
		"os":        L.SetFuncs(L.CreateTable(0, 1), map[string]lua.LGFunction{"clock": st.osClock}),
		"string":    st.stringLib(),
		"cjson":     cjson.Open(L),
		"cmsgpack":  cmsgpack.Open(L),
		"struct":    luastruct.Open(L),
		"bit":       bit.Open(L),
	}
	return libs
}

func argError(L *lua.LState, n int, msg string) { luaarg.ArgError(L, n, msg) }

// table returns argument n, which must be a table.
func checkTable(L *lua.LState, n int) *lua.LTable {
	t, ok := L.Get(n).(*lua.LTable)
	if !ok {
		luaarg.TypeError(L, n, "table")
	}
	return t
}

func checkAny(L *lua.LState, n int) lua.LValue {
	if n > L.GetTop() {
		argError(L, n, "value expected")
	}
	return L.Get(n)
}

// metaField returns a field of the metatable of v, LNil when there is none.
func metaField(L *lua.LState, v lua.LValue, event string) lua.LValue {
	switch v := v.(type) {
	case *lua.LTable:
		if m, ok := v.Metatable.(*lua.LTable); ok {
			return m.RawGetString(event)
		}
	case *lua.LUserData:
		if m, ok := v.Metatable.(*lua.LTable); ok {
			return m.RawGetString(event)
		}
	}
	return lua.LNil
}

func itoa(n int) string { return strconv.Itoa(n) }
