package integration

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// wire is a bare RESP2 connection, for tests that care which bytes go out together. It keeps the first thing that goes
// wrong in err, after which it neither sends nor receives, so that a worker looks once per round.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	err  error
}

// errorReply is an error reply as a value.
type errorReply string

// wirePatience is far beyond what any reply takes: it turns a hang into a failure.
const wirePatience = 60 * time.Second

// dialWire connects until the end of the test.
func dialWire(t testing.TB, addr string) *wire {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, wirePatience)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return &wire{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}
}

// together runs each worker on a connection of its own, all at the same time, and reports what went wrong.
func together(t *testing.T, addr string, workers ...func(*wire) error) {
	t.Helper()
	failures := make([]error, len(workers))
	var running sync.WaitGroup
	for i, work := range workers {
		w := dialWire(t, addr)
		running.Go(func() {
			err := work(w)
			failures[i] = errors.Join(w.err, err)
		})
	}
	running.Wait()
	require.NoError(t, errors.Join(failures...))
}

// add appends a command to what flush sends.
func (w *wire) add(args ...string) {
	w.out = fmt.Appendf(w.out, "*%d\r\n", len(args))
	for _, a := range args {
		w.out = fmt.Appendf(w.out, "$%d\r\n%s\r\n", len(a), a)
	}
}

// flush sends what was added, in one write.
func (w *wire) flush() {
	if w.err != nil {
		return
	}
	if w.err = w.conn.SetDeadline(time.Now().Add(wirePatience)); w.err == nil {
		_, w.err = w.conn.Write(w.out)
	}
	w.out = w.out[:0]
}

// reply reads one reply: string, int, nil, []any or errorReply.
func (w *wire) reply() any {
	line := w.line()
	if w.err != nil {
		return nil
	}
	switch rest := line[1:]; line[0] {
	case '+':
		return rest
	case '-':
		return errorReply(rest)
	case ':':
		return w.number(rest)
	case '$':
		n := w.number(rest)
		if n < 0 || w.err != nil {
			return nil
		}
		text := make([]byte, n+2)
		_, w.err = io.ReadFull(w.in, text)
		return string(text[:n])
	case '*':
		n := w.number(rest)
		if n < 0 || w.err != nil {
			return nil
		}
		all := make([]any, n)
		for i := range all {
			all[i] = w.reply()
		}
		return all
	}
	w.err = fmt.Errorf("unexpected reply %q", line)
	return nil
}

func (w *wire) line() string {
	if w.err != nil {
		return ""
	}
	line, err := w.in.ReadString('\n')
	if err != nil {
		w.err = err
		return ""
	}
	if line = strings.TrimSuffix(line, "\r\n"); line == "" {
		w.err = errors.New("an empty line where a reply should begin")
	}
	return line
}

func (w *wire) number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil && w.err == nil {
		w.err = err
	}
	return n
}

// do sends one command and returns its reply.
func (w *wire) do(args ...string) any {
	w.add(args...)
	w.flush()
	return w.reply()
}

// ok, integer, texts and numbers are for replies of one kind; another kind is an error. In texts a null is "", in
// numbers 0.
func (w *wire) ok(args ...string) {
	if v := w.do(args...); v != "OK" {
		w.unexpected(args, v)
	}
}

func (w *wire) integer(args ...string) int {
	v := w.do(args...)
	n, ok := v.(int)
	if !ok {
		w.unexpected(args, v)
	}
	return n
}

func (w *wire) texts(args ...string) []string {
	v := w.do(args...)
	elems, ok := v.([]any)
	if !ok {
		w.unexpected(args, v)
	}
	all := make([]string, len(elems))
	for i, e := range elems {
		all[i], ok = e.(string)
		if !ok && e != nil {
			w.unexpected(args, v)
		}
	}
	return all
}

func (w *wire) numbers(args ...string) []int {
	texts := w.texts(args...)
	all := make([]int, len(texts))
	for i, text := range texts {
		if text != "" {
			all[i] = w.number(text)
		}
	}
	return all
}

func (w *wire) unexpected(args []string, reply any) {
	if w.err == nil {
		w.err = fmt.Errorf("%q: unexpected reply %#v", args, reply)
	}
}
