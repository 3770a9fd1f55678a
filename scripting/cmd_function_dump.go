package scripting

import (
	"strings"

	"github.com/troupe-db/troupe/datatypes/command"
	"github.com/troupe-db/troupe/durability/rdb"
)

// A dump of functions is, for each library, the byte 245 and the code as a string of the RDB format, followed by the version of that format and a checksum, as
// at the end of the payload of DUMP.
const (
	opFunction     = 245
	dumpVersion    = 12 // of Redis 7.4
	msgBadDump     = "ERR DUMP payload version or checksum are wrong"
	msgBadPolicy   = "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE."
	msgNotFunction = "ERR given type is not a function"
)

// AppendFunctions appends every library in the form of an RDB file: an opcode and the code each.
func (e *Engine) AppendFunctions(dst []byte) []byte {
	for _, lib := range e.libraries.Load().sorted() {
		dst = append(dst, opFunction)
		dst = rdb.AppendString(dst, []byte(lib.code), true)
	}
	return dst
}

// Functions returns the code of every library, by name.
func (e *Engine) Functions() []string {
	var all []string
	for _, lib := range e.libraries.Load().sorted() {
		all = append(all, lib.code)
	}
	return all
}

func (e *Engine) functionDumpCommand(c *command.Ctx) {
	c.Reply.Bulk(rdb.AppendDumpFooter(e.AppendFunctions(nil), dumpVersion))
}

func (e *Engine) functionRestoreCommand(c *command.Ctx) {
	if len(c.Args) > 4 {
		wrongSubcommand(c)
		return
	}
	policy := "APPEND"
	if len(c.Args) == 4 {
		policy = strings.ToUpper(string(c.Args[3]))
	}
	if policy != "FLUSH" && policy != "APPEND" && policy != "REPLACE" {
		c.Reply.Error(msgBadPolicy)
		return
	}
	body, err := rdb.CheckDump(c.Args[2], dumpVersion)
	if err != nil {
		c.Reply.Error(msgBadDump)
		return
	}
	var libs []*library
	for len(body) > 0 {
		if body[0] != opFunction {
			c.Reply.Error(msgNotFunction)
			return
		}
		code, used, err := rdb.ReadString(body[1:])
		if err != nil {
			c.Reply.Error("ERR Failed loading library")
			return
		}
		body = body[1+used:]
		lib, msg := e.newLibrary(string(code), loadLimitUs)
		if msg != "" {
			c.Reply.Error(msg)
			return
		}
		libs = append(libs, lib)
	}
	msg := e.restore(libs, policy)
	if msg != "" {
		c.Reply.Error(msg)
		return
	}
	c.Dirty(1)
	c.Reply.OK()
}

// restore adds libraries that do not know each other.
func (e *Engine) restore(libs []*library, policy string) (err string) {
	fresh := newLibrarySet()
	for _, lib := range libs {
		if err := fresh.add(lib, false); err != "" {
			return err
		}
	}
	return e.changeLibraries(func(s *librarySet) string {
		if policy == "FLUSH" {
			*s = *newLibrarySet()
		}
		// What is replaced goes first: a function may move from one library to another.
		for _, lib := range fresh.sorted() {
			if s.libraries[lib.name] == nil {
				continue
			}
			if policy != "REPLACE" {
				return "ERR Library " + lib.name + " already exists"
			}
			s.remove(lib.name)
		}
		for _, lib := range fresh.sorted() {
			if err := s.add(lib, false); err != "" {
				return err
			}
		}
		return ""
	})
}
