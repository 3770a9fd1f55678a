package keyspace

import (
	"math"

	"github.com/troupe-db/troupe/datatypes/dict"
)

// compactAt is the share of the mapped memory that must be holes before records are moved together.
const compactAt = 0.25

// compactMinBytes is the waste below which compaction is not worth its work.
const compactMinBytes = 1 << 20

// Maintain does one step of the DB's upkeep: it drops stale deadlines, moves records out of sparse slabs and gives
// empty memory back, looking at about budget records. It tells whether there is more to do at once.
func (db *DB) Maintain(budget int) (more bool) {
	more = db.SweepDeadlines(budget)
	if len(db.objects.zombies) > 0 {
		db.bury()
	}
	if len(db.cuts) == 0 && db.compactPrivate(budget) {
		more = true
	}
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
	left := true
	for looked := 0; left && looked < budget; {
		db.compactPos, left = db.dict.Scan(db.compactPos, compactStride, func(s dict.Slot) {
			looked += 1 + db.compactRecord(s)
		})
	}
	if !left {
		db.dict.Compact()
		db.arena.EndCompact()
		db.compacting = false
		db.unmovable = db.arena.Wasted() // what one round could not mend, the next would not either
		db.arena.Trim()
	}
	return left || more
}

// compactStride is how many records a step looks at before it counts what they cost.
const compactStride = 16

// compactRecord moves the record of slot s, and the pieces of its value in the arena of the DB, as far as the arena wants
// them moved. It returns how many pieces of the value it looked at.
func (db *DB) compactRecord(s dict.Slot) (pieces int) {
	e := Entry{s.Ref()}
	if e.IsObject() {
		if v := db.objects.at(e.handle()); !v.private && !v.obj.Frozen() {
			pieces = v.obj.Len()
			for pos, left := uint64(0), true; left; {
				pos, left = v.obj.Compact(pos, math.MaxInt32)
			}
		}
	}
	if db.arena.ShouldMove(e.ref) {
		n := e.size()
		to := Entry{db.arena.Alloc(n)}
		copy(to.bytes(0, n), e.bytes(0, n))
		s.Set(to.ref)
		db.arena.Free(e.ref)
	}
	return pieces
}
