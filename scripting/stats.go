package scripting

// Stats are what INFO and MEMORY STATS tell of scripts and functions.
type Stats struct {
	Scripts, ScriptBytes     int64 // those that are kept, and their texts
	Evicted                  int64 // scripts of EVAL that had to give way
	Libraries, Functions     int64
	LibraryBytes             int64 // the texts of the libraries
	StateBytes, SharedStates int64 // Lua states and about what they take, for scripts and functions together
}

// stateBytes is about what one Lua state takes before it has run anything: BenchmarkNewState.
const stateBytes = 160 << 10

// Stats returns the figures of this moment.
func (e *Engine) Stats() (s Stats) {
	c := &e.scripts
	c.mu.Lock()
	s.Scripts, s.ScriptBytes, s.Evicted = int64(len(c.bySHA)), c.bytes, c.evicted
	c.mu.Unlock()
	set := e.libraries.Load()
	s.Libraries, s.Functions = int64(len(set.libraries)), int64(len(set.functions))
	for _, lib := range set.libraries {
		s.LibraryBytes += int64(len(lib.code))
	}
	e.mu.Lock()
	s.SharedStates = int64(len(e.states))
	e.mu.Unlock()
	s.StateBytes = s.SharedStates * stateBytes
	return s
}
