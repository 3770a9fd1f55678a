package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"
)

// The probe: small GETs at a rate that leaves the server idle most of the time, so that only a stall makes them wait.
const (
	probeRate        = 2000
	probeConnections = 4
	probeBefore      = 100 * time.Millisecond // runs before the disturbance
	probeAtLeast     = 500 * time.Millisecond // and counts from its start, for that long or until it has ended
)

// disturbance is something long that one client does.
type disturbance struct {
	cell, name string
	target     target
	prepare    func(*server) error
	do         func(*client) error
	holds      []string // keys whose shards it holds: the probe asks for keys of other shards
	shards     int      // of the subject
}

func stalls(b *bench) error {
	on, err := b.start()
	if err != nil {
		return err
	}
	defer on.stop()
	shards, err := on[0].shards()
	if err != nil {
		return err
	}
	keys := pick(b, 1_000_000, 300_000)
	load := func(s *server) error { return s.fillStrings(keys) }
	for _, s := range on {
		if err := load(s); err != nil {
			return err
		}
		if err := s.fillCollections(keys); err != nil {
			return err
		}
	}
	for _, d := range []disturbance{
		{"none", "GET undisturbed", target{}, nil, func(*client) error { return nil }, nil, 0},
		{"keys", "GET during KEYS *", valueAtMost(5), nil, func(c *client) error { return c.discard("KEYS", "*") }, nil, 0},
		{"smembers", "GET during SMEMBERS of 1 M", valueAtMost(5), nil, func(c *client) error { return c.discard("SMEMBERS", "bigset") }, nil, 0},
		{"sort", "GET during SORT of 1 M", valueAtMost(5), nil, func(c *client) error { return c.discard("SORT", "bigset") }, nil, 0},
		{"lrange", "GET during LRANGE of 1 M", valueAtMost(5), nil, func(c *client) error { return c.discard("LRANGE", "biglist", "0", "-1") }, nil, 0},
		{"zunionstore", "GET on other shards during ZUNIONSTORE of 1 M", valueAtMost(5), func(s *server) error {
			_, err := s.do("DEL", "bigcopy")
			return err
		}, func(c *client) error { return c.discard("ZUNIONSTORE", "bigcopy", "1", "bigzset") }, []string{"bigcopy", "bigzset"}, 0},
		{"del", "GET during DEL of big values", valueAtMost(5), fillBig, deleteBig, nil, 0},
		{"flushdb", "GET during FLUSHDB", valueAtMost(5), load, func(c *client) error { return c.discard("FLUSHDB") }, nil, 0},
		scriptDisturbance(),
	} {
		d.shards = shards
		if !b.wants("stalls/" + d.cell) {
			continue
		}
		figures := []figure{{"p99.9", "ms", d.target}, {"highest", "ms", target{}}, {"it took", "ms", target{}}}
		switch d.cell {
		case "none":
			figures = figures[:2]
		case "smembers", "sort", "lrange", "zunionstore":
			figures[2].target = ratioAtMost(1)
		}
		b.alternate(d.name, on, b.pairs(3, 1), figures, func(s *server) ([]float64, error) {
			return d.measure(s, keys)
		})
	}
	return nil
}

// measure runs the disturbance once and returns how GETs fared meanwhile, and how long it took.
func (d disturbance) measure(s *server, keys int) ([]float64, error) {
	if d.prepare != nil {
		if err := d.prepare(s); err != nil {
			return nil, err
		}
	}
	c, err := dial(s.addr)
	if err != nil {
		return nil, err
	}
	defer c.close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var from, to time.Time
	var doErr error
	disturbed := make(chan struct{})
	go func() {
		defer close(disturbed)
		defer stop()
		time.Sleep(probeBefore)
		from = time.Now()
		doErr = d.do(c)
		to = time.Now()
		time.Sleep(max(probeAtLeast-to.Sub(from), probeBefore))
	}()
	samples, err := openLoop(ctx, s.addr, probeRate, probeConnections, func(i int, b []byte) []byte {
		return appendCommand(b, "GET", keyName(d.elsewhere(scatter(i)%keys, keys)))
	})
	stop()
	<-disturbed
	if err != nil {
		return nil, err
	}
	if doErr != nil {
		return nil, doErr
	}
	var waits []time.Duration
	for _, x := range samples {
		if x.due.Add(x.latency).After(from) { // sent since, or still waiting then
			waits = append(waits, x.latency)
		}
	}
	slices.Sort(waits)
	return []float64{percentile(waits, 99.9), percentile(waits, 100), millis(to.Sub(from))}, nil
}

// elsewhere returns key i or the next one that is on no shard that the disturbance holds, if there are others.
func (d disturbance) elsewhere(i, keys int) int {
	held := map[uint64]bool{}
	for _, k := range d.holds {
		held[shardOf(k, d.shards)] = true
	}
	for len(held) < d.shards && held[shardOf(keyName(i), d.shards)] {
		i = (i + 1) % keys
	}
	return i
}

// shardOf is how troupe spreads keys over its shards.
func shardOf(key string, shards int) uint64 {
	return xxhash.Sum64String(key) & 0xffff * uint64(shards) >> 16
}

// shards asks how many shards the server has; one that has no such notion has one.
func (s *server) shards() (int, error) {
	v, err := s.info("server", "shards")
	if errors.Is(err, errNoField) {
		return 1, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(v)
}

// fillCollections makes a set, a list and a sorted set of so many elements.
func (s *server) fillCollections(n int) error {
	for _, command := range []func(i int, b []byte) []byte{
		elements("SADD", func(int) string { return "bigset" }, 50, func(j int) []string { return []string{strconv.Itoa(scatter(j)%1000*n + j)} }),
		elements("RPUSH", func(int) string { return "biglist" }, 50, func(j int) []string { return []string{"item:" + strconv.Itoa(j)} }),
		elements("ZADD", func(int) string { return "bigzset" }, 50, func(j int) []string {
			return []string{strconv.Itoa(scatter(j) % 1_000_000), "m:" + strconv.Itoa(j)}
		}),
	} {
		if err := s.fill(n/50, command); err != nil {
			return err
		}
	}
	return nil
}

// Big values: 256 MB in all.
const (
	bigValues = 16
	bigBytes  = "16777215" // offset of the last byte
)

func fillBig(s *server) error {
	return s.fill(bigValues, func(i int, b []byte) []byte { return appendCommand(b, "SETRANGE", "big:"+keyName(i), bigBytes, "x") })
}

func deleteBig(c *client) error {
	args := []string{"DEL"}
	for i := range bigValues {
		args = append(args, "big:"+keyName(i))
	}
	return c.discard(args...)
}
