package config

import (
	"strings"
)

// splitArgs cuts a line into words the way redis-cli and configuration files quote them: "…" with \n \r \t \b \a \xHH
// and \c for any other c, '…' with \' only. A quote may open anywhere in a word but a word ends with its closing quote.
// ok is false when a quote is left open or followed by something else than a space.
func splitArgs(line string) (args []string, ok bool) {
	i := 0
	for {
		for i < len(line) && isSpace(line[i]) {
			i++
		}
		if i == len(line) {
			return args, true
		}
		var word []byte
		for i < len(line) && !isSpace(line[i]) {
			c := line[i]
			if c != '"' && c != '\'' {
				word = append(word, c)
				i++
				continue
			}
			if word, i, ok = unquote(word, line, i+1, c); !ok {
				return nil, false
			}
			if i < len(line) && !isSpace(line[i]) {
				return nil, false
			}
		}
		args = append(args, string(word))
	}
}

// unquote appends what stands between the quotes to word; i is just after the opening one, next just after the closing one.
func unquote(word []byte, line string, i int, quote byte) (out []byte, next int, ok bool) {
	for i < len(line) {
		c := line[i]
		switch {
		case c == quote:
			return word, i + 1, true
		case quote == '\'' && c == '\\' && i+1 < len(line) && line[i+1] == '\'':
			c, i = '\'', i+1
		case quote == '"' && c == '\\' && i+3 < len(line) && line[i+1] == 'x' && isHex(line[i+2]) && isHex(line[i+3]):
			c, i = unhex(line[i+2])<<4|unhex(line[i+3]), i+3
		case quote == '"' && c == '\\' && i+1 < len(line):
			i++
			c = line[i]
			if at := strings.IndexByte("nrtba", c); at >= 0 {
				c = "\n\r\t\b\a"[at]
			}
		}
		word = append(word, c)
		i++
	}
	return nil, i, false
}

// quoteArg is the inverse of splitArgs for one word: always in double quotes.
func quoteArg(s string) string {
	const hex = "0123456789abcdef"
	b := make([]byte, 0, len(s)+2)
	b = append(b, '"')
	for i := range len(s) {
		c := s[i]
		at := strings.IndexByte("\n\r\t\b\a", c)
		switch {
		case at >= 0:
			b = append(b, '\\', "nrtba"[at])
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c > '~':
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

// unhex REQUIRES isHex(c).
func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
