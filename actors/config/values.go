package config

import (
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Values is one state of all parameters. It is immutable; slices in it must not be modified.
//
// Fields show parameters by the name in their tag. A parameter of bytes is an int64 (a larger value reads as MaxInt64),
// a choice is a string, or with ",index" the position of the string in the list of choices. Parameters without a field
// can be read by name with Text.
type Values struct {
	// Network.
	Port                        int                        `config:"port"`
	Bind                        []string                   `config:"bind"`
	BindSourceAddr              string                     `config:"bind-source-addr"`
	UnixSocket                  string                     `config:"unixsocket"`
	UnixSocketPerm              int                        `config:"unixsocketperm"`
	TCPBacklog                  int                        `config:"tcp-backlog"`
	TCPKeepaliveSec             int                        `config:"tcp-keepalive"`
	TimeoutSec                  int                        `config:"timeout"`
	MaxClients                  int                        `config:"maxclients"`
	MaxNewConnsPerCycle         int                        `config:"max-new-connections-per-cycle"`
	MaxNewTLSConnsPerCycle      int                        `config:"max-new-tls-connections-per-cycle"`
	SocketMarkID                int                        `config:"socket-mark-id"`
	ProtectedMode               bool                       `config:"protected-mode"`
	ClientQueryBufferLimitBytes int64                      `config:"client-query-buffer-limit"`
	OutputLimits                [outputClasses]OutputLimit `config:"client-output-buffer-limit"`
	ProtoMaxBulkLen             int64                      `config:"proto-max-bulk-len"`
	MaxMemoryClients            MemoryLimit                `config:"maxmemory-clients"`

	// TLS.
	TLSPort                int    `config:"tls-port"`
	TLSCertFile            string `config:"tls-cert-file"`
	TLSKeyFile             string `config:"tls-key-file"`
	TLSKeyFilePass         string `config:"tls-key-file-pass"`
	TLSClientCertFile      string `config:"tls-client-cert-file"`
	TLSClientKeyFile       string `config:"tls-client-key-file"`
	TLSClientKeyFilePass   string `config:"tls-client-key-file-pass"`
	TLSCACertFile          string `config:"tls-ca-cert-file"`
	TLSCACertDir           string `config:"tls-ca-cert-dir"`
	TLSAuthClients         string `config:"tls-auth-clients"`
	TLSReplication         bool   `config:"tls-replication"`
	TLSProtocols           string `config:"tls-protocols"`
	TLSCiphers             string `config:"tls-ciphers"`
	TLSSessionCaching      bool   `config:"tls-session-caching"`
	TLSSessionCacheSize    int    `config:"tls-session-cache-size"`
	TLSSessionCacheTimeout int    `config:"tls-session-cache-timeout"`

	// General.
	Daemonize          bool          `config:"daemonize"`
	Supervised         string        `config:"supervised"`
	PidFile            string        `config:"pidfile"`
	LogLevel           string        `config:"loglevel"`
	LogFile            string        `config:"logfile"`
	SyslogEnabled      bool          `config:"syslog-enabled"`
	SyslogIdent        string        `config:"syslog-ident"`
	SyslogFacility     string        `config:"syslog-facility"`
	HideUserData       bool          `config:"hide-user-data-from-log"`
	AlwaysShowLogo     bool          `config:"always-show-logo"`
	SetProcTitle       bool          `config:"set-proc-title"`
	ProcTitleTemplate  string        `config:"proc-title-template"`
	Databases          int           `config:"databases"`
	Hz                 int           `config:"hz"`
	DynamicHz          bool          `config:"dynamic-hz"`
	ShutdownTimeoutSec int           `config:"shutdown-timeout"`
	ShutdownOnSigint   ShutdownFlags `config:"shutdown-on-sigint"`
	ShutdownOnSigterm  ShutdownFlags `config:"shutdown-on-sigterm"`
	OOMScoreAdj        string        `config:"oom-score-adj"`
	OOMScoreAdjValues  [3]int        `config:"oom-score-adj-values"`
	DisableTHP         bool          `config:"disable-thp"`
	Shards             int           `config:"shards"`
	EventLoops         int           `config:"event-loops"`

	// Security.
	RequirePass            string `config:"requirepass"`
	ACLFile                string `config:"aclfile"`
	ACLPubsubDefault       string `config:"acl-pubsub-default"`
	ACLLogMaxLen           int64  `config:"acllog-max-len"`
	EnableProtectedConfigs string `config:"enable-protected-configs"`
	EnableDebugCommand     string `config:"enable-debug-command"`
	EnableModuleCommand    string `config:"enable-module-command"`

	// Memory.
	MaxMemory              int64  `config:"maxmemory"`
	MaxMemoryPolicy        string `config:"maxmemory-policy"`
	MaxMemoryPolicyIndex   int    `config:"maxmemory-policy,index"`
	MaxMemorySamples       int    `config:"maxmemory-samples"`
	EvictionTenacity       int    `config:"maxmemory-eviction-tenacity"`
	LFULogFactor           int    `config:"lfu-log-factor"`
	LFUDecayTimeMin        int    `config:"lfu-decay-time"`
	ActiveExpireEffort     int    `config:"active-expire-effort"`
	LazyFreeEviction       bool   `config:"lazyfree-lazy-eviction"`
	LazyFreeExpire         bool   `config:"lazyfree-lazy-expire"`
	LazyFreeServerDel      bool   `config:"lazyfree-lazy-server-del"`
	LazyFreeUserDel        bool   `config:"lazyfree-lazy-user-del"`
	LazyFreeUserFlush      bool   `config:"lazyfree-lazy-user-flush"`
	ActiveDefrag           bool   `config:"activedefrag"`
	DefragIgnoreBytes      int64  `config:"active-defrag-ignore-bytes"`
	DefragThresholdLower   int    `config:"active-defrag-threshold-lower"`
	DefragThresholdUpper   int    `config:"active-defrag-threshold-upper"`
	DefragCycleMin         int    `config:"active-defrag-cycle-min"`
	DefragCycleMax         int    `config:"active-defrag-cycle-max"`
	DefragMaxScanFields    int64  `config:"active-defrag-max-scan-fields"`
	TrackingTableMaxKeys   int64  `config:"tracking-table-max-keys"`
	HashMaxListpackEntries int64  `config:"hash-max-listpack-entries"`
	HashMaxListpackValue   int64  `config:"hash-max-listpack-value"`
	ListMaxListpackSize    int    `config:"list-max-listpack-size"`
	ListCompressDepth      int    `config:"list-compress-depth"`
	SetMaxIntsetEntries    int64  `config:"set-max-intset-entries"`
	SetMaxListpackEntries  int64  `config:"set-max-listpack-entries"`
	SetMaxListpackValue    int64  `config:"set-max-listpack-value"`
	ZsetMaxListpackEntries int64  `config:"zset-max-listpack-entries"`
	ZsetMaxListpackValue   int64  `config:"zset-max-listpack-value"`
	HLLSparseMaxBytes      int64  `config:"hll-sparse-max-bytes"`
	StreamNodeMaxBytes     int64  `config:"stream-node-max-bytes"`
	StreamNodeMaxEntries   int64  `config:"stream-node-max-entries"`

	// Snapshots and the append-only file.
	Save                     []SavePoint `config:"save"`
	DBFilename               string      `config:"dbfilename"`
	Dir                      string      `config:"dir"`
	RDBCompression           bool        `config:"rdbcompression"`
	RDBChecksum              bool        `config:"rdbchecksum"`
	RDBVersion               int         `config:"rdb-version"`
	RDBIncrementalFsync      bool        `config:"rdb-save-incremental-fsync"`
	RDBDelSyncFiles          bool        `config:"rdb-del-sync-files"`
	RDBKeySaveDelayUs        int         `config:"rdb-key-save-delay"`
	KeyLoadDelayUs           int         `config:"key-load-delay"`
	StopWritesOnBgsaveError  bool        `config:"stop-writes-on-bgsave-error"`
	AppendOnly               bool        `config:"appendonly"`
	AppendFilename           string      `config:"appendfilename"`
	AppendDirname            string      `config:"appenddirname"`
	AppendFsync              string      `config:"appendfsync"`
	NoAppendFsyncOnRewrite   bool        `config:"no-appendfsync-on-rewrite"`
	AutoAOFRewritePercentage int         `config:"auto-aof-rewrite-percentage"`
	AutoAOFRewriteMinSize    int64       `config:"auto-aof-rewrite-min-size"`
	AOFLoadTruncated         bool        `config:"aof-load-truncated"`
	AOFUseRDBPreamble        bool        `config:"aof-use-rdb-preamble"`
	AOFTimestampEnabled      bool        `config:"aof-timestamp-enabled"`
	AOFIncrementalFsync      bool        `config:"aof-rewrite-incremental-fsync"`
	AOFDisableAutoGC         bool        `config:"aof-disable-auto-gc"`
	PropagationErrorBehavior string      `config:"propagation-error-behavior"`

	// Replication.
	ReplicaOf                    ReplicaOf `config:"replicaof"`
	MasterUser                   string    `config:"masteruser"`
	MasterAuth                   string    `config:"masterauth"`
	ReplicaServeStaleData        bool      `config:"replica-serve-stale-data"`
	ReplicaReadOnly              bool      `config:"replica-read-only"`
	ReplicaPriority              int       `config:"replica-priority"`
	ReplicaAnnounced             bool      `config:"replica-announced"`
	ReplicaAnnounceIP            string    `config:"replica-announce-ip"`
	ReplicaAnnouncePort          int       `config:"replica-announce-port"`
	ReplicaLazyFlush             bool      `config:"replica-lazy-flush"`
	ReplicaIgnoreMaxMemory       bool      `config:"replica-ignore-maxmemory"`
	ReplicaIgnoreDiskWriteErrors bool      `config:"replica-ignore-disk-write-errors"`
	ReplPingReplicaPeriodSec     int       `config:"repl-ping-replica-period"`
	ReplTimeoutSec               int       `config:"repl-timeout"`
	ReplDisableTCPNodelay        bool      `config:"repl-disable-tcp-nodelay"`
	ReplBacklogSize              int64     `config:"repl-backlog-size"`
	ReplBacklogTTLSec            int64     `config:"repl-backlog-ttl"`
	ReplDisklessSync             bool      `config:"repl-diskless-sync"`
	ReplDisklessSyncDelaySec     int       `config:"repl-diskless-sync-delay"`
	ReplDisklessSyncMaxReplicas  int       `config:"repl-diskless-sync-max-replicas"`
	ReplDisklessLoad             string    `config:"repl-diskless-load"`
	MinReplicasToWrite           int       `config:"min-replicas-to-write"`
	MinReplicasMaxLagSec         int       `config:"min-replicas-max-lag"`

	// Cluster.
	ClusterEnabled             bool   `config:"cluster-enabled"`
	ClusterConfigFile          string `config:"cluster-config-file"`
	ClusterPort                int    `config:"cluster-port"`
	ClusterNodeTimeoutMs       int64  `config:"cluster-node-timeout"`
	ClusterRequireFullCoverage bool   `config:"cluster-require-full-coverage"`
	ClusterAnnounceIP          string `config:"cluster-announce-ip"`
	ClusterAnnouncePort        int    `config:"cluster-announce-port"`
	ClusterAnnounceTLSPort     int    `config:"cluster-announce-tls-port"`
	ClusterAnnounceBusPort     int    `config:"cluster-announce-bus-port"`
	ClusterAnnounceHostname    string `config:"cluster-announce-hostname"`
	ClusterPreferredEndpoint   string `config:"cluster-preferred-endpoint-type"`
	ClusterAllowReadsWhenDown  bool   `config:"cluster-allow-reads-when-down"`
	ClusterAllowPubsubWhenDown bool   `config:"cluster-allow-pubsubshard-when-down"`
	ClusterLinkSendbufLimit    int64  `config:"cluster-link-sendbuf-limit"`
	ClusterAnnounceNodename    string `config:"cluster-announce-human-nodename"`

	// Scripts, events, statistics.
	BusyReplyThresholdMs       int64       `config:"busy-reply-threshold"`
	NotifyKeyspaceEvents       NotifyFlags `config:"notify-keyspace-events"`
	SlowlogLogSlowerThanUs     int64       `config:"slowlog-log-slower-than"`
	SlowlogMaxLen              int64       `config:"slowlog-max-len"`
	LatencyMonitorThresholdMs  int64       `config:"latency-monitor-threshold"`
	LatencyTracking            bool        `config:"latency-tracking"`
	LatencyTrackingPercentiles []float64   `config:"latency-tracking-info-percentiles"`

	all []any // by param.index: what the codec parsed
}

// Text returns the parameter as CONFIG GET prints it. The name may be an alias, in any case. ok is false if there is none.
func (v *Values) Text(name string) (text string, ok bool) {
	p := lookup(name)
	if p == nil {
		return "", false
	}
	return v.text(p), true
}

// Path resolves a file name against dir; an absolute one is left alone.
func (v *Values) Path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(v.Dir, name)
}

func (v *Values) text(p *param) string { return p.codec.format(v.all[p.index]) }

func (v *Values) clone() *Values {
	next := *v
	next.all = slices.Clone(v.all)
	return &next
}

// assign REQUIRES: v is not published yet; val comes from p's codec.
func (v *Values) assign(p *param, val any) {
	v.all[p.index] = val
	for _, i := range p.fields {
		field := reflect.ValueOf(v).Elem().Field(i)
		switch val := val.(type) {
		case int64:
			field.SetInt(val)
		case uint64:
			field.SetInt(int64(min(val, math.MaxInt64)))
		case string:
			if field.Kind() == reflect.Int {
				field.SetInt(int64(slices.Index(p.codec.(enumCodec).names, val)))
			} else {
				field.SetString(val)
			}
		default:
			field.Set(reflect.ValueOf(val))
		}
	}
}

// bindFields finds the fields of Values for each parameter and panics on a tag that names none.
func bindFields(byName map[string]entry) {
	t := reflect.TypeFor[Values]()
	for i := range t.NumField() {
		tag, tagged := t.Field(i).Tag.Lookup("config")
		if !tagged {
			continue
		}
		name, index := strings.CutSuffix(tag, ",index")
		p := byName[name].param
		if p == nil {
			panic("config: a field is bound to an unknown parameter: " + tag)
		}
		if _, isEnum := p.codec.(enumCodec); index && !isEnum {
			panic("config: not a choice: " + tag)
		}
		p.fields = append(p.fields, i)
	}
}
