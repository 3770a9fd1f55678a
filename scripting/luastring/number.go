package luastring

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// FormatNumber writes a number as Lua does, in C's format "%.14g": inf, -inf, nan and -nan as glibc writes them.
func FormatNumber(n lua.LNumber) string {
	f := float64(n)
	if s := special(f, false); s != "" {
		if math.Signbit(f) {
			return "-" + s
		}
		return s
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e14 && (f != 0 || !math.Signbit(f)) {
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', 14, 64)
}

// special returns "inf" or "nan" without sign for numbers that are not finite, otherwise "".
func special(f float64, upper bool) string {
	s := ""
	switch {
	case math.IsNaN(f):
		s = "nan"
	case math.IsInf(f, 0):
		s = "inf"
	}
	if upper {
		s = strings.ToUpper(s)
	}
	return s
}

// ParseNumber reads a number as Lua 5.1 reads a string: what strtod of glibc takes, hexadecimal numbers, inf and nan
// included, with white space around. The string ends at its first NUL byte.
func ParseNumber(s string) (lua.LNumber, bool) {
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	for s != "" && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	digits, negative := s, false
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		digits, negative = digits[1:], digits[0] == '-'
	}
	f, ok := parseUnsigned(digits)
	if !ok {
		return 0, false
	}
	if negative {
		f = math.Copysign(f, -1)
	}
	return lua.LNumber(f), true
}

func parseUnsigned(s string) (float64, bool) {
	if s == "" || len(s) > 2 && (s[0]|0x20 == 'i' || s[0]|0x20 == 'n') {
		switch lower := strings.ToLower(s); {
		case lower == "inf", lower == "infinity":
			return math.Inf(1), true
		case lower == "nan", strings.HasPrefix(lower, "nan(") && isNaNTail(lower[4:]):
			return math.Copysign(math.NaN(), 1), true
		}
		return 0, false
	}
	isHexNumber := len(s) > 1 && s[0] == '0' && s[1]|0x20 == 'x'
	digits, exp := 0, -1
	i := 0
	if isHexNumber {
		i = 2
	}
	for point := false; i < len(s); i++ {
		c := s[i]
		switch {
		case isHexNumber && isHex(c), c >= '0' && c <= '9':
			digits++
			continue
		case c == '.' && !point:
			point = true
			continue
		}
		break
	}
	if digits == 0 {
		return 0, false
	}
	if i < len(s) {
		exp = i
		want := byte('e')
		if isHexNumber {
			want = 'p'
		}
		if s[i]|0x20 != want {
			return 0, false
		}
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if i == len(s) {
			return 0, false
		}
		for ; i < len(s); i++ {
			if s[i] < '0' || s[i] > '9' {
				return 0, false
			}
		}
	}
	if isHexNumber && exp < 0 {
		s += "p0"
	}
	// Only the range can be wrong now, and then the result is what strtod returns.
	f, _ := strconv.ParseFloat(s, 64)
	return f, true
}

// isNaNTail reports whether s is what may follow "nan(".
func isNaNTail(s string) bool {
	for i := range len(s) {
		if c := s[i]; c == ')' {
			return i == len(s)-1
		} else if !isAlnum(c) && c != '_' {
			return false
		}
	}
	return false
}

// ToString is Lua's tostring: by the metamethod __tostring, which is called, or by the type. It raises an error when the
// metamethod returns no string.
func ToString(L *lua.LState, v lua.LValue) string {
	switch v := v.(type) {
	case lua.LString:
		return string(v)
	case lua.LNumber:
		return FormatNumber(v)
	}
	if f := L.GetMetaField(v, "__tostring"); f != lua.LNil {
		L.Push(f)
		L.Push(v)
		L.Call(1, 1)
		r := L.Get(-1)
		L.Pop(1)
		switch r := r.(type) {
		case lua.LString:
			return string(r)
		case lua.LNumber:
			return FormatNumber(r)
		}
		L.RaiseError("'tostring' must return a string to 'print'")
	}
	return v.String()
}

// toInt64 is the cast of a double to a long: out of range, and NaN, is the lowest one.
func toInt64(f float64) int64 {
	if f >= -1<<63 && f < 1<<63 {
		return int64(f)
	}
	return math.MinInt64
}

// toUint64 is the cast of a double to an unsigned long, as gcc does it.
func toUint64(f float64) uint64 {
	if f >= 1<<63 {
		return uint64(toInt64(f-1<<63)) ^ 1<<63
	}
	return uint64(toInt64(f))
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isAlpha(c byte) bool { return isLower(c | 0x20) }
func isAlnum(c byte) bool { return isAlpha(c) || isDigit(c) }
func isHex(c byte) bool   { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
func isCntrl(c byte) bool { return c < ' ' || c == 0x7f }
func isPunct(c byte) bool { return c > ' ' && c < 0x7f && !isAlnum(c) }
