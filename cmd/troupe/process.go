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

// tuneRuntime fits the runtime's memory management to the configuration, unless the environment says otherwise.
func tuneRuntime(v *config.Values) {
	if os.Getenv("GOMEMLIMIT") == "" && v.MaxMemory > 0 {
		debug.SetMemoryLimit(v.MaxMemory + v.MaxMemory/4 + 64<<20)
	}
}
