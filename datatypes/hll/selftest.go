package hll

import (
	"encoding/binary"
	"fmt"
	"math"
)

// What SelfTest does.
const (
	selfTestRounds   = 50
	selfTestElements = 1_000_000
	selfTestSparse   = 3000 // bytes; the default of hll-sparse-max-bytes
)

// SelfTest checks the package on the machine that it runs on: that registers keep what is written to them, that both
// forms agree, and that estimates stay within four standard errors. rnd returns uniform 64-bit numbers. It takes some tens of
// milliseconds.
func SelfTest(rnd func() uint64) error {
	if err := testRegisters(rnd); err != nil {
		return err
	}
	return testEstimates(rnd())
}

// testRegisters writes dense registers in random order and compares all of them with plain bytes.
func testRegisters(rnd func() uint64) error {
	b, err := ToDense(nil, AppendEmpty(nil))
	if err != nil {
		return err
	}
	var want [Registers]uint8
	for round := range selfTestRounds {
		for range Registers {
			r := rnd()
			i, rank := int(r%Registers), uint8(r>>32&registerMax)
			want[i] = rank
			setDense(b, i, rank)
		}
		for i, rank := range want {
			if got := getDense(b, i); got != rank {
				return fmt.Errorf("hll: register %d is %d and not %d in round %d", i, got, rank, round)
			}
		}
	}
	return nil
}

// testEstimates adds different elements to a value that may be sparse and to one that is dense.
func testEstimates(start uint64) error {
	small := AppendEmpty(nil)
	large, err := ToDense(nil, small)
	if err != nil {
		return err
	}
	var elem [8]byte
	for n, next := uint64(1), uint64(10); n <= selfTestElements; n++ {
		binary.LittleEndian.PutUint64(elem[:], start+n)
		if small, _, err = Add(small, elem[:], selfTestSparse); err == nil {
			large, _, err = Add(large, elem[:], selfTestSparse)
		}
		if err != nil {
			return err
		}
		if n != next {
			continue
		}
		next *= 10
		a, err := Count(small)
		if err != nil {
			return err
		}
		b, err := Count(large)
		if err != nil {
			return err
		}
		if a != b {
			return fmt.Errorf("hll: the estimate of %d elements is %d and %d", n, a, b)
		}
		if bound := math.Ceil(4 * 1.04 / math.Sqrt(Registers) * float64(n)); math.Abs(float64(a)-float64(n)) > bound {
			return fmt.Errorf("hll: the estimate of %d elements is %d", n, a)
		}
	}
	return nil
}
