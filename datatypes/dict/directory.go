package dict

import "unsafe"

// directory finds the segment of a hash. It has two levels, so that the largest copy a single Insert can cause is 16 KiB
// (one leaf) or the top, which is 2 KiB at 10^8 records; one flat array would stop the shard for a millisecond when it doubles.
//
//	hash  │ leaf.prefix bits │ leaf bits │ …
//	       ▼                  ▼
//	top ─► [leaf leaf …] ──► entries [e e e e …]
//
// Both levels are extendible: a leaf of prefix P stands in 2^(topBits-P) places of the top, an entry of depth d in
// 2^(P+bits-d) places of its leaf. A segment never spans leaves: d ≥ P.
type directory struct {
	top      []*leaf
	topShift uint8 // 64 - bits of the top
	maxDepth uint8 // of any leaf: prefix + bits
	bytes    int64
}

type leaf struct {
	entries []entry
	prefix  uint8  // hash bits that choose this leaf
	shift   uint8  // 64 - bits of entries
	deep    uint32 // segments with one entry; when there is none, half the entries are superfluous
}

const (
	leafBytes = int64(unsafe.Sizeof(leaf{}))
	wordBytes = 8
)

// maxLeafBits is a variable so that tests reach the second level with few records.
var maxLeafBits uint = 11

func (l *leaf) bits() uint  { return uint(64 - l.shift) }
func (l *leaf) depth() uint { return uint(l.prefix) + l.bits() }

func (l *leaf) index(hash uint64) uint64 { return hash << l.prefix >> l.shift }

func (t *directory) leaf(hash uint64) *leaf { return t.top[hash>>t.topShift] }

// entry returns the entry of the segment that hash belongs to. REQUIRES: the dict is not empty.
func (t *directory) entry(hash uint64) entry {
	l := t.top[hash>>t.topShift]
	return l.entries[hash<<(l.prefix&63)>>l.shift]
}

func (t *directory) begin(e entry) {
	*t = directory{top: []*leaf{{entries: []entry{e}, shift: 64, deep: 1}}, topShift: 64}
	t.bytes = wordBytes + leafBytes + wordBytes
}

// set replaces the entries of the segment with e's prefix and depth.
func (t *directory) set(prefix uint64, e entry) {
	l := t.leaf(prefix)
	i := l.index(prefix)
	n := uint64(1) << (l.depth() - e.depth())
	for j := range n {
		l.entries[i+j] = e
	}
}

// split replaces the segment at prefix by its halves lo and hi.
func (t *directory) split(prefix uint64, lo, hi entry) {
	depth := lo.depth()
	l := t.leaf(prefix)
	if l.depth() < depth {
		if l.bits() == maxLeafBits {
			t.splitLeaf(prefix)
			l = t.leaf(prefix)
		}
		l.double()
		t.bytes += int64(len(l.entries)/2) * wordBytes
		t.maxDepth = max(t.maxDepth, uint8(l.depth()))
	}
	if l.depth() == depth {
		l.deep += 2
	}
	t.set(prefix, lo)
	t.set(prefix+span(depth), hi)
}

func (l *leaf) double() {
	entries := make([]entry, 2*len(l.entries))
	for i, e := range l.entries {
		entries[2*i], entries[2*i+1] = e, e
	}
	l.entries, l.shift, l.deep = entries, l.shift-1, 0
}

// splitLeaf makes two leaves out of a full one; the top doubles when it does not tell them apart yet.
func (t *directory) splitLeaf(prefix uint64) {
	l := t.leaf(prefix)
	if uint(l.prefix) == uint(64-t.topShift) {
		top := make([]*leaf, 2*len(t.top))
		for i, l := range t.top {
			top[2*i], top[2*i+1] = l, l
		}
		t.bytes += int64(len(t.top)) * wordBytes
		t.top = top
		t.topShift--
	}
	half := len(l.entries) / 2
	for i, entries := range [][]entry{l.entries[:half], l.entries[half:]} {
		child := &leaf{entries: append(make([]entry, 0, half), entries...), prefix: l.prefix + 1, shift: l.shift + 1}
		child.recount()
		t.tighten(child) // only ever the half that prefix is not in
		t.setLeaf(prefixOf(prefix, uint(l.prefix))+uint64(i)*span(uint(child.prefix)), child)
	}
	t.bytes += leafBytes
}

// tighten halves a leaf while no segment needs its last bit. It reports whether it did.
func (t *directory) tighten(l *leaf) (done bool) {
	for l.deep == 0 && l.bits() > 0 {
		half := make([]entry, len(l.entries)/2)
		for i := range half {
			half[i] = l.entries[2*i]
		}
		t.bytes -= int64(len(half)) * wordBytes
		l.entries, l.shift = half, l.shift+1
		l.recount()
		done = true
	}
	return done
}

// setLeaf puts l in all places of the top for its prefix.
func (t *directory) setLeaf(prefix uint64, l *leaf) {
	i := prefix >> t.topShift
	n := uint64(1) << (uint(64-t.topShift) - uint(l.prefix))
	for j := range n {
		t.top[i+j] = l
	}
}

func (l *leaf) recount() {
	l.deep = 0
	for _, e := range l.entries {
		if e.depth() == l.depth() {
			l.deep++
		}
	}
}

// merge replaces the two segments that share prefix by e, one bit shallower than they were.
func (t *directory) merge(prefix uint64, e entry) {
	l := t.leaf(prefix)
	if uint(l.prefix) > e.depth() {
		// Each half was a leaf of its own with a single entry: one leaf is enough.
		joined := &leaf{entries: []entry{e}, prefix: l.prefix - 1, shift: 64, deep: 1}
		t.setLeaf(prefix, joined)
		t.bytes -= leafBytes + wordBytes
		t.shrinkTop()
		return
	}
	if l.depth() == e.depth()+1 {
		l.deep -= 2
	}
	t.set(prefix, e)
	if t.tighten(l) {
		t.remeasure()
	}
}

// shrinkTop halves the top while no leaf needs its last bit.
func (t *directory) shrinkTop() {
	for len(t.top) > 1 {
		bits := 64 - t.topShift
		for _, l := range t.top {
			if l.prefix == bits {
				t.remeasure()
				return
			}
		}
		half := make([]*leaf, len(t.top)/2)
		for i := range half {
			half[i] = t.top[2*i]
		}
		t.bytes -= int64(len(half)) * wordBytes
		t.top = half
		t.topShift++
	}
	t.remeasure()
}

func (t *directory) remeasure() {
	t.maxDepth = 0
	for _, l := range t.top {
		t.maxDepth = max(t.maxDepth, uint8(l.depth()))
	}
}
