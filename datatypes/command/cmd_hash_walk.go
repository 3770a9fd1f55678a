package command

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/hash"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/netio/resp"
)

// Going through a hash by chance (HRANDFIELD) or some fields at a time (HSCAN).

// HRANDFIELD replies a random field, or some. All fields have the same chance, and all sets of so many.
var hrandfieldSpec = Spec{
	Name: "hrandfield", Group: GroupHash, Since: "6.2.0", Complexity: "O(N) for N fields replied", Arity: -2,
	Summary: "Returns random fields of a hash.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key [options:{count:integer [WITHVALUES]}]",
	Tips:    []string{"nondeterministic_output"},
	Heavy:   hrandfieldHeavy,
	Run:     hrandfieldCommand,
}

// hashDrawShare decides how different fields are chosen: fewer than this share of a large hash by drawing until there are enough,
// more by a walk over all, which looks at a slot of eight bytes a field.
const hashDrawShare = 16

// hashDrawMost is the largest count below zero that is carried out: a reply of 2^31 elements takes 20 GB and more.
const hashDrawMost = 1 << 31

func hrandfieldHeavy(c *Ctx) bool {
	if len(c.Args) < 3 {
		return hashDueHeavy(c)
	}
	n, ok := resp.ParseInt(c.Args[2])
	if !ok {
		return false
	}
	large, small, _ := c.hashAt()
	if n < -heavyElements {
		return true
	}
	if large == nil {
		return n > 0 && len(small.LP) > heavyBytes
	}
	// Due fields that are there still are left out by a walk over all.
	return large.Len() > heavyElements &&
		(n > heavyElements || n >= int64(large.Len()/hashDrawShare) || large.CountDue(c.NowMs, 1) > 0)
}

func hrandfieldCommand(c *Ctx) {
	var h hashValue
	if len(c.Args) == 2 {
		if c.openHash(&h, false) {
			if n := h.size(); n > 0 {
				h.reply(h.random(n), true, false)
			} else {
				c.Reply.Null()
			}
		}
		return
	}
	n, ok := c.intArg(2)
	if !ok {
		return
	}
	withValues := false
	switch {
	case n == math.MinInt64:
		c.Reply.Error("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807")
		return
	case len(c.Args) > 4 || (len(c.Args) == 4 && !equalFold(c.Args[3], "withvalues")):
		c.Reply.Error(MsgSyntax)
		return
	case len(c.Args) == 4:
		withValues = true
		if n < -math.MaxInt64/2 || n > math.MaxInt64/2 {
			c.Reply.Error("ERR value is out of range")
			return
		}
	}
	if n < -hashDrawMost {
		c.Reply.Error("ERR value is out of range")
		return
	}
	if !c.openHash(&h, false) {
		return
	}
	size := h.size()
	count := int(max(n, -n))
	if n > 0 {
		count = min(count, size)
	}
	if size == 0 {
		count = 0
	}
	c.replyRandomHead(count, withValues)
	switch {
	case count == 0:
	case n < 0:
		h.drawAny(count, size, withValues)
	case count == size:
		h.each(func(it hashItem) { h.replyRandom(it, withValues) })
	case h.large != nil && !h.due && count < size/hashDrawShare:
		h.drawDistinct(count, withValues)
	default:
		h.drawInOrder(count, size, withValues)
	}
}

// replyRandomHead begins the reply: an array of fields, or of fields and values one after another or, in RESP3, in pairs.
func (c *Ctx) replyRandomHead(count int, withValues bool) {
	if withValues && c.Reply.Proto < 3 {
		count *= 2
	}
	c.Reply.Array(count)
}

func (h *hashValue) replyRandom(it hashItem, withValues bool) {
	if withValues && h.c.Reply.Proto >= 3 {
		h.c.Reply.Array(2)
	}
	h.reply(it, true, withValues)
}

// hashRandomTries is how often a due field is drawn before the live ones are counted off.
const hashRandomTries = 100

// hashDrawLive: where fewer than this share of the fields are not due, several are not drawn until one of those comes up.
const hashDrawLive = 4

// random returns one of the size fields that there are to be seen.
func (h *hashValue) random(size int) hashItem {
	if h.large == nil {
		i := h.c.hashBelow(size)
		if h.due {
			i += h.small.Len() - size // due ones are in front
		}
		return hashItem{off: h.small.Seek(i)}
	}
	for range hashRandomTries {
		it, _ := h.large.Random(h.c.Rand)
		if !h.due || !h.large.Due(it, h.c.NowMs) {
			return hashItem{item: it}
		}
	}
	var found hashItem
	i := h.c.hashBelow(size)
	h.each(func(it hashItem) {
		if i == 0 {
			found = it
		}
		i--
	})
	return found
}

// drawAny replies count fields, the same ones repeatedly perhaps.
func (h *hashValue) drawAny(count, size int, withValues bool) {
	if h.large != nil && size >= h.large.Len()/hashDrawLive {
		for range count {
			h.replyRandom(h.random(size), withValues)
		}
		return
	}
	if h.large != nil {
		// Found once for all, since drawing would hit upon due ones again and again.
		items := make([]hashItem, 0, size)
		h.each(func(it hashItem) { items = append(items, it) })
		for range count {
			h.replyRandom(items[h.c.hashBelow(size)], withValues)
		}
		return
	}
	// A listpack is walked to its nth element: once for all rather than again and again.
	offs := make([]int32, 0, size)
	h.each(func(it hashItem) { offs = append(offs, int32(it.off)) })
	for range count {
		h.replyRandom(hashItem{off: int(offs[h.c.hashBelow(size)])}, withValues)
	}
}

// drawDistinct replies count different fields of many.
func (h *hashValue) drawDistinct(count int, withValues bool) {
	seen := make(map[hash.Item]struct{}, count)
	for len(seen) < count {
		it, _ := h.large.Random(h.c.Rand)
		if _, ok := seen[it]; !ok {
			seen[it] = struct{}{}
			h.replyRandom(hashItem{item: it}, withValues)
		}
	}
}

// drawInOrder replies count of size fields, in the order in which they are stored: each is taken with the chance of those that
// are still wanted among those that are still to come.
func (h *hashValue) drawInOrder(count, size int, withValues bool) {
	h.each(func(it hashItem) {
		if count > 0 && h.c.hashBelow(size) < count {
			count--
			h.replyRandom(it, withValues)
		}
		size--
	})
}

// HSCAN returns some of the fields and a cursor with which the next call goes on, with the guarantees of SCAN. A small hash is
// returned whole.
var hscanSpec = Spec{
	Name: "hscan", Group: GroupHash, Since: "2.8.0",
	Complexity: "O(1) per call and field, O(N) for a whole walk over N fields", Arity: -3,
	Summary: "Walks over the fields of a hash, some at a time.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [NOVALUES]",
	Tips:    []string{"nondeterministic_output"},
	Heavy:   scanHeavy,
	Run:     hscanCommand,
}

func hscanCommand(c *Ctx) {
	cursor, ok := scanCursor(c.Args[2])
	if !ok {
		c.Reply.Error("ERR invalid cursor")
		return
	}
	var h hashValue
	if !c.openHash(&h, false) {
		return
	}
	if !h.found { // without a look at the options, as Redis does
		c.Reply.Array(2)
		c.Reply.BulkString("0")
		c.Reply.Array(0)
		return
	}
	count, values, matcher := scanDefault, true, keyMatcher{}
	w := c.words(3)
	for w.more() {
		switch {
		case w.has("COUNT", 1):
			n := w.int()
			if n < 1 {
				w.syntax()
			}
			count = int(min(n, scanMost))
		case w.has("MATCH", 1):
			matcher = newKeyMatcher(w.next())
		case w.is("NOVALUES"):
			values = false
		default:
			w.syntax()
		}
	}
	if w.failed(c) {
		return
	}
	c.Reply.Array(2)
	start := len(c.Reply.Buf)
	mark, n := c.Reply.StartDeferred(), 0
	perField := 1
	if values {
		perField = 2
	}
	if h.large == nil {
		h.each(func(it hashItem) {
			if matcher.kind == matchAll || matcher.match(listpack.Text(h.small.LP, it.off, c.digits[:])) {
				h.reply(it, true, values)
				n += perField
			}
		})
		cursor = 0
	} else {
		next, more := h.large.Scan(cursor<<(64-scanPosBits), count, func(it hash.Item) {
			if (!h.due || !h.large.Due(it, c.NowMs)) && (matcher.kind == matchAll || matcher.match(it.Field())) {
				h.reply(hashItem{item: it}, true, values)
				n += perField
			}
		})
		if cursor = next >> (64 - scanPosBits); !more {
			cursor = 0
		}
	}
	c.Reply.EndDeferredArray(mark, n)
	insertCursor(c.Reply, start, cursor)
}
