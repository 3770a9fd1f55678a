package actors

import (
	"crypto/subtle"
	"strings"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/netio/resp"
)

// session returns the connection that runs the command.
func session(c *command.Ctx) *Session { return c.Client.(*Session) }

const (
	msgWrongPass = "WRONGPASS invalid username-password pair or user is disabled."
	msgNoPass    = "ERR AUTH <password> called without any password configured for the default user. Are you sure your " +
		"configuration is correct?"
)

// AUTH tells who the client is. With one argument it is the password of the default user.
var authSpec = command.Spec{
	Name: "auth", Group: command.GroupConnection, Since: "1.0.0", Arity: -2,
	Summary:    "Proves who the client is.",
	Complexity: "O(N) where N is the number of passwords of the user",
	History:    [][2]string{{"6.0.0", "Takes a username (ACL)."}},
	Flags: command.NoScript | command.Loading | command.Stale | command.Fast | command.NoAuth |
		command.AllowBusy,
	Syntax: "[username@6.0.0] password",
	Scope:  command.ScopeLocal,
	Run:    authCommand,
}

func authCommand(c *command.Ctx) {
	s := session(c)
	switch len(c.Args) {
	case 2:
		if s.sys.cfg.Load().RequirePass == "" {
			c.Reply.Error(msgNoPass)
			return
		}
		if !s.login("default", c.Args[1]) {
			c.Reply.Error(msgWrongPass)
			return
		}
	case 3:
		if !s.login(string(c.Args[1]), c.Args[2]) {
			c.Reply.Error(msgWrongPass)
			return
		}
	default:
		c.Reply.Error(command.MsgSyntax)
		return
	}
	c.Reply.OK()
}

// login checks the password and makes the session the user's when it is right.
func (s *Session) login(user string, password []byte) bool {
	want := s.sys.cfg.Load().RequirePass
	// The comparison takes the same time whatever part of the password is right.
	if user != "default" || want != "" && subtle.ConstantTimeCompare([]byte(want), password) != 1 {
		s.sys.stats.authDenied.Add(1)
		return false
	}
	s.authorize()
	return true
}

// HELLO chooses the protocol, and may say who the client is and what it is called.
var helloSpec = command.Spec{
	Name: "hello", Group: command.GroupConnection, Since: "6.0.0", Arity: -1,
	Summary:    "Chooses the protocol of the connection and tells about the server.",
	Complexity: "O(1)",
	History:    [][2]string{{"6.2.0", "The protocol version may be left out; then AUTH and SETNAME are left out too."}},
	Flags: command.NoScript | command.Loading | command.Stale | command.Fast | command.NoAuth |
		command.AllowBusy,
	Syntax: "[arguments:{protover:integer [AUTH auth:{username password}] [SETNAME clientname]}]",
	Scope:  command.ScopeLocal,
	Run:    helloCommand,
}

func helloCommand(c *command.Ctx) {
	s := session(c)
	args := c.Args
	proto := 0
	if len(args) > 1 {
		v, ok := resp.ParseInt(args[1])
		if !ok {
			c.Reply.Error("ERR Protocol version is not an integer or out of range")
			return
		}
		if v < 2 || v > 3 {
			c.Reply.Error("NOPROTO unsupported protocol version")
			return
		}
		proto = int(v)
	}
	var user, password, name []byte
	named := false
	for i := 2; i < len(args); i++ {
		left := len(args) - 1 - i
		switch opt := strings.ToLower(string(args[i])); {
		case opt == "auth" && left >= 2:
			user, password = args[i+1], args[i+2]
			i += 2
		case opt == "setname" && left >= 1:
			if !validName(args[i+1]) {
				c.Reply.Error(msgClientName)
				return
			}
			name, named = args[i+1], true
			i++
		default:
			c.Reply.Error("ERR Syntax error in HELLO option '" + string(args[i]) + "'")
			return
		}
	}
	if user != nil && !s.login(string(user), password) {
		c.Reply.Error(msgWrongPass)
		return
	}
	if !s.authorized && s.sys.cfg.Load().RequirePass != "" {
		c.Reply.Error("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> " +
			"AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at " +
			"the same time")
		return
	}
	if named {
		s.setName(name)
	}
	if proto != 0 {
		s.setProto(c, proto)
	}
	w := c.Reply
	w.Map(7)
	w.BulkString("server")
	w.BulkString("redis")
	w.BulkString("version")
	w.BulkString(RedisVersion)
	w.BulkString("proto")
	w.Int(int64(s.proto))
	w.BulkString("id")
	w.Int(s.id)
	w.BulkString("mode")
	w.BulkString("standalone")
	w.BulkString("role")
	w.BulkString("master")
	w.BulkString("modules")
	w.Array(0)
}

func (s *Session) setProto(c *command.Ctx, proto int) {
	s.proto = proto
	s.shown.proto.Store(int32(proto))
	c.Reply.Proto = proto
}

// QUIT closes the connection once its reply is written.
var quitSpec = command.Spec{
	Name: "quit", Group: command.GroupConnection, Since: "1.0.0", Arity: -1,
	Summary:         "Closes the connection.",
	Complexity:      "O(1)",
	DeprecatedSince: "7.2.0", ReplacedBy: "just closing the connection",
	Flags: command.NoScript | command.Loading | command.Stale | command.Fast | command.NoAuth |
		command.AllowBusy | command.NotQueued | command.Subscribing,
	Scope: command.ScopeLocal,
	Run: func(c *command.Ctx) {
		c.Reply.OK()
		session(c).closeAfterReply(c)
	},
}

// closeAfterReply drops the commands behind the one that runs and closes the connection once the replies so far are
// written.
func (s *Session) closeAfterReply(*command.Ctx) {
	s.closing = true
	s.batch.cutShort()
}

// RESET makes the connection as it was when it came.
var resetSpec = command.Spec{
	Name: "reset", Group: command.GroupConnection, Since: "6.2.0", Arity: 1,
	Summary:    "Puts the connection back into the state of a new one.",
	Complexity: "O(1)",
	Flags: command.NoScript | command.Loading | command.Stale | command.Fast | command.NoAuth |
		command.AllowBusy | command.NotQueued | command.Subscribing,
	Scope: command.ScopeServer, // it ends watches, which lie on shards
	Heavy: manySubscriptions,
	Run:   resetCommand,
}

func resetCommand(c *command.Ctx) {
	s := session(c)
	if s.txn != nil {
		s.discard()
	}
	s.unsubscribeAll()
	s.SelectDB(0)
	s.setProto(c, 2)
	s.noTouch, s.noEvict, s.replyOff, s.skipNext, s.skipThis = false, false, false, false, false
	s.showFlags()
	s.setName(nil)
	s.authorized = s.sys.cfg.Load().RequirePass == ""
	s.parser.Unauthenticated = !s.authorized
	c.Reply.Simple("RESET")
}

// showFlags publishes the flags that CLIENT LIST shows.
func (s *Session) showFlags() {
	var f uint32
	if s.noEvict {
		f |= flagNoEvict
	}
	if s.noTouch {
		f |= flagNoTouch
	}
	s.shown.flags.And(^(flagNoEvict | flagNoTouch))
	s.shown.flags.Or(f)
}
