package actors

import (
	"fmt"
	"runtime/debug"
	"runtime/metrics"
	"strings"

	"github.com/troupe-db/troupe/datatypes/command"
)

// memorySubcommands are the subcommands of MEMORY about the server as a whole; the others are in package command.
func memorySubcommands() []*command.Spec {
	special := []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"}
	return []*command.Spec{
		{
			Name: "doctor", Since: "4.0.0", Arity: 2, Scope: command.ScopeServer,
			Summary: "Looks for problems with memory.", Complexity: "O(1)",
			Tips: special, Heavy: manyClients,
			Run: func(c *command.Ctx) { c.Reply.Verbatim("txt", session(c).sys.memoryDoctor()) },
		},
		{
			Name: "malloc-stats", Since: "4.0.0", Arity: 2, Scope: command.ScopeServer,
			Summary: "Returns the statistics of the allocators.", Complexity: "O(N) where N is the number of shards",
			Tips: special,
			Run:  func(c *command.Ctx) { c.Reply.Verbatim("txt", session(c).sys.mallocStats()) },
		},
		{
			Name: "purge", Since: "4.0.0", Arity: 2, Scope: command.ScopeServer,
			Summary: "Gives memory that is not in use back to the system.", Complexity: "Depends on how much there is",
			Tips: []string{"request_policy:all_shards", "response_policy:all_succeeded"},
			Run:  memoryPurge,
		},
		{
			Name: "stats", Since: "4.0.0", Arity: 2, Scope: command.ScopeServer,
			Summary: "Returns what memory is used for.", Complexity: "O(1)",
			Tips: special, Heavy: manyClients,
			Run: memoryStats,
		},
	}
}

// memoryStats replies the fields of Redis 7.4, in its order. Those about what the server does not have are 0.
func memoryStats(c *command.Ctx) {
	sys, w := session(c).sys, c.Reply
	m := sys.memory()
	mark, n := w.StartDeferred(), 0
	integer := func(name string, v int64) {
		w.BulkString(name)
		w.Int(v)
		n++
	}
	double := func(name string, v float64) {
		w.BulkString(name)
		w.Double(v)
		n++
	}
	integer("peak.allocated", m.peak)
	integer("total.allocated", m.used)
	integer("startup.allocated", m.startup)
	for _, name := range [...]string{"replication.backlog", "clients.slaves"} {
		integer(name, 0)
	}
	integer("clients.normal", m.clients)
	for _, name := range [...]string{"cluster.links", "aof.buffer"} {
		integer(name, 0)
	}
	scripts := sys.scripts.Stats()
	integer("lua.caches", scripts.ScriptBytes)
	integer("functions.caches", scripts.FunctionBytes)
	for db := range sys.shards[0].published.keys {
		var keys, tables, index int64
		for _, s := range sys.shards {
			p := &s.published
			keys += p.keys[db].Load()
			tables += p.dbTables[db].Load()
			index += p.dbIndex[db].Load()
		}
		if keys == 0 {
			continue
		}
		w.BulkString(fmt.Sprintf("db.%d", db))
		w.Map(2)
		w.BulkString("overhead.hashtable.main")
		w.Int(tables)
		w.BulkString("overhead.hashtable.expires")
		w.Int(index)
		n++
	}
	net := m.used - m.startup
	active := m.mapped + m.startup + m.clients
	integer("overhead.db.hashtable.lut", m.tables)
	integer("overhead.db.hashtable.rehashing", 0)
	integer("db.dict.rehashing.count", 0)
	integer("overhead.total", m.overhead)
	integer("keys.count", m.keys)
	integer("keys.bytes-per-key", int64(ratio(net, m.keys)))
	integer("dataset.bytes", m.dataset)
	double("dataset.percentage", 100*ratio(m.dataset, net))
	double("peak.percentage", 100*ratio(m.used, m.peak))
	integer("allocator.allocated", m.used)
	integer("allocator.active", active)
	integer("allocator.resident", m.rss)
	integer("allocator.muzzy", 0)
	double("allocator-fragmentation.ratio", ratio(active, m.used))
	integer("allocator-fragmentation.bytes", active-m.used)
	double("allocator-rss.ratio", ratio(m.rss, active))
	integer("allocator-rss.bytes", m.rss-active)
	double("rss-overhead.ratio", 1)
	integer("rss-overhead.bytes", 0)
	double("fragmentation", ratio(m.rss, m.used))
	integer("fragmentation.bytes", m.rss-m.used)
	w.EndDeferredMap(mark, n)
}

// Limits beyond which MEMORY DOCTOR finds something to say.
const (
	doctorLeastBytes   = 5 << 20 // with less data than that, ratios mean nothing
	doctorPeakRatio    = 1.5
	doctorHolesRatio   = 1.4
	doctorHolesBytes   = 10 << 20
	doctorClientBytes  = 200 << 10
	doctorUnusedFactor = 2.0
)

// memoryDoctor looks at the memory of the server and says in words what is not as it should be.
func (sys *System) memoryDoctor() string {
	m := sys.memory()
	if m.used-m.startup < doctorLeastBytes {
		return "There is too little data in this server to tell anything about its memory.\n"
	}
	var b strings.Builder
	finding := func(format string, args ...any) { fmt.Fprintf(&b, " * "+format+"\n", args...) }
	if r := ratio(m.peak, m.used); r > doctorPeakRatio {
		finding("Memory use was up to %s once and is %s now. If the resident memory is still high, that is why; it "+
			"falls as new data takes the room, or at once with MEMORY PURGE.", human(m.peak), human(m.used))
	}
	if r := ratio(m.mapped, m.used-m.startup-m.clients); r > doctorHolesRatio &&
		m.mapped-(m.used-m.startup-m.clients) > doctorHolesBytes {
		finding("The arenas hold %.1f times the memory that keys and values take. Upkeep moves records together and "+
			"gives the rest back; if this stays so, values change their sizes faster than it can follow.", r)
	}
	if r := ratio(m.rss, m.mapped+m.startup+m.clients); r > doctorUnusedFactor {
		finding("The process takes %.1f times the memory that is accounted for: %s resident. The remainder belongs to "+
			"the Go runtime, which gives it back in time; replies and commands of many megabytes cause this.", r,
			human(m.rss))
	}
	if clients := sys.clients.count.Load(); clients > 0 && m.clients/clients > doctorClientBytes {
		finding("Connections take %s on average: some send commands, or are owed replies, of great length. CLIENT LIST "+
			"shows them (qbuf, omem); client-output-buffer-limit bounds them.", human(m.clients/clients))
	}
	if b.Len() == 0 {
		return "Nothing is wrong with the memory of this server.\n"
	}
	return "Found in the memory of this server:\n\n" + b.String()
}

// mallocStats describes the arenas of the shards and the heap of the Go runtime.
func (sys *System) mallocStats() string {
	var b strings.Builder
	b.WriteString("Arenas of the shards, in bytes\n shard         used       tables       mapped\n")
	for _, s := range sys.shards {
		p := &s.published
		fmt.Fprintf(&b, " %5d %12d %12d %12d\n", s.id, p.used.Load(), p.tables.Load(), p.mapped.Load())
	}
	b.WriteString("Go runtime\n")
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/stacks:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(samples)
	for _, x := range samples {
		if x.Value.Kind() == metrics.KindUint64 {
			fmt.Fprintf(&b, " %-40s %12d\n", x.Name, x.Value.Uint64())
		}
	}
	return b.String()
}

// memoryPurge lets every shard tidy up and the Go runtime collect its garbage, and replies when it has; as a part of
// EXEC or a script, which hold shards, it replies at once.
func memoryPurge(c *command.Ctx) {
	sys := session(c).sys
	purge := func() {
		for _, s := range sys.shards {
			sys.post(s, s.upkeep)
		}
		debug.FreeOSMemory()
	}
	if c.InMulti || c.InScript {
		go purge()
		c.Reply.OK()
		return
	}
	b := session(c).batch
	b.await(func() {
		go func() {
			purge()
			b.ended(b.w.OK)
		}()
	})
}
