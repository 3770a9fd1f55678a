package resp

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
)

// heads holds, for small n, the header line of n without its first byte: the low byte is free for that, the top byte is the
// length of the whole line. One load and one 8-byte store then write ":7\r\n", "$255\r\n" or "*3\r\n".
var heads = func() (t [1024]uint64) {
	for n := range t {
		var line [8]byte
		text := append(strconv.AppendInt(line[:1], int64(n), 10), "\r\n"...)
		line[7] = byte(len(text))
		t[n] = binary.LittleEndian.Uint64(line[:])
	}
	return t
}()

// appendHead appends the line made of kind and n.
func appendHead(dst []byte, kind byte, n int64) []byte {
	if uint64(n) < uint64(len(heads)) {
		head := heads[n]
		end := len(dst) + int(head>>56)
		return binary.LittleEndian.AppendUint64(dst, head|uint64(kind))[:end]
	}
	return appendLongHead(dst, kind, n)
}

func appendLongHead(dst []byte, kind byte, n int64) []byte {
	dst = append(dst, kind)
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, '\r', '\n')
}

// AppendInt appends the integer reply n.
func AppendInt(dst []byte, n int64) []byte { return appendHead(dst, ':', n) }

// AppendArray appends the header of an array of n elements, or of a command of n arguments.
func AppendArray(dst []byte, n int) []byte { return appendHead(dst, '*', int64(n)) }

// AppendBulk appends the bulk string b.
func AppendBulk(dst, b []byte) []byte { return appendBulk(dst, b) }

// AppendBulkString appends the bulk string s.
func AppendBulkString(dst []byte, s string) []byte { return appendBulk(dst, s) }

func appendBulk[T []byte | string](dst []byte, b T) []byte {
	if len(b) < len(heads) && cap(dst)-len(dst) >= len(b)+16 {
		// Room for all of it, so its three parts need one look at the capacity, not three.
		at := len(dst)
		dst = dst[:at+len(b)+16]
		head := heads[len(b)]
		binary.LittleEndian.PutUint64(dst[at:], head|'$')
		at += int(head >> 56)
		at += copy(dst[at:], b)
		dst[at], dst[at+1] = '\r', '\n'
		return dst[:at+2]
	}
	dst = appendHead(dst, '$', int64(len(b)))
	dst = append(dst, b...)
	return append(dst, '\r', '\n')
}

// AppendSimple appends the simple string s, in which line breaks become spaces.
func AppendSimple(dst []byte, s string) []byte {
	dst = append(dst, '+')
	dst = append(dst, oneLine(s)...)
	return append(dst, '\r', '\n')
}

// AppendError appends an error reply. msg starts with the code word ("ERR syntax error"); line breaks in it become spaces.
func AppendError(dst []byte, msg string) []byte {
	dst = append(dst, '-')
	dst = append(dst, oneLine(msg)...)
	return append(dst, '\r', '\n')
}

// AppendCommand appends a command as clients, the journal and the replication stream write it.
func AppendCommand(dst []byte, args ...[]byte) []byte {
	dst = AppendArray(dst, len(args))
	for _, arg := range args {
		dst = AppendBulk(dst, arg)
	}
	return dst
}

// AppendCommandStrings is AppendCommand for strings.
func AppendCommandStrings(dst []byte, args ...string) []byte {
	dst = AppendArray(dst, len(args))
	for _, arg := range args {
		dst = AppendBulkString(dst, arg)
	}
	return dst
}

// appendDouble appends the RESP3 double f.
func appendDouble(dst []byte, f float64) []byte {
	dst = append(dst, ',')
	dst = AppendFloat(dst, f)
	return append(dst, '\r', '\n')
}

// appendDoubleBulk appends f as a bulk string.
func appendDoubleBulk(dst []byte, f float64) []byte {
	if n := int64(f); float64(n) == f && uint64(n) < 10 && !math.Signbit(f) {
		return append(dst, '$', '1', '\r', '\n', '0'+byte(n), '\r', '\n')
	}
	var text [maxFloatLen]byte
	return AppendBulk(dst, AppendFloat(text[:0], f))
}

// oneLine replaces the line breaks inside s by spaces and cuts those around it, so that a text can never end its reply.
func oneLine(s string) string {
	if strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return lineBreaks.Replace(strings.Trim(s, "\r\n"))
}

var lineBreaks = strings.NewReplacer("\r", " ", "\n", " ")
