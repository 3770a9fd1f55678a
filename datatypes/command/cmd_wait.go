package command

import (
	"math"

	"github.com/troupe-db/troupe/netio/resp"
)

// Waiting for replicas and for the append-only file. There are neither: nothing will ever acknowledge a write, and all that there is to
// wait for is the end of the time.

// WAIT waits until so many replicas have what the connection has written, and replies how many do.
var waitSpec = Spec{
	Name: "wait", Group: GroupGeneric, Since: "3.0.0", Complexity: "O(1)", Arity: 3,
	Summary:    "Waits until the writes of the connection have reached as many replicas as given, or the time is over.",
	Flags:      Blocking,
	Categories: CatConnection,
	Tips:       []string{"request_policy:all_shards", "response_policy:agg_min"},
	Syntax:     "numreplicas:integer timeout:integer",
	Scope:      ScopeLocal,
	Run:        waitCommand,
}

func waitCommand(c *Ctx) {
	replicas, ok := c.intArg(1)
	if !ok {
		return
	}
	timeoutMs, ok := c.timeoutMillis(c.Args[2])
	if !ok {
		return
	}
	if replicas <= 0 {
		replyNoReplicas(c.Reply)
		return
	}
	c.blockOr(Wait{TimeoutMs: timeoutMs, TimedOut: replyNoReplicas}, replyNoReplicas)
}

// replyNoReplicas replies to WAIT that no replica has acknowledged anything.
func replyNoReplicas(w *resp.Writer) { w.Int(0) }

// WAITAOF waits until what the connection has written is on disk: in the append-only file of this server, if numlocal is 1, and in those of
// as many replicas as given. It replies how many of each have it.
var waitaofSpec = Spec{
	Name: "waitaof", Group: GroupGeneric, Since: "7.2.0", Complexity: "O(1)", Arity: 4,
	Summary: "Waits until the writes of the connection are in append-only files, here and on as many replicas as given, or the " +
		"time is over.",
	Flags:      Blocking,
	Categories: CatConnection,
	Tips:       []string{"request_policy:all_shards", "response_policy:agg_min"},
	Syntax:     "numlocal:integer numreplicas:integer timeout:integer",
	Scope:      ScopeLocal,
	Run:        waitaofCommand,
}

func waitaofCommand(c *Ctx) {
	w := c.words(1)
	local := w.int()
	if local < 0 || local > 1 {
		w.fail("ERR value is out of range, value must between 0 and 1")
	}
	replicas := w.intIn(0, math.MaxInt64, msgPositive)
	if w.failed(c) {
		return
	}
	timeoutMs, ok := c.timeoutMillis(c.Args[3])
	switch {
	case !ok:
	case local > 0:
		c.Reply.Error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")
	case replicas == 0:
		replyNoFsyncs(c.Reply)
	default:
		c.blockOr(Wait{TimeoutMs: timeoutMs, TimedOut: replyNoFsyncs}, replyNoFsyncs)
	}
}

// replyNoFsyncs replies to WAITAOF that there is no append-only file which has anything.
func replyNoFsyncs(w *resp.Writer) {
	w.Array(2)
	w.Int(0)
	w.Int(0)
}
