package main

import (
	"strconv"
	"strings"
	"time"
)

// benchKeys is how many keys the closed loops draw from, manyClients the connections of the scenario with many.
const (
	benchKeys   = 100_000
	manyClients = 1000
	fewClients  = 50
)

// slice is the length of one run. Many short runs beat few long ones: what disturbs a shared machine lasts seconds, and
// the two runs of a pair share it.
const slice = 200 * time.Millisecond

// throughputCell is one closed loop, and what it should reach.
type throughputCell struct {
	name      string
	loop      loop
	rate, cpu target
	prepare   func(*server) error // may be nil
}

// collectionLoads are the loops of redis-benchmark over one collection each.
var collectionLoads = []struct {
	name    string
	command []string
	prepare func(*server) error
}{
	{"LPUSH", []string{"LPUSH", "mylist", "__rand_int__"}, nil},
	{"RPOP", []string{"RPOP", "mylist"}, func(s *server) error { return s.fillList("mylist", 2_000_000) }},
	{"SADD", []string{"SADD", "myset", "element:__rand_int__"}, nil},
	{"HSET", []string{"HSET", "myhash", "element:__rand_int__", "__rand_int__"}, nil},
	{"ZADD", []string{"ZADD", "myzset", "__rand_int__", "element:__rand_int__"}, nil},
	{"ZRANGE", []string{"ZRANGE", "myzset", "0", "9"}, nil},
	{"XADD", []string{"XADD", "mystream", "*", "field", "__rand_int__"}, nil},
	{"LRANGE_100", []string{"LRANGE", "list100", "0", "99"}, func(s *server) error { return s.fillList("list100", 1000) }},
}

// fillList makes the list at key n elements long.
func (s *server) fillList(key string, n int) error {
	if _, err := s.do("DEL", key); err != nil {
		return err
	}
	return s.fill(n/100, func(i int, b []byte) []byte {
		args := []string{"RPUSH", key}
		for k := range 100 {
			args = append(args, strconv.Itoa(scatter(i*100+k)%1_000_000))
		}
		return appendCommand(b, args...)
	})
}

func throughput(b *bench) error {
	on, err := b.start()
	if err != nil {
		return err
	}
	defer on.stop()
	for _, s := range on {
		if err := s.fillStrings(benchKeys); err != nil {
			return err
		}
	}
	get, set := []string{"GET", "key:__rand_int__"}, []string{"SET", "key:__rand_int__", "xxx"}
	mset := []string{"MSET"}
	for range 10 {
		mset = append(mset, set[1:]...)
	}
	none := target{}
	cells := []throughputCell{
		{"GET p1", loop{fewClients, 1, get}, ratioAtLeast(1), ratioAtMost(1.1), nil},
		{"SET p1", loop{fewClients, 1, set}, ratioAtLeast(1), ratioAtMost(1.1), nil},
		{"GET p16", loop{fewClients, 16, get}, ratioAtLeast(1.5), ratioAtMost(0.7), nil},
		{"SET p16", loop{fewClients, 16, set}, ratioAtLeast(1.5), ratioAtMost(0.7), nil},
		{"GET p64", loop{fewClients, 64, get}, ratioAtLeast(1.5), ratioAtMost(0.7), nil},
		{"SET p64", loop{fewClients, 64, set}, ratioAtLeast(1.5), ratioAtMost(0.7), nil},
		{"MSET of 10 keys p1", loop{fewClients, 1, mset}, ratioAtLeast(1), none, nil},
		{"GET p1 1000 clients", loop{manyClients, 1, get}, ratioAtLeast(1), none, nil},
		{"SET p1 1000 clients", loop{manyClients, 1, set}, ratioAtLeast(1), none, nil},
	}
	for _, c := range collectionLoads {
		cells = append(cells,
			throughputCell{c.name + " p1", loop{fewClients, 1, c.command}, ratioAtLeast(1), none, c.prepare},
			throughputCell{c.name + " p16", loop{fewClients, 16, c.command}, ratioAtLeast(1.3), none, c.prepare})
	}
	for _, cell := range cells {
		if !b.wants("throughput/" + strings.ToLower(strings.ReplaceAll(cell.name, " ", "-"))) {
			continue
		}
		if cell.prepare != nil {
			for _, s := range on {
				if err := cell.prepare(s); err != nil {
					return err
				}
			}
		}
		n, err := cell.loop.calibrate(on, slice)
		if err != nil {
			b.report.fail(cell.name, err)
			continue
		}
		b.alternate(cell.name, on, b.pairs(11, 3), loopFigures(cell.rate, cell.cpu), func(s *server) ([]float64, error) {
			r, err := cell.loop.run(s, n)
			return r.figures(), err
		})
	}
	return nil
}
