package resp

import (
	"math"
	"math/bits"
	"strconv"
)

// Since 7.2 Redis prints doubles with the Grisu2 algorithm (F. Loitsch, "Printing Floating-Point Numbers Quickly and
// Accurately with Integers", 2010), which finds the shortest text that reads back as the same number for nearly all
// numbers; for about one in a thousand it finds one that is a digit longer or a little farther off. Clients see scores
// and compare them as text, so those numbers must come out the same too, and strconv, which always finds the shortest,
// will not do. The choices that the paper leaves open (the spacing of the table of powers, which power is taken,
// rounding) are those that Redis made.
//
// The idea: take the number w and the middles lo and hi between it and its neighbours, multiply all three by a power of
// ten so that they become fixed-point numbers with 4 to 32 integer bits, and write digits of hi until what is left is
// smaller than hi-lo; then every continuation lies between the neighbours. At last, move the last digit towards w.

const (
	firstPower = -348 // exponent of powers10[0]
	powerStep  = 8
	// The fixed-point numbers have minFrac to maxFrac fraction bits.
	minFrac = 32
	maxFrac = 60
	// log10of2 is how much a binary digit is worth in decimal ones.
	log10of2 = 0.30102999566398114

	mantissaBits = 52
	hiddenBit    = 1 << mantissaBits
	minExp       = -1074 // of the last mantissa bit
)

// powerExp is the binary exponent of the last bit of powers10[i].
func powerExp(i int) int { return (firstPower+powerStep*i)*217706>>16 - 63 }

// scaled multiplies two 64-bit fractions.
func scaled(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi + lo>>63
}

// grisuDigits writes the digits of a positive finite number: f is about digits × 10^exp10.
func grisuDigits(f float64, digits *[20]byte) (n, exp10 int) {
	w := math.Float64bits(f) & (hiddenBit - 1)
	exp := minExp
	if e := int(math.Float64bits(f) >> mantissaBits & 0x7ff); e > 0 {
		w |= hiddenBit
		exp += e - 1
	}

	// All three get the exponent at which hi fills 64 bits. Below a power of two, the lower neighbour is only half as far.
	hi := w<<1 + 1
	lo, loShift := w<<1-1, 1
	if w == hiddenBit {
		lo, loShift = w<<2-1, 2
	}
	shift := bits.LeadingZeros64(hi)
	hi <<= shift
	w <<= shift + 1
	lo <<= shift + 1 - loShift
	exp -= shift + 1

	i := (int(-float64(exp+len(powers10))*log10of2) - firstPower) / powerStep
	for exp+powerExp(i)+64 < -maxFrac {
		i++
	}
	for exp+powerExp(i)+64 > -minFrac {
		i--
	}
	frac := uint(-(exp + powerExp(i) + 64))
	exp10 = -(firstPower + powerStep*i)
	// One unit inwards: the products may be off by as much.
	w, hi, lo = scaled(w, powers10[i]), scaled(hi, powers10[i])-1, scaled(lo, powers10[i])+1

	width, above := hi-lo, hi-w
	whole, part := hi>>frac, hi&(1<<frac-1)
	unit := uint64(1e9)
	for kappa := 9; kappa >= 0; kappa-- {
		digit := whole / unit
		whole -= digit * unit
		if digit != 0 || n != 0 {
			digits[n] = '0' + byte(digit)
			n++
		}
		if rest := whole<<frac + part; rest <= width {
			approach(&digits[n-1], rest, unit<<frac, above, width)
			return n, exp10 + kappa
		}
		unit /= 10
	}
	for {
		part *= 10
		width *= 10
		above *= 10
		exp10--
		if digit := part >> frac; digit != 0 || n != 0 {
			digits[n] = '0' + byte(digit)
			n++
		}
		part &= 1<<frac - 1
		if part < width {
			approach(&digits[n-1], part, 1<<frac, above, width)
			return n, exp10
		}
	}
}

// approach lowers the last digit as long as that brings the number nearer to w and keeps it above lo. The number is rest below hi, w
// is above below hi, lo is width below hi, and one of the digit is worth unit.
func approach(digit *byte, rest, unit, above, width uint64) {
	for rest < above && width-rest >= unit && (rest+unit < above || above-rest > rest+unit-above) {
		*digit--
		rest += unit
	}
}

// appendShortest appends a finite number other than zero. The layout is Redis's: no exponent while few zeros are needed, and none
// in front of the exponent's digits.
func appendShortest(dst []byte, f float64) []byte {
	if f < 0 {
		dst = append(dst, '-')
		f = -f
	}
	var buf [20]byte
	n, exp10 := grisuDigits(f, &buf)
	digits := buf[:n]
	exp := exp10 + n - 1 // of the first digit
	distance := max(exp, -exp)
	switch {
	case exp10 >= 0 && distance < n+7:
		dst = append(dst, digits...)
		for range exp10 {
			dst = append(dst, '0')
		}
		return dst
	case exp10 < 0 && (exp10 > -7 || distance < 4):
		if exp >= 0 {
			dst = append(dst, digits[:exp+1]...)
			dst = append(dst, '.')
			return append(dst, digits[exp+1:]...)
		}
		dst = append(dst, '0', '.')
		for range -exp - 1 {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[0])
	if n > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	sign := byte('+')
	if exp < 0 {
		sign = '-'
	}
	return strconv.AppendInt(append(dst, 'e', sign), int64(distance), 10)
}

// powers10 holds the 64 leading bits of every eighth power of ten from 10^-348 on, rounded to nearest.
var powers10 = [...]uint64{
	0xfa8fd5a0081c0288, 0xbaaee17fa23ebf76, 0x8b16fb203055ac76, 0xcf42894a5dce35ea,
	0x9a6bb0aa55653b2d, 0xe61acf033d1a45df, 0xab70fe17c79ac6ca, 0xff77b1fcbebcdc4f,
	0xbe5691ef416bd60c, 0x8dd01fad907ffc3c, 0xd3515c2831559a83, 0x9d71ac8fada6c9b5,
	0xea9c227723ee8bcb, 0xaecc49914078536d, 0x823c12795db6ce57, 0xc21094364dfb5637,
	0x9096ea6f3848984f, 0xd77485cb25823ac7, 0xa086cfcd97bf97f4, 0xef340a98172aace5,
	0xb23867fb2a35b28e, 0x84c8d4dfd2c63f3b, 0xc5dd44271ad3cdba, 0x936b9fcebb25c996,
	0xdbac6c247d62a584, 0xa3ab66580d5fdaf6, 0xf3e2f893dec3f126, 0xb5b5ada8aaff80b8,
	0x87625f056c7c4a8b, 0xc9bcff6034c13053, 0x964e858c91ba2655, 0xdff9772470297ebd,
	0xa6dfbd9fb8e5b88f, 0xf8a95fcf88747d94, 0xb94470938fa89bcf, 0x8a08f0f8bf0f156b,
	0xcdb02555653131b6, 0x993fe2c6d07b7fac, 0xe45c10c42a2b3b06, 0xaa242499697392d3,
	0xfd87b5f28300ca0e, 0xbce5086492111aeb, 0x8cbccc096f5088cc, 0xd1b71758e219652c,
	0x9c40000000000000, 0xe8d4a51000000000, 0xad78ebc5ac620000, 0x813f3978f8940984,
	0xc097ce7bc90715b3, 0x8f7e32ce7bea5c70, 0xd5d238a4abe98068, 0x9f4f2726179a2245,
	0xed63a231d4c4fb27, 0xb0de65388cc8ada8, 0x83c7088e1aab65db, 0xc45d1df942711d9a,
	0x924d692ca61be758, 0xda01ee641a708dea, 0xa26da3999aef774a, 0xf209787bb47d6b85,
	0xb454e4a179dd1877, 0x865b86925b9bc5c2, 0xc83553c5c8965d3d, 0x952ab45cfa97a0b3,
	0xde469fbd99a05fe3, 0xa59bc234db398c25, 0xf6c69a72a3989f5c, 0xb7dcbf5354e9bece,
	0x88fcf317f22241e2, 0xcc20ce9bd35c78a5, 0x98165af37b2153df, 0xe2a0b5dc971f303a,
	0xa8d9d1535ce3b396, 0xfb9b7cd9a4a7443c, 0xbb764c4ca7a44410, 0x8bab8eefb6409c1a,
	0xd01fef10a657842c, 0x9b10a4e5e9913129, 0xe7109bfba19c0c9d, 0xac2820d9623bf429,
	0x80444b5e7aa7cf85, 0xbf21e44003acdd2d, 0x8e679c2f5e44ff8f, 0xd433179d9c8cb841,
	0x9e19db92b4e31ba9, 0xeb96bf6ebadf77d9, 0xaf87023b9bf0ee6b,
}
