package transcript

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// File is a parsed transcript.
type File struct {
	Path  string
	Name  string // base name without extension
	Needs []string
	Args  []string // options that the server is started with
	Cases []*Case

	lines []string // the text, for rewriting
}

// Case is a sequence of steps that begins with an empty server.
type Case struct {
	Name      string
	Since     string
	Needs     []string
	NoShards  bool
	SkipModes []string

	line  int
	steps []*step
}

type stepKind int

const (
	stepCommand stepKind = iota // send, expect a reply
	stepBlock                   // send, expect the client to block
	stepReceive                 // expect a reply or push
	stepRaw                     // send bytes, expect a reply
)

// step is one line of a session with its expectations.
type step struct {
	kind   stepKind
	client int
	args   []string
	line   int // 1-based, of the command
	text   string
	modifiers

	wants []want
	end   int // number of the last line that belongs to the step
}

// modifiers say how the reply of a step is compared.
type modifiers struct {
	order      order
	approx     float64
	regex      bool
	eventually bool
}

// byHand tells that an expectation is written by hand and only checked by Rewrite.
func (m modifiers) byHand() bool { return m.regex || m.eventually }

// want is an expectation for servers of at least version from ("" for all) in RESP3 only or in both protocols.
type want struct {
	from  string
	resp3 bool
	lines []string
}

var (
	commandLine = regexp.MustCompile(`^(\d*)(>>|>|!>|<)(?: (.*))?$`)
	fromLine    = regexp.MustCompile(`^from (\d+\.\d+)( resp3)?:$`)
	versionText = regexp.MustCompile(`^\d+\.\d+$`)
)

// Load reads the transcripts (*.txt) of a directory, in order of name.
func Load(dir string) ([]*File, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("transcript: no *.txt in %s", dir)
	}
	slices.Sort(paths)
	var files []*File
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		f, err := Parse(path, string(text))
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// parser holds what the lines read so far mean for the next one.
type parser struct {
	file *File
	c    *Case
	s    *step     // the step whose expectations may follow, nil after a blank line
	mods modifiers // directives read for the next step
}

// Parse parses the text of a transcript.
func Parse(path, text string) (*File, error) {
	f := &File{Path: path, Name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))}
	f.lines = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	p := parser{file: f}
	for i, line := range f.lines {
		if err := p.line(i+1, line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
	}
	if p.mods != (modifiers{}) {
		return nil, fmt.Errorf("%s: ends in a directive without a step", path)
	}
	return f, nil
}

func (p *parser) line(n int, line string) error {
	switch {
	case strings.HasPrefix(line, "##"), strings.TrimSpace(line) == "":
		p.s = nil
		return nil
	case strings.HasPrefix(line, "# "):
		return p.directive(n, strings.TrimSpace(line[2:]))
	}
	if m := commandLine.FindStringSubmatch(line); m != nil {
		return p.step(n, line, m)
	}
	if p.s == nil {
		return fmt.Errorf("expectation without a step: %q", line)
	}
	if len(p.s.wants) == 0 {
		p.s.wants = append(p.s.wants, want{})
	}
	w := &p.s.wants[len(p.s.wants)-1]
	w.lines = append(w.lines, line)
	p.s.end = n
	return nil
}

func (p *parser) step(n int, line string, m []string) error {
	if p.c == nil {
		return fmt.Errorf("step before the first case")
	}
	s := &step{line: n, end: n, text: line, modifiers: p.mods}
	p.mods = modifiers{}
	if m[1] != "" {
		client, err := strconv.Atoi(m[1])
		if err != nil || client > 1000 {
			return fmt.Errorf("invalid client number %q", m[1])
		}
		s.client = client
	}
	switch m[2] {
	case ">>":
		s.kind = stepBlock
	case "<":
		s.kind = stepReceive
	case "!>":
		s.kind = stepRaw
	}
	args, err := splitArgs(m[3])
	if err != nil {
		return err
	}
	if (s.kind == stepReceive) != (len(args) == 0) || s.kind == stepRaw && len(args) != 1 {
		return fmt.Errorf("wrong number of arguments for a step of this kind")
	}
	s.args = args
	p.s = s
	p.c.steps = append(p.c.steps, s)
	return nil
}

func (p *parser) directive(n int, d string) error {
	if name, value, ok := strings.Cut(d, ": "); ok {
		return p.setting(n, name, strings.TrimSpace(value))
	}
	words := strings.Fields(d)
	switch {
	case d == "resp3:":
		return p.alternative(n, want{resp3: true})
	case fromLine.MatchString(d):
		m := fromLine.FindStringSubmatch(d)
		return p.alternative(n, want{from: m[1], resp3: m[2] != ""})
	case d == "noshards" && p.c != nil && len(p.c.steps) == 0:
		p.c.NoShards = true
	case d == "regex":
		p.mods.regex = true
	case d == "eventually":
		p.mods.eventually = true
	case d == "unordered":
		p.mods.order = unorderedTop
	case d == "unordered 1":
		p.mods.order = unorderedNested
	case d == "unordered pairs":
		p.mods.order = unorderedPairs
	case len(words) == 2 && words[0] == "approx":
		n, err := strconv.ParseFloat(words[1], 64)
		if err != nil || n <= 0 {
			return fmt.Errorf("invalid directive %q", d)
		}
		p.mods.approx = n
	default:
		return fmt.Errorf("unknown or misplaced directive %q (comments begin with ##)", d)
	}
	return nil
}

func (p *parser) setting(n int, name, value string) error {
	switch {
	case name == "case":
		for _, c := range p.file.Cases {
			if c.Name == value {
				return fmt.Errorf("there is another case %q", value)
			}
		}
		p.c = &Case{Name: value, line: n}
		p.file.Cases = append(p.file.Cases, p.c)
		p.s = nil
	case name == "redis" && p.c == nil:
	case name == "needs" && p.c == nil:
		p.file.Needs = strings.Fields(value)
	case name == "server" && p.c == nil:
		args, err := splitArgs(value)
		if err != nil {
			return err
		}
		p.file.Args = args
	case p.c == nil || len(p.c.steps) > 0:
		return fmt.Errorf("unknown or misplaced directive %q", name)
	case name == "since" && versionText.MatchString(value):
		p.c.Since = value
	case name == "needs":
		p.c.Needs = strings.Fields(value)
	case name == "skip-modes":
		for _, mode := range strings.Split(value, ",") {
			mode = strings.TrimSpace(mode)
			if !slices.Contains([]string{"pipelined", "resp2", "resp3"}, mode) {
				return fmt.Errorf("unknown mode %q", mode)
			}
			p.c.SkipModes = append(p.c.SkipModes, mode)
		}
	default:
		return fmt.Errorf("unknown directive %q", name)
	}
	return nil
}

// alternative begins another expectation of the current step.
func (p *parser) alternative(n int, w want) error {
	if p.s == nil {
		return fmt.Errorf("alternative without a step before it")
	}
	for _, other := range p.s.wants {
		if other.from == w.from && other.resp3 == w.resp3 {
			return fmt.Errorf("the same alternative twice")
		}
	}
	p.s.wants = append(p.s.wants, w)
	p.s.end = n
	return nil
}

// password returns the one that the server is started with, "" for none.
func (f *File) password() string {
	if i := slices.Index(f.Args, "--requirepass"); i >= 0 && i+1 < len(f.Args) {
		return f.Args[i+1]
	}
	return ""
}

// expect returns the expectation for a server of this version and protocol; ok is false when none is recorded.
func (s *step) expect(version string, resp int) (lines []string, ok bool) {
	best := want{}
	for _, w := range s.wants {
		if w.resp3 && resp != 3 || w.from != "" && !atLeast(version, w.from) {
			continue
		}
		newer := !ok || atLeast(w.from, best.from) && w.from != best.from
		if newer || w.from == best.from && w.resp3 {
			best, ok = w, true
		}
	}
	return best.lines, ok
}

// atLeast compares the first two numbers of versions; "" is older than all.
func atLeast(version, than string) bool {
	return slices.Compare(numbers(version), numbers(than)) >= 0
}

func numbers(version string) []int {
	out := make([]int, 2)
	for i, s := range strings.SplitN(version, ".", 3) {
		if i < 2 {
			out[i], _ = strconv.Atoi(s) // "" is 0
		}
	}
	return out
}
