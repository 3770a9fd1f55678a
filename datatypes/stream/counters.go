package stream

import "encoding/binary"

// Counters of consumer groups. Redis does not know the position of an entry; it derives how many entries a group has read, and how
// far it is behind, from the numbers of entries that were ever added and that are left, as long as no entry was
// deleted in between. The rules here are those of the last releases of 7.4 (redis/redis pull requests 13338, 13473, 13958).

// EstimateReads returns how many entries were ever added up to and including id; UnknownReads when that cannot be told.
func (s *Stream) EstimateReads(id ID) int64 {
	switch {
	case s.added == 0:
		return 0
	case s.length == 0 && !s.last.Less(id):
		return s.added
	case !id.IsZero() && id.Less(s.maxDeleted):
		return UnknownReads
	case id == s.last:
		return s.added
	case s.last.Less(id):
		return UnknownReads
	}
	if s.maxDeleted.IsZero() || s.maxDeleted.Less(s.first) {
		// What is left has no gaps.
		switch {
		case id.Less(s.first):
			return s.added - s.length
		case id == s.first:
			return s.added - s.length + 1
		}
	}
	return UnknownReads
}

// HasGap reports whether the entries from lo to hi, both included, may have gaps made by Delete. It knows the greatest deleted
// ID only.
func (s *Stream) HasGap(lo, hi ID) bool {
	if s.length == 0 || s.maxDeleted.IsZero() || s.maxDeleted.Less(s.first) {
		return false
	}
	return !s.maxDeleted.Less(lo) && !hi.Less(s.maxDeleted)
}

// Advance notes that the entry id is being delivered to the group as a new one. If it is above LastID, that and
// EntriesRead follow.
func (g *Group) Advance(id ID) {
	if !g.last.Less(id) {
		return
	}
	s := g.s
	if g.reads != UnknownReads && !g.last.Less(s.first) && !s.HasGap(g.last, MaxID) {
		g.reads++
	} else if s.added > 0 {
		g.reads = s.EstimateReads(id)
	}
	g.last = id
}

// Lag returns how many entries were not delivered to the group yet; not ok when that cannot be told.
func (g *Group) Lag() (n int64, ok bool) {
	s := g.s
	switch {
	case s.added == 0 || s.length == 0:
		return 0, true
	case g.last.Less(s.first) && s.maxDeleted.Less(s.first):
		return s.length, true
	case g.reads != UnknownReads && !s.HasGap(g.last, MaxID):
		return s.added - g.reads, true
	}
	reads := s.EstimateReads(g.last)
	return s.added - reads, reads != UnknownReads
}

// RadixNodes returns how many nodes the blocks would have in a radix tree as Redis keeps them (XINFO STREAM's radix-tree-nodes). It
// looks at every block's ID.
//
// Such a tree has a node for every key's end, one for every prefix at which keys part ways, and one for every
// run of bytes without a choice. Keys come in order, so a prefix where they part is found as the one that a key shares with its
// predecessor, and is new if it is longer than all since the last shorter one: a stack tells.
func (s *Stream) RadixNodes() int {
	c := s.blocks.firstPlace()
	if !c.ok() {
		return 1
	}
	// A branch of the current path: at depth d, with the bytes to the branch above it.
	var stack [idBytes]int
	depth := 0
	nodes := 0
	run := func(above, below int) { // the edge from a branch at depth above to a node at depth below takes its first byte
		if below > above+1 {
			nodes++
		}
	}
	leaf := func(prefix int) {
		nodes++
		run(prefix, idBytes)
	}
	// end closes the branches deeper than prefix: the path goes on from there.
	end := func(prefix int) {
		for depth > 0 && stack[depth-1] > prefix {
			top := stack[depth-1]
			depth--
			nodes++
			above := prefix
			if depth > 0 && stack[depth-1] > prefix {
				above = stack[depth-1]
			}
			run(above, top)
		}
	}
	prev := c.key().bytes()
	prevPrefix := -1 // shared with the one before it; nothing for the first
	for c = s.blocks.after(c); c.ok(); c = s.blocks.after(c) {
		key := c.key().bytes()
		n := 0
		for key[n] == prev[n] {
			n++
		}
		leaf(max(n, prevPrefix))
		end(n)
		if depth == 0 || stack[depth-1] < n {
			stack[depth] = n
			depth++
		}
		prev, prevPrefix = key, n
	}
	if prevPrefix < 0 {
		return 2 // a run of all bytes and the key's end
	}
	leaf(prevPrefix)
	end(-1)
	return nodes
}

// bytes returns the key that Redis has for a.
func (a ID) bytes() (b [idBytes]byte) {
	binary.BigEndian.PutUint64(b[:8], a.Ms)
	binary.BigEndian.PutUint64(b[8:], a.Seq)
	return b
}
