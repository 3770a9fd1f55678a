package integration

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// diffConn is a wire that reads the replies of both protocols with their types.
type diffConn struct{ *wire }

func dialDiff(t testing.TB, addr string) *diffConn { return &diffConn{dialWire(t, addr)} }

// aggregate is an array, map, set or push with its type byte; maps are flat.
type aggregate struct {
	kind  byte
	items []any
}

func (a aggregate) String() string {
	parts := make([]string, len(a.items))
	for i, v := range a.items {
		parts[i] = fmt.Sprint(v)
	}
	return string(a.kind) + "[" + strings.Join(parts, " ") + "]"
}

// text is a bulk or simple string: the two are not told apart, as clients do not.
type text string

func (s text) String() string { return "string:" + string(s) }

// null is any null.
type null struct{ kind byte }

func (n null) String() string { return "null" + string(n.kind) }

// any reads one reply.
func (c *diffConn) any() any {
	if c.err != nil {
		return nil
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(wirePatience)); err != nil {
		c.err = err
		return nil
	}
	v, err := readTyped(c.in)
	c.err = err
	return v
}

func readTyped(in *bufio.Reader) (any, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	kind, rest := line[0], strings.TrimSuffix(line[1:], "\r\n")
	switch kind {
	case '+':
		return text(rest), nil
	case '-':
		return errorReply(rest), nil
	case ':':
		return strconv.ParseInt(rest, 10, 64)
	case ',':
		return strconv.ParseFloat(rest, 64)
	case '#':
		return rest == "t", nil
	case '_':
		return null{}, nil
	case '$', '=':
		n, err := strconv.Atoi(rest)
		if err != nil {
			return nil, err
		}
		if n < 0 {
			return null{kind}, nil
		}
		b := make([]byte, n+2)
		_, err = io.ReadFull(in, b)
		return text(b[:n]), err
	case '*', '%', '~', '>':
		n, err := strconv.Atoi(rest)
		if err != nil {
			return nil, err
		}
		if n < 0 {
			return null{kind}, nil
		}
		if kind == '%' {
			n *= 2
		}
		a := aggregate{kind: kind}
		for range n {
			v, err := readTyped(in)
			if err != nil {
				return nil, err
			}
			a.items = append(a.items, v)
		}
		return a, nil
	}
	return nil, fmt.Errorf("unknown reply type %q", line)
}

// unordered are commands whose reply is a set, or has the order of a hash table; the number is that of values per element.
var unordered = map[string]int{
	"smembers": 1, "sunion": 1, "sinter": 1, "sdiff": 1, "keys": 1, "hkeys": 1, "hvals": 1, "hgetall": 2,
}

// normal brings a reply into a form in which it can be compared: order where there is none, and times, are taken out.
func normal(cmd []string, v any) any {
	a, ok := v.(aggregate)
	if !ok {
		return v
	}
	name := strings.ToLower(cmd[0])
	switch name {
	case "scan", "sscan":
		if len(a.items) == 2 {
			a.items = slices.Clone(a.items)
			a.items[1] = sorted(a.items[1], 1)
		}
	case "hscan", "zscan":
		if len(a.items) == 2 {
			a.items = slices.Clone(a.items)
			a.items[1] = sorted(a.items[1], 2)
		}
	case "xinfo":
		return withoutTimes(a, "")
	case "xpending":
		if len(cmd) > 3 {
			return withoutTimes(a, "idle")
		}
	case "sort", "sort_ro":
		if slices.ContainsFunc(cmd, func(s string) bool { return strings.EqualFold(s, "BY") }) && !slices.ContainsFunc(cmd, func(s string) bool { return strings.EqualFold(s, "GET") }) {
			return sorted(a, 1)
		}
		if slices.ContainsFunc(cmd, func(s string) bool { return strings.EqualFold(s, "ALPHA") }) {
			return upToNUL(a)
		}
	}
	if n := unordered[name]; n > 0 {
		return sorted(a, n)
	}
	return a
}

// upToNUL cuts texts at their first NUL byte: SORT ALPHA leaves the order of those open that differ behind it only.
func upToNUL(a aggregate) aggregate {
	a.items = slices.Clone(a.items)
	for i, v := range a.items {
		if s, ok := v.(text); ok {
			before, _, _ := strings.Cut(string(s), "\x00")
			a.items[i] = text(before)
		}
	}
	return a
}

// sorted orders the elements of v, each of n values.
func sorted(v any, n int) any {
	a, ok := v.(aggregate)
	if !ok || len(a.items)%n != 0 {
		return v
	}
	type element struct {
		text   string
		values []any
	}
	var elements []element
	for values := range slices.Chunk(a.items, n) {
		elements = append(elements, element{fmt.Sprint(values...), values})
	}
	slices.SortFunc(elements, func(x, y element) int { return strings.Compare(x.text, y.text) })
	out := aggregate{kind: a.kind}
	for _, e := range elements {
		out.items = append(out.items, e.values...)
	}
	return out
}

// inTime are fields of XINFO that tell times, how memory is used, or that came after 7.0.
var inTime = []string{
	"idle", "inactive", "seen-time", "active-time", "radix-tree-keys", "radix-tree-nodes", "delivery-time",
}

// withoutTimes takes out of the reply of XINFO and XPENDING what depends on the time.
func withoutTimes(v any, under string) any {
	a, ok := v.(aggregate)
	if !ok {
		return v
	}
	if len(a.items)%2 == 0 && len(a.items) > 0 && named(a.items) {
		out := aggregate{kind: a.kind}
		for i := 0; i < len(a.items); i += 2 {
			name := string(a.items[i].(text))
			if !slices.Contains(inTime, name) {
				out.items = append(out.items, text(name), withoutTimes(a.items[i+1], name))
			}
		}
		return out
	}
	out := aggregate{kind: a.kind}
	for _, item := range a.items {
		e, ok := item.(aggregate)
		if ok && (under == "pel" || under == "pending" || under == "idle") && len(e.items) >= 3 && !named(e.items) {
			// An entry of a pending list: ID, perhaps the consumer, when delivered or idle since, how often.
			e.items = slices.Delete(slices.Clone(e.items), len(e.items)-2, len(e.items)-1)
			item = e
		} else {
			item = withoutTimes(item, "")
		}
		out.items = append(out.items, item)
	}
	return out
}

// named tells whether items are names with values as XINFO has them.
func named(items []any) bool {
	first, ok := items[0].(text)
	if !ok {
		return false
	}
	return slices.Contains([]string{"length", "name", "id", "radix-tree-keys"}, string(first)) && len(items)%2 == 0
}

// near are commands that tell how much time is left, with what of it may have gone by between the two servers.
var near = map[string]float64{
	"ttl": 60, "pttl": 60_000, "expiretime": 60, "pexpiretime": 60_000, "object": 0,
}

// alike tells whether two replies mean the same. The text of a double became shorter in 7.2: such texts are compared as
// numbers.
func alike(cmd []string, a, b any) bool {
	switch x := a.(type) {
	case aggregate:
		y, ok := b.(aggregate)
		if !ok || x.kind != y.kind || len(x.items) != len(y.items) {
			return false
		}
		for i := range x.items {
			if i > 0 && x.items[i-1] == text("lag") {
				continue // is computed in another way since 7.2
			}
			if !alike(cmd, x.items[i], y.items[i]) {
				return false
			}
		}
		return true
	case int64:
		y, ok := b.(int64)
		if !ok {
			return false
		}
		if by := near[strings.ToLower(cmd[0])]; by > 0 && x > 0 && y > 0 {
			return math.Abs(float64(x-y)) <= by
		}
		return x == y
	case float64:
		y, ok := b.(float64)
		return ok && (sameNumber(x, y) || math.IsNaN(x) && math.IsNaN(y))
	case text:
		y, ok := b.(text)
		if !ok {
			return false
		}
		if x == y {
			return true
		}
		if strings.EqualFold(cmd[0], "object") {
			return true // compared with the state
		}
		f, err1 := strconv.ParseFloat(string(x), 64)
		g, err2 := strconv.ParseFloat(string(y), 64)
		return err1 == nil && err2 == nil && sameNumber(f, g) && (f == 0 || len(y) >= 15 || strings.Contains(string(y), "e")) // 17 digits, where fewer do; packed zeros have no sign since 7.2
	case errorReply:
		y, ok := b.(errorReply)
		for _, beginning := range reworded {
			if ok && strings.HasPrefix(string(x), beginning) && strings.HasPrefix(string(y), beginning) {
				return true
			}
		}
		if name := strings.ToLower(cmd[0]); name == "bitcount" || name == "bitpos" {
			switch b.(type) {
			case int64, errorReply:
				return true // since 7.2 the arguments are looked at before the key
			}
		}
	}
	return a == b
}

// reworded are the beginnings of errors that go on otherwise in 7.4 than in 7.0.
var reworded = []string{"ERR Unbalanced "}

// sameNumber leaves out the last bit, in which distances may differ: the sines of glibc are not always the nearest.
func sameNumber(x, y float64) bool {
	return x == y || math.Abs(x-y) <= math.Abs(x)*4e-16
}
