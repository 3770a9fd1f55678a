package scripting

import (
	lua "github.com/yuin/gopher-lua"
)

// stringLib opens the library string.
func (st *state) stringLib() *lua.LTable {
	st.L.Push(st.L.NewFunction(lua.OpenString))
	st.L.Call(0, 1)
	t := st.L.Get(-1).(*lua.LTable)
	st.L.Pop(1)
	return t
}
