// Package netio is everything about sockets: it listens, accepts, reads, writes and closes. What the bytes mean is the
// business of a Session, which the layer above supplies through Options.Admit. It is the only importer of gnet.
//
// # Terms
//
// A loop is a gnet event loop, one goroutine that serves many connections. A conn is a connection with its socket; a
// session is what the layer above keeps for it. A transport is a conn as its session sees it. Output waits when
// the kernel has not taken it because the client reads too slowly.
//
// # How a burst goes
//
//	gnet reads ─► OnTraffic ─► Session.Feed ─► write(2) ─► what the socket did not take: outQueue ─► writableWatch
//	any goroutine ─► Transport.Wake ─► loop.post ─► loop.leave or loop.run ─► Session.Resume ─► write(2)
//
// Plain TCP and unix sockets are served by the loops: an idle connection costs memory but no goroutine. TLS is served by
// a goroutine per connection (stream.go), since crypto/tls blocks; so are the last replies to a client that has
// closed its sending half while commands of its were still running.
//
// # What is gnet's and what is ours
//
// gnet polls, reads and runs what other goroutines want done on a loop. Accepting is ours, because gnet's acceptor
// ends the whole engine when accept(2) fails for want of descriptors, deletes whatever is at the path of a unix socket,
// has no say in the backlog, and cannot add a listener to a running engine. So connections are accepted with net and
// enrolled in the loops of a gnet.Client, at nearly the same CPU per connection (connect and one PING, medians of nine
// runs: 41 µs, 38 with gnet's acceptor, 28 of redis-server). Writing is ours, because gnet does not tell when waiting
// output is gone, which closing after the last reply, client-output-buffer-limit and a shutdown that loses no reply
// all need.
//
// # Ownership
//
// A session is called by one goroutine at a time: the goroutine of its loop, or whoever holds the lock of its
// streamConn. Between calls of one session there is always a happens-before edge. Transport's methods and
// Server's methods may be called from anywhere.
//
// # Caveats
//
// The data given to Feed lies in the loop's read buffer and dies when Feed returns. What Feed and Resume return is
// written or copied before the next call.
//
// Reading goes on while output waits, as in Redis: a client that sends without reading is bounded by the limits that
// Session.Wrote and Session.Tick enforce, and nothing else.
//
// A socket is closed by the goroutine that serves it; descriptors are never used by another one, except by the
// writable watch, which is told before.
//
// # Files
//
//	server.go    Server: Open, Start, Rebind, ReloadTLS, Stop
//	session.go   what netio and the layer above know of each other
//	listen.go    listening sockets: addresses, ports, unix sockets
//	accept.go    from accept(2) to a loop or a TLS goroutine
//	loop.go      our side of an event loop: who wants to be looked at, ticks, gnet's events
//	spin_linux.go  how a busy loop serves its sockets without the scheduler's notice
//	conn.go      a connection on a loop
//	keepalive_*.go  how connections come to their keep-alive settings
//	stream.go    a connection on a goroutine
//	nowait.go    how that writes without waiting
//	outqueue.go  output that waits; writable.go: when it can go on
//	tls.go, ciphers.go, keypem.go   TLS configuration
//	limits.go    the limit on open files
//	log.go       gnet's log
package netio
