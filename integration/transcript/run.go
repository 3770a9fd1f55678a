package transcript

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Options choose how Run executes transcripts.
type Options struct {
	Resp      int  // protocol version, 2 or 3
	Pipelined bool // all commands of a case that follow each other on one connection go out in one write
	Shards    int  // shards of the server under test, 0 when it has none
	Within    Within
}

func (o Options) String() string {
	name := fmt.Sprintf("resp%d", o.Resp)
	if o.Pipelined {
		name += ",pipelined"
	}
	if o.Within != Alone {
		name += "," + o.Within.String()
	}
	return name
}

// Run executes every case of files on the server at addr, as subtests named file/case. REQUIRES: the server was started with the files' Args.
func Run(t *testing.T, addr string, files []*File, o Options) {
	for _, f := range files {
		t.Run(f.Name, func(t *testing.T) {
			srv, err := connect(addr, f.password())
			if err != nil {
				t.Fatal(err)
			}
			defer srv.control.close()
			skipLacking(t, srv, f.Needs)
			if o.Within != Alone {
				skipLacking(t, srv, []string{o.Within.command()})
				if f.password() != "" {
					t.Skip("its connections are not authenticated")
				}
			}
			for _, c := range f.Cases {
				t.Run(c.Name, func(t *testing.T) {
					c.run(t, f, srv, o)
				})
			}
		})
	}
}

func skipLacking(t *testing.T, srv *server, needs []string) {
	missing, err := srv.lacks(needs)
	if err != nil {
		t.Fatal(err)
	}
	if missing != "" {
		t.Skipf("the server has no command %s yet", missing)
	}
}

func (c *Case) run(t *testing.T, f *File, srv *server, o Options) {
	if why := c.skip(srv.version, o); why != "" {
		t.Skip(why)
	}
	skipLacking(t, srv, c.Needs)
	faults, err := c.check(f.Path, srv, o)
	for _, fault := range faults {
		t.Error(fault)
	}
	if err != nil {
		t.Fatalf("%s: %v", f.Path, err)
	}
}

// check executes the case and returns a text for every reply that is not the expected one. err says why it did not get to the end.
func (c *Case) check(path string, srv *server, o Options) (faults []string, err error) {
	replies, err := c.replies(srv, o)
	for i, v := range replies {
		s := c.steps[i]
		if s.kind == stepBlock || v.lost {
			continue
		}
		got := s.render(v, o.Resp)
		want, ok := s.expect(srv.version, o.Resp)
		if !ok {
			want = []string{"(no expectation is recorded)"}
		}
		if !ok || !s.matches(want, got) {
			faults = append(faults, fmt.Sprintf("%s:%d: %s\nwant\n%s\ngot\n%s", path, s.line, s.text, strings.Join(want, "\n"), strings.Join(got, "\n")))
		}
	}
	return faults, err
}

// skip returns why the case does not run on this server in this mode, "" when it does.
func (c *Case) skip(version string, o Options) string {
	switch {
	case c.Since != "" && !atLeast(version, c.Since):
		return fmt.Sprintf("needs version %s, the server is %s", c.Since, version)
	case c.NoShards && o.Shards > 1:
		return "not with more than one shard"
	case o.Within != Alone && !c.wrappable():
		return "not wrapped"
	case o.Pipelined && slices.Contains(c.SkipModes, "pipelined"):
		return "not pipelined"
	case slices.Contains(c.SkipModes, fmt.Sprintf("resp%d", o.Resp)):
		return fmt.Sprintf("not in RESP%d", o.Resp)
	}
	return ""
}

// replies executes the case from an empty keyspace and returns the replies up to the first fault.
func (c *Case) replies(srv *server, o Options) ([]reply, error) {
	s, err := srv.begin(o.Resp)
	if err != nil {
		return nil, err
	}
	s.within = o.Within
	replies, err := s.run(c.steps, o.Pipelined)
	if endErr := s.end(); err == nil {
		err = endErr
	}
	return replies, err
}
