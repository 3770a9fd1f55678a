package luastruct

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
)

const (
	maxIntSize   = 32
	defaultAlign = 8

	// maxPacked is how many bytes pack may produce.
	maxPacked = 512 << 20
)

// Open returns a new table with the functions of the library.
func Open(L *lua.LState) *lua.LTable {
	return L.SetFuncs(L.CreateTable(0, 3), map[string]lua.LGFunction{
		"pack":   pack,
		"unpack": unpack,
		"size":   size,
	})
}

// format is a format that is read letter by letter, with what the letters so far have set.
type format struct {
	L     *lua.LState
	text  string
	pos   int
	big   bool
	align int
}

func newFormat(L *lua.LState) format {
	return format{L: L, text: luaarg.CString(luaarg.String(L, 1)), align: 1}
}

// next returns the next letter and the size that it means, 0 for those without one.
func (f *format) next() (letter byte, size int) {
	letter = f.text[f.pos]
	f.pos++
	switch letter {
	case 'b', 'B', 'x':
		return letter, 1
	case 'h', 'H':
		return letter, 2
	case 'f':
		return letter, 4
	case 'l', 'L', 'T', 'd':
		return letter, 8
	case 'c':
		return letter, f.number(1)
	case 'i', 'I':
		size = f.number(4)
		if size > maxIntSize {
			luaarg.Errorf(f.L, "integral size %d is larger than limit of %d", size, maxIntSize)
		}
		return letter, size
	}
	return letter, 0
}

func (f *format) more() bool { return f.pos < len(f.text) }

// number reads the number at the current position, which is def when there is none.
func (f *format) number(def int) int {
	start := f.pos
	n := 0
	for ; f.more() && '0' <= f.text[f.pos] && f.text[f.pos] <= '9'; f.pos++ {
		n = n*10 + int(f.text[f.pos]-'0')
		if n > math.MaxInt32 {
			luaarg.Errorf(f.L, "integral size overflow")
		}
	}
	if f.pos == start {
		return def
	}
	return n
}

// padding returns how many bytes are needed for a value of this size to be aligned at pos.
func (f *format) padding(letter byte, size, pos int) int {
	if size == 0 || letter == 'c' {
		return 0
	}
	size = min(size, f.align)
	return (size - pos&(size-1)) & (size - 1)
}

// control obeys a letter that stands for no value.
func (f *format) control(letter byte) {
	switch letter {
	case ' ':
	case '>':
		f.big = true
	case '<':
		f.big = false
	case '!':
		n := f.number(defaultAlign)
		if n <= 0 || n&(n-1) != 0 {
			luaarg.Errorf(f.L, "alignment %d is not a power of 2", n)
		}
		f.align = n
	default:
		luaarg.ArgError(f.L, 1, "invalid format option '"+string([]byte{letter})+"'")
	}
}

// isInteger tells whether a letter stands for an integer.
func isInteger(letter byte) bool { return strings.IndexByte("bBhHlLTiI", letter) >= 0 }

// pack is struct.pack(format, values...): the bytes.
func pack(L *lua.LState) int {
	f := newFormat(L)
	work := luaarg.Interrupter{L: L}
	L.Push(lua.LNil) // a missing argument is "nil" and not "no value" in the messages of the C library, which has a nil on its stack here
	var out []byte
	arg := 2
	for f.more() {
		work.Step()
		letter, size := f.next()
		out = append(out, make([]byte, f.padding(letter, size, len(out)))...)
		start := len(out)
		switch {
		case isInteger(letter):
			v := luaarg.Uint64(luaarg.Number(L, arg))
			arg++
			var buf [maxIntSize]byte
			binary.LittleEndian.PutUint64(buf[:], v)
			out = append(out, buf[:size]...)
			f.order(out[start:])
		case letter == 'x':
			out = append(out, 0)
		case letter == 'f':
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(luaarg.Number(L, arg))))
			arg++
			f.order(out[start:])
		case letter == 'd':
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(luaarg.Number(L, arg)))
			arg++
			f.order(out[start:])
		case letter == 'c' || letter == 's':
			s := luaarg.String(L, arg)
			arg++
			if size == 0 {
				size = len(s)
			}
			if len(s) < size {
				luaarg.ArgError(L, arg, "string too short") // the C library names the next argument
			}
			if len(out)+size > maxPacked {
				luaarg.OutOfMemory(L)
			}
			out = append(out, s[:size]...)
			if letter == 's' {
				out = append(out, 0)
			}
		default:
			f.control(letter)
		}
	}
	L.Push(lua.LString(out))
	return 1
}

// order turns bytes that are little endian into the byte order of the format.
func (f *format) order(b []byte) {
	if f.big {
		slices.Reverse(b)
	}
}

// integer returns the value of an integer's bytes. A signed one of more than eight bytes comes out as in the C library on x86-64, where a shift by too
// many bits is one by their number modulo 64.
func (f *format) integer(s string, signed bool) float64 {
	var v uint64
	for i := range len(s) {
		c := s[len(s)-1-i]
		if f.big {
			c = s[i]
		}
		v = v<<8 | uint64(c)
	}
	if !signed {
		return float64(v)
	}
	if mask := ^uint64(0) << (uint(len(s)*8-1) % 64); v&mask != 0 {
		v |= mask
	}
	return float64(int64(v))
}

// unpack is struct.unpack(format, data [, position]): the values, and the position after them.
func unpack(L *lua.LState) int {
	f := newFormat(L)
	work := luaarg.Interrupter{L: L}
	data := luaarg.String(L, 2)
	pos := uint64(luaarg.OptInteger(L, 3, 1)) // unsigned, as in the C library: below 0 is behind the end
	if pos == 0 {
		luaarg.ArgError(L, 3, "offset must be 1 or greater")
	}
	pos--
	need := func(size int) {
		if size > len(data) || pos > uint64(len(data)-size) {
			luaarg.ArgError(L, 2, "data string too short")
		}
	}
	var values []lua.LValue
	for f.more() {
		work.Step()
		letter, size := f.next()
		pos += uint64(f.padding(letter, size, int(pos&math.MaxInt64)))
		need(size)
		if 2+len(values)+2 > luaarg.MaxStack { // the arguments, the values so far, one more and the position
			luaarg.StackOverflow(L, "too many results")
		}
		switch {
		case isInteger(letter):
			values = append(values, lua.LNumber(f.integer(data[pos:][:size], 'a' <= letter)))
		case letter == 'x':
		case letter == 'f' || letter == 'd':
			var buf [8]byte
			copy(buf[:], data[pos:][:size])
			f.order(buf[:size])
			if letter == 'f' {
				values = append(values, lua.LNumber(math.Float32frombits(binary.LittleEndian.Uint32(buf[:]))))
			} else {
				values = append(values, lua.LNumber(math.Float64frombits(binary.LittleEndian.Uint64(buf[:]))))
			}
		case letter == 'c':
			if size == 0 {
				last := len(values) - 1
				var n float64
				ok := last >= 0
				if ok {
					n, ok = luaarg.ToNumber(values[last])
				}
				if !ok {
					luaarg.Errorf(L, "format 'c0' needs a previous size")
				}
				values = values[:last]
				size = int(min(luaarg.Uint64(n), math.MaxInt64))
				need(size)
			}
			values = append(values, lua.LString(data[pos:][:size]))
		case letter == 's':
			n := strings.IndexByte(data[pos:], 0)
			if n < 0 {
				luaarg.Errorf(L, "unfinished string in data")
			}
			values = append(values, lua.LString(data[pos:][:n]))
			size = n + 1
		default:
			f.control(letter)
		}
		pos += uint64(size)
	}
	for _, v := range values {
		L.Push(v)
	}
	L.Push(lua.LNumber(int64(pos + 1)))
	return len(values) + 1
}

// size is struct.size(format): how many bytes pack would produce.
func size(L *lua.LState) int {
	f := newFormat(L)
	pos := 0
	for f.more() {
		letter, size := f.next()
		pos += f.padding(letter, size, pos)
		switch {
		case letter == 's':
			luaarg.ArgError(L, 1, "option 's' has no fixed size")
		case letter == 'c' && size == 0:
			luaarg.ArgError(L, 1, "option 'c0' has no fixed size")
		case !isAlnum(letter): // a letter that means nothing is passed over here
			f.control(letter)
		}
		pos += size
	}
	L.Push(lua.LNumber(pos))
	return 1
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
