package actors

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
)

func TestMemoryStats(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		c.run("DEBUG POPULATE 5000")
		c.run("SELECT 7")
		c.run("SET a 1 EX 100")
		fields := func(v any) map[string]any {
			list, m := v.(resp.Map), make(map[string]any)
			for i := 0; i < len(list); i += 2 {
				m[list[i].(string)] = list[i+1]
			}
			return m
		}
		flat := c.run("MEMORY STATS").([]any)
		c.run("HELLO 3")
		reply := c.run("MEMORY STATS").(resp.Map)
		require.Len(t, flat, len(reply))
		m := fields(reply)
		require.Equal(t, int64(5001), m["keys.count"])
		require.Greater(t, m["keys.bytes-per-key"], int64(20))
		require.Equal(t, m["total.allocated"].(int64)-m["overhead.total"].(int64), m["dataset.bytes"])
		require.NotContains(t, m, "db.1")
		main, seven := fields(m["db.0"]), fields(m["db.7"])
		require.Greater(t, main["overhead.hashtable.main"], int64(5000*8))
		require.Equal(t, int64(0), main["overhead.hashtable.expires"])
		require.Greater(t, seven["overhead.hashtable.expires"], int64(0))
		for _, name := range []string{"dataset.percentage", "peak.percentage", "fragmentation", "rss-overhead.ratio",
			"allocator-fragmentation.ratio", "allocator-rss.ratio"} {
			require.IsType(t, float64(0), m[name], name)
		}
		for _, name := range []string{"peak.allocated", "startup.allocated", "replication.backlog", "clients.slaves",
			"clients.normal", "cluster.links", "aof.buffer", "lua.caches", "functions.caches",
			"overhead.db.hashtable.lut", "overhead.db.hashtable.rehashing", "db.dict.rehashing.count",
			"allocator.allocated", "allocator.active", "allocator.resident", "allocator.muzzy",
			"allocator-fragmentation.bytes", "allocator-rss.bytes", "rss-overhead.bytes", "fragmentation.bytes"} {
			require.IsType(t, int64(0), m[name], name)
		}
		c.run("FLUSHALL")
		m = fields(c.run("MEMORY STATS"))
		require.Equal(t, int64(0), m["keys.bytes-per-key"])
		require.NotContains(t, m, "db.0")
	})
}

func TestMemoryDoctor(t *testing.T) {
	ts := newTestServer(t, 2)
	c := ts.connect()
	require.Contains(t, c.run("MEMORY DOCTOR"), "too little data")
	c.run("DEBUG POPULATE 60 big 200000")
	require.NotContains(t, c.run("MEMORY DOCTOR"), "too little")
	ts.stats.peakBytes.Store(1 << 40)
	c.pending.Store(10 << 20)
	text := c.run("MEMORY DOCTOR").(string)
	require.Contains(t, text, "Memory use was up to 1.00T")
	require.Contains(t, text, "Connections take 10.00M on average")
	c.run("HELLO 3")
	require.IsType(t, resp.Verbatim{}, c.run("MEMORY DOCTOR"))
}

func TestMemoryPurge(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		c.run("DEBUG POPULATE 2000")
		c.send("FLUSHALL", "MEMORY PURGE", "MEMORY MALLOC-STATS", "MEMORY USAGE nokey", "MEMORY NOSUCH", "DBSIZE")
		require.Equal(t, ok, c.reply())
		require.Equal(t, ok, c.reply())
		text := c.reply().(string)
		require.Equal(t, len(ts.shards)+3+7, strings.Count(text, "\n"))
		require.Nil(t, c.reply())
		require.Equal(t, resp.Error("ERR unknown subcommand 'NOSUCH'. Try MEMORY HELP."), c.reply())
		require.Equal(t, int64(0), c.reply())
	})
}

// TestUsedMemoryFalls: what INFO says follows the data up and down.
func TestUsedMemoryFalls(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		used := func() (n int64) {
			_, err := fmt.Sscan(c.info("memory", "used_memory"), &n)
			require.NoError(t, err)
			return n
		}
		empty := used()
		c.run("DEBUG POPULATE 20000")
		full := used()
		require.Greater(t, full, empty+20000*20)
		c.run("FLUSHALL")
		require.Less(t, used(), empty+20000)
	})
}
