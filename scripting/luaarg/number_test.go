package luaarg_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
	"github.com/troupe-db/troupe/scripting/luaoracle"
)

func TestIntegersFromFloats(t *testing.T) {
	for _, c := range []struct {
		f   float64
		i64 int64
		u64 uint64
		i32 int32
	}{
		{1.9, 1, 1, 1},
		{-1.9, -1, math.MaxUint64, -1},
		{0x1p31, 1 << 31, 1 << 31, math.MinInt32},
		{-0x1p31 - 0.5, -1 << 31, 1<<64 - 1<<31, math.MinInt32},
		{0x1p63, math.MinInt64, 1 << 63, math.MinInt32},
		{-0x1p63, math.MinInt64, 1 << 63, math.MinInt32},
		{0x1p64, math.MinInt64, 0, math.MinInt32},
		{math.Inf(1), math.MinInt64, 0, math.MinInt32},
		{math.Inf(-1), math.MinInt64, 1 << 63, math.MinInt32},
		{math.NaN(), math.MinInt64, 1 << 63, math.MinInt32},
	} {
		require.Equal(t, c.i64, luaarg.Int64(c.f), "%v", c.f)
		require.Equal(t, c.u64, luaarg.Uint64(c.f), "%v", c.f)
		require.Equal(t, c.i32, luaarg.Int32(c.f), "%v", c.f)
	}
}

func TestTextAgainstRedis(t *testing.T) {
	redis := luaoracle.Start(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	texts := []string{"", " ", "0", "-", "+", ".", "1.", ".5", "1e", "1e+", "1e5", "1e-400", "1e400", "-1e400", "0x", "0x.", "0x.8", "0x1p", "0x1p-2", "0X1F", "inf", "INFINITY", "infinit",
		"nan", "-nan", "nan(1)", "nan(", "nan(-)", "1\x002", "1 ", "1\v", "\f1", "- 1", "0x1.8p1 ", "1_000", "0b1", "0o7", "010", "1e99999999999999999999", "0x1p99999", "1x", "++1", "1..2"}
	for range 500 {
		var b strings.Builder
		for range rnd.IntN(9) {
			b.WriteByte("0123456789.eExXpP+- nNaAfiI()\x00"[rnd.IntN(30)])
		}
		texts = append(texts, b.String(), fmt.Sprint(math.Float64frombits(rnd.Uint64())))
	}
	for _, s := range texts {
		got := "ok nil"
		if f, ok := luaarg.ParseNumber(s); ok {
			got = "ok " + string(luaarg.AppendNumber(nil, f, 17))
			require.Equal(t, redis.Eval(t, "return tostring(tonumber("+luaoracle.Quote(s)+"))"), `ok "`+luaarg.FormatNumber(f)+`"`, "%q", s)
		}
		require.Equal(t, redis.Eval(t, "return tonumber("+luaoracle.Quote(s)+")"), got, "%q", s)
	}
}

func TestInterrupterEndsWork(t *testing.T) {
	L := lua.NewState()
	defer L.Close()
	ctx, cancel := context.WithCancel(t.Context())
	L.SetContext(ctx)
	endless := L.NewFunction(func(L *lua.LState) int {
		i := luaarg.Interrupter{L: L}
		for n := 0; ; n++ {
			if n == 10_000 {
				cancel()
			}
			i.Step()
		}
	})
	L.Push(endless)
	require.ErrorContains(t, L.PCall(0, 0, nil), "context canceled")
}
