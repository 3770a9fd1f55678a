package command

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/hll"
)

const (
	noHLL      = "-WRONGTYPE Key is not a valid HyperLogLog string value."
	corruptHLL = "-INVALIDOBJ Corrupted HLL object detected"
)

func TestPFEffects(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		require.Equal(t, []string{"new h", "modified h", "pfadd h", "> PFADD h"}, s.tookFrom("PFADD h"))
		require.Empty(t, s.tookFrom("PFADD h"))
		require.Equal(t, []string{"modified h", "pfadd h", "> PFADD h a b a"}, s.tookFrom("PFADD h a b a"))
		require.Equal(t, 2, s.DirtyCount())
		require.Empty(t, s.tookFrom("PFADD h b"))
		require.Equal(t, []string{"modified h", "> PFCOUNT h"}, s.tookFrom("PFCOUNT h"), "the cached cardinality is a change")
		require.Empty(t, s.tookFrom("PFCOUNT h"))
		require.Empty(t, s.tookFrom("PFCOUNT h h"))
		require.Empty(t, quiet(s.tookFrom("PFCOUNT none")))
		require.Equal(t, []string{"new d", "modified d", "pfadd d", "> PFMERGE d h none"}, quiet(s.tookFrom("PFMERGE d h none")))
		require.Equal(t, []string{"modified d", "pfadd d", "> PFMERGE d"}, s.tookFrom("PFMERGE d"))
		require.Equal(t, []string{"> PFDEBUG TODENSE d"}, s.tookFrom("PFDEBUG TODENSE d"))
		require.Empty(t, s.tookFrom("PFDEBUG TODENSE d"))
		require.Equal(t, []string{"> PFDEBUG GETREG h"}, s.tookFrom("PFDEBUG GETREG h"))
		require.Equal(t, []string{"modified h", "pfadd h", "> PFADD h c"}, s.tookFrom("PFADD h c"), "a dense one")
		require.Empty(t, s.tookFrom("PFADD h c"))
	})
}

func TestPFReplies(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"PFADD h", ":1",
			"PFADD h", ":0",
			"OBJECT ENCODING h", "$3 raw",
			"PFCOUNT h", ":0",
			"PFADD h a b c", ":1",
			"PFADD h a b", ":0",
			"PFCOUNT h", ":3",
			"PFCOUNT none", ":0",
			"PFCOUNT none none2", ":0",
			"PFADD g c d", ":1",
			"PFCOUNT h g none", ":4",
			"PFMERGE d h g", "+OK",
			"PFCOUNT d", ":4",
			"PFMERGE e", "+OK",
			"PFCOUNT e", ":0",
			"PFDEBUG ENCODING d", "+sparse",
			"PFDEBUG todense d", ":1",
			"PFDEBUG todense d", ":0",
			"PFDEBUG ENCODING d", "+dense",
			"PFDEBUG DECODE d", "-ERR HLL encoding is not sparse",
			"PFDEBUG DECODE e", "$7 Z:16384",
			"PFDEBUG DECODE h", "$44 Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603",
			"PFDEBUG GETREG none", "-ERR The specified key does not exist",
			"PFDEBUG nonsense d", "-ERR Unknown PFDEBUG subcommand 'nonsense'",
			"PFSELFTEST", "+OK",
		)
		require.True(t, strings.HasPrefix(s.run("PFDEBUG GETREG d"), "*16384 :0 :0 "))
	})
}

func TestPFErrors(t *testing.T) {
	s := newTestCtx(t, 1)
	s.run("SADD set a")
	s.run("SET int 12345678901234567")
	s.run("SET text 'no HyperLogLog at all'")
	s.run("PFADD h a b c")
	value := s.run("GET h")
	for _, line := range []string{"PFADD %s", "PFADD %s x", "PFCOUNT %s", "PFCOUNT h %s", "PFMERGE d %s", "PFMERGE %s h", "PFDEBUG ENCODING %s"} {
		require.Equal(t, wrongType, s.run(fmt.Sprintf(line, "set")), line)
		require.Equal(t, noHLL, s.run(fmt.Sprintf(line, "int")), line)
		require.Equal(t, noHLL, s.run(fmt.Sprintf(line, "text")), line)
	}
	// The header is right, the registers are not.
	for name, regs := range map[string]string{"few": "\x7f\xfe", "many": "\x7f\xff\x00", "cut": "\x7f", "none": ""} {
		s.do("SET", name, "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80"+regs)
		for _, line := range []string{"PFCOUNT %s", "PFCOUNT h %s", "PFMERGE d %s", "PFMERGE %s h", "PFDEBUG TODENSE %s", "PFDEBUG GETREG %s"} {
			require.Equal(t, corruptHLL, s.run(fmt.Sprintf(line, name)), "%s %s", line, name)
		}
	}
	before := s.run("GET few")
	require.Equal(t, corruptHLL, s.do("PFADD", "none", "a"))
	require.Equal(t, before, s.run("GET few"))
	// An element that is found before the damage, then one behind it: nothing is changed.
	s.do("SET", "part", "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80"+"\x7f\xf0")
	before = s.run("GET part")
	reply, elems := "", []string{"PFADD", "part"}
	for i := 0; reply != corruptHLL && i < 20_000; i++ {
		elems = append(elems, strconv.Itoa(i))
		if register, _ := hll.Locate([]byte(strconv.Itoa(i))); register >= 0x3ff1 {
			reply = s.do(elems...)
		}
	}
	require.Equal(t, corruptHLL, reply)
	require.Equal(t, before, s.run("GET part"))
	require.Equal(t, value, s.run("GET h"))
	require.Equal(t, ":0", s.run("EXISTS d"))
}

func TestPFDeadlines(t *testing.T) {
	s := newTestCtx(t, 1)
	for _, key := range []string{"h", "dense"} {
		s.run("PFADD " + key + " a")
		if key == "dense" {
			s.run("PFDEBUG TODENSE dense")
		}
		s.run("EXPIRE " + key + " 100")
		at := s.expireAt(key)
		for _, line := range []string{"PFADD %s b c d", "PFCOUNT %s", "PFMERGE %s h dense", "PFDEBUG TODENSE %s"} {
			s.run(fmt.Sprintf(line, key))
			require.Equal(t, at, s.expireAt(key), line)
		}
	}
}

func TestPFPromotion(t *testing.T) {
	s := newTestCtx(t, 1)
	s.Settings.HLLSparseMaxBytes = 100
	for i := 0; s.run("PFDEBUG ENCODING h") != "+dense"; i++ {
		s.do("PFADD", "h", strconv.Itoa(i))
		require.Less(t, i, 60)
	}
	s.run("PFADD g a")
	s.run("PFMERGE d g")
	s.check("PFDEBUG ENCODING d", "+sparse", "PFMERGE d h", "+OK", "PFDEBUG ENCODING d", "+dense", "STRLEN d", ":12304")
	s.Settings.HLLSparseMaxBytes = 0
	s.check("PFADD z", ":1", "PFDEBUG ENCODING z", "+sparse", "PFADD z a", ":1", "PFDEBUG ENCODING z", "+dense")
}

// Estimates of what random sets have in common stay within four standard errors, over all ways to count.
func TestPFModel(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		rnd := rand.New(rand.NewPCG(21, 22))
		keys := []string{"a", "b", "c", "d"}
		sets := setModel{}
		for range setSteps(2000) {
			k := keys[rnd.IntN(len(keys))]
			switch rnd.IntN(8) {
			case 0, 1, 2, 3:
				args := []string{"PFADD", k}
				for range rnd.IntN(40) {
					m := strconv.Itoa(rnd.IntN(20_000))
					sets.add(k, m)
					args = append(args, m)
				}
				s.do(args...)
			case 4:
				from := []string{k, keys[rnd.IntN(4)], keys[rnd.IntN(4)]}
				s.do(append([]string{"PFMERGE"}, from...)...)
				sets[k] = sets.combine("SUNION", from)
			case 5:
				s.do("PFDEBUG", "TODENSE", k)
			default:
				from := keys[:1+rnd.IntN(4)]
				n, err := strconv.Atoi(s.do(append([]string{"PFCOUNT"}, from...)...)[1:])
				require.NoError(t, err)
				want := len(sets.combine("SUNION", from))
				require.InDelta(t, want, n, 1+0.0325*float64(want))
			}
		}
	})
}

func TestPFAllocs(t *testing.T) {
	if testing.CoverMode() != "" {
		t.Skip("coverage allocates")
	}
	s := newTestCtx(t, 1)
	s.Journal = nil
	s.shards[0].Observer = nil
	s.run("PFADD sparse a b c")
	s.run("PFADD dense a b c")
	s.run("PFDEBUG TODENSE dense")
	for _, key := range []string{"sparse", "dense"} {
		i := 0
		for _, words := range [][]string{{"PFADD", key, "a"}, {"PFADD", key, "new"}, {"PFCOUNT", key}, {"PFCOUNT", "sparse", "dense"}} {
			args := setWords(words...)
			require.Zero(t, testing.AllocsPerRun(50, func() {
				if words[len(words)-1] == "new" {
					i++
					args[2] = append(args[2][:0], "new"...)
					args[2] = strconv.AppendInt(args[2], int64(i%1000), 10)
				}
				s.call(args)
			}), words)
		}
	}
}
