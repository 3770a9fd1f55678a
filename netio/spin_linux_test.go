package netio

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestSpinHearsWakes: a wake that went to gnet's queue before the loop began to wait in spin does not stand in the way of the
// next one, which has to go through the spinner's eventfd.
func TestSpinHearsWakes(t *testing.T) {
	sp := newSpinner(1)
	if sp == nil {
		t.Skip("no spinning with one processor")
	}
	defer sp.release()
	l := &loop{spinner: sp}
	l.armed = true // gnet was asked to call run, and comes to it when it polls again
	require.True(t, l.beginWait())
	l.post(&loopConn{loop: l})
	var count [8]byte
	n, err := unix.Read(sp.efd, count[:])
	require.NoError(t, err)
	require.Equal(t, 8, n)
	l.endWait()
	require.Len(t, l.ready, 1)
}
