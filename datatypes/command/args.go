package command

import (
	"math"

	"github.com/troupe-db/troupe/netio/resp"
)

// Arguments are read in one of two ways. Fixed ones by position:
//
//	n, ok := c.intArg(2)          // replies the error itself
//	if !ok { return }
//
// Optional ones word by word, where the first mistake is latched and checked once:
//
//	w := c.words(3)
//	for w.more() {
//		switch {
//		case w.is("NX"):          // this word, in any case; consumed
//			o.nx = true
//		case w.has("COUNT", 1):   // this word with at least one more behind it; consumed
//			o.count = w.int()
//		default:
//			w.syntax()
//		}
//	}
//	if w.failed(c) { return }
//
// Where Redis looks at the syntax of all options before it reads their numbers, keep w.next() and read it afterwards.

// words reads a run of arguments. Its methods do nothing once there was a mistake.
type words struct {
	rest [][]byte
	err  string // the first mistake, "" for none
}

// words returns a reader of Args[from:].
func (c *Ctx) words(from int) words { return words{rest: c.Args[from:]} }

// more tells whether there are words left to look at.
func (w *words) more() bool { return len(w.rest) > 0 && w.err == "" }

// is consumes the next word if it is keyword, in any case of letters.
func (w *words) is(keyword string) bool { return w.has(keyword, 0) }

// has is like is for a keyword that needs n more words behind it: with fewer it is no match.
func (w *words) has(keyword string, n int) bool {
	if w.err != "" || len(w.rest) <= n || !equalFold(w.rest[0], keyword) {
		return false
	}
	w.rest = w.rest[1:]
	return true
}

// next consumes a word. Without one left it is a syntax error.
func (w *words) next() []byte {
	if !w.more() {
		w.syntax()
		return nil
	}
	word := w.rest[0]
	w.rest = w.rest[1:]
	return word
}

// int consumes an integer.
func (w *words) int() int64 {
	word := w.next()
	if w.err != "" {
		return 0
	}
	n, ok := resp.ParseInt(word)
	if !ok {
		w.fail(MsgNotInt)
	}
	return n
}

// intIn consumes an integer from lo to hi. Anything else is the error msg.
func (w *words) intIn(lo, hi int64, msg string) int64 {
	word := w.next()
	if w.err != "" {
		return 0
	}
	n, ok := resp.ParseInt(word)
	if !ok || n < lo || n > hi {
		w.fail(msg)
		return 0
	}
	return n
}

// float consumes a floating point number.
func (w *words) float() float64 {
	word := w.next()
	if w.err != "" {
		return 0
	}
	f, ok := resp.ParseFloat(word)
	if !ok {
		w.fail(MsgNotFloat)
	}
	return f
}

// fail latches a mistake unless there was one before.
func (w *words) fail(msg string) {
	if w.err == "" {
		w.err = msg
	}
}

// syntax latches a syntax error.
func (w *words) syntax() { w.fail(MsgSyntax) }

// failed replies the mistake, if there was one.
func (w *words) failed(c *Ctx) bool {
	if w.err == "" {
		return false
	}
	c.Reply.Error(w.err)
	return true
}

// intArg returns Args[i] as an integer. When it is none, that is the reply and ok is false.
func (c *Ctx) intArg(i int) (n int64, ok bool) { return c.intOr(i, MsgNotInt) }

// intOr is intArg with the text of the error.
func (c *Ctx) intOr(i int, msg string) (n int64, ok bool) {
	if n, ok = resp.ParseInt(c.Args[i]); !ok {
		c.Reply.Error(msg)
	}
	return n, ok
}

// timeUnit is how an option tells a deadline.
type timeUnit uint8

const (
	noTime   timeUnit = iota
	seconds           // EX, from now
	millis            // PX, from now
	unixSecs          // EXAT
	unixMs            // PXAT
)

// absolute tells whether the deadline is a point in time, which may be past.
func (u timeUnit) absolute() bool { return u >= unixSecs }

// deadlineArg returns the deadline that word tells, in unix milliseconds. When it is no positive number, or too far
// away, that is the reply and ok is false.
func (c *Ctx) deadlineArg(word []byte, unit timeUnit) (atMs int64, ok bool) {
	n, ok := resp.ParseInt(word)
	if !ok {
		c.Reply.Error(MsgNotInt)
		return 0, false
	}
	valid := n > 0
	if unit == seconds || unit == unixSecs {
		valid = valid && n <= math.MaxInt64/1000
		n *= 1000
	}
	if !unit.absolute() {
		valid = valid && n <= math.MaxInt64-c.NowMs
		n += c.NowMs
	}
	if !valid {
		c.Reply.Error("ERR invalid expire time in '" + c.Spec.FullName + "' command")
		return 0, false
	}
	return n, true
}

// wrongArity replies that the number of words is wrong in a way that Spec.Arity cannot say.
func (c *Ctx) wrongArity() {
	c.Reply.Error("ERR wrong number of arguments for '" + c.Spec.FullName + "' command")
}

// The words of effects that handlers state.
var (
	wordSet       = []byte("SET")
	wordDel       = []byte("DEL")
	wordPXAT      = []byte("PXAT")
	wordKeepTTL   = []byte("KEEPTTL")
	wordPExpireAt = []byte("PEXPIREAT")
	wordPersist   = []byte("PERSIST")
)
