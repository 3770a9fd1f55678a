package scripting

import (
	"strings"

	"github.com/troupe-db/troupe/datatypes/command"
)

// SCRIPT looks after the scripts that the server knows.
func (e *Engine) scriptSpec() *command.Spec {
	return &command.Spec{
		Name: "script", Group: command.GroupScripting, Since: "2.6.0", Arity: -2,
		Categories: command.NoCategory,
		Summary:    "Groups the commands about Lua scripts.",
		Help: []string{
			"DEBUG (YES|SYNC|NO)",
			"    Turn the debugger for the scripts that follow on or off. There is none, so only NO works.",
			"EXISTS <sha1> [<sha1> ...]",
			"    Tell which of these scripts the server knows.",
			"FLUSH [ASYNC|SYNC]",
			"    Forget all scripts. With either option they are gone at once.",
			"KILL",
			"    End the script that runs, if it has not written yet.",
			"LOAD <script>",
			"    Make a script known without running it.",
		},
		Subcommands: []*command.Spec{
			{
				Name: "debug", Since: "3.2.0", Arity: 3, Flags: command.NoScript, Scope: command.ScopeLocal,
				Summary: "Turns the debugger of scripts on or off.", Complexity: "O(1)", Syntax: "mode:<YES|SYNC|NO>",
				Run: scriptDebugCommand,
			},
			{
				Name: "exists", Since: "2.6.0", Arity: -3, Flags: command.NoScript, Scope: command.ScopeLocal,
				Summary: "Tells which scripts the server knows.", Complexity: "O(N) where N is the number of scripts asked about",
				Syntax: "sha1...", Tips: []string{"request_policy:all_shards", "response_policy:agg_logical_and"},
				Run: e.scriptExistsCommand,
			},
			{
				Name: "flush", Since: "2.6.0", Arity: -2, Flags: command.NoScript, Scope: command.ScopeLocal,
				Summary: "Forgets all scripts.", Complexity: "O(N) where N is the number of scripts",
				History: [][2]string{{"6.2.0", "Takes `ASYNC` and `SYNC`."}},
				Syntax:  "[flush-type:<ASYNC|SYNC>@6.2.0]", Tips: []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
				Run: e.scriptFlushCommand,
			},
			{
				Name: "help", Since: "5.0.0", Arity: 2, Flags: command.Loading | command.Stale, Scope: command.ScopeLocal,
				Summary: "Lists the subcommands of SCRIPT.", Complexity: "O(1)", Run: command.HelpCommand,
			},
			{
				Name: "kill", Since: "2.6.0", Arity: 2, Flags: command.NoScript | command.AllowBusy, Scope: command.ScopeServer,
				Summary: "Ends the script that runs.", Complexity: "O(1)",
				Tips: []string{"request_policy:all_shards", "response_policy:one_succeeded"},
				Run:  func(c *command.Ctx) { e.killCommand(c, false) },
			},
			{
				Name: "load", Since: "2.6.0", Arity: 3, Flags: command.NoScript | command.Stale, Scope: command.ScopeLocal,
				Summary: "Makes a script known to the server.", Complexity: "O(N) where N is the length of the script",
				Syntax: "script", Tips: []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
				Run: e.scriptLoadCommand,
			},
		},
	}
}

func scriptDebugCommand(c *command.Ctx) {
	switch strings.ToUpper(string(c.Args[2])) {
	case "NO":
		c.Reply.OK()
	case "YES", "SYNC":
		c.Reply.Error("ERR the script debugger is not supported")
	default:
		c.Reply.Error("ERR Use SCRIPT DEBUG YES/SYNC/NO")
	}
}

func (e *Engine) scriptExistsCommand(c *command.Ctx) {
	c.Reply.Array(len(c.Args) - 2)
	for _, sha := range c.Args[2:] {
		n := int64(0)
		if e.scripts.exists(sha) {
			n = 1
		}
		c.Reply.Int(n)
	}
}

// flushType checks the option of a flush, which makes no difference: memory is Go's to free.
func flushType(c *command.Ctx) bool {
	return len(c.Args) == 2 || len(c.Args) == 3 && (strings.EqualFold(string(c.Args[2]), "sync") || strings.EqualFold(string(c.Args[2]), "async"))
}

func (e *Engine) scriptFlushCommand(c *command.Ctx) {
	if !flushType(c) {
		c.Reply.Error("ERR SCRIPT FLUSH only support SYNC|ASYNC option")
		return
	}
	e.scripts.flush()
	c.Reply.OK()
}

func (e *Engine) scriptLoadCommand(c *command.Ctx) {
	s, err := e.loadScript(c.Args[2], true)
	if err != "" {
		c.Reply.Error(err)
		return
	}
	c.Reply.BulkString(s.sha)
}

func (e *Engine) killCommand(c *command.Ctx, function bool) {
	if err := e.Kill(function, 0); err != "" {
		c.Reply.Error(err)
		return
	}
	c.Reply.OK()
}
