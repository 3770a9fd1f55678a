package command

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// testWait is a command of a client that may wait. It is the Blocker of its runs.
type testWait struct {
	s     *testCtx
	args  [][]byte
	wait  Wait // of the last run
	waits bool // the last run did not end the command
}

// Block implements Blocker.
func (w *testWait) Block(wait Wait) { w.wait, w.waits = wait, true }

// start runs a command that may wait and returns it with its reply, which is empty when it waits.
func (s *testCtx) start(line string) (w *testWait, reply string) {
	s.tb.Helper()
	args, ok := resp.SplitArgs([]byte(line), nil)
	require.True(s.tb, ok, "unbalanced quotes: %s", line)
	w = &testWait{s: s, args: args}
	return w, w.again()
}

// again runs the command once more, on the shards that s.Within says.
func (w *testWait) again() string {
	w.s.tb.Helper()
	w.s.Blocker, w.waits = w, false
	defer func() { w.s.Blocker = nil }()
	reply := render(w.s.call(w.args))
	require.Equal(w.s.tb, w.waits, reply == "", "a command either waits or replies: %q", w.args)
	return reply
}

// keysOn returns one key of each shard, by the name of the shard.
func (s *testCtx) keysOn() []string {
	keys := make([]string, len(s.shards))
	for i, left := 0, len(keys); left > 0; i++ {
		key := "key" + strconv.Itoa(i)
		if at := ShardOf(keyspace.MakeKey([]byte(key)).H, len(keys)); keys[at] == "" {
			keys[at] = key
			left--
		}
	}
	return keys
}

func TestBlockingWaits(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check("XADD st 1-1 f v", "$3 1-1", "XGROUP CREATE st g $", "+OK")
		for _, test := range []struct {
			line string
			want Wait
		}{
			{"BLPOP a 0", Wait{First: 1, Last: 1, Type: keyspace.List}},
			{"BRPOP a b c 1.5", Wait{First: 1, Last: 3, Type: keyspace.List, TimeoutMs: 1500}},
			{"BLPOP a 0.0001", Wait{First: 1, Last: 1, Type: keyspace.List, TimeoutMs: 1}},
			{"BLPOP a -0.0001", Wait{First: 1, Last: 1, Type: keyspace.List}},
			{"BLPOP a 0x10", Wait{First: 1, Last: 1, Type: keyspace.List, TimeoutMs: 16000}},
			{"BLPOP a 1e3", Wait{First: 1, Last: 1, Type: keyspace.List, TimeoutMs: 1000_000}},
			{"BLMPOP 2 2 a b LEFT COUNT 3", Wait{First: 3, Last: 4, Type: keyspace.List, TimeoutMs: 2000}},
			{"BLMOVE a b LEFT right 0", Wait{First: 1, Last: 1, Needs: 2, Type: keyspace.List}},
			{"BLMOVE a a LEFT RIGHT 0", Wait{First: 1, Last: 1, Needs: 2, Type: keyspace.List}},
			{"BLMOVE a st LEFT right 0", Wait{First: 1, Last: 1, Needs: 2, Type: keyspace.List}},
			{"BRPOPLPUSH a b 3", Wait{First: 1, Last: 1, Needs: 2, Type: keyspace.List, TimeoutMs: 3000}},
			{"BZPOPMIN a b 0", Wait{First: 1, Last: 2, Type: keyspace.ZSet}},
			{"BZPOPMAX a 0.25", Wait{First: 1, Last: 1, Type: keyspace.ZSet, TimeoutMs: 250}},
			{"BZMPOP 0 1 a MAX", Wait{First: 3, Last: 3, Type: keyspace.ZSet}},
			{"XREAD BLOCK 7 STREAMS a st 0 $", Wait{First: 4, Last: 5, Type: keyspace.Stream, TimeoutMs: 7}},
			{"XREAD COUNT 2 BLOCK 0 STREAMS a +", Wait{First: 6, Last: 6, Type: keyspace.Stream}},
			{"XREADGROUP GROUP g c BLOCK 8 NOACK STREAMS st >", Wait{
				First: 8, Last: 8, Type: keyspace.Stream, Gone: true, TimeoutMs: 8,
			}},
		} {
			w, reply := s.start(test.line)
			require.Empty(t, reply, test.line)
			require.Equal(t, test.want, w.wait, test.line)
			require.Empty(t, w.again(), "%s, again with nothing there", test.line)
			require.Equal(t, test.want, w.wait, test.line)
		}
	})
}

// The order in which mistakes are told is that of Redis 7.0.15, texts of timeouts that are too large those of 7.4.
func TestBlockingMistakes(t *testing.T) {
	const (
		notFloat  = "-ERR timeout is not a float or out of range"
		negative  = "-ERR timeout is negative"
		tooLarge  = "-ERR timeout is out of range"
		numKeys   = "-ERR numkeys should be greater than 0"
		count     = "-ERR count should be greater than 0"
		notMillis = "-ERR timeout is not an integer or out of range"
	)
	onShards(t, func(t *testing.T, s *testCtx) {
		s.run("SET s x")
		lines := []string{
			"BLPOP s 1", wrongType, "BRPOP none s 1", wrongType, "BZPOPMIN none s 1", wrongType, "BZPOPMAX s x", notFloat,
			"BLMOVE none s FOO LEFT -1", syntaxErr, "BLMOVE none s LEFT FOO -1", syntaxErr,
			"BLMOVE none s LEFT LEFT -1", negative, "BLMOVE s none LEFT LEFT -1", negative,
			"BLMOVE s none LEFT LEFT 1", wrongType, "BRPOPLPUSH s none x", notFloat, "BRPOPLPUSH s none 1", wrongType,
			"BLMPOP x 0 s LEFT", numKeys, "BLMPOP x y s LEFT", numKeys, "BLMPOP x 2 s LEFT", syntaxErr,
			"BLMPOP x 1 s FOO", syntaxErr, "BLMPOP x 1 s LEFT COUNT 0", count, "BLMPOP x 1 s LEFT COUNT", syntaxErr,
			"BLMPOP x 1 s LEFT COUNT 1 COUNT 1", syntaxErr, "BLMPOP x 1 s LEFT", notFloat, "BLMPOP -1 1 s LEFT", negative,
			"BLMPOP 1 1 s LEFT", wrongType,
			"BZMPOP x 0 s MIN", numKeys, "BZMPOP x 1 s FOO", syntaxErr, "BZMPOP x 1 s MIN COUNT 0", count,
			"BZMPOP x 1 s MIN COUNT", syntaxErr, "BZMPOP x 1 s MIN", notFloat, "BZMPOP 1 1 s MIN", wrongType,
			"XREAD BLOCK 5 STREAMS none s $ $", wrongType,
			"WAIT x y", notInt, "WAIT 0 y", notMillis, "WAIT 0 -1", negative, "WAIT 1.5 1", notInt,
			"WAIT 99999999999999999999 1", notInt, "WAIT 1 9223372036854775807", tooLarge,
			"WAITAOF x x x", notInt, "WAITAOF 2 x x", "-ERR value is out of range, value must between 0 and 1",
			"WAITAOF -1 0 0", "-ERR value is out of range, value must between 0 and 1",
			"WAITAOF 1 x x", "-" + msgPositive, "WAITAOF 1 -1 x", "-" + msgPositive, "WAITAOF 1 0 x", notMillis,
			"WAITAOF 1 0 -1", negative,
			"WAITAOF 1 0 0", "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
		}
		for word, want := range map[string]string{
			"abc": notFloat, "-1": negative, "-inf": negative, "nan": notFloat, "''": notFloat, "' 1'": notFloat, "'1 '": notFloat,
			"inf": tooLarge, "1e30": tooLarge, "0x7FFFFFFFFFFFFF": tooLarge, "9223372036854775.807": tooLarge,
			"9223372036854775": tooLarge, // from now on
		} {
			lines = append(lines, "BLPOP s "+word, want, "BZPOPMIN s s2 "+word, want)
		}
		for i := 0; i < len(lines); i += 2 {
			w, reply := s.start(lines[i])
			require.False(t, w.waits, lines[i])
			require.Equal(t, lines[i+1], reply, lines[i])
		}
	})
}

// TestBlockingServes starts a command, makes a change, and runs the command again.
func TestBlockingServes(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		for _, test := range []struct {
			line, change, reply string
			log                 []string
		}{
			{"BLPOP a b 0", "RPUSH b 1 2", "*2 $1 b $1 1", []string{"modified b", "lpop b", "> LPOP b"}},
			{"BRPOP a b 0", "RPUSH b 1 2", "*2 $1 b $1 2", []string{"modified b", "rpop b", "> RPOP b"}},
			{"BRPOP a b a 0", "RPUSH a 1", "*2 $1 a $1 1", []string{"modified a", "rpop a", "modified a", "del a", "> RPOP a"}},
			{"BLMPOP 0 2 a b LEFT", "RPUSH b 1 2 3", "*2 $1 b *1 $1 1", []string{"modified b", "lpop b", "> LPOP b 1"}},
			{"BLMPOP 0 2 a b RIGHT COUNT 9", "RPUSH b 1 2 3", "*2 $1 b *3 $1 3 $1 2 $1 1", []string{
				"modified b", "rpop b", "modified b", "del b", "> RPOP b 3",
			}},
			{"BLMOVE a b LEFT RIGHT 0", "RPUSH a 1 2", "$1 1", []string{
				"new b", "modified b", "rpush b", "modified a", "lpop a", "> LMOVE a b left right",
			}},
			{"BLMOVE a a right left 0", "RPUSH a 1 2", "$1 2", []string{
				"modified a", "lpush a", "modified a", "rpop a", "> LMOVE a a right left",
			}},
			{"BRPOPLPUSH a b 0", "RPUSH a 1", "$1 1", []string{
				"new b", "modified b", "lpush b", "modified a", "rpop a", "modified a", "del a", "> RPOPLPUSH a b",
			}},
			{"BZPOPMIN a b 0", "ZADD b 1 x 2.5 y", "*3 $1 b $1 x $1 1", []string{"modified b", "zpopmin b", "> ZPOPMIN b"}},
			{"BZPOPMAX a b 0", "ZADD b 1 x 2.5 y", "*3 $1 b $1 y $3 2.5", []string{"modified b", "zpopmax b", "> ZPOPMAX b"}},
			{"BZPOPMAX a 0", "ZADD a 1 x", "*3 $1 a $1 x $1 1", []string{
				"modified a", "zpopmax a", "modified a", "del a", "> ZPOPMAX a",
			}},
			{"BZMPOP 0 2 a b MAX COUNT 9", "ZADD b 1 x 2 y", "*2 $1 b *2 *2 $1 y $1 2 *2 $1 x $1 1", []string{
				"modified b", "zpopmax b", "modified b", "del b", "> ZPOPMAX b 2",
			}},
			{"XREAD BLOCK 0 STREAMS a b $ $", "XADD b 1-1 f v", "*1 *2 $1 b *1 *2 $3 1-1 *2 $1 f $1 v", []string{
				"keymiss a", "keymiss a",
			}},
			// A key that was passed over before is looked at again.
			{"BLPOP s b 0", "SET s x", wrongType, nil},
			{"BLMOVE a s LEFT LEFT 0", "SADD s x", "", nil},
		} {
			for _, key := range []string{"a", "b", "s"} {
				s.run("DEL " + key)
			}
			w, reply := s.start(test.line)
			require.Empty(t, reply, test.line)
			s.run(test.change)
			s.took()
			require.Equal(t, test.reply, w.again(), test.line)
			require.Equal(t, test.log, s.took(), test.line)
		}
		s.check("RPUSH a 1", ":1")
		w, reply := s.start("BLMOVE a s LEFT LEFT 0")
		require.Equal(t, wrongType, reply, "the destination")
		require.False(t, w.waits)
		s.check("LLEN a", ":1")
	})
}

func TestBlockingServesAtOnce(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.Reply.Proto = 3
		for _, test := range []struct{ fill, line, reply string }{
			{"RPUSH a x y", "BLPOP none a 0", "*2 $1 a $1 x"},
			{"ZADD z 1 m 2.5 n", "BZPOPMAX none z 0", "*3 $1 z $1 n ,2.5"},
			{"ZADD z 3 m", "BZMPOP 0 2 none z MIN", "*2 $1 z *1 *2 $1 m ,3"},
			{"XADD st 1-1 f v", "XREAD BLOCK 0 STREAMS st 0", "%1 $2 st *1 *2 $3 1-1 *2 $1 f $1 v"},
		} {
			s.run(test.fill)
			_, reply := s.start(test.line)
			require.Equal(t, test.reply, reply, test.line)
		}
	})
}

// TestBlockingWhereNobodyWaits runs the commands where they may not wait.
func TestBlockingWhereNobodyWaits(t *testing.T) {
	s := newTestCtx(t, 1)
	s.run("XGROUP CREATE st g $ MKSTREAM")
	for _, test := range []struct{ line, resp2, resp3 string }{
		{"BLPOP a b 0", "*-1", "_"}, {"BRPOP a 0", "*-1", "_"}, {"BLMPOP 0 1 a LEFT", "*-1", "_"},
		{"BLMOVE a b LEFT LEFT 0", "$-1", "_"}, {"BRPOPLPUSH a b 0", "$-1", "_"},
		{"BZPOPMIN a 0", "*-1", "_"}, {"BZPOPMAX a 0", "*-1", "_"}, {"BZMPOP 0 1 a MIN", "*-1", "_"},
		{"XREAD BLOCK 0 STREAMS a $", "*-1", "_"}, {"XREADGROUP GROUP g c BLOCK 0 STREAMS st >", "*-1", "_"},
		{"WAIT 1 0", ":0", ":0"}, {"WAITAOF 0 1 0", "*2 :0 :0", "*2 :0 :0"},
	} {
		for where, set := range map[string]func(on bool){
			"MULTI":   func(on bool) { s.InMulti = on },
			"script":  func(on bool) { s.InScript = on },
			"no wait": func(bool) {},
		} {
			want := test.resp2
			set(true)
			w, reply := &testWait{s: s}, ""
			if where == "no wait" {
				reply = s.run(test.line)
			} else {
				w, reply = s.start(test.line)
			}
			set(false)
			require.False(t, w.waits, "%s in %s", test.line, where)
			require.Equal(t, want, reply, "%s in %s", test.line, where)
		}
		s.Reply.Proto = 3
		require.Equal(t, test.resp3, s.run(test.line), test.line)
		s.Reply.Proto = 2
	}
}

// TestBlockingReachable runs commands again with only some of the shards at hand.
func TestBlockingReachable(t *testing.T) {
	s := newTestCtx(t, 3)
	k := s.keysOn()
	on := func(shards ...int) (set uint64) {
		for _, i := range shards {
			set |= 1 << i
		}
		return set
	}
	keys := strings.Join(k, " ")
	for _, test := range []struct{ line, fill, reply string }{
		{"BLPOP %s 0", "RPUSH %s x", "*2 $%d %s $1 x"},
		{"BLMPOP 0 3 %s LEFT", "RPUSH %s x", "*2 $%d %s *1 $1 x"},
		{"BZPOPMIN %s 0", "ZADD %s 1 x", "*3 $%d %s $1 x $1 1"},
		{"BZMPOP 0 3 %s MAX", "ZADD %s 1 x", "*2 $%d %s *1 *2 $1 x $1 1"},
		{"XREAD BLOCK 0 STREAMS %s 0 0 0", "XADD %s 1-1 f v", "*1 *2 $%d %s *1 *2 $3 1-1 *2 $1 f $1 v"},
	} {
		line := fmt.Sprintf(test.line, keys)
		w, reply := s.start(line)
		require.Empty(t, reply)
		for i := range k {
			s.run(fmt.Sprintf(test.fill, k[i]))
		}
		s.Within = on(1)
		require.Equal(t, fmt.Sprintf(test.reply, len(k[1]), k[1]), w.again(), line)
		s.Within = 0
		s.run("DEL " + k[1])
		s.Within = on(1)
		require.Empty(t, w.again(), line)
		s.Within = on(1, 2)
		require.Equal(t, fmt.Sprintf(test.reply, len(k[2]), k[2]), w.again(), line)
		s.Within = 0
		s.run("DEL " + keys)
	}

	// A key of another type is not seen where it is out of reach.
	w, _ := s.start(fmt.Sprintf("BLPOP %s 0", keys))
	s.run("SET " + k[0] + " x")
	s.run("RPUSH " + k[2] + " x")
	s.Within = on(2)
	require.Equal(t, fmt.Sprintf("*2 $%d %s $1 x", len(k[2]), k[2]), w.again())
	s.Within = 0
	require.Equal(t, wrongType, w.again())
	s.run("DEL " + keys)

	// Moving needs both.
	w, _ = s.start(fmt.Sprintf("BLMOVE %s %s LEFT LEFT 0", k[0], k[2]))
	s.run("RPUSH " + k[0] + " x")
	for _, set := range []uint64{on(0), on(0, 1), on(1, 2)} {
		s.Within = set
		require.Empty(t, w.again())
	}
	s.Within = on(0, 2)
	require.Equal(t, "$1 x", w.again())
	s.Within = 0
	s.check("LRANGE "+k[2]+" 0 -1", "*1 $1 x", "EXISTS "+k[0], ":0")
	s.run("DEL " + keys)

	// A group reads the streams in reach, and misses those only.
	for _, key := range k {
		s.run("XGROUP CREATE " + key + " g $ MKSTREAM")
	}
	w, _ = s.start(fmt.Sprintf("XREADGROUP GROUP g c BLOCK 0 STREAMS %s > > >", keys))
	s.run("XADD " + k[1] + " 1-1 f v")
	s.run("DEL " + k[0])
	s.Within = on(2)
	require.Empty(t, w.again())
	s.Within = on(1, 2)
	require.Equal(t, fmt.Sprintf("*1 *2 $%d %s *1 *2 $3 1-1 *2 $1 f $1 v", len(k[1]), k[1]), w.again())
	require.Empty(t, w.again())
	s.Within = on(0, 1)
	require.Equal(t, "-NOGROUP No such key '"+k[0]+"' or consumer group 'g' in XREADGROUP with GROUP option", w.again())
	s.Within = 0
}

func TestBlockingStreamReads(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.fill("s", 1, 2)
		args, _ := resp.SplitArgs([]byte("XREAD BLOCK 0 STREAMS s none $ $"), nil)
		w := &testWait{s: s, args: args}
		require.Empty(t, w.again())
		require.Equal(t, []string{"2-0", "0-0"}, []string{string(args[6]), string(args[7])}, "$ is written down")
		s.fill("s", 3, 4)
		const both = "*1 *2 $1 s *2 *2 $3 3-0 *2 $1 f $1 3 *2 $3 4-0 *2 $1 f $1 4"
		require.Equal(t, both, w.again(), "$ is where it was")
		s.run("XADD none 1-1 f v")
		require.Contains(t, w.again(), "1-1")

		// "+" is the last entry whenever that is.
		plus, reply := s.start("XREAD BLOCK 0 STREAMS t +")
		require.Empty(t, reply)
		s.fill("t", 1, 3)
		require.Equal(t, "*1 *2 $1 t *1 *2 $3 3-0 *2 $1 f $1 3", plus.again())

		// Without a way to wait nothing is written.
		args, _ = resp.SplitArgs([]byte("XREAD BLOCK 0 STREAMS s $"), nil)
		require.Equal(t, "*-1", render(s.call(args)))
		require.Equal(t, "$", string(args[5]))
	})
}

func TestBlockingGroupReads(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		const noGroup = "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option"
		start := func() *testWait {
			s.run("DEL s")
			s.run("XGROUP CREATE s g $ MKSTREAM")
			w, reply := s.start("XREADGROUP GROUP g c BLOCK 0 STREAMS s >")
			require.Empty(t, reply)
			return w
		}
		w := start()
		require.Equal(t, "*1 *8 $4 name $1 c $7 pending :0 $4 idle :0 $8 inactive :-1", s.run("XINFO CONSUMERS s g"),
			"who waits is a consumer already")
		s.advance(70)
		s.fill("s", 1, 1)
		s.took()
		require.Equal(t, "*1 *2 $1 s *1 *2 $3 1-0 *2 $1 f $1 1", w.again())
		require.Contains(t, s.took(), "> XGROUP SETID s g 1-0 ENTRIESREAD 1")
		require.Empty(t, w.again())
		require.Equal(t, "*1 *8 $4 name $1 c $7 pending :1 $4 idle :0 $8 inactive :0", s.run("XINFO CONSUMERS s g"))

		for change, want := range map[string]string{
			"XGROUP DESTROY s g": noGroup, "DEL s": noGroup, "FLUSHDB": noGroup, "SET s x": wrongType, "RENAME s t": noGroup,
			"SWAPDB 0 1": noGroup,
		} {
			w := start()
			s.run(change)
			require.Equal(t, want, w.again(), change)
		}

		// What is pending is replied at once, though it be nothing.
		s.run("DEL s")
		s.run("XGROUP CREATE s g $ MKSTREAM")
		_, reply := s.start("XREADGROUP GROUP g c BLOCK 0 STREAMS s 0")
		require.Equal(t, "*1 *2 $1 s *0", reply)
	})
}

func TestWait(t *testing.T) {
	s := newTestCtx(t, 1)
	s.check("WAIT 0 0", ":0", "WAIT -5 10", ":0", "WAITAOF 0 0 10", "*2 :0 :0")
	for line, want := range map[string]string{"WAIT 1 50": ":0", "WAITAOF 0 2 50": "*2 :0 :0"} {
		w, reply := s.start(line)
		require.Empty(t, reply, line)
		require.Zero(t, w.wait.First, "no keys")
		require.EqualValues(t, 50, w.wait.TimeoutMs)
		s.out.Buf = s.out.Buf[:0]
		w.wait.TimedOut(&s.out)
		require.Equal(t, want, render(s.out.Buf), "%s, when its time is over", line)
	}
}

func TestBlockingKeys(t *testing.T) {
	s := newTestCtx(t, 1)
	for line, want := range map[string]string{
		"BLPOP a b 0": "*2 $1 a $1 b", "BRPOP a 0": "*1 $1 a", "BLMPOP 0 2 a b LEFT": "*2 $1 a $1 b",
		"BLMOVE a b LEFT LEFT 0": "*2 $1 a $1 b", "BRPOPLPUSH a b 0": "*2 $1 a $1 b", "BZPOPMIN a b 0": "*2 $1 a $1 b",
		"BZPOPMAX a 0": "*1 $1 a", "BZMPOP 0 1 a MIN COUNT 2": "*1 $1 a",
		"XREAD BLOCK 0 STREAMS a b $ $": "*2 $1 a $1 b", "WAIT 0 0": "-ERR The command has no key arguments",
	} {
		require.Equal(t, want, s.run("COMMAND GETKEYS "+line), line)
	}
}

func TestBlockingHeavy(t *testing.T) {
	s := newTestCtx(t, 1)
	words := strings.Repeat(" k", heavyKeys)
	many := strconv.Itoa(heavyKeys + 1)
	for i := range 3 * heavyElements {
		s.do("RPUSH", "l", strconv.Itoa(i))
		s.do("ZADD", "z", strconv.Itoa(i), strconv.Itoa(i))
	}
	for line, want := range map[string]bool{
		"BLPOP l 0": false, "BLPOP" + words + " 0": true, "BRPOP" + words + " 0": true, "BZPOPMIN" + words + " 0": true,
		"BLMPOP 0 1 l LEFT": false, "BLMPOP 0 1 l LEFT COUNT 10": false, "BLMPOP 0 2 x l LEFT COUNT 100000": true,
		"BLMPOP 0 3 x l LEFT COUNT 9": false, "BLMPOP 0 " + many + " l" + words + " LEFT": true,
		"LMPOP 1 l LEFT COUNT 100000": true, "LMPOP 1 l LEFT COUNT 10": false,
		"BZMPOP 0 1 z MIN": false, "BZMPOP 0 1 z MIN COUNT 10": false, "BZMPOP 0 2 x z MIN COUNT 100000": true,
		"BZMPOP 0 9 x z MIN COUNT 9": false, "BZMPOP 0 " + many + " z" + words + " MIN": true,
		"ZMPOP 1 z MIN COUNT 100000": true, "ZMPOP 1 z MIN COUNT 10": false,
	} {
		require.Equal(t, want, s.heavy(line), line[:min(len(line), 40)])
	}
}

// waitingClient waits for good.
type waitingClient struct{}

// Over implements keyspace.Waiter.
func (waitingClient) Over() bool { return false }

// TestReadyKeys tells, for every way in which a key becomes another, who is looked at.
func TestReadyKeys(t *testing.T) {
	const group = keyspace.None // stands for XREADGROUP
	for _, test := range []struct {
		before, change string
		key            string
		served         []keyspace.Type // of clients that wait for it
	}{
		{"", "RPUSH k x", "k", []keyspace.Type{keyspace.List, group}},
		{"RPUSH k x", "RPUSH k y", "k", nil},
		{"RPUSH o x", "LMOVE o k LEFT LEFT", "k", []keyspace.Type{keyspace.List, group}},
		{"", "ZADD k 1 x", "k", []keyspace.Type{keyspace.ZSet, group}},
		{"ZADD k 1 x", "ZADD k 2 y", "k", nil},
		{"ZADD o 1 x", "ZUNIONSTORE k 1 o", "k", []keyspace.Type{keyspace.ZSet, group}},
		{"ZADD o 1 x", "ZRANGESTORE k o 0 -1", "k", []keyspace.Type{keyspace.ZSet, group}},
		{"", "GEOADD k 1 1 x", "k", []keyspace.Type{keyspace.ZSet, group}},
		{"GEOADD o 1 1 x", "GEOSEARCHSTORE k o FROMLONLAT 1 1 BYRADIUS 9 m", "k", []keyspace.Type{keyspace.ZSet, group}},
		{"", "XADD k * f v", "k", []keyspace.Type{keyspace.Stream, group}},
		{"XADD k * f v", "XADD k * f v", "k", []keyspace.Type{keyspace.Stream, group}},
		{"XADD k 9-9 f v", "XADD k 1-1 f v", "k", nil},
		{"", "XADD k NOMKSTREAM * f v", "k", nil},
		{"XADD k 9-9 f v", "XTRIM k MAXLEN 0", "k", nil},
		{"XADD k 9-9 f v", "XDEL k 9-9", "k", nil},
		{"XADD k 9-9 f v", "XGROUP CREATE k g 0", "k", nil},
		{"XGROUP CREATE k g $ MKSTREAM", "XGROUP DESTROY k g", "k", []keyspace.Type{keyspace.Stream, group}},
		{"XGROUP CREATE k g $ MKSTREAM", "XGROUP DESTROY k h", "k", nil},
		{"XGROUP CREATE k g $ MKSTREAM", "XGROUP SETID k g 0", "k", nil},
		{"", "XGROUP CREATE k g $ MKSTREAM", "k", []keyspace.Type{keyspace.Stream, group}},
		{"RPUSH o x", "SORT o ALPHA STORE k", "k", []keyspace.Type{keyspace.List, group}},
		{"RPUSH o x", "RENAME o k", "k", []keyspace.Type{keyspace.List, group}},
		{"RPUSH k x", "RENAME k o", "k", []keyspace.Type{group}},
		{"RPUSH o x", "RENAMENX o k", "k", []keyspace.Type{keyspace.List, group}},
		{"ZADD o 1 x", "COPY o k", "k", []keyspace.Type{keyspace.ZSet, group}},
		{"XADD k 1-1 f v; ZADD o 1 x", "COPY o k REPLACE", "k", []keyspace.Type{keyspace.ZSet, group}},
		{"XADD k 1-1 f v", "SET k x", "k", []keyspace.Type{group}},
		{"XADD k 1-1 f v", "DEL k", "k", []keyspace.Type{group}},
		{"XADD k 1-1 f v", "UNLINK k", "k", []keyspace.Type{group}},
		{"XADD k 1-1 f v", "MOVE k 3", "k", []keyspace.Type{group}},
		{"XADD k 1-1 f v", "EXPIREAT k 1", "k", []keyspace.Type{group}},
		{"XADD k 1-1 f v", "FLUSHDB", "k", []keyspace.Type{group}},
		{"XADD k 1-1 f v", "FLUSHALL ASYNC", "k", []keyspace.Type{group}},
		{"XADD k 1-1 f v", "SWAPDB 0 1", "k", []keyspace.Type{group}},
		{"SELECT 1; ZADD k 1 x; SELECT 0", "SWAPDB 1 0", "k", []keyspace.Type{keyspace.ZSet, group}},
		{"SELECT 1; RPUSH k x", "MOVE k 0", "k", []keyspace.Type{keyspace.List, group}},
		{"", "SET k x", "k", []keyspace.Type{group}},
		{"SET k 1", "INCR k", "k", nil},
		{"RPUSH k x", "EXPIRE k 100", "k", nil},
		{"", "HSET k f v", "k", []keyspace.Type{group}},
		{"", "RPUSH o x", "k", nil},
	} {
		onShards(t, func(t *testing.T, s *testCtx) {
			ready := new(keyspace.ReadyKeys)
			for _, sh := range s.shards {
				sh.Ready = ready
			}
			if test.before != "" {
				for line := range strings.SplitSeq(test.before, "; ") {
					require.NotRegexp(t, "^-", s.run(line), line)
				}
			}
			k := keyspace.MakeKey([]byte(test.key))
			db := s.DBAt(0, k)
			for _, waits := range []keyspace.Type{keyspace.List, keyspace.ZSet, keyspace.Stream, group} {
				db.Enqueue(k.B, &keyspace.Wait{Client: waitingClient{}, Type: waits, Gone: waits == group}, 0)
			}
			s.run(test.change)
			var served []keyspace.Type
			for q := ready.Take(); q != nil; q = ready.Take() {
				require.Equal(t, test.key, string(q.Key().B))
				require.Same(t, db, q.DB())
				for w := q.First(); w != nil; w = w.Next() {
					if q.Serves(w) {
						served = append(served, w.Type)
					}
				}
			}
			require.Equal(t, test.served, served, "%s; %s", test.before, test.change)
		})
	}
}

// TestReadyKeysInOrder makes keys on several shards and looks at them in the order in which they came.
func TestReadyKeysInOrder(t *testing.T) {
	s := newTestCtx(t, 3)
	ready := new(keyspace.ReadyKeys)
	for _, sh := range s.shards {
		sh.Ready = ready
	}
	k := s.keysOn()
	for _, key := range k {
		s.DBAt(0, keyspace.MakeKey([]byte(key))).Enqueue([]byte(key), &keyspace.Wait{Type: keyspace.List}, 0)
	}
	for _, i := range []int{2, 0, 2, 1, 0} {
		s.run("RPUSH " + k[i] + " x")
		s.run("DEL " + k[i])
	}
	for _, i := range []int{2, 0, 1} {
		require.Equal(t, k[i], string(ready.Take().Key().B))
	}
	require.True(t, ready.Empty())
	require.Nil(t, ready.Take())
}
