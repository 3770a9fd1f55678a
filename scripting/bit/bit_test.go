package bit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaoracle"
)

func newState(tb testing.TB) *lua.LState {
	return luaoracle.NewState(tb, map[string]func(*lua.LState) *lua.LTable{"bit": Open})
}

func TestKnownResults(t *testing.T) {
	L := newState(t)
	for _, c := range []struct{ piece, want string }{
		{"bit.tobit(0xffffffff)", "ok -1"},
		{"bit.tobit(2^32)", "ok 0"},
		{"bit.tobit(1.5), bit.tobit(2.5), bit.tobit(-1.5)", "ok 2;2;-2"},
		{"bit.tohex(255), bit.tohex(255, 4), bit.tohex(255, -2), bit.tohex(255, 0)", `ok "000000ff";"00ff";"FF";""`},
		{"bit.tohex(-1, -2^31)", `ok "FFFFFFFF"`}, // Redis dies here
		{"bit.bnot(0), bit.bswap(0x12345678)", "ok -1;2018915346"},
		{"bit.band(0xff, 0x0f, 3), bit.bor(1, 2, 4), bit.bxor(1, 3)", "ok 3;7;2"},
		{"bit.lshift(1, 31), bit.lshift(1, 32), bit.rshift(-1, 28), bit.arshift(-256, 4)", "ok -2147483648;1;15;-16"},
		{"bit.rol(0x12345678, 12), bit.ror(0x12345678, 12)", "ok 1164411171;1736516421"},
		{"bit.band()", "error \"user_script: bad argument #1 to 'band' (number expected, got no value)\""},
		{"bit.bor('x')", "error \"user_script: bad argument #1 to 'bor' (number expected, got string)\""},
		{"pcall(bit.bor, {})", "ok false;\"bad argument #1 to '?' (number expected, got table)\""},
	} {
		require.Equal(t, c.want, luaoracle.Eval(t, L, "return "+c.piece), c.piece)
	}
}

// numbers are arguments worth a try, as Lua writes them.
func numbers(rnd *rand.Rand) []string {
	all := []string{"0", "-0", "1", "-1", "0.5", "-0.5", "1.5", "2.5", "1/0", "-1/0", "0/0", "1e308", "-1e308", "2^51", "2^52", "2^53", "-2^51", "-2^52-1",
		"2^31", "-2^31", "2^32", "2^31-0.5", "-2^31-0.5", "2^63", "1e15", "'12'", "'0x1F'", "' 7 '", "'1e3'", "'inf'", "'nan'", "'0x'", "'1 x'", "''",
		"'-0x10'", "'0x1p4'", "'1\\0002'", "nil", "true", "{}", "'abc'"}
	for range 40 {
		all = append(all, fmt.Sprint(int64(rnd.Uint64()>>rnd.IntN(64))), fmt.Sprintf("%.6f", (rnd.Float64()-0.5)*math.Exp2(float64(rnd.IntN(70)))))
	}
	return all
}

func TestAgainstRedis(t *testing.T) {
	redis, L := luaoracle.Start(t), newState(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	all := numbers(rnd)
	var pieces []string
	for _, f := range strings.Fields("tobit bnot bswap tohex band bor bxor lshift rshift arshift rol ror") {
		pieces = append(pieces, fmt.Sprintf("return bit.%s()", f), fmt.Sprintf("return pcall(bit.%s)", f), fmt.Sprintf("local g = bit.%s return g(nil)", f))
		for _, a := range all {
			pieces = append(pieces, fmt.Sprintf("return bit.%s(%s)", f, a))
		}
		for range 150 {
			a, b, c := all[rnd.IntN(len(all))], all[rnd.IntN(len(all))], all[rnd.IntN(len(all))]
			if f == "tohex" && b == "-2^31" {
				continue
			}
			pieces = append(pieces, fmt.Sprintf("return bit.%s(%s, %s)", f, a, b), fmt.Sprintf("return bit.%s(%s, %s, %s)", f, a, b, c))
		}
	}
	pieces = append(pieces, "local t = {} for k, v in pairs(bit) do t[k] = type(v) end return t")
	for _, p := range pieces {
		require.Equal(t, redis.Eval(t, p), luaoracle.Eval(t, L, p), p)
	}
	t.Logf("%d pieces", len(pieces))
}
