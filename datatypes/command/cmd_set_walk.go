package command

import (
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/set"
	"github.com/troupe-db/troupe/netio/resp"
)

// walkSet begins a walk that replies all members of the set o, the value of e.
func (c *Ctx) walkSet(db *keyspace.DB, e keyspace.Entry, o *set.Set) {
	w := &valueWalk{head: (*resp.Writer).Set}
	w.begin(c, db, e, o.Len())
	v := o.Freeze(w.add)
	w.step = func() bool { return v.Step(walkStride) }
	w.end = v.End
	c.Walker.AwaitWalk(w)
}
