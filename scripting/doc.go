// Package scripting runs Lua 5.1 for EVAL, functions and their kin, as Redis 7.4 does.
//
// An Engine belongs to a server. It knows the scripts (by SHA1) and the libraries of functions, and has a pool of Lua states; each run takes one, so that
// scripts run on as many goroutines as call them. The package has no goroutine of its own, opens no socket and touches no key: what a script asks of
// the server goes to the Host of its run.
//
//	Prepare ──► Call ──► (the shards are held) ──► BeginScript ──► Lua ◄──► Host.Call ──► EndScript ──► reply
//
// Prepare says what is about to run before anything is held: the keys, the flags, and by its syntax tree which shards the script can touch (package plan).
// It compiles an EVAL that is new. Calls, compiled chunks and sets of libraries are immutable and shared.
//
// # Lua on this VM
//
// gopher-lua is the VM. Where a script can tell it from Lua 5.1 it is mended:
//
//   - sources are parsed by package syntax, with Lua's messages and limits;
//   - operators and constants that differ become calls of Go functions, and globals that cannot change become upvalues (rewrite.go);
//   - errors of the VM are put in Lua's words, with the name of the variable (errors.go, names.go), while the failed functions are still on the stack (protect.go);
//   - tables that scripts share are read-only by way of stand-ins (globals.go);
//   - the libraries are our own (luastring, tablelib.go, mathlib.go, coroutines.go, baselib.go and those of Redis in packages of their own).
//
// Two things of the VM show through: the length of a table with holes may be another of its borders than in C, and a table iterates in the order in which
// its fields were first set.
//
// # Limits
//
// Whatever a script does, the server goes on. A run can be ended from outside (Run.Kill) or because the process has grown too much meanwhile; that
// is an error which no pcall catches (state.go: the state is the context that the VM asks before each instruction). Recursion of every kind, the length of
// strings and the nesting of sources are bounded.
//
// # Functions
//
// Each state loads a library again. One whose functions may keep something in shared variables is tied to one state, see keeps.go.
//
// # Caveats
//
// The words of a command and the bytes of a reply alias memory that is used again; what Run.Command returns is a copy. All methods of Engine and Run may be
// called from any goroutine, a state only from the one that runs its script.
//
//	engine.go run.go prepare.go   the Engine, one run, what is known before
//	cmd_*.go                      the commands
//	scripts.go functions.go       what the Engine knows
//	unit.go rewrite*.go           from source to chunk
//	state.go globals.go *lib.go   a Lua state and what scripts find in it
//	convert.go                    replies to Lua values and back
package scripting
