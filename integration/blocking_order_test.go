package integration

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// In which order waiting clients are served, and that what a transaction leaves for them nobody else gets. Clients begin to
// wait one after the other, each when CLIENT LIST shows that the one before waits, so the order is known without a clock.

// waiter is a client that has sent a blocking command.
type waiter struct {
	*wire
	id   string
	args []string
}

// await sends a blocking command on a connection of its own and returns when the server has it wait.
func await(t *testing.T, control *wire, addr string, args ...string) *waiter {
	t.Helper()
	x := &waiter{wire: dialWire(t, addr), args: args}
	x.id = strconv.Itoa(x.integer("CLIENT", "ID"))
	x.add(args...)
	x.flush()
	x.untilItWaits(t, control)
	return x
}

// untilItWaits returns when the server has the client wait. A client that is answered instead fails the test.
func (x *waiter) untilItWaits(t *testing.T, control *wire) {
	t.Helper()
	for !x.waits(control) {
		require.NoError(t, control.err)
		if x.answered() {
			require.Fail(t, "answered instead of having to wait", "%q: %v", x.args, x.reply())
		}
	}
}

// answered tells whether a reply has arrived, which it gives a moment to do.
func (x *waiter) answered() bool {
	if x.err = x.conn.SetReadDeadline(time.Now().Add(time.Millisecond)); x.err != nil {
		return true
	}
	_, err := x.in.Peek(1)
	x.err = x.conn.SetReadDeadline(time.Now().Add(wirePatience))
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// waits tells whether the server lists the client as waiting.
func (x *waiter) waits(control *wire) bool {
	text, _ := control.do("CLIENT", "LIST", "ID", x.id).(string)
	for field := range strings.FieldsSeq(text) {
		if flags, ok := strings.CutPrefix(field, "flags="); ok {
			return strings.Contains(flags, "b")
		}
	}
	return false
}

// served requires that a waiter gets this reply.
func (x *waiter) served(t *testing.T, want any) {
	t.Helper()
	got := x.reply()
	require.NoError(t, x.err, "%q", x.args)
	require.Equal(t, want, got, "%q", x.args)
}

// orderTest is a proof whose keys are fresh: their names begin with prefix, so that each round they lie on other shards.
type orderTest struct {
	*testing.T
	addr    string
	control *wire
	prefix  string
}

func (o *orderTest) key(name string) string { return o.prefix + name }

func (o *orderTest) await(args ...string) *waiter {
	o.Helper()
	return await(o.T, o.control, o.addr, args...)
}

// do sends a command whose reply must be this.
func (o *orderTest) do(want any, args ...string) {
	o.Helper()
	got := o.control.do(args...)
	require.NoError(o, o.control.err)
	require.Equal(o, want, got, "%q", args)
}

func TestBlockingOrder(t *testing.T) {
	eachServer(t, func(t *testing.T, addr string) {
		leftmost := servesLeftmost(t, addr)
		for _, c := range []struct {
			name string
			run  func(o *orderTest)
		}{
			{"the oldest waiter is served first", oldestFirst},
			{"one push serves several waiters in order", onePushManyWaiters},
			{"waiters of every kind in one queue", everyKind},
			{"sorted sets", oldestFirstSortedSet},
			{"streams serve all readers", streamServesAll},
			{"a waiter on several keys", severalKeys},
			{"a transaction makes several keys ready", func(o *orderTest) { severalReady(o, leftmost, transactionOf) }},
			{"a script makes several keys ready", func(o *orderTest) { severalReady(o, leftmost, scriptDoing) }},
			{"chains of BLMOVE", moveChain},
			{"a ring of BLMOVE", moveRing},
			{"nobody else sees what a transaction leaves for a waiter", func(o *orderTest) { notVisible(o, transactionOf) }},
			{"nobody else sees what a script leaves for a waiter", func(o *orderTest) { notVisible(o, scriptDoing) }},
			{"nobody else sees what a push leaves for a waiter", pushNotVisible},
			{"what a transaction takes away again serves nobody", takenAway},
			{"a value of another type serves nobody", otherType},
			{"keys that arrive by other commands", otherArrivals},
			{"commands after a blocking one wait with it", pipelineWaits},
			{"a client that has left is not served", leaversAreNotServed},
			{"CLIENT UNBLOCK leaves the others in order", unblockKeepsOrder},
			{"served exactly once", servedOnce},
		} {
			t.Run(c.name, func(t *testing.T) {
				control := dialWire(t, addr)
				control.ok("FLUSHALL")
				require.NoError(t, control.err)
				for n := range rounds(12) {
					c.run(&orderTest{T: t, addr: addr, control: control, prefix: fmt.Sprintf("%d:", n)})
				}
			})
		}
	})
}

func oldestFirst(o *orderTest) {
	k := o.key("list")
	var waiters []*waiter
	for range 4 {
		waiters = append(waiters, o.await("BLPOP", k, "0"))
	}
	for i, x := range waiters {
		elem := strconv.Itoa(i)
		o.do(1, "RPUSH", k, elem)
		x.served(o.T, []any{k, elem})
	}
	o.do(0, "EXISTS", k)
}

func onePushManyWaiters(o *orderTest) {
	k := o.key("list")
	var waiters []*waiter
	for range 4 {
		waiters = append(waiters, o.await("BLPOP", k, "0"))
	}
	o.do(6, "RPUSH", k, "0", "1", "2", "3", "4", "5")
	for i, x := range waiters {
		x.served(o.T, []any{k, strconv.Itoa(i)})
	}
	o.do([]any{"4", "5"}, "LRANGE", k, "0", "-1")
}

func everyKind(o *orderTest) {
	k, to, other := o.key("list"), o.key("to"), o.key("other")
	first := o.await("BRPOP", k, "0")
	second := o.await("BLMOVE", k, to, "LEFT", "LEFT", "0")
	third := o.await("BLMPOP", "0", "2", other, k, "RIGHT", "COUNT", "2")
	fourth := o.await("BRPOPLPUSH", k, to, "0")
	fifth := o.await("BLPOP", other, k, "0")
	o.do(7, "RPUSH", k, "0", "1", "2", "3", "4", "5", "6")
	first.served(o.T, []any{k, "6"})
	second.served(o.T, "0")
	third.served(o.T, []any{k, []any{"5", "4"}})
	fourth.served(o.T, "3")
	fifth.served(o.T, []any{k, "1"})
	o.do([]any{"2"}, "LRANGE", k, "0", "-1")
	o.do([]any{"3", "0"}, "LRANGE", to, "0", "-1")
}

func oldestFirstSortedSet(o *orderTest) {
	k, other := o.key("zset"), o.key("other")
	first := o.await("BZPOPMAX", k, other, "0")
	second := o.await("BZPOPMIN", other, k, "0")
	third := o.await("BZMPOP", "0", "2", other, k, "MIN", "COUNT", "2")
	o.do(5, "ZADD", k, "1", "a", "2", "b", "3", "c", "4", "d", "5", "e")
	first.served(o.T, []any{k, "e", "5"})
	second.served(o.T, []any{k, "a", "1"})
	third.served(o.T, []any{k, []any{[]any{"b", "2"}, []any{"c", "3"}}})
	o.do([]any{"d"}, "ZRANGE", k, "0", "-1")
}

// streamServesAll: reading takes nothing away, but in a group each entry goes to one consumer, the oldest.
func streamServesAll(o *orderTest) {
	k, other := o.key("stream"), o.key("other")
	o.do("OK", "XGROUP", "CREATE", k, "group", "$", "MKSTREAM")
	readers := []*waiter{
		o.await("XREAD", "BLOCK", "0", "STREAMS", other, k, "$", "$"),
		o.await("XREADGROUP", "GROUP", "group", "first", "BLOCK", "0", "STREAMS", k, ">"),
		o.await("XREAD", "BLOCK", "0", "STREAMS", k, "0-0"),
	}
	late := o.await("XREADGROUP", "GROUP", "group", "second", "BLOCK", "0", "STREAMS", k, ">")
	entry := func(id string) any { return []any{[]any{k, []any{[]any{id, []any{"f", "v"}}}}} }
	o.do("1-1", "XADD", k, "1-1", "f", "v")
	for _, x := range readers {
		x.served(o.T, entry("1-1"))
	}
	require.True(o, late.waits(o.control))
	o.do("1-2", "XADD", k, "1-2", "f", "v")
	late.served(o.T, entry("1-2"))
}

// severalKeys: a waiter is in the queue of each of its keys, and in none of them any more when it has been served.
func severalKeys(o *orderTest) {
	a, b, c := o.key("a"), o.key("b"), o.key("c")
	first := o.await("BLPOP", a, b, "0")
	second := o.await("BLPOP", b, c, "0")
	third := o.await("BLPOP", c, a, b, "0")
	o.do(1, "RPUSH", b, "1")
	first.served(o.T, []any{b, "1"})
	o.do(1, "RPUSH", a, "2")
	third.served(o.T, []any{a, "2"})
	o.do(1, "RPUSH", c, "3")
	second.served(o.T, []any{c, "3"})
	for _, k := range []string{a, b, c} {
		o.do(1, "RPUSH", k, "nobody waits")
	}
	o.do(3, "DEL", a, b, c)
}

// transactionOf carries out commands in a transaction, scriptDoing in a script, and both return their replies.
func transactionOf(w *wire, cmds [][]string) any { return transact(w, cmds) }

func scriptDoing(w *wire, cmds [][]string) any {
	text, argv := "local r = {}\n", []string{}
	for i, cmd := range cmds {
		from := len(argv) + 1
		argv = append(argv, cmd...)
		text += fmt.Sprintf("r[%d] = redis.call(unpack(ARGV, %d, %d))\n", i+1, from, len(argv))
	}
	return w.do(slices.Concat([]string{"EVAL", text + "return r", "0"}, argv)...)
}

type doer func(w *wire, cmds [][]string) any

// all carries out commands at one instant, with these replies.
func (o *orderTest) all(do doer, want []any, cmds ...[]string) {
	o.Helper()
	got := do(o.control, cmds)
	require.NoError(o, o.control.err)
	require.Equal(o, want, got, "%q", cmds)
}

// severalReady: keys become ready at one instant, the rightmost first. The oldest waiter gets the leftmost that it names, the
// next one what is left.
func severalReady(o *orderTest, leftmost bool, do doer) {
	a, b, c, d := o.key("a"), o.key("b"), o.key("c"), o.key("d")
	first := o.await("BLPOP", a, b, c, d, "0")
	second := o.await("BLPOP", c, b, d, "0")
	o.all(do, []any{1, 1, 1}, []string{"RPUSH", d, "1"}, []string{"RPUSH", c, "1"}, []string{"RPUSH", b, "1"})
	if !leftmost {
		first.served(o.T, []any{d, "1"})
		second.served(o.T, []any{c, "1"})
		o.do([]any{"1"}, "LRANGE", b, "0", "-1")
		return
	}
	first.served(o.T, []any{b, "1"})
	second.served(o.T, []any{c, "1"})
	o.do([]any{"1"}, "LRANGE", d, "0", "-1")
}

// moveChain: what a waiter moves makes the next key ready, in whichever order the waiters came.
func moveChain(o *orderTest) {
	keys := []string{o.key("a"), o.key("b"), o.key("c"), o.key("d"), o.key("e")}
	last := len(keys) - 1
	for _, backwards := range []bool{false, true} {
		waiters := make([]*waiter, len(keys))
		wait := func(i int) {
			if i == last {
				waiters[i] = o.await("BLPOP", keys[i], "0")
			} else {
				waiters[i] = o.await("BLMOVE", keys[i], keys[i+1], "LEFT", "RIGHT", "0")
			}
		}
		for i := range keys {
			if backwards {
				i = last - i
			}
			wait(i)
		}
		o.do(1, "RPUSH", keys[0], "elem")
		o.do(0, command("EXISTS", keys...)...)
		for i, x := range waiters {
			if i == last {
				x.served(o.T, []any{keys[i], "elem"})
			} else {
				x.served(o.T, "elem")
			}
		}
	}
}

// moveRing: three waiters move the element all the way around, once.
func moveRing(o *orderTest) {
	a, b, c := o.key("a"), o.key("b"), o.key("c")
	waiters := []*waiter{
		o.await("BLMOVE", a, b, "LEFT", "LEFT", "0"),
		o.await("BLMOVE", b, c, "LEFT", "LEFT", "0"),
		o.await("BLMOVE", c, a, "LEFT", "LEFT", "0"),
	}
	o.do(1, "RPUSH", a, "elem")
	for _, x := range waiters {
		x.served(o.T, "elem")
	}
	o.do([]any{"elem"}, "LRANGE", a, "0", "-1")
	o.do(0, "EXISTS", b, c)
}

// notVisible: when the transaction is answered, the waiters have been served, and other clients that look all the time never
// find an element.
func notVisible(o *orderTest, do doer) {
	keys := []string{o.key("a"), o.key("b"), o.key("c")}
	var waiters []*waiter
	for _, k := range keys {
		waiters = append(waiters, o.await("BLPOP", k, "0"))
	}
	third := dialWire(o, o.addr)
	thief := func(w *wire) error {
		for _, k := range keys {
			if got := w.do("LPOP", k); got != nil && w.err == nil {
				return fmt.Errorf("LPOP took %v, for which a client waits", got)
			}
			if n := w.integer("LLEN", k); n != 0 && w.err == nil {
				return fmt.Errorf("LLEN is %d of a list for which a client waits", n)
			}
		}
		return nil
	}
	push := func(w *wire) error {
		var cmds [][]string
		for _, k := range keys {
			cmds = append(cmds, []string{"RPUSH", k, "elem"}, []string{"LLEN", k})
		}
		if got := fmt.Sprint(do(w, cmds)); got != "[1 1 1 1 1 1]" && w.err == nil {
			return fmt.Errorf("replies: %s", got)
		}
		for _, k := range keys {
			if n := third.integer("LLEN", k); n != 0 && third.err == nil {
				return fmt.Errorf("LLEN is %d of a list for which a client waited", n)
			}
		}
		return third.err
	}
	race(o.T, o.addr, []func(*wire) error{push}, []func(*wire) error{thief})
	for i, x := range waiters {
		x.served(o.T, []any{keys[i], "elem"})
	}
}

func pushNotVisible(o *orderTest) {
	k := o.key("list")
	x := o.await("BLPOP", o.key("other"), k, "0")
	race(o.T, o.addr, []func(*wire) error{func(w *wire) error {
		w.integer("RPUSH", k, "elem")
		return nil
	}}, []func(*wire) error{func(w *wire) error {
		if got := w.do("LPOP", k); got != nil && w.err == nil {
			return fmt.Errorf("LPOP took %v, for which a client waits", got)
		}
		return nil
	}})
	x.served(o.T, []any{k, "elem"})
}

func takenAway(o *orderTest) {
	k, other := o.key("list"), o.key("other")
	x := o.await("BLPOP", k, "0")
	o.all(transactionOf, []any{1, "1"}, []string{"RPUSH", k, "1"}, []string{"LPOP", k})
	o.all(scriptDoing, []any{1, 1}, []string{"RPUSH", k, "2"}, []string{"DEL", k})
	o.all(transactionOf, []any{1, "OK"}, []string{"RPUSH", k, "3"}, []string{"RENAME", k, other})
	require.True(o, x.waits(o.control))
	o.do([]any{"3"}, "LRANGE", other, "0", "-1")
	o.all(transactionOf, []any{1, "4", 1}, []string{"RPUSH", k, "4"}, []string{"LPOP", k}, []string{"RPUSH", k, "5"})
	x.served(o.T, []any{k, "5"})
}

func otherType(o *orderTest) {
	k := o.key("key")
	list := o.await("BLPOP", k, "0")
	zset := o.await("BZPOPMIN", k, "0")
	o.do("OK", "SET", k, "string")
	o.do(1, "DEL", k)
	o.all(transactionOf, []any{1, 1, 1, "OK"}, []string{"RPUSH", k, "1"}, []string{"DEL", k}, []string{"SADD", k, "1"}, []string{"SET", k, "1"})
	require.True(o, list.waits(o.control))
	require.True(o, zset.waits(o.control))
	o.do(1, "DEL", k)
	o.do(1, "ZADD", k, "1", "member")
	zset.served(o.T, []any{k, "member", "1"})
	require.True(o, list.waits(o.control))
	o.do(1, "RPUSH", k, "elem")
	list.served(o.T, []any{k, "elem"})
}

// otherArrivals: a list can also come into being without a push.
func otherArrivals(o *orderTest) {
	k, from := o.key("list"), o.key("from")
	for _, c := range []struct {
		want any
		args []string
	}{
		{"OK", []string{"RENAME", from, k}},
		{1, []string{"RENAMENX", from, k}},
		{1, []string{"COPY", from, k}},
		{"2", []string{"LMOVE", from, k, "RIGHT", "LEFT"}},
		{"2", []string{"RPOPLPUSH", from, k}},
		{2, []string{"SORT", from, "STORE", k}},
	} {
		first, second := o.await("BLPOP", k, "0"), o.await("BLMPOP", "0", "1", k, "LEFT")
		o.do(2, "RPUSH", from, "1", "2")
		o.do(c.want, c.args...)
		got := first.reply()
		require.NoError(o, first.err)
		if c.want == "2" { // one element came
			require.Equal(o, []any{k, "2"}, got, "%q", c.args)
			require.True(o, second.waits(o.control), "%q", c.args)
			o.do(1, "RPUSH", k, "2")
		} else {
			require.Equal(o, []any{k, "1"}, got, "%q", c.args)
		}
		second.served(o.T, []any{k, []any{"2"}})
		o.do(0, "EXISTS", k)
		o.control.do("DEL", from)
	}
}

func pipelineWaits(o *orderTest) {
	k, mark := o.key("list"), o.key("mark")
	x := o.await("BLPOP", k, "0")
	x.add("SET", mark, "1")
	x.add("BLPOP", k, "0")
	x.add("APPEND", mark, "2")
	x.flush()
	o.do(nil, "GET", mark)
	o.do(1, "RPUSH", k, "a")
	x.served(o.T, []any{k, "a"})
	x.served(o.T, "OK")
	x.untilItWaits(o.T, o.control)
	o.do("1", "GET", mark)
	o.do(1, "RPUSH", k, "b")
	x.served(o.T, []any{k, "b"})
	x.served(o.T, 2)
}

func leaversAreNotServed(o *orderTest) {
	k, other := o.key("list"), o.key("other")
	left, killed, stays := o.await("BLPOP", k, "0"), o.await("BLMOVE", k, other, "LEFT", "LEFT", "0"), o.await("BLPOP", other, k, "0")
	require.NoError(o, left.conn.Close())
	o.do(1, "CLIENT", "KILL", "ID", killed.id)
	for left.waits(o.control) || killed.waits(o.control) {
		runtime.Gosched()
	}
	o.do(2, "RPUSH", k, "1", "2")
	stays.served(o.T, []any{k, "1"})
	o.do([]any{"2"}, "LRANGE", k, "0", "-1")
	o.do(0, "EXISTS", other)
}

func unblockKeepsOrder(o *orderTest) {
	k := o.key("list")
	first, second, third := o.await("BLPOP", k, "0"), o.await("BLPOP", k, "0"), o.await("BLPOP", k, "0")
	failed := o.await("BLMOVE", k, k, "LEFT", "LEFT", "0")
	o.do(1, "CLIENT", "UNBLOCK", second.id)
	second.served(o.T, nil)
	o.do(1, "CLIENT", "UNBLOCK", failed.id, "ERROR")
	failed.served(o.T, errorReply("UNBLOCKED client unblocked via CLIENT UNBLOCK"))
	o.do(0, "CLIENT", "UNBLOCK", second.id)
	second.add("BLPOP", k, "0") // at the end of the queue again
	second.flush()
	second.untilItWaits(o.T, o.control)
	o.do(3, "RPUSH", k, "1", "2", "3")
	first.served(o.T, []any{k, "1"})
	third.served(o.T, []any{k, "2"})
	second.served(o.T, []any{k, "3"})
}

// servedOnce: clients push to several keys at the same time, for all of which all waiters wait. Every element is either
// popped by one waiter or still there.
func servedOnce(o *orderTest) {
	keys := []string{o.key("a"), o.key("b"), o.key("c"), o.key("d")}
	const each = 3
	var waiters []*waiter
	for i := range 2 * len(keys) {
		turned := append(slices.Clone(keys[i%len(keys):]), keys[:i%len(keys)]...)
		waiters = append(waiters, o.await(append(command("BLPOP", turned...), "0")...))
	}
	var pushers []func(*wire) error
	for i, k := range keys {
		pushers = append(pushers, repeat(each, func(w *wire, n int) error {
			elem := fmt.Sprintf("%s/%d", k, n)
			switch i % 3 {
			case 0:
				w.integer("RPUSH", k, elem)
			case 1:
				transact(w, [][]string{{"RPUSH", k, elem}})
			case 2:
				scriptDoing(w, [][]string{{"RPUSH", k, elem}})
			}
			return nil
		}))
	}
	together(o.T, o.addr, pushers...)
	var all, want []string
	for _, x := range waiters {
		got, _ := x.reply().([]any)
		require.NoError(o, x.err)
		require.Len(o, got, 2)
		require.True(o, strings.HasPrefix(got[1].(string), got[0].(string)+"/"), "%q", got)
		all = append(all, got[1].(string))
	}
	for _, k := range keys {
		all = append(all, o.control.texts("LRANGE", k, "0", "-1")...)
		for n := range each {
			want = append(want, fmt.Sprintf("%s/%d", k, n))
		}
	}
	require.NoError(o, o.control.err)
	require.ElementsMatch(o, want, all)
}
