package command

import "github.com/troupe-db/troupe/netio/resp"

// WordKind tells what is known beforehand about a word of a command that a script puts together.
type WordKind uint8

const (
	// WordAny may be any text.
	WordAny WordKind = iota
	// WordNumber is some number, hence no option and no pattern.
	WordNumber
	// WordLiteral is Text.
	WordLiteral
)

// Word is one word of such a command.
type Word struct {
	Kind WordKind
	Text []byte // of a WordLiteral
}

// Partial is a command of which not every word is known.
type Partial struct {
	Words []Word // with the command's name
	Open  bool   // any number of unknown words may follow
}

// mayBe reports whether the word at position i may be this option.
func (p Partial) mayBe(i int, option string) bool {
	w := p.Words[i]
	return w.Kind == WordAny || w.Kind == WordLiteral && equalFold(w.Text, option)
}

// is reports whether the word at position i is certainly this option.
func (p Partial) is(i int, option string) bool {
	return p.Words[i].Kind == WordLiteral && equalFold(p.Words[i].Text, option)
}

// PossibleKeys appends to dst the position of every word of p that may be a key, whatever the unknown words turn out to
// be; positions may repeat. open tells that words which follow p.Words may be keys as well. When known is false, any
// word may be one, and there may be keys that the command does not name in a place of their own.
func (s *Spec) PossibleKeys(dst []int, p Partial) (positions []int, open, known bool) {
	if s.KeysFunc != nil {
		switch {
		case s.Container == nil && (s.Name == "xread" || s.Name == "xreadgroup"):
			return xreadPossibleKeys(dst, p)
		case s.Keys.describeAll():
			// Only the flags of the keys depend on the arguments.
		default:
			args, ok := s.settle(p)
			if !ok {
				return dst, false, false
			}
			for _, k := range s.KeysFunc(nil, args) {
				dst = append(dst, k.Index)
			}
			return dst, false, true
		}
	}
	for i := range s.Keys {
		k := &s.Keys[i]
		if k.flags&NotKey != 0 {
			continue
		}
		var more, ok bool
		if dst, more, ok = k.possible(dst, p); !ok {
			return dst, false, false
		}
		open = open || more
	}
	return dst, open, true
}

// PossibleScope is the Scope of p: ScopeAllShards when that depends on words that are unknown.
func (s *Spec) PossibleScope(p Partial) Scope {
	if s.ScopeFunc == nil {
		return s.Scope
	}
	args, ok := s.settle(p)
	if !ok || !s.ArityOK(len(args)) {
		return ScopeAllShards
	}
	return s.ScopeFunc(args)
}

// describeAll reports whether the key specs alone tell every place that may be a key.
func (ks KeySpecs) describeAll() bool {
	for i := range ks {
		k := &ks[i]
		if k.begin != beginIndex || k.find == findUnknown || k.flags&Incomplete != 0 {
			return false
		}
	}
	return true
}

// settle gives the unknown words of p a text where that cannot make a difference: numbers, and words at places that are
// always a key. ok is false when others are unknown.
func (s *Spec) settle(p Partial) (args [][]byte, ok bool) {
	if p.Open {
		return nil, false
	}
	args = make([][]byte, len(p.Words))
	for i, w := range p.Words {
		switch {
		case w.Kind == WordLiteral:
			args[i] = w.Text
		case w.Kind == WordNumber:
			args[i] = []byte("1")
		case s.Keys.always(i):
			args[i] = []byte("k")
		default:
			return nil, false
		}
	}
	return args, true
}

// always reports whether the word at position i is a key in every command.
func (ks KeySpecs) always(i int) bool {
	for j := range ks {
		if k := &ks[j]; k.isRange() && k.last == 0 && k.pos == i && k.flags&NotKey == 0 {
			return true
		}
	}
	return false
}

// possible is PossibleKeys for one place.
func (k *KeySpec) possible(dst []int, p Partial) (positions []int, open, known bool) {
	switch k.begin {
	case beginIndex:
		return k.possibleFrom(dst, p, k.pos)
	case beginKeyword:
		if k.pos < 0 {
			if p.Open {
				return dst, false, false
			}
			for i := len(p.Words) + k.pos; i > 1; i-- {
				if p.mayBe(i, k.keyword) {
					if dst, open, known = k.possibleFrom(dst, p, i+1); !known || p.is(i, k.keyword) {
						return dst, open, known
					}
				}
			}
			return dst, false, true
		}
		for i := k.pos; i < len(p.Words); i++ {
			if !p.mayBe(i, k.keyword) || i == len(p.Words)-1 && !p.Open {
				continue
			}
			var more bool
			if dst, more, known = k.possibleFrom(dst, p, i+1); !known {
				return dst, false, false
			}
			open = open || more
			if p.is(i, k.keyword) {
				return dst, open, true
			}
		}
		return dst, open || p.Open, true
	default:
		return dst, false, false
	}
}

// possibleFrom is possible when the place begins at first.
func (k *KeySpec) possibleFrom(dst []int, p Partial, first int) (positions []int, open, known bool) {
	n, last := len(p.Words), 0
	switch k.find {
	case findRange:
		switch {
		case k.last >= 0:
			last = first + k.last
			open = p.Open && last >= n
		case p.Open:
			last, open = n-1, true
		case k.limit == 0:
			last = n + k.last
		default:
			last = first + (n-first)/k.limit + k.last
		}
	case findKeyNum:
		if first >= n {
			return dst, p.Open, true
		}
		at := first
		first += k.first
		if p.Words[at].Kind != WordLiteral {
			last, open = n-1, p.Open
			break
		}
		count, isInt := resp.ParseInt(p.Words[at].Text)
		if !isInt || count <= 0 || count > int64(n) && !p.Open {
			return dst, false, true
		}
		last = n - 1
		if count <= int64(n) {
			last = first + (int(count)-1)*k.step
		}
		open = p.Open && (last >= n || count > int64(n))
	default:
		return dst, false, false
	}
	for i := first; i <= min(last, n-1); i += k.step {
		dst = append(dst, i)
	}
	return dst, open, true
}

// xreadPossibleKeys is PossibleKeys for XREAD and XREADGROUP; see xreadKeys.
func xreadPossibleKeys(dst []int, p Partial) (positions []int, open, known bool) {
	i, n := 1, len(p.Words)
	for ; ; i++ {
		if i >= n {
			return dst, p.Open, true // the options are not at an end yet, or never will be
		}
		if p.Words[i].Kind == WordAny {
			return dst, false, false
		}
		if p.is(i, "STREAMS") {
			break
		}
		switch {
		case p.is(i, "BLOCK"), p.is(i, "COUNT"):
			i++
		case p.is(i, "GROUP"):
			i += 2
		case p.is(i, "NOACK"):
		default:
			return dst, false, true // a mistake
		}
	}
	last := i + (n-i-1)/2
	if p.Open {
		last = n - 1
	}
	for j := i + 1; j <= last; j++ {
		dst = append(dst, j)
	}
	return dst, p.Open, true
}
