package lzf

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// roundTrip compresses and expands src and returns the compressed form.
func roundTrip(tb testing.TB, src []byte) []byte {
	dst := make([]byte, len(src)+len(src)/32+16)
	n := Compress(dst, src)
	if len(src) == 0 {
		require.Zero(tb, n)
		return nil
	}
	require.NotZero(tb, n)
	out := make([]byte, len(src))
	require.NoError(tb, Decompress(out, dst[:n]))
	require.True(tb, bytes.Equal(src, out))
	return dst[:n]
}

func TestKnownForms(t *testing.T) {
	for _, c := range []struct{ plain, packed string }{
		{"a", "\x00a"},
		{"abc", "\x02abc"},
		{"aaaaaaaa", "\x00a\xa0\x00"},
		{strings.Repeat("a", 10), "\x00a\xe0\x00\x00"},
		{"abcabcabc", "\x02abc\x80\x02"},
		{strings.Repeat("x", 265), "\x00x\xe0\xff\x00"},
	} {
		out := make([]byte, len(c.plain))
		require.NoError(t, Decompress(out, []byte(c.packed)))
		require.Equal(t, c.plain, string(out))
		require.Equal(t, c.packed, string(roundTrip(t, []byte(c.plain))))
	}
}

func TestRoundTrips(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for size := range 400 {
		for _, letters := range []int{1, 2, 4, 256} {
			src := make([]byte, size)
			for i := range src {
				src[i] = byte(rnd.IntN(letters))
			}
			roundTrip(t, src)
		}
	}
	for range 200 {
		src := make([]byte, rnd.IntN(70_000))
		for i := range src {
			if i > 0 && rnd.IntN(20) > 0 {
				src[i] = src[rnd.IntN(i)/(1+rnd.IntN(50))]
			} else {
				src[i] = byte(rnd.Uint32())
			}
		}
		roundTrip(t, src)
	}
	var far []byte // matches at the very limit of distances
	for d := maxDistance - 4; d <= maxDistance+4; d++ {
		block := make([]byte, d)
		for i := range block {
			block[i] = byte(rnd.Uint32())
		}
		far = append(append(far[:0], block...), block[:300]...)
		roundTrip(t, far)
	}
}

func TestCompresses(t *testing.T) {
	var b []byte
	for i := range 500 {
		b = fmt.Appendf(b, "element:%06d", i)
	}
	require.Less(t, len(roundTrip(t, b)), len(b)/2)
}

func TestNoRoom(t *testing.T) {
	src := []byte(strings.Repeat("hello world, ", 40) + "the end")
	need := len(roundTrip(t, src))
	for n := range need {
		require.Zero(t, Compress(make([]byte, n), src), n)
	}
	out := make([]byte, need+1)
	require.Equal(t, need, Compress(out, src))
	for _, size := range []int{0, 1, len(src) - 1, len(src) + 1} {
		require.ErrorIs(t, Decompress(make([]byte, size), out[:need]), ErrCorrupt)
	}
	for n := range need {
		require.ErrorIs(t, Decompress(make([]byte, len(src)), out[:n]), ErrCorrupt)
	}
	require.ErrorIs(t, Decompress(make([]byte, 5), []byte("\x00a\x40\x01")), ErrCorrupt, "from before the start")
	require.ErrorIs(t, Decompress(make([]byte, 5), []byte("\x00a\x40")), ErrCorrupt)
	require.ErrorIs(t, Decompress(make([]byte, 5), []byte("\x00a\xe0")), ErrCorrupt)
}

func TestNoAllocations(t *testing.T) {
	src := bytes.Repeat([]byte("some words, "), 600)
	dst, out := make([]byte, len(src)), make([]byte, len(src))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		n := Compress(dst, src)
		if Decompress(out, dst[:n]) != nil {
			panic("corrupt")
		}
	}))
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("abcabcabc"))
	f.Add(bytes.Repeat([]byte("x"), 1000))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, src []byte) { roundTrip(t, src) })
}

func FuzzDecompress(f *testing.F) {
	f.Add([]byte("\x02abc\x80\x02"), 9)
	f.Add([]byte("\x00x\xe0\xff\x00"), 265)
	f.Fuzz(func(t *testing.T, src []byte, size int) {
		dst := make([]byte, min(max(size, 0), 1<<20)+8)
		guard := dst[len(dst)-8:]
		if Decompress(dst[:len(dst)-8], src) == nil {
			roundTrip(t, dst[:len(dst)-8])
		}
		require.Equal(t, make([]byte, 8), guard)
	})
}

func BenchmarkCompress(b *testing.B) {
	var src []byte
	for i := 0; len(src) < 8192; i++ {
		src = fmt.Appendf(src, "\x85hello%d\x06", i*7919%10000)
	}
	dst, out := make([]byte, len(src)), make([]byte, len(src))
	n := Compress(dst, src)
	b.Run("compress", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			Compress(dst, src)
		}
		b.ReportMetric(float64(len(src))/float64(n), "ratio")
	})
	b.Run("decompress", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			if Decompress(out, dst[:n]) != nil {
				b.Fatal()
			}
		}
	})
}
