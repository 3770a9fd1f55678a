package command

// Spec declares one command or subcommand. Everything else that the server says or decides about a command is derived
// from its Spec: arity check and gates, ACL categories, keys and routing, COMMAND INFO and DOCS, HELP.
//
// Specs are written as package variables and never change. NewTable copies them and fills in the derived fields, so
// that several servers in one process share nothing.
type Spec struct {
	// Name is lower case and, for a subcommand, without its container's.
	Name string
	// Group decides the documentation section and, unless Categories says otherwise, an ACL category. A subcommand
	// without a Group takes its container's.
	Group Group
	// Since is the version of Redis that introduced the command.
	Since string
	// Summary and Complexity are prose for COMMAND DOCS. A container without a handler needs no Complexity.
	Summary, Complexity string
	// DeprecatedSince and ReplacedBy are set together.
	DeprecatedSince, ReplacedBy string
	// SysCmd marks a command that is not meant for users.
	SysCmd bool
	// History lists what later versions changed: version, text.
	History [][2]string
	// Tips are hints for clients and proxies, such as "nondeterministic_output".
	Tips []string

	// Arity counts the words of the command with its name (and its container's): exactly n, or at least -n.
	Arity int
	Flags Flags
	// Categories, when not zero, replaces the ACL category that Group implies; NoCategory replaces it by nothing.
	// The categories that Flags imply are always added.
	Categories Category

	// Keys tells where the keys are, for COMMAND INFO and, unless KeysFunc is set, for AppendKeys.
	Keys KeySpecs
	// KeysFunc finds the keys of commands that key specs cannot describe or whose flags depend on the arguments.
	KeysFunc func(dst []KeyRef, args [][]byte) []KeyRef
	// Syntax describes the arguments in the notation of syntax.go.
	Syntax string

	// Subcommands makes the command a container. Its own Run is then used only when no subcommand is named.
	Subcommands []*Spec
	// Help holds the lines that X HELP prints for a container, without the title and the entry of HELP itself. The
	// lines of an explanation are indented by four spaces.
	Help []string

	// Scope tells where the command may run.
	Scope Scope
	// ScopeFunc, when set, tells it from the words of the command, where Scope cannot: what DEBUG needs depends on its
	// subcommand.
	ScopeFunc func(args [][]byte) Scope
	// HeavyWords, when not 0, is the number of words from which on the command is so large that it must leave the event
	// loop. Commands whose size shows in their words need no Heavy.
	HeavyWords int
	// Heavy estimates whether the command at hand is so large that it must leave the event loop; nil means never.
	Heavy func(*Ctx) bool
	// Work is PossibleWork for commands with Heavy, when their words can tell that they are small; p is not Open and has
	// the right number of words.
	Work func(p Partial) (elements int, limited bool)
	// Run executes the command and writes exactly one reply.
	Run func(*Ctx)

	// ID numbers the commands and subcommands of a table from 0 without gaps. Set by NewTable, as all that follows.
	ID int
	// FullName is "get", or "client|list" for a subcommand.
	FullName string
	// Container is the command that a subcommand belongs to.
	Container *Spec
	// OneKey is the position of the key in a command that has exactly one, always at the same place; otherwise 0.
	OneKey int
	// FirstKey, LastKey and KeyStep describe the keys in the way of COMMAND INFO before there were key specs, as far
	// as that goes; where it does not, Flags has MovableKeys.
	FirstKey, LastKey, KeyStep int

	acl       Category
	arguments []Argument
	subs      nameTable
}

// Has reports whether s has all these flags.
func (s *Spec) Has(f Flags) bool { return s.Flags&f == f }

// ArityOK reports whether a command of n words has a legal number of them.
func (s *Spec) ArityOK(n int) bool {
	if s.Arity >= 0 {
		return n == s.Arity
	}
	return n >= -s.Arity
}

// ACLCategories returns every category that s belongs to.
func (s *Spec) ACLCategories() Category { return s.acl }

// Arguments returns the parsed Syntax. The result is shared and must not be changed.
func (s *Spec) Arguments() []Argument { return s.arguments }

// Subcommand finds a subcommand by its own name, in any case.
func (s *Spec) Subcommand(name []byte) *Spec { return s.subs.lookup(name) }

// Group is the section of the documentation that a command stands in.
type Group string

// The groups of Redis.
const (
	GroupBitmap       Group = "bitmap"
	GroupCluster      Group = "cluster"
	GroupConnection   Group = "connection"
	GroupGeneric      Group = "generic"
	GroupGeo          Group = "geo"
	GroupHash         Group = "hash"
	GroupHyperLogLog  Group = "hyperloglog"
	GroupList         Group = "list"
	GroupModule       Group = "module"
	GroupPubSub       Group = "pubsub"
	GroupScripting    Group = "scripting"
	GroupSentinel     Group = "sentinel"
	GroupServer       Group = "server"
	GroupSet          Group = "set"
	GroupSortedSet    Group = "sorted-set"
	GroupStream       Group = "stream"
	GroupString       Group = "string"
	GroupTransactions Group = "transactions"
)

// Flags say what a command does and when it is allowed.
type Flags uint32

// The flags of Redis. COMMAND INFO shows them in this order, except for those marked internal.
const (
	// Write: may change keys.
	Write Flags = 1 << iota
	// ReadOnly: looks at keys and changes none.
	ReadOnly
	// DenyOOM: may need more memory, hence refused when memory is short.
	DenyOOM
	// Module: comes from a module.
	Module
	// Admin: for the operator of the server.
	Admin
	// PubSub: about publish and subscribe.
	PubSub
	// NoScript: not allowed in scripts.
	NoScript
	// Blocking: may wait.
	Blocking
	// Loading: allowed while the data set is being loaded.
	Loading
	// Stale: allowed on a replica whose data is stale.
	Stale
	// SkipMonitor: not shown by MONITOR.
	SkipMonitor
	// SkipSlowlog: not kept in the slow log.
	SkipSlowlog
	// Asking: a cluster node that imports the slot accepts it as if ASKING had come before.
	Asking
	// Fast: takes constant or logarithmic time.
	Fast
	// NoAuth: allowed before authentication.
	NoAuth
	// NoMandatoryKeys: may come without keys although it has key specs.
	NoMandatoryKeys
	// NoAsyncLoading: refused while a replica loads a data set and serves the old one.
	NoAsyncLoading
	// NoMulti: not allowed in a transaction.
	NoMulti
	// MovableKeys: FirstKey, LastKey and KeyStep do not tell all keys. Computed, never declared.
	MovableKeys
	// AllowBusy: allowed while a script runs for too long.
	AllowBusy

	// MayReplicate (internal): is no Write but may have effects to propagate.
	MayReplicate
	// Protected (internal): refused unless the configuration allows it, as enable-debug-command does.
	Protected
	// TouchesArbitraryKeys (internal): may expire keys that it does not name; their deletions are propagated one by
	// one, not as one transaction.
	TouchesArbitraryKeys
	// Sentinel (internal): also known to a sentinel.
	Sentinel
	// OnlySentinel (internal): known to a sentinel only.
	OnlySentinel
	// NotQueued (internal): is run at once between MULTI and EXEC too.
	NotQueued
	// Composite (internal): runs other commands, which have their own flags and effects.
	Composite
	// Subscribing (internal): may be sent on a connection in RESP2 that has subscriptions.
	Subscribing
)

// flagNames are the names in COMMAND INFO, in its order; internal flags have none.
var flagNames = [...]struct {
	flag Flags
	name string
}{
	{Write, "write"},
	{ReadOnly, "readonly"},
	{DenyOOM, "denyoom"},
	{Module, "module"},
	{Admin, "admin"},
	{PubSub, "pubsub"},
	{NoScript, "noscript"},
	{Blocking, "blocking"},
	{Loading, "loading"},
	{Stale, "stale"},
	{SkipMonitor, "skip_monitor"},
	{SkipSlowlog, "skip_slowlog"},
	{Asking, "asking"},
	{Fast, "fast"},
	{NoAuth, "no_auth"},
	{NoMandatoryKeys, "no_mandatory_keys"},
	{NoAsyncLoading, "no_async_loading"},
	{NoMulti, "no_multi"},
	{MovableKeys, "movablekeys"},
	{AllowBusy, "allow_busy"},
}

// Scope tells where a command may run.
type Scope uint8

const (
	// ScopeKeys: on the shards of its keys; without any keys, wherever its batch is.
	ScopeKeys Scope = iota
	// ScopeLocal: touches only the session, so it runs wherever its batch is.
	ScopeLocal
	// ScopeServer: must not run on a shard.
	ScopeServer
	// ScopeAllShards: needs a hold of every shard.
	ScopeAllShards
	// ScopeLater: on shards that are known only when all commands before it have run.
	ScopeLater
)
