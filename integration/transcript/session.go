package transcript

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience bounds every wait for the server: far beyond what any step takes, so that a run fails instead of hanging.
const patience = 20 * time.Second

// client is one connection to the server.
type client struct {
	conn   net.Conn
	in     *bufio.Reader
	id     string  // CLIENT ID, once asked for
	pushes []reply // push messages that came while a reply was awaited
}

func dial(addr string, resp int) (*client, error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}
	if resp == 3 {
		if v, err := c.do("HELLO", "3"); err != nil || v.kind != '%' {
			conn.Close()
			return nil, fmt.Errorf("transcript: HELLO 3: reply %+v, error %v", v, err)
		}
	}
	return c, nil
}

func (c *client) close() { c.conn.Close() }

// number returns the CLIENT ID of the connection.
func (c *client) number() (string, error) {
	if c.id == "" {
		v, err := c.do("CLIENT", "ID")
		if err != nil {
			return "", err
		}
		if v.kind != ':' {
			return "", fmt.Errorf("transcript: CLIENT ID: reply %+v", v)
		}
		c.id = v.text
	}
	return c.id, nil
}

// do sends a command and reads its reply.
func (c *client) do(args ...string) (reply, error) {
	replies, err := c.pipeline(appendCommand(nil, args), args[:1])
	if err != nil {
		return reply{}, err
	}
	return replies[0], nil
}

// pipeline sends bytes that hold one command for each name, and reads as many replies. It reads while it writes: both can exceed what sockets buffer.
func (c *client) pipeline(out []byte, names []string) ([]reply, error) {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	written := make(chan error, 1)
	go func() {
		_, err := c.conn.Write(out)
		written <- err
	}()
	var replies []reply
	for _, name := range names {
		v, err := c.replyTo(name)
		if err != nil {
			c.conn.Close() // ends the write
			<-written
			return nil, fmt.Errorf("transcript: reply to %s: %w", name, err)
		}
		replies = append(replies, v)
	}
	if err := <-written; err != nil && !ended(err) {
		return nil, err
	}
	return replies, nil
}

// replyTo reads the reply to a command. RESP3 push messages that come first are put aside, but (P|S)(UN)SUBSCRIBE are answered by one.
func (c *client) replyTo(name string) (reply, error) {
	for {
		v, err := c.read()
		if err != nil || v.kind != '>' || len(v.elems) > 0 && strings.EqualFold(v.elems[0].text, name) {
			return v, err
		}
		c.pushes = append(c.pushes, v)
	}
}

// receive reads the next message, the ones put aside first.
func (c *client) receive() (reply, error) {
	if len(c.pushes) > 0 {
		v := c.pushes[0]
		c.pushes = c.pushes[1:]
		return v, nil
	}
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return reply{}, err
	}
	return c.read()
}

// read reads one value; the end of the connection is one too.
func (c *client) read() (reply, error) {
	v, err := readReply(c.in)
	if ended(err) {
		return reply{kind: kindClosed}, nil
	}
	return v, err
}

func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// server is a server under test, seen through a connection that is not part of any case.
type server struct {
	addr    string
	control *client
	version string
	knows   map[string]bool  // commands asked for by "needs"
	infos   map[string]reply // of COMMAND INFO
}

// connect opens the control connection, with the password of the default user if there is one.
func connect(addr, password string) (*server, error) {
	control, err := dial(addr, 2)
	if err != nil {
		return nil, err
	}
	if password != "" {
		if v, err := control.do("AUTH", password); err != nil || v.text != "OK" {
			control.close()
			return nil, fmt.Errorf("transcript: AUTH: reply %+v, error %v", v, err)
		}
	}
	s := &server{addr: addr, control: control, knows: map[string]bool{}, infos: map[string]reply{}}
	info, err := s.info()
	if err != nil {
		control.close()
		return nil, err
	}
	s.version = info["redis_version"]
	return s, nil
}

// info returns the fields of INFO server.
func (s *server) info() (map[string]string, error) {
	v, err := s.control.do("INFO", "server")
	if err != nil {
		return nil, err
	}
	if v.kind != '$' {
		return nil, fmt.Errorf("transcript: INFO server answers %v", render(v, form{resp: 2}))
	}
	fields := map[string]string{}
	for _, line := range strings.Split(v.text, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			fields[name] = value
		}
	}
	if fields["redis_version"] == "" {
		return nil, errors.New("transcript: INFO server has no redis_version")
	}
	return fields, nil
}

// lacks returns the first of the commands that the server does not know. A bare command name is answered by an error of
// arity at most.
func (s *server) lacks(commands []string) (string, error) {
	for _, name := range commands {
		known, asked := s.knows[name]
		if !asked {
			v, err := s.control.do(name)
			if err != nil {
				return "", err
			}
			known = v.kind != '-' || !strings.HasPrefix(v.text, "ERR unknown command")
			s.knows[name] = known
		}
		if !known {
			return name, nil
		}
	}
	return "", nil
}

// session executes the steps of one case.
type session struct {
	server  *server
	resp    int
	within  Within
	clients map[int]*client
	config  map[string]string // values to restore
}

// begin empties the server for a case, of scripts and functions too if it knows such.
func (s *server) begin(resp int) (*session, error) {
	for _, command := range [][]string{{"FLUSHALL"}, {"SCRIPT", "FLUSH"}, {"FUNCTION", "FLUSH"}} {
		if len(command) > 1 {
			if missing, err := s.lacks(command[:1]); err != nil {
				return nil, err
			} else if missing != "" {
				continue
			}
		}
		if v, err := s.control.do(command...); err != nil || v.text != "OK" {
			return nil, fmt.Errorf("transcript: %s: reply %+v, error %v", strings.Join(command, " "), v, err)
		}
	}
	return &session{server: s, resp: resp, clients: map[int]*client{}, config: map[string]string{}}, nil
}

// end closes the connections and puts the configuration back. What is as it was stays: it may be a parameter that cannot be set.
func (s *session) end() error {
	for _, c := range s.clients {
		c.close()
	}
	for name, value := range s.config {
		if now, err := s.setting(name); err != nil {
			return err
		} else if now == value {
			continue
		}
		if v, err := s.server.control.do("CONFIG", "SET", name, value); err != nil || v.text != "OK" {
			return fmt.Errorf("transcript: CONFIG SET %s %q: reply %+v, error %v", name, value, v, err)
		}
	}
	return nil
}

func (s *session) client(n int) (*client, error) {
	if c := s.clients[n]; c != nil {
		return c, nil
	}
	c, err := dial(s.server.addr, s.resp)
	if err == nil {
		s.clients[n] = c
	}
	return c, err
}

// run executes steps and returns their replies; a step that expects none has a "+" reply without text. With pipelined set, consecutive
// commands on one connection go out in one write.
func (s *session) run(steps []*step, pipelined bool) ([]reply, error) {
	var replies []reply
	for len(steps) > 0 {
		n := 1
		for pipelined && n < len(steps) && steps[0].joins(steps[n]) {
			n++
		}
		got, err := s.together(steps[:n])
		if err != nil {
			return replies, fmt.Errorf("line %d: %w", steps[0].line, err)
		}
		replies = append(replies, got...)
		steps = steps[n:]
	}
	return replies, nil
}

// joins tells whether next can go out in one write with s.
func (s *step) joins(next *step) bool {
	return s.client == next.client && s.kind == stepCommand && next.kind == stepCommand && !s.eventually && !next.eventually
}

func (s *session) together(steps []*step) ([]reply, error) {
	c, err := s.client(steps[0].client)
	if err != nil {
		return nil, err
	}
	var out []byte
	var names []string
	for _, st := range steps {
		if err := s.noteConfig(st); err != nil {
			return nil, err
		}
		args, err := s.fillIn(st.args)
		if err != nil {
			return nil, err
		}
		switch st.kind {
		case stepReceive:
			v, err := c.receive()
			return []reply{v}, err
		case stepBlock:
			return []reply{{kind: '+'}}, s.block(c, args)
		case stepRaw:
			return c.pipeline([]byte(st.args[0]), []string{"raw bytes"})
		}
		if st.eventually {
			return s.until(c, st, args)
		}
		if wraps, err := s.wraps(st, args); err != nil {
			return nil, err
		} else if wraps {
			v, err := s.wrapped(c, st, args)
			return []reply{v}, err
		}
		out = appendCommand(out, args)
		names = append(names, args[0])
	}
	return c.pipeline(out, names)
}

// fillIn replaces the arguments that stand for something known only when the case runs.
func (s *session) fillIn(args []string) ([]string, error) {
	args = slices.Clone(args)
	for i, arg := range args {
		m := runtimeArg.FindStringSubmatch(arg)
		if m == nil {
			continue
		}
		n, err := strconv.Atoi("0" + m[2])
		if err != nil {
			return nil, err
		}
		c, err := s.client(n)
		if err != nil {
			return nil, err
		}
		switch m[1] {
		case "id":
			args[i], err = c.number()
		case "addr":
			args[i] = c.conn.LocalAddr().String()
		case "laddr":
			args[i] = c.conn.RemoteAddr().String()
		}
		if err != nil {
			return nil, err
		}
	}
	return args, nil
}

// noteConfig remembers what a CONFIG SET is about to change.
func (s *session) noteConfig(st *step) error {
	if st.kind != stepCommand || len(st.args) < 4 || !strings.EqualFold(st.args[0], "config") || !strings.EqualFold(st.args[1], "set") {
		return nil
	}
	for i := 2; i < len(st.args); i += 2 {
		name := strings.ToLower(st.args[i])
		if _, noted := s.config[name]; noted {
			continue
		}
		value, err := s.setting(name)
		if err != nil {
			return err
		}
		s.config[name] = value
	}
	return nil
}

// setting returns the value of a parameter, "" for one that the server does not know. A name may be a pattern, of which it knows others.
func (s *session) setting(name string) (string, error) {
	v, err := s.server.control.do("CONFIG", "GET", name)
	if err != nil || len(v.elems) != 2 || v.elems[0].text != name {
		return "", err
	}
	return v.elems[1].text, nil
}

// poll calls done until it is true or patience ends.
func poll(done func() (bool, error)) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		if ok, err := done(); ok || err != nil {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("transcript: did not happen within %v", patience)
		}
	}
}

// until repeats a step's command until the reply is the expected one. On a timeout, and when the connection ends, it returns the last reply
// for the comparison to show.
func (s *session) until(c *client, st *step, args []string) ([]reply, error) {
	var v reply
	want, _ := st.expect(s.server.version, s.resp)
	var failed error
	_ = poll(func() (bool, error) {
		v, failed = c.do(args...)
		return failed == nil && (v.kind == kindClosed || st.matches(want, st.render(v, s.resp))), failed
	})
	return []reply{v}, failed
}

// block sends a command and returns when the server has blocked the client.
func (s *session) block(c *client, args []string) error {
	id, err := c.number()
	if err != nil {
		return err
	}
	if _, err := c.conn.Write(appendCommand(nil, args)); err != nil {
		return err
	}
	return poll(func() (bool, error) {
		v, err := s.server.control.do("CLIENT", "LIST", "ID", id)
		if err != nil {
			return false, err
		}
		_, flags, ok := strings.Cut(v.text, " flags=")
		flags, _, _ = strings.Cut(flags, " ")
		return ok && strings.Contains(flags, "b"), nil
	})
}
