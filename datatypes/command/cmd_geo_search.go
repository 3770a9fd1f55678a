package command

import (
	"github.com/troupe-db/troupe/datatypes/geo"
	"github.com/troupe-db/troupe/datatypes/zset"
	"github.com/troupe-db/troupe/netio/resp"
)

// Searches in geospatial indexes. GEORADIUS and GEORADIUSBYMEMBER are the older forms of GEOSEARCH, with the centre and
// the radius at fixed places.

// geoForm says how a command takes a search.
type geoForm struct {
	fromCoord  bool // GEORADIUS: key longitude latitude radius unit
	fromMember bool // GEORADIUSBYMEMBER: key member radius unit
	mayStore   bool // options STORE and STOREDIST are allowed
	store      bool // GEOSEARCHSTORE: Args[1] is the destination, Args[2] the source
}

func (f geoForm) search() bool { return !f.fromCoord && !f.fromMember }

// source returns the index of the key that is searched.
func (f geoForm) source() int {
	if f.store {
		return 2
	}
	return 1
}

// geoOrder is the order of results.
type geoOrder uint8

const (
	geoUnsorted geoOrder = iota // as the areas are walked
	geoAsc
	geoDesc
)

// geoQuery is a parsed search.
type geoQuery struct {
	shape                         geo.Shape
	withCoord, withDist, withHash bool
	order                         geoOrder
	count                         int64 // 0 for all
	any                           bool  // stop at any count results
	dest                          int   // index of the destination, 0 for none
	storeDist                     bool  // store distances, not positions
}

// parse reads the arguments into q; r is the set that is searched. When they are wrong, err is the reply.
func (f geoForm) parse(c *Ctx, r zset.Reader, found bool, q *geoQuery) (err string) {
	*q = geoQuery{}
	s := &q.shape
	w := words{}
	switch {
	case f.fromCoord:
		if s.Lon, s.Lat, err = geoPosition(c.Args[2], c.Args[3]); err != "" {
			return err
		}
		if err = geoRadius(s, c.Args[4], c.Args[5]); err != "" {
			return err
		}
		w = c.words(6)
	case f.fromMember:
		if found { // else the reply depends on the options alone
			var ok bool
			if s.Lon, s.Lat, ok = geoMember(r, c.Args[2]); !ok {
				return msgGeoNoMember
			}
			if err = geoRadius(s, c.Args[3], c.Args[4]); err != "" {
				return err
			}
		}
		w = c.words(5)
	case f.store:
		q.dest = 1
		w = c.words(3)
	default:
		w = c.words(2)
	}
	var fromMember, fromCoord, byRadius, byBox bool
	for w.more() {
		switch {
		case w.is("WITHDIST"):
			q.withDist = true
		case w.is("WITHHASH"):
			q.withHash = true
		case w.is("WITHCOORD"):
			q.withCoord = true
		case w.is("ANY"):
			q.any = true
		case w.is("ASC"):
			q.order = geoAsc
		case w.is("DESC"):
			q.order = geoDesc
		case w.has("COUNT", 1):
			if q.count = w.int(); q.count <= 0 {
				w.fail("ERR COUNT must be > 0")
			}
		case f.mayStore && w.has("STORE", 1):
			q.dest, q.storeDist = len(c.Args)-len(w.rest), false
			w.next()
		case f.mayStore && w.has("STOREDIST", 1):
			q.dest, q.storeDist = len(c.Args)-len(w.rest), true
			w.next()
		case f.store && w.is("STOREDIST"):
			q.storeDist = true
		case f.search() && !fromCoord && w.has("FROMMEMBER", 1):
			fromMember = true
			if member := w.next(); found {
				var ok bool
				if s.Lon, s.Lat, ok = geoMember(r, member); !ok {
					w.fail(msgGeoNoMember)
				}
			}
		case f.search() && !fromMember && w.has("FROMLONLAT", 2):
			fromCoord = true
			lon, lat := w.next(), w.next()
			if s.Lon, s.Lat, err = geoPosition(lon, lat); err != "" {
				w.fail(err)
			}
		case f.search() && !byBox && w.has("BYRADIUS", 2):
			byRadius = true
			radius, unit := w.next(), w.next()
			if err = geoRadius(s, radius, unit); err != "" {
				w.fail(err)
			}
		case f.search() && !byRadius && w.has("BYBOX", 3):
			byBox = true
			width, height, unit := w.next(), w.next(), w.next()
			if err = geoBox(s, width, height, unit); err != "" {
				w.fail(err)
			}
		default:
			w.syntax()
		}
	}
	switch {
	case w.err != "":
		return w.err
	case q.dest > 0 && (q.withCoord || q.withDist || q.withHash):
		what := "STORE option in GEORADIUS"
		if f.store {
			what = "GEOSEARCHSTORE"
		}
		return "ERR " + what + " is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
	case f.search() && !fromMember && !fromCoord:
		return "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for " + string(c.Args[0])
	case f.search() && !byRadius && !byBox:
		return "ERR exactly one of BYRADIUS and BYBOX can be specified for " + string(c.Args[0])
	case q.any && q.count == 0:
		return "ERR the ANY argument requires COUNT argument"
	}
	if q.count > 0 && !q.any && q.order == geoUnsorted {
		q.order = geoAsc // some of them makes sense of the nearest only
	}
	return ""
}

// geoRadius reads a radius with its unit.
func geoRadius(s *geo.Shape, radius, unit []byte) (err string) {
	var ok bool
	if s.Radius, ok = resp.ParseFloat(radius); !ok {
		return "ERR need numeric radius"
	}
	if s.Radius < 0 {
		return "ERR radius cannot be negative"
	}
	s.Box = false
	return geoShapeUnit(s, unit)
}

// geoBox reads the sides of a box with their unit.
func geoBox(s *geo.Shape, width, height, unit []byte) (err string) {
	var ok bool
	if s.Width, ok = resp.ParseFloat(width); !ok {
		return "ERR need numeric width"
	}
	if s.Height, ok = resp.ParseFloat(height); !ok {
		return "ERR need numeric height"
	}
	if s.Width < 0 || s.Height < 0 {
		return "ERR height or width cannot be negative"
	}
	s.Box = true
	return geoShapeUnit(s, unit)
}

func geoShapeUnit(s *geo.Shape, unit []byte) (err string) {
	var ok bool
	if s.Unit, ok = geoUnit(unit); !ok {
		return msgGeoUnit
	}
	return ""
}

// geoHeavyPoints is how many members a search may look at on an event loop; each costs some 100 ns.
const geoHeavyPoints = heavyElements

// heavy tells whether the areas that a search goes through hold many members.
func (f geoForm) heavy(c *Ctx) bool {
	if c.elements(f.source()) <= geoHeavyPoints {
		return false
	}
	r, ok := c.zsetPeek(f.source())
	var q geoQuery
	if !ok || f.parse(c, r, true, &q) != "" {
		return false
	}
	n := 0
	areas := q.shape.Areas()
	for _, area := range areas.Ranges[:areas.N] {
		lo, hi := r.ScoreSpan(geoScores(area))
		n += hi - lo
	}
	return n > geoHeavyPoints
}

func geoScores(r geo.Range) zset.ScoreRange {
	return zset.ScoreRange{Min: float64(r.Min), Max: float64(r.Max), MaxOpen: true}
}

// geoPoint is a result. Its name is names[from:to] of geoPoints.
type geoPoint struct {
	from, to       int
	lon, lat, dist float64 // dist in metres
	score          float64
}

// geoPoints are the results of a search.
type geoPoints struct {
	list  []geoPoint
	names []byte
}

func (p *geoPoints) name(i int) []byte { return p.names[p.list[i].from:p.list[i].to] }

// find collects the results in the order of the walk.
func (q *geoQuery) find(r zset.Reader) (p geoPoints) {
	areas := q.shape.Areas()
	for _, area := range areas.Ranges[:areas.N] {
		lo, hi := r.ScoreSpan(geoScores(area))
		for it := r.Range(lo, hi, false); it.Next(); {
			score := it.Score()
			lon, lat := geo.Position(score)
			dist, within := q.shape.Find(lon, lat)
			if !within {
				continue
			}
			from := len(p.names)
			p.names = append(p.names, it.Member()...)
			p.list = append(p.list, geoPoint{from, len(p.names), lon, lat, dist, score})
			if q.any && int64(len(p.list)) >= q.count {
				return p
			}
		}
	}
	return p
}

// cut sorts the results as asked for and drops those beyond the count.
func (q *geoQuery) cut(p *geoPoints) {
	n := len(p.list)
	if q.count > 0 {
		n = int(min(int64(n), q.count))
	}
	if q.order != geoUnsorted {
		sortGeoPoints(p.list, q.order == geoDesc, n)
	}
	p.list = p.list[:n]
}

// run runs a search.
func (f geoForm) run(c *Ctx) {
	r, found, failed := c.zsetRead(f.source())
	if failed {
		return
	}
	var q geoQuery
	if err := f.parse(c, r, found, &q); err != "" {
		c.Reply.Error(err)
		return
	}
	var p geoPoints
	if found {
		p = q.find(r)
		q.cut(&p)
	}
	if q.dest > 0 {
		c.geoStore(&q, &p)
		return
	}
	w := c.Reply
	w.Array(len(p.list))
	extra := 0
	for _, with := range [...]bool{q.withDist, q.withHash, q.withCoord} {
		if with {
			extra++
		}
	}
	for i := range p.list {
		point := &p.list[i]
		if extra > 0 {
			w.Array(1 + extra)
		}
		w.Bulk(p.name(i))
		if q.withDist {
			c.replyDistance(point.dist / q.shape.Unit)
		}
		if q.withHash {
			w.Int(int64(point.score))
		}
		if q.withCoord {
			c.replyPosition(point.lon, point.lat)
		}
	}
}

// geoStore makes the results the sorted set at the destination: with their scores, or with the distances as scores.
func (c *Ctx) geoStore(q *geoQuery, p *geoPoints) {
	event := "georadiusstore"
	if c.Spec.Name == "geosearchstore" {
		event = "geosearchstore"
	}
	b := c.zsetBuild(c.Key(q.dest), len(p.list))
	for i := range p.list {
		point := &p.list[i]
		score := point.score
		if q.storeDist {
			score = point.dist / q.shape.Unit
		}
		b.Add(p.name(i), score)
	}
	c.Dirty(max(b.Len()-1, 0))
	c.Reply.Int(int64(b.store(event)))
}

const (
	geoSearchComplexity = "O(N+log(M)) for N members in the areas around the shape and M in the index"
	geoUseSearch        = "`GEOSEARCH` with the `BYRADIUS` argument"
	geoUseStore         = "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument"
	geoUseMember        = "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"
	geoUseMemberStore   = "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments"
)

// geoStoreScope: all shards in the odd case that there are several destinations. The last one counts, but the key specs,
// which are those of Redis, name the first one of each kind.
func geoStoreScope(args [][]byte) Scope {
	stores := 0
	for i := 4; i < len(args); i++ {
		if equalFold(args[i], "STORE") || equalFold(args[i], "STOREDIST") {
			stores++
		}
	}
	if stores > 1 {
		return ScopeAllShards
	}
	return ScopeKeys
}

// The forms of the commands.
var (
	georadiusForm           = geoForm{fromCoord: true, mayStore: true}
	georadiusRoForm         = geoForm{fromCoord: true}
	georadiusbymemberForm   = geoForm{fromMember: true, mayStore: true}
	georadiusbymemberRoForm = geoForm{fromMember: true}
	geosearchForm           = geoForm{}
	geosearchstoreForm      = geoForm{store: true}
)

// GEORADIUS returns or stores the members within a radius of a position.
var georadiusSpec = Spec{
	Name: "georadius", Group: GroupGeo, Since: "3.2.0", Complexity: geoSearchComplexity, Arity: -6,
	DeprecatedSince: "6.2.0", ReplacedBy: geoUseStore,
	Summary: "Returns or stores the members of a geospatial index within a radius of a position.",
	History: [][2]string{
		{"6.2.0", "Option `ANY`."},
		{"7.0.0", "Letters of `ANY`, `ASC` and `DESC` may be of either case."},
	},
	Flags: Write | DenyOOM,
	Keys: KeySpecs{
		At(1).Flags(RO | Access),
		Keyword("STORE", 6).Flags(OW | Update),
		Keyword("STOREDIST", 6).Flags(OW | Update),
	},
	Syntax: "key longitude:double latitude:double radius:double unit:<M|KM|FT|MI> [WITHCOORD] [WITHDIST] [WITHHASH] " +
		"[count-block:{COUNT count:integer [ANY@6.2.0]}] [order:<ASC|DESC>] [store:<STORE " +
		"storekey:key(key)|STOREDIST storedistkey:key(key)>]",
	ScopeFunc: geoStoreScope,
	Heavy:     func(c *Ctx) bool { return georadiusForm.heavy(c) },
	Run:       func(c *Ctx) { georadiusForm.run(c) },
}

// GEORADIUS_RO is GEORADIUS without a destination, which replicas may serve.
var georadiusRoSpec = Spec{
	Name: "georadius_ro", Group: GroupGeo, Since: "3.2.10", Complexity: geoSearchComplexity, Arity: -6,
	DeprecatedSince: "6.2.0", ReplacedBy: geoUseSearch,
	Summary: "Returns the members of a geospatial index within a radius of a position.",
	History: [][2]string{{"6.2.0", "Option `ANY`."}},
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax: "key longitude:double latitude:double radius:double unit:<M|KM|FT|MI> [WITHCOORD] [WITHDIST] [WITHHASH] " +
		"[count-block:{COUNT count:integer [ANY@6.2.0]}] [order:<ASC|DESC>]",
	Heavy: func(c *Ctx) bool { return georadiusRoForm.heavy(c) },
	Run:   func(c *Ctx) { georadiusRoForm.run(c) },
}

// GEORADIUSBYMEMBER returns or stores the members within a radius of a member.
var georadiusbymemberSpec = Spec{
	Name: "georadiusbymember", Group: GroupGeo, Since: "3.2.0", Complexity: geoSearchComplexity, Arity: -5,
	DeprecatedSince: "6.2.0", ReplacedBy: geoUseMemberStore,
	Summary: "Returns or stores the members of a geospatial index within a radius of one of them.",
	History: [][2]string{
		{"6.2.0", "Option `ANY`."},
		{"7.0.0", "Letters of `ANY`, `ASC` and `DESC` may be of either case."},
	},
	Flags: Write | DenyOOM,
	Keys: KeySpecs{
		At(1).Flags(RO | Access),
		Keyword("STORE", 5).Flags(OW | Update),
		Keyword("STOREDIST", 5).Flags(OW | Update),
	},
	Syntax: "key member radius:double unit:<M|KM|FT|MI> [WITHCOORD] [WITHDIST] [WITHHASH] [count-block:{COUNT " +
		"count:integer [ANY]}] [order:<ASC|DESC>] [store:<STORE storekey:key(key)|STOREDIST " +
		"storedistkey:key(key)>]",
	ScopeFunc: geoStoreScope,
	Heavy:     func(c *Ctx) bool { return georadiusbymemberForm.heavy(c) },
	Run:       func(c *Ctx) { georadiusbymemberForm.run(c) },
}

// GEORADIUSBYMEMBER_RO is GEORADIUSBYMEMBER without a destination, which replicas may serve.
var georadiusbymemberRoSpec = Spec{
	Name: "georadiusbymember_ro", Group: GroupGeo, Since: "3.2.10", Complexity: geoSearchComplexity, Arity: -5,
	DeprecatedSince: "6.2.0", ReplacedBy: geoUseMember,
	Summary: "Returns the members of a geospatial index within a radius of one of them.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax: "key member radius:double unit:<M|KM|FT|MI> [WITHCOORD] [WITHDIST] [WITHHASH] [count-block:{COUNT " +
		"count:integer [ANY]}] [order:<ASC|DESC>]",
	Heavy: func(c *Ctx) bool { return georadiusbymemberRoForm.heavy(c) },
	Run:   func(c *Ctx) { georadiusbymemberRoForm.run(c) },
}

// GEOSEARCH returns the members within a radius or a box around a position or member.
var geosearchSpec = Spec{
	Name: "geosearch", Group: GroupGeo, Since: "6.2.0", Complexity: geoSearchComplexity, Arity: -7,
	Summary: "Returns the members of a geospatial index within a circle or a box.",
	History: [][2]string{{"7.0.0", "Letters of `ANY`, `ASC` and `DESC` may be of either case."}},
	Flags:   ReadOnly,
	Keys:    KeySpecs{At(1).Flags(RO | Access)},
	Syntax: "key from:<FROMMEMBER member|FROMLONLAT fromlonlat:{longitude:double latitude:double}> " +
		"by:<circle:{BYRADIUS radius:double unit:<M|KM|FT|MI>}|box:{BYBOX width:double height:double " +
		"unit:<M|KM|FT|MI>}> [order:<ASC|DESC>] [count-block:{COUNT count:integer [ANY]}] [WITHCOORD] [WITHDIST] " +
		"[WITHHASH]",
	Heavy: func(c *Ctx) bool { return geosearchForm.heavy(c) },
	Run:   func(c *Ctx) { geosearchForm.run(c) },
}

// GEOSEARCHSTORE stores what GEOSEARCH returns.
var geosearchstoreSpec = Spec{
	Name: "geosearchstore", Group: GroupGeo, Since: "6.2.0", Complexity: geoSearchComplexity, Arity: -8,
	Summary: "Stores the members of a geospatial index within a circle or a box at a key.",
	History: [][2]string{{"7.0.0", "Letters of `ANY`, `ASC` and `DESC` may be of either case."}},
	Flags:   Write | DenyOOM,
	Keys: KeySpecs{
		At(1).Flags(OW | Update),
		At(2).Flags(RO | Access),
	},
	Syntax: "destination:key source:key from:<FROMMEMBER member|FROMLONLAT fromlonlat:{longitude:double " +
		"latitude:double}> by:<circle:{BYRADIUS radius:double unit:<M|KM|FT|MI>}|box:{BYBOX width:double " +
		"height:double unit:<M|KM|FT|MI>}> [order:<ASC|DESC>] [count-block:{COUNT count:integer [ANY]}] " +
		"[STOREDIST]",
	Heavy: func(c *Ctx) bool { return geosearchstoreForm.heavy(c) },
	Run:   func(c *Ctx) { geosearchstoreForm.run(c) },
}
