package command

import (
	"encoding/binary"
	"math/bits"
)

// nameTable finds a spec by its name in any case. It is asked once per command, so it is made for that: a name is packed
// into at most three words, and one pass over the words both hashes and compares them.
//
// Folding case with c|0x20 is right for letters only, which is good enough for the hash. For the comparison each slot
// knows which of its bytes are letters: a byte may differ from the slot's in bit 0x20, and there only. A map that
// is asked for a lower-case copy of the name takes 22 ns where this takes 7 (BenchmarkLookup, BenchmarkLookupInMap).
type nameTable struct {
	slots []nameSlot // open addressing, length a power of two, at most one slot in four is used
	shift uint8      // 64 - log2(len(slots))
}

type nameSlot struct {
	word [3]uint64 // the packed name
	fold [3]uint64 // 0x20 in the place of each letter
	len  int
	spec *Spec
}

// maxNameBytes is what three words hold. The longest name of Redis is georadiusbymember_ro with 20.
const maxNameBytes = 24

// packName packs 1 to maxNameBytes bytes. The words overlap as needed: equal length and equal words mean equal names.
func packName(name []byte) (a, b, c uint64) {
	switch n := len(name); {
	case n > 16:
		return binary.LittleEndian.Uint64(name), binary.LittleEndian.Uint64(name[n-8:]), binary.LittleEndian.Uint64(name[8:])
	case n >= 8:
		return binary.LittleEndian.Uint64(name), binary.LittleEndian.Uint64(name[n-8:]), 0
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(name)) | uint64(binary.LittleEndian.Uint32(name[n-4:]))<<32, 0, 0
	default:
		return uint64(name[0]) | uint64(name[n/2])<<8 | uint64(name[n-1])<<16, 0, 0
	}
}

func hashName(a, b uint64, n int) uint64 {
	const fold = 0x2020202020202020
	// The third word adds nothing that tells names apart.
	return ((a | fold) ^ bits.RotateLeft64(b|fold, 29) ^ uint64(n)) * 0x9e3779b97f4a7c15
}

func (t *nameTable) lookup(name []byte) *Spec {
	n := len(name)
	if n == 0 || n > maxNameBytes || len(t.slots) == 0 {
		return nil
	}
	a, b, c := packName(name)
	mask := uint64(len(t.slots) - 1)
	for i := hashName(a, b, n) >> (t.shift & 63); ; i++ {
		s := &t.slots[i&mask]
		if s.spec == nil {
			return nil
		}
		if s.len == n && (a^s.word[0])&^s.fold[0]|(b^s.word[1])&^s.fold[1]|(c^s.word[2])&^s.fold[2] == 0 {
			return s.spec
		}
	}
}

// makeNameTable builds the table of specs by their Name. REQUIRES: names are distinct, lower case and of legal length.
func makeNameTable(specs []*Spec) nameTable {
	if len(specs) == 0 {
		return nameTable{}
	}
	log := bits.Len(uint(4*len(specs) - 1))
	t := nameTable{slots: make([]nameSlot, 1<<log), shift: uint8(64 - log)}
	for _, s := range specs {
		letters := make([]byte, len(s.Name))
		for i := range letters {
			if c := s.Name[i]; 'a' <= c && c <= 'z' {
				letters[i] = 0x20
			}
		}
		slot := nameSlot{len: len(s.Name), spec: s}
		slot.word[0], slot.word[1], slot.word[2] = packName([]byte(s.Name))
		slot.fold[0], slot.fold[1], slot.fold[2] = packName(letters)
		i := hashName(slot.word[0], slot.word[1], slot.len) >> (t.shift & 63)
		for t.slots[i&uint64(len(t.slots)-1)].spec != nil {
			i++
		}
		t.slots[i&uint64(len(t.slots)-1)] = slot
	}
	return t
}
