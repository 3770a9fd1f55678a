package command

import (
	"slices"
	"strings"
)

// RenameError says why a command cannot be renamed, in the words in which Redis refuses to start.
type RenameError string

func (e RenameError) Error() string { return string(e) }

const (
	errRenameUnknown RenameError = "No such command in rename-command"
	errRenameTaken   RenameError = "Target command name already exists"
)

// Rename makes a command answer to another name only, in any case, or to none when to is empty. Replies, statistics and
// documentation go on calling it what it is. REQUIRES: nobody uses the table yet.
//
// New names are often long and random, to be a secret, so they are kept in a map of their own beside the table that is
// made for the short ones.
func (t *Table) Rename(from, to string) error {
	from, to = strings.ToLower(from), strings.ToLower(to)
	s := t.Lookup([]byte(from))
	if s == nil {
		return errRenameUnknown
	}
	if to != "" && t.Lookup([]byte(to)) != nil {
		return errRenameTaken
	}
	if _, again := t.renamed[from]; again {
		delete(t.renamed, from)
	} else {
		var own []*Spec
		for _, c := range t.top {
			if c != s && !t.isRenamed(c) {
				own = append(own, c)
			}
		}
		t.names = makeNameTable(own)
	}
	if to == "" {
		t.top = slices.DeleteFunc(slices.Clone(t.top), func(c *Spec) bool { return c == s })
		return nil
	}
	if t.renamed == nil {
		t.renamed = make(map[string]*Spec)
	}
	t.renamed[to] = s
	return nil
}

func (t *Table) isRenamed(s *Spec) bool {
	for _, c := range t.renamed {
		if c == s {
			return true
		}
	}
	return false
}
