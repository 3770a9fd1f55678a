package actors

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestInfoFields: every field that Redis 7.4.1 has is there, in the section where it has it.
func TestInfoFields(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		ts.SetListeners(1, []Listener{{Name: "tcp", Addrs: []string{"*"}, Port: 6379}})
		c := ts.connect()
		for _, cmd := range []string{"CONFIG RESETSTAT", "CONFIG GET hz", "COMMAND",
			"SELECT 3", "SET a 1", "SELECT 15", "SET a 1", "SELECT 0", "SET a 1"} {
			c.run(cmd)
		}
		got := make(map[string]map[string]bool)
		section := ""
		for line := range strings.SplitSeq(c.run("INFO everything").(string), "\r\n") {
			if title, is := strings.CutPrefix(line, "# "); is {
				section = title
				got[section] = make(map[string]bool)
			} else if name, _, is := strings.Cut(line, ":"); is {
				require.False(t, got[section][name], "%s twice", name)
				got[section][name] = true
			}
		}
		text, err := os.ReadFile("testdata/info-fields.txt")
		require.NoError(t, err)
		for name := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n") {
			if title, is := strings.CutPrefix(name, "# "); is {
				section = title
				require.Contains(t, got, section)
				continue
			}
			if section == "Persistence" && strings.HasPrefix(name, "aof_") && !got[section][name] {
				continue // there only while the append-only file is on
			}
			require.True(t, got[section][name], "%s: %s", section, name)
		}
	}, "--port", "6379")
}

func TestInfoSections(t *testing.T) {
	ts := newTestServer(t, 2)
	c := ts.connect()
	titles := func(args ...string) (all []string) {
		for _, m := range regexp.MustCompile(`(?m)^# (\w+)`).FindAllStringSubmatch(c.do(append([]string{"INFO"}, args...)...).(string), -1) {
			all = append(all, m[1])
		}
		return all
	}
	usual := titles()
	require.Contains(t, usual, "Server")
	require.NotContains(t, usual, "Commandstats")
	require.Equal(t, usual, titles("DEFAULT"))
	require.Contains(t, titles("all"), "Commandstats")
	require.Equal(t, []string{"Memory", "CPU"}, titles("cpu", "MEMORY", "memory"))
	require.Empty(t, titles("nosuch"))
	require.Equal(t, append(usual, "Commandstats"), append(titles("default"), "Commandstats"))
}

func TestInfoCounts(t *testing.T) {
	onShards(t, func(t *testing.T, ts *testServer) {
		c := ts.connect()
		c.run("SET a 1 PX 60000")
		c.run("MSET b 2 c 3 d 4")
		c.run("GET a")
		c.run("MGET a nokey")
		c.run("INCR")
		c.run("LPOP-IS-UNKNOWN")
		c.send("SUBSTR a 0 x")
		c.reply()
		require.Equal(t, "2", c.info("stats", "keyspace_hits"))
		require.Equal(t, "1", c.info("stats", "keyspace_misses"))
		require.Equal(t, "3", c.info("stats", "total_error_replies"))
		require.Equal(t, "count=3", c.info("errorstats", "errorstat_ERR"))
		require.Regexp(t, `^calls=1,usec=\d+,usec_per_call=[\d.]+,rejected_calls=0,failed_calls=0$`, c.info("commandstats", "cmdstat_mset"))
		require.Regexp(t, `^calls=0,.*,rejected_calls=1,failed_calls=0$`, c.info("commandstats", "cmdstat_incr"))
		require.Regexp(t, `^calls=1,.*,rejected_calls=0,failed_calls=1$`, c.info("commandstats", "cmdstat_substr"))
		require.Equal(t, "keys=4,expires=1,avg_ttl=60000,subexpiry=0", c.info("keyspace", "db0"))
		require.Equal(t, "4", c.info("persistence", "rdb_changes_since_last_save"))
		require.Equal(t, "1", c.info("clients", "connected_clients"))
	})
}
