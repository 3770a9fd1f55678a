package integration

import (
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// launchTroupe starts a server that the test itself ends.
func launchTroupe(t *testing.T, args ...string) *process {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	p, err := launch(t.TempDir(), path, args)
	require.NoError(t, err)
	t.Cleanup(p.kill)
	return p
}

// requireEnded waits for the process and wants exit code 0.
func requireEnded(t *testing.T, p *process) {
	t.Helper()
	select {
	case <-p.gone:
	case <-time.After(stopTimeout):
		require.Fail(t, "the server does not stop", p.log.String())
	}
	require.Zero(t, p.cmd.ProcessState.ExitCode(), p.log.String())
}

func TestShutdown(t *testing.T) {
	for _, args := range [][]string{
		{"SHUTDOWN"}, {"SHUTDOWN", "NOSAVE"}, {"SHUTDOWN", "NOSAVE", "NOW"}, {"SHUTDOWN", "NOSAVE", "FORCE"},
	} {
		t.Run(args[len(args)-1], func(t *testing.T) {
			p := launchTroupe(t)
			w := dialWire(t, p.Addr)
			w.add("SET", "k", "v")
			w.add(args...)
			w.flush()
			require.Equal(t, "OK", w.reply(), "what came before is answered")
			require.Nil(t, w.reply())
			require.ErrorIs(t, w.err, io.EOF, "SHUTDOWN itself is not")
			requireEnded(t, p)
		})
	}
}

func TestShutdownErrors(t *testing.T) {
	p := launchTroupe(t)
	w := dialWire(t, p.Addr)
	require.Equal(t, errorReply("ERR syntax error"), w.do("SHUTDOWN", "SOON"))
	require.Equal(t, errorReply("ERR syntax error"), w.do("SHUTDOWN", "SAVE", "NOSAVE"))
	require.Equal(t, errorReply("ERR No shutdown in progress."), w.do("SHUTDOWN", "ABORT"))
	require.Equal(t, "PONG", w.do("PING"))
}

// TestSignals: SIGTERM and SIGINT end the server as an operator expects, with clients connected.
func TestSignals(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String(), func(t *testing.T) {
			p := launchTroupe(t)
			w := dialWire(t, p.Addr)
			w.ok("SET", "k", "v")
			require.NoError(t, p.cmd.Process.Signal(s))
			requireEnded(t, p)
			require.Nil(t, w.reply())
			require.ErrorIs(t, w.err, io.EOF)
		})
	}
}
