package geo

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Values computed with 70 decimal digits and then rounded.
func TestTrigGolden(t *testing.T) {
	functions := map[string]func(float64) float64{"sin": sin, "cos": cos, "asin": asin}
	for _, c := range []struct {
		name string
		x, y float64
	}{
		{"sin", -0x1.ad5199ed06f2dp+0, -0x1.fd1d22054c420p-1},
		{"sin", 0x1.3344d537ffb3ep-7, 0x1.3343ae1c109c8p-7},
		{"sin", 0x1.5486725bc5b74p-1, 0x1.3bf846c037328p-1},
		{"sin", 0x1.c293f34a8c5e1p-2, 0x1.b42da0d4b44bep-2},
		{"sin", -0x1.8ed0126fbcabdp+1, -0x1.a7c550c0d1cabp-6},
		{"sin", 0x1.95d0955c05c2cp-3, 0x1.932a1167bd2ebp-3},
		{"sin", -0x1.b345abd8bb167p+0, -0x1.fbb6b99b793a1p-1},
		{"sin", 0x1.55bb8edeedc03p-5, 0x1.55a230005b737p-5},
		{"cos", -0x1.06067da8a433ep+1, -0x1.d57a12d26ade1p-2},
		{"cos", -0x1.10d9d8d7e8a6cp-5, 0x1.ffb74dceea477p-1},
		{"cos", 0x1.9c4f31ab67600p-4, 0x1.fd68807f094edp-1},
		{"cos", 0x1.f28032044d99dp-9, 0x1.ffff0d5252791p-1},
		{"cos", 0x1.194422e841340p-2, 0x1.ecce97adbb9e8p-1},
		{"cos", -0x1.2540229be23c5p-11, 0x1.fffffac050852p-1},
		{"cos", -0x1.9d0c1eb932ca4p+0, -0x1.5d7207b0a2f0bp-5},
		{"cos", -0x1.5fb4adad504b2p-2, 0x1.e218a490c4e19p-1},
		{"asin", 0x1.78390913afaf4p-1, 0x1.a69916ec4d61ep-1},
		{"asin", 0x1.11003d0b85390p-11, 0x1.11003dda7f3b8p-11},
		{"asin", 0x1.f3ebbe8e91347p-1, 0x1.5a67e8cb5de92p+0},
		{"asin", 0x1.bbc0dd2818d0ap-2, 0x1.caf786086dfbep-2},
		{"asin", 0x1.0c8eb8f641f5cp-1, 0x1.1ab48cd025c20p-1},
		{"asin", 0x1.70cfdb9c9466fp-16, 0x1.70cfdb9d13fb8p-16},
		{"asin", 0x1.0f8c6ae64bcf4p-2, 0x1.12d618df38b0dp-2},
		{"asin", 0x1.6c02203d40b97p-6, 0x1.6c09cb3bef9acp-6},
	} {
		require.Equal(t, c.y, functions[c.name](c.x), "%s(%v)", c.name, c.x)
	}
}

func TestTrigSpecial(t *testing.T) {
	require.Equal(t, 0.0, sin(0))
	require.True(t, math.Signbit(sin(math.Copysign(0, -1))))
	require.Equal(t, 1.0, cos(0))
	require.Equal(t, 0x1.1a62633145c07p-53, sin(math.Pi), "the rest of pi that the double lacks")
	require.Equal(t, 0x1.1a62633145c07p-54, cos(math.Pi/2))
	require.Equal(t, -1.0, cos(math.Pi))
	require.Equal(t, 1.0, sin(math.Pi/2))
	require.Equal(t, math.Pi/2, asin(1))
	require.Equal(t, 0.0, asin(0))
	require.True(t, math.IsNaN(asin(math.Nextafter(1, 2))))
	require.True(t, math.IsNaN(cos(math.Inf(1))))
	require.True(t, math.IsNaN(cos(math.NaN())))
	require.Equal(t, 5e-324, sin(5e-324))
	require.Equal(t, 5e-324, asin(5e-324))
	require.InDelta(t, math.Cos(1e6), cos(1e6), 1e-15)
}

// The functions of package math are off by a few units in the last place, so ours may differ by no more.
func TestTrigNearMath(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	near := func(want, got, x float64) {
		t.Helper()
		ulp := math.Nextafter(math.Abs(want), 2) - math.Abs(want)
		// Where the result is small because the argument is near a multiple of pi, package math loses more.
		require.LessOrEqual(t, math.Abs(want-got), max(8*ulp, 2e-16), "%v: %v %v", x, want, got)
	}
	for range 20_000 {
		x := (rnd.Float64()*2 - 1) * fewTurns
		near(math.Sin(x), sin(x), x)
		near(math.Cos(x), cos(x), x)
		a := rnd.Float64()
		near(math.Asin(a), asin(a), a)
		a = 1 - a*1e-12
		near(math.Asin(a), asin(a), a)
	}
}

// slowSin is sinPair by the full series, which is good for a hundred bits.
func slowSin(x float64, quarter int) pair {
	k := math.Round(x / halfPi[0])
	r := twoSum(x, -k*halfPi[0]) // k is at most 4, so the products are exact
	r = r.add(pair{-k * halfPi[1], -k * halfPi[2]})
	turn := int(k) + quarter
	y := series(r, turn&1 == 0)
	if turn&2 != 0 {
		y = pair{-y.hi, -y.lo}
	}
	return y
}

func TestTrigPairs(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	differ := 0
	for i := range 40_000 {
		x := (rnd.Float64()*2 - 1) * fewTurns
		if i%2 == 0 {
			x *= math.Exp(-rnd.Float64() * 40)
		}
		for quarter := range 2 {
			got, want := sinPair(x, quarter), slowSin(x, quarter)
			d := got.add(pair{-want.hi, -want.lo})
			require.LessOrEqual(t, math.Abs(d.hi), 0x1p-69*math.Abs(want.hi), "%v", x)
			if got.hi != want.hi {
				differ++
			}
		}
		// sin²+cos² is 1.
		s, c := slowSin(x, 0), slowSin(x, 1)
		sum := s.mul(s).add(c.mul(c)).add(pair{-1, 0})
		require.Less(t, math.Abs(sum.hi), 0x1p-96, "%v", x)
	}
	require.LessOrEqual(t, differ, 2)
}

func BenchmarkDistance(b *testing.B) {
	for b.Loop() {
		Distance(13.361389, 38.115556, 15.087269, 37.502669)
	}
}

func BenchmarkFind(b *testing.B) {
	s := Shape{Lon: 15, Lat: 37, Radius: 200, Unit: 1000}
	for b.Loop() {
		s.Find(13.361389, 38.115556)
	}
}

func BenchmarkFindOutside(b *testing.B) {
	s := Shape{Lon: 15, Lat: 37, Radius: 100, Unit: 1000}
	for b.Loop() {
		s.Find(13.361389, 38.115556)
	}
}
