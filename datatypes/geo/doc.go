// Package geo places points of the earth on the line of a sorted set's scores, and finds those around a place.
//
// # Terminology
//
//	cell     a rectangle of longitudes and latitudes: the world halved step times in each direction
//	hash     the number of a cell: bits of the halvings in turn, longitude first, the first halving in the highest bit
//	score    the hash of a cell of 26 steps, 52 bits: what a sorted set stores, exact in a double
//	area     a range of scores: all points within one cell
//
// Latitudes go from -85.05112878 to 85.05112878 degrees, where the Mercator projection is square, and longitudes from
// -180 to 180. A cell of 26 steps is 0.6 m wide at the equator.
//
// # Why so literal
//
// Scores, the order of unsorted results (the walk over the nine cells around the centre) and the last digits of a distance
// are all visible to clients, and scores and distances can be stored. So every formula here is evaluated operation by
// operation as Redis 7.4 does on x86-64, with one rounding each (explicit conversions keep the compiler from fusing a
// multiplication with an addition), and sine, cosine and arcsine are rounded correctly, see trig.go. The formulas are
// the haversine distance on a sphere and the Z-order curve (G. M. Morton, 1966); the facts that are Redis's own, such as
// the radius of the earth and when a search takes larger cells, were checked against redis-server.
//
// Functions are pure and may be called from any goroutine.
//
// # Files
//
//	hash.go      points to scores and back, the textual geohash
//	distance.go  distances, their text
//	search.go    the areas that a search walks
//	trig.go      sine, cosine and arcsine
package geo
