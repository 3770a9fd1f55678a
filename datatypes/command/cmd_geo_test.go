package command

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/geo"
	"github.com/troupe-db/troupe/netio/resp"
)

const sicily = "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"

// GEOADD is journalled as the ZADD that it is; the others as they came.
func TestGeoReports(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		for _, c := range []struct {
			line string
			want []string
		}{
			{sicily, []string{"new g", "modified g", "zadd g", "> ZADD g 3479099956230698 Palermo 3479447370796909 Catania"}},
			{sicily, nil},
			{"GEOADD g NX CH 1 1 Palermo 0 0 zero", []string{"modified g", "zadd g", fmt.Sprintf("> ZADD g NX CH %d Palermo %d zero", geo.Score(1, 1), geo.Score(0, 0))}},
			{"GEOADD g XX 0 0 nosuch", nil},
			{"GEOADD g 200 0 x", nil},
			{"GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km", []string{"new d", "modified d", "geosearchstore d", "> GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km"}},
			{"GEORADIUS g 15 37 200 km STORE d", []string{"modified d", "georadiusstore d", "> GEORADIUS g 15 37 200 km STORE d"}},
			{"GEORADIUSBYMEMBER g Palermo 1 km STOREDIST d", []string{"modified d", "georadiusstore d", "> GEORADIUSBYMEMBER g Palermo 1 km STOREDIST d"}},
			{"GEORADIUS g 100 37 1 m STORE d", []string{"modified d", "del d", "> GEORADIUS g 100 37 1 m STORE d"}},
			{"GEORADIUS g 100 37 1 m STORE d", nil},
			{"GEORADIUS g 15 37 200 km", nil},
			{"GEOSEARCHSTORE g none FROMLONLAT 15 37 BYRADIUS 200 km", []string{"keymiss none", "modified g", "del g", "> GEOSEARCHSTORE g none FROMLONLAT 15 37 BYRADIUS 200 km"}},
			{"GEODIST g a b", []string{"keymiss g"}},
		} {
			require.Equal(t, c.want, s.tookFrom(c.line), c.line)
		}
	})
}

func TestGeoDirty(t *testing.T) {
	s := newTestCtx(t, 1)
	for _, c := range []struct {
		line string
		want int
	}{
		{sicily, 2}, {sicily, 0}, {"GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km", 2},
		{"GEOSEARCHSTORE d g FROMLONLAT 0 0 BYRADIUS 1 m", 1}, {"GEOSEARCHSTORE d g FROMLONLAT 0 0 BYRADIUS 1 m", 0},
	} {
		s.run(c.line)
		require.Equal(t, c.want, s.DirtyCount(), c.line)
	}
}

func TestGeoRESP3(t *testing.T) {
	s := newTestCtx(t, 1)
	s.run(sicily)
	s.out.Proto = 3
	s.check(
		"GEOPOS g Palermo x", "*2 *2 ,13.36138933897018433 ,38.11555639549629859 _",
		"GEODIST g Palermo Catania km", "$8 166.2742",
		"GEODIST g Palermo x", "_",
		"GEOHASH g Palermo x", "*2 $11 sqc8b49rny0 _",
		"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 100 km WITHCOORD WITHDIST WITHHASH",
		"*1 *4 $7 Catania $7 56.4413 :3479447370796909 *2 ,15.08726745843887329 ,37.50266842333162032",
		"GEOSEARCH none FROMLONLAT 15 37 BYRADIUS 100 km", "*0",
	)
	s.out.Proto = 2
	s.check(
		"GEOPOS g Palermo x", "*2 *2 $20 13.36138933897018433 $20 38.11555639549629859 *-1",
		"GEODIST g Palermo x", "$-1",
		"GEORADIUS g 15 37 100 km WITHHASH", "*1 *2 $7 Catania :3479447370796909",
	)
}

// The same search finds the same over a packed set and over a large one, and what a look at every member finds.
func TestGeoSearchModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(21, 22))
	packed, large := newTestCtx(t, 1), newTestCtx(t, 1)
	packed.Settings.ZSetMaxListpackEntries, large.Settings.ZSetMaxListpackEntries = 10_000, 0
	type place struct{ lon, lat float64 }
	places := map[string]place{}
	for i := range 300 {
		p := place{rnd.Float64()*40 - 20, rnd.Float64()*40 + 20}
		name := fmt.Sprint("m", i)
		line := fmt.Sprintf("GEOADD g %v %v %s", p.lon, p.lat, name)
		packed.run(line)
		large.run(line)
		p.lon, p.lat = geo.Position(float64(geo.Score(p.lon, p.lat)))
		places[name] = p
	}
	require.Equal(t, "listpack", packed.encoding("g"))
	require.Equal(t, "skiplist", large.encoding("g"))
	for range 300 {
		s := geo.Shape{Lon: rnd.Float64()*40 - 20, Lat: rnd.Float64()*40 + 20, Unit: 1000}
		by := ""
		if rnd.IntN(2) == 0 {
			s.Radius = rnd.Float64() * 1500
			by = fmt.Sprintf("BYRADIUS %v km", s.Radius)
		} else {
			s.Box, s.Width, s.Height = true, rnd.Float64()*3000, rnd.Float64()*3000
			by = fmt.Sprintf("BYBOX %v %v km", s.Width, s.Height)
		}
		var want []string
		dist := map[string]float64{}
		for name, p := range places {
			if d, within := s.Find(p.lon, p.lat); within {
				want, dist[name] = append(want, name), d
			}
		}
		line := fmt.Sprintf("GEOSEARCH g FROMLONLAT %v %v %s", s.Lon, s.Lat, by)
		got := geoNames(packed.run(line))
		require.Equal(t, got, geoNames(large.run(line)), line)
		slices.Sort(got)
		slices.Sort(want)
		require.Equal(t, want, got, line)

		slices.SortFunc(want, func(a, b string) int { return cmp.Compare(dist[a], dist[b]) })
		require.Equal(t, want, geoNames(large.run(line+" ASC")), line)
		n := 1 + rnd.IntN(20)
		require.Equal(t, want[:min(n, len(want))], geoNames(large.run(fmt.Sprint(line, " COUNT ", n))), line)
		slices.Reverse(want)
		require.Equal(t, want[:min(n, len(want))], geoNames(packed.run(fmt.Sprint(line, " DESC COUNT ", n))), line)
		require.Len(t, geoNames(large.run(fmt.Sprint(line, " ANY COUNT ", n))), min(n, len(want)), line)

		large.run("GEOSEARCHSTORE d g" + strings.TrimPrefix(line, "GEOSEARCH g") + " STOREDIST")
		slices.Reverse(want)
		require.Equal(t, want, geoNames(large.run("ZRANGE d 0 -1")), line)
	}
}

// geoNames returns the bulk strings of a reply, nil when there are none.
func geoNames(reply string) (names []string) {
	words := strings.Fields(reply)
	for i := 2; i < len(words); i += 2 {
		names = append(names, words[i])
	}
	return names
}

// Sorting only the first of many gives what sorting all gives.
func TestSortGeoPoints(t *testing.T) {
	rnd := rand.New(rand.NewPCG(23, 24))
	for range 3000 {
		size := rnd.IntN(120)
		list := make([]geoPoint, size)
		for i := range list {
			list[i].dist = float64(rnd.IntN(1 + rnd.IntN(200)))
			list[i].from = i
		}
		all := slices.Clone(list)
		descending := rnd.IntN(2) == 0
		sortGeoPoints(all, descending, size)
		n := rnd.IntN(size + 1)
		some := slices.Clone(list)
		sortGeoPoints(some, descending, n)
		seen := map[int]bool{}
		for i := range n {
			require.Equal(t, all[i].dist, some[i].dist)
			require.False(t, seen[some[i].from])
			seen[some[i].from] = true
			require.Equal(t, list[some[i].from].dist, some[i].dist)
		}
	}
}

// Members at one place come out of a search with COUNT as redis-server 7.0.15 has them.
func TestGeoTies(t *testing.T) {
	s := newTestCtx(t, 1)
	for i := range 50 {
		s.do("GEOADD", "g", "10", "10", fmt.Sprintf("m%02d", i))
	}
	s.do("GEOADD", "g", "10.001", "10", "far")
	s.check(
		"GEOSEARCH g FROMLONLAT 10 10 BYRADIUS 1 km COUNT 5", "*5 $3 m38 $3 m01 $3 m02 $3 m03 $3 m04",
		"GEOSEARCH g FROMLONLAT 10 10 BYRADIUS 1 km COUNT 3 DESC", "*3 $3 far $3 m01 $3 m02",
	)
}

func TestGeoErrorsAreAsTyped(t *testing.T) {
	s := newTestCtx(t, 1)
	s.run(sicily)
	s.check(
		"GeoSearch g ASC ASC ASC ASC ASC", "-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GeoSearch",
		"geosearchSTORE d g FROMMEMBER Palermo ASC ASC ASC", "-ERR exactly one of BYRADIUS and BYBOX can be specified for geosearchSTORE",
		"GEOADD g 1e30 0 x", "-ERR invalid longitude,latitude pair 1000000000000000019884624838656.000000,0.000000",
		"GEOADD g -inf inf x", "-ERR invalid longitude,latitude pair -inf,inf",
	)
}

func BenchmarkGeo(b *testing.B) {
	s := newTestCtx(b, 1)
	s.Journal = nil
	s.shards[0].Observer = nil
	rnd := rand.New(rand.NewPCG(25, 26))
	for i := range 100_000 {
		s.do("GEOADD", "g", strconv.FormatFloat(rnd.Float64()*40, 'f', 6, 64), strconv.FormatFloat(20+rnd.Float64()*40, 'f', 6, 64), fmt.Sprint("m", i))
	}
	for _, line := range []string{
		"GEODIST g m1 m2", "GEOPOS g m1", "GEOADD g 20 30 m1 21 31 m1", "GEOSEARCH g FROMLONLAT 20 40 BYRADIUS 50 km ASC",
		"GEOSEARCH g FROMLONLAT 20 40 BYBOX 100 100 km WITHDIST WITHCOORD", "GEOSEARCH g FROMLONLAT 20 40 BYRADIUS 500 km COUNT 10 ANY",
	} {
		args := [][]byte{}
		for _, w := range strings.Fields(line) {
			args = append(args, []byte(w))
		}
		b.Run(line, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.call(args)
			}
		})
	}
}

// Whatever key GEORADIUS writes to must be held: it takes the last of several destinations.
func TestGeoStoreScope(t *testing.T) {
	c := newTestCtx(t, 1)
	c.run("GEOADD g 15 37 m")
	for line, want := range map[string]Scope{
		"GEORADIUS g 15 37 1 km":                           ScopeKeys,
		"GEORADIUS g 15 37 1 km STORE a":                   ScopeKeys,
		"GEORADIUS g 15 37 1 km STORE a STORE b":           ScopeAllShards,
		"GEORADIUS g 15 37 1 km STOREDIST STORE STORE b":   ScopeAllShards,
		"GEORADIUSBYMEMBER g m 1 km store a storedist b":   ScopeAllShards,
		"GEORADIUSBYMEMBER g m 1 km STOREDIST a COUNT 1":   ScopeKeys,
		"GEORADIUSBYMEMBER store m 1 km STORE a ASC":       ScopeKeys,
		"GEORADIUSBYMEMBER g store 1 km STORE a STORE g":   ScopeAllShards,
		"GEORADIUSBYMEMBER g m 1 km STORE a STORE b STORE": ScopeAllShards,
	} {
		args, _ := resp.SplitArgs([]byte(line), nil)
		spec, msg := c.Table().Resolve(args)
		require.Empty(t, msg)
		require.Equal(t, want, spec.ScopeFunc(args), line)
	}
	require.Equal(t, ":1", c.run("GEORADIUS g 15 37 1 km STORE a STORE b"))
	require.Equal(t, ":1", c.run("EXISTS a b"))
	require.Equal(t, ":1", c.run("EXISTS b"))
}
