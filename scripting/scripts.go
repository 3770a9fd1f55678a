package scripting

import (
	"container/list"
	"strings"
	"sync"

	"github.com/troupe-db/troupe/netio/resp"
)

// ScriptFlags are what a script or function says about itself.
type ScriptFlags uint8

// The flags of Redis.
const (
	// NoWrites: it only reads.
	NoWrites ScriptFlags = 1 << iota
	// AllowOOM: it may run although memory is short.
	AllowOOM
	// AllowStale: it may run on a replica whose data is stale.
	AllowStale
	// NoCluster: it must not run in a cluster.
	NoCluster
	// AllowCrossSlotKeys: its keys may be in several slots.
	AllowCrossSlotKeys
	// Compat: it says nothing about itself, as scripts did before flags. What it does is checked command by command.
	Compat
)

var scriptFlags = [...]struct {
	name string
	flag ScriptFlags
}{
	{"no-writes", NoWrites}, {"allow-oom", AllowOOM}, {"allow-stale", AllowStale}, {"no-cluster", NoCluster},
	{"allow-cross-slot-keys", AllowCrossSlotKeys},
}

func flagByName(name string) (ScriptFlags, bool) {
	for _, f := range scriptFlags {
		if f.name == name {
			return f.flag, true
		}
	}
	return 0, false
}

// script is a compiled script. It is immutable but for its place in the cache.
type script struct {
	sha   string
	body  string
	unit  *unit
	flags ScriptFlags
	place *list.Element // among those that EVAL brought; nil for those that stay
}

// maxEvalScripts is how many scripts are kept that EVAL brought: clients that send ever new ones must not fill the memory.
const maxEvalScripts = 500

// scriptCache holds the scripts by SHA1 and by text.
type scriptCache struct {
	mu      sync.Mutex
	bySHA   map[string]*script
	byBody  map[string]*script
	recent  *list.List // of *script, the one used longest ago first
	evicted int64
	bytes   int64
}

func (c *scriptCache) init() { c.reset() }

func (c *scriptCache) reset() {
	c.bySHA, c.byBody, c.recent, c.bytes = map[string]*script{}, map[string]*script{}, list.New(), 0
}

func (c *scriptCache) used(s *script) *script {
	if s != nil && s.place != nil {
		c.recent.MoveToBack(s.place)
	}
	return s
}

// find returns the script with a SHA1, in either case; nil when there is none.
func (c *scriptCache) find(sha []byte) *script {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used(c.lookup(sha))
}

func (c *scriptCache) lookup(sha []byte) *script {
	if s := c.bySHA[string(sha)]; s != nil {
		return s
	}
	return c.bySHA[strings.ToLower(string(sha))]
}

// exists is find for one who does not use the script.
func (c *scriptCache) exists(sha []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lookup(sha) != nil
}

func (c *scriptCache) text(body []byte) *script {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used(c.byBody[string(body)])
}

// add keeps a script, for good when stay is set. It returns the one that is kept, which may have been there before.
func (c *scriptCache) add(s *script, stay bool) *script {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.bySHA[s.sha]; old != nil {
		if stay && old.place != nil {
			c.recent.Remove(old.place)
			old.place = nil
		}
		return old
	}
	c.bySHA[s.sha], c.byBody[s.body] = s, s
	c.bytes += int64(len(s.body))
	if stay {
		return s
	}
	s.place = c.recent.PushBack(s)
	if c.recent.Len() > maxEvalScripts {
		oldest := c.recent.Remove(c.recent.Front()).(*script)
		delete(c.bySHA, oldest.sha)
		delete(c.byBody, oldest.body)
		c.bytes -= int64(len(oldest.body))
		c.evicted++
	}
	return s
}

func (c *scriptCache) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reset()
}

// shebang splits what follows #! in the first line of a source into words, and returns the source without that line, whose line break stays so
// that lines keep their numbers. ok is false when the line does not end or its quotes do not match.
func shebang(src string) (words [][]byte, rest string, err string) {
	end := strings.IndexByte(src, '\n')
	if end < 0 {
		return nil, "", "Invalid script shebang"
	}
	words, ok := resp.SplitArgs([]byte(src[:end]), nil)
	if !ok || len(words) == 0 {
		return nil, "", "Invalid engine in script shebang"
	}
	return words, src[end:], ""
}

// newScript compiles a script. err is the error that answers the command.
func (e *Engine) newScript(body string) (s *script, err string) {
	s = &script{sha: sha1Hex([]byte(body)), body: body, flags: Compat}
	src := body
	if strings.HasPrefix(body, "#!") {
		words, rest, wrong := shebang(body)
		if wrong != "" {
			return nil, "ERR " + wrong
		}
		if string(words[0]) != "#!lua" {
			return nil, "ERR Unexpected engine in script shebang: " + string(words[0])
		}
		s.flags, src = 0, rest
		for _, w := range words[1:] {
			list, isFlags := strings.CutPrefix(string(w), "flags=")
			if !isFlags {
				return nil, "ERR Unknown lua shebang option: " + string(w)
			}
			if list == "" {
				continue
			}
			for name := range strings.SplitSeq(list, ",") {
				f, known := flagByName(name)
				if !known {
					return nil, "ERR Unexpected flag in script shebang: " + name
				}
				s.flags |= f
			}
		}
	}
	u, compileErr := e.compile(src, scriptChunk, scriptKind)
	if compileErr != nil {
		return nil, "ERR Error compiling script (new function): " + compileErr.Error()
	}
	s.unit = u
	return s, ""
}

// loadScript returns the script with this text, compiled if it is new.
func (e *Engine) loadScript(body []byte, stay bool) (s *script, err string) {
	if s = e.scripts.text(body); s != nil && !stay {
		return s, ""
	}
	if s == nil {
		if s, err = e.newScript(string(body)); err != "" {
			return nil, err
		}
	}
	return e.scripts.add(s, stay), ""
}
