// Package resp speaks the Redis serialization protocol: it splits a byte stream into commands, appends replies in
// RESP2 or RESP3, and decodes replies for clients and tests. It imports only the standard library, so that every
// other package may use it.
//
// # Terminology
//
//   - A command is a list of arguments, sent either as a multibulk ("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n") or as an inline line
//     ("GET k\r\n"). The first byte decides: '*' starts a multibulk, anything else a line.
//   - A header is the line that announces a length: "*2", "$3", "%1".
//   - A reply is one RESP value; aggregates (array, map, set, push, attribute) announce how many values follow.
//
// # Parsing
//
// A Parser belongs to one connection. It keeps no bytes, only how far it has come:
//
//	for {
//	    argv, n, err := p.Next(buf, argv[:0])
//	    switch {
//	    case err != nil: // reply "-ERR " + err.Error(), close the connection
//	    case n == 0:     // incomplete: call again with the same bytes, followed by more
//	    case len(argv) == 0: // blank line or "*0": skip
//	    default: // run argv
//	    }
//	    buf = buf[n:]
//	}
//
// The grammar is the one that Redis accepts, not the one its documentation describes: a multibulk header ends at '\r' and
// the byte after it is not looked at, nor are the two bytes after a bulk; a line ends at '\n'; a NUL byte hides the end of
// the header or line that it is in. Limits are the same too, with one difference. Redis compares the 64 KiB limit for lines and headers
// with what one read happened to bring, so that a longer line may get through; here it never does. What a stream means
// therefore never depends on how it was cut into reads.
//
// # Replies
//
// The Append functions add one value to a byte slice; Writer wraps them, knows the protocol version of the connection and
// turns RESP3 types into what a RESP2 client expects instead.
//
// # Numbers
//
// Texts of numbers are visible to clients and stored in keys, so they must agree with Redis digit by digit: ParseInt and ParseFloat accept
// what Redis accepts, AppendFloat writes what it writes for scores and RESP3 doubles, AddHuman does the extended-precision
// arithmetic of INCRBYFLOAT.
//
// # Caveats
//
// The arguments that Next returns alias its buffer (except for quoted inline arguments, which are copies), so they are valid
// as long as the caller leaves those bytes alone. Next never writes to the buffer. Parser and Writer may be used
// by one goroutine at a time. ReadReply copies what it returns.
//
// # Files
//
//	parse.go     Parser: multibulk
//	inline.go    Parser: inline lines and their quoting
//	append.go    Append functions
//	writer.go    Writer
//	number.go    ParseInt, ParseFloat, AppendFloat
//	shortest.go  the digits that AppendFloat writes
//	human.go     AppendHumanFloat, AddHuman
//	reply.go     ReadReply
package resp
