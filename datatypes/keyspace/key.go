package keyspace

import "github.com/troupe-db/troupe/datatypes/dict"

// Key is the name of a key with its hash. The bytes belong to the caller.
type Key struct {
	B []byte
	H uint64
}

// MakeKey hashes b.
func MakeKey(b []byte) Key { return Key{B: b, H: dict.Hash(b)} }

// Type is the type of a value as TYPE reports it.
type Type uint8

// The types of values. The zero Type is no value.
const (
	None Type = iota
	String
	List
	Set
	ZSet
	Hash
	Stream
)

var typeNames = [...]string{"none", "string", "list", "set", "zset", "hash", "stream"}

// String returns the word that TYPE replies.
func (t Type) String() string { return typeNames[t] }

// Encoding is the representation of a value as OBJECT ENCODING reports it.
type Encoding uint8

// Encodings: of string values, of packed collections (see packed.go), of objects (see object.go).
const (
	Raw Encoding = iota
	Int
	EmbStr

	ListPack
	IntSet
	ListPackEx

	QuickList
	HashTable
	SkipList
	StreamEnc
)

var encodingNames = [...]string{
	"raw", "int", "embstr", "listpack", "intset", "listpackex", "quicklist", "hashtable", "skiplist", "stream",
}

// String returns the word that OBJECT ENCODING replies.
func (e Encoding) String() string { return encodingNames[e] }

// EventClass is a class of keyspace events, one letter of notify-keyspace-events each.
type EventClass uint16

// The classes of keyspace events.
const (
	EventGeneric EventClass = 1 << iota // g
	EventString                         // $
	EventList                           // l
	EventSet                            // s
	EventHash                           // h
	EventZSet                           // z
	EventExpired                        // x
	EventEvicted                        // e
	EventStream                         // t
	EventKeyMiss                        // m
	EventModule                         // d
	EventNew                            // n
)

// Observer is told what happens to the keys of a shard, on the goroutine that owns the shard, after the change is
// visible. The key is valid during the call only.
type Observer interface {
	// Modified reports that the value at key changed, appeared or vanished.
	Modified(db *DB, key []byte)
	// Event reports a named keyspace event.
	Event(db *DB, class EventClass, name string, key []byte)
	// Expired reports that key was removed because its deadline has passed, before the event of that name.
	Expired(db *DB, key []byte)
	// FieldsExpired reports that fields of the hash at key were removed because their deadline has passed, before the
	// event of that name.
	FieldsExpired(db *DB, key []byte, fields [][]byte)
	// Flushed reports that all keys of db are gone; had tells whether there were any.
	Flushed(db *DB, had bool)
}
