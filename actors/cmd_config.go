package actors

import (
	"github.com/troupe-db/troupe/actors/config"
	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/datatypes/keyspace"
)

const configFlags = command.Admin | command.NoScript | command.Loading | command.Stale

// CONFIG shows and changes the parameters of the server.
var configSpec = command.Spec{
	Name: "config", Group: command.GroupServer, Since: "2.0.0", Arity: -2,
	Summary: "Container of the commands about the configuration.",
	Help: []string{
		"GET <pattern> [<pattern> ...]",
		"    Show the parameters whose names match one of the glob patterns.",
		"SET <parameter> <value> [<parameter> <value> ...]",
		"    Change parameters, all of them or none.",
		"RESETSTAT",
		"    Set the statistics of INFO back to zero.",
		"REWRITE",
		"    Bring the configuration file up to date.",
	},
	Subcommands: []*command.Spec{
		{
			Name: "get", Since: "2.0.0", Arity: -3, Flags: configFlags, Scope: command.ScopeServer,
			Summary:    "Returns parameters of the server.",
			Complexity: "O(N) where N is the number of parameters, times that of patterns",
			History:    [][2]string{{"7.0.0", "Several patterns at once."}},
			Syntax:     "parameter...",
			Heavy:      func(c *command.Ctx) bool { return len(c.Args) > 32 },
			Run:        configGet,
		},
		{
			Name: "help", Since: "5.0.0", Arity: 2, Flags: command.Loading | command.Stale, Scope: command.ScopeLocal,
			Summary: "Lists the subcommands of CONFIG.", Complexity: "O(1)", Run: command.HelpCommand,
		},
		{
			Name: "resetstat", Since: "2.0.0", Arity: 2, Flags: configFlags, Scope: command.ScopeServer,
			Summary:    "Sets the statistics of INFO back to zero.",
			Complexity: "O(1)",
			Tips:       []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
			Run: func(c *command.Ctx) {
				session(c).sys.resetStats()
				c.Reply.OK()
			},
		},
		{
			Name: "rewrite", Since: "2.8.0", Arity: 2, Flags: configFlags, Scope: command.ScopeServer,
			Summary:    "Writes the parameters into the configuration file.",
			Complexity: "O(1)",
			Tips:       []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
			Heavy:      always, // writes and syncs a file
			Run: func(c *command.Ctx) {
				if err := session(c).sys.cfg.Rewrite(); err != nil {
					c.Reply.Error(err.Error())
					return
				}
				c.Reply.OK()
			},
		},
		{
			Name: "set", Since: "2.0.0", Arity: -4, Flags: configFlags, Scope: command.ScopeServer,
			Summary:    "Changes parameters of the server.",
			Complexity: "O(N) where N is the number of parameters",
			History:    [][2]string{{"7.0.0", "Several parameters at once."}},
			Tips:       []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
			Syntax:     "data:{parameter value}...",
			Heavy:      always, // may open sockets and read certificates, or wait for another CONFIG
			Run:        configSet,
		},
	},
}

// always is Heavy of commands that must not run on an event loop.
func always(*command.Ctx) bool { return true }

func configGet(c *command.Ctx) {
	patterns := make([]string, len(c.Args)-2)
	for i, p := range c.Args[2:] {
		patterns[i] = string(p)
	}
	found := session(c).sys.cfg.Get(patterns...)
	c.Reply.Map(len(found) / 2)
	for _, text := range found {
		c.Reply.BulkString(text)
	}
}

func configSet(c *command.Ctx) {
	if len(c.Args)%2 != 0 {
		c.Reply.Error(command.MsgSyntax)
		return
	}
	s := session(c)
	pairs := make([][2]string, 0, len(c.Args)/2)
	for i := 2; i < len(c.Args); i += 2 {
		pairs = append(pairs, [2]string{string(c.Args[i]), string(c.Args[i+1])})
	}
	if err := s.sys.cfg.SetWith(config.SetOptions{Local: s.info.local()}, pairs); err != nil {
		c.Reply.Error(err.Error())
		return
	}
	c.Settings = s.sys.settings.Load() // for what follows in the same batch
	c.Reply.OK()
}

// local tells whether the client is on this machine.
func (i ConnInfo) local() bool { return i.Unix || i.Loopback }

// configChanged takes over what the actors keep of the configuration. It runs under the lock of the configuration,
// hence may not post to anybody: shards look at shardConfig whenever they begin something.
func (sys *System) configChanged(old, v *config.Values) {
	settings := settingsOf(v)
	settings.ListPlainFrom = int(sys.plainFrom.Load())
	sys.settings.Store(settings)
	k := shardConfig{
		keyspace: keyspace.Config{LFU: isLFU(v), LFULogFactor: v.LFULogFactor, LFUDecayMin: v.LFUDecayTimeMin},
		notify:   v.NotifyKeyspaceEvents,
	}
	if was := sys.shardConfig.Load(); was == nil || *was != k {
		sys.shardConfig.Store(&k)
	}
	if old.LogLevel != v.LogLevel {
		SetLogLevel(v.LogLevel)
	}
}

// shardConfig is what shards look at of the configuration.
type shardConfig struct {
	keyspace keyspace.Config
	notify   config.NotifyFlags
}

// resetStats sets the statistics back to zero. As in Redis, the peak of memory stays.
func (sys *System) resetStats() {
	sys.eachStats((*cmdStats).reset)
	sys.errors.reset()
	st := &sys.stats
	st.connections.Store(0)
	st.rejectedConns.Store(0)
	st.reads.Store(0)
	st.writes.Store(0)
	st.authDenied.Store(0)
	sys.queryLimitHits.Store(0)
	sys.outputLimitHits.Store(0)

	var hits, misses, expired int64
	for _, s := range sys.shards {
		hits += int64(s.published.hits.Load())
		misses += int64(s.published.misses.Load())
		expired += int64(s.published.expired.Load())
	}
	b := &sys.baseline
	b.netIn.Store(sys.netIn.Load())
	b.netOut.Store(sys.netOut.Load())
	b.hits.Store(hits)
	b.misses.Store(misses)
	b.expired.Store(expired)
	b.evictedScripts.Store(sys.scripts.Stats().Evicted)
	sys.actors.Root.Send(sys.expiry.pid, resetRatesMsg{})
}
