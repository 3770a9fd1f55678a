package command

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
)

// heldWalk is a Walker that leaves the walk to the test.
type heldWalk struct{ walk Walk }

func (h *heldWalk) AwaitWalk(w Walk) { h.walk = w }

// begin runs a command and returns the walk that it begins, nil when it has replied.
func (s *testCtx) begin(line string) Walk {
	s.tb.Helper()
	var held heldWalk
	s.Walker = &held
	defer func() { s.Walker = nil }()
	reply := s.run(line)
	if held.walk != nil {
		require.Empty(s.tb, reply)
	}
	return held.walk
}

// walked collects the reply of a walk, which ends meanwhile.
type walked struct {
	walk Walk
	part WalkPart
	got  []byte
	over bool
}

func (w *walked) step() {
	w.over = w.over || !w.part.Step()
	for _, piece := range w.walk.Take() {
		w.got = append(w.got, piece...)
	}
}

func (w *walked) finish(proto int) string {
	for !w.over {
		w.step()
	}
	out := resp.Writer{Proto: proto}
	out.Pieces(walkPiece)
	w.walk.Finish(&out, func() {})
	w.got = append(w.got, slices.Concat(append(out.Full, out.Buf)...)...)
	return string(w.got)
}

// canonical brings the elements of a reply into an order of their own: units of so many bulk strings each; 0 leaves the order.
func canonical(t testing.TB, reply string, unit int) string {
	t.Helper()
	if unit == 0 {
		return reply
	}
	head, rest, _ := strings.Cut(reply, "\r\n")
	lines := strings.Split(rest, "\r\n")
	var units []string
	for len(lines) > 2*unit-1 {
		units = append(units, strings.Join(lines[:2*unit], "\r\n"))
		lines = lines[2*unit:]
	}
	require.Equal(t, []string{""}, lines)
	sort.Strings(units)
	return head + "\n" + strings.Join(units, "\n")
}

const walkTestElements = heavyElements + 3000

// walkPad makes elements so long that their value has an arena of its own. It is a part of numbers too.
var walkPad = strings.Repeat("0", 90)

// walkCase is a command that walks over the value at "big".
type walkCase struct {
	name, line string
	unit       int // see canonical
	proto      int
	fill       func(s *testCtx, pad string)
	change     func(s *testCtx, key, pad string, rnd *rand.Rand)
}

func fillSet(s *testCtx, pad string) {
	for i := range walkTestElements {
		s.do("SADD", "big", fmt.Sprint("m:", pad, i))
	}
}

func changeSet(s *testCtx, key, pad string, rnd *rand.Rand) {
	m := fmt.Sprint("m:", pad, rnd.IntN(walkTestElements*5/4))
	switch rnd.IntN(8) {
	case 0, 1, 2:
		s.do("SADD", key, m)
	case 3, 4, 5:
		s.do("SREM", key, m)
	case 6:
		s.do("SPOP", key, "5")
	default:
		s.do("SMOVE", key, "elsewhere", m)
	}
}

func fillHash(s *testCtx, pad string) {
	for i := range walkTestElements {
		s.do("HSET", "big", fmt.Sprint("f:", pad, i), fmt.Sprint("v:", i))
	}
}

// fillDueHash fills a hash of which many fields are due, more than a command removes, and others will soon be.
func fillDueHash(s *testCtx, pad string) {
	fillHash(s, pad)
	for i := range 3 * hashReapSlice {
		s.do("HPEXPIRE", "big", fmt.Sprint(10+i%2*20), "FIELDS", "2", fmt.Sprint("f:", pad, 2*i), fmt.Sprint("f:", pad, 2*i+1))
	}
	s.advance(20)
}

func changeHash(s *testCtx, key, pad string, rnd *rand.Rand) {
	f := fmt.Sprint("f:", pad, rnd.IntN(walkTestElements*5/4))
	switch rnd.IntN(8) {
	case 0, 1:
		s.do("HSET", key, f, strings.Repeat("new", rnd.IntN(9)))
	case 2, 3:
		s.do("HDEL", key, f)
	case 4:
		s.do("HSETNX", key, f, "set")
	case 5:
		s.do("HPEXPIRE", key, "5", "FIELDS", "1", f)
	case 6:
		s.do("HPERSIST", key, "FIELDS", "1", f)
	default:
		s.advance(1)
		s.do("HGET", key, f) // removes fields that are due by now
	}
}

func fillList(config func(*Settings)) func(s *testCtx, pad string) {
	return func(s *testCtx, pad string) {
		config(s.Settings)
		for i := range walkTestElements {
			elem := fmt.Sprint("e:", pad, i)
			switch {
			case i%5 == 0:
				elem = fmt.Sprint(7 * i)
			case i%900 == 0:
				elem = strings.Repeat("large", 3000) // a chunk of its own
			}
			s.do("RPUSH", "big", elem)
		}
	}
}

func changeList(s *testCtx, key, pad string, rnd *rand.Rand) {
	at := fmt.Sprint(rnd.IntN(walkTestElements))
	switch rnd.IntN(9) {
	case 0:
		s.do("LPUSH", key, "left")
	case 1:
		s.do("RPUSH", key, "right", "further")
	case 2:
		s.do("LSET", key, at, "set")
	case 3:
		s.do("LINSERT", key, "BEFORE", "e:"+pad+at, "inserted")
	case 4:
		s.do("LREM", key, "1", "e:"+pad+at)
	case 5:
		s.do("LPOP", key, "2")
	case 6:
		s.do("RPOP", key, "3")
	case 7:
		s.do("LMOVE", key, key, "LEFT", "RIGHT")
	default:
		s.do("LTRIM", key, "1", "-2")
	}
}

func fillZSet(s *testCtx, pad string) {
	for i := range walkTestElements {
		s.do("ZADD", "big", fmt.Sprint(i%777), fmt.Sprint(pad, i*3))
	}
}

func changeZSet(s *testCtx, key, pad string, rnd *rand.Rand) {
	m := fmt.Sprint(pad, rnd.IntN(walkTestElements)*3)
	switch rnd.IntN(3) {
	case 0:
		s.do("ZADD", key, fmt.Sprint(rnd.IntN(999)), m)
	case 1:
		s.do("ZREM", key, m)
	default:
		s.do("ZPOPMIN", key, "3")
	}
}

func fillNumbers(s *testCtx, pad string) {
	for i := range walkTestElements {
		s.do("SADD", "big", fmt.Sprintf("%s%d.%d", pad, i*7919%10007, i))
	}
}

func walkCases() []walkCase {
	plain := fillList(func(*Settings) {})
	zipped := fillList(func(c *Settings) { c.ListCompressDepth, c.ListMaxListpackSize = 2, 100 })
	return []walkCase{
		{"SMEMBERS", "SMEMBERS big", 1, 2, fillSet, changeSet},
		{"SMEMBERS 3", "SMEMBERS big", 1, 3, fillSet, changeSet},
		{"HGETALL", "HGETALL big", 2, 2, fillHash, changeHash},
		{"HGETALL 3", "HGETALL big", 2, 3, fillHash, changeHash},
		{"HGETALL due", "HGETALL big", 2, 3, fillDueHash, changeHash},
		{"HKEYS", "HKEYS big", 1, 2, fillHash, changeHash},
		{"HKEYS due", "HKEYS big", 1, 2, fillDueHash, changeHash},
		{"HVALS", "HVALS big", 1, 3, fillHash, changeHash},
		{"LRANGE", "LRANGE big 0 -1", 0, 2, plain, changeList},
		{"LRANGE part", "LRANGE big 777 -1011", 0, 2, plain, changeList},
		{"LRANGE zipped", "LRANGE big 0 -1", 0, 3, zipped, changeList},
		{"LRANGE zipped part", "LRANGE big -6000 6500", 0, 2, zipped, changeList},
		{"SORT set", "SORT big ALPHA LIMIT 10 5000", 0, 2, fillSet, changeSet},
		{"SORT numbers", "SORT big DESC", 0, 2, fillNumbers, changeSet},
		{"SORT no number", "SORT big", 0, 2, fillSet, changeSet},
		{"SORT GET", "SORT big ALPHA GET # GET nothing", 0, 3, fillSet, changeSet},
		{"SORT unsorted set", "SORT big BY nosort", 1, 2, fillSet, changeSet},
		{"SORT list", "SORT big ALPHA", 0, 2, zipped, changeList},
		{"SORT unsorted list", "SORT big BY nosort LIMIT 100 6000", 0, 2, plain, changeList},
		{"SORT list backwards", "SORT big BY nosort DESC LIMIT 100 6000", 0, 2, plain, changeList},
		{"SORT_RO zset", "SORT_RO big DESC", 0, 2, fillZSet, changeZSet},
	}
}

// walkFates are what becomes of the key in the middle of a walk, and the key that has the value then.
var walkFates = []struct {
	name  string
	lines []string
	key   string
}{
	{"stays", nil, "big"},
	{"DEL", []string{"DEL big"}, "big"},
	{"SET", []string{"SET big x"}, "other"},
	{"other type", []string{"DEL big", "ZADD big 1 a", "ZADD other 1 b"}, "elsewhere"},
	{"RENAME here and there", []string{"RENAME big k1", "RENAME k1 k2", "RENAME k2 k3", "RENAME k3 k4", "RENAME k4 k5", "RENAME k5 k6"}, "k6"},
	{"RENAME and back", []string{"RENAME big k1", "RENAME k1 k2", "RENAME k2 k3", "RENAME k3 big"}, "big"},
	{"COPY over", []string{"SADD small a", "COPY small big REPLACE"}, "other"},
	{"MOVE", []string{"MOVE big 1"}, "other"},
	{"MOVE and FLUSHDB", []string{"MOVE big 1", "SELECT 1", "FLUSHDB", "SELECT 0"}, "other"},
	{"SWAPDB", []string{"SWAPDB 0 1"}, "other"},
	{"SWAPDB and FLUSHALL", []string{"SWAPDB 0 1", "FLUSHALL"}, "other"},
	{"FLUSHDB", []string{"FLUSHDB"}, "other"},
	{"FLUSHALL and RENAME", []string{"RENAME big k1", "FLUSHALL", "SET k1 x"}, "other"},
	{"expiry", []string{"PEXPIRE big 1"}, "big"},
}

func (s *testCtx) bytesUsed() (n int64) {
	for _, sh := range s.shards {
		n += sh.UsedBytes()
	}
	return n
}

// TestWalks: whatever happens meanwhile, a walk replies what the command would have replied at its instant, and nothing
// of it is left afterwards.
func TestWalks(t *testing.T) {
	fates := walkFates
	for i, tc := range walkCases() {
		t.Run(tc.name, func(t *testing.T) {
			for j, fate := range fates {
				if testing.Short() && j != 0 && j%5 != i%5 {
					continue
				}
				t.Run(fate.name, func(t *testing.T) {
					testWalk(t, tc, fate.lines, fate.key, []string{"", walkPad}[(i+j)%2])
				})
			}
		})
	}
}

func testWalk(t *testing.T, tc walkCase, fate []string, key, pad string) {
	s := newTestCtx(t, 4)
	s.Journal = nil
	s.out.Proto = tc.proto
	rnd := rand.New(rand.NewPCG(3, 4))
	base := s.bytesUsed()
	tc.fill(s, pad)
	for range 500 {
		tc.change(s, "big", pad, rnd)
	}
	require.True(t, s.heavy(tc.line))
	args := bytes.Fields([]byte(tc.line))
	want := string(s.call(args))

	var walks [2]walked // the second one begins later
	for n := range walks {
		w := &walks[n]
		w.walk = s.begin(tc.line)
		require.NotNil(t, w.walk)
		require.Len(t, w.walk.Parts(), 1)
		w.part = w.walk.Parts()[0]
		if n == 0 {
			w.step()
		}
	}
	for range 2 {
		for range 30 {
			tc.change(s, "big", pad, rnd)
		}
		walks[0].step()
	}
	for _, line := range fate {
		s.run(line)
	}
	s.advance(1)
	for !walks[0].over || !walks[1].over {
		for range 30 {
			tc.change(s, key, pad, rnd)
		}
		for i := range walks {
			if !walks[i].over {
				walks[i].step()
			}
		}
		s.log = nil
	}
	for i := range walks {
		require.Equal(t, canonical(t, want, tc.unit), canonical(t, walks[i].finish(tc.proto), tc.unit))
	}
	s.run("FLUSHALL")
	require.Equal(t, base, s.bytesUsed())
}

// TestWalkGivenUp: a walk that is given up leaves nothing, wherever it had come to.
func TestWalkGivenUp(t *testing.T) {
	for _, tc := range walkCases() {
		t.Run(tc.name, func(t *testing.T) {
			s := newTestCtx(t, 2)
			base := s.bytesUsed()
			tc.fill(s, "")
			full := s.bytesUsed()
			for steps := range 3 {
				w := s.begin(tc.line)
				part := w.Parts()[0]
				for range steps {
					require.True(t, part.Step())
				}
				part.End()
				part.End()
			}
			if !strings.Contains(tc.name, "due") { // the command removes due fields
				require.Equal(t, full, s.bytesUsed())
			}
			w := s.begin(tc.line)
			s.run("DEL big")
			w.Parts()[0].End()
			s.run("FLUSHALL")
			require.Equal(t, base, s.bytesUsed())
		})
	}
}

// TestWalksOnlyWhereTheyMay: small values, scripts and transactions are read in one go, and what a walk cannot do is.
func TestWalksOnlyWhereTheyMay(t *testing.T) {
	s := newTestCtx(t, 2)
	s.Journal = nil
	s.run("SADD small a")
	s.run("HSET smallhash a b")
	s.run("RPUSH smalllist a b")
	for _, line := range []string{
		"SMEMBERS small", "SMEMBERS none", "SMEMBERS smallhash", "HGETALL smallhash", "HGETALL small", "HKEYS none",
		"LRANGE smalllist 0 -1", "LRANGE small 0 -1", "LRANGE none 0 -1", "SORT small ALPHA", "SORT none",
	} {
		require.Nil(t, s.begin(line), line)
	}
	for _, tc := range walkCases() {
		s := newTestCtx(t, 2)
		s.Journal = nil
		tc.fill(s, "")
		want := canonical(t, string(s.call(bytes.Fields([]byte(tc.line)))), tc.unit)
		held := &heldWalk{}
		s.Walker = held
		require.False(t, s.heavy(tc.line), "beginning a walk takes no time")
		for _, in := range []*bool{&s.InScript, &s.InMulti} {
			*in = true
			require.True(t, s.heavy(tc.line))
			got := canonical(t, string(s.call(bytes.Fields([]byte(tc.line)))), tc.unit)
			*in = false
			if in == &s.InScript && tc.name == "SORT unsorted set" {
				continue // which a script gets sorted
			}
			require.Equal(t, want, got)
		}
		require.Nil(t, held.walk)
	}
	s = newTestCtx(t, 2)
	s.Journal = nil
	fillSet(s, "")
	s.run("RENAME big bigset")
	fillZSet(s, "")
	s.Walker = &heldWalk{}
	for _, line := range []string{
		"SORT bigset ALPHA STORE to", "SORT bigset BY w_* ALPHA", "SORT bigset ALPHA GET w_*", "SORT big BY nosort",
	} {
		require.True(t, s.heavy(line), line)
		require.Nil(t, s.begin(line), line)
	}
	require.NotNil(t, s.begin("SORT bigset"))

	// RENAME copies what is being walked, if it goes to another shard.
	require.True(t, s.heavy("RENAME bigset a") || s.heavy("RENAME bigset b") || s.heavy("RENAME bigset c") || s.heavy("RENAME bigset d"))
	require.False(t, s.heavy("RENAME bigset bigset"))
	require.False(t, s.heavy("RENAME big a"))
}
