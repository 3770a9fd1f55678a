package scripting

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
	"github.com/troupe-db/troupe/scripting/plan"
)

// TestPlansOfFunctions: what is known of a function beforehand, and whether its library may keep something.
func TestPlansOfFunctions(t *testing.T) {
	const none, proven, keeps = "none", "proven", "keeps"
	for _, c := range []struct{ want, code string }{
		{proven, "redis.register_function('f', function(keys) return redis.call('get', keys[1]) end)"},
		{proven, "redis.register_function{function_name='f', callback=function(k, a) return redis.call('set', k[1], a[1]) end}"},
		{proven, "local function get(k) return redis.call('get', k) end redis.register_function('f', function(keys) return get(keys[1]) end)"},
		{proven, "local ttl = 10 redis.register_function('f', function(keys) return redis.call('expire', keys[1], ttl) end)"},
		{proven, "local T = {a = 1, b = 'x'} redis.register_function('f', function(keys) return redis.call('set', keys[1], T.a) end)"},
		{none, "redis.register_function('f', function(keys, args) return redis.call('get', args[1]) end)"},
		{none, "redis.register_function('f', function() return redis.call('get', 'fixed') end)"},
		{none, "redis.register_function('f', function(...) return redis.call('get', (...)) end)"},
		{none, "local function f(keys) return redis.call('get', keys[1]) end redis.register_function('f', f)"},
		{none, "local T = {a = {b = 1}} redis.register_function('f', function(keys, args) return T.a.b + redis.call('get', args[1]) end)"},
		{none, "local M = {} function M.g(k) return redis.call('get', k) end redis.register_function('f', function(keys, args) return M.g(args[1]) end)"},
		{none, "local T = {'a', 'b'} redis.register_function('f', function(keys, args) for i, v in ipairs(T) do redis.call('get', v) end end)"},

		{keeps, "local n = 0 redis.register_function('f', function() n = n + 1 return n end)"},
		{keeps, "local T = {} redis.register_function('f', function(keys) T[keys[1]] = 1 end)"},
		{keeps, "local T = {} redis.register_function('f', function(keys) local t = T t[1] = 1 end)"},
		{keeps, "local T = {a = {}} redis.register_function('f', function(keys) local t = T.a t[1] = 1 end)"},
		{keeps, "local T = {a = {}} redis.register_function('f', function(keys) T.a[1] = 1 end)"},
		{keeps, "local T = {} local U = T redis.register_function('f', function() U.x = 1 end)"},
		{keeps, "local T = {} redis.register_function('f', function() return #T.list end) T.list = {} redis.register_function('g', function() local l = T.list l[1] = 1 end)"},
		{keeps, "local T = {} local function set(k, v) T[k] = v end redis.register_function('f', function() set(1, 2) end)"},
		{keeps, "local T = {} function T.add(x) T.sum = x end redis.register_function('f', function() T.add(1) end)"},
		{keeps, "local T = {} function T:add(x) self.sum = x end redis.register_function('f', function() T:add(1) end)"},
		{keeps, "local function make() local n = 0 return function() n = n + 1 return n end end redis.register_function('f', make())"},
		{keeps, "local function make() local n = 0 return function() n = n + 1 return n end end local c = make() redis.register_function('f', function() return c() end)"},
		{keeps, "local function reg() local n = 0 redis.register_function('f', function() n = n + 1 return n end) end reg()"},
		{keeps, "local reg = redis.register_function local function g() local n = 0 reg('f', function() n = n + 1 return n end) end g()"},
		{keeps, "local r = redis local function g() local n = 0 r.register_function('f', function() n = n + 1 return n end) end g()"},
		{keeps, "local name = 'register_function' local function g() local n = 0 redis[name]('f', function() n = n + 1 return n end) end g()"},
		{keeps, "local T = {} local function put(t) t.l = {} end put(T) redis.register_function('f', function() local l = T.l l[1] = 1 end)"},
		{keeps, "for i = 1, 2 do local n = 0 redis.register_function('f' .. i, function() n = n + 1 return n end) end redis.register_function('f', function() end)"},
		{keeps, "local n do n = 5 end redis.register_function('f', function() n = nil end)"},
		{keeps, "local function f() return f end local g = f() local T = {g} redis.register_function('f', function() T = 1 end)"},
	} {
		s := newTestServer(t, nil)
		reply := s.connect().do("FUNCTION", "LOAD", "#!lua name=l\n"+c.code)
		require.Equal(t, "$1\r\nl\r\n", reply, c.code)
		set := s.engine.libraries.Load()
		got := none
		f := set.functions["f"]
		switch {
		case set.libraries["l"].home != nil:
			got = keeps
		case f.plan.Proven:
			got = proven
		}
		require.Equal(t, c.want, got, c.code)
		if got == keeps && f != nil {
			require.Equal(t, plan.Plan{}, f.plan, "what is kept may hold keys")
		}
	}
}

// TestKeptValues: a library that keeps something keeps it from call to call, whichever connection calls.
func TestKeptValues(t *testing.T) {
	s := newTestServer(t, nil)
	code := "#!lua name=l\nlocal n = 0\nredis.register_function('f', function() n = n + 1 return n end)"
	s.check(t, "$1\r\nl\r\n", "FUNCTION", "LOAD", code)
	for i := range 5 {
		s.check(t, ":"+itoa(i+1)+"\r\n", "FCALL", "f", "0")
	}
	require.Len(t, s.engine.homes, 1)
	s.check(t, "$1\r\nl\r\n", "FUNCTION", "LOAD", "REPLACE", code)
	s.check(t, ":1\r\n", "FCALL", "f", "0")
	require.Len(t, s.engine.homes, 1)
	s.check(t, "+OK\r\n", "FUNCTION", "FLUSH")
	require.Empty(t, s.engine.homes)
	s.check(t, "-ERR Function not found\r\n", "FCALL", "f", "0")
}

// TestDumpsAgainstRedis takes libraries from Redis and gives them back.
func TestDumpsAgainstRedis(t *testing.T) {
	o := startOracle(t)
	s := newTestServer(t, nil)
	long := "#!lua name=long\n-- " + strings.Repeat("compressible ", 500) + "\nredis.register_function('long', function() return 'long' end)"
	for _, code := range []string{long, "#!lua name=short\nredis.register_function('short', function() return 'short' end)"} {
		require.NotContains(t, o.do("FUNCTION", "LOAD", code), "ERR")
	}
	bulk := func(reply string) string {
		v, _, err := resp.ReadReply([]byte(reply))
		require.NoError(t, err)
		return v.(string)
	}
	dump := bulk(o.do("FUNCTION", "DUMP"))
	k := s.connect()
	require.Equal(t, "+OK\r\n", k.do("FUNCTION", "RESTORE", dump))
	require.Equal(t, 1, k.dirty)
	require.Equal(t, "$4\r\nlong\r\n", k.do("FCALL", "long", "0"))
	require.Equal(t, functionList(o.do("FUNCTION", "LIST", "WITHCODE")), functionList(k.do("FUNCTION", "LIST", "WITHCODE")))
	for _, words := range [][]string{
		{dump, "REPLACE"}, {dump, "FLUSH"}, {dump + "x"}, {dump[:len(dump)-1]}, {""}, {dump, "x"},
	} {
		words = append([]string{"FUNCTION", "RESTORE"}, words...)
		require.Equal(t, o.do(words...), k.do(words...), "%.40q", words[2:])
	}
	// Redis stores its libraries in no order, so which one is in the way is clear for one only.
	o.do("FUNCTION", "DELETE", "long")
	one := bulk(o.do("FUNCTION", "DUMP"))
	for _, words := range [][]string{{one}, {one, "append"}, {one, "replace"}, {one, "flush"}} {
		words = append([]string{"FUNCTION", "RESTORE"}, words...)
		require.Equal(t, o.do(words...), k.do(words...), "%.40q", words[2:])
	}
	// A function that is in the way belongs to a library of another name.
	require.NotContains(t, o.do("FUNCTION", "FLUSH"), "ERR")
	k.do("FUNCTION", "FLUSH")
	other := "#!lua name=other\nredis.register_function('short', function() return 'other' end)"
	require.Equal(t, o.do("FUNCTION", "LOAD", other), k.do("FUNCTION", "LOAD", other))
	for _, policy := range []string{"APPEND", "REPLACE"} {
		require.Equal(t, o.do("FUNCTION", "RESTORE", one, policy), k.do("FUNCTION", "RESTORE", one, policy))
		require.Equal(t, functionList(o.do("FUNCTION", "LIST")), functionList(k.do("FUNCTION", "LIST")))
	}
	require.Equal(t, "+OK\r\n", k.do("FUNCTION", "RESTORE", bulk(k.do("FUNCTION", "DUMP")), "FLUSH"))
	require.Equal(t, []string{other}, s.engine.Functions())
}

// TestScriptCache: scripts that EVAL brought make room for others, those of SCRIPT LOAD stay.
func TestScriptCache(t *testing.T) {
	s := newTestServer(t, nil)
	k := s.connect()
	sha := func(body string) string { return sha1Hex([]byte(body)) }
	k.do("SCRIPT", "LOAD", "return 'loaded'")
	k.do("EVAL", "return 'promoted'", "0")
	k.do("SCRIPT", "LOAD", "return 'promoted'")
	k.do("EVAL", "return 'used'", "0")
	k.do("EVAL", "return 'old'", "0")
	for i := range maxEvalScripts - 1 {
		k.do("EVAL", fmt.Sprintf("return %d", i), "0")
		k.do("EVALSHA", sha("return 'used'"), "0")
	}
	require.Equal(t, "*4\r\n:1\r\n:1\r\n:1\r\n:0\r\n",
		k.do("SCRIPT", "EXISTS", sha("return 'loaded'"), sha("return 'promoted'"), sha("return 'used'"), sha("return 'old'")))
	stats := s.engine.Stats()
	require.EqualValues(t, maxEvalScripts+2, stats.Scripts)
	require.EqualValues(t, 1, stats.Evicted)
	require.Positive(t, stats.ScriptBytes)
	k.do("SCRIPT", "FLUSH")
	require.Equal(t, Stats{Evicted: 1, StateBytes: stats.StateBytes}, s.engine.Stats())
}

// TestPanicOfACommand: it is not the script's to catch.
func TestPanicOfACommand(t *testing.T) {
	s := newTestServer(t, nil)
	s.called = func(args [][]byte) {
		if string(args[0]) == "echo" {
			panic("broken invariant")
		}
	}
	for _, script := range []string{
		"return redis.call('echo', 'x')", "pcall(redis.call, 'echo', 'x') return 1", "return {redis.pcall('echo', 'x')}",
		"while true do pcall(function() redis.call('echo', 'x') end) end", "coroutine.wrap(function() pcall(redis.call, 'echo', 'x') end)() return 1",
	} {
		k := s.connect()
		func() {
			defer func() {
				p, ok := recover().(*hostPanic)
				require.True(t, ok, script)
				require.Contains(t, p.Error(), "broken invariant")
				require.Contains(t, p.Error(), "TestPanicOfACommand", "the stack is that of the panic")
			}()
			k.do("EVAL", script, "0")
		}()
		require.Equal(t, ":1\r\n", k.do("EVAL", "return 1", "0"))
	}
	require.Empty(t, s.engine.Running())
}

func TestDeniedAndLogged(t *testing.T) {
	s := newTestServer(t, nil)
	s.denied = "OOM not now"
	s.check(t, "-OOM not now\r\n", "EVAL", "return 1", "0")
	require.Empty(t, s.engine.Running())
	s.denied = ""
	s.check(t, "$-1\r\n", "EVAL", "redis.log(redis.LOG_WARNING, 'a', 1.5, {}, 'b') redis.set_repl(redis.REPL_AOF) redis.set_repl(redis.REPL_ALL)", "0")
	require.Equal(t, []string{"3 a 1.5 b"}, s.log)
	require.Equal(t, []int{ReplAOF, ReplAll}, s.repl)
	s.check(t, "$-1\r\n", "EVAL", "return redis.acl_check_cmd('flushall')", "0")
	s.check(t, ":1\r\n", "EVAL", "return redis.acl_check_cmd('get', 'x')", "0")
	s.check(t, "$5\r\n7.4.1\r\n", "EVAL", "return redis.REDIS_VERSION", "0")
	s.check(t, ":459777\r\n", "EVAL", "return redis.REDIS_VERSION_NUM", "0")
	s.check(t, "-ERR the script debugger is not supported\r\n", "SCRIPT", "DEBUG", "YES")
	s.check(t, "-ERR the script debugger is not supported\r\n", "SCRIPT", "DEBUG", "sync")
	s.check(t, "$3\r\n0.1\r\n", "EVAL", "return redis.call('echo', 0.1)", "0")
	s.check(t, "$16\r\n1000000000000000\r\n", "EVAL", "return redis.call('echo', 1e15)", "0")
	s.check(t, "$1\r\n0\r\n", "EVAL", "return redis.call('echo', -0.0)", "0")
	s.check(t, "$5\r\n1e+20\r\n", "EVAL", "return redis.call('echo', 1e20)", "0")
	s.check(t, "-ERR unknown error script: "+sha1Hex([]byte("error({})"))+", on @user_script:1.\r\n", "EVAL", "error({})", "0")
}

// TestPrepare: what is known before a command runs.
func TestPrepare(t *testing.T) {
	s := newTestServer(t, nil)
	prepare := func(words ...string) *Call {
		args := make([][]byte, len(words))
		for i, w := range words {
			args[i] = []byte(w)
		}
		return s.engine.Prepare(s.table.Lookup(args[0]), args)
	}
	c := prepare("EVAL", "return redis.call('get', KEYS[1])", "1", "k", "a", "b")
	require.Empty(t, c.Err)
	require.Equal(t, []int{3, 1}, []int{c.FirstKey, c.NumKeys})
	require.True(t, c.Plan.Proven && c.Plan.Bounded)
	require.Equal(t, Compat, c.Flags)
	require.False(t, c.ReadOnly)
	require.True(t, prepare("EVAL_RO", "return 1", "0").ReadOnly)
	c = prepare("EVAL", "#!lua flags=no-writes,allow-oom\nreturn 1", "0")
	require.True(t, c.ReadOnly)
	require.Equal(t, NoWrites|AllowOOM, c.Flags)
	require.False(t, prepare("EVAL", "return redis.call('get', 'other')", "1", "k").Plan.Proven)
	require.Nil(t, prepare("SCRIPT", "EXISTS", "x"))
	require.Equal(t, msgNoScript, prepare("EVALSHA", "x", "0").Err)
}

func FuzzScript(f *testing.F) {
	for _, script := range testScripts(f, "scripts.txt") {
		if len(script) < 1000 {
			f.Add(script)
		}
	}
	s := newTestServer(f, func(o *Options) { o.MemoryLimitBytes = 64 << 20 })
	f.Fuzz(func(t *testing.T, source string) {
		u, err := s.engine.compile(source, scriptChunk, scriptKind)
		if err != nil {
			require.Regexp(t, `^user_script:\d+: `, err.Error())
			return
		}
		st := newState(s.engine)
		r := &Run{Name: "fuzz", started: s.engine.nowUs(), limitUs: 20_000, args: &Call{FirstKey: 3}, words: make([][]byte, 3)}
		k := s.connect()
		k.run = r
		st.beginRun(r, &k.ctx)
		st.host = k
		call := &Call{script: &script{unit: u}, FirstKey: 3}
		v, msg := st.execute(call, r)
		if msg == "" && v != st.rawReply {
			w := writer{st: st, w: &k.out}
			w.value(v, convertBase)
		}
	})
}
