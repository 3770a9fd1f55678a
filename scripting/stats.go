package scripting

// Stats is what INFO and MEMORY STATS show of scripts and functions.
type Stats struct {
	// Scripts is the number of scripts that EVALSHA finds, ScriptBytes the memory that their texts and names take.
	Scripts, ScriptBytes int64
	// Evicted counts the scripts that made way for others since the start.
	Evicted int64
	// Libraries and Functions are how many there are, FunctionBytes the memory that the code and the names take.
	Libraries, Functions, FunctionBytes int64
	// StateBytes is about what the interpreters take, which scripts and functions share.
	StateBytes int64
}

// stateBytes is about what one interpreter takes before it has run anything: see BenchmarkNewState.
const stateBytes = 160 << 10

// Stats counts scripts and functions.
func (e *Engine) Stats() Stats {
	c := &e.scripts
	c.mu.Lock()
	s := Stats{Scripts: int64(len(c.bySHA)), Evicted: c.evicted}
	s.ScriptBytes = c.bytes + s.Scripts*shaBytes
	c.mu.Unlock()
	set := e.libraries.Load()
	s.Libraries, s.Functions = int64(len(set.libraries)), int64(len(set.functions))
	for _, lib := range set.libraries {
		s.FunctionBytes += int64(len(lib.name) + len(lib.code))
		for _, f := range lib.functions {
			s.FunctionBytes += int64(len(f.name) + len(f.description))
		}
	}
	e.mu.Lock()
	s.StateBytes = int64(len(e.states)) * stateBytes
	e.mu.Unlock()
	return s
}

// shaBytes is the length of a script's name.
const shaBytes = 40
