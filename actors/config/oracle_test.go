package config

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Tests against a real redis-server. testdata/set.txt holds what it answered to CONFIG SET, one line each:
//
//	name <TAB> value <TAB> reply <TAB> what CONFIG GET said then, if the reply was OK
//
// and is written by `go test -run TestSetMatrix -rewrite`, by the real server only.
var rewriteGoldens = flag.Bool("rewrite", false, "record testdata/set.txt from redis-server")

// redis starts a redis-server 7.0 on a Unix socket and returns a function that runs commands there.
func redis(t *testing.T, args ...string) func(cmd ...string) []string {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("SKIPPED: there is no redis-server to compare with")
	}
	if version, _ := exec.Command(path, "--version").Output(); !strings.Contains(string(version), "v=7.0.") {
		t.Skipf("SKIPPED: what is compared is 7.0, this is %s", version)
	}
	socket := t.TempDir() + "/s"
	server := exec.Command(path, append([]string{"--port", "0", "--unixsocket", socket}, args...)...)
	server.Dir = t.TempDir()
	log, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	lines := bufio.NewScanner(log)
	ready := false
	for !ready && lines.Scan() {
		ready = strings.Contains(strings.ToLower(lines.Text()), "ready to accept connections") ||
			strings.Contains(lines.Text(), "now ready to accept")
	}
	require.True(t, ready, "redis-server did not start")
	go func() { _, _ = io.Copy(io.Discard, log) }()

	conn, err := net.Dial("unix", socket)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	r := bufio.NewReader(conn)
	return func(cmd ...string) []string {
		var b strings.Builder
		fmt.Fprintf(&b, "*%d\r\n", len(cmd))
		for _, arg := range cmd {
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(arg), arg)
		}
		_, err := conn.Write([]byte(b.String()))
		require.NoError(t, err)
		return readReply(t, r)
	}
}

// readReply flattens a reply into strings.
func readReply(t *testing.T, r *bufio.Reader) (out []string) {
	line, err := r.ReadString('\n')
	require.NoError(t, err)
	line = strings.TrimSuffix(line, "\r\n")
	switch line[0] {
	case '+', '-', ':':
		return []string{line[1:]}
	}
	n, err := strconv.Atoi(line[1:])
	require.NoError(t, err)
	if line[0] == '$' {
		text := make([]byte, n+2)
		_, err := io.ReadFull(r, text)
		require.NoError(t, err)
		return []string{string(text[:n])}
	}
	for range n {
		out = append(out, readReply(t, r)...)
	}
	return out
}

func TestDefaultsAreThoseOfRedis(t *testing.T) {
	do := redis(t)
	c := newConfig(t)
	live := do("CONFIG", "GET", "*")
	for _, name := range []string{"rdb-key-save-delay", "key-load-delay", "watchdog-period", "use-exit-on-panic", "loading-process-events-interval-bytes", "lua-enable-deprecated-api"} {
		live = append(live, do("CONFIG", "GET", name)...)
	}
	require.Greater(t, len(live), 350)
	for pair := range slices.Chunk(live, 2) {
		name, want := pair[0], pair[1]
		switch name {
		case "port": // given to the server above
			want = "6379"
		case "unixsocket":
			want = ""
		case "dir":
			want = c.Load().Dir
		}
		require.Equal(t, want, get(t, c, name), name)
	}
}

// matrixValues are tried on every parameter whose codec is of the same type.
func matrixValues(p *param) []string {
	switch c := p.codec.(type) {
	case boolCodec:
		return []string{"yes", "no", "YES", "on", "1", "", "yes "}
	case intCodec:
		return []string{"x", "", " 1", "1 ", "+1", "01", "-0", "1.5", "1kb", "0x1", fmt.Sprint(c.min), fmt.Sprint(c.clampMax), "-1", "0",
			"3000000000", "9223372036854775807", "-9223372036854775808", "9223372036854775808", p.def}
	case memoryCodec:
		return []string{"x", "", "k", " 1", "1 ", "-1", "+1", "0x1", "1.5gb", "10tb", "10%", "0", "0020971520", "2097152b", "3000k", "3000KB", "7m", "7Mb", "8g", "8GB",
			"9223372036854775807", "9223372036854775808", "18446744073709551615", p.def}
	case percentCodec:
		return []string{"x", "%", "5%", "100%", "101%", "-5%", "+5%", "05%", "5 %", "5.5%", "5%%", "0%", "1mb", "9223372036854775807", "0"}
	case enumCodec:
		return append(slices.Clone(c.names), "x", "", strings.ToUpper(c.names[0]), c.names[0]+" "+c.names[1], " "+c.names[0], p.def)
	case shutdownCodec:
		return []string{"x", "", "save", "NOSAVE", "now force", "force save now", "save nosave", "default now", "save  now", " save", "save,now", "default"}
	case stringCodec:
		return []string{"some text", `"quoted"`, "a/b", "a_b", "a.b-c", "{title} {port}", "{foo}", p.def}
	case saveCodec:
		return []string{"", "60 1", "60 1 300 10", "60 1 300", "0 1", "1 -1", "1 0", "a b", "60x 1", "60", " ", " 60 1", "'60' 1", "3600 1 300 100 60 10000"}
	case outputCodec:
		return []string{"", "normal 1 2 3", "NORMAL 0 0 01", "slave 1mb 2kb 3 replica 5 6 7", "normal 1 2", "master 1 2 3", "foo 1 2 3", "normal x 2 3", "normal 1 -2 3",
			"normal 1 2 -3", "normal 1 2 3x", "normal 1 2 3 pubsub 1 2 x", "'normal' 0 0 0", "normal  0 0 0", "pubsub 10m 1g 0"}
	case notifyCodec:
		return []string{"", "KEA", "KEg$", "g$lshzxetd", "g$lshzxet", "KEAm", "nE", "foo", "A K", "a", "AKE"}
	case oomCodec:
		return []string{"", "1 2", "1 2 3", "3 2 1", "-2000 0 2000", "1 2 2001", "-2001 0 0", "1 2 x", "1 2 3 4", " 1 2 3", "0 200 800"}
	case percentileCodec:
		return []string{"", "50 99.9 100", "0 0.001", "1e1 0x10", "33.123456789 .5 -0", "101", "-1", "x", "nan", "inf", "50  99", "50 99 99.9"}
	case bindCodec:
		return []string{"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"}
	case dirCodec:
		return []string{"/nonexistent", "", "/"}
	case octalCodec, replicaofCodec:
		return []string{"1"}
	}
	panic("no values to try for " + p.name)
}

// unlike lists parameters whose good values are not tried, with the reason.
var unlike = map[string]string{
	"activedefrag": "refused by a server without the jemalloc of Redis",
	"port":         "listens", "tls-port": "listens", "bind": "listens", "maxclients": "depends on ulimit",
	"appendonly": "starts a rewrite", "loglevel": "has a level more since 7.2", "watchdog-period": "sends signals",
	"locale-collate": "since 7.2", "oom-score-adj": "needs rights", "oom-score-adj-values": "needs rights",
}

// worthAsking reports whether the answer to this value says something about the syntax; of those in unlike, bad values do.
func worthAsking(name, value string) bool {
	switch name {
	case "activedefrag", "appendonly":
		return value == "on" || value == ""
	case "port", "tls-port", "maxclients":
		return value == "x" || value == "3000000000" && name != "maxclients" || value == "9223372036854775807"
	case "bind":
		return true // only values that are refused
	case "oom-score-adj", "oom-score-adj-values":
		return value == "x" || strings.Contains(value, "x") || value == "1 2"
	case "loglevel":
		return value == "debug" || value == "warning" || value == "notice"
	case "watchdog-period":
		return value == "x" || value == "0"
	}
	return unlike[name] == ""
}

func TestSetMatrix(t *testing.T) {
	if *rewriteGoldens {
		recordSetMatrix(t)
	}
	text, err := os.ReadFile("testdata/set.txt")
	require.NoError(t, err)
	c := newConfig(t)
	require.NoError(t, c.Assign("enable-protected-configs", "yes"))
	lines := 0
	for line := range strings.Lines(string(text)) {
		if line[0] == '#' {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		require.Len(t, f, 4, line)
		name, value, want := f[0], f[1], f[2]
		reply := "OK"
		if err := set(c, name, value); err != nil {
			reply = err.Error()
		}
		require.Equal(t, want, reply, "CONFIG SET %s %q", name, value)
		if reply == "OK" {
			require.Equal(t, f[3], get(t, c, name), "after CONFIG SET %s %q", name, value)
		}
		lines++
	}
	require.Greater(t, lines, 2000)
}

func recordSetMatrix(t *testing.T) {
	do := redis(t, "--enable-protected-configs", "yes")
	var b strings.Builder
	b.WriteString("# Replies of redis-server 7.0.15 to CONFIG SET: name, value, reply, value afterwards. Written by go test -rewrite.\n")
	for _, p := range parameters {
		for _, name := range []string{p.name, p.alias} {
			if name == "" || len(do("CONFIG", "GET", name)) == 0 {
				continue
			}
			for _, value := range matrixValues(p) {
				if !worthAsking(name, value) {
					continue
				}
				reply := do("CONFIG", "SET", name, value)[0]
				if strings.Contains(reply, "Check server logs") {
					continue // a good value that could not be made to work there
				}
				after := ""
				if reply == "OK" {
					after = do("CONFIG", "GET", name)[1]
				}
				fmt.Fprintf(&b, "%s\t%s\t%s\t%s\n", name, value, reply, after)
			}
		}
	}
	require.NoError(t, os.WriteFile("testdata/set.txt", []byte(b.String()), 0o644))
}
