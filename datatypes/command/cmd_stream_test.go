package command

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/invariants"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/stream"
	"github.com/troupe-db/troupe/netio/resp"
)

const streamIDErr = "-ERR Invalid stream ID specified as stream command argument"

// streamOf returns the stream at a key, nil when there is none.
func (s *testCtx) streamOf(key string) *stream.Stream {
	k := keyspace.MakeKey([]byte(key))
	e, found := s.DB(k).Peek(k)
	if !found {
		return nil
	}
	return s.DB(k).Object(e).(streamObject).Stream
}

// fill adds entries n-0 for the numbers from first to last.
func (s *testCtx) fill(key string, first, last int) {
	for i := first; i <= last; i++ {
		require.Equal(s.tb, fmt.Sprintf("$%d %d-0", len(fmt.Sprint(i))+2, i), s.run(fmt.Sprintf("XADD %s %d-0 f %d", key, i, i)))
	}
}

// ids returns the IDs in a reply.
func streamIDs(reply string) []string {
	var ids []string
	for _, word := range strings.Fields(reply) {
		if ms, seq, ok := strings.Cut(word, "-"); ok && ms != "" && seq != "" {
			ids = append(ids, word)
		}
	}
	return ids
}

func TestStreamAdd(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"XADD s * f v", "$15 1700000000000-0",
			"XADD s * f v", "$15 1700000000000-1",
			"XADD s 1700000000000-* f v", "$15 1700000000000-2",
			"XADD s 1700000000000-2 f v", "-ERR The ID specified in XADD is equal or smaller than the target stream top item",
			"XADD s 1700000000001 f v", "$15 1700000000001-0",
			"XADD s x f v", streamIDErr,
			"XADD s 0-0 f v", "-ERR The ID specified in XADD must be greater than 0-0",
			"XADD s * f", "-ERR wrong number of arguments for 'xadd' command",
			"XADD none NOMKSTREAM * f v", null,
			"XLEN s", ":4",
			"XLEN none", ":0",
			"SET str v", "+OK",
			"XADD str * f v", wrongType,
			"XLEN str", wrongType,
			"XRANGE s - (1700000000000-1", "*1 *2 $15 1700000000000-0 *2 $1 f $1 v",
		)
		require.Equal(t, "stream", s.encoding("s"))
		s.advance(5)
		s.check("XADD s * f v", "$15 1700000000005-0")
		require.Nil(t, s.streamOf("none"))
	})
}

func TestStreamAddEffects(t *testing.T) {
	s := newTestCtx(t, 1)
	s.Settings.StreamNodeMaxEntries = 2
	for _, test := range []struct {
		line string
		want []string
	}{
		{"XADD s * f v", []string{"new s", "modified s", "xadd s", "> XADD s 1700000000000-0 f v"}},
		{"XADD s * f v", []string{"modified s", "xadd s", "> XADD s 1700000000000-1 f v"}},
		{"XADD s 1700000000000-* f v", []string{"modified s", "xadd s", "> XADD s 1700000000000-2 f v"}},
		{"xadd s 1700000000001 f v", []string{"modified s", "xadd s", "> xadd s 1700000000001 f v"}},
		{"XADD s MAXLEN 4 1700000000002-0 f v", []string{
			"modified s", "xadd s", "xtrim s", "> XADD s MAXLEN 4 1700000000002-0 f v",
		}},
		{"XADD s MAXLEN = 4 * f v", []string{
			"modified s", "xadd s", "xtrim s", "> XADD s MAXLEN = 4 1700000000002-1 f v",
		}},
		// A block holds two: of the first one there is one left, and it is not wholly to go.
		{"XADD s MAXLEN ~ 4 * f v", []string{
			"modified s", "xadd s", "> XADD s MAXLEN = 5 1700000000002-2 f v",
		}},
		{"XADD s NOMKSTREAM MAXLEN ~ 3 LIMIT 2 1700000000002-* f v", []string{
			"modified s", "xadd s", "xtrim s", "> XADD s NOMKSTREAM MAXLEN = 4 1700000000002-3 f v",
		}},
		{"XADD s LIMIT 9 MINID ~ 1700000000002-2 1700000000003-3 f v", []string{
			"modified s", "xadd s", "xtrim s", "> XADD s MINID = 1700000000002-2 1700000000003-3 f v",
		}},
		{"XADD s MINID 1700000000003 1700000000004-3 f v", []string{
			"modified s", "xadd s", "xtrim s", "> XADD s MINID 1700000000003 1700000000004-3 f v",
		}},
		{"XADD s MAXLEN ~ 0 1700000000005 f v", []string{
			"modified s", "xadd s", "xtrim s", "> XADD s MAXLEN = 0 1700000000005 f v",
		}},
		{"XADD s MINID ~ 1700000000009 1700000000006 f v", []string{
			"modified s", "xadd s", "xtrim s",
			"> XADD s MINID = 18446744073709551615-18446744073709551615 1700000000006 f v",
		}},
		{"XADD s 1 f v", nil},
		{"XADD none NOMKSTREAM * f v", nil},
		{"XADD none 0-0 f v", nil},
		{"XADD s x f v", nil},
	} {
		require.Equal(t, test.want, s.tookFrom(test.line), test.line)
	}
}

// TestStreamAddRepeats checks that repeating the effects gives the same streams.
func TestStreamAddRepeats(t *testing.T) {
	s, replica := newTestCtx(t, 1), newTestCtx(t, 2)
	s.Settings.StreamNodeMaxEntries = 3
	replica.Settings.StreamNodeMaxEntries = 7
	for i := range 200 {
		s.advance(int64(i % 3))
		line := []string{
			"XADD s * f v", "XADD s MAXLEN ~ 11 * f v", "XADD s MINID ~ " + fmt.Sprint(s.NowMs-20) + " * f v",
			"XADD s MAXLEN ~ 8 LIMIT 3 * a b c d", "XTRIM s MAXLEN ~ 7", "XTRIM s MINID ~ " + fmt.Sprint(s.NowMs-5) + " LIMIT 5",
			"XDEL s " + fmt.Sprint(s.NowMs),
		}[i*7%13%7]
		for _, effect := range s.tookFrom(line) {
			if words, ok := strings.CutPrefix(effect, "> "); ok {
				replica.run(words)
			}
		}
		require.Equal(t, s.run("XRANGE s - +"), replica.run("XRANGE s - +"), "%d: %s", i, line)
	}
}

func TestStreamTrim(t *testing.T) {
	s := newTestCtx(t, 1)
	s.Settings.StreamNodeMaxEntries = 5
	s.fill("s", 1, 12)
	require.Equal(t, []string{"modified s", "xtrim s", "> XTRIM s MAXLEN 11"}, s.tookFrom("XTRIM s MAXLEN 11"))
	require.Nil(t, s.tookFrom("XTRIM s MAXLEN ~ 8"))
	require.Equal(t, []string{"modified s", "xtrim s", "> XTRIM s MAXLEN = 7"}, s.tookFrom("XTRIM s MAXLEN ~ 7"))
	require.Equal(t, []string{"modified s", "xtrim s", "> XTRIM s MINID = 11-0"}, s.tookFrom("XTRIM s MINID ~ 11 LIMIT 9"))
	require.Nil(t, s.tookFrom("XTRIM s MINID 11"))
	require.Nil(t, s.tookFrom("XTRIM none MINID 11"))
	s.check(
		"XTRIM s MINID 12-0", ":1",
		"XTRIM s MAXLEN 0", ":1",
		"XTRIM s MAXLEN 0", ":0",
		"XLEN s", ":0",
		"EXISTS s", ":1",
		"XTRIM s", "-ERR wrong number of arguments for 'xtrim' command",
		"XTRIM s LIMIT 5", "-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
		"XTRIM s LIMIT 5 MAXLEN 5", "-ERR syntax error, LIMIT cannot be used without the special ~ option",
	)
}

func TestStreamRange(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.Settings.StreamNodeMaxEntries = 3
		s.check(
			"XADD s 1-1 a 1", "$3 1-1",
			"XADD s 1-2 a 2 b x", "$3 1-2",
			"XADD s 2-0 c 3", "$3 2-0",
			"XADD s 3-0 c 3", "$3 3-0",
			"XRANGE s 1 1", "*2 *2 $3 1-1 *2 $1 a $1 1 *2 $3 1-2 *4 $1 a $1 2 $1 b $1 x",
			"XREVRANGE s 2 1", "*3 *2 $3 2-0 *2 $1 c $1 3 *2 $3 1-2 *4 $1 a $1 2 $1 b $1 x *2 $3 1-1 *2 $1 a $1 1",
			"XRANGE s - + COUNT 1", "*1 *2 $3 1-1 *2 $1 a $1 1",
			"XREVRANGE s + - COUNT 1", "*1 *2 $3 3-0 *2 $1 c $1 3",
			"XRANGE s - + COUNT 0", "*-1",
			"XRANGE s 5 +", "*0",
			"XRANGE none - +", "*0",
			"XRANGE none - + COUNT 0", "*0",
			"XRANGE s (3-0 +", "*0",
			"XRANGE s - (0-0", "-ERR invalid end ID for the interval",
			"XRANGE s (18446744073709551615-18446744073709551615 +", "-ERR invalid start ID for the interval",
			"XRANGE s - x", streamIDErr,
			"XRANGE s - + COUNT x", notInt,
			"XRANGE s - + x", syntaxErr,
		)
		s.Reply.Proto = 3
		s.check("XRANGE s - + COUNT 0", "_")
	})
}

// TestStreamCountRange compares the two ways of counting, over blocks that have holes.
func TestStreamCountRange(t *testing.T) {
	s := newTestCtx(t, 1)
	s.Settings.StreamNodeMaxEntries = 4
	s.fill("s", 1, 30)
	for _, id := range []string{"1", "2", "3", "4", "9", "14", "15", "30"} {
		require.Equal(t, ":1", s.run("XDEL s "+id))
	}
	st := s.streamOf("s")
	for first := uint64(0); first < 33; first++ {
		for last := uint64(0); last < 33; last++ {
			for _, seq := range []uint64{0, 1} {
				lo, hi := stream.ID{Ms: first, Seq: seq}, stream.ID{Ms: last}
				n := int64(0)
				for it := st.Range(lo, hi); it.Next(); {
					n++
				}
				require.Equal(t, n, streamCountRange(st, lo, hi), "%s to %s", lo, hi)
			}
		}
	}
	require.EqualValues(t, 22, streamCountRange(st, stream.ID{}, stream.MaxID))
	require.Zero(t, streamCountRange(stream.New(st.Arena()), stream.ID{}, stream.MaxID))
}

// TestStreamFinder looks IDs up in every order.
func TestStreamFinder(t *testing.T) {
	s := newTestCtx(t, 1)
	s.Settings.StreamNodeMaxEntries = 7
	s.fill("s", 1, 100)
	for i := 1; i <= 100; i += 1 + i%5 {
		s.run(fmt.Sprintf("XDEL s %d", i))
	}
	st := s.streamOf("s")
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, most := range []int{3, 40, 200} {
		f := streamFinder{s: st}
		for id, n := (stream.ID{}), 0; n < 2000; n++ {
			id = stream.ID{Ms: (id.Ms + uint64(rnd.IntN(most))) % 105, Seq: uint64(rnd.IntN(4) / 3)}
			it, ok := f.find(id)
			require.Equal(t, st.Has(id), ok, id)
			if ok {
				require.Equal(t, id, it.ID())
				_, value := it.Pair()
				require.Equal(t, fmt.Sprint(id.Ms), string(value))
			}
		}
	}
}

// TestStreamLongReplies reads ranges long enough to be counted first.
func TestStreamLongReplies(t *testing.T) {
	s := newTestCtx(t, 1)
	s.fill("s", 1, 250)
	for line, want := range map[string][2]int{
		"XRANGE s - +":                {1, 250},
		"XRANGE s 20 +":               {20, 250},
		"XRANGE s 20 239":             {20, 239},
		"XRANGE s 20 239 COUNT 64":    {20, 83},
		"XRANGE s 20 239 COUNT 65":    {20, 84},
		"XRANGE s 20 239 COUNT 1000":  {20, 239},
		"XREVRANGE s 239 20":          {239, 20},
		"XREVRANGE s 239 20 COUNT 70": {239, 170},
	} {
		reply := s.run(line)
		ids := streamIDs(reply)
		n := max(want[1]-want[0], want[0]-want[1]) + 1
		require.Len(t, ids, n, line)
		require.True(t, strings.HasPrefix(reply, fmt.Sprintf("*%d ", n)), line)
		require.Equal(t, fmt.Sprintf("%d-0", want[0]), ids[0], line)
		require.Equal(t, fmt.Sprintf("%d-0", want[1]), ids[n-1], line)
	}
}

func TestStreamDelete(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.fill("s", 1, 4)
		require.Equal(t, []string{"modified s", "xdel s", "> XDEL s 2-0 9-9 3"}, s.tookFrom("XDEL s 2-0 9-9 3"))
		require.Equal(t, 2, s.DirtyCount())
		require.Nil(t, s.tookFrom("XDEL s 2-0"))
		require.Nil(t, s.tookFrom("XDEL none 2-0"))
		s.check(
			"XDEL s 1 x", streamIDErr,
			"XLEN s", ":2",
			"XDEL s 1 4 4", ":2",
			"XLEN s", ":0",
			"EXISTS s", ":1",
			"XADD s 4-0 f v", "-ERR The ID specified in XADD is equal or smaller than the target stream top item",
			"XDEL s 1 2 3 4 5 6 7 8 9 10", ":0",
		)
	})
}

func TestStreamSetID(t *testing.T) {
	s := newTestCtx(t, 1)
	s.fill("s", 1, 2)
	require.Equal(t, []string{"xsetid s", "> XSETID s 5 ENTRIESADDED 7 MAXDELETEDID 4-1"},
		s.tookFrom("XSETID s 5 ENTRIESADDED 7 MAXDELETEDID 4-1"))
	st := s.streamOf("s")
	require.Equal(t, stream.ID{Ms: 5}, st.LastID())
	require.Equal(t, stream.ID{Ms: 4, Seq: 1}, st.MaxDeletedID())
	require.EqualValues(t, 7, st.EntriesAdded())
	s.check(
		"XSETID s 4", "-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
		"XSETID s 5 ENTRIESADDED 1", "-ERR The entries_added specified in XSETID is smaller than the target stream length",
		"XSETID s 5 ENTRIESADDED -1", "-ERR entries_added must be positive",
		"XSETID s 5 ENTRIESADDED x", notInt,
		"XSETID s 5 MAXDELETEDID 6", "-ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
		"XSETID s 5 MAXDELETEDID x", streamIDErr,
		"XSETID s x", streamIDErr,
		"XSETID s 5 x", syntaxErr,
		"XSETID none 5", "-ERR no such key",
		"XADD t 9-9 f v", "$3 9-9",
		"XSETID t 9-8", "-ERR The ID specified in XSETID is smaller than the target stream top item",
		"XSETID t 9-9", "+OK",
	)
	require.Nil(t, s.tookFrom("XSETID t 9-8"))
}

func TestStreamHeavy(t *testing.T) {
	s := newTestCtx(t, 1)
	n := heavyElements + 500
	for i := 1; i <= n; i++ {
		s.do("XADD", "s", fmt.Sprintf("%d-0", i), "f", "v")
	}
	s.run("XGROUP CREATE s g 0")
	s.run("XREADGROUP GROUP g c STREAMS s >")
	s.run("XGROUP CREATE s h 0")
	s.run("XGROUP CREATE s e $")
	for line, want := range map[string]bool{
		"XADD s * f v":                                      false,
		"XADD s MAXLEN 10 * f v":                            true,
		"XADD s NOMKSTREAM MAXLEN 10 * f v":                 true,
		"XADD s MAXLEN 4500 * f v":                          false,
		"XADD s MAXLEN x * f v":                             false,
		"XADD s MAXLEN ~ 10 * f v":                          true,
		"XADD s MAXLEN ~ 10 LIMIT 100 * f v":                false,
		"XADD s MINID 10 * f v":                             false,
		"XADD s MINID 4500 * f v":                           true,
		"XADD none MAXLEN 1 * f v":                          false,
		"XTRIM s MAXLEN 10":                                 true,
		"XTRIM s MAXLEN 4500":                               false,
		"XRANGE s - +":                                      true,
		"XRANGE s 450 +":                                    false,
		"XRANGE s - + COUNT 10":                             false,
		"XRANGE s - + COUNT 4000":                           true,
		"XREVRANGE s + -":                                   true,
		"XREVRANGE s 4000 -":                                false,
		"XRANGE none - +":                                   false,
		"XRANGE s - x":                                      false,
		"XREAD STREAMS s 0":                                 true,
		"XREAD STREAMS s 4000":                              false,
		"XREAD STREAMS s $":                                 false,
		"XREAD STREAMS s +":                                 false,
		"XREAD STREAMS none s 0 0":                          true,
		"XREAD COUNT 4611686018427387904 STREAMS s s 0 0":   true,
		"XREAD COUNT 9223372036854775807 STREAMS s s 0 0":   true,
		"XREAD COUNT 10 STREAMS s 0":                        false,
		"XREAD STREAMS s x":                                 false,
		"XREADGROUP GROUP g c STREAMS s 0":                  true,
		"XREADGROUP GROUP g c COUNT 10 STREAMS s 0":         false,
		"XREADGROUP GROUP g d STREAMS s 0":                  false,
		"XREADGROUP GROUP g c STREAMS s >":                  false,
		"XREADGROUP GROUP h c STREAMS s >":                  true,
		"XREADGROUP GROUP e c STREAMS s >":                  false,
		"XREADGROUP GROUP none c STREAMS s >":               false,
		"XPENDING s g":                                      false,
		"XPENDING s g - + 10":                               false,
		"XPENDING s g - + 10000":                            true,
		"XPENDING s g IDLE 1 - + 10":                        true,
		"XPENDING s h - + 10000":                            false,
		"XAUTOCLAIM s g c 0 -":                              false,
		"XAUTOCLAIM s g c 0 - COUNT 1000":                   true,
		"XAUTOCLAIM s h c 0 - COUNT 1000":                   false,
		"XGROUP DESTROY s g":                                true,
		"XGROUP DESTROY s h":                                false,
		"XGROUP DESTROY none h":                             false,
		"XGROUP DELCONSUMER s g c":                          true,
		"XINFO STREAM s":                                    false,
		"XINFO STREAM s FULL":                               false,
		"XINFO STREAM s FULL COUNT 0":                       true,
		"XINFO STREAM none":                                 false,
		"XDEL s 1":                                          false,
		"XACK s g 1":                                        false,
		"XCLAIM s g c 0 1":                                  false,
		"XACK s g " + strings.Repeat("1 ", heavyKeys):       true,
		"XDEL s " + strings.Repeat("1 ", heavyKeys):         true,
		"XCLAIM s g c 0 " + strings.Repeat("1 ", heavyKeys): true,
	} {
		require.Equal(t, want, s.heavy(line), "%.60s", line)
	}
	// When blocks have no limits, there is one, which says nothing.
	s.Settings.StreamNodeMaxEntries, s.Settings.StreamNodeMaxBytes = 0, 0
	for i := 1; i <= n; i++ {
		s.do("XADD", "one", fmt.Sprintf("%d-0", i), "f", "v")
	}
	require.True(t, s.heavy("XRANGE one 5 +"))
	require.False(t, s.heavy("XREAD STREAMS one $"))
}

// TestStreamAddAllocs checks that XADD needs no memory of the Go heap beside that of the stream's own growth.
func TestStreamAddAllocs(t *testing.T) {
	if invariants.Enabled {
		t.Skip("checks allocate")
	}
	for _, line := range []string{"XADD s * f v g w", "XADD s MAXLEN ~ 1000 * f v g w", "XADD s MAXLEN 1000 * f v g w"} {
		t.Run(line, func(t *testing.T) {
			s := newTestCtx(t, 1)
			journal := &countingJournal{}
			s.Journal, s.shards[0].Observer = journal, nil
			args, _ := resp.SplitArgs([]byte(line), nil)
			for range 3000 {
				s.call(args)
			}
			require.Zero(t, int(testing.AllocsPerRun(3000, func() { s.call(args) })))
			require.Equal(t, 6001, journal.n)
			require.Equal(t, line, string(joinBytes(args)), "words are put back")
		})
	}
}

// countingJournal counts effects.
type countingJournal struct{ n int }

// BeginEntry implements Journal.
func (*countingJournal) BeginEntry() {}

// EndEntry implements Journal.
func (*countingJournal) EndEntry() {}

// Append implements Journal.
func (j *countingJournal) Append(int, [][]byte) { j.n++ }

// Groups and consumers count too, however few entries each may list.
func TestStreamHeavyGroups(t *testing.T) {
	s := newTestCtx(t, 1)
	for i := range 100 {
		s.do("XADD", "s", fmt.Sprintf("%d-0", i+1), "f", "v")
	}
	for i := range heavyElements/100 + 1 {
		s.do("XGROUP", "CREATE", "s", fmt.Sprint("g", i), "0")
		s.do("XREADGROUP", "GROUP", fmt.Sprint("g", i), "c", "STREAMS", "s", ">")
	}
	s.run("XGROUP CREATE t g 0 MKSTREAM")
	for i := range heavyElements + 1 {
		s.do("XGROUP", "CREATECONSUMER", "t", "g", fmt.Sprint("c", i))
	}
	for line, want := range map[string]bool{
		"XINFO STREAM s":                                false,
		"XINFO STREAM s FULL":                           false,
		"XINFO STREAM s FULL COUNT 100":                 true,
		"XINFO STREAM s FULL COUNT 0":                   true,
		"XINFO STREAM s FULL COUNT 9000000000000000000": true,
		"XINFO GROUPS s":                                false,
		"XINFO CONSUMERS s g1":                          false,
		"XPENDING s g1":                                 false,
		"XGROUP DESTROY s g1":                           false,
		"XINFO STREAM t FULL":                           true,
		"XINFO CONSUMERS t g":                           true,
		"XPENDING t g":                                  true,
		"XGROUP DESTROY t g":                            true,
	} {
		require.Equal(t, want, s.heavy(line), line)
	}
}
