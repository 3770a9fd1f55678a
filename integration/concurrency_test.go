package integration

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What the rules of the design mean to clients, proved from outside: commands take effect in the order their connection
// sent them, on all their keys at one instant, with one reading of the clock, and visibly before they are answered.
// Every check runs for several numbers of shards and event loops, with keys on all shards. What it asserts must hold in
// every interleaving, so no check depends on time.

// check is one such proof against a server with empty databases.
type check struct {
	name string
	run  func(t *testing.T, addr string)
}

var checks = []check{
	{"increments in order", checkIncrementsInOrder},
	{"MSET at one instant", checkMSet},
	{"MSETNX and DEL at one instant", checkMSetNX},
	{"RENAME at one instant", checkRename},
	{"COPY at one instant", checkCopy},
	{"SWAPDB at one instant", checkSwapDB},
	{"FLUSHDB at one instant", checkFlush},
	{"keys are neither lost nor doubled", checkTokens},
	{"pipelined writes in order", checkPipelinedWrites},
	{"replies in order", checkReplies},
	{"frozen time", checkFrozenTime},
	{"visible before answered", checkVisible},
}

func TestConcurrency(t *testing.T) {
	for _, shards := range []int{1, 2, 4} {
		for _, loops := range []int{1, 2} {
			t.Run(fmt.Sprintf("shards%d/loops%d", shards, loops), func(t *testing.T) {
				var server *process
				t.Cleanup(func() { requireNoRaces(t, server) }) // after the server has stopped
				server = startTroupe(t, "--shards", strconv.Itoa(shards), "--event-loops", strconv.Itoa(loops))
				for _, c := range slices.Concat(checks, heavyChecks) {
					t.Run(c.name, func(t *testing.T) {
						control := dialWire(t, server.Addr)
						control.ok("FLUSHALL")
						require.NoError(t, control.err)
						c.run(t, server.Addr)
					})
				}
			})
		}
	}
}

// requireNoRaces fails when a server that was built with the race detector has reported one.
func requireNoRaces(t *testing.T, server *process) {
	t.Helper()
	const longest = 5000 // the rest of the log is in the output of the test
	if _, found, ok := strings.Cut(server.log.String(), "WARNING: DATA RACE"); ok {
		require.Fail(t, "the server has a data race", found[:min(len(found), longest)])
	}
}

// rounds scales how often a writer writes.
func rounds(n int) int {
	if testing.Short() {
		return n / 4
	}
	return n
}

// keysOf returns n keys, enough of them to lie on every shard.
func keysOf(prefix string, n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = prefix + strconv.Itoa(i)
	}
	return keys
}

// eachWith returns cmd k1 value k2 value …
func eachWith(cmd string, keys []string, value string) []string {
	args := []string{cmd}
	for _, k := range keys {
		args = append(args, k, value)
	}
	return args
}

func command(cmd string, keys ...string) []string { return append([]string{cmd}, keys...) }

// race runs writers to their end, and readers again and again meanwhile, at least once after it.
func race(t *testing.T, addr string, writers, readers []func(*wire) error) {
	t.Helper()
	var left atomic.Int32
	left.Store(int32(len(writers)))
	var all []func(*wire) error
	for _, write := range writers {
		all = append(all, func(w *wire) error {
			defer left.Add(-1)
			return write(w)
		})
	}
	for _, read := range readers {
		all = append(all, func(w *wire) error {
			for last := false; ; {
				if err := read(w); err != nil || w.err != nil || last {
					return err
				}
				last = left.Load() == 0
			}
		})
	}
	together(t, addr, all...)
}

// repeat makes a worker of what one round does.
func repeat(n int, round func(w *wire, i int) error) func(*wire) error {
	return func(w *wire) error {
		for i := range n {
			if err := round(w, i); err != nil || w.err != nil {
				return err
			}
		}
		return nil
	}
}

// checkIncrementsInOrder: one client increments A, then B. Nobody sees B ahead of A, nor A ahead by more than one.
func checkIncrementsInOrder(t *testing.T, addr string) {
	const pairs, depth = 4, 25
	as, bs := keysOf("a:", pairs), keysOf("b:", pairs)
	var writers []func(*wire) error
	for i := range pairs {
		oneByOne := i%2 == 0
		writers = append(writers, repeat(rounds(20), func(w *wire, _ int) error {
			for range depth {
				if oneByOne {
					w.integer("INCR", as[i])
					w.integer("INCR", bs[i])
					continue
				}
				w.add("INCR", as[i])
				w.add("INCR", bs[i])
			}
			if !oneByOne {
				w.flush()
				for range 2 * depth {
					w.reply()
				}
			}
			return nil
		}))
	}
	read := func(w *wire) error {
		for i := range pairs {
			n := w.numbers("MGET", bs[i], as[i])
			if w.err == nil && n[1]-n[0] != 0 && n[1]-n[0] != 1 {
				return fmt.Errorf("%s is %d and %s is %d", as[i], n[1], bs[i], n[0])
			}
		}
		return nil
	}
	race(t, addr, writers, []func(*wire) error{read, read})
}

// allEqual fails when the elements differ.
func allEqual(what string, values []string) error {
	for _, v := range values {
		if v != values[0] {
			return fmt.Errorf("%s saw half of a change: %q", what, values)
		}
	}
	return nil
}

// noneOrAll fails unless n is 0 or all.
func noneOrAll(what string, n, all int) error {
	if n != 0 && n != all {
		return fmt.Errorf("%s saw %d of %d", what, n, all)
	}
	return nil
}

func checkMSet(t *testing.T, addr string) {
	keys := keysOf("m:", 40)
	reversed := slices.Clone(keys)
	slices.Reverse(reversed)
	write := func(name string, keys []string) func(*wire) error {
		return repeat(rounds(800), func(w *wire, i int) error {
			w.ok(eachWith("MSET", keys, name+strconv.Itoa(i))...)
			return nil
		})
	}
	read := func(w *wire) error { return allEqual("MGET", w.texts(command("MGET", keys...)...)) }
	race(t, addr,
		[]func(*wire) error{write("x", keys), write("y", reversed)},
		[]func(*wire) error{read, read})
}

func checkMSetNX(t *testing.T, addr string) {
	keys := keysOf("nx:", 20)
	write := func(name string) func(*wire) error {
		return repeat(rounds(500), func(w *wire, _ int) error {
			if w.integer(eachWith("MSETNX", keys, name)...) == 0 || w.err != nil {
				return nil
			}
			if got := w.texts(command("MGET", keys...)...); w.err == nil && (got[0] != name || allEqual("", got) != nil) {
				return fmt.Errorf("MSETNX of %s won, but the keys hold %q", name, got)
			}
			if n := w.integer(command("DEL", keys...)...); w.err == nil && n != len(keys) {
				return fmt.Errorf("MSETNX won, but only %d keys were there to delete", n)
			}
			return nil
		})
	}
	read := func(w *wire) error {
		return noneOrAll("EXISTS", w.integer(command("EXISTS", keys...)...), len(keys))
	}
	race(t, addr, []func(*wire) error{write("x"), write("y")}, []func(*wire) error{read, read})
}

func checkRename(t *testing.T, addr string) {
	keys := keysOf("r:", 3)
	control := dialWire(t, addr)
	control.ok("SET", keys[0], "v")
	require.NoError(t, control.err)
	write := repeat(rounds(1500), func(w *wire, i int) error {
		w.ok("RENAME", keys[i%3], keys[(i+1)%3])
		return nil
	})
	read := func(w *wire) error {
		if n := w.integer(command("EXISTS", keys...)...); n != 1 && w.err == nil {
			return fmt.Errorf("EXISTS counts %d keys while one is renamed", n)
		}
		if got := strings.Join(w.texts(command("MGET", keys...)...), ""); got != "v" && w.err == nil {
			return fmt.Errorf("MGET sees %q while a key is renamed", got)
		}
		return nil
	}
	race(t, addr, []func(*wire) error{write}, []func(*wire) error{read, read})
}

// checkCopy: the copy is what the source was at one instant, and later changes of the source do not reach it.
func checkCopy(t *testing.T, addr string) {
	const size = 2000
	keys := keysOf("c:", 4)
	source, copies := keys[0], keys[1:]
	write := repeat(rounds(300), func(w *wire, i int) error {
		w.integer("SETRANGE", source, "0", strings.Repeat(string(rune('a'+i%26)), size))
		w.integer("SETRANGE", source, "0", strings.Repeat(string(rune('A'+i%26)), size))
		return nil
	})
	duplicate := repeat(rounds(300), func(w *wire, i int) error {
		w.integer("COPY", source, copies[i%len(copies)], "REPLACE")
		return nil
	})
	read := func(w *wire) error {
		for _, text := range w.texts(command("MGET", copies...)...) {
			if text != "" && text != strings.Repeat(text[:1], size) {
				return fmt.Errorf("a copy of %d bytes begins with %q and is not that throughout", len(text), text[:1])
			}
		}
		return nil
	}
	race(t, addr, []func(*wire) error{write, duplicate}, []func(*wire) error{read})
}

// checkSwapDB: database 0 has twenty keys with one value, 1 has ten with another; they are swapped all the time.
func checkSwapDB(t *testing.T, addr string) {
	many, few := keysOf("s:", 20), keysOf("s:", 10)
	control := dialWire(t, addr)
	control.ok(eachWith("MSET", many, "many")...)
	control.ok("SELECT", "1")
	control.ok(eachWith("MSET", few, "few")...)
	require.NoError(t, control.err)
	write := repeat(rounds(400), func(w *wire, _ int) error {
		w.ok("SWAPDB", "0", "1")
		return nil
	})
	read := func(w *wire) error {
		if err := allEqual("MGET", w.texts(command("MGET", few...)...)); err != nil {
			return err
		}
		for what, n := range map[string]int{
			"EXISTS": w.integer(command("EXISTS", many...)...),
			"KEYS":   len(w.texts("KEYS", "*")),
			"DBSIZE": w.integer("DBSIZE"),
		} {
			if n != len(many) && n != len(few) && w.err == nil {
				return fmt.Errorf("%s counts %d keys while databases of %d and %d are swapped", what, n, len(many), len(few))
			}
		}
		return nil
	}
	race(t, addr, []func(*wire) error{write}, []func(*wire) error{read, read})
}

func checkFlush(t *testing.T, addr string) {
	keys := keysOf("f:", 12)
	write := repeat(rounds(300), func(w *wire, i int) error {
		w.ok(eachWith("MSET", keys, "v")...)
		w.ok([]string{"FLUSHDB", "FLUSHALL"}[i%2], []string{"SYNC", "ASYNC"}[i/2%2])
		return nil
	})
	read := func(w *wire) error {
		for what, n := range map[string]int{
			"EXISTS": w.integer(command("EXISTS", keys...)...),
			"KEYS":   len(w.texts("KEYS", "f:*")),
			"DBSIZE": w.integer("DBSIZE"),
		} {
			if err := noneOrAll(what, n, len(keys)); err != nil && w.err == nil {
				return err
			}
		}
		return nil
	}
	race(t, addr, []func(*wire) error{write}, []func(*wire) error{read, read})
}

// checkTokens: a few tokens are moved among many places by clients that get into each other's way, in both directions
// at once. Whoever looks at everything at one instant sees all tokens.
func checkTokens(t *testing.T, addr string) {
	const tokens = 8
	places := keysOf("place:", 24)
	control := dialWire(t, addr)
	control.ok(eachWith("MSET", places[:tokens], "token")...)
	require.NoError(t, control.err)
	var writers []func(*wire) error
	for seed := range 4 {
		rnd := rand.New(rand.NewPCG(1, uint64(seed)))
		writers = append(writers, repeat(rounds(80), func(w *wire, _ int) error {
			const depth = 20
			for range depth {
				from, to := rnd.IntN(len(places)), rnd.IntN(len(places))
				w.add("RENAMENX", places[from], places[to])
			}
			w.flush()
			for range depth {
				switch v := w.reply().(type) {
				case int:
				case errorReply:
					if v != "ERR no such key" {
						return fmt.Errorf("RENAMENX: %s", v)
					}
				default:
					w.unexpected([]string{"RENAMENX"}, v)
				}
			}
			return nil
		}))
	}
	read := func(w *wire) error {
		for what, n := range map[string]int{
			"EXISTS": w.integer(command("EXISTS", places...)...),
			"KEYS":   len(w.texts("KEYS", "*")),
			"DBSIZE": w.integer("DBSIZE"),
			"MGET":   len(strings.Join(w.texts(command("MGET", places...)...), "")) / len("token"),
		} {
			if n != tokens && w.err == nil {
				return fmt.Errorf("%s counts %d of %d tokens", what, n, tokens)
			}
		}
		if v := w.do("RANDOMKEY"); v == nil && w.err == nil {
			return fmt.Errorf("RANDOMKEY finds none of %d keys", tokens)
		}
		return nil
	}
	race(t, addr, writers, []func(*wire) error{read, read})
}

// checkPipelinedWrites: a pipeline sets keys on several shards to the next number, first key first. Who looks at them
// from the last to the first sees numbers that do not fall.
func checkPipelinedWrites(t *testing.T, addr string) {
	keys := keysOf("p:", 8)
	write := repeat(rounds(300), func(w *wire, i int) error {
		for _, k := range keys {
			w.add("SET", k, strconv.Itoa(i))
		}
		w.flush()
		for range keys {
			w.reply()
		}
		return nil
	})
	ascending := func(seen []int) error {
		if slices.IsSorted(seen) {
			return nil
		}
		return fmt.Errorf("keys read from the last written to the first: %v", seen)
	}
	oneByOne := func(w *wire) error {
		var seen []int
		for _, k := range slices.Backward(keys) {
			seen = append(seen, w.numbers("MGET", k)...)
		}
		if w.err != nil {
			return nil
		}
		return ascending(seen)
	}
	pipelined := func(w *wire) error {
		for _, k := range slices.Backward(keys) {
			w.add("INCRBY", k+":unset", "0")
			w.add("GET", k)
		}
		w.flush()
		var seen []int
		for range keys {
			w.reply()
			text, _ := w.reply().(string)
			if text == "" {
				text = "0"
			}
			seen = append(seen, w.number(text))
		}
		if w.err != nil {
			return nil
		}
		return ascending(seen)
	}
	race(t, addr, []func(*wire) error{write}, []func(*wire) error{oneByOne, pipelined})
}

// checkReplies: clients that each have keys of their own send random pipelines in pieces of random length; a model says
// what is answered.
func checkReplies(t *testing.T, addr string) {
	var workers []func(*wire) error
	for seed := range 4 {
		m := newModel(uint64(seed))
		workers = append(workers, repeat(rounds(12), func(w *wire, _ int) error { return m.pipeline(w) }))
	}
	together(t, addr, workers...)
}

// checkFrozenTime: keys on several shards share a deadline. A command that names each of them several times finds all
// of them or none.
func checkFrozenTime(t *testing.T, addr string) {
	keys := keysOf("t:", 4)
	twice := slices.Concat(keys, keys)
	together(t, addr, repeat(rounds(60), func(w *wire, i int) error {
		// The deadline passes while the loop below looks, or has passed already when the machine is slow.
		deadline := strconv.FormatInt(time.Now().UnixMilli()+1+int64(i%3), 10)
		for _, k := range keys {
			w.add("SET", k, "v", "PXAT", deadline)
		}
		w.flush()
		for range keys {
			w.reply()
		}
		for there := true; there && w.err == nil; {
			n := w.integer(command("EXISTS", twice...)...)
			if err := noneOrAll("EXISTS", n, len(twice)); err != nil {
				return err
			}
			if err := allEqual("MGET", w.texts(command("MGET", twice...)...)); err != nil {
				return err
			}
			if n := w.integer("EXISTS", keys[0], keys[0]); n == 1 && w.err == nil {
				return fmt.Errorf("EXISTS found a key the first time and not the second")
			}
			there = n > 0
		}
		return nil
	}))
}

// checkVisible: what one client was told is done, another sees, while others keep all shards busy.
func checkVisible(t *testing.T, addr string) {
	keys := keysOf("v:", 6)
	second := dialWire(t, addr)
	first := repeat(rounds(200), func(w *wire, i int) error {
		value, key := strconv.Itoa(i), keys[i%len(keys)]
		w.ok("SET", key, value)
		if v := second.do("GET", key); v != value && second.err == nil {
			return fmt.Errorf("SET %s %s was answered, and another client got %v", key, value, v)
		}
		w.ok(eachWith("MSET", keys, value)...)
		if got := second.texts(command("MGET", keys...)...); second.err == nil && (got[0] != value || allEqual("", got) != nil) {
			return fmt.Errorf("MSET of %s was answered, and another client got %q", value, got)
		}
		w.integer(command("DEL", keys...)...)
		if n := second.integer(command("EXISTS", keys...)...); n != 0 {
			return fmt.Errorf("DEL was answered, and another client saw %d of the keys", n)
		}
		return second.err
	})
	noise := func(w *wire) error {
		for i := range 50 {
			w.add("INCR", "noise:"+strconv.Itoa(i))
		}
		w.add("MGET", "noise:1", "noise:2", "noise:3", "noise:4")
		w.flush()
		for range 51 {
			w.reply()
		}
		return nil
	}
	race(t, addr, []func(*wire) error{first}, []func(*wire) error{noise, noise})
}
