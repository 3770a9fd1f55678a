package cjson

import (
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
)

// encoder writes one document. Errors leave it by the VM's panics.
type encoder struct {
	*library
	work luaarg.Interrupter
	out  []byte
}

// encode is cjson.encode(value): the value's JSON.
func (c *library) encode(L *lua.LState) int {
	if L.GetTop() != 1 {
		luaarg.ArgError(L, 1, "expected 1 argument")
	}
	e := encoder{library: c, work: luaarg.Interrupter{L: L}, out: c.buf[:0]}
	e.value(L.Get(1), 0, 1)
	if c.keepBuffer != 0 && cap(e.out) <= maxKeptBuffer {
		c.buf = e.out
	}
	L.Push(lua.LString(e.out))
	return 1
}

// refuse raises the error that v cannot be encoded.
func (e *encoder) refuse(v lua.LValue, why string) {
	luaarg.Errorf(e.work.L, "Cannot serialise %s: %s", v.Type(), why)
}

// value writes v. depth is how many tables it is in; slots is how many values would be on the stack of C Lua.
func (e *encoder) value(v lua.LValue, depth int32, slots int) {
	e.work.Step()
	switch v := v.(type) {
	case lua.LString:
		e.string(string(v))
	case lua.LNumber:
		e.number(v)
	case lua.LBool:
		if v {
			e.out = append(e.out, "true"...)
		} else {
			e.out = append(e.out, "false"...)
		}
	case *lua.LTable:
		depth++
		if depth > e.encodeDepth || slots+3 > luaarg.MaxStack {
			luaarg.Errorf(e.work.L, "Cannot serialise, excessive nesting (%d)", depth)
		}
		if n := e.arrayLength(v); n > 0 {
			e.array(v, n, depth, slots)
		} else {
			e.object(v, depth, slots)
		}
	case *lua.LNilType:
		e.out = append(e.out, "null"...)
	default:
		if !IsNull(v) {
			e.refuse(v, "type not supported")
		}
		e.out = append(e.out, "null"...)
	}
	if len(e.out) > e.maxOutput {
		luaarg.OutOfMemory(e.work.L)
	}
}

// arrayLength returns the largest key of a table that is to be an array; none above 0 means an object. It counts in 32 bits, as the C library does, so a
// larger key makes the table an object if it comes last.
func (e *encoder) arrayLength(t *lua.LTable) int32 {
	var largest, items int32
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		e.work.Step()
		n, ok := k.(lua.LNumber)
		if f := float64(n); !ok || f < 1 || math.Floor(f) != f {
			return -1
		}
		if float64(n) > float64(largest) {
			largest = luaarg.Int32(float64(n))
		}
		items++
	}
	if e.sparseRatio > 0 && largest > items*e.sparseRatio && largest > e.sparseSafe {
		if e.sparseConvert == 0 {
			e.refuse(t, "excessively sparse array")
		}
		return -1
	}
	return largest
}

func (e *encoder) array(t *lua.LTable, n, depth int32, slots int) {
	e.out = append(e.out, '[')
	for i := 1; i <= int(n); i++ {
		if i > 1 {
			e.out = append(e.out, ',')
		}
		var v lua.LValue
		if i < lua.MaxArrayIndex {
			v = t.RawGetInt(i)
		} else {
			v = t.RawGetH(lua.LNumber(i))
		}
		e.value(v, depth, slots+1)
	}
	e.out = append(e.out, ']')
}

func (e *encoder) object(t *lua.LTable, depth int32, slots int) {
	e.out = append(e.out, '{')
	first := true
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		if !first {
			e.out = append(e.out, ',')
		}
		first = false
		switch k := k.(type) {
		case lua.LNumber:
			e.out = append(e.out, '"')
			e.number(k)
			e.out = append(e.out, '"', ':')
		case lua.LString:
			e.string(string(k))
			e.out = append(e.out, ':')
		default:
			e.refuse(k, "table key must be a number or string")
		}
		e.value(v, depth, slots+2)
	}
	e.out = append(e.out, '}')
}

func (e *encoder) number(n lua.LNumber) {
	f := float64(n)
	if math.IsInf(f, 0) || math.IsNaN(f) {
		switch badNumbers(e.encodeBad) {
		case refuseBad:
			e.refuse(n, "must not be NaN or Inf")
		case nullBad:
			e.out = append(e.out, "null"...)
			return
		case writeBad:
			if math.IsNaN(f) {
				e.out = append(e.out, "nan"...) // without the sign that it may have
				return
			}
		}
	}
	e.out = luaarg.AppendNumber(e.out, f, int(e.digits))
}

const hexDigits = "0123456789abcdef"

// shortEscape returns the letter of a byte's escape sequence, 0 when it has none of its own.
func shortEscape(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case '\b':
		return 'b'
	case '\t':
		return 't'
	case '\n':
		return 'n'
	case '\f':
		return 'f'
	case '\r':
		return 'r'
	}
	return 0
}

func (e *encoder) string(s string) {
	e.out = append(e.out, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c != '/' && c != 0x7f {
			continue
		}
		if len(e.out)+len(s)-start > e.maxOutput {
			luaarg.OutOfMemory(e.work.L)
		}
		e.out = append(e.out, s[start:i]...)
		start = i + 1
		if letter := shortEscape(c); letter != 0 {
			e.out = append(e.out, '\\', letter)
		} else {
			e.out = append(e.out, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	e.out = append(append(e.out, s[start:]...), '"')
}
