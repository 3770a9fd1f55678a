package integration

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// keyNames are the keys of a history. No other word of an operation looks like one.
var keyNames = []string{"k0", "k1", "k2", "k3"}

func keyIndex(name string) int { return slices.Index(keyNames, name) }

func keysIn(cmd []string) []string {
	var keys []string
	for _, word := range cmd {
		if keyIndex(word) >= 0 {
			keys = append(keys, word)
		}
	}
	return keys
}

// data is what the keys hold: a string, or the elements of a list with a comma between them. Neither is ever empty, so ""
// is a key that does not exist.
type data [4]string

const (
	errNotInteger errorReply = "ERR value is not an integer or out of range"
	errNoSuchKey  errorReply = "ERR no such key"
)

// apply carries out one command and returns its reply. Two commands are not Redis's, they are sent as scripts:
//
//	CAS key old new                sets key to new if it holds old, answers 1, else 0
//	TRANSFER from to amount        takes amount from one number to another if there is so much, answers 1, else 0
//
// A blocking command answers nil if there is nothing; waiting is to take effect later.
func (d *data) apply(cmd []string) any {
	k := func(i int) *string { return &d[keyIndex(cmd[i])] }
	switch name := cmd[0]; name {
	case "GET":
		return orNil(*k(1))
	case "SET":
		old := *k(1)
		*k(1) = cmd[2]
		if len(cmd) > 3 { // GET
			return orNil(old)
		}
		return "OK"
	case "SETNX":
		return d.setAll(cmd[1:], *k(1) == "")
	case "GETSET":
		old := *k(1)
		*k(1) = cmd[2]
		return orNil(old)
	case "GETDEL":
		old := *k(1)
		*k(1) = ""
		return orNil(old)
	case "APPEND":
		*k(1) += cmd[2]
		return len(*k(1))
	case "STRLEN":
		return len(*k(1))
	case "INCRBY":
		return add(k(1), number(cmd[2]))
	case "DECRBY":
		return add(k(1), -number(cmd[2]))
	case "CAS":
		if *k(1) != cmd[2] {
			return 0
		}
		*k(1) = cmd[3]
		return 1
	case "TRANSFER":
		amount := number(cmd[3])
		if number(*k(1)) < amount {
			return 0
		}
		add(k(1), -amount)
		add(k(2), amount)
		return 1
	case "MGET":
		var all []any
		for _, name := range cmd[1:] {
			all = append(all, orNil(d[keyIndex(name)]))
		}
		return all
	case "MSET":
		d.setAll(cmd[1:], true)
		return "OK"
	case "MSETNX":
		return d.setAll(cmd[1:], d.count(cmd[1:]) == 0)
	case "DEL":
		n := d.count(cmd[1:])
		for _, name := range cmd[1:] {
			d[keyIndex(name)] = ""
		}
		return n
	case "EXISTS":
		return d.count(cmd[1:])
	case "RENAME":
		if *k(1) == "" {
			return errNoSuchKey
		}
		v := *k(1)
		*k(1) = ""
		*k(2) = v
		return "OK"
	case "COPY":
		if *k(1) == "" || *k(2) != "" {
			return 0
		}
		*k(2) = *k(1)
		return 1
	}
	return d.applyList(cmd)
}

func (d *data) applyList(cmd []string) any {
	k := func(i int) *string { return &d[keyIndex(cmd[i])] }
	switch name := cmd[0]; name {
	case "LPUSH", "RPUSH":
		for _, elem := range cmd[2:] {
			push(k(1), elem, name[:1])
		}
		return len(elems(*k(1)))
	case "LPOP", "RPOP":
		return orNil(pop(k(1), name[:1]))
	case "LLEN":
		return len(elems(*k(1)))
	case "LRANGE": // 0 -1
		all := []any{}
		for _, elem := range elems(*k(1)) {
			all = append(all, elem)
		}
		return all
	case "LMOVE", "BLMOVE":
		elem := pop(k(1), cmd[3])
		if elem == "" {
			return nil
		}
		push(k(2), elem, cmd[4])
		return elem
	case "BLPOP", "BRPOP":
		for _, key := range keysIn(cmd) {
			if elem := pop(&d[keyIndex(key)], name[1:2]); elem != "" {
				return []any{key, elem}
			}
		}
		return nil
	case "BLMPOP": // timeout numkeys key … LEFT|RIGHT COUNT n
		for _, key := range keysIn(cmd) {
			var popped []any
			for range number(cmd[len(cmd)-1]) {
				if elem := pop(&d[keyIndex(key)], cmd[len(cmd)-3]); elem != "" {
					popped = append(popped, elem)
				}
			}
			if popped != nil {
				return []any{key, popped}
			}
		}
		return nil
	}
	panic(fmt.Sprintf("the model does not know %q", cmd))
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// number reads what generators write; a missing key counts as 0.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func add(v *string, n int) any {
	if *v != "" && strconv.Itoa(number(*v)) != *v {
		return errNotInteger
	}
	*v = strconv.Itoa(number(*v) + n)
	return number(*v)
}

func (d *data) setAll(pairs []string, really bool) int {
	if !really {
		return 0
	}
	for i := 0; i < len(pairs); i += 2 {
		d[keyIndex(pairs[i])] = pairs[i+1]
	}
	return 1
}

// count tells how many of these words are keys that exist.
func (d *data) count(words []string) int {
	n := 0
	for _, key := range keysIn(words) {
		if d[keyIndex(key)] != "" {
			n++
		}
	}
	return n
}

func elems(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// push and pop work at the end that a word begins with: "L", "LEFT", "R", "RIGHT".
func push(list *string, elem, end string) {
	all := elems(*list)
	if end[0] == 'L' {
		all = slices.Insert(all, 0, elem)
	} else {
		all = append(all, elem)
	}
	*list = strings.Join(all, ",")
}

func pop(list *string, end string) string {
	all := elems(*list)
	if len(all) == 0 {
		return ""
	}
	at := 0
	if end[0] == 'R' {
		at = len(all) - 1
	}
	elem := all[at]
	*list = strings.Join(slices.Delete(all, at, at+1), ",")
	return elem
}

// onWire returns what is sent for a command, each key with the history's prefix.
func onWire(prefix string, cmd []string) []string {
	if cmd[0] == "CAS" || cmd[0] == "TRANSFER" {
		s := script{prefix: prefix}
		s.add(cmd)
		return s.eval("return r[1]")
	}
	sent := slices.Clone(cmd)
	for i, word := range sent {
		if keyIndex(word) >= 0 {
			sent[i] = prefix + word
		}
	}
	return sent
}

func commandsOnWire(prefix string, cmds [][]string) [][]string {
	var sent [][]string
	for _, cmd := range cmds {
		sent = append(sent, onWire(prefix, cmd))
	}
	return sent
}

// scriptOf returns the EVAL of a script that carries out commands and answers all their replies.
func scriptOf(prefix string, cmds [][]string, declared bool, rnd *rand.Rand) []string {
	s := script{prefix: prefix}
	if !declared {
		s.rnd = rnd
	}
	for _, cmd := range cmds {
		s.add(cmd)
	}
	return s.eval("return r")
}

// script is the text of a script and its arguments.
type script struct {
	prefix     string
	rnd        *rand.Rand // chooses how a key is written; without it, every key is declared
	text       strings.Builder
	n          int // commands
	keys, argv []string
}

func (s *script) add(cmd []string) {
	s.n++
	words := []string{"'" + cmd[0] + "'"}
	for _, word := range cmd[1:] {
		words = append(words, s.word(word))
	}
	switch cmd[0] {
	case "CAS":
		fmt.Fprintf(&s.text, "if redis.call('GET', %s) == %s then redis.call('SET', %s, %s) r[%d] = 1 else r[%d] = 0 end\n",
			words[1], words[2], words[1], words[3], s.n, s.n)
	case "TRANSFER":
		fmt.Fprintf(&s.text, "if tonumber(redis.call('GET', %s) or '0') >= tonumber(%s) then\n"+
			"  redis.call('DECRBY', %s, %s) redis.call('INCRBY', %s, %s) r[%d] = 1\nelse r[%d] = 0 end\n",
			words[1], words[3], words[1], words[3], words[2], words[3], s.n, s.n)
	default:
		fmt.Fprintf(&s.text, "r[%d] = redis.pcall(%s)\n", s.n, strings.Join(words, ", "))
	}
}

// word returns the Lua expression for a word of a command.
func (s *script) word(word string) string {
	if keyIndex(word) < 0 {
		s.argv = append(s.argv, word)
		return fmt.Sprintf("ARGV[%d]", len(s.argv))
	}
	how := 0
	if s.rnd != nil {
		how = s.rnd.IntN(4)
	}
	switch how {
	case 1:
		s.argv = append(s.argv, s.prefix+word)
		return fmt.Sprintf("ARGV[%d]", len(s.argv))
	case 2:
		return "'" + s.prefix + word + "'"
	case 3:
		s.argv = append(s.argv, s.prefix)
		return fmt.Sprintf("ARGV[%d] .. '%s'", len(s.argv), word)
	}
	s.keys = append(s.keys, s.prefix+word)
	return fmt.Sprintf("KEYS[%d]", len(s.keys))
}

func (s *script) eval(end string) []string {
	eval := []string{"EVAL", "local r = {}\n" + s.text.String() + end, strconv.Itoa(len(s.keys))}
	return slices.Concat(eval, s.keys, s.argv)
}

// The operations of each workload.

// small returns one of few values, so that a comparison with it may well succeed.
func (g *generator) small() string { return pick(g, "1", "2", "3") }

func nextRegister(g *generator) operation {
	k := g.distinct(1, 2)[0]
	one := func() []string {
		switch g.rnd.IntN(12) {
		case 0, 1, 2:
			return []string{"GET", k}
		case 3:
			return []string{"SET", k, g.value()}
		case 4:
			return []string{"SET", k, g.small()}
		case 5:
			return []string{"GETSET", k, g.value()}
		case 6:
			return []string{"SET", k, g.small(), "GET"}
		case 7:
			return []string{"INCRBY", k, "1"}
		case 8:
			return []string{"APPEND", k, g.small()}
		case 9:
			return pick(g, []string{"GETDEL", k}, []string{"SETNX", k, g.small()}, []string{"STRLEN", k})
		}
		return []string{"CAS", k, g.small(), g.small()}
	}
	return g.operation(one, 2)
}

func nextCounter(g *generator) operation {
	k := g.distinct(1, 2)[0]
	return g.operation(func() []string {
		return pick(g, []string{"INCRBY", k, "1"}, []string{"DECRBY", k, "3"}, []string{"GET", k}, []string{"INCRBY", k, "10"},
			[]string{"GETSET", k, "0"}, []string{"GETDEL", k}, []string{"CAS", k, "1", "100"})
	}, 3)
}

// operation makes one of up to most commands, sent in any way but with WATCH.
func (g *generator) operation(cmd func() []string, most int) operation {
	o := operation{how: pick(g, plain, plain, plain, multi, multiSlow, declared, undeclared)}
	n := 1
	if o.how != plain {
		n += g.rnd.IntN(most)
	}
	for range n {
		o.cmds = append(o.cmds, cmd())
	}
	return o
}

func nextQueue(g *generator) operation {
	end := func() string { return pick(g, "LEFT", "RIGHT") }
	one := func() []string {
		ks := g.distinct(2, 3)
		switch g.rnd.IntN(12) {
		case 0, 1, 2:
			return []string{pick(g, "LPUSH", "RPUSH"), ks[0], g.value()}
		case 3, 4:
			return []string{pick(g, "LPUSH", "RPUSH"), ks[0], g.value(), g.value()}
		case 5:
			return []string{pick(g, "LPOP", "RPOP"), ks[0]}
		case 6, 7:
			return []string{"LMOVE", ks[0], pick(g, ks...), end(), end()}
		case 8:
			return []string{"LLEN", ks[0]}
		case 9:
			return []string{"LRANGE", ks[0], "0", "-1"}
		case 10:
			return []string{"RENAME", ks[0], ks[1]}
		}
		return []string{"EXISTS", ks[0], ks[1]}
	}
	blocking := func() []string {
		ks, timeout := g.distinct(1+g.rnd.IntN(3), 3), pick(g, "0.001", "0.002", "0.005", "0.02")
		if !g.leftmost {
			ks = ks[:1]
		}
		switch g.rnd.IntN(4) {
		case 0:
			return append(append([]string{"BLMPOP", timeout, strconv.Itoa(len(ks))}, ks...), end(), "COUNT", pick(g, "1", "2"))
		case 1:
			to := g.distinct(1, 3)[0]
			return []string{"BLMOVE", ks[0], to, end(), end(), timeout}
		}
		return append(append([]string{pick(g, "BLPOP", "BRPOP")}, ks...), timeout)
	}
	switch g.rnd.IntN(8) {
	case 0, 1, 2:
		return operation{cmds: [][]string{blocking()}}
	case 3: // in a transaction it does not wait
		return operation{how: pick(g, multi, multiSlow), cmds: [][]string{blocking(), one(), one()}}
	}
	return g.operation(one, 3)
}

func nextTransaction(g *generator) operation {
	one := func() []string {
		ks := g.distinct(4, 4)
		switch g.rnd.IntN(13) {
		case 0, 1:
			return append([]string{"MGET"}, ks[:2+g.rnd.IntN(3)]...)
		case 2, 3:
			return []string{"MSET", ks[0], g.value(), ks[1], g.value(), ks[2], g.value()}
		case 4:
			return []string{"MSETNX", ks[0], g.value(), ks[1], g.value()}
		case 5:
			return []string{"RENAME", ks[0], ks[1]}
		case 6:
			return []string{"COPY", ks[0], ks[1]}
		case 7:
			return []string{"DEL", ks[0], ks[1]}
		case 8:
			return append([]string{"EXISTS"}, ks...)
		case 9:
			return []string{"GETSET", ks[0], g.value()}
		case 10:
			return []string{"INCRBY", ks[0], "1"}
		case 11:
			return []string{"CAS", ks[0], "1", g.value()}
		}
		return []string{"SET", ks[0], g.small()}
	}
	return g.operation(one, 4)
}

func nextTransfer(g *generator) operation {
	ks := g.distinct(4, 4)
	amount := pick(g, "1", "2", "5")
	move := [][]string{{"DECRBY", ks[0], amount}, {"INCRBY", ks[1], amount}}
	switch g.rnd.IntN(9) {
	case 0, 1:
		return operation{how: watched, cmds: move}
	case 2:
		return operation{how: pick(g, multi, multiSlow), cmds: append(move, append([]string{"MGET"}, ks...))}
	case 3:
		return operation{how: pick(g, multi, declared, undeclared), cmds: append(move, append([]string{"MGET"}, ks[2:]...))}
	case 4, 5:
		return operation{how: pick(g, plain, multi, declared, undeclared), cmds: [][]string{{"TRANSFER", ks[0], ks[1], amount}}}
	case 6:
		return operation{cmds: [][]string{{"INCRBY", ks[0], "4"}}}
	}
	return operation{cmds: [][]string{append([]string{"MGET"}, ks...)}}
}
