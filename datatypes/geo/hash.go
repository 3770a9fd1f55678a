package geo

// The limits of positions, in degrees.
const (
	MaxLon = 180.0
	MaxLat = 85.05112878
)

// Steps is how often the world is halved in each direction for a score.
const Steps = 26

// standardMaxLat is the limit of latitudes in the geohashes that other systems know.
const standardMaxLat = 90.0

// Valid tells whether a position can be stored. A NaN cannot.
func Valid(lon, lat float64) bool {
	return lon >= -MaxLon && lon <= MaxLon && lat >= -MaxLat && lat <= MaxLat
}

// Score returns the score of a valid position, in degrees. At the very upper limits it has more than 52 bits.
func Score(lon, lat float64) uint64 { return encode(lon, lat, MaxLat, Steps) }

// encode returns the hash of a position in a world of latitudes up to maxLat.
func encode(lon, lat, maxLat float64, steps uint) uint64 {
	cells := float64(uint64(1) << steps)
	y := (lat + maxLat) / (maxLat + maxLat) * cells
	x := (lon + MaxLon) / (MaxLon + MaxLon) * cells
	return spread(uint32(y)) | spread(uint32(x))<<1
}

// Position returns the middle of the cell that a score stands for. Scores that no position has give some position.
func Position(score float64) (lon, lat float64) {
	c := cell{bits: toUint64(score), steps: Steps}
	a := c.rect()
	lon = max(min((a.minLon+a.maxLon)/2, MaxLon), -MaxLon)
	lat = max(min((a.minLat+a.maxLat)/2, MaxLat), -MaxLat)
	return lon, lat
}

// toUint64 converts as x86-64 code does, where C and Go leave negative and huge values open: anybody may ask for the
// position of a member that ZADD gave any score.
func toUint64(f float64) uint64 {
	const top = 1 << 63
	switch {
	case f >= 2*top:
		return 0
	case f >= top:
		return uint64(int64(f-top)) ^ top
	case f < -top:
		return top
	}
	return uint64(int64(f))
}

// alphabet are the digits of a textual geohash.
const alphabet = "0123456789bcdefghjkmnpqrstuvwxyz"

// TextLen is the length of a textual geohash.
const TextLen = 11

// AppendText appends the textual geohash of the cell that a score stands for, in the coordinates that other systems use:
// latitudes up to 90 degrees. The 52 bits fill ten digits; the eleventh is always 0.
func AppendText(dst []byte, score float64) []byte {
	lon, lat := Position(score)
	hash := encode(lon, lat, standardMaxLat, Steps)
	for shift := 2*Steps - 5; shift > 0; shift -= 5 {
		dst = append(dst, alphabet[hash>>shift&31])
	}
	return append(dst, alphabet[0])
}

// cell is a part of the world. The zero cell is none.
type cell struct {
	bits  uint64
	steps uint
}

// rect is what a cell covers, in degrees.
type rect struct{ minLon, minLat, maxLon, maxLat float64 }

func (c cell) rect() rect {
	y, x := squeeze(c.bits), squeeze(c.bits>>1)
	return rect{
		minLon: edge(x, c.steps, MaxLon),
		maxLon: edge(x+1, c.steps, MaxLon),
		minLat: edge(y, c.steps, MaxLat),
		maxLat: edge(y+1, c.steps, MaxLat),
	}
}

// edge returns the lower edge of the cell number i in one direction, whose coordinates end at limit. Like the original,
// it counts in 32 bits.
func edge(i uint32, steps uint, limit float64) float64 {
	part := float64(i) / float64(uint64(1)<<steps)
	return float64(part*(limit+limit)) - limit
}

// neighbor returns the cell that is dx cells to the east and dy to the north, around the end of the world if need be.
func (c cell) neighbor(dx, dy uint32) cell {
	mask := uint32(1)<<c.steps - 1
	y, x := squeeze(c.bits), squeeze(c.bits>>1)
	// At the upper limits a cell lies one outside of the world, from where only a move brings it back.
	if dx != 0 {
		x = (x + dx) & mask
	}
	if dy != 0 {
		y = (y + dy) & mask
	}
	return cell{bits: spread(y) | spread(x)<<1, steps: c.steps}
}

// spread puts the bits of v at the even positions of a word.
func spread(v uint32) uint64 {
	x := uint64(v)
	x = (x | x<<16) & 0x0000ffff0000ffff
	x = (x | x<<8) & 0x00ff00ff00ff00ff
	x = (x | x<<4) & 0x0f0f0f0f0f0f0f0f
	x = (x | x<<2) & 0x3333333333333333
	return (x | x<<1) & 0x5555555555555555
}

// squeeze undoes spread; bits at odd positions do not matter.
func squeeze(x uint64) uint32 {
	x &= 0x5555555555555555
	x = (x | x>>1) & 0x3333333333333333
	x = (x | x>>2) & 0x0f0f0f0f0f0f0f0f
	x = (x | x>>4) & 0x00ff00ff00ff00ff
	x = (x | x>>8) & 0x0000ffff0000ffff
	return uint32(x | x>>16)
}
