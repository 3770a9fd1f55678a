// Package prefetch asks the processor to bring memory into its caches before it is needed.
//
// A lookup in a large table waits two or three times for memory, about 150 ns each. Lookups that are known in advance,
// such as those of a pipeline, can wait together: announce all of them, then do them one by one. Go has no function
// for that outside its runtime, hence the few lines of assembly.
package prefetch
