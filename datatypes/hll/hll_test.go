package hll

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMurmur(t *testing.T) {
	// The published implementation, in its plainest form.
	reference := func(key []byte, seed uint64) uint64 {
		const m, r = uint64(0xc6a4a7935bd1e995), 47
		h := seed ^ (uint64(len(key)) * m)
		n := len(key) / 8 * 8
		for i := 0; i < n; i += 8 {
			k := uint64(0)
			for j := range 8 {
				k |= uint64(key[i+j]) << (8 * j)
			}
			k *= m
			k ^= k >> r
			k *= m
			h ^= k
			h *= m
		}
		for j := len(key) - n - 1; j >= 0; j-- {
			h ^= uint64(key[n+j]) << (8 * j)
		}
		if len(key) > n {
			h *= m
		}
		h ^= h >> r
		h *= m
		h ^= h >> r
		return h
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for n := range 40 {
		key := make([]byte, n)
		for i := range key {
			key[i] = byte(rnd.Uint32())
		}
		require.Equal(t, reference(key, seed), murmur64A(key, seed), "%d bytes", n)
	}
}

func TestPackedRegisters(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		w := rnd.Uint64() & (1<<48 - 1)
		spread := unpack(w)
		for i := range 8 {
			require.Equal(t, w>>(6*i)&63, spread>>(8*i)&0xff)
		}
		require.Equal(t, w, pack(spread))
		other := unpack(rnd.Uint64() & (1<<48 - 1))
		m := maxBytes(spread, other)
		for i := range 8 {
			require.Equal(t, max(spread>>(8*i)&0xff, other>>(8*i)&0xff), m>>(8*i)&0xff)
		}
	}
}

func TestDenseRegisters(t *testing.T) {
	b, err := ToDense(nil, AppendEmpty(nil))
	require.NoError(t, err)
	require.Len(t, b, DenseBytes)
	require.True(t, Valid(b))
	for i := range Registers {
		setDense(b, i, uint8(i%64))
	}
	for i := range Registers {
		require.Equal(t, uint8(i%64), getDense(b, i))
	}
	// The documented layout: register 1 has the two high bits of byte 0 below the four low ones of byte 1.
	b, _ = ToDense(nil, AppendEmpty(nil))
	setDense(b, 1, 0b101101)
	require.Equal(t, []byte{0b01000000, 0b1011, 0}, b[HeaderBytes:HeaderBytes+3])
}

// model is a HyperLogLog as plain registers.
type model struct{ regs [Registers]uint8 }

func (m *model) add(elem []byte) bool {
	i, rank := Locate(elem)
	if m.regs[i] >= rank {
		return false
	}
	m.regs[i] = rank
	return true
}

// requireModel compares all registers of b and its opcodes' sanity.
func requireModel(t *testing.T, m *model, b []byte) {
	t.Helper()
	require.True(t, Valid(b))
	if IsDense(b) {
		for i, rank := range m.regs {
			if getDense(b, i) != rank {
				require.Equal(t, rank, getDense(b, i), "register %d", i)
			}
		}
		return
	}
	require.NoError(t, eachRun(b, func(first, n int, rank uint8) {
		for i := first; i < first+n; i++ {
			if m.regs[i] != rank {
				require.Equal(t, m.regs[i], rank, "register %d", i)
			}
		}
	}))
}

func TestAddAgainstModel(t *testing.T) {
	for _, sparseMax := range []int{0, 18, 100, 3000, 16000} {
		t.Run(fmt.Sprint(sparseMax), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(3, uint64(sparseMax)))
			b, m := AppendEmpty(nil), &model{}
			for i := range 20_000 {
				elem := binary.LittleEndian.AppendUint64(nil, rnd.Uint64N(30_000))
				want := m.add(elem)
				out, changed, err := Add(b, elem, sparseMax)
				require.NoError(t, err)
				require.Equal(t, want, changed)
				b = out
				if changed {
					_, ok := Cached(b)
					require.False(t, ok)
				}
				if !IsDense(b) {
					require.LessOrEqual(t, len(b), max(sparseMax, 18))
				}
				if i%500 == 0 {
					requireModel(t, m, b)
					n, err := Count(b)
					require.NoError(t, err)
					u := &Union{regs: m.regs}
					require.Equal(t, u.Count(), n)
					SetCached(b, n)
					got, ok := Cached(b)
					require.True(t, ok)
					require.Equal(t, n, got)
				}
			}
			requireModel(t, m, b)
		})
	}
}

// The way in which a union is stored has to leave the same opcodes as raising one register after the other.
func TestStoreEqualsRaise(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for round := range 60 {
		var u Union
		dst := AppendEmpty(nil)
		for range rnd.IntN(900) {
			dst, _, _ = Add(dst, binary.LittleEndian.AppendUint64(nil, rnd.Uint64()), 3000)
		}
		require.NoError(t, u.Add(dst))
		for range rnd.IntN(4) {
			src := AppendEmpty(nil)
			for range rnd.IntN(700) {
				src, _, _ = Add(src, binary.LittleEndian.AppendUint64(nil, rnd.Uint64()), 3000)
			}
			require.NoError(t, u.Add(src))
		}
		want := slices.Clone(dst)
		if u.dense && !IsDense(want) {
			want, _ = ToDense(nil, want)
		}
		for i, rank := range u.regs {
			if rank > 0 {
				var err error
				want, _, err = Raise(want, i, rank, 3000)
				require.NoError(t, err)
			}
		}
		Outdate(want)
		got, err := u.Store(slices.Clone(dst), 3000)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), "round %d", round)
	}
}

// The same where registers are neighbours and ranks are few, so that opcodes join and split all the time.
func TestStoreOfNeighbours(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for round := range 2000 {
		var u Union
		dst := AppendEmpty(nil)
		base, width := rnd.IntN(Registers-100), 5+rnd.IntN(90)
		for range rnd.IntN(3 * width) {
			dst, _, _ = Raise(dst, base+rnd.IntN(width), uint8(1+rnd.IntN(3)), 3000)
		}
		require.NoError(t, u.Add(dst))
		for range rnd.IntN(3 * width) {
			i := base + rnd.IntN(width)
			u.regs[i] = max(u.regs[i], uint8(1+rnd.IntN(4)))
		}
		want := slices.Clone(dst)
		for i, rank := range u.regs {
			if rank > 0 {
				want, _, _ = Raise(want, i, rank, 3000)
			}
		}
		Outdate(want)
		got, err := u.Store(slices.Clone(dst), 3000)
		require.NoError(t, err)
		require.Equal(t, string(AppendOpcodes(nil, want)), string(AppendOpcodes(nil, got)), "round %d", round)
	}
}

func TestOpcodes(t *testing.T) {
	b := AppendEmpty(nil)
	require.Equal(t, "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x7f\xff", string(b))
	require.Equal(t, "Z:16384", string(AppendOpcodes(nil, b)))
	for _, r := range []struct {
		register int
		rank     uint8
		want     string
	}{
		{100, 3, "Z:100 v:3,1 Z:16283"},
		{101, 3, "Z:100 v:3,2 Z:16282"},
		{103, 3, "Z:100 v:3,2 z:1 v:3,1 Z:16280"},
		{102, 3, "Z:100 v:3,4 Z:16280"},
		{104, 3, "Z:100 v:3,4 v:3,1 Z:16279"},
		{102, 2, ""},
		{101, 32, "Z:100 v:3,1 v:32,1 v:3,3 Z:16279"},
		{0, 1, "v:1,1 Z:99 v:3,1 v:32,1 v:3,3 Z:16279"},
		{16383, 1, "v:1,1 Z:99 v:3,1 v:32,1 v:3,3 Z:16278 v:1,1"},
	} {
		out, changed, err := Raise(b, r.register, r.rank, 3000)
		require.NoError(t, err)
		require.Equal(t, r.want != "", changed)
		b = out
		if changed {
			require.Equal(t, r.want, string(AppendOpcodes(nil, b)))
		}
	}
	out, changed, err := Raise(slices.Clone(b), 7, 33, 3000)
	require.NoError(t, err)
	require.True(t, changed)
	require.True(t, IsDense(out), "33 is too large for an opcode")
	require.Equal(t, uint8(33), Register(out, 7))
}

func TestCorrupt(t *testing.T) {
	head := string(AppendEmpty(nil)[:HeaderBytes])
	for name, regs := range map[string]string{
		"nothing":             "",
		"too few":             "\x7f\xfe",
		"too many":            "\x7f\xff\x00",
		"values beyond":       "\x7f\xff\x80",
		"cut off":             "\x3f\x7f",
		"one beyond the last": "\x00\x7f\xff",
	} {
		t.Run(name, func(t *testing.T) {
			b := []byte(head + regs)
			require.True(t, Valid(b))
			_, err := Count(b)
			require.ErrorIs(t, err, ErrCorrupt)
			_, err = ToDense(nil, b)
			require.ErrorIs(t, err, ErrCorrupt)
			require.ErrorIs(t, new(Union).Add(b), ErrCorrupt)
			AppendOpcodes(nil, b)
		})
	}
	for name, b := range map[string]string{
		"empty":        "",
		"short":        head[:15],
		"magic":        "HYLX" + head[4:] + "\x7f\xff",
		"encoding":     "HYLL\x02" + head[5:] + "\x7f\xff",
		"dense, short": "HYLL\x00" + head[5:] + "\x7f\xff",
	} {
		require.False(t, Valid([]byte(b)), name)
	}
}

func TestSelfTest(t *testing.T) {
	require.NoError(t, SelfTest(rand.New(rand.NewPCG(1, 2)).Uint64))
}

// FuzzHostile feeds bytes that nobody wrote to everything. Whatever is accepted must stay acceptable.
func FuzzHostile(f *testing.F) {
	f.Add([]byte("\x7f\xff"), uint16(0), byte(1))
	f.Add([]byte("\x00\x80\x7f\xfd"), uint16(1), byte(9))
	f.Add([]byte(strings.Repeat("\x9f", 40)), uint16(77), byte(40))
	f.Add([]byte("\x7f"), uint16(16383), byte(63))
	f.Fuzz(func(t *testing.T, regs []byte, register uint16, rank byte) {
		b := append(AppendEmpty(nil)[:HeaderBytes], regs...)
		i, r := int(register%Registers), rank%63+1
		AppendOpcodes(nil, b)
		n, countErr := Count(b)
		var u Union
		unionErr := u.Add(b)
		d, denseErr := ToDense(nil, b)
		require.Equal(t, countErr, unionErr)
		require.Equal(t, countErr, denseErr)
		if countErr == nil {
			require.Equal(t, n, u.Count())
			m, err := Count(d)
			require.NoError(t, err)
			require.Equal(t, n, m)
		}
		out, changed, err := Raise(slices.Clone(b), i, r, 3000)
		if err != nil {
			require.False(t, changed)
			require.Equal(t, b, out)
			return
		}
		require.True(t, Valid(out))
		if countErr == nil {
			want := u
			want.regs[i] = max(want.regs[i], r)
			var got Union
			require.NoError(t, got.Add(out))
			require.Equal(t, want.regs, got.regs)
			stored, err := want.Store(slices.Clone(b), 3000)
			require.NoError(t, err)
			var again Union
			require.NoError(t, again.Add(stored))
			require.Equal(t, want.regs, again.regs)
		}
	})
}

func BenchmarkHLL(b *testing.B) {
	elems := make([][]byte, 1<<14)
	for i := range elems {
		elems[i] = fmt.Appendf(nil, "element:%d", i)
	}
	fill := func(n, sparseMax int) []byte {
		v := AppendEmpty(nil)
		for i := range n {
			v, _, _ = Add(v, elems[i], sparseMax)
		}
		return v
	}
	dense, sparse := fill(1<<14, 0), fill(500, 3000)
	b.Run("add dense", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			dense, _, _ = Add(dense, elems[i%len(elems)], 3000)
		}
	})
	b.Run("add sparse", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			_, _, _ = Add(sparse, elems[i%500], 3000)
		}
	})
	b.Run("count dense", func(b *testing.B) {
		for b.Loop() {
			_, _ = Count(dense)
		}
	})
	b.Run("count sparse", func(b *testing.B) {
		for b.Loop() {
			_, _ = Count(sparse)
		}
	})
	b.Run("union dense", func(b *testing.B) {
		var u Union
		for b.Loop() {
			_ = u.Add(dense)
		}
	})
	b.Run("store dense", func(b *testing.B) {
		var u Union
		_ = u.Add(dense)
		for b.Loop() {
			_, _ = u.Store(dense, 3000)
		}
	})
}
