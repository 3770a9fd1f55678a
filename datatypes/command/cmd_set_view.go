package command

import (
	"strconv"
	"unsafe"

	"github.com/troupe-db/troupe/datatypes/intset"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/datatypes/listpack"
	"github.com/troupe-db/troupe/datatypes/set"
	"github.com/troupe-db/troupe/netio/resp"
)

// setView is a set of any encoding for reading. It is valid until the next change of the set.
type setView struct {
	enc    keyspace.Encoding
	packed []byte
	obj    *set.Set
}

func viewSet(db *keyspace.DB, e keyspace.Entry) setView {
	if e.IsObject() {
		return setView{enc: keyspace.HashTable, obj: db.Object(e).(setObject).Set}
	}
	return setView{enc: e.Encoding(), packed: e.Packed()}
}

// len returns the number of members.
func (v *setView) len() int {
	switch v.enc {
	case keyspace.IntSet:
		return intset.Len(v.packed)
	case keyspace.ListPack:
		return listpack.Len(v.packed)
	}
	return v.obj.Len()
}

// same tells whether both are the set of one key.
func (v *setView) same(o *setView) bool {
	return v.enc == o.enc && v.obj == o.obj && unsafe.SliceData(v.packed) == unsafe.SliceData(o.packed)
}

// holds tells whether member is in the set.
func (v *setView) holds(member []byte) bool {
	switch v.enc {
	case keyspace.IntSet:
		n, ok := resp.ParseInt(member)
		return ok && intset.Contains(v.packed, n)
	case keyspace.ListPack:
		return listpack.Find(v.packed, listpack.First(v.packed), member, 0) >= 0
	}
	return v.obj.Has(member)
}

// setProbe is a member on its way from one set to lookups in others: its text, its number and its hash are made when
// they are asked for, and once.
type setProbe struct {
	elem    set.Elem
	text    []byte
	n       int64
	hash    uint64
	number  probeNumber
	texted  bool
	hashed  bool
	scratch [20]byte
}

type probeNumber uint8

const (
	numberUnknown probeNumber = iota
	isNumber
	isNoNumber
)

func (p *setProbe) setInt(n int64) {
	p.elem, p.n, p.number = set.IntElem(n), n, isNumber
	p.texted, p.hashed = false, false
}

// setText sets a text that lies in the memory of an arena. number tells whether it is an integer's, if that is known.
func (p *setProbe) setText(text []byte, number probeNumber) {
	p.elem, p.text, p.number = set.TextElem(text), text, number
	p.texted, p.hashed = true, false
}

func (p *setProbe) bytes() []byte {
	if !p.texted {
		p.text, p.texted = strconv.AppendInt(p.scratch[:0], p.n, 10), true
	}
	return p.text
}

func (p *setProbe) int() (n int64, ok bool) {
	if p.number == numberUnknown {
		if p.n, ok = resp.ParseInt(p.text); ok {
			p.number = isNumber
		} else {
			p.number = isNoNumber
		}
	}
	return p.n, p.number == isNumber
}

func (p *setProbe) hashOf() uint64 {
	if !p.hashed {
		p.hash, p.hashed = set.Hash(p.bytes()), true
	}
	return p.hash
}

// has tells whether the member is in the set.
func (v *setView) has(p *setProbe) bool {
	switch v.enc {
	case keyspace.IntSet:
		n, ok := p.int()
		return ok && intset.Contains(v.packed, n)
	case keyspace.ListPack:
		return listpack.Find(v.packed, listpack.First(v.packed), p.bytes(), 0) >= 0
	}
	return v.obj.HasHash(p.hashOf(), p.bytes())
}

// each calls fn for every member until it returns false. The probe is good for that call. Where fn looks members up in large
// sets, warm names them.
func (v *setView) each(warm []*set.Set, fn func(p *setProbe) bool) {
	var p setProbe
	switch {
	case v.enc == keyspace.IntSet:
		for i := range intset.Len(v.packed) {
			if p.setInt(intset.Get(v.packed, i)); !fn(&p) {
				return
			}
		}
	case v.enc == keyspace.ListPack:
		for off := listpack.First(v.packed); off >= 0; off = listpack.Next(v.packed, off) {
			if text, n, isInt := listpack.Get(v.packed, off); isInt {
				p.setInt(n)
			} else {
				p.setText(text, isNoNumber)
			}
			if !fn(&p) {
				return
			}
		}
	case len(warm) == 0:
		v.obj.Walk(func(m set.Member) bool {
			p.setText(m.Bytes(), numberUnknown)
			return fn(&p)
		})
	default:
		v.obj.WalkWarm(warm, func(hash uint64, m set.Member) bool {
			p.setText(m.Bytes(), numberUnknown)
			p.hash, p.hashed = hash, true
			return fn(&p)
		})
	}
}

// at returns the member of a packed set with that index.
func (v *setView) at(i int) set.Elem {
	if v.enc == keyspace.IntSet {
		return set.IntElem(intset.Get(v.packed, i))
	}
	return listpackElem(v.packed, listpack.Seek(v.packed, i))
}

func listpackElem(lp []byte, off int) set.Elem {
	text, n, isInt := listpack.Get(lp, off)
	if isInt {
		return set.IntElem(n)
	}
	return set.TextElem(text)
}

// setAt finds the set at Args[i] for reading. A key that is not there leaves ok false; another type is the reply, and failed is
// true.
func (c *Ctx) setAt(i int) (v setView, ok, failed bool) {
	e, ok, failed := c.LookupRead(i, keyspace.Set)
	if !ok {
		return v, false, failed
	}
	return viewSet(c.DB(c.Key(i)), e), true, false
}

// replyElem appends a member to the reply.
func (c *Ctx) replyElem(e set.Elem) {
	var scratch [20]byte
	c.Reply.Bulk(e.Text(scratch[:]))
}

// replyElems replies a set of members.
func (c *Ctx) replyElems(elems []set.Elem) {
	const ahead = 16
	c.Reply.Set(len(elems))
	for i, e := range elems {
		if i+ahead < len(elems) {
			elems[i+ahead].Warm()
		}
		c.replyElem(e)
	}
}
