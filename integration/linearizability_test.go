package integration

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

// Linearizability: whatever concurrent clients are answered could have been answered by a server that carries out one
// command, transaction or script after another, each between its being sent and its being answered. Clients send random
// operations over few keys, note when each began and ended and what it answered, and porcupine looks for such an order.
//
// Histories are short and many: the search is exponential in how many operations overlap, and each history has fresh keys,
// so that over many of them keys lie on the same and on different shards in every combination. The sequential server is
// linearizability_model_test.go.

const (
	historyClients = 5
	historyLength  = 8 // operations of each client
	historyCount   = 160
	// checkPatience is how long the search may take for one history; it takes milliseconds.
	checkPatience = 30 * time.Second
)

// operation is what one client asks for and what takes effect at one instant.
type operation struct {
	how  how
	cmds [][]string // key names are those of keyNames
	// guard is what a WATCHing client has read: key, value, key, value … If the transaction takes effect, they still hold.
	guard []string
}

// how the commands of an operation are sent.
type how int

const (
	plain      how = iota // one command
	multi                 // MULTI, the commands, EXEC in one write
	multiSlow             // the same, each command sent when the one before is answered
	watched               // EXEC after WATCH and reads: guard
	declared              // a script that names its keys in KEYS
	undeclared            // a script that is told its keys as ARGV, or has them in its text
)

var hows = []string{"", "EXEC ", "EXEC ", "WATCHed EXEC ", "script ", "script with undeclared keys "}

func (o operation) String() string {
	text := fmt.Sprintf("%s%q", hows[o.how], o.cmds)
	if o.guard != nil {
		text += fmt.Sprintf(" given %q", o.guard)
	}
	return text
}

// aborted is what a transaction answers whose watched keys have changed.
type aborted struct{}

// workload is a kind of history.
type workload struct {
	name string
	// next returns a client's next operation. For a watched one it leaves guard nil, and the values are read first.
	next func(g *generator) operation
	// split tells that every operation has one key, so that each key's operations can be checked by themselves.
	split bool
}

// generator makes the operations of one client.
type generator struct {
	rnd    *rand.Rand
	unique string // a prefix that no other client of the history has
	n      int
	// leftmost tells that a client that waits for several keys is served from the leftmost of those that are ready, which
	// is so since Redis 7.2. Before, it was the one that became ready first.
	leftmost bool
}

// value returns a value that is written once in a history.
func (g *generator) value() string {
	g.n++
	return g.unique + strconv.Itoa(g.n)
}

func pick[T any](g *generator, of ...T) T { return of[g.rnd.IntN(len(of))] }

// distinct returns n different ones of the first of all keys.
func (g *generator) distinct(n, of int) []string {
	var keys []string
	for _, i := range g.rnd.Perm(of)[:n] {
		keys = append(keys, keyNames[i])
	}
	return keys
}

// pause lets other goroutines run for a while, often not at all.
func (g *generator) pause() {
	for range g.rnd.IntN(4) * g.rnd.IntN(20) {
		runtime.Gosched()
	}
}

var workloads = []workload{
	{name: "registers", next: nextRegister, split: true},
	{name: "counters", next: nextCounter, split: true},
	{name: "queues", next: nextQueue},
	{name: "transactions", next: nextTransaction},
	{name: "transfers", next: nextTransfer},
}

// eachServer runs a proof against real Redis, where there is one, which shows that it does not ask for more than Redis does, and
// against ours with several numbers of shards.
func eachServer(t *testing.T, run func(t *testing.T, addr string)) {
	t.Helper()
	t.Run("redis", func(t *testing.T) { run(t, startRedis(t).Addr) })
	for _, shards := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("shards%d", shards), func(t *testing.T) {
			var server *process
			t.Cleanup(func() { requireNoRaces(t, server) }) // after the server has stopped
			server = startTroupe(t, "--shards", strconv.Itoa(shards), "--event-loops", "2")
			run(t, server.Addr)
		})
	}
}

func TestLinearizability(t *testing.T) {
	eachServer(t, func(t *testing.T, addr string) {
		leftmost := servesLeftmost(t, addr)
		for i, load := range workloads {
			t.Run(load.name, func(t *testing.T) {
				clients := make([]*wire, historyClients)
				for c := range clients {
					clients[c] = dialWire(t, addr)
				}
				for n := range rounds(historyCount) {
					seed := uint64(i*historyCount + n)
					history, err := record(clients, load, seed, leftmost)
					require.NoError(t, err, "history %d", n)
					requireLinearizable(t, load, history)
				}
			})
		}
	})
}

// servesLeftmost: see generator.
func servesLeftmost(t *testing.T, addr string) bool {
	t.Helper()
	w := dialWire(t, addr)
	text, _ := w.do("INFO", "server").(string)
	require.NoError(t, w.err)
	_, rest, _ := strings.Cut(text, "redis_version:")
	var major, minor int
	_, err := fmt.Sscanf(rest, "%d.%d", &major, &minor)
	require.NoError(t, err, text)
	return major > 7 || major == 7 && minor >= 2
}

// record lets all clients send their operations at the same time and returns what happened.
func record(clients []*wire, load workload, seed uint64, leftmost bool) ([]porcupine.Operation, error) {
	prefix := fmt.Sprintf("%s:%d:", load.name, seed)
	var clock atomic.Int64
	histories := make([][]porcupine.Operation, len(clients))
	failures := make([]error, len(clients))
	var running sync.WaitGroup
	for i, w := range clients {
		running.Go(func() {
			g := &generator{
				rnd:      rand.New(rand.NewPCG(seed, uint64(i))),
				unique:   string(rune('a' + i)),
				leftmost: leftmost,
			}
			r := recorder{w: w, client: i, prefix: prefix, clock: &clock}
			for range historyLength {
				g.pause()
				if r.do(g, load.next(g)); w.err != nil {
					failures[i] = fmt.Errorf("client %d: %w", i, w.err)
					return
				}
			}
			histories[i] = r.history
		})
	}
	running.Wait()
	return slices.Concat(histories...), errors.Join(failures...)
}

// recorder sends the operations of one client and takes them down.
type recorder struct {
	w       *wire
	client  int
	prefix  string // of the history's keys
	clock   *atomic.Int64
	history []porcupine.Operation
}

func (r *recorder) do(g *generator, o operation) {
	if o.how == watched {
		o.guard = r.watch(g, o)
	}
	var send func() any
	switch o.how {
	case plain:
		send = func() any { return r.w.do(onWire(r.prefix, o.cmds[0])...) }
	case multi, watched:
		send = func() any { return transact(r.w, commandsOnWire(r.prefix, o.cmds)) }
	case multiSlow:
		send = func() any { return transactSlowly(r.w, commandsOnWire(r.prefix, o.cmds)) }
	case declared:
		send = func() any { return r.w.do(scriptOf(r.prefix, o.cmds, true, g.rnd)...) }
	case undeclared:
		send = func() any { return r.w.do(scriptOf(r.prefix, o.cmds, false, g.rnd)...) }
	}
	r.take(o, send)
}

// take notes when an operation began and ended. The clock counts, so no two instants are the same.
func (r *recorder) take(o operation, send func() any) any {
	call := r.clock.Add(1)
	reply := withoutPrefix(send(), r.prefix)
	end := r.clock.Add(1)
	r.history = append(r.history, porcupine.Operation{ClientId: r.client, Input: o, Call: call, Output: reply, Return: end})
	return reply
}

// withoutPrefix gives keys in a reply their names in the model.
func withoutPrefix(reply any, prefix string) any {
	switch v := reply.(type) {
	case string:
		return strings.TrimPrefix(v, prefix)
	case []any:
		for i := range v {
			v[i] = withoutPrefix(v[i], prefix)
		}
	}
	return reply
}

// watch watches the keys of a transaction, reads them, each an operation by itself, and returns what they hold.
func (r *recorder) watch(g *generator, o operation) []string {
	var keys []string
	for _, cmd := range o.cmds {
		keys = append(keys, keysIn(cmd)...)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	r.w.ok(onWire(r.prefix, append([]string{"WATCH"}, keys...))...)
	guard := []string{}
	for _, k := range keys {
		get := operation{cmds: [][]string{{"GET", k}}}
		text, _ := r.take(get, func() any { return r.w.do("GET", r.prefix+k) }).(string)
		guard = append(guard, k, text)
	}
	g.pause()
	return guard
}

// transact sends a transaction in one write and returns what EXEC answers, aborted instead of a null.
func transact(w *wire, cmds [][]string) any {
	w.add("MULTI")
	for _, cmd := range cmds {
		w.add(cmd...)
	}
	w.add("EXEC")
	w.flush()
	replies := []any{w.reply()}
	for range cmds {
		replies = append(replies, w.reply())
	}
	return execReply(w, cmds, replies, w.reply())
}

// transactSlowly sends a transaction command by command.
func transactSlowly(w *wire, cmds [][]string) any {
	replies := []any{w.do("MULTI")}
	for _, cmd := range cmds {
		replies = append(replies, w.do(cmd...))
	}
	return execReply(w, cmds, replies, w.do("EXEC"))
}

func execReply(w *wire, cmds [][]string, queued []any, reply any) any {
	for i, v := range queued {
		if want := []any{"OK", "QUEUED"}[min(i, 1)]; v != want {
			w.unexpected(slices.Concat(append([][]string{{"MULTI"}}, cmds...)[i:]...), v)
		}
	}
	if reply == nil {
		return aborted{}
	}
	return reply
}

// requireLinearizable fails unless some order of the operations explains what they answered.
func requireLinearizable(t *testing.T, load workload, history []porcupine.Operation) {
	t.Helper()
	switch result := porcupine.CheckOperationsTimeout(modelOf(load.split), history, checkPatience); result {
	case porcupine.Ok:
	case porcupine.Illegal:
		require.Fail(t, "not linearizable", "no order of these operations explains their replies:\n%s", describe(history))
	default:
		require.Fail(t, "not decided", "%s: no answer within %v for:\n%s", result, checkPatience, describe(history))
	}
}

// describe lists operations as they began.
func describe(history []porcupine.Operation) string {
	sorted := slices.SortedFunc(slices.Values(history), func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	var text strings.Builder
	for _, o := range sorted {
		fmt.Fprintf(&text, "%4d to %4d  client %d  %v: %#v\n", o.Call, o.Return, o.ClientId, o.Input, o.Output)
	}
	return text.String()
}

// modelOf returns the sequential server, by itself for each key if every operation has just one.
func modelOf(split bool) porcupine.Model {
	m := porcupine.Model{
		Init: func() any { return data{} },
		Step: func(before, input, output any) (bool, any) {
			d := before.(data)
			ok := d.step(input.(operation), output)
			return ok, d
		},
		Equal: func(a, b any) bool { return a.(data) == b.(data) },
	}
	if split {
		m.Partition = func(history []porcupine.Operation) [][]porcupine.Operation {
			byKey := map[string][]porcupine.Operation{}
			for _, o := range history {
				key := keysIn(o.Input.(operation).cmds[0])[0]
				byKey[key] = append(byKey[key], o)
			}
			var parts [][]porcupine.Operation
			for _, part := range byKey {
				parts = append(parts, part)
			}
			return parts
		}
	}
	return m
}

// step carries out an operation and tells whether output is its reply.
func (d *data) step(o operation, output any) bool {
	if output == (aborted{}) {
		return o.how == watched // that it is for a reason, bank_test.go sees
	}
	for i := 0; i < len(o.guard); i += 2 {
		if d[keyIndex(o.guard[i])] != o.guard[i+1] {
			return false
		}
	}
	if o.how == plain {
		return sameReply(d.apply(o.cmds[0]), output)
	}
	replies := make([]any, len(o.cmds))
	for i, cmd := range o.cmds {
		replies[i] = d.apply(cmd)
	}
	return sameReply(replies, output)
}

// sameReply compares replies. Of an error only the kind counts.
func sameReply(want, got any) bool {
	switch want := want.(type) {
	case errorReply:
		got, ok := got.(errorReply)
		return ok && strings.HasPrefix(string(got), string(want))
	case []any:
		got, ok := got.([]any)
		return ok && slices.EqualFunc(want, got, sameReply)
	}
	return reflect.DeepEqual(want, got)
}
