package plan

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"

	"github.com/troupe-db/troupe/datatypes/command"
)

func parseScript(t testing.TB, script string) []ast.Stmt {
	t.Helper()
	chunk, err := parse.Parse(strings.NewReader(script), "user_script")
	require.NoError(t, err, script)
	return chunk
}

var (
	proven = Plan{Proven: true}
	both   = Plan{Proven: true, Bounded: true}
	fast   = Plan{Bounded: true}
	none   = Plan{Proven: true, NoCommands: true, Bounded: true}
)

func TestScriptsInTheWild(t *testing.T) {
	table := command.NewTable(command.Builtin())
	for name, c := range map[string]struct {
		script string
		want   Plan
	}{
		"constant":       {"return 1", none},
		"empty":          {"", none},
		"echo":           {"return {KEYS[1], ARGV[1], #KEYS}", none},
		"the keys":       {"return KEYS", none},
		"arguments only": {"local n = tonumber(ARGV[1]) if n == nil then return redis.error_reply('ERR n') end return n * 2", none},
		"lock release": {`if redis.call("get", KEYS[1]) == ARGV[1] then
			return redis.call("del", KEYS[1])
		else
			return 0
		end`, both},
		"lock extension": {`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`, both},
		"fixed window": {`local current = redis.call('INCR', KEYS[1])
			if current == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
			if current > tonumber(ARGV[2]) then return {0, redis.call('TTL', KEYS[1])} end
			return {1, current}`, both},
		"sliding window": {`local key = KEYS[1]
			local now = tonumber(ARGV[1])
			redis.call('ZREMRANGEBYSCORE', key, '-inf', now - tonumber(ARGV[2]))
			local n = redis.call('ZCARD', key)
			if n < tonumber(ARGV[3]) then
				redis.call('ZADD', key, now, now .. '-' .. ARGV[4])
				redis.call('PEXPIRE', key, ARGV[2])
				return 1
			end
			return 0`, proven},
		"token bucket": {`local rate, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
			local now, requested = tonumber(ARGV[3]), tonumber(ARGV[4])
			local ttl = math.floor(capacity / rate * 2)
			local tokens = tonumber(redis.call("get", KEYS[1]))
			if tokens == nil then tokens = capacity end
			local refreshed = tonumber(redis.call("get", KEYS[2]))
			if refreshed == nil then refreshed = 0 end
			local filled = math.min(capacity, tokens + math.max(0, now - refreshed) * rate)
			local allowed = filled >= requested
			if allowed then filled = filled - requested end
			redis.call("setex", KEYS[1], ttl, filled)
			redis.call("setex", KEYS[2], ttl, now)
			return { allowed, filled }`, both},
		"token bucket in a hash": {`local b = redis.call('HMGET', KEYS[1], 'tokens', 'at')
			local tokens = tonumber(b[1]) or tonumber(ARGV[1])
			if tokens < 1 then return -1 end
			redis.call('HSET', KEYS[1], 'tokens', tokens - 1, 'at', ARGV[2])
			return tokens - 1`, both},
		"enqueue as asynq": {`if redis.call("EXISTS", KEYS[1]) == 1 then return 0 end
			redis.call("HSET", KEYS[1], "msg", ARGV[1], "state", "pending", "pending_since", ARGV[3])
			redis.call("LPUSH", KEYS[2], ARGV[2])
			return 1`, both},
		"dequeue as asynq": {`if redis.call("EXISTS", KEYS[2]) == 0 then
				local id = redis.call("RPOPLPUSH", KEYS[1], KEYS[3])
				if id then
					local key = ARGV[2] .. id
					redis.call("HSET", key, "state", "active")
					redis.call("ZADD", KEYS[4], ARGV[1], id)
					return redis.call("HGET", key, "msg")
				end
			end
			return nil`, fast},
		"scheduled set as Sidekiq": {`local key, now = KEYS[1], ARGV[1]
			local jobs = redis.call("zrange", key, "-inf", now, "byscore", "limit", 0, 1)
			if jobs[1] then
				redis.call("zrem", key, jobs[1])
				return jobs[1]
			end`, both},
		"pop":               {`return redis.call('LPOP', KEYS[1]) or redis.call('ZPOPMIN', KEYS[2])`, both},
		"pop of some":       {`return redis.call('ZPOPMIN', KEYS[1], 5)`, both},
		"first of a list":   {`return redis.call('LRANGE', KEYS[1], 0, 9)`, both},
		"last of a list":    {`return redis.call('LRANGE', KEYS[1], -10, -1)`, both},
		"event":             {`return redis.call('XADD', KEYS[1], '*', 'event', 'done', 'id', ARGV[1])`, both},
		"due":               {`return redis.call('ZRANGEBYSCORE', KEYS[1], 0, ARGV[1], 'LIMIT', 0, 100)`, both},
		"owner of the lock": {`return redis.call('GETRANGE', KEYS[1], 0, tonumber(ARGV[1]) - 1) == string.sub(ARGV[2], 1, ARGV[1])`, both},
		"move to active as BullMQ": {`local rcall = redis.call
			local waitKey, activeKey = KEYS[1], KEYS[2]
			local opts = cmsgpack.unpack(ARGV[3])
			local jobId = rcall("RPOPLPUSH", waitKey, activeKey)
			if jobId then
				local jobKey = KEYS[9] .. jobId
				rcall("HSET", jobKey, "processedOn", ARGV[2])
				return {rcall("HGETALL", jobKey), jobId}
			end`, Plan{}},
		"counters as BullMQ": {`local rcall = redis.call
			local function addDelayMarker(marker, score)
				rcall("ZADD", marker, score, "1")
			end
			local function getTarget(queueMetaKey, waitKey, pausedKey)
				if rcall("HEXISTS", queueMetaKey, "paused") ~= 1 then return waitKey end
				return pausedKey
			end
			local target = getTarget(KEYS[3], KEYS[1], KEYS[2])
			rcall("LPUSH", target, ARGV[1])
			addDelayMarker(KEYS[4], ARGV[2])
			return rcall("LLEN", target)`, both},
		"leaderboard": {`local old = redis.call('ZSCORE', KEYS[1], ARGV[1])
			if not old or tonumber(ARGV[2]) > tonumber(old) then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
			return redis.call('ZREVRANK', KEYS[1], ARGV[1])`, both},
		"helper": {`local function get(k) return redis.call('GET', k) end
			return {get(KEYS[1]), get(KEYS[2])}`, both},
		"helper in a variable": {`local get = function(k) return redis.call('GET', k) end return get(KEYS[1])`, both},
		"helpers upon helpers": {`local function get(k) return redis.call('GET', k) end
			local function both(a, b) return (get(a) or '') .. (get(b) or '') end
			return both(KEYS[1], KEYS[2])`, both},
		"helper under pcall":    {`local function f(k) return redis.call('INCR', k) end local ok, v = pcall(f, KEYS[1]) return v`, proven},
		"call under pcall":      {`local ok, v = pcall(redis.call, 'INCR', KEYS[1]) return v`, both},
		"keys in a loop":        {`for i, k in ipairs(KEYS) do redis.call('SET', k, ARGV[i]) end`, proven},
		"keys by number":        {`for i = 1, #KEYS do redis.call('set', KEYS[i], ARGV[i]) end return #KEYS`, proven},
		"keys by pairs":         {`local n = 0 for _, k in pairs(KEYS) do n = n + redis.call('strlen', k) end return n`, proven},
		"alias of the keys":     {`local keys = KEYS for i = 1, #keys do redis.call('del', keys[i]) end`, proven},
		"all keys":              {`return redis.call('DEL', unpack(KEYS))`, proven},
		"sum of all keys":       {`return redis.call('SUNION', unpack(KEYS))`, proven},
		"union with a count":    {`redis.call('ZUNIONSTORE', KEYS[1], #KEYS - 1, unpack(KEYS, 2))`, proven},
		"union of two":          {`redis.call('ZUNIONSTORE', KEYS[1], 2, KEYS[2], KEYS[3], 'WEIGHTS', ARGV[1], ARGV[2])`, proven},
		"union of how many":     {`redis.call('ZUNIONSTORE', KEYS[1], ARGV[1], KEYS[2], KEYS[3], 'WEIGHTS', 1, 2)`, Plan{}},
		"members from ARGV":     {`return redis.call('SADD', KEYS[1], unpack(ARGV))`, proven},
		"stream":                {`return redis.call('XADD', KEYS[1], '*', 'f', ARGV[1])`, both},
		"read of a stream":      {`return redis.call('XREAD', 'COUNT', ARGV[1], 'STREAMS', KEYS[1], ARGV[2])`, proven},
		"chosen key":            {`local k = ARGV[1] == 'a' and KEYS[1] or KEYS[2] return redis.call('GET', k)`, both},
		"chosen by if":          {`local k if ARGV[1] == 'a' then k = KEYS[1] else k = KEYS[2] end return redis.call('GET', k)`, both},
		"name in any case":      {`return redis.pcall('gEt', KEYS[1])`, both},
		"name in a variable":    {`local cmd = 'GET' return redis.call(cmd, KEYS[1])`, both},
		"name from ARGV":        {`return redis.call(ARGV[1], KEYS[1])`, Plan{}},
		"unknown command":       {`return redis.call('NOSUCH', 'x')`, both},
		"wrong arity":           {`return redis.call('GET', 'a', 'b')`, both},
		"ping":                  {`return redis.call('PING')`, both},
		"time":                  {`local t = redis.call('TIME') redis.call('SET', KEYS[1], t[1])`, both},
		"select":                {`redis.call('SELECT', 3) return redis.call('GET', KEYS[1])`, both},
		"all shards":            {`return redis.call('DBSIZE')`, Plan{}},
		"walk":                  {`return redis.call('KEYS', '*')`, Plan{}},
		"sort":                  {`return redis.call('SORT', KEYS[1])`, proven},
		"sort by others":        {`return redis.call('SORT', KEYS[1], 'BY', 'w_*')`, Plan{}},
		"subcommand":            {`return redis.call('OBJECT', 'ENCODING', KEYS[1])`, both},
		"subcommand from ARGV":  {`return redis.call('OBJECT', ARGV[1], KEYS[1])`, Plan{}},
		"literal key":           {`return redis.call('GET', 'counter')`, fast},
		"put together":          {`return redis.call('GET', KEYS[1] .. ':x')`, fast},
		"default key":           {`return redis.call('GET', KEYS[1] or 'x')`, fast},
		"key from a reply":      {`return redis.call('GET', redis.call('GET', KEYS[1]))`, fast},
		"json":                  {`local o = cjson.decode(redis.call('GET', KEYS[1])) return o.x`, proven},
		"json of the keys":      {`redis.call('SET', KEYS[1], cjson.encode(KEYS))`, proven},
		"constant loop":         {`for i = 1, 20 do redis.call('INCR', KEYS[1]) end`, both},
		"long constant loop":    {`for i = 1, 1000 do redis.call('INCR', KEYS[1]) end`, proven},
		"nested constant loops": {`local n = 0 for i = 1, 10 do for j = 10, 1, -1 do n = n + i * j end end return n`, none},
		"nested long loops":     {`local n = 0 for i = 1, 50 do for j = 1, 50 do n = n + 1 end end return n`, Plan{Proven: true, NoCommands: true}},
		"while":                 {`while redis.call('LPOP', KEYS[1]) do end`, proven},
		"repeat":                {`repeat local v = redis.call('RPOP', KEYS[1]) until not v`, proven},
	} {
		require.Equal(t, c.want, Analyze(parseScript(t, c.script), table), "%s\n%s", name, c.script)
	}
}

// TestSmuggledKeys are scripts that touch, or could touch, a key that they do not declare.
func TestSmuggledKeys(t *testing.T) {
	table := command.NewTable(command.Builtin())
	for _, script := range []string{
		`KEYS = {'x'} redis.call('GET', KEYS[1])`,
		`KEYS[1] = 'x' redis.call('GET', KEYS[1])`,
		`local k = KEYS k[1] = 'x' redis.call('GET', KEYS[1])`,
		`local k = KEYS local l = k l[1] = 'x' redis.call('GET', KEYS[1])`,
		`local k = KEYS if ARGV[1] then k = {'x'} end redis.call('GET', k[1])`,
		`local KEYS = {'x'} redis.call('GET', KEYS[1])`,
		`do local KEYS = ARGV redis.call('GET', KEYS[1]) end`,
		`for _, KEYS in ipairs({ARGV}) do redis.call('GET', KEYS[1]) end`,
		`local function f(KEYS) redis.call('GET', KEYS[1]) end f(ARGV)`,
		`table.insert(KEYS, 'x') redis.call('GET', KEYS[1])`,
		`table.sort(KEYS, function() KEYS[1] = 'x' end) redis.call('GET', KEYS[1])`,
		`rawset(KEYS, 1, 'x') redis.call('GET', KEYS[1])`,
		`setmetatable(KEYS, {__index = function() return 'x' end}) redis.call('GET', KEYS[9])`,
		`local t = {KEYS} t[1][1] = 'x' redis.call('GET', KEYS[1])`,
		`local function ks() return KEYS end ks()[1] = 'x' redis.call('GET', KEYS[1])`,
		`local f = function(t) t[1] = 'x' end f(KEYS) redis.call('GET', KEYS[1])`,
		`local _, t = ipairs(KEYS) t[1] = 'x' redis.call('GET', KEYS[1])`,
		`local _, t = pairs(KEYS) t[1] = 'x' redis.call('GET', KEYS[1])`,
		`local t = assert(KEYS) t[1] = 'x' redis.call('GET', KEYS[1])`,
		`local t = (function(...) return ... end)(KEYS) t[1] = 'x' redis.call('GET', KEYS[1])`,
		`_G.KEYS[1] = 'x' redis.call('GET', KEYS[1])`,
		`_G['KEYS'] = {'x'} redis.call('GET', KEYS[1])`,
		`getfenv().KEYS = {'x'} redis.call('GET', KEYS[1])`,
		`setfenv(1, {redis = redis, KEYS = {'x'}}) redis.call('GET', KEYS[1])`,
		`loadstring("KEYS[1] = 'x'")() redis.call('GET', KEYS[1])`,
		`load(function() return "KEYS[1] = 'x'" end)() redis.call('GET', KEYS[1])`,
		`debug.setlocal(1, 1, 'x') redis.call('GET', KEYS[1])`,
		`_G.redis.call('GET', 'x')`,
		`local r = redis r.call('GET', 'x')`,
		`local call = redis['call'] call('GET', 'x')`,
		`local call = redis['ca' .. 'll'] call('GET', 'x')`,
		`local f = {redis.call} f[1]('GET', 'x')`,
		`local f = redis.call local g = f g('GET', 'x')`,
		`local f f = redis.call f('GET', 'x')`,
		`for _, f in pairs(redis) do f('GET', 'x') end`,
		`rawget(redis, 'call')('GET', 'x')`,
		`redis:call('GET', 'x')`,
		`pcall(redis.call, 'GET', 'x')`,
		`pcall(pcall, redis.call, 'GET', 'x')`,
		`xpcall(function() redis.call('GET', 'x') end, error)`,
		`select(1, redis.call)('GET', 'x')`,
		`string.gsub('x', '.', function(k) redis.call('GET', k) end)`,
		`string.gsub('x', '.', redis.call)`,
		`redis.call = function() end`,
		`redis.pcall, x = nil, redis.call`,
		`unpack = function() return 'x' end redis.call('DEL', unpack(KEYS))`,
		`local unpack = function() return 'x' end redis.call('DEL', unpack(KEYS))`,
		`local function unpack(t) return 'x' end redis.call('DEL', unpack(KEYS))`,
		`function unpack() return 'x' end redis.call('DEL', unpack(KEYS))`,
		`table.concat = function(t) t[1] = 'x' end table.concat(KEYS) redis.call('GET', KEYS[1])`,
		`local t = table t.concat = function(t) t[1] = 'x' end table.concat(KEYS) redis.call('GET', KEYS[1])`,
		`getmetatable('').__index.x = 1 redis.call('GET', KEYS[1])`,
		`local ipairs = function() return next, {'x'} end for _, k in ipairs(KEYS) do redis.call('GET', k) end`,
		`for _, k in ipairs(KEYS) do k = 'x' redis.call('GET', k) end`,
		`for k in pairs(KEYS) do redis.call('GET', k) end`,
		`for _, k in ipairs(KEYS, 1), ARGV do redis.call('GET', k) end`,
		`local k = KEYS[1] k = 'x' redis.call('GET', k)`,
		`local k = KEYS[1] local function f() k = 'x' end f() redis.call('GET', k)`,
		`local k, l = KEYS[1], 'x' k, l = l, k redis.call('GET', k)`,
		`local a, b = KEYS[1], KEYS[2] .. '' redis.call('GET', b)`,
		`local a, b = unpack(ARGV) redis.call('GET', b)`,
		`local a, b = (function() return KEYS[1], 'x' end)() redis.call('GET', b)`,
		`local function f() return KEYS[1], 'x' end local a, b = f() redis.call('GET', b)`,
		`local function f() if ARGV[1] then return 'x' end return KEYS[1] end redis.call('GET', f())`,
		`local function f() return KEYS[1] end f = function() return 'x' end redis.call('GET', f())`,
		`local function f(k) redis.call('GET', k) end f(KEYS[1]) f('x')`,
		`local function f(a, k) redis.call('GET', k) end f(unpack(ARGV))`,
		`local function f(k) redis.call('GET', k) end local g = f g('x') f(KEYS[1])`,
		`local function f(k) redis.call('GET', k) end f(KEYS[1]) pcall(f, 'x')`,
		`local function f(k) redis.call('GET', k) end f(KEYS[1]) local t = {f} t[1]('x')`,
		`local function f(k) redis.call('GET', k) end f(KEYS[1]) return string.gsub('x', '.', f)`,
		`local function f(k, n) if n == 0 then redis.call('GET', k) else f('x', n - 1) end end f(KEYS[1], 1)`,
		`local function f(...) redis.call('GET', ...) end f('x')`,
		`local function f(...) redis.call('GET', arg[1]) end f('x')`,
		`local t = {} function t:f() redis.call('GET', self) end t.f('x')`,
		`local t = {} function t.f(k) redis.call('GET', k) end t.f('x')`,
		`redis.call('GET', KEYS[1] .. 'x')`,
		`redis.call('GET', tostring(KEYS[1]))`,
		`redis.call('GET', KEYS[1] and 'x')`,
		`redis.call('GET', KEYS[9] or 'x')`,
		`redis.call('MSET', KEYS[1], 1, unpack(ARGV))`,
		`redis.call('DEL', KEYS[1], unpack(ARGV))`,
		`redis.call('DEL', unpack(KEYS), 'x')`,
		`redis.call('DEL', unpack({'x'}))`,
		`redis.call(unpack(ARGV))`,
		`redis.call('GET', ...)`,
		`redis.call('EVAL', 'x', 1, 'x')redis.call('GET', 'x')`,
		`redis.call('XREAD', 'COUNT', 1, ARGV[1], KEYS[1], 'x', 0, 0)`,
		`redis.call('XREAD', 'STREAMS', KEYS[1], unpack(ARGV))`,
		`redis.call('GEORADIUS', KEYS[1], 0, 0, 1, 'm', ARGV[1], 'x')`,
		`redis.call('GEORADIUS', KEYS[1], 0, 0, 1, 'm', 'STORE', KEYS[1], 'STORE', 'x')`,
		`redis.call('SORT', KEYS[1], ARGV[1], 'x')`,
		`redis.call('SORT', KEYS[1], 'GET', ARGV[1])`,
		`redis.call('SORT', KEYS[1], 'STORE', 'x')`,
		`redis.call('ZUNIONSTORE', KEYS[1], 2, KEYS[2], 'x')`,
		`redis.call('ZUNIONSTORE', KEYS[1], ARGV[1], KEYS[2], 'x')`,
		`redis.call('LMPOP', ARGV[1], KEYS[1], 'x', 'LEFT')`,
		`redis.call('RANDOMKEY')`,
		`redis.call('SCAN', 0)`,
		`redis.call('SWAPDB', 0, 1)`,
		`redis.call('FLUSHALL')`,
		`local a = setmetatable({}, {__add = function() return 'store' end}) redis.call('GEORADIUS', KEYS[1], 0, 0, 1, 'm', a + 1, 'x')`,
		`goto a local k = KEYS[1] ::a:: redis.call('GET', 'x')`,
		`for i = 1, 2 do redis.call('GET', i) end`,
		`local call = redis.call call = redis.pcall call('GET', 'x')`,
		`local call = redis.call local function f() call = print end f() call('GET', 'x')`,
		`coroutine.wrap(redis.call)('GET', 'x')`,
		`repeat local k = 'x' until redis.call('GET', k)`,
		`local k = KEYS[1] do local k = 'x' redis.call('GET', k) end`,
		`local f = function() redis.call('GET', f and KEYS[1] or 'x') end f()`,
	} {
		require.False(t, Analyze(parseScript(t, script), table).Proven, script)
	}
}

// TestNotBounded are scripts that could run for long.
func TestNotBounded(t *testing.T) {
	table := command.NewTable(command.Builtin())
	for _, script := range []string{
		`while true do end`,
		`repeat until false`,
		`for i = 1, 1e9 do end`,
		`for i = 1, 10, 0 do end`,
		`for i = 1, 10, 1e-9 do end`,
		`for i = 1, ARGV[1] do end`,
		`for i = 1, #ARGV do end`,
		`for i = 0/0, 10 do end`,
		`for i = 9007199254740992, 9007199254740999 do end`,
		`for i = 1, 60 do for j = 1, 60 do end end`,
		`for _, v in ipairs(ARGV) do end`,
		`for w in string.gmatch(ARGV[1], '.') do end`,
		`local function f() return f() end f()`,
		`local g local function f() return g() end g = function() return f() end f()`,
		`local f f = function() f() end f()`,
		`local t = {} t.f = function() t.f() end t.f()`,
		`local function f() for i = 1, 60 do end end for i = 1, 60 do f() end`,
		`local s = 'x' for i = 1, 40 do s = s .. s end`,
		`local s = ARGV[1] s = s .. s s = s .. s s = s .. s s = s .. s s = s .. s s = s .. s s = s .. s s = s .. s return s`,
		`local s = 'x' for i = 1, 40 do s = string.format('%s%s', s, s) end`,
		`for i = 1, 30 do redis.call('APPEND', KEYS[1], redis.call('GET', KEYS[1])) end`,
		`for i = 1, 30 do local v = redis.call('GET', KEYS[1]) redis.call('APPEND', KEYS[1], v) end`,
		`local function twice(s) return s .. s end local s = ARGV[1] for i = 1, 30 do s = twice(s) end`,
		`return string.rep('x', 1e9)`,
		`return ('x'):rep(1e9)`,
		`return string.find(ARGV[1], ARGV[2])`,
		`return string.gsub(ARGV[1], 'a*', '')`,
		`return string.format(ARGV[1], 1)`,
		`return {string.byte(ARGV[1], 1, -1)}`,
		`return cjson.decode(ARGV[1])`,
		`local t = {unpack(ARGV)} return #t`,
		`return table.concat(ARGV)`,
		`table.sort(ARGV)`,
		`return redis.call('LRANGE', KEYS[1], 0, -1)`,
		`return redis.call('HGETALL', KEYS[1])`,
		`return redis.call('LRANGE', KEYS[1], 0, ARGV[1])`,
		`return redis.call('LRANGE', KEYS[1], -100000, -1)`,
		`return redis.call('LRANGE', KEYS[1], 0, -0)`,
		`return redis.call('ZRANGE', KEYS[1], 0, 5, 'BYSCORE')`,
		`return redis.call('ZRANGE', KEYS[1], 0, 5, ARGV[1])`,
		`return redis.call('ZRANGEBYSCORE', KEYS[1], 0, 5, 'LIMIT', 0, ARGV[1])`,
		`return redis.call('LPOP', KEYS[1], ARGV[1])`,
		`return redis.call('LPOP', KEYS[1], unpack(ARGV))`,
		`return redis.call('XADD', KEYS[1], 'MAXLEN', 100, '*', 'f', 'v')`,
		`return redis.call('XADD', KEYS[1], ARGV[1], '*', 'f', 'v')`,
		`return redis.call('LREM', KEYS[1], 0, ARGV[1])`,
		`for i = 1, 20 do redis.call('LRANGE', KEYS[1], 0, 99) end`,
		`return redis.call('SADD', KEYS[1], unpack(ARGV))`,
		`return redis.call(ARGV[1], KEYS[1])`,
		`local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) return t[1]`,
		`pcall(function() while true do end end)`,
		`local f = ARGV[1] and string.rep or string.rep f('x', 1e9)`,
		`tostring = string.rep tostring('x', 1e9)`,
		`local tostring = string.rep tostring('x', 1e9)`,
		`::a:: goto a`,
		`error(('x'):rep(1e9))`,
		`xpcall(error, function() while true do end end)`,
	} {
		require.False(t, Analyze(parseScript(t, script), table).Bounded, script)
	}
}

// TestDeepTreesAreGivenUp builds what the parser may let through and the walk must not follow.
func TestDeepTreesAreGivenUp(t *testing.T) {
	table := command.NewTable(command.Builtin())
	for name, script := range map[string]string{
		"operators": "return " + strings.Repeat("not ", 5000) + "1",
		"blocks":    strings.Repeat("do ", 5000) + strings.Repeat(" end", 5000),
		"tables":    "return " + strings.Repeat("{", 5000) + strings.Repeat("}", 5000),
		"calls":     "return KEYS" + strings.Repeat("[1]", 5000),
		"functions": strings.Repeat("local function f() ", 5000) + strings.Repeat(" end", 5000),
	} {
		require.Equal(t, Plan{}, Analyze(parseScript(t, script), table), name)
	}
	var loop ast.UnaryNotOpExpr
	loop.Expr = &loop
	require.Equal(t, Plan{}, Analyze([]ast.Stmt{&ast.ReturnStmt{Exprs: []ast.Expr{&loop}}}, table))
	shared := &ast.IdentExpr{Value: "KEYS"}
	require.Equal(t, Plan{}, Analyze([]ast.Stmt{&ast.ReturnStmt{Exprs: []ast.Expr{shared, shared}}}, table))

	long := "local a0 = KEYS[1]\n"
	var b strings.Builder
	b.WriteString(long)
	for range 3000 {
		b.WriteString("do local a0 = a0 redis.call('GET', a0) end\n")
	}
	require.Equal(t, proven, Analyze(parseScript(t, b.String()), table))
}
