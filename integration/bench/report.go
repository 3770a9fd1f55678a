package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"unicode/utf8"
)

// report writes the table row by row as figures come in, so that an interrupted run has shown what it has.
type report struct {
	w              io.Writer
	started        bool
	targets, met   int
	failed, missed []string
}

// widths of the columns, negative: aligned left. A longer cell only loses its alignment.
var widths = []int{-50, -5, 9, 9, 6, 13, 7, -7}

func (r *report) add(x result) {
	if !r.started {
		r.started = true
		r.line("figure", "unit", "troupe", "redis", "ratio", "pairs", "target", "")
		fmt.Fprintln(r.w, "|:--|:--|--:|--:|--:|--:|--:|:--|")
	}
	ratio, pairs := "", ""
	if !math.IsNaN(x.ratio) {
		ratio, pairs = factor(x.ratio), factor(x.lowest)+" – "+factor(x.top)
	}
	verdict := x.verdict()
	switch verdict {
	case met:
		r.targets++
		r.met++
	case missed:
		r.targets++
		r.missed = append(r.missed, x.name)
	}
	r.line(x.name, x.unit, number(x.subject), number(x.peer), ratio, pairs, x.target.text, verdict)
}

// fail notes that figures could not be measured.
func (r *report) fail(what string, err error) {
	r.failed = append(r.failed, fmt.Sprintf("%s: %v", what, err))
}

func (r *report) line(cells ...string) {
	var b strings.Builder
	for i, cell := range cells {
		b.WriteString("| ")
		pad := strings.Repeat(" ", max(0, abs(widths[i])-utf8.RuneCountInString(cell)))
		if widths[i] > 0 {
			b.WriteString(pad + cell)
		} else {
			b.WriteString(cell + pad)
		}
		b.WriteByte(' ')
	}
	fmt.Fprintln(r.w, b.String()+"|")
}

func abs(n int) int { return max(n, -n) }

// end writes what the rows come to.
func (r *report) end() {
	fmt.Fprintf(r.w, "\n%d of %d targets met.\n", r.met, r.targets)
	for _, name := range r.missed {
		fmt.Fprintf(r.w, "- missed: %s\n", name)
	}
	for _, text := range r.failed {
		fmt.Fprintf(r.w, "- NOT MEASURED: %s\n", text)
	}
}

// number prints a figure with three significant digits or all digits before the point.
func number(x float64) string {
	switch {
	case math.IsNaN(x):
		return ""
	case math.Abs(x) >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return fmt.Sprintf("%.3g", x)
}

// factor prints a ratio: hundredths where they mean something.
func factor(x float64) string {
	if x < 0.1 {
		return fmt.Sprintf("%.1g", x)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// machine describes where the figures were taken, and against what.
func machine(peer string) string {
	parts := []string{fmt.Sprintf("%d × %s", runtime.NumCPU(), cpuModel()), runtime.GOOS + "/" + runtime.GOARCH, runtime.Version()}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		parts = append(parts, "load "+strings.Join(strings.Fields(string(load))[:3], " "))
	}
	if peer != "" {
		if out, err := exec.Command(peer, "--version").Output(); err == nil {
			parts = append(parts, strings.TrimSpace(string(out)))
		}
	}
	return strings.Join(parts, "; ")
}

func cpuModel() string {
	info, _ := os.ReadFile("/proc/cpuinfo") // not there on other systems: no model is shown
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "processor"
}
