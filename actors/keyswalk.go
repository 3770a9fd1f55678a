package actors

import (
	"bytes"
	"runtime"
	"slices"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// withKeysWalk replaces KEYS in the list by one that does not stall the shards when there are many keys: it takes a
// cut of every shard at one instant and then walks them slice by slice. As a part of a script or EXEC, which ends
// before others may go on, KEYS is done in one go.
func withKeysWalk(specs []*command.Spec) []*command.Spec {
	for i, s := range specs {
		if s.Name != "keys" {
			continue
		}
		walking := *s
		walking.Heavy = nil // beginning a walk takes no time
		walking.Run = func(c *command.Ctx) {
			if c.InScript || c.InMulti || !s.Heavy(c) {
				s.Run(c)
				return
			}
			walkKeys(c)
		}
		specs[i] = &walking
		return specs
	}
	panic("actors: no KEYS among the commands")
}

// yieldBlocks is after how many blocks the copying steps aside: a goroutine that does not keeps a processor for 10 ms,
// and with the garbage collector on the other one an event loop waited that long.
const yieldBlocks = 4

// arrayHeader is room for the length of an array.
const arrayHeader = 24

func walkKeys(c *command.Ctx) {
	b := session(c).batch
	pattern := bytes.Clone(c.Args[1])
	var parts []*command.KeysWalk
	b.awaitWalk(
		func(ks *keyspace.Shard) walk {
			p := command.KeysCommandWalk(ks.DB(c.DBIndex), pattern)
			parts = append(parts, p)
			return p
		},
		func() {
			n, size := 0, 0
			for _, p := range parts {
				n += p.Count()
				size += p.Bytes()
			}
			b.w.Buf = slices.Grow(b.w.Buf, size+arrayHeader)
			b.w.Array(n)
			for _, p := range parts {
				for i, block := range p.Blocks() {
					b.w.Buf = append(b.w.Buf, block...)
					if i%yieldBlocks == yieldBlocks-1 {
						runtime.Gosched()
					}
				}
			}
		})
}
