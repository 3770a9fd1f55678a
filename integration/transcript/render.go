package transcript

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// order says which elements of a reply have no order of their own.
type order int

const (
	ordered order = iota
	unorderedTop
	unorderedNested
	unorderedPairs
)

// longBulk is the length beyond which a bulk is shown by its digest.
const longBulk = 256

// plainSimple matches the simple strings that are shown without quotes: they look like nothing else in a transcript.
var plainSimple = regexp.MustCompile(`^[A-Za-z](?:[A-Za-z0-9 _.-]*[A-Za-z0-9_.-])?$`)

// form says how a reply is shown.
type form struct {
	resp  int
	order order
	full  bool // long bulks as they are
}

// render shows a reply as it is compared with the step's expectations.
func (s *step) render(v reply, resp int) []string {
	return render(v, form{resp: resp, order: s.order, full: s.regex})
}

// render shows a reply as lines of text. The elements of unordered aggregates are sorted by their text, so that equal replies have equal text.
func render(v reply, f form) []string {
	switch v.kind {
	case kindClosed:
		return []string{"(closed)"}
	case '+':
		if plainSimple.MatchString(v.text) {
			return []string{v.text}
		}
		return []string{"(simple) " + quote(v.text)}
	case '-':
		return []string{"(error) " + escape(v.text, 0)}
	case '!':
		return []string{"(bulk error) " + quote(v.text)}
	case ':':
		return []string{"(integer) " + v.text}
	case ',':
		return []string{"(double) " + v.text}
	case '(':
		return []string{"(bignum) " + v.text}
	case '#':
		if v.text == "t" {
			return []string{"(true)"}
		}
		return []string{"(false)"}
	case '_':
		return []string{"(nil)"}
	case '$':
		if v.null {
			if f.resp == 3 {
				return []string{"(nil bulk)"} // RESP3 has _ for it
			}
			return []string{"(nil)"}
		}
		return []string{f.bulk(v.text)}
	case '=':
		format, text, _ := strings.Cut(v.text, ":")
		return []string{"(verbatim " + format + ") " + f.bulk(text)}
	}
	return renderAggregate(v, f)
}

func renderAggregate(v reply, f form) []string {
	if v.null {
		return []string{"(nil array)"}
	}
	name := map[byte]string{'*': "array", '~': "set", '%': "map", '>': "push"}[v.kind]
	if len(v.elems) == 0 {
		return []string{"(empty " + name + ")"}
	}
	// Each item is an element, or a pair of a map or of an array that stands for one.
	var items [][]string
	within := form{resp: f.resp, full: f.full}
	if f.order == unorderedNested {
		within.order = unorderedTop
	}
	sorted := f.order == unorderedTop || f.order == unorderedPairs
	switch {
	case v.kind == '%':
		for i := 0; i < len(v.elems); i += 2 {
			key, value := render(v.elems[i], within), render(v.elems[i+1], within)
			key[len(key)-1] += " => "
			items = append(items, hang(key, value))
		}
	case f.order == unorderedPairs && len(v.elems)%2 == 0:
		for i := 0; i < len(v.elems); i += 2 {
			items = append(items, slices.Concat(render(v.elems[i], within), []string{"\x00"}, render(v.elems[i+1], within)))
		}
	default:
		for _, e := range v.elems {
			items = append(items, render(e, within))
		}
	}
	if sorted {
		slices.SortFunc(items, slices.Compare)
	}
	mark := map[byte]string{'*': ") ", '~': "~ ", '%': "# ", '>': ") "}[v.kind]
	var lines []string
	if v.kind == '>' {
		lines = append(lines, "(push)")
	}
	n := 0
	for _, item := range items {
		for part := range splitPair(item) {
			n++
			lines = append(lines, hang([]string{fmt.Sprint(n, mark)}, part)...)
		}
	}
	return lines
}

// splitPair undoes the joining of a pair in an item.
func splitPair(item []string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		if i := slices.Index(item, "\x00"); i >= 0 {
			if yield(item[:i]) {
				yield(item[i+1:])
			}
			return
		}
		yield(item)
	}
}

// hang puts body behind the last line of head, its further lines indented to the same column.
func hang(head, body []string) []string {
	last := head[len(head)-1]
	indent := strings.Repeat(" ", len([]rune(last)))
	out := slices.Clone(head[:len(head)-1])
	for i, line := range body {
		if i == 0 {
			out = append(out, last+line)
		} else {
			out = append(out, indent+line)
		}
	}
	return out
}

func (f form) bulk(s string) string {
	if len(s) <= longBulk || f.full {
		return quote(s)
	}
	if strings.Count(s, s[:1]) == len(s) {
		return fmt.Sprintf("{repeat %s %d}", quote(s[:1]), len(s))
	}
	return fmt.Sprintf("(bulk) %d bytes, sha256 %.8x", len(s), sha256.Sum256([]byte(s)))
}

func quote(s string) string { return `"` + escape(s, '"') + `"` }

// escape writes s with the escapes that redis-cli reads, and shows only what is printable ASCII.
func escape(s string, quoted byte) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\', c == quoted && quoted != 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
