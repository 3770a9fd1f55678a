package resp

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
)

// What ReadReply returns for the types that Go has no obvious type for.
type (
	// Status is a simple string.
	Status string
	// Error is an error reply, starting with its code word. It is a value in a reply; ReadReply's own errors are others.
	Error string
	// Map holds the keys and values of a map in turn, since keys may be aggregates and their order may matter to a test.
	Map []any
	// Set holds the members of a set.
	Set []any
	// Push is an out-of-band message.
	Push []any
	// BigNumber is an integer of any size, in decimal.
	BigNumber string
	// Verbatim is a text with its three-letter format.
	Verbatim struct{ Format, Text string }
	// Attributed is a reply with its attributes.
	Attributed struct {
		Attrs Map
		Value any
	}
)

func (e Error) Error() string { return string(e) }

// ErrReply is wrapped by the errors of ReadReply.
var ErrReply = errors.New("resp: malformed reply")

// maxReplyDepth bounds the recursion.
const maxReplyDepth = 128

// ReadReply decodes the first reply in buf and returns how many bytes it takes: 0 when it is incomplete. It returns
//
//   - Status    $ string   : int64     - ! Error    _ $-1 *-1 nil
//   - []any     % Map      ~ Set       > Push       | Attributed
//     # bool      , float64  ( BigNumber = Verbatim
//
// Nothing in the result aliases buf. An incomplete reply is decoded from its start each time; that suits tests and
// embedded use, where replies come whole.
func ReadReply(buf []byte) (v any, n int, err error) {
	return readReply(buf, 0)
}

func readReply(buf []byte, depth int) (v any, n int, err error) {
	if depth > maxReplyDepth {
		return nil, 0, fmt.Errorf("%w: nested deeper than %d", ErrReply, maxReplyDepth)
	}
	if len(buf) == 0 {
		return nil, 0, nil
	}
	if strings.IndexByte("+-(_#:,$!=*%~>|", buf[0]) < 0 {
		return nil, 0, fmt.Errorf("%w: type %q", ErrReply, buf[0])
	}
	end := bytes.IndexByte(buf, '\r')
	if end < 0 || end+1 == len(buf) {
		return nil, 0, nil
	}
	if buf[end+1] != '\n' {
		return nil, 0, fmt.Errorf("%w: carriage return in %q", ErrReply, buf[:end+2])
	}
	line := buf[1:end]
	n = end + 2
	switch buf[0] {
	case '+':
		return Status(line), n, nil
	case '-':
		return Error(line), n, nil
	case '(':
		return BigNumber(line), n, nil
	case '_':
		if len(line) == 0 {
			return nil, n, nil
		}
	case '#':
		if string(line) == "t" || string(line) == "f" {
			return line[0] == 't', n, nil
		}
	case ':':
		if i, ok := ParseInt(line); ok {
			return i, n, nil
		}
	case ',':
		if string(line) == "nan" {
			return math.NaN(), n, nil
		}
		if f, ok := ParseFloat(line); ok {
			return f, n, nil
		}
	case '$', '!', '=', '*', '%', '~', '>', '|':
		size, ok := ParseInt(line)
		if !ok || size < -1 || size > math.MaxInt32 {
			break
		}
		if buf[0] == '$' || buf[0] == '!' || buf[0] == '=' {
			return readBulk(buf, n, int(size))
		}
		return readAggregate(buf, n, int(size), depth)
	}
	return nil, 0, fmt.Errorf("%w: %q", ErrReply, buf[:end])
}

// readBulk decodes the size bytes at buf[at:].
func readBulk(buf []byte, at, size int) (v any, n int, err error) {
	if size < 0 {
		if buf[0] != '$' {
			return nil, 0, fmt.Errorf("%w: length %d of %q", ErrReply, size, buf[0])
		}
		return nil, at, nil
	}
	if len(buf)-at < size+2 {
		return nil, 0, nil
	}
	text, n := string(buf[at:at+size]), at+size+2
	if buf[n-2] != '\r' || buf[n-1] != '\n' {
		return nil, 0, fmt.Errorf("%w: no line break after %d bytes", ErrReply, size)
	}
	switch {
	case buf[0] == '!':
		return Error(text), n, nil
	case buf[0] == '$':
		return text, n, nil
	case size < 4 || text[3] != ':':
		return nil, 0, fmt.Errorf("%w: verbatim string without format", ErrReply)
	}
	return Verbatim{Format: text[:3], Text: text[4:]}, n, nil
}

// readAggregate decodes the elements at buf[n:]; size is the announced length.
func readAggregate(buf []byte, n, size, depth int) (any, int, error) {
	kind := buf[0]
	if size < 0 {
		if kind != '*' {
			return nil, 0, fmt.Errorf("%w: length %d of %q", ErrReply, size, kind)
		}
		return nil, n, nil
	}
	if kind == '%' || kind == '|' {
		size *= 2
	}
	// No element is shorter than "_\r\n", so a promise that the bytes cannot keep reserves nothing.
	elems := make([]any, 0, min(size, (len(buf)-n)/3))
	for range size {
		v, m, err := readReply(buf[n:], depth+1)
		if m == 0 {
			return nil, 0, err
		}
		elems = append(elems, v)
		n += m
	}
	switch kind {
	case '%':
		return Map(elems), n, nil
	case '~':
		return Set(elems), n, nil
	case '>':
		return Push(elems), n, nil
	case '|':
		v, m, err := readReply(buf[n:], depth+1)
		if m == 0 {
			return nil, 0, err
		}
		return Attributed{Attrs: elems, Value: v}, n + m, nil
	}
	return elems, n, nil
}
