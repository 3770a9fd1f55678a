package plan

import (
	"github.com/yuin/gopher-lua/ast"

	"github.com/troupe-db/troupe/datatypes/command"
)

// Plan tells what a script may need. The zero Plan, all shards and a goroutine of its own, is right for every script.
type Plan struct {
	// Proven: every key that the script passes to redis.call or redis.pcall is an element of KEYS, and no command needs
	// all shards. The shards of the declared keys are enough.
	Proven bool
	// NoCommands: the script calls no command at all. It is Proven too.
	NoCommands bool
	// Bounded: the script runs for at most some 100 µs whatever its arguments and the data, large strings aside. It may
	// run on an event loop.
	Bounded bool
}

// maxDepth is how deep a script's syntax may be nested to be analyzed at all. It bounds the recursion of this package.
const maxDepth = 200

// maxRounds bounds how often the facts about variables are gone through. Each round follows values through all
// variables in the order of their declaration, so more than a few rounds need a script made for that.
const maxRounds = 50

// Analyze reads a script as the parser of gopher-lua returned it, before or after its compilation. table holds the
// commands that it may call. The arguments are not changed.
func Analyze(chunk []ast.Stmt, table *command.Table) Plan {
	r := resolve(chunk)
	if r.foul {
		return Plan{}
	}
	f := r.settle()
	if f == nil || f.commandsEscape() {
		return Plan{}
	}
	a := &analysis{facts: f, table: table}
	p := Plan{Proven: !f.keysEscape()}
	calls := 0
	for _, c := range r.calls {
		if !f.isCommandCall(c) {
			continue
		}
		calls++
		if p.Proven && !a.callProven(c.args) {
			p.Proven = false
		}
	}
	if calls == 0 {
		p.Proven, p.NoCommands = true, true
	}
	p.Bounded = a.bounded(chunk)
	return p
}

// analysis is what the passes after resolve share.
type analysis struct {
	*facts
	table *command.Table
}
