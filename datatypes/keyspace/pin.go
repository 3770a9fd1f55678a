package keyspace

import "slices"

// A Pin goes with a view of a large value that is in use, as its objects make them. The view goes on whatever becomes of
// the key: the value may be changed, dropped, replaced, renamed or flushed meanwhile, or change its database. The
// memory that the view looks at stays until the pin ends.
//
// A value that is dropped is a zombie until then, see discard; a space that was flushed is kept; and a value that goes to
// another shard while it is frozen goes as a copy, see adopt, for a view is stepped by the owner of its value.
type Pin struct {
	sp     *space
	shard  *Shard
	obj    Object
	handle uint32
	keeps  []*space // flushed since
	done   bool
}

// Pin keeps what the value of e, an object of which the caller makes a view, lies in. The caller ends the pin once the
// view has ended.
func (db *DB) Pin(e Entry) *Pin {
	p := &Pin{sp: db.space, shard: db.shard, obj: db.Object(e), handle: e.handle()}
	db.shard.pins = append(db.shard.pins, p)
	return p
}

// End lets go. It is for the owner of the shard, may be called again, and frees what only the view has needed.
func (p *Pin) End() {
	if p.done {
		return
	}
	p.done = true
	s := p.shard
	s.pins = slices.DeleteFunc(s.pins, func(o *Pin) bool { return o == p })
	for _, db := range s.dbs {
		if db.space == p.sp && db.objects.holds(p.handle, p.obj) {
			// What was replaced under the view of a list is freed with the view.
			db.objects.touch(p.handle)
			s.mark(db.num)
		}
		if len(db.objects.zombies) > 0 {
			db.bury()
			s.mark(db.num)
		}
	}
	for _, sp := range p.keeps {
		sp.keepers--
		sp.unheld(s)
	}
	p.keeps, p.sp, p.obj = nil, nil, nil
}

// leave lets go of a space that was flushed: it is released once the cuts of it and the pins that there are have ended.
func (sp *space) leave(s *Shard) {
	for _, p := range s.pins {
		p.keeps = append(p.keeps, sp)
		sp.keepers++
	}
	sp.orphan = true
	s.orphans = append(s.orphans, sp)
	sp.unheld(s)
}

// unheld releases an orphan that nothing looks at any more.
func (sp *space) unheld(s *Shard) {
	if !sp.orphan || len(sp.cuts) > 0 || sp.keepers > 0 {
		return
	}
	sp.orphan = false
	s.orphans = slices.DeleteFunc(s.orphans, func(o *space) bool { return o == sp })
	s.later(sp.release)
}
