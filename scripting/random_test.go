package scripting

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/troupe-db/troupe/netio/resp"
)

// generator writes random programs that end, for comparison with Lua itself: the compiler of the VM has its own mistakes.
type generator struct {
	*rand.Rand
	b      strings.Builder
	locals []string
	next   int
	depth  int
	vararg bool
	inLoop bool
}

func (g *generator) pick(of ...string) string { return of[g.IntN(len(of))] }

func (g *generator) name() string {
	if len(g.locals) == 0 || g.IntN(12) == 0 {
		return "nil"
	}
	return g.locals[g.IntN(len(g.locals))]
}

func (g *generator) expr(depth int) string {
	if depth <= 0 {
		return g.pick("nil", "true", "false", "0", "1", "2", "-1", "0.5", "'a'", "'10'", "''", g.name(), g.name(), g.name())
	}
	d := depth - 1
	switch g.IntN(19) {
	case 0:
		return "(" + g.expr(d) + g.pick(" + ", " - ", " * ", " / ", " % ", " ^ ") + g.expr(d) + ")"
	case 1:
		return g.expr(d) + g.pick(" and ", " or ") + g.expr(d)
	case 2:
		return "(" + g.expr(d) + g.pick(" and ", " or ") + g.expr(d) + ")" + g.pick(" and ", " or ") + g.expr(d)
	case 3:
		return "(" + g.expr(d) + g.pick(" == ", " ~= ", " < ", " <= ", " > ", " >= ") + g.expr(d) + ")"
	case 4:
		return "not " + g.expr(d)
	case 5:
		return "(" + g.expr(d) + " .. " + g.expr(d) + ")"
	case 6:
		return "#(" + g.expr(d) + ")"
	case 7:
		return "-(" + g.expr(d) + ")"
	case 8, 9:
		return g.table(d)
	case 10:
		return "(" + g.name() + ")[" + g.expr(d) + "]"
	case 11:
		return "(" + g.name() + ")." + g.pick("x", "y", "n")
	case 12:
		return "f(" + g.list(d, g.IntN(4)) + ")"
	case 13:
		return "(f(" + g.list(d, g.IntN(4)) + "))"
	case 14:
		return "select(" + g.pick("1", "2", "'#'") + ", " + g.list(d, 1+g.IntN(3)) + ")"
	case 15:
		if g.vararg {
			return g.pick("...", "(...)")
		}
		return "tostring(" + g.expr(d) + ")"
	case 16:
		return "(function(" + g.pick("", "p", "p, q") + ") return " + g.list(d, g.IntN(3)) + " end)(" + g.list(d, g.IntN(3)) + ")"
	case 17:
		return "pcall(f, " + g.expr(d) + ")"
	}
	return g.expr(0)
}

func (g *generator) list(depth, n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = g.expr(depth)
	}
	return strings.Join(all, ", ")
}

func (g *generator) table(depth int) string {
	var fields []string
	n := g.IntN(5)
	if g.IntN(20) == 0 {
		n = 48 + g.IntN(6)
		depth = 0
	}
	for i := range n {
		switch g.IntN(6) {
		case 0:
			fields = append(fields, g.pick("x", "y", "n")+" = "+g.expr(depth))
		case 1:
			fields = append(fields, "["+g.pick("'x'", "'y'", "'k' .. 1")+"] = "+g.expr(depth))
		default:
			if v := g.expr(depth); v != "nil" || i < n-1 { // the length of a table with holes is anyone's guess
				fields = append(fields, "nonil(("+v+"))")
			}
		}
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

func (g *generator) declare() string {
	g.next++
	return fmt.Sprintf("v%d", g.next)
}

func (g *generator) block(n int) {
	mark := len(g.locals)
	for range n {
		g.statement()
	}
	g.locals = g.locals[:mark]
}

func (g *generator) statement() {
	if g.depth > 3 {
		return
	}
	g.depth++
	defer func() { g.depth-- }()
	p := func(format string, args ...any) { fmt.Fprintf(&g.b, format, args...) }
	switch g.IntN(16) {
	case 0, 1, 2:
		v := g.declare()
		p("local %s = %s\n", v, g.expr(3))
		g.locals = append(g.locals, v)
	case 3:
		a, b := g.declare(), g.declare()
		p("local %s, %s = %s\n", a, b, g.list(2, 1+g.IntN(3)))
		g.locals = append(g.locals, a, b)
	case 4, 5:
		if v := g.name(); v != "nil" {
			p("%s = %s\n", v, g.expr(3))
		}
	case 6:
		if v, w := g.name(), g.name(); v != "nil" && w != "nil" {
			p("%s, %s = %s\n", v, w, g.list(2, 1+g.IntN(3)))
		}
	case 7:
		if v := g.name(); v != "nil" {
			p("if type(%s) == 'table' then %s.%s = %s end\n", v, v, g.pick("x", "y"), g.expr(2))
		}
	case 8:
		p("if %s then\n", g.expr(2))
		g.block(2)
		if g.IntN(2) == 0 {
			p("elseif %s then\n", g.expr(2))
			g.block(1)
		}
		p("else\n")
		g.block(1)
		p("end\n")
	case 9:
		i := g.declare()
		p("for %s = %s, %s do\n", i, g.pick("1", "3", "'1'"), g.pick("3", "2", "'2'"))
		g.locals = append(g.locals, i)
		g.block(2)
		if g.IntN(3) == 0 {
			p("if %s then break end\n", g.expr(1))
		}
		g.locals = g.locals[:len(g.locals)-1]
		p("end\n")
	case 10:
		c := g.declare()
		p("local %s = 0 while %s < 3 do %s = %s + 1\n", c, c, c, c)
		g.block(2)
		p("end\n")
	case 11:
		c := g.declare()
		p("local %s = 0 repeat %s = %s + 1\n", c, c, c)
		g.block(1)
		p("local z%s = %s until z%s or %s > 2\n", c, g.expr(1), c, c)
	case 12:
		v := g.declare()
		outer, loop := g.vararg, g.inLoop
		g.vararg = g.IntN(2) == 0
		params := g.pick("p", "p, q")
		if g.vararg {
			params += ", ..."
		}
		p("local function %s(%s)\n", v, params)
		mark := len(g.locals)
		g.locals = append(g.locals, "p")
		g.block(2)
		p("return %s end\n", g.list(2, g.IntN(3)))
		g.locals = g.locals[:mark]
		g.vararg, g.inLoop = outer, loop
		p("local r%s = {%s(%s)} r%s = show(r%s)\n", v, v, g.list(1, g.IntN(3)), v, v)
		g.locals = append(g.locals, "r"+v)
	case 13:
		p("do\n")
		g.block(2)
		p("end\n")
	case 14:
		if v := g.name(); v != "nil" {
			c := g.declare()
			p("local %s = function() %s = %s return %s end\nout[#out + 1] = show({pcall(%s)})\n", c, v, g.expr(2), v, c)
		}
	case 15:
		if v := g.name(); v != "nil" {
			p("out[#out + 1] = show(%s)\n", v)
		}
	}
}

const randomProlog = `local out = {}
local function show(v, d)
  d = d or 0
  if type(v) == 'function' then return 'function' end
  if type(v) ~= 'table' then return type(v) .. ':' .. tostring(v) end
  if d > 3 then return 'deep' end
  local keys = {}
  for k, x in pairs(v) do keys[#keys + 1] = show(k, d + 1) .. '=' .. show(x, d + 1) end
  table.sort(keys)
  return '{' .. table.concat(keys, ',') .. '}'
end
local function nonil(v) if v == nil then return 'nil!' end return v end
local function f(a, b, ...) if type(a) == 'table' then return a, b end return b, a, ... end
local main = function(...)
`

// named is how errors name what they are about. Where branches meet, Lua itself may name the wrong one.
var named = regexp.MustCompile(`(local|global|field|upvalue|method) '[^']*' \((a \w+ value)\)`)

// TestRandomProgramsAgainstRedis compares what random programs do.
func TestRandomProgramsAgainstRedis(t *testing.T) {
	o := startOracle(t)
	s := newTestServer(t, nil)
	k := s.connect()
	n := 1500
	if testing.Short() {
		n = 200
	}
	for seed := range n {
		g := &generator{Rand: rand.New(rand.NewPCG(uint64(seed), 1)), vararg: true}
		g.b.WriteString(randomProlog)
		g.block(8)
		g.b.WriteString("return 'end'\nend\nout[#out + 1] = show({pcall(main, 1, 'two', {3})})\nreturn table.concat(out, ' ')")
		script := g.b.String()
		unnamed := func(reply string) any {
			v, _, err := resp.ReadReply([]byte(settle(reply)))
			if err != nil { // settle changed its length
				v = settle(reply)
			}
			return named.ReplaceAllString(fmt.Sprint(v), "$2")
		}
		want, got := unnamed(o.do("EVAL", script, "0")), unnamed(k.do("EVAL", script, "0"))
		if !assert.Equal(t, want, got, "seed %d:\n%s", seed, script) {
			return
		}
	}
}
