package command

import (
	"errors"
	"fmt"
	"strings"
)

// The notation of Spec.Syntax. It says in one line what COMMAND DOCS spells out as a tree:
//
//	name              an argument of type string; one that is called key is of type key
//	name:type         string, integer, double, key, pattern, unix-time
//	TOKEN             a word to be given literally (pure-token); its name is the word in lower case
//	name:TOKEN        the same with another name
//	name:"~"          the same for a word that is not made of capitals
//	TOKEN name:type   an argument that is introduced by a word; likewise TOKEN name:{…} and TOKEN name:<…>
//	name:{a b}        a block: a then b
//	name:<a|b>        one of a and b
//	[a]               optional
//	a...              may be given several times, after its token if it has one
//	[a]...            may be given several times, each time with its token
//
// A capital word is an argument of its own when '[', '|', '>', '}', another capital word or the end follows. Details
// follow the type without a space, in this order:
//
//	#1                index in Keys of the key spec that finds it
//	(text)            display text, when it is not the name
//	@6.2.0            version that brought the argument
//	@-2.8.12          version that deprecated it
//
// Arguments of type key get the index of their key spec by counting: the first one has spec 0, the second one spec 1
// and so on, the last spec serves all that remain.

// ArgType is the type of an argument in COMMAND DOCS.
type ArgType string

// The argument types of Redis.
const (
	ArgString    ArgType = "string"
	ArgInteger   ArgType = "integer"
	ArgDouble    ArgType = "double"
	ArgKey       ArgType = "key"
	ArgPattern   ArgType = "pattern"
	ArgUnixTime  ArgType = "unix-time"
	ArgPureToken ArgType = "pure-token"
	ArgOneOf     ArgType = "oneof"
	ArgBlock     ArgType = "block"
)

// Argument is one argument of a command, as COMMAND DOCS shows it.
type Argument struct {
	Name    string
	Type    ArgType
	Display string // how to show it in a synopsis; empty for blocks and choices
	KeySpec int    // index of the key spec that finds it, -1 for none
	// Token is the literal word that comes first. Only a pure token may be an empty word.
	Token                             string
	Since, DeprecatedSince            string
	Optional, Multiple, MultipleToken bool
	Args                              []Argument // of blocks and choices
}

// HasToken reports whether a literal word belongs to the argument.
func (a *Argument) HasToken() bool { return a.Type == ArgPureToken || a.Token != "" }

// words returns the least number of words the argument takes and whether it may take more.
func (a *Argument) words() (least int, more bool) {
	switch a.Type {
	case ArgBlock:
		least, more = countWords(a.Args)
	case ArgOneOf:
		for i := range a.Args {
			// To choose nothing is not a choice, even where Redis calls the alternatives optional (CLIENT KILL).
			alt := a.Args[i]
			alt.Optional = false
			n, m := alt.words()
			if i > 0 {
				more = more || n != least
				n = min(n, least)
			}
			least, more = n, more || m
		}
	case ArgPureToken:
		// counted with the token
	default:
		least = 1
	}
	if a.HasToken() {
		least++
	}
	if a.Optional {
		return 0, true
	}
	return least, more || a.Multiple
}

// countWords adds up the words of consecutive arguments.
func countWords(args []Argument) (least int, more bool) {
	for i := range args {
		n, m := args[i].words()
		least += n
		more = more || m
	}
	return least, more
}

// parseSyntax parses the Syntax of a command that has keySpecs key specs.
func parseSyntax(syntax string, keySpecs int) ([]Argument, error) {
	p := syntaxParser{rest: syntax, keySpecs: keySpecs}
	args := p.sequence()
	if p.err == nil && p.rest != "" {
		p.fail("unexpected %q", p.rest)
	}
	if p.err != nil {
		return nil, fmt.Errorf("syntax %q: %w", syntax, p.err)
	}
	return args, nil
}

// syntaxParser is a recursive descent parser. The first mistake sets err and empties rest, which ends every loop.
type syntaxParser struct {
	rest     string
	keySpecs int
	keys     int // arguments of type key so far
	err      error
}

func (p *syntaxParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	p.rest = ""
}

func (p *syntaxParser) accept(s string) bool {
	if strings.HasPrefix(p.rest, s) {
		p.rest = p.rest[len(s):]
		return true
	}
	return false
}

func (p *syntaxParser) expect(s string) {
	if !p.accept(s) {
		p.fail("%q expected before %q", s, p.rest)
	}
}

func (p *syntaxParser) spaces() { p.rest = strings.TrimLeft(p.rest, " ") }

// take cuts the longest prefix whose bytes satisfy ok.
func (p *syntaxParser) take(ok func(c byte) bool) string {
	n := 0
	for n < len(p.rest) && ok(p.rest[n]) {
		n++
	}
	s := p.rest[:n]
	p.rest = p.rest[n:]
	return s
}

// until cuts up to the byte end, which is dropped.
func (p *syntaxParser) until(end byte) string {
	i := strings.IndexByte(p.rest, end)
	if i < 0 {
		p.fail("%q is missing", end)
		return ""
	}
	s := p.rest[:i]
	p.rest = p.rest[i+1:]
	return s
}

// sequence parses arguments up to the end of the text or of what encloses them.
func (p *syntaxParser) sequence() []Argument {
	var args []Argument
	for {
		p.spaces()
		if p.rest == "" || strings.IndexByte("]}>|", p.rest[0]) >= 0 {
			return args
		}
		args = append(args, p.item())
	}
}

// item parses one argument with its brackets and dots.
func (p *syntaxParser) item() Argument {
	if !p.accept("[") {
		a := p.argument()
		a.Multiple = p.accept("...")
		return a
	}
	p.spaces()
	a := p.argument()
	a.Optional = true
	a.Multiple = p.accept("...")
	p.spaces()
	p.expect("]")
	if p.accept("...") {
		if !a.HasToken() {
			p.fail("[%s]... has no token to repeat", a.Name)
		}
		a.Multiple, a.MultipleToken = true, true
	}
	return a
}

// argument parses an argument without brackets and dots.
func (p *syntaxParser) argument() Argument {
	a := Argument{KeySpec: -1}
	if token, ok := p.token(); ok {
		if !p.argumentFollows() {
			a.Name, a.Type, a.Token = strings.ToLower(token), ArgPureToken, token
			p.details(&a)
			return a
		}
		p.spaces()
		a.Token = token
	}
	a.Name = p.take(isNameByte)
	if a.Name == "" {
		p.fail("name expected before %q", p.rest)
		return a
	}
	p.typeOf(&a)
	p.details(&a)
	return a
}

// argumentFollows reports whether what comes after a token is an argument that it introduces.
func (p *syntaxParser) argumentFollows() bool {
	s := strings.TrimLeft(p.rest, " ")
	return len(s) < len(p.rest) && s != "" && isNameByte(s[0])
}

// typeOf parses what follows a name.
func (p *syntaxParser) typeOf(a *Argument) {
	switch {
	case !p.accept(":"):
		a.Type = ArgString
		if a.Name == "key" {
			a.Type = ArgKey
		}
	case p.accept("{"):
		a.Type = ArgBlock
		a.Args = p.sequence()
		p.expect("}")
		if len(a.Args) == 0 {
			p.fail("block %s is empty", a.Name)
		}
	case p.accept("<"):
		a.Type = ArgOneOf
		for more := true; more; more = p.accept("|") {
			p.spaces()
			a.Args = append(a.Args, p.item())
			p.spaces()
		}
		p.expect(">")
		if len(a.Args) < 2 {
			p.fail("%s offers no choice", a.Name)
		}
	default:
		if token, ok := p.token(); ok {
			if a.Token != "" {
				p.fail("%s has two tokens", a.Name)
			}
			a.Type, a.Token = ArgPureToken, token
			return
		}
		a.Type = ArgType(p.take(isNameByte))
		switch a.Type {
		case ArgString, ArgInteger, ArgDouble, ArgKey, ArgPattern, ArgUnixTime:
		default:
			p.fail("%s has unknown type %q", a.Name, string(a.Type))
		}
	}
}

// token parses a capital or quoted word.
func (p *syntaxParser) token() (string, bool) {
	if p.accept(`"`) {
		return p.until('"'), true
	}
	if p.rest == "" || p.rest[0] < 'A' || p.rest[0] > 'Z' {
		return "", false
	}
	return p.take(func(c byte) bool {
		return 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
	}), true
}

// details parses key spec index, display text and versions, and fills in what is not said.
func (p *syntaxParser) details(a *Argument) {
	if a.Type == ArgKey {
		a.KeySpec = min(p.keys, p.keySpecs-1)
		p.keys++
	}
	if p.accept("#") {
		a.KeySpec = 0
		for _, c := range p.take(isDigit) {
			a.KeySpec = a.KeySpec*10 + int(c-'0')
		}
	}
	if a.KeySpec >= p.keySpecs || a.Type == ArgKey && a.KeySpec < 0 {
		p.fail("%s has no key spec", a.Name)
	}
	if a.Type != ArgBlock && a.Type != ArgOneOf {
		a.Display = a.Name
		if p.accept("(") {
			a.Display = p.until(')')
		}
	}
	for p.accept("@") {
		version := &a.Since
		if p.accept("-") {
			version = &a.DeprecatedSince
		}
		// The dots of "..." are not part of the version.
		n := 0
		for n < len(p.rest) && (isDigit(p.rest[n]) || p.rest[n] == '.' && !strings.HasPrefix(p.rest[n:], "...")) {
			n++
		}
		*version, p.rest = p.rest[:n], p.rest[n:]
		if err := checkVersion(*version); err != nil {
			p.fail("%s: %w", a.Name, err)
		}
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameByte(c byte) bool { return 'a' <= c && c <= 'z' || isDigit(c) || c == '-' || c == '_' }

var errVersion = errors.New("not a version of the form 1.2.3")

// checkVersion accepts three numbers with dots between them.
func checkVersion(v string) error {
	parts := strings.Split(v, ".")
	if len(parts) != 3 {
		return fmt.Errorf("%q: %w", v, errVersion)
	}
	for _, s := range parts {
		if s == "" || strings.Trim(s, "0123456789") != "" {
			return fmt.Errorf("%q: %w", v, errVersion)
		}
	}
	return nil
}
