package keyspace

import "github.com/troupe-db/troupe/datatypes/dict"

// compactAt is the share of the mapped memory that must be holes before records are moved together.
const compactAt = 0.25

// compactMinBytes is the waste below which compaction is not worth its work.
const compactMinBytes = 1 << 20

// Maintain does one step of the DB's upkeep: it drops stale deadlines, moves records out of sparse slabs and gives
// empty memory back, looking at about budget records. It tells whether there is more to do at once.
func (db *DB) Maintain(budget int) (more bool) {
	more = db.SweepDeadlines(budget)
	if db.index != nil {
		db.index.Trim()
	}
	if !db.compacting {
		wasted := db.arena.Wasted()
		if wasted < db.unmovable {
			db.unmovable = wasted
		}
		if len(db.cuts) == 0 && wasted-db.unmovable >= compactMinBytes && float64(wasted) >= compactAt*float64(db.arena.Mapped()) {
			db.compacting = db.arena.BeginCompact()
			db.compactPos = 0
			if !db.compacting {
				db.unmovable = wasted // not worth it; looking again before there is more waste would be for nothing
			}
		}
		if !db.compacting {
			db.arena.Trim()
			return more
		}
	}
	if len(db.cuts) > 0 {
		return more // a cut relies on records staying where they are
	}
	next, left := db.dict.Scan(db.compactPos, budget, func(s dict.Slot) {
		e := Entry{s.Ref()}
		if !db.arena.ShouldMove(e.ref) {
			return
		}
		n := e.size()
		to := Entry{db.arena.Alloc(n)}
		copy(to.bytes(0, n), e.bytes(0, n))
		s.Set(to.ref)
		db.arena.Free(e.ref)
	})
	db.compactPos = next
	if !left {
		db.dict.Compact()
		db.arena.EndCompact()
		db.compacting = false
		db.unmovable = db.arena.Wasted() // what one round could not mend, the next would not either
		db.arena.Trim()
	}
	return left || more
}
