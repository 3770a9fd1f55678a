package keyspace

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/arena"
)

// pile is an Object of blocks of bytes, each filled with its number.
type pile struct {
	a      *arena.Arena
	blocks []arena.Ref
	sizes  []int
	bytes  int64
	frozen bool
	due    int64 // of a field; -1 for none
}

func newPile(a *arena.Arena, n, size int) *pile {
	p := &pile{a: a, due: NoTTL}
	for range n {
		p.grow(size)
	}
	return p
}

func (p *pile) grow(size int) {
	r := p.a.Alloc(size)
	for i := range r.Bytes(size) {
		r.Bytes(size)[i] = byte(len(p.blocks))
	}
	p.blocks, p.sizes = append(p.blocks, r), append(p.sizes, size)
	p.bytes += int64(p.a.SizeOf(r)) + 16
	p.a.Charge(16)
}

func (p *pile) Len() int                 { return len(p.blocks) }
func (p *pile) Bytes() int64             { return p.bytes }
func (p *pile) Arena() *arena.Arena      { return p.a }
func (p *pile) Frozen() bool             { return p.frozen }
func (p *pile) NextFieldDeadline() int64 { return p.due }
func (p *pile) Clone(to *arena.Arena) Object {
	c := &pile{a: to, due: p.due}
	for _, n := range p.sizes {
		c.grow(n)
	}
	return c
}

func (p *pile) Free() {
	for _, r := range p.blocks {
		p.a.Free(r)
	}
	p.a.Charge(-16 * int64(len(p.blocks)))
	p.blocks = nil
}

func (p *pile) Compact(pos uint64, budget int) (uint64, bool) {
	for i := int(pos); i < len(p.blocks); i++ {
		if budget--; budget < 0 {
			return uint64(i), true
		}
		if p.a.ShouldMove(p.blocks[i]) {
			r := p.a.Alloc(p.sizes[i])
			copy(r.Bytes(p.sizes[i]), p.blocks[i].Bytes(p.sizes[i]))
			p.a.Free(p.blocks[i])
			p.blocks[i] = r
		}
	}
	return 0, false
}

// check tells whether every block is as it was written.
func (p *pile) check(t *testing.T) {
	t.Helper()
	for i, r := range p.blocks {
		require.Equal(t, p.sizes[i], bytes.Count(r.Bytes(p.sizes[i]), []byte{byte(i)}))
	}
}

func quietShard(databases int) *Shard {
	return NewShard(Options{Databases: databases, NowMs: 1_700_000_000_000, Rand: rand.New(rand.NewPCG(1, 1)).Uint64, Later: func(f func()) { f() }})
}

func lp(n int) []byte {
	b := make([]byte, n)
	binary.LittleEndian.PutUint32(b, uint32(n))
	return b
}

// TestValuesOfAllKinds changes keys between strings, packed values and objects in every way there is, on two shards and two
// databases, and compares with a plain map; at the end no memory is left.
func TestValuesOfAllKinds(t *testing.T) {
	steps := 60000
	if testing.Short() {
		steps = 6000
	}
	type value struct {
		kind   Encoding
		size   int
		atMs   int64
		blocks int
	}
	rnd := rand.New(rand.NewPCG(7, 7))
	shards := []*Shard{quietShard(2), quietShard(2)}
	model := map[string]value{}
	id := func(db *DB, k Key) string { return fmt.Sprint(db.Shard() == shards[1], db.Index(), string(k.B)) }
	pick := func() (*DB, Key) {
		return shards[rnd.IntN(2)].DB(rnd.IntN(2)), MakeKey([]byte(fmt.Sprintf("key:%d", rnd.IntN(60))))
	}
	verify := func(db *DB, k Key) (Entry, bool) {
		e, ok := db.Peek(k)
		v, want := model[id(db, k)]
		require.Equal(t, want, ok)
		if !ok {
			return e, false
		}
		require.Equal(t, v.kind, e.Encoding())
		require.Equal(t, v.atMs, e.ExpireAtMs())
		switch {
		case e.IsObject():
			p := db.Object(e).(*pile)
			require.Len(t, p.blocks, v.blocks)
			p.check(t)
		case e.IsPacked():
			require.Len(t, e.Packed(), v.size)
		default:
			require.Equal(t, v.size, e.StringLen())
		}
		return e, true
	}
	for range steps {
		db, k := pick()
		e, ok := verify(db, k)
		at := []int64{NoTTL, KeepTTL, 1_800_000_000_000 + int64(rnd.IntN(1000))}[rnd.IntN(3)]
		set := func(v value) {
			if v.atMs = at; at == KeepTTL {
				v.atMs = NoTTL
				if was, ok := model[id(db, k)]; ok {
					v.atMs = was.atMs
				}
			}
			model[id(db, k)] = v
		}
		switch op := rnd.IntN(12); {
		case op == 0:
			n := 50 + rnd.IntN(200)
			db.SetString(k, make([]byte, n), at)
			set(value{kind: Raw, size: n})
		case op == 1:
			n := 7 + rnd.IntN(300)
			db.PutPacked(k, Hash, ListPack, lp(n), at)
			set(value{kind: ListPack, size: n})
		case op <= 3:
			n, size := 1+rnd.IntN(20), 8+rnd.IntN(100)
			if rnd.IntN(50) == 0 {
				size = 40 << 10
			}
			db.PutObject(k, Hash, HashTable, newPile(db.ArenaFor(int64(n*size)), n, size), at)
			set(value{kind: HashTable, blocks: n})
		case op == 4 && ok && e.IsPacked():
			n := len(e.Packed())
			more := rnd.IntN(60)
			moved, b := db.EditPacked(k, e, more)
			require.GreaterOrEqual(t, cap(b), n+more)
			b = b[:n+more]
			binary.LittleEndian.PutUint32(b, uint32(len(b)))
			db.SetPacked(k, moved, ListPack, b)
			v := model[id(db, k)]
			v.size = n + more
			model[id(db, k)] = v
		case op == 5 && ok && e.IsPacked():
			v := model[id(db, k)]
			v.size = 7 + rnd.IntN(len(e.Packed())-6)
			moved, _ := db.EditPacked(k, e, 0)
			db.SetPacked(k, moved, ListPack, lp(v.size))
			model[id(db, k)] = v
		case op == 6 && ok && e.IsObject():
			p := db.EditObject(k, e).(*pile)
			size := 8 + rnd.IntN(60<<10)
			p.grow(size)
			db.Settle(e)
			v := model[id(db, k)]
			v.blocks++
			model[id(db, k)] = v
		case op == 7 && ok:
			require.True(t, db.Delete(k))
			delete(model, id(db, k))
		case op == 8 && ok:
			dst, to := pick()
			if dst == db && slices.Equal(to.B, k.B) {
				continue
			}
			dst.Delete(to)
			e, _ = db.Peek(k)
			dst.Copy(to, db, e, e.ExpireAtMs())
			model[id(dst, to)] = model[id(db, k)]
		case op == 9 && ok:
			dst, to := pick()
			if dst == db && slices.Equal(to.B, k.B) {
				continue
			}
			dst.Delete(to)
			e, _ = db.Peek(k)
			dst.Move(to, db, k, e)
			db.Delete(k)
			model[id(dst, to)] = model[id(db, k)]
			delete(model, id(db, k))
		case op == 10 && ok:
			v := model[id(db, k)]
			v.atMs = max(at, NoTTL)
			db.SetExpire(k, v.atMs)
			model[id(db, k)] = v
		default:
			for range rnd.IntN(4) {
				db.Maintain(64)
			}
		}
	}
	for _, s := range shards {
		for d := range 2 {
			db := s.DB(d)
			for i := range 60 {
				k := MakeKey([]byte(fmt.Sprintf("key:%d", i)))
				verify(db, k)
				db.Delete(k)
			}
			require.Zero(t, db.arena.Used())
			require.Zero(t, db.arena.Charged())
			require.Zero(t, db.objects.used+db.objects.mapped)
			require.Zero(t, db.withFields)
			require.Equal(t, int(db.objects.next), len(db.objects.free))
		}
		s.Release()
	}
}

// TestPrivateArena: a value that has grown large lives alone, and its memory is counted, compacted and given back.
func TestPrivateArena(t *testing.T) {
	s := quietShard(1)
	defer s.Release()
	db, k := s.DB(0), MakeKey([]byte("k"))
	e := db.PutObject(k, Hash, HashTable, newPile(db.ArenaFor(100), 1, 100), NoTTL)
	for range 40 {
		db.EditObject(k, e).(*pile).grow(20 << 10)
		db.Settle(e)
	}
	o := db.Object(e).(*pile)
	require.NotSame(t, db.arena, o.a)
	require.Less(t, db.arena.Used(), int64(10000), "nothing but the record and the table stays behind")
	require.GreaterOrEqual(t, db.UsedBytes(), o.bytes)
	require.GreaterOrEqual(t, db.MappedBytes(), o.a.Mapped())
	before := db.UsedBytes()
	db.EditObject(k, e).(*pile).grow(16 << 10)
	require.Equal(t, before+int64(16<<10)+16, db.UsedBytes())

	for range 4000 {
		db.EditObject(k, e).(*pile).grow(1000)
	}
	for i := 0; i < len(o.blocks); i++ { // three of four go
		if i%4 != 0 {
			o.a.Free(o.blocks[i])
			o.bytes -= 1016
			o.a.Charge(-16)
		}
	}
	var kept []arena.Ref
	var sizes []int
	for i := 0; i < len(o.blocks); i += 4 {
		r := o.blocks[i]
		for j := range r.Bytes(o.sizes[i]) {
			r.Bytes(o.sizes[i])[j] = byte(len(kept))
		}
		kept, sizes = append(kept, r), append(sizes, o.sizes[i])
	}
	o.blocks, o.sizes = kept, sizes
	db.EditObject(k, e)
	mapped := db.MappedBytes()
	for range 200 {
		db.Maintain(100)
	}
	o.check(t)
	require.Less(t, db.MappedBytes(), mapped/2)
	db.Delete(k)
	require.Zero(t, db.objects.used+db.objects.mapped)
}

// TestDropUnderView: a value whose view is in use stays until the view ends, also when its key and database are gone.
func TestDropUnderView(t *testing.T) {
	for _, size := range []int{100, 100 << 10} {
		s := quietShard(1)
		db, k := s.DB(0), MakeKey([]byte("k"))
		o := newPile(db.ArenaFor(int64(10*size)), 10, size)
		db.PutObject(k, Hash, HashTable, o, NoTTL)
		o.frozen = true
		require.True(t, db.Delete(k))
		db.Maintain(10)
		o.check(t)
		o.frozen = false
		db.Maintain(10)
		require.Empty(t, db.objects.zombies)
		require.Zero(t, db.arena.Used())
		s.Release()
	}
}

// TestCutSeesObjectsBefore: a cut is handed a value before it is edited, replaced, moved or dropped.
func TestCutSeesObjectsBefore(t *testing.T) {
	for name, change := range map[string]func(db *DB, k Key, e Entry){
		"edit":    func(db *DB, k Key, e Entry) { db.EditObject(k, e).(*pile).grow(8) },
		"replace": func(db *DB, k Key, _ Entry) { db.SetString(k, []byte("x"), NoTTL) },
		"put":     func(db *DB, k Key, _ Entry) { db.PutPacked(k, Hash, ListPack, lp(9), NoTTL) },
		"drop":    func(db *DB, k Key, _ Entry) { db.Delete(k) },
		"move": func(db *DB, k Key, e Entry) {
			db.shard.DB(1).Move(k, db, k, e)
			db.Delete(k)
		},
	} {
		s := quietShard(2)
		db, k := s.DB(0), MakeKey([]byte("k"))
		e := db.PutObject(k, Hash, HashTable, newPile(db.ArenaFor(1), 3, 10), NoTTL)
		seen := 0
		cut := db.BeginCut(func(e Entry) {
			seen++
			require.Equal(t, 3, db.Object(e).Len(), name)
		})
		change(db, k, e)
		require.Equal(t, 1, seen, name)
		for cut.Step(10) {
		}
		require.Equal(t, 1, seen, name)
		s.Release()
	}
	s := quietShard(1)
	defer s.Release()
	db, k := s.DB(0), MakeKey([]byte("k"))
	e := db.PutPacked(k, Hash, ListPack, lp(20), NoTTL)
	var seen []int
	cut := db.BeginCut(func(e Entry) { seen = append(seen, len(e.Packed())) })
	e, b := db.EditPacked(k, e, 100)
	b = b[:120]
	binary.LittleEndian.PutUint32(b, 120)
	db.SetPacked(k, e, ListPack, b)
	for cut.Step(10) {
	}
	require.Equal(t, []int{20}, seen)
}

// TestManyFieldsDue: a hash whose due fields are more than one slice removes keeps ExpireDue asking for more, and hashes
// behind it get their turn.
func TestManyFieldsDue(t *testing.T) {
	s := quietShard(1)
	defer s.Release()
	db := s.DB(0)
	left := map[string]int{}
	s.ReapFields = func(db *DB, k Key, e Entry, budget int) int {
		n := min(budget, left[string(k.B)])
		require.Positive(t, n)
		if left[string(k.B)] -= n; left[string(k.B)] == 0 {
			db.EditObject(k, e).(*pile).due = s.NowMs + 1000
		}
		return n
	}
	for i := range 5 {
		k := MakeKey([]byte{'k', byte(i)})
		p := newPile(db.ArenaFor(1), 1, 10)
		p.due = s.NowMs + 5
		left[string(k.B)] = 3000
		db.PutObject(k, Hash, HashTable, p, NoTTL)
	}
	s.NowMs += 5
	rounds := 1
	for ; db.ExpireDue(100); rounds++ {
		require.Less(t, rounds, 100)
	}
	for k, n := range left {
		require.Zero(t, n, k)
	}
	require.Greater(t, rounds, 5*3000/fieldSlice-1, "in slices")
	require.Greater(t, s.NextDeadlineMs(), s.NowMs, "they come up again")
	require.LessOrEqual(t, s.NextDeadlineMs(), s.NowMs+1000)
}

// TestFieldDeadlines: hashes come up when a field of theirs is due, through every way that a value gets to a key.
func TestFieldDeadlines(t *testing.T) {
	s := quietShard(2)
	defer s.Release()
	start := s.NowMs
	var reaped []string
	s.ReapFields = func(db *DB, k Key, e Entry, _ int) int {
		p := db.EditObject(k, e).(*pile)
		require.LessOrEqual(t, p.due, s.NowMs)
		reaped = append(reaped, fmt.Sprintf("%d/%s at %d", db.Index(), k.B, s.NowMs-start))
		if p.due += 100; p.due > start+250 {
			p.due = NoTTL
		}
		return 1
	}
	db, k := s.DB(0), MakeKey([]byte("k"))
	p := newPile(db.ArenaFor(1), 1, 10)
	p.due = start + 50
	e := db.PutObject(k, Hash, HashTable, p, NoTTL)
	db.Copy(MakeKey([]byte("copy")), db, e, NoTTL)
	e, _ = db.Peek(k)
	s.DB(1).Move(MakeKey([]byte("moved")), db, k, e)
	db.Delete(k)
	require.Equal(t, start+50, s.NextDeadlineMs())
	for range 500 {
		s.NowMs++
		for d := range 2 {
			s.DB(d).ExpireDue(100)
		}
	}
	slices.Sort(reaped)
	require.Equal(t, []string{
		"0/copy at 150", "0/copy at 250", "0/copy at 50", "1/moved at 150", "1/moved at 250", "1/moved at 50",
	}, reaped)
}
