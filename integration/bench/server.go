package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// side is one of the two programs that are compared.
type side struct{ name, path string }

// server is a running server of one side.
type server struct {
	side side
	addr string
	port int
	cmd  *exec.Cmd
	gone chan struct{}
}

// servers are the running servers of a scenario, in the order of bench.sides.
type servers []*server

const startTimeout = 20 * time.Second

// startServer starts a server that keeps everything in memory. It runs in a session of its own, since Linux divides the
// processor among sessions and the server would otherwise share this program's part, and it ends when this program does.
func startServer(s side, tmp string) (*server, error) {
	dir, err := os.MkdirTemp(tmp, s.name+"-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	srv := &server{side: s, port: port, addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), gone: make(chan struct{})}
	srv.cmd = exec.Command(s.path, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no")
	srv.cmd.Dir = dir
	srv.cmd.Stdout, srv.cmd.Stderr = log, log
	srv.cmd.SysProcAttr = ownSession()
	if err := srv.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = srv.cmd.Wait() // how it ended does not matter: it is only ended by stop, or found dead by the next command
		close(srv.gone)
	}()
	if err := srv.awaitReady(); err != nil {
		srv.stop()
		text, _ := os.ReadFile(log.Name()) // best effort: it only explains the error
		return nil, fmt.Errorf("start %s: %w\n%s", s.path, err, text)
	}
	return srv, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *server) awaitReady() error {
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		select {
		case <-s.gone:
			return errors.New("it ended")
		default:
		}
		if _, err := s.do("PING"); err == nil {
			return nil
		}
	}
	return errors.New("it does not answer")
}

func (s *server) stop() {
	_ = s.cmd.Process.Kill() // an error means that it has ended
	<-s.gone
}

func (all servers) stop() {
	for _, s := range all {
		s.stop()
	}
}

// do runs one command on a connection of its own.
func (s *server) do(args ...string) (any, error) {
	c, err := dial(s.addr)
	if err != nil {
		return nil, err
	}
	defer c.close()
	return c.do(args...)
}

// cpu returns the processor time the server has taken so far.
func (s *server) cpu() (time.Duration, error) { return processorTime(s.cmd.Process.Pid) }

// resident returns the server's resident memory in bytes.
func (s *server) resident() (float64, error) { return residentBytes(s.cmd.Process.Pid) }
