package list

// Compression. With Options.Depth d > 0, the chunks that are at least d away from both ends are kept in LZF if that makes them smaller.
// Whatever adds, removes or changes chunks calls one of the functions below afterwards.
const (
	minZip  = 48 // smaller chunks are not compressed
	minGain = 9  // nor those that become smaller by less
)

// fix makes the chunk of that rank compressed or not, as it should be. A rank that there is not is none of its business.
func (l *List) fix(rank int) {
	if l.opts.Depth == 0 || rank < 0 || rank >= l.n {
		return
	}
	c := l.at(rank)
	was := c
	if rank >= l.opts.Depth && l.n-1-rank >= l.opts.Depth {
		l.zip(&c)
	} else {
		l.unzip(&c)
	}
	if c != was {
		l.setChunk(rank, c, 0)
	}
}

// fixEnds mends the borders between compressed chunks and others after one chunk came or went at an end.
func (l *List) fixEnds() {
	d := l.opts.Depth
	l.fix(d - 1)
	l.fix(d)
	if l.n-d != d {
		l.fix(l.n - d)
		l.fix(l.n - 1 - d)
	}
}

// fixAround mends the borders, and the chunks near rank, after a change there that took or added a few.
func (l *List) fixAround(rank int) {
	d := l.opts.Depth
	if d == 0 {
		return
	}
	const few = 4
	for i := -few; i <= few; i++ {
		l.fix(rank + i)
		l.fix(d + i)
		l.fix(l.n - 1 - d + i)
	}
}

// fixAll mends everything near the ends, and the chunks near rank, after any number of chunks went.
func (l *List) fixAll(rank int) {
	d := min(l.opts.Depth, l.n)
	for i := range d {
		l.fix(i)
		l.fix(l.n - 1 - i)
	}
	l.fixAround(rank)
}
