package list

import "github.com/troupe-db/troupe/datatypes/listpack"

// Remove removes from a listpack the elements that are equal to elem, or the first limit of them when limit > 0; with back the last
// ones. It works in place and returns the shorter listpack and how many they were. O(n).
func Remove(pack, elem []byte, limit int, back bool) (out []byte, removed int) {
	off := listpack.Find(pack, listpack.First(pack), elem, 0)
	if off < 0 {
		return pack, 0
	}
	skip := 0 // matches that stay
	if back && limit > 0 {
		for at := off; at >= 0; at = findNext(pack, at, elem) {
			skip++
		}
		for skip = max(skip-limit, 0); skip > 0; skip-- {
			off = findNext(pack, off, elem)
		}
	}
	// What stays moves down match by match, so that every byte moves once.
	to := off
	for off >= 0 {
		removed++
		rest := off + entrySize(pack, off)
		next := -1
		if limit <= 0 || removed < limit {
			next = findNext(pack, off, elem)
		}
		until := next
		if next < 0 {
			until = len(pack) - 1
		}
		to += copy(pack[to:], pack[rest:until])
		off = next
	}
	return listpack.Truncate(pack, to, listpack.Len(pack)-removed), removed
}

// findNext returns the offset of the next element that is equal to elem, behind the one at off; -1 when there is none.
func findNext(pack []byte, off int, elem []byte) int {
	return listpack.Find(pack, listpack.Next(pack, off), elem, 0)
}
