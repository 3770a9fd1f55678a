package cmsgpack

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaoracle"
)

func newState(tb testing.TB) *lua.LState {
	return luaoracle.NewState(tb, map[string]func(*lua.LState) *lua.LTable{"cmsgpack": Open})
}

func TestKnownResults(t *testing.T) {
	L := newState(t)
	for _, c := range []struct{ piece, want string }{
		{`return cmsgpack.pack(1, -1, 'a', true, nil, {}, {1, 2}, {a = 1})`, "ok \"\x01\xff\xa1a\xc3\xc0\x90\x92\x01\x02\x81\xa1a\x01\""},
		{`return cmsgpack.pack(0.5), cmsgpack.pack(0.1)`, "ok \"\xca\x3f\x00\x00\x00\";\"\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a\""},
		{`return cmsgpack.unpack(cmsgpack.pack(1.5, 'x', {1, {k = 'v'}}))`, `ok 1.5;"x";{1=1,2={"k"="v"}}`},
		{`return cmsgpack.unpack_one('\1\2\3', 1)`, "ok 2;2"},
		{`return cmsgpack.unpack_limit('\1\2\3', 2, 1)`, "ok -1;2;3"},
		{`return cmsgpack.unpack('\221\255\255\255\255\1')`, `error "user_script: Missing bytes in input."`},
		{`return cmsgpack.unpack('\193')`, `error "user_script: Bad data format in input."`},
		{`return cmsgpack.unpack('\129\192\1')`, `error "table index is nil"`},
		{`local t = {} t[1] = t return #cmsgpack.pack(t)`, "ok 17"},
	} {
		require.Equal(t, c.want, luaoracle.Eval(t, L, c.piece), c.piece)
	}
}

func packPieces() []string {
	rnd := rand.New(rand.NewPCG(1, 2))
	values := []string{"", "nil", "nil, nil", "true", "false", "0", "-0", "1/0", "-1/0", "0/0", "-(0/0)", "''", "'a'", "{}", "{{}}", "{1,2,3}", "{nil,2}", "{[2]=1}", "{[1.5]=1}", "{[0]=1}",
		"{[-1]=1}", "{[2^31]=1}", "{[2^40]=1}", "{[1]=1,[2^31]=1}", "{a=1}", "{['1']=1}", "{[true]=false}", "{[{}]={}}", "tostring", "{tostring}", "{[tostring]=1}", "cmsgpack.pack",
		"{1,2,nil,4}", "{[1]=1,[2]=2,[4]=4}", "{{{{{{{{{{{{{{{{{{1}}}}}}}}}}}}}}}}}}", "setmetatable({}, {__index={1,2}})", "setmetatable({1}, {__len=function() return 5 end})", "1, 'two', {3}"}
	for _, n := range []int{15, 16, 31, 32, 33, 255, 256, 65535, 65536} {
		values = append(values, fmt.Sprintf("string.rep('x', %d)", n), fmt.Sprintf("(function() local t = {} for i = 1, %d do t[i] = 7 end return t end)()", n))
	}
	for e := range 65 {
		for _, d := range []string{"", "-1", "+1", "+0.5"} {
			values = append(values, fmt.Sprintf("2^%d%s", e, d), fmt.Sprintf("-2^%d%s", e, d))
		}
	}
	for range 1000 {
		if f := math.Float64frombits(rnd.Uint64()); f-f == 0 {
			values = append(values, fmt.Sprintf("%.17g", f), fmt.Sprintf("%.17g", float32(math.Mod(f, 1e38))), fmt.Sprint(int64(rnd.Uint64())>>rnd.IntN(64)))
		}
	}
	var pieces []string
	for _, v := range values {
		pieces = append(pieces, fmt.Sprintf("return cmsgpack.pack(%s)", v))
	}
	return append(pieces,
		"local t = {} t[1] = t return cmsgpack.pack(t)", "local t = {} t.a = t return cmsgpack.pack(t)", "local t = {} for i = 1, 20 do t = {t} end return cmsgpack.unpack(cmsgpack.pack(t))",
		"local t = {} for i = 1, 20 do t = {a = t} end return cmsgpack.unpack(cmsgpack.pack(t))", "return pcall(cmsgpack.pack)", "local p = cmsgpack.pack return p()",
		"local t = {} for i = 1, 3900 do t[i] = 1 end return cmsgpack.pack(unpack(t))", "local t = {} for i = 1, 4001 do t[i] = 1 end return cmsgpack.pack(unpack(t))",
		"local t = {} for k, v in pairs(cmsgpack) do t[k] = type(v) == 'string' and v or type(v) end return t",
	)
}

func unpackPieces() []string {
	rnd := rand.New(rand.NewPCG(3, 4))
	inputs := []string{"", "\x01\x02\x03"}
	for first := range 256 {
		for _, rest := range []string{"", "\x00", "\x01", "\x00\x01\x02", "\x00\x02\xa1a\xa1b", "\x00\x00\x00\x02\x01\x02\x03\x04", "\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x7f\xf0\x00\x00\x00\x00\x00\x01",
			"\x80\x00\x00\x00\x00\x00\x00\x00", strings.Repeat("\x05", 40)} {
			inputs = append(inputs, string([]byte{byte(first)})+rest)
		}
	}
	for range 3000 {
		b := make([]byte, rnd.IntN(20))
		for i := range b {
			b[i] = byte(rnd.Uint32())
			if rnd.IntN(2) == 0 {
				b[i] = "\x00\x01\x02\x80\x81\x82\x90\x91\x92\xa0\xa1\xa2\xc0\xc2\xc3\xca\xcb\xcc\xd0\xd9\xdc\xde\xe0\xff"[rnd.IntN(24)]
			}
		}
		inputs = append(inputs, string(b))
	}
	var pieces []string
	for _, in := range inputs {
		pieces = append(pieces, fmt.Sprintf("return cmsgpack.unpack(%s)", luaoracle.Quote(in)))
	}
	for _, f := range []string{"unpack", "unpack_one", "unpack_limit"} {
		for _, args := range []string{"", "nil", "{}", "12", "'\\1\\2\\3'", "'\\1\\2\\3', 0", "'\\1\\2\\3', 1", "'\\1\\2\\3', 2", "'\\1\\2\\3', 3", "'\\1\\2\\3', 4", "'\\1\\2\\3', -1",
			"'\\1\\2\\3', '1'", "'\\1\\2\\3', 1.9", "'\\1\\2\\3', {}", "'\\1\\2\\3', nil", "'\\1\\2\\3', 1/0", "'\\1\\2\\3', 0/0", "'\\1\\2\\3', 2^32", "'\\1\\2\\3', 0, 1", "'\\1\\2\\3', 2, 1",
			"'\\1\\2\\3', 5, 1", "'\\1\\2\\3', 1, 3", "'\\1\\2\\3', 1, 4", "'\\1\\2\\3', 1, -1", "'\\1\\2\\3', -1, 1", "'\\1\\2\\3', 0, 0", "'\\1\\2\\3', 2^40, 1", "nil, nil, nil", "'', 1", "'', 0, 1"} {
			pieces = append(pieces, fmt.Sprintf("return cmsgpack.%s(%s)", f, args), fmt.Sprintf("return pcall(cmsgpack.%s%s)", f, strings.TrimSuffix(", "+args, ", ")))
		}
	}
	for _, n := range []int{7990, 7997, 7998, 7999, 8000, 8001} { // around the end of the stack
		pieces = append(pieces,
			fmt.Sprintf("return #{cmsgpack.unpack(string.rep('\\1', %d))}", n),
			fmt.Sprintf("return #{cmsgpack.unpack_limit(string.rep('\\1', %d), 10000, 0)}", n),
			fmt.Sprintf("return #{cmsgpack.unpack(string.rep('\\1', %d) .. '\\129\\1\\1')}", n-2),
			fmt.Sprintf("return #{cmsgpack.unpack(string.rep('\\145', %d) .. '\\1')}", n/2),
			fmt.Sprintf("return #{cmsgpack.unpack(string.rep('\\129\\1', %d) .. '\\1')}", n/2),
			fmt.Sprintf("return #{cmsgpack.unpack(string.rep('\\145', %d) .. '\\1')}", n/2-1),
			fmt.Sprintf("return #{cmsgpack.unpack(string.rep('\\129\\1', %d) .. '\\1')}", n/2-1),
			fmt.Sprintf("return #{cmsgpack.unpack(string.rep('\\129\\145\\1\\1', %d))}", n-4))
	}
	return pieces
}

func TestAgainstRedis(t *testing.T) {
	redis, L := luaoracle.Start(t), newState(t)
	for _, c := range []struct {
		name   string
		pieces []string
	}{{"pack", packPieces()}, {"unpack", unpackPieces()}} {
		for _, p := range c.pieces {
			require.Equal(t, redis.Eval(t, p), luaoracle.Eval(t, L, p), p)
		}
		t.Logf("%s: %d pieces", c.name, len(c.pieces))
	}
}

func TestPackedSizeIsBounded(t *testing.T) {
	L := newState(t)
	L.SetGlobal("pack", L.NewFunction(func(L *lua.LState) int { return pack(L, 1<<20) }))
	for _, piece := range []string{
		"local t = {1} for i = 1, 15 do t = {t, t, t, t} end return pack(t)",
		"local t = {1} for i = 1, 15 do t = {a = t, b = t, c = t} end return pack(t)",
		"return pack(('x'):rep(1050000))",
	} {
		require.Equal(t, `error "not enough memory"`, luaoracle.Eval(t, L, piece), piece)
	}
}

func TestUnpackingIsBounded(t *testing.T) {
	L := newState(t)
	var before, after runtime.MemStats
	for _, c := range []struct{ name, input, want string }{
		{"claimed array", "\xdd\xff\xff\xff\xff", "Missing bytes"},
		{"claimed map", "\xdf\xff\xff\xff\xff", "Missing bytes"},
		{"claimed string", "\xdb\xff\xff\xff\xff", "Missing bytes"},
		{"claims in claims", strings.Repeat("\xdd\xff\xff\xff\xff", 3000), "Missing bytes"},
		{"a key far away", "\x81\xce\x03\xff\xff\xff\x01", "not enough memory"},
		{"keys far away", "\x9f" + strings.Repeat("\x81\xce\x00\x7f\xff\xff\x01", 15), "not enough memory"},
		{"nothing far away", "\x81\xce\x03\xff\xff\xff\xc0", "ok"},
	} {
		runtime.ReadMemStats(&before)
		got := luaoracle.Eval(t, L, "return cmsgpack.unpack("+luaoracle.Quote(c.input)+")")
		runtime.ReadMemStats(&after)
		require.Contains(t, got, c.want, c.name)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<30), c.name)
	}
}

func FuzzCmsgpackUnpack(f *testing.F) {
	for _, s := range []string{"\x01", "\x92\x01\xa1a", "\x82\xa1a\x01\xa1b\xc0", "\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", "\xca\x3f\x80\x00\x00", "\xdd\xff\xff\xff\xff", "\xdf\x00\x00\x00\x01\x01\x01",
		"\xdb\x00\x00\x00\x01a", "\xde\x00\x01\xc0\x01", "\xd9\x01a\xda\x00\x01b\xdc\x00\x01\xc2", "\xcc\xff\xcd\xff\xff\xce\xff\xff\xff\xff\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "\xd0\xff\xd1\xff\xff\xd2\xff\xff\xff\xff\xd3\xff\xff\xff\xff\xff\xff\xff\xff", "\xc1"} {
		f.Add(s)
	}
	L := newState(f)
	lib := L.GetGlobal("cmsgpack").(*lua.LTable)
	call := func(t *testing.T, name string, args ...lua.LValue) ([]lua.LValue, bool) {
		L.SetTop(0)
		L.Push(lib.RawGetString(name))
		for _, a := range args {
			L.Push(a)
		}
		if err := L.PCall(len(args), lua.MultRet, nil); err != nil {
			require.Equal(t, lua.ApiErrorRun, err.(*lua.ApiError).Type, "%v", err)
			return nil, false
		}
		var all []lua.LValue
		for i := 1; i <= L.GetTop(); i++ {
			all = append(all, L.Get(i))
		}
		return all, true
	}
	f.Fuzz(func(t *testing.T, s string) {
		all, ok := call(t, "unpack", lua.LString(s))
		one, okOne := call(t, "unpack_one", lua.LString(s))
		if !ok {
			return
		}
		require.True(t, okOne)
		if s == "" {
			require.Empty(t, all)
			return
		}
		require.Len(t, one, 2)
		if len(all) > 4000 { // more than pack takes
			return
		}
		// What is nested too deeply becomes nil, which goes missing as a value and cannot be a key. After one round nothing changes any more.
		values := all
		var packed []lua.LValue
		for round := range 3 {
			last := packed
			packed, ok = call(t, "pack", values...)
			require.True(t, ok)
			if round == 2 {
				require.Equal(t, last, packed)
			}
			values, ok = call(t, "unpack", packed...)
			if !ok {
				require.Equal(t, 0, round)
				return
			}
			require.Len(t, values, len(all))
		}
	})
}
