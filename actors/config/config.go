package config

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/troupe-db/troupe/datatypes/glob"
)

// Config is the configuration of one server.
type Config struct {
	current atomic.Pointer[Values]

	mu       sync.Mutex // serializes everything that changes current, and Rewrite
	hooks    []*hook
	watchers []func(old, new *Values)

	// What the directives said, fixed once Parse returns.
	file     string // absolute path of the configuration file, or empty
	startDir string // working directory at the start
	renames  []Directive
	seen     map[*param]bool // set by a directive
	included map[*param]bool // set by a directive of an included file
}

// hook is a callback of OnApply.
type hook struct {
	params []*param
	apply  func(old, new *Values) error
}

// Directive is a line of a configuration file that does not set a parameter.
type Directive struct {
	File string // empty for the command line
	Line int
	Text string
	Args []string // without the name
}

// Err makes the error to report when the directive turns out to be wrong later on, as with a command that does not exist.
func (d Directive) Err(reason string) *Error {
	return &Error{File: d.File, Line: d.Line, Text: d.Text, Reason: reason}
}

// entry is what a name stands for: a parameter by its own name or by its alias.
type entry struct {
	name  string
	param *param
}

// names has an entry for each name and each alias, in lower case.
var names = buildNames()

func buildNames() map[string]entry {
	byName := make(map[string]entry, 2*len(parameters))
	for i, p := range parameters {
		p.index = i
		for _, name := range []string{p.name, p.alias} {
			if name == "" {
				continue
			}
			if _, taken := byName[name]; taken || name != strings.ToLower(name) {
				panic("config: bad or doubled name: " + name)
			}
			byName[name] = entry{name, p}
		}
	}
	bindFields(byName)
	return byName
}

func lookup(name string) *param { return names[strings.ToLower(name)].param }

// defaults holds every default once parsed; dir is resolved per Config.
var defaults = sync.OnceValue(func() *Values {
	v := &Values{all: make([]any, len(parameters))}
	for _, p := range parameters {
		val, err := p.codec.parse(p.split(p.def), nil)
		if err != nil {
			panic(fmt.Sprintf("config: default of %s: %v", p.name, err))
		}
		v.assign(p, val)
	}
	return v
})

// split makes the words of a value that came as one argument.
func (p *param) split(value string) []string {
	if p.flags&words == 0 {
		return []string{value}
	}
	if value == "" {
		return nil
	}
	return strings.Split(value, " ")
}

// New returns the defaults. It fails only if the working directory cannot be found out.
func New() (*Config, error) {
	wd, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	v := defaults().clone()
	v.assign(lookup("dir"), wd)
	c := &Config{startDir: wd, seen: map[*param]bool{}, included: map[*param]bool{}}
	c.current.Store(v)
	return c, nil
}

// Load returns the current values.
func (c *Config) Load() *Values { return c.current.Load() }

// File returns the absolute path of the configuration file, or "" if there is none.
func (c *Config) File() string { return c.file }

// Renames returns the rename-command directives, in order; an empty second argument means that the command is removed.
func (c *Config) Renames() []Directive { return c.renames }

// Get returns name, value, name, value … for all parameters that match one of the patterns, each once, sorted by name.
// A pattern without *, ? and [ is the name of a parameter, and the only way to see hidden ones; its spelling is repeated
// in the reply. An alias is a parameter of its own here.
func (c *Config) Get(patterns ...string) []string {
	v := c.Load()
	found := map[string]string{} // lower-case name -> as it is shown
	for _, pattern := range patterns {
		if !glob.HasMeta(pattern) {
			name := strings.ToLower(pattern)
			if _, ok := names[name]; ok && found[name] == "" {
				found[name] = pattern
			}
			continue
		}
		for name, e := range names {
			if e.param.flags&hidden == 0 && found[name] == "" && glob.MatchString(pattern, name, true) {
				found[name] = name
			}
		}
	}
	out := make([]string, 0, 2*len(found))
	for _, name := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[name], v.text(names[name].param))
	}
	return out
}

// Sensitive reports whether the value of the parameter must not show up in the slow log, MONITOR or logs.
func Sensitive(name string) bool {
	p := lookup(name)
	return p != nil && p.flags&sensitive != 0
}

// SetOptions describe who asks for a change and when.
type SetOptions struct {
	Local   bool // the client is on this machine, which enable-protected-configs local asks for
	Loading bool // the data set is being loaded
}

// Set is SetWith for a client that is not local, outside of loading.
func (c *Config) Set(pairs [][2]string) error { return c.SetWith(SetOptions{}, pairs) }

// SetWith does what CONFIG SET does: all changes or none. The error text is the reply, with its code word.
//
// Callbacks of OnApply run on what changed, in the order of pairs, before anybody can load the new values. If one fails,
// those that ran before are called again with old and new exchanged, and nothing has changed.
func (c *Config) SetWith(opt SetOptions, pairs [][2]string) error {
	c.mu.Lock()
	defer c.mu.Unlock()

	old := c.Load()
	entries := make([]entry, len(pairs))
	for i, pair := range pairs {
		e, ok := names[strings.ToLower(pair[0])]
		if !ok {
			return fmt.Errorf("ERR Unknown option or number of arguments for CONFIG SET - '%s'", pair[0])
		}
		if reason := refusal(e.param, opt, old); reason != "" {
			return setError(pair[0], reason)
		}
		if slices.Contains(entries[:i], e) {
			return setError(pair[0], "duplicate parameter")
		}
		entries[i] = e
	}

	next := old.clone()
	for i, pair := range pairs {
		p := entries[i].param
		cur := next.all[p.index]
		if p.flags&addsUp != 0 {
			cur = nil
		}
		val, err := p.codec.parse(p.split(pair[1]), cur)
		if err != nil {
			return setError(pair[0], err.Error())
		}
		next.assign(p, val)
	}

	var done []*hook
	for i, e := range entries {
		if e.param.flags&byName == 0 && same(e.param, old, next) {
			continue
		}
		for _, h := range c.hooks {
			if !slices.Contains(h.params, e.param) || slices.Contains(done, h) {
				continue
			}
			if err := h.apply(old, next); err != nil {
				for _, h := range slices.Backward(done) {
					_ = h.apply(next, old) // it took these values before; what failed is reported by the first error
				}
				return setError(pairs[i][0], err.Error())
			}
			done = append(done, h)
		}
	}
	c.publish(old, next)
	return nil
}

// same compares what would be written to a file, which is exact where CONFIG GET is not (see NotifyFlags).
func same(p *param, a, b *Values) bool {
	return slices.Equal(p.codec.lines(a.all[p.index]), p.codec.lines(b.all[p.index]))
}

// refusal says why p cannot be changed at all, or "".
func refusal(p *param, opt SetOptions, v *Values) string {
	mode := v.EnableProtectedConfigs
	switch {
	case p.flags&immutable != 0:
		return "can't set immutable config"
	case p.flags&protected != 0 && mode != "yes" && (mode != "local" || !opt.Local):
		return "can't set protected config"
	case p.flags&offline != 0 && opt.Loading:
		return "can't set this config while loading"
	}
	return ""
}

func setError(name, reason string) error {
	text := fmt.Sprintf("ERR CONFIG SET failed (possibly related to argument '%s')", name)
	if reason != "" {
		text += " - " + reason
	}
	return fmt.Errorf("%s", text)
}

// Assign changes one parameter for the server itself: REPLICAOF at run time, options of an embedding program, the port
// that the system chose. It may change immutable parameters, and calls no callback of OnApply.
func (c *Config) Assign(name, value string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := lookup(name)
	if p == nil {
		return fmt.Errorf("config: no such parameter: %s", name)
	}
	old := c.Load()
	cur := old.all[p.index]
	if p.flags&addsUp != 0 {
		cur = nil
	}
	val, err := p.codec.parse(p.split(value), cur)
	if err != nil {
		return fmt.Errorf("config: %s: %w", name, err)
	}
	next := old.clone()
	next.assign(p, val)
	c.publish(old, next)
	return nil
}

func (c *Config) publish(old, next *Values) {
	c.current.Store(next)
	for _, fn := range c.watchers {
		fn(old, next)
	}
}

// OnApply registers a callback that makes changes of the named parameters take effect, or refuses them: the text of its
// error is what the client sees after the " - ". It runs once per Set however many of the parameters changed. An empty
// error text leaves the " - " out. Unknown names panic.
func (c *Config) OnApply(name string, apply func(old, new *Values) error, more ...string) {
	h := &hook{apply: apply}
	for _, name := range append([]string{name}, more...) {
		p := lookup(name)
		if p == nil {
			panic("config: OnApply of unknown parameter " + name)
		}
		h.params = append(h.params, p)
	}
	c.hooks = append(c.hooks, h)
}

// OnChange registers a callback that is told about every change after it can be loaded.
func (c *Config) OnChange(fn func(old, new *Values)) { c.watchers = append(c.watchers, fn) }

// Info describes a parameter, for documentation and tests.
type Info struct {
	Name, Alias, Default, Doc               string
	Immutable, Hidden, Sensitive, Protected bool
}

// Parameters describes all parameters, by subject.
func Parameters() []Info {
	var out []Info
	for _, p := range parameters {
		out = append(out, Info{
			Name: p.name, Alias: p.alias, Default: defaults().text(p), Doc: p.doc,
			Immutable: p.flags&immutable != 0, Hidden: p.flags&hidden != 0,
			Sensitive: p.flags&sensitive != 0, Protected: p.flags&protected != 0,
		})
	}
	return out
}
