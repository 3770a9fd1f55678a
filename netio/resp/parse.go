package resp

import (
	"math"
	"slices"
)

const (
	// maxHeader is how many bytes Redis accepts while it looks for the end of a line or header.
	maxHeader = 64 << 10
	// defaultMaxBulk is Redis's default for proto-max-bulk-len.
	defaultMaxBulk = 512 << 20
	// maxArgs is the largest announced number of arguments.
	maxArgs = 1<<31 - 1
	// A client that has not authenticated may send no more than this, so that strangers cannot fill the memory.
	maxArgsUnauthenticated = 10
	maxBulkUnauthenticated = 16 << 10
	// minArg is the size of the smallest argument, "$0\r\n\r\n".
	minArg = 6
)

// ProtocolError says why a stream cannot be understood any more. Its text goes to the client after "-ERR ", then the
// connection is closed.
type ProtocolError struct{ msg string }

func (e *ProtocolError) Error() string { return "Protocol error: " + e.msg }

var (
	errUnbalancedQuotes = &ProtocolError{"unbalanced quotes in request"}
	errBigInline        = &ProtocolError{"too big inline request"}
	errBigArrayHeader   = &ProtocolError{"too big mbulk count string"}
	errArrayLength      = &ProtocolError{"invalid multibulk length"}
	errArrayUnauth      = &ProtocolError{"unauthenticated multibulk length"}
	errBigBulkHeader    = &ProtocolError{"too big bulk count string"}
	errBulkLength       = &ProtocolError{"invalid bulk length"}
	errBulkUnauth       = &ProtocolError{"unauthenticated bulk length"}
)

// Parser splits a byte stream into commands, in place. The zero value is ready. After an error the stream is lost:
// Next repeats the error until Reset makes the Parser ready for another stream.
//
// An incomplete command is remembered as three numbers: how many bytes have been checked, how many arguments are still
// to come, and the length of the one being received. When the last byte is there, a second pass over the headers (not over the
// contents) finds the arguments. So a command costs time linear in its size however it arrives, and an idle Parser
// holds no memory. Remembering the arguments instead saves that pass, but needs a list that grows with the command.
type Parser struct {
	// MaxBulk is the largest argument accepted (proto-max-bulk-len); 0 means 512 MiB.
	MaxBulk int
	// Unauthenticated limits a command to 10 arguments of 16 KiB.
	Unauthenticated bool

	// inArgs: the array header has been read.
	inArgs bool
	// inBulk: the header of the current argument has been read.
	inBulk bool
	// left is the number of arguments not yet complete, when inArgs.
	left int32
	// pos is how many bytes of the command have been checked: it stands on a header, or on an argument when inBulk.
	pos int
	// scanned is how many bytes from pos on are known not to hold the end of the line or header.
	scanned int
	// bulk is the length of the current argument, when inBulk.
	bulk int
	// want is what Want returns.
	want int
}

// Reset forgets a partly received command. The limits stay.
func (p *Parser) Reset() {
	*p = Parser{MaxBulk: p.MaxBulk, Unauthenticated: p.Unauthenticated}
}

// Want returns how many bytes are missing at least until Next can make progress that matters: the rest of the argument being
// received. It is 0 when that is not known. The peer chose the number: do not reserve more than you would for
// a stranger.
func (p *Parser) Want() int { return p.want }

// maxBulk is the limit in force, low enough to add a little to it.
func (p *Parser) maxBulk() int {
	if p.MaxBulk == 0 {
		return defaultMaxBulk
	}
	return min(p.MaxBulk, math.MaxInt-minArg)
}

// Next appends the arguments of the first command in buf to argv and returns how many bytes the command takes.
// With n == 0 and no error the command is incomplete; call again with the same bytes (at any address), followed by more.
// With n > 0 and nothing appended it is an empty command, to be skipped. The arguments alias buf; their capacity ends
// where they end. The error, if any, is a *ProtocolError.
func (p *Parser) Next(buf []byte, argv [][]byte) (out [][]byte, n int, err error) {
	// What nearly every call meets: a complete command with ordinary headers. Everything else leaves for resume, which knows all the
	// rules.
	if p.pos != 0 || p.scanned != 0 || len(buf) < minArg || buf[0] != '*' || p.Unauthenticated {
		return p.resume(buf, argv)
	}
	args, i := uint(buf[1])-'0', 4
	if buf[2] != '\r' || args-1 > 8 {
		var ok bool
		if args, i, ok = longHeader(buf, 0); !ok {
			return p.resume(buf, argv)
		}
	}
	maxBulk := p.maxBulk()
	out = argv
	for left := int(args); left > 0; left-- {
		if len(buf)-i < minArg || buf[i] != '$' {
			return p.resumeAt(buf, argv, i, left)
		}
		size := uint(buf[i+1]) - '0'
		at := i + 4
		if buf[i+2] != '\r' || size > 9 {
			var ok bool
			if size, at, ok = longHeader(buf, i); !ok {
				return p.resumeAt(buf, argv, i, left)
			}
		}
		end := at + int(size)
		if int(size) > maxBulk || end+2 > len(buf) {
			return p.resumeAt(buf, argv, i, left)
		}
		out = append(out, buf[at:end:end])
		i = end + 2
	}
	return out, i, nil
}

// longHeader reads a header of two to eight digits at i, where buf holds at least minArg bytes, and returns where the header ends.
func longHeader(buf []byte, i int) (value uint, at int, ok bool) {
	value = uint(buf[i+1]) - '0'
	if value-1 > 8 { // no digit, or a leading zero
		return 0, 0, false
	}
	for j := i + 2; j < len(buf) && j < i+10; j++ {
		d := uint(buf[j]) - '0'
		if d > 9 {
			return value, j + 2, buf[j] == '\r'
		}
		value = value*10 + d
	}
	return 0, 0, false
}

// resumeAt continues with resume at a header that Next could not deal with.
func (p *Parser) resumeAt(buf []byte, argv [][]byte, pos, left int) ([][]byte, int, error) {
	p.inArgs, p.pos, p.left = true, pos, int32(left)
	return p.resume(buf, argv)
}

// resume is Next with all the rules: it starts or continues a command.
func (p *Parser) resume(buf []byte, argv [][]byte) ([][]byte, int, error) {
	p.want = 0
	if len(buf) <= p.pos {
		if p.inBulk {
			p.want = p.bulk + 2 - (len(buf) - p.pos)
		}
		return argv, 0, nil
	}
	if !p.inArgs {
		if buf[0] != '*' {
			return p.inline(buf, argv)
		}
		end, err := p.header(buf, errBigArrayHeader)
		if end == 0 {
			return argv, 0, err
		}
		count, ok := ParseInt(buf[1:end])
		if !ok || count > maxArgs {
			return argv, 0, errArrayLength
		}
		if count > maxArgsUnauthenticated && p.Unauthenticated {
			return argv, 0, errArrayUnauth
		}
		if count <= 0 {
			p.scanned = 0
			return argv, end + 2, nil
		}
		p.inArgs, p.pos, p.left, p.scanned = true, end+2, int32(count), 0
	}
	maxBulk := p.maxBulk()
	for p.left > 0 {
		if !p.inBulk {
			end, err := p.header(buf, errBigBulkHeader)
			if end == 0 {
				return argv, 0, err
			}
			if buf[p.pos] != '$' {
				return argv, 0, &ProtocolError{"expected '$', got '" + string(buf[p.pos:p.pos+1]) + "'"}
			}
			size, ok := ParseInt(buf[p.pos+1 : end])
			if !ok || size < 0 || size > int64(maxBulk) {
				return argv, 0, errBulkLength
			}
			if size > maxBulkUnauthenticated && p.Unauthenticated {
				return argv, 0, errBulkUnauth
			}
			p.inBulk, p.pos, p.bulk, p.scanned = true, end+2, int(size), 0
		}
		if missing := p.bulk + 2 - (len(buf) - p.pos); missing > 0 {
			p.want = missing
			return argv, 0, nil
		}
		p.pos += p.bulk + 2
		p.left--
		p.inBulk = false
	}
	n := p.pos
	p.inArgs, p.pos, p.bulk = false, 0, 0
	return appendArgs(argv, buf[:n]), n, nil
}

// header looks for the '\r' that ends the header at p.pos. It returns the offset of that byte in buf once the one after it is there
// too; 0 when more bytes are needed or, with the error, when there are too many already.
func (p *Parser) header(buf []byte, tooBig *ProtocolError) (end int, err error) {
	rest := buf[p.pos:]
	i := p.scanned
	for limit := min(len(rest), maxHeader+1); i < limit; i++ {
		c := rest[i]
		if c == '\r' {
			p.scanned = i
			if i+1 == len(rest) {
				return 0, nil
			}
			return p.pos + i, nil
		}
		// Redis searches with C string functions, which see nothing behind a NUL: the header never ends.
		if c == 0 {
			break
		}
	}
	p.scanned = i
	if len(rest) > maxHeader {
		return 0, tooBig
	}
	return 0, nil
}

// appendArgs appends the arguments of a complete multibulk whose headers have been checked.
func appendArgs(argv [][]byte, cmd []byte) [][]byte {
	args, i := trustedHeader(cmd, 0)
	argv = slices.Grow(argv, args)
	for i < len(cmd) {
		size, at := trustedHeader(cmd, i)
		end := at + size
		argv = append(argv, cmd[at:end:end])
		i = end + 2
	}
	return argv
}

// trustedHeader reads the number of a checked header at i and returns where the header ends.
func trustedHeader(cmd []byte, i int) (value, at int) {
	for i++; cmd[i] != '\r'; i++ {
		value = value*10 + int(cmd[i]-'0')
	}
	return value, i + 2
}
