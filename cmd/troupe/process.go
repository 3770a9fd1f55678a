package main

import (
	"bytes"
	"io"
	"os"
	"runtime/debug"

	"github.com/troupe-db/troupe/actors/config"
)

func newReader(b []byte) io.Reader { return bytes.NewReader(b) }

// withSocket makes sure that Start sees that a configuration was given: without arguments the program listens where
// redis.conf says by default, not where an embedded server would.
func withSocket(args []string) []string {
	if len(args) == 0 {
		return []string{"--port", "6379"}
	}
	return args
}

// gcPercent is the garbage collector's target. The data lies outside the Go heap, so that heap is small and a
// collection cheap, but at the default of 100 a heap of a few megabytes would be collected many times a second under
// load.
const gcPercent = 400

// tuneRuntime fits the runtime's memory management to the configuration, unless the environment says otherwise.
func tuneRuntime(v *config.Values) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" && v.MaxMemory > 0 {
		debug.SetMemoryLimit(v.MaxMemory + v.MaxMemory/4 + 64<<20)
	}
}
