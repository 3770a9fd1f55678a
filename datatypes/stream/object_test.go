package stream

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/listpack"
)

// large returns a stream of n entries with IDs from 1-0 and a group to which all of them were delivered.
func large(t testing.TB, n uint64) (*Stream, *Group) {
	s := newStream(t)
	g := s.CreateGroup([]byte("g"), ID{}, 0)
	cs := []*Consumer{g.CreateConsumer([]byte("c"), 0), g.CreateConsumer([]byte("d"), 0)}
	for i := uint64(1); i <= n; i++ {
		require.NoError(t, s.Append(ID{i, 0}, args("field", "value"), defaults))
		g.Put(Pending{ID{i, 0}, cs[i%2], int64(i), 1})
	}
	return s, g
}

// TestFreezeSharesMemory: a view costs nothing, and the writes under it a block and a path each.
func TestFreezeSharesMemory(t *testing.T) {
	s, g := large(t, 20_000)
	before := s.Bytes()
	v := s.Freeze()
	require.Less(t, s.Bytes()-before, int64(2000))
	require.NoError(t, s.Append(ID{60_000, 0}, args("field", "value"), defaults))
	require.True(t, s.Delete(ID{10_000, 0}))
	require.True(t, g.Remove(ID{10_000, 0}))
	require.Less(t, s.Bytes()-before, int64(40_000))
	blocks := 0
	require.True(t, v.Stream().Has(ID{10_000, 0}))
	require.NoError(t, v.Stream().check())
	for more := true; more; {
		n := 0
		more = v.Step(7, func(first ID, lp []byte) {
			_, _, err := ValidateBlock(first, lp)
			require.NoError(t, err)
			n++
		})
		require.LessOrEqual(t, n, 7)
		blocks += n
		require.NoError(t, s.Append(ID{s.LastID().Ms + 1, 0}, args("field", "value"), defaults))
		s.Trim(TrimOptions{MaxLen: 1000})
	}
	require.Equal(t, 200, blocks)
	require.Equal(t, 20_000, v.Stream().Len())
	require.Equal(t, 20_000, v.Stream().GroupAt(0).Pending())
	require.NoError(t, v.Stream().GroupAt(0).check(new(int64)))
	v.End()
	require.NoError(t, s.check())
	require.Equal(t, s.a.Used()+s.a.Charged(), s.Bytes())
	require.Less(t, s.Bytes(), before)
}

// TestViewOutlivesFree: what a view needs stays when the stream is freed.
func TestViewOutlivesFree(t *testing.T) {
	s, _ := large(t, 1000)
	v := s.Freeze()
	s.Free()
	n := 0
	for it := v.Stream().Range(ID{}, MaxID); it.Next(); n++ {
	}
	require.Equal(t, 1000, n)
	require.Equal(t, 1000, v.Stream().GroupAt(0).Pending())
	v.End()
	require.Zero(t, s.a.Used())
	require.Zero(t, s.a.Charged())
}

func TestWriteToView(t *testing.T) {
	s, _ := large(t, 10)
	v := s.Freeze()
	defer v.End()
	require.Panics(t, func() { v.Stream().Delete(ID{5, 0}) })
}

// TestCompactGivesMemoryBack: other streams in the arena went, this one moves together.
func TestCompactGivesMemoryBack(t *testing.T) {
	a := arena.New()
	defer a.Release()
	r := rand.New(rand.NewPCG(1, 2))
	var streams []*Stream
	for range 100 {
		s := New(a)
		g := s.CreateGroup([]byte("g"), ID{}, 0)
		c := g.CreateConsumer([]byte("c"), 0)
		streams = append(streams, s)
		for i := range uint64(100 + r.IntN(900)) {
			require.NoError(t, s.Append(ID{i + 1, 0}, args("field", texts[r.IntN(len(texts))]), defaults))
			g.Put(Pending{ID{i + 1, 0}, c, int64(i), 1})
		}
	}
	var kept []*Stream
	for i, s := range streams {
		if i%10 == 0 {
			kept = append(kept, s)
			continue
		}
		s.Free()
	}
	before := a.Wasted()
	require.True(t, a.BeginCompact())
	for _, s := range kept {
		calls := 0
		for pos, more := s.Compact(0, 16); more; pos, more = s.Compact(pos, 16) {
			calls++
			require.Less(t, calls, 1000)
		}
		require.NoError(t, s.check())
	}
	a.EndCompact()
	require.Less(t, a.Wasted(), before/2)
}

// TestCompactWaitsForViews: a view has places that must not move.
func TestCompactWaitsForViews(t *testing.T) {
	s, _ := large(t, 1000)
	v := s.Freeze()
	_, more := s.Compact(0, 100)
	require.False(t, more)
	v.End()
}

func TestLoadBlockOrder(t *testing.T) {
	s, _ := large(t, 1000)
	var firsts []ID
	var blocks [][]byte
	s.EachBlock(ID{}, func(first ID, lp []byte) bool {
		firsts, blocks = append(firsts, first), append(blocks, lp)
		return true
	})
	l := newStream(t)
	require.ErrorIs(t, l.LoadBlock(ID{}, blocks[0]), ErrCorrupt)
	require.NoError(t, l.LoadBlock(firsts[1], blocks[1]))
	require.ErrorIs(t, l.LoadBlock(firsts[1], blocks[1]), ErrCorrupt)
	require.ErrorIs(t, l.LoadBlock(firsts[0], blocks[0]), ErrCorrupt)
	require.Equal(t, firsts[1], l.FirstID())
	require.NoError(t, l.LoadBlock(firsts[2], blocks[2]))
	require.Equal(t, 200, l.Len())
	require.NoError(t, l.check())
	require.NoError(t, l.Append(ID{5000, 0}, args("a", "b"), defaults))
	require.NoError(t, l.check())
}

// TestValidateBlock: what is wrong with a block is found.
func TestValidateBlock(t *testing.T) {
	valid := func() []any { return []any{2, 1, 1, "f", 0, 2, 0, 0, "a", 4, 3, 0, 1, "b", 4, 0, 5, 0, 1, "g", "c", 6} }
	first := ID{10, 1}
	for _, c := range []struct {
		name  string
		edit  func(b []any) []any
		valid bool
	}{
		{"as it is", func(b []any) []any { return b }, true},
		{"nothing deleted", func(b []any) []any { b[0], b[1], b[10] = 3, 0, 2; return b }, true},
		{"all deleted", func(b []any) []any { b[0], b[1], b[5], b[15] = 0, 3, 3, 1; return b }, true},
		{"empty", func(b []any) []any { return nil }, false},
		{"no entries", func(b []any) []any { b[0], b[1] = 0, 0; return b[:5] }, false},
		{"header alone", func(b []any) []any { return b[:3] }, false},
		{"too many entries", func(b []any) []any { b[0] = 3; return b }, false},
		{"too few deleted", func(b []any) []any { b[1] = 0; return b }, false},
		{"negative counts", func(b []any) []any { b[0], b[1] = 4, -1; return b }, false},
		{"text for a count", func(b []any) []any { b[0] = "x"; return b }, false},
		{"negative fields", func(b []any) []any { b[2] = -1; return b }, false},
		{"many fields", func(b []any) []any { b[2] = 1 << 40; return b }, false},
		{"field names without end", func(b []any) []any { b[4] = 1; return b }, false},
		{"unknown flag", func(b []any) []any { b[5] = 6; return b }, false},
		{"negative flags", func(b []any) []any { b[5] = -2; return b }, false},
		{"text for flags", func(b []any) []any { b[5] = "x"; return b }, false},
		{"text for milliseconds", func(b []any) []any { b[6] = "x"; return b }, false},
		{"IDs the same", func(b []any) []any { b[12] = 0; return b }, false},
		{"IDs descend", func(b []any) []any { b[16] = 0; return b }, false},
		{"ID below the first", func(b []any) []any { b[7] = -1; return b }, false},
		{"wrong length", func(b []any) []any { b[9] = 5; return b }, false},
		{"wrong length with fields", func(b []any) []any { b[21] = 4; return b }, false},
		{"fields missing", func(b []any) []any { b[18] = 9; return b }, false},
		{"negative fields of an entry", func(b []any) []any { b[18] = -1; return b }, false},
		{"cut short", func(b []any) []any { return b[:20] }, false},
		{"something behind", func(b []any) []any { return append(b, 1) }, false},
	} {
		lp := listpack.New()
		for _, e := range c.edit(valid()) {
			if n, ok := e.(int); ok {
				lp = listpack.AppendInt(lp, int64(n))
			} else {
				lp = listpack.Append(lp, []byte(e.(string)))
			}
		}
		last, entries, err := ValidateBlock(first, lp)
		if !c.valid {
			require.ErrorIs(t, err, ErrCorrupt, c.name)
			require.ErrorIs(t, newStream(t).LoadBlock(first, lp), ErrCorrupt, c.name)
			continue
		}
		require.NoError(t, err, c.name)
		require.Equal(t, ID{15, 1}, last)
		s := newStream(t)
		require.NoError(t, s.LoadBlock(first, lp))
		require.EqualValues(t, entries, s.Len())
		require.NoError(t, s.check())
	}
	_, _, err := ValidateBlock(first, []byte("junk"))
	require.ErrorIs(t, err, listpack.ErrCorrupt)
	_, _, err = ValidateBlock(MaxID, blockOf("a", "b"))
	require.NoError(t, err)
}

// blockOf returns a block with one entry.
func blockOf(fields ...string) []byte {
	return appendEntry(appendHeader(nil, args(fields...)), MaxID, MaxID, args(fields...), true)
}

// TestLargeTexts: blocks without a limit grow as far as they have to.
func TestLargeTexts(t *testing.T) {
	s := newStream(t)
	var want []modelEntry
	for i := range 40 {
		e := modelEntry{ID{uint64(i) + 1, 0}, []string{strings.Repeat("f", i*40), strings.Repeat("v", i*i*40)}}
		want = append(want, e)
		require.NoError(t, s.Append(e.id, args(e.fields...), Limits{}))
	}
	require.Equal(t, 1, s.Blocks())
	i := 0
	for it := s.Range(ID{}, MaxID); it.Next(); i++ {
		require.Equal(t, want[i], read(&it))
	}
	require.Equal(t, len(want), i)
	require.NoError(t, s.check())
}

func TestPendingEnds(t *testing.T) {
	s := newStream(t)
	g := s.CreateGroup([]byte("g"), ID{}, 0)
	_, ok := g.FirstPending()
	require.False(t, ok)
	_, ok = g.LastPending()
	require.False(t, ok)
	c := g.CreateConsumer([]byte("c"), 7)
	require.EqualValues(t, 7, c.SeenMs())
	c.SetSeenMs(8)
	c.SetActiveMs(9)
	require.EqualValues(t, 8, c.SeenMs())
	require.EqualValues(t, 9, c.ActiveMs())
	for i := range uint64(1000) {
		g.Put(Pending{ID{i + 5, i}, c, 1, 1})
	}
	first, ok := g.FirstPending()
	require.True(t, ok)
	require.Equal(t, ID{5, 0}, first)
	last, ok := g.LastPending()
	require.True(t, ok)
	require.Equal(t, ID{1004, 999}, last)
	require.Equal(t, 1000, c.Pending())
	for i := range uint64(1000) {
		require.True(t, g.Remove(ID{i + 5, i}))
	}
	require.NoError(t, s.check())
	require.Zero(t, s.a.Used())
}
