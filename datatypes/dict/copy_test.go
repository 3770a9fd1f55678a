package dict

import (
	"encoding/binary"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/arena"
)

func TestCopy(t *testing.T) {
	for _, n := range []int{0, 1, 5, 400, 5000, 120_000} {
		a, to := arena.New(), arena.New()
		d := New(a, 0)
		put := func(d *Dict, a *arena.Arena, key string) {
			r := a.Alloc(len(key) + 1)
			binary.PutUvarint(r.Bytes(len(key)+1), uint64(len(key)))
			copy(r.Bytes(len(key) + 1)[1:], key)
			d.Insert(Hash([]byte(key)), r)
		}
		for i := range n {
			put(d, a, strconv.Itoa(i))
		}
		c := d.Copy(to, func(r arena.Ref) arena.Ref {
			size := a.SizeOf(r)
			n := to.Alloc(size)
			copy(n.Bytes(size), r.Bytes(size))
			return n
		})
		c.check()
		require.Equal(t, d.slots, c.slots)
		for i := range n { // both go on by themselves
			key := []byte(strconv.Itoa(i))
			require.True(t, c.Find(Hash(key), key).OK())
			if i%2 == 0 {
				c.Delete(Hash(key), key)
			} else {
				d.Delete(Hash(key), key)
			}
			put(c, to, "new"+strconv.Itoa(i))
		}
		require.Equal(t, n/2, d.Len()-n%2)
		require.Equal(t, n+n/2, c.Len())
		c.check()
		d.check()
		a.Release()
		to.Release()
	}
}
