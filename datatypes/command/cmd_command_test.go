package command

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/netio/resp"
)

type (
	replyArray = []any
	replySet   = resp.Set
	replyMap   = resp.Map
)

func TestCommandInfo(t *testing.T) {
	table := NewTable(sampleSpecs())
	require.Equal(t, replyArray{
		replyArray{
			"get", int64(2), replySet{resp.Status("readonly"), resp.Status("fast")}, int64(1), int64(1), int64(1),
			replySet{resp.Status("@read"), resp.Status("@string"), resp.Status("@fast")}, replySet{},
			replySet{replyMap{
				"flags", replySet{resp.Status("RO"), resp.Status("access")},
				"begin_search", replyMap{"type", "index", "spec", replyMap{"index", int64(1)}},
				"find_keys", replyMap{
					"type", "range", "spec", replyMap{"lastkey", int64(0), "keystep", int64(1), "limit", int64(0)},
				},
			}},
			replySet{},
		},
		nil,
		replyArray{
			"client|list", int64(-2), replySet{resp.Status("admin"), resp.Status("noscript")}, int64(0), int64(0), int64(0),
			replySet{
				resp.Status("@admin"), resp.Status("@slow"), resp.Status("@dangerous"), resp.Status("@connection"),
			},
			replySet{"nondeterministic_output"}, replySet{}, replySet{},
		},
		nil,
	}, tableReply(t, table, 3, "COMMAND", "INFO", "GET", "nosuch", "client|LIST", "get|x"))

	// RESP2 has arrays only.
	require.Equal(t, replyArray{
		replyArray{
			"eval", int64(-3),
			replyArray{
				resp.Status("noscript"), resp.Status("stale"), resp.Status("no_mandatory_keys"), resp.Status("movablekeys"),
			},
			int64(0), int64(0), int64(0), replyArray{resp.Status("@slow"), resp.Status("@scripting")}, replyArray{},
			replyArray{replyArray{
				"notes", "n",
				"flags", replyArray{resp.Status("RW"), resp.Status("access"), resp.Status("update")},
				"begin_search", replyArray{"type", "index", "spec", replyArray{"index", int64(2)}},
				"find_keys", replyArray{
					"type", "keynum", "spec", replyArray{"keynumidx", int64(0), "firstkey", int64(1), "keystep", int64(1)},
				},
			}},
			replyArray{},
		},
		nil,
	}, tableReply(t, table, 2, "COMMAND", "INFO", "eval", "client|x"))

	sort := tableReply(t, table, 3, "COMMAND", "INFO", "sort").(replyArray)[0].(replyArray)
	require.Equal(t, replyMap{
		"flags", replySet{resp.Status("OW"), resp.Status("update")},
		"begin_search", replyMap{"type", "unknown", "spec", replyMap{}},
		"find_keys", replyMap{"type", "unknown", "spec", replyMap{}},
	}, sort[8].(replySet)[2])
	xread := tableReply(t, table, 3, "COMMAND", "INFO", "xread").(replyArray)[0].(replyArray)
	require.Equal(t, replyMap{"type", "keyword", "spec", replyMap{"keyword", "STREAMS", "startfrom", int64(1)}},
		xread[8].(replySet)[0].(replyMap)[3])
}

func TestCommandListsEveryCommand(t *testing.T) {
	table := NewTable(sampleSpecs())
	for _, args := range [][]string{{"COMMAND"}, {"command", "info"}} {
		infos := tableReply(t, table, 2, args...).(replyArray)
		require.Len(t, infos, len(table.Commands()))
		for i, s := range table.Commands() {
			info := infos[i].(replyArray)
			require.Len(t, info, 10)
			require.Equal(t, s.Name, info[0])
			require.Len(t, info[9], len(s.Subcommands))
		}
	}
	require.Equal(t, int64(len(table.Commands())), tableReply(t, table, 2, "COMMAND", "COUNT"))
	require.Len(t, tableReply(t, table, 3, "COMMAND", "DOCS"), 2*len(table.Commands()))
	require.Len(t, tableReply(t, table, 2, "COMMAND", "DOCS"), 2*len(table.Commands()))
}

func TestCommandDocs(t *testing.T) {
	specs := sampleSpecs()
	specs[2].SysCmd = true
	specs[2].History = [][2]string{{"2.6.0", "a"}, {"2.8.0", "b"}}
	table := NewTable(specs)
	require.Equal(t, replyMap{
		"setex", replyMap{
			"summary", "s", "since", "2.0.0", "group", "string", "complexity", "O(1)",
			"doc_flags", replySet{resp.Status("deprecated"), resp.Status("syscmd")},
			"deprecated_since", "2.6.12", "replaced_by", "SET",
			"history", replySet{replyArray{"2.6.0", "a"}, replyArray{"2.8.0", "b"}},
			"arguments", replyArray{
				replyMap{"name", "key", "type", "key", "display_text", "key", "key_spec_index", int64(0)},
				replyMap{"name", "seconds", "type", "integer", "display_text", "seconds"},
				replyMap{"name", "value", "type", "string", "display_text", "value"},
			},
		},
		"client|id", replyMap{"summary", "s", "since", "5.0.0", "group", "connection", "complexity", "O(1)"},
	}, tableReply(t, table, 3, "COMMAND", "DOCS", "setex", "nosuch", "client|id"))

	require.Equal(t, replyArray{
		"client", replyArray{
			"summary", "s", "since", "2.4.0", "group", "connection",
			"subcommands", replyArray{
				"client|help", replyArray{"summary", "s", "since", "5.0.0", "group", "connection", "complexity", "O(1)"},
				"client|id", replyArray{"summary", "s", "since", "5.0.0", "group", "connection", "complexity", "O(1)"},
				"client|list", replyArray{
					"summary", "s", "since", "2.4.0", "group", "connection", "complexity", "O(N)",
					"arguments", replyArray{replyArray{
						"name", "client-id", "type", "integer", "display_text", "client-id", "token", "ID",
						"flags", replyArray{resp.Status("optional"), resp.Status("multiple")},
					}},
				},
			},
		},
	}, tableReply(t, table, 2, "COMMAND", "DOCS", "Client"))
	require.Equal(t, replyMap{}, tableReply(t, table, 3, "COMMAND", "DOCS", "nosuch"))
}

func TestCommandGetKeys(t *testing.T) {
	table := NewTable(sampleSpecs())
	for _, c := range []struct {
		args []string
		want any
	}{
		{[]string{"get", "a"}, replyArray{"a"}},
		{[]string{"SET", "a", "b", "get"}, replyArray{"a"}},
		{[]string{"xread", "streams", "a", "b", "1", "2"}, replyArray{"a", "b"}},
		{[]string{"xread", "count", "1", "streams"}, resp.Error("ERR Invalid arguments specified for command")},
		{[]string{"eval", "s", "0"}, replyArray{}},
		{[]string{"eval", "s", "x", "a"}, replyArray{}},
		{[]string{"eval", "s", "2", "a", "b", "c"}, replyArray{"a", "b"}},
		{[]string{"nosuch", "a"}, resp.Error("ERR Invalid command specified")},
		{[]string{"client", "nosuch"}, resp.Error("ERR Invalid command specified")},
		{[]string{"client|list"}, resp.Error("ERR Invalid command specified")},
		{[]string{"spublish", "a", "b"}, resp.Error("ERR The command has no key arguments")},
		{[]string{"ping"}, resp.Error("ERR The command has no key arguments")},
		{[]string{"client", "list"}, resp.Error("ERR The command has no key arguments")},
		{[]string{"get"}, resp.Error("ERR Invalid number of arguments specified for command")},
		{[]string{"get", "a", "b"}, resp.Error("ERR Invalid number of arguments specified for command")},
	} {
		require.Equal(t, c.want, tableReply(t, table, 2, append([]string{"COMMAND", "GETKEYS"}, c.args...)...), c.args)
	}
	require.Equal(t, resp.Error("ERR wrong number of arguments for 'command|getkeys' command"),
		tableReply(t, table, 2, "COMMAND", "GETKEYS"))

	flags := []string{"COMMAND", "GETKEYSANDFLAGS"}
	require.Equal(t, replyArray{replyArray{"a", replySet{resp.Status("RW"), resp.Status("access"), resp.Status("update")}}},
		tableReply(t, table, 3, append(flags, "set", "a", "b", "GET")...))
	require.Equal(t, replyArray{
		replyArray{"a", replyArray{resp.Status("RO"), resp.Status("access")}},
		replyArray{"b", replyArray{resp.Status("OW"), resp.Status("update")}},
	}, tableReply(t, table, 2, append(flags, "sort", "a", "store", "b")...))
}

func TestCommandList(t *testing.T) {
	table := NewTable(sampleSpecs())
	list := func(args ...string) any {
		return tableReply(t, table, 3, append([]string{"COMMAND", "LIST"}, args...)...)
	}
	all := list().(replyArray)
	require.Len(t, all, len(table.All()))
	require.Contains(t, all, "client|list")
	require.Equal(t, replyArray{"set", "setex"}, list("FILTERBY", "PATTERN", "SE*"))
	require.Equal(t, replyArray{"client|help", "client|id", "client|list"}, list("filterby", "pattern", "client|*"))
	require.Equal(t, replyArray{"eval"}, list("FILTERBY", "aclcat", "SCRIPTING"))
	require.Equal(t, replyArray{}, list("FILTERBY", "ACLCAT", "nosuch"))
	require.Equal(t, replyArray{}, list("FILTERBY", "MODULE", "any"))
	for _, args := range [][]string{
		{"FILTERBY"}, {"FILTERBY", "PATTERN"}, {"FILTERBY", "NAME", "x"}, {"BY", "PATTERN", "x"},
		{"FILTERBY", "PATTERN", "a", "FILTERBY", "PATTERN", "b"},
	} {
		require.Equal(t, resp.Error(MsgSyntax), list(args...), args)
	}
}

func TestHelp(t *testing.T) {
	table := NewTable(sampleSpecs())
	require.Equal(t, replyArray{
		resp.Status("CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"),
		resp.Status("ID"), resp.Status("    Return the ID."),
		resp.Status("HELP"), resp.Status("    Print this help."),
	}, tableReply(t, table, 2, "client", "help"))
	require.Len(t, tableReply(t, table, 2, "command", "help"), len(commandSpec.Help)+3)
}
