package arena

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/invariants"
)

func newArena(t testing.TB) *Arena {
	a := New()
	t.Cleanup(a.Release)
	return a
}

// steps scales a test: self-checks and the race detector make a step about twenty times as expensive.
func steps(n int) int {
	if invariants.Enabled || testing.Short() {
		return n / 20
	}
	return n
}

func TestClassesCoverAllSizes(t *testing.T) {
	for size := 0; size <= maxSmall; size++ {
		c := classOf(size)
		got := int(classSize(int(c)))
		require.GreaterOrEqual(t, got, size)
		if c > 0 {
			require.Less(t, int(classSize(int(c-1))), size, "size %d has a smaller class", size)
		}
		switch {
		case size <= minSize:
		case size <= fineMax:
			require.LessOrEqual(t, got-size, 3)
		case size <= mediumMax:
			require.LessOrEqual(t, got-size, 7)
		default:
			require.LessOrEqual(t, got-size, size/8)
		}
	}
	require.Equal(t, nSmall-1, int(classOf(maxSmall)))
	require.Equal(t, uint32(maxSmall), classSize(nSmall-1))
}

func TestHeaderIsOneCacheLine(t *testing.T) {
	require.EqualValues(t, 64, unsafe.Sizeof(slab{}))
}

func TestSizeOfIsUsable(t *testing.T) {
	a := newArena(t)
	for _, size := range []int{0, 1, 8, 9, 56, 64, 65, 128, 129, 4096, 16384, 16385, 65536, 65537, 1 << 20, 1<<20 + 1, 5<<20 + 77} {
		r := a.Alloc(size)
		n := a.SizeOf(r)
		require.GreaterOrEqual(t, n, size)
		if size > maxSmall {
			require.Less(t, n-size, pageSize)
		}
		b := r.Bytes(n)
		b[0], b[n-1] = 1, 2
		require.EqualValues(t, n, a.Used())
		a.check()
		a.Free(r)
		require.Zero(t, a.Used())
		a.check()
	}
}

func TestEmptyArenaHoldsNothing(t *testing.T) {
	a := newArena(t)
	require.Zero(t, a.Mapped())
	r := a.Alloc(20)
	require.EqualValues(t, 2*pageSize, a.Mapped(), "a header page and a page of objects")
	a.Free(r)
	a.Trim()
	require.Zero(t, a.Mapped())
	require.Zero(t, a.Wasted())
	a.check()
}

// object is what the model knows about a live object.
type object struct {
	r    Ref
	size int
	tag  byte
}

func (o object) fill() {
	b := o.r.Bytes(o.size)
	if len(b) == 0 {
		return
	}
	b[0], b[len(b)/2], b[len(b)-1] = o.tag, o.tag, o.tag
}

func (o object) verify(t *testing.T) {
	b := o.r.Bytes(o.size)
	if len(b) > 0 && (b[0] != o.tag || b[len(b)/2] != o.tag || b[len(b)-1] != o.tag) {
		t.Fatalf("object %#x of %d bytes was overwritten", uint64(o.r), o.size)
	}
}

func randomSize(rnd *rand.Rand) int {
	switch p := rnd.IntN(1000); {
	case p < 800:
		return rnd.IntN(200)
	case p < 980:
		return rnd.IntN(5000)
	case p < 996:
		return rnd.IntN(40 << 10)
	case p < 999:
		return rnd.IntN(300 << 10)
	default:
		return rnd.IntN(3 << 20)
	}
}

func TestRandomOperations(t *testing.T) {
	for _, reaped := range []bool{false, true} {
		rnd := rand.New(rand.NewPCG(1, 2))
		a := newArena(t)
		if reaped {
			a.SetReaper(func(f func()) { f() })
		}
		var live []object
		used := int64(0)
		grow := 55 // percent of allocations, changed now and then so that the arena grows and shrinks
		for step := range steps(1_000_000) {
			if step%50_000 == 0 {
				grow = []int{60, 35, 65, 20}[step/50_000%4]
			}
			switch p := rnd.IntN(100); {
			case p < grow:
				o := object{size: randomSize(rnd), tag: byte(rnd.Uint32())}
				o.r = a.Alloc(o.size)
				o.fill()
				used += int64(a.SizeOf(o.r))
				live = append(live, o)
			case len(live) > 0:
				i := rnd.IntN(len(live))
				o := live[i]
				o.verify(t)
				used -= int64(a.SizeOf(o.r))
				a.Free(o.r)
				live[i] = live[len(live)-1]
				live = live[:len(live)-1]
			}
			if step%500 == 0 {
				a.Trim()
			}
			if step%20_011 == 0 {
				a.check()
				if a.BeginCompact() {
					a.check()
					for i, o := range live {
						if rnd.IntN(10) > 0 && a.ShouldMove(o.r) {
							n := o
							n.r = a.Alloc(o.size)
							require.False(t, a.ShouldMove(n.r))
							copy(n.r.Bytes(n.size), o.r.Bytes(o.size))
							a.Free(o.r)
							live[i] = n
						}
					}
					a.check()
					a.EndCompact()
				}
				a.check()
			}
			if a.Used() != used {
				t.Fatalf("step %d: used %d, want %d", step, a.Used(), used)
			}
		}
		for _, o := range live {
			o.verify(t)
			a.Free(o.r)
		}
		a.check()
		for range 1000 {
			a.Trim()
		}
		a.check()
		require.Zero(t, a.Mapped())
	}
}

func TestCompactionGivesMemoryBack(t *testing.T) {
	n := steps(1_000_000)
	rnd := rand.New(rand.NewPCG(3, 4))
	a := newArena(t)
	refs := make([]Ref, n)
	for i := range refs {
		refs[i] = a.Alloc(48 + rnd.IntN(17))
	}
	full := a.Mapped()
	require.False(t, a.BeginCompact(), "nothing to gain")
	rnd.Shuffle(n, func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
	for _, r := range refs[n/10:] {
		a.Free(r)
	}
	refs = refs[:n/10]
	trim(a)
	require.Greater(t, a.Mapped(), full*9/10, "nearly all slabs still hold something")
	require.Greater(t, a.Wasted(), full*8/10)

	require.True(t, a.BeginCompact())
	peak := a.Mapped()
	for i, r := range refs {
		if a.ShouldMove(r) {
			refs[i] = a.Alloc(a.SizeOf(r))
			a.Free(r)
		}
	}
	a.EndCompact()
	a.check()
	require.LessOrEqual(t, a.Mapped(), peak+slabSize, "moving needs no memory")
	trim(a)
	a.check()
	t.Logf("mapped %d before, %d after compaction; used %d, wasted %d", full, a.Mapped(), a.Used(), a.Wasted())
	if !invariants.Enabled && !testing.Short() {
		require.Less(t, a.Mapped(), full*15/100)
	}
}

// trim calls Trim until it has nothing left to do.
func trim(a *Arena) {
	for before := int64(-1); before != a.Mapped(); {
		before = a.Mapped()
		a.Trim()
	}
}

func TestEndCompactKeepsUnmovedObjects(t *testing.T) {
	a := newArena(t)
	var refs []Ref
	for range 20_000 {
		refs = append(refs, a.Alloc(100))
	}
	for i, r := range refs {
		if i%5 != 0 {
			a.Free(r)
		}
	}
	require.True(t, a.BeginCompact())
	a.check()
	a.EndCompact()
	a.check()
	used := a.Used()
	for range 10_000 { // all fit into the holes
		a.Alloc(100)
	}
	a.check()
	require.EqualValues(t, used+10_000*int64(a.SizeOf(refs[0])), a.Used())
	require.Less(t, a.Wasted(), a.Mapped()/3+slabSize)
}

func TestTrimIsBounded(t *testing.T) {
	a := newArena(t)
	big := a.Alloc(100 << 20)
	var refs []Ref
	for range 100 << 20 / 16384 {
		refs = append(refs, a.Alloc(16384))
	}
	a.Free(big)
	for _, r := range refs {
		a.Free(r)
	}
	a.check()
	for calls := 0; a.Mapped() > 0; calls++ {
		before := a.Mapped()
		a.Trim()
		a.check()
		require.Less(t, before-a.Mapped(), int64(trimBytes+chunkSize+slabSize))
		require.Less(t, calls, 200)
	}
}

func TestTrimKeepsACache(t *testing.T) {
	a := newArena(t)
	for range 40 << 20 / 1024 {
		a.Alloc(1024)
	}
	r := a.Alloc(512 << 10)
	a.Free(r)
	mapped := a.Mapped()
	a.Trim()
	require.Equal(t, mapped, a.Mapped(), "half a megabyte beside forty is kept for reuse")
	require.Equal(t, r, a.Alloc(512<<10))
}

func TestFreedMappingIsReused(t *testing.T) {
	a := newArena(t)
	r := a.Alloc(3 << 20)
	a.Free(r)
	a.check()
	require.Equal(t, r, a.Alloc(3<<20-100<<10))
	a.check()
	a.Free(r)
	require.NotEqual(t, r, a.Alloc(2<<20))
	a.check()
}

func TestReaperGetsLargeMappings(t *testing.T) {
	a := newArena(t)
	var work []func()
	a.SetReaper(func(f func()) { work = append(work, f) })
	r := a.Alloc(64 << 20)
	a.Free(r)
	require.Len(t, work, 1)
	require.Zero(t, a.Mapped())
	a.check()
	for _, f := range work {
		f()
	}
}

func TestShrunkRunGivesItsTailBack(t *testing.T) {
	a := newArena(t)
	r := a.Alloc(64 << 10)
	a.Free(r)
	s := a.Alloc(20 << 10)
	require.Equal(t, r, s)
	require.EqualValues(t, 20<<10+pageSize, a.Mapped())
	a.check()
}

func TestReleaseEmptiesTheArena(t *testing.T) {
	a := New()
	for _, size := range []int{10, 1000, 100_000, 10_000_000} {
		a.Alloc(size)
		a.Free(a.Alloc(size))
	}
	a.Release()
	require.Zero(t, a.Mapped()+a.Used()+a.Idle()+a.Wasted())
	require.NotZero(t, a.Alloc(10), "it can be used again")
	a.Release()
}

func TestMisuseIsFound(t *testing.T) {
	if !invariants.Enabled {
		t.Skip("needs the race detector or -tags invariants")
	}
	a, b := newArena(t), newArena(t)
	r := a.Alloc(100)
	keep := a.Alloc(100)
	a.Free(r)
	require.Equal(t, byte(scribble), r.Bytes(100)[50])
	require.Panics(t, func() { a.Free(r) }, "double free")
	require.Panics(t, func() { a.Free(keep + 4) }, "inside an object")
	b.Alloc(100)
	require.Panics(t, func() { b.Free(keep) }, "another arena")
	for _, size := range []int{100 << 10, 2 << 20} {
		large := a.Alloc(size)
		a.Free(large)
		require.Panics(t, func() { a.Free(large) }, "double free of %d", size)
	}
}

func TestNoGoAllocations(t *testing.T) {
	a := newArena(t)
	for _, size := range []int{24, 200, 9000, 100 << 10} {
		a.Free(a.Alloc(size))
		require.Zero(t, testing.AllocsPerRun(1000, func() { a.Free(a.Alloc(size)) }), "size %d", size)
	}
}

func TestRuns(t *testing.T) {
	require.EqualValues(t, 0b1011, runs(0b1011, 1))
	require.EqualValues(t, 0b0001_0000, runs(0b0111_0011, 3))
	require.EqualValues(t, 0, runs(0b0111_0011, 4))
	require.EqualValues(t, 2, runs(allFree, 63))
	require.EqualValues(t, 0, runs(allFree, 64))
}

func TestBitset(t *testing.T) {
	var b bitset
	require.Equal(t, -1, b.first())
	require.Equal(t, -1, b.last(100))
	for _, i := range []int{3, 64, 200} {
		b.put(i, true)
	}
	require.Equal(t, 3, b.first())
	require.Equal(t, 64, b.from(4))
	require.Equal(t, 200, b.from(65))
	require.Equal(t, -1, b.from(201))
	require.Equal(t, 200, b.last(5000))
	require.Equal(t, 64, b.last(199))
	require.Equal(t, 3, b.last(63))
	require.Equal(t, -1, b.last(2))
}
