package config

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func newConfig(t testing.TB) *Config {
	c, err := New()
	require.NoError(t, err)
	return c
}

// get returns the value of one parameter as CONFIG GET prints it.
func get(t testing.TB, c *Config, name string) string {
	pair := c.Get(name)
	require.Len(t, pair, 2, name)
	return pair[1]
}

func set(c *Config, pairs ...string) error {
	var list [][2]string
	for pair := range slices.Chunk(pairs, 2) {
		list = append(list, [2]string(pair))
	}
	return c.Set(list)
}

// ours are the parameters that Redis does not have.
var ours = []string{"event-loops", "rdb-version", "shards"}

func TestNamesAreThoseOfRedis74(t *testing.T) {
	text, err := os.ReadFile("testdata/names-7.4.txt")
	require.NoError(t, err)
	want := append(strings.Fields(string(text)), ours...)
	slices.Sort(want)
	var got []string
	for name, e := range names {
		if e.param.flags&hidden == 0 {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	require.Equal(t, want, got)
}

func TestTableIsComplete(t *testing.T) {
	for _, p := range parameters {
		require.NotEmpty(t, p.doc, p.name)
		// What is printed reads back as itself, in CONFIG SET and in a file.
		v := defaults()
		cur := v.all[p.index]
		if p.flags&addsUp != 0 {
			cur = nil
		}
		val, err := p.codec.parse(p.split(v.text(p)), cur)
		if p.name != "replicaof" { // prints nothing for none
			require.NoError(t, err, p.name)
			require.Equal(t, v.text(p), p.codec.format(val), p.name)
		}
	}
	for _, info := range Parameters() {
		require.NotEmpty(t, info.Name)
	}
	require.True(t, Sensitive("RequirePass"))
	require.False(t, Sensitive("port"))
	require.False(t, Sensitive("nosuch"))
}

func TestTypedDefaults(t *testing.T) {
	v := newConfig(t).Load()
	wd, err := os.Getwd()
	require.NoError(t, err)
	require.Equal(t, wd, v.Dir)
	require.Equal(t, 6379, v.Port)
	require.Equal(t, []string{"*", "-::*"}, v.Bind)
	require.Equal(t, []SavePoint{{3600, 1}, {300, 100}, {60, 10000}}, v.Save)
	require.Equal(t, OutputLimit{256 << 20, 64 << 20, 60}, v.OutputLimits[OutputReplica])
	require.Equal(t, int64(512<<20), v.ProtoMaxBulkLen)
	require.Equal(t, "noeviction", v.MaxMemoryPolicy)
	require.Equal(t, 7, v.MaxMemoryPolicyIndex)
	require.Equal(t, []float64{50, 99, 99.9}, v.LatencyTrackingPercentiles)
	require.Equal(t, [3]int{0, 200, 800}, v.OOMScoreAdjValues)
	require.Equal(t, 12, v.RDBVersion)
	require.Zero(t, v.ReplicaOf)
	require.True(t, v.ProtectedMode)
	require.False(t, v.AppendOnly)
	require.Equal(t, wd+"/dump.rdb", v.Path(v.DBFilename))
	require.Equal(t, "/x", v.Path("/x"))
	text, ok := v.Text("SLAVE-PRIORITY")
	require.True(t, ok)
	require.Equal(t, "100", text)
	_, ok = v.Text("nosuch")
	require.False(t, ok)
}

func TestGet(t *testing.T) {
	c := newConfig(t)
	require.Equal(t, []string{"timeout", "0"}, c.Get("timeout"))
	require.Equal(t, []string{"TimeOut", "0"}, c.Get("TimeOut", "tim*", "timeout"))
	require.Equal(t, []string{"repl-timeout", "60", "timeout", "0"}, c.Get("[T]imeout", "timeout", "re?l-timeout"))
	require.Equal(t, []string{"SLAVE-priority", "100"}, c.Get("SLAVE-priority"))
	require.Equal(t, []string{"replica-priority", "100", "slave-priority", "100"}, c.Get("*PRIORITY"))
	require.Empty(t, c.Get("nosuch", "nosuch*", ""))
	require.Empty(t, c.Get("rdb-key-save-*"))
	require.Equal(t, []string{"rdb-key-save-delay", "0"}, c.Get("rdb-key-save-delay"))
	require.Len(t, c.Get("*"), 2*len(slices.DeleteFunc(Parameters(), func(i Info) bool { return i.Hidden }))+2*aliases())
}

func aliases() (n int) {
	for _, p := range parameters {
		if p.alias != "" {
			n++
		}
	}
	return n
}

func TestSetErrors(t *testing.T) {
	for _, tc := range []struct {
		pairs []string
		want  string
	}{
		{[]string{"foo", "bar"}, "ERR Unknown option or number of arguments for CONFIG SET - 'foo'"},
		{[]string{"timeout", "7", "nosuch", "1"}, "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"},
		{[]string{"include", "x"}, "ERR Unknown option or number of arguments for CONFIG SET - 'include'"},
		{[]string{"timeout", "7", "port", "x"}, "ERR CONFIG SET failed (possibly related to argument 'port') - argument couldn't be parsed into an integer"},
		{[]string{"timeout", "x", "daemonize", "yes"}, "ERR CONFIG SET failed (possibly related to argument 'daemonize') - can't set immutable config"},
		{[]string{"timeout", "7", "TIMEOUT", "8"}, "ERR CONFIG SET failed (possibly related to argument 'TIMEOUT') - duplicate parameter"},
		{[]string{"dir", "/"}, "ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected config"},
		{[]string{"dbfilename", "x"}, "ERR CONFIG SET failed (possibly related to argument 'dbfilename') - can't set protected config"},
		{[]string{"maxmemory", "foo"}, "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value"},
		{[]string{"maxmemory", "17179869184gb"}, "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value"},
	} {
		c := newConfig(t)
		before := c.Load()
		require.EqualError(t, set(c, tc.pairs...), tc.want)
		require.Same(t, before, c.Load(), "all or nothing")
	}
}

func TestSetThroughAlias(t *testing.T) {
	c := newConfig(t)
	require.NoError(t, set(c, "slave-priority", "7", "replica-priority", "8"))
	require.Equal(t, 8, c.Load().ReplicaPriority)
	require.EqualError(t, set(c, "slave-priority", "x"),
		"ERR CONFIG SET failed (possibly related to argument 'slave-priority') - argument couldn't be parsed into an integer")
}

func TestProtectedParameters(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct {
		mode  string
		local bool
		ok    bool
	}{{"no", true, false}, {"local", false, false}, {"local", true, true}, {"yes", false, true}} {
		c := newConfig(t)
		require.NoError(t, c.Assign("enable-protected-configs", tc.mode))
		err := c.SetWith(SetOptions{Local: tc.local}, [][2]string{{"dir", dir}})
		require.Equal(t, tc.ok, err == nil, tc)
		require.Equal(t, tc.ok, c.Load().Dir == dir)
	}
	c := newConfig(t)
	require.NoError(t, c.Assign("enable-protected-configs", "yes"))
	require.NoError(t, os.Mkdir(dir+"/sub", 0o755))
	require.NoError(t, os.WriteFile(dir+"/file", nil, 0o644))
	require.NoError(t, set(c, "dir", dir))
	require.NoError(t, set(c, "dir", "sub"))
	require.Equal(t, dir+"/sub", c.Load().Dir)
	require.ErrorContains(t, set(c, "dir", "nosuch"), "'dir') - No such file or directory")
	require.ErrorContains(t, set(c, "dir", ""), "'dir') - No such file or directory")
	require.ErrorContains(t, set(c, "dir", dir+"/file"), "'dir') - Not a directory")
	require.Error(t, c.SetWith(SetOptions{Loading: true}, [][2]string{{"appendonly", "yes"}}))
	require.NoError(t, c.SetWith(SetOptions{Loading: true}, [][2]string{{"timeout", "1"}}))
}

func TestApply(t *testing.T) {
	c := newConfig(t)
	var calls []string
	c.OnApply("port", func(old, new *Values) error {
		require.Same(t, old, c.Load(), "the new values are not published yet")
		calls = append(calls, "listen")
		return nil
	}, "bind", "tls-port")
	c.OnApply("maxmemory", func(_, new *Values) error {
		calls = append(calls, "maxmemory")
		if new.MaxMemory == 13 {
			return errors.New("unlucky")
		}
		return nil
	})
	c.OnChange(func(old, new *Values) {
		require.Same(t, new, c.Load())
		calls = append(calls, "changed")
	})

	require.NoError(t, set(c, "bind", "127.0.0.1", "port", "7000", "maxmemory", "1mb"))
	require.Equal(t, []string{"listen", "maxmemory", "changed"}, calls)

	calls = nil
	require.NoError(t, set(c, "port", "7000", "timeout", "3"))
	require.Equal(t, []string{"changed"}, calls, "what did not change is not applied")
	require.Panics(t, func() { c.OnApply("nosuch", nil) })

	// A certificate is renewed by naming its file again.
	reads := 0
	c.OnApply("tls-cert-file", func(_, _ *Values) error { reads++; return nil }, "tls-key-file")
	require.NoError(t, set(c, "tls-cert-file", "a.pem"))
	require.NoError(t, set(c, "tls-key-file", "a.key", "tls-cert-file", "a.pem"))
	require.Equal(t, 2, reads)
}

func TestApplyFailureRollsBack(t *testing.T) {
	c := newConfig(t)
	port := c.Load().Port
	c.OnApply("port", func(_, new *Values) error { port = new.Port; return nil })
	c.OnApply("maxmemory", func(_, new *Values) error {
		if new.MaxMemory == 13 {
			return errors.New("unlucky")
		}
		return errors.New("")
	})
	before := c.Load()
	require.EqualError(t, set(c, "port", "7000", "maxmemory", "13"),
		"ERR CONFIG SET failed (possibly related to argument 'maxmemory') - unlucky")
	require.Same(t, before, c.Load())
	require.Equal(t, 6379, port)
	require.EqualError(t, set(c, "maxmemory", "14"), "ERR CONFIG SET failed (possibly related to argument 'maxmemory')")
}

func TestAssign(t *testing.T) {
	c := newConfig(t)
	require.NoError(t, c.Assign("databases", "3"))
	require.Equal(t, 3, c.Load().Databases)
	require.NoError(t, c.Assign("replicaof", "10.0.0.1 6379"))
	require.Equal(t, ReplicaOf{"10.0.0.1", 6379}, c.Load().ReplicaOf)
	require.Equal(t, "10.0.0.1 6379", get(t, c, "slaveof"))
	require.NoError(t, c.Assign("slaveof", "no one"))
	require.Equal(t, "", get(t, c, "replicaof"))
	require.NoError(t, c.Assign("save", "5 6"))
	require.Equal(t, []SavePoint{{5, 6}}, c.Load().Save)
	require.Error(t, c.Assign("databases", "0"))
	require.Error(t, c.Assign("nosuch", "0"))
}

func TestEarlierValuesStayAsTheyWere(t *testing.T) {
	c := newConfig(t)
	old := c.Load()
	require.NoError(t, set(c, "save", "1 1", "client-output-buffer-limit", "normal 1 2 3", "bind", "::1", "maxmemory", "18446744073709551615"))
	require.Equal(t, []SavePoint{{3600, 1}, {300, 100}, {60, 10000}}, old.Save)
	require.Zero(t, old.OutputLimits[OutputNormal])
	require.Equal(t, []string{"*", "-::*"}, old.Bind)
	require.Equal(t, OutputLimit{1, 2, 3}, c.Load().OutputLimits[OutputNormal])
	require.Equal(t, OutputLimit{32 << 20, 8 << 20, 60}, c.Load().OutputLimits[OutputPubsub])
	require.Equal(t, int64(1<<63-1), c.Load().MaxMemory)
	require.Equal(t, "18446744073709551615", get(t, c, "maxmemory"))
}

func TestNotifyFlags(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "KEA": "AKE", "AKE": "AKE", "mKEA": "AKEm", "AKEn": "AKE", "nE": "nE", "KEg$": "g$KE",
		"g$lshzxetd": "A", "g$lshzxet": "g$lshzxet", "xE": "xE",
	} {
		c := newConfig(t)
		require.NoError(t, set(c, "notify-keyspace-events", in))
		require.Equal(t, want, get(t, c, "notify-keyspace-events"), in)
	}
	c := newConfig(t)
	require.NoError(t, set(c, "notify-keyspace-events", "AKE"))
	require.NoError(t, set(c, "notify-keyspace-events", "AKEn"))
	require.NotZero(t, c.Load().NotifyKeyspaceEvents&NotifyNew)
	require.Equal(t, NotifyAll|NotifyNew|NotifyKeyspace|NotifyKeyevent, c.Load().NotifyKeyspaceEvents)
}

func TestShutdownFlags(t *testing.T) {
	c := newConfig(t)
	require.NoError(t, set(c, "shutdown-on-sigterm", "force NOW save"))
	require.Equal(t, ShutdownSave|ShutdownNow|ShutdownForce, c.Load().ShutdownOnSigterm)
	require.Equal(t, "save now force", get(t, c, "shutdown-on-sigterm"))
	require.NoError(t, set(c, "shutdown-on-sigterm", "default"))
	require.Zero(t, c.Load().ShutdownOnSigterm)
}

func TestMemoryLimit(t *testing.T) {
	c := newConfig(t)
	require.NoError(t, set(c, "maxmemory-clients", "5%"))
	require.Equal(t, MemoryLimit{Percent: 5}, c.Load().MaxMemoryClients)
	require.NoError(t, set(c, "maxmemory-clients", "1mb"))
	require.Equal(t, MemoryLimit{Bytes: 1 << 20}, c.Load().MaxMemoryClients)
}

func TestLoadDoesNotAllocate(t *testing.T) {
	c := newConfig(t)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if c.Load().Port != 6379 {
			t.Fatal("port")
		}
	}))
}

func TestConcurrentUse(t *testing.T) {
	c := newConfig(t)
	done := make(chan error, 2)
	for range 2 {
		go func() {
			var err error
			for range 50 {
				err = errors.Join(err, set(c, "timeout", "1", "maxmemory-policy", "allkeys-lru"), set(c, "timeout", "2", "maxmemory-policy", "noeviction"))
			}
			done <- err
		}()
	}
	for range 200 {
		v := c.Load()
		require.Equal(t, v.TimeoutSec == 1, v.MaxMemoryPolicy == "allkeys-lru", "two parameters of one CONFIG SET")
		c.Get("*max*")
	}
	require.NoError(t, <-done)
	require.NoError(t, <-done)
}
