package integration

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Transactions and scripts over keys on all shards: money is moved between accounts in every way there is, and whoever
// adds up all accounts at one instant finds the same sum.

const (
	accounts = 8
	balance  = 1000 // of each account at the beginning
)

var accountKeys = keysOf("account:", accounts)

// ways to move an amount from one account to another. All of them are atomic, so all may run at the same time.
var ways = []struct {
	name string
	move func(w *wire, from, to string, amount int)
}{
	{"EXEC", moveByExec},
	{"WATCH", moveByWatch},
	{"script", moveByScript},
	{"script with undeclared keys", moveByUndeclaredScript},
	{"script in EXEC", moveByScriptInExec},
}

func moveByExec(w *wire, from, to string, amount int) {
	transact(w, [][]string{{"DECRBY", from, strconv.Itoa(amount)}, {"INCRBY", to, strconv.Itoa(amount)}})
}

// moveByWatch writes what it has calculated from what it has read, so a change that WATCH misses changes the sum.
func moveByWatch(w *wire, from, to string, amount int) {
	for w.err == nil {
		w.ok("WATCH", from)
		w.ok("WATCH", to)
		had := w.numbers("MGET", from, to)
		if w.err != nil {
			return
		}
		done := transactSlowly(w, [][]string{
			{"SET", from, strconv.Itoa(had[0] - amount)},
			{"SET", to, strconv.Itoa(had[1] + amount)},
		})
		if done != (aborted{}) {
			return
		}
	}
}

func moveByScript(w *wire, from, to string, amount int) {
	w.ok("EVAL", `redis.call('DECRBY', KEYS[1], ARGV[1]) redis.call('INCRBY', KEYS[2], ARGV[1]) return 'OK'`, "2", from, to, strconv.Itoa(amount))
}

// moveByUndeclaredScript names its accounts in no way that a look at the script or at KEYS would tell, as task queues do.
func moveByUndeclaredScript(w *wire, from, to string, amount int) {
	w.ok("EVAL", `
		local names = {}
		for name in string.gmatch(ARGV[1], '[^ ]+') do names[#names + 1] = name end
		local had = redis.call('MGET', unpack(names))
		redis.call('SET', names[1], had[1] - ARGV[2])
		redis.call('SET', names[2], had[2] + ARGV[2])
		return redis.status_reply('OK')`, "0", from+" "+to, strconv.Itoa(amount))
}

func moveByScriptInExec(w *wire, from, to string, amount int) {
	change := func(key string, by int) []string {
		return []string{"EVAL", `return redis.call('INCRBY', KEYS[1], ARGV[1])`, "1", key, strconv.Itoa(by)}
	}
	transact(w, [][]string{change(from, -amount), change(to, amount)})
}

// sums are ways to add up all accounts.
var sums = []struct {
	name string
	sum  func(w *wire) int
}{
	{"MGET", func(w *wire) int { return total(w.numbers(command("MGET", accountKeys...)...)) }},
	{"EXEC of GETs", func(w *wire) int {
		var gets [][]string
		for _, k := range slices.Backward(accountKeys) {
			gets = append(gets, []string{"GET", k})
		}
		return sumOfReplies(w, transact(w, gets))
	}},
	{"EXEC, command by command", func(w *wire) int {
		replies, _ := transactSlowly(w, [][]string{command("MGET", accountKeys[4:]...), command("MGET", accountKeys[:4]...)}).([]any)
		n := 0
		for _, half := range replies {
			n += sumOfReplies(w, half)
		}
		return n
	}},
	{"script", func(w *wire) int {
		args := slices.Concat([]string{"EVAL", `local n = 0 for i = 1, #KEYS do n = n + redis.call('GET', KEYS[i]) end return n`,
			strconv.Itoa(accounts)}, accountKeys)
		return w.integer(args...)
	}},
	{"script with undeclared keys", func(w *wire) int {
		return w.integer("EVAL", `local n = 0 for i = 0, ARGV[1] - 1 do n = n + redis.call('GET', 'account:' .. i) end return n`,
			"0", strconv.Itoa(accounts))
	}},
}

func total(numbers []int) int {
	n := 0
	for _, v := range numbers {
		n += v
	}
	return n
}

// sumOfReplies adds up an array of numbers as text.
func sumOfReplies(w *wire, reply any) int {
	replies, _ := reply.([]any)
	n := 0
	for _, v := range replies {
		text, _ := v.(string)
		n += w.number(text)
	}
	return n
}

func TestBank(t *testing.T) {
	eachServer(t, func(t *testing.T, addr string) {
		for _, way := range ways {
			t.Run(way.name, func(t *testing.T) {
				bank(t, addr, func(w *wire, rnd *rand.Rand) { way.move(w, accountKeys[0], accountKeys[1], rnd.IntN(5)) },
					func(w *wire, rnd *rand.Rand) { moveAnywhere(w, rnd, way.move) },
					func(w *wire, rnd *rand.Rand) { moveAnywhere(w, rnd, way.move) })
			})
		}
		t.Run("mixed", func(t *testing.T) {
			var movers []func(*wire, *rand.Rand)
			for _, way := range ways {
				movers = append(movers, func(w *wire, rnd *rand.Rand) { moveAnywhere(w, rnd, way.move) })
			}
			bank(t, addr, movers...)
		})
	})
}

func moveAnywhere(w *wire, rnd *rand.Rand, move func(w *wire, from, to string, amount int)) {
	two := rnd.Perm(accounts)
	move(w, accountKeys[two[0]], accountKeys[two[1]], rnd.IntN(100))
}

// bank lets movers move while others look.
func bank(t *testing.T, addr string, movers ...func(*wire, *rand.Rand)) {
	control := dialWire(t, addr)
	control.ok("FLUSHALL")
	control.ok(eachWith("MSET", accountKeys, strconv.Itoa(balance))...)
	require.NoError(t, control.err)
	var writers, readers []func(*wire) error
	for i, move := range movers {
		rnd := rand.New(rand.NewPCG(4, uint64(i)))
		writers = append(writers, repeat(rounds(200), func(w *wire, _ int) error {
			move(w, rnd)
			return nil
		}))
	}
	look := func(of int) func(*wire) error {
		n := 0
		return func(w *wire) error {
			s := sums[(of+2*n)%len(sums)]
			n++
			if sum := s.sum(w); sum != accounts*balance && w.err == nil {
				return fmt.Errorf("%s finds %d in all accounts, which is wrong by %d", s.name, sum, sum-accounts*balance)
			}
			return nil
		}
	}
	for i := range 2 {
		readers = append(readers, look(i))
	}
	race(t, addr, writers, readers)
	for _, s := range sums {
		require.Equal(t, accounts*balance, s.sum(control), s.name)
	}
	require.NoError(t, control.err)
}

// TestProgramOrderOfTransactions: one client increments A, then B, each in any way. Nobody sees B ahead of A, nor A ahead by
// more than one.
func TestProgramOrderOfTransactions(t *testing.T) {
	eachServer(t, func(t *testing.T, addr string) {
		increments := []func(key string) [][]string{
			func(key string) [][]string { return [][]string{{"INCR", key}} },
			func(key string) [][]string { return [][]string{{"MULTI"}, {"INCR", key}, {"EXEC"}} },
			func(key string) [][]string {
				return [][]string{{"EVAL", `return redis.call('INCR', KEYS[1])`, "1", key}}
			},
			func(key string) [][]string {
				return [][]string{{"EVAL", `return redis.call('INCR', ARGV[1])`, "0", key}}
			},
		}
		const pairs = 4
		as, bs := keysOf("A:", pairs), keysOf("B:", pairs)
		var writers []func(*wire) error
		for i := range pairs {
			writers = append(writers, repeat(rounds(40), func(w *wire, n int) error {
				var all [][]string // a pipeline: the order holds before anything is answered
				for _, first := range increments {
					for _, second := range increments {
						all = slices.Concat(all, first(as[i]), second(bs[i]))
					}
				}
				for _, cmd := range all {
					w.add(cmd...)
					if n%2 == 0 {
						w.flush()
						w.reply()
					}
				}
				if n%2 != 0 {
					w.flush()
					for range all {
						if e, isError := w.reply().(errorReply); isError {
							return fmt.Errorf("%s", e)
						}
					}
				}
				return nil
			}))
		}
		read := func(numbers func(w *wire, a, b string) []int) func(*wire) error {
			return func(w *wire) error {
				for i := range pairs {
					n := numbers(w, as[i], bs[i])
					if w.err == nil && n[0]-n[1] != 0 && n[0]-n[1] != 1 {
						return fmt.Errorf("%s is %d and %s is %d", as[i], n[0], bs[i], n[1])
					}
				}
				return nil
			}
		}
		race(t, addr, writers, []func(*wire) error{
			read(func(w *wire, a, b string) []int { return w.numbers("MGET", a, b) }),
			read(func(w *wire, a, b string) []int {
				return w.numbers("EVAL", `return {redis.call('GET', ARGV[1]) or '0', redis.call('GET', ARGV[2]) or '0'}`, "0", a, b)
			}),
		})
		control := dialWire(t, addr)
		want := slices.Repeat([]int{rounds(40) * len(increments) * len(increments)}, pairs)
		require.Equal(t, want, control.numbers(command("MGET", as...)...))
		require.Equal(t, want, control.numbers(command("MGET", bs...)...))
		require.NoError(t, control.err)
	})
}

// TestWatchWhileOthersWrite: clients that increment by WATCH, GET and SET lose no increment, though the keys they watch lie on
// several shards and also change by other clients' scripts and expirations.
func TestWatchWhileOthersWrite(t *testing.T) {
	eachServer(t, func(t *testing.T, addr string) {
		keys := keysOf("watched:", 3)
		n := rounds(120)
		byWatch := repeat(n, func(w *wire, _ int) error {
			for w.err == nil {
				w.ok(command("WATCH", keys...)...)
				had := w.numbers(command("MGET", keys...)...)
				if w.err != nil {
					return nil
				}
				var sets [][]string
				for i, k := range keys {
					sets = append(sets, []string{"SET", k, strconv.Itoa(had[i] + 1)})
				}
				if transact(w, sets) != (aborted{}) {
					return nil
				}
			}
			return nil
		})
		byScript := repeat(n, func(w *wire, i int) error {
			w.integer("EVAL", `return redis.call('INCR', 'watched:' .. ARGV[1] % 3)`, "0", strconv.Itoa(i))
			return nil
		})
		together(t, addr, byWatch, byWatch, byScript)
		control := dialWire(t, addr)
		require.Equal(t, slices.Repeat([]int{2*n + n/3}, len(keys)), control.numbers(command("MGET", keys...)...))
		require.NoError(t, control.err)
	})
}
