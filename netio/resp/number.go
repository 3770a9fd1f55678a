package resp

import (
	"math"
	"strconv"
)

// maxFloatLen is enough for every text that AppendFloat writes.
const maxFloatLen = 32

// ParseInt reads a decimal integer the way Redis does for arguments and headers: an optional '-', then digits, with no '+', spaces,
// leading zeros or "-0".
func ParseInt(b []byte) (int64, bool) {
	digits := b
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	n := uint64(digits[0] - '0')
	if n-1 > 8 { // not one of 1 to 9
		return 0, n == 0 && len(b) == 1
	}
	for _, c := range digits[1:] {
		d := uint64(c - '0')
		if d > 9 {
			return 0, false
		}
		n = n*10 + d // nineteen digits fit
	}
	if negative {
		return -int64(n), n <= 1<<63
	}
	return int64(n), n < 1<<63
}

// ParseFloat reads a double the way Redis does for scores and increments: as C's strtod, so hexadecimal floats and inf or infinity in any
// case are fine, but without white space around it. NaN is refused, as is a number too large for a double or so small that it
// would become zero.
func ParseFloat(b []byte) (float64, bool) {
	d, kind := scanFloat(b)
	switch kind {
	case floatInf:
		if d.negative {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	case floatDecimal:
		if !d.truncated && d.mantissa < 1<<53 && d.exp10 >= -22 && d.exp10 <= 22 {
			// Both operands are exact, so the one rounding of the operation is the right one.
			f := float64(d.mantissa)
			if d.exp10 < 0 {
				f /= exactPowers[-d.exp10]
			} else {
				f *= exactPowers[d.exp10]
			}
			if d.negative {
				f = -f
			}
			return f, true
		}
		f, err := strconv.ParseFloat(string(b), 64)
		return f, err == nil && (f != 0 || d.zero)
	case floatHex:
		text := string(b)
		if !d.hasExp {
			text += "p0" // Go wants the exponent that C makes optional
		}
		f, err := strconv.ParseFloat(text, 64)
		return f, err == nil && (f != 0 || d.zero)
	}
	return 0, false
}

// exactPowers are the powers of ten that a double holds exactly.
var exactPowers = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

type floatKind uint8

const (
	floatNone floatKind = iota
	floatDecimal
	floatHex
	floatInf
)

// scannedFloat is a number as written: for a decimal one, mantissa×10^exp10.
type scannedFloat struct {
	mantissa  uint64 // the first nineteen significant digits
	exp10     int
	negative  bool
	truncated bool // there were more digits than mantissa holds, not all of them zero
	zero      bool // every digit is zero
	hasExp    bool
}

// maxExp bounds exponents, far beyond what any format holds, so that sums of them cannot overflow.
const maxExp = 1 << 30

// scanFloat checks that the whole of b is a number in C's syntax, other than NaN, and takes it apart.
func scanFloat(b []byte) (d scannedFloat, kind floatKind) {
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		d.negative = b[0] == '-'
		b = b[1:]
	}
	if len(b) == 0 {
		return d, floatNone
	}
	kind = floatDecimal
	if len(b) > 2 && b[0] == '0' && b[1]|0x20 == 'x' {
		kind = floatHex
		b = b[2:]
	} else if b[0]|0x20 == 'i' {
		if equalFold(b, "inf") || equalFold(b, "infinity") {
			return d, floatInf
		}
		return d, floatNone
	}
	d.zero = true
	i, digits, point := 0, 0, -1
	for ; i < len(b); i++ {
		c := b[i]
		if c == '.' && point < 0 {
			point = i
			continue
		}
		if kind == floatHex {
			if !isHex(c) {
				break
			}
		} else if c-'0' > 9 {
			break
		}
		digits++
		if c != '0' {
			d.zero = false
		}
		if kind == floatHex {
			continue
		}
		switch {
		case d.mantissa < 1e18:
			d.mantissa = d.mantissa*10 + uint64(c-'0')
			if point >= 0 {
				d.exp10--
			}
		default:
			d.truncated = d.truncated || c != '0'
			if point < 0 {
				d.exp10++
			}
		}
	}
	if digits == 0 {
		return d, floatNone
	}
	if i == len(b) {
		return d, kind
	}
	if exponent := b[i] | 0x20; exponent != 'e' && kind == floatDecimal || exponent != 'p' && kind == floatHex {
		return d, floatNone
	}
	d.hasExp = true
	i++
	negative := false
	if i < len(b) && (b[i] == '-' || b[i] == '+') {
		negative = b[i] == '-'
		i++
	}
	if i == len(b) {
		return d, floatNone
	}
	exp := 0
	for ; i < len(b); i++ {
		if b[i]-'0' > 9 {
			return d, floatNone
		}
		exp = min(exp*10+int(b[i]-'0'), maxExp)
	}
	if negative {
		exp = -exp
	}
	d.exp10 += exp
	return d, kind
}

// equalFold compares b with a lower-case word.
func equalFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if c|0x20 != word[i] {
			return false
		}
	}
	return true
}

// AppendFloat appends a double the way Redis 7.2 and later write scores and RESP3 doubles: integers up to 2^62 in full,
// everything else with the digits of appendShortest; inf, -inf and nan.
func AppendFloat(dst []byte, f float64) []byte {
	switch {
	case f != f:
		return append(dst, "nan"...)
	case f > math.MaxFloat64:
		return append(dst, "inf"...)
	case f < -math.MaxFloat64:
		return append(dst, "-inf"...)
	case f == 0:
		if math.Signbit(f) {
			return append(dst, '-', '0')
		}
		return append(dst, '0')
	}
	if f >= -(1<<62) && f <= 1<<62 {
		if n := int64(f); float64(n) == f {
			return strconv.AppendInt(dst, n, 10)
		}
	}
	return appendShortest(dst, f)
}
