package command

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/stream"
	"github.com/troupe-db/troupe/netio/resp"
)

func TestStreamRead(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"XADD a 1-1 f 1", "$3 1-1",
			"XADD a 1-2 f 2", "$3 1-2",
			"XADD b 5-0 g 3", "$3 5-0",
			"XREAD STREAMS a 0", "*1 *2 $1 a *2 *2 $3 1-1 *2 $1 f $1 1 *2 $3 1-2 *2 $1 f $1 2",
			"XREAD COUNT 1 STREAMS a b c 1-1 0 0", "*2 *2 $1 a *1 *2 $3 1-2 *2 $1 f $1 2 *2 $1 b *1 *2 $3 5-0 *2 $1 g $1 3",
			"XREAD STREAMS a $", "*-1",
			"XREAD STREAMS a b 1-2 5-0", "*-1",
			"XREAD BLOCK 0 STREAMS a $", "*-1",
			"XREAD BLOCK 100 COUNT 5 STREAMS none 0", "*-1",
			"XREAD STREAMS a +", "*1 *2 $1 a *1 *2 $3 1-2 *2 $1 f $1 2",
			"XREAD STREAMS none a + 1-1", "*1 *2 $1 a *1 *2 $3 1-2 *2 $1 f $1 2",
			"XREAD STREAMS a a + 1-1", "*2 *2 $1 a *1 *2 $3 1-2 *2 $1 f $1 2 *2 $1 a *1 *2 $3 1-2 *2 $1 f $1 2",
			"XDEL a 1-2", ":1",
			"XREAD STREAMS a +", "*1 *2 $1 a *1 *2 $3 1-1 *2 $1 f $1 1",
			"XREAD STREAMS a 1-1", "*-1",
			"XREAD STREAMS a 18446744073709551615-18446744073709551615", "*-1",
			"XREAD BLOCK 9223372036854775807 STREAMS a 0", "-ERR timeout is out of range",
			"XREAD BLOCK -1 STREAMS a 0", "-ERR timeout is negative",
			"XREAD BLOCK x STREAMS a 0", "-ERR timeout is not an integer or out of range",
			"XREAD STREAMS a b 0",
			"-ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
			"XREAD COUNT 1 BLOCK 1", syntaxErr,
			"XREAD GROUP g c STREAMS a 0", "-ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
			"XREAD NOACK STREAMS a 0", "-ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
			"XREAD STREAMS a >", "-ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
			"SET str v", "+OK",
			"XREAD STREAMS str 0", wrongType,
			"XREAD STREAMS a a a a a a a a a a 9 9 9 9 9 9 9 9 9 0", "*1 *2 $1 a *1 *2 $3 1-1 *2 $1 f $1 1",
		)
		require.Nil(t, s.tookFrom("XREAD STREAMS a b 0 0"))
		s.Reply.Proto = 3
		s.check(
			"XREAD STREAMS a b 0 0", "%2 $1 a *1 *2 $3 1-1 *2 $1 f $1 1 $1 b *1 *2 $3 5-0 *2 $1 g $1 3",
			"XREAD STREAMS a $", "_",
		)
	})
}

func TestStreamKeys(t *testing.T) {
	table := NewTable(Builtin())
	for line, want := range map[string]string{
		"XREAD STREAMS a 0":                                  "a",
		"XREAD COUNT 5 BLOCK 0 streams a b 0 0":              "a b",
		"XREAD STREAMS streams 0":                            "streams",
		"XREAD STREAMS STREAMS STREAMS 0 0":                  "STREAMS STREAMS",
		"XREAD COUNT STREAMS STREAMS a 0":                    "a",
		"XREAD STREAMS a b 0":                                "",
		"XREAD FOO STREAMS a 0":                              "",
		"XREAD COUNT 1 BLOCK":                                "",
		"XREAD COUNT 1 STREAMS":                              "",
		"XREADGROUP GROUP g c STREAMS a >":                   "a",
		"XREADGROUP GROUP streams streams STREAMS a >":       "a",
		"XREADGROUP COUNT 1 GROUP streams c STREAMS a b > 0": "a b",
		"XREADGROUP NOACK GROUP g streams STREAMS a >":       "a",
		"XREADGROUP GROUP g c COUNT 1 BLOCK GROUP":           "",
		"XREADGROUP NOACK COUNT 1 STREAMS a >  GROUP":        "",
	} {
		args, _ := resp.SplitArgs([]byte(line), nil)
		spec := table.Lookup([]byte(strings.ToLower(string(args[0]))))
		var keys []string
		for _, ref := range spec.AppendKeys(nil, args) {
			require.Equal(t, RO|Access, ref.Flags)
			keys = append(keys, string(args[ref.Index]))
		}
		require.Equal(t, want, strings.Join(keys, " "), line)
	}
}

func TestStreamGroupEffects(t *testing.T) {
	for _, shards := range []int{1, 3} {
		s := newTestCtx(t, shards)
		for _, test := range []struct {
			line, reply string
			want        []string
		}{
			{"XGROUP CREATE s g $", "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to " +
				"use the MKSTREAM option to create an empty stream automatically.", nil},
			{"XGROUP CREATE s g $ MKSTREAM", "+OK", []string{
				"new s", "modified s", "xgroup-create s", "> XGROUP CREATE s g $ MKSTREAM",
			}},
			{"XGROUP CREATE s g 0", "-BUSYGROUP Consumer Group name already exists", nil},
			{"XGROUP CREATE s h 0 ENTRIESREAD 0", "+OK", []string{
				"xgroup-create s", "> XGROUP CREATE s h 0 ENTRIESREAD 0",
			}},
			{"XGROUP CREATECONSUMER s g bob", ":1", []string{
				"xgroup-createconsumer s", "> XGROUP CREATECONSUMER s g bob",
			}},
			{"XGROUP CREATECONSUMER s g bob", ":0", nil},
			{"XADD s 1-1 f 1", "$3 1-1", []string{"modified s", "xadd s", "> XADD s 1-1 f 1"}},
			{"XADD s 1-2 f 2", "$3 1-2", []string{"modified s", "xadd s", "> XADD s 1-2 f 2"}},
			{"XADD s 1-3 f 3", "$3 1-3", []string{"modified s", "xadd s", "> XADD s 1-3 f 3"}},
			{"XADD s 1-4 f 4", "$3 1-4", []string{"modified s", "xadd s", "> XADD s 1-4 f 4"}},
			{"XREADGROUP GROUP g alice COUNT 2 STREAMS s >",
				"*1 *2 $1 s *2 *2 $3 1-1 *2 $1 f $1 1 *2 $3 1-2 *2 $1 f $1 2", []string{
					"xgroup-createconsumer s",
					"> XCLAIM s g alice 0 1-1 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1",
					"> XCLAIM s g alice 0 1-2 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-2",
					"> XGROUP SETID s g 1-2 ENTRIESREAD 2",
				}},
			{"XREADGROUP GROUP g bob NOACK COUNT 1 STREAMS s >", "*1 *2 $1 s *1 *2 $3 1-3 *2 $1 f $1 3", []string{
				"> XGROUP SETID s g 1-3 ENTRIESREAD 3",
			}},
			{"XREADGROUP GROUP g noel NOACK STREAMS s >", "*1 *2 $1 s *1 *2 $3 1-4 *2 $1 f $1 4", []string{
				"xgroup-createconsumer s", "> XGROUP CREATECONSUMER s g noel", "> XGROUP SETID s g 1-4 ENTRIESREAD 4",
			}},
			{"XREADGROUP GROUP g alice STREAMS s >", "*-1", nil},
			{"XREADGROUP GROUP g late STREAMS s >", "*-1", []string{
				"xgroup-createconsumer s", "> XGROUP CREATECONSUMER s g late",
			}},
			{"XREADGROUP GROUP g alice STREAMS s 1-1", "*1 *2 $1 s *1 *2 $3 1-2 *2 $1 f $1 2", []string{
				"> XCLAIM s g alice 0 1-2 TIME 1700000000000 RETRYCOUNT 2 FORCE JUSTID LASTID 1-4",
			}},
			{"XREADGROUP GROUP g bob STREAMS s 0", "*1 *2 $1 s *0", nil},
			{"XCLAIM s g bob 0 1-1", "*1 *2 $3 1-1 *2 $1 f $1 1", []string{
				"> XCLAIM s g bob 0 1-1 TIME 1700000000000 RETRYCOUNT 2 FORCE JUSTID LASTID 1-4",
			}},
			{"XCLAIM s g carl 0 1-2 9-9 JUSTID IDLE 1000 RETRYCOUNT 7", "*1 $3 1-2", []string{
				"xgroup-createconsumer s",
				"> XCLAIM s g carl 0 1-2 TIME 1699999999000 RETRYCOUNT 7 FORCE JUSTID LASTID 1-4",
			}},
			{"XCLAIM s g dora 5000 1-2", "*0", []string{
				"xgroup-createconsumer s", "> XGROUP CREATECONSUMER s g dora",
			}},
			{"XCLAIM s g dora 5000 1-2 LASTID 1-9", "*0", []string{"> XGROUP SETID s g 1-9 ENTRIESREAD 4"}},
			{"XCLAIM s g dora 0 1-3 FORCE", "*1 *2 $3 1-3 *2 $1 f $1 3", []string{
				"> XCLAIM s g dora 0 1-3 TIME 1700000000000 RETRYCOUNT 2 FORCE JUSTID LASTID 1-9",
			}},
			{"XDEL s 1-2 1-3", ":2", []string{"modified s", "xdel s", "> XDEL s 1-2 1-3"}},
			{"XCLAIM s g bob 0 1-2", "*0", []string{
				"> XCLAIM s g carl 0 1-2 TIME 1699999999000 RETRYCOUNT 7 FORCE JUSTID LASTID 1-9",
			}},
			{"XAUTOCLAIM s g ed 0 - COUNT 5", "*3 $3 0-0 *1 *2 $3 1-1 *2 $1 f $1 1 *1 $3 1-3", []string{
				"xgroup-createconsumer s",
				"> XCLAIM s g ed 0 1-1 TIME 1700000000000 RETRYCOUNT 3 FORCE JUSTID LASTID 1-9",
				"> XCLAIM s g dora 0 1-3 TIME 1700000000000 RETRYCOUNT 2 FORCE JUSTID LASTID 1-9",
			}},
			{"XAUTOCLAIM s g ed 5000 -", "*3 $3 0-0 *0 *0", nil},
			{"XAUTOCLAIM s g finn 5000 -", "*3 $3 0-0 *0 *0", []string{
				"xgroup-createconsumer s", "> XGROUP CREATECONSUMER s g finn",
			}},
			{"XAUTOCLAIM s g ed 0 - JUSTID", "*3 $3 0-0 *1 $3 1-1 *0", []string{
				"> XCLAIM s g ed 0 1-1 TIME 1700000000000 RETRYCOUNT 3 FORCE JUSTID LASTID 1-9",
			}},
			{"XACK s g 1-1 1-7", ":1", []string{"> XACK s g 1-1 1-7"}},
			{"XACK s g 1-1", ":0", nil},
			{"XACK s g x", streamIDErr, nil},
			{"XGROUP SETID s g 0 ENTRIESREAD 9", "+OK", []string{"xgroup-setid s", "> XGROUP SETID s g 0 ENTRIESREAD 9"}},
			{"XREADGROUP GROUP g alice COUNT 1 STREAMS s >", "*1 *2 $1 s *1 *2 $3 1-1 *2 $1 f $1 1", []string{
				"> XCLAIM s g alice 0 1-1 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1",
				"> XGROUP SETID s g 1-1 ENTRIESREAD -1",
			}},
			{"XGROUP DELCONSUMER s g alice", ":1", []string{"xgroup-delconsumer s", "> XGROUP DELCONSUMER s g alice"}},
			{"XGROUP DELCONSUMER s g alice", ":0", nil},
			{"XGROUP DESTROY s g", ":1", []string{"xgroup-destroy s", "> XGROUP DESTROY s g"}},
			{"XGROUP DESTROY s g", ":0", nil},
			{"XCLAIM s g c 0 1-1", "-NOGROUP No such key 's' or consumer group 'g'", nil},
			{"XREADGROUP GROUP h c COUNT 1 STREAMS s t > >",
				"-NOGROUP No such key 't' or consumer group 'h' in XREADGROUP with GROUP option", []string{"keymiss t"}},
			{"XGROUP CREATE t h 0 MKSTREAM", "+OK", []string{
				"new t", "modified t", "xgroup-create t", "> XGROUP CREATE t h 0 MKSTREAM",
			}},
			{"XADD t 7-7 g 1", "$3 7-7", []string{"modified t", "xadd t", "> XADD t 7-7 g 1"}},
			{"XREADGROUP GROUP h c COUNT 1 STREAMS t s > >",
				"*2 *2 $1 t *1 *2 $3 7-7 *2 $1 g $1 1 *2 $1 s *1 *2 $3 1-1 *2 $1 f $1 1", []string{
					"xgroup-createconsumer t",
					"> XCLAIM t h c 0 7-7 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 7-7",
					"> XGROUP SETID t h 7-7 ENTRIESREAD 1",
					"xgroup-createconsumer s",
					"> XCLAIM s h c 0 1-1 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1",
					"> XGROUP SETID s h 1-1 ENTRIESREAD -1",
				}},
		} {
			s.took()
			require.Equal(t, test.reply, s.run(test.line), test.line)
			require.Equal(t, test.want, s.took(), test.line)
		}
	}
}

// TestStreamGroupTimes checks what the times of consumers tell.
func TestStreamGroupTimes(t *testing.T) {
	s := newTestCtx(t, 1)
	s.fill("s", 1, 2)
	consumer := func() string {
		reply := strings.Fields(s.run("XINFO CONSUMERS s g"))
		return strings.Join(reply[len(reply)-5:], " ") // pending, idle, inactive
	}
	s.run("XGROUP CREATE s g 0")
	s.run("XGROUP CREATECONSUMER s g c")
	s.advance(10)
	require.Contains(t, consumer(), "idle :10 $8 inactive :-1")
	s.run("XREADGROUP GROUP g c COUNT 1 STREAMS s >")
	s.advance(5)
	require.Contains(t, consumer(), "idle :5 $8 inactive :5")
	s.run("XREADGROUP GROUP g c STREAMS s 0")
	s.advance(3)
	require.Contains(t, consumer(), "idle :3 $8 inactive :8", "history makes nobody active")
	s.run("XREADGROUP GROUP g c STREAMS s >")
	s.run("XREADGROUP GROUP g c STREAMS s >")
	s.advance(2)
	s.run("XREADGROUP GROUP g c STREAMS s >")
	require.Contains(t, consumer(), "idle :0 $8 inactive :2", "a try is enough to be seen")
	s.check("XPENDING s g IDLE 5 - + 10", "*1 *4 $3 1-0 $1 c :5 :2")
}

func TestStreamPending(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.fill("s", 1, 4)
		s.check(
			"XGROUP CREATE s g 0", "+OK",
			"XPENDING s g", "*4 :0 $-1 $-1 *-1",
			"XPENDING s g - + 5", "*0",
			"XREADGROUP GROUP g b COUNT 1 STREAMS s >", "*1 *2 $1 s *1 *2 $3 1-0 *2 $1 f $1 1",
			"XREADGROUP GROUP g a COUNT 2 STREAMS s >", "*1 *2 $1 s *2 *2 $3 2-0 *2 $1 f $1 2 *2 $3 3-0 *2 $1 f $1 3",
			"XPENDING s g", "*4 :3 $3 1-0 $3 3-0 *2 *2 $1 a $1 2 *2 $1 b $1 1",
		)
		s.advance(100)
		s.check(
			"XPENDING s g - + 2", "*2 *4 $3 1-0 $1 b :100 :1 *4 $3 2-0 $1 a :100 :1",
			"XPENDING s g - + 5 a", "*2 *4 $3 2-0 $1 a :100 :1 *4 $3 3-0 $1 a :100 :1",
			"XPENDING s g (2 3 5", "*1 *4 $3 3-0 $1 a :100 :1",
			"XPENDING s g IDLE 101 - + 5", "*0",
			"XPENDING s g IDLE 100 2 2 5 a", "*1 *4 $3 2-0 $1 a :100 :1",
			"XPENDING s g - + 5 none", "*0",
			"XPENDING s g - + 0", "*0",
			"XPENDING s g - +", syntaxErr,
			"XPENDING s g IDLE 1 - +", syntaxErr,
			"XPENDING s g IDLE x - + 1", notInt,
			"XPENDING s g x + 1", streamIDErr,
			"XPENDING s none", "-NOGROUP No such key 's' or consumer group 'none'",
		)
		require.Nil(t, s.tookFrom("XPENDING s g - + 5"))
		s.Reply.Proto = 3
		s.check("XGROUP CREATE s h 0", "+OK", "XPENDING s h", "*4 :0 _ _ _")
	})
}

func TestStreamInfo(t *testing.T) {
	s := newTestCtx(t, 1)
	s.fill("s", 1, 3)
	s.run("XGROUP CREATE s g 0")
	s.run("XREADGROUP GROUP g c COUNT 1 STREAMS s >")
	s.run("XDEL s 3-0")
	s.Reply.Proto = 3
	s.check(
		"XINFO STREAM s", "%10 $6 length :2 $15 radix-tree-keys :1 $16 radix-tree-nodes :2 $17 last-generated-id $3 3-0 "+
			"$20 max-deleted-entry-id $3 3-0 $13 entries-added :3 $23 recorded-first-entry-id $3 1-0 $6 groups :1 "+
			"$11 first-entry *2 $3 1-0 *2 $1 f $1 1 $10 last-entry *2 $3 2-0 *2 $1 f $1 2",
		"XINFO STREAM s FULL COUNT 1", "%9 $6 length :2 $15 radix-tree-keys :1 $16 radix-tree-nodes :2 $17 last-generated-id $3 3-0 "+
			"$20 max-deleted-entry-id $3 3-0 $13 entries-added :3 $23 recorded-first-entry-id $3 1-0 "+
			"$7 entries *1 *2 $3 1-0 *2 $1 f $1 1 $6 groups *1 %7 $4 name $1 g $17 last-delivered-id $3 1-0 "+
			"$12 entries-read :1 $3 lag _ $9 pel-count :1 $7 pending *1 *4 $3 1-0 $1 c :1700000000000 :1 "+
			"$9 consumers *1 %5 $4 name $1 c $9 seen-time :1700000000000 $11 active-time :1700000000000 "+
			"$9 pel-count :1 $7 pending *1 *3 $3 1-0 :1700000000000 :1",
		"XINFO GROUPS s", "*1 %6 $4 name $1 g $9 consumers :1 $7 pending :1 $17 last-delivered-id $3 1-0 "+
			"$12 entries-read :1 $3 lag _",
		"XINFO CONSUMERS s g", "*1 %4 $4 name $1 c $7 pending :1 $4 idle :0 $8 inactive :0",
		"XINFO STREAM s FULL FOO", "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.",
		"XINFO STREAM none FOO", "-ERR no such key",
		"XINFO CONSUMERS s none", "-NOGROUP No such consumer group 'none' for key name 's'",
	)
}

// TestStreamGroupRepeats runs random commands on groups and checks that repeating their effects gives the same groups,
// to the millisecond of each delivery.
func TestStreamGroupRepeats(t *testing.T) {
	steps := 4000
	if testing.Short() {
		steps = 400
	}
	rnd := rand.New(rand.NewPCG(3, 1))
	s, replica := newTestCtx(t, 2), newTestCtx(t, 1)
	s.Settings.StreamNodeMaxEntries = 5
	id := func() string { return fmt.Sprintf("%d-%d", s.NowMs-rnd.Int64N(30), rnd.IntN(3)) }
	pick := func(words ...string) string { return words[rnd.IntN(len(words))] }
	for range steps {
		s.advance(rnd.Int64N(3))
		replica.advance(s.NowMs - replica.NowMs)
		key, group, consumer := pick("a", "b"), pick("g", "h"), pick("x", "y", "z")
		line := fmt.Sprintf(pick(
			"XADD %[1]s * f v", "XADD %[1]s * f v", "XADD %[1]s MAXLEN ~ 15 * f v",
			"XDEL %[1]s %[4]s", "XTRIM %[1]s MAXLEN 9", "XACK %[1]s %[2]s %[4]s %[5]s",
			"XGROUP CREATE %[1]s %[2]s $ MKSTREAM", "XGROUP CREATECONSUMER %[1]s %[2]s %[3]s",
			"XREADGROUP GROUP %[2]s %[3]s COUNT 2 STREAMS %[1]s >", "XREADGROUP GROUP %[2]s %[3]s COUNT 2 STREAMS %[1]s >",
			"XREADGROUP GROUP %[2]s %[3]s NOACK STREAMS a b > >", "XREADGROUP GROUP %[2]s %[3]s COUNT 3 STREAMS %[1]s 0",
			"XCLAIM %[1]s %[2]s %[3]s 5 %[4]s %[5]s FORCE", "XCLAIM %[1]s %[2]s %[3]s 0 %[4]s IDLE 7 JUSTID LASTID %[5]s",
			"XAUTOCLAIM %[1]s %[2]s %[3]s 4 %[4]s COUNT 2", "XAUTOCLAIM %[1]s %[2]s %[3]s 0 - COUNT 3 JUSTID",
			pick("XGROUP DELCONSUMER %[1]s %[2]s %[3]s", "XGROUP DESTROY %[1]s %[2]s", "XGROUP SETID %[1]s %[2]s %[4]s", "XLEN %[1]s"),
		), key, group, consumer, id(), id())
		for _, effect := range s.tookFrom(line) {
			if words, ok := strings.CutPrefix(effect, "> "); ok {
				reply := replica.run(words)
				require.NotContains(t, reply, "-ERR", "%s: %s", line, words)
			}
		}
		for _, key := range []string{"a", "b"} {
			require.Equal(t, s.run("XINFO GROUPS "+key), replica.run("XINFO GROUPS "+key), line)
			for _, group := range []string{"g", "h"} {
				look := "XPENDING " + key + " " + group
				require.Equal(t, s.run(look), replica.run(look), line)
				require.Equal(t, s.run(look+" - + 1000"), replica.run(look+" - + 1000"), line)
			}
		}
	}
	n := 0
	for _, key := range []string{"a", "b"} {
		if st := s.streamOf(key); st != nil {
			for i := range st.Groups() {
				n += st.GroupAt(i).Consumers()
			}
		}
	}
	require.NotZero(t, n)
}

// TestStreamPrivate has a group grow until the stream moves to memory of its own, in the middle of its commands.
func TestStreamPrivate(t *testing.T) {
	s := newTestCtx(t, 1)
	for i := 1; i <= 30; i++ {
		s.do("XADD", "s", fmt.Sprintf("%d-0", i), "f", strings.Repeat("x", 40<<10))
	}
	st := s.streamOf("s")
	require.Equal(t, 30, st.Len())
	require.Greater(t, st.Bytes(), int64(1<<20))
	s.check(
		"XGROUP CREATE s g 0", "+OK",
		"XGROUP CREATECONSUMER s g c", ":1",
		"XLEN s", ":30",
	)
	require.Len(t, streamIDs(s.run("XREADGROUP GROUP g c STREAMS s >")), 30)
	for i := 1; i <= 20_000; i++ {
		s.do("XADD", "t", fmt.Sprintf("%d-0", i), "f", "v")
	}
	s.run("XGROUP CREATE t g 0")
	require.Len(t, streamIDs(s.run("XREADGROUP GROUP g c STREAMS t >")), 20_000)
	s.check("XPENDING t g", "*4 :20000 $3 1-0 $7 20000-0 *1 *2 $1 c $5 20000")
	require.Len(t, streamIDs(s.run("XAUTOCLAIM t g d 0 - COUNT 20000 JUSTID")), 20_001)
	s.check("XGROUP DELCONSUMER t g d", ":20000", "XPENDING t g", "*4 :0 $-1 $-1 *-1")
	require.Equal(t, stream.ID{Ms: 20_000}, s.streamOf("t").Group([]byte("g")).LastID())
}
