package scripting

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"unsafe"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/netio/resp"
	"github.com/troupe-db/troupe/scripting/luaarg"
)

// Levels of redis.log, which Options.Log is given.
const (
	LogDebug = iota
	LogVerbose
	LogNotice
	LogWarning
)

// Bits of redis.set_repl, which Host.SetRepl is given.
const (
	ReplNone  = 0
	ReplAOF   = 1 << 0
	ReplSlave = 1 << 1
	ReplAll   = ReplAOF | ReplSlave
)

// redisLib makes the table redis of scripts (eval) or of functions.
func (st *state) redisLib(eval bool) *lua.LTable {
	L := st.L
	t := L.SetFuncs(L.CreateTable(0, 32), map[string]lua.LGFunction{
		"call":  func(L *lua.LState) int { return st.redisCall(L, true) },
		"pcall": func(L *lua.LState) int { return st.redisCall(L, false) },
		"log":   st.redisLog, "sha1hex": st.redisSha1Hex, "setresp": st.redisSetResp, "set_repl": st.redisSetRepl,
		"error_reply": st.redisErrorReply, "status_reply": st.redisStatusReply, "acl_check_cmd": st.redisACLCheckCmd,
	})
	st.logLevels(t)
	t.RawSetString("REPL_NONE", lua.LNumber(ReplNone))
	t.RawSetString("REPL_AOF", lua.LNumber(ReplAOF))
	t.RawSetString("REPL_SLAVE", lua.LNumber(ReplSlave))
	t.RawSetString("REPL_REPLICA", lua.LNumber(ReplSlave))
	t.RawSetString("REPL_ALL", lua.LNumber(ReplAll))
	st.versions(t)
	if eval {
		L.SetFuncs(t, map[string]lua.LGFunction{
			// Effects are always what is replicated.
			"replicate_commands": func(L *lua.LState) int { L.Push(lua.LTrue); return 1 },
			// Without a debugger nothing stops and nothing is shown.
			"breakpoint": func(L *lua.LState) int { L.Push(lua.LFalse); return 1 },
			"debug":      func(*lua.LState) int { return 0 },
		})
	}
	return t
}

func (st *state) versions(t *lua.LTable) {
	t.RawSetString("REDIS_VERSION", lua.LString(st.e.options.Version))
	t.RawSetString("REDIS_VERSION_NUM", lua.LNumber(versionNumber(st.e.options.Version)))
}

func (st *state) logLevels(t *lua.LTable) {
	t.RawSetString("LOG_DEBUG", lua.LNumber(LogDebug))
	t.RawSetString("LOG_VERBOSE", lua.LNumber(LogVerbose))
	t.RawSetString("LOG_NOTICE", lua.LNumber(LogNotice))
	t.RawSetString("LOG_WARNING", lua.LNumber(LogWarning))
}

// versionNumber returns 0x00MMmmpp for a version M.m.p.
func versionNumber(version string) int {
	n := 0
	parts := strings.SplitN(version, ".", 3)
	for i := range 3 {
		part := 0
		if i < len(parts) {
			part, _ = strconv.Atoi(parts[i])
		}
		n = n<<8 | part&0xff
	}
	return n
}

// errorTable returns an error as scripts see it. Without a code word it gets ERR.
func (st *state) errorTable(text string) *lua.LTable {
	t := st.L.CreateTable(0, 2)
	t.RawSetString("err", lua.LString(text))
	return t
}

// fail raises an error of the redis library, which is a table.
func (st *state) fail(L *lua.LState, msg string) {
	L.Error(st.errorTable("ERR "+msg), 0)
}

// words turns the arguments of the running function into the words of a command. They are valid until the next call. err says what is wrong with them.
func (st *state) words(L *lua.LState) (words [][]byte, err string) {
	n := L.GetTop()
	if n == 0 {
		return nil, "Please specify at least one argument for this redis lib call"
	}
	words, text := st.argv[:0], st.argText[:0]
	for i := 1; i <= n; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			words = append(words, unsafe.Slice(unsafe.StringData(string(v)), len(v))) // nobody changes the words of a command
		case lua.LNumber:
			from := len(text)
			text = appendArgument(text, float64(v))
			words = append(words, text[from:len(text):len(text)])
		default:
			return nil, "Lua redis lib command arguments must be strings or integers"
		}
	}
	st.argv, st.argText = words, text
	return words, ""
}

// appendArgument writes a number as an argument of a command: whole numbers without exponent, others with as many digits as tell them apart.
func appendArgument(dst []byte, f float64) []byte {
	if f == 0 {
		return append(dst, '0')
	}
	return resp.AppendFloat(dst, f)
}

func (st *state) redisCall(L *lua.LState, raise bool) int {
	if st.host == nil {
		st.fail(L, "redis.call/pcall can only be called inside a script invocation")
	}
	words, msg := st.words(L)
	var v lua.LValue
	failed := msg != ""
	if failed {
		v = st.errorTable("ERR " + msg)
	} else {
		st.out.Buf = st.out.Buf[:0]
		st.out.Proto = st.proto
		st.hostCall(L, words)
		v, failed = st.reply()
	}
	if failed && raise {
		L.Error(v, 0)
	}
	L.Push(v)
	return 1
}

// returnCall is redisCall for a call whose result is that of the script: the reply stays in st.out, for which a value stands in.
func (st *state) returnCall(L *lua.LState, raise bool) int {
	if st.host == nil || st.proto != 2 {
		return st.redisCall(L, raise)
	}
	words, msg := st.words(L)
	if msg != "" {
		return st.redisCall(L, raise)
	}
	st.out.Buf = st.out.Buf[:0]
	st.out.Proto = st.proto
	st.hostCall(L, words)
	if raise && st.out.Buf[0] == '-' {
		v, _ := st.reply()
		L.Error(v, 0)
	}
	L.Push(st.rawReply)
	return 1
}

// hostCall runs a command. A panic of the server's must not end in a pcall of the script's: it ends the run and goes on from there.
func (st *state) hostCall(L *lua.LState, words [][]byte) {
	done := false
	defer func() {
		if done {
			return
		}
		st.fault = &fault{value: recover(), stack: debug.Stack()}
		st.dead, st.left = true, 0
		st.rethrow(L)
	}()
	st.host.Call(words, &st.out)
	done = true
}

func (st *state) redisSha1Hex(L *lua.LState) int {
	if L.GetTop() != 1 {
		st.fail(L, "wrong number of arguments")
	}
	s, _ := luaarg.ToString(L.Get(1))
	L.Push(lua.LString(sha1Hex([]byte(s))))
	return 1
}

func sha1Hex(b []byte) string {
	sum := sha1.Sum(b)
	return hex.EncodeToString(sum[:])
}

func (st *state) redisErrorReply(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if L.GetTop() != 1 || !ok {
		L.Push(st.errorTable("ERR wrong number or type of arguments"))
		return 1
	}
	L.Push(st.errorTable(errorText(luaarg.CString(strings.TrimPrefix(string(s), "-")))))
	return 1
}

// errorText completes the text of an error: a single word is no code.
func errorText(text string) string {
	code, msg, hasCode := strings.Cut(text, " ")
	if !hasCode {
		code, msg = "ERR", text
	}
	return code + " " + strings.Trim(msg, "\r\n")
}

func (st *state) redisStatusReply(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if L.GetTop() != 1 || !ok {
		L.Push(st.errorTable("ERR wrong number or type of arguments"))
		return 1
	}
	t := L.CreateTable(0, 1)
	t.RawSetString("ok", s)
	L.Push(t)
	return 1
}

func (st *state) redisLog(L *lua.LState) int {
	n := L.GetTop()
	if n < 2 {
		st.fail(L, "redis.log() requires two arguments or more.")
	}
	f, ok := luaarg.ToNumber(L.Get(1))
	if !ok {
		st.fail(L, "First argument must be a number (log level).")
	}
	level := luaarg.Int32(f)
	if level < LogDebug || level > LogWarning {
		st.fail(L, "Invalid debug level.")
	}
	var parts []string
	for i := 2; i <= n; i++ {
		if s, ok := luaarg.ToString(L.Get(i)); ok {
			parts = append(parts, s)
		}
	}
	if st.e.options.Log != nil {
		st.e.options.Log(int(level), strings.Join(parts, " "))
	}
	return 0
}

func (st *state) redisSetResp(L *lua.LState) int {
	if st.host == nil {
		st.fail(L, "redis.setresp can only be called inside a script invocation")
	}
	if L.GetTop() != 1 {
		st.fail(L, "redis.setresp() requires one argument.")
	}
	f, _ := luaarg.ToNumber(L.Get(1))
	proto := luaarg.Int32(f)
	if proto != 2 && proto != 3 {
		st.fail(L, "RESP version must be 2 or 3.")
	}
	st.proto = int(proto)
	return 0
}

func (st *state) redisSetRepl(L *lua.LState) int {
	if st.host == nil {
		st.fail(L, "redis.set_repl can only be called inside a script invocation")
	}
	if L.GetTop() != 1 {
		st.fail(L, "redis.set_repl() requires one argument.")
	}
	f, _ := luaarg.ToNumber(L.Get(1))
	mask := luaarg.Int32(f)
	if mask&^ReplAll != 0 {
		st.fail(L, "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.")
	}
	st.host.SetRepl(int(mask))
	return 0
}

func (st *state) redisACLCheckCmd(L *lua.LState) int {
	if st.host == nil {
		st.fail(L, "redis.acl_check_cmd can only be called inside a script invocation")
	}
	words, msg := st.words(L)
	if msg != "" {
		st.fail(L, msg)
	}
	if st.ctx.Table().Find(words) == nil {
		st.fail(L, "Invalid command passed to redis.acl_check_cmd()")
	}
	ok, _ := st.host.Allowed(words)
	L.Push(lua.LBool(ok))
	return 1
}

// Panic of a command that a script called, raised again where the script was run.
type hostPanic struct {
	value any
	stack []byte
}

func (p *hostPanic) Error() string { return fmt.Sprintf("%v\n%s", p.value, p.stack) }
