//go:build race

package integration

// buildFlags: the server is checked for races when its tests are.
var buildFlags = []string{"-race"}
