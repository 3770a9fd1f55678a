package command

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/troupe-db/troupe/datatypes/hash"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/list"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/datatypes/stream"
)

// EachElement calls fn for the elements of the value of e, whatever its type and encoding: the bytes of a string, the
// elements of a list, the members of a set, member and score of a sorted set, field, value and deadline (decimal,
// -1 for none) of a hash, ID, fields and values of a stream and then its counters and groups. It tells whether they come in
// an order that is part of the value. The words are valid during the call.
func EachElement(db *keyspace.DB, e keyspace.Entry, fn func(words ...[]byte)) (ordered bool) {
	var scratch [32]byte
	var words [2][]byte // one for all calls: a list of arguments would be allocated for each
	switch e.Type() {
	case keyspace.List:
		eachOfList(db, e, fn)
		return true
	case keyspace.Set:
		v := viewSet(db, e)
		v.each(nil, func(p *setProbe) bool {
			words[0] = p.bytes()
			fn(words[:1]...)
			return true
		})
	case keyspace.ZSet:
		r := zsetOf(db, e)
		it := r.Range(0, r.Len(), false) // not in the loop's header: there, fn would make it a new one every time round
		for it.Next() {
			score := it.Score()
			if score == 0 {
				score = 0 // not -0, which is the same score
			}
			words[0], words[1] = it.Member(), binary.LittleEndian.AppendUint64(scratch[:0], math.Float64bits(score))
			fn(words[:]...)
		}
	case keyspace.Hash:
		eachOfHash(db, e, fn)
	case keyspace.Stream:
		eachOfStream(db.Object(e).(streamObject).Stream, fn)
		return true
	default:
		fn(e.Bytes(scratch[:]))
	}
	return false
}

func eachOfList(db *keyspace.DB, e keyspace.Entry, fn func(words ...[]byte)) {
	var scratch [32]byte
	var words [1][]byte
	if !e.IsObject() {
		lp := e.Packed()
		for off := listpack.First(lp); off >= 0; off = listpack.Next(lp, off) {
			words[0] = listpack.Text(lp, off, scratch[:])
			fn(words[:]...)
		}
		return
	}
	w := db.Object(e).(listObject).Walk(0, false)
	defer w.Close()
	for w.Next() {
		if w.Pack == nil {
			words[0] = w.Plain
			fn(words[:]...)
			continue
		}
		for r, n := (list.Run{Pack: w.Pack, Off: w.Off}), w.N; n > 0; n-- {
			words[0] = r.Text(scratch[:])
			fn(words[:]...)
			r.Off = listpack.Next(r.Pack, r.Off)
		}
	}
}

func eachOfHash(db *keyspace.DB, e keyspace.Entry, fn func(words ...[]byte)) {
	var scratch [3][32]byte
	var words [3][]byte
	large, small := hashContent(db, e)
	if large == nil {
		for off := small.First(); off >= 0; off = small.Next(off) {
			words[0] = listpack.Text(small.LP, off, scratch[0][:])
			words[1] = listpack.Text(small.LP, small.Value(off), scratch[1][:])
			words[2] = strconv.AppendInt(scratch[2][:0], small.Deadline(off), 10)
			fn(words[:]...)
		}
		return
	}
	for pos, more := uint64(0), true; more; {
		pos, more = large.Scan(pos, math.MaxInt, func(it hash.Item) {
			words[0], words[1] = it.Pair()
			words[2] = strconv.AppendInt(scratch[2][:0], large.Deadline(it), 10)
			fn(words[:]...)
		})
	}
}

func eachOfStream(s *stream.Stream, fn func(words ...[]byte)) {
	var words [][]byte
	for it := s.Range(stream.ID{}, stream.MaxID); it.Next(); {
		words = append(words[:0], []byte(it.ID().String()))
		for range it.Pairs() {
			field, value := it.Pair()
			// A number is made into text that the next call may write over.
			words = append(words, append([]byte(nil), field...), append([]byte(nil), value...))
		}
		fn(words...)
	}
	number := func(n int64) []byte { return strconv.AppendInt(nil, n, 10) }
	fn([]byte(s.LastID().String()), []byte(s.MaxDeletedID().String()), number(s.EntriesAdded()))
	for i := range s.Groups() {
		g := s.GroupAt(i)
		fn([]byte(g.Name()), []byte(g.LastID().String()), number(g.EntriesRead()))
		for j := range g.Consumers() {
			fn([]byte(g.ConsumerAt(j).Name()))
		}
		for it := g.RangePending(stream.ID{}, stream.MaxID); it.Next(); {
			p := it.Pending()
			fn([]byte(p.ID.String()), []byte(p.Consumer.Name()), number(p.DeliveredMs), number(p.Deliveries))
		}
	}
}
