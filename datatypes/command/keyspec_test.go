package command

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func argv(line string) [][]byte {
	var args [][]byte
	for _, w := range strings.Fields(line) {
		args = append(args, []byte(strings.ReplaceAll(w, "_", "")))
	}
	return args
}

// keysOf returns the positions of the keys of a command line; "_" stands for an empty word.
func keysOf(s *Spec, line string) []int {
	positions := []int{}
	for _, k := range s.AppendKeys(nil, argv(line)) {
		positions = append(positions, k.Index)
	}
	return positions
}

func TestAppendKeys(t *testing.T) {
	none := []int{}
	for name, c := range map[string]struct {
		keys  KeySpecs
		cases map[string][]int
	}{
		"one":   {KeySpecs{At(1)}, map[string][]int{"get a": {1}}},
		"third": {KeySpecs{At(2)}, map[string][]int{"object freq a": {2}}},
		"all":   {KeySpecs{Range(1, -1, 1)}, map[string][]int{"del a": {1}, "del a b c": {1, 2, 3}}},
		"all but one": {KeySpecs{Range(1, -2, 1)}, map[string][]int{
			"blpop a 0": {1}, "blpop a b 0": {1, 2}, "blpop 0": none,
		}},
		"every second": {KeySpecs{Range(1, -1, 2)}, map[string][]int{
			"mset a 1": {1}, "mset a 1 b 2": {1, 3}, "mset a 1 b": {1, 3},
		}},
		"first two":     {KeySpecs{Range(1, 2, 1)}, map[string][]int{"lcs a b len": {1, 2}}},
		"two specs":     {KeySpecs{At(1), At(2)}, map[string][]int{"rename a b": {1, 2}}},
		"one and all":   {KeySpecs{At(1), Range(2, -1, 1)}, map[string][]int{"pfmerge d": {1}, "pfmerge d a b": {1, 2, 3}}},
		"counted first": {KeySpecs{KeyNum(1, 1, 1)}, map[string][]int{"lmpop 2 a b left": {2, 3}, "lmpop 3 a b": none}},
		"counted": {KeySpecs{KeyNum(2, 1, 1)}, map[string][]int{
			"eval s 2 a b c": {3, 4}, "eval s 0": none, "eval s 0 x": none, "eval s -1 a": none, "eval s 1x a": none,
			"eval s 9223372036854775807 a": none, "eval s 3 a b": none, "eval s": none,
		}},
		"destination and counted": {KeySpecs{At(1), KeyNum(2, 1, 1)}, map[string][]int{
			"zunionstore d 2 a b weights 1 2": {1, 3, 4}, "zunionstore d 0 a": none, "zunionstore d 3 a b": none,
		}},
		"streams": {KeySpecs{Keyword("STREAMS", 1).UpTo(-1).Limit(2)}, map[string][]int{
			"xread streams a 1": {2}, "xread count 1 STREAMS a b 1 2": {4, 5}, "xread streams a b 1": {2},
			"xread count 1": none, "xread count streams": none, "xread streams a": none,
		}},
		"streams from the fourth word": {KeySpecs{Keyword("STREAMS", 4).UpTo(-1).Limit(2)}, map[string][]int{
			"xreadgroup group streams c streams a >": {5}, "xreadgroup group g c streams streams a > >": {5, 6},
		}},
		"optional keywords": {
			KeySpecs{At(1), Keyword("STORE", 6), Keyword("STOREDIST", 6)},
			map[string][]int{
				"georadius k 1 2 3 m": {1}, "georadius k 1 2 3 m store a": {1, 7},
				"georadius k 1 2 3 m storedist b store a": {1, 9, 7}, "georadius k 1 2 3 m store": {1},
			},
		},
		"keyword from the end": {KeySpecs{Keyword("KEYS", -2).UpTo(-1)}, map[string][]int{
			"x a b keys k": {4}, "x a b keys k l": {4, 5}, "x a b": none,
		}},
		"unknown":   {KeySpecs{At(1), Unknown()}, map[string][]int{"sort a by b": none}},
		"not a key": {KeySpecs{At(1).Flags(NotKey)}, map[string][]int{"spublish a b": none}},
	} {
		s := &Spec{Keys: c.keys}
		for line, want := range c.cases {
			require.Equal(t, want, keysOf(s, line), "%s: %s", name, line)
		}
	}
}

func TestAppendKeysKeepsWhatIsThere(t *testing.T) {
	s := &Spec{Keys: KeySpecs{At(1).Flags(OW | Update), KeyNum(2, 1, 1).Flags(RO | Access)}}
	before := []KeyRef{{Index: 9, Flags: RM}}
	require.Equal(t, before, s.AppendKeys(before, argv("zunionstore d x a")))
	require.Equal(t, []KeyRef{{9, RM}, {1, OW | Update}, {3, RO | Access}}, s.AppendKeys(before, argv("zunionstore d 1 a")))
}

func TestAppendKeysDoesNotAllocate(t *testing.T) {
	room := make([]KeyRef, 0, 8)
	for _, s := range []*Spec{
		{Keys: KeySpecs{At(1)}},
		{Keys: KeySpecs{Range(1, -1, 2)}},
		{Keys: KeySpecs{At(1), KeyNum(2, 1, 1)}},
		{Keys: KeySpecs{Keyword("STREAMS", 1).UpTo(-1).Limit(2)}},
		{KeysFunc: setKeys},
	} {
		args := argv("x a 2 b c streams k 0")
		require.Zero(t, testing.AllocsPerRun(100, func() { s.AppendKeys(room, args) }))
	}
}

func TestKeysFuncs(t *testing.T) {
	for line, c := range map[string]struct {
		find func([]KeyRef, [][]byte) []KeyRef
		want []KeyRef
	}{
		"set a b":                               {setKeys, []KeyRef{{1, OW | Update}}},
		"set a get":                             {setKeys, []KeyRef{{1, OW | Update}}},
		"set a b nx Get":                        {setKeys, []KeyRef{{1, RW | Access | Update}}},
		"bitfield a":                            {bitfieldKeys, []KeyRef{{1, RO | Access}}},
		"bitfield a get u8 0":                   {bitfieldKeys, []KeyRef{{1, RO | Access}}},
		"bitfield a get u8 0 overflow sat":      {bitfieldKeys, []KeyRef{{1, RO | Access}}},
		"bitfield a get u8":                     {bitfieldKeys, []KeyRef{{1, RW | Access | Update}}},
		"bitfield a get u8 0 set u8 0 1":        {bitfieldKeys, []KeyRef{{1, RW | Access | Update}}},
		"bitfield a incrby u8 0 1":              {bitfieldKeys, []KeyRef{{1, RW | Access | Update}}},
		"sort a":                                {sortKeys, []KeyRef{{1, RO | Access}}},
		"sort a by store get store":             {sortKeys, []KeyRef{{1, RO | Access}}},
		"sort a limit store store asc store b":  {sortKeys, []KeyRef{{1, RO | Access}, {7, OW | Update}}},
		"sort a store b store c":                {sortKeys, []KeyRef{{1, RO | Access}, {5, OW | Update}}},
		"sort a store":                          {sortKeys, []KeyRef{{1, RO | Access}}},
		"sortro a by x":                         {sortRoKeys, []KeyRef{{1, RO | Access}}},
		"migrate h 1 a 0 9":                     {migrateKeys, []KeyRef{{3, RW | Access | Delete}}},
		"migrate h 1 a 0 9 copy":                {migrateKeys, []KeyRef{{3, RW | Access | Delete}}},
		"migrate h 1 a 0 9 keys b":              {migrateKeys, nil},
		"migrate h 1 _ 0 9 keys b c":            {migrateKeys, []KeyRef{{7, RW | Access | Delete}, {8, RW | Access | Delete}}},
		"migrate h 1 _ 0 9 auth keys keys b":    {migrateKeys, []KeyRef{{9, RW | Access | Delete}}},
		"migrate h 1 _ 0 9 auth2 u keys keys b": {migrateKeys, []KeyRef{{10, RW | Access | Delete}}},
	} {
		require.Equal(t, c.want, c.find(nil, argv(line)), line)
	}
}

func TestLegacyRange(t *testing.T) {
	type triple struct {
		first, last, step int
		movable           bool
	}
	for name, c := range map[string]struct {
		keys KeySpecs
		want triple
	}{
		"no keys":            {nil, triple{}},
		"one":                {KeySpecs{At(2)}, triple{2, 2, 1, false}},
		"every second":       {KeySpecs{Range(1, -1, 2)}, triple{1, -1, 2, false}},
		"all but one":        {KeySpecs{Range(1, -2, 1)}, triple{1, -2, 1, false}},
		"first two":          {KeySpecs{Range(1, 2, 1)}, triple{1, 2, 1, false}},
		"neighbours":         {KeySpecs{At(1), At(2)}, triple{1, 2, 1, false}},
		"one and the rest":   {KeySpecs{At(2), Range(3, -1, 1)}, triple{2, -1, 1, false}},
		"apart":              {KeySpecs{At(1), At(3)}, triple{1, 1, 1, true}},
		"counted":            {KeySpecs{KeyNum(1, 1, 1)}, triple{0, 0, 0, true}},
		"and counted":        {KeySpecs{At(1), KeyNum(2, 1, 1)}, triple{1, 1, 1, true}},
		"keyword":            {KeySpecs{Keyword("STREAMS", 1).UpTo(-1).Limit(2)}, triple{0, 0, 0, true}},
		"and unknown":        {KeySpecs{At(1), Unknown()}, triple{1, 1, 1, true}},
		"incomplete":         {KeySpecs{At(1).Flags(Incomplete)}, triple{1, 1, 1, true}},
		"incomplete of two":  {KeySpecs{At(1).Flags(Incomplete), At(2)}, triple{1, 2, 1, true}},
		"step two among two": {KeySpecs{At(1), Range(2, -1, 2)}, triple{1, 1, 1, true}},
	} {
		var got triple
		got.first, got.last, got.step, got.movable = c.keys.legacyRange()
		require.Equal(t, c.want, got, name)
	}
}

func BenchmarkAppendKeys(b *testing.B) {
	room := make([]KeyRef, 0, 8)
	s, args := &Spec{Keys: KeySpecs{At(1)}}, argv("get a")
	for b.Loop() {
		s.AppendKeys(room, args)
	}
}
