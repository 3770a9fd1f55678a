package scripting

import (
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
)

// rand48 is the generator behind math.random: the linear congruential one of POSIX's lrand48, so that scripts see the numbers that they see in Redis. There
// is one for the server, which scripts that run at the same time share; one that sets the seed has its own numbers from there on and leaves
// them to those that follow.
type rand48 uint64

// rand48Start is the state of the generator of a server that has just started.
const rand48Start rand48 = 0x1234abcd330e

func rand48Seed(n int32) rand48 { return rand48(uint32(n))<<16 | 0x330e }

func (r rand48) next() rand48 { return (r*0x5deece66d + 0xb) & (1<<48 - 1) }

// bits returns the 31 random bits of a state.
func (r rand48) bits() int64 { return int64(r >> 17) }

// random returns the next 31 random bits.
func (st *state) random() int64 {
	if st.seeded {
		st.rand = st.rand.next()
		st.e.rand.Store(uint64(st.rand))
		return st.rand.bits()
	}
	for {
		old := st.e.rand.Load()
		if next := rand48(old).next(); st.e.rand.CompareAndSwap(old, uint64(next)) {
			return next.bits()
		}
	}
}

func (st *state) mathLib() *lua.LTable {
	L := st.L
	t := L.CreateTable(0, 32)
	unary := map[string]func(float64) float64{
		"abs": math.Abs, "acos": math.Acos, "asin": math.Asin, "atan": math.Atan, "ceil": math.Ceil, "cos": math.Cos, "cosh": math.Cosh,
		"exp": math.Exp, "floor": math.Floor, "log": math.Log, "log10": math.Log10, "sin": math.Sin, "sinh": math.Sinh, "sqrt": math.Sqrt,
		"tan": math.Tan, "tanh": math.Tanh,
		"deg": func(f float64) float64 { return f / (math.Pi / 180) },
		"rad": func(f float64) float64 { return f * (math.Pi / 180) },
	}
	for name, f := range unary {
		t.RawSetString(name, L.NewFunction(func(L *lua.LState) int {
			L.Push(lua.LNumber(f(luaarg.Number(L, 1))))
			return 1
		}))
	}
	binary := map[string]func(a, b float64) float64{"atan2": math.Atan2, "fmod": math.Mod, "mod": math.Mod, "pow": math.Pow}
	for name, f := range binary {
		t.RawSetString(name, L.NewFunction(func(L *lua.LState) int {
			a := luaarg.Number(L, 1)
			L.Push(lua.LNumber(f(a, luaarg.Number(L, 2))))
			return 1
		}))
	}
	L.SetFuncs(t, map[string]lua.LGFunction{
		"frexp": mathFrexp, "ldexp": mathLdexp, "max": mathMax, "min": mathMin, "modf": mathModf,
		"random": st.mathRandom, "randomseed": st.mathRandomSeed,
	})
	t.RawSetString("pi", lua.LNumber(math.Pi))
	t.RawSetString("huge", lua.LNumber(math.Inf(1)))
	return t
}

func mathFrexp(L *lua.LState) int {
	f, exp := math.Frexp(luaarg.Number(L, 1))
	L.Push(lua.LNumber(f))
	L.Push(lua.LNumber(exp))
	return 2
}

func mathLdexp(L *lua.LState) int {
	f := luaarg.Number(L, 1)
	L.Push(lua.LNumber(math.Ldexp(f, int(luaarg.Int32(luaarg.Number(L, 2))))))
	return 1
}

func mathModf(L *lua.LState) int {
	f := luaarg.Number(L, 1)
	whole, part := math.Trunc(f), 0.0
	switch {
	case f != f:
		part = f
	case !math.IsInf(f, 0):
		part = f - whole
	}
	L.Push(lua.LNumber(whole))
	L.Push(lua.LNumber(part))
	return 2
}

func mathMax(L *lua.LState) int {
	best := luaarg.Number(L, 1)
	for i := 2; i <= L.GetTop(); i++ {
		if f := luaarg.Number(L, i); f > best {
			best = f
		}
	}
	L.Push(lua.LNumber(best))
	return 1
}

func mathMin(L *lua.LState) int {
	best := luaarg.Number(L, 1)
	for i := 2; i <= L.GetTop(); i++ {
		if f := luaarg.Number(L, i); f < best {
			best = f
		}
	}
	L.Push(lua.LNumber(best))
	return 1
}

func (st *state) mathRandom(L *lua.LState) int {
	st.mustRun(L, "math.random")
	const limit = math.MaxInt32
	r := float64(st.random()%limit) / limit
	switch L.GetTop() {
	case 0:
	case 1:
		high := luaarg.Int32(luaarg.Number(L, 1))
		if high < 1 {
			argError(L, 1, "interval is empty")
		}
		r = math.Floor(r*float64(high)) + 1
	case 2:
		low := luaarg.Int32(luaarg.Number(L, 1))
		high := luaarg.Int32(luaarg.Number(L, 2))
		if low > high {
			argError(L, 2, "interval is empty")
		}
		r = math.Floor(r*float64(high-low+1)) + float64(low)
	default:
		st.raise(L, "wrong number of arguments")
	}
	L.Push(lua.LNumber(r))
	return 1
}

func (st *state) mathRandomSeed(L *lua.LState) int {
	st.mustRun(L, "math.randomseed")
	st.rand, st.seeded = rand48Seed(luaarg.Int32(luaarg.Number(L, 1))), true
	st.e.rand.Store(uint64(st.rand))
	return 0
}

// mustRun raises an error when a library is being loaded.
func (st *state) mustRun(L *lua.LState, what string) {
	if st.host == nil {
		st.raise(L, what+" can only be called inside a script invocation")
	}
}

func (st *state) osClock(L *lua.LState) int {
	L.Push(lua.LNumber(float64(st.e.nowUs()-st.e.startUs) / 1e6))
	return 1
}
