package resp

import (
	"strings"
	"testing"
)

var benchStreams = []struct{ name, stream string }{
	{"PING", "*1\r\n$4\r\nPING\r\n"},
	{"GET", "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000042\r\n"},
	{"GETShort", "*2\r\n$3\r\nGET\r\n$5\r\nkey:1\r\n"},
	{"SET", "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n$32\r\n" + strings.Repeat("v", 32) + "\r\n"},
	{"HSET8", "*9\r\n$4\r\nHSET\r\n$5\r\nkey:1\r\n" + strings.Repeat("$2\r\nff\r\n", 7)},
	{"MSET20", "*21\r\n$4\r\nMSET\r\n" + strings.Repeat("$5\r\nkey:1\r\n", 20)},
	{"InlinePING", "PING\r\n"},
	{"InlineSET", "SET key:000000000042 value\r\n"},
}

func BenchmarkParse(b *testing.B) {
	for _, bench := range benchStreams {
		b.Run(bench.name, func(b *testing.B) {
			var p Parser
			buf := []byte(bench.stream)
			argv := make([][]byte, 0, 32)
			b.ReportAllocs()
			for b.Loop() {
				var n int
				argv, n, _ = p.Next(buf, argv[:0])
				if n != len(buf) {
					b.Fatal(n)
				}
			}
		})
	}
}

// BenchmarkParsePipeline parses a buffer of 16 KiB of SETs, as under load.
func BenchmarkParsePipeline(b *testing.B) {
	cmd := benchStreams[3].stream
	buf := []byte(strings.Repeat(cmd, 16<<10/len(cmd)))
	var p Parser
	argv := make([][]byte, 0, 8)
	b.SetBytes(int64(len(cmd)))
	b.ReportAllocs()
	rest := buf
	for b.Loop() {
		var n int
		argv, n, _ = p.Next(rest, argv[:0])
		if rest = rest[n:]; len(rest) == 0 {
			rest = buf
		}
	}
}

// BenchmarkParseMillion receives a command of a million arguments in pieces of 16 KiB.
func BenchmarkParseMillion(b *testing.B) {
	buf := AppendArray(nil, 1_000_000)
	for range 1_000_000 {
		buf = append(buf, "$6\r\nmember\r\n"...)
	}
	argv := make([][]byte, 0, 1_000_000)
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		var p Parser
		for size := 0; ; size += 16 << 10 {
			var n int
			if argv, n, _ = p.Next(buf[:min(size, len(buf))], argv[:0]); n > 0 {
				break
			}
		}
	}
}

func BenchmarkWriter(b *testing.B) {
	value := []byte(strings.Repeat("v", 32))
	for _, bench := range []struct {
		name  string
		write func(w *Writer)
	}{
		{"OK", func(w *Writer) { w.OK() }},
		{"Int7", func(w *Writer) { w.Int(7) }},
		{"IntMillion", func(w *Writer) { w.Int(1234567) }},
		{"Bulk32", func(w *Writer) { w.Bulk(value) }},
		{"BulkString3", func(w *Writer) { w.BulkString("abc") }},
		{"Null", func(w *Writer) { w.Null() }},
		{"Array10", func(w *Writer) {
			w.Array(10)
			for range 10 {
				w.Bulk(value[:8])
			}
		}},
		{"Deferred10", func(w *Writer) {
			mark := w.StartDeferred()
			for range 10 {
				w.Bulk(value[:8])
			}
			w.EndDeferredArray(mark, 10)
		}},
		{"Error", func(w *Writer) { w.Error("ERR syntax error") }},
		{"DoubleBulk3", func(w *Writer) { w.DoubleBulk(3) }},
		{"DoubleBulk3.14", func(w *Writer) { w.DoubleBulk(3.14) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			w := Writer{Buf: make([]byte, 0, 1024), Proto: 2}
			b.ReportAllocs()
			for b.Loop() {
				w.Buf = w.Buf[:0]
				bench.write(&w)
			}
		})
	}
}

func BenchmarkNumbers(b *testing.B) {
	buf := make([]byte, 0, 64)
	b.Run("ParseInt/1", func(b *testing.B) {
		for b.Loop() {
			ParseInt([]byte("7"))
		}
	})
	b.Run("ParseInt/10", func(b *testing.B) {
		for b.Loop() {
			ParseInt([]byte("1700000000"))
		}
	})
	b.Run("ParseFloat/3.14", func(b *testing.B) {
		for b.Loop() {
			ParseFloat([]byte("3.14"))
		}
	})
	b.Run("ParseFloat/17digits", func(b *testing.B) {
		for b.Loop() {
			ParseFloat([]byte("0.12345678901234567"))
		}
	})
	for _, f := range []float64{3, 1700000000000, 3.14, 0.1234567890123456, 1.5e300} {
		b.Run("AppendFloat/"+string(AppendFloat(nil, f)), func(b *testing.B) {
			for b.Loop() {
				buf = AppendFloat(buf[:0], f)
			}
		})
	}
	b.Run("AddHuman", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			AddHuman([]byte("10.5"), []byte("0.1"))
		}
	})
}
