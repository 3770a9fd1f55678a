package intset

import (
	"encoding/hex"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func steps(n int) int {
	if s, err := strconv.Atoi(os.Getenv("TROUPE_STEPS")); err == nil {
		return s
	}
	if testing.Short() {
		return n / 10
	}
	return n
}

func build(members ...int64) []byte {
	set := New()
	for _, v := range members {
		set, _ = Add(set, v)
	}
	return set
}

func members(set []byte) []int64 {
	out := []int64{}
	for i := range Len(set) {
		out = append(out, Get(set, i))
	}
	return out
}

// TestBytes compares with what Redis 7.0.15 wrote in dump payloads.
func TestBytes(t *testing.T) {
	for _, c := range []struct {
		members []int64
		want    string
	}{
		{[]int64{1}, "02000000010000000100"},
		{[]int64{1, -32768, 32767}, "020000000300000000800100ff7f"},
		{[]int64{1, 32768}, "04000000020000000100000000800000"},
		{[]int64{1, -32769}, "0400000002000000ff7fffff01000000"},
		{[]int64{5, 2147483647}, "040000000200000005000000ffffff7f"},
		{[]int64{5, 2147483648, -7}, "0800000003000000f9ffffffffffffff05000000000000000000008000000000"},
		{[]int64{1, math.MinInt64, math.MaxInt64}, "080000000300000000000000000000800100000000000000ffffffffffffff7f"},
	} {
		set := build(c.members...)
		require.Equal(t, c.want, hex.EncodeToString(set))
		require.NoError(t, Validate(set, true))
	}
}

func TestModel(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for round := range 3 {
		set, model := New(), []int64{}
		for range steps(6000) {
			v := int64(r.IntN(300) - 100)
			switch { // rounds keep to narrow numbers, or meet wider ones at some time
			case round == 1 && r.IntN(500) == 0:
				v <<= 20
			case round == 2 && r.IntN(200) == 0:
				v = int64(r.Uint64()) >> r.IntN(64)
			}
			at, had := slices.BinarySearch(model, v)
			pos, ok := Find(set, v)
			require.Equal(t, had, ok)
			require.Equal(t, at, pos)
			require.Equal(t, had, Contains(set, v))
			if r.IntN(5) < 3 {
				before, most := len(set), MaxGrow(set, v)
				var added bool
				set, added = Add(set, v)
				require.Equal(t, !had, added)
				require.LessOrEqual(t, len(set)-before, most)
				if !had {
					model = slices.Insert(model, at, v)
				}
			} else {
				var removed bool
				set, removed = Remove(set, v)
				require.Equal(t, had, removed)
				if had {
					model = slices.Delete(model, at, at+1)
				}
			}
			if len(model) > 0 && r.IntN(50) == 0 {
				at := r.IntN(len(model))
				n := r.IntN(len(model) - at)
				set, model = RemoveAt(set, at, n), slices.Delete(model, at, at+n)
			}
			require.Equal(t, len(model), Len(set))
			require.NoError(t, Validate(set, true))
		}
		require.Equal(t, model, members(set))
	}
}

func TestInPlace(t *testing.T) {
	base := make([]byte, 0, 1024)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		set := AppendEmpty(base)
		for i := range int64(20) {
			set, _ = Add(set, i*i*i*i*i-1000)
		}
		set, _ = Remove(set, -1000)
		if Len(set) != 19 || &set[0] != &base[:1][0] {
			panic("moved")
		}
	}))
}

func TestValidateRefuses(t *testing.T) {
	for name, s := range map[string]string{
		"empty slice":    "",
		"header cut":     "02000000010000",
		"width":          "03000000010000000100ff",
		"wide width":     "02010000010000000100",
		"too short":      "02000000020000000100",
		"too long":       "0200000001000000010000",
		"same":           "02000000020000000100" + "0100",
		"descending":     "02000000020000000100" + "ffff",
		"count overflow": "08000000ffffffff",
	} {
		b, err := hex.DecodeString(s)
		require.NoError(t, err)
		require.ErrorIs(t, Validate(b, true), ErrCorrupt, name)
	}
	require.NoError(t, Validate(New(), true))
}

func FuzzValidate(f *testing.F) {
	f.Add(build(), int64(1))
	f.Add(build(1, 2, 3), int64(70000))
	f.Add(build(1, 70000, -5), int64(math.MinInt64))
	f.Add(build(math.MaxInt64, math.MinInt64), int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, b []byte, v int64) {
		if Validate(b, true) != nil {
			return
		}
		had := members(b)
		at, ok := slices.BinarySearch(had, v)
		set, added := Add(slices.Clone(b), v)
		require.Equal(t, !ok, added)
		require.NoError(t, Validate(set, true))
		want := slices.Clone(had)
		if !ok {
			want = slices.Insert(want, at, v)
		}
		require.Equal(t, want, members(set))
		set, removed := Remove(set, v)
		require.True(t, removed)
		require.NoError(t, Validate(set, true))
	})
}

func BenchmarkFind(b *testing.B) {
	set := New()
	for i := range int64(512) {
		set, _ = Add(set, i*3)
	}
	b.ResetTimer()
	for i := range b.N {
		Contains(set, int64(i&511)*3)
	}
}

func BenchmarkAddRemove(b *testing.B) {
	set := New()
	for i := range int64(512) {
		set, _ = Add(set, i*3)
	}
	b.ResetTimer()
	for i := range b.N {
		set, _ = Add(set, int64(i&511)*3+1)
		set, _ = Remove(set, int64(i&511)*3+1)
	}
}
