package resp

// Writer appends replies to Buf in the protocol version of one connection. Buf may be taken and replaced between replies.
type Writer struct {
	Buf []byte
	// Proto is the protocol version, 2 or 3. Anything but 3 counts as 2.
	Proto int
	// Errs counts the error replies; LastErr is the last one's text.
	Errs    int
	LastErr string
	// Full holds the pieces of a long reply that go before Buf, see Pieces.
	Full [][]byte

	piece    int // bytes at which Buf is a piece, 0 for never
	deferred int // aggregates begun by StartDeferred: their mark must stay in Buf
}

// Pieces begins a reply that is put together in pieces of about n bytes: whenever an element ends beyond them, Buf is put
// aside in Full and a new one begun. One slice for a reply of many megabytes would be copied over and over while it
// grows. With n = 0 all goes into Buf.
func (w *Writer) Pieces(n int) { w.piece, w.deferred = n, 0 }

// Adopt appends pieces of replies, which become the Writer's. They are not copied. REQUIRES: Pieces was called, not with 0, and
// no StartDeferred is open.
func (w *Writer) Adopt(pieces ...[]byte) {
	if len(w.Buf) > 0 {
		w.Full = append(w.Full, w.Buf)
	}
	last := len(pieces) - 1
	w.Full = append(w.Full, pieces[:last]...)
	w.Buf = pieces[last]
}

// Rewind drops what was appended since Buf, with Full empty, was mark bytes long.
func (w *Writer) Rewind(mark int) {
	if len(w.Full) > 0 {
		w.Buf, w.Full = w.Full[0], nil
	}
	w.Buf = w.Buf[:mark]
}

// ended ends an element.
func (w *Writer) ended() {
	if w.piece != 0 && len(w.Buf) >= w.piece && w.deferred == 0 {
		w.Full = append(w.Full, w.Buf)
		w.Buf = make([]byte, 0, w.piece+w.piece/8)
	}
}

// OK appends the simple string OK.
func (w *Writer) OK() { w.Buf = append(w.Buf, "+OK\r\n"...) }

// Simple appends a simple string, in which line breaks become spaces.
func (w *Writer) Simple(s string) { w.Buf = AppendSimple(w.Buf, s) }

// Error appends an error reply. msg starts with the code word ("ERR syntax error"); line breaks in it become spaces.
func (w *Writer) Error(msg string) {
	w.LastErr = oneLine(msg)
	w.Errs++
	w.Buf = append(w.Buf, '-')
	w.Buf = append(w.Buf, w.LastErr...)
	w.Buf = append(w.Buf, '\r', '\n')
}

// Int appends an integer.
func (w *Writer) Int(n int64) {
	w.Buf = AppendInt(w.Buf, n)
	w.ended()
}

// Bulk appends a bulk string.
func (w *Writer) Bulk(b []byte) {
	w.Buf = AppendBulk(w.Buf, b)
	w.ended()
}

// BulkString appends a bulk string.
func (w *Writer) BulkString(s string) {
	w.Buf = AppendBulkString(w.Buf, s)
	w.ended()
}

// Null appends the null value, in RESP2 the null bulk string.
func (w *Writer) Null() {
	if w.Proto == 3 {
		w.Buf = append(w.Buf, "_\r\n"...)
		return
	}
	w.Buf = append(w.Buf, "$-1\r\n"...)
}

// NullArray appends the null value, in RESP2 the null array.
func (w *Writer) NullArray() {
	if w.Proto == 3 {
		w.Buf = append(w.Buf, "_\r\n"...)
		return
	}
	w.Buf = append(w.Buf, "*-1\r\n"...)
}

// Array appends the header of an array; the caller appends its n elements.
func (w *Writer) Array(n int) { w.Buf = AppendArray(w.Buf, n) }

// Map appends the header of a map; the caller appends n keys, each followed by its value. In RESP2 they are one flat array.
func (w *Writer) Map(n int) {
	kind, size := w.mapHead(n)
	w.Buf = appendHead(w.Buf, kind, size)
}

// Set appends the header of a set, in RESP2 of an array; the caller appends its n members.
func (w *Writer) Set(n int) { w.Buf = appendHead(w.Buf, w.kind('~'), int64(n)) }

// Push appends the header of an out-of-band message of n elements, in RESP2 of an array.
func (w *Writer) Push(n int) { w.Buf = appendHead(w.Buf, w.kind('>'), int64(n)) }

// Attr appends the header of n attribute pairs, which go before the reply they describe. RESP2 has nothing of the kind and a
// RESP2 client would take them for the reply, so the caller must not come here with one: Attr panics.
func (w *Writer) Attr(n int) {
	if w.Proto != 3 {
		panic("resp: attributes need RESP3")
	}
	w.Buf = appendHead(w.Buf, '|', int64(n))
}

// kind is the first byte of an aggregate that RESP2 clients get as an array.
func (w *Writer) kind(resp3 byte) byte {
	if w.Proto == 3 {
		return resp3
	}
	return '*'
}

func (w *Writer) mapHead(n int) (kind byte, size int64) {
	if w.Proto == 3 {
		return '%', int64(n)
	}
	return '*', 2 * int64(n)
}

// Double appends a double, in RESP2 as a bulk string.
func (w *Writer) Double(f float64) {
	if w.Proto == 3 {
		w.Buf = appendDouble(w.Buf, f)
		return
	}
	w.Buf = appendDoubleBulk(w.Buf, f)
}

// DoubleBulk appends the text of a double as a bulk string, in either protocol.
func (w *Writer) DoubleBulk(f float64) {
	w.Buf = appendDoubleBulk(w.Buf, f)
	w.ended()
}

// Bool appends a boolean, in RESP2 the integer 1 or 0.
func (w *Writer) Bool(b bool) {
	switch {
	case w.Proto == 3 && b:
		w.Buf = append(w.Buf, "#t\r\n"...)
	case w.Proto == 3:
		w.Buf = append(w.Buf, "#f\r\n"...)
	case b:
		w.Buf = append(w.Buf, ":1\r\n"...)
	default:
		w.Buf = append(w.Buf, ":0\r\n"...)
	}
}

// BigNumber appends an integer of any size, given in decimal; in RESP2 as a bulk string.
func (w *Writer) BigNumber(s string) {
	if w.Proto != 3 {
		w.BulkString(s)
		return
	}
	w.Buf = append(w.Buf, '(')
	w.Buf = append(w.Buf, oneLine(s)...)
	w.Buf = append(w.Buf, '\r', '\n')
}

// Verbatim appends a text with its format, three letters such as "txt" or "mkd"; in RESP2 as a bulk string without it.
func (w *Writer) Verbatim(format3, s string) {
	if w.Proto != 3 {
		w.BulkString(s)
		return
	}
	format := [4]byte{' ', ' ', ' ', ':'}
	copy(format[:3], format3)
	w.Buf = appendHead(w.Buf, '=', int64(len(s)+len(format)))
	w.Buf = append(w.Buf, format[:]...)
	w.Buf = append(w.Buf, s...)
	w.Buf = append(w.Buf, '\r', '\n')
}

// Raw appends bytes that are replies already.
func (w *Writer) Raw(b []byte) { w.Buf = append(w.Buf, b...) }

// deferredHead is what StartDeferred sets aside: a header with one digit. Longer ones make room by moving the elements, which are then so
// many that the move costs little beside having written them.
const deferredHead = "*0\r\n"

// StartDeferred begins an aggregate whose length is not known yet. The caller appends the elements, then calls one of the EndDeferred
// methods with the mark. To drop what it has written, it cuts Buf back to Buf[:mark] instead.
func (w *Writer) StartDeferred() (mark int) {
	mark = len(w.Buf)
	w.deferred++
	w.Buf = append(w.Buf, deferredHead...)
	return mark
}

// EndDeferredArray makes what was appended since mark an array of n elements.
func (w *Writer) EndDeferredArray(mark, n int) { w.endDeferred(mark, '*', int64(n)) }

// EndDeferredMap makes what was appended since mark a map of n pairs.
func (w *Writer) EndDeferredMap(mark, n int) {
	kind, size := w.mapHead(n)
	w.endDeferred(mark, kind, size)
}

// EndDeferredSet makes what was appended since mark a set of n members.
func (w *Writer) EndDeferredSet(mark, n int) { w.endDeferred(mark, w.kind('~'), int64(n)) }

func (w *Writer) endDeferred(mark int, kind byte, n int64) {
	w.deferred--
	if uint64(n) <= 9 {
		w.Buf[mark], w.Buf[mark+1] = kind, '0'+byte(n)
		return
	}
	var line [32]byte
	head := appendHead(line[:0], kind, n)
	body := mark + len(deferredHead)
	more := len(head) - len(deferredHead)
	w.Buf = append(w.Buf, head[:more]...) // any bytes: they are overwritten
	copy(w.Buf[body+more:], w.Buf[body:len(w.Buf)-more])
	copy(w.Buf[mark:], head)
}
