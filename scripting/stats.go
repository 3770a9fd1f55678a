package scripting

// Stats is what INFO and MEMORY STATS show of scripts and functions.
type Stats struct {
	// Scripts is the number of scripts that EVALSHA finds, ScriptBytes the memory that their texts and names take.
	Scripts, ScriptBytes int64
	// Evicted counts the scripts that made way for others since the start.
	Evicted int64
	// Libraries and Functions are how many there are, FunctionBytes the memory that the code and the names take.
	Libraries, Functions, FunctionBytes int64
}

// Stats counts scripts and functions. What the interpreters take is a part of Go's heap that nobody counts apart.
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
	return s
}

// shaBytes is the length of a script's name.
const shaBytes = 40
