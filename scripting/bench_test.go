package scripting

import (
	"testing"

	"github.com/troupe-db/troupe/netio/resp"
)

// benchScript runs EVALSHA of a script over and over.
func benchScript(b *testing.B, script string, args ...string) {
	s := newTestServer(b, nil)
	k := s.connect()
	k.do("SET", "key", "value")
	for i := range 100 {
		k.do("RPUSH", "list", "element "+itoa(i))
	}
	v, _, err := resp.ReadReply([]byte(k.do("SCRIPT", "LOAD", script)))
	if err != nil {
		b.Fatal(err)
	}
	words := [][]byte{[]byte("EVALSHA"), []byte(v.(string))}
	for _, a := range args {
		words = append(words, []byte(a))
	}
	b.ReportAllocs()
	for b.Loop() {
		if reply := k.run1(words); reply[0] == '-' {
			b.Fatal(string(reply))
		}
	}
}

func BenchmarkReturn(b *testing.B) { benchScript(b, "return 1", "0") }
func BenchmarkGet(b *testing.B)    { benchScript(b, "return redis.call('get', KEYS[1])", "1", "key") }
func BenchmarkSet(b *testing.B) {
	benchScript(b, "return redis.call('set', KEYS[1], ARGV[1])", "1", "key", "value")
}

func BenchmarkLimiter(b *testing.B) {
	benchScript(b, `local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
if n > tonumber(ARGV[2]) then return {0, n} end
return {1, n}`, "1", "counter", "10000", "1000000000000")
}

func BenchmarkList(b *testing.B) {
	benchScript(b, "return #redis.call('lrange', KEYS[1], 0, -1)", "1", "list")
}

func BenchmarkConcat(b *testing.B) {
	benchScript(b, "local s = '' for i = 1, 100 do s = 'x' .. i .. ':' .. ARGV[1] end return s", "0", "arg")
}

func BenchmarkLoop(b *testing.B) {
	benchScript(b, "local t = 0 for i = 1, 10000 do t = t + i % 7 end return t", "0")
}

func BenchmarkTable(b *testing.B) {
	benchScript(b, "local t = {} for i = 1, 1000 do t[i] = i end local s = 0 for _, v in ipairs(t) do s = s + v end return s", "0")
}

func BenchmarkFunction(b *testing.B) {
	s := newTestServer(b, nil)
	k := s.connect()
	k.do("SET", "key", "value")
	k.do("FUNCTION", "LOAD", "#!lua name=bench\nredis.register_function('f', function(keys, args) return redis.call('get', keys[1]) end)")
	words := [][]byte{[]byte("FCALL"), []byte("f"), []byte("1"), []byte("key")}
	b.ReportAllocs()
	for b.Loop() {
		if reply := k.run1(words); reply[0] == '-' {
			b.Fatal(string(reply))
		}
	}
}

// BenchmarkPrepare is what is done before a script that is known runs.
func BenchmarkPrepare(b *testing.B) {
	s := newTestServer(b, nil)
	words := [][]byte{[]byte("EVAL"), []byte("return redis.call('get', KEYS[1])"), []byte("1"), []byte("key")}
	spec := s.table.Lookup(words[0])
	b.ReportAllocs()
	for b.Loop() {
		if call := s.engine.Prepare(spec, words); call.Err != "" {
			b.Fatal(call.Err)
		}
	}
}

func BenchmarkNewState(b *testing.B) {
	s := newTestServer(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		newState(s.engine)
	}
}

func BenchmarkCompile(b *testing.B) {
	s := newTestServer(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.engine.newScript("local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end return n"); err != "" {
			b.Fatal(err)
		}
	}
}
