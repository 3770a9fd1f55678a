package integration

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// longLen is how many elements a value has that is read a slice at a time.
const longLen = 20_000

// TestLongReads reads large values while other clients change them, rename them to other shards, replace and flush them, and
// while clients leave in the middle of a reply. Elements come and go in pairs, each by one command, so whoever sees half a
// pair has not seen one instant.
func TestLongReads(t *testing.T) {
	var server *process
	t.Cleanup(func() { requireNoRaces(t, server) })
	server = startTroupe(t, "--shards", "4")
	control := dialWire(t, server.Addr)
	control.ok("FLUSHALL")
	require.NoError(t, control.err)
	base := usedMemory(control)

	elem := func(i int) string { return fmt.Sprintf("%050d", i) }
	fill := func(w *wire) {
		const at = 1000
		for i := 0; i < longLen; i += at {
			set, list, hash := []string{"SADD", "set"}, []string{"RPUSH", "list"}, []string{"HSET", "hash"}
			for j := i; j < i+at; j++ {
				set, list, hash = append(set, elem(j)), append(list, elem(j)), append(hash, elem(j), "v")
			}
			w.do(set...)
			w.do(list...)
			w.do(hash...)
		}
	}
	fill(control)
	n := rounds(40)
	change := repeat(50*n, func(w *wire, i int) error {
		a, b := elem(i*7919%longLen*2), elem(i*7919%longLen*2+1)
		v := strconv.Itoa(i)
		w.do([]string{"SADD", "SREM"}[i%2], "set", a, b)
		w.do("HSET", "hash", a, v, b, v)
		w.do("HDEL", "hash", elem(i*31%longLen&^1), elem(i*31%longLen|1))
		w.do("RPUSH", "list", elem(i*2), elem(i*2+1))
		w.do("LTRIM", "list", "2", "-1")
		return nil
	})
	upheaval := repeat(n, func(w *wire, i int) error {
		for _, key := range []string{"set", "hash", "list"} {
			w.do("RENAME", key, "somewhere:"+strconv.Itoa(i))
			w.do("RENAME", "somewhere:"+strconv.Itoa(i), key)
		}
		switch i % 8 {
		case 2:
			w.do("DEL", "set")
		case 4:
			w.do("SET", "hash", "a string")
			w.do("DEL", "hash")
		case 6:
			w.do("FLUSHALL")
		}
		if i%2 == 0 {
			fill(w)
		}
		return nil
	})
	leave := repeat(n, func(w *wire, i int) error {
		conn, err := net.Dial("tcp", server.Addr)
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = conn.Write([]byte([]string{"SMEMBERS set\r\n", "HGETALL hash\r\n", "LRANGE list 0 -1\r\n", "SORT set\r\n"}[i%4]))
		return err
	})
	read := func(w *wire) error {
		for line, step := range map[string]int{
			"SMEMBERS set": 1, "HKEYS hash": 1, "HGETALL hash": 2, "SORT set ALPHA": 1, "LRANGE list 0 -1": 1,
		} {
			elems, isArray := w.do(strings.Fields(line)...).([]any)
			if !isArray {
				continue // a value of another type
			}
			seen := map[int]int{}
			for i := 0; i < len(elems); i += step {
				seen[w.number(fmt.Sprint(elems[i]))/2]++
			}
			for pair, n := range seen {
				if n%2 != 0 && w.err == nil {
					return fmt.Errorf("%s: half of pair %d", line, pair)
				}
			}
		}
		return nil
	}
	race(t, server.Addr, []func(*wire) error{change, upheaval, leave}, []func(*wire) error{read, read})

	control.ok("FLUSHALL")
	require.NoError(t, control.err)
	// What those who have left had begun ends a moment later; where it does not, the test runs into its time limit.
	for control.err == nil && usedMemory(control) > base+(1<<20) {
	}
	require.NoError(t, control.err)
}

// usedMemory returns what INFO says.
func usedMemory(w *wire) int {
	text, _ := w.do("INFO", "memory").(string)
	_, rest, _ := strings.Cut(text, "used_memory:")
	line, _, _ := strings.Cut(rest, "\r\n")
	return w.number(line)
}
