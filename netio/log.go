package netio

import (
	"context"
	"fmt"
	"log/slog"
)

// gnetLog passes what gnet says on to slog. gnet warns about events of connections that were closed by the same turn
// of the loop, which is normal here, so its warnings count as debug.
type gnetLog struct{ log *slog.Logger }

func (g gnetLog) print(level slog.Level, format string, args []any) {
	if g.log.Enabled(context.Background(), level) {
		g.log.Log(context.Background(), level, "event loop: "+fmt.Sprintf(format, args...))
	}
}

func (g gnetLog) Debugf(format string, args ...any) { g.print(slog.LevelDebug, format, args) }
func (g gnetLog) Infof(format string, args ...any)  { g.print(slog.LevelDebug, format, args) }
func (g gnetLog) Warnf(format string, args ...any)  { g.print(slog.LevelDebug, format, args) }
func (g gnetLog) Errorf(format string, args ...any) { g.print(slog.LevelError, format, args) }
func (g gnetLog) Fatalf(format string, args ...any) { g.print(slog.LevelError, format, args) }
