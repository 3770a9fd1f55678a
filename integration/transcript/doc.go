// Package transcript runs recorded sessions, commands with the replies that Redis gave, against a server.
//
// # Why
//
// "The same as Redis" is a claim that only Redis can make. The expectations in a transcript are therefore written by a
// real redis-server and never by our own: Rewrite refuses any other. What that Redis is too old for is written by hand from recorded
// facts and marked with the version it belongs to.
//
// # The file
//
//	# redis: 7.0.15
//
//	## A comment. Lines with one # are directives; an unknown one is an error.
//	# case: get what was set
//	> SET k "v\x00" EX 10
//	OK
//	> GET k
//	"v\x00"
//	# approx 1
//	> TTL k
//	(integer) 10
//
// A case begins with an empty keyspace, new connections and the configuration the server started with. Its steps:
//
//	> CMD …      send a command on the first connection and expect one reply
//	2> CMD …     the same on another connection
//	2>> CMD …    send a command that blocks, go on when the server has blocked the client
//	2<           expect one more reply or push message on that connection
//	2!> "bytes"  send bytes as they are and expect one reply
//
// Arguments are quoted as in redis-cli: "a\x00\n" with escapes, 'a' without. Three generators stand for one or many arguments:
//
//	{repeat ab 1000}      one argument of 2000 bytes
//	{each key:%d 1 100}   key:1 key:2 … key:100
//	{pairs key:%d v%d 1 100}   key:1 v1 key:2 v2 …
//
// and three are filled in when the case runs, {id}, {addr} and {laddr} for the first connection and so on:
//
//	{id 2}      CLIENT ID of that connection
//	{addr 2}    its address, as the server sees it
//	{laddr 2}   the server's
//
// # Replies as text
//
//	OK                      simple string ((simple) "…" when it could be mistaken for something else)
//	(error) ERR syntax error
//	(integer) 1
//	"text\r\n\x00"          bulk string; one of more than 256 bytes is shown by length and digest or as {repeat "a" 100000}
//	(nil)                   null: $-1 in RESP2, _ in RESP3
//	(nil array)             *-1
//	1) "a"                  array; nested ones are indented: (empty array) when there is nothing in it
//	1~ "a"                  RESP3 set
//	1# "k" => "v"           RESP3 map
//	(push)                  RESP3 push message, followed by its elements like an array
//	(double) 3.5  (true)  (false)  (bignum) 123  (verbatim txt) "text"
//	(closed)                the server closed the connection
//
// # Directives
//
// Of a file, before the first case:
//
//	# redis: 7.0.15        version that wrote the expectations
//	# needs: LPUSH HSET    skip the file on a server that does not know these commands
//	# server: --hz 50      options that the server is started with; after --requirepass a case's connections come
//	                       without a password, and so cannot be in RESP3 from the start (skip-modes)
//
// Of a case, before its first step:
//
//	# case: name
//	# since: 7.4           hand-written for a server of at least that version; others skip it, Rewrite leaves it alone
//	# needs: LPUSH         as above
//	# noshards             not with more than one shard
//	# skip-modes: pipelined,resp2,resp3
//
// Of a step, before its line:
//
//	# unordered            order of the reply's elements does not matter; "# unordered 1" those of nested arrays, as in SCAN;
//	                       "# unordered pairs" a flat array of field, value, …
//	# approx n             numbers may differ by n
//	# regex                the expectation is a regular expression for the whole text, in which long bulks are in full
//	# eventually           repeat the command until it gives the expected reply (it is not rewritten)
//
// Of a step, after its expectation, with another expectation:
//
//	# resp3:               where RESP3 differs
//	# from 7.4:            hand-written, for servers of at least that version; also "# from 7.4 resp3:"
//
// # Modes
//
// Run executes the same cases in either protocol, one by one or pipelined, and with each plain command about keys wrapped in MULTI … EXEC or in
// redis.pcall (see Within), where the replies must be the same.
//
// # Use
//
// Load reads the files, Run executes them as subtests, Rewrite renews their expectations. The package imports no other package of this module: it has
// its own small RESP reader, so that an error in ours cannot hide itself.
package transcript
