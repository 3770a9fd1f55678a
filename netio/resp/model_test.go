package resp

import (
	"fmt"
	"strconv"
	"strings"
)

// modelParse says what a stream means, without regard to speed, memory or where it is cut.
func modelParse(s string, maxBulk int, unauthenticated bool) (o outcome) {
	if maxBulk == 0 {
		maxBulk = 512 << 20
	}
	for s != "" {
		args, rest, err := modelCommand(s, maxBulk, unauthenticated)
		if err == errModelMore {
			o.Rest = len(s)
			return o
		}
		if err != "" {
			o.Err = "Protocol error: " + err
			return o
		}
		if len(args) > 0 {
			o.Commands = append(o.Commands, args)
		}
		s = rest
	}
	return o
}

// errModelMore means that the command is incomplete.
const errModelMore = "more"

func modelCommand(s string, maxBulk int, unauthenticated bool) (args []string, rest, err string) {
	if s[0] != '*' {
		line, rest, err := modelLine(s, "\n", 0, "too big inline request")
		if err != "" {
			return nil, "", err
		}
		args, ok := modelSplit(strings.TrimSuffix(line, "\r"))
		if !ok {
			return nil, "", "unbalanced quotes in request"
		}
		return args, rest, ""
	}
	line, rest, err := modelLine(s, "\r", 1, "too big mbulk count string")
	if err != "" {
		return nil, "", err
	}
	count, ok := modelInt(line[1:])
	if !ok || count > 1<<31-1 {
		return nil, "", "invalid multibulk length"
	}
	if unauthenticated && count > 10 {
		return nil, "", "unauthenticated multibulk length"
	}
	for ; count > 0; count-- {
		if line, rest, err = modelLine(rest, "\r", 1, "too big bulk count string"); err != "" {
			return nil, "", err
		}
		if line == "" || line[0] != '$' {
			return nil, "", fmt.Sprintf("expected '$', got '%s'", (line + "\r")[:1])
		}
		size, ok := modelInt(line[1:])
		if !ok || size < 0 || size > int64(maxBulk) {
			return nil, "", "invalid bulk length"
		}
		if unauthenticated && size > 16384 {
			return nil, "", "unauthenticated bulk length"
		}
		if int64(len(rest))-2 < size {
			return nil, "", errModelMore
		}
		args = append(args, rest[:size])
		rest = rest[size+2:]
	}
	return args, rest, ""
}

// modelLine cuts s behind the first end and the extra bytes that belong to it.
func modelLine(s, end string, extra int, tooBig string) (line, rest, err string) {
	window := s[:min(len(s), 65537)]
	window, _, _ = strings.Cut(window, "\x00")
	i := strings.Index(window, end)
	switch {
	case i < 0 && len(s) > 65536:
		return "", "", tooBig
	case i < 0 || i+1+extra > len(s):
		return "", "", errModelMore
	}
	return s[:i], s[i+1+extra:], ""
}

func modelInt(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == s
}

// modelSplit splits a line byte by byte, with one state for each place it can be in.
func modelSplit(line string) (args []string, ok bool) {
	const blanks = " \n\r\t\v\f"
	var arg strings.Builder
	state := ' ' // ' ' between arguments, 'a' in one, '"' and '\'' in quotes, '!' after a closing quote
	for i := 0; i < len(line); i++ {
		c := line[i]
		blank := strings.IndexByte(blanks, c) >= 0
		switch {
		case state == '"' && c == '\\' && i+1 < len(line):
			if i+3 < len(line) && line[i+1] == 'x' {
				if n, err := strconv.ParseUint(line[i+2:i+4], 16, 8); err == nil {
					arg.WriteByte(byte(n))
					i += 3
					continue
				}
			}
			i++
			if at := strings.IndexByte("nrtba", line[i]); at >= 0 {
				arg.WriteByte("\n\r\t\b\a"[at])
			} else {
				arg.WriteByte(line[i])
			}
		case state == '\'' && strings.HasPrefix(line[i:], `\'`):
			i++
			arg.WriteByte('\'')
		case (state == '"' || state == '\'') && rune(c) == state:
			state = '!'
		case state == '"' || state == '\'':
			arg.WriteByte(c)
		case state == '!' && !blank:
			return nil, false
		case blank && (state == '!' || state == 'a' && c != '\v' && c != '\f'):
			args = append(args, arg.String())
			arg.Reset()
			state = ' '
		case blank && state == ' ':
		case c == '"' || c == '\'':
			state = rune(c)
		default:
			state = 'a'
			arg.WriteByte(c)
		}
	}
	switch state {
	case '"', '\'':
		return nil, false
	case '!', 'a':
		args = append(args, arg.String())
	}
	return args, true
}
