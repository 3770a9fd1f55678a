package command

import "slices"

// Builtin returns the commands of this package, one per line and by group. It is the only list of them.
func Builtin() []*Spec {
	return []*Spec{
		&commandSpec,

		// string
		&appendSpec,
		&decrSpec,
		&decrbySpec,
		&getSpec,
		&getdelSpec,
		&getexSpec,
		&getrangeSpec,
		&getsetSpec,
		&incrSpec,
		&incrbySpec,
		&incrbyfloatSpec,
		&lcsSpec,
		&mgetSpec,
		&msetSpec,
		&msetnxSpec,
		&psetexSpec,
		&setSpec,
		&setexSpec,
		&setnxSpec,
		&setrangeSpec,
		&strlenSpec,
		&substrSpec,

		// bitmap
		&bitcountSpec,
		&bitfieldSpec,
		&bitfieldRoSpec,
		&bitopSpec,
		&bitposSpec,
		&getbitSpec,
		&setbitSpec,

		// hash
		&hdelSpec,
		&hexistsSpec,
		&hexpireSpec,
		&hexpireatSpec,
		&hexpiretimeSpec,
		&hgetSpec,
		&hgetallSpec,
		&hincrbySpec,
		&hincrbyfloatSpec,
		&hkeysSpec,
		&hlenSpec,
		&hmgetSpec,
		&hmsetSpec,
		&hpersistSpec,
		&hpexpireSpec,
		&hpexpireatSpec,
		&hpexpiretimeSpec,
		&hpttlSpec,
		&hrandfieldSpec,
		&hscanSpec,
		&hsetSpec,
		&hsetnxSpec,
		&hstrlenSpec,
		&httlSpec,
		&hvalsSpec,

		// list
		&blmoveSpec,
		&blmpopSpec,
		&blpopSpec,
		&brpopSpec,
		&brpoplpushSpec,
		&lindexSpec,
		&linsertSpec,
		&llenSpec,
		&lmoveSpec,
		&lmpopSpec,
		&lpopSpec,
		&lposSpec,
		&lpushSpec,
		&lpushxSpec,
		&lrangeSpec,
		&lremSpec,
		&lsetSpec,
		&ltrimSpec,
		&rpopSpec,
		&rpoplpushSpec,
		&rpushSpec,
		&rpushxSpec,

		// set
		&saddSpec,
		&scardSpec,
		&sdiffSpec,
		&sdiffstoreSpec,
		&sinterSpec,
		&sintercardSpec,
		&sinterstoreSpec,
		&sismemberSpec,
		&smembersSpec,
		&smismemberSpec,
		&smoveSpec,
		&spopSpec,
		&srandmemberSpec,
		&sremSpec,
		&sscanSpec,
		&sunionSpec,
		&sunionstoreSpec,

		// sorted-set
		&zaddSpec,
		&zcardSpec,
		&zcountSpec,
		&zdiffSpec,
		&zdiffstoreSpec,
		&zincrbySpec,
		&zinterSpec,
		&zintercardSpec,
		&zinterstoreSpec,
		&zlexcountSpec,
		&zmpopSpec,
		&zmscoreSpec,
		&zpopmaxSpec,
		&zpopminSpec,
		&zrandmemberSpec,
		&zrangeSpec,
		&zrangebylexSpec,
		&zrangebyscoreSpec,
		&zrangestoreSpec,
		&zrankSpec,
		&zremSpec,
		&zremrangebylexSpec,
		&zremrangebyrankSpec,
		&zremrangebyscoreSpec,
		&zrevrangeSpec,
		&zrevrangebylexSpec,
		&zrevrangebyscoreSpec,
		&zrevrankSpec,
		&zscanSpec,
		&zscoreSpec,
		&zunionSpec,
		&zunionstoreSpec,

		// geo
		&geoaddSpec,
		&geodistSpec,
		&geohashSpec,
		&geoposSpec,
		&georadiusSpec,
		&georadiusRoSpec,
		&georadiusbymemberSpec,
		&georadiusbymemberRoSpec,
		&geosearchSpec,
		&geosearchstoreSpec,

		// hyperloglog
		&pfaddSpec,
		&pfcountSpec,
		&pfdebugSpec,
		&pfmergeSpec,
		&pfselftestSpec,

		// stream
		&xackSpec,
		&xaddSpec,
		&xautoclaimSpec,
		&xclaimSpec,
		&xdelSpec,
		&xgroupSpec,
		&xinfoSpec,
		&xlenSpec,
		&xpendingSpec,
		&xrangeSpec,
		&xreadSpec,
		&xreadgroupSpec,
		&xrevrangeSpec,
		&xsetidSpec,
		&xtrimSpec,

		// generic
		&copySpec,
		&delSpec,
		&existsSpec,
		&expireSpec,
		&expireatSpec,
		&expiretimeSpec,
		&keysSpec,
		&moveSpec,
		&objectSpec,
		&persistSpec,
		&pexpireSpec,
		&pexpireatSpec,
		&pexpiretimeSpec,
		&pttlSpec,
		&randomkeySpec,
		&renameSpec,
		&renamenxSpec,
		&scanSpec,
		&sortSpec,
		&sortRoSpec,
		&touchSpec,
		&ttlSpec,
		&typeSpec,
		&unlinkSpec,

		// connection
		&echoSpec,
		&pingSpec,
		&selectSpec,

		// server
		&dbsizeSpec,
		&flushallSpec,
		&flushdbSpec,
		&lolwutSpec,
		&memorySpec,
		&swapdbSpec,
		&timeSpec,
	}
}

// Extend adds subcommands to a container in a list of specs. That is how a package above adds to a container that this
// one begins, such as MEMORY. It panics when there is no such container.
func Extend(specs []*Spec, container string, subcommands ...*Spec) {
	for i, s := range specs {
		if s.Name == container {
			extended := *s
			extended.Subcommands = append(slices.Clone(s.Subcommands), subcommands...)
			specs[i] = &extended
			return
		}
	}
	panic("command: no container " + container + " to extend")
}
