package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// client is a blocking connection for preparations and control.
type client struct {
	conn net.Conn
	r    *bufio.Reader
	buf  []byte
}

// replyError is an error reply.
type replyError string

func (e replyError) Error() string { return string(e) }

// replyTimeout is longer than anything that a scenario lets a server do takes.
const replyTimeout = 60 * time.Second

func dial(addr string) (*client, error) {
	conn, err := net.DialTimeout("tcp", addr, replyTimeout)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, r: bufio.NewReaderSize(conn, 64<<10)}, nil
}

func (c *client) close() { c.conn.Close() }

// appendCommand appends a command to a request.
func appendCommand(b []byte, args ...string) []byte {
	b = append(b, '*')
	b = strconv.AppendInt(b, int64(len(args)), 10)
	b = append(b, "\r\n"...)
	for _, a := range args {
		b = append(b, '$')
		b = strconv.AppendInt(b, int64(len(a)), 10)
		b = append(b, "\r\n"...)
		b = append(b, a...)
		b = append(b, "\r\n"...)
	}
	return b
}

func (c *client) send(b []byte) error {
	if err := c.conn.SetDeadline(time.Now().Add(replyTimeout)); err != nil {
		return err
	}
	_, err := c.conn.Write(b)
	return err
}

// do runs a command whose reply is a string, an integer or null; an error reply is returned as a replyError.
func (c *client) do(args ...string) (any, error) {
	c.buf = appendCommand(c.buf[:0], args...)
	if err := c.send(c.buf); err != nil {
		return nil, err
	}
	line, err := c.line()
	if err != nil {
		return nil, err
	}
	switch line[0] {
	case '+':
		return string(line[1:]), nil
	case ':':
		return strconv.ParseInt(string(line[1:]), 10, 64)
	case '-':
		return nil, replyError(line[1:])
	case '$':
		n, err := strconv.Atoi(string(line[1:]))
		if err != nil || n < 0 {
			return nil, err
		}
		text := make([]byte, n+2)
		if _, err := io.ReadFull(c.r, text); err != nil {
			return nil, err
		}
		return string(text[:n]), nil
	}
	return nil, fmt.Errorf("%s: unexpected reply %q", args[0], line)
}

// discard runs a command and throws its reply away, however long.
func (c *client) discard(args ...string) error {
	c.buf = appendCommand(c.buf[:0], args...)
	if err := c.send(c.buf); err != nil {
		return err
	}
	return c.skip()
}

// skip reads one reply without keeping it.
func (c *client) skip() error {
	for pending := 1; pending > 0; pending-- {
		line, err := c.line()
		if err != nil {
			return err
		}
		switch line[0] {
		case '-':
			return replyError(line[1:])
		case '$', '*':
			n, err := strconv.Atoi(string(line[1:]))
			if err != nil {
				return err
			}
			if line[0] == '*' {
				pending += max(n, 0)
			} else if n >= 0 {
				if _, err := c.r.Discard(n + 2); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// line reads one line, without its end. It is valid until the next read.
func (c *client) line() ([]byte, error) {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	if len(line) < 3 {
		return nil, errors.New("a reply without a type")
	}
	return line[:len(line)-2], nil
}

// integer runs a command that replies an integer.
func (c *client) integer(args ...string) (int, error) {
	v, err := c.do(args...)
	if err != nil {
		return 0, err
	}
	n, ok := v.(int64)
	if !ok {
		return 0, fmt.Errorf("%s: %v is no integer", args[0], v)
	}
	return int(n), nil
}

// info returns one field of INFO.
func (s *server) info(section, field string) (string, error) {
	v, err := s.do("INFO", section)
	if err != nil {
		return "", err
	}
	text, _ := v.(string)
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(value), nil
		}
	}
	return "", fmt.Errorf("INFO %s: %w %s", section, errNoField, field)
}

var errNoField = errors.New("there is no field")

// usedMemory returns used_memory of INFO.
func (s *server) usedMemory() (float64, error) {
	v, err := s.info("memory", "used_memory")
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(v, 64)
}

// fillPipeline is how many commands fill sends before it reads their replies.
const fillPipeline = 512

// fill sends n commands, number i made by command, and fails on the first error reply.
func (s *server) fill(n int, command func(i int, b []byte) []byte) error {
	c, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer c.close()
	for i := 0; i < n; {
		from := i
		for c.buf = c.buf[:0]; i < min(from+fillPipeline, n); i++ {
			c.buf = command(i, c.buf)
		}
		if err := c.send(c.buf); err != nil {
			return err
		}
		for range i - from {
			if err := c.skip(); err != nil {
				return fmt.Errorf("fill: %w", err)
			}
		}
	}
	return nil
}

// fillStrings sets n keys, those that redis-benchmark draws from, to values of 32 bytes.
func (s *server) fillStrings(n int) error {
	return s.fill(n, func(i int, b []byte) []byte { return appendCommand(b, "SET", keyName(i), value32) })
}

const value32 = "0123456789abcdef0123456789abcdef"

// keyName returns the ith key, 16 bytes as redis-benchmark's key:__rand_int__.
func keyName(i int) string { return fmt.Sprintf("key:%012d", i) }

// scatter maps i to a number that looks random and is the same in every run (a Weyl sequence with a finalizer).
func scatter(i int) int {
	x := uint64(i+1) * 0x9e3779b97f4a7c15
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	x ^= x >> 32
	return int(x >> 1)
}
