package command

import (
	"bytes"

	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// keysWalk is the Walk of KEYS. All shards are held at once while it begins, which makes what its parts see together the
// keys of one instant; then each goes on by itself, a slice at a time, between other commands.
type keysWalk struct{ parts []*keysPart }

// newKeysWalk begins a walk over the keys of the selected database that match pattern, which is copied.
func newKeysWalk(c *Ctx, pattern []byte) *keysWalk {
	m := newKeyMatcher(bytes.Clone(pattern))
	w := &keysWalk{}
	for _, s := range c.shards {
		w.parts = append(w.parts, newKeysPart(s.DB(c.DBIndex), m))
	}
	return w
}

// Parts implements Walk.
func (w *keysWalk) Parts() []WalkPart {
	parts := make([]WalkPart, len(w.parts))
	for i, p := range w.parts {
		parts[i] = p
	}
	return parts
}

// Take implements Walk: before the end, it is not known how many keys match.
func (w *keysWalk) Take() [][]byte { return nil }

// Finish implements Walk.
func (w *keysWalk) Finish(out *resp.Writer, _ func()) {
	n := 0
	for _, p := range w.parts {
		n += p.n
	}
	out.Array(n)
	for _, p := range w.parts {
		out.Adopt(append(p.w.Full, p.w.Buf)...)
	}
}

// keysPart is the part of a keysWalk on one shard.
type keysPart struct {
	matcher keyMatcher
	shard   int
	cut     *keyspace.Cut
	w       resp.Writer // the keys that match
	n       int
}

func newKeysPart(db *keyspace.DB, m keyMatcher) *keysPart {
	p := &keysPart{matcher: m, shard: db.Shard().ID()}
	p.w.Pieces(walkPiece)
	p.cut = db.BeginCut(func(e keyspace.Entry) {
		if key := e.Key(); p.matcher.match(key) {
			p.w.Bulk(key)
			p.n++
		}
	})
	return p
}

// keysSlice is how many keys one slice looks at: some 30 µs, after which the shard serves others.
const keysSlice = 128

// Shard implements WalkPart.
func (p *keysPart) Shard() int { return p.shard }

// Step implements WalkPart.
func (p *keysPart) Step() (more bool) { return p.cut.Step(keysSlice) }

// End implements WalkPart.
func (p *keysPart) End() { p.cut.End() }
