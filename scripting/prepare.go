package scripting

import (
	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/netio/resp"
	"github.com/troupe-db/troupe/scripting/plan"
)

// Call is what a command is about to run. It is immutable.
type Call struct {
	// Err is the error that answers the command; the rest is then empty.
	Err string
	// FirstKey is the position of the first key among the words of the command, NumKeys their number; what follows them are the arguments.
	FirstKey, NumKeys int
	// Plan is what is known about the script beforehand.
	Plan plan.Plan
	// Flags are what the script or function says about itself.
	Flags ScriptFlags
	// ReadOnly forbids writes.
	ReadOnly bool

	script   *script
	function *function
	name     string
}

const firstKey = 3 // EVAL script numkeys key …

// Prepare finds the script or function that a command is about to run, before it is known which shards it needs. It compiles and keeps the text of an EVAL. It
// runs no Lua. args are the words of a command whose spec is one of Specs; for a spec that runs nothing the result is nil.
func (e *Engine) Prepare(spec *command.Spec, args [][]byte) *Call {
	switch spec.Name {
	case "eval", "eval_ro":
		return e.prepareEval(args, spec.Has(command.ReadOnly), false)
	case "evalsha", "evalsha_ro":
		return e.prepareEval(args, spec.Has(command.ReadOnly), true)
	case "fcall", "fcall_ro":
		return e.prepareFunction(args, spec.Has(command.ReadOnly))
	}
	return nil
}

const (
	msgNoScript = "NOSCRIPT No matching script. Please use EVAL."
	msgWriteRO  = "ERR Can not execute a script with write flag using *_ro command."
)

// countKeys reads the number of keys.
func countKeys(args [][]byte, notInt string) (n int, err string) {
	number, ok := resp.ParseInt(args[firstKey-1])
	switch {
	case !ok:
		return 0, notInt
	case number > int64(len(args)-firstKey):
		return 0, "ERR Number of keys can't be greater than number of args"
	case number < 0:
		return 0, "ERR Number of keys can't be negative"
	}
	return int(number), ""
}

func (e *Engine) prepareEval(args [][]byte, readOnly, bySHA bool) *Call {
	if bySHA && len(args[1]) != 40 {
		return &Call{Err: msgNoScript}
	}
	n, err := countKeys(args, command.MsgNotInt)
	if err != "" {
		return &Call{Err: err}
	}
	var s *script
	if bySHA {
		if s = e.scripts.find(args[1]); s == nil {
			return &Call{Err: msgNoScript}
		}
	} else if s, err = e.loadScript(args[1], false); err != "" {
		return &Call{Err: err}
	}
	if readOnly && s.flags&(Compat|NoWrites) == 0 {
		return &Call{Err: msgWriteRO}
	}
	return &Call{
		FirstKey: firstKey, NumKeys: n, Flags: s.flags, ReadOnly: readOnly || s.flags&NoWrites != 0, Plan: s.unit.plan, script: s, name: s.sha,
	}
}

func (e *Engine) prepareFunction(args [][]byte, readOnly bool) *Call {
	f := e.libraries.Load().find(args[1])
	if f == nil {
		return &Call{Err: "ERR Function not found"}
	}
	n, err := countKeys(args, "ERR Bad number of keys provided")
	if err != "" {
		return &Call{Err: err}
	}
	if readOnly && f.flags&NoWrites == 0 {
		return &Call{Err: msgWriteRO}
	}
	return &Call{
		FirstKey: firstKey, NumKeys: n, Flags: f.flags, ReadOnly: readOnly || f.flags&NoWrites != 0, Plan: f.plan, function: f, name: f.name,
	}
}
