package command

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// setWords returns the words of a command, the last of which is replaced by members.
func setWords(words ...string) [][]byte {
	args := make([][]byte, len(words))
	for i, w := range words {
		args[i] = []byte(w)
	}
	return args
}

func TestSetsAllocs(t *testing.T) {
	if testing.CoverMode() != "" {
		t.Skip("coverage allocates")
	}
	s := newTestCtx(t, 1)
	s.Journal = nil
	s.shards[0].Observer = nil
	s.do("SADD", "ints", "1", "2", "3")
	s.do("SADD", "texts", "a", "b", "c")
	for i := range 1000 {
		s.do("SADD", "large", fmt.Sprintf("member:%d", i))
	}
	require.Equal(t, "$9 hashtable", s.do("OBJECT", "ENCODING", "large"))
	for _, words := range [][]string{
		{"SADD", "ints", "2"},
		{"SADD", "texts", "b"},
		{"SADD", "large", "member:7"},
		{"SISMEMBER", "ints", "2"},
		{"SISMEMBER", "texts", "b"},
		{"SISMEMBER", "large", "member:7"},
		{"SISMEMBER", "large", "none"},
		{"SMISMEMBER", "large", "member:1", "member:2", "x"},
		{"SCARD", "large"},
		{"SREM", "large", "x"},
		{"SRANDMEMBER", "ints"},
		{"SRANDMEMBER", "texts"},
		{"SRANDMEMBER", "large"},
	} {
		args := setWords(words...)
		s.call(args)
		require.Zero(t, testing.AllocsPerRun(100, func() { s.call(args) }), words)
	}
	for _, key := range []string{"ints", "texts", "large", "new"} {
		for _, member := range []string{"77", "text"} {
			add, rem := setWords("SADD", key, member), setWords("SREM", key, member)
			if key == "ints" && member == "text" {
				continue // becomes a listpack
			}
			s.call(add)
			s.call(rem)
			require.Zero(t, testing.AllocsPerRun(100, func() {
				s.call(add)
				s.call(rem)
			}), "%s %s", key, member)
		}
	}
}

func BenchmarkSets(b *testing.B) {
	s := newTestCtx(b, 1)
	s.Journal = nil
	s.shards[0].Observer = nil
	const n = 100_000
	members := make([][]byte, n)
	for i := range members {
		members[i] = fmt.Appendf(nil, "member:%d", i)
		s.do("SADD", "large", string(members[i]))
	}
	for i := range 100 {
		s.do("SADD", "ints", fmt.Sprint(i))
		s.do("SADD", "texts", fmt.Sprint("member:", i))
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	one := func(name string, words ...string) {
		b.Run(name, func(b *testing.B) {
			args := setWords(words...)
			b.ReportAllocs()
			for b.Loop() {
				if words[1] == "large" && len(words) > 2 {
					args[2] = members[rnd.IntN(n)]
				}
				s.call(args)
			}
		})
	}
	one("SISMEMBER large", "SISMEMBER", "large", "x")
	one("SADD large, present", "SADD", "large", "x")
	one("SISMEMBER ints", "SISMEMBER", "ints", "50")
	one("SISMEMBER texts", "SISMEMBER", "texts", "member:50")
	one("SADD ints, present", "SADD", "ints", "50")
	one("SRANDMEMBER large", "SRANDMEMBER", "large")
	one("SINTER ints texts", "SINTER", "ints", "texts")
	one("SUNION ints texts", "SUNION", "ints", "texts")
	b.Run("SADD SREM large", func(b *testing.B) {
		add, rem := setWords("SADD", "large", "another"), setWords("SREM", "large", "another")
		for b.Loop() {
			s.call(add)
			s.call(rem)
		}
	})
	b.Run("SADD SREM new", func(b *testing.B) {
		add, rem := setWords("SADD", "new", "another"), setWords("SREM", "new", "another")
		for b.Loop() {
			s.call(add)
			s.call(rem)
		}
	})
}
