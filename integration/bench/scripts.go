package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// scripts measures EVALSHA: scripts that are little more than their call, and such that do something.
func scripts(b *bench) error {
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
	key, counter := []string{"1", "key:__rand_int__"}, []string{"1", "counter:__rand_int__"}
	const twenty = 20
	for _, cell := range []struct {
		name, flag, source string
		args               []string
		rate               target
	}{
		{"EVALSHA of one GET", "get", "return redis.call('get',KEYS[1])", key, ratioAtLeast(0.8)},
		{"EVALSHA of one SET", "set", "return redis.call('set',KEYS[1],ARGV[1])", append(key, "xxx"), ratioAtLeast(0.8)},
		{"EVALSHA of return 1", "return", "return 1", []string{"0"}, ratioAtLeast(0.8)},
		{"EVALSHA of 20 GETs in a loop", "get20", "for i=1,20 do redis.call('get',KEYS[1]) end", key, ratioAtLeast(0.7)},
		{"EVALSHA of 20 INCRs in a loop", "incr20", "for i=1,20 do redis.call('incr',KEYS[1]) end", counter, ratioAtLeast(0.7)},
		{"EVALSHA of 20 INCRs in a row", "unrolled20", strings.Repeat("redis.call('incr',KEYS[1])\n", twenty), counter, ratioAtLeast(0.7)},
		{"EVALSHA of 1000 additions", "add1000", "local x=0 for i=1,1000 do x=x+i end return x", []string{"0"}, ratioAtLeast(0.3)},
		{"EVALSHA with an undeclared key", "undeclared", "return redis.call('get',ARGV[1])", []string{"0", "key:__rand_int__"}, target{}},
	} {
		if !b.wants("scripts/" + cell.flag) {
			continue
		}
		sha, err := on.loadScript(cell.source)
		if err != nil {
			return err
		}
		l := loop{fewClients, 1, append([]string{"EVALSHA", sha}, cell.args...)}
		n, err := l.calibrate(on, slice)
		if err != nil {
			b.report.fail(cell.name, err)
			continue
		}
		b.alternate(cell.name, on, b.pairs(11, 3), loopFigures(cell.rate, target{}), func(s *server) ([]float64, error) {
			r, err := l.run(s, n)
			return r.figures(), err
		})
	}
	return nil
}

// loadScript loads a script everywhere and returns its SHA1, which is the same everywhere.
func (all servers) loadScript(source string) (sha string, err error) {
	for _, s := range all {
		v, err := s.do("SCRIPT", "LOAD", source)
		if err != nil {
			return "", err
		}
		sha = fmt.Sprint(v)
	}
	return sha, nil
}

// Of a script that runs for long: what it does, and for how long.
const (
	longScript = "for i=1,ARGV[1] do redis.call('incr',KEYS[1]) end"
	longKey    = "long"
	longTime   = 200 * time.Millisecond
)

// scriptDisturbance is a script that each server takes as long for.
func scriptDisturbance() disturbance {
	rounds := map[*server]int{}
	now := 0
	return disturbance{
		cell: "script", name: "GET on other shards during a script of 200 ms", target: valueAtMost(5), holds: []string{longKey},
		prepare: func(s *server) (err error) {
			if rounds[s] == 0 {
				rounds[s], err = s.longScriptRounds()
			}
			now = rounds[s]
			return err
		},
		do: func(c *client) error { return c.discard("EVAL", longScript, "1", longKey, strconv.Itoa(now)) },
	}
}

// longScriptRounds finds out how many rounds of the script take the server as long as it should run: the most of three
// tries, for what disturbs one of them makes it look slow.
func (s *server) longScriptRounds() (rounds int, err error) {
	const tried = 50_000
	for range 3 {
		start := time.Now()
		if _, err := s.do("EVAL", longScript, "1", longKey, strconv.Itoa(tried)); err != nil {
			return 0, err
		}
		rounds = max(rounds, int(tried*longTime/time.Since(start)))
	}
	return rounds, nil
}
