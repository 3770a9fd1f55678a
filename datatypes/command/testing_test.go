package command

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/dict"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// testStartMs is the instant at which the clock of a testCtx stands until advance moves it.
const testStartMs = 1_700_000_000_000

// testCtx runs commands in process: table lookup and handler over a few shards, at a fixed time and with fixed
// randomness. It records what handlers report besides their replies.
type testCtx struct {
	*Ctx
	tb     testing.TB
	shards []*keyspace.Shard
	out    resp.Writer
	client testClient
	log    []string
}

// newTestCtx returns a testCtx over so many shards of 16 databases.
func newTestCtx(tb testing.TB, shards int) *testCtx {
	s := &testCtx{Ctx: &Ctx{}, tb: tb}
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range shards {
		sh := keyspace.NewShard(keyspace.Options{
			ID: i, Databases: 16, NowMs: testStartMs, Rand: rnd.Uint64, Later: func(work func()) { work() },
		})
		sh.Observer, sh.ReapFields = s, ReapFields
		s.shards = append(s.shards, sh)
	}
	tb.Cleanup(func() {
		for _, sh := range s.shards {
			sh.Release()
		}
	})
	s.client.ctx = s.Ctx
	s.Reply, s.Client, s.Rand, s.Journal = &s.out, &s.client, rnd.Uint64, s
	s.Settings = &Settings{
		MaxStringBytes: 512 << 20, HashMaxListpackEntries: 128, HashMaxListpackValue: 64, SetMaxIntsetEntries: 512,
		SetMaxListpackEntries: 128, SetMaxListpackValue: 64, ZSetMaxListpackEntries: 128, ZSetMaxListpackValue: 64,
		ListMaxListpackSize: -2, StreamNodeMaxBytes: 4096, StreamNodeMaxEntries: 100, HLLSparseMaxBytes: 3000,
	}
	s.Bind(NewTable(Builtin()), s.shards)
	s.NowMs = testStartMs
	return s
}

// run runs one command, given as a line that is split as redis-cli does, and returns its reply as render writes it.
func (s *testCtx) run(line string) string {
	s.tb.Helper()
	args, ok := resp.SplitArgs([]byte(line), nil)
	require.True(s.tb, ok, "unbalanced quotes: %s", line)
	return render(s.call(args))
}

// do runs one command given as words.
func (s *testCtx) do(words ...string) string {
	args := make([][]byte, len(words))
	for i, w := range words {
		args[i] = []byte(w)
	}
	return render(s.call(args))
}

// call runs one command and returns the bytes of its reply, which are valid until the next call.
func (s *testCtx) call(args [][]byte) []byte {
	s.out.Buf = s.out.Buf[:0]
	spec, msg := s.Table().Resolve(args)
	if msg != "" {
		s.out.Error(msg)
		return s.out.Buf
	}
	key, hash := spec.OneKey, uint64(0)
	if key > 0 {
		hash = dict.Hash(args[key])
	}
	s.Begin(spec, args, key, hash)
	spec.Run(s.Ctx)
	s.Finish()
	return s.out.Buf
}

// heavy tells what the command says of its own weight.
func (s *testCtx) heavy(line string) bool {
	s.tb.Helper()
	args, ok := resp.SplitArgs([]byte(line), nil)
	require.True(s.tb, ok, "unbalanced quotes: %s", line)
	spec, msg := s.Table().Resolve(args)
	require.Empty(s.tb, msg)
	s.Begin(spec, args, 0, 0)
	return spec.HeavyWords != 0 && len(args) >= spec.HeavyWords || spec.Heavy != nil && spec.Heavy(s.Ctx)
}

// check runs commands and compares the replies: line, reply, line, reply and so on.
func (s *testCtx) check(linesAndReplies ...string) {
	s.tb.Helper()
	for i := 0; i < len(linesAndReplies); i += 2 {
		require.Equal(s.tb, linesAndReplies[i+1], s.run(linesAndReplies[i]), "reply to %s", linesAndReplies[i])
	}
}

// advance moves the clock of the server.
func (s *testCtx) advance(ms int64) {
	s.NowMs += ms
	for _, sh := range s.shards {
		sh.NowMs = s.NowMs
	}
}

// took returns what was reported since the last call:
//
//	modified KEY, flushed DB      what WATCH and client-side caching learn
//	EVENT KEY                     a keyspace event, as set k
//	gone KEY                      a key that went because of its deadline; the event expired follows
//	gone from KEY FIELD ...       fields that went because of their deadlines; the event hexpired follows
//	> WORD ...                    an effect for the journal
func (s *testCtx) took() []string {
	log := s.log
	s.log = nil
	return log
}

// tookFrom runs a command and returns what it reported.
func (s *testCtx) tookFrom(line string) []string {
	s.tb.Helper()
	s.took()
	s.run(line)
	return s.took()
}

// Modified implements keyspace.Observer.
func (s *testCtx) Modified(_ *keyspace.DB, key []byte) { s.note("modified ", key) }

// Event implements keyspace.Observer.
func (s *testCtx) Event(_ *keyspace.DB, _ keyspace.EventClass, name string, key []byte) {
	s.note(name+" ", key)
}

// Expired implements keyspace.Observer.
func (s *testCtx) Expired(_ *keyspace.DB, key []byte) { s.note("gone ", key) }

// FieldsExpired implements keyspace.Observer.
func (s *testCtx) FieldsExpired(_ *keyspace.DB, key []byte, fields [][]byte) {
	s.note("gone from ", joinBytes(append([][]byte{key}, fields...)))
}

// Flushed implements keyspace.Observer.
func (s *testCtx) Flushed(db *keyspace.DB, _ bool) {
	s.note("flushed ", []byte{'0' + byte(db.Index())})
}

// BeginEntry implements Journal.
func (*testCtx) BeginEntry() {}

// EndEntry implements Journal.
func (*testCtx) EndEntry() {}

// Append implements Journal.
func (s *testCtx) Append(_ int, args [][]byte) {
	s.log = append(s.log, "> "+string(joinBytes(args)))
}

func (s *testCtx) note(what string, key []byte) { s.log = append(s.log, what+string(key)) }

func joinBytes(words [][]byte) []byte {
	var b []byte
	for i, w := range words {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, w...)
	}
	return b
}

// testClient is the connection of a testCtx.
type testClient struct{ ctx *Ctx }

// ID implements Client.
func (*testClient) ID() int64 { return 1 }

// SelectDB implements Client.
func (c *testClient) SelectDB(index int) { c.ctx.DBIndex = index }

// render writes a reply on one line: every line break of RESP becomes a space, the last one nothing. So "$-1" is the
// null of RESP2 and "*2 $1 a :3" an array of "a" and 3.
func render(reply []byte) string {
	return strings.ReplaceAll(strings.TrimSuffix(string(reply), "\r\n"), "\r\n", " ")
}

// onShards runs a test over one shard and over three.
func onShards(t *testing.T, test func(t *testing.T, s *testCtx)) {
	for _, n := range []int{1, 3} {
		t.Run(map[int]string{1: "one shard", 3: "three shards"}[n], func(t *testing.T) { test(t, newTestCtx(t, n)) })
	}
}
