// Package luastring is the string library of Lua 5.1 for gopher-lua, with the behaviour and the error texts of the C
// implementation that Redis embeds, and the conversions between numbers and strings that go with it. gopher-lua's own
// differ in patterns, formats and errors.
//
// Strings are bytes. What depends on C's locale is that of "C". Where C's behaviour is undefined, that of gcc and glibc on
// x86-64 is followed.
//
// Nothing here runs away: the matcher asks every few thousand steps whether it is to stop, its recursion is bounded, and
// a result that would exceed MaxResultBytes is an error before it is built.
//
//	lib.go     the functions
//	match.go   patterns
//	format.go  string.format
//	number.go  numbers and strings
//
// All functions are called on the goroutine that runs the Lua state.
package luastring
