// Package syntax parses Lua 5.1 into the syntax tree of the Lua VM, with the error messages of Lua's own compiler.
//
// The VM has a parser, but scripts see that it is another one: its errors are worded differently, it takes goto and labels for granted, reads 010 as
// eight, and recurses as deep as the source is nested. This one follows the grammar of the reference manual (https://www.lua.org/manual/5.1/manual.html#8)
// and gives every node the line that Lua reports for it at run time.
//
// Parse needs no state and may be called from any goroutine. Its work is bounded by the length of the source, its recursion by maxLevels.
package syntax
