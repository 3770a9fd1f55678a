package hll

import "math"

// histogram counts registers by rank. Values of 52 and more occur only in bytes that no HyperLogLog wrote.
type histogram struct {
	n [registerMax + 1]int32
}

// add8 counts the eight bytes of w.
func (h *histogram) add8(w uint64) {
	// Sparsely filled values have many zeros in a row, and counting the same thing eight times waits for itself.
	if w == 0 {
		h.n[0] += 8
		return
	}
	h.n[w&registerMax]++
	h.n[w>>8&registerMax]++
	h.n[w>>16&registerMax]++
	h.n[w>>24&registerMax]++
	h.n[w>>32&registerMax]++
	h.n[w>>40&registerMax]++
	h.n[w>>48&registerMax]++
	h.n[w>>56&registerMax]++
}

// Count estimates the number of different elements of a value. It does not look at the cached cardinality.
func Count(b []byte) (uint64, error) {
	var h histogram
	if !IsDense(b) {
		err := eachRun(b, func(_, n int, rank uint8) { h.n[rank] += int32(n) })
		if err != nil {
			return 0, err
		}
		return h.estimate(), nil
	}
	src := b[HeaderBytes:DenseBytes]
	for len(src) > 0 {
		h.add8(unpack(load48(src)))
		src = src[packedBytes:]
	}
	return h.estimate(), nil
}

// alphaInf is the limit of the estimator's constant, 1/(2·ln 2).
const alphaInf = 0.721347520444481703680

// estimate returns Ertl's improved raw estimate. Every product is rounded before it is added: that is what the compilers that
// Redis is built with do, and a fused multiply-add would differ in the last bit.
func (h *histogram) estimate() uint64 {
	const m = float64(Registers)
	z := m * tau((m-float64(h.n[maxRank]))/m)
	for k := hashBits; k >= 1; k-- {
		z += float64(h.n[k])
		z *= 0.5
	}
	z += float64(m * sigma(float64(h.n[0])/m))
	return uint64(math.Round(alphaInf * m * m / z))
}

// sigma is x + Σ x^(2^k)·2^(k-1), for the registers that are 0. It is infinite for 1: nothing was added.
func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1.0, x
	for {
		x *= x
		last := z
		z += float64(x * y)
		y += y
		if z == last {
			return z
		}
	}
}

// tau is ⅓·(1 - x - Σ (1 - x^(2^-k))²·2^-k), for the registers whose rank is the largest.
func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for {
		x = math.Sqrt(x)
		last := z
		y *= 0.5
		d := 1 - x
		z -= float64(float64(d*d) * y)
		if z == last {
			return z / 3
		}
	}
}
