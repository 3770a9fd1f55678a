package luastring

import (
	"bytes"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// MaxResultBytes bounds the strings that the library makes.
const MaxResultBytes = 512 << 20

const msgTooLarge = "resulting string too large"

// specials are the characters that make a pattern other than plain text.
const specials = "^$*+?.([%-"

// library is one Lua state's string library.
type library struct{ interrupt func() error }

// Open makes the library's table, which the caller puts where it belongs, and the metatable of strings that leads to it.
// interrupt is called on the way through long matches; an error that it returns is raised. It may be nil.
func Open(L *lua.LState, interrupt func() error) *lua.LTable {
	lib := library{interrupt}
	t := L.NewTable()
	for name, f := range map[string]func(args) int{
		"byte": lib.byte, "char": lib.char, "dump": lib.dump, "find": lib.find, "format": lib.format,
		"gfind": lib.gmatch, "gmatch": lib.gmatch, "gsub": lib.gsub, "len": lib.len, "lower": lib.lower,
		"match": lib.match, "rep": lib.rep, "reverse": lib.reverse, "sub": lib.sub, "upper": lib.upper,
	} {
		t.RawSetString(name, L.NewFunction(func(L *lua.LState) int { return f(args{L, name}) }))
	}
	meta := L.NewTable()
	meta.RawSetString("__index", t)
	L.SetMetatable(lua.LString(""), meta)
	return t
}

// args are the arguments of a call of the function name.
type args struct {
	*lua.LState
	name string
}

// bad raises C Lua's error about argument i.
func (a args) bad(i int, text string) {
	a.RaiseError("bad argument #%d to '%s' (%s)", i, a.name, text)
}

func (a args) wrongType(i int, want string) {
	got := "no value"
	if i <= a.GetTop() {
		got = a.Get(i).Type().String()
	}
	a.bad(i, want+" expected, got "+got)
}

func (a args) string(i int) string {
	switch v := a.Get(i).(type) {
	case lua.LString:
		return string(v)
	case lua.LNumber:
		return FormatNumber(v)
	}
	a.wrongType(i, "string")
	return ""
}

func (a args) number(i int) float64 {
	switch v := a.Get(i).(type) {
	case lua.LNumber:
		return float64(v)
	case lua.LString:
		if n, ok := ParseNumber(string(v)); ok {
			return float64(n)
		}
	}
	a.wrongType(i, "number")
	return 0
}

// integer is a ptrdiff_t, int an int: C Lua has both.
func (a args) integer(i int) int64 { return toInt64(a.number(i)) }

func (a args) optInteger(i int, otherwise int64) int64 {
	if a.Get(i) == lua.LNil {
		return otherwise
	}
	return a.integer(i)
}

func (a args) int(i int) int { return int(int32(a.integer(i))) }

func (a args) pushString(s string) int {
	a.Push(lua.LString(s))
	return 1
}

// relative turns a position that counts from the end when negative into one that counts from 1; it is 0 when it lies
// before the beginning.
func relative(pos int64, n int) int64 {
	if pos < 0 {
		pos += int64(n) + 1
	}
	return max(pos, 0)
}

func (library) byte(a args) int {
	s := a.string(1)
	from := relative(a.optInteger(2, 1), len(s))
	to := min(relative(a.optInteger(3, from), len(s)), int64(len(s)))
	from = max(from, 1)
	if from > to {
		return 0
	}
	n := int(to - from + 1)
	if n > maxByteResults {
		a.RaiseError("stack overflow (string slice too long)")
	}
	for _, c := range []byte(s[from-1 : to]) {
		a.Push(lua.LNumber(c))
	}
	return n
}

// maxByteResults is how many values a C function may return.
const maxByteResults = 7900

func (library) char(a args) int {
	b := make([]byte, a.GetTop())
	for i := range b {
		c := a.int(i + 1)
		if c != c&0xff {
			a.bad(i+1, "invalid value")
		}
		b[i] = byte(c)
	}
	return a.pushString(string(b))
}

// dump: there is no way to load byte code, so none is made.
func (library) dump(a args) int {
	if a.Get(1).Type() != lua.LTFunction {
		a.wrongType(1, "function")
	}
	a.RaiseError("unable to dump given function")
	return 0
}

func (library) len(a args) int {
	a.Push(lua.LNumber(len(a.string(1))))
	return 1
}

func (library) lower(a args) int { return a.pushString(mapped(a.string(1), isUpper)) }
func (library) upper(a args) int { return a.pushString(mapped(a.string(1), isLower)) }

// mapped changes the case of the letters that change says.
func mapped(s string, change func(byte) bool) string {
	b := []byte(s)
	for i, c := range b {
		if change(c) {
			b[i] = c ^ 0x20
		}
	}
	return string(b)
}

func (library) reverse(a args) int {
	s := a.string(1)
	b := make([]byte, len(s))
	for i := range b {
		b[i] = s[len(s)-1-i]
	}
	return a.pushString(string(b))
}

func (library) rep(a args) int {
	s, n := a.string(1), a.int(2)
	if n <= 0 || s == "" {
		return a.pushString("")
	}
	if len(s) > MaxResultBytes/n {
		a.RaiseError(msgTooLarge)
	}
	return a.pushString(strings.Repeat(s, n))
}

func (library) sub(a args) int {
	s := a.string(1)
	from := max(relative(a.integer(2), len(s)), 1)
	to := min(relative(a.optInteger(3, -1), len(s)), int64(len(s)))
	if from > to {
		return a.pushString("")
	}
	return a.pushString(s[from-1 : to])
}

// matcher makes a matcher. In C, a pattern ends at its first NUL byte.
func (lib library) matcher(src, pattern string) *matcher {
	if i := strings.IndexByte(pattern, 0); i >= 0 {
		pattern = pattern[:i]
	}
	return &matcher{src: src, pat: pattern, interrupt: lib.interrupt}
}

// check raises the error of a matcher, if any.
func (a args) check(m *matcher) {
	if m.err != nil {
		a.RaiseError("%s", m.err.Error())
	}
}

func (lib library) find(a args) int  { return lib.search(a, true) }
func (lib library) match(a args) int { return lib.search(a, false) }

func (lib library) search(a args, find bool) int {
	s, pattern := a.string(1), a.string(2)
	from := int(min(max(relative(a.optInteger(3, 1), len(s))-1, 0), int64(len(s))))
	m := lib.matcher(s, pattern)
	if find && (lua.LVAsBool(a.Get(4)) || !strings.ContainsAny(m.pat, specials)) {
		i := strings.Index(s[from:], pattern)
		if i < 0 {
			a.Push(lua.LNil)
			return 1
		}
		a.Push(lua.LNumber(from + i + 1))
		a.Push(lua.LNumber(from + i + len(pattern)))
		return 2
	}
	p := 0
	anchored := strings.HasPrefix(m.pat, "^")
	if anchored {
		p = 1
	}
	for ; from <= len(s); from++ {
		e := m.at(from, p)
		a.check(m)
		if e != noMatch {
			if find {
				a.Push(lua.LNumber(from + 1))
				a.Push(lua.LNumber(e))
				return 2 + a.pushCaptures(m, from, e, false)
			}
			return a.pushCaptures(m, from, e, true)
		}
		if anchored {
			break
		}
	}
	a.Push(lua.LNil)
	return 1
}

// captured returns capture i as a Lua value.
func (a args) captured(m *matcher, i, s, e int) lua.LValue {
	text, position, isPosition := m.capture(i, s, e)
	a.check(m)
	if isPosition {
		return lua.LNumber(position)
	}
	return lua.LString(text)
}

// pushCaptures pushes all captures, or the whole match when there are none and whole is set.
func (a args) pushCaptures(m *matcher, s, e int, whole bool) int {
	n := m.level
	if n == 0 && whole {
		n = 1
	}
	for i := range n {
		a.Push(a.captured(m, i, s, e))
	}
	return n
}

func (lib library) gmatch(a args) int {
	s := a.string(1)
	m := lib.matcher(s, a.string(2))
	from := 0
	a.Push(a.NewFunction(func(L *lua.LState) int {
		a := args{L, "gmatch_aux"}
		for ; from <= len(s); from++ {
			e := m.at(from, 0)
			a.check(m)
			if e == noMatch {
				continue
			}
			start := from
			if from = e; e == start {
				from++ // an empty match: go on
			}
			return a.pushCaptures(m, start, e, true)
		}
		return 0
	}))
	return 1
}

func (lib library) gsub(a args) int {
	s, pattern := a.string(1), a.string(2)
	limit := len(s) + 1
	if a.Get(4) != lua.LNil {
		limit = a.int(4)
	}
	with := a.Get(3)
	switch with.Type() {
	case lua.LTString, lua.LTNumber, lua.LTTable, lua.LTFunction:
	default:
		a.bad(3, "string/function/table expected")
	}
	m := lib.matcher(s, pattern)
	p, anchored := 0, strings.HasPrefix(m.pat, "^")
	if anchored {
		p = 1
	}
	var out []byte
	n, at := 0, 0
	for n < limit {
		e := m.at(at, p)
		a.check(m)
		if e != noMatch {
			n++
			out = a.appendReplacement(out, m, with, at, e)
		}
		if e != noMatch && e > at {
			at = e
		} else if at < len(s) {
			out = append(out, s[at])
			at++
		} else {
			break
		}
		if len(out) > MaxResultBytes {
			a.RaiseError(msgTooLarge)
		}
		if anchored {
			break
		}
	}
	out = append(out, s[min(at, len(s)):]...)
	a.Push(lua.LString(out))
	a.Push(lua.LNumber(n))
	return 2
}

// appendReplacement appends what a match from s to e is replaced by.
func (a args) appendReplacement(dst []byte, m *matcher, with lua.LValue, s, e int) []byte {
	var value lua.LValue
	switch with.Type() {
	case lua.LTFunction:
		top := a.GetTop()
		a.Push(with)
		n := a.pushCaptures(m, s, e, true)
		a.Call(n, 1)
		value = a.Get(-1)
		a.SetTop(top)
	case lua.LTTable:
		value = a.GetTable(with, a.captured(m, 0, s, e))
	default:
		return a.appendTemplate(dst, m, a.string(3), s, e)
	}
	switch v := value.(type) {
	case lua.LString:
		return append(dst, v...)
	case lua.LNumber:
		return append(dst, FormatNumber(v)...)
	}
	if lua.LVAsBool(value) {
		a.RaiseError("invalid replacement value (a %s)", value.Type().String())
	}
	return append(dst, m.src[s:e]...)
}

// appendTemplate appends a replacement text, whose %1 to %9 are captures and %0 is the match. A '%' at its end stands for
// the NUL byte that ends the string in C.
func (a args) appendTemplate(dst []byte, m *matcher, text string, s, e int) []byte {
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			dst = append(dst, text[i])
			continue
		}
		i++
		switch {
		case i == len(text):
			dst = append(dst, 0)
		case !isDigit(text[i]):
			dst = append(dst, text[i])
		case text[i] == '0':
			dst = append(dst, m.src[s:e]...)
		default:
			dst = append(dst, a.captured(m, int(text[i]-'1'), s, e).String()...)
		}
		if len(dst) > MaxResultBytes {
			a.RaiseError(msgTooLarge)
		}
	}
	return dst
}

// plainStringBytes is from which length on "%s" takes a string as it is, however wide it should be and with its NUL
// bytes, unless there is a precision.
const plainStringBytes = 100

func (library) format(a args) int {
	text := a.string(1)
	var out bytes.Buffer
	arg := 1
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			out.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '%' {
			out.WriteByte('%')
			i++
			continue
		}
		if arg++; arg > a.GetTop() {
			a.bad(arg, "no value")
		}
		d, n, errText := parseDirective(text[i+1:])
		if errText != "" {
			a.RaiseError("%s", errText)
		}
		i += n
		out.Write(a.formatted(out.AvailableBuffer(), d, arg))
		if out.Len() > MaxResultBytes {
			a.RaiseError(msgTooLarge)
		}
	}
	return a.pushString(out.String())
}

// formatted appends argument arg in the format of d.
func (a args) formatted(dst []byte, d directive, arg int) []byte {
	switch d.verb {
	case 'c':
		return d.appendChar(dst, byte(toInt64(a.number(arg))))
	case 'd', 'i':
		return d.appendInt(dst, a.integer(arg))
	case 'o', 'u', 'x', 'X':
		return d.appendUint(dst, toUint64(a.number(arg)))
	case 'q':
		return appendQuoted(dst, a.string(arg))
	case 's':
		s := a.string(arg)
		if d.precision < 0 && len(s) >= plainStringBytes {
			return append(dst, s...)
		}
		return d.appendString(dst, s)
	}
	return d.appendFloat(dst, a.number(arg))
}
