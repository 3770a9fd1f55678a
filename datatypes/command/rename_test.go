package command

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRenameCommand(t *testing.T) {
	table := NewTable(sampleSpecs())
	find := func(name string) string {
		if s := table.Lookup([]byte(name)); s != nil {
			return s.Name
		}
		return ""
	}
	long := strings.Repeat("secret-", 10)
	total := len(table.Commands())

	require.NoError(t, table.Rename("GET", "Fetch me"))
	require.NoError(t, table.Rename("set", long))
	require.NoError(t, table.Rename("setex", ""))
	require.Equal(t, "get", find("fetch ME"))
	require.Equal(t, "set", find(strings.ToUpper(long)))
	for _, gone := range []string{"get", "GET", "set", "setex"} {
		require.Empty(t, find(gone), gone)
	}
	require.Equal(t, "eval", find("EVAL"))
	require.Len(t, table.Commands(), total-1, "a command without a name is not counted")

	_, text := table.Resolve([][]byte{[]byte("get"), []byte("k")})
	require.Equal(t, "ERR unknown command 'get', with args beginning with: 'k' ", text)
	_, text = table.Resolve([][]byte{[]byte("fetch me")})
	require.Equal(t, "ERR wrong number of arguments for 'get' command", text, "replies keep the name")

	require.EqualError(t, table.Rename("setex", "x"), "No such command in rename-command")
	require.EqualError(t, table.Rename("nosuch", ""), "No such command in rename-command")
	require.EqualError(t, table.Rename("eval", "XREAD"), "Target command name already exists")
	require.EqualError(t, table.Rename("eval", "fetch me"), "Target command name already exists")

	require.NoError(t, table.Rename("fetch me", "get"), "a renamed command can be renamed")
	require.Equal(t, "get", find("GET"))
	require.Empty(t, find("fetch me"))
	require.NoError(t, table.Rename("get", ""))
	require.Empty(t, find("get"))
	require.Len(t, table.Commands(), total-2)
}
