package command

import "github.com/troupe-db/troupe/netio/resp"

// PossibleWork tells about how many elements p goes through at most, whatever its unknown words turn out to be and
// however large the values are. limited is false when there is no limit: Heavy, which looks at the data, could be true.
// Large strings are not counted.
func (s *Spec) PossibleWork(p Partial) (elements int, limited bool) {
	switch {
	case s.HeavyWords != 0 && (p.Open || len(p.Words) >= s.HeavyWords):
		return 0, false
	case s.Heavy == nil:
		return 1, true
	case s.Work == nil || p.Open:
		return 0, false
	case !s.ArityOK(len(p.Words)):
		return 0, true
	}
	return s.Work(p)
}

// oneElement is Work of commands whose Heavy looks at the length of a string only.
func oneElement(Partial) (int, bool) { return 1, true }

// withoutCount is Work of commands that take one element of the value at their key, or as many as a last word says.
func withoutCount(p Partial) (elements int, limited bool) {
	if len(p.Words) == 2 {
		return 1, true
	}
	return p.count(2, zrangeShort)
}

// count is the number at position i as a limit, of at most most elements; negative numbers have no meaning here.
func (p Partial) count(i, most int) (elements int, limited bool) {
	if p.Words[i].Kind != WordLiteral {
		return 0, false
	}
	n, ok := resp.ParseInt(p.Words[i].Text)
	if !ok {
		return 0, true // an error
	}
	return int(n), n >= 0 && n <= int64(most)
}

// span is how many elements lie between the indices at positions i and i+1, which count from the same end.
func (p Partial) span(i int) (elements int, limited bool) {
	if p.Words[i].Kind != WordLiteral || p.Words[i+1].Kind != WordLiteral {
		return 0, false
	}
	from, ok1 := resp.ParseInt(p.Words[i].Text)
	to, ok2 := resp.ParseInt(p.Words[i+1].Text)
	switch {
	case !ok1 || !ok2:
		return 0, true // an error
	case from < 0 != (to < 0):
		return 0, false
	case to < from:
		return 0, true
	}
	n := to - from // of the same sign: no overflow
	return int(min(n, zrangeShort)) + 1, n < zrangeShort
}

// xaddWork: an entry is no work, trimming may be.
func xaddWork(p Partial) (elements int, limited bool) {
	i := 2
	if p.is(i, "nomkstream") {
		i++
	}
	w := p.Words[i]
	id := w.Kind == WordNumber || w.Kind == WordLiteral && (len(w.Text) == 0 || w.Text[0] < 'A')
	return 1, id
}

// work is PossibleWork of a range of a sorted set: its limit, or the distance of its ranks.
func (f zrangeForm) work(p Partial) (elements int, limited bool) {
	if f.store {
		return 0, false
	}
	ranks := f.auto || f.kind == zrangeRank
	for i := 4; i < len(p.Words); i++ {
		switch {
		case p.Words[i].Kind == WordAny:
			return 0, false
		case p.is(i, "byscore") || p.is(i, "bylex"):
			ranks = false
		case p.is(i, "limit") && i+2 < len(p.Words):
			n, ok := p.count(i+2, zrangeShort)
			if !ok {
				return 0, false
			}
			elements, limited = max(elements, n), true
			i += 2
		}
	}
	if ranks { // where LIMIT is an error
		return p.span(2)
	}
	return elements, limited
}
