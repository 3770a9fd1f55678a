package zset

import (
	"bytes"
	"fmt"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/dict"
)

// checkSometimes checks small sets after every change, others of up to some size after one in 256, as if by chance.
func (z *ZSet) checkSometimes() {
	n := z.dict.Len()
	if n <= 64 || n < 1<<14 && uint64(z.pieces+int64(n))*0x9e3779b97f4a7c15>>56 == 0 {
		z.check()
	}
}

// check panics when anything in the set contradicts anything else. O(n log n).
func (z *ZSet) check() {
	if (z.root == 0) != (z.dict.Len() == 0) {
		panic("zset: tree and dict differ in being empty")
	}
	c := checker{z: z}
	if z.root != 0 {
		if z.root.level() != z.height || z.height > 0 && z.root.count() < 2 {
			panic("zset: wrong height")
		}
		c.node(z.root, z.height)
	}
	if c.n != z.dict.Len() || c.pieces != z.pieces {
		panic(fmt.Sprintf("zset: %d records in %d bytes, dict has %d and %d are counted", c.n, c.pieces, z.dict.Len(), z.pieces))
	}
}

type checker struct {
	z      *ZSet
	n      int
	pieces int64
	last   record
}

func (c *checker) node(n node, level int) {
	a := c.z.arena
	c.pieces += int64(a.SizeOf(arena.Ref(n)))
	if n.level() != level || n.count() == 0 || n.count() > n.room() {
		panic(fmt.Sprintf("zset: node of level %d, not %d, with %d entries of %d", n.level(), level, n.count(), n.room()))
	}
	if level == 0 {
		c.leaf(n)
		return
	}
	for i, kid := range n.kids() {
		kid, from := node(kid), c.n
		low := n.lows()[i]
		if kid.low() != low || n.keys()[i] != keyOf(low) {
			panic("zset: wrong lowest record of a child")
		}
		c.node(kid, level-1)
		if uint64(c.n-from) != n.counts()[i] {
			panic(fmt.Sprintf("zset: child has %d records, not %d", c.n-from, n.counts()[i]))
		}
	}
}

func (c *checker) leaf(n node) {
	for i, tag := range n.tags()[:n.count()] {
		r := n.rec(i)
		c.pieces += int64(c.z.arena.SizeOf(arena.Ref(r)))
		member := memberOf(r)
		if tag != n.tagFor(keyOf(r)) {
			panic(fmt.Sprintf("zset: wrong tag of %q", member))
		}
		if c.n > 0 && compareTo(keyOf(c.last), memberOf(c.last), r) >= 0 {
			panic(fmt.Sprintf("zset: %q is before %q", memberOf(c.last), member))
		}
		if s := c.z.dict.Find(dict.Hash(member), member); !s.OK() || record(s.Ref()) != r || !bytes.Equal(memberOf(record(s.Ref())), member) {
			panic(fmt.Sprintf("zset: the dict does not know %q", member))
		}
		c.last = r
		c.n++
	}
}
