package set

import (
	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/dict"
	"github.com/troupe-db/troupe/datatypes/prefetch"
)

// A View walks the members of a set as they were at the instant it began, some at a time, while the set goes on changing
// between the steps.
//
// The walk goes in hash order and has come to position pos. A member behind pos has been seen. One before pos that is about
// to be removed is handed over at once, and remembered so that it is not seen again should it come back; one that is added before
// pos is remembered as not belonging to the view. What is remembered grows with the writes during the walk, not with the
// set, and goes with the view.
type View struct {
	set   *Set
	visit func(member []byte)
	pos   uint64
	refs  []arena.Ref // scratch of Step
	done  bool
	skip  map[string]struct{} // members before pos that were handed over already or were added after the instant
}

// Freeze begins a walk over the members as they are now, in O(1). visit is called for each of them, from Step or from the Remove
// that is about to take it away; its argument is valid during the call. visit must not change the set.
func (s *Set) Freeze(visit func(member []byte)) *View {
	v := &View{set: s, visit: visit}
	s.views = append(s.views, v)
	return v
}

// Frozen reports that a view is in use.
func (s *Set) Frozen() bool { return len(s.views) > 0 }

// Step visits at least n more members and tells whether there are more. After it returned false, or End, the view is over.
func (v *View) Step(n int) (more bool) {
	if v.done {
		return false
	}
	from := v.pos
	// The memory of several members is waited for at the same time: records lie in no order.
	refs := v.refs[:0]
	v.pos, more = v.set.dict.Scan(from, n, func(slot dict.Slot) {
		r := slot.Ref()
		prefetch.Read(r.Ptr())
		refs = append(refs, r)
	})
	v.refs = refs
	for _, r := range refs {
		v.look(Member{r}.Bytes(), from)
	}
	if !more {
		v.End()
	}
	return more
}

// look visits a member of a step that began at from, if it belongs to the view and was not visited before.
func (v *View) look(member []byte, from uint64) {
	if dict.Hash(member) < from {
		return // the table has shrunk since: the scan resumed at the start of a group part of which is done
	}
	if len(v.skip) > 0 {
		if _, ok := v.skip[string(member)]; ok {
			return
		}
	}
	v.visit(member)
}

// End gives the walk up. It may be called again.
func (v *View) End() {
	if v.done {
		return
	}
	v.done = true
	v.skip, v.refs = nil, nil
	views := v.set.views
	for i := range views {
		if views[i] == v {
			v.set.views = append(views[:i:i], views[i+1:]...)
			break
		}
	}
}

// arriving is told of a member that is about to be added. Positions are rounded down to whole groups of members, so one with a
// hash of pos itself may be ahead of the walk.
func (v *View) arriving(hash uint64, member []byte) {
	if hash >= v.pos {
		v.remember(member)
	}
}

// leaving is told of a member that is about to be removed.
func (v *View) leaving(hash uint64, member []byte) {
	if hash < v.pos {
		return
	}
	if _, ok := v.skip[string(member)]; ok {
		return
	}
	v.visit(member)
	v.remember(member)
}

func (v *View) remember(member []byte) {
	if v.skip == nil {
		v.skip = make(map[string]struct{})
	}
	v.skip[string(member)] = struct{}{}
}
