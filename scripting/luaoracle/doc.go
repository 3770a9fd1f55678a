// Package luaoracle is for tests: it runs pieces of Lua in a redis-server and in this process and compares what comes out.
//
// A piece is the body of a function, as EVAL takes it. What it returns, or the message of the error that it raises, is written down in one form on
// both sides: by a function in Lua there, by Go here. So all values can be compared, not only those that a reply can hold.
package luaoracle
