package scripting

import (
	"bytes"
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/netio/resp"
	"github.com/troupe-db/troupe/scripting/luaarg"
)

// reply turns the reply in st.out into a Lua value: numbers and strings as such, null into false, a status into {ok=…}, an error into {err=…}, an array into
// a table from 1 on. What RESP3 has beside comes as {map=…}, {set=…}, {double=…}, {big_number=…}, {verbatim_string=…}; its null is nil.
func (st *state) reply() (v lua.LValue, failed bool) {
	r := replyReader{st: st, buf: st.out.Buf}
	failed = len(r.buf) > 0 && r.buf[0] == '-'
	return r.value(), failed
}

// replyReader walks over replies of the server's own making: it trusts them.
type replyReader struct {
	st  *state
	buf []byte
}

// line returns the rest of the line behind the type byte.
func (r *replyReader) line() []byte {
	end := bytes.IndexByte(r.buf, '\r')
	line := r.buf[1:end]
	r.buf = r.buf[end+2:]
	return line
}

// size reads the number behind the type byte.
func (r *replyReader) size() int {
	n := 0
	for i := 1; ; i++ {
		c := r.buf[i]
		if c == '\r' {
			r.buf = r.buf[i+2:]
			return n
		}
		if c == '-' {
			r.line()
			return -1
		}
		n = n*10 + int(c-'0')
	}
}

// blob reads a text of known length.
func (r *replyReader) blob(n int) []byte {
	b := r.buf[:n]
	r.buf = r.buf[n+2:]
	return b
}

// fieldCounted marks the table of an error reply that is in the statistics already.
const fieldCounted = "ignore_error_stats_update"

func (r *replyReader) value() lua.LValue {
	switch r.buf[0] {
	case '$':
		n := r.size()
		if n < 0 {
			return lua.LFalse
		}
		return lua.LString(r.blob(n))
	case ':':
		n, _ := resp.ParseInt(r.line())
		return lua.LNumber(n)
	case '+':
		return r.field("ok", lua.LString(r.line()))
	case '-':
		t := r.st.errorTable(errorText(string(r.line())))
		t.RawSetString(fieldCounted, lua.LTrue)
		return t
	case '*', '>':
		n := r.size()
		if n < 0 {
			return lua.LFalse
		}
		t := r.st.L.CreateTable(n, 0)
		for i := 1; i <= n; i++ {
			t.RawSetInt(i, r.value())
		}
		return t
	case '%':
		n := r.size()
		t := r.st.L.CreateTable(0, n)
		for range n {
			k := r.value()
			if v := r.value(); k != lua.LNil {
				t.RawSet(k, v)
			}
		}
		return r.field("map", t)
	case '~':
		n := r.size()
		t := r.st.L.CreateTable(0, n)
		for range n {
			if k := r.value(); k != lua.LNil {
				t.RawSet(k, lua.LTrue)
			}
		}
		return r.field("set", t)
	case '_':
		r.line()
		return lua.LNil
	case '#':
		return lua.LBool(r.line()[0] == 't')
	case ',':
		return r.field("double", lua.LNumber(double(r.line())))
	case '(':
		return r.field("big_number", lua.LString(r.line()))
	case '=':
		text := r.blob(r.size())
		t := r.st.L.CreateTable(0, 2)
		t.RawSetString("format", lua.LString(text[:3]))
		t.RawSetString("string", lua.LString(text[4:]))
		return r.field("verbatim_string", t)
	case '|': // attributes say nothing to scripts
		for range 2 * r.size() {
			r.value()
		}
		return r.value()
	}
	panic("scripting: reply of unknown type " + string(r.buf[:1]))
}

func double(text []byte) float64 {
	if string(text) == "nan" {
		return math.NaN()
	}
	f, _ := resp.ParseFloat(text)
	return f
}

func (r *replyReader) field(name string, v lua.LValue) *lua.LTable {
	t := r.st.L.CreateTable(0, 1)
	t.RawSetString(name, v)
	return t
}

// Room on the stack of Lua that turning a value into a reply takes: where it ends, so does the nesting of tables.
const (
	convertRoom = 4 // that must be free at each level
	convertBase = 2 // taken when it begins
)

// writer turns a Lua value into a reply.
type writer struct {
	st *state
	w  *resp.Writer
}

// value writes v, with so many values on the stack of Lua.
func (c *writer) value(v lua.LValue, depth int) {
	if depth > luaarg.MaxStack-convertRoom {
		c.w.Error("ERR reached lua stack limit")
		return
	}
	switch v := v.(type) {
	case lua.LString:
		c.w.BulkString(string(v))
	case lua.LNumber:
		c.w.Int(luaarg.Int64(float64(v)))
	case lua.LBool:
		switch {
		case c.st.proto == 3:
			c.w.Bool(bool(v))
		case bool(v):
			c.w.Int(1)
		default:
			c.w.Null()
		}
	case *lua.LTable:
		real, _ := c.st.behind(v)
		if !c.special(real, depth) {
			c.array(real, depth)
		}
	default:
		c.w.Null()
	}
}

// special writes a table that stands for a type of reply.
func (c *writer) special(t *lua.LTable, depth int) bool {
	if text, ok := t.RawGetString("err").(lua.LString); ok {
		c.w.Error(luaarg.CString(string(text)))
		return true
	}
	if text, ok := t.RawGetString("ok").(lua.LString); ok {
		c.w.Simple(luaarg.CString(string(text)))
		return true
	}
	if f, ok := t.RawGetString("double").(lua.LNumber); ok {
		c.w.Double(float64(f))
		return true
	}
	if text, ok := t.RawGetString("big_number").(lua.LString); ok {
		c.w.BigNumber(lineBreaks.Replace(string(text)))
		return true
	}
	if verbatim, ok := t.RawGetString("verbatim_string").(*lua.LTable); ok {
		format, okFormat := verbatim.RawGetString("format").(lua.LString)
		text, okText := verbatim.RawGetString("string").(lua.LString)
		if okFormat && okText {
			c.w.Verbatim(string(format), string(text))
			return true
		}
	}
	if m, ok := t.RawGetString("map").(*lua.LTable); ok {
		m, _ = c.st.behind(m)
		c.w.Map(pairs(m))
		for k, v := m.Next(lua.LNil); k != lua.LNil; k, v = m.Next(k) {
			c.value(k, depth+4)
			c.value(v, depth+3)
		}
		return true
	}
	if m, ok := t.RawGetString("set").(*lua.LTable); ok {
		m, _ = c.st.behind(m)
		c.w.Set(pairs(m))
		for k, _ := m.Next(lua.LNil); k != lua.LNil; k, _ = m.Next(k) {
			c.value(k, depth+3)
		}
		return true
	}
	return false
}

var lineBreaks = strings.NewReplacer("\r", " ", "\n", " ")

// pass writes the first of replies in RESP2 as what would be left of it on the way through Lua.
func pass(w *resp.Writer, r *replyReader) {
	switch r.buf[0] {
	case '$':
		if n := r.size(); n < 0 {
			w.Null()
		} else {
			w.Bulk(r.blob(n))
		}
	case ':':
		n, _ := resp.ParseInt(r.line())
		w.Int(luaarg.Int64(float64(n))) // Lua's numbers have 53 bits
	case '+':
		w.Simple(luaarg.CString(string(r.line())))
	case '-':
		w.Error(luaarg.CString(errorText(string(r.line()))))
	case '*':
		n := r.size()
		if n < 0 {
			w.Null()
			return
		}
		w.Array(n)
		for range n {
			pass(w, r)
		}
	default:
		panic("scripting: no reply in RESP2 begins with " + string(r.buf[:1]))
	}
}

// pairs counts the fields of a table.
func pairs(t *lua.LTable) int {
	n := 0
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		n++
	}
	return n
}

// array writes the elements from 1 up to the first nil.
func (c *writer) array(t *lua.LTable, depth int) {
	n := 0
	for t.RawGetInt(n+1) != lua.LNil {
		n++
	}
	c.w.Array(n)
	for i := 1; i <= n; i++ {
		c.value(t.RawGetInt(i), depth+1)
	}
}
