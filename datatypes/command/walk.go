package command

import (
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// A Walk is what is left of a command that reads a lot, once its handler has begun it: the keys of a database or the
// elements of a large value, as they are at the instant of the command, are read a slice at a time, and others run
// between the slices. As a part of a script or EXEC, which ends before others may go on, such a command is run in one go.
//
// Nothing in a Walk refers to the arguments of the command or its Ctx.
type Walk interface {
	// Parts returns what is to be walked. Parts are walked one after another, each by the owner of its shard, until
	// Step returns false or End was called.
	Parts() []WalkPart
	// Take returns the beginning of the reply as far as it is certain, in pieces that are the caller's from now on; of
	// many nothing is certain before the end. It is for the owner of the part that is walked.
	Take() [][]byte
	// Finish appends the rest of the reply when all parts have ended. It may take long, touches no shard, and calls
	// stepAside again and again, which lets others have the processor.
	Finish(w *resp.Writer, stepAside func())
}

// WalkPart is a part of a walk on one shard.
type WalkPart interface {
	// Shard is the number of the shard.
	Shard() int
	// Step goes on for some 100 µs and tells whether there is more.
	Step() (more bool)
	// End gives the part up. A part that has ended may be ended again.
	End()
}

// Walker takes walks.
type Walker interface {
	// AwaitWalk sees to the walk that the running command has begun. The handler appends no reply.
	AwaitWalk(w Walk)
}

// canWalk tells whether the command may begin a Walk.
func (c *Ctx) canWalk() bool { return c.Walker != nil && !c.InScript && !c.InMulti }

const (
	// walkElements and walkBytes are how many elements, or bytes of them, one slice of a walk over a value goes
	// through: some 100 µs.
	walkElements = 1024
	walkBytes    = 128 << 10
	// walkStride is how many elements a walk goes through before it looks at what they were.
	walkStride = 64
	// walkPiece is the size of the pieces of a reply that a walk puts together.
	walkPiece = 128 << 10
)

// viewPart is the only part of a walk over one large value.
type viewPart struct {
	pin   *keyspace.Pin
	shard int
	// step goes through walkStride elements or so of the view and tells whether there are more; end ends the view.
	step func() (more bool)
	end  func()
	// What was seen so far. A view hands elements over also when they are about to change: between steps.
	n, bytes int
}

// pinned makes p a part that goes through the value of e.
func (p *viewPart) pinned(db *keyspace.DB, e keyspace.Entry) {
	p.pin, p.shard = db.Pin(e), db.Shard().ID()
}

// Parts implements Walk.
func (p *viewPart) Parts() []WalkPart { return []WalkPart{p} }

// Shard implements WalkPart.
func (p *viewPart) Shard() int { return p.shard }

// Step implements WalkPart.
func (p *viewPart) Step() (more bool) {
	n, bytes := p.n+walkElements, p.bytes+walkBytes
	for p.n < n && p.bytes < bytes {
		if !p.step() {
			p.End()
			return false
		}
	}
	return true
}

// End implements WalkPart.
func (p *viewPart) End() {
	p.end()
	p.pin.End()
}

// valueWalk is a Walk over one large value whose elements are replied as they come.
type valueWalk struct {
	viewPart
	// head begins the reply of n elements. They are known at once unless some that the view holds are not to be seen.
	head  func(w *resp.Writer, n int)
	known bool
	w     resp.Writer // the elements
}

// begin makes w a walk over the value of e that replies n elements, -1 when it is not known how many are to be seen.
func (w *valueWalk) begin(c *Ctx, db *keyspace.DB, e keyspace.Entry, n int) {
	w.pinned(db, e)
	w.w.Proto = c.Reply.Proto
	w.w.Pieces(walkPiece)
	if n >= 0 {
		w.known = true
		w.head(&w.w, n)
	}
}

// add appends an element to the reply.
func (w *valueWalk) add(elem []byte) {
	w.n++
	w.bytes += len(elem)
	w.w.Bulk(elem)
}

// Take implements Walk.
func (w *valueWalk) Take() [][]byte {
	if !w.known {
		return nil
	}
	full := w.w.Full
	w.w.Full = nil
	return full
}

// Finish implements Walk.
func (w *valueWalk) Finish(out *resp.Writer, _ func()) {
	if !w.known {
		w.head(out, w.n)
	}
	out.Adopt(append(w.w.Full, w.w.Buf)...)
}
