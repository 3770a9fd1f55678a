package actors

import (
	"strconv"

	"github.com/troupe-db/troupe/actors/config"
	"github.com/troupe-db/troupe/datatypes/keyspace"
)

// notifier publishes the keyspace events of a shard. It is the shard's Observer while notify-keyspace-events asks for any.
//
// Events are published while the shard is owned, in the order in which they take place: a client that has one and looks at
// the key finds what the command has left, and messages stand before replies that are sent later.
type notifier struct {
	sys     *System
	classes keyspace.EventClass
	flags   config.NotifyFlags
	channel []byte // scratch
}

// eventClasses are the classes of events by their flag.
var eventClasses = map[config.NotifyFlags]keyspace.EventClass{
	config.NotifyGeneric: keyspace.EventGeneric,
	config.NotifyString:  keyspace.EventString,
	config.NotifyList:    keyspace.EventList,
	config.NotifySet:     keyspace.EventSet,
	config.NotifyHash:    keyspace.EventHash,
	config.NotifyZset:    keyspace.EventZSet,
	config.NotifyExpired: keyspace.EventExpired,
	config.NotifyEvicted: keyspace.EventEvicted,
	config.NotifyStream:  keyspace.EventStream,
	config.NotifyModule:  keyspace.EventModule,
	config.NotifyNew:     keyspace.EventNew,
	config.NotifyKeyMiss: keyspace.EventKeyMiss,
}

// newNotifier returns the observer of a shard, nil when no event is to be published.
func newNotifier(sys *System, flags config.NotifyFlags) keyspace.Observer {
	n := &notifier{sys: sys, flags: flags}
	for flag, class := range eventClasses {
		if flags&flag != 0 {
			n.classes |= class
		}
	}
	if n.classes == 0 || flags&(config.NotifyKeyspace|config.NotifyKeyevent) == 0 {
		return nil
	}
	return n
}

// Event implements keyspace.Observer.
func (n *notifier) Event(db *keyspace.DB, class keyspace.EventClass, name string, key []byte) {
	if n.classes&class == 0 {
		return
	}
	if n.flags&config.NotifyKeyspace != 0 {
		n.channel = append(n.prefix("__keyspace@", db), key...)
		n.sys.hub.publish(n.channel, []byte(name))
	}
	if n.flags&config.NotifyKeyevent != 0 {
		n.channel = append(n.prefix("__keyevent@", db), name...)
		n.sys.hub.publish(n.channel, key)
	}
}

// prefix returns what stands before the name in a channel of events.
func (n *notifier) prefix(kind string, db *keyspace.DB) []byte {
	return append(strconv.AppendInt(append(n.channel[:0], kind...), int64(db.Index()), 10), "__:"...)
}

// Modified implements keyspace.Observer.
func (*notifier) Modified(*keyspace.DB, []byte) {}

// Expired implements keyspace.Observer.
func (*notifier) Expired(*keyspace.DB, []byte) {}

// FieldsExpired implements keyspace.Observer.
func (*notifier) FieldsExpired(*keyspace.DB, []byte, [][]byte) {}

// Flushed implements keyspace.Observer.
func (*notifier) Flushed(*keyspace.DB, bool) {}
