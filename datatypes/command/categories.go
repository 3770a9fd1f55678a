package command

// Category is a set of ACL categories.
type Category uint32

// The ACL categories of Redis, in the order in which ACL CAT and COMMAND INFO list them.
const (
	CatKeyspace Category = 1 << iota
	CatRead
	CatWrite
	CatSet
	CatSortedSet
	CatList
	CatHash
	CatString
	CatBitmap
	CatHyperLogLog
	CatGeo
	CatStream
	CatPubSub
	CatAdmin
	CatFast
	CatSlow
	CatBlocking
	CatDangerous
	CatConnection
	CatTransaction
	CatScripting

	// NoCategory, in Spec.Categories, says that a command is not in the category of its group.
	NoCategory Category = 1 << 31
)

// categoryNames holds the name of category 1<<i at index i.
var categoryNames = [...]string{
	"keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "hyperloglog", "geo",
	"stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous", "connection", "transaction", "scripting",
}

// CategoryNames returns all categories by name, without '@', in Redis's order.
func CategoryNames() []string { return append([]string(nil), categoryNames[:]...) }

// CategoryByName finds a category by its name without '@', in any case.
func CategoryByName(name []byte) (Category, bool) {
	for i, s := range categoryNames {
		if equalFold(name, s) {
			return 1 << i, true
		}
	}
	return 0, false
}

// groupCategory is what a group implies. Groups that are missing, server and cluster above all, mix commands of
// different kinds and imply nothing.
var groupCategory = map[Group]Category{
	GroupBitmap:       CatBitmap,
	GroupConnection:   CatConnection,
	GroupGeneric:      CatKeyspace,
	GroupGeo:          CatGeo,
	GroupHash:         CatHash,
	GroupHyperLogLog:  CatHyperLogLog,
	GroupList:         CatList,
	GroupPubSub:       CatPubSub,
	GroupScripting:    CatScripting,
	GroupSet:          CatSet,
	GroupSortedSet:    CatSortedSet,
	GroupStream:       CatStream,
	GroupString:       CatString,
	GroupTransactions: CatTransaction,
}

// categoriesOf computes the ACL categories of a command.
func categoriesOf(g Group, f Flags, declared Category) Category {
	cats := declared &^ NoCategory
	if declared == 0 {
		cats = groupCategory[g]
	}
	if f&Write != 0 {
		cats |= CatWrite
	}
	// A script may do anything with the keys it is given: EVAL_RO is read-only, yet a user who may only read is not
	// thereby allowed to run scripts.
	if f&ReadOnly != 0 && cats&CatScripting == 0 {
		cats |= CatRead
	}
	if f&Admin != 0 {
		cats |= CatAdmin | CatDangerous
	}
	if f&PubSub != 0 {
		cats |= CatPubSub
	}
	if f&Blocking != 0 {
		cats |= CatBlocking
	}
	if f&Fast != 0 {
		return cats | CatFast
	}
	return cats | CatSlow
}

// equalFold reports whether b is s in any case. Only ASCII letters have two cases.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i, c := range b {
		if lower(c) != lower(s[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
