package stream

import (
	"bytes"
	"math"
	"strconv"
)

// ID names an entry: unix milliseconds and a sequence number within the millisecond. IDs are ordered by Ms, then by Seq.
type ID struct{ Ms, Seq uint64 }

// MaxID is the greatest ID; the zero ID is the least one.
var MaxID = ID{math.MaxUint64, math.MaxUint64}

// maxIDText is the length from which a text cannot be an ID, as in Redis, which copies it to a buffer of this size.
const maxIDText = 128

// IsZero reports whether a is 0-0, which no entry has.
func (a ID) IsZero() bool { return a == ID{} }

// Compare returns -1, 0 or +1 as a is less than, equal to or greater than b.
func (a ID) Compare(b ID) int {
	switch {
	case a == b:
		return 0
	case a.Less(b):
		return -1
	}
	return 1
}

// Less reports whether a comes before b.
func (a ID) Less(b ID) bool { return a.Ms < b.Ms || a.Ms == b.Ms && a.Seq < b.Seq }

// Next returns the ID after a. It is not ok when a is MaxID; the result is then 0-0.
func (a ID) Next() (next ID, ok bool) {
	if a.Seq < math.MaxUint64 {
		return ID{a.Ms, a.Seq + 1}, true
	}
	return ID{a.Ms + 1, 0}, a.Ms < math.MaxUint64
}

// Prev returns the ID before a. It is not ok when a is 0-0; the result is then MaxID.
func (a ID) Prev() (prev ID, ok bool) {
	if a.Seq > 0 {
		return ID{a.Ms, a.Seq - 1}, true
	}
	return ID{a.Ms - 1, math.MaxUint64}, a.Ms > 0
}

// Append appends the text of a, "ms-seq", to dst: at most 41 bytes.
func (a ID) Append(dst []byte) []byte {
	dst = strconv.AppendUint(dst, a.Ms, 10)
	dst = append(dst, '-')
	return strconv.AppendUint(dst, a.Seq, 10)
}

// String returns the text of a.
func (a ID) String() string { return string(a.Append(make([]byte, 0, 41))) }

// ParseID reads "ms-seq", "ms" (which gets the sequence number missingSeq), "-" (0-0) and "+" (MaxID).
func ParseID(b []byte, missingSeq uint64) (id ID, ok bool) {
	if len(b) == 1 {
		switch b[0] {
		case '-':
			return ID{}, true
		case '+':
			return MaxID, true
		}
	}
	return ParseStrictID(b, missingSeq)
}

// ParseStrictID reads what ParseID reads except "-" and "+".
func ParseStrictID(b []byte, missingSeq uint64) (id ID, ok bool) {
	id, _, ok = parseID(b, missingSeq, false)
	return id, ok
}

// ParseAddID reads the ID argument of XADD: "ms-seq", "ms" (sequence number 0) or "ms-*", for which auto is true: the
// stream is to choose the sequence number, see Stream.NextSeq. The argument "*" alone is not an ID.
func ParseAddID(b []byte) (id ID, auto, ok bool) { return parseID(b, 0, true) }

// ParseBound reads an end of a range: what ParseID reads, or "(" and what ParseStrictID reads for an end that does not
// belong to the range itself.
func ParseBound(b []byte, missingSeq uint64) (id ID, exclusive, ok bool) {
	if len(b) > 1 && b[0] == '(' {
		id, ok = ParseStrictID(b[1:], missingSeq)
		return id, true, ok
	}
	id, ok = ParseID(b, missingSeq)
	return id, false, ok
}

func parseID(b []byte, missingSeq uint64, star bool) (id ID, auto, ok bool) {
	if len(b) >= maxIDText {
		return ID{}, false, false
	}
	if n := bytes.IndexByte(b, 0); n >= 0 {
		b = b[:n]
	}
	ms, seq, dash := bytes.Cut(b, []byte{'-'})
	if id.Ms, ok = parseUint(ms); !ok {
		return ID{}, false, false
	}
	switch {
	case !dash:
		id.Seq = missingSeq
	case star && len(seq) == 1 && seq[0] == '*':
		auto = true
	default:
		if id.Seq, ok = parseUint(seq); !ok {
			return ID{}, false, false
		}
	}
	return id, auto, true
}

// parseUint reads a number the way Redis does for IDs: an integer that is written as usual must not be negative; whatever
// else C's strtoull takes counts too: white space and a plus sign in front, leading zeros, and, if it is written in an
// unusual way, a minus sign, which gives the number below 2^64.
func parseUint(b []byte) (n uint64, ok bool) {
	usual := true // as resp.ParseInt would take it
	i := 0
	for i < len(b) && (b[i] == ' ' || b[i] >= '\t' && b[i] <= '\r') {
		i++
		usual = false
	}
	negative := false
	if i < len(b) && (b[i] == '+' || b[i] == '-') {
		negative = b[i] == '-'
		usual = usual && negative
		i++
	}
	digits := b[i:]
	if len(digits) == 0 {
		return 0, false
	}
	for _, c := range digits {
		d := uint64(c - '0')
		if d > 9 || n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	if !negative {
		return n, true
	}
	if usual && digits[0] != '0' && n <= 1<<63 {
		return 0, false
	}
	return -n, true
}
