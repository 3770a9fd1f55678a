// Package luaarg lets functions written in Go read their arguments and raise errors as functions written in C do in Lua 5.1.
//
// The Lua VM has functions of its own for this, but scripts can tell them apart: they take no numbers written as strings, turn numbers into
// strings as Go does, name no missing argument "no value", and say where an error happened even when no Lua code called the function. What is
// here follows the auxiliary library of Lua 5.1 (https://www.lua.org/manual/5.1/manual.html#4): String is luaL_checklstring, Integer is
// luaL_checkinteger, Errorf is luaL_error, and so on.
//
// # Numbers
//
// Numbers become text with 14 significant digits, in the form that C's "%.14g" gives. Text becomes a number by the rules of C's strtod, which
// Lua uses: white space in front, hexadecimal numbers, "inf" and "nan" are all taken. Floats become integers as the x86-64 instructions do it that
// Redis runs on, whatever the processor: the fraction is cut off, and what does not fit becomes the smallest integer.
//
// Functions that raise an error do not return: the VM unwinds with a panic of its own. All of them are for the goroutine that runs the LState.
package luaarg
