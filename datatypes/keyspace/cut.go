package keyspace

import "github.com/troupe-db/troupe/datatypes/dict"

// A Cut walks the keys of a DB as they were at the instant it began, a few at a time, while commands go on changing
// them between the steps.
//
// The walk goes in hash order and has come to position pos. A key behind pos has been seen. A key before pos that is
// about to vanish or change is handed over at once, and remembered so that it is not seen again; a key that appears
// before pos is remembered as not belonging to the cut. What is remembered grows with the writes during the walk, not
// with the data, and goes with the cut.
//
// Changing a record in place under a cut is not allowed: SetString and Grow make a new one while a cut is under way,
// so that what has been handed over stays as it was.
type Cut struct {
	db    *DB
	sp    *space
	visit func(Entry)
	pos   uint64
	nowMs int64
	done  bool
	skip  map[string]struct{} // keys before pos that were handed over already or appeared after the instant
}

// BeginCut starts a walk over the keys of db as they are now; keys past their deadline do not belong to it. visit is
// called for each of them, from Step or from the change that is about to touch it; the entry is valid during the call.
func (db *DB) BeginCut(visit func(Entry)) *Cut {
	c := &Cut{db: db, sp: db.space, visit: visit, nowMs: db.shard.NowMs}
	db.space.cuts = append(db.space.cuts, c)
	return c
}

// Step visits at least n more keys and tells whether there are more. After it returned false, or End, the cut is over.
func (c *Cut) Step(n int) (more bool) {
	if c.done {
		return false
	}
	from := c.pos
	c.pos, more = c.sp.scan(from, n, func(e Entry) {
		if dict.Hash(e.Key()) < from {
			return // the table has shrunk since: the scan resumed at the start of a group of keys part of which is done
		}
		if len(c.skip) > 0 {
			if _, ok := c.skip[string(e.Key())]; ok {
				return
			}
		}
		c.hand(e)
	})
	if !more {
		c.End()
	}
	return more
}

// End gives the walk up.
func (c *Cut) End() {
	if c.done {
		return
	}
	c.done = true
	c.skip = nil
	cuts := c.sp.cuts
	for i := range cuts {
		if cuts[i] == c {
			c.sp.cuts = append(cuts[:i:i], cuts[i+1:]...)
			break
		}
	}
	c.sp.unheld(c.db.shard)
}

func (c *Cut) hand(e Entry) {
	if at := e.ExpireAtMs(); at >= 0 && at <= c.nowMs {
		return
	}
	c.visit(e)
}

// ahead tells whether the walk has yet to come to the key and would have to look at it there.
func (c *Cut) ahead(k Key) bool {
	// Positions are rounded down to whole groups of keys, so a key at pos itself may be ahead still.
	return k.H >= c.pos
}

func (c *Cut) arriving(k Key) {
	if c.ahead(k) {
		c.remember(k)
	}
}

func (c *Cut) leaving(k Key, e Entry) { c.changing(k, e) }

func (c *Cut) changing(k Key, e Entry) {
	if !c.ahead(k) {
		return
	}
	if _, ok := c.skip[string(k.B)]; ok {
		return
	}
	c.hand(e)
	c.remember(k)
}

func (c *Cut) remember(k Key) {
	if c.skip == nil {
		c.skip = make(map[string]struct{})
	}
	c.skip[string(k.B)] = struct{}{}
}
