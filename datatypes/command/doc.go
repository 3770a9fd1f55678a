// Package command declares the commands of Redis and runs them against a keyspace.
//
// # Terminology
//
//   - Spec: the declaration of one command or subcommand: name, arity, flags, keys, syntax, documentation, handler.
//     Everything that can be derived (ACL categories, COMMAND INFO and DOCS, routing) is derived from it.
//   - Table: the specs by name.
//   - Ctx: one run of one command.
//   - effect: a command that repeats what another has done, whenever it is run.
//
// # One command, one block
//
// A spec, its comment and its handler stand together in the file of the command's group. To add a command, write such
// a block and name it in the list of table_builtin.go.
//
// # Ownership
//
// A handler runs on the goroutine that owns the shards of its keys. It touches nothing else, starts nothing and waits
// for nothing: no goroutine, no lock, no clock, no randomness but what Ctx carries.
//
// # Files
//
//	ctx.go                      Ctx
//	spec.go keyspec.go table.go Spec, where its keys are, Table
//	syntax.go docs.go           the syntax notation, COMMAND DOCS
//	args.go                     reading arguments
//	bits.go                     operations on strings as rows of bits
//	cmd_*.go                    the commands, a file or two per group
package command
