package keyspace

import "unsafe"

// What tools want to know of how keys are kept.

// IndexBytes returns the part of TableBytes that is the deadline index.
func (db *DB) IndexBytes() int64 {
	if db.space.index == nil {
		return 0
	}
	return db.space.index.Used()
}

// TableSlots returns how many keys the table has room for, filled slots included.
func (db *DB) TableSlots() int {
	return int((db.dict.Bytes() - db.dict.DirBytes()) / int64(unsafe.Sizeof(uint64(0))))
}

// Address returns where in memory the record of e is.
func (e Entry) Address() uintptr { return uintptr(e.ref) }
