package geo

import "math"

// Sine, cosine and arcsine that are rounded correctly but for one argument in a hundred thousand or so. The C library that Redis runs on
// differs from that for less than one argument in a thousand (5 of 6000 with glibc 2.36), the functions of package math
// for every tenth or so. Such a bit is visible: GEOSEARCHSTORE with STOREDIST stores distances as scores.
//
// They work on pairs of doubles: the value is the unevaluated sum hi+lo, lo being below half a unit in the last place of
// hi (T. J. Dekker, A floating-point technique for extending the available precision, 1971).

type pair struct{ hi, lo float64 }

// twoSum returns a+b exactly (D. E. Knuth, The Art of Computer Programming, volume 2, 4.2.2).
func twoSum(a, b float64) pair {
	s := a + b
	t := s - a
	return pair{s, (a - (s - t)) + (b - t)}
}

// quickSum is twoSum where |a| ≥ |b| or a is 0.
func quickSum(a, b float64) pair {
	s := a + b
	return pair{s, b - (s - a)}
}

// twoProduct returns a·b exactly.
func twoProduct(a, b float64) pair {
	p := a * b
	return pair{p, math.FMA(a, b, -p)}
}

func (x pair) add(y pair) pair {
	s, t := twoSum(x.hi, y.hi), twoSum(x.lo, y.lo)
	s = quickSum(s.hi, s.lo+t.hi)
	return quickSum(s.hi, s.lo+t.lo)
}

func (x pair) mul(y pair) pair {
	p := twoProduct(x.hi, y.hi)
	return quickSum(p.hi, p.lo+float64(float64(x.hi*y.lo)+float64(x.lo*y.hi)))
}

// halfPi is π/2 in three parts.
var halfPi = [3]float64{0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110}

// reciprocals of factorials from 0! to 27!, as pairs. They are computed once, by exact division.
var reciprocals = func() (t [28]pair) {
	factorial := pair{1, 0}
	for n := range t {
		if n > 0 {
			factorial = factorial.mul(pair{float64(n), 0})
		}
		q := 1 / factorial.hi
		// One step of Newton: q + q(1 - q·factorial).
		p := pair{q, 0}.mul(factorial)
		rest := pair{1, 0}.add(pair{-p.hi, -p.lo})
		t[n] = pair{q, 0}.add(rest.mul(pair{q, 0}))
	}
	return t
}()

// series sums the Taylor series of sine (odd) or cosine at r, |r| ≤ π/4 and a little.
func series(r pair, odd bool) pair {
	square := r.mul(r)
	square = pair{-square.hi, -square.lo}
	n := 26
	if odd {
		n = 27
	}
	// The small terms need no more than a double: they end up below the 53rd bit of the sum.
	small := 0.0
	for ; n > 14; n -= 2 {
		small = float64(small*square.hi) + reciprocals[n].hi
	}
	sum := pair{small, 0}
	for ; n >= 0; n -= 2 {
		sum = sum.mul(square).add(reciprocals[n])
	}
	if odd {
		return sum.mul(r)
	}
	return sum
}

// A fine angle is a 64th of π. The sine of x is made of the sine and cosine of the nearest fine angle, from a table, and of
// those of the small rest, for which a few terms of the series do.
const fineAngles = 32 // in a right angle

// fineTurns are the fine angles up to fewTurns in three parts each, which together are exact far beyond the last bit of
// the rest.
var fineTurns = func() (t [2 * fineAngles * fewTurns / 3][3]float64) { // π is more than 3
	for k := range t {
		f := float64(k) / fineAngles
		high, middle := twoProduct(f, halfPi[0]), twoProduct(f, halfPi[1])
		m := twoSum(high.lo, middle.hi)
		t[k] = [3]float64{high.hi, m.hi, m.lo + middle.lo + f*halfPi[2]}
	}
	return t
}()

// fineSines are the sines of the fine angles of a right angle; read backwards they are the cosines.
var fineSines = func() (t [fineAngles + 1]pair) {
	for k := range t {
		angle := pair{fineTurns[k][0], fineTurns[k][1]}
		if k <= fineAngles/2 {
			t[k] = series(angle, true)
		} else {
			rest := fineTurns[fineAngles-k]
			t[k] = series(pair{rest[0], rest[1]}, false)
		}
	}
	return t
}()

// sinPair returns the sine of x plus quarter right angles to some 70 bits. REQUIRES: |x| ≤ fewTurns.
func sinPair(x float64, quarter int) pair {
	k := int(math.Abs(x)*(2*fineAngles/math.Pi) + 0.5)
	fine := &fineTurns[k]
	r := twoSum(math.Abs(x), -fine[0]) // exact: both are of the same size
	r = r.add(pair{-fine[1], -fine[2]})
	if x < 0 {
		r, k = pair{-r.hi, -r.lo}, -k
	}
	turn := quarter + k>>5
	j := k & (fineAngles - 1)

	// The terms whose rounding could be seen are pairs, the rest is not.
	square := twoProduct(r.hi, r.hi)
	square.lo += 2 * float64(r.hi*r.lo)
	z := square.hi
	sine := r.add(square.mul(r).mul(minusSixth))
	sine = quickSum(sine.hi, sine.lo+float64(float64(float64(z*z)*r.hi)*(1.0/120-float64(z*(1.0/5040-float64(z*(1.0/362880)))))))
	cosine := pair{1, 0}.add(pair{-square.hi / 2, -square.lo / 2})
	cosine = quickSum(cosine.hi, cosine.lo+float64(float64(z*z)*(1.0/24-float64(z*(1.0/720-float64(z*(1.0/40320-float64(z*(1.0/3628800)))))))))

	// In odd quarters the cosine takes the place of the sine.
	var y pair
	s, c := fineSines[j], fineSines[fineAngles-j]
	switch {
	case turn&1 == 0 && j == 0:
		y = sine
	case turn&1 == 0:
		y = s.mul(cosine).add(c.mul(sine))
	case j == 0:
		y = cosine
	default:
		y = c.mul(cosine).add(s.mul(pair{-sine.hi, -sine.lo}))
	}
	if turn&2 != 0 {
		y = pair{-y.hi, -y.lo}
	}
	return y
}

var minusSixth = pair{-reciprocals[3].hi, -reciprocals[3].lo}

// fewTurns is how far from 0 the reduction of arguments is good for. Positions on earth stay below; only the bounds of absurd
// searches do not, and those need no precision.
const fewTurns = 6

// tiny is below what the low halves of pairs can express. sin x is x there.
const tiny = 1e-140

func sin(x float64) float64 {
	switch {
	case !(math.Abs(x) <= fewTurns):
		return math.Sin(x)
	case math.Abs(x) < tiny:
		return x
	}
	y := sinPair(x, 0)
	return y.hi + y.lo
}

func cos(x float64) float64 {
	if !(math.Abs(x) <= fewTurns) {
		return math.Cos(x)
	}
	y := sinPair(x, 1)
	return y.hi + y.lo
}

// asin improves the arcsine of package math by one step of Newton. Of more than 1, where rounding may lead, it is NaN.
func asin(a float64) float64 {
	y := math.Asin(a)
	if !(math.Abs(a) < 1) || math.Abs(a) < tiny {
		return y
	}
	s := sinPair(y, 0)
	rest := pair{a, 0}.add(pair{-s.hi, -s.lo})
	return y + (rest.hi+rest.lo)/math.Cos(y)
}
