package cjson

import (
	"fmt"
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
)

const (
	name    = "cjson"
	version = "2.1.0"

	// maxOutput is how many bytes encode may produce. A table can hold itself many times over, so its own size says nothing.
	maxOutput = 512 << 20

	// maxKeptBuffer is how large a buffer is kept from one call of encode to the next.
	maxKeptBuffer = 64 << 10
)

// badNumbers says what encode does with infinities and NaN.
type badNumbers int32

const (
	refuseBad badNumbers = iota
	writeBad
	nullBad
)

// library is what the functions of one table share: its settings.
type library struct {
	null lua.LValue

	sparseConvert int32 // 0: an excessively sparse array is an error; 1: it is an object
	sparseRatio   int32 // 0: no array is too sparse
	sparseSafe    int32
	encodeDepth   int32
	decodeDepth   int32
	encodeBad     int32 // a badNumbers
	decodeBad     int32 // 0: such numbers are errors
	keepBuffer    int32
	digits        int32

	buf       []byte // kept between calls of encode
	maxOutput int
}

// nullMark is the value of the userdata that stands for null.
type nullMark struct{}

// IsNull tells whether v is cjson.null, of whatever Lua state.
func IsNull(v lua.LValue) bool {
	u, ok := v.(*lua.LUserData)
	if !ok {
		return false
	}
	_, ok = u.Value.(nullMark)
	return ok
}

// Open returns a new table with the functions of the library, and with settings of its own.
func Open(L *lua.LState) *lua.LTable {
	null := L.NewUserData()
	null.Value = nullMark{}
	meta := L.NewTable()
	meta.RawSetString("__tostring", L.NewFunction(func(L *lua.LState) int {
		L.Push(lua.LString("userdata: (nil)")) // as a null pointer is written
		return 1
	}))
	meta.RawSetString("__metatable", lua.LFalse) // nothing of this is for scripts
	null.Metatable = meta
	return open(L, null)
}

func open(L *lua.LState, null lua.LValue) *lua.LTable {
	c := &library{
		null:        null,
		sparseRatio: 2,
		sparseSafe:  10,
		encodeDepth: 1000,
		decodeDepth: 1000,
		decodeBad:   1,
		keepBuffer:  1,
		digits:      14,
		maxOutput:   maxOutput,
	}
	t := L.CreateTable(0, 13)
	L.SetFuncs(t, map[string]lua.LGFunction{
		"encode": c.encode,
		"decode": c.decode,
		"new": func(L *lua.LState) int {
			L.Push(open(L, null))
			return 1
		},
		"encode_sparse_array": func(L *lua.LState) int {
			checkCount(L, 3)
			enumSetting(L, 1, &c.sparseConvert, offOn, 1)
			integerSetting(L, 2, &c.sparseRatio, 0, math.MaxInt32)
			integerSetting(L, 3, &c.sparseSafe, 0, math.MaxInt32)
			return 3
		},
		"encode_max_depth":        c.integer(&c.encodeDepth, 1, math.MaxInt32),
		"decode_max_depth":        c.integer(&c.decodeDepth, 1, math.MaxInt32),
		"encode_number_precision": c.integer(&c.digits, 1, 14),
		"encode_keep_buffer": func(L *lua.LState) int {
			checkCount(L, 1)
			enumSetting(L, 1, &c.keepBuffer, offOn, 1)
			if c.keepBuffer == 0 {
				c.buf = nil
			}
			return 1
		},
		"encode_invalid_numbers": c.enum(&c.encodeBad, []string{"off", "on", "null"}),
		"decode_invalid_numbers": c.enum(&c.decodeBad, offOn),
	})
	t.RawSetString("null", null)
	t.RawSetString("_NAME", lua.LString(name))
	t.RawSetString("_VERSION", lua.LString(version))
	return t
}

var offOn = []string{"off", "on"}

// integer returns the function for a setting between low and high: it sets what it is given, if anything, and returns what is set.
func (c *library) integer(setting *int32, low, high int32) lua.LGFunction {
	return func(L *lua.LState) int {
		checkCount(L, 1)
		integerSetting(L, 1, setting, low, high)
		return 1
	}
}

// enum returns the function for a setting with names, of which the first two are also false and true.
func (c *library) enum(setting *int32, names []string) lua.LGFunction {
	return func(L *lua.LState) int {
		checkCount(L, 1)
		enumSetting(L, 1, setting, names, 1)
		return 1
	}
}

// checkCount raises an error when there are more than most arguments, and makes those that are missing nil.
func checkCount(L *lua.LState, most int) {
	if L.GetTop() > most {
		luaarg.ArgError(L, most+1, "found too many arguments")
	}
	for L.GetTop() < most {
		L.Push(lua.LNil)
	}
}

// integerSetting sets what argument n says, unless that is nil, and pushes the setting.
func integerSetting(L *lua.LState, n int, setting *int32, low, high int32) {
	if L.Get(n) != lua.LNil {
		v := int32(luaarg.Integer(L, n)) // the C library has 32 bits for it and drops the others
		if v < low || v > high {
			luaarg.ArgError(L, 1, fmt.Sprintf("expected integer between %d and %d", low, high)) // 1, whatever n is
		}
		*setting = v
	}
	L.Push(lua.LNumber(*setting))
}

// enumSetting sets what argument n says, unless that is nil, and pushes the setting. true stands for names[yes], false for names[0].
func enumSetting(L *lua.LState, n int, setting *int32, names []string, yes int32) {
	if v := L.Get(n); v == lua.LTrue {
		*setting = yes
	} else if v == lua.LFalse {
		*setting = 0
	} else if v != lua.LNil {
		*setting = int32(luaarg.Option(L, n, names))
	}
	switch *setting {
	case 0, yes:
		L.Push(lua.LBool(*setting != 0))
	default:
		L.Push(lua.LString(names[*setting]))
	}
}
