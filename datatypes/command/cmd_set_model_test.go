package command

import (
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// setSteps is how many random commands a model test runs: TROUPE_STEPS, or n, less with -short.
func setSteps(n int) int {
	if v, err := strconv.Atoi(os.Getenv("TROUPE_STEPS")); err == nil {
		return v
	}
	if testing.Short() {
		return n / 10
	}
	return n
}

// setModel is a few sets as Go maps. One that is empty is not there.
type setModel map[string]map[string]bool

func (m setModel) add(key, member string) bool {
	if m[key] == nil {
		m[key] = map[string]bool{}
	}
	added := !m[key][member]
	m[key][member] = true
	return added
}

func (m setModel) remove(key, member string) bool {
	removed := m[key][member]
	delete(m[key], member)
	return removed
}

// combine returns what SINTER, SUNION or SDIFF return.
func (m setModel) combine(op string, keys []string) map[string]bool {
	result := maps.Clone(m[keys[0]])
	if result == nil {
		result = map[string]bool{}
	}
	for _, k := range keys[1:] {
		switch op {
		case "SUNION":
			maps.Copy(result, m[k])
		case "SDIFF":
			maps.DeleteFunc(result, func(x string, _ bool) bool { return m[k][x] })
		default:
			maps.DeleteFunc(result, func(x string, _ bool) bool { return !m[k][x] })
		}
	}
	return result
}

func sortedSet(set map[string]bool) []string {
	return append([]string{}, slices.Sorted(maps.Keys(set))...)
}

// TestSetsModel runs random commands on sets that wander through all encodings, on one shard and on several.
func TestSetsModel(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.Settings.SetMaxIntsetEntries, s.Settings.SetMaxListpackEntries, s.Settings.SetMaxListpackValue = 12, 8, 6
		rnd := rand.New(rand.NewPCG(11, 12))
		keys := []string{"a", "b", "c", "d", "e"}
		key := func() string { return keys[rnd.IntN(len(keys))] }
		member := func() string {
			switch rnd.IntN(10) {
			case 0:
				return "m" + strings.Repeat("x", rnd.IntN(8))
			case 1, 2, 3:
				return "m" + strconv.Itoa(rnd.IntN(15))
			case 4:
				return strconv.FormatInt(int64(rnd.Uint64())>>rnd.IntN(64), 10)
			}
			return strconv.Itoa(rnd.IntN(20) - 5)
		}
		members := func(n int) []string {
			out := make([]string, 1+rnd.IntN(n))
			for i := range out {
				out[i] = member()
			}
			return out
		}
		m := setModel{}
		count := func(n int) string { return ":" + strconv.Itoa(n) }
		for range setSteps(20_000) {
			k := key()
			switch rnd.IntN(16) {
			case 0, 1, 2, 3:
				some, n := members(8), 0
				for _, x := range some {
					if m.add(k, x) {
						n++
					}
				}
				require.Equal(t, count(n), s.sadd(k, some...))
			case 4, 5:
				some, n := members(6), 0
				for _, x := range some {
					if m.remove(k, x) {
						n++
					}
				}
				require.Equal(t, count(n), s.do(append([]string{"SREM", k}, some...)...))
			case 6:
				some := members(5)
				want := "*" + strconv.Itoa(len(some))
				for _, x := range some {
					if m[k][x] {
						want += " :1"
					} else {
						want += " :0"
					}
				}
				require.Equal(t, want, s.do(append([]string{"SMISMEMBER", k}, some...)...))
			case 7:
				to, x := key(), member()
				want := 0
				if m[k][x] {
					want = 1
					m.remove(k, x)
					m.add(to, x)
				}
				require.Equal(t, count(want), s.do("SMOVE", k, to, x))
			case 8, 9, 10:
				op := []string{"SINTER", "SUNION", "SDIFF"}[rnd.IntN(3)]
				from := make([]string, 1+rnd.IntN(4))
				for i := range from {
					from[i] = key()
				}
				want := m.combine(op, from)
				require.Equal(t, sortedSet(want), sortedReply(s.do(append([]string{op}, from...)...)), "%s %v", op, from)
				if op == "SINTER" {
					limit := 1 + rnd.IntN(5)
					require.Equal(t, count(min(limit, len(want))),
						s.do(append(append([]string{"SINTERCARD", strconv.Itoa(len(from))}, from...), "LIMIT", strconv.Itoa(limit))...))
				}
				require.Equal(t, count(len(want)), s.do(append([]string{op + "STORE", k}, from...)...))
				m[k] = want
			case 11:
				n := rnd.IntN(8)
				got := sortedReply(s.do("SPOP", k, strconv.Itoa(n)))
				require.Len(t, got, min(n, len(m[k])))
				for _, x := range got {
					require.True(t, m.remove(k, x), x)
				}
			case 12:
				n := rnd.IntN(20)
				got := sortedReply(s.do("SRANDMEMBER", k, strconv.Itoa(n)))
				require.Len(t, got, min(n, len(m[k])))
				require.Len(t, slices.Compact(slices.Clone(got)), len(got))
				for _, x := range got {
					require.True(t, m[k][x], x)
				}
			case 13:
				if rnd.IntN(4) == 0 {
					s.do("DEL", k)
					delete(m, k)
				}
			default:
				require.Equal(t, sortedSet(m[k]), sortedReply(s.do("SMEMBERS", k)))
			}
			for _, k := range keys {
				s.checkSet(k)
				require.Equal(t, count(len(m[k])), s.do("SCARD", k))
			}
		}
	})
}
