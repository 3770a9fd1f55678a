package intset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/troupe-db/troupe/datatypes/invariants"
)

// HeaderBytes is the length of an empty set.
const HeaderBytes = 8

// New returns an empty set, with room for a few members.
func New() []byte { return AppendEmpty(make([]byte, 0, 40)) }

// AppendEmpty appends an empty set, HeaderBytes long, to dst.
func AppendEmpty(dst []byte) []byte { return append(dst, 2, 0, 0, 0, 0, 0, 0, 0) }

// Len returns the number of members.
func Len(set []byte) int { return int(binary.LittleEndian.Uint32(set[4:])) }

// Width returns the bytes of one member: 2, 4 or 8.
func Width(set []byte) int { return int(set[0]) }

// Get returns the member with index i, 0 being the smallest.
func Get(set []byte, i int) int64 { return get(set, int(set[0]), i) }

func get(set []byte, width, i int) int64 {
	switch width {
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(set[HeaderBytes+2*i:])))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(set[HeaderBytes+4*i:])))
	}
	return int64(binary.LittleEndian.Uint64(set[HeaderBytes+8*i:]))
}

func put(set []byte, width, i int, v int64) {
	switch width {
	case 2:
		binary.LittleEndian.PutUint16(set[HeaderBytes+2*i:], uint16(v))
	case 4:
		binary.LittleEndian.PutUint32(set[HeaderBytes+4*i:], uint32(v))
	default:
		binary.LittleEndian.PutUint64(set[HeaderBytes+8*i:], uint64(v))
	}
}

// Find returns the index of v, or the index that it would have.
func Find(set []byte, v int64) (pos int, ok bool) {
	n, width := Len(set), Width(set)
	if n == 0 || v > get(set, width, n-1) { // numbers often come in ascending order
		return n, false
	}
	lo, hi := 0, n
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if get(set, width, mid) < v {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < n && get(set, width, lo) == v
}

// Contains reports that v is a member.
func Contains(set []byte, v int64) bool {
	_, ok := Find(set, v)
	return ok
}

func widthOf(v int64) int {
	switch {
	case v == int64(int16(v)):
		return 2
	case v == int64(int32(v)):
		return 4
	}
	return 8
}

// MaxGrow returns how many bytes adding v takes at most: those of a member, and of all others becoming wider if need be.
func MaxGrow(set []byte, v int64) int {
	width, need := Width(set), widthOf(v)
	if need <= width {
		return width
	}
	return (need-width)*Len(set) + need
}

// Add adds v. added is false if it was a member.
func Add(set []byte, v int64) (out []byte, added bool) {
	if widthOf(v) > Width(set) {
		return widen(set, v), true
	}
	pos, ok := Find(set, v)
	if ok {
		return set, false
	}
	n, width := Len(set), Width(set)
	set = extend(set, width)
	at := HeaderBytes + pos*width
	copy(set[at+width:], set[at:])
	put(set, width, pos, v)
	setLen(set, n+1)
	check(set)
	return set, true
}

// widen makes all members as wide as v needs, and adds v, which is smaller or larger than all others then.
func widen(set []byte, v int64) []byte {
	n, old, width := Len(set), Width(set), widthOf(v)
	set = extend(set, (width-old)*n+width)
	shift := 0
	if v < 0 {
		shift = 1
	}
	for i := n - 1; i >= 0; i-- { // from the end: nothing is overwritten before it is read
		put(set, width, i+shift, get(set, old, i))
	}
	if v < 0 {
		put(set, width, 0, v)
	} else {
		put(set, width, n, v)
	}
	set[0] = byte(width)
	setLen(set, n+1)
	check(set)
	return set
}

// Remove removes v. removed is false if it was no member.
func Remove(set []byte, v int64) (out []byte, removed bool) {
	if widthOf(v) > Width(set) {
		return set, false
	}
	pos, ok := Find(set, v)
	if !ok {
		return set, false
	}
	return RemoveAt(set, pos, 1), true
}

// RemoveAt removes count members beginning with the one of index pos. They must exist.
func RemoveAt(set []byte, pos, count int) []byte {
	n, width := Len(set), Width(set)
	at := HeaderBytes + pos*width
	kept := copy(set[at:], set[at+count*width:])
	set = set[:at+kept]
	setLen(set, n-count)
	check(set)
	return set
}

// extend lengthens set by extra bytes of any content.
func extend(set []byte, extra int) []byte {
	n := len(set)
	if n+extra > cap(set) {
		set = slices.Grow(set, extra)
	}
	return set[:n+extra]
}

func setLen(set []byte, n int) {
	if n > math.MaxUint32 {
		panic("intset: more members than the header can tell")
	}
	binary.LittleEndian.PutUint32(set[4:], uint32(n))
}

// ErrCorrupt is the error of bytes that are no intset.
var ErrCorrupt = errors.New("intset: corrupt")

// Validate checks that b is a set and nothing more. Without deep it looks at header and length only, in O(1), after which every
// other function is safe, though they make little sense of members that do not ascend; with deep it looks at the members too.
// An empty set is valid. The error wraps ErrCorrupt.
func Validate(b []byte, deep bool) error {
	if len(b) < HeaderBytes {
		return fmt.Errorf("%w: %d bytes", ErrCorrupt, len(b))
	}
	width, n := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	if width != 2 && width != 4 && width != 8 {
		return fmt.Errorf("%w: members of %d bytes", ErrCorrupt, width)
	}
	if uint64(len(b)-HeaderBytes) != uint64(width)*uint64(n) {
		return fmt.Errorf("%w: %d bytes for %d members of %d bytes", ErrCorrupt, len(b), n, width)
	}
	if !deep {
		return nil
	}
	for i := 1; i < int(n); i++ {
		if get(b, int(width), i-1) >= get(b, int(width), i) {
			return fmt.Errorf("%w: members do not ascend at %d", ErrCorrupt, i)
		}
	}
	return nil
}

// check panics when set is broken, in builds with invariants.
func check(set []byte) {
	if !invariants.Enabled {
		return
	}
	if err := Validate(set, len(set) <= 1024); err != nil {
		panic(err)
	}
}
