package integration

import (
	"flag"
	"fmt"
	"slices"
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
	for _, g := range byServer(loadTranscripts(t)) {
		redis := startRedis(t, g.args...)
		for _, f := range g.files {
			t.Run(f.Name, func(t *testing.T) {
				_, err := transcript.Rewrite(redis.Addr, f)
				require.NoError(t, err)
			})
		}
	}
}

// serverFiles are transcripts that go with a server started with these options.
type serverFiles struct {
	args  []string
	files []*transcript.File
	addr  string
}

// byServer groups transcripts by the server they need.
func byServer(files []*transcript.File) []*serverFiles {
	var groups []*serverFiles
	for _, f := range files {
		i := slices.IndexFunc(groups, func(g *serverFiles) bool { return slices.Equal(g.args, f.Args) })
		if i < 0 {
			i = len(groups)
			groups = append(groups, &serverFiles{args: f.Args})
		}
		groups[i].files = append(groups[i].files, f)
	}
	return groups
}

// runTranscripts starts the servers that the transcripts need and runs them in every mode.
func runTranscripts(t *testing.T, shards int, start func(args ...string) *process) {
	groups := byServer(loadTranscripts(t))
	for _, g := range groups {
		g.addr = start(g.args...).Addr
	}
	for _, o := range modes(shards) {
		t.Run(o.String(), func(t *testing.T) {
			for _, g := range groups {
				transcript.Run(t, g.addr, g.files, o)
			}
		})
	}
}

// TestTranscriptsOracle checks that real Redis still gives the replies we compare ourselves with, in every mode. It finds expectations that
// depend on chance or time.
func TestTranscriptsOracle(t *testing.T) {
	runTranscripts(t, 0, func(args ...string) *process { return startRedis(t, args...) })
}

// TestTranscripts runs every transcript on our server for several numbers of shards, in both protocols, one by one and pipelined: the
// replies must be those of Redis, and so the same in all of them.
func TestTranscripts(t *testing.T) {
	for _, shards := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("shards%d", shards), func(t *testing.T) {
			runTranscripts(t, shards, func(args ...string) *process {
				return startTroupe(t, append([]string{"--shards", strconv.Itoa(shards)}, args...)...)
			})
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
	return append(out, transcript.Options{Resp: 2, Shards: shards, Within: transcript.Exec},
		transcript.Options{Resp: 3, Shards: shards, Within: transcript.Exec}, transcript.Options{Resp: 2, Shards: shards, Within: transcript.Script})
}
