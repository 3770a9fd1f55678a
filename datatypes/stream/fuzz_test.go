package stream

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// bytesSource is a source of random numbers that gives the bytes of a fuzz input.
type bytesSource struct {
	b []byte
	n uint64
}

// Uint64 takes three bytes of the input, so that this need not be long, and mixes in how many there were: rand asks again as
// long as it gets a number that it cannot use.
func (s *bytesSource) Uint64() uint64 {
	var x [8]byte
	s.b = s.b[copy(x[:3], s.b):]
	s.n++
	return (binary.LittleEndian.Uint64(x[:]) + s.n>>8 + 1) * 0x9e3779b97f4a7c15
}

// FuzzModel compares a stream with the model through changes that the input chooses.
func FuzzModel(f *testing.F) {
	for seed := range uint64(4) {
		b := make([]byte, 3000)
		r := rand.New(rand.NewPCG(seed, 1))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		smallNodes(t, 4)
		a := arena.New()
		defer a.Release()
		src := &bytesSource{b: b}
		d := newDriver(t, New(a), rand.New(src))
		var v *View
		var still *model
		for n := 0; len(src.b) > 0 && n < 2000; n++ {
			d.step()
			if n%50 != 49 {
				continue
			}
			if v == nil {
				v, still = d.s.Freeze(), d.m.clone()
			} else {
				still.same(t, v.Stream())
				v.End()
				v = nil
			}
		}
		d.m.same(t, d.s)
		if v != nil {
			still.same(t, v.Stream())
			v.End()
		}
		d.s.Free()
		require.Zero(t, a.Used()+a.Charged())
	})
}

// FuzzBlock: whatever passes ValidateBlock can be read and changed.
func FuzzBlock(f *testing.F) {
	file, err := os.Open(redisFile)
	require.NoError(f, err)
	defer file.Close()
	for dec := json.NewDecoder(file); ; {
		var rec recorded
		if dec.Decode(&rec) == io.EOF {
			break
		}
		b, err := hex.DecodeString(rec.Dump)
		require.NoError(f, err)
		d, err := parseDump(b)
		require.NoError(f, err)
		for i, lp := range d.blocks {
			f.Add(d.firsts[i].Ms, d.firsts[i].Seq, lp)
		}
	}
	f.Fuzz(func(t *testing.T, ms, seq uint64, lp []byte) {
		s := newStream(t)
		first := ID{ms, seq}
		if s.LoadBlock(first, lp) != nil {
			require.Zero(t, s.Len())
			return
		}
		require.NoError(t, s.check())
		var ids []ID
		for it := s.Range(ID{}, MaxID); it.Next(); {
			ids = append(ids, it.ID())
			for range it.Pairs() {
				it.Pair()
			}
		}
		require.Len(t, ids, s.Len())
		n := len(ids)
		for it := s.RangeReverse(ID{}, MaxID); it.Next(); {
			n--
			require.Equal(t, ids[n], it.ID())
		}
		require.Zero(t, n)
		if id, ok := s.LastID().Next(); ok {
			require.NoError(t, s.Append(id, args("a", "b"), Limits{}))
		}
		for i, id := range ids {
			require.True(t, s.Has(id))
			if i%2 == 0 {
				require.True(t, s.Delete(id))
				require.False(t, s.Delete(id))
			}
		}
		require.NoError(t, s.check())
		s.Trim(TrimOptions{MaxLen: int64(s.Len() / 2)})
		require.NoError(t, s.check())
	})
}

// FuzzParseID: a text that is an ID has the ID's text back.
func FuzzParseID(f *testing.F) {
	for _, s := range []string{"1-1", "5", "-", "+", "5--06", " 7- 8", "18446744073709551615-1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		id, ok := ParseID(b, 3)
		if !ok {
			return
		}
		back, ok := ParseStrictID(id.Append(nil), 0)
		require.True(t, ok)
		require.Equal(t, id, back)
	})
}
