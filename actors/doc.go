// Package actors is the server without its sockets: sessions, the actors that own the keys, and the commands about the
// server itself.
//
// # Terminology
//
//   - System: one server.
//   - Session: the state of one connection. The transport (netio) feeds it bytes and writes what it returns.
//   - Batch: the commands of one read, with their replies. It travels from shard to shard; ownership goes with it.
//   - shard: the actor that owns one slice of the keyspace.
//   - mailbox: the right to run a shard, handed from goroutine to goroutine; see mailbox.go.
//   - hop: the way of a batch from one shard to the next.
//   - hold: shards that a batch has borrowed to run one command, or a short pipeline, over all of them at one instant.
//   - runner: the top of a goroutine's stack while it drives batches. It drives them only while it holds nothing, so
//     that no shard is ever kept waiting by another one's work.
//   - own goroutine: where long work goes, so that event loops stay free.
//
// # Who may do what
//
// A shard's keyspace is touched only by the goroutine that runs its mailbox, or by the batch that borrowed it. A
// session's fields belong to the transport's goroutine, and while a batch of it is under way to the batch's owner;
// what CLIENT LIST and INFO show of others is kept in atomics beside them. Nothing in a message handler waits.
//
// # Lifetimes
//
// The arguments of a batch alias the bytes given to Session.Feed until detach copies them, which happens before the
// batch changes goroutines. The output that Feed and Resume return is valid until the next call on the session.
//
// # Files
//
//	system.go clients.go cron.go       System, its sessions, its periodic work
//	session.go do.go                   Session; Local, a session without a socket
//	batch.go wide.go mailbox.go        how commands travel and where they run
//	shard.go expiry.go memory.go       shards and their upkeep
//	pause.go keyswalk.go shutdown.go   commands that end later than they begin
//	stats.go                           what INFO counts
//	clock.go clock_manual.go           time
//	cmd_*.go specs.go                  the commands about connections and the server
package actors
