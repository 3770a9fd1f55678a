package actors

import (
	"strings"

	"github.com/troupe-db/troupe/datatypes/command"
)

// SHUTDOWN stops the server. When it does, there is no reply: the connection ends with the server.
var shutdownSpec = command.Spec{
	Name: "shutdown", Group: command.GroupServer, Since: "1.0.0", Arity: -1,
	Summary:    "Saves the data, where that is configured, and stops the server.",
	Complexity: "O(N) where N is the number of keys to save, O(1) when nothing is saved",
	History:    [][2]string{{"7.0.0", "NOW, FORCE and ABORT."}},
	Flags: command.Admin | command.NoScript | command.Loading | command.Stale | command.NoMulti |
		command.AllowBusy,
	Syntax: "[save-selector:<NOSAVE|SAVE>] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]",
	Scope:  command.ScopeServer,
	Run:    shutdownCommand,
}

func shutdownCommand(c *command.Ctx) {
	var save, nosave, hurry, abort bool
	for _, word := range c.Args[1:] {
		switch strings.ToLower(string(word)) {
		case "save":
			save = true
		case "nosave":
			nosave = true
		case "now", "force": // there are no replicas to wait for
			hurry = true
		case "abort":
			abort = true
		default:
			c.Reply.Error(command.MsgSyntax)
			return
		}
	}
	if save && nosave || abort && (save || nosave || hurry) {
		c.Reply.Error(command.MsgSyntax)
		return
	}
	if abort {
		// A stop that has begun waits for nothing that it could be called off from.
		c.Reply.Error("ERR No shutdown in progress.")
		return
	}
	s := session(c)
	if s.sys.shutdown.stop == nil {
		s.sys.log.Warn("SHUTDOWN refused: whoever started the server has not said how to stop it")
		c.Reply.Error("ERR Errors trying to SHUTDOWN. Check logs.")
		return
	}
	s.sys.log.Warn("SHUTDOWN requested", "client", s.id, "addr", s.info.Remote)
	s.sys.requestStop(save || !nosave && len(s.sys.cfg.Load().Save) > 0)
	s.deaf = true
	s.batch.cutShort()
}
