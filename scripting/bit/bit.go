package bit

import (
	"math"
	"math/bits"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
)

// Open returns a new table with the functions of the library.
func Open(L *lua.LState) *lua.LTable {
	return L.SetFuncs(L.CreateTable(0, 12), map[string]lua.LGFunction{
		"tobit":   unary(func(b uint32) uint32 { return b }),
		"bnot":    unary(func(b uint32) uint32 { return ^b }),
		"bswap":   unary(bits.ReverseBytes32),
		"band":    fold(func(a, b uint32) uint32 { return a & b }),
		"bor":     fold(func(a, b uint32) uint32 { return a | b }),
		"bxor":    fold(func(a, b uint32) uint32 { return a ^ b }),
		"lshift":  shift(func(b uint32, n int) uint32 { return b << n }),
		"rshift":  shift(func(b uint32, n int) uint32 { return b >> n }),
		"arshift": shift(func(b uint32, n int) uint32 { return uint32(int32(b) >> n) }),
		"rol":     shift(bits.RotateLeft32),
		"ror":     shift(func(b uint32, n int) uint32 { return bits.RotateLeft32(b, -n) }),
		"tohex":   tohex,
	})
}

// magic is 2^52 + 2^51. Added to a number, it leaves the integer that is nearest in the low bits of the sum's mantissa.
const magic = 0x1.8p52

// arg returns argument n as bits.
func arg(L *lua.LState, n int) uint32 {
	f, ok := luaarg.ToNumber(L.Get(n))
	if !ok {
		luaarg.TypeError(L, n, "number")
	}
	return uint32(math.Float64bits(f + magic))
}

func push(L *lua.LState, b uint32) int {
	L.Push(lua.LNumber(int32(b)))
	return 1
}

func unary(op func(uint32) uint32) lua.LGFunction {
	return func(L *lua.LState) int { return push(L, op(arg(L, 1))) }
}

// fold makes a function of any number of arguments, at least one. Of several wrong ones the first is complained about if it is number 1, else the last.
func fold(op func(a, b uint32) uint32) lua.LGFunction {
	return func(L *lua.LState) int {
		b := arg(L, 1)
		for i := L.GetTop(); i > 1; i-- {
			b = op(b, arg(L, i))
		}
		return push(L, b)
	}
}

func shift(op func(b uint32, n int) uint32) lua.LGFunction {
	return func(L *lua.LState) int {
		b := arg(L, 1)
		return push(L, op(b, int(arg(L, 2)&31)))
	}
}

// tohex writes the lowest digits of argument 1: eight, or as many as argument 2 says, in capitals when that is negative.
func tohex(L *lua.LState) int {
	b := arg(L, 1)
	n := int64(8)
	digits := "0123456789abcdef"
	if L.GetTop() >= 2 {
		if n = int64(int32(arg(L, 2))); n < 0 {
			n, digits = -n, "0123456789ABCDEF"
		}
	}
	var buf [8]byte
	n = min(n, int64(len(buf)))
	for i := n - 1; i >= 0; i-- {
		buf[i] = digits[b&15]
		b >>= 4
	}
	L.Push(lua.LString(buf[:n]))
	return 1
}
