package scripting

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luastring"
)

// stringLib opens the library string. Compiled code is neither given out nor taken, so string.dump always fails.
func (st *state) stringLib() *lua.LTable {
	t := luastring.Open(st.L, st.interrupt)
	if t.RawGetString("gfind") == lua.LNil {
		t.RawSetString("gfind", t.RawGetString("gmatch")) // its name before Lua 5.1
	}
	t.RawSetString("dump", st.L.NewFunction(func(L *lua.LState) int {
		checkFunction(L, 1)
		st.raise(L, "unable to dump given function")
		return 0
	}))
	return t
}
