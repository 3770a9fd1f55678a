package command

import (
	"math"
	"strconv"

	"github.com/troupe-db/troupe/datatypes/geo"
	"github.com/troupe-db/troupe/datatypes/zset"
	"github.com/troupe-db/troupe/netio/resp"
)

// Positions on earth: sorted sets whose scores are geohashes, see package geo. Searches are in cmd_geo_search.go.

const (
	msgGeoUnit     = "ERR unsupported unit provided. please use M, KM, FT, MI"
	msgGeoNoMember = "ERR could not decode requested zset member"
)

// geoUnit returns how many metres a unit has.
func geoUnit(word []byte) (metres float64, ok bool) {
	switch {
	case equalFold(word, "m"):
		return 1, true
	case equalFold(word, "km"):
		return 1000, true
	case equalFold(word, "ft"):
		return 0.3048, true
	case equalFold(word, "mi"):
		return 1609.34, true
	}
	return 0, false
}

// geoPosition reads a longitude and a latitude. When they are wrong, err is the reply.
func geoPosition(lonWord, latWord []byte) (lon, lat float64, err string) {
	lon, ok := resp.ParseFloat(lonWord)
	if ok {
		lat, ok = resp.ParseFloat(latWord)
	}
	if !ok {
		return 0, 0, MsgNotFloat
	}
	if !geo.Valid(lon, lat) {
		return 0, 0, "ERR invalid longitude,latitude pair " + geoFixed(lon) + "," + geoFixed(lat)
	}
	return lon, lat, ""
}

// geoFixed writes a coordinate as C's %f does.
func geoFixed(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return strconv.FormatFloat(f, 'f', 6, 64)
}

// GEOADD adds members at positions, with the conditions of ZADD, as which it is propagated.
var geoaddSpec = Spec{
	Name: "geoadd", Group: GroupGeo, Since: "3.2.0", Arity: -5,
	Complexity: "O(log(N)) for each member, N being the size of the set",
	Summary:    "Adds members to a geospatial index or changes their positions.",
	History:    [][2]string{{"6.2.0", "Options `CH`, `NX` and `XX`."}},
	Flags:      Write | DenyOOM,
	Keys:       KeySpecs{At(1).Flags(RW | Update)},
	Syntax:     "key [condition:<NX|XX>@6.2.0] [change:CH@6.2.0] data:{longitude:double latitude:double member}...",
	Heavy:      func(c *Ctx) bool { return len(c.Args) > 3*heavyKeys },
	Run:        geoaddCommand,
}

func geoaddCommand(c *Ctx) {
	var o zaddOptions
	first := 2
options:
	for ; first < len(c.Args); first++ {
		switch word := c.Args[first]; {
		case equalFold(word, "nx"):
			o.nx = true
		case equalFold(word, "xx"):
			o.xx = true
		case equalFold(word, "ch"):
			o.ch = true
		default:
			break options
		}
	}
	if words := len(c.Args) - first; words == 0 || words%3 != 0 || o.nx && o.xx {
		c.Reply.Error(MsgSyntax)
		return
	}
	var room [16]float64
	scores := room[:0]
	for i := first; i < len(c.Args); i += 3 {
		lon, lat, err := geoPosition(c.Args[i], c.Args[i+1])
		if err != "" {
			c.Reply.Error(err)
			return
		}
		scores = append(scores, float64(geo.Score(lon, lat)))
	}
	c.zaddAll(o, scores, first+2, 3)
	if c.DirtyCount() > 0 && c.Journal != nil {
		c.Propagate(geoAsZadd(c.Args, first, scores)...)
	}
}

var geoWordZadd = []byte("ZADD")

// geoAsZadd returns the words of a GEOADD, whose first position is args[first], as those of a ZADD.
func geoAsZadd(args [][]byte, first int, scores []float64) [][]byte {
	out := make([][]byte, 0, first+2*len(scores))
	out = append(append(out, geoWordZadd), args[1:first]...)
	for i, score := range scores {
		out = append(out, strconv.AppendUint(nil, uint64(score), 10), args[first+3*i+2])
	}
	return out
}

// geoMember returns the position of a member.
func geoMember(r zset.Reader, member []byte) (lon, lat float64, ok bool) {
	score, ok := r.Get(member)
	if ok {
		lon, lat = geo.Position(score)
	}
	return lon, lat, ok
}

// GEODIST returns the distance between two members.
var geodistSpec = Spec{
	Name: "geodist", Group: GroupGeo, Since: "3.2.0", Complexity: "O(1)", Arity: -4,
	Summary: "Returns the distance between two members of a geospatial index.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax:  "key member1 member2 [unit:<M|KM|FT|MI>]",
	Run:     geodistCommand,
}

func geodistCommand(c *Ctx) {
	unit := 1.0
	switch len(c.Args) {
	case 4:
	case 5:
		var ok bool
		if unit, ok = geoUnit(c.Args[4]); !ok {
			c.Reply.Error(msgGeoUnit)
			return
		}
	default:
		c.Reply.Error(MsgSyntax)
		return
	}
	r, _, failed := c.zsetRead(1)
	if failed {
		return
	}
	lon1, lat1, ok1 := geoMember(r, c.Args[2])
	lon2, lat2, ok2 := geoMember(r, c.Args[3])
	if !ok1 || !ok2 {
		c.Reply.Null()
		return
	}
	c.replyDistance(geo.Distance(lon1, lat1, lon2, lat2) / unit)
}

// replyDistance replies a distance, as text in both protocols.
func (c *Ctx) replyDistance(d float64) {
	var room [32]byte
	c.Reply.Bulk(geo.AppendDistance(room[:0], d))
}

// GEOHASH returns the positions of members as geohashes that other systems understand.
var geohashSpec = Spec{
	Name: "geohash", Group: GroupGeo, Since: "3.2.0", Complexity: "O(1) for each member", Arity: -2,
	Summary:    "Returns members of a geospatial index as geohash strings.",
	Flags:      ReadOnly,
	Keys:       KeySpecs{At(1).Flags(RO | Access)},
	Syntax:     "key [member...]",
	HeavyWords: heavyKeys,
	Run:        geohashCommand,
}

func geohashCommand(c *Ctx) {
	r, _, failed := c.zsetRead(1)
	if failed {
		return
	}
	c.Reply.Array(len(c.Args) - 2)
	for _, member := range c.Args[2:] {
		if score, ok := r.Get(member); ok {
			var room [geo.TextLen]byte
			c.Reply.Bulk(geo.AppendText(room[:0], score))
		} else {
			c.Reply.Null()
		}
	}
}

// GEOPOS returns the positions of members: the middle of the cell of 0.6 m that each is stored as.
var geoposSpec = Spec{
	Name: "geopos", Group: GroupGeo, Since: "3.2.0", Complexity: "O(1) for each member", Arity: -2,
	Summary:    "Returns the longitude and latitude of members of a geospatial index.",
	Flags:      ReadOnly,
	Keys:       KeySpecs{At(1).Flags(RO | Access)},
	Syntax:     "key [member...]",
	HeavyWords: heavyKeys,
	Run:        geoposCommand,
}

func geoposCommand(c *Ctx) {
	r, _, failed := c.zsetRead(1)
	if failed {
		return
	}
	c.Reply.Array(len(c.Args) - 2)
	for _, member := range c.Args[2:] {
		if lon, lat, ok := geoMember(r, member); ok {
			c.replyPosition(lon, lat)
		} else {
			c.Reply.NullArray()
		}
	}
}

// replyPosition replies a longitude and a latitude with all the digits that fixed notation has room for.
func (c *Ctx) replyPosition(lon, lat float64) {
	c.Reply.Array(2)
	c.replyCoordinate(lon)
	c.replyCoordinate(lat)
}

func (c *Ctx) replyCoordinate(f float64) {
	var room [48]byte
	text := resp.AppendHumanFloat(room[:0], f)
	if c.Reply.Proto != 3 {
		c.Reply.Bulk(text)
		return
	}
	b := append(c.Reply.Buf, ',')
	c.Reply.Buf = append(append(b, text...), '\r', '\n')
}
