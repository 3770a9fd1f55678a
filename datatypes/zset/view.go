package zset

import (
	"slices"

	"github.com/troupe-db/troupe/datatypes/dict"
)

// View is a set as it was when Freeze was called, walked a few members at a time while the set goes on changing between the steps.
//
// The walk goes in hash order. A member that is about to get another score or to be removed, and that the walk has yet to come to, is
// handed over at once and remembered; one that is added in front of the walk is remembered as not belonging. So taking a view
// costs nothing, and what it costs later grows with the writes during the walk.
type View struct {
	z     *ZSet
	visit func(member []byte, score float64)
	pos   uint64
	done  bool
	skip  map[string]struct{} // members in front of pos that were handed over already or came later
}

// Freeze begins a view of the set as it is now. visit is called once for each member of it, in no particular order, from Step or from the
// change that is about to touch the member; the slice is valid during the call. visit must not change the set.
func (z *ZSet) Freeze(visit func(member []byte, score float64)) *View {
	v := &View{z: z, visit: visit}
	z.views = append(z.views, v)
	return v
}

// Step visits at least n more members and tells whether there are more. After it returned false, or End, the view is over.
func (v *View) Step(n int) (more bool) {
	if v.done {
		return false
	}
	from := v.pos
	v.pos, more = v.z.dict.Scan(from, n, func(s dict.Slot) {
		r := record(s.Ref())
		member := memberOf(r)
		if dict.Hash(member) < from {
			return // the dict has shrunk since: the scan began with a group of members part of which is done
		}
		if len(v.skip) > 0 {
			if _, ok := v.skip[string(member)]; ok {
				return
			}
		}
		v.visit(member, scoreOf(r))
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
	v.done = true
	v.skip = nil
	i := slices.Index(v.z.views, v)
	v.z.views = slices.Delete(v.z.views, i, i+1)
	if len(v.z.views) == 0 {
		v.z.views = nil
	}
}

func (v *View) remember(member []byte) {
	if v.skip == nil {
		v.skip = make(map[string]struct{})
	}
	v.skip[string(member)] = struct{}{}
}

// arriving tells views that member is about to be added.
func (z *ZSet) arriving(hash uint64, member []byte) {
	for _, v := range z.views {
		if hash >= v.pos {
			v.remember(member)
		}
	}
}

// leaving tells views that record r is about to change or to go.
func (z *ZSet) leaving(hash uint64, member []byte, r record) {
	for _, v := range z.views {
		if hash < v.pos {
			continue // positions are rounded down, so a member at pos may still be to come
		}
		if _, ok := v.skip[string(member)]; !ok {
			v.visit(member, scoreOf(r))
			v.remember(member)
		}
	}
}
