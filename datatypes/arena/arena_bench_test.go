package arena

import (
	"math/rand/v2"
	"testing"
)

func BenchmarkAllocFree(b *testing.B) {
	a := newArena(b)
	for b.Loop() {
		a.Free(a.Alloc(56))
	}
}

// BenchmarkAllocFreeBatch allocates a thousand objects and frees them in another order: no slab stays current, caches hit.
func BenchmarkAllocFreeBatch(b *testing.B) {
	a := newArena(b)
	refs := make([]Ref, 1000)
	order := rand.New(rand.NewPCG(1, 1)).Perm(len(refs))
	for i := 0; i < b.N; i += len(refs) {
		for j := range refs {
			refs[j] = a.Alloc(40 + j&31)
		}
		for _, j := range order {
			a.Free(refs[j])
		}
	}
}

// BenchmarkChurn replaces random objects among a million: every step misses the cache on the object and its slab's header.
func BenchmarkChurn(b *testing.B) {
	a := newArena(b)
	rnd := rand.New(rand.NewPCG(1, 1))
	refs := make([]Ref, 1_000_000)
	for i := range refs {
		refs[i] = a.Alloc(40 + rnd.IntN(32))
	}
	for b.Loop() {
		i := rnd.IntN(len(refs))
		a.Free(refs[i])
		refs[i] = a.Alloc(40 + rnd.IntN(32))
	}
}

// BenchmarkFill allocates fresh memory: dominated by the kernel's page faults.
func BenchmarkFill(b *testing.B) {
	a := newArena(b)
	for i := range b.N {
		r := a.Alloc(56)
		*(*uint64)(r.Ptr()) = 1
		if i%1_000_000 == 999_999 {
			b.StopTimer()
			a.Release()
			b.StartTimer()
		}
	}
}
