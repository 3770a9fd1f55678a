package integration

import (
	"flag"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/integration/transcript"
)

var rewrite = flag.Bool("rewrite", false, "renew the expectations of testdata/*.txt with the replies of a real redis-server")

func loadTranscripts(t *testing.T) []*transcript.File {
	t.Helper()
	files, err := transcript.Load("testdata")
	require.NoError(t, err)
	return files
}

// TestTranscriptsRewrite writes the expectations, with -rewrite; otherwise it does nothing. Look at the difference before you commit it.
func TestTranscriptsRewrite(t *testing.T) {
	if !*rewrite {
		t.Skip("only with -rewrite")
	}
	redis := startRedis(t)
	for _, f := range loadTranscripts(t) {
		t.Run(f.Name, func(t *testing.T) {
			_, err := transcript.Rewrite(redis.Addr, f)
			require.NoError(t, err)
		})
	}
}

// TestTranscriptsOracle checks that real Redis still gives the replies we compare ourselves with, in every mode. It finds expectations that
// depend on chance or time.
func TestTranscriptsOracle(t *testing.T) {
	files := loadTranscripts(t)
	redis := startRedis(t)
	for _, o := range modes(0) {
		t.Run(o.String(), func(t *testing.T) {
			transcript.Run(t, redis.Addr, files, o)
		})
	}
}

// TestTranscripts runs every transcript on our server for several numbers of shards, in both protocols, one by one and pipelined: the
// replies must be those of Redis, and so the same in all of them.
func TestTranscripts(t *testing.T) {
	files := loadTranscripts(t)
	for _, shards := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("shards%d", shards), func(t *testing.T) {
			troupe := startTroupe(t, "--shards", strconv.Itoa(shards))
			for _, o := range modes(shards) {
				t.Run(o.String(), func(t *testing.T) {
					transcript.Run(t, troupe.Addr, files, o)
				})
			}
		})
	}
}

func modes(shards int) []transcript.Options {
	var out []transcript.Options
	for _, resp := range []int{2, 3} {
		for _, pipelined := range []bool{false, true} {
			out = append(out, transcript.Options{Resp: resp, Pipelined: pipelined, Shards: shards})
		}
	}
	return out
}
