package command

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/prefetch"
)

// sortVector is what SORT sorts.
//
// Every element has a key of 64 bits whose order is the wanted one as far as it goes: the bits of its score, or eight bytes
// of a text, the first ones in which not all texts are equal. Only where two keys are equal are the texts compared. So
// what is sorted is a slice of 16 bytes an element, and little else is touched while sorting.
//
// The order is total, and so the result does not depend on how it is sorted: elements of equal score are in the order of
// their bytes, as in Redis. Redis leaves open how elements of equal BY texts are ordered; here they stay in the order of
// the list, or of a packed set, and are in the order of their bytes when they come from a hash table.
type sortVector struct {
	elems  []string
	items  []sortItem // in the wanted order, once sorted
	sorted bool

	texts   []string // by element, when sorted by the texts of other keys
	missing []bool   // by element: there is no such text, which comes before the empty one
	desc    bool
	ordered bool // elems are in an order that means something
	stable  bool // elements need not be copied: nothing changes while they are in use

	key   []byte // scratch
	block []byte // where copies of texts go

	stepAside func() // lets others have the processor; nil where nobody is to go first
	since     int    // elements worked on since
}

// sortStride is how many elements are worked on, some 100 µs, before others may have the processor.
const sortStride = 4096

// worked counts n elements that were worked on.
func (v *sortVector) worked(n int) {
	if v.since += n; v.since >= sortStride {
		v.since = 0
		if v.stepAside != nil {
			v.stepAside()
		}
	}
}

// sortItem is an element to be sorted.
type sortItem struct {
	key uint64
	at  uint32 // index in elems
}

// stringBytes returns the bytes of s, which must not be changed.
func stringBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// sortBlock is how much memory for copies of texts is taken at a time.
const sortBlock = 64 << 10

// keep returns a string of the content of b, which may change afterwards.
func (v *sortVector) keep(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if cap(v.block)-len(v.block) < len(b) {
		if len(b) > sortBlock/4 {
			return string(b)
		}
		v.block = make([]byte, 0, sortBlock)
	}
	at := len(v.block)
	v.block = append(v.block, b...)
	return unsafe.String(&v.block[at], len(b)) // this part of the block is not written again
}

// add appends an element. lasting tells that its bytes stay as long as its DB does not change.
func (v *sortVector) add(b []byte, lasting bool) {
	if lasting && v.stable && len(b) > 0 {
		v.elems = append(v.elems, unsafe.String(&b[0], len(b)))
		return
	}
	v.elems = append(v.elems, v.keep(b))
}

// addInt appends the text of n.
func (v *sortVector) addInt(n int64) {
	var digits [20]byte
	v.elems = append(v.elems, v.keep(strconv.AppendInt(digits[:0], n, 10)))
}

// at returns the i-th element in the wanted order.
func (v *sortVector) at(i int) string {
	if v.sorted {
		return v.elems[v.items[i].at]
	}
	return v.elems[i]
}

// warm brings the texts of the elements that come soon after the i-th one close to the processor: in the wanted order they lie
// anywhere.
func (v *sortVector) warm(i int) {
	if j := i + 2*sortAhead; v.sorted && j < len(v.items) {
		prefetch.Read(unsafe.Pointer(&v.elems[v.items[j].at]))
		prefetch.Read(unsafe.Pointer(unsafe.StringData(v.elems[v.items[j-sortAhead].at])))
	}
}

// sortAhead is how many elements before it is needed a text is asked for.
const sortAhead = 8

// begin makes room for the keys.
func (v *sortVector) begin(desc bool) {
	v.desc = desc
	v.items = make([]sortItem, 0, len(v.elems))
}

// addScore says that the next element has this score.
func (v *sortVector) addScore(score float64) {
	b := math.Float64bits(score + 0) // -0 becomes 0
	// The bits of positive numbers ascend with them, those of negative ones descend.
	if b>>63 == 0 {
		b |= 1 << 63
	} else {
		b = ^b
	}
	v.addKey(b)
}

// addTexts makes the keys of elements that are sorted by texts: by v.texts, or by themselves when there are none.
func (v *sortVector) addTexts() {
	for range v.elems {
		v.addKey(0)
	}
	v.rekey(v.items)
}

// rekey makes new keys of items that have equal ones, from the texts that decide about them. What all of these begin with
// is left out: otherwise it may be all that is in the keys. It tells whether the new keys differ.
func (v *sortVector) rekey(items []sortItem) (differ bool) {
	texts := v.texts
	if texts == nil {
		texts = v.elems
	}
	prefix, first := "", true
	for _, it := range items {
		switch {
		case v.missing != nil && v.missing[it.at]:
		case first:
			prefix, first = texts[it.at], false
		case len(prefix) > 0:
			prefix = prefix[:commonLen(prefix, texts[it.at])]
		}
	}
	for i := range items {
		var b [8]byte
		if at := items[i].at; v.missing == nil || !v.missing[at] {
			copy(b[:], texts[at][len(prefix):])
		}
		key := binary.BigEndian.Uint64(b[:])
		if v.desc {
			key = ^key
		}
		items[i].key = key
		differ = differ || key != items[0].key
	}
	return differ
}

// commonLen returns how many bytes a and b have in common at their beginning.
func commonLen(a, b string) int {
	if strings.HasPrefix(b, a) {
		return len(a)
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	return i
}

func (v *sortVector) addKey(key uint64) {
	if v.desc {
		key = ^key
	}
	v.items = append(v.items, sortItem{key, uint32(len(v.items))})
}

// compare is the order of items.
func (v *sortVector) compare(a, b sortItem) int {
	if a.key != b.key {
		if a.key < b.key {
			return -1
		}
		return 1
	}
	return v.compareTexts(a.at, b.at)
}

// compareTexts is the order of two elements whose keys are equal.
func (v *sortVector) compareTexts(a, b uint32) int {
	var d int
	if v.texts != nil {
		switch {
		case v.missing[a] != v.missing[b]:
			d = 1
			if v.missing[a] {
				d = -1
			}
		default:
			d = cmp.Compare(v.texts[a], v.texts[b])
		}
		if d == 0 && v.ordered {
			return cmp.Compare(a, b)
		}
	}
	if d == 0 {
		d = cmp.Compare(v.elems[a], v.elems[b])
	}
	if v.desc {
		d = -d
	}
	if d == 0 {
		d = cmp.Compare(a, b)
	}
	return d
}

// sort puts the items from index from to index to in their places. Others are anywhere.
func (v *sortVector) sort(from, to int) {
	v.sorted = true
	if from == to {
		return
	}
	items := v.items
	if to < len(items) {
		v.split(items, to)
		items = items[:to]
	}
	if from > 0 {
		v.split(items, from)
		items = items[from:]
	}
	v.sortAll(items)
}

// radixFrom is the number of items from which sorting by digits is faster.
const radixFrom = 2048

// sortAll sorts items. Many are sorted digit by digit, beginning with the lowest one; what that leaves are runs of equal keys,
// which get new keys where they are long. Keys mean nothing afterwards.
func (v *sortVector) sortAll(items []sortItem) {
	if len(items) < radixFrom {
		slices.SortFunc(items, v.compare)
		return
	}
	v.radix(items)
	for i := 0; i < len(items); {
		j := i + 1
		for j < len(items) && items[j].key == items[i].key {
			j++
		}
		v.worked(j - i)
		if run := items[i:j]; len(run) >= radixFrom && v.rekey(run) {
			v.sortAll(run)
		} else if len(run) > 1 {
			slices.SortFunc(run, v.compare)
		}
		i = j
	}
}

// radix sorts items by their keys alone.
func (v *sortVector) radix(items []sortItem) {
	var counts [8][256]uint32
	for some := range slices.Chunk(items, sortStride) {
		for _, it := range some {
			for d := range counts {
				counts[d][byte(it.key>>(8*d))]++
			}
		}
		v.worked(len(some))
	}
	from, to := items, []sortItem(nil)
	for d := range counts {
		if counts[d][byte(items[0].key>>(8*d))] == uint32(len(items)) {
			continue // the same in all keys
		}
		if to == nil {
			to = make([]sortItem, len(items))
		}
		at := uint32(0)
		for b, n := range counts[d] {
			counts[d][b] = at
			at += n
		}
		for some := range slices.Chunk(from, sortStride) {
			for _, it := range some {
				b := byte(it.key >> (8 * d))
				to[counts[d][b]] = it
				counts[d][b]++
			}
			v.worked(len(some))
		}
		from, to = to, from
	}
	if &from[0] != &items[0] {
		copy(items, from)
	}
}

// split moves the n smallest items to the front. It takes linear time, as a quicksort that goes on with one side only; where
// that makes no progress it sorts after all.
func (v *sortVector) split(items []sortItem, n int) {
	for rounds := 2 * bits.Len(uint(len(items))); len(items) > 16 && n > 0 && n < len(items); rounds-- {
		if rounds == 0 {
			break
		}
		p := v.partition(items)
		if n <= p {
			items = items[:p]
		} else {
			items, n = items[p:], n-p
		}
	}
	if n > 0 && n < len(items) {
		slices.SortFunc(items, v.compare) // which leaves the keys alone
	}
}

// partition moves items so that none of the first p is larger than any of the others, 0 < p < len(items), and returns p.
func (v *sortVector) partition(items []sortItem) (p int) {
	// The pivot is the middle one of nine, so that sorted input and input of few values are split well.
	n := len(items)
	step := n / 9
	var sample [9]sortItem
	for i := range sample {
		sample[i] = items[i*step]
	}
	slices.SortFunc(sample[:], v.compare)
	pivot := sample[4]
	lo, hi := -1, n
	for {
		for lo++; v.compare(items[lo], pivot) < 0; lo++ {
		}
		for hi--; v.compare(items[hi], pivot) > 0; hi-- {
		}
		if lo >= hi {
			return lo
		}
		items[lo], items[hi] = items[hi], items[lo]
	}
}
