package set

import (
	"strconv"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/prefetch"
)

// Elem is a member of any set, large or packed, where it lies: what the operations on several sets collect. It holds no pointer that
// the garbage collector would follow, and is valid as long as the memory it was made of does not change.
type Elem struct {
	at arena.Ref // of the text, 0 for an integer
	n  int64     // length of the text, or the integer
}

// IntElem returns the member whose text is the decimal of n.
func IntElem(n int64) Elem { return Elem{n: n} }

// TextElem returns the member with this text, which must lie in the memory of an arena.
func TextElem(text []byte) Elem {
	return Elem{at: arena.Ref(uintptr(unsafe.Pointer(unsafe.SliceData(text)))), n: int64(len(text))}
}

// Elem returns m as an Elem.
func (m Member) Elem() Elem { return TextElem(m.Bytes()) }

// Int returns the integer that the element was made of.
func (e Elem) Int() (n int64, ok bool) { return e.n, e.at == 0 }

// Text returns the text of the element; that of an integer is written to scratch[:0].
func (e Elem) Text(scratch []byte) []byte {
	if e.at == 0 {
		return strconv.AppendInt(scratch[:0], e.n, 10)
	}
	return e.at.Bytes(int(e.n))
}

// Warm brings the text close to the processor.
func (e Elem) Warm() {
	if e.at != 0 {
		prefetch.Read(e.at.Ptr())
	}
}

// Len returns the length of the text, for integers an upper bound of it.
func (e Elem) Len() int {
	if e.at == 0 {
		return 20
	}
	return int(e.n)
}
