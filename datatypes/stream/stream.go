package stream

import (
	"errors"
	"math"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// UnknownReads is the value of an entries-read counter that is not known.
const UnknownReads = -1

// Errors of Append.
var (
	ErrIDTooSmall = errors.New("stream: the ID is not above the last one")
	ErrTooLarge   = errors.New("stream: the entry is larger than a block may be")
)

// Limits say when a block is full: stream-node-max-bytes and stream-node-max-entries. 0 is no limit, but for the largest
// size that a block may have at all.
type Limits struct{ NodeMaxBytes, NodeMaxEntries int }

// Stream is an append-mostly log of entries with consumer groups. See the package comment for who may use it when.
//
// With n blocks (of about NodeMaxEntries entries each), Append is O(1), Delete and the first step of an iterator
// are O(log n) and a scan of one block.
type Stream struct {
	pool
	blocks     tree      // first ID of a block → block
	tailLeaf   arena.Ref // leaf whose last block may be written to as it is; 0 when that is not known
	length     int64
	first      ID // of the entries that are left; 0-0 when there are none
	last       ID // the greatest ever, or what SetLastID said
	maxDeleted ID
	added      int64
	groups     []*Group // by name
	views      int32    // live views; isView in the streams of views
	version    uint32   // changes with every change of blocks, for iterators
	headAt     uint32   // offset of the entry FirstID in the first block; 0 when that is not known
	mover      *mover   // a compaction that is under way
}

// New returns an empty stream that will live in a.
func New(a *arena.Arena) *Stream {
	s := &Stream{pool: pool{a: a}, blocks: tree{words: 1, counted: true}}
	s.charge(int64(unsafe.Sizeof(*s)))
	return s
}

// Len returns the number of entries.
func (s *Stream) Len() int { return int(s.length) }

// Bytes returns all memory of the stream, views included: pieces of the arena and the Go heap. O(1).
func (s *Stream) Bytes() int64 { return s.bytes }

// Arena returns where the stream lives.
func (s *Stream) Arena() *arena.Arena { return s.a }

// Blocks returns the number of blocks.
func (s *Stream) Blocks() int { return s.blocks.count }

// LastID returns the greatest ID that was ever added, or what SetLastID said.
func (s *Stream) LastID() ID { return s.last }

// FirstID returns the ID of the first entry, 0-0 when there is none.
func (s *Stream) FirstID() ID { return s.first }

// MaxDeletedID returns the greatest ID that Delete removed, or what SetMaxDeletedID said.
func (s *Stream) MaxDeletedID() ID { return s.maxDeleted }

// EntriesAdded returns how many entries were ever added, or what SetEntriesAdded said and those since.
func (s *Stream) EntriesAdded() int64 { return s.added }

// SetLastID changes the last ID, as XSETID does. REQUIRES: no entry is above it.
func (s *Stream) SetLastID(id ID) { s.last = id }

// SetMaxDeletedID changes the greatest deleted ID, as XSETID does.
func (s *Stream) SetMaxDeletedID(id ID) { s.maxDeleted = id }

// SetEntriesAdded changes the number of entries ever added, as XSETID does.
func (s *Stream) SetEntriesAdded(n int64) { s.added = n }

// NextID returns the ID that "*" stands for at the time nowMs (unix milliseconds): nowMs-0 or, when the last ID is not
// below that, the one after the last. It is not ok when the last ID is MaxID.
func (s *Stream) NextID(nowMs uint64) (id ID, ok bool) {
	if nowMs > s.last.Ms {
		return ID{nowMs, 0}, true
	}
	return s.last.Next()
}

// NextSeq returns the ID that "ms-*" stands for: the first one in millisecond ms above the last ID. It is not ok when
// there is none.
func (s *Stream) NextSeq(ms uint64) (id ID, ok bool) {
	switch {
	case ms < s.last.Ms:
		return ID{}, false
	case ms > s.last.Ms:
		return ID{ms, 0}, true
	}
	return ID{ms, s.last.Seq + 1}, s.last.Seq < math.MaxUint64
}
