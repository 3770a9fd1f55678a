package resp

import (
	"bytes"
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// INCRBYFLOAT and HINCRBYFLOAT compute with C's long double, which on x86-64 is the 80-bit extended format: 64 bits of mantissa. With
// the eleven bits more than a double has, 10.5+0.1 is printed as 10.6. The results are stored as text, so the arithmetic is done here as
// the hardware does it: every conversion and every sum is rounded once, to nearest, ties to even. Ordinary numbers take a path of
// a few 128-bit integer operations; math/big serves for the rest.

const (
	// humanDigits is how many digits after the point Redis prints.
	humanDigits = 17
	pow10Human  = 100_000_000_000_000_000
	// maxHumanLen is the length of text from which on Redis refuses to read a long double.
	maxHumanLen = 5 << 10
	// Binary exponents: numbers from 2^maxExtended on are infinite, those up to 2^minExtended become zero.
	maxExtended = 16384
	minExtended = -16446
	// half is one half, as the fraction in a word.
	half = 1 << 63
	// Decimal exponents beyond which a number is certainly too large or too small, so that nobody computes 10^1000000.
	maxExtended10 = 4940
	minExtended10 = -4960
)

// extended is ±mant × 2^exp. mant has its top bit set, or is 0 for zero.
type extended struct {
	mant uint64
	exp  int
	neg  bool
	inf  bool
}

// AddHuman adds two numbers given as text, the way INCRBYFLOAT and HINCRBYFLOAT do. ok is false if one of them is not
// a number (see CheckHuman); nanOrInf means that the sum is not finite. Otherwise text is the sum, in a new slice.
func AddHuman(a, b []byte) (text []byte, nanOrInf bool, ok bool) {
	x, okX := parseExtended(a)
	y, okY := parseExtended(b)
	if !okX || !okY {
		return nil, false, false
	}
	sum, finite := x.add(y)
	if !finite {
		return nil, true, true
	}
	return sum.append(make([]byte, 0, 24)), false, true
}

// CheckHuman reports whether b is a number that AddHuman accepts, and whether it is infinite (which HINCRBYFLOAT
// refuses with words of its own).
func CheckHuman(b []byte) (inf, ok bool) {
	x, ok := parseExtended(b)
	return x.inf, ok
}

// AppendHumanFloat appends f in fixed notation with up to 17 digits after the point, without trailing zeros.
func AppendHumanFloat(dst []byte, f float64) []byte {
	if f != f {
		return append(dst, "nan"...)
	}
	x := extended{neg: math.Signbit(f), inf: math.IsInf(f, 0)}
	if f != 0 && !x.inf {
		fraction, exp := math.Frexp(math.Abs(f))
		x.mant, x.exp = uint64(fraction*(1<<32)*(1<<32)), exp-64
	}
	return x.append(dst)
}

// parseExtended reads what C's strtold reads: the syntax of ParseFloat, a wider range.
func parseExtended(b []byte) (x extended, ok bool) {
	if len(b) >= maxHumanLen {
		return x, false
	}
	d, kind := scanFloat(b)
	x.neg = d.negative
	switch {
	case kind == floatNone:
		return x, false
	case kind == floatInf:
		x.inf = true
		return x, true
	case d.zero:
		return x, true
	case kind == floatDecimal && !d.truncated && d.exp10 >= -maxPow5 && d.exp10 <= maxPow5:
		x.mant, x.exp = scaleDecimal(d.mantissa, d.exp10)
		return x, true
	}
	num, den, exp2, ok := fractionOf(b, kind)
	if !ok {
		return x, false
	}
	x.mant, x.exp = roundQuotient(num, den)
	x.exp += exp2
	top := x.exp + 64 // x < 2^top
	return x, top <= maxExtended && (top-1 > minExtended || top-1 == minExtended && x.mant > 1<<63)
}

// maxPow5 is the largest power of five that fits in 64 bits.
const maxPow5 = 27

var pow5 = func() (t [maxPow5 + 1]uint64) {
	t[0] = 1
	for i := 1; i < len(t); i++ {
		t[i] = 5 * t[i-1]
	}
	return t
}()

// scaleDecimal rounds m×10^exp10 to 64 bits; m is not zero and |exp10| at most maxPow5.
func scaleDecimal(m uint64, exp10 int) (mant uint64, exp int) {
	if exp10 >= 0 {
		hi, lo := bits.Mul64(m, pow5[exp10])
		return round128(hi, lo, false, exp10)
	}
	// Both operands are shifted to the top; then the quotient of one of them with 64 or 63 zeros appended has exactly 64 bits.
	divisor := pow5[-exp10]
	mShift, dShift := bits.LeadingZeros64(m), bits.LeadingZeros64(divisor)
	m <<= mShift
	divisor <<= dShift
	exp = exp10 + dShift - mShift - 64
	hi, lo := m, uint64(0)
	if m >= divisor {
		hi, lo = m>>1, m<<63
		exp++
	}
	quotient, rest := bits.Div64(hi, lo, divisor)
	// rest/divisor is the fraction to round by; it is exactly one half only if rest is half the divisor.
	if rest > divisor-rest || rest == divisor-rest && quotient&1 == 1 {
		return carry(quotient+1, exp)
	}
	return quotient, exp
}

// round128 rounds (hi:lo)×2^exp, plus something less than one unit if sticky, to 64 bits. The number is not zero.
func round128(hi, lo uint64, sticky bool, exp int) (uint64, int) {
	if hi == 0 {
		hi, lo = lo, 0
		exp -= 64
	}
	if shift := uint(bits.LeadingZeros64(hi)); shift > 0 {
		hi = hi<<shift | lo>>(64-shift)
		lo <<= shift
		exp -= int(shift)
	}
	exp += 64
	if lo > half || lo == half && (sticky || hi&1 == 1) {
		return carry(hi+1, exp)
	}
	return hi, exp
}

// carry repairs a mantissa that rounding up has made 2^64.
func carry(mant uint64, exp int) (uint64, int) {
	if mant == 0 {
		return 1 << 63, exp + 1
	}
	return mant, exp
}

// fractionOf takes a number of either base apart: its absolute value is num/den × 2^exp2. It reports false if the number is far outside
// the range.
func fractionOf(b []byte, kind floatKind) (num, den *big.Int, exp2 int, ok bool) {
	b = bytes.ToLower(bytes.TrimLeft(b, "+-"))
	base, expMark := 10, "e"
	if kind == floatHex {
		b, base, expMark = b[2:], 16, "p"
	}
	digits, expText, hasExp := bytes.Cut(b, []byte(expMark))
	exp := 0
	if hasExp {
		exp = clampedInt(expText)
	}
	whole, part, _ := bytes.Cut(digits, []byte("."))
	num, _ = new(big.Int).SetString(string(whole)+string(part), base)
	den = big.NewInt(1)
	if kind == floatHex {
		exp -= 4 * len(part)
		if top := exp + num.BitLen(); top > maxExtended+1 || top < minExtended-1 {
			return nil, nil, 0, false
		}
		return num, den, exp, true
	}
	exp -= len(part)
	if top := exp + len(num.Text(10)); top > maxExtended10 || top < minExtended10 {
		return nil, nil, 0, false
	}
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exp, -exp))), nil)
	if exp >= 0 {
		num.Mul(num, power)
	} else {
		den = power
	}
	return num, den, 0, true
}

// clampedInt reads the digits of an exponent, at most ±maxExp.
func clampedInt(b []byte) int {
	n := 0
	for _, c := range bytes.TrimLeft(b, "+-") {
		n = min(n*10+int(c-'0'), maxExp)
	}
	if b[0] == '-' {
		return -n
	}
	return n
}

// roundQuotient rounds num/den to 64 bits.
func roundQuotient(num, den *big.Int) (mant uint64, exp int) {
	// 66 bits of quotient at least, 67 at most: they fit in two words with room for rounding.
	shift := 66 - (num.BitLen() - den.BitLen())
	if shift >= 0 {
		num = new(big.Int).Lsh(num, uint(shift))
	} else {
		den = new(big.Int).Lsh(den, uint(-shift))
	}
	quotient, rest := new(big.Int).QuoRem(num, den, new(big.Int))
	lo := new(big.Int).And(quotient, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
	hi := quotient.Rsh(quotient, 64).Uint64()
	return round128(hi, lo, rest.Sign() != 0, -shift)
}

// add returns the rounded sum, and whether it is finite.
func (x extended) add(y extended) (sum extended, finite bool) {
	if x.inf || y.inf {
		return sum, false
	}
	if x.mant == 0 {
		return y, true
	}
	if y.mant == 0 {
		return x, true
	}
	if x.exp < y.exp || x.exp == y.exp && x.mant < y.mant {
		x, y = y, x
	}
	// x is the larger one. y goes to 128 bits below x's top bit; what falls off the end is sticky.
	hi, lo, sticky := y.mant, uint64(0), false
	switch distance := uint(x.exp - y.exp); {
	case distance >= 128:
		hi, lo, sticky = 0, 0, true
	case distance >= 64:
		sticky = hi<<(128-distance) != 0
		hi, lo = 0, hi>>(distance-64)
	default:
		hi, lo = hi>>distance, hi<<(64-distance)
	}
	exp := x.exp - 64
	if x.neg == y.neg {
		var over uint64
		hi, over = bits.Add64(hi, x.mant, 0)
		if over != 0 {
			sticky = sticky || lo&1 != 0
			lo = lo>>1 | hi<<63
			hi = hi>>1 | 1<<63
			exp++
		}
	} else {
		// With a fraction of a unit fallen off, the difference is a fraction above the next smaller unit.
		var borrow uint64
		if sticky {
			borrow = 1
		}
		lo, borrow = bits.Sub64(0, lo, borrow)
		hi, _ = bits.Sub64(x.mant, hi, borrow)
		if hi|lo == 0 {
			return extended{}, true
		}
	}
	sum.neg = x.neg
	sum.mant, sum.exp = round128(hi, lo, sticky, exp)
	return sum, sum.exp+64 <= maxExtended
}

// append appends x in fixed notation.
func (x extended) append(dst []byte) []byte {
	if x.neg && (x.mant != 0 || x.inf) {
		dst = append(dst, '-')
	}
	if x.inf {
		return append(dst, "inf"...)
	}
	if x.exp > 0 {
		whole := new(big.Int).SetUint64(x.mant)
		return whole.Lsh(whole, uint(x.exp)).Append(dst, 10)
	}
	// Integer part and fraction, the latter as a whole number of 10^-17, rounded to nearest even.
	shift := uint(-x.exp)
	var whole, part uint64
	if shift < 64 {
		whole = x.mant >> shift
		part = x.mant & (1<<shift - 1)
	} else {
		part = x.mant
	}
	hi, lo := bits.Mul64(part, pow10Human)
	part = shiftRound(hi, lo, shift)
	if part == pow10Human {
		whole++
		part = 0
	}
	if whole == 0 && part == 0 {
		if x.neg && x.mant != 0 { // the sign stands there already
			dst = dst[:len(dst)-1]
		}
		return append(dst, '0')
	}
	dst = strconv.AppendUint(dst, whole, 10)
	if part == 0 {
		return dst
	}
	dst = append(dst, ".00000000000000000"...)
	end := len(dst)
	for i := end - 1; part > 0; i-- {
		dst[i] = '0' + byte(part%10)
		part /= 10
	}
	for dst[end-1] == '0' {
		end--
	}
	return dst[:end]
}

// shiftRound is (hi:lo) >> shift, rounded to nearest even; the result fits in 64 bits.
func shiftRound(hi, lo uint64, shift uint) uint64 {
	// Bring the point between two words: the result above it, the fraction below.
	var frac uint64
	sticky := false
	switch {
	case shift == 0:
		return lo
	case shift < 64:
		frac = lo << (64 - shift)
		lo = hi<<(64-shift) | lo>>shift
	case shift < 128:
		shift -= 64
		sticky = lo<<(64-shift) != 0
		frac = hi<<(64-shift) | lo>>shift
		lo = hi >> shift
	default:
		return 0 // hi:lo is below 2^121, so this is less than one half
	}
	if frac > half || frac == half && (sticky || lo&1 == 1) {
		lo++
	}
	return lo
}
