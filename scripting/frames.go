package scripting

import (
	"reflect"
	"unsafe"

	lua "github.com/yuin/gopher-lua"
)

// To name the variable behind an error, and to keep closures intact when an error is caught, one must see the VM's call frames and its list of open
// upvalues. It does not show them. The fields are found by name in the VM's types, so that another version of it that lacks one is noticed when
// the first Engine is made, not by a wrong read.

// layout is where the VM keeps what it does not show.
type layout struct {
	dbgFrame uintptr // Debug.frame, a pointer to a frame

	idx, fn, parent, pc, base, localBase, nargs, tailCall uintptr // of a frame

	uvcache, hasErrorFunc, currentFrame uintptr // of an LState
	uvNext, uvIndex                     uintptr // of an Upvalue
	registry                            uintptr // of an LState
	registryArray, registryTop          uintptr // of a registry
	tableIndex                          uintptr // of an LTable: the order of its keys
}

// findLayout panics when the VM is not the one this was written for.
func findLayout() *layout {
	offset := func(t reflect.Type, name string, kind reflect.Kind) uintptr {
		f, ok := t.FieldByName(name)
		if !ok || f.Type.Kind() != kind {
			panic("scripting: the Lua VM's " + t.Name() + " has no " + name + " as expected")
		}
		return f.Offset
	}
	debug, state, upvalue := reflect.TypeFor[lua.Debug](), reflect.TypeFor[lua.LState](), reflect.TypeFor[lua.Upvalue]()
	l := &layout{
		dbgFrame:     offset(debug, "frame", reflect.Pointer),
		uvcache:      offset(state, "uvcache", reflect.Pointer),
		hasErrorFunc: offset(state, "hasErrorFunc", reflect.Bool),
		currentFrame: offset(state, "currentFrame", reflect.Pointer),
		uvNext:       offset(upvalue, "next", reflect.Pointer),
		uvIndex:      offset(upvalue, "index", reflect.Int),
	}
	l.registry = offset(state, "reg", reflect.Pointer)
	registryField, _ := state.FieldByName("reg")
	l.registryArray = offset(registryField.Type.Elem(), "array", reflect.Slice)
	l.registryTop = offset(registryField.Type.Elem(), "top", reflect.Int)
	l.tableIndex = offset(reflect.TypeFor[lua.LTable](), "k2i", reflect.Map)
	frameField, _ := state.FieldByName("currentFrame")
	f := frameField.Type.Elem()
	l.idx = offset(f, "Idx", reflect.Int)
	l.fn = offset(f, "Fn", reflect.Pointer)
	l.parent = offset(f, "Parent", reflect.Pointer)
	l.pc = offset(f, "Pc", reflect.Int)
	l.base = offset(f, "Base", reflect.Int)
	l.localBase = offset(f, "LocalBase", reflect.Int)
	l.nargs = offset(f, "NArgs", reflect.Int)
	l.tailCall = offset(f, "TailCall", reflect.Int)
	return l
}

// frame is one call on the stack of an LState; it is valid while that call runs.
type frame struct {
	l *layout
	p unsafe.Pointer
}

func at[T any](p unsafe.Pointer, offset uintptr) *T { return (*T)(unsafe.Add(p, offset)) }

// current returns the frame of the function that runs.
func (l *layout) current(L *lua.LState) frame {
	return frame{l, *at[unsafe.Pointer](unsafe.Pointer(L), l.currentFrame)}
}

// frameOf returns the frame that dbg is about.
func (l *layout) frameOf(dbg *lua.Debug) frame {
	return frame{l, *at[unsafe.Pointer](unsafe.Pointer(dbg), l.dbgFrame)}
}

func (f frame) ok() bool           { return f.p != nil }
func (f frame) fn() *lua.LFunction { return *at[*lua.LFunction](f.p, f.l.fn) }
func (f frame) parent() frame      { return frame{f.l, *at[unsafe.Pointer](f.p, f.l.parent)} }
func (f frame) pc() int            { return *at[int](f.p, f.l.pc) }
func (f frame) depth() int         { return *at[int](f.p, f.l.idx) }
func (f frame) localBase() int     { return *at[int](f.p, f.l.localBase) }
func (f frame) tailCalls() int     { return *at[int](f.p, f.l.tailCall) }

// isLua tells whether the frame runs Lua code; otherwise it is a Go function's.
func (f frame) isLua() bool { return !f.fn().IsG }

// inst returns the instruction that the frame is at.
func (f frame) inst() (inst uint32, pc int) {
	pc = f.pc() - 1
	return f.fn().Proto.Code[pc], pc
}

// line returns the line that the frame is at.
func (f frame) line() int {
	lines := f.fn().Proto.DbgSourcePositions
	if pc := f.pc() - 1; pc >= 0 && pc < len(lines) {
		return lines[pc]
	}
	return 0
}

// setErrorFunc says whether errors of L are caught by a handler of ours. If so the VM leaves open upvalues alone, which it otherwise closes for
// all functions on the stack, those outside the protected call too: their closures would no longer share variables with them.
func (l *layout) setErrorFunc(L *lua.LState, on bool) (before bool) {
	p := at[bool](unsafe.Pointer(L), l.hasErrorFunc)
	before, *p = *p, on
	return before
}

// closeUpvalues closes the open upvalues at index and above, as the functions they belong to are about to be dropped.
func (l *layout) closeUpvalues(L *lua.LState, index int) {
	for link := at[*lua.Upvalue](unsafe.Pointer(L), l.uvcache); *link != nil; link = at[*lua.Upvalue](unsafe.Pointer(*link), l.uvNext) {
		if *at[int](unsafe.Pointer(*link), l.uvIndex) < index {
			continue
		}
		first := *link
		*link = nil
		for uv := first; uv != nil; uv = *at[*lua.Upvalue](unsafe.Pointer(uv), l.uvNext) {
			uv.Close()
		}
		return
	}
}

// knows tells whether key is among those whose order a table keeps, whether or not it still has a value.
func (l *layout) knows(t *lua.LTable, key lua.LValue) bool {
	_, known := (*at[map[lua.LValue]int](unsafe.Pointer(t), l.tableIndex))[key]
	return known
}

// stackTop returns how many values are on the stack of L, which all its functions share.
func (l *layout) stackTop(L *lua.LState) int {
	return *at[int](*at[unsafe.Pointer](unsafe.Pointer(L), l.registry), l.registryTop)
}
