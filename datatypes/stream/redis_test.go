package stream

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The blocks of streams in testdata/redis.jsonl were written by redis-server 7.0.15: what it has for the commands that
// redisScripts gives, as DUMP tells. To record them anew: redis-server --port 17700 --rdbcompression no, then
//
//	go test ./datatypes/stream -run TestRedisBlocks -rewrite 127.0.0.1:17700
var rewrite = flag.String("rewrite", "", "address of a redis-server to record testdata/redis.jsonl from")

const redisFile = "testdata/redis.jsonl"

// recorded is a line of the file.
type recorded struct {
	Script int    `json:"script"`
	Dump   string `json:"dump"`  // in hex
	Nodes  int    `json:"nodes"` // radix-tree-nodes
}

// script is a stream and the commands that lead to it.
type script struct {
	lim  Limits
	cmds [][]string
}

// redisScripts returns the scripts. They must not change, or the file must be recorded anew.
func redisScripts() (scripts []script) {
	for n := range 15 {
		r := rand.New(rand.NewPCG(uint64(n), 7))
		sc := script{lim: defaults}
		if n%3 > 0 {
			sc.lim = Limits{NodeMaxBytes: 200 + r.IntN(600)*(n%3-1), NodeMaxEntries: r.IntN(40)}
		}
		id, first := ID{uint64(r.IntN(1000)), 0}, ID{}
		for range 30 + r.IntN(130) {
			switch x := r.IntN(20); {
			case x < 15:
				if r.IntN(3) == 0 {
					id = ID{id.Ms + 1 + r.Uint64N(1<<r.IntN(36)), r.Uint64() >> (1 + r.IntN(63))}
				} else {
					id.Seq++
				}
				if first.IsZero() {
					first = id
				}
				cmd := []string{"XADD", "s", id.String()}
				if r.IntN(4) > 0 {
					cmd = append(cmd, "field", texts[r.IntN(len(texts))], "n", strconv.Itoa(r.IntN(100_000)-50_000))
				} else {
					for range 1 + r.IntN(3) {
						cmd = append(cmd, texts[r.IntN(len(texts))], texts[r.IntN(len(texts))])
					}
				}
				sc.cmds = append(sc.cmds, cmd)
			case x < 19 && len(sc.cmds) > 0:
				// An ID that was added at some time.
				if c := sc.cmds[r.IntN(len(sc.cmds))]; c[0] == "XADD" {
					sc.cmds = append(sc.cmds, []string{"XDEL", "s", c[2]})
				}
			default:
				sc.cmds = append(sc.cmds, [][]string{
					{"XTRIM", "s", "MAXLEN", "=", strconv.Itoa(r.IntN(80))},
					{"XTRIM", "s", "MAXLEN", "~", strconv.Itoa(r.IntN(40))},
					{"XTRIM", "s", "MINID", "=", ID{first.Ms + r.Uint64N(id.Ms-first.Ms+1), 5}.String()},
				}[r.IntN(3)])
			}
		}
		scripts = append(scripts, sc)
	}
	// A block that is kept by a deleted entry behind the trimmed ones, and one whose IDs are far apart.
	return append(scripts, script{defaults, [][]string{
		{"XADD", "s", "1-1", "a", "1"}, {"XADD", "s", "2-1", "a", "1"}, {"XADD", "s", "3-1", "a", "1"},
		{"XDEL", "s", "3-1"}, {"XTRIM", "s", "MINID", "=", "3-0"}, {"XADD", "s", "4-0", "a", "2"}, {"XADD", "s", "5-0", "b", "2"},
	}}, script{defaults, [][]string{
		{"XADD", "s", "1-18446744073709551615", "a", "1"}, {"XADD", "s", "2-0", "a", "1"},
		{"XADD", "s", "18446744073709551615-0", "a", "1"}, {"XADD", "s", "18446744073709551615-18446744073709551615", "a", "1"},
	}})
}

// run executes a script.
func (sc script) run(t testing.TB, s *Stream) {
	for _, c := range sc.cmds {
		switch c[0] {
		case "XADD":
			id, ok := ParseStrictID([]byte(c[2]), 0)
			require.True(t, ok)
			require.NoError(t, s.Append(id, args(c[3:]...), sc.lim))
		case "XDEL":
			id, _ := ParseStrictID([]byte(c[2]), 0)
			s.Delete(id)
		case "XTRIM":
			o := TrimOptions{ByMinID: c[2] == "MINID", Approx: c[3] == "~"}
			if o.ByMinID {
				o.MinID, _ = ParseStrictID([]byte(c[4]), 0)
			} else {
				o.MaxLen, _ = strconv.ParseInt(c[4], 10, 64)
			}
			if o.Approx {
				o.Limit = DefaultTrimLimit(sc.lim)
			}
			s.Trim(o)
		}
	}
}

// dumped is what a DUMP payload of a stream says, groups left out.
type dumped struct {
	firsts                  []ID
	blocks                  [][]byte
	length                  uint64
	last, first, maxDeleted ID
	added                   uint64
}

var errDump = errors.New("not a dump of a stream")

// parseDump reads the payload of a stream of RDB type 19 or 21 without compressed strings.
func parseDump(b []byte) (d dumped, err error) {
	number := func() uint64 {
		if len(b) == 0 {
			err = errDump
			return 0
		}
		c := b[0]
		n := map[byte]int{0: 1, 1: 2}[c>>6]
		switch {
		case c == 0x80:
			n = 5
		case c == 0x81:
			n = 9
		}
		if n == 0 || len(b) < n {
			err = errDump
			return 0
		}
		v := b[:n]
		b = b[n:]
		switch n {
		case 1:
			return uint64(c & 63)
		case 2:
			return uint64(c&63)<<8 | uint64(v[1])
		case 5:
			return uint64(binary.BigEndian.Uint32(v[1:]))
		}
		return binary.BigEndian.Uint64(v[1:])
	}
	text := func() []byte {
		n := number()
		if n > uint64(len(b)) {
			err = errDump
			return nil
		}
		s := b[:n]
		b = b[n:]
		return s
	}
	id := func() ID { return ID{number(), number()} }
	if len(b) == 0 || b[0] != 19 && b[0] != 21 {
		return d, errDump
	}
	b = b[1:]
	for n := number(); n > 0 && err == nil; n-- {
		k := text()
		if len(k) != 16 {
			return d, errDump
		}
		d.firsts = append(d.firsts, ID{binary.BigEndian.Uint64(k), binary.BigEndian.Uint64(k[8:])})
		d.blocks = append(d.blocks, text())
	}
	d.length, d.last, d.first, d.maxDeleted, d.added = number(), id(), id(), id(), number()
	return d, err
}

// same compares a stream with what Redis has, bytes of blocks included.
func (d *dumped) same(t testing.TB, s *Stream) {
	i := 0
	s.EachBlock(ID{}, func(first ID, lp []byte) bool {
		require.Less(t, i, len(d.firsts))
		require.Equal(t, d.firsts[i], first)
		require.Equal(t, hex.EncodeToString(d.blocks[i]), hex.EncodeToString(lp))
		i++
		return true
	})
	require.Equal(t, len(d.firsts), i)
	require.Equal(t, len(d.firsts), s.Blocks())
	require.EqualValues(t, d.length, s.Len())
	require.Equal(t, d.last, s.LastID())
	require.Equal(t, d.first, s.FirstID())
	require.Equal(t, d.maxDeleted, s.MaxDeletedID())
	require.EqualValues(t, d.added, s.EntriesAdded())
}

// load makes a stream of it, as loading from disk does.
func (d *dumped) load(t testing.TB) *Stream {
	s := newStream(t)
	for i, lp := range d.blocks {
		require.NoError(t, s.LoadBlock(d.firsts[i], lp))
	}
	s.SetLastID(d.last)
	s.SetMaxDeletedID(d.maxDeleted)
	s.SetEntriesAdded(int64(d.added))
	return s
}

// TestRedisBlocks: the same commands lead to the same bytes as in Redis.
func TestRedisBlocks(t *testing.T) {
	scripts := redisScripts()
	if *rewrite != "" {
		record(t, scripts, *rewrite)
	}
	f, err := os.Open(redisFile)
	require.NoError(t, err)
	defer f.Close()
	n := 0
	for dec := json.NewDecoder(f); ; n++ {
		var rec recorded
		if err := dec.Decode(&rec); err == io.EOF {
			break
		} else {
			require.NoError(t, err)
		}
		t.Run(fmt.Sprint(rec.Script), func(t *testing.T) {
			b, err := hex.DecodeString(rec.Dump)
			require.NoError(t, err)
			d, err := parseDump(b)
			require.NoError(t, err)
			s := newStream(t)
			scripts[rec.Script].run(t, s)
			d.same(t, s)
			require.Equal(t, rec.Nodes, s.RadixNodes())
			require.NoError(t, s.check())
			l := d.load(t)
			d.same(t, l)
			require.NoError(t, l.check())
		})
	}
	require.Equal(t, len(scripts), n)
}

// record writes the file.
func record(t *testing.T, scripts []script, addr string) {
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	in := bufio.NewReader(conn)
	var read func() any
	read = func() any {
		line, err := in.ReadString('\n')
		require.NoError(t, err)
		line = strings.TrimRight(line, "\r\n")
		n, _ := strconv.Atoi(line[1:])
		switch line[0] {
		case '$':
			b := make([]byte, n+2)
			_, err := io.ReadFull(in, b)
			require.NoError(t, err)
			return b[:n]
		case '*':
			list := make([]any, n)
			for i := range list {
				list[i] = read()
			}
			return list
		case '-':
			t.Fatal(line)
		}
		return n
	}
	do := func(args ...string) any {
		fmt.Fprintf(conn, "*%d\r\n", len(args))
		for _, a := range args {
			fmt.Fprintf(conn, "$%d\r\n%s\r\n", len(a), a)
		}
		return read()
	}
	f, err := os.Create(redisFile)
	require.NoError(t, err)
	defer f.Close()
	for i, sc := range scripts {
		do("FLUSHALL")
		do("CONFIG", "SET", "stream-node-max-bytes", strconv.Itoa(sc.lim.NodeMaxBytes), "stream-node-max-entries", strconv.Itoa(sc.lim.NodeMaxEntries))
		for _, c := range sc.cmds {
			do(c...)
		}
		rec := recorded{Script: i, Dump: hex.EncodeToString(do("DUMP", "s").([]byte))}
		info := do("XINFO", "STREAM", "s").([]any)
		for k := 0; k < len(info); k += 2 {
			if string(info[k].([]byte)) == "radix-tree-nodes" {
				rec.Nodes = info[k+1].(int)
			}
		}
		require.NoError(t, json.NewEncoder(f).Encode(rec))
	}
}
