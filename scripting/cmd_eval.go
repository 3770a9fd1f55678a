package scripting

import (
	"github.com/troupe-db/troupe/datatypes/command"
)

// Specs returns the commands of this package. They run with e; a script needs a Client for its Ctx.
func (e *Engine) Specs() []*command.Spec {
	return []*command.Spec{
		e.evalSpec("eval", "script", "2.6.0", false),
		e.evalSpec("eval_ro", "script", "7.0.0", true),
		e.evalSpec("evalsha", "sha1", "2.6.0", false),
		e.evalSpec("evalsha_ro", "sha1", "7.0.0", true),
		e.fcallSpec("fcall", false),
		e.fcallSpec("fcall_ro", true),
		e.scriptSpec(),
		e.functionSpec(),
	}
}

// EVAL runs a script; EVALSHA one that is known already, by its SHA1; the forms in _RO only such as do not write. A script may touch any key, and
// which shards are needed is known only once Prepare has found it.
func (e *Engine) evalSpec(name, what, since string, readOnly bool) *command.Spec {
	summary := "Runs a Lua script."
	if what == "sha1" {
		summary = "Runs a Lua script that the server knows, by its SHA1."
	}
	s := &command.Spec{
		Name: name, Group: command.GroupScripting, Since: since, Arity: -3,
		Summary:    summary,
		Complexity: "That of the script",
		Syntax:     what + " numkeys:integer [key...] [arg...]",
		Scope:      command.ScopeLater,
		Heavy:      e.heavy,
		Run:        e.runPrepared,
	}
	runs(s, readOnly)
	if what == "sha1" {
		s.Keys[0] = s.Keys[0].Note("")
	}
	return s
}

// runs sets what all commands have in common that run a script or function.
func runs(s *command.Spec, readOnly bool) {
	s.Flags = command.NoScript | command.Stale | command.SkipMonitor | command.NoMandatoryKeys | command.MayReplicate |
		command.Composite
	key := command.KeyNum(2, 1, 1)
	if readOnly {
		s.Summary += " Writes are refused."
		s.Flags = s.Flags&^command.MayReplicate | command.ReadOnly
		s.Keys = command.KeySpecs{key.Flags(command.RO | command.Access).Note("What a script does with a key is not known; at most it reads it")}
		return
	}
	s.Keys = command.KeySpecs{
		key.Flags(command.RW | command.Access | command.Update).Note("What a script does with a key is not known; at worst it reads and changes it"),
	}
}

// heavy tells whether the script at hand may run for longer than an event loop can spare.
func (e *Engine) heavy(c *command.Ctx) bool {
	client, ok := c.Client.(Client)
	if !ok {
		return false
	}
	call := client.Prepared(c)
	return call == nil || call.Err == "" && !call.Plan.Bounded
}

// runPrepared runs what the session prepared, or prepares it itself.
func (e *Engine) runPrepared(c *command.Ctx) {
	var call *Call
	if client, ok := c.Client.(Client); ok {
		call = client.Prepared(c)
	}
	if call == nil {
		call = e.Prepare(c.Spec, c.Args)
	}
	if call.Err != "" {
		c.Reply.Error(call.Err)
		return
	}
	e.run(c, call)
}

// FCALL runs a function of a library.
func (e *Engine) fcallSpec(name string, readOnly bool) *command.Spec {
	s := &command.Spec{
		Name: name, Group: command.GroupScripting, Since: "7.0.0", Arity: -3,
		Summary:    "Runs a function.",
		Complexity: "That of the function",
		Syntax:     "function numkeys:integer [key...] [arg...]",
		Scope:      command.ScopeLater,
		Heavy:      e.heavy,
		Run:        e.runPrepared,
	}
	runs(s, readOnly)
	return s
}
