// Package troupe runs a Redis-compatible data server inside a Go process.
//
// Start brings up a server; clients reach it over TCP, TLS or a unix socket as they would reach Redis 7.4, and the
// process itself through Do, without a socket:
//
//	srv, err := troupe.Start(troupe.Options{})
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer srv.Close()
//	client := redis.NewClient(&redis.Options{Addr: srv.Addr()})
//
// Servers share nothing: any number can run in one process. A server started without Options.Args touches no file.
// For tests, a ManualClock makes time stand still until it is advanced, and Options.Seed makes random choices repeat.
//
// # Map
//
// A troupe of actors owns the data. Every shard of the keyspace is an actor, and nothing else touches its keys.
//
//	gnet event loop ──parse──► Session ──Batch──► shard actor ──► command handler ──► keyspace
//	      ▲                                        (mailbox)         (one block)          │
//	      └───────── one write per burst ◄── replies appended to the batch, in order ◄────┘
//
//	netio/               sockets: gnet event loops, TLS, unix sockets, limits; netio/resp parses and writes the protocol
//	actors/              sessions, batches, mailboxes, shards, expiry; what commands do to the server itself
//	actors/config/       every parameter of redis.conf
//	datatypes/command/   the command table; a spec, its documentation and its handler stand in one block
//	datatypes/keyspace/  the keys of one shard: records, deadlines, walks; arena/, dict/ and deadline/ beneath it
//	datatypes/listpack/, intset/  small collections, packed in the record in Redis's own formats
//	datatypes/list/, hash/, set/, zset/, stream/  large ones: objects whose bulk lies in an arena
//	scripting/           Lua: interpreters, the redis library, functions; scripting/plan proves which keys a script uses
//	durability/rdb/      lengths, strings and checksums of the RDB format
//	datatypes/hll/, geo/, lzf/    representations and algorithms that commands share
//	cmd/troupe/          the program
//	integration/         tests from outside, benchmarks, the upstream suite
//
// To follow SET k v through the code: netio reads the bytes and calls actors.Session.Feed; that parses them into an
// actors.Batch, which a mailbox runs on the actors.shard of the key; its handler, command.setCommand, calls
// keyspace.DB.SetString; the reply goes back in the batch, and netio writes it.
//
// # Rules
//
// What the code keeps to, whatever changes:
//
//   - One owner: a keyspace is touched only by the goroutine that drains its shard's mailbox, or by the batch that the
//     shard is lent to.
//   - Program order: the commands of a connection take effect in the order they were sent, whatever shards they touch.
//   - One instant: a command sees and changes all its keys at one instant, with one reading of the clock.
//   - A reply leaves after its effect is visible to everyone.
//   - Nothing that grows with the data runs on an event loop or under another shard's hold.
//   - No waiting inside an actor: state and a message instead.
//   - Fail closed: what is wrong at start stops the start; a panic in one command costs that command only.
//
// # Choices that measurements changed
//
// The coordinator of a command over several shards is not an actor of its own but a role of the batch: it borrows the
// shards in ascending order and travels in their mailboxes where it must wait. That saves two messages per command and
// keeps the rule that ownership moves by message.
//
// With one event loop, a pipeline of four commands or more borrows all the shards it needs at once if they are idle,
// instead of hopping for each command; its look-ups then wait for memory together (actors/wide.go).
//
// netio knows nothing of actors: this package joins the two. The event loops are gnet's; accepting, writing and, while a
// loop is busy, waiting are netio's own (netio/doc.go, netio/spin_linux.go say why).
//
// EXEC and scripts are routed when they are reached, not when they are parsed: only then is it known which keys they have. A
// transaction or script whose keys lie on one shard runs there like any command. A script runs on an event loop only when
// scripting/plan has found that it is short whatever the data; others run on a goroutine of their own.
//
// A client in a blocking command waits in the queues of its keys, on their shards, and costs no goroutine. To serve BLMOVE the
// shard of the destination is needed too; it is taken before the command that makes the source ready runs, not after, so
// that shards are always taken in ascending order (actors/blocked.go).
//
// Pub/sub is not an actor. PUBLISH replies the number of receivers, inside EXEC and scripts too, where shards are held and
// nothing may be waited for; so the look-up is behind a mutex, and the writing is left to each receiver's event loop
// (actors/pubsub.go).
//
// KEYS sees one instant without holding a shard: it walks a cut of every shard, slice by slice (keyspace/cut.go).
//
// A large value starts in the arena of its database and gets an arena of its own at 512 KiB, by one copy of about a
// millisecond. From then on it is dropped, renamed to another shard and compacted without touching the others, and its
// memory is counted by itself (keyspace/object.go). Hashes, sets and sorted sets are frozen as a cut of their dict, not by
// copying on write: what is about to change is handed over first. Lists and streams have an order to keep; their chunks
// are copied on write.
//
// Above 256 bytes the arena has sixteen size classes per doubling, not eight: packed collections lie there, and lists of
// 200 elements take 4 % less.
package troupe
