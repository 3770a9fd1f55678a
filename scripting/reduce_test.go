package scripting

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestReduce(t *testing.T) {
	seed, err := strconv.Atoi(os.Getenv("SEED"))
	if err != nil {
		t.Skip()
	}
	o := startOracle(t)
	s := newTestServer(t, nil)
	k := s.connect()
	g := &generator{Rand: rand.New(rand.NewPCG(uint64(seed), 1)), vararg: true}
	g.b.WriteString(randomProlog)
	g.block(8)
	g.b.WriteString("return 'end'\nend\nout[#out + 1] = show({pcall(main, 1, 'two', {3})})\nreturn table.concat(out, ' ')")
	lines := strings.Split(g.b.String(), "\n")
	bad := func(l []string) bool {
		src := strings.Join(l, "\n")
		a, b := settle(o.do("EVAL", src, "0")), settle(k.do("EVAL", src, "0"))
		return a != b && !strings.Contains(a, "compiling") && strings.Contains(b, os.Getenv("HAS"))
	}
	for n := len(lines); n > 0; n /= 2 {
		for i := 0; i+n <= len(lines); {
			try := append(append([]string{}, lines[:i]...), lines[i+n:]...)
			if bad(try) {
				lines = try
			} else {
				i++
			}
		}
	}
	for n := 3; n > 1; n-- {
		for i := 0; i < len(lines); i++ {
			for j := i + 1; j < len(lines); j++ {
				try := append(append(append([]string{}, lines[:i]...), lines[i+1:j]...), lines[j+1:]...)
				if bad(try) {
					lines = try
				}
			}
		}
	}
	src := strings.Join(lines, "\n")
	t.Logf("%s\nRedis: %s\nours: %s", src, o.do("EVAL", src, "0"), k.do("EVAL", src, "0"))
}
