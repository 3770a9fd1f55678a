package actors

import (
	"maps"
	"slices"

	"github.com/troupe-db/troupe/datatypes/command"
)

const subscribeFlags = command.PubSub | command.NoScript | command.Loading | command.Stale | command.Subscribing

// manyNames is how many words of SUBSCRIBE and the like keep an event loop too long.
const manyNames = 1000

// shardChannels is where the commands of sharded pub/sub have their channels, which are no keys but are routed as such by a
// cluster.
var shardChannels = command.KeySpecs{command.Range(1, -1, 1).Flags(command.NotKey)}

// SUBSCRIBE receives what is published to channels.
var subscribeSpec = command.Spec{
	Name: "subscribe", Group: command.GroupPubSub, Since: "2.0.0", Arity: -2, Flags: subscribeFlags,
	Summary: "Receives what is published to channels.", Complexity: "O(N) where N is the number of channels",
	Syntax: "channel...", Scope: command.ScopeServer, HeavyWords: manyNames,
	Run: func(c *command.Ctx) { subscribeTo(c, topicChannel) },
}

// PSUBSCRIBE receives what is published to channels whose names match patterns.
var psubscribeSpec = command.Spec{
	Name: "psubscribe", Group: command.GroupPubSub, Since: "2.0.0", Arity: -2, Flags: subscribeFlags,
	Summary: "Receives what is published to channels that match patterns.", Complexity: "O(N) where N is the number of patterns",
	Syntax: "pattern:pattern...", Scope: command.ScopeServer, HeavyWords: manyNames,
	Run: func(c *command.Ctx) { subscribeTo(c, topicPattern) },
}

// SSUBSCRIBE receives what is published to shard channels.
var ssubscribeSpec = command.Spec{
	Name: "ssubscribe", Group: command.GroupPubSub, Since: "7.0.0", Arity: -2, Flags: subscribeFlags,
	Summary: "Receives what is published to shard channels.", Complexity: "O(N) where N is the number of channels",
	Syntax: "shardchannel...", Scope: command.ScopeServer, Keys: shardChannels, HeavyWords: manyNames,
	Run: func(c *command.Ctx) { subscribeTo(c, topicShard) },
}

// UNSUBSCRIBE ends subscriptions to channels.
var unsubscribeSpec = command.Spec{
	Name: "unsubscribe", Group: command.GroupPubSub, Since: "2.0.0", Arity: -1, Flags: subscribeFlags,
	Summary: "Ends subscriptions to channels, or to all.", Complexity: "O(N) where N is the number of channels",
	Syntax: "[channel...]", Scope: command.ScopeServer, Heavy: manySubscriptions,
	Run: func(c *command.Ctx) { unsubscribeFrom(c, topicChannel) },
}

// PUNSUBSCRIBE ends subscriptions to patterns.
var punsubscribeSpec = command.Spec{
	Name: "punsubscribe", Group: command.GroupPubSub, Since: "2.0.0", Arity: -1, Flags: subscribeFlags,
	Summary: "Ends subscriptions to patterns, or to all.", Complexity: "O(N) where N is the number of patterns",
	Syntax: "[pattern:pattern...]", Scope: command.ScopeServer, Heavy: manySubscriptions,
	Run: func(c *command.Ctx) { unsubscribeFrom(c, topicPattern) },
}

// SUNSUBSCRIBE ends subscriptions to shard channels.
var sunsubscribeSpec = command.Spec{
	Name: "sunsubscribe", Group: command.GroupPubSub, Since: "7.0.0", Arity: -1, Flags: subscribeFlags,
	Summary: "Ends subscriptions to shard channels, or to all.", Complexity: "O(N) where N is the number of channels",
	Syntax: "[shardchannel...]", Scope: command.ScopeServer, Keys: shardChannels, Heavy: manySubscriptions,
	Run: func(c *command.Ctx) { unsubscribeFrom(c, topicShard) },
}

// PUBLISH sends a message to the subscribers of a channel.
var publishSpec = command.Spec{
	Name: "publish", Group: command.GroupPubSub, Since: "2.0.0", Arity: 3,
	Summary:    "Sends a message to the subscribers of a channel.",
	Complexity: "O(N+M) where N is the number of receivers and M is the number of patterns that anybody has subscribed to",
	Flags:      command.PubSub | command.Loading | command.Stale | command.Fast | command.MayReplicate,
	Syntax:     "channel message", Scope: command.ScopeServer, Heavy: manyReceivers,
	Run: func(c *command.Ctx) { c.Reply.Int(int64(session(c).sys.hub.publish(c.Args[1], c.Args[2]))) },
}

// SPUBLISH sends a message to the subscribers of a shard channel.
var spublishSpec = command.Spec{
	Name: "spublish", Group: command.GroupPubSub, Since: "7.0.0", Arity: 3,
	Summary:    "Sends a message to the subscribers of a shard channel.",
	Complexity: "O(N) where N is the number of receivers",
	Flags:      command.PubSub | command.Loading | command.Stale | command.Fast | command.MayReplicate,
	Syntax:     "shardchannel message", Scope: command.ScopeServer, Heavy: manyReceivers,
	Keys: command.KeySpecs{command.Range(1, 1, 1).Flags(command.NotKey)},
	Run:  func(c *command.Ctx) { c.Reply.Int(int64(session(c).sys.hub.publishShard(c.Args[1], c.Args[2]))) },
}

// PUBSUB looks at subscriptions.
var pubsubSpec = command.Spec{
	Name: "pubsub", Group: command.GroupPubSub, Since: "2.8.0", Arity: -2,
	Summary:    "Container of the commands that look at subscriptions.",
	Categories: command.NoCategory,
	Help: []string{
		"CHANNELS [<pattern>]",
		"    Show the channels that have subscribers, or those that match.",
		"NUMPAT",
		"    Show how many patterns have subscribers.",
		"NUMSUB [<channel> ...]",
		"    Show how many subscribers the channels have.",
		"SHARDCHANNELS [<pattern>]",
		"    Show the shard channels that have subscribers, or those that match.",
		"SHARDNUMSUB [<shardchannel> ...]",
		"    Show how many subscribers the shard channels have.",
	},
	Subcommands: []*command.Spec{
		pubsubNames("channels", "2.8.0", "channels", topicChannel),
		{
			Name: "help", Since: "6.2.0", Arity: 2, Flags: command.Loading | command.Stale, Scope: command.ScopeLocal,
			Categories: command.NoCategory, Summary: "Lists the subcommands of PUBSUB.", Complexity: "O(1)", Run: command.HelpCommand,
		},
		{
			Name: "numpat", Since: "2.8.0", Arity: 2, Flags: command.PubSub | command.Loading | command.Stale,
			Scope: command.ScopeServer, Summary: "Counts the patterns that have subscribers.", Complexity: "O(1)",
			Run: func(c *command.Ctx) { c.Reply.Int(int64(session(c).sys.hub.topics(topicPattern))) },
		},
		pubsubCounts("numsub", "2.8.0", "channel", topicChannel),
		pubsubNames("shardchannels", "7.0.0", "shard channels", topicShard),
		pubsubCounts("shardnumsub", "7.0.0", "shardchannel", topicShard),
	},
}

// pubsubNames makes the subcommand that lists the names of a kind.
func pubsubNames(name, since, what string, kind topicKind) *command.Spec {
	return &command.Spec{
		Name: name, Since: since, Arity: -2, Flags: command.PubSub | command.Loading | command.Stale,
		Scope: command.ScopeServer, Summary: "Lists the " + what + " that have subscribers.",
		Complexity: "O(N) where N is the number of " + what, Syntax: "[pattern:pattern]",
		Heavy: func(c *command.Ctx) bool { return session(c).sys.hub.topics(kind) > manyNames },
		Run: func(c *command.Ctx) {
			var pattern []byte
			switch len(c.Args) {
			case 2:
			case 3:
				pattern = c.Args[2]
			default:
				c.Reply.Error("ERR unknown subcommand or wrong number of arguments for '" + string(c.Args[1]) +
					"'. Try PUBSUB HELP.")
				return
			}
			names := session(c).sys.hub.match(kind, pattern)
			c.Reply.Array(len(names))
			for _, n := range names {
				c.Reply.BulkString(n)
			}
		},
	}
}

// pubsubCounts makes the subcommand that counts subscribers of names of a kind.
func pubsubCounts(name, since, word string, kind topicKind) *command.Spec {
	return &command.Spec{
		Name: name, Since: since, Arity: -2, Flags: command.PubSub | command.Loading | command.Stale,
		Scope: command.ScopeServer, Summary: "Counts the subscribers of each " + word + ".",
		Complexity: "O(N) where N is the number of names", Syntax: "[" + word + "...]", HeavyWords: manyNames,
		Run: func(c *command.Ctx) {
			names := c.Args[2:]
			c.Reply.Array(2 * len(names))
			for _, n := range names {
				c.Reply.Bulk(n)
				c.Reply.Int(int64(session(c).sys.hub.subscribers(kind, n)))
			}
		},
	}
}

// manyReceivers tells whether a message has so many receivers that an event loop should not queue it at all of them.
func manyReceivers(c *command.Ctx) bool {
	h := &session(c).sys.hub
	if c.Spec.Name == "spublish" {
		return h.subscribers(topicShard, c.Args[1]) > manyNames
	}
	return h.subscribers(topicChannel, c.Args[1]) > manyNames || h.topics(topicPattern) > manyNames
}

// manySubscriptions tells whether the session has so many subscriptions that to end all takes long.
func manySubscriptions(c *command.Ctx) bool {
	return session(c).subs.total > manyNames || len(c.Args) > manyNames
}

// What clients are told of a subscription, by the kind of its topic.
var (
	subscribed   = [topicKinds]string{"subscribe", "psubscribe", "ssubscribe"}
	unsubscribed = [topicKinds]string{"unsubscribe", "punsubscribe", "sunsubscribe"}
)

func subscribeTo(c *command.Ctx, kind topicKind) {
	s := session(c)
	if _, inProcess := s.transport.(localTransport); inProcess {
		c.Reply.Error("ERR SUBSCRIBE isn't allowed for a DENY BLOCKING client") // nobody would take its messages
		return
	}
	s.batch.told = true
	for _, name := range c.Args[1:] {
		s.subscribe(kind, name)
		s.tell(c, subscribed[kind], kind, name)
	}
}

func unsubscribeFrom(c *command.Ctx, kind topicKind) {
	s := session(c)
	s.batch.told = true
	names := c.Args[1:]
	if len(names) == 0 {
		for _, name := range slices.Sorted(maps.Keys(s.subs.names[kind])) {
			names = append(names, []byte(name))
		}
		if len(names) == 0 {
			s.tell(c, unsubscribed[kind], kind, nil)
		}
	}
	for _, name := range names {
		s.unsubscribe(kind, string(name))
		s.tell(c, unsubscribed[kind], kind, name)
	}
}

// tell appends what a client is told of each subscription that it makes or ends: how many it has now.
func (s *Session) tell(c *command.Ctx, what string, kind topicKind, name []byte) {
	n := s.subs.count[topicChannel].Load() + s.subs.count[topicPattern].Load()
	if kind == topicShard {
		n = s.subs.count[topicShard].Load()
	}
	c.Reply.Push(3)
	c.Reply.BulkString(what)
	if name == nil {
		c.Reply.Null()
	} else {
		c.Reply.Bulk(name)
	}
	c.Reply.Int(int64(n))
}
