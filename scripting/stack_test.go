package scripting

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStackIsLeftEmpty: however a run ends, nothing of it stays on the stack of the interpreter, which runs the next one.
func TestStackIsLeftEmpty(t *testing.T) {
	s := newTestServer(t, nil)
	k := s.connect()
	require.Equal(t, "$3\r\nlib\r\n", k.do("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function(keys) return redis.call('incr', keys[1]), 2, 3 end)\n"+
		"redis.register_function('g', function() local a, b = 1, 2 error('no') end)"))
	for range 20 {
		for _, cmd := range [][]string{
			{"EVAL", "return redis.call('incr', KEYS[1])", "1", "x"},
			{"EVAL", "return 1, 2, 3", "0"},
			{"EVAL", "local a, b, c = 1, 2, 3 error({err = 'no'})", "0"},
			{"EVAL", "return redis.call('nosuch')", "0"},
			{"EVAL", "return redis.pcall('incr')", "0"},
			{"EVAL", "local function f() return 1 + f() end return f()", "0"},
			{"EVAL", "return pcall(coroutine.wrap(function() coroutine.yield(1, 2) error('no') end))", "0"},
			{"EVAL", "return _G", "0"},
			{"FCALL", "f", "1", "x"},
			{"FCALL", "g", "0"},
		} {
			k.do(cmd...)
		}
	}
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	require.NotEmpty(t, s.engine.idle)
	for _, st := range s.engine.idle {
		require.Zero(t, st.L.GetTop())
	}
	require.Equal(t, "$2\r\n40\r\n", k.do("GET", "x"))
}
