package main

import (
	"strconv"
	"time"
)

// settle is how long a server has after a load to give back what it needed only for the load.
const settle = 3 * time.Second

// returnWithin is how long it has to give back what was deleted.
const returnWithin = 30 * time.Second

// memory measures by how much the process and used_memory grow per key on fresh servers.
func memory(b *bench) error {
	for _, shape := range []struct {
		cell, name string
		command    func(i int, b []byte) []byte
		target     target
		remove     bool
	}{
		{"value32", "16 B key, 32 B value", func(i int, b []byte) []byte {
			return appendCommand(b, "SET", keyName(i), value32)
		}, ratioAtMost(0.55), true},
		{"digits", "16 B key, 3 digits", func(i int, b []byte) []byte {
			return appendCommand(b, "SET", keyName(i), strconv.Itoa(100+i%900))
		}, ratioAtMost(0.6), false},
		{"ttl", "16 B key, 32 B value, TTL", func(i int, b []byte) []byte {
			return appendCommand(b, "SET", keyName(i), value32, "EX", strconv.Itoa(100_000+scatter(i)%100_000))
		}, ratioAtMost(0.5), false},
	} {
		if !b.wants("memory/" + shape.cell) {
			continue
		}
		b.progress(shape.name)
		keys := pick(b, 1_000_000, 200_000)
		on, err := b.start()
		if err != nil {
			return err
		}
		err = func() error {
			defer on.stop()
			before, err := footprints(on)
			if err != nil {
				return err
			}
			for _, s := range on {
				if err := s.fill(keys, shape.command); err != nil {
					return err
				}
			}
			time.Sleep(settle)
			full, err := footprints(on)
			if err != nil {
				return err
			}
			runs := make([][][]float64, len(on))
			for k := range on {
				runs[k] = [][]float64{{
					(full[k].resident - before[k].resident) / float64(keys),
					(full[k].used - before[k].used) / float64(keys),
				}}
			}
			b.add(shape.name, []figure{{"resident per key", "B", shape.target}, {"used_memory per key", "B", target{}}}, runs)
			if shape.remove {
				return b.returned(on, keys, before, full)
			}
			return nil
		}()
		if err != nil {
			b.report.fail(shape.name, err)
		}
	}
	return nil
}

// footprint is the memory of a server, in bytes.
type footprint struct{ resident, used float64 }

func footprints(on servers) ([]footprint, error) {
	all := make([]footprint, len(on))
	for k, s := range on {
		used, err := s.usedMemory()
		if err != nil {
			return nil, err
		}
		resident, err := s.resident()
		if err != nil {
			return nil, err
		}
		all[k] = footprint{resident, used}
	}
	return all, nil
}

// returned deletes all keys but each tenth and reports which part of the growth is back in time.
func (b *bench) returned(on servers, keys int, before, full []footprint) error {
	const perCommand = 100
	for _, s := range on {
		err := s.fill(keys/perCommand, func(i int, b []byte) []byte {
			args := []string{"DEL"}
			for k := i * perCommand; k < (i+1)*perCommand; k++ {
				if k%10 != 0 {
					args = append(args, keyName(k))
				}
			}
			return appendCommand(b, args...)
		})
		if err != nil {
			return err
		}
	}
	time.Sleep(pick(b, returnWithin, returnWithin/3))
	after, err := footprints(on)
	if err != nil {
		return err
	}
	runs := make([][][]float64, len(on))
	for k := range on {
		runs[k] = [][]float64{{100 * (full[k].resident - after[k].resident) / (full[k].resident - before[k].resident)}}
	}
	b.add("after deleting 90 %", []figure{{"returned in " + pick(b, returnWithin, returnWithin/3).String(), "%", valueAtLeast(70)}}, runs)
	return nil
}
