package cjson

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaoracle"
)

func newState(tb testing.TB) *lua.LState {
	return luaoracle.NewState(tb, map[string]func(*lua.LState) *lua.LTable{"cjson": Open})
}

func TestKnownResults(t *testing.T) {
	L := newState(t)
	for _, c := range []struct{ piece, want string }{
		{`return cjson.encode({1, 'a', true, cjson.null, {}, {x = 1.5}})`, `ok "[1,"a",true,null,{},{"x":1.5}]"`},
		{`return cjson.encode({1, nil, 3})`, `ok "[1,null,3]"`},
		{`return cjson.encode('/\127\1"')`, `ok ""\/\u007f\u0001\"""`},
		{`return cjson.encode(1e15), cjson.encode(2^53), cjson.encode(0.1)`, `ok "1e+15";"9.007199254741e+15";"0.1"`},
		{`return cjson.encode({[1] = 1, [1000] = 2})`, `error "user_script: Cannot serialise table: excessively sparse array"`},
		{`return cjson.decode('{"a":[1,null,"\\ud83d\\ude00"]}')`, "ok {\"a\"={1=1,2=userdata,3=\"\U0001f600\"}}"},
		{`return cjson.decode('{')`, `error "user_script: Expected object key string but found T_END at character 2"`},
		{`return cjson.decode('*')`, `error "user_script: Expected value but found invalid token at character 1"`},
		{`return cjson.decode('"x')`, `error "user_script: Expected value but found unexpected end of string at character 3"`},
		{`return cjson.decode(('['):rep(1001))`, `error "user_script: Found too many nested data structures (1001) at character 1001"`},
		{`local t = {} t.t = t return cjson.encode(t)`, `error "user_script: Cannot serialise, excessive nesting (1001)"`},
		{`return cjson.null == cjson.decode('null'), cjson.new().null == cjson.null, tostring(cjson.null)`, `ok true;true;"userdata: (nil)"`},
		{`return cjson.new().encode_max_depth(5), cjson.encode_max_depth()`, `ok 5;1000`},
	} {
		require.Equal(t, c.want, luaoracle.Eval(t, L, c.piece), c.piece)
	}
	require.True(t, IsNull(L.GetField(L.GetGlobal("cjson"), "null")))
	require.False(t, IsNull(L.NewUserData()))
	require.False(t, IsNull(lua.LNil))
}

// decodePieces are documents of all kinds, whole and broken.
func decodePieces() []string {
	rnd := rand.New(rand.NewPCG(1, 2))
	docs := []string{
		"", " ", "\x00", "a", "1\x00", "12\x003", "\x001", `"a`, "[]", "{}", " [ ] ", " { } ", "[1,2]", "[1,]", "[,1]", "[1 2]", "[1", "[", "]", "{", "}", `{"a"}`,
		`{"a":}`, `{"a":1,}`, `{"a":1 "b":2}`, `{1:2}`, `{"a":1}x`, `{"a":1}}`, `[[]]]`, `{"a":{"b":[{},[]]}}`, `{"a":1,"a":2}`, `{"":0}`, "null", "nul", "nulll",
		"true", "tru", "truefalse", "True", "false", "nan", "NaN", "-nan", "inf", "-Inf", "Infinity", "-infinity", "infinit", "+1", "+", "-", "--1", "1", "-0", "01", "-01",
		"0x10", "0X1p4", "0x", "1e", "1e5", "1E+5", "1e-5", "1.", ".5", "1.5", "1e400", "-1e400", "1e-400", "123456789012345678901234567890", "1.7976931348623157e308", "4.9e-324",
		"- 1", "[-]", "[+]", "[.]", "i", "I", "N", "n", "t", "f", `"\u0041"`, `"\u00e9\u20ac"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ud83dx"`, `"\ud83d\u0041"`, `"\ude00"`,
		`"\ud83d\"`, `"\u12"`, `"\u12g4"`, `"\u`, `"\`, `"\"`, `"\x"`, `"\/\b\f\n\r\t\\\""`, `"\u0000"`, "\"\x01\x7f\xff\"", "\"a\x00b\"", "\"tab\t\"", `"'"`,
		"[1,2,3]\n\t\r ", "\xef\xbb\xbf[]", "// x\n1", "[1/**/]", "[null,null]", `{"a":null}`, "[1,null,3]", `["a",["b",["c"]]]`, "\v1", "\f1", "1\v", "\xa01",
	}
	letters := "[]{},:\"\\u0019ade tfnN-+.xINul\x00/"
	for range 3000 {
		var b strings.Builder
		for range rnd.IntN(14) {
			b.WriteByte(letters[rnd.IntN(len(letters))])
		}
		docs = append(docs, b.String())
	}
	for range 2000 { // valid ones, and one byte of each changed
		var b strings.Builder
		randomDocument(rnd, &b, 3)
		s := b.String()
		docs = append(docs, s)
		if s != "" {
			i := rnd.IntN(len(s))
			docs = append(docs, s[:i], s[:i]+string(letters[rnd.IntN(len(letters))])+s[i+1:])
		}
	}
	var pieces []string
	for _, d := range docs {
		pieces = append(pieces, "return cjson.decode("+luaoracle.Quote(d)+")")
	}
	return pieces
}

func randomDocument(rnd *rand.Rand, b *strings.Builder, depth int) {
	kind := rnd.IntN(8)
	if depth == 0 {
		kind = rnd.IntN(6)
	}
	switch kind {
	case 0:
		b.WriteString([]string{"null", "true", "false"}[rnd.IntN(3)])
	case 1:
		fmt.Fprintf(b, "%d", int64(rnd.Uint64())>>rnd.IntN(64))
	case 2:
		fmt.Fprintf(b, "%v", math.Float64frombits(rnd.Uint64()&^(1<<62)))
	case 3, 4, 5:
		b.WriteByte('"')
		for range rnd.IntN(6) {
			b.WriteString([]string{"a", "\\n", "\\u00e9", "\\ud83d\\ude00", "/", "\\/", "\xff", " ", "\\\"", "\t"}[rnd.IntN(10)])
		}
		b.WriteByte('"')
	case 6:
		b.WriteByte('[')
		for i := range rnd.IntN(4) {
			if i > 0 {
				b.WriteString([]string{",", " , "}[rnd.IntN(2)])
			}
			randomDocument(rnd, b, depth-1)
		}
		b.WriteByte(']')
	case 7:
		b.WriteByte('{')
		for i := range rnd.IntN(4) {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, "\"k%d\":", rnd.IntN(5))
			randomDocument(rnd, b, depth-1)
		}
		b.WriteByte('}')
	}
}

func encodePieces() []string {
	values := []string{
		"nil", "true", "false", "{}", "{{}}", "{{{}}}", "{1}", "{1,2,3}", "{1,nil,3}", "{nil,nil,3}", "{[3]=1}", "{[10]=1}", "{[11]=1}", "{[12]=1,[1]=1}", "{[1.5]=1}", "{[0]=1}",
		"{[-1]=1}", "{[1]=1,[2]=2,[5]=5}", "{[2^31]=1}", "{[2^31-1]=1}", "{[2^33]=1}", "{[1e300]=1}", "{[1/0]=1}", "{[-1/0]=1}", "{[true]=1}", "{[{}]=1}", "{a=1}", "{a={b={c={}}}}",
		"{a=1/0}", "{a=tostring}", "tostring", "{tostring}", "coroutine.create(function() end)", "cjson.null", "{cjson.null}", "{a=cjson.null}", "cjson", "1/0", "-1/0", "0/0", "-(0/0)",
		"{[cjson.null]=1}", "setmetatable({}, {__index={1,2}})", "{['1']=2}", "{[1]=1,a=nil}", "{[100]=1,[1]=2}", "'\\0'", "'é'", "'</script>'", "string.rep('\\\"', 100)",
		"{[0.5]='x'}", "{[1e15]=1}", "{[123456789012345678]=1}", "{['\\n']=1}",
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	for i := range 256 {
		values = append(values, luaoracle.Quote(string([]byte{byte(i)})))
	}
	for range 1500 {
		f := math.Float64frombits(rnd.Uint64())
		if math.IsInf(f, 0) || math.IsNaN(f) {
			continue
		}
		values = append(values, fmt.Sprintf("%.17g", f), fmt.Sprintf("%.17g", float64(int64(rnd.Uint64())>>rnd.IntN(64))), fmt.Sprintf("%.6g", (rnd.Float64()-0.5)*1000))
	}
	var pieces []string
	for _, v := range values {
		pieces = append(pieces, "return cjson.encode("+v+")")
	}
	return pieces
}

// settingPieces change settings; each leaves the defaults behind.
func settingPieces() []string {
	const reset = " cjson.encode_sparse_array(false, 2, 10) cjson.encode_max_depth(1000) cjson.decode_max_depth(1000) cjson.encode_number_precision(14)" +
		" cjson.encode_keep_buffer(true) cjson.encode_invalid_numbers(false) cjson.decode_invalid_numbers(true)"
	var pieces []string
	for _, f := range []string{"encode", "decode", "encode_sparse_array", "encode_max_depth", "decode_max_depth", "encode_number_precision", "encode_keep_buffer",
		"encode_invalid_numbers", "decode_invalid_numbers"} {
		for _, args := range []string{"", "nil", "nil, nil", "true", "false", "'on'", "'off'", "'null'", "'x'", "1", "0", "-1", "3", "14", "15", "1.9", "'7'", "{}", "tostring", "1/0", "0/0",
			"2^31", "2^32 + 5", "2^63", "true, 3", "true, 3, 4", "false, 0, 0", "true, -1", "true, 1, -1", "true, 'x'", "nil, nil, 4", "nil, 4", "1, 2, 3, 4", "'on\\0', 1", "5, 5"} {
			pieces = append(pieces,
				fmt.Sprintf("local r = {pcall(function() return cjson.%s(%s) end)} r.d = {cjson.encode_sparse_array()} %s return r", f, args, reset),
				fmt.Sprintf("local r = {pcall(cjson.%s%s)} %s return r", f, strings.TrimSuffix(", "+args, ", "), reset))
		}
	}
	for _, s := range []string{
		"cjson.encode_sparse_array(true) return cjson.encode({[1000]=1}), cjson.encode({[10]=1})",
		"cjson.encode_sparse_array(false, 0) return cjson.encode({[20]=1})",
		"cjson.encode_sparse_array(false, 1, 0) return cjson.encode({[1]=1,[2]=2,[4]=4})",
		"cjson.encode_sparse_array(false, 3, 0) return cjson.encode({[1]=1,[2]=2,[4]=4})",
		"cjson.encode_number_precision(3) return cjson.encode({1234.5678, 0.00012345, 1e20, 12})",
		"cjson.encode_number_precision(1) return cjson.encode({1234.5678, 0.00012345, 1e20, 12, 9.5})",
		"cjson.encode_invalid_numbers(true) return cjson.encode({1/0, -1/0, 0/0, -(0/0)})",
		"cjson.encode_invalid_numbers('null') return cjson.encode({1/0, -1/0, 0/0, -(0/0)}), cjson.encode({[1/0]=1})",
		"cjson.encode_max_depth(2) return cjson.encode({{1}}), pcall(cjson.encode, {{{1}}})",
		"cjson.decode_max_depth(2) return cjson.decode('[[1]]'), pcall(cjson.decode, ' [ [ [1]]]')",
		"cjson.decode_max_depth(100000) return cjson.decode(('['):rep(9000))",
		"cjson.decode_max_depth(100000) return cjson.decode(('{\"a\":'):rep(9000))",
		"cjson.decode_max_depth(100000) return cjson.decode(('[{\"a\":'):rep(9000))",
		"cjson.encode_max_depth(100000) local t = {} for i = 1, 9000 do t = {t} end return cjson.encode(t)",
		"cjson.encode_max_depth(100000) local t = {} for i = 1, 9000 do t = {a=t} end return cjson.encode(t)",
		"cjson.encode_max_depth(100000) local t = {} for i = 1, 4000 do t = {{a=t}} end return cjson.encode(t)",
		"local t = {} t[1] = t return cjson.encode(t)",
		"cjson.encode_keep_buffer(false) return cjson.encode({1}), cjson.encode({2}), pcall(cjson.encode, {tostring})",
		"local c = cjson.new() c.encode_max_depth(1) return cjson.encode({{}}), pcall(c.encode, {{}})",
		"local e = cjson.encode return e()", "local t = {x = cjson.decode} return t.x({})", "return (cjson.decode)()", "return pcall(pcall, cjson.decode)",
		"local t = {} for k, v in pairs(cjson) do t[k] = type(v) end return t", "return cjson._NAME, cjson._VERSION", "local t = {} for k, v in pairs(cjson.new()) do t[k] = type(v) end return t",
		"return type(cjson.null), tostring(cjson.null), cjson.null == cjson.decode('null'), cjson.new().null == cjson.null, not getmetatable(cjson.null)",
		"return cjson.decode(12), cjson.decode(-1.5), cjson.encode('x')", "return cjson.encode(1, 2)", "return cjson.decode('1', 2)",
	} {
		pieces = append(pieces, "local function f() "+s+" end local function all(...) "+reset+" return ... end return all(pcall(f))")
	}
	for _, d := range []string{"1", "-1", "01", "-01", "00", "0", "-0", "0.5", "0x1", "-0X1", "+1", "inf", "-inf", "nan", "-nan", "infinity", "1e5", "-", "-a", "i", "nano", ".5", "-.5", "1.", "[0x1]", "null", "0b1"} {
		pieces = append(pieces, fmt.Sprintf("cjson.decode_invalid_numbers(false) local r = {pcall(cjson.decode, %s)} %s return r", luaoracle.Quote(d), reset))
	}
	return pieces
}

func TestAgainstRedis(t *testing.T) {
	redis, L := luaoracle.Start(t), newState(t)
	for _, c := range []struct {
		name   string
		pieces []string
	}{{"decode", decodePieces()}, {"encode", encodePieces()}, {"settings", settingPieces()}} {
		for _, p := range c.pieces {
			require.Equal(t, redis.Eval(t, p), luaoracle.Eval(t, L, p), p)
		}
		t.Logf("%s: %d pieces", c.name, len(c.pieces))
	}
}

func TestOutputIsBounded(t *testing.T) {
	L := newState(t)
	c := &library{null: lua.LNil, encodeDepth: 1000, digits: 14, maxOutput: 1 << 20}
	L.SetGlobal("encode", L.NewFunction(c.encode))
	for _, piece := range []string{
		"local t = {1} for i = 1, 30 do t = {t, t} end return encode(t)",
		"local t = {1} for i = 1, 30 do t = {a = t, b = t} end return encode(t)",
		"return encode({[2^31-1] = 1})",
		"return encode(('\\0'):rep(300000))",
		"return encode(('x'):rep(1050000))",
	} {
		require.Equal(t, `error "not enough memory"`, luaoracle.Eval(t, L, piece), piece)
	}
	c.maxOutput = 2 << 20
	require.Contains(t, luaoracle.Eval(t, L, "return #encode(('x'):rep(1050000))"), "ok 1050002")
}

func TestContextEndsEncoding(t *testing.T) {
	L := newState(t)
	piece, err := L.LoadString("local t = {1} for i = 1, 40 do t = {t, t} end stop() return cjson.encode(t)")
	require.NoError(t, err)
	L.Push(piece)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	L.SetGlobal("stop", L.NewFunction(func(L *lua.LState) int { L.SetContext(ctx); return 0 }))
	require.ErrorContains(t, L.PCall(0, 0, nil), "context canceled")
}

func FuzzCjsonDecode(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,-3e10,"x\u00e9\n",null,true,{}]}`, `[[[]]]`, `"\ud83d\ude00"`, `nan`, `0x1p4`, `[1,`, `{"a"`, "12\x00", `"\u`, `-`, `[1e400]`, `{"1":2}`,
		strings.Repeat("[", 1001)} {
		f.Add(s)
	}
	L := newState(f)
	lib := L.GetGlobal("cjson").(*lua.LTable)
	call := func(t *testing.T, name string, arg lua.LValue) (lua.LValue, bool) {
		L.SetTop(0)
		L.Push(lib.RawGetString(name))
		L.Push(arg)
		if err := L.PCall(1, 1, nil); err != nil {
			require.Equal(t, lua.ApiErrorRun, err.(*lua.ApiError).Type, "%v", err)
			return nil, false
		}
		return L.Get(-1), true
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, ok := call(t, "decode", lua.LString(s))
		if !ok {
			return
		}
		once, ok := call(t, "encode", v)
		if !ok { // an infinity or NaN
			return
		}
		again, ok := call(t, "decode", once)
		require.True(t, ok, "%q", once)
		twice, ok := call(t, "encode", again)
		require.True(t, ok)
		require.Equal(t, once, twice)
	})
}

func BenchmarkDecode(b *testing.B) {
	var doc strings.Builder
	doc.WriteString(`[{"id":12345,"name":"somebody","tags":["a","b","c"],"score":12.75,"active":true}`)
	doc.WriteString(strings.Repeat(`,{"id":12345,"name":"some\nbody","tags":["a","b","c"],"score":12.75,"active":false}`, 9))
	doc.WriteString("]")
	L := newState(b)
	decode := L.GetField(L.GetGlobal("cjson"), "decode")
	encode := L.GetField(L.GetGlobal("cjson"), "encode")
	var v lua.LValue
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(doc.Len()))
		b.ReportAllocs()
		for b.Loop() {
			L.Push(decode)
			L.Push(lua.LString(doc.String()))
			L.Call(1, 1)
			v = L.Get(-1)
			L.SetTop(0)
		}
	})
	b.Run("encode", func(b *testing.B) {
		b.SetBytes(int64(doc.Len()))
		b.ReportAllocs()
		for b.Loop() {
			L.Push(encode)
			L.Push(v)
			L.Call(1, 1)
			L.SetTop(0)
		}
	})
}
