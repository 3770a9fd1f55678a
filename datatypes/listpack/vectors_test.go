package listpack

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// TestElementBytes compares single elements with what Redis 7.0.15 wrote for them in a dump payload.
func TestElementBytes(t *testing.T) {
	for _, c := range []struct{ elem, want string }{
		{"0", "0001"},
		{"1", "0101"},
		{"127", "7f01"},
		{"128", "c08002"},
		{"-1", "dfff02"},
		{"-2", "dffe02"},
		{"4095", "cfff02"},
		{"4096", "f1001003"},
		{"-4096", "d00002"},
		{"-4097", "f1ffef03"},
		{"32767", "f1ff7f03"},
		{"32768", "f200800004"},
		{"-32768", "f1008003"},
		{"-32769", "f2ff7fff04"},
		{"8388607", "f2ffff7f04"},
		{"8388608", "f30000800005"},
		{"-8388608", "f200008004"},
		{"-8388609", "f3ffff7fff05"},
		{"2147483647", "f3ffffff7f05"},
		{"2147483648", "f4000000800000000009"},
		{"-2147483648", "f30000008005"},
		{"-2147483649", "f4ffffff7fffffffff09"},
		{"9223372036854775807", "f4ffffffffffffff7f09"},
		{"-9223372036854775808", "f4000000000000008009"},
		{"9223372036854775808", "933932323333373230333638353437373538303814"},
		{"-9223372036854775809", "942d3932323333373230333638353437373538303915"},
		{"", "8001"},
		{"a", "816102"},
		{"-", "812d02"},
		{"-0", "822d3003"},
		{"01", "82303103"},
		{"+1", "822b3103"},
		{" 1", "82203103"},
		{"1 ", "82312003"},
		{"1.0", "83312e3004"},
	} {
		lp := Append(New(), []byte(c.elem))
		require.Equal(t, c.want, hex.EncodeToString(lp[6:len(lp)-1]), c.elem)
		require.Equal(t, len(lp)-MinBytes, EncodedSize([]byte(c.elem)), c.elem)
		require.LessOrEqual(t, EncodedSize([]byte(c.elem)), MaxEntry([]byte(c.elem)), c.elem)
		require.NoError(t, Validate(lp, true))
		require.Equal(t, c.elem, string(Text(lp, First(lp), nil)))
	}
}

// TestLongStringBytes does the same for strings around the bounds of encoding and trailing length.
func TestLongStringBytes(t *testing.T) {
	for _, c := range []struct {
		n          int
		head, tail string
	}{
		{63, "bf", "40"},
		{64, "e040", "42"},
		{125, "e07d", "7f"},
		{126, "e07e", "0180"},
		{127, "e07f", "0181"},
		{4095, "efff", "2081"},
		{4096, "f000100000", "2085"},
		{16377, "f0f93f0000", "7ffe"},
		{16378, "f0fa3f0000", "00ffff"},
		{16379, "f0fb3f0000", "018080"},
		{2097145, "f0f9ff1f00", "7ffffe"},
		{2097146, "f0faff1f00", "00ffffff"},
		{2097147, "f0fbff1f00", "01808080"},
	} {
		elem := []byte(strings.Repeat("x", c.n))
		lp := Append(New(), elem)
		data := lp[6 : len(lp)-1]
		require.Equal(t, c.head, hex.EncodeToString(data[:len(c.head)/2]), c.n)
		require.Equal(t, c.tail, hex.EncodeToString(data[len(c.head)/2+c.n:]), c.n)
		require.Equal(t, len(data), EncodedSize(elem), c.n)
		require.LessOrEqual(t, len(data), MaxEntry(elem), c.n)
		require.NoError(t, Validate(lp, true))
		require.Equal(t, 6, Last(lp), c.n)
		require.Equal(t, 6, Find(lp, 6, elem, 0), c.n)
	}
}

func TestPackBytes(t *testing.T) {
	lp := New()
	for _, elem := range []string{"name", "troupe", "n", "42", "big", "1234567890123", "neg", "-5"} {
		lp = Append(lp, []byte(elem))
	}
	require.Equal(t, "310000000800846e616d65058674726f75706507816e022a018362696704f4cb04fb711f01000009836e656704dffb02ff", hex.EncodeToString(lp))
}

// TestReferencePayloads takes the listpacks out of payloads that Redis wrote, and writes them again.
func TestReferencePayloads(t *testing.T) {
	for _, version := range []string{"7.0.15", "7.2.6", "7.4.1"} {
		f, err := os.Open("/work/shared/reference/redis-" + version + "/dump-payloads.jsonl")
		if err != nil {
			t.Skip("the reference files are not here")
		}
		defer f.Close()
		packs := 0
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var line struct {
				Key string `json:"key"`
				Hex string `json:"dump_hex"`
			}
			require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
			payload := unhex(t, line.Hex)
			switch payload[0] {
			case 16, 17, 20: // hash, sorted set and set, as one listpack
			default:
				continue
			}
			from, size := 2, int(payload[1])
			if size >= 64 {
				from, size = 3, (size&0x3F)<<8|int(payload[2]) // the longer of the two lengths that occur here
			}
			lp := payload[from : from+size]
			require.NoError(t, Validate(lp, true), line.Key)
			again := New()
			for off := First(lp); off >= 0; off = Next(lp, off) {
				again = Append(again, Text(lp, off, nil))
			}
			require.Equal(t, lp, again, line.Key)
			packs++
		}
		require.NotZero(t, packs)
	}
}

func TestIntegers(t *testing.T) {
	for shift := range 64 {
		for d := int64(-2); d <= 2; d++ {
			for _, sign := range []int64{1, -1} {
				n := sign * (int64(1)<<shift + d)
				lp := AppendInt(AppendInt(New(), n), 7)
				got, ok := Int(lp, First(lp))
				require.True(t, ok)
				require.Equal(t, n, got)
				require.Equal(t, First(lp), Prev(lp, Last(lp)))
				require.NoError(t, Validate(lp, true))
				text := Text(lp, First(lp), nil)
				require.Equal(t, len(text), TextLen(lp, First(lp)))
				require.True(t, Equal(lp, First(lp), text))
				require.Equal(t, First(lp), Find(lp, First(lp), text, 0))
				require.Equal(t, Append(Append(New(), text), []byte("7")), lp)
			}
		}
	}
	lp := AppendInt(New(), math.MinInt64)
	require.Equal(t, 20, TextLen(lp, First(lp)))
}

func TestValidateRefuses(t *testing.T) {
	good := "0f0000000300" + "816102" + "816202" + "0001" + "ff"
	require.NoError(t, Validate(unhex(t, good), true))
	for name, s := range map[string]string{
		"empty slice":         "",
		"header only":         "070000000000",
		"total too small":     "0e0000000300" + "816102" + "816202" + "0001" + "ff",
		"total too large":     "100000000300" + "816102" + "816202" + "0001" + "ff",
		"no end mark":         "0f0000000300" + "816102" + "816202" + "0001" + "00",
		"count too small":     "0f0000000200" + "816102" + "816202" + "0001" + "ff",
		"count too large":     "0f0000000400" + "816102" + "816202" + "0001" + "ff",
		"end in the middle":   "0f0000000300" + "816102" + "ff6202" + "0001" + "ff",
		"encoding":            "0f0000000300" + "816102" + "f56202" + "0001" + "ff",
		"trailing length":     "0f0000000300" + "816103" + "816202" + "0001" + "ff",
		"last trailing":       "0f0000000300" + "816102" + "816202" + "0002" + "ff",
		"string over the end": "0f0000000300" + "816102" + "856202" + "0001" + "ff",
		"12 bits cut":         "080000000100" + "e0" + "ff",
		"32 bits cut":         "0b0000000100" + "f0010000" + "ff",
		"32 bits huge":        "0c0000000100" + "f0ffffffff" + "ff",
		"integer cut":         "0a0000000100" + "f40000" + "ff",
		"no trailing":         "080000000100" + "05" + "ff",
	} {
		require.ErrorIs(t, Validate(unhex(t, s), true), ErrCorrupt, name)
	}
	// Longer encodings than needed and an unknown number of elements are legal.
	odd := unhex(t, "16000000ffff"+"e0016103"+"f1050003"+"c00502"+"82313203"+"ff")
	require.NoError(t, Validate(odd, true))
	require.Equal(t, 4, Len(odd))
	require.Equal(t, 6, Find(odd, 6, []byte("a"), 0))
	require.Equal(t, 10, Find(odd, 6, []byte("5"), 0))
	require.Equal(t, 17, Find(odd, 6, []byte("12"), 0))
}
