package hash

import (
	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/dict"
)

// A View walks the items of a hash as they were at the instant it began, some at a time, while the hash goes on changing
// between the steps. Freeze and writes under a view are O(1).
//
// The walk goes in hash order and has come to position pos. An item ahead of it that is about to change or to go is handed over at
// once and remembered, so that it is not seen again; one that appears ahead is remembered as not belonging. What is
// remembered grows with the writes during the walk and not with the hash.
type View struct {
	h     *Hash
	visit func(field, value []byte, atMs int64)
	pos   uint64
	len   int
	done  bool
	skip  map[string]struct{} // fields ahead that were handed over already or do not belong
}

// Freeze begins a view of the hash as it is now, due items included. visit is called for each item, from Step or from the
// change that is about to touch it; field and value are valid during the call, atMs is the deadline or None. visit must
// not use the hash.
func (h *Hash) Freeze(visit func(field, value []byte, atMs int64)) *View {
	v := &View{h: h, visit: visit, len: h.Len()}
	h.views = append(h.views, v)
	return v
}

// Frozen tells whether a view is under way.
func (h *Hash) Frozen() bool { return len(h.views) > 0 }

// Len returns the number of items in the view.
func (v *View) Len() int { return v.len }

// Step visits at least n more items and tells whether there are more. After it returned false, or End, the view is over.
func (v *View) Step(n int) (more bool) {
	if v.done {
		return false
	}
	from := v.pos
	v.pos, more = v.h.Scan(from, n, func(it Item) {
		field := it.Field()
		if dict.Hash(field) < from {
			return // the dict has shrunk since: the scan resumed at the start of a group part of which is done
		}
		if len(v.skip) > 0 {
			if _, ok := v.skip[string(field)]; ok {
				return
			}
		}
		v.hand(it)
	})
	if !more {
		v.End()
	}
	return more
}

// End gives the view up.
func (v *View) End() {
	if v.done {
		return
	}
	v.done, v.skip = true, nil
	views := v.h.views
	for i := range views {
		if views[i] == v {
			v.h.views = append(views[:i:i], views[i+1:]...)
			break
		}
	}
}

func (v *View) hand(it Item) {
	field, value := it.Pair()
	v.visit(field, value, v.h.Deadline(it))
}

// arriving tells the views that a field is about to appear.
func (h *Hash) arriving(hash uint64, field []byte) {
	for _, v := range h.views {
		if hash >= v.pos {
			v.remember(field)
		}
	}
}

// changing tells the views that an item is about to change or to go.
func (h *Hash) changing(hash uint64, r arena.Ref) {
	for _, v := range h.views {
		if hash < v.pos {
			continue // positions are rounded down, so what is at pos itself may be ahead still
		}
		it := Item{r}
		if _, ok := v.skip[string(it.Field())]; ok {
			continue
		}
		v.hand(it)
		v.remember(it.Field())
	}
}

func (v *View) remember(field []byte) {
	if v.skip == nil {
		v.skip = make(map[string]struct{})
	}
	v.skip[string(field)] = struct{}{}
}
