// Package plan reads the syntax tree of a script before it runs and tells what it may need: which shards, and whether it
// may run on an event loop.
//
// The keyspace is split over shards. A script that is proven to touch only the keys it declares holds the shards of
// those; every other script holds all shards. The proof must therefore be sound: whatever a script does with aliases,
// shadowed names, upvalues or metatables, when Analyze says Proven no other key can be touched. It need not be complete:
// a script that fails the proof is right too, only slower.
//
// # How the proof goes
//
// Names are resolved to local variables as gopher-lua's compiler does it (resolve.go). The globals must be beyond doubt:
// a script that mentions one which leads to others (_G, getfenv, load, ...) or that this package does not know, or that
// assigns to a global or to a field of a library, is given up. So are scripts that hand redis.call or the redis table to
// anything but a local variable that is only called, or that let the table KEYS out of sight.
//
// What is left is plain data flow (facts.go): for each local variable all the expressions that its value may come from
// are known, and a variable holds a key when all of them are elements of KEYS. nil and false count as keys: redis.call
// refuses them before any key is touched. Parameters and results of local functions take part when the function is only
// called by its name.
//
// At last every call of a command is looked at (commands.go): the words that are not literals become placeholders, and
// the command's spec tells which of them may be keys.
//
// A script is Bounded when an upper limit of its steps is small (cost.go).
//
// The functions of this package are pure and may be called from any goroutine. They do not change the tree.
package plan
