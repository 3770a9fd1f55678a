package resp

import "bytes"

// inline reads the line that buf starts with.
func (p *Parser) inline(buf []byte, argv [][]byte) ([][]byte, int, error) {
	window := buf[:min(len(buf), maxHeader+1)]
	end := bytes.IndexByte(window[p.scanned:], '\n')
	fresh := window[p.scanned:]
	if end >= 0 {
		fresh = fresh[:end]
	}
	// As in a header, nothing behind a NUL is seen; the search starts there again and again, until the limit is reached.
	if nul := bytes.IndexByte(fresh, 0); nul >= 0 {
		p.scanned += nul
		end = -1
	} else if end < 0 {
		p.scanned = len(window)
	}
	if end < 0 {
		if len(buf) > maxHeader {
			return argv, 0, errBigInline
		}
		return argv, 0, nil
	}
	end += p.scanned
	p.scanned = 0
	line := buf[:end]
	if end > 0 && line[end-1] == '\r' {
		line = line[:end-1]
	}
	out, ok := SplitArgs(line, argv)
	if !ok {
		return argv, 0, errUnbalancedQuotes
	}
	return out, end + 1, nil
}

// SplitArgs appends the arguments of a line to argv, as the inline protocol and the configuration file write them: separated by white
// space, with "double quotes" (in which \n \r \t \b \a \xHH and \ before any other byte are escapes) and 'single quotes' (in
// which only \' is). Arguments without quotes alias line; the others are copies. It reports false when a quote is not
// closed or is followed by more than white space.
func SplitArgs(line []byte, argv [][]byte) (out [][]byte, ok bool) {
	out = argv
	i := 0
	for {
		for i < len(line) && isSpace(line[i]) {
			i++
		}
		if i == len(line) {
			return out, true
		}
		start := i
		for i < len(line) && plain[line[i]] {
			i++
		}
		if i < len(line) && (line[i] == '"' || line[i] == '\'') {
			var arg []byte
			if arg, i, ok = unquote(line, start, i); !ok {
				return argv, false
			}
			out = append(out, arg)
			continue
		}
		out = append(out, line[start:i:i])
	}
}

// unquote copies the argument that begins at start and whose opening quote is at i. A closing quote ends the argument.
func unquote(line []byte, start, i int) (arg []byte, next int, ok bool) {
	arg = append(make([]byte, 0, len(line)-start), line[start:i]...)
	quote := line[i]
	for i++; i < len(line); i++ {
		c := line[i]
		switch {
		case c == quote:
			i++
			return arg[:len(arg):len(arg)], i, i == len(line) || isSpace(line[i])
		case c == '\\' && quote == '"' && i+1 < len(line):
			if i+3 < len(line) && line[i+1] == 'x' && isHex(line[i+2]) && isHex(line[i+3]) {
				arg = append(arg, hexValue(line[i+2])<<4|hexValue(line[i+3]))
				i += 3
				continue
			}
			i++
			arg = append(arg, unescape(line[i]))
		case c == '\\' && quote == '\'' && i+1 < len(line) && line[i+1] == '\'':
			i++
			arg = append(arg, '\'')
		default:
			arg = append(arg, c)
		}
	}
	return nil, 0, false
}

// plain tells the bytes that neither end an unquoted argument nor open a quote. Vertical tab and form feed are white space
// between arguments, but do not end one.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = true
	}
	for _, c := range " \n\r\t\"'" {
		t[c] = false
	}
	return t
}()

func isSpace(c byte) bool { return c == ' ' || c-'\t' <= '\r'-'\t' }

func isHex(c byte) bool { return c-'0' <= 9 || c|0x20-'a' <= 5 }

// hexValue is the value of a hexadecimal digit.
func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// unescape is the byte meant by a backslash before c.
func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'a':
		return '\a'
	}
	return c
}
