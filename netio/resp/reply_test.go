package resp

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var replySamples = []struct {
	text string
	want any
}{
	{"+OK\r\n", Status("OK")},
	{"+\r\n", Status("")},
	{"-ERR no\r\n", Error("ERR no")},
	{":-42\r\n", int64(-42)},
	{"$5\r\nhe\r\no\r\n", "he\r\no"},
	{"$0\r\n\r\n", ""},
	{"$-1\r\n", nil},
	{"*-1\r\n", nil},
	{"_\r\n", nil},
	{"*0\r\n", []any{}},
	{"*3\r\n:1\r\n$1\r\na\r\n*1\r\n_\r\n", []any{int64(1), "a", []any{nil}}},
	{"%1\r\n+k\r\n%0\r\n", Map{Status("k"), Map{}}},
	{"~2\r\n:1\r\n:2\r\n", Set{int64(1), int64(2)}},
	{">2\r\n+message\r\n$1\r\nx\r\n", Push{Status("message"), "x"}},
	{"|1\r\n+ttl\r\n:5\r\n$1\r\nx\r\n", Attributed{Attrs: Map{Status("ttl"), int64(5)}, Value: "x"}},
	{"#t\r\n", true},
	{"#f\r\n", false},
	{",1.5\r\n", 1.5},
	{",-inf\r\n", math.Inf(-1)},
	{"(123456789012345678901234567890\r\n", BigNumber("123456789012345678901234567890")},
	{"=6\r\ntxt:hi\r\n", Verbatim{"txt", "hi"}},
	{"!5\r\nERR x\r\n", Error("ERR x")},
}

func TestReadReply(t *testing.T) {
	for _, sample := range replySamples {
		t.Run(fmt.Sprintf("%q", sample.text), func(t *testing.T) {
			v, n, err := ReadReply([]byte(sample.text + "+next\r\n"))
			require.NoError(t, err)
			require.Equal(t, len(sample.text), n)
			require.Equal(t, sample.want, v)
			for cut := range len(sample.text) {
				v, n, err := ReadReply([]byte(sample.text[:cut]))
				require.NoError(t, err, "cut at %d", cut)
				require.Zero(t, n)
				require.Nil(t, v)
			}
		})
	}
	v, n, err := ReadReply([]byte(",nan\r\n"))
	require.NoError(t, err)
	require.Equal(t, 6, n)
	require.True(t, math.IsNaN(v.(float64)))
	require.EqualError(t, Error("ERR x"), "ERR x")
}

func TestReadReplyCopies(t *testing.T) {
	buf := []byte("*3\r\n$1\r\na\r\n+b\r\n-c\r\n")
	v, _, err := ReadReply(buf)
	require.NoError(t, err)
	for i := range buf {
		buf[i] = '?'
	}
	require.Equal(t, []any{"a", Status("b"), Error("c")}, v)
}

func TestReadReplyMalformed(t *testing.T) {
	for _, text := range []string{"x", "\r\n", "PONG\r\n", "+a\rb\r\n", ":\r\n", ":a\r\n", ":1.5\r\n", "$a\r\n", "$-2\r\n", "$1\r\nabc", "*-2\r\n", "%-1\r\n", "~-1\r\n",
		"=-1\r\n", "=3\r\ntxt\r\n", "=5\r\ntxthi\r\n", "#x\r\n", "_x\r\n", ",x\r\n", ",\r\n", "$99999999999\r\n", "*2\r\n:1\r\nx\r\n", "|1\r\n:1\r\n:2\r\nx"} {
		v, n, err := ReadReply([]byte(text))
		require.ErrorIs(t, err, ErrReply, "%q", text)
		require.Zero(t, n)
		require.Nil(t, v)
	}
	_, _, err := ReadReply([]byte(strings.Repeat("*1\r\n", maxReplyDepth) + ":1\r\n"))
	require.NoError(t, err)
	_, _, err = ReadReply([]byte(strings.Repeat("*1\r\n", maxReplyDepth+1) + ":1\r\n"))
	require.ErrorIs(t, err, ErrReply)
	_, n, err := ReadReply([]byte("*2147483647\r\n:1\r\n"))
	require.NoError(t, err)
	require.Zero(t, n)
}

// appendAny writes back what ReadReply returned.
func appendAny(w *Writer, v any) {
	elements := func(list []any) {
		for _, v := range list {
			appendAny(w, v)
		}
	}
	switch v := v.(type) {
	case nil:
		w.Null()
	case Status:
		w.Simple(string(v))
	case Error:
		w.Error(string(v))
	case string:
		w.BulkString(v)
	case int64:
		w.Int(v)
	case bool:
		w.Bool(v)
	case float64:
		w.Double(v)
	case BigNumber:
		w.BigNumber(string(v))
	case Verbatim:
		w.Verbatim(v.Format, v.Text)
	case []any:
		w.Array(len(v))
		elements(v)
	case Map:
		w.Map(len(v) / 2)
		elements(v)
	case Set:
		w.Set(len(v))
		elements(v)
	case Push:
		w.Push(len(v))
		elements(v)
	case Attributed:
		w.Attr(len(v.Attrs) / 2)
		elements(v.Attrs)
		appendAny(w, v.Value)
	}
}

func FuzzReadReply(f *testing.F) {
	for _, sample := range replySamples {
		f.Add([]byte(sample.text))
	}
	f.Fuzz(func(t *testing.T, buf []byte) {
		v, n, err := ReadReply(buf)
		if n == 0 {
			require.Nil(t, v)
			return
		}
		require.NoError(t, err)
		require.LessOrEqual(t, n, len(buf))
		for cut := range min(n, 64) {
			_, m, err := ReadReply(buf[:n-1-cut])
			require.NoError(t, err)
			require.Zero(t, m)
		}
		// Written and read again, it stays what it is.
		w := Writer{Proto: 3}
		appendAny(&w, v)
		again, m, err := ReadReply(w.Buf)
		require.NoError(t, err)
		require.Equal(t, len(w.Buf), m)
		w2 := Writer{Proto: 3}
		appendAny(&w2, again)
		require.Equal(t, string(w.Buf), string(w2.Buf))
	})
}
