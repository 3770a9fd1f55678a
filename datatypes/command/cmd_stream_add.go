package command

import (
	"bytes"
	"errors"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/stream"
	"github.com/troupe-db/troupe/netio/resp"
)

// XADD appends an entry. It is propagated with the ID that the entry got and without approximation, so that repeating it
// gives the same stream.
var xaddSpec = Spec{
	Name: "xadd", Group: GroupStream, Since: "5.0.0", Arity: -5,
	Complexity: "O(1) for the entry, O(N) for N entries that trimming removes",
	Summary:    "Appends an entry to a stream, optionally trimming the stream. Creates the key unless told not to.",
	History: [][2]string{
		{"6.2.0", "Options `NOMKSTREAM`, `MINID` and `LIMIT`."},
		{"7.0.0", "IDs of the form `<ms>-*`."},
	},
	Flags: Write | DenyOOM | Fast,
	Keys:  KeySpecs{At(1).Flags(RW | Update).Note("Update rather than Insert because of trimming.")},
	Syntax: `key [NOMKSTREAM@6.2.0] [trim:{strategy:<MAXLEN|MINID@6.2.0> [operator:<equal:"="|approximately:"~">] ` +
		`threshold [LIMIT count:integer@6.2.0]}] id-selector:<auto-id:"*"|id> data:{field value}...`,
	Tips:  []string{"nondeterministic_output"},
	Heavy: xaddHeavy,
	Work:  xaddWork,
	Run:   xaddCommand,
}

func xaddHeavy(c *Ctx) bool {
	// Most have no options. What begins with a letter is no ID.
	if w := c.Args[2]; len(w) == 0 || w[0] < 'A' {
		return false
	}
	return streamTrimHeavy(c, true)
}

func xaddCommand(c *Ctx) {
	var a streamAdd
	if msg := a.parse(c, true); msg != "" {
		c.Reply.Error(msg)
		return
	}
	if n := len(c.Args) - a.idAt - 1; a.idAt == 0 || n < 2 || n%2 != 0 {
		c.wrongArity()
		return
	}
	if !a.autoID && !a.autoSeq && a.id.IsZero() {
		c.Reply.Error("ERR The ID specified in XADD must be greater than 0-0")
		return
	}
	at, failed := c.streamWrite(1)
	if failed {
		return
	}
	s := at.s
	switch {
	case s != nil:
		at.edit()
	case a.noMkStream:
		c.Reply.Null()
		return
	default:
		s = stream.New(at.db.ArenaFor(0))
	}
	id, msg := a.add(c, s, c.Args[a.idAt+1:])
	if msg != "" {
		if at.s == nil {
			s.Free()
		}
		c.Reply.Error(msg)
		return
	}
	if at.s == nil {
		at.create(s)
	}
	at.grown()

	c.streamID(id)
	var chosen []byte
	if c.Journal != nil && (a.autoID || a.autoSeq) {
		chosen = c.streamRepliedID(id)
	}
	c.Changed(at.k, keyspace.EventStream, "xadd")
	if a.trim && at.s.Trim(a.opt) > 0 {
		at.db.Notify(keyspace.EventStream, "xtrim", at.k.B)
	}
	a.propagate(c, at.s, chosen)
	at.db.Signal(at.k.B)
}

// streamRepliedID returns the text of the ID that was just replied. As a rule it is still there, at the end of the reply.
func (c *Ctx) streamRepliedID(id stream.ID) []byte {
	var room [streamIDText]byte
	text := id.Append(room[:0])
	if reply, ok := bytes.CutSuffix(c.Reply.Buf, []byte("\r\n")); ok && bytes.HasSuffix(reply, text) {
		return reply[len(reply)-len(text) : len(reply) : len(reply)]
	}
	return bytes.Clone(text)
}

// XTRIM removes entries from the start of a stream. As with XADD, what is propagated has no "~".
var xtrimSpec = Spec{
	Name: "xtrim", Group: GroupStream, Since: "5.0.0", Arity: -4,
	Complexity: "O(N) for N removed entries, which go by the block for the most part",
	Summary:    "Removes entries from the start of a stream, down to a length or an ID.",
	History:    [][2]string{{"6.2.0", "Options `MINID` and `LIMIT`."}},
	Flags:      Write,
	Keys:       KeySpecs{At(1).Flags(RW | Delete)},
	Syntax: `key trim:{strategy:<MAXLEN|MINID@6.2.0> [operator:<equal:"="|approximately:"~">] threshold [LIMIT ` +
		`count:integer@6.2.0]}`,
	Tips:  []string{"nondeterministic_output"},
	Heavy: func(c *Ctx) bool { return streamTrimHeavy(c, false) },
	Run:   xtrimCommand,
}

func xtrimCommand(c *Ctx) {
	var a streamAdd
	if msg := a.parse(c, false); msg != "" {
		c.Reply.Error(msg)
		return
	}
	at, failed := c.streamWrite(1)
	if failed {
		return
	}
	if at.s == nil {
		c.Reply.Int(0)
		return
	}
	at.edit()
	n := at.s.Trim(a.opt)
	if n > 0 {
		c.Changed(at.k, keyspace.EventStream, "xtrim")
		a.propagate(c, at.s, nil)
	}
	c.Reply.Int(n)
}

// Words of the effects of XADD and XTRIM.
var (
	streamWordEqual      = []byte("=")
	streamWordNoMkStream = []byte("NOMKSTREAM")
)

// streamLimits returns when a block of a stream is full.
func (c *Ctx) streamLimits() stream.Limits {
	return stream.Limits{NodeMaxBytes: c.Settings.StreamNodeMaxBytes, NodeMaxEntries: c.Settings.StreamNodeMaxEntries}
}

// streamAdd holds the words of XADD before the fields, and those of XTRIM.
type streamAdd struct {
	id         stream.ID
	idAt       int  // index of the ID in Args, 0 for none
	autoID     bool // "*"
	autoSeq    bool // "ms-*"
	noMkStream bool

	trim        bool
	opt         stream.TrimOptions
	limited     bool // LIMIT was given
	thresholdAt int  // index of the threshold in Args; the operator, when there is one, stands before it
}

// parse reads the words of XADD or XTRIM. msg is the mistake in them, if there is one.
func (a *streamAdd) parse(c *Ctx, xadd bool) (msg string) {
	for i := 2; i < len(c.Args) && a.idAt == 0 && msg == ""; i++ {
		word, last := c.Args[i], i == len(c.Args)-1
		switch {
		case xadd && len(word) == 1 && word[0] == '*':
			a.idAt, a.autoID = i, true
		case !last && (equalFold(word, "MAXLEN") || equalFold(word, "MINID")):
			i, msg = a.parseThreshold(c.Args, i)
		case !last && equalFold(word, "LIMIT"):
			i++
			a.limited = true
			a.opt.Limit, msg = streamCount(c.Args[i], "ERR The LIMIT argument must be >= 0.")
		case xadd && equalFold(word, "NOMKSTREAM"):
			a.noMkStream = true
		case xadd:
			var ok bool
			if a.id, a.autoSeq, ok = stream.ParseAddID(word); !ok {
				msg = msgStreamID
			}
			a.idAt = i
		default:
			msg = MsgSyntax
		}
	}
	switch {
	case msg != "":
	case a.opt.Limit > 0 && !a.trim:
		msg = "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
	case !xadd && !a.trim:
		msg = "ERR syntax error, XTRIM must be called with a trimming strategy"
	case a.limited && !a.opt.Approx:
		msg = "ERR syntax error, LIMIT cannot be used without the special ~ option"
	case !a.limited && a.opt.Approx:
		a.opt.Limit = stream.DefaultTrimLimit(c.streamLimits())
	}
	return msg
}

// parseThreshold reads what follows MAXLEN or MINID, args[i], and returns the index of its last word.
func (a *streamAdd) parseThreshold(args [][]byte, i int) (last int, msg string) {
	if a.trim {
		return i, "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
	}
	a.trim = true
	a.opt.ByMinID = equalFold(args[i], "MINID")
	i++
	if op := args[i]; len(op) == 1 && (op[0] == '~' || op[0] == '=') && i+1 < len(args) {
		a.opt.Approx = op[0] == '~'
		i++
	}
	a.thresholdAt = i
	if !a.opt.ByMinID {
		a.opt.MaxLen, msg = streamCount(args[i], "ERR The MAXLEN argument must be >= 0.")
		return i, msg
	}
	var ok bool
	if a.opt.MinID, ok = stream.ParseStrictID(args[i], 0); !ok {
		msg = msgStreamID
	}
	return i, msg
}

// streamCount reads a number that must not be negative; negative is the error when it is.
func streamCount(word []byte, negative string) (n int64, msg string) {
	n, ok := resp.ParseInt(word)
	switch {
	case !ok:
		return 0, MsgNotInt
	case n < 0:
		return 0, negative
	}
	return n, ""
}

// streamTrimHeavy tells whether XADD or XTRIM removes many entries.
func streamTrimHeavy(c *Ctx, xadd bool) bool {
	s := c.streamPeek(1)
	if s == nil || s.Len() <= heavyElements {
		return false
	}
	var a streamAdd
	switch {
	case a.parse(c, xadd) != "" || !a.trim || a.opt.Limit > 0 && a.opt.Limit <= heavyElements:
		return false
	case a.opt.ByMinID:
		below, ok := a.opt.MinID.Prev()
		return ok && streamExceeds(s, stream.ID{}, below)
	}
	return int64(s.Len())-a.opt.MaxLen > heavyElements
}

// add appends the entry to s and returns its ID; msg is the error when it cannot be added, and nothing has changed then.
func (a *streamAdd) add(c *Ctx, s *stream.Stream, fields [][]byte) (id stream.ID, msg string) {
	if s.LastID() == stream.MaxID {
		return id, "ERR The stream has exhausted the last possible ID, unable to add more items"
	}
	ok := true
	switch {
	case a.autoID:
		id, ok = s.NextID(uint64(c.NowMs))
	case a.autoSeq:
		id, ok = s.NextSeq(a.id.Ms)
	default:
		id = a.id
	}
	err := stream.ErrIDTooSmall
	if ok {
		err = s.Append(id, fields, c.streamLimits())
	}
	switch {
	case err == nil:
		return id, ""
	case errors.Is(err, stream.ErrTooLarge):
		return id, "ERR Elements are too large to be stored"
	}
	return id, "ERR The ID specified in XADD is equal or smaller than the target stream top item"
}

// propagate states the command in words whose effect depends on nothing but the stream: with the ID that the entry got
// and, since "~" and LIMIT leave it to the layout of the stream how far trimming goes, with where that ended. id is the
// text of an ID that the stream has chosen, nil for others.
func (a *streamAdd) propagate(c *Ctx, s *stream.Stream, id []byte) {
	if c.Journal == nil || id == nil && !a.opt.Approx {
		return
	}
	args := c.Args
	if a.limited {
		// Without "~" there must be no LIMIT.
		args = append(make([][]byte, 0, len(args)), args[:2]...)
		if a.noMkStream {
			args = append(args, streamWordNoMkStream)
		}
		args = append(args, c.Args[a.thresholdAt-2], streamWordEqual, a.reached(c, s))
		if a.idAt > 0 {
			if id == nil {
				id = c.Args[a.idAt]
			}
			args = append(append(args, id), c.Args[a.idAt+1:]...)
		}
		c.Propagate(args...)
		return
	}
	// The words are exchanged in place for the time of the call, so that the frequent forms allocate nothing.
	var wasOp, wasThreshold []byte
	if a.opt.Approx {
		wasOp, wasThreshold = args[a.thresholdAt-1], args[a.thresholdAt]
		args[a.thresholdAt-1], args[a.thresholdAt] = streamWordEqual, a.reached(c, s)
	}
	wasID := args[a.idAt]
	if id != nil {
		args[a.idAt] = id
	}
	c.Propagate(args...)
	args[a.idAt] = wasID
	if a.opt.Approx {
		args[a.thresholdAt-1], args[a.thresholdAt] = wasOp, wasThreshold
	}
}

// reached returns the threshold at which trimming s exactly would remove nothing more.
func (a *streamAdd) reached(c *Ctx, s *stream.Stream) []byte {
	switch {
	case !a.opt.ByMinID:
		return c.Decimal(int64(s.Len()))
	case s.Len() == 0:
		return stream.MaxID.Append(nil)
	}
	return s.FirstID().Append(nil)
}
