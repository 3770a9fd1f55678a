package transcript

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Within says in what the commands of a case are wrapped. A transaction and a script must get the replies that the commands get by themselves.
type Within int

const (
	Alone  Within = iota // nothing
	Exec                 // MULTI … EXEC around each command
	Script               // redis.pcall, in RESP2: what scripts make of the maps and sets of RESP3 has no order
)

func (w Within) String() string { return [...]string{"", "exec", "script"}[w] }

// command returns the command that the server must know for the mode, "" for none.
func (w Within) command() string { return [...]string{"", "EXEC", "EVAL"}[w] }

// apart are commands whose cases go without wrapping: they look at, or change, what the wrapping does to a connection or to statistics.
var apart = []string{"multi", "exec", "watch", "client", "reset", "hello", "quit", "auth", "info", "slowlog", "latency", "monitor", "memory"}

// wrappable tells whether a case's commands may be wrapped.
func (c *Case) wrappable() bool {
	return !slices.ContainsFunc(c.steps, func(s *step) bool {
		return len(s.args) > 0 && slices.Contains(apart, strings.ToLower(s.args[0]))
	})
}

// inexact matches integers that a double may not hold.
var inexact = regexp.MustCompile(`\(integer\) -?\d{16}`)

// maxScriptArgs bounds the arguments of a command in a script: the stack that unpack fills has its limit.
const maxScriptArgs = 4000

// wraps tells whether this step is sent wrapped: a plain command about keys on the first connection, that may be called in scripts and
// does not block.
func (s *session) wraps(st *step, args []string) (bool, error) {
	if s.within == Alone || st.kind != stepCommand || st.client != 0 || st.eventually || len(args) > maxScriptArgs {
		return false, nil
	}
	return s.server.keyed(args)
}

// keyed tells whether the command is about keys, allowed in scripts and does not block.
func (s *server) keyed(args []string) (bool, error) {
	v, ok := s.infos[args[0]]
	if !ok {
		var err error
		if v, err = s.control.do("COMMAND", "INFO", args[0]); err != nil {
			return false, err
		}
		s.infos[args[0]] = v
	}
	if len(v.elems) != 1 || len(v.elems[0].elems) < 10 {
		return false, nil
	}
	info := v.elems[0].elems
	if subs := info[9].elems; len(subs) > 0 {
		i := slices.IndexFunc(subs, func(sub reply) bool {
			return len(args) > 1 && len(sub.elems) > 3 && strings.EqualFold(sub.elems[0].text, args[0]+"|"+args[1])
		})
		if i < 0 {
			return false, nil
		}
		info = subs[i].elems
	}
	has := func(flag string) bool {
		return slices.ContainsFunc(info[2].elems, func(f reply) bool { return f.text == flag })
	}
	return (info[3].text != "0" || has("movablekeys")) && !has("noscript") && !has("blocking"), nil
}

// wrapped executes a command wrapped and returns its own reply.
func (s *session) wrapped(c *client, st *step, args []string) (reply, error) {
	if s.within == Script {
		v, err := c.do(slices.Concat([]string{"EVAL", "return redis.pcall(unpack(ARGV))", "0"}, args)...)
		if err == nil && !s.survives(st) {
			v.lost = true
		}
		return v, err
	}
	out := appendCommand(appendCommand(appendCommand(nil, []string{"MULTI"}), args), []string{"EXEC"})
	replies, err := c.pipeline(out, []string{"MULTI", args[0], "EXEC"})
	switch {
	case err != nil:
		return reply{}, err
	case replies[1].kind == '-':
		return replies[1], nil // it was refused before EXEC, which says no more than that
	case replies[2].kind != '*' || len(replies[2].elems) != 1:
		return reply{}, fmt.Errorf("transcript: MULTI, %s, EXEC: replies %+v", args[0], replies)
	}
	return replies[2].elems[0], nil
}

// survives tells whether the expected reply comes out of a script as it went in: there is only one nil, numbers are doubles, what is wrong
// with a command's name or number of arguments is told in other words, and SORT gives sets an order there that it does not have to sort.
func (s *session) survives(st *step) bool {
	if strings.EqualFold(st.args[0], "sort") && slices.Contains(st.args, "nosort") {
		return false
	}
	want, _ := st.expect(s.server.version, s.resp)
	for _, line := range want {
		if strings.Contains(line, "(nil array)") || strings.HasPrefix(line, "(error) ERR wrong number of arguments") ||
			strings.HasPrefix(line, "(error) ERR unknown") || inexact.MatchString(line) {
			return false
		}
	}
	return true
}
