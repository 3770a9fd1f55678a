package hll

import (
	"slices"
	"strconv"
)

// Limits of the opcodes.
const (
	valRun    = 4  // registers of a VAL
	valMax    = 32 // and their largest value
	zeroRun   = 64
	mergeScan = 5 // opcodes looked at for neighbours that can be one
	xzeroBit  = 0x40
	valBit    = 0x80
)

// opcode is one opcode of a sparse value.
type opcode struct {
	size int // bytes
	run  int // registers
	rank uint8
}

// opcodeAt decodes the opcode at b[at]. ok is false if it is cut off.
func opcodeAt(b []byte, at int) (o opcode, ok bool) {
	switch c := b[at]; {
	case c&valBit != 0:
		return opcode{1, int(c&3) + 1, c>>2&31 + 1}, true
	case c&xzeroBit == 0:
		return opcode{1, int(c&0x3f) + 1, 0}, true
	case at+1 < len(b):
		return opcode{2, int(c&0x3f)<<8 | int(b[at+1]) + 1, 0}, true
	}
	return opcode{}, false
}

// appendZeros appends the opcode for n registers of zero.
func appendZeros(dst []byte, n int) []byte {
	if n > zeroRun {
		return append(dst, xzeroBit|byte((n-1)>>8), byte(n-1))
	}
	return append(dst, byte(n-1))
}

func val(rank uint8, run int) byte { return valBit | (rank-1)<<2 | byte(run-1) }

// eachRun calls fn for the runs of a sparse value: the first register of each, how many there are, and their rank. Runs that go
// beyond the last register are an error, before fn is called for them.
func eachRun(b []byte, fn func(first, n int, rank uint8)) error {
	first := 0
	for at := HeaderBytes; at < len(b); {
		o, ok := opcodeAt(b, at)
		if !ok || first+o.run > Registers {
			return ErrCorrupt
		}
		fn(first, o.run, o.rank)
		first += o.run
		at += o.size
	}
	if first != Registers {
		return ErrCorrupt
	}
	return nil
}

// cursor is an opcode in a sparse value: where it is and its first register. The zero cursor is the first opcode.
type cursor struct{ at, first int }

// place is where a register is in a sparse value.
type place struct {
	here   cursor // the opcode that has it
	prev   cursor // the one in front of here; here itself if there is none
	before cursor // the one in front of prev
	size   int    // of here, in bytes
	run    int    // of here, in registers
	rank   uint8  // of here
}

// find searches a register from an opcode on that does not end behind it. ok is false if there is no such register.
func (p *place) find(b []byte, register int, from cursor) (ok bool) {
	here := cursor{max(from.at, HeaderBytes), from.first}
	prev, before := here, here
	for here.at < len(b) {
		// This is where the time goes, hence not by way of opcodeAt.
		c := b[here.at]
		size, run, rank := 1, int(c&3)+1, c>>2&31+1
		if c < valBit {
			if run, rank = int(c&0x3f)+1, 0; c >= xzeroBit {
				if here.at+1 >= len(b) {
					return false
				}
				size, run = 2, int(c&0x3f)<<8|int(b[here.at+1])+1
			}
		}
		if register < here.first+run {
			*p = place{here, prev, before, size, run, rank}
			return here.first+run <= Registers
		}
		before, prev = prev, here
		here = cursor{here.at + size, here.first + run}
	}
	return false
}

// raiseSparse makes a register of a sparse value at least rank. It begins its search at *from and leaves there an opcode to begin
// with for registers behind this one: as long as they come in ascending order one cursor serves for all of them.
//
// Redis's way of changing the opcodes is part of the format, since values are compared byte by byte: the opcode that has the register
// is split, then up to five opcodes from the one before it on are looked at for equal neighbours that fit in one.
func raiseSparse(b []byte, register int, rank uint8, sparseMax int, from *cursor) (out []byte, changed bool, err error) {
	if rank > valMax {
		return promote(b, register, rank)
	}
	var p place
	ok := p.find(b, register, *from)
	if ok && p.here.at == from.at && from.at > HeaderBytes {
		ok = p.find(b, register, cursor{}) // what is in front of it matters
	}
	if !ok {
		return b, false, ErrCorrupt
	}
	*from = p.before
	if p.rank >= rank {
		return b, false, nil
	}
	if p.run == 1 {
		b[p.here.at] = val(rank, 1)
	} else {
		var buf [2*2 + 1]byte
		seq := buf[:0]
		side := func(n int) {
			switch {
			case n == 0:
			case p.rank == 0:
				seq = appendZeros(seq, n)
			default:
				seq = append(seq, val(p.rank, n))
			}
		}
		side(register - p.here.first)
		seq = append(seq, val(rank, 1))
		side(p.here.first + p.run - 1 - register)
		if more := len(seq) - p.size; more > 0 && len(b)+more > sparseMax {
			return promote(b, register, rank)
		}
		b = slices.Replace(b, p.here.at, p.here.at+p.size, seq...)
	}
	b = mergeFrom(b, p.prev.at)
	Outdate(b)
	return b, true, nil
}

// mergeFrom joins neighbouring opcodes of the same rank, looking at a few from at on.
func mergeFrom(b []byte, at int) []byte {
	for scan := mergeScan; scan > 0 && at < len(b); scan-- {
		c := b[at]
		if c&valBit == 0 {
			at += 1 + int(c&xzeroBit)/xzeroBit
			continue
		}
		if at+1 < len(b) {
			next := b[at+1]
			if run := int(c&3) + int(next&3) + 2; next&valBit != 0 && next>>2 == c>>2 && run <= valRun {
				b = slices.Delete(b, at, at+1)
				b[at] = val(c>>2&31+1, run)
				continue // the joined one may join its right neighbour too
			}
		}
		at++
	}
	return b
}

// promote makes b dense and raises a register, which no sparse form can do.
func promote(b []byte, register int, rank uint8) (out []byte, changed bool, err error) {
	d, err := ToDense(nil, b)
	if err != nil {
		return b, false, err
	}
	return d, raiseDense(d, register, rank), nil
}

// AppendOpcodes appends the opcodes of b, a sparse value, to dst in readable form: z:n and Z:n for runs of n zeros in one byte and
// in two, v:rank,n for others. What is cut off is left out.
func AppendOpcodes(dst, b []byte) []byte {
	for at := HeaderBytes; at < len(b); {
		o, ok := opcodeAt(b, at)
		if !ok {
			break
		}
		if at > HeaderBytes {
			dst = append(dst, ' ')
		}
		switch {
		case o.rank > 0:
			dst = append(dst, "v:"...)
			dst = strconv.AppendInt(dst, int64(o.rank), 10)
			dst = append(dst, ',')
		case o.size == 1:
			dst = append(dst, "z:"...)
		default:
			dst = append(dst, "Z:"...)
		}
		dst = strconv.AppendInt(dst, int64(o.run), 10)
		at += o.size
	}
	return dst
}
