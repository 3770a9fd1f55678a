package plan

// Globals that a script may mention. Every other name makes it foul: it may lead to all the others (_G, getfenv, setfenv,
// load, loadstring, require), change what the rest means (the metatable of strings, by getmetatable) or be unknown.

// functions are the global functions, with what is known of them.
var functions = map[string]libFunc{
	"assert": {cheap: true}, "error": {cheap: true}, "select": {cheap: true},
	"ipairs": {}, "pairs": {}, // they return their argument, see genericFor
	"next": {reader: true}, "unpack": {reader: true},
	"pcall": {}, "xpcall": {}, "print": {}, "collectgarbage": {}, "gcinfo": {},
	"rawequal": {cheap: true, single: true}, "rawget": {cheap: true, single: true}, "rawset": {},
	"setmetatable": {},
	"tonumber":     {cheap: true, single: true, number: true},
	"tostring":     {cheap: true, single: true},
	"type":         {cheap: true, single: true, reader: true},
}

// libFunc is what is known of a library function.
type libFunc struct {
	reader bool // does no more than read a table that is its first argument
	single bool // returns exactly one value
	number bool // that is a number or nil
	cheap  bool // takes a short time that does not depend on its arguments, large strings aside
}

var (
	cheap       = libFunc{cheap: true}
	cheapNumber = libFunc{cheap: true, single: true, number: true}
	cheapString = libFunc{cheap: true, single: true}
	one         = libFunc{single: true}
	readsTable  = libFunc{reader: true, single: true}
)

// libraries are the global tables. Their members may be called and read, nothing else; a member that is not here is
// unknown, not forbidden.
var libraries = map[string]map[string]libFunc{
	"string": {
		"byte": cheap, "char": cheapString, "len": cheapNumber, "lower": cheapString, "upper": cheapString,
		"reverse": cheapString, "sub": cheapString, "format": one, "rep": one,
	},
	"math": {
		"abs": cheapNumber, "acos": cheapNumber, "asin": cheapNumber, "atan": cheapNumber, "atan2": cheapNumber,
		"ceil": cheapNumber, "cos": cheapNumber, "cosh": cheapNumber, "deg": cheapNumber, "exp": cheapNumber,
		"floor": cheapNumber, "fmod": cheapNumber, "frexp": cheap, "ldexp": cheapNumber, "log": cheapNumber,
		"log10": cheapNumber, "max": cheapNumber, "min": cheapNumber, "modf": cheap, "mod": cheapNumber,
		"pow": cheapNumber, "rad": cheapNumber, "random": cheapNumber, "randomseed": cheap, "sin": cheapNumber,
		"sinh": cheapNumber, "sqrt": cheapNumber, "tan": cheapNumber, "tanh": cheapNumber,
	},
	"bit": {
		"arshift": cheapNumber, "band": cheapNumber, "bnot": cheapNumber, "bor": cheapNumber, "bswap": cheapNumber,
		"bxor": cheapNumber, "lshift": cheapNumber, "rol": cheapNumber, "ror": cheapNumber, "rshift": cheapNumber,
		"tobit": cheapNumber, "tohex": cheapString,
	},
	"table":    {"concat": readsTable, "getn": readsTable, "maxn": readsTable, "insert": cheap},
	"cjson":    {"encode": readsTable},
	"cmsgpack": {"pack": readsTable},
	"struct":   {},
	"os":       {"clock": cheapNumber, "time": {single: true, number: true}},
}

// redisMembers are the members of the redis table, apart from call and pcall, that may be mentioned.
var redisMembers = map[string]libFunc{
	"error_reply": cheapString, "status_reply": cheapString, "sha1hex": cheapString, "log": cheap,
	"setresp": cheap, "set_repl": cheap, "replicate_commands": cheap, "breakpoint": cheap, "debug": cheap,
	"acl_check_cmd": cheap,
	"LOG_DEBUG":     {}, "LOG_VERBOSE": {}, "LOG_NOTICE": {}, "LOG_WARNING": {},
	"REPL_NONE": {}, "REPL_AOF": {}, "REPL_SLAVE": {}, "REPL_REPLICA": {}, "REPL_ALL": {},
	"REDIS_VERSION": {}, "REDIS_VERSION_NUM": {},
}
