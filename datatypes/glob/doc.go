// Package glob matches byte strings against the glob patterns of KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET and ACL rules.
//
// The language:
//
//	?        any one byte
//	*        any run of bytes, also none
//	[abc]    one byte of the set; [a-z] is a range (in either order), [^a] is negated
//	\x       the byte x itself, inside and outside of a set
//
// Every other byte stands for itself. There are no invalid patterns; what looks broken has a meaning that clients
// may rely on:
//
//	[abc     a set that is not closed ends with the pattern
//	[]       the empty set: matches nothing; [^] matches any byte. So ']' cannot come first in a set unescaped
//	[a-]     a range from 'a' to ']' in a set that is not closed
//	\        at the very end stands for a backslash
//	""       the empty string is matched by the empty pattern only, not even by "*"
//
// Matching takes O(len(pattern) * len(s)) steps and no memory, whatever the pattern: a client must not be able to stop
// the server with a*a*a*a*b. Functions are pure and may be called from any goroutine.
package glob
