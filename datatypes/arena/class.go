package arena

import "math/bits"

// Size classes. Records of a keyspace are mostly 20 to 200 bytes, so that is where the steps are finest: rounding up
// costs at most 3 bytes up to 64, 7 up to 128, 15 up to 512 and a sixteenth above, where packed collections and blocks
// of streams are. Powers of two with four steps per doubling were rejected: they waste 11 % of an average record where
// these waste 4 %. Eight steps per doubling above 256 cost lists of 200 elements 4 % more.
//
//	8 12 16 … 64 | 72 80 … 128 | 144 160 … 256 | 272 288 … 512 | … | 8704 9216 … 16384
const (
	minSize   = 8
	fineMax   = 64
	mediumMax = 128
	maxSmall  = 16 << 10

	nFine   = (fineMax-minSize)/4 + 1
	nMedium = (mediumMax - fineMax) / 8
	nMiddle = 8      // from 128 to 256
	nCoarse = 6 * 16 // six doublings from 256 to 16 KiB
	nSmall  = nFine + nMedium + nMiddle + nCoarse
)

// Values of slab.class that are not size classes.
const (
	classFree    = 0xff // a slab of a chunk that holds nothing
	classRun     = 0xfe // first slab of a large object
	classRunTail = 0xfd // further slabs of a large object
	classHuge    = 0xfc // a mapping of its own
)

// fineClass maps (size+3)/4 to a class, for sizes up to mediumMax.
var fineClass = func() (t [mediumMax/4 + 1]uint8) {
	for i := range t {
		switch size := max(i*4, minSize); {
		case size <= fineMax:
			t[i] = uint8((size - minSize) / 4)
		default:
			t[i] = uint8(nFine + (size-fineMax+7)/8 - 1)
		}
	}
	return t
}()

// coarseClass returns the class of a size in (mediumMax, maxSmall].
func coarseClass(size int) uint {
	n := uint(size - 1)
	e := uint(bits.Len(n))
	if e == 8 { // 129…256
		return nFine + nMedium + n>>4&7
	}
	return nFine + nMedium + nMiddle + (e-9)*16 + n>>(e-5)&15
}

// classSize returns the bytes of an object of class c.
func classSize(c int) uint32 {
	switch {
	case c < nFine:
		return uint32(minSize + 4*c)
	case c < nFine+nMedium:
		return uint32(fineMax + 8*(c-nFine+1))
	}
	c -= nFine + nMedium
	if c < nMiddle {
		return uint32(8+c+1) << 4
	}
	c -= nMiddle
	return uint32(16+c%16+1) << (4 + c/16)
}

func classOf(size int) uint {
	if size <= mediumMax {
		return uint(fineClass[(size+3)>>2])
	}
	return coarseClass(size)
}
