package scripting

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
)

// The coroutines of the VM are used as they are, but for what scripts could break or tell apart: the depth of coroutines within coroutines is
// bounded, errors read as Lua's, nothing yields across a Go function, and no goroutine or child context comes with a thread.

// coStartSource is the function that every coroutine starts with: it prepares the thread and goes on with the coroutine's own function.
const coStartSource = "local begin, body = ...; return function(...) begin() return body(...) end"

// coStartChunk is the name of its chunk, which no script can have.
const coStartChunk = "(coroutine)"

func (st *state) coroutineLib() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"create": st.coCreate, "resume": st.coResume, "running": st.coRunning, "status": st.coStatus, "wrap": st.coWrap, "yield": st.coYield,
	}
}

// newThread returns a coroutine that will call f.
func (st *state) newThread(L *lua.LState) *lua.LState {
	f, ok := L.Get(1).(*lua.LFunction)
	if !ok || f.IsG {
		argError(L, 1, "Lua function expected")
	}
	// Without a context the VM makes no child context for the thread.
	L.RemoveContext()
	start := L.NewFunctionFromProto(st.e.coStart)
	L.Push(start)
	L.Push(st.coBegin)
	L.Push(f)
	L.SetContext(st)
	L.Call(2, 1)
	body := L.Get(-1)
	L.Pop(1)
	L.RemoveContext()
	L.Push(st.vmCreate)
	L.Push(body)
	L.Call(1, 1)
	th := L.Get(-1).(*lua.LState)
	L.Pop(1)
	L.SetContext(st)
	th.SetContext(st)
	return th
}

func (st *state) coCreate(L *lua.LState) int {
	L.Push(st.newThread(L))
	return 1
}

// begin runs on the thread, first of all.
func (st *state) begin(L *lua.LState) int {
	L.Panic = st.threadPanic
	return 0
}

// threadPanic ends a coroutine with the error on top of its stack.
func (st *state) threadPanic(L *lua.LState) {
	panic(&lua.ApiError{Type: lua.ApiErrorRun, Object: st.translate(L, 0, L.Get(-1))})
}

// thread returns argument n.
func thread(L *lua.LState, n int) *lua.LState {
	th, ok := L.Get(n).(*lua.LState)
	if !ok {
		argError(L, n, "coroutine expected")
	}
	return th
}

// resumable says why a coroutine cannot be resumed; empty when it can.
func (st *state) resumable(L, th *lua.LState) string {
	switch {
	case th.Dead:
		return "cannot resume dead coroutine"
	case th == L:
		return "cannot resume running coroutine"
	case th == st.L || th.Parent != nil:
		return "cannot resume normal coroutine"
	case st.nested >= maxNested:
		return "C stack overflow"
	}
	return ""
}

// resume runs th with the arguments from first on and returns how many values it left on the stack of L. With ok false there is one: the error.
func (st *state) resume(L, th *lua.LState, first int) (n int, ok bool) {
	if msg := st.resumable(L, th); msg != "" {
		L.Push(lua.LString(msg))
		return 1, false
	}
	args := L.GetTop() - first + 1
	before := st.caught
	st.nested++
	base := L.GetTop()
	L.Push(st.vmResume)
	L.Push(th)
	for i := range args {
		L.Push(L.Get(first + i))
	}
	L.Call(args+1, lua.MultRet)
	st.nested--
	st.caught = before
	st.rethrow(L)
	ok = L.Get(base+1) == lua.LTrue
	L.Remove(base + 1)
	return L.GetTop() - base, ok
}

func (st *state) coResume(L *lua.LState) int {
	th := thread(L, 1)
	n, ok := st.resume(L, th, 2)
	L.Insert(lua.LBool(ok), L.GetTop()-n+1)
	return n + 1
}

func (st *state) coWrap(L *lua.LState) int {
	th := st.newThread(L)
	L.Push(L.NewFunction(func(L *lua.LState) int {
		n, ok := st.resume(L, th, 1)
		if ok {
			return n
		}
		obj := L.Get(-1)
		if s, isText := luaarg.ToString(obj); isText {
			obj = lua.LString(where(st.e.layout.current(L).parent()) + s)
		}
		L.Error(obj, 0)
		return 0
	}))
	return 1
}

func (st *state) coRunning(L *lua.LState) int {
	if L == st.L {
		L.Push(lua.LNil)
	} else {
		L.Push(L)
	}
	return 1
}

func (st *state) coStatus(L *lua.LState) int {
	th := thread(L, 1)
	status := "suspended"
	switch {
	case th == L:
		status = "running"
	case th.Dead:
		status = "dead"
	case th == st.L || th.Parent != nil:
		status = "normal"
	}
	L.Push(lua.LString(status))
	return 1
}

// coYield suspends the coroutine. Only Lua functions may be between it and resume, called as functions: a Go function would not find its frame again.
func (st *state) coYield(L *lua.LState) int {
	across := L == st.L
	for f := st.e.layout.current(L).parent(); f.ok() && !across; f = f.parent() {
		if !f.isLua() {
			across = true
			break
		}
		if inst, pc := f.inst(); pc >= 0 {
			op := instOp(inst)
			across = op != lua.OP_CALL && op != lua.OP_TAILCALL
		}
	}
	if across {
		luaarg.ErrorBare(L, "attempt to yield across metamethod/C-call boundary")
	}
	return -1
}
