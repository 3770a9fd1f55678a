package integration

import (
	"fmt"
	"slices"
)

// diffWrappers are what a command may go wrapped in: its first word is then one of these. Commands have theirs in lower case.
var diffWrappers = map[string]string{"MULTI": "EXEC", "EVAL": "EVAL"} // and what the server must know for it

// diffScript passes a command on. What scripts make of its reply is the same on both servers.
const diffScript = "return redis.call(unpack(ARGV))"

// knownWrappers returns those that a server can do.
func knownWrappers(c *diffConn) (known []string) {
	for _, name := range []string{"MULTI", "EVAL"} {
		c.add("COMMAND", "INFO", diffWrappers[name])
		c.flush()
		if a, ok := c.any().(aggregate); ok && len(a.items) == 1 {
			if _, ok := a.items[0].(aggregate); ok {
				known = append(known, name)
			}
		}
	}
	return known
}

// within wraps some of the commands.
func (d *differential) within(cmd []string) []string {
	if len(d.wrappers) == 0 || d.rnd.IntN(100) >= 15 {
		return cmd
	}
	return slices.Insert(cmd, 0, d.wrappers[d.rnd.IntN(len(d.wrappers))])
}

// unwrapped returns the command itself.
func unwrapped(cmd []string) []string {
	if _, ok := diffWrappers[cmd[0]]; ok {
		return cmd[1:]
	}
	return cmd
}

// addWithin appends a command, with what it is wrapped in.
func (c *diffConn) addWithin(cmd []string) {
	switch cmd[0] {
	case "MULTI":
		c.add("MULTI")
		c.add(cmd[1:]...)
		c.add("EXEC")
	case "EVAL":
		c.add(slices.Concat([]string{"EVAL", diffScript, "0"}, cmd[1:])...)
	default:
		c.add(cmd...)
	}
}

// within reads the reply to a command: of a transaction that of the command in it, whether it was refused at once or executed.
func (c *diffConn) within(cmd []string) any {
	if cmd[0] != "MULTI" {
		return c.any()
	}
	begun, queued, done := c.any(), c.any(), c.any()
	if refused, ok := queued.(errorReply); ok {
		return refused
	}
	if a, ok := done.(aggregate); ok && len(a.items) == 1 {
		return a.items[0]
	}
	return text(fmt.Sprintf("MULTI %v, queued %v, EXEC %v", begun, queued, done))
}
