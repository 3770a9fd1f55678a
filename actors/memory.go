package actors

import (
	"hash/fnv"
	"runtime"
	"runtime/debug"
	"strconv"
)

// multiplexing names how event loops wait, as INFO shows it.
var multiplexing = map[string]string{"linux": "epoll", "darwin": "kqueue", "freebsd": "kqueue"}[runtime.GOOS]

// buildID tells one build from another.
func buildID() string {
	h := fnv.New64a()
	if bi, ok := debug.ReadBuildInfo(); ok {
		h.Write([]byte(bi.String()))
	}
	return strconv.FormatUint(h.Sum64(), 16)
}

// memoryUse is where the memory of the server is, in bytes.
type memoryUse struct {
	used     int64 // all that the server accounts for
	peak     int64
	rss      int64 // resident, as the system counts
	startup  int64 // what an empty server takes
	dataset  int64 // keys and values
	overhead int64 // all else
	clients  int64 // connections and their buffers
	tables   int64 // hash tables and deadline indexes
	mapped   int64 // what the arenas hold from the system
	keys     int64
}

// startupBytes is what INFO counts for the process itself: the tables of commands and parameters, the actors, the
// runtime. It is a figure and not a measurement so that used_memory moves with the data alone.
const startupBytes = 900 << 10

func (sys *System) memory() memoryUse {
	m := memoryUse{rss: residentBytes(), startup: startupBytes}
	var data int64
	for _, s := range sys.shards {
		p := &s.published
		data += p.used.Load()
		m.mapped += p.mapped.Load()
		m.tables += p.tables.Load()
		for i := range p.keys {
			m.keys += p.keys[i].Load()
		}
	}
	for _, s := range sys.sessions() {
		m.clients += s.memory()
	}
	m.used = m.startup + data + m.clients
	m.overhead = m.startup + m.clients + m.tables
	m.dataset = data - m.tables
	m.peak = max(sys.stats.peakBytes.Load(), m.used)
	return m
}

// usedBytes is used_memory.
func (sys *System) usedBytes() int64 {
	n := int64(startupBytes) + sys.clients.count.Load()*sessionBytes
	for _, s := range sys.shards {
		n += s.published.used.Load()
	}
	return n
}

// dirty returns how many changes were made to keys.
func (sys *System) dirty() int64 {
	var n int64
	sys.eachStats(func(st *cmdStats) { n += st.dirty.Load() })
	return n
}
