package stream

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// readNew delivers up to n new entries to the group.
func readNew(g *Group, n int) {
	from, _ := g.LastID().Next()
	for it := g.s.Range(from, MaxID); n > 0 && it.Next(); n-- {
		g.Advance(it.ID())
	}
}

func requireGroup(t *testing.T, g *Group, last ID, reads, lag int64) {
	t.Helper()
	require.Equal(t, last, g.LastID())
	require.Equal(t, reads, g.EntriesRead())
	got, ok := g.Lag()
	if !ok {
		got = -1
	}
	require.Equal(t, lag, got)
}

func fill(t *testing.T, s *Stream, from, to uint64) {
	for i := from; i <= to; i++ {
		require.NoError(t, s.Append(ID{i, 0}, args("a", "b"), defaults))
	}
}

// TestLag: lag -1 stands for one that cannot be told.
func TestLag(t *testing.T) {
	t.Run("nothing deleted", func(t *testing.T) {
		s := newStream(t)
		g := s.CreateGroup([]byte("g"), ID{}, 0)
		requireGroup(t, g, ID{}, 0, 0)
		fill(t, s, 1, 5)
		requireGroup(t, g, ID{}, 0, 5)
		readNew(g, 2)
		requireGroup(t, g, ID{2, 0}, 2, 3)
		g.Advance(ID{1, 0})
		requireGroup(t, g, ID{2, 0}, 2, 3)
		readNew(g, 9)
		requireGroup(t, g, ID{5, 0}, 5, 0)
	})
	t.Run("counter not known", func(t *testing.T) {
		s := newStream(t)
		fill(t, s, 1, 5)
		requireGroup(t, s.CreateGroup([]byte("start"), ID{}, UnknownReads), ID{}, UnknownReads, 5)
		requireGroup(t, s.CreateGroup([]byte("first"), ID{1, 0}, UnknownReads), ID{1, 0}, UnknownReads, 4)
		requireGroup(t, s.CreateGroup([]byte("middle"), ID{3, 0}, UnknownReads), ID{3, 0}, UnknownReads, -1)
		requireGroup(t, s.CreateGroup([]byte("last"), ID{5, 0}, UnknownReads), ID{5, 0}, UnknownReads, 0)
		requireGroup(t, s.CreateGroup([]byte("beyond"), ID{9, 0}, UnknownReads), ID{9, 0}, UnknownReads, -1)
		g := s.Group([]byte("middle"))
		readNew(g, 1)
		requireGroup(t, g, ID{4, 0}, UnknownReads, -1)
		readNew(g, 1)
		requireGroup(t, g, ID{5, 0}, 5, 0)
		g.SetLastID(ID{2, 0})
		g.SetEntriesRead(2)
		requireGroup(t, g, ID{2, 0}, 2, 3)
	})
	t.Run("gap ahead", func(t *testing.T) {
		s := newStream(t)
		g := s.CreateGroup([]byte("g"), ID{}, 0)
		fill(t, s, 1, 5)
		readNew(g, 2)
		s.Delete(ID{4, 0})
		requireGroup(t, g, ID{2, 0}, 2, -1)
		readNew(g, 1)
		requireGroup(t, g, ID{3, 0}, UnknownReads, -1)
		readNew(g, 1)
		requireGroup(t, g, ID{5, 0}, 5, 0)
	})
	t.Run("gap behind", func(t *testing.T) {
		s := newStream(t)
		g := s.CreateGroup([]byte("g"), ID{}, 0)
		fill(t, s, 1, 5)
		readNew(g, 3)
		s.Delete(ID{2, 0})
		requireGroup(t, g, ID{3, 0}, 3, 2)
		readNew(g, 1)
		requireGroup(t, g, ID{4, 0}, 4, 1)
	})
	t.Run("tombstone between group and first entry", func(t *testing.T) {
		s := newStream(t)
		g := s.CreateGroup([]byte("g"), ID{}, 0)
		fill(t, s, 1, 1)
		readNew(g, 1)
		fill(t, s, 2, 3)
		s.Delete(ID{1, 0})
		s.Delete(ID{2, 0})
		requireGroup(t, g, ID{1, 0}, 1, 1)
		s.Delete(ID{3, 0})
		requireGroup(t, g, ID{1, 0}, 1, 0)
	})
	t.Run("trimmed ahead of the group", func(t *testing.T) {
		s := newStream(t)
		g := s.CreateGroup([]byte("g"), ID{}, 0)
		fill(t, s, 1, 5)
		readNew(g, 1)
		require.EqualValues(t, 4, s.Trim(TrimOptions{MaxLen: 1}))
		requireGroup(t, g, ID{1, 0}, 1, 1)
		readNew(g, 1)
		requireGroup(t, g, ID{5, 0}, 5, 0)
	})
	t.Run("emptied", func(t *testing.T) {
		s := newStream(t)
		fill(t, s, 1, 5)
		g := s.CreateGroup([]byte("g"), ID{2, 0}, 2)
		s.Trim(TrimOptions{})
		requireGroup(t, g, ID{2, 0}, 2, 0)
		require.EqualValues(t, 5, s.EstimateReads(ID{2, 0}))
		require.EqualValues(t, UnknownReads, s.EstimateReads(ID{6, 0}))
	})
}

func TestHasGap(t *testing.T) {
	s := newStream(t)
	require.False(t, s.HasGap(ID{}, MaxID))
	fill(t, s, 1, 5)
	require.False(t, s.HasGap(ID{}, MaxID))
	s.Delete(ID{3, 0})
	require.True(t, s.HasGap(ID{}, MaxID))
	require.True(t, s.HasGap(ID{3, 0}, ID{3, 0}))
	require.False(t, s.HasGap(ID{3, 1}, MaxID))
	require.False(t, s.HasGap(ID{}, ID{2, 9}))
	s.Trim(TrimOptions{MaxLen: 2})
	require.False(t, s.HasGap(ID{}, MaxID))
}

func TestRadixNodesOfNothing(t *testing.T) {
	s := newStream(t)
	require.Equal(t, 1, s.RadixNodes())
	fill(t, s, 1, 1)
	require.Equal(t, 2, s.RadixNodes())
}

func TestDefaultTrimLimit(t *testing.T) {
	require.EqualValues(t, 10_000, DefaultTrimLimit(Limits{}))
	require.EqualValues(t, 10_000, DefaultTrimLimit(defaults))
	require.EqualValues(t, 300, DefaultTrimLimit(Limits{NodeMaxEntries: 3}))
	require.EqualValues(t, 1_000_000, DefaultTrimLimit(Limits{NodeMaxEntries: 20_000}))
	require.EqualValues(t, 1_000_000, DefaultTrimLimit(Limits{NodeMaxEntries: 1 << 60}))
}
