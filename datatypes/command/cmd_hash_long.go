package command

import (
	"github.com/troupe-db/troupe/datatypes/hash"
	"github.com/troupe-db/troupe/netio/resp"
)

// Long walks over hashes.

// hashAllHeavy tells whether HGETALL and its like must leave the event loop: for a large hash they begin a walk, if they may.
func hashAllHeavy(c *Ctx) bool {
	if !c.canWalk() {
		return hashHeavy(c)
	}
	large, small, ok := c.hashAt()
	return ok && large == nil && len(small.LP) > heavyBytes
}

// hashHead begins the reply of n fields, values or, as a map, both.
func hashHead(w *resp.Writer, n int, both bool) {
	if both {
		w.Map(n)
	} else {
		w.Array(n)
	}
}

// walk begins a walk that replies the names of all fields, or the values, or both. Fields that are due now are not to be
// seen; those that become due while it is under way are, whether or not they are removed meanwhile.
func (h *hashValue) walk(fields, values bool) {
	w := &valueWalk{head: func(w *resp.Writer, n int) { hashHead(w, n, fields && values) }}
	n := h.large.Len()
	if h.due {
		n = -1
	}
	w.begin(h.c, h.db, h.e, n)
	nowMs := h.c.NowMs
	v := h.large.Freeze(func(field, value []byte, atMs int64) {
		if atMs != hash.None && atMs <= nowMs {
			return
		}
		switch {
		case !values:
			w.add(field)
		case !fields:
			w.add(value)
		default:
			w.bytes += len(field)
			w.w.Bulk(field)
			w.add(value)
		}
	})
	w.step = func() bool { return v.Step(walkStride) }
	w.end = v.End
	h.c.Walker.AwaitWalk(w)
}
