// Package cjson is the JSON library that scripts in Redis know as cjson.
//
// It behaves as lua-cjson 2.1.0 does, the library inside Redis 7 (https://kyne.com.au/~mark/software/lua-cjson-manual.html): the same texts, the same
// settings with the same defaults, the same errors. In short:
//
//   - A table whose keys are all whole numbers from 1 up is an array, with null where there is a hole; any other table, the empty one too, is an object.
//     An array with more than ten places of which more than half are holes is refused, or encoded as an object (encode_sparse_array).
//   - Numbers have 14 significant digits (encode_number_precision). Infinities and NaN are refused (encode_invalid_numbers), but decoded
//     (decode_invalid_numbers), as are hexadecimal numbers.
//   - Strings are bytes: nothing checks that they are UTF-8. '/' and DEL are escaped besides what JSON asks for. A NUL byte ends a document.
//   - null is cjson.null, a userdata that equals no other value.
//   - 1000 levels of nesting are the limit, both ways (encode_max_depth, decode_max_depth). Whatever these are set to, Lua's own stack ends at 8000 values.
//
// Settings belong to one library table; cjson.new makes another one with the defaults.
//
// # Limits of our own
//
// The order of an object's members is that in which they were put into the table; in Redis it depends on hashes. What encode returns has at most 512 MiB,
// the size of Redis's largest string; above that the script gets Lua's "not enough memory". Both directions end when the context of the script is done.
package cjson
