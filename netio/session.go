package netio

// Session is what netio knows of a client: bytes in, bytes out. It is called by one goroutine at a time, the one that
// serves the connection (an event loop, or for TLS whoever holds the connection's lock), and never after Gone.
type Session interface {
	// Feed takes what arrived. data is valid during the call. out is to be sent and is valid until the next call on the
	// session; closeAfter asks to close once everything given out so far is sent.
	Feed(data []byte) (out []byte, closeAfter bool)

	// Resume is the answer to Transport.Wake, with results as for Feed.
	Resume() (out []byte, closeAfter bool)

	// Disown makes the buffer of the last output the caller's for good: the session forgets it.
	Disown()

	// Taken tells that the output of the last call was sent or copied: the session may reuse its buffer at once.
	Taken()

	// Busy says whether commands fed earlier are still running, so that replies will come without anything else
	// happening. A client that waits (for a key, for a message) is not busy. It decides how long a connection is kept
	// whose peer sends no more, and how long Stop waits.
	Busy() bool

	// Wrote tells that pending bytes of output wait because the kernel did not take them, after each write that left
	// some and once when they are gone. closeNow drops the connection with its output.
	Wrote(pending int) (closeNow bool)

	// Tick comes about once a second.
	Tick(nowMs int64) (closeNow bool)

	// Gone ends it: the connection is closed or about to be, whoever asked for it.
	Gone()
}

// Transport is a connection as its session sees it. All methods may be called from any goroutine, also inside a
// call of the session and after its Gone (when they do nothing).
type Transport interface {
	// Wake makes the transport call Resume soon. Several wakes may lead to one Resume.
	Wake()

	// Kill closes the connection; output not yet taken by the kernel is lost.
	Kill()

	// Pending is how many bytes of output were accepted but not yet taken by the kernel.
	Pending() int
}

// ConnInfo describes a connection to Admit. Remote and Local have the form CLIENT LIST shows: "ip:port",
// "[ip6]:port", or "path:0" for a unix socket.
type ConnInfo struct {
	Remote, Local string
	Unix, TLS     bool
	FD            int
	Loopback      bool // the peer is on this machine
}

// Admit decides about a new connection, on the goroutine that will serve it. A nil session refuses it: refusal is
// sent as far as the socket takes it at once, and the connection is closed.
type Admit func(t Transport, info ConnInfo) (s Session, refusal []byte)
