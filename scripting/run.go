package scripting

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/datatypes/command"
)

// Run is one execution of a script or function.
type Run struct {
	// Function tells a function from a script.
	Function bool
	// Name is the SHA1 of the script or the name of the function.
	Name string
	// Flags are what the script or function says about itself.
	Flags ScriptFlags
	// ReadOnly forbids writes: the command ends in _RO or the flags say no-writes.
	ReadOnly bool
	// ErrorCounted tells EndScript that the error which the command replies is one of a command that the script has called:
	// it counts as that one's only.
	ErrorCounted bool
	// StartUs is when it began, in microseconds since 1970.
	StartUs int64

	mu      sync.Mutex
	words   [][]byte // of the command; nil when the run has ended
	args    *Call
	started int64 // by Options.NowUs
	limitUs int64 // for how long it may run; 0 for ever
	wrote   atomic.Bool
	stop    atomic.Int32 // a stopReason
}

type stopReason = int32

const (
	goOn stopReason = iota
	killed
	tooMuchMemory
	tooLong
)

// Wrote says that the script has changed data: it can no longer be killed. The Host calls it.
func (r *Run) Wrote() { r.wrote.Store(true) }

// HasWritten reports whether Wrote was called.
func (r *Run) HasWritten() bool { return r.wrote.Load() }

// Kill ends the script soon. It may be called from any goroutine, also when the script has ended.
func (r *Run) Kill() { r.stop.CompareAndSwap(goOn, killed) }

func (r *Run) stopped() bool { return r.stop.Load() != goOn }

// stopText is the error of a script that was ended.
func (r *Run) stopText() string {
	switch r.stop.Load() {
	case tooMuchMemory:
		return "ERR Script killed: it uses too much memory"
	case tooLong:
		return "ERR FUNCTION LOAD timeout"
	}
	return "ERR " + errStopped.Error()
}

// run runs what call describes and writes the reply of the command.
func (e *Engine) run(c *command.Ctx, call *Call) {
	client, ok := c.Client.(Client)
	if !ok {
		c.Reply.Error("ERR scripts cannot run here")
		return
	}
	now := e.nowUs()
	r := &Run{
		Function: call.function != nil, Name: call.name, Flags: call.Flags, ReadOnly: call.ReadOnly, StartUs: now, started: now, words: c.Args, args: call,
	}
	st := e.stateFor(call)
	defer e.giveBack(call, st)
	st.beginRun(r, c)
	defer st.endRun(r)
	host, denied := client.BeginScript(c, r)
	if host == nil {
		c.Reply.Error(denied)
		return
	}
	st.host = host
	v, errText := st.execute(call, r)
	if t, ok := v.(*lua.LTable); ok && errText == "" {
		r.ErrorCounted = t.RawGetString(fieldCounted) == lua.LTrue
	}
	client.EndScript(c, r)
	if st.fault != nil {
		panic(&hostPanic{value: st.fault.value, stack: st.fault.stack})
	}
	switch {
	case errText != "":
		c.Reply.Error(errText)
	case v == st.rawReply:
		pass(c.Reply, &replyReader{st: st, buf: st.out.Buf})
	default:
		w := writer{st: st, w: c.Reply}
		w.value(v, convertBase)
	}
}

// stateFor returns the state that is to run a call.
func (e *Engine) stateFor(call *Call) *state {
	if call.function != nil && call.function.library.home != nil {
		call.function.library.mu.Lock()
		return call.function.library.home
	}
	return e.acquire()
}

func (e *Engine) giveBack(call *Call, st *state) {
	if call.function != nil && call.function.library.home != nil {
		call.function.library.mu.Unlock()
		return
	}
	e.release(st)
}

// beginRun makes the state ready for a run.
func (st *state) beginRun(r *Run, c *command.Ctx) {
	st.current = current{run: r, ctx: c, proto: 2, left: lookEvery}
	st.active.Store(r)
	st.L.G.CurrentThread = st.L
	st.nested, st.caught = 0, nil
}

// endRun lets go of what belongs to the run.
func (st *state) endRun(r *Run) {
	st.active.Store(nil)
	r.end()
	st.run, st.host, st.ctx, st.keys, st.arguments = st.e.noRun, nil, nil, nil, nil
}

// execute runs the script and returns its value or the error that answers the command.
func (st *state) execute(call *Call, r *Run) (v lua.LValue, errText string) {
	L := st.L
	nargs := 2
	if r.Function {
		f, err := st.function(call.function)
		if err != "" {
			return nil, err
		}
		keys, argv := st.argumentTables(true, true)
		L.Push(f)
		L.Push(keys)
		L.Push(argv)
	} else {
		u := call.script.unit
		f := st.functions[u]
		if f == nil {
			if len(st.functions) >= keptFunctions {
				clear(st.functions)
			}
			f = st.instantiate(L, u, st.evalEnv)
			st.functions[u] = f
		}
		keys, argv := st.argumentTables(u.keys, u.argv)
		if u.keys {
			st.keys = keys
		}
		if u.argv {
			st.arguments = argv
		}
		L.Push(f)
		L.Push(keys)
		L.Push(argv)
	}
	obj, at, ok := st.protect(L, nargs, 1, nil, true)
	if ok {
		v = L.Get(-1)
	} else {
		errText = st.failure(r, obj, at)
	}
	L.SetTop(0)
	if !r.Function && st.evalGlobals.RawGetString("KEYS") != lua.LNil {
		st.evalGlobals.RawSetString("KEYS", lua.LNil)
		st.evalGlobals.RawSetString("ARGV", lua.LNil)
	}
	return v, errText
}

// argumentTables returns KEYS and ARGV, LNil for what is not wanted.
func (st *state) argumentTables(wantKeys, wantArgv bool) (keys, argv lua.LValue) {
	keys, argv = lua.LNil, lua.LNil
	r := st.run
	if wantKeys {
		keys = st.stringTable(r.words[r.args.FirstKey : r.args.FirstKey+r.args.NumKeys])
	}
	if wantArgv {
		argv = st.stringTable(r.words[r.args.FirstKey+r.args.NumKeys:])
	}
	return keys, argv
}

func (st *state) stringTable(words [][]byte) *lua.LTable {
	t := st.L.CreateTable(len(words), 0)
	for i, w := range words {
		t.RawSetInt(i+1, lua.LString(w))
	}
	return t
}

// failure returns the error that answers a command whose script failed.
func (st *state) failure(r *Run, obj lua.LValue, at place) string {
	if st.dead {
		return r.stopText() + suffix(r.Name, st.deadAt)
	}
	switch obj := obj.(type) {
	case *lua.LTable:
		r.ErrorCounted = obj.RawGetString(fieldCounted) == lua.LTrue
		text, ok := toString(obj.RawGetString("err"))
		if !ok {
			text = "ERR unknown error"
		}
		return text + suffix(r.Name, at)
	default:
		return "ERR " + toText(obj) + suffix(r.Name, at)
	}
}

// suffix tells which script failed where.
func suffix(name string, at place) string {
	if at.source == "" {
		return ""
	}
	return " script: " + name + ", on " + at.source + ":" + itoa(at.line) + "."
}

// Memory is looked at only while a script has run for a while, and not more often than that.
const memoryLookUs = 2000

// overMemory tells whether the process has grown too much since the script began.
func (st *state) overMemory() bool {
	now := st.e.nowUs()
	if st.memoryBase == 0 {
		st.memoryBase, st.memoryNext = heapBytes(), now+memoryLookUs
		return false
	}
	if now < st.memoryNext {
		return false
	}
	st.memoryNext = now + memoryLookUs
	limit := uint64(st.e.options.MemoryLimitBytes)
	if heapBytes() < max(st.memoryBase+limit, st.memoryFloor) {
		return false
	}
	// Much of it may be garbage.
	runtime.GC()
	used := heapBytes()
	if used < st.memoryBase+limit {
		st.memoryFloor = used + limit/2
		return false
	}
	return st.run.stop.CompareAndSwap(goOn, tooMuchMemory)
}

// memoryLeft returns how much a script may still take.
func (e *Engine) memoryLeft(st *state) int64 {
	if st.memoryBase == 0 {
		return e.options.MemoryLimitBytes
	}
	return int64(st.memoryBase) + e.options.MemoryLimitBytes - int64(heapBytes())
}

// overTime tells whether a run that has a limit is over it.
func (st *state) overTime() bool {
	r := st.run
	if r.limitUs == 0 || st.e.nowUs()-r.started < r.limitUs {
		return false
	}
	r.stop.CompareAndSwap(goOn, tooLong)
	return true
}

// Running returns the scripts and functions that run.
func (e *Engine) Running() []*Run {
	e.mu.Lock()
	defer e.mu.Unlock()
	var runs []*Run
	for _, st := range e.states {
		if r := st.active.Load(); r != nil {
			runs = append(runs, r)
		}
	}
	for st := range e.homes {
		if r := st.active.Load(); r != nil {
			runs = append(runs, r)
		}
	}
	return runs
}

// Texts of SCRIPT KILL and FUNCTION KILL.
const (
	msgNotBusy    = "NOTBUSY No scripts in execution right now."
	msgUnkillable = "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command."
	msgBusyScript = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
	msgBusyFunc   = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
)

// Kill ends the scripts (or functions) that have run for longer than overdueMs and have not written. It returns the error that answers the command, empty
// when any was ended.
func (e *Engine) Kill(function bool, overdueMs int64) string {
	msg := msgNotBusy
	found := false
	now := e.nowUs()
	for _, r := range e.Running() {
		if now-r.StartUs < overdueMs*1000 {
			continue
		}
		switch {
		case r.HasWritten():
			if !found {
				msg, found = msgUnkillable, true
			}
		case r.Function != function:
			if !found {
				msg = msgBusyScript
				if r.Function {
					msg = msgBusyFunc
				}
			}
		default:
			r.Kill()
			return e.killOthers(function, overdueMs, now)
		}
	}
	return msg
}

// killOthers ends what else is overdue.
func (e *Engine) killOthers(function bool, overdueMs, now int64) string {
	for _, r := range e.Running() {
		if r.Function == function && !r.HasWritten() && now-r.StartUs >= overdueMs*1000 {
			r.Kill()
		}
	}
	return ""
}

// Ms returns for how long the run has lasted.
func (r *Run) ms(nowUs int64) int64 {
	return (nowUs - r.StartUs) / int64(time.Millisecond/time.Microsecond)
}

// Command returns a copy of the words of the command, nil when the run has ended.
func (r *Run) Command() [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	words := slices.Clone(r.words)
	for i := range words {
		words[i] = slices.Clone(words[i])
	}
	return words
}

func (r *Run) end() {
	r.mu.Lock()
	r.words = nil
	r.mu.Unlock()
}
