package listpack

import (
	"bytes"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func steps(t testing.TB, n int) int {
	if s, err := strconv.Atoi(os.Getenv("TROUPE_STEPS")); err == nil {
		return s
	}
	if testing.Short() {
		return n / 10
	}
	return n
}

// randomElem returns texts of all encodings, often the same ones.
func randomElem(r *rand.Rand) string {
	switch r.IntN(8) {
	case 0:
		return strconv.Itoa(r.IntN(200) - 50)
	case 1:
		return strconv.FormatInt(int64(r.Uint64())>>r.IntN(64), 10)
	case 2:
		return strings.Repeat("y", 60+r.IntN(70))
	case 3:
		if r.IntN(8) == 0 {
			return strings.Repeat("z", 4080+r.IntN(30))
		}
		return "0" + strconv.Itoa(r.IntN(9))
	}
	return strings.Repeat(string(rune('a'+r.IntN(4))), r.IntN(4))
}

func texts(lp []byte) []string {
	out := []string{}
	for off := First(lp); off >= 0; off = Next(lp, off) {
		out = append(out, string(Text(lp, off, nil)))
	}
	return out
}

// TestModel runs random operations on a listpack and on a slice of strings.
func TestModel(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	lp, model := New(), []string{}
	for step := range steps(t, 40_000) {
		elem := randomElem(r)
		at, off := -1, -1
		if len(model) > 0 {
			at = r.IntN(len(model))
			off = Seek(lp, at)
			require.Equal(t, off, Seek(lp, at-len(model)))
			require.Equal(t, model[at], string(Text(lp, off, nil)))
			require.Equal(t, len(model[at]), TextLen(lp, off))
			require.Equal(t, model[at], string(AppendText(nil, lp, off)))
			require.Equal(t, model[at] == elem, Equal(lp, off, []byte(elem)))
			require.Equal(t, strings.Compare(model[at], elem), Compare(lp, off, []byte(elem)))
		}
		number, isInt := int64(0), false
		if n, err := strconv.ParseInt(elem, 10, 64); err == nil && strconv.FormatInt(n, 10) == elem {
			number, isInt = n, r.IntN(2) == 0
		}
		op := r.IntN(11)
		if len(model) > 60 {
			op = 7 + r.IntN(4)
		}
		switch {
		case op == 0 && isInt:
			lp, model = AppendInt(lp, number), append(model, elem)
		case op == 0:
			lp, model = Append(lp, []byte(elem)), append(model, elem)
		case op == 1 && isInt:
			lp, model = PrependInt(lp, number), slices.Insert(model, 0, elem)
		case op == 1:
			lp, model = Prepend(lp, []byte(elem)), slices.Insert(model, 0, elem)
		case at < 0:
		case op <= 3:
			if isInt {
				lp = InsertIntBefore(lp, off, number)
			} else {
				lp = InsertBefore(lp, off, []byte(elem))
			}
			model = slices.Insert(model, at, elem)
			require.Equal(t, elem, string(Text(lp, off, nil)))
		case op <= 5:
			if isInt {
				lp = InsertIntAfter(lp, off, number)
			} else {
				lp = InsertAfter(lp, off, []byte(elem))
			}
			model = slices.Insert(model, at+1, elem)
		case op <= 7:
			if isInt {
				lp = ReplaceInt(lp, off, number)
			} else {
				lp = Replace(lp, off, []byte(elem))
			}
			model[at] = elem
		case op == 8:
			lp, model = Delete(lp, off), slices.Delete(model, at, at+1)
		case op == 9:
			n := r.IntN(6)
			lp, model = DeleteRange(lp, off, n), slices.Delete(model, at, min(at+n, len(model)))
		case op == 10 && r.IntN(4) == 0:
			count := at
			if r.IntN(2) == 0 {
				count = -1
			}
			head := Truncate(slices.Clone(lp), off, count)
			require.NoError(t, Validate(head, true))
			if count >= 0 {
				count = len(model) - at
			}
			lp = Extend(head, slices.Clone(lp), off, len(lp)-1, count)
		}
		require.NoError(t, Validate(lp, true), "step %d", step)
		require.Equal(t, len(lp), Bytes(lp))
		require.Equal(t, len(model), Len(lp))
		require.Equal(t, len(model) == 0, Empty(lp))
		if step%16 == 0 {
			checkAgainst(t, r, lp, model)
		}
	}
}

func checkAgainst(t *testing.T, r *rand.Rand, lp []byte, model []string) {
	t.Helper()
	require.Equal(t, model, texts(lp))
	back := []string{}
	for off := Last(lp); off >= 0; off = Prev(lp, off) {
		back = append(back, string(Text(lp, off, nil)))
	}
	slices.Reverse(back)
	require.Equal(t, model, back)
	require.Equal(t, -1, Seek(lp, len(model)))
	require.Equal(t, -1, Seek(lp, -len(model)-1))
	for range 4 {
		elem, skip := randomElem(r), r.IntN(3)
		if len(model) > 0 && r.IntN(2) == 0 {
			elem = model[r.IntN(len(model))]
		}
		want := -1
		for i := 0; i < len(model) && want < 0; i += skip + 1 {
			if model[i] == elem {
				want = Seek(lp, i)
			}
		}
		require.Equal(t, want, Find(lp, First(lp), []byte(elem), skip))
	}
}

func TestEmpty(t *testing.T) {
	lp := New()
	require.Len(t, lp, MinBytes)
	require.Equal(t, []byte{7, 0, 0, 0, 0, 0, 255}, lp)
	require.NoError(t, Validate(lp, true))
	for _, off := range []int{First(lp), Last(lp), Seek(lp, 0), Seek(lp, -1), Find(lp, First(lp), []byte("a"), 0), Find(lp, 6, []byte("1"), 1)} {
		require.Equal(t, -1, off)
	}
	require.Equal(t, lp, DeleteRange(slices.Clone(lp), len(lp)-1, 3))
	require.Equal(t, Append(New(), []byte("a")), InsertBefore(New(), MinBytes-1, []byte("a")))
}

// TestManyElements crosses the number that the header can hold.
func TestManyElements(t *testing.T) {
	lp := New()
	for i := range 65534 {
		lp = AppendInt(lp, int64(i%100))
	}
	require.Equal(t, []byte{0xFE, 0xFF}, lp[4:6])
	require.Equal(t, 65534, Len(lp))
	lp = AppendInt(lp, 5)
	require.Equal(t, []byte{0xFF, 0xFF}, lp[4:6])
	require.Equal(t, 65535, Len(lp))
	lp = Append(lp, []byte("last"))
	require.Equal(t, 65536, Len(lp))
	require.NoError(t, Validate(lp, true))
	require.Equal(t, Last(lp), Seek(lp, 65535))
	require.Equal(t, First(lp), Seek(lp, -65536))
	require.Equal(t, -1, Seek(lp, 65536))
	require.Equal(t, -1, Seek(lp, -65537))
	lp = DeleteRange(lp, First(lp), 65000)
	require.Equal(t, []byte{0xFF, 0xFF}, lp[4:6]) // not counted again, as in Redis
	require.Equal(t, 536, Len(lp))
	lp = Truncate(lp, Seek(lp, 100), 100)
	require.Equal(t, []byte{100, 0}, lp[4:6])
	require.NoError(t, Validate(lp, true))
}

// TestInPlace: with enough capacity the slice stays where it is and nothing is allocated.
func TestInPlace(t *testing.T) {
	base := make([]byte, 0, 4096)
	name, number, other := []byte("some field name"), []byte("123456"), []byte("another value, longer than the first")
	var scratch [20]byte
	require.Zero(t, testing.AllocsPerRun(100, func() {
		lp := AppendEmpty(base)
		lp = Append(lp, name)
		lp = Append(lp, number)
		lp = Prepend(lp, other)
		off := Find(lp, First(lp), number, 0)
		lp = Replace(lp, off, name)
		lp = InsertAfter(lp, off, number)
		lp = Replace(lp, First(lp), number)
		if n, ok := Int(lp, First(lp)); !ok || n != 123456 {
			panic("not the number")
		}
		if !bytes.Equal(Text(lp, First(lp), scratch[:]), number) {
			panic("not the text")
		}
		lp = DeleteRange(lp, First(lp), 2)
		if Len(lp) != 2 || &lp[0] != &base[:1][0] {
			panic("moved")
		}
	}))
}

func TestReadWalks(t *testing.T) {
	lp := Append(Append(AppendInt(New(), -7), []byte("x")), nil)
	s, n, isInt, next := Read(lp, First(lp))
	require.True(t, isInt)
	require.Equal(t, int64(-7), n)
	require.Nil(t, s)
	s, _, isInt, next = Read(lp, next)
	require.False(t, isInt)
	require.Equal(t, "x", string(s))
	require.Equal(t, len(s), cap(s)) // appending to it must not write into the listpack
	_, _, _, next = Read(lp, next)
	require.Equal(t, -1, next)
	require.True(t, CanGrow(lp, 100))
	require.False(t, CanGrow(lp, MaxBytes))
	_, ok := Int(lp, Last(lp))
	require.False(t, ok)
}

// FuzzValidate runs every function on whatever Validate lets through.
func FuzzValidate(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 12 {
		lp := New()
		for range n {
			lp = Append(lp, []byte(randomElem(r)))
		}
		f.Add(lp, n, "a")
	}
	f.Add([]byte{22, 0, 0, 0, 255, 255, 0xe0, 1, 'a', 3, 0xf1, 5, 0, 3, 0xc0, 5, 2, 0x82, '1', '2', 3, 255}, 2, "12")
	f.Add([]byte{12, 0, 0, 0, 1, 0, 0xf0, 255, 255, 255, 255, 255}, 0, "")
	f.Fuzz(func(t *testing.T, b []byte, at int, elem string) {
		if Validate(b, true) != nil {
			return
		}
		all := texts(b)
		require.Equal(t, len(all), Len(b))
		if len(all) == 0 {
			return
		}
		at = int(uint(at) % uint(len(all)))
		off := Seek(b, at)
		require.Equal(t, off, Seek(b, at-len(all)))
		require.Equal(t, all[at], string(Text(b, off, nil)))
		for skip := range 3 {
			want := -1
			for i := at; i < len(all) && want < 0; i += skip + 1 {
				if all[i] == elem {
					want = i
				}
			}
			if want >= 0 {
				want = Seek(b, want)
			}
			require.Equal(t, want, Find(b, off, []byte(elem), skip))
		}
		for _, edit := range []struct {
			got  []byte
			want []string
		}{
			{Append(slices.Clone(b), []byte(elem)), append(slices.Clone(all), elem)},
			{Prepend(slices.Clone(b), []byte(elem)), slices.Insert(slices.Clone(all), 0, elem)},
			{InsertBefore(slices.Clone(b), off, []byte(elem)), slices.Insert(slices.Clone(all), at, elem)},
			{InsertAfter(slices.Clone(b), off, []byte(elem)), slices.Insert(slices.Clone(all), at+1, elem)},
			{Replace(slices.Clone(b), off, []byte(elem)), slices.Replace(slices.Clone(all), at, at+1, elem)},
			{Delete(slices.Clone(b), off), slices.Delete(slices.Clone(all), at, at+1)},
			{Truncate(slices.Clone(b), off, at), slices.Clone(all[:at])},
			{Extend(slices.Clone(b), b, off, len(b)-1, -1), append(slices.Clone(all), all[at:]...)},
		} {
			require.NoError(t, Validate(edit.got, true))
			require.Equal(t, edit.want, texts(edit.got))
		}
	})
}

func benchPack(n int) []byte {
	lp := New()
	for i := range n {
		lp = Append(lp, []byte("field:"+strconv.Itoa(i)))
		lp = Append(lp, []byte("value of field "+strconv.Itoa(i)))
	}
	return lp
}

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{8, 128} {
		lp := benchPack(n)
		key := []byte("field:" + strconv.Itoa(n-1))
		b.Run("fields="+strconv.Itoa(n), func(b *testing.B) {
			for range b.N {
				if Find(lp, First(lp), key, 1) < 0 {
					b.Fatal("lost")
				}
			}
		})
	}
	lp := New()
	for i := range 128 {
		lp = AppendInt(lp, int64(i*1000))
	}
	b.Run("ints=128", func(b *testing.B) {
		for range b.N {
			if Find(lp, First(lp), []byte("127000"), 0) < 0 {
				b.Fatal("lost")
			}
		}
	})
}

func BenchmarkNext(b *testing.B) {
	lp := benchPack(64)
	b.ResetTimer()
	for range b.N {
		for off := First(lp); off >= 0; off = Next(lp, off) {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/128, "ns/elem")
}

func BenchmarkAppend(b *testing.B) {
	buf := make([]byte, 0, 8192)
	elem := []byte("value of field")
	lp := AppendEmpty(buf)
	for range b.N {
		if len(lp) > 8000 {
			lp = AppendEmpty(buf)
		}
		lp = Append(lp, elem)
	}
}

func BenchmarkReplaceInt(b *testing.B) {
	lp := AppendInt(benchPack(8), 100_000)
	off := Last(lp)
	for i := range b.N {
		lp = ReplaceInt(lp, off, int64(100_000+i&0xFFFF))
	}
}

func BenchmarkReplaceMiddle(b *testing.B) {
	lp := benchPack(64)
	off := Seek(lp, 65)
	elems := [2][]byte{[]byte("short"), []byte("a somewhat longer value")}
	for i := range b.N {
		lp = Replace(lp, off, elems[i&1])
	}
}

func BenchmarkValidate(b *testing.B) {
	lp := benchPack(64)
	for range b.N {
		if Validate(lp, true) != nil {
			b.Fatal("invalid")
		}
	}
}
