package zset

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/troupe-db/troupe/datatypes/prefetch"
)

const (
	// radixMin is the length from which sorting digit by digit is quicker than by comparison.
	radixMin = 256
	// maxChunkOff is how far into members that agree so long a look at 8 bytes at a time goes. It bounds the recursion.
	maxChunkOff = 256

	digitBits = 8
	digitMask = 1<<digitBits - 1
	nDigits   = 64 / digitBits
)

// sortItems sorts list by key and then by member. spare must be as long as list, unless that is shorter than radixMin.
func sortItems(list, spare []item) {
	if len(list) < radixMin {
		slices.SortFunc(list, func(a, b item) int {
			if c := cmp.Compare(a.key, b.key); c != 0 {
				return c
			}
			return bytes.Compare(memberOf(a.rec), memberOf(b.rec))
		})
		return
	}
	radixSort(list, spare)
	eachRun(list, func(run []item) { sortMembers(run, spare, 0) })
}

// eachRun calls fn for every stretch of at least two items of the same key.
func eachRun(list []item, fn func(run []item)) {
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && list[j].key == list[i].key {
			j++
		}
		if j-i > 1 {
			fn(list[i:j])
		}
		i = j
	}
}

// sortMembers sorts a run of items, which have the same key and whose members agree in the first off bytes, by member: by the
// next 8 bytes of it in the place of the key, and so on where those are the same.
func sortMembers(run, spare []item, off int) {
	if len(run) < radixMin || off >= maxChunkOff {
		slices.SortFunc(run, func(a, b item) int { return bytes.Compare(memberOf(a.rec), memberOf(b.rec)) })
		return
	}
	key := run[0].key
	for i := range run {
		if i+ahead < len(run) {
			prefetch.Read(recordPtr(run[i+ahead].rec))
		}
		run[i].key = chunk(memberOf(run[i].rec), off)
	}
	radixSort(run, spare)
	eachRun(run, func(same []item) { sortMembers(same, spare, off+8) })
	for i := range run {
		run[i].key = key
	}
}

// radixSort sorts list by key, from the lowest digit up. Digits that are the same everywhere, as in scores of similar magnitude, cost
// nothing. What spare holds is lost. REQUIRES: list is not empty and spare not shorter.
func radixSort(list, spare []item) {
	var counts [nDigits][1 << digitBits]uint32
	for i := range list {
		k := list[i].key
		for d := range counts {
			counts[d][k>>(d*digitBits)&digitMask]++
		}
	}
	from, to := list, spare[:len(list)]
	for d := range counts {
		c, shift := &counts[d], d*digitBits
		if c[from[0].key>>shift&digitMask] == uint32(len(list)) {
			continue
		}
		sum := uint32(0)
		for v := range c {
			sum, c[v] = sum+c[v], sum
		}
		for i := range from {
			v := from[i].key >> shift & digitMask
			to[c[v]] = from[i]
			c[v]++
		}
		from, to = to, from
	}
	if &from[0] != &list[0] {
		copy(list, from)
	}
}

// chunk returns the 8 bytes of member from off on as a number of the same order; what is missing is 0.
func chunk(member []byte, off int) uint64 {
	if off >= len(member) {
		return 0
	}
	b := member[off:min(off+8, len(member))]
	k := uint64(0)
	for _, c := range b {
		k = k<<8 | uint64(c)
	}
	return k << (64 - 8*len(b))
}
