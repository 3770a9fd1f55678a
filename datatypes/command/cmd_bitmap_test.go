package command

import (
	"fmt"
	"math/bits"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const bitOffsetErr = "-ERR bit offset is not an integer or out of range"

func TestSetbitGetbit(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"SETBIT k 7 1", ":0",
			"GET k", "$1 \x01",
			"SETBIT k 7 0", ":1",
			"SETBIT k 16 0", ":0",
			"GET k", "$3 \x00\x00\x00",
			"SETBIT k 0 1", ":0",
			"GETBIT k 0", ":1",
			"GETBIT k 1", ":0",
			"GETBIT k 1000", ":0",
			"GETBIT none 1000", ":0",
			"SET n 12", "+OK",
			"GETBIT n 2", ":1", // '1' is 0x31
			"SETBIT n 7 0", ":1",
			"GET n", "$2 02",
			"SETBIT k x 1", bitOffsetErr,
			"SETBIT k -1 1", bitOffsetErr,
			"SETBIT k 4294967296 1", bitOffsetErr,
			"SETBIT k #1 1", bitOffsetErr,
			"GETBIT k 4294967296", bitOffsetErr,
			"GETBIT k 4294967295", ":0",
			"SETBIT k 0 2", "-ERR bit is not an integer or out of range",
			"SETBIT k 0 x", "-ERR bit is not an integer or out of range",
			"SETBIT k x 2", bitOffsetErr,
		)
		require.Equal(t, "raw", s.encoding("n"))
		s.run("SET e v EX 5")
		s.run("SETBIT e 100 1")
		require.EqualValues(t, testStartMs+5000, s.expireAt("e"))
		s.Settings.MaxStringBytes = 2
		s.check("SETBIT z 15 1", ":0", "SETBIT z 16 1", bitOffsetErr)
	})
}

func TestBitcount(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"SET k foobar", "+OK",
			"BITCOUNT k", ":26",
			"BITCOUNT k 0 0", ":4",
			"BITCOUNT k 1 1 byte", ":6",
			"BITCOUNT k 5 30 BIT", ":17",
			"BITCOUNT k 5 5 BIT", ":1",
			"BITCOUNT k 0 -1 BIT", ":26",
			"BITCOUNT k -1 -2", ":0",
			"BITCOUNT k -100 -50", ":4",
			"BITCOUNT k 10 20", ":0",
			"BITCOUNT none", ":0",
			"BITCOUNT none 0 -1", ":0",
			"SET n 12", "+OK",
			"BITCOUNT n", ":6",
			// Arguments are looked at before the key.
			"BITCOUNT none 0", syntaxErr,
			"BITCOUNT none a b", notInt,
			"BITCOUNT none 0 1 HELLO", syntaxErr,
			"BITCOUNT none 0 x FOO", notInt,
			"BITCOUNT none 0 1 BIT x", syntaxErr,
		)
	})
}

func TestBitpos(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			`SET k "\xff\xf0\x00"`, "+OK",
			"BITPOS k 0", ":12",
			"BITPOS k 1 2", ":-1",
			"BITPOS k 0 2", ":16",
			"BITPOS k 1 1", ":8",
			"BITPOS k 0 0 0", ":-1",
			"BITPOS k 1 7 15 BIT", ":7",
			"BITPOS k 0 7 11 BIT", ":-1",
			"BITPOS k 0 7 12 bit", ":12",
			"BITPOS k 1 -3 -1 BYTE", ":0",
			"BITPOS k 1 3 2", ":-1",
			"BITPOS k 1 100", ":-1",
			`SET f "\xff\xff\xff"`, "+OK",
			"BITPOS f 0", ":24",
			"BITPOS f 0 1", ":24",
			"BITPOS f 0 0 -1", ":-1",
			`SET e ""`, "+OK",
			"BITPOS e 0", ":-1",
			"BITPOS e 1 0", ":-1",
			"BITPOS none 0", ":0",
			"BITPOS none 1", ":-1",
			"BITPOS none 0 5 6", ":0",
			"BITPOS none x", notInt,
			"BITPOS none 2", "-ERR The bit argument must be 1 or 0.",
			"BITPOS none 1 a", notInt,
			"BITPOS none 1 0 -1 FOO", syntaxErr,
			"BITPOS none 1 0 x FOO", syntaxErr,
			"BITPOS none 1 x 0 FOO", notInt,
			"BITPOS none 1 0 x BIT", notInt,
			"BITPOS none 1 0 0 BIT x", syntaxErr,
		)
	})
}

func TestBitop(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		s.check(
			"MSET a abc b a c aaaa n 12", "+OK",
			"BITOP AND d a b", ":3",
			"GET d", "$3 a\x00\x00",
			"BITOP and d b a c", ":4",
			"GET d", "$4 a\x00\x00\x00",
			"BITOP OR d b a", ":3",
			"GET d", "$3 abc",
			"BITOP XOR d a a", ":3",
			"GET d", "$3 \x00\x00\x00",
			"BITOP XOR d a a n", ":3",
			"GET d", "$3 12\x00",
			"BITOP NOT d b", ":1",
			"GET d", "$1 \x9e",
			"BITOP OR a a c none", ":4",
			"GET a", "$4 acca",
			"BITOP AND a a none", ":4",
			"GET a", "$4 \x00\x00\x00\x00",
			"BITOP AND a none none2", ":0",
			"GET a", null,
			"BITOP FOO d a", syntaxErr,
			"BITOP NOT d a b", "-ERR BITOP NOT must be called with a single source key.",
			"SET d x EX 10", "+OK",
			"BITOP OR d b", ":1",
		)
		require.EqualValues(t, -1, s.expireAt("d"))
		require.Equal(t, "raw", s.encoding("d"))
	})
}

func TestBitfield(t *testing.T) {
	onShards(t, func(t *testing.T, s *testCtx) {
		const badType = "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
		s.check(
			"BITFIELD k INCRBY i5 100 1 GET u4 0", "*2 :1 :0",
			"BITFIELD k SET u8 #1 255 GET u8 #1 GET i8 #1 GET u4 8", "*4 :0 :255 :-1 :15",
			"BITFIELD k", "*0",
			"BITFIELD none GET u8 0", "*1 :0",
			"GET none", null,
			"SET n 12", "+OK",
			"BITFIELD n GET u8 0 GET u8 8 GET u16 8 GET i64 0", "*4 :49 :50 :12800 :3544895856694001664",
			"BITFIELD_RO n GET u8 0 get u8 8", "*2 :49 :50",
			"BITFIELD_RO n OVERFLOW SAT GET u8 0", "*1 :49",
			"BITFIELD_RO n GET u8 0 SET u8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand",
			"BITFIELD k GET u64 0", badType,
			"BITFIELD k GET i65 0", badType,
			"BITFIELD k GET u0 0", badType,
			"BITFIELD k GET U8 0", badType,
			"BITFIELD k GET u 0", badType,
			"BITFIELD k GET u8 x", bitOffsetErr,
			"BITFIELD k GET u8 -1", bitOffsetErr,
			"BITFIELD k GET u8 #", bitOffsetErr,
			"BITFIELD k GET u8 #-1", bitOffsetErr,
			"BITFIELD k GET u8 #536870911", "*1 :0",
			"BITFIELD k GET u8 #536870912", bitOffsetErr,
			"BITFIELD k GET u8 #9223372036854775807", bitOffsetErr,
			"BITFIELD k GET u8 4294967296", bitOffsetErr,
			"BITFIELD k SET u8 0 x", notInt,
			"BITFIELD k SET u8 0", syntaxErr,
			"BITFIELD k GET u8", syntaxErr,
			"BITFIELD k FOO u8 0", syntaxErr,
			"BITFIELD k OVERFLOW", syntaxErr,
			"BITFIELD k OVERFLOW FOO", "-ERR Invalid OVERFLOW type specified",
			"BITFIELD k SET u8 0 1 SET u8 0", syntaxErr,
			"BITFIELD k GET u8 0", "*1 :0",
		)
	})
}

func TestBitfieldOverflow(t *testing.T) {
	s := newTestCtx(t, 1)
	for _, c := range []struct {
		start, op      string
		wrap, sat, bad string // the reply under WRAP, SAT and FAIL
	}{
		{"SET u8 0 250", "INCRBY u8 0 5", ":255", ":255", ":255"},
		{"SET u8 0 250", "INCRBY u8 0 10", ":4", ":255", null},
		{"SET u8 0 5", "INCRBY u8 0 -10", ":251", ":0", null},
		{"SET u8 0 5", "INCRBY u8 0 -9223372036854775808", ":5", ":0", null},
		{"SET u63 0 9223372036854775807", "INCRBY u63 0 1", ":0", ":9223372036854775807", null},
		{"SET i8 0 120", "INCRBY i8 0 10", ":-126", ":127", null},
		{"SET i8 0 -120", "INCRBY i8 0 -10", ":126", ":-128", null},
		{"SET i8 0 1", "INCRBY i8 0 9223372036854775807", ":0", ":127", null},
		{"SET i64 0 1", "INCRBY i64 0 9223372036854775807", ":-9223372036854775808", ":9223372036854775807", null},
		{"SET i64 0 -2", "INCRBY i64 0 -9223372036854775808", ":9223372036854775806", ":-9223372036854775808", null},
		{"SET i64 0 -1", "INCRBY i64 0 9223372036854775807", ":9223372036854775806", ":9223372036854775806", ":9223372036854775806"},
		{"SET i64 0 1", "INCRBY i64 0 -9223372036854775808", ":-9223372036854775807", ":-9223372036854775807", ":-9223372036854775807"},
		{"SET i1 0 0", "INCRBY i1 0 1", ":-1", ":0", null},
	} {
		for mode, want := range map[string]string{"WRAP": c.wrap, "SAT": c.sat, "FAIL": c.bad} {
			s.run("BITFIELD k " + c.start)
			before := s.run("GET k")
			require.Equal(t, "*1 "+want, s.run("BITFIELD k OVERFLOW "+mode+" "+c.op), "%s %s %s", c.start, mode, c.op)
			if want == null {
				require.Equal(t, before, s.run("GET k"))
				continue
			}
			field := strings.Join(strings.Fields(c.op)[1:3], " ")
			require.Equal(t, "*1 "+want, s.run("BITFIELD k GET "+field), "stored by %s %s", mode, c.op)
		}
	}
	// SET checks its value in the same way, and replies the old one.
	s.run("DEL k")
	for _, c := range []struct{ op, sat string }{
		{"SET u8 0 256", ":255"},
		{"SET u8 0 -1", ":255"},
		{"SET i8 0 128", ":127"},
		{"SET i8 0 -129", ":-128"},
		{"SET i8 0 -9223372036854775808", ":127"}, // so does Redis
	} {
		field := strings.Join(strings.Fields(c.op)[1:3], " ")
		s.run("BITFIELD k SET u8 0 0")
		require.Equal(t, "*2 :0 "+c.sat, s.run("BITFIELD k OVERFLOW SAT "+c.op+" GET "+field), c.op)
		require.Equal(t, "*1 $-1", s.run("BITFIELD k OVERFLOW FAIL "+c.op), c.op)
	}
	s.check(
		"DEL k", ":1",
		"BITFIELD k OVERFLOW FAIL SET u8 8 256", "*1 $-1",
		"GET k", "$2 \x00\x00",
		"BITFIELD k SET u2 0 1 OVERFLOW FAIL INCRBY u2 0 2 INCRBY u2 0 1 OVERFLOW SAT INCRBY u2 0 9", "*4 :0 :3 $-1 :3",
	)
}

// TestBitsAgainstModel checks the word-wise routines against one bit at a time.
func TestBitsAgainstModel(t *testing.T) {
	s := newTestCtx(t, 1)
	text := func(n int) []byte {
		b := make([]byte, n)
		fill := byte(s.Rand())
		for i := range b {
			switch s.Rand() % 8 {
			case 0:
				b[i] = byte(s.Rand())
			default: // long runs of equal bytes, mostly 0 and 0xff
				b[i] = fill
			}
			switch s.Rand() % 16 {
			case 0:
				fill = 0
			case 1:
				fill = 0xff
			}
		}
		return b
	}
	bit := func(b []byte, i int64) byte { return b[i>>3] >> (7 - uint(i&7)) & 1 }
	for range 1000 {
		b := text(1 + int(s.Rand()%120))
		total := int64(len(b)) * 8
		lo := int64(s.Rand() % uint64(total))
		hi := lo + 1 + int64(s.Rand()%uint64(total-lo))
		set, first := 0, [2]int64{-1, -1}
		for i := lo; i < hi; i++ {
			v := bit(b, i)
			set += int(v)
			if first[v] < 0 {
				first[v] = i
			}
		}
		require.Equal(t, set, countBitRange(b, lo, hi))
		require.Equal(t, first[0], findBit(b, 0, lo, hi))
		require.Equal(t, first[1], findBit(b, 1, lo, hi))

		src := text(int(s.Rand() % uint64(len(b)+1)))
		for op, want := range map[bitOp]func(x, y byte) byte{
			bitAnd: func(x, y byte) byte { return x & y },
			bitOr:  func(x, y byte) byte { return x | y },
			bitXor: func(x, y byte) byte { return x ^ y },
			bitNot: func(x, _ byte) byte { return ^x },
		} {
			dst := append([]byte(nil), b...)
			op.combine(dst, src)
			for i := range b {
				var y byte
				if i < len(src) {
					y = src[i]
				}
				require.Equal(t, want(b[i], y), dst[i])
			}
		}

		n := uint(1 + s.Rand()%64)
		at := int64(s.Rand() % uint64(total+64))
		want := uint64(0)
		for i := at; i < at+int64(n); i++ {
			want <<= 1
			if i < total {
				want |= uint64(bit(b, i))
			}
		}
		require.Equal(t, want, readField(b, at, n))
		if at+int64(n) <= total {
			v := s.Rand()
			now := append([]byte(nil), b...)
			writeField(now, at, n, v)
			require.Equal(t, v<<(64-n)>>(64-n), readField(now, at, n))
			for i := range total {
				if i < at || i >= at+int64(n) {
					require.Equal(t, bit(b, i), bit(now, i))
				}
			}
		}
	}
	require.Equal(t, bits.OnesCount64(0x0123456789abcdef), countBits([]byte{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}))
}

func BenchmarkBits(b *testing.B) {
	for _, size := range []int{64, 1 << 20} {
		x, y := make([]byte, size), make([]byte, size)
		b.Run(fmt.Sprintf("count/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				countBits(x)
			}
		})
		b.Run(fmt.Sprintf("find/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				findBit(x, 1, 0, int64(size)*8)
			}
		})
		b.Run(fmt.Sprintf("and/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				bitAnd.combine(x, y)
			}
		})
	}
}
