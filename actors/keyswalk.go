package actors

import (
	"bytes"

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
			n := 0
			for _, p := range parts {
				n += p.Count()
			}
			b.w.Array(n)
			if s := b.sess; s.replyOff || s.skipThis {
				return // nobody is to see it
			}
			b.handOut()
			for _, p := range parts {
				b.handOutAll(p.Blocks()...)
			}
		})
}
