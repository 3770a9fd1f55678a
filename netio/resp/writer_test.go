package resp

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWriter(t *testing.T) {
	for _, test := range []struct {
		name         string
		write        func(w *Writer)
		resp2, resp3 string
	}{
		{"OK", func(w *Writer) { w.OK() }, "+OK\r\n", ""},
		{"Simple", func(w *Writer) { w.Simple("a\r\nb") }, "+a  b\r\n", ""},
		{"Int", func(w *Writer) { w.Int(-5) }, ":-5\r\n", ""},
		{"Bulk", func(w *Writer) { w.Bulk([]byte("a\r\nb")) }, "$4\r\na\r\nb\r\n", ""},
		{"BulkString", func(w *Writer) { w.BulkString("") }, "$0\r\n\r\n", ""},
		{"Null", func(w *Writer) { w.Null() }, "$-1\r\n", "_\r\n"},
		{"NullArray", func(w *Writer) { w.NullArray() }, "*-1\r\n", "_\r\n"},
		{"Array", func(w *Writer) { w.Array(2) }, "*2\r\n", ""},
		{"Map", func(w *Writer) { w.Map(600) }, "*1200\r\n", "%600\r\n"},
		{"Set", func(w *Writer) { w.Set(2) }, "*2\r\n", "~2\r\n"},
		{"Push", func(w *Writer) { w.Push(3) }, "*3\r\n", ">3\r\n"},
		{"Double", func(w *Writer) { w.Double(1.5) }, "$3\r\n1.5\r\n", ",1.5\r\n"},
		{"Double inf", func(w *Writer) { w.Double(math.Inf(-1)) }, "$4\r\n-inf\r\n", ",-inf\r\n"},
		{"DoubleBulk", func(w *Writer) { w.DoubleBulk(9) }, "$1\r\n9\r\n", ""},
		{"DoubleBulk ten", func(w *Writer) { w.DoubleBulk(10) }, "$2\r\n10\r\n", ""},
		{"DoubleBulk minus zero", func(w *Writer) { w.DoubleBulk(math.Copysign(0, -1)) }, "$2\r\n-0\r\n", ""},
		{"DoubleBulk nan", func(w *Writer) { w.DoubleBulk(math.NaN()) }, "$3\r\nnan\r\n", ""},
		{"Bool true", func(w *Writer) { w.Bool(true) }, ":1\r\n", "#t\r\n"},
		{"Bool false", func(w *Writer) { w.Bool(false) }, ":0\r\n", "#f\r\n"},
		{"BigNumber", func(w *Writer) { w.BigNumber("-123") }, "$4\r\n-123\r\n", "(-123\r\n"},
		{"Verbatim", func(w *Writer) { w.Verbatim("txt", "hi") }, "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"},
		{"Verbatim short format", func(w *Writer) { w.Verbatim("c", "hi") }, "$2\r\nhi\r\n", "=6\r\nc  :hi\r\n"},
		{"Raw", func(w *Writer) { w.Raw([]byte("+x\r\n")) }, "+x\r\n", ""},
	} {
		if test.resp3 == "" {
			test.resp3 = test.resp2
		}
		t.Run(test.name, func(t *testing.T) {
			for proto, want := range map[int]string{2: test.resp2, 3: test.resp3} {
				w := Writer{Proto: proto}
				test.write(&w)
				require.Equal(t, want, string(w.Buf))
				w = Writer{Proto: proto, Buf: append(make([]byte, 0, 100), "+OK\r\n"...)}
				test.write(&w)
				require.Equal(t, "+OK\r\n"+want, string(w.Buf))
				require.Zero(t, w.Errs)
			}
		})
	}
}

func TestWriterError(t *testing.T) {
	var w Writer
	w.Error("ERR no\r\nsuch\nthing\r\n")
	require.Equal(t, "-ERR no  such thing\r\n", string(w.Buf))
	require.Equal(t, "ERR no  such thing", w.LastErr)
	w.Error("WRONGTYPE x")
	require.Equal(t, 2, w.Errs)
	require.Equal(t, "WRONGTYPE x", w.LastErr)
	require.Equal(t, "-ERR a b\r\n", string(AppendError(nil, "\nERR a\rb")))
}

func TestWriterAttr(t *testing.T) {
	w := Writer{Proto: 3}
	w.Attr(1)
	require.Equal(t, "|1\r\n", string(w.Buf))
	w.Proto = 2
	require.Panics(t, func() { w.Attr(1) })
}

func TestAppendHeads(t *testing.T) {
	numbers := []int64{-1, math.MinInt64, math.MaxInt64, 99999, 1234567}
	for n := range int64(1200) {
		numbers = append(numbers, n)
	}
	for _, n := range numbers {
		require.Equal(t, fmt.Sprintf(":%d\r\n", n), string(AppendInt(nil, n)))
		require.Equal(t, fmt.Sprintf("x*%d\r\n", n), string(AppendArray([]byte("x"), int(n))))
	}
	for n := range 1200 {
		s := strings.Repeat("s", n)
		want := fmt.Sprintf("$%d\r\n%s\r\n", n, s)
		require.Equal(t, want, string(AppendBulkString(nil, s)))
		require.Equal(t, "x"+want, string(AppendBulk(append(make([]byte, 0, 4096), 'x'), []byte(s))))
		// However little room there is, what lies before stays.
		for room := range 20 {
			require.Equal(t, "x"+want, string(AppendBulk(append(make([]byte, 0, 1+n+room), 'x'), []byte(s))))
		}
	}
	require.Equal(t, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", string(AppendCommand(nil, []byte("GET"), []byte("k"))))
	require.Equal(t, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", string(AppendCommandStrings(nil, "GET", "k")))
}

func TestDeferred(t *testing.T) {
	for _, n := range []int{0, 1, 9, 10, 99, 100, 1023, 1024, 100_000} {
		for proto := 2; proto <= 3; proto++ {
			for name, end := range map[string]func(w *Writer, mark, n int){
				"*": (*Writer).EndDeferredArray, "~": (*Writer).EndDeferredSet, "%": (*Writer).EndDeferredMap,
			} {
				w := Writer{Proto: proto}
				w.OK()
				outer := w.StartDeferred()
				mark := w.StartDeferred()
				elements := n
				if name == "%" {
					elements *= 2
				}
				for i := range elements {
					w.Int(int64(i % 7))
				}
				end(&w, mark, n)
				w.EndDeferredArray(outer, 1)

				want := Writer{Proto: proto}
				want.OK()
				want.Array(1)
				switch {
				case name == "%":
					want.Map(n)
				case name == "~":
					want.Set(n)
				default:
					want.Array(n)
				}
				for i := range elements {
					want.Int(int64(i % 7))
				}
				require.True(t, string(want.Buf) == string(w.Buf), "%s%d", name, n)
			}
		}
	}
}

func TestDeferredDropped(t *testing.T) {
	var w Writer
	w.OK()
	mark := w.StartDeferred()
	w.Int(1)
	w.Buf = w.Buf[:mark]
	w.Error("ERR x")
	require.Equal(t, "+OK\r\n-ERR x\r\n", string(w.Buf))
}

func TestWriterAllocs(t *testing.T) {
	value := []byte(strconv.Itoa(1 << 40))
	for proto := 2; proto <= 3; proto++ {
		w := Writer{Proto: proto, Buf: make([]byte, 0, 4096)}
		require.Zero(t, testing.AllocsPerRun(100, func() {
			w.Buf = w.Buf[:0]
			w.OK()
			w.Int(5)
			w.Int(1 << 40)
			w.Bulk(value)
			w.BulkString("abc")
			w.Null()
			w.Error("ERR syntax error")
			w.Map(2)
			w.Set(1)
			w.Double(1.25)
			w.Bool(true)
			mark := w.StartDeferred()
			for range 20 {
				w.Bulk(value)
			}
			w.EndDeferredMap(mark, 10)
		}))
	}
}
