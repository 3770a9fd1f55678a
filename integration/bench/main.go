package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	subject := flag.String("subject", "bin/troupe", "the server to measure")
	peer := flag.String("peer", "redis-server", "the server to compare it with")
	quick := flag.Bool("quick", false, "smaller data and fewer runs: factors, not per cents")
	runs := flag.Int("runs", 0, "pairs of runs per figure (0: what each scenario finds right)")
	only := flag.String("only", "", "comma-separated scenarios or cells: throughput/get-p1,memory")
	flag.Usage = usage
	flag.Parse()
	b := &bench{quick: *quick, runs: *runs, report: &report{w: os.Stdout}}
	if *only != "" {
		b.only = strings.Split(*only, ",")
	}
	if err := b.main(*subject, *peer); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: bench [flags]")
	flag.PrintDefaults()
	fmt.Fprintln(os.Stderr, "scenarios:")
	for _, s := range scenarios() {
		fmt.Fprintf(os.Stderr, "  %-12s %s\n", s.name, s.about)
	}
}

// main runs the scenarios. It fails when something could not be measured, not when a target is missed: a figure of a
// busy machine is for people to judge.
func (b *bench) main(subject, peer string) error {
	if err := b.find(subject, &peer); err != nil {
		return err
	}
	if err := raiseFileLimit(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "troupe-bench-")
	if err != nil {
		return err
	}
	b.dir = dir
	clean := func() { os.RemoveAll(dir) }
	defer clean()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		clean()
		os.Exit(130) // the servers end with this process, see startServer
	}()

	fmt.Println(machine(peer))
	fmt.Println()
	for _, s := range scenarios() {
		if !b.wants(s.name) {
			continue
		}
		if err := s.run(b); err != nil {
			b.report.fail(s.name, err)
		}
	}
	if !b.report.started && len(b.report.failed) == 0 {
		return fmt.Errorf("nothing is called %s", strings.Join(b.only, " or "))
	}
	b.report.end()
	if len(b.report.failed) > 0 {
		return errors.New("some figures could not be measured")
	}
	return nil
}

// find looks the programs up. Without the peer the subject is measured alone.
func (b *bench) find(subject string, peer *string) error {
	path, err := filepath.Abs(subject)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("subject: %w (make build leaves it in bin/troupe)", err)
	}
	if _, err := exec.LookPath(redisBenchmark); err != nil {
		return fmt.Errorf("%w (make oracle installs it where it can)", err)
	}
	b.sides = []side{{"subject", path}}
	if *peer == "" {
		return nil
	}
	if found, err := exec.LookPath(*peer); err != nil {
		fmt.Fprintf(os.Stderr, "bench: NO PEER, so nothing is compared: %v\n", err)
		*peer = ""
	} else {
		b.sides = append(b.sides, side{"peer", found})
	}
	return nil
}
