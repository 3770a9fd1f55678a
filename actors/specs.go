package actors

import (
	"strings"

	"github.com/troupe-db/troupe/actors/config"
	"github.com/troupe-db/troupe/datatypes/command"
)

// specs lists every command of the server: those on keys, and those of this package.
func specs() []*command.Spec {
	list := append(command.Builtin(),
		&authSpec,
		&clientSpec,
		&configSpec,
		&debugSpec,
		&discardSpec,
		&execSpec,
		&helloSpec,
		&infoSpec,
		&multiSpec,
		&psubscribeSpec,
		&publishSpec,
		&pubsubSpec,
		&punsubscribeSpec,
		&quitSpec,
		&resetSpec,
		&shutdownSpec,
		&spublishSpec,
		&ssubscribeSpec,
		&subscribeSpec,
		&sunsubscribeSpec,
		&unsubscribeSpec,
		&unwatchSpec,
		&watchSpec,
	)
	command.Extend(list, "memory", memorySubcommands()...)
	return list
}

// settingsOf picks what handlers look at.
func settingsOf(v *config.Values) *command.Settings {
	return &command.Settings{
		MaxStringBytes: v.ProtoMaxBulkLen,
		LFU:            isLFU(v),
		LazyUserDel:    v.LazyFreeUserDel,
		LazyExpire:     v.LazyFreeExpire,
		UnsharedInts:   v.MaxMemory > 0 && (isLFU(v) || strings.HasSuffix(v.MaxMemoryPolicy, "-lru")),
		Version:        RedisVersion,
		LazyUserFlush:  v.LazyFreeUserFlush,

		HashMaxListpackEntries: int(v.HashMaxListpackEntries),
		HashMaxListpackValue:   int(v.HashMaxListpackValue),
		SetMaxIntsetEntries:    int(v.SetMaxIntsetEntries),
		SetMaxListpackEntries:  int(v.SetMaxListpackEntries),
		SetMaxListpackValue:    int(v.SetMaxListpackValue),
		ZSetMaxListpackEntries: int(v.ZsetMaxListpackEntries),
		ZSetMaxListpackValue:   int(v.ZsetMaxListpackValue),
		ListMaxListpackSize:    v.ListMaxListpackSize,
		ListCompressDepth:      v.ListCompressDepth,
		StreamNodeMaxBytes:     int(v.StreamNodeMaxBytes),
		StreamNodeMaxEntries:   int(v.StreamNodeMaxEntries),
		HLLSparseMaxBytes:      int(v.HLLSparseMaxBytes),
	}
}

func isLFU(v *config.Values) bool {
	return v.MaxMemoryPolicy == "allkeys-lfu" || v.MaxMemoryPolicy == "volatile-lfu"
}
