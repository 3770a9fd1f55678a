package zset

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBuilder(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	scores := map[string]func(i, n int) float64{
		"rising":  func(i, n int) float64 { return float64(i) },
		"falling": func(i, n int) float64 { return float64(n - i) },
		"random":  func(i, n int) float64 { return r.NormFloat64() },
		"equal":   func(i, n int) float64 { return 3 },
		"few":     func(i, n int) float64 { return float64(r.IntN(5)) },
	}
	for name, score := range scores {
		for _, n := range []int{0, 1, 2, 125, 126, 127, 157, 158, 300, 126 * 31, 126*31 + 1, 20_000} {
			t.Run(fmt.Sprint(name, n), func(t *testing.T) {
				a := newArena(t)
				m := newModel()
				b := NewBuilder(a, n%3*n/2)
				for i := range n {
					member := memberName(i)
					s := score(i, n)
					b.Add([]byte(member), s)
					m.scores[member] = s
				}
				for member, s := range m.scores {
					m.pairs = append(m.pairs, modelPair{member, s})
				}
				m.order()
				require.Equal(t, n, b.Len())
				expected := b.Bytes()
				z := b.Finish()
				z.check()
				requireEqual(t, m, z.Reader())
				require.Equal(t, a.Used()+a.Charged(), z.Bytes())
				require.InDelta(t, z.Bytes(), expected, max(512, float64(z.Bytes())/5))
				require.Same(t, z, z.Reader().Object())
				require.Same(t, a, z.Arena())
				for range min(n, 200) {
					member, s := memberName(r.IntN(2*n)), score(r.IntN(n), n)
					z.Set([]byte(member), s)
					m.set(member, s)
				}
				z.check()
				requireEqual(t, m, z.Reader())
				z.Free()
				require.Zero(t, a.Used())
			})
		}
	}
}

func TestBuilderMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for _, n := range []int{5, 100, 5000} {
		for _, how := range []Aggregate{Sum, Min, Max} {
			a := newArena(t)
			b, m := NewBuilder(a, 0), newModel()
			for range 3 * n {
				member, score := memberName(r.IntN(n)), float64(r.IntN(50))
				old, ok := m.scores[member]
				switch r.IntN(10) {
				case 0:
					require.Equal(t, ok, b.Remove([]byte(member)))
					delete(m.scores, member)
				case 1:
					require.Equal(t, !ok, b.Put([]byte(member), score))
					m.scores[member] = score
				case 2:
					got, gotOK := b.Get([]byte(member))
					require.Equal(t, ok, gotOK)
					require.Equal(t, old, got)
				default:
					require.Equal(t, !ok, b.Merge([]byte(member), score, how))
					if ok {
						score = how.Combine(old, score)
					}
					m.scores[member] = score
				}
				require.Equal(t, len(m.scores), b.Len())
			}
			for member, score := range m.scores {
				m.pairs = append(m.pairs, modelPair{member, score})
			}
			m.order()
			if n <= 100 {
				lp := b.AppendPacked(nil)
				require.NoError(t, ValidatePacked(lp))
				requireEqual(t, m, Packed(lp))
				require.Equal(t, PackedMaxMember(lp) > 100, b.MaxMember() > 100)
				b.Discard()
			} else {
				z := b.Finish()
				z.check()
				requireEqual(t, m, z.Reader())
				z.Free()
			}
			require.Zero(t, a.Used())
			require.Zero(t, a.Charged())
		}
	}
	require.Equal(t, 0.0, Sum.Combine(math.Inf(1), math.Inf(-1)))
	require.Equal(t, 3.0, Sum.Combine(1, 2))
	require.Equal(t, 1.0, Min.Combine(1, 2))
	require.Equal(t, 2.0, Max.Combine(1, 2))
}

func TestSortLongMembers(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	b := NewBuilder(newArena(t), 0)
	prefix := bytes.Repeat([]byte("x"), 300)
	m := newModel()
	for i := range 2000 {
		member := fmt.Sprintf("%s%d", prefix[:[]int{3, 8, 300}[i%3]], r.Uint64())
		if i%10 == 0 {
			member += "\x00\x00"
		}
		b.Add([]byte(member), 1)
		m.pairs = append(m.pairs, modelPair{member, 1})
		if i%10 == 0 {
			member = member[:len(member)-1]
			b.Add([]byte(member), 1)
			m.pairs = append(m.pairs, modelPair{member, 1})
		}
	}
	m.order()
	z := b.Finish()
	z.check()
	requireEqual(t, m, z.Reader())
}
