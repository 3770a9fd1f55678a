package actors

import (
	"context"
	"log/slog"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
	"github.com/troupe-db/troupe/scripting"
)

// Scripts and functions. Where one runs is decided when it is reached (resolve): on the shards of its declared keys when
// package scripting has proven that it uses no others, on all shards otherwise. It runs like one command, on an event loop when
// it is certain to be short and on a goroutine of its own when not. What it calls runs through a scriptHost, at the same
// instant and in the same hold.

// scriptHost implements scripting.Host for one run.
type scriptHost struct {
	b    *Batch
	sys  *System
	ctx  command.Ctx
	run  *scripting.Run
	held uint64 // what the script may touch
	busy *busyScript
}

// Prepared implements scripting.Client.
func (s *Session) Prepared(*command.Ctx) *scripting.Call { return s.batch.script }

// BeginScript implements scripting.Client.
func (s *Session) BeginScript(c *command.Ctx, r *scripting.Run) (scripting.Host, string) {
	b := s.batch
	h := b.host
	if h == nil || h.sys != b.sys { // batches go from server to server, where a process has several
		h = &scriptHost{b: b, sys: b.sys}
		h.ctx.Bind(b.sys.table, b.sys.keyspaces)
		h.ctx.Rand, h.ctx.InScript = b.sys.rand, true
		b.host = h
	}
	h.run, h.held = r, b.owned
	h.ctx.Client, h.ctx.Settings, h.ctx.Journal = s, c.Settings, c.Journal
	h.ctx.NowMs, h.ctx.NowUs = c.NowMs, c.NowUs
	h.ctx.DBIndex, h.ctx.InMulti = c.DBIndex, c.InMulti
	if c.Journal != nil {
		c.Journal.BeginEntry()
	}
	c.Propagate() // the effects of a script are those of its commands
	if b.own {
		h.busy = b.sys.watchScript(r, h.held)
	}
	return h, ""
}

// EndScript implements scripting.Client.
func (s *Session) EndScript(c *command.Ctx, r *scripting.Run) {
	h := s.batch.host
	if h.busy != nil {
		h.busy.end()
		h.busy = nil
	}
	if c.Journal != nil {
		c.Journal.EndEntry()
	}
	h.run, h.ctx.Client, h.ctx.Reply = nil, nil, nil
	s.batch.quiet = r.ErrorCounted
}

// What Redis answers to commands that a script may not call.
const (
	msgScriptUnknown  = "ERR Unknown Redis command called from script"
	msgScriptArity    = "ERR Wrong number of args calling Redis command from script"
	msgScriptRefused  = "ERR This Redis command is not allowed from script"
	msgScriptReadOnly = "ERR Write commands are not allowed from read-only scripts."
)

// Call implements scripting.Host.
func (h *scriptHost) Call(args [][]byte, w *resp.Writer) {
	sys := h.b.sys
	errs := w.Errs
	spec, rejected := h.allowed(args, w)
	if rejected {
		sys.errors.count(w.LastErr)
		if spec != nil {
			sys.serverStats.count(spec.ID, 0, true, true)
		}
		return
	}
	c := &h.ctx
	c.Reply = w
	hash := uint64(0)
	if i := spec.OneKey; i > 0 {
		hash = keyspace.MakeKey(args[i]).H
	}
	if h.held != sys.allShards && !h.holds(spec, args, hash) {
		// The proof that the script needs only its declared keys was wrong: the shard is somebody else's now.
		sys.log.Error("script touches a key that it was proven not to touch", "script", h.run.Name, "command", spec.FullName)
		w.Error("ERR internal error: the script was stopped before it touched a key that is not locked for it")
		return
	}
	if spec.Flags&command.Write != 0 {
		h.run.Wrote()
	}
	c.Begin(spec, args, spec.OneKey, hash)
	startNs := sys.clock.now()
	h.call(w)
	h.b.ctx.Dirty(c.DirtyCount())
	sys.serverStats.count(spec.ID, sys.clock.now()-startNs, w.Errs != errs, false)
	if w.Errs != errs {
		sys.errors.count(w.LastErr)
	}
}

// call runs the handler. A panic in it is an error of the command.
func (h *scriptHost) call(w *resp.Writer) {
	mark := len(w.Buf)
	defer func() {
		if p := recover(); p != nil {
			h.b.logPanic(&request{spec: h.ctx.Spec}, p)
			w.Rewind(mark)
			w.Error(msgPanic)
		}
	}()
	h.ctx.Spec.Run(&h.ctx)
	h.ctx.Finish()
}

// allowed finds the command and tells whether the script may not run it; then the reason is the reply.
func (h *scriptHost) allowed(args [][]byte, w *resp.Writer) (spec *command.Spec, rejected bool) {
	spec, text := h.b.sys.table.Resolve(args)
	switch {
	case spec == nil:
		w.Error(msgScriptUnknown)
	case text != "":
		w.Error(msgScriptArity)
	case spec.Flags&command.NoScript != 0 && !h.undenied(spec):
		w.Error(msgScriptRefused)
	case spec.Flags&(command.Write|command.MayReplicate) != 0 && h.run.ReadOnly:
		w.Error(msgScriptReadOnly)
	case spec.Flags&command.Protected != 0 && h.b.sess.refuseProtected(spec) != "":
		w.Error(h.b.sess.refuseProtected(spec))
	default:
		return spec, false
	}
	return spec, true
}

// undenied tells whether a command that scripts must not call is one which they may while DEBUG SET-DISABLE-DENY-SCRIPTS is on.
// What would begin a run within the run, or change what the session queues or whether it lives, is never: the batch is in
// the middle of a request.
func (h *scriptHost) undenied(spec *command.Spec) bool {
	return h.b.sys.allowDenied.Load() && spec.Flags&(command.Composite|command.NotQueued|command.NoMulti) == 0
}

// holds tells whether all that the command needs is held. hash is that of its key if it is one with a single key.
func (h *scriptHost) holds(spec *command.Spec, args [][]byte, hash uint64) bool {
	n := len(h.b.sys.shards)
	if spec.OneKey > 0 {
		return h.held>>command.ShardOf(hash, n)&1 != 0
	}
	scope := spec.Scope
	if spec.ScopeFunc != nil {
		scope = spec.ScopeFunc(args)
	}
	if scope == command.ScopeAllShards {
		return false
	}
	h.b.keys = spec.AppendKeys(h.b.keys[:0], args)
	for _, k := range h.b.keys {
		if h.held>>command.ShardOf(keyspace.MakeKey(args[k.Index]).H, n)&1 == 0 {
			return false
		}
	}
	return true
}

// Allowed implements scripting.Host.
func (h *scriptHost) Allowed(args [][]byte) (ok bool, errText string) {
	if h.b.sys.table.Find(args) == nil {
		return false, "ERR Invalid command passed to redis.acl_check_cmd()"
	}
	return true, ""
}

// SetRepl implements scripting.Host.
func (h *scriptHost) SetRepl(mask int) {
	if mask == 0 {
		h.ctx.Journal = nil
	} else {
		h.ctx.Journal = h.b.sys.journal
	}
}

// logScript writes what a script says with redis.log.
func (sys *System) logScript(level int, text string) {
	to := slog.LevelDebug
	switch level {
	case scripting.LogNotice:
		to = slog.LevelInfo
	case scripting.LogWarning:
		to = slog.LevelWarn
	}
	sys.log.Log(context.Background(), to, text)
}

// isScript tells whether the request runs a script or a function.
func (q *request) isScript() bool {
	return q.spec.Group == command.GroupScripting && q.spec.Flags&command.Composite != 0
}

// resolveScript finds the script of the request and tells which shards it needs.
func (b *Batch) resolveScript(q *request, args [][]byte) (mask uint64) {
	q.call = b.sys.scripts.Prepare(q.spec, args)
	if q.call.Err != "" {
		return 0
	}
	switch p := q.call.Plan; {
	case p.NoCommands:
		return 0
	case !p.Proven:
		return b.sys.allShards
	}
	n := len(b.sys.shards)
	b.keys = q.spec.AppendKeys(b.keys[:0], args)
	for _, k := range b.keys {
		mask |= 1 << command.ShardOf(keyspace.MakeKey(args[k.Index]).H, n)
	}
	return mask
}
