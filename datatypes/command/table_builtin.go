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
