package command

import "github.com/troupe-db/troupe/datatypes/glob"

// COMMAND tells clients about the commands of the server. Its replies are made from the table alone.
var commandSpec = Spec{
	Name: "command", Group: GroupServer, Since: "2.8.13", Complexity: "O(N) for N commands", Arity: -1,
	Summary:    "Describes every command of the server.",
	Flags:      Loading | Stale | Sentinel,
	Categories: CatConnection,
	Tips:       []string{"nondeterministic_output_order"},
	Scope:      ScopeLocal,
	Run:        commandCommand,
	Help: []string{
		"(no subcommand)",
		"    Describe every command of this server.",
		"COUNT",
		"    Return how many commands this server has.",
		"LIST [FILTERBY (MODULE <name> | ACLCAT <category> | PATTERN <pattern>)]",
		"    Return the names of the commands, or of those that the filter lets through.",
		"INFO [<command-name> ...]",
		"    Describe the named commands; without a name, every command.",
		"DOCS [<command-name> ...]",
		"    Return the documentation of the named commands; without a name, of every command.",
		"GETKEYS <full-command>",
		"    Return the keys in a full command.",
		"GETKEYSANDFLAGS <full-command>",
		"    Return the keys in a full command with what it does to them.",
	},
	Subcommands: []*Spec{
		{
			Name: "count", Since: "2.8.13", Complexity: "O(1)", Arity: 2,
			Summary:    "Counts the commands of the server.",
			Flags:      Loading | Stale | Sentinel,
			Categories: CatConnection,
			Scope:      ScopeLocal,
			Run:        func(c *Ctx) { c.Reply.Int(int64(len(c.Table().Commands()))) },
		},
		{
			Name: "docs", Since: "7.0.0", Complexity: "O(N) for N commands to document", Arity: -2,
			Summary:    "Returns the documentation of commands.",
			Flags:      Loading | Stale | Sentinel,
			Categories: CatConnection,
			Syntax:     "[command-name...]",
			Tips:       []string{"nondeterministic_output_order"},
			Scope:      ScopeLocal,
			Run:        commandDocsCommand,
		},
		{
			Name: "getkeys", Since: "2.8.13", Complexity: "O(N) for a command of N words", Arity: -3,
			Summary:    "Extracts the keys from a command.",
			Flags:      Loading | Stale | Sentinel,
			Categories: CatConnection,
			Syntax:     "command [arg...]",
			Scope:      ScopeLocal,
			Run:        func(c *Ctx) { writeKeys(c, false) },
		},
		{
			Name: "getkeysandflags", Since: "7.0.0", Complexity: "O(N) for a command of N words", Arity: -3,
			Summary:    "Extracts the keys from a command and tells what it does to each.",
			Flags:      Loading | Stale | Sentinel,
			Categories: CatConnection,
			Syntax:     "command [arg...]",
			Scope:      ScopeLocal,
			Run:        func(c *Ctx) { writeKeys(c, true) },
		},
		{
			Name: "help", Since: "5.0.0", Complexity: "O(1)", Arity: 2,
			Summary:    "Explains the subcommands.",
			Flags:      Loading | Stale | Sentinel,
			Categories: CatConnection,
			Scope:      ScopeLocal,
			Run:        HelpCommand,
		},
		{
			Name: "info", Since: "2.8.13", Complexity: "O(N) for N commands to describe", Arity: -2,
			Summary:    "Describes commands: arity, flags, categories and keys.",
			Flags:      Loading | Stale | Sentinel,
			Categories: CatConnection,
			History:    [][2]string{{"7.0.0", "May be called without a command name to describe every command."}},
			Syntax:     "[command-name...]",
			Tips:       []string{"nondeterministic_output_order"},
			Scope:      ScopeLocal,
			Run:        commandInfoCommand,
		},
		{
			Name: "list", Since: "7.0.0", Complexity: "O(N) for N commands of the server", Arity: -2,
			Summary:    "Lists the names of the commands.",
			Flags:      Loading | Stale | Sentinel,
			Categories: CatConnection,
			Syntax:     "[FILTERBY filterby:<MODULE module-name|ACLCAT category|PATTERN pattern:pattern>]",
			Tips:       []string{"nondeterministic_output_order"},
			Scope:      ScopeLocal,
			Run:        commandListCommand,
		},
	},
}

func commandCommand(c *Ctx) {
	specs := c.Table().Commands()
	c.Reply.Array(len(specs))
	for _, s := range specs {
		s.writeInfo(c.Reply)
	}
}

func commandInfoCommand(c *Ctx) {
	names := c.Args[2:]
	if len(names) == 0 {
		commandCommand(c)
		return
	}
	c.Reply.Array(len(names))
	for _, name := range names {
		if s := c.Table().LookupFull(name); s != nil {
			s.writeInfo(c.Reply)
		} else {
			c.Reply.Null()
		}
	}
}

// commandDocsCommand leaves out names that do not exist, as Redis does.
func commandDocsCommand(c *Ctx) {
	names := c.Args[2:]
	if len(names) == 0 {
		specs := c.Table().Commands()
		c.Reply.Map(len(specs))
		for _, s := range specs {
			c.Reply.BulkString(s.FullName)
			s.writeDocs(c.Reply)
		}
		return
	}
	mark, n := c.Reply.StartDeferred(), 0
	for _, name := range names {
		if s := c.Table().LookupFull(name); s != nil {
			c.Reply.BulkString(s.FullName)
			s.writeDocs(c.Reply)
			n++
		}
	}
	c.Reply.EndDeferredMap(mark, n)
}

// writeKeys replies to GETKEYS and GETKEYSANDFLAGS.
func writeKeys(c *Ctx, withFlags bool) {
	args := c.Args[2:]
	s := c.Table().Find(args)
	switch {
	case s == nil:
		c.Reply.Error("ERR Invalid command specified")
		return
	case !s.HasKeys():
		c.Reply.Error("ERR The command has no key arguments")
		return
	case !s.ArityOK(len(args)):
		c.Reply.Error("ERR Invalid number of arguments specified for command")
		return
	}
	var room [16]KeyRef
	keys := s.AppendKeys(room[:0], args)
	if len(keys) == 0 && !s.Has(NoMandatoryKeys) {
		c.Reply.Error("ERR Invalid arguments specified for command")
		return
	}
	c.Reply.Array(len(keys))
	for _, k := range keys {
		if withFlags {
			c.Reply.Array(2)
		}
		c.Reply.Bulk(args[k.Index])
		if withFlags {
			writeKeyFlags(c.Reply, k.Flags)
		}
	}
}

func commandListCommand(c *Ctx) {
	pass := func(*Spec) bool { return true }
	if opts := c.Args[2:]; len(opts) > 0 {
		if len(opts) != 3 || !equalFold(opts[0], "filterby") {
			c.Reply.Error(MsgSyntax)
			return
		}
		switch value := opts[2]; {
		case equalFold(opts[1], "module"):
			pass = func(*Spec) bool { return false } // no command comes from a module
		case equalFold(opts[1], "aclcat"):
			cat, _ := CategoryByName(value) // an unknown category has no commands
			pass = func(s *Spec) bool { return s.acl&cat != 0 }
		case equalFold(opts[1], "pattern"):
			pass = func(s *Spec) bool { return glob.Match(value, []byte(s.FullName), true) }
		default:
			c.Reply.Error(MsgSyntax)
			return
		}
	}
	mark, n := c.Reply.StartDeferred(), 0
	for _, s := range c.Table().All() {
		if pass(s) {
			c.Reply.BulkString(s.FullName)
			n++
		}
	}
	c.Reply.EndDeferredArray(mark, n)
}
