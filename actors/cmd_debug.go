package actors

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/datatypes/glob"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// DEBUG looks inside the server and disturbs it, for tests. It is refused unless enable-debug-command allows it. As in
// Redis its subcommands are words that the handler looks at and not commands of their own.
var debugSpec = command.Spec{
	Name: "debug", Group: command.GroupServer, Since: "1.0.0", Arity: -2,
	Summary:    "Looks inside the server and disturbs it, for tests.",
	Complexity: "Depends on the subcommand",
	SysCmd:     true,
	Flags:      command.Admin | command.NoScript | command.Loading | command.Stale | command.Protected,
	Scope:      command.ScopeServer,
	ScopeFunc: func(args [][]byte) command.Scope {
		if d := debugSubcommand(args); d != nil {
			return d.scope
		}
		return command.ScopeServer
	},
	Heavy: func(c *command.Ctx) bool {
		d := debugSubcommand(c.Args)
		return d != nil && d.heavy
	},
	Run: debugCommand,
}

// debugSub is one subcommand of DEBUG.
type debugSub struct {
	name        string
	least, most int // how many words there are, the two names included; most 0 means any number
	help        []string
	scope       command.Scope
	heavy       bool // must not run on an event loop
	run         func(*command.Ctx)
}

var debugSubs = []debugSub{
	{
		name: "change-repl-id", least: 2, most: 2, scope: command.ScopeServer,
		help: []string{"CHANGE-REPL-ID", "    Give the data set a new replication ID."},
		run: func(c *command.Ctx) {
			session(c).sys.changeReplID()
			c.Reply.OK()
		},
	},
	{
		name: "client-enforce-reply-list", least: 3, most: 3, scope: command.ScopeServer,
		help: []string{"CLIENT-ENFORCE-REPLY-LIST <0|1>", "    Accepted: all replies are kept in the same way here."},
		run:  func(c *command.Ctx) { c.Reply.OK() },
	},
	{
		name: "config-rewrite-force-all", least: 2, most: 2, scope: command.ScopeServer, heavy: true,
		help: []string{"CONFIG-REWRITE-FORCE-ALL", "    CONFIG REWRITE of all parameters, those with their default included."},
		run: func(c *command.Ctx) {
			if err := session(c).sys.cfg.RewriteAll(); err != nil {
				c.Reply.Error(err.Error())
				return
			}
			c.Reply.OK()
		},
	},
	{
		name: "dict-resizing", least: 3, most: 3, scope: command.ScopeServer,
		help: []string{"DICT-RESIZING <0|1>", "    Accepted: tables grow and shrink a segment at a time."},
		run:  func(c *command.Ctx) { c.Reply.OK() },
	},
	{
		name: "digest", least: 2, most: 2, scope: command.ScopeAllShards,
		help: []string{"DIGEST", "    Show a digest of all keys and values of all databases."},
		run:  debugDigest,
	},
	{
		name: "digest-value", least: 2, scope: command.ScopeAllShards,
		help: []string{"DIGEST-VALUE <key> [<key> ...]", "    Show a digest of the value of each key, zeros if there is none."},
		run:  debugDigestValue,
	},
	{
		name: "error", least: 3, most: 3, scope: command.ScopeServer,
		help: []string{"ERROR <string>", "    Reply an error with this text."},
		// The error is the result here and not counted as one.
		run: func(c *command.Ctx) { c.Reply.Buf = resp.AppendError(c.Reply.Buf, string(c.Args[2])) },
	},
	{
		name: "htstats", least: 3, most: 4, scope: command.ScopeAllShards,
		help: []string{"HTSTATS <dbid> [FULL]", "    Show how full the tables of a database are, with FULL those of each shard."},
		run:  debugHTStats,
	},
	{
		name: "htstats-key", least: 3, most: 4, scope: command.ScopeAllShards,
		help: []string{"HTSTATS-KEY <key> [FULL]", "    The same of a value that is a table."},
		run:  debugHTStatsKey,
	},
	{
		name: "log", least: 3, most: 3, scope: command.ScopeServer,
		help: []string{"LOG <message>", "    Write to the server's log."},
		run: func(c *command.Ctx) {
			session(c).sys.log.Warn("DEBUG LOG: " + string(c.Args[2]))
			c.Reply.OK()
		},
	},
	{
		name: "object", least: 3, most: 4, scope: command.ScopeAllShards,
		help: []string{"OBJECT <key> [FAST]", "    Show how the value at a key is kept. FAST leaves out the serialized length."},
		run:  debugObject,
	},
	{
		name: "panic", least: 2, most: 2, scope: command.ScopeAllShards,
		help: []string{"PANIC", "    Panic while all shards are held: the client gets an error and the data stays."},
		run:  func(*command.Ctx) { panic("DEBUG PANIC") },
	},
	{
		name: "pause-cron", least: 3, most: 3, scope: command.ScopeServer,
		help: []string{"PAUSE-CRON <0|1>", "    Stop what the server does ten times a second, or let it go on."},
		run: func(c *command.Ctx) {
			session(c).sys.cronTick.paused.Store(debugInt(c.Args[2]) != 0)
			c.Reply.OK()
		},
	},
	{
		name: "populate", least: 3, most: 5, scope: command.ScopeAllShards,
		help: []string{
			"POPULATE <count> [<prefix>] [<size>]",
			"    Make <count> string keys with the names <prefix>:<number> (default prefix: key) and values",
			"    of <size> bytes. Keys that are there stay as they are.",
		},
		run: debugPopulate,
	},
	{
		name: "protocol", least: 3, most: 3, scope: command.ScopeServer,
		help: []string{
			"PROTOCOL <type>",
			"    Reply a value of a type: string, integer, double, bignum, null, array, set, map, attrib,",
			"    push, verbatim, true or false.",
		},
		run: debugProtocol,
	},
	{
		name: "quicklist-packed-threshold", least: 3, most: 3, scope: command.ScopeServer,
		help: []string{"QUICKLIST-PACKED-THRESHOLD <size>", "    Keep elements of new lists that are as long in chunks of their own; 0 means those",
			"    that do not fit a chunk."},
		run: debugPackedThreshold,
	},
	{
		name: "replybuffer", least: 4, most: 4, scope: command.ScopeServer,
		help: []string{
			"REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|milliseconds>",
			"REPLYBUFFER RESIZING <0|1>",
			"    Accepted: reply buffers are shared by all connections.",
		},
		run: debugReplyBuffer,
	},
	{
		name: "set-active-expire", least: 3, most: 3, scope: command.ScopeServer,
		help: []string{
			"SET-ACTIVE-EXPIRE <0|1>",
			"    With 0, keys past their deadline are removed only when a command meets them.",
		},
		run: func(c *command.Ctx) {
			x := session(c).sys.expiry
			x.off.Store(debugInt(c.Args[2]) == 0)
			x.wake()
			c.Reply.OK()
		},
	},
	{
		name: "set-disable-deny-scripts", least: 3, most: 3, scope: command.ScopeServer,
		help: []string{
			"SET-DISABLE-DENY-SCRIPTS <0|1>",
			"    With 1, scripts may call commands which they must not, like DEBUG and CLIENT; not those that",
			"    run scripts, transactions or the end of the connection.",
		},
		run: func(c *command.Ctx) {
			session(c).sys.allowDenied.Store(debugInt(c.Args[2]) != 0)
			c.Reply.OK()
		},
	},
	{
		name: "sleep", least: 3, most: 3, scope: command.ScopeAllShards, heavy: true,
		help: []string{"SLEEP <seconds>", "    Hold all shards for a time, which may have a fraction."},
		run:  debugSleep,
	},
	{
		name: "stringmatch-len", least: 4, most: 4, scope: command.ScopeServer,
		help: []string{"STRINGMATCH-LEN <pattern> <string>", "    Show whether a glob pattern matches a string, as 1 or 0."},
		run: func(c *command.Ctx) {
			n := int64(0)
			if glob.Match(c.Args[2], c.Args[3], false) {
				n = 1
			}
			c.Reply.Int(n)
		},
	},
}

// debugSubcommand finds the subcommand that args name, with a fitting number of words; nil if there is none.
func debugSubcommand(args [][]byte) *debugSub {
	for i := range debugSubs {
		d := &debugSubs[i]
		if len(args) > 1 && strings.EqualFold(string(args[1]), d.name) && len(args) >= d.least &&
			(d.most == 0 || len(args) <= d.most) {
			return d
		}
	}
	return nil
}

func debugCommand(c *command.Ctx) {
	if d := debugSubcommand(c.Args); d != nil {
		d.run(c)
		return
	}
	if len(c.Args) == 2 && strings.EqualFold(string(c.Args[1]), "help") {
		debugHelp(c)
		return
	}
	debugUnknown(c)
}

func debugUnknown(c *command.Ctx) {
	name := c.Args[1]
	c.Reply.Error(fmt.Sprintf("ERR unknown subcommand or wrong number of arguments for '%s'. Try DEBUG HELP.",
		name[:min(len(name), 128)]))
}

func debugHelp(c *command.Ctx) {
	lines := []string{"DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"}
	for i := range debugSubs {
		lines = append(lines, debugSubs[i].help...)
	}
	lines = append(lines, "HELP", "    Print this help.")
	c.Reply.Array(len(lines))
	for _, l := range lines {
		c.Reply.Simple(l)
	}
}

// refuseProtected returns the error for a command that the configuration allows nobody or only local clients to use,
// or "".
func (s *Session) refuseProtected(spec *command.Spec) string {
	v := s.sys.cfg.Load()
	if spec.Container != nil {
		spec = spec.Container
	}
	param, mode := "enable-debug-command", v.EnableDebugCommand
	if spec.Name == "module" {
		param, mode = "enable-module-command", v.EnableModuleCommand
	}
	if mode == "yes" || mode == "local" && s.info.local() {
		return ""
	}
	return "ERR " + strings.ToUpper(spec.Name) + " command not allowed. If the " + param + " option is set to \"local\", " +
		"you can run it from a local connection, otherwise you need to set this option in the configuration file, and " +
		"then restart the server."
}

// debugInt reads a switch as Redis does: what is no number is 0.
func debugInt(word []byte) int64 {
	n, _ := resp.ParseInt(word)
	return n
}

// debugSleep runs on a goroutine of its own, since it is heavy.
func debugSleep(c *command.Ctx) {
	sec, _ := resp.ParseFloat(c.Args[2])
	const most = float64(math.MaxInt64 / int64(time.Second))
	if sec > 0 {
		over := make(chan struct{})
		session(c).sys.clock.clock.AfterFunc(time.Duration(min(sec, most)*float64(time.Second)), func() { close(over) })
		<-over
	}
	c.Reply.OK()
}

// debugProtocol replies what tests of client libraries expect of each type.
func debugProtocol(c *command.Ctx) {
	w := c.Reply
	switch strings.ToLower(string(c.Args[2])) {
	case "string":
		w.BulkString("Hello World")
	case "integer":
		w.Int(12345)
	case "double":
		w.Double(3.141)
	case "bignum":
		w.BigNumber("1234567999999999999999999999999999999")
	case "null":
		w.Null()
	case "array":
		w.Array(3)
		debugNumbers(w)
	case "set":
		w.Set(3)
		debugNumbers(w)
	case "map":
		w.Map(3)
		for i := range int64(3) {
			w.Int(i)
			w.Bool(i == 1)
		}
	case "attrib":
		if w.Proto == 3 {
			w.Attr(1)
			w.BulkString("key-popularity")
			w.Array(2)
			w.BulkString("key:123")
			w.Int(90)
		}
		w.BulkString("Some real reply following the attribute")
	case "push":
		if w.Proto != 3 {
			w.Error("ERR RESP2 is not supported by this command")
			return
		}
		w.Push(2)
		w.BulkString("server-cpu-usage")
		w.Int(42)
		w.BulkString("Some real reply following the push reply")
	case "true":
		w.Bool(true)
	case "false":
		w.Bool(false)
	case "verbatim":
		w.Verbatim("txt", "This is a verbatim\nstring")
	default:
		w.Error("ERR Wrong protocol type name. Please use one of the following: " +
			"string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false")
	}
}

func debugNumbers(w *resp.Writer) {
	for i := range int64(3) {
		w.Int(i)
	}
}

func debugObject(c *command.Ctx) {
	fast := len(c.Args) == 4
	if fast && !strings.EqualFold(string(c.Args[3]), "fast") {
		debugUnknown(c)
		return
	}
	k := c.Key(2)
	db := c.DB(k)
	e, ok := db.PeekAny(k) // of a key past its deadline it tells whether it takes memory still
	if !ok {
		c.Reply.Error(command.MsgNoKey)
		return
	}
	idle := db.Shard().IdleSeconds(e)
	text := fmt.Sprintf("Value at:0x%x refcount:1 encoding:%s", e.Address(), e.Encoding())
	if !fast {
		text += fmt.Sprintf(" serializedlength:%d", serializedLen(db, e))
	}
	c.Reply.Simple(fmt.Sprintf("%s lru:%d lru_seconds_idle:%d", text, (c.NowMs/1000-idle)&0xffffff, idle))
}

// serializedLen returns how many bytes the value takes in a dump without compression: what is packed is dumped as it is,
// of other collections every word is.
func serializedLen(db *keyspace.DB, e keyspace.Entry) (n int) {
	if e.IsPacked() {
		return dumpedLen(len(e.Packed()))
	}
	command.EachElement(db, e, func(words ...[]byte) {
		for _, w := range words {
			n += dumpedWord(w)
		}
	})
	return n
}

// dumpedWord: an integer of up to 32 bits is a head byte and 1, 2 or 4 bytes, any other string its length in 1, 2, 5 or 9
// bytes and its text.
func dumpedWord(text []byte) int {
	if v, ok := resp.ParseInt(text); ok {
		switch {
		case v == int64(int8(v)):
			return 2
		case v == int64(int16(v)):
			return 3
		case v == int64(int32(v)):
			return 5
		}
	}
	return dumpedLen(len(text))
}

func dumpedLen(n int) int {
	switch {
	case n < 1<<6:
		return 1 + n
	case n < 1<<14:
		return 2 + n
	case n <= math.MaxUint32:
		return 5 + n
	default:
		return 9 + n
	}
}

func debugHTStats(c *command.Ctx) {
	full := len(c.Args) == 4
	if full && !strings.EqualFold(string(c.Args[3]), "full") {
		debugUnknown(c)
		return
	}
	index, ok := resp.ParseInt(c.Args[2])
	if !ok {
		c.Reply.Error(command.MsgNotInt)
		return
	}
	if index < 0 || index >= int64(c.Databases()) {
		c.Reply.Error("ERR Out of range database")
		return
	}
	var b strings.Builder
	table := func(title string, slots, elements int, bytes int64) {
		b.WriteString(title)
		if elements == 0 {
			b.WriteString("No stats available for empty dictionaries\n")
			return
		}
		fmt.Fprintf(&b, " table size: %d\n number of elements: %d\n bytes: %d\n", slots, elements, bytes)
	}
	var slots, keys, volatile int
	var tables, deadlines int64
	for _, s := range c.Shards() {
		db := s.DB(int(index))
		slots += db.TableSlots()
		keys += db.Len()
		volatile += db.Volatile()
		tables += db.TableBytes() - db.IndexBytes()
		deadlines += db.IndexBytes()
	}
	table("[Dictionary HT]\nHash table 0 stats (main hash table):\n", slots, keys, tables)
	if full {
		for _, s := range c.Shards() {
			db := s.DB(int(index))
			table(fmt.Sprintf("Shard %d:\n", s.ID()), db.TableSlots(), db.Len(), db.TableBytes()-db.IndexBytes())
		}
	}
	table("[Expires HT]\nHash table 0 stats (main hash table):\n", int(deadlines/8), volatile, deadlines)
	c.Reply.Verbatim("txt", b.String())
}

func debugHTStatsKey(c *command.Ctx) {
	k := c.Key(2)
	db := c.DB(k)
	e, ok := db.Peek(k)
	if !ok {
		c.Reply.Error(command.MsgNoKey)
		return
	}
	if enc := e.Encoding(); enc == keyspace.HashTable || enc == keyspace.SkipList {
		o := db.Object(e)
		c.Reply.Verbatim("txt", fmt.Sprintf("[Dictionary HT]\nHash table 0 stats (main hash table):\n number of elements: %d\n bytes: %d\n",
			o.Len(), o.Bytes()))
		return
	}
	c.Reply.Error("ERR The value stored at the specified key is not represented using an hash table")
}

func debugPackedThreshold(c *command.Ctx) {
	n, ok := memoryValue(string(c.Args[2]))
	if !ok || n >= 4<<30 {
		c.Reply.Error("ERR argument must be a memory value bigger than 1 and smaller than 4gb")
		return
	}
	sys := session(c).sys
	sys.plainFrom.Store(n)
	for {
		was := sys.settings.Load()
		settings := *was
		settings.ListPlainFrom = int(n)
		if sys.settings.CompareAndSwap(was, &settings) {
			break
		}
	}
	c.Reply.OK()
}

// memoryValue reads a number of bytes that may have a unit.
func memoryValue(text string) (n int64, ok bool) {
	text = strings.ToLower(text)
	digits := strings.TrimRight(text, "bkmg")
	unit, known := map[string]int64{
		"": 1, "b": 1, "k": 1e3, "kb": 1 << 10, "m": 1e6, "mb": 1 << 20, "g": 1e9, "gb": 1 << 30,
	}[text[len(digits):]]
	n, err := strconv.ParseInt(digits, 10, 64)
	if !known || err != nil || n < 0 || n > math.MaxInt64/unit {
		return 0, false
	}
	return n * unit, true
}

func debugReplyBuffer(c *command.Ctx) {
	word := strings.ToLower(string(c.Args[3]))
	_, number := resp.ParseInt(c.Args[3])
	switch strings.ToLower(string(c.Args[2])) {
	case "peak-reset-time":
		if word != "never" && word != "reset" && !number {
			c.Reply.Error(command.MsgNotInt)
			return
		}
	case "resizing":
	default:
		debugUnknown(c)
		return
	}
	c.Reply.OK()
}
