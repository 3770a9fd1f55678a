package hll

import "encoding/binary"

// Union is the registers of several values together, a byte each. The zero Union is that of none.
type Union struct {
	regs  [Registers]uint8
	dense bool // one of the values was dense
}

// Add adds a value. After an error the union may have some of it.
func (u *Union) Add(b []byte) error {
	if !IsDense(b) {
		return eachRun(b, func(first, n int, rank uint8) {
			if rank > 0 {
				for i := first; i < first+n; i++ {
					u.regs[i] = max(u.regs[i], rank)
				}
			}
		})
	}
	u.dense = true
	src := b[HeaderBytes:DenseBytes]
	for i := 0; i < Registers; i += 8 {
		eight := u.regs[i : i+8]
		w := maxBytes(binary.LittleEndian.Uint64(eight), unpack(load48(src)))
		binary.LittleEndian.PutUint64(eight, w)
		src = src[packedBytes:]
	}
	return nil
}

// Count estimates the number of different elements of all values.
func (u *Union) Count() uint64 {
	var h histogram
	for i := 0; i < Registers; i += 8 {
		h.add8(binary.LittleEndian.Uint64(u.regs[i:]))
	}
	return h.estimate()
}

// Store raises the registers of b to those of the union, which must include b. The result is dense if any of the values was, or
// if it gets longer than sparseMax bytes. It makes the cached cardinality out of date.
func (u *Union) Store(b []byte, sparseMax int) (out []byte, err error) {
	if u.dense && !IsDense(b) {
		if b, err = ToDense(nil, b); err != nil {
			return nil, err
		}
	}
	next := 0
	if !IsDense(b) {
		var from cursor
		for ; next < Registers && !IsDense(b); next++ {
			if rank := u.regs[next]; rank > 0 {
				if b, _, err = raiseSparse(b, next, rank, sparseMax, &from); err != nil {
					return nil, err
				}
			}
		}
	}
	if IsDense(b) {
		dst := b[HeaderBytes:DenseBytes]
		for i := 0; i < Registers; i += 8 {
			// None of the union's registers is smaller than b's.
			w := pack(binary.LittleEndian.Uint64(u.regs[i:]))
			binary.LittleEndian.PutUint32(dst, uint32(w))
			binary.LittleEndian.PutUint16(dst[4:], uint16(w>>32))
			dst = dst[packedBytes:]
		}
	}
	Outdate(b)
	return b, nil
}

// Register returns a register of a dense value.
func Register(b []byte, register int) uint8 { return getDense(b, register) }
