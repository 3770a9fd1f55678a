package luastring

import "errors"

// maxCaptures is how many captures a pattern has at most.
const maxCaptures = 32

// maxMatchDepth bounds the recursion of the matcher: a level for each repetition or capture that is being tried. C Lua
// has no bound but its stack.
const maxMatchDepth = 10000

// interruptEvery is after how many steps the matcher asks whether it is to stop.
const interruptEvery = 4096

// The length of a capture that is not a string.
const (
	capUnfinished = -1
	capPosition   = -2
)

type capture struct{ start, size int }

// matcher tries a pattern at positions of a string. The pattern is compared as it is read, with backtracking:
//
//	match(s, p)  the rest of the pattern, from p on, against the string from s on; returns where the match ends
//
// What can match in several ways (a repetition, a capture) tries the rest of the pattern by a recursive call and, when
// that fails, the next way. Everything else goes on in the loop.
type matcher struct {
	src, pat  string
	level     int // captures begun
	captures  [maxCaptures]capture
	depth     int
	steps     int
	interrupt func() error
	err       error // the pattern is malformed, or the matcher was stopped; then all matches fail
	stopped   bool  // err is that of interrupt
}

const noMatch = -1

func (m *matcher) fail(text string) int {
	if m.err == nil {
		m.err = errors.New(text)
	}
	return noMatch
}

// step counts and reports whether to go on.
func (m *matcher) step() bool {
	if m.steps++; m.steps%interruptEvery == 0 && m.interrupt != nil && m.err == nil {
		if m.err = m.interrupt(); m.err != nil {
			m.stopped = true
		}
	}
	return m.err == nil
}

// at matches the whole pattern from p on at position s, with no captures yet.
func (m *matcher) at(s, p int) int {
	m.level = 0
	e := m.match(s, p)
	if m.err != nil {
		return noMatch
	}
	return e
}

func (m *matcher) match(s, p int) int {
	if m.depth++; m.depth > maxMatchDepth {
		m.fail("pattern too complex")
	}
	e := m.run(s, p)
	m.depth--
	return e
}

func (m *matcher) run(s, p int) int {
	for m.step() {
		if p == len(m.pat) {
			return s
		}
		switch c := m.pat[p]; {
		case c == '(':
			if p+1 < len(m.pat) && m.pat[p+1] == ')' {
				return m.open(s, p+2, capPosition)
			}
			return m.open(s, p+1, capUnfinished)
		case c == ')':
			return m.close(s, p+1)
		case c == '$' && p+1 == len(m.pat):
			if s == len(m.src) {
				return s
			}
			return noMatch
		case c == '%' && p+1 < len(m.pat) && m.pat[p+1] == 'b':
			if s = m.balance(s, p+2); s == noMatch {
				return noMatch
			}
			p += 4
			continue
		case c == '%' && p+1 < len(m.pat) && m.pat[p+1] == 'f':
			p += 2
			if p == len(m.pat) || m.pat[p] != '[' {
				return m.fail("missing '[' after '%f' in pattern")
			}
			end := m.itemEnd(p)
			if m.err != nil || m.inSet(m.byteAt(s-1), p, end-1) || !m.inSet(m.byteAt(s), p, end-1) {
				return noMatch
			}
			p = end
			continue
		case c == '%' && p+1 < len(m.pat) && isDigit(m.pat[p+1]):
			if s = m.again(s, m.pat[p+1]); s == noMatch {
				return noMatch
			}
			p += 2
			continue
		}
		end := m.itemEnd(p)
		if m.err != nil {
			return noMatch
		}
		here := s < len(m.src) && m.single(m.src[s], p, end)
		repeat := byte(0)
		if end < len(m.pat) {
			repeat = m.pat[end]
		}
		switch repeat {
		case '?':
			if here {
				if e := m.match(s+1, end+1); e != noMatch {
					return e
				}
			}
			p = end + 1
			continue
		case '*':
			return m.longest(s, p, end)
		case '+':
			if !here {
				return noMatch
			}
			return m.longest(s+1, p, end)
		case '-':
			return m.shortest(s, p, end)
		}
		if !here {
			return noMatch
		}
		s, p = s+1, end
	}
	return noMatch
}

// byteAt returns a byte of the string; outside of it there are zeros.
func (m *matcher) byteAt(i int) byte {
	if i < 0 || i >= len(m.src) {
		return 0
	}
	return m.src[i]
}

// itemEnd returns the position after the class, set or character at p.
func (m *matcher) itemEnd(p int) int {
	c := m.pat[p]
	p++
	switch c {
	case '%':
		if p == len(m.pat) {
			m.fail("malformed pattern (ends with '%')")
			return p
		}
		return p + 1
	case '[':
		if p < len(m.pat) && m.pat[p] == '^' {
			p++
		}
		for first := true; first || p == len(m.pat) || m.pat[p] != ']'; first = false {
			if p == len(m.pat) {
				m.fail("malformed pattern (missing ']')")
				return p
			}
			escape := m.pat[p] == '%'
			p++
			if escape && p < len(m.pat) {
				p++ // %] is in the set
			}
		}
		return p + 1
	}
	return p
}

// single reports whether c matches the item from p to end.
func (m *matcher) single(c byte, p, end int) bool {
	switch m.pat[p] {
	case '.':
		return true
	case '%':
		return inClass(c, m.pat[p+1])
	case '[':
		return m.inSet(c, p, end-1)
	}
	return m.pat[p] == c
}

// inSet reports whether c is in the set that begins at p and whose bracket closes at last.
func (m *matcher) inSet(c byte, p, last int) bool {
	found := true
	p++
	if m.pat[p] == '^' {
		found = false
		p++
	}
	for ; p < last; p++ {
		switch {
		case m.pat[p] == '%':
			p++
			if inClass(c, m.pat[p]) {
				return found
			}
		case m.pat[p+1] == '-' && p+2 < last:
			p += 2
			if m.pat[p-2] <= c && c <= m.pat[p] {
				return found
			}
		case m.pat[p] == c:
			return found
		}
	}
	return !found
}

// inClass reports whether c is in the class %class.
func inClass(c, class byte) bool {
	var in bool
	switch class | 0x20 {
	case 'a':
		in = isAlpha(c)
	case 'c':
		in = isCntrl(c)
	case 'd':
		in = isDigit(c)
	case 'l':
		in = isLower(c)
	case 'p':
		in = isPunct(c)
	case 's':
		in = isSpace(c)
	case 'u':
		in = isUpper(c)
	case 'w':
		in = isAlnum(c)
	case 'x':
		in = isHex(c)
	case 'z':
		in = c == 0
	default:
		return class == c
	}
	if !isAlpha(class) {
		return class == c
	}
	return in == isLower(class)
}

// balance matches %bxy, whose x and y are at p.
func (m *matcher) balance(s, p int) int {
	if p+1 >= len(m.pat) {
		return m.fail("unbalanced pattern")
	}
	if s >= len(m.src) || m.src[s] != m.pat[p] {
		return noMatch
	}
	opening, closing := m.pat[p], m.pat[p+1]
	open := 1
	for i := s + 1; i < len(m.src); i++ {
		if !m.step() {
			return noMatch
		}
		switch m.src[i] {
		case closing:
			if open--; open == 0 {
				return i + 1
			}
		case opening:
			open++
		}
	}
	return noMatch
}

// longest takes as many of the item from p to end as there are, then fewer.
func (m *matcher) longest(s, p, end int) int {
	n := 0
	for s+n < len(m.src) && m.step() && m.single(m.src[s+n], p, end) {
		n++
	}
	for ; n >= 0 && m.err == nil; n-- {
		if e := m.match(s+n, end+1); e != noMatch {
			return e
		}
	}
	return noMatch
}

// shortest takes none of the item, then more.
func (m *matcher) shortest(s, p, end int) int {
	for m.err == nil {
		if e := m.match(s, end+1); e != noMatch {
			return e
		}
		if s == len(m.src) || !m.single(m.src[s], p, end) {
			return noMatch
		}
		s++
	}
	return noMatch
}

func (m *matcher) open(s, p, kind int) int {
	if m.level >= maxCaptures {
		return m.fail("too many captures")
	}
	m.captures[m.level] = capture{s, kind}
	m.level++
	e := m.match(s, p)
	if e == noMatch {
		m.level--
	}
	return e
}

func (m *matcher) close(s, p int) int {
	i := m.level - 1
	for i >= 0 && m.captures[i].size != capUnfinished {
		i--
	}
	if i < 0 {
		return m.fail("invalid pattern capture")
	}
	m.captures[i].size = s - m.captures[i].start
	e := m.match(s, p)
	if e == noMatch {
		m.captures[i].size = capUnfinished
	}
	return e
}

// again matches what capture number digit has matched.
func (m *matcher) again(s int, digit byte) int {
	i := int(digit) - '1'
	if i < 0 || i >= m.level || m.captures[i].size == capUnfinished {
		return m.fail("invalid capture index")
	}
	c := m.captures[i]
	// A position has no text; C compares its length as an unsigned number, which never fits.
	if c.size < 0 || len(m.src)-s < c.size || m.src[c.start:c.start+c.size] != m.src[s:s+c.size] {
		return noMatch
	}
	return s + c.size
}

// capture returns capture i of a match from s to e, where 0 is the whole match if the pattern has no captures. When
// isPosition is set it is the position, from 1.
func (m *matcher) capture(i, s, e int) (text string, position int, isPosition bool) {
	if i >= m.level {
		if i != 0 {
			m.fail("invalid capture index")
			return "", 0, false
		}
		return m.src[s:e], 0, false
	}
	c := m.captures[i]
	switch c.size {
	case capUnfinished:
		m.fail("unfinished capture")
		return "", 0, false
	case capPosition:
		return "", c.start + 1, true
	}
	return m.src[c.start : c.start+c.size], 0, false
}
