package luastring

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// directive is one conversion of a format: %[flags][width][.precision]verb.
type directive struct {
	minus, plus, space, sharp, zero bool
	width                           int
	precision                       int // -1: none
	verb                            byte
}

// parseDirective reads what follows a '%'. It returns the number of bytes read; errText is Lua's message.
func parseDirective(s string) (d directive, n int, errText string) {
	at := func() byte {
		if n < len(s) {
			return s[n]
		}
		return 0
	}
	for ; ; n++ {
		switch at() {
		case '-':
			d.minus = true
			continue
		case '+':
			d.plus = true
			continue
		case ' ':
			d.space = true
			continue
		case '#':
			d.sharp = true
			continue
		case '0':
			d.zero = true
			continue
		}
		break
	}
	if n > 5 {
		return d, n, "invalid format (repeated flags)"
	}
	number := func() (v int) {
		for range 2 {
			if isDigit(at()) {
				v = v*10 + int(at()-'0')
				n++
			}
		}
		return v
	}
	d.width = number()
	d.precision = -1
	if at() == '.' {
		n++
		d.precision = number()
	}
	if isDigit(at()) {
		return d, n, "invalid format (width or precision too long)"
	}
	d.verb = at()
	n++
	if d.verb == 0 {
		return d, n, "invalid option '%' to 'format'"
	}
	if strings.IndexByte("cdiouxXeEfgGqs", d.verb) < 0 {
		return d, n, "invalid option '%" + string([]byte{d.verb}) + "' to 'format'"
	}
	return d, n, ""
}

// appendPadded appends prefix and body in the width of d. zeros allows to pad with zeros in between.
func (d directive) appendPadded(dst []byte, prefix, body string, zeros bool) []byte {
	pad := max(d.width-len(prefix)-len(body), 0)
	switch {
	case d.minus:
		dst = append(append(dst, prefix...), body...)
		return append(dst, strings.Repeat(" ", pad)...)
	case d.zero && zeros:
		dst = append(append(dst, prefix...), strings.Repeat("0", pad)...)
		return append(dst, body...)
	}
	dst = append(append(dst, strings.Repeat(" ", pad)...), prefix...)
	return append(dst, body...)
}

// sign is what a number begins with.
func (d directive) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case d.plus:
		return "+"
	case d.space:
		return " "
	}
	return ""
}

// appendInt formats %d and %i.
func (d directive) appendInt(dst []byte, v int64) []byte {
	abs := uint64(v)
	if v < 0 {
		abs = -abs
	}
	return d.appendPadded(dst, d.sign(v < 0), d.digits(abs, 10), d.precision < 0)
}

// appendUint formats %u, %o, %x and %X.
func (d directive) appendUint(dst []byte, v uint64) []byte {
	var prefix, body string
	switch d.verb {
	case 'o':
		if body = d.digits(v, 8); d.sharp && !strings.HasPrefix(body, "0") {
			body = "0" + body
		}
	case 'u':
		body = d.digits(v, 10)
	default:
		body = d.digits(v, 16)
		if d.sharp && v != 0 {
			prefix = "0x"
		}
		if d.verb == 'X' {
			prefix, body = strings.ToUpper(prefix), strings.ToUpper(body)
		}
	}
	return d.appendPadded(dst, prefix, body, d.precision < 0)
}

// digits writes v with at least as many digits as the precision says.
func (d directive) digits(v uint64, base int) string {
	if d.precision == 0 && v == 0 {
		return ""
	}
	s := strconv.FormatUint(v, base)
	return strings.Repeat("0", max(d.precision-len(s), 0)) + s
}

// appendFloat formats %e, %E, %f, %g and %G.
func (d directive) appendFloat(dst []byte, f float64) []byte {
	sign := d.sign(math.Signbit(f))
	if s := special(f, d.verb == 'E' || d.verb == 'G'); s != "" {
		return d.appendPadded(dst, sign, s, false)
	}
	precision := d.precision
	if precision < 0 {
		precision = 6
	}
	f = math.Abs(f)
	if d.sharp {
		return d.appendPadded(dst, sign, fmt.Sprintf("%#.*"+string(rune(d.verb)), precision, f), true)
	}
	return d.appendPadded(dst, sign, strconv.FormatFloat(f, d.verb, precision, 64), true)
}

// appendString formats %s as sprintf does, for which the string ends at its first NUL byte.
func (d directive) appendString(dst []byte, s string) []byte {
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	if d.precision >= 0 {
		s = s[:min(d.precision, len(s))]
	}
	return d.appendPadded(dst, "", s, false)
}

// appendChar formats %c. Of the result too, all is lost from the first NUL byte on.
func (d directive) appendChar(dst []byte, c byte) []byte {
	start := len(dst)
	dst = d.appendPadded(dst, "", string([]byte{c}), false)
	if c == 0 {
		if i := strings.IndexByte(string(dst[start:]), 0); i >= 0 {
			dst = dst[:start+i]
		}
	}
	return dst
}

// appendQuoted formats %q: a literal that Lua reads back.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\', '\n':
			dst = append(dst, '\\', c)
		case '\r':
			dst = append(dst, `\r`...)
		case 0:
			dst = append(dst, `\000`...)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
