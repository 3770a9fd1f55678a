package plan

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"

	"github.com/troupe-db/troupe/datatypes/command"
)

// generator writes scripts that shuffle keys, other strings and the tables that hold them.
type generator struct {
	*rand.Rand
	b     strings.Builder
	names []string
	depth int
	risk  int // one key in so many is any expression
}

func pick[T any](g *generator, of ...T) T { return of[g.IntN(len(of))] }

func (g *generator) name() string { return pick(g, g.names...) }

func (g *generator) expr(depth int) string {
	if depth <= 0 {
		return pick(g, "KEYS[1]", "KEYS[2]", "KEYS[3]", "'x'", "nil", "2", "KEYS", "ARGV[1]", g.name(), g.name(), g.name())
	}
	sub := func() string { return g.expr(depth - 1) }
	switch g.IntN(14) {
	case 0:
		return "(" + sub() + " and " + sub() + ")"
	case 1:
		return "(" + sub() + " or " + sub() + ")"
	case 2:
		return g.name() + "(" + g.args(depth-1) + ")"
	case 3:
		return g.name() + "[" + pick(g, "1", "2", "i") + "]"
	case 4:
		return "unpack(" + pick(g, "KEYS", "ARGV", g.name()) + pick(g, "", ", 2") + ")"
	case 5:
		return "{" + g.args(depth-1) + "}"
	case 6:
		return pick(g, "tostring", "assert", "type", "ipairs", "pairs", "next") + "(" + sub() + ")"
	case 7:
		return pick(g, "redis.call", "call") + "(" + g.command(depth-1) + ")"
	case 8:
		return "#" + g.name()
	case 9:
		return "(function(a, ...) " + g.blockText(1) + " return " + g.args(depth-1) + " end)"
	default:
		return g.expr(0)
	}
}

func (g *generator) args(depth int) string {
	var args []string
	for range g.IntN(3) {
		args = append(args, g.expr(depth))
	}
	return strings.Join(args, ", ")
}

// attacks bring KEYS, or a function that takes or returns a key, to where the proof could lose sight of it.
var attacks = []string{
	"local t = KEYS", "local _, t = ipairs(KEYS)", "local _, t = pairs(KEYS)", "local t = assert(KEYS)", "local t = ({KEYS})[1]",
	"local t = (function(x) return x end)(KEYS)", "local t t = KEYS", "local t, f = KEYS, KEYS", "local t = KEYS or {}",
	"local f = function(k) redis.call('GET', k) end f(KEYS[1])", "local f = function(k) k = 'x' redis.call('GET', k) end f(KEYS[1])",
	"local f = function(k) redis.call('GET', k) end local t = {f} t[1]('x')", "local f = redis.call f('GET', KEYS[1])",
	"local function f(t) t[1] = 'x' return KEYS[1] end f(KEYS)", "local t = {'x'} t = KEYS", "local t = KEYS t = {'x'}",
	"local f = KEYS[1] local t = function() f = 'x' end t()", "local t = {} t.x = KEYS",
	"(function(k) redis.call('GET', k) end)('x')", "local f, t = unpack(KEYS)", "local f, t = (function() return KEYS[1], 'x' end)()",
	"local function f(k) if k then return KEYS[1] end return 'x' end local t = {f(true), f()}",
}

// keyish is a key more often than not, so that some proofs succeed.
func (g *generator) keyish(depth int) string {
	if g.IntN(g.risk) == 0 {
		return g.expr(depth)
	}
	return pick(g, "KEYS[1]", "KEYS[2]", "KEYS[i]", g.name(), g.name())
}

func (g *generator) command(depth int) string {
	k := func() string { return g.keyish(depth) }
	switch g.IntN(8) {
	case 0:
		return "'DEL', " + k() + ", " + k()
	case 1:
		return "'MGET', " + pick(g, k()+", ", "") + "unpack(" + pick(g, "KEYS", "KEYS", g.name()) + ")"
	case 2:
		return "'ZUNIONSTORE', " + k() + ", " + pick(g, "1", "2", "#KEYS", g.expr(0)) + ", " + k() + ", " + k()
	case 3:
		return "'XREAD', " + pick(g, "'COUNT', "+g.expr(0)+", ", "") + pick(g, "'STREAMS'", g.expr(0)) + ", " + k() + ", 0"
	case 4:
		return "'SET', " + k() + ", " + g.expr(depth)
	default:
		return "'GET', " + k()
	}
}

func (g *generator) blockText(n int) string {
	outer := g.b
	g.b = strings.Builder{}
	g.block(n)
	text := g.b.String()
	g.b = outer
	return text
}

func (g *generator) block(n int) {
	g.depth++
	names := g.names
	for range n {
		g.stmt()
	}
	g.names = names
	g.depth--
}

func (g *generator) stmt() {
	p := func(format string, args ...any) { fmt.Fprintf(&g.b, format+"\n", args...) }
	if g.depth > 3 {
		p("redis.call(%s)", g.command(1))
		return
	}
	declare := func() string {
		n := pick(g, "a", "b", "c", "d", "k", "KEYS", "call", "unpack", "ipairs")
		if n != "a" && n != "b" && n != "c" && n != "k" && g.IntN(4) != 0 {
			n = "k"
		}
		return n
	}
	add := func(n ...string) { g.names = append(g.names[:len(g.names):len(g.names)], n...) }
	switch g.IntN(20) {
	case 16:
		p("%s", pick(g, attacks...))
		add("t", "f")
	case 17, 18:
		n := pick(g, "t", "f")
		p("if t then %s end", pick(g, "t[1] = 'x'", "t[2] = ARGV[2]", "f('x')", "k = t", "k = f", "redis.call('GET', t[1])"))
		add(n)
	case 0, 1:
		n := declare()
		p("local %s = %s", n, g.keyish(2))
		add(n)
	case 2:
		a, b := declare(), declare()
		p("local %s, %s = %s, %s", a, b, g.keyish(1), g.keyish(2))
		add(a, b)
	case 3:
		p("%s = %s", g.name(), g.keyish(2))
	case 4:
		p("%s, %s = %s", g.name(), g.name(), g.keyish(2))
	case 5:
		p("%s[%s] = %s", g.name(), pick(g, "1", "2"), g.expr(1))
	case 6:
		p("if %s then", g.expr(1))
		g.block(2)
		p("else")
		g.block(1)
		p("end")
	case 7:
		n := declare()
		p("local function %s(a, k, ...)", n)
		add(n)
		names := g.names
		add("a", "k")
		g.block(2)
		if g.IntN(2) == 0 {
			p("return %s", pick(g, g.keyish(1), "...", "k", "a"))
		}
		g.names = names
		p("end")
	case 8:
		p("for i = 1, #KEYS do")
		g.block(2)
		p("end")
	case 9:
		p("for i, k in %s(%s) do", pick(g, "ipairs", "pairs"), pick(g, "KEYS", "KEYS", g.name()))
		g.block(2)
		p("end")
	case 10:
		p("pcall(%s, %s)", pick(g, "redis.call", "call", g.name()), g.command(1))
	case 11:
		p("%s(%s)", g.name(), pick(g, g.keyish(1), g.args(2)))
	case 12:
		p("do")
		g.block(2)
		p("end")
	case 13:
		p("repeat")
		g.block(1)
		p("until true")
	default:
		p("%s(%s)", pick(g, "redis.call", "redis.pcall", "call"), g.command(2))
	}
}

// TestProofsHold runs random scripts under a redis.call that notes the keys it is given. Most of them end early by an
// error, hence so many short ones.
func TestProofsHold(t *testing.T) {
	table := command.NewTable(command.Builtin())
	rounds := 6000
	if testing.Short() {
		rounds = 2000
	}
	var provenKeys, touched int
	for seed := range rounds {
		g := &generator{Rand: rand.New(rand.NewPCG(uint64(seed), 1)), names: []string{"a", "k"}}
		g.risk = pick(g, 3, 12, 60)
		g.b.WriteString("local call = redis.call\nlocal i, t, f = 1\nlocal a, k = KEYS[1], KEYS[2]\n")
		g.block(2 + g.IntN(6))
		script := g.b.String()
		plan := Analyze(parseScript(t, script), table)
		keys := runRecording(table, script)
		for _, k := range keys {
			if !strings.HasPrefix(k, "key") {
				touched++
				require.False(t, plan.Proven, "seed %d touches %q\n%s", seed, k, script)
			} else if plan.Proven {
				provenKeys++
			}
		}
	}
	require.Greater(t, provenKeys, rounds/10, "the test proves something")
	require.Greater(t, touched, rounds/20, "the test has something to refuse")
}

// runRecording runs a script and returns every key of every command that it calls.
func runRecording(table *command.Table, script string) []string {
	L := lua.NewState(lua.Options{CallStackSize: 60, RegistrySize: 2048})
	defer L.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	L.SetContext(ctx)
	var keys []string
	steps := 0
	call := func(L *lua.LState) int {
		if steps++; steps > 200 {
			cancel() // recursion that pcall keeps alive
		}
		var args [][]byte
		for i := 1; i <= L.GetTop(); i++ {
			switch v := L.Get(i).(type) {
			case lua.LString, lua.LNumber:
				args = append(args, []byte(v.String()))
			default:
				L.RaiseError("arguments must be strings or integers")
			}
		}
		if len(args) > 0 {
			if spec, errText := table.Resolve(args); errText == "" {
				for _, k := range spec.AppendKeys(nil, args) {
					keys = append(keys, string(args[k.Index]))
				}
			}
		}
		L.Push(lua.LString("reply"))
		return 1
	}
	redis := L.NewTable()
	redis.RawSetString("call", L.NewFunction(call))
	redis.RawSetString("pcall", L.NewFunction(call))
	L.SetGlobal("redis", redis)
	list := func(of ...string) *lua.LTable {
		l := L.NewTable()
		for _, s := range of {
			l.Append(lua.LString(s))
		}
		return l
	}
	L.SetGlobal("KEYS", list("key1", "key2"))
	L.SetGlobal("ARGV", list("STREAMS", "x"))
	_ = L.DoString(script) // most scripts fail sooner or later
	return keys
}

func FuzzAnalyze(f *testing.F) {
	table := command.NewTable(command.Builtin())
	f.Add("local k = KEYS[1] return redis.call('GET', k)")
	f.Add("for i = 1, 3 do redis.call('DEL', unpack(KEYS)) end")
	f.Add("function a:b(...) return arg, self, ... end")
	f.Fuzz(func(t *testing.T, script string) {
		chunk, err := parse.Parse(strings.NewReader(script), "user_script")
		if err != nil {
			return
		}
		if p := Analyze(chunk, table); p.NoCommands {
			require.True(t, p.Proven)
		}
	})
}
