package actors

import (
	"crypto/sha1"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/invariants"
	"github.com/troupe-db/troupe/netio/resp"
)

// TestScriptsOfSeveralServers: what a batch keeps for its next script is not taken to the keys of another server.
func TestScriptsOfSeveralServers(t *testing.T) {
	const script = "return redis.call('incr', KEYS[1])"
	one, two := newTestServer(t, 2), newTestServer(t, 2)
	for range 20 {
		for _, ts := range []*testServer{one, two} {
			c := ts.connect()
			c.do("EVAL", script, "1", "n")
			c.s.Idle() // gives the batch back to the pool that all servers share
		}
	}
	for _, ts := range []*testServer{one, two} {
		require.Equal(t, "20", ts.connect().do("GET", "n"))
	}
}

// TestAllocations: transactions and short scripts stay nearly free of garbage, which event loops would pay for.
func TestAllocations(t *testing.T) {
	if invariants.Enabled {
		t.Skip("the race detector makes pools forget")
	}
	const script = "return redis.call('get', KEYS[1])"
	sum := sha1.Sum([]byte(script))
	sha := hex.EncodeToString(sum[:])
	transaction := []string{"MULTI"}
	for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		transaction = append(transaction, "SET "+key+" value")
	}
	transaction = append(transaction, "EXEC")
	for _, c := range []struct {
		name   string
		data   []byte
		budget float64
	}{
		{"GET", encode("GET a"), 1},
		{"EXEC of ten SETs", encode(transaction...), 1},
		{"EVALSHA of one GET", resp.AppendCommandStrings(nil, "EVALSHA", sha, "1", "a"), 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			ts := newTestServer(t, 4)
			conn := ts.connect()
			conn.do("SCRIPT", "LOAD", script)
			conn.do("SET", "a", "value")
			run := func() {
				out, _ := conn.s.Feed(c.data)
				if len(out) == 0 || out[0] == '-' {
					panic("not answered at once: " + string(out))
				}
				conn.s.Taken()
			}
			run()
			require.LessOrEqual(t, testing.AllocsPerRun(200, run), c.budget)
		})
	}
}
