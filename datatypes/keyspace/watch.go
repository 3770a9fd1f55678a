package keyspace

// A Watch is one client's interest in one key: it tells, until it ends, whether the key has changed since it began. It
// belongs to the shard of the key: all its methods are for the owner of the shard.
//
// A Watch is bound to the number of a database, not to its content: SWAPDB and FLUSHDB are changes of the keys that
// they make appear or vanish.
type Watch struct {
	db       *DB
	key      string
	onChange func() // called when the key is seen to have changed, at least once
	changed  bool
	expired  bool // the key was past its deadline, but not removed, when the watch began: its removal is no change
}

// Watch begins to watch a key. onChange is called by the owner of the shard when the key has changed; a deadline that has passed
// is seen only when the key is removed, or by Changed.
func (db *DB) Watch(k Key, onChange func()) *Watch {
	e, slot := db.find(k)
	w := &Watch{db: db, key: string(k.B), onChange: onChange, expired: slot.OK() && db.Due(e)}
	if db.watched == nil {
		db.watched = make(map[string][]*Watch)
	}
	db.watched[w.key] = append(db.watched[w.key], w)
	db.countWatched()
	return w
}

// countWatched counts the watched keys of the shard after those of db have changed.
func (db *DB) countWatched() {
	s := db.shard
	s.waits.Watched += len(db.watched) - db.watchedWas
	db.watchedWas = len(db.watched)
	s.waitsDirty = true
}

// Changed tells whether the key was changed, appeared, vanished or passed its deadline since the watch began.
func (w *Watch) Changed() bool {
	if w.changed || w.expired {
		return w.changed
	}
	e, slot := w.db.find(MakeKey([]byte(w.key)))
	return slot.OK() && w.db.Due(e)
}

// Shard returns the shard that the watch belongs to.
func (w *Watch) Shard() *Shard { return w.db.shard }

// Is tells whether the watch is one of this key.
func (w *Watch) Is(db *DB, key []byte) bool { return w.db == db && w.key == string(key) }

// End stops the watch. It may be called again.
func (w *Watch) End() {
	all := w.db.watched[w.key]
	for i := range all {
		if all[i] == w {
			last := len(all) - 1
			all[i], all[last] = all[last], nil
			if last == 0 {
				delete(w.db.watched, w.key)
				w.db.countWatched()
			} else {
				w.db.watched[w.key] = all[:last]
			}
			return
		}
	}
}

// touchWatches tells the watches of a key that it has changed.
func (db *DB) touchWatches(key []byte) {
	all := db.watched[string(key)]
	if len(all) == 0 {
		return
	}
	_, slot := db.find(MakeKey(key))
	for _, w := range all {
		if w.expired && !slot.OK() {
			w.expired = false // gone for good what was past its deadline all the time
			continue
		}
		w.change()
	}
}

func (w *Watch) change() {
	w.changed = true
	w.onChange()
}

// replaceWatched tells the watches of db that the keys of a space, nil for none, are about to take the place of its own.
func (db *DB) replaceWatched(by *DB) {
	for key, all := range db.watched {
		k := MakeKey([]byte(key))
		_, was := db.find(k)
		there, due := false, false
		if by != nil {
			e, slot := by.find(k)
			there = slot.OK()
			due = there && by.Due(e)
		}
		if !was.OK() && !there {
			continue
		}
		for _, w := range all {
			switch {
			case w.expired && !there:
				w.expired = false
			case w.expired && due:
			case !w.expired && !was.OK() && due:
				w.expired = true
			default:
				w.change()
			}
		}
	}
}
