package main

import (
	"fmt"
	"strconv"
	"time"
)

// settle is how long a server has after a load to give back what it needed only for the load.
const settle = 3 * time.Second

// returnWithin is how long it has to give back what was deleted.
const returnWithin = 30 * time.Second

// shape is a data set of so many commands, each of which stores so many things that memory is counted by.
type shape struct {
	cell, name       string
	commands, things int
	command          func(i int, b []byte) []byte
	target           target
	remove           bool
}

// elements makes a command that adds n elements to the collection at key, each made of words(j) for the j-th of all.
func elements(name string, key func(i int) string, n int, words func(j int) []string) func(i int, b []byte) []byte {
	return func(i int, b []byte) []byte {
		args := []string{name, key(i)}
		for j := i * n; j < (i+1)*n; j++ {
			args = append(args, words(j)...)
		}
		return appendCommand(b, args...)
	}
}

func oneKey(int) string { return "big" }

func digits(i int) string { return fmt.Sprintf("%08d", scatter(i)%100_000_000) }

var shapes = []shape{
	{"value32", "16 B key, 32 B value", 1_000_000, 1, func(i int, b []byte) []byte {
		return appendCommand(b, "SET", keyName(i), value32)
	}, ratioAtMost(0.55), true},
	{"digits", "16 B key, 3 digits", 1_000_000, 1, func(i int, b []byte) []byte {
		return appendCommand(b, "SET", keyName(i), strconv.Itoa(100+i%900))
	}, ratioAtMost(0.6), false},
	{"ttl", "16 B key, 32 B value, TTL", 1_000_000, 1, func(i int, b []byte) []byte {
		return appendCommand(b, "SET", keyName(i), value32, "EX", strconv.Itoa(100_000+scatter(i)%100_000))
	}, ratioAtMost(0.5), false},
	{"hash10", "hash of 10 fields", 100_000, 1, elements("HSET", keyName, 10, func(j int) []string {
		return []string{"field" + strconv.Itoa(j%10), "v" + digits(j)}
	}), ratioAtMost(0.95), false},
	{"zset200", "sorted set of 200", 10_000, 1, elements("ZADD", keyName, 200, func(j int) []string {
		return []string{strconv.Itoa(scatter(j) % 1_000_000), "m:" + digits(j+7)}
	}), ratioAtMost(0.4), false},
	{"list200", "list of 200", 10_000, 1, elements("RPUSH", keyName, 200, func(j int) []string {
		return []string{"item" + digits(j)}
	}), ratioAtMost(1), false},
	{"intset200", "set of 200 integers", 10_000, 1, elements("SADD", keyName, 200, func(j int) []string {
		return []string{strconv.Itoa(scatter(j) % 1_000_000)}
	}), ratioAtMost(1), false},
	{"zset1m", "element of a sorted set of 1 M", 20_000, 50, elements("ZADD", oneKey, 50, func(j int) []string {
		return []string{strconv.Itoa(scatter(j) % 1_000_000), fmt.Sprintf("m:%08d", j)}
	}), ratioAtMost(0.45), false},
	{"hash1m", "field of a hash of 1 M", 20_000, 50, elements("HSET", oneKey, 50, func(j int) []string {
		return []string{fmt.Sprintf("m:%08d", j), "v" + digits(j)}
	}), ratioAtMost(0.75), false},
	{"stream1m", "entry of a stream of 1 M", 1_000_000, 1, func(i int, b []byte) []byte {
		return appendCommand(b, "XADD", "big", "*", "sensor", strconv.Itoa(scatter(i)%10_000), "temp", strconv.Itoa(scatter(i+1)%1000))
	}, ratioAtMost(1), false},
}

// memory measures by how much the process and used_memory grow per key, or per element of one large value, on fresh servers.
func memory(b *bench) error {
	for _, shape := range shapes {
		if !b.wants("memory/" + shape.cell) {
			continue
		}
		b.progress(shape.name)
		commands := pick(b, shape.commands, shape.commands/5)
		keys := commands * shape.things
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
				if err := s.fill(commands, shape.command); err != nil {
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
