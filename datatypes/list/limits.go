package list

import "math"

// Options are fixed when a list is made, as those of a Redis quicklist are: later changes of the configuration do not touch it.
type Options struct {
	// MaxSize is list-max-listpack-size: from -1 to -5 a chunk takes up to 4, 8, 16, 32 or 64 KiB; a positive number is how many
	// elements it takes, 0 being 1.
	MaxSize int
	// Depth is list-compress-depth: how many chunks at each end are not compressed; 0 means none is.
	Depth int
	// PlainFrom makes elements of so many bytes plain; 0 means those that are too large for a chunk.
	PlainFrom int
}

const (
	safeBytes = 8 << 10   // of a chunk whose elements are limited and not its bytes
	maxCount  = 1<<15 - 1 // the largest limit that a quicklist keeps
	maxDepth  = 1<<16 - 1 // and the largest depth
	overhead  = 8         // an element is taken to need so many bytes besides its text
	maxLevel  = 5         // size classes of MaxSize
	maxMerge  = 1 << 20   // a replaced element does not make a chunk larger than that
	noLimit   = math.MaxInt
)

// Limit tells when a listpack is full.
type Limit struct{ Bytes, Count int }

// LimitOf returns what list-max-listpack-size means, unclamped: the limit of lists that are one listpack.
func LimitOf(maxSize int) Limit {
	switch {
	case maxSize > 0:
		return Limit{safeBytes, maxSize}
	case maxSize == 0:
		return Limit{safeBytes, 1}
	}
	level := maxLevel
	if maxSize > -maxLevel {
		level = -maxSize
	}
	return Limit{2 << 10 << level, noLimit}
}

// Exceeded tells whether a listpack of so many bytes and elements is over the limit.
func (m Limit) Exceeded(bytes, count int) bool { return bytes > m.Bytes || count > m.Count }

// Shrunk tells whether a list of one chunk of so many bytes and elements is so far below the limit that it becomes one listpack
// again, after elements were removed. By half of the limit a list that wavers around it does not change all the time.
func (m Limit) Shrunk(bytes, count int) bool {
	half := Limit{Bytes: m.Bytes / 2, Count: m.Count / 2}
	if m.Count != noLimit {
		half.Bytes = noLimit // where elements are counted, bytes do not count here
	}
	return !half.Exceeded(bytes, count)
}

// settle brings o into the range that lists keep.
func (o Options) settle() Options {
	o.MaxSize = min(max(o.MaxSize, -maxLevel), maxCount)
	o.Depth = min(max(o.Depth, 0), maxDepth)
	return o
}

// plain tells whether an element of size bytes has a chunk of its own.
func (l *List) plain(size int) bool {
	if l.opts.PlainFrom > 0 {
		return size >= l.opts.PlainFrom
	}
	return size > l.limit.Bytes
}

// takes tells whether chunk c has room for one more element of size bytes, which is not plain.
func (l *List) takes(c *chunk, size int) bool {
	return !c.is(isPlain) && !l.limit.Exceeded(int(c.size)+size+overhead, int(c.count)+1)
}

// mergeable tells whether two neighbours may become one.
func (l *List) mergeable(a, b *chunk) bool {
	return !a.is(isPlain) && !b.is(isPlain) && !l.limit.Exceeded(int(a.size)+int(b.size)-emptyBytes, int(a.count)+int(b.count))
}
