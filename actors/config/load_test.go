package config

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// parse runs Parse in dir, where files are written first.
func parse(t testing.TB, files map[string]string, stdin string, args ...string) (*Config, error) {
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	for i, arg := range args {
		args[i] = strings.ReplaceAll(arg, "$DIR", dir)
	}
	return Parse(args, strings.NewReader(stdin))
}

// What is expected here is what redis-server 7.0.15 did with the same arguments.
func TestParseCommandLine(t *testing.T) {
	files := map[string]string{"f.conf": "port 7000\ntimeout 5\nsave 1 1\nsave 2 2\n"}
	for _, tc := range []struct {
		args  string // separated by |
		stdin string
		want  map[string]string
	}{
		{"", "", map[string]string{"port": "6379", "save": "3600 1 300 100 60 10000"}},
		{"--port|7000|--bind|127.0.0.1|-::1", "", map[string]string{"port": "7000", "bind": "127.0.0.1 -::1"}},
		{"--PORT|7000", "", map[string]string{"port": "7000"}},
		{"--port|7000|--save|", "", map[string]string{"save": ""}},
		{"--save|--port|7000", "", map[string]string{"save": "", "port": "7000"}},
		{"--timeout|3|--save", "", map[string]string{"save": "", "timeout": "3"}},
		{"--save|60|1|--save|300|10", "", map[string]string{"save": "60 1 300 10"}},
		{"--save|60 1 300 10", "", map[string]string{"save": "60 1 300 10"}},
		{"--save|60|1|300|10", "", map[string]string{"save": "60 1 300 10"}},
		{"--port 6380|--tcp-keepalive|6", "", map[string]string{"port": "6380", "tcp-keepalive": "6"}},
		{"--port|1|--port|2", "", map[string]string{"port": "2"}},
		{"|--port|7000", "", map[string]string{"port": "7000"}},
		{"-|--timeout|8", "timeout 7\nport 7001\n", map[string]string{"timeout": "8", "port": "7001"}},
		{"--timeout|8|-", "timeout 7\nport 7001\n", map[string]string{"timeout": "8", "port": "7001"}},
		{"$DIR/f.conf", "", map[string]string{"port": "7000", "timeout": "5", "save": "1 1 2 2"}},
		{"$DIR/f.conf|-", "timeout 9", map[string]string{"port": "7000", "timeout": "9"}},
		{"$DIR/f.conf|--timeout|6", "", map[string]string{"timeout": "6"}},
		{"$DIR/f.conf|timeout|9", "", map[string]string{"timeout": "9"}},
		{"$DIR/f.conf|--save|3|3", "", map[string]string{"save": "1 1 2 2 3 3"}},
		{"$DIR/f.conf|--save|", "", map[string]string{"save": ""}},
		{"--requirepass|a b|--timeout|3", "", map[string]string{"requirepass": "a b", "timeout": "3"}},
		{`--requirepass|"a b"`, "", map[string]string{"requirepass": `"a b"`}},
		{"--requirepass|", "", map[string]string{"requirepass": ""}},
		{"--masterauth|--x|--timeout|1", "", map[string]string{"masterauth": "--x", "timeout": "1"}},
		{"--masterauth|--|--timeout|1", "", map[string]string{"masterauth": "--", "timeout": "1"}},
		{"--masterauth|-|--timeout|1", "", map[string]string{"masterauth": "-", "timeout": "1"}},
		{"--slowlog-log-slower-than|-1", "", map[string]string{"slowlog-log-slower-than": "-1"}},
		{"--shutdown-on-sigterm|save force", "", map[string]string{"shutdown-on-sigterm": "save force"}},
		{"--shutdown-on-sigterm|save|force", "", map[string]string{"shutdown-on-sigterm": "save force"}},
		{"--client-output-buffer-limit|normal 1 1 1|--client-output-buffer-limit|slave|2|2|2", "", map[string]string{"client-output-buffer-limit": "normal 1 1 1 slave 2 2 2 pubsub 33554432 8388608 60"}},
		{"--latency-tracking-info-percentiles|1|2|3", "", map[string]string{"latency-tracking-info-percentiles": "1 2 3"}},
		{"--oom-score-adj-values|1|2|3", "", map[string]string{"oom-score-adj-values": "1 2 3"}},
		{"--replicaof|127.0.0.1|1", "", map[string]string{"slaveof": "127.0.0.1 1"}},
		{"--replicaof|127.0.0.1 1", "", map[string]string{"replicaof": "127.0.0.1 1"}},
		{"--slave-priority|2", "", map[string]string{"replica-priority": "2"}},
		{"--unixsocketperm|770", "", map[string]string{"unixsocketperm": "770"}},
		{"--hz|0", "", map[string]string{"hz": "1"}},
		{"--hz|1000", "", map[string]string{"hz": "500"}},
		{"--notify-keyspace-events|KEA", "", map[string]string{"notify-keyspace-events": "AKE"}},
		{"--shards|4|--event-loops|2|--rdb-version|11", "", map[string]string{"shards": "4", "event-loops": "2", "rdb-version": "11"}},
	} {
		t.Run(tc.args, func(t *testing.T) {
			var args []string
			if tc.args != "" {
				args = strings.Split(tc.args, "|")
			}
			c, err := parse(t, files, tc.stdin, args...)
			require.NoError(t, err)
			for name, want := range tc.want {
				require.Equal(t, want, get(t, c, name), name)
			}
		})
	}
}

func TestParseCommandLineErrors(t *testing.T) {
	for _, tc := range []struct {
		args string
		want Error
	}{
		{"--port", Error{Line: 1, Text: "port", Reason: "wrong number of arguments"}},
		{"--port|1|2", Error{Line: 1, Text: `port "1" "2"`, Reason: "wrong number of arguments"}},
		{"--timeout|3|--port|x", Error{Line: 2, Text: `port "x"`, Reason: "argument couldn't be parsed into an integer"}},
		{"--port|", Error{Line: 1, Text: `port ""`, Reason: "argument couldn't be parsed into an integer"}},
		{"--port=7000", Error{Line: 1, Text: "port=7000", Reason: msgBadDirective}},
		{"--foo|bar", Error{Line: 1, Text: `foo "bar"`, Reason: msgBadDirective}},
		{"--port 7000 --save 60 1", Error{Line: 1, Text: "port 7000 --save 60 1", Reason: "wrong number of arguments"}},
		{"--save|60 1|300 10", Error{Line: 1, Text: `save "60 1" "300 10"`, Reason: "Invalid save parameters"}},
		{"--timeout|6|f.conf", Error{Line: 1, Text: `timeout "6" "f.conf"`, Reason: "wrong number of arguments"}},
		{"--requirepass|--timeout|3", Error{Line: 1, Text: `requirepass "--timeout" "3"`, Reason: "wrong number of arguments"}},
		{"--timeout|3|--requirepass", Error{Line: 2, Text: "requirepass", Reason: "wrong number of arguments"}},
		{"--port|7000|-v", Error{Line: 1, Text: `port "7000" "-v"`, Reason: "wrong number of arguments"}},
		{"-x", Error{Line: 1, Text: `"-x"`, Reason: msgBadDirective}},
		{"-|-|--port|1", Error{Line: 1, Text: `"-"`, Reason: msgBadDirective}},
		{"--timeout|-3", Error{Line: 1, Text: `timeout "-3"`, Reason: "argument must be between 0 and 2147483647 inclusive"}},
		{"--unixsocketperm|9", Error{Line: 1, Text: `unixsocketperm "9"`, Reason: "argument couldn't be parsed as an octal number"}},
		{"--unixsocketperm|1000", Error{Line: 1, Text: `unixsocketperm "1000"`, Reason: "argument must be between 0 and 777 inclusive"}},
		{"--databases|0", Error{Line: 1, Text: `databases "0"`, Reason: "argument must be between 1 and 2147483647 inclusive"}},
		{"--dir|/nonexistent", Error{Line: 1, Text: `dir "/nonexistent"`, Reason: "No such file or directory"}},
		{"--loadmodule|/x.so|arg", Error{Line: 1, Text: `loadmodule "/x.so" "arg"`, Reason: "modules are not supported"}},
		{"--rdb-version|9", Error{Line: 1, Text: `rdb-version "9"`, Reason: "argument must be between 10 and 12 inclusive"}},
		{"/nonexistent.conf", Error{File: "/nonexistent.conf", Reason: "No such file or directory"}},
		{"--cluster-enabled|yes|--replicaof|h|1", Error{Reason: "replicaof directive not allowed in cluster mode"}},
	} {
		t.Run(tc.args, func(t *testing.T) {
			_, err := parse(t, nil, "", strings.Split(tc.args, "|")...)
			var bad *Error
			require.ErrorAs(t, err, &bad)
			require.Equal(t, tc.want, *bad)
		})
	}
}

func TestParseFile(t *testing.T) {
	for _, tc := range []struct{ name, text, param, want string }{
		{"empty", "", "port", "6379"},
		{"no newline at the end", "timeout 3", "timeout", "3"},
		{"spaces, tabs, case, CRLF", "  TIMEOUT\t 3 \r\n   # c\r\n\r\n\t\n", "timeout", "3"},
		{"byte order mark", "\ufefftimeout 3\n", "timeout", "3"},
		{"quoted name", `"timeout" 3`, "timeout", "3"},
		{"the last one wins", "timeout 3\ntimeout 4", "timeout", "4"},
		{"escapes", `masterauth "a\x41\t\q\xZZ\\\""`, "masterauth", "aA\tqxZZ\\\""},
		{"single quotes", `masterauth 'a\'b\n'`, "masterauth", `a'b\n`},
		{"quotes inside of a word", `masterauth a"b c"`, "masterauth", "ab c"},
		{"a hash is no comment inside of a line", `masterauth a#b`, "masterauth", "a#b"},
		{"save adds up", "save 1 1\nsave 2 2", "save", "1 1 2 2"},
		{"save with points in one line", "save 1 1 2 2", "save", "1 1 2 2"},
		{"empty save starts over", "save 1 1\nsave \"\"\nsave 2 2", "save", "2 2"},
		{"bare save", "save", "save", ""},
		{"bare save after others", "save 1 1\nsave", "save", "1 1"},
		{"bind", "bind 127.0.0.1 -::1", "bind", "127.0.0.1 -::1"},
		{"bind in one word", `bind "127.0.0.1 ::1"`, "bind", "127.0.0.1 ::1"},
		{"bind to nothing", "bind", "bind", ""},
		{"one class per line", "client-output-buffer-limit slave 1mb 2mb 3\nclient-output-buffer-limit normal 1 2 3", "client-output-buffer-limit", "normal 1 2 3 slave 1048576 2097152 3 pubsub 33554432 8388608 60"},
		{"no class", "client-output-buffer-limit", "client-output-buffer-limit", "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"},
		{"no percentiles", "latency-tracking-info-percentiles", "latency-tracking-info-percentiles", ""},
		{"no percentiles, quoted", `latency-tracking-info-percentiles ""`, "latency-tracking-info-percentiles", ""},
		{"percentiles in one word", `latency-tracking-info-percentiles "1 2"`, "latency-tracking-info-percentiles", "1 2"},
		{"flags as words", "shutdown-on-sigterm save now", "shutdown-on-sigterm", "save now"},
		{"no master", "slaveof no one", "replicaof", ""},
		{"master port 0", "replicaof h 0", "replicaof", "h 0"},
		{"octal", "unixsocketperm 0700", "unixsocketperm", "700"},
		{"octal, empty", `unixsocketperm ""`, "unixsocketperm", "0"},
		{"old directives", "list-max-ziplist-entries 3\nlua-replicate-commands no\nlist-max-ziplist-value 64\ntimeout 3", "timeout", "3"},
		{"title", `proc-title-template "{port}"`, "proc-title-template", "{port}"},
		{"title with braces", `proc-title-template "{{x {title} }"`, "proc-title-template", "{{x {title} }"},
		{"locale", "locale-collate C", "locale-collate", "C"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := parse(t, map[string]string{"f.conf": tc.text}, "", "$DIR/f.conf")
			require.NoError(t, err)
			require.Equal(t, tc.want, get(t, c, tc.param))
		})
	}
}

func TestParseFileErrors(t *testing.T) {
	for line, reason := range map[string]string{
		`masterauth "a b`:                        msgUnbalanced,
		`masterauth a"b c"d`:                     msgUnbalanced,
		`masterauth "a"b`:                        msgUnbalanced,
		`masterauth 'a`:                          msgUnbalanced,
		`masterauth "a" # c`:                     "wrong number of arguments",
		`"" 5`:                                   msgBadDirective,
		`foo.bar 1`:                              msgBadDirective,
		`include`:                                msgBadDirective,
		`include a b`:                            msgBadDirective,
		`rename-command a`:                       msgBadDirective,
		`loadmodule`:                             msgBadDirective,
		`list-max-ziplist-entries`:               msgBadDirective,
		`loadmodule /x.so`:                       "modules are not supported",
		`user alice on`:                          "users are not supported here: put them in the file that aclfile names",
		`sentinel monitor x`:                     "sentinel directive while not in sentinel mode",
		`save 1`:                                 "Invalid save parameters",
		`save 0 1`:                               "Invalid save parameters",
		`save 1 99999999999`:                     "Invalid save parameters",
		`appendfilename a/b`:                     "appendfilename can't be a path, just a filename",
		`appendfilename ""`:                      "appendfilename can't be empty",
		`appenddirname a/b`:                      "appenddirname can't be a path, just a dirname",
		`appenddirname ""`:                       "appenddirname can't be empty",
		`dbfilename a/b`:                         "dbfilename can't be a path, just a filename",
		`replicaof h x`:                          "Invalid master port",
		`replicaof h 70000`:                      "Invalid master port",
		`replicaof ""`:                           "wrong number of arguments",
		`replicaof`:                              "wrong number of arguments",
		`timeout`:                                "wrong number of arguments",
		`timeout 1 2`:                            "wrong number of arguments",
		`timeout ""`:                             "argument couldn't be parsed into an integer",
		`notify-keyspace-events K E`:             "wrong number of arguments",
		`maxmemory-policy allkeys-lru ""`:        "wrong number of arguments",
		`client-output-buffer-limit ""`:          "Wrong number of arguments in buffer limit configuration.",
		`client-output-buffer-limit x 1 1 1`:     "Invalid client class specified in buffer limit configuration.",
		`oom-score-adj-values`:                   "wrong number of arguments",
		`shutdown-on-sigterm`:                    "argument(s) must be one of the following: default, save, nosave, now, force",
		`supervised foo`:                         "argument(s) must be one of the following: upstart, systemd, auto, no",
		`daemonize foo`:                          "argument must be 'yes' or 'no'",
		`unixsocketperm -1`:                      "argument must be between 0 and 777 inclusive",
		`unixsocketperm 778`:                     "argument couldn't be parsed as an octal number",
		`dir ""`:                                 "No such file or directory",
		`proc-title-template "a{"`:               "template format is invalid or contains unknown variables",
		`proc-title-template "{}"`:               "template format is invalid or contains unknown variables",
		`proc-title-template " "`:                "template format is invalid or contains unknown variables",
		`proc-title-template "{server-mode}"`:    "template format is invalid or contains unknown variables",
		`cluster-announce-hostname a_b`:          "Hostnames may only contain alphanumeric characters, hyphens or dots",
		`cluster-announce-human-nodename a\b`:    "Announced human node name contained invalid character",
		`locale-collate tr_TR.UTF-8`:             "Invalid locale name",
		`bind 1 2 3 4 5 6 7 8 9 0 a b c d e f g`: "Too many bind addresses specified.",
	} {
		t.Run(line, func(t *testing.T) {
			_, err := parse(t, map[string]string{"f.conf": "# first\n\n  " + line + " \r\ntimeout 1\n"}, "", "$DIR/f.conf")
			var bad *Error
			require.ErrorAs(t, err, &bad)
			require.Equal(t, "f.conf", filepath.Base(bad.File))
			require.Equal(t, Error{File: bad.File, Line: 3, Text: line, Reason: reason}, *bad)
		})
	}
	long := strings.Repeat("a", 256)
	_, err := parse(t, nil, "cluster-announce-hostname "+long, "-")
	require.ErrorContains(t, err, "Hostnames must be less than 256 characters")
}

func TestErrorText(t *testing.T) {
	require.Equal(t, "*** FATAL CONFIG FILE ERROR (Troupe) ***\n"+
		"Reading the configuration file, at line 3 of /etc/troupe.conf\n>>> 'foo bar'\nBad directive or wrong number of arguments",
		(&Error{"/etc/troupe.conf", 3, "foo bar", msgBadDirective}).Error())
	require.Equal(t, "*** FATAL CONFIG FILE ERROR (Troupe) ***\nReading the command line, at option 2\n>>> 'port \"x\"'\nargument couldn't be parsed into an integer",
		(&Error{"", 2, `port "x"`, errInteger.Error()}).Error())
	require.Equal(t, "*** FATAL CONFIG FILE ERROR (Troupe) ***\nreplicaof directive not allowed in cluster mode",
		(&Error{Reason: "replicaof directive not allowed in cluster mode"}).Error())
	require.Equal(t, "Fatal error, can't open config file '/x': No such file or directory",
		(&Error{File: "/x", Reason: "No such file or directory"}).Error())
	_, err := Parse([]string{"-"}, strings.NewReader("timeout x"))
	require.ErrorContains(t, err, "at line 1 of standard input")
	_, err = Parse([]string{"-"}, iotest.ErrReader(io.ErrClosedPipe))
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestInclude(t *testing.T) {
	files := map[string]string{
		"main.conf": "timeout 1\ndir \"$DIR\"\ninclude a.conf\ninclude inc-*.conf\ninclude nosuch-*.conf\nhz 20\n",
		"a.conf":    "timeout 2\nhz 30\n", "inc-1.conf": "tcp-keepalive 1\n", "inc-2.conf": "tcp-keepalive 2\n",
		"loop.conf":    "dir \"$DIR\"\ninclude loop.conf\n",
		"missing.conf": "dir \"$DIR\"\ninclude nosuch.conf\n",
		"bad.conf":     "dir \"$DIR\"\ninclude worse.conf\n", "worse.conf": "\n\nfoo\n",
		"pattern.conf": "include [\n",
	}
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, "$DIR", dir)), 0o644))
	}
	c, err := Parse([]string{filepath.Join(dir, "main.conf")}, nil)
	require.NoError(t, err)
	require.Equal(t, 2, c.Load().TimeoutSec)
	require.Equal(t, 20, c.Load().Hz)
	require.Equal(t, 2, c.Load().TCPKeepaliveSec)

	for file, want := range map[string]Error{
		"loop.conf":    {File: dir + "/loop.conf", Line: 2, Text: "include loop.conf", Reason: "more than 16 files include each other"},
		"missing.conf": {File: dir + "/nosuch.conf", Reason: "No such file or directory"},
		"bad.conf":     {File: dir + "/worse.conf", Line: 3, Text: "foo", Reason: msgBadDirective},
		"pattern.conf": {File: dir + "/pattern.conf", Line: 1, Text: "include [", Reason: "Bad pattern"},
	} {
		_, err := Parse([]string{filepath.Join(dir, file)}, nil)
		var bad *Error
		require.True(t, errors.As(err, &bad), file)
		require.Equal(t, want, *bad)
	}
}

func TestFileNameAndRelativeDir(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(dir+"/a/b", 0o755))
	require.NoError(t, os.WriteFile(dir+"/f.conf", []byte("dir a\ndir b\n"), 0o644))
	t.Chdir(dir)
	c, err := Parse([]string{"f.conf"}, nil)
	require.NoError(t, err)
	require.Equal(t, dir+"/f.conf", c.File())
	require.Equal(t, dir+"/a/b", c.Load().Dir)
}

func TestRenames(t *testing.T) {
	c, err := Parse([]string{"-", "--rename-command", "flushall", ""}, strings.NewReader("\nrename-command GET \"my get\"\n"))
	require.NoError(t, err)
	renames := c.Renames()
	require.Len(t, renames, 2)
	require.Equal(t, []string{"GET", "my get"}, renames[0].Args)
	require.Equal(t, []string{"flushall", ""}, renames[1].Args)
	require.Equal(t, &Error{StdinName, 2, `rename-command GET "my get"`, "No such command in rename-command"},
		renames[0].Err("No such command in rename-command"))
}

func TestQuoteArgIsReadBack(t *testing.T) {
	for _, s := range []string{"", "a b", `"`, `\`, "\n\r\t\b\a\x00\xff", "'", "#", "é"} {
		words, ok := splitArgs(quoteArg(s))
		require.True(t, ok)
		require.Equal(t, []string{s}, words)
	}
	words, ok := splitArgs(" \t\v\f ")
	require.True(t, ok)
	require.Empty(t, words)
	_, ok = splitArgs(`"a\`)
	require.False(t, ok)
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"port 7000\n", "save 1 1\nsave \"\"\n", "bind 127.0.0.1 -::1\n", `masterauth "a\x41\n"`, "masterauth 'a\\'b'\n",
		"client-output-buffer-limit slave 1mb 2mb 3\n", "maxmemory-clients 5%\n", "unixsocketperm 770\n", "replicaof h 1\n",
		"latency-tracking-info-percentiles 50 99.9 0x10\n", "notify-keyspace-events KEAn\n", "shutdown-on-sigint now force\n",
		"oom-score-adj-values 1 2 3\noom-score-adj relative\n", "rename-command GET \"\"\n", "maxmemory 18446744073709551615\n",
		"proc-title-template \"{title} {{\"\n", "locale-collate C\n", "\"unbalanced", "save", "bind",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(strings.ToLower(text), "include") || strings.Contains(strings.ToLower(text), "dir") {
			t.Skip("would look at files of this machine")
		}
		c, err := Parse([]string{"-"}, strings.NewReader(text))
		if err != nil {
			var bad *Error
			require.ErrorAs(t, err, &bad)
			require.NotEmpty(t, bad.Reason)
			return
		}
		// All that was accepted survives being written and read again.
		file := filepath.Join(t.TempDir(), "f.conf")
		require.NoError(t, os.WriteFile(file, nil, 0o644))
		c.file = file
		require.NoError(t, c.RewriteAll())
		again, err := Parse([]string{file}, nil)
		require.NoError(t, err)
		for _, p := range parameters {
			require.True(t, same(p, c.Load(), again.Load()), p.name)
		}
	})
}
