package command

import (
	"math/bits"
	"strings"

	"github.com/troupe-db/troupe/netio/resp"
)

// writeInfo writes what COMMAND INFO says about s.
func (s *Spec) writeInfo(w *resp.Writer) {
	w.Array(10)
	w.BulkString(s.FullName)
	w.Int(int64(s.Arity))
	s.writeFlags(w)
	w.Int(int64(s.FirstKey))
	w.Int(int64(s.LastKey))
	w.Int(int64(s.KeyStep))
	s.writeCategories(w)
	w.Set(len(s.Tips))
	for _, tip := range s.Tips {
		w.BulkString(tip)
	}
	w.Set(len(s.Keys))
	for i := range s.Keys {
		s.Keys[i].writeInfo(w)
	}
	if len(s.Subcommands) == 0 {
		w.Set(0)
		return
	}
	w.Array(len(s.Subcommands))
	for _, sub := range s.Subcommands {
		sub.writeInfo(w)
	}
}

func (s *Spec) writeFlags(w *resp.Writer) {
	mark, n := w.StartDeferred(), 0
	for _, f := range &flagNames {
		if s.Flags&f.flag != 0 {
			w.Simple(f.name)
			n++
		}
	}
	w.EndDeferredSet(mark, n)
}

func (s *Spec) writeCategories(w *resp.Writer) {
	w.Set(bits.OnesCount32(uint32(s.acl)))
	for i, name := range &categoryNames {
		if s.acl&(1<<i) != 0 {
			w.Simple("@" + name)
		}
	}
}

// writeKeyFlags writes the names of the flags of a key.
func writeKeyFlags(w *resp.Writer, flags KeyFlags) {
	w.Set(bits.OnesCount16(uint16(flags)))
	for _, f := range &keyFlagNames {
		if flags&f.flag != 0 {
			w.Simple(f.name)
		}
	}
}

func (k *KeySpec) writeInfo(w *resp.Writer) {
	if k.note != "" {
		w.Map(4)
		w.BulkString("notes")
		w.BulkString(k.note)
	} else {
		w.Map(3)
	}
	w.BulkString("flags")
	writeKeyFlags(w, k.flags)

	w.BulkString("begin_search")
	w.Map(2)
	w.BulkString("type")
	switch k.begin {
	case beginIndex:
		w.BulkString("index")
		w.BulkString("spec")
		w.Map(1)
		writeIntField(w, "index", k.pos)
	case beginKeyword:
		w.BulkString("keyword")
		w.BulkString("spec")
		w.Map(2)
		w.BulkString("keyword")
		w.BulkString(k.keyword)
		writeIntField(w, "startfrom", k.pos)
	default:
		writeUnknown(w)
	}

	w.BulkString("find_keys")
	w.Map(2)
	w.BulkString("type")
	switch k.find {
	case findRange:
		w.BulkString("range")
		w.BulkString("spec")
		w.Map(3)
		writeIntField(w, "lastkey", k.last)
		writeIntField(w, "keystep", k.step)
		writeIntField(w, "limit", k.limit)
	case findKeyNum:
		w.BulkString("keynum")
		w.BulkString("spec")
		w.Map(3)
		writeIntField(w, "keynumidx", 0)
		writeIntField(w, "firstkey", k.first)
		writeIntField(w, "keystep", k.step)
	default:
		writeUnknown(w)
	}
}

func writeIntField(w *resp.Writer, name string, n int) {
	w.BulkString(name)
	w.Int(int64(n))
}

func writeUnknown(w *resp.Writer) {
	w.BulkString("unknown")
	w.BulkString("spec")
	w.Map(0)
}

// writeDocs writes what COMMAND DOCS says about s.
func (s *Spec) writeDocs(w *resp.Writer) {
	mark, n := w.StartDeferred(), 0
	text := func(name, value string) {
		if value != "" {
			w.BulkString(name)
			w.BulkString(value)
			n++
		}
	}
	text("summary", s.Summary)
	text("since", s.Since)
	text("group", string(s.Group))
	text("complexity", s.Complexity)
	if s.DeprecatedSince != "" || s.SysCmd {
		w.BulkString("doc_flags")
		flags, size := w.StartDeferred(), 0
		if s.DeprecatedSince != "" {
			w.Simple("deprecated")
			size++
		}
		if s.SysCmd {
			w.Simple("syscmd")
			size++
		}
		w.EndDeferredSet(flags, size)
		n++
	}
	text("deprecated_since", s.DeprecatedSince)
	text("replaced_by", s.ReplacedBy)
	if len(s.History) > 0 {
		w.BulkString("history")
		w.Set(len(s.History))
		for _, h := range s.History {
			w.Array(2)
			w.BulkString(h[0])
			w.BulkString(h[1])
		}
		n++
	}
	if len(s.arguments) > 0 {
		w.BulkString("arguments")
		writeArguments(w, s.arguments)
		n++
	}
	if len(s.Subcommands) > 0 {
		w.BulkString("subcommands")
		w.Map(len(s.Subcommands))
		for _, sub := range s.Subcommands {
			w.BulkString(sub.FullName)
			sub.writeDocs(w)
		}
		n++
	}
	w.EndDeferredMap(mark, n)
}

func writeArguments(w *resp.Writer, args []Argument) {
	w.Array(len(args))
	for i := range args {
		args[i].write(w)
	}
}

func (a *Argument) write(w *resp.Writer) {
	mark, n := w.StartDeferred(), 0
	text := func(name, value string) {
		w.BulkString(name)
		w.BulkString(value)
		n++
	}
	text("name", a.Name)
	text("type", string(a.Type))
	if a.Display != "" {
		text("display_text", a.Display)
	}
	if a.KeySpec >= 0 {
		writeIntField(w, "key_spec_index", a.KeySpec)
		n++
	}
	if a.HasToken() {
		text("token", a.Token)
	}
	if a.Since != "" {
		text("since", a.Since)
	}
	if a.DeprecatedSince != "" {
		text("deprecated_since", a.DeprecatedSince)
	}
	if a.Optional || a.Multiple {
		w.BulkString("flags")
		flags, size := w.StartDeferred(), 0
		for _, f := range [...]struct {
			set  bool
			name string
		}{{a.Optional, "optional"}, {a.Multiple, "multiple"}, {a.MultipleToken, "multiple_token"}} {
			if f.set {
				w.Simple(f.name)
				size++
			}
		}
		w.EndDeferredSet(flags, size)
		n++
	}
	if len(a.Args) > 0 {
		w.BulkString("arguments")
		writeArguments(w, a.Args)
		n++
	}
	w.EndDeferredMap(mark, n)
}

// HelpCommand is the handler of every container's HELP.
func HelpCommand(c *Ctx) {
	container := c.Spec.Container
	name := strings.ToUpper(container.Name)
	c.Reply.Array(len(container.Help) + 3)
	c.Reply.Simple(name + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
	for _, line := range container.Help {
		c.Reply.Simple(line)
	}
	c.Reply.Simple("HELP")
	c.Reply.Simple("    Print this help.")
}
