package integration

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The same rules where a command is so large that it leaves the event loop: it then really runs beside others, also with
// one event loop.

var heavyChecks = []check{
	{"large MSET at one instant", checkLargeMSet},
	{"large values in order", checkLargeValues},
	{"KEYS of many at one instant", checkKeysOfMany},
}

// manyKeys is more keys than an event loop handles in one command.
const manyKeys = 2500

func checkLargeMSet(t *testing.T, addr string) {
	keys := keysOf("large:", manyKeys)
	some := append(slices.Clone(keys[:10]), keys[manyKeys-10:]...)
	write := func(name string) func(*wire) error {
		return repeat(rounds(20), func(w *wire, i int) error {
			value := name + strconv.Itoa(i)
			w.add(eachWith("MSET", keys, value)...)
			w.add("SET", name, value)
			w.flush()
			w.reply()
			w.reply()
			if got := w.integer(command("EXISTS", keys...)...); got != manyKeys && w.err == nil {
				return fmt.Errorf("EXISTS counts %d of %d keys after their MSET", got, manyKeys)
			}
			return nil
		})
	}
	read := func(w *wire) error { return allEqual("MGET", w.texts(command("MGET", some...)...)) }
	readAll := func(w *wire) error { return allEqual("MGET", w.texts(command("MGET", keys...)...)) }
	race(t, addr, []func(*wire) error{write("x"), write("y")}, []func(*wire) error{read, readAll})
}

// checkLargeValues: in a pipeline, a command over megabytes stands between two writes. Its reply is in its place, and nobody
// sees the second write without the first.
func checkLargeValues(t *testing.T, addr string) {
	const bytes = 4 << 20
	control := dialWire(t, addr)
	require.Equal(t, bytes, control.integer("SETRANGE", "big", strconv.Itoa(bytes-1), "\xff"))
	require.NoError(t, control.err)
	write := repeat(rounds(24), func(w *wire, i int) error {
		before, after := strconv.Itoa(i), strconv.Itoa(i)
		w.add("SET", "before", before)
		w.add("BITCOUNT", "big")
		w.add("SET", "after", after)
		w.add("MGET", "before", "after")
		w.flush()
		got := []any{w.reply(), w.reply(), w.reply(), w.reply()}
		want := []any{"OK", 8, "OK", []any{before, after}}
		if fmt.Sprint(got) != fmt.Sprint(want) && w.err == nil {
			return fmt.Errorf("replies %v, want %v", got, want)
		}
		return nil
	})
	read := func(w *wire) error {
		seen := append(w.numbers("MGET", "after"), w.numbers("MGET", "before")...)
		if !slices.IsSorted(seen) {
			return fmt.Errorf("the later write is at %d, the earlier at %d", seen[0], seen[1])
		}
		return nil
	}
	race(t, addr, []func(*wire) error{write}, []func(*wire) error{read})
}

// checkKeysOfMany: KEYS walks many keys while they are renamed and others come and go in groups, and answers what there
// was at one instant.
func checkKeysOfMany(t *testing.T, addr string) {
	keys, group := keysOf("steady:", manyKeys), keysOf("group:", 16)
	control := dialWire(t, addr)
	control.ok(eachWith("MSET", keys, "v")...)
	require.NoError(t, control.err)
	rename := repeat(rounds(400), func(w *wire, i int) error {
		from, to := keys[i*7%manyKeys], "renamed:"+strconv.Itoa(i%50)
		w.ok("RENAME", from, to)
		w.ok("RENAME", to, from)
		return nil
	})
	comeAndGo := repeat(rounds(400), func(w *wire, _ int) error {
		w.ok(eachWith("MSET", group, "v")...)
		w.integer(command("DEL", group...)...)
		return nil
	})
	read := func(w *wire) error {
		found := w.texts("KEYS", "*")
		if w.err != nil {
			return nil
		}
		slices.Sort(found)
		if distinct := slices.Compact(slices.Clone(found)); len(distinct) != len(found) {
			return fmt.Errorf("KEYS lists %d keys twice", len(found)-len(distinct))
		}
		inGroup := 0
		for _, k := range found {
			if strings.HasPrefix(k, "group:") {
				inGroup++
			}
		}
		if n := len(found) - inGroup; n != manyKeys {
			return fmt.Errorf("KEYS lists %d of %d keys while some are renamed", n, manyKeys)
		}
		return noneOrAll("KEYS", inGroup, len(group))
	}
	race(t, addr, []func(*wire) error{rename, comeAndGo}, []func(*wire) error{read, read})
}
