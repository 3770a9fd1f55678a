package transcript

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// generators are the first words, with their brace, of what splitArgs does not take literally.
var generators = []string{"{repeat", "{each", "{pairs", "{id", "{addr", "{laddr"}

// maxGenerated bounds what a generator may produce, in bytes and in arguments.
const maxGenerated = 1 << 30

// runtimeArg matches the arguments that are filled in when the case runs.
var runtimeArg = regexp.MustCompile(`^\{(id|addr|laddr)(?: (\d+))?\}$`)

// splitArgs parses a command line: the quoting of redis-cli and the generators of the package documentation.
func splitArgs(line string) ([]string, error) {
	var args []string
	for {
		line = strings.TrimLeft(line, " ")
		if line == "" {
			return args, nil
		}
		if name, _, found := strings.Cut(line, " "); found && slices.Contains(generators, name) {
			end := strings.IndexByte(line, '}')
			if end < 0 {
				return nil, fmt.Errorf("generator %s is not closed", name)
			}
			made, err := generate(line[1:end])
			if err != nil {
				return nil, err
			}
			args = append(args, made...)
			line = line[end+1:]
		} else {
			arg, rest, err := cutArg(line)
			if err != nil {
				return nil, err
			}
			args = append(args, arg)
			line = rest
		}
		if line != "" && line[0] != ' ' {
			return nil, fmt.Errorf("no space after an argument: %q", line)
		}
	}
}

// cutArg takes one argument from the start of line.
func cutArg(line string) (arg, rest string, err error) {
	var b strings.Builder
	i := 0
	for i < len(line) && line[i] != ' ' {
		switch line[i] {
		case '"':
			n, err := unquote(&b, line[i+1:])
			if err != nil {
				return "", "", err
			}
			i += 1 + n
		case '\'':
			end := strings.IndexByte(line[i+1:], '\'')
			if end < 0 {
				return "", "", fmt.Errorf("unbalanced quotes in %q", line)
			}
			b.WriteString(line[i+1 : i+1+end])
			i += end + 2
		default:
			b.WriteByte(line[i])
			i++
		}
	}
	return b.String(), line[i:], nil
}

// unquote decodes up to the closing quote and returns how much of s it read, that quote included.
func unquote(b *strings.Builder, s string) (int, error) {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return i + 1, nil
		case s[i] != '\\':
			b.WriteByte(s[i])
		case i+3 < len(s) && s[i+1] == 'x':
			c, err := strconv.ParseUint(s[i+2:i+4], 16, 8)
			if err != nil {
				return 0, fmt.Errorf("invalid escape %q", s[i:i+4])
			}
			b.WriteByte(byte(c))
			i += 3
		case i+1 < len(s):
			i++
			if special := strings.IndexByte("nrtba", s[i]); special >= 0 {
				b.WriteByte("\n\r\t\b\a"[special])
			} else {
				b.WriteByte(s[i])
			}
		}
	}
	return 0, fmt.Errorf("unbalanced quotes in %q", s)
}

// generate produces the arguments that a generator, without its braces, stands for.
func generate(spec string) ([]string, error) {
	if whole := "{" + spec + "}"; runtimeArg.MatchString(whole) {
		return []string{whole}, nil
	}
	f, err := splitArgs(spec)
	if err != nil {
		return nil, err
	}
	switch {
	case f[0] == "repeat" && len(f) == 3:
		n, err := strconv.Atoi(f[2])
		if err != nil || n < 0 || n > maxGenerated/max(len(f[1]), 1) {
			return nil, fmt.Errorf("invalid count in {%s}", spec)
		}
		return []string{strings.Repeat(f[1], n)}, nil
	case f[0] == "each" && len(f) == 4, f[0] == "pairs" && len(f) == 5:
		formats := f[1 : len(f)-2]
		from, err1 := strconv.Atoi(f[len(f)-2])
		to, err2 := strconv.Atoi(f[len(f)-1])
		if err1 != nil || err2 != nil || to-from >= 1<<20 {
			return nil, fmt.Errorf("invalid range in {%s}", spec)
		}
		var args []string
		for i := from; i <= to; i++ {
			for _, format := range formats {
				args = append(args, strings.ReplaceAll(format, "%d", strconv.Itoa(i)))
			}
		}
		return args, nil
	}
	return nil, fmt.Errorf("invalid generator {%s}", spec)
}
