package command

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// wordsOf returns a reader of these words.
func wordsOf(list ...string) words {
	var w words
	for _, s := range list {
		w.rest = append(w.rest, []byte(s))
	}
	return w
}

func TestWords(t *testing.T) {
	w := wordsOf("count", "10", "SCORE", "-1.5", "Limit", "5", "rest")
	require.True(t, w.has("COUNT", 1))
	require.EqualValues(t, 10, w.int())
	require.False(t, w.is("scores"))
	require.True(t, w.is("score"))
	require.Equal(t, -1.5, w.float())
	require.False(t, w.has("LIMIT", 3))
	require.True(t, w.has("LIMIT", 2))
	require.EqualValues(t, 5, w.intIn(1, 5, "ERR no"))
	require.Equal(t, "rest", string(w.next()))
	require.False(t, w.more())
	require.Empty(t, w.err)
	require.Nil(t, w.next())
	require.Equal(t, MsgSyntax, w.err)
}

func TestWordsLatchTheFirstMistake(t *testing.T) {
	for _, c := range []struct {
		name string
		read func(*words)
		want string
	}{
		{"int", func(w *words) { w.int() }, MsgNotInt},
		{"float", func(w *words) { w.float() }, MsgNotFloat},
		{"no number for a range", func(w *words) { w.intIn(0, 1, "ERR a") }, "ERR a"},
		{"below a range", func(w *words) { w.next(); w.intIn(8, 9, "ERR a") }, "ERR a"},
		{"above a range", func(w *words) { w.next(); w.intIn(5, 6, "ERR a") }, "ERR a"},
		{"own", func(w *words) { w.fail("ERR own") }, "ERR own"},
		{"end", func(w *words) { w.next(); w.next(); w.int() }, MsgSyntax},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := wordsOf("x", "7")
			c.read(&w)
			require.Equal(t, c.want, w.err)
			left := len(w.rest)
			require.Zero(t, w.int())
			require.Zero(t, w.float())
			require.Zero(t, w.intIn(0, 100, "ERR other"))
			require.False(t, w.is("7"))
			require.False(t, w.more())
			w.syntax()
			require.Equal(t, c.want, w.err, "the first mistake stays")
			require.Len(t, w.rest, left)
		})
	}
}

func TestClampRange(t *testing.T) {
	for _, c := range []struct{ first, last, total, wantFirst, wantLast int64 }{
		{0, -1, 10, 0, 9},
		{-3, -1, 10, 7, 9},
		{2, 100, 10, 2, 9},
		{-100, 2, 10, 0, 2},
		{math.MinInt64, math.MaxInt64, 10, 0, 9},
		{5, 3, 10, 5, 3},
		{-1, -2, 10, 9, 8},
		{-4, -100, 3, 0, 0},
		{0, -100, 10, 0, 0},
		{0, -1, 0, 0, -1},
		{10, 20, 10, 10, 9},
	} {
		first, last := clampRange(c.first, c.last, c.total)
		require.Equal(t, [2]int64{c.wantFirst, c.wantLast}, [2]int64{first, last}, "%+v", c)
	}
}
