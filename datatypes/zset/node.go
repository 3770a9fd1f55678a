package zset

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/prefetch"
)

// A record is an object of the arena: 8 bytes of score (IEEE 754, little endian, as it was given: -0 stays -0), uvarint length,
// member. The dict and the leaves of the tree refer to the same record.
const recordKeyOff = 8

// record is the ref of a record.
type record = uint64

func recordSize(member int) int {
	return recordKeyOff + (bits.Len(uint(member)|1)+6)/7 + member
}

func putRecord(r arena.Ref, member []byte, score float64) {
	b := r.Bytes(recordKeyOff + binary.MaxVarintLen64 + len(member))
	binary.LittleEndian.PutUint64(b, math.Float64bits(score))
	n := binary.PutUvarint(b[recordKeyOff:], uint64(len(member)))
	copy(b[recordKeyOff+n:], member)
}

func recordPtr(r record) unsafe.Pointer { return arena.Ref(r).Ptr() }

func scoreOf(r record) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64((*[8]byte)(recordPtr(r))[:]))
}

func setScore(r record, score float64) {
	binary.LittleEndian.PutUint64((*[8]byte)(recordPtr(r))[:], math.Float64bits(score))
}

func keyOf(r record) uint64 { return orderedKey(scoreOf(r)) }

func memberOf(r record) []byte {
	p := unsafe.Add(recordPtr(r), recordKeyOff)
	n := int(*(*uint8)(p))
	p = unsafe.Add(p, 1)
	if n >= 0x80 {
		for shift := 7; ; shift += 7 {
			b := int(*(*uint8)(p))
			p = unsafe.Add(p, 1)
			n += (b - 1) << shift // the 1 takes back the top bit of the byte before
			if b < 0x80 {
				break
			}
		}
	}
	return unsafe.Slice((*byte)(p), n)
}

// orderedKey maps scores to integers of the same order. Both zeros are one. The key after that of a score is
// that of the next score, and there is one after that of inf: it serves as an exclusive bound.
func orderedKey(score float64) uint64 {
	if score == 0 {
		return 1 << 63
	}
	b := math.Float64bits(score)
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}

// compareTo returns the order of (key, member) and record r.
func compareTo(key uint64, member []byte, r record) int {
	if k := keyOf(r); k != key {
		if key < k {
			return -1
		}
		return 1
	}
	return bytes.Compare(member, memberOf(r))
}

// node is the ref of a node of the tree. It starts with 16 bytes:
//
//	0   leaf: key that tags count from
//	8   uint16 entries
//	10  uint16 entries it has room for
//	12  level: 0 is a leaf
//	13  leaf: shift of tags
//	14  leaf: uint16 number of entries below which the tags are not looked at again
//
// A leaf of room c goes on with c tags of 2 bytes and c records of 6 bytes, in order. A tag says roughly where a score is between
// the lowest and the highest of the leaf: min((key-base)>>shift, 65535), 0 for keys below. It rises with the key whatever base
// and shift are, so that a search in the leaf reads 2 to 4 neighbouring cache lines of tags and then only records whose
// tag is that of the wanted one, mostly one or none. How well tags tell scores apart is a matter of speed alone; they are computed
// anew when a leaf splits, merges, or finds too many of them alike as it grows.
//
// An inner node of room c goes on with four arrays of c words, each about child i: the key of its lowest record, that record, the
// child, the number of records below it. All of them are always exact.
type node arena.Ref

const (
	nodeHead   = 16
	nodeMax    = 1024
	leafEntry  = 8
	innerEntry = 32

	leafMax  = (nodeMax - nodeHead) / leafEntry
	innerMax = (nodeMax - nodeHead) / innerEntry

	// maxHeight bounds the levels of a tree: with the least number of children each it holds 31·7^14 records. Only at the
	// two edges, where append splits leave them, are there thinner nodes.
	maxHeight = 15

	maxTag = math.MaxUint16
)

// limits says how many entries nodes of a kind have.
type limits struct {
	most  int // full
	least int // below which a node is joined with a neighbour, or gets some from it
	join  int // most in a node made of two: room is left so that it does not split at once
}

func limitsOf(most int) limits { return limits{most: most, least: most / 4, join: most * 3 / 4} }

// leafLimits and innerLimits are variables so that tests reach high trees with few records.
var leafLimits, innerLimits = limitsOf(leafMax), limitsOf(innerMax)

// nodeSize rounds to a size class of the arena that is a multiple of 16: eight steps per doubling. A leaf has the size that its entries
// need, so that leaves are 95 % full on average however the records come; with one size random order would fill 69 %.
func nodeSize(bytes int) int {
	step := 1 << max(4, bits.Len(uint(bytes-1))-4)
	return (bytes + step - 1) &^ (step - 1)
}

func leafSize(n int) int  { return min(nodeSize(nodeHead+leafEntry*n), nodeMax) }
func innerSize(n int) int { return min(nodeSize(nodeHead+innerEntry*n), nodeMax) }

func (n node) at(off int) unsafe.Pointer { return unsafe.Add(arena.Ref(n).Ptr(), off) }

func (n node) base() uint64       { return *(*uint64)(n.at(0)) }
func (n node) setBase(k uint64)   { *(*uint64)(n.at(0)) = k }
func (n node) count() int         { return int(*(*uint16)(n.at(8))) }
func (n node) setCount(c int)     { *(*uint16)(n.at(8)) = uint16(c) }
func (n node) room() int          { return int(*(*uint16)(n.at(10))) }
func (n node) level() int         { return int(*(*uint8)(n.at(12))) }
func (n node) shift() uint        { return uint(*(*uint8)(n.at(13))) }
func (n node) setShift(s uint)    { *(*uint8)(n.at(13)) = uint8(s) }
func (n node) retagFrom() int     { return int(*(*uint16)(n.at(14))) }
func (n node) setRetagFrom(c int) { *(*uint16)(n.at(14)) = uint16(c) }

// Leaves.

func (n node) tags() []uint16 { return unsafe.Slice((*uint16)(n.at(nodeHead)), n.room()) }

// recOff returns the offset of record i. The 2 bytes in front of it belong to the node as well: it is read as one word.
func (n node) recOff(i int) int { return nodeHead + 2*n.room() + 6*i }

func (n node) rec(i int) record {
	return binary.LittleEndian.Uint64((*[8]byte)(n.at(n.recOff(i) - 2))[:]) >> 16
}

func (n node) setRec(i int, r record) {
	b := (*[6]byte)(n.at(n.recOff(i)))
	binary.LittleEndian.PutUint32(b[:], uint32(r))
	binary.LittleEndian.PutUint16(b[4:], uint16(r>>32))
}

// recBytes returns the bytes of records i to j.
func (n node) recBytes(i, j int) []byte {
	return unsafe.Slice((*byte)(n.at(n.recOff(i))), 6*(j-i))
}

func tagOf(key, base uint64, shift uint) uint16 {
	if key <= base {
		return 0
	}
	if d := (key - base) >> (shift & 63); d < maxTag {
		return uint16(d)
	}
	return maxTag
}

func (n node) tagFor(key uint64) uint16 { return tagOf(key, n.base(), n.shift()) }

// lower returns the number of entries of the leaf that are below (key, member).
func (n node) lower(key uint64, member []byte) int {
	tags := n.tags()[:n.count()]
	tag := n.tagFor(key)
	lo, hi := 0, len(tags)
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if tags[m] < tag {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo == len(tags) || tags[lo] != tag {
		return lo
	}
	hi = lo + 1
	if hi < len(tags) && tags[hi] == tag {
		hi = len(tags)
	}
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if tags[m] == tag && compareTo(key, member, n.rec(m)) > 0 {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// insert puts r at place i of a leaf that has room.
func (n node) insert(i int, r record, key uint64) {
	c := n.count()
	tags := n.tags()
	copy(tags[i+1:c+1], tags[i:c])
	tags[i] = n.tagFor(key)
	if i < c {
		copy(n.recBytes(i+1, c+1), n.recBytes(i, c))
	}
	n.setRec(i, r)
	n.setCount(c + 1)
}

// remove takes entries i to j out of a leaf.
func (n node) remove(i, j int) {
	c := n.count()
	if j < c {
		tags := n.tags()
		copy(tags[i:], tags[j:c])
		copy(n.recBytes(i, i+c-j), n.recBytes(j, c))
	}
	n.setCount(c - (j - i))
}

// move takes entry i of a leaf to place j, where its key is now key.
func (n node) move(i, j int, key uint64) {
	tags, r := n.tags(), n.rec(i)
	switch {
	case i < j:
		copy(tags[i:j], tags[i+1:j+1])
		copy(n.recBytes(i, j), n.recBytes(i+1, j+1))
	case j < i:
		copy(tags[j+1:i+1], tags[j:i])
		copy(n.recBytes(j+1, i+1), n.recBytes(j, i))
	}
	tags[j] = n.tagFor(key)
	n.setRec(j, r)
}

// fill makes the first entries of a leaf with room for them, in order, with the tags that suit them best.
func (n node) fill(keys []uint64, recs []record) {
	c := len(recs)
	n.setCount(c)
	low, high := keys[0], keys[c-1]
	shift := uint(max(0, bits.Len64(high-low)-16))
	n.setBase(low)
	n.setShift(shift)
	tags := n.tags()
	distinct, last := 0, -1
	for i, r := range recs {
		t := tagOf(keys[i], low, shift)
		if int(t) != last {
			distinct, last = distinct+1, int(t)
		}
		tags[i] = t
		n.setRec(i, r)
	}
	n.setRetagFrom(0)
	if distinct < c/2 {
		n.setRetagFrom(2 * c) // scores are equal, not just close: trying again soon would be in vain
	}
}

// tagsPoor tells that so many tags are alike that computing them anew might pay.
func (n node) tagsPoor() bool {
	c := n.count()
	if c < n.retagFrom() {
		return false
	}
	distinct, last := 0, -1
	for _, t := range n.tags()[:c] {
		if int(t) != last {
			distinct, last = distinct+1, int(t)
		}
	}
	return distinct < c-c/4
}

// load appends the entries of a leaf. The records are announced before they are read: their cache misses overlap.
func (n node) load(keys []uint64, recs []record) ([]uint64, []record) {
	from := len(recs)
	for i := range n.count() {
		r := n.rec(i)
		prefetch.Read(recordPtr(r))
		recs = append(recs, r)
	}
	for _, r := range recs[from:] {
		keys = append(keys, keyOf(r))
	}
	return keys, recs
}

// warm announces that the node will be searched: its head and its tags or keys.
func (n node) warm() {
	prefetch.Read(n.at(0))
	prefetch.Read(n.at(128))
}

// Inner nodes.

func (n node) words(array int) []uint64 {
	c := n.room()
	return unsafe.Slice((*uint64)(n.at(nodeHead+8*c*array)), c)
}

func (n node) keys() []uint64   { return n.words(0)[:n.count()] }
func (n node) lows() []record   { return n.words(1)[:n.count()] }
func (n node) kids() []uint64   { return n.words(2)[:n.count()] }
func (n node) counts() []uint64 { return n.words(3)[:n.count()] }

func (n node) kid(i int) node { return node(n.words(2)[i]) }

// child returns the child in which (key, member) is or belongs: the last whose lowest record is not above, else the first.
func (n node) child(key uint64, member []byte) int {
	keys := n.keys()
	lo, hi := 1, len(keys)
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		k := keys[m]
		if k < key || k == key && bytes.Compare(memberOf(n.words(1)[m]), member) <= 0 {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo - 1
}

// childAt returns the child with the record of a rank, and how many records are in the children before it.
func (n node) childAt(rank int) (i, before int) {
	counts := n.counts()
	left := uint64(rank)
	for i, c := range counts[:len(counts)-1] {
		if left < c {
			return i, rank - int(left)
		}
		left -= c
	}
	return len(counts) - 1, rank - int(left)
}

// before returns how many records are in the children before i.
func (n node) before(i int) int {
	sum := uint64(0)
	for _, c := range n.counts()[:i] {
		sum += c
	}
	return int(sum)
}

// total returns how many records are below the node.
func (n node) total() int {
	if n.level() == 0 {
		return n.count()
	}
	return n.before(n.count())
}

// low returns the lowest record below the node.
func (n node) low() record {
	if n.level() == 0 {
		return n.rec(0)
	}
	return n.words(1)[0]
}

func (n node) setLow(i int, r record, key uint64) {
	n.words(0)[i], n.words(1)[i] = key, r
}

// insertKid puts a child at place i of an inner node that has room.
func (n node) insertKid(i int, kid node, low record, key uint64, count int) {
	c := n.count()
	for a, v := range [4]uint64{key, low, uint64(kid), uint64(count)} {
		w := n.words(a)
		copy(w[i+1:c+1], w[i:c])
		w[i] = v
	}
	n.setCount(c + 1)
}

// removeKid takes child i out.
func (n node) removeKid(i int) {
	c := n.count()
	for a := range 4 {
		w := n.words(a)
		copy(w[i:], w[i+1:c])
	}
	n.setCount(c - 1)
}

// appendKids appends children i to j of another inner node.
func (n node) appendKids(from node, i, j int) {
	c := n.count()
	for a := range 4 {
		copy(n.words(a)[c:], from.words(a)[i:j])
	}
	n.setCount(c + j - i)
}
