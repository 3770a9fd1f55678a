package integration

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startTimeout bounds how long a server may take to answer its first PING, stopTimeout how long to exit after SIGTERM.
const (
	startTimeout = 30 * time.Second
	stopTimeout  = 20 * time.Second
)

// binary builds the server once per test process and returns its path.
var binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("TROUPE_BIN"); path != "" {
		return filepath.Abs(path)
	}
	dir, err := os.MkdirTemp("", "troupe-integration-")
	if err != nil {
		return "", err
	}
	buildDir = dir
	path := filepath.Join(dir, "troupe")
	build := exec.Command("go", slices.Concat([]string{"build"}, buildFlags, []string{"-o", path, "../cmd/troupe"})...)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/troupe: %w\n%s", err, out)
	}
	return path, nil
})

var buildDir string // removed at the end of the test process

func TestMain(m *testing.M) {
	code := m.Run()
	if buildDir != "" {
		os.RemoveAll(buildDir)
	}
	os.Exit(code)
}

// process is a running server.
type process struct {
	Addr string
	Dir  string // its working directory
	cmd  *exec.Cmd
	gone chan struct{} // closed when the process has exited
	log  *logBuffer
}

// startTroupe starts our server on a free port with these options added ("--shards", "4", …) and stops it at the end of the test.
func startTroupe(t testing.TB, args ...string) *process {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	return start(t, path, args)
}

// startRedis starts a real redis-server, without which the test is skipped.
func startRedis(t testing.TB, args ...string) *process {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("SKIPPED: no redis-server in PATH (make oracle installs it), so nothing here was compared with real Redis")
	}
	return start(t, path, args)
}

// start runs a server until the end of the test. A port that is free when it is chosen can be taken when the server binds it, hence the attempts.
func start(t testing.TB, path string, args []string) *process {
	t.Helper()
	var err error
	for range 3 {
		var p *process
		if p, err = launch(t.TempDir(), path, args); err == nil {
			t.Cleanup(func() { p.stop(t) })
			return p
		}
	}
	require.NoError(t, err)
	return nil
}

func launch(dir, path string, args []string) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	all := append([]string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "",
		"--enable-debug-command", "local"}, args...)
	p := &process{
		Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Dir:  dir,
		cmd:  exec.Command(path, all...),
		gone: make(chan struct{}),
		log:  &logBuffer{},
	}
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.gone)
	}()
	if err := p.awaitPing(); err != nil {
		p.kill()
		return nil, fmt.Errorf("%s %q: %w\n%s", path, all, err, p.log)
	}
	return p, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// awaitPing returns when the server answers PING, or an error when it exits first or takes too long.
func (p *process) awaitPing() error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(startTimeout)
	for {
		select {
		case <-p.gone:
			return fmt.Errorf("exited: %v", p.cmd.ProcessState)
		case <-timeout:
			return fmt.Errorf("no answer within %v", startTimeout)
		case <-tick.C:
			if p.ping() {
				return nil
			}
		}
	}
}

func (p *process) ping() bool {
	conn, err := net.DialTimeout("tcp", p.Addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(startTimeout)); err != nil {
		return false
	}
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && (line == "+PONG\r\n" || strings.HasPrefix(line, "-NOAUTH ")) // with a password it serves all the same
}

// stop ends the server as an operator would, and reports a server that crashed or does not stop.
func (p *process) stop(t testing.TB) {
	t.Helper()
	crashed := false
	select {
	case <-p.gone:
		crashed = true
	default:
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		select {
		case <-p.gone:
		case <-time.After(stopTimeout):
			t.Errorf("the server does not stop on SIGTERM")
			p.kill()
		}
	}
	if crashed {
		t.Errorf("the server exited during the test: %v", p.cmd.ProcessState)
	}
	if t.Failed() {
		t.Logf("log of %s:\n%s", p.cmd.Path, p.log)
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only when it has exited, which gone tells
	<-p.gone
}

// logBuffer keeps the end of what a server prints.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const logKeep = 64 << 10

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf.Len() > 2*logKeep {
		b.buf.Next(b.buf.Len() - logKeep)
	}
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
