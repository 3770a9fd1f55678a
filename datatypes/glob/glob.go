package glob

import "unsafe"

// Match reports whether s matches pattern. With nocase, ASCII letters match in either case.
func Match(pattern, s []byte, nocase bool) bool {
	return MatchString(unsafe.String(unsafe.SliceData(pattern), len(pattern)), unsafe.String(unsafe.SliceData(s), len(s)), nocase)
}

// MatchString is Match over strings.
//
// Between two stars every pattern element eats exactly one byte, so the leftmost place where such a stretch fits is as
// good as any later one: a failure only ever has to go back to the last star and let it eat one byte more. That is what
// makes the loop linear per star, where the obvious recursion tries all combinations of all stars.
func MatchString(pattern, s string, nocase bool) bool {
	if len(s) == 0 {
		return len(pattern) == 0
	}
	p, i := 0, 0
	afterStar, retryAt := -1, 0 // where to go back to: pattern position after the last star, next byte of s to try it at
	for i < len(s) {
		if p < len(pattern) {
			if pattern[p] == '*' {
				for p < len(pattern) && pattern[p] == '*' {
					p++
				}
				if p == len(pattern) {
					return true
				}
				afterStar, retryAt = p, i
				continue
			}
			if next, ok := matchOne(pattern, p, s[i], nocase); ok {
				p, i = next, i+1
				continue
			}
		}
		if afterStar < 0 {
			return false
		}
		retryAt++
		p, i = afterStar, retryAt
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchOne matches c against the element of pattern at p, which is not a star, and returns where the next element starts.
func matchOne(pattern string, p int, c byte, nocase bool) (next int, ok bool) {
	switch pattern[p] {
	case '?':
		return p + 1, true
	case '[':
		return matchSet(pattern, p+1, c, nocase)
	case '\\':
		if p+1 < len(pattern) {
			p++
		}
	}
	return p + 1, fold(pattern[p], nocase) == fold(c, nocase)
}

// matchSet matches c against the set whose first byte after '[' is at p.
func matchSet(pattern string, p int, c byte, nocase bool) (next int, ok bool) {
	negated := p < len(pattern) && pattern[p] == '^'
	if negated {
		p++
	}
	c = fold(c, nocase)
	found := false
	for ; p < len(pattern); p++ {
		switch {
		case pattern[p] == '\\' && p+1 < len(pattern):
			p++
			found = found || fold(pattern[p], nocase) == c
		case pattern[p] == ']':
			return p + 1, found != negated
		case p+2 < len(pattern) && pattern[p+1] == '-':
			// Redis swaps the ends before it folds their case, so that [Z-a] without case is the empty range z to a.
			lo, hi := pattern[p], pattern[p+2]
			if lo > hi {
				lo, hi = hi, lo
			}
			lo, hi = fold(lo, nocase), fold(hi, nocase)
			found = found || lo <= c && c <= hi
			p += 2
		default:
			found = found || fold(pattern[p], nocase) == c
		}
	}
	return p, found != negated
}

func fold(c byte, nocase bool) byte {
	if nocase && 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// HasMeta reports whether s would be treated as a pattern rather than as a plain name where a command accepts both, as
// CONFIG GET does: it looks for '*', '?' and '['; an escaped byte alone does not count.
func HasMeta(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == '*' || s[i] == '?' || s[i] == '[' {
			return true
		}
	}
	return false
}
