package resp

import (
	"bufio"
	"math"
	"math/big"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// table reads a file of lines with the given number of fields; # starts a comment.
func table(t *testing.T, name string, fields int) (rows [][]string) {
	file, err := os.Open(name)
	require.NoError(t, err)
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		row := strings.Split(lines.Text(), " ")
		require.Len(t, row, fields, "%s", lines.Text())
		rows = append(rows, row)
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, rows)
	return rows
}

func TestParseInt(t *testing.T) {
	for _, test := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"7", 7, true}, {"-1", -1, true}, {"1234567890", 1234567890, true},
		{"9223372036854775807", math.MaxInt64, true}, {"-9223372036854775808", math.MinInt64, true},
		{"-9223372036854775807", -math.MaxInt64, true}, {"1000000000000000000", 1e18, true},
		{"9223372036854775808", 0, false}, {"-9223372036854775809", 0, false}, {"9999999999999999999", 0, false},
		{"18446744073709551616", 0, false}, {"10000000000000000000", 0, false}, {"100000000000000000000", 0, false},
		{"", 0, false}, {"-", 0, false}, {"-0", 0, false}, {"+1", 0, false}, {"00", 0, false}, {"01", 0, false}, {"-01", 0, false},
		{" 1", 0, false}, {"1 ", 0, false}, {"1a", 0, false}, {"a", 0, false}, {"1.0", 0, false}, {"0x1", 0, false}, {"--1", 0, false},
		{"/", 0, false}, {":", 0, false}, {"1:", 0, false}, {"1\x00", 0, false},
	} {
		got, ok := ParseInt([]byte(test.text))
		require.Equal(t, test.ok, ok, "%q", test.text)
		if ok {
			require.Equal(t, test.want, got, "%q", test.text)
		}
	}
	rnd := rand.New(rand.NewSource(1))
	for range 10_000 {
		n := int64(rnd.Uint64()) >> rnd.Intn(64)
		got, ok := ParseInt(strconv.AppendInt(nil, n, 10))
		require.True(t, ok)
		require.Equal(t, n, got)
	}
}

func TestParseFloat(t *testing.T) {
	// What ZADD accepted on Redis 7.0.15.
	for text, want := range map[string]float64{
		"3": 3, "0.1": 0.1, "-0": math.Copysign(0, -1), "+5": 5, "1.": 1, ".5": .5, "1e21": 1e21, "1E-5": 1e-5, "1e+2": 100,
		"inf": math.Inf(1), "+inf": math.Inf(1), "Inf": math.Inf(1), "-inf": math.Inf(-1), "INFINITY": math.Inf(1), "-Infinity": math.Inf(-1),
		"0x10": 16, "0x1p3": 8, "0X1P-2": .25, "0x1.8": 1.5, "0x.8": .5, "-0xAp0": -10, "0x0": 0,
		"4.9e-324": 5e-324, "1e308": 1e308, "1e-310": 1e-310, "0e-400": 0, "0.000e999999999999999999": 0, "007": 7,
		"9007199254740993": 9007199254740992, "9007199254740992.9999999999999999999": 9007199254740992, "9007199254740993.0000000000000000001": 9007199254740994,
		"3.141592653589793238": math.Pi, "1" + strings.Repeat("0", 300): 1e300, "0." + strings.Repeat("0", 300) + "1": 1e-301,
		"123456789012345678901234567890": 123456789012345678901234567890, "1e22": 1e22, "1e23": 1e23, "123456789e-22": 123456789e-22,
	} {
		got, ok := ParseFloat([]byte(text))
		require.True(t, ok, "%q", text)
		require.Equal(t, math.Float64bits(want), math.Float64bits(got), "%q", text)
	}
	for _, text := range []string{"", " 1", "1 ", "1\n", "nan", "NaN", "-nan", "nan(12)", "infin", "infinityy", "in", "i", ".", "+", "-", "--1", "+-1",
		"1e", "1e+", "1e1.5", "e5", "0x", "0x.", "0xg", "0x1p", "0x1p+", "0x1e5g", "x10", "1_000", "0x_1", "1,5", "1..2", "1.2.3", "1x", "1p3", "\x001", "1\x00",
		"1e400", "-1e400", "1e-400", "1e99999999999999999999", "1e-99999999999999999999", "0x1p1024", "0x1p-1080", "2e-324"} {
		_, ok := ParseFloat([]byte(text))
		require.False(t, ok, "%q", text)
	}
	rnd := rand.New(rand.NewSource(1))
	for range 10_000 {
		f := math.Float64frombits(rnd.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		for _, text := range [][]byte{
			strconv.AppendFloat(nil, f, 'g', 1+rnd.Intn(24), 64), strconv.AppendFloat(nil, f, 'x', -1, 64), strconv.AppendFloat(nil, math.Mod(f, 1e9), 'f', rnd.Intn(9), 64),
		} {
			want, err := strconv.ParseFloat(string(text), 64)
			got, ok := ParseFloat(text)
			require.Equal(t, err == nil, ok, "%s", text)
			require.True(t, !ok || want == got, "%s", text)
		}
	}
	short := []byte("12345.678")
	require.Zero(t, testing.AllocsPerRun(100, func() { ParseFloat(short) }))
}

func TestAppendFloat(t *testing.T) {
	for _, row := range table(t, "testdata/doubles.txt", 2) {
		bits, err := strconv.ParseUint(row[0], 16, 64)
		require.NoError(t, err)
		require.Equal(t, row[1], string(AppendFloat(nil, math.Float64frombits(bits))), "%s", row[0])
	}
	for want, f := range map[string]float64{
		"0": 0, "-0": math.Copysign(0, -1), "inf": math.Inf(1), "-inf": math.Inf(-1), "nan": math.NaN(),
		"3": 3, "-17": -17, "0.1": 0.1, "1e+21": 1e21, "1e-7": 1e-7, "0.000001": 1e-6, "5e-324": 5e-324, "1.5e+300": 1.5e300,
		"1000000000000000000": 1e18, "4611686018427387904": 1 << 62, "1.2345671234567e+6": 1234567.1234567,
	} {
		require.Equal(t, want, string(AppendFloat(nil, f)))
	}
	rnd := rand.New(rand.NewSource(2))
	for range 20_000 {
		f := math.Float64frombits(rnd.Uint64() >> rnd.Intn(60))
		if math.IsNaN(f) {
			continue
		}
		text := AppendFloat(nil, f)
		require.LessOrEqual(t, len(text), maxFloatLen)
		back, ok := ParseFloat(text)
		require.True(t, ok, "%s", text)
		require.Equal(t, f, back, "%s", text)
	}
	buf := make([]byte, 0, 64)
	require.Zero(t, testing.AllocsPerRun(100, func() { buf = AppendFloat(buf[:0], 0.3) }))
}

// TestPowers10 computes the table of powers again.
func TestPowers10(t *testing.T) {
	for i, mant := range powers10 {
		exp := firstPower + powerStep*i
		power := new(big.Float).SetPrec(2000).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exp, -exp))), nil))
		want := new(big.Float).SetPrec(64)
		if exp < 0 {
			want.Quo(big.NewFloat(1), power)
		} else {
			want.Set(power)
		}
		got := new(big.Float).SetUint64(mant)
		require.Zero(t, want.Cmp(got.SetMantExp(got, powerExp(i))), "10^%d", exp)
	}
}

func TestAddHuman(t *testing.T) {
	for _, row := range table(t, "testdata/incrbyfloat.txt", 3) {
		for _, swap := range []bool{false, true} {
			a, b := []byte(row[0]), []byte(row[1])
			if swap {
				a, b = b, a
			}
			text, infinite, ok := AddHuman(a, b)
			switch row[2] {
			case "invalid":
				require.False(t, ok, "%s + %s", a, b)
			case "infinite":
				require.True(t, ok && infinite, "%s + %s", a, b)
			default:
				require.True(t, ok && !infinite, "%s + %s", a, b)
				require.Equal(t, row[2], string(text), "%s + %s", a, b)
			}
		}
	}
	// Longer texts are refused whatever they say.
	_, _, ok := AddHuman([]byte(strings.Repeat("0", 5119)), []byte("1"))
	require.True(t, ok)
	_, _, ok = AddHuman([]byte(strings.Repeat("0", 5120)), []byte("1"))
	require.False(t, ok)
	a, b := []byte("10.5"), []byte("0.1")
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { AddHuman(a, b) }), 1.0)
}

// TestExtendedPaths compares the short ways through the arithmetic with math/big.
func TestExtendedPaths(t *testing.T) {
	rnd := rand.New(rand.NewSource(3))
	toBig := func(x extended) *big.Float {
		f := new(big.Float).SetUint64(x.mant)
		f.SetMantExp(f, x.exp)
		if x.neg {
			f.Neg(f)
		}
		return f
	}
	for range 20_000 {
		m, exp10 := 1+rnd.Uint64()>>(1+rnd.Intn(63)), rnd.Intn(2*maxPow5+1)-maxPow5
		mant, exp := scaleDecimal(m, exp10)
		num, den := new(big.Int).SetUint64(m), big.NewInt(1)
		if power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exp10, -exp10))), nil); exp10 < 0 {
			den = power
		} else {
			num.Mul(num, power)
		}
		wantMant, wantExp := roundQuotient(num, den)
		require.Equal(t, wantMant, mant, "%de%d", m, exp10)
		require.Equal(t, wantExp, exp, "%de%d", m, exp10)

		x := extended{mant: mant, exp: exp, neg: rnd.Intn(2) == 0}
		y := extended{mant: rnd.Uint64() | 1<<63, exp: exp + rnd.Intn(280) - 140, neg: rnd.Intn(2) == 0}
		if rnd.Intn(4) == 0 { // bits that cancel, ties
			y.mant, y.exp = mant&^(1<<rnd.Intn(63)), exp-rnd.Intn(3)
		}
		sum, finite := x.add(y)
		require.True(t, finite)
		want := new(big.Float).SetPrec(64).Add(toBig(x).SetPrec(512), toBig(y).SetPrec(512))
		require.Zero(t, want.Cmp(toBig(sum)), "%v + %v", x, y)

		for _, v := range []extended{x, y, sum} {
			text := toBig(v).Text('f', humanDigits)
			if strings.Contains(text, ".") {
				text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
			}
			if text == "-0" {
				text = "0"
			}
			require.Equal(t, text, string(v.append(nil)), "%v", v)
		}
	}
}

func TestAppendHumanFloat(t *testing.T) {
	for want, f := range map[string]float64{
		"0": math.Copysign(0, -1), "3": 3, "-3.5": -3.5, "0.10000000000000001": 0.1, "0.00000000000000001": 1e-17, "1000000000000000000000": 1e21,
		"inf": math.Inf(1), "-inf": math.Inf(-1), "nan": math.NaN(), "0.5": 0.5, "18446744073709551616": 1 << 64, "9223372036854775808": 1 << 63,
	} {
		require.Equal(t, want, string(AppendHumanFloat(nil, f)))
	}
	require.Equal(t, "x0", string(AppendHumanFloat([]byte("x"), -5e-324)))
	require.Equal(t, "0", string(AppendHumanFloat(nil, 5e-324)))
}

func TestCheckHuman(t *testing.T) {
	for text, want := range map[string][2]bool{"1": {false, true}, "1e4000": {false, true}, "-inf": {true, true}, "nan": {false, false}, "": {false, false}} {
		inf, ok := CheckHuman([]byte(text))
		require.Equal(t, want, [2]bool{inf, ok}, "%q", text)
	}
}
