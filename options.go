package troupe

import (
	"io"
	"log/slog"
	"time"

	"github.com/troupe-db/troupe/actors"
)

// Clock is the source of a server's time.
type Clock = actors.Clock

// Timer is a pending call of Clock.AfterFunc.
type Timer = actors.Timer

// ManualClock is a Clock that stands still until it is advanced.
type ManualClock = actors.ManualClock

// NewManualClock returns a clock that shows start.
func NewManualClock(start time.Time) *ManualClock { return actors.NewManualClock(start) }

// Options configure a server. The zero value listens on a free port of the loopback interface and keeps everything in
// memory.
type Options struct {
	// Args is the configuration as on the command line of the troupe program: [file] [--name value …]…, with the
	// parameters of redis.conf. With Args, the server listens where they say, unless Addr is set.
	Args []string
	// Stdin is read where Args contains "-".
	Stdin io.Reader

	// Addr is the TCP address to listen on, "host:port"; port 0 picks a free one. NoListener means none at all.
	Addr string

	// Shards is how many shards the keys are spread over, at most 64; 0 leaves it to Args, and those to the number of
	// processors.
	Shards int

	// Clock replaces the system's clock, for tests.
	Clock Clock
	// Seed, when not 0, makes random choices the same in every run that sends the same commands in the same order.
	Seed uint64

	// Log receives what the server has to say; nil discards it.
	Log *slog.Logger
}

// NoListener as Options.Addr: the server is reachable through Do only.
const NoListener = "none"
