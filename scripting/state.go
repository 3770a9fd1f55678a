package scripting

import (
	"context"
	"sync/atomic"
	"time"
	"unsafe"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/netio/resp"
)

// Bounds of one Lua state.
const (
	maxCalls       = 20000   // calls on the stack, as in Lua
	maxCoCalls     = 4096    // the same in a coroutine: coroutines within coroutines share the stack of one goroutine
	spareCalls     = 2048    // beyond these limits, which are looked at every lookEvery instructions only
	maxNested      = 199     // protected calls and coroutines within each other: Lua's 200 C calls, some of which are the server's
	registryStart  = 1 << 10 // values on the stack at first
	registryStep   = 1 << 13
	registrySoft   = 1 << 19 // values from which on the stack counts as full
	registryMax    = 1 << 20
	registryKeep   = 1 << 16 // a state whose stack grew beyond is not kept
	threadRegistry = 128
	keptFunctions  = 1024 // instantiated scripts in one state
)

// state is one Lua interpreter with the globals of scripts and those of functions. One goroutine uses it at a time; between runs it waits in the
// engine's pool. It is the context of its LState, which the VM asks before every instruction whether to go on.
type state struct {
	e *Engine
	L *lua.LState

	tables  // what scripts find
	current // the run at hand

	handler   *lua.LFunction // catches errors while the stack is still there
	caught    *catch         // the protected calls being run, innermost first
	topCatch  catch
	nested    int
	functions map[*unit]*lua.LFunction
	active    atomic.Pointer[Run] // what runs, for other goroutines
	libraries map[string]*instance

	out     resp.Writer // the reply of the command that a script called
	argv    [][]byte
	argText []byte
}

// current is what belongs to one run.
type current struct {
	run             *Run
	host            Host
	ctx             *command.Ctx
	loader          *loader    // a library is being loaded
	keys, arguments lua.LValue // KEYS and ARGV, nil when not yet made
	rand            rand48
	seeded          bool // by the run itself
	proto           int  // redis.setresp

	left   int  // instructions until the next look at the run
	dead   bool // the run is to end: every instruction raises
	deadAt place
	raised error // what Err returns next: an error that can be caught
	fault  *fault

	memoryBase, memoryFloor uint64 // bytes of the process when first looked at; below which there is no need to look closer
	memoryNext              int64  // when to look again
}

// place is where in a source something happened.
type place struct {
	source string
	line   int
}

// fault is a panic of the host's: it must not be caught by Lua code.
type fault struct {
	value any
	stack []byte
}

func newState(e *Engine) *state {
	st := &state{e: e, functions: map[*unit]*lua.LFunction{}, libraries: map[string]*instance{}}
	st.L = lua.NewState(lua.Options{
		SkipOpenLibs: true, CallStackSize: maxCalls + spareCalls, MinimizeStackMemory: true,
		RegistrySize: registryStart, RegistryMaxSize: registryMax, RegistryGrowStep: registryStep,
	})
	st.L.Options.RegistrySize = threadRegistry
	st.L.Options.CallStackSize = maxCoCalls + spareCalls
	st.run = e.noRun
	st.L.SetContext(st)
	st.openTables()
	st.handler = st.L.NewFunction(st.onError)
	return st
}

// Errors of the context of a state.
var (
	errStopped       = stopError{}
	errStackOverflow = luaError("stack overflow")
	errCStack        = luaError("C stack overflow")
)

// luaError is an error with Lua's text.
type luaError string

func (e luaError) Error() string { return string(e) }

// stopError is the error of a run that is to end. Its text is Redis's.
type stopError struct{}

func (stopError) Error() string { return "Script killed by user with SCRIPT KILL..." }

// Instructions between two looks at the run: about ten microseconds.
const lookEvery = 1 << 10

// Deadline, Value and Err are of context.Context.
func (st *state) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value has none.
func (st *state) Value(any) any { return nil }

// Err tells why the run must end.
func (st *state) Err() error {
	if err := st.raised; err != nil {
		st.raised = nil
		return err
	}
	if st.look() != nil {
		return errStopped
	}
	return nil
}

// Done is called by the VM before each instruction. A nil channel lets it go on.
func (st *state) Done() <-chan struct{} {
	if st.left--; st.left > 0 {
		return nil
	}
	return st.look()
}

var _ context.Context = (*state)(nil)

// look checks whether the run is to go on.
func (st *state) look() <-chan struct{} {
	if !st.dead && !st.run.stopped() && !st.overMemory() && !st.overTime() {
		st.left = lookEvery
		if st.raised = st.overStack(); st.raised != nil {
			return st.e.closed
		}
		return nil
	}
	st.dead = true
	st.left = 0
	if st.deadAt.source == "" {
		st.deadAt = st.placeOf(st.L.G.CurrentThread)
	}
	return st.e.closed
}

// overStack returns an error when the stack is nearly full. Unlike the end of a run it can be caught.
func (st *state) overStack() error {
	L := st.L.G.CurrentThread
	if L == nil {
		return nil
	}
	f := st.e.layout.current(L)
	limit := maxCalls
	if L != st.L {
		limit = maxCoCalls
	}
	if !f.ok() || f.depth() < limit && st.e.layout.stackTop(L) < registrySoft {
		return nil
	}
	if p := f.parent(); p.ok() && p.isLua() {
		if inst, _ := p.inst(); instOp(inst) != lua.OP_CALL && instOp(inst) != lua.OP_TAILCALL {
			return errCStack // it is metamethods that call each other
		}
	}
	return errStackOverflow
}

// interrupt lets functions that work for long ask what the VM asks.
func (st *state) interrupt() error {
	if st.look() != nil {
		return errStopped
	}
	return nil
}

// placeOf returns where the innermost Lua function is, in L or in the coroutine that resumed it.
func (st *state) placeOf(L *lua.LState) place {
	for ; L != nil; L = L.Parent {
		for f := st.e.layout.current(L); f.ok(); f = f.parent() {
			if f.isLua() && f.fn().Proto.SourceName != coStartChunk {
				return place{st.source(f.fn().Proto.SourceName), f.line()}
			}
		}
	}
	return place{}
}

// source returns the name of a source as the end of an error message gives it.
func (st *state) source(chunk string) string {
	switch chunk {
	case scriptChunk, functionChunk:
		return "@" + chunk
	}
	if text, ok := st.sources[chunk]; ok {
		return text
	}
	return chunk
}

// tooBig tells whether the state has grown so much that it is not worth keeping.
func (st *state) tooBig() bool {
	registry := *at[unsafe.Pointer](unsafe.Pointer(st.L), st.e.layout.registry)
	return cap(*at[[]lua.LValue](registry, st.e.layout.registryArray)) > registryKeep
}
