package config

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A codec knows the syntax of one kind of value. Values travel as any between a codec and the typed fields of Values;
// this is the cold path. The dynamic type is fixed per codec and named at each of them.
type codec interface {
	// parse reads the words after the name. cur is the value so far, for parameters that change only in part (one
	// class of client-output-buffer-limit) or relative to what they were (dir). The error text goes to the client.
	parse(words []string, cur any) (any, error)
	// format prints the value as CONFIG GET shows it.
	format(v any) string
	// lines prints the value as the words after the name in a file; more than one element for repeated directives.
	lines(v any) []string
}

var (
	errArgCount = errors.New("wrong number of arguments")
	errBool     = errors.New("argument must be 'yes' or 'no'")
	errInteger  = errors.New("argument couldn't be parsed into an integer")
	errOctal    = errors.New("argument couldn't be parsed as an octal number")
	errMemory   = errors.New("argument must be a memory value")
	errPercent  = errors.New("argument must be a memory or percent value")
	errOver100  = errors.New("percentage argument must be less or equal to 100")
)

// boolCodec: bool.
type boolCodec struct{}

func (boolCodec) parse(words []string, _ any) (any, error) {
	switch strings.ToLower(words[0]) {
	case "yes":
		return true, nil
	case "no":
		return false, nil
	}
	return nil, errBool
}

func (boolCodec) format(v any) string {
	if v.(bool) {
		return "yes"
	}
	return "no"
}

func (c boolCodec) lines(v any) []string { return []string{c.format(v)} }

// intCodec: int64. Values outside of clampMin…clampMax but inside of min…max are accepted and moved to the nearest end.
type intCodec struct {
	min, max           int64
	clampMin, clampMax int64
}

func (c intCodec) parse(words []string, _ any) (any, error) {
	s := words[0]
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != s { // refuses "+1", "01", "-0"
		return nil, errInteger
	}
	if n < c.min || n > c.max {
		return nil, fmt.Errorf("argument must be between %d and %d inclusive", c.min, c.max)
	}
	return max(c.clampMin, min(n, c.clampMax)), nil
}

func (intCodec) format(v any) string { return strconv.FormatInt(v.(int64), 10) }

func (c intCodec) lines(v any) []string { return []string{c.format(v)} }

// octalCodec: int64, file permissions.
type octalCodec struct{ max int64 }

func (c octalCodec) parse(words []string, _ any) (any, error) {
	s := words[0]
	if s == "" {
		return int64(0), nil
	}
	n, err := strconv.ParseInt(s, 8, 64)
	if err != nil {
		return nil, errOctal
	}
	if n < 0 || n > c.max {
		return nil, fmt.Errorf("argument must be between 0 and %o inclusive", c.max)
	}
	return n, nil
}

func (octalCodec) format(v any) string { return strconv.FormatInt(v.(int64), 8) }

func (c octalCodec) lines(v any) []string { return []string{c.format(v)} }

var memoryUnits = map[string]uint64{"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1e6, "mb": 1 << 20, "g": 1e9, "gb": 1 << 30}

// parseMemory reads "100", "10k", "64mb". No digits before the unit, or nothing at all, is zero: Redis takes `maxmemory ""`.
func parseMemory(s string) (uint64, bool) {
	digits := len(s)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			digits = i
			break
		}
	}
	unit, known := memoryUnits[strings.ToLower(s[digits:])]
	if !known {
		return 0, false
	}
	if digits == 0 {
		return 0, true
	}
	n, err := strconv.ParseUint(s[:digits], 10, 64)
	if err != nil || n > math.MaxUint64/unit {
		return 0, false // Redis wraps around: a limit of 17179869184gb would become no limit
	}
	return n * unit, true
}

// formatMemory uses the largest unit that loses nothing.
func formatMemory(n uint64) string {
	for _, u := range []struct {
		shift uint
		name  string
	}{{30, "gb"}, {20, "mb"}, {10, "kb"}} {
		if n != 0 && n&(1<<u.shift-1) == 0 {
			return strconv.FormatUint(n>>u.shift, 10) + u.name
		}
	}
	return strconv.FormatUint(n, 10)
}

// memoryCodec: uint64, bytes. Values below clampMin are accepted and raised to it.
type memoryCodec struct {
	min, max uint64
	clampMin uint64
}

func (c memoryCodec) parse(words []string, _ any) (any, error) {
	n, ok := parseMemory(words[0])
	if !ok {
		return nil, errMemory
	}
	if n < c.min || n > c.max {
		return nil, fmt.Errorf("argument must be between %d and %d inclusive", c.min, c.max)
	}
	return max(n, c.clampMin), nil
}

func (memoryCodec) format(v any) string { return strconv.FormatUint(v.(uint64), 10) }

func (memoryCodec) lines(v any) []string { return []string{formatMemory(v.(uint64))} }

// MemoryLimit is a limit in bytes, or in percent of maxmemory when Percent is not zero.
type MemoryLimit struct {
	Bytes   int64
	Percent int
}

// percentCodec: MemoryLimit.
type percentCodec struct{}

func (percentCodec) parse(words []string, _ any) (any, error) {
	if digits, ok := strings.CutSuffix(words[0], "%"); ok {
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 0 || strconv.FormatInt(n, 10) != digits {
			return nil, errPercent
		}
		if n > 100 {
			return nil, errOver100
		}
		return MemoryLimit{Percent: int(n)}, nil
	}
	n, ok := parseMemory(words[0])
	if !ok {
		return nil, errPercent
	}
	if n > math.MaxInt64 {
		return nil, fmt.Errorf("argument must be between 0 and %d inclusive", math.MaxInt64)
	}
	return MemoryLimit{Bytes: int64(n)}, nil
}

func (percentCodec) format(v any) string {
	l := v.(MemoryLimit)
	if l.Percent != 0 {
		return strconv.Itoa(l.Percent) + "%"
	}
	return strconv.FormatInt(l.Bytes, 10)
}

func (c percentCodec) lines(v any) []string {
	l := v.(MemoryLimit)
	if l.Percent != 0 {
		return []string{c.format(v)}
	}
	return []string{formatMemory(uint64(l.Bytes))}
}

// enumCodec: string, the canonical spelling. In synonyms, a name that means the same as another one maps to it.
type enumCodec struct {
	names    []string
	synonyms map[string]string
}

func (c enumCodec) parse(words []string, _ any) (any, error) {
	name := strings.ToLower(words[0])
	if !slices.Contains(c.names, name) {
		return nil, errOneOf(c.names)
	}
	if main, ok := c.synonyms[name]; ok {
		name = main
	}
	return name, nil
}

func (enumCodec) format(v any) string { return v.(string) }

func (enumCodec) lines(v any) []string { return []string{v.(string)} }

func errOneOf(names []string) error {
	return errors.New("argument(s) must be one of the following: " + strings.Join(names, ", "))
}

// stringCodec: string. check may be nil.
type stringCodec struct{ check func(string) error }

func (c stringCodec) parse(words []string, _ any) (any, error) {
	if c.check != nil {
		if err := c.check(words[0]); err != nil {
			return nil, err
		}
	}
	return words[0], nil
}

func (stringCodec) format(v any) string { return v.(string) }

func (stringCodec) lines(v any) []string { return []string{quoteArg(v.(string))} }

// fileName makes a check that s is a name inside of a directory and not a path.
func fileName(param, what string, mayBeEmpty bool) func(string) error {
	return func(s string) error {
		switch {
		case s == "" && mayBeEmpty:
			return nil
		case s == "":
			return errors.New(param + " can't be empty")
		case strings.ContainsAny(s, `/\`):
			return errors.New(param + " can't be a path, just a " + what)
		}
		return nil
	}
}

func checkHostname(s string) error {
	if len(s) >= 256 {
		return errors.New("Hostnames must be less than 256 characters")
	}
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '-' && c != '.' {
			return errors.New("Hostnames may only contain alphanumeric characters, hyphens or dots")
		}
	}
	return nil
}

// checkNodeName keeps separators of nodes.conf and control characters out of a name that is written there.
func checkNodeName(s string) error {
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && !strings.ContainsRune("-._:@/ ", rune(c)) {
			return errors.New("Announced human node name contained invalid character")
		}
	}
	return nil
}

func isAlnum(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' }

// checkLocale: strings are compared byte by byte here, so only locales that say so can be honoured.
func checkLocale(s string) error {
	switch s {
	case "", "C", "POSIX", "C.UTF-8", "C.utf8":
		return nil
	}
	return errors.New("Invalid locale name")
}

// checkProcTitle allows the variables that the process title may name and refuses a title of spaces only.
func checkProcTitle(s string) error {
	errTemplate := errors.New("template format is invalid or contains unknown variables")
	rest, plain := s, false
	for {
		before, after, found := strings.Cut(rest, "{")
		plain = plain || strings.TrimSpace(before) != ""
		if !found {
			break
		}
		if tail, doubled := strings.CutPrefix(after, "{"); doubled { // "{{" stands for "{"
			rest, plain = tail, true
			continue
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed || !slices.Contains([]string{"title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"}, name) {
			return errTemplate
		}
		rest, plain = tail, plain || !slices.Contains([]string{"server-mode", "unixsocket", "config-file"}, name) // those may be empty
	}
	if !plain {
		return errTemplate
	}
	return nil
}
