package scripting

import (
	"strings"
	"testing"
)

// BenchmarkCompileWorst compiles what takes the compiler of the VM longest, at the limits that keep that bearable.
func BenchmarkCompileWorst(b *testing.B) {
	var constants strings.Builder
	for i := range 100000 {
		constants.WriteString("t[1]=" + itoa(i) + " ")
	}
	for name, script := range map[string]string{
		"constants": "local t = {} " + constants.String(),
		"elseif":    "local x if x then " + strings.Repeat("elseif x then ", 990) + "end",
		"plus":      "local x return x" + strings.Repeat("+1", 990),
		"and":       "local x return x" + strings.Repeat(" and x", 990),
		"fields":    "local x return x" + strings.Repeat(".x", 990),
		"calls":     "local x return x" + strings.Repeat("()", 990),
		"nested":    strings.Repeat("return function() ", 90) + strings.Repeat("end ", 90),
		"blocks":    strings.Repeat("do local a ", 180) + strings.Repeat("end ", 180),
		"large":     strings.Repeat("local a = {1, 2, b = 'x'} ", 150) + strings.Repeat("do local a = f(1, 'x', b) end ", 10000),
		"jumps":     "local x " + strings.Repeat("if x then x = 1 else x = 2 end ", 10000),
		"loops":     "local x " + strings.Repeat("while x do if x then break end end ", 10000),
	} {
		b.Run(name, func(b *testing.B) {
			s := newTestServer(b, nil)
			for b.Loop() {
				if _, err := s.engine.newScript(script); err != "" {
					b.Fatal(err)
				}
			}
		})
	}
}
