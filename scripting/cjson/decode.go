package cjson

import (
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
)

// token is what a token is. Its text is what errors call it.
type token string

const (
	objectBegin token = "T_OBJ_BEGIN"
	objectEnd   token = "T_OBJ_END"
	arrayBegin  token = "T_ARR_BEGIN"
	arrayEnd    token = "T_ARR_END"
	stringValue token = "T_STRING"
	numberValue token = "T_NUMBER"
	boolValue   token = "T_BOOLEAN"
	nullValue   token = "T_NULL"
	colon       token = "T_COLON"
	comma       token = "T_COMMA"
	end         token = "T_END"

	// What is none.
	invalidToken   token = "invalid token"
	invalidNumber  token = "invalid number"
	invalidEscape  token = "invalid escape code"
	invalidUnicode token = "invalid unicode escape code"
	unfinished     token = "unexpected end of string"
)

// sharedDocument is how long a document may be for its strings to be parts of it. Those of a longer one are copied, so that a short string does not keep
// all of it in memory.
const sharedDocument = 4 << 10

// smallTable is for how many values a table has room at first. The VM's own default is 32, which is too much for the many small tables of most documents.
const smallTable = 4

// decoder reads one document. Errors leave it by the VM's panics.
type decoder struct {
	*library
	work luaarg.Interrupter
	data string
	pos  int

	// The token read last: where it begins, or where it is wrong, and its value.
	at     int
	text   string
	number float64
	truth  bool

	depth int32
	slots int // how many values would be on the stack of C Lua
}

// decode is cjson.decode(text): the value.
func (c *library) decode(L *lua.LState) int {
	if L.GetTop() != 1 {
		luaarg.ArgError(L, 1, "expected 1 argument")
	}
	d := decoder{library: c, work: luaarg.Interrupter{L: L}, data: luaarg.String(L, 1), slots: 1}
	if len(d.data) >= 2 && (d.data[0] == 0 || d.data[1] == 0) {
		luaarg.Errorf(L, "JSON parser does not support UTF-16 or UTF-32")
	}
	v := d.value(d.next())
	if t := d.next(); t != end {
		d.unexpected("the end", t)
	}
	L.Push(v)
	return 1
}

// unexpected raises the error that the token read last is not what the grammar wants.
func (d *decoder) unexpected(want string, got token) {
	luaarg.Errorf(d.work.L, "Expected %s but found %s at character %d", want, string(got), d.at+1)
}

// descend enters an array or object, for which so many values are needed on the stack.
func (d *decoder) descend(slots int) {
	d.depth++
	if d.depth > d.decodeDepth || d.slots+slots > luaarg.MaxStack {
		luaarg.Errorf(d.work.L, "Found too many nested data structures (%d) at character %d", d.depth, d.pos)
	}
}

// value returns the value that starts with the token t, which was read last.
func (d *decoder) value(t token) lua.LValue {
	d.work.Step()
	switch t {
	case stringValue:
		return lua.LString(d.text)
	case numberValue:
		return lua.LNumber(d.number)
	case boolValue:
		return lua.LBool(d.truth)
	case nullValue:
		return d.null
	case objectBegin:
		return d.object()
	case arrayBegin:
		return d.array()
	}
	d.unexpected("value", t)
	return nil
}

func (d *decoder) object() lua.LValue {
	d.descend(3)
	d.slots += 2 // the table, a key
	o := d.work.L.CreateTable(0, smallTable)
	for t := d.next(); t != objectEnd; {
		if t != stringValue {
			d.unexpected("object key string", t)
		}
		key := d.text
		if t = d.next(); t != colon {
			d.unexpected("colon", t)
		}
		o.RawSetString(key, d.value(d.next()))
		if t = d.next(); t == objectEnd {
			break
		}
		if t != comma {
			d.unexpected("comma or object end", t)
		}
		if t = d.next(); t == objectEnd { // which would end the loop
			d.unexpected("object key string", t)
		}
	}
	d.slots -= 2
	d.depth--
	return o
}

func (d *decoder) array() lua.LValue {
	d.descend(2)
	d.slots++
	a := d.work.L.CreateTable(smallTable, 0)
	for i, t := 1, d.next(); t != arrayEnd; i++ {
		a.RawSetInt(i, d.value(t))
		if t = d.next(); t == arrayEnd {
			break
		}
		if t != comma {
			d.unexpected("comma or array end", t)
		}
		if t = d.next(); t == arrayEnd { // which would end the loop
			d.unexpected("value", t)
		}
	}
	d.slots--
	d.depth--
	return a
}

// peek returns byte i of the document. After the end there is a NUL byte, as there is behind every string of C's; inside it ends the document as well.
func (d *decoder) peek(i int) byte {
	if i < len(d.data) {
		return d.data[i]
	}
	return 0
}

// fail makes a token of what is wrong with the document at the current position.
func (d *decoder) fail(t token) token {
	d.at = d.pos
	return t
}

// next reads a token. After one that is none nothing may be read.
func (d *decoder) next() token {
	for strings.IndexByte(" \t\n\r", d.peek(d.pos)) >= 0 {
		d.pos++
	}
	d.at = d.pos
	rest := d.data[d.pos:]
	c := d.peek(d.pos)
	switch c {
	case 0:
		return end
	case '{':
		return d.single(objectBegin)
	case '}':
		return d.single(objectEnd)
	case '[':
		return d.single(arrayBegin)
	case ']':
		return d.single(arrayEnd)
	case ',':
		return d.single(comma)
	case ':':
		return d.single(colon)
	case '"':
		return d.string()
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if d.decodeBad == 0 && badNumber(rest) {
			return d.fail(invalidNumber)
		}
		return d.readNumber()
	case 't', 'f', 'n', 'i', 'I', 'N', '+':
		switch {
		case strings.HasPrefix(rest, "true"):
			d.truth = true
			d.pos += len("true")
			return boolValue
		case strings.HasPrefix(rest, "false"):
			d.truth = false
			d.pos += len("false")
			return boolValue
		case strings.HasPrefix(rest, "null"):
			d.pos += len("null")
			return nullValue
		case d.decodeBad != 0 && badNumber(rest):
			return d.readNumber()
		}
	}
	return d.fail(invalidToken)
}

func (d *decoder) single(t token) token {
	d.pos++
	return t
}

func (d *decoder) readNumber() token {
	f, n := luaarg.Strtod(d.data[d.pos:])
	if n == 0 {
		return d.fail(invalidNumber)
	}
	d.number = f
	d.pos += n
	return numberValue
}

// badNumber tells whether s starts with a number that strtod reads but JSON does not have. It may be wrong where strtod reads none.
func badNumber(s string) bool {
	if s[0] == '+' {
		return true
	}
	s = strings.TrimPrefix(s, "-")
	switch {
	case s == "":
		return false
	case s[0] == '0':
		return len(s) > 1 && (s[1]|0x20 == 'x' || '0' <= s[1] && s[1] <= '9')
	case s[0] <= '9':
		return false
	}
	return len(s) >= 3 && (strings.EqualFold(s[:3], "inf") || strings.EqualFold(s[:3], "nan"))
}

// string reads a string, at whose opening quote the decoder is.
func (d *decoder) string() token {
	d.pos++
	start := d.pos
	for { // until something is not as it will be in the value
		c := d.peek(d.pos)
		if c == '"' {
			d.text = d.keep(d.data[start:d.pos])
			d.pos++
			return stringValue
		}
		if c == '\\' {
			break
		}
		if c == 0 {
			return d.fail(unfinished)
		}
		d.pos++
	}
	// Unescaped text is never longer than what spells it.
	buf := append(make([]byte, 0, d.pos-start+16), d.data[start:d.pos]...)
	for {
		c := d.peek(d.pos)
		switch c {
		case '"':
			d.pos++
			d.text = string(buf)
			return stringValue
		case 0:
			return d.fail(unfinished)
		case '\\':
			letter := d.peek(d.pos + 1)
			if letter == 'u' {
				code, n := d.unicode()
				if n == 0 {
					return d.fail(invalidUnicode)
				}
				buf = utf8.AppendRune(buf, code)
				d.pos += n
				continue
			}
			if c = unescape(letter); c == 0 {
				return d.fail(invalidEscape)
			}
			d.pos++
		}
		buf = append(buf, c)
		d.pos++
	}
}

func (d *decoder) keep(s string) string {
	if len(d.data) > sharedDocument {
		return strings.Clone(s)
	}
	return s
}

// unescape returns the byte that a backslash and letter stand for, 0 when they stand for none.
func unescape(letter byte) byte {
	switch letter {
	case '"', '\\', '/':
		return letter
	case 'b':
		return '\b'
	case 't':
		return '\t'
	case 'n':
		return '\n'
	case 'f':
		return '\f'
	case 'r':
		return '\r'
	}
	return 0
}

// unicode returns the code point that the escape sequence at the current position stands for, or the two that make up a surrogate pair, and their length;
// 0 when they are wrong.
func (d *decoder) unicode() (code rune, n int) {
	code = d.hex4(d.pos + 2)
	if code < 0 {
		return 0, 0
	}
	if code&0xf800 != 0xd800 {
		return code, 6
	}
	if code&0x400 != 0 || d.peek(d.pos+6) != '\\' || d.peek(d.pos+7) != 'u' {
		return 0, 0
	}
	low := d.hex4(d.pos + 8)
	if low < 0 || low&0xfc00 != 0xdc00 {
		return 0, 0
	}
	return (code&0x3ff<<10 | low&0x3ff) + 0x10000, 12
}

// hex4 returns the number that four hexadecimal digits from i on spell, -1 when they are not all digits.
func (d *decoder) hex4(i int) rune {
	var n rune
	for j := i; j < i+4; j++ {
		c := d.peek(j)
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			n = n<<4 | rune(c|0x20-'a'+10)
		default:
			return -1
		}
	}
	return n
}
