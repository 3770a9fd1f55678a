package dict

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/troupe-db/troupe/datatypes/arena"
)

const benchKeys = 1_000_000

// filled returns a dict of a million 16-byte keys in records of 56 bytes, and the keys in random order, packed.
func filled(b *testing.B) (table, []byte) {
	d := newTable(b)
	keys := make([]byte, 0, benchKeys*16)
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(benchKeys) {
		keys = fmt.Appendf(keys, "key:%012d", i)
	}
	for i := range benchKeys {
		d.insertSized(fmt.Appendf(nil, "key:%012d", i))
	}
	return d, keys
}

func (t table) insertSized(key []byte) {
	r := t.a.Alloc(56)
	b := r.Bytes(56)
	n := binary.PutUvarint(b[keyOff:], uint64(len(key)))
	copy(b[keyOff+n:], key)
	t.Insert(Hash(key), r)
}

func BenchmarkFindHit(b *testing.B) {
	d, keys := filled(b)
	i := 0
	for b.Loop() {
		k := keys[i*16 : i*16+16]
		if !d.Find(Hash(k), k).OK() {
			b.Fatal("lost")
		}
		if i++; i == benchKeys {
			i = 0
		}
	}
}

// BenchmarkFindDependent makes each key depend on the record found before, so that cache misses of successive calls do not overlap.
func BenchmarkFindDependent(b *testing.B) {
	d, keys := filled(b)
	i := 0
	for b.Loop() {
		k := keys[i*16 : i*16+16]
		s := d.Find(Hash(k), k)
		i += int(s.Ref().Bytes(keyOff + 1)[keyOff]>>7) + 1 // 1: the keys are short, but only the record tells that
		if i >= benchKeys {
			i = 0
		}
	}
}

func BenchmarkFindMiss(b *testing.B) {
	d, keys := filled(b)
	for i := 0; i < len(keys); i += 16 {
		keys[i] = 'm'
	}
	i := 0
	for b.Loop() {
		k := keys[i*16 : i*16+16]
		if d.Find(Hash(k), k).OK() {
			b.Fatal("found")
		}
		if i++; i == benchKeys {
			i = 0
		}
	}
}

func BenchmarkInsert(b *testing.B) {
	d := newTable(b)
	var key [16]byte
	for i := range b.N {
		if i%benchKeys == 0 {
			b.StopTimer()
			d.a.Release()
			d = table{New(d.a, keyOff), d.a}
			b.StartTimer()
		}
		binary.LittleEndian.PutUint64(key[:], uint64(i)*0x9e3779b97f4a7c15)
		d.insertSized(key[:])
	}
}

func BenchmarkInsertDelete(b *testing.B) {
	d, keys := filled(b)
	i := 0
	for b.Loop() {
		k := keys[i*16 : i*16+16]
		h := Hash(k)
		d.Insert(h, d.Delete(h, k))
		if i++; i == benchKeys {
			i = 0
		}
	}
}

func BenchmarkDelete(b *testing.B) {
	b.StopTimer()
	var d table
	var keys []byte
	for i := range b.N {
		if i%benchKeys == 0 {
			b.StopTimer()
			if d.a != nil {
				d.a.Release()
			}
			d, keys = filled(b)
			b.StartTimer()
		}
		k := keys[i%benchKeys*16 : i%benchKeys*16+16]
		d.a.Free(d.Delete(Hash(k), k))
	}
}

func BenchmarkScan(b *testing.B) {
	d, _ := filled(b)
	pos, n := uint64(0), arena.Ref(0)
	for b.Loop() {
		pos, _ = d.Scan(pos, 10, func(s Slot) { n += s.Ref() })
	}
}

func BenchmarkRandom(b *testing.B) {
	d, _ := filled(b)
	rnd := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		d.Random(rnd.Uint64)
	}
}
