package command

import (
	"errors"
	"math"
	"strconv"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// Blocking commands. The handler of one does what it can do at once; when that is nothing, it calls Block and appends no
// reply. The client then waits in the queues of the keys (keyspace/blocked.go), and when one of them may have become ready, the
// handler runs again from the start: by then it knows no more than it would had the command just come. It may block again,
// and again appends no reply then. When the time is over, the reply is a null array.
//
// When the handler runs again only some of the shards may be at hand. It must leave alone the keys that are not Reachable: as
// far as this run goes there is nothing at them.

// Wait says for what a command waits.
type Wait struct {
	// First to Last, in steps of Step (1 if it is 0), are the arguments that are the keys. First is 0 when there are none: the
	// command waits for nothing that a key could bring.
	First, Last, Step int
	// Type is that of the values which can serve it.
	Type keyspace.Type
	// Gone: it is also to run again when a key vanishes or its value is of another type.
	Gone bool
	// Needs, when not 0, is an argument that is a key which must be at hand too when the command is served.
	Needs int
	// TimeoutMs is how long it waits, 0 for ever.
	TimeoutMs int64
	// TimedOut appends the reply when that time is over; nil is a null array.
	TimedOut func(*resp.Writer)
}

// Blocker makes clients wait.
type Blocker interface {
	// Block makes the client of the running command wait. The handler appends no reply.
	Block(w Wait)
}

// CanBlock tells whether the command may wait. In scripts and EXEC, and where there is nobody who could take the wait, it may
// not, and answers at once that there is nothing.
func (c *Ctx) CanBlock() bool { return c.Blocker != nil && !c.InScript && !c.InMulti }

// Block makes the client wait. REQUIRES: CanBlock.
func (c *Ctx) Block(w Wait) { c.Blocker.Block(w) }

// blockOr makes the client wait or, where it may not, has now append the reply.
func (c *Ctx) blockOr(w Wait, now func(*resp.Writer)) {
	if c.CanBlock() {
		c.Block(w)
		return
	}
	now(c.Reply)
}

// Reachable tells whether the shard of the key Args[i] is at hand.
func (c *Ctx) Reachable(i int) bool {
	return c.Within == 0 || c.Within>>ShardOf(c.Key(i).H, len(c.shards))&1 != 0
}

// The errors of timeouts.
const (
	msgTimeoutFloat    = "ERR timeout is not a float or out of range"
	msgTimeoutInt      = "ERR timeout is not an integer or out of range"
	msgTimeoutNegative = "ERR timeout is negative"
	msgTimeoutRange    = "ERR timeout is out of range"
)

// timeoutSeconds reads a timeout in seconds, which may have a fraction; 0 is for ever. A time too short for a millisecond is one.
// When it is none, that is the reply and ok is false.
func (c *Ctx) timeoutSeconds(word []byte) (ms int64, ok bool) {
	sec, ok := resp.ParseFloat(word)
	if !ok {
		// Redis reads a long double: what is too large for ours is a number all the same.
		f, err := strconv.ParseFloat(string(word), 64)
		if !errors.Is(err, strconv.ErrRange) {
			c.Reply.Error(msgTimeoutFloat)
			return 0, false
		}
		sec = f
	}
	sec *= 1000
	if sec >= 1<<63 {
		c.Reply.Error(msgTimeoutRange)
		return 0, false
	}
	ms = int64(max(math.Ceil(sec), -1))
	if msg := badTimeout(ms, c.NowMs); msg != "" {
		c.Reply.Error(msg)
		return 0, false
	}
	return ms, true
}

// timeoutMillis reads a timeout in whole milliseconds. When it is none, that is the reply and ok is false.
func (c *Ctx) timeoutMillis(word []byte) (ms int64, ok bool) {
	ms, msg := parseTimeoutMs(word, c.NowMs)
	if msg != "" {
		c.Reply.Error(msg)
	}
	return ms, msg == ""
}

// parseTimeoutMs is timeoutMillis without a reply: msg is the error, "" for none.
func parseTimeoutMs(word []byte, nowMs int64) (ms int64, msg string) {
	ms, ok := resp.ParseInt(word)
	if !ok {
		return 0, msgTimeoutInt
	}
	return ms, badTimeout(ms, nowMs)
}

// badTimeout returns what is wrong with a timeout, "" for nothing.
func badTimeout(ms, nowMs int64) string {
	switch {
	case ms < 0:
		return msgTimeoutNegative
	case ms > math.MaxInt64-nowMs:
		return msgTimeoutRange
	}
	return ""
}
