package integration

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDifferential sends the same random commands to our server and to real Redis and compares every reply, and after each
// round everything that is there: keys, types, encodings, deadlines, elements. A difference is narrowed down to the
// commands that it takes.
//
// TROUPE_DIFF_TIME says for how long (default: a minute, five seconds with -short), TROUPE_DIFF_SEED with which seed to begin,
// TROUPE_DIFF_GROUPS which groups of commands alone are drawn.
func TestDifferential(t *testing.T) {
	span := time.Minute
	if testing.Short() {
		span = 5 * time.Second
	}
	if s := os.Getenv("TROUPE_DIFF_TIME"); s != "" {
		var err error
		span, err = time.ParseDuration(s)
		require.NoError(t, err)
	}
	seed := uint64(1)
	if s := os.Getenv("TROUPE_DIFF_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
	}
	redis := startRedis(t)
	var ours []*process
	for _, shards := range []string{"1", "2", "4"} {
		ours = append(ours, startTroupe(t, "--shards", shards))
	}
	docs := dialWire(t, redis.Addr)
	g := parseGrammar(docs.do("COMMAND", "DOCS"), strings.Fields(os.Getenv("TROUPE_DIFF_GROUPS")))
	require.NoError(t, docs.err)
	sent := 0
	for end := time.Now().Add(span); time.Now().Before(end); seed++ {
		d := &differential{seed: seed, rnd: rand.New(rand.NewPCG(seed, 0)), resp: 2 + int(seed/3%2)}
		d.ours, d.redis = dialDiff(t, ours[seed%3].Addr), dialDiff(t, redis.Addr)
		d.wrappers = knownWrappers(d.ours)
		d.settings = d.chooseSettings()
		for range 1500 {
			for _, c := range g.next(d.rnd) {
				d.commands = append(d.commands, d.within(c))
			}
		}
		if fault := d.round(d.commands); fault != "" {
			small := d.shrink()
			t.Fatalf("seed %d, RESP%d, %s shards, settings %v\n%s\nafter these commands, with the settings above, from an empty server:\n%s\n%s",
				seed, d.resp, []string{"1", "2", "4"}[seed%3], d.settings, fault, listing(small), d.round(small))
		}
		sent += len(d.commands)
		d.ours.conn.Close()
		d.redis.conn.Close()
	}
	t.Logf("%d commands, seeds up to %d", sent, seed-1)
}

func listing(commands [][]string) string {
	var b strings.Builder
	for _, c := range commands {
		for i, w := range c {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(strconv.Quote(w))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

type differential struct {
	ours, redis *diffConn
	seed        uint64
	rnd         *rand.Rand
	resp        int
	settings    map[string]string
	wrappers    []string // that our server knows
	commands    [][]string
	sorts       bool // SORT was among them: Redis turns a sorted set that it sorts into a skiplist for good, ours stays as it is
}

// chooseSettings returns thresholds that make encodings change often.
func (d *differential) chooseSettings() map[string]string {
	s := map[string]string{}
	choices := map[string][]string{
		"hash-max-listpack-entries": {"4", "20", "128"}, "hash-max-listpack-value": {"8", "64"},
		"zset-max-listpack-entries": {"4", "20", "128"}, "zset-max-listpack-value": {"8", "64"},
		"set-max-intset-entries": {"4", "512"}, "list-max-listpack-size": {"-2", "4", "-1", "1"}, "list-compress-depth": {"0", "1", "2"},
		"stream-node-max-entries": {"3", "100", "0"}, "stream-node-max-bytes": {"0", "200", "4096"}, "hll-sparse-max-bytes": {"100", "3000"},
	}
	for _, name := range slices.Sorted(maps.Keys(choices)) {
		s[name] = choices[name][d.rnd.IntN(len(choices[name]))]
	}
	return s
}

// round runs commands on both servers, from nothing, and tells the first difference.
func (d *differential) round(commands [][]string) (fault string) {
	setup := [][]string{{"HELLO", strconv.Itoa(d.resp)}, {"FLUSHALL"}}
	for _, name := range slices.Sorted(maps.Keys(d.settings)) {
		setup = append(setup, []string{"CONFIG", "SET", name, d.settings[name]})
	}
	d.both(setup)
	d.sorts = slices.ContainsFunc(commands, func(c []string) bool {
		return slices.Contains(c[:min(2, len(c))], "sort") || slices.Contains(c[:min(2, len(c))], "sort_ro")
	})
	for at := 0; at < len(commands); {
		n := min(50, len(commands)-at)
		ours, redis := d.both(commands[at : at+n])
		for i := range ours {
			c := commands[at+i]
			cmd := unwrapped(c)
			if o, r := normal(cmd, ours[i]), normal(cmd, redis[i]); !alike(cmd, o, r) {
				return fmt.Sprintf("command %d: %q\n troupe: %v\n redis:  %v", at+i, c, o, r)
			}
		}
		at += n
		if at%250 == 0 || at == len(commands) {
			if fault := d.compareState(); fault != "" {
				return fmt.Sprintf("state after command %d (%q): %s", at-1, commands[at-1], fault)
			}
		}
	}
	return ""
}

// both sends commands in one pipeline to each server and returns the replies.
func (d *differential) both(commands [][]string) (ours, redis []any) {
	for _, c := range []*diffConn{d.ours, d.redis} {
		for _, cmd := range commands {
			c.addWithin(cmd)
		}
		c.flush()
	}
	for _, cmd := range commands {
		ours = append(ours, d.ours.within(cmd))
		redis = append(redis, d.redis.within(cmd))
	}
	if err := errors.Join(d.ours.err, d.redis.err); err != nil {
		panic(fmt.Sprintf("seed %d: %v\nlast commands:\n%s", d.seed, err, listing(commands)))
	}
	return ours, redis
}

// shrink returns few of the commands of the round that still show a difference.
func (d *differential) shrink() [][]string {
	left := d.commands
	for size := len(left) / 2; size > 0; {
		removed := false
		for at := 0; at < len(left); {
			try := slices.Concat(left[:at], left[min(at+size, len(left)):])
			if d.round(try) != "" {
				left, removed = try, true
			} else {
				at += size
			}
		}
		if !removed || size > 1 {
			size /= 2
		}
	}
	return left
}

// compareState tells the first difference between what the servers hold.
func (d *differential) compareState() string {
	o, r := d.both([][]string{{"KEYS", "*"}})
	names, theirs := words(o[0]), words(r[0])
	slices.Sort(names)
	slices.Sort(theirs)
	if !slices.Equal(names, theirs) {
		return fmt.Sprintf("keys\n troupe: %q\n redis:  %q", names, theirs)
	}
	var kinds [][]string
	for _, k := range names {
		kinds = append(kinds, []string{"TYPE", k}, []string{"OBJECT", "ENCODING", k}, []string{"PTTL", k})
	}
	o, r = d.both(kinds)
	var dump [][]string
	for i, k := range names {
		kind, enc := fmt.Sprint(o[3*i]), fmt.Sprint(o[3*i+1])
		if was := fmt.Sprint(r[3*i]); kind != was {
			return fmt.Sprintf("type of %q: troupe %s, redis %s", k, kind, was)
		}
		if want := fmt.Sprint(r[3*i+1]); enc != want && !slices.Contains(newerEncodings, [3]string{kind, enc, want}) &&
			!(d.sorts && kind == "string:zset" && enc == "string:listpack") {
			return fmt.Sprintf("encoding of %q: troupe %s, redis %s", k, enc, want)
		}
		if !alike([]string{"PTTL"}, o[3*i+2], r[3*i+2]) {
			return fmt.Sprintf("deadline of %q: troupe %v, redis %v", k, o[3*i+2], r[3*i+2])
		}
		switch kind {
		case "string:string":
			dump = append(dump, []string{"GET", k})
		case "string:list":
			dump = append(dump, []string{"LRANGE", k, "0", "-1"})
		case "string:hash":
			dump = append(dump, []string{"HGETALL", k})
		case "string:set":
			dump = append(dump, []string{"SMEMBERS", k})
		case "string:zset":
			dump = append(dump, []string{"ZRANGE", k, "0", "-1", "WITHSCORES"}, []string{"ZREVRANGE", k, "0", "-1"}, []string{"ZCARD", k})
		case "string:stream":
			dump = append(dump, []string{"XRANGE", k, "-", "+"}, []string{"XINFO", "STREAM", k}, []string{"XINFO", "STREAM", k, "FULL"},
				[]string{"XINFO", "GROUPS", k}, []string{"XREVRANGE", k, "+", "-"})
		}
	}
	o, r = d.both(dump)
	for i, c := range dump {
		if a, b := normal(c, o[i]), normal(c, r[i]); !alike(c, a, b) {
			return fmt.Sprintf("%q\n troupe: %v\n redis:  %v", c, a, b)
		}
	}
	return ""
}

// newerEncodings are the encodings that 7.4 chooses where 7.0 chooses others: type, ours, Redis's. Sets and lists have a packed
// form more, and a command with many elements makes a large value at once even when some of them are the same.
var newerEncodings = [][3]string{
	{"string:set", "string:listpack", "string:hashtable"},
	{"string:list", "string:listpack", "string:quicklist"},
	{"string:zset", "string:skiplist", "string:listpack"},
	{"string:hash", "string:hashtable", "string:listpack"},
}

// words returns the texts of an array.
func words(v any) []string {
	var out []string
	if a, ok := v.(aggregate); ok {
		for _, i := range a.items {
			out = append(out, strings.TrimPrefix(fmt.Sprint(i), "string:"))
		}
	}
	return out
}
