package scripting

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// endless are scripts that never end by themselves, each in another part of the VM or of a library.
var endless = map[string]string{
	"loop":              "while true do end",
	"repeat":            "repeat until false",
	"for":               "for i = 1, math.huge do end",
	"goto by recursion": "local function f() return f() end f()",
	"pcall":             "while true do pcall(function() while true do end end) end",
	"pcall of errors":   "while true do pcall(error, 'x') end",
	"xpcall":            "while true do xpcall(function() while true do end end, function() while true do end end) end",
	"handler":           "xpcall(function() error('x') end, function() while true do end end)",
	"coroutine":         "while true do coroutine.wrap(function() while true do end end)() end",
	"resume":            "while true do coroutine.resume(coroutine.create(function() while true do pcall(function() while true do end end) end end)) end",
	"yields":            "local c = coroutine.wrap(function() while true do coroutine.yield() end end) while true do c() end",
	"metamethod":        "local t = setmetatable({}, {__index = function() while true do end end}) return t.x",
	"tostring":          "return tostring(setmetatable({}, {__tostring = function() while true do end end}))",
	"sort":              "local t = {} for i = 1, 1000 do t[i] = i end while true do table.sort(t, function(a, b) return a > b end) end",
	"sort of numbers":   "local t = {} for i = 1, 100000 do t[i] = -i end while true do table.sort(t) end",
	"pattern":           "local s = string.rep('a', 100000) while true do string.find(s, string.rep('a?', 200) .. string.rep('a', 200)) end",
	"gsub":              "while true do string.gsub(string.rep('a', 1000), 'a', function() end) end",
	"insert":            "table.insert({1}, -1e15, 1)",
	"concat":            "while true do local t = {} for i = 1, 1000 do t[i] = 'x' end table.concat(t, ',') end",
	"foreach":           "while true do table.foreach({1, 2, 3}, function() end) end",
	"commands":          "while true do redis.call('get', 'x') end",
	"pcalled commands":  "while true do redis.pcall('nosuch') end",
	"load":              "load(function() return ' ' end)",
	"varargs":           "local function f(...) return f(1, 2, 3, ...) end f()",
	"cjson":             "local t = {} for i = 1, 1000 do t[i] = i end while true do cjson.encode(t) end",
}

// TestKill ends scripts from another goroutine.
func TestKill(t *testing.T) {
	for name, script := range endless {
		t.Run(name, func(t *testing.T) {
			s := newTestServer(t, nil)
			started := make(chan *Run, 1)
			s.began = func(r *Run) { started <- r }
			reply := make(chan string, 1)
			go func() { reply <- s.connect().do("EVAL", script, "0") }()
			r := <-started
			require.Equal(t, []*Run{r}, s.engine.Running())
			require.Equal(t, msgBusyScript, s.engine.Kill(true, 0), "a script is no function")
			require.Equal(t, msgNotBusy, s.engine.Kill(false, 1<<40), "it is not overdue")
			require.Empty(t, s.engine.Kill(false, 0))
			got := <-reply
			require.Regexp(t, `^-ERR Script killed by user with SCRIPT KILL\.\.\. script: [0-9a-f]{40}, on @user_script:1\.\r\n$`, got)
			require.Empty(t, s.engine.Running())
			s.began = nil
			s.check(t, ":1\r\n", "EVAL", "return 1", "0")
		})
	}
}

func TestKillOfWriters(t *testing.T) {
	s := newTestServer(t, nil)
	wrote := make(chan struct{}, 1)
	goOn := make(chan struct{})
	s.called = func(args [][]byte) {
		if string(args[0]) == "echo" {
			wrote <- struct{}{}
			<-goOn
		}
	}
	reply := make(chan string, 1)
	go func() {
		reply <- s.connect().do("EVAL", "redis.call('set', 'k', 'v') return redis.call('echo', 'x')", "0")
	}()
	<-wrote
	require.Equal(t, msgUnkillable, s.engine.Kill(false, 0))
	close(goOn)
	require.Equal(t, "$1\r\nx\r\n", <-reply)
	require.Equal(t, msgNotBusy, s.engine.Kill(false, 0))
}

func TestKillOfFunctions(t *testing.T) {
	s := newTestServer(t, nil)
	s.check(t, "$1\r\nl\r\n", "FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() while true do end end)")
	started := make(chan *Run, 1)
	s.began = func(r *Run) { started <- r }
	reply := make(chan string, 1)
	go func() { reply <- s.connect().do("FCALL", "f", "1", "key", "arg") }()
	r := <-started
	stats := s.connect().do("FUNCTION", "STATS")
	require.Contains(t, stats, "*6\r\n$4\r\nname\r\n$1\r\nf\r\n$7\r\ncommand\r\n*5\r\n$5\r\nFCALL\r\n$1\r\nf\r\n$1\r\n1\r\n$3\r\nkey\r\n$3\r\narg\r\n$11\r\nduration_ms\r\n:")
	s.check(t, "-"+msgBusyFunc+"\r\n", "SCRIPT", "KILL")
	s.check(t, "+OK\r\n", "FUNCTION", "KILL")
	require.Equal(t, "-ERR Script killed by user with SCRIPT KILL... script: f, on @user_function:2.\r\n", <-reply)
	require.Nil(t, r.Command(), "the words of a command are its own")
	require.Regexp(t, `^\*4\r\n\$14\r\nrunning_script\r\n\$-1\r\n`, s.connect().do("FUNCTION", "STATS"))
}

// TestMemory: scripts that take ever more memory end, and the error is one that they cannot catch.
func TestMemory(t *testing.T) {
	for name, script := range map[string]string{
		"table":     "local t = {} while true do t[#t + 1] = {} end",
		"fields":    "local t, i = {}, 0 while true do i = i + 1 t['k' .. i] = i end",
		"strings":   "local t = {} while true do t[#t + 1] = string.rep('x', 100000) .. #t end",
		"pcalls":    "local t = {} while true do pcall(function() while true do t[#t + 1] = {} end end) end",
		"closures":  "local f = function() end while true do local g = f f = function() return g end end",
		"coroutine": "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end",
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestServer(t, func(o *Options) { o.MemoryLimitBytes = 16 << 20 })
			reply := s.connect().do("EVAL", script, "0")
			require.Regexp(t, `^-ERR Script killed: it uses too much memory script: [0-9a-f]{40}, on @user_script:1\.\r\n$`, reply)
			runtime.GC()
			s.check(t, ":1\r\n", "EVAL", "return 1", "0")
		})
	}
	for name, script := range map[string]string{
		"doubling":     "local s = 'x' while true do s = s .. s end",
		"rep":          "return string.rep('x', 1e9)",
		"rep of rep":   "return #string.rep(string.rep('x', 1e6), 1e6)",
		"concat":       "local t, s = {}, string.rep('x', 1e6) for i = 1, 1000 do t[i] = s end return #table.concat(t)",
		"caught twice": "local s = string.rep('x', 1e7) local ok = pcall(function() while true do s = s .. s end end) if ok then return 1 end error('not enough memory')",
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestServer(t, func(o *Options) { o.MemoryLimitBytes = 64 << 20 })
			reply := s.connect().do("EVAL", script, "0")
			require.Regexp(t, `^-ERR (user_script:1: )?(not enough memory|resulting string too large|Script killed: it uses too much memory) script: `, reply[:min(len(reply), 300)])
		})
	}
}

// TestRecursion: what nests too deep is an error, whatever it is.
func TestRecursion(t *testing.T) {
	for name, script := range map[string]string{
		"calls":       "local function f() return 1 + f() end return f()",
		"big frames":  "local function f(a) local b, c, d, e = a, a, a, a return {f(a), b, c, d, e} end return f(1)",
		"arguments":   "local function f(...) return 1 + f(1, ...) end return f()",
		"index":       "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x",
		"index chain": "local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x",
		"newindex":    "local t = setmetatable({}, {}) getmetatable(t).__newindex = t t.x = 1",
		"tostring":    "local t = setmetatable({}, {}) getmetatable(t).__tostring = tostring return tostring(t)",
		"add":         "local t = setmetatable({}, {__add = function(a, b) return a + b end}) return t + t",
		"concat":      "local t = setmetatable({}, {__concat = function(a, b) return a .. b end}) return t .. t",
		"pcall":       "local function f() return pcall(f) end return f()",
		"pcall tower": "local function f() local ok, e = pcall(f) error(e) end return f()",
		"xpcall":      "local function f() return xpcall(f, f) end return f()",
		"coroutines":  "local function f() return coroutine.wrap(f)() end return f()",
		"in co":       "return coroutine.wrap(function() local function f() return 1 + f() end return f() end)()",
		"co in calls": "local function f(n) if n == 0 then return coroutine.wrap(function() return f(1000) end)() end return 1 + f(n - 1) end return f(1000)",
		"gsub":        "local function f() return (string.gsub('x', 'x', f)) end return f()",
		"sort":        "local function f() table.sort({1, 2, 3}, f) end f()",
		"foreach":     "local function f() table.foreach({1}, f) end f()",
		"load":        "local function f() return load(f) end return f()",
		"iterator":    "local function f() for x in f do end end f()",
		"call":        "local t = setmetatable({}, {}) getmetatable(t).__call = t return t()",
		"lt":          "local t = setmetatable({}, {__lt = function(a, b) return a < b end}) return t < t",
		"eq":          "local m = {__eq = function(a, b) return a == b end} return setmetatable({}, m) == setmetatable({}, m)",
		"cjson":       "local t = {} t[1] = t return cjson.encode(t)",
		"cmsgpack":    "local t = {} t[1] = t return #cmsgpack.pack(t)",
		"reply":       "local t = {} t[1] = t return t",
		"map reply":   "local t = {} t.map = {k = t} return t",
		"set reply":   "local t = {} t.set = {[t] = true} return t",
		"unpack":      "return unpack({}, 1, 1e8)",
		"select":      "return select(-1, unpack({}, 1, 1e8))",
		"sparse":      "local t = {} for i = 1, 40 do t[2^i] = i end return #t >= 0",
		"parens":      "return " + strings.Repeat("(", 1e5) + "1" + strings.Repeat(")", 1e5),
		"tables":      "return " + strings.Repeat("{", 1e5) + strings.Repeat("}", 1e5),
		"functions":   strings.Repeat("return function() ", 1e5) + strings.Repeat("end ", 1e5),
		"not":         "return " + strings.Repeat("not ", 1e5) + "1",
		"pow":         "return " + strings.Repeat("2^", 1e5) + "1",
		"dots":        "return x" + strings.Repeat(".x", 1e5),
		"index's":     "return x" + strings.Repeat("[1]", 1e5),
		"calls'":      "return x" + strings.Repeat("()", 1e5),
		"plus":        "return 1" + strings.Repeat("+1", 1e5),
		"and":         "return 1" + strings.Repeat(" and 1", 1e5),
		"elseif":      "if x then " + strings.Repeat("elseif x then ", 1e5) + "end",
		"locals":      strings.Repeat("local a ", 1e5),
		"assignments": strings.Repeat("a.b, ", 1e5) + "a = 1",
		"brackets":    strings.Repeat("[", 1e5),
		"long string": "return " + "[" + strings.Repeat("=", 1e5) + "[",
		"constants": "local t = {} " + func() string {
			var b strings.Builder
			for i := range 20000 {
				fmt.Fprintf(&b, "t[1]=%d ", i)
			}
			return b.String()
		}() + " return 1",
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestServer(t, nil)
			s.began = nil
			k := s.connect()
			reply := k.do("EVAL", script, "0")
			require.NotEmpty(t, reply)
			t.Logf("%.150q", reply)
			require.Equal(t, ":1\r\n", k.do("EVAL", "return 1", "0"))
			require.Equal(t, ":500\r\n", k.do("EVAL", "local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end return f(500)", "0"))
		})
	}
}

// TestManyConstants: a function may have more constants than the VM's compiler takes well.
func TestManyConstants(t *testing.T) {
	s := newTestServer(t, nil)
	var b strings.Builder
	b.WriteString("local t = {")
	for i := range 5000 {
		fmt.Fprintf(&b, "%d.5, 'key %d', name%d = 'x%d', ['y' .. %d] = %d, ", i, i, i, i, i, -i)
	}
	b.WriteString("} return {#t, t[2], t[9999] * 2, t[10000], t.name4999, t.y4999, t['key 1'] == nil}")
	s.check(t, "*7\r\n:10000\r\n$5\r\nkey 0\r\n:9999\r\n$8\r\nkey 4999\r\n$5\r\nx4999\r\n:-4999\r\n:1\r\n", "EVAL", b.String(), "0")

	b.Reset()
	for i := range maxConstants + 1 {
		fmt.Fprintf(&b, "x:m%d() ", i)
	}
	require.NotEmpty(t, s.connect().do("EVAL", b.String(), "0"))
	b.Reset()
	for i := range 61 {
		fmt.Fprintf(&b, "local a%d = %d ", i, i)
	}
	b.WriteString("\nreturn function() return a0")
	for i := range 61 {
		fmt.Fprintf(&b, " + a%d", i)
	}
	b.WriteString(" end")
	s.check(t, "-ERR Error compiling script (new function): user_script:2: function at line 2 has more than 60 upvalues\r\n", "EVAL", b.String(), "0")
}

// TestSandbox: nothing that one script does is seen by the next.
func TestSandbox(t *testing.T) {
	s := newTestServer(t, nil)
	k := s.connect()
	names := []string{
		"dofile", "loadfile", "print", "require", "module", "newproxy", "package", "io", "debug", "setfenv", "getfenv", "channel",
		"_printregs", "_GOPHER_LUA_VERSION", "arg",
	}
	for _, name := range names {
		require.Contains(t, k.do("EVAL", "return "+name, "0"), "nonexistent global variable '"+name+"'")
		require.Equal(t, "$3\r\nnil\r\n", k.do("EVAL", "return type(rawget(_G, '"+name+"'))", "0"), name)
	}
	require.Equal(t, "*1\r\n$5\r\nclock\r\n", k.do("EVAL", "local t = {} for k in pairs(os) do t[#t + 1] = k end return t", "0"))
	require.Contains(t, k.do("EVAL", "return string.dump(function() end)", "0"), "unable to dump given function")

	changes := []string{
		"x = 1", "_G.x = 1", "_G['x'] = 1", "rawset(_G, 'x', 1)", "_G._G.x = 1", "setmetatable(_G, nil)", "setmetatable(_G, {__index = function() return 1 end})",
		"getmetatable(_G).__index = function() return 1 end", "getmetatable(_G).__newindex = nil", "rawset(getmetatable(_G), '__index', nil)",
		"redis = nil", "redis.call = nil", "rawset(redis, 'call', nil)", "redis.x = 1", "table.insert(redis, 1)", "redis[1] = 1",
		"string.len = nil", "getmetatable('').__index = nil", "getmetatable('').__index.len = nil", "rawset(getmetatable(''), '__index', {})",
		"rawset(getmetatable('').__index, 'len', nil)", "setmetatable(getmetatable(''), {})", "setmetatable(string, {})",
		"table.insert(table, 1, 1)", "cjson.x = 1", "cmsgpack.x = 1", "struct.x = 1", "bit.x = 1", "math.pi = 3", "coroutine.x = 1",
		"os.clock = nil", "for k, v in pairs(_G) do if type(v) == 'table' then v.x = 1 end end", "local s = string s.x = 1", "local k, v = next(_G) _G[k] = nil",
		"loadstring('x = 1')()", "loadstring('function x() end')()", "function x() end", "for k, v in pairs(getmetatable(_G)) do getmetatable(_G)[k] = 1 end",
		"coroutine.wrap(function() x = 1 end)()", "pcall(function() error() end) x = 1",
	}
	probe := []string{"EVAL", `local t = {}
for k, v in pairs(_G) do
  t[#t + 1] = k .. type(v)
  if type(v) == 'table' and v ~= _G then for k2, v2 in pairs(v) do t[#t + 1] = k .. '.' .. k2 .. tostring(v2) end end
end
t[#t + 1] = tostring(getmetatable(_G)) .. tostring(getmetatable(string)) .. tostring(('x').len) .. math.pi
table.sort(t)
return table.concat(t, ' ')`, "0"}
	want := k.do(probe...)
	for _, change := range changes {
		reply := k.do("EVAL", change, "1", "key", "arg")
		require.Contains(t, reply, "Attempt to modify a readonly table", change)
		require.Equal(t, want, k.do(probe...), change)
	}
	// What can be changed is the script's own.
	for _, change := range []string{"KEYS[1] = nil", "table.insert(ARGV, 'x')", "setmetatable(KEYS, {__index = string})", "math.randomseed(1)", "redis.setresp(3)", "collectgarbage('stop')"} {
		require.NotContains(t, k.do("EVAL", change, "1", "key", "arg"), "-ERR", change)
		require.Equal(t, want, k.do(probe...), change)
	}
	require.Equal(t, "$-1\r\n", k.do("EVAL", "return redis.call('get', 'nokey')", "0"), "redis.setresp is forgotten")
}

// TestParallel runs scripts on many goroutines, one state each. It is for the race detector.
func TestParallel(t *testing.T) {
	s := newTestServer(t, nil)
	s.check(t, "$1\r\np\r\n", "FUNCTION", "LOAD", "#!lua name=p\nredis.register_function('f', function(keys, args) return #keys + #args end)")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			k := s.connect()
			for j := range 100 {
				n := itoa(i*1000 + j)
				assert.Equal(t, "$"+itoa(len(n)+2)+"\r\n"+n+":1\r\n", k.do("EVAL", "local t = {} for i = 1, 50 do t[i] = i end return ARGV[1] .. ':' .. t[1]", "0", n))
				assert.Equal(t, "$"+itoa(len(n))+"\r\n"+n+"\r\n", k.do("EVAL", "return ARGV[1] --"+n, "0", n))
				assert.Contains(t, k.do("EVAL", "local x = nil return x.y", "0"), "attempt to index local 'x' (a nil value)")
				assert.Equal(t, ":2\r\n", k.do("FCALL", "f", "1", "k", "a"))
				if j%10 == 0 {
					k.do("SCRIPT", "LOAD", "return "+n)
					s.engine.Running()
					s.engine.Kill(false, 1<<40)
				}
				if j%25 == 0 {
					k.do("FUNCTION", "LOAD", "REPLACE", "#!lua name=p\nredis.register_function('f', function(keys, args) return #keys + #args end)")
				}
			}
		})
	}
	wg.Wait()
	require.Empty(t, s.engine.Running())
}
