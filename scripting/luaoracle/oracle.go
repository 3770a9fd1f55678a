package luaoracle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
)

// wrapper is what goes around a piece of Lua in Redis: it writes down results as this package's write does. The piece replaces the %s.
const wrapper = `local function write(v)
local t = type(v)
if t == 'number' then return string.format('%%.17g', v) end
if t == 'string' then return '"' .. v .. '"' end
if t == 'table' then
local all = {}
for k, x in pairs(v) do all[#all+1] = write(k) .. '=' .. write(x) end
table.sort(all)
return '{' .. table.concat(all, ',') .. '}'
end
if t == 'userdata' or t == 'function' then return t end
return tostring(v)
end
local function all(ok, ...)
local out = {}
for i = 1, select('#', ...) do out[i] = write((select(i, ...))) end
return (ok and 'ok ' or 'error ') .. table.concat(out, ';')
end
return all(pcall(function() %s
end))`

// place is where an error happened; lines differ because of the wrapper.
var place = regexp.MustCompile(`user_script:\d+:`)

// Redis is a running redis-server.
type Redis struct {
	conn net.Conn
	in   *bufio.Reader
}

// Start runs a redis-server for the length of the test. Without one on the machine the test is skipped.
func Start(tb testing.TB) *Redis {
	tb.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		tb.Skip("SKIPPED: nothing is compared, there is no redis-server on this machine: ", err)
	}
	dir := tb.TempDir()
	socket := filepath.Join(dir, "redis.sock")
	if len(socket) > 100 { // longer names do not fit in a socket's address
		tb.Skip("SKIPPED: the temporary directory has too long a name for a socket: ", dir)
	}
	cmd := exec.Command(program, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var log strings.Builder
	ready := false
	for lines := bufio.NewScanner(out); !ready && lines.Scan(); {
		log.WriteString(lines.Text() + "\n")
		ready = strings.Contains(lines.Text(), "ready to accept connections")
	}
	if !ready {
		tb.Fatal("redis-server did not start: ", log.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return &Redis{conn: conn, in: bufio.NewReader(conn)}
}

// Do sends a command and returns its reply: a string, or the error that the reply is. Other replies than strings and integers are faults.
func (r *Redis) Do(args ...string) (string, error) {
	if err := r.conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(r.conn, b.String()); err != nil {
		return "", err
	}
	line, err := r.in.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSuffix(line, "\r\n")
	if line == "" {
		return "", errors.New("an empty line for a reply")
	}
	switch line[0] {
	case '+', ':':
		return line[1:], nil
	case '$':
		n, err := strconv.Atoi(line[1:])
		if err != nil || n < 0 {
			return "", fmt.Errorf("no string: %q", line)
		}
		buf := make([]byte, n+2)
		if _, err := io.ReadFull(r.in, buf); err != nil {
			return "", err
		}
		return string(buf[:n]), nil
	}
	return "", errors.New(line)
}

// Eval runs a piece of Lua in Redis.
func (r *Redis) Eval(tb testing.TB, piece string) string {
	tb.Helper()
	out, err := r.Do("EVAL", fmt.Sprintf(wrapper, piece), "0")
	if err != nil {
		tb.Fatalf("redis-server: %v\n%s", err, piece)
	}
	return place.ReplaceAllString(out, "user_script:")
}

// NewState returns a Lua state with the libraries given, as globals of these names.
func NewState(tb testing.TB, libraries map[string]func(*lua.LState) *lua.LTable) *lua.LState {
	L := lua.NewState(lua.Options{RegistrySize: 1 << 10, RegistryMaxSize: 1 << 17, CallStackSize: 256})
	tb.Cleanup(L.Close)
	for name, open := range libraries {
		L.SetGlobal(name, open(L))
	}
	return L
}

// Eval runs a piece of Lua in L. A panic of the code under test fails the test.
func Eval(tb testing.TB, L *lua.LState, piece string) string {
	tb.Helper()
	fn, err := L.Load(strings.NewReader(piece), "user_script")
	if err != nil {
		tb.Fatalf("%v\n%s", err, piece)
	}
	top := L.GetTop()
	defer L.SetTop(top)
	L.Push(fn)
	if err := L.PCall(0, lua.MultRet, nil); err != nil {
		var api *lua.ApiError
		if !errors.As(err, &api) || api.Type != lua.ApiErrorRun {
			tb.Fatalf("%v\n%s", err, piece)
		}
		return place.ReplaceAllString("error "+write(api.Object), "user_script:")
	}
	var all []string
	for i := top + 1; i <= L.GetTop(); i++ {
		all = append(all, write(L.Get(i)))
	}
	return place.ReplaceAllString("ok "+strings.Join(all, ";"), "user_script:")
}

func write(v lua.LValue) string {
	switch v := v.(type) {
	case lua.LNumber:
		return string(luaarg.AppendNumber(nil, float64(v), 17))
	case lua.LString:
		return `"` + string(v) + `"`
	case *lua.LTable:
		var all []string
		for k, x := v.Next(lua.LNil); k != lua.LNil; k, x = v.Next(k) {
			all = append(all, write(k)+"="+write(x))
		}
		slices.Sort(all)
		return "{" + strings.Join(all, ",") + "}"
	case *lua.LUserData, *lua.LFunction:
		return v.Type().String()
	}
	return v.String()
}

// Quote returns s as a string of Lua's.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\%03d`, c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
