package geo

import "math"

// Shape is what a search looks for: everything within Radius of the centre or, with Box, within a rectangle around it
// whose sides are Width from west to east and Height from south to north.
type Shape struct {
	Lon, Lat      float64 // the centre, in degrees
	Radius        float64 // in units
	Width, Height float64 // in units
	Box           bool
	Unit          float64 // metres per unit
}

// Range are the scores from Min up to but not including Max.
type Range struct{ Min, Max uint64 }

// Areas are the areas that can hold what a search finds, in the order in which to walk them, and N how many.
type Areas struct {
	Ranges [9]Range
	N      int
}

// mercatorMax is half the length of the equator in metres, as Redis has it.
const mercatorMax = 20037726.37

// stepsFor estimates how often the world can be halved such that a cell and its eight neighbours hold everything within
// metres of a place in the cell. It gives in towards the poles, where cells are narrow.
func stepsFor(metres, lat float64) uint {
	if metres == 0 {
		return Steps
	}
	steps := -1
	for ; metres < mercatorMax && steps < 2*Steps; metres *= 2 {
		steps++
	}
	if lat > 66 || lat < -66 {
		steps--
		if lat > 80 || lat < -80 {
			steps--
		}
	}
	return uint(max(1, min(steps, Steps)))
}

// bounds returns the rectangle around the shape. Near the poles it may go beyond the end of the world, or have no sensible
// longitudes at all.
func (s *Shape) bounds() rect {
	height, width := s.Unit*s.Radius, s.Unit*s.Radius
	if s.Box {
		height, width = s.Unit*(s.Height/2), s.Unit*(s.Width/2)
	}
	lat := degrees(height / EarthRadius)
	// The side that is nearer to the pole spans more degrees.
	edge := s.Lat + lat
	if s.Lat < 0 {
		edge = s.Lat - lat
	}
	lon := degrees(width / EarthRadius / cos(radians(edge)))
	return rect{minLon: s.Lon - lon, maxLon: s.Lon + lon, minLat: s.Lat - lat, maxLat: s.Lat + lat}
}

// reach returns how far the shape goes from its centre, in metres.
func (s *Shape) reach() float64 {
	if !s.Box {
		return s.Radius * s.Unit
	}
	w, h := s.Width/2, s.Height/2
	return math.Sqrt(float64(w*w)+float64(h*h)) * s.Unit
}

const (
	one  = uint32(1)
	back = ^uint32(0)
)

// Areas returns the areas to search: the cell of the centre and those around it that the shape reaches into.
func (s *Shape) Areas() (a Areas) {
	b := s.bounds()
	steps := stepsFor(s.reach(), s.Lat)
	middle := cell{encode(s.Lon, s.Lat, MaxLat, steps), steps}
	if steps > 1 && !middle.suffices(b) {
		steps--
		middle = cell{encode(s.Lon, s.Lat, MaxLat, steps), steps}
	}
	r := middle.rect()
	var north, south, east, west bool
	if steps >= 2 { // with fewer, every cell is everybody's neighbour
		north, south = r.maxLat > b.maxLat, r.minLat < b.minLat
		east, west = r.maxLon > b.maxLon, r.minLon < b.minLon
	}
	last := cell{}
	add := func(c cell, useless bool) {
		// Neighbours to different sides of the largest cells are the same; they follow each other in this order.
		if useless || c == last {
			return
		}
		shift := 2 * (Steps - c.steps)
		a.Ranges[a.N] = Range{c.bits << shift, (c.bits + 1) << shift}
		a.N++
		last = c
	}
	add(middle, false)
	add(middle.neighbor(0, one), north)
	add(middle.neighbor(0, back), south)
	add(middle.neighbor(one, 0), east)
	add(middle.neighbor(back, 0), west)
	add(middle.neighbor(one, one), north || east)
	add(middle.neighbor(back, one), north || west)
	add(middle.neighbor(one, back), south || east)
	add(middle.neighbor(back, back), south || west)
	return a
}

// suffices tells whether the cell and its neighbours cover the bounds.
func (c cell) suffices(b rect) bool {
	return !(c.neighbor(0, one).rect().maxLat < b.maxLat ||
		c.neighbor(0, back).rect().minLat > b.minLat ||
		c.neighbor(one, 0).rect().maxLon < b.maxLon ||
		c.neighbor(back, 0).rect().minLon > b.minLon)
}

// Find returns the distance of a position from the centre, in metres, if it lies within the shape.
func (s *Shape) Find(lon, lat float64) (metres float64, within bool) {
	if s.Box {
		if latDistance(lat, s.Lat) > s.Height*s.Unit/2 {
			return 0, false
		}
		if exceeds(lon, lat, s.Lon, lat, s.Width*s.Unit/2) {
			return 0, false
		}
	} else if exceeds(s.Lon, s.Lat, lon, lat, s.Radius*s.Unit) {
		return 0, false
	}
	return Distance(s.Lon, s.Lat, lon, lat), true
}

// exceeds tells whether Distance is more than limit. It computes that only when it is a close call; and many members of the
// areas are too far to the north or south already.
func exceeds(lon1, lat1, lon2, lat2, limit float64) bool {
	if latDistance(lat1, lat2) > limit*(1+nearlyError)+nearlyError {
		return true
	}
	d := nearly(lon1, lat1, lon2, lat2)
	if slack := d*nearlyError + nearlyError; d < nearlyFar && math.Abs(d-limit) > slack {
		return d > limit
	}
	return Distance(lon1, lat1, lon2, lat2) > limit
}
