package netio

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHalfCloseKeepsOrder: while the rest of a session's life is handed over because its client has half-closed the
// connection, what waits to be sent goes out before what the session says next.
func TestHalfCloseKeepsOrder(t *testing.T) {
	big := pattern(6 << 20)
	const turns = 40
	want := bytes.Clone(big)
	for turn := range turns {
		want = fmt.Appendf(want, "turn %d\n", turn)
	}
	prepare := func(s *fakeSession) {
		turn := 0
		s.feed = func(s *fakeSession, _ []byte) ([]byte, bool) {
			s.busy.Store(true)
			s.tr.Wake()
			return bytes.Clone(big), false
		}
		s.resume = func(s *fakeSession) ([]byte, bool) {
			if turn == turns {
				return nil, false
			}
			s.out = fmt.Appendf(nil, "turn %d\n", turn)
			if turn++; turn == turns {
				s.busy.Store(false)
			} else {
				s.tr.Wake()
			}
			return s.out, false
		}
	}
	everyWay(t, prepare, func(t *testing.T, h *house, d dialer) {
		for range 20 {
			nc, s := h.pair(d)
			send(t, nc, "x")
			require.NoError(t, nc.(interface{ CloseWrite() error }).CloseWrite())
			got, err := io.ReadAll(nc)
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, got), "%d bytes, want %d", len(got), len(want))
			h.wait(s.gone)
		}
	})
}
