package netio

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOutQueue(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	data := pattern(1 << 20)
	var q outQueue
	var model []byte
	for range 20_000 {
		if rnd.IntN(2) == 0 {
			size := 1 + rnd.IntN(200)
			if rnd.IntN(50) == 0 {
				size = 1 + rnd.IntN(3*outChunk)
			}
			at := rnd.IntN(len(data) - size)
			q.push(data[at : at+size])
			model = append(model, data[at:at+size]...)
		} else if !q.empty() {
			part := q.front()
			require.True(t, bytes.HasPrefix(model, part))
			n := 1 + rnd.IntN(len(part))
			q.pop(n)
			model = model[n:]
		}
		require.Equal(t, len(model), q.size)
	}
	for !q.empty() {
		n := len(q.front())
		require.True(t, bytes.HasPrefix(model, q.front()))
		q.pop(n)
		model = model[n:]
	}
	require.Empty(t, model)
	require.Nil(t, q.chunks)
}
