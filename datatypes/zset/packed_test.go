package zset

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/listpack"
)

// TestPackedBytes: the listpack inside a DUMP payload of Redis 7.4.1 (key zset:small of the reference data).
func TestPackedBytes(t *testing.T) {
	want, err := hex.DecodeString("3c0000000c00836d696e04842d696e6605816102010181620283322e350481630203018468756765058631652b33303007836d61780483696e6604ff")
	require.NoError(t, err)
	lp := listpack.New()
	for _, p := range []modelPair{{"max", math.Inf(1)}, {"a", 1}, {"huge", 1e300}, {"c", 3}, {"b", 2.5}, {"min", math.Inf(-1)}} {
		var added bool
		lp, added, _ = PackedSet(lp, []byte(p.member), p.score)
		require.True(t, added)
	}
	require.Equal(t, want, lp)
	require.NoError(t, ValidatePacked(lp))
	z := FromPacked(newArena(t), lp)
	require.Equal(t, want, z.AppendPacked(nil))
	require.Equal(t, append([]byte("x"), want...), z.AppendPacked([]byte("x")))
}

// TestPackedScores: which scores are integers, and how others are written, as DUMP of Redis shows it.
func TestPackedScores(t *testing.T) {
	for _, c := range []struct {
		score float64
		text  string
		isInt bool
	}{
		{0, "0", true}, {math.Copysign(0, -1), "0", true}, {-17, "-17", true}, {1e17, "100000000000000000", true},
		{1 << 62, "4611686018427387904", true}, {-(1 << 62), "-4611686018427387904", true},
		{-(1 << 62) * 1.5, "-6917529027641082000", true}, // a text that the listpack takes for an integer
		{1e19, "1e+19", false}, {1e300, "1e+300", false},
		{0.1, "0.1", false}, {-2.5, "-2.5", false}, {1e-7, "1e-7", false}, {math.MaxFloat64, "1.7976931348623157e+308", false},
	} {
		lp, _, _ := PackedSet(listpack.New(), []byte("m"), c.score)
		off := listpack.Seek(lp, 1)
		_, _, isInt := listpack.Get(lp, off)
		require.Equal(t, c.text, string(listpack.Text(lp, off, nil)))
		require.Equal(t, c.isInt, isInt)
		got, ok := PackedGet(lp, []byte("m"))
		require.True(t, ok)
		require.Equal(t, c.score+0, got+0)
	}
}

func TestPackedModel(t *testing.T) {
	for _, w := range workloads {
		t.Run(w.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(19, 20))
			lp, m := listpack.New(), newModel()
			for range steps(20_000) {
				member := memberName(r.IntN(60))
				if r.IntN(4) == 0 {
					member = member[len(member)/2:] // integers too
				}
				score := w.score(r)
				room := len(lp) + PackedRoom([]byte(member))
				switch op := r.IntN(100); {
				case op < 40:
					var added, changed bool
					lp, added, changed = PackedSet(lp, []byte(member), score)
					wantAdded, wantChanged := m.set(member, score)
					require.Equal(t, [2]bool{wantAdded, wantChanged}, [2]bool{added, changed})
				case op < 60:
					var ok bool
					var got float64
					want := m.scores[member]
					lp, got, ok = PackedRemove(lp, []byte(member))
					require.Equal(t, m.remove(member), ok)
					require.Equal(t, want, got)
				case op < 70:
					want, ok := m.scores[member]
					rank, got, gotOK := PackedRank(lp, []byte(member), false)
					require.Equal(t, ok, gotOK)
					if ok {
						require.Equal(t, want, got)
						require.Equal(t, m.place(member, want), rank)
						back, _, _ := PackedRank(lp, []byte(member), true)
						require.Equal(t, len(m.pairs)-1-rank, back)
					}
				case op < 80:
					sr := ScoreRange{Min: score, Max: w.score(r), MinOpen: r.IntN(2) == 0, MaxOpen: r.IntN(2) == 0}
					wantLo, wantHi := m.scoreSpan(sr)
					lo, hi := PackedScoreSpan(lp, sr)
					requireSpan(t, wantLo, wantHi, lo, hi)
				case op < 82:
					if n := len(m.pairs); n > 0 {
						lo := r.IntN(n)
						hi := min(n, lo+r.IntN(5))
						lp = PackedRemoveRange(lp, lo, hi)
						m.removeRange(lo, hi)
					}
				default:
					if n := len(m.pairs); n > 0 {
						lo := r.IntN(n)
						hi := min(n, lo+r.IntN(50))
						i := hi
						for it := PackedRange(lp, lo, hi, true); it.Next(); {
							i--
							require.Equal(t, m.pairs[i], modelPair{string(it.Member()), it.Score()})
						}
						require.Equal(t, lo, i)
					}
				}
				require.LessOrEqual(t, len(lp), room)
			}
			require.NoError(t, ValidatePacked(lp))
			requireEqual(t, m, Packed(lp))
			z := FromPacked(newArena(t), lp)
			z.check()
			requireEqual(t, m, z.Reader())
		})
	}
}

// TestPackedLexSpanMixed: with different scores a range by member is what Redis finds walking from one end.
func TestPackedLexSpanMixed(t *testing.T) {
	lp := listpack.New()
	for i, m := range []string{"a", "d", "b", "e", "c", "z"} {
		lp, _, _ = PackedSet(lp, []byte(m), float64(i))
	}
	span := func(min, max string, reverse bool) [2]int {
		lo, hi := PackedLexSpan(lp, LexRange{LexBound{Value: []byte(min)}, LexBound{Value: []byte(max)}}, reverse)
		return [2]int{lo, hi}
	}
	require.Equal(t, [2]int{1, 3}, span("b", "d", false))
	require.Equal(t, [2]int{3, 5}, span("c", "d", true))
	require.Equal(t, [2]int{0, 1}, span("a", "c", false))
}

func TestReaderOfNothing(t *testing.T) {
	for _, r := range []Reader{{}, Packed(listpack.New()), New(newArena(t)).Reader()} {
		require.Zero(t, r.Len())
		_, ok := r.Get([]byte("x"))
		require.False(t, ok)
		_, _, ok = r.Rank([]byte("x"), true)
		require.False(t, ok)
		lo, hi := r.ScoreSpan(ScoreRange{Min: math.Inf(-1), Max: math.Inf(1)})
		require.Equal(t, lo, hi)
		lo, hi = r.LexSpan(LexRange{LexBound{Inf: -1}, LexBound{Inf: 1}}, true)
		require.Equal(t, lo, hi)
		it := r.Range(0, 10, false)
		require.False(t, it.Next())
	}
}

func TestValidatePacked(t *testing.T) {
	list := func(elems ...string) []byte {
		lp := listpack.New()
		for _, e := range elems {
			lp = listpack.Append(lp, []byte(e))
		}
		return lp
	}
	require.NoError(t, ValidatePacked(list()))
	require.NoError(t, ValidatePacked(list("a", "1", "b", "1", "a1", "2.5", "x", "inf")))
	require.ErrorIs(t, ValidatePacked(list("a")), errPairs)
	require.ErrorIs(t, ValidatePacked(list("a", "x")), errScore)
	require.ErrorIs(t, ValidatePacked(list("a", "nan")), errScore)
	require.ErrorIs(t, ValidatePacked(list("a", "2", "b", "1")), errOrder)
	require.ErrorIs(t, ValidatePacked(list("b", "1", "a", "1")), errOrder)
	require.ErrorIs(t, ValidatePacked(list("a", "1", "a", "2")), errDouble)
	require.Error(t, ValidatePacked([]byte("garbage")))
}

// FuzzSet plays operations that the input encodes on both forms of a set and a model.
func FuzzSet(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09"))
	f.Add(bytes.Repeat([]byte("\x00\x11\x22\x81\x13\x05\x42\x00\x07"), 40))
	f.Fuzz(func(t *testing.T, ops []byte) {
		a := newArena(t)
		z, m, lp := New(a), newModel(), listpack.New()
		for len(ops) >= 3 {
			op, x, y := ops[0], ops[1], ops[2]
			ops = ops[3:]
			member := memberName(int(x))
			score := float64(int8(y)) / 4
			switch op % 8 {
			case 0, 1, 2, 3:
				added, changed := z.Set([]byte(member), score)
				wantAdded, wantChanged := m.set(member, score)
				require.Equal(t, [2]bool{wantAdded, wantChanged}, [2]bool{added, changed})
				lp, added, changed = PackedSet(lp, []byte(member), score)
				require.Equal(t, [2]bool{wantAdded, wantChanged}, [2]bool{added, changed})
			case 4, 5:
				want := m.remove(member)
				_, ok := z.Remove([]byte(member))
				require.Equal(t, want, ok)
				lp, _, ok = PackedRemove(lp, []byte(member))
				require.Equal(t, want, ok)
			case 6:
				sr := ScoreRange{Min: score, Max: score + float64(x), MinOpen: op&8 != 0, MaxOpen: op&16 != 0}
				lo, hi := m.scoreSpan(sr)
				zlo, zhi := z.ScoreSpan(sr)
				requireSpan(t, lo, hi, zlo, zhi)
				zlo, zhi = PackedScoreSpan(lp, sr)
				requireSpan(t, lo, hi, zlo, zhi)
				if op&32 != 0 {
					z.RemoveRange(lo, hi)
					lp = PackedRemoveRange(lp, lo, hi)
					m.removeRange(lo, hi)
				}
			case 7:
				fresh := z.Clone(a)
				z.Free()
				z = fresh
			}
		}
		z.check()
		require.NoError(t, ValidatePacked(lp))
		requireEqual(t, m, z.Reader())
		requireEqual(t, m, Packed(lp))
		z.Free()
		require.Zero(t, a.Used())
	})
}

// FuzzPacked: what ValidatePacked accepts can be read and changed, and its forms agree.
func FuzzPacked(f *testing.F) {
	lp := listpack.New()
	for i, member := range []string{"a", "12", "x", "-3", ""} {
		lp, _, _ = PackedSet(lp, []byte(member), float64(i)/3)
		f.Add(bytes.Clone(lp))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if ValidatePacked(b) != nil {
			return
		}
		a := arena.New()
		defer a.Release()
		z := FromPacked(a, b)
		z.check()
		n := PackedLen(b)
		require.Equal(t, n, z.Len())
		for it := PackedRange(b, 0, n, false); it.Next(); {
			rank := n - 1 - it.Left()
			got, score, ok := z.Rank(it.Member(), false)
			require.True(t, ok)
			require.Equal(t, rank, got)
			require.Equal(t, it.Score(), score)
			got, _, ok = PackedRank(b, it.Member(), false)
			require.True(t, ok)
			require.Equal(t, rank, got)
		}
		out, added, _ := PackedSet(bytes.Clone(b), []byte("fresh member"), 1)
		require.NoError(t, ValidatePacked(out))
		require.Equal(t, PackedLen(out) > n, added)
		require.Zero(t, PackedLen(PackedRemoveRange(out, 0, n+1)))
	})
}
