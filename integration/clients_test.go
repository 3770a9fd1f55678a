package integration

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/stretchr/testify/require"
)

// The clients that people use, against the server: go-redis here, redis-py, redis-cli and redis-benchmark as programs.

// clientTimeout bounds a test of a client.
const clientTimeout = 60 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), clientTimeout)
	t.Cleanup(cancel)
	return ctx
}

// goRedis returns a client that is closed at the end of the test.
func goRedis(t *testing.T, o *redis.Options) *redis.Client {
	t.Helper()
	c := redis.NewClient(o)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func TestGoRedis(t *testing.T) {
	server := startTroupe(t, "--shards", "4")
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprintf("RESP%d", protocol), func(t *testing.T) {
			options := func() *redis.Options { return &redis.Options{Addr: server.Addr, Protocol: protocol} }
			for _, c := range []struct {
				name string
				run  func(*testing.T, *redis.Options)
			}{
				{"handshake", goRedisHandshake},
				{"strings", goRedisStrings},
				{"pipeline", goRedisPipeline},
				{"pool", goRedisPool},
				{"database", goRedisDatabase},
				{"scan", goRedisScan},
				{"big values", goRedisBigValues},
				{"maintenance notifications", goRedisMaintNotifications},
			} {
				t.Run(c.name, func(t *testing.T) {
					require.NoError(t, goRedis(t, options()).FlushAll(testContext(t)).Err())
					c.run(t, options())
				})
			}
		})
	}
}

// goRedisHandshake: HELLO with the protocol, CLIENT SETNAME and CLIENT SETINFO took effect.
func goRedisHandshake(t *testing.T, o *redis.Options) {
	protocol := o.Protocol
	o.ClientName = "tester"
	if protocol == 3 {
		o.Protocol = 0 // the default is RESP3
	}
	info, err := goRedis(t, o).ClientInfo(testContext(t)).Result()
	require.NoError(t, err)
	require.Equal(t, "tester", info.Name)
	require.Equal(t, protocol, info.Resp)
	require.True(t, strings.HasPrefix(info.LibName, "go-redis"), info.LibName)
	require.NotEmpty(t, info.LibVer)
}

func goRedisStrings(t *testing.T, o *redis.Options) {
	ctx, c := testContext(t), goRedis(t, o)
	require.NoError(t, c.Set(ctx, "k", "a\r\n\x00b", time.Hour).Err())
	require.Equal(t, "a\r\n\x00b", c.Get(ctx, "k").Val())
	require.InDelta(t, time.Hour, c.TTL(ctx, "k").Val(), float64(clientTimeout))
	require.ErrorIs(t, c.Get(ctx, "missing").Err(), redis.Nil)
	require.Equal(t, int64(41), c.IncrBy(ctx, "n", 41).Val())
	require.InDelta(t, 41.5, c.IncrByFloat(ctx, "n", 0.5).Val(), 0)
	require.ErrorContains(t, c.Incr(ctx, "k").Err(), "ERR value is not an integer or out of range")
	require.NoError(t, c.MSet(ctx, "a", 1, "b", 2).Err())
	require.Equal(t, []any{"1", nil, "2"}, c.MGet(ctx, "a", "missing", "b").Val())
	won, err := c.SetNX(ctx, "a", "3", 0).Result()
	require.NoError(t, err)
	require.False(t, won)
	require.Equal(t, int64(2), c.Del(ctx, "a", "b", "missing").Val())
}

func goRedisPipeline(t *testing.T, o *redis.Options) {
	const n = 2000
	ctx, c := testContext(t), goRedis(t, o)
	var sets []*redis.StatusCmd
	var gets []*redis.StringCmd
	_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range n {
			key := "p:" + strconv.Itoa(i)
			sets = append(sets, p.Set(ctx, key, i, 0))
			gets = append(gets, p.Get(ctx, key))
		}
		return nil
	})
	require.NoError(t, err)
	for i := range n {
		require.Equal(t, "OK", sets[i].Val())
		require.Equal(t, strconv.Itoa(i), gets[i].Val())
	}
}

func goRedisPool(t *testing.T, o *redis.Options) {
	const workers, each = 30, 50
	o.PoolSize = 10
	ctx, c := testContext(t), goRedis(t, o)
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for range each {
				c.Incr(ctx, "counter")
			}
		})
	}
	running.Wait()
	require.Equal(t, strconv.Itoa(workers*each), c.Get(ctx, "counter").Val())
}

func goRedisDatabase(t *testing.T, o *redis.Options) {
	ctx, zero := testContext(t), goRedis(t, o)
	o.DB = 9
	nine := goRedis(t, o)
	require.NoError(t, nine.Set(ctx, "k", "nine", 0).Err())
	require.Equal(t, int64(0), zero.DBSize(ctx).Val())
	require.Equal(t, int64(1), nine.DBSize(ctx).Val())
	require.True(t, nine.Move(ctx, "k", 0).Val())
	require.Equal(t, "nine", zero.Get(ctx, "k").Val())
}

func goRedisScan(t *testing.T, o *redis.Options) {
	const n = 5000
	ctx, c := testContext(t), goRedis(t, o)
	_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range n {
			p.Set(ctx, "scan:"+strconv.Itoa(i), i, 0)
			p.Set(ctx, "other:"+strconv.Itoa(i), i, 0)
		}
		return nil
	})
	require.NoError(t, err)
	seen := map[string]bool{}
	it := c.Scan(ctx, 0, "scan:*", 100).Iterator()
	for it.Next(ctx) {
		seen[it.Val()] = true
	}
	require.NoError(t, it.Err())
	require.Len(t, seen, n)
}

func goRedisBigValues(t *testing.T, o *redis.Options) {
	ctx, c := testContext(t), goRedis(t, o)
	big := bytes.Repeat([]byte("0123456789abcde\n"), 10<<20/16)
	require.NoError(t, c.Set(ctx, "big", big, 0).Err())
	require.Equal(t, int64(len(big)), c.StrLen(ctx, "big").Val())
	got, err := c.Get(ctx, "big").Bytes()
	require.NoError(t, err)
	require.True(t, bytes.Equal(big, got), "the value came back changed")
}

// goRedisMaintNotifications: go-redis asks whether the server announces maintenance. Redis 7.4 does not know the
// subcommand, and the connection must be as good as before.
func goRedisMaintNotifications(t *testing.T, o *redis.Options) {
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeAuto}
	o.PoolSize = 1
	ctx, c := testContext(t), goRedis(t, o)
	require.NoError(t, c.Set(ctx, "k", "v", 0).Err())
	err := c.Do(ctx, "CLIENT", "MAINT_NOTIFICATIONS", "ON").Err()
	require.EqualError(t, err, "ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.")
	require.Equal(t, "v", c.Get(ctx, "k").Val())
}

func TestGoRedisPassword(t *testing.T) {
	server := startTroupe(t, "--requirepass", "s3cret")
	ctx := testContext(t)
	for _, c := range []struct {
		name, user, password, failure string
	}{
		{"none", "", "", "NOAUTH Authentication required."},
		{"wrong", "", "wrong", "WRONGPASS invalid username-password pair or user is disabled."},
		{"wrong user", "nobody", "s3cret", "WRONGPASS invalid username-password pair or user is disabled."},
		{"password", "", "s3cret", ""},
		{"user and password", "default", "s3cret", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := goRedis(t, &redis.Options{Addr: server.Addr, Username: c.user, Password: c.password})
			err := client.Set(ctx, "k", "v", 0).Err()
			if c.failure != "" {
				require.ErrorContains(t, err, c.failure)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "v", client.Get(ctx, "k").Val())
		})
	}
}

func TestGoRedisUnixSocket(t *testing.T) {
	path := filepath.Join(shortDir(t), "troupe.sock")
	startTroupe(t, "--unixsocket", path, "--unixsocketperm", "700")
	mode, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), mode.Mode().Perm())
	o := &redis.Options{Network: "unix", Addr: path}
	goRedisStrings(t, o)
	goRedisPipeline(t, o)
}

// shortDir returns a directory whose path leaves room within the hundred bytes that a socket's may have.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "troupe-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// The tests below run programs that may not be there.

func lookPath(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("SKIPPED: no %s in PATH (make oracle installs it where it can)", program)
	}
	return path
}

// runProgram runs a program to its end and returns what it prints; a failing exit code fails the test.
func runProgram(t *testing.T, stdin string, path string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(testContext(t), path, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %q:\n%s", path, args, out)
	return string(out)
}

// TestRedisPy runs testdata/clients_redispy.py with Debian's Python, for which python3-redis is packaged.
func TestRedisPy(t *testing.T) {
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import redis").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: no python3-redis (make oracle installs it where it can): %v %s", err, out)
	}
	socket := filepath.Join(shortDir(t), "troupe.sock")
	server := startTroupe(t, "--shards", "2", "--unixsocket", socket)
	host, port, err := net.SplitHostPort(server.Addr)
	require.NoError(t, err)
	out := runProgram(t, "", python, "testdata/clients_redispy.py", host, port, socket)
	require.Contains(t, out, "all passed")
}

func TestRedisCLI(t *testing.T) {
	cli := lookPath(t, "redis-cli")
	server := startTroupe(t, "--shards", "2")
	_, port, err := net.SplitHostPort(server.Addr)
	require.NoError(t, err)
	run := func(stdin string, args ...string) string {
		return runProgram(t, stdin, cli, append([]string{"-p", port}, args...)...)
	}
	require.Equal(t, "OK\n", run("", "SET", "greeting", "hello world"))
	require.Equal(t, "hello world\n", run("", "GET", "greeting"))
	require.Equal(t, "\"hello world\"\n", run("", "-3", "--no-raw", "GET", "greeting"))
	require.Equal(t, "PONG\nOK\n1\n", run("PING\nSET a \"x y\"\nEXISTS a\n"))

	const n = 3000
	var protocol strings.Builder
	for i := range n {
		fmt.Fprintf(&protocol, "*3\r\n$3\r\nSET\r\n$%d\r\npipe:%d\r\n$1\r\nv\r\n", len("pipe:")+len(strconv.Itoa(i)), i)
	}
	require.Contains(t, run(protocol.String(), "--pipe"), fmt.Sprintf("errors: 0, replies: %d", n))
	require.Len(t, strings.Fields(run("", "--scan", "--pattern", "pipe:*")), n)
	require.Contains(t, run("", "INFO", "server"), "redis_version:7.4.")
}

func TestRedisBenchmark(t *testing.T) {
	benchmark := lookPath(t, "redis-benchmark")
	server := startTroupe(t)
	_, port, err := net.SplitHostPort(server.Addr)
	require.NoError(t, err)
	tests := []string{"ping", "set", "get", "incr", "mset"}
	for _, extra := range [][]string{nil, {"-P", "4"}, {"-P", "16", "-r", "1000", "--threads", "2"}} {
		out := runProgram(t, "", benchmark, append([]string{"-p", port, "-t", strings.Join(tests, ","), "-n", "2000", "-q"}, extra...)...)
		require.NotRegexp(t, `(?i)error|warning|\bERR\b`, out)
		require.Equal(t, len(tests)+1, strings.Count(out, " requests per second"), "PING is tested inline and in bulk:\n%s", out)
	}
}
