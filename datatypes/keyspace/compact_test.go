package keyspace

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/invariants"
)

func compactValue(i int) string {
	if i%5 == 0 {
		return fmt.Sprint(i)
	}
	return strings.Repeat(fmt.Sprintf("<%d>", i), 1+i%17)
}

// TestCompactGivesMemoryBack deletes nine keys in ten, chosen so that nearly every slab keeps a few, and lets maintenance run.
func TestCompactGivesMemoryBack(t *testing.T) {
	keys := 300_000
	if invariants.Enabled {
		keys = 150_000
	}
	s, _ := newExpiryShard(11)
	defer s.Release()
	db := s.DB(0)
	at := func(i int) int64 {
		if i%3 == 0 {
			return s.NowMs + 1000 + int64(i)
		}
		return NoTTL
	}
	name := func(i int) []byte { return fmt.Appendf(nil, "object:%07d", i) }
	for i := range keys {
		db.SetString(MakeKey(name(i)), []byte(compactValue(i)), at(i))
	}
	before := s.MappedBytes()
	used := s.UsedBytes()
	rnd := rand.New(rand.NewPCG(12, 12))
	left := make(map[int]bool)
	for i := range keys {
		if rnd.IntN(10) == 0 {
			left[i] = true
			continue
		}
		require.True(t, db.Delete(MakeKey(name(i))))
	}
	require.Less(t, s.UsedBytes(), used/4)

	steps, idle := 0, 0
	for idle < 100 { // giving memory back is bounded per call too
		idle++
		if db.Maintain(500) {
			idle = 0
		}
		steps++
		require.Less(t, steps, 100_000)
	}
	t.Logf("mapped %d KiB, after %d steps %d KiB, used %d KiB", before>>10, steps, s.MappedBytes()>>10, s.UsedBytes()>>10)
	require.Less(t, s.MappedBytes(), before*3/10)
	require.Equal(t, len(left), db.Len())
	for i := range left {
		e, ok := db.LookupRead(MakeKey(name(i)))
		require.True(t, ok)
		require.Equal(t, compactValue(i), string(e.Bytes(make([]byte, 0, 20))))
		require.Equal(t, at(i), e.ExpireAtMs())
	}
	s.NowMs += 1000 + int64(keys)
	for db.ExpireDue(1000) {
	}
	for i := range left {
		require.Equal(t, i%3 != 0, db.Exists(MakeKey(name(i))))
	}
}

// TestCompactUnderChange lets commands run between the steps of a compaction.
func TestCompactUnderChange(t *testing.T) {
	s, _ := newExpiryShard(13)
	defer s.Release()
	rnd := rand.New(rand.NewPCG(14, 14))
	db := s.DB(0)
	model := make(map[string]string)
	set := func(name, value string) {
		db.SetString(MakeKey([]byte(name)), []byte(value), NoTTL)
		model[name] = value
	}
	compacted := 0
	for round := range 4 {
		for i := range 40_000 {
			set(fmt.Sprintf("%d:%d", round, i), compactValue(i))
		}
		for name := range model {
			if rnd.IntN(10) != 0 {
				require.True(t, db.Delete(MakeKey([]byte(name))))
				delete(model, name)
			}
		}
		for step := 0; db.Maintain(100); step++ {
			compacted++
			for range 5 {
				name := fmt.Sprintf("%d:%d", rnd.IntN(round+1), rnd.IntN(40_000))
				k := MakeKey([]byte(name))
				switch rnd.IntN(4) {
				case 0:
					set(name, compactValue(rnd.IntN(1000)))
				case 1:
					_, there := model[name]
					require.Equal(t, there, db.Delete(k))
					delete(model, name)
				case 2:
					if was, there := model[name]; there {
						v := db.Grow(k, len(was)+3)
						copy(v[len(was):], "end")
						model[name] = was + "end"
					}
				case 3:
					e, ok := db.LookupRead(k)
					want, there := model[name]
					require.Equal(t, there, ok)
					if there {
						require.Equal(t, want, string(e.Bytes(make([]byte, 0, 20))))
					}
				}
			}
			require.Less(t, step, 100_000)
		}
	}
	require.NotZero(t, compacted, "nothing was compacted")
	require.Equal(t, len(model), db.Len())
	for name, want := range model {
		e, ok := db.LookupRead(MakeKey([]byte(name)))
		require.True(t, ok)
		require.Equal(t, want, string(e.Bytes(make([]byte, 0, 20))))
	}
}

// TestCompactWaitsForCut: while a cut is under way no record moves; afterwards compaction goes on where it was.
func TestCompactWaitsForCut(t *testing.T) {
	s, _ := newExpiryShard(15)
	defer s.Release()
	db := s.DB(0)
	for i := range 60_000 {
		db.SetString(MakeKey(fmt.Appendf(nil, "k%d", i)), []byte(compactValue(i)), NoTTL)
	}
	for i := range 60_000 {
		if i%10 != 0 {
			db.Delete(MakeKey(fmt.Appendf(nil, "k%d", i)))
		}
	}
	require.True(t, db.Maintain(100))
	require.True(t, db.compacting)
	seen := 0
	cut := db.BeginCut(func(Entry) { seen++ })
	for cut.Step(100) {
		pos := db.compactPos
		require.False(t, db.Maintain(100))
		require.Equal(t, pos, db.compactPos)
	}
	require.Equal(t, 6000, seen)
	for db.Maintain(100) {
	}
	require.False(t, db.compacting)
	require.Equal(t, 6000, db.Len())
}

// TestUsedBytesExact: what is in use is records, table and index, nothing twice, and all of it goes with the keys.
func TestUsedBytesExact(t *testing.T) {
	s, _ := newExpiryShard(16)
	defer s.Release()
	db := s.DB(0)
	records := int64(0)
	for i := range 5000 {
		k := MakeKey(fmt.Appendf(nil, "k%d", i))
		db.SetString(k, []byte(compactValue(i)), NoTTL)
		e, _ := db.LookupRead(k)
		records += int64(db.RecordBytes(e))
	}
	require.Equal(t, records+db.TableBytes(), s.UsedBytes())
	for i := range 5000 {
		db.Delete(MakeKey(fmt.Appendf(nil, "k%d", i)))
	}
	require.Less(t, s.UsedBytes(), int64(1000))
}

// TestExpiredMemoryGivenBack: when all keys have expired, neither they nor their deadlines hold memory any more.
func TestExpiredMemoryGivenBack(t *testing.T) {
	s, _ := newExpiryShard(17)
	defer s.Release()
	s.Observer = nil
	db := s.DB(0)
	for i := range 100_000 {
		db.SetString(MakeKey(fmt.Appendf(nil, "session:%d", i)), []byte("value"), s.NowMs+1000+int64(i)*7)
	}
	before := s.MappedBytes()
	s.NowMs += 1_000_000
	for db.ExpireDue(1000) {
	}
	require.Zero(t, db.Len())
	for range 100 {
		db.Maintain(1000)
	}
	require.Less(t, s.MappedBytes(), before/20)
	require.Less(t, s.UsedBytes(), int64(10_000))
}
