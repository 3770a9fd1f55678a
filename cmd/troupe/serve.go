package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/troupe-db/troupe"
	"github.com/troupe-db/troupe/actors"
	"github.com/troupe-db/troupe/actors/config"
)

// errSaid marks an error that has been printed.
var errSaid = errors.New("already reported")

// serve runs the server until a signal or SHUTDOWN ends it.
func serve(args []string, stdin io.Reader, stderr io.Writer) error {
	// The configuration is looked at twice: here for what concerns the process, and by Start for all else. Standard
	// input can be read once only.
	var piped []byte
	for _, a := range args {
		if a == "-" {
			b, err := io.ReadAll(stdin)
			if err != nil {
				return fmt.Errorf("troupe: read configuration from standard input: %w", err)
			}
			piped = b
			break
		}
	}
	cfg, err := config.Parse(args, newReader(piped))
	if err != nil {
		fmt.Fprintln(stderr, err)
		return errSaid
	}
	v := cfg.Load()
	if v.Daemonize {
		return errors.New("troupe: daemonize is not supported: let the service manager or the shell put the server " +
			"into the background")
	}
	out := io.Writer(stderr)
	if v.LogFile != "" {
		f, err := os.OpenFile(v.LogFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return fmt.Errorf("troupe: open log file: %w", err)
		}
		defer f.Close()
		out = f
	}
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: actors.LogLevel}))
	actors.SetLogLevel(v.LogLevel)
	tuneRuntime(v)
	prefault()
	if v.PidFile != "" {
		if err := os.WriteFile(v.PidFile, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o644); err != nil {
			log.Warn("cannot write the pid file", "file", v.PidFile, "error", err)
		} else {
			defer os.Remove(v.PidFile)
		}
	}

	srv, err := troupe.Start(troupe.Options{Args: withSocket(args), Stdin: newReader(piped), Log: log})
	if err != nil {
		return err
	}
	log.Info("Ready to accept connections", "troupe", actors.Version, "redis", actors.RedisVersion, "addr", srv.Addr(),
		"pid", os.Getpid())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	go trimHeap(ctx)
	select {
	case <-ctx.Done():
		log.Info("signal received, shutting down")
		stop() // a second signal ends the process at once
	case <-srv.Done():
		log.Info("shutdown requested by a client")
	}
	err = srv.Close()
	log.Info("bye")
	return err
}
