package command

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Table holds the commands of a server. It does not change after NewTable, but for Rename, and may be used by any number
// of goroutines.
type Table struct {
	names   nameTable
	renamed map[string]*Spec // see Rename; nil as a rule
	top     []*Spec          // the commands, by name
	all     []*Spec          // commands and subcommands, by ID
}

// NewTable makes a table of commands. It panics when a spec contradicts itself or another one, with all that it found:
// a mistake in a spec is one in the program and must not wait for a client to find it.
func NewTable(specs []*Spec) *Table {
	t := &Table{top: slices.Clone(specs)}
	slices.SortStableFunc(t.top, func(a, b *Spec) int { return strings.Compare(a.Name, b.Name) })
	var errs []error
	for i, s := range t.top {
		if i > 0 && s.Name == t.top[i-1].Name {
			errs = append(errs, fmt.Errorf("%s: declared twice", s.Name))
		}
		t.top[i] = t.adopt(s, nil, &errs)
	}
	if len(errs) > 0 {
		panic("command: " + errors.Join(errs...).Error())
	}
	t.names = makeNameTable(t.top)
	for _, s := range t.top {
		s.subs = makeNameTable(s.Subcommands)
	}
	return t
}

// adopt adds a copy of spec to the table and fills in what is derived.
func (t *Table) adopt(spec, container *Spec, errs *[]error) *Spec {
	s := new(Spec)
	*s = *spec
	s.ID = len(t.all)
	t.all = append(t.all, s)
	s.FullName = s.Name
	if container != nil {
		s.Container = container
		s.FullName = container.Name + "|" + s.Name
		if s.Group == "" {
			s.Group = container.Group
		}
	}
	s.acl = categoriesOf(s.Group, s.Flags, s.Categories)
	var movable bool
	s.FirstKey, s.LastKey, s.KeyStep, movable = s.Keys.legacyRange()
	if s.Flags&MovableKeys != 0 {
		*errs = append(*errs, fmt.Errorf("%s: MovableKeys is computed", s.FullName))
	}
	if movable {
		s.Flags |= MovableKeys
	}
	if len(s.Keys) == 1 && s.Keys[0].isRange() && s.Keys[0].last == 0 && s.Keys[0].flags&NotKey == 0 {
		s.OneKey = s.Keys[0].pos
	}
	var err error
	if s.arguments, err = parseSyntax(s.Syntax, len(s.Keys)); err != nil {
		*errs = append(*errs, fmt.Errorf("%s: %w", s.FullName, err))
	}
	s.check(func(format string, args ...any) {
		*errs = append(*errs, fmt.Errorf("%s: "+format, append([]any{s.FullName}, args...)...))
	})

	s.Subcommands = slices.Clone(s.Subcommands)
	slices.SortStableFunc(s.Subcommands, func(a, b *Spec) int { return strings.Compare(a.Name, b.Name) })
	for i, sub := range s.Subcommands {
		if i > 0 && sub.Name == s.Subcommands[i-1].Name {
			*errs = append(*errs, fmt.Errorf("%s|%s: declared twice", s.Name, sub.Name))
		}
		if len(sub.Subcommands) > 0 {
			*errs = append(*errs, fmt.Errorf("%s|%s: a subcommand cannot be a container", s.Name, sub.Name))
		}
		s.Subcommands[i] = t.adopt(sub, s, errs)
	}
	return s
}

// check reports what is wrong with one spec.
func (s *Spec) check(wrong func(format string, args ...any)) {
	if s.Name == "" || len(s.Name) > maxNameBytes || strings.Trim(s.Name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		wrong("the name must be 1 to %d bytes of a-z, 0-9, '-' and '_'", maxNameBytes)
	}
	if s.Summary == "" {
		wrong("no summary")
	}
	if s.Run == nil && len(s.Subcommands) == 0 {
		wrong("no handler")
	}
	if s.Complexity == "" && s.Run != nil {
		wrong("no complexity")
	}
	if !knownGroups[s.Group] {
		wrong("unknown group %q", string(s.Group))
	}
	s.checkVersions(wrong)
	if s.Flags&Write != 0 && s.Flags&ReadOnly != 0 {
		wrong("both Write and ReadOnly")
	}
	if s.Categories&NoCategory != 0 && s.Categories != NoCategory {
		wrong("NoCategory beside other categories")
	}
	if help := s.subcommandNamed("help"); (help != nil) != (len(s.Help) > 0) {
		wrong("Help and a help subcommand must come together")
	}
	if s.HasKeys() && (s.Scope == ScopeLocal || s.Scope == ScopeServer) {
		wrong("has keys but does not run on shards")
	}
	s.checkArity(wrong)
	s.checkKeys(wrong)
}

func (s *Spec) checkVersions(wrong func(format string, args ...any)) {
	if err := checkVersion(s.Since); err != nil {
		wrong("since: %w", err)
	}
	if (s.DeprecatedSince == "") != (s.ReplacedBy == "") {
		wrong("DeprecatedSince and ReplacedBy must come together")
	}
	if s.DeprecatedSince != "" {
		if err := checkVersion(s.DeprecatedSince); err != nil {
			wrong("deprecated since: %w", err)
		}
	}
	for _, h := range s.History {
		if err := checkVersion(h[0]); err != nil {
			wrong("history: %w", err)
		}
		if h[1] == "" {
			wrong("history: nothing about %s", h[0])
		}
	}
}

// checkArity compares Arity with the Syntax. Commands without a documented syntax, as DEBUG, may take any words.
func (s *Spec) checkArity(wrong func(format string, args ...any)) {
	if s.Arity == 0 {
		wrong("no arity")
	}
	if len(s.Subcommands) > 0 || s.SysCmd && s.Syntax == "" {
		return
	}
	least, more := countWords(s.arguments)
	least++
	if s.Container != nil {
		least++
	}
	// A negative arity without a variable syntax is possible: QUIT ignores whatever follows.
	if arity := max(s.Arity, -s.Arity); least != arity || more && s.Arity > 0 {
		wrong("arity %d does not fit the syntax %q", s.Arity, s.Syntax)
	}
}

func (s *Spec) checkKeys(wrong func(format string, args ...any)) {
	words := max(s.Arity, -s.Arity)
	for i := range s.Keys {
		k := &s.Keys[i]
		if k.begin == beginIndex && !k.fits(words, s.Arity < 0) {
			wrong("key spec %d: position past the arity", i)
		}
		if k.begin == beginKeyword && (k.keyword == "" || k.pos == 0) {
			wrong("key spec %d: no keyword or no position", i)
		}
		if k.find != findUnknown && k.step < 1 {
			wrong("key spec %d: step %d", i, k.step)
		}
		if k.limit != 0 && k.last != -1 {
			wrong("key spec %d: a limit goes with -1 only", i)
		}
		switch k.flags & (RO | RW | OW | RM) {
		case RO, RW, OW, RM:
			if k.flags&NotKey != 0 {
				wrong("key spec %d: NotKey beside what is done with a key", i)
			}
			// PFCOUNT is read-only for its caller but refreshes the estimate that the key caches.
			if s.Flags&ReadOnly != 0 && k.flags&RO == 0 && s.Flags&MayReplicate == 0 {
				wrong("key spec %d: a read-only command changes a key", i)
			}
		case 0:
			if k.flags&NotKey == 0 {
				wrong("key spec %d: one of RO, RW, OW and RM is missing", i)
			}
		default:
			wrong("key spec %d: more than one of RO, RW, OW and RM", i)
		}
		if (k.flags&(VariableFlags|Incomplete) != 0 || k.begin == beginUnknown) && s.KeysFunc == nil {
			wrong("key spec %d: needs a KeysFunc", i)
		}
	}
	if s.KeysFunc != nil && len(s.Keys) == 0 {
		wrong("KeysFunc without key specs")
	}
}

// fits reports whether the positions of k exist in a command of so many words. A range that is open to its end may be
// empty in the shortest form of a command that takes more words.
func (k *KeySpec) fits(words int, more bool) bool {
	switch {
	case k.pos < 1:
		return false
	case k.find == findRange && k.last >= 0:
		return k.pos+k.last < words
	case k.find == findRange && more:
		return k.pos <= words
	default:
		return k.pos < words
	}
}

func (s *Spec) subcommandNamed(name string) *Spec {
	for _, sub := range s.Subcommands {
		if sub.Name == name {
			return sub
		}
	}
	return nil
}

var knownGroups = map[Group]bool{
	GroupBitmap: true, GroupCluster: true, GroupConnection: true, GroupGeneric: true, GroupGeo: true, GroupHash: true,
	GroupHyperLogLog: true, GroupList: true, GroupModule: true, GroupPubSub: true, GroupScripting: true,
	GroupSentinel: true, GroupServer: true, GroupSet: true, GroupSortedSet: true, GroupStream: true, GroupString: true,
	GroupTransactions: true,
}

// Lookup finds a command by its name, in any case; nil when there is none. Subcommands are not found.
func (t *Table) Lookup(name []byte) *Spec {
	s := t.names.lookup(name)
	if s == nil && t.renamed != nil {
		s = t.renamed[strings.ToLower(string(name))]
	}
	return s
}

// LookupFull finds a command or, as "container|name", a subcommand.
func (t *Table) LookupFull(name []byte) *Spec {
	top, sub, isSub := bytes.Cut(name, []byte{'|'})
	s := t.Lookup(top)
	if s == nil || !isSub {
		return s
	}
	return s.Subcommand(sub)
}

// Find finds the command or subcommand that args name, with no regard to their number; nil when there is none. A
// container alone names itself.
func (t *Table) Find(args [][]byte) *Spec {
	s := t.Lookup(args[0])
	if s == nil || len(args) == 1 || len(s.Subcommands) == 0 {
		return s
	}
	return s.Subcommand(args[1])
}

// Resolve finds what args name and checks their number. errText is the error reply, empty when all is well. The spec is
// nil when the command does not exist; when only the number of words is wrong, it is returned for the statistics.
// REQUIRES: len(args) > 0.
func (t *Table) Resolve(args [][]byte) (spec *Spec, errText string) {
	s := t.Find(args)
	if s == nil {
		return nil, t.unknown(args)
	}
	if !s.ArityOK(len(args)) {
		return s, "ERR wrong number of arguments for '" + s.FullName + "' command"
	}
	return s, ""
}

// All returns every command and subcommand, by ID. The result is shared and must not be changed.
func (t *Table) All() []*Spec { return t.all }

// Commands returns the commands without subcommands, by name. The result is shared and must not be changed.
func (t *Table) Commands() []*Spec { return t.top }

// maxEchoBytes bounds how much of a command that does not exist its error reply repeats.
const maxEchoBytes = 128

// unknown returns the error reply to a command that does not exist.
func (t *Table) unknown(args [][]byte) string {
	var b strings.Builder
	if s := t.Lookup(args[0]); s != nil {
		fmt.Fprintf(&b, "ERR unknown subcommand '%s'. Try %s HELP.", echo(args[1], maxEchoBytes), strings.ToUpper(s.Name))
	} else {
		fmt.Fprintf(&b, "ERR unknown command '%s', with args beginning with: ", echo(args[0], maxEchoBytes))
		for rest, i := maxEchoBytes, 1; i < len(args) && rest > 0; i++ {
			a := echo(args[i], rest)
			fmt.Fprintf(&b, "'%s' ", a)
			rest -= len(a) + len("'' ")
		}
	}
	return lineBreaks.Replace(b.String())
}

var lineBreaks = strings.NewReplacer("\r", " ", "\n", " ")

// echo cuts b at its first NUL byte, as C does, and at limit bytes.
func echo(b []byte, limit int) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return b[:min(len(b), limit)]
}
