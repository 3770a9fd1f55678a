package actors

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/troupe-db/troupe/datatypes/command"
)

// INFO describes the server in sections of "name:value" lines.
var infoSpec = command.Spec{
	Name: "info", Group: command.GroupServer, Since: "1.0.0", Arity: -1,
	Summary:    "Describes the server: its state, its memory, its statistics.",
	Complexity: "O(1)",
	History:    [][2]string{{"7.0.0", "Several sections at once."}},
	Flags:      command.Loading | command.Stale,
	Categories: command.CatDangerous,
	Syntax:     "[section...]",
	Tips:       []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"},
	Scope:      command.ScopeServer,
	Heavy:      manyClients, // their memory is added up
	Run: func(c *command.Ctx) {
		c.Reply.Verbatim("txt", string(session(c).sys.infoText(c.NowMs, c.Args[1:])))
	},
}

// infoSections are the sections in the order in which they are printed. Those that are not usual are printed only when
// they or "all" or "everything" are asked for.
var infoSections = []struct {
	name, title string
	usual       bool
	write       func(sys *System, w *infoWriter)
}{
	{"server", "Server", true, (*System).infoServer},
	{"clients", "Clients", true, (*System).infoClients},
	{"memory", "Memory", true, (*System).infoMemory},
	{"persistence", "Persistence", true, (*System).infoPersistence},
	{"stats", "Stats", true, (*System).infoStats},
	{"replication", "Replication", true, (*System).infoReplication},
	{"cpu", "CPU", true, (*System).infoCPU},
	{"modules", "Modules", true, func(*System, *infoWriter) {}},
	{"commandstats", "Commandstats", false, (*System).infoCommandStats},
	{"errorstats", "Errorstats", true, (*System).infoErrorStats},
	{"latencystats", "Latencystats", false, (*System).infoLatencyStats},
	{"cluster", "Cluster", true, func(_ *System, w *infoWriter) { w.int("cluster_enabled", 0) }},
	{"keyspace", "Keyspace", true, (*System).infoKeyspace},
}

// infoWriter appends lines.
type infoWriter struct {
	buf   []byte
	nowMs int64
}

func (w *infoWriter) text(name, value string) {
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, ':')
	w.buf = append(w.buf, value...)
	w.buf = append(w.buf, '\r', '\n')
}

func (w *infoWriter) int(name string, v int64) { w.text(name, fmt.Sprint(v)) }

func (w *infoWriter) printf(name, format string, args ...any) {
	w.text(name, fmt.Sprintf(format, args...))
}

// bytes writes a size twice, the second time for people to read.
func (w *infoWriter) bytes(name string, n int64) {
	w.int(name, n)
	w.text(name+"_human", human(n))
}

// human writes a size with a unit, as Redis does.
func human(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%dB", n)
	case n < 1<<20:
		return fmt.Sprintf("%.2fK", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.2fM", float64(n)/(1<<20))
	case n < 1<<40:
		return fmt.Sprintf("%.2fG", float64(n)/(1<<30))
	default:
		return fmt.Sprintf("%.2fT", float64(n)/(1<<40))
	}
}

// infoText builds the reply for the sections that were named, the usual ones if none was.
func (sys *System) infoText(nowMs int64, names [][]byte) []byte {
	all, usual := false, len(names) == 0
	want := make(map[string]bool)
	for _, n := range names {
		switch name := strings.ToLower(string(n)); name {
		case "all", "everything":
			all = true
		case "default":
			usual = true
		default:
			want[name] = true
		}
	}
	w := infoWriter{nowMs: nowMs}
	for _, s := range infoSections {
		if !all && !(usual && s.usual) && !want[s.name] {
			continue
		}
		if len(w.buf) > 0 {
			w.buf = append(w.buf, '\r', '\n')
		}
		w.buf = append(append(append(w.buf, "# "...), s.title...), '\r', '\n')
		s.write(sys, &w)
	}
	return w.buf
}

func (sys *System) infoServer(w *infoWriter) {
	v := sys.cfg.Load()
	nowNs := sys.clock.now()
	up := (nowNs - sys.startNs) / 1e9
	exe, _ := os.Executable()
	w.text("redis_version", RedisVersion)
	w.text("redis_git_sha1", "00000000")
	w.int("redis_git_dirty", 0)
	w.text("redis_build_id", buildID())
	w.text("redis_mode", "standalone")
	w.text("os", osName())
	w.int("arch_bits", 64)
	w.text("monotonic_clock", "POSIX clock_gettime")
	w.text("multiplexing_api", multiplexing)
	w.text("atomicvar_api", "go-sync-atomic")
	w.text("gcc_version", "0.0.0")
	w.int("process_id", int64(os.Getpid()))
	w.text("process_supervised", "no")
	w.text("run_id", sys.runID)
	w.int("tcp_port", int64(sys.port()))
	w.int("server_time_usec", nowNs/1000)
	w.int("uptime_in_seconds", up)
	w.int("uptime_in_days", up/86400)
	w.int("hz", int64(v.Hz))
	w.int("configured_hz", int64(v.Hz))
	w.int("lru_clock", nowNs/1e9&0xffffff)
	w.text("executable", exe)
	w.text("config_file", sys.cfg.File())
	w.int("io_threads_active", 0)
	for i, l := range sys.listenerLines() {
		w.text(fmt.Sprintf("listener%d", i), l)
	}
	w.text("troupe_version", Version)
	w.text("go_version", strings.TrimPrefix(runtime.Version(), "go"))
	w.int("shards", int64(len(sys.shards)))
	w.int("event_loops", int64(sys.loops.Load()))
}

func (sys *System) infoClients(w *infoWriter) {
	var maxIn, maxOut int64
	var user, watching int64
	for _, s := range sys.sessions() {
		user++
		if s.shown.watch.Load() > 0 {
			watching++
		}
		maxIn = max(maxIn, s.shown.qbuf.Load())
		maxOut = max(maxOut, int64(s.transport.Pending()))
	}
	w.int("connected_clients", user)
	w.int("cluster_connections", 0)
	w.int("maxclients", int64(sys.cfg.Load().MaxClients))
	w.int("client_recent_max_input_buffer", maxIn)
	w.int("client_recent_max_output_buffer", maxOut)
	w.int("blocked_clients", int64(sys.blockedClients()))
	var watched, waited, onGone int64
	for _, s := range sys.shards {
		watched += s.published.watched.Load()
		waited += s.published.waited.Load()
		onGone += s.published.waitsOnGone.Load()
	}
	w.int("tracking_clients", 0)
	w.int("pubsub_clients", sys.subscribers.Load())
	w.int("watching_clients", watching)
	w.int("clients_in_timeout_table", sys.timeouts.Load())
	w.int("total_watched_keys", watched)
	w.int("total_blocking_keys", waited)
	w.int("total_blocking_keys_on_nokey", onGone)
}

func (sys *System) infoMemory(w *infoWriter) {
	v := sys.cfg.Load()
	m := sys.memory()
	total := totalMemory()
	scripts := sys.scripts.Stats()
	w.bytes("used_memory", m.used)
	w.bytes("used_memory_rss", m.rss)
	w.bytes("used_memory_peak", m.peak)
	w.printf("used_memory_peak_perc", "%.2f%%", 100*float64(m.used)/float64(max(m.peak, 1)))
	w.int("used_memory_overhead", m.overhead)
	w.int("used_memory_startup", m.startup)
	w.int("used_memory_dataset", m.dataset)
	w.printf("used_memory_dataset_perc", "%.2f%%", 100*float64(m.dataset)/float64(max(m.used-m.startup, 1)))
	w.int("allocator_allocated", m.used)
	w.int("allocator_active", m.mapped+m.startup+m.clients)
	w.int("allocator_resident", m.rss)
	w.int("allocator_muzzy", 0)
	w.bytes("total_system_memory", total)
	w.int("used_memory_lua", scripts.StateBytes)
	w.int("used_memory_vm_eval", scripts.StateBytes)
	w.text("used_memory_lua_human", human(scripts.StateBytes))
	w.int("used_memory_scripts_eval", scripts.ScriptBytes)
	w.int("number_of_cached_scripts", scripts.Scripts)
	w.int("number_of_functions", scripts.Functions)
	w.int("number_of_libraries", scripts.Libraries)
	w.int("used_memory_vm_functions", 0) // they run in the same interpreters as scripts
	w.bytes("used_memory_vm_total", scripts.StateBytes)
	w.int("used_memory_functions", scripts.FunctionBytes)
	w.bytes("used_memory_scripts", scripts.ScriptBytes+scripts.FunctionBytes)
	w.bytes("maxmemory", v.MaxMemory)
	w.text("maxmemory_policy", v.MaxMemoryPolicy)
	w.printf("allocator_frag_ratio", "%.2f", ratio(m.mapped+m.startup+m.clients, m.used))
	w.int("allocator_frag_bytes", m.mapped+m.startup+m.clients-m.used)
	w.printf("allocator_rss_ratio", "%.2f", ratio(m.rss, m.mapped+m.startup+m.clients))
	w.int("allocator_rss_bytes", m.rss-m.mapped-m.startup-m.clients)
	w.printf("rss_overhead_ratio", "%.2f", 1.0)
	w.int("rss_overhead_bytes", 0)
	w.printf("mem_fragmentation_ratio", "%.2f", ratio(m.rss, m.used))
	w.int("mem_fragmentation_bytes", m.rss-m.used)
	w.int("mem_not_counted_for_evict", 0)
	w.int("mem_replication_backlog", 0)
	w.int("mem_total_replication_buffers", 0)
	w.int("mem_clients_slaves", 0)
	w.int("mem_clients_normal", m.clients)
	w.int("mem_cluster_links", 0)
	w.int("mem_aof_buffer", 0)
	w.text("mem_allocator", "troupe-arena")
	w.int("mem_overhead_db_hashtable_rehashing", 0)
	w.int("active_defrag_running", 0)
	w.int("lazyfree_pending_objects", 0)
	w.int("lazyfreed_objects", 0)
}

func ratio(a, b int64) float64 {
	if b <= 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func (sys *System) infoPersistence(w *infoWriter) {
	// Nothing is saved in this release: what there is to say is that nothing is under way.
	w.int("loading", 0)
	w.int("async_loading", 0)
	w.int("current_cow_peak", 0)
	w.int("current_cow_size", 0)
	w.int("current_cow_size_age", 0)
	w.text("current_fork_perc", "0.00")
	w.int("current_save_keys_processed", 0)
	w.int("current_save_keys_total", 0)
	w.int("rdb_changes_since_last_save", sys.dirty())
	w.int("rdb_bgsave_in_progress", 0)
	w.int("rdb_last_save_time", sys.startNs/1e9)
	w.text("rdb_last_bgsave_status", "ok")
	w.int("rdb_last_bgsave_time_sec", -1)
	w.int("rdb_current_bgsave_time_sec", -1)
	w.int("rdb_saves", 0)
	w.int("rdb_last_cow_size", 0)
	w.int("rdb_last_load_keys_expired", 0)
	w.int("rdb_last_load_keys_loaded", 0)
	w.int("aof_enabled", 0)
	w.int("aof_rewrite_in_progress", 0)
	w.int("aof_rewrite_scheduled", 0)
	w.int("aof_last_rewrite_time_sec", -1)
	w.int("aof_current_rewrite_time_sec", -1)
	w.text("aof_last_bgrewrite_status", "ok")
	w.int("aof_rewrites", 0)
	w.int("aof_rewrites_consecutive_failures", 0)
	w.text("aof_last_write_status", "ok")
	w.int("aof_last_cow_size", 0)
	w.int("module_fork_in_progress", 0)
	w.int("module_fork_last_cow_size", 0)
}

func (sys *System) infoStats(w *infoWriter) {
	var hits, misses, expired int64
	for _, s := range sys.shards {
		hits += int64(s.published.hits.Load())
		misses += int64(s.published.misses.Load())
		expired += int64(s.published.expired.Load())
	}
	b := &sys.baseline
	c := &sys.cronTick
	kbps := func(r *rate) string { return fmt.Sprintf("%.2f", float64(r.perSecond.Load())/1024) }
	w.int("total_connections_received", sys.stats.connections.Load())
	w.int("total_commands_processed", int64(sys.totalCommands()))
	w.int("instantaneous_ops_per_sec", c.ops.perSecond.Load())
	w.int("total_net_input_bytes", sys.netIn.Load()-b.netIn.Load())
	w.int("total_net_output_bytes", sys.netOut.Load()-b.netOut.Load())
	w.int("total_net_repl_input_bytes", 0)
	w.int("total_net_repl_output_bytes", 0)
	w.text("instantaneous_input_kbps", kbps(&c.in))
	w.text("instantaneous_output_kbps", kbps(&c.out))
	w.text("instantaneous_input_repl_kbps", "0.00")
	w.text("instantaneous_output_repl_kbps", "0.00")
	w.int("rejected_connections", sys.stats.rejectedConns.Load())
	for _, name := range []string{"sync_full", "sync_partial_ok", "sync_partial_err", "expired_subkeys"} {
		w.int(name, 0)
	}
	w.int("expired_keys", expired-b.expired.Load())
	w.text("expired_stale_perc", "0.00")
	for _, name := range []string{"expired_time_cap_reached_count", "expire_cycle_cpu_milliseconds", "evicted_keys",
		"evicted_clients"} {
		w.int(name, 0)
	}
	w.int("evicted_scripts", sys.scripts.Stats().Evicted-b.evictedScripts.Load())
	w.int("total_eviction_exceeded_time", 0)
	w.int("current_eviction_exceeded_time", 0)
	w.int("keyspace_hits", hits-b.hits.Load())
	w.int("keyspace_misses", misses-b.misses.Load())
	w.int("pubsub_channels", int64(sys.hub.topics(topicChannel)))
	w.int("pubsub_patterns", int64(sys.hub.topics(topicPattern)))
	w.int("pubsubshard_channels", int64(sys.hub.topics(topicShard)))
	for _, name := range []string{"latest_fork_usec",
		"total_forks", "migrate_cached_sockets", "slave_expires_tracked_keys", "active_defrag_hits",
		"active_defrag_misses", "active_defrag_key_hits", "active_defrag_key_misses", "total_active_defrag_time",
		"current_active_defrag_time", "tracking_total_keys", "tracking_total_items", "tracking_total_prefixes",
		"unexpected_error_replies"} {
		w.int(name, 0)
	}
	w.int("total_error_replies", int64(sys.errors.total.Load()))
	w.int("dump_payload_sanitizations", 0)
	w.int("total_reads_processed", sys.stats.reads.Load())
	w.int("total_writes_processed", sys.stats.writes.Load())
	w.int("io_threaded_reads_processed", 0)
	w.int("io_threaded_writes_processed", 0)
	w.int("client_query_buffer_limit_disconnections", sys.queryLimitHits.Load())
	w.int("client_output_buffer_limit_disconnections", sys.outputLimitHits.Load())
	for _, name := range []string{"reply_buffer_shrinks", "reply_buffer_expands", "eventloop_cycles",
		"eventloop_duration_sum", "eventloop_duration_cmd_sum", "instantaneous_eventloop_cycles_per_sec",
		"instantaneous_eventloop_duration_usec"} {
		w.int(name, 0)
	}
	w.int("acl_access_denied_auth", sys.stats.authDenied.Load())
	w.int("acl_access_denied_cmd", 0)
	w.int("acl_access_denied_key", 0)
	w.int("acl_access_denied_channel", 0)
}

func (sys *System) infoReplication(w *infoWriter) {
	w.text("role", "master")
	w.int("connected_slaves", 0)
	w.text("master_failover_state", "no-failover")
	w.text("master_replid", *sys.replID.Load())
	w.text("master_replid2", strings.Repeat("0", 40))
	w.int("master_repl_offset", 0)
	w.int("second_repl_offset", -1)
	w.int("repl_backlog_active", 0)
	w.int("repl_backlog_size", sys.cfg.Load().ReplBacklogSize)
	w.int("repl_backlog_first_byte_offset", 0)
	w.int("repl_backlog_histlen", 0)
}

func (sys *System) infoCPU(w *infoWriter) {
	self, children := cpuTimes()
	sec := func(us int64) string { return fmt.Sprintf("%d.%06d", us/1e6, us%1e6) }
	w.text("used_cpu_sys", sec(self.sysUs))
	w.text("used_cpu_user", sec(self.userUs))
	w.text("used_cpu_sys_children", sec(children.sysUs))
	w.text("used_cpu_user_children", sec(children.userUs))
	w.text("used_cpu_sys_main_thread", sec(self.sysUs))
	w.text("used_cpu_user_main_thread", sec(self.userUs))
}

func (sys *System) infoCommandStats(w *infoWriter) {
	for _, sp := range sys.table.All() {
		var calls, ns, failed, rejected uint64
		sys.eachStats(func(st *cmdStats) {
			c := &st.byID[sp.ID]
			calls += c.calls.Load()
			ns += c.ns.Load()
			failed += c.failed.Load()
			rejected += c.rejected.Load()
		})
		if calls == 0 && rejected == 0 {
			continue
		}
		us := ns / 1000
		per := 0.0
		if calls > 0 {
			per = float64(ns) / 1000 / float64(calls)
		}
		w.printf("cmdstat_"+sp.FullName, "calls=%d,usec=%d,usec_per_call=%.2f,rejected_calls=%d,failed_calls=%d",
			calls, us, per, rejected, failed)
	}
}

func (sys *System) infoErrorStats(w *infoWriter) {
	sys.errors.each(func(code string, n uint64) { w.printf("errorstat_"+code, "count=%d", n) })
}

func (sys *System) infoLatencyStats(w *infoWriter) {
	v := sys.cfg.Load()
	if !v.LatencyTracking {
		return
	}
	for _, sp := range sys.table.All() {
		var sum [histBuckets]uint64
		seen := false
		sys.eachStats(func(st *cmdStats) {
			if h := st.byID[sp.ID].hist.Load(); h != nil {
				h.addTo(&sum)
				seen = true
			}
		})
		if !seen {
			continue
		}
		var parts []string
		for _, p := range v.LatencyTrackingPercentiles {
			parts = append(parts, fmt.Sprintf("p%g=%.3f", p, float64(percentile(&sum, p))/1000))
		}
		w.text("latency_percentiles_usec_"+sp.FullName, strings.Join(parts, ","))
	}
}

func (sys *System) infoKeyspace(w *infoWriter) {
	for db := range sys.shards[0].published.keys {
		var keys, volatile, ttl int64
		for _, s := range sys.shards {
			keys += s.published.keys[db].Load()
			volatile += s.published.volatile[db].Load()
			ttl += s.published.ttlSumMs[db].Load()
		}
		if keys == 0 {
			continue
		}
		avg := int64(0)
		if volatile > 0 {
			avg = max(ttl/volatile+sys.epochMs-w.nowMs, 0)
		}
		w.printf(fmt.Sprintf("db%d", db), "keys=%d,expires=%d,avg_ttl=%d,subexpiry=0", keys, volatile, avg)
	}
}
