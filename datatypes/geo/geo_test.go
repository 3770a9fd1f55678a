package geo

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// What redis-server 7.0.15 says of these places.
func TestScoreAndText(t *testing.T) {
	for _, c := range []struct {
		lon, lat float64
		score    uint64
		text     string
	}{
		{13.361389, 38.115556, 3479099956230698, "sqc8b49rny0"},
		{15.087269, 37.502669, 3479447370796909, "sqdtr74hyu0"},
		{-5.6, 42.6, 0, "ezs42e44yx0"},
		{180, 85.05112878, 0, ""},
		{-180, -85.05112878, 0, ""},
		{0, 0, 3377699720527872, "s0000000000"},
	} {
		score := Score(c.lon, c.lat)
		if c.score != 0 {
			require.Equal(t, c.score, score)
		}
		if c.text != "" {
			require.Equal(t, c.text, string(AppendText(nil, float64(score))))
		}
		lon, lat := Position(float64(score))
		require.InDelta(t, c.lon, lon, 1e-5)
		require.InDelta(t, c.lat, lat, 1e-5)
	}
}

func TestPosition(t *testing.T) {
	lon, lat := Position(3479099956230698)
	require.Equal(t, 13.36138933897018433, lon)
	require.Equal(t, 38.11555639549629859, lat)
	lon, lat = Position(3479447370796909)
	require.Equal(t, 15.08726745843887329, lon)
	require.Equal(t, 37.50266842333162032, lat)
	for _, score := range []float64{-1, math.Inf(1), math.Inf(-1), 1e300, 1 << 63, 1 << 52, 1.5, math.NaN()} {
		lon, lat = Position(score)
		require.True(t, Valid(lon, lat), "%v", score)
	}
}

func TestValid(t *testing.T) {
	require.True(t, Valid(180, 85.05112878))
	require.True(t, Valid(-180, -85.05112878))
	for _, p := range [][2]float64{{180.0001, 0}, {-180.0001, 0}, {0, 85.05112879}, {0, -86}, {math.NaN(), 0}, {0, math.NaN()}, {math.Inf(1), 0}} {
		require.False(t, Valid(p[0], p[1]), "%v", p)
	}
}

func TestToUint64(t *testing.T) {
	for _, c := range []struct {
		f float64
		n uint64
	}{
		{0, 0}, {1.9, 1}, {-1, math.MaxUint64}, {-1.9, math.MaxUint64}, {1 << 63, 1 << 63}, {1<<63 + 4096, 1<<63 + 4096},
		{1 << 64, 0}, {math.Inf(1), 0}, {math.Inf(-1), 1 << 63}, {-1 << 63, 1 << 63}, {-1e300, 1 << 63},
	} {
		require.Equal(t, c.n, toUint64(c.f), "%v", c.f)
	}
}

// A position and the middle of its cell are less than a cell apart, and its score grows with both coordinates.
func TestRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		lon, lat := randomPlace(rnd)
		score := Score(lon, lat)
		require.Less(t, score, uint64(1)<<52)
		x, y := Position(float64(score))
		require.InDelta(t, lon, x, 360.0/(1<<Steps))
		require.InDelta(t, lat, y, 2*MaxLat/(1<<Steps))
		require.Equal(t, score, Score(x, y), "the middle belongs to the cell")
		require.Equal(t, score, spread(squeeze(score))|spread(squeeze(score>>1))<<1)
	}
}

func randomPlace(rnd *rand.Rand) (lon, lat float64) {
	return (rnd.Float64()*2 - 1) * MaxLon, (rnd.Float64()*2 - 1) * MaxLat
}

// Neighbours share an edge or a corner, around the end of the world too.
func TestNeighbors(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		lon, lat := randomPlace(rnd)
		steps := uint(1 + rnd.IntN(Steps))
		c := cell{encode(lon, lat, MaxLat, steps), steps}
		r := c.rect()
		require.True(t, lon >= r.minLon && lon < r.maxLon && lat >= r.minLat && lat < r.maxLat)
		east := c.neighbor(one, 0).rect()
		if r.maxLon < MaxLon {
			require.Equal(t, r.maxLon, east.minLon)
		} else {
			require.Equal(t, -MaxLon, east.minLon)
		}
		require.Equal(t, r.minLat, east.minLat)
		require.Equal(t, c, c.neighbor(one, 0).neighbor(back, 0))
		require.Equal(t, c, c.neighbor(0, one).neighbor(0, back))
		require.Equal(t, c.neighbor(one, one), c.neighbor(one, 0).neighbor(0, one))
		require.Equal(t, c.neighbor(back, one), c.neighbor(0, one).neighbor(back, 0))
	}
}

func TestDistance(t *testing.T) {
	lon1, lat1 := Position(3479099956230698)
	lon2, lat2 := Position(3479447370796909)
	d := Distance(lon1, lat1, lon2, lat2)
	require.Equal(t, "166274.1516", string(AppendDistance(nil, d)))
	require.Equal(t, "166.2742", string(AppendDistance(nil, d/1000)))
	require.Equal(t, d, Distance(lon2, lat2, lon1, lat1))
	require.Zero(t, Distance(lon1, lat1, lon1, lat1))
	require.Equal(t, latDistance(10, 20), Distance(30, 10, 30, 20))
	rnd := rand.New(rand.NewPCG(9, 10))
	for range 5000 {
		x1, y1 := randomPlace(rnd)
		x2, y2 := randomPlace(rnd)
		d := Distance(x1, y1, x2, y2)
		require.InDelta(t, d, nearly(x1, y1, x2, y2), d*nearlyError+nearlyError)
		require.LessOrEqual(t, d, math.Pi*EarthRadius*1.0000001)
	}
}

func TestAppendDistance(t *testing.T) {
	for _, c := range []struct {
		d    float64
		text string
	}{
		{0, "0.0000"}, {1, "1.0000"}, {0.00004, "0.0000"}, {0.00005, "0.0000"}, {0.00015625, "0.0002"}, {0.0001, "0.0001"},
		{12.5, "12.5000"}, {-12.34567, "-12.3457"}, {20015086.79602, "20015086.7960"}, {99.99999, "100.0000"},
		{1e15, "1000000000000000.0000"}, {math.NaN(), "NaN"},
	} {
		require.Equal(t, c.text, string(AppendDistance(nil, c.d)), "%v", c.d)
	}
}

// Away from the poles the areas hold everything that lies within the shape, and no area comes twice.
func TestAreasCover(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	for range 3000 {
		s := Shape{Lon: (rnd.Float64()*2 - 1) * 170, Lat: (rnd.Float64()*2 - 1) * 60, Unit: 1}
		size := math.Exp(rnd.Float64() * 14) // up to 1200 km
		if rnd.IntN(2) == 0 {
			s.Radius = size
		} else {
			s.Box, s.Width, s.Height = true, size*rnd.Float64(), size*rnd.Float64()
		}
		areas := s.Areas()
		require.Positive(t, areas.N)
		seen := map[Range]bool{}
		for _, a := range areas.Ranges[:areas.N] {
			require.Less(t, a.Min, a.Max)
			require.False(t, seen[a], "%+v: %v twice", s, a)
			seen[a] = true
		}
		for range 50 {
			span := degrees(size/EarthRadius) * 1.5
			lon, lat := s.Lon+(rnd.Float64()*2-1)*span*2, s.Lat+(rnd.Float64()*2-1)*span
			if !Valid(lon, lat) {
				continue
			}
			score := Score(lon, lat)
			lon, lat = Position(float64(score))
			if _, within := s.Find(lon, lat); !within {
				continue
			}
			found := false
			for _, a := range areas.Ranges[:areas.N] {
				found = found || a.Min <= score && score < a.Max
			}
			require.True(t, found, "%+v: %v %v", s, lon, lat)
		}
	}
}

// A huge shape is everywhere.
func TestAreasOfTheWorld(t *testing.T) {
	for _, radius := range []float64{2.1e7, 1e300, math.Inf(1)} {
		s := Shape{Lon: 10, Lat: 20, Radius: radius, Unit: 1000}
		areas := s.Areas()
		require.Equal(t, 4, areas.N)
		total := uint64(0)
		for _, a := range areas.Ranges[:areas.N] {
			total += a.Max - a.Min
		}
		require.Equal(t, uint64(1)<<52, total)
		_, within := s.Find(-170, -80)
		require.True(t, within)
	}
	s := Shape{Lon: 10, Lat: 20, Unit: 1}
	areas := s.Areas()
	require.Equal(t, 1, areas.N)
	require.Equal(t, Range{Score(10, 20), Score(10, 20) + 1}, areas.Ranges[0])
}

// A close call is decided by the exact distance.
func TestFindAtTheEdge(t *testing.T) {
	rnd := rand.New(rand.NewPCG(13, 14))
	for range 2000 {
		lon1, lat1 := randomPlace(rnd)
		lon2, lat2 := randomPlace(rnd)
		d := Distance(lon1, lat1, lon2, lat2)
		s := Shape{Lon: lon1, Lat: lat1, Radius: d, Unit: 1}
		got, within := s.Find(lon2, lat2)
		require.True(t, within)
		require.Equal(t, d, got)
		s.Radius = math.Nextafter(d, 0)
		_, within = s.Find(lon2, lat2)
		require.False(t, within)
	}
	box := Shape{Lon: 0, Lat: 0, Box: true, Width: 100, Height: 50, Unit: 1000}
	_, within := box.Find(0.4, 0.2)
	require.True(t, within)
	_, within = box.Find(0.5, 0.2)
	require.False(t, within)
	_, within = box.Find(0.4, 0.3)
	require.False(t, within)
}

// FuzzAreas: no input leads to a panic or to areas that are not ranges.
func FuzzAreas(f *testing.F) {
	f.Add(15.0, 37.0, 200.0, 100.0, 1000.0, true)
	f.Add(180.0, 85.05112878, 1e300, 0.0, 0.3048, false)
	f.Add(-180.0, -85.05112878, 0.0, math.Inf(1), 1609.34, true)
	f.Fuzz(func(t *testing.T, lon, lat, width, height, unit float64, box bool) {
		if !Valid(lon, lat) || !(width >= 0) || !(height >= 0) || !(unit > 0) {
			t.Skip()
		}
		s := Shape{Lon: lon, Lat: lat, Radius: width, Width: width, Height: height, Unit: unit, Box: box}
		areas := s.Areas()
		require.True(t, areas.N >= 1 && areas.N <= 9)
		for _, a := range areas.Ranges[:areas.N] {
			require.Less(t, a.Min, a.Max)
		}
		s.Find(lon, lat)
		s.Find(-lon, -lat)
	})
}
