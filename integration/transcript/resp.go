package transcript

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
)

// reply is a decoded RESP2 or RESP3 value. kind is its type byte, or kindClosed when the connection ended instead.
type reply struct {
	kind  byte
	null  bool // $-1 or *-1
	text  string
	elems []reply // a map has keys and values alternating
	lost  bool    // its form says nothing, as it came through a script
}

const kindClosed = 0

const (
	maxBulk  = 1 << 30
	maxElems = 1 << 24
)

// readReply reads one value. Attributes are dropped: no server sends them unasked.
func readReply(r *bufio.Reader) (reply, error) {
	line, err := readLine(r)
	if err != nil {
		return reply{}, err
	}
	if line == "" {
		return reply{}, fmt.Errorf("transcript: empty line where a reply should begin")
	}
	v := reply{kind: line[0], text: line[1:]}
	switch v.kind {
	case '+', '-', ':', ',', '#', '(', '_':
		return v, nil
	case '$', '=', '!':
		n, err := readLength(v.text, maxBulk)
		if err != nil || n < 0 {
			v.null = n < 0
			return v, err
		}
		body := make([]byte, n+2)
		if _, err := io.ReadFull(r, body); err != nil {
			return reply{}, err
		}
		if string(body[n:]) != "\r\n" {
			return reply{}, fmt.Errorf("transcript: bulk of %d bytes is not followed by CRLF", n)
		}
		v.text = string(body[:n])
		return v, nil
	case '*', '~', '>', '%', '|':
		n, err := readLength(v.text, maxElems)
		if err != nil || n < 0 {
			v.null = n < 0
			return v, err
		}
		if v.kind == '%' || v.kind == '|' {
			n *= 2
		}
		v.text = ""
		for range n {
			e, err := readReply(r)
			if err != nil {
				return reply{}, err
			}
			v.elems = append(v.elems, e)
		}
		if v.kind == '|' {
			return readReply(r)
		}
		return v, nil
	}
	return reply{}, fmt.Errorf("transcript: reply of unknown type: %q", line)
}

func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	if len(line) < 2 || line[len(line)-2] != '\r' {
		return "", fmt.Errorf("transcript: line does not end in CRLF: %q", line)
	}
	return line[:len(line)-2], nil
}

func readLength(s string, limit int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < -1 || n > limit {
		return 0, fmt.Errorf("transcript: invalid length %q", s)
	}
	return n, nil
}

// appendCommand encodes a command as an array of bulk strings.
func appendCommand(dst []byte, args []string) []byte {
	dst = fmt.Appendf(dst, "*%d\r\n", len(args))
	for _, a := range args {
		dst = fmt.Appendf(dst, "$%d\r\n", len(a))
		dst = append(dst, a...)
		dst = append(dst, '\r', '\n')
	}
	return dst
}
