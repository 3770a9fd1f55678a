package scripting

import (
	"slices"
	"sync"
	"sync/atomic"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/netio/resp"
	"github.com/troupe-db/troupe/scripting/syntax"
)

// Options are what an Engine needs of the server.
type Options struct {
	// Table returns the command table, for what is said about commands that scripts call.
	Table func() *command.Table
	// Log takes what redis.log writes, at one of the levels LogDebug to LogWarning; nil drops it.
	Log func(level int, text string)
	// NowUs is the clock, in microseconds since 1970.
	NowUs func() int64
	// Version is the version of Redis that scripts see, "7.4.1".
	Version string
	// MemoryLimitBytes is how much the process may grow while one script runs, after which that script is ended; 0 for the default of 512 MiB.
	MemoryLimitBytes int64
}

const defaultMemoryLimit = 512 << 20

// Client is what a command.Ctx must have for a Client where scripts are to run.
type Client interface {
	command.Client
	// Prepared returns what Engine.Prepare made of the running command; nil when nobody called it.
	Prepared(c *command.Ctx) *Call
	// BeginScript is called before a script starts, with everything it may touch held. A text instead of a Host is the error that answers the command.
	BeginScript(c *command.Ctx, r *Run) (Host, string)
	// EndScript is called when the script has ended, before its reply is written.
	EndScript(c *command.Ctx, r *Run)
}

// Host runs the commands of one script, all at the script's one instant.
type Host interface {
	// Call runs a command and appends exactly one reply to w, in w.Proto. What must not be called from the script is an error reply as any other, with the
	// texts that Redis has inside scripts. args are valid during the call and must not be changed.
	Call(args [][]byte, w *resp.Writer)
	// Allowed tells whether the user may run a command that exists, and why not.
	Allowed(args [][]byte) (ok bool, err string)
	// SetRepl says with the bits ReplAOF and ReplSlave where effects go from here on.
	SetRepl(mask int)
}

// Engine compiles, keeps and runs the scripts and functions of one server. Its methods may be called from any goroutine; a script runs on the one that runs
// its command.
type Engine struct {
	options Options
	layout  *layout
	closed  chan struct{} // what a state's Done returns when the run is to end
	coStart *lua.FunctionProto
	names   map[string]bool // globals that chunks may bind
	startUs int64
	noRun   *Run // stands in where no script runs

	rand      atomic.Uint64 // a rand48
	scripts   scriptCache
	libraries atomic.Pointer[librarySet]
	loading   sync.Mutex // held while libraries change

	mu     sync.Mutex
	idle   []*state
	states []*state        // all that are alive but for homes, for Running
	homes  map[*state]bool // those of libraries that keep something
}

// maxIdle is how many states wait for the next script: as many as scripts run at the same time, as a rule.
const maxIdle = 16

// New makes an Engine.
func New(o Options) *Engine {
	limitArrays()
	if o.MemoryLimitBytes <= 0 {
		o.MemoryLimitBytes = defaultMemoryLimit
	}
	if o.Version == "" {
		o.Version = "7.4.1"
	}
	e := &Engine{options: o, layout: findLayout(), closed: make(chan struct{}), startUs: o.NowUs(), noRun: &Run{}, homes: map[*state]bool{}}
	close(e.closed)
	e.scripts.init()
	e.rand.Store(uint64(rand48Start))
	e.libraries.Store(newLibrarySet())
	chunk, err := syntax.Parse(coStartSource, coStartChunk)
	if err != nil {
		panic(err)
	}
	if e.coStart, err = lua.Compile(chunk, coStartChunk); err != nil {
		panic(err)
	}
	st := newState(e)
	e.names = st.globalNames()
	e.states = append(e.states, st)
	e.release(st)
	return e
}

// maxArrayIndex is up to which index the VM keeps fields in an array, nils in gaps included: a single assignment takes so many times 16 bytes at most.
const maxArrayIndex = 1 << 22

// limitArrays sets the VM's own limit, of which there is one for the process and which is a gigabyte.
var limitArrays = sync.OnceFunc(func() { lua.MaxArrayIndex = maxArrayIndex })

func (e *Engine) nowUs() int64 { return e.options.NowUs() }

// acquire takes a state for one run.
func (e *Engine) acquire() *state {
	e.mu.Lock()
	if n := len(e.idle); n > 0 {
		st := e.idle[n-1]
		e.idle = e.idle[:n-1]
		e.mu.Unlock()
		return st
	}
	e.mu.Unlock()
	st := newState(e)
	e.mu.Lock()
	e.states = append(e.states, st)
	e.mu.Unlock()
	return st
}

// release gives a state back.
func (e *Engine) release(st *state) {
	if !st.tooBig() && cap(st.out.Buf) <= maxKeptReply {
		e.mu.Lock()
		if len(e.idle) < maxIdle {
			e.idle = append(e.idle, st)
			e.mu.Unlock()
			return
		}
		e.mu.Unlock()
	}
	e.detach(st)
}

// detach takes a state out of those that run whatever comes.
func (e *Engine) detach(st *state) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.states = slices.DeleteFunc(e.states, func(s *state) bool { return s == st })
}

// maxKeptReply is up to which size the buffer for the replies of commands stays with a state.
const maxKeptReply = 1 << 20
