package transcript

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

var redisLine = regexp.MustCompile(`^# redis: .*$`)

// Rewrite executes a transcript on the real redis-server at addr, writes its replies into the file as the expectations and parses it anew.
// Expectations that are written by hand stay and are checked: a mismatch is an error, and the file stays as it is.
func Rewrite(addr string, f *File) (*File, error) {
	srv, err := connect(addr, f.password())
	if err != nil {
		return nil, err
	}
	defer srv.control.close()
	if err := srv.mustBeRedis(); err != nil {
		return nil, err
	}
	if missing, err := srv.lacks(f.Needs); err != nil {
		return nil, err
	} else if missing != "" {
		return nil, fmt.Errorf("%s needs the command %s, which Redis %s does not have", f.Path, missing, srv.version)
	}
	bodies := map[*step][]string{}
	var faults []error
	for _, c := range f.Cases {
		missing, err := srv.lacks(c.Needs)
		if err != nil {
			return nil, err
		}
		if missing != "" || c.Since != "" && !atLeast(srv.version, c.Since) {
			continue
		}
		if err := c.record(srv, bodies); err != nil {
			faults = append(faults, fmt.Errorf("%s: case %s: %w", f.Path, c.Name, err))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	text := f.withBodies(bodies, srv.version)
	renewed, err := Parse(f.Path, text)
	if err != nil {
		return nil, fmt.Errorf("transcript: the rewritten text does not parse: %w", err)
	}
	if text == strings.Join(f.lines, "\n")+"\n" {
		return renewed, nil
	}
	return renewed, os.WriteFile(f.Path, []byte(text), 0o644)
}

// mustBeRedis refuses servers that only resemble Redis.
func (s *server) mustBeRedis() error {
	info, err := s.info()
	if err != nil {
		return err
	}
	for name := range info {
		for _, other := range []string{"troupe", "valkey", "dragonfly", "garnet", "kvrocks", "keydb"} {
			if strings.Contains(name, other) {
				return fmt.Errorf("transcript: expectations come from a real redis-server only; the one at %s has the INFO field %s", s.addr, name)
			}
		}
	}
	if info["server_name"] != "" && info["server_name"] != "redis" {
		return fmt.Errorf("transcript: expectations come from a real redis-server only; this is %s", info["server_name"])
	}
	return nil
}

// record executes the case in both protocols and collects the new text of what follows each command line.
func (c *Case) record(srv *server, bodies map[*step][]string) error {
	got := map[int][]reply{}
	for _, resp := range []int{2, 3} {
		o := Options{Resp: resp}
		if c.skip(srv.version, o) != "" {
			continue
		}
		replies, err := c.replies(srv, o)
		if err != nil {
			return fmt.Errorf("RESP%d: %w", resp, err)
		}
		got[resp] = replies
	}
	for i, s := range c.steps {
		if s.kind == stepBlock {
			continue
		}
		var wants []want
		for _, resp := range []int{2, 3} {
			if got[resp] == nil {
				continue
			}
			lines := s.render(got[resp][i], resp)
			old, ok := s.expect(srv.version, resp)
			if s.byHand() && !(ok && s.matches(old, lines)) {
				return fmt.Errorf("line %d: %s\nwant\n%s\ngot\n%s", s.line, s.text, strings.Join(old, "\n"), strings.Join(lines, "\n"))
			}
			if s.byHand() || s.approx > 0 && ok && s.matches(old, lines) {
				lines = old
			}
			if len(wants) == 0 {
				wants = append(wants, want{lines: lines})
			} else if !slices.Equal(wants[0].lines, lines) {
				wants = append(wants, want{lines: lines, resp3: true})
			}
		}
		for _, w := range s.wants {
			if w.from != "" && !atLeast(srv.version, w.from) {
				wants = append(wants, w)
			}
		}
		bodies[s] = bodyText(wants)
	}
	return nil
}

func bodyText(wants []want) []string {
	var lines []string
	for _, w := range wants {
		switch {
		case w.from != "" && w.resp3:
			lines = append(lines, "# from "+w.from+" resp3:")
		case w.from != "":
			lines = append(lines, "# from "+w.from+":")
		case w.resp3:
			lines = append(lines, "# resp3:")
		}
		lines = append(lines, w.lines...)
	}
	return lines
}

// withBodies returns the text of the file with new expectations.
func (f *File) withBodies(bodies map[*step][]string, version string) string {
	lines := slices.Clone(f.lines)
	for _, c := range slices.Backward(f.Cases) {
		for _, s := range slices.Backward(c.steps) {
			if body, ok := bodies[s]; ok {
				lines = slices.Replace(lines, s.line, s.end, body...)
			}
		}
	}
	header := "# redis: " + version
	if i := slices.IndexFunc(lines, redisLine.MatchString); i >= 0 {
		lines[i] = header
	} else {
		lines = slices.Insert(lines, 0, header, "")
	}
	return strings.Join(lines, "\n") + "\n"
}
