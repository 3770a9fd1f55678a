package config

import "math"

// paramFlags say who may see and change a parameter.
type paramFlags uint16

const (
	mutable   paramFlags = 0
	immutable paramFlags = 1 << iota // set at start only
	hidden                           // CONFIG GET shows it by its exact name only
	sensitive                        // the value is kept out of the slow log and MONITOR
	protected                        // CONFIG SET needs enable-protected-configs
	offline                          // CONFIG SET is refused while the data is being loaded
	words                            // takes any number of words; in one argument they are separated by single spaces
	addsUp                           // repeated directives add to each other
	byName                           // names a file: setting the same name again applies what the file holds by then
)

const (
	maxPort = 65535
	maxInt  = math.MaxInt32 // Redis's int, the bound of parameters that Redis holds in one
	maxLong = math.MaxInt64
	maxUint = math.MaxUint32

	megabyte = 1 << 20
	gigabyte = 1 << 30
)

// param is one line of the table. The helpers below make lines of it.
type param struct {
	name, alias string
	flags       paramFlags
	codec       codec
	def         string // default, as the one argument of a directive
	doc         string

	index  int   // in table and in Values.all
	fields []int // fields of Values that show this parameter
}

func boolean(name, alias string, flags paramFlags, def, doc string) *param {
	return &param{name: name, alias: alias, flags: flags, codec: boolCodec{}, def: def, doc: doc}
}

func number(name, alias string, flags paramFlags, lo, hi int64, def, doc string) *param {
	return &param{name: name, alias: alias, flags: flags, codec: intCodec{lo, hi, lo, hi}, def: def, doc: doc}
}

func memory(name, alias string, flags paramFlags, lo, hi uint64, def, doc string) *param {
	return &param{name: name, alias: alias, flags: flags, codec: memoryCodec{lo, hi, lo}, def: def, doc: doc}
}

func choice(name, alias string, flags paramFlags, among []string, def, doc string) *param {
	return &param{name: name, alias: alias, flags: flags, codec: enumCodec{names: among}, def: def, doc: doc}
}

func text(name, alias string, flags paramFlags, def, doc string) *param {
	return &param{name: name, alias: alias, flags: flags, codec: stringCodec{}, def: def, doc: doc}
}

func special(name, alias string, flags paramFlags, c codec, def, doc string) *param {
	return &param{name: name, alias: alias, flags: flags, codec: c, def: def, doc: doc}
}

var (
	evictionPolicies = []string{"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction"}
	logLevels        = []string{"debug", "verbose", "notice", "warning", "nothing"}
	noYesLocal       = []string{"no", "yes", "local"}
	oomModes         = enumCodec{names: []string{"no", "yes", "relative", "absolute"}, synonyms: map[string]string{"relative": "yes"}}
	syslogFacilities = []string{"user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}
)

// parameters is the table, by subject. Bounds, defaults and spellings are Redis's; a parameter whose comment says
// "accepted" has no effect here, because what it tunes does not exist.
var parameters = []*param{
	// Network
	number("port", "", mutable, 0, maxPort, "6379", "TCP port; 0 for none"),
	special("bind", "", words, bindCodec{}, "* -::*", "addresses to listen on; with a leading '-' it is no error if one is not available"),
	text("bind-source-addr", "", mutable, "", "local address of outgoing connections"),
	text("unixsocket", "", immutable, "", "path of the Unix socket"),
	special("unixsocketperm", "", immutable, octalCodec{0o777}, "0", "permissions of the Unix socket, octal; 0 leaves them to the umask"),
	number("tcp-backlog", "", immutable, 0, maxInt, "511", "length of the queue of connections that wait to be accepted"),
	number("tcp-keepalive", "", mutable, 0, maxInt, "300", "seconds between keep-alive probes; 0 for none"),
	number("timeout", "", mutable, 0, maxInt, "0", "seconds after which an idle client is disconnected; 0 for never"),
	number("maxclients", "", mutable, 1, maxUint, "10000", "clients connected at a time"),
	number("max-new-connections-per-cycle", "", mutable, 1, 1000, "10", "connections accepted in a row before clients are served"),
	number("max-new-tls-connections-per-cycle", "", mutable, 1, 1000, "1", "TLS connections accepted in a row before clients are served"),
	number("socket-mark-id", "", immutable, 0, maxUint, "0", "mark put on the listening sockets (SO_MARK)"),
	boolean("protected-mode", "", mutable, "yes", "without a password and a bind address, only local clients are served"),
	memory("client-query-buffer-limit", "", mutable, megabyte, maxLong, "1gb", "bytes of commands that one client may have waiting"),
	special("client-output-buffer-limit", "", words, outputCodec{}, "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60", "bytes of replies that may wait per class of clients: class hard soft seconds"),
	memory("proto-max-bulk-len", "", mutable, megabyte, maxLong, "512mb", "longest argument and longest string"),
	special("maxmemory-clients", "", mutable, percentCodec{}, "0", "memory of all clients together, in bytes or percent of maxmemory; 0 for no limit"),

	// TLS
	number("tls-port", "", mutable, 0, maxPort, "0", "TCP port for TLS; 0 for none"),
	text("tls-cert-file", "", byName, "", "certificate of the server, PEM"),
	text("tls-key-file", "", byName, "", "private key of the server, PEM"),
	text("tls-key-file-pass", "", sensitive, "", "passphrase of tls-key-file"),
	text("tls-client-cert-file", "", byName, "", "certificate for outgoing connections, PEM; empty takes tls-cert-file"),
	text("tls-client-key-file", "", byName, "", "private key for outgoing connections, PEM"),
	text("tls-client-key-file-pass", "", sensitive, "", "passphrase of tls-client-key-file"),
	text("tls-dh-params-file", "", byName, "", "Diffie-Hellman parameters; accepted"),
	text("tls-ca-cert-file", "", byName, "", "certificates of the authorities that peers are checked against, PEM"),
	text("tls-ca-cert-dir", "", byName, "", "directory of such certificates"),
	choice("tls-auth-clients", "", mutable, []string{"no", "yes", "optional"}, "yes", "whether clients must show a certificate"),
	boolean("tls-replication", "", mutable, "no", "whether the link to the master uses TLS"),
	boolean("tls-cluster", "", mutable, "no", "whether the cluster bus uses TLS"),
	text("tls-protocols", "", mutable, "", "versions allowed, as in \"TLSv1.2 TLSv1.3\""),
	text("tls-ciphers", "", mutable, "", "ciphers allowed up to TLS 1.2"),
	text("tls-ciphersuites", "", mutable, "", "ciphers allowed for TLS 1.3; accepted"),
	boolean("tls-prefer-server-ciphers", "", mutable, "no", "whether the order of the server decides; accepted"),
	boolean("tls-session-caching", "", mutable, "yes", "whether sessions can be resumed"),
	number("tls-session-cache-size", "", mutable, 0, maxInt, "20480", "sessions kept for resumption"),
	number("tls-session-cache-timeout", "", mutable, 0, maxInt, "300", "seconds that a session is kept"),

	// General
	boolean("daemonize", "", immutable, "no", "run in the background"),
	choice("supervised", "", immutable, []string{"upstart", "systemd", "auto", "no"}, "no", "how to tell a supervisor that the server is ready"),
	text("pidfile", "", immutable, "", "file that the process id is written to"),
	choice("loglevel", "", mutable, logLevels, "notice", "least important messages that are logged"),
	text("logfile", "", immutable, "", "log file; empty for standard output"),
	boolean("syslog-enabled", "", immutable, "no", "log to the system log too"),
	text("syslog-ident", "", immutable, "redis", "name in the system log"),
	choice("syslog-facility", "", immutable, syslogFacilities, "local0", "facility of the system log"),
	boolean("crash-log-enabled", "", mutable, "yes", "log a report when the server crashes"),
	boolean("crash-memcheck-enabled", "", mutable, "yes", "test the memory when the server crashes; accepted"),
	boolean("use-exit-on-panic", "", hidden, "no", "leave with exit rather than abort after a panic"),
	boolean("hide-user-data-from-log", "", mutable, "no", "keep keys and values out of the log"),
	boolean("always-show-logo", "", immutable, "no", "show the logo also when the log is not a terminal"),
	boolean("set-proc-title", "", immutable, "yes", "show state in the process title"),
	text("proc-title-template", "", mutable, "{title} {listen-addr} {server-mode}", "what the process title shows").checked(checkProcTitle),
	text("locale-collate", "", mutable, "", "order of strings in SORT ALPHA; only byte order is available").checked(checkLocale),
	number("databases", "", immutable, 1, maxInt, "16", "databases that SELECT can choose from"),
	text("ignore-warnings", "", mutable, "", "warnings of the system check that do not stop the start"),
	number("hz", "", mutable, 0, maxInt, "10", "runs per second of background work, 1 to 500").clamp(1, 500),
	boolean("dynamic-hz", "", mutable, "yes", "more runs per second with many clients"),
	number("shutdown-timeout", "", mutable, 0, maxInt, "10", "seconds that a shutdown waits for replicas"),
	special("shutdown-on-sigint", "", words, shutdownCodec{}, "default", "options of SHUTDOWN on SIGINT"),
	special("shutdown-on-sigterm", "", words, shutdownCodec{}, "default", "options of SHUTDOWN on SIGTERM"),
	number("watchdog-period", "", hidden, 0, maxInt, "0", "milliseconds after which a stuck server logs a stack; accepted"),
	special("oom-score-adj", "", mutable, oomModes, "no", "tune which process the kernel kills when memory is out"),
	special("oom-score-adj-values", "", words, oomCodec{}, "0 200 800", "scores of a master, a replica and a child process"),
	boolean("disable-thp", "", immutable, "yes", "no transparent huge pages for this process"),
	boolean("jemalloc-bg-thread", "", mutable, "yes", "accepted: there is no jemalloc"),
	text("server-cpulist", "server_cpulist", immutable, "", "processors of the server; accepted"),
	text("bio-cpulist", "bio_cpulist", immutable, "", "processors of background threads; accepted"),
	text("aof-rewrite-cpulist", "aof_rewrite_cpulist", immutable, "", "processors of the AOF rewrite; accepted"),
	text("bgsave-cpulist", "bgsave_cpulist", immutable, "", "processors of BGSAVE; accepted"),
	number("io-threads", "", immutable, 1, 128, "1", "accepted: see event-loops"),
	boolean("io-threads-do-reads", "", immutable, "no", "accepted: see event-loops"),
	number("shards", "", immutable, 0, 1024, "0", "shards of the keyspace; 0 chooses by the number of processors"),
	number("event-loops", "", immutable, 0, 1024, "0", "event loops that serve connections; 0 chooses by the number of processors"),

	// Security
	text("requirepass", "", sensitive, "", "password of the default user"),
	text("aclfile", "", immutable, "", "file of ACL users"),
	choice("acl-pubsub-default", "", mutable, []string{"allchannels", "resetchannels"}, "resetchannels", "channels that a new user may use"),
	number("acllog-max-len", "", mutable, 0, maxLong, "128", "entries of ACL LOG"),
	choice("enable-protected-configs", "", immutable, noYesLocal, "no", "who may change dir and dbfilename at run time"),
	choice("enable-debug-command", "", immutable, noYesLocal, "no", "who may use DEBUG"),
	choice("enable-module-command", "", immutable, noYesLocal, "no", "who may use MODULE"),
	choice("sanitize-dump-payload", "", mutable, []string{"no", "yes", "clients"}, "no", "how thoroughly dumps are checked; accepted: they always are"),

	// Memory
	memory("maxmemory", "", mutable, 0, math.MaxUint64, "0", "bytes of data before eviction or errors; 0 for no limit"),
	choice("maxmemory-policy", "", mutable, evictionPolicies, "noeviction", "what is evicted"),
	number("maxmemory-samples", "", mutable, 1, maxInt, "5", "candidates looked at per eviction"),
	number("maxmemory-eviction-tenacity", "", mutable, 0, 100, "10", "how long eviction may delay commands, 0 to 100"),
	number("lfu-log-factor", "", mutable, 0, maxInt, "10", "how slowly the LFU counter grows"),
	number("lfu-decay-time", "", mutable, 0, maxInt, "1", "minutes after which the LFU counter falls"),
	number("active-expire-effort", "", mutable, 1, 10, "1", "effort to remove expired keys, 1 to 10"),
	boolean("lazyfree-lazy-eviction", "", mutable, "no", "free evicted values in the background"),
	boolean("lazyfree-lazy-expire", "", mutable, "no", "free expired values in the background"),
	boolean("lazyfree-lazy-server-del", "", mutable, "no", "free overwritten values in the background"),
	boolean("lazyfree-lazy-user-del", "", mutable, "no", "DEL acts as UNLINK"),
	boolean("lazyfree-lazy-user-flush", "", mutable, "no", "FLUSHDB and FLUSHALL are ASYNC unless they say SYNC"),
	boolean("activedefrag", "", mutable, "no", "give memory back that fragmentation holds"),
	memory("active-defrag-ignore-bytes", "", mutable, 1, maxLong, "100mb", "waste below which nothing is done"),
	number("active-defrag-threshold-lower", "", mutable, 0, 1000, "10", "percent of waste at which work starts"),
	number("active-defrag-threshold-upper", "", mutable, 0, 1000, "100", "percent of waste at which effort is greatest"),
	number("active-defrag-cycle-min", "", mutable, 1, 99, "1", "least effort, percent of a processor"),
	number("active-defrag-cycle-max", "", mutable, 1, 99, "25", "greatest effort, percent of a processor"),
	number("active-defrag-max-scan-fields", "", mutable, 1, maxLong, "1000", "elements of a collection moved in one go"),
	boolean("activerehashing", "", mutable, "yes", "accepted: tables grow a segment at a time"),
	number("tracking-table-max-keys", "", mutable, 0, maxLong, "1000000", "keys remembered for client-side caching; 0 for no limit"),

	// Encodings
	number("hash-max-listpack-entries", "hash-max-ziplist-entries", mutable, 0, maxLong, "512", "fields of a hash kept as a listpack"),
	memory("hash-max-listpack-value", "hash-max-ziplist-value", mutable, 0, maxLong, "64", "longest field or value of such a hash"),
	number("list-max-listpack-size", "list-max-ziplist-size", mutable, math.MinInt32, maxInt, "-2", "size of a list node: elements, or -1 to -5 for 4 to 64 KiB"),
	number("list-compress-depth", "", mutable, 0, maxInt, "0", "nodes at either end of a list that are not compressed; 0 for no compression"),
	number("set-max-intset-entries", "", mutable, 0, maxLong, "512", "members of a set of integers kept as an intset"),
	number("set-max-listpack-entries", "", mutable, 0, maxLong, "128", "members of a set kept as a listpack"),
	memory("set-max-listpack-value", "", mutable, 0, maxLong, "64", "longest member of such a set"),
	number("zset-max-listpack-entries", "zset-max-ziplist-entries", mutable, 0, maxLong, "128", "members of a sorted set kept as a listpack"),
	memory("zset-max-listpack-value", "zset-max-ziplist-value", mutable, 0, maxLong, "64", "longest member of such a sorted set"),
	memory("hll-sparse-max-bytes", "", mutable, 0, maxLong, "3000", "longest sparse HyperLogLog"),
	memory("stream-node-max-bytes", "", mutable, 0, maxLong, "4096", "bytes of a stream node; 0 for no limit"),
	number("stream-node-max-entries", "", mutable, 0, maxLong, "100", "entries of a stream node; 0 for no limit"),

	// Snapshots
	special("save", "", words|addsUp, saveCodec{}, "3600 1 300 100 60 10000", "when to take a snapshot: seconds changes …"),
	text("dbfilename", "", protected, "dump.rdb", "file of the snapshot, inside of dir").checked(fileName("dbfilename", "filename", true)),
	special("dir", "", protected|offline, dirCodec{}, ".", "directory of the data"),
	boolean("rdbcompression", "", mutable, "yes", "compress long strings in snapshots"),
	boolean("rdbchecksum", "", immutable, "yes", "end snapshots with a checksum and check it"),
	number("rdb-version", "", mutable, 10, 12, "12", "version of the format of snapshots and dumps: 10 for Redis 7.0, 11 for 7.2, 12 for 7.4"),
	boolean("rdb-save-incremental-fsync", "", mutable, "yes", "sync snapshots as they are written"),
	boolean("rdb-del-sync-files", "", mutable, "no", "delete snapshots that only served replication"),
	number("rdb-key-save-delay", "", hidden, math.MinInt32, maxInt, "0", "microseconds of delay per key saved, for tests"),
	number("key-load-delay", "", hidden, math.MinInt32, maxInt, "0", "microseconds of delay per key loaded, for tests"),
	number("loading-process-events-interval-bytes", "", hidden, 1024, maxInt, "2097152", "bytes loaded before clients get an answer; accepted"),
	boolean("stop-writes-on-bgsave-error", "", mutable, "yes", "refuse writes when the last snapshot failed"),

	// Append-only file
	boolean("appendonly", "", offline, "no", "log every write"),
	text("appendfilename", "", immutable, "appendonly.aof", "first part of the names of the log's files").checked(fileName("appendfilename", "filename", false)),
	text("appenddirname", "", immutable, "appendonlydir", "directory of the log, inside of dir").checked(fileName("appenddirname", "dirname", false)),
	choice("appendfsync", "", mutable, []string{"everysec", "always", "no"}, "everysec", "when the log is synced to disk"),
	boolean("no-appendfsync-on-rewrite", "", mutable, "no", "no syncs while a rewrite runs"),
	number("auto-aof-rewrite-percentage", "", mutable, 0, maxInt, "100", "growth that starts a rewrite; 0 for none"),
	memory("auto-aof-rewrite-min-size", "", mutable, 0, maxLong, "64mb", "smallest log that is rewritten"),
	boolean("aof-load-truncated", "", mutable, "yes", "start with a log whose end is torn"),
	boolean("aof-use-rdb-preamble", "", mutable, "yes", "write the base of the log as a snapshot"),
	boolean("aof-timestamp-enabled", "", mutable, "no", "write timestamps to the log"),
	boolean("aof-rewrite-incremental-fsync", "", mutable, "yes", "sync the rewritten log as it is written"),
	boolean("aof-disable-auto-gc", "", hidden, "no", "keep files of the log that are no longer needed"),
	choice("propagation-error-behavior", "", mutable, []string{"ignore", "panic", "panic-on-replicas"}, "ignore", "what to do when a command fails that comes from a master or the log"),

	// Replication
	special("replicaof", "slaveof", immutable|words, replicaofCodec{}, "no one", "host and port of the master"),
	text("masteruser", "", sensitive, "", "user to log in to the master"),
	text("masterauth", "", sensitive, "", "password to log in to the master"),
	boolean("replica-serve-stale-data", "slave-serve-stale-data", mutable, "yes", "answer while the master is not connected"),
	boolean("replica-read-only", "slave-read-only", mutable, "yes", "refuse writes of clients of a replica"),
	number("replica-priority", "slave-priority", mutable, 0, maxInt, "100", "rank for Sentinel; 0 is never promoted"),
	boolean("replica-announced", "", mutable, "yes", "whether Sentinel reports this replica"),
	text("replica-announce-ip", "slave-announce-ip", mutable, "", "address told to the master"),
	number("replica-announce-port", "slave-announce-port", mutable, 0, maxPort, "0", "port told to the master; 0 for the real one"),
	boolean("replica-lazy-flush", "slave-lazy-flush", mutable, "no", "empty the database in the background before a full sync"),
	boolean("replica-ignore-maxmemory", "slave-ignore-maxmemory", mutable, "yes", "leave eviction to the master"),
	boolean("replica-ignore-disk-write-errors", "", mutable, "no", "go on as a replica when the disk fails"),
	number("repl-ping-replica-period", "repl-ping-slave-period", mutable, 1, maxInt, "10", "seconds between pings to replicas"),
	number("repl-timeout", "", mutable, 1, maxInt, "60", "seconds after which a silent link is dead"),
	boolean("repl-disable-tcp-nodelay", "", mutable, "no", "fewer and larger packets to replicas"),
	memory("repl-backlog-size", "", mutable, 1, maxLong, "1mb", "bytes kept for partial resyncs, at least 16 KiB").atLeast(16 << 10),
	number("repl-backlog-ttl", "", mutable, 0, maxLong, "3600", "seconds that they are kept without a replica"),
	boolean("repl-diskless-sync", "", mutable, "yes", "send snapshots to replicas without a file"),
	number("repl-diskless-sync-delay", "", mutable, 0, maxInt, "5", "seconds to wait for more replicas"),
	number("repl-diskless-sync-max-replicas", "", mutable, 0, maxInt, "0", "replicas that end the wait; 0 for none"),
	choice("repl-diskless-load", "", mutable, []string{"disabled", "on-empty-db", "swapdb"}, "disabled", "load the master's snapshot without a file"),
	number("min-replicas-to-write", "min-slaves-to-write", mutable, 0, maxInt, "0", "replicas without which writes are refused"),
	number("min-replicas-max-lag", "min-slaves-max-lag", mutable, 0, maxInt, "10", "seconds of silence after which a replica does not count"),

	// Cluster
	boolean("cluster-enabled", "", immutable, "no", "run as a node of a cluster"),
	text("cluster-config-file", "", immutable, "nodes.conf", "state of the cluster as this node sees it"),
	number("cluster-port", "", immutable, 0, maxPort, "0", "port of the cluster bus; 0 for port + 10000"),
	number("cluster-node-timeout", "", mutable, 0, maxLong, "15000", "milliseconds after which a silent node is suspected"),
	number("cluster-replica-validity-factor", "cluster-slave-validity-factor", mutable, 0, maxInt, "10", "node timeouts without a master after which a replica does not take over"),
	number("cluster-migration-barrier", "", mutable, 0, maxInt, "1", "replicas that a master keeps when others move"),
	boolean("cluster-allow-replica-migration", "", mutable, "yes", "let replicas move to masters without any"),
	boolean("cluster-require-full-coverage", "", mutable, "yes", "refuse everything while a slot has no node"),
	boolean("cluster-replica-no-failover", "cluster-slave-no-failover", mutable, "no", "never take over by itself"),
	boolean("cluster-allow-reads-when-down", "", mutable, "no", "serve reads while the cluster is down"),
	boolean("cluster-allow-pubsubshard-when-down", "", mutable, "yes", "serve shard channels while the cluster is down"),
	memory("cluster-link-sendbuf-limit", "", mutable, 0, math.MaxUint64, "0", "bytes that may wait on one link of the bus; 0 for no limit"),
	text("cluster-announce-ip", "", mutable, "", "address told to other nodes"),
	number("cluster-announce-port", "", mutable, 0, maxPort, "0", "port told to other nodes; 0 for the real one"),
	number("cluster-announce-tls-port", "", mutable, 0, maxPort, "0", "TLS port told to other nodes; 0 for the real one"),
	number("cluster-announce-bus-port", "", mutable, 0, maxPort, "0", "bus port told to other nodes; 0 for the real one"),
	text("cluster-announce-hostname", "", mutable, "", "host name told to other nodes").checked(checkHostname),
	text("cluster-announce-human-nodename", "", mutable, "", "name for people to read").checked(checkNodeName),
	choice("cluster-preferred-endpoint-type", "", mutable, []string{"ip", "hostname", "unknown-endpoint"}, "ip", "what clients are redirected to"),

	// Scripts, events, statistics
	number("busy-reply-threshold", "lua-time-limit", mutable, 0, maxLong, "5000", "milliseconds after which a script makes others get BUSY; 0 for never"),
	boolean("lua-enable-deprecated-api", "", immutable|hidden, "no", "keep functions that Redis 7 took from scripts"),
	special("notify-keyspace-events", "", mutable, notifyCodec{}, "", "keyspace events that are published"),
	number("slowlog-log-slower-than", "", mutable, -1, maxLong, "10000", "microseconds from which a command is slow; -1 for none"),
	number("slowlog-max-len", "", mutable, 0, maxLong, "128", "entries of the slow log"),
	number("latency-monitor-threshold", "", mutable, 0, maxLong, "0", "milliseconds from which an event is recorded; 0 for none"),
	boolean("latency-tracking", "", mutable, "yes", "keep latency percentiles per command"),
	special("latency-tracking-info-percentiles", "", words, percentileCodec{}, "50 99 99.9", "percentiles shown by INFO"),
}

// clamp narrows the values that take effect without refusing the others.
func (p *param) clamp(lo, hi int64) *param {
	c := p.codec.(intCodec)
	c.clampMin, c.clampMax = lo, hi
	p.codec = c
	return p
}

// atLeast raises smaller values without refusing them.
func (p *param) atLeast(n uint64) *param {
	c := p.codec.(memoryCodec)
	c.clampMin = n
	p.codec = c
	return p
}

// checked adds a check to a text parameter.
func (p *param) checked(check func(string) error) *param {
	p.codec = stringCodec{check}
	return p
}
