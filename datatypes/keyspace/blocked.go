package keyspace

// Clients that wait for keys, and which of those keys may be ready to serve them.
//
// A client that waits for several keys has a place, a Wait, in the queue of each. Queues are bound to the number of a
// database, as watches are. A key is signalled when it appears, is replaced or vanishes, and when a stream grows; if it has a
// queue, it is noted in the list of ready keys, once, in the order of the signals. The owner of the shard works that list
// off after the whole command, EXEC or script, before anything else runs on the shard: the list is empty whenever the
// shard changes hands.

// Waiter is a client that waits.
type Waiter interface {
	// Over tells whether the client waits no more, so that its places mean nothing. It may be called from any goroutine.
	Over() bool
}

// WaitCounts are how many keys clients wait for or watch.
type WaitCounts struct {
	Watched     int // keys that are watched
	Waited      int // keys that clients wait for
	WaitsOnGone int // places of clients that are to be looked at also when the key vanishes
}

// TakeWaits returns the counts, and whether they may have changed since the last call.
func (s *Shard) TakeWaits() (c WaitCounts, changed bool) {
	changed, s.waitsDirty = s.waitsDirty, false
	return s.waits, changed
}

// Wait is the place of a waiting client in the queue of a key.
type Wait struct {
	Client Waiter
	Type   Type // of the values that can serve it
	// Gone tells that the client is to be looked at also when there is no value, or one of another type (XREADGROUP).
	Gone bool

	needs      uint64
	queue      *WaitQueue
	next, prev *Wait
}

// WaitQueue holds the clients that wait for a key, oldest first.
type WaitQueue struct {
	db          *DB
	key         string
	first, last *Wait
	n           int
	ready       bool // in a list of ready keys
}

// ReadyKeys lists keys that may be ready to serve clients that wait for them, in the order in which they were signalled.
type ReadyKeys struct {
	queues []*WaitQueue
	next   int
}

// Take returns the next queue to look at, nil when there is none.
func (r *ReadyKeys) Take() *WaitQueue {
	if r.next == len(r.queues) {
		r.queues, r.next = r.queues[:0], 0
		return nil
	}
	q := r.queues[r.next]
	r.queues[r.next] = nil
	r.next++
	q.ready = false
	return q
}

// Empty tells whether there is nothing to look at.
func (r *ReadyKeys) Empty() bool { return r.next == len(r.queues) }

// crossWaits counts clients that wait for a key to move an element from it, and has the shards where to.
type crossWaits struct {
	n      int
	shards uint64
}

// Enqueue gives a client a place at the end of the queue of a key. needs are the shards that serving the client changes besides
// taking from the key, that of the key itself included if it is one: what is moved there may be waited for in turn.
func (db *DB) Enqueue(key []byte, w *Wait, needs uint64) {
	q := db.queues[string(key)]
	if q == nil {
		if db.queues == nil {
			db.queues = make(map[string]*WaitQueue)
		}
		q = &WaitQueue{db: db, key: string(key)}
		db.queues[q.key] = q
		db.shard.waits.Waited++
	}
	db.shard.waitsDirty = true
	if w.Gone {
		db.shard.waits.WaitsOnGone++
	}
	w.queue, w.prev, w.next, w.needs = q, q.last, nil, needs
	if q.last != nil {
		q.last.next = w
	} else {
		q.first = w
	}
	q.last = w
	q.n++
	if w.needs == 0 {
		return
	}
	s := db.shard
	if s.cross == nil {
		s.cross = make(map[string]crossWaits)
	}
	c := s.cross[q.key]
	s.cross[q.key] = crossWaits{n: c.n + 1, shards: c.shards | w.needs}
}

// Leave gives the place up. It may be called again.
func (w *Wait) Leave() {
	q := w.queue
	if q == nil {
		return
	}
	w.queue = nil
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		q.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		q.last = w.prev
	}
	w.next, w.prev = nil, nil
	q.n--
	s := q.db.shard
	s.waitsDirty = true
	if w.Gone {
		s.waits.WaitsOnGone--
	}
	if q.n == 0 {
		delete(q.db.queues, q.key)
		s.waits.Waited--
	}
	if w.needs == 0 {
		return
	}
	c := s.cross[q.key]
	if c.n--; c.n == 0 {
		delete(s.cross, q.key)
	} else {
		s.cross[q.key] = c
	}
}

// CrossWaits returns the shards that serving the clients which wait for the key, in whatever database, changes besides.
func (s *Shard) CrossWaits(key []byte) uint64 {
	if len(s.cross) == 0 {
		return 0
	}
	return s.cross[string(key)].shards
}

// AllCrossWaits returns those that serving any client which waits here changes besides.
func (s *Shard) AllCrossWaits() (shards uint64) {
	for _, c := range s.cross {
		shards |= c.shards
	}
	return shards
}

// HasCrossWaits tells whether there are such clients.
func (s *Shard) HasCrossWaits() bool { return len(s.cross) > 0 }

// DB returns the database whose key it is.
func (q *WaitQueue) DB() *DB { return q.db }

// Key returns the key.
func (q *WaitQueue) Key() Key { return MakeKey([]byte(q.key)) }

// First returns the oldest place, nil when there is none.
func (q *WaitQueue) First() *Wait { return q.first }

// Len returns how many places there are.
func (q *WaitQueue) Len() int { return q.n }

// Next returns the place behind w, nil when w is the last.
func (w *Wait) Next() *Wait { return w.next }

// Serves tells whether the client should be looked at, given what there is at the key of the queue now.
func (q *WaitQueue) Serves(w *Wait) bool {
	e, slot := q.db.find(q.Key())
	return w.Gone || slot.OK() && !q.db.Due(e) && e.Type() == w.Type
}

// Signal says that the key is to be looked at again.
func (w *Wait) Signal() {
	if w.queue != nil {
		w.queue.signal()
	}
}

// Signal says that clients that wait for the key are to be looked at.
func (db *DB) Signal(key []byte) {
	if len(db.queues) == 0 {
		return
	}
	if q := db.queues[string(key)]; q != nil {
		q.signal()
	}
}

func (q *WaitQueue) signal() {
	if q.ready {
		return
	}
	q.ready = true
	r := q.db.shard.Ready
	r.queues = append(r.queues, q)
}

// signalAll says so of all keys of the database that clients wait for, in no set order: the content of the database is another.
func (db *DB) signalAll() {
	for _, q := range db.queues {
		q.signal()
	}
}
