package luaarg

import (
	"math"
	"strconv"
	"strings"
)

// FormatNumber returns the text that Lua makes of a number.
func FormatNumber(f float64) string { return string(AppendNumber(nil, f, 14)) }

// AppendNumber appends f with the given number of significant digits, as C's "%.*g" writes it.
func AppendNumber(dst []byte, f float64, digits int) []byte {
	switch {
	case math.IsNaN(f):
		if math.Signbit(f) {
			dst = append(dst, '-')
		}
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	}
	return strconv.AppendFloat(dst, f, 'g', digits, 64)
}

// ParseNumber returns the number that all of s, but for white space around it, spells. A NUL byte ends s.
func ParseNumber(s string) (f float64, ok bool) {
	s = CString(s)
	f, n := Strtod(s)
	return f, n > 0 && strings.TrimLeft(s[n:], space) == ""
}

// space is what C calls white space.
const space = " \t\n\v\f\r"

// Strtod returns the number at the start of s and how many bytes were read for it, 0 when there is none. It takes what C's strtod takes: white space
// and a sign, then a decimal number, a hexadecimal one after 0x (fraction and binary exponent allowed), "inf", "infinity", "nan" or "nan(word)", in
// either case. What is too large is an infinity.
func Strtod(s string) (f float64, n int) {
	start := len(s) - len(strings.TrimLeft(s, space))
	i := start
	neg := false
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		neg = s[i] == '-'
		i++
	}
	sign := func(f float64) float64 {
		if neg {
			return math.Copysign(f, -1)
		}
		return f
	}
	switch rest := s[i:]; {
	case hasPrefixFold(rest, "infinity"):
		return sign(math.Inf(1)), i + len("infinity")
	case hasPrefixFold(rest, "inf"):
		return sign(math.Inf(1)), i + len("inf")
	case hasPrefixFold(rest, "nan"):
		return sign(math.Float64frombits(0x7ff8000000000000)), i + len("nan") + nanWord(rest[len("nan"):])
	case hasPrefixFold(rest, "0x"):
		if f, n := hex(rest[2:]); n > 0 {
			return sign(f), i + 2 + n
		}
	}
	n = scan(s[i:], isDecimal, 'e')
	if n == 0 {
		return 0, 0
	}
	f, _ = strconv.ParseFloat(s[i:i+n], 64) // out of range: an infinity, as it should be
	return sign(f), i + n
}

// hex reads a hexadecimal number, without its 0x.
func hex(s string) (f float64, n int) {
	n = scan(s, isHex, 'p')
	if n == 0 {
		return 0, 0
	}
	text := "0x" + s[:n]
	if !strings.ContainsAny(text, "pP") {
		text += "p0"
	}
	f, _ = strconv.ParseFloat(text, 64)
	return f, n
}

// scan returns the length of the digits at the start of s, with at most one dot and, when anything valid follows it, an exponent. It is 0 when there
// are no digits.
func scan(s string, digit func(byte) bool, exponent byte) int {
	i, digits, dots := 0, 0, 0
	for ; i < len(s); i++ {
		if digit(s[i]) {
			digits++
		} else if s[i] == '.' && dots == 0 {
			dots++
		} else {
			break
		}
	}
	if digits == 0 {
		return 0
	}
	if i < len(s) && s[i]|0x20 == exponent {
		j := i + 1
		if j < len(s) && (s[j] == '-' || s[j] == '+') {
			j++
		}
		first := j
		for j < len(s) && isDecimal(s[j]) {
			j++
		}
		if j > first {
			return j
		}
	}
	return i
}

// nanWord returns the length of the word in parentheses that may follow "nan".
func nanWord(s string) int {
	if s == "" || s[0] != '(' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == ')':
			return i + 1
		case !isDecimal(c) && c != '_' && (c|0x20 < 'a' || c|0x20 > 'z'):
			return 0
		}
	}
	return 0
}

func isDecimal(c byte) bool { return '0' <= c && c <= '9' }
func isHex(c byte) bool     { return isDecimal(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// Int64 cuts off the fraction of f. What does not fit, NaN among it, is the smallest integer.
func Int64(f float64) int64 {
	if f >= -0x1p63 && f < 0x1p63 {
		return int64(f)
	}
	return math.MinInt64
}

// Int32 is Int64 for 32 bits.
func Int32(f float64) int32 {
	if f > -0x1p31-1 && f < 0x1p31 {
		return int32(f)
	}
	return math.MinInt32
}

// Uint64 cuts off the fraction of f, whose bits are meant: negative numbers wrap around.
func Uint64(f float64) uint64 {
	switch {
	case f < 0x1p63 || f != f:
		return uint64(Int64(f))
	case f < 0x1p64:
		return uint64(f)
	default:
		return 0
	}
}
