package integration

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestKeyspaceEventsAreAsRedis runs the commands of testdata/events.commands on a real redis-server and on ours, with all
// events on, and compares what is published, in order.
func TestKeyspaceEventsAreAsRedis(t *testing.T) {
	text, err := os.ReadFile("testdata/events.commands")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	want := eventLog(t, startRedis(t).Addr, lines)
	require.NotEmpty(t, want)
	for _, shards := range []string{"1", "2", "4"} {
		t.Run("shards"+shards, func(t *testing.T) {
			assert.Equal(t, want, eventLog(t, startTroupe(t, "--shards", shards).Addr, lines))
		})
	}
}

// eventLog returns the events of commands, each as its channel and message.
func eventLog(t *testing.T, addr string, lines []string) (events []string) {
	c, sub := dialWire(t, addr), dialWire(t, addr)
	c.ok("CONFIG", "SET", "notify-keyspace-events", "KEAmn")
	sub.do("PSUBSCRIBE", "__key*")
	for _, line := range lines {
		c.do(splitFact(t, line)...)
		require.NoError(t, c.err, line)
	}
	c.ok("SET", "short", "1", "PX", "1")
	for c.do("EXISTS", "short") == 1 {
	}
	require.Equal(t, 1, c.do("PUBLISH", "__keyend", ""))
	for {
		msg := array(sub.reply())
		require.NoError(t, sub.err)
		if msg[2] == "__keyend" {
			return events
		}
		events = append(events, msg[2].(string)+" "+msg[3].(string))
	}
}
