//go:build !invariants && !race

package invariants

// Enabled reports that self-checks are compiled in.
const Enabled = false
