package actors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/netio/resp"
)

// longLen is how many elements the values of these tests have: more than is read in one go, and more bytes than stay in
// the memory that keys share.
const longLen = 6000

// longElem is an element of a value; those of 2i and 2i+1 come and go together.
func longElem(i int) string { return fmt.Sprintf("%090d", i) }

// fillLong makes the keys, of "set", "hash", "list" and "zset", with longLen elements each.
func fillLong(c *testConn, keys ...string) {
	const at = 500
	for _, key := range keys {
		for i := 0; i < longLen; i += at {
			words := map[string][]string{
				"set": {"SADD", key}, "hash": {"HSET", key}, "zset": {"ZADD", key}, "list": {"RPUSH", key},
			}[key]
			for j := i; j < i+at; j++ {
				switch key {
				case "hash":
					words = append(words, longElem(j), "value:"+longElem(j))
				case "zset":
					words = append(words, fmt.Sprint(j), longElem(j))
				default:
					words = append(words, longElem(j))
				}
			}
			c.do(words...)
		}
	}
}

func texts(v any) (out []string) {
	for _, x := range v.([]any) {
		out = append(out, x.(string))
	}
	return out
}

// longReads are the commands that walk, and what brings their replies into an order.
var longReads = []struct {
	line, key string
	order     func(v any) []string
}{
	{"SMEMBERS set", "set", sorted},
	{"HGETALL hash", "hash", func(v any) (pairs []string) {
		for pair := range slices.Chunk(texts(v), 2) {
			pairs = append(pairs, strings.Join(pair, " "))
		}
		slices.Sort(pairs)
		return pairs
	}},
	{"HKEYS hash", "hash", sorted},
	{"HVALS hash", "hash", sorted},
	{"LRANGE list 0 -1", "list", texts},
	{"LRANGE list 301 -300", "list", texts},
	{"SORT list DESC", "list", texts},
	{"SORT set LIMIT 5 5000", "set", texts},
	{"SORT_RO zset ALPHA", "zset", texts},
}

// TestLongReadsSeeOneInstant: a read that is under way is not disturbed by what becomes of its value, and neither keeps
// others waiting nor keeps any memory.
func TestLongReadsSeeOneInstant(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c, other := ts.connect(), ts.connect()
		base := ts.usedBytes()
		for i, meanwhile := range [][]string{
			{"DEL KEY", "EXISTS KEY"},
			{"UNLINK KEY", "SADD KEY a"},
			{"SET KEY x"},
			{"RENAME KEY a", "RENAME a b", "RENAME b c", "RENAME c d", "RENAME d e", "DEL e"},
			{"FLUSHALL"},
			{"FLUSHDB", "SET KEY x"},
			{"SWAPDB 0 1", "FLUSHALL"},
			{"MOVE KEY 1", "SWAPDB 0 1", "DEL KEY"},
			{"PEXPIRE KEY 1", "ADVANCE"},
			{"COPY KEY a", "COPY a KEY REPLACE", "DEL a"},
		} {
			for j, read := range longReads {
				if testing.Short() && j%3 != i%3 {
					continue
				}
				fillLong(c, read.key)
				want := read.order(c.run(read.line))
				require.Equal(t, ok, c.run("SET before 1"))
				c.send(read.line, "GET before")
				for _, line := range meanwhile {
					if line == "ADVANCE" {
						ts.clock.Advance(2e6)
						continue
					}
					other.run(strings.ReplaceAll(line, "KEY", read.key))
				}
				require.Equal(t, want, read.order(c.reply()), "%s and %s", read.line, meanwhile)
				c.reply()
				other.run("FLUSHALL")
			}
			require.Equal(t, ok, c.run("FLUSHALL"))
			require.Equal(t, base, ts.usedBytes(), "%v", meanwhile)
		}
	})
}

// usedBytes returns what the shards use once they are at rest.
func (ts *testServer) usedBytes() (n int64) {
	ts.settle()
	for _, s := range ts.shards {
		n += s.published.used.Load()
	}
	return n
}

// TestLongReadsUnderWrites changes values while they are read. Elements come and go in pairs, each by one command, so in
// what is read there is no half of a pair.
func TestLongReadsUnderWrites(t *testing.T) {
	rounds := 6
	if testing.Short() {
		rounds = 1
	}
	onShards(t, func(t *testing.T, ts *testServer) {
		rnd := rand.New(rand.NewPCG(1, 2))
		r, w := ts.connect(), ts.connect()
		fillLong(w, "set", "hash", "list", "zset")
		pair := func() (a, b string) {
			i := 2 * rnd.IntN(longLen)
			return longElem(i), longElem(i + 1)
		}
		writes := map[string]func(){
			"set": func() {
				a, b := pair()
				w.do([]string{"SADD", "SREM"}[rnd.IntN(2)], "set", a, b)
			},
			"hash": func() {
				a, b := pair()
				switch rnd.IntN(3) {
				case 0:
					w.do("HDEL", "hash", a, b)
				default:
					v := fmt.Sprint(rnd.Int())
					w.do("HSET", "hash", a, v, b, v)
				}
			},
			"list": func() {
				a, b := pair()
				switch rnd.IntN(4) {
				case 0:
					w.do("RPUSH", "list", a, b)
				case 1:
					w.do("LPUSH", "list", b, a)
				case 2:
					w.do("LTRIM", "list", "2", "-1")
				default:
					w.do("LTRIM", "list", "0", "-3")
				}
			},
			"zset": func() {
				a, b := pair()
				if rnd.IntN(2) == 0 {
					w.do("ZADD", "zset", "1", a, "1", b)
				} else {
					w.do("ZREM", "zset", a, b)
				}
			},
		}
		even := func(elem string) bool { return (elem[len(elem)-1]-'0')%2 == 0 }
		half := func(elem string) string { // the name of the pair
			var i int
			_, err := fmt.Sscanf(elem, "%d", &i)
			require.NoError(t, err)
			return longElem(i &^ 1)
		}
		for range rounds {
			for _, read := range longReads {
				r.send(read.line)
				var reply any
				for done := false; !done; {
					writes[read.key]()
					if len(r.wake) > 0 {
						<-r.wake
						r.take(r.s.Resume())
					}
					reply, done = r.ready()
				}
				require.NotEmpty(t, reply)
				switch got := texts(reply); read.line {
				case "HGETALL hash":
					values := map[string]string{}
					for p := range slices.Chunk(got, 2) {
						name := half(p[0])
						value := strings.TrimPrefix(p[1], "value:")
						if value == p[0] {
							value = name // as it was filled
						}
						if other, found := values[name]; found {
							require.Equal(t, other, value)
							delete(values, name)
						} else {
							values[name] = value
						}
					}
					require.Empty(t, values)
				case "HVALS hash", "SORT set LIMIT 5 5000":
				case "LRANGE list 0 -1":
					for p := range slices.Chunk(got, 2) {
						require.True(t, even(p[0]), p[0])
						require.Equal(t, half(p[1]), p[0])
					}
				case "LRANGE list 301 -300":
					require.False(t, even(got[0]))
				default:
					seen := map[string]int{}
					for _, elem := range got {
						seen[half(elem)]++
					}
					for name, n := range seen {
						require.Zero(t, n%2, name)
					}
				}
			}
		}
	})
}

// TestLongReadReplies: what surrounds a read in a pipeline, both protocols, and CLIENT REPLY.
func TestLongReadReplies(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		fillLong(c, "set", "hash", "list")
		c.send("SET a 1", "SMEMBERS set", "SADD set new", "SCARD set", "SMEMBERS set", "LRANGE list 0 -1", "GET a")
		require.Equal(t, ok, c.reply())
		require.Len(t, c.reply(), longLen)
		require.Equal(t, int64(1), c.reply())
		require.Equal(t, int64(longLen+1), c.reply())
		require.Len(t, c.reply(), longLen+1)
		require.Len(t, c.reply(), longLen)
		require.Equal(t, "1", c.reply())
		require.Contains(t, c.info("commandstats", "cmdstat_smembers"), "calls=2,")

		c.send("CLIENT REPLY SKIP", "SMEMBERS set", "PING")
		require.Equal(t, resp.Status("PONG"), c.reply())
		c.send("CLIENT REPLY OFF", "SMEMBERS set", "HGETALL hash", "SORT set", "CLIENT REPLY ON", "PING")
		require.Equal(t, ok, c.reply())
		require.Equal(t, resp.Status("PONG"), c.reply())

		require.Equal(t, resp.Error("ERR One or more scores can't be converted into double"), c.run("SORT set"))
		require.Contains(t, c.info("commandstats", "cmdstat_sort"), "failed_calls=2")

		c.run("HELLO 3")
		c.send("SMEMBERS set", "HGETALL hash", "HKEYS hash")
		require.Len(t, c.reply(), longLen+1)
		require.Len(t, c.reply().(resp.Map), 2*longLen)
		require.Len(t, c.reply(), longLen)
	})
}

// TestLongReadIsGivenUp: nothing is left of a read whose client has gone.
func TestLongReadIsGivenUp(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		other := ts.connect()
		base := ts.usedBytes()
		fillLong(other, "set", "hash", "list", "zset")
		full := ts.usedBytes()
		for _, read := range longReads {
			c := ts.connect()
			c.send(read.line, "SET after 1")
			b := c.s.batch
			c.s.Gone()
			until(func() bool { return b == nil || b.state.Load() == done })
			other.run("DEL after")
			require.Equal(t, full, ts.usedBytes())
		}
		other.check("FLUSHALL", ok)
		require.Equal(t, base, ts.usedBytes())
		require.EqualValues(t, 1, ts.clients.count.Load())
	})
}

// TestWalkPanicInReply: when a part of the reply is out, a panic cannot be answered any more, and ends the connection.
func TestWalkPanicInReply(t *testing.T) {
	ts := newTestServer(t, 1)
	c := ts.connect()
	b := ts.newBatch(c.s)
	c.s.batch = b
	b.argv = append(b.argv, []byte("smembers"), []byte("k"))
	b.add(0)
	w := &halfway{}
	b.fresh = true
	b.state.Store(left)
	c.s.busy = true
	(&sharedWalk{b: b, walk: w, parts: w.Parts()}).from(0)
	<-c.killed
	require.True(t, w.ended)
	until(func() bool { return strings.Contains(ts.log.String(), "task panicked") })
}

// halfway panics in its second slice.
type halfway struct{ steps, ended bool }

func (w *halfway) Parts() []command.WalkPart   { return []command.WalkPart{w} }
func (w *halfway) Shard() int                  { return 0 }
func (w *halfway) End()                        { w.ended = true }
func (w *halfway) Finish(*resp.Writer, func()) {}
func (w *halfway) Take() [][]byte              { return [][]byte{[]byte("*2\r\n:1\r\n")} }
func (w *halfway) Step() bool {
	if w.steps {
		panic("in the second slice")
	}
	w.steps = true
	return true
}
