package transcript

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeServer answers commands from a script: enough of a server to test the runner against replies of every type.
type fakeServer struct {
	info    string
	replies map[string][]string // by command line; the last one repeats

	mu      sync.Mutex
	asked   map[string]int
	log     []string
	blocked bool
	waiting net.Conn
	conns   sync.WaitGroup
}

// start serves on a loopback port until the test ends and returns its address.
func (f *fakeServer) start(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f.asked = map[string]int{}
	f.conns.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			f.conns.Go(func() { f.serve(conn) })
		}
	})
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func (f *fakeServer) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	resp := 2
	for {
		v, err := readReply(in)
		if err != nil {
			fmt.Fprintf(conn, "-ERR Protocol error\r\n")
			conn.Close()
			return
		}
		var args []string
		for _, e := range v.elems {
			args = append(args, e.text)
		}
		out := f.answer(strings.Join(args, " "), &resp, conn)
		if out == "close" {
			conn.Close()
			return
		}
		if _, err := conn.Write([]byte(out)); err != nil {
			return
		}
	}
}

func (f *fakeServer) answer(line string, resp *int, conn net.Conn) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, line)
	switch line {
	case "HELLO 3":
		*resp = 3
		return "%1\r\n$6\r\nserver\r\n$4\r\nfake\r\n"
	case "FLUSHALL":
		return "+OK\r\n"
	case "INFO server":
		return fmt.Sprintf("$%d\r\n%s\r\n", len(f.info), f.info)
	case "CLIENT ID":
		return ":7\r\n"
	case "CLIENT LIST ID 7":
		if f.blocked {
			return "$14\r\nid=7 flags=b x\r\n"
		}
		return "$14\r\nid=7 flags=N x\r\n"
	case "BLPOP k 0":
		f.blocked, f.waiting = true, conn
		return ""
	case "WAKE":
		f.blocked = false
		f.waiting.Write([]byte("*-1\r\n"))
		return "+OK\r\n"
	}
	answers := f.replies[fmt.Sprintf("%s @%d", line, *resp)]
	if answers == nil {
		answers = f.replies[line]
	}
	if answers == nil {
		return "-ERR unknown command '" + line + "'\r\n"
	}
	n := min(f.asked[line], len(answers)-1)
	f.asked[line]++
	return answers[n]
}

// everything is a script with all reply types.
func everything() *fakeServer {
	return &fakeServer{
		info: "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n",
		replies: map[string][]string{
			"SET k v":                {"+OK\r\n"},
			"GET k":                  {"$1\r\nv\r\n"},
			"GET none":               {"$-1\r\n"},
			"GET none @3":            {"_\r\n"},
			"NULLARRAY":              {"*-1\r\n"},
			"NULLARRAY @3":           {"_\r\n"},
			"BAD":                    {"-ERR syntax error\r\n"},
			"TTL k":                  {":100\r\n"},
			"ODD":                    {"+(integer) 1\r\n"},
			"BIN":                    {"$6\r\n\"\\\r\n\x00\xff\r\n"},
			"LONG":                   {"$300\r\n" + strings.Repeat("a", 300) + "\r\n"},
			"MIXED":                  {"$300\r\n" + strings.Repeat("ab", 150) + "\r\n"},
			"EMPTY":                  {"*0\r\n"},
			"SCAN 0":                 {"*2\r\n$1\r\n0\r\n*3\r\n$1\r\nc\r\n$1\r\na\r\n$1\r\nb\r\n"},
			"KEYS *":                 {"*2\r\n$1\r\nb\r\n$1\r\na\r\n", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"},
			"HGETALL h":              {"*4\r\n$2\r\nf2\r\n$1\r\n2\r\n$2\r\nf1\r\n$1\r\n1\r\n"},
			"HGETALL h @3":           {"%2\r\n$2\r\nf2\r\n$1\r\n2\r\n$2\r\nf1\r\n$1\r\n1\r\n"},
			"NEST":                   {"*2\r\n*2\r\n:1\r\n*2\r\n:2\r\n*0\r\n$1\r\nx\r\n"},
			"TYPES @3":               {"*8\r\n#t\r\n#f\r\n,3.5\r\n(123\r\n=5\r\ntxt:a\r\n~1\r\n:1\r\n!3\r\nERR\r\n|1\r\n+k\r\n+v\r\n%1\r\n:1\r\n*2\r\n:2\r\n:3\r\n"},
			"TYPES":                  {"*1\r\n:1\r\n"},
			"SUBSCRIBE c":            {"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"},
			"SUBSCRIBE c @3":         {">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"},
			"PUBLISH c m":            {":1\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n"},
			"PUBLISH c m @3":         {">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n:1\r\n"},
			"POLL":                   {":0\r\n", ":1\r\n", ":2\r\n"},
			"QUIT":                   {"close"},
			"CONFIG GET hz":          {"*2\r\n$2\r\nhz\r\n$2\r\n10\r\n"},
			"CONFIG SET hz 50":       {"+OK\r\n"},
			"CONFIG SET hz 10":       {"+OK\r\n"},
			"MSET k1 v k2 v \x00' z": {"+OK\r\n"},
		},
	}
}
