package geo

import (
	"math"
	"strconv"
)

// EarthRadius is the radius of the sphere on which distances are measured, in metres.
const EarthRadius = 6372797.560856

// degree is one degree in radians: the quotient of two doubles, not the double next to the quotient.
const degree = 0x1.1df46a2529d39p-6

func radians(degrees float64) float64 { return degrees * degree }
func degrees(radians float64) float64 { return radians / degree }

// latDistance returns the distance between two latitudes in metres.
func latDistance(lat1, lat2 float64) float64 {
	return EarthRadius * math.Abs(float64(radians(lat2))-float64(radians(lat1)))
}

// Distance returns the distance between two positions in metres, along a great circle.
func Distance(lon1, lat1, lon2, lat2 float64) float64 {
	v := sin(float64(float64(radians(lon2))-float64(radians(lon1))) / 2)
	if v == 0 {
		return latDistance(lat1, lat2)
	}
	phi1, phi2 := float64(radians(lat1)), float64(radians(lat2))
	u := sin((phi2 - phi1) / 2)
	a := float64(u*u) + float64(float64(float64(cos(phi1)*cos(phi2))*v)*v)
	return 2 * EarthRadius * asin(math.Sqrt(a))
}

// nearly returns about the same as Distance in a third of the time. It differs by less than nearlyError, taken as a
// part of the distance plus as many metres.
func nearly(lon1, lat1, lon2, lat2 float64) float64 {
	v := math.Sin((radians(lon2) - radians(lon1)) / 2)
	phi1, phi2 := radians(lat1), radians(lat2)
	u := math.Sin((phi2 - phi1) / 2)
	a := u*u + math.Cos(phi1)*math.Cos(phi2)*v*v
	return 2 * EarthRadius * math.Asin(math.Sqrt(a))
}

// nearlyError leaves a wide margin: the functions are off by 1e-15 at most, and the arcsine of almost 1, for points that
// lie opposite of each other, takes the square root of that.
const nearlyError = 1e-6

// nearlyFar is the distance from which on rounding may lead to the arcsine of more than 1, which is no number.
const nearlyFar = 20_000_000

// AppendDistance appends a distance with four digits after the point, rounded as Redis 7.2 and later do: to even, after
// the product has been rounded to a double.
func AppendDistance(dst []byte, d float64) []byte {
	scaled := math.RoundToEven(d * 10000)
	if !(math.Abs(scaled) < 1<<62) {
		return strconv.AppendFloat(dst, d, 'f', 4, 64)
	}
	n := int64(scaled)
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	dst = strconv.AppendInt(dst, n/10000, 10)
	var digits [8]byte
	return append(append(dst, '.'), strconv.AppendInt(digits[:0], 10000+n%10000, 10)[1:]...)
}
