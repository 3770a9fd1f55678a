package command

import (
	"strconv"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/intset"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/datatypes/set"
	"github.com/troupe-db/troupe/netio/resp"
)

// How a set is kept:
//
//	intset     all members are integers and no more than set-max-intset-entries
//	listpack   no more than set-max-listpack-entries members of at most set-max-listpack-value bytes
//	hashtable  all others, and those that once were: a set never goes back by itself
//
// A new set is an intset if its first member allows it. A text turns an intset into a listpack if that would be allowed, else into a
// hashtable; one integer too many turns it into a hashtable, never into a listpack.

// setObject is a large set as the keyspace holds it.
type setObject struct{ *set.Set }

// Clone implements keyspace.Object.
func (o setObject) Clone(to *arena.Arena) keyspace.Object { return setObject{o.Set.Clone(to)} }

// setObjectBytes estimates the memory of a large set of n members that are textBytes long together.
func setObjectBytes(n, textBytes int) int64 { return int64(n)*14 + int64(textBytes) }

// maxIntsetEntries is set-max-intset-entries as far as an intset goes.
func (c *Ctx) maxIntsetEntries() int { return min(c.Settings.SetMaxIntsetEntries, 1<<30) }

// setTakesText tells whether a listpack of n members may take a text of size bytes.
func (c *Ctx) setTakesText(n, size int) bool {
	return n < c.Settings.SetMaxListpackEntries && size <= c.Settings.SetMaxListpackValue
}

// intsetAsListpack tells whether an intset may become a listpack with a text of size bytes added.
func (c *Ctx) intsetAsListpack(is []byte, size int) bool {
	n := intset.Len(is)
	if n > 0 {
		size = max(size, setDecimalLen(intset.Get(is, 0)), setDecimalLen(intset.Get(is, n-1)))
	}
	return c.setTakesText(n, size)
}

func setDecimalLen(n int64) int {
	size := 1
	if n < 0 {
		size++
	}
	for n /= 10; n != 0; n /= 10 {
		size++
	}
	return size
}

// listpackOf appends a listpack of the members of an intset to dst.
func listpackOf(dst, is []byte) []byte {
	dst = listpack.AppendEmpty(dst)
	for i := range intset.Len(is) {
		dst = listpack.AppendInt(dst, intset.Get(is, i))
	}
	return dst
}

// setEdit changes the set at a key.
type setEdit struct {
	c  *Ctx
	db *keyspace.DB
	k  keyspace.Key
	e  keyspace.Entry
}

// reserve prepares for n more members: when those would be too many for a packed encoding it is given up at once, even if it
// turns out that they are all there already.
func (s *setEdit) reserve(n int) {
	switch s.e.Encoding() {
	case keyspace.IntSet:
		if n > s.c.Settings.SetMaxIntsetEntries {
			s.toHash(n)
		}
	case keyspace.ListPack:
		if n > s.c.Settings.SetMaxListpackEntries {
			s.toHash(n)
		}
	}
}

// toHash makes a packed set a hashtable that will soon have extra more members.
func (s *setEdit) toHash(extra int) {
	packed := s.e.Packed()
	n := extra + 4
	o := set.New(s.db.ArenaFor(setObjectBytes(n, 0) + int64(len(packed))))
	addPacked(o, s.e.Encoding(), packed)
	s.e = s.db.PutObject(s.k, keyspace.Set, keyspace.HashTable, setObject{o}, keyspace.KeepTTL)
}

// addPacked adds the members of a packed set to a large one. It is no setView.each, by way of whose callback packed would escape: then
// every new set would cost an allocation.
func addPacked(o *set.Set, enc keyspace.Encoding, packed []byte) {
	var scratch [20]byte
	if enc == keyspace.IntSet {
		for i := range intset.Len(packed) {
			o.Add(strconv.AppendInt(scratch[:0], intset.Get(packed, i), 10))
		}
		return
	}
	for off := listpack.First(packed); off >= 0; off = listpack.Next(packed, off) {
		o.Add(listpack.Text(packed, off, scratch[:]))
	}
}

// add adds a member. It returns false if it was there.
func (s *setEdit) add(member []byte) bool {
	switch s.e.Encoding() {
	case keyspace.IntSet:
		if n, ok := resp.ParseInt(member); ok {
			return s.addInt(n)
		}
		if is := s.e.Packed(); s.c.intsetAsListpack(is, len(member)) {
			lp := make([]byte, 0, len(is)*3/2+listpack.MaxEntry(member)+listpack.MinBytes)
			lp = listpack.Append(listpackOf(lp, is), member)
			s.e = s.db.PutPacked(s.k, keyspace.Set, keyspace.ListPack, lp, keyspace.KeepTTL)
			return true
		}
		s.toHash(1)
	case keyspace.ListPack:
		lp := s.e.Packed()
		if listpack.Find(lp, listpack.First(lp), member, 0) >= 0 {
			return false
		}
		if s.c.setTakesText(listpack.Len(lp), len(member)) && listpack.CanGrow(lp, len(member)) {
			s.e, lp = s.db.EditPacked(s.k, s.e, listpack.MaxEntry(member))
			s.e = s.db.SetPacked(s.k, s.e, keyspace.ListPack, listpack.Append(lp, member))
			return true
		}
		s.toHash(1)
	}
	return s.edit().Add(member)
}

// addInt is add for an intset.
func (s *setEdit) addInt(n int64) bool {
	is := s.e.Packed()
	if intset.Contains(is, n) {
		return false
	}
	s.e, is = s.db.EditPacked(s.k, s.e, intset.MaxGrow(is, n))
	is, _ = intset.Add(is, n)
	s.e = s.db.SetPacked(s.k, s.e, keyspace.IntSet, is)
	if intset.Len(is) > s.c.maxIntsetEntries() {
		s.toHash(1)
	}
	return true
}

// edit returns the large set for changing.
func (s *setEdit) edit() *set.Set { return s.db.EditObject(s.k, s.e).(setObject).Set }

// addAll adds members and returns how many were new. A large set is settled.
func (s *setEdit) addAll(members [][]byte) (added int) {
	for len(members) > 0 && !s.e.IsObject() {
		if s.add(members[0]) {
			added++
		}
		members = members[1:]
	}
	if !s.e.IsObject() {
		return added
	}
	o := s.edit()
	for len(members) > 0 {
		n := min(len(members), setWarmAhead)
		added += setAddSome(o, members[:n])
		members = members[n:]
		o = s.db.Settle(s.e).(setObject).Set
	}
	return added
}

// setWarmAhead is how many members are looked up together: the waits for their memory overlap.
const setWarmAhead = 32

// setAddSome adds up to setWarmAhead members to a large set.
func setAddSome(o *set.Set, members [][]byte) (added int) {
	if len(members) == 1 {
		if o.Add(members[0]) {
			added++
		}
		return added
	}
	var hashes [setWarmAhead]uint64
	setWarm(o, members, &hashes)
	for i, m := range members {
		if o.AddHash(hashes[i], m) {
			added++
		}
	}
	return added
}

// setWarm hashes members and brings what their lookups need close to the processor.
func setWarm(o *set.Set, members [][]byte, hashes *[setWarmAhead]uint64) {
	for i, m := range members {
		hashes[i] = set.Hash(m)
		o.WarmSlot(hashes[i])
	}
	for i := range members {
		o.WarmRecord(hashes[i])
	}
}

// remove removes a member. It returns false if it was not there. The last one leaves an empty set.
func (s *setEdit) remove(member []byte) bool {
	switch s.e.Encoding() {
	case keyspace.IntSet:
		n, ok := resp.ParseInt(member)
		if !ok {
			return false
		}
		pos, ok := intset.Find(s.e.Packed(), n)
		if ok {
			s.removeAt(pos)
		}
		return ok
	case keyspace.ListPack:
		lp := s.e.Packed()
		off := listpack.Find(lp, listpack.First(lp), member, 0)
		if off >= 0 {
			s.removeAt(off)
		}
		return off >= 0
	}
	return s.edit().Remove(member)
}

// removeAt removes a member of a packed set: the one of that index of an intset, at that offset of a listpack.
func (s *setEdit) removeAt(at int) {
	var val []byte
	s.e, val = s.db.EditPacked(s.k, s.e, 0)
	enc := s.e.Encoding()
	if enc == keyspace.IntSet {
		val = intset.RemoveAt(val, at, 1)
	} else {
		val = listpack.Delete(val, at)
	}
	s.e = s.db.SetPacked(s.k, s.e, enc, val)
}

// setBuilder makes a new set out of members one by one.
type setBuilder struct {
	c      *Ctx
	db     *keyspace.DB
	enc    keyspace.Encoding
	packed []byte
	obj    *set.Set
}

// newSetBuilder begins a set in a packed encoding; scratch[:0] is used as long as it is large enough.
func newSetBuilder(c *Ctx, db *keyspace.DB, enc keyspace.Encoding, scratch []byte) setBuilder {
	b := setBuilder{c: c, db: db, enc: enc}
	if enc == keyspace.IntSet {
		b.packed = intset.AppendEmpty(scratch[:0])
	} else {
		b.packed = listpack.AppendEmpty(scratch[:0])
	}
	return b
}

// addNew adds a member that is not there.
func (b *setBuilder) addNew(e set.Elem) {
	n, isInt := e.Int()
	if b.enc == keyspace.IntSet {
		if !isInt {
			n, isInt = resp.ParseInt(e.Text(nil))
		}
		if isInt {
			b.addInt(n)
			return
		}
	}
	var scratch [20]byte
	b.addText(e.Text(scratch[:]))
}

func (b *setBuilder) addInt(n int64) {
	b.packed, _ = intset.Add(b.packed, n)
	if intset.Len(b.packed) > b.c.maxIntsetEntries() {
		b.toHash()
	}
}

// addText adds a member that is not there and that, to an intset, is no integer.
func (b *setBuilder) addText(member []byte) {
	switch b.enc {
	case keyspace.IntSet:
		if b.c.intsetAsListpack(b.packed, len(member)) {
			b.packed = listpack.Append(listpackOf(nil, b.packed), member)
			b.enc = keyspace.ListPack
			return
		}
		b.toHash()
	case keyspace.ListPack:
		if b.c.setTakesText(listpack.Len(b.packed), len(member)) && listpack.CanGrow(b.packed, len(member)) {
			b.packed = listpack.Append(b.packed, member)
			return
		}
		b.toHash()
	}
	b.obj.Add(member)
}

func (b *setBuilder) toHash() {
	b.obj = set.New(b.db.ArenaFor(0))
	addPacked(b.obj, b.enc, b.packed)
	b.enc, b.packed = keyspace.HashTable, nil
}

// put makes what was built the value of k in the place of whatever it has.
func (b *setBuilder) put(k keyspace.Key, atMs int64) {
	if b.enc == keyspace.HashTable {
		b.db.Settle(b.db.PutObject(k, keyspace.Set, b.enc, setObject{b.obj}, atMs))
		return
	}
	b.db.PutPacked(k, keyspace.Set, b.enc, b.packed, atMs)
}
