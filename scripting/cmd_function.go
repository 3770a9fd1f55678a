package scripting

import (
	"strings"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/datatypes/glob"
)

// FUNCTION looks after libraries of functions.
func (e *Engine) functionSpec() *command.Spec {
	change := command.NoScript | command.Write
	all := []string{"request_policy:all_shards", "response_policy:all_succeeded"}
	return &command.Spec{
		Name: "function", Group: command.GroupScripting, Since: "7.0.0", Arity: -2,
		Categories: command.NoCategory,
		Summary:    "Groups the commands about functions.",
		Help: []string{
			"LOAD [REPLACE] <FUNCTION CODE>",
			"    Add a library, or put it in the place of the one with its name.",
			"DELETE <LIBRARY NAME>",
			"    Remove a library.",
			"LIST [LIBRARYNAME PATTERN] [WITHCODE]",
			"    Describe the libraries, or those whose name matches the pattern: name, engine, functions and, if asked for, code.",
			"STATS",
			"    Tell which function runs, with its command and for how many milliseconds it has run, and how many libraries there are.",
			"KILL",
			"    End the function that runs, if it has not written yet.",
			"FLUSH [ASYNC|SYNC]",
			"    Remove all libraries. With either option they are gone at once.",
			"DUMP",
			"    Return all libraries in a form that FUNCTION RESTORE takes.",
			"RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
			"    Add the libraries of a dump. When there is one with the same name already:",
			"    * FLUSH: all libraries were removed before.",
			"    * APPEND: it is an error and nothing is added (the default).",
			"    * REPLACE: the new one takes its place.",
		},
		Subcommands: []*command.Spec{
			{
				Name: "delete", Since: "7.0.0", Arity: 3, Flags: change, Scope: command.ScopeServer,
				Summary: "Removes a library.", Complexity: "O(1)", Syntax: "library-name", Tips: all, Run: e.functionDeleteCommand,
			},
			{
				Name: "dump", Since: "7.0.0", Arity: 2, Flags: command.NoScript, Scope: command.ScopeServer,
				Summary: "Returns all libraries in binary form.", Complexity: "O(N) where N is the number of functions", Run: e.functionDumpCommand,
			},
			{
				Name: "flush", Since: "7.0.0", Arity: -2, Flags: change, Scope: command.ScopeServer,
				Summary: "Removes all libraries.", Complexity: "O(N) where N is the number of functions",
				Syntax: "[flush-type:<ASYNC|SYNC>]", Tips: all, Run: e.functionFlushCommand,
			},
			{
				Name: "help", Since: "7.0.0", Arity: 2, Flags: command.Loading | command.Stale, Scope: command.ScopeLocal,
				Summary: "Lists the subcommands of FUNCTION.", Complexity: "O(1)", Run: command.HelpCommand,
			},
			{
				Name: "kill", Since: "7.0.0", Arity: 2, Flags: command.NoScript | command.AllowBusy, Scope: command.ScopeServer,
				Summary: "Ends the function that runs.", Complexity: "O(1)",
				Tips: []string{"request_policy:all_shards", "response_policy:one_succeeded"},
				Run:  func(c *command.Ctx) { e.killCommand(c, true) },
			},
			{
				Name: "list", Since: "7.0.0", Arity: -2, Flags: command.NoScript, Scope: command.ScopeServer,
				Summary: "Describes the libraries.", Complexity: "O(N) where N is the number of functions",
				Syntax: "[LIBRARYNAME library-name-pattern] [WITHCODE]", Tips: []string{"nondeterministic_output_order"},
				Run: e.functionListCommand,
			},
			{
				Name: "load", Since: "7.0.0", Arity: -3, Flags: change | command.DenyOOM, Scope: command.ScopeServer,
				Summary: "Adds a library.", Complexity: "O(1) (considering compilation time is redundant)",
				Syntax: "[REPLACE] function-code", Tips: all, Run: e.functionLoadCommand,
			},
			{
				Name: "restore", Since: "7.0.0", Arity: -3, Flags: change | command.DenyOOM, Scope: command.ScopeServer,
				Summary: "Adds the libraries of a dump.", Complexity: "O(N) where N is the number of functions in the dump",
				Syntax: "serialized-value [policy:<FLUSH|APPEND|REPLACE>]", Tips: all, Run: e.functionRestoreCommand,
			},
			{
				Name: "stats", Since: "7.0.0", Arity: 2, Flags: command.NoScript | command.AllowBusy, Scope: command.ScopeServer,
				Summary: "Tells which function runs, and how many libraries there are.", Complexity: "O(1)",
				Tips: []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"},
				Run:  e.functionStatsCommand,
			},
		},
	}
}

// changeLibraries lets change edit a copy of the libraries, which takes effect unless change returns an error.
func (e *Engine) changeLibraries(change func(*librarySet) string) (err string) {
	e.loading.Lock()
	defer e.loading.Unlock()
	set := e.libraries.Load().clone()
	if err = change(set); err == "" {
		e.libraries.Store(set)
		e.forgetHomes(set)
	}
	return err
}

// forgetHomes drops the states of libraries that are gone.
func (e *Engine) forgetHomes(set *librarySet) {
	homes := map[*state]bool{}
	for _, lib := range set.libraries {
		if lib.home != nil {
			homes[lib.home] = true
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for st := range e.homes {
		if !homes[st] && st.active.Load() == nil {
			delete(e.homes, st)
		}
	}
	for st := range homes {
		e.homes[st] = true
	}
}

// add adds a library that is loaded; with replace in the place of the one with its name.
func (s *librarySet) add(lib *library, replace bool) (err string) {
	if s.libraries[lib.name] != nil {
		if !replace {
			return "ERR Library '" + lib.name + "' already exists"
		}
		s.remove(lib.name)
	}
	for _, f := range lib.functions {
		if s.functions[strings.ToLower(f.name)] != nil {
			return "ERR Function " + f.name + " already exists"
		}
	}
	s.put(lib)
	return ""
}

func (e *Engine) functionLoadCommand(c *command.Ctx) {
	replace := false
	last := len(c.Args) - 1
	for _, option := range c.Args[2:last] {
		if !strings.EqualFold(string(option), "replace") {
			c.Reply.Error("ERR Unknown option given: " + string(option))
			return
		}
		replace = true
	}
	if last < 2 {
		c.Reply.Error("ERR Function code is missing")
		return
	}
	name, err := e.loadLibrary(string(c.Args[last]), replace)
	if err != "" {
		c.Reply.Error(err)
		return
	}
	c.Dirty(1)
	c.Reply.BulkString(name)
}

// loadLibrary adds a library to the server.
func (e *Engine) loadLibrary(code string, replace bool) (name, err string) {
	name, _, err = parseLibrary(code)
	if err != "" {
		return "", err
	}
	if !replace && e.libraries.Load().libraries[name] != nil {
		return "", "ERR Library '" + name + "' already exists"
	}
	lib, err := e.newLibrary(code, loadLimitUs)
	if err != "" {
		return "", err
	}
	return name, e.changeLibraries(func(s *librarySet) string { return s.add(lib, replace) })
}

func (e *Engine) functionDeleteCommand(c *command.Ctx) {
	name := string(c.Args[2])
	err := e.changeLibraries(func(s *librarySet) string {
		if s.libraries[name] == nil {
			return "ERR Library not found"
		}
		s.remove(name)
		return ""
	})
	if err != "" {
		c.Reply.Error(err)
		return
	}
	c.Dirty(1)
	c.Reply.OK()
}

func (e *Engine) functionFlushCommand(c *command.Ctx) {
	switch {
	case len(c.Args) > 3:
		wrongSubcommand(c)
		return
	case !flushType(c):
		c.Reply.Error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
		return
	}
	e.changeLibraries(func(s *librarySet) string {
		*s = *newLibrarySet()
		return ""
	})
	c.Dirty(1)
	c.Reply.OK()
}

// wrongSubcommand replies what Redis says of a subcommand with too many words.
func wrongSubcommand(c *command.Ctx) {
	sub := string(c.Args[1][:min(len(c.Args[1]), 128)])
	c.Reply.Error("ERR unknown subcommand or wrong number of arguments for '" + sub + "'. Try " + strings.ToUpper(c.Spec.Container.Name) + " HELP.")
}

func (e *Engine) functionListCommand(c *command.Ctx) {
	var pattern []byte
	withCode := false
	for i := 2; i < len(c.Args); i++ {
		switch word := string(c.Args[i]); {
		case !withCode && strings.EqualFold(word, "withcode"):
			withCode = true
		case pattern == nil && strings.EqualFold(word, "libraryname"):
			i++
			if i == len(c.Args) {
				c.Reply.Error("ERR library name argument was not given")
				return
			}
			pattern = c.Args[i]
		default:
			c.Reply.Error("ERR Unknown argument " + word)
			return
		}
	}
	var libs []*library
	for _, lib := range e.libraries.Load().sorted() {
		if pattern == nil || glob.Match(pattern, []byte(lib.name), true) {
			libs = append(libs, lib)
		}
	}
	c.Reply.Array(len(libs))
	for _, lib := range libs {
		fields := 3
		if withCode {
			fields++
		}
		c.Reply.Map(fields)
		c.Reply.BulkString("library_name")
		c.Reply.BulkString(lib.name)
		c.Reply.BulkString("engine")
		c.Reply.BulkString("LUA")
		c.Reply.BulkString("functions")
		c.Reply.Array(len(lib.functions))
		for _, f := range lib.functions {
			f.describe(c)
		}
		if withCode {
			c.Reply.BulkString("library_code")
			c.Reply.BulkString(lib.code)
		}
	}
}

func (f *function) describe(c *command.Ctx) {
	c.Reply.Map(3)
	c.Reply.BulkString("name")
	c.Reply.BulkString(f.name)
	c.Reply.BulkString("description")
	if f.described {
		c.Reply.BulkString(f.description)
	} else {
		c.Reply.Null()
	}
	c.Reply.BulkString("flags")
	n := 0
	for _, flag := range scriptFlags {
		if f.flags&flag.flag != 0 {
			n++
		}
	}
	c.Reply.Set(n)
	for _, flag := range scriptFlags {
		if f.flags&flag.flag != 0 {
			c.Reply.Simple(flag.name)
		}
	}
}

func (e *Engine) functionStatsCommand(c *command.Ctx) {
	c.Reply.Map(2)
	c.Reply.BulkString("running_script")
	e.writeRunning(c)
	c.Reply.BulkString("engines")
	set := e.libraries.Load()
	c.Reply.Map(1)
	c.Reply.BulkString("LUA")
	c.Reply.Map(2)
	c.Reply.BulkString("libraries_count")
	c.Reply.Int(int64(len(set.libraries)))
	c.Reply.BulkString("functions_count")
	c.Reply.Int(int64(len(set.functions)))
}

// writeRunning describes the function that has run longest.
func (e *Engine) writeRunning(c *command.Ctx) {
	var longest *Run
	for _, r := range e.Running() {
		if r.Function && (longest == nil || r.StartUs < longest.StartUs) {
			longest = r
		}
	}
	if longest == nil {
		c.Reply.Null()
		return
	}
	words := longest.Command()
	c.Reply.Map(3)
	c.Reply.BulkString("name")
	c.Reply.BulkString(longest.Name)
	c.Reply.BulkString("command")
	c.Reply.Array(len(words))
	for _, w := range words {
		c.Reply.Bulk(w)
	}
	c.Reply.BulkString("duration_ms")
	c.Reply.Int(longest.ms(e.nowUs()))
}
