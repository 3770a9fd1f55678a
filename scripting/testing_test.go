package scripting

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// testServer runs commands in process over one shard: those of the data types and those of an Engine, whose scripts call the former.
type testServer struct {
	tb     testing.TB
	engine *Engine
	table  *command.Table
	shard  *keyspace.Shard
	proto  int
	log    []string
	repl   []int
	denied string         // what BeginScript answers
	began  func(*Run)     // called by BeginScript
	called func([][]byte) // called before each command of a script
}

func newTestServer(tb testing.TB, change func(*Options)) *testServer {
	s := &testServer{tb: tb, proto: 2}
	o := Options{
		Table: func() *command.Table { return s.table },
		Log:   func(level int, text string) { s.log = append(s.log, itoa(level)+" "+text) },
		NowUs: func() int64 { return time.Now().UnixMicro() },
	}
	if change != nil {
		change(&o)
	}
	s.engine = New(o)
	s.table = command.NewTable(append(command.Builtin(), s.engine.Specs()...))
	rnd := rand.New(rand.NewPCG(1, 2))
	s.shard = keyspace.NewShard(keyspace.Options{Databases: 16, NowMs: 1_700_000_000_000, Rand: rnd.Uint64, Later: func(work func()) { work() }})
	s.shard.Observer, s.shard.ReapFields = s, command.ReapFields
	tb.Cleanup(s.shard.Release)
	return s
}

// connection is one client of a testServer. Any number may run read-only scripts at the same time.
type connection struct {
	s     *testServer
	ctx   command.Ctx
	inner command.Ctx
	out   resp.Writer
	run   *Run
	dirty int // changes of the last command
}

func (s *testServer) connect() *connection {
	k := &connection{s: s}
	k.out.Proto = s.proto
	settings := &command.Settings{
		MaxStringBytes: 512 << 20, HashMaxListpackEntries: 128, HashMaxListpackValue: 64, SetMaxIntsetEntries: 512,
		SetMaxListpackEntries: 128, SetMaxListpackValue: 64, ZSetMaxListpackEntries: 128, ZSetMaxListpackValue: 64,
		ListMaxListpackSize: -2, StreamNodeMaxBytes: 4096, StreamNodeMaxEntries: 100, HLLSparseMaxBytes: 3000, Version: "7.4.1",
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, c := range []*command.Ctx{&k.ctx, &k.inner} {
		c.Client, c.Settings, c.Rand, c.NowMs = k, settings, rnd.Uint64, 1_700_000_000_000
		c.Bind(s.table, []*keyspace.Shard{s.shard})
	}
	k.ctx.Reply = &k.out
	k.inner.InScript = true
	return k
}

// do runs one command and returns the bytes of its reply, valid until the next call.
func (k *connection) do(words ...string) string {
	args := make([][]byte, len(words))
	for i, w := range words {
		args[i] = []byte(w)
	}
	return string(k.run1(args))
}

func (k *connection) run1(args [][]byte) []byte {
	k.out.Buf = k.out.Buf[:0]
	spec, msg := k.s.table.Resolve(args)
	if msg != "" {
		k.out.Error(msg)
		return k.out.Buf
	}
	k.ctx.Begin(spec, args, 0, 0)
	spec.Run(&k.ctx)
	k.dirty = k.ctx.DirtyCount()
	return k.out.Buf
}

func (k *connection) ID() int64                    { return 1 }
func (k *connection) SelectDB(int)                 {}
func (k *connection) Prepared(*command.Ctx) *Call  { return nil }
func (k *connection) EndScript(*command.Ctx, *Run) { k.run = nil }

func (k *connection) BeginScript(_ *command.Ctx, r *Run) (Host, string) {
	if k.s.denied != "" {
		return nil, k.s.denied
	}
	k.run = r
	if k.s.began != nil {
		k.s.began(r)
	}
	return k, ""
}

// Call runs a command of a script with the checks that a server makes.
func (k *connection) Call(args [][]byte, w *resp.Writer) {
	if k.s.called != nil {
		k.s.called(args)
	}
	spec := k.s.table.Find(args)
	switch {
	case spec == nil:
		w.Error("ERR Unknown Redis command called from script")
		return
	case !spec.ArityOK(len(args)):
		w.Error("ERR Wrong number of args calling Redis command from script")
		return
	case spec.Has(command.NoScript):
		w.Error("ERR This Redis command is not allowed from script")
		return
	case spec.Has(command.Write) && k.run.ReadOnly:
		w.Error("ERR Write commands are not allowed from read-only scripts.")
		return
	}
	k.inner.Reply = w
	k.inner.Begin(spec, args, 0, 0)
	spec.Run(&k.inner)
	if spec.Has(command.Write) {
		k.run.Wrote()
	}
}

func (k *connection) Allowed(args [][]byte) (bool, string) { return string(args[0]) != "flushall", "" }
func (k *connection) SetRepl(mask int)                     { k.s.repl = append(k.s.repl, mask) }

// Modified, Event, Expired and Flushed are of keyspace.Observer.
func (s *testServer) Modified(*keyspace.DB, []byte)                           {}
func (s *testServer) Event(*keyspace.DB, keyspace.EventClass, string, []byte) {}
func (s *testServer) Expired(*keyspace.DB, []byte)                            {}

// check runs commands on a fresh connection and compares the replies: command, reply, command, reply and so on.
func (s *testServer) check(t *testing.T, want string, words ...string) {
	t.Helper()
	require.Equal(t, want, s.connect().do(words...), "%q", words)
}

// FieldsExpired is of keyspace.Observer.
func (s *testServer) FieldsExpired(*keyspace.DB, []byte, [][]byte) {}

// Flushed is of keyspace.Observer.
func (s *testServer) Flushed(*keyspace.DB, bool) {}
