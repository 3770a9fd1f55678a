package luastruct

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaoracle"
)

func newState(tb testing.TB) *lua.LState {
	return luaoracle.NewState(tb, map[string]func(*lua.LState) *lua.LTable{"struct": Open})
}

func TestKnownResults(t *testing.T) {
	L := newState(t)
	for _, c := range []struct{ piece, want string }{
		{`return struct.pack('>I2i4', 1, -2)`, "ok \"\x00\x01\xff\xff\xff\xfe\""},
		{`return struct.pack('<!4bi', 1, 2)`, "ok \"\x01\x00\x00\x00\x02\x00\x00\x00\""},
		{`return struct.pack('sc2c0', 'a', 'bcd', 'ef')`, "ok \"a\x00bcef\""},
		{`return struct.unpack('>I2i4', '\0\1\255\255\255\254')`, "ok 1;-2;7"},
		{`return struct.unpack('Bc0s', '\3abcde\0')`, `ok "abc";"de";8`},
		{`return struct.unpack('>f', '\63\128\0\0')`, "ok 1;5"},
		{`return struct.size('!bdh')`, "ok 18"},
		{`return struct.pack('c5', 'abc')`, `error "user_script: bad argument #3 to 'pack' (string too short)"`},
		{`return struct.unpack('i', 'abc')`, `error "user_script: bad argument #2 to 'unpack' (data string too short)"`},
		{`return struct.pack('c99999999999')`, `error "user_script: integral size overflow"`},
		{`return struct.unpack('i', 'abcd', 0)`, `error "user_script: bad argument #3 to 'unpack' (offset must be 1 or greater)"`},
		{`return struct.unpack('bc0', '\255')`, `error "user_script: bad argument #2 to 'unpack' (data string too short)"`},
	} {
		require.Equal(t, c.want, luaoracle.Eval(t, L, c.piece), c.piece)
	}
}

// letters are what random formats are made of.
var letters = strings.Fields("b B h H l L T i I i1 I2 i3 I4 i5 I7 i8 I8 i9 I16 i32 i33 i0 f d s c c0 c1 c3 c5 x > < ! !1 !2 !4 !8 !16 !3 !0 q % 7 \xff i99999999999 c2147483647 c2147483648 !64")

func randomFormat(rnd *rand.Rand) string {
	var b strings.Builder
	for range rnd.IntN(7) {
		n := len(letters) - 12 // mostly what is valid
		if rnd.IntN(10) == 0 {
			n = len(letters)
		}
		b.WriteString(letters[rnd.IntN(n)])
		if rnd.IntN(5) == 0 {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func pieces() []string {
	rnd := rand.New(rand.NewPCG(1, 2))
	values := []string{"0", "1", "-1", "127", "-128", "255", "256", "1.5", "-1.5", "2^31", "-2^31", "2^53", "2^63", "2^64", "-2^63", "-2^64", "1/0", "-1/0", "0/0", "1e300", "2^63+2^20", "'12'", "'0x10'", "'abc'",
		"'hello world'", "''", "'a\\0b'", "nil", "true", "{}", "3", "5"}
	var all []string
	for _, l := range letters {
		for _, v := range values {
			for _, order := range []string{"", ">", "!", ">!b"} {
				first := ""
				if strings.HasSuffix(order, "b") {
					first = "7, "
				}
				all = append(all, fmt.Sprintf("return struct.pack(%s, %s%s)", luaoracle.Quote(order+l), first, v))
			}
		}
		all = append(all, fmt.Sprintf("return struct.size(%s)", luaoracle.Quote(l)), fmt.Sprintf("return struct.size(%s)", luaoracle.Quote("!b"+l+"b"+l)))
		for _, order := range []string{"", ">", "!b", "b"} {
			for range 12 {
				data := make([]byte, rnd.IntN(36))
				for i := range data {
					data[i] = byte(rnd.Uint32() >> (rnd.IntN(2) * 28))
				}
				all = append(all, fmt.Sprintf("return struct.unpack(%s, %s)", luaoracle.Quote(order+l), luaoracle.Quote(string(data))))
			}
		}
	}
	for range 6000 {
		f := luaoracle.Quote(randomFormat(rnd))
		data := make([]byte, rnd.IntN(60))
		for i := range data {
			data[i] = "\x00\x01\x02\x03\x7f\x80\xffa3 "[rnd.IntN(10)]
		}
		var args []string
		for range rnd.IntN(6) {
			args = append(args, values[rnd.IntN(len(values))])
		}
		all = append(all, fmt.Sprintf("return struct.size(%s)", f),
			fmt.Sprintf("return struct.pack(%s)", strings.Join(append([]string{f}, args...), ", ")),
			fmt.Sprintf("return struct.unpack(%s, %s)", f, luaoracle.Quote(string(data))),
			fmt.Sprintf("return struct.unpack(%s, %s, %d)", f, luaoracle.Quote(string(data)), rnd.IntN(20)))
	}
	for _, f := range []string{"pack", "unpack", "size"} {
		for _, args := range []string{"", "nil", "{}", "12", "'i'", "'i', nil", "'i', {}", "'i', 12345", "'', ''", "'', 'a', 5", "'', '', 2^62", "' ', 'abc', 5", "'i', 'abcde', 2", "'i', 'abcde', 3", "'i', 'abcde', '2'",
			"'i', 'abcde', 1.9", "'i', 'abcde', {}", "'i', 'abcde', nil", "'i', 'abcde', -1", "'', 'abcde', -1", "'', 'abcde', -2^63", "'!i', 'abcde', -4", "'!8l', 'abcde', -2", "' ', 'abcde', -9", "'i', 'abcde', 0.5", "'i', 'abcde', 2^31", "'i', 'abcde', 2^32+1", "'i', 'abcde', 2^53", "'i', 'abcde', 2^63",
			"'!8i', 'abcde', 2^63-1024", "'i', 'abcde', 1/0", "'i', 'abcde', 0/0", "'i\\0q', 5, 6", "'s', 'abc\\0'", "'sc0', '2\\0abc'", "'sc0', 'x\\0abc'", "'dc0', struct.pack('d', 1e300)", "'dc0', struct.pack('d', -1)",
			"'dc0', struct.pack('d', 2^64)", "'dc0', struct.pack('d', 0/0)", "'dc0', struct.pack('d', 2.9) .. 'abc'", "'fc0', struct.pack('f', 0)", "'bc0c0', '\\1\\2\\3\\4'", "'Bc2147483647', 'a', 'b'"} {
			all = append(all, fmt.Sprintf("return struct.%s(%s)", f, args), fmt.Sprintf("return pcall(struct.%s%s)", f, strings.TrimSuffix(", "+args, ", ")))
		}
	}
	for _, n := range []int{7990, 7995, 7996, 7997, 7998, 7999, 8000} { // around the end of the stack
		all = append(all, fmt.Sprintf("return #{struct.unpack(string.rep('b', %d), string.rep('a', 9000))}", n),
			fmt.Sprintf("return #{struct.unpack(string.rep('b', %d) .. ' <', string.rep('a', 9000))}", n))
	}
	return append(all, "local t = {} for k, v in pairs(struct) do t[k] = type(v) end return t", "return struct.pack(string.rep('i', 200), 1)", "return #struct.pack(string.rep('x', 100000))")
}

func TestAgainstRedis(t *testing.T) {
	redis, L := luaoracle.Start(t), newState(t)
	all := pieces()
	for _, p := range all {
		require.Equal(t, redis.Eval(t, p), luaoracle.Eval(t, L, p), p)
	}
	t.Logf("%d pieces", len(all))
}

// called calls a function of the library and returns its results; ok is false when it raised an error.
func called(t *testing.T, L *lua.LState, name string, args ...lua.LValue) (all []lua.LValue, ok bool) {
	L.SetTop(0)
	L.Push(L.GetField(L.GetGlobal("struct"), name))
	for _, a := range args {
		L.Push(a)
	}
	if err := L.PCall(len(args), lua.MultRet, nil); err != nil {
		require.Equal(t, lua.ApiErrorRun, err.(*lua.ApiError).Type, "%v", err)
		return nil, false
	}
	for i := 1; i <= L.GetTop(); i++ {
		all = append(all, L.Get(i))
	}
	return all, true
}

func FuzzStructUnpack(f *testing.F) {
	for _, s := range []struct {
		format, data string
		pos          int64
	}{{"i", "abcd", 1}, {">!8bdI3", "abcdefghijklmnopqrstu", 1}, {"Bc0s", "\x03abcde\x00", 1}, {"i32 I17", strings.Repeat("\x80", 60), 2}, {"dc0", "\x00\x00\x00\x00\x00\x00\xf0\x7f", 1}, {"!1073741824i", "", 1 << 62},
		{"c2147483647", "", 1}, {"i0", "", 1}, {"x", "", -1}} {
		f.Add(s.format, s.data, s.pos)
	}
	L := newState(f)
	f.Fuzz(func(t *testing.T, format, data string, pos int64) {
		all, ok := called(t, L, "unpack", lua.LString(format), lua.LString(data), lua.LNumber(pos))
		if !ok {
			return
		}
		require.NotEmpty(t, all)
		if end := all[len(all)-1].(lua.LNumber); len(all) > 1 {
			require.Greater(t, end, lua.LNumber(0))
			require.LessOrEqual(t, end, lua.LNumber(len(data)+1))
		}
	})
}

func FuzzStructPack(f *testing.F) {
	for _, s := range []struct {
		format, text string
		n            float64
	}{{"i", "", 5}, {">!8bdI3", "", -1}, {"bc0", "abc", 3}, {"s", "x", 0}, {"!16i32f", "", 1e300}, {"c5", "abc", 0}, {"!3", "", 0}, {"i99999999999", "", 0}} {
		f.Add(s.format, s.text, s.n)
	}
	L := newState(f)
	f.Fuzz(func(t *testing.T, format, text string, n float64) {
		args := []lua.LValue{lua.LString(format)}
		for _, letter := range strings.TrimRight(format, "\x00") {
			switch letter {
			case 'c', 's':
				args = append(args, lua.LString(text))
			case 'b', 'B', 'h', 'H', 'l', 'L', 'T', 'i', 'I', 'f', 'd':
				args = append(args, lua.LNumber(n))
			}
		}
		if len(args) > 500 {
			return
		}
		packed, ok := called(t, L, "pack", args...)
		if !ok {
			return
		}
		require.Len(t, packed, 1)
		if size, ok := called(t, L, "size", args[0]); ok {
			require.Equal(t, lua.LNumber(len(packed[0].(lua.LString))), size[0], "%q", format)
		}
		if !strings.Contains(format, "c") { // c0 reads back with a number in front only
			back, ok := called(t, L, "unpack", args[0], packed[0])
			require.True(t, ok, "%q %q", format, packed)
			require.Equal(t, lua.LNumber(len(packed[0].(lua.LString))+1), back[len(back)-1])
		}
	})
}
