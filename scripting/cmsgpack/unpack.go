package cmsgpack

import (
	"encoding/binary"
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
)

// maxHoles is how many places below integer keys may stay unused, in all maps of one call.
const maxHoles = 8 << 20

// smallTable is for how many values a table has room at first.
const smallTable = 4

// unpacker reads values from a string. Errors leave it by the VM's panics.
type unpacker struct {
	work  luaarg.Interrupter
	data  string
	pos   int
	slots int // how many values would be on the stack of C Lua
	holes int
}

// unpackAll is cmsgpack.unpack(text): all values in it.
func unpackAll(L *lua.LState) int { return unpack(L, 0, 0) }

// unpackOne is cmsgpack.unpack_one(text [, offset]): the offset after the first value, and the value.
func unpackOne(L *lua.LState) int {
	return unpack(L, 1, luaarg.OptInteger(L, 2, 0))
}

// unpackLimit is cmsgpack.unpack_limit(text, limit [, offset]): the offset after so many values, and the values.
func unpackLimit(L *lua.LState) int {
	limit := luaarg.Integer(L, 2)
	return unpack(L, limit, luaarg.OptInteger(L, 3, 0))
}

// unpack pushes up to limit values from offset on. If both are 0 it pushes all, else the offset of what follows in front of them.
func unpack(L *lua.LState, limit, offset int64) int {
	data := luaarg.String(L, 1)
	all := limit == 0 && offset == 0
	if offset < 0 || limit < 0 { // the second number is the length in C, too
		luaarg.Errorf(L, "Invalid request to unpack with offset of %d and limit of %d.", int32(offset), int32(len(data)))
	}
	if offset > int64(len(data)) {
		luaarg.Errorf(L, "Start offset %d greater than input length %d.", int32(offset), int32(len(data)))
	}
	if all {
		limit = math.MaxInt32
	}
	u := unpacker{work: luaarg.Interrupter{L: L}, data: data, pos: int(offset), slots: 1}
	var values []lua.LValue
	for u.pos < len(data) && int64(len(values)) < limit {
		values = append(values, u.value())
	}
	pushed := 0
	if !all {
		next := u.pos
		if next == len(data) {
			next = -1
		}
		if u.slots+1 > luaarg.MaxStack {
			luaarg.StackOverflow(L, "in function mp_unpack_full")
		}
		L.Push(lua.LNumber(next))
		pushed++
	}
	for _, v := range values {
		L.Push(v)
	}
	return pushed + len(values)
}

// need raises an error unless n bytes, from the current position on, are there.
func (u *unpacker) need(n int) {
	if len(u.data)-u.pos < n {
		luaarg.Errorf(u.work.L, "Missing bytes in input.")
	}
}

// uint reads an unsigned integer of so many bytes, after the byte that the value starts with.
func (u *unpacker) uint(size int) uint64 {
	u.need(1 + size)
	var buf [8]byte
	copy(buf[8-size:], u.data[u.pos+1:])
	u.pos += 1 + size
	return binary.BigEndian.Uint64(buf[:])
}

// value reads a value.
func (u *unpacker) value() lua.LValue {
	u.work.Step()
	u.need(1)
	if u.slots+1 > luaarg.MaxStack {
		luaarg.StackOverflow(u.work.L, "too many return values at once; use unpack_one or unpack_limit instead.")
	}
	v := u.typed(u.data[u.pos])
	u.slots++
	return v
}

func (u *unpacker) typed(first byte) lua.LValue {
	switch first {
	case uint8s:
		return lua.LNumber(u.uint(1))
	case uint16s:
		return lua.LNumber(u.uint(2))
	case uint32s:
		return lua.LNumber(u.uint(4))
	case uint64s: // as the C library has it: the upper half of the range comes out negative
		return lua.LNumber(int64(u.uint(8)))
	case int8s:
		return lua.LNumber(int8(u.uint(1)))
	case int16s:
		return lua.LNumber(int16(u.uint(2)))
	case int32s:
		return lua.LNumber(int32(u.uint(4)))
	case int64s:
		return lua.LNumber(int64(u.uint(8)))
	case float32s:
		return lua.LNumber(math.Float32frombits(uint32(u.uint(4))))
	case float64s:
		return lua.LNumber(math.Float64frombits(u.uint(8)))
	case str8:
		return u.string(u.uint(1))
	case str16:
		return u.string(u.uint(2))
	case str32:
		return u.string(u.uint(4))
	case array16:
		return u.array(u.uint(2))
	case array32:
		return u.array(u.uint(4))
	case map16:
		return u.hash(u.uint(2))
	case map32:
		return u.hash(u.uint(4))
	}
	u.pos++
	switch {
	case first < fixMap:
		return lua.LNumber(first)
	case first >= fixNeg:
		return lua.LNumber(int8(first))
	case first >= fixStr && first < null:
		return u.string(uint64(first & 31))
	case first >= fixArray && first < fixStr:
		return u.array(uint64(first & 15))
	case first < fixArray:
		return u.hash(uint64(first & 15))
	case first == null:
		return lua.LNil
	case first == no:
		return lua.LFalse
	case first == yes:
		return lua.LTrue
	}
	luaarg.Errorf(u.work.L, "Bad data format in input.")
	return nil
}

func (u *unpacker) string(n uint64) lua.LValue {
	u.need(int(n))
	s := u.data[u.pos : u.pos+int(n)]
	u.pos += int(n)
	if n < uint64(len(u.data)/2) {
		s = string([]byte(s)) // so that it does not keep all of the input in memory
	}
	return lua.LString(s)
}

func (u *unpacker) array(n uint64) lua.LValue {
	t := u.work.L.CreateTable(smallTable, 0)
	slots := u.slots
	if u.slots += 2; u.slots > luaarg.MaxStack { // the table, an index
		luaarg.StackOverflow(u.work.L, "in function mp_decode_to_lua_array")
	}
	for i := uint64(1); i <= n; i++ {
		t.RawSet(lua.LNumber(i), u.value())
		u.slots = slots + 2
	}
	u.slots = slots
	return t
}

func (u *unpacker) hash(n uint64) lua.LValue {
	t := u.work.L.CreateTable(0, smallTable)
	slots := u.slots
	u.slots++
	filled := 0 // the largest integer key: the VM has a place for each up to there
	for range n {
		k := u.value()
		v := u.value()
		u.slots = slots + 1
		filled = u.set(t, k, v, filled)
	}
	u.slots = slots
	return t
}

// set is t[k] = v within the bounds that maxHoles sets. It returns what filled is from then on.
func (u *unpacker) set(t *lua.LTable, k, v lua.LValue, filled int) int {
	if k == lua.LNil {
		luaarg.ErrorBare(u.work.L, "table index is nil")
	}
	if n, ok := k.(lua.LNumber); ok {
		if n != n {
			luaarg.ErrorBare(u.work.L, "table index is NaN")
		}
		if i := int(luaarg.Int64(float64(n))); lua.LNumber(i) == n && i > filled && i < lua.MaxArrayIndex {
			if v == lua.LNil {
				return filled // there is nothing to remove
			}
			if u.holes += i - filled - 1; u.holes > maxHoles {
				luaarg.OutOfMemory(u.work.L)
			}
			filled = i
		}
	}
	t.RawSet(k, v)
	return filled
}
