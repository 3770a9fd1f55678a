package command

import "github.com/troupe-db/troupe/netio/resp"

// KeyFlags say what a command does with a key. One of RO, RW, OW and RM tells about the key as a whole; the others tell
// about the user's data in it.
type KeyFlags uint16

const (
	// RO: reads the key.
	RO KeyFlags = 1 << iota
	// RW: reads and changes it.
	RW
	// OW: overwrites it, whatever it holds.
	OW
	// RM: removes it.
	RM
	// Access: returns, copies or tests its data. Length and type of a value are not data.
	Access
	// Update: changes data depending on what is there or on the arguments.
	Update
	// Insert: adds data and changes none.
	Insert
	// Delete: removes data.
	Delete
	// NotKey: is no key but is routed like one: the channel of SPUBLISH.
	NotKey
	// Incomplete: the spec does not find all keys in all cases.
	Incomplete
	// VariableFlags: the flags depend on the arguments; KeysFunc tells them.
	VariableFlags
)

// keyFlagNames are the names in COMMAND INFO, in its order.
var keyFlagNames = [...]struct {
	flag KeyFlags
	name string
}{
	{RO, "RO"}, {RW, "RW"}, {OW, "OW"}, {RM, "RM"},
	{Access, "access"}, {Update, "update"}, {Insert, "insert"}, {Delete, "delete"},
	{NotKey, "not_key"}, {Incomplete, "incomplete"}, {VariableFlags, "variable_flags"},
}

// KeyRef is one key of a command: Args[Index].
type KeyRef struct {
	Index int
	Flags KeyFlags
}

// KeySpecs are the places where a command has keys.
type KeySpecs []KeySpec

// KeySpec is one place: a search for the position where keys begin, and a rule for which words from there on are keys.
// Positions count from the command's name, 0. Build it with At, Range, Keyword, KeyNum or Unknown.
type KeySpec struct {
	begin   beginSearch
	find    findKeys
	pos     int    // beginIndex: the position; beginKeyword: where to look for the keyword, from the end when negative
	keyword string // beginKeyword
	last    int    // findRange: last key relative to the first; from the end when negative
	step    int
	limit   int // findRange with last -1: the keys are one part in limit of what is left
	first   int // findKeyNum: first key relative to the number
	flags   KeyFlags
	note    string
}

type beginSearch uint8

const (
	beginUnknown beginSearch = iota
	beginIndex
	beginKeyword
)

type findKeys uint8

const (
	findUnknown findKeys = iota
	findRange
	findKeyNum
)

// At is one key at position pos.
func At(pos int) KeySpec {
	return KeySpec{begin: beginIndex, pos: pos, find: findRange, step: 1}
}

// Range is every step-th word from position first to position last, which counts from the end when negative: -1 is the
// last word.
func Range(first, last, step int) KeySpec {
	if last >= 0 {
		last -= first
	}
	return KeySpec{begin: beginIndex, pos: first, find: findRange, last: last, step: step}
}

// Keyword is the word after keyword, which is looked for from position from on; from counts from the end when negative.
func Keyword(keyword string, from int) KeySpec {
	return KeySpec{begin: beginKeyword, keyword: keyword, pos: from, find: findRange, step: 1}
}

// KeyNum is as many keys as the number at position pos says; first is the distance from the number to the first key.
func KeyNum(pos, first, step int) KeySpec {
	return KeySpec{begin: beginIndex, pos: pos, find: findKeyNum, first: first, step: step}
}

// Unknown is a place that cannot be described, as the keys that SORT's patterns name.
func Unknown() KeySpec { return KeySpec{} }

// Flags tells what happens to the keys.
func (k KeySpec) Flags(f KeyFlags) KeySpec { k.flags = f; return k }

// UpTo extends a Keyword spec to several keys, up to last, which counts from the end.
func (k KeySpec) UpTo(last int) KeySpec { k.last = last; return k }

// Limit restricts UpTo(-1) to one part in n of the remaining words: STREAMS is followed by keys and as many IDs.
func (k KeySpec) Limit(n int) KeySpec { k.limit = n; return k }

// Note adds a remark for the readers of COMMAND INFO.
func (k KeySpec) Note(text string) KeySpec { k.note = text; return k }

// AppendKeys appends the keys of the command args to dst, in the order of the key specs. args has a legal number of
// words; when its syntax is wrong in a way that hides the keys there are none. It does not allocate as long as dst has
// room.
func (s *Spec) AppendKeys(dst []KeyRef, args [][]byte) []KeyRef {
	if s.KeysFunc != nil {
		return s.KeysFunc(dst, args)
	}
	start := len(dst)
	for i := range s.Keys {
		k := &s.Keys[i]
		if k.flags&NotKey != 0 {
			continue
		}
		first, last, found, ok := k.locate(args)
		if !ok {
			// One place that makes no sense makes the command invalid: its other keys do not matter.
			return dst[:start]
		}
		if !found {
			continue
		}
		for j := first; j <= last; j += k.step {
			dst = append(dst, KeyRef{Index: j, Flags: k.flags})
		}
	}
	return dst
}

// HasKeys reports whether commands of this kind can have keys at all.
func (s *Spec) HasKeys() bool {
	if s.KeysFunc != nil {
		return true
	}
	for i := range s.Keys {
		if s.Keys[i].flags&NotKey == 0 {
			return true
		}
	}
	return false
}

// locate returns the first and the last key. found is false when an optional keyword is absent, ok is false when the
// keys cannot be told.
func (k *KeySpec) locate(args [][]byte) (first, last int, found, ok bool) {
	switch k.begin {
	case beginIndex:
		first = k.pos
	case beginKeyword:
		if first = k.findKeyword(args); first == 0 {
			return 0, 0, false, true
		}
	default:
		return 0, 0, false, false
	}
	switch k.find {
	case findRange:
		switch {
		case k.last >= 0:
			last = first + k.last
		case k.limit == 0:
			last = len(args) + k.last
		default:
			last = first + (len(args)-first)/k.limit + k.last
		}
	case findKeyNum:
		if first >= len(args) {
			return 0, 0, false, false
		}
		n, isInt := resp.ParseInt(args[first])
		// A number above the count of words is out of bounds in any case and would overflow below.
		if !isInt || n < 0 || n > int64(len(args)) {
			return 0, 0, false, false
		}
		first += k.first
		last = first + (int(n)-1)*k.step
	default:
		return 0, 0, false, false
	}
	if first == len(args) && k.find == findRange && k.last < 0 && k.begin == beginIndex {
		// "As many as there are" may be none: PFMERGE with a destination only. Redis takes that for a mistake and
		// then checks no ACL rule for the destination either, which we do not want to repeat.
		return 0, 0, false, true
	}
	if first >= len(args) || last >= len(args) || last < first {
		return 0, 0, false, false
	}
	return first, last, true, true
}

// findKeyword returns the position after the keyword, or 0. The last word is never taken for the keyword, since
// nothing would follow.
func (k *KeySpec) findKeyword(args [][]byte) int {
	if k.pos < 0 {
		for i := len(args) + k.pos; i > 1; i-- {
			if equalFold(args[i], k.keyword) {
				return i + 1
			}
		}
		return 0
	}
	for i := k.pos; i < len(args)-1; i++ {
		if equalFold(args[i], k.keyword) {
			return i + 1
		}
	}
	return 0
}

// legacyRange derives the first, last and step of COMMAND INFO from key specs, and whether they leave out keys.
//
// A single range is taken as it is. Of several specs those count that are plain ranges of step 1, each beginning right
// after the one before; the triplet spans them.
func (ks KeySpecs) legacyRange() (first, last, step int, movable bool) {
	if len(ks) == 1 && ks[0].isRange() {
		k := &ks[0]
		return k.pos, k.absoluteLast(), k.step, k.flags&Incomplete != 0
	}
	for i := range ks {
		k := &ks[i]
		if !k.isRange() || k.step != 1 || (last != 0 && last != k.pos-1) {
			movable = true
			continue
		}
		if k.flags&Incomplete != 0 {
			movable = true
		}
		if first == 0 || k.pos < first {
			first = k.pos
		}
		// Counted from the end is further than any position, and -1 further than -2: the order of unsigned numbers.
		if l := k.absoluteLast(); uint(l) > uint(last) {
			last = l
		}
	}
	if first != 0 {
		step = 1
	}
	return first, last, step, movable
}

func (k *KeySpec) isRange() bool { return k.begin == beginIndex && k.find == findRange }

func (k *KeySpec) absoluteLast() int {
	if k.last >= 0 {
		return k.pos + k.last
	}
	return k.last
}

// setKeys: SET reads the old value only when GET is among its options.
func setKeys(dst []KeyRef, args [][]byte) []KeyRef {
	for _, a := range args[3:] {
		if equalFold(a, "get") {
			return append(dst, KeyRef{Index: 1, Flags: RW | Access | Update})
		}
	}
	return append(dst, KeyRef{Index: 1, Flags: OW | Update})
}

// bitfieldKeys: BITFIELD only reads when all its operations are GET.
func bitfieldKeys(dst []KeyRef, args [][]byte) []KeyRef {
	flags := RO | Access
	for i := 2; i < len(args); i++ {
		switch left := len(args) - i - 1; {
		case equalFold(args[i], "get") && left >= 2:
			i += 2
		case equalFold(args[i], "overflow") && left >= 1:
			i++
		default:
			// SET, INCRBY or a mistake.
			return append(dst, KeyRef{Index: 1, Flags: RW | Access | Update})
		}
	}
	return append(dst, KeyRef{Index: 1, Flags: flags})
}

// sortKeys: SORT reads its first argument and overwrites the key after the last STORE. The keys that BY and GET
// patterns lead to are known only while it runs.
func sortKeys(dst []KeyRef, args [][]byte) []KeyRef {
	dst = append(dst, KeyRef{Index: 1, Flags: RO | Access})
	store := 0
	for i := 2; i < len(args); i++ {
		switch a := args[i]; {
		case equalFold(a, "limit"):
			i += 2
		case equalFold(a, "by"), equalFold(a, "get"):
			i++
		case equalFold(a, "store") && i+1 < len(args):
			// The destination is looked at as an option too, as Redis does: STORE STORE x stores at x.
			store = i + 1
		}
	}
	if store != 0 {
		dst = append(dst, KeyRef{Index: store, Flags: OW | Update})
	}
	return dst
}

// sortRoKeys: SORT_RO has one key that can be told beforehand.
func sortRoKeys(dst []KeyRef, _ [][]byte) []KeyRef {
	return append(dst, KeyRef{Index: 1, Flags: RO | Access})
}

// migrateKeys: MIGRATE has its key in the third argument or, when that is empty, any number after KEYS.
func migrateKeys(dst []KeyRef, args [][]byte) []KeyRef {
	const flags = RW | Access | Delete
	for i := 6; i < len(args); i++ {
		switch a := args[i]; {
		case equalFold(a, "auth"):
			i++
		case equalFold(a, "auth2"):
			i += 2
		case equalFold(a, "keys"):
			if len(args[3]) > 0 {
				return dst // both forms at once: a syntax error
			}
			for j := i + 1; j < len(args); j++ {
				dst = append(dst, KeyRef{Index: j, Flags: flags})
			}
			return dst
		}
	}
	return append(dst, KeyRef{Index: 3, Flags: flags})
}
