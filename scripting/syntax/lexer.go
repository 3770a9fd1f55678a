package syntax

import (
	"fmt"
	"strings"

	"github.com/troupe-db/troupe/scripting/luaarg"
)

// Error is what is wrong with a source. Its text is what Lua says: the chunk, the line, the mistake and the token where it showed.
type Error struct{ Msg string }

func (e *Error) Error() string { return e.Msg }

// token kinds: a byte for one-character tokens, one of these for the rest.
type kind int

const (
	tokEOF kind = iota + 256
	tokName
	tokNumber
	tokString
	tokConcat // ..
	tokDots   // ...
	tokEq     // ==
	tokNe     // ~=
	tokLe     // <=
	tokGe     // >=
	tokAnd
	tokBreak
	tokDo
	tokElse
	tokElseif
	tokEnd
	tokFalse
	tokFor
	tokFunction
	tokIf
	tokIn
	tokLocal
	tokNil
	tokNot
	tokOr
	tokRepeat
	tokReturn
	tokThen
	tokTrue
	tokUntil
	tokWhile
)

// tokenNames are the texts of the tokens from tokEOF on.
var tokenNames = [...]string{
	"<eof>", "<name>", "<number>", "<string>", "..", "...", "==", "~=", "<=", ">=",
	"and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil", "not", "or",
	"repeat", "return", "then", "true", "until", "while",
}

func (k kind) String() string {
	switch {
	case k >= tokEOF:
		return tokenNames[k-tokEOF]
	case k < ' ' || k == 127:
		return fmt.Sprintf("char(%d)", int(k))
	}
	return string(rune(k)) // only ASCII has a meaning; other bytes are handled by the lexer
}

// keyword returns the kind of a reserved word, tokName for any other.
func keyword(word string) kind {
	for k := tokAnd; k <= tokWhile; k++ {
		if tokenNames[k-tokEOF] == word {
			return k
		}
	}
	return tokName
}

type token struct {
	kind kind
	line int
	text string  // the value of a name or string
	num  float64 // of a number
	from int     // where it begins in the source
}

// lexer splits a source into tokens. A mistake panics with *Error, which Parse recovers.
type lexer struct {
	src   string
	chunk string
	pos   int
	line  int // of the next byte
}

// fail raises a mistake at a token whose text is near; without one the message stands alone.
func (x *lexer) fail(line int, msg, near string) {
	text := fmt.Sprintf("%s:%d: %s", x.chunk, line, msg)
	if near != "" {
		text += " near '" + luaarg.CString(near) + "'"
	}
	panic(&Error{text})
}

// near returns the text of a token for messages.
func (x *lexer) near(t token, end int) string {
	switch t.kind {
	case tokName, tokNumber, tokString:
		return x.src[t.from:end]
	}
	if t.kind < tokEOF && t.kind >= 128 {
		return string([]byte{byte(t.kind)})
	}
	return t.kind.String()
}

// newline steps over a line break, which two different characters in a row form as well.
func (x *lexer) newline() {
	c := x.src[x.pos]
	x.pos++
	if x.pos < len(x.src) && (x.src[x.pos] == '\n' || x.src[x.pos] == '\r') && x.src[x.pos] != c {
		x.pos++
	}
	x.line++
}

func (x *lexer) at(i int) byte {
	if i < len(x.src) {
		return x.src[i]
	}
	return 0
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isWord(c byte) bool { return isDigit(c) || c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }

// next returns the next token.
func (x *lexer) next() token {
	for x.pos < len(x.src) {
		start := x.pos
		t := token{line: x.line, from: start}
		switch c := x.src[start]; c {
		case '\n', '\r':
			x.newline()
			continue
		case ' ', '\t', '\v', '\f':
			x.pos++
			continue
		case '-':
			if x.at(start+1) == '-' {
				x.comment()
				continue
			}
		case '[':
			level, ok := x.longBracket(start)
			if ok {
				t.kind, t.text = tokString, x.long(level, "unfinished long string")
				return t
			}
			if level > 0 {
				x.fail(x.line, "invalid long string delimiter", x.src[start:start+1+level])
			}
		case '=', '<', '>', '~':
			if x.at(start+1) == '=' {
				x.pos += 2
				t.kind = map[byte]kind{'=': tokEq, '<': tokLe, '>': tokGe, '~': tokNe}[c]
				return t
			}
		case '"', '\'':
			t.kind, t.text = tokString, x.quoted(c)
			return t
		case '.':
			if isDigit(x.at(start + 1)) {
				t.kind, t.num = tokNumber, x.number()
				return t
			}
			if x.at(start+1) == '.' {
				t.kind = tokConcat
				x.pos += 2
				if x.at(x.pos) == '.' {
					t.kind = tokDots
					x.pos++
				}
				return t
			}
		default:
			switch {
			case isDigit(c):
				t.kind, t.num = tokNumber, x.number()
				return t
			case isWord(c):
				for x.pos++; x.pos < len(x.src) && isWord(x.src[x.pos]); x.pos++ {
				}
				t.text = x.src[start:x.pos]
				t.kind = keyword(t.text)
				return t
			}
		}
		x.pos++
		t.kind = kind(x.src[start])
		return t
	}
	return token{kind: tokEOF, line: x.line, from: len(x.src)}
}

// comment steps over a comment of either form.
func (x *lexer) comment() {
	x.pos += 2
	if x.at(x.pos) == '[' {
		if level, ok := x.longBracket(x.pos); ok {
			x.long(level, "unfinished long comment")
			return
		}
	}
	for x.pos < len(x.src) && x.src[x.pos] != '\n' && x.src[x.pos] != '\r' {
		x.pos++
	}
}

// longBracket tells whether a long bracket opens at i, and how many equals signs it has.
func (x *lexer) longBracket(i int) (level int, ok bool) {
	for i++; x.at(i) == '='; i++ {
		level++
	}
	return level, x.at(i) == '['
}

// long reads a long string or comment, whose opening bracket is at pos.
func (x *lexer) long(level int, unfinished string) string {
	x.pos += level + 2
	if c := x.at(x.pos); x.pos < len(x.src) && (c == '\n' || c == '\r') {
		x.newline()
	}
	closing := "]" + strings.Repeat("=", level) + "]"
	var b strings.Builder
	for x.pos < len(x.src) {
		switch c := x.src[x.pos]; {
		case c == ']' && strings.HasPrefix(x.src[x.pos:], closing):
			x.pos += len(closing)
			return b.String()
		case c == '\n' || c == '\r':
			x.newline()
			b.WriteByte('\n')
		default:
			b.WriteByte(c)
			x.pos++
		}
	}
	x.fail(x.line, unfinished, "<eof>")
	return ""
}

// quoted reads a string in quotes.
func (x *lexer) quoted(quote byte) string {
	start := x.pos
	var b strings.Builder
	for x.pos++; ; {
		if x.pos >= len(x.src) {
			x.fail(x.line, "unfinished string", "<eof>")
		}
		switch c := x.src[x.pos]; c {
		case quote:
			x.pos++
			return b.String()
		case '\n', '\r':
			x.fail(x.line, "unfinished string", x.src[start:x.pos])
		case '\\':
			x.pos++
			x.escape(&b, start)
		default:
			b.WriteByte(c)
			x.pos++
		}
	}
}

// escape reads what follows a backslash.
func (x *lexer) escape(b *strings.Builder, start int) {
	if x.pos >= len(x.src) {
		return // quoted complains
	}
	c := x.src[x.pos]
	if i := strings.IndexByte("abfnrtv", c); i >= 0 {
		b.WriteByte("\a\b\f\n\r\t\v"[i])
		x.pos++
		return
	}
	switch {
	case c == '\n' || c == '\r':
		x.newline()
		b.WriteByte('\n')
	case isDigit(c):
		n := 0
		for i := 0; i < 3 && isDigit(x.at(x.pos)); i++ {
			n = n*10 + int(x.src[x.pos]-'0')
			x.pos++
		}
		if n > 255 {
			// Lua names what it has read of the string so far, with the escapes replaced.
			x.fail(x.line, "escape sequence too large", x.src[start:start+1]+b.String())
		}
		b.WriteByte(byte(n))
	default:
		b.WriteByte(c)
		x.pos++
	}
}

// number reads a number: whatever looks like one is taken as a whole and must then be one.
func (x *lexer) number() float64 {
	start := x.pos
	for isDigit(x.at(x.pos)) || x.at(x.pos) == '.' {
		x.pos++
	}
	if x.at(x.pos)|0x20 == 'e' {
		x.pos++
		if c := x.at(x.pos); c == '+' || c == '-' {
			x.pos++
		}
	}
	for x.pos < len(x.src) && isWord(x.src[x.pos]) {
		x.pos++
	}
	text := x.src[start:x.pos]
	f, ok := luaarg.ParseNumber(text)
	if !ok {
		x.fail(x.line, "malformed number", text)
	}
	return f
}
