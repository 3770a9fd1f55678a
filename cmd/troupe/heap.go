package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The data lies outside the Go heap, which holds buffers: it is small except after a burst of large commands or
// replies. The runtime collects only when the heap has grown again and gives memory back over minutes, so a server
// that has become quiet would keep the size of its largest burst.

const (
	heapLookEvery = time.Second
	// heapSlackBytes is what the heap may hold besides what is alive.
	heapSlackBytes = 256 << 10
	// heapQuietBytes is how much may be allocated between two looks for the server to count as quiet.
	heapQuietBytes = 1 << 20
)

// trimHeap gives unused heap back to the system whenever the process is quiet, until ctx ends.
func trimHeap(ctx context.Context) {
	ticker := time.NewTicker(heapLookEvery)
	defer ticker.Stop()
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
	}
	var allocated uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		metrics.Read(samples)
		v := func(i int) uint64 { return samples[i].Value.Uint64() }
		quiet := v(0)-allocated < heapQuietBytes
		allocated = v(0)
		if held := v(2) + v(3) + v(4); quiet && held > v(1)+v(1)/2+heapSlackBytes {
			runtime.GC() // pooled buffers survive one collection
			debug.FreeOSMemory()
		}
	}
}
