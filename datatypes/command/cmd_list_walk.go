package command

import (
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/list"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/netio/resp"
)

// walkList begins a walk that replies n elements of the list that is the value of e, from element start on.
func (c *Ctx) walkList(db *keyspace.DB, e keyspace.Entry, start, n int) {
	w := &valueWalk{head: (*resp.Writer).Array}
	w.begin(c, db, e, n)
	v := db.Object(e).(listObject).Freeze()
	r := listReader{v: v, within: v.Seek(start), left: n}
	w.step = func() bool {
		return r.step(func(run *list.Run, n int) {
			replyRun(&w.w, run, n, false)
			w.n += n
			w.bytes += len(run.Pack) + len(run.Plain)
		})
	}
	w.end = v.End
	c.Walker.AwaitWalk(w)
}

// listReader goes through the elements of a range of a list.View.
type listReader struct {
	v      *list.View
	within int // where the range begins in the next chunk
	left   int // elements of the range from there on
}

// step calls fn with the elements of one chunk: the first n of a run. It tells whether there are more.
func (r *listReader) step(fn func(run *list.Run, n int)) (more bool) {
	more = r.v.Step(1, func(c list.Chunk) {
		n := min(c.Count-r.within, r.left)
		run := list.Run{N: n}
		if data := c.Bytes(); c.Plain {
			run.Plain = data
		} else {
			run.Pack, run.Off = data, listpack.Seek(data, r.within)
		}
		fn(&run, n)
		r.left -= n
		r.within = 0
	})
	return more && r.left > 0
}
