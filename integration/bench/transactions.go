package main

import "fmt"

// Transactions of the raw loops: so many different ones, of so many commands each.
const (
	txnVariants = 512
	txnCommands = 10
)

// transactions measures MULTI … EXEC sent as one pipeline, with all keys on one shard and with keys on any.
func transactions(b *bench) error {
	on, err := b.start()
	if err != nil {
		return err
	}
	defer on.stop()
	shards, err := on[0].shards()
	if err != nil {
		return err
	}
	for _, cell := range []struct {
		name, flag string
		command    []string
		oneShard   bool
	}{
		{"MULTI of 10 SETs, one shard", "set-one", []string{"SET", "", "xxx"}, true},
		{"MULTI of 10 SETs, all shards", "set-all", []string{"SET", "", "xxx"}, false},
		{"MULTI of 10 INCRs, one shard", "incr-one", []string{"INCR", ""}, true},
		{"MULTI of 10 INCRs, all shards", "incr-all", []string{"INCR", ""}, false},
		{"MULTI of 10 INCRs of one key", "incr-key", []string{"INCR", ""}, true},
	} {
		if !b.wants("multi/" + cell.flag) {
			continue
		}
		for _, s := range on {
			if _, err := s.do("FLUSHALL"); err != nil {
				return err
			}
		}
		l := rawLoop{clients: fewClients, lines: 2 + 2*txnCommands}
		for v := range txnVariants {
			keys := txnKeys(v, shards, cell.oneShard)
			if cell.flag == "incr-key" {
				keys = keys[:1]
			}
			l.requests = append(l.requests, appendTxn(nil, cell.command, keys))
		}
		n, err := l.calibrate(on, slice)
		if err != nil {
			b.report.fail(cell.name, err)
			continue
		}
		b.alternate(cell.name, on, b.pairs(11, 3), loopFigures(ratioAtLeast(0.9), target{}), func(s *server) ([]float64, error) {
			r, err := l.run(s, n)
			return r.figures(), err
		})
	}
	return nil
}

// txnKeys returns the keys of variant v, on one shard if asked for.
func txnKeys(v, shards int, oneShard bool) []string {
	keys := make([]string, 0, txnCommands)
	for i := v * benchKeys / txnVariants; len(keys) < cap(keys); i++ {
		k := fmt.Sprintf("txn:%012d", scatter(i)%benchKeys)
		if !oneShard || len(keys) == 0 || shardOf(k, shards) == shardOf(keys[0], shards) {
			keys = append(keys, k)
		}
	}
	return keys
}

// appendTxn appends a transaction: the command, which has its key as the second word, for every key in turn.
func appendTxn(b []byte, command, keys []string) []byte {
	b = appendCommand(b, "MULTI")
	for i := range txnCommands {
		words := append([]string(nil), command...)
		words[1] = keys[i%len(keys)]
		b = appendCommand(b, words...)
	}
	return appendCommand(b, "EXEC")
}
