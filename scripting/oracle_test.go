package scripting

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
)

// oracle is a redis-server that runs for the length of a test.
type oracle struct {
	t    testing.TB
	conn net.Conn
	buf  []byte
}

// startOracle skips the test, with a reason, where there is no redis-server.
func startOracle(t testing.TB) *oracle {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("SKIPPED: nothing is compared, there is no redis-server on this machine: ", err)
	}
	dir, err := os.MkdirTemp("", "lua")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	cmd := exec.Command(program, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "ready to accept connections") {
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	conn, err := net.Dial("unix", socket)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &oracle{t: t, conn: conn}
}

func (o *oracle) do(words ...string) string {
	o.t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	require.NoError(o.t, o.conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err := o.conn.Write(b.Bytes())
	require.NoError(o.t, err)
	o.buf = o.buf[:0]
	for {
		if _, n, err := resp.ReadReply(o.buf); n > 0 || err != nil && !strings.Contains(err.Error(), "nested deeper") {
			require.NoError(o.t, err)
			require.Len(o.t, o.buf, n)
			return string(o.buf)
		} else if err != nil && bytes.Contains(o.buf, []byte("lua stack limit\r\n")) {
			return string(o.buf)
		}
		piece := make([]byte, 1<<16)
		n, err := o.conn.Read(piece)
		require.NoError(o.t, err, "reading the reply to %.200q", words)
		o.buf = append(o.buf, piece[:n]...)
	}
}

// varies are parts of replies that differ from run to run.
var varies = regexp.MustCompile(`(table|function|thread|builtin): 0x[0-9a-f]+`)

func settle(reply string) string { return varies.ReplaceAllString(reply, "$1") }

// testScripts returns the scripts of a file, which are separated by lines of four dashes.
func testScripts(t testing.TB, name string) []string {
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n----\n")
}

// TestScriptsAgainstRedis runs scripts here and in Redis and compares the replies, in both protocols.
func TestScriptsAgainstRedis(t *testing.T) {
	o := startOracle(t)
	s := newTestServer(t, nil)
	for _, proto := range []int{2, 3} {
		o.do("HELLO", itoa(proto))
		s.proto = proto
		k := s.connect()
		for _, script := range testScripts(t, "scripts.txt") {
			o.do("FLUSHALL")
			k.do("FLUSHALL")
			for _, setup := range [][]string{{"SET", "x", "y"}, {"SET", "notint", "x"}, {"HSET", "h", "f", "1", "g", "2"}, {"ZADD", "z", "1.5", "m"}, {"SADD", "s", "a"}} {
				require.Equal(t, o.do(setup...), k.do(setup...))
			}
			words := []string{"EVAL", script, "1", "key", "arg1", "2"}
			assert.Equal(t, settle(o.do(words...)), settle(k.do(words...)), "RESP%d: %s", proto, script)
			// A second run finds nothing of the first but the generator of random numbers.
			assert.Equal(t, settle(o.do(words...)), settle(k.do(words...)), "RESP%d, second run: %s", proto, script)
		}
	}
}

// functionList sorts the functions of FUNCTION LIST, which Redis gives in no order.
func functionList(reply string) any {
	v, _, err := resp.ReadReply([]byte(reply))
	if err != nil {
		return reply
	}
	return sorted(v)
}

func sorted(v any) any {
	list, ok := v.([]any)
	if m, isMap := v.(resp.Map); isMap {
		list, ok = m, true
	}
	if !ok {
		return v
	}
	all := make([]any, len(list))
	records := len(list) > 0
	for i := range list {
		all[i] = sorted(list[i])
		_, isString := list[i].(string)
		records = records && !isString
	}
	if records {
		slices.SortFunc(all, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	return all
}

// TestCommandsAgainstRedis gives the same commands to both and compares the replies.
func TestCommandsAgainstRedis(t *testing.T) {
	o := startOracle(t)
	s := newTestServer(t, nil)
	text, err := os.ReadFile("testdata/commands.txt")
	require.NoError(t, err)
	for _, proto := range []int{2, 3} {
		o.do("HELLO", itoa(proto))
		o.do("FLUSHALL")
		o.do("FUNCTION", "FLUSH")
		o.do("SCRIPT", "FLUSH")
		s.proto = proto
		k := s.connect()
		k.do("FLUSHALL")
		k.do("FUNCTION", "FLUSH")
		k.do("SCRIPT", "FLUSH")
		for line := range strings.Lines(string(text)) {
			args, ok := resp.SplitArgs([]byte(strings.TrimSuffix(line, "\n")), nil)
			require.True(t, ok, line)
			words := make([]string, len(args))
			for i := range args {
				words[i] = string(args[i])
			}
			want, got := o.do(words...), k.do(words...)
			if words[0] == "FUNCTION" && words[1] == "LIST" {
				assert.Equal(t, functionList(want), functionList(got), "RESP%d: %s", proto, line)
				continue
			}
			assert.Equal(t, want, got, "RESP%d: %s", proto, line)
		}
	}
}
