package main

import (
	"context"
	"os"
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
	// heapBusyBytes is how much from which on the heap may be larger: scripts make garbage, of which a small heap would have
	// to be cleaned all the time. 1 000 additions in Lua took 117 µs of processor time at busyPercent = 100, 64 at 400.
	heapBusyBytes = 32 << 20
	busyPercent   = 400
)

// trimHeap gives unused heap back to the system whenever the process is quiet, and lets it be larger while much is
// allocated, until ctx ends. The environment's GOGC goes before.
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
	adapt, large := os.Getenv("GOGC") == "", false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		metrics.Read(samples)
		v := func(i int) uint64 { return samples[i].Value.Uint64() }
		made := v(0) - allocated
		quiet := made < heapQuietBytes
		allocated = v(0)
		if busy := made >= heapBusyBytes; adapt && busy != large && (busy || quiet) {
			large = busy
			if large {
				debug.SetGCPercent(busyPercent)
			} else {
				debug.SetGCPercent(100)
			}
		}
		if held := v(2) + v(3) + v(4); quiet && held > v(1)+v(1)/2+heapSlackBytes {
			runtime.GC() // pooled buffers survive one collection
			debug.FreeOSMemory()
		}
	}
}
