package integration

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// grammar makes random commands out of what COMMAND DOCS of real Redis says about their arguments, so that it knows every
// option of every command without being told.
type grammar struct {
	groups   []string
	commands []*docsCommand
	weights  []int
	total    int
}

// docsCommand is one command or subcommand of COMMAND DOCS.
type docsCommand struct {
	words []string // name, and that of the subcommand
	group string
	args  []docsArg
}

// docsArg is one argument of it.
type docsArg struct {
	name, kind, token                 string
	optional, multiple, multipleToken bool
	args                              []docsArg
}

// diffGroups are the groups whose commands are compared, with how often each is drawn.
var diffGroups = map[string]int{
	"string": 2, "bitmap": 1, "list": 4, "hash": 4, "set": 4, "sorted-set": 4, "stream": 5, "geo": 2, "hyperloglog": 3, "generic": 1,
}

// diffWithout are commands whose replies depend on chance, time, memory or on what else the server does, commands that wait,
// and those that are not about data. What is random has tests of its own.
var diffWithout = []string{
	"spop", "srandmember", "hrandfield", "zrandmember", "randomkey", "object freq", "object idletime", "object refcount", "object help",
	"dump", "restore", "migrate", "wait", "pfselftest", "pfdebug", "blpop", "brpop", "blmove", "brpoplpush", "blmpop", "bzpopmin", "bzpopmax", "bzmpop",
	"xsetid", // since 7.2 it minds what was deleted
	"xinfo help", "xgroup help", "restore-asking", "move",
}

// parseGrammar reads the reply to COMMAND DOCS, in RESP2. groups are the only ones wanted, nil for all.
func parseGrammar(docs any, groups []string) *grammar {
	g := &grammar{groups: groups}
	pairs(docs, func(name string, body any) { g.add([]string{name}, "", body) })
	slices.SortFunc(g.commands, func(a, b *docsCommand) int { return slices.Compare(a.words, b.words) })
	perGroup := map[string]int{}
	for _, c := range g.commands {
		perGroup[c.group]++
	}
	for _, c := range g.commands {
		w := 1000 * diffGroups[c.group] / perGroup[c.group]
		g.weights = append(g.weights, w)
		g.total += w
	}
	return g
}

func (g *grammar) add(words []string, group string, body any) {
	c := &docsCommand{words: words, group: group}
	subs := false
	pairs(body, func(name string, v any) {
		switch name {
		case "group":
			c.group = v.(string)
		case "arguments":
			c.args = parseArgs(v)
		case "subcommands":
			subs = true
			pairs(v, func(name string, body any) {
				_, sub, _ := strings.Cut(name, "|")
				g.add([]string{words[0], sub}, c.group, body)
			})
		}
	})
	if len(g.groups) > 0 && !slices.Contains(g.groups, c.group) {
		return
	}
	if !subs && diffGroups[c.group] > 0 && !slices.Contains(diffWithout, strings.Join(words, " ")) {
		g.commands = append(g.commands, c)
	}
}

func parseArgs(v any) []docsArg {
	var all []docsArg
	for _, item := range v.([]any) {
		var a docsArg
		pairs(item, func(name string, v any) {
			switch name {
			case "name":
				a.name = v.(string)
			case "type":
				a.kind = v.(string)
			case "token":
				a.token = v.(string)
			case "arguments":
				a.args = parseArgs(v)
			case "flags":
				for _, f := range v.([]any) {
					switch f.(string) {
					case "optional":
						a.optional = true
					case "multiple":
						a.multiple = true
					case "multiple_token":
						a.multipleToken = true
					}
				}
			}
		})
		all = append(all, a)
	}
	return all
}

// pairs calls f for the pairs of a flat array.
func pairs(v any, f func(name string, v any)) {
	items := v.([]any)
	for i := 0; i+1 < len(items); i += 2 {
		f(items[i].(string), items[i+1])
	}
}

// writer is one command being made.
type diffWriter struct {
	rnd     *rand.Rand
	cmd     *docsCommand
	out     []string
	numkeys int // index in out of the last number of keys, -1 for none
	counted int // keys since
}

// next returns a random command, and before it what makes its result the same in all versions.
func (g *grammar) next(rnd *rand.Rand) [][]string {
	for {
		n := rnd.IntN(g.total)
		i := 0
		for ; n >= g.weights[i]; i++ {
			n -= g.weights[i]
		}
		w := &diffWriter{rnd: rnd, cmd: g.commands[i], numkeys: -1}
		w.out = append(w.out, w.cmd.words...)
		w.all(w.cmd.args)
		w.fix()
		w.spoil()
		if w.unfit() {
			continue
		}
		return append(w.consumers(), w.out)
	}
}

func (w *diffWriter) chance(percent int) bool { return w.rnd.IntN(100) < percent }

func (w *diffWriter) all(args []docsArg) {
	for _, a := range args {
		// Impossible numbers of entries read are treated in another way since 7.2.
		if a.token == "BLOCK" || a.token == "ENTRIESREAD" || a.optional && !w.chance(30) {
			continue
		}
		times := 1
		if a.multiple {
			times = 1 + w.rnd.IntN(3)
			if w.chance(4) {
				times = 10 + w.rnd.IntN(30)
			}
			if w.numkeys >= 0 && a.kind == "key" {
				w.counted = times
			}
			if a.name == "weight" && w.numkeys >= 0 && !w.chance(5) {
				times = w.counted
			}
		}
		for i := range times {
			if a.token != "" && (i == 0 || a.multipleToken) && a.kind != "pure-token" {
				w.token(a.token)
			}
			w.one(a)
		}
	}
}

func (w *diffWriter) token(t string) {
	if t == `""` {
		t = ""
	}
	if w.chance(50) {
		t = strings.ToLower(t)
	}
	w.out = append(w.out, t)
}

func (w *diffWriter) put(s string) { w.out = append(w.out, s) }

func (w *diffWriter) one(a docsArg) {
	switch a.kind {
	case "pure-token":
		w.token(a.token)
	case "oneof":
		w.all([]docsArg{required(a.args[w.rnd.IntN(len(a.args))])})
	case "block":
		w.all(a.args)
	case "key":
		w.put(w.key())
	case "integer":
		if a.name == "numkeys" {
			w.numkeys = len(w.out)
		}
		w.put(w.integer(a.name))
	case "double":
		w.put(w.double(a.name))
	case "unix-time":
		w.put(w.pick("1", "0", "99999999999", "99999999999999", "1893456000", "1893456000123", "abc"))
	case "pattern":
		w.put(w.pattern(a.name))
	default:
		w.put(w.text(a.name))
	}
}

func required(a docsArg) docsArg {
	a.optional = false
	return a
}

func (w *diffWriter) pick(of ...string) string { return of[w.rnd.IntN(len(of))] }

// diffPrefix names the keys that hold mostly values of a group.
var diffPrefix = map[string]string{
	"string": "s", "bitmap": "s", "list": "l", "hash": "h", "set": "t", "sorted-set": "z", "stream": "x", "geo": "g", "hyperloglog": "p",
}

func (w *diffWriter) key() string {
	p, ok := diffPrefix[w.cmd.group]
	if (!ok || w.chance(3)) && p != "p" {
		p = w.pick("s", "l", "h", "z", "x", "g") // a HyperLogLog that was written over gives errors halfway
	}
	if strings.HasPrefix(w.cmd.words[0], "z") && len(w.out) > 2 && w.chance(8) {
		p = "t" // sets take part in unions of sorted sets
	}
	if w.cmd.words[0] == "sort" || w.cmd.words[0] == "sort_ro" {
		p = w.pick("l", "t", "l", "s")
	}
	return p + strconv.Itoa(w.rnd.IntN(4))
}

func (w *diffWriter) integer(name string) string {
	if w.chance(2) {
		return w.pick("abc", "", "1.5", "9223372036854775808", " 1", "+1", "0x1")
	}
	switch {
	case name == "numkeys":
		return "1" // see fix
	case name == "seconds", name == "milliseconds":
		if w.chance(10) {
			return w.pick("0", "-1", "9223372036854775807", "-9223372036854775808")
		}
		return strconv.Itoa(10_000_000 + w.rnd.IntN(1_000_000_000))
	case name == "min-idle-time":
		return w.pick("0", "0", "100000000000")
	case name == "ms", name == "unix-time-milliseconds":
		return w.pick("0", "1000", "-1")
	case name == "offset" && w.cmd.group == "bitmap", name == "offset" && w.cmd.group == "string":
		return strconv.Itoa(w.rnd.IntN(200))
	case name == "cursor":
		return "0"
	case w.cmd.group == "bitmap" && name == "bit", w.cmd.words[0] == "setbit":
		return w.pick("0", "1", "1", "2")
	case w.chance(4):
		return w.pick("9223372036854775807", "-9223372036854775808", "4294967296", "-4294967296", "1000000")
	}
	return strconv.Itoa(w.rnd.IntN(14) - 4)
}

func (w *diffWriter) double(name string) string {
	if w.chance(2) {
		return w.pick("abc", "nan", "", "(1") // not 1e400: in real Redis its ERANGE may last until a SORT
	}
	switch name {
	case "longitude":
		return fmt.Sprintf("%.6f", w.rnd.Float64()*4+12)
	case "latitude":
		return fmt.Sprintf("%.6f", w.rnd.Float64()*4+36)
	case "radius", "width", "height":
		return w.pick("1", "10", "100", "200", "500", "3000", "-1", "0", "100000")
	}
	if w.chance(12) {
		return w.pick("inf", "-inf", "+inf", "0", "-0", "1e17", "1.5e300", "0.1", "3.3333333333333335", "-1e-5")
	}
	if w.chance(30) {
		return strconv.FormatFloat(float64(w.rnd.IntN(400)-200)/8, 'f', -1, 64)
	}
	return strconv.Itoa(w.rnd.IntN(20) - 5)
}

func (w *diffWriter) pattern(name string) string {
	if w.cmd.words[0] == "sort" || w.cmd.words[0] == "sort_ro" {
		if name == "by-pattern" {
			return w.pick("s*", "h*->f1", "w_*", "h0->*")
		}
		return w.pick("#", "s*", "h*->f1", "h*->f2", "s1", "nosuch*")
	}
	return w.pick("*", "a*", "?", "[a-f]*", "*1", "s[^1]", `\*`, "")
}

// member returns what is an element of all kinds of collections.
func (w *diffWriter) member() string {
	switch n := w.rnd.IntN(40); {
	case n < 14:
		return string(rune('a' + w.rnd.IntN(12)))
	case n < 26:
		return strconv.Itoa(w.rnd.IntN(30) - 5)
	case n < 29:
		return strconv.Itoa([]int{127, 128, -4096, 4095, 32767, 32768, -32769, 8388607, 8388608, 2147483647, 2147483648, 1 << 40, 1<<63 - 1, -1 << 63}[w.rnd.IntN(14)])
	case n < 32:
		return "member:" + strconv.Itoa(w.rnd.IntN(300))
	case n == 32:
		return strings.Repeat("long", 16+w.rnd.IntN(2)) + strconv.Itoa(w.rnd.IntN(3))
	case n == 33:
		return w.pick("", "x\x00y", "a\r\nb", "\xff\xfe", " 1", "01", "-0", "+5", "1e3", "9223372036854775808")
	case n == 34:
		return strings.Repeat("z", 200+w.rnd.IntN(3)*4000)
	case n < 37:
		return w.pick("0.5", "3.14", "10.25", "-7.5")
	}
	return "f" + strconv.Itoa(w.rnd.IntN(6))
}

func (w *diffWriter) text(name string) string {
	group := w.cmd.group
	switch name {
	case "group", "groupname":
		return w.pick("g1", "g1", "g2")
	case "consumer", "consumername":
		return w.pick("c1", "c2", "c3")
	case "min", "max", "start", "stop", "end", "start-id", "end-id":
		switch group {
		case "sorted-set":
			if w.chance(35) {
				return w.pick("-", "+", "[a", "(a", "[f", "(member:150", "[", "(", "[z", "a")
			}
			if w.chance(25) {
				return w.pick("-inf", "+inf", "inf", "(1", "(2.5", "(-inf", "(abc")
			}
			return strconv.Itoa(w.rnd.IntN(20) - 6)
		case "stream":
			return w.id()
		}
		return w.integer(name)
	case "id", "ID", "last-id", "lastid", "threshold", "max-deleted-id", "entries-read-id":
		if w.cmd.words[0] == "xadd" && name != "threshold" {
			if w.chance(10) {
				return w.id()
			}
			return w.pick("", "0-", "1-")[:0] + strconv.Itoa(1+w.rnd.IntN(3000)) + w.pick("-1", "-2", "", "-*")
		}
		return w.id()
	case "count", "limit", "numkeys", "entries-added", "entries-read", "entries_read":
		return w.integer(name)
	case "cursor":
		return "0"
	case "unit":
		return w.pick("m", "km", "ft", "mi", "M", "xx")
	case "encoding":
		return w.pick("i8", "u8", "i5", "u63", "i64", "u64", "u1", "i16", "x8")
	case "offset":
		return w.pick("0", "7", "#1", "#3", "100", "-1")
	}
	return w.member()
}

func (w *diffWriter) id() string {
	if w.chance(20) {
		return w.pick("-", "+", "$", ">", "0", "0-0", "(5", "(10-1", "abc", "1-abc", "18446744073709551615-18446744073709551615", "5-")
	}
	if w.chance(50) {
		return strconv.Itoa(w.rnd.IntN(3000))
	}
	return strconv.Itoa(w.rnd.IntN(3000)) + "-" + strconv.Itoa(w.rnd.IntN(3))
}

// consumers returns commands that make the consumers which the command names. Since 7.2 it does so itself also when there is
// nothing for them.
func (w *diffWriter) consumers() (commands [][]string) {
	if len(w.out) < 5 {
		return nil
	}
	switch w.out[0] {
	case "xclaim", "xautoclaim":
		commands = [][]string{{"xgroup", "createconsumer", w.out[1], w.out[2], w.out[3]}}
	case "xreadgroup":
		at := 1 + slices.IndexFunc(w.out, func(s string) bool { return strings.EqualFold(s, "STREAMS") })
		for _, key := range w.out[at : at+(len(w.out)-at)/2] {
			commands = append(commands, []string{"xgroup", "createconsumer", key, w.out[2], w.out[3]})
		}
	}
	return commands
}

// fix makes the number of keys right, nearly always, and keeps to what has a defined result: ranges by text are asked of
// sorted sets whose scores are all the same, which have keys of their own.
func (w *diffWriter) fix() {
	name := w.out[0]
	byLex := slices.ContainsFunc(w.out, func(s string) bool { return strings.EqualFold(s, "BYLEX") })
	switch {
	case strings.HasSuffix(name, "lex") || name == "zlexcount", byLex && strings.HasPrefix(name, "zrange"):
		w.out[1] = "y" + strconv.Itoa(w.rnd.IntN(3))
		if name == "zrangestore" && len(w.out) > 2 {
			w.out[2] = "y" + strconv.Itoa(w.rnd.IntN(3))
		}
	case name == "zadd" && w.chance(30):
		w.out = []string{name, "y" + strconv.Itoa(w.rnd.IntN(3))}
		for range 1 + w.rnd.IntN(6) {
			w.out = append(w.out, "0", w.member())
		}
		return
	}
	if w.numkeys >= 0 && !w.chance(4) {
		w.out[w.numkeys] = strconv.Itoa(max(w.counted, 1))
	}
}

// spoil breaks a few commands.
func (w *diffWriter) spoil() {
	if !w.chance(4) || len(w.out) < 2 || strings.HasPrefix(w.out[1], "y") {
		return
	}
	i := 1 + w.rnd.IntN(len(w.out)-1)
	switch w.rnd.IntN(4) {
	case 0:
		w.out = slices.Delete(w.out, i, i+1)
	case 1:
		w.out = slices.Insert(w.out, i, w.out[i])
	case 2:
		w.out = append(w.out, w.pick("x", "1", "LIMIT", "WITHSCORES", "COUNT", "NX"))
	default:
		w.out[i] = w.member()
	}
}

// unfit tells that the reply, or the state after the command, may differ for good reasons.
func (w *diffWriter) unfit() bool {
	name := strings.ToLower(w.out[0])
	has := func(word string) bool {
		return slices.ContainsFunc(w.out[1:], func(s string) bool { return strings.EqualFold(s, word) })
	}
	switch name {
	case "sort", "sort_ro":
		// Elements of equal weight come in no set order; what is not sorted at all has the order of a hash table.
		if has("BY") && (has("ALPHA") || has("STORE") || has("LIMIT")) {
			return true
		}
		// Texts that agree up to a NUL byte are of equal weight to redis-server, which compares them as C does: see normal.
		for i, s := range w.out[:len(w.out)-1] {
			if has("ALPHA") && (strings.EqualFold(s, "STORE") || strings.EqualFold(s, "GET") && w.out[i+1] != "#") {
				return true
			}
			if strings.EqualFold(s, "BY") && !strings.Contains(w.out[i+1], "*") {
				return true
			}
		}
	case "scan", "sscan", "hscan", "zscan":
		w.out = append(w.out, "COUNT", "100000") // all at once: cursors are each server's own
		at := 2
		if name == "scan" {
			at = 1
		}
		return len(w.out) > at && w.out[at] != "0" && w.out[at] != "abc"
	case "xadd":
		return has("*") // an ID of this moment
	case "xread", "xreadgroup":
		return has("+") || has("BLOCK") // since 7.4
	case "setrange", "setbit", "bitfield":
		return slices.ContainsFunc(w.out, func(s string) bool { return len(s) > 6 && s[0] >= '0' && s[0] <= '9' }) // half a gigabyte each
	case "set", "getex", "setex", "psetex", "expire", "pexpire":
		return slices.ContainsFunc(w.out[1:], func(s string) bool { // gone in a moment, on one server before the other
			n, err := strconv.ParseInt(s, 10, 64)
			return err == nil && n > 0 && n < 1_000_000
		})
	case "copy":
		return has("DB")
	case "lpos":
		return has("-9223372036854775808") // an error since 7.2
	case "zrank", "zrevrank":
		return len(w.out) > 3 // WITHSCORE since 7.2
	}
	return false
}
