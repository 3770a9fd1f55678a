package actors

import (
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/datatypes/keyspace"
	"github.com/troupe-db/troupe/netio/resp"
)

// A digest tells data sets apart: equal ones have equal digests, on any number of shards and whatever the order in
// which they were written. It is the exclusive or of one SHA-1 per key, over the number of the database, the key,
// whether the key has a deadline, the type and the value.
type digest [sha1.Size]byte

func (d *digest) add(part digest) {
	for i := range d {
		d[i] ^= part[i]
	}
}

func (d digest) String() string { return hex.EncodeToString(d[:]) }

// digestKey returns the digest of one key.
func digestKey(db *keyspace.DB, e keyspace.Entry) digest {
	h := sha1.New()
	key := e.Key()
	var head []byte
	head = binary.AppendUvarint(head, uint64(db.Index()))
	head = binary.AppendUvarint(head, uint64(len(key)))
	h.Write(head)
	h.Write(key)
	volatile := byte(0)
	if e.Volatile() {
		volatile = 1
	}
	value := digestValue(db, e)
	h.Write([]byte{volatile})
	h.Write(value[:])
	return digest(h.Sum(nil))
}

// digestValue returns the digest of a value, which does not depend on its encoding: over the elements where they have an
// order, else the exclusive or of one per element.
func digestValue(db *keyspace.DB, e keyspace.Entry) digest {
	h := sha1.New()
	var sum digest
	var part []byte
	h.Write([]byte{byte(e.Type())})
	inOrder := sha1.New()
	ordered := command.EachElement(db, e, func(words ...[]byte) {
		part = part[:0]
		for _, w := range words {
			part = append(binary.AppendUvarint(part, uint64(len(w))), w...)
		}
		inOrder.Write(part)
		sum.add(sha1.Sum(part))
	})
	if ordered {
		sum = digest(inOrder.Sum(nil))
	}
	h.Write(sum[:])
	return digest(h.Sum(nil))
}

// digestWalk is the walk of DEBUG DIGEST over all shards.
type digestWalk struct{ parts []*digestPart }

// Parts implements command.Walk.
func (w *digestWalk) Parts() []command.WalkPart {
	parts := make([]command.WalkPart, len(w.parts))
	for i, p := range w.parts {
		parts[i] = p
	}
	return parts
}

// Take implements command.Walk.
func (w *digestWalk) Take() [][]byte { return nil }

// Finish implements command.Walk.
func (w *digestWalk) Finish(out *resp.Writer, _ func()) {
	var sum digest
	for _, p := range w.parts {
		sum.add(p.sum)
	}
	out.Simple(sum.String())
}

// digestPart is the part of a digestWalk on one shard.
type digestPart struct {
	shard int
	cuts  []*keyspace.Cut // of the databases that are still to do
	sum   digest
	seen  int
}

func newDigestPart(s *keyspace.Shard) *digestPart {
	w := &digestPart{shard: s.ID()}
	for i := range s.Databases() {
		if s.DB(i).Len() == 0 {
			continue
		}
		db := s.DB(i)
		w.cuts = append(w.cuts, db.BeginCut(func(e keyspace.Entry) {
			w.sum.add(digestKey(db, e))
			w.seen++
		}))
	}
	return w
}

// digestSlice is how many keys one slice looks at.
const digestSlice = 128

// Shard implements command.WalkPart.
func (w *digestPart) Shard() int { return w.shard }

// Step implements command.WalkPart.
func (w *digestPart) Step() (more bool) {
	for before := w.seen; len(w.cuts) > 0; {
		if w.cuts[0].Step(digestSlice - (w.seen - before)) {
			return true
		}
		w.cuts = w.cuts[1:]
		if w.seen-before >= digestSlice {
			return len(w.cuts) > 0
		}
	}
	return false
}

// End implements command.WalkPart.
func (w *digestPart) End() {
	for _, c := range w.cuts {
		c.End()
	}
	w.cuts = nil
}

func debugDigest(c *command.Ctx) {
	w := &digestWalk{}
	for _, s := range c.Shards() {
		w.parts = append(w.parts, newDigestPart(s))
	}
	if !c.InMulti && !c.InScript {
		c.Walker.AwaitWalk(w)
		return
	}
	for _, p := range w.parts {
		for p.Step() {
		}
	}
	w.Finish(c.Reply, nil)
}

func debugDigestValue(c *command.Ctx) {
	c.Reply.Array(len(c.Args) - 2)
	for i := 2; i < len(c.Args); i++ {
		var d digest
		k := c.Key(i)
		if e, ok := c.DB(k).Peek(k); ok {
			d = digestValue(c.DB(k), e)
		}
		c.Reply.Simple(d.String())
	}
}

// population is one DEBUG POPULATE. Its keys are made a few at a time on a goroutine apart, sorted by shard, and
// handed to one shard after the other, so that neither memory nor a shard is taken for long.
type population struct {
	b           *Batch
	db          int
	prefix      string
	size        int // of the values, -1 for as long as their text
	next, count int64
	byShard     [][]keyspace.Key // keys that are not handed over yet
	most        int              // how many are handed over at once
	failed      bool
}

// populateSlice is how many keys, populateBytes how many bytes of values one message makes.
const (
	populateSlice = 256
	populateBytes = 256 << 10
)

func debugPopulate(c *command.Ctx) {
	p := population{prefix: "key", size: -1, db: c.DBIndex}
	count, ok := resp.ParseInt(c.Args[2])
	size := int64(-1)
	if ok && len(c.Args) > 4 {
		size, ok = resp.ParseInt(c.Args[4])
		ok = ok && size >= 0
	}
	if !ok || count < 0 {
		c.Reply.Error("ERR value is out of range, must be positive")
		return
	}
	if size > c.Settings.MaxStringBytes {
		c.Reply.Error(command.MsgTooLong)
		return
	}
	p.count = count
	if len(c.Args) > 3 {
		p.prefix = string(c.Args[3])
	}
	p.most = populateSlice
	if size > 0 { // as in Redis, 0 stands for no size
		p.size = int(size)
		p.most = min(max(populateBytes/p.size, 1), populateSlice)
	}
	if c.InMulti || c.InScript {
		for ; p.next < p.count; p.next++ {
			k := p.key()
			p.make(c.DB(k), []keyspace.Key{k})
		}
		c.Reply.OK()
		return
	}
	p.b = session(c).batch
	p.byShard = make([][]keyspace.Key, len(p.b.sys.shards))
	p.b.await(func() { go p.goOn() })
}

// key returns the key that is next.
func (p *population) key() keyspace.Key {
	return keyspace.MakeKey(strconv.AppendInt(append([]byte(p.prefix), ':'), p.next, 10))
}

// goOn makes keys until some shard has enough of them to be handed over.
func (p *population) goOn() {
	if p.failed {
		p.b.ended(func() { p.b.w.Error(msgPanic) })
		return
	}
	if p.b.abandoned() {
		p.b.ended(func() {})
		return
	}
	for p.next < p.count {
		k := p.key()
		p.next++
		i := command.ShardOf(k.H, len(p.byShard))
		if p.byShard[i] = append(p.byShard[i], k); len(p.byShard[i]) == p.most {
			p.handOver(i)
			return
		}
	}
	for i, keys := range p.byShard {
		if len(keys) > 0 {
			p.handOver(i)
			return
		}
	}
	p.b.ended(p.b.w.OK)
}

func (p *population) handOver(i int) {
	keys := p.byShard[i]
	p.byShard[i] = keys[:0]
	s := p.b.sys.shards[i]
	s.sys.post(s, func() {
		p.failed = true
		defer func() { go p.goOn() }()
		s.refresh(s.sys.clock.now() / 1e6)
		p.make(s.ks.DB(p.db), keys)
		s.publish() // the reply may leave before this task has ended
		p.failed = false
	})
}

// make makes those of the keys that are not there.
func (p *population) make(db *keyspace.DB, keys []keyspace.Key) {
	var value []byte
	for _, k := range keys {
		if db.Exists(k) {
			continue
		}
		value = append(value[:0], "value:"...)
		value = append(value, k.B[len(p.prefix)+1:]...)
		if p.size >= 0 {
			text := len(value)
			for len(value) < p.size {
				value = append(value, make([]byte, p.size-len(value))...)
			}
			clear(value[min(text, p.size):p.size])
			value = value[:p.size]
		}
		db.SetText(k, value, keyspace.NoTTL)
		db.Touched(k.B)
	}
}
