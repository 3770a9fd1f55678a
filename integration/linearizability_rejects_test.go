package integration

import (
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

// The proof is worth what it rejects.

func TestLinearizabilityOfHandMadeHistories(t *testing.T) {
	op := func(how how, cmds ...[]string) operation { return operation{how: how, cmds: cmds} }
	given := func(guard []string, cmds ...[]string) operation { return operation{watched, cmds, guard} }
	cmd := func(words ...string) []string { return words }
	type done struct {
		call, end int64
		op        operation
		reply     any
	}
	for _, c := range []struct {
		name string
		want porcupine.CheckResult
		all  []done
	}{
		{"a read after a write sees it", porcupine.Ok, []done{
			{1, 2, op(plain, cmd("SET", "k0", "a1")), "OK"},
			{3, 4, op(plain, cmd("GET", "k0")), "a1"},
		}},
		{"a read after a write does not see it", porcupine.Illegal, []done{
			{1, 2, op(plain, cmd("SET", "k0", "a1")), "OK"},
			{3, 4, op(plain, cmd("GET", "k0")), nil},
		}},
		{"a read during a write sees it or not", porcupine.Ok, []done{
			{1, 6, op(plain, cmd("SET", "k0", "a1")), "OK"},
			{2, 3, op(plain, cmd("GET", "k0")), nil},
			{4, 5, op(plain, cmd("GET", "k0")), "a1"},
		}},
		{"a write is undone", porcupine.Illegal, []done{
			{1, 6, op(plain, cmd("SET", "k0", "a1")), "OK"},
			{2, 3, op(plain, cmd("GET", "k0")), "a1"},
			{4, 5, op(plain, cmd("GET", "k0")), nil},
		}},
		{"two increments make one", porcupine.Illegal, []done{
			{1, 3, op(plain, cmd("INCRBY", "k0", "1")), 1},
			{2, 4, op(plain, cmd("INCRBY", "k0", "1")), 1},
		}},
		{"an element is popped twice", porcupine.Illegal, []done{
			{1, 2, op(plain, cmd("RPUSH", "k0", "a1")), 1},
			{3, 5, op(plain, cmd("LPOP", "k0")), "a1"},
			{4, 6, op(plain, cmd("BLPOP", "k0", "0.1")), []any{"k0", "a1"}},
		}},
		{"a waiter is served by a later push", porcupine.Ok, []done{
			{1, 4, op(plain, cmd("BLPOP", "k0", "0.1")), []any{"k0", "a1"}},
			{2, 3, op(plain, cmd("RPUSH", "k0", "a1")), 1},
			{5, 6, op(plain, cmd("LLEN", "k0")), 0},
		}},
		{"a waiter's time is over though there is an element", porcupine.Illegal, []done{
			{1, 2, op(plain, cmd("RPUSH", "k0", "a1")), 1},
			{3, 4, op(plain, cmd("BLPOP", "k0", "0.1")), nil},
			{5, 6, op(plain, cmd("LLEN", "k0")), 1},
		}},
		{"an element is in neither list while it is moved", porcupine.Illegal, []done{
			{1, 2, op(plain, cmd("RPUSH", "k0", "a1")), 1},
			{3, 6, op(plain, cmd("LMOVE", "k0", "k1", "LEFT", "LEFT")), "a1"},
			{4, 5, op(plain, cmd("EXISTS", "k0", "k1")), 0},
		}},
		{"half of a transaction is seen", porcupine.Illegal, []done{
			{1, 4, op(multi, cmd("INCRBY", "k0", "1"), cmd("INCRBY", "k1", "1")), []any{1, 1}},
			{2, 3, op(plain, cmd("MGET", "k0", "k1")), []any{"1", nil}},
		}},
		{"half of a script is seen", porcupine.Illegal, []done{
			{1, 4, op(undeclared, cmd("INCRBY", "k0", "1"), cmd("INCRBY", "k1", "1")), []any{1, 1}},
			{2, 3, op(plain, cmd("MGET", "k0", "k1")), []any{nil, "1"}},
		}},
		{"a transaction takes effect though its guard is broken", porcupine.Illegal, []done{
			{1, 2, op(plain, cmd("SET", "k0", "2")), "OK"},
			{3, 4, given(cmd("k0", "1"), cmd("INCRBY", "k0", "1")), []any{3}},
		}},
		{"a transaction is aborted and takes effect", porcupine.Illegal, []done{
			{1, 2, given(cmd("k0", ""), cmd("INCRBY", "k0", "1")), aborted{}},
			{3, 4, op(plain, cmd("GET", "k0")), "1"},
		}},
		{"a transaction without WATCH is aborted", porcupine.Illegal, []done{
			{1, 2, op(multi, cmd("INCRBY", "k0", "1")), aborted{}},
		}},
		{"two compare and set succeed", porcupine.Illegal, []done{
			{1, 2, op(plain, cmd("SET", "k0", "1")), "OK"},
			{3, 5, op(declared, cmd("CAS", "k0", "1", "2")), []any{1}},
			{4, 6, op(declared, cmd("CAS", "k0", "1", "3")), []any{1}},
		}},
		{"an error of another kind", porcupine.Illegal, []done{
			{1, 2, op(plain, cmd("RENAME", "k0", "k1")), errNotInteger},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var history []porcupine.Operation
			for i, d := range c.all {
				history = append(history, porcupine.Operation{ClientId: i, Input: d.op, Call: d.call, Output: d.reply, Return: d.end})
			}
			require.Equal(t, c.want, porcupine.CheckOperationsTimeout(modelOf(false), history, checkPatience), describe(history))
		})
	}
}
