package stream

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/listpack"
)

// Blocks. A block is a listpack in the format of Redis's streams (t_stream.c describes it), so that it is saved and loaded
// as it is. Its first ID, which the entries are relative to, is not in the listpack but is its key in the tree:
//
//	entries | deleted | n | field × n | 0 | entry | entry | …
//
//	entry   flags | ms − first.ms | seq − first.seq | value × n | elements         with flagSameFields
//	        flags | ms − first.ms | seq − first.seq | m | (field | value) × m | elements
//
// elements is how many elements of the listpack the entry has, itself not counted, for readers that come from behind; the 0
// in front of the first entry is where they stop. Deleted entries keep their place and have flagDeleted.
const (
	flagDeleted    = 1
	flagSameFields = 2

	firstElem = 6 // offset of the first element of a listpack

	// maxBlockBytes is the size at which a block is full whatever the limits say, and the most bytes of text that an
	// entry may have.
	maxBlockBytes = 1 << 30
)

// header is what the first elements of a block say.
type header struct {
	entries int64 // not deleted
	deleted int64
	fields  int // number of fields of the block
	names   int // offset of the first field
	start   int // offset of the first entry
}

// intAt returns the integer at off and the offset of the next element, that of the end mark if there is none.
func intAt(lp []byte, off int) (n int64, next int) {
	if b := lp[off]; b < 0x80 { // the commonest by far
		return int64(b), off + 2
	}
	return wideIntAt(lp, off)
}

func wideIntAt(lp []byte, off int) (n int64, next int) {
	_, n, _, next = listpack.Read(lp, off)
	if next < 0 {
		next = len(lp) - 1
	}
	return n, next
}

// skip returns the offset of the element that comes n after the one at off, -1 at the end.
func skip(lp []byte, off, n int) int {
	for ; n > 0 && off >= 0; n-- {
		off = listpack.Next(lp, off)
	}
	return off
}

func readHeader(lp []byte) (h header) {
	off := firstElem
	h.entries, off = intAt(lp, off)
	h.deleted, off = intAt(lp, off)
	var n int64
	n, h.names = intAt(lp, off)
	h.fields = int(n)
	h.start = skip(lp, h.names, h.fields+1)
	return h
}

// entry is what the first elements of an entry say.
type entry struct {
	at     int // offset of the flags
	flags  int64
	id     ID
	fields int
	body   int // offset of the first value, or field
}

// readEntry reads the entry at off of a block with the given first ID and number of fields.
func readEntry(lp []byte, off int, first ID, fields int) (e entry) {
	e.at, e.fields = off, fields
	var ms, seq, n int64
	e.flags, off = intAt(lp, off)
	ms, off = intAt(lp, off)
	seq, off = intAt(lp, off)
	e.id = ID{first.Ms + uint64(ms), first.Seq + uint64(seq)}
	if e.flags&flagSameFields == 0 {
		n, off = intAt(lp, off)
		e.fields = int(n)
	}
	e.body = off
	return e
}

// end returns the offset of the element that ends the entry.
func (e *entry) end(lp []byte) int {
	n := e.fields
	if e.flags&flagSameFields == 0 {
		n *= 2
	}
	return skip(lp, e.body, n)
}

// nextEntry returns the offset of the entry behind the element at off, which ends an entry; -1 when there is none.
func nextEntry(lp []byte, off int) int {
	if _, off = intAt(lp, off); off < len(lp)-1 {
		return off
	}
	return -1
}

// prevEntry returns the offset of the entry in front of off (len(lp)-1: of the last one), -1 when there is none.
func prevEntry(lp []byte, off int) int {
	off = listpack.Prev(lp, off)
	n, _ := intAt(lp, off)
	if n == 0 {
		return -1
	}
	for ; n > 0; n-- {
		off = listpack.Prev(lp, off)
	}
	return off
}

// seekEntry returns the offset of the first entry of the block, deleted or not, with an ID ≥ id, -1 when there is none. It
// begins at the end that id is nearer to.
func seekEntry(lp []byte, h *header, first, id ID) int {
	if !first.Less(id) {
		return h.start
	}
	off := prevEntry(lp, len(lp)-1)
	if off < 0 {
		return -1
	}
	last := readEntry(lp, off, first, h.fields).id
	if last.Less(id) {
		return -1
	}
	if last.Ms-id.Ms <= id.Ms-first.Ms && (last.Ms != first.Ms || last.Seq-id.Seq <= id.Seq-first.Seq) {
		for {
			prev := prevEntry(lp, off)
			if prev < 0 || readEntry(lp, prev, first, h.fields).id.Less(id) {
				return off
			}
			off = prev
		}
	}
	for off = h.start; off >= 0; {
		e := readEntry(lp, off, first, h.fields)
		if !e.id.Less(id) {
			return off
		}
		off = nextEntry(lp, e.end(lp))
	}
	return -1
}

// lastEntryAtMost returns the offset of the last entry of the block, deleted or not, with an ID ≤ id, -1 when there is none.
func lastEntryAtMost(lp []byte, h *header, first, id ID) int {
	next, ok := id.Next()
	off := -1
	if ok {
		off = seekEntry(lp, h, first, next)
	}
	if off < 0 {
		return prevEntry(lp, len(lp)-1)
	}
	return prevEntry(lp, off)
}

// sameNames reports whether the names among fields (names and values in turn) are those of the block.
func sameNames(lp []byte, h *header, fields [][]byte) bool {
	if h.fields != len(fields)/2 {
		return false
	}
	off := h.names
	for i := 0; i < len(fields); i += 2 {
		if !listpack.Equal(lp, off, fields[i]) {
			return false
		}
		off = listpack.Next(lp, off)
	}
	return true
}

// textSize returns the most bytes that an element with a text of n bytes takes. An integer takes less than its text.
func textSize(n int) int {
	switch {
	case n < 64:
		return n + 2
	case n < 4096:
		return n + 4
	}
	return n + 10
}

// headerSize returns an upper bound of the bytes of a block without entries.
func headerSize(fields [][]byte) int {
	n := listpack.MinBytes + 3*2 + listpack.IntSize(int64(len(fields)/2))
	for i := 0; i < len(fields); i += 2 {
		n += textSize(len(fields[i]))
	}
	return n
}

// entrySize returns an upper bound of the bytes of an entry.
func entrySize(id, first ID, fields [][]byte, same bool) int {
	n := 2 + listpack.IntSize(int64(id.Ms-first.Ms)) + listpack.IntSize(int64(id.Seq-first.Seq)) + listpack.IntSize(int64(len(fields)+4))
	if !same {
		n += listpack.IntSize(int64(len(fields) / 2))
	}
	for i, f := range fields {
		if i%2 == 1 || !same {
			n += textSize(len(f))
		}
	}
	return n
}

// appendHeader begins a block of one entry with these fields (names and values in turn).
func appendHeader(dst []byte, fields [][]byte) []byte {
	lp := listpack.AppendEmpty(dst)
	lp = listpack.AppendInt(lp, 1)
	lp = listpack.AppendInt(lp, 0)
	lp = listpack.AppendInt(lp, int64(len(fields)/2))
	for i := 0; i < len(fields); i += 2 {
		lp = listpack.Append(lp, fields[i])
	}
	return listpack.AppendInt(lp, 0)
}

// appendEntry adds an entry. The header is the caller's business.
func appendEntry(lp []byte, id, first ID, fields [][]byte, same bool) []byte {
	flags, n := int64(flagSameFields), len(fields)/2
	elements := int64(n) + 3
	if !same {
		flags = 0
		elements += int64(n) + 1
	}
	lp = listpack.AppendInt(lp, flags)
	lp = listpack.AppendInt(lp, int64(id.Ms-first.Ms))
	lp = listpack.AppendInt(lp, int64(id.Seq-first.Seq))
	if same {
		for i := 1; i < len(fields); i += 2 {
			lp = listpack.Append(lp, fields[i])
		}
	} else {
		lp = listpack.AppendInt(lp, int64(n))
		for _, f := range fields {
			lp = listpack.Append(lp, f)
		}
	}
	return listpack.AppendInt(lp, elements)
}

// setCounts changes the header's numbers of entries and deleted entries. What follows may move by a few bytes.
func setCounts(lp []byte, entries, deleted int64) []byte {
	lp = listpack.ReplaceInt(lp, firstElem, entries)
	return listpack.ReplaceInt(lp, listpack.Next(lp, firstElem), deleted)
}

// textBytes returns the sum of the lengths of fields.
func textBytes(fields [][]byte) (n int) {
	for _, f := range fields {
		n += len(f)
	}
	return n
}

// bytesLimit returns the size at which a block is full.
func (l Limits) bytesLimit() int {
	if l.NodeMaxBytes <= 0 || l.NodeMaxBytes > maxBlockBytes {
		return maxBlockBytes
	}
	return l.NodeMaxBytes
}

// full reports whether a block must not take another entry with that much text.
func (l Limits) full(lp []byte, text int) bool {
	if len(lp)+text >= l.bytesLimit() {
		return true
	}
	if l.NodeMaxEntries <= 0 {
		return false
	}
	entries, off := intAt(lp, firstElem)
	deleted, _ := intAt(lp, off)
	return entries+deleted >= int64(l.NodeMaxEntries)
}

// DefaultTrimLimit returns the limit that an approximate trim has when none is given.
func DefaultTrimLimit(lim Limits) int64 {
	if lim.NodeMaxEntries <= 0 {
		return 10_000
	}
	return min(100*int64(min(lim.NodeMaxEntries, math.MaxInt32)), 1_000_000)
}
