package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/troupe-db/troupe/datatypes/glob"
)

// Error is a configuration that the server cannot start with.
type Error struct {
	File   string // empty for the command line and for what concerns no directive in particular; StdinName for standard input
	Line   int    // 1 for the first line, or for the first option of the command line; 0 if there is none to blame
	Text   string // the line
	Reason string
}

// StdinName stands for standard input where a file name is expected.
const StdinName = "standard input"

// Error is what the server prints before it exits; it has several lines, in the form that tools know from Redis.
func (e *Error) Error() string {
	if e.File != "" && e.Line == 0 {
		return fmt.Sprintf("Fatal error, can't open config file '%s': %s", e.File, e.Reason)
	}
	var where string
	switch {
	case e.Line == 0:
	case e.File == "":
		where = fmt.Sprintf("Reading the command line, at option %d\n>>> '%s'\n", e.Line, e.Text)
	default:
		where = fmt.Sprintf("Reading the configuration file, at line %d of %s\n>>> '%s'\n", e.Line, e.File, e.Text)
	}
	return "*** FATAL CONFIG FILE ERROR (Troupe) ***\n" + where + e.Reason
}

const (
	msgBadDirective = "Bad directive or wrong number of arguments"
	msgUnbalanced   = "Unbalanced quotes in configuration line"

	// maxIncludeDepth stops files that include each other.
	maxIncludeDepth = 16
)

// ignoredDirectives had a meaning in releases of Redis before 7 and are accepted with one argument.
var ignoredDirectives = map[string]bool{"list-max-ziplist-entries": true, "list-max-ziplist-value": true, "lua-replicate-commands": true}

// Parse reads the command line, without the name of the program, as redis-server does:
//
//	[file] [-] [--name value [value…]]… [-]
//
// A leading or trailing "-" reads directives from stdin. The file comes first, then stdin, then the options, whatever
// their order on the command line, and what comes later wins. Name and values of an option may be one argument
// ("--port 6380"). The word after a name is its value even if it starts with "--", but `--save` followed by another
// option, or by nothing, means `--save ""`. All errors but those of reading stdin are an *Error.
func Parse(args []string, stdin io.Reader) (*Config, error) {
	c, err := New()
	if err != nil {
		return nil, err
	}
	l := &loader{c: c, values: c.Load().clone()}
	file, fromStdin, options := splitCommandLine(args)
	if file != "" {
		if !filepath.IsAbs(file) {
			file = filepath.Join(c.startDir, file)
		}
		c.file = file
		if err := l.file(file); err != nil {
			return nil, err
		}
	}
	if fromStdin {
		text, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("config: read standard input: %w", err)
		}
		if err := l.text(StdinName, string(text)); err != nil {
			return nil, err
		}
	}
	if err := l.text("", options); err != nil {
		return nil, err
	}
	if l.values.ClusterEnabled && l.values.ReplicaOf != (ReplicaOf{}) {
		return nil, &Error{Reason: "replicaof directive not allowed in cluster mode"}
	}
	c.current.Store(l.values)
	return c, nil
}

// splitCommandLine makes one line of text per option, to be read like lines of a file.
func splitCommandLine(args []string) (file string, stdin bool, options string) {
	var b strings.Builder
	wantsValue := false // the last option has none yet
	for i, arg := range args {
		last := i == len(args)-1
		switch {
		case i == 0 && !strings.HasPrefix(arg, "-"):
			file = arg
		case arg == "-" && (i == 0 || last) && !wantsValue:
			stdin = true
		case strings.HasPrefix(arg, "--") && !wantsValue:
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(arg[2:])
			words, ok := splitArgs(arg)
			wantsValue = ok && len(words) == 1
			if strings.EqualFold(arg, "--save") && (last || strings.HasPrefix(args[i+1], "--")) {
				b.WriteString(` ""`)
				wantsValue = false
			}
		default:
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(quoteArg(arg))
			wantsValue = false
		}
	}
	return file, stdin, b.String()
}

// loader applies directives to values that are not published yet.
type loader struct {
	c      *Config
	values *Values
	depth  int // of includes
}

func (l *loader) file(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return &Error{File: path, Reason: osReason(err)}
	}
	return l.text(path, strings.TrimPrefix(string(text), "\ufeff")) // editors of Windows put a byte order mark there
}

func (l *loader) text(file, text string) error {
	line := 0
	for raw := range strings.SplitSeq(text, "\n") {
		line++
		raw = strings.Trim(raw, " \t\r")
		if raw == "" || raw[0] == '#' {
			continue
		}
		d := Directive{File: file, Line: line, Text: raw}
		words, ok := splitArgs(raw)
		if !ok {
			return d.Err(msgUnbalanced)
		}
		if len(words) == 0 {
			continue
		}
		d.Args = words[1:]
		if err := l.directive(strings.ToLower(words[0]), d); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) directive(name string, d Directive) error {
	switch {
	case name == "include" && len(d.Args) == 1:
		return l.include(d)
	case name == "rename-command" && len(d.Args) == 2:
		l.c.renames = append(l.c.renames, d)
		return nil
	case name == "loadmodule" && len(d.Args) > 0:
		return d.Err("modules are not supported")
	case name == "user" && len(d.Args) > 0:
		return d.Err("users are not supported here: put them in the file that aclfile names")
	case name == "sentinel":
		return d.Err("sentinel directive while not in sentinel mode")
	case ignoredDirectives[name] && len(d.Args) == 1:
		return nil
	}
	p := lookup(name)
	if p == nil {
		return d.Err(msgBadDirective)
	}
	if err := l.set(p, d.Args); err != nil {
		return d.Err(err.Error())
	}
	return nil
}

func (l *loader) set(p *param, args []string) error {
	switch {
	case len(args) == 1 && args[0] != "":
		args = p.split(args[0])
	case len(args) != 1 && p.flags&words == 0:
		return errArgCount
	}
	cur := l.values.all[p.index]
	if p.flags&addsUp != 0 && !l.c.seen[p] {
		cur = nil // the first directive replaces the default
	}
	val, err := p.codec.parse(args, cur)
	if err != nil {
		return err
	}
	l.values.assign(p, val)
	l.c.seen[p] = true
	if l.depth > 0 {
		l.c.included[p] = true
	}
	return nil
}

// include reads a file, or all files that match a pattern, in order of name; no match is fine then. Names are relative
// to dir as it is at this point.
func (l *loader) include(d Directive) error {
	if l.depth == maxIncludeDepth {
		return d.Err("more than " + strconv.Itoa(maxIncludeDepth) + " files include each other")
	}
	path := l.values.Path(d.Args[0])
	paths := []string{path}
	if glob.HasMeta(d.Args[0]) {
		var err error
		if paths, err = filepath.Glob(path); err != nil {
			return d.Err("Bad pattern")
		}
	}
	l.depth++
	defer func() { l.depth-- }()
	for _, path := range paths {
		if err := l.file(path); err != nil {
			return err
		}
	}
	return nil
}
