package actors

import "log/slog"

// LogLevel is the level of the program's log; CONFIG SET loglevel changes it through SetLogLevel. It is the process's,
// not a server's: embedded servers are given a logger that has its own.
var LogLevel = new(slog.LevelVar)

// SetLogLevel sets LogLevel to a level of Redis: debug, verbose, notice, warning or nothing.
func SetLogLevel(name string) {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "verbose": slog.LevelDebug, "notice": slog.LevelInfo, "warning": slog.LevelWarn,
		"nothing": slog.LevelError + 4,
	}
	if l, ok := levels[name]; ok {
		LogLevel.Set(l)
	}
}
