package integration

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What makes EXEC answer null, seen by a client that watches keys on all shards while another one works, and what a transaction
// does with commands that fail.

// watchCase: keys are written k, a, b, …, each with a prefix of the round's in braces: {k}.
type watchCase struct {
	name    string
	before  []string
	between []string // commands of another client between WATCH and EXEC
	aborts  bool
}

var watchCases = []watchCase{
	{"nothing", []string{"SET {k} 1"}, nil, false},
	{"reads", []string{"SET {k} 1"}, []string{"GET {k}", "EXISTS {k}", "TYPE {k}", "OBJECT ENCODING {k}", "TTL {k}", "TOUCH {k}"}, false},
	{"another key", []string{"SET {k} 1"}, []string{"SET {x} 1", "RENAME {x} {y}", "DEL {y}"}, false},
	{"SET", nil, []string{"SET {k} 1"}, true},
	{"SET of what it holds", []string{"SET {k} 1"}, []string{"SET {k} 1"}, true},
	{"SET that does not", []string{"SET {k} 1"}, []string{"SET {k} 2 NX", "SETNX {k} 2", "MSETNX {x} 1 {k} 1"}, false},
	{"SET that fails", []string{"SET {k} text"}, []string{"!INCR {k}", "!LPUSH {k} 1", "!SETRANGE {k} -1 x"}, false},
	{"GETEX that changes nothing", []string{"SET {k} 1"}, []string{"GETEX {k}", "GETEX {k} PERSIST"}, false},
	{"change and back", []string{"SET {k} 1"}, []string{"INCR {k}", "DECR {k}"}, true},
	{"DEL", []string{"SET {k} 1"}, []string{"DEL {k}"}, true},
	{"DEL of nothing", nil, []string{"DEL {k}", "UNLINK {k}"}, false},
	{"create and DEL", nil, []string{"SET {k} 1", "DEL {k}"}, true},
	{"EXPIRE", []string{"SET {k} 1"}, []string{"EXPIRE {k} 100"}, true},
	{"EXPIRE of nothing", nil, []string{"EXPIRE {k} 100"}, false},
	{"EXPIRE in the past", []string{"SET {k} 1"}, []string{"PEXPIREAT {k} 1"}, true},
	{"PERSIST", []string{"SET {k} 1 EX 100"}, []string{"PERSIST {k}"}, true},
	{"MSET among others", nil, []string{"MSET {x} 1 {k} 1 {y} 1"}, true},
	{"RENAME away", []string{"SET {k} 1"}, []string{"RENAME {k} {x}"}, true},
	{"RENAME onto", []string{"SET {x} 1"}, []string{"RENAME {x} {k}"}, true},
	{"COPY onto", []string{"SET {x} 1"}, []string{"COPY {x} {k}"}, true},
	{"COPY from", []string{"SET {k} 1"}, []string{"COPY {k} {x}"}, false},
	{"MOVE", []string{"SET {k} 1"}, []string{"MOVE {k} 5"}, true},
	{"the same name in another database", []string{"SET {k} 1"}, []string{"SELECT 5", "SET {k} 2", "DEL {k}", "SELECT 0"}, false},
	{"LPUSH", nil, []string{"LPUSH {k} 1"}, true},
	{"LPOP", []string{"RPUSH {k} 1 2"}, []string{"LPOP {k}"}, true},
	{"LPOP of nothing", nil, []string{"LPOP {k}"}, false},
	{"LREM of nothing", []string{"RPUSH {k} 1"}, []string{"LREM {k} 0 2"}, false},
	{"LMOVE onto", []string{"RPUSH {x} 1"}, []string{"LMOVE {x} {k} LEFT LEFT"}, true},
	{"SORT STORE", []string{"RPUSH {x} 2 1"}, []string{"SORT {x} STORE {k}"}, true},
	{"SORT STORE of nothing", nil, []string{"SORT {x} STORE {k}"}, false},
	{"SADD of a new member", []string{"SADD {k} 1"}, []string{"SADD {k} 2"}, true},
	{"SADD of a member", []string{"SADD {k} 1"}, []string{"SADD {k} 1"}, false},
	{"SMOVE", []string{"SADD {k} 1 2"}, []string{"SMOVE {k} {x} 1"}, true},
	{"SUNIONSTORE", []string{"SADD {x} 1"}, []string{"SUNIONSTORE {k} {x} {y}"}, true},
	{"SINTERSTORE of nothing", nil, []string{"SINTERSTORE {k} {x} {y}"}, false},
	{"HSET", []string{"HSET {k} f 1"}, []string{"HSET {k} f 1"}, true},
	{"HDEL of nothing", []string{"HSET {k} f 1"}, []string{"HDEL {k} g"}, false},
	{"ZADD of the same score", []string{"ZADD {k} 1 m"}, []string{"ZADD {k} 1 m"}, false},
	{"ZADD of another score", []string{"ZADD {k} 1 m"}, []string{"ZADD {k} 2 m"}, true},
	{"ZRANGESTORE", []string{"ZADD {x} 1 m"}, []string{"ZRANGESTORE {k} {x} 0 -1"}, true},
	{"XADD", nil, []string{"XADD {k} * f v"}, true},
	{"XTRIM of nothing", []string{"XADD {k} * f v"}, []string{"XTRIM {k} MAXLEN 5"}, false},
	{"XGROUP CREATE", []string{"XADD {k} * f v"}, []string{"XGROUP CREATE {k} g $"}, false},
	{"XGROUP CREATE of the stream, too", nil, []string{"XGROUP CREATE {k} g $ MKSTREAM"}, true},
	{"PFADD", nil, []string{"PFADD {k} 1"}, true},
	{"PFADD of the same", []string{"PFADD {k} 1"}, []string{"PFADD {k} 1"}, false},
	{"SETBIT", nil, []string{"SETBIT {k} 1 1"}, true},
	{"APPEND", []string{"SET {k} 1"}, []string{"APPEND {k} 2"}, true},
	{"EXEC", nil, []string{"MULTI", "SET {x} 1", "INCR {k}", "EXEC"}, true},
	{"DISCARD", nil, []string{"MULTI", "INCR {k}", "DISCARD"}, false},
	{"script", nil, []string{"EVAL redis.call('INCR',KEYS[1]) 1 {k}"}, true},
	{"script with undeclared keys", nil, []string{"EVAL redis.call('INCR',ARGV[1]) 0 {k}"}, true},
	{"script that reads", []string{"SET {k} 1"}, []string{"EVAL redis.call('GET',KEYS[1]) 1 {k}", "EVAL redis.call('GET',ARGV[1]) 0 {k}"}, false},
	{"script that fails after it wrote", nil, []string{"!EVAL redis.call('INCR',KEYS[1])redis.call('BOOM') 1 {k}"}, true},
	{"FLUSHDB", []string{"SET {k} 1"}, []string{"FLUSHDB"}, true},
	{"FLUSHALL", []string{"SET {k} 1"}, []string{"FLUSHALL"}, true},
	{"FLUSHDB without the key", []string{"SET {x} 1"}, []string{"FLUSHDB"}, false},
	{"FLUSHDB of another database", []string{"SET {k} 1"}, []string{"SELECT 5", "FLUSHDB", "SELECT 0"}, false},
	{"SWAPDB", []string{"SET {k} 1"}, []string{"SWAPDB 0 5"}, true},
	{"SWAPDB that brings it", []string{"SELECT 5", "SET {k} 1", "SELECT 0"}, []string{"SWAPDB 0 5"}, true},
	{"SWAPDB of the same value", []string{"SET {k} 1", "SELECT 5", "SET {k} 1", "SELECT 0"}, []string{"SWAPDB 0 5"}, true},
	{"SWAPDB without the key", []string{"SET {x} 1"}, []string{"SWAPDB 0 5"}, false},
	{"SWAPDB of other databases", []string{"SET {k} 1"}, []string{"SWAPDB 5 6"}, false},
}

// commandOf splits a command and puts the prefix where braces are. Commands that are to fail begin with "!".
func commandOf(prefix, line string) (args []string, fails bool) {
	line, fails = strings.CutPrefix(line, "!")
	args = strings.Fields(line)
	for i, a := range args {
		if name, ok := strings.CutPrefix(a, "{"); ok {
			args[i] = prefix + strings.TrimSuffix(name, "}")
		}
	}
	return args, fails
}

// perform sends commands, of which only those marked "!" may and must fail.
func perform(t *testing.T, w *wire, prefix string, lines []string) {
	t.Helper()
	for _, line := range lines {
		args, fails := commandOf(prefix, line)
		reply := w.do(args...)
		require.NoError(t, w.err, line)
		_, failed := reply.(errorReply)
		require.Equal(t, fails, failed, "%q: %v", line, reply)
	}
}

func TestWatch(t *testing.T) {
	eachServer(t, func(t *testing.T, addr string) {
		const keys = 6 // rounds with different keys, which lie on different shards
		for _, c := range watchCases {
			t.Run(c.name, func(t *testing.T) {
				watcher, other := dialWire(t, addr), dialWire(t, addr)
				for n := range keys {
					other.ok("FLUSHALL")
					prefix := fmt.Sprintf("%d:", n)
					perform(t, other, prefix, c.before)
					watch := command("WATCH", keysOf(prefix+"beside:", 3)...)
					watcher.ok(append(watch, prefix+"k")...)
					perform(t, other, prefix, c.between)
					reply := transact(watcher, [][]string{{"ECHO", "done"}, {"INCR", prefix + "effect"}})
					require.NoError(t, watcher.err)
					if c.aborts {
						require.Equal(t, aborted{}, reply)
						require.Equal(t, 0, other.integer("EXISTS", prefix+"effect"))
					} else {
						require.Equal(t, []any{"done", 1}, reply)
					}
					// EXEC has unwatched everything, whatever it answered.
					other.ok("SET", prefix+"k", "later")
					require.NoError(t, other.err)
					require.Equal(t, []any{"done"}, transact(watcher, [][]string{{"ECHO", "done"}}))
				}
			})
		}
	})
}

// TestWatchOwnChanges: what the watching client itself does counts as well.
func TestWatchOwnChanges(t *testing.T) {
	eachServer(t, func(t *testing.T, addr string) {
		w := dialWire(t, addr)
		for _, c := range []struct {
			name   string
			lines  []string
			aborts bool
		}{
			{"change", []string{"WATCH {k}", "SET {k} 1"}, true},
			{"change before", []string{"SET {k} 1", "WATCH {k}"}, false},
			{"UNWATCH", []string{"WATCH {k}", "SET {k} 1", "UNWATCH"}, false},
			{"UNWATCH before the change", []string{"WATCH {k}", "UNWATCH", "SET {k} 1"}, false},
			{"WATCH again after the change", []string{"WATCH {k}", "SET {k} 1", "WATCH {k}"}, true},
			{"DISCARD unwatches", []string{"WATCH {k}", "SET {k} 1", "MULTI", "DISCARD"}, false},
			{"EXEC unwatches", []string{"WATCH {k}", "SET {k} 1", "MULTI", "EXEC"}, false},
			{"an empty transaction", []string{"WATCH {k}", "SET {k} 1", "MULTI", "EXEC", "WATCH {k}"}, false},
			{"RESET unwatches", []string{"WATCH {k}", "SET {k} 1", "RESET"}, false},
			{"script", []string{"WATCH {k}", "EVAL redis.call('INCR',ARGV[1]) 0 {k}"}, true},
			{"several WATCHes", []string{"WATCH {a}", "WATCH {k}", "WATCH {b}", "SET {k} 1"}, true},
			{"in the database of the WATCH", []string{"SELECT 5", "WATCH {k}", "SELECT 0", "SET {k} 1"}, false},
			{"from another database", []string{"SELECT 5", "WATCH {k}", "SET {k} 1", "SELECT 0"}, true},
		} {
			t.Run(c.name, func(t *testing.T) {
				for n := range 4 {
					w.ok("FLUSHALL")
					perform(t, w, fmt.Sprintf("%d:", n), c.lines)
					reply := transact(w, [][]string{{"ECHO", "done"}})
					require.NoError(t, w.err)
					require.Equal(t, c.aborts, reply == aborted{})
				}
			})
		}
	})
}

// TestWatchExpired: a key whose time passes between WATCH and EXEC has changed, also if nobody has looked at it since; one whose
// time had passed before has not.
func TestWatchExpired(t *testing.T) {
	eachServer(t, func(t *testing.T, addr string) {
		watcher, other := dialWire(t, addr), dialWire(t, addr)
		other.ok("DEBUG", "SET-ACTIVE-EXPIRE", "0")
		require.NoError(t, other.err)
		now := func() int {
			text := other.texts("TIME")
			require.NoError(t, other.err)
			return other.number(text[0])*1000 + other.number(text[1])/1000
		}
		// set gives the key so short a time that it may be over before WATCH; the caller looks.
		set := func(key string, ms int) (deadline int) {
			deadline = now() + ms
			other.ok("SET", key, "1", "PXAT", strconv.Itoa(deadline))
			return deadline
		}
		pass := func(deadline int) {
			for now() <= deadline && other.err == nil {
			}
		}
		for n := range rounds(8) {
			key := fmt.Sprintf("%d:k", n)
			for _, touched := range []bool{false, true} {
				for ms := 20; ; ms *= 2 { // a slow machine gets more time
					deadline := set(key, ms)
					watcher.ok("WATCH", key)
					inTime := now() < deadline
					pass(deadline)
					if touched {
						require.Equal(t, nil, other.do("GET", key))
					}
					reply := transact(watcher, [][]string{{"ECHO", "done"}})
					require.NoError(t, watcher.err)
					if inTime {
						require.Equal(t, aborted{}, reply)
						break
					}
				}
			}
			deadline := set(key, 1)
			pass(deadline)
			watcher.ok("WATCH", key)
			require.Equal(t, []any{"done"}, transact(watcher, [][]string{{"ECHO", "done"}}))
			// Deleting what had expired anyway is no change either.
			deadline = set(key, 1)
			pass(deadline)
			watcher.ok("WATCH", key)
			require.Equal(t, nil, other.do("GET", key))
			require.Equal(t, []any{"done"}, transact(watcher, [][]string{{"ECHO", "done"}}))
		}
		require.NoError(t, watcher.err)
	})
}

// TestExecAbort: a command that cannot be queued makes EXEC refuse the transaction; one that fails when it runs does not keep the
// others from taking effect.
func TestExecAbort(t *testing.T) {
	eachServer(t, func(t *testing.T, addr string) {
		w, other := dialWire(t, addr), dialWire(t, addr)
		for n, bad := range [][]string{
			{"NOSUCHCOMMAND", "x"}, {"GET"}, {"SET", "k"}, {"MGET"}, {"CONFIG", "NOSUCHSUBCOMMAND"}, {"SYNC", "x"},
		} {
			keys := keysOf(fmt.Sprintf("%d:", n), 5)
			w.ok("MULTI")
			for _, k := range keys {
				require.Equal(t, "QUEUED", w.do("SET", k, "1"))
			}
			require.IsType(t, errorReply(""), w.do(bad...), "%q", bad)
			require.Equal(t, "QUEUED", w.do("SET", keys[0], "2"))
			require.Equal(t, errorReply("EXECABORT Transaction discarded because of previous errors."), w.do("EXEC"))
			require.Equal(t, 0, other.integer(command("EXISTS", keys...)...))
			require.Equal(t, errorReply("ERR EXEC without MULTI"), w.do("EXEC"))
			w.ok("MULTI")
			require.IsType(t, errorReply(""), w.do(bad...), "%q", bad)
			w.ok("DISCARD")
			require.Equal(t, []any{"OK"}, transact(w, [][]string{{"SET", keys[0], "3"}}))

			w.ok("MULTI")
			for _, k := range keys {
				require.Equal(t, "QUEUED", w.do("SET", k, "text"))
				require.Equal(t, "QUEUED", w.do("INCR", k))
				require.Equal(t, "QUEUED", w.do("APPEND", k, "!"))
			}
			replies := w.do("EXEC")
			require.NoError(t, w.err)
			var want []any
			for range keys {
				want = append(want, "OK", errNotInteger, 5)
			}
			require.Equal(t, want, replies)
			require.Equal(t, strings.Repeat("text! ", len(keys)), strings.Join(other.texts(command("MGET", keys...)...), " ")+" ")
		}
		for _, c := range [][2]string{
			{"EXEC", "ERR EXEC without MULTI"}, {"DISCARD", "ERR DISCARD without MULTI"},
		} {
			require.Equal(t, errorReply(c[1]), w.do(c[0]))
		}
		w.ok("MULTI")
		require.Equal(t, errorReply("ERR MULTI calls can not be nested"), w.do("MULTI"))
		require.Equal(t, errorReply("ERR WATCH inside MULTI is not allowed"), w.do("WATCH", "k"))
		require.Equal(t, "QUEUED", w.do("ECHO", "still there"))
		require.Equal(t, []any{"still there"}, w.do("EXEC"))
		// A client that leaves in the middle takes its transaction along.
		leaver := dialWire(t, addr)
		leaver.ok("MULTI")
		require.Equal(t, "QUEUED", leaver.do("SET", "left", "1"))
		require.NoError(t, leaver.conn.Close())
		require.Equal(t, 0, other.integer("EXISTS", "left"))
		require.NoError(t, w.err)
		require.NoError(t, other.err)
	})
}
