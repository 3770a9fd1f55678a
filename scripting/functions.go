package scripting

import (
	"slices"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
	"github.com/troupe-db/troupe/scripting/plan"
)

// A library is code that registers functions when it is loaded. Libraries belong to the server; every state loads a library again, in the version at hand, when
// it first runs one of its functions.

// library is one version of a library. It is immutable but for what it keeps itself.
type library struct {
	name      string
	code      string
	unit      *unit
	functions []*function // by name

	// home is the state that runs all functions of a library that keeps something, nil for others. mu is held while it does; as such
	// functions hold all shards, nobody waits for it.
	home *state
	mu   sync.Mutex
}

// function is a registered function.
type function struct {
	name        string
	description string // with hasDescription
	described   bool
	flags       ScriptFlags
	plan        plan.Plan
	library     *library
}

// librarySet is all libraries at one time. It is immutable.
type librarySet struct {
	libraries map[string]*library
	functions map[string]*function // by their names in lower case: FCALL takes either
}

// find returns a function by its name, nil when there is none.
func (s *librarySet) find(name []byte) *function {
	if f := s.functions[string(name)]; f != nil {
		return f
	}
	return s.functions[strings.ToLower(string(name))]
}

func newLibrarySet() *librarySet {
	return &librarySet{libraries: map[string]*library{}, functions: map[string]*function{}}
}

func (s *librarySet) clone() *librarySet {
	c := newLibrarySet()
	for _, lib := range s.libraries {
		c.put(lib)
	}
	return c
}

func (s *librarySet) put(lib *library) {
	s.libraries[lib.name] = lib
	for _, f := range lib.functions {
		s.functions[strings.ToLower(f.name)] = f
	}
}

func (s *librarySet) remove(name string) {
	lib := s.libraries[name]
	if lib == nil {
		return
	}
	delete(s.libraries, name)
	for _, f := range lib.functions {
		delete(s.functions, strings.ToLower(f.name))
	}
}

// sorted returns the libraries by name.
func (s *librarySet) sorted() []*library {
	all := make([]*library, 0, len(s.libraries))
	for _, lib := range s.libraries {
		all = append(all, lib)
	}
	slices.SortFunc(all, func(a, b *library) int { return strings.Compare(a.name, b.name) })
	return all
}

// instance is a library in one state.
type instance struct {
	library   *library
	callbacks map[string]*lua.LFunction
}

// loader collects what a library registers while it is loaded.
type loader struct {
	functions []*function
	callbacks map[string]*lua.LFunction
}

// loadLimitUs is how long the code of a library may run when it is loaded.
const loadLimitUs = 500_000

const msgBadName = "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long"

func validName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return name != ""
}

// parseLibrary reads the first line of a library's code. err is the error that answers the command.
func parseLibrary(code string) (name, src, err string) {
	if !strings.HasPrefix(code, "#!") {
		return "", "", "ERR Missing library metadata"
	}
	words, rest, wrong := shebang(code)
	// To redis-server the text ends at a NUL byte.
	if first, _, _ := strings.Cut(code, "\n"); wrong != "" || strings.IndexByte(first, 0) >= 0 {
		return "", "", "ERR Invalid library metadata"
	}
	engine := string(words[0][2:])
	given := false
	for _, w := range words[1:] {
		const option = "name="
		if len(w) < len(option) || !strings.EqualFold(string(w[:len(option)]), option) {
			return "", "", "ERR Invalid metadata value given: " + string(w)
		}
		if given {
			return "", "", "ERR Invalid metadata value, name argument was given multiple times"
		}
		name, given = string(w[len(option):]), true
	}
	switch {
	case !given:
		return "", "", "ERR Library name was not given"
	case !validName(name):
		return "", "", "ERR " + msgBadName
	case !strings.EqualFold(engine, "lua"):
		return "", "", "ERR Engine '" + engine + "' not found"
	}
	return name, rest, ""
}

// newLibrary compiles and loads a library on its own. err is the error that answers the command.
func (e *Engine) newLibrary(code string, limitUs int64) (lib *library, err string) {
	name, src, err := parseLibrary(code)
	if err != "" {
		return nil, err
	}
	u, compileErr := e.compile(src, functionChunk, libraryKind)
	if compileErr != nil {
		return nil, "ERR Error compiling function: " + compileErr.Error()
	}
	lib = &library{name: name, code: code, unit: u}
	st := e.acquire()
	stays := false
	defer func() {
		if !stays {
			e.release(st)
		}
	}()
	ld, err := st.loadLibrary(lib, limitUs)
	if err != "" {
		return nil, "ERR Error registering functions: " + err
	}
	if len(ld.functions) == 0 {
		return nil, "ERR No functions registered"
	}
	for _, f := range ld.functions {
		f.library, f.plan = lib, u.plans[f.name]
	}
	if u.keeps {
		lib.home, stays = st, true
		e.detach(st)
	}
	lib.functions = ld.functions
	slices.SortFunc(lib.functions, func(a, b *function) int { return strings.Compare(a.name, b.name) })
	st.libraries[lib.name] = &instance{library: lib, callbacks: ld.callbacks}
	return lib, ""
}

// loadLibrary runs the code of a library in this state.
func (st *state) loadLibrary(lib *library, limitUs int64) (ld *loader, err string) {
	before := st.current
	defer func() { st.current = before }()
	r := &Run{Function: true, Name: lib.name, started: st.e.nowUs(), limitUs: limitUs}
	st.current = current{run: r, loader: &loader{callbacks: map[string]*lua.LFunction{}}, proto: 2, left: lookEvery}
	ld = st.loader
	st.L.G.CurrentThread = st.L
	// While a library is loaded its globals are few; what it finds later it looks up in the same table.
	st.fnMeta.RawSetString("__index", st.loadGlobals)
	defer st.fnMeta.RawSetString("__index", st.fnGlobals)
	L := st.L
	mark := L.GetTop()
	L.Push(st.instantiate(L, lib.unit, st.fnEnv))
	obj, _, ok := st.protect(L, 0, 0, nil, true)
	L.SetTop(mark)
	switch {
	case ok:
		return ld, ""
	case st.dead:
		return nil, r.stopText()
	}
	if t, isTable := obj.(*lua.LTable); isTable {
		if text, isText := toString(t.RawGetString("err")); isText {
			return nil, text
		}
		return nil, "ERR unknown error"
	}
	return nil, "ERR " + toText(obj)
}

func toString(v lua.LValue) (string, bool) { return luaarg.ToString(v) }

// function returns the Lua function behind f. err is the error that answers the command.
func (st *state) function(f *function) (fn *lua.LFunction, err string) {
	lib := f.library
	in := st.libraries[lib.name]
	if in == nil || in.library != lib {
		ld, err := st.loadLibrary(lib, 0)
		if err != "" {
			return nil, "ERR Error registering functions: " + err
		}
		in = &instance{library: lib, callbacks: ld.callbacks}
		st.libraries[lib.name] = in
	}
	if fn = in.callbacks[f.name]; fn == nil {
		return nil, "ERR Function not found"
	}
	return fn, ""
}

// loadLib makes the table redis that a library finds while it is loaded.
func (st *state) loadLib() *lua.LTable {
	t := st.L.SetFuncs(st.L.CreateTable(0, 8), map[string]lua.LGFunction{"register_function": st.registerFunction, "log": st.redisLog})
	st.logLevels(t)
	st.versions(t)
	return t
}

// registerFunction is redis.register_function.
func (st *state) registerFunction(L *lua.LState) int {
	if st.loader == nil {
		st.fail(L, "redis.register_function can only be called on FUNCTION LOAD command")
	}
	f, callback, msg := readRegistration(L)
	if msg != "" {
		st.fail(L, msg)
	}
	if !validName(f.name) {
		st.fail(L, msgBadName)
	}
	if st.loader.callbacks[f.name] != nil {
		st.fail(L, "Function already exists in the library")
	}
	st.loader.functions = append(st.loader.functions, f)
	st.loader.callbacks[f.name] = callback
	return 0
}

// readRegistration reads the arguments of redis.register_function: a name and a function, or one table with both and more.
func readRegistration(L *lua.LState) (f *function, callback *lua.LFunction, msg string) {
	switch L.GetTop() {
	case 1:
		t, ok := L.Get(1).(*lua.LTable)
		if !ok {
			return nil, nil, "calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments)."
		}
		return readNamed(t)
	case 2:
		name, ok := luaarg.ToString(L.Get(1))
		if !ok {
			return nil, nil, "first argument to redis.register_function must be a string"
		}
		callback, ok = L.Get(2).(*lua.LFunction)
		if !ok {
			return nil, nil, "second argument to redis.register_function must be a function"
		}
		return &function{name: name}, callback, ""
	}
	return nil, nil, "wrong number of arguments to redis.register_function"
}

func readNamed(t *lua.LTable) (f *function, callback *lua.LFunction, msg string) {
	f = &function{}
	named := false
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		key, ok := luaarg.ToString(k)
		if !ok {
			return nil, nil, "named argument key given to redis.register_function is not a string"
		}
		switch strings.ToLower(key) {
		case "function_name":
			if f.name, ok = luaarg.ToString(v); !ok {
				return nil, nil, "function_name argument given to redis.register_function must be a string"
			}
			named = true
		case "description":
			if f.description, ok = luaarg.ToString(v); !ok {
				return nil, nil, "description argument given to redis.register_function must be a string"
			}
			f.described = true
		case "callback":
			if callback, ok = v.(*lua.LFunction); !ok {
				return nil, nil, "callback argument given to redis.register_function must be a function"
			}
		case "flags":
			flags, isTable := v.(*lua.LTable)
			if !isTable {
				return nil, nil, "flags argument to redis.register_function must be a table representing function flags"
			}
			for i := 1; flags.RawGetInt(i) != lua.LNil; i++ {
				name, isText := flags.RawGetInt(i).(lua.LString)
				flag, known := flagByName(string(name))
				if !isText || !known {
					return nil, nil, "unknown flag given"
				}
				f.flags |= flag
			}
		default:
			return nil, nil, "unknown argument given to redis.register_function"
		}
	}
	if !named {
		return nil, nil, "redis.register_function must get a function name argument"
	}
	if callback == nil {
		return nil, nil, "redis.register_function must get a callback argument"
	}
	return f, callback, ""
}
