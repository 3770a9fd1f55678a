package stream

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const top = math.MaxUint64

// TestParseID: what redis-server 7.0.15 answers to XRANGE s <text> and XSETID.
func TestParseID(t *testing.T) {
	for _, c := range []struct {
		text string
		want ID
		ok   bool
	}{
		{"5", ID{5, 9}, true},
		{"5-6", ID{5, 6}, true},
		{"0-0", ID{}, true},
		{"18446744073709551615-18446744073709551615", MaxID, true},
		{"18446744073709551616-0", ID{}, false},
		{"0-18446744073709551616", ID{}, false},
		{"-", ID{}, true},
		{"+", MaxID, true},
		{"", ID{}, false},
		{"-5", ID{}, false},
		{"5-", ID{}, false},
		{"5-*", ID{}, false},
		{"*", ID{}, false},
		{"a", ID{}, false},
		{"5-6-7", ID{}, false},
		{"5x-6", ID{}, false},
		{"5-6 ", ID{}, false},
		{"(5-6", ID{}, false},
		// What strtoull makes of them.
		{"007-08", ID{7, 8}, true},
		{"+5-6", ID{5, 6}, true},
		{" 5-6", ID{5, 6}, true},
		{"\t\n\v\f\r 5- 6", ID{5, 6}, true},
		{"5-+6", ID{5, 6}, true},
		{"5--6", ID{}, false},
		{"5--06", ID{5, top - 5}, true},
		{"5- -6", ID{5, top - 5}, true},
		{"5--0", ID{5, 0}, true},
		{"5--9223372036854775808", ID{}, false},
		{"5--9223372036854775809", ID{5, 9223372036854775807}, true},
		{"5-+-6", ID{}, false},
		{"5-6\x00zzz", ID{5, 6}, true},
		{strings.Repeat("0", 124) + "5-6", ID{5, 6}, true},
		{strings.Repeat("0", 125) + "5-6", ID{}, false},
	} {
		id, ok := ParseID([]byte(c.text), 9)
		require.Equal(t, c.ok, ok, "%q", c.text)
		if ok {
			require.Equal(t, c.want, id, "%q", c.text)
		}
		strict, ok := ParseStrictID([]byte(c.text), 9)
		require.Equal(t, c.ok && c.text != "-" && c.text != "+", ok, "%q", c.text)
		if ok {
			require.Equal(t, c.want, strict)
		}
		id, exclusive, ok := ParseBound([]byte("("+c.text), 9)
		require.Equal(t, c.ok && c.text != "-" && c.text != "+", ok, "%q", c.text)
		if ok {
			require.True(t, exclusive)
			require.Equal(t, c.want, id)
		}
	}
	id, exclusive, ok := ParseBound([]byte("+"), 0)
	require.True(t, ok)
	require.False(t, exclusive)
	require.Equal(t, MaxID, id)
	_, _, ok = ParseBound([]byte("("), 0)
	require.False(t, ok)
}

func TestParseAddID(t *testing.T) {
	id, auto, ok := ParseAddID([]byte("5-*"))
	require.True(t, ok && auto)
	require.Equal(t, ID{5, 0}, id)
	id, auto, ok = ParseAddID([]byte("5"))
	require.True(t, ok && !auto)
	require.Equal(t, ID{5, 0}, id)
	id, auto, ok = ParseAddID([]byte("5-6"))
	require.True(t, ok && !auto)
	require.Equal(t, ID{5, 6}, id)
	for _, s := range []string{"*", "-", "+", "5-**", "*-*", "5-*\x00"} {
		_, _, ok = ParseAddID([]byte(s))
		require.Equal(t, s == "5-*\x00", ok, "%q", s)
	}
}

func TestIDOrder(t *testing.T) {
	ids := []ID{{}, {0, 1}, {0, top}, {1, 0}, {1, 1}, {top, 0}, {top, top - 1}, MaxID}
	for i, a := range ids {
		for j, b := range ids {
			require.Equal(t, i < j, a.Less(b))
			require.Equal(t, max(-1, min(1, i-j)), a.Compare(b))
		}
		require.Equal(t, i == 0, a.IsZero())
		back, ok := ParseStrictID([]byte(a.String()), 0)
		require.True(t, ok)
		require.Equal(t, a, back)
		next, ok := a.Next()
		require.Equal(t, a != MaxID, ok)
		if ok {
			require.True(t, a.Less(next))
			prev, ok := next.Prev()
			require.True(t, ok)
			require.Equal(t, a, prev)
		}
	}
	next, _ := ID{1, top}.Next()
	require.Equal(t, ID{2, 0}, next)
	prev, _ := ID{2, 0}.Prev()
	require.Equal(t, ID{1, top}, prev)
	prev, ok := ID{}.Prev()
	require.False(t, ok)
	require.Equal(t, MaxID, prev)
}
