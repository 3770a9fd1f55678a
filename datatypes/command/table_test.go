package command

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func noop(*Ctx) {}

// sampleSpecs are a few commands of different kinds, for tests of the table and of COMMAND.
func sampleSpecs() []*Spec {
	return []*Spec{
		{
			Name: "get", Group: GroupString, Since: "1.0.0", Complexity: "O(1)", Arity: 2, Summary: "s",
			Flags: ReadOnly | Fast, Keys: KeySpecs{At(1).Flags(RO | Access)}, Syntax: "key", Run: noop,
		},
		{
			Name: "set", Group: GroupString, Since: "1.0.0", Complexity: "O(1)", Arity: -3, Summary: "s",
			Flags: Write | DenyOOM, Keys: KeySpecs{At(1).Flags(RW | Access | Update | VariableFlags)},
			KeysFunc: setKeys, Syntax: "key value [GET]", Run: noop,
		},
		{
			Name: "setex", Group: GroupString, Since: "2.0.0", Complexity: "O(1)", Arity: 4, Summary: "s",
			DeprecatedSince: "2.6.12", ReplacedBy: "SET", Flags: Write | DenyOOM,
			Keys: KeySpecs{At(1).Flags(OW | Update)}, Syntax: "key seconds:integer value", Run: noop,
		},
		{
			Name: "eval", Group: GroupScripting, Since: "2.6.0", Complexity: "O(1)", Arity: -3, Summary: "s",
			Flags:  NoScript | NoMandatoryKeys | MayReplicate | Stale,
			Keys:   KeySpecs{KeyNum(2, 1, 1).Flags(RW | Access | Update).Note("n")},
			Syntax: "script numkeys:integer [key...] [arg...]", Run: noop,
		},
		{
			Name: "xread", Group: GroupStream, Since: "5.0.0", Complexity: "O(1)", Arity: -4, Summary: "s",
			Flags: ReadOnly | Blocking, Keys: KeySpecs{Keyword("STREAMS", 1).UpTo(-1).Limit(2).Flags(RO | Access)},
			Syntax: "STREAMS streams:{key... id...}", Run: noop,
		},
		{
			Name: "sort", Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)", Arity: -2, Summary: "s",
			Flags: Write | DenyOOM, Keys: KeySpecs{
				At(1).Flags(RO | Access), Unknown().Flags(RO | Access), Unknown().Flags(OW | Update),
			},
			KeysFunc: sortKeys, Categories: CatSet | CatSortedSet | CatList | CatDangerous,
			Syntax: "key [STORE destination:key#2]", Run: noop,
		},
		{
			Name: "spublish", Group: GroupPubSub, Since: "7.0.0", Complexity: "O(1)", Arity: 3, Summary: "s",
			Flags: PubSub | Fast, Keys: KeySpecs{At(1).Flags(NotKey)}, Syntax: "channel message", Run: noop,
		},
		{
			Name: "ping", Group: GroupConnection, Since: "1.0.0", Complexity: "O(1)", Arity: -1, Summary: "s",
			Flags: Fast, Syntax: "[message]", Scope: ScopeLocal, Run: noop,
		},
		{
			Name: "client", Group: GroupConnection, Since: "2.4.0", Arity: -2, Summary: "s", Categories: NoCategory,
			Help: []string{"ID", "    Return the ID."},
			Subcommands: []*Spec{
				{
					Name: "list", Since: "2.4.0", Complexity: "O(N)", Arity: -2, Summary: "s", Flags: Admin | NoScript,
					Tips: []string{"nondeterministic_output"}, Syntax: "[ID client-id:integer...]", Run: noop,
				},
				{Name: "id", Since: "5.0.0", Complexity: "O(1)", Arity: 2, Summary: "s", Run: noop},
				{Name: "help", Since: "5.0.0", Complexity: "O(1)", Arity: 2, Summary: "s", Run: HelpCommand},
			},
		},
		&commandSpec,
	}
}

func TestNewTableDerives(t *testing.T) {
	specs := sampleSpecs()
	table := NewTable(specs)
	for i, s := range table.All() {
		require.Equal(t, i, s.ID)
		require.Same(t, s, table.LookupFull([]byte(s.FullName)))
	}
	require.Len(t, table.Commands(), len(specs))

	get := table.Lookup([]byte("get"))
	require.Equal(t, "get", get.FullName)
	require.Equal(t, 1, get.OneKey)
	require.Len(t, get.Arguments(), 1)
	require.Equal(t, []int{1, 1, 1}, []int{get.FirstKey, get.LastKey, get.KeyStep})
	require.True(t, get.Has(ReadOnly|Fast))
	require.False(t, get.Has(MovableKeys))

	for name, oneKey := range map[string]int{"set": 1, "eval": 0, "xread": 0, "sort": 0, "spublish": 0, "ping": 0} {
		require.Equal(t, oneKey, table.Lookup([]byte(name)).OneKey, name)
	}
	require.True(t, table.Lookup([]byte("eval")).Has(MovableKeys))

	client := table.Lookup([]byte("client"))
	list := client.Subcommand([]byte("LIST"))
	require.Equal(t, "client|list", list.FullName)
	require.Same(t, client, list.Container)
	require.Equal(t, GroupConnection, list.Group)
	require.Nil(t, client.Container)

	// The declared specs stay as they are: another table may be made of them.
	require.Empty(t, specs[0].FullName)
	require.Empty(t, specs[8].Subcommands[0].FullName)
	require.NotSame(t, get, NewTable(specs).Lookup([]byte("get")))
}

func TestACLCategories(t *testing.T) {
	table := NewTable(sampleSpecs())
	for name, want := range map[string]Category{
		"get":           CatString | CatRead | CatFast,
		"set":           CatString | CatWrite | CatSlow,
		"eval":          CatScripting | CatSlow,
		"xread":         CatStream | CatRead | CatBlocking | CatSlow,
		"sort":          CatSet | CatSortedSet | CatList | CatDangerous | CatWrite | CatSlow,
		"spublish":      CatPubSub | CatFast,
		"client":        CatSlow,
		"client|list":   CatConnection | CatAdmin | CatDangerous | CatSlow,
		"command|count": CatConnection | CatSlow,
	} {
		require.Equal(t, want, table.LookupFull([]byte(name)).ACLCategories(), name)
	}
	require.Equal(t, CatScripting|CatSlow, categoriesOf(GroupScripting, ReadOnly, 0), "EVAL_RO is not @read")
	for i, name := range CategoryNames() {
		c, ok := CategoryByName([]byte(strings.ToUpper(name)))
		require.True(t, ok)
		require.Equal(t, Category(1)<<i, c)
	}
	_, ok := CategoryByName([]byte("all"))
	require.False(t, ok)
}

func TestNewTableFindsMistakes(t *testing.T) {
	require.NotPanics(t, func() { NewTable(sampleSpecs()) })
	const get, set, sort, client = 0, 1, 5, 8
	for want, spoil := range map[string]func(s []*Spec){
		"get: declared twice":                         func(s []*Spec) { s[set] = s[get] },
		"client|id: declared twice":                   func(s []*Spec) { s[client].Subcommands[0] = s[client].Subcommands[1] },
		"cannot be a container":                       func(s []*Spec) { s[client].Subcommands[0].Subcommands = []*Spec{s[get]} },
		"Get: the name must be":                       func(s []*Spec) { s[get].Name = "Get" },
		"bytes of a-z":                                func(s []*Spec) { s[get].Name = strings.Repeat("x", 25) },
		"no summary":                                  func(s []*Spec) { s[get].Summary = "" },
		"no handler":                                  func(s []*Spec) { s[get].Run = nil },
		"no complexity":                               func(s []*Spec) { s[get].Complexity = "" },
		`unknown group "strings"`:                     func(s []*Spec) { s[get].Group = "strings" },
		`since: "1": not a version`:                   func(s []*Spec) { s[get].Since = "1" },
		"must come together":                          func(s []*Spec) { s[get].ReplacedBy = "x" },
		`deprecated since: "x": not a version`:        func(s []*Spec) { s[get].ReplacedBy, s[get].DeprecatedSince = "x", "x" },
		`history: "7": not a version`:                 func(s []*Spec) { s[get].History = [][2]string{{"7", "x"}} },
		"history: nothing about 7.0.0":                func(s []*Spec) { s[get].History = [][2]string{{"7.0.0", ""}} },
		"both Write and ReadOnly":                     func(s []*Spec) { s[get].Flags |= Write },
		"MovableKeys is computed":                     func(s []*Spec) { s[get].Flags |= MovableKeys },
		"NoCategory beside":                           func(s []*Spec) { s[get].Categories = NoCategory | CatFast },
		"Help and a help subcommand":                  func(s []*Spec) { s[client].Help = nil },
		"does not run on shards":                      func(s []*Spec) { s[get].Scope = ScopeServer },
		"no arity":                                    func(s []*Spec) { s[get].Arity = 0 },
		"arity 3 does not fit the syntax":             func(s []*Spec) { s[get].Arity = 3 },
		"arity 2 does not fit the syntax":             func(s []*Spec) { s[get].Syntax = "key [x]" },
		"set: arity -2 does not fit":                  func(s []*Spec) { s[set].Arity = -2 },
		`name expected before "!"`:                    func(s []*Spec) { s[get].Syntax = "!" },
		"key has no key spec":                         func(s []*Spec) { s[get].Keys = nil },
		"key spec 0: position past the arity":         func(s []*Spec) { s[get].Keys = KeySpecs{At(2).Flags(RO)} },
		"get: key spec 0: position past":              func(s []*Spec) { s[get].Keys = KeySpecs{Range(1, 2, 1).Flags(RO)} },
		"key spec 0: position":                        func(s []*Spec) { s[get].Keys = KeySpecs{At(0).Flags(RO)} },
		"get: key spec 0: position":                   func(s []*Spec) { s[get].Keys = KeySpecs{KeyNum(2, 1, 1).Flags(RO)} },
		"key spec 0: no keyword":                      func(s []*Spec) { s[get].Keys = KeySpecs{Keyword("", 1).Flags(RO)} },
		"key spec 0: step 0":                          func(s []*Spec) { s[get].Keys = KeySpecs{Range(1, 1, 0).Flags(RO)} },
		"a limit goes with -1":                        func(s []*Spec) { s[get].Keys = KeySpecs{At(1).Limit(2).Flags(RO)} },
		"NotKey beside":                               func(s []*Spec) { s[get].Keys = KeySpecs{At(1).Flags(RO | NotKey)} },
		"a read-only command changes a key":           func(s []*Spec) { s[get].Keys = KeySpecs{At(1).Flags(RW)} },
		"one of RO, RW, OW and RM is missing":         func(s []*Spec) { s[get].Keys = KeySpecs{At(1).Flags(Access)} },
		"more than one of RO, RW":                     func(s []*Spec) { s[get].Keys = KeySpecs{At(1).Flags(RO | RW)} },
		"set: key spec 0: needs a KeysFunc":           func(s []*Spec) { s[set].KeysFunc = nil },
		"sort: key spec 1: needs a KeysFunc":          func(s []*Spec) { s[sort].KeysFunc = nil },
		"ping: KeysFunc without key specs":            func(s []*Spec) { s[7].KeysFunc, s[7].Scope = setKeys, ScopeKeys },
		"client|id: arity 3 does not fit the syntax ": func(s []*Spec) { s[client].Subcommands[1].Arity = 3 },
	} {
		specs := sampleSpecs()
		spoil(specs)
		func() {
			defer func() {
				msg, _ := recover().(string)
				require.Contains(t, msg, want)
			}()
			NewTable(specs)
		}()
	}
}

func TestResolve(t *testing.T) {
	table := NewTable(sampleSpecs())
	long := strings.Repeat("x", 200)
	for name, c := range map[string]struct {
		args []string
		spec string
		text string
	}{
		"command":             {[]string{"GeT", "k"}, "get", ""},
		"subcommand":          {[]string{"CLIENT", "List"}, "client|list", ""},
		"container that runs": {[]string{"command"}, "command", ""},
		"optional words":      {[]string{"set", "k", "v", "get"}, "set", ""},
		"too few":             {[]string{"SET", "k"}, "set", "ERR wrong number of arguments for 'set' command"},
		"too many":            {[]string{"get", "a", "b"}, "get", "ERR wrong number of arguments for 'get' command"},
		"container alone":     {[]string{"client"}, "client", "ERR wrong number of arguments for 'client' command"},
		"too many after subcommand": {
			[]string{"client", "ID", "x"}, "client|id", "ERR wrong number of arguments for 'client|id' command",
		},
		"unknown subcommand":      {[]string{"Client", "Nosuch", "x"}, "", "ERR unknown subcommand 'Nosuch'. Try CLIENT HELP."},
		"full name as subcommand": {[]string{"client", "list|x"}, "", "ERR unknown subcommand 'list|x'. Try CLIENT HELP."},
		"line break":              {[]string{"client", "a\r\nb\x00c"}, "", "ERR unknown subcommand 'a  b'. Try CLIENT HELP."},
		"long subcommand":         {[]string{"client", long}, "", "ERR unknown subcommand '" + long[:128] + "'. Try CLIENT HELP."},
		"unknown":                 {[]string{"foo"}, "", "ERR unknown command 'foo', with args beginning with: "},
		"empty":                   {[]string{""}, "", "ERR unknown command '', with args beginning with: "},
		"full name as command":    {[]string{"client|list"}, "", "ERR unknown command 'client|list', with args beginning with: "},
		"unknown with arguments": {
			[]string{"FOO\r\nx", "a\x00b", "", "c\n"}, "",
			"ERR unknown command 'FOO  x', with args beginning with: 'a' '' 'c ' ",
		},
		"long command": {[]string{long, "a"}, "", "ERR unknown command '" + long[:128] + "', with args beginning with: 'a' "},
		"long arguments": {
			[]string{"f", long[:100], long, "c"}, "",
			"ERR unknown command 'f', with args beginning with: '" + long[:100] + "' '" + long[:25] + "' ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			args := make([][]byte, len(c.args))
			for i, a := range c.args {
				args[i] = []byte(a)
			}
			spec, text := table.Resolve(args)
			require.Equal(t, c.text, text)
			if c.spec == "" {
				require.Nil(t, spec)
			} else {
				require.Equal(t, c.spec, spec.FullName)
			}
		})
	}
}

func TestLookupFull(t *testing.T) {
	table := NewTable(sampleSpecs())
	for _, name := range []string{"", "|", "get|", "get|x", "client|", "client|nosuch", "client|list|x", "client|list|", "|list", "list"} {
		require.Nil(t, table.LookupFull([]byte(name)), name)
	}
	require.Equal(t, "client|list", table.LookupFull([]byte("CLIENT|LIST")).FullName)
}

// TestNameTable compares the table with a map, for random names in an alphabet that makes folding with 0x20 go wrong
// where it can: '_' and DEL, '@' and '`', digits and control characters differ in that bit only.
func TestNameTable(t *testing.T) {
	const alphabet = "abzABZ_\x7f-\r09\x10\x19@`[{"
	rnd := rand.New(rand.NewPCG(1, 2))
	name := func(letters string) string {
		b := make([]byte, rnd.IntN(maxNameBytes+2))
		for i := range b {
			b[i] = letters[rnd.IntN(len(letters))]
		}
		return string(b)
	}
	model := map[string]*Spec{}
	var specs []*Spec
	for len(specs) < 300 {
		s := &Spec{Name: name("abz_-09")}
		if s.Name != "" && len(s.Name) <= maxNameBytes && model[s.Name] == nil {
			model[s.Name] = s
			specs = append(specs, s)
		}
	}
	table := makeNameTable(specs)
	for range 100_000 {
		n := name(alphabet)
		if rnd.IntN(2) == 0 {
			b := []byte(specs[rnd.IntN(len(specs))].Name)
			b[rnd.IntN(len(b))] ^= 0x20
			n = string(b)
		}
		require.Same(t, model[strings.ToLower(n)], table.lookup([]byte(n)), "%q", n)
	}
	empty := makeNameTable(nil)
	require.Nil(t, empty.lookup([]byte("get")))
}

func TestResolveDoesNotAllocate(t *testing.T) {
	table := NewTable(sampleSpecs())
	get, list := argv("GET k"), argv("CLIENT LIST")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		table.Resolve(get)
		table.Resolve(list)
	}))
}

func BenchmarkLookup(b *testing.B) {
	table := NewTable(sampleSpecs())
	name := []byte("GET")
	for b.Loop() {
		table.Lookup(name)
	}
}

func BenchmarkLookupInMap(b *testing.B) {
	byName := map[string]*Spec{}
	for _, s := range sampleSpecs() {
		byName[s.Name] = s
	}
	name, found := []byte("GET"), 0
	for b.Loop() {
		var buf [32]byte
		for i, c := range name {
			buf[i] = lower(c)
		}
		if byName[string(buf[:len(name)])] != nil {
			found++
		}
	}
	require.Positive(b, found)
}
