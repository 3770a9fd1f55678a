// Package invariants tells whether expensive self-checks are compiled in.
//
// Enabled is a constant, so code guarded by it costs nothing in a normal build:
//
//	if invariants.Enabled {
//	    t.checkInvariants()
//	}
//
// It is true under the race detector and with the build tag "invariants". A failed check panics: a structure that
// contradicts itself must not serve another command.
package invariants
