package command

import (
	"math"
	"math/bits"

	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// The longest common subsequence of a and b follows from the table L, where L[i][j] is the length of the one of the
// first i bytes of a and the first j bytes of b. Neighbours in a row of L differ by 0 or 1, so a row is kept as one bit
// for each byte of b, and the next row is a handful of operations on whole words (Hyyrö, "Bit-parallel LCS-length
// computation revisited", 2004): 64 cells at a time, in a thirty-second of the memory of a table of 32-bit numbers.
//
// Where a[i-1] and b[j-1] differ, L[i-1][j] is larger than L[i][j-1] exactly if L[i][j] is larger than L[i][j-1], which
// is what bit j-1 of row i says. So the bits are enough to find the way back from the end of both strings.

// lcsTable has the rows of L.
type lcsTable struct {
	rows  []uint64 // row i, for i from 1, begins at (i-1)*words; a set bit means no difference
	words int
}

// newLCS fills the table and returns the length of the subsequence. Without keep only the last row is there
// afterwards.
func newLCS(a, b []byte, keep bool) (t lcsTable, length int) {
	t.words = (len(b) + 63) / 64
	if len(a) == 0 || len(b) == 0 {
		return t, 0
	}
	// matches[x] has the bits of the places in b where byte x is; only bytes of a need one.
	var matches [256][]uint64
	for _, x := range a {
		if matches[x] == nil {
			matches[x] = make([]uint64, t.words)
		}
	}
	for j, x := range b {
		if m := matches[x]; m != nil {
			m[j/64] |= 1 << (j % 64)
		}
	}
	rows := 1
	if keep {
		rows = len(a)
	}
	t.rows = make([]uint64, rows*t.words)
	row := t.rows[:t.words]
	for w := range row {
		row[w] = ^uint64(0)
	}
	for i, x := range a {
		prev := row
		if keep {
			row = t.rows[i*t.words : (i+1)*t.words]
		}
		carry := uint64(0)
		m := matches[x][:len(row)]
		prev = prev[:len(row)]
		for w := range row {
			v := prev[w]
			u := v & m[w]
			var sum uint64
			sum, carry = bits.Add64(v, u, carry)
			row[w] = sum | v&^u
		}
	}
	for w, v := range row {
		if rest := len(b) - 64*w; rest < 64 {
			v |= ^uint64(0) << rest
		}
		length += 64 - bits.OnesCount64(v)
	}
	return t, length
}

// steps tells whether L[i][j] is larger than L[i][j-1].
func (t *lcsTable) steps(i, j int) bool {
	return t.rows[(i-1)*t.words+(j-1)/64]>>((j-1)%64)&1 == 0
}

// lcsRun is a run of bytes that follow each other in both strings and in their common subsequence.
type lcsRun struct{ a, b, length int }

// runs calls fn for every run, the last one first.
func (t *lcsTable) runs(a, b []byte, fn func(lcsRun)) {
	length := 0
	i, j := len(a), len(b)
	for i > 0 && j > 0 {
		if a[i-1] == b[j-1] {
			i, j, length = i-1, j-1, length+1
			continue
		}
		if length > 0 {
			fn(lcsRun{i, j, length})
			length = 0
		}
		if t.steps(i, j) {
			i--
		} else {
			j--
		}
	}
	if length > 0 {
		fn(lcsRun{i, j, length})
	}
}

// LCS finds the longest common subsequence of two strings.
var lcsSpec = Spec{
	Name: "lcs", Group: GroupString, Since: "7.0.0", Complexity: "O(N*M) for strings of N and M bytes", Arity: -3,
	Summary: "Returns the longest common subsequence of the strings at two keys, its length, or where it is.",
	Flags:   ReadOnly,
	Keys:    KeySpecs{Range(1, 2, 1).Flags(RO | Access)},
	Syntax:  "key1:key key2:key [LEN] [IDX] [MINMATCHLEN min-match-len:integer] [WITHMATCHLEN]",
	Heavy:   lcsHeavy,
	Run:     lcsCommand,
}

// lcsHeavyCells is how many cells of the table an event loop may fill.
const lcsHeavyCells = 16 << 20

func lcsHeavy(c *Ctx) bool {
	return int64(c.stringLen(1))*int64(c.stringLen(2)) > lcsHeavyCells || c.stringLen(1)+c.stringLen(2) > heavyBytes
}

// lcsOptions are the options of LCS.
type lcsOptions struct {
	length, index, withLen bool
	minLen                 int64
}

func (o *lcsOptions) parse(w *words) {
	for w.more() {
		switch {
		case w.is("IDX"):
			o.index = true
		case w.is("LEN"):
			o.length = true
		case w.is("WITHMATCHLEN"):
			o.withLen = true
		case w.has("MINMATCHLEN", 1):
			o.minLen = w.int()
		default:
			w.syntax()
		}
	}
	if o.index && o.length {
		w.fail("ERR If you want both the length and indexes, please just use IDX.")
	}
}

func lcsCommand(c *Ctx) {
	ka, kb := c.Key(1), c.Key(2)
	ea, foundA := c.DB(ka).LookupRead(ka)
	// This may remove the second key, when it is past its deadline; the record of the first stays where it is.
	eb, foundB := c.DB(kb).LookupRead(kb)
	if foundA && ea.Type() != keyspace.String || foundB && eb.Type() != keyspace.String {
		c.Reply.Error("ERR The specified keys must contain string values")
		return
	}
	var o lcsOptions
	w := c.words(3)
	if o.parse(&w); w.failed(c) {
		return
	}
	var digits [20]byte
	var a, b []byte
	if foundA {
		a = ea.Bytes(digits[:])
	}
	if foundB {
		b = c.Text(eb)
	}
	if len(a) >= math.MaxUint32-1 || len(b) >= math.MaxUint32-1 {
		c.Reply.Error("ERR String too long for LCS")
		return
	}
	// The limit is that of Redis's own table, of 32-bit numbers, which answers the same strings with this error.
	if uint64(len(a)+1)*uint64(len(b)+1) > uint64(c.Settings.MaxStringBytes)/4 {
		c.Reply.Error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
		return
	}
	table, length := newLCS(a, b, !o.length)
	switch {
	case o.length:
		c.Reply.Int(int64(length))
	case o.index:
		c.lcsIndex(&table, a, b, length, &o)
	default:
		common := make([]byte, length)
		end := length
		table.runs(a, b, func(r lcsRun) {
			end -= copy(common[end-r.length:], a[r.a:r.a+r.length])
		})
		c.Reply.Bulk(common)
	}
}

// lcsIndex replies where the runs of at least o.minLen bytes are in both strings.
func (c *Ctx) lcsIndex(table *lcsTable, a, b []byte, length int, o *lcsOptions) {
	c.Reply.Map(2)
	c.Reply.BulkString("matches")
	mark, n := c.Reply.StartDeferred(), 0
	table.runs(a, b, func(r lcsRun) {
		if int64(r.length) < o.minLen {
			return
		}
		n++
		if o.withLen {
			c.Reply.Array(3)
		} else {
			c.Reply.Array(2)
		}
		for _, first := range [2]int{r.a, r.b} {
			c.Reply.Array(2)
			c.Reply.Int(int64(first))
			c.Reply.Int(int64(first + r.length - 1))
		}
		if o.withLen {
			c.Reply.Int(int64(r.length))
		}
	})
	c.Reply.EndDeferredArray(mark, n)
	c.Reply.BulkString("len")
	c.Reply.Int(int64(length))
}
