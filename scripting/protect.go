package scripting

import (
	lua "github.com/yuin/gopher-lua"
)

// catch is one protected call.
type catch struct {
	outer   *catch
	base    int            // where the frame of the called function begins
	user    *lua.LFunction // xpcall's handler
	userErr bool           // it failed itself
	top     bool           // the call that runs the script as a whole
	handled bool
	at      place // of the error, for the top
}

// protect calls the function below nargs arguments on the stack, as lua_pcall does. When it fails, the error object is returned with ok false, and the
// function and its arguments are gone from the stack.
func (st *state) protect(L *lua.LState, nargs, nret int, user *lua.LFunction, top bool) (obj lua.LValue, at place, ok bool) {
	c := &st.topCatch
	if !top {
		c = new(catch)
	}
	*c = catch{outer: st.caught, user: user, top: top}
	thread := st.e.layout.current(L)
	c.base = L.GetTop() - nargs - 1
	if thread.ok() {
		c.base += thread.localBase()
	}
	st.caught = c
	before := st.e.layout.setErrorFunc(L, true)
	nested := st.nested
	st.nested++
	err := L.PCall(nargs, nret, st.handler)
	st.nested = nested
	st.e.layout.setErrorFunc(L, before)
	st.caught = c.outer
	if err == nil {
		return nil, place{}, true
	}
	apiErr, isAPI := err.(*lua.ApiError)
	if !isAPI {
		return lua.LString(err.Error()), c.at, false
	}
	if !c.handled {
		// The handler itself found no room on the stack. The functions are gone, so whatever closures they left see nil.
		st.e.layout.closeUpvalues(L, c.base)
		obj = st.unhandled(L, apiErr.Object)
		if user != nil {
			obj = lua.LString("error in error handling")
		}
		return obj, c.at, false
	}
	if c.userErr {
		return lua.LString("error in error handling"), c.at, false
	}
	return apiErr.Object, c.at, false
}

// unhandled gives Lua's words for the errors that leave no room for the handler.
func (st *state) unhandled(L *lua.LState, obj lua.LValue) lua.LValue {
	if s, ok := obj.(lua.LString); ok {
		switch text := string(s); {
		case text == "lua callstack overflow":
			return lua.LString(where(st.e.layout.current(L)) + "stack overflow")
		}
	}
	return obj
}

// onError is called by the VM with an error object while the functions that failed are still on the stack.
func (st *state) onError(L *lua.LState) int {
	st.e.layout.setErrorFunc(L, true)
	c := st.caught
	c.handled = true
	obj := st.translate(L, 1, L.Get(1))
	failed := st.e.layout.current(L).parent()
	if c.top {
		c.at = st.errorPlace(failed)
	}
	if c.user != nil && !st.dead {
		c.userErr = true // unless it returns
		L.Push(c.user)
		L.Push(obj)
		L.Call(1, 1)
		c.userErr = false
		obj = L.Get(-1)
	}
	st.e.layout.closeUpvalues(L, c.base+1)
	L.Push(obj)
	return 1
}

// errorPlace returns the place that the reply to a failed script names: where the function that raised the error was called, or is when it is Lua's.
func (st *state) errorPlace(f frame) place {
	if f.ok() && !f.isLua() {
		f = f.parent()
	}
	if !f.ok() || !f.isLua() {
		return place{}
	}
	return place{st.source(f.fn().Proto.SourceName), f.line()}
}

// basePCall is pcall. Of an error table with a text in its field err, the text is what the script gets: errors of redis.call were strings once.
func (st *state) basePCall(L *lua.LState) int {
	if L.GetTop() == 0 {
		// The C code's own placeholder is what gets called.
		L.Push(lua.LFalse)
		L.Push(lua.LString("attempt to call a boolean value"))
		return 2
	}
	if st.nested >= maxNested {
		L.Push(lua.LFalse)
		L.Push(lua.LString("C stack overflow"))
		return 2
	}
	if !st.callable(L, L.Get(1)) {
		L.Push(lua.LFalse)
		L.Push(lua.LString("attempt to call a " + typeName(L.Get(1)) + " value"))
		return 2
	}
	obj, _, ok := st.protect(L, L.GetTop()-1, lua.MultRet, nil, false)
	if ok {
		L.Insert(lua.LTrue, 1)
		return L.GetTop()
	}
	st.rethrow(L)
	if t, isTable := obj.(*lua.LTable); isTable {
		switch err := t.RawGetString("err").(type) {
		case lua.LString, lua.LNumber:
			obj = err
		}
	}
	L.Push(lua.LFalse)
	L.Push(obj)
	return 2
}

// rethrow keeps the end of a run from being caught.
func (st *state) rethrow(L *lua.LState) {
	if st.dead {
		L.Error(lua.LString(errStopped.Error()), 0)
	}
}

// callable tells whether v is a function or has a metatable that makes it one.
func (st *state) callable(L *lua.LState, v lua.LValue) bool {
	if v.Type() == lua.LTFunction {
		return true
	}
	return metaField(L, v, "__call").Type() == lua.LTFunction
}

func (st *state) baseXPCall(L *lua.LState) int {
	if L.GetTop() < 2 {
		argError(L, 2, "value expected")
	}
	handler, isFunc := L.Get(2).(*lua.LFunction)
	f := L.Get(1)
	L.SetTop(0)
	fail := func(obj lua.LValue) int {
		st.rethrow(L)
		L.Push(lua.LFalse)
		L.Push(obj)
		return 2
	}
	if st.nested >= maxNested {
		return fail(lua.LString("C stack overflow"))
	}
	if !isFunc {
		handler = st.badHandler
	}
	if !st.callable(L, f) {
		// The error of calling it goes through the handler like any other.
		L.Push(st.callFailed)
		L.Push(f)
		obj, _, _ := st.protect(L, 1, 0, handler, false)
		return fail(obj)
	}
	L.Push(f)
	obj, _, ok := st.protect(L, 0, lua.MultRet, handler, false)
	if !ok {
		return fail(obj)
	}
	L.Insert(lua.LTrue, 1)
	return L.GetTop()
}
