// Package cmsgpack is the MessagePack library that scripts in Redis know as cmsgpack: pack, unpack, unpack_one and unpack_limit.
//
// It behaves as lua-cmsgpack 0.4.0 does, the library inside Redis 7 (https://github.com/antirez/lua-cmsgpack; the format is described at
// https://github.com/msgpack/msgpack/blob/master/spec.md, of which "bin", "ext" and timestamps are not known here). In short:
//
//   - A number is an integer, in the fewest bytes, when nothing is lost by that, else a 32-bit float under the same condition, else a 64-bit one.
//   - A table whose keys are 1 to n is an array, the empty table too; any other one is a map. In the 17th level of nesting tables become nil.
//   - What is no string, number, boolean or table becomes nil.
//   - unpack returns all values in a string; unpack_one and unpack_limit return the offset of the next one, or -1 at the end, and then one value or so many.
//
// # Limits of our own
//
// The order of a map's entries is that in which they were put into the table; in Redis it depends on hashes. A packed string has at most 512 MiB, and the
// integer keys of unpacked maps may leave no more than eight million places unused below them: the VM fills tables up to their largest integer key. Beyond
// that the script gets Lua's "not enough memory". All else that unpack allocates is bounded by its input, whatever the lengths in there claim. Both
// directions end when the context of the script is done.
package cmsgpack
