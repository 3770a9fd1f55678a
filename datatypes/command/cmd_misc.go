package command

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// Commands that touch no data.

// ECHO replies its argument.
var echoSpec = Spec{
	Name: "echo", Group: GroupConnection, Since: "1.0.0", Complexity: "O(1)", Arity: 2,
	Summary: "Returns the given string.",
	Flags:   Loading | Stale | Fast,
	Syntax:  "message",
	Scope:   ScopeLocal,
	Run:     func(c *Ctx) { c.Reply.Bulk(c.Args[1]) },
}

// PING shows that the server is there. On a connection in RESP2 that has subscriptions, the reply has the form of a message.
var pingSpec = Spec{
	Name: "ping", Group: GroupConnection, Since: "1.0.0", Complexity: "O(1)", Arity: -1,
	Summary: "Replies at once.",
	Flags:   Fast | Subscribing,
	Syntax:  "[message]",
	Tips:    []string{"request_policy:all_shards", "response_policy:all_succeeded"},
	Scope:   ScopeLocal,
	Run:     pingCommand,
}

func pingCommand(c *Ctx) {
	if len(c.Args) > 2 {
		c.wrongArity()
		return
	}
	if s, ok := c.Client.(Subscriber); ok && s.OnlyMessages() {
		c.Reply.Array(2)
		c.Reply.BulkString("pong")
		c.Reply.Bulk(bytes.Join(c.Args[1:], nil))
		return
	}
	if len(c.Args) == 1 {
		c.Reply.Simple("PONG")
	} else {
		c.Reply.Bulk(c.Args[1])
	}
}

// TIME replies the instant of the command: unix seconds and the microseconds beyond.
var timeSpec = Spec{
	Name: "time", Group: GroupServer, Since: "2.6.0", Complexity: "O(1)", Arity: 1,
	Summary: "Returns the time of the server.",
	Flags:   Loading | Stale | Fast,
	Tips:    []string{"nondeterministic_output"},
	Scope:   ScopeLocal,
	Run:     timeCommand,
}

func timeCommand(c *Ctx) {
	c.Reply.Array(2)
	c.Reply.Bulk(c.Decimal(c.NowUs / 1e6))
	c.Reply.Bulk(c.Decimal(c.NowUs % 1e6))
}

// LOLWUT replies a picture, another one each time, and the version. Which picture depends on the version that is asked
// for; the current one has none.
var lolwutSpec = Spec{
	Name: "lolwut", Group: GroupServer, Since: "5.0.0", Complexity: "O(N) for a picture of N characters", Arity: -1,
	Summary: "Shows computer art and the version of the server.",
	Flags:   ReadOnly | Fast,
	Syntax:  "[VERSION version:integer]",
	Scope:   ScopeLocal,
	Run:     lolwutCommand,
}

// Each side of a picture is bounded, in characters or tiles.
const (
	lolwutMostCells = 500
	lolwutMostTiles = 200
)

func lolwutCommand(c *Ctx) {
	picture := ""
	if len(c.Args) > 2 && equalFold(c.Args[1], "version") {
		w := c.words(2)
		// The numbers that follow the version are optional and bounded without complaint.
		size := func(fallback, most int) int {
			if !w.more() {
				return fallback
			}
			return int(max(1, min(w.int(), int64(most))))
		}
		switch w.int() {
		case 5:
			columns, wide, high := size(66, lolwutMostCells), size(16, lolwutMostTiles), size(8, lolwutMostTiles)
			if w.err == "" {
				picture = drawArcs(c.Rand, columns, wide, high) + "\nQuarter circles, turned by chance."
			}
		case 6:
			columns, rows := size(80, lolwutMostCells), size(20, lolwutMostCells)
			if w.err == "" {
				picture = drawHills(c.Rand, columns, rows) + "\nHills by night, from as many dice as there are columns."
			}
		}
		if w.failed(c) {
			return
		}
	}
	if picture != "" {
		picture += "\n"
	}
	c.Reply.Verbatim("txt", picture+"Redis ver. "+c.Settings.Version+"\n")
}

// canvas is a bitmap that is printed in Braille patterns: two dots wide and four high per character.
type canvas struct {
	columns, rows int
	cells         []byte
}

func newCanvas(columns, rows int) *canvas {
	return &canvas{columns: columns, rows: rows, cells: make([]byte, columns*rows)}
}

// brailleDots are the bits of the dots of a Braille pattern, by row and column.
var brailleDots = [4][2]byte{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

// set draws a dot. Dots outside are left out.
func (p *canvas) set(x, y int) {
	if x >= 0 && y >= 0 && x < 2*p.columns && y < 4*p.rows {
		p.cells[y/4*p.columns+x/2] |= brailleDots[y%4][x%2]
	}
}

func (p *canvas) String() string {
	var b strings.Builder
	for i, dots := range p.cells {
		b.WriteRune(0x2800 + rune(dots))
		if (i+1)%p.columns == 0 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// drawArcs fills a field of square tiles, each with two quarter circles around opposite corners: around which, a bit of
// chance decides. The arcs join to winding lines and closed rings.
func drawArcs(rnd func() uint64, columns, wide, high int) string {
	side := max(2*columns/wide, 2)
	p := newCanvas(columns, min((side*high+3)/4, lolwutMostCells))
	arc := quarterCircle(side)
	var bits uint64
	for i := range wide * high {
		if i%64 == 0 {
			bits = rnd()
		}
		left, top, last := i%wide*side, i/wide*side, side-1
		for _, d := range arc {
			x := d[0]
			if bits>>(i%64)&1 == 1 {
				x = last - x
			}
			p.set(left+x, top+d[1])
			p.set(left+last-x, top+last-d[1])
		}
	}
	return p.String()
}

// quarterCircle returns the dots of a quarter of the circle of radius side/2 around the corner of dot 0, 0.
func quarterCircle(side int) (dots [][2]int) {
	r := float64(side) / 2
	for i := range (side + 1) / 2 {
		x := float64(i) + 0.5
		j := int(math.Sqrt(r*r - x*x))
		dots = append(dots, [2]int{i, j}, [2]int{j, i})
	}
	return dots
}

// drawHills prints a sky with stars over three ranges of hills, the nearer the lighter, in terminal colours.
func drawHills(rnd func() uint64, columns, rows int) string {
	below := func(n int) int { return int(rnd() % uint64(n)) }
	const ranges = 3
	shades := [ranges + 1]int{40, 100, 47, 107} // sky, far hills, hills, near hills
	var tops [ranges]int
	for i := range tops {
		tops[i] = rows * (i + 2) / (ranges + 2)
	}
	ground := make([]byte, columns*rows) // the range that is seen there, 0 for the sky
	for x := range columns {
		for i := range tops {
			tops[i] = max(rows/4, min(tops[i]+below(3)-1, rows-1))
			for y := tops[i]; y < rows; y++ {
				ground[y*columns+x] = byte(i + 1)
			}
		}
	}
	var b strings.Builder
	for y := range rows {
		shade := -1
		for x := range columns {
			g := ground[y*columns+x]
			if s := shades[g]; s != shade {
				shade = s
				b.WriteString("\x1b[0;97;" + strconv.Itoa(s) + "m")
			}
			if g == 0 && below(40) == 0 {
				b.WriteByte('.')
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String()
}
