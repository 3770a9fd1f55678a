package actors

import (
	"fmt"
	"strings"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/netio/resp"
)

const (
	msgClientName = "ERR Client names cannot contain spaces, newlines or special characters."
	clientFlags   = command.NoScript | command.Loading | command.Stale
)

// CLIENT looks at connections and steers them.
var clientSpec = command.Spec{
	Name: "client", Group: command.GroupConnection, Since: "2.4.0", Arity: -2,
	Summary:    "Container of the commands about connections.",
	Categories: command.NoCategory,
	Help: []string{
		"GETNAME",
		"    Show the name of this connection.",
		"ID",
		"    Show the number of this connection.",
		"INFO",
		"    Show what CLIENT LIST has of this connection.",
		"KILL <ip:port>",
		"    Close the connection from this address.",
		"KILL <option> <value> [<option> <value> [...]]",
		"    Close the connections that match all of these:",
		"    * ADDR (<ip:port>|<unixsocket>:0)",
		"      The client's address.",
		"    * LADDR (<ip:port>|<unixsocket>:0)",
		"      The server's address.",
		"    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
		"      The class of the connection.",
		"    * USER <username>",
		"      The user it is authenticated as.",
		"    * SKIPME (YES|NO)",
		"      Whether to spare this connection (default: yes).",
		"    * ID <client-id>",
		"      Its number.",
		"    * MAXAGE <maxage>",
		"      At least so many seconds old.",
		"LIST [options ...]",
		"    Show the connections. Options:",
		"    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
		"      Only connections of this class.",
		"    * ID <client-id> [...]",
		"      Only connections with these numbers.",
		"UNPAUSE",
		"    End a pause.",
		"PAUSE <timeout> [WRITE|ALL]",
		"    Hold back writing commands, or all, for some milliseconds.",
		"REPLY (ON|OFF|SKIP)",
		"    Decide whether commands of this connection are answered.",
		"SETNAME <name>",
		"    Name this connection.",
		"SETINFO <option> <value>",
		"    Tell about the client library. Options:",
		"    * LIB-NAME <name>",
		"      Its name.",
		"    * LIB-VER <version>",
		"      Its version.",
		"UNBLOCK <clientid> [TIMEOUT|ERROR]",
		"    End the wait of a client in a blocking command.",
		"NO-EVICT (ON|OFF)",
		"    Protect this connection from being closed to free memory.",
		"NO-TOUCH (ON|OFF)",
		"    Leave access times alone when commands of this connection use keys.",
	},
	Subcommands: []*command.Spec{
		{
			Name: "getname", Since: "2.6.9", Arity: 2, Flags: clientFlags, Scope: command.ScopeLocal,
			Summary: "Returns the name of the connection.", Complexity: "O(1)",
			Run: func(c *command.Ctx) {
				if n := session(c).shown.name.Load(); n != nil {
					c.Reply.BulkString(*n)
				} else {
					c.Reply.Null()
				}
			},
		},
		{
			Name: "help", Since: "5.0.0", Arity: 2, Flags: command.Loading | command.Stale, Scope: command.ScopeLocal,
			Summary: "Lists the subcommands of CLIENT.", Complexity: "O(1)", Run: command.HelpCommand,
		},
		{
			Name: "id", Since: "5.0.0", Arity: 2, Flags: clientFlags, Scope: command.ScopeLocal,
			Summary: "Returns the number of the connection.", Complexity: "O(1)",
			Run: func(c *command.Ctx) { c.Reply.Int(session(c).id) },
		},
		{
			Name: "info", Since: "6.2.0", Arity: 2, Flags: clientFlags, Scope: command.ScopeLocal,
			Tips:    []string{"nondeterministic_output"},
			Summary: "Describes the connection.", Complexity: "O(1)",
			Run: func(c *command.Ctx) {
				s := session(c)
				s.showBurst()
				c.Reply.Verbatim("txt", string(s.describe(nil, c.NowMs))+"\n")
			},
		},
		{
			Name: "kill", Since: "2.4.0", Arity: -3, Flags: command.Admin | clientFlags, Scope: command.ScopeServer,
			Summary: "Closes connections.", Complexity: "O(N) where N is the number of connections",
			History: [][2]string{
				{"2.8.12", "Filters instead of one address."},
				{"2.8.12", "ID."},
				{"3.2.0", "TYPE master."},
				{"5.0.0", "TYPE replica for slave."},
				{"6.2.0", "LADDR."},
				{"7.4.0", "MAXAGE."},
			},
			Syntax: "filter:<old-format(ip:port)@-2.8.12|new-format:<[ID client-id:integer@2.8.12]|[TYPE " +
				"client-type:<NORMAL|MASTER@3.2.0|SLAVE|REPLICA@5.0.0|PUBSUB>@2.8.12]|[USER username]|[ADDR " +
				"addr(ip:port)]|[LADDR laddr(ip:port)@6.2.0]|[SKIPME skipme:<YES|NO>]|[MAXAGE maxage:integer@7.4.0]>...>",
			Heavy: manyClients, Run: clientKill,
		},
		{
			Name: "list", Since: "2.4.0", Arity: -2, Flags: command.Admin | clientFlags, Scope: command.ScopeServer,
			Summary: "Describes the connections.", Complexity: "O(N) where N is the number of connections",
			History: [][2]string{
				{"2.8.12", "The field id."},
				{"5.0.0", "TYPE."},
				{"6.0.0", "The field user."},
				{"6.2.0", "ID, and the field laddr."},
				{"7.0.0", "The fields resp, ssub, multi-mem, rbs and rbp."},
				{"7.0.3", "The field ssub."},
			},
			Tips:   []string{"nondeterministic_output"},
			Syntax: "[TYPE client-type:<NORMAL|MASTER|REPLICA|PUBSUB>@5.0.0] [ID client-id:integer@6.2.0...]",
			Heavy:  manyClients, Run: clientList,
		},
		{
			Name: "no-evict", Since: "7.0.0", Arity: 3, Flags: command.Admin | clientFlags, Scope: command.ScopeLocal,
			Summary: "Protects the connection from being closed to free memory.", Complexity: "O(1)",
			Syntax: "enabled:<ON|OFF>",
			Run: func(c *command.Ctx) {
				s := session(c)
				onOff(c, &s.noEvict)
				s.showFlags()
			},
		},
		{
			Name: "no-touch", Since: "7.2.0", Arity: 3, Flags: clientFlags, Scope: command.ScopeLocal,
			Summary:    "Decides whether the connection's commands count as uses of keys.",
			Complexity: "O(1)", Syntax: "enabled:<ON|OFF>",
			Run: func(c *command.Ctx) {
				s := session(c)
				onOff(c, &s.noTouch)
				s.showFlags()
			},
		},
		{
			Name: "pause", Since: "3.0.0", Arity: -3, Flags: command.Admin | clientFlags, Scope: command.ScopeServer,
			Summary: "Holds back commands for a time.", Complexity: "O(1)",
			History: [][2]string{{"6.2.0", "WRITE and ALL."}},
			Syntax:  "timeout:integer [mode:<WRITE|ALL>@6.2.0]",
			Run:     clientPause,
		},
		{
			Name: "reply", Since: "3.2.0", Arity: 3, Flags: clientFlags, Scope: command.ScopeLocal,
			Summary: "Decides whether commands are answered.", Complexity: "O(1)",
			Syntax: "action:<ON|OFF|SKIP>", Run: clientReply,
		},
		{
			Name: "setinfo", Since: "7.2.0", Arity: 4, Flags: clientFlags, Scope: command.ScopeLocal,
			Summary: "Records the client library.", Complexity: "O(1)",
			Tips:   []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
			Syntax: "attr:<LIB-NAME libname|LIB-VER libver>", Run: clientSetInfo,
		},
		{
			Name: "setname", Since: "2.6.9", Arity: 3, Flags: clientFlags, Scope: command.ScopeLocal,
			Summary: "Names the connection.", Complexity: "O(1)",
			Tips:   []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
			Syntax: "connection-name",
			Run: func(c *command.Ctx) {
				if !validName(c.Args[2]) {
					c.Reply.Error(msgClientName)
					return
				}
				session(c).setName(c.Args[2])
				c.Reply.OK()
			},
		},
		{
			Name: "unblock", Since: "5.0.0", Arity: -3, Flags: command.Admin | clientFlags, Scope: command.ScopeServer,
			Summary: "Ends the wait of a client in a blocking command.", Complexity: "O(1)",
			Syntax: "client-id:integer [unblock-type:<TIMEOUT|ERROR>]", Run: clientUnblock,
		},
		{
			Name: "unpause", Since: "6.2.0", Arity: 2, Flags: command.Admin | clientFlags, Scope: command.ScopeServer,
			Summary: "Ends a pause.", Complexity: "O(N) where N is the number of paused connections",
			Run: func(c *command.Ctx) {
				session(c).sys.endPause(0)
				c.Reply.OK()
			},
		},
	},
}

// manyClients tells whether going through all connections would take long.
func manyClients(c *command.Ctx) bool { return session(c).sys.clients.count.Load() > 500 }

// onOff parses the argument of an ON|OFF switch.
func onOff(c *command.Ctx, to *bool) {
	switch strings.ToLower(string(c.Args[2])) {
	case "on":
		*to = true
	case "off":
		*to = false
	default:
		c.Reply.Error(command.MsgSyntax)
		return
	}
	c.Reply.OK()
}

// validName tells whether text may stand in CLIENT LIST: printable and without spaces.
func validName(text []byte) bool {
	for _, b := range text {
		if b < '!' || b > '~' {
			return false
		}
	}
	return true
}

// setName names the session; an empty name takes the name away.
func (s *Session) setName(name []byte) {
	if len(name) == 0 {
		s.shown.name.Store(nil)
		return
	}
	text := string(name)
	s.shown.name.Store(&text)
}

func clientSetInfo(c *command.Ctx) {
	s := session(c)
	val := c.Args[3]
	var to func(string)
	switch opt := strings.ToLower(string(c.Args[2])); opt {
	case "lib-name":
		to = func(v string) { s.shown.libName.Store(&v) }
	case "lib-ver":
		to = func(v string) { s.shown.libVer.Store(&v) }
	default:
		c.Reply.Error("ERR Unrecognized option '" + string(c.Args[2]) + "'")
		return
	}
	if !validName(val) {
		c.Reply.Error("ERR " + string(c.Args[2]) + " cannot contain spaces, newlines or special characters.")
		return
	}
	to(string(val))
	c.Reply.OK()
}

func clientReply(c *command.Ctx) {
	s := session(c)
	switch strings.ToLower(string(c.Args[2])) {
	case "on":
		s.replyOff, s.skipNext, s.skipThis = false, false, false
		c.Reply.OK()
	case "off":
		s.replyOff = true
	case "skip":
		s.skipNext = !s.replyOff
	default:
		c.Reply.Error(command.MsgSyntax)
	}
}

// tooManyWords replies the error for a subcommand that its arity allows any number of words, but which takes few.
func tooManyWords(c *command.Ctx) {
	c.Reply.Error("ERR unknown subcommand or wrong number of arguments for '" + string(c.Args[1]) + "'. Try CLIENT HELP.")
}

func clientPause(c *command.Ctx) {
	if len(c.Args) > 4 {
		tooManyWords(c)
		return
	}
	kind := pauseAll
	if len(c.Args) == 4 {
		switch strings.ToLower(string(c.Args[3])) {
		case "write":
			kind = pauseWrites
		case "all":
		default:
			c.Reply.Error("ERR CLIENT PAUSE mode must be WRITE or ALL")
			return
		}
	}
	ms, ok := resp.ParseInt(c.Args[2])
	switch {
	case !ok || ms > 1<<62:
		c.Reply.Error("ERR timeout is not an integer or out of range")
	case ms < 0:
		c.Reply.Error("ERR timeout is negative")
	default:
		session(c).sys.startPause(kind, c.NowMs+ms)
		c.Reply.OK()
	}
}

// clientUnblock ends the wait of a client in a blocking command, as if its time were over or with an error.
func clientUnblock(c *command.Ctx) {
	if len(c.Args) > 4 {
		tooManyWords(c)
		return
	}
	reason := endTimeout
	if len(c.Args) == 4 {
		switch strings.ToLower(string(c.Args[3])) {
		case "timeout":
		case "error":
			reason = endUnblocked
		default:
			c.Reply.Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
			return
		}
	}
	id, ok := resp.ParseInt(c.Args[2])
	if !ok {
		c.Reply.Error(command.MsgNotInt)
		return
	}
	if s := session(c).sys.session(id); s != nil {
		if w := s.waiter.Load(); w != nil && w.end(reason) {
			c.Reply.Int(1)
			return
		}
	}
	c.Reply.Int(0)
}

// clientTypes are the names of client classes that CLIENT KILL and LIST know.
var clientTypes = map[string]string{
	"normal": "normal", "slave": "replica", "replica": "replica", "pubsub": "pubsub", "master": "master",
}

// class returns the class of the session: which output limits it has.
func (s *Session) class() string {
	if s.subs.has() {
		return "pubsub"
	}
	return "normal"
}

func clientList(c *command.Ctx) {
	session(c).showBurst()
	sys := session(c).sys
	var class string
	var only map[int64]bool
	switch args := c.Args; {
	case len(args) == 2:
	case len(args) == 4 && strings.EqualFold(string(args[2]), "type"):
		if class = clientTypes[strings.ToLower(string(args[3]))]; class == "" {
			c.Reply.Error("ERR Unknown client type '" + string(args[3]) + "'")
			return
		}
	case len(args) > 3 && strings.EqualFold(string(args[2]), "id"):
		only = make(map[int64]bool)
		for _, a := range args[3:] {
			id, ok := resp.ParseInt(a)
			if !ok {
				c.Reply.Error("ERR Invalid client ID")
				return
			}
			only[id] = true
		}
	default:
		c.Reply.Error(command.MsgSyntax)
		return
	}
	var text []byte
	for _, s := range sys.sessions() {
		if s.killed.Load() || class != "" && s.class() != class || only != nil && !only[s.id] {
			continue
		}
		text = append(s.describe(text, c.NowMs), '\n')
	}
	c.Reply.Verbatim("txt", string(text))
}

// killFilter is what CLIENT KILL looks for. An address may be wanted that nobody has, "": nil is for any.
type killFilter struct {
	id          int64
	addr, laddr *string
	user, class string
	maxAge      int64
	skipMe      bool
}

// matches leaves out sessions that were killed before: they are gone for everybody, though their sockets may still be
// on the way to be closed.
func (f *killFilter) matches(s, me *Session, nowMs int64) bool {
	return !s.killed.Load() && (!f.skipMe || s != me) &&
		(f.id == 0 || s.id == f.id) &&
		(f.addr == nil || s.info.Remote == *f.addr) &&
		(f.laddr == nil || s.info.Local == *f.laddr) &&
		(f.class == "" || s.class() == f.class) &&
		(f.user == "" || s.userName() == f.user) &&
		(f.maxAge == 0 || (nowMs-s.createdMs)/1000 >= f.maxAge)
}

func clientKill(c *command.Ctx) {
	me := session(c)
	f := killFilter{skipMe: true}
	old := len(c.Args) == 3
	if old {
		addr := string(c.Args[2])
		f = killFilter{addr: &addr}
	} else if text := f.parse(me.sys, c.Args[2:]); text != "" {
		c.Reply.Error(text)
		return
	}
	killed := 0
	self := false
	for _, s := range me.sys.sessions() {
		if !f.matches(s, me, c.NowMs) {
			continue
		}
		killed++
		if s == me {
			self = true
		} else {
			s.Kill()
		}
		if old {
			break
		}
	}
	switch {
	case !old:
		c.Reply.Int(int64(killed))
	case killed > 0:
		c.Reply.OK()
	default:
		c.Reply.Error("ERR No such client")
	}
	if self {
		me.closeAfterReply(c)
	}
}

// parse reads the filters of the newer form; it returns the error that they deserve.
func (f *killFilter) parse(sys *System, args [][]byte) (errText string) {
	for i := 0; i < len(args); i += 2 {
		if i+1 == len(args) {
			return command.MsgSyntax
		}
		val := string(args[i+1])
		switch strings.ToLower(string(args[i])) {
		case "id":
			id, ok := resp.ParseInt(args[i+1])
			if !ok || id < 1 {
				return "ERR client-id should be greater than 0"
			}
			f.id = id
		case "maxage":
			age, ok := resp.ParseInt(args[i+1])
			if !ok {
				return "ERR maxage is not an integer or out of range"
			}
			if age <= 0 {
				return "ERR maxage should be greater than 0"
			}
			f.maxAge = age
		case "type":
			if f.class = clientTypes[strings.ToLower(val)]; f.class == "" {
				return "ERR Unknown client type '" + val + "'"
			}
		case "addr":
			f.addr = &val
		case "laddr":
			f.laddr = &val
		case "user":
			if val != "default" {
				return "ERR No such user '" + val + "'"
			}
			f.user = val
		case "skipme":
			switch strings.ToLower(val) {
			case "yes":
				f.skipMe = true
			case "no":
				f.skipMe = false
			default:
				return command.MsgSyntax
			}
		default:
			return command.MsgSyntax
		}
	}
	return ""
}

func (s *Session) userName() string {
	if u := s.shown.user.Load(); u != nil {
		return *u
	}
	return "default"
}

// describe appends the line of CLIENT LIST, without its end.
func (s *Session) describe(dst []byte, nowMs int64) []byte {
	text := func(p *string) string {
		if p == nil {
			return ""
		}
		return *p
	}
	cmd := "NULL"
	if last := s.shown.last.Load(); last != nil {
		cmd = last.FullName
	}
	flags := ""
	f := s.shown.flags.Load()
	for _, x := range [...]struct {
		set    bool
		letter string
	}{
		{s.subs.has(), "P"}, {s.shown.multi.Load() >= 0, "x"}, {f&flagBlocked != 0, "b"}, {f&flagDirtyCAS != 0, "d"}, {s.info.Unix, "U"},
		{f&flagNoEvict != 0, "e"}, {f&flagNoTouch != 0, "T"},
	} {
		if x.set {
			flags += x.letter
		}
	}
	if flags == "" {
		flags = "N"
	}
	qbuf, free, omem := s.shown.qbuf.Load(), s.shown.qbufFree.Load(), int64(s.transport.Pending())+s.pushedBytes()
	oll := int64(0)
	if omem > 0 {
		oll = 1
	}
	return fmt.Appendf(dst, "id=%d addr=%s laddr=%s fd=%d name=%s age=%d idle=%d flags=%s db=%d sub=%d psub=%d ssub=%d "+
		"multi=%d watch=%d qbuf=%d qbuf-free=%d argv-mem=%d multi-mem=%d rbs=%d rbp=%d obl=0 oll=%d omem=%d tot-mem=%d "+
		"events=%s cmd=%s user=%s redir=-1 resp=%d lib-name=%s lib-ver=%s",
		s.id, s.info.Remote, s.info.Local, s.info.FD, text(s.shown.name.Load()),
		(nowMs-s.createdMs)/1000, max(nowMs-s.shown.activeMs.Load(), 0)/1000, flags, s.shown.db.Load(),
		s.subs.count[topicChannel].Load(), s.subs.count[topicPattern].Load(), s.subs.count[topicShard].Load(),
		s.shown.multi.Load(), s.shown.watch.Load(), qbuf, free, s.shown.argvBytes.Load(), s.shown.multiBytes.Load(), keptQuery, 0, oll, omem, s.memory(),
		"r", cmd, s.userName(), s.shown.proto.Load(),
		text(s.shown.libName.Load()), text(s.shown.libVer.Load()))
}

// showBurst makes CLIENT LIST show the command that asks as what is in the query buffer, as in Redis, until the buffer is
// looked at again.
func (s *Session) showBurst() { s.shown.qbuf.Store(int64(s.burst)) }

// sessionBytes is about what a session takes besides its buffers.
const sessionBytes = 1200

// memory returns about how many bytes the session takes.
func (s *Session) memory() int64 {
	return sessionBytes + s.shown.qbuf.Load() + s.shown.qbufFree.Load() + s.shown.argvBytes.Load() +
		s.shown.multiBytes.Load() +
		int64(s.transport.Pending()) + s.pushedBytes()
}
