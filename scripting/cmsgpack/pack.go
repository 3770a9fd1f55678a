package cmsgpack

import (
	"encoding/binary"
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
)

const (
	name        = "cmsgpack"
	version     = "lua-cmsgpack 0.4.0"
	copyright   = "Copyright (C) 2012, Salvatore Sanfilippo"
	description = "MessagePack C implementation for Lua"

	maxNesting = 16 // levels of tables that are packed

	// maxPacked is how many bytes pack may produce. A table can hold another many times over, so their sizes say nothing.
	maxPacked = 512 << 20
)

// The first bytes of values. Those of small ones hold the value, or its length, in their low bits.
const (
	fixMap   = 0x80
	fixArray = 0x90
	fixStr   = 0xa0
	null     = 0xc0
	no       = 0xc2
	yes      = 0xc3
	float32s = 0xca
	float64s = 0xcb
	uint8s   = 0xcc
	uint16s  = 0xcd
	uint32s  = 0xce
	uint64s  = 0xcf
	int8s    = 0xd0
	int16s   = 0xd1
	int32s   = 0xd2
	int64s   = 0xd3
	str8     = 0xd9
	str16    = 0xda
	str32    = 0xdb
	array16  = 0xdc
	array32  = 0xdd
	map16    = 0xde
	map32    = 0xdf
	fixNeg   = 0xe0
)

// Open returns a new table with the functions of the library.
func Open(L *lua.LState) *lua.LTable {
	t := L.SetFuncs(L.CreateTable(0, 8), map[string]lua.LGFunction{
		"pack":         func(L *lua.LState) int { return pack(L, maxPacked) },
		"unpack":       unpackAll,
		"unpack_one":   unpackOne,
		"unpack_limit": unpackLimit,
	})
	t.RawSetString("_NAME", lua.LString(name))
	t.RawSetString("_VERSION", lua.LString(version))
	t.RawSetString("_COPYRIGHT", lua.LString(copyright))
	t.RawSetString("_DESCRIPTION", lua.LString(description))
	return t
}

// packer appends values. Errors leave it by the VM's panics.
type packer struct {
	work luaarg.Interrupter
	out  []byte
	max  int
}

// pack is cmsgpack.pack(values...): one string with all of them.
func pack(L *lua.LState, maxBytes int) int {
	n := L.GetTop()
	if n == 0 {
		luaarg.ArgError(L, 0, "MessagePack pack needs input.")
	}
	if 2*n > luaarg.MaxStack { // each argument and what it is packed to
		luaarg.ArgError(L, 0, "Too many arguments for MessagePack pack.")
	}
	p := packer{work: luaarg.Interrupter{L: L}, max: maxBytes}
	for i := 1; i <= n; i++ {
		p.value(L.Get(i), 0)
	}
	L.Push(lua.LString(p.out))
	return 1
}

// value appends v, which is in so many tables.
func (p *packer) value(v lua.LValue, level int) {
	p.work.Step()
	switch v := v.(type) {
	case lua.LString:
		if len(p.out)+len(v) > p.max {
			luaarg.OutOfMemory(p.work.L)
		}
		p.out = appendString(p.out, string(v))
	case lua.LBool:
		if v {
			p.out = append(p.out, yes)
		} else {
			p.out = append(p.out, no)
		}
	case lua.LNumber:
		p.out = appendNumber(p.out, float64(v))
	case *lua.LTable:
		if level == maxNesting {
			p.out = append(p.out, null)
		} else {
			p.table(v, level)
		}
	default:
		p.out = append(p.out, null)
	}
	if len(p.out) > p.max {
		luaarg.OutOfMemory(p.work.L)
	}
}

func (p *packer) table(t *lua.LTable, level int) {
	n, array := p.measure(t)
	if array {
		p.out = appendLength(p.out, n, fixArray, array16, array32)
		for i := 1; i <= n; i++ {
			p.value(t.RawGet(lua.LNumber(i)), level+1)
		}
		return
	}
	p.out = appendLength(p.out, n, fixMap, map16, map32)
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		p.value(k, level+1)
		p.value(v, level+1)
	}
}

// measure returns how many entries t has, and whether their keys are 1 to that number.
func (p *packer) measure(t *lua.LTable) (n int, array bool) {
	array = true
	largest := 0
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		p.work.Step()
		n++
		f, ok := k.(lua.LNumber)
		if i := luaarg.Int32(float64(f)); !ok || i <= 0 || lua.LNumber(i) != f {
			array = false
		} else {
			largest = max(largest, int(i))
		}
	}
	return n, array && largest == n
}

func appendString(dst []byte, s string) []byte {
	switch n := len(s); {
	case n < 32:
		dst = append(dst, fixStr|byte(n))
	case n <= math.MaxUint8:
		dst = append(dst, str8, byte(n))
	case n <= math.MaxUint16:
		dst = binary.BigEndian.AppendUint16(append(dst, str16), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint32(append(dst, str32), uint32(n))
	}
	return append(dst, s...)
}

// appendLength appends how many entries a table has, after one of the three first bytes that there are for its kind.
func appendLength(dst []byte, n int, small, medium, large byte) []byte {
	switch {
	case n <= 15:
		return append(dst, small|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, medium), uint16(n))
	default:
		return binary.BigEndian.AppendUint32(append(dst, large), uint32(n))
	}
}

func appendNumber(dst []byte, f float64) []byte {
	if i := luaarg.Int64(f); float64(i) == f {
		return appendInteger(dst, i)
	}
	if f32 := float32(f); float64(f32) == f {
		return binary.BigEndian.AppendUint32(append(dst, float32s), math.Float32bits(f32))
	}
	return binary.BigEndian.AppendUint64(append(dst, float64s), math.Float64bits(f))
}

func appendInteger(dst []byte, i int64) []byte {
	be := binary.BigEndian
	switch {
	case i >= -32 && i <= math.MaxInt8:
		return append(dst, byte(i))
	case i >= 0 && i <= math.MaxUint8:
		return append(dst, uint8s, byte(i))
	case i >= 0 && i <= math.MaxUint16:
		return be.AppendUint16(append(dst, uint16s), uint16(i))
	case i >= 0 && i <= math.MaxUint32:
		return be.AppendUint32(append(dst, uint32s), uint32(i))
	case i >= 0:
		return be.AppendUint64(append(dst, uint64s), uint64(i))
	case i >= math.MinInt8:
		return append(dst, int8s, byte(i))
	case i >= math.MinInt16:
		return be.AppendUint16(append(dst, int16s), uint16(i))
	case i >= math.MinInt32:
		return be.AppendUint32(append(dst, int32s), uint32(i))
	default:
		return be.AppendUint64(append(dst, int64s), uint64(i))
	}
}
