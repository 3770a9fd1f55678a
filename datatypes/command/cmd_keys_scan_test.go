package command

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/glob"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// scanReply runs SCAN and returns the cursor and the keys.
func scanReply(t *testing.T, s *testCtx, line string) (cursor uint64, keys []string) {
	t.Helper()
	words := strings.Fields(line)
	args := make([][]byte, len(words))
	for i, w := range words {
		args[i] = []byte(w)
	}
	reply := s.call(args)
	v, n, err := resp.ReadReply(reply)
	require.NoError(t, err)
	require.Equal(t, len(reply), n)
	parts, ok := v.([]any)
	require.True(t, ok, "%s: %v", line, v)
	require.Len(t, parts, 2)
	cursor, err = strconv.ParseUint(fmt.Sprintf("%s", parts[0]), 10, 64)
	require.NoError(t, err)
	for _, k := range parts[1].([]any) {
		keys = append(keys, fmt.Sprintf("%s", k))
	}
	return cursor, keys
}

// scanAll walks to the end and returns how often each key was seen.
func scanAll(t *testing.T, s *testCtx, options string) map[string]int {
	t.Helper()
	seen := make(map[string]int)
	for cursor, calls := uint64(0), 0; ; calls++ {
		require.Less(t, calls, 100_000)
		var keys []string
		cursor, keys = scanReply(t, s, fmt.Sprintf("SCAN %d %s", cursor, options))
		require.Less(t, cursor, uint64(1)<<53)
		for _, k := range keys {
			seen[k]++
		}
		if cursor == 0 {
			return seen
		}
	}
}

func TestScan(t *testing.T) {
	for _, shards := range []int{1, 4} {
		t.Run(fmt.Sprint(shards, " shards"), func(t *testing.T) {
			s := newTestCtx(t, shards)
			s.check("SCAN 0", "*2 $1 0 *0")
			want := make(map[string]int)
			for i := range 1000 {
				name := fmt.Sprint("key:", i)
				s.run("SET " + name + " v")
				want[name] = 1
			}
			for _, options := range []string{"", "COUNT 1", "COUNT 7", "COUNT 999", "COUNT 1000", "COUNT 1000000000", "TYPE string", "type STRING count 50", "MATCH *", "MATCH key:*"} {
				require.Equal(t, want, scanAll(t, s, options), options)
			}
			require.Len(t, scanAll(t, s, "MATCH key:99*"), 11)
			require.Equal(t, map[string]int{"key:77": 1}, scanAll(t, s, "MATCH key:77"))
			require.Empty(t, scanAll(t, s, "TYPE hash"))
			require.Empty(t, scanAll(t, s, "TYPE nosuch"))
			require.Empty(t, scanAll(t, s, "TYPE none"))
			cursor, keys := scanReply(t, s, "SCAN 0 COUNT 500")
			require.NotZero(t, cursor)
			require.InDelta(t, 500, len(keys), 3, "COUNT is met across shards")
			_, keys = scanReply(t, s, "SCAN 0 COUNT 1000")
			require.Len(t, keys, 1000)
			s.run("SELECT 1")
			s.check("SCAN 0", "*2 $1 0 *0")
		})
	}
}

func TestScanErrors(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.run("MSET a 1 b 2")
		const badCursor = "-ERR invalid cursor"
		s.check(
			"SCAN abc", badCursor, "SCAN -1", badCursor, `SCAN ""`, badCursor, "SCAN 1.5", badCursor, `SCAN "0 "`, badCursor,
			"SCAN 18446744073709551616", badCursor, "SCAN abc foo", badCursor,
			"SCAN 18446744073709551615", "*2 $1 0 *0",
			"SCAN 9007199254740991", "*2 $1 0 *0",
			"SCAN 0 COUNT", "-"+MsgSyntax, "SCAN 0 COUNT 0", "-"+MsgSyntax, "SCAN 0 COUNT -1", "-"+MsgSyntax,
			"SCAN 0 COUNT abc", "-"+MsgNotInt, "SCAN 0 COUNT 99999999999999999999", "-"+MsgNotInt,
			"SCAN 0 COUNT 1 COUNT 0", "-"+MsgSyntax, "SCAN 0 MATCH", "-"+MsgSyntax, "SCAN 0 TYPE", "-"+MsgSyntax,
			"SCAN 0 foo bar", "-"+MsgSyntax, "SCAN 0 foo", "-"+MsgSyntax,
			"SCAN 0 NOVALUES", "-ERR NOVALUES option can only be used in HSCAN",
			"SCAN 0 TYPE hash TYPE string MATCH b", "*2 $1 0 *1 $1 b",
			"SCAN +0 MATCH a", "*2 $1 0 *1 $1 a", `SCAN " 0" MATCH a`, "*2 $1 0 *1 $1 a", "SCAN 00 MATCH a", "*2 $1 0 *1 $1 a",
			"SCAN", "-ERR wrong number of arguments for 'scan' command",
		)
		require.False(t, s.heavy("SCAN 0 MATCH a*"))
		require.False(t, s.heavy("SCAN 0 COUNT 100"))
		require.True(t, s.heavy("SCAN 0 MATCH a count 100000"))
	})
}

// TestScanGuarantee: what is there from the first call to the last is seen, while thousands of keys come and go.
func TestScanGuarantee(t *testing.T) {
	for _, shards := range []int{1, 4} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprint(shards, " shards, seed ", seed), func(t *testing.T) {
				s := newTestCtx(t, shards)
				s.Journal = nil
				rnd := rand.New(rand.NewPCG(seed, 9))
				set := func(name string) { s.run("SET " + name + " v") }
				for i := range 200 {
					set(fmt.Sprint("stays:", i))
				}
				others, grow := 0, seed%2 == 0
				if !grow {
					for others < 6000 {
						set(fmt.Sprint("other:", others))
						others++
					}
				}
				for walk := range 6 {
					seen := make(map[string]bool)
					for cursor := uint64(0); ; {
						var keys []string
						cursor, keys = scanReply(t, s, fmt.Sprintf("SCAN %d COUNT %d", cursor, 1+rnd.IntN(200)))
						for _, k := range keys {
							seen[k] = true
						}
						if cursor == 0 {
							break
						}
						for range rnd.IntN(400) {
							switch {
							case grow:
								set(fmt.Sprint("other:", others))
								others++
							case others > 0:
								others--
								s.run(fmt.Sprint("DEL other:", others))
							}
						}
						s.took()
					}
					for i := range 200 {
						require.True(t, seen[fmt.Sprint("stays:", i)], "walk %d missed %d", walk, i)
					}
					grow = !grow
				}
			})
		}
	}
}

func TestScanExpired(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		for i := range 50 {
			s.run(fmt.Sprintf("SET dead:%d v PX 5", i))
			s.run(fmt.Sprintf("SET alive:%d v", i))
		}
		s.advance(5)
		s.took()
		require.Len(t, scanAll(t, s, "COUNT 3"), 50)
		require.Len(t, s.took(), 3*50, "expired keys that a walk comes upon are removed")
		s.check("DBSIZE", ":50")
	})
}

// TestScanBounded: COUNT cannot make one call look at more than a certain number of keys.
func TestScanBounded(t *testing.T) {
	s := newTestCtx(t, 2)
	for i := range scanMost + 5000 {
		name := fmt.Appendf(nil, "k%d", i)
		k := keyspace.MakeKey(name)
		s.DB(k).SetString(k, nil, keyspace.NoTTL)
	}
	cursor, keys := scanReply(t, s, "SCAN 0 COUNT 9223372036854775807")
	require.NotZero(t, cursor)
	require.InDelta(t, scanMost, len(keys), 10)
	cursor, keys = scanReply(t, s, fmt.Sprintf("SCAN %d COUNT 9223372036854775807", cursor))
	require.Zero(t, cursor)
	require.InDelta(t, 5000, len(keys), 10)
}

func TestPackCursor(t *testing.T) {
	for _, shard := range []int{0, 1, 511} {
		for _, pos := range []uint64{0, 1 << 20, 1 << 63, (1<<44 - 1) << 20} {
			c := packCursor(shard, pos)
			require.Less(t, c, uint64(1)<<53)
			gotShard, gotPos := unpackCursor(c)
			require.Equal(t, shard, gotShard)
			require.Equal(t, pos, gotPos)
		}
	}
}

func TestKeys(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check("KEYS *", "*0", "KEYS a", "*0", "KEYS", "-ERR wrong number of arguments for 'keys' command")
		s.do("SET", "", "v")
		s.run("MSET foo 1 foobar 2 bar 3 ba[r 4 a:1:b 5 a:2:b 6 a:1:c 7")
		for pattern, want := range map[string]string{
			"*":       "|a:1:b|a:1:c|a:2:b|ba[r|bar|foo|foobar",
			"**":      "a:1:b|a:1:c|a:2:b|ba[r|bar|foo|foobar", // the empty key matches "*" alone: a quirk of Redis
			"":        "",
			"foo":     "foo",
			"nokey":   "none",
			"foo*":    "foo|foobar",
			"*bar":    "bar|foobar",
			"f?o":     "foo",
			"b[a-c]r": "bar",
			`ba\[r`:   "ba[r",
			"a:*:b":   "a:1:b|a:2:b",
			"a:1:*":   "a:1:b|a:1:c",
		} {
			v, _, err := resp.ReadReply(s.call([][]byte{[]byte("KEYS"), []byte(pattern)}))
			require.NoError(t, err)
			got := []string{}
			for _, k := range v.([]any) {
				got = append(got, fmt.Sprintf("%s", k))
			}
			slices.Sort(got)
			if want == "none" {
				require.Empty(t, got)
				continue
			}
			require.Equal(t, want, strings.Join(got, "|"), pattern)
			require.NotEmpty(t, got, pattern)
		}
		s.run("SET gone v PX 5")
		s.advance(5)
		require.Empty(t, s.tookFrom("KEYS g*"), "KEYS removes no expired key")
		s.check("KEYS g*", "*0", "KEYS gone", "*0")
	})
}

func TestKeysHeavy(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		for i := range heavyKeys {
			s.run(fmt.Sprintf("SET k%d v", i))
		}
		require.False(t, s.heavy("KEYS *"))
		s.run("SET more v")
		require.True(t, s.heavy("KEYS *"))
		require.True(t, s.heavy("KEYS k*"))
		require.False(t, s.heavy("KEYS more"), "a plain name is looked up")
		s.run("SELECT 1")
		require.False(t, s.heavy("KEYS *"))
	})
}

// TestKeysWalk walks all shards in slices while commands go on, and must give the keys of the instant of its beginning.
func TestKeysWalk(t *testing.T) {
	for _, pattern := range []string{"*", "key:1*", "key:[0-4]*", "key:17", "nosuch*"} {
		t.Run(pattern, func(t *testing.T) {
			s := newTestCtx(t, 4)
			s.Journal = nil
			rnd := rand.New(rand.NewPCG(5, 5))
			keys := make(map[string]bool)
			change := func() {
				name := fmt.Sprint("key:", rnd.IntN(3000))
				if rnd.IntN(3) == 0 {
					s.run("DEL " + name)
					delete(keys, name)
				} else {
					s.run("SET " + name + " v")
					keys[name] = true
				}
				s.took()
			}
			for range 5000 {
				change()
			}
			want := maps.Clone(keys)
			maps.DeleteFunc(want, func(k string, _ bool) bool { return !glob.MatchString(pattern, k, false) })
			given := []byte(pattern)
			w := newKeysWalk(s.Ctx, given)
			clear(given) // the walk keeps a copy
			for left := true; left; {
				left = false
				for _, p := range w.parts {
					left = p.cut.Step(1+rnd.IntN(50)) || left
				}
				for range 20 {
					change()
				}
			}
			var out resp.Writer
			out.Pieces(walkPiece)
			w.Finish(&out, func() {})
			reply := slices.Concat(append(out.Full, out.Buf)...)
			v, size, err := resp.ReadReply(reply)
			require.NoError(t, err)
			require.Equal(t, len(reply), size)
			got := make(map[string]bool)
			for _, k := range v.([]any) {
				name := fmt.Sprintf("%s", k)
				require.False(t, got[name], "%s twice", name)
				got[name] = true
			}
			require.Equal(t, want, got)
		})
	}
}

func TestKeysWalkEnd(t *testing.T) {
	s := newTestCtx(t, 1)
	s.run("MSET a 1 b 2")
	p := newKeysWalk(s.Ctx, []byte("*")).parts[0]
	p.End()
	s.run("DEL a")
	require.Zero(t, p.n)
	require.False(t, p.Step())
}

// TestKeyMatcher compares the shortcuts with glob.
func TestKeyMatcher(t *testing.T) {
	patterns := []string{"", "*", "**", "a", "ab", "a*", "ab*", "a**", "a*b", "*a", "?", "?*", "a?", "[ab]", "a[b", `a\b`, `a\*`, `\a*`, `a\`, `a*\`}
	keys := []string{"", "a", "b", "ab", "abc", "a*", "a*b", `a\`, "a[b", "ba", "*", "aXb"}
	for _, p := range patterns {
		m := newKeyMatcher([]byte(p))
		for _, k := range keys {
			want := glob.MatchString(p, k, false) || p == "*"
			require.Equal(t, want, m.match([]byte(k)), "%q %q", p, k)
		}
	}
}

func BenchmarkKeysOneShard(b *testing.B) {
	s := newTestCtx(b, 1)
	for i := range 100_000 {
		k := keyspace.MakeKey(fmt.Appendf(nil, "user:%d:name", i))
		s.DB(k).SetString(k, []byte("v"), keyspace.NoTTL)
	}
	args := [][]byte{[]byte("KEYS"), []byte("user:99*")}
	for b.Loop() {
		s.call(args)
	}
}
